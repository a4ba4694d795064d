// SPDX-License-Identifier: MIT
/*
 * Memory of a context as the engine wants it: contiguous.  SRC: design section 6.
 *
 * Pages are walked once.  Where all host addresses adjoin, the view is the memory itself, its maps
 * pinned so that unmapping waits; else it is a private copy, gathered now and scattered at release.
 * The lock is dropped between batches of pages: a large view does not stop the firmware.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

#define MAX_MAPS    8u	  /* a view over more pieces is copied */
#define BATCH_PAGES 1024u /* walked at a time */
#define ALIGN	    64u	  /* kernels want it; P and design leave it to us */

struct view {
	u64 addr, len;
	u8 *copy; /* NULL: direct */
	u8 *ptr;
	u32 nr_maps;
	struct vnpu_map *maps[MAX_MAPS];
};

/* The IP was reset meanwhile, or the job is gone: its context may be another's by now. */
static bool stale(const struct vnpu_view_ctx *ctx)
{
	return ctx->epoch != ctx->v->compute.epoch || ctx->v->compute.orphan;
}

static bool add_map(struct view *w, struct vnpu_map *map)
{
	if (w->nr_maps && w->maps[w->nr_maps - 1] == map)
		return true;
	if (w->nr_maps == MAX_MAPS)
		return false;
	vnpu_dma_pin(map);
	w->maps[w->nr_maps++] = map;
	return true;
}

static void unpin(struct vnpu *v, struct view *w)
{
	while (w->nr_maps)
		vnpu_dma_unpin(v, w->maps[--w->nr_maps]);
}

/* One batch of pages from @off on; *off moves, *direct falls when the memory is in pieces. */
static int walk_batch(const struct vnpu_view_ctx *ctx, struct view *w, bool write, u64 *off,
		      bool *direct)
{
	for (u32 i = 0; i < BATCH_PAGES && *off < w->len; i++) {
		u64 va = w->addr + *off;
		struct vnpu_map *map = NULL;
		u8 *p = vnpu_mem_map_at(ctx->v, ctx->ssid, va, write, &map);

		if (!p)
			return -EFAULT;
		if (!map->host)
			*direct = false;
		if (!*off)
			w->ptr = p;
		if (*direct && (p != w->ptr + *off || !add_map(w, map)))
			*direct = false;
		*off += BASE_PAGE_SIZE - va % BASE_PAGE_SIZE;
	}
	return 0;
}

static int walk(const struct vnpu_view_ctx *ctx, struct view *w, bool write, bool *direct)
{
	u64 off = 0;
	int ret = 0;

	while (!ret && off < w->len) {
		vnpu_lock(&ctx->v->lock);
		ret = stale(ctx) ? -EFAULT : walk_batch(ctx, w, write, &off, direct);
		vnpu_settle(ctx->v);
		vnpu_unlock(&ctx->v->lock);
	}
	return ret;
}

static int transfer(const struct vnpu_view_ctx *ctx, const struct view *w, bool out)
{
	int ret = 0;
	u32 n;

	for (u64 off = 0; !ret && off < w->len; off += n) {
		n = (u32)base_min(w->len - off, BATCH_PAGES / 16 * BASE_PAGE_SIZE);
		vnpu_lock(&ctx->v->lock);
		if (stale(ctx))
			ret = -EFAULT;
		else if (out)
			ret = vnpu_mem_write(ctx->v, ctx->ssid, w->addr + off, w->ptr + off, n);
		else
			ret = vnpu_mem_read(ctx->v, ctx->ssid, w->addr + off, w->ptr + off, n);
		vnpu_settle(ctx->v);
		vnpu_unlock(&ctx->v->lock);
	}
	return ret;
}

/* No more than the guest has mapped: tables that name one page many times do not cost memory. */
static int gather(const struct vnpu_view_ctx *ctx, struct view *w)
{
	u64 total;

	vnpu_lock(&ctx->v->lock);
	unpin(ctx->v, w);
	total = ctx->v->dma.total;
	vnpu_unlock(&ctx->v->lock);
	if (w->len > total)
		return -ENOMEM;
	w->copy = base_zalloc(w->len + ALIGN);
	if (!w->copy)
		return -ENOMEM;
	w->ptr = w->copy + ((w->addr - (uintptr_t)w->copy) & (ALIGN - 1));
	return transfer(ctx, w, false);
}

int vnpu_view(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token)
{
	const struct vnpu_view_ctx *ctx = opaque;
	struct view *w;
	bool direct = true;
	u64 end;
	int ret;

	if (!base_add_u64(addr, len, &end))
		return -EFAULT;
	w = base_zalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->addr = addr;
	w->len = len;
	w->ptr = (u8 *)w; /* of an empty view; never read */
	ret = walk(ctx, w, write, &direct);
	if (!ret && (!direct || (((uintptr_t)w->ptr ^ addr) & (ALIGN - 1) && len)))
		ret = gather(ctx, w);
	if (ret) {
		vnpu_view_release(opaque, w, false);
		return ret;
	}
	*ptr = w->ptr;
	*token = w;
	return 0;
}

void vnpu_view_release(void *opaque, void *token, bool written)
{
	const struct vnpu_view_ctx *ctx = opaque;
	struct view *w = token;

	/* a page that went away meanwhile faults as a write of the device would */
	if (w->copy && written)
		(void)transfer(ctx, w, true);
	vnpu_lock(&ctx->v->lock);
	unpin(ctx->v, w);
	vnpu_unlock(&ctx->v->lock);
	base_free(w->copy);
	base_free(w);
}
