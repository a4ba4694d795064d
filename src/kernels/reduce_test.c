// SPDX-License-Identifier: MIT
/* reduce.c and softmax.c */
#include "kernels/kern_testing.h"

static const float x6[6] = { 1, -2, 3, 4, 5, -6 };

static void reduce_f32(u32 kind, u32 axes, u32 n, const float *want)
{
	const struct abi_attr_reduce attr = { .kind = kind, .axes = axes };
	struct kt k = { 0 };

	kt_in(&k, ABI_F32, DIMS(2, 3), x6);
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_f32(&k, DIMS(n), want);
}

static void every_kind_over_rows(void **state)
{
	(void)state;
	reduce_f32(ABI_REDUCE_SUM, 2, 2, VALUES(float, 2, 3));
	reduce_f32(ABI_REDUCE_MEAN, 2, 2, VALUES(float, 2 / 3.0f, 1));
	reduce_f32(ABI_REDUCE_MAX, 2, 2, VALUES(float, 3, 5));
	reduce_f32(ABI_REDUCE_MIN, 2, 2, VALUES(float, -2, -6));
	reduce_f32(ABI_REDUCE_PROD, 2, 2, VALUES(float, -6, -120));
	reduce_f32(ABI_REDUCE_L1, 2, 2, VALUES(float, 6, 15));
	reduce_f32(ABI_REDUCE_L2, 2, 2, VALUES(float, 3.7416574f, 8.7749644f));
	reduce_f32(ABI_REDUCE_LOG_SUM, 2, 2, VALUES(float, 0.6931472f, 1.0986123f));
	reduce_f32(ABI_REDUCE_LOG_SUM_EXP, 2, 2, VALUES(float, 3.1328451f, 5.3132739f));
	reduce_f32(ABI_REDUCE_SUM_SQUARE, 2, 2, VALUES(float, 14, 77));
	reduce_f32(ABI_REDUCE_SUM, 1, 3, VALUES(float, 5, 3, -3));
}

static void axes_none_all_and_apart(void **state)
{
	struct abi_attr_reduce attr = { .kind = ABI_REDUCE_L1, .axes = 0 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 3), x6);
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr)); /* over nothing: of each element */
	kt_want_f32(&k, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	attr.axes = 3;
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_f32(&k, SCALAR, VALUES(float, 21));
	attr.keep_dims = 1;
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1), VALUES(float, 21));
	k.nr_in = 0;
	attr = (struct abi_attr_reduce){ .kind = ABI_REDUCE_SUM, .axes = 5 };
	kt_in(&k, ABI_F32, DIMS(2, 2, 2), VALUES(float, 1, 2, 3, 4, 5, 6, 7, 8));
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_f32(&k, DIMS(2), VALUES(float, 14, 22));
	k.nr_in = 0;
	attr = (struct abi_attr_reduce){ .kind = ABI_REDUCE_MEAN, .axes = 0 };
	kt_in(&k, ABI_F32, SCALAR, VALUES(float, 3));
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_f32(&k, SCALAR, VALUES(float, 3));
}

static void reductions_of_nothing(void **state)
{
	const u32 kinds[5] = { ABI_REDUCE_SUM, ABI_REDUCE_PROD, ABI_REDUCE_MAX, ABI_REDUCE_MIN,
			       ABI_REDUCE_MEAN };
	const float want[5] = { 0, 1, -INFINITY, INFINITY, NAN };
	const s16 want_int[5] = { 0, 1, -32768, 32767, 0 };
	struct abi_attr_reduce attr = { .axes = 2 };

	(void)state;
	for (u32 i = 0; i < 5; i++) {
		struct kt k = { 0 };

		attr.kind = kinds[i];
		kt_in(&k, ABI_F32, DIMS(1, 0), NULL);
		kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
		kt_want_f32(&k, DIMS(1), &want[i]);
		k.nr_in = 0;
		kt_in(&k, ABI_S16, DIMS(1, 0), NULL);
		kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
		kt_want_exact(&k, 0, ABI_S16, DIMS(1), &want_int[i]);
	}
}

static void log_sum_exp_does_not_overflow(void **state)
{
	const struct abi_attr_reduce attr = { .kind = ABI_REDUCE_LOG_SUM_EXP, .axes = 2 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(3, 2), VALUES(float, 1000, 1000, -INFINITY, -INFINITY, NAN, 1));
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_f32(&k, DIMS(3), VALUES(float, 1000.6931f, -INFINITY, NAN));
}

static void integers_reduce_in_their_own_type(void **state)
{
	struct abi_attr_reduce attr = { .kind = ABI_REDUCE_SUM, .axes = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_S8, DIMS(3), VALUES(s8, 100, 100, -1));
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S8, SCALAR, VALUES(s8, -57));
	attr.kind = ABI_REDUCE_MIN;
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S8, SCALAR, VALUES(s8, -1));
	k.nr_in = 0;
	attr.kind = ABI_REDUCE_MEAN;
	kt_in(&k, ABI_S32, DIMS(3), VALUES(s32, -3, -3, -2));
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S32, SCALAR, VALUES(s32, -2));
	attr.kind = ABI_REDUCE_L2;
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S32, SCALAR, VALUES(s32, 4));
	k.nr_in = 0;
	attr.kind = ABI_REDUCE_MAX;
	kt_in(&k, ABI_U64, DIMS(2), VALUES(u64, UINT64_MAX, 4));
	kt_run(&k, ABI_OP_REDUCE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U64, SCALAR, VALUES(u64, UINT64_MAX));
}

static void reduce_refusals(void **state)
{
	struct abi_attr_reduce attr = { .kind = 11 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_REDUCE, ATTR(attr), -EINVAL, "reduce: kind 11, 1 to 10 wanted");
	attr = (struct abi_attr_reduce){ .kind = ABI_REDUCE_SUM, .axes = 2 };
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_REDUCE, ATTR(attr), -EINVAL,
		   "reduce: axes 0x2, bits below rank 1 wanted");
	attr = (struct abi_attr_reduce){ .kind = ABI_REDUCE_SUM, .keep_dims = 2 };
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_REDUCE, ATTR(attr), -EINVAL, "reduce: keep_dims 2, 0 or 1 wanted");
	attr.keep_dims = 0;
	kt_in(&k, ABI_BOOL, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_REDUCE, ATTR(attr), -EOPNOTSUPP,
		   "reduce: input 0: no kernel for bool");
}

static void arg(u32 is_max, u32 select_last, u32 axis, u32 n, const s64 *want)
{
	const struct abi_attr_arg attr = { .is_max = is_max,
					   .axis = axis,
					   .select_last = select_last };
	struct kt k = { 0 };

	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 2, 2, 1, 3, 1, 3));
	kt_run(&k, ABI_OP_ARG, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, DIMS(n), want);
}

static void arg_takes_the_first_or_the_last(void **state)
{
	(void)state;
	arg(1, 0, 1, 2, VALUES(s64, 0, 0));
	arg(1, 1, 1, 2, VALUES(s64, 1, 2));
	arg(0, 0, 1, 2, VALUES(s64, 2, 1));
	arg(1, 0, 0, 3, VALUES(s64, 1, 0, 1));
	arg(0, 0, 0, 3, VALUES(s64, 0, 1, 0));
}

static void arg_edges(void **state)
{
	struct abi_attr_arg attr = { .is_max = 1, .keep_dims = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(4), VALUES(float, 1, NAN, 9, NAN));
	kt_run(&k, ABI_OP_ARG, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, DIMS(1), VALUES(s64, 1));
	attr.select_last = 1;
	kt_run(&k, ABI_OP_ARG, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, DIMS(1), VALUES(s64, 3));
	k.nr_in = 0;
	kt_in(&k, ABI_S64, DIMS(3), VALUES(s64, INT64_MIN, INT64_MIN + 1, INT64_MIN));
	attr = (struct abi_attr_arg){ .is_max = 1 };
	kt_run(&k, ABI_OP_ARG, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, SCALAR, VALUES(s64, 1));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(0), NULL);
	kt_refused(&k, ABI_OP_ARG, ATTR(attr), -EINVAL,
		   "arg: axis 0 has no elements to choose from");
	attr.select_last = 3;
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	kt_refused(&k, ABI_OP_ARG, ATTR(attr), -EINVAL,
		   "arg: is_max 1 keep_dims 0 select_last 3, each 0 or 1 wanted");
	attr = (struct abi_attr_arg){ .axis = 1 };
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	kt_refused(&k, ABI_OP_ARG, ATTR(attr), -EINVAL, "arg: axis 1, below rank 1 wanted");
}

/* A long axis crosses strips. */
static void arg_over_many_strips(void **state)
{
	static u16 x[1000];
	const struct abi_attr_arg attr = { .is_max = 1 };
	struct kt k = { 0 };

	(void)state;
	x[777] = 5;
	kt_in(&k, ABI_U16, DIMS(1000), x);
	kt_run(&k, ABI_OP_ARG, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, SCALAR, VALUES(s64, 777));
}

static void softmax_is_stable(void **state)
{
	struct abi_attr_softmax attr = { .axis = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 4), VALUES(float, 0, 1, 2, 3, 10000, 10001, 10002, 10003));
	kt_run(&k, ABI_OP_SOFTMAX, ATTR(attr));
	kt_want_f32(&k, DIMS(2, 4),
		    VALUES(float, 0.0320586f, 0.0871443f, 0.2368828f, 0.6439143f, 0.0320586f,
			   0.0871443f, 0.2368828f, 0.6439143f));
	attr.is_log = 1;
	kt_run(&k, ABI_OP_SOFTMAX, ATTR(attr));
	kt_want_f32(&k, DIMS(2, 4),
		    VALUES(float, -3.4401897f, -2.4401897f, -1.4401897f, -0.4401897f, -3.4401897f,
			   -2.4401897f, -1.4401897f, -0.4401897f));
}

static void softmax_along_a_leading_axis(void **state)
{
	struct abi_attr_softmax attr = { .axis = 0 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 0, 1, NAN, 0, 1 + 0.6931472f, 0));
	kt_run(&k, ABI_OP_SOFTMAX, ATTR(attr));
	kt_want_f32(&k, DIMS(2, 3), VALUES(float, 0.5f, 1 / 3.0f, NAN, 0.5f, 2 / 3.0f, NAN));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(0, 3), NULL);
	kt_run(&k, ABI_OP_SOFTMAX, ATTR(attr));
	kt_want_shape(&k, 0, ABI_F32, DIMS(0, 3));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, SCALAR, NULL);
	kt_refused(&k, ABI_OP_SOFTMAX, ATTR(attr), -EINVAL, "softmax: axis 0, below rank 0 wanted");
	kt_in(&k, ABI_S32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_SOFTMAX, ATTR(attr), -EOPNOTSUPP,
		   "softmax: input 0: no kernel for int32");
	attr.is_log = 2;
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_SOFTMAX, ATTR(attr), -EINVAL, "softmax: is_log 2, 0 or 1 wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_over_rows),
		cmocka_unit_test(axes_none_all_and_apart),
		cmocka_unit_test(reductions_of_nothing),
		cmocka_unit_test(log_sum_exp_does_not_overflow),
		cmocka_unit_test(integers_reduce_in_their_own_type),
		cmocka_unit_test(reduce_refusals),
		cmocka_unit_test(arg_takes_the_first_or_the_last),
		cmocka_unit_test(arg_edges),
		cmocka_unit_test(arg_over_many_strips),
		cmocka_unit_test(softmax_is_stable),
		cmocka_unit_test(softmax_along_a_leading_axis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
