// SPDX-License-Identifier: MIT
/* Jobs go to the service and completions come back as they are: the layouts are the same. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "abi/job.h"
#include "client/internal.h"
#include "service/path.h"

static_assert(sizeof(struct npu_job) == sizeof(struct abi_job), "npu_job");
static_assert(offsetof(struct npu_job, cookie) == offsetof(struct abi_job, cookie), "cookie");
static_assert(offsetof(struct npu_job, output_addr) == offsetof(struct abi_job, output_addr),
	      "out");
static_assert(NPU_JOB_INFERENCE == ABI_JOB_INFERENCE && NPU_JOB_SYNC == ABI_JOB_SYNC, "flags");
static_assert(sizeof(struct npu_completion) == sizeof(struct abi_completion), "completion");
static_assert(offsetof(struct npu_completion, end_ns) == offsetof(struct abi_completion, end_ns),
	      "end_ns");

int npu_queue_create(struct npu_context *ctx, enum npu_priority prio, struct npu_queue **out)
{
	struct backend *be = ctx->dev->be;
	struct npu_queue *queue;
	char path[64];
	int ret;

	if ((unsigned)prio > NPU_PRIO_REALTIME)
		return npu_fail(-EINVAL, "queue: priority %d, expected 0 to %d", (int)prio,
				NPU_PRIO_REALTIME);
	queue = base_zalloc(sizeof(*queue));
	if (!queue)
		return npu_fail(-ENOMEM, "queue: no memory");
	queue->ctx = ctx;
	snprintf(path, sizeof(path), "queue?prio=%s", svc_prio_name((u32)prio));
	ret = be->ops->dup(be, ctx->handle, path, -1, &queue->handle, client_err());
	if (ret) {
		base_free(queue);
		return ret;
	}
	context_add(ctx, &ctx->queues, &queue->link);
	*out = queue;
	return 0;
}

void queue_free(struct npu_queue *queue)
{
	base_free(queue);
}

void npu_queue_destroy(struct npu_queue *queue)
{
	struct backend *be;

	if (!queue)
		return;
	be = queue->ctx->dev->be;
	/* Until nothing is pending, or the device is gone; the driver's watchdog ends each job. */
	while (be->ops->wait(be, queue->handle, UINT64_MAX, NULL) == 0) {
		struct npu_completion done[8];

		if (be->ops->read(be, queue->handle, done, sizeof(done), NULL) <= 0)
			break;
	}
	context_del(queue->ctx, &queue->link);
	be->ops->close(be, queue->handle, NULL);
	queue_free(queue);
}

int queue_submit(struct npu_queue *queue, const struct npu_job *jobs, unsigned nr)
{
	struct backend *be = queue->ctx->dev->be;
	s64 ret = be->ops->write(be, queue->handle, jobs, (u64)nr * sizeof(*jobs), client_err());

	return (int)(ret < 0 ? ret : ret / (s64)sizeof(*jobs));
}

int npu_queue_submit(struct npu_queue *queue, const struct npu_job *jobs, unsigned nr)
{
	unsigned ok = 0;

	if (!nr)
		return 0;
	if (nr > INT32_MAX)
		nr = INT32_MAX;
	while (ok < nr && !cookie_is_run(jobs[ok].cookie))
		ok++;
	if (!ok)
		return npu_fail(-EINVAL,
				"queue: cookies 0x%llx00000000 and up are npu_program_run()'s",
				(unsigned long long)COOKIE_RUN);
	return queue_submit(queue, jobs, ok);
}

int queue_take(struct npu_queue *queue, struct npu_completion *out, unsigned max)
{
	struct backend *be = queue->ctx->dev->be;
	s64 ret = be->ops->read(be, queue->handle, out, (u64)max * sizeof(*out), client_err());

	return (int)(ret < 0 ? ret : ret / (s64)sizeof(*out));
}

int queue_wait_handle(struct npu_queue *queue, u64 timeout_ns)
{
	struct backend *be = queue->ctx->dev->be;

	return be->ops->wait(be, queue->handle, timeout_ns, client_err());
}

static int take_stash(struct npu_queue *queue, struct npu_completion *out, unsigned max)
{
	unsigned nr = base_min(max, queue->nr_stash);

	memcpy(out, queue->stash, nr * sizeof(*out));
	queue->nr_stash -= nr;
	memmove(queue->stash, queue->stash + nr, queue->nr_stash * sizeof(*out));
	return (int)nr;
}

/* Runs that timed out end some day; nobody waits for them any more. */
static int drop_runs(struct npu_completion *done, int nr)
{
	int kept = 0;

	for (int i = 0; i < nr; i++)
		if (!cookie_is_run(done[i].cookie))
			done[kept++] = done[i];
	return kept;
}

int npu_queue_poll(struct npu_queue *queue, struct npu_completion *out, unsigned max)
{
	int nr;

	if (!max)
		return 0;
	max = base_min(max, (unsigned)INT16_MAX);
	if (queue->nr_stash)
		return take_stash(queue, out, max);
	nr = queue_take(queue, out, max);
	return nr > 0 ? drop_runs(out, nr) : nr;
}

int npu_queue_wait(struct npu_queue *queue, struct npu_completion *out, unsigned max,
		   uint64_t timeout_ns)
{
	u64 start = base_clock_ns();

	if (!max)
		return npu_fail(-EINVAL, "queue: wait for 0 completions, expected at least 1");
	for (;;) {
		int ret = npu_queue_poll(queue, out, max);

		if (ret)
			return ret;
		ret = queue_wait_handle(queue, time_left(start, timeout_ns));
		if (ret)
			return ret;
	}
}
