// SPDX-License-Identifier: MIT
/* Configuration space, BARs, register rules, interrupts, DMA maps. */
#include "vnpu/test_host.h"

static struct host h;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

static void test_header(void **state)
{
	u32 ptr = cfg_rd(&h, 0x34, 1), seen = 0;

	(void)state;
	assert_int_equal(cfg_rd(&h, 0, 4), 0x8086 | (u32)host_info->ids[0].device << 16);
	assert_int_equal(cfg_rd(&h, 8, 4), 0x12000004);
	assert_int_equal(cfg_rd(&h, 6, 2) & 0x10, 0x10);
	while (ptr) {
		seen |= 1u << cfg_rd(&h, ptr, 1);
		ptr = cfg_rd(&h, ptr + 1, 1);
	}
	assert_int_equal(seen, 1u << 1 | 1u << 5 | 1u << 16); /* PM, MSI, PCI Express */
	assert_int_equal(cfg_rd(&h, 0x100, 4), 0);
	cfg_wr(&h, 0, 4, 0xffffffff);
	assert_int_equal(cfg_rd(&h, 0, 4), 0x8086 | (u32)host_info->ids[0].device << 16);
}

static void test_bars(void **state)
{
	u32 val;

	(void)state;
	cfg_wr(&h, 0x10, 4, 0xffffffff);
	cfg_wr(&h, 0x14, 4, 0xffffffff);
	assert_int_equal(cfg_rd(&h, 0x10, 4), 0xf8000004); /* 64-bit, 128 MiB */
	assert_int_equal(cfg_rd(&h, 0x14, 4), 0xffffffff);
	cfg_wr(&h, 0x20, 4, 0xffffffff);
	assert_int_equal(cfg_rd(&h, 0x20, 4), 0xfffff004);
	cfg_wr(&h, 0x18, 4, 0xffffffff);
	assert_int_equal(cfg_rd(&h, 0x18, 4), 0);
	assert_int_equal(vnpu_bar_size(h.v, 0), 128 << 20);
	assert_int_equal(vnpu_bar_size(h.v, 4), 4096);
	assert_int_equal(vnpu_bar_size(h.v, 1), 0);
	assert_int_equal(vnpu_bar_size(h.v, 99), 0);
	assert_int_equal(vnpu_cfg_read(h.v, 0, 3, &val), -EINVAL);
	assert_int_equal(vnpu_cfg_read(h.v, 1, 2, &val), -EINVAL);
	assert_int_equal(vnpu_cfg_read(h.v, 4096, 4, &val), -EINVAL);
	assert_int_equal(vnpu_cfg_write(h.v, 2, 4, 0), -EINVAL);
}

static u32 fmin_fuse(void)
{
	return host_info->fmin_ratio | (u32)host_info->pn_ratio << 8;
}

static void test_access_rules(void **state)
{
	u64 val;

	(void)state;
	assert_int_equal(vnpu_bar_read(h.v, B(FMIN_FUSE), 4, &val), 0);
	assert_int_equal(val, UINT32_MAX); /* no memory decoding */
	assert_int_equal(guest_errors(&h), 1);
	host_pci_on(&h);
	assert_int_equal(vnpu_bar_read(h.v, B(FMIN_FUSE), 4, &val), 0);
	assert_int_equal(val, fmin_fuse());
	assert_int_equal(vnpu_bar_read(h.v, B(FMIN_FUSE) + 1, 1, &val), 0);
	assert_int_equal(val, fmin_fuse() >> 8);
	assert_int_equal(vnpu_nr_findings(h.v, VNPU_UNSPECIFIED), 1);
	if (!host_is_40xx())
		assert_int_equal(vnpu_bar_read(h.v, 4, 0xa0, 8, &val), 0);
	assert_int_equal(vnpu_nr_findings(h.v, VNPU_UNSPECIFIED), 1);
	assert_int_equal(rd(&h, 4, 0x3f0), 0); /* no such register */
	assert_int_equal(vnpu_nr_findings(h.v, VNPU_UNSPECIFIED), 2);
	assert_true(has_finding(&h, "BAR4+0x3f0"));
	wr(&h, B(GLOBAL_INT_MASK), 0x81); /* a reserved bit */
	assert_int_equal(vnpu_nr_findings(h.v, VNPU_UNSPECIFIED), 3);
	assert_int_equal(rd(&h, B(GLOBAL_INT_MASK)), 1);
	wr(&h, B(FMIN_FUSE), 5);
	assert_int_equal(rd(&h, B(FMIN_FUSE)), fmin_fuse());
	assert_int_equal(guest_errors(&h), 2);
	assert_int_equal(rd(&h, 4, 0x154) >> 29, 0); /* P 2.3: read on every generation */
	assert_int_equal(vnpu_bar_read(h.v, 4, 4096, 4, &val), -EINVAL);
	assert_int_equal(vnpu_bar_read(h.v, 4, 2, 4, &val), -EINVAL);
	assert_int_equal(vnpu_bar_read(h.v, 1, 0, 4, &val), -EINVAL);
	assert_int_equal(vnpu_bar_write(h.v, 0, 0, 16, 0), -EINVAL);
	assert_int_equal(rd(&h, V(HOST_SS_NOC_QREQN)), 0); /* not all-ones: P 3.3 */
	assert_true(has_finding(&h, "without power"));
}

/* P 2.3: the interrupt-clear probe must find W1C. */
static void test_w1c_probe(void **state)
{
	(void)state;
	host_pci_on(&h);
	wr(&h, B(INTERRUPT_STAT), 7);
	assert_int_equal(rd(&h, B(INTERRUPT_STAT)), 0);
	expect_clean(&h);
}

static u64 doorbell_va(u32 db)
{
	return host_regs->CPU_SS_DOORBELL + (u64)db * REG_IP_37XX_CPU_SS_DOORBELL_STRIDE;
}

/* P 2.6: an edge per rise of the masked sum; unmasking with something pending is a rise. */
static void test_interrupt_edges(void **state)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_QUERY_ENGINE_HB, .request_id = 1 };
	struct abi_ipc_hdr hdr;

	(void)state;
	assert_int_equal(host_boot(&h), 0);
	assert_int_equal(h.msis, 0);
	(void)host_post(&h, 0, &msg);
	(void)host_post(&h, 0, &msg);
	host_sleep(&h, 1000000);
	assert_int_equal(h.msis, 1); /* one rise for two messages */
	wr(&h, B(GLOBAL_INT_MASK), 1);
	assert_int_equal(rd(&h, V(HOST_SS_ICB_STATUS_0)) & 0xc00001f0, 0x10);
	wr(&h, V(HOST_SS_ICB_CLEAR), 0x10);
	assert_true(host_pop(&h, &hdr, &msg));
	wr(&h, B(GLOBAL_INT_MASK), 0);
	assert_int_equal(h.msis, 2); /* one was left: P trap 7 */
	assert_true(host_pop(&h, &hdr, &msg));
	assert_false(host_pop(&h, &hdr, &msg));
	wr(&h, B(GLOBAL_INT_MASK), 1);
	wr(&h, B(GLOBAL_INT_MASK), 0);
	assert_int_equal(h.msis, 2);
	expect_clean(&h);
}

static void test_no_msi_without_master(void **state)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_QUERY_ENGINE_HB, .request_id = 1 };

	(void)state;
	assert_int_equal(host_boot(&h), 0);
	(void)host_post(&h, 0, &msg);
	cfg_wr(&h, 4, 2, 0x402);
	host_sleep(&h, 1000000);
	assert_int_equal(h.msis, 0);
	assert_true(has_finding(&h, "not bus master"));
	assert_int_equal(rd(&h, V(HOST_SS_TIM_IPC_FIFO_STAT)) >> 16, 0); /* no answer either */
}

static void test_no_msi_without_enable(void **state)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_QUERY_ENGINE_HB, .request_id = 1 };

	(void)state;
	assert_int_equal(host_boot(&h), 0);
	cfg_wr(&h, 0x52, 2, 0x80);
	(void)host_post(&h, 0, &msg);
	host_sleep(&h, 1000000);
	assert_int_equal(h.msis, 0);
	assert_true(has_finding(&h, "MSI is not enabled"));
}

static void test_buttress_error(void **state)
{
	(void)state;
	assert_int_equal(host_boot(&h), 0);
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	assert_int_equal(vnpu_fault(h.v, "ats-error", 1), 0);
	h.msis = 0;
	host_submit(&h, 1, HOST_USER, 0x100);
	host_sleep(&h, 100000);
	assert_int_equal(rd(&h, B(INTERRUPT_STAT)), 2);
	wr(&h, B(INTERRUPT_STAT), 2);
	assert_int_equal(rd(&h, B(INTERRUPT_STAT)), 2); /* the source first */
	wr(&h, B(ATS_ERR_CLEAR), 1);
	wr(&h, B(INTERRUPT_STAT), 2);
	assert_int_equal(rd(&h, B(INTERRUPT_STAT)), 0);
	assert_int_equal(h.msis, 1);
}

static void test_flr(void **state)
{
	(void)state;
	assert_int_equal(host_boot(&h), 0);
	cfg_wr(&h, 0x78, 2, 0x8000);
	assert_int_equal(cfg_rd(&h, 4, 2), 0);
	assert_int_equal(cfg_rd(&h, 0x78, 2), 0);
	assert_int_equal(host_boot(&h), 0);
	expect_clean(&h);
	wr(&h, 0, doorbell_va(1), 1); /* registrations are gone */
	host_sleep(&h, 100000);
	assert_true(has_finding(&h, "not registered"));
}

static void test_dma_maps(void **state)
{
	static u8 page[8192] __attribute__((aligned(4096)));

	(void)state;
	assert_int_equal(vnpu_dma_map(h.v, 0x1000, 0x1000, page, true), 0);
	assert_int_equal(vnpu_dma_map(h.v, 0x1000, 0x1000, page, true), -EEXIST);
	assert_int_equal(vnpu_dma_map(h.v, 0, 0x2000, page, true), -EEXIST);
	assert_int_equal(vnpu_dma_map(h.v, 0, 0x1000, page, true), 0);
	assert_int_equal(vnpu_dma_map(h.v, 0x2000, 0x800, page, true), -EINVAL);
	assert_int_equal(vnpu_dma_map(h.v, 0x2010, 0x1000, page, true), -EINVAL);
	assert_int_equal(vnpu_dma_map(h.v, 0x2000, 0, page, true), -EINVAL);
	assert_int_equal(vnpu_dma_map(h.v, UINT64_MAX - 0xfff, 0x2000, page, true), -EINVAL);
	assert_int_equal(vnpu_dma_map(h.v, UINT64_MAX - 0xfff, 0x1000, page, true), 0);
	assert_int_equal(vnpu_dma_unmap(h.v, 0x1000, 0x2000), -ENOENT);
	assert_int_equal(vnpu_dma_unmap(h.v, 0x3000, 0x1000), -ENOENT);
	assert_int_equal(vnpu_dma_unmap(h.v, 0x1000, 0x1000), 0);
	assert_int_equal(vnpu_dma_unmap(h.v, 0x1000, 0x1000), -ENOENT);
	assert_int_equal(vnpu_dma_map(h.v, 0x1000, 0x1000, page, true), 0);
	for (u64 i = 0; i < 300; i++)
		assert_int_equal(vnpu_dma_map(h.v, (1000 - i * 2) * 4096, 4096, page, true), 0);
	for (u64 i = 0; i < 300; i++)
		assert_int_equal(vnpu_dma_unmap(h.v, (1000 - i * 2) * 4096, 4096), 0);
}

static void test_fault_names(void **state)
{
	u32 n = 0;

	(void)state;
	while (vnpu_fault_name(n))
		assert_int_equal(vnpu_fault(h.v, vnpu_fault_name(n++), 0), 0);
	assert_true(n > 20);
	assert_int_equal(vnpu_fault(h.v, "no-such-fault", 1), -EINVAL);
	assert_int_equal(vnpu_fault(h.v, "all-ones", 1), 0);
	host_pci_on(&h);
	assert_int_equal(rd(&h, B(FMIN_FUSE)), UINT32_MAX);
	assert_int_equal(rd(&h, B(FMIN_FUSE)), fmin_fuse());
}

/* The third occasion, and no other. */
static void test_fault_at(void **state)
{
	(void)state;
	host_pci_on(&h);
	assert_int_equal(vnpu_fault_at(h.v, "no-such-fault", 1), -EINVAL);
	assert_int_equal(vnpu_fault_at(h.v, "all-ones", 0), -EINVAL);
	assert_int_equal(vnpu_fault_left(h.v, "no-such-fault"), 0);
	assert_int_equal(vnpu_fault_at(h.v, "all-ones", 3), 0);
	for (u32 i = 1; i <= 4; i++) {
		assert_int_equal(vnpu_fault_left(h.v, "all-ones"), i <= 3);
		assert_int_equal(rd(&h, B(FMIN_FUSE)), i == 3 ? UINT32_MAX : fmin_fuse());
	}
	assert_int_equal(vnpu_fault_at(h.v, "all-ones", 3), 0);
	assert_int_equal(vnpu_fault(h.v, "all-ones", 1), 0); /* takes its place */
	assert_int_equal(rd(&h, B(FMIN_FUSE)), UINT32_MAX);
	assert_int_equal(rd(&h, B(FMIN_FUSE)), fmin_fuse());
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_header),
		T(test_bars),
		T(test_access_rules),
		T(test_w1c_probe),
		T(test_interrupt_edges),
		T(test_no_msi_without_master),
		T(test_no_msi_without_enable),
		T(test_buttress_error),
		T(test_flr),
		T(test_dma_maps),
		T(test_fault_names),
		T(test_fault_at),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
