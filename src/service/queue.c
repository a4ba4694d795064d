// SPDX-License-Identifier: MIT
/*
 * Command queues: jobs in, completions out.  write and read neither allocate nor, without other
 * threads, make a system call.
 */
#include <errno.h>
#include <string.h>

#include "service/internal.h"

#define CHUNK 8u /* descriptors or completions copied at once, on the stack */

static struct svc_queue *to_queue(struct svc_handle *h)
{
	return base_container_of(h, struct svc_queue, handle);
}

u32 svc_queue_readable(const struct svc_queue *queue)
{
	u32 pending = drv_queue_pending(queue->drv);
	u32 left = (u32)(queue->submitted - queue->reaped);

	return left > pending ? left - pending : 0;
}

u32 svc_queue_unread(struct svc_queue *queue)
{
	return (u32)(queue->submitted - queue->reaped) + svc_page_unread(queue);
}

static u32 context_room(const struct svc_ctx *ctx)
{
	const struct svc_limits *limits = &ctx->handle.client->svc->limits;
	u32 pending;

	if (ctx->nr_queues * limits->queue_depth <= limits->context_jobs)
		return UINT32_MAX; /* the queues' own limits are tighter */
	pending = svc_ctx_pending(ctx);
	return pending < limits->context_jobs ? limits->context_jobs - pending : 0;
}

static u32 room(struct svc_queue *queue)
{
	u32 depth = queue->handle.client->svc->limits.queue_depth;
	u32 unread = svc_queue_unread(queue);
	u32 left = unread < depth ? depth - unread : 0;

	return left ? base_min(left, context_room(queue->ctx)) : 0;
}

static int full(struct svc_queue *queue, struct base_err *err)
{
	u32 readable = svc_queue_unread(queue) - drv_queue_pending(queue->drv);

	if (readable)
		return base_err_set(err, -EAGAIN, "queue: full; read its %u completions first",
				    readable);
	return base_err_set(err, -EAGAIN,
			    "queue: full, %u jobs of this queue and %u of its context are pending",
			    drv_queue_pending(queue->drv), svc_ctx_pending(queue->ctx));
}

static int submit_error(struct svc_queue *queue, int ret, struct base_err *err)
{
	const struct base_err *why = drv_last_error(queue->handle.dev->drv);

	if (ret == -EAGAIN)
		return full(queue, err);
	if (ret == -ECANCELED && !why->code)
		return base_err_set(err, ret,
				    "queue: its context was aborted by a fault; make a new one");
	return base_err_set(err, ret, "queue: the device takes no jobs: %s",
			    why->code ? why->text : base_err_name(ret));
}

/* Checks and submits up to CHUNK copied jobs; how many were taken, or why the first was not. */
static int submit_chunk(struct svc_queue *queue, const struct abi_job *jobs, u32 nr, u64 first,
			struct base_err *err)
{
	const struct svc_ranges in = svc_ctx_ranges(queue->ctx);
	int bad = 0;
	u32 good;
	int ret;

	for (good = 0; good < nr; good++) {
		bad = svc_job_check(&in, &jobs[good], first + good, err);
		if (bad)
			break;
	}
	if (!good) {
		queue->handle.dev->jobs_refused++;
		return bad;
	}
	ret = drv_queue_submit(queue->drv, jobs, good);
	if (ret < 0)
		return submit_error(queue, ret, err);
	queue->submitted += (u32)ret;
	queue->handle.dev->jobs_submitted += (u32)ret;
	queue->handle.client->jobs_submitted += (u32)ret;
	if (queue->page_mem.cpu)
		svc_page_watch(queue);
	return ret;
}

static s64 submit(struct svc_queue *queue, const u8 *src, u64 nr, struct base_err *err)
{
	struct abi_job jobs[CHUNK];
	u64 done = 0;

	while (done < nr) {
		u32 want = (u32)base_min(nr - done, (u64)CHUNK);
		u32 take = base_min(want, room(queue));
		int ret;

		if (!take)
			return done ? (s64)done : full(queue, err);
		memcpy(jobs, src + done * sizeof(jobs[0]), take * sizeof(jobs[0]));
		ret = submit_chunk(queue, jobs, take, done, err);
		if (ret < 0)
			return done ? (s64)done : ret;
		done += (u32)ret;
		if ((u32)ret < want)
			break;
	}
	return (s64)done;
}

static int check_size(u64 size, struct base_err *err)
{
	if (size && size % sizeof(struct abi_job) == 0)
		return 0;
	return base_err_set(err, -EINVAL, "queue: %llu bytes written, expected a multiple of %zu",
			    (unsigned long long)size, sizeof(struct abi_job));
}

static s64 queue_write(struct svc_handle *h, const void *buf, u64 size, struct base_err *err)
{
	struct svc_queue *queue = to_queue(h);
	struct svc_device *dev = h->dev;
	s64 ret;

	ret = check_size(size, err);
	if (ret)
		return ret;
	if (!room(queue))
		svc_dev_process(dev); /* jobs may have completed */
	ret = submit(queue, buf, size / sizeof(struct abi_job), err);
	if (ret < 0)
		return ret;
	if (dev->pumping)
		svc_dev_process(dev); /* the pump must know of new timers */
	return ret * (s64)sizeof(struct abi_job);
}

/* What is refused is stepped over: the batch goes on behind it. */
static int queue_post(struct svc_handle *h, const void *buf, u64 size, struct base_err *err)
{
	struct svc_queue *queue = to_queue(h);
	const u8 *src = buf, *end = src + size;
	int ret = check_size(size, err);

	if (!ret && !queue->page_mem.cpu)
		ret = base_err_set(err, -EOPNOTSUPP, "queue: post needs its page to be mapped");
	if (ret)
		return ret;
	if (!room(queue))
		svc_dev_process(h->dev); /* jobs may have completed */
	while (src < end) {
		struct abi_job job;
		s64 nr = submit(queue, src, (u64)(end - src) / sizeof(job), err);

		if (nr <= 0) {
			memcpy(&job, src, sizeof(job));
			svc_page_refuse(queue, &job, (int)nr);
			nr = 1;
		}
		src += (u64)nr * sizeof(job);
	}
	return 0;
}

/* Jobs that overlap count once; those that another queue's reader gets to later may count less. */
static void account(struct svc_client *client, const struct abi_completion *done, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		u64 from = base_max(done[i].start_ns, client->seen_ns);

		client->jobs_failed += done[i].status != 0;
		if (done[i].end_ns <= from)
			continue;
		client->busy_ns += done[i].end_ns - from;
		client->seen_ns = done[i].end_ns;
	}
	client->jobs_done += nr;
}

u32 svc_queue_reap(struct svc_queue *queue, struct abi_completion *out, u32 max)
{
	u32 nr = drv_queue_reap(queue->drv, out, max);

	account(queue->handle.client, out, nr);
	queue->reaped += nr;
	return nr;
}

static u64 take_completions(struct svc_queue *queue, u8 *dst, u64 max)
{
	struct abi_completion out[CHUNK];
	u64 done = 0;

	while (done < max && queue->submitted != queue->reaped) {
		u32 want = (u32)base_min(max - done, (u64)CHUNK);
		u32 nr = svc_queue_reap(queue, out, want);

		memcpy(dst + done * sizeof(out[0]), out, nr * sizeof(out[0]));
		done += nr;
		if (nr < want)
			break;
	}
	return done;
}

static s64 queue_read(struct svc_handle *h, void *buf, u64 size, struct base_err *err)
{
	struct svc_queue *queue = to_queue(h);
	u64 max = size / sizeof(struct abi_completion);
	u64 nr;

	if (!max)
		return base_err_set(err, -EINVAL,
				    "queue: room for %llu bytes, a completion has %zu",
				    (unsigned long long)size, sizeof(struct abi_completion));
	if (queue->page_mem.cpu)
		return base_err_set(err, -EBUSY,
				    "queue: its page is mapped, completions are there");
	if (queue->submitted == queue->reaped)
		return 0;
	if (!svc_queue_readable(queue))
		svc_dev_process(h->dev);
	if (!svc_queue_readable(queue) && svc_dev_ready(h->dev))
		svc_dev_pass_time(h->dev);
	nr = svc_queue_readable(queue) ? take_completions(queue, buf, max) : 0;
	if (!nr && !svc_dev_ready(h->dev))
		return base_err_set(err, -ENODEV, "queue: the device stopped: %s",
				    drv_last_error(h->dev->drv)->text);
	return (s64)(nr * sizeof(struct abi_completion));
}

static int queue_call(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err)
{
	struct svc_queue *queue = to_queue(h);
	struct svc_call_queue *out = (struct svc_call_queue *)(void *)arg;
	int ret = svc_call_check(arg, size, SVC_CALL_QUEUE, sizeof(*out), err);

	if (ret)
		return ret;
	out->priority = queue->priority;
	out->depth = h->client->svc->limits.queue_depth;
	out->jobs_pending = drv_queue_pending(queue->drv);
	out->completions = svc_queue_unread(queue) - out->jobs_pending;
	return 0;
}

static int queue_map(struct svc_handle *h, struct svc_mapping *out, struct base_err *err)
{
	return svc_page_map(to_queue(h), out, err);
}

static int queue_ready(struct svc_handle *h)
{
	struct svc_queue *queue = to_queue(h);

	if (svc_queue_readable(queue) || svc_page_unread(queue))
		return 0;
	if (queue->submitted == queue->reaped)
		return -ENODATA;
	return svc_dev_ready(h->dev) ? -EAGAIN : -ENODEV;
}

static void queue_close(struct svc_handle *h)
{
	struct svc_queue *queue = to_queue(h);
	struct svc_device *dev = h->dev;

	queue->closed = true;
	dev->deferred |= svc_ctx_collect(queue->ctx);
}

static const struct svc_handle_ops queue_ops = {
	.name = "queue",
	.read = queue_read,
	.write = queue_write,
	.call = queue_call,
	.post = queue_post,
	.map = queue_map,
	.ready = queue_ready,
	.close = queue_close,
};

void svc_queue_free(struct svc_queue *queue)
{
	struct svc_ctx *ctx = queue->ctx;

	svc_list_del(&queue->link);
	ctx->nr_queues--;
	if (ctx->owner)
		ctx->owner->nr_queues--;
	drv_queue_destroy(queue->drv);
	svc_page_free(queue);
	base_free(queue);
}

static int may_create(const struct svc_client *client, const struct svc_device *dev,
		      const struct svc_queue_spec *spec, struct base_err *err)
{
	if (spec->priority >= SVC_PRIO_REALTIME && !client->cred.privileged)
		return base_err_set(err, -EACCES,
				    "queue: prio=realtime needs privilege; use focus");
	if (client->nr_queues >= client->svc->limits.queues)
		return base_err_set(err, -EBUSY, "queue: the client has %u, its quota; close one",
				    client->nr_queues);
	return svc_check_share(client, dev, SVC_SHARE_QUEUES, err);
}

int svc_queue_open(struct svc_ctx *ctx, const struct svc_queue_spec *spec, u32 *out,
		   struct base_err *err)
{
	struct svc_client *client = ctx->handle.client;
	struct svc_queue *queue;
	int ret = may_create(client, ctx->handle.dev, spec, err);

	if (ret)
		return ret;
	queue = base_zalloc(sizeof(*queue));
	if (!queue)
		return base_err_set(err, -ENOMEM, "queue: no memory for the handle");
	ret = drv_queue_create(ctx->drv, spec->priority, &queue->drv);
	if (ret) {
		base_err_set(err, ret, "queue: the device has none to give: %s",
			     svc_why(ret, "all doorbells are in use"));
		goto err_free;
	}
	queue->handle.ops = &queue_ops;
	queue->handle.dev = ctx->handle.dev;
	queue->ctx = ctx;
	queue->priority = spec->priority;
	svc_list_init(&queue->active);
	ret = svc_handle_add(client, &queue->handle, out, err);
	if (ret)
		goto err_destroy;
	svc_list_add(&ctx->queues, &queue->link);
	ctx->nr_queues++;
	client->nr_queues++;
	return 0;

err_destroy:
	drv_queue_destroy(queue->drv);
err_free:
	base_free(queue);
	return ret;
}
