// SPDX-License-Identifier: MIT
/* Compiling: what the official node cases do not ask. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "graph/test_run.h"

static const s64 dims2[] = { 2, 3 };

static void must(struct test_run *run, int ret)
{
	if (ret)
		fail_msg("%s", run->err.text);
}

/* Compiles without binds, runs, frees the model. */
static void compile_and_run(struct test_run *run, struct tm_model *tm)
{
	must(run, test_compile(run, tm_finish(tm), NULL, 0, NULL));
	must(run, test_execute(run));
}

static void finish(struct test_run *run, struct tm_model *tm)
{
	test_run_fini(run);
	tm_fini(tm);
}

static void expect_error(struct tm_model *tm, int code, const char *word)
{
	struct test_run run;
	int ret = test_compile(&run, tm_finish(tm), NULL, 0, NULL);

	if (ret != code || !strstr(run.err.text, word))
		fail_msg("%d '%s', expected %d '%s'", ret, run.err.text, code, word);
	finish(&run, tm);
}

/* Outputs that are inputs, constants, each other, and a graph without nodes. */
static void outputs_have_bytes_of_their_own(void **state)
{
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_init_f32(&tm, "w", 2, dims2, 1);
	tm_node(&tm, "Identity", "x", "same", NULL);
	tm_node(&tm, "Relu", "x", "y", NULL);
	tm_output(&tm, "x");
	tm_output(&tm, "w");
	tm_output(&tm, "same");
	tm_output(&tm, "y");
	tm_output(&tm, "y");
	compile_and_run(&run, &tm);
	assert_int_equal(run.prog.hdr->nr_outputs, 5);
	assert_memory_equal(run.outputs[0], run.inputs[0], 24);
	assert_memory_equal(run.outputs[2], run.inputs[0], 24);
	assert_memory_equal(run.outputs[3], run.outputs[4], 24);
	assert_memory_not_equal(run.outputs[3], run.inputs[0], 24);
	assert_memory_not_equal(run.outputs[1], run.inputs[0], 24);
	assert_string_equal(abi_prog_name(&run.prog, abi_prog_output(&run.prog, 1)->name), "w");
	finish(&run, &tm);

	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_output(&tm, "x");
	compile_and_run(&run, &tm);
	assert_memory_equal(run.outputs[0], run.inputs[0], 24);
	finish(&run, &tm);

	tm_init(&tm, 13); /* nothing at all */
	compile_and_run(&run, &tm);
	assert_int_equal(run.prog.nr_ops, 0);
	finish(&run, &tm);
}

/* Reshapes are names, not work; the producer writes straight into the output. */
static void reshapes_are_free(void **state)
{
	const s64 flat[] = { 6 }, back[] = { 3, 2 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_init_s64(&tm, "flat", 1, flat);
	tm_init_s64(&tm, "back", 2, back);
	tm_node(&tm, "Relu", "x", "a", NULL);
	tm_node(&tm, "Reshape", "a,flat", "b", NULL);
	tm_node(&tm, "Neg", "b", "c", NULL);
	tm_node(&tm, "Reshape", "c,back", "y", NULL);
	tm_output(&tm, "y");
	compile_and_run(&run, &tm);
	assert_int_equal(run.prog.nr_ops, 2);
	assert_int_equal(test_count(&run, ABI_OP_COPY), 0);
	for (u32 i = 0; i < 6; i++) {
		float x = ((float *)run.inputs[0])[i];

		assert_float_equal(((float *)run.outputs[0])[i], x > 0 ? -x : 0, 0);
	}
	finish(&run, &tm);
}

static void shapes_are_computed_away(void **state)
{
	const s64 dims[] = { -1, 4, 6 }, zero[] = { 0 }, minus[] = { -1 };
	const struct graph_bind bind = { .input = 0, .rank = 3, .dims = { 2, 4, 6 } };
	struct pb axis = { 0 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13); /* Flatten as PyTorch writes it */
	tm_input(&tm, "x", 1, 3, dims);
	tm_init_s64(&tm, "zero", 1, zero);
	tm_init_s64(&tm, "minus", 1, minus);
	tm_node(&tm, "Shape", "x", "s", NULL);
	tm_node(&tm, "Gather", "s,zero", "n", NULL);
	attr_int(&axis, "axis", 0);
	tm_node(&tm, "Concat", "n,minus", "shape", &axis);
	tm_node(&tm, "Reshape", "x,shape", "r", NULL);
	tm_node(&tm, "Relu", "r", "y", NULL);
	tm_output(&tm, "y");
	must(&run, test_compile(&run, tm_finish(&tm), &bind, 1, NULL));
	assert_int_equal(run.prog.nr_ops, 1);
	assert_int_equal(abi_prog_output(&run.prog, 0)->dims[0], 2);
	assert_int_equal(abi_prog_output(&run.prog, 0)->dims[1], 24);
	assert_int_equal(run.stats.nr_nodes, 5);
	assert_int_equal(run.stats.weights_bytes, 0); /* what only decides shapes is not written */
	finish(&run, &tm);
}

/* A shape that arrives as an input: bound, or an error that says so. */
static void shape_inputs_are_bound(void **state)
{
	const s64 two[] = { 2 }, want[] = { 3, 2 };
	const struct graph_bind binds[] = { { .input = 1,
					      .dtype = 7,
					      .rank = 1,
					      .dims = { 2 },
					      .data = want,
					      .size = sizeof(want) } };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_input(&tm, "shape", 7, 1, two);
	tm_node(&tm, "Reshape", "x,shape", "y", NULL);
	tm_output(&tm, "y");
	must(&run, test_compile(&run, tm_finish(&tm), binds, 1, NULL));
	assert_int_equal(run.prog.hdr->nr_inputs, 2);
	assert_int_equal(abi_prog_output(&run.prog, 0)->dims[0], 3);
	must(&run, test_execute(&run));
	assert_memory_equal(run.outputs[0], run.inputs[0], 24);
	test_run_fini(&run);
	assert_int_equal(test_compile(&run, &tm.file, NULL, 0, NULL), -EINVAL);
	assert_non_null(strstr(run.err.text,
			       "node 0 'y' (Reshape, opset 13): input 1 (shape) must be known"));
	finish(&run, &tm);
}

static void bad_binds_are_named(void **state)
{
	const s64 dims[] = { -1, 3 };
	static const struct {
		struct graph_bind bind;
		const char *word;
	} cases[] = {
		{ { .input = 0, .rank = 2, .dims = { 2, 4 } }, "dimension 1 is 3" },
		{ { .input = 0, .rank = 1, .dims = { 3 } }, "rank 2" },
		{ { .input = 0, .rank = 9 }, "rank" },
		{ { .input = 0, .rank = 2, .dims = { -1, 3 } }, "dimension 0" },
		{ { .input = 0, .dtype = 7, .rank = 2, .dims = { 2, 3 } }, "float32" },
		{ { .input = 1, .rank = 2, .dims = { 2, 3 } }, "the model has 1" },
	};
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims);
	tm_node(&tm, "Relu", "x", "y", NULL);
	tm_output(&tm, "y");
	tm_finish(&tm);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		assert_int_equal(test_compile(&run, &tm.file, &cases[i].bind, 1, NULL), -EINVAL);
		if (!strstr(run.err.text, cases[i].word))
			fail_msg("'%s' does not name '%s'", run.err.text, cases[i].word);
		test_run_fini(&run);
	}
	assert_int_equal(test_compile(&run, &tm.file, NULL, 0, NULL), -EINVAL);
	assert_non_null(strstr(run.err.text, "input 'x': dimension 0 N is not known"));
	finish(&run, &tm);
}

static void bad_nodes_are_named(void **state)
{
	const s64 w3[] = { 4, 3, 3 }, x4[] = { 1, 3, 8, 8 };
	struct pb attrs = { 0 };
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 4, x4);
	tm_init_f32(&tm, "w", 3, w3, 1);
	tm_node(&tm, "Relu", "x", "r", NULL);
	tm_node(&tm, "Conv", "r,w", "y", NULL);
	tm_output(&tm, "y");
	expect_error(&tm, -EINVAL, "node 1 'y' (Conv, opset 13): input W has rank 3, expected 4");

	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_node(&tm, "Add", "x", "y", NULL);
	tm_output(&tm, "y");
	expect_error(&tm, -EINVAL, "has 1 inputs, expected 2");

	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	attr_int(&attrs, "axis", 2);
	tm_node(&tm, "Softmax", "x", "y", &attrs);
	tm_output(&tm, "y");
	expect_error(&tm, -EINVAL, "axis 2 is outside a tensor of rank 2");

	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_node(&tm, "Dropout", "x", "y,unwanted,extra", NULL);
	tm_output(&tm, "y");
	expect_error(&tm, -EINVAL, "at most 2 expected");
}

/* Opset 6: the second operand is stretched from "axis" on. */
static void old_broadcasting(void **state)
{
	const s64 x[] = { 2, 3, 4 }, b[] = { 3 };
	struct pb attrs = { 0 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 6);
	tm_input(&tm, "x", 1, 3, x);
	tm_input(&tm, "b", 1, 1, b);
	attr_int(&attrs, "broadcast", 1);
	attr_int(&attrs, "axis", 1);
	tm_node(&tm, "Add", "x,b", "y", &attrs);
	tm_output(&tm, "y");
	compile_and_run(&run, &tm);
	for (u32 i = 0; i < 24; i++)
		assert_float_equal(
			((float *)run.outputs[0])[i],
			((float *)run.inputs[0])[i] + ((float *)run.inputs[1])[i / 4 % 3], 0);
	finish(&run, &tm);

	tm_init(&tm, 6);
	tm_input(&tm, "x", 1, 3, x);
	tm_input(&tm, "b", 1, 1, b);
	tm_node(&tm, "Add", "x,b", "y", NULL);
	tm_output(&tm, "y");
	expect_error(&tm, -EINVAL, "broadcast = 1");
}

/* Before opset 13 softmax runs over all axes from the given one on. */
static void old_softmax(void **state)
{
	const s64 x[] = { 2, 3, 4 };
	float sums[2];

	(void)state;
	for (s64 opset = 12; opset <= 13; opset++) {
		struct pb attrs = { 0 };
		struct test_run run;
		struct tm_model tm;

		tm_init(&tm, opset);
		tm_input(&tm, "x", 1, 3, x);
		attr_int(&attrs, "axis", 1);
		tm_node(&tm, "Softmax", "x", "y", &attrs);
		tm_output(&tm, "y");
		compile_and_run(&run, &tm);
		sums[opset - 12] = 0;
		for (u32 i = 0; i < 12; i++)
			sums[opset - 12] += ((float *)run.outputs[0])[i];
		finish(&run, &tm);
	}
	assert_float_equal(sums[0], 1.0f, 1e-5);
	assert_float_equal(sums[1], 4.0f, 1e-5);
}

static void constants_of_all_forms(void **state)
{
	const s64 ints[] = { 1, 2, 3 };
	struct pb attrs = { 0 }, floats = { 0 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	attr_int(&attrs, "value_int", -7);
	tm_node(&tm, "Constant", "", "a", &attrs);
	attr_float(&attrs, "value_float", 2.5f);
	tm_node(&tm, "Constant", "", "b", &attrs);
	attr_ints(&attrs, "value_ints", 3, ints);
	tm_node(&tm, "Constant", "", "c", &attrs);
	pb_str(&floats, 1, "value_floats");
	pb_bytes(&floats, 7, "\x00\x00\x80\x3f\x00\x00\x00\x40", 8); /* packed */
	pb_msg(&attrs, 5, &floats);
	tm_node(&tm, "Constant", "", "d", &attrs);
	tm_output(&tm, "a");
	tm_output(&tm, "b");
	tm_output(&tm, "c");
	tm_output(&tm, "d");
	compile_and_run(&run, &tm);
	assert_int_equal(*(s64 *)run.outputs[0], -7);
	assert_float_equal(*(float *)run.outputs[1], 2.5f, 0);
	assert_memory_equal(run.outputs[2], ints, sizeof(ints));
	assert_float_equal(((float *)run.outputs[3])[1], 2.0f, 0);
	finish(&run, &tm);

	tm_init(&tm, 13);
	attr_str(&attrs, "value_string", "no");
	tm_node(&tm, "Constant", "", "a", &attrs);
	tm_output(&tm, "a");
	expect_error(&tm, -EOPNOTSUPP, "only constant tensors");
}

/* The first doubles of NumPy's RandomState(0) are 0.5488, 0.7152, 0.6028, 0.5449, 0.4237, 0.6459. */
static void dropout_follows_its_seed(void **state)
{
	const bool stays[] = { 1, 1, 1, 1, 0, 1 };
	const float ratio = 0.5f;
	const u8 yes = 1;
	struct pb attrs = { 0 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	for (int with_seed = 0; with_seed < 2; with_seed++) {
		tm_init(&tm, 13);
		tm_input(&tm, "x", 1, 2, dims2);
		tm_init_raw(&tm, "ratio", 1, 0, NULL, &ratio, 4);
		tm_init_raw(&tm, "training", 9, 0, NULL, &yes, 1);
		if (with_seed)
			attr_int(&attrs, "seed", 0);
		tm_node(&tm, "Dropout", "x,ratio,training", "y,mask", &attrs);
		tm_output(&tm, "y");
		tm_output(&tm, "mask");
		if (!with_seed)
			expect_error(&tm, -EOPNOTSUPP, "without a seed");
	}
	compile_and_run(&run, &tm);
	assert_memory_equal(run.outputs[1], stays, 6);
	assert_float_equal(((float *)run.outputs[0])[0], 2 * ((float *)run.inputs[0])[0], 1e-6);
	assert_float_equal(((float *)run.outputs[0])[4], 0, 0);
	finish(&run, &tm);
}

static void wide_concat_is_split(void **state)
{
	const s64 one[] = { 1, 2 };
	struct pb attrs = { 0 }, names = { 0 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, one);
	for (u32 i = 0; i < 600; i++)
		pb_raw(&names, i ? ",x" : "x", i ? 2 : 1);
	pb_raw(&names, "", 1);
	attr_int(&attrs, "axis", 0);
	tm_node(&tm, "Concat", (const char *)names.data, "y", &attrs);
	pb_free(&names);
	tm_output(&tm, "y");
	compile_and_run(&run, &tm);
	assert_int_equal(abi_prog_output(&run.prog, 0)->dims[0], 600);
	assert_float_equal(((float *)run.outputs[0])[1199], ((float *)run.inputs[0])[1], 0);
	finish(&run, &tm);
}

/* The same tensor under two names is written once. */
static void weights_are_shared(void **state)
{
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_init_f32(&tm, "w", 2, dims2, 1);
	tm_node(&tm, "Identity", "w", "v", NULL);
	tm_node(&tm, "Add", "x,w", "a", NULL);
	tm_node(&tm, "Mul", "a,v", "y", NULL);
	tm_output(&tm, "y");
	compile_and_run(&run, &tm);
	assert_int_equal(run.stats.weights_bytes, 64);
	finish(&run, &tm);
}

/* A file of a hundred bytes that asks for gigabytes gets a program, not memory. */
static void folding_has_a_limit(void **state)
{
	const s64 shape[] = { 4096, 4096 };
	const struct graph_options options = { .max_fold_bytes = 1 << 20 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_init_s64(&tm, "shape", 2, shape);
	tm_node(&tm, "ConstantOfShape", "shape", "a", NULL);
	tm_node(&tm, "MatMul", "a,a", "y", NULL);
	tm_output(&tm, "y");
	must(&run, test_compile(&run, tm_finish(&tm), NULL, 0, &options));
	assert_true(run.program_size < 4096);
	assert_int_equal(test_count(&run, ABI_OP_EXPAND), 1);
	finish(&run, &tm);

	tm_init(&tm, 13); /* Expand to 2^62 elements */
	tm_init_s64(&tm, "shape", 2, (const s64[]){ 1u << 31, 1u << 31 });
	tm_node(&tm, "ConstantOfShape", "shape", "y", NULL);
	tm_output(&tm, "y");
	assert_true(test_compile(&run, tm_finish(&tm), NULL, 0, NULL) < 0);
	finish(&run, &tm);
}

static void same_model_same_program(void **state)
{
	struct test_run runs[2];
	struct tm_model tm;

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "x", 1, 2, dims2);
	tm_init_f32(&tm, "w", 2, dims2, 1);
	tm_node(&tm, "Add", "x,w", "a", NULL);
	tm_node(&tm, "Relu", "a", "y", NULL);
	tm_output(&tm, "y");
	tm_finish(&tm);
	for (u32 i = 0; i < 2; i++)
		must(&runs[i], test_compile(&runs[i], &tm.file, NULL, 0, NULL));
	assert_int_equal(runs[0].program_size, runs[1].program_size);
	assert_memory_equal(runs[0].program, runs[1].program, runs[0].program_size);
	test_run_fini(&runs[0]);
	finish(&runs[1], &tm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_have_bytes_of_their_own),
		cmocka_unit_test(reshapes_are_free),
		cmocka_unit_test(shapes_are_computed_away),
		cmocka_unit_test(shape_inputs_are_bound),
		cmocka_unit_test(bad_binds_are_named),
		cmocka_unit_test(bad_nodes_are_named),
		cmocka_unit_test(old_broadcasting),
		cmocka_unit_test(old_softmax),
		cmocka_unit_test(constants_of_all_forms),
		cmocka_unit_test(dropout_follows_its_seed),
		cmocka_unit_test(wide_concat_is_split),
		cmocka_unit_test(weights_are_shared),
		cmocka_unit_test(folding_has_a_limit),
		cmocka_unit_test(same_model_same_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
