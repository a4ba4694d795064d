// SPDX-License-Identifier: MIT
/* The socket in one thread: virtual time, the device's interrupts and memory, and its end. */
#include "os/loopback.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/inproc.h"
#include "os/vfio_user.h"
#include "regs/gen.h"
#include "vnpu/vnpu.h"

enum { MEMORY_MASTER = 6 };

static struct os_device *npu, *os;
static struct os_loopback *l;
static struct base_err err;

static int setup(void **state)
{
	const struct os_inproc_config cfg = { .gen = "ref", .stepped = true, .engine = "plain" };

	(void)state;
	assert_int_equal(os_inproc_create(&cfg, &npu, &err), 0);
	if (os_loopback_create(npu, true, &l, &err))
		fail_msg("%s", err.text);
	os = os_loopback_seam(l);
	assert_int_equal(os->ops->cfg_wr(os, 4, 2, MEMORY_MASTER), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_null(os_loopback_complaint(l));
	os_loopback_destroy(l);
	os_inproc_destroy(npu);
	return 0;
}

static void test_needs_a_virtual_clock(void **state)
{
	const struct os_inproc_config cfg = { .gen = "npu37", .engine = "plain" };
	struct os_loopback *none = NULL;
	struct os_device *real;

	(void)state;
	assert_int_equal(os_inproc_create(&cfg, &real, &err), 0);
	assert_int_equal(os_loopback_create(real, false, &none, &err), -EINVAL);
	assert_null(none);
	os_loopback_destroy(NULL);
	os_inproc_destroy(real);
}

/* Time passes in delay_ns() and wait() alone, and is the device's. */
static void test_time(void **state)
{
	u64 start = os->ops->now_ns(os);

	(void)state;
	assert_int_equal(start, npu->ops->now_ns(npu));
	os->ops->delay_ns(os, 1000);
	assert_int_equal(os->ops->now_ns(os), start + 1000);
	assert_int_equal(os->ops->wait(os, start + 3600 * BASE_NS_PER_S), -ETIMEDOUT);
	assert_int_equal(npu->ops->now_ns(npu), start + 3600 * BASE_NS_PER_S);
	os->ops->wake(os);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), -EINTR);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), -ETIMEDOUT);
	assert_int_equal(os->ops->now_ns(os), start + 3600 * BASE_NS_PER_S);
	assert_int_equal(os->ops->event_source(os), -EOPNOTSUPP);
}

/* A boot without firmware ends with an error code, and each change of the code interrupts. */
static void test_interrupt(void **state)
{
	(void)state;
	assert_int_equal(os->ops->irq_setup(os), 0);
	os->ops->wr32(os, 0, REG_REF_CPR_RST_CLR, 1);
	assert_int_equal(os->ops->wait(os, os->ops->now_ns(os) + BASE_NS_PER_S), -ETIMEDOUT);
	assert_false(os->ops->irq_ack(os));
	os->ops->wr32(os, 0, REG_REF_GLOBAL_INT_MASK, 0);
	os->ops->wr32(os, 0, REG_REF_HOST_2_DEVICE_DRBL, 1);
	assert_int_equal(os->ops->wait(os, os->ops->now_ns(os) + BASE_NS_PER_S), 0);
	assert_true(os->ops->irq_ack(os));
	assert_false(os->ops->irq_ack(os));
	assert_int_not_equal(os->ops->rd32(os, 0, REG_REF_INTERRUPT_STAT), 0);
	os->ops->irq_teardown(os);
}

/* In pieces, shared by descriptor: what is written on one side is there on the other. */
static void test_memory(void **state)
{
	struct os_dma dma;

	(void)state;
	assert_int_equal(os->ops->dma_alloc(os, 0x8000, 0, OS_CACHE_WB, 38, 0, &dma), 0);
	assert_int_equal(dma.nr_segs, 2);
	assert_int_equal(os_vfio_user_live_dma(os), 1);
	assert_int_equal(os_inproc_live_dma(npu), 0);
	for (u32 i = 0; i < dma.nr_segs; i++)
		assert_int_equal(vnpu_dma_map(os_inproc_vnpu(npu), dma.segs[i].addr,
					      dma.segs[i].len, dma.cpu, true),
				 -EEXIST); /* the device has it */
	os->ops->dma_free(os, &dma);
	assert_int_equal(os_vfio_user_live_dma(os), 0);
}

/* As if the card had been pulled out; at the next wait the driver is told to look. */
static void test_hang_up(void **state)
{
	u64 start = os->ops->now_ns(os);
	u32 val;

	(void)state;
	assert_int_equal(os->ops->irq_setup(os), 0);
	os_loopback_hang_up(l);
	assert_int_equal(os->ops->wait(os, UINT64_MAX), 0);
	assert_int_equal(os->ops->now_ns(os), start);
	assert_true(os->ops->irq_ack(os));
	assert_int_equal(os->ops->rd32(os, 0, REG_REF_FW_STATUS), UINT32_MAX);
	os->ops->wr32(os, 0, REG_REF_GLOBAL_INT_MASK, 0);
	assert_int_equal(os->ops->cfg_rd(os, 0, 4, &val), -ENODEV);
	assert_int_equal(os->ops->reset(os), -ENODEV);
	os_loopback_hang_up(l);
}

/* One device after the other, and one beside the other. */
static void test_again(void **state)
{
	struct os_loopback *other = NULL;
	u32 val = 0;

	(void)state;
	os_loopback_destroy(l);
	assert_int_equal(os_loopback_create(npu, false, &l, &err), 0);
	os = os_loopback_seam(l);
	assert_int_equal(os->ops->cfg_rd(os, 4, 2, &val), 0);
	assert_int_equal(val & MEMORY_MASTER, 0); /* reset meanwhile */
	assert_int_equal(os_loopback_create(npu, false, &other, &err), 0);
	os_loopback_destroy(other);
	assert_int_equal(os->ops->cfg_rd(os, 0, 4, &val), 0);
	assert_int_equal(val, 0x7d1d8086);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needs_a_virtual_clock),
		T(test_time),
		T(test_interrupt),
		T(test_memory),
		T(test_hang_up),
		T(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
