// SPDX-License-Identifier: MIT
/*
 * The ladder when the device fails: engine reset, cold boot, dead.  P 10.7, 11.4.
 */
#include "work.h"

static u32 nr_dumps;
static char dump_why[500];

static void on_trouble(void *opaque, struct drv_dev *dev, const char *why)
{
	(void)opaque;
	nr_dumps++;
	snprintf(dump_why, sizeof(dump_why), "%s", why);
	assert_true(dev->powered); /* registers can be read */
}

static int setup(void **state)
{
	(void)state;
	nr_dumps = 0;
	env_open(&env, 41, true);
	env.cfg.recoveries = 0; /* the default */
	env.cfg.on_trouble = on_trouble;
	env_boot(&env);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

static u64 recoveries(void)
{
	struct drv_info info;

	drv_get_info(env.dev, &info);
	return info.recoveries;
}

static s32 one_job(struct work *w)
{
	struct cmdlist list;

	list_at(&list, w, 0);
	cmdlist_nop(&list);
	return run_one(w, &list);
}

static void submit(struct work *w, const struct cmdlist *list, u64 cookie)
{
	struct abi_job job = job_of(list, cookie);

	assert_int_equal(drv_queue_submit(w->queue, &job, 1), 1);
}

/* OS scheduling: a hang costs the jobs the firmware had; contexts, buffers and queues stay. */
static void test_hang(void **state)
{
	struct abi_completion done[3];
	struct cmdlist list;
	struct work w;

	(void)state;
	if (env_hws())
		env_skip("the firmware schedules: its engine is reset instead, see job_test.c");
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	for (u32 i = 0; i < 3; i++)
		submit(&w, &list, i);
	assert_int_equal(env_reap(&env, w.queue, done, 3), 3);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(done[i].cookie, i);
		assert_int_equal(done[i].status, i ? -ECANCELED : -ETIMEDOUT);
	}
	assert_int_equal(one_job(&w), 0);
	assert_int_equal(recoveries(), 1);
	assert_int_equal(nr_dumps, 1);
	assert_non_null(strstr(dump_why, "heartbeat"));
	assert_int_equal(drv_last_error(env.dev)->code, 0);
	work_close(&w);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
	assert_int_equal(env_guest_errors(&env), 0);
}

/* What the firmware was not told of is done after the cold boot. */
static void test_unpublished_jobs_go_on(void **state)
{
	struct abi_completion done;
	struct cmdlist list, nop;
	struct work bad, good;
	struct abi_job jobs[3];

	(void)state;
	work_open(&bad);
	work_open(&good);
	assert_int_equal(one_job(&bad), 0);
	blocked(&list, &bad);
	submit(&bad, &list, 1);
	env_run(&env, BASE_NS_PER_MS);
	drv_fail(env.dev, -EIO, "a test");
	assert_int_equal(drv_get_state(env.dev), DRV_RECOVERING);
	list_at(&nop, &good, 0);
	cmdlist_nop(&nop);
	for (u32 i = 0; i < 3; i++)
		jobs[i] = job_of(&nop, 10 + i);
	jobs[1].flags = ABI_JOB_SYNC;
	assert_int_equal(drv_queue_submit(good.queue, jobs, 3), 3);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(env_reap(&env, good.queue, &done, 1), 1);
		assert_int_equal(done.cookie, 10 + i);
		assert_int_equal(done.status, 0);
	}
	assert_int_equal(env_reap(&env, bad.queue, &done, 1), 1);
	assert_int_equal(done.status, -EIO);
	work_close(&good);
	work_close(&bad);
	env_expect_clean(&env);
}

/* A live queue whose jobs a SYNC job held back: the firmware had one of them, so all end. */
static void test_held_jobs_end(void **state)
{
	struct abi_completion done[3];
	struct abi_job jobs[3];
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	assert_int_equal(one_job(&w), 0);
	blocked(&list, &w);
	for (u32 i = 0; i < 3; i++)
		jobs[i] = job_of(&list, i);
	jobs[0].flags = ABI_JOB_SYNC;
	assert_int_equal(drv_queue_submit(w.queue, jobs, 3), 3);
	env_run(&env, BASE_NS_PER_MS);
	drv_fail(env.dev, -EIO, "a test");
	assert_int_equal(env_reap(&env, w.queue, done, 3), 3);
	assert_int_equal(done[0].status, -EIO);
	assert_int_equal(done[1].status, -ECANCELED);
	assert_int_equal(done[2].status, -ECANCELED);
	assert_int_equal(one_job(&w), 0);
	work_close(&w);
}

/* Jobs that signal a fence at 0x3000, behind one that waits for ever if @blocked. */
static void submit_signals(struct work *w, bool is_blocked)
{
	struct abi_job jobs[3];
	struct cmdlist list;

	memset(w->cpu + 0x3000, 0, 0x80);
	blocked(&list, w);
	jobs[0] = job_of(&list, 0);
	jobs[0].flags = ABI_JOB_SYNC;
	list_at(&list, w, 0x1000);
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, w->addr + 0x3040, 1);
	jobs[1] = jobs[2] = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w->queue, jobs + !is_blocked, 2), 2);
}

static void expect_never_done(struct work *w)
{
	struct abi_completion done[2];

	assert_int_equal(env_reap(&env, w->queue, done, 2), 2);
	assert_int_not_equal(done[0].status, 0);
	assert_int_not_equal(done[1].status, 0);
	if (drv_get_state(env.dev) == DRV_FAILED)
		assert_int_equal(drv_reset(env.dev), 0);
	assert_int_equal(one_job(w), 0);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(w->cpu[0x3040], 0);
	assert_int_equal(env.dev->unknown_jobs, 0);
}

/* What ended with an error is not done later, by the next firmware or the next doorbell. */
static void test_ended_jobs_are_not_done(void **state)
{
	struct work w;

	(void)state;
	work_open(&w);
	assert_int_equal(one_job(&w), 0);
	submit_signals(&w, true); /* the second is held back */
	env_run(&env, BASE_NS_PER_MS);
	drv_fail(env.dev, -EIO, "a test");
	expect_never_done(&w);

	drv_fail(env.dev, -EIO, "a test"); /* the queue is to be opened anew */
	submit_signals(&w, false);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0); /* nor is it */
	expect_never_done(&w);
	work_close(&w);
	env_run(&env, 10 * BASE_NS_PER_MS);

	work_open(&w);
	assert_int_equal(os_inproc_fault(env.npu, "error-answer", 1), 0); /* to its doorbell */
	submit_signals(&w, false);
	expect_never_done(&w);
	work_close(&w);
}

/* Jobs of a live queue that were held back by nothing but the sleep of the device. */
static void test_rewound_ring(void **state)
{
	struct abi_completion done[DRV_QUEUE_DEPTH];
	struct abi_job jobs[DRV_QUEUE_DEPTH];
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	for (u32 i = 0; i < 40; i++)
		assert_int_equal(one_job(&w), 0); /* the next slots go over the ring's end */
	assert_int_equal(drv_suspend(env.dev), 0);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_SUSPENDED);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	for (u32 i = 0; i < DRV_QUEUE_DEPTH; i++) {
		jobs[i] = job_of(&list, i);
		jobs[i].flags = i % 5 ? 0 : ABI_JOB_SYNC;
	}
	assert_int_equal(drv_queue_submit(w.queue, jobs, DRV_QUEUE_DEPTH), DRV_QUEUE_DEPTH);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1),
			 0); /* the warm boot fails */
	assert_int_equal(drv_resume(env.dev), 0);
	assert_int_equal(env_reap(&env, w.queue, done, DRV_QUEUE_DEPTH), DRV_QUEUE_DEPTH);
	for (u32 i = 0; i < DRV_QUEUE_DEPTH; i++) {
		assert_int_equal(done[i].cookie, i);
		assert_int_equal(done[i].status, 0);
	}
	assert_int_equal(recoveries(), 0);
	work_close(&w);
}

/* Five in ten minutes, then dead; and it says so. */
static void test_budget(void **state)
{
	struct work w;

	(void)state;
	work_open(&w);
	for (u32 i = 0; i < 5; i++) {
		drv_fail(env.dev, -EIO, "failure %u", i);
		assert_int_equal(one_job(&w), 0);
		env_run(&env, 60 * BASE_NS_PER_S);
	}
	assert_int_equal(recoveries(), 5);
	drv_fail(env.dev, -EIO, "failure 5");
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "declared dead after 5 recoveries"));
	assert_non_null(strstr(drv_last_error(env.dev)->text, "failure 5"));
	assert_int_equal(nr_dumps, 6);		 /* and of its end */
	assert_int_equal(drv_reset(env.dev), 0); /* who asks for it gets it */
	assert_int_equal(one_job(&w), 0);
	work_close(&w);
}

/* Old recoveries do not count. */
static void test_window(void **state)
{
	struct work w;

	(void)state;
	work_open(&w);
	for (u32 i = 0; i < 3 * DRV_RECOVERIES_MAX; i++) {
		drv_fail(env.dev, -EIO, "failure %u", i);
		assert_int_equal(one_job(&w), 0);
		env_run(&env, 121 * BASE_NS_PER_S);
	}
	assert_int_equal(recoveries(), 3 * DRV_RECOVERIES_MAX);
	work_close(&w);
}

static void test_configured_budget(void **state)
{
	(void)state;
	env.dev->cfg.recoveries = 2;
	env.dev->cfg.recovery_window_s = 10;
	for (u32 i = 0; i < 2; i++) {
		drv_fail(env.dev, -EIO, "failure %u", i);
		env_run(&env, BASE_NS_PER_S);
		assert_int_equal(drv_get_state(env.dev), DRV_READY);
	}
	env_run(&env, 8500 * BASE_NS_PER_MS); /* the first of them is too old */
	drv_fail(env.dev, -EIO, "failure 2");
	env_run(&env, 400 * BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	drv_fail(env.dev, -EIO, "failure 3");
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
}

/* A device that is gone is not recovered. */
static void test_gone(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	submit(&w, &list, 1);
	env_run(&env, BASE_NS_PER_MS);
	os_faulty_force(env.os, env.dev->regs.int_stat.bar, env.dev->regs.int_stat.off, UINT32_MAX,
			UINT32_MAX, 0);
	env_run(&env, 10 * BASE_NS_PER_S);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, -EIO);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_int_equal(recoveries(), 0);
	os_faulty_force(env.os, 0, 0, 0, 0, 0);
	work_close(&w);
}

/* The cold boot fails too. */
static void test_no_boot(void **state)
{
	(void)state;
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	drv_fail(env.dev, -EIO, "a test");
	env_run(&env, 60 * BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "ready message"));
}

/* Whatever the model can do wrong: jobs end, the next ones are done, with jobs of four contexts
 * under way each time. */
static void test_each_fault(void **state)
{
	(void)state;
	for (u32 i = 0; os_inproc_fault_name(i); i++) {
		const char *name = os_inproc_fault_name(i);
		struct abi_completion done[8];
		struct cmdlist list;
		struct work w[4];

		teardown(NULL);
		setup(NULL);
		for (u32 k = 0; k < 4; k++) {
			work_open(&w[k]);
			assert_int_equal(one_job(&w[k]), 0);
		}
		assert_int_equal(os_inproc_fault(env.npu, name, 1), 0);
		for (u32 k = 0; k < 4; k++) {
			list_at(&list, &w[k], 0);
			cmdlist_nop(&list);
			submit(&w[k], &list, 1);
			submit(&w[k], &list, 2);
		}
		for (u32 k = 0; k < 4; k++)
			if (env_reap(&env, w[k].queue, done, 2) != 2)
				fail_msg("fault %s: a job of context %u did not end", name, k);
		assert_int_equal(os_inproc_fault(env.npu, name, 0), 0);
		for (u32 k = 0; k < 4; k++)
			work_close(&w[k]);
		env_run(&env, 5 * BASE_NS_PER_S);
		if (drv_get_state(env.dev) == DRV_FAILED)
			assert_int_equal(drv_reset(env.dev), 0);
		work_open(&w[0]);
		if (one_job(&w[0]))
			fail_msg("fault %s: the device is not usable after it", name);
		work_close(&w[0]);
		env_run(&env, BASE_NS_PER_S);
		assert_int_equal(env.dev->dbs.used, 0);
	}
}

int main(int argc, char **argv)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_hang),	       T(test_unpublished_jobs_go_on),
		T(test_held_jobs_end), T(test_ended_jobs_are_not_done),
		T(test_rewound_ring),  T(test_budget),
		T(test_window),	       T(test_configured_budget),
		T(test_gone),	       T(test_no_boot),
		T(test_each_fault),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
