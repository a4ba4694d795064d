// SPDX-License-Identifier: MIT
/*
 * Bus memory: what the embedder mapped, as a sorted table with the last hit remembered.
 *
 * A map that is unmapped leaves the table at once and is freed when the last pin is gone.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

/* Index of the first map that ends behind @addr. */
static u32 lower_bound(const struct vnpu_dma *d, u64 addr)
{
	u32 lo = 0, hi = d->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (d->maps[mid]->addr + (d->maps[mid]->len - 1) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct vnpu_map *find(struct vnpu_dma *d, u64 addr)
{
	u32 i;

	if (d->last && addr - d->last->addr < d->last->len)
		return d->last;
	i = lower_bound(d, addr);
	if (i == d->nr || addr < d->maps[i]->addr)
		return NULL;
	d->last = d->maps[i];
	return d->last;
}

u8 *vnpu_dma_at(struct vnpu *v, u64 addr, u64 len, bool write, struct vnpu_map **map)
{
	struct vnpu_map *m;

	if (BASE_UNLIKELY(!v->dma.master)) {
		vnpu_report(v, VNPU_GUEST_ERROR, "DMA",
			    "access to 0x%llx: the function is not bus master",
			    (unsigned long long)addr);
		return NULL;
	}
	m = find(&v->dma, addr);
	if (!m || !base_range_ok(addr - m->addr, len, m->len) || (write && !m->writable))
		return NULL;
	if (map)
		*map = m;
	if (BASE_UNLIKELY(!m->host))
		return vnpu_remote_at(v, m, addr, (u32)len, write);
	return m->host + (addr - m->addr);
}

int vnpu_dma_load(struct vnpu *v, u64 addr, u64 *out)
{
	struct vnpu_map *m;
	const u8 *p;

	m = v->dma.master ? find(&v->dma, addr) : NULL;
	if (BASE_UNLIKELY(m && !m->host)) /* tables: no need of a whole page each */
		return base_range_ok(addr - m->addr, sizeof(*out), m->len)
			       ? vnpu_remote_read(m, addr, out, sizeof(*out))
			       : -EFAULT;
	p = vnpu_dma_at(v, addr, sizeof(*out), false, NULL);
	if (!p)
		return -EFAULT;
	*out = __atomic_load_n((const u64 *)(const void *)p, __ATOMIC_RELAXED);
	return 0;
}

void vnpu_dma_pin(struct vnpu_map *map)
{
	map->pins++;
}

void vnpu_dma_unpin(struct vnpu *v, struct vnpu_map *map)
{
	if (--map->pins)
		return;
	atomic_fetch_add(&v->dma.unpinned, 1);
	vnpu_futex_wake(&v->dma.unpinned, INT32_MAX);
}

static int grow(struct vnpu_dma *d)
{
	u32 cap = d->cap ? 2 * d->cap : 64;
	struct vnpu_map **maps;

	if (d->nr < d->cap)
		return 0;
	maps = base_realloc_array(d->maps, cap, sizeof(struct vnpu_map *));
	if (!maps)
		return -ENOMEM;
	d->maps = maps;
	d->cap = cap;
	return 0;
}

static int insert(struct vnpu_dma *d, struct vnpu_map *map)
{
	u32 i = lower_bound(d, map->addr);

	if (i < d->nr && d->maps[i]->addr <= map->addr + (map->len - 1))
		return -EEXIST;
	if (grow(d))
		return -ENOMEM;
	memmove(&d->maps[i + 1], &d->maps[i], (d->nr - i) * sizeof(struct vnpu_map *));
	d->maps[i] = map;
	d->nr++;
	d->total += map->len;
	return 0;
}

static int add_map(struct vnpu *v, const struct vnpu_map *spec)
{
	struct vnpu_map *map;
	u64 last;
	int ret;

	if (!spec->len || (spec->addr | spec->len) % BASE_PAGE_SIZE ||
	    !base_add_u64(spec->addr, spec->len - 1, &last))
		return -EINVAL;
	map = base_zalloc(sizeof(*map));
	if (!map)
		return -ENOMEM;
	*map = *spec;
	vnpu_lock(&v->lock);
	ret = insert(&v->dma, map);
	if (!ret && !map->host) {
		v->watched++;
		vnpu_level_update(v);
	}
	vnpu_unlock(&v->lock);
	if (ret)
		base_free(map);
	return ret;
}

int vnpu_dma_map(struct vnpu *v, uint64_t addr, uint64_t len, void *host, bool writable)
{
	const struct vnpu_map map = {
		.addr = addr, .len = len, .host = host, .writable = writable
	};

	return host ? add_map(v, &map) : -EINVAL;
}

int vnpu_dma_map_remote(struct vnpu *v, uint64_t addr, uint64_t len,
			const struct vnpu_remote *remote, bool writable)
{
	const struct vnpu_map map = {
		.addr = addr, .len = len, .remote = *remote, .writable = writable
	};

	return add_map(v, &map);
}

static struct vnpu_map *take(struct vnpu_dma *d, u64 addr, u64 len)
{
	u32 i = lower_bound(d, addr);
	struct vnpu_map *map;

	if (i == d->nr || d->maps[i]->addr != addr || d->maps[i]->len != len)
		return NULL;
	map = d->maps[i];
	d->nr--;
	memmove(&d->maps[i], &d->maps[i + 1], (d->nr - i) * sizeof(struct vnpu_map *));
	d->total -= map->len;
	d->last = NULL;
	return map;
}

int vnpu_dma_unmap(struct vnpu *v, uint64_t addr, uint64_t len)
{
	struct vnpu_map *map;

	vnpu_lock(&v->lock);
	map = take(&v->dma, addr, len);
	if (!map) {
		vnpu_unlock(&v->lock);
		return -ENOENT;
	}
	vnpu_mmu_flush(v); /* cached translations are host pointers */
	vnpu_settle(v);
	if (!map->host && !--v->watched)
		vnpu_level_update(v);
	while (map->pins) {
		u32 seen = atomic_load(&v->dma.unpinned);

		vnpu_unlock(&v->lock);
		vnpu_futex_wait(&v->dma.unpinned, seen, UINT64_MAX);
		vnpu_lock(&v->lock);
	}
	vnpu_unlock(&v->lock);
	base_free(map);
	return 0;
}

void vnpu_dma_fini(struct vnpu *v)
{
	for (u32 i = 0; i < v->dma.nr; i++)
		base_free(v->dma.maps[i]);
	base_free(v->dma.maps);
	vnpu_remote_fini(v);
}
