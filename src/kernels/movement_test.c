// SPDX-License-Identifier: MIT
/* movement.c and pad.c */
#include "kernels/kern_testing.h"

static const u8 *bytes(void)
{
	static u8 b[24];

	for (u8 i = 0; i < 24; i++)
		b[i] = i;
	return b;
}

static void copy_reshapes(void **state)
{
	struct abi_attr_shape attr = { .rank = 3, .dims = { 1, 3, 2 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_S16, DIMS(6), VALUES(s16, 1, 2, 3, 4, 5, -6));
	kt_run(&k, ABI_OP_COPY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S16, DIMS(1, 3, 2), VALUES(s16, 1, 2, 3, 4, 5, -6));
	k.nr_in = 0;
	attr.rank = 0;
	kt_in(&k, ABI_F64, DIMS(1, 1), VALUES(double, 7));
	kt_run(&k, ABI_OP_COPY, ATTR(attr));
	kt_want_exact(&k, 0, ABI_F64, SCALAR, VALUES(double, 7));
	k.nr_in = 0;
	attr = (struct abi_attr_shape){ .rank = 2, .dims = { 2, 2 } };
	kt_in(&k, ABI_F64, DIMS(5), NULL);
	kt_refused(&k, ABI_OP_COPY, ATTR(attr), -EINVAL,
		   "copy: 5 elements do not fit a shape of 4");
	attr.rank = 9;
	kt_in(&k, ABI_F64, DIMS(5), NULL);
	kt_refused(&k, ABI_OP_COPY, ATTR(attr), -EINVAL, "copy: rank 9, at most 8");
}

/* Every element size goes another way. */
static void transposes(void **state)
{
	const struct abi_attr_transpose swap = { .perm = { 1, 0 } };
	struct abi_attr_transpose attr = { .perm = { 2, 0, 1 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_U8, DIMS(2, 3, 4), bytes());
	kt_run(&k, ABI_OP_TRANSPOSE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U8, DIMS(4, 2, 3),
		      VALUES(u8, 0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3,
			     7, 11, 15, 19, 23));
	k.nr_in = 0;
	kt_in(&k, ABI_F16, DIMS(2, 3), VALUES(u16, 1, 2, 3, 4, 5, 6));
	kt_run(&k, ABI_OP_TRANSPOSE, ATTR(swap));
	kt_want_exact(&k, 0, ABI_F16, DIMS(3, 2), VALUES(u16, 1, 4, 2, 5, 3, 6));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_run(&k, ABI_OP_TRANSPOSE, ATTR(swap));
	kt_want_f32(&k, DIMS(3, 2), VALUES(float, 1, 4, 2, 5, 3, 6));
	k.nr_in = 0;
	kt_in(&k, ABI_S64, DIMS(2, 3), VALUES(s64, 1, 2, 3, 4, 5, 6));
	kt_run(&k, ABI_OP_TRANSPOSE, ATTR(swap));
	kt_want_exact(&k, 0, ABI_S64, DIMS(3, 2), VALUES(s64, 1, 4, 2, 5, 3, 6));
	k.nr_in = 0;
	attr = (struct abi_attr_transpose){ .perm = { 1, 1 } };
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_refused(&k, ABI_OP_TRANSPOSE, ATTR(attr), -EINVAL,
		   "transpose: perm[1] 1: each axis below 2 once wanted");
	attr = (struct abi_attr_transpose){ .perm = { 0, 1, 2 } };
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_refused(&k, ABI_OP_TRANSPOSE, ATTR(attr), -EINVAL,
		   "transpose: perm 2 of axis 2 past rank 2, 0 wanted");
}

static void concatenates(void **state)
{
	struct abi_attr_axis attr = { .axis = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_S32, DIMS(2, 2), VALUES(s32, 1, 2, 3, 4));
	kt_in(&k, ABI_S32, DIMS(2, 0), NULL);
	kt_in(&k, ABI_S32, DIMS(2, 1), VALUES(s32, 5, 6));
	kt_run(&k, ABI_OP_CONCAT, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S32, DIMS(2, 3), VALUES(s32, 1, 2, 5, 3, 4, 6));
	k.nr_in = 0;
	kt_in(&k, ABI_S32, DIMS(2, 2), NULL);
	kt_in(&k, ABI_S32, DIMS(3, 2), NULL);
	kt_refused(&k, ABI_OP_CONCAT, ATTR(attr), -EINVAL,
		   "concat: input 1 has 3 in dim 0, 2 like input 0 wanted");
	kt_in(&k, ABI_S32, DIMS(2, 2), NULL);
	kt_in(&k, ABI_F32, DIMS(2, 2), NULL);
	kt_refused(&k, ABI_OP_CONCAT, ATTR(attr), -EINVAL,
		   "concat: input 1 is float32 of rank 2, int32 of rank 2 like input 0 wanted");
	kt_in(&k, ABI_S32, DIMS(2, 2), NULL);
	kt_in_none(&k);
	kt_refused(&k, ABI_OP_CONCAT, ATTR(attr), -EINVAL, "concat: input 1 is missing");
	attr.axis = 0;
	kt_in(&k, ABI_U8, DIMS(UINT32_MAX), NULL);
	kt_in(&k, ABI_U8, DIMS(1), NULL);
	kt_refused(&k, ABI_OP_CONCAT, ATTR(attr), -EINVAL,
		   "concat: 4294967296 in dim 0, at most 4294967295");
	kt_in(&k, ABI_U8, SCALAR, NULL);
	kt_refused(&k, ABI_OP_CONCAT, ATTR(attr), -EINVAL, "concat: axis 0, below rank 0 wanted");
}

static void slices(void **state)
{
	struct abi_attr_slice attr = { .count = { 2, 1, 2 },
				       .start = { 1, 1, 3 },
				       .step = { -1, INT64_MIN, -2 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_U8, DIMS(2, 3, 4), bytes());
	kt_run(&k, ABI_OP_SLICE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U8, DIMS(2, 1, 2), VALUES(u8, 19, 17, 7, 5));
	k.nr_in = 0;
	attr.count[1] = 0;
	attr.start[1] = 99; /* nothing is read */
	kt_in(&k, ABI_U8, DIMS(2, 3, 4), bytes());
	kt_run(&k, ABI_OP_SLICE, ATTR(attr));
	kt_want_shape(&k, 0, ABI_U8, DIMS(2, 0, 2));
}

static void slice_refusals(void **state)
{
	struct abi_attr_slice attr = { .count = { 3 }, .start = { 3 }, .step = { 1 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_U8, DIMS(5), NULL);
	kt_refused(&k, ABI_OP_SLICE, ATTR(attr), -EINVAL,
		   "slice: axis 0: start 3 step 1 count 3, inside the dim's 5 wanted");
	attr.step[0] = INT64_MAX;
	kt_in(&k, ABI_U8, DIMS(5), NULL);
	kt_refused(&k, ABI_OP_SLICE, ATTR(attr), -EINVAL,
		   "slice: axis 0: start 3 step 9223372036854775807 count 3, inside the dim's 5 "
		   "wanted");
	attr.step[0] = -2;
	kt_in(&k, ABI_U8, DIMS(5), NULL);
	kt_refused(&k, ABI_OP_SLICE, ATTR(attr), -EINVAL,
		   "slice: axis 0: start 3 step -2 count 3, inside the dim's 5 wanted");
	attr.step[0] = 0;
	kt_in(&k, ABI_U8, DIMS(5), NULL);
	kt_refused(&k, ABI_OP_SLICE, ATTR(attr), -EINVAL, "slice: step 0 of axis 0");
	attr.step[0] = attr.step[1] = 1;
	attr.start[0] = 0;
	kt_in(&k, ABI_U8, DIMS(5), NULL);
	kt_refused(&k, ABI_OP_SLICE, ATTR(attr), -EINVAL,
		   "slice: step 1 of axis 1 past rank 1, 0 wanted");
}

static void gathers(void **state)
{
	struct abi_attr_axis attr = { .axis = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_in(&k, ABI_S64, DIMS(2), VALUES(s64, -1, 0));
	kt_run(&k, ABI_OP_GATHER, ATTR(attr));
	kt_want_f32(&k, DIMS(2, 2), VALUES(float, 3, 1, 6, 4));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_in(&k, ABI_S32, SCALAR, VALUES(s32, 1));
	kt_run(&k, ABI_OP_GATHER, ATTR(attr));
	kt_want_f32(&k, DIMS(2), VALUES(float, 2, 5));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_in(&k, ABI_S64, DIMS(2), VALUES(s64, 0, 3));
	assert_int_equal(kt_try(&k, ABI_OP_GATHER, ATTR(attr)), -EINVAL);
	assert_string_equal(k.err.text, "gather: input 1: index 3 at 1, -3 to 2 wanted");
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_in(&k, ABI_S64, DIMS(1), VALUES(s64, INT64_MIN));
	assert_int_equal(kt_try(&k, ABI_OP_GATHER, ATTR(attr)), -EINVAL);
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_in(&k, ABI_U8, DIMS(1), NULL);
	kt_refused(&k, ABI_OP_GATHER, ATTR(attr), -EOPNOTSUPP,
		   "gather: input 1: no kernel for uint8");
	kt_in(&k, ABI_F32, DIMS(1, 1, 1, 1, 1), NULL);
	kt_in(&k, ABI_S64, DIMS(1, 1, 1, 1, 1), NULL);
	kt_refused(&k, ABI_OP_GATHER, ATTR(attr), -EINVAL,
		   "gather: output 0 would have rank 9, at most 8");
}

static void expands_both_ways(void **state)
{
	struct abi_attr_shape attr = { .rank = 3, .dims = { 2, 1, 3 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_U16, DIMS(2, 1), VALUES(u16, 8, 9));
	kt_run(&k, ABI_OP_EXPAND, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U16, DIMS(2, 2, 3),
		      VALUES(u16, 8, 8, 8, 9, 9, 9, 8, 8, 8, 9, 9, 9));
	k.nr_in = 0;
	kt_in(&k, ABI_U16, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_EXPAND, ATTR(attr), -EINVAL,
		   "expand: shapes do not broadcast: 2 against 3 in dim 2 of 3");
}

static void tiles(void **state)
{
	struct abi_attr_shape attr = { .rank = 2, .dims = { 2, 2 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_U8, DIMS(2, 2), VALUES(u8, 0, 1, 2, 3));
	kt_run(&k, ABI_OP_TILE, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U8, DIMS(4, 4),
		      VALUES(u8, 0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3));
	attr.dims[0] = 0;
	kt_run(&k, ABI_OP_TILE, ATTR(attr));
	kt_want_shape(&k, 0, ABI_U8, DIMS(0, 4));
	attr.dims[0] = UINT32_MAX;
	kt_refused(&k, ABI_OP_TILE, ATTR(attr), -EINVAL,
		   "tile: axis 0: 4294967295 times 2 is too large");
	kt_in(&k, ABI_U8, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_TILE, ATTR(attr), -EINVAL,
		   "tile: 2 repeats, one per axis (1) wanted");
}

static void pads_with_a_constant(void **state)
{
	struct abi_attr_pad attr = { .mode = ABI_PAD_CONSTANT,
				     .begin = { 1, -1 },
				     .end = { 0, 2 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_in(&k, ABI_F32, SCALAR, VALUES(float, 7));
	kt_run(&k, ABI_OP_PAD, ATTR(attr));
	kt_want_f32(&k, DIMS(3, 4), VALUES(float, 7, 7, 7, 7, 2, 3, 7, 7, 5, 6, 7, 7));
	k.nr_in = 0;
	kt_in(&k, ABI_U8, DIMS(1, 3), VALUES(u8, 1, 2, 3));
	kt_run(&k, ABI_OP_PAD, ATTR(attr)); /* without a value: 0 */
	kt_want_exact(&k, 0, ABI_U8, DIMS(2, 4), VALUES(u8, 0, 0, 0, 0, 2, 3, 0, 0));
	k.nr_in = 0;
	kt_in(&k, ABI_U8, DIMS(0, 1), NULL);
	kt_run(&k, ABI_OP_PAD, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U8, DIMS(1, 2), VALUES(u8, 0, 0));
	k.nr_in = 0;
	attr = (struct abi_attr_pad){ .mode = ABI_PAD_EDGE };
	kt_in(&k, ABI_S32, SCALAR, VALUES(s32, 5));
	kt_run(&k, ABI_OP_PAD, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S32, SCALAR, VALUES(s32, 5));
}

static void pads_by_reflection_and_edge(void **state)
{
	struct abi_attr_pad attr = { .mode = ABI_PAD_REFLECT, .begin = { 5 }, .end = { 3 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_S64, DIMS(3), VALUES(s64, 1, 2, 3));
	kt_run(&k, ABI_OP_PAD, ATTR(attr)); /* further than the axis is long: back and forth */
	kt_want_exact(&k, 0, ABI_S64, DIMS(11), VALUES(s64, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2));
	k.nr_in = 0;
	kt_in(&k, ABI_S64, DIMS(1), VALUES(s64, 9));
	kt_run(&k, ABI_OP_PAD, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S64, DIMS(9), VALUES(s64, 9, 9, 9, 9, 9, 9, 9, 9, 9));
	k.nr_in = 0;
	attr = (struct abi_attr_pad){ .mode = ABI_PAD_EDGE, .begin = { 1, 2 }, .end = { 0, 1 } };
	kt_in(&k, ABI_U8, DIMS(2, 2), VALUES(u8, 1, 2, 3, 4));
	kt_run(&k, ABI_OP_PAD, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U8, DIMS(3, 5),
		      VALUES(u8, 1, 1, 1, 2, 2, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4));
}

static void pad_refusals(void **state)
{
	struct abi_attr_pad attr = { .mode = 3 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_PAD, ATTR(attr), -EINVAL, "pad: mode 3, 0 to 2 wanted");
	attr = (struct abi_attr_pad){ .begin = { -2 }, .end = { -1 } };
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_PAD, ATTR(attr), -EINVAL,
		   "pad: axis 0: begin -2 end -1 give 2 the length -1");
	attr = (struct abi_attr_pad){ .begin = { INT64_MAX }, .end = { INT64_MAX } };
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_PAD, ATTR(attr), -EINVAL,
		   "pad: axis 0: begin 9223372036854775807 end 9223372036854775807: out of range");
	attr = (struct abi_attr_pad){ .mode = ABI_PAD_REFLECT, .begin = { 1 } };
	kt_in(&k, ABI_F32, DIMS(0), NULL);
	kt_refused(&k, ABI_OP_PAD, ATTR(attr), -EINVAL,
		   "pad: axis 0: nothing there to reflect or repeat");
	attr = (struct abi_attr_pad){ .end = { 0, 1 } };
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_PAD, ATTR(attr), -EINVAL,
		   "pad: begin 0 end 1 of axis 1 past rank 1, 0 wanted");
	attr = (struct abi_attr_pad){ .end = { 1 } };
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_in(&k, ABI_F32, DIMS(2), NULL);
	kt_refused(&k, ABI_OP_PAD, ATTR(attr), -EINVAL,
		   "pad: input 1 (value): 2 of float32, one of float32 wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_reshapes),
		cmocka_unit_test(transposes),
		cmocka_unit_test(concatenates),
		cmocka_unit_test(slices),
		cmocka_unit_test(slice_refusals),
		cmocka_unit_test(gathers),
		cmocka_unit_test(expands_both_ways),
		cmocka_unit_test(tiles),
		cmocka_unit_test(pads_with_a_constant),
		cmocka_unit_test(pads_by_reflection_and_edge),
		cmocka_unit_test(pad_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
