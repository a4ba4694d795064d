/* SPDX-License-Identifier: MIT */
/* Jobs that wait for a fence and stand aside. */
#ifndef VNPU_PARK_H
#define VNPU_PARK_H

#include "base/types.h"

struct vnpu;
struct vnpu_queue;

/** vnpu_park() - the job of @q, in state FENCE, stands aside; false: no room. */
bool vnpu_park(struct vnpu *v, struct vnpu_queue *q);
/** vnpu_unpark() - the first ready one is the job of @q again, which has none. */
void vnpu_unpark(struct vnpu *v, struct vnpu_queue *q);
/** vnpu_parked_look() - memory may have changed; did one become ready? */
bool vnpu_parked_look(struct vnpu *v);
/** vnpu_parked_drop() - all of @q's are gone; @each, if not NULL, hears of each. */
void vnpu_parked_drop(struct vnpu *v, struct vnpu_queue *q,
		      void (*each)(struct vnpu *v, const struct vnpu_queue *q, u32 job_id));

#endif
