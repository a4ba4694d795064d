/* SPDX-License-Identifier: MIT */
/*
 * Job queue arithmetic on the page of P 10.2.  Pure: no device, no time, no allocation.
 *
 * @tail counts what was put in, @pub what the firmware was told.  They differ while a queue is not
 * registered yet or a SYNC job holds back those behind it.
 */
#ifndef DRIVER_RING_H
#define DRIVER_RING_H

#include "abi/jobq.h"
#include "base/base.h"

struct drv_ring {
	struct abi_jobq *page; /* shared with the firmware */
	u32 tail;	       /* next free slot */
	u32 pub;	       /* tail as last published */
	u64 sync;	       /* bit per slot: what is behind waits until it is done */
};

/** drv_ring_init() - empty, head = tail = 0 in the page too. */
void drv_ring_init(struct drv_ring *ring, void *page);

static inline u32 drv_ring_next(u32 idx)
{
	return idx + 1 == ABI_JOBQ_SLOTS ? 0 : idx + 1;
}

/** drv_ring_head() - where the firmware is; -EPROTO when that is no slot or outside what was
 * published. */
int drv_ring_head(const struct drv_ring *ring, u32 *out) BASE_WARN_UNUSED;
/** drv_ring_full() - no room with the firmware at @head */
static inline bool drv_ring_full(const struct drv_ring *ring, u32 head)
{
	return drv_ring_next(ring->tail) == head;
}
/** drv_ring_push() - write a job into the next slot, which must be free; returns the slot. */
u32 drv_ring_push(struct drv_ring *ring, u64 cmd_addr, u32 job_id, bool sync);
/** drv_ring_publish() - move pub up to tail or behind the first SYNC job; true when it moved.  The
 * page's tail is written by drv_ring_commit(), after a write barrier. */
bool drv_ring_publish(struct drv_ring *ring);
void drv_ring_commit(struct drv_ring *ring);
/** drv_ring_done() - the job of @slot is complete; true when it was a SYNC job. */
bool drv_ring_done(struct drv_ring *ring, u32 slot);

#endif
