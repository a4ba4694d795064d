// SPDX-License-Identifier: MIT
/* Normalisation: by given statistics, by each instance's own, and by neighbouring channels. */
#include <math.h>

#include "kernels/internal.h"

static u32 nr_channels(const struct kern_tensor *x)
{
	return x->rank > 1 ? x->dims[1] : 1;
}

static u64 plane_of(const struct kern_tensor *x)
{
	u64 n = 1;

	for (u32 i = 2; i < x->rank; i++)
		n *= x->dims[i];
	return n;
}

static double at(const struct kern_tensor *t, u64 idx)
{
	double v;

	kern_load_f64(t->dtype, t->data, (s64)idx, 1, 1, &v);
	return v;
}

/* y = x factor + term on one plane. */
static void scale_plane(const struct kern_args *a, u64 base, u64 n, double factor, double term)
{
	double v[KERN_STRIP];

	for (u64 i = 0; i < n; i += KERN_STRIP) {
		u32 m = (u32)base_min(n - i, (u64)KERN_STRIP);

		kern_load_f64(a->in[0]->dtype, a->in[0]->data, (s64)(base + i), 1, m, v);
		for (u32 k = 0; k < m; k++)
			v[k] = v[k] * factor + term;
		kern_store_f64(a->out[0].dtype, a->out[0].data, (s64)(base + i), m, v);
	}
}

int kern_batch_norm_infer(const struct kern_args *a)
{
	const struct kern_tensor *x = a->in[0];
	int ret = 0;

	if (!x->rank)
		return kern_bad(a, "input 0: rank 0, at least 1 wanted");
	for (u32 i = 0; !ret && i < 5; i++)
		ret = kern_want_types(a, i, KERN_FLOATS);
	for (u32 i = 1; !ret && i < 5; i++)
		ret = kern_want_vector(a, i, nr_channels(x));
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, x->rank, x->dims);
}

int kern_batch_norm_run(const struct kern_args *a)
{
	const struct abi_attr_norm *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u64 plane = plane_of(x), base = 0;

	for (u32 n = 0; n < x->dims[0]; n++)
		for (u32 c = 0; c < nr_channels(x); c++, base += plane) {
			double factor =
				at(a->in[1], c) / sqrt(at(a->in[4], c) + (double)attr->epsilon);

			scale_plane(a, base, plane, factor,
				    at(a->in[2], c) - at(a->in[3], c) * factor);
		}
	return 0;
}

int kern_instance_norm_infer(const struct kern_args *a)
{
	const struct kern_tensor *x = a->in[0];
	int ret;

	if (x->rank < 2)
		return kern_bad(a, "input 0: rank %u, at least 2 wanted", x->rank);
	ret = kern_want_types(a, 0, KERN_FLOATS);
	for (u32 i = 1; !ret && i < 3; i++) {
		ret = kern_want_same_type(a, i);
		if (!ret)
			ret = kern_want_vector(a, i, x->dims[1]);
	}
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, x->rank, x->dims);
}

/* Two passes: the squares of differences do not cancel. */
static void mean_and_variance(const struct kern_tensor *x, u64 base, u64 n, double *mean,
			      double *variance)
{
	double v[KERN_STRIP], sum = 0, squares = 0;

	for (u64 i = 0; i < n; i += KERN_STRIP) {
		u32 m = (u32)base_min(n - i, (u64)KERN_STRIP);

		kern_load_f64(x->dtype, x->data, (s64)(base + i), 1, m, v);
		for (u32 k = 0; k < m; k++)
			sum += v[k];
	}
	*mean = sum / (double)n;
	for (u64 i = 0; i < n; i += KERN_STRIP) {
		u32 m = (u32)base_min(n - i, (u64)KERN_STRIP);

		kern_load_f64(x->dtype, x->data, (s64)(base + i), 1, m, v);
		for (u32 k = 0; k < m; k++)
			squares += (v[k] - *mean) * (v[k] - *mean);
	}
	*variance = squares / (double)n;
}

int kern_instance_norm_run(const struct kern_args *a)
{
	const struct abi_attr_norm *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u64 plane = plane_of(x), base = 0;
	double mean, variance, factor;

	for (u32 n = 0; n < x->dims[0]; n++)
		for (u32 c = 0; c < x->dims[1]; c++, base += plane) {
			mean_and_variance(x, base, plane, &mean, &variance);
			factor = at(a->in[1], c) / sqrt(variance + (double)attr->epsilon);
			scale_plane(a, base, plane, factor, at(a->in[2], c) - mean * factor);
		}
	return 0;
}

int kern_lrn_infer(const struct kern_args *a)
{
	const struct abi_attr_lrn *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	int ret;

	if (x->rank < 2)
		return kern_bad(a, "input 0: rank %u, at least 2 wanted", x->rank);
	if (!attr->size)
		return kern_bad(a, "size 0, at least 1 wanted");
	ret = kern_want_types(a, 0, KERN_FLOATS);
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, x->rank, x->dims);
}

/* Channels [*from, *to) around @c: floor((size - 1) / 2) before, ceil((size - 1) / 2) after. */
static void neighbours(u32 size, u32 c, u32 nr, u32 *from, u32 *to)
{
	u32 before = (size - 1) / 2, after = (size - 1) - before;

	*from = c > before ? c - before : 0;
	*to = after < nr - c ? c + after + 1 : nr;
}

static void lrn_strip(const struct kern_args *a, u64 sample, u32 c, u64 i, u32 n)
{
	const struct abi_attr_lrn *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	double v[KERN_STRIP], sum[KERN_STRIP] = { 0 };
	u64 plane = plane_of(x);
	u32 from, to;

	neighbours(attr->size, c, x->dims[1], &from, &to);
	for (u32 k = from; k < to; k++) {
		kern_load_f64(x->dtype, x->data, (s64)(sample + k * plane + i), 1, n, v);
		for (u32 j = 0; j < n; j++)
			sum[j] += v[j] * v[j];
	}
	kern_load_f64(x->dtype, x->data, (s64)(sample + c * plane + i), 1, n, v);
	for (u32 j = 0; j < n; j++)
		v[j] /= pow((double)attr->bias + (double)attr->alpha / attr->size * sum[j],
			    (double)attr->beta);
	kern_store_f64(x->dtype, a->out[0].data, (s64)(sample + c * plane + i), n, v);
}

int kern_lrn_run(const struct kern_args *a)
{
	const struct kern_tensor *x = a->in[0];
	u64 plane = plane_of(x);

	for (u32 n = 0; n < x->dims[0]; n++)
		for (u32 c = 0; c < x->dims[1]; c++)
			for (u64 i = 0; i < plane && !kern_is_unwanted(a->op->stop);
			     i += KERN_STRIP)
				lrn_strip(a, (u64)n * x->dims[1] * plane, c, i,
					  (u32)base_min(plane - i, (u64)KERN_STRIP));
	return kern_stopped(a);
}
