// SPDX-License-Identifier: MIT
/* Contiguous pieces of memory, on a kernel that is made up: R section 3. */
#include "dma.c"
#include "sys.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define MIB	  (UINT64_C(1) << 20)
#define MAX_CALLS 64u

static struct {
	u64 addr;      /* of the next piece, for the device; then behind it and @gap */
	u64 gap;       /* a multiple of the piece keeps it aligned */
	u64 largest;   /* there is no longer piece; 0: 4 MiB */
	u64 left;      /* bytes there are; 0: enough */
	u32 fail_open; /* this one from now fails */
	int translate_error;
	u64 mapped; /* bytes of the process */
	u64 piece[MAX_CALLS];
	u32 nr_pieces, nr_open, nr_opened;
	char path[4][64];
	u8 *last_at;
} kernel;

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode)
{
	(void)mode;
	assert_int_equal(flags, REDOX_O_RDWR | REDOX_O_CLOEXEC);
	if (kernel.fail_open && !--kernel.fail_open)
		return (redox_raw)(s64)-EACCES;
	memcpy(kernel.path[kernel.nr_opened], path, len);
	kernel.nr_open++;
	return 10 + kernel.nr_opened++;
}

redox_raw redox_close_v1(size_t fd)
{
	assert_in_range(fd, 10, 12);
	kernel.nr_open--;
	return 0;
}

redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset)
{
	const bool reserves = fd == REDOX_NO_FD;
	void *at;

	assert_int_equal(offset, 0);
	assert_int_equal(len % BASE_PAGE_SIZE, 0);
	if (!reserves) {
		assert_true(base_is_pow2(len) && len <= RX_DMA_PIECE);
		assert_int_equal(flags, REDOX_MAP_PRIVATE | REDOX_MAP_FIXED);
		assert_int_equal(prot, REDOX_PROT_READ | REDOX_PROT_WRITE);
		if ((kernel.largest && len > kernel.largest) ||
		    (kernel.left && kernel.left < len + 1))
			return (redox_raw)(s64)-ENOMEM;
		kernel.left -= kernel.left ? len : 0;
		kernel.last_at = addr;
		kernel.piece[kernel.nr_pieces++ % MAX_CALLS] = len;
	}
	at = mmap(addr, len, reserves ? PROT_NONE : PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (reserves ? 0 : MAP_FIXED), -1, 0);
	assert_true(at != MAP_FAILED);
	kernel.mapped += reserves ? len : 0;
	return (redox_raw)(uintptr_t)at;
}

redox_raw redox_munmap_v1(void *addr, size_t len)
{
	assert_int_equal(munmap(addr, len), 0);
	kernel.mapped -= len;
	return 0;
}

redox_raw redox_sys_call_v0(size_t fd, uint8_t *payload, size_t len, size_t flags,
			    const uint64_t *meta, size_t nmeta)
{
	u64 at, size = kernel.piece[(kernel.nr_pieces - 1) % MAX_CALLS];

	(void)meta;
	assert_int_equal(fd, 12);
	assert_int_equal(len, 8);
	assert_int_equal(flags, REDOX_CALL_READ); /* else the C library drops the payload */
	assert_int_equal(nmeta, 0);
	if (kernel.translate_error)
		return (redox_raw)(s64)kernel.translate_error;
	memcpy(&at, payload, 8);
	assert_ptr_equal((void *)(uintptr_t)at, kernel.last_at);
	at = base_align_up(kernel.addr, size); /* as a buddy allocator gives it */
	kernel.addr = at + size + kernel.gap;
	memcpy(payload, &at, 8);
	return 0;
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	(void)fd, (void)dst, (void)len;
	fail();
	return 0;
}

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	(void)fd, (void)src, (void)len;
	fail();
	return 0;
}

redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg)
{
	(void)fd, (void)cmd, (void)arg;
	fail();
	return 0;
}

static struct rx_memory mem;
static struct os_dma dma;
static struct base_err err;

static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.addr = UINT64_C(5) << 30;
	return rx_memory_open(&mem, &err);
}

static int teardown(void **state)
{
	(void)state;
	rx_memory_close(&mem);
	assert_int_equal(kernel.nr_open, 0);
	assert_int_equal(kernel.mapped, 0);
	return 0;
}

static int alloc(u64 size, u64 align, u32 addr_bits, u32 how)
{
	return rx_dma_alloc(&mem, size, align, OS_CACHE_WB, addr_bits, how, &dma);
}

/* It can be written from end to end, and the device sees all of it and no more. */
static void check(u64 size)
{
	u64 len = 0;

	assert_int_equal(dma.size, size);
	memset(dma.cpu, 0x5a, size);
	for (u32 i = 0; i < dma.nr_segs; i++)
		len += dma.segs[i].len;
	assert_int_equal(len, size);
	assert_int_equal(dma.fd, -1);
}

static void give_back(u64 size)
{
	check(size);
	rx_dma_free(&dma);
	assert_int_equal(kernel.mapped, 0);
}

static void files(void **state)
{
	(void)state;
	assert_string_equal(kernel.path[0], "/scheme/memory/zeroed@wb?phys_contiguous");
	assert_string_equal(kernel.path[1], "/scheme/memory/zeroed@wc?phys_contiguous");
	assert_string_equal(kernel.path[2], "/scheme/memory/translation");
	for (u32 i = 1; i <= 3; i++) {
		struct rx_memory other;
		const u32 open = kernel.nr_open;

		kernel.nr_opened = 0;
		kernel.fail_open = i;
		assert_int_equal(rx_memory_open(&other, &err), -EACCES);
		assert_non_null(strstr(err.text, "/scheme/memory/"));
		assert_non_null(strstr(err.text, "root"));
		assert_int_equal(kernel.nr_open, open);
	}
}

static void pieces_side_by_side(void **state)
{
	(void)state;
	kernel.gap = 4 * MIB;
	assert_int_equal(alloc(9 * MIB, 4096, 38, 0), 0);
	assert_int_equal(kernel.nr_pieces, 3);
	assert_int_equal(kernel.piece[0], 4 * MIB);
	assert_int_equal(kernel.piece[1], 4 * MIB);
	assert_int_equal(kernel.piece[2], MIB);
	assert_int_equal(dma.nr_segs, 3);
	give_back(9 * MIB);
	kernel.gap = 0; /* they follow on: one for the device */
	assert_int_equal(alloc(9 * MIB, 4096, 38, 0), 0);
	assert_int_equal(dma.nr_segs, 1);
	give_back(9 * MIB);
	assert_int_equal(alloc(0x3000, 4096, 38, 0), 0);
	assert_int_equal(kernel.piece[6], 0x2000);
	assert_int_equal(kernel.piece[7], 0x1000);
	give_back(0x3000);
}

static void one_piece(void **state)
{
	(void)state;
	assert_int_equal(alloc(0x3000, 4096, 38, OS_DMA_CONTIGUOUS), 0);
	assert_int_equal(kernel.nr_pieces, 1);
	assert_int_equal(kernel.piece[0], 0x4000);
	assert_int_equal(dma.nr_segs, 1);
	give_back(0x3000);
	assert_int_equal(alloc(4 * MIB, 4096, 38, OS_DMA_CONTIGUOUS), 0);
	give_back(4 * MIB);
	assert_int_equal(alloc(4 * MIB + 4096, 4096, 38, OS_DMA_CONTIGUOUS), -ENOMEM);
	kernel.largest = MIB;
	assert_int_equal(alloc(2 * MIB, 4096, 38, OS_DMA_CONTIGUOUS), -ENOMEM);
}

static void alignment(void **state)
{
	(void)state;
	kernel.addr += 4096;
	assert_int_equal(alloc(4096, 0x10000, 38, 0), 0);
	assert_int_equal(kernel.piece[0], 0x10000);
	assert_int_equal(dma.segs[0].addr % 0x10000, 0);
	give_back(4096);
	assert_int_equal(alloc(4096, 8 * MIB, 38, 0), -ENOMEM);
	kernel.largest = 0x8000; /* nothing that long: not one that is aligned by chance */
	assert_int_equal(alloc(4096, 0x10000, 38, 0), -ENOMEM);
}

static void memory_in_small_pieces(void **state)
{
	(void)state;
	kernel.largest = 0x4000;
	kernel.gap = 0x4000;
	assert_int_equal(alloc(0x10000, 4096, 38, 0), 0);
	assert_int_equal(dma.nr_segs, 4);
	give_back(0x10000);
	kernel.largest = 0;
	kernel.left = 0x9000; /* it ends on the way: nothing is kept */
	assert_int_equal(alloc(0x10000, 4096, 38, 0), -ENOMEM);
	assert_int_equal(kernel.mapped, 0);
}

static void addresses_out_of_reach(void **state)
{
	(void)state;
	assert_int_equal(alloc(4096, 4096, 32, 0), -ENOMEM);
	assert_int_equal(kernel.mapped, 0);
	kernel.addr = (UINT64_C(1) << 32) - 4096;
	assert_int_equal(alloc(4096, 4096, 32, 0), 0); /* the last there is */
	give_back(4096);
	kernel.addr = UINT64_MAX - 8191;
	assert_int_equal(alloc(4096, 4096, 64, 0), 0);
	give_back(4096);
	kernel.translate_error = -ENOENT;
	assert_int_equal(alloc(4096, 4096, 64, 0), -ENOENT);
	assert_int_equal(kernel.mapped, 0);
	assert_int_equal(alloc(UINT64_MAX - 4095, 4096, 64, 0), -ENOMEM);
}

/* Whatever is out of memory when, nothing is left. */
static void our_own_memory(void **state)
{
	(void)state;
	base_alloc_fail_nth(1);
	assert_int_equal(alloc(4096, 4096, 64, 0), -ENOMEM);
	base_alloc_fail_nth(0);
	assert_int_equal(kernel.mapped, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(files),	   T(pieces_side_by_side),    T(one_piece),
		T(alignment),	   T(memory_in_small_pieces), T(addresses_out_of_reach),
		T(our_own_memory),
	};

	return cmocka_run_group_tests_name("redox dma", tests, NULL, NULL);
}
