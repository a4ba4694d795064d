// SPDX-License-Identifier: MIT
#include "os/redox/dma.h"

#include <errno.h>

#include "os/redox/sys.h"

/* The pieces of one allocation; the last may be longer than what was asked for. */
struct pieces {
	u64 mapped; /* bytes from os_dma.cpu on */
	u32 nr, max;
	struct os_dma_seg seg[];
};

static int open_at(const char *path, size_t *out, struct base_err *err)
{
	s64 fd = rx_open(path, REDOX_O_RDWR);

	if (fd < 0)
		return base_err_set(
			err, (int)fd, "%s: cannot be opened: %s%s", path, base_err_name((int)fd),
			fd == -EACCES || fd == -EPERM ? "; npud has to run as root" : "");
	*out = (size_t)fd;
	return 0;
}

int rx_memory_open(struct rx_memory *mem, struct base_err *err)
{
	int ret;

	/* without the @ it is not found */
	ret = open_at("/scheme/memory/zeroed@wb?phys_contiguous", &mem->contiguous[OS_CACHE_WB],
		      err);
	if (ret)
		return ret;
	ret = open_at("/scheme/memory/zeroed@wc?phys_contiguous", &mem->contiguous[OS_CACHE_WC],
		      err);
	if (ret)
		goto err_wb;
	ret = open_at("/scheme/memory/translation", &mem->translation, err);
	if (ret)
		goto err_wc;
	return 0;

err_wc:
	redox_close_v1(mem->contiguous[OS_CACHE_WC]);
err_wb:
	redox_close_v1(mem->contiguous[OS_CACHE_WB]);
	return ret;
}

void rx_memory_close(struct rx_memory *mem)
{
	redox_close_v1(mem->translation);
	redox_close_v1(mem->contiguous[OS_CACHE_WC]);
	redox_close_v1(mem->contiguous[OS_CACHE_WB]);
}

static u64 pow2_up(u64 size)
{
	return base_is_pow2(size) ? size : UINT64_C(1) << (64 - __builtin_clzll(size));
}

static u64 pow2_down(u64 size)
{
	return UINT64_C(1) << (63 - __builtin_clzll(size));
}

/* One piece of contiguous memory at @at: where it is for the device. */
static int map_piece(const struct rx_memory *mem, u8 *at, u64 size, enum os_cache cache, u64 *addr)
{
	u64 val = (uintptr_t)at;
	void *cpu;
	s64 ret = rx_map(at, size, REDOX_PROT_READ | REDOX_PROT_WRITE,
			 REDOX_MAP_PRIVATE | REDOX_MAP_FIXED, mem->contiguous[cache], 0, &cpu);

	if (ret)
		return (int)ret;
	ret = redox_result(redox_sys_call_v0(mem->translation, (u8 *)&val, sizeof(val),
					     REDOX_CALL_READ, NULL, 0));
	if (ret < 0)
		return (int)ret;
	*addr = val;
	return 0;
}

/* How long the next piece may be: all of a contiguous one, else as much as a power of two takes. */
static u64 next_piece(u64 left, u64 align, bool first, u32 how)
{
	u64 size = how & OS_DMA_CONTIGUOUS ? pow2_up(left) : pow2_down(left);

	/* a piece begins at a multiple of its size */
	if (first)
		size = base_max(size, align);
	return how & OS_DMA_CONTIGUOUS ? size : base_min(size, RX_DMA_PIECE);
}

static bool reaches(u64 addr, u64 size, u32 addr_bits)
{
	return addr_bits >= 64 || !((addr + size - 1) >> addr_bits);
}

/* Pieces until @size bytes are there; memory in small pieces is memory, too. */
static int fill(const struct rx_memory *mem, u8 *cpu, u64 size, u64 align, enum os_cache cache,
		u32 addr_bits, u32 how, struct pieces *p)
{
	u64 limit = RX_DMA_PIECE;

	while (p->mapped < size) {
		struct os_dma_seg *seg = &p->seg[p->nr];
		u64 want = next_piece(size - p->mapped, align, !p->mapped, how);
		u64 len = base_min(want, limit);
		bool must_fit = how & OS_DMA_CONTIGUOUS || (!p->mapped && len <= align);
		int ret = len < want && must_fit
				  ? -ENOMEM
				  : map_piece(mem, cpu + p->mapped, len, cache, &seg->addr);

		if (ret == -ENOMEM && !must_fit && len > BASE_PAGE_SIZE) {
			limit = len / 2;
			continue;
		}
		if (ret)
			return ret;
		seg->len = len;
		p->mapped += len;
		if (p->nr + 1 >= p->max || !reaches(seg->addr, len, addr_bits))
			return -ENOMEM;
		p->nr++;
	}
	return 0;
}

/* The device sees no more than what was asked for; addresses that follow on become one segment. */
static void trim(struct pieces *p, u64 size)
{
	u32 nr = 0;

	p->seg[p->nr - 1].len -= p->mapped - size;
	for (u32 i = 1; i < p->nr; i++) {
		struct os_dma_seg *last = &p->seg[nr];

		if (last->addr + last->len == p->seg[i].addr)
			last->len += p->seg[i].len;
		else
			p->seg[++nr] = p->seg[i];
	}
	p->nr = nr + 1;
}

int rx_dma_alloc(struct rx_memory *mem, u64 size, u64 align, enum os_cache cache, u32 addr_bits,
		 u32 how, struct os_dma *out)
{
	u64 max = base_min(size / BASE_PAGE_SIZE, UINT64_C(65536)) + 1;
	struct pieces *p;
	void *cpu;
	u64 room; /* at least what the pieces come to */
	int ret;

	if (!size || size > UINT64_MAX >> 1) /* no power of two above it */
		return -ENOMEM;
	room = base_max(pow2_up(size), align);
	if (room > (how & OS_DMA_CONTIGUOUS ? RX_DMA_PIECE : UINT64_MAX >> 1) ||
	    align > RX_DMA_PIECE)
		return -ENOMEM;
	p = base_zalloc(sizeof(*p) + (max + 1) * sizeof(p->seg[0]));
	if (!p)
		return -ENOMEM;
	p->max = (u32)max + 1;
	/* addresses only, so that pieces can be put side by side */
	ret = rx_map(NULL, room, 0, REDOX_MAP_PRIVATE | REDOX_MAP_LAZY, REDOX_NO_FD, 0, &cpu);
	if (ret)
		goto err_free;
	ret = fill(mem, cpu, size, align, cache, addr_bits, how, p);
	if (ret)
		goto err_unmap;
	if (p->mapped < room)
		redox_munmap_v1((u8 *)cpu + p->mapped, room - p->mapped);
	*out = (struct os_dma){ .cpu = cpu, .size = size, .segs = p->seg, .fd = -1, .priv = p };
	trim(p, size);
	out->nr_segs = p->nr;
	return 0;

err_unmap:
	redox_munmap_v1(cpu, room);
err_free:
	base_free(p);
	return ret;
}

void rx_dma_free(struct os_dma *dma)
{
	struct pieces *p = dma->priv;

	redox_munmap_v1(dma->cpu, p->mapped);
	base_free(p);
	*dma = (struct os_dma){ .fd = -1 };
}
