/* SPDX-License-Identifier: MIT */
/*
 * A seam for unit tests: registers that remember, a clock that moves in delay_ns() and wait() only,
 * memory from the heap.  A test may put a hook before each read.
 */
#ifndef DRIVER_TEST_OS_H
#define DRIVER_TEST_OS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver/os.h"

#define TEST_OS_REGS 64u

struct test_os {
	struct os_device os;
	u64 now_ns, delayed_ns;
	struct {
		u32 bar, off;
		u64 val;
	} regs[TEST_OS_REGS];
	u32 nr_regs, nr_rd, nr_wr;
	u32 last_wr_off;
	u64 last_wr_val;
	void (*on_rd)(struct test_os *t, u32 bar, u32 off);
	void (*on_wr)(struct test_os *t, u32 bar, u32 off, u64 val);
	void *opaque;
	u64 next_addr;
	u32 dma_fail_at, nr_dma, live_dma;
	u32 seg_pages; /* longest piece of an allocation; 0 = whole */
};

static inline struct test_os *to_test_os(struct os_device *os)
{
	return (struct test_os *)(void *)os;
}

static inline u64 *test_os_reg(struct test_os *t, u32 bar, u32 off)
{
	for (u32 i = 0; i < t->nr_regs; i++)
		if (t->regs[i].bar == bar && t->regs[i].off == off)
			return &t->regs[i].val;
	if (t->nr_regs == TEST_OS_REGS)
		abort();
	t->regs[t->nr_regs].bar = bar;
	t->regs[t->nr_regs].off = off;
	t->regs[t->nr_regs].val = 0;
	return &t->regs[t->nr_regs++].val;
}

static u64 test_os_rd(struct test_os *t, u32 bar, u32 off)
{
	t->nr_rd++;
	if (t->on_rd)
		t->on_rd(t, bar, off);
	return *test_os_reg(t, bar, off);
}

static void test_os_wr(struct test_os *t, u32 bar, u32 off, u64 val)
{
	t->nr_wr++;
	t->last_wr_off = off;
	t->last_wr_val = val;
	*test_os_reg(t, bar, off) = val;
	if (t->on_wr)
		t->on_wr(t, bar, off, val);
}

static u32 test_os_rd32(struct os_device *os, u32 bar, u32 off)
{
	return (u32)test_os_rd(to_test_os(os), bar, off);
}

static u64 test_os_rd64(struct os_device *os, u32 bar, u32 off)
{
	return test_os_rd(to_test_os(os), bar, off);
}

static void test_os_wr32(struct os_device *os, u32 bar, u32 off, u32 val)
{
	test_os_wr(to_test_os(os), bar, off, val);
}

static void test_os_wr64(struct os_device *os, u32 bar, u32 off, u64 val)
{
	test_os_wr(to_test_os(os), bar, off, val);
}

static int test_os_dma_alloc(struct os_device *os, u64 size, u64 align, enum os_cache cache,
			     u32 addr_bits, u32 how, struct os_dma *out)
{
	struct test_os *t = to_test_os(os);
	u64 len = t->seg_pages && !(how & OS_DMA_CONTIGUOUS) ? t->seg_pages * BASE_PAGE_SIZE : size;
	u32 nr = (u32)((size + len - 1) / len);
	struct os_dma_seg *segs;

	(void)cache;
	(void)addr_bits;
	if (++t->nr_dma == t->dma_fail_at)
		return -ENOMEM;
	segs = calloc(nr, sizeof(*segs));
	*out = (struct os_dma){ .size = size, .segs = segs, .nr_segs = nr, .fd = -1, .priv = segs };
	if (posix_memalign(&out->cpu, BASE_PAGE_SIZE, size) || !segs)
		abort();
	memset(out->cpu, 0, size);
	t->next_addr = base_align_up(t->next_addr ? t->next_addr : 0x100000, align);
	for (u32 i = 0; i < nr; i++) {
		segs[i].addr = t->next_addr;
		segs[i].len = base_min(len, size - i * len);
		t->next_addr += segs[i].len + (nr > 1 ? BASE_PAGE_SIZE : 0);
	}
	t->live_dma++;
	return 0;
}

static void test_os_dma_free(struct os_device *os, struct os_dma *dma)
{
	free(dma->priv);
	free(dma->cpu);
	to_test_os(os)->live_dma--;
	*dma = (struct os_dma){ 0 };
}

static void test_os_wmb(struct os_device *os)
{
	(void)os;
}

static u64 test_os_now(struct os_device *os)
{
	return to_test_os(os)->now_ns;
}

static void test_os_delay(struct os_device *os, u64 ns)
{
	to_test_os(os)->now_ns += ns;
	to_test_os(os)->delayed_ns += ns;
}

static const struct os_ops test_os_ops = {
	.rd32 = test_os_rd32,
	.rd64 = test_os_rd64,
	.wr32 = test_os_wr32,
	.wr64 = test_os_wr64,
	.dma_alloc = test_os_dma_alloc,
	.dma_free = test_os_dma_free,
	.wmb = test_os_wmb,
	.now_ns = test_os_now,
	.delay_ns = test_os_delay,
};

static inline void test_os_init(struct test_os *t)
{
	*t = (struct test_os){ .os = { .ops = &test_os_ops, .location = "test" } };
}

#endif
