// SPDX-License-Identifier: MIT
/*
 * The suite, a device that fails under its jobs: who is to blame is named, the others lose as little
 * as the generation allows, and the next job is done.  P 10.7, 11.4; design sections 5 and 8.
 */
#include "unit.h"

static u32 nr_troubles;

static void on_trouble(void *opaque, struct drv_dev *dev, const char *why)
{
	(void)opaque;
	(void)dev;
	assert_true(why[0] != '\0');
	nr_troubles++;
}

static int setup(void **state)
{
	(void)state;
	nr_troubles = 0;
	env_open(&env, 54, true);
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

/* A job that does not end is seen within two periods; ref has the limit of its map for each job. */
static u64 hang_limit_ns(void)
{
	const struct reg_gen *gen = env_reg_gen();

	if (unit_is_flat())
		return (gen->timeouts.inference_ms + 1500) * BASE_NS_PER_MS;
	return (2 * gen->timeouts.tdr_ms + 500) * BASE_NS_PER_MS;
}

/* What a hang costs the jobs of others that the firmware had. */
static bool is_innocent_status(s32 status)
{
	return env_hws() ? status == 0
			 : status == 0 || status == -ETIMEDOUT || status == -ECANCELED;
}

static void hang(void **state)
{
	struct unit bad, good, later;
	u64 start;
	s32 status;

	(void)state;
	unit_open(&bad);
	unit_open(&good);
	unit_open(&later);
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	start = drv_now_ns(env.dev);
	unit_submit(&bad, 1);
	unit_submit(&bad, 2);
	env_run(&env, 2 * BASE_NS_PER_MS);
	unit_submit(&good, 3);
	assert_int_equal(unit_wait(&bad, 1), -ETIMEDOUT);
	assert_true(drv_now_ns(env.dev) - start <= hang_limit_ns());
	assert_int_equal(unit_wait(&bad, 2), -ECANCELED);
	unit_submit(&later, 4); /* during the recovery, or right behind it */
	assert_int_equal(unit_wait(&later, 4), 0);
	status = unit_wait(&good, 3);
	if (!is_innocent_status(status))
		fail_msg("an innocent job ended with %d", status);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	unit_must_run(&good);
	assert_int_equal(unit_info()->recoveries, !env_hws());
	assert_int_equal(unit_info()->engine_resets, env_hws());
	assert_int_equal(nr_troubles, 1);
	unit_close(&bad);
	unit_close(&good);
	unit_close(&later);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
	unit_once();
	assert_int_equal(env_guest_errors(&env), 0);
}

/* One program does not get the device declared dead for all. */
static void many_hangs(void **state)
{
	struct unit bad;

	(void)state;
	for (u32 i = 1; i <= 8; i++) {
		assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
		unit_open(&bad);
		unit_submit(&bad, i);
		assert_int_equal(unit_wait(&bad, i), -ETIMEDOUT);
		unit_close(&bad);
		unit_once(); /* others are served */
	}
	assert_int_equal(unit_info()->recoveries + unit_info()->engine_resets, 8);
}

/* A job the firmware forgot: no hang, but no end within the inference's limit either. */
static void job_lost(void **state)
{
	struct unit u;
	u64 start, ns;
	s32 status;

	(void)state;
	unit_open(&u);
	assert_int_equal(os_inproc_fault(env.npu, "job-lost", 1), 0);
	start = drv_now_ns(env.dev);
	unit_submit(&u, 1);
	status = unit_wait(&u, 1);
	/* a firmware that resets its engine has nobody to blame: the device fails */
	assert_int_equal(status, env_hws() ? -EIO : -ETIMEDOUT);
	ns = drv_now_ns(env.dev) - start;
	assert_in_range(ns, env_reg_gen()->timeouts.inference_ms * BASE_NS_PER_MS / 2,
			env_reg_gen()->timeouts.inference_ms * BASE_NS_PER_MS * 3 / 2);
	unit_close(&u);
	unit_once();
}

/* The firmware dies with jobs under way. */
static void firmware_dies(void **state)
{
	struct unit u;
	s32 status;

	(void)state;
	unit_open(&u);
	unit_must_run(&u);
	assert_int_equal(os_inproc_fault(env.npu, "fw-dead", 1), 0);
	unit_submit(&u, 1);
	status = unit_wait(&u, 1);
	assert_true(status == -ETIMEDOUT || status == -EIO);
	unit_must_run(&u); /* behind the recovery */
	assert_int_equal(unit_info()->recoveries, 1);
	unit_close(&u);
}

/* Lost, or far too many: no hang.  A doorbell that was lost costs the job where nobody rings twice. */
static void interrupts(void **state)
{
	static const char *const faults[] = { "irq-lost", "irq-storm", "doorbell-lost" };

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(faults); i++) {
		struct unit u;
		s32 status;

		unit_open(&u);
		unit_must_run(&u);
		assert_int_equal(os_inproc_fault(env.npu, faults[i], 1), 0);
		status = unit_run(&u);
		if (status && (i < 2 || (status != -ETIMEDOUT && status != -EIO)))
			fail_msg("%s: status %d", faults[i], status);
		unit_close(&u);
		unit_once();
	}
}

/* What the firmware was not told of is done after the cold boot. */
static void unpublished_go_on(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	drv_fail(env.dev, -EIO, "a test");
	assert_int_equal(drv_get_state(env.dev), DRV_RECOVERING);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(unit_submit_to(&u, u.queue, i, i == 2 ? ABI_JOB_SYNC : 0), 1);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(unit_wait(&u, i), 0);
	unit_close(&u);
	assert_int_equal(unit_info()->recoveries, 1);
	env_expect_clean(&env);
}

/* Five in ten minutes, then dead; and it says so.  Who asks for a reset gets it. */
static void budget(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	for (u32 i = 0; i < 5; i++) {
		drv_fail(env.dev, -EIO, "failure %u", i);
		unit_must_run(&u);
		env_run(&env, 60 * BASE_NS_PER_S);
	}
	assert_int_equal(unit_info()->recoveries, 5);
	drv_fail(env.dev, -EIO, "failure 5");
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "declared dead after 5 recoveries"));
	assert_non_null(strstr(drv_last_error(env.dev)->text, "failure 5"));
	assert_int_equal(unit_submit_to(&u, u.queue, 1, 0), -ENODEV);
	assert_int_equal(nr_troubles, 6);
	assert_int_equal(drv_reset(env.dev), 0);
	unit_must_run(&u);
	unit_close(&u);
}

/* Old recoveries do not count. */
static void window(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	env.dev->cfg.recoveries = 2;
	env.dev->cfg.recovery_window_s = 10;
	for (u32 i = 0; i < 8; i++) {
		drv_fail(env.dev, -EIO, "failure %u", i);
		unit_must_run(&u);
		env_run(&env, 5100 * BASE_NS_PER_MS);
	}
	assert_int_equal(unit_info()->recoveries, 8);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(drv_get_state(env.dev), DRV_READY);
		drv_fail(env.dev, -EIO, "failure %u", i);
		env_run(&env, BASE_NS_PER_S);
	}
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	unit_close(&u);
}

/* The cold boot fails too: that is the end, until somebody asks for a reset. */
static void no_boot(void **state)
{
	(void)state;
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	drv_fail(env.dev, -EIO, "a test");
	env_run(&env, 60 * BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "wait for"));
	assert_int_equal(drv_reset(env.dev), 0);
	unit_once();
}

/* Gone in mid-job: jobs end, nobody tries to recover what is not there. */
static void expect_gone(struct unit *u)
{
	struct abi_completion done[2];

	assert_int_equal(env_reap(&env, u->queue, done, 2), 2);
	assert_int_equal(done[0].status, -EIO);
	assert_int_equal(done[1].status, -EIO);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_int_equal(drv_last_error(env.dev)->code, -ENODEV);
	assert_int_equal(unit_info()->recoveries, 0);
	assert_int_equal(unit_submit_to(u, u->queue, 1, 0), -ENODEV);
}

static void all_ones(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	unit_must_run(&u);
	unit_submit(&u, 1);
	unit_submit(&u, 2);
	assert_int_equal(os_inproc_fault(env.npu, "all-ones", UINT32_MAX), 0);
	expect_gone(&u);
	assert_int_equal(os_inproc_fault(env.npu, "all-ones", 0), 0);
	unit_close(&u);
	drv_destroy(env.dev);
	env_boot(&env);
	unit_once();
}

/* Whoever has the device takes it away: the server hangs up, or nothing on the bus answers. */
static void unplugged(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	unit_must_run(&u);
	unit_submit(&u, 1);
	unit_submit(&u, 2);
	if (env.link)
		os_loopback_hang_up(env.link);
	else
		os_faulty_arm(env.os, 1, true);
	env_no_facts = true; /* who hangs up is heard at once, and has reset the device */
	expect_gone(&u);
	unit_close(&u);
}

#define NR_UNITS 4u

/* Four contexts at work: each job ends. */
static void work_with_fault(const char *name)
{
	struct abi_completion done[2];
	struct unit u[NR_UNITS];

	for (u32 k = 0; k < NR_UNITS; k++) {
		unit_open(&u[k]);
		unit_must_run(&u[k]);
	}
	assert_int_equal(os_inproc_fault(env.npu, name, 1), 0);
	for (u32 k = 0; k < NR_UNITS; k++) {
		unit_submit(&u[k], 1);
		unit_submit(&u[k], 2);
	}
	for (u32 k = 0; k < NR_UNITS; k++)
		if (env_reap(&env, u[k].queue, done, 2) != 2)
			fail_msg("fault %s: a job of context %u did not end", name, k);
	assert_int_equal(os_inproc_fault(env.npu, name, 0), 0);
	for (u32 k = 0; k < NR_UNITS; k++)
		unit_close(&u[k]);
	env_run(&env, 5 * BASE_NS_PER_S);
}

/* Whatever the model can do wrong: jobs end, the next ones are done. */
static void each_fault_of_a_job(void **state)
{
	u32 nr = 0;

	(void)state;
	for (u32 i = 0; os_inproc_fault_name(i); i++, nr++) {
		teardown(NULL);
		setup(NULL);
		work_with_fault(os_inproc_fault_name(i));
		if (drv_get_state(env.dev) == DRV_FAILED)
			assert_int_equal(drv_reset(env.dev), 0);
		unit_once();
		env_run(&env, BASE_NS_PER_S);
		assert_int_equal(env.dev->dbs.used, 0);
		assert_int_equal(env.dev->nr_jobs, 0);
	}
	assert_true(nr >= 30);
}

int main(int argc, char **argv)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(hang),       T(many_hangs),	     T(job_lost),  T(firmware_dies),
		T(interrupts), T(unpublished_go_on), T(budget),	   T(window),
		T(no_boot),    T(all_ones),	     T(unplugged), T(each_fault_of_a_job),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("suite-trouble", tests, NULL, NULL);
}
