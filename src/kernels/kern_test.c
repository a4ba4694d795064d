// SPDX-License-Identifier: MIT
/* What all operations have in common: arity, attribute size, sane operands, memory. */
#include "kernels/kern_testing.h"

static void unknown_codes_and_wrong_attributes(void **state)
{
	const struct abi_attr_unary attr = { { .kind = ABI_UNARY_RELU } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	kt_refused(&k, 0, NO_ATTR, -EINVAL, "operation code 0, 1 to 22 wanted");
	kt_refused(&k, ABI_NR_OPS, NO_ATTR, -EINVAL, "operation code 23, 1 to 22 wanted");
	kt_refused(&k, UINT32_MAX, NO_ATTR, -EINVAL, "operation code 4294967295, 1 to 22 wanted");
	kt_refused(&k, ABI_OP_UNARY, &attr, 4, -EINVAL, "attributes of 4 bytes, 16 wanted");
	kt_refused(&k, ABI_OP_UNARY, NULL, 16, -EINVAL, "attributes of 16 bytes, 16 wanted");
	kt_refused(&k, ABI_OP_SELECT, ATTR(attr), -EINVAL, "attributes of 16 bytes, 0 wanted");
}

static void arity_is_checked(void **state)
{
	const struct abi_attr_binary attr = { .kind = ABI_BINARY_ADD };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EINVAL, "binary: 1 inputs, 2 to 2 wanted");
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	kt_in_none(&k);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EINVAL, "binary: input 1 is missing");
	k.nr_out = 2;
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	kt_refused(&k, ABI_OP_BINARY, ATTR(attr), -EINVAL, "binary: 2 outputs, 1 to 1 wanted");
}

static void operands_that_are_no_tensors(void **state)
{
	const struct abi_attr_unary attr = { { .kind = ABI_UNARY_RELU } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, 8, DIMS(1), NULL);
	kt_refused(&k, ABI_OP_UNARY, ATTR(attr), -EINVAL,
		   "unary: input 0: type ? rank 1: not a tensor, or too large");
	kt_in(&k, ABI_F32, DIMS(1), NULL);
	k.in[0].rank = 9;
	kt_refused(&k, ABI_OP_UNARY, ATTR(attr), -EINVAL,
		   "unary: input 0: type float32 rank 9: not a tensor, or too large");
	kt_in(&k, ABI_F32, DIMS(UINT32_MAX, UINT32_MAX), NULL);
	kt_refused(&k, ABI_OP_UNARY, ATTR(attr), -EINVAL,
		   "unary: input 0: type float32 rank 2: not a tensor, or too large");
}

/* Bindings may lie anywhere: the result is the same, nothing beside it is touched. */
static void operands_at_any_address(void **state)
{
	const struct abi_attr_binary attr = { .kind = ABI_BINARY_ADD };
	const struct kern_op op = { ABI_OP_BINARY, ATTR(attr), NULL };
	const double a[2] = { 1, 2 }, b[2] = { 10, 20 }, want[2] = { 11, 22 };

	(void)state;
	for (u32 shift = 0; shift < 8; shift++) {
		_Alignas(8) u8 mem[3][40];
		struct kern_tensor x = { mem[0] + shift, ABI_F64, 1, { 2 } };
		struct kern_tensor y = { mem[1] + 8 - shift, ABI_F64, 1, { 2 } };
		struct kern_tensor z = { mem[2] + 8 + shift, ABI_F64, 1, { 2 } };
		const struct kern_tensor *in[2] = { &x, &y };

		memset(mem, 0xEE, sizeof(mem));
		memcpy(x.data, a, sizeof(a));
		memcpy(y.data, b, sizeof(b));
		assert_int_equal(kern_run(&op, in, 2, &z, 1, NULL), 0);
		assert_memory_equal(z.data, want, sizeof(want));
		assert_int_equal(mem[2][7 + shift], 0xEE);
		assert_int_equal(mem[2][24 + shift], 0xEE);
	}
}

/* Each allocation of a run fails once: an error, no leak (the sanitizer sees one), no output. */
static void sweep(struct kt *k, u32 code, const void *attr, size_t attr_size, u32 nr_wanted)
{
	u32 nr_failed = 0;
	int ret;

	for (u64 n = 1;; n++) {
		base_alloc_fail_nth(n);
		ret = kt_try(k, code, attr, attr_size);
		base_alloc_fail_nth(0);
		if (!ret)
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_non_null(strstr(k->err.text, "no memory for"));
		nr_failed++;
	}
	assert_int_equal(nr_failed, nr_wanted);
}

static void every_allocation_may_fail(void **state)
{
	const struct abi_attr_matmul matmul = { .alpha = 1, .beta = 1 };
	const struct abi_attr_conv conv = {
		.win = { .nr_spatial = 1, .kernel = { 1 }, .stride = { 1 }, .dilation = { 1 } },
		.group = 1
	};
	static _Alignas(8) u8 zero[64];
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F16, DIMS(1, 1, 2), zero);
	kt_in(&k, ABI_F16, DIMS(1, 1, 1), zero);
	sweep(&k, ABI_OP_CONV, ATTR(conv), 2);
	sweep(&k, ABI_OP_CONV_TRANSPOSE, ATTR(conv), 3);
	k.nr_in = 0;
	kt_in(&k, ABI_F16, DIMS(1, 1), zero + 1);
	kt_in(&k, ABI_F16, DIMS(1, 1), zero + 3);
	sweep(&k, ABI_OP_MATMUL, ATTR(matmul), 4);
}

/* An empty result is complete before it starts, however large the other dims. */
static void empty_results_take_no_time(void **state)
{
	const struct abi_attr_shape attr = { .rank = 2, .dims = { UINT32_MAX, 0 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(0, UINT32_MAX), NULL);
	kt_run(&k, ABI_OP_COPY, ATTR(attr));
	kt_want_shape(&k, 0, ABI_F32, DIMS(UINT32_MAX, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_codes_and_wrong_attributes),
		cmocka_unit_test(arity_is_checked),
		cmocka_unit_test(operands_that_are_no_tensors),
		cmocka_unit_test(operands_at_any_address),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(empty_results_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
