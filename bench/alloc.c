// SPDX-License-Identifier: MIT
/*
 * Allocations and time on the path of a job: submit, poll until it is done.  Stepped, so that the
 * model's side of it runs in this thread and is counted too.
 *
 * usage: alloc [JOBS]       exit 1 when an operation fails or anything is allocated
 */
#include <stdlib.h>

#include "../tests/integration/cmdlist.h"
#include "base/base.h"

static int fail(const char *what)
{
	fprintf(stderr, "alloc: %s: %s\n", what, npu_last_error());
	return 1;
}

static int run_jobs(struct npu_queue *queue, const struct cmdlist *list, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		struct npu_job job = cmdlist_job(list, i);
		struct npu_completion done;
		int ret;

		if (npu_queue_submit(queue, &job, 1) != 1)
			return fail("submit");
		do {
			ret = npu_queue_poll(queue, &done, 1);
		} while (!ret);
		if (ret != 1 || done.status)
			return fail("poll");
	}
	return 0;
}

static int measure(struct npu_context *ctx, u32 nr)
{
	struct npu_buffer *buf;
	struct npu_queue *queue;
	struct cmdlist list;
	u64 allocs, start;

	if (npu_buffer_create(ctx, BASE_PAGE_SIZE, 0, 0, &buf) ||
	    npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue))
		return fail("buffer or queue");
	cmdlist_init(&list, buf, 0);
	cmdlist_nop(&list);
	if (run_jobs(queue, &list, 100))
		return 1;
	allocs = base_alloc_count();
	start = base_clock_ns();
	if (run_jobs(queue, &list, nr))
		return 1;
	start = base_clock_ns() - start;
	allocs = base_alloc_count() - allocs;
	printf("%u jobs, stepped, polled: %llu allocations, %.0f ns per job\n", nr,
	       (unsigned long long)allocs, (double)start / nr);
	return allocs != 0;
}

int main(int argc, char **argv)
{
	u32 nr = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 100000;
	struct npu_device *dev;
	struct npu_context *ctx;
	int ret;

	if (!nr) {
		fprintf(stderr, "usage: alloc [JOBS]\n");
		return 1;
	}
	if (npu_device_open("sim:npu37,stepped,engine=plain", &dev))
		return fail("open");
	if (npu_context_create(dev, &ctx)) {
		ret = fail("context");
	} else {
		ret = measure(ctx, nr);
		npu_context_destroy(ctx);
	}
	npu_device_close(dev);
	return ret;
}
