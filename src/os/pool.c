// SPDX-License-Identifier: MIT
/* DMA memory by chunk and by mapping (pool.h). */
#include "os/pool.h"

#include "os/shmem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Above 4 GiB, so that a truncated address is noticed; below only when asked for. */
#define BUS_START    (UINT64_C(1) << 32)
#define BUS_LOW	     UINT64_C(0x10000000)
#define CHUNK_SIZE   UINT64_C(0x200000)
#define SMALL_MAX    UINT64_C(0x20000) /* larger ones get a mapping of their own */
#define CHUNK_PAGES  (CHUNK_SIZE / BASE_PAGE_SIZE)
#define SCATTER_HOLE UINT64_C(0x10000)

/* Host memory the device may reach.  A chunk has pages of several allocations, others of one. */
struct os_pool_region {
	struct os_shmem mem; /* fd -1: nobody else's */
	struct os_dma_seg segs[2];
	u32 nr_segs;
	bool is_chunk, low;
	u32 used_pages;
	u64 map[CHUNK_PAGES / 64];   /* of a chunk: pages taken */
	struct os_pool_region *next; /* of the chunks */
};

/* What os_dma.priv points to. */
struct block {
	struct os_pool_region *region;
	u64 first_page, nr_pages; /* in a chunk */
	struct os_dma_seg segs[2];
};

/* Map @region into the model at bus addresses that fit @addr_bits; in two pieces to scatter. */
static int bus_map(struct os_pool *pool, struct os_pool_region *region, u64 align, u32 addr_bits,
		   u32 nr_segs)
{
	u64 end = addr_bits >= 64 ? UINT64_MAX : UINT64_C(1) << addr_bits;
	u64 start = end > BUS_START ? BUS_START : BUS_LOW;
	u64 size = region->mem.size;
	u64 cut = nr_segs == 2 ? base_align_up(size / 2, BASE_PAGE_SIZE) : size;
	u8 *cpu = region->mem.cpu;
	u64 addr;
	int ret;

	ret = drv_va_alloc(&pool->bus, start, end, size + (nr_segs - 1) * SCATTER_HOLE,
			   base_max(align, BASE_PAGE_SIZE), region, &addr);
	if (ret)
		return -ENOMEM;
	region->segs[0] = (struct os_dma_seg){ .addr = addr, .len = cut };
	region->segs[1] =
		(struct os_dma_seg){ .addr = addr + cut + SCATTER_HOLE, .len = size - cut };
	region->nr_segs = nr_segs;
	ret = pool->map(pool->opaque, addr, cut, cpu, region->mem.fd, 0);
	if (!ret && nr_segs == 2) {
		ret = pool->map(pool->opaque, region->segs[1].addr, region->segs[1].len, cpu + cut,
				region->mem.fd, cut);
		if (ret)
			pool->unmap(pool->opaque, addr, cut);
	}
	if (ret)
		drv_va_free(&pool->bus, addr);
	return ret ? -ENOMEM : 0;
}

static int private_create(u64 size, struct os_shmem *out)
{
	void *cpu = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*out = (struct os_shmem){ .cpu = cpu, .size = size, .fd = -1 };
	return cpu == MAP_FAILED ? -ENOMEM : 0;
}

/* Of @mem, which it takes, even if it fails. */
static int region_make(struct os_pool *pool, struct os_shmem *mem, u64 align, u32 addr_bits,
		       u32 nr_segs, struct os_pool_region **out)
{
	struct os_pool_region *region = base_zalloc(sizeof(*region));
	int ret = -ENOMEM;

	if (!region)
		goto err_destroy;
	region->low = addr_bits <= 32;
	region->mem = *mem;
	ret = bus_map(pool, region, align, addr_bits, nr_segs);
	if (ret)
		goto err_free;
	*out = region;
	return 0;

err_free:
	base_free(region);
err_destroy:
	os_shmem_destroy(mem);
	return ret;
}

static int region_create(struct os_pool *pool, u64 size, u64 align, u32 addr_bits, u32 nr_segs,
			 bool shared, struct os_pool_region **out)
{
	struct os_shmem mem;
	int ret = pool->by_fd || shared ? os_shmem_create(size, &mem) : private_create(size, &mem);

	if (!ret)
		ret = region_make(pool, &mem, align, addr_bits, nr_segs, out);
	if (!ret && !shared)
		os_shmem_close_fd(&(*out)->mem);
	return ret;
}

static void region_destroy(struct os_pool *pool, struct os_pool_region *region)
{
	for (u32 i = 0; i < region->nr_segs; i++)
		pool->unmap(pool->opaque, region->segs[i].addr, region->segs[i].len);
	drv_va_free(&pool->bus, region->segs[0].addr);
	os_shmem_destroy(&region->mem);
	base_free(region);
}

static bool page_taken(const struct os_pool_region *chunk, u64 page)
{
	return chunk->map[page / 64] & BASE_BIT64(page % 64);
}

static void mark_pages(struct os_pool_region *chunk, u64 first, u64 nr, bool taken)
{
	for (u64 p = first; p < first + nr; p++) {
		if (taken)
			chunk->map[p / 64] |= BASE_BIT64(p % 64);
		else
			chunk->map[p / 64] &= ~BASE_BIT64(p % 64);
	}
	chunk->used_pages += taken ? (u32)nr : 0u - (u32)nr;
}

/* First run of @nr free pages at @align, or CHUNK_PAGES.  The chunk's bus address is aligned. */
static u64 find_pages(const struct os_pool_region *chunk, u64 nr, u64 align)
{
	u64 step = base_max(align / BASE_PAGE_SIZE, UINT64_C(1));

	for (u64 first = 0; first + nr <= CHUNK_PAGES; first += step) {
		u64 n = 0;

		while (n < nr && !page_taken(chunk, first + n))
			n++;
		if (n == nr)
			return first;
	}
	return CHUNK_PAGES;
}

static int chunk_alloc(struct os_pool *pool, u64 size, u64 align, u32 addr_bits,
		       struct block *block)
{
	u64 nr = size / BASE_PAGE_SIZE, first = 0;
	struct os_pool_region *chunk;
	int ret;

	for (chunk = pool->chunks; chunk; chunk = chunk->next) {
		first = chunk->low == (addr_bits <= 32) ? find_pages(chunk, nr, align)
							: CHUNK_PAGES;
		if (first < CHUNK_PAGES)
			break;
	}
	if (!chunk) {
		ret = region_create(pool, CHUNK_SIZE, CHUNK_SIZE, addr_bits, 1, false, &chunk);
		if (ret)
			return ret;
		chunk->is_chunk = true;
		chunk->next = pool->chunks;
		pool->chunks = chunk;
		first = 0;
	}
	mark_pages(chunk, first, nr, true);
	memset((u8 *)chunk->mem.cpu + first * BASE_PAGE_SIZE, 0, size);
	block->region = chunk;
	block->first_page = first;
	block->nr_pages = nr;
	block->segs[0].addr = chunk->segs[0].addr + first * BASE_PAGE_SIZE;
	block->segs[0].len = size;
	return 0;
}

static void chunk_free(struct os_pool *pool, const struct block *block)
{
	struct os_pool_region *chunk = block->region;
	struct os_pool_region **at = &pool->chunks;

	mark_pages(chunk, block->first_page, block->nr_pages, false);
	if (chunk->used_pages)
		return;
	while (*at != chunk)
		at = &(*at)->next;
	*at = chunk->next;
	region_destroy(pool, chunk);
}

static void describe(struct os_pool *pool, struct block *block, u64 size, struct os_dma *out)
{
	pool->live++;
	*out = (struct os_dma){
		.cpu = (u8 *)block->region->mem.cpu + block->first_page * BASE_PAGE_SIZE,
		.size = size,
		.segs = block->segs,
		.nr_segs = block->region->is_chunk ? 1 : block->region->nr_segs,
		.fd = block->region->mem.fd,
		.priv = block,
	};
}

int os_pool_alloc(struct os_pool *pool, u64 size, u64 align, u32 addr_bits, u32 how,
		  struct os_dma *out)
{
	const bool shared = how & OS_DMA_SHARED;
	struct block *block;
	bool split;
	int ret;

	if (!size || size > UINT64_MAX - BASE_PAGE_SIZE || (align && !base_is_pow2(align)))
		return -EINVAL;
	size = base_align_up(size, BASE_PAGE_SIZE);
	split = pool->scatter && !(how & OS_DMA_CONTIGUOUS) && size > BASE_PAGE_SIZE;
	block = base_zalloc(sizeof(*block));
	if (!block)
		return -ENOMEM;
	if (size <= SMALL_MAX && align <= CHUNK_SIZE && !split && !shared) {
		ret = chunk_alloc(pool, size, align, addr_bits, block);
	} else {
		ret = region_create(pool, size, align, addr_bits, split ? 2 : 1, shared,
				    &block->region);
		if (!ret)
			memcpy(block->segs, block->region->segs, sizeof(block->segs));
	}
	if (ret) {
		base_free(block);
		return ret;
	}
	describe(pool, block, size, out);
	return 0;
}

int os_pool_import(struct os_pool *pool, int fd, u64 size, u64 align, u32 addr_bits,
		   struct os_dma *out)
{
	struct block *block = base_zalloc(sizeof(*block));
	struct os_shmem mem;
	int ret = -ENOMEM;

	if (!block)
		return ret;
	ret = os_shmem_import(fd, size, &mem);
	if (!ret)
		ret = region_make(pool, &mem, align, addr_bits, 1, &block->region);
	if (ret) {
		base_free(block);
		return ret;
	}
	memcpy(block->segs, block->region->segs, sizeof(block->segs));
	describe(pool, block, size, out);
	return 0;
}

void os_pool_free(struct os_pool *pool, struct os_dma *dma)
{
	struct block *block = dma->priv;

	if (block->region->is_chunk)
		chunk_free(pool, block);
	else
		region_destroy(pool, block->region);
	base_free(block);
	pool->live--;
	*dma = (struct os_dma){ 0 };
}

void os_pool_fini(struct os_pool *pool)
{
	assert(!pool->live);
	drv_va_fini(&pool->bus);
}
