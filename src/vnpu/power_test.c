// SPDX-License-Identifier: MIT
/* Speed and power: FREQ_CONFIG, power levels, duty cycling, the LNL buttress.  P 2.2 to 2.6, 7.4 */
#include "vnpu/test_host.h"

static struct host h;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

/* What twenty fills of 1 MiB take, by the device's own time stamps. */
static u64 work_ticks(void)
{
	const u64 va = HOST_USER + 0x10000000, data = HOST_USER + 0x1000;
	const struct abi_cmd_memory_fill f = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
					       .start_address = va,
					       .size = 1u << 20 };
	struct abi_cmd_timestamp ts = { { ABI_CMD_TIMESTAMP, 16 }, ABI_TS_RAW, data };
	u64 *stamp = host_at(&h, 2, data);
	struct cmdbuf c;

	if (!*host_pte(&h, 2, va)) {
		u64 page = host_pages(&h, 1);

		for (u32 i = 0; i < f.size / 4096; i++)
			*host_pte(&h, 2, va + i * 4096) = page | ABI_MMU_PTE_CACHED;
		host_flush(&h, 2);
	}
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &ts, sizeof(ts));
	for (u32 i = 0; i < 20; i++)
		cmdbuf_add(&c, &f, sizeof(f));
	ts.address += 64;
	cmdbuf_add(&c, &ts, sizeof(ts));
	assert_int_equal(host_run(&h, 1, HOST_USER, 1), 0);
	return stamp[8] - stamp[0];
}

static void set_freq(u32 min, u32 pn, u32 max)
{
	union abi_jsm_payload p = { .freq_config = { min, pn, max } };

	assert_int_equal(host_ask(&h, ABI_JSM_FREQ_CONFIG, &p), 0);
}

static void test_frequency(void **state)
{
	const struct reg_gen *g = host_info;
	union abi_jsm_payload p = { .freq_config = { g->fmin_ratio, g->pn_ratio,
						     g->fmax_ratio + 1u } };
	u64 normal = work_ticks();

	(void)state;
	assert_int_equal(rd(&h, B(CURRENT_PLL)), g->pn_ratio);
	set_freq(g->fmin_ratio, g->fmin_ratio, g->fmin_ratio);
	assert_int_equal(rd(&h, B(CURRENT_PLL)), g->fmin_ratio);
	assert_true(work_ticks() * 10 > normal * 13);
	set_freq(g->fmax_ratio, g->fmax_ratio, g->fmax_ratio);
	assert_int_equal(rd(&h, B(CURRENT_PLL)), g->fmax_ratio);
	assert_true(work_ticks() * 10 < normal * 9);
	expect_clean(&h);
	assert_true(host_ask(&h, ABI_JSM_FREQ_CONFIG, &p) != 0); /* beyond the fuse */
	assert_int_equal(rd(&h, B(CURRENT_PLL)), g->fmax_ratio);
}

static void test_duty_cycle(void **state)
{
	union abi_jsm_payload p = { .dct_enable = { 10590, 24710 } }; /* P 2.6: 30 % */
	u64 normal = work_ticks();

	(void)state;
	assert_int_equal(host_ask(&h, ABI_JSM_DCT_ENABLE, &p), 0);
	assert_true(work_ticks() > normal * 2);
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_DCT_DISABLE, &p), 0);
	assert_true(work_ticks() < normal * 2);
	p = (union abi_jsm_payload){ .power_level = { 2, 0 } };
	assert_int_equal(host_ask(&h, ABI_JSM_SET_POWER_LEVEL, &p), 0);
	assert_true(work_ticks() * 10 > normal * 14);
	expect_clean(&h);
	p = (union abi_jsm_payload){ .dct_enable = { 0, 24710 } };
	assert_true(host_ask(&h, ABI_JSM_DCT_ENABLE, &p) != 0);
}

static void run_light(void)
{
	struct cmdbuf c;

	cmdbuf_begin(&c, &h, 2, HOST_USER);
	assert_int_equal(host_run(&h, 1, HOST_USER, 2), 0);
}

/* P 2.6 SURV_ERR: the power unit asks, the driver tells the firmware and answers. */
static void test_dct_request(void **state)
{
	union abi_jsm_payload p = { .dct_enable = { 10590, 24710 } };

	(void)state;
	if (!host_is_40xx())
		return;
	assert_int_equal(vnpu_fault(h.v, "dct-on", 1), 0);
	h.msis = 0;
	run_light();
	assert_true(h.msis > 0);
	assert_int_equal(rd(&h, B(INTERRUPT_STAT)), 0x40);
	wr(&h, B(INTERRUPT_STAT), 0x40);
	assert_int_equal(rd(&h, B(INTERRUPT_STAT)), 0);
	assert_int_equal(rd(&h, LNL(PCODE_MAILBOX_SHADOW)), 0x102);
	assert_int_equal(host_ask(&h, ABI_JSM_DCT_ENABLE, &p), 0);
	wr(&h, LNL(PCODE_MAILBOX_STATUS), 0x260102); /* 38 of 128 */
	assert_int_equal(vnpu_fault(h.v, "dct-off", 1), 0);
	run_light();
	assert_int_equal(rd(&h, LNL(PCODE_MAILBOX_SHADOW)), 0x002);
	wr(&h, B(INTERRUPT_STAT), 0x40);
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_DCT_DISABLE, &p), 0);
	wr(&h, LNL(PCODE_MAILBOX_STATUS), 0x002);
	expect_clean(&h);
	wr(&h, LNL(PCODE_MAILBOX_STATUS), 0x002);
	assert_true(has_finding(&h, "without a request"));
}

/* P trap 4: only two bits are the driver's. */
static void test_status_bits(void **state)
{
	u32 status = rd(&h, B(VPU_STATUS));

	(void)state;
	if (!host_is_40xx())
		return;
	assert_int_equal(status & 0xc7, 0xc7);
	wr(&h, B(VPU_STATUS), status | 0x800);
	assert_int_equal(rd(&h, B(VPU_STATUS)), status | 0x800);
	wr(&h, B(VPU_STATUS), 0);
	assert_int_equal(rd(&h, B(VPU_STATUS)), status & ~0x1800u);
	assert_int_equal(rd(&h, LNL(CDYN)), host_info->wp_cdyn_on);
	expect_clean(&h);
	wr(&h, B(GLOBAL_INT_MASK), 1);
	wr(&h, B(LOCAL_INT_MASK), 0xffffffff);
	wr64(&h, V(HOST_SS_ICB_ENABLE), 0);
	wr(&h, V(HOST_SS_FW_SOC_IRQ_EN), 0);
	wr(&h, B(VPU_IP_RESET), 1);
	assert_true(has_finding(&h, "DISABLE_CLK_RELINQUISH"));
	host_sleep(&h, 1000000);
	host_wp(&h, false);
	assert_int_equal(rd(&h, LNL(CDYN)), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_frequency),
		T(test_duty_cycle),
		T(test_dct_request),
		T(test_status_bits),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
