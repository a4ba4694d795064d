// SPDX-License-Identifier: MIT
/*
 * Reset of the engine, hardware scheduling.  SRC: P 10.7.
 *
 *   RUNNING -> (jobs hang) WANT_DUMP -> DUMPING -> WANT_RESET
 *   RUNNING -> (a context became faulty) WANT_RESET -> RESETTING -> CLEARING -> RESUMING -> RUNNING
 *
 * CLEARING: the queues of the faulty contexts are unregistered and destroyed.  Their jobs end once
 * the engine runs again; what other contexts submitted goes on.  What the firmware does not answer,
 * or answers with nonsense, costs the device.
 */
#include <errno.h>
#include <stdarg.h>

#include "abi/jobq.h"
#include "driver/dev.h"

static const struct abi_jsm_engine engine = { .engine_idx = ABI_JOBQ_ENGINE_COMPUTE };

void drv_engine_reset(struct drv_dev *dev)
{
	struct drv_engine *e = &dev->engine;

	if (e->state == DRV_ENGINE_RUNNING)
		e->state = DRV_ENGINE_WANT_RESET;
	else if (e->state >= DRV_ENGINE_RESETTING)
		e->again = true;
	dev->work = true;
}

void drv_engine_hang(struct drv_dev *dev, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!dev->hws) {
		drv_fail_job(dev, "%s", text);
		return;
	}
	dev->jsm.hb_rounds = 0;
	dev->tdr_ns = dev->now_ns + dev->tdr_period_ns;
	if (dev->engine.state != DRV_ENGINE_RUNNING)
		return; /* about to be reset anyway */
	drv_warn(dev, RECOVERY, "%s: the engine is reset", text);
	dev->engine.hang = true;
	dev->engine.state = DRV_ENGINE_WANT_DUMP;
	dev->work = true;
}

static struct drv_queue *queue_of(const struct drv_ctx *ctx, u64 id)
{
	for (struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next) {
		struct drv_queue *queue = base_container_of(q, struct drv_queue, link);

		if (queue->db == id)
			return queue;
	}
	return NULL;
}

/* A context whose jobs the reset took.  False: there is none such. */
static bool impacted(struct drv_dev *dev, const struct abi_jsm_reset_ctx *r)
{
	struct drv_ctx *ctx = r->host_ssid < DRV_NR_SSIDS ? dev->ctxs[r->host_ssid] : NULL;
	struct drv_queue *queue;

	if (r->host_ssid < dev->gen->ssid_first || !ctx) {
		drv_warn(dev, RECOVERY, "the engine's reset names SSID %u, which is no context",
			 r->host_ssid);
		return false;
	}
	queue = queue_of(ctx, r->cmdq_id);
	if (dev->engine.hang && queue && !(r->flags & ABI_JSM_RESET_COLLATERAL))
		drv_job_blame(queue, -ETIMEDOUT);
	if (!ctx->faulty)
		drv_ctx_mark(ctx);
	return true;
}

/* Of a hang one or two contexts are to blame; SRC: P 10.7 #1, P trap 25 */
static int mark_impacted(struct drv_dev *dev, const struct abi_jsm_engine_reset_done *done)
{
	u32 nr = done->num_impacted_contexts, known = 0;

	if (nr > ABI_JSM_MAX_IMPACTED || (dev->engine.hang && nr == ABI_JSM_MAX_IMPACTED))
		return -EPROTO;
	for (u32 i = 0; i < nr; i++)
		known += impacted(dev, &done->impacted_contexts[i]);
	return dev->engine.hang && !known ? -EPROTO : 0;
}

static void for_each_faulty(struct drv_dev *dev, void (*fn)(struct drv_ctx *ctx))
{
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next) {
		struct drv_ctx *ctx = base_container_of(c, struct drv_ctx, link);

		if (ctx->faulty)
			fn(ctx);
	}
}

static void cut(struct drv_ctx *ctx)
{
	ctx->cut = true;
}

static void end_jobs(struct drv_ctx *ctx)
{
	if (ctx->cut)
		drv_jobs_end(ctx, NULL, -ECANCELED);
}

static bool is_cleared(const struct drv_dev *dev)
{
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next) {
		const struct drv_ctx *ctx = base_container_of(c, struct drv_ctx, link);

		if (ctx->faulty && ctx->cut && !drv_queues_gone(ctx))
			return false;
	}
	return true;
}

static void resumed(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	bool again = dev->engine.again;

	(void)arg;
	(void)answer;
	if (ret == -ECANCELED)
		return;
	if (ret) {
		drv_fail(dev, ret, "the engine does not resume after its reset: %s",
			 base_err_name(ret));
		return;
	}
	dev->engine = (struct drv_engine){ .resets = dev->engine.resets };
	for_each_faulty(dev, end_jobs);
	if (again)
		drv_engine_reset(dev);
}

static void was_reset(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	(void)arg;
	if (ret == -ECANCELED)
		return;
	if (!ret)
		ret = mark_impacted(dev, &answer->payload.engine_reset_done);
	if (ret) {
		drv_fail(dev, ret, "the engine's reset failed: %s",
			 ret == -EPROTO ? "it names nobody to blame" : base_err_name(ret));
		return;
	}
	dev->engine.resets++;
	dev->engine.again = false; /* whoever is faulty by now is cut */
	for_each_faulty(dev, cut);
	dev->engine.state = DRV_ENGINE_CLEARING;
}

/* With or without an answer: it is for the firmware's log. */
static void dumped(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	(void)arg;
	(void)answer;
	if (ret == -ECANCELED)
		return;
	drv_trouble(dev, "jobs hang, the engine is reset");
	dev->engine.state = DRV_ENGINE_WANT_RESET;
}

static void ask(struct drv_dev *dev, u32 type, u32 answer, bool hb, drv_req_done_fn done,
		enum drv_engine_state then)
{
	u32 len = done == dumped ? 0 : sizeof(engine);

	/* all slots taken: again when one is free */
	if (!drv_jsm_ask(dev, type, answer, &engine, len, hb, done, NULL))
		dev->engine.state = then;
}

void drv_engine_progress(struct drv_dev *dev)
{
	if (!drv_is_up(dev))
		return;
	switch (dev->engine.state) {
	case DRV_ENGINE_WANT_DUMP:
		ask(dev, ABI_JSM_STATE_DUMP, ABI_JSM_STATE_DUMP_RSP, false, dumped,
		    DRV_ENGINE_DUMPING);
		return;
	case DRV_ENGINE_WANT_RESET:
		ask(dev, ABI_JSM_ENGINE_RESET, ABI_JSM_ENGINE_RESET_DONE, true, was_reset,
		    DRV_ENGINE_RESETTING);
		return;
	case DRV_ENGINE_CLEARING:
		if (is_cleared(dev))
			ask(dev, ABI_JSM_HWS_ENGINE_RESUME, ABI_JSM_HWS_RESUME_ENGINE_DONE, true,
			    resumed, DRV_ENGINE_RESUMING);
		return;
	case DRV_ENGINE_RUNNING:
	case DRV_ENGINE_DUMPING:
	case DRV_ENGINE_RESETTING:
	case DRV_ENGINE_RESUMING:
		return;
	}
}
