// SPDX-License-Identifier: MIT
/*
 * How long the ladder takes, in virtual time, and who pays for it.  P 10.7, 11.4.
 *
 * What is measured is printed.  Limits: a hang is seen by two time-out periods, with a heartbeat
 * that grows by the limit of one inference; an engine's reset takes 10 ms, a full recovery 200 ms.
 */
#include "work.h"

#define SEEDS	      8u
#define RESET_NS      (10 * BASE_NS_PER_MS)
#define RECOVERY_NS   (200 * BASE_NS_PER_MS)
#define ANSWER_NS     BASE_NS_PER_MS /* the model's, of what is no power matter */
#define PERIOD_NS     (env_reg_gen()->timeouts.tdr_ms * BASE_NS_PER_MS)
#define INFERENCE_NS  (env_reg_gen()->timeouts.inference_ms * BASE_NS_PER_MS)
#define NS_MS(ns)     ((double)(ns) / BASE_NS_PER_MS)
#define MODE_NAME     (env_hws() ? "hw" : "os")
#define WAIT_AT_MOST  (200 * BASE_NS_PER_S)
#define for_each_seed for (u64 seed = 1; seed <= SEEDS; seed++)

static void open_seed(u64 seed)
{
	env_open(&env, seed, true);
	env.cfg.recoveries = 0; /* the default */
	env_boot(&env);
}

static bool resets(void)
{
	return env.dev->engine.state != DRV_ENGINE_RUNNING;
}

static bool recovers(void)
{
	return drv_get_state(env.dev) == DRV_RECOVERING;
}

/* On the first rung of the ladder after a hang, or off it again. */
static bool acts(void)
{
	return resets() || recovers();
}

static bool is_well(void)
{
	return drv_get_state(env.dev) == DRV_READY && !resets();
}

/* Virtual time now, at the first round in which @is says so. */
static u64 when(bool (*is)(void))
{
	u64 until_ns = drv_now_ns(env.dev) + WAIT_AT_MOST;

	for (;;) {
		u64 next_ns = drv_process(env.dev);
		int ret;

		if (is())
			return drv_now_ns(env.dev);
		assert_true(drv_now_ns(env.dev) < until_ns);
		ret = drv_wait(env.dev, base_min(next_ns, until_ns));
		assert_true(!ret || ret == -ETIMEDOUT);
	}
}

/* When the firmware was last asked a question of @type. */
static u64 asked_ns(u32 type)
{
	const struct drv_trace *t = &env.dev->trace;

	for (u32 i = 1; i <= DRV_TRACE_RECS; i++) {
		const struct drv_trace_rec *rec =
			&t->rec[(t->next + DRV_TRACE_RECS - i) % DRV_TRACE_RECS];

		if (rec->kind == DRV_TRACE_TX && rec->off == type)
			return rec->time_ns;
	}
	fail_msg("no question of type 0x%04x in the trace", type);
	return 0;
}

static void one_job(struct work *w)
{
	struct cmdlist list;

	list_at(&list, w, 0);
	cmdlist_nop(&list);
	assert_int_equal(run_one(w, &list), 0);
}

static void submit(struct work *w, const struct cmdlist *list, u32 nr)
{
	struct abi_job job = job_of(list, 1);

	for (u32 i = 0; i < nr; i++, job.cookie++)
		assert_int_equal(drv_queue_submit(w->queue, &job, 1), 1);
}

/* A job that strikes the engine, and one behind it. */
static void submit_stuck(struct work *w, const char *fault)
{
	struct cmdlist list;

	assert_int_equal(os_inproc_fault(env.npu, fault, 1), 0);
	list_at(&list, w, 0);
	cmdlist_nop(&list);
	submit(w, &list, 2);
}

static void expect_recovered(struct work *w)
{
	struct abi_completion done[2];

	assert_int_equal(env_reap(&env, w->queue, done, 2), 2);
	work_close(w);
	env_run(&env, 10 * BASE_NS_PER_MS);
	work_open(w);
	one_job(w);
	work_close(w);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
}

/*
 * Detection
 */

/*
 * The watchdog ticks once a period while a job of another context waits; the engine hangs @after_ns
 * the first tick (0: nothing else is under way), with @late right after a job that ended well, which
 * sets the watchdog anew.  @seen: hang to question; return: question to judgement.
 */
static u64 hang_at(u64 seed, u64 after_ns, bool late, u64 *seen)
{
	struct work w, other;
	struct cmdlist list;
	u64 start_ns, judged_ns;

	open_seed(seed);
	work_open(&w);
	work_open(&other);
	one_job(&w);
	if (after_ns) {
		blocked(&list, &other);
		submit(&other, &list, 1);
		env_run(&env, PERIOD_NS + after_ns);
		assert_true(is_well());
	}
	if (late)
		one_job(&w);
	start_ns = drv_now_ns(env.dev);
	submit_stuck(&w, "stuck-engine");
	judged_ns = when(acts);
	*seen = asked_ns(ABI_JSM_QUERY_ENGINE_HB) - start_ns;
	judged_ns -= start_ns + *seen;
	work_close(&other);
	expect_recovered(&w);
	env_close(&env);
	return judged_ns;
}

/* Whenever the hang begins: the heartbeat is asked for at two ticks and seen to stand still. */
static void test_hang_is_seen(void **state)
{
	u64 worst = 0, answer = 0;
	u32 nr = 0;

	(void)state;
	for_each_seed
	{
		for (u64 part = 0; part < 20; part++, nr++) {
			u64 after_ns = part / 2 * PERIOD_NS / 10, seen;
			u64 judged = hang_at(seed, after_ns, part % 2, &seen);

			worst = base_max(worst, seen);
			answer = base_max(answer, judged);
			assert_in_range(seen, 1, 2 * PERIOD_NS);
			assert_in_range(judged, 1, ANSWER_NS);
		}
	}
	print_message("%s %s: %u hangs seen at most %.3f ms after they began (limit %.0f ms), "
		      "judged %.3f ms later, with the answer\n",
		      env_gen, MODE_NAME, nr, NS_MS(worst), NS_MS(2 * PERIOD_NS), NS_MS(answer));
}

/* A job that does not end under a heartbeat that grows: the tick at the limit of one inference. */
static void test_inference_limit(void **state)
{
	u64 least = UINT64_MAX, most = 0;

	(void)state;
	for_each_seed
	{
		struct cmdlist list;
		struct work w;
		u64 start_ns, took;

		open_seed(seed);
		work_open(&w);
		one_job(&w);
		blocked(&list, &w);
		start_ns = drv_now_ns(env.dev);
		submit(&w, &list, 2);
		took = when(acts) - start_ns;
		least = base_min(least, took);
		most = base_max(most, took);
		assert_in_range(took, INFERENCE_NS, INFERENCE_NS + PERIOD_NS);
		expect_recovered(&w);
		env_close(&env);
	}
	print_message("%s %s: a job under a growing heartbeat is given up after %.3f to %.3f ms "
		      "(limit of one inference %.0f ms)\n",
		      env_gen, MODE_NAME, NS_MS(least), NS_MS(most), NS_MS(INFERENCE_NS));
}

/*
 * The two rungs
 */

/* From when the driver knows until the engine runs, and the queues that were cut are gone. */
static u64 engine_reset(u64 seed, const char *fault)
{
	struct work w;
	u64 start_ns, took;

	open_seed(seed);
	work_open(&w);
	one_job(&w);
	submit_stuck(&w, fault);
	start_ns = when(resets);
	took = when(is_well) - start_ns;
	assert_int_equal(drv_queue_pending(w.queue), 0); /* its jobs have ended */
	assert_int_equal(env.dev->engine.resets, 1);
	assert_int_equal(env.dev->recovery.total, 0);
	expect_recovered(&w);
	env_close(&env);
	return took;
}

static void test_engine_reset(void **state)
{
	static const char *const faults[] = { "stuck-engine", "mmu-fault" };

	(void)state;
	if (!env_hws())
		env_skip("without hardware scheduling nothing resets the engine (P 10.7)");
	for (u32 i = 0; i < BASE_ARRAY_SIZE(faults); i++) {
		u64 most = 0;

		for_each_seed
		{
			u64 took = engine_reset(seed, faults[i]);

			most = base_max(most, took);
			assert_in_range(took, 1, RESET_NS);
		}
		print_message("%s %s: engine reset after %s: at most %.3f ms (limit %.0f ms)\n",
			      env_gen, MODE_NAME, faults[i], NS_MS(most), NS_MS(RESET_NS));
	}
}

/* From when the driver knows until jobs run again. */
static u64 full_recovery(u64 seed, const char *fault)
{
	struct work w;
	u64 start_ns, took;

	open_seed(seed);
	work_open(&w);
	one_job(&w);
	if (fault) {
		u64 struck_ns = drv_now_ns(env.dev);

		submit_stuck(&w, fault);
		start_ns = when(recovers);
		assert_in_range(start_ns - struck_ns, 1, 2 * PERIOD_NS + ANSWER_NS);
	} else {
		struct cmdlist list;

		blocked(&list, &w);
		submit(&w, &list, 2);
		start_ns = drv_now_ns(env.dev);
		assert_int_equal(drv_reset(env.dev), 0);
	}
	took = when(is_well) - start_ns;
	assert_int_equal(env.dev->recovery.total, 1);
	expect_recovered(&w);
	env_close(&env);
	return took;
}

/* NULL: it was asked for. */
static void test_full_recovery(void **state)
{
	static const char *const faults[] = { NULL,	  "stuck-engine", "fw-dead",
					      "watchdog", "ats-error",	  "global-fault" };

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(faults); i++) {
		u64 most = 0;

		if (env_hws() && faults[i] && !strcmp(faults[i], "stuck-engine"))
			continue; /* the engine is reset */
		for_each_seed
		{
			u64 took = full_recovery(seed, faults[i]);

			most = base_max(most, took);
			assert_in_range(took, 1, RECOVERY_NS);
		}
		print_message("%s %s: full recovery after %s: at most %.3f ms (limit %.0f ms)\n",
			      env_gen, MODE_NAME, faults[i] ? faults[i] : "a request", NS_MS(most),
			      NS_MS(RECOVERY_NS));
	}
}

/*
 * Bystanders
 */

#define NR_MATES   4u
#define MATE_JOBS  12u /* places in its buffer, below the fence at 0x3000 */
#define PLACE	   0x400u
#define PLACE_DESC 0x180u
#define PLACE_SRC  0x280u
#define PLACE_DST  0x300u
#define PLACE_DATA 0x80u

struct mate { /* a context that does nothing wrong: each job copies bytes of its own */
	struct work w;
	u32 sent;
	u32 done; /* bits of cookies */
};

static void mate_submit(struct mate *m, u32 idx, bool waits)
{
	u32 at = m->sent * PLACE;
	struct cmdlist list;
	struct abi_job job;

	list_at(&list, &m->w, at);
	for (u32 i = 0; i < PLACE_DATA; i++)
		m->w.cpu[at + PLACE_SRC + i] = (u8)(1 + idx * 64 + m->sent * 5 + i);
	memset(m->w.cpu + at + PLACE_DST, 0, PLACE_DATA);
	if (waits)
		cmdlist_fence(&list, ABI_CMD_FENCE_WAIT, m->w.addr + 0x3000, 1);
	list_copy(&list, PLACE_DESC, m->w.addr + at + PLACE_DST, m->w.addr + at + PLACE_SRC,
		  PLACE_DATA);
	job = job_of(&list, m->sent++);
	assert_int_equal(drv_queue_submit(m->w.queue, &job, 1), 1);
}

static void mate_reap(struct mate *m)
{
	struct abi_completion done;

	while (m->done != BASE_BIT(m->sent) - 1) {
		assert_int_equal(env_reap(&env, m->w.queue, &done, 1), 1);
		assert_int_equal(done.status, 0);
		assert_true(done.cookie < m->sent);
		assert_int_equal(m->done & BASE_BIT(done.cookie), 0);
		m->done |= (u32)BASE_BIT(done.cookie);
	}
	assert_int_equal(drv_queue_pending(m->w.queue), 0);
	assert_int_equal(drv_queue_reap(m->w.queue, &done, 1), 0);
	for (u32 at = 0; at < m->sent * PLACE; at += PLACE)
		assert_memory_equal(m->w.cpu + at + PLACE_DST, m->w.cpu + at + PLACE_SRC,
				    PLACE_DATA);
}

/* One round after the other until the rung is done; in each some submit.  Return: jobs submitted. */
static u32 submit_meanwhile(struct mate *mates, const struct work *bad)
{
	u64 until_ns = drv_now_ns(env.dev) + WAIT_AT_MOST;
	u32 nr = 0;

	while (resets() || drv_queue_pending(bad->queue)) {
		for (u32 i = 0; i < NR_MATES; i++) {
			if (mates[i].sent == MATE_JOBS)
				continue;
			mate_submit(&mates[i], i, false);
			nr++;
		}
		if (!env_round(&env, until_ns) || drv_now_ns(env.dev) >= until_ns)
			fail_msg("the engine does not come back");
	}
	return nr;
}

static bool is_faulty(void)
{
	for (u32 i = 0; i < DRV_NR_SSIDS; i++)
		if (env.dev->ctxs[i] && env.dev->ctxs[i]->faulty)
			return true;
	return resets();
}

/*
 * One context's job hangs or faults.  The others have jobs that wait, jobs that the engine works on
 * and jobs that they submit while it is reset: all of them end well, with the right bytes.
 */
static u32 stand_by(u64 seed, const char *fault, s32 status)
{
	struct abi_completion done[2];
	struct mate mates[NR_MATES] = { 0 };
	struct work bad;
	u32 nr;

	open_seed(seed);
	work_open(&bad);
	one_job(&bad);
	for (u32 i = 0; i < NR_MATES; i++) {
		work_open(&mates[i].w);
		mate_submit(&mates[i], i, i % 2);
	}
	env_run(&env, BASE_NS_PER_MS);
	submit_stuck(&bad, fault);
	when(is_faulty);
	nr = submit_meanwhile(mates, &bad);
	assert_true(nr >= NR_MATES);
	assert_int_equal(drv_queue_reap(bad.queue, done, 2), 2);
	assert_int_equal(done[0].status, status);
	assert_int_equal(done[1].status, -ECANCELED);
	for (u32 i = 0; i < NR_MATES; i++) {
		assert_false(mates[i].w.ctx->faulty);
		mates[i].w.cpu[0x3000] = 2;
		mate_reap(&mates[i]);
		work_close(&mates[i].w);
	}
	work_close(&bad);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->engine.resets, env_hws());
	assert_int_equal(env.dev->recovery.total, 0);
	assert_int_equal(env.dev->dbs.used, 0);
	assert_int_equal(env_guest_errors(&env), 0);
	env_close(&env);
	return nr;
}

static void test_others_lose_nothing(void **state)
{
	u32 nr = 0;

	(void)state;
	for_each_seed
	{
		nr += stand_by(seed, "mmu-fault", ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
		if (env_hws()) /* else a hang costs what the firmware has: recovery_test.c */
			nr += stand_by(seed, "stuck-engine", -ETIMEDOUT);
	}
	print_message("%s %s: %u jobs of others, submitted during %u %s, ended well\n", env_gen,
		      MODE_NAME, nr, SEEDS * (env_hws() ? 2 : 1),
		      env_hws() ? "resets of the engine" : "releases of a context");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hang_is_seen),	    cmocka_unit_test(test_inference_limit),
		cmocka_unit_test(test_engine_reset),	    cmocka_unit_test(test_full_recovery),
		cmocka_unit_test(test_others_lose_nothing),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("recovery_time", tests, NULL, NULL);
}
