/* SPDX-License-Identifier: MIT */
/* What npud has in use, as a client sees it. */
#ifndef TESTS_LOAD_STATUS_H
#define TESTS_LOAD_STATUS_H

#include "world.h"

#define STATUS_MAX_CONTEXTS 200u /* quotas that worlds give to each client */
#define STATUS_MAX_QUEUES   300u

struct status {
	/* of 0/status */
	u64 clients, contexts, contexts_closing, buffers, queues, jobs_pending, memory_bytes;
	/* that a client can have, all its own: address spaces, doorbells */
	u64 contexts_free, queues_free;
	struct world_live live;
};

/** status_at_rest() - wait until no client but the one that asks is left, and nothing of any; then
 * what there is.  Says what does not go away. */
int status_at_rest(struct world *w, struct status *out) BASE_WARN_UNUSED;
/** status_same() - is @after what @before was, but for what the C library keeps of @nr clients that
 * were there at once?  Says what is not. */
bool status_same(const struct status *before, const struct status *after, u32 nr);

#endif
