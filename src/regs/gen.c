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
		{ 0x7d1d, "Meteor Lake" },
		{ 0xad1d, "Arrow Lake" },
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

static const struct reg_gen *const gens[] = { &reg_gen_npu37 };

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

const struct reg_gen *reg_gen_by_pci(u16 vendor, u16 device, const char **product)
{
	if (vendor != REG_PCI_VENDOR_INTEL)
		return NULL;
	for (size_t i = 0; i < NR_GENS; i++) {
		for (const struct reg_pci_id *id = gens[i]->ids; id->product; id++) {
			if (id->device != device)
				continue;
			if (product)
				*product = id->product;
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
