// SPDX-License-Identifier: MIT
/*
 * Memory as the device reaches it: bus addresses through the embedder's DMA map, NPU addresses
 * through the MMU.  Nothing else in the model touches guest memory.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

void vnpu_dma_init(struct vnpu *m)
{
	pthread_cond_init(&m->dma.unpinned, NULL);
}

void vnpu_dma_fini(struct vnpu *m)
{
	for (u32 i = 0; i < m->dma.nr; i++)
		base_free(m->dma.regions[i]);
	base_free(m->dma.regions);
	pthread_cond_destroy(&m->dma.unpinned);
}

/* Index of the first region that ends above @addr. */
static u32 find_region(const struct vnpu_dma *dma, u64 addr)
{
	u32 lo = 0, hi = dma->nr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (dma->regions[mid]->addr + dma->regions[mid]->len - 1 < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int insert_region(struct vnpu_dma *dma, u32 at, u64 addr, u64 len, void *host, bool writable)
{
	struct vnpu_dma_region *r = base_zalloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	if (dma->nr == dma->max) {
		u32 max = dma->max ? 2 * dma->max : 64;
		void *grown = base_realloc_array(dma->regions, max, sizeof(*dma->regions));

		if (!grown) {
			base_free(r);
			return -ENOMEM;
		}
		dma->regions = grown;
		dma->max = max;
	}
	*r = (struct vnpu_dma_region){ .addr = addr, .len = len, .host = host, .writable = writable };
	memmove(&dma->regions[at + 1], &dma->regions[at], (dma->nr - at) * sizeof(*dma->regions));
	dma->regions[at] = r;
	dma->nr++;
	return 0;
}

int vnpu_dma_map(struct vnpu *m, uint64_t addr, uint64_t len, void *host, bool writable)
{
	u64 end;
	int ret;
	u32 at;

	if (!len || (addr | len) % BASE_PAGE_SIZE || !base_add_u64(addr, len - 1, &end) || !host)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	at = find_region(&m->dma, addr);
	if (at < m->dma.nr && m->dma.regions[at]->addr <= end)
		ret = -EEXIST;
	else
		ret = insert_region(&m->dma, at, addr, len, host, writable);
	pthread_mutex_unlock(&m->lock);
	return ret;
}

int vnpu_dma_unmap(struct vnpu *m, uint64_t addr, uint64_t len)
{
	struct vnpu_dma *dma = &m->dma;
	struct vnpu_dma_region *r;
	u32 at;

	pthread_mutex_lock(&m->lock);
	at = find_region(dma, addr);
	r = at < dma->nr ? dma->regions[at] : NULL;
	if (!r || r->addr != addr || r->len != len) {
		pthread_mutex_unlock(&m->lock);
		return -ENOENT;
	}
	memmove(&dma->regions[at], &dma->regions[at + 1], (dma->nr - at - 1) * sizeof(*dma->regions));
	dma->nr--;
	dma->last = NULL;
	vnpu_mmu_flush(m); /* cached translations hold pointers into it */
	while (r->pins)
		pthread_cond_wait(&dma->unpinned, &m->lock);
	pthread_mutex_unlock(&m->lock);
	base_free(r);
	return 0;
}

u8 *vnpu_dma_at(struct vnpu *m, u64 addr, u64 len, bool write, struct vnpu_dma_region **region)
{
	struct vnpu_dma *dma = &m->dma;
	struct vnpu_dma_region *r = dma->last;

	if (!vnpu_pci_is_master(m)) {
		vnpu_report(m, VNPU_GUEST_ERROR, "DMA", "bus mastering is off: access to 0x%llx fails",
			    (unsigned long long)addr);
		return NULL;
	}
	if (!r || addr < r->addr || !base_range_ok(addr - r->addr, len, r->len)) {
		u32 at = find_region(dma, addr);

		r = at < dma->nr ? dma->regions[at] : NULL;
		if (!r || addr < r->addr || !base_range_ok(addr - r->addr, len, r->len))
			return NULL;
		dma->last = r;
	}
	if (write && !r->writable)
		return NULL;
	if (region)
		*region = r;
	return r->host + (addr - r->addr);
}

/* --- NPU addresses ------------------------------------------------------------------------- */

static u64 page_rest(u64 va, u64 len)
{
	return base_min(len, BASE_PAGE_SIZE - va % BASE_PAGE_SIZE);
}

void *vnpu_mem_ptr(struct vnpu *m, u32 ssid, u64 va, u64 len, bool write)
{
	u8 *page;

	if (va % BASE_PAGE_SIZE + len > BASE_PAGE_SIZE)
		return NULL;
	page = vnpu_mmu_page(m, ssid, va, write, NULL);
	return page ? page + va % BASE_PAGE_SIZE : NULL;
}

int vnpu_mem_read(struct vnpu *m, u32 ssid, u64 va, void *buf, u64 len)
{
	u8 *to = buf;

	while (len) {
		u64 n = page_rest(va, len);
		u8 *page = vnpu_mmu_page(m, ssid, va, false, NULL);

		if (!page)
			return -EFAULT;
		memcpy(to, page + va % BASE_PAGE_SIZE, n);
		to += n;
		va += n;
		len -= n;
	}
	return 0;
}

int vnpu_mem_write(struct vnpu *m, u32 ssid, u64 va, const void *buf, u64 len)
{
	const u8 *from = buf;

	while (len) {
		u64 n = page_rest(va, len);
		u8 *page = vnpu_mmu_page(m, ssid, va, true, NULL);

		if (!page)
			return -EFAULT;
		memcpy(page + va % BASE_PAGE_SIZE, from, n);
		from += n;
		va += n;
		len -= n;
	}
	return 0;
}

int vnpu_mem_copy(struct vnpu *m, u32 ssid, u64 dst, u64 src, u64 len)
{
	while (len) {
		u64 n = page_rest(dst, page_rest(src, len));
		u8 *from = vnpu_mmu_page(m, ssid, src, false, NULL);
		u8 *to = from ? vnpu_mmu_page(m, ssid, dst, true, NULL) : NULL;

		if (!to)
			return -EFAULT;
		memmove(to + dst % BASE_PAGE_SIZE, from + src % BASE_PAGE_SIZE, n);
		src += n;
		dst += n;
		len -= n;
	}
	return 0;
}

int vnpu_mem_fill(struct vnpu *m, u32 ssid, u64 dst, u64 len, u32 pattern)
{
	u32 phase = 0;

	while (len) {
		u64 n = page_rest(dst, len);
		u8 *page = vnpu_mmu_page(m, ssid, dst, true, NULL);

		if (!page)
			return -EFAULT;
		for (u64 i = 0; i < n; i++)
			page[dst % BASE_PAGE_SIZE + i] = (u8)(pattern >> (8 * (phase++ & 3)));
		dst += n;
		len -= n;
	}
	return 0;
}

/* --- views --------------------------------------------------------------------------------- */

/* One walk over all pages: do they lie one behind the other in one region? */
static int probe(struct vnpu *m, u32 ssid, u64 va, u64 len, bool write, u8 **first,
		 struct vnpu_dma_region **region)
{
	bool is_direct = true;
	u8 *expected = NULL;

	*region = NULL;
	for (u64 at = va; at < va + len;) {
		u64 n = page_rest(at, va + len - at);
		struct vnpu_dma_region *r;
		u8 *host = vnpu_mmu_page(m, ssid, at, write, &r);

		if (!host)
			return -EFAULT;
		host += at % BASE_PAGE_SIZE;
		if (at == va) {
			*first = host;
			*region = r;
		} else if (host != expected || r != *region) {
			is_direct = false;
		}
		expected = host + n;
		at += n;
	}
	if (!is_direct)
		*region = NULL;
	return 0;
}

int vnpu_view_get(struct vnpu *m, u32 ssid, u64 va, u64 len, bool write, struct vnpu_view *out)
{
	struct vnpu_dma_region *region;
	u8 *host = NULL;
	u64 end;
	int ret;

	if (!len || !base_add_u64(va, len, &end) || end >> ABI_MMU_VA_BITS)
		return -EFAULT;
	ret = probe(m, ssid, va, len, write, &host, &region);
	if (ret)
		return ret;
	*out = (struct vnpu_view){ .region = region, .ptr = host, .va = va, .len = len, .ssid = ssid };
	if (region) {
		region->pins++;
		return 0;
	}
	out->ptr = base_zalloc(len);
	if (!out->ptr)
		return -ENOMEM;
	ret = vnpu_mem_read(m, ssid, va, out->ptr, len);
	if (ret)
		base_free(out->ptr);
	return ret;
}

void vnpu_view_put(struct vnpu *m, struct vnpu_view *view, bool written)
{
	if (view->region) {
		if (!--view->region->pins)
			pthread_cond_broadcast(&m->dma.unpinned);
		return;
	}
	/* pages that went away meanwhile fault here, as they would for a late store */
	if (written && vnpu_mem_write(m, view->ssid, view->va, view->ptr, view->len))
		vnpu_report(m, VNPU_GUEST_ERROR, "MMU", "result at 0x%llx: the page is gone",
			    (unsigned long long)view->va);
	base_free(view->ptr);
}
