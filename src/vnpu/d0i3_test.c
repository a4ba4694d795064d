// SPDX-License-Identifier: MIT
/* D0i3 and the warm boot; logs; what is kept and what is not.  P 5.3, 5.5, 11.1 to 11.3 */
#include "abi/trace_buf.h"
#include "vnpu/test_host.h"

#define DATA	 (HOST_USER + 0x1000)
#define CRIT_VA	 UINT64_C(0x90100000)
#define VERB_VA	 UINT64_C(0x90200000)
#define LOG_SIZE 0x4000u

/* SRC: P 11.8 fw_log_level */
#define VNPU_LEVEL_DEBUG 1u
#define VNPU_LEVEL_ERROR 4u

static struct host h;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

/* P 11.1: to D3hot and back; the page says what the firmware has written. */
static u64 sleep_well(u64 residency_us)
{
	union abi_jsm_payload p = { .d0i3_enter = { 1, 0 } };
	struct abi_boot_params *bp = host_params(&h);
	u64 addr, ts = 0;

	assert_int_equal(host_ask_on(&h, ABI_IPC_CHAN_GEN, ABI_JSM_PWR_D0I3_ENTER, &p), 0);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 3, 3);
	assert_int_equal(vnpu_bar_read(h.v, V(CPU_SS_TIM_PERF_FREE_CNT), 8, &ts), 0);
	host_shutdown(&h);
	host_sleep(&h, residency_us * 1000);
	addr = bp->save_restore_ret_address;
	bp->d0i3_residency_time_us = residency_us;
	bp->d0i3_entry_vpu_ts = ts;
	return addr;
}

/* P 5.3 step 4; @newest: 7.2 writes boot_type, 6.12 does not. */
static int wake_warm(u64 addr, bool newest)
{
	struct abi_boot_params *bp = host_params(&h);

	bp->save_restore_ret_address = 0;
	bp->boot_type = newest ? ABI_BOOT_TYPE_WARM : ABI_BOOT_TYPE_COLD;
	h.entry = host_info->ip_gen == 60 ? 0 : addr;
	return host_boot(&h);
}

static int wake_cold(void)
{
	struct abi_boot_params *bp = host_params(&h);

	bp->save_restore_ret_address = 0;
	bp->boot_type = ABI_BOOT_TYPE_COLD;
	h.entry = 0;
	memset(host_at(&h, 0, HOST_RX_VA), 0, 0x1000);
	for (u32 i = 0; i < 3; i++)
		memset(host_at(&h, 0, HOST_RX_VA + 0x1000 * (i + 1)), 0, 0x1000);
	return host_boot(&h);
}

static u64 time_stamp(u32 db, u32 type)
{
	const struct abi_cmd_timestamp ts = { { ABI_CMD_TIMESTAMP, 16 }, type, DATA };
	struct cmdbuf c;

	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &ts, sizeof(ts));
	assert_int_equal(host_run(&h, db, HOST_USER, 0x100), 0);
	return *(u64 *)host_at(&h, 2, DATA);
}

static u64 system_time(u32 db)
{
	return time_stamp(db, ABI_TS_SYSTEM);
}

static u64 heartbeat(void)
{
	union abi_jsm_payload p = { 0 };

	assert_int_equal(host_ask(&h, ABI_JSM_QUERY_ENGINE_HB, &p), 0);
	return p.engine_hb_done.heartbeat;
}

/* Doorbells and queues are as before, heads included; time goes on. */
static void test_warm_boot(void **state)
{
	u64 before, after, hb;

	(void)state;
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	before = system_time(1);
	hb = heartbeat();
	for (u32 i = 0; i < 3; i++) {
		u64 addr = sleep_well(20000);

		assert_true(addr != 0 && addr != HOST_ENTRY);
		if (host_info->ip_gen != 60) /* 37xx loses the low bits */
			assert_int_equal(addr % 4096, 0);
		assert_int_equal(wake_warm(addr, true), 0);
		after = system_time(1);
		assert_true(after > before + host_info->perf_hz / 50); /* 20 ms */
		assert_true(after < before + host_info->perf_hz / 10);
		before = after;
		assert_true(heartbeat() > hb);
		hb = heartbeat();
	}
	assert_true(host_params(&h)->device_time_delta_ticks != 0);
	expect_clean(&h);
}

/* P 5.1, 10.8: the raw counter, all 37xx has, starts again; the difference is in the parameters. */
static void test_raw_time(void **state)
{
	u64 raw, system, delta, counter;

	(void)state;
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	host_sleep(&h, 50000000);
	raw = time_stamp(1, ABI_TS_RAW);
	assert_true(raw > host_info->perf_hz / 20);
	assert_int_equal(wake_warm(sleep_well(20000), true), 0);
	delta = host_params(&h)->device_time_delta_ticks;
	assert_true(time_stamp(1, ABI_TS_RAW) < raw);
	system = system_time(1);
	raw = time_stamp(1, ABI_TS_RAW);
	assert_int_equal(vnpu_bar_read(h.v, V(CPU_SS_TIM_PERF_FREE_CNT), 8, &counter), 0);
	assert_in_range(raw, system - delta, counter);
	assert_true(counter < system);
	expect_clean(&h);
}

/* 6.12 does not write boot_type: the address tells.  P 5.3 */
static void test_lts_kernel(void **state)
{
	u64 addr;

	(void)state;
	if (host_info->ip_gen == 60) /* unknown to 6.12 */
		return;
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	addr = sleep_well(1000);
	assert_int_equal(wake_warm(addr, false), 0);
	(void)system_time(1);
	expect_clean(&h);
}

static void test_cold_boot_forgets(void **state)
{
	u64 addr;

	(void)state;
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	addr = sleep_well(1000);
	assert_int_equal(wake_cold(), 0);
	expect_clean(&h);
	wr(&h, V(CPU_SS_DOORBELL) + 0x1000, 1);
	host_sleep(&h, 100000);
	assert_true(has_finding(&h, "not registered"));
	host_shutdown(&h);
	assert_int_equal(wake_warm(addr, true), -ETIMEDOUT); /* nothing is saved any more */
	assert_true(has_finding(&h, "boot_type"));
}

/* What the driver must write: else a finding, not a failure. */
static void test_driver_forgets(void **state)
{
	u64 addr = sleep_well(1000);
	struct abi_boot_params *bp = host_params(&h);

	(void)state;
	h.entry = host_info->ip_gen == 60 ? 0 : addr;
	bp->boot_type = ABI_BOOT_TYPE_WARM;
	bp->d0i3_entry_vpu_ts = 0;
	assert_int_equal(host_boot(&h), 0); /* save_restore_ret_address not cleared */
	assert_true(has_finding(&h, "save_restore_ret_address"));
	assert_true(has_finding(&h, "d0i3_entry_vpu_ts"));
}

static void test_jobs_pending(void **state)
{
	union abi_jsm_payload p = { .d0i3_enter = { 1, 0 } };
	struct cmdbuf c;

	(void)state;
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	host_submit(&h, 1, HOST_USER, 1);
	host_sleep(&h, 100000);
	assert_int_equal(host_ask_on(&h, ABI_IPC_CHAN_GEN, ABI_JSM_PWR_D0I3_ENTER, &p), 0);
	assert_int_equal(host_params(&h)->save_restore_ret_address, 0);
	assert_true(has_finding(&h, "jobs pending"));
}

/* Nowhere to resume: the next boot is cold, without a finding. */
static void test_no_resume_page(void **state)
{
	(void)state;
	*host_pte(&h, 0, HOST_ENTRY + 0x1000) = ABI_MMU_PTE_DUMMY;
	host_flush(&h, 0);
	assert_int_equal(sleep_well(1000), 0);
	assert_int_equal(wake_cold(), 0);
	expect_clean(&h);
}

/* Hardware scheduling: queues, bands and doorbells stay; P 5.3 */
static void test_command_queues(void **state)
{
	const u64 base = host_jobq_va(3);
	union abi_jsm_payload p = { .band_setup = { .normal_band_percentage = 10 } };
	u64 addr;

	(void)state;
	host_close(&h);
	host_open(&h, 2);
	h.hws = true;
	assert_int_equal(host_boot(&h), 0);
	host_context(&h, 2);
	host_new(&h, 0, base, 1);
	host_flush(&h, 0);
	assert_int_equal(host_ask(&h, ABI_JSM_SET_PRIORITY_BAND_SETUP, &p), 0);
	p = (union abi_jsm_payload){ .create_cmdq = { .host_ssid = 2,
						      .cmdq_id = 7,
						      .cmdq_base = base,
						      .cmdq_size = 4096 } };
	assert_int_equal(host_ask(&h, ABI_JSM_CREATE_CMD_QUEUE, &p), 0);
	p = (union abi_jsm_payload){ .hws_register_db = { 3, 2, 7, base, 4096 } };
	assert_int_equal(host_ask(&h, ABI_JSM_HWS_REGISTER_DB, &p), 0);
	addr = sleep_well(1000);
	assert_int_equal(wake_warm(addr, true), 0);
	(void)system_time(3);
	p = (union abi_jsm_payload){ .db = { 3, 0 } };
	assert_int_equal(host_ask(&h, ABI_JSM_UNREGISTER_DB, &p), 0);
	p = (union abi_jsm_payload){ .cmdq = { 2, 0, 7 } };
	assert_int_equal(host_ask(&h, ABI_JSM_DESTROY_CMD_QUEUE, &p), 0);
	expect_clean(&h);
}

/*
 * Logs
 */

static void open_with_logs(u32 level)
{
	struct abi_boot_params *p;

	host_close(&h);
	host_open(&h, 3);
	host_tables(&h);
	host_fw_memory(&h);
	host_new(&h, 0, CRIT_VA, LOG_SIZE / 4096);
	host_new(&h, 0, VERB_VA, LOG_SIZE / 4096);
	p = host_params(&h);
	p->crit_tracing_buff_addr = CRIT_VA;
	p->crit_tracing_buff_size = LOG_SIZE;
	p->verbose_tracing_buff_addr = VERB_VA;
	p->verbose_tracing_buff_size = LOG_SIZE;
	p->trace_destination_mask = ABI_BOOT_TRACE_VERBOSE;
	p->default_trace_level = level;
	assert_int_equal(host_boot(&h), 0);
}

/* The text as the driver prints it, from the oldest line on: P 5.5 */
static const char *log_text(u64 va)
{
	static char text[LOG_SIZE + 1];
	const struct abi_trace_header *t = host_at(&h, 0, va);
	u32 size = t->size - t->header_size, n = 0;
	u32 from = t->wrap_count ? t->write_index : 0, len = t->wrap_count ? size : t->write_index;

	assert_int_equal(t->vpu_canary_start, ABI_TRACE_CANARY);
	assert_int_equal(t->size, LOG_SIZE);
	assert_int_equal(t->header_size, 128);
	assert_int_equal(t->format, ABI_TRACE_FORMAT_STRING);
	assert_true(t->write_index < size);
	for (; n < len; n++)
		text[n] = *(char *)host_at(&h, 0, va + 128 + (from + n) % size);
	text[n] = 0;
	return text;
}

static void test_logs(void **state)
{
	union abi_jsm_payload p = { .dyndbg.cmd = "module nn +p" };

	(void)state;
	open_with_logs(0);
	assert_non_null(strstr(log_text(VERB_VA), "virtual NPU"));
	assert_string_equal(log_text(CRIT_VA), "");
	assert_int_equal(host_ask_on(&h, ABI_IPC_CHAN_GEN, ABI_JSM_DYNDBG_CONTROL, &p), 0);
	assert_non_null(strstr(log_text(VERB_VA), "module nn +p"));
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_STATE_DUMP, &p), 0);
	assert_non_null(strstr(log_text(CRIT_VA), "state dump"));
	expect_clean(&h);
}

static void test_log_levels(void **state)
{
	union abi_jsm_payload p = { 0 };

	(void)state;
	open_with_logs(VNPU_LEVEL_ERROR);
	assert_string_equal(log_text(VERB_VA), "");
	p.trace_config.trace_level = VNPU_LEVEL_DEBUG;
	p.trace_config.trace_destination_mask = ABI_BOOT_TRACE_VERBOSE;
	assert_int_equal(host_ask(&h, ABI_JSM_TRACE_SET_CONFIG, &p), 0);
	(void)heartbeat();
	assert_non_null(strstr(log_text(VERB_VA), "QUERY_ENGINE_HB"));
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_TRACE_GET_CONFIG, &p), 0);
	assert_int_equal(p.trace_config.trace_level, VNPU_LEVEL_DEBUG);
	for (u32 i = 0; i < 1000; i++) /* more than the ring holds */
		(void)heartbeat();
	assert_true(((struct abi_trace_header *)host_at(&h, 0, VERB_VA))->wrap_count > 0);
	assert_non_null(strstr(log_text(VERB_VA), "QUERY_ENGINE_HB, request 1002"));
	expect_clean(&h);
}

/* A context's fault is in the critical log. */
static void test_fault_is_logged(void **state)
{
	struct abi_jsm_job_done done;
	struct cmdbuf c;

	(void)state;
	open_with_logs(0);
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, 0x1000, 1);
	host_submit(&h, 1, HOST_USER, 1);
	assert_true(host_done(&h, &done, 100000));
	assert_non_null(strstr(log_text(CRIT_VA), "MMU fault"));
	assert_non_null(strstr(log_text(CRIT_VA), "SSID 2"));
	expect_clean(&h);
}

/* P 5.3: a warm boot goes on in the same log. */
static void test_log_over_d0i3(void **state)
{
	u64 addr;

	(void)state;
	open_with_logs(0);
	addr = sleep_well(1000);
	assert_int_equal(wake_warm(addr, true), 0);
	assert_non_null(strstr(log_text(VERB_VA), "virtual NPU"));
	assert_non_null(strstr(log_text(VERB_VA), "warm boot"));
	expect_clean(&h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_warm_boot),	   T(test_raw_time),	    T(test_lts_kernel),
		T(test_cold_boot_forgets), T(test_driver_forgets),  T(test_jobs_pending),
		T(test_no_resume_page),	   T(test_command_queues),  T(test_logs),
		T(test_log_levels),	   T(test_fault_is_logged), T(test_log_over_d0i3),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
