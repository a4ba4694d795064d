// SPDX-License-Identifier: MIT
/* Fusion: what is merged, what must not be, and that results stay the same. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "graph/test_run.h"

static const s64 x_dims[] = { 1, 4, 7, 7 }, w_dims[] = { 6, 4, 3, 3 }, c_dims[] = { 6 };
static const s64 c11_dims[] = { 6, 1, 1 };

static void build(struct test_run *run, const struct pb *file, const struct graph_options *options)
{
	if (test_compile(run, file, NULL, 0, options) || test_execute(run))
		fail_msg("%s", run->err.text);
}

/* Compiles in four ways; all agree, and the fully optimised one has @nr_ops operations. */
static void check(struct tm_model *tm, u32 nr_ops)
{
	const struct graph_options ways[] = { { 0 },
					      { .no_fuse = true },
					      { .no_fold = true },
					      { .no_fuse = true, .no_fold = true } };
	struct test_run best, plain;

	tm_finish(tm);
	build(&best, &tm->file, &ways[0]);
	assert_int_equal(best.prog.nr_ops, nr_ops);
	for (u32 w = 1; w < BASE_ARRAY_SIZE(ways); w++) {
		build(&plain, &tm->file, &ways[w]);
		assert_true(plain.prog.nr_ops >= nr_ops);
		for (u32 i = 0; i < best.prog.hdr->nr_outputs; i++) {
			const struct abi_prog_tensor *t = abi_prog_output(&best.prog, i);
			const float *a = best.outputs[i], *b = plain.outputs[i];

			assert_int_equal(t->size, abi_prog_output(&plain.prog, i)->size);
			for (u64 k = 0; k < t->size / 4; k++)
				assert_float_equal(a[k], b[k], 1e-4f + 1e-4f * fabsf(b[k]));
		}
		test_run_fini(&plain);
	}
	test_run_fini(&best);
	tm_fini(tm);
}

static void same_pad(struct pb *attrs)
{
	attr_str(attrs, "auto_pad", "SAME_UPPER");
}

static void start(struct tm_model *tm)
{
	tm_init(tm, 14);
	tm_input(tm, "x", 1, 4, x_dims);
	tm_init_f32(tm, "w", 4, w_dims, 1);
}

/* conv x -> c */
static void conv(struct tm_model *tm, const char *in, const char *out)
{
	struct pb attrs = { 0 };

	same_pad(&attrs);
	tm_node(tm, "Conv", in, out, &attrs);
}

static void batch_norm(struct tm_model *tm, const char *in, const char *out, const s64 *dims)
{
	char names[64];
	float var[16];

	tm_init_f32(tm, "scale", 1, dims, 2);
	tm_init_f32(tm, "shift", 1, dims, 3);
	tm_init_f32(tm, "mean", 1, dims, 4);
	for (u32 i = 0; i < dims[0]; i++)
		var[i] = 0.5f + 0.1f * (float)i;
	tm_init_raw(tm, "var", 1, 1, dims, var, (size_t)dims[0] * sizeof(float));
	snprintf(names, sizeof(names), "%s,scale,shift,mean,var", in);
	tm_node(tm, "BatchNormalization", names, out, NULL);
}

static void conv_batch_norm_relu(void **state)
{
	struct tm_model tm;

	(void)state;
	start(&tm);
	tm_init_f32(&tm, "bias", 1, c_dims, 9);
	conv(&tm, "x,w,bias", "c");
	batch_norm(&tm, "c", "n", c_dims);
	tm_node(&tm, "Relu", "n", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);
}

/* Caffe's way: normalise, then scale, then shift; also with no convolution before. */
static void scale_and_shift(void **state)
{
	const s64 x4[] = { 4 }, x411[] = { 4, 1, 1 };
	struct tm_model tm;

	(void)state;
	start(&tm);
	tm_init_f32(&tm, "k", 3, c11_dims, 5);
	tm_init_f32(&tm, "b", 3, c11_dims, 6);
	conv(&tm, "x,w", "c");
	batch_norm(&tm, "c", "n", c_dims);
	tm_node(&tm, "Mul", "n,k", "m", NULL);
	tm_node(&tm, "Sub", "b,m", "s", NULL); /* constant on the left */
	tm_node(&tm, "LeakyRelu", "s", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);

	start(&tm);
	tm_init_f32(&tm, "k", 3, x411, 5);
	tm_init_f32(&tm, "b", 3, x411, 6);
	batch_norm(&tm, "x", "n", x4);
	tm_node(&tm, "Mul", "n,k", "m", NULL);
	tm_node(&tm, "Add", "m,b", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);
}

static void transposed_conv_batch_norm(void **state)
{
	const s64 wt[] = { 4, 3, 3, 3 };
	struct pb attrs = { 0 };
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 14);
	tm_input(&tm, "x", 1, 4, x_dims);
	tm_init_f32(&tm, "w", 4, wt, 1);
	attr_int(&attrs, "group", 2);
	tm_node(&tm, "ConvTranspose", "x,w", "c", &attrs);
	batch_norm(&tm, "c", "n", c_dims);
	tm_node(&tm, "Relu", "n", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);
}

/* A second reader or a graph output between the two keeps them apart. */
static void second_readers_count(void **state)
{
	struct tm_model tm;

	(void)state;
	start(&tm);
	conv(&tm, "x,w", "c");
	batch_norm(&tm, "c", "n", c_dims);
	tm_node(&tm, "Add", "n,c", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 3);

	start(&tm);
	conv(&tm, "x,w", "c");
	tm_node(&tm, "Relu", "c", "y", NULL);
	tm_output(&tm, "c");
	tm_output(&tm, "y");
	check(&tm, 2);
}

static void residuals(void **state)
{
	const s64 w2[] = { 6, 6, 1, 1 };
	struct tm_model tm;

	(void)state;
	start(&tm); /* one branch is a convolution of the other */
	tm_init_f32(&tm, "w2", 4, w2, 7);
	conv(&tm, "x,w", "a");
	conv(&tm, "a,w2", "b");
	tm_node(&tm, "Add", "b,a", "s", NULL);
	tm_node(&tm, "Relu", "s", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 2);

	start(&tm); /* two convolutions: the later takes the earlier */
	tm_init_f32(&tm, "w2", 4, w_dims, 7);
	conv(&tm, "x,w", "a");
	conv(&tm, "x,w2", "b");
	tm_node(&tm, "Add", "a,b", "s", NULL);
	tm_node(&tm, "Relu", "s", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 2);

	start(&tm); /* activation before the addition: it may not move behind */
	tm_init_f32(&tm, "w2", 4, w2, 7);
	conv(&tm, "x,w", "a");
	conv(&tm, "a,w2", "b");
	tm_node(&tm, "Relu", "b", "r", NULL);
	tm_node(&tm, "Add", "r,a", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 3);

	start(&tm); /* the other operand comes after the convolution */
	conv(&tm, "x,w", "a");
	tm_init_f32(&tm, "w2", 4, w_dims, 7);
	conv(&tm, "x,w2", "b");
	tm_node(&tm, "Tanh", "b", "t", NULL);
	tm_node(&tm, "Sin", "t", "u", NULL);
	tm_node(&tm, "Add", "a,u", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 3);
}

static void activations(void **state)
{
	static const char *const ops[] = { "Relu", "LeakyRelu", "Elu",	      "Sigmoid",
					   "Tanh", "HardSwish", "HardSigmoid" };
	const float limits[] = { 0, 6 };
	struct tm_model tm;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(ops); i++) {
		start(&tm);
		conv(&tm, "x,w", "c");
		tm_node(&tm, ops[i], "c", "y", NULL);
		tm_output(&tm, "y");
		check(&tm, 1);
	}
	start(&tm);
	tm_init_raw(&tm, "lo", 1, 0, NULL, &limits[0], 4);
	tm_init_raw(&tm, "hi", 1, 0, NULL, &limits[1], 4);
	conv(&tm, "x,w", "c");
	tm_node(&tm, "Clip", "c,lo,hi", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);
	start(&tm); /* not one that convolutions know */
	conv(&tm, "x,w", "c");
	tm_node(&tm, "Sin", "c", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 2);
}

static void number(struct tm_model *tm, const char *name, float f)
{
	tm_init_raw(tm, name, 1, 0, NULL, &f, sizeof(f));
}

/* hard_swish as exporters write it: the division inside or outside. */
static void swishes(void **state)
{
	struct pb attrs = { 0 };
	struct tm_model tm;

	(void)state;
	start(&tm);
	conv(&tm, "x,w", "c");
	tm_node(&tm, "Sigmoid", "c", "s", NULL);
	tm_node(&tm, "Mul", "c,s", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);

	start(&tm);
	conv(&tm, "x,w", "c");
	attr_float(&attrs, "alpha", 1.0f / 6);
	tm_node(&tm, "HardSigmoid", "c", "s", &attrs);
	tm_node(&tm, "Mul", "s,c", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);

	for (int outside = 0; outside < 2; outside++) {
		start(&tm);
		number(&tm, "zero", 0);
		number(&tm, "three", 3);
		number(&tm, "six", 6);
		conv(&tm, "x,w", "c");
		tm_node(&tm, "Add", "c,three", "a", NULL);
		tm_node(&tm, "Clip", "a,zero,six", "r", NULL);
		if (outside) {
			tm_node(&tm, "Mul", "c,r", "m", NULL);
			tm_node(&tm, "Div", "m,six", "y", NULL);
		} else {
			tm_node(&tm, "Div", "r,six", "m", NULL);
			tm_node(&tm, "Mul", "c,m", "y", NULL);
		}
		tm_output(&tm, "y");
		check(&tm, 1);
	}

	start(&tm); /* the gate is wanted elsewhere: stays */
	conv(&tm, "x,w", "c");
	tm_node(&tm, "Sigmoid", "c", "s", NULL);
	tm_node(&tm, "Mul", "c,s", "y", NULL);
	tm_output(&tm, "y");
	tm_output(&tm, "s");
	check(&tm, 3);
}

static void matmul_bias_relu(void **state)
{
	const s64 a[] = { 2, 5, 4 }, b[] = { 4, 6 }, row[] = { 6 };
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 3, a);
	tm_init_f32(&tm, "w", 2, b, 1);
	tm_init_f32(&tm, "b", 1, row, 2);
	tm_node(&tm, "MatMul", "x,w", "m", NULL);
	tm_node(&tm, "Add", "b,m", "s", NULL);
	tm_node(&tm, "Relu", "s", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);
}

static void binary_activation(void **state)
{
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 4, x_dims);
	tm_input(&tm, "z", 1, 4, x_dims);
	tm_node(&tm, "Sub", "x,z", "s", NULL);
	tm_node(&tm, "Relu", "s", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);
}

static void pad_conv(void **state)
{
	const s64 zeros[] = { 0, 0, 1, 2, 0, 0, 0, 1 };
	struct tm_model tm;

	(void)state;
	start(&tm);
	tm_init_s64(&tm, "pads", 8, zeros);
	tm_node(&tm, "Pad", "x,pads", "p", NULL);
	tm_node(&tm, "Conv", "p,w", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 1);

	start(&tm); /* padded with another number */
	tm_init_s64(&tm, "pads", 8, zeros);
	number(&tm, "one", 1);
	tm_node(&tm, "Pad", "x,pads,one", "p", NULL);
	tm_node(&tm, "Conv", "p,w", "y", NULL);
	tm_output(&tm, "y");
	check(&tm, 2);
}

/* Weights that would overflow stay as they are. */
static void infinite_scale_is_left(void **state)
{
	const float zeros[6] = { 0 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	start(&tm);
	tm_init_raw(&tm, "k", 1, 3, c11_dims, zeros, sizeof(zeros));
	conv(&tm, "x,w", "c");
	tm_node(&tm, "Div", "c,k", "y", NULL);
	tm_output(&tm, "y");
	build(&run, tm_finish(&tm), NULL);
	assert_int_equal(run.prog.nr_ops, 2);
	test_run_fini(&run);
	tm_fini(&tm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_batch_norm_relu),
		cmocka_unit_test(scale_and_shift),
		cmocka_unit_test(transposed_conv_batch_norm),
		cmocka_unit_test(second_readers_count),
		cmocka_unit_test(residuals),
		cmocka_unit_test(activations),
		cmocka_unit_test(swishes),
		cmocka_unit_test(matmul_bias_relu),
		cmocka_unit_test(binary_activation),
		cmocka_unit_test(pad_conv),
		cmocka_unit_test(infinite_scale_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
