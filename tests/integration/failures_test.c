// SPDX-License-Identifier: MIT
/*
 * Failures that take more than one fault of the model, each with its exact error and rung: MMU
 * faults of each kind, stray messages, a device that is unplugged, resets at the wrong moment.
 * docs/failures.md.
 */
#include "work.h"

static int setup(void **state)
{
	(void)state;
	env_open(&env, 71, false);
	env.cfg.recoveries = 0; /* the default */
	env_boot(&env);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

static struct drv_info info(void)
{
	struct drv_info i;

	drv_get_info(env.dev, &i);
	return i;
}

static void submit_nops(struct work *w, u32 nr)
{
	struct abi_job jobs[8];
	struct cmdlist list;

	list_at(&list, w, 0);
	cmdlist_nop(&list);
	for (u32 i = 0; i < nr; i++)
		jobs[i] = job_of(&list, i);
	assert_int_equal(drv_queue_submit(w->queue, jobs, nr), (int)nr);
}

static s32 one_job(struct work *w)
{
	struct abi_completion done = { 0 };

	submit_nops(w, 1);
	assert_int_equal(env_reap(&env, w->queue, &done, 1), 1);
	return done.status;
}

/*
 * MMU faults
 */

/* Every type of event P 8.7 knows costs its context and nobody else. */
static void test_mmu_each_event(void **state)
{
	struct work good;

	(void)state;
	work_open(&good);
	for (u32 i = 0; i < 19; i++) {
		struct work bad;

		work_open(&bad);
		assert_int_equal(one_job(&bad), 0);
		assert_int_equal(os_inproc_fault(env.npu, "mmu-kinds", 1), 0);
		assert_int_equal(one_job(&bad), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
		assert_int_equal(info().mmu_faults, i + 1);
		assert_int_equal(one_job(&good), 0);
		work_close(&bad);
		env_run(&env, 10 * BASE_NS_PER_MS);
		assert_int_equal(info().engine_resets, env_hws() ? i + 1 : 0);
	}
	assert_int_equal(info().recoveries, 0);
	work_close(&good);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->ssids.used, 0);
	assert_int_equal(env_guest_errors(&env), 0);
}

/* The last entry of @va's walk, in the context's own tables. */
static u64 *page_entry(struct drv_pt *pt, u64 va)
{
	for (int level = 0; level < ABI_MMU_PT_LEVELS - 1; level++)
		pt = pt->next[ABI_MMU_PT_INDEX(va, level)];
	return &pt->entries[ABI_MMU_PT_INDEX(va, ABI_MMU_PT_LEVELS - 1)];
}

/* Entries that a memory error or a bug of ours might leave: each is the context's affair. */
static void test_mmu_bad_tables(void **state)
{
	static const struct {
		u64 clear, set;
	} damage[] = {
		{ ABI_MMU_PTE_AF, 0 },	      /* F_ACCESS */
		{ ABI_MMU_PTE_USER, 0 },      /* F_PERMISSION */
		{ 0, ABI_MMU_PTE_READ_ONLY }, /* the same */
		{ UINT64_MAX, 0 },	      /* F_TRANSLATION */
		{ 0, 0x3000000000ull },	      /* memory of nobody: aborted, no event */
	};
	const u32 nr = BASE_ARRAY_SIZE(damage);

	(void)state;
	for (u32 i = 0; i < nr; i++) {
		struct cmdlist list;
		struct work w;
		u64 *entry, was;

		work_open(&w);
		list_at(&list, &w, 0);
		cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, w.addr + 0x3000, 1);
		entry = page_entry(w.ctx->root, w.addr + 0x3000);
		was = *entry;
		assert_true(was != 0);
		*entry = (was & ~damage[i].clear) | damage[i].set;
		assert_int_equal(run_one(&w, &list), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
		*entry = was;
		assert_int_equal(info().mmu_faults, base_min(i + 1, nr - 1));
		work_close(&w);
		env_run(&env, 10 * BASE_NS_PER_MS);
	}
	assert_int_equal(info().recoveries, 0);
	assert_int_equal(info().engine_resets, env_hws() ? nr : 0);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
}

/* A global error is logged, acknowledged and counted; nothing else happens.  SRC: P 8.9 */
static void test_mmu_global_error(void **state)
{
	struct work w;

	(void)state;
	work_open(&w);
	for (u32 i = 1; i <= 3; i++) {
		assert_int_equal(os_inproc_fault(env.npu, "mmu-gerror", 1), 0);
		assert_int_equal(one_job(&w), 0);
		env_run(&env, BASE_NS_PER_MS);
		assert_int_equal(env.dev->gerrors, i);
	}
	assert_int_equal(info().recoveries + info().engine_resets, 0);
	work_close(&w);
	env_expect_clean(&env);
}

/*
 * Messages
 */

/* Of no context, of no job, nobody asked for: counted or ignored, and nothing else. */
static void test_stray_messages(void **state)
{
	static const char *const faults[] = { "dead-context", "duplicate-answer",
					      "unsolicited-answer" };
	struct work w;

	(void)state;
	work_open(&w);
	assert_int_equal(one_job(&w), 0);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(faults); i++) {
		assert_int_equal(os_inproc_fault(env.npu, faults[i], 1), 0);
		assert_int_equal(one_job(&w), 0);
		env_run(&env, BASE_NS_PER_MS);
	}
	assert_int_equal(env.dev->unknown_jobs, 2); /* the third has a request id: malformed */
	assert_int_equal(env.dev->ipc_malformed, 1);
	assert_int_equal(info().recoveries + info().engine_resets, 0);
	work_close(&w);
	env_expect_clean(&env);
}

/*
 * Gone, and reset
 */

/* Pulled out in mid-job: no register answers, nothing arrives, no interrupt comes. */
static void test_unplugged(void **state)
{
	struct abi_completion done[2];
	struct cmdlist list;
	struct work w;
	struct abi_job jobs[2];
	u64 start_ns;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	jobs[0] = jobs[1] = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 2), 2);
	env_run(&env, BASE_NS_PER_MS);
	os_faulty_arm(env.os, 1, true);
	start_ns = drv_now_ns(env.dev);
	while (drv_get_state(env.dev) == DRV_READY)
		env_run(&env, BASE_NS_PER_MS);
	assert_in_range(drv_now_ns(env.dev) - start_ns, 0,
			env.dev->tdr_period_ns + 10 * BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_int_equal(drv_last_error(env.dev)->code, -ENODEV);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "gone"));
	assert_int_equal(drv_queue_reap(w.queue, done, 2), 2);
	assert_int_equal(done[0].status, -EIO);
	assert_int_equal(done[1].status, -EIO);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 1), -ENODEV);
	assert_int_equal(info().recoveries, 0);
	os_faulty_arm(env.os, 0, false); /* put back */
	assert_int_equal(drv_reset(env.dev), 0);
	assert_int_equal(one_job(&w), 0);
	work_close(&w);
}

/* A reset that is asked for at each moment of a boot and of a reset: refused, and nothing breaks. */
static void test_reset_while_busy(void **state)
{
	u32 refused[2] = { 0 };
	struct work w;

	(void)state;
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_reset(env.dev), -EBUSY);
	assert_int_equal(drv_start(env.dev), 0);
	for (u32 i = 0; i < 2; i++) {
		while (drv_get_state(env.dev) != DRV_READY) {
			assert_int_equal(drv_reset(env.dev), -EBUSY);
			refused[i]++;
			env_run(&env, 20 * BASE_NS_PER_US);
		}
		if (!i)
			assert_int_equal(drv_reset(env.dev), 0);
	}
	if (refused[0] < 3 || refused[1] < 3)
		fail_msg("asked %u times during the boot, %u times during the reset", refused[0],
			 refused[1]);
	assert_int_equal(info().recoveries, 1);
	work_open(&w);
	assert_int_equal(one_job(&w), 0);
	work_close(&w);
}

/* ... and of jobs: each is done before or after it, or ends with it.  The questions it cuts short
 * are not written over while the firmware may read them. */
static void test_reset_while_submitting(void **state)
{
	u32 nr_done = 0, nr_cancelled = 0;

	(void)state;
	for (u32 us = 0; us < 300; us += 3) {
		struct abi_completion done[8];
		struct work w;

		work_open(&w);
		if (us % 2) /* a queue the firmware knows: it has the jobs at once */
			assert_int_equal(one_job(&w), 0);
		submit_nops(&w, 8);
		env_run(&env, us % 4 == 3 ? 0 : us * BASE_NS_PER_US);
		assert_int_equal(drv_reset(env.dev), 0);
		assert_int_equal(env_reap(&env, w.queue, done, 8), 8);
		for (u32 i = 0; i < 8; i++) {
			assert_true(!done[i].status || done[i].status == -ECANCELED);
			nr_done += !done[i].status;
			nr_cancelled += done[i].status != 0;
		}
		assert_int_equal(one_job(&w), 0);
		work_close(&w);
	}
	if (!nr_done || !nr_cancelled)
		fail_msg("%u jobs done, %u cancelled", nr_done, nr_cancelled);
	assert_int_equal(info().recoveries, 100);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
	env_expect_clean(&env);
}

int main(int argc, char **argv)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_mmu_each_event),		T(test_mmu_bad_tables), T(test_mmu_global_error),
		T(test_stray_messages),		T(test_unplugged),	T(test_reset_while_busy),
		T(test_reset_while_submitting),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}
