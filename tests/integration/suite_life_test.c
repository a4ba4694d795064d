// SPDX-License-Identifier: MIT
/*
 * The suite, the device's life: boot, stop, sleep, reset, and what the driver tells of it.
 */
#include "unit.h"

#define IDLE_MS 20u

static int open_idle(u32 idle_ms)
{
	env_open(&env, 52, true);
	env.cfg.idle_ms = idle_ms;
	env_boot(&env);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return open_idle(DRV_NEVER);
}

static int setup_off(void **state)
{
	(void)state;
	env_open(&env, 53, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

static void boots_and_stops(void **state)
{
	(void)state;
	env_boot(&env);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	assert_int_equal(drv_last_error(env.dev)->code, 0);
	unit_once();
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
	env_expect_clean(&env);
}

/* With the same device, and with a new one on the same hardware. */
static void boots_again(void **state)
{
	struct unit u;

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		env_boot(&env);
		unit_open(&u);
		unit_must_run(&u);
		assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
		assert_int_equal(unit_submit_to(&u, u.queue, 1, 0), -ECANCELED);
		assert_int_equal(drv_boot(env.dev, &env.err), 0);
		unit_must_run(&u); /* same context, same queue */
		assert_int_equal(unit_info()->cold_boots, 2);
		unit_close(&u);
		drv_destroy(env.dev);
		env.dev = NULL;
		assert_int_equal(env_live_dma(&env), 0);
	}
	env_expect_clean(&env);
}

static void tells_what_it_is(void **state)
{
	const struct drv_info *info;
	u32 id = 0;

	(void)state;
	info = unit_info();
	assert_string_equal(info->gen, env_gen);
	assert_string_equal(info->product, env_reg_gen()->ids[0].product);
	assert_int_equal(info->device_id, env_reg_gen()->ids[0].device);
	assert_int_equal(info->vendor_id, 0x8086);
	assert_int_equal(env.os->ops->cfg_rd(env.os, 0, 4, &id), 0);
	assert_int_equal(id, (u32)info->device_id << 16 | info->vendor_id);
	assert_true(info->is_virtual);
	assert_string_equal(info->fw_path, "(built in)");
	assert_true(strlen(info->fw_version) > 0);
	assert_int_equal(info->flat, unit_is_flat());
	assert_int_equal(info->hw_sched, env_hws());
	assert_true(info->va_start < info->va_end);
	assert_true(info->nr_contexts_max > 1);
	assert_in_range(info->boot_ns, 1, BASE_NS_PER_S);
	assert_int_equal(info->cold_boots, 1);
	assert_int_equal(info->warm_boots + info->suspends + info->recoveries, 0);
	assert_non_null(strstr(info->location, env_socket ? "vfio-user:" : "sim:"));
}

struct lines {
	u32 nr, named; /* those with @name */
	const char *name;
};

static void count_line(void *opaque, const char *text)
{
	struct lines *l = opaque;

	l->nr++;
	l->named += l->name && strstr(text, l->name) != NULL;
}

static struct lines dumped(const char *name)
{
	struct lines l = { .name = name };

	drv_dump(env.dev, count_line, &l);
	return l;
}

/* In each state there is something to tell. */
static void dumps(void **state)
{
	struct lines regs = { .name = "INTERRUPT_STAT" }, trace = { 0 };
	struct unit u;

	(void)state;
	env_create(&env);
	assert_true(dumped("created").named > 0);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	assert_true(dumped("ready").named > 0);
	drv_dump_registers(env.dev, count_line, &regs);
	assert_true(regs.nr >= 13 && regs.named > 0);
	drv_trace_dump(env.dev, 20, count_line, &trace);
	assert_in_range(trace.nr, 10, 20);
	unit_open(&u);
	unit_submit(&u, 1);
	assert_true(dumped("1 jobs under way").named > 0);
	assert_int_equal(unit_wait(&u, 1), 0);
	assert_int_equal(dumped("1 jobs under way").named, 0);
	assert_true(dumped("jobs done: 1").named > 0);
	unit_close(&u);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_true(dumped("stopped").named > 0);
	drv_destroy(env.dev);
	env_create(&env);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	assert_int_equal(drv_boot(env.dev, &env.err), -ETIMEDOUT);
	assert_true(dumped("failed").named > 0);
}

static void stops_with_pending(void **state)
{
	struct abi_completion done[3];
	struct unit u;

	(void)state;
	unit_open(&u);
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	for (u32 i = 0; i < 3; i++)
		unit_submit(&u, i);
	env_run(&env, BASE_NS_PER_MS);
	(void)!drv_shutdown(env.dev, &env.err); /* a stuck engine may not become idle */
	assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
	assert_int_equal(drv_queue_reap(u.queue, done, 3), 3);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(done[i].cookie, i);
		assert_int_equal(done[i].status, -ECANCELED);
	}
	assert_int_equal(unit_submit_to(&u, u.queue, 1, 0), -ECANCELED);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	unit_must_run(&u);
	unit_close(&u);
	assert_int_equal(env_guest_errors(&env), 0);
}

/*
 * Sleep
 */

static bool is_bus_master(void)
{
	u32 command = 0;

	assert_int_equal(env.npu->ops->cfg_rd(env.npu, 4, 2, &command), 0);
	return command & 4;
}

/* Asked to: sleeps until it is woken, whatever is submitted meanwhile. */
static void suspends_and_resumes(void **state)
{
	struct abi_completion done;
	struct unit u;

	(void)state;
	unit_open(&u);
	unit_must_run(&u);
	for (u32 i = 1; i <= 3; i++) {
		assert_int_equal(drv_suspend(env.dev), 0);
		unit_run_to(DRV_SUSPENDED, 1);
		assert_false(is_bus_master());
		unit_submit(&u, i);
		env_run(&env, BASE_NS_PER_S);
		assert_int_equal(drv_get_state(env.dev), DRV_SUSPENDED);
		assert_int_equal(drv_queue_reap(u.queue, &done, 1), 0);
		assert_int_equal(drv_resume(env.dev), 0);
		assert_int_equal(unit_wait(&u, i), 0);
		assert_true(is_bus_master());
		assert_int_equal(unit_info()->suspends, i);
		/* ref's firmware has no state it could save: each boot is a cold one */
		assert_int_equal(unit_info()->warm_boots, unit_is_flat() ? 0 : i);
		assert_int_equal(unit_info()->cold_boots, unit_is_flat() ? 1 + i : 1);
	}
	unit_must_run(&u);
	unit_close(&u);
	assert_int_equal(unit_info()->recoveries, 0);
	env_expect_clean(&env);
}

/* Jobs with the device end first. */
static void suspends_behind_jobs(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	unit_must_run(&u);
	unit_submit(&u, 1);
	assert_int_equal(drv_suspend(env.dev), 0);
	unit_run_to(DRV_SUSPENDED, 5);
	assert_int_equal(unit_wait(&u, 1), 0);
	assert_int_equal(drv_resume(env.dev), 0);
	unit_must_run(&u);
	unit_close(&u);
	env_expect_clean(&env);
}

static void sleeps_when_idle(void **state)
{
	struct unit u;
	u64 start;

	(void)state;
	env_close(&env);
	open_idle(IDLE_MS);
	unit_open(&u);
	unit_must_run(&u);
	start = drv_now_ns(env.dev);
	unit_run_to(DRV_SUSPENDED, 1);
	assert_in_range(drv_now_ns(env.dev) - start, (IDLE_MS - 1) * BASE_NS_PER_MS,
			2 * IDLE_MS * BASE_NS_PER_MS);
	assert_false(is_bus_master());
	assert_int_equal(drv_process(env.dev), DRV_NO_TIME);
	unit_must_run(&u); /* a job wakes it */
	unit_run_to(DRV_SUSPENDED, 1);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_suspend(env.dev), -ENODEV);
	assert_int_equal(drv_resume(env.dev), -ENODEV);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	unit_must_run(&u);
	unit_close(&u);
	env_expect_clean(&env);
}

/* Jobs that come at any moment of going to sleep and waking up are done, in order. */
static void jobs_at_any_time(void **state)
{
	u32 states = 0;
	struct unit u;

	(void)state;
	env_close(&env);
	open_idle(IDLE_MS);
	unit_open(&u);
	unit_must_run(&u);
	for (u32 i = 0; i < 120; i++) {
		env_run(&env, IDLE_MS * BASE_NS_PER_MS + i * 10 * BASE_NS_PER_US);
		states |= BASE_BIT(drv_get_state(env.dev));
		unit_submit(&u, 2 * i);
		unit_submit(&u, 2 * i + 1);
		assert_int_equal(unit_wait(&u, 2 * i), 0);
		assert_int_equal(unit_wait(&u, 2 * i + 1), 0);
	}
	assert_true(states & BASE_BIT(DRV_SUSPENDED));
	unit_close(&u);
	env_expect_clean(&env);
}

/* A reset that is asked for: awake, at work, asleep. */
static void resets(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	assert_int_equal(drv_reset(env.dev), 0);
	assert_int_equal(drv_get_state(env.dev), DRV_RECOVERING);
	assert_int_equal(drv_reset(env.dev), -EBUSY);
	unit_must_run(&u); /* waits for it */
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	unit_submit(&u, 1);
	unit_submit(&u, 2);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_reset(env.dev), 0);
	assert_int_equal(unit_wait(&u, 1), -ECANCELED);
	assert_int_equal(unit_wait(&u, 2), -ECANCELED);
	unit_must_run(&u);
	assert_int_equal(drv_suspend(env.dev), 0);
	unit_run_to(DRV_SUSPENDED, 1);
	assert_int_equal(drv_reset(env.dev), 0);
	unit_run_to(DRV_READY, 1);
	unit_must_run(&u);
	assert_int_equal(unit_info()->recoveries, 3);
	assert_int_equal(unit_info()->cold_boots, 4);
	unit_close(&u);
}

/*
 * Boots that fail
 */

static void never_ready(void **state)
{
	u64 start, ns;

	(void)state;
	env_create(&env);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	start = drv_now_ns(env.dev);
	assert_int_equal(drv_boot(env.dev, &env.err), -ETIMEDOUT);
	ns = drv_now_ns(env.dev) - start;
	assert_non_null(strstr(env.err.text, "wait for"));
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	/* SRC: P 3.6; design section 8 */
	assert_in_range(ns, BASE_NS_PER_S, (unit_is_flat() ? 6 : 2) * BASE_NS_PER_S);
	drv_destroy(env.dev);
	env_boot(&env);
	unit_once();
}

/* Whatever the model can do wrong while it boots: an error with a text, or none; never a hang; and
 * the next boot works. */
static void each_fault_of_a_boot(void **state)
{
	u32 nr = 0, nr_failed = 0;

	(void)state;
	for (u32 i = 0; os_inproc_fault_name(i); i++, nr++) {
		const char *name = os_inproc_fault_name(i);
		int ret;

		env_create(&env);
		assert_int_equal(os_inproc_fault(env.npu, name, 1), 0);
		ret = drv_boot(env.dev, &env.err);
		if (ret && (!env.err.text[0] || drv_get_state(env.dev) != DRV_FAILED))
			fail_msg("%s: error %d, state %s, \"%s\"", name, ret,
				 drv_state_name(drv_get_state(env.dev)), env.err.text);
		nr_failed += ret != 0;
		drv_destroy(env.dev);
		assert_int_equal(env_live_dma(&env), 0);
		assert_int_equal(os_inproc_fault(env.npu, name, 0), 0);
		env_boot(&env);
		unit_once();
		drv_destroy(env.dev);
		env.dev = NULL;
	}
	assert_true(nr >= 30 && nr_failed >= 3);
}

int main(int argc, char **argv)
{
#define T(fn)	  cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define T_OFF(fn) cmocka_unit_test_setup_teardown(fn, setup_off, teardown)
	const struct CMUnitTest tests[] = {
		T_OFF(boots_and_stops),	 T_OFF(boots_again),
		T(tells_what_it_is),	 T_OFF(dumps),
		T(stops_with_pending),	 T(suspends_and_resumes),
		T(suspends_behind_jobs), T(sleeps_when_idle),
		T(jobs_at_any_time),	 T(resets),
		T_OFF(never_ready),	 T_OFF(each_fault_of_a_boot),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("suite-life", tests, NULL, NULL);
}
