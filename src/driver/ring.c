// SPDX-License-Identifier: MIT
/*
 * Job queue arithmetic, what is not on the hot path.  SRC: P 10.2: 63 slots, indices modulo 63, one
 * slot stays empty.
 */
#include "driver/ring.h"

#include <string.h>

void drv_ring_init(struct drv_ring *ring, void *page)
{
	*ring = (struct drv_ring){ .page = page };
	memset(page, 0, sizeof(*ring->page));
}

u32 drv_ring_rewind(struct drv_ring *ring)
{
	struct abi_jobq old = *ring->page;
	u32 nr = drv_ring_unpublished(ring), moved = ring->pub;
	u64 sync = ring->sync;

	drv_ring_init(ring, ring->page);
	for (u32 from = moved; ring->tail < nr; from = drv_ring_next(from)) {
		ring->page->slot[ring->tail] = old.slot[from];
		ring->sync |= (sync >> from & 1) << ring->tail;
		ring->tail++;
	}
	return moved;
}

/* Is the newest published job a SYNC job that is not done? */
static bool held(const struct drv_ring *ring)
{
	u32 last = ring->pub ? ring->pub - 1 : ABI_JOBQ_SLOTS - 1;

	return ring->sync & BASE_BIT64(last);
}

bool drv_ring_publish_held(struct drv_ring *ring)
{
	u32 old = ring->pub;

	while (ring->pub != ring->tail && !held(ring))
		ring->pub = drv_ring_next(ring->pub);
	return ring->pub != old;
}
