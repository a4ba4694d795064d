/* SPDX-License-Identifier: MIT */
/*
 * A driver core for the service's tests: no device behind it.  Jobs end when a test says so
 * (fake_complete()) or, with auto_complete, one per drv_wait().  Time moves in drv_wait() only.
 */
#ifndef SERVICE_FAKE_DRV_H
#define SERVICE_FAKE_DRV_H

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "driver/driver.h"
#include "driver/metric.h"

#define FAKE_BASE 0x100000000ull

struct drv_dev {
	enum drv_state state;
	struct base_err err;
	u64 now_ns;
	bool auto_complete;
	u32 nr_ctxs, nr_bos, nr_queues; /* alive */
	u32 nr_waits, nr_wakes, nr_processed;
	u32 max_ctxs, max_queues, nr_cancelled; /* max: 0 is many */
	int bo_error;				/* drv_bo_create() fails with it */
	s32 status;				/* of each completion */
	u64 job_ns;				/* each takes so long */
	u64 next_va;
	struct drv_queue *queues[16];
	int counters_error;
	struct drv_metric_cfg metric; /* of the stream there is */
	u32 nr_metrics;
	const char *log; /* lines the firmware wrote, not read yet */
	u32 log_level, fw_level;
	int fw_level_error;
	bool listening;
	u8 regs[64]; /* BAR0 */
	u64 bar_addr;
	u32 access_bytes; /* of the last one */
	int window_state; /* drv_window_ready() says it */
	bool writable;
	int dma_error;
	u64 dma_align; /* of the last one */
	u32 nr_dmas;   /* alive */
};

struct drv_bo {
	struct drv_ctx *ctx;
	void *cpu;
	u64 addr, size;
	int fd; /* made up: 1000 and its number if it is lent */
	struct drv_bo *next;
};

struct drv_ctx {
	struct drv_dev *dev;
	struct drv_bo *bos;
};

struct drv_queue {
	struct drv_ctx *ctx;
	u32 priority;
	u32 pending, done;
	u64 cookies[512];
	u64 first; /* cookie of the oldest not reaped */
	u64 last;
	u64 last_cmd; /* address of the newest job's command buffer */
};

static inline void fake_complete(struct drv_queue *queue, u32 nr)
{
	nr = nr < queue->pending ? nr : queue->pending;
	queue->pending -= nr;
	queue->done += nr;
}

/* A test with threads brings its own loop, and hears of submitted jobs. */
#ifndef FAKE_OWN_LOOP
#define FAKE_DOORBELL(dev, nr) ((void)0)

u64 drv_process(struct drv_dev *dev)
{
	dev->nr_processed++;
	return UINT64_MAX;
}

int drv_wait(struct drv_dev *dev, u64 until_ns)
{
	dev->nr_waits++;
	for (u32 i = 0; dev->auto_complete && i < BASE_ARRAY_SIZE(dev->queues); i++) {
		if (dev->queues[i] && dev->queues[i]->pending) {
			fake_complete(dev->queues[i], 1);
			return 0;
		}
	}
	if (until_ns == UINT64_MAX)
		return -EINTR;
	dev->now_ns = until_ns;
	return -ETIMEDOUT;
}

void drv_wake(struct drv_dev *dev)
{
	dev->nr_wakes++;
}

u64 drv_now_ns(struct drv_dev *dev)
{
	return dev->now_ns;
}

#endif /* FAKE_OWN_LOOP */

int drv_event_source(struct drv_dev *dev)
{
	(void)dev;
	return 77;
}

void drv_listen(struct drv_dev *dev, bool on)
{
	dev->listening = on;
}

void drv_lost(struct drv_dev *dev, int code)
{
	(void)code;
	dev->state = DRV_FAILED;
}

enum drv_state drv_get_state(const struct drv_dev *dev)
{
	return dev->state;
}

int drv_suspend(struct drv_dev *dev)
{
	if (dev->state != DRV_READY)
		return -EBUSY;
	dev->state = DRV_SUSPENDED;
	return 0;
}

int drv_resume(struct drv_dev *dev)
{
	dev->state = DRV_READY;
	return 0;
}

int drv_reset(struct drv_dev *dev)
{
	return drv_resume(dev);
}

bool drv_takes_jobs(const struct drv_dev *dev)
{
	return dev->state == DRV_READY;
}

const struct base_err *drv_last_error(const struct drv_dev *dev)
{
	return &dev->err;
}

int drv_shutdown(struct drv_dev *dev, struct base_err *err)
{
	(void)err;
	dev->state = DRV_STOPPED;
	return 0;
}

void drv_get_info(const struct drv_dev *dev, struct drv_info *out)
{
	*out = (struct drv_info){ .gen = "fake",
				  .product = "Fake \"1\"\n",
				  .location = "nowhere",
				  .vendor_id = 0x8086,
				  .fw_api = { 3 << 16 | 24 },
				  .nr_contexts_max = dev->max_ctxs ? dev->max_ctxs : 129,
				  .nr_queues_max = dev->max_queues,
				  .jobs_done = 7,
				  .recoveries = 5,
				  .busy_ns = 77 };
}

u32 drv_freq_mhz(struct drv_dev *dev)
{
	(void)dev;
	return 1234;
}

void drv_set_log_level(struct drv_dev *dev, u32 level)
{
	dev->log_level = level;
}

int drv_set_fw_log_level(struct drv_dev *dev, u32 level)
{
	if (!dev->fw_level_error)
		dev->fw_level = level;
	return dev->fw_level_error;
}

u32 drv_fw_log_read(struct drv_dev *dev, struct drv_fw_log_reader *reader,
		    void (*line)(void *opaque, const char *text), void *opaque)
{
	if (!dev->log || reader->log != DRV_FW_LOG_VERBOSE)
		return 0;
	line(opaque, dev->log);
	dev->log = NULL;
	return 1;
}

void drv_trace_dump(const struct drv_dev *dev, u32 max,
		    void (*line)(void *opaque, const char *text), void *opaque)
{
	(void)dev, (void)max;
	line(opaque, "a record");
}

void drv_dump(struct drv_dev *dev, void (*line)(void *opaque, const char *text), void *opaque)
{
	(void)dev;
	line(opaque, "== device");
	line(opaque, "fake");
}

int drv_counters(struct drv_dev *dev, const struct drv_counters **out)
{
	static const struct drv_counters counters = {
		.nr_groups = 2,
		.groups = { { .id = 1, .size = 8, .name = "A" },
			    { .id = 4, .size = 16, .name = "B" } },
		.nr_counters = 3,
		.counters = { { .group = 0,
				.size = 8,
				.value_type = 1,
				.name = "one",
				.units = "u" },
			      { .group = 1, .size = 4, .value_type = 2, .name = "two" },
			      { .group = 1, .off = 8, .size = 2, .name = "three" } },
	};

	if (!dev->counters_error)
		*out = &counters;
	return dev->counters_error;
}

int drv_metric_create(struct drv_dev *dev, const struct drv_metric_cfg *cfg,
		      struct drv_metric **out)
{
	dev->metric = *cfg;
	dev->nr_metrics++;
	*out = (struct drv_metric *)dev;
	return 0;
}

void drv_metric_destroy(struct drv_metric *m)
{
	((struct drv_dev *)m)->nr_metrics--;
}

int drv_ctx_create(struct drv_dev *dev, struct drv_ctx **out)
{
	if (dev->max_ctxs && dev->nr_ctxs >= dev->max_ctxs)
		return -EBUSY;
	*out = base_zalloc(sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->dev = dev;
	dev->nr_ctxs++;
	return 0;
}

void drv_ctx_destroy(struct drv_ctx *ctx)
{
	ctx->dev->nr_ctxs--;
	base_free(ctx);
}

u32 drv_ctx_ssid(const struct drv_ctx *ctx)
{
	(void)ctx;
	return 2;
}

void drv_ctx_cancel(struct drv_ctx *ctx)
{
	ctx->dev->nr_cancelled++;
}

int drv_bo_create(struct drv_ctx *ctx, u64 size, u64 align, u32 flags, struct drv_bo **out)
{
	struct drv_bo *bo;

	(void)align;
	if (ctx->dev->bo_error)
		return ctx->dev->bo_error;
	bo = base_zalloc(sizeof(*bo));
	if (!bo)
		return -ENOMEM;
	bo->size = base_align_up(size, BASE_PAGE_SIZE);
	bo->cpu = base_zalloc(bo->size);
	if (!bo->cpu) {
		base_free(bo);
		return -ENOMEM;
	}
	bo->ctx = ctx;
	bo->fd = flags & DRV_BO_LENT ? 1000 + (int)ctx->dev->nr_bos : -1;
	bo->addr = FAKE_BASE + ctx->dev->next_va;
	ctx->dev->next_va += bo->size; /* buffers adjoin */
	bo->next = ctx->bos;
	ctx->bos = bo;
	ctx->dev->nr_bos++;
	*out = bo;
	return 0;
}

int drv_bo_import(struct drv_ctx *ctx, int fd, u64 size, u64 align, u32 flags, struct drv_bo **out)
{
	int ret = drv_bo_create(ctx, size, align, flags, out);

	if (!ret)
		(*out)->fd = fd;
	return ret;
}

void drv_bo_destroy(struct drv_bo *bo)
{
	struct drv_bo **at = &bo->ctx->bos;

	while (*at != bo)
		at = &(*at)->next;
	*at = bo->next;
	bo->ctx->dev->nr_bos--;
	base_free(bo->cpu);
	base_free(bo);
}

void *drv_bo_cpu(const struct drv_bo *bo)
{
	return bo->cpu;
}

int drv_bo_fd(const struct drv_bo *bo)
{
	return bo->fd;
}

u64 drv_bo_addr(const struct drv_bo *bo)
{
	return bo->addr;
}

u64 drv_bo_size(const struct drv_bo *bo)
{
	return bo->size;
}

static bool fake_covers(const struct drv_ctx *ctx, u64 page)
{
	for (const struct drv_bo *bo = ctx->bos; bo; bo = bo->next)
		if (page >= bo->addr && page - bo->addr < bo->size)
			return true;
	return false;
}

bool drv_ctx_range_ok(const struct drv_ctx *ctx, u64 addr, u64 size)
{
	u64 end;

	if (!base_add_u64(addr, size, &end))
		return false;
	for (u64 page = addr & ~(BASE_PAGE_SIZE - 1); page < end; page += BASE_PAGE_SIZE)
		if (!fake_covers(ctx, page))
			return false;
	return true;
}

int drv_queue_create(struct drv_ctx *ctx, u32 priority, struct drv_queue **out)
{
	struct drv_queue *queue = base_zalloc(sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	queue->ctx = ctx;
	queue->priority = priority;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(ctx->dev->queues); i++) {
		if (!ctx->dev->queues[i]) {
			ctx->dev->queues[i] = queue;
			ctx->dev->nr_queues++;
			*out = queue;
			return 0;
		}
	}
	base_free(queue);
	return -EBUSY;
}

void drv_queue_destroy(struct drv_queue *queue)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(queue->ctx->dev->queues); i++)
		if (queue->ctx->dev->queues[i] == queue)
			queue->ctx->dev->queues[i] = NULL;
	queue->ctx->dev->nr_queues--;
	base_free(queue);
}

int drv_queue_submit(struct drv_queue *queue, const struct abi_job *jobs, u32 nr)
{
	u32 left = DRV_QUEUE_DEPTH - queue->pending;
	u32 take = nr < left ? nr : left;

	if (queue->ctx->dev->state != DRV_READY)
		return -ENODEV;
	if (!take)
		return -EAGAIN;
	for (u32 i = 0; i < take; i++)
		queue->cookies[queue->last++ % BASE_ARRAY_SIZE(queue->cookies)] = jobs[i].cookie;
	queue->last_cmd = jobs[take - 1].cmd_addr;
	queue->pending += take;
	FAKE_DOORBELL(queue->ctx->dev, take);
	return (int)take;
}

u32 drv_queue_reap(struct drv_queue *queue, struct abi_completion *out, u32 max)
{
	u32 nr = queue->done < max ? queue->done : max;

	for (u32 i = 0; i < nr; i++) {
		u64 slot = queue->first++ % BASE_ARRAY_SIZE(queue->cookies);

		out[i] = (struct abi_completion){ .cookie = queue->cookies[slot],
						  .status = queue->ctx->dev->status,
						  .start_ns = queue->ctx->dev->now_ns -
							      queue->ctx->dev->job_ns,
						  .end_ns = queue->ctx->dev->now_ns };
	}
	queue->done -= nr;
	return nr;
}

u32 drv_queue_pending(const struct drv_queue *queue)
{
	return queue->pending;
}

int drv_window(const struct drv_dev *dev, u32 bar, struct os_bar *out)
{
	if (bar)
		return -ENODEV;
	*out = (struct os_bar){ .addr = dev->bar_addr, .size = sizeof(dev->regs) };
	return 0;
}

bool drv_window_writable(const struct drv_dev *dev)
{
	return dev->writable;
}

int drv_window_ready(struct drv_dev *dev)
{
	return dev->window_state;
}

u64 drv_window_read(struct drv_dev *dev, u32 bar, u32 off, u32 size)
{
	u64 val = 0;

	(void)bar;
	dev->access_bytes = size;
	memcpy(&val, dev->regs + off, size);
	return val;
}

void drv_window_write(struct drv_dev *dev, u32 bar, u32 off, u32 size, u64 val)
{
	(void)bar;
	dev->access_bytes = size;
	memcpy(dev->regs + off, &val, size);
}

int drv_dma_alloc(struct drv_dev *dev, u64 size, u64 align, struct os_dma *out)
{
	static const struct os_dma_seg seg = { .addr = FAKE_BASE, .len = 0 };

	dev->dma_align = align;
	if (dev->dma_error)
		return dev->dma_error;
	*out = (struct os_dma){ .cpu = base_zalloc(size), .size = size, .segs = &seg, .fd = 77 };
	if (!out->cpu)
		return -ENOMEM;
	dev->nr_dmas++;
	return 0;
}

void drv_dma_free(struct drv_dev *dev, struct os_dma *dma)
{
	base_free(dma->cpu);
	dev->nr_dmas--;
}

#endif
