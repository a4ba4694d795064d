// SPDX-License-Identifier: MIT
/*
 * Functions of two elements with broadcasting, and the choice between two.  Integers wrap around;
 * minimum and maximum hand on a NaN, as numpy's do.
 */
#include <math.h>

#include "kernels/internal.h"

static double f_add(double a, double b)
{
	return a + b;
}

static double f_sub(double a, double b)
{
	return a - b;
}

static double f_mul(double a, double b)
{
	return a * b;
}

static double f_div(double a, double b)
{
	return a / b;
}

static double f_min(double a, double b)
{
	return isnan(a) || a < b ? a : b;
}

static double f_max(double a, double b)
{
	return isnan(a) || a > b ? a : b;
}

static double f_prelu(double a, double b)
{
	return a < 0 ? a * b : a;
}

static s64 s_add(s64 a, s64 b)
{
	return (s64)((u64)a + (u64)b);
}

static s64 s_sub(s64 a, s64 b)
{
	return (s64)((u64)a - (u64)b);
}

static s64 s_mul(s64 a, s64 b)
{
	return (s64)((u64)a * (u64)b);
}

/* -1 apart: the smallest number has no positive twin. */
static s64 s_div(s64 a, s64 b)
{
	if (!b)
		return 0;
	return b == -1 ? s_sub(0, a) : a / b;
}

static s64 s_min(s64 a, s64 b)
{
	return a < b ? a : b;
}

static s64 s_max(s64 a, s64 b)
{
	return a > b ? a : b;
}

static s64 s_prelu(s64 a, s64 b)
{
	return a < 0 ? s_mul(a, b) : a;
}

static u64 u_add(u64 a, u64 b)
{
	return a + b;
}

static u64 u_sub(u64 a, u64 b)
{
	return a - b;
}

static u64 u_mul(u64 a, u64 b)
{
	return a * b;
}

static u64 u_div(u64 a, u64 b)
{
	return b ? a / b : 0;
}

static u64 u_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static u64 u_max(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u64 u_first(u64 a, u64 b)
{
	(void)b;
	return a;
}

static u64 u_and(u64 a, u64 b)
{
	return a & b;
}

static u64 u_or(u64 a, u64 b)
{
	return a | b;
}

static u64 u_xor(u64 a, u64 b)
{
	return a ^ b;
}

static const struct {
	u32 types;
	double (*f)(double a, double b);
	s64 (*s)(s64 a, s64 b);
	u64 (*u)(u64 a, u64 b);
} functions[ABI_NR_BINARY] = {
	[ABI_BINARY_ADD] = { KERN_NUMERIC, f_add, s_add, u_add },
	[ABI_BINARY_SUB] = { KERN_NUMERIC, f_sub, s_sub, u_sub },
	[ABI_BINARY_MUL] = { KERN_NUMERIC, f_mul, s_mul, u_mul },
	[ABI_BINARY_DIV] = { KERN_NUMERIC, f_div, s_div, u_div },
	[ABI_BINARY_POW] = { KERN_NUMERIC, NULL, NULL, NULL }, /* pow_strip() */
	[ABI_BINARY_MIN] = { KERN_NUMERIC, f_min, s_min, u_min },
	[ABI_BINARY_MAX] = { KERN_NUMERIC, f_max, s_max, u_max },
	[ABI_BINARY_PRELU] = { KERN_NUMERIC, f_prelu, s_prelu, u_first },
	[ABI_BINARY_AND] = { KERN_BOOL, NULL, NULL, u_and },
	[ABI_BINARY_OR] = { KERN_BOOL, NULL, NULL, u_or },
	[ABI_BINARY_XOR] = { KERN_BOOL, NULL, NULL, u_xor },
	[ABI_BINARY_EQ] = { KERN_ANY, NULL, NULL, NULL }, /* compare_strip() */
	[ABI_BINARY_LT] = { KERN_ANY, NULL, NULL, NULL },
	[ABI_BINARY_LE] = { KERN_ANY, NULL, NULL, NULL },
	[ABI_BINARY_GT] = { KERN_ANY, NULL, NULL, NULL },
	[ABI_BINARY_GE] = { KERN_ANY, NULL, NULL, NULL },
};

static bool is_compare(u32 kind)
{
	return kind >= ABI_BINARY_EQ;
}

/* y may be a. */
static void arithmetic_strip(u32 kind, enum kern_class c, u32 n, union kern_strip *a,
			     const union kern_strip *b)
{
	switch (c) {
	case KERN_CLASS_FLOAT:
		for (u32 i = 0; i < n; i++)
			a->f[i] = functions[kind].f(a->f[i], b->f[i]);
		break;
	case KERN_CLASS_SINT:
		for (u32 i = 0; i < n; i++)
			a->s[i] = functions[kind].s(a->s[i], b->s[i]);
		break;
	case KERN_CLASS_UINT:
		for (u32 i = 0; i < n; i++)
			a->u[i] = functions[kind].u(a->u[i], b->u[i]);
		break;
	}
}

/* Which of the three outcomes of a < b, a == b, a > b count; a NaN is none of them. */
enum { IS_LESS = 1, IS_EQUAL = 2, IS_GREATER = 4 };

static u32 wanted_outcomes(u32 kind)
{
	switch (kind) {
	case ABI_BINARY_LT:
		return IS_LESS;
	case ABI_BINARY_LE:
		return IS_LESS | IS_EQUAL;
	case ABI_BINARY_GT:
		return IS_GREATER;
	case ABI_BINARY_GE:
		return IS_GREATER | IS_EQUAL;
	default:
		return IS_EQUAL;
	}
}

#define OUTCOME(a, b) ((a) < (b) ? IS_LESS : (a) > (b) ? IS_GREATER : (a) == (b) ? IS_EQUAL : 0)

static void compare_strip(u32 kind, enum kern_class c, u32 n, union kern_strip *a,
			  const union kern_strip *b)
{
	u32 want = wanted_outcomes(kind), is;

	for (u32 i = 0; i < n; i++) {
		if (c == KERN_CLASS_FLOAT)
			is = OUTCOME(a->f[i], b->f[i]);
		else if (c == KERN_CLASS_SINT)
			is = OUTCOME(a->s[i], b->s[i]);
		else
			is = OUTCOME(a->u[i], b->u[i]);
		a->u[i] = (want & is) != 0;
	}
}

static u64 ipow(u64 base, u64 exponent)
{
	u64 y = 1;

	for (; exponent; exponent >>= 1) {
		if (exponent & 1)
			y *= base;
		base *= base;
	}
	return y;
}

/* Integers: exact modulo the type; 1/a^n truncates to 0 but for a = 1 and -1. */
static u64 spow(u64 a, bool is_a_signed, u64 b, bool is_b_signed)
{
	if (!is_b_signed || (s64)b >= 0)
		return ipow(a, b);
	if (a == 1)
		return 1;
	if (is_a_signed && a == UINT64_MAX)
		return b & 1 ? UINT64_MAX : 1;
	return 0;
}

static bool is_float(const struct kern_tensor *t)
{
	return kern_class(t->dtype) == KERN_CLASS_FLOAT;
}

static void int_pow_run(const struct kern_args *a, struct kern_walk *w)
{
	const struct kern_tensor *x = a->in[0], *e = a->in[1];
	bool is_x_signed = kern_class(x->dtype) == KERN_CLASS_SINT;
	bool is_e_signed = kern_class(e->dtype) == KERN_CLASS_SINT;
	union kern_strip vx, ve;

	while (kern_walk_next(w)) {
		kern_load(x->dtype, x->data, w->off[1], w->step[1], w->n, &vx);
		kern_load(e->dtype, e->data, w->off[2], w->step[2], w->n, &ve);
		for (u32 i = 0; i < w->n; i++)
			vx.u[i] = spow(vx.u[i], is_x_signed, ve.u[i], is_e_signed);
		kern_store(x->dtype, a->out[0].data, w->off[0], w->n, &vx);
	}
}

static void float_pow_run(const struct kern_args *a, struct kern_walk *w)
{
	const struct kern_tensor *x = a->in[0], *e = a->in[1];
	double vx[KERN_STRIP], ve[KERN_STRIP];

	while (kern_walk_next(w)) {
		kern_load_f64(x->dtype, x->data, w->off[1], w->step[1], w->n, vx);
		kern_load_f64(e->dtype, e->data, w->off[2], w->step[2], w->n, ve);
		for (u32 i = 0; i < w->n; i++)
			vx[i] = pow(vx[i], ve[i]);
		kern_store_f64(x->dtype, a->out[0].data, w->off[0], w->n, vx);
	}
}

static void plain_run(const struct kern_args *a, struct kern_walk *w)
{
	const struct abi_attr_binary *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0], *y = a->in[1];
	enum kern_class c = kern_class(x->dtype);
	union kern_strip vx, vy;

	while (kern_walk_next(w)) {
		kern_load(x->dtype, x->data, w->off[1], w->step[1], w->n, &vx);
		kern_load(y->dtype, y->data, w->off[2], w->step[2], w->n, &vy);
		if (is_compare(attr->kind))
			compare_strip(attr->kind, c, w->n, &vx, &vy);
		else
			arithmetic_strip(attr->kind, c, w->n, &vx, &vy);
		kern_apply_act(&attr->act, kern_class(a->out[0].dtype), w->n, &vx);
		kern_store(a->out[0].dtype, a->out[0].data, w->off[0], w->n, &vx);
	}
}

/* POW stores before its activation, so that both of its ways share this second pass. */
static void act_in_place(const struct abi_act *act, struct kern_tensor *y)
{
	const struct abi_attr_unary attr = { *act };
	const struct kern_op op = { ABI_OP_UNARY, &attr, sizeof(attr), NULL };
	const struct kern_tensor *in[1] = { y };
	const struct kern_args args = { &op, in, 1, y, 1, NULL };

	int ret = 0;

	if (act->kind != ABI_UNARY_NONE)
		ret = kern_unary_run(&args);
	assert(!ret);
}

int kern_binary_infer(const struct kern_args *a)
{
	const struct abi_attr_binary *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0], *y = a->in[1];
	u32 rank, dims[ABI_MAX_RANK], dtype;
	int ret;

	if (!attr->kind || attr->kind >= ABI_NR_BINARY)
		return kern_bad(a, "function %u, 1 to %u wanted", attr->kind, ABI_NR_BINARY - 1);
	ret = kern_want_types(a, 0, functions[attr->kind].types);
	if (!ret && attr->kind == ABI_BINARY_POW)
		ret = kern_want_types(a, 1, KERN_NUMERIC);
	else if (!ret)
		ret = kern_want_same_type(a, 1);
	if (!ret)
		ret = kern_broadcast(a, x->rank, x->dims, y->rank, y->dims, &rank, dims);
	if (ret)
		goto out_name;
	dtype = is_compare(attr->kind) ? ABI_BOOL : x->dtype;
	ret = kern_want_act(a, &attr->act, dtype);
	if (!ret)
		ret = kern_set_out(a, 0, dtype, rank, dims);
out_name:
	if (ret)
		base_err_prefix(a->err, "%s", abi_binary_name(attr->kind));
	return ret;
}

int kern_binary_run(const struct kern_args *a)
{
	const struct abi_attr_binary *attr = a->op->attr;
	struct kern_tensor *y = &a->out[0];
	struct kern_walk w;

	kern_walk_init(&w, y->rank, y->dims);
	kern_walk_add_broadcast(&w, y);
	kern_walk_add_broadcast(&w, a->in[0]);
	kern_walk_add_broadcast(&w, a->in[1]);
	kern_walk_start(&w);
	if (attr->kind != ABI_BINARY_POW) {
		plain_run(a, &w);
		return 0;
	}
	if (is_float(a->in[0]) || is_float(a->in[1]))
		float_pow_run(a, &w);
	else
		int_pow_run(a, &w);
	act_in_place(&attr->act, y);
	return 0;
}

int kern_select_infer(const struct kern_args *a)
{
	const struct kern_tensor *c = a->in[0], *x = a->in[1], *y = a->in[2];
	u32 rank, dims[ABI_MAX_RANK];
	int ret;

	if (c->dtype != ABI_BOOL)
		return kern_bad(a, "input 0 (condition) is %s, bool wanted",
				abi_dtype_name(c->dtype));
	if (x->dtype != y->dtype)
		return kern_bad(a, "inputs 1 and 2 are %s and %s, one type wanted",
				abi_dtype_name(x->dtype), abi_dtype_name(y->dtype));
	ret = kern_broadcast(a, x->rank, x->dims, y->rank, y->dims, &rank, dims);
	if (!ret)
		ret = kern_broadcast(a, c->rank, c->dims, rank, dims, &rank, dims);
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, rank, dims);
}

int kern_select_run(const struct kern_args *a)
{
	const struct kern_tensor *c = a->in[0], *x = a->in[1], *y = a->in[2];
	struct kern_tensor *out = &a->out[0];
	union kern_strip vc, vx, vy;
	struct kern_walk w;

	kern_walk_init(&w, out->rank, out->dims);
	kern_walk_add_broadcast(&w, out);
	kern_walk_add_broadcast(&w, c);
	kern_walk_add_broadcast(&w, x);
	kern_walk_add_broadcast(&w, y);
	kern_walk_start(&w);
	while (kern_walk_next(&w)) {
		kern_load(c->dtype, c->data, w.off[1], w.step[1], w.n, &vc);
		kern_load(x->dtype, x->data, w.off[2], w.step[2], w.n, &vx);
		kern_load(y->dtype, y->data, w.off[3], w.step[3], w.n, &vy);
		for (u32 i = 0; i < w.n; i++) /* bits of any class */
			vx.u[i] = vc.u[i] ? vx.u[i] : vy.u[i];
		kern_store(out->dtype, out->data, w.off[0], w.n, &vx);
	}
	return 0;
}
