/* SPDX-License-Identifier: MIT */
/*
 * Jobs whose results can be checked, of one client of the service: a context, some queues, and as
 * many jobs under way as those hold.  By libnpu, whatever the transport.
 *
 * With an MMU a job fills an area of its queue with its number, copies the end of that to a place
 * of its own and signals a fence there.  Without one it computes y = relu(x + 0.5).
 */
#ifndef TESTS_LOAD_WORK_H
#define TESTS_LOAD_WORK_H

#include "base/base.h"
#include "npu/npu.h"
#include "regs/gen.h"

#define WORK_MAX_QUEUES 8u
#define WORK_SLOTS	62u /* jobs of a queue under way */

struct work_queue {
	struct npu_queue *queue;
	struct npu_buffer *cmds, *io; /* @io: without MMU */
	u64 number[WORK_SLOTS];	      /* of the job in a slot; 0: free */
	u64 done;
};

struct work {
	const struct reg_gen *gen;
	struct npu_device *dev;
	struct npu_context *ctx;
	struct work_queue q[WORK_MAX_QUEUES];
	u32 nr_queues;
	u32 size_bytes; /* what a job fills */
	u64 next;	/* number; no two jobs of all clients have the same */
};

/** work_open() - @client: its number, @size_bytes: about how much work a job is.
 * Negative: npu_last_error() tells. */
int work_open(struct work *w, const char *device, const struct reg_gen *gen, u32 client,
	      u32 nr_queues, u32 size_bytes) BASE_WARN_UNUSED;
/** work_submit() - as many jobs as queue @q has room for; how many, or a negative errno */
int work_submit(struct work *w, u32 q) BASE_WARN_UNUSED;
/** work_reap() - wait for jobs of queue @q and check them; how many, -ENODATA: none was under way,
 * -EBADMSG: a wrong result, or another negative errno */
int work_reap(struct work *w, u32 q, u64 timeout_ns) BASE_WARN_UNUSED;
void work_close(struct work *w);

#endif
