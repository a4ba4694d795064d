// SPDX-License-Identifier: MIT
/*
 * Functions of one element: an operation of their own, and the activation at the end of others.
 * A NaN goes through every one of them.
 */
#include <math.h>

#include "kernels/internal.h"

static double f_none(double x, double a, double b)
{
	(void)a, (void)b;
	return x;
}

static double f_relu(double x, double a, double b)
{
	(void)a, (void)b;
	return x < 0 ? 0 : x;
}

static double f_clip(double x, double a, double b)
{
	x = x < a ? a : x;
	return x > b ? b : x;
}

static double f_leaky_relu(double x, double a, double b)
{
	(void)b;
	return x < 0 ? a * x : x;
}

static double f_elu(double x, double a, double b)
{
	(void)b;
	return x < 0 ? a * expm1(x) : x;
}

static double f_selu(double x, double a, double b)
{
	return b * (x > 0 ? x : a * expm1(x));
}

/* Never e^large: the exponent is negative on both sides. */
static double sigmoid(double x)
{
	double e = exp(-fabs(x));

	return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static double f_sigmoid(double x, double a, double b)
{
	(void)a, (void)b;
	return sigmoid(x);
}

static double f_hard_sigmoid(double x, double a, double b)
{
	return f_clip(a * x + b, 0, 1);
}

static double f_hard_swish(double x, double a, double b)
{
	(void)a, (void)b;
	return x * f_clip(x / 6 + 0.5, 0, 1);
}

static double f_swish(double x, double a, double b)
{
	(void)b;
	return x * sigmoid(a * x);
}

static double f_tanh(double x, double a, double b)
{
	(void)a, (void)b;
	return tanh(x);
}

static double f_softplus(double x, double a, double b)
{
	(void)a, (void)b;
	return log1p(exp(-fabs(x))) + f_relu(x, 0, 0);
}

static double f_softsign(double x, double a, double b)
{
	(void)a, (void)b;
	return x / (1 + fabs(x));
}

static double f_erf(double x, double a, double b)
{
	(void)a, (void)b;
	return erf(x);
}

static double f_exp(double x, double a, double b)
{
	(void)a, (void)b;
	return exp(x);
}

static double f_log(double x, double a, double b)
{
	(void)a, (void)b;
	return log(x);
}

static double f_sqrt(double x, double a, double b)
{
	(void)a, (void)b;
	return sqrt(x);
}

static double f_reciprocal(double x, double a, double b)
{
	(void)a, (void)b;
	return 1 / x;
}

static double f_sin(double x, double a, double b)
{
	(void)a, (void)b;
	return sin(x);
}

static double f_cos(double x, double a, double b)
{
	(void)a, (void)b;
	return cos(x);
}

static double f_tan(double x, double a, double b)
{
	(void)a, (void)b;
	return tan(x);
}

static double f_ceil(double x, double a, double b)
{
	(void)a, (void)b;
	return ceil(x);
}

static double f_floor(double x, double a, double b)
{
	(void)a, (void)b;
	return floor(x);
}

static double f_round(double x, double a, double b)
{
	(void)a, (void)b;
	return rint(x); /* half to even: nobody here changes the rounding mode */
}

static double f_abs(double x, double a, double b)
{
	(void)a, (void)b;
	return fabs(x);
}

static double f_neg(double x, double a, double b)
{
	(void)a, (void)b;
	return -x;
}

static double f_sign(double x, double a, double b)
{
	(void)a, (void)b;
	return isnan(x) ? x : (x > 0) - (x < 0);
}

/* Integers wrap around: the smallest number is its own negative. */
static s64 s_none(s64 x)
{
	return x;
}

static s64 s_relu(s64 x)
{
	return x < 0 ? 0 : x;
}

static s64 s_neg(s64 x)
{
	return (s64) - (u64)x;
}

static s64 s_abs(s64 x)
{
	return x < 0 ? s_neg(x) : x;
}

static s64 s_sign(s64 x)
{
	return (x > 0) - (x < 0);
}

static u64 u_same(u64 x)
{
	return x;
}

static u64 u_sign(u64 x)
{
	return x != 0;
}

static u64 u_not(u64 x)
{
	return !x;
}

static const struct {
	u32 types;
	double (*f)(double x, double a, double b);
	s64 (*s)(s64 x);
	u64 (*u)(u64 x);
} functions[ABI_NR_UNARY] = {
	[ABI_UNARY_NONE] = { KERN_ANY, f_none, s_none, u_same },
	[ABI_UNARY_RELU] = { KERN_NUMERIC, f_relu, s_relu, u_same },
	[ABI_UNARY_CLIP] = { KERN_FLOATS, f_clip, NULL, NULL },
	[ABI_UNARY_LEAKY_RELU] = { KERN_FLOATS, f_leaky_relu, NULL, NULL },
	[ABI_UNARY_ELU] = { KERN_FLOATS, f_elu, NULL, NULL },
	[ABI_UNARY_SELU] = { KERN_FLOATS, f_selu, NULL, NULL },
	[ABI_UNARY_SIGMOID] = { KERN_FLOATS, f_sigmoid, NULL, NULL },
	[ABI_UNARY_HARD_SIGMOID] = { KERN_FLOATS, f_hard_sigmoid, NULL, NULL },
	[ABI_UNARY_HARD_SWISH] = { KERN_FLOATS, f_hard_swish, NULL, NULL },
	[ABI_UNARY_SWISH] = { KERN_FLOATS, f_swish, NULL, NULL },
	[ABI_UNARY_TANH] = { KERN_FLOATS, f_tanh, NULL, NULL },
	[ABI_UNARY_SOFTPLUS] = { KERN_FLOATS, f_softplus, NULL, NULL },
	[ABI_UNARY_SOFTSIGN] = { KERN_FLOATS, f_softsign, NULL, NULL },
	[ABI_UNARY_ERF] = { KERN_FLOATS, f_erf, NULL, NULL },
	[ABI_UNARY_EXP] = { KERN_FLOATS, f_exp, NULL, NULL },
	[ABI_UNARY_LOG] = { KERN_FLOATS, f_log, NULL, NULL },
	[ABI_UNARY_SQRT] = { KERN_FLOATS, f_sqrt, NULL, NULL },
	[ABI_UNARY_RECIPROCAL] = { KERN_FLOATS, f_reciprocal, NULL, NULL },
	[ABI_UNARY_SIN] = { KERN_FLOATS, f_sin, NULL, NULL },
	[ABI_UNARY_COS] = { KERN_FLOATS, f_cos, NULL, NULL },
	[ABI_UNARY_TAN] = { KERN_FLOATS, f_tan, NULL, NULL },
	[ABI_UNARY_CEIL] = { KERN_FLOATS, f_ceil, NULL, NULL },
	[ABI_UNARY_FLOOR] = { KERN_FLOATS, f_floor, NULL, NULL },
	[ABI_UNARY_ROUND] = { KERN_FLOATS, f_round, NULL, NULL },
	[ABI_UNARY_ABS] = { KERN_NUMERIC, f_abs, s_abs, u_same },
	[ABI_UNARY_NEG] = { KERN_FLOATS | KERN_SINTS, f_neg, s_neg, NULL },
	[ABI_UNARY_SIGN] = { KERN_NUMERIC, f_sign, s_sign, u_sign },
	[ABI_UNARY_NOT] = { KERN_BOOL, NULL, NULL, u_not },
};

int kern_want_act(const struct kern_args *a, const struct abi_act *act, u32 dtype)
{
	if (act->kind >= ABI_NR_UNARY)
		return kern_bad(a, "function %u, below %u wanted", act->kind, ABI_NR_UNARY);
	if (!(functions[act->kind].types >> dtype & 1))
		return kern_unsupported(a, "function %s has no kernel for %s",
					abi_unary_name(act->kind), abi_dtype_name(dtype));
	return 0;
}

void kern_apply_act(const struct abi_act *act, enum kern_class c, u32 n, union kern_strip *x)
{
	const u32 kind = act->kind;

	if (kind == ABI_UNARY_NONE)
		return;
	switch (c) {
	case KERN_CLASS_FLOAT:
		for (u32 i = 0; i < n; i++)
			x->f[i] = functions[kind].f(x->f[i], act->a, act->b);
		break;
	case KERN_CLASS_SINT:
		for (u32 i = 0; i < n; i++)
			x->s[i] = functions[kind].s(x->s[i]);
		break;
	case KERN_CLASS_UINT:
		for (u32 i = 0; i < n; i++)
			x->u[i] = functions[kind].u(x->u[i]);
		break;
	}
}

int kern_unary_infer(const struct kern_args *a)
{
	const struct abi_attr_unary *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	int ret;

	ret = kern_want_act(a, &attr->f, x->dtype);
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, x->rank, x->dims);
}

/* Works in place: a strip is read before it is written. */
int kern_unary_run(const struct kern_args *a)
{
	const struct abi_attr_unary *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u64 nr = kern_nr_elements(x);
	union kern_strip v;

	for (u64 i = 0; i < nr; i += KERN_STRIP) {
		u32 n = (u32)base_min(nr - i, (u64)KERN_STRIP);

		kern_load(x->dtype, x->data, (s64)i, 1, n, &v);
		kern_apply_act(&attr->f, kern_class(x->dtype), n, &v);
		kern_store(x->dtype, a->out[0].data, (s64)i, n, &v);
	}
	return 0;
}

int kern_cast_infer(const struct kern_args *a)
{
	const struct abi_attr_cast *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];

	if (!abi_dtype_size(attr->to))
		return kern_bad(a, "to type %u, a known element type wanted", attr->to);
	return kern_set_out(a, 0, attr->to, x->rank, x->dims);
}

/* Integer to integer wraps, float to integer truncates and saturates, to bool is "not 0". */
static void cast_strip(enum kern_class from, u32 to, void *y, s64 off, u32 n, union kern_strip *v)
{
	double wide[KERN_STRIP];

	if (from == KERN_CLASS_FLOAT) {
		kern_store_f64(to, y, off, n, v->f);
		return;
	}
	if (kern_class(to) != KERN_CLASS_FLOAT) {
		kern_store(to, y, off, n, v); /* s64 and u64 are the same bits */
		return;
	}
	for (u32 i = 0; i < n; i++) {
		wide[i] = from == KERN_CLASS_SINT ? (double)v->s[i] : (double)v->u[i];
		if (to != ABI_F64) /* by way of double a large integer would be rounded twice */
			wide[i] = from == KERN_CLASS_SINT ? (float)v->s[i] : (float)v->u[i];
	}
	kern_store_f64(to, y, off, n, wide);
}

int kern_cast_run(const struct kern_args *a)
{
	const struct kern_tensor *x = a->in[0];
	struct kern_tensor *y = &a->out[0];
	u64 nr = kern_nr_elements(x);
	union kern_strip v;

	for (u64 i = 0; i < nr; i += KERN_STRIP) {
		u32 n = (u32)base_min(nr - i, (u64)KERN_STRIP);

		kern_load(x->dtype, x->data, (s64)i, 1, n, &v);
		cast_strip(kern_class(x->dtype), y->dtype, y->data, (s64)i, n, &v);
	}
	return 0;
}
