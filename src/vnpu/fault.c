// SPDX-License-Identifier: MIT
/*
 * Faults on demand: each is a count of occasions that will go wrong, after some that will not.
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
	if (v->fault_skip[id]) {
		v->fault_skip[id]--;
		return false;
	}
	v->fault[id]--;
	if (!--v->watched)
		vnpu_level_update(v);
	return true;
}

/* VNPU_NR_FAULTS: there is no such fault. */
static u32 find(const char *name)
{
	u32 i = 0;

	while (i < VNPU_NR_FAULTS && strcmp(names[i], name) != 0)
		i++;
	return i;
}

static int arm(struct vnpu *v, const char *name, u32 skip, u32 count)
{
	u32 i = find(name);

	if (i == VNPU_NR_FAULTS)
		return -EINVAL;
	vnpu_lock(&v->lock);
	v->watched += count - v->fault[i];
	v->fault[i] = count;
	v->fault_skip[i] = skip;
	vnpu_level_update(v);
	vnpu_unlock(&v->lock);
	return 0;
}

int vnpu_fault(struct vnpu *v, const char *name, unsigned count)
{
	/* so that the sum fits */
	return arm(v, name, 0, base_min(count, UINT32_MAX / VNPU_NR_FAULTS));
}

int vnpu_fault_at(struct vnpu *v, const char *name, unsigned nth)
{
	return nth ? arm(v, name, nth - 1, 1) : -EINVAL;
}

unsigned vnpu_fault_left(struct vnpu *v, const char *name)
{
	u32 i = find(name), left;

	if (i == VNPU_NR_FAULTS)
		return 0;
	vnpu_lock(&v->lock);
	left = v->fault[i];
	vnpu_unlock(&v->lock);
	return left;
}

const char *vnpu_fault_name(unsigned i)
{
	return i < VNPU_NR_FAULTS ? names[i] : NULL;
}
