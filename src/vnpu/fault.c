// SPDX-License-Identifier: MIT
/*
 * Faults on demand: each is a count of occasions that will go wrong.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

#define X(name, text) [VNPU_F_##name] = text,
static const char *const names[VNPU_NR_FAULTS] = { VNPU_FAULTS(X) };
#undef X

bool vnpu_fault_take(struct vnpu *v, enum vnpu_fault_id id)
{
	if (!v->fault[id])
		return false;
	v->fault[id]--;
	if (!--v->watched)
		vnpu_level_update(v);
	return true;
}

int vnpu_fault(struct vnpu *v, const char *name, unsigned count)
{
	for (u32 i = 0; i < VNPU_NR_FAULTS; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		if (count > UINT32_MAX / VNPU_NR_FAULTS)
			count = UINT32_MAX / VNPU_NR_FAULTS; /* so that the sum fits */
		vnpu_lock(&v->lock);
		v->watched += count - v->fault[i];
		v->fault[i] = count;
		vnpu_level_update(v);
		vnpu_unlock(&v->lock);
		return 0;
	}
	return -EINVAL;
}

const char *vnpu_fault_name(unsigned i)
{
	return i < VNPU_NR_FAULTS ? names[i] : NULL;
}
