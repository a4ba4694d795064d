// SPDX-License-Identifier: MIT
/*
 * A walk visits every index of a shape in row-major order and gives each operand's offset there, in
 * strips along the last dim.  Dims of 1 are dropped and neighbours merged where every operand
 * allows it, so that dense operands are one long row.
 */
#include "kernels/internal.h"

void kern_strides(u32 rank, const u32 *dims, s64 *strides)
{
	s64 stride = 1;

	for (u32 i = rank; i-- > 0;) {
		strides[i] = stride;
		stride *= dims[i];
	}
}

void kern_walk_init(struct kern_walk *w, u32 rank, const u32 *dims)
{
	memset(w, 0, sizeof(*w));
	w->rank = rank;
	for (u32 i = 0; i < rank; i++)
		w->dims[i] = dims[i];
}

void kern_walk_add(struct kern_walk *w, const s64 *strides)
{
	memcpy(w->stride[w->nr++], strides, w->rank * sizeof(*strides));
}

void kern_walk_add_broadcast(struct kern_walk *w, const struct kern_tensor *t)
{
	s64 *stride = w->stride[w->nr++] + (w->rank - t->rank);

	kern_strides(t->rank, t->dims, stride);
	for (u32 i = 0; i < t->rank; i++)
		if (t->dims[i] == 1)
			stride[i] = 0;
}

static bool can_merge(const struct kern_walk *w, u32 outer, u32 inner)
{
	for (u32 i = 0; i < w->nr; i++)
		if (w->stride[i][outer] != w->stride[i][inner] * (s64)w->dims[inner])
			return false;
	return true;
}

static void move_dim(struct kern_walk *w, u32 to, u32 from)
{
	w->dims[to] = w->dims[from];
	for (u32 i = 0; i < w->nr; i++)
		w->stride[i][to] = w->stride[i][from];
}

void kern_walk_start(struct kern_walk *w)
{
	u32 kept = 0;

	for (u32 d = 0; d < w->rank; d++) {
		if (w->dims[d] == 1)
			continue;
		if (kept && can_merge(w, kept - 1, d)) {
			u64 outer = w->dims[kept - 1];

			move_dim(w, kept - 1, d);
			w->dims[kept - 1] *= outer;
			continue;
		}
		move_dim(w, kept++, d);
	}
	if (!kept) { /* a single element */
		w->dims[0] = 1;
		for (u32 i = 0; i < w->nr; i++)
			w->stride[i][0] = 0;
		kept = 1;
	}
	w->rank = kept;
	for (u32 i = 0; i < w->nr; i++)
		w->step[i] = w->stride[i][kept - 1];
	kern_walk_rewind(w);
}

void kern_walk_rewind(struct kern_walk *w)
{
	w->is_over = false;
	for (u32 d = 0; d < w->rank; d++) {
		w->idx[d] = 0;
		w->is_over = w->is_over || !w->dims[d];
	}
	memset(w->row, 0, sizeof(w->row));
}

/* To the next row: count up like an odometer, without the last dim. */
static void next_row(struct kern_walk *w)
{
	u32 d = w->rank - 1;

	w->idx[d] = 0;
	while (d-- > 0) {
		bool is_carry = ++w->idx[d] == w->dims[d];

		for (u32 i = 0; i < w->nr; i++)
			w->row[i] += w->stride[i][d] * (is_carry ? 1 - (s64)w->dims[d] : 1);
		if (!is_carry)
			return;
		w->idx[d] = 0;
	}
	w->is_over = true;
}

bool kern_walk_next(struct kern_walk *w)
{
	u32 last = w->rank - 1;

	if (w->is_over)
		return false;
	w->n = (u32)base_min(w->dims[last] - w->idx[last], (u64)KERN_STRIP);
	for (u32 i = 0; i < w->nr; i++)
		w->off[i] = w->row[i] + (s64)w->idx[last] * w->step[i];
	w->idx[last] += w->n;
	if (w->idx[last] == w->dims[last])
		next_row(w);
	return true;
}
