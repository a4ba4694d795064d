// SPDX-License-Identifier: MIT
#include <errno.h>

#include "client/internal.h"

void context_add(struct npu_context *ctx, struct svc_list *head, struct svc_list *link)
{
	pthread_mutex_lock(&ctx->lock);
	svc_list_add(head, link);
	pthread_mutex_unlock(&ctx->lock);
}

void context_del(struct npu_context *ctx, struct svc_list *link)
{
	pthread_mutex_lock(&ctx->lock);
	svc_list_del(link);
	pthread_mutex_unlock(&ctx->lock);
}

int npu_context_create(struct npu_device *dev, struct npu_context **out)
{
	struct npu_context *ctx = base_zalloc(sizeof(*ctx));
	int ret;

	if (!ctx)
		return npu_fail(-ENOMEM, "context: no memory");
	ctx->dev = dev;
	svc_list_init(&ctx->buffers);
	svc_list_init(&ctx->queues);
	svc_list_init(&ctx->programs);
	ret = -pthread_mutex_init(&ctx->lock, NULL);
	if (ret) {
		npu_fail(ret, "context: no lock: %s", base_err_name(ret));
		goto err_free;
	}
	ret = dev->be->ops->open(dev->be, "ctx", &ctx->handle, client_err());
	if (ret)
		goto err_destroy_lock;
	*out = ctx;
	return 0;

err_destroy_lock:
	pthread_mutex_destroy(&ctx->lock);
err_free:
	base_free(ctx);
	return ret;
}

/* Programs first: they own buffers. */
static void free_members(struct npu_context *ctx)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &ctx->programs)
		program_free(program_of(node));
	base_for_each_safe (node, tmp, &ctx->queues)
		queue_free(svc_list_entry(node, struct npu_queue, link));
	base_for_each_safe (node, tmp, &ctx->buffers)
		buffer_free(svc_list_entry(node, struct npu_buffer, link));
}

void npu_context_destroy(struct npu_context *ctx)
{
	struct backend *be;

	if (!ctx)
		return;
	be = ctx->dev->be;
	/* For ever: the driver ends each job by its own watchdog.  On an error the service keeps
	 * what jobs may still use, so there is nothing more to wait for. */
	be->ops->wait(be, ctx->handle, UINT64_MAX, NULL);
	free_members(ctx);
	be->ops->close(be, ctx->handle, NULL);
	pthread_mutex_destroy(&ctx->lock);
	base_free(ctx);
}
