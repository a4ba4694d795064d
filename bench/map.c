// SPDX-License-Identifier: MIT
/*
 * Mapping 64 MiB of pages that were allocated before into an address space: page tables alone, the
 * tables made on the way, and again into tables that are there.  In pieces of 64 KiB, the worst
 * case that still takes the contiguous hint, and in pages, which do not.  Beside it, in turns, the
 * least it can be: as many stores to pages that are touched for the first time.
 *
 * usage: bench_map [ROUNDS]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "driver/dev.h"
#include "os/inproc.h"

#define SIZE	   (UINT64_C(64) << 20)
#define HINT	   ABI_MMU_CONT_SIZE
#define ROUNDS	   31u
#define ROUNDS_MAX 1000u
#define GOAL_MS	   2.0
#define VA	   UINT64_C(0x100000000)

static struct os_dma_seg segs[SIZE / BASE_PAGE_SIZE];

struct times {
	double fresh, again, stores; /* ms */
};

/* Pieces that do not adjoin. */
static struct os_dma pieces(u64 piece)
{
	u32 nr = (u32)(SIZE / piece);

	for (u32 i = 0; i < nr; i++)
		segs[i] = (struct os_dma_seg){ .addr = VA + 2 * i * piece, .len = piece };
	return (struct os_dma){ .size = SIZE, .segs = segs, .nr_segs = nr };
}

static double ms_since(u64 start_ns)
{
	return (double)(base_clock_ns() - start_ns) / 1e6;
}

static int map_once(struct drv_dev *dev, const struct os_dma *dma, struct times *t)
{
	struct drv_pt *root = drv_pt_create(dev);
	u64 start = base_clock_ns();
	int ret = root ? drv_pt_map(dev, root, VA, dma, 0, SIZE, 0) : -ENOMEM;

	t->fresh = ms_since(start);
	if (!ret &&
	    !(drv_pt_lookup(root, VA) & ABI_MMU_PTE_CONTIGUOUS) != (dma->segs[0].len < HINT))
		ret = -EPROTO; /* not what was to be measured */
	if (!ret) {
		drv_pt_unmap(root, VA, SIZE);
		start = base_clock_ns();
		ret = drv_pt_map(dev, root, VA, dma, 0, SIZE, 0);
		t->again = ms_since(start);
	}
	drv_pt_destroy(dev, root);
	return ret;
}

static int store_once(struct times *t)
{
	const size_t size = SIZE / BASE_PAGE_SIZE * sizeof(u64);
	u64 start = base_clock_ns();
	u64 *to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED)
		return -ENOMEM;
	for (u32 i = 0; i < SIZE / BASE_PAGE_SIZE; i++)
		__atomic_store_n(&to[i], i, __ATOMIC_RELAXED);
	t->stores = ms_since(start);
	munmap(to, size);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *ms, u32 nr)
{
	qsort(ms, nr, sizeof(*ms), by_value);
	return ms[nr / 2];
}

static int bench(struct drv_dev *dev, u64 piece, u32 rounds)
{
	const struct os_dma dma = pieces(piece);
	double fresh[ROUNDS_MAX], again[ROUNDS_MAX], ratio[ROUNDS_MAX];

	for (u32 i = 0; i < rounds; i++) {
		struct times t = { 0 };
		int ret = map_once(dev, &dma, &t);

		if (!ret)
			ret = store_once(&t);
		if (ret) {
			fprintf(stderr, "map: %s\n", base_err_name(ret));
			return 1;
		}
		fresh[i] = t.fresh;
		again[i] = t.again;
		ratio[i] = t.fresh / t.stores;
	}
	printf("map 64 MiB in pieces of %3llu KiB: %.3f ms, into tables that are there %.3f ms (goal "
	       "<= %.0f ms); beside bare stores: %.1f times\n",
	       (unsigned long long)(piece >> 10), median(fresh, rounds), median(again, rounds),
	       GOAL_MS, median(ratio, rounds));
	return 0;
}

int main(int argc, char **argv)
{
	const struct os_inproc_config cfg = { .gen = "npu37", .stepped = true, .engine = "plain" };
	const struct drv_config dcfg = { .ignore_env = true };
	u32 rounds = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : ROUNDS;
	struct base_err err = { 0 };
	struct os_device *os;
	struct drv_dev *dev;
	int ret;

	if (!rounds || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_map [ROUNDS], at most %u\n", ROUNDS_MAX);
		return 1;
	}
	if (os_inproc_create(&cfg, &os, &err)) {
		fprintf(stderr, "map: %s\n", err.text);
		return 1;
	}
	ret = drv_create(os, &dcfg, &dev, &err);
	if (ret) {
		fprintf(stderr, "map: %s\n", err.text);
	} else {
		ret = bench(dev, HINT, rounds) || bench(dev, BASE_PAGE_SIZE, rounds);
		drv_destroy(dev);
	}
	os_inproc_destroy(os);
	return ret != 0;
}
