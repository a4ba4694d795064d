// SPDX-License-Identifier: MIT
/* What one client maps leaves room for the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dma.c"

#define PAGE 4096u

enum { RW = VFU_DMA_READABLE | VFU_DMA_WRITEABLE };

static int map_result; /* of the model */

int vnpu_dma_map(struct vnpu *vnpu, uint64_t addr, uint64_t len, void *host, bool writable)
{
	(void)vnpu, (void)addr, (void)len, (void)host, (void)writable;
	return map_result;
}

int vnpu_dma_map_remote(struct vnpu *vnpu, uint64_t addr, uint64_t len,
			const struct vnpu_remote *remote, bool writable)
{
	(void)vnpu, (void)addr, (void)len, (void)remote, (void)writable;
	return map_result;
}

int vnpu_dma_unmap(struct vnpu *vnpu, uint64_t addr, uint64_t len)
{
	(void)vnpu, (void)addr, (void)len;
	return 0;
}

static const struct vnpu_remote no_remote;

static int map(struct vfu_dma *dma, u64 addr, u64 size, int fd)
{
	const struct vfu_dma_map req = {
		.argsz = sizeof(req), .flags = RW, .addr = addr, .size = size
	};

	return vfu_dma_map(dma, &req, fd);
}

static int file(u64 size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void test_address_space(void **state)
{
	struct vfu_dma one, other;
	int fd = file(2 * VFU_FILE_BYTES);

	(void)state;
	if (BASE_TSAN) {
		close(fd);
		skip(); /* its shadow leaves no room for so much */
	}
	assert_int_equal(vfu_dma_init(&one, NULL, &no_remote), 0);
	assert_int_equal(vfu_dma_init(&other, NULL, &no_remote), 0);
	assert_int_equal(map(&one, 0, VFU_FILE_BYTES + PAGE, fd), -ENOSPC);
	assert_int_equal(map(&one, 0, VFU_FILE_BYTES - PAGE, fd), 0);
	assert_int_equal(map(&one, VFU_FILE_BYTES, 2 * PAGE, fd), -ENOSPC);
	assert_int_equal(map(&one, VFU_FILE_BYTES, PAGE, fd), 0);
	assert_int_equal(map(&one, 2 * VFU_FILE_BYTES, PAGE, fd), -ENOSPC);
	/* memory by message takes no address space */
	assert_int_equal(map(&one, 2 * VFU_FILE_BYTES, VFU_FILE_BYTES, -1), 0);
	assert_int_equal(map(&other, 0, VFU_FILE_BYTES, fd), 0);
	/* and back */
	assert_int_equal(vfu_dma_unmap(&one, VFU_FILE_BYTES, PAGE), 0);
	map_result = -ENOMEM;
	assert_int_equal(map(&one, VFU_FILE_BYTES, PAGE, fd), -ENOMEM);
	map_result = 0;
	assert_int_equal(map(&one, VFU_FILE_BYTES, PAGE, fd), 0);
	vfu_dma_fini(&one);
	vfu_dma_fini(&other);
	close(fd);
}

/* Until it is refused; how many. */
static u32 map_all(struct vfu_dma *dma, int fd)
{
	u32 nr = 0;

	while (map(dma, nr * (u64)PAGE, PAGE, fd) == 0)
		nr++;
	return nr;
}

static void test_number_of_mappings(void **state)
{
	struct vfu_dma dma[3];
	int fd = file(PAGE);

	(void)state;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(vfu_dma_init(&dma[i], NULL, &no_remote), 0);
	assert_int_equal(map_all(&dma[0], fd), VFU_MAX_MAPS);
	assert_int_equal(map_all(&dma[1], fd), 2 * VFU_FILES_OWN);
	assert_int_equal(map_all(&dma[2], fd), VFU_FILES_OWN);
	vfu_dma_unmap_all(&dma[0]);
	assert_int_equal(nr_shared, VFU_FILES_OWN);
	assert_int_equal(map(&dma[2], 1u << 30, PAGE, fd), 0);
	for (u32 i = 0; i < 3; i++)
		vfu_dma_fini(&dma[i]);
	assert_int_equal(nr_shared, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_space),
		cmocka_unit_test(test_number_of_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
