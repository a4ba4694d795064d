/* SPDX-License-Identifier: MIT */
/*
 * Job queue arithmetic on the page of P 10.2.  Pure: no device, no time, no allocation.
 *
 * @tail counts what was put in, @pub what the firmware was told.  They differ while a queue is not
 * registered yet or a SYNC job holds back those behind it.
 */
#ifndef DRIVER_RING_H
#define DRIVER_RING_H

#include <errno.h>

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

/* How many slots from @from up to @to. */
static inline u32 drv_ring_distance(u32 from, u32 to)
{
	return to >= from ? to - from : to + ABI_JOBQ_SLOTS - from;
}

/**
 * drv_ring_room() - free slots
 * Return: 0 or -EPROTO: the firmware's head is no slot, or beyond what was published.
 */
static inline int drv_ring_room(const struct drv_ring *ring, u32 *out)
{
	/* pairs with the firmware's release of the slots in front of head */
	u32 head = __atomic_load_n(&ring->page->hdr.head, __ATOMIC_ACQUIRE);
	u32 used = drv_ring_distance(head, ring->tail);

	if (BASE_UNLIKELY(head >= ABI_JOBQ_SLOTS))
		return -EPROTO;
	if (BASE_UNLIKELY(ring->pub != ring->tail) &&
	    used < drv_ring_distance(ring->pub, ring->tail))
		return -EPROTO;
	*out = ABI_JOBQ_DEPTH - used;
	return 0;
}

/** drv_ring_push() - write a job into the next slot, which must be free; returns the slot. */
static inline u32 drv_ring_push(struct drv_ring *ring, u64 cmd_addr, u32 job_id)
{
	u32 slot = ring->tail;
	struct abi_jobq_job *job = &ring->page->slot[slot].job;

	job->batch_buf_addr = cmd_addr;
	job->job_id = job_id;
	job->flags = 0;
	ring->tail = drv_ring_next(slot);
	return slot;
}

/** drv_ring_set_sync() - what is behind the job of @slot waits until it is done. */
static inline void drv_ring_set_sync(struct drv_ring *ring, u32 slot)
{
	ring->sync |= BASE_BIT64(slot);
}

/** drv_ring_unpublished() - jobs in the ring the firmware was not told of. */
static inline u32 drv_ring_unpublished(const struct drv_ring *ring)
{
	return drv_ring_distance(ring->pub, ring->tail);
}

/**
 * drv_ring_rewind() - a new page, in which only what was not published is left, from slot 0 on
 * Return: by how many slots the jobs moved towards 0, modulo ABI_JOBQ_SLOTS.
 */
u32 drv_ring_rewind(struct drv_ring *ring);

/** drv_ring_publish_held() - drv_ring_publish() when there are SYNC jobs */
bool drv_ring_publish_held(struct drv_ring *ring);

/** drv_ring_publish() - move pub up to tail or behind the first SYNC job; true when it moved.  The
 * page's tail is written by drv_ring_commit(), after a write barrier. */
static inline bool drv_ring_publish(struct drv_ring *ring)
{
	u32 old = ring->pub;

	if (BASE_UNLIKELY(ring->sync))
		return drv_ring_publish_held(ring);
	ring->pub = ring->tail;
	return ring->pub != old;
}

static inline void drv_ring_commit(struct drv_ring *ring)
{
	__atomic_store_n(&ring->page->hdr.tail, ring->pub, __ATOMIC_RELEASE);
}

/** drv_ring_done() - the job of @slot is complete; true when it was a SYNC job. */
static inline bool drv_ring_done(struct drv_ring *ring, u32 slot)
{
	bool sync = ring->sync >> slot & 1;

	if (BASE_UNLIKELY(sync))
		ring->sync &= ~BASE_BIT64(slot);
	return sync;
}

#endif
