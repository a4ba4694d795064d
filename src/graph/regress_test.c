// SPDX-License-Identifier: MIT
/* Models that once gave a wrong answer or a wrong refusal; found by comparing with ONNX Runtime. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "graph/test_run.h"

static void compile_and_run(struct test_run *run, struct tm_model *tm)
{
	if (test_compile(run, tm_finish(tm), NULL, 0, NULL) || test_execute(run))
		fail_msg("%s", run->err.text);
}

/* With noop_with_empty_axes only the summing is left out. */
static void reduction_over_no_axes_still_squares(void **state)
{
	const s64 dims[] = { 2, 3 };
	struct pb attrs[3] = { 0 };
	struct test_run run;
	struct tm_model tm;

	(void)state;
	for (u32 i = 0; i < 3; i++)
		attr_int(&attrs[i], "noop_with_empty_axes", 1);
	tm_init(&tm, 18);
	tm_input(&tm, "x", 1, 2, dims);
	tm_node(&tm, "ReduceSumSquare", "x", "square", &attrs[0]);
	tm_node(&tm, "ReduceL1", "x", "abs", &attrs[1]);
	tm_node(&tm, "ReduceSum", "x", "same", &attrs[2]);
	tm_output(&tm, "square");
	tm_output(&tm, "abs");
	tm_output(&tm, "same");
	compile_and_run(&run, &tm);
	for (u32 i = 0; i < 6; i++) {
		float x = ((const float *)run.inputs[0])[i];

		assert_float_equal(((const float *)run.outputs[0])[i], x * x, 1e-6);
		assert_float_equal(((const float *)run.outputs[1])[i], fabsf(x), 0);
		assert_float_equal(((const float *)run.outputs[2])[i], x, 0);
	}
	test_run_fini(&run);
	tm_fini(&tm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduction_over_no_axes_still_squares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
