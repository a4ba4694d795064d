// SPDX-License-Identifier: MIT
#include "pgt.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/test_os.h"

static struct test_os os;
static struct drv_dev dev;
static struct drv_pt *root;

static int setup(void **state)
{
	(void)state;
	test_os_init(&os);
	memset(&dev, 0, sizeof(dev));
	dev.os = &os.os;
	dev.ops = os.os.ops;
	dev.gen = &reg_gen_npu37;
	root = drv_pt_create(&dev);
	return root ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	drv_pt_destroy(&dev, root);
	assert_int_equal(os.live_dma, 0);
	return 0;
}

/* Walk as the device does: by bus addresses in the entries, P 8.5. */
static u64 device_walk(const struct drv_pt *pt, u64 va)
{
	for (u32 level = 0; level < 3; level++) {
		u32 idx = (u32)(va >> (39 - 9 * level) & 0x1ff);
		u64 entry = pt->entries[idx];

		if ((entry & 3) != 3)
			return 0;
		pt = pt->next[idx];
		assert_int_equal(entry, pt->dma.segs[0].addr | 3);
	}
	return pt->entries[va >> 12 & 0x1ff];
}

static void test_flags(void **state)
{
	struct os_dma_seg seg = { .addr = 0x7654000, .len = 0x1000 };
	const struct os_dma dma = { .size = 0x1000, .segs = &seg, .nr_segs = 1 };

	(void)state;
	assert_int_equal(drv_pt_map(&dev, root, 0x2100000000, &dma, 0, 0x1000, 0), 0);
	assert_int_equal(device_walk(root, 0x2100000000), 0x7654c43);
	assert_int_equal(drv_pt_map(&dev, root, 0x2100000000, &dma, 0, 0x1000, DRV_MAP_SNOOP), 0);
	assert_int_equal(device_walk(root, 0x2100000000), 0x7654c47);
	assert_int_equal(
		drv_pt_map(&dev, root, 0x2100000000, &dma, 0, 0x1000, DRV_MAP_SNOOP | DRV_MAP_RO),
		0);
	assert_int_equal(device_walk(root, 0x2100000000), 0x7654cc7);
	assert_int_equal(drv_pt_lookup(root, 0x2100000000), 0x7654cc7);
	drv_pt_unmap(root, 0x2100000000, 0x1000);
	assert_int_equal(device_walk(root, 0x2100000000), 0xdeadb000);
	assert_int_equal(drv_pt_lookup(root, 0x8000000000), 0);
}

/* Across a table of each level, in pieces that do not adjoin. */
static void test_pieces(void **state)
{
	const u64 va = 0x8000000000 - 0x3000;
	struct os_dma dma;

	(void)state;
	os.seg_pages = 2;
	assert_int_equal(dev.ops->dma_alloc(dev.os, 0x6000, 0x1000, OS_CACHE_WB, 38, 0, &dma), 0);
	assert_int_equal(dma.nr_segs, 3);
	assert_int_equal(drv_pt_map(&dev, root, va, &dma, 0x1000, 0x5000, 0), 0);
	for (u64 p = 0; p < 5; p++) {
		u64 off = (p + 1) * 0x1000;
		u64 want = dma.segs[off / 0x2000].addr + off % 0x2000;

		assert_int_equal(device_walk(root, va + p * 0x1000), want | 0xc43);
	}
	assert_int_equal(drv_pt_map(&dev, root, va, &dma, 0x1000, 0x6000, 0), -EINVAL);
	dev.ops->dma_free(dev.os, &dma);
}

/* From the second piece on, and not up to the last. */
static void test_middle_pieces(void **state)
{
	const u64 va = 0x8000000000;
	struct os_dma dma;

	(void)state;
	os.seg_pages = 2;
	assert_int_equal(dev.ops->dma_alloc(dev.os, 0x8000, 0x1000, OS_CACHE_WB, 38, false, &dma),
			 0);
	assert_int_equal(drv_pt_map(&dev, root, va, &dma, 0x3000, 0x2000, 0), 0);
	assert_int_equal(device_walk(root, va), (dma.segs[1].addr + 0x1000) | 0xc43);
	assert_int_equal(device_walk(root, va + 0x1000), dma.segs[2].addr | 0xc43);
	assert_int_equal(device_walk(root, va + 0x2000), 0); /* nothing behind it */
	dev.ops->dma_free(dev.os, &dma);
}

/* b52 for whole, aligned groups of 16 only. */
static void test_contiguous(void **state)
{
	const u64 va = 0xa0000000 - 0x1000;
	struct os_dma_seg seg = { .addr = 0x1000000 - 0x1000, .len = 0x1000 + 0x10000 + 0x8000 };
	const struct os_dma dma = { .size = seg.len, .segs = &seg, .nr_segs = 1 };

	(void)state;
	assert_int_equal(drv_pt_map(&dev, root, va, &dma, 0, seg.len, 0), 0);
	assert_int_equal(device_walk(root, va) >> 52, 0);
	for (u32 p = 0; p < 16; p++)
		assert_int_equal(device_walk(root, 0xa0000000 + p * 0x1000ull) >> 52, 1);
	for (u32 p = 16; p < 24; p++)
		assert_int_equal(device_walk(root, 0xa0000000 + p * 0x1000ull) >> 52, 0);

	seg.addr += 0x1000; /* not aligned alike any more */
	assert_int_equal(drv_pt_map(&dev, root, va, &dma, 0, seg.len, 0), 0);
	assert_int_equal(device_walk(root, 0xa0000000) >> 52, 0);
}

/* Whatever allocation fails: the error, nothing mapped, nothing lost. */
static void test_no_memory(void **state)
{
	struct os_dma_seg seg = { .addr = 0x1000000, .len = 0x400000 };
	const struct os_dma dma = { .size = seg.len, .segs = &seg, .nr_segs = 1 };
	const u64 va = 0x40000000 - 0x200000; /* needs a second table halfway */
	int ret = -ENOMEM;

	(void)state;
	for (u32 n = 1; ret; n++) {
		os.dma_fail_at = os.nr_dma + n;
		ret = drv_pt_map(&dev, root, va, &dma, 0, seg.len, 0);
		os.dma_fail_at = 0;
		if (!ret)
			break;
		assert_int_equal(ret, -ENOMEM);
		for (u64 off = 0; off < seg.len; off += 0x1000)
			assert_false(drv_pt_lookup(root, va + off) & 1);
		drv_pt_destroy(&dev, root);
		assert_int_equal(os.live_dma, 0);
		root = drv_pt_create(&dev);
		assert_non_null(root);
	}
	assert_int_equal(drv_pt_lookup(root, va + seg.len - 0x1000) & 1, 1);
	for (u32 n = 1; n < 3; n++) {
		base_alloc_fail_nth(n);
		assert_null(drv_pt_create(&dev));
	}
	base_alloc_fail_nth(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_middle_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contiguous, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests_name("pgt", tests, NULL, NULL);
}
