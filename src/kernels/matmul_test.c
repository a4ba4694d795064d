// SPDX-License-Identifier: MIT
/* matmul.c and gemm.c */
#include "kernels/kern_testing.h"

static const struct abi_attr_matmul plain = { .alpha = 1, .beta = 1 };

static void matrices_stacks_and_vectors(void **state)
{
	const float a[6] = { 1, 2, 3, 4, 5, 6 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 3), a);
	kt_in(&k, ABI_F32, DIMS(3, 2), a);
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_f32(&k, DIMS(2, 2), VALUES(float, 22, 28, 49, 64));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(3), a);
	kt_in(&k, ABI_F32, DIMS(3), a);
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_f32(&k, SCALAR, VALUES(float, 14));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2, 3), a);
	kt_in(&k, ABI_F32, DIMS(3), a);
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_f32(&k, DIMS(2), VALUES(float, 14, 32));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2), a);
	kt_in(&k, ABI_F32, DIMS(3, 2, 1), a);
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_f32(&k, DIMS(3, 1), VALUES(float, 5, 11, 17));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(2, 1, 1, 2), a); /* batches [2, 1] and [3] */
	kt_in(&k, ABI_F32, DIMS(3, 2, 1), a);
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_f32(&k, DIMS(2, 3, 1, 1), VALUES(float, 5, 11, 17, 11, 25, 39));
}

static void gemm_transposes_scales_and_adds(void **state)
{
	struct abi_attr_matmul attr = { .alpha = 0.5f,
					.beta = 2,
					.trans_a = 1,
					.trans_b = 1,
					.act = { .kind = ABI_UNARY_CLIP, .a = 0, .b = 30 } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_in(&k, ABI_F32, DIMS(1, 2), VALUES(float, 10, 1));
	kt_in(&k, ABI_F32, DIMS(3, 1), VALUES(float, -100, 1, 10));
	kt_run(&k, ABI_OP_MATMUL, ATTR(attr));
	kt_want_f32(&k, DIMS(3, 1), VALUES(float, 0, 14.5f, 30));
	k.nr_in = 0;
	attr = plain;
	attr.beta = 0; /* NaN times 0 must not reach the result */
	kt_in(&k, ABI_F32, DIMS(1, 2), VALUES(float, 1, 2));
	kt_in(&k, ABI_F32, DIMS(2, 2), VALUES(float, 1, 2, 3, 4));
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, NAN, NAN));
	kt_run(&k, ABI_OP_MATMUL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 2), VALUES(float, 7, 10));
}

static void integers_multiply_modulo_their_type(void **state)
{
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_S32, DIMS(1, 2), VALUES(s32, INT32_MAX, -3));
	kt_in(&k, ABI_S32, DIMS(2, 1), VALUES(s32, 2, 5));
	kt_in(&k, ABI_S32, SCALAR, VALUES(s32, 100));
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_exact(&k, 0, ABI_S32, DIMS(1, 1), VALUES(s32, 83));
	k.nr_in = 0;
	kt_in(&k, ABI_U64, DIMS(1, 1), VALUES(u64, UINT64_MAX));
	kt_in(&k, ABI_U64, DIMS(1, 1), VALUES(u64, 3));
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_exact(&k, 0, ABI_U64, DIMS(1, 1), VALUES(u64, UINT64_MAX - 2));
}

static void empty_products(void **state)
{
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 0), NULL);
	kt_in(&k, ABI_F32, DIMS(0, 2), NULL);
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 1, 2));
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_f32(&k, DIMS(2, 2), VALUES(float, 1, 2, 1, 2));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(0, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(3, 2), NULL);
	kt_run(&k, ABI_OP_MATMUL, ATTR(plain));
	kt_want_shape(&k, 0, ABI_F32, DIMS(0, 2));
}

/* Past every block size, with ragged ends; elements are small integers, so f32 is exact. */
static void blocked_products_are_complete(void **state)
{
	enum { M = 67, K = 515, N = 13, WIDE = 521 };
	static float a[M * K], b[K * WIDE], narrow[M * N], wide[M * WIDE];
	static u16 ha[M * K], hb[K * WIDE], h[M * WIDE];
	const u32 columns[2] = { N, WIDE };

	(void)state;
	for (u32 i = 0; i < M * K; i++)
		ha[i] = kern_f32_to_f16(a[i] = (float)((i * 7 + i / 11) % 9) - 4);
	for (u32 i = 0; i < K * WIDE; i++)
		hb[i] = kern_f32_to_f16(b[i] = (float)((i * 5 + i / 13) % 7) - 3);
	for (u32 c = 0; c < 2; c++) {
		const u32 n = columns[c];
		float *y = c ? wide : narrow;
		struct kern_tensor ta = { a, ABI_F32, 2, { M, K } },
				   tb = { b, ABI_F32, 2, { K, n } };
		struct kern_tensor out = { y, ABI_F32, 2, { M, n } };
		const struct kern_tensor *in[2] = { &ta, &tb };
		const struct kern_op op = { ABI_OP_MATMUL, ATTR(plain), NULL };

		assert_int_equal(kern_run(&op, in, 2, &out, 1, NULL), 0);
		for (u32 i = 0; i < M * n; i++) {
			float sum = 0;

			for (u32 k = 0; k < K; k++)
				sum += a[i / n * K + k] * b[k * n + i % n];
			assert_true(y[i] == sum);
		}
		ta = (struct kern_tensor){ ha, ABI_F16, 2, { M, K } };
		tb = (struct kern_tensor){ hb, ABI_F16, 2, { K, n } };
		out = (struct kern_tensor){ h, ABI_F16, 2, { M, n } };
		assert_int_equal(kern_run(&op, in, 2, &out, 1, NULL), 0);
		for (u32 i = 0; i < M * n; i++)
			assert_int_equal(h[i], kern_f32_to_f16(y[i]));
	}
}

static void matmul_refusals(void **state)
{
	struct abi_attr_matmul attr = plain;
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: [2, 3] times [2, 3]: inner lengths differ");
	kt_in(&k, ABI_F32, SCALAR, NULL);
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: ranks 0 and 2, at least 1 wanted");
	kt_in(&k, ABI_F32, DIMS(2, 2, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(3, 3, 1), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: shapes do not broadcast: 2 against 3 in dim 0 of 1");
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_in(&k, ABI_F64, DIMS(3, 1), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: input 1 is float64, float32 like input 0 wanted");
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(3, 1), NULL);
	kt_in(&k, ABI_F32, DIMS(2, 2), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: input 2 (bias) does not broadcast to the output");
	attr.trans_a = 1;
	kt_in(&k, ABI_F32, DIMS(1, 2, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(3, 1), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: ranks 3 and 2: only rank 2 can be transposed");
	attr.trans_a = 2;
	kt_in(&k, ABI_F32, DIMS(2, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(3, 1), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: trans_a 2 trans_b 0, each 0 or 1 wanted");
	attr = plain;
	attr.alpha = 2;
	kt_in(&k, ABI_S32, DIMS(2, 3), NULL);
	kt_in(&k, ABI_S32, DIMS(3, 1), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EINVAL,
		   "matmul: alpha 2 beta 1: 1 wanted for integers");
	kt_in(&k, ABI_BOOL, DIMS(2, 3), NULL);
	kt_in(&k, ABI_BOOL, DIMS(3, 1), NULL);
	kt_refused(&k, ABI_OP_MATMUL, ATTR(attr), -EOPNOTSUPP,
		   "matmul: input 0: no kernel for bool");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matrices_stacks_and_vectors),
		cmocka_unit_test(gemm_transposes_scales_and_adds),
		cmocka_unit_test(integers_multiply_modulo_their_type),
		cmocka_unit_test(empty_products),
		cmocka_unit_test(blocked_products_are_complete),
		cmocka_unit_test(matmul_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
