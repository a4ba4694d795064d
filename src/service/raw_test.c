// SPDX-License-Identifier: MIT
/* mmio: and dma:, on a driver core that is made up: BAR0 of 64 bytes. */
#include "service/fake_drv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "service/svc.h"

#define FIRST_BAR "0x10000000000" /* of a device whose seam knows no addresses */

struct fixture {
	struct drv_dev drv;
	struct svc *svc;
	struct svc_client *root, *user;
	u32 idx;
	u32 reported;
};

static const struct svc_limits limits = { .memory_bytes = 1 << 20 };

static struct svc_client *client_of(struct fixture *f, bool privileged)
{
	struct svc_cred cred = { .privileged = privileged, .transport = f };
	struct svc_client *client;

	assert_int_equal(svc_client_create(f->svc, &cred, &client), 0);
	return client;
}

static struct fixture *make(enum svc_mmio mmio, bool dma)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->drv.state = DRV_READY;
	assert_int_equal(svc_create(&limits, &f->svc), 0);
	svc_offer(f->svc, mmio, dma);
	assert_int_equal(svc_add_device(f->svc, &f->drv, 0, &f->idx), 0);
	f->root = client_of(f, true);
	f->user = client_of(f, false);
	for (u32 i = 0; i < sizeof(f->drv.regs); i++)
		f->drv.regs[i] = (u8)(0x10 + i);
	return f;
}

static void end(struct fixture *f)
{
	svc_client_close(f->root);
	svc_client_close(f->user);
	assert_int_equal(svc_remove_device(f->svc, f->idx, NULL), 0);
	svc_destroy(f->svc);
	assert_int_equal(f->drv.nr_dmas, 0);
	free(f);
}

static int open_as(struct svc_client *client, const char *path, u32 *handle)
{
	struct base_err err = { 0 };
	int ret = svc_open(client, path, handle, &err);

	if (ret) /* every refusal has its sentence */
		assert_true(err.text[0]);
	return ret;
}

static u32 opened(struct fixture *f, const char *path)
{
	u32 handle = 0;

	assert_int_equal(open_as(f->root, path, &handle), 0);
	return handle;
}

static void test_off(void **state)
{
	struct fixture *f = make(SVC_MMIO_OFF, false);
	u32 handle;

	(void)state;
	assert_int_equal(open_as(f->root, "mmio:" FIRST_BAR "/4", &handle), -ENOENT);
	assert_int_equal(open_as(f->root, "dma:4096", &handle), -ENOENT);
	end(f);
}

static void test_root_only(void **state)
{
	struct fixture *f = make(SVC_MMIO_RW, true);
	u32 handle;

	(void)state;
	assert_int_equal(open_as(f->user, "mmio:" FIRST_BAR "/4", &handle), -EACCES);
	assert_int_equal(open_as(f->user, "dma:4096", &handle), -EACCES);
	assert_int_equal(open_as(f->user, "0/regions", &handle), -EACCES);
	end(f);
}

static void test_window_paths(void **state)
{
	static const struct {
		const char *path;
		int want;
	} rows[] = {
		{ "mmio:" FIRST_BAR "/64", 0 },
		{ "mmio:" FIRST_BAR "/0x40", 0 },
		{ "mmio:1099511627776/1", 0 }, /* the same address in decimal */
		{ "mmio:0x1000000003f/1", 0 },
		{ "mmio:" FIRST_BAR "/65", -EACCES },
		{ "mmio:0x1000000003f/2", -EACCES },
		{ "mmio:0xffffffffff/1", -EACCES },
		{ "mmio:0x11000000000/1", -EACCES }, /* BAR1, which is not there */
		{ "mmio:0/1", -EACCES },
		{ "mmio:" FIRST_BAR "/0", -EINVAL },
		{ "mmio:" FIRST_BAR, -EINVAL },
		{ "mmio:" FIRST_BAR "/", -EINVAL },
		{ "mmio:/4", -EINVAL },
		{ "mmio:", -EINVAL },
		{ "mmio:" FIRST_BAR "/4/4", -EINVAL },
		{ "mmio:" FIRST_BAR "/4?x=1", -EINVAL },
		{ "mmio:-1/4", -EINVAL },
		{ "mmio:0xffffffffffffffff/2", -EINVAL },
		{ "mmio:0x10000000000000000/4", -EINVAL },
		{ "mmio:zz/4", -EINVAL },
	};
	struct fixture *f = make(SVC_MMIO_RO, false);

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		u32 handle;
		int ret = open_as(f->root, rows[i].path, &handle);

		if (ret != rows[i].want)
			fail_msg("%s: %d, expected %d", rows[i].path, ret, rows[i].want);
	}
	end(f);
}

/* The seam's own address, where it knows one. */
static void test_bus_address(void **state)
{
	struct fixture *f = make(SVC_MMIO_RO, false);
	char text[100] = "";
	u32 handle;

	(void)state;
	f->drv.bar_addr = 0x5010000000;
	handle = opened(f, "0/regions");
	assert_true(svc_read(f->root, handle, text, sizeof(text) - 1, NULL) > 0);
	assert_string_equal(text, "bar0: 0x5010000000/0x40\n");
	(void)opened(f, "mmio:0x5010000000/0x40");
	assert_int_equal(open_as(f->root, "mmio:" FIRST_BAR "/4", &handle), -EACCES);
	end(f);
}

static void expect_read(struct fixture *f, u32 w, u64 size, u64 want)
{
	u64 val = 0;

	assert_int_equal(svc_read(f->root, w, &val, size, NULL), size);
	assert_int_equal(val, want);
	assert_int_equal(f->drv.access_bytes, size);
}

static void test_read(void **state)
{
	struct fixture *f = make(SVC_MMIO_RO, false);
	u32 w = opened(f, "mmio:" FIRST_BAR "/64");
	u8 buf[16];

	(void)state;
	/* each moves on by its size */
	expect_read(f, w, 4, 0x13121110);
	expect_read(f, w, 2, 0x1514);
	expect_read(f, w, 1, 0x16);
	expect_read(f, w, 1, 0x17);
	expect_read(f, w, 8, 0x1f1e1d1c1b1a1918);
	assert_int_equal(svc_read(f->root, w, buf, 16, NULL), -EINVAL);
	assert_int_equal(svc_read(f->root, w, buf, 3, NULL), -EINVAL);
	assert_int_equal(svc_read(f->root, w, buf, 0, NULL), -EINVAL);
	expect_read(f, w, 1, 0x20);
	assert_int_equal(svc_read(f->root, w, buf, 4, NULL), -EINVAL); /* not aligned */
	end(f);
}

static void test_seek(void **state)
{
	struct fixture *f = make(SVC_MMIO_RO, false);
	u32 w = opened(f, "mmio:0x10000000008/0x10");
	struct svc_stat stat;
	u8 buf[8];

	(void)state;
	assert_int_equal(svc_seek(f->root, w, 8, SVC_SEEK_SET, NULL), 8);
	expect_read(f, w, 4, 0x23222120);
	assert_int_equal(svc_seek(f->root, w, -8, SVC_SEEK_CUR, NULL), 4);
	expect_read(f, w, 4, 0x1f1e1d1c);
	assert_int_equal(svc_seek(f->root, w, -4, SVC_SEEK_END, NULL), 12);
	expect_read(f, w, 4, 0x27262524);
	/* at the end there is nothing more, and nothing behind it */
	assert_int_equal(svc_read(f->root, w, buf, 4, NULL), -EINVAL);
	assert_int_equal(svc_seek(f->root, w, 0, SVC_SEEK_END, NULL), 16);
	assert_int_equal(svc_seek(f->root, w, 1, SVC_SEEK_END, NULL), -EINVAL);
	assert_int_equal(svc_seek(f->root, w, -1, SVC_SEEK_SET, NULL), -EINVAL);
	assert_int_equal(svc_seek(f->root, w, INT64_MIN, SVC_SEEK_CUR, NULL), -EINVAL);
	assert_int_equal(svc_seek(f->root, w, INT64_MAX, SVC_SEEK_CUR, NULL), -EINVAL);
	assert_int_equal(svc_seek(f->root, w, 0, SVC_SEEK_CUR, NULL), 16);
	assert_int_equal(svc_stat(f->root, w, &stat, NULL), 0);
	assert_int_equal(stat.size_bytes, 16);
	assert_int_equal(svc_seek(f->root, w, 0, 3, NULL), -EINVAL);
	assert_int_equal(svc_seek(f->root, 99, 0, SVC_SEEK_SET, NULL), -EBADF);
	assert_int_equal(svc_seek(f->root, opened(f, "0/info"), 0, SVC_SEEK_SET, NULL),
			 -EOPNOTSUPP);
	end(f);
}

static void test_write(void **state)
{
	struct fixture *f = make(SVC_MMIO_RW, false);
	u32 w = opened(f, "mmio:" FIRST_BAR "/64");
	u8 buf[16] = { 0xaa, 0xbb, 0xcc, 0xdd };

	(void)state;
	assert_int_equal(svc_write(f->root, w, buf, 4, NULL), 4);
	assert_memory_equal(f->drv.regs, buf, 4);
	assert_int_equal(f->drv.access_bytes, 4);
	assert_int_equal(svc_write(f->root, w, buf, 1, NULL), 1);
	assert_int_equal(f->drv.regs[4], 0xaa);
	assert_int_equal(f->drv.regs[5], 0x15);
	assert_int_equal(svc_write(f->root, w, buf, 2, NULL), -EINVAL);
	assert_int_equal(svc_write(f->root, w, buf, 16, NULL), -EINVAL);
	end(f);
}

static void test_read_only(void **state)
{
	struct fixture *f = make(SVC_MMIO_RO, false);
	u32 w = opened(f, "mmio:" FIRST_BAR "/64");
	u8 buf[4] = { 1, 2, 3, 4 };

	(void)state;
	assert_int_equal(svc_write(f->root, w, buf, 4, NULL), -EACCES);
	assert_int_equal(f->drv.regs[0], 0x10);
	f->drv.writable = true; /* no driver runs it any more */
	assert_int_equal(svc_write(f->root, w, buf, 4, NULL), 4);
	end(f);
}

static int call_at(struct fixture *f, u32 w, u64 off, u32 bytes, u32 is_write, u64 *val)
{
	struct svc_call_mmio call = { .head = { SVC_CALL_MMIO, SVC_CALL_VERSION, sizeof(call) },
				      .off = off,
				      .bytes = bytes,
				      .is_write = is_write,
				      .val = *val };
	int ret = svc_call(f->root, w, &call, sizeof(call), NULL);

	*val = call.val;
	return ret;
}

static void test_call(void **state)
{
	struct fixture *f = make(SVC_MMIO_RW, false);
	u32 w = opened(f, "mmio:0x10000000010/0x10");
	u64 val = 0;

	(void)state;
	assert_int_equal(call_at(f, w, 4, 4, 0, &val), 0);
	assert_int_equal(val, 0x27262524);
	val = 0x1234;
	assert_int_equal(call_at(f, w, 4, 2, 1, &val), 0);
	assert_int_equal(f->drv.regs[0x14] | f->drv.regs[0x15] << 8, 0x1234);
	assert_int_equal(svc_seek(f->root, w, 0, SVC_SEEK_CUR, NULL), 0); /* it stays where it is */
	assert_int_equal(call_at(f, w, 16, 1, 0, &val), -EINVAL);
	assert_int_equal(call_at(f, w, UINT64_MAX, 8, 0, &val), -EINVAL);
	assert_int_equal(call_at(f, w, 2, 4, 0, &val), -EINVAL);
	assert_int_equal(call_at(f, w, 0, 3, 0, &val), -EINVAL);
	assert_int_equal(call_at(f, w, 0, 4, 2, &val), -EINVAL);
	end(f);
}

static void on_ready(void *transport, u32 handle)
{
	((struct fixture *)transport)->reported = handle;
}

static void test_sleeping(void **state)
{
	struct fixture *f = make(SVC_MMIO_RO, false);
	u32 w = opened(f, "mmio:" FIRST_BAR "/64");
	u64 val;

	(void)state;
	f->drv.window_state = -EAGAIN;
	assert_int_equal(svc_read(f->root, w, &val, 4, NULL), -EAGAIN);
	assert_int_equal(svc_arm(f->root, w, NULL), 0);
	svc_process(f->svc, on_ready);
	assert_int_equal(f->reported, 0);
	f->drv.window_state = 0;
	svc_process(f->svc, on_ready);
	assert_int_equal(f->reported, w);
	expect_read(f, w, 4, 0x13121110);
	f->drv.window_state = -EBUSY;
	assert_int_equal(svc_read(f->root, w, &val, 4, NULL), -EBUSY);
	f->drv.window_state = -ENODEV;
	assert_int_equal(svc_wait(f->root, w, 0, NULL), -ENODEV);
	end(f);
}

static void test_dma_paths(void **state)
{
	static const struct {
		const char *path;
		int want;
		u64 size, align;
	} rows[] = {
		{ "dma:1", 0, 4096, 4096 },
		{ "dma:4096", 0, 4096, 4096 },
		{ "dma:0x1001", 0, 8192, 4096 },
		{ "dma:4096/1", 0, 4096, 4096 },
		{ "dma:4096/131072", 0, 4096, 131072 },
		{ "dma:4096/0x20000", 0, 4096, 131072 },
		{ "dma:0", -EINVAL, 0, 0 },
		{ "dma:", -EINVAL, 0, 0 },
		{ "dma:536870913", -EINVAL, 0, 0 },
		{ "dma:536870912", -ENOMEM, 0, 0 }, /* the quota */
		{ "dma:4096/", -EINVAL, 0, 0 },
		{ "dma:4096/0", -EINVAL, 0, 0 },
		{ "dma:4096/3", -EINVAL, 0, 0 },
		{ "dma:4096/4096/1", -EINVAL, 0, 0 },
		{ "dma:4096?align=1", -EINVAL, 0, 0 },
	};
	struct fixture *f = make(SVC_MMIO_OFF, true);

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		struct svc_stat stat;
		u32 handle = 0;
		int ret = open_as(f->root, rows[i].path, &handle);

		if (ret != rows[i].want)
			fail_msg("%s: %d, expected %d", rows[i].path, ret, rows[i].want);
		if (ret)
			continue;
		assert_int_equal(svc_stat(f->root, handle, &stat, NULL), 0);
		assert_int_equal(stat.size_bytes, rows[i].size);
		assert_int_equal(f->drv.dma_align, rows[i].align);
	}
	end(f);
}

static void test_dma(void **state)
{
	struct fixture *f = make(SVC_MMIO_OFF, true);
	struct svc_call_dma call = { .head = { SVC_CALL_DMA, SVC_CALL_VERSION, sizeof(call) } };
	u32 handle = opened(f, "dma:8192");
	struct svc_mapping map;
	struct abi_dma desc;

	(void)state;
	assert_int_equal(svc_read(f->root, handle, &desc, 15, NULL), -EINVAL);
	assert_int_equal(svc_read(f->root, handle, &desc, sizeof(desc), NULL), sizeof(desc));
	assert_int_equal(desc.addr, FAKE_BASE);
	assert_int_equal(desc.size_bytes, 8192);
	assert_int_equal(svc_read(f->root, handle, &desc, sizeof(desc), NULL), 0);
	assert_int_equal(svc_call(f->root, handle, &call, sizeof(call), NULL), 0);
	assert_memory_equal(&call.mem, &desc, sizeof(desc));
	assert_int_equal(svc_map(f->root, handle, &map, NULL), 0);
	assert_int_equal(map.size_bytes, 8192);
	assert_int_equal(map.fd, 77);
	assert_int_equal(svc_close(f->root, handle, NULL), 0);
	assert_int_equal(f->drv.nr_dmas, 0);
	end(f);
}

/* What was freed can be had again; what a client leaves is freed with it. */
static void test_dma_quota(void **state)
{
	struct fixture *f = make(SVC_MMIO_OFF, true);
	u32 handle, first = opened(f, "dma:0x80000");

	(void)state;
	(void)opened(f, "dma:0x80000");
	assert_int_equal(open_as(f->root, "dma:1", &handle), -ENOMEM);
	assert_int_equal(svc_close(f->root, first, NULL), 0);
	(void)opened(f, "dma:0x80000");
	assert_int_equal(f->drv.nr_dmas, 2);
	f->drv.dma_error = -ENOMEM;
	assert_int_equal(svc_close(f->root, first, NULL), 0);
	assert_int_equal(open_as(f->root, "dma:1", &handle), -ENOMEM);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),	     cmocka_unit_test(test_root_only),
		cmocka_unit_test(test_window_paths), cmocka_unit_test(test_bus_address),
		cmocka_unit_test(test_read),	     cmocka_unit_test(test_seek),
		cmocka_unit_test(test_write),	     cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_call),	     cmocka_unit_test(test_sleeping),
		cmocka_unit_test(test_dma_paths),    cmocka_unit_test(test_dma),
		cmocka_unit_test(test_dma_quota),
	};

	return cmocka_run_group_tests_name("raw access", tests, NULL, NULL);
}
