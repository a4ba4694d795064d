// SPDX-License-Identifier: MIT
/*
 * Command queues and their doorbells.  SRC: P 10.1, 10.2, 10.4.
 *
 * OS scheduling:
 *   NEW -> (first submission) WANT_REG -> REGISTERING -> LIVE
 *   LIVE -> (destroyed and empty, or context faulty) WANT_UNREG -> UNREGISTERING -> NEW
 * Hardware scheduling:
 *   NEW -> WANT_REG -> CREATING -> WANT_SCHED -> SCHEDULING -> WANT_DB -> REGISTERING -> LIVE
 *   LIVE -> WANT_UNREG -> UNREGISTERING -> WANT_DESTROY -> DESTROYING -> NEW
 *
 * A device whose queues share rings: always SHARED, nobody is asked anything.
 *
 * A destroyed queue is freed once it is NEW, or SHARED, and has no jobs under way.
 */
#include <errno.h>
#include <string.h>

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

/*
 * Preemption buffers, P 10.6: for what the engine was at when another queue has it.  With Intel's
 * images up to 28 MiB a queue, so a queue without a job has none.
 */

#define PREEMPT_MIN 0x1000 /* SRC: P 4.8 */
#define PREEMPT_MAX 0x2000000

static u64 preempt_size(u32 size, u32 max_size)
{
	u64 bytes = base_align_up((u64)(max_size ? max_size : size), BASE_PAGE_SIZE);

	return bytes >= PREEMPT_MIN && bytes <= PREEMPT_MAX ? bytes : 0;
}

static void preempt_destroy(struct drv_queue *queue)
{
	for (u32 i = 0; i < 2; i++)
		if (queue->preempt[i])
			drv_bo_destroy(queue->preempt[i]);
}

/* Where its jobs are preempted to is the same for all, and put in once. */
static void preempt_point(struct drv_queue *queue)
{
	for (u32 i = 0; queue->preempt[0] && i < ABI_JOBQ_SLOTS; i++) {
		struct abi_jobq_job *job = &queue->ring.page->slot[i].job;

		job->primary_preempt_buf_addr = drv_bo_addr(queue->preempt[0]);
		job->primary_preempt_buf_size = (u32)drv_bo_size(queue->preempt[0]);
		job->secondary_preempt_buf_addr = drv_bo_addr(queue->preempt[1]);
		job->secondary_preempt_buf_size = (u32)drv_bo_size(queue->preempt[1]);
	}
}

/* Before the firmware hears of the queue, unless it has them: both, or none and an error. */
static int preempt_create(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;
	const struct abi_fw_header *h = &dev->fw.hdr;
	struct drv_bo_spec spec[] = {
		{ .size = preempt_size(h->preemption_buffer_1_size,
				       h->preemption_buffer_1_max_size),
		  .range = &dev->gen->va.user },
		{ .size = preempt_size(h->preemption_buffer_2_size,
				       h->preemption_buffer_2_max_size),
		  .range = &dev->gen->va.dma },
	};

	struct drv_bo *bo[2];
	int ret;

	if (!dev->hws || !spec[0].size || !spec[1].size || queue->preempt[0])
		return 0;
	for (u32 i = 0; i < 2; i++) {
		spec[i].align = BASE_PAGE_SIZE;
		spec[i].cache = OS_CACHE_WC;
	}
	ret = drv_bo_new(queue->ctx, &spec[0], &bo[0]);
	if (ret)
		return ret;
	ret = drv_bo_new(queue->ctx, &spec[1], &bo[1]);
	if (ret) {
		drv_bo_destroy(bo[0]);
		return ret;
	}
	memcpy(queue->preempt, bo, sizeof(bo));
	preempt_point(queue);
	return 0;
}

int drv_jobq_open(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;
	int ret = base_ids_get(&dev->dbs, &queue->db);

	if (ret)
		return ret;
	ret = page_create(dev, &queue->bo);
	if (ret)
		goto err_put_db;
	queue->ring.page = drv_bo_cpu(queue->bo);
	queue->db_io = dev->regs.doorbell;
	queue->db_io.off += queue->db * dev->regs.doorbell_stride;
	drv_ring_init(&queue->ring, queue->ring.page);
	return 0;

err_put_db:
	base_ids_put(&dev->dbs, queue->db);
	return ret;
}

void drv_jobq_close(struct drv_queue *queue)
{
	preempt_destroy(queue);
	drv_bo_destroy(queue->bo);
	base_ids_put(&queue->ctx->dev->dbs, queue->db);
}

int drv_queue_create(struct drv_ctx *ctx, u32 priority, struct drv_queue **out)
{
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
	queue->ctx = ctx;
	queue->priority = priority;
	ret = ctx->dev->info->ops->queue_open(queue);
	if (ret)
		goto err_free_done;
	queue->state = queue->idle;
	drv_list_add(&ctx->queues, &queue->link);
	*out = queue;
	return 0;

err_free_done:
	base_free(queue->done);
err_free:
	base_free(queue);
	return ret;
}

static void queue_free(struct drv_queue *queue)
{
	drv_list_del(&queue->link);
	queue->ctx->dev->info->ops->queue_close(queue);
	base_free(queue->done);
	base_free(queue);
}

void drv_queue_destroy(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;

	queue->dying = true;
	drv_ctx_progress(dev);
}

void drv_queue_forget(struct drv_queue *queue, s32 cause)
{
	if (drv_queue_published(queue)) {
		drv_job_blame(queue, cause);
		drv_jobs_end(queue->ctx, queue, -ECANCELED);
	}
	queue->state = queue->idle;
	if (queue->pending)
		drv_jobs_move(queue, drv_ring_rewind(&queue->ring));
	else /* what ended must not be done later */
		drv_ring_init(&queue->ring, queue->ring.page);
	preempt_point(queue);
	if (queue->pending && queue->state == DRV_QUEUE_NEW)
		queue->state = DRV_QUEUE_WANT_REG;
}

/*
 * What the firmware is asked about a queue, by state.  P 10.4; order of the end: P 7.3 (7.2).
 */

static u32 put_register_db(const struct drv_queue *queue, union abi_jsm_payload *out)
{
	/* OS scheduling: priorities exist only as separate queues (P 10.4) */
	out->register_db = (struct abi_jsm_register_db){
		.db_idx = queue->db,
		.jobq_base = drv_bo_addr(queue->bo),
		.jobq_size = ABI_JOBQ_SIZE,
		.host_ssid = queue->ctx->ssid,
	};
	return sizeof(out->register_db);
}

static u32 put_db(const struct drv_queue *queue, union abi_jsm_payload *out)
{
	out->db = (struct abi_jsm_db){ .db_idx = queue->db };
	return sizeof(out->db);
}

/* A context is a client: what is fair between processes goes by it. */
static u32 put_create(const struct drv_queue *queue, union abi_jsm_payload *out)
{
	out->create_cmdq = (struct abi_jsm_create_cmdq){
		.process_id = queue->ctx->ssid,
		.host_ssid = queue->ctx->ssid,
		.engine_idx = ABI_JOBQ_ENGINE_COMPUTE,
		.cmdq_group = queue->ctx->ssid,
		.cmdq_id = queue->db,
		.cmdq_base = drv_bo_addr(queue->bo),
		.cmdq_size = ABI_JOBQ_SIZE,
	};
	return sizeof(out->create_cmdq);
}

/* Units of 100 ns; SRC: P 7.4, values the driver puts in */
#define QUANTUM	   20000
#define GRACE_SAME 10000

static u32 put_sched(const struct drv_queue *queue, union abi_jsm_payload *out)
{
	out->sched_properties = (struct abi_jsm_sched_properties){
		.host_ssid = queue->ctx->ssid,
		.cmdq_id = queue->db,
		.priority_band = queue->priority,
		.context_quantum = QUANTUM,
		.grace_period_same_priority = GRACE_SAME,
	};
	return sizeof(out->sched_properties);
}

static u32 put_hws_db(const struct drv_queue *queue, union abi_jsm_payload *out)
{
	out->hws_register_db = (struct abi_jsm_hws_register_db){
		.db_id = queue->db,
		.host_ssid = queue->ctx->ssid,
		.cmdq_id = queue->db,
		.cmdq_base = drv_bo_addr(queue->bo),
		.cmdq_size = ABI_JOBQ_SIZE,
	};
	return sizeof(out->hws_register_db);
}

static u32 put_cmdq(const struct drv_queue *queue, union abi_jsm_payload *out)
{
	out->cmdq = (struct abi_jsm_cmdq){ .host_ssid = queue->ctx->ssid, .cmdq_id = queue->db };
	return sizeof(out->cmdq);
}

struct question {
	u8 from, asked, to; /* states */
	u8 failed;	    /* state then: what may be known to the firmware is undone */
	bool opens;	    /* on the way to LIVE: jobs that wait for it end when it fails */
	u32 type, answer;
	u32 (*put)(const struct drv_queue *queue, union abi_jsm_payload *out);
	const char *what;
};

#define Q(state) DRV_QUEUE_##state
#define J(type)	 ABI_JSM_##type

static const struct question os_questions[] = {
	{ Q(WANT_REG), Q(REGISTERING), Q(LIVE), Q(WANT_UNREG), true, J(REGISTER_DB),
	  J(REGISTER_DB_DONE), put_register_db, "registering doorbell" },
	{ Q(WANT_UNREG), Q(UNREGISTERING), Q(NEW), Q(NEW), false, J(UNREGISTER_DB),
	  J(UNREGISTER_DB_DONE), put_db, "unregistering doorbell" },
	{ 0 },
};

static const struct question hw_questions[] = {
	{ Q(WANT_REG), Q(CREATING), Q(WANT_SCHED), Q(WANT_DESTROY), true, J(CREATE_CMD_QUEUE),
	  J(CREATE_CMD_QUEUE_RSP), put_create, "creating queue" },
	{ Q(WANT_SCHED), Q(SCHEDULING), Q(WANT_DB), Q(WANT_DESTROY), true,
	  J(SET_CONTEXT_SCHED_PROPERTIES), J(SET_CONTEXT_SCHED_PROPERTIES_RSP), put_sched,
	  "setting the properties of queue" },
	{ Q(WANT_DB), Q(REGISTERING), Q(LIVE), Q(WANT_UNREG), true, J(HWS_REGISTER_DB),
	  J(REGISTER_DB_DONE), put_hws_db, "registering doorbell" },
	{ Q(WANT_UNREG), Q(UNREGISTERING), Q(WANT_DESTROY), Q(WANT_DESTROY), false,
	  J(UNREGISTER_DB), J(UNREGISTER_DB_DONE), put_db, "unregistering doorbell" },
	{ Q(WANT_DESTROY), Q(DESTROYING), Q(NEW), Q(NEW), false, J(DESTROY_CMD_QUEUE),
	  J(DESTROY_CMD_QUEUE_RSP), put_cmdq, "destroying queue" },
	{ 0 },
};

static const struct question *questions(const struct drv_queue *queue)
{
	return queue->ctx->dev->hws ? hw_questions : os_questions;
}

static void failed(struct drv_queue *queue, const struct question *q, int ret)
{
	drv_warn(queue->ctx->dev, DB, "SSID %u: %s %u failed: %s", queue->ctx->ssid, q->what,
		 queue->db, base_err_name(ret));
	if (q->opens) {
		drv_jobs_end(queue->ctx, queue, ret);
		drv_queue_forget(queue, ret);
	}
	queue->state = q->failed;
}

static void answered(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	struct drv_queue *queue = arg;
	const struct question *q = questions(queue);

	(void)dev;
	(void)answer;
	if (ret == -ECANCELED)
		return; /* who cancelled sees to the queue */
	while (q->asked != queue->state)
		q++;
	if (ret)
		failed(queue, q, ret);
	else
		queue->state = q->to;
	if (queue->state == DRV_QUEUE_LIVE)
		drv_queue_publish(queue);
	if (queue->state == DRV_QUEUE_NEW && queue->pending && !queue->ctx->faulty)
		queue->state = DRV_QUEUE_WANT_REG; /* submitted while it was being undone */
}

/* The device may fail over new mappings: then, and without memory for them, the queue is not opened.
 * In the latter case its jobs end, and the next one tries again. */
static bool may_open(struct drv_queue *queue)
{
	int ret = preempt_create(queue);

	if (!drv_is_up(queue->ctx->dev) || queue->state != DRV_QUEUE_WANT_REG)
		return false;
	if (!ret)
		return true;
	drv_warn(queue->ctx->dev, DB, "SSID %u: no preemption buffers for queue %u: %s",
		 queue->ctx->ssid, queue->db, base_err_name(ret));
	drv_jobs_end(queue->ctx, queue, ret);
	drv_queue_forget(queue, ret);
	return false;
}

static void ask(struct drv_queue *queue)
{
	struct drv_ctx *ctx = queue->ctx;
	union abi_jsm_payload payload;
	const struct question *q = questions(queue);

	while (q->type && q->from != queue->state)
		q++;
	if (!q->type)
		return;
	if (!drv_is_up(ctx->dev)) {
		drv_pm_get(ctx->dev);
		return;
	}
	if (queue->state == DRV_QUEUE_WANT_REG && !may_open(queue))
		return;
	if (drv_jsm_ask(ctx->dev, q->type, q->answer, &payload, q->put(queue, &payload), true,
			answered, queue))
		return; /* all slots taken: again when one is free */
	ctx->known_to_fw |= !ctx->dev->hws;
	queue->state = q->asked;
}

/* Not to be opened any further, or to be closed: what was done is undone. */
static void turn_back(struct drv_queue *queue)
{
	if (queue->state == DRV_QUEUE_LIVE)
		queue->state = DRV_QUEUE_WANT_UNREG;
	else if (queue->state == DRV_QUEUE_WANT_SCHED || queue->state == DRV_QUEUE_WANT_DB)
		queue->state = DRV_QUEUE_WANT_DESTROY;
}

void drv_queue_progress(struct drv_queue *queue)
{
	struct drv_ctx *ctx = queue->ctx;
	bool may_ask = true;

	if (ctx->faulty && queue->state == DRV_QUEUE_WANT_REG) {
		drv_jobs_end(ctx, queue, -ECANCELED);
		drv_queue_forget(queue, -ECANCELED);
	}
	if (ctx->faulty && !ctx->cut)
		may_ask = false; /* the engine is reset first */
	else if (ctx->faulty || (queue->dying && !queue->pending))
		turn_back(queue);
	if (may_ask)
		ask(queue);
	if (queue->dying && !queue->pending && queue->state == queue->idle)
		queue_free(queue);
}

/* Not now, who lifts the hold publishes; or not with a doorbell of its own.  A device that sleeps
 * is woken. */
static __attribute__((cold, noinline)) void held(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;

	if (queue->state == DRV_QUEUE_SHARED && !dev->hold)
		dev->info->ops->queue_publish(queue);
	else if (queue->pending && !drv_is_up(dev))
		drv_pm_get(dev);
}

/* Slots, then tail, then doorbell: each order is the firmware's licence to read.  P 10.4 */
void drv_queue_publish(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;

	if (BASE_UNLIKELY(queue->state != DRV_QUEUE_LIVE || dev->hold)) {
		held(queue);
		return;
	}
	if (!drv_ring_publish(&queue->ring))
		return;
	dev->ops->wmb(dev->os);
	drv_ring_commit(&queue->ring);
	dev->ops->wmb(dev->os);
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_DB, queue->db, queue->ring.pub);
	drv_io_wr32(dev, queue->db_io, 1);
}

void drv_queues_publish(struct drv_dev *dev)
{
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next) {
		struct drv_ctx *ctx = base_container_of(c, struct drv_ctx, link);

		for (struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next)
			drv_queue_publish(base_container_of(q, struct drv_queue, link));
	}
}
