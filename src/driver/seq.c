// SPDX-License-Identifier: MIT
/*
 * The stepper of sequences (seq.h).  Never blocks: a poll spins at most 200 us on the seam's clock,
 * then the sequence waits for its timer.
 */
#include "driver/seq.h"

#include <errno.h>
#include <inttypes.h>

#include "driver/mmio.h"

#define FIRST_RETRY_NS (50 * BASE_NS_PER_US)

const char *drv_reg_name(const struct drv_dev *dev, u32 reg, char *buf, size_t size)
{
	u32 bar = DRV_REG_BAR(reg), off = DRV_REG_OFF(reg);
	const struct reg_block *block;
	char name[64];

	if (reg_gen_find(dev->gen, (u8)bar, off, &block))
		snprintf(buf, size, "%s (BAR%u+0x%x)", reg_name(block, off, name, sizeof(name)),
			 bar, off);
	else
		snprintf(buf, size, "BAR%u+0x%x", bar, off);
	return buf;
}

void drv_seq_begin(struct drv_seq_run *run, const struct drv_seq *seq)
{
	*run = (struct drv_seq_run){ .seq = seq };
}

static u64 step_value(const struct drv_dev *dev, const struct drv_step *step)
{
	return step->dyn ? step->dyn(dev) : step->value;
}

static u64 step_limit_ns(const struct drv_dev *dev, const struct drv_step *step)
{
	const u8 *timeouts = (const u8 *)&dev->gen->timeouts;
	u32 limit;

	__builtin_memcpy(&limit, timeouts + step->limit - 1, sizeof(limit));
	return limit * (step->limit_is_ms ? BASE_NS_PER_MS : BASE_NS_PER_US);
}

/* A failing step names itself: register, wanted, read, after how long, source. */
static int step_mismatch(struct drv_dev *dev, const struct drv_seq_run *run, struct base_err *err,
			 u32 val)
{
	const struct drv_step *step = &run->seq->steps[run->idx];
	u64 waited_us = (dev->now_ns - run->start_ns) / BASE_NS_PER_US;
	char name[96];

	drv_reg_name(dev, step->reg, name, sizeof(name));
	if (val == DRV_ALL_ONES)
		return base_err_set(err, -ENODEV,
				    "%s: %s: %s reads all-ones: the device is gone (%s)",
				    run->seq->name, step->text, name, step->source);
	return base_err_set(err, step->op == DRV_STEP_POLL ? -ETIMEDOUT : -EIO,
			    "%s: %s: %s reads 0x%08x, bits 0x%x expected 0x%" PRIx64
			    ", after %" PRIu64 " us (%s)",
			    run->seq->name, step->text, name, val, step->mask,
			    step_value(dev, step), waited_us, step->source);
}

static int step_call_failed(struct drv_dev *dev, const struct drv_seq_run *run,
			    struct base_err *err, int ret)
{
	const struct drv_step *step = &run->seq->steps[run->idx];
	u64 waited_us = (dev->now_ns - run->start_ns) / BASE_NS_PER_US;

	if (ret == -EAGAIN)
		return base_err_set(err, -ETIMEDOUT, "%s: %s: not done after %" PRIu64 " us (%s)",
				    run->seq->name, step->text, waited_us, step->source);
	return base_err_set(err, ret, "%s: %s: failed with %s (%s)", run->seq->name, step->text,
			    base_err_name(ret), step->source);
}

/* One look of a POLL or CALL: 0, -EAGAIN, or a failure (*val for the message). */
static int step_look(struct drv_dev *dev, const struct drv_step *step, u32 *val)
{
	if (step->op == DRV_STEP_CALL)
		return step->call(dev);
	*val = drv_rd32(dev, step->reg);
	if (*val == DRV_ALL_ONES)
		return -ENODEV;
	return (*val & step->mask) == (u32)step_value(dev, step) ? 0 : -EAGAIN;
}

/*
 * The clock is read before the register, so that the last look is one from behind the deadline:
 * being descheduled in between cannot make a good device fail.
 */
static int step_wait(struct drv_dev *dev, struct drv_seq_run *run, struct base_err *err,
		     u64 *next_ns)
{
	const struct drv_step *step = &run->seq->steps[run->idx];
	u64 spin_end = drv_clock(dev) + (step->every_us ? 0 : DRV_POLL_SPIN_NS);
	u32 val = 0;

	for (;;) {
		int ret = step_look(dev, step, &val);

		if (ret >= 0)
			return ret;
		if (ret != -EAGAIN || dev->now_ns >= run->deadline_ns)
			return step->op == DRV_STEP_CALL ? step_call_failed(dev, run, err, ret)
							 : step_mismatch(dev, run, err, val);
		if (dev->now_ns >= spin_end)
			break;
		dev->ops->delay_ns(dev->os, DRV_POLL_STEP_NS);
		drv_clock(dev);
	}
	*next_ns = dev->now_ns + (step->every_us ? step->every_us * BASE_NS_PER_US : run->retry_ns);
	run->retry_ns = base_min(run->retry_ns * 2, DRV_POLL_MAX_NS);
	return -EAGAIN;
}

static int step_rmw(struct drv_dev *dev, const struct drv_seq_run *run, struct base_err *err)
{
	const struct drv_step *step = &run->seq->steps[run->idx];
	u32 val = drv_rd32(dev, step->reg);

	if (val == DRV_ALL_ONES)
		return step_mismatch(dev, run, err, val);
	drv_wr32(dev, step->reg, (val & ~step->mask) | (u32)step_value(dev, step));
	return 0;
}

static int step_check(struct drv_dev *dev, const struct drv_seq_run *run, struct base_err *err)
{
	const struct drv_step *step = &run->seq->steps[run->idx];
	u32 val = drv_rd32(dev, step->reg);

	if (val == DRV_ALL_ONES || (val & step->mask) != (u32)step_value(dev, step))
		return step_mismatch(dev, run, err, val);
	return 0;
}

static void step_read(struct drv_dev *dev, const struct drv_seq_run *run)
{
	const struct drv_step *step = &run->seq->steps[run->idx];
	u32 val = drv_rd32(dev, step->reg);
	char name[96];

	drv_info(dev, RECOVERY, "%s: %s reads 0x%08x", run->seq->name,
		 drv_reg_name(dev, step->reg, name, sizeof(name)), val);
}

static int step_do(struct drv_dev *dev, struct drv_seq_run *run, struct base_err *err, u64 *next_ns)
{
	const struct drv_step *step = &run->seq->steps[run->idx];

	switch ((enum drv_step_op)step->op) {
	case DRV_STEP_WRITE:
		drv_wr32(dev, step->reg, (u32)step_value(dev, step));
		return 0;
	case DRV_STEP_WRITE64:
		drv_wr64(dev, step->reg, step_value(dev, step));
		return 0;
	case DRV_STEP_RMW:
		return step_rmw(dev, run, err);
	case DRV_STEP_CHECK:
		return step_check(dev, run, err);
	case DRV_STEP_POLL:
	case DRV_STEP_CALL:
		return step_wait(dev, run, err, next_ns);
	case DRV_STEP_DELAY:
		dev->ops->delay_ns(dev->os, step->delay_ns);
		return 0;
	case DRV_STEP_READ:
		step_read(dev, run);
		return 0;
	}
	return base_err_set(err, -EINVAL, "%s: step %u has no such operation", run->seq->name,
			    run->idx);
}

static void step_begin(struct drv_dev *dev, struct drv_seq_run *run)
{
	const struct drv_step *step = &run->seq->steps[run->idx];

	run->waiting = true;
	run->start_ns = drv_clock(dev);
	run->deadline_ns = run->start_ns;
	run->retry_ns = FIRST_RETRY_NS;
	if (step->limit)
		run->deadline_ns += step_limit_ns(dev, step);
}

static void step_report(struct drv_dev *dev, const struct drv_seq_run *run, int result)
{
	const struct drv_step *step = &run->seq->steps[run->idx];
	struct drv_step_report report = {
		.sequence = run->seq->name,
		.step = step->text,
		.source = step->source,
		.duration_ns = drv_clock(dev) - run->start_ns,
		.result = result,
	};

	if (dev->cfg.on_step)
		dev->cfg.on_step(dev->cfg.opaque, &report);
}

/* A WARN step failed: leave out what belongs to it. */
static void skip_group(struct drv_seq_run *run)
{
	u8 group = run->seq->steps[run->idx].group;

	while (group && run->idx + 1 < run->seq->nr && run->seq->steps[run->idx + 1].group == group)
		run->idx++;
}

int drv_seq_advance(struct drv_dev *dev, struct drv_seq_run *run, u64 *next_ns)
{
	for (; run->idx < run->seq->nr; run->idx++) {
		const struct drv_step *step = &run->seq->steps[run->idx];
		struct base_err err;
		int ret;

		if (step->when && !step->when(dev))
			continue;
		if (!run->waiting)
			step_begin(dev, run);
		ret = step_do(dev, run, &err, next_ns);
		if (ret == -EAGAIN)
			return ret;
		run->waiting = false;
		step_report(dev, run, base_min(ret, 0));
		if (!ret)
			continue;
		if (ret == DRV_SEQ_AGAIN) {
			run->idx = UINT32_MAX; /* the next step is the first */
			continue;
		}
		if (step->policy == DRV_STEP_FATAL) {
			dev->err = err;
			return ret;
		}
		drv_warn(dev, PM, "%s", err.text);
		if (!run->warned) {
			run->warned = ret;
			dev->warn = err;
		}
		skip_group(run);
	}
	return 0;
}

int drv_seq_run_now(struct drv_dev *dev, const struct drv_seq *seq)
{
	struct drv_seq_run run;
	u64 next_ns;
	int ret;

	drv_seq_begin(&run, seq);
	ret = drv_seq_advance(dev, &run, &next_ns);
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}
