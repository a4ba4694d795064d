/* SPDX-License-Identifier: MIT */
/* Address range allocator: used ranges in one ascending array, best fit over the gaps. */
#ifndef DRIVER_VA_H
#define DRIVER_VA_H

#include "base/base.h"

struct drv_va_seg {
	u64 start;
	u64 size;
	void *owner; /* the caller's, NULL is allowed */
};

struct drv_va {
	struct drv_va_seg *segs;
	u32 nr, cap;
};

/** drv_va_fini() - free the array; ranges need not be released before. */
void drv_va_fini(struct drv_va *va);

/**
 * drv_va_alloc() - smallest gap of [start, end) that takes @size at @align (a power of two)
 * Return: 0, -ENOSPC, -ENOMEM.
 */
int drv_va_alloc(struct drv_va *va, u64 start, u64 end, u64 size, u64 align, void *owner,
		 u64 *out) BASE_WARN_UNUSED;
/** drv_va_alloc_at() - exactly [addr, addr + size); -EEXIST when part of it is taken, -EINVAL. */
int drv_va_alloc_at(struct drv_va *va, u64 addr, u64 size, void *owner) BASE_WARN_UNUSED;
/** drv_va_free() - the range that starts at @addr, which must be one. */
void drv_va_free(struct drv_va *va, u64 addr);
/** drv_va_find() - the range @addr lies in, or NULL; valid until the next change. */
const struct drv_va_seg *drv_va_find(const struct drv_va *va, u64 addr);
/** drv_va_covered() - is each byte of [addr, addr + size) in some range? */
bool drv_va_covered(const struct drv_va *va, u64 addr, u64 size);

#endif
