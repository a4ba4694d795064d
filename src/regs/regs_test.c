// SPDX-License-Identifier: MIT
/*
 * Register tables: what the preprocessor made of the .def files, lookup, generation data.
 */
#include "regs/gen.c"
#include "regs/regs.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct reg_block *const blocks[] = {
	&reg_block_btrs_mtl, &reg_block_ip_37xx, &reg_block_btrs_lnl, &reg_block_ip_40xx,
	&reg_block_ip_50xx,  &reg_block_mmu,	 &reg_block_ref,
};

#define NR_BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

static void test_fields(void **state)
{
	u32 v = 0;

	(void)state;
	assert_int_equal(REG_MASK(REG_BTRS_MTL_INTERRUPT_STAT__UFI_ERR), 0x4);
	assert_int_equal(REG_MASK(REG_BTRS_MTL_WP_REQ_PAYLOAD0__MAX_RATIO), 0xffff0000);
	assert_int_equal(REG_MASK(REG_MMU_CR0ACK__VAL), 0xffffffff);
	assert_true(REG_MASK64(REG_MMU_STRTAB_BASE__ADDR) == 0x000fffffffffffc0ull);
	assert_true(REG_MASK64(REG_MMU_STRTAB_BASE__RA) == 1ull << 62);

	v = reg_fld_set(v, REG_BTRS_MTL_WP_REQ_PAYLOAD0__MIN_RATIO, 0x0e);
	v = reg_fld_set(v, REG_BTRS_MTL_WP_REQ_PAYLOAD0__MAX_RATIO, 0x2a);
	assert_int_equal(v, 0x002a000e);
	v = reg_fld_set(v, REG_BTRS_MTL_WP_REQ_PAYLOAD0__MIN_RATIO, 0x12345);
	assert_int_equal(v, 0x002a2345);
	assert_int_equal(reg_fld_get(v, REG_BTRS_MTL_WP_REQ_PAYLOAD0__MAX_RATIO), 0x2a);
	assert_int_equal(reg_fld_get(0x12345678, REG_IP_37XX_HOST_SS_TIM_IPC_FIFO_STAT__FILL_LEVEL),
			 0x34);
	assert_int_equal(REG_PREP(REG_MMU_CMDQ_CONS__ERR, 2), 0x02000000);
	assert_true(reg_fld_test(0x6, REG_BTRS_MTL_INTERRUPT_STAT__ATS_ERR));
	assert_false(reg_fld_test(0x5, REG_BTRS_MTL_INTERRUPT_STAT__ATS_ERR));

	assert_true(reg_fld_set64(0, REG_MMU_CMDQ_BASE__ADDR, 0x12345678) == 0x2468acf00ull);
	assert_true(reg_fld_get64(0x4000001234567804ull, REG_MMU_CMDQ_BASE__LOG2SIZE) == 4);
	assert_true(reg_fld_get64(0x4000001234567804ull, REG_MMU_CMDQ_BASE__RWA) == 1);
	/* CR1 of P 8.1 from its fields */
	v = REG_PREP(REG_MMU_CR1__TABLE_SH, 3) | REG_PREP(REG_MMU_CR1__TABLE_OC, 1) |
	    REG_PREP(REG_MMU_CR1__TABLE_IC, 1) | REG_PREP(REG_MMU_CR1__QUEUE_SH, 3) |
	    REG_PREP(REG_MMU_CR1__QUEUE_OC, 1) | REG_PREP(REG_MMU_CR1__QUEUE_IC, 1);
	assert_int_equal(v, 0xd75);
}

static void test_offsets(void **state)
{
	(void)state;
	assert_int_equal(REG_BTRS_MTL_VPU_STATUS, 0x44);
	assert_int_equal(REG_IP_37XX_HOST_SS_ICB_CLEAR, 0x10220);
	assert_int_equal(REG_IP_37XX_HOST_SS_ICB_CLEAR_0, 0x10220);
	assert_int_equal(REG_IP_37XX_HOST_SS_ICB_CLEAR_1, 0x10224);
	assert_int_equal(REG_MMU_EVTQ_CONS_SEC, 0x2100ac);
	assert_int_equal(REG_IP_37XX_CPU_SS_DOORBELL + 255 * REG_IP_37XX_CPU_SS_DOORBELL_STRIDE,
			 0x063ff000);
	assert_int_equal(REG_IP_37XX_CPU_SS_DOORBELL_COUNT, 256);
	assert_int_equal(REG_BAR_BTRS_MTL, 4);
	assert_int_equal(REG_BAR_MMU, 0);
}

static bool is_ro(const struct reg_desc *d)
{
	return d->kind == REG_KIND_RO || d->kind == REG_KIND_RC;
}

/* every row of every block: order, no duplicates, fields inside the register, masks */
static void test_rows(void **state)
{
	(void)state;
	for (size_t b = 0; b < NR_BLOCKS; b++) {
		u64 next = 0;

		assert_true(blocks[b]->nr > 0);
		for (u32 i = 0; i < blocks[b]->nr; i++) {
			const struct reg_desc *d = &blocks[b]->descs[i];
			u64 seen = 0;

			assert_non_null(d->name);
			assert_true(d->off >= next);
			assert_true(d->off % d->width_bytes == 0);
			assert_true(d->width_bytes == 4 || d->width_bytes == 8);
			assert_true(d->kind < REG_KIND_NR);
			assert_true(d->count >= 1);
			assert_true((d->stride != 0) == (d->count > 1));
			assert_true(is_ro(d) == (d->wmask == 0));
			for (u32 f = 0; f < d->nr_flds; f++) {
				const struct reg_fld *fl = &d->flds[f];
				u64 m = REG_MASK64(REG_FLD_CODE(fl->hi, fl->lo));

				assert_true(fl->hi >= fl->lo && fl->hi < d->width_bytes * 8);
				assert_true((seen & m) == 0);
				seen |= m;
			}
			assert_true(reg_known_mask(d) == (seen | d->wmask));
			for (u32 j = 0; j < i; j++)
				assert_string_not_equal(d->name, blocks[b]->descs[j].name);
			next = (u64)d->off + (u64)d->stride * (d->count - 1u) + d->width_bytes;
		}
	}
}

/* fields landed at the right row */
static void test_field_tables(void **state)
{
	const struct reg_desc *d = &reg_block_btrs_mtl.descs[REG_IDX_BTRS_MTL_UFI_ERR_LOG];

	(void)state;
	assert_string_equal(d->name, "UFI_ERR_LOG");
	assert_int_equal(d->nr_flds, 3);
	assert_string_equal(d->flds[2].name, "OPCODE");
	assert_int_equal(d->flds[2].hi, 24);
	assert_int_equal(d->flds[2].lo, 20);
	d = &reg_block_btrs_mtl.descs[REG_IDX_BTRS_MTL_INTERRUPT_TYPE];
	assert_int_equal(d->nr_flds, 0);
	assert_null(d->flds);
	d = &reg_block_btrs_mtl.descs[REG_IDX_BTRS_MTL_INTERRUPT_STAT];
	assert_string_equal(d->flds[0].name, "FREQ_CHANGE");
	assert_int_equal(d->kind, REG_KIND_W1C);
	assert_false(d->guess);
	d = &reg_block_ip_37xx.descs[REG_IDX_IP_37XX_CPU_SS_DOORBELL];
	assert_int_equal(d->nr_flds, 1);
	assert_int_equal(d->count, 256);
	d = &reg_block_mmu.descs[REG_IDX_MMU_NR - 1];
	assert_string_equal(d->name, "EVTQ_CONS_SEC");
}

/* the binary search against a plain scan over every word around every row */
static const struct reg_desc *scan(const struct reg_block *b, u32 off)
{
	for (u32 i = 0; i < b->nr; i++)
		for (u32 e = 0; e < b->descs[i].count; e++) {
			u32 base = b->descs[i].off + e * b->descs[i].stride;

			if (off >= base && off - base < b->descs[i].width_bytes)
				return &b->descs[i];
		}
	return NULL;
}

static void test_find(void **state)
{
	char buf[64];

	(void)state;
	for (size_t b = 0; b < NR_BLOCKS; b++) {
		for (u32 i = 0; i < blocks[b]->nr; i++)
			for (u32 k = 0; k < 33; k++) {
				u32 off = blocks[b]->descs[i].off - 16 + k;

				assert_ptr_equal(reg_find(blocks[b], off), scan(blocks[b], off));
			}
		assert_null(reg_find(blocks[b], 0xffffffff));
		assert_null(reg_find(blocks[b], 0x7fffffff));
	}
	assert_null(reg_find(&reg_block_mmu, 0));
	assert_string_equal(reg_find(&reg_block_ip_37xx, 0x10224)->name, "HOST_SS_ICB_CLEAR");
	assert_int_equal(reg_elem(reg_find(&reg_block_ip_37xx, 0x063ff000), 0x063ff000), 255);
	assert_null(reg_find(&reg_block_ip_37xx, 0x06400000));
	assert_null(reg_find(&reg_block_ip_37xx, 0x06300004));
	assert_string_equal(reg_name(&reg_block_ip_37xx, 0x06303000, buf, sizeof(buf)),
			    "CPU_SS_DOORBELL[3]");
	assert_string_equal(reg_name(&reg_block_ip_37xx, 0x10224, buf, sizeof(buf)),
			    "HOST_SS_ICB_CLEAR+4");
	assert_string_equal(reg_name(&reg_block_mmu, 0x200020, buf, sizeof(buf)), "CR0");
	assert_string_equal(reg_name(&reg_block_mmu, 0x200030, buf, sizeof(buf)), "?");
	assert_string_equal(reg_kind_name(REG_KIND_W1C), "W1C");
	assert_string_equal(reg_kind_name(99), "?");
}

static void check_gen(const struct reg_gen *g)
{
	const struct reg_range *r[] = { &g->va.runtime, &g->va.global, &g->va.user, &g->va.shave,
					&g->va.dma };

	assert_ptr_equal(reg_gen_by_name(g->name), g);
	assert_true(g->ids[0].device != 0);
	for (const struct reg_pci_id *id = g->ids; id->product; id++) {
		const char *product = NULL;
		u32 bars = 0;

		for (u32 bar = 0; bar < REG_NR_BARS; bar++)
			bars |= g->bar_size[bar] ? 1u << bar : 0;
		assert_ptr_equal(reg_gen_by_function(0x8086, id->device, bars, &product), g);
		assert_true(reg_gen_has_id(g, id->device));
		assert_non_null(reg_gen_by_pci(0x8086, id->device, NULL));
		assert_string_equal(product, id->product);
		assert_null(reg_gen_by_pci(0x1234, id->device, NULL));
	}
	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++)
		assert_true(r[i]->start < r[i]->end && r[i]->start % 4096 == 0 &&
			    r[i]->end % 4096 == 0);
	assert_int_equal(g->va.shave.start >> 31, g->cache_nn_cfg);
	assert_true(g->fmin_ratio <= g->pn_ratio && g->pn_ratio <= g->fmax_ratio);
	assert_true(g->fw_names[0] != NULL || g->fw_format == REG_FW_REF);
	for (const struct reg_block *const *b = g->blocks; *b; b++) {
		const struct reg_block *found = NULL;
		const struct reg_desc *last = &(*b)->descs[(*b)->nr - 1];

		assert_true(last->off + (u64)last->stride * (last->count - 1u) +
				    last->width_bytes <=
			    g->bar_size[(*b)->bar]);
		for (u32 i = 0; i < (*b)->nr; i++) {
			assert_ptr_equal(reg_gen_find(g, (*b)->bar, (*b)->descs[i].off, &found),
					 &(*b)->descs[i]);
			assert_ptr_equal(found, *b);
		}
	}
	assert_null(reg_gen_find(g, 1, 0, NULL));
	assert_true(reg_gen_entry_decode(g, reg_gen_entry_encode(g, g->va.runtime.start + 0x3000) |
						    1) == g->va.runtime.start + 0x3000);
}

static void test_gens(void **state)
{
	unsigned int n = 0;

	(void)state;
	for (const struct reg_gen *g; (g = reg_gen_by_idx(n)) != NULL; n++)
		check_gen(g);
	assert_int_equal(n, 5);
	assert_null(reg_gen_by_name("npu99"));
	assert_null(reg_gen_by_pci(0x8086, 0x6447, NULL));
}

/* npu37 against the numbers of P */
static void test_npu37(void **state)
{
	const struct reg_gen *g = &reg_gen_npu37;
	const struct reg_desc *d;

	(void)state;
	assert_true(g->icb_irq_mask == 0x7c00001f0ull); /* P App. B */
	assert_int_equal(g->btrs_irq_mask, 0x6);
	assert_int_equal(g->clk_rst_mask, 0xc02);
	assert_int_equal(g->ssidv_mask, 0x33);
	assert_int_equal(reg_gen_freq_mhz(g, 0x2a), 1400);
	assert_true(reg_gen_entry_encode(g, 0x84803000) == 0x00424018); /* P 3.6 example */
	assert_true(reg_gen_entry_decode(g, 0x00424019) == 0x84803000);
	assert_true(reg_gen_fence_done(g, 5, 5));
	assert_false(reg_gen_fence_done(g, 4, 5));
	d = reg_find(&reg_block_btrs_mtl, REG_BTRS_MTL_FMIN_FUSE);
	assert_int_equal(d->reset, g->fmin_ratio | g->pn_ratio << 8);
	d = reg_find(&reg_block_btrs_mtl, REG_BTRS_MTL_FMAX_FUSE);
	assert_int_equal(d->reset, g->fmax_ratio);
	d = reg_find(&reg_block_ip_37xx, REG_IP_37XX_HOST_SS_FW_SOC_IRQ_EN);
	assert_int_equal(d->wmask, g->soc_irq_mask);
	assert_true(reg_range_has(&g->va.runtime, 0x84800000, 0x4000000));
	assert_false(reg_range_has(&g->va.runtime, 0x84800000, 0x4000001));
	assert_false(reg_range_has(&g->va.runtime, 0x84800000, ~0ull));
}

/* npu40 and its successors against the numbers of P */
static void check_40xx(const struct reg_gen *g)
{
	const struct reg_desc *d;

	assert_true(g->icb_irq_mask == 0x7c00001f0ull); /* P App. B */
	assert_int_equal(g->btrs_irq_mask, 0x7e);
	assert_int_equal(g->clk_rst_mask, 0xc02);
	assert_int_equal(g->ssidv_mask, 0x3f);
	assert_int_equal(reg_gen_freq_mhz(g, 0x4e), 1950);
	assert_true(reg_gen_entry_encode(g, 0x80002000) == 0x400010000ull); /* P 3.6 example */
	assert_true(reg_gen_entry_decode(g, 0x400010001ull) == 0x80002000);
	d = reg_find(&reg_block_btrs_lnl, REG_BTRS_LNL_FMIN_FUSE);
	assert_int_equal(d->reset, g->fmin_ratio | g->pn_ratio << 8);
	d = reg_find(&reg_block_btrs_lnl, REG_BTRS_LNL_FMAX_FUSE);
	assert_int_equal(d->reset, g->fmax_ratio);
	d = reg_find(&reg_block_btrs_lnl, REG_BTRS_LNL_VPU_STATUS);
	assert_int_equal(d->wmask, 0x1800); /* P trap 4 */
	assert_true(reg_range_has(&g->va.runtime, 0x80000000, 0x4000000));
	assert_true(reg_gen_find(g, 4, 0x154, NULL) == d);
}

/* Meteor Lake's id: the reference NPU is the one without BAR4.  Numbers of design section 8. */
static void test_ref(void **state)
{
	const char *product = NULL;

	(void)state;
	assert_ptr_equal(reg_gen_by_pci(0x8086, 0x7d1d, NULL), &reg_gen_npu37);
	assert_ptr_equal(reg_gen_by_function(0x8086, 0x7d1d, 0x11, &product), &reg_gen_npu37);
	assert_ptr_equal(reg_gen_by_function(0x8086, 0x7d1d, 0x01, &product), &reg_gen_ref);
	assert_string_equal(product, "reference NPU");
	assert_ptr_equal(reg_gen_by_function(0x8086, 0xad1d, 0x01, &product), &reg_gen_npu37);
	assert_int_equal(REG_REF_HOST_2_DEVICE_DRBL, 0x73000);
	assert_int_equal(REG_REF_LOADING_ADDR_HI, 0x80044);
	assert_int_equal(REG_REF_FW_STATUS, 0x80060);
	assert_int_equal(REG_REF_STATUS, 0x06200000);
	assert_int_equal(REG_REF_DOORBELL_1, 0x06201004);
	assert_int_equal(REG_REF_VPU_STATUS, 0x114);
	assert_int_equal(REG_MASK(REG_REF_STATUS__TAIL_1), 0xffff0000);
}

static void test_40xx(void **state)
{
	(void)state;
	check_40xx(&reg_gen_npu40);
	check_40xx(&reg_gen_npu50);
	check_40xx(&reg_gen_npu60);
	assert_true(reg_gen_fence_done(&reg_gen_npu40, 5, 5)); /* P trap 28 */
	assert_false(reg_gen_fence_done(&reg_gen_npu50, 5, 5));
	assert_true(reg_gen_fence_done(&reg_gen_npu60, 6, 5));
	assert_null(reg_gen_find(&reg_gen_npu40, 0, 0x30068, NULL)); /* P 3.5: 50xx on */
	assert_non_null(reg_gen_find(&reg_gen_npu50, 0, 0x30068, NULL));
	assert_int_equal(REG_IP_40XX_HOST_SS_VERIFICATION_ADDRESS, 0x40040);
	assert_int_equal(REG_IP_40XX_CPU_SS_DOORBELL + 255 * REG_IP_40XX_CPU_SS_DOORBELL_STRIDE,
			 0x013ff000);
	assert_int_equal(reg_gen_npu60.pwr_delay.post, 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields), cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_rows),   cmocka_unit_test(test_field_tables),
		cmocka_unit_test(test_find),   cmocka_unit_test(test_gens),
		cmocka_unit_test(test_npu37),  cmocka_unit_test(test_40xx),
		cmocka_unit_test(test_ref),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
