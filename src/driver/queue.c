// SPDX-License-Identifier: MIT
/*
 * Command queues and their doorbells.  SRC: P 10.1, 10.2, 10.4.
 *
 *   NEW -> (first submission) WANT_REG -> REGISTERING -> LIVE
 *   LIVE -> (destroyed and empty, or context faulty) WANT_UNREG -> UNREGISTERING -> NEW
 *
 * A destroyed queue is freed once it is NEW and has no jobs under way.
 */
#include <errno.h>

#include "driver/mmio.h"

static int page_create(struct drv_dev *dev, struct drv_bo **out)
{
	const struct drv_bo_spec spec = {
		.size = ABI_JOBQ_SIZE,
		.align = BASE_PAGE_SIZE,
		.range = &dev->gen->va.global,
		.cache = OS_CACHE_WC,
	};

	return drv_bo_new(dev->sys, &spec, out);
}

int drv_queue_create(struct drv_ctx *ctx, u32 priority, struct drv_queue **out)
{
	struct drv_dev *dev = ctx->dev;
	struct drv_queue *queue;
	int ret;

	if (priority >= ABI_PRIO_NR)
		return -EINVAL;
	queue = base_zalloc(sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->done = base_alloc_array(DRV_QUEUE_DONE_MAX, sizeof(*queue->done));
	if (!queue->done) {
		ret = -ENOMEM;
		goto err_free;
	}
	ret = base_ids_get(&dev->dbs, &queue->db);
	if (ret)
		goto err_free_done;
	ret = page_create(dev, &queue->bo);
	if (ret)
		goto err_put_db;
	queue->ctx = ctx;
	queue->priority = priority;
	queue->db_io = dev->regs.doorbell;
	queue->db_io.off += queue->db * dev->regs.doorbell_stride;
	drv_ring_init(&queue->ring, drv_bo_cpu(queue->bo));
	drv_list_add(&ctx->queues, &queue->link);
	*out = queue;
	return 0;

err_put_db:
	base_ids_put(&dev->dbs, queue->db);
err_free_done:
	base_free(queue->done);
err_free:
	base_free(queue);
	return ret;
}

static void queue_free(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;

	drv_list_del(&queue->link);
	drv_bo_destroy(queue->bo);
	base_ids_put(&dev->dbs, queue->db);
	base_free(queue->done);
	base_free(queue);
}

void drv_queue_destroy(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;

	queue->dying = true;
	drv_ctx_progress(dev);
}

void drv_queue_forget(struct drv_queue *queue)
{
	queue->state = DRV_QUEUE_NEW;
	drv_ring_init(&queue->ring, drv_bo_cpu(queue->bo));
}

static void register_done(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	struct drv_queue *queue = arg;

	(void)answer;
	if (ret == -ECANCELED)
		return; /* who cancelled sees to the queue */
	if (!ret) {
		queue->state = DRV_QUEUE_LIVE;
		drv_queue_publish(queue);
		return;
	}
	drv_warn(dev, DB, "SSID %u: registering doorbell %u failed: %s", queue->ctx->ssid,
		 queue->db, base_err_name(ret));
	drv_jobs_end(queue->ctx, queue, ret);
	drv_queue_forget(queue);
	/* whatever it said, it may know the queue: undone before another try */
	queue->state = DRV_QUEUE_WANT_UNREG;
}

static void unregister_done(struct drv_dev *dev, void *arg, int ret,
			    const struct abi_jsm_msg *answer)
{
	struct drv_queue *queue = arg;

	(void)answer;
	if (ret)
		drv_warn(dev, DB, "SSID %u: unregistering doorbell %u failed: %s", queue->ctx->ssid,
			 queue->db, base_err_name(ret));
	queue->state = queue->pending ? DRV_QUEUE_WANT_REG : DRV_QUEUE_NEW;
}

/* OS scheduling: priorities exist only as separate queues (P 10.4). */
static void ask_register(struct drv_queue *queue)
{
	struct drv_ctx *ctx = queue->ctx;
	const struct abi_jsm_register_db payload = {
		.db_idx = queue->db,
		.jobq_base = drv_bo_addr(queue->bo),
		.jobq_size = ABI_JOBQ_SIZE,
		.host_ssid = ctx->ssid,
	};

	if (drv_jsm_ask(ctx->dev, ABI_JSM_REGISTER_DB, ABI_JSM_REGISTER_DB_DONE, &payload,
			sizeof(payload), true, register_done, queue))
		return; /* all slots taken: again when one is free */
	ctx->known_to_fw = true;
	queue->state = DRV_QUEUE_REGISTERING;
}

static void ask_unregister(struct drv_queue *queue)
{
	const struct abi_jsm_db payload = { .db_idx = queue->db };

	if (!drv_jsm_ask(queue->ctx->dev, ABI_JSM_UNREGISTER_DB, ABI_JSM_UNREGISTER_DB_DONE,
			 &payload, sizeof(payload), true, unregister_done, queue))
		queue->state = DRV_QUEUE_UNREGISTERING;
}

void drv_queue_progress(struct drv_queue *queue)
{
	struct drv_ctx *ctx = queue->ctx;
	bool up = drv_is_up(ctx->dev);

	if (ctx->faulty && queue->state == DRV_QUEUE_WANT_REG) {
		drv_jobs_end(ctx, queue, -ECANCELED);
		drv_queue_forget(queue);
	}
	if (queue->state == DRV_QUEUE_LIVE && (ctx->faulty || (queue->dying && !queue->pending)))
		queue->state = DRV_QUEUE_WANT_UNREG;
	if (queue->state == DRV_QUEUE_WANT_REG && up)
		ask_register(queue);
	if (queue->state == DRV_QUEUE_WANT_UNREG && up)
		ask_unregister(queue);
	if (queue->dying && !queue->pending && queue->state == DRV_QUEUE_NEW)
		queue_free(queue);
}

/* Slots, then tail, then doorbell: each order is the firmware's licence to read.  P 10.4 */
void drv_queue_publish(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;

	if (queue->state != DRV_QUEUE_LIVE || dev->mmu.in_flight)
		return;
	if (!drv_ring_publish(&queue->ring))
		return;
	dev->ops->wmb(dev->os);
	drv_ring_commit(&queue->ring);
	dev->ops->wmb(dev->os);
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_DB, queue->db, queue->ring.pub);
	drv_io_wr32(dev, queue->db_io, 1);
}
