/* SPDX-License-Identifier: MIT */
/* The compute engine: one heavy command at a time.  All with the lock held. */
#ifndef VNPU_COMPUTE_H
#define VNPU_COMPUTE_H

#include "vnpu/model.h"

void vnpu_compute_submit(struct vnpu *v, struct vnpu_queue *q);
void vnpu_compute_abort(struct vnpu *v, struct vnpu_queue *q);
/** vnpu_compute_stop() - the inference under way, if any: its end is all that is wanted of it. */
void vnpu_compute_stop(struct vnpu *v);
void vnpu_compute_reset(struct vnpu *v);
/** vnpu_compute_resume() - queues were suspended or the engine stopped, and no longer are. */
void vnpu_compute_resume(struct vnpu *v);
void vnpu_compute_drop(struct vnpu *v, u32 ssid);
/** vnpu_compute_step() - one slice of work; may drop the lock; false: nothing to do. */
bool vnpu_compute_step(struct vnpu *v);
void vnpu_compute_timer(struct vnpu *v);
/** vnpu_compute_is_quiet() - the engine touches no memory without the lock. */
static inline bool vnpu_compute_is_quiet(const struct vnpu *v)
{
	return !v->compute.unlocked || v->compute.away;
}

/** vnpu_compute_lingers() - an inference whose job is gone still touches the job's memory. */
static inline bool vnpu_compute_lingers(const struct vnpu *v)
{
	return v->compute.orphan && !vnpu_compute_is_quiet(v);
}

#endif
