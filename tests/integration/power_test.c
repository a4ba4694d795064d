// SPDX-License-Identifier: MIT
/*
 * Sleep: idle suspend, warm and cold boots, the system's suspend.  P 11.1 - 11.3, 5.3.
 */
#include "work.h"

#include "driver/metric.h"

#define IDLE_MS 20u

static int open_idle(u32 idle_ms)
{
	env_open(&env, 31, true);
	env.cfg.idle_ms = idle_ms;
	env_boot(&env);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return open_idle(IDLE_MS);
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

static const struct drv_info *info(void)
{
	static struct drv_info info;

	drv_get_info(env.dev, &info);
	return &info;
}

/* Until @state, or a second went by. */
static void run_to(enum drv_state state)
{
	u64 until_ns = drv_now_ns(env.dev) + BASE_NS_PER_S;

	while (drv_get_state(env.dev) != state && drv_now_ns(env.dev) < until_ns &&
	       env_round(&env, until_ns))
		continue;
	assert_int_equal(drv_get_state(env.dev), state);
}

static void one_job(struct work *w)
{
	struct cmdlist list;

	list_at(&list, w, 0);
	cmdlist_nop(&list);
	assert_int_equal(run_one(w, &list), 0);
}

/* Not before its time, and with the bus off. */
static void test_idle(void **state)
{
	u32 command = 0;
	struct work w;
	u64 start;

	(void)state;
	work_open(&w);
	one_job(&w);
	start = drv_now_ns(env.dev);
	run_to(DRV_SUSPENDED);
	assert_in_range(drv_now_ns(env.dev) - start, (IDLE_MS - 1) * BASE_NS_PER_MS,
			2 * IDLE_MS * BASE_NS_PER_MS);
	assert_int_equal(env.npu->ops->cfg_rd(env.npu, 4, 2, &command), 0);
	assert_int_equal(command & 4, 0); /* bus master */
	assert_int_equal(info()->suspends, 1);
	assert_int_equal(drv_process(env.dev), DRV_NO_TIME); /* nothing to wait for */
	work_close(&w);
	run_to(DRV_READY); /* the queue's end is the firmware's business */
	env_expect_clean(&env);
}

/* The firmware remembers queues: a job after the sleep needs its doorbell and nothing else. */
static void test_warm(void **state)
{
	struct work w;
	u32 mark;

	(void)state;
	work_open(&w);
	one_job(&w);
	for (u32 i = 1; i <= 5; i++) {
		run_to(DRV_SUSPENDED);
		assert_int_equal(w.queue->state, DRV_QUEUE_LIVE);
		mark = env.dev->jsm.next_id;
		one_job(&w);
		assert_int_equal(env.dev->jsm.next_id, mark);
		assert_int_equal(info()->warm_boots, i);
		assert_int_equal(info()->cold_boots, 1);
	}
	work_close(&w);
	env_run(&env, BASE_NS_PER_S);
	assert_int_equal(env.dev->dbs.used, 0);
	assert_int_equal(drv_get_state(env.dev), DRV_SUSPENDED);
	env_expect_clean(&env);
}

/* A timestamp of system time goes on over the sleep; P 5.1. */
static void test_time_goes_on(void **state)
{
	u64 *at, before, ticks;
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_add(&list,
		    &(struct abi_cmd_timestamp){ .hdr = { ABI_CMD_TIMESTAMP, 16 },
						 .timestamp_type = ABI_TS_SYSTEM,
						 .address = w.addr + 0x400 },
		    16);
	at = (u64 *)(void *)(w.cpu + 0x400);
	assert_int_equal(run_one(&w, &list), 0);
	before = *at;
	run_to(DRV_SUSPENDED);
	env_run(&env, 500 * BASE_NS_PER_MS);
	assert_int_equal(run_one(&w, &list), 0);
	ticks = *at - before;
	assert_in_range(ticks, env_reg_gen()->perf_hz / 2, env_reg_gen()->perf_hz / 10 * 7);
	work_close(&w);
}

/* Jobs that come at any moment of going to sleep and waking up are done, in order. */
static void test_jobs_at_any_time(void **state)
{
	struct abi_completion done[2];
	struct cmdlist list;
	struct abi_job job;
	struct work w;
	u32 states = 0;

	(void)state;
	work_open(&w);
	one_job(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	for (u32 i = 0; i < 400; i++) {
		u64 until_ns =
			drv_now_ns(env.dev) + IDLE_MS * BASE_NS_PER_MS + i * 3 * BASE_NS_PER_US;

		while (drv_now_ns(env.dev) < until_ns && env_round(&env, until_ns))
			continue;
		states |= BASE_BIT(drv_get_state(env.dev));
		for (u32 k = 0; k < 2; k++) {
			job = job_of(&list, 2 * i + k);
			assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
		}
		assert_int_equal(env_reap(&env, w.queue, done, 2), 2);
		assert_int_equal(done[0].cookie, 2 * i);
		assert_int_equal(done[1].cookie, 2 * i + 1);
		assert_int_equal(done[0].status | done[1].status, 0);
	}
	assert_true(states & BASE_BIT(DRV_SUSPENDING));
	assert_true(states & BASE_BIT(DRV_SUSPENDED));
	work_close(&w);
	env_expect_clean(&env);
}

static void test_never(void **state)
{
	(void)state;
	env_close(&env);
	open_idle(DRV_NEVER);
	env_run(&env, 10 * BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	assert_int_equal(info()->suspends, 0);
}

/* The generation's own delay.  SRC: P 11.1 */
static void test_default_delay(void **state)
{
	u64 ns = env_reg_gen()->timeouts.autosuspend_ms * BASE_NS_PER_MS;

	(void)state;
	env_close(&env);
	open_idle(0);
	env_run(&env, ns - BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	env_run(&env, 3 * BASE_NS_PER_MS);
	run_to(DRV_SUSPENDED);
}

/* A job under way keeps it awake, however long. */
static void test_busy(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	assert_int_equal(info()->suspends, 0);
	w.cpu[0x3000] = 2;
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	run_to(DRV_SUSPENDED);
	work_close(&w);
}

/* What goes wrong on the way down makes the next boot a cold one, and nothing is lost. */
static void cold_after(const char *fault)
{
	struct work w;

	work_open(&w);
	one_job(&w);
	env_run(&env, BASE_NS_PER_MS); /* awake, and nothing else is asked */
	assert_int_equal(os_inproc_fault(env.npu, fault, 1), 0);
	run_to(DRV_SUSPENDED);
	assert_int_equal(w.queue->state, DRV_QUEUE_NEW);
	one_job(&w);
	assert_int_equal(info()->warm_boots, 0);
	assert_int_equal(info()->cold_boots, 2);
	work_close(&w);
	env_run(&env, 2 * IDLE_MS * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
}

static void test_cold_after_trouble(void **state)
{
	static const char *const faults[] = { "lost-answer", "error-answer", "wrong-answer",
					      "slow-firmware" };

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(faults); i++) {
		cold_after(faults[i]);
		teardown(NULL);
		setup(NULL);
	}
}

/* A warm boot that fails is followed by a cold one, once; jobs that waited for it are done. */
static void test_cold_after_warm(void **state)
{
	struct work w;

	(void)state;
	work_open(&w);
	one_job(&w);
	run_to(DRV_SUSPENDED);
	assert_true(env.dev->pm.warm);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	one_job(&w);
	assert_int_equal(info()->warm_boots, 0);
	assert_int_equal(info()->cold_boots, 2);
	assert_int_equal(info()->recoveries, 0);
	work_close(&w);
}

/* Both fail: the device has. */
static void test_no_boot(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	one_job(&w);
	run_to(DRV_SUSPENDED);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 2), 0);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, -ETIMEDOUT);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), -ENODEV);
	work_close(&w);
}

/* A resume address outside of the firmware's memory is not one. */
static void test_bad_resume_address(void **state)
{
	struct abi_boot_params *bp = drv_bo_cpu(env.dev->fw.params);
	struct work w;

	(void)state;
	work_open(&w);
	one_job(&w);
	run_to(DRV_SUSPENDED);
	assert_true(env.dev->pm.warm);
	bp->save_restore_ret_address = 0xdead000000000000;
	assert_int_equal(drv_pm_judge(env.dev), 0);
	assert_false(env.dev->pm.warm);
	bp->save_restore_ret_address = 0;
	assert_int_equal(drv_pm_judge(env.dev), 0);
	assert_false(env.dev->pm.warm);
	drv_forget_firmware(env.dev, -ECANCELED);
	one_job(&w);
	assert_int_equal(info()->cold_boots, 2);
	work_close(&w);
}

/* Memory comes, goes and is mapped while the device sleeps: it sees none of it too late. */
static void test_memory_meanwhile(void **state)
{
	struct cmdlist list;
	struct work w, v;

	(void)state;
	work_open(&w);
	one_job(&w);
	run_to(DRV_SUSPENDED);
	work_open(&v);
	drv_bo_destroy(w.bo);
	assert_int_equal(drv_bo_create(w.ctx, BO_SIZE, 0, DRV_BO_WB, &w.bo), 0);
	w.cpu = drv_bo_cpu(w.bo);
	w.addr = drv_bo_addr(w.bo);
	assert_int_equal(drv_get_state(env.dev), DRV_SUSPENDED);
	for (u32 i = 0; i < 0x100; i++)
		w.cpu[0x1000 + i] = (u8)i;
	list_at(&list, &w, 0);
	list_copy(&list, 0x800, w.addr + 0x2000, w.addr + 0x1000, 0x100);
	assert_int_equal(run_one(&w, &list), 0);
	assert_memory_equal(w.cpu + 0x2000, w.cpu + 0x1000, 0x100);
	one_job(&v);
	work_close(&v);
	work_close(&w);
	env_expect_clean(&env);
}

/* Questions to a firmware that sleeps: put when it is awake, or they wake it. */
static void test_questions_asleep(void **state)
{
	const struct drv_counters *counters;
	struct work w;
	int ret;

	(void)state;
	work_open(&w);
	one_job(&w);
	run_to(DRV_SUSPENDED);
	assert_int_equal(drv_set_fw_log_level(env.dev, 2), 0);
	assert_int_equal(drv_get_state(env.dev), DRV_SUSPENDED);
	assert_true(env.dev->fw.tell_level);
	one_job(&w);
	assert_false(env.dev->fw.tell_level);
	run_to(DRV_SUSPENDED);
	while ((ret = drv_counters(env.dev, &counters)) == -EAGAIN)
		env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(ret, 0);
	assert_int_equal(info()->warm_boots, 2);
	work_close(&w);
	env_expect_clean(&env);
}

/*
 * The system's suspend
 */

static void test_system(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	one_job(&w);
	assert_int_equal(drv_suspend(env.dev), 0);
	run_to(DRV_SUSPENDED);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1); /* waits */
	env_run(&env, BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_SUSPENDED);
	assert_int_equal(drv_queue_reap(w.queue, &done, 1), 0);
	assert_int_equal(drv_resume(env.dev), 0);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, 0);
	assert_int_equal(info()->warm_boots, 1);
	work_close(&w);
	env_expect_clean(&env);
}

/* Jobs with the firmware end first, what is submitted meanwhile waits. */
static void test_system_waits(void **state)
{
	struct abi_completion done[2];
	struct cmdlist list, nop;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_suspend(env.dev), 0);
	list_at(&nop, &w, 0x1000);
	cmdlist_nop(&nop);
	job = job_of(&nop, 2);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, 100 * BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	w.cpu[0x3000] = 2;
	run_to(DRV_SUSPENDED);
	assert_int_equal(drv_queue_reap(w.queue, done, 2), 1);
	assert_int_equal(done[0].cookie, 1);
	assert_int_equal(drv_resume(env.dev), 0);
	assert_int_equal(env_reap(&env, w.queue, done, 1), 1);
	assert_int_equal(done[0].cookie, 2);
	assert_int_equal(done[0].status, 0);
	work_close(&w);
	env_expect_clean(&env);
}

/* A job that does not end: the device stays awake and says so. */
static void test_system_busy(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_suspend(env.dev), 0);
	env_run(&env, env.dev->tdr_period_ns + 10 * BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	assert_int_equal(drv_last_error(env.dev)->code, -EBUSY);
	w.cpu[0x3000] = 2;
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, 0);
	one_job(&w);
	work_close(&w);
}

/* Called off before it began. */
static void test_system_called_off(void **state)
{
	struct abi_completion done[2];
	struct cmdlist list, nop;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_suspend(env.dev), 0);
	list_at(&nop, &w, 0x1000);
	cmdlist_nop(&nop);
	job = job_of(&nop, 2);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(drv_resume(env.dev), 0);
	w.cpu[0x3000] = 2;
	assert_int_equal(env_reap(&env, w.queue, done, 2), 2);
	assert_int_equal(done[0].status | done[1].status, 0);
	assert_int_equal(info()->suspends, 0);
	work_close(&w);
}

static void test_stop_asleep(void **state)
{
	struct work w;

	(void)state;
	work_open(&w);
	one_job(&w);
	run_to(DRV_SUSPENDED);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
	assert_int_equal(drv_suspend(env.dev), -ENODEV);
	assert_int_equal(drv_resume(env.dev), -ENODEV);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	one_job(&w);
	assert_int_equal(info()->cold_boots, 2);
	work_close(&w);
	env_expect_clean(&env);
}

/* A reset that is asked for, awake, asleep and after the device failed. */
static void test_reset(void **state)
{
	struct abi_completion done[2];
	struct abi_job jobs[2];
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	jobs[0] = job_of(&list, 1);
	jobs[1] = job_of(&list, 2);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 2), 2);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_reset(env.dev), 0);
	assert_int_equal(drv_get_state(env.dev), DRV_RECOVERING);
	assert_int_equal(drv_reset(env.dev), -EBUSY);
	assert_int_equal(env_reap(&env, w.queue, done, 2), 2);
	assert_int_equal(done[0].status, -ECANCELED);
	assert_int_equal(done[1].status, -ECANCELED);
	one_job(&w);
	run_to(DRV_SUSPENDED);
	assert_int_equal(drv_reset(env.dev), 0);
	one_job(&w);
	assert_int_equal(info()->recoveries, 2);
	assert_int_equal(info()->cold_boots, 3);
	work_close(&w);
}

/* The firmware has jobs of a context that goes: it may look at all of it until it is off. */
static void test_off_at_work(void **state)
{
	struct cmdlist list;
	struct abi_job job;
	struct work w;
	u64 va, entry;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	va = drv_bo_addr(w.queue->bo);
	entry = drv_pt_lookup(env.dev->sys->root, va);
	drv_queue_destroy(w.queue);
	drv_ctx_destroy(w.ctx);
	assert_int_equal(drv_stop(env.dev), 0);
	for (u64 next = drv_process(env.dev); drv_get_state(env.dev) == DRV_STOPPING;
	     next = drv_process(env.dev)) {
		assert_int_equal(drv_pt_lookup(env.dev->sys->root, va), entry);
		assert_int_equal(drv_wait(env.dev, next), -ETIMEDOUT);
	}
	assert_true(drv_list_empty(&env.dev->ctx_list));
	env_expect_clean(&env);
}

int main(int argc, char **argv)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_idle),
		T(test_warm),
		T(test_time_goes_on),
		T(test_jobs_at_any_time),
		T(test_never),
		T(test_default_delay),
		T(test_busy),
		T(test_cold_after_trouble),
		T(test_cold_after_warm),
		T(test_no_boot),
		T(test_bad_resume_address),
		T(test_memory_meanwhile),
		T(test_questions_asleep),
		T(test_system),
		T(test_system_waits),
		T(test_system_busy),
		T(test_system_called_off),
		T(test_stop_asleep),
		T(test_reset),
		T(test_off_at_work),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
