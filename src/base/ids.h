/* SPDX-License-Identifier: MIT */
/* Small cyclic id allocator: ids first..last, at most BASE_IDS_MAX of them; no allocation. */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include "base/base.h"

#define BASE_IDS_MAX 256u

struct base_ids {
	u32 first, nr; /* ids first .. first + nr - 1 */
	u32 next;      /* search starts here: an id is reused as late as possible */
	u32 used;
	u64 map[BASE_IDS_MAX / 64];
};

void base_ids_init(struct base_ids *ids, u32 first, u32 last);
/** base_ids_get() - 0 and *out, or -EBUSY when none is left. */
int base_ids_get(struct base_ids *ids, u32 *out) BASE_WARN_UNUSED;
void base_ids_put(struct base_ids *ids, u32 id);

#endif
