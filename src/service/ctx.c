// SPDX-License-Identifier: MIT
/*
 * Contexts and buffers, and when their memory is freed.
 *
 * A buffer whose handle is closed may be in use by jobs submitted before.  It joins doomed[0] if
 * that is empty: then each queue's mark is set to the jobs submitted so far, and once every queue
 * has completed that many, all of doomed[0] is freed.  Buffers closed meanwhile collect in
 * doomed[1] and take their turn after that.  So a context that is never idle still gets rid of
 * its closed buffers.  A queue's jobs are executed in order, so counting them is enough.
 *
 * A context whose handle is closed keeps all it has until none of its jobs is pending.  Jobs that
 * never end, which a client may have submitted before it went, are cancelled after a while.
 */
#include <errno.h>

#include "service/internal.h"

#define LINGER_NS (500 * BASE_NS_PER_MS) /* for jobs of a closed context to end by themselves */

static const struct svc_handle_ops ctx_ops;
static const struct svc_handle_ops bo_ops;

static struct svc_ctx *to_ctx(struct svc_handle *h)
{
	return base_container_of(h, struct svc_ctx, handle);
}

static struct svc_bo *to_bo(struct svc_handle *h)
{
	return base_container_of(h, struct svc_bo, handle);
}

static struct svc_queue *to_queue(struct svc_list *node)
{
	return svc_list_entry(node, struct svc_queue, link);
}

u32 svc_ctx_pending(const struct svc_ctx *ctx)
{
	const struct svc_list *node;
	u32 pending = 0;

	base_for_each (node, &ctx->queues) {
		const struct svc_queue *queue = svc_list_entry(node, const struct svc_queue, link);

		pending += drv_queue_pending(queue->drv);
	}
	return pending;
}

/* The driver still maps closed buffers that wait to be freed; to the client they are gone. */
static bool touches_doomed(const struct svc_ctx *ctx, u64 addr, u64 size)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(ctx->doomed); i++) {
		const struct svc_list *node;

		base_for_each (node, &ctx->doomed[i]) {
			const struct svc_bo *bo = svc_list_entry(node, const struct svc_bo, link);

			if (addr < bo->addr + bo->size_bytes && bo->addr < addr + size)
				return true;
		}
	}
	return false;
}

static bool covers(const void *opaque, u64 addr, u64 size)
{
	const struct svc_ctx *ctx = opaque;

	return drv_ctx_range_ok(ctx->drv, addr, size) && !touches_doomed(ctx, addr, size);
}

struct svc_ranges svc_ctx_ranges(const struct svc_ctx *ctx)
{
	return (struct svc_ranges){ .cover = covers, .opaque = ctx, .flat = ctx->handle.dev->flat };
}

static void charge(struct svc_ctx *ctx, u64 size_bytes)
{
	ctx->memory_bytes += size_bytes;
	if (ctx->owner)
		ctx->owner->memory_bytes += size_bytes;
}

static void uncharge(struct svc_ctx *ctx, u64 size_bytes)
{
	ctx->memory_bytes -= size_bytes;
	if (ctx->owner)
		ctx->owner->memory_bytes -= size_bytes;
}

static void bo_free(struct svc_bo *bo)
{
	svc_list_del(&bo->link);
	uncharge(bo->ctx, bo->size_bytes);
	drv_bo_destroy(bo->drv);
	base_free(bo);
}

static void free_bos(struct svc_list *head)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, head)
		bo_free(svc_list_entry(node, struct svc_bo, link));
}

/* Have the jobs submitted before doomed[0] was closed all ended? */
static bool marks_passed(const struct svc_ctx *ctx)
{
	const struct svc_list *node;

	base_for_each (node, &ctx->queues) {
		const struct svc_queue *queue = svc_list_entry(node, const struct svc_queue, link);

		if (queue->submitted - drv_queue_pending(queue->drv) < queue->mark)
			return false;
	}
	return true;
}

static void next_generation(struct svc_ctx *ctx)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &ctx->doomed[1]) {
		svc_list_del(node);
		svc_list_add(&ctx->doomed[0], node);
	}
	base_for_each (node, &ctx->queues) {
		struct svc_queue *queue = to_queue(node);

		queue->mark = queue->submitted;
	}
}

static void free_doomed(struct svc_ctx *ctx)
{
	while (!svc_list_empty(&ctx->doomed[0]) && marks_passed(ctx)) {
		free_bos(&ctx->doomed[0]);
		next_generation(ctx);
	}
}

static void free_closed_queues(struct svc_ctx *ctx)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &ctx->queues) {
		struct svc_queue *queue = to_queue(node);

		if (queue->closed && !drv_queue_pending(queue->drv))
			svc_queue_free(queue);
	}
}

static bool has_closed_queue(const struct svc_ctx *ctx)
{
	const struct svc_list *node;

	base_for_each (node, &ctx->queues) {
		if (svc_list_entry(node, const struct svc_queue, link)->closed)
			return true;
	}
	return false;
}

/* No queue is left, so no job is. */
static void ctx_free(struct svc_ctx *ctx)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(ctx->doomed); i++)
		free_bos(&ctx->doomed[i]);
	svc_list_del(&ctx->link);
	drv_ctx_destroy(ctx->drv);
	if (ctx->owner)
		ctx->owner->nr_ctxs--;
	base_free(ctx);
}

void svc_ctx_force(struct svc_ctx *ctx)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &ctx->queues)
		svc_queue_free(to_queue(node));
	ctx_free(ctx);
}

bool svc_ctx_collect(struct svc_ctx *ctx)
{
	free_doomed(ctx);
	free_closed_queues(ctx);
	if (ctx->closed && svc_list_empty(&ctx->queues)) {
		ctx_free(ctx);
		return false;
	}
	return ctx->closed || !svc_list_empty(&ctx->doomed[0]) || has_closed_queue(ctx);
}

/* When a context with something left is to be looked at again; 0: at once. */
static u64 linger(struct svc_ctx *ctx)
{
	if (!ctx->closed || ctx->cancelled)
		return SVC_FOREVER;
	if (drv_now_ns(ctx->handle.dev->drv) < ctx->cancel_ns)
		return ctx->cancel_ns;
	ctx->cancelled = true;
	drv_ctx_cancel(ctx->drv);
	return 0;
}

u64 svc_dev_collect(struct svc_device *dev)
{
	struct svc_list *node, *tmp;
	u64 next = SVC_FOREVER;
	bool left = false;

	base_for_each_safe (node, tmp, &dev->ctxs) {
		struct svc_ctx *ctx = svc_list_entry(node, struct svc_ctx, link);

		if (!svc_ctx_collect(ctx))
			continue;
		left = true;
		next = base_min(next, linger(ctx));
	}
	dev->deferred = left;
	return next;
}

static void bo_close(struct svc_handle *h)
{
	struct svc_bo *bo = to_bo(h);
	struct svc_ctx *ctx = bo->ctx;
	bool first = svc_list_empty(&ctx->doomed[0]);

	svc_list_del(&bo->link);
	svc_list_add(&ctx->doomed[1], &bo->link);
	if (first)
		next_generation(ctx);
	ctx->handle.dev->deferred |= svc_ctx_collect(ctx);
}

static int bo_call(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err)
{
	const struct svc_bo *bo = to_bo(h);
	struct svc_call_bo *out = (struct svc_call_bo *)(void *)arg;
	int ret = svc_call_check(arg, size, SVC_CALL_BO, sizeof(*out), err);

	if (ret)
		return ret;
	out->addr = bo->addr;
	out->size_bytes = bo->size_bytes;
	out->flags = bo->flags;
	out->reserved = 0;
	return 0;
}

static int bo_map(struct svc_handle *h, struct svc_mapping *out, struct base_err *err)
{
	const struct svc_bo *bo = to_bo(h);

	(void)err;
	out->cpu = drv_bo_cpu(bo->drv);
	out->size_bytes = bo->size_bytes;
	out->fd = drv_bo_fd(bo->drv);
	return 0;
}

static u64 bo_size(const struct svc_handle *h)
{
	return base_container_of(h, const struct svc_bo, handle)->size_bytes;
}

static const struct svc_handle_ops bo_ops = {
	.name = "buffer",
	.size = bo_size,
	.call = bo_call,
	.map = bo_map,
	.close = bo_close,
};

/* Before anything is allocated: the rounded size against the quota. */
static int check_quota(const struct svc_ctx *ctx, u64 size_bytes, struct base_err *err)
{
	const struct svc_client *client = ctx->handle.client;
	u64 limit = client->svc->limits.memory_bytes;
	u64 used = client->memory_bytes;

	if (size_bytes > UINT64_MAX - BASE_PAGE_SIZE)
		return base_err_set(err, -ENOMEM,
				    "bo: %llu bytes do not fit 64 bits when rounded up",
				    (unsigned long long)size_bytes);
	if (used > limit || base_align_up(size_bytes, BASE_PAGE_SIZE) > limit - used)
		return base_err_set(
			err, -ENOMEM,
			"bo: %llu bytes do not fit the client's quota: %llu of %llu used",
			(unsigned long long)size_bytes, (unsigned long long)used,
			(unsigned long long)limit);
	return 0;
}

static const char *bo_failure(int code)
{
	switch (code) {
	case -ENOMEM:
		return "no memory left";
	case -EACCES:
		return "the memory cannot be written";
	case -EOPNOTSUPP:
		return "the device takes no memory of others";
	case -ENOSPC:
		return "the context's address range has no room; try flags=dma, or close buffers";
	default:
		return base_err_name(code);
	}
}

/* What came along, and what was asked for, have to be of one mind. */
static int check_import(const struct svc_bo_spec *spec, int fd, u64 *size, struct base_err *err)
{
	int ret;

	if (!spec->import)
		return fd < 0 ? 0
			      : base_err_set(err, -EINVAL,
					     "bo: a descriptor came along; import takes one");
	if (fd < 0)
		return base_err_set(err, -EINVAL, "import: no descriptor came along");
	ret = os_shmem_size(fd, size);
	if (ret == -EACCES)
		return base_err_set(err, ret,
				    "import: expected a memfd that is sealed against shrinking "
				    "(F_SEAL_SHRINK)");
	if (ret)
		return base_err_set(err, ret, "import: the memory is not whole pages: %s",
				    base_err_name(ret));
	return 0;
}

static int bo_create(struct svc_ctx *ctx, const struct svc_bo_spec *spec, int fd, struct svc_bo *bo,
		     struct base_err *err)
{
	u32 flags = spec->flags | (ctx->handle.client->cred.remote ? DRV_BO_LENT : 0);
	u64 size = spec->size_bytes;
	int ret = check_import(spec, fd, &size, err);

	if (!ret)
		ret = check_quota(ctx, size, err);
	if (ret)
		return ret;
	ret = spec->import ? drv_bo_import(ctx->drv, fd, size, spec->align, flags, &bo->drv)
			   : drv_bo_create(ctx->drv, size, spec->align, flags, &bo->drv);
	if (ret)
		return base_err_set(err, ret, "bo: cannot make a buffer of %llu bytes: %s",
				    (unsigned long long)size, bo_failure(ret));
	bo->ctx = ctx;
	bo->flags = spec->flags;
	bo->addr = drv_bo_addr(bo->drv);
	bo->size_bytes = drv_bo_size(bo->drv);
	charge(ctx, bo->size_bytes);
	svc_list_add(&ctx->bos, &bo->link);
	return 0;
}

static int bo_open(struct svc_ctx *ctx, const struct svc_bo_spec *spec, int fd, u32 *out,
		   struct base_err *err)
{
	struct svc_bo *bo = base_zalloc(sizeof(*bo));
	int ret;

	if (!bo)
		return base_err_set(err, -ENOMEM, "bo: no memory for the handle");
	ret = bo_create(ctx, spec, fd, bo, err);
	if (ret)
		goto err_free;
	bo->handle.ops = &bo_ops;
	bo->handle.dev = ctx->handle.dev;
	ret = svc_handle_add(ctx->handle.client, &bo->handle, out, err);
	if (ret)
		goto err_destroy;
	return 0;

err_destroy:
	bo_free(bo);
	return ret;
err_free:
	base_free(bo);
	return ret;
}

static int ctx_dup(struct svc_handle *h, const char *path, int fd, u32 *out, struct base_err *err)
{
	struct svc_child_spec spec;
	int ret = svc_parse_child(path, &spec, err);

	if (ret)
		return ret;
	if (spec.kind == SVC_CHILD_QUEUE)
		return fd < 0 ? svc_queue_open(to_ctx(h), &spec.queue, out, err)
			      : base_err_set(err, -EINVAL, "queue: a descriptor came along");
	return bo_open(to_ctx(h), &spec.bo, fd, out, err);
}

static int ctx_call(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err)
{
	const struct svc_ctx *ctx = to_ctx(h);
	struct svc_call_ctx *out = (struct svc_call_ctx *)(void *)arg;
	int ret = svc_call_check(arg, size, SVC_CALL_CTX, sizeof(*out), err);

	if (ret)
		return ret;
	out->ssid = drv_ctx_ssid(ctx->drv);
	out->jobs_pending = svc_ctx_pending(ctx);
	out->memory_bytes = ctx->memory_bytes;
	return 0;
}

static int ctx_ready(struct svc_handle *h)
{
	if (!svc_ctx_pending(to_ctx(h)))
		return 0;
	return svc_dev_ready(h->dev) ? -EAGAIN : -ENODEV;
}

static struct svc_queue *open_queue(const struct svc_ctx *ctx)
{
	struct svc_list *node;

	base_for_each (node, &ctx->queues) {
		if (!to_queue(node)->closed)
			return to_queue(node);
	}
	return NULL;
}

static void ctx_close(struct svc_handle *h)
{
	struct svc_ctx *ctx = to_ctx(h);
	struct svc_device *dev = h->dev;
	struct svc_queue *queue;

	while (!svc_list_empty(&ctx->bos)) {
		struct svc_bo *bo = svc_list_entry(ctx->bos.next, struct svc_bo, link);

		svc_handle_drop(&bo->handle);
		svc_list_del(&bo->link);
		svc_list_add(&ctx->doomed[1], &bo->link);
	}
	/* svc_handle_drop() may release the lock: no list position survives it. */
	while ((queue = open_queue(ctx)) != NULL) {
		svc_handle_drop(&queue->handle);
		queue->closed = true;
	}
	ctx->closed = true;
	ctx->cancel_ns = drv_now_ns(dev->drv) + LINGER_NS;
	dev->deferred |= svc_ctx_collect(ctx);
	if (dev->deferred && dev->pumping)
		svc_dev_process(dev); /* the pump must know when to look */
}

static const struct svc_handle_ops ctx_ops = {
	.name = "context",
	.dup = ctx_dup,
	.call = ctx_call,
	.ready = ctx_ready,
	.close = ctx_close,
};

static struct svc_ctx *ctx_alloc(struct svc_client *client, struct svc_device *dev)
{
	struct svc_ctx *ctx = base_zalloc(sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->handle.ops = &ctx_ops;
	ctx->handle.dev = dev;
	ctx->owner = client;
	svc_list_init(&ctx->queues);
	svc_list_init(&ctx->bos);
	svc_list_init(&ctx->doomed[0]);
	svc_list_init(&ctx->doomed[1]);
	return ctx;
}

int svc_check_share(const struct svc_client *client, const struct svc_device *dev,
		    enum svc_share what, struct base_err *err)
{
	u32 used = 0, max;
	struct drv_info info;
	struct svc_list *node;

	if (!client->cred.remote || client->cred.privileged)
		return 0;
	base_for_each (node, &dev->ctxs) {
		const struct svc_ctx *ctx = svc_list_entry(node, struct svc_ctx, link);

		if (ctx->owner && ctx->owner->cred.uid == client->cred.uid)
			used += what == SVC_SHARE_QUEUES ? ctx->nr_queues : 1;
	}
	drv_get_info(dev->drv, &info);
	max = what == SVC_SHARE_QUEUES ? info.nr_queues_max : info.nr_contexts_max;
	if (!max || used < max - max / 8)
		return 0;
	return base_err_set(err, -EBUSY,
			    "%s: the programs of user %u have %u, the share of a user; close one",
			    what == SVC_SHARE_QUEUES ? "queue" : "context", client->cred.uid, used);
}

int svc_ctx_open(struct svc_client *client, struct svc_device *dev, u32 *out, struct base_err *err)
{
	struct svc_ctx *ctx;
	int ret;

	svc_dev_process(dev); /* contexts that were closed may have become free */
	if (client->nr_ctxs >= client->svc->limits.contexts)
		return base_err_set(err, -EBUSY, "context: the client has %u, its quota; close one",
				    client->nr_ctxs);
	ret = svc_check_share(client, dev, SVC_SHARE_CONTEXTS, err);
	if (ret)
		return ret;
	ctx = ctx_alloc(client, dev);
	if (!ctx)
		return base_err_set(err, -ENOMEM, "context: no memory for the handle");
	ret = drv_ctx_create(dev->drv, &ctx->drv);
	if (ret) {
		base_err_set(err, ret, "context: the device has none to give: %s",
			     svc_why(ret, "all address spaces are in use"));
		goto err_free;
	}
	ret = svc_handle_add(client, &ctx->handle, out, err);
	if (ret)
		goto err_destroy;
	client->nr_ctxs++;
	svc_list_add(&dev->ctxs, &ctx->link);
	return 0;

err_destroy:
	drv_ctx_destroy(ctx->drv);
err_free:
	base_free(ctx);
	return ret;
}
