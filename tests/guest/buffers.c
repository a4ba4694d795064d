// SPDX-License-Identifier: MIT
/*
 * Buffers of all kinds, and the device's sight of each.  SRC: P 12.4, 9
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOO_LARGE (UINT64_C(1) << 39) /* larger than any range of any generation */

static const uint32_t kinds[] = {
	IVPU_BO_CACHED,
	IVPU_BO_MAPPABLE,
	IVPU_BO_MAPPABLE | IVPU_BO_WC,
	IVPU_BO_MAPPABLE | IVPU_BO_SHAVE,
	IVPU_BO_MAPPABLE | IVPU_BO_SHAVE | IVPU_BO_WC,
	IVPU_BO_MAPPABLE | IVPU_BO_DMA,
	IVPU_BO_MAPPABLE | IVPU_BO_DMA | IVPU_BO_WC,
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void sizes(void **state)
{
	static const uint64_t ask[] = { 1, 4095, 4096, 4097, 65536, 65537, 3 << 20 };
	struct guest_bo bo;
	struct guest g;

	(void)state;
	guest_must_open(&g);
	for (unsigned int i = 0; i < sizeof(ask) / sizeof(ask[0]); i++) {
		uint64_t pages = (ask[i] + GUEST_PAGE - 1) / GUEST_PAGE;

		guest_must_bo(&g, ask[i], IVPU_BO_MAPPABLE, &bo);
		assert_int_equal(bo.size, pages * GUEST_PAGE);
		assert_int_equal(bo.addr % GUEST_PAGE, 0);
		for (uint64_t at = 0; at < bo.size; at += 512)
			assert_int_equal(bo.cpu[at], 0); /* nobody else's data */
		memset(bo.cpu, 0xff, bo.size);
		guest_bo_destroy(&g, &bo);
	}
	guest_close(&g);
}

static void info_agrees(void **state)
{
	struct ivpu_bo_info info;
	struct guest_bo bo;
	struct guest g;

	(void)state;
	guest_must_open(&g);
	for (unsigned int i = 0; i < NR_KINDS; i++) {
		guest_must_bo(&g, 2 * GUEST_PAGE, kinds[i], &bo);
		memset(&info, 0, sizeof(info));
		info.handle = bo.handle;
		assert_int_equal(guest_ioctl(g.fd, IVPU_BO_INFO, &info), 0);
		assert_int_equal(info.flags, kinds[i]);
		assert_int_equal(info.vpu_addr, bo.addr);
		assert_int_equal(info.size, bo.size);
		guest_bo_destroy(&g, &bo);
		assert_int_equal(guest_ioctl(g.fd, IVPU_BO_INFO, &info), -ENOENT);
	}
	guest_close(&g);
}

static bool in(const struct reg_range *range, const struct guest_bo *bo)
{
	return reg_range_has(range, bo->addr, bo->size);
}

/* The ranges are 7.x's; 6.12 cuts the space elsewhere, there only the kinds' order is checked. */
static void ranges(void **state)
{
	struct guest_bo user, shave, dma;
	const struct reg_va *va;
	struct guest g;

	(void)state;
	guest_must_open(&g);
	va = &g.gen->va;
	guest_must_bo(&g, GUEST_PAGE, IVPU_BO_MAPPABLE, &user);
	guest_must_bo(&g, GUEST_PAGE, IVPU_BO_MAPPABLE | IVPU_BO_SHAVE, &shave);
	guest_must_bo(&g, GUEST_PAGE, IVPU_BO_MAPPABLE | IVPU_BO_DMA, &dma);
	if (guest_is_7x(&g)) {
		assert_true(in(&va->user, &user));
		assert_true(in(&va->shave, &shave));
		assert_true(in(&va->dma, &dma));
		assert_int_equal(guest_must_param(&g, IVPU_PARAM_CONTEXT_BASE_ADDRESS, 0),
				 va->user.start);
	} else {
		assert_true(user.addr < shave.addr && shave.addr < dma.addr);
		assert_int_equal(guest_must_param(&g, IVPU_PARAM_CONTEXT_BASE_ADDRESS, 0),
				 user.addr & ~UINT64_C(0xfffffff));
	}
	guest_bo_destroy(&g, &dma);
	guest_bo_destroy(&g, &shave);
	guest_bo_destroy(&g, &user);
	guest_close(&g);
}

static void copy_between(struct guest *g, struct guest_bo *dst, struct guest_bo *src, uint8_t seed)
{
	struct guest_list list;

	for (uint64_t i = 0; i < src->size; i++)
		src->cpu[i] = (uint8_t)(i * 7 + seed);
	guest_list_create(g, &list);
	guest_list_copy(g, &list, dst->addr, src->addr, (uint32_t)src->size);
	assert_int_equal(guest_submit(g, &list, 0, dst, src, NULL), 0);
	guest_must_finish(g, &list, 0);
	assert_memory_equal(dst->cpu, src->cpu, src->size);
	guest_list_destroy(g, &list);
}

static void device_sees_each_kind(void **state)
{
	struct guest_bo dst, src;
	struct guest g;

	(void)state;
	guest_must_open(&g);
	for (unsigned int i = 0; i < NR_KINDS; i++) {
		for (unsigned int j = 0; j < NR_KINDS; j++) {
			guest_must_bo(&g, 5 * GUEST_PAGE, kinds[i], &src);
			guest_must_bo(&g, 5 * GUEST_PAGE, kinds[j], &dst);
			copy_between(&g, &dst, &src, (uint8_t)(i * NR_KINDS + j));
			guest_bo_destroy(&g, &dst);
			guest_bo_destroy(&g, &src);
		}
	}
	guest_close(&g);
}

/* 64 KiB and more take contiguous page table entries where the kernel finds the memory. */
static void large(void **state)
{
	struct guest_bo dst, src;
	struct guest g;

	(void)state;
	guest_must_open(&g);
	guest_must_bo(&g, 8 << 20, IVPU_BO_MAPPABLE, &src);
	guest_must_bo(&g, 8 << 20, IVPU_BO_MAPPABLE | IVPU_BO_DMA, &dst);
	copy_between(&g, &dst, &src, 99);
	guest_bo_destroy(&g, &dst);
	guest_bo_destroy(&g, &src);
	guest_close(&g);
}

/* Addresses repeat in other contexts; the memory behind them does not. */
static void contexts_are_apart(void **state)
{
	struct guest_bo src[2], dst[2];
	struct guest g[2];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		guest_must_open(&g[i]);
		guest_must_bo(&g[i], GUEST_PAGE, IVPU_BO_MAPPABLE, &src[i]);
		guest_must_bo(&g[i], GUEST_PAGE, IVPU_BO_MAPPABLE, &dst[i]);
	}
	assert_int_equal(src[0].addr, src[1].addr);
	copy_between(&g[0], &dst[0], &src[0], 11);
	copy_between(&g[1], &dst[1], &src[1], 22);
	assert_memory_equal(dst[0].cpu, src[0].cpu, GUEST_PAGE);
	assert_memory_not_equal(dst[0].cpu, dst[1].cpu, GUEST_PAGE);
	for (unsigned int i = 0; i < 2; i++)
		guest_close(&g[i]);
}

static void refused(void **state)
{
	static const uint32_t bad[] = { 0x10, 0x80000000, IVPU_BO_UNCACHED,
					IVPU_BO_UNCACHED | IVPU_BO_WC };
	static const uint32_t where[] = { 0, IVPU_BO_SHAVE, IVPU_BO_DMA };
	struct ivpu_bo_info info = { .handle = 12345 };
	struct guest_bo bo;
	struct guest g;

	(void)state;
	guest_must_open(&g);
	assert_int_equal(guest_bo_create(&g, 0, 0, &bo), -EINVAL);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(guest_bo_create(&g, GUEST_PAGE, bad[i], &bo), -EINVAL);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(guest_bo_create(&g, TOO_LARGE, where[i], &bo), -ENOSPC);
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_INFO, &info), -ENOENT);
	if (!guest_is_7x(&g))
		assert_int_equal(guest_bo_create(&g, GUEST_PAGE, IVPU_BO_READ_ONLY, &bo), -EINVAL);
	guest_close(&g);
}

/* The importing context's device writes into the exporting context's pages. */
static void must_see_import(struct guest *g, uint32_t handle, const struct guest_bo *exported)
{
	struct ivpu_bo_info info = { .handle = handle };
	struct guest_bo imported = { .handle = handle };
	struct guest_list list;

	assert_int_equal(guest_ioctl(g->fd, IVPU_BO_INFO, &info), 0);
	assert_int_equal(info.size, exported->size);
	guest_list_create(g, &list);
	guest_list_fill(&list, info.vpu_addr + 128, 64, 0x31323334);
	assert_int_equal(guest_submit(g, &list, 0, &imported, NULL), 0);
	guest_must_finish(g, &list, 0);
	assert_memory_equal(exported->cpu + 128, "4321", 4);
	guest_list_destroy(g, &list);
}

/* Exported by one context, imported by another: the same pages at another's address. */
static void prime(void **state)
{
	struct drm_prime out = { .flags = O_CLOEXEC | O_RDWR }, back = { 0 }, other = { 0 };
	struct guest_bo bo, seen;
	struct guest a, b;

	(void)state;
	guest_must_open(&a);
	guest_must_open(&b);
	guest_must_bo(&a, GUEST_PAGE, IVPU_BO_MAPPABLE, &bo);
	out.handle = bo.handle;
	assert_int_equal(guest_ioctl(a.fd, DRM_HANDLE_TO_FD, &out), 0);
	back.fd = other.fd = out.fd;
	assert_int_equal(guest_ioctl(a.fd, DRM_FD_TO_HANDLE, &back), 0);
	assert_int_equal(back.handle, bo.handle);
	if (guest_is_7x(&a)) {
		assert_int_equal(guest_ioctl(b.fd, DRM_FD_TO_HANDLE, &other), 0);
		must_see_import(&b, other.handle, &bo);
	} else { /* 6.12: one buffer, one context */
		assert_int_equal(guest_ioctl(b.fd, DRM_FD_TO_HANDLE, &other), -EALREADY);
	}
	seen = bo;
	close(out.fd);
	guest_bo_destroy(&a, &seen);
	guest_close(&b);
	guest_close(&a);
}

static void must_userptr(struct guest *g, void *memory, uint32_t flags, struct guest_bo *bo)
{
	struct ivpu_bo_userptr u = { .user_ptr = (uintptr_t)memory,
				     .size = 4 * GUEST_PAGE,
				     .flags = flags };

	assert_int_equal(guest_ioctl(g->fd, IVPU_BO_FROM_USERPTR, &u), 0);
	*bo = (struct guest_bo){ u.handle, u.vpu_addr, u.size, memory };
}

static void *pages(unsigned int nr)
{
	void *memory = mmap(NULL, nr * GUEST_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static void userptr(void **state)
{
	struct guest_bo src, dst;
	struct guest g;

	(void)state;
	guest_must_open(&g);
	if (!guest_is_7x(&g)) {
		guest_close(&g);
		skip();
	}
	must_userptr(&g, pages(4), 0, &src);
	must_userptr(&g, pages(4), IVPU_BO_DMA, &dst);
	copy_between(&g, &dst, &src, 5);
	guest_bo_destroy(&g, &dst);
	guest_bo_destroy(&g, &src);
	guest_close(&g);
}

static void userptr_refused(void **state)
{
	struct ivpu_bo_userptr u = { .size = GUEST_PAGE };
	struct guest g;
	char *memory;

	(void)state;
	guest_must_open(&g);
	if (!guest_is_7x(&g)) {
		guest_close(&g);
		skip();
	}
	memory = pages(2);
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_FROM_USERPTR, &u), -EINVAL);
	u.user_ptr = (uintptr_t)memory + 1;
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_FROM_USERPTR, &u), -EINVAL);
	u.user_ptr = (uintptr_t)memory;
	u.size = 100;
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_FROM_USERPTR, &u), -EINVAL);
	u.size = 0;
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_FROM_USERPTR, &u), -EINVAL);
	u.size = GUEST_PAGE;
	u.flags = IVPU_BO_MAPPABLE;
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_FROM_USERPTR, &u), -EINVAL);
	u.flags = 0;
	munmap(memory, 2 * GUEST_PAGE);
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_FROM_USERPTR, &u), -EFAULT);
	guest_close(&g);
}

int guest_group_buffers(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),   cmocka_unit_test(info_agrees),
		cmocka_unit_test(ranges),  cmocka_unit_test(device_sees_each_kind),
		cmocka_unit_test(large),   cmocka_unit_test(contexts_are_apart),
		cmocka_unit_test(refused), cmocka_unit_test(prime),
		cmocka_unit_test(userptr), cmocka_unit_test(userptr_refused),
	};

	return cmocka_run_group_tests_name("buffers", tests, NULL, NULL);
}
