/* SPDX-License-Identifier: MIT */
/* Metric streams: samples of counters into buffers of the driver's.  SRC: P 7.4, 7.5 */
#ifndef VNPU_METRIC_H
#define VNPU_METRIC_H

#include "base/types.h"

#define VNPU_NR_STREAMS	   8
#define VNPU_METRIC_GROUPS 3u /* mask */

struct vnpu;

struct vnpu_metric_sample { /* of group 0 */
	u64 ticks;
	u64 jobs;
	u64 inferences;
	u64 engine_ticks; /* engine busy */
};

struct vnpu_metric_host { /* sample of group 1 */
	u64 doorbells;
	u64 ipc_in, ipc_out;
	u64 interrupts;
};

struct vnpu_stream { /* mask 0: free */
	u64 mask;
	u64 period_ns, next_ns;
	u32 notify, since_notify;
	u64 buf, size, written;
	u64 next_buf, next_size;
	u32 collected, dropped;
};

struct vnpu_metrics {
	struct vnpu_stream stream[VNPU_NR_STREAMS];
};

/** vnpu_metric_take() - a sample of the groups of @mask, which may be 0; returns its bytes */
u32 vnpu_metric_take(struct vnpu *v, u64 mask, u8 *out);
/** vnpu_metric_due() - timer: samples of the streams whose period is over */
void vnpu_metric_due(struct vnpu *v);
/** vnpu_metric_resume() - after a warm boot: streams go on from now */
void vnpu_metric_resume(struct vnpu *v);

#endif
