/* SPDX-License-Identifier: MIT */
/*
 * What a client of the service writes to and reads from a command queue.
 * SRC: design section 4.
 */
#ifndef ABI_JOB_H
#define ABI_JOB_H

#include <assert.h>
#include <stddef.h>

#include "base/types.h"

#define ABI_JOB_INFERENCE 0x1u /* cmd is (or holds) work for the compute engine */
#define ABI_JOB_SYNC	  0x2u /* the next job of this queue waits for this one */
#define ABI_JOB_FLAGS	  (ABI_JOB_INFERENCE | ABI_JOB_SYNC)

struct abi_job {
	u64 cmd_addr; /* command buffer header, NPU address in the context */
	u32 cmd_size;
	u32 flags;
	u64 input_addr; /* 0 or a range of the context */
	u32 input_size;
	u32 pad0;
	u64 output_addr; /* 0 or a range of the context */
	u32 output_size;
	u32 pad1;
	u64 cookie; /* returned in the completion */
	u32 reserved;
	u32 status;
};

static_assert(sizeof(struct abi_job) == 64, "job descriptor");
static_assert(offsetof(struct abi_job, cmd_size) == 8, "cmd_size");
static_assert(offsetof(struct abi_job, flags) == 12, "flags");
static_assert(offsetof(struct abi_job, input_addr) == 16, "input_addr");
static_assert(offsetof(struct abi_job, input_size) == 24, "input_size");
static_assert(offsetof(struct abi_job, output_addr) == 32, "output_addr");
static_assert(offsetof(struct abi_job, output_size) == 40, "output_size");
static_assert(offsetof(struct abi_job, cookie) == 48, "cookie");
static_assert(offsetof(struct abi_job, status) == 60, "status");

struct abi_completion {
	u64 cookie;
	s32 status; /* 0, a negative errno, or the positive firmware job status (abi/jsm.h) */
	u32 reserved;
	u64 start_ns; /* doorbell; the driver's monotonic clock */
	u64 end_ns;   /* completion taken from the device */
};

static_assert(sizeof(struct abi_completion) == 32, "completion");

#define ABI_QUEUE_PAGE_ENTRIES 64u /* more than a queue's depth: it never overflows */

/*
 * What a client in another process maps of its queue: completions come to it without a call.
 * The service stores an entry, then tail; the client reads it, then stores head.  Both count ever
 * up; entry n is ring[n % ABI_QUEUE_PAGE_ENTRIES].
 */
struct abi_queue_page {
	u32 tail; /* the service's: entries ever put */
	u32 pad0[15];
	u32 head;    /* the client's: entries ever taken; nonsense harms only him */
	u32 waiting; /* the client sets 1, then looks at tail once more, then sleeps until the
		      * queue's event; the service sets 0 when it raises that */
	u32 pad1[14];
	struct abi_completion ring[ABI_QUEUE_PAGE_ENTRIES];
};

static_assert(offsetof(struct abi_queue_page, head) == 64, "head");
static_assert(offsetof(struct abi_queue_page, ring) == 128, "ring");
static_assert(sizeof(struct abi_queue_page) == 2176, "queue page");

#endif
