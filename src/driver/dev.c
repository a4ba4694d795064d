// SPDX-License-Identifier: MIT
/*
 * The device: creation, and its event loop.  Its life is in power.c, pm.c and recovery.c.
 */
#include "driver/driver.h"

#include <errno.h>
#include <string.h>

#include "driver/mmio.h"

void drv_timer_set(struct drv_dev *dev, enum drv_timer timer, u64 time_ns)
{
	dev->timers[timer] = time_ns;
	dev->rare_ns = DRV_NO_TIME;
	for (u32 i = 0; i < DRV_NR_TIMERS; i++)
		dev->rare_ns = base_min(dev->rare_ns, dev->timers[i]);
}

/*
 * Creation
 */

int drv_vpu_init(struct drv_dev *dev, struct base_err *err)
{
	int ret;

	drv_sched_choose(dev);
	ret = drv_mmu_init(dev);
	if (ret)
		goto err_out;
	ret = drv_ctx_new(dev, 0, &dev->sys);
	if (ret)
		goto err_mmu_fini;
	ret = drv_ctx_new(dev, 1, &dev->reserved); /* any access with SSID 1 faults; P 8.6 */
	if (ret)
		goto err_free_sys;
	ret = drv_boot_init(dev, err);
	if (ret)
		goto err_boot_fini;
	return 0;

err_boot_fini:
	drv_boot_fini(dev);
	drv_ctx_free(dev->reserved);
err_free_sys:
	drv_ctx_free(dev->sys);
err_mmu_fini:
	drv_mmu_fini(dev);
err_out:
	if (err && !err->code)
		base_err_set(err, ret, "%s: memory for the page tables: %s", dev->os->location,
			     base_err_name(ret));
	return ret;
}

void drv_vpu_fini(struct drv_dev *dev)
{
	drv_boot_fini(dev);
	drv_ctx_free(dev->reserved);
	drv_ctx_free(dev->sys);
	drv_mmu_fini(dev);
}

static void init_fields(struct drv_dev *dev, struct os_device *os, const struct drv_config *cfg)
{
	dev->os = os;
	dev->ops = os->ops;
	dev->cfg = *cfg;
	dev->log.level = (enum base_log_level)cfg->log_level;
	dev->log.prefix = os->location;
	dev->tdr_ns = dev->rare_ns = DRV_NO_TIME;
	for (u32 i = 0; i < DRV_NR_TIMERS; i++)
		dev->timers[i] = DRV_NO_TIME;
	drv_list_init(&dev->ctx_list);
	drv_list_init(&dev->metrics);
	drv_list_init(&dev->mmu.zombies);
	drv_jsm_init(dev);
	drv_clock(dev);
}

static u64 idle_ns(const struct drv_dev *dev)
{
	u32 idle_ms = dev->cfg.idle_ms ? dev->cfg.idle_ms : dev->gen->timeouts.autosuspend_ms;

	return idle_ms == DRV_NEVER ? DRV_NO_TIME : idle_ms * BASE_NS_PER_MS;
}

static void init_gen(struct drv_dev *dev)
{
	dev->regs = *dev->info->regs;
	dev->btrs_irq_mask = dev->gen->btrs_irq_mask;
	dev->icb_irq_mask = (u32)dev->gen->icb_irq_mask;
	dev->tdr_period_ns = dev->gen->timeouts.tdr_ms * BASE_NS_PER_MS;
	dev->pm.idle_ns = idle_ns(dev);
	memcpy(dev->seqs, dev->info->seqs, sizeof(dev->seqs));
	base_ids_init(&dev->ssids, dev->gen->ssid_first, dev->gen->ssid_last);
	base_ids_init(&dev->dbs, dev->gen->db_first, dev->gen->db_last);
}

static int probe_gen(struct drv_dev *dev, struct base_err *err)
{
	int ret = dev->info->ops->probe(dev);

	if (ret)
		return base_err_set(err, ret, "%s: reading the fuses of %s failed: %s",
				    dev->os->location, dev->gen->name, base_err_name(ret));
	return 0;
}

int drv_create(struct os_device *os, const struct drv_config *cfg, struct drv_dev **out,
	       struct base_err *err)
{
	struct drv_dev *dev = base_zalloc(sizeof(*dev));
	int ret;

	if (err)
		*err = (struct base_err){ 0 };
	if (!dev)
		return base_err_set(err, -ENOMEM, "%s: no memory for the device", os->location);
	init_fields(dev, os, cfg);
	ret = drv_pci_probe(dev, err);
	if (ret)
		goto err_free;
	init_gen(dev);
	ret = probe_gen(dev, err);
	if (ret)
		goto err_release_pci;
	ret = drv_fw_find(dev, "", err);
	if (ret)
		goto err_release_pci;
	ret = dev->info->ops->init(dev, err);
	if (ret)
		goto err_fw_fini;
	*out = dev;
	return 0;

err_fw_fini:
	drv_fw_fini(dev);
err_release_pci:
	drv_pci_release(dev);
err_free:
	base_free(dev);
	return ret;
}

void drv_destroy(struct drv_dev *dev)
{
	if (!dev)
		return;
	if (dev->powered && drv_shutdown(dev, NULL))
		drv_dbg(dev, PM, "shutdown: %s", dev->warn.text);
	drv_ctx_progress(dev); /* what was destroyed and waited for the firmware */
	drv_metric_fini(dev);
	drv_counters_fini(dev);
	dev->info->ops->fini(dev);
	drv_fw_fini(dev);
	drv_pci_release(dev);
	base_free(dev);
}

/*
 * The loop
 */

static void timers(struct drv_dev *dev)
{
	drv_jsm_timer(dev);
	drv_mmu_timer(dev);
	dev->info->ops->watchdog(dev);
	drv_ctx_timer(dev);
	drv_metric_timer(dev);
	drv_pm_timer(dev);
}

static u64 next_time(const struct drv_dev *dev)
{
	return base_min(dev->rare_ns, dev->tdr_ns);
}

/* Timers of what stands still are not looked at, whatever they say. */
static u64 rare_time(const struct drv_dev *dev)
{
	if (drv_is_up(dev))
		return next_time(dev);
	if (dev->phase == DRV_PHASE_NONE)
		return DRV_NO_TIME;
	if (drv_listens(dev))
		return base_min(dev->timers[DRV_TIMER_SEQ], dev->timers[DRV_TIMER_JSM]);
	return dev->timers[DRV_TIMER_SEQ];
}

/* Timers that are due and what waits for its turn.  Rare, so kept out of the way of the rest. */
static __attribute__((noinline)) void process_rare(struct drv_dev *dev)
{
	if (dev->phase != DRV_PHASE_NONE && dev->now_ns >= dev->timers[DRV_TIMER_SEQ])
		drv_phase_run(dev);
	else if (dev->state == DRV_READY)
		timers(dev);
	else if (drv_listens(dev))
		drv_jsm_timer(dev);
	if (dev->work)
		drv_ctx_progress(dev);
}

u64 drv_process(struct drv_dev *dev)
{
	u64 next_ns;

	drv_clock(dev);
	/* taken in every state: one left standing would make each drv_wait() return at once */
	if (dev->ops->irq_ack(dev->os) && BASE_LIKELY(drv_listens(dev)))
		drv_irq_handle(dev);
	next_ns = next_time(dev);
	if (BASE_LIKELY(dev->now_ns < next_ns && !dev->work))
		return next_ns;
	process_rare(dev);
	return rare_time(dev);
}

int drv_wait(struct drv_dev *dev, u64 until_ns)
{
	return dev->ops->wait(dev->os, until_ns);
}

void drv_wake(struct drv_dev *dev)
{
	dev->ops->wake(dev->os);
}

int drv_event_source(struct drv_dev *dev)
{
	return dev->ops->event_source(dev->os);
}

void drv_listen(struct drv_dev *dev, bool on)
{
	if (dev->ops->listen)
		dev->ops->listen(dev->os, on);
}

void drv_event(struct drv_dev *dev)
{
	if (dev->ops->event)
		dev->ops->event(dev->os);
}

u64 drv_now_ns(struct drv_dev *dev)
{
	return dev->ops->now_ns(dev->os);
}

/* Until the sequences under way are through. */
static void run_loop(struct drv_dev *dev)
{
	while (dev->phase != DRV_PHASE_NONE) {
		u64 next_ns = drv_process(dev);
		int ret = dev->phase == DRV_PHASE_NONE ? 0 : dev->ops->wait(dev->os, next_ns);

		if (ret && ret != -ETIMEDOUT && ret != -EINTR)
			drv_lost(dev, ret);
	}
	if (dev->work)
		drv_ctx_progress(dev);
}

int drv_boot(struct drv_dev *dev, struct base_err *err)
{
	int ret = drv_start(dev);

	if (!ret)
		run_loop(dev);
	if (ret && !dev->err.code)
		return base_err_set(err, ret, "%s: cannot boot in this state", dev->os->location);
	if (ret || dev->state != DRV_READY) {
		base_err_set(err, dev->err.code, "%s: boot failed: %s", dev->os->location,
			     dev->err.text);
		return dev->err.code;
	}
	return 0;
}

int drv_shutdown(struct drv_dev *dev, struct base_err *err)
{
	int ret = drv_stop(dev);

	if (ret)
		return ret;
	run_loop(dev);
	if (dev->warn.code)
		base_err_set(err, dev->warn.code, "%s: shutdown: %s", dev->os->location,
			     dev->warn.text);
	return dev->warn.code;
}

/*
 * Questions
 */

u32 drv_freq_mhz(struct drv_dev *dev)
{
	u32 reg = dev->regs.pll_ratio;
	u32 val;

	if (!reg || !dev->powered)
		return 0;
	/* not traced: who watches must not push out what he watches for */
	val = drv_io_rd32(dev, DRV_IO(reg));
	return val == DRV_ALL_ONES ? 0 : reg_gen_freq_mhz(dev->gen, val & 0xffff);
}

void drv_set_log_level(struct drv_dev *dev, u32 level)
{
	dev->log.level = (enum base_log_level)base_min(level, (u32)BASE_LOG_DBG);
}

enum drv_state drv_get_state(const struct drv_dev *dev)
{
	return dev->state;
}

bool drv_takes_jobs(const struct drv_dev *dev)
{
	return dev->state == DRV_READY || dev->state >= DRV_SUSPENDING;
}

const struct base_err *drv_last_error(const struct drv_dev *dev)
{
	return &dev->err;
}

void drv_get_info(const struct drv_dev *dev, struct drv_info *out)
{
	const struct reg_gen *gen = dev->gen;

	*out = (struct drv_info){
		.gen = gen->name,
		.product = dev->product,
		.location = dev->os->location,
		.vendor_id = dev->vendor_id,
		.device_id = dev->device_id,
		.revision = dev->revision,
		.is_virtual = dev->os->is_virtual,
		.fw_path = dev->fw.path,
		.fw_version = dev->fw.version,
		.va_start = gen->va.user.start,
		.va_end = base_max(gen->va.shave.end, gen->va.dma.end),
		.freq_max_mhz = reg_gen_freq_mhz(gen, dev->freq.max),
		.nr_contexts_max = (u32)gen->ssid_last - gen->ssid_first + 1,
		.nr_queues_max = gen->flat ? 0 : (u32)gen->db_last - gen->db_first + 1,
		.jobs_done = dev->jobs_done,
		.jobs_failed = dev->jobs_failed,
		.irqs = dev->irqs,
		.mmu_faults = dev->mmu_faults,
		.boot_ns = dev->boot_ns,
		.busy_ns = dev->busy_ns + (dev->nr_jobs ? dev->now_ns : 0),
		.suspends = dev->pm.suspends,
		.warm_boots = dev->pm.warm_boots,
		.cold_boots = dev->pm.cold_boots,
		.recoveries = dev->recovery.total,
		.engine_resets = dev->engine.resets,
		.flat = gen->flat,
		.hw_sched = dev->hws,
	};
	memcpy(out->fw_api, dev->fw.hdr.api_version, sizeof(out->fw_api));
}
