// SPDX-License-Identifier: MIT
/* Programs whose structure is sound, judged for their meaning. */
#include "kernels/kern_testing.h"

/* y = relu(x w): a product whose bias is left out. */
struct sample {
	struct abi_prog_tensor tensors[4];
	struct abi_prog_op ops[2];
	u32 operands[6];
	struct {
		struct abi_attr_matmul matmul;
		struct abi_attr_unary relu;
	} attrs;
	struct abi_prog prog;
};

enum { X, W, H, Y };

static struct abi_prog_tensor tensor(u32 rows, u32 cols)
{
	return (struct abi_prog_tensor){ .dtype = ABI_F32, .rank = 2, .dims = { rows, cols } };
}

static void build(struct sample *s)
{
	static const char names[] = "\0gemm\033[2J";
	static const u32 operands[6] = { X, W, ABI_TENSOR_NONE, H, H, Y };

	memset(s, 0, sizeof(*s));
	s->tensors[X] = tensor(2, 4);
	s->tensors[W] = tensor(4, 3);
	s->tensors[H] = tensor(2, 3);
	s->tensors[Y] = tensor(2, 3);
	memcpy(s->operands, operands, sizeof(operands));
	s->attrs.matmul = (struct abi_attr_matmul){ .alpha = 1, .beta = 1 };
	s->attrs.relu.f.kind = ABI_UNARY_RELU;
	s->ops[0] = (struct abi_prog_op){ .code = ABI_OP_MATMUL,
					  .nr_in = 3,
					  .nr_out = 1,
					  .name = 1,
					  .attr_size = sizeof(s->attrs.matmul) };
	s->ops[1] = (struct abi_prog_op){ .code = ABI_OP_UNARY,
					  .nr_in = 1,
					  .nr_out = 1,
					  .operand = 4,
					  .attr = (u32)offsetof(typeof(s->attrs), relu),
					  .attr_size = sizeof(s->attrs.relu) };
	s->prog = (struct abi_prog){ .tensors = s->tensors,
				     .nr_tensors = 4,
				     .ops = s->ops,
				     .nr_ops = 2,
				     .operands = s->operands,
				     .attrs = (const u8 *)&s->attrs,
				     .names = names };
}

static void expect(const struct sample *s, int ret, const char *text)
{
	struct base_err err = { 0 };

	assert_int_equal(kern_prog_check(&s->prog, &err), ret);
	assert_string_equal(err.text, text);
}

static void a_sound_program_passes(void **state)
{
	struct sample s;

	(void)state;
	build(&s);
	expect(&s, 0, "");
}

static void outputs_have_the_inferred_type_and_shape(void **state)
{
	struct sample s;

	(void)state;
	build(&s);
	s.tensors[Y].dims[1] = 4;
	expect(&s, -EINVAL,
	       "program op 1 '': unary: output 0 (tensor 3) is float32 [2, 4], but the inputs give "
	       "float32 [2, 3]");
	build(&s);
	s.tensors[Y].dtype = ABI_S32; /* of the same size */
	expect(&s, -EINVAL,
	       "program op 1 '': unary: output 0 (tensor 3) is int32 [2, 3], but the inputs give "
	       "float32 [2, 3]");
	build(&s);
	s.tensors[Y].rank = 1;
	s.tensors[Y].dims[0] = 6;
	s.tensors[Y].dims[1] = 0;
	expect(&s, -EINVAL,
	       "program op 1 '': unary: output 0 (tensor 3) is float32 [6], but the inputs give "
	       "float32 [2, 3]");
}

static void inputs_and_attributes_fit_the_operation(void **state)
{
	struct sample s;

	(void)state;
	build(&s);
	s.tensors[W].dims[0] = 5; /* and what a terminal would obey in the name is not shown */
	expect(&s, -EINVAL,
	       "program op 0 'gemm?[2J': matmul: [2, 4] times [5, 3]: inner lengths differ");
	build(&s);
	s.attrs.relu.f.kind = 99;
	expect(&s, -EINVAL, "program op 1 '': unary: function 99, below 28 wanted");
	build(&s);
	s.attrs.relu.f.kind = ABI_UNARY_NOT;
	expect(&s, -EOPNOTSUPP, "program op 1 '': unary: function not has no kernel for float32");
	build(&s);
	s.operands[1] = ABI_TENSOR_NONE;
	expect(&s, -EINVAL, "program op 0 'gemm?[2J': matmul: input 1 is missing");
	build(&s);
	s.ops[0].nr_in = 1;
	expect(&s, -EINVAL, "program op 0 'gemm?[2J': matmul: 1 inputs, 2 to 3 wanted");
}

/* The widest operation there can be. */
static void all_operands_of_a_concat_are_seen(void **state)
{
	static u32 operands[ABI_MAX_OPERANDS];
	struct sample s;

	(void)state;
	build(&s);
	operands[253] = W;
	operands[254] = Y;
	s.prog.operands = operands;
	s.prog.nr_ops = 1;
	s.ops[0] = (struct abi_prog_op){ .code = ABI_OP_CONCAT,
					 .nr_in = 254,
					 .nr_out = 1,
					 .attr = (u32)offsetof(typeof(s.attrs), relu),
					 .attr_size = sizeof(struct abi_attr_axis) };
	s.attrs.relu.f.kind = 0; /* read as axis 0 */
	expect(&s, -EINVAL,
	       "program op 0 '': concat: input 253 has 3 in dim 1, 4 like input 0 wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_program_passes),
		cmocka_unit_test(outputs_have_the_inferred_type_and_shape),
		cmocka_unit_test(inputs_and_attributes_fit_the_operation),
		cmocka_unit_test(all_operands_of_a_concat_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
