/* SPDX-License-Identifier: MIT */
/*
 * The metric streamer: counters that the firmware samples into memory.  SRC: P 7.5, 12.6.
 *
 * What there is to count is the firmware's to say: ask drv_counters() until it knows, then stream
 * groups of them.
 */
#ifndef DRIVER_METRIC_H
#define DRIVER_METRIC_H

#include "base/base.h"

#define DRV_MAX_GROUPS	 16u
#define DRV_MAX_COUNTERS 128u

struct drv_counter_group {
	u32 id;	  /* bit in a mask of groups */
	u32 size; /* bytes in a sample */
	char name[48];
};

struct drv_counter {
	u32 group;     /* index in groups */
	u32 off, size; /* in the group's part of a sample, bytes */
	u32 type, value_type;
	char name[48], units[24], description[96];
};

/* Texts are printable and terminated; off + size lies within the group's size. */
struct drv_counters {
	u32 nr_groups, nr_counters;
	struct drv_counter_group groups[DRV_MAX_GROUPS]; /* by rising id */
	struct drv_counter counters[DRV_MAX_COUNTERS];
};

struct drv_dev;
struct drv_metric;

/**
 * drv_counters() - what the firmware counts
 * @out: valid as long as the device
 *
 * Return: 0; -EAGAIN: the firmware was asked, again when it answered; -EIO, -EPROTO: it did with an
 * error, or with nonsense; -ENODEV: the device does not run; -EOPNOTSUPP; -ENOMEM.
 */
int drv_counters(struct drv_dev *dev, const struct drv_counters **out) BASE_WARN_UNUSED;

#define DRV_METRIC_PERIOD_MIN_NS UINT64_C(1000000) /* SRC: P 12.6 */
#define DRV_METRIC_MEMORY_MAX	 0x100000u

struct drv_metric_cfg {
	u64 groups;    /* mask of ids */
	u64 period_ns; /* of a sample, at least DRV_METRIC_PERIOD_MIN_NS */
	u32 samples;   /* are read at once */
	/*
	 * Called from the loop.  @data: @nr samples of @sample_size bytes, groups by rising id; the
	 * firmware may still change them: copy, then look.  @dropped: that it had no room for.
	 */
	void (*on_samples)(void *opaque, const void *data, u32 sample_size, u32 nr, u32 dropped);
	/* It ended before drv_metric_destroy(), which still must be called: the firmware refused
	 * (-EIO) or answered with nonsense (-EPROTO), or there is no memory. */
	void (*on_end)(void *opaque, int ret);
	void *opaque;
};

/**
 * drv_metric_create() - begin to stream; over recoveries and suspends, of which samples are missing
 * Return: 0, -EINVAL (groups, period or samples), -EBUSY (too many streams), -EOPNOTSUPP (a firmware
 * without messages), -ENOMEM.
 */
int drv_metric_create(struct drv_dev *dev, const struct drv_metric_cfg *cfg,
		      struct drv_metric **out) BASE_WARN_UNUSED;
/** drv_metric_destroy() - no callback from here on; memory goes when the firmware let go of it */
void drv_metric_destroy(struct drv_metric *m);

#endif
