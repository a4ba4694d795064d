// SPDX-License-Identifier: MIT
/*
 * The firmware's memory and its boot parameters.  SRC: P 4.6, P 5, P 3.6.
 */
#include <errno.h>
#include <string.h>

#include "driver/mmio.h"

static u64 fw_pages(u64 size)
{
	return base_align_up(size, BASE_PAGE_SIZE);
}

static int fixed(struct drv_dev *dev, u64 va, u64 size, u64 ro_start, u64 ro_len,
		 struct drv_bo **out)
{
	const struct drv_bo_spec spec = {
		.size = size,
		.align = BASE_PAGE_SIZE,
		.fixed_va = va,
		.cache = OS_CACHE_WC,
		.ro_start = ro_start,
		.ro_end = ro_start + ro_len,
	};

	return drv_bo_new(dev->sys, &spec, out);
}

static int placed(struct drv_dev *dev, const struct reg_range *range, u64 size, bool snooped,
		  struct drv_bo **out)
{
	const struct drv_bo_spec spec = {
		.size = size,
		.align = BASE_PAGE_SIZE,
		.range = range,
		.cache = snooped ? OS_CACHE_WB : OS_CACHE_WC,
		.map = snooped ? DRV_MAP_SNOOP : 0,
	};

	return drv_bo_new(dev->sys, &spec, out);
}

/* Where the header says; that no two parts overlap was checked. */
static int fw_memory(struct drv_dev *dev)
{
	const struct abi_fw_header *h = &dev->fw.hdr;
	u64 ro_start = 0, ro_len = 0;
	int ret;

	if (h->ro_section_start_address) {
		ro_start = h->ro_section_start_address - h->image_load_address;
		ro_len = h->ro_section_size;
	}
	ret = fixed(dev, h->boot_params_load_address, BASE_PAGE_SIZE, 0, 0, &dev->fw.params);
	if (!ret)
		ret = fixed(dev, h->firmware_version_load_address, BASE_PAGE_SIZE, 0, 0,
			    &dev->fw.verpage);
	if (!ret)
		ret = fixed(dev, h->image_load_address,
			    h->runtime_size - ABI_FW_HEADER_PAGE - ABI_FW_VERSION_PAGE, ro_start,
			    ro_len, &dev->fw.runtime);
	if (!ret && h->shave_nn_fw_size)
		ret = placed(dev, &dev->gen->va.shave, fw_pages(h->shave_nn_fw_size), false,
			     &dev->fw.shave);
	return ret;
}

int drv_boot_init(struct drv_dev *dev, struct base_err *err)
{
	int ret = fw_memory(dev);

	if (!ret)
		ret = placed(dev, &dev->gen->va.global, ABI_BOOT_CRIT_LOG_SIZE, true,
			     &dev->fw.crit_log);
	if (!ret)
		ret = placed(dev, &dev->gen->va.global, ABI_BOOT_VERBOSE_LOG_SIZE, true,
			     &dev->fw.verb_log);
	if (!ret)
		ret = drv_ipc_init(dev);
	if (ret)
		return base_err_set(err, ret, "%s: memory for the firmware: %s", dev->os->location,
				    base_err_name(ret));
	return 0;
}

void drv_boot_fini(struct drv_dev *dev)
{
	struct drv_bo **bos[] = { &dev->fw.verb_log, &dev->fw.crit_log, &dev->fw.shave,
				  &dev->fw.runtime,  &dev->fw.verpage,	&dev->fw.params };

	drv_ipc_fini(dev);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(bos); i++) {
		if (*bos[i])
			drv_bo_destroy(*bos[i]);
		*bos[i] = NULL;
	}
}

int drv_boot_load_fw(struct drv_dev *dev)
{
	memcpy(drv_bo_cpu(dev->fw.runtime), dev->fw.image + ABI_FW_IMAGE_OFF,
	       dev->fw.hdr.image_size);
	drv_fw_log_forget(dev);
	drv_ipc_reset(dev);
	drv_jsm_init(dev);
	return 0;
}

static void params_memory(struct drv_dev *dev, struct abi_boot_params *bp)
{
	const struct reg_gen *gen = dev->gen;

	bp->ipc_header_area_start = dev->ipc.rx_va;
	bp->ipc_header_area_size = ABI_BOOT_IPC_AREA_SIZE;
	bp->shared_region_base = gen->va.global.start;
	bp->shared_region_size = ABI_BOOT_SHARED_SIZE;
	bp->ipc_payload_area_start = dev->ipc.rx_va + ABI_BOOT_IPC_AREA_SIZE;
	bp->ipc_payload_area_size = ABI_BOOT_IPC_AREA_SIZE;
	if (gen->pio_alias) {
		bp->global_aliased_pio_base = gen->va.user.start;
		bp->global_aliased_pio_size = (u32)(gen->va.user.end - gen->va.user.start);
	}
	bp->autoconfig = 1;
	bp->cache_defaults[ABI_BOOT_CACHE_NN].use = 1;
	bp->cache_defaults[ABI_BOOT_CACHE_NN].cfg = gen->cache_nn_cfg;
	if (dev->fw.shave)
		bp->shave_nn_fw_base = drv_bo_addr(dev->fw.shave);
}

static void params_silicon(struct drv_dev *dev, struct abi_boot_params *bp)
{
	bp->si_stepping = dev->revision;
	bp->device_id = dev->device_id;
	bp->feature_exclusion = dev->tile_fuse;
	bp->sku = dev->gen->sku;
	bp->min_freq_pll_ratio = dev->freq.min;
	bp->max_freq_pll_ratio = dev->freq.max;
	bp->pn_freq_pll_ratio = dev->freq.pn;
	bp->perf_clk_frequency = dev->perf_clk_hz;
}

static void params_logs(struct drv_dev *dev, struct abi_boot_params *bp)
{
	bp->crit_tracing_buff_addr = drv_bo_addr(dev->fw.crit_log);
	bp->crit_tracing_buff_size = ABI_BOOT_CRIT_LOG_SIZE;
	bp->verbose_tracing_buff_addr = drv_bo_addr(dev->fw.verb_log);
	bp->verbose_tracing_buff_size = ABI_BOOT_VERBOSE_LOG_SIZE;
	bp->default_trace_level = dev->fw.trace_level;
	dev->fw.tell_level = false;
	bp->trace_destination_mask = ABI_BOOT_TRACE_VERBOSE;
	bp->trace_hw_component_mask = UINT64_MAX;
	bp->tracing_buff_message_format_mask = 1; /* plain strings; SRC: P 5.1 */
}

/* SRC: P 5.3 #4; all else in the page is the firmware's by now. */
static void params_warm(struct drv_dev *dev, struct abi_boot_params *bp)
{
	u64 now_ns = drv_clock(dev);

	bp->boot_type = ABI_BOOT_TYPE_WARM;
	bp->d0i3_residency_time_us = (now_ns - dev->pm.asleep_ns) / BASE_NS_PER_US;
	bp->d0i3_entry_vpu_ts = dev->perf_at_stop;
	bp->system_time_us = now_ns / BASE_NS_PER_US;
	bp->save_restore_ret_address = 0;
}

/*
 * Cold boot.  system_time_us is the seam's clock, not the wall clock: device
 * timestamps then lie on the time line of completions, and a run repeats exactly.
 */
static void params_cold(struct drv_dev *dev, struct abi_boot_params *bp)
{
	memset(bp, 0, sizeof(*bp));
	bp->magic = ABI_BOOT_MAGIC;
	params_memory(dev, bp);
	params_silicon(dev, bp);
	params_logs(dev, bp);
	bp->watchdog_irq_mss = ABI_BOOT_WATCHDOG_IRQ_MSS;
	bp->watchdog_irq_nce = ABI_BOOT_WATCHDOG_IRQ_NCE;
	bp->boot_type = ABI_BOOT_TYPE_COLD;
	bp->dvfs_mode = ABI_BOOT_DVFS_DEFAULT;
	bp->d0i3_delayed_entry = 1;
	bp->system_time_us = drv_clock(dev) / BASE_NS_PER_US;
	bp->vpu_scheduling_mode = dev->hws ? ABI_BOOT_SCHED_HW : ABI_BOOT_SCHED_OS;
	bp->vpu_focus_present_timer_ms = dev->hws ? ABI_BOOT_FOCUS_PRESENT_MS : 0;
	dev->info->ops->boot_params(dev, bp);
}

int drv_boot_fill_params(struct drv_dev *dev)
{
	struct abi_boot_params *bp = drv_bo_cpu(dev->fw.params);

	if (dev->pm.warm)
		params_warm(dev, bp);
	else
		params_cold(dev, bp);
	dev->ops->wmb(dev->os); /* the page before the write that starts the CPU */
	return 0;
}

u64 drv_boot_entry(const struct drv_dev *dev)
{
	bool saved = dev->pm.warm && !dev->info->warm_at_cold_entry;

	return saved ? dev->pm.resume_addr : dev->fw.hdr.entry_point;
}

/* Interrupts are off: the FIFO is polled (P 3.6 #8). */
int drv_boot_wait_ready(struct drv_dev *dev)
{
	int ret = drv_ipc_drain(dev);

	if (ret < 0)
		return ret;
	return ret == DRV_IPC_READY ? 0 : -EAGAIN;
}

int drv_boot_read_counter(struct drv_dev *dev)
{
	dev->perf_at_stop = drv_rd64(dev, dev->regs.perf_counter);
	return dev->perf_at_stop == UINT64_MAX ? -ENODEV : 0;
}
