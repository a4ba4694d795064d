// SPDX-License-Identifier: MIT
/* Operations that only move elements; they care for an element's size, not for its type. */
#include "kernels/internal.h"

static u32 esize_of(const struct kern_tensor *t)
{
	return abi_dtype_size(t->dtype);
}

static void *at(const struct kern_tensor *t, s64 idx)
{
	return (u8 *)t->data + idx * (s64)esize_of(t);
}

/* y[index] = x[start + index . strides], over a shape of y's element count. */
static void gather_strided(struct kern_tensor *y, const struct kern_tensor *x, s64 start, u32 rank,
			   const u32 *dims, const s64 *x_strides)
{
	s64 y_strides[KERN_WALK_RANK];
	struct kern_walk w;

	kern_walk_init(&w, rank, dims);
	kern_strides(rank, dims, y_strides);
	kern_walk_add(&w, y_strides);
	kern_walk_add(&w, x_strides);
	kern_walk_start(&w);
	while (kern_walk_next(&w))
		kern_copy(esize_of(x), at(y, w.off[0]), 1, at(x, start + w.off[1]), w.step[1], w.n);
}

static int want_zero_past(const struct kern_args *a, const char *what, u32 i, u32 rank, s64 value)
{
	if (i < rank || !value)
		return 0;
	return kern_bad(a, "%s %lld of axis %u past rank %u, 0 wanted", what, (long long)value, i,
			rank);
}

static int want_shape_attr(const struct kern_args *a, const struct abi_attr_shape *attr)
{
	if (attr->rank > ABI_MAX_RANK)
		return kern_bad(a, "rank %u, at most %u", attr->rank, ABI_MAX_RANK);
	return 0;
}

int kern_copy_infer(const struct kern_args *a)
{
	const struct abi_attr_shape *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	int ret;

	ret = want_shape_attr(a, attr);
	if (!ret)
		ret = kern_set_out(a, 0, x->dtype, attr->rank, attr->dims);
	if (ret)
		return ret;
	if (kern_nr_elements(&a->out[0]) != kern_nr_elements(x))
		return kern_bad(a, "%llu elements do not fit a shape of %llu",
				(unsigned long long)kern_nr_elements(x),
				(unsigned long long)kern_nr_elements(&a->out[0]));
	return 0;
}

int kern_copy_run(const struct kern_args *a)
{
	const struct kern_tensor *x = a->in[0];

	memmove(a->out[0].data, x->data, kern_nr_elements(x) * esize_of(x));
	return 0;
}

int kern_transpose_infer(const struct kern_args *a)
{
	const struct abi_attr_transpose *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u32 dims[ABI_MAX_RANK], seen = 0;
	int ret;

	for (u32 i = 0; i < ABI_MAX_RANK; i++) {
		u32 p = attr->perm[i];

		ret = want_zero_past(a, "perm", i, x->rank, p);
		if (ret)
			return ret;
		if (i >= x->rank)
			continue;
		if (p >= x->rank || (seen >> p & 1))
			return kern_bad(a, "perm[%u] %u: each axis below %u once wanted", i, p,
					x->rank);
		seen |= BASE_BIT(p);
		dims[i] = x->dims[p];
	}
	return kern_set_out(a, 0, x->dtype, x->rank, dims);
}

int kern_transpose_run(const struct kern_args *a)
{
	const struct abi_attr_transpose *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	struct kern_tensor *y = &a->out[0];
	s64 x_strides[ABI_MAX_RANK], strides[ABI_MAX_RANK];

	kern_strides(x->rank, x->dims, x_strides);
	for (u32 i = 0; i < y->rank; i++)
		strides[i] = x_strides[attr->perm[i]];
	gather_strided(y, x, 0, y->rank, y->dims, strides);
	return 0;
}

static int want_concat_part(const struct kern_args *a, u32 i, u32 axis)
{
	const struct kern_tensor *first = a->in[0], *t = a->in[i];

	if (!t)
		return kern_bad(a, "input %u is missing", i);
	if (t->dtype != first->dtype || t->rank != first->rank)
		return kern_bad(a, "input %u is %s of rank %u, %s of rank %u like input 0 wanted",
				i, abi_dtype_name(t->dtype), t->rank, abi_dtype_name(first->dtype),
				first->rank);
	for (u32 d = 0; d < t->rank; d++)
		if (d != axis && t->dims[d] != first->dims[d])
			return kern_bad(a, "input %u has %u in dim %u, %u like input 0 wanted", i,
					t->dims[d], d, first->dims[d]);
	return 0;
}

int kern_concat_infer(const struct kern_args *a)
{
	const struct abi_attr_axis *attr = a->op->attr;
	const struct kern_tensor *first = a->in[0];
	u32 dims[ABI_MAX_RANK];
	u64 total = 0;
	int ret;

	ret = kern_want_axis(a, attr->axis, first->rank);
	if (ret)
		return ret;
	for (u32 i = 0; i < a->nr_in; i++) {
		ret = want_concat_part(a, i, attr->axis);
		if (ret)
			return ret;
		total += a->in[i]->dims[attr->axis];
	}
	if (total > UINT32_MAX)
		return kern_bad(a, "%llu in dim %u, at most %u", (unsigned long long)total,
				attr->axis, UINT32_MAX);
	memcpy(dims, first->dims, sizeof(dims));
	dims[attr->axis] = (u32)total;
	return kern_set_out(a, 0, first->dtype, first->rank, dims);
}

/* Product of the dims [from, to). */
static u64 span(const struct kern_tensor *t, u32 from, u32 to)
{
	u64 n = 1;

	for (u32 i = from; i < to; i++)
		n *= t->dims[i];
	return n;
}

int kern_concat_run(const struct kern_args *a)
{
	const struct abi_attr_axis *attr = a->op->attr;
	struct kern_tensor *y = &a->out[0];
	u64 outer = span(y, 0, attr->axis);
	u64 y_chunk = span(y, attr->axis, y->rank), start = 0;

	for (u32 i = 0; i < a->nr_in; i++) {
		const struct kern_tensor *x = a->in[i];
		u64 chunk = span(x, attr->axis, x->rank);

		for (u64 o = 0; chunk && o < outer; o++)
			kern_copy(esize_of(x), at(y, (s64)(o * y_chunk + start)), 1,
				  at(x, (s64)(o * chunk)), 1, chunk);
		start += chunk;
	}
	return 0;
}

/* Are all of start, start + step, ... start + (count - 1) step inside [0, dim)? */
static bool is_slice_inside(s64 start, s64 step, u32 count, u32 dim)
{
	s64 last;

	if (!count)
		return true;
	if (__builtin_mul_overflow((s64)(count - 1), step, &last) ||
	    __builtin_add_overflow(last, start, &last))
		return false;
	return start >= 0 && start < dim && last >= 0 && last < dim;
}

int kern_slice_infer(const struct kern_args *a)
{
	const struct abi_attr_slice *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	int ret;

	for (u32 i = 0; i < ABI_MAX_RANK; i++) {
		ret = want_zero_past(a, "count", i, x->rank, attr->count[i]);
		if (!ret)
			ret = want_zero_past(a, "start", i, x->rank, attr->start[i]);
		if (!ret)
			ret = want_zero_past(a, "step", i, x->rank, attr->step[i]);
		if (ret)
			return ret;
		if (i >= x->rank)
			continue;
		if (!attr->step[i])
			return kern_bad(a, "step 0 of axis %u", i);
		if (!is_slice_inside(attr->start[i], attr->step[i], attr->count[i], x->dims[i]))
			return kern_bad(a,
					"axis %u: start %lld step %lld count %u, inside the dim's "
					"%u wanted",
					i, (long long)attr->start[i], (long long)attr->step[i],
					attr->count[i], x->dims[i]);
	}
	return kern_set_out(a, 0, x->dtype, x->rank, attr->count);
}

int kern_slice_run(const struct kern_args *a)
{
	const struct abi_attr_slice *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	struct kern_tensor *y = &a->out[0];
	s64 x_strides[ABI_MAX_RANK], strides[ABI_MAX_RANK];
	s64 start = 0;

	kern_strides(x->rank, x->dims, x_strides);
	for (u32 i = 0; i < x->rank; i++) {
		/* A single element's step may be anything. */
		strides[i] = y->dims[i] > 1 ? x_strides[i] * attr->step[i] : 0;
		start += x_strides[i] * attr->start[i];
	}
	gather_strided(y, x, start, y->rank, y->dims, strides);
	return 0;
}

int kern_gather_infer(const struct kern_args *a)
{
	const struct abi_attr_axis *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0], *idx = a->in[1];
	u32 dims[2 * ABI_MAX_RANK];
	u32 rank;
	int ret;

	ret = kern_want_types(a, 1, KERN_T(S32) | KERN_T(S64));
	if (!ret)
		ret = kern_want_axis(a, attr->axis, x->rank);
	if (ret)
		return ret;
	rank = x->rank - 1 + idx->rank;
	memcpy(dims, x->dims, attr->axis * sizeof(*dims));
	memcpy(dims + attr->axis, idx->dims, idx->rank * sizeof(*dims));
	memcpy(dims + attr->axis + idx->rank, x->dims + attr->axis + 1,
	       (x->rank - attr->axis - 1) * sizeof(*dims));
	return kern_set_out(a, 0, x->dtype, rank, dims);
}

/* Strip of indices, checked and made positive in the copy: the memory may change meanwhile. */
static int load_indices(const struct kern_args *a, u64 from, u32 n, s64 limit,
			union kern_strip *idx)
{
	kern_load(a->in[1]->dtype, a->in[1]->data, (s64)from, 1, n, idx);
	for (u32 i = 0; i < n; i++) {
		if (idx->s[i] < -limit || idx->s[i] >= limit)
			return kern_bad(a, "input 1: index %lld at %llu, %lld to %lld wanted",
					(long long)idx->s[i], (unsigned long long)(from + i),
					(long long)-limit, (long long)limit - 1);
		if (idx->s[i] < 0)
			idx->s[i] += limit;
	}
	return 0;
}

int kern_gather_run(const struct kern_args *a)
{
	const struct abi_attr_axis *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	struct kern_tensor *y = &a->out[0];
	u64 nr_idx = kern_nr_elements(a->in[1]);
	u64 outer = span(x, 0, attr->axis), inner = span(x, attr->axis + 1, x->rank);
	u64 dim = x->dims[attr->axis];
	union kern_strip idx;
	int ret;

	for (u64 from = 0; from < nr_idx; from += KERN_STRIP) {
		u32 n = (u32)base_min(nr_idx - from, (u64)KERN_STRIP);

		ret = load_indices(a, from, n, (s64)dim, &idx);
		if (ret)
			return ret;
		for (u64 o = 0; o < outer; o++)
			for (u32 i = 0; i < n; i++)
				kern_copy(esize_of(x),
					  at(y, (s64)((o * nr_idx + from + i) * inner)), 1,
					  at(x, (s64)((o * dim + idx.u[i]) * inner)), 1, inner);
	}
	return 0;
}

int kern_expand_infer(const struct kern_args *a)
{
	const struct abi_attr_shape *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u32 rank, dims[ABI_MAX_RANK];
	int ret;

	ret = want_shape_attr(a, attr);
	if (!ret)
		ret = kern_broadcast(a, x->rank, x->dims, attr->rank, attr->dims, &rank, dims);
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, rank, dims);
}

int kern_expand_run(const struct kern_args *a)
{
	const struct kern_tensor *x = a->in[0];
	struct kern_tensor *y = &a->out[0];
	s64 strides[ABI_MAX_RANK] = { 0 };
	u32 lead = y->rank - x->rank;

	kern_strides(x->rank, x->dims, strides + lead);
	for (u32 i = 0; i < x->rank; i++)
		if (x->dims[i] == 1)
			strides[lead + i] = 0;
	gather_strided(y, x, 0, y->rank, y->dims, strides);
	return 0;
}

int kern_tile_infer(const struct kern_args *a)
{
	const struct abi_attr_shape *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u32 dims[ABI_MAX_RANK];

	if (attr->rank != x->rank)
		return kern_bad(a, "%u repeats, one per axis (%u) wanted", attr->rank, x->rank);
	for (u32 i = 0; i < x->rank; i++)
		if (__builtin_mul_overflow(x->dims[i], attr->dims[i], &dims[i]))
			return kern_bad(a, "axis %u: %u times %u is too large", i, attr->dims[i],
					x->dims[i]);
	return kern_set_out(a, 0, x->dtype, x->rank, dims);
}

/* Each axis becomes two: the repeats, which stay where they are in x, and the axis itself. */
int kern_tile_run(const struct kern_args *a)
{
	const struct abi_attr_shape *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u32 dims[2 * ABI_MAX_RANK];
	s64 strides[2 * ABI_MAX_RANK], x_strides[ABI_MAX_RANK];

	kern_strides(x->rank, x->dims, x_strides);
	for (u32 i = 0; i < x->rank; i++) {
		dims[2 * i] = attr->dims[i];
		dims[2 * i + 1] = x->dims[i];
		strides[2 * i] = 0;
		strides[2 * i + 1] = x_strides[i];
	}
	gather_strided(&a->out[0], x, 0, 2 * x->rank, dims, strides);
	return 0;
}
