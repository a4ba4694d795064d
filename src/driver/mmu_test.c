// SPDX-License-Identifier: MIT
#include "mmu.c"
#include "seq.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/test_os.h"

static struct test_os os;
static struct drv_dev dev;
static u32 published, released, fails, aborts;
static int last_fail;
static bool answering; /* does CMDQ_CONS follow CMDQ_PROD? */
static struct abi_mmu_cmd seen[64];
static u32 nr_seen;

void drv_bo_release(struct drv_dev *d, struct drv_bo *bo)
{
	(void)d, (void)bo;
	released++;
}
void drv_pt_destroy(struct drv_dev *d, struct drv_pt *root)
{
	(void)d, (void)root;
	released++;
}
void drv_queues_publish(struct drv_dev *d)
{
	(void)d;
	published++;
}
void drv_ctx_abort(struct drv_ctx *ctx)
{
	(void)ctx;
	aborts++;
}
void drv_timer_set(struct drv_dev *d, enum drv_timer timer, u64 time_ns)
{
	d->timers[timer] = time_ns;
}
void drv_fail(struct drv_dev *d, int code, const char *fmt, ...)
{
	(void)fmt;
	d->state = DRV_FAILED;
	fails++;
	last_fail = code;
}

static void follow(struct test_os *t)
{
	u32 prod = (u32)*test_os_reg(t, 0, DRV_REG_OFF(M(CMDQ_PROD)));
	u64 *cons = test_os_reg(t, 0, DRV_REG_OFF(M(CMDQ_CONS)));

	while (*cons != prod) {
		seen[nr_seen++ % 64] = dev.mmu.cmdq[ABI_MMU_Q_SLOT(*cons)];
		*cons = ABI_MMU_Q_NEXT(*cons);
	}
}

static void on_wr(struct test_os *t, u32 bar, u32 off, u64 val)
{
	if (off == DRV_REG_OFF(M(CR0)))
		*test_os_reg(t, bar, DRV_REG_OFF(M(CR0ACK))) = val;
	if (off == DRV_REG_OFF(M(IRQ_CTRL)))
		*test_os_reg(t, bar, DRV_REG_OFF(M(IRQ_CTRLACK))) = val;
	if (off == DRV_REG_OFF(M(CMDQ_PROD)) && answering)
		follow(t);
}

static int setup(void **state)
{
	(void)state;
	test_os_init(&os);
	os.on_wr = on_wr;
	memset(&dev, 0, sizeof(dev));
	dev.os = &os.os;
	dev.ops = os.os.ops;
	dev.gen = &reg_gen_npu37;
	dev.log.masked = UINT32_MAX;
	dev.state = DRV_READY;
	dev.dma_live = true;
	drv_list_init(&dev.ctx_list);
	answering = true;
	published = released = fails = aborts = nr_seen = 0;
	if (drv_mmu_init(&dev) || drv_seq_run_now(&dev, &drv_seq_mmu))
		return -1;
	nr_seen = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dev.dma_live = false;
	drv_mmu_off(&dev);
	drv_mmu_fini(&dev);
	assert_int_equal(os.live_dma, 0);
	return 0;
}

static void test_enable(void **state)
{
	(void)state;
	assert_int_equal(*test_os_reg(&os, 0, 0x200020), 0x1d);
	assert_int_equal(*test_os_reg(&os, 0, 0x200050), 5);
	assert_int_equal(*test_os_reg(&os, 0, 0x200028), 0xd75);
	assert_int_equal(*test_os_reg(&os, 0, 0x200088), 2);
	assert_int_equal(*test_os_reg(&os, 0, 0x200098), 6);
	assert_int_equal(*test_os_reg(&os, 0, 0x200090) & 0x1f, 4);
	assert_true(*test_os_reg(&os, 0, 0x200080) >> 62 & 1);
	assert_int_equal(dev.mmu.strtab[0].w[0], 0x400000000000000b | dev.mmu.dma.segs[0].addr);
	assert_int_equal(dev.mmu.strtab[0].w[1], 0x000a000008084000);
	assert_memory_equal(&dev.mmu.strtab[3], &dev.mmu.strtab[0], 64);
	assert_int_equal(dev.mmu.strtab[1].w[0], 0);
	assert_true(dev.mmu.on);
}

static void test_descriptor(void **state)
{
	struct os_dma_seg seg = { .addr = 0x12345000, .len = 4096 };
	const struct drv_pt root = { .dma = { .segs = &seg, .nr_segs = 1 } };

	(void)state;
	drv_mmu_set_cd(&dev, 7, &root);
	assert_int_equal(dev.mmu.cds[7].w[0], 0x0007a205c0000010);
	assert_int_equal(dev.mmu.cds[7].w[1], 0x12345000);
	assert_int_equal(dev.mmu.cds[7].w[3], 0x7444);
	assert_int_equal(nr_seen, 2);
	assert_int_equal(seen[0].w[0], 0x04);
	assert_int_equal(seen[0].w[1], 0x1f);
	assert_int_equal(seen[1].w[0], 0x46);
	drv_mmu_set_cd(&dev, 0, &root);
	assert_int_equal(dev.mmu.cds[0].w[0], 0x0000e205c0000010);
	drv_mmu_silence(&dev, 7);
	assert_int_equal(dev.mmu.cds[7].w[0], 0x00078205c0000010);
	drv_mmu_set_cd(&dev, 7, NULL);
	assert_int_equal(dev.mmu.cds[7].w[0] & ABI_MMU_CD0_V, 0);
	assert_int_equal(dev.mmu.cds[7].w[1], 0);
}

static void test_invalidate(void **state)
{
	struct drv_bo bo;

	(void)state;
	drv_mmu_drop_bo(&dev, 9, &bo);
	assert_int_equal(nr_seen, 2);
	assert_int_equal(seen[0].w[0], 0x0009000000000011);
	assert_int_equal(seen[1].w[0], 0x46);
	assert_int_equal(released, 1);
	for (u32 i = 0; i < 100; i++)
		drv_mmu_invalidate(&dev, i); /* the indices wrap */
	assert_int_equal(nr_seen, 202);
	assert_false(dev.hold & DRV_HOLD_MMU);
}

/* A slow unit: memory stays until it caught up; what changes meanwhile goes with the next batch. */
static void test_slow(void **state)
{
	struct drv_bo a, b;
	u64 start = os.now_ns;

	(void)state;
	answering = false;
	drv_mmu_drop_bo(&dev, 2, &a);
	assert_true(dev.hold & DRV_HOLD_MMU);
	assert_true(os.now_ns - start <= DRV_POLL_SPIN_NS + DRV_POLL_STEP_NS);
	for (u32 ssid = 3; ssid < 40; ssid++)
		drv_mmu_invalidate(&dev, ssid);
	drv_mmu_drop_bo(&dev, 40, &b);
	assert_int_equal(released, 0);
	os.now_ns = dev.timers[DRV_TIMER_MMU];
	drv_clock(&dev);
	drv_mmu_timer(&dev);
	assert_int_equal(released, 0);
	answering = true;
	follow(&os);
	os.now_ns = dev.timers[DRV_TIMER_MMU];
	drv_clock(&dev);
	drv_mmu_timer(&dev);
	assert_false(dev.hold & DRV_HOLD_MMU);
	assert_int_equal(released, 2);
	assert_int_equal(dev.timers[DRV_TIMER_MMU], DRV_NO_TIME);
}

static void test_never(void **state)
{
	(void)state;
	answering = false;
	drv_mmu_invalidate(&dev, 2);
	for (u32 i = 0; i < 1000 && !fails; i++) {
		os.now_ns = dev.timers[DRV_TIMER_MMU];
		drv_clock(&dev);
		drv_mmu_timer(&dev);
	}
	assert_int_equal(fails, 1);
	assert_int_equal(last_fail, -ETIMEDOUT);
	assert_in_range(os.now_ns, 100 * BASE_NS_PER_MS, 105 * BASE_NS_PER_MS);
}

static void test_refused(void **state)
{
	(void)state;
	answering = false;
	*test_os_reg(&os, 0, DRV_REG_OFF(M(CMDQ_CONS))) |= 1u << 24;
	drv_mmu_invalidate(&dev, 2);
	assert_int_equal(last_fail, -EIO);
	*test_os_reg(&os, 0, DRV_REG_OFF(M(CMDQ_CONS))) = DRV_ALL_ONES;
	drv_mmu_off(&dev);
	dev.mmu.on = true;
	drv_mmu_invalidate(&dev, 2);
	assert_int_equal(last_fail, -ENODEV);
}

/* Without power nobody is told: the next enable invalidates all (P trap 37). */
static void test_off(void **state)
{
	u32 nr_wr;

	(void)state;
	drv_mmu_off(&dev);
	nr_wr = os.nr_wr;
	drv_mmu_invalidate(&dev, 2);
	assert_int_equal(os.nr_wr, nr_wr);
}

static void event(u32 slot, u32 type, u32 ssid)
{
	dev.mmu.evtq[slot].id = ABI_MMU_EVT_ID(type, ssid);
	dev.mmu.evtq[slot].input_hi = 1;
}

static void test_events(void **state)
{
	static struct drv_ctx ctx;

	(void)state;
	dev.ctxs[2] = &ctx;
	event(0, ABI_MMU_EVT_F_TRANSLATION, 2);
	event(1, ABI_MMU_EVT_F_PERMISSION, 3);	     /* no such context */
	event(2, ABI_MMU_EVT_F_PERMISSION, 0xfffff); /* no such SSID */
	*test_os_reg(&os, 0, 0x2100a8) = 3;
	drv_mmu_events(&dev);
	assert_int_equal(aborts, 1);
	assert_int_equal(dev.mmu_faults, 3);
	assert_int_equal(*test_os_reg(&os, 0, 0x2100ac), 3);
	assert_int_equal(fails, 0);
	drv_mmu_events(&dev); /* nothing new */
	assert_int_equal(dev.mmu_faults, 3);
	*test_os_reg(&os, 0, 0x2100a8) = 0xfffffff0; /* nonsense: bounded by the queue */
	drv_mmu_events(&dev);
	assert_true(dev.mmu_faults <= 3 + ABI_MMU_Q_ENTRIES);
}

/* An index more than a queue ahead: each slot is read once, then it is enough. */
static void test_event_index_beyond_the_queue(void **state)
{
	(void)state;
	for (u32 slot = 0; slot < ABI_MMU_Q_ENTRIES; slot++)
		event(slot, ABI_MMU_EVT_F_PERMISSION, 3);
	*test_os_reg(&os, 0, 0x2100a8) = ABI_MMU_Q_IDX_MASK;
	drv_mmu_events(&dev);
	assert_int_equal(dev.mmu_faults, ABI_MMU_Q_ENTRIES);
	assert_int_equal(fails, 0);
}

static void test_system_fault(void **state)
{
	(void)state;
	for (u32 ssid = 0; ssid < 2; ssid++) {
		dev.state = DRV_READY;
		dev.mmu.evt_cons = 0;
		event(0, ABI_MMU_EVT_F_TRANSLATION, ssid);
		*test_os_reg(&os, 0, 0x2100a8) = 1;
		drv_mmu_events(&dev);
		assert_int_equal(fails, ssid + 1);
		assert_int_equal(last_fail, -EIO);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_enable),	      T(test_descriptor), T(test_invalidate),
		T(test_slow),	      T(test_never),	  T(test_refused),
		T(test_off),	      T(test_events),	  T(test_event_index_beyond_the_queue),
		T(test_system_fault),
	};

	return cmocka_run_group_tests_name("mmu", tests, NULL, NULL);
}
