/* SPDX-License-Identifier: MIT */
/*
 * Jobs of one context on the driver's environment: a buffer for command lists and data, a queue.
 */
#ifndef TESTS_WORK_H
#define TESTS_WORK_H

#include "drv_env.h"

#include "cmdlist.h"

#define BO_SIZE 0x4000u

struct work { /* a context with a buffer and a queue */
	struct drv_ctx *ctx;
	struct drv_bo *bo;
	struct drv_queue *queue;
	u8 *cpu;
	u64 addr;
};

static struct env env;

static inline void work_open(struct work *w)
{
	assert_int_equal(drv_ctx_create(env.dev, &w->ctx), 0);
	assert_int_equal(drv_bo_create(w->ctx, BO_SIZE, 0, DRV_BO_WB, &w->bo), 0);
	assert_int_equal(drv_queue_create(w->ctx, 1, &w->queue), 0);
	w->cpu = drv_bo_cpu(w->bo);
	w->addr = drv_bo_addr(w->bo);
}

static inline void work_close(struct work *w)
{
	drv_queue_destroy(w->queue);
	drv_bo_destroy(w->bo);
	drv_ctx_destroy(w->ctx);
}

static inline void list_at(struct cmdlist *list, const struct work *w, u32 off)
{
	list->cpu = w->cpu + off;
	list->addr = w->addr + off;
	list->size = sizeof(struct abi_cmdbuf_header);
	memset(list->cpu, 0, 64);
	cmdlist_sync(list);
}

static inline struct abi_job job_of(const struct cmdlist *list, u64 cookie)
{
	return (struct abi_job){ .cmd_addr = list->addr + CMDLIST_OFF,
				 .cmd_size = list->size,
				 .cookie = cookie };
}

/* The generation's descriptor goes to @desc_off of the list's memory.  SRC: P 10.8 */
static inline void list_copy(struct cmdlist *list, u32 desc_off, u64 dst, u64 src, u32 size)
{
	cmdlist_copy(list, &env_reg_gen()->copy, desc_off, dst, src, size);
}

/* Submit one and wait for it. */
static inline s32 run_one(struct work *w, const struct cmdlist *list)
{
	struct abi_job job = job_of(list, 0x1234);
	struct abi_completion done;
	u64 before = drv_now_ns(env.dev);

	assert_int_equal(drv_queue_submit(w->queue, &job, 1), 1);
	assert_int_equal(drv_queue_pending(w->queue), 1);
	assert_int_equal(env_reap(&env, w->queue, &done, 1), 1);
	assert_int_equal(done.cookie, 0x1234);
	assert_int_equal(drv_queue_pending(w->queue), 0);
	assert_true(done.start_ns >= before && done.end_ns >= done.start_ns);
	assert_true(done.end_ns <= drv_now_ns(env.dev));
	return done.status;
}

/* A job that waits for a fence at 0x3000 of its buffer, which the CPU may signal. */
static inline void blocked(struct cmdlist *list, const struct work *w)
{
	list_at(list, w, 0);
	cmdlist_fence(list, ABI_CMD_FENCE_WAIT, w->addr + 0x3000, 1);
}

#endif
