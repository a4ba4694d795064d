// SPDX-License-Identifier: MIT
#include "seq.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/test_os.h"

#define STAT DRV_REG(BTRS_MTL, PLL_STATUS)
#define CTRL DRV_REG(BTRS_MTL, WP_REQ_PAYLOAD1)
#define LOCK DRV_F(REG_BTRS_MTL_PLL_STATUS__LOCK, 1)

static struct test_os os;
static struct drv_dev dev;
static u32 nr_reports;
static struct drv_step_report last;

static void on_step(void *opaque, const struct drv_step_report *report)
{
	(void)opaque;
	nr_reports++;
	last = *report;
}

static int setup(void **state)
{
	(void)state;
	test_os_init(&os);
	os.now_ns = 1000;
	memset(&dev, 0, sizeof(dev));
	dev.os = &os.os;
	dev.ops = os.os.ops;
	dev.gen = &reg_gen_npu37;
	dev.cfg.on_step = on_step;
	dev.log.masked = UINT32_MAX;
	nr_reports = 0;
	return 0;
}

static struct drv_seq_run run;
static u64 next_ns;

static int begin(const struct drv_step *steps, u32 nr)
{
	static struct drv_seq seq;

	seq = (struct drv_seq){ "test", steps, nr };
	drv_seq_begin(&run, &seq);
	return drv_seq_advance(&dev, &run, &next_ns);
}

static void test_write_and_rmw(void **state)
{
	const struct drv_step steps[] = {
		{ .op = DRV_STEP_WRITE, .reg = CTRL, .value = 0x1234, .text = "write" },
		{ .op = DRV_STEP_RMW, .reg = CTRL, .mask = 0xff00, .value = 0xab00, .text = "rmw" },
		{ .op = DRV_STEP_DELAY, .delay_ns = 500, .text = "delay" },
	};

	(void)state;
	assert_int_equal(begin(steps, 3), 0);
	assert_int_equal(os.last_wr_val, 0xab34);
	assert_int_equal(os.nr_wr, 2);
	assert_int_equal(os.nr_rd, 1);
	assert_int_equal(os.now_ns, 1500);
	assert_int_equal(nr_reports, 3);
	assert_int_equal(last.duration_ns, 500);
}

static const struct drv_step poll_steps[] = {
	{ .op = DRV_STEP_POLL,
	  .reg = STAT,
	  LOCK,
	  DRV_LIMIT(wp),
	  .text = "poll PLL_STATUS.LOCK == 1",
	  .source = "P 2.4" },
};

/* Longer than 200 us: the loop gets the thread back, the timer brings it on. */
static void test_poll_gives_way(void **state)
{
	u32 rounds = 0;
	int ret;

	(void)state;
	ret = begin(poll_steps, 1);
	while (ret == -EAGAIN) {
		assert_true(next_ns > os.now_ns && next_ns <= os.now_ns + DRV_POLL_MAX_NS);
		assert_true(os.delayed_ns <= DRV_POLL_SPIN_NS + DRV_POLL_STEP_NS);
		os.delayed_ns = 0;
		os.now_ns = next_ns;
		if (++rounds == 10)
			*test_os_reg(&os, 4, DRV_REG_OFF(STAT)) = 2;
		ret = drv_seq_advance(&dev, &run, &next_ns);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(rounds, 10);
	assert_int_equal(nr_reports, 1);
}

static void test_poll_times_out(void **state)
{
	int ret;

	(void)state;
	ret = begin(poll_steps, 1);
	while (ret == -EAGAIN) {
		os.now_ns = next_ns;
		ret = drv_seq_advance(&dev, &run, &next_ns);
	}
	assert_int_equal(ret, -ETIMEDOUT);
	assert_in_range(os.now_ns, 1000 + 1500 * BASE_NS_PER_MS, 1000 + 1502 * BASE_NS_PER_MS);
	/* names itself: register, wanted, read, after how long, where it is written */
	assert_non_null(strstr(dev.err.text, "test: poll PLL_STATUS.LOCK == 1"));
	assert_non_null(strstr(dev.err.text, "PLL_STATUS (BAR4+0x40)"));
	assert_non_null(strstr(dev.err.text, "reads 0x00000000"));
	assert_non_null(strstr(dev.err.text, "expected 0x2"));
	assert_non_null(strstr(dev.err.text, "150"));
	assert_non_null(strstr(dev.err.text, "(P 2.4)"));
	assert_int_equal(last.result, -ETIMEDOUT);
}

/* The device answers while we were not scheduled: late, but it did answer. */
static void answer_late(struct test_os *t, u32 bar, u32 off)
{
	if (t->nr_rd == 2)
		*test_os_reg(t, bar, off) = 2;
	t->now_ns += 10 * BASE_NS_PER_S;
}

static void test_poll_rereads_after_deadline(void **state)
{
	(void)state;
	os.on_rd = answer_late;
	assert_int_equal(begin(poll_steps, 1), 0);
	assert_int_equal(os.nr_rd, 2);
}

static void test_all_ones(void **state)
{
	const u8 ops[] = { DRV_STEP_POLL, DRV_STEP_CHECK, DRV_STEP_RMW };

	(void)state;
	*test_os_reg(&os, 4, DRV_REG_OFF(STAT)) = DRV_ALL_ONES;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(ops); i++) {
		const struct drv_step step = {
			.op = ops[i], .reg = STAT, LOCK, .text = "x", .source = "y"
		};

		assert_int_equal(begin(&step, 1), -ENODEV);
		assert_non_null(strstr(dev.err.text, "all-ones"));
	}
	assert_int_equal(os.nr_wr, 0);
}

static void test_check_is_one_read(void **state)
{
	const struct drv_step step = { .op = DRV_STEP_CHECK, .reg = STAT, LOCK, .text = "c" };

	(void)state;
	assert_int_equal(begin(&step, 1), -EIO);
	assert_int_equal(os.nr_rd, 1);
	assert_int_equal(os.now_ns, 1000);
}

/* A WARN step that fails takes its group along, and no more. */
static void test_warn_group(void **state)
{
	const struct drv_step steps[] = {
		{ .op = DRV_STEP_CHECK,
		  .policy = DRV_STEP_WARN,
		  .group = 1,
		  .reg = STAT,
		  LOCK,
		  .text = "c" },
		{ .op = DRV_STEP_WRITE,
		  .policy = DRV_STEP_WARN,
		  .group = 1,
		  .reg = CTRL,
		  .value = 1,
		  .text = "left out" },
		{ .op = DRV_STEP_WRITE,
		  .policy = DRV_STEP_WARN,
		  .group = 2,
		  .reg = CTRL,
		  .value = 2,
		  .text = "done" },
		{ .op = DRV_STEP_WRITE, .reg = CTRL, .value = 3, .text = "done too" },
	};

	(void)state;
	assert_int_equal(begin(steps, 4), 0);
	assert_int_equal(os.nr_wr, 2);
	assert_int_equal(nr_reports, 3);
	assert_int_equal(run.warned, -EIO);
	assert_int_equal(dev.warn.code, -EIO);
	assert_int_equal(dev.err.code, 0);
}

static int call_result;

static int call(struct drv_dev *d)
{
	(void)d;
	return call_result;
}

static void test_call(void **state)
{
	const struct drv_step step = {
		.op = DRV_STEP_CALL, .call = call, DRV_LIMIT_MS(boot), .text = "wait", .source = "s"
	};
	int ret;

	(void)state;
	call_result = -EPROTO;
	assert_int_equal(begin(&step, 1), -EPROTO);
	assert_non_null(strstr(dev.err.text, "EPROTO"));
	call_result = -EAGAIN;
	ret = begin(&step, 1);
	while (ret == -EAGAIN) {
		os.now_ns = next_ns;
		ret = drv_seq_advance(&dev, &run, &next_ns);
	}
	assert_int_equal(ret, -ETIMEDOUT);
	assert_in_range(os.now_ns, 1000 * BASE_NS_PER_MS, 1010 * BASE_NS_PER_MS);
	call_result = 0;
	assert_int_equal(begin(&step, 1), 0);
}

static u64 dyn(const struct drv_dev *d)
{
	return d->freq.max;
}

static void test_dyn_value(void **state)
{
	const struct drv_step step = {
		.op = DRV_STEP_WRITE64, .reg = CTRL, .dyn = dyn, .text = "w"
	};

	(void)state;
	dev.freq.max = 42;
	assert_int_equal(begin(&step, 1), 0);
	assert_int_equal(os.last_wr_val, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_write_and_rmw, setup),
		cmocka_unit_test_setup(test_poll_gives_way, setup),
		cmocka_unit_test_setup(test_poll_times_out, setup),
		cmocka_unit_test_setup(test_poll_rereads_after_deadline, setup),
		cmocka_unit_test_setup(test_all_ones, setup),
		cmocka_unit_test_setup(test_check_is_one_read, setup),
		cmocka_unit_test_setup(test_warn_group, setup),
		cmocka_unit_test_setup(test_call, setup),
		cmocka_unit_test_setup(test_dyn_value, setup),
	};

	return cmocka_run_group_tests_name("seq", tests, NULL, NULL);
}
