// SPDX-License-Identifier: MIT
/*
 * The driver's side of the comparison with Linux's: the session of tests/guest/session.c on the
 * in-process virtual NPU, on its virtual clock.  Usage: session GENERATION os|hw FILE
 */
#include <stdio.h>

#include "../integration/work.h"

static void open_device(const char *trace)
{
	const struct os_inproc_config cfg = {
		.gen = env_gen, .stepped = true, .seed = 1, .engine = "plain", .trace = trace
	};

	/* the built-in image leaves it to the driver, which on npu60 has no choice by itself */
	env.cfg = (struct drv_config){
		.ignore_env = true,
		.sched = env_hws() ? DRV_SCHED_HW : DRV_SCHED_AUTO,
	};
	assert_int_equal(os_inproc_create(&cfg, &env.npu, &env.err), 0);
	env.os = env.npu;
	os_inproc_mark(env.npu, "boot");
	env_boot(&env);
}

static void close_device(void)
{
	os_inproc_mark(env.npu, "stop");
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	os_inproc_mark(env.npu, "end");
	drv_destroy(env.dev);
	assert_int_equal(os_inproc_live_dma(env.npu), 0);
	env_expect_clean(&env);
	os_inproc_destroy(env.npu);
}

static s32 one_nop(struct work *w)
{
	struct cmdlist list;

	list_at(&list, w, 0);
	cmdlist_nop(&list);
	return run_one(w, &list);
}

/* In the order in which Linux lets go of a file's things. */
static void close_ctx(struct work *w)
{
	drv_bo_destroy(w->bo);
	drv_queue_destroy(w->queue);
	drv_ctx_destroy(w->ctx);
	env_run(&env, BASE_NS_PER_MS);
}

static void submit(struct work *w)
{
	os_inproc_mark(env.npu, "submit");
	work_open(w);
	assert_int_equal(one_nop(w), 0);
	assert_int_equal(one_nop(w), 0);
}

static void sleep_and_wake(struct work *w)
{
	os_inproc_mark(env.npu, "suspend");
	env_run(&env, 2 * env.dev->pm.idle_ns);
	assert_int_equal(drv_get_state(env.dev), DRV_SUSPENDED);
	os_inproc_mark(env.npu, "resume");
	assert_int_equal(one_nop(w), 0);
	assert_int_equal(env.dev->pm.warm_boots, 1);
}

/* Scheduled by the firmware: the engine is reset and the context lost.  Else: the whole device. */
static void hang(struct work *w)
{
	os_inproc_mark(env.npu, "hang");
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	assert_int_equal(one_nop(w), -ETIMEDOUT);
	if (!env_hws())
		assert_int_equal(one_nop(w), 0);
	os_inproc_mark(env.npu, "close");
	close_ctx(w);
}

static void fault(void)
{
	struct cmdlist list;
	struct work w;

	os_inproc_mark(env.npu, "fault");
	work_open(&w);
	list_at(&list, &w, 0);
	list_copy(&list, 0x1000, w.addr + 0x2000, w.addr + 0x7ffff000, 4096);
	assert_int_not_equal(run_one(&w, &list), 0);
	close_ctx(&w);
}

static void session(void **state)
{
	struct work w;

	open_device(*state);
	submit(&w);
	sleep_and_wake(&w);
	hang(&w);
	fault();
	close_device();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(session, argv[argc - 1]) };

	if (argc != 4 || env_args(argc - 1, argv)) {
		fprintf(stderr, "usage: session GENERATION os|hw FILE\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
