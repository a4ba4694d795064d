// SPDX-License-Identifier: MIT
/*
 * Files that mean harm, and memory that runs out.  Every cut and many flipped bits of small models
 * (our own, and official ones where libonnx-testdata is installed), every allocation failing once.
 * That nothing leaks or is read out of bounds is what the sanitizer build adds.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "graph/test_run.h"

#define DATA_DIR "/usr/share/libonnx-testdata/data/node"

static const struct graph_options small_limits = { .max_fold_bytes = 1 << 20 };

/* Opens and compiles with every unknown dimension 1; any answer will do, if it is a clean one. */
static int try_compile(const void *bytes, size_t size, struct graph_error *err)
{
	struct graph_bind binds[TEST_MAX_PORTS] = { 0 };
	struct graph_model *model = NULL;
	void *program = NULL;
	unsigned nr_binds = 0;
	size_t program_size;
	int ret;

	ret = graph_model_open(bytes, size, NULL, &model, err);
	if (ret)
		return ret;
	for (unsigned i = 0; i < graph_model_nr_inputs(model) && i < TEST_MAX_PORTS; i++) {
		struct graph_value_info info;

		graph_model_input(model, i, &info);
		binds[nr_binds] = (struct graph_bind){ .input = i, .rank = info.rank };
		for (u32 k = 0; k < info.rank; k++)
			binds[nr_binds].dims[k] = info.dims[k] < 0 ? 1 : info.dims[k];
		nr_binds++;
	}
	ret = graph_compile(model, binds, nr_binds, &small_limits, &program, &program_size, NULL,
			    err);
	if (!ret) {
		struct base_err why;
		struct abi_prog prog;

		base_alloc_fail_nth(0); /* the compiler's allocations are meant, not the check's */
		if (abi_prog_open(program, program_size, &prog, &why) ||
		    kern_prog_check(&prog, &why))
			fail_msg("compiled, but not valid: %s", why.text);
	}
	graph_free(program);
	graph_model_close(model);
	return ret;
}

/* In memory of exactly the size, so that the sanitizer sees one byte too far. */
static void try_copy(const u8 *bytes, size_t size, size_t flip_bit)
{
	struct graph_error err = { 0 };
	u8 *copy = malloc(size ? size : 1);
	int ret;

	if (size)
		memcpy(copy, bytes, size);
	if (flip_bit < size * 8)
		copy[flip_bit / 8] ^= (u8)(1u << flip_bit % 8);
	ret = try_compile(copy, size, &err);
	assert_true(ret <= 0);
	if (ret) {
		assert_int_equal(err.code, ret);
		assert_true(strlen(err.text) > 0);
	}
	free(copy);
}

static void torture(const u8 *bytes, size_t size)
{
	const size_t step = size > 600 ? 7 : 1; /* bits; a prime, so that all positions are met */

	for (size_t cut = 0; cut < size; cut++)
		try_copy(bytes, cut, SIZE_MAX);
	for (size_t bit = 0; bit < size * 8; bit += step)
		try_copy(bytes, size, bit);
}

/* A little of everything. */
static void small_model(struct tm_model *tm)
{
	const s64 x[] = { -1, 4, 6, 6 }, w[] = { 4, 4, 3, 3 }, c[] = { 4 }, shape[] = { 1, -1 };
	struct pb attrs = { 0 }, scale;
	const float two = 2;
	const s64 one = 1;

	tm_init(tm, 13);
	tm_input(tm, "x", 1, 4, x);
	tm_init_f32(tm, "w", 4, w, 1);
	tm_init_f32(tm, "c", 1, c, 2);
	tm_init_s64(tm, "shape", 2, shape);
	attr_str(&attrs, "auto_pad", "SAME_LOWER");
	tm_node(tm, "Conv", "x,w,c", "a", &attrs);
	tm_node(tm, "BatchNormalization", "a,c,c,c,c", "b", NULL);
	tm_node(tm, "Relu", "b", "r", NULL);
	attr_ints(&attrs, "kernel_shape", 2, (const s64[]){ 2, 2 });
	tm_node(tm, "MaxPool", "r", "p,idx", &attrs);
	scale = tensor_pb("k", 1, 1, &one, &two, sizeof(two));
	attr_tensor(&attrs, "value", &scale);
	tm_node(tm, "Constant", "", "k", &attrs);
	tm_node(tm, "Mul", "p,k", "m", NULL);
	tm_node(tm, "Reshape", "m,shape", "f", NULL);
	tm_node(tm, "Softmax", "f", "y", NULL);
	tm_output(tm, "y");
	tm_output(tm, "idx");
}

static void own_model(void **state)
{
	struct graph_error err;
	struct tm_model tm;

	(void)state;
	small_model(&tm);
	tm_finish(&tm);
	if (try_compile(tm.file.data, tm.file.size, &err))
		fail_msg("%s", err.text);
	torture(tm.file.data, tm.file.size);
	tm_fini(&tm);
}

static void official_models(void **state)
{
	static const char *const names[] = { "test_convtranspose_pads", "test_slice",
					     "test_layer_normalization_2d_axis0_expanded",
					     "test_averagepool_2d_same_upper",
					     "test_training_dropout" };
	u32 nr = 0;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(names); i++) {
		char path[256];
		u8 bytes[8192];
		size_t size;
		FILE *f;

		snprintf(path, sizeof(path), DATA_DIR "/%s/model.onnx", names[i]);
		f = fopen(path, "rb");
		if (!f)
			continue;
		size = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		assert_true(size > 0 && size < sizeof(bytes));
		torture(bytes, size);
		nr++;
	}
	if (!nr)
		skip(); /* package libonnx-testdata */
}

static void every_allocation_fails_once(void **state)
{
	struct graph_error err = { 0 };
	struct tm_model tm;
	u64 nr = 0;
	int ret;

	(void)state;
	small_model(&tm);
	tm_finish(&tm);
	do {
		base_alloc_fail_nth(++nr);
		ret = try_compile(tm.file.data, tm.file.size, &err);
		base_alloc_fail_nth(0);
		assert_true(ret == 0 || ret == -ENOMEM);
	} while (ret && nr < 10000);
	assert_int_equal(ret, 0);
	assert_true(nr > 4); /* it did fail before */
	tm_fini(&tm);
}

static void tensor_allocations_fail(void **state)
{
	const s64 dims[] = { 2, 2 };
	const float data[4] = { 1, 2, 3, 4 };
	struct graph_tensor tensor = { 0 };
	struct graph_error err = { 0 };
	struct pb pb = tensor_pb("t", 1, 2, dims, data, sizeof(data));
	u64 nr = 0;
	int ret;

	(void)state;
	do {
		base_alloc_fail_nth(++nr);
		ret = graph_tensor_read(pb.data, pb.size, &tensor, &err);
		base_alloc_fail_nth(0);
		assert_true(ret == 0 || ret == -ENOMEM);
	} while (ret && nr < 100);
	assert_int_equal(ret, 0);
	assert_true(nr > 2);
	graph_tensor_fini(&tensor);
	pb_free(&pb);
}

/* A hundred thousand nodes deep: no recursion, no quadratic search. */
static void deep_graphs_compile(void **state)
{
	const s64 dims[] = { 2 };
	struct graph_error err;
	struct tm_model tm;
	char in[16], out[16];

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "v0", 1, 1, dims);
	for (u32 i = 0; i < 100000; i++) {
		snprintf(in, sizeof(in), "v%u", i);
		snprintf(out, sizeof(out), "v%u", i + 1);
		tm_node(&tm, i % 2 ? "Neg" : "Relu", in, out, NULL);
	}
	tm_output(&tm, "v100000");
	tm_finish(&tm);
	if (try_compile(tm.file.data, tm.file.size, &err))
		fail_msg("%s", err.text);
	tm_fini(&tm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_model),
		cmocka_unit_test(official_models),
		cmocka_unit_test(every_allocation_fails_once),
		cmocka_unit_test(tensor_allocations_fail),
		cmocka_unit_test(deep_graphs_compile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
