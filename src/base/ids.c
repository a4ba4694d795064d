// SPDX-License-Identifier: MIT
#include "base/ids.h"

#include <assert.h>
#include <errno.h>

void base_ids_init(struct base_ids *ids, u32 first, u32 last)
{
	assert(last >= first && last - first < BASE_IDS_MAX);
	*ids = (struct base_ids){ .first = first, .nr = last - first + 1 };
}

int base_ids_get(struct base_ids *ids, u32 *out)
{
	for (u32 i = 0; i < ids->nr; i++) {
		u32 slot = (ids->next + i) % ids->nr;

		if (ids->map[slot / 64] & BASE_BIT64(slot % 64))
			continue;
		ids->map[slot / 64] |= BASE_BIT64(slot % 64);
		ids->next = (slot + 1) % ids->nr;
		ids->used++;
		*out = ids->first + slot;
		return 0;
	}
	return -EBUSY;
}

void base_ids_put(struct base_ids *ids, u32 id)
{
	u32 slot = id - ids->first;

	assert(slot < ids->nr && (ids->map[slot / 64] & BASE_BIT64(slot % 64)));
	ids->map[slot / 64] &= ~BASE_BIT64(slot % 64);
	ids->used--;
}
