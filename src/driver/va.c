// SPDX-License-Identifier: MIT
/*
 * Address range allocator.  Ranges are few hundred at most, so one sorted array beats a tree: look-up
 * is a binary search, which is on the path of each submitted job (drv_ctx_range_ok()).
 */
#include "driver/va.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void drv_va_fini(struct drv_va *va)
{
	base_free(va->segs);
	*va = (struct drv_va){ 0 };
}

/* Index of the first range that starts behind @addr. */
static u32 upper_bound(const struct drv_va *va, u64 addr)
{
	u32 lo = 0, hi = va->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (va->segs[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static u64 seg_end(const struct drv_va_seg *seg)
{
	return seg->start + seg->size;
}

static int grow(struct drv_va *va)
{
	u32 cap = va->cap ? va->cap * 2 : 8;
	struct drv_va_seg *segs;

	if (va->nr < va->cap)
		return 0;
	segs = base_realloc_array(va->segs, cap, sizeof(*segs));
	if (!segs)
		return -ENOMEM;
	va->segs = segs;
	va->cap = cap;
	return 0;
}

static void insert(struct drv_va *va, u32 idx, u64 start, u64 size, void *owner)
{
	memmove(&va->segs[idx + 1], &va->segs[idx], (va->nr - idx) * sizeof(*va->segs));
	va->segs[idx] = (struct drv_va_seg){ .start = start, .size = size, .owner = owner };
	va->nr++;
}

/* Where @size at @align fits into the gap [lo, hi), or false. */
static bool fit(u64 lo, u64 hi, u64 size, u64 align, u64 *out)
{
	u64 at;

	if (!base_add_u64(lo, align - 1, &at))
		return false;
	at &= ~(align - 1);
	if (at > hi || size > hi - at)
		return false;
	*out = at;
	return true;
}

int drv_va_alloc(struct drv_va *va, u64 start, u64 end, u64 size, u64 align, void *owner, u64 *out)
{
	u64 best_at = 0, best_gap = UINT64_MAX;
	u32 idx = upper_bound(va, start), best_idx = 0;
	u64 lo = start;
	int ret;

	if (!size || !base_is_pow2(align))
		return -EINVAL;
	if (idx && seg_end(&va->segs[idx - 1]) > lo)
		lo = seg_end(&va->segs[idx - 1]);
	for (;; idx++) {
		bool last = idx == va->nr || va->segs[idx].start >= end;
		u64 hi = last ? end : va->segs[idx].start;
		u64 at;

		if (lo < hi && hi - lo < best_gap && fit(lo, hi, size, align, &at)) {
			best_at = at;
			best_gap = hi - lo;
			best_idx = idx;
		}
		if (last)
			break;
		lo = seg_end(&va->segs[idx]);
	}
	if (best_gap == UINT64_MAX)
		return -ENOSPC;
	ret = grow(va);
	if (ret)
		return ret;
	insert(va, best_idx, best_at, size, owner);
	*out = best_at;
	return 0;
}

int drv_va_alloc_at(struct drv_va *va, u64 addr, u64 size, void *owner)
{
	u32 idx = upper_bound(va, addr);
	u64 end;
	int ret;

	if (!size || !base_add_u64(addr, size, &end))
		return -EINVAL;
	if (idx && seg_end(&va->segs[idx - 1]) > addr)
		return -EEXIST;
	if (idx < va->nr && va->segs[idx].start < end)
		return -EEXIST;
	ret = grow(va);
	if (ret)
		return ret;
	insert(va, idx, addr, size, owner);
	return 0;
}

void drv_va_free(struct drv_va *va, u64 addr)
{
	u32 idx = upper_bound(va, addr);

	assert(idx && va->segs[idx - 1].start == addr);
	memmove(&va->segs[idx - 1], &va->segs[idx], (va->nr - idx) * sizeof(*va->segs));
	va->nr--;
}

const struct drv_va_seg *drv_va_find(const struct drv_va *va, u64 addr)
{
	u32 idx = upper_bound(va, addr);

	if (!idx || addr - va->segs[idx - 1].start >= va->segs[idx - 1].size)
		return NULL;
	return &va->segs[idx - 1];
}

bool drv_va_covered(const struct drv_va *va, u64 addr, u64 size)
{
	u32 idx = upper_bound(va, addr);
	u64 end;

	if (!idx || !base_add_u64(addr, size, &end))
		return false;
	for (u64 at = addr;; idx++) {
		const struct drv_va_seg *seg = &va->segs[idx - 1];

		if (seg->start > at || at >= seg_end(seg))
			return false;
		if (seg_end(seg) >= end)
			return true;
		at = seg_end(seg);
		if (idx == va->nr)
			return false;
	}
}
