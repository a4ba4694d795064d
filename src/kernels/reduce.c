// SPDX-License-Identifier: MIT
/*
 * Reductions over a set of axes, and the position of the largest or smallest element of one.
 *
 * Sums are kept in double (floats) or modulo 2^64 (integers: wrapping to the type afterwards is the
 * same as wrapping in between).  Integer kinds that need a root or a logarithm go through double.
 * Over nothing: sum 0, product 1, mean NaN (0 for integers), maximum the least value there is.
 */
#include <math.h>

#include "kernels/internal.h"

static bool needs_double(u32 kind)
{
	return kind == ABI_REDUCE_L2 || kind == ABI_REDUCE_LOG_SUM ||
	       kind == ABI_REDUCE_LOG_SUM_EXP;
}

struct reducer {
	u32 kind;
	const struct kern_tensor *x;
	struct kern_walk over; /* the reduced axes */
	u64 count;	       /* elements of one result */
};

static double f_start(u32 kind)
{
	switch (kind) {
	case ABI_REDUCE_PROD:
		return 1;
	case ABI_REDUCE_MAX:
	case ABI_REDUCE_LOG_SUM_EXP: /* its first pass */
		return -INFINITY;
	case ABI_REDUCE_MIN:
		return INFINITY;
	default:
		return 0;
	}
}

static double f_max(double acc, double x)
{
	return isnan(x) || x > acc ? x : acc; /* acc NaN: no x is greater */
}

static double f_min(double acc, double x)
{
	return isnan(x) || x < acc ? x : acc;
}

static double f_strip(u32 kind, double acc, u32 n, const double *x)
{
	for (u32 i = 0; i < n; i++) {
		switch (kind) {
		case ABI_REDUCE_PROD:
			acc *= x[i];
			break;
		case ABI_REDUCE_MAX:
		case ABI_REDUCE_LOG_SUM_EXP:
			acc = f_max(acc, x[i]);
			break;
		case ABI_REDUCE_MIN:
			acc = f_min(acc, x[i]);
			break;
		case ABI_REDUCE_L1:
			acc += fabs(x[i]);
			break;
		case ABI_REDUCE_L2:
		case ABI_REDUCE_SUM_SQUARE:
			acc += x[i] * x[i];
			break;
		default: /* SUM, MEAN, LOG_SUM */
			acc += x[i];
			break;
		}
	}
	return acc;
}

static double f_pass(struct reducer *r, s64 base)
{
	double acc = f_start(r->kind), v[KERN_STRIP];

	kern_walk_rewind(&r->over);
	while (kern_walk_next(&r->over)) {
		kern_load_f64(r->x->dtype, r->x->data, base + r->over.off[0], r->over.step[0],
			      r->over.n, v);
		acc = f_strip(r->kind, acc, r->over.n, v);
	}
	return acc;
}

/* log(sum(e^x)) = max + log(sum(e^(x - max))): no overflow. */
static double log_sum_exp(struct reducer *r, s64 base, double max)
{
	double sum = 0, v[KERN_STRIP];

	if (isinf(max) || isnan(max))
		return max;
	kern_walk_rewind(&r->over);
	while (kern_walk_next(&r->over)) {
		kern_load_f64(r->x->dtype, r->x->data, base + r->over.off[0], r->over.step[0],
			      r->over.n, v);
		for (u32 i = 0; i < r->over.n; i++)
			sum += exp(v[i] - max);
	}
	return max + log(sum);
}

static double f_reduce(struct reducer *r, s64 base)
{
	double acc = f_pass(r, base);

	switch (r->kind) {
	case ABI_REDUCE_MEAN:
		return acc / (double)r->count;
	case ABI_REDUCE_L2:
		return sqrt(acc);
	case ABI_REDUCE_LOG_SUM:
		return log(acc);
	case ABI_REDUCE_LOG_SUM_EXP:
		return log_sum_exp(r, base, acc);
	default:
		return acc;
	}
}

static u64 int_start(u32 kind, u32 dtype)
{
	u32 bits = abi_dtype_size(dtype) * 8;
	bool is_signed = kern_class(dtype) == KERN_CLASS_SINT;
	u64 greatest = BASE_MASK64(bits - 1, 0) >> is_signed;

	switch (kind) {
	case ABI_REDUCE_PROD:
		return 1;
	case ABI_REDUCE_MAX:
		return is_signed ? ~greatest : 0;
	case ABI_REDUCE_MIN:
		return greatest;
	default:
		return 0;
	}
}

static bool is_less(bool is_signed, u64 a, u64 b)
{
	return is_signed ? (s64)a < (s64)b : a < b;
}

static u64 int_step(u32 kind, bool is_signed, u64 acc, u64 x)
{
	switch (kind) {
	case ABI_REDUCE_PROD:
		return acc * x;
	case ABI_REDUCE_MAX:
		return is_less(is_signed, acc, x) ? x : acc;
	case ABI_REDUCE_MIN:
		return is_less(is_signed, x, acc) ? x : acc;
	case ABI_REDUCE_L1:
		return acc + (is_signed && (s64)x < 0 ? -x : x);
	case ABI_REDUCE_SUM_SQUARE:
		return acc + x * x;
	default: /* SUM, MEAN */
		return acc + x;
	}
}

static u64 int_mean(bool is_signed, u64 sum, u64 count)
{
	if (!count)
		return 0;
	if (!is_signed || (s64)sum >= 0)
		return sum / count;
	return -(-sum / count); /* towards zero */
}

static u64 int_reduce(struct reducer *r, s64 base)
{
	bool is_signed = kern_class(r->x->dtype) == KERN_CLASS_SINT;
	u64 acc = int_start(r->kind, r->x->dtype);
	union kern_strip v;

	kern_walk_rewind(&r->over);
	while (kern_walk_next(&r->over)) {
		kern_load(r->x->dtype, r->x->data, base + r->over.off[0], r->over.step[0],
			  r->over.n, &v);
		for (u32 i = 0; i < r->over.n; i++)
			acc = int_step(r->kind, is_signed, acc, v.u[i]);
	}
	return r->kind == ABI_REDUCE_MEAN ? int_mean(is_signed, acc, r->count) : acc;
}

/* One walk over the axes in @mask, one operand: x. */
static void walk_axes(struct kern_walk *w, const struct kern_tensor *x, u32 mask)
{
	u32 dims[ABI_MAX_RANK], rank = 0;
	s64 all[ABI_MAX_RANK], strides[ABI_MAX_RANK];

	kern_strides(x->rank, x->dims, all);
	for (u32 i = 0; i < x->rank; i++) {
		if (!(mask >> i & 1))
			continue;
		dims[rank] = x->dims[i];
		strides[rank++] = all[i];
	}
	kern_walk_init(w, rank, dims);
	kern_walk_add(w, strides);
	kern_walk_start(w);
}

static int set_reduced_out(const struct kern_args *a, u32 dtype, u32 mask, bool keep_dims)
{
	const struct kern_tensor *x = a->in[0];
	u32 dims[ABI_MAX_RANK], rank = 0;

	for (u32 i = 0; i < x->rank; i++) {
		bool is_reduced = mask >> i & 1;

		if (!is_reduced || keep_dims)
			dims[rank++] = is_reduced ? 1 : x->dims[i];
	}
	return kern_set_out(a, 0, dtype, rank, dims);
}

int kern_reduce_infer(const struct kern_args *a)
{
	const struct abi_attr_reduce *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	int ret;

	if (!attr->kind || attr->kind >= ABI_NR_REDUCE)
		return kern_bad(a, "kind %u, 1 to %u wanted", attr->kind, ABI_NR_REDUCE - 1);
	if (attr->axes >> x->rank)
		return kern_bad(a, "axes 0x%x, bits below rank %u wanted", attr->axes, x->rank);
	if (attr->keep_dims > 1)
		return kern_bad(a, "keep_dims %u, 0 or 1 wanted", attr->keep_dims);
	ret = kern_want_types(a, 0, KERN_NUMERIC);
	if (ret)
		return ret;
	return set_reduced_out(a, x->dtype, attr->axes, attr->keep_dims);
}

static u64 count_reduced(const struct kern_tensor *x, u32 mask)
{
	u64 n = 1;

	for (u32 i = 0; i < x->rank; i++)
		if (mask >> i & 1)
			n *= x->dims[i];
	return n;
}

int kern_reduce_run(const struct kern_args *a)
{
	const struct abi_attr_reduce *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	struct reducer r = { .kind = attr->kind, .x = x, .count = count_reduced(x, attr->axes) };
	bool is_int = kern_class(x->dtype) != KERN_CLASS_FLOAT && !needs_double(attr->kind);
	union kern_strip y;
	struct kern_walk kept;
	s64 done = 0;

	walk_axes(&r.over, x, attr->axes);
	walk_axes(&kept, x, ~attr->axes);
	for (; kern_walk_next(&kept); done += kept.n) {
		for (u32 i = 0; i < kept.n; i++) {
			s64 base = kept.off[0] + i * kept.step[0];

			if (is_int)
				y.u[i] = int_reduce(&r, base);
			else
				y.f[i] = f_reduce(&r, base);
		}
		if (is_int)
			kern_store(x->dtype, a->out[0].data, done, kept.n, &y);
		else
			kern_store_f64(x->dtype, a->out[0].data, done, kept.n, y.f);
	}
	return 0;
}

int kern_arg_infer(const struct kern_args *a)
{
	const struct abi_attr_arg *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	int ret;

	ret = kern_want_types(a, 0, KERN_NUMERIC);
	if (!ret)
		ret = kern_want_axis(a, attr->axis, x->rank);
	if (ret)
		return ret;
	if (attr->is_max > 1 || attr->keep_dims > 1 || attr->select_last > 1)
		return kern_bad(a, "is_max %u keep_dims %u select_last %u, each 0 or 1 wanted",
				attr->is_max, attr->keep_dims, attr->select_last);
	if (!x->dims[attr->axis])
		return kern_bad(a, "axis %u has no elements to choose from", attr->axis);
	return set_reduced_out(a, ABI_S64, BASE_BIT(attr->axis), attr->keep_dims);
}

/* Does @x beat the best so far?  A NaN beats all numbers, as in numpy. */
#define BEATS(x, best, is_max, or_equal)                          \
	((is_max) ? (x) > (best) || ((or_equal) && (x) == (best)) \
		  : (x) < (best) || ((or_equal) && (x) == (best)))

static bool f_beats(double x, double best, bool is_max, bool or_equal)
{
	if (isnan(best))
		return or_equal && isnan(x);
	return isnan(x) || BEATS(x, best, is_max, or_equal);
}

static bool does_beat(enum kern_class c, const union kern_strip *v, u32 i,
		      const union kern_strip *best, const struct abi_attr_arg *attr)
{
	switch (c) {
	case KERN_CLASS_FLOAT:
		return f_beats(v->f[i], best->f[0], attr->is_max, attr->select_last);
	case KERN_CLASS_SINT:
		return BEATS(v->s[i], best->s[0], attr->is_max, attr->select_last);
	case KERN_CLASS_UINT:
		break;
	}
	return BEATS(v->u[i], best->u[0], attr->is_max, attr->select_last);
}

static s64 arg_of(const struct abi_attr_arg *attr, const struct kern_tensor *x, s64 base, s64 step)
{
	enum kern_class c = kern_class(x->dtype);
	u64 dim = x->dims[attr->axis];
	union kern_strip v, best;
	s64 at = 0;

	kern_load(x->dtype, x->data, base, step, 1, &best);
	for (u64 i = 0; i < dim; i += KERN_STRIP) {
		u32 n = (u32)base_min(dim - i, (u64)KERN_STRIP);

		kern_load(x->dtype, x->data, base + (s64)i * step, step, n, &v);
		for (u32 k = 0; k < n; k++) {
			if (i + k == 0 || !does_beat(c, &v, k, &best, attr))
				continue;
			best.u[0] = v.u[k];
			at = (s64)i + k;
		}
	}
	return at;
}

int kern_arg_run(const struct kern_args *a)
{
	const struct abi_attr_arg *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	s64 strides[ABI_MAX_RANK], done = 0;
	union kern_strip y;
	struct kern_walk kept;

	kern_strides(x->rank, x->dims, strides);
	walk_axes(&kept, x, ~BASE_BIT(attr->axis));
	for (; kern_walk_next(&kept); done += kept.n) {
		for (u32 i = 0; i < kept.n; i++)
			y.s[i] = arg_of(attr, x, kept.off[0] + i * kept.step[0],
					strides[attr->axis]);
		kern_store(ABI_S64, a->out[0].data, done, kept.n, &y);
	}
	return 0;
}
