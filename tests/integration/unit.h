/* SPDX-License-Identifier: MIT */
/*
 * One job that every generation can do, for the suite that runs on all of them: image.h's program
 * (y = relu(x + 0.5)).  A device without MMU gets the invocation itself, the others a command list
 * that executes it.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include "cmdlist.h"
#include "flat_job.h"

#define UNIT_UNMAPPED 0x90000000u /* in no context of a user, on no generation */
#define UNIT_FLOATS   6u

struct unit { /* a context, a queue and the job */
	struct drv_ctx *ctx;
	struct drv_queue *queue;
	struct flat_job f;
	struct drv_bo *list; /* of commands; NULL: none is needed */
	struct abi_job job;
};

static struct env env;

static inline bool unit_is_flat(void)
{
	return env_reg_gen()->flat;
}

static inline int unit_open_list(struct unit *u)
{
	struct abi_cmd_inference cmd = { .hdr = { ABI_CMD_INFERENCE_EXECUTE, sizeof(cmd) },
					 .inference_id = 1,
					 .host_mapped_inference_address = drv_bo_addr(u->f.cmd),
					 .host_mapped_inference_size = FLAT_CMD };
	struct cmdlist list = { .size = sizeof(struct abi_cmdbuf_header) };
	int ret = drv_bo_create(u->ctx, 4096, 0, 0, &u->list);

	if (ret)
		return ret;
	list.cpu = drv_bo_cpu(u->list);
	list.addr = drv_bo_addr(u->list);
	cmdlist_add(&list, &cmd, sizeof(cmd));
	u->job = (struct abi_job){ .cmd_addr = list.addr + CMDLIST_OFF, .cmd_size = list.size };
	return 0;
}

/* 0 or what the driver said; then nothing is left behind. */
static inline int unit_try_open(struct unit *u)
{
	int ret;

	*u = (struct unit){ 0 };
	ret = drv_ctx_create(env.dev, &u->ctx);
	if (ret)
		return ret;
	ret = flat_job_open(u->ctx, &u->f);
	if (ret)
		goto err_ctx;
	u->job = u->f.job;
	ret = unit_is_flat() ? 0 : unit_open_list(u);
	if (ret)
		goto err_job;
	ret = drv_queue_create(u->ctx, 1, &u->queue);
	if (ret)
		goto err_list;
	return 0;

err_list:
	if (u->list)
		drv_bo_destroy(u->list);
err_job:
	flat_job_close(&u->f);
err_ctx:
	drv_ctx_destroy(u->ctx);
	return ret;
}

static inline void unit_open(struct unit *u)
{
	assert_int_equal(unit_try_open(u), 0);
}

static inline void unit_close(struct unit *u)
{
	drv_queue_destroy(u->queue);
	if (u->list)
		drv_bo_destroy(u->list);
	flat_job_close(&u->f);
	drv_ctx_destroy(u->ctx);
}

static inline int unit_submit_to(struct unit *u, struct drv_queue *queue, u64 cookie, u32 flags)
{
	struct abi_job job = u->job;

	job.cookie = cookie;
	job.flags |= flags;
	return drv_queue_submit(queue, &job, 1);
}

static inline void unit_submit(struct unit *u, u64 cookie)
{
	assert_int_equal(unit_submit_to(u, u->queue, cookie, 0), 1);
}

static inline s32 unit_wait(struct unit *u, u64 cookie)
{
	struct abi_completion done = { 0 };

	assert_int_equal(env_reap(&env, u->queue, &done, 1), 1);
	assert_int_equal(done.cookie, cookie);
	assert_true(done.end_ns >= done.start_ns && done.end_ns <= drv_now_ns(env.dev));
	return done.status;
}

/* A job and its end. */
static inline s32 unit_run(struct unit *u)
{
	for (u32 i = 0; i < UNIT_FLOATS; i++)
		u->f.x[i] = (float)i - 2;
	memset(u->f.y, 0xff, UNIT_FLOATS * sizeof(*u->f.y));
	unit_submit(u, 5);
	return unit_wait(u, 5);
}

/* The same, and the result is right. */
static inline void unit_must_run(struct unit *u)
{
	s32 status = unit_run(u);

	if (status)
		fail_msg("status %d, device %s: %s", status, drv_state_name(drv_get_state(env.dev)),
			 drv_last_error(env.dev)->text);
	for (u32 i = 0; i < UNIT_FLOATS; i++) {
		float want = (float)i - 1.5f;

		assert_true(u->f.y[i] == (want > 0 ? want : 0));
	}
}

/* A context of its own, a job, and all of it gone again. */
static inline void unit_once(void)
{
	struct unit u;

	unit_open(&u);
	unit_must_run(&u);
	unit_close(&u);
}

static inline const struct drv_info *unit_info(void)
{
	static struct drv_info info;

	drv_get_info(env.dev, &info);
	return &info;
}

/* Until @state, looking each ms, at most @s seconds of virtual time. */
static inline void unit_run_to(enum drv_state state, u32 s)
{
	u64 until_ns = drv_now_ns(env.dev) + s * BASE_NS_PER_S;

	while (drv_get_state(env.dev) != state && drv_now_ns(env.dev) < until_ns &&
	       env_round(&env, drv_now_ns(env.dev) + BASE_NS_PER_MS))
		continue;
	assert_string_equal(drv_state_name(drv_get_state(env.dev)), drv_state_name(state));
}

#endif
