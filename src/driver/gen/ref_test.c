// SPDX-License-Identifier: MIT
/* The reference NPU's status, rings and boot, on registers that only remember. */
#include "driver/gen/ref.c"
#include "driver/gen/ref_jobs.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/test_os.h"

static struct test_os os;
static struct drv_dev dev;
static struct ref ref;
static struct drv_gen_info info;
static struct ref_ring ring;
static struct abi_ref_slot slots[ABI_REF_RING_ENTRIES];
static int failed;

/* neighbours */
void drv_fail(struct drv_dev *d, int code, const char *fmt, ...)
{
	(void)d, (void)fmt;
	failed = code;
}

void drv_fail_job(struct drv_dev *d, const char *fmt, ...)
{
	drv_fail(d, -ETIMEDOUT, "%s", fmt);
}

void drv_dump_registers(struct drv_dev *d, void (*line)(void *opaque, const char *text),
			void *opaque)
{
	(void)d;
	line(opaque, "registers");
}

int drv_pci_cycle(struct drv_dev *d)
{
	(void)d;
	return 0;
}

void drv_pm_idle(struct drv_dev *d)
{
	(void)d;
}

void drv_job_end(struct drv_dev *d, u32 id, u32 status)
{
	(void)d, (void)id, (void)status;
}

int drv_bo_memory(struct drv_dev *d, const struct drv_bo_spec *spec, u64 align, u32 how,
		  struct drv_bo *bo)
{
	return d->ops->dma_alloc(d->os, bo->size, align, spec->cache, d->gen->dma_bits, how,
				 &bo->dma);
}

void drv_bo_release(struct drv_dev *d, struct drv_bo *bo)
{
	(void)d, (void)bo;
}

void drv_ring_init(struct drv_ring *r, void *page)
{
	*r = (struct drv_ring){ .page = page };
}

int drv_va_alloc_at(struct drv_va *va, u64 addr, u64 size, void *owner)
{
	(void)va, (void)addr, (void)size, (void)owner;
	return 0;
}

void drv_va_free(struct drv_va *va, u64 addr)
{
	(void)va, (void)addr;
}

static int setup(void **state)
{
	(void)state;
	test_os_init(&os);
	memset(&ref, 0, sizeof(ref));
	info = drv_gen_ref;
	dev = (struct drv_dev){ .os = &os.os,
				.ops = os.os.ops,
				.info = &info,
				.gen = &reg_gen_ref,
				.gen_priv = &ref,
				.log = { .masked = UINT32_MAX } };
	failed = 0;
	ref_ring_init(&ring, 0, slots, 4);
	return 0;
}

static void set_tail(u32 tail)
{
	*test_os_reg(&os, 0, REG_REF_STATUS) = tail;
}

/* The named cases of the original design. */
static void status_classes(void **state)
{
	static const struct {
		u32 raw;
		const char *text;
	} cases[] = {
		{ 0x00000000, "not responding, code 0x0" },
		{ 0xf00d0000, "ready, code 0x0" },
		{ 0xf00d1234, "ready, code 0x1234" },
		{ 0xdeadbeef, "fatal, code 0xbeef" },
		{ 0xcafe0001, "booting, code 0x1" },
		{ 0xe0000042, "boot error, code 0x42" },
		{ 0xb0000007, "boot step, code 0x7" },
		{ 0xb000ffff, "boot step, code 0xffff" },
		{ 0x12345678, "unknown, code 0x5678" },
		{ 0xb0010000, "unknown, code 0x0" },
		{ 0xe0010000, "unknown, code 0x0" },
		{ 0x0000002a, "not responding, code 0x2a" },
		{ 0xffff0000, "unknown, code 0x0" },
	};
	char text[48];

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		status_text(cases[i].raw, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

/* The ring of 4 of the original design, slots returned right across the wrap. */
static void ring_of_four(void **state)
{
	struct abi_job job = { .flags = ABI_JOB_INFERENCE };

	(void)state;
	for (int i = 0; i < 3; i++) {
		job.cookie = (u64)i;
		assert_int_equal(ref_submit(&dev, &ring, &job), i);
	}
	assert_int_equal(ring.head, 3);
	assert_int_equal(ring.tail, 0);
	assert_int_equal(ref_submit(&dev, &ring, &job), -EAGAIN); /* one slot stays empty */
	assert_int_equal(ref_poll_completion(&dev, &ring), -EAGAIN);
	set_tail(2);
	assert_int_equal(ref_poll_completion(&dev, &ring), 0);
	assert_int_equal(ref_poll_completion(&dev, &ring), 1);
	assert_int_equal(ref_poll_completion(&dev, &ring), -EAGAIN);
	assert_int_equal(ring.tail, 2);
	assert_int_equal(ref_submit(&dev, &ring, &job), 3);
	assert_int_equal(ref_submit(&dev, &ring, &job), 0);
	assert_int_equal(ring.head, 1);
	assert_int_equal(*test_os_reg(&os, 0, REG_REF_DOORBELL_0), 1);
	set_tail(1);
	assert_int_equal(ref_poll_completion(&dev, &ring), 2);
	assert_int_equal(ref_poll_completion(&dev, &ring), 3);
	assert_int_equal(ref_poll_completion(&dev, &ring), 0);
	assert_int_equal(ref_poll_completion(&dev, &ring), -EAGAIN);
}

static void slots_are_64_bytes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct abi_ref_slot), 64);
	assert_int_equal(_Alignof(struct abi_ref_slot), 64);
	assert_int_equal((uintptr_t)&ring.slots[1] - (uintptr_t)&ring.slots[0], 64);
}

static void second_ring_has_its_own_registers(void **state)
{
	struct abi_job job = { 0 };

	(void)state;
	ref_ring_init(&ring, 1, slots, 256);
	assert_int_equal(ref_submit(&dev, &ring, &job), 0);
	assert_int_equal(*test_os_reg(&os, 0, REG_REF_DOORBELL_1), 1);
	assert_int_equal(*test_os_reg(&os, 0, REG_REF_DOORBELL_0), 0);
	set_tail(0x00010007);
	assert_int_equal(ref_poll_completion(&dev, &ring), 0);
}

/* A tail that cannot be, and a device that is gone. */
static void tails_are_checked(void **state)
{
	struct abi_job job = { 0 };

	(void)state;
	assert_int_equal(ref_submit(&dev, &ring, &job), 0);
	for (u32 tail = 2; tail < 300; tail++) {
		set_tail(tail);
		assert_int_equal(ref_poll_completion(&dev, &ring), -EPROTO);
	}
	set_tail(UINT32_MAX);
	assert_int_equal(ref_poll_completion(&dev, &ring), -ENODEV);
	set_tail(1);
	assert_int_equal(ref_poll_completion(&dev, &ring), 0);
}

/* Which look at FW_STATUS is an end, which another attempt. */
static void each_class_has_its_rung(void **state)
{
	static const struct {
		u32 raw;
		int ret[5]; /* of the first looks */
	} cases[] = {
		{ 0xf00d0000, { 0 } },
		{ 0x00000000, { -EAGAIN, -EAGAIN } },
		{ 0xcafe0001, { -EAGAIN, -EAGAIN } },
		{ 0xb0000001, { -EAGAIN, -EAGAIN } },
		{ 0x12345678, { -EAGAIN, -EAGAIN } },
		{ 0xffffffff, { -ENODEV } },
		{ 0xe0000042, { DRV_SEQ_AGAIN, DRV_SEQ_AGAIN, DRV_SEQ_AGAIN, -EIO } },
		{ 0xdeadbeef, { DRV_SEQ_AGAIN, -EIO } },
	};

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		assert_int_equal(begin_boot(&dev), 0);
		*test_os_reg(&os, 0, REG_REF_FW_STATUS) = cases[i].raw;
		for (u32 n = 0; n < 5 && (n < 1 || cases[i].ret[n]); n++)
			assert_int_equal(wait_for_ready(&dev), cases[i].ret[n]);
		assert_int_equal(is_fatal(&dev), cases[i].raw >> 16 == 0xdead);
	}
}

static void firmware_that_dies_is_noticed(void **state)
{
	(void)state;
	*test_os_reg(&os, 0, REG_REF_FW_STATUS) = 0xf00d0000;
	ref_look_at_firmware(&dev);
	assert_int_equal(failed, 0);
	*test_os_reg(&os, 0, REG_REF_FW_STATUS) = 0xdead0001;
	ref_look_at_firmware(&dev);
	assert_int_equal(failed, -EIO);
	*test_os_reg(&os, 0, REG_REF_FW_STATUS) = UINT32_MAX;
	ref_look_at_firmware(&dev);
	assert_int_equal(failed, -ENODEV);
}

static void firmware_address_is_a_page(void **state)
{
	struct os_dma_seg seg = { .addr = 0x123456000, .len = 4096 };

	(void)state;
	ref.dma.segs = &seg;
	assert_int_equal(set_firmware_address(&dev), 0);
	assert_int_equal(*test_os_reg(&os, 0, REG_REF_LOADING_ADDR_LO), 0x23456000);
	assert_int_equal(*test_os_reg(&os, 0, REG_REF_LOADING_ADDR_HI), 1);
	seg.addr += 64;
	assert_int_equal(set_firmware_address(&dev), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(status_classes, setup),
		cmocka_unit_test_setup(ring_of_four, setup),
		cmocka_unit_test_setup(slots_are_64_bytes, setup),
		cmocka_unit_test_setup(second_ring_has_its_own_registers, setup),
		cmocka_unit_test_setup(tails_are_checked, setup),
		cmocka_unit_test_setup(each_class_has_its_rung, setup),
		cmocka_unit_test_setup(firmware_that_dies_is_noticed, setup),
		cmocka_unit_test_setup(firmware_address_is_a_page, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
