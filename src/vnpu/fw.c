// SPDX-License-Identifier: MIT
/*
 * The firmware's side of boot: from the entry address to the ready message.
 * SRC: P 3.6, 5, 6.5, 13.2 steps 12 to 14.
 *
 * The guest copied the image without its header, so all the firmware knows comes from the boot
 * parameters, at the start of the generation's runtime range.  The image itself is not looked at:
 * the model plays the firmware, whatever its version.
 *
 *   OFF -> start -> BOOTING -> ready message -> RUNNING -> PWR_D0I3_ENTER -> SAVED (fw_save.c)
 *   any -> IP reset, workpoint off -> OFF        a refused boot, a fault -> DEAD
 */
#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

void vnpu_fw_reset(struct vnpu *v)
{
	struct vnpu_fw *fw = &v->fw;

	fw->state = VNPU_FW_OFF;
	fw->tx_head = fw->tx_tail = 0;
	fw->rx_head = fw->rx_tail = 0;
	fw->out_head = fw->out_tail = 0;
	fw->first_held = 0;
	fw->heartbeat = 0;
	fw->nr_orphans = 0;
	fw->held = 0;
	fw->time_delta = 0;
	memset(&fw->set, 0, sizeof(fw->set));
	vnpu_jobs_reset(v);
	vnpu_timer_clear(v, VNPU_T_BOOT);
	vnpu_timer_clear(v, VNPU_T_RX);
	vnpu_timer_clear(v, VNPU_T_IPC);
	vnpu_timer_clear(v, VNPU_T_METRIC);
	vnpu_irq_update(v);
}

/* Fault on demand: what it was about to do is not done either. */
void vnpu_fw_die(struct vnpu *v)
{
	v->fw.state = VNPU_FW_DEAD;
	vnpu_timer_clear(v, VNPU_T_JOBS);
	vnpu_timer_clear(v, VNPU_T_FENCE);
}

bool vnpu_fw_is_idle(const struct vnpu *v)
{
	const struct vnpu_jobs *j = &v->jobs;

	if (v->fw.tx_head != v->fw.tx_tail || v->compute.busy)
		return false;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(j->pending); i++)
		if (j->pending[i])
			return false;
	return !j->nr_fences && !j->nr_stuck;
}

void vnpu_fw_start(struct vnpu *v, u64 entry)
{
	if (v->fw.state != VNPU_FW_OFF) {
		vnpu_report(v, VNPU_GUEST_ERROR, "CPU", "started while it runs");
		return;
	}
	if (!vnpu_mmu_check_boot(v))
		return;
	v->fw.entry = entry;
	v->fw.state = VNPU_FW_BOOTING;
	vnpu_timer_in(v, VNPU_T_BOOT, 200000, 2000000);
}

/*
 * Boot parameters
 */

static bool bad_param(struct vnpu *v, const char *field, u64 val, const char *want)
{
	vnpu_report(v, VNPU_GUEST_ERROR, "boot parameters", "%s is 0x%llx: expected %s (P 5.1)",
		    field, (unsigned long long)val, want);
	return false;
}

/* Mapped from end to end?  A fault on the way is an event, as on the real part. */
static bool is_mapped(struct vnpu *v, u64 addr, u64 size, bool write)
{
	for (u64 off = 0; off < size; off += BASE_PAGE_SIZE)
		if (!vnpu_mem_at(v, 0, addr + off, write))
			return false;
	return !size || vnpu_mem_at(v, 0, addr + size - 1, write);
}

static bool take_ipc_area(struct vnpu *v, const char *field, u64 start, u64 size, u32 slot,
			  struct vnpu_fw_rx *area)
{
	u64 end;

	if (size < slot || size > UINT32_MAX || !base_add_u64(start, size, &end) ||
	    end > UINT32_MAX)
		return bad_param(v, field, start, "an area below 4 GiB");
	if (start % slot) /* no slot goes over the end of a page */
		return bad_param(v, field, start, "a multiple of its slots' size");
	if (!is_mapped(v, start, base_min(size, (u64)ABI_IPC_BUF_SIZE), true))
		return bad_param(v, field, start, "mapped memory");
	size = base_min(size, (u64)ABI_IPC_BUF_SIZE) / slot * slot;
	*area = (struct vnpu_fw_rx){
		.base = (u32)start,
		.end = (u32)(start + size),
		.next = (u32)start,
	};
	return true;
}

static bool check_log(struct vnpu *v, const char *field, u64 addr, u32 size)
{
	if (!addr && !size)
		return true;
	if (is_mapped(v, addr, base_min((u64)size, (u64)ABI_BOOT_VERBOSE_LOG_LARGE), true))
		return true;
	return bad_param(v, field, addr, "mapped memory");
}

/* P 9.1, 9.2: where the global range lies is the driver's choice, 6.12 and 7.2 differ. */
static void check_shared(struct vnpu *v, const struct abi_boot_params *p)
{
	const u64 end = p->shared_region_base + p->shared_region_size;
	const struct reg_range shared = { p->shared_region_base, end };

	if (p->shared_region_size != ABI_BOOT_SHARED_SIZE || p->shared_region_base % 0x20000 ||
	    p->shared_region_base < v->info->va.runtime.start || end > 0xc0000000)
		bad_param(v, "shared_region_base", p->shared_region_base,
			  "256 MiB behind the firmware, below 0xc0000000");
	else if (!reg_range_has(&shared, p->ipc_header_area_start, p->ipc_header_area_size) ||
		 !reg_range_has(&shared, p->ipc_payload_area_start, p->ipc_payload_area_size))
		bad_param(v, "ipc_header_area_start", p->ipc_header_area_start,
			  "inside the shared region");
}

static void check_clocks(struct vnpu *v, const struct abi_boot_params *p)
{
	const u32 fast = 400000000; /* the profiling clock: P 2.3 */

	if (p->perf_clk_frequency != v->info->perf_clk_hz &&
	    (!v->info->perf_clk_hz || p->perf_clk_frequency != fast))
		bad_param(v, "perf_clk_frequency", p->perf_clk_frequency, "the generation's");
	if (p->min_freq_pll_ratio > p->pn_freq_pll_ratio ||
	    p->pn_freq_pll_ratio > p->max_freq_pll_ratio)
		bad_param(v, "pn_freq_pll_ratio", p->pn_freq_pll_ratio, "min <= Pn <= max");
}

/* The telemetry registers of the buttress read 0; SRC: P 2.1, 2.2 */
static void check_telemetry(struct vnpu *v, const struct abi_boot_params *p)
{
	if (p->punit_telemetry_sram_base || p->punit_telemetry_sram_size || p->vpu_telemetry_enable)
		bad_param(v, "punit_telemetry_sram_base", p->punit_telemetry_sram_base,
			  "what the telemetry registers say");
}

static void check_soft(struct vnpu *v, const struct abi_boot_params *p)
{
	check_shared(v, p);
	check_clocks(v, p);
	check_telemetry(v, p);
	if (p->watchdog_irq_mss != ABI_BOOT_WATCHDOG_IRQ_MSS)
		bad_param(v, "watchdog_irq_mss", (u32)p->watchdog_irq_mss, "32");
	if (p->watchdog_irq_nce != ABI_BOOT_WATCHDOG_IRQ_NCE)
		bad_param(v, "watchdog_irq_nce", (u32)p->watchdog_irq_nce, "33");
	if (p->autoconfig != 1)
		bad_param(v, "autoconfig", p->autoconfig, "1");
	if (p->si_stepping != v->revision)
		bad_param(v, "si_stepping", p->si_stepping, "the PCI revision");
	if (p->device_id != v->device_id)
		bad_param(v, "device_id", p->device_id, "the PCI device id");
	if (p->sku != v->info->sku)
		bad_param(v, "sku", p->sku, "the generation's");
	if (p->feature_exclusion != v->info->tile_fuse)
		bad_param(v, "feature_exclusion", p->feature_exclusion, "the tile fuse");
}

static bool take_params(struct vnpu *v, const struct abi_boot_params *p)
{
	if (p->boot_type != ABI_BOOT_TYPE_COLD)
		return bad_param(v, "boot_type", p->boot_type, "cold: the firmware saved no state");
	if (p->vpu_scheduling_mode > ABI_BOOT_SCHED_HW)
		return bad_param(v, "vpu_scheduling_mode", p->vpu_scheduling_mode, "0 or 1");
	if (!take_ipc_area(v, "ipc_header_area_start", p->ipc_header_area_start,
			   p->ipc_header_area_size, ABI_IPC_HDR_SIZE, &v->fw.hdrs) ||
	    !take_ipc_area(v, "ipc_payload_area_start", p->ipc_payload_area_start,
			   p->ipc_payload_area_size, ABI_JSM_MSG_SIZE, &v->fw.msgs))
		return false;
	if (!check_log(v, "crit_tracing_buff_addr", p->crit_tracing_buff_addr,
		       p->crit_tracing_buff_size) ||
	    !check_log(v, "verbose_tracing_buff_addr", p->verbose_tracing_buff_addr,
		       p->verbose_tracing_buff_size))
		return false;
	check_soft(v, p);
	v->fw.sched_mode = p->vpu_scheduling_mode;
	return true;
}

static void open_logs(struct vnpu *v, const struct abi_boot_params *p)
{
	struct vnpu_fw_set *set = &v->fw.set;

	set->trace.trace_level = base_min(p->default_trace_level, (u32)VNPU_LOG_FATAL);
	set->trace.trace_destination_mask = p->trace_destination_mask;
	set->trace.trace_hw_component_mask = p->trace_hw_component_mask;
	vnpu_log_open(v, &set->logs.critical, "NPU-CRIT", p->crit_tracing_buff_addr,
		      p->crit_tracing_buff_size);
	vnpu_log_open(v, &set->logs.verbose, "NPU", p->verbose_tracing_buff_addr,
		      p->verbose_tracing_buff_size);
	vnpu_fw_log(v, VNPU_LOG_INFO, "virtual NPU %s, device 0x%04x, entry 0x%llx, %s scheduling",
		    v->info->ip_name, v->device_id, (unsigned long long)v->fw.entry,
		    v->fw.sched_mode == ABI_BOOT_SCHED_HW ? "hardware" : "OS");
}

static bool cold_boot(struct vnpu *v, const struct abi_boot_params *p)
{
	v->saved.valid = false;
	v->fw.cold_entry = v->fw.entry;
	if (!take_params(v, p))
		return false;
	v->fw.heartbeat = 1;
	open_logs(v, p);
	return true;
}

/* P 5.3 step 4: what the driver writes before it. */
static bool warm_boot(struct vnpu *v, const struct abi_boot_params *p)
{
	if (p->save_restore_ret_address)
		bad_param(v, "save_restore_ret_address", p->save_restore_ret_address,
			  "0 before a warm boot");
	if (p->d0i3_entry_vpu_ts < v->saved.counter)
		bad_param(v, "d0i3_entry_vpu_ts", p->d0i3_entry_vpu_ts,
			  "the performance counter at suspend");
	vnpu_fw_restore(v, p);
	return true;
}

static bool check_entry(struct vnpu *v)
{
	const struct reg_range *runtime = &v->info->va.runtime;

	if (v->fw.entry % v->info->entry_align ||
	    !reg_range_has(runtime, v->fw.entry, ABI_PAGE_SIZE)) {
		vnpu_report(
			v, VNPU_GUEST_ERROR, "CPU",
			"entry 0x%llx: expected a page of the runtime range 0x%llx..0x%llx (P 3.6)",
			(unsigned long long)v->fw.entry, (unsigned long long)runtime->start,
			(unsigned long long)runtime->end);
		return false;
	}
	return vnpu_mem_at(v, 0, v->fw.entry, false) != NULL;
}

static bool boot(struct vnpu *v)
{
	struct abi_boot_params p;

	if (!check_entry(v) || vnpu_mem_read(v, 0, v->info->va.runtime.start, &p, sizeof(p)))
		return false;
	if (p.magic != ABI_BOOT_MAGIC)
		return bad_param(v, "magic", p.magic, "0x10000");
	return vnpu_fw_is_warm(v, &p) ? warm_boot(v, &p) : cold_boot(v, &p);
}

void vnpu_fw_boot(struct vnpu *v)
{
	if (v->fw.state != VNPU_FW_BOOTING)
		return;
	if (!boot(v) || vnpu_fault_hit(v, VNPU_F_FW_NEVER_READY)) {
		v->fw.state = VNPU_FW_DEAD;
		return;
	}
	v->fw.state = VNPU_FW_RUNNING;
	vnpu_ipc_ready(v);
	if (vnpu_fault_hit(v, VNPU_F_DEAD_AFTER_BOOT))
		vnpu_fw_die(v);
}
