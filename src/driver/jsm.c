// SPDX-License-Identifier: MIT
/*
 * Questions to the firmware and their answers.  SRC: P 7, P 6.6.
 *
 *   free -> asked -> answered, timed out or cancelled -> free
 *
 * A question marked +HB that times out is followed by QUERY_ENGINE_HB; when that times out too the
 * device is lost (P 7.3).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "abi/jobq.h"
#include "driver/mmio.h"

void drv_jsm_init(struct drv_dev *dev)
{
	u32 next_id = dev->jsm.next_id ? dev->jsm.next_id : 1;

	dev->jsm = (struct drv_jsm){ .next_id = next_id };
	drv_timer_set(dev, DRV_TIMER_JSM, DRV_NO_TIME);
}

static void update_timer(struct drv_dev *dev)
{
	const struct drv_jsm *jsm = &dev->jsm;
	u64 first_ns = DRV_NO_TIME;

	for (u32 i = 0; i < DRV_NR_REQS; i++)
		if (jsm->reqs[i].id)
			first_ns = base_min(first_ns, jsm->reqs[i].deadline_ns);
	drv_timer_set(dev, DRV_TIMER_JSM, first_ns);
}

/*
 * Of a question that timed out or was cancelled the message may still be in the FIFO: its slot is
 * written again only if there is no other, as with a firmware that never gives one back.
 */
static struct drv_req *free_slot(struct drv_dev *dev)
{
	struct drv_req *unreleased = NULL;

	for (u32 i = 0; i < DRV_NR_REQS; i++) {
		struct drv_req *req = &dev->jsm.reqs[i];

		if (req->id)
			continue;
		if (drv_ipc_is_released(dev, i))
			return req;
		if (!unreleased)
			unreleased = req;
	}
	return unreleased;
}

static u32 take_id(struct drv_jsm *jsm)
{
	u32 id = jsm->next_id++;

	if (!jsm->next_id)
		jsm->next_id = 1; /* 0 is JOB_DONE's */
	return id;
}

/* How a type is asked; SRC: P 7.3 */
static u16 channel_of(u32 type)
{
	return type == ABI_JSM_PWR_D0I3_ENTER ? ABI_IPC_CHAN_GEN : ABI_IPC_CHAN_ASYNC;
}

static u64 limit_ns(const struct drv_dev *dev, u32 type)
{
	const struct reg_timeouts *t = &dev->gen->timeouts;

	return BASE_NS_PER_MS * (type == ABI_JSM_PWR_D0I3_ENTER ? t->d0i3_entry_msg_ms : t->jsm_ms);
}

int drv_jsm_ask(struct drv_dev *dev, u32 type, u32 answer, const void *payload, u32 len, bool hb,
		drv_req_done_fn done, void *arg)
{
	struct drv_jsm *jsm = &dev->jsm;
	struct drv_req *req = free_slot(dev);
	struct abi_jsm_msg msg = { .type = type, .status = ABI_IPC_ALLOCATED };

	if (!req)
		return -EBUSY;
	*req = (struct drv_req){
		.id = take_id(jsm),
		.type = type,
		.answer = answer,
		.deadline_ns = drv_clock(dev) + limit_ns(dev, type),
		.hb = hb,
		.done = done,
		.arg = arg,
	};
	msg.request_id = req->id;
	memcpy(&msg.payload, payload, len);
	update_timer(dev);
	drv_dbg(dev, JSM, "ask 0x%04x, request %u", type, req->id);
	drv_ipc_send(dev, (u32)(req - jsm->reqs), channel_of(type), &msg);
	return 0;
}

static void finish(struct drv_dev *dev, struct drv_req *req, int ret,
		   const struct abi_jsm_msg *answer)
{
	struct drv_req done = *req;

	req->id = 0; /* before done(), which may ask again */
	update_timer(dev);
	dev->work = true; /* somebody may have waited for a slot */
	done.done(dev, done.arg, ret, answer);
}

void drv_jsm_cancel_all(struct drv_dev *dev, int ret)
{
	for (u32 i = 0; i < DRV_NR_REQS; i++)
		if (dev->jsm.reqs[i].id)
			finish(dev, &dev->jsm.reqs[i], ret, NULL);
}

static int judge(struct drv_dev *dev, const struct drv_req *req, const struct abi_jsm_msg *msg)
{
	if (msg->type != req->answer) {
		drv_warn(dev, JSM, "request %u (0x%04x): answer of type 0x%x, expected 0x%04x",
			 req->id, req->type, msg->type, req->answer);
		return -EPROTO;
	}
	if (msg->result != ABI_JSM_STATUS_SUCCESS) {
		drv_warn(dev, JSM, "request %u (0x%04x): the firmware answered with error 0x%x",
			 req->id, req->type, msg->result);
		return -EIO;
	}
	return 0;
}

void drv_jsm_answer(struct drv_dev *dev, const struct abi_jsm_msg *msg, u32 size_bytes)
{
	struct drv_jsm *jsm = &dev->jsm;

	for (u32 i = 0; msg->request_id && i < DRV_NR_REQS; i++) {
		struct drv_req *req = &jsm->reqs[i];
		struct abi_jsm_msg copy = { 0 };

		if (req->id != msg->request_id)
			continue;
		memcpy(&copy, msg, size_bytes); /* what was not sent reads as zero */
		finish(dev, req, judge(dev, req, &copy), &copy);
		return;
	}
	drv_dbg(dev, JSM, "nobody waits for 0x%x, request %u", msg->type, msg->request_id);
}

static void time_out(struct drv_dev *dev, struct drv_req *req)
{
	bool hb = req->hb;

	drv_warn(dev, JSM, "request %u (0x%04x): no answer within %u ms", req->id, req->type,
		 (u32)(limit_ns(dev, req->type) / BASE_NS_PER_MS));
	finish(dev, req, -ETIMEDOUT, NULL);
	if (hb && drv_is_up(dev))
		drv_jsm_query_hb(dev);
}

void drv_jsm_timer(struct drv_dev *dev)
{
	struct drv_jsm *jsm = &dev->jsm;

	if (dev->now_ns < dev->timers[DRV_TIMER_JSM])
		return;
	/* an interrupt may have been lost: look before judging */
	drv_irq_handle(dev);
	for (u32 i = 0; i < DRV_NR_REQS && drv_listens(dev); i++)
		if (jsm->reqs[i].id && dev->now_ns >= jsm->reqs[i].deadline_ns)
			time_out(dev, &jsm->reqs[i]);
	update_timer(dev);
}

/*
 * Heartbeat
 */

static void hb_done(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	struct drv_jsm *jsm = &dev->jsm;
	bool of_tdr = arg != NULL;
	u64 hb;

	jsm->hb_pending = false;
	if (ret == -ECANCELED)
		return;
	if (ret) {
		drv_fail(dev, ret, "the firmware does not answer QUERY_ENGINE_HB: %s",
			 base_err_name(ret));
		return;
	}
	hb = answer->payload.engine_hb_done.heartbeat;
	if (of_tdr && dev->nr_jobs && hb <= jsm->heartbeat) {
		drv_engine_hang(dev,
				"the engine hangs: heartbeat %" PRIu64
				" did not advance in %u ms with %u jobs under way",
				hb, dev->gen->timeouts.tdr_ms, dev->nr_jobs);
		return;
	}
	jsm->heartbeat = hb;
}

static void query(struct drv_dev *dev, void *arg)
{
	const struct abi_jsm_engine payload = { .engine_idx = ABI_JOBQ_ENGINE_COMPUTE };

	if (dev->jsm.hb_pending)
		return;
	if (drv_jsm_ask(dev, ABI_JSM_QUERY_ENGINE_HB, ABI_JSM_QUERY_ENGINE_HB_DONE, &payload,
			sizeof(payload), false, hb_done, arg)) {
		/* every slot waits for an answer: their time-outs come here again */
		return;
	}
	dev->jsm.hb_pending = true;
}

void drv_jsm_query_hb(struct drv_dev *dev)
{
	query(dev, NULL);
}

/* How often an advancing heartbeat buys another period; SRC: P 10.7 */
static u32 hb_rounds_max(const struct drv_dev *dev)
{
	u32 tdr = dev->gen->timeouts.tdr_ms;

	return (dev->gen->timeouts.inference_ms + tdr - 1) / tdr;
}

void drv_jsm_tdr(struct drv_dev *dev)
{
	if (dev->now_ns < dev->tdr_ns)
		return;
	drv_irq_handle(dev); /* an interrupt may have been lost */
	if (!drv_is_up(dev) || dev->now_ns < dev->tdr_ns)
		return;
	if (!dev->nr_jobs) {
		drv_pm_idle(dev);
		return;
	}
	if (++dev->jsm.hb_rounds > hb_rounds_max(dev)) {
		drv_engine_hang(dev, "no job of %u ended within %u ms, the limit of one inference",
				dev->nr_jobs, dev->gen->timeouts.inference_ms);
		return;
	}
	dev->tdr_ns = dev->now_ns + dev->tdr_period_ns;
	query(dev, dev);
}
