// SPDX-License-Identifier: MIT
/*
 * Page tables of one address space: 4 levels, 4 KiB pages, no blocks.  SRC: P 8.5.
 *
 * Tables appear as needed and stay until the address space goes.  Written before the invalidation
 * that follows each change (mmu.c), which orders them against the device.
 */
#include <errno.h>
#include <stdlib.h>

#include "driver/dev.h"

#define LAST_LEVEL (ABI_MMU_PT_LEVELS - 1)

static struct drv_pt *pt_new(struct drv_dev *dev, u32 level)
{
	struct drv_pt *pt = base_zalloc(sizeof(*pt));

	if (!pt)
		return NULL;
	if (level < LAST_LEVEL) {
		pt->next = base_alloc_array(ABI_MMU_PT_ENTRIES, sizeof(struct drv_pt *));
		if (!pt->next)
			goto err_free;
	}
	if (dev->ops->dma_alloc(dev->os, BASE_PAGE_SIZE, BASE_PAGE_SIZE, OS_CACHE_WC,
				dev->gen->dma_bits, true, &pt->dma))
		goto err_free_next;
	pt->entries = pt->dma.cpu;
	return pt;

err_free_next:
	base_free(pt->next);
err_free:
	base_free(pt);
	return NULL;
}

struct drv_pt *drv_pt_create(struct drv_dev *dev)
{
	return pt_new(dev, 0);
}

void drv_pt_destroy(struct drv_dev *dev, struct drv_pt *root)
{
	if (!root)
		return;
	for (u32 i = 0; root->next && i < ABI_MMU_PT_ENTRIES; i++)
		drv_pt_destroy(dev, root->next[i]);
	dev->ops->dma_free(dev->os, &root->dma);
	base_free(root->next);
	base_free(root);
}

/* In one store: the device walks its tables whenever it likes. */
static void set_entry(struct drv_pt *pt, u32 idx, u64 entry)
{
	__atomic_store_n(&pt->entries[idx], entry, __ATOMIC_RELAXED);
}

/* The last-level table of @va, or NULL. */
static struct drv_pt *leaf_of(const struct drv_pt *root, u64 va)
{
	const struct drv_pt *pt = root;

	for (u32 level = 0; level < LAST_LEVEL; level++) {
		pt = pt->next[ABI_MMU_PT_INDEX(va, level)];
		if (!pt)
			return NULL;
	}
	return (struct drv_pt *)pt;
}

/* The same, made if missing; NULL = no memory. */
static struct drv_pt *leaf_make(struct drv_dev *dev, struct drv_pt *root, u64 va)
{
	struct drv_pt *pt = root;

	for (u32 level = 0; level < LAST_LEVEL; level++) {
		u32 idx = ABI_MMU_PT_INDEX(va, level);

		if (!pt->next[idx]) {
			struct drv_pt *below = pt_new(dev, level + 1);

			if (!below)
				return NULL;
			pt->next[idx] = below;
			/* the table below is zero: no order between the two stores is needed */
			set_entry(pt, idx, below->dma.segs[0].addr | ABI_MMU_PTE_TABLE);
		}
		pt = pt->next[idx];
	}
	return pt;
}

static u64 pte_flags(u32 flags)
{
	u64 pte = flags & DRV_MAP_SNOOP ? ABI_MMU_PTE_CACHED : ABI_MMU_PTE_WC;

	return flags & DRV_MAP_RO ? pte | ABI_MMU_PTE_READ_ONLY : pte;
}

/* A piece that is contiguous for the device. */
static int map_run(struct drv_dev *dev, struct drv_pt *root, u64 va, u64 addr, u64 len, u64 flags)
{
	const u64 mask = ABI_MMU_CONT_SIZE - 1;
	u64 cont = 0;

	for (; len; va += BASE_PAGE_SIZE, addr += BASE_PAGE_SIZE, len -= BASE_PAGE_SIZE) {
		struct drv_pt *leaf;

		if (!(va & mask))
			cont = !(addr & mask) && len >= ABI_MMU_CONT_SIZE ? ABI_MMU_PTE_CONTIGUOUS
									  : 0;
		leaf = leaf_make(dev, root, va);
		if (!leaf)
			return -ENOMEM;
		set_entry(leaf, ABI_MMU_PT_INDEX(va, LAST_LEVEL), addr | flags | cont);
	}
	return 0;
}

int drv_pt_map(struct drv_dev *dev, struct drv_pt *root, u64 va, const struct os_dma *dma, u64 off,
	       u64 len, u32 flags)
{
	const u64 start = va;
	u64 pte = pte_flags(flags);

	for (u32 i = 0; i < dma->nr_segs && len; i++) {
		const struct os_dma_seg *seg = &dma->segs[i];
		u64 run;
		int ret;

		if (off >= seg->len) {
			off -= seg->len;
			continue;
		}
		run = base_min(seg->len - off, len);
		ret = map_run(dev, root, va, seg->addr + off, run, pte);
		if (ret) {
			drv_pt_unmap(root, start, va + run - start);
			return ret;
		}
		va += run;
		len -= run;
		off = 0;
	}
	return len ? -EINVAL : 0;
}

void drv_pt_unmap(struct drv_pt *root, u64 va, u64 len)
{
	for (; len; va += BASE_PAGE_SIZE, len -= BASE_PAGE_SIZE) {
		struct drv_pt *leaf = leaf_of(root, va);

		if (leaf)
			set_entry(leaf, ABI_MMU_PT_INDEX(va, LAST_LEVEL), ABI_MMU_PTE_DUMMY);
	}
}

u64 drv_pt_lookup(const struct drv_pt *root, u64 va)
{
	const struct drv_pt *leaf = leaf_of(root, va);

	return leaf ? leaf->entries[ABI_MMU_PT_INDEX(va, LAST_LEVEL)] : 0;
}
