// SPDX-License-Identifier: MIT
/*
 * The generations.  Constant data, no state.  P = the protocol reference.
 */
#include "regs/gen.h"

#include <string.h>

#define MIB ((u64)1 << 20)

const struct reg_gen reg_gen_npu37 = {
	.name = "npu37",
	.ip_name = "37xx",
	.ip_gen = 37,
	.btrs_kind = REG_BTRS_MTL,
	/* SRC: P 1.1, linux 7.2 ivpu_drv.h PCI_DEVICE_ID_MTL, _ARL */
	.ids = {
		{ 0x7d1d, "Meteor Lake", "mtl" },
		{ 0xad1d, "Arrow Lake", "arl" },
	},
	/* SRC: P 1.1, ivpu_hw.c dma_bits */
	.dma_bits = 38,
	/* SRC: P 1.2, lspci of real machines */
	.bar_size = { [0] = 128 * MIB, [4] = 4096 },
	.blocks = { &reg_block_btrs_mtl, &reg_block_ip_37xx, &reg_block_mmu },
	/* SRC: P 9.1, column 37xx */
	.va = {
		.runtime = { 0x84800000, 0x88800000 },
		.global = { 0x90000000, 0xa0000000 },
		.user = { 0xa0000000, 0xbff00000 },
		.shave = { 0x180000000, 0x200000000 },
		.dma = { 0x200000000, 0x2200000000 },
	},
	/* SRC: P 4.1 */
	.fw_names = { "intel/vpu/vpu_37xx_v1.bin", "intel/vpu/vpu_37xx_v0.0.bin" },
	.fw_mark = "*MTL_CLIENT", /* SRC: P 4.7, as the others */
	/* SRC: P 2.3; the same values as the fuse rows of btrs_mtl.def, a test compares */
	.fmin_ratio = 0x0e,
	.pn_ratio = 0x1c,
	.fmax_ratio = 0x2a,
	.tile_fuse = 0,
	.tile_mask = 0x3,
	.sku = 0x3630,
	.wp_config_on = 0x0202,
	.wp_epp = 0x80,
	.wp_cdyn_on = 0,
	.freq_num = 100,
	.freq_den = 3,
	/* SRC: P 3.2, 10.9 */
	.perf_hz = 38400000,
	.timer_hz = 38400000,
	.perf_clk_hz = 0,
	.ts_type = 0,
	/* SRC: P 3.6 */
	.entry_shift = -9,
	.entry_align = 4096,
	/* SRC: P 10.1 */
	.db_first = 1,
	.db_last = 255,
	.ssid_first = 2,
	.ssid_last = 130,
	/* SRC: P 2.6, App. B */
	.btrs_irq_mask = REG_MASK(REG_BTRS_MTL_INTERRUPT_STAT__ATS_ERR) |
			 REG_MASK(REG_BTRS_MTL_INTERRUPT_STAT__UFI_ERR),
	/* SRC: P 3.7, App. B: 0x7_C000_01F0 */
	.icb_irq_mask = REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__HOST_IPC_FIFO_INT) |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__MMU_IRQ_0_INT) |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__MMU_IRQ_1_INT) |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__MMU_IRQ_2_INT) |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__NOC_FIREWALL_INT) |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__CPU_INT_REDIRECT_0_INT) |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__CPU_INT_REDIRECT_1_INT) |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_1__CPU_INT_REDIRECT_2_INT) << 32 |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_1__CPU_INT_REDIRECT_3_INT) << 32 |
			REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_1__CPU_INT_REDIRECT_4_INT) << 32,
	/* SRC: P 3.1: all seven */
	.soc_irq_mask = 0x7f,
	/* SRC: P 3.4 steps 8, 19, 21 */
	.clk_rst_mask = REG_MASK(REG_IP_37XX_HOST_SS_CPR_CLK_SET__TOP_NOC) |
			REG_MASK(REG_IP_37XX_HOST_SS_CPR_CLK_SET__DSS_MAS) |
			REG_MASK(REG_IP_37XX_HOST_SS_CPR_CLK_SET__MSS_MAS),
	/* SRC: P 3.6 step 2 */
	.ssidv_mask = REG_MASK(REG_IP_37XX_HOST_IF_TBU_MMUSSIDV__TBU0_AWMMUSSIDV) |
		      REG_MASK(REG_IP_37XX_HOST_IF_TBU_MMUSSIDV__TBU0_ARMMUSSIDV) |
		      REG_MASK(REG_IP_37XX_HOST_IF_TBU_MMUSSIDV__TBU2_AWMMUSSIDV) |
		      REG_MASK(REG_IP_37XX_HOST_IF_TBU_MMUSSIDV__TBU2_ARMMUSSIDV),
	/* SRC: P 10.8 */
	.align_ts = 64,
	.align_fence = 64,
	.align_fill = 64,
	.fill_max = 0,
	.fence_cmp = REG_FENCE_GE,
	.copy = {
		.size_bytes = 64,
		.len_off = 0x20,
		.src_off = 0x10,
		.dst_off = 0x18,
		.tail_bytes = 16,
		.addr_bits = 38,
		.len_max = 16 * MIB,
		.count_max = 4096,
	},
	/* SRC: P 5.1 */
	.pio_alias = true,
	.cache_nn_cfg = 3,
	/* SRC: P 4.7 */
	.nnrt_api = 7 << 16,
	/* SRC: P 2.7 silicon, P 2.4, P 3.10 */
	.timeouts = {
		.boot_ms = 1000,
		.jsm_ms = 500,
		.tdr_ms = 2000,
		.inference_ms = 60000,
		.autosuspend_ms = 10,
		.d0i3_entry_msg_ms = 5,
		.state_dump_msg_ms = 100,
		.wp_us = 1500000,
		.d0i3_us = 150000,
		.ip_reset_us = 150000,
		.rst_clr_us = 100,
		.pwr_island_us = 5000,
		.mmu_reg_us = 10000,
		.mmu_cmdq_us = 100000,
		.idle_us = 5000,
	},
};

/*
 * What npu40, npu50 and npu60 have in common: the 40xx IP behind the LNL buttress.
 */
/* SRC: P 2.3; the fuse rows of btrs_lnl.def, a test compares.  All tiles work: P 2.3 TILE_FUSE */
#define FUSES_LNL .fmin_ratio = 0x10, .pn_ratio = 0x1e, .fmax_ratio = 0x4e, .tile_fuse = 0, .sku = 0

/* SRC: P 2.4, App. B PLL_CDYN_DEFAULT, PLL_EPP_DEFAULT; frequency P 2.3: ratio * 50 / 2 */
#define WORKPOINT_LNL \
	.wp_config_on = 0, .wp_epp = 0x80, .wp_cdyn_on = 0x80, .freq_num = 25, .freq_den = 1

/* SRC: P 2.3 PLL_PROFILING_FREQ_DEFAULT; P 10.9, App. E: counter and timer 19.2 MHz, system time */
#define CLOCKS_40XX .perf_hz = 19200000, .timer_hz = 19200000, .perf_clk_hz = 38400000, .ts_type = 1

/* SRC: P 3.6: entry << 3 in a 64-bit register; entries are where a RISC-V instruction can be */
#define ENTRY_40XX .entry_shift = 3, .entry_align = 2

/* SRC: P 10.1 */
#define IDS_40XX .db_first = 1, .db_last = 255, .ssid_first = 2, .ssid_last = 130

#define BTRS_LNL_STAT(fld) REG_MASK(REG_BTRS_LNL_INTERRUPT_STAT__##fld)
#define IP_40XX_ICB0(fld)  REG_MASK64(REG_IP_40XX_HOST_SS_ICB_STATUS_0__##fld##_INT)
#define IP_40XX_ICB1(fld)  (REG_MASK64(REG_IP_40XX_HOST_SS_ICB_STATUS_1__##fld##_INT) << 32)
#define IP_40XX_CLK(fld)   REG_MASK(REG_IP_40XX_HOST_SS_CPR_CLK_EN__##fld)
#define IP_40XX_SSIDV(fld) REG_MASK(REG_IP_40XX_HOST_IF_TBU_MMUSSIDV__##fld##MMUSSIDV)

/* SRC: P 2.6, App. B 0x7e; P 3.7 0x7_C000_01F0; P 3.1; P 3.4 steps 19, 21; P 3.6 step 2: 0x3f */
#define MASKS_40XX                                                                               \
	.btrs_irq_mask = BTRS_LNL_STAT(ATS_ERR) | BTRS_LNL_STAT(CFI0_ERR) |                      \
			 BTRS_LNL_STAT(CFI1_ERR) | BTRS_LNL_STAT(IMR0_ERR) |                     \
			 BTRS_LNL_STAT(IMR1_ERR) | BTRS_LNL_STAT(SURV_ERR),                      \
	.icb_irq_mask = IP_40XX_ICB0(HOST_IPC_FIFO) | IP_40XX_ICB0(MMU_IRQ_0) |                  \
			IP_40XX_ICB0(MMU_IRQ_1) | IP_40XX_ICB0(MMU_IRQ_2) |                      \
			IP_40XX_ICB0(NOC_FIREWALL) | IP_40XX_ICB0(CPU_INT_REDIRECT_0) |          \
			IP_40XX_ICB0(CPU_INT_REDIRECT_1) | IP_40XX_ICB1(CPU_INT_REDIRECT_2) |    \
			IP_40XX_ICB1(CPU_INT_REDIRECT_3) | IP_40XX_ICB1(CPU_INT_REDIRECT_4),     \
	.soc_irq_mask = 0x7f,                                                                    \
	.clk_rst_mask = IP_40XX_CLK(TOP_NOC) | IP_40XX_CLK(DSS_MAS) | IP_40XX_CLK(CSS_MAS),      \
	.ssidv_mask = IP_40XX_SSIDV(TBU0_AW) | IP_40XX_SSIDV(TBU0_AR) | IP_40XX_SSIDV(TBU1_AW) | \
		      IP_40XX_SSIDV(TBU1_AR) | IP_40XX_SSIDV(TBU2_AW) | IP_40XX_SSIDV(TBU2_AR)

/* SRC: P 10.8 */
#define COMMANDS_40XX                                                           \
	.align_ts = 8, .align_fence = 8, .align_fill = 1, .fill_max = 16 * MIB, \
	.copy = {                                                               \
		.size_bytes = 192,                                              \
		.len_off = 0x18,                                                \
		.src_off = 0x28,                                                \
		.dst_off = 0x30,                                                \
		.addr_bits = 48,                                                \
		.len_max = 16 * MIB,                                            \
		.count_max = 4096,                                              \
	}

/* SRC: P 9.1, column 40xx/50xx/60xx; P 5.1 cache_defaults: shave start >> 31 */
#define ADDRESSES_40XX \
	.dma_bits = 48, .bar_size = { [0] = 128 * MIB, [4] = 4096 },                               \
	.va = {                                                                                    \
		.runtime = { 0x80000000, 0x84000000 },                                             \
		.global = { 0x90000000, 0xa0000000 },                                              \
		.user = { 0x100000000, 0x4100000000 },                                             \
		.shave = { 0x80000000, 0x100000000 },                                              \
		.dma = { 0x100000000, 0x4100000000 },                                              \
	},                                                                                         \
	.pio_alias = false, .cache_nn_cfg = 1

/* SRC: P 2.7 silicon, P 2.4, P 3.10 */
#define TIMEOUTS_40XX                     \
	.timeouts = {                     \
		.boot_ms = 1000,          \
		.jsm_ms = 500,            \
		.tdr_ms = 2000,           \
		.inference_ms = 60000,    \
		.autosuspend_ms = 100,    \
		.d0i3_entry_msg_ms = 5,   \
		.state_dump_msg_ms = 100, \
		.wp_us = 1500000,         \
		.d0i3_us = 150000,        \
		.ip_reset_us = 150000,    \
		.rst_clr_us = 100,        \
		.pwr_island_us = 5000,    \
		.mmu_reg_us = 10000,      \
		.mmu_cmdq_us = 100000,    \
		.idle_us = 5000,          \
	}

#define COMMON_40XX                                                                       \
	.btrs_kind = REG_BTRS_LNL, ADDRESSES_40XX, FUSES_LNL, WORKPOINT_LNL, CLOCKS_40XX, \
	ENTRY_40XX, IDS_40XX, MASKS_40XX, COMMANDS_40XX, TIMEOUTS_40XX

const struct reg_gen reg_gen_npu40 = {
	.name = "npu40",
	.ip_name = "40xx",
	.ip_gen = 40,
	/* SRC: P 1.1, linux 7.2 ivpu_drv.h PCI_DEVICE_ID_LNL */
	.ids = { { 0x643e, "Lunar Lake", "lnl" } },
	.blocks = { &reg_block_btrs_lnl, &reg_block_ip_40xx, &reg_block_mmu },
	/* SRC: P 4.1 */
	.fw_names = { "intel/vpu/vpu_40xx_v1.bin", "intel/vpu/vpu_40xx_v0.0.bin" },
	.fw_mark = "*NPU40xx",
	.tile_mask = 0x3f,	   /* SRC: P 12.8 */
	.fence_cmp = REG_FENCE_GE, /* SRC: P 10.8 */
	.nnrt_api = 11 << 16 | 13, /* SRC: P 4.7 */
	COMMON_40XX,
};

const struct reg_gen reg_gen_npu50 = {
	.name = "npu50",
	.ip_name = "50xx",
	.ip_gen = 50,
	/* SRC: P 1.1, linux 7.2 ivpu_drv.h PCI_DEVICE_ID_PTL_P, _WCL */
	.ids = { { 0xb03e, "Panther Lake", "ptl" }, { 0xfd3e, "Wildcat Lake", "wcl" } },
	.blocks = { &reg_block_btrs_lnl, &reg_block_ip_40xx, &reg_block_ip_50xx, &reg_block_mmu },
	/* SRC: P 4.1 */
	.fw_names = { "intel/vpu/vpu_50xx_v1.bin", "intel/vpu/vpu_50xx_v0.0.bin" },
	.fw_mark = "*NPU50xx",
	.tile_mask = 0x7,	   /* SRC: P 12.8, PTL; WCL has 0x1 */
	.fence_cmp = REG_FENCE_GT, /* SRC: P 10.8 */
	.nnrt_api = 11 << 16 | 13, /* SRC: P 4.7 */
	COMMON_40XX,
	/* SRC: P 3.5, normal clock */
	.pwr_delay = { 0, 0, 0, 3 },
	.pwr_delay_fast = { 18, 0, 0, 46 },
};

const struct reg_gen reg_gen_npu60 = {
	.name = "npu60",
	.ip_name = "60xx",
	.ip_gen = 60,
	/* SRC: P 1.1, linux 7.2 ivpu_drv.h PCI_DEVICE_ID_NVL */
	.ids = { { 0xd71d, "Nova Lake", "nvl" } },
	.blocks = { &reg_block_btrs_lnl, &reg_block_ip_40xx, &reg_block_ip_50xx, &reg_block_mmu },
	/* SRC: P 4.1 */
	.fw_names = { "intel/vpu/vpu_60xx_v1.bin" },
	.tile_mask = 0x7,	   /* not public; as npu50 */
	.fence_cmp = REG_FENCE_GT, /* SRC: P 10.8 */
	.nnrt_api = 11 << 16 | 13, /* SRC: P App. E: as 50xx */
	COMMON_40XX,
	/* SRC: P 3.5 */
	.pwr_delay = { 17, 0, 17, 0 },
	.pwr_delay_fast = { 198, 0, 198, 0 },
};

/*
 * The reference map.  SRC of all of it: design section 8, which gives neither clocks nor fuses.
 */
const struct reg_gen reg_gen_ref = {
	.name = "ref",
	.ip_name = "reference",
	.btrs_kind = REG_BTRS_NONE,
	.ids = { { 0x7d1d, "reference NPU", "ref" } }, /* Meteor Lake's, without BAR4 */
	.dma_bits = 64,
	.bar_size = { [0] = 128 * MIB },
	.blocks = { &reg_block_ref },
	.fw_format = REG_FW_REF,
	/* no MMU: user and dma are whatever memory there is */
	.va = {
		.runtime = { 0x80000000, 0xa0000000 },
		.global = { 0x80000000, 0xc0000000 },
		.user = { 0x1000, 0xfffffffffffff000 },
		.shave = { 0x80000000, 0x80200000 },
		.dma = { 0x1000, 0xfffffffffffff000 },
	},
	.freq_num = 1,
	.freq_den = 1,
	.entry_align = 4,
	.db_first = 0,
	.db_last = 1,
	/* of the driver's own counting: the device knows none */
	.ssid_first = 2,
	.ssid_last = 130,
	.btrs_irq_mask = REG_MASK(REG_REF_INTERRUPT_STAT__RING_0) |
			 REG_MASK(REG_REF_INTERRUPT_STAT__RING_1) |
			 REG_MASK(REG_REF_INTERRUPT_STAT__FW_STATUS),
	.flat = true,
	.cache_nn_cfg = 1,
	.timeouts = {
		.boot_ms = 5000,
		.tdr_ms = 30000,
		.inference_ms = 30000,
		.autosuspend_ms = UINT32_MAX, /* never: the map has no state to sleep in */
		.rst_clr_us = 1000000,
	},
};

static const struct reg_gen *const gens[] = {
	&reg_gen_npu37, &reg_gen_npu40, &reg_gen_npu50, &reg_gen_npu60, &reg_gen_ref,
};

#define NR_GENS (sizeof(gens) / sizeof(gens[0]))

const struct reg_gen *reg_gen_by_idx(unsigned int idx)
{
	return idx < NR_GENS ? gens[idx] : NULL;
}

const struct reg_gen *reg_gen_by_name(const char *name)
{
	for (size_t i = 0; i < NR_GENS; i++)
		if (!strcmp(gens[i]->name, name))
			return gens[i];
	return NULL;
}

static const struct reg_pci_id *find_id(const struct reg_gen *gen, u16 device)
{
	for (const struct reg_pci_id *id = gen->ids; id->product; id++)
		if (id->device == device)
			return id;
	return NULL;
}

bool reg_gen_has_id(const struct reg_gen *gen, u16 device)
{
	return find_id(gen, device) != NULL;
}

static bool has_bars(const struct reg_gen *gen, u32 bars)
{
	for (u32 bar = 0; bar < REG_NR_BARS; bar++)
		if ((gen->bar_size[bar] != 0) != (bars >> bar & 1))
			return false;
	return true;
}

/* The first one with that id, or, if @bars is not NULL, with those BARs as well. */
static const struct reg_gen *find_gen(u16 vendor, u16 device, const u32 *bars, const char **product)
{
	if (vendor != REG_PCI_VENDOR_INTEL)
		return NULL;
	for (size_t i = 0; i < NR_GENS; i++) {
		const struct reg_pci_id *id = find_id(gens[i], device);

		if (!id || (bars && !has_bars(gens[i], *bars)))
			continue;
		if (product)
			*product = id->product;
		return gens[i];
	}
	return NULL;
}

const struct reg_gen *reg_gen_by_pci(u16 vendor, u16 device, const char **product)
{
	return find_gen(vendor, device, NULL, product);
}

/* One that has too few BARs is known by its id: whoever maps them says which is missing. */
const struct reg_gen *reg_gen_by_function(u16 vendor, u16 device, u32 bars, const char **product)
{
	const struct reg_gen *gen = find_gen(vendor, device, &bars, product);

	return gen ? gen : reg_gen_by_pci(vendor, device, product);
}

const struct reg_gen *reg_gen_by_code(const char *code, u16 *device)
{
	for (size_t i = 0; i < NR_GENS; i++) {
		for (const struct reg_pci_id *id = gens[i]->ids; id->product; id++) {
			if (strcmp(id->code, code) != 0)
				continue;
			*device = id->device;
			return gens[i];
		}
	}
	return NULL;
}

const struct reg_desc *reg_gen_find(const struct reg_gen *gen, u8 bar, u32 off,
				    const struct reg_block **block)
{
	for (const struct reg_block *const *b = gen->blocks; *b; b++) {
		const struct reg_desc *d;

		if ((*b)->bar != bar)
			continue;
		d = reg_find(*b, off);
		if (!d)
			continue;
		if (block)
			*block = *b;
		return d;
	}
	return NULL;
}
