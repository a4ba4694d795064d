// SPDX-License-Identifier: MIT
/*
 * Softmax and its logarithm along one axis: e^(x - max) / sum, in three passes over the axis; no
 * scratch memory.
 */
#include <math.h>

#include "kernels/internal.h"

struct row {
	const struct kern_tensor *x;
	struct kern_tensor *y;
	s64 base;
	s64 step;
	u64 len;
};

static u32 strip_at(const struct row *r, u64 i, double *v)
{
	u32 n = (u32)base_min(r->len - i, (u64)KERN_STRIP);

	kern_load_f64(r->x->dtype, r->x->data, r->base + (s64)i * r->step, r->step, n, v);
	return n;
}

static double row_max(const struct row *r)
{
	double v[KERN_STRIP], max = -INFINITY;

	for (u64 i = 0; i < r->len; i += KERN_STRIP) {
		u32 n = strip_at(r, i, v);

		for (u32 k = 0; k < n; k++)
			max = v[k] > max ? v[k] : max;
	}
	return max;
}

/* A NaN anywhere, or nothing but minus infinity, makes the sum and so the row NaN. */
static double row_sum(const struct row *r, double max)
{
	double v[KERN_STRIP], sum = 0;

	for (u64 i = 0; i < r->len; i += KERN_STRIP) {
		u32 n = strip_at(r, i, v);

		for (u32 k = 0; k < n; k++)
			sum += exp(v[k] - max);
	}
	return sum;
}

static void store_at(const struct row *r, u64 i, u32 n, const double *v)
{
	if (r->step == 1) {
		kern_store_f64(r->y->dtype, r->y->data, r->base + (s64)i, n, v);
		return;
	}
	for (u32 k = 0; k < n; k++)
		kern_store_f64(r->y->dtype, r->y->data, r->base + (s64)(i + k) * r->step, 1, v + k);
}

static void run_row(const struct row *r, bool is_log)
{
	double max = row_max(r), sum = row_sum(r, max), log_sum = log(sum);
	double v[KERN_STRIP];

	for (u64 i = 0; i < r->len; i += KERN_STRIP) {
		u32 n = strip_at(r, i, v);

		for (u32 k = 0; k < n; k++)
			v[k] = is_log ? v[k] - max - log_sum : exp(v[k] - max) / sum;
		store_at(r, i, n, v);
	}
}

int kern_softmax_infer(const struct kern_args *a)
{
	const struct abi_attr_softmax *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	int ret;

	ret = kern_want_types(a, 0, KERN_FLOATS);
	if (!ret)
		ret = kern_want_axis(a, attr->axis, x->rank);
	if (ret)
		return ret;
	if (attr->is_log > 1)
		return kern_bad(a, "is_log %u, 0 or 1 wanted", attr->is_log);
	return kern_set_out(a, 0, x->dtype, x->rank, x->dims);
}

int kern_softmax_run(const struct kern_args *a)
{
	const struct abi_attr_softmax *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	struct row r = { .x = x, .y = &a->out[0], .len = x->dims[attr->axis] };
	s64 strides[ABI_MAX_RANK];
	u64 chunk, nr_outer;

	kern_strides(x->rank, x->dims, strides);
	r.step = strides[attr->axis];
	chunk = r.len * (u64)r.step;
	nr_outer = kern_nr_elements(x) / chunk;
	for (u64 o = 0; o < nr_outer; o++)
		for (s64 i = 0; i < r.step; i++) {
			r.base = (s64)(o * chunk) + i;
			run_row(&r, attr->is_log);
		}
	return 0;
}
