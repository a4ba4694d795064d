// SPDX-License-Identifier: MIT
/*
 * All there is to know about the device, for failures.  Nothing here changes anything.
 *
 * Registers are decoded from the register tables; reads with side effects (RC) and registers without
 * a value (WO) are left out; none can be read while the function sleeps.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "abi/abi_names.h"
#include "driver/mmio.h"

struct out {
	char text[400];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out->text + out->len, sizeof(out->text) - out->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		out->len = base_min(out->len + (size_t)n, sizeof(out->text) - 1);
}

static void one(struct drv_dev *dev, const struct reg_block *block, const struct reg_desc *desc,
		struct out *out)
{
	u64 val;

	/* not traced: a dump must not push out the records that led to it */
	if (desc->width_bytes == 8)
		val = dev->ops->rd64(dev->os, block->bar, desc->off);
	else
		val = dev->ops->rd32(dev->os, block->bar, desc->off);
	put(out, "%s %s BAR%u+0x%x = 0x%0*" PRIx64, block->name, desc->name, block->bar, desc->off,
	    desc->width_bytes * 2, val);
	for (u32 i = 0; i < desc->nr_flds; i++) {
		const struct reg_fld *fld = &desc->flds[i];

		put(out, " %s=0x%" PRIx64, fld->name,
		    val >> fld->lo & BASE_MASK64(fld->hi - fld->lo, 0));
	}
	if (dev->info->ops->meaning) {
		char text[80] = "";

		dev->info->ops->meaning(desc, val, text, sizeof(text));
		put(out, "%s%s", text[0] ? ": " : "", text);
	}
}

static bool has_value(const struct reg_desc *desc)
{
	return desc->kind != REG_KIND_WO && desc->kind != REG_KIND_RC && !desc->stride;
}

void drv_dump_registers(struct drv_dev *dev, void (*line)(void *opaque, const char *text),
			void *opaque)
{
	for (const struct reg_block *const *b = dev->gen->blocks; dev->powered && *b; b++) {
		for (u32 i = 0; i < (*b)->nr; i++) {
			struct out out = { .len = 0 };

			if (!has_value(&(*b)->descs[i]))
				continue;
			one(dev, *b, &(*b)->descs[i], &out);
			line(opaque, out.text);
		}
	}
}

/* Where the parts below write to. */
struct sink {
	void (*line)(void *opaque, const char *text);
	void *opaque;
};

static void BASE_PRINTF(2, 3) say(const struct sink *to, const char *fmt, ...)
{
	char text[700]; /* an error's sentence and something before it */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	to->line(to->opaque, text);
}

#define NS_FMT	   "%" PRIu64 ".%06" PRIu64 " ms"
#define NS_ARG(ns) (u64)(ns) / BASE_NS_PER_MS, (u64)(ns) % BASE_NS_PER_MS

static void dump_device(struct drv_dev *dev, const struct sink *to)
{
	const u32 *api = dev->fw.hdr.api_version;

	say(to, "%s: %s %s, %04x:%04x revision %u%s", dev->os->location, dev->gen->name,
	    dev->product, dev->vendor_id, dev->device_id, dev->revision,
	    dev->os->is_virtual ? ", virtual" : "");
	say(to, "firmware: %s: %s", dev->fw.path, dev->fw.version);
	say(to, "firmware API: boot %u.%u, job commands %u.%u, messages %u.%u, runtime %u.%u",
	    api[ABI_FW_API_BOOT] >> 16, api[ABI_FW_API_BOOT] & 0xffff,
	    api[ABI_FW_API_JOB_CMD] >> 16, api[ABI_FW_API_JOB_CMD] & 0xffff,
	    api[ABI_FW_API_JSM] >> 16, api[ABI_FW_API_JSM] & 0xffff, api[ABI_FW_API_NNRT] >> 16,
	    api[ABI_FW_API_NNRT] & 0xffff);
	say(to, "scheduling: %s", dev->hws ? "firmware" : "driver");
	say(to, "state: %s%s, time " NS_FMT, drv_state_name(dev->state),
	    dev->powered ? "" : " (no power)", NS_ARG(dev->now_ns));
	if (dev->err.code)
		say(to, "error: %s", dev->err.text);
	if (dev->phase != DRV_PHASE_NONE)
		say(to, "sequence %s, step %u", dev->run.seq->name, dev->run.idx);
	if (dev->engine.state != DRV_ENGINE_RUNNING)
		say(to, "the engine is being reset, step %d", dev->engine.state);
}

static void dump_counters(struct drv_dev *dev, const struct sink *to)
{
	const struct {
		const char *name;
		u64 val;
	} counters[] = {
		{ "jobs under way", dev->nr_jobs },
		{ "jobs done", dev->jobs_done },
		{ "jobs failed", dev->jobs_failed },
		{ "completions of no job", dev->unknown_jobs },
		{ "interrupts", dev->irqs },
		{ "boots", dev->fw.boots },
		{ "engine resets", dev->engine.resets },
		{ "MMU faults", dev->mmu_faults },
		{ "MMU global errors", dev->gerrors },
		{ "firewall interrupts", dev->firewall_irqs },
		{ "malformed messages", dev->ipc_malformed },
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(counters); i++)
		say(to, "%s: %" PRIu64, counters[i].name, counters[i].val);
}

static void dump_questions(struct drv_dev *dev, const struct sink *to)
{
	say(to, "heartbeat: %" PRIu64 ", seen %u times since the last completion",
	    dev->jsm.heartbeat, dev->jsm.hb_rounds);
	for (u32 i = 0; i < DRV_NR_REQS; i++) {
		const struct drv_req *req = &dev->jsm.reqs[i];

		if (req->id)
			say(to, "request %u: %s, no answer yet, time is up at " NS_FMT, req->id,
			    abi_jsm_type_name(req->type), NS_ARG(req->deadline_ns));
	}
}

static void dump_jobs(const struct drv_queue *queue, u64 now_ns, const struct sink *to)
{
	const struct drv_ctx *ctx = queue->ctx;

	for (u32 n = 0; n < DRV_CTX_JOBS; n++) {
		const struct drv_job *job = &ctx->jobs[n];
		const struct abi_jobq *page = queue->ring.page;

		if (job->queue != queue)
			continue;
		say(to,
		    "    job 0x%x, slot %u, command buffer 0x%" PRIx64 ", for " NS_FMT ", error %d",
		    ABI_JOBQ_JOB_ID(ctx->ssid, n), job->slot,
		    page ? page->slot[job->slot].job.batch_buf_addr : 0,
		    NS_ARG(now_ns - job->start_ns), job->error);
	}
}

static const char *const queue_states[] = {
	[DRV_QUEUE_NEW] = "not registered",
	[DRV_QUEUE_WANT_REG] = "to be registered",
	[DRV_QUEUE_CREATING] = "being created",
	[DRV_QUEUE_WANT_SCHED] = "to get its priority",
	[DRV_QUEUE_SCHEDULING] = "getting its priority",
	[DRV_QUEUE_WANT_DB] = "to get its doorbell",
	[DRV_QUEUE_REGISTERING] = "being registered",
	[DRV_QUEUE_LIVE] = "live",
	[DRV_QUEUE_WANT_UNREG] = "to be unregistered",
	[DRV_QUEUE_UNREGISTERING] = "being unregistered",
	[DRV_QUEUE_WANT_DESTROY] = "to be destroyed",
	[DRV_QUEUE_DESTROYING] = "being destroyed",
	[DRV_QUEUE_SHARED] = "shares a ring",
};

static void dump_queue(const struct drv_queue *queue, u64 now_ns, const struct sink *to)
{
	const struct drv_ring *ring = &queue->ring;
	u32 head = ring->page ? __atomic_load_n(&ring->page->hdr.head, __ATOMIC_RELAXED) : 0;

	say(to,
	    "  doorbell %u: priority %u, %s%s, head %u, tail %u of %u, %u jobs under way, %u "
	    "completions",
	    queue->db, queue->priority, queue_states[queue->state], queue->dying ? ", dying" : "",
	    head, ring->pub, ring->tail, queue->pending, queue->done_nr);
	if (queue->pending)
		dump_jobs(queue, now_ns, to);
}

static void dump_ctx(const struct drv_ctx *ctx, u64 now_ns, const struct sink *to)
{
	u64 bytes = 0;
	u32 nr = 0;

	for (struct drv_list *b = ctx->bos.next; b != &ctx->bos; b = b->next, nr++)
		bytes += base_container_of(b, struct drv_bo, link)->size;
	say(to, "SSID %u: %u jobs under way, %u buffers, %" PRIu64 " bytes%s%s%s%s", ctx->ssid,
	    ctx->nr_jobs, nr, bytes, ctx->faulty ? ", faulty" : "", ctx->cut ? ", cut off" : "",
	    ctx->dying ? ", dying" : "", ctx->releasing ? ", being released" : "");
	for (struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next)
		dump_queue(base_container_of(q, struct drv_queue, link), now_ns, to);
}

static void dump_contexts(struct drv_dev *dev, const struct sink *to)
{
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next)
		dump_ctx(base_container_of(c, struct drv_ctx, link), dev->now_ns, to);
	if (drv_list_empty(&dev->ctx_list))
		say(to, "(none)");
}

void drv_dump(struct drv_dev *dev, void (*line)(void *opaque, const char *text), void *opaque)
{
	const struct sink to = { line, opaque };

	say(&to, "== device");
	dump_device(dev, &to);
	say(&to, "== counters");
	dump_counters(dev, &to);
	say(&to, "== questions to the firmware");
	dump_questions(dev, &to);
	say(&to, "== contexts, queues, jobs");
	dump_contexts(dev, &to);
	say(&to, "== registers");
	drv_dump_registers(dev, line, opaque);
	say(&to, "== firmware log, errors");
	drv_fw_log_dump(dev, DRV_FW_LOG_CRITICAL, line, opaque);
	say(&to, "== firmware log");
	drv_fw_log_dump(dev, DRV_FW_LOG_VERBOSE, line, opaque);
	say(&to, "== trace");
	drv_trace_dump(dev, DRV_TRACE_RECS, line, opaque);
	say(&to, "== end");
}

void drv_trouble(struct drv_dev *dev, const char *why)
{
	if (dev->cfg.on_trouble)
		dev->cfg.on_trouble(dev->cfg.opaque, dev, why);
}
