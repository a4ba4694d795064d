// SPDX-License-Identifier: MIT
/*
 * Null jobs per second, pipelined: a queue that is kept full through libnpu.  Threaded and stepped.
 * Beside it, in turns, the same jobs one at a time.
 *
 * usage: bench_pipelined [JOBS]       exit 1 when an operation fails
 */
#include <errno.h>
#include <stdlib.h>

#include "../tests/integration/cmdlist.h"
#include "base/base.h"

#define NR_TURNS 9u
#define BATCH	 32u
#define GOAL	 2e6

static int fail(const char *what)
{
	fprintf(stderr, "pipelined: %s: %s\n", what, npu_last_error());
	return 1;
}

/* @batch at a time, as many as there is room for.  Return: 0 or 1. */
static int run_jobs(struct npu_queue *queue, const struct cmdlist *list, u32 nr, u32 batch)
{
	struct npu_completion done[BATCH];
	struct npu_job jobs[BATCH];
	u32 sent = 0, ended = 0;

	for (u32 i = 0; i < BATCH; i++)
		jobs[i] = cmdlist_job(list, i);
	while (ended < nr) {
		u32 want = base_min(batch, nr - sent);
		int ret = want && (batch > 1 || sent == ended) ? npu_queue_submit(queue, jobs, want)
							       : 0;

		if (ret < 0 && ret != -EAGAIN)
			return fail("submit");
		sent += ret > 0 ? (u32)ret : 0;
		ret = npu_queue_poll(queue, done, BATCH);
		for (int i = 0; i < ret; i++)
			if (done[i].status)
				return fail("job");
		if (ret < 0)
			return fail("poll");
		ended += (u32)ret;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, NR_TURNS, sizeof(*v), by_value);
	return v[NR_TURNS / 2];
}

static int per_second(struct npu_queue *queue, const struct cmdlist *list, u32 nr, u32 batch,
		      double *out)
{
	u64 start = base_clock_ns();

	if (run_jobs(queue, list, nr, batch))
		return 1;
	*out = nr * 1e9 / (double)(base_clock_ns() - start);
	return 0;
}

static int measure(const char *name, struct npu_context *ctx, u32 nr)
{
	double full[NR_TURNS], single[NR_TURNS];
	struct npu_buffer *buf;
	struct npu_queue *queue;
	struct cmdlist list;

	if (npu_buffer_create(ctx, BASE_PAGE_SIZE, 0, 0, &buf) ||
	    npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue))
		return fail("buffer or queue");
	cmdlist_init(&list, buf, 0);
	cmdlist_nop(&list);
	if (run_jobs(queue, &list, 1000, BATCH))
		return 1;
	for (u32 i = 0; i < NR_TURNS; i++)
		if (per_second(queue, &list, nr, BATCH, &full[i]) ||
		    per_second(queue, &list, nr, 1, &single[i]))
			return 1;
	printf("null jobs, %-8s pipelined %.2f million per second (goal %.0f), one at a time %.2f\n",
	       name, median(full) / 1e6, GOAL / 1e6, median(single) / 1e6);
	return 0;
}

static int bench(const char *name, const char *device, u32 nr)
{
	struct npu_device *dev;
	struct npu_context *ctx;
	int ret;

	if (npu_device_open(device, &dev))
		return fail("open");
	if (npu_context_create(dev, &ctx)) {
		ret = fail("context");
	} else {
		ret = measure(name, ctx, nr);
		npu_context_destroy(ctx);
	}
	npu_device_close(dev);
	return ret;
}

int main(int argc, char **argv)
{
	u32 nr = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 100000;

	if (!nr) {
		fprintf(stderr, "usage: pipelined [JOBS]\n");
		return 1;
	}
	return bench("threaded", "sim:npu37,engine=plain", nr) ||
	       bench("stepped", "sim:npu37,stepped,engine=plain", nr);
}
