/* SPDX-License-Identifier: MIT */
/*
 * Sequences: tables of steps, run by one resumable stepper, so that the code reads like P 3.4 and
 * a step that fails names itself.
 *
 *   idle -> run a step -> done, next step
 *              |-> poll: spin at most 200 us, then wait for the timer, try again
 *              \-> failed: policy FATAL ends the sequence, WARN skips the rest of its group
 */
#ifndef DRIVER_SEQ_H
#define DRIVER_SEQ_H

#include "base/base.h"
#include "regs/gen.h"

struct drv_dev;

enum drv_step_op {
	DRV_STEP_WRITE, /* reg = value */
	DRV_STEP_WRITE64,
	DRV_STEP_RMW,	/* reg = (reg & ~mask) | value */
	DRV_STEP_POLL,	/* until (reg & mask) == value, at most the limit */
	DRV_STEP_CHECK, /* one read: (reg & mask) == value */
	DRV_STEP_CALL,	/* call(dev); -EAGAIN = again later, at most the limit */
	DRV_STEP_DELAY, /* delay_ns */
	DRV_STEP_READ,	/* for the log */
};

enum drv_step_policy { DRV_STEP_FATAL, DRV_STEP_WARN };

struct drv_step {
	u8 op;
	u8 policy;
	u8 group; /* of a WARN step: a failure skips the neighbours of the same group; 0 = none */
	bool limit_is_ms;
	u16 limit; /* 1 + offset in struct reg_timeouts; 0 = none */
	u32 reg;   /* DRV_REG() */
	u32 mask;
	u32 delay_ns;
	u32 every_us; /* between two looks of a POLL or CALL; 0 = spin first, then ever longer */
	u64 value;
	u64 (*dyn)(const struct drv_dev *dev);	 /* instead of value, when not NULL */
	bool (*when)(const struct drv_dev *dev); /* left out when it says no; NULL = never */
	int (*call)(struct drv_dev *dev);
	const char *text;
	const char *source;
};

struct drv_seq {
	const char *name;
	const struct drv_step *steps;
	u32 nr;
};

/* clang-format off */
#define DRV_LIMIT(field)    .limit = offsetof(struct reg_timeouts, field##_us) + 1
#define DRV_LIMIT_MS(field) .limit = offsetof(struct reg_timeouts, field##_ms) + 1, .limit_is_ms = true
/* a field code as mask and value of a step */
#define DRV_F(f, val)       .mask = REG_MASK(f), .value = REG_PREP(f, val)
/* clang-format on */

#define DRV_POLL_SPIN_NS (200 * BASE_NS_PER_US) /* longer waits give the loop back */
#define DRV_POLL_STEP_NS (5 * BASE_NS_PER_US)	/* between two reads of a spin; P 0.2: <= 50 us */
#define DRV_POLL_MAX_NS	 (1 * BASE_NS_PER_MS)	/* between two looks from the timer */

#define DRV_SEQ_AGAIN 1 /* of a CALL: the sequence begins anew */

/* A sequence under way. */
struct drv_seq_run {
	const struct drv_seq *seq; /* NULL = none */
	u32 idx;
	bool waiting; /* the current step was begun */
	u64 start_ns; /* of the current step */
	u64 deadline_ns;
	u64 retry_ns; /* pause until the next look */
	int warned;   /* first error of a WARN step */
};

void drv_seq_begin(struct drv_seq_run *run, const struct drv_seq *seq);
/**
 * drv_seq_advance() - run steps until the end, a failure or a wait
 * Return: 0 done (run->warned tells of warnings), -EAGAIN with *next_ns when to come again, or the
 * error of the failing step, described in dev->err.
 */
int drv_seq_advance(struct drv_dev *dev, struct drv_seq_run *run, u64 *next_ns) BASE_WARN_UNUSED;
/** drv_seq_run_now() - a sequence without waits, to the end. */
int drv_seq_run_now(struct drv_dev *dev, const struct drv_seq *seq) BASE_WARN_UNUSED;

#endif
