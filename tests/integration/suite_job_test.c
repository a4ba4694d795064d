// SPDX-License-Identifier: MIT
/*
 * The suite, jobs and memory: what every generation must do alike.  See docs/architecture.md.
 */
#include "unit.h"

static int open_polled(bool poll)
{
	env_open(&env, 51, true);
	env.cfg.poll = poll;
	env_boot(&env);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return open_polled(false);
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

static void one_job(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	unit_must_run(&u);
	unit_must_run(&u);
	unit_close(&u);
	env_expect_clean(&env);
}

/* A job that cannot be done says why, and is the only one. */
static void statuses(void **state)
{
	struct unit u;

	(void)state;
	unit_open(&u);
	u.f.inv->magic = 0;
	assert_int_equal(unit_run(&u), ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT);
	flat_job_write(&u.f);
	((u8 *)drv_bo_cpu(u.f.cmd))[FLAT_IMAGE] ^= 1;
	assert_int_equal(unit_run(&u), ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT);
	flat_job_write(&u.f);
	unit_must_run(&u); /* the queue goes on */
	assert_int_equal(os_inproc_fault(env.npu, "job-error", 1), 0);
	assert_int_equal(unit_run(&u), ABI_JSM_STATUS_PROCESSING_ERR);
	unit_close(&u); /* whose context may have been stopped for it */
	unit_once();
	assert_int_equal(unit_info()->jobs_failed, 3);
}

/* Job after job around every ring there is, completions in order, each exactly once. */
static void many_in_order(void **state)
{
	struct abi_completion done[DRV_QUEUE_DEPTH];
	u64 sent = 0, got = 0;
	struct unit u;

	(void)state;
	unit_open(&u);
	while (got < 600) {
		u32 nr;
		int ret = 1;

		for (u32 i = 0; i < 7 && ret == 1; i++) {
			ret = unit_submit_to(&u, u.queue, sent, sent % 5 ? 0 : ABI_JOB_SYNC);
			assert_true(ret == 1 || ret == -EAGAIN);
			sent += ret == 1;
		}
		env_round(&env, drv_now_ns(env.dev) + 100 * BASE_NS_PER_US);
		nr = drv_queue_reap(u.queue, done, DRV_QUEUE_DEPTH);
		for (u32 i = 0; i < nr; i++) {
			assert_int_equal(done[i].cookie, got++);
			assert_int_equal(done[i].status, 0);
		}
	}
	assert_int_equal(env_reap(&env, u.queue, done, (u32)(sent - got)), sent - got);
	unit_close(&u);
	env_expect_clean(&env);
}

/* A full queue takes what there is room for, then says "later". */
static void full_queue(void **state)
{
	struct abi_completion done[DRV_QUEUE_DEPTH];
	struct abi_job jobs[100];
	struct unit u;

	(void)state;
	unit_open(&u);
	for (u32 i = 0; i < 100; i++) {
		jobs[i] = u.job;
		jobs[i].cookie = i;
	}
	for (u32 round = 0; round < 3; round++) {
		assert_int_equal(drv_queue_submit(u.queue, jobs, 100), DRV_QUEUE_DEPTH);
		assert_int_equal(drv_queue_submit(u.queue, jobs, 1), -EAGAIN);
		assert_int_equal(drv_queue_pending(u.queue), DRV_QUEUE_DEPTH);
		assert_int_equal(env_reap(&env, u.queue, done, DRV_QUEUE_DEPTH), DRV_QUEUE_DEPTH);
		for (u32 i = 0; i < DRV_QUEUE_DEPTH; i++) {
			assert_int_equal(done[i].cookie, i);
			assert_int_equal(done[i].status, 0);
		}
		assert_int_equal(drv_queue_pending(u.queue), 0);
	}
	unit_must_run(&u);
	unit_close(&u);
	env_expect_clean(&env);
}

static void full_context(void **state)
{
	struct abi_completion done[DRV_QUEUE_DEPTH];
	u32 rest = DRV_CTX_JOBS - 4 * DRV_QUEUE_DEPTH;
	struct drv_queue *more[4];
	struct unit u, other;

	(void)state;
	unit_open(&u);
	unit_open(&other);
	for (u32 q = 0; q < 4; q++) {
		assert_int_equal(drv_queue_create(u.ctx, q, &more[q]), 0);
		for (u32 i = 0; i < DRV_QUEUE_DEPTH; i++)
			assert_int_equal(unit_submit_to(&u, more[q], i, 0), 1);
	}
	for (u32 i = 0; i < rest; i++)
		unit_submit(&u, i);
	assert_int_equal(unit_submit_to(&u, u.queue, 0, 0), -EAGAIN);
	unit_must_run(&other); /* is not concerned */
	for (u32 q = 0; q < 4; q++) {
		assert_int_equal(env_reap(&env, more[q], done, DRV_QUEUE_DEPTH), DRV_QUEUE_DEPTH);
		drv_queue_destroy(more[q]);
	}
	assert_int_equal(env_reap(&env, u.queue, done, rest), rest);
	unit_must_run(&u);
	unit_close(&u);
	unit_close(&other);
	env_expect_clean(&env);
}

/* Completions nobody takes are bounded too. */
static void unreaped_are_bounded(void **state)
{
	struct abi_completion done[DRV_QUEUE_DONE_MAX];
	struct unit u;
	u32 taken = 0;

	(void)state;
	unit_open(&u);
	for (u32 i = 0; i < 2 * DRV_QUEUE_DONE_MAX; i++) {
		taken += unit_submit_to(&u, u.queue, taken, 0) == 1;
		env_run(&env, 400 * BASE_NS_PER_US);
	}
	assert_int_equal(taken, DRV_QUEUE_DONE_MAX);
	assert_int_equal(drv_queue_reap(u.queue, done, DRV_QUEUE_DONE_MAX), DRV_QUEUE_DONE_MAX);
	for (u32 i = 0; i < DRV_QUEUE_DONE_MAX; i++)
		assert_int_equal(done[i].cookie, i);
	unit_must_run(&u);
	unit_close(&u);
}

#define NR_UNITS 4u
#define NR_EACH	 80u

/* What queue @q of 2 of a unit got, in order. */
static void take_in_order(struct drv_queue *queue, u64 *got)
{
	struct abi_completion done[DRV_QUEUE_DEPTH];
	u32 nr = drv_queue_reap(queue, done, DRV_QUEUE_DEPTH);

	for (u32 i = 0; i < nr; i++) {
		assert_int_equal(done[i].cookie, (*got)++);
		assert_int_equal(done[i].status, 0);
	}
}

/* Contexts and queues side by side, more jobs than any ring has slots: each queue's in order. */
static void contexts_and_queues(void **state)
{
	u64 sent[NR_UNITS][2] = { { 0 } }, got[NR_UNITS][2] = { { 0 } };
	struct drv_queue *queue[NR_UNITS][2];
	u64 total = 0;
	struct unit u[NR_UNITS];

	(void)state;
	for (u32 i = 0; i < NR_UNITS; i++) {
		unit_open(&u[i]);
		queue[i][0] = u[i].queue;
		assert_int_equal(drv_queue_create(u[i].ctx, i, &queue[i][1]), 0);
	}
	while (total < 2 * NR_UNITS * NR_EACH) {
		total = 0;
		for (u32 i = 0; i < 2 * NR_UNITS; i++) {
			u64 *s = &sent[i / 2][i % 2], *g = &got[i / 2][i % 2];
			struct drv_queue *q = queue[i / 2][i % 2];

			while (*s < NR_EACH &&
			       unit_submit_to(&u[i / 2], q, *s, *s % 7 ? 0 : ABI_JOB_SYNC) == 1)
				(*s)++;
			take_in_order(q, g);
			total += *g;
		}
		assert_true(env_round(&env, drv_now_ns(env.dev) + BASE_NS_PER_MS));
	}
	for (u32 i = 0; i < NR_UNITS; i++) {
		unit_must_run(&u[i]);
		drv_queue_destroy(queue[i][1]);
		unit_close(&u[i]);
	}
	env_expect_clean(&env);
}

static void by_interrupt(void **state)
{
	struct unit u;
	u64 irqs;

	(void)state;
	unit_open(&u);
	unit_must_run(&u);
	irqs = unit_info()->irqs;
	for (u32 i = 0; i < 20; i++)
		unit_must_run(&u);
	assert_true(unit_info()->irqs >= irqs + 20);
	unit_close(&u);
	env_expect_clean(&env);
}

static void by_poll(void **state)
{
	struct unit u;
	u64 irqs;

	(void)state;
	if (!unit_is_flat())
		env_skip("a job's end is a message of the firmware, which an interrupt announces; "
			 "only ref shows it in a register (P 10.5)");
	env_close(&env);
	open_polled(true);
	unit_open(&u);
	irqs = unit_info()->irqs;
	for (u32 i = 0; i < 20; i++)
		unit_must_run(&u);
	assert_int_equal(unit_info()->irqs, irqs);
	unit_close(&u);
	env_expect_clean(&env);
}

/*
 * Memory
 */

static void buffers_are_zeroed(void **state)
{
	struct drv_ctx *ctx;
	struct drv_bo *bo;

	(void)state;
	assert_int_equal(drv_ctx_create(env.dev, &ctx), 0);
	for (u32 round = 0; round < 4; round++) {
		u64 size = round % 2 ? 0x8000 : 0x80000;
		u8 *cpu;

		assert_int_equal(drv_bo_create(ctx, size, 0, 0, &bo), 0);
		cpu = drv_bo_cpu(bo);
		for (u32 i = 0; i < size; i++)
			assert_int_equal(cpu[i], 0);
		memset(cpu, 0xaa, size);
		drv_bo_destroy(bo);
	}
	drv_ctx_destroy(ctx);
}

static void buffers_have_limits(void **state)
{
	struct drv_ctx *ctx;
	struct drv_bo *bo;

	(void)state;
	assert_int_equal(drv_ctx_create(env.dev, &ctx), 0);
	assert_int_equal(drv_bo_create(ctx, 5000, 0, 0, &bo), 0);
	assert_int_equal(drv_bo_size(bo), 8192);
	assert_int_equal(drv_bo_addr(bo) % 4096, 0);
	assert_true(drv_ctx_range_ok(ctx, drv_bo_addr(bo), 8192));
	assert_false(drv_ctx_range_ok(ctx, drv_bo_addr(bo), 8193));
	assert_false(drv_ctx_range_ok(ctx, drv_bo_addr(bo), UINT64_MAX));
	drv_bo_destroy(bo);
	assert_false(drv_ctx_range_ok(ctx, UNIT_UNMAPPED, 1));
	assert_int_equal(drv_bo_create(ctx, 4096, 1 << 21, 0, &bo), 0);
	assert_int_equal(drv_bo_addr(bo) % (1 << 21), 0);
	drv_bo_destroy(bo);
	assert_int_equal(drv_bo_create(ctx, 0, 0, 0, &bo), -EINVAL);
	assert_int_equal(drv_bo_create(ctx, 4096, 3, 0, &bo), -EINVAL);
	assert_int_equal(drv_bo_create(ctx, 4096, 0, 0x80, &bo), -EINVAL);
	assert_int_equal(drv_bo_create(ctx, UINT64_MAX, 0, 0, &bo), -ENOSPC);
	drv_ctx_destroy(ctx);
	env_expect_clean(&env);
}

/* Contexts see their own buffers only; what is freed is free. */
static void buffers_are_freed(void **state)
{
	u64 live = env_live_dma(&env);
	struct drv_ctx *ctx[2];
	struct drv_bo *bo[40];

	(void)state;
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < 2; i++)
			assert_int_equal(drv_ctx_create(env.dev, &ctx[i]), 0);
		for (u32 i = 0; i < 40; i++) {
			assert_int_equal(
				drv_bo_create(ctx[0], UINT64_C(4096) << i % 6, 0, 0, &bo[i]), 0);
			for (u32 k = 0; k < i; k++)
				assert_true(drv_bo_addr(bo[i]) >=
						    drv_bo_addr(bo[k]) + drv_bo_size(bo[k]) ||
					    drv_bo_addr(bo[k]) >=
						    drv_bo_addr(bo[i]) + drv_bo_size(bo[i]));
			assert_true(drv_ctx_range_ok(ctx[0], drv_bo_addr(bo[i]), 1));
			assert_false(drv_ctx_range_ok(ctx[1], drv_bo_addr(bo[i]), 1));
		}
		assert_true(env_live_dma(&env) >= live + 40);
		for (u32 i = 0; i < 40; i++)
			drv_bo_destroy(bo[i * 7 % 40]);
		drv_ctx_destroy(ctx[0]);
		drv_ctx_destroy(ctx[1]);
		env_run(&env, 10 * BASE_NS_PER_MS);
		assert_int_equal(env_live_dma(&env), live);
	}
	env_expect_clean(&env);
}

/* Each allocation of a context, its buffers and its queue fails once; then all is as before. */
static void no_memory(void **state)
{
	u64 live = env_live_dma(&env);
	struct unit u;
	u32 nth = 0;
	int ret;

	(void)state;
	do {
		base_alloc_fail_nth(++nth);
		ret = unit_try_open(&u);
		base_alloc_fail_nth(0);
		if (!ret)
			break;
		assert_int_equal(ret, -ENOMEM);
		env_run(&env, BASE_NS_PER_MS);
		assert_int_equal(env_live_dma(&env), live);
		unit_once();
		env_run(&env, 10 * BASE_NS_PER_MS);
	} while (nth < 100);
	assert_in_range(nth, 8, 99);
	unit_must_run(&u);
	unit_close(&u);
}

/*
 * Isolation and counting
 */

/* A job that reaches beyond its memory ends; who did nothing wrong loses nothing. */
static void range_fault(void **state)
{
	struct unit bad, good;

	(void)state;
	unit_open(&bad);
	unit_open(&good);
	bad.f.inv->program.addr = UNIT_UNMAPPED;
	unit_submit(&bad, 1);
	unit_submit(&good, 2);
	assert_int_equal(unit_wait(&bad, 1), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	assert_int_equal(unit_wait(&good, 2), 0);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	unit_must_run(&good);
	flat_job_write(&bad.f);
	/* an MMU has stopped the context; the map has none, and there the job alone is at fault */
	assert_int_equal(unit_submit_to(&bad, bad.queue, 3, 0), unit_is_flat() ? 1 : -ECANCELED);
	unit_close(&bad);
	env_run(&env, 10 * BASE_NS_PER_MS);
	unit_must_run(&good);
	unit_once(); /* and the address space is good again */
	unit_close(&good);
	assert_int_equal(unit_info()->recoveries, 0);
	assert_int_equal(env_guest_errors(&env), 0);
}

/* Destroyed with jobs under way: nobody hears of them, nothing is left. */
static void destroy_with_pending(void **state)
{
	u64 live = env_live_dma(&env);
	struct unit u;

	(void)state;
	for (u32 i = 0; i < 5; i++) {
		unit_open(&u);
		for (u32 k = 0; k < 10 * i + 1; k++)
			unit_submit(&u, k);
		env_run(&env, i * 2 * BASE_NS_PER_US);
		drv_queue_destroy(u.queue);
		env_run(&env, BASE_NS_PER_S); /* buffers stay until they are done */
		if (u.list)
			drv_bo_destroy(u.list);
		flat_job_close(&u.f);
		drv_ctx_destroy(u.ctx);
		env_run(&env, 10 * BASE_NS_PER_MS);
		assert_int_equal(env_live_dma(&env), live);
		assert_int_equal(env.dev->dbs.used, 0);
		assert_int_equal(env.dev->ssids.used, 0);
		assert_int_equal(env.dev->nr_jobs, 0);
	}
	unit_once();
	env_expect_clean(&env);
}

static void counters(void **state)
{
	struct unit u;
	u64 done;

	(void)state;
	unit_open(&u);
	for (u32 i = 0; i < 10; i++)
		unit_must_run(&u);
	u.f.inv->magic = 0;
	assert_int_not_equal(unit_run(&u), 0);
	assert_int_equal(unit_info()->jobs_done, 11);
	assert_int_equal(unit_info()->jobs_failed, 1);
	assert_true(unit_info()->irqs > 0);
	assert_true(unit_info()->boot_ns > 0);
	assert_in_range(unit_info()->busy_ns, 1, drv_now_ns(env.dev));
	done = unit_info()->busy_ns;
	env_run(&env, BASE_NS_PER_S);
	assert_int_equal(unit_info()->busy_ns, done); /* idle is not busy */
	assert_int_equal(unit_info()->cold_boots, 1);
	assert_int_equal(unit_info()->recoveries + unit_info()->engine_resets, 0);
	unit_close(&u);
}

static u64 hash_of(u64 seed)
{
	struct unit u;
	u64 hash;

	env_open(&env, seed, false);
	env_boot(&env);
	unit_open(&u);
	for (u32 i = 0; i < 20; i++)
		unit_must_run(&u);
	unit_close(&u);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	hash = os_inproc_trace_hash(env.npu) ^ drv_now_ns(env.dev);
	env_close(&env);
	return hash;
}

/* Two runs of the same work: the same accesses, to the last one. */
static void deterministic(void **state)
{
	(void)state;
	assert_int_equal(hash_of(77), hash_of(77));
	assert_int_not_equal(hash_of(77), hash_of(78));
}

int main(int argc, char **argv)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(one_job),
		T(statuses),
		T(many_in_order),
		T(full_queue),
		T(full_context),
		T(unreaped_are_bounded),
		T(contexts_and_queues),
		T(by_interrupt),
		T(by_poll),
		T(buffers_are_zeroed),
		T(buffers_have_limits),
		T(buffers_are_freed),
		T(no_memory),
		T(range_fault),
		T(destroy_with_pending),
		T(counters),
		cmocka_unit_test(deterministic),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("suite-job", tests, NULL, NULL);
}
