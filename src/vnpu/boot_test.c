// SPDX-License-Identifier: MIT
/*
 * Power-up, MMU, firmware start and shutdown, by the checklist of P 13.2: each step left out fails
 * or is a finding.
 */
#include "vnpu/test_host.h"

static void test_boots_clean(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	expect_clean(&h);
	host_shutdown(&h);
	assert_int_equal(host_boot(&h), 0); /* and again, tables as they are */
	host_shutdown(&h);
	expect_clean(&h);
	host_close(&h);
}

/* A boot with something wrong: does anybody notice? */
static bool notices(struct host *h, bool ask)
{
	union abi_jsm_payload p = { 0 };
	int ret = host_boot(h);

	if (!ret && ask)
		(void)host_ask(h, ABI_JSM_QUERY_ENGINE_HB, &p);
	return ret || guest_errors(h);
}

/* Reads that decide nothing in the model, and are made in other places as well. */
static bool is_silent(u32 step)
{
	return step == SK_WP_WAIT;
}

static void test_each_step_left_out(void **state)
{
	(void)state;
	for (u32 i = 0; i < SK_END; i++) {
		struct host h;

		if (!host_has_step(i) || is_silent(i))
			continue;
		host_open(&h, 2);
		h.skip = UINT64_C(1) << i;
		/* without READY, its message would be taken for the answer */
		if (!notices(&h, i != SK_READY))
			fail_msg("step %s left out: nothing happens", host_steps[i].name);
		host_close(&h);
	}
}

/* May the two change places?  Neither stands on the other, and P gives no reason. */
static bool is_free_order(u32 step)
{
	return step == SK_WP_OFF || step == SK_CR0_EVTQ || is_silent(step);
}

static void test_each_step_late(void **state)
{
	(void)state;
	for (u32 i = 0; i < SK_END; i++) {
		struct host h;

		if (!host_has_step(i) || is_free_order(i) || host_next_step(i) == SK_END)
			continue;
		host_open(&h, 2);
		h.swap = i + 1;
		if (!notices(&h, i + 1 != SK_READY && i != SK_READY))
			fail_msg("step %s after its successor: nothing happens",
				 host_steps[i].name);
		host_close(&h);
	}
}

/* Where silicon would not work, the model does not either. */
static void test_hard_steps_fail(void **state)
{
	static const u8 hard[] = {
		SK_WP_ON,      SK_RST_CLR,     SK_TRICKLE, SK_ISLAND, SK_CLK,	SK_ISO,
		SK_RST,	       SK_HOST_NOC,    SK_TOP_NOC, SK_CR0_ON, SK_SSIDV, SK_CPU_RUN,
		SK_CPU_RESUME, SK_CPU_RESUMED, SK_CPU_NOC, SK_ENTRY,  SK_START, SK_STRTAB,
	};

	(void)state;
	for (u32 i = 0; i < sizeof(hard); i++) {
		struct host h;

		if (!host_has_step(hard[i]))
			continue;
		host_open(&h, 3);
		h.skip = UINT64_C(1) << hard[i];
		if (!host_boot(&h))
			fail_msg("step %s left out, and it boots", host_steps[hard[i]].name);
		host_close(&h);
	}
}

static void test_findings_name_the_step(void **state)
{
	static const struct {
		u8 step;
		const char *text;
	} rows[] = {
		{ SK_TRICKLE, "trickle (P 3.4 step 15)" },
		{ SK_CLK, "clocks (P 3.4 step 19)" },
		{ SK_DPU, "DPU_ACTIVE (P 3.4 step 22)" },
		{ SK_SSIDV, "MMUSSIDV (P 3.6 step 2)" },
		{ SK_D0I3, "D0i3 exit (P 3.4 step 2)" },
		{ SK_CR0_ON, "P 8.3 step 12" },
		{ SK_FLUSH1, "P 8.3 step 6" },
		{ SK_NOC_CHECK, "P 3.4 step 9" },
		{ SK_PERF_CLK, "P 3.4 step 5" },
		{ SK_IDLE_GEN, "P 3.4 step 12" },
		{ SK_CLOCK_ACK, "clock resource ack (P 3.4 step 13)" },
		{ SK_DELAY_POST, "EN_POST_DLY (P 3.4 step 14)" },
		{ SK_DELAY_STATUS, "STATUS_DLY (P 3.4 step 14)" },
		{ SK_WEIGHTS, "arbitration weights (P 3.4 step 25)" },
		{ SK_WEIGHTS_ATS, "ATS arbitration weights (P 3.4 step 25)" },
		{ SK_CPU_NOC, "CPU NOC request (P 3.6 step 3)" },
		{ SK_CPU_NOC_ACK, "P 3.6 step 4" },
		{ SK_CPU_NOC_DENY, "P 3.6 step 5" },
		{ SK_ENTRY, "entry address (P 3.6 step 6)" },
	};

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		struct host h;

		if (!host_has_step(rows[i].step))
			continue;
		host_open(&h, 4);
		h.skip = UINT64_C(1) << rows[i].step;
		if (rows[i].step == SK_CPU_NOC) /* the host would stop at its check */
			h.skip |= UINT64_C(1) << SK_CPU_NOC_ACK;
		(void)host_boot(&h);
		if (!has_finding(&h, rows[i].text))
			fail_msg("no finding says %s", rows[i].text);
		host_close(&h);
	}
}

/* P 3.5: values of a generation; with the high profiling clock others. */
static void test_power_delays(void **state)
{
	struct host h;

	(void)state;
	if (!host_has_step(SK_DELAY_POST))
		return;
	host_open(&h, 4);
	h.skip = UINT64_C(1) << SK_DELAY_POST;
	host_pci_on(&h);
	assert_int_equal(host_run_steps(&h, 0, SK_DELAY_POST), 0);
	wr(&h, V50(HOST_SS_AON_PWR_ISLAND_STATUS_DLY), 1 + host_info->pwr_delay.status);
	assert_true(has_finding(&h, "power island delay"));
	rmw(&h, LNL(VPU_STATUS), 0, 1u << 11);
	wr(&h, V50(HOST_SS_AON_PWR_ISLAND_STATUS_DLY), host_info->pwr_delay_fast.status);
	wr(&h, V50(HOST_SS_AON_PWR_ISLAND_EN_POST_DLY),
	   host_info->pwr_delay_fast.post | (u32)host_info->pwr_delay_fast.post2 << 16);
	assert_int_equal(guest_errors(&h), 2); /* the order of the profiling clock is the other */
	host_close(&h);
}

static void test_ip_reset_left_out(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, 5);
	assert_int_equal(host_boot(&h), 0);
	wr(&h, B(GLOBAL_INT_MASK), 1);
	host_wp(&h, false);
	assert_true(has_finding(&h, "without IP reset"));
	host_close(&h);
}

static void test_ip_reset_clears(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, 6);
	assert_int_equal(host_boot(&h), 0);
	wr(&h, B(GLOBAL_INT_MASK), 1);
	wr(&h, B(LOCAL_INT_MASK), 0xffffffff);
	wr64(&h, V(HOST_SS_ICB_ENABLE), 0);
	wr(&h, V(HOST_SS_FW_SOC_IRQ_EN), 0);
	assert_int_equal(rd(&h, V(HOST_SS_NOC_QREQN)), 1);
	if (host_is_40xx())
		rmw(&h, LNL(VPU_STATUS), 0, 1u << 12);
	wr(&h, B(VPU_IP_RESET), 1);
	assert_true(host_poll(&h, B(VPU_IP_RESET), 1, 0, 150000));
	assert_int_equal(rd(&h, V(HOST_SS_NOC_QREQN)), 0);
	assert_int_equal(rd(&h, V(HOST_SS_NOC_QACCEPTN)), 0);
	assert_int_equal(rd(&h, V(TOP_NOC_QREQN)), 0);
	assert_int_equal(rd(&h, V(HOST_SS_AON_PWR_ISLAND_STATUS0)), 0);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 1, 1); /* the buttress stays */
	expect_clean(&h);
	(void)rd(&h, M(CR0)); /* behind TOP_NOC, which is down */
	assert_int_equal(guest_errors(&h), 1);
	host_close(&h);
}

static void test_d3hot_drops_everything(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, 7);
	assert_int_equal(host_boot(&h), 0);
	host_shutdown(&h);
	expect_clean(&h);
	assert_int_equal(cfg_rd(&h, 4, 2), 0);
	assert_int_equal(rd(&h, B(VPU_STATUS)), UINT32_MAX); /* no memory decoding */
	assert_int_equal(guest_errors(&h), 1);
	host_pci_on(&h);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 1, 0);
	assert_int_equal(rd(&h, B(VPU_D0I3_CONTROL)), 0);
	host_close(&h);
}

/* P 5.1: what the firmware insists on. */
static void test_boot_parameters(void **state)
{
	static const struct {
		u32 off, val;
		const char *text;
	} rows[] = {
		{ offsetof(struct abi_boot_params, magic), 0x20000, "magic" },
		{ offsetof(struct abi_boot_params, boot_type), 1, "boot_type" },
		{ offsetof(struct abi_boot_params, vpu_scheduling_mode), 2, "vpu_scheduling_mode" },
		{ offsetof(struct abi_boot_params, ipc_header_area_start), 0x9000f000,
		  "ipc_header_area_start" },
		{ offsetof(struct abi_boot_params, ipc_header_area_size), 8,
		  "ipc_header_area_start" },
		{ offsetof(struct abi_boot_params, ipc_payload_area_start), 0x90004020,
		  "ipc_payload_area_start" },
		{ offsetof(struct abi_boot_params, crit_tracing_buff_size), 4096,
		  "crit_tracing_buff_addr" },
	};

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		struct host h;
		u8 *page;

		host_open(&h, 8);
		host_tables(&h);
		host_fw_memory(&h);
		page = (u8 *)host_params(&h);
		memcpy(page + rows[i].off, &rows[i].val, sizeof(u32));
		assert_int_equal(host_boot(&h), -ETIMEDOUT);
		assert_true(has_finding(&h, rows[i].text));
		host_close(&h);
	}
}

static void test_entry_not_mapped(void **state)
{
	struct host h;
	struct abi_mmu_event *ev;

	(void)state;
	host_open(&h, 9);
	host_tables(&h);
	host_fw_memory(&h);
	*host_pte(&h, 0, HOST_ENTRY) = ABI_MMU_PTE_DUMMY;
	assert_int_equal(host_boot(&h), -ETIMEDOUT);
	ev = host_ptr(&h, h.evtq);
	assert_int_equal(ev->id, ABI_MMU_EVT_ID(ABI_MMU_EVT_F_TRANSLATION, 0));
	assert_int_equal(ev->input_lo, HOST_ENTRY);
	assert_true(rd(&h, V(HOST_SS_ICB_STATUS_0)) & 0x20);
	host_close(&h);
}

static void test_faults_at_boot(void **state)
{
	static const struct {
		const char *name;
		int ret;
	} rows[] = { { "pll-never-locks", -ETIMEDOUT },
		     { "island-stuck", -17 },
		     { "noc-denied", -24 },
		     { "fw-never-ready", -ETIMEDOUT } };

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		struct host h;

		host_open(&h, 10);
		assert_int_equal(vnpu_fault(h.v, rows[i].name, 1), 0);
		assert_int_equal(host_boot(&h), rows[i].ret);
		vnpu_reset(h.v);
		assert_int_equal(host_boot(&h), 0); /* once only */
		host_close(&h);
	}
}

/* What Linux reads when a boot failed, P 2.6. */
static void give_up(struct host *h)
{
	(void)rd(h, B(INTERRUPT_STAT));
	(void)rd(h, V(HOST_SS_ICB_STATUS_0));
	(void)rd(h, V(HOST_SS_TIM_IPC_FIFO_STAT));
}

/* A boot that ends half-way is nobody's omission, also when interrupts are closed before. */
static void test_given_up(void **state)
{
	static const u8 ends[] = { SK_ISLAND_POLL, SK_TOP_ACK, SK_FLUSH1, SK_SSIDV, SK_READY };

	(void)state;
	for (u32 i = 0; i < 2 * BASE_ARRAY_SIZE(ends); i++) {
		struct host h;

		host_open(&h, 11);
		host_pci_on(&h);
		host_tables(&h);
		host_fw_memory(&h);
		assert_int_equal(host_run_steps(&h, 0, ends[i / 2]), 0);
		give_up(&h);
		if (i % 2)
			host_shutdown(&h);
		else
			vnpu_reset(h.v);
		expect_clean(&h);
		h.cmdq_prod = 0;
		assert_int_equal(host_boot(&h), 0);
		expect_clean(&h);
		host_close(&h);
	}
}

/* The same reads, but the boot goes on: with the next write it is certain what was left out. */
static void test_not_given_up(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, 12);
	host_pci_on(&h);
	host_tables(&h);
	host_fw_memory(&h);
	assert_int_equal(host_run_steps(&h, 0, SK_EVTQ), 0);
	give_up(&h);
	expect_clean(&h);
	assert_int_equal(host_run_steps(&h, SK_CR0_EVTQ, SK_END), 0);
	assert_true(has_finding(&h, "EVTQ_BASE"));
	host_close(&h);
}

static void test_creation(void **state)
{
	struct vnpu_config cfg = { .gen = "npu99" };
	struct vnpu *v = NULL;
	char why[200] = "";

	(void)state;
	assert_int_equal(vnpu_create(&cfg, &v, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "npu99"));
	cfg.gen = "npu37";
	cfg.device_id = 0x643e;
	assert_int_equal(vnpu_create(&cfg, &v, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "643e"));
	cfg.device_id = 0xad1d;
	cfg.engine = "abacus";
	assert_int_equal(vnpu_create(&cfg, &v, why, sizeof(why)), -EINVAL);
	cfg.engine = "plain";
	assert_int_equal(vnpu_create(&cfg, &v, NULL, 0), 0);
	vnpu_destroy(v);
	for (u32 i = 0; reg_gen_by_idx(i); i++) { /* every id of P 1.1 */
		const struct reg_gen *g = reg_gen_by_idx(i);

		for (u32 k = 0; g->ids[k].product; k++) {
			cfg = (struct vnpu_config){ .gen = g->name, .device_id = g->ids[k].device };
			assert_int_equal(vnpu_create(&cfg, &v, why, sizeof(why)), 0);
			vnpu_destroy(v);
		}
	}
	cfg = (struct vnpu_config){ .gen = host_info->name, .engine = "plain" };
	for (u64 n = 1; n < 20; n++) { /* every allocation of it can fail */
		base_alloc_fail_nth(n);
		v = NULL;
		if (!vnpu_create(&cfg, &v, why, sizeof(why))) {
			vnpu_destroy(v);
			assert_true(n > 1);
			break;
		}
	}
	base_alloc_fail_nth(0);
	vnpu_destroy(NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boots_clean),
		cmocka_unit_test(test_each_step_left_out),
		cmocka_unit_test(test_each_step_late),
		cmocka_unit_test(test_hard_steps_fail),
		cmocka_unit_test(test_findings_name_the_step),
		cmocka_unit_test(test_power_delays),
		cmocka_unit_test(test_ip_reset_left_out),
		cmocka_unit_test(test_ip_reset_clears),
		cmocka_unit_test(test_d3hot_drops_everything),
		cmocka_unit_test(test_boot_parameters),
		cmocka_unit_test(test_entry_not_mapped),
		cmocka_unit_test(test_faults_at_boot),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_not_given_up),
		cmocka_unit_test(test_creation),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
