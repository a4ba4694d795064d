// SPDX-License-Identifier: MIT
/* Padding and cropping by axis: constant, reflected or edge values. */
#include "kernels/internal.h"

/* Far past any dim, small enough that sums of three never overflow. */
#define MAX_PAD (INT64_C(1) << 33)

static int infer_axis(const struct kern_args *a, u32 i, u32 *out)
{
	const struct abi_attr_pad *attr = a->op->attr;
	s64 begin = attr->begin[i], end = attr->end[i], dim = a->in[0]->dims[i], result;

	if (begin < -MAX_PAD || begin > MAX_PAD || end < -MAX_PAD || end > MAX_PAD)
		return kern_bad(a, "axis %u: begin %lld end %lld: out of range", i,
				(long long)begin, (long long)end);
	result = dim + begin + end;
	if (result < 0 || result > UINT32_MAX)
		return kern_bad(a, "axis %u: begin %lld end %lld give %u the length %lld", i,
				(long long)begin, (long long)end, (u32)dim, (long long)result);
	if (attr->mode != ABI_PAD_CONSTANT && result && !dim)
		return kern_bad(a, "axis %u: nothing there to reflect or repeat", i);
	*out = (u32)result;
	return 0;
}

static int want_value(const struct kern_args *a)
{
	const struct kern_tensor *v = kern_in(a, 1);

	if (!v)
		return 0;
	if (v->dtype != a->in[0]->dtype || kern_nr_elements(v) != 1)
		return kern_bad(a, "input 1 (value): %llu of %s, one of %s wanted",
				(unsigned long long)kern_nr_elements(v), abi_dtype_name(v->dtype),
				abi_dtype_name(a->in[0]->dtype));
	return 0;
}

int kern_pad_infer(const struct kern_args *a)
{
	const struct abi_attr_pad *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u32 dims[ABI_MAX_RANK];
	int ret;

	if (attr->mode > ABI_PAD_EDGE)
		return kern_bad(a, "mode %u, 0 to %u wanted", attr->mode, ABI_PAD_EDGE);
	ret = want_value(a);
	for (u32 i = 0; !ret && i < x->rank; i++)
		ret = infer_axis(a, i, &dims[i]);
	for (u32 i = x->rank; !ret && i < ABI_MAX_RANK; i++)
		if (attr->begin[i] || attr->end[i])
			ret = kern_bad(a, "begin %lld end %lld of axis %u past rank %u, 0 wanted",
				       (long long)attr->begin[i], (long long)attr->end[i], i,
				       x->rank);
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, x->rank, dims);
}

/* Where position @i of a padded axis comes from; -1: from the constant. */
static s64 source(u32 mode, s64 i, s64 dim)
{
	s64 period;

	if (i >= 0 && i < dim)
		return i;
	if (mode == ABI_PAD_CONSTANT)
		return -1;
	if (mode == ABI_PAD_EDGE || dim == 1)
		return i < 0 ? 0 : dim - 1;
	period = 2 * (dim - 1); /* there and back, the ends once */
	i %= period;
	if (i < 0)
		i += period;
	return i < dim ? i : period - i;
}

struct padding {
	const struct abi_attr_pad *attr;
	const struct kern_tensor *x;
	const struct kern_tensor *y;
	s64 x_stride[ABI_MAX_RANK];
	s64 y_stride[ABI_MAX_RANK];
	const void *value;
	u32 esize;
};

/* A constant has step 0; one element of x or of the constant repeated over @n of y. */
static void fill(const struct padding *p, s64 y_off, s64 n)
{
	kern_copy(p->esize, (u8 *)p->y->data + y_off * p->esize, 1, p->value, 0, (u64)n);
}

/* The part of the last axis that is x's own goes in one piece. */
static void pad_last(const struct padding *p, u32 axis, s64 x_off, s64 y_off)
{
	const s64 dim = p->x->dims[axis], begin = p->attr->begin[axis], n = p->y->dims[axis];
	u8 *y = (u8 *)p->y->data + y_off * p->esize;
	const u8 *x = kern_bytes(p->x);

	for (s64 i = 0; i < n; i++) {
		s64 from = source(p->attr->mode, i - begin, dim);
		s64 run = 1;

		if (from < 0) {
			fill(p, y_off + i, 1);
			continue;
		}
		if (from == i - begin)
			run = base_min(dim - from, n - i);
		memcpy(y + i * p->esize, x + (x_off + from) * p->esize, (u64)run * p->esize);
		i += run - 1;
	}
}

/* As deep as the rank. */
static void pad_axis(const struct padding *p, u32 axis, s64 x_off, s64 y_off)
{
	if (axis + 1 == p->x->rank) {
		pad_last(p, axis, x_off, y_off);
		return;
	}
	for (s64 i = 0; i < p->y->dims[axis]; i++) {
		s64 from = source(p->attr->mode, i - p->attr->begin[axis], p->x->dims[axis]);
		s64 y_row = y_off + i * p->y_stride[axis];

		if (from < 0)
			fill(p, y_row, p->y_stride[axis]);
		else
			pad_axis(p, axis + 1, x_off + from * p->x_stride[axis], y_row);
	}
}

int kern_pad_run(const struct kern_args *a)
{
	static const u64 zero;
	const struct kern_tensor *value = kern_in(a, 1);
	struct padding p = { .attr = a->op->attr,
			     .x = a->in[0],
			     .y = &a->out[0],
			     .value = value ? value->data : &zero,
			     .esize = abi_dtype_size(a->in[0]->dtype) };

	if (!p.x->rank) {
		memcpy(a->out[0].data, p.x->data, p.esize);
		return 0;
	}
	kern_strides(p.x->rank, p.x->dims, p.x_stride);
	kern_strides(p.y->rank, p.y->dims, p.y_stride);
	pad_axis(&p, 0, 0, 0);
	return 0;
}
