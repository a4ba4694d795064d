// SPDX-License-Identifier: MIT
/* Hardware scheduling: bands, quanta, starvation, suspension, engine reset.  P 7.4, 10.7, 11 */
#include "vnpu/test_host.h"

#define BIG	 (HOST_USER + 0x10000000)
#define BIG_SIZE (16u << 20)
#define DATA	 (HOST_USER + 0x1000)

static struct host h;

/* 100 ns units */
struct bands {
	u32 quantum, percent, grace;
};

static void setup_bands(const struct bands *b)
{
	union abi_jsm_payload p = { .band_setup.normal_band_percentage = b->percent };

	for (u32 i = 0; i < ABI_JSM_NR_BANDS; i++) {
		p.band_setup.process_quantum[i] = b->quantum;
		p.band_setup.grace_period[i] = b->grace;
	}
	assert_int_equal(host_ask(&h, ABI_JSM_SET_PRIORITY_BAND_SETUP, &p), 0);
}

static void open_bands(u64 seed, struct bands b)
{
	host_open(&h, seed);
	h.hws = true;
	assert_int_equal(host_boot(&h), 0);
	setup_bands(&b);
}

static void open_host(void)
{
	open_bands(1, (struct bands){ .quantum = 160000, .percent = 10 });
}

/* Queue @id of context @ssid in @band, on the doorbell of the same number as @id. */
static void add_queue(u32 ssid, u32 id, u32 band)
{
	const u64 base = host_jobq_va(id);
	union abi_jsm_payload p = { .create_cmdq = { .process_id = 100 + ssid,
						     .host_ssid = ssid,
						     .cmdq_group = ssid,
						     .cmdq_id = id,
						     .cmdq_base = base,
						     .cmdq_size = 4096 } };

	if (!*host_pte(&h, 0, base)) {
		host_new(&h, 0, base, 1);
		host_flush(&h, 0);
	}
	memset(host_at(&h, 0, base), 0, 4096);
	assert_int_equal(host_ask(&h, ABI_JSM_CREATE_CMD_QUEUE, &p), 0);
	p = (union abi_jsm_payload){ .sched_properties = { .host_ssid = ssid,
							   .cmdq_id = id,
							   .priority_band = band,
							   .context_quantum = 20000 } };
	assert_int_equal(host_ask(&h, ABI_JSM_SET_CONTEXT_SCHED_PROPERTIES, &p), 0);
	p = (union abi_jsm_payload){ .hws_register_db = { id, ssid, id, base, 4096 } };
	assert_int_equal(host_ask(&h, ABI_JSM_HWS_REGISTER_DB, &p), 0);
	assert_int_equal(h.jsm_answer, ABI_JSM_REGISTER_DB_DONE);
}

/* User memory, and 16 MiB that are one page: long work in little memory. */
static void add_context(u32 ssid)
{
	u64 page = host_pages(&h, 1);

	for (u32 i = 0; i < BIG_SIZE / 4096; i++)
		*host_pte(&h, ssid, BIG + i * 4096) = page | ABI_MMU_PTE_CACHED;
	host_context(&h, ssid);
}

/* A job of @nr long fills, a mark at DATA + 64 * i after each; 0: a light one.  Its buffer. */
static u64 make_job(u32 ssid, u32 nr)
{
	const struct abi_cmd_memory_fill f = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
					       .start_address = BIG,
					       .size = BIG_SIZE };
	struct cmdbuf c;

	cmdbuf_begin(&c, &h, ssid, HOST_USER);
	for (u32 i = 0; i < nr; i++) {
		cmdbuf_add(&c, &f, sizeof(f));
		cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA + 64 * i, 1);
	}
	return HOST_USER;
}

static u64 mark(u32 ssid, u32 i)
{
	return *(u64 *)host_at(&h, ssid, DATA + 64 * i);
}

/* Contexts 2 to 5, with a queue of their number in the bands idle to realtime. */
static void four_bands(u32 fills)
{
	for (u32 i = 0; i < 4; i++) {
		add_context(2 + i);
		add_queue(2 + i, 2 + i, i);
		(void)make_job(2 + i, fills);
	}
}

static void expect_order(const u32 *ids, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		struct abi_jsm_job_done done = { 0 };

		if (!host_done(&h, &done, 1000000))
			fail_msg("job %u does not end", ids[i]);
		assert_int_equal(done.job_status, 0);
		assert_int_equal(done.job_id, ids[i]);
	}
}

/* Rung together, from the lowest band up: the best is first. */
static void test_light_jobs(void **state)
{
	static const u32 order[] = { 5, 4, 3, 2 };

	(void)state;
	open_host();
	four_bands(0);
	for (u32 i = 2; i < 6; i++)
		host_submit(&h, i, HOST_USER, i);
	expect_order(order, 4);
	expect_clean(&h);
	host_close(&h);
}

static void test_heavy_jobs(void **state)
{
	static const u32 order[] = { 9, 5, 4, 3, 2 };

	(void)state;
	open_host();
	add_context(6);
	add_queue(6, 6, ABI_PRIO_REALTIME);
	four_bands(1);
	host_submit(&h, 6, make_job(6, 1), 9);
	host_sleep(&h, 4000);
	for (u32 i = 2; i < 6; i++)
		host_submit(&h, i, HOST_USER, i);
	expect_order(order, 5);
	expect_clean(&h);
	host_close(&h);
}

/* While normal has the engine: higher bands go by, its own and lower ones wait. */
static void test_light_beside_heavy(void **state)
{
	static const u32 order[] = { 5, 4, 9, 3, 2 };

	(void)state;
	open_host();
	add_context(6);
	add_queue(6, 6, ABI_PRIO_NORMAL);
	four_bands(0);
	host_submit(&h, 6, make_job(6, 3), 9);
	host_sleep(&h, 4000);
	for (u32 i = 2; i < 6; i++)
		host_submit(&h, i, HOST_USER, i);
	expect_order(order, 5);
	expect_clean(&h);
	host_close(&h);
}

static void test_preemption(void **state)
{
	static const u32 order[] = { 4, 2 };

	(void)state;
	open_host();
	four_bands(10);
	host_submit(&h, 2, HOST_USER, 2);
	host_sleep(&h, 100000);
	assert_int_equal(mark(2, 9), 0);
	host_submit(&h, 4, make_job(4, 2), 4);
	expect_order(order, 2);
	expect_clean(&h);
	host_close(&h);
}

/* How many jobs of normal have ended when the last of focus has? */
static u32 normal_beside_focus(u32 percent)
{
	struct abi_jsm_job_done done = { 0 };
	u32 nr = 0;

	open_bands(3, (struct bands){ .quantum = 100, .percent = percent });
	four_bands(1);
	for (u32 i = 0; i < 20; i++)
		host_submit(&h, 4, HOST_USER, 400 + i);
	for (u32 i = 0; i < 20; i++)
		host_submit(&h, 3, HOST_USER, 300 + i);
	while (done.job_id != 419) {
		assert_true(host_done(&h, &done, 1000000));
		nr += done.job_id < 400;
	}
	for (u32 i = nr; i < 20; i++)
		assert_true(host_done(&h, &done, 1000000));
	expect_clean(&h);
	host_close(&h);
	return nr;
}

static void test_starvation(void **state)
{
	(void)state;
	assert_true(normal_beside_focus(0) <= 1);
	assert_in_range(normal_beside_focus(20), 2, 10);
	assert_true(normal_beside_focus(50) > normal_beside_focus(20));
}

/* How far is the second of two processes of a band when the first has ended? */
static u32 second_when_first_ends(u32 quantum)
{
	struct abi_jsm_job_done done = { 0 };
	u32 marks = 0;

	open_bands(4, (struct bands){ .quantum = quantum, .percent = 10 });
	for (u32 i = 2; i < 4; i++) {
		add_context(i);
		add_queue(i, i, ABI_PRIO_NORMAL);
		host_submit(&h, i, make_job(i, 10), i);
	}
	assert_true(host_done(&h, &done, 1000000));
	assert_int_equal(done.job_id, 2);
	while (marks < 10 && mark(3, marks))
		marks++;
	assert_true(host_done(&h, &done, 1000000));
	expect_clean(&h);
	host_close(&h);
	return marks;
}

static void test_quantum(void **state)
{
	(void)state;
	assert_in_range(second_when_first_ends(1), 7, 10);
	assert_in_range(second_when_first_ends(100000000), 0, 1);
}

static u32 marks_of(u32 ssid, u32 nr)
{
	u32 marks = 0;

	while (marks < nr && mark(ssid, marks))
		marks++;
	return marks;
}

/* A process with three queues has no more of the engine than others with one. */
static void test_queues_of_a_process(void **state)
{
	static const u32 ssid_of[] = { [2] = 2, [3] = 2, [4] = 2, [5] = 3, [6] = 4 };
	struct abi_jsm_job_done done = { 0 };
	u32 left = 3;

	(void)state;
	open_bands(5, (struct bands){ .quantum = 1, .percent = 10 });
	for (u32 i = 2; i < 5; i++)
		add_context(i);
	(void)make_job(2, 3);
	(void)make_job(3, 9);
	(void)make_job(4, 9);
	for (u32 id = 2; id < 7; id++)
		add_queue(ssid_of[id], id, ABI_PRIO_NORMAL);
	for (u32 id = 2; id < 7; id++)
		host_submit(&h, id, HOST_USER, id);
	while (left) {
		assert_true(host_done(&h, &done, 1000000));
		left -= done.host_ssid == 2;
	}
	assert_in_range(marks_of(3, 9), 7, 9);
	assert_in_range(marks_of(4, 9), 7, 9);
	host_close(&h);
}

static void test_suspend(void **state)
{
	union abi_jsm_payload p = { .hws_suspend = { 2, 0, 2, 7 } };
	struct abi_jsm_job_done done;

	(void)state;
	open_host();
	four_bands(5);
	host_submit(&h, 2, HOST_USER, 2);
	host_sleep(&h, 60000);
	assert_int_equal(host_ask(&h, ABI_JSM_HWS_SUSPEND_CMDQ, &p), 0);
	assert_int_equal(p.hws_suspend.suspend_fence_value, 7);
	assert_false(host_done(&h, &done, 1000000));
	assert_int_equal(mark(2, 4), 0);
	host_submit(&h, 3, HOST_USER, 3); /* others have the engine */
	expect_order((u32[]){ 3 }, 1);
	p = (union abi_jsm_payload){ .cmdq = { 2, 0, 2 } };
	assert_int_equal(host_ask(&h, ABI_JSM_HWS_RESUME_CMDQ, &p), 0);
	expect_order((u32[]){ 2 }, 1);
	expect_clean(&h);
	host_close(&h);
}

static void destroy(u32 ssid, u32 id, bool newest)
{
	union abi_jsm_payload p = { .db = { id, 0 } };

	if (newest) /* 7.2; 6.12 the other way round: P 7.3 */
		assert_int_equal(host_ask(&h, ABI_JSM_UNREGISTER_DB, &p), 0);
	p = (union abi_jsm_payload){ .cmdq = { ssid, 0, id } };
	assert_int_equal(host_ask(&h, ABI_JSM_DESTROY_CMD_QUEUE, &p), 0);
	p = (union abi_jsm_payload){ .db = { id, 0 } };
	if (!newest)
		assert_int_equal(host_ask(&h, ABI_JSM_UNREGISTER_DB, &p), 0);
}

static void reset_and_abort(u32 ssid, bool newest)
{
	union abi_jsm_payload p = { 0 };

	assert_int_equal(host_ask(&h, ABI_JSM_ENGINE_RESET, &p), 0);
	assert_int_equal(p.engine_reset_done.num_impacted_contexts, 1);
	assert_int_equal(p.engine_reset_done.impacted_contexts[0].host_ssid, ssid);
	assert_int_equal(p.engine_reset_done.impacted_contexts[0].cmdq_id, ssid);
	assert_int_equal(p.engine_reset_done.impacted_contexts[0].flags, 0);
	destroy(ssid, ssid, newest);
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_HWS_ENGINE_RESUME, &p), 0);
	assert_int_equal(h.jsm_answer, ABI_JSM_HWS_RESUME_ENGINE_DONE);
}

/* P 10.7: the stuck one goes, jobs that wait for a fence or for the engine lose nothing. */
static void test_reset_of_stuck(void **state)
{
	struct abi_jsm_job_done done;
	struct cmdbuf c;

	(void)state;
	open_host();
	four_bands(1);
	assert_int_equal(vnpu_fault(h.v, "stuck-engine", 1), 0);
	host_submit(&h, 4, HOST_USER, 4);
	host_sleep(&h, 100000);
	cmdbuf_begin(&c, &h, 5, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	host_submit(&h, 5, HOST_USER, 5);
	assert_false(host_done(&h, &done, 100000));
	reset_and_abort(4, true);
	*(u64 *)host_at(&h, 5, DATA) = 6;
	expect_order((u32[]){ 5 }, 1);
	host_submit(&h, 3, HOST_USER, 3);
	expect_order((u32[]){ 3 }, 1);
	expect_clean(&h);
	host_close(&h);
}

static void test_reset_of_running(void **state)
{
	struct abi_jsm_job_done done;

	(void)state;
	open_bands(1, (struct bands){ .quantum = 160000 });
	four_bands(30);
	host_submit(&h, 4, HOST_USER, 4);
	host_sleep(&h, 60000);
	host_submit(&h, 2, make_job(2, 1), 2); /* waits */
	host_submit(&h, 3, make_job(3, 1), 3);
	host_sleep(&h, 5000);
	reset_and_abort(4, false);
	expect_order((u32[]){ 3, 2 }, 2);
	assert_false(host_done(&h, &done, 1000000)); /* no JOB_DONE in hardware scheduling */
	expect_clean(&h);
	host_close(&h);
}

/* A hang that is a fence nobody signals; P 11.7 */
static void test_reset_of_parked(void **state)
{
	struct cmdbuf c;

	(void)state;
	open_host();
	four_bands(1);
	cmdbuf_begin(&c, &h, 3, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	host_submit(&h, 3, HOST_USER, 3);
	host_sleep(&h, 100000);
	reset_and_abort(3, true);
	host_submit(&h, 2, HOST_USER, 2);
	expect_order((u32[]){ 2 }, 1);
	expect_clean(&h);
	host_close(&h);
}

/* A fault: the driver knows who it was, and others lose nothing, not even what runs or waits. */
static void test_reset_after_fault(void **state)
{
	struct abi_jsm_job_done done = { 0 };
	struct cmdbuf c;

	(void)state;
	open_host();
	four_bands(0);
	cmdbuf_begin(&c, &h, 5, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	host_submit(&h, 5, HOST_USER, 5);
	host_submit(&h, 2, make_job(2, 20), 2);
	host_sleep(&h, 50000);
	cmdbuf_begin(&c, &h, 4, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, 0x1000, 1);
	host_submit(&h, 4, HOST_USER, 4);
	assert_true(host_done(&h, &done, 10000));
	assert_int_equal(done.job_status, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	reset_and_abort(4, true);
	*(u64 *)host_at(&h, 5, DATA) = 6;
	expect_order((u32[]){ 5, 2 }, 2);
	assert_int_equal(guest_errors(&h), 0);
	host_close(&h);
}

/* A faulted context runs nothing; its SSID is as new after its last queue went. */
static void test_ssid_again(void **state)
{
	struct abi_jsm_job_done done = { 0 };
	struct cmdbuf c;

	(void)state;
	open_host();
	four_bands(0);
	cmdbuf_begin(&c, &h, 3, HOST_USER);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, 0x1000, 1);
	host_submit(&h, 3, HOST_USER, 3);
	assert_true(host_done(&h, &done, 100000));
	assert_int_equal(done.job_status, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	host_submit(&h, 3, make_job(3, 0), 30);
	assert_false(host_done(&h, &done, 100000));
	destroy(3, 3, true);
	add_queue(3, 3, ABI_PRIO_NORMAL);
	host_submit(&h, 3, make_job(3, 0), 31);
	expect_order((u32[]){ 31 }, 1);
	assert_int_equal(guest_errors(&h), 0);
	host_close(&h);
}

#define REFUSE(type, ...)                                            \
	do {                                                         \
		union abi_jsm_payload p_ = { __VA_ARGS__ };          \
		u64 before_ = guest_errors(&h);                      \
		assert_true(host_ask(&h, ABI_JSM_##type, &p_) != 0); \
		assert_true(guest_errors(&h) > before_);             \
	} while (0)

static void test_wrong_requests(void **state)
{
	const u64 q = host_jobq_va(2);

	(void)state;
	open_host();
	four_bands(0);
	REFUSE(SET_PRIORITY_BAND_SETUP, .band_setup = { .normal_band_percentage = 101 });
	REFUSE(CREATE_CMD_QUEUE, .create_cmdq = { .host_ssid = 1, .cmdq_id = 9 });
	REFUSE(CREATE_CMD_QUEUE, .create_cmdq = { .host_ssid = 2, .cmdq_id = 2 });
	REFUSE(CREATE_CMD_QUEUE, .create_cmdq = { .host_ssid = 2, .cmdq_id = 9, .engine_idx = 1 });
	REFUSE(SET_CONTEXT_SCHED_PROPERTIES,
	       .sched_properties = { .host_ssid = 2, .cmdq_id = 2, .priority_band = 4 });
	REFUSE(HWS_REGISTER_DB, .hws_register_db = { 9, 2, 2, q + 4096, 4096 });
	REFUSE(HWS_REGISTER_DB, .hws_register_db = { 9, 2, 2, q, 4096 }); /* has one */
	REFUSE(HWS_SUSPEND_CMDQ, .hws_suspend = { 2, 0, 99, 0 });
	REFUSE(HWS_RESUME_CMDQ, .cmdq = { 2, 0, 99 });
	REFUSE(ENGINE_RESET, .engine = { 1, 0 });
	host_close(&h);
}

/* P 7.3: at every cold boot, before any queue. */
static void test_setup_left_out(void **state)
{
	(void)state;
	host_open(&h, 1);
	h.hws = true;
	assert_int_equal(host_boot(&h), 0);
	add_queue(2, 2, ABI_PRIO_NORMAL);
	assert_true(has_finding(&h, "before SET_PRIORITY_BAND_SETUP"));
	host_close(&h);
}

static u64 hash_of(u64 seed)
{
	struct abi_jsm_job_done done;
	u64 hash;

	open_bands(seed, (struct bands){ .quantum = 1, .percent = 30 });
	four_bands(3);
	for (u32 i = 2; i < 6; i++)
		host_submit(&h, i, HOST_USER, i);
	for (u32 i = 2; i < 6; i++)
		assert_true(host_done(&h, &done, 1000000));
	hash = vnpu_trace_hash(h.v);
	host_close(&h);
	return hash;
}

static void test_determinism(void **state)
{
	(void)state;
	assert_true(hash_of(5) == hash_of(5));
	assert_true(hash_of(5) != hash_of(6));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_light_jobs),
		cmocka_unit_test(test_heavy_jobs),
		cmocka_unit_test(test_light_beside_heavy),
		cmocka_unit_test(test_preemption),
		cmocka_unit_test(test_starvation),
		cmocka_unit_test(test_quantum),
		cmocka_unit_test(test_queues_of_a_process),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_reset_of_stuck),
		cmocka_unit_test(test_reset_of_running),
		cmocka_unit_test(test_reset_of_parked),
		cmocka_unit_test(test_reset_after_fault),
		cmocka_unit_test(test_ssid_again),
		cmocka_unit_test(test_wrong_requests),
		cmocka_unit_test(test_setup_left_out),
		cmocka_unit_test(test_determinism),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
