// SPDX-License-Identifier: MIT
/*
 * The in-process seam: memory, time, waiting, both modes; and the driver on the threaded device.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmdlist.h"
#include "driver/driver.h"
#include "os/inproc.h"

static struct os_device *os;
static const char *gen_name = "npu37"; /* argument of the program */

static void open_os(bool stepped, bool scatter)
{
	const struct os_inproc_config cfg = {
		.gen = gen_name, .stepped = stepped, .engine = "plain", .scatter = scatter
	};
	struct base_err err;

	assert_int_equal(os_inproc_create(&cfg, &os, &err), 0);
}

static int open_stepped(void **state)
{
	(void)state;
	open_os(true, false);
	return 0;
}

static int open_threaded(void **state)
{
	(void)state;
	open_os(false, false);
	return 0;
}

static int close_os(void **state)
{
	(void)state;
	os_inproc_destroy(os);
	return 0;
}

static void test_bad_config(void **state)
{
	struct os_inproc_config cfg = { .gen = "npu99" };
	struct os_device *none = NULL;
	struct base_err err;

	(void)state;
	assert_int_equal(os_inproc_create(&cfg, &none, &err), -EINVAL);
	assert_non_null(strstr(err.text, "npu99"));
	cfg = (struct os_inproc_config){ .gen = gen_name, .device_id = 0x1234 };
	assert_int_equal(os_inproc_create(&cfg, &none, &err), -EINVAL);
	assert_null(none);
	os_inproc_destroy(NULL);
}

/* Page-granular, aligned for the device, zeroed however often it is reused, never overlapping. */
static void test_memory(void **state)
{
	struct os_dma dma[200];
	u64 size, align;

	(void)state;
	srand(5);
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < 200; i++) {
			u32 bits = i % 3 ? 38 : 32;

			size = 1 + (u64)rand() % (i % 10 ? 0x9000 : 0x400000);
			align = UINT64_C(1) << (12 + rand() % 6);
			assert_int_equal(os->ops->dma_alloc(os, size, align, OS_CACHE_WB, bits,
							    OS_DMA_CONTIGUOUS, &dma[i]),
					 0);
			assert_int_equal(dma[i].nr_segs, 1);
			assert_int_equal(dma[i].segs[0].addr % align, 0);
			assert_int_equal(dma[i].segs[0].len % 4096, 0);
			assert_true(dma[i].segs[0].len >= size);
			assert_true((dma[i].segs[0].addr + dma[i].segs[0].len) >> bits == 0);
			for (u64 b = 0; b < size; b += 64)
				assert_int_equal(((u8 *)dma[i].cpu)[b], 0);
			memset(dma[i].cpu, 0xa5, dma[i].size);
		}
		assert_int_equal(os_inproc_live_dma(os), 200);
		for (u32 i = 0; i < 200; i++)
			for (u32 k = 0; k < i; k++)
				assert_true(
					dma[i].segs[0].addr >= dma[k].segs[0].addr + dma[k].size ||
					dma[k].segs[0].addr >= dma[i].segs[0].addr + dma[i].size);
		for (u32 i = 0; i < 200; i++)
			os->ops->dma_free(os, &dma[i]);
	}
	assert_int_equal(os_inproc_live_dma(os), 0);
	assert_int_equal(os->ops->dma_alloc(os, 0, 0, OS_CACHE_WB, 38, OS_DMA_CONTIGUOUS, &dma[0]),
			 -EINVAL);
	assert_int_equal(
		os->ops->dma_alloc(os, 4096, 3, OS_CACHE_WB, 38, OS_DMA_CONTIGUOUS, &dma[0]),
		-EINVAL);
	assert_int_equal(os->ops->dma_alloc(os, UINT64_C(1) << 38, 0, OS_CACHE_WB, 38,
					    OS_DMA_CONTIGUOUS, &dma[0]),
			 -ENOMEM);
	assert_int_equal(
		os->ops->dma_alloc(os, UINT64_MAX, 0, OS_CACHE_WB, 38, OS_DMA_CONTIGUOUS, &dma[0]),
		-EINVAL);
}

static void test_scattered(void **state)
{
	struct os_dma dma;

	(void)state;
	open_os(true, true);
	assert_int_equal(os->ops->dma_alloc(os, 0x5000, 4096, OS_CACHE_WB, 38, 0, &dma), 0);
	assert_int_equal(dma.nr_segs, 2);
	assert_int_equal(dma.segs[0].len + dma.segs[1].len, 0x5000);
	assert_true(dma.segs[1].addr > dma.segs[0].addr + dma.segs[0].len);
	os->ops->dma_free(os, &dma);
	assert_int_equal(
		os->ops->dma_alloc(os, 0x5000, 4096, OS_CACHE_WB, 38, OS_DMA_CONTIGUOUS, &dma), 0);
	assert_int_equal(dma.nr_segs, 1);
	os->ops->dma_free(os, &dma);
	os_inproc_destroy(os);
}

/* Memory that is to be lent: pages of its own, zeroed, the same behind the descriptor, sealed. */
static void test_lent_memory(void **state)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct os_dma lent, own;
	u8 *view;

	(void)state;
	assert_int_equal(os->ops->dma_alloc(os, 100, 4096, OS_CACHE_WB, 38, 0, &own), 0);
	assert_int_equal(os->ops->dma_alloc(os, 100, 4096, OS_CACHE_WB, 38, OS_DMA_SHARED, &lent),
			 0);
	assert_int_equal(own.fd, -1);
	assert_int_equal(fcntl(lent.fd, F_GET_SEALS) & seals, seals);
	assert_int_equal(lseek(lent.fd, 0, SEEK_END), 4096);
	assert_int_equal(ftruncate(lent.fd, 0), -1);
	view = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, lent.fd, 0);
	assert_ptr_not_equal(view, MAP_FAILED);
	for (u32 i = 0; i < 4096; i++)
		assert_int_equal(view[i], 0);
	view[17] = 5;
	assert_int_equal(((u8 *)lent.cpu)[17], 5);
	munmap(view, 4096);
	os->ops->dma_free(os, &lent);
	os->ops->dma_free(os, &own);
	assert_int_equal(os_inproc_live_dma(os), 0);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* What an event loop polls: only what happens while it listens, or happened and was not taken. */
static void test_event_source(void **state)
{
	int fd;

	(void)state;
	open_os(true, false);
	assert_int_equal(os->ops->event_source(os), -EOPNOTSUPP);
	os_inproc_destroy(os);
	open_os(false, false);
	fd = os->ops->event_source(os);
	assert_true(fd >= 0);
	assert_int_equal(os->ops->event_source(os), fd);
	os->ops->wake(os);
	assert_false(is_readable(fd)); /* nobody listens */
	os->ops->listen(os, true);
	assert_true(is_readable(fd)); /* it was not taken */
	os->ops->listen(os, false);
	assert_false(is_readable(fd));
	os->ops->listen(os, true);
	assert_false(is_readable(fd));
	os->ops->wake(os);
	os->ops->wake(os);
	assert_true(is_readable(fd));
	os->ops->listen(os, false);
	assert_false(is_readable(fd));
	os_inproc_destroy(os);
}

static void test_bars(void **state)
{
	struct os_bar bar;

	(void)state;
	assert_int_equal(os->ops->bar_info(os, 0, &bar), 0);
	assert_int_equal(bar.size, 128 << 20);
	assert_true(bar.is_64bit);
	assert_int_equal(os->ops->bar_info(os, 4, &bar), 0);
	assert_int_equal(bar.size, 4096);
	assert_int_equal(os->ops->bar_info(os, 2, &bar), 0);
	assert_int_equal(bar.size, 0);
	assert_int_equal(os->ops->bar_map(os, 2), -EINVAL);
	assert_int_equal(os->ops->event_source(os), -EOPNOTSUPP);
}

/* Virtual time moves here and nowhere else. */
static void test_stepped_time(void **state)
{
	u64 start = os->ops->now_ns(os);

	(void)state;
	assert_int_equal(os->ops->now_ns(os), start);
	os->ops->delay_ns(os, 500);
	assert_int_equal(os->ops->now_ns(os), start + 500);
	assert_int_equal(os->ops->wait(os, start + 60 * BASE_NS_PER_S), -ETIMEDOUT);
	assert_int_equal(os->ops->now_ns(os), start + 60 * BASE_NS_PER_S);
	assert_int_equal(os->ops->wait(os, start), -ETIMEDOUT); /* the past: no step back */
	assert_int_equal(os->ops->now_ns(os), start + 60 * BASE_NS_PER_S);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), -ETIMEDOUT); /* nothing will happen */
	os->ops->wake(os);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), -EINTR); /* a wake before the wait counts */
	assert_int_equal(os->ops->wait(os, start), -ETIMEDOUT);
}

static void *wake_later(void *arg)
{
	struct timespec ts = { .tv_nsec = 20000000 };

	nanosleep(&ts, NULL);
	os->ops->wake(arg);
	return NULL;
}

static void test_threaded_time(void **state)
{
	u64 start = os->ops->now_ns(os);
	pthread_t thread;

	(void)state;
	os->ops->delay_ns(os, 100000);
	assert_true(os->ops->now_ns(os) >= start + 100000);
	start = os->ops->now_ns(os);
	assert_int_equal(os->ops->wait(os, start + 5 * BASE_NS_PER_MS), -ETIMEDOUT);
	assert_true(os->ops->now_ns(os) >= start + 5 * BASE_NS_PER_MS);
	assert_int_equal(pthread_create(&thread, NULL, wake_later, os), 0);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), -EINTR);
	pthread_join(thread, NULL);
}

/* Jobs on the device that runs by itself: each interrupt wakes the sleeper. */
static void test_threaded_jobs(void **state)
{
	const struct drv_config cfg = { .ignore_env = true };
	struct base_err err = { 0 };
	struct abi_completion done;
	struct drv_queue *queue;
	struct cmdlist list;
	struct drv_dev *dev;
	struct drv_ctx *ctx;
	struct drv_bo *bo;
	char text[300];

	(void)state;
	assert_int_equal(drv_create(os, &cfg, &dev, &err), 0);
	if (drv_boot(dev, &err))
		fail_msg("%s", err.text);
	assert_int_equal(drv_ctx_create(dev, &ctx), 0);
	assert_int_equal(drv_bo_create(ctx, 0x1000, 0, 0, &bo), 0);
	assert_int_equal(drv_queue_create(ctx, 1, &queue), 0);
	list = (struct cmdlist){ .cpu = drv_bo_cpu(bo),
				 .addr = drv_bo_addr(bo),
				 .size = sizeof(struct abi_cmdbuf_header) };
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, list.addr + 0x400, 7);
	for (u32 i = 0; i < 2000; i++) {
		const struct abi_job job = { .cmd_addr = list.addr + CMDLIST_OFF, .cookie = i };
		u64 next_ns;

		memset(list.cpu + 0x400, 0, 8);
		assert_int_equal(drv_queue_submit(queue, &job, 1), 1);
		for (next_ns = drv_process(dev); !drv_queue_reap(queue, &done, 1);
		     next_ns = drv_process(dev))
			(void)!drv_wait(dev, next_ns);
		assert_int_equal(done.cookie, i);
		assert_int_equal(done.status, 0);
		assert_int_equal(*(u64 *)(void *)(list.cpu + 0x400), 7);
	}
	drv_queue_destroy(queue);
	drv_bo_destroy(bo);
	drv_ctx_destroy(ctx);
	(void)!drv_shutdown(dev, &err);
	assert_int_equal(drv_get_state(dev), DRV_STOPPED);
	drv_destroy(dev);
	if (os_inproc_finding(os, 0, text, sizeof(text)))
		fail_msg("%s", text);
}

#define S(name) cmocka_unit_test_setup_teardown(name, open_stepped, close_os)
#define T(name) cmocka_unit_test_setup_teardown(name, open_threaded, close_os)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_config),
		S(test_memory),
		S(test_lent_memory),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_event_source),
		S(test_bars),
		S(test_stepped_time),
		T(test_threaded_time),
		T(test_threaded_jobs),
	};

	if (argc > 1)
		gen_name = argv[1];
	return cmocka_run_group_tests_name("seam", tests, NULL, NULL);
}
