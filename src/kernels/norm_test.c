// SPDX-License-Identifier: MIT
#include "kernels/kern_testing.h"

static void batch_norm_scales_each_channel(void **state)
{
	const struct abi_attr_norm attr = { .epsilon = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 2, 1, 3), VALUES(float, -1, 0, 1, 2, 3, 4));
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 1, 1.5f)); /* scale */
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 0, 1));    /* bias */
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 0, 3));    /* mean */
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 0, 8));    /* variance */
	kt_run(&k, ABI_OP_BATCH_NORM, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 2, 1, 3), VALUES(float, -1, 0, 1, 0.5f, 1, 1.5f));
}

/* opset 15: statistics of another float type; rank 1: one channel. */
static void batch_norm_of_mixed_types_and_rank_one(void **state)
{
	const struct abi_attr_norm attr = { .epsilon = 0 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F16, DIMS(2), VALUES(u16, 0x3C00, 0x4000));
	kt_in(&k, ABI_F32, DIMS(1), VALUES(float, 2));
	kt_in(&k, ABI_F32, DIMS(1), VALUES(float, 1));
	kt_in(&k, ABI_F64, DIMS(1), VALUES(double, 1));
	kt_in(&k, ABI_F64, DIMS(1), VALUES(double, 4));
	kt_run(&k, ABI_OP_BATCH_NORM, ATTR(attr));
	kt_want_exact(&k, 0, ABI_F16, DIMS(2), VALUES(u16, 0x3C00, 0x4000));
}

static void instance_norm_uses_its_own_statistics(void **state)
{
	const struct abi_attr_norm attr = { .epsilon = 0.5f };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 2, 4), VALUES(float, 1, 2, 1, 2, 10, 10, 10, 10));
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 1.7320508f, 3));
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 1, 7));
	kt_run(&k, ABI_OP_INSTANCE_NORM, ATTR(attr)); /* variance 1/4: 0.5 / sqrt(3/4) */
	kt_want_f32(&k, DIMS(1, 2, 4), VALUES(float, 0, 2, 0, 2, 7, 7, 7, 7));
}

/* An even size reaches one channel further after than before. */
static void lrn_sums_neighbouring_channels(void **state)
{
	struct abi_attr_lrn attr = { .size = 3, .alpha = 3, .beta = 1, .bias = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 4, 1), VALUES(float, 1, 2, 3, 4));
	kt_run(&k, ABI_OP_LRN, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 4, 1), VALUES(float, 1 / 6.0f, 2 / 15.0f, 3 / 30.0f, 4 / 26.0f));
	attr.size = 2;
	attr.alpha = 2;
	kt_run(&k, ABI_OP_LRN, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 4, 1), VALUES(float, 1 / 6.0f, 2 / 14.0f, 3 / 26.0f, 4 / 17.0f));
	attr.size = UINT32_MAX; /* all channels; the loop does not run through all of the size */
	attr.alpha = (float)UINT32_MAX;
	kt_run(&k, ABI_OP_LRN, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 4, 1), VALUES(float, 1 / 31.0f, 2 / 31.0f, 3 / 31.0f, 4 / 31.0f));
}

static void norm_refusals(void **state)
{
	const struct abi_attr_norm norm = { .epsilon = 0 };
	const struct abi_attr_lrn lrn = { .size = 0 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 2), NULL);
	for (u32 i = 0; i < 3; i++)
		kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_BATCH_NORM, ATTR(norm), -EINVAL,
		   "batch_norm: input 4: rank 1 dim 0 3, shape [2] wanted");
	for (u32 i = 0; i < 5; i++)
		kt_in(&k, ABI_F32, SCALAR, NULL);
	kt_refused(&k, ABI_OP_BATCH_NORM, ATTR(norm), -EINVAL,
		   "batch_norm: input 0: rank 0, at least 1 wanted");
	for (u32 i = 0; i < 3; i++)
		kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_INSTANCE_NORM, ATTR(norm), -EINVAL,
		   "instance_norm: input 0: rank 1, at least 2 wanted");
	kt_in(&k, ABI_F32, DIMS(1, 2, 3), NULL);
	kt_in(&k, ABI_F16, DIMS(2), NULL);
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_INSTANCE_NORM, ATTR(norm), -EINVAL,
		   "instance_norm: input 1 is float16, float32 like input 0 wanted");
	kt_in(&k, ABI_F32, DIMS(1, 2, 3), NULL);
	kt_refused(&k, ABI_OP_LRN, ATTR(lrn), -EINVAL, "lrn: size 0, at least 1 wanted");
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_LRN, ATTR(lrn), -EINVAL, "lrn: input 0: rank 1, at least 2 wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_norm_scales_each_channel),
		cmocka_unit_test(batch_norm_of_mixed_types_and_rank_one),
		cmocka_unit_test(instance_norm_uses_its_own_statistics),
		cmocka_unit_test(lrn_sums_neighbouring_channels),
		cmocka_unit_test(norm_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
