// SPDX-License-Identifier: MIT
/*
 * Jobs: submission, completion.  SRC: P 10.
 *
 *   free number -> in the ring -> JOB_DONE -> completion in the queue's ring -> free number
 *                        \-> JOB_DONE with an engine error: the context is aborted, the job waits
 *                            for its second JOB_DONE (P 10.7)
 *
 * Nothing here allocates.  Limits keep every completion's place free: jobs under way plus
 * completions not reaped are at most DRV_QUEUE_DONE_MAX per queue.
 */
#include <assert.h>
#include <errno.h>

#include "abi/job.h"
#include "driver/mmio.h"

/* A number without a job: there is one, nr_jobs is below DRV_CTX_JOBS. */
static u32 take_number(struct drv_ctx *ctx)
{
	u32 n = ctx->next_job;

	while (BASE_UNLIKELY(ctx->jobs[n].queue != NULL))
		n = (n + 1) % DRV_CTX_JOBS;
	ctx->next_job = (n + 1) % DRV_CTX_JOBS;
	return n;
}

/* A device that reads whole descriptors takes none without a flag. */
static inline void put_flagged(struct drv_queue *queue, const struct abi_job *desc, u32 n)
{
	struct drv_ctx *ctx = queue->ctx;

	if (ctx->descs)
		ctx->descs[n] = *desc;
	if (desc->flags & ABI_JOB_SYNC)
		drv_ring_set_sync(&queue->ring, ctx->jobs[n].slot);
}

static void put_job(struct drv_queue *queue, const struct abi_job *desc, u64 now_ns)
{
	struct drv_ctx *ctx = queue->ctx;
	u32 n = take_number(ctx);
	u32 id = ABI_JOBQ_JOB_ID(ctx->ssid, n);
	struct drv_job *job = &ctx->jobs[n];

	job->queue = queue;
	job->cookie = desc->cookie;
	job->start_ns = now_ns;
	job->error = 0;
	job->slot = (u8)drv_ring_push(&queue->ring, desc->cmd_addr, id);
	if (BASE_UNLIKELY(desc->flags))
		put_flagged(queue, desc, n);
	drv_trace_add(&ctx->dev->trace, now_ns, DRV_TRACE_SUBMIT, id, desc->cmd_addr);
}

/* Why no job is taken now, or 0. */
static int refuse(const struct drv_queue *queue)
{
	if (BASE_UNLIKELY(queue->ctx->faulty || queue->dying))
		return -ECANCELED;
	if (BASE_LIKELY(drv_is_up(queue->ctx->dev)) || drv_takes_jobs(queue->ctx->dev))
		return 0;
	return queue->ctx->dev->state == DRV_FAILED ? -ENODEV : -ECANCELED;
}

/* The jobs are in the ring: count them, start the watchdog, register a new queue. */
static void count_jobs(struct drv_queue *queue, u32 nr, u64 now_ns)
{
	struct drv_ctx *ctx = queue->ctx;
	struct drv_dev *dev = ctx->dev;

	if (!dev->nr_jobs) {
		dev->tdr_ns = now_ns + dev->tdr_period_ns;
		dev->busy_ns -= now_ns;
	}
	queue->pending += nr;
	ctx->nr_jobs += nr;
	dev->nr_jobs += nr;
	if (BASE_UNLIKELY(queue->state == DRV_QUEUE_NEW)) {
		queue->state = DRV_QUEUE_WANT_REG;
		drv_ctx_progress(dev);
	}
}

static __attribute__((cold)) int bad_head(struct drv_queue *queue)
{
	drv_fail(queue->ctx->dev, -EPROTO,
		 "doorbell %u: the firmware wrote a head that is no slot of a job it has: %u",
		 queue->db, __atomic_load_n(&queue->ring.page->hdr.head, __ATOMIC_RELAXED));
	return -ENODEV;
}

/* Places for jobs under way and their completions; the ring has at least as much room. */
static u32 places(const struct drv_queue *queue)
{
	return base_min(DRV_QUEUE_DEPTH, DRV_QUEUE_DONE_MAX - queue->done_nr) - queue->pending;
}

int drv_queue_submit(struct drv_queue *queue, const struct abi_job *jobs, u32 nr)
{
	struct drv_ctx *ctx = queue->ctx;
	u64 now_ns;
	u32 room;
	int ret;

	ret = refuse(queue);
	if (BASE_UNLIKELY(ret))
		return ret;
	ret = drv_ring_room(&queue->ring, &room);
	/* a slot that is not free holds a job that did not end */
	if (BASE_UNLIKELY(ret || room + queue->pending < DRV_QUEUE_DEPTH))
		return bad_head(queue);
	nr = base_min(nr, places(queue));
	nr = base_min(nr, DRV_CTX_JOBS - ctx->nr_jobs);
	if (!nr)
		return -EAGAIN;
	now_ns = drv_clock(ctx->dev);
	for (u32 i = 0; i < nr; i++)
		put_job(queue, &jobs[i], now_ns);
	count_jobs(queue, nr, now_ns);
	drv_queue_publish(queue);
	return (int)nr;
}

u32 drv_queue_reap(struct drv_queue *queue, struct abi_completion *out, u32 max)
{
	u32 nr = base_min(max, queue->done_nr);

	if (!nr)
		return 0;
	for (u32 i = 0; i < nr; i++)
		out[i] = queue->done[(queue->done_head + i) % DRV_QUEUE_DONE_MAX];
	queue->done_head = (queue->done_head + nr) % DRV_QUEUE_DONE_MAX;
	queue->done_nr -= nr;
	return nr;
}

u32 drv_queue_pending(const struct drv_queue *queue)
{
	return queue->pending;
}

static inline void complete(struct drv_dev *dev, struct drv_job *job, u32 id, s32 status)
{
	struct drv_queue *queue = job->queue;
	struct abi_completion *done;

	assert(queue->done_nr < DRV_QUEUE_DONE_MAX);
	done = &queue->done[(queue->done_head + queue->done_nr++) % DRV_QUEUE_DONE_MAX];
	done->cookie = job->cookie;
	done->status = status;
	done->reserved = 0;
	done->start_ns = job->start_ns;
	done->end_ns = dev->now_ns;
	job->queue = NULL;
	queue->pending--;
	queue->ctx->nr_jobs--;
	dev->nr_jobs--;
	dev->jobs_done++;
	if (BASE_UNLIKELY(status))
		dev->jobs_failed++;
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_DONE, id, (u32)status);
	if (BASE_UNLIKELY(drv_ring_done(&queue->ring, job->slot)))
		drv_queue_publish(queue);
	if (BASE_UNLIKELY(queue->dying))
		dev->work = true;
}

/* The watchdog of P 10.7 starts anew with each completion; without jobs it is sleep's. */
static inline void jobs_ended(struct drv_dev *dev)
{
	dev->jsm.hb_rounds = 0;
	if (!dev->nr_jobs)
		dev->busy_ns += dev->now_ns;
	drv_pm_watch(dev, dev->now_ns);
}

/* A job of an aborted context: its own first error, else that it was cancelled. */
static s32 aborted_status(const struct drv_job *job, u32 status)
{
	if (job->error)
		return job->error;
	return status ? -ECANCELED : 0;
}

/* NULL when no such job is under way. */
static struct drv_job *find_job(struct drv_dev *dev, u32 id)
{
	u32 ssid = (id >> 8) + 1;
	struct drv_job *job;

	if (BASE_UNLIKELY(ssid >= DRV_NR_SSIDS || !dev->ctxs[ssid]))
		return NULL;
	job = &dev->ctxs[ssid]->jobs[id % DRV_CTX_JOBS];
	return job->queue ? job : NULL;
}

void drv_job_done(struct drv_dev *dev, u32 id, u32 status)
{
	struct drv_job *job = find_job(dev, id);

	if (BASE_UNLIKELY(!job)) {
		dev->unknown_jobs++; /* ignored; P 10.5 */
		drv_dbg(dev, JOB, "JOB_DONE for job 0x%x, which is not under way", id);
		return;
	}
	if (BASE_UNLIKELY(status)) {
		struct drv_ctx *ctx = job->queue->ctx;

		if (abi_jsm_status_needs_reset(status) && !job->error && !drv_ctx_released(ctx)) {
			job->error = (s32)status;
			drv_ctx_abort(ctx);
			return;
		}
		if (status > INT32_MAX)
			status = ABI_JSM_STATUS_DRV_ABORTED;
		if (ctx->faulty)
			status = (u32)aborted_status(job, status);
	}
	complete(dev, job, id, (s32)status);
	jobs_ended(dev);
}

void drv_job_end(struct drv_dev *dev, u32 id, u32 status)
{
	struct drv_job *job = find_job(dev, id);

	if (!job) {
		dev->unknown_jobs++;
		return;
	}
	complete(dev, job, id, (s32)base_min(status, (u32)INT32_MAX));
	jobs_ended(dev);
}

void drv_job_blame(struct drv_queue *queue, s32 status)
{
	struct drv_job *oldest = NULL;
	u32 age = 0;

	for (u32 n = 0; n < DRV_CTX_JOBS; n++) {
		struct drv_job *job = &queue->ctx->jobs[n];
		u32 behind = drv_ring_distance(job->slot, queue->ring.tail);

		if (job->queue != queue || behind <= age)
			continue;
		age = behind;
		oldest = job;
	}
	if (oldest && !oldest->error)
		oldest->error = status;
}

bool drv_queue_published(const struct drv_queue *queue)
{
	return queue->pending > drv_ring_unpublished(&queue->ring);
}

bool drv_jobs_published(const struct drv_dev *dev)
{
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next) {
		const struct drv_ctx *ctx = base_container_of(c, struct drv_ctx, link);

		for (struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next)
			if (drv_queue_published(base_container_of(q, struct drv_queue, link)))
				return true;
	}
	return false;
}

void drv_jobs_move(struct drv_queue *queue, u32 slots)
{
	for (u32 n = 0; n < DRV_CTX_JOBS; n++) {
		struct drv_job *job = &queue->ctx->jobs[n];

		if (job->queue == queue)
			job->slot = (u8)drv_ring_distance(slots, job->slot);
	}
}

void drv_jobs_end(struct drv_ctx *ctx, struct drv_queue *queue, s32 status)
{
	struct drv_dev *dev = ctx->dev;
	u32 nr_jobs = dev->nr_jobs;

	for (u32 n = 0; n < DRV_CTX_JOBS; n++) {
		struct drv_job *job = &ctx->jobs[n];

		if (job->queue && (!queue || job->queue == queue))
			complete(dev, job, ABI_JOBQ_JOB_ID(ctx->ssid, n),
				 job->error ? job->error : status);
	}
	if (dev->nr_jobs != nr_jobs)
		jobs_ended(dev);
	if (!drv_is_up(dev))
		dev->tdr_ns = DRV_NO_TIME;
}

void drv_jobs_end_all(struct drv_dev *dev, s32 status)
{
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next)
		drv_jobs_end(base_container_of(c, struct drv_ctx, link), NULL, status);
}
