/* SPDX-License-Identifier: MIT */
/*
 * Boot parameters: one page at the image header's boot_params_load_address, read by the firmware
 * through SSID 0.  SRC: P 5, linux vpu_boot_api.h struct vpu_boot_params (pack 4).
 */
#ifndef ABI_BOOT_PARAMS_H
#define ABI_BOOT_PARAMS_H

#include "abi/wire.h"

#define ABI_BOOT_MAGIC 0x10000 /* SRC: P 5.1, App. B */

/* values of fields; SRC: P 5.1 */
enum {
	ABI_BOOT_TYPE_COLD = 0,
	ABI_BOOT_TYPE_WARM = 1,

	ABI_BOOT_SCHED_OS = 0,
	ABI_BOOT_SCHED_HW = 1,

	ABI_BOOT_CACHE_UPA = 0, /* index of cache_defaults[] */
	ABI_BOOT_CACHE_NN = 1,

	ABI_BOOT_TRACE_PIPEPRINT = 1, /* bits of trace_destination_mask */
	ABI_BOOT_TRACE_VERBOSE = 2,
	ABI_BOOT_TRACE_NORTH_PEAK = 4,

	ABI_BOOT_DVFS_DEFAULT = 0,
	ABI_BOOT_DVFS_MAX_PERFORMANCE = 1,
	ABI_BOOT_DVFS_ON_DEMAND = 2,
	ABI_BOOT_DVFS_POWER_SAVE = 3,
	ABI_BOOT_DVFS_ON_DEMAND_PRIO = 4,

	ABI_BOOT_ECC_NONE = 0,
	ABI_BOOT_ECC_CORR = 1,
	ABI_BOOT_ECC_FATAL = 2,
	ABI_BOOT_ECC_BOTH = 3,

	ABI_BOOT_POWER_SURVIVABILITY = 1, /* bits of power_profile */
	ABI_BOOT_POWER_NO_D0I2 = 2,

	ABI_BOOT_WATCHDOG_IRQ_MSS = 32,
	ABI_BOOT_WATCHDOG_IRQ_NCE = 33,
};

/* sizes the Linux driver uses; SRC: P 4.6, 5.1, 6.2 */
#define ABI_BOOT_IPC_AREA_SIZE	   0x2000 /* headers; payloads as much again */
#define ABI_BOOT_SHARED_SIZE	   0x10000000
#define ABI_BOOT_CRIT_LOG_SIZE	   0x80000
#define ABI_BOOT_VERBOSE_LOG_SIZE  0x100000
#define ABI_BOOT_VERBOSE_LOG_LARGE 0x800000 /* fw_log_level <= 2 */
#define ABI_BOOT_FOCUS_PRESENT_MS  1000	    /* HW scheduling */

/** struct abi_boot_cache - L2 cache default of one user */
struct abi_boot_cache {
	u8 use;
	u8 cfg;
};

ABI_SIZE(abi_boot_cache, 2);

/**
 * struct abi_boot_params - the page
 *
 * SRC: P 5.1.  Fields that 6.12 names and 7.2 reserves keep 6.12's name with "old_" before it.
 */
struct abi_boot_params {
	u32 magic;
	u32 vpu_id;
	u32 vpu_count;
	u32 reserved_00c[5];
	/* 0x020: clocks */
	u32 frequency;
	u32 pll[3][4];
	u32 perf_clk_frequency;
	u32 reserved_058[42];
	/* 0x100: memory regions */
	u64 ipc_header_area_start;
	u32 ipc_header_area_size;
	u64 shared_region_base;
	u32 shared_region_size;
	u64 ipc_payload_area_start;
	u32 ipc_payload_area_size;
	u64 global_aliased_pio_base;
	u32 global_aliased_pio_size;
	u32 autoconfig;
	struct abi_boot_cache cache_defaults[2];
	u64 old_global_memory_allocator_base;
	u32 old_global_memory_allocator_size;
	u64 shave_nn_fw_base;
	u64 save_restore_ret_address; /* written by the firmware; P 5.3 */
	u32 reserved_154[43];
	/* 0x200: interrupt lines */
	s32 watchdog_irq_mss;
	s32 watchdog_irq_nce;
	u32 host_to_vpu_irq;
	u32 job_done_irq;
	u32 old_irqs[8];
	u32 reserved_230[52];
	/* 0x300: silicon and run-time information */
	u32 host_version_id;
	u32 si_stepping;
	u64 device_id;
	u64 feature_exclusion;
	u64 sku;
	u32 min_freq_pll_ratio;
	u32 max_freq_pll_ratio;
	u32 default_trace_level;
	u32 boot_type;
	u64 punit_telemetry_sram_base;
	u64 punit_telemetry_sram_size;
	u32 vpu_telemetry_enable;
	u64 crit_tracing_buff_addr;
	u32 crit_tracing_buff_size;
	u64 verbose_tracing_buff_addr;
	u32 verbose_tracing_buff_size;
	u64 verbose_tracing_sw_component_mask;
	u32 trace_destination_mask;
	u64 trace_hw_component_mask;
	u64 tracing_buff_message_format_mask;
	u64 reserved_378[2];
	u32 old_temp_sensor_period_ms;
	u32 pn_freq_pll_ratio;
	u32 dvfs_mode;
	u64 dvfs_param;
	u32 d0i3_delayed_entry;
	u64 d0i3_residency_time_us;
	u64 d0i3_entry_vpu_ts;
	u64 system_time_us;
	u32 reserved_3b8[2];
	u64 device_time_delta_ticks; /* written by the firmware */
	u32 reserved_3c8[14];
	/* 0x400: warm boot (6.12's header; never written) */
	u32 old_warm_boot_sections_count;
	u32 old_warm_boot_start_address_reference;
	u32 old_warm_boot_section_info_address_offset;
	u32 reserved_40c[13];
	/* 0x440: power state timestamps, written by the firmware */
	u64 active_state_requested;
	u64 active_state_achieved;
	u64 idle_state_requested;
	u64 idle_state_achieved;
	u64 standby_state_requested;
	u64 standby_state_achieved;
	/* 0x470: scheduling and power policy */
	u32 vpu_scheduling_mode;
	u32 vpu_focus_present_timer_ms;
	u32 vpu_uses_ecc_mca_signal;
	u32 power_profile;
	u32 dct_active_us;
	u32 dct_inactive_us;
	u32 reserved_488[734];
} ABI_PACK4;

ABI_SIZE(abi_boot_params, 4096); /* SRC: P 5, App. C */
ABI_OFF(abi_boot_params, magic, 0x000);
ABI_OFF(abi_boot_params, vpu_id, 0x004);
ABI_OFF(abi_boot_params, vpu_count, 0x008);
ABI_OFF(abi_boot_params, frequency, 0x020);
ABI_OFF(abi_boot_params, perf_clk_frequency, 0x054);
ABI_OFF(abi_boot_params, ipc_header_area_start, 0x100);
ABI_OFF(abi_boot_params, ipc_header_area_size, 0x108);
ABI_OFF(abi_boot_params, shared_region_base, 0x10c);
ABI_OFF(abi_boot_params, shared_region_size, 0x114);
ABI_OFF(abi_boot_params, ipc_payload_area_start, 0x118);
ABI_OFF(abi_boot_params, ipc_payload_area_size, 0x120);
ABI_OFF(abi_boot_params, global_aliased_pio_base, 0x124);
ABI_OFF(abi_boot_params, global_aliased_pio_size, 0x12c);
ABI_OFF(abi_boot_params, autoconfig, 0x130);
ABI_OFF(abi_boot_params, cache_defaults, 0x134);
ABI_OFF(abi_boot_params, old_global_memory_allocator_base, 0x138);
ABI_OFF(abi_boot_params, old_global_memory_allocator_size, 0x140);
ABI_OFF(abi_boot_params, shave_nn_fw_base, 0x144);
ABI_OFF(abi_boot_params, save_restore_ret_address, 0x14c);
ABI_OFF(abi_boot_params, watchdog_irq_mss, 0x200);
ABI_OFF(abi_boot_params, watchdog_irq_nce, 0x204);
ABI_OFF(abi_boot_params, host_to_vpu_irq, 0x208);
ABI_OFF(abi_boot_params, job_done_irq, 0x20c);
ABI_OFF(abi_boot_params, old_irqs, 0x210);
ABI_OFF(abi_boot_params, host_version_id, 0x300);
ABI_OFF(abi_boot_params, si_stepping, 0x304);
ABI_OFF(abi_boot_params, device_id, 0x308);
ABI_OFF(abi_boot_params, feature_exclusion, 0x310);
ABI_OFF(abi_boot_params, sku, 0x318);
ABI_OFF(abi_boot_params, min_freq_pll_ratio, 0x320);
ABI_OFF(abi_boot_params, max_freq_pll_ratio, 0x324);
ABI_OFF(abi_boot_params, default_trace_level, 0x328);
ABI_OFF(abi_boot_params, boot_type, 0x32c);
ABI_OFF(abi_boot_params, punit_telemetry_sram_base, 0x330);
ABI_OFF(abi_boot_params, punit_telemetry_sram_size, 0x338);
ABI_OFF(abi_boot_params, vpu_telemetry_enable, 0x340);
ABI_OFF(abi_boot_params, crit_tracing_buff_addr, 0x344);
ABI_OFF(abi_boot_params, crit_tracing_buff_size, 0x34c);
ABI_OFF(abi_boot_params, verbose_tracing_buff_addr, 0x350);
ABI_OFF(abi_boot_params, verbose_tracing_buff_size, 0x358);
ABI_OFF(abi_boot_params, verbose_tracing_sw_component_mask, 0x35c);
ABI_OFF(abi_boot_params, trace_destination_mask, 0x364);
ABI_OFF(abi_boot_params, trace_hw_component_mask, 0x368);
ABI_OFF(abi_boot_params, tracing_buff_message_format_mask, 0x370);
ABI_OFF(abi_boot_params, old_temp_sensor_period_ms, 0x388);
ABI_OFF(abi_boot_params, pn_freq_pll_ratio, 0x38c);
ABI_OFF(abi_boot_params, dvfs_mode, 0x390);
ABI_OFF(abi_boot_params, dvfs_param, 0x394);
ABI_OFF(abi_boot_params, d0i3_delayed_entry, 0x39c);
ABI_OFF(abi_boot_params, d0i3_residency_time_us, 0x3a0);
ABI_OFF(abi_boot_params, d0i3_entry_vpu_ts, 0x3a8);
ABI_OFF(abi_boot_params, system_time_us, 0x3b0);
ABI_OFF(abi_boot_params, device_time_delta_ticks, 0x3c0);
ABI_OFF(abi_boot_params, old_warm_boot_sections_count, 0x400);
ABI_OFF(abi_boot_params, old_warm_boot_start_address_reference, 0x404);
ABI_OFF(abi_boot_params, old_warm_boot_section_info_address_offset, 0x408);
ABI_OFF(abi_boot_params, active_state_requested, 0x440);
ABI_OFF(abi_boot_params, standby_state_achieved, 0x468);
ABI_OFF(abi_boot_params, vpu_scheduling_mode, 0x470);
ABI_OFF(abi_boot_params, vpu_focus_present_timer_ms, 0x474);
ABI_OFF(abi_boot_params, vpu_uses_ecc_mca_signal, 0x478);
ABI_OFF(abi_boot_params, power_profile, 0x47c);
ABI_OFF(abi_boot_params, dct_active_us, 0x480);
ABI_OFF(abi_boot_params, dct_inactive_us, 0x484);
ABI_OFF(abi_boot_params, reserved_488, 0x488);

#endif
