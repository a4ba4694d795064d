// SPDX-License-Identifier: MIT
/*
 * Contexts: one address space (SSID) each.
 *
 *   alive -> dying (destroyed by the user) -> queues gone -> SSID_RELEASE -> freed
 *   alive -> faulty (MMU fault, engine error) -> queues unregistered, SSID_RELEASE -> its jobs end
 *            as the firmware reports them, or 500 ms after the answer -> waits for its destruction
 *   alive -> cancelled (its user is gone, its jobs do not end) -> as faulty
 *
 * With hardware scheduling no SSID_RELEASE is sent: the last queue's end is the context's, and a
 * faulty one is cut off by a reset of the engine (engine.c).
 *
 * Nothing is freed but in drv_ctx_progress(), which the loop calls with no context in hand.
 */
#include <assert.h>
#include <errno.h>

#include "driver/dev.h"

int drv_mmu_ctx_open(struct drv_ctx *ctx)
{
	ctx->root = drv_pt_create(ctx->dev);
	if (!ctx->root)
		return -ENOMEM;
	drv_mmu_set_cd(ctx->dev, ctx->ssid, ctx->root);
	return 0;
}

void drv_mmu_ctx_close(struct drv_ctx *ctx)
{
	drv_mmu_set_cd(ctx->dev, ctx->ssid, NULL);
	drv_mmu_drop_tables(ctx->dev, ctx->ssid, ctx->root);
}

int drv_ctx_new(struct drv_dev *dev, u32 ssid, struct drv_ctx **out)
{
	struct drv_ctx *ctx = base_zalloc(sizeof(*ctx));
	int ret;

	if (!ctx)
		return -ENOMEM;
	ctx->dev = dev;
	ctx->ssid = ssid;
	ctx->drain_deadline_ns = DRV_NO_TIME;
	drv_list_init(&ctx->link);
	drv_list_init(&ctx->queues);
	drv_list_init(&ctx->bos);
	ret = dev->info->ops->ctx_open(ctx);
	if (ret) {
		base_free(ctx);
		return ret;
	}
	dev->ctxs[ssid] = ctx;
	*out = ctx;
	return 0;
}

void drv_ctx_free(struct drv_ctx *ctx)
{
	struct drv_dev *dev = ctx->dev;

	while (!drv_list_empty(&ctx->bos))
		drv_bo_destroy(base_container_of(ctx->bos.next, struct drv_bo, link));
	dev->info->ops->ctx_close(ctx);
	drv_va_fini(&ctx->va);
	drv_list_del(&ctx->link);
	dev->ctxs[ctx->ssid] = NULL;
	base_free(ctx);
}

int drv_ctx_create(struct drv_dev *dev, struct drv_ctx **out)
{
	struct drv_ctx *ctx;
	u32 ssid;
	int ret;

	if (dev->state == DRV_FAILED || dev->state == DRV_STOPPING)
		return -ENODEV;
	ret = base_ids_get(&dev->ssids, &ssid);
	if (ret)
		return ret;
	ret = drv_ctx_new(dev, ssid, &ctx);
	if (ret)
		goto err_put_id;
	drv_list_add(&dev->ctx_list, &ctx->link);
	*out = ctx;
	return 0;

err_put_id:
	base_ids_put(&dev->ssids, ssid);
	return ret;
}

void drv_ctx_destroy(struct drv_ctx *ctx)
{
	struct drv_dev *dev = ctx->dev;

	ctx->dying = true;
	drv_ctx_progress(dev);
}

u32 drv_ctx_ssid(const struct drv_ctx *ctx)
{
	return ctx->ssid;
}

static void set_drain_deadline(struct drv_ctx *ctx, u64 time_ns)
{
	struct drv_dev *dev = ctx->dev;
	u64 first_ns = DRV_NO_TIME;

	ctx->drain_deadline_ns = time_ns;
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next)
		first_ns = base_min(first_ns,
				    base_container_of(c, struct drv_ctx, link)->drain_deadline_ns);
	drv_timer_set(dev, DRV_TIMER_DRAIN, first_ns);
}

/* The firmware let go of the SSID.  Its jobs' JOB_DONEs follow (P trap 26): wait a while. */
static void release_done(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	struct drv_ctx *ctx = arg;

	(void)answer;
	ctx->releasing = false;
	if (ret && ret != -ECANCELED)
		drv_warn(dev, CTX, "SSID %u: SSID_RELEASE failed: %s", ctx->ssid,
			 base_err_name(ret));
	if (ctx->nr_jobs && ret != -ECANCELED)
		set_drain_deadline(ctx, dev->now_ns + dev->gen->timeouts.jsm_ms * BASE_NS_PER_MS);
}

void drv_ctx_mark(struct drv_ctx *ctx)
{
	struct drv_dev *dev = ctx->dev;

	drv_warn(dev, CTX, "SSID %u is aborted with %u jobs under way", ctx->ssid, ctx->nr_jobs);
	ctx->faulty = true;
	dev->work = true;
	drv_mmu_silence(dev, ctx->ssid);
}

void drv_ctx_abort(struct drv_ctx *ctx)
{
	if (ctx->faulty)
		return;
	drv_ctx_mark(ctx);
	drv_trouble(ctx->dev, "a context faulted and is aborted");
	if (ctx->dev->hws)
		drv_engine_reset(ctx->dev);
	else
		ctx->cut = true; /* SSID_RELEASE sees to it */
}

/* No fault: the engine is not reset, that would cost whoever it works for. */
void drv_ctx_cancel(struct drv_ctx *ctx)
{
	if (ctx->faulty || !ctx->nr_jobs || ctx->dev->gen->flat)
		return;
	drv_ctx_mark(ctx);
	ctx->cut = true;
}

/* Hardware scheduling: what was in queues that are destroyed is not reported.  SRC: P 10.7, 12.5 */
static bool is_unreported(const struct drv_ctx *ctx)
{
	return ctx->dev->hws && ctx->cut && ctx->nr_jobs && drv_queues_gone(ctx) &&
	       ctx->dev->engine.state == DRV_ENGINE_RUNNING;
}

static void release(struct drv_ctx *ctx)
{
	const struct abi_jsm_ssid payload = { .host_ssid = ctx->ssid };

	if (!drv_is_up(ctx->dev)) {
		drv_pm_get(ctx->dev);
		return;
	}
	if (drv_jsm_ask(ctx->dev, ABI_JSM_SSID_RELEASE, ABI_JSM_SSID_RELEASE_DONE, &payload,
			sizeof(payload), true, release_done, ctx))
		return; /* all slots taken: again when one is free */
	ctx->known_to_fw = false;
	ctx->releasing = true;
}

bool drv_queues_gone(const struct drv_ctx *ctx)
{
	for (struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next)
		if (base_container_of(q, struct drv_queue, link)->state != DRV_QUEUE_NEW)
			return false;
	return true;
}

static void progress(struct drv_ctx *ctx)
{
	struct drv_dev *dev = ctx->dev;

	if (BASE_UNLIKELY(is_unreported(ctx)))
		drv_jobs_end(ctx, NULL, -ECANCELED);
	for (struct drv_list *q = ctx->queues.next, *next; q != &ctx->queues; q = next) {
		next = q->next;
		drv_queue_progress(base_container_of(q, struct drv_queue, link));
	}
	if (ctx->known_to_fw && drv_queues_gone(ctx) &&
	    (ctx->faulty || (ctx->dying && drv_list_empty(&ctx->queues))))
		release(ctx);
	if (!ctx->dying || !drv_list_empty(&ctx->queues) || ctx->releasing || ctx->known_to_fw)
		return;
	base_ids_put(&dev->ssids, ctx->ssid);
	set_drain_deadline(ctx, DRV_NO_TIME);
	drv_ctx_free(ctx);
}

/* What the firmware was not asked to let go of is freed once it is off: it may look until then. */
static bool is_going_off(const struct drv_dev *dev)
{
	return dev->phase == DRV_PHASE_STOP || dev->phase == DRV_PHASE_RECOVER ||
	       dev->phase == DRV_PHASE_RESTART;
}

void drv_ctx_progress(struct drv_dev *dev)
{
	if (BASE_UNLIKELY(is_going_off(dev)))
		return;
	dev->work = false;
	for (struct drv_list *c = dev->ctx_list.next, *next; c != &dev->ctx_list; c = next) {
		next = c->next;
		progress(base_container_of(c, struct drv_ctx, link));
	}
	if (BASE_UNLIKELY(dev->engine.state != DRV_ENGINE_RUNNING))
		drv_engine_progress(dev);
	if (dev->nr_metrics)
		drv_metric_progress(dev);
}

void drv_ctx_timer(struct drv_dev *dev)
{
	if (dev->now_ns < dev->timers[DRV_TIMER_DRAIN])
		return;
	drv_irq_handle(dev); /* an interrupt may have been lost */
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next) {
		struct drv_ctx *ctx = base_container_of(c, struct drv_ctx, link);

		if (dev->now_ns < ctx->drain_deadline_ns)
			continue;
		if (ctx->nr_jobs)
			drv_warn(dev, CTX, "SSID %u: the firmware did not report %u aborted jobs",
				 ctx->ssid, ctx->nr_jobs);
		drv_jobs_end(ctx, NULL, -ECANCELED);
		set_drain_deadline(ctx, DRV_NO_TIME);
	}
}
