// SPDX-License-Identifier: MIT
/* The service itself: devices and clients. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "service/internal.h"

static u32 pick_u32(u32 asked, u32 fallback, u32 most)
{
	return base_min(asked ? asked : fallback, most);
}

static struct svc_limits fill_limits(const struct svc_limits *asked)
{
	static const struct svc_limits none;
	const struct svc_limits *in = asked ? asked : &none;

	return (struct svc_limits){
		.contexts = pick_u32(in->contexts, 16, UINT32_MAX),
		.queues = pick_u32(in->queues, 64, UINT32_MAX / DRV_QUEUE_DEPTH),
		.handles = pick_u32(in->handles, 4096, UINT32_MAX / 4),
		.queue_depth = pick_u32(in->queue_depth, DRV_QUEUE_DEPTH, DRV_QUEUE_DEPTH),
		.context_jobs = pick_u32(in->context_jobs, DRV_CTX_JOBS, DRV_CTX_JOBS),
		.memory_bytes = in->memory_bytes ? in->memory_bytes : UINT64_C(1) << 30,
	};
}

int svc_create(const struct svc_limits *limits, struct svc **out)
{
	struct svc *svc = base_zalloc(sizeof(*svc));
	int ret;

	if (!svc)
		return -ENOMEM;
	ret = -pthread_mutex_init(&svc->lock, NULL);
	if (ret)
		goto err_free;
	ret = -pthread_cond_init(&svc->left, NULL);
	if (ret)
		goto err_destroy_lock;
	svc->limits = fill_limits(limits);
	svc_list_init(&svc->clients);
	*out = svc;
	return 0;

err_destroy_lock:
	pthread_mutex_destroy(&svc->lock);
err_free:
	base_free(svc);
	return ret;
}

void svc_offer(struct svc *svc, enum svc_mmio mmio, bool dma)
{
	svc->mmio = mmio;
	svc->dma = dma;
}

void svc_destroy(struct svc *svc)
{
	if (!svc)
		return;
	assert(svc_list_empty(&svc->clients));
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++)
		assert(!svc->dev[i]);
	pthread_cond_destroy(&svc->left);
	pthread_mutex_destroy(&svc->lock);
	base_free(svc);
}

static int free_device_slot(const struct svc *svc, u32 *idx)
{
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++) {
		if (!svc->dev[i]) {
			*idx = i;
			return 0;
		}
	}
	return -EBUSY;
}

int svc_add_device(struct svc *svc, struct drv_dev *drv, u64 poll_ns, u32 *idx)
{
	struct svc_device *dev = base_zalloc(sizeof(*dev));
	struct drv_info info;
	int ret;

	if (!dev)
		return -ENOMEM;
	drv_get_info(drv, &info);
	dev->svc = svc;
	dev->drv = drv;
	dev->flat = info.flat;
	dev->poll_ns = poll_ns;
	svc_list_init(&dev->waiters);
	svc_list_init(&dev->armed);
	svc_list_init(&dev->active);
	svc_list_init(&dev->ctxs);
	pthread_mutex_lock(&svc->lock);
	ret = free_device_slot(svc, idx);
	if (!ret)
		svc->dev[*idx] = dev;
	pthread_mutex_unlock(&svc->lock);
	if (ret)
		base_free(dev);
	return ret;
}

/* The device stands still: what waited for jobs to end need not wait any longer. */
static void free_contexts(struct svc_device *dev)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &dev->ctxs)
		svc_ctx_force(svc_list_entry(node, struct svc_ctx, link));
}

int svc_remove_device(struct svc *svc, u32 idx, struct base_err *err)
{
	struct svc_device *dev;
	int ret;

	pthread_mutex_lock(&svc->lock);
	assert(idx < SVC_MAX_DEVICES && svc->dev[idx]);
	dev = svc->dev[idx];
	assert(!dev->nr_handles);
	svc_dev_process(dev);
	ret = drv_shutdown(dev->drv, err);
	free_contexts(dev);
	svc->dev[idx] = NULL;
	pthread_mutex_unlock(&svc->lock);
	base_free(dev);
	return ret;
}

int svc_client_create(struct svc *svc, const struct svc_cred *cred, struct svc_client **out)
{
	struct svc_client *client = base_zalloc(sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->svc = svc;
	client->cred = *cred;
	snprintf(client->name, sizeof(client->name), "%s", cred->name ? cred->name : "");
	client->cred.name = client->name;
	pthread_mutex_lock(&svc->lock);
	client->id = ++svc->next_client_id;
	svc_list_add(&svc->clients, &client->link);
	pthread_mutex_unlock(&svc->lock);
	*out = client;
	return 0;
}

/* Contexts with jobs still running outlive their client. */
static void disown_contexts(struct svc_client *client)
{
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++) {
		struct svc_device *dev = client->svc->dev[i];
		struct svc_list *node;

		if (!dev)
			continue;
		base_for_each (node, &dev->ctxs) {
			struct svc_ctx *ctx = svc_list_entry(node, struct svc_ctx, link);

			if (ctx->owner == client)
				ctx->owner = NULL;
		}
	}
}

void svc_client_close(struct svc_client *client)
{
	struct svc *svc;

	if (!client)
		return;
	svc = client->svc;
	pthread_mutex_lock(&svc->lock);
	for (u32 i = 0; i < client->nr_slots; i++) {
		if (client->handles[i])
			svc_handle_destroy(client->handles[i]);
	}
	disown_contexts(client);
	svc_list_del(&client->link);
	pthread_mutex_unlock(&svc->lock);
	base_free(client->handles);
	base_free(client);
}
