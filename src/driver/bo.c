// SPDX-License-Identifier: MIT
/*
 * Buffers: memory of the seam, mapped in one context.  SRC: P 9.
 * How it is mapped is the generation's: behind the MMU, here, or not at all (gen/).
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "driver/dev.h"

#define BIG_ALIGN 0x10000u /* tried first from this size on; SRC: P 9.3 */

static int take_va(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo *bo)
{
	int ret;

	if (spec->fixed_va) {
		bo->va = spec->fixed_va;
		return drv_va_alloc_at(&ctx->va, bo->va, bo->size, bo);
	}
	if (bo->size >= BIG_ALIGN && spec->align < BIG_ALIGN) {
		ret = drv_va_alloc(&ctx->va, spec->range->start, spec->range->end, bo->size,
				   BIG_ALIGN, bo, &bo->va);
		if (ret != -ENOSPC)
			return ret;
	}
	return drv_va_alloc(&ctx->va, spec->range->start, spec->range->end, bo->size, spec->align,
			    bo, &bo->va);
}

/* Up to three pieces: before, in and behind the read-only part. */
static int map(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo *bo)
{
	const u64 cuts[] = { 0, base_min(spec->ro_start, bo->size),
			     base_min(spec->ro_end, bo->size), bo->size };

	for (u32 i = 0; i < 3; i++) {
		u32 flags = spec->map | (i == 1 ? DRV_MAP_RO : 0);
		int ret;

		if (cuts[i] >= cuts[i + 1])
			continue;
		ret = drv_pt_map(ctx->dev, ctx->root, bo->va + cuts[i], &bo->dma, cuts[i],
				 cuts[i + 1] - cuts[i], flags);
		if (ret) {
			drv_pt_unmap(ctx->root, bo->va, cuts[i]);
			return ret;
		}
	}
	return 0;
}

int drv_bo_memory(struct drv_dev *dev, const struct drv_bo_spec *spec, u64 align, u32 how,
		  struct drv_bo *bo)
{
	if (!spec->import)
		return dev->ops->dma_alloc(dev->os, bo->size, align, spec->cache,
					   dev->gen->dma_bits, how, &bo->dma);
	if (!dev->ops->dma_import)
		return -EOPNOTSUPP;
	return dev->ops->dma_import(dev->os, spec->fd, bo->size, align, dev->gen->dma_bits,
				    &bo->dma);
}

int drv_mmu_bo_open(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo *bo)
{
	struct drv_dev *dev = ctx->dev;
	int ret = take_va(ctx, spec, bo);

	if (ret)
		return ret;
	/* CONTIGUOUS groups need the device address aligned as the NPU address is */
	ret = drv_bo_memory(dev, spec, bo->size >= BIG_ALIGN ? BIG_ALIGN : BASE_PAGE_SIZE,
			    spec->how, bo);
	if (ret)
		goto err_put_va;
	ret = map(ctx, spec, bo);
	if (ret)
		goto err_free_dma;
	drv_mmu_invalidate(dev, ctx->ssid);
	return 0;

err_free_dma:
	dev->ops->dma_free(dev->os, &bo->dma);
err_put_va:
	drv_va_free(&ctx->va, bo->va);
	return ret;
}

void drv_mmu_bo_close(struct drv_bo *bo)
{
	struct drv_ctx *ctx = bo->ctx;

	drv_pt_unmap(ctx->root, bo->va, bo->size);
	drv_va_free(&ctx->va, bo->va);
	drv_mmu_drop_bo(ctx->dev, ctx->ssid, bo);
}

int drv_bo_new(struct drv_ctx *ctx, const struct drv_bo_spec *spec, struct drv_bo **out)
{
	struct drv_bo *bo = base_zalloc(sizeof(*bo));
	int ret;

	if (!bo)
		return -ENOMEM;
	bo->ctx = ctx;
	bo->size = base_align_up(spec->size, BASE_PAGE_SIZE);
	ret = ctx->dev->info->ops->bo_open(ctx, spec, bo);
	if (ret) {
		base_free(bo);
		return ret;
	}
	drv_list_add(&ctx->bos, &bo->link);
	*out = bo;
	return 0;
}

static const struct reg_range *range_of(const struct reg_gen *gen, u32 flags)
{
	if (flags & DRV_BO_SHAVE)
		return &gen->va.shave;
	return flags & DRV_BO_DMA ? &gen->va.dma : &gen->va.user;
}

static int create(struct drv_ctx *ctx, struct drv_bo_spec *spec, u64 align, u32 flags,
		  struct drv_bo **out)
{
	const u32 all = DRV_BO_WC | DRV_BO_RO | DRV_BO_SHAVE | DRV_BO_DMA | DRV_BO_LENT;

	if (!spec->size || (align && !base_is_pow2(align)) || flags & ~all)
		return -EINVAL;
	spec->align = base_max(align, BASE_PAGE_SIZE);
	spec->range = range_of(ctx->dev->gen, flags);
	spec->cache = flags & DRV_BO_WC ? OS_CACHE_WC : OS_CACHE_WB;
	spec->how = flags & DRV_BO_LENT ? OS_DMA_SHARED : 0;
	spec->map = flags & DRV_BO_WC ? 0 : DRV_MAP_SNOOP;
	if (spec->size > spec->range->end - spec->range->start)
		return -ENOSPC;
	if (flags & DRV_BO_RO)
		spec->map |= DRV_MAP_RO;
	return drv_bo_new(ctx, spec, out);
}

int drv_bo_create(struct drv_ctx *ctx, u64 size, u64 align, u32 flags, struct drv_bo **out)
{
	struct drv_bo_spec spec = { .size = size };

	return create(ctx, &spec, align, flags, out);
}

int drv_bo_import(struct drv_ctx *ctx, int fd, u64 size, u64 align, u32 flags, struct drv_bo **out)
{
	struct drv_bo_spec spec = { .size = size, .import = true, .fd = fd };

	return create(ctx, &spec, align, flags, out);
}

void drv_bo_release(struct drv_dev *dev, struct drv_bo *bo)
{
	dev->ops->dma_free(dev->os, &bo->dma);
	base_free(bo);
}

void drv_bo_destroy(struct drv_bo *bo)
{
	drv_list_del(&bo->link);
	bo->ctx->dev->info->ops->bo_close(bo);
}

void *drv_bo_cpu(const struct drv_bo *bo)
{
	return bo->dma.cpu;
}

int drv_bo_fd(const struct drv_bo *bo)
{
	return bo->dma.fd;
}

u64 drv_bo_addr(const struct drv_bo *bo)
{
	return bo->va;
}

u64 drv_bo_size(const struct drv_bo *bo)
{
	return bo->size;
}

/* Of the user's address space, and not the user's. */
static bool touches_preemption(const struct drv_ctx *ctx, u64 addr, u64 size)
{
	for (const struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next) {
		const struct drv_queue *queue = base_container_of(q, const struct drv_queue, link);

		for (u32 i = 0; i < BASE_ARRAY_SIZE(queue->preempt); i++) {
			const struct drv_bo *bo = queue->preempt[i];

			if (bo && addr < bo->va + bo->size && bo->va < addr + size)
				return true;
		}
	}
	return false;
}

bool drv_ctx_range_ok(const struct drv_ctx *ctx, u64 addr, u64 size)
{
	return drv_va_covered(&ctx->va, addr, size) &&
	       !(ctx->dev->hws && touches_preemption(ctx, addr, size));
}
