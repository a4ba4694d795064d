// SPDX-License-Identifier: MIT
/* Memory as the engine sees it: direct where it can be, gathered and scattered where not. */
#include <pthread.h>

#include "vnpu/model.h"
#include "vnpu/test_host.h"

#define VA UINT64_C(0xa1000000)

static struct host h;
static struct vnpu_view_ctx ctx;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	host_context(&h, 2);
	ctx = (struct vnpu_view_ctx){ h.v, 2, h.v->compute.epoch };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

static void test_direct(void **state)
{
	void *ptr = NULL, *token = NULL;

	(void)state;
	assert_int_equal(vnpu_view(&ctx, HOST_USER + 0x40, 0x5000, true, &ptr, &token), 0);
	assert_ptr_equal(ptr, host_at(&h, 2, HOST_USER + 0x40));
	vnpu_view_release(&ctx, token, true);
	assert_int_equal(vnpu_view(&ctx, HOST_USER, 0, true, &ptr, &token), 0);
	assert_non_null(ptr);
	vnpu_view_release(&ctx, token, true);
	expect_clean(&h);
}

/* Pages in reverse: a copy at the same offset in its line, written back at release. */
static void test_pieces(void **state)
{
	void *ptr = NULL, *token = NULL;
	u64 bus = host_pages(&h, 4);
	u8 *p;

	(void)state;
	for (u32 i = 0; i < 4; i++)
		host_map(&h, 2, VA + i * 4096, bus + (3 - i) * 4096, 1, ABI_MMU_PTE_CACHED);
	host_flush(&h, 2);
	for (u32 i = 0; i < 0x4000; i++)
		*(u8 *)host_at(&h, 2, VA + i) = (u8)(i * 3);
	assert_int_equal(vnpu_view(&ctx, VA + 0x44, 0x3000, true, &ptr, &token), 0);
	p = ptr;
	assert_int_equal((uintptr_t)p % 64, 4);
	for (u32 i = 0; i < 0x3000; i++) {
		assert_int_equal(p[i], (u8)((i + 0x44) * 3));
		p[i] = (u8)(i * 7);
	}
	assert_int_equal(*(u8 *)host_at(&h, 2, VA + 0x44), (u8)(0x44 * 3));
	vnpu_view_release(&ctx, token, true);
	for (u32 i = 0; i < 0x3000; i++)
		assert_int_equal(*(u8 *)host_at(&h, 2, VA + 0x44 + i), (u8)(i * 7));
	assert_int_equal(*(u8 *)host_at(&h, 2, VA + 0x43), (u8)(0x43 * 3));
	assert_int_equal(vnpu_view(&ctx, VA, 0x4000, false, &ptr, &token), 0);
	memset(ptr, 0, 0x4000); /* not said to be written: thrown away */
	vnpu_view_release(&ctx, token, false);
	assert_int_equal(*(u8 *)host_at(&h, 2, VA), 0);
	assert_int_equal(*(u8 *)host_at(&h, 2, VA + 1), 3);
	expect_clean(&h);
}

/* Two maps whose host memory adjoins: still direct. */
static void test_adjoining_maps(void **state)
{
	u8 *extra = aligned_alloc(4096, 8192);
	const u64 bus = HOST_BUS + UINT64_C(0x10000000);
	void *ptr = NULL, *token = NULL;

	(void)state;
	assert_int_equal(vnpu_dma_map(h.v, bus, 4096, extra, true), 0);
	assert_int_equal(vnpu_dma_map(h.v, bus + 0x100000, 4096, extra + 4096, true), 0);
	host_map(&h, 2, VA, bus, 1, ABI_MMU_PTE_CACHED);
	host_map(&h, 2, VA + 4096, bus + 0x100000, 1, ABI_MMU_PTE_CACHED);
	host_flush(&h, 2);
	assert_int_equal(vnpu_view(&ctx, VA, 8192, true, &ptr, &token), 0);
	assert_ptr_equal(ptr, extra);
	vnpu_view_release(&ctx, token, true);
	assert_int_equal(vnpu_dma_unmap(h.v, bus, 4096), 0);
	assert_int_equal(vnpu_dma_unmap(h.v, bus + 0x100000, 4096), 0);
	free(extra);
}

static void test_faults(void **state)
{
	void *ptr = NULL, *token = NULL;

	(void)state;
	assert_int_equal(vnpu_view(&ctx, 0x1000, 64, false, &ptr, &token), -EFAULT);
	assert_int_equal(rd(&h, M(EVTQ_PROD_SEC)), 1);
	assert_int_equal(
		vnpu_view(&ctx, HOST_USER, (HOST_USER_PAGES + 1) * 4096, false, &ptr, &token),
		-EFAULT);
	assert_int_equal(rd(&h, M(EVTQ_PROD_SEC)), 2);
	assert_int_equal(vnpu_view(&ctx, UINT64_MAX - 63, 128, false, &ptr, &token), -EFAULT);
	host_map(&h, 2, VA, host_pages(&h, 1), 1, ABI_MMU_PTE_CACHED | ABI_MMU_PTE_READ_ONLY);
	host_flush(&h, 2);
	assert_int_equal(vnpu_view(&ctx, VA, 64, true, &ptr, &token), -EFAULT);
	assert_int_equal(vnpu_view(&ctx, VA, 64, false, &ptr, &token), 0);
	vnpu_view_release(&ctx, token, false);
	ctx.epoch--; /* the IP was reset */
	assert_int_equal(vnpu_view(&ctx, HOST_USER, 64, false, &ptr, &token), -EFAULT);
}

/* One page under many addresses must not cost memory that the guest never gave. */
static void test_aliases(void **state)
{
	void *ptr = NULL, *token = NULL;
	u64 page = host_pages(&h, 1);
	u32 nr = (u32)(HOST_MEM / 4096 + 16);

	(void)state;
	for (u32 i = 0; i < nr; i++)
		host_map(&h, 2, VA + i * 4096ull, page, 1, ABI_MMU_PTE_CACHED);
	host_flush(&h, 2);
	assert_int_equal(vnpu_view(&ctx, VA, nr * 4096ull, false, &ptr, &token), -ENOMEM);
	assert_int_equal(vnpu_view(&ctx, VA, 64 * 4096, false, &ptr, &token), 0);
	vnpu_view_release(&ctx, token, false);
}

static _Atomic u32 unmapped;

static void *unmapper(void *arg)
{
	(void)arg;
	assert_int_equal(vnpu_dma_unmap(h.v, HOST_BUS, HOST_MEM), 0);
	atomic_store(&unmapped, 1);
	return NULL;
}

/* vnpu_dma_unmap() returns once the device no longer touches the memory. */
static void test_unmap_waits(void **state)
{
	void *ptr = NULL, *token = NULL;
	pthread_t thread;

	(void)state;
	atomic_store(&unmapped, 0);
	assert_int_equal(vnpu_view(&ctx, HOST_USER, 4096, true, &ptr, &token), 0);
	assert_int_equal(pthread_create(&thread, NULL, unmapper, NULL), 0);
	for (u64 end = base_clock_ns() + 20 * BASE_NS_PER_MS; base_clock_ns() < end;)
		;
	assert_int_equal(atomic_load(&unmapped), 0);
	memset(ptr, 1, 4096);
	vnpu_view_release(&ctx, token, true);
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&unmapped), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_direct), T(test_pieces),	 T(test_adjoining_maps),
		T(test_faults), T(test_aliases), T(test_unmap_waits),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
