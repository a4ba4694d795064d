/* SPDX-License-Identifier: MIT */
/*
 * The driver's life in phases, for tests that let something go wrong in one of them: what a phase
 * needs is done before it, and what came of it is told in one error and one rung of the ladder.
 */
#ifndef TESTS_PHASE_H
#define TESTS_PHASE_H

#include "drv_env.h"

#include "cmdlist.h"
#include "flat_job.h"

enum phase { BOOT, SUBMIT, SUSPEND, RESUME, RECOVERY, ENGINE, NR_PHASES };

static const char *const phase_names[NR_PHASES] = { "boot",   "submit",	  "suspend",
						    "resume", "recovery", "engine reset" };

/* How far it went: the ladder of docs/failures.md. */
enum rung {
	NOTHING,   /* the driver got by */
	JOB,	   /* a job failed, or its context was aborted */
	ENGINE_UP, /* the engine was reset */
	COLD,	   /* no recovery, but the next boot was a cold one */
	RECOVERED, /* full recovery */
	DEAD,	   /* FAILED, until somebody asks for a reset */
	NR_RUNGS,
};

static const char *const rung_names[] = { "nothing",   "job",	    "engine reset",
					  "cold boot", "recovered", "dead" };

struct outcome {
	int err; /* of the boot or the suspend; else the status of the first job that failed */
	enum rung rung;
	int next; /* status of the next job: a firmware that died unseen is found out by it */
};

struct load { /* a context with a queue, and a job that does little */
	struct drv_ctx *ctx;
	struct drv_bo *bo;
	struct drv_queue *queue;
	struct flat_job flat;
	struct abi_job job;
};

#define UNMAPPED 0x90000000u /* in every context of a user */

static int load_open_job(struct drv_ctx *ctx, struct load *l)
{
	struct cmdlist list;
	int ret;

	if (env_reg_gen()->flat) {
		ret = flat_job_open(ctx, &l->flat);
		l->job = l->flat.job;
		return ret;
	}
	ret = drv_bo_create(ctx, 0x1000, 0, 0, &l->bo);
	if (ret)
		return ret;
	list = (struct cmdlist){ .cpu = drv_bo_cpu(l->bo),
				 .addr = drv_bo_addr(l->bo),
				 .size = sizeof(struct abi_cmdbuf_header) };
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, list.addr + 0x800, 1);
	l->job = (struct abi_job){ .cmd_addr = list.addr + CMDLIST_OFF, .cookie = 5 };
	return 0;
}

static void load_close_job(struct load *l)
{
	if (env_reg_gen()->flat)
		flat_job_close(&l->flat);
	else
		drv_bo_destroy(l->bo);
}

static int load_open(struct env *env, struct load *l)
{
	int ret = drv_ctx_create(env->dev, &l->ctx);

	if (ret)
		return ret;
	ret = load_open_job(l->ctx, l);
	if (ret)
		goto err_ctx;
	ret = drv_queue_create(l->ctx, 1, &l->queue);
	if (ret)
		goto err_job;
	return 0;

err_job:
	load_close_job(l);
err_ctx:
	drv_ctx_destroy(l->ctx);
	return ret;
}

static void load_close(struct load *l)
{
	drv_queue_destroy(l->queue);
	load_close_job(l);
	drv_ctx_destroy(l->ctx);
}

/* One job: its status, or why it was not taken.  It always ends. */
static int load_run(struct env *env, struct load *l)
{
	struct abi_completion done = { 0 };
	int ret = drv_queue_submit(l->queue, &l->job, 1);

	if (ret != 1)
		return ret;
	if (env_reap(env, l->queue, &done, 1) != 1)
		fail_msg("a job never ended, state %s", drv_state_name(drv_get_state(env->dev)));
	return done.status;
}

/* A job that reaches where it must not: its context is aborted. */
static int load_run_bad(struct env *env, struct load *l)
{
	struct cmdlist list = { .cpu = drv_bo_cpu(l->bo),
				.addr = drv_bo_addr(l->bo),
				.size = sizeof(struct abi_cmdbuf_header) };

	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, UNMAPPED, 1);
	return load_run(env, l);
}

/* Until @state or FAILED, at most 20 s of virtual time. */
static void wait_state(struct env *env, enum drv_state state)
{
	u64 until_ns = drv_now_ns(env->dev) + 20 * BASE_NS_PER_S;

	while (drv_get_state(env->dev) != state && drv_get_state(env->dev) != DRV_FAILED &&
	       drv_now_ns(env->dev) < until_ns && env_round(env, until_ns))
		continue;
}

static bool phase_exists(enum phase phase)
{
	if (phase == ENGINE)
		return env_hws();
	return !env_reg_gen()->flat || (phase != SUSPEND && phase != RESUME);
}

/* What comes before @phase; nothing goes wrong yet. */
static void phase_prepare(struct env *env, enum phase phase, struct load *l)
{
	env_create(env);
	if (phase == BOOT)
		return;
	if (drv_boot(env->dev, &env->err))
		fail_msg("%s", env->err.text);
	if (phase == SUBMIT)
		return;
	assert_int_equal(load_open(env, l), 0);
	assert_int_equal(load_run(env, l), 0);
	env_run(env, BASE_NS_PER_MS);
	if (phase != RESUME)
		return;
	assert_int_equal(drv_suspend(env->dev), 0);
	wait_state(env, DRV_SUSPENDED);
	assert_true(env->dev->pm.warm);
}

/* A queue's whole life, with two jobs. */
static int run_submit(struct env *env)
{
	struct load l = { 0 };
	int ret = load_open(env, &l), second;

	if (ret)
		return ret;
	ret = load_run(env, &l);
	second = load_run(env, &l);
	load_close(&l);
	return ret ? ret : second;
}

static int run_suspend(struct env *env)
{
	int ret = drv_suspend(env->dev);

	wait_state(env, DRV_SUSPENDED);
	return ret;
}

static int run_resume(struct env *env, struct load *l)
{
	int ret = drv_resume(env->dev);

	return ret ? ret : load_run(env, l);
}

static int run_recovery(struct env *env, struct load *l)
{
	drv_fail(env->dev, -EIO, "a test");
	wait_state(env, DRV_READY);
	return load_run(env, l);
}

/* One context faults; what becomes of a job of another one? */
static int run_engine(struct env *env, struct load *l)
{
	struct load bad = { 0 };
	int ret = load_open(env, &bad);

	if (ret)
		return ret;
	ret = load_run_bad(env, &bad);
	load_close(&bad);
	/* with its own status, as it should be */
	return ret == ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW ? load_run(env, l) : ret;
}

static int phase_run(struct env *env, enum phase phase, struct load *l)
{
	switch (phase) {
	case BOOT:
		return drv_boot(env->dev, &env->err);
	case SUBMIT:
		return run_submit(env);
	case SUSPEND:
		return run_suspend(env);
	case RESUME:
		return run_resume(env, l);
	case RECOVERY:
		return run_recovery(env, l);
	case ENGINE:
		return run_engine(env, l);
	case NR_PHASES:
		break;
	}
	return -EINVAL;
}

/* What of the ladder belongs to the phase itself. */
static enum rung rung_of(const struct drv_info *before, const struct drv_info *after,
			 enum phase phase, enum drv_state state)
{
	u64 recoveries = after->recoveries - before->recoveries - (phase == RECOVERY);
	u64 resets = after->engine_resets - before->engine_resets - (phase == ENGINE);
	u64 colds = after->cold_boots - before->cold_boots - (phase == BOOT || phase == RECOVERY);

	if (state == DRV_FAILED || state == DRV_CREATED) /* the latter: not even begun */
		return DEAD;
	if (recoveries)
		return RECOVERED;
	if (resets && after->engine_resets)
		return ENGINE_UP;
	return colds ? COLD : NOTHING;
}

static struct outcome phase_outcome(struct env *env, enum phase phase, struct load *l)
{
	struct drv_info before, after;
	struct outcome out;
	u64 start_ns = drv_now_ns(env->dev);

	drv_get_info(env->dev, &before);
	out.err = phase_run(env, phase, l);
	env_run(env, 2 * BASE_NS_PER_S); /* what is still to come of it */
	drv_get_info(env->dev, &after);
	if (drv_now_ns(env->dev) - start_ns > 250 * BASE_NS_PER_S)
		fail_msg("%s takes %llu s of virtual time", phase_names[phase],
			 (unsigned long long)((drv_now_ns(env->dev) - start_ns) / BASE_NS_PER_S));
	out.rung = rung_of(&before, &after, phase, drv_get_state(env->dev));
	if (phase == SUSPEND && out.rung == NOTHING && !env->dev->pm.warm)
		out.rung = COLD;
	if (out.rung == NOTHING && out.err)
		out.rung = JOB;
	return out;
}

/* Up again, if need be by a reset that is asked for. */
static void bring_up(struct env *env)
{
	int ret = 0;

	if (drv_get_state(env->dev) == DRV_SUSPENDED)
		ret = drv_resume(env->dev);
	else if (drv_get_state(env->dev) == DRV_CREATED)
		ret = drv_start(env->dev);
	else if (drv_get_state(env->dev) == DRV_FAILED)
		ret = drv_reset(env->dev);
	assert_int_equal(ret, 0);
	wait_state(env, DRV_READY);
}

static int run_fresh(struct env *env)
{
	struct load l = { 0 };
	int ret = load_open(env, &l);

	if (ret)
		return ret;
	ret = load_run(env, &l);
	load_close(&l);
	return ret;
}

/* The device works, at the latest when the next job has found out that it does not. */
static int phase_use(struct env *env, const char *what)
{
	int next, ret;

	bring_up(env);
	next = run_fresh(env);
	if (!next)
		return 0;
	bring_up(env);
	ret = run_fresh(env);
	if (ret)
		fail_msg("%s: the device is not usable after it: %d %s", what, ret,
			 drv_last_error(env->dev)->text);
	return next;
}

/* Everything is given back; the seam and the engine may keep what they needed once. */
static void phase_finish(struct env *env, enum phase phase, struct load *l, const char *what)
{
	if (phase != BOOT && phase != SUBMIT)
		load_close(l);
	env_run(env, BASE_NS_PER_S);
	if (env->dev->ssids.used || env->dev->dbs.used)
		fail_msg("%s: a context or a doorbell was left behind", what);
	drv_destroy(env->dev);
	env->dev = NULL;
	if (env_live_dma(env))
		fail_msg("%s: memory was left behind", what);
}

static void phase_print(const char *what, const u32 *nr)
{
	print_message("%s:", what);
	for (enum phase p = 0; p < NR_PHASES; p++)
		if (phase_exists(p))
			print_message(" %s %u", phase_names[p], nr[p]);
	print_message("\n");
}

#endif
