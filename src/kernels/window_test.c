// SPDX-License-Identifier: MIT
/* conv.c, pool.c and window.c; the values of ONNX's own operator examples where it has one. */
#include "kernels/kern_testing.h"

static const float *count_from(float first)
{
	static float v[256];

	for (u32 i = 0; i < 256; i++)
		v[i] = first + (float)i;
	return v;
}

static const float *ones(void)
{
	static float v[64];

	for (u32 i = 0; i < 64; i++)
		v[i] = 1;
	return v;
}

static struct abi_window window2(u32 kernel, u32 stride, u32 pad)
{
	return (struct abi_window){ .nr_spatial = 2,
				    .kernel = { kernel, kernel },
				    .stride = { stride, stride },
				    .dilation = { 1, 1 },
				    .pad_begin = { pad, pad },
				    .pad_end = { pad, pad } };
}

static void conv_of_the_onnx_example(void **state)
{
	struct abi_attr_conv attr = { .win = window2(3, 1, 1), .group = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 1, 5, 5), count_from(0));
	kt_in(&k, ABI_F32, DIMS(1, 1, 3, 3), ones());
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 5, 5),
		    VALUES(float, 12, 21, 27, 33, 24, 33, 54, 63, 72, 51, 63, 99, 108, 117, 81, 93,
			   144, 153, 162, 111, 72, 111, 117, 123, 84));
	attr.win = window2(3, 2, 0);
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 2, 2), VALUES(float, 54, 72, 144, 162));
	attr.win.pad_begin[0] = attr.win.pad_end[0] = 1; /* along one axis only */
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 3, 2), VALUES(float, 21, 33, 99, 117, 111, 123));
}

static void conv_with_groups_bias_residual_and_activation(void **state)
{
	struct abi_attr_conv attr = { .win = { .nr_spatial = 1,
					       .kernel = { 2 },
					       .stride = { 1 },
					       .dilation = { 2 },
					       .pad_end = { 1 } },
				      .group = 2,
				      .act = { .kind = ABI_UNARY_RELU } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 2, 3), VALUES(float, 1, 2, 3, 4, 5, 6));
	kt_in(&k, ABI_F32, DIMS(2, 1, 2), VALUES(float, 1, 10, -1, 1));
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 100, 1));
	kt_in(&k, ABI_F32, DIMS(1, 2, 2), VALUES(float, 0, 1000, -4, 7));
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	/* 1+30, 2+0 | -4+6, -5+0 */
	kt_want_f32(&k, DIMS(1, 2, 2), VALUES(float, 131, 1102, 0, 3));
	k.in_ptr[2] = NULL;
	k.nr_in = 3;
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 2, 2), VALUES(float, 31, 2, 2, 0));
}

static void conv_in_three_dims_double_and_half(void **state)
{
	struct abi_attr_conv attr = { .win = { .nr_spatial = 3,
					       .kernel = { 2, 1, 2 },
					       .stride = { 1, 1, 1 },
					       .dilation = { 1, 1, 1 } },
				      .group = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F64, DIMS(1, 1, 2, 2, 2), VALUES(double, 1, 2, 3, 4, 5, 6, 7, 8));
	kt_in(&k, ABI_F64, DIMS(1, 1, 2, 1, 2), VALUES(double, 1, 10, 100, 1000));
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_exact(&k, 0, ABI_F64, DIMS(1, 1, 1, 2, 1), VALUES(double, 6521, 8743));
	k.nr_in = 0;
	attr.win = (struct abi_window){
		.nr_spatial = 1, .kernel = { 2 }, .stride = { 1 }, .dilation = { 1 }
	};
	/* 60000 + 60000 - 65504: only the sum is rounded to half */
	attr.act = (struct abi_act){ .kind = ABI_UNARY_CLIP, .a = -1, .b = 1000 };
	kt_in(&k, ABI_F16, DIMS(1, 1, 2), VALUES(u16, 0x7B53, 0x7B53));
	kt_in(&k, ABI_F16, DIMS(1, 1, 2), VALUES(u16, 0x3C00, 0x3C00));
	kt_in(&k, ABI_F16, DIMS(1), VALUES(u16, 0xFBFF));
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_exact(&k, 0, ABI_F16, DIMS(1, 1, 1), VALUES(u16, 0x63D0)); /* clipped to 1000 */
}

/* Large enough for the blocked product, against a sum by hand in double. */
static void conv_blocked_agrees_with_a_direct_sum(void **state)
{
	enum { C = 40, M = 6, HW = 11, K = 3 };
	static float x[C * HW * HW], w[M * C * K * K];
	struct abi_attr_conv attr = { .win = window2(K, 2, 1), .group = 1 };
	struct kt k = { 0 };
	u32 seed = 7;

	(void)state;
	for (u32 i = 0; i < C * HW * HW; i++)
		x[i] = (float)((seed = seed * 1103515245u + 12345u) >> 16) / 65536.0f - 0.5f;
	for (u32 i = 0; i < M * C * K * K; i++)
		w[i] = (float)((seed = seed * 1103515245u + 12345u) >> 16) / 65536.0f - 0.5f;
	kt_in(&k, ABI_F32, DIMS(1, C, HW, HW), x);
	kt_in(&k, ABI_F32, DIMS(M, C, K, K), w);
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_shape(&k, 0, ABI_F32, DIMS(1, M, 6, 6));
	for (u32 o = 0; o < M * 36; o++) {
		const u32 m = o / 36, h = o / 6 % 6, v = o % 6;
		double sum = 0;

		for (u32 c = 0; c < C; c++)
			for (u32 t = 0; t < K * K; t++) {
				u32 y = h * 2 + t / K - 1, z = v * 2 + t % K - 1;

				if (y < HW && z < HW)
					sum += (double)x[(c * HW + y) * HW + z] *
					       (double)w[(m * C + c) * K * K + t];
			}
		assert_true(fabs(sum - (double)((float *)k.out[0].data)[o]) < 1e-5);
	}
}

static void conv_edges(void **state)
{
	struct abi_attr_conv attr = { .win = window2(1, 1, 1), .group = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 0, 1, 1), NULL); /* no channels: the bias alone */
	kt_in(&k, ABI_F32, DIMS(1, 0, 1, 1), NULL);
	kt_in(&k, ABI_F32, DIMS(1), VALUES(float, 5));
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 3, 3), VALUES(float, 5, 5, 5, 5, 5, 5, 5, 5, 5));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(0, 2, 1, 1), NULL); /* no samples */
	kt_in(&k, ABI_F32, DIMS(1, 2, 1, 1), ones());
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_shape(&k, 0, ABI_F32, DIMS(0, 1, 3, 3));
	k.nr_in = 0;
	attr.win.pad_begin[0] = 3;
	kt_in(&k, ABI_F32, DIMS(1, 1, 0, 1), NULL); /* nothing but padding */
	kt_in(&k, ABI_F32, DIMS(1, 1, 1, 1), ones());
	kt_run(&k, ABI_OP_CONV, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 4, 3), VALUES(float, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

static void conv2(struct kt *k, u32 channels, u32 hw, u32 out, u32 in, u32 kernel)
{
	kt_in(k, ABI_F32, DIMS(1, channels, hw, hw), NULL);
	kt_in(k, ABI_F32, DIMS(out, in, kernel, kernel), NULL);
}

static void conv_refusals(void **state)
{
	const struct abi_attr_conv good = { .win = window2(3, 1, 0), .group = 1 };
	struct abi_attr_conv attr = good;
	struct kt k = { 0 };

	(void)state;
	conv2(&k, 2, 5, 4, 3, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: 2 channels and weights [4, 3, ...] do not fit in 1 groups");
	conv2(&k, 2, 5, 4, 2, 2);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: axis 0: kernel 3, but the weights have 2");
	conv2(&k, 2, 2, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: axis 0: kernel spans 3 of 2 elements with padding");
	attr.group = 0;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL, "conv: group 0, at least 1 wanted");
	attr.group = 2;
	conv2(&k, 2, 5, 3, 1, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: 2 channels and weights [3, 1, ...] do not fit in 2 groups");
	attr = good;
	attr.output_pad[1] = 1;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL, "conv: output_pad 1 of axis 1, 0 wanted");
	attr = good;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_in(&k, ABI_F32, DIMS(3), NULL);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: input 2: rank 1 dim 0 3, shape [4] wanted");
	conv2(&k, 2, 5, 4, 2, 3);
	kt_in_none(&k);
	kt_in(&k, ABI_F32, DIMS(1, 4, 3, 4), NULL);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: input 3 (residual) has not the output's shape");
	kt_in(&k, ABI_S32, DIMS(1, 1, 3, 3), NULL);
	kt_in(&k, ABI_S32, DIMS(1, 1, 3, 3), NULL);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EOPNOTSUPP, "conv: input 0: no kernel for int32");
	kt_in(&k, ABI_F32, DIMS(1, 1, 3, 3), NULL);
	kt_in(&k, ABI_F32, DIMS(1, 3, 3), NULL);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: input 1 (weights): rank 3, 4 wanted");
	attr.act.kind = ABI_UNARY_NOT;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EOPNOTSUPP,
		   "conv: function not has no kernel for float32");
}

static void window_refusals(void **state)
{
	const struct abi_attr_conv good = { .win = window2(3, 1, 0), .group = 1 };
	struct abi_attr_conv attr = good;
	struct kt k = { 0 };

	(void)state;
	attr.win.nr_spatial = 4;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL, "conv: 4 spatial axes, 1 to 3 wanted");
	attr.win.nr_spatial = 1;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: input 0: rank 4, 3 for 1 spatial axes wanted");
	attr = good;
	attr.win.stride[1] = 0;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: axis 1: kernel 3 stride 0 dilation 1, each at least 1");
	attr = good;
	attr.win.dilation[0] = UINT32_MAX;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: axis 0: kernel 3 with dilation 4294967295 is too large");
	attr = good;
	attr.win.pad_end[3] = 1;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL,
		   "conv: axis 3: values past the 2 spatial axes, 0 wanted");
	attr = good;
	attr.win.pad_begin[0] = attr.win.pad_end[0] = UINT32_MAX;
	conv2(&k, 2, 5, 4, 2, 3);
	kt_refused(&k, ABI_OP_CONV, ATTR(attr), -EINVAL, "conv: axis 0: 8589934593 output places");
}

static void conv_transpose_of_the_onnx_examples(void **state)
{
	struct abi_attr_conv attr = { .win = window2(3, 1, 0), .group = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 1, 3, 3), count_from(0));
	kt_in(&k, ABI_F32, DIMS(1, 2, 3, 3), ones());
	kt_run(&k, ABI_OP_CONV_TRANSPOSE, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 2, 5, 5),
		    VALUES(float, 0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24,
			   13, 6, 13, 21, 15, 8, 0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15,
			   9, 20, 33, 24, 13, 6, 13, 21, 15, 8));
	k.nr_in = 0;
	attr.win = window2(2, 1, 0);
	attr.win.dilation[0] = attr.win.dilation[1] = 2;
	kt_in(&k, ABI_F32, DIMS(1, 1, 3, 3), VALUES(float, 3, 8, 1, 9, 5, 7, 3, 2, 6));
	kt_in(&k, ABI_F32, DIMS(1, 1, 2, 2), VALUES(float, 7, 2, 1, 9));
	kt_run(&k, ABI_OP_CONV_TRANSPOSE, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 5, 5),
		    VALUES(float, 21, 56, 13, 16, 2, 63, 35, 67, 10, 14, 24, 22, 76, 76, 21, 9, 5,
			   88, 45, 63, 3, 2, 33, 18, 54));
}

static void conv_transpose_with_stride_groups_and_output_pad(void **state)
{
	struct abi_attr_conv attr = { .win = { .nr_spatial = 1,
					       .kernel = { 2 },
					       .stride = { 3 },
					       .dilation = { 1 },
					       .pad_begin = { 1 } },
				      .group = 2,
				      .output_pad = { 2 },
				      .act = { .kind = ABI_UNARY_NEG } };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 2, 2), VALUES(float, 1, 2, 3, 4));
	kt_in(&k, ABI_F32, DIMS(2, 1, 2), VALUES(float, 1, 10, 1, 100));
	kt_in(&k, ABI_F32, DIMS(2), VALUES(float, 0, 1));
	kt_run(&k, ABI_OP_CONV_TRANSPOSE, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 2, 6),
		    VALUES(float, -10, 0, -2, -20, 0, 0, -301, -1, -5, -401, -1, -1));
	k.nr_in = 0;
	kt_in(&k, ABI_F32, DIMS(1, 2, 0), NULL);
	kt_in(&k, ABI_F32, DIMS(2, 1, 2), NULL);
	kt_refused(&k, ABI_OP_CONV_TRANSPOSE, ATTR(attr), -EINVAL,
		   "conv_transpose: axis 0: no elements");
	kt_in(&k, ABI_F32, DIMS(1, 3, 2), NULL);
	kt_in(&k, ABI_F32, DIMS(3, 1, 2), NULL);
	kt_refused(&k, ABI_OP_CONV_TRANSPOSE, ATTR(attr), -EINVAL,
		   "conv_transpose: 3 channels and weights [3, 1, ...] do not fit in 2 groups");
	attr.win.pad_end[0] = 100;
	kt_in(&k, ABI_F32, DIMS(1, 2, 2), NULL);
	kt_in(&k, ABI_F32, DIMS(2, 1, 2), NULL);
	kt_refused(&k, ABI_OP_CONV_TRANSPOSE, ATTR(attr), -EINVAL,
		   "conv_transpose: axis 0: 7 output places without pads 1 and 100");
	attr.win.pad_end[0] = 0;
	attr.output_pad[1] = 1;
	kt_in(&k, ABI_F32, DIMS(1, 2, 2), NULL);
	kt_in(&k, ABI_F32, DIMS(2, 1, 2), NULL);
	kt_refused(&k, ABI_OP_CONV_TRANSPOSE, ATTR(attr), -EINVAL,
		   "conv_transpose: output_pad 1 of axis 1, 0 wanted");
}

static void max_pool_of_the_onnx_examples(void **state)
{
	struct abi_attr_pool attr = { .win = window2(5, 1, 2), .kind = ABI_POOL_MAX };
	struct kt k = { .nr_out = 2 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 1, 5, 5), count_from(1));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 5, 5),
		    VALUES(float, 13, 14, 15, 15, 15, 18, 19, 20, 20, 20, 23, 24, 25, 25, 25, 23,
			   24, 25, 25, 25, 23, 24, 25, 25, 25));
	kt_want_exact(&k, 1, ABI_S64, DIMS(1, 1, 5, 5),
		      VALUES(s64, 12, 13, 14, 14, 14, 17, 18, 19, 19, 19, 22, 23, 24, 24, 24, 22,
			     23, 24, 24, 24, 22, 23, 24, 24, 24));
	attr.win = window2(2, 2, 0);
	attr.column_major = 1;
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 2, 2), VALUES(float, 7, 9, 17, 19));
	kt_want_exact(&k, 1, ABI_S64, DIMS(1, 1, 2, 2), VALUES(s64, 6, 16, 8, 18));
	k.nr_in = 0;
	k.nr_out = 1;
	attr.win = window2(2, 1, 0);
	attr.win.dilation[0] = attr.win.dilation[1] = 2;
	kt_in(&k, ABI_F32, DIMS(1, 1, 4, 4), count_from(1));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 2, 2), VALUES(float, 11, 12, 15, 16));
}

static void ceil_mode_adds_and_drops_windows(void **state)
{
	struct abi_attr_pool attr = { .win = window2(3, 2, 0),
				      .kind = ABI_POOL_MAX,
				      .ceil_mode = 1 };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 1, 4, 4), count_from(1));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 2, 2), VALUES(float, 11, 12, 15, 16));
	attr.kind = ABI_POOL_AVG; /* cells past the input are not counted */
	attr.count_include_pad = 1;
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 2, 2), VALUES(float, 6, 7.5f, 12, 13.5f));
	k.nr_in = 0;
	/* in 2, kernel 1, stride 2: ceil((2 - 1) / 2) + 1 = 2, but window 1 starts at 2 = past */
	attr.win = window2(1, 2, 0);
	kt_in(&k, ABI_F32, DIMS(1, 1, 2, 2), VALUES(float, 1, 2, 3, 4));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 1, 1), VALUES(float, 1));
	/* in 2, kernel 3, stride 2: ceil((2 - 3) / 2) + 1 = 1, wider than the input */
	attr = (struct abi_attr_pool){ .win = window2(3, 2, 0),
				       .kind = ABI_POOL_AVG,
				       .ceil_mode = 1 };
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 1, 1), VALUES(float, 2.5f));
	attr.win = window2(4, 2, 0);
	kt_refused(&k, ABI_OP_POOL, ATTR(attr), -EINVAL,
		   "pool: axis 0: window of 4 on 2 elements with padding");
}

static void average_pool_of_the_onnx_examples(void **state)
{
	struct abi_attr_pool attr = { .win = window2(5, 1, 2), .kind = ABI_POOL_AVG };
	struct kt k = { 0 };

	(void)state;
	kt_in(&k, ABI_F32, DIMS(1, 1, 5, 5), count_from(1));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 5, 5),
		    VALUES(float, 7, 7.5f, 8, 8.5f, 9, 9.5f, 10, 10.5f, 11, 11.5f, 12, 12.5f, 13,
			   13.5f, 14, 14.5f, 15, 15.5f, 16, 16.5f, 17, 17.5f, 18, 18.5f, 19));
	attr.count_include_pad = 1;
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 5, 5),
		    VALUES(float, 2.52f, 3.6f, 4.8f, 4.08f, 3.24f, 4.56f, 6.4f, 8.4f, 7.04f, 5.52f,
			   7.2f, 10, 13, 10.8f, 8.4f, 6.96f, 9.6f, 12.4f, 10.24f, 7.92f, 6.12f,
			   8.4f, 10.8f, 8.88f, 6.84f));
}

static void pools_of_other_types_and_dims(void **state)
{
	struct abi_attr_pool attr = { .win = { .nr_spatial = 3,
					       .kernel = { 2, 2, 2 },
					       .stride = { 1, 1, 1 },
					       .dilation = { 1, 1, 1 } },
				      .kind = ABI_POOL_MAX };
	struct kt k = { .nr_out = 2 };

	(void)state;
	kt_in(&k, ABI_S8, DIMS(1, 2, 2, 2, 2),
	      VALUES(s8, -8, -7, -6, -5, -4, -3, -2, -9, 1, 2, 3, 9, 4, 5, 6, 7));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_exact(&k, 0, ABI_S8, DIMS(1, 2, 1, 1, 1), VALUES(s8, -2, 9));
	kt_want_exact(&k, 1, ABI_S64, DIMS(1, 2, 1, 1, 1), VALUES(s64, 6, 11));
	attr.column_major = 1; /* 6 = (1, 1, 0) -> 1 + 2; 3 = (0, 1, 1) -> 2 + 4, plus the plane */
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_exact(&k, 1, ABI_S64, DIMS(1, 2, 1, 1, 1), VALUES(s64, 3, 14));
	k.nr_in = 0;
	attr.win = (struct abi_window){
		.nr_spatial = 1, .kernel = { 2 }, .stride = { 2 }, .dilation = { 1 }
	};
	kt_in(&k, ABI_F32, DIMS(1, 1, 4), VALUES(float, 1, NAN, -INFINITY, -INFINITY));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_f32(&k, DIMS(1, 1, 2), VALUES(float, NAN, -INFINITY));
	kt_want_exact(&k, 1, ABI_S64, DIMS(1, 1, 2), VALUES(s64, 1, 2));
	k.nr_in = 0;
	attr.win.dilation[0] = 3; /* both taps beside the single element */
	attr.win.pad_begin[0] = attr.win.pad_end[0] = 2;
	kt_in(&k, ABI_U8, DIMS(1, 1, 1), VALUES(u8, 9));
	kt_run(&k, ABI_OP_POOL, ATTR(attr));
	kt_want_exact(&k, 0, ABI_U8, DIMS(1, 1, 1), VALUES(u8, 0));
}

static void pool_refusals(void **state)
{
	const struct abi_attr_pool good = { .win = window2(3, 1, 0), .kind = ABI_POOL_AVG };
	struct abi_attr_pool attr = good;
	struct kt k = { .nr_out = 1 };

	(void)state;
	attr.kind = 3;
	kt_in(&k, ABI_F32, DIMS(1, 1, 5, 5), NULL);
	kt_refused(&k, ABI_OP_POOL, ATTR(attr), -EINVAL,
		   "pool: kind 3, 1 (max) or 2 (average) wanted");
	attr = good;
	attr.ceil_mode = 2;
	kt_in(&k, ABI_F32, DIMS(1, 1, 5, 5), NULL);
	kt_refused(&k, ABI_OP_POOL, ATTR(attr), -EINVAL,
		   "pool: count_include_pad 0 ceil_mode 2 column_major 0, each 0 or 1 wanted");
	attr = good;
	attr.win.pad_end[1] = 3;
	kt_in(&k, ABI_F32, DIMS(1, 1, 5, 5), NULL);
	kt_refused(&k, ABI_OP_POOL, ATTR(attr), -EINVAL,
		   "pool: axis 1: pads 0 and 3, below the window's 3 wanted");
	attr = good;
	kt_in(&k, ABI_F32, DIMS(1, 1, 2, 5), NULL);
	kt_refused(&k, ABI_OP_POOL, ATTR(attr), -EINVAL,
		   "pool: axis 0: window of 3 on 2 elements with padding");
	kt_in(&k, ABI_U8, DIMS(1, 1, 5, 5), NULL);
	kt_refused(&k, ABI_OP_POOL, ATTR(attr), -EOPNOTSUPP, "pool: input 0: no kernel for uint8");
	k.nr_out = 2;
	kt_in(&k, ABI_F32, DIMS(1, 1, 5, 5), NULL);
	kt_refused(&k, ABI_OP_POOL, ATTR(attr), -EINVAL,
		   "pool: indices of an average: only a maximum has any");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_of_the_onnx_example),
		cmocka_unit_test(conv_with_groups_bias_residual_and_activation),
		cmocka_unit_test(conv_in_three_dims_double_and_half),
		cmocka_unit_test(conv_blocked_agrees_with_a_direct_sum),
		cmocka_unit_test(conv_edges),
		cmocka_unit_test(conv_refusals),
		cmocka_unit_test(window_refusals),
		cmocka_unit_test(conv_transpose_of_the_onnx_examples),
		cmocka_unit_test(conv_transpose_with_stride_groups_and_output_pad),
		cmocka_unit_test(max_pool_of_the_onnx_examples),
		cmocka_unit_test(ceil_mode_adds_and_drops_windows),
		cmocka_unit_test(average_pool_of_the_onnx_examples),
		cmocka_unit_test(pools_of_other_types_and_dims),
		cmocka_unit_test(pool_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
