// SPDX-License-Identifier: MIT
/*
 * Contexts, buffers and queues on the reference NPU.  SRC: design sections 4 and 8.
 *
 * No MMU: a buffer is one contiguous piece, its NPU address is its device address.  A context is a
 * list of buffers; that a job stays inside them is checked by the service, and by the device.
 *
 * Queues share two rings.  A queue belongs to one, alternately, so that its jobs stay in order; its
 * jobs wait in the page where other generations have their job queue, and of a ring's queues each
 * gives one job in turn as long as the ring has room.
 */
#include <errno.h>
#include <string.h>

#include "driver/gen/ref.h"

#define LOOK_NS BASE_NS_PER_S  /* for jobs whose interrupt was lost */
#define POLL_NS BASE_NS_PER_MS /* when there are no interrupts */

/*
 * Memory
 */

int ref_ctx_open(struct drv_ctx *ctx)
{
	ctx->descs = base_alloc_array(DRV_CTX_JOBS, sizeof(*ctx->descs));
	return ctx->descs ? 0 : -ENOMEM;
}

void ref_ctx_close(struct drv_ctx *ctx)
{
	base_free(ctx->descs);
}

int ref_bo_open(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo *bo)
{
	struct drv_dev *dev = ctx->dev;
	int ret = drv_bo_memory(dev, spec, spec->align, spec->how | OS_DMA_CONTIGUOUS, bo);

	if (ret)
		return ret;
	bo->va = bo->dma.segs[0].addr;
	ret = drv_va_alloc_at(&ctx->va, bo->va, bo->size, bo);
	if (ret)
		dev->ops->dma_free(dev->os, &bo->dma);
	return ret;
}

void ref_bo_close(struct drv_bo *bo)
{
	drv_va_free(&bo->ctx->va, bo->va);
	drv_bo_release(bo->ctx->dev, bo);
}

/*
 * Queues
 */

int ref_queue_open(struct drv_queue *queue)
{
	struct ref *ref = to_ref(queue->ctx->dev);
	struct abi_jobq *page = base_zalloc(sizeof(*page));

	if (!page)
		return -ENOMEM;
	drv_ring_init(&queue->ring, page);
	queue->ring_idx = queue->db = ref->next_ring;
	ref->next_ring = (ref->next_ring + 1) % ABI_REF_NR_RINGS;
	queue->idle = DRV_QUEUE_SHARED;
	drv_list_add(&ref->ring[queue->ring_idx].queues, &queue->ring_link);
	return 0;
}

void ref_queue_close(struct drv_queue *queue)
{
	drv_list_del(&queue->ring_link);
	base_free(queue->ring.page);
}

static bool waits(const struct drv_queue *queue)
{
	return queue->ring.pub != queue->ring.tail;
}

/* The next queue with a job for the ring; it is the last one then. */
static struct drv_queue *take_turn(struct ref_ring *ring)
{
	for (struct drv_list *q = ring->queues.next; q != &ring->queues; q = q->next) {
		struct drv_queue *queue = base_container_of(q, struct drv_queue, ring_link);

		if (!waits(queue))
			continue;
		drv_list_del(&queue->ring_link);
		drv_list_add(&ring->queues, &queue->ring_link);
		return queue;
	}
	return NULL;
}

static bool has_room(const struct ref_ring *ring)
{
	return (ring->head + 1) % ring->entries != ring->tail;
}

/* The job leaves its queue's page for a slot. */
static void move(struct drv_dev *dev, struct ref_ring *ring, struct drv_queue *queue)
{
	u32 id = queue->ring.page->slot[queue->ring.pub].job.job_id;
	struct abi_job job = queue->ctx->descs[id % DRV_CTX_JOBS];
	int slot = ref_submit(dev, ring, &job);

	if (slot < 0)
		return; /* there was room */
	ring->job[slot] = id;
	queue->ring.pub = drv_ring_next(queue->ring.pub);
	drv_ring_commit(&queue->ring);
	__atomic_store_n(&queue->ring.page->hdr.head, queue->ring.pub, __ATOMIC_RELEASE);
}

/* When to look without an interrupt. */
static void watch(struct drv_dev *dev)
{
	struct ref *ref = to_ref(dev);
	u64 period_ns = dev->cfg.poll ? POLL_NS : LOOK_NS;

	if (!dev->nr_jobs)
		return;
	/* whatever goes on in the other ring does not put it off */
	if (ref->look_ns <= dev->now_ns || ref->look_ns > dev->now_ns + period_ns)
		ref->look_ns = dev->now_ns + period_ns;
	dev->tdr_ns = ref->look_ns;
}

static void refill(struct drv_dev *dev, struct ref_ring *ring)
{
	struct drv_queue *queue;

	while (drv_is_up(dev) && has_room(ring) && (queue = take_turn(ring)) != NULL)
		move(dev, ring, queue);
	watch(dev);
}

void ref_queue_publish(struct drv_queue *queue)
{
	struct drv_dev *dev = queue->ctx->dev;

	refill(dev, &to_ref(dev)->ring[queue->ring_idx]);
}

/*
 * Completion
 */

static void lost_track(struct drv_dev *dev, const struct ref_ring *ring, int ret)
{
	if (ret == -ENODEV)
		drv_fail(dev, ret, "STATUS reads all-ones: the device is gone");
	else
		drv_fail(
			dev, ret,
			"STATUS 0x%08x: its tail is not between the oldest slot %u and the head %u",
			drv_rd32(dev, DRV_REG(REF, STATUS)), ring->tail, ring->head);
}

/* Everything that ended; refilling comes after, so that no queue is served twice. */
static void collect(struct drv_dev *dev, struct ref_ring *ring)
{
	int slot;

	while ((slot = ref_poll_completion(dev, ring)) >= 0)
		drv_job_end(dev, ring->job[slot], ring->slots[slot].job.status);
	if (slot == -EAGAIN)
		refill(dev, ring);
	else
		lost_track(dev, ring, slot);
}

static void collect_all(struct drv_dev *dev)
{
	for (u32 n = 0; n < ABI_REF_NR_RINGS && drv_is_up(dev); n++)
		collect(dev, &to_ref(dev)->ring[n]);
}

/* The clear precedes the look, so that what comes meanwhile is seen. */
int ref_irq(struct drv_dev *dev, u32 stat)
{
	drv_wr32(dev, DRV_REG(REF, INTERRUPT_STAT), stat);
	if (reg_fld_test(stat, REG_REF_INTERRUPT_STAT__FW_STATUS))
		ref_look_at_firmware(dev);
	collect_all(dev);
	return DRV_IRQ_DONE;
}

static bool is_over(const struct drv_dev *dev, const struct ref_ring *ring)
{
	return ring->head != ring->tail &&
	       dev->now_ns - ring->since_ns >= dev->gen->timeouts.inference_ms * BASE_NS_PER_MS;
}

void ref_watchdog(struct drv_dev *dev)
{
	if (dev->now_ns < dev->tdr_ns)
		return;
	if (!drv_is_up(dev)) {
		dev->tdr_ns = DRV_NO_TIME; /* until it is */
		return;
	}
	if (!dev->nr_jobs) {
		drv_pm_idle(dev);
		return;
	}
	ref_look_at_firmware(dev);
	collect_all(dev);
	for (u32 n = 0; n < ABI_REF_NR_RINGS && drv_is_up(dev); n++) {
		const struct ref_ring *ring = &to_ref(dev)->ring[n];

		if (ring->head != ring->tail && !dev->cfg.poll)
			drv_wr32(dev, ring->doorbell, ring->head); /* it may have been lost */
		if (is_over(dev, ring))
			drv_fail_job(dev, "ring %u: job 0x%x in slot %u did not end within %u ms",
				     n, ring->job[ring->tail], ring->tail,
				     dev->gen->timeouts.inference_ms);
	}
}
