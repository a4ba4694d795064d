// SPDX-License-Identifier: MIT
/*
 * Job queue arithmetic.  SRC: P 10.2: 63 slots, indices modulo 63, one slot stays empty.
 */
#include "driver/ring.h"

#include <errno.h>
#include <string.h>

void drv_ring_init(struct drv_ring *ring, void *page)
{
	*ring = (struct drv_ring){ .page = page };
	memset(page, 0, sizeof(*ring->page));
}

/* How many slots from @from up to @to. */
static u32 distance(u32 from, u32 to)
{
	return to >= from ? to - from : to + ABI_JOBQ_SLOTS - from;
}

int drv_ring_head(const struct drv_ring *ring, u32 *out)
{
	/* pairs with the firmware's release of the slots in front of head */
	u32 head = __atomic_load_n(&ring->page->hdr.head, __ATOMIC_ACQUIRE);

	if (head >= ABI_JOBQ_SLOTS || distance(head, ring->pub) > distance(head, ring->tail))
		return -EPROTO;
	*out = head;
	return 0;
}

u32 drv_ring_push(struct drv_ring *ring, u64 cmd_addr, u32 job_id, bool sync)
{
	u32 slot = ring->tail;

	ring->page->slot[slot].job.batch_buf_addr = cmd_addr;
	ring->page->slot[slot].job.job_id = job_id;
	ring->page->slot[slot].job.flags = 0;
	if (sync)
		ring->sync |= BASE_BIT64(slot);
	ring->tail = drv_ring_next(slot);
	return slot;
}

/* Is the newest published job a SYNC job that is not done? */
static bool held(const struct drv_ring *ring)
{
	u32 last = ring->pub ? ring->pub - 1 : ABI_JOBQ_SLOTS - 1;

	return ring->sync & BASE_BIT64(last);
}

bool drv_ring_publish(struct drv_ring *ring)
{
	u32 old = ring->pub;

	if (BASE_LIKELY(!ring->sync)) {
		ring->pub = ring->tail;
		return ring->pub != old;
	}
	while (ring->pub != ring->tail && !held(ring))
		ring->pub = drv_ring_next(ring->pub);
	return ring->pub != old;
}

void drv_ring_commit(struct drv_ring *ring)
{
	__atomic_store_n(&ring->page->hdr.tail, ring->pub, __ATOMIC_RELEASE);
}

bool drv_ring_done(struct drv_ring *ring, u32 slot)
{
	u64 bit = BASE_BIT64(slot);

	if (BASE_LIKELY(!(ring->sync & bit)))
		return false;
	ring->sync &= ~bit;
	return true;
}
