/* SPDX-License-Identifier: MIT */
/*
 * libnpu, service, driver core and virtual NPU together, in stepped mode (virtual time,
 * deterministic) and in threaded mode (real time): what the tests of this stack share.
 */
#ifndef TESTS_STACK_H
#define TESTS_STACK_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"
#include "cmdlist.h"

#define PAGE 4096u
#define MS   BASE_NS_PER_MS

#define STEPPED	 "sim:npu37,stepped,engine=plain"
#define THREADED "sim:npu37,engine=plain"

/* What the devices of a run are: $NPU_TEST_GEN. */
static inline const char *stack_gen(void)
{
	const char *gen = getenv("NPU_TEST_GEN");

	return gen ? gen : "npu37";
}

struct stack {
	const struct reg_gen *gen;
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	struct npu_buffer *cmds; /* 16 pages */
	bool stepped;
};

static inline void must(int ret, const char *what)
{
	if (ret < 0)
		fail_msg("%s: %d: %s", what, ret, npu_last_error());
}

#define MUST(call) must((call), #call)

static inline void open_stack(struct stack *s, const char *device)
{
	s->stepped = strstr(device, "stepped") != NULL;
	s->gen = reg_gen_by_name(stack_gen());
	MUST(npu_device_open(device, &s->dev));
	MUST(npu_context_create(s->dev, &s->ctx));
	MUST(npu_queue_create(s->ctx, NPU_PRIO_NORMAL, &s->queue));
	MUST(npu_buffer_create(s->ctx, 16 * PAGE, 0, NPU_BUFFER_WB, &s->cmds));
}

/* A driver that keeps to the protocol leaves no finding. */
static inline void close_stack(struct stack *s)
{
	struct npu_device_info info;

	npu_context_destroy(s->ctx);
	MUST(npu_device_query(s->dev, &info));
	assert_int_equal(info.findings, 0);
	npu_device_close(s->dev);
}

static inline int setup_stepped(void **state)
{
	struct stack *s = calloc(1, sizeof(*s));
	char device[64];

	assert_non_null(s);
	snprintf(device, sizeof(device), "sim:%s,stepped,engine=plain", stack_gen());
	open_stack(s, device);
	*state = s;
	return 0;
}

/* $NPU_TEST_DEVICE: the same on a device in real time elsewhere (over_socket.sh). */
static inline int setup_threaded(void **state)
{
	const char *elsewhere = getenv("NPU_TEST_DEVICE");
	struct stack *s = calloc(1, sizeof(*s));
	char device[64];

	assert_non_null(s);
	snprintf(device, sizeof(device), "sim:%s,engine=plain", stack_gen());
	open_stack(s, elsewhere ? elsewhere : device);
	*state = s;
	return 0;
}

static inline int teardown(void **state)
{
	close_stack(*state);
	free(*state);
	return 0;
}

static inline void submit_one(struct npu_queue *queue, const struct cmdlist *list, uint64_t cookie)
{
	struct npu_job job = cmdlist_job(list, cookie);
	int ret = npu_queue_submit(queue, &job, 1);

	must(ret, "submit");
	assert_int_equal(ret, 1);
}

static inline struct npu_completion wait_one(struct npu_queue *queue)
{
	struct npu_completion done;
	int ret = npu_queue_wait(queue, &done, 1, 20000 * MS);

	must(ret, "wait");
	assert_int_equal(ret, 1);
	return done;
}

static inline void *map_at(struct npu_buffer *buf, size_t off)
{
	return (uint8_t *)npu_buffer_map(buf) + off;
}

/* A store the device sees: fences are signalled from the host by plain stores (P 10.8). */
static inline void signal_fence(void *fence, uint64_t value)
{
	atomic_store((_Atomic uint64_t *)fence, value);
}

/* A job that ends when the host signals. */
static inline void add_blocked_list(struct stack *s, struct cmdlist *list, uint32_t off,
				    uint64_t *fence)
{
	cmdlist_init(list, s->cmds, off);
	cmdlist_fence(list, ABI_CMD_FENCE_WAIT, npu_buffer_address(s->cmds) + 15 * PAGE, 1);
	*fence = 15 * PAGE;
}

#define BOTH(f)                                                     \
	{ #f " (stepped)", f, setup_stepped, teardown, NULL },      \
	{                                                           \
#f " (threaded)", f, setup_threaded, teardown, NULL \
	}
#define STEPPED_ONLY(f)                                           \
	{                                                         \
#f " (stepped)", f, setup_stepped, teardown, NULL \
	}

#endif
