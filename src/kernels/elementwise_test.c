// SPDX-License-Identifier: MIT
/* unary.c and binary.c */
#include "kernels/kern_testing.h"

static void unary(u32 kind, float a, float b, u32 n, const float *x, const float *want)
{
	const struct abi_attr_unary attr = { { .kind = kind, .a = a, .b = b } };
	struct kt k = { 0 };

	kt_in(&k, ABI_F32, DIMS(n), x);
	kt_run(&k, ABI_OP_UNARY, ATTR(attr));
	kt_want_f32(&k, DIMS(n), want);
}

static void functions_of_one_float(void **state)
{
	const float x[5] = { -2, -0.5f, 0, 1, NAN };

	(void)state;
	unary(ABI_UNARY_NONE, 0, 0, 5, x, x);
	unary(ABI_UNARY_RELU, 0, 0, 5, x, VALUES(float, 0, 0, 0, 1, NAN));
	unary(ABI_UNARY_CLIP, -1, 0.5f, 5, x, VALUES(float, -1, -0.5f, 0, 0.5f, NAN));
	unary(ABI_UNARY_LEAKY_RELU, 0.1f, 0, 5, x, VALUES(float, -0.2f, -0.05f, 0, 1, NAN));
	unary(ABI_UNARY_ELU, 2, 0, 5, x, VALUES(float, -1.7293294f, -0.7869387f, 0, 1, NAN));
	unary(ABI_UNARY_SELU, 2, 3, 5, x, VALUES(float, -5.1879883f, -2.3608160f, 0, 3, NAN));
	unary(ABI_UNARY_SIGMOID, 0, 0, 5, x,
	      VALUES(float, 0.1192029f, 0.3775407f, 0.5f, 0.7310586f, NAN));
	unary(ABI_UNARY_HARD_SIGMOID, 0.5f, 0.6f, 5, x, VALUES(float, 0, 0.35f, 0.6f, 1, NAN));
	unary(ABI_UNARY_HARD_SWISH, 0, 0, 5, x,
	      VALUES(float, -1 / 3.0f, -0.2083333f, 0, 2 / 3.0f, NAN));
	unary(ABI_UNARY_SWISH, 1, 0, 5, x,
	      VALUES(float, -0.2384058f, -0.1887703f, 0, 0.7310586f, NAN));
	unary(ABI_UNARY_SOFTPLUS, 0, 0, 5, x,
	      VALUES(float, 0.1269280f, 0.4740770f, 0.6931472f, 1.3132617f, NAN));
	unary(ABI_UNARY_SOFTSIGN, 0, 0, 5, x, VALUES(float, -2 / 3.0f, -1 / 3.0f, 0, 0.5f, NAN));
	unary(ABI_UNARY_ERF, 0, 0, 5, x,
	      VALUES(float, -0.9953223f, -0.5204999f, 0, 0.8427008f, NAN));
	unary(ABI_UNARY_TANH, 0, 0, 5, x,
	      VALUES(float, -0.9640276f, -0.4621172f, 0, 0.7615942f, NAN));
	unary(ABI_UNARY_ABS, 0, 0, 5, x, VALUES(float, 2, 0.5f, 0, 1, NAN));
	unary(ABI_UNARY_NEG, 0, 0, 5, x, VALUES(float, 2, 0.5f, 0, -1, NAN));
	unary(ABI_UNARY_SIGN, 0, 0, 5, x, VALUES(float, -1, -1, 0, 1, NAN));
	unary(ABI_UNARY_CEIL, 0, 0, 5, x, VALUES(float, -2, 0, 0, 1, NAN));
	unary(ABI_UNARY_FLOOR, 0, 0, 5, x, VALUES(float, -2, -1, 0, 1, NAN));
	unary(ABI_UNARY_RECIPROCAL, 0, 0, 5, x, VALUES(float, -0.5f, -2, INFINITY, 1, NAN));
	unary(ABI_UNARY_SQRT, 0, 0, 3, VALUES(float, 4, 2, -1), VALUES(float, 2, 1.4142136f, NAN));
	unary(ABI_UNARY_LOG, 0, 0, 3, VALUES(float, 1, 0, -1), VALUES(float, 0, -INFINITY, NAN));
	unary(ABI_UNARY_EXP, 0, 0, 3, VALUES(float, 0, 1, 200),
	      VALUES(float, 1, 2.7182818f, INFINITY));
	unary(ABI_UNARY_SIN, 0, 0, 2, VALUES(float, 0, 1), VALUES(float, 0, 0.8414710f));
	unary(ABI_UNARY_COS, 0, 0, 2, VALUES(float, 0, 1), VALUES(float, 1, 0.5403023f));
	unary(ABI_UNARY_TAN, 0, 0, 2, VALUES(float, 0, 1), VALUES(float, 0, 1.5574077f));
	unary(ABI_UNARY_ROUND, 0, 0, 6, VALUES(float, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 2.6f),
	      VALUES(float, 0, 2, 2, 0, -2, 3));
}

static void large_arguments_do_not_overflow(void **state)
{
	const float x[2] = { -1000, 1000 };

	(void)state;
	unary(ABI_UNARY_SIGMOID, 0, 0, 2, x, VALUES(float, 0, 1));
	unary(ABI_UNARY_SOFTPLUS, 0, 0, 2, x, VALUES(float, 0, 1000));
	unary(ABI_UNARY_SWISH, 1, 0, 2, x, VALUES(float, 0, 1000));
}

static void functions_of_one_integer_wrap(void **state)
{
	struct abi_attr_unary attr = { { .kind = ABI_UNARY_ABS } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_S8, DIMS(3), VALUES(s8, -128, -5, 7));
	kt_run(&k, ABI_OP_UNARY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S8, DIMS(3), VALUES(s8, -128, 5, 7));
	k = (struct kt){ 0 };
	attr.f.kind = ABI_UNARY_NEG;
	kt_in(&k, ABI_S64, DIMS(2), VALUES(s64, INT64_MIN, 3));
	kt_run(&k, ABI_OP_UNARY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, DIMS(2), VALUES(s64, INT64_MIN, -3));
	k = (struct kt){ 0 };
	attr.f.kind = ABI_UNARY_SIGN;
	kt_in(&k, ABI_U32, SCALAR, VALUES(u32, 4000000000u));
	kt_run(&k, ABI_OP_UNARY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U32, SCALAR, VALUES(u32, 1));
	k = (struct kt){ 0 };
	attr.f.kind = ABI_UNARY_NOT;
	kt_in(&k, ABI_BOOL, DIMS(3), VALUES(u8, 0, 1, 77));
	kt_run(&k, ABI_OP_UNARY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(3), VALUES(u8, 1, 0, 0));
}

static void unary_works_in_place(void **state)
{
	const struct abi_attr_unary attr = { { .kind = ABI_UNARY_NEG } };
	const struct kern_op op = { ABI_OP_UNARY, ATTR(attr), NULL };
	s32 v[3] = { 1, -2, INT32_MIN };
	struct kern_tensor t = { v, ABI_S32, 1, { 3 } }, y = t;
	const struct kern_tensor *in[1] = { &t };

	(void)state;
	assert_int_equal(kern_run(&op, in, 1, &y, 1, NULL), 0);
	assert_memory_equal(v, VALUES(s32, -1, 2, INT32_MIN), sizeof(v));
}

static void unary_refusals(void **state)
{
	struct abi_attr_unary attr = { { .kind = ABI_NR_UNARY } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_UNARY, ATTR(attr), -EINVAL, "unary: function 28, below 28 wanted");
	attr.f.kind = ABI_UNARY_ERF;
	kt_in(&k, ABI_S32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_UNARY, ATTR(attr), -EOPNOTSUPP,
		   "unary: function erf has no kernel for int32");
	attr.f.kind = ABI_UNARY_NEG;
	kt_in(&k, ABI_U8, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_UNARY, ATTR(attr), -EOPNOTSUPP,
		   "unary: function neg has no kernel for uint8");
}

static void binary(struct kt *k, u32 kind, u32 dtype, u32 n, const void *a, const void *b)
{
	const struct abi_attr_binary attr = { .kind = kind };

	*k = (struct kt){ 0 };
	kt_in(k, dtype, DIMS(n), a);
	kt_in(k, dtype, DIMS(n), b);
	kt_run(k, ABI_OP_BINARY, ATTR(attr));
}

static void integers_wrap_around(void **state)
{
	const s32 a[4] = { INT32_MAX, INT32_MIN, 7, -7 }, b[4] = { 1, -1, 0, 2 };
	const s64 c[2] = { INT64_MIN, 9 }, d[2] = { -1, -2 };
	struct kt k;

	(void)state;
	binary(&k, ABI_BINARY_ADD, ABI_S32, 4, a, b);
	kt_want_exact(&k, 0, ABI_S32, DIMS(4), VALUES(s32, INT32_MIN, INT32_MAX, 7, -5));
	binary(&k, ABI_BINARY_SUB, ABI_S32, 4, b, a);
	kt_want_exact(&k, 0, ABI_S32, DIMS(4), VALUES(s32, -2147483646, INT32_MAX, -7, 9));
	binary(&k, ABI_BINARY_MUL, ABI_S32, 4, a, b);
	kt_want_exact(&k, 0, ABI_S32, DIMS(4), VALUES(s32, INT32_MAX, INT32_MIN, 0, -14));
	binary(&k, ABI_BINARY_DIV, ABI_S32, 4, a, b);
	kt_want_exact(&k, 0, ABI_S32, DIMS(4), VALUES(s32, INT32_MAX, INT32_MIN, 0, -3));
	binary(&k, ABI_BINARY_DIV, ABI_S64, 2, c, d);
	kt_want_exact(&k, 0, ABI_S64, DIMS(2), VALUES(s64, INT64_MIN, -4));
	binary(&k, ABI_BINARY_SUB, ABI_U8, 2, VALUES(u8, 3, 250), VALUES(u8, 5, 50));
	kt_want_exact(&k, 0, ABI_U8, DIMS(2), VALUES(u8, 254, 200));
	binary(&k, ABI_BINARY_MAX, ABI_U64, 2, VALUES(u64, UINT64_MAX, 1), VALUES(u64, 2, 3));
	kt_want_exact(&k, 0, ABI_U64, DIMS(2), VALUES(u64, UINT64_MAX, 3));
	binary(&k, ABI_BINARY_MIN, ABI_S64, 2, VALUES(s64, -1, 1), VALUES(s64, 2, INT64_MIN));
	kt_want_exact(&k, 0, ABI_S64, DIMS(2), VALUES(s64, -1, INT64_MIN));
}

static void nan_goes_through_min_and_max(void **state)
{
	const float a[4] = { NAN, 1, 2, -1 }, b[4] = { 1, NAN, 3, -2 };
	struct kt k;

	(void)state;
	binary(&k, ABI_BINARY_MAX, ABI_F32, 4, a, b);
	kt_want_f32(&k, DIMS(4), VALUES(float, NAN, NAN, 3, -1));
	binary(&k, ABI_BINARY_MIN, ABI_F32, 4, a, b);
	kt_want_f32(&k, DIMS(4), VALUES(float, NAN, NAN, 2, -2));
	binary(&k, ABI_BINARY_PRELU, ABI_F32, 4, a, b);
	kt_want_f32(&k, DIMS(4), VALUES(float, NAN, 1, 2, 2));
}

static void comparisons(void **state)
{
	const float a[4] = { 1, 2, 3, NAN }, b[4] = { 2, 2, 2, NAN };
	struct kt k;

	(void)state;
	binary(&k, ABI_BINARY_EQ, ABI_F32, 4, a, b);
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(4), VALUES(u8, 0, 1, 0, 0));
	binary(&k, ABI_BINARY_LT, ABI_F32, 4, a, b);
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(4), VALUES(u8, 1, 0, 0, 0));
	binary(&k, ABI_BINARY_LE, ABI_F32, 4, a, b);
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(4), VALUES(u8, 1, 1, 0, 0));
	binary(&k, ABI_BINARY_GT, ABI_S8, 3, VALUES(s8, -1, 1, 0), VALUES(s8, 1, -1, 0));
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(3), VALUES(u8, 0, 1, 0));
	binary(&k, ABI_BINARY_GE, ABI_U64, 2, VALUES(u64, UINT64_MAX, 0), VALUES(u64, 1, 1));
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(2), VALUES(u8, 1, 0));
	binary(&k, ABI_BINARY_XOR, ABI_BOOL, 4, VALUES(u8, 0, 0, 1, 9), VALUES(u8, 0, 1, 0, 1));
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(4), VALUES(u8, 0, 1, 1, 0));
	binary(&k, ABI_BINARY_AND, ABI_BOOL, 2, VALUES(u8, 1, 1), VALUES(u8, 0, 2));
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(2), VALUES(u8, 0, 1));
	binary(&k, ABI_BINARY_OR, ABI_BOOL, 2, VALUES(u8, 0, 0), VALUES(u8, 0, 2));
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(2), VALUES(u8, 0, 1));
}

static void powers(void **state)
{
	const struct abi_attr_binary attr = { .kind = ABI_BINARY_POW },
				     relu = { .kind = ABI_BINARY_POW,
					      .act = { .kind = ABI_UNARY_RELU } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(3), VALUES(float, 2, -2, 9));
	kt_in(&k, ABI_S64, DIMS(3), VALUES(s64, 10, 3, 0));
	kt_run(&k, ABI_OP_BINARY, ATTR(attr));
	kt_want_f32(&k, DIMS(3), VALUES(float, 1024, -8, 1));
	k.nr_in = 0;
	kt_in(&k, ABI_S32, DIMS(5), VALUES(s32, 3, -1, 2, 0, 65536));
	kt_in(&k, ABI_S32, DIMS(5), VALUES(s32, 4, -3, -1, -1, 2));
	kt_run(&k, ABI_OP_BINARY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S32, DIMS(5), VALUES(s32, 81, -1, 0, 0, 0));
	k.nr_in = 0;
	kt_in(&k, ABI_S64, DIMS(2), VALUES(s64, 4, 10));
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 0.5f, 30));
	kt_run(&k, ABI_OP_BINARY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, DIMS(2), VALUES(s64, 2, INT64_MAX));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, -2, 3));
	kt_in(&k, ABI_F32, SCALAR, VALUES(float, 3));
	kt_run(&k, ABI_OP_BINARY, ATTR(relu));
	kt_want_f32(&k, DIMS(2), VALUES(float, 0, 27));
}

static void operands_broadcast(void **state)
{
	const struct abi_attr_binary attr = { .kind = ABI_BINARY_ADD,
					      .act = { .kind = ABI_UNARY_CLIP, .a = 0, .b = 30 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 1), VALUES(float, 10, 20));
	kt_in(&k, ABI_F32, DIMS(3), VALUES(float, 1, 2, 30));
	kt_run(&k, ABI_OP_BINARY, ATTR(attr));
	kt_want_f32(&k, DIMS(2, 3), VALUES(float, 11, 12, 30, 21, 22, 30));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, SCALAR, VALUES(float, 1));
	kt_in(&k, ABI_F32, SCALAR, VALUES(float, 2));
	kt_run(&k, ABI_OP_BINARY, ATTR(attr));
	kt_want_f32(&k, SCALAR, VALUES(float, 3));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(1, 0), NULL);
	kt_in(&k, ABI_F32, DIMS(4, 1), VALUES(float, 1, 2, 3, 4));
	kt_run(&k, ABI_OP_BINARY, ATTR(attr));
	kt_want_shape(&k, 0, ABI_F32, DIMS(4, 0));
}

static void halves_are_rounded_on_store(void **state)
{
	const struct abi_attr_binary attr = { .kind = ABI_BINARY_MUL };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F16, DIMS(2), VALUES(u16, 0x7BFF, 0x3C01)); /* 65504, 1 + 2^-10 */
	kt_in(&k, ABI_F16, DIMS(2), VALUES(u16, 0x4000, 0x3C01));
	kt_run(&k, ABI_OP_BINARY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_F16, DIMS(2), VALUES(u16, 0x7C00, 0x3C02));
}

static void binary_refusals(void **state)
{
	struct abi_attr_binary attr = { .kind = 0 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EINVAL, "binary: function 0, 1 to 16 wanted");
	attr.kind = ABI_BINARY_ADD;
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_in(&k, ABI_S32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EINVAL,
		   "binary: add: input 1 is int32, float32 like input 0 wanted");
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EINVAL,
		   "binary: add: shapes do not broadcast: 3 against 2 in dim 1 of 2");
	kt_in(&k, ABI_BOOL, DIMS(3), NULL);
	kt_in(&k, ABI_BOOL, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EOPNOTSUPP,
		   "binary: add: input 0: no kernel for bool");
	attr.kind = ABI_BINARY_AND;
	kt_in(&k, ABI_U8, DIMS(3), NULL);
	kt_in(&k, ABI_U8, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EOPNOTSUPP,
		   "binary: and: input 0: no kernel for uint8");
	attr = (struct abi_attr_binary){ .kind = ABI_BINARY_EQ, .act = { .kind = ABI_UNARY_RELU } };
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EOPNOTSUPP,
		   "binary: equal: function relu has no kernel for bool");
	attr = (struct abi_attr_binary){ .kind = ABI_BINARY_ADD };
	kt_in(&k, ABI_F32, DIMS(1u << 20, 1), NULL);
	kt_in(&k, ABI_F32, DIMS(1u << 20), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EINVAL,
		   "binary: add: output 0 would be larger than 68719476736 bytes");
}

static void select_takes_by_condition(void **state)
{
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_BOOL, DIMS(2, 1), VALUES(u8, 1, 0));
	kt_in(&k, ABI_S64, DIMS(2), VALUES(s64, INT64_MIN, 2));
	kt_in(&k, ABI_S64, SCALAR, VALUES(s64, -9));
	kt_run(&k, ABI_OP_SELECT, NO_ATTR);
	kt_want_exact(&k, 0, ABI_S64, DIMS(2, 2), VALUES(s64, INT64_MIN, 2, -9, -9));
	k.nr_in = 0;
	kt_in(&k, ABI_U8, DIMS(2), NULL);
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_SELECT, NO_ATTR, -EINVAL,
		   "select: input 0 (condition) is uint8, bool wanted");
	kt_in(&k, ABI_BOOL, DIMS(2), NULL);
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_in(&k, ABI_F64, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_SELECT, NO_ATTR, -EINVAL,
		   "select: inputs 1 and 2 are float32 and float64, one type wanted");
}

static void cast(struct kt *k, u32 from, u32 to, u32 n, const void *x)
{
	const struct abi_attr_cast attr = { .to = to };

	*k = (struct kt){ 0 };
	kt_in(k, from, DIMS(n), x);
	kt_run(k, ABI_OP_CAST, ATTR(attr));
}

static void casts(void **state)
{
	const volatile s64 above_middle = (INT64_C(1) << 60) + (INT64_C(1) << 36) + 1;
	const float f[5] = { 2.9f, -2.9f, 1e20f, NAN, 0.25f };
	struct kt k;

	(void)state;
	cast(&k, ABI_F32, ABI_S32, 5, f);
	kt_want_exact(&k, 0, ABI_S32, DIMS(5), VALUES(s32, 2, -2, INT32_MAX, 0, 0));
	cast(&k, ABI_F32, ABI_U8, 5, f);
	kt_want_exact(&k, 0, ABI_U8, DIMS(5), VALUES(u8, 2, 0, 255, 0, 0));
	cast(&k, ABI_F32, ABI_BOOL, 5, f);
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(5), VALUES(u8, 1, 1, 1, 1, 1));
	cast(&k, ABI_F32, ABI_F16, 2, VALUES(float, 1e6f, 0.1f));
	kt_want_exact(&k, 0, ABI_F16, DIMS(2), VALUES(u16, 0x7C00, 0x2E66));
	cast(&k, ABI_S32, ABI_U8, 3, VALUES(s32, -1, 256, 77));
	kt_want_exact(&k, 0, ABI_U8, DIMS(3), VALUES(u8, 255, 0, 77));
	cast(&k, ABI_U8, ABI_S8, 2, VALUES(u8, 200, 5));
	kt_want_exact(&k, 0, ABI_S8, DIMS(2), VALUES(s8, -56, 5));
	cast(&k, ABI_S64, ABI_BOOL, 2, VALUES(s64, 256, 0));
	kt_want_exact(&k, 0, ABI_BOOL, DIMS(2), VALUES(u8, 1, 0));
	cast(&k, ABI_BOOL, ABI_F32, 3, VALUES(u8, 0, 1, 200));
	kt_want_f32(&k, DIMS(3), VALUES(float, 0, 1, 1));
	/* 2^60 + 2^36 + 1 is just above the middle of two floats; a double would lose the 1 */
	if ((float)above_middle == 0x1.000002p60f) { /* not so under valgrind, which rounds twice */
		cast(&k, ABI_S64, ABI_F32, 1, VALUES(s64, above_middle));
		kt_want_exact(&k, 0, ABI_F32, DIMS(1), VALUES(float, 0x1.000002p60f));
	}
	cast(&k, ABI_U64, ABI_F64, 1, VALUES(u64, UINT64_MAX));
	kt_want_exact(&k, 0, ABI_F64, DIMS(1), VALUES(double, 0x1p64));
}

static void cast_refuses_unknown_types(void **state)
{
	const struct abi_attr_cast attr = { .to = 8 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_CAST, ATTR(attr), -EINVAL,
		   "cast: to type 8, a known element type wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_of_one_float),
		cmocka_unit_test(large_arguments_do_not_overflow),
		cmocka_unit_test(functions_of_one_integer_wrap),
		cmocka_unit_test(unary_works_in_place),
		cmocka_unit_test(unary_refusals),
		cmocka_unit_test(integers_wrap_around),
		cmocka_unit_test(nan_goes_through_min_and_max),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(powers),
		cmocka_unit_test(operands_broadcast),
		cmocka_unit_test(halves_are_rounded_on_store),
		cmocka_unit_test(binary_refusals),
		cmocka_unit_test(select_takes_by_condition),
		cmocka_unit_test(casts),
		cmocka_unit_test(cast_refuses_unknown_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
