// SPDX-License-Identifier: MIT
/* The seam over a socket, against our own server; and what is left when the server goes. */
#include "os/vfio_user.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tests/integration/cmdlist.h"
#include "driver/driver.h"
#include "regs/gen.h"
#include "vfu/server.h"
#include "vnpu/vnpu.h"

static char dir[32], path[64];
static struct vfu_server *srv;
static struct os_device *os;
static struct base_err err;

static void collect(void *opaque, enum base_log_level level, const char *text)
{
	(void)opaque;
	if (level <= BASE_LOG_WARN)
		print_message("vnpu: %s\n", text);
}

static int setup(void **state)
{
	const struct vfu_config cfg = { .name = "test",
					.device_id = 0x7d1d,
					.engine = "plain",
					.log = { .level = BASE_LOG_DBG, .sink = collect } };

	(void)state;
	strcpy(dir, "/tmp/os-vfu-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(vfu_server_create(&cfg, &srv, &err), 0);
	assert_int_equal(vfu_server_listen(srv, path, &err), 0);
	if (os_vfio_user_create(path, &os, &err))
		fail_msg("%s", err.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	os_vfio_user_destroy(os);
	vfu_server_destroy(srv);
	srv = NULL;
	rmdir(dir);
	return 0;
}

static void test_config_and_bars(void **state)
{
	struct os_bar bar;
	u32 val = 0;

	(void)state;
	assert_string_equal(os->location, strcat(strcpy((char[80]){ 0 }, "vfio-user:"), path));
	assert_int_equal(os->ops->cfg_rd(os, 0, 4, &val), 0);
	assert_int_equal(val, 0x7d1d8086);
	assert_int_equal(os->ops->cfg_rd(os, 2, 2, &val), 0);
	assert_int_equal(val, 0x7d1d);
	assert_int_equal(os->ops->cfg_rd(os, 4096, 4, &val), -EINVAL);
	assert_int_equal(os->ops->bar_info(os, 0, &bar), 0);
	assert_int_equal(bar.size, 128 << 20);
	assert_true(bar.is_64bit);
	assert_false(bar.prefetchable);
	assert_int_equal(os->ops->bar_info(os, 1, &bar), 0);
	assert_int_equal(bar.size, 0);
	assert_int_equal(os->ops->bar_info(os, 6, &bar), -EINVAL);
	assert_int_equal(os->ops->bar_map(os, 4), 0);
	assert_int_equal(os->ops->bar_map(os, 2), -EINVAL);
	assert_int_equal(os->ops->cfg_wr(os, 4, 2, 6), 0);
	os->ops->wr32(os, REG_BAR_BTRS_MTL, REG_BTRS_MTL_WP_REQ_PAYLOAD0, 0x1234);
	assert_int_equal(os->ops->rd32(os, REG_BAR_BTRS_MTL, REG_BTRS_MTL_WP_REQ_PAYLOAD0), 0x1234);
	assert_int_equal(os->ops->reset(os), 0);
	assert_int_equal(os->ops->cfg_rd(os, 4, 2, &val), 0);
	assert_int_equal(val, 0);
}

/* What the server has mapped at a device address. */
static u8 *server_view(u64 addr)
{
	for (u32 i = 0; i < srv->dma.nr; i++) {
		const struct vfu_dma_entry *e = &srv->dma.entries[i];

		if (addr - e->addr < e->len)
			return e->host + (addr - e->addr);
	}
	return NULL;
}

static void test_memory_is_shared(void **state)
{
	struct os_dma dma[40];
	u32 nr_maps;

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(dma); i++) {
		u64 size = i % 8 ? 0x1000 + i * 0x800 : 0x300000;
		u8 *view;

		assert_int_equal(os->ops->dma_alloc(os, size, 4096, OS_CACHE_WB, i & 1 ? 32 : 38,
						    false, &dma[i]),
				 0);
		view = server_view(dma[i].segs[0].addr);
		assert_non_null(view);
		for (u64 at = 0; at < dma[i].size; at += 64) {
			assert_int_equal(view[at], 0);
			((u8 *)dma[i].cpu)[at] = (u8)(i + 1);
			assert_int_equal(view[at], i + 1);
		}
		view[5] = 77;
		assert_int_equal(((u8 *)dma[i].cpu)[5], 77);
	}
	assert_int_equal(os_vfio_user_live_dma(os), BASE_ARRAY_SIZE(dma));
	nr_maps = srv->dma.nr;
	assert_in_range(nr_maps, 6, 20); /* small ones share */
	for (u32 i = 0; i < BASE_ARRAY_SIZE(dma); i++)
		os->ops->dma_free(os, &dma[i]);
	assert_int_equal(srv->dma.nr, 0);
	assert_int_equal(os_vfio_user_live_dma(os), 0);
}

/* A loop that watches the descriptor tells of it; who waits after all, asks the system again. */
static void test_told(void **state)
{
	(void)state;
	assert_int_equal(os->ops->irq_setup(os), 0);
	os->ops->listen(os, true);
	vfu_irq_fire(&srv->irq);
	os->ops->listen(os, false);
	assert_false(os->ops->irq_ack(os)); /* not told yet */
	os->ops->event(os);
	assert_true(os->ops->irq_ack(os));
	assert_false(os->ops->irq_ack(os));
	os->ops->listen(os, true);
	os->ops->event(os);
	os->ops->listen(os, false);
	assert_int_equal(os->ops->irq_setup(os), 0); /* what was before it, is forgotten */
	assert_false(os->ops->irq_ack(os));
	vfu_irq_fire(&srv->irq);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), 0);
	assert_true(os->ops->irq_ack(os));
	assert_false(os->ops->irq_ack(os));
	os->ops->irq_teardown(os);
}

static void *wake_later(void *arg)
{
	usleep(20000);
	os->ops->wake(os);
	return arg;
}

static void test_waiting(void **state)
{
	pthread_t thread;
	u64 start = os->ops->now_ns(os);

	(void)state;
	assert_int_equal(os->ops->wait(os, start + 2 * BASE_NS_PER_MS), -ETIMEDOUT);
	assert_true(os->ops->now_ns(os) >= start + 2 * BASE_NS_PER_MS);
	os->ops->wake(os); /* before: not lost, and only once */
	assert_int_equal(os->ops->wait(os, UINT64_MAX), -EINTR);
	assert_int_equal(os->ops->wait(os, 0), -ETIMEDOUT);
	assert_int_equal(pthread_create(&thread, NULL, wake_later, NULL), 0);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), -EINTR);
	pthread_join(thread, NULL);
	assert_int_equal(os->ops->irq_setup(os), 0);
	assert_false(os->ops->irq_ack(os));
	vfu_irq_fire(&srv->irq);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), 0);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), 0); /* until somebody takes it */
	assert_true(os->ops->irq_ack(os));
	assert_false(os->ops->irq_ack(os));
	os->ops->irq_teardown(os);
	vfu_irq_fire(&srv->irq);
	assert_int_equal(os->ops->wait(os, 0), -ETIMEDOUT);
	start = os->ops->now_ns(os);
	os->ops->delay_ns(os, 100 * BASE_NS_PER_US);
	assert_true(os->ops->now_ns(os) >= start + 100 * BASE_NS_PER_US);
}

static struct drv_dev *boot(void)
{
	const struct drv_config cfg = { .ignore_env = true };
	struct drv_dev *dev;

	if (drv_create(os, &cfg, &dev, &err) || drv_boot(dev, &err))
		fail_msg("%s", err.text);
	return dev;
}

static void test_driver_boots_and_stops(void **state)
{
	(void)state;
	for (u32 i = 0; i < 5; i++) {
		struct drv_dev *dev = boot();

		if (drv_shutdown(dev, &err))
			fail_msg("%s", err.text);
		drv_destroy(dev);
		assert_int_equal(os_vfio_user_live_dma(os), 0);
	}
	for (u32 cls = 0; cls < VFU_NR_CLASSES; cls++)
		assert_int_equal(vfu_server_findings(srv, (enum vfu_class)cls), 0);
}

/* Every table, message and job is asked for, piece by piece. */
static void test_driver_without_shared_memory(void **state)
{
	struct drv_dev *dev;
	struct drv_ctx *ctx;
	struct drv_queue *queue;
	struct drv_bo *bo;
	struct abi_completion done;
	struct cmdlist list;

	(void)state;
	os_vfio_user_by_message(os);
	dev = boot();
	assert_int_equal(drv_ctx_create(dev, &ctx), 0);
	assert_int_equal(drv_bo_create(ctx, 0x4000, 0, 0, &bo), 0);
	assert_int_equal(drv_queue_create(ctx, 1, &queue), 0);
	list = (struct cmdlist){ .cpu = drv_bo_cpu(bo),
				 .addr = drv_bo_addr(bo),
				 .size = sizeof(struct abi_cmdbuf_header) };
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, list.addr + 0x400, 7);
	for (u32 i = 0; i < 50; i++) {
		const struct abi_job job = { .cmd_addr = list.addr + CMDLIST_OFF, .cookie = i };
		u64 next_ns;

		memset(list.cpu + 0x400, 0, 8);
		assert_int_equal(drv_queue_submit(queue, &job, 1), 1);
		for (next_ns = drv_process(dev); !drv_queue_reap(queue, &done, 1);
		     next_ns = drv_process(dev))
			if (i % 2) /* or by polling alone */
				(void)!drv_wait(dev, next_ns);
		assert_int_equal(done.cookie, i);
		assert_int_equal(done.status, 0);
		assert_int_equal(*(u64 *)(void *)(list.cpu + 0x400), 7);
	}
	drv_queue_destroy(queue);
	drv_bo_destroy(bo);
	drv_ctx_destroy(ctx);
	if (drv_shutdown(dev, &err))
		fail_msg("%s", err.text);
	drv_destroy(dev);
	for (u32 i = 0; i < srv->dma.nr; i++)
		assert_null(srv->dma.entries[i].host);
	assert_int_equal(os_vfio_user_live_dma(os), 0);
	for (u32 cls = 0; cls < VFU_NR_CLASSES; cls++)
		assert_int_equal(vfu_server_findings(srv, (enum vfu_class)cls), 0);
}

/* All-ones, no hang, nothing leaked: as if the card had been pulled out. */
static void test_server_goes(void **state)
{
	struct drv_dev *dev = boot();
	struct os_dma dma;
	u32 val;

	(void)state;
	vfu_server_destroy(srv);
	srv = NULL;
	assert_int_equal(os->ops->wait(os, UINT64_MAX), 0); /* look, it says */
	assert_true(os->ops->irq_ack(os));
	assert_int_equal(os->ops->rd32(os, 4, 0), UINT32_MAX);
	assert_int_equal(os->ops->rd64(os, 0, 0), UINT64_MAX);
	os->ops->wr32(os, 4, 0, 0);
	assert_int_equal(os->ops->cfg_rd(os, 0, 4, &val), -ENODEV);
	assert_int_equal(os->ops->reset(os), -ENODEV);
	assert_int_equal(
		os->ops->dma_alloc(os, 0x300000, 0, OS_CACHE_WB, 38, OS_DMA_CONTIGUOUS, &dma),
		-ENOMEM);
	drv_destroy(dev);
	assert_int_equal(os_vfio_user_live_dma(os), 0);
}

static void test_nobody_there(void **state)
{
	struct os_device *none = NULL;

	(void)state;
	assert_int_equal(os_vfio_user_create("/nowhere/at/all", &none, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_int_equal(os_vfio_user_create("", &none, &err), -EINVAL);
	assert_null(none);
	os_vfio_user_destroy(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_config_and_bars),
		T(test_memory_is_shared),
		T(test_waiting),
		T(test_told),
		T(test_driver_boots_and_stops),
		T(test_driver_without_shared_memory),
		T(test_server_goes),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
