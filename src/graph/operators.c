// SPDX-License-Identifier: MIT
/*
 * The table of operators.  SRC: O section 2 (sets a and b; what changes by opset), ONNX operator
 * changelog.  A row per operator and meaning; rows of one operator stand together, oldest first.
 */
#include <string.h>

#include "graph/lower.h"

#define ANY GRAPH_VARIADIC

/* clang-format off */
static const struct graph_operator operators[] = {
	/* name             since in        out  shape  argument                lowered by */
	{ "Abs",                1, 1, 1,   1, 0,    ABI_UNARY_ABS,          graph_lower_op_unary },
	{ "Add",                1, 2, 2,   1, 0,    ABI_BINARY_ADD,         graph_lower_op_binary },
	{ "And",                1, 2, 2,   1, 0,    ABI_BINARY_AND,         graph_lower_op_binary },
	{ "ArgMax",             1, 1, 1,   1, 0,    1,                      graph_lower_op_arg },
	{ "ArgMin",             1, 1, 1,   1, 0,    0,                      graph_lower_op_arg },
	{ "AveragePool",        1, 1, 1,   1, 0,    ABI_POOL_AVG,           graph_lower_op_pool },
	{ "BatchNormalization", 1, 5, 5,   5, 0,    0,                      graph_lower_op_batch_norm },
	{ "Cast",               1, 1, 1,   1, 0,    0,                      graph_lower_op_cast },
	{ "Ceil",               1, 1, 1,   1, 0,    ABI_UNARY_CEIL,         graph_lower_op_unary },
	{ "Clip",               1, 1, 3,   1, 0,    0,                      graph_lower_op_clip },
	{ "Concat",             1, 1, ANY, 1, 0,    0,                      graph_lower_op_concat },
	{ "Constant",           1, 0, 0,   1, 0,    0,                      graph_lower_op_constant },
	{ "ConstantOfShape",    9, 1, 1,   1, 0x01, 0,                      graph_lower_op_constant_of_shape },
	{ "Conv",               1, 2, 3,   1, 0,    0,                      graph_lower_op_conv },
	{ "ConvTranspose",      1, 2, 3,   1, 0,    0,                      graph_lower_op_conv_transpose },
	{ "Cos",                7, 1, 1,   1, 0,    ABI_UNARY_COS,          graph_lower_op_unary },
	{ "DepthToSpace",       1, 1, 1,   1, 0,    0,                      graph_lower_op_depth_to_space },
	{ "Div",                1, 2, 2,   1, 0,    ABI_BINARY_DIV,         graph_lower_op_binary },
	{ "Dropout",            1, 1, 3,   2, 0x06, 0,                      graph_lower_op_dropout },
	{ "Elu",                1, 1, 1,   1, 0,    ABI_UNARY_ELU,          graph_lower_op_unary },
	{ "Equal",              1, 2, 2,   1, 0,    ABI_BINARY_EQ,          graph_lower_op_binary },
	{ "Erf",                9, 1, 1,   1, 0,    ABI_UNARY_ERF,          graph_lower_op_unary },
	{ "Exp",                1, 1, 1,   1, 0,    ABI_UNARY_EXP,          graph_lower_op_unary },
	{ "Expand",             8, 2, 2,   1, 0x02, 0,                      graph_lower_op_expand },
	{ "Flatten",            1, 1, 1,   1, 0,    0,                      graph_lower_op_flatten },
	{ "Floor",              1, 1, 1,   1, 0,    ABI_UNARY_FLOOR,        graph_lower_op_unary },
	{ "Gather",             1, 2, 2,   1, 0,    0,                      graph_lower_op_gather },
	{ "Gemm",               1, 2, 3,   1, 0,    0,                      graph_lower_op_gemm },
	{ "GlobalAveragePool",  1, 1, 1,   1, 0,    ABI_POOL_AVG,           graph_lower_op_global_pool },
	{ "GlobalMaxPool",      1, 1, 1,   1, 0,    ABI_POOL_MAX,           graph_lower_op_global_pool },
	{ "Greater",            1, 2, 2,   1, 0,    ABI_BINARY_GT,          graph_lower_op_binary },
	{ "GreaterOrEqual",    12, 2, 2,   1, 0,    ABI_BINARY_GE,          graph_lower_op_binary },
	{ "HardSigmoid",        1, 1, 1,   1, 0,    ABI_UNARY_HARD_SIGMOID, graph_lower_op_unary },
	{ "HardSwish",         14, 1, 1,   1, 0,    ABI_UNARY_HARD_SWISH,   graph_lower_op_unary },
	{ "Identity",           1, 1, 1,   1, 0,    0,                      graph_lower_op_identity },
	{ "InstanceNormalization", 1, 3, 3, 1, 0,   0,                      graph_lower_op_instance_norm },
	{ "LRN",                1, 1, 1,   1, 0,    0,                      graph_lower_op_lrn },
	{ "LeakyRelu",          1, 1, 1,   1, 0,    ABI_UNARY_LEAKY_RELU,   graph_lower_op_unary },
	{ "Less",               1, 2, 2,   1, 0,    ABI_BINARY_LT,          graph_lower_op_binary },
	{ "LessOrEqual",       12, 2, 2,   1, 0,    ABI_BINARY_LE,          graph_lower_op_binary },
	{ "Log",                1, 1, 1,   1, 0,    ABI_UNARY_LOG,          graph_lower_op_unary },
	{ "LogSoftmax",         1, 1, 1,   1, 0,    1,                      graph_lower_op_softmax },
	{ "MatMul",             1, 2, 2,   1, 0,    0,                      graph_lower_op_matmul },
	{ "Max",                1, 1, ANY, 1, 0,    ABI_BINARY_MAX,         graph_lower_op_variadic },
	{ "MaxPool",            1, 1, 1,   2, 0,    ABI_POOL_MAX,           graph_lower_op_pool },
	{ "Mean",               1, 1, ANY, 1, 0,    0,                      graph_lower_op_mean },
	{ "Min",                1, 1, ANY, 1, 0,    ABI_BINARY_MIN,         graph_lower_op_variadic },
	{ "Mul",                1, 2, 2,   1, 0,    ABI_BINARY_MUL,         graph_lower_op_binary },
	{ "Neg",                1, 1, 1,   1, 0,    ABI_UNARY_NEG,          graph_lower_op_unary },
	{ "Not",                1, 1, 1,   1, 0,    ABI_UNARY_NOT,          graph_lower_op_unary },
	{ "Or",                 1, 2, 2,   1, 0,    ABI_BINARY_OR,          graph_lower_op_binary },
	{ "PRelu",              1, 2, 2,   1, 0,    0,                      graph_lower_op_prelu },
	{ "Pad",                1, 1, 1,   1, 0,    0,                      graph_lower_op_pad },
	{ "Pad",               11, 2, 4,   1, 0x0A, 1,                      graph_lower_op_pad },
	{ "Pow",                1, 2, 2,   1, 0,    ABI_BINARY_POW,         graph_lower_op_binary },
	{ "Reciprocal",         1, 1, 1,   1, 0,    ABI_UNARY_RECIPROCAL,   graph_lower_op_unary },
	{ "ReduceL1",           1, 1, 2,   1, 0x02, ABI_REDUCE_L1,          graph_lower_op_reduce },
	{ "ReduceL2",           1, 1, 2,   1, 0x02, ABI_REDUCE_L2,          graph_lower_op_reduce },
	{ "ReduceLogSum",       1, 1, 2,   1, 0x02, ABI_REDUCE_LOG_SUM,     graph_lower_op_reduce },
	{ "ReduceLogSumExp",    1, 1, 2,   1, 0x02, ABI_REDUCE_LOG_SUM_EXP, graph_lower_op_reduce },
	{ "ReduceMax",          1, 1, 2,   1, 0x02, ABI_REDUCE_MAX,         graph_lower_op_reduce },
	{ "ReduceMean",         1, 1, 2,   1, 0x02, ABI_REDUCE_MEAN,        graph_lower_op_reduce },
	{ "ReduceMin",          1, 1, 2,   1, 0x02, ABI_REDUCE_MIN,         graph_lower_op_reduce },
	{ "ReduceProd",         1, 1, 2,   1, 0x02, ABI_REDUCE_PROD,        graph_lower_op_reduce },
	{ "ReduceSum",          1, 1, 2,   1, 0x02, ABI_REDUCE_SUM,         graph_lower_op_reduce },
	{ "ReduceSumSquare",    1, 1, 2,   1, 0x02, ABI_REDUCE_SUM_SQUARE,  graph_lower_op_reduce },
	{ "Relu",               1, 1, 1,   1, 0,    ABI_UNARY_RELU,         graph_lower_op_unary },
	{ "Reshape",            1, 1, 1,   1, 0,    0,                      graph_lower_op_reshape },
	{ "Reshape",            5, 2, 2,   1, 0x02, 1,                      graph_lower_op_reshape },
	{ "Round",             11, 1, 1,   1, 0,    ABI_UNARY_ROUND,        graph_lower_op_unary },
	{ "Selu",               1, 1, 1,   1, 0,    ABI_UNARY_SELU,         graph_lower_op_unary },
	{ "Shape",              1, 1, 1,   1, 0,    0,                      graph_lower_op_shape },
	{ "Sigmoid",            1, 1, 1,   1, 0,    ABI_UNARY_SIGMOID,      graph_lower_op_unary },
	{ "Sign",               9, 1, 1,   1, 0,    ABI_UNARY_SIGN,         graph_lower_op_unary },
	{ "Sin",                7, 1, 1,   1, 0,    ABI_UNARY_SIN,          graph_lower_op_unary },
	{ "Size",               1, 1, 1,   1, 0,    0,                      graph_lower_op_size },
	{ "Slice",              1, 1, 1,   1, 0,    0,                      graph_lower_op_slice },
	{ "Slice",             10, 3, 5,   1, 0x1E, 1,                      graph_lower_op_slice },
	{ "Softmax",            1, 1, 1,   1, 0,    0,                      graph_lower_op_softmax },
	{ "Softplus",           1, 1, 1,   1, 0,    ABI_UNARY_SOFTPLUS,     graph_lower_op_unary },
	{ "Softsign",           1, 1, 1,   1, 0,    ABI_UNARY_SOFTSIGN,     graph_lower_op_unary },
	{ "SpaceToDepth",       1, 1, 1,   1, 0,    0,                      graph_lower_op_space_to_depth },
	{ "Split",              1, 1, 2, ANY, 0x02, 0,                      graph_lower_op_split },
	{ "Split",             13, 1, 2, ANY, 0x02, 1,                      graph_lower_op_split },
	{ "Sqrt",               1, 1, 1,   1, 0,    ABI_UNARY_SQRT,         graph_lower_op_unary },
	{ "Squeeze",            1, 1, 1,   1, 0,    0,                      graph_lower_op_squeeze },
	{ "Squeeze",           13, 1, 2,   1, 0x02, 1,                      graph_lower_op_squeeze },
	{ "Sub",                1, 2, 2,   1, 0,    ABI_BINARY_SUB,         graph_lower_op_binary },
	{ "Sum",                1, 1, ANY, 1, 0,    ABI_BINARY_ADD,         graph_lower_op_variadic },
	{ "Tan",                7, 1, 1,   1, 0,    ABI_UNARY_TAN,          graph_lower_op_unary },
	{ "Tanh",               1, 1, 1,   1, 0,    ABI_UNARY_TANH,         graph_lower_op_unary },
	{ "Tile",               1, 2, 3,   1, 0x06, 0,                      graph_lower_op_tile },
	{ "Transpose",          1, 1, 1,   1, 0,    0,                      graph_lower_op_transpose },
	{ "Unsqueeze",          1, 1, 1,   1, 0,    0,                      graph_lower_op_unsqueeze },
	{ "Unsqueeze",         13, 2, 2,   1, 0x02, 1,                      graph_lower_op_unsqueeze },
	{ "Where",              9, 3, 3,   1, 0,    0,                      graph_lower_op_where },
	{ "Xor",                1, 2, 2,   1, 0,    ABI_BINARY_XOR,         graph_lower_op_binary },
};
/* clang-format on */

static const struct graph_operator *find_row(const char *op_type, s64 opset, bool *is_known)
{
	const struct graph_operator *found = NULL;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(operators); i++) {
		if (strcmp(operators[i].op_type, op_type))
			continue;
		*is_known = true;
		if (operators[i].since <= opset)
			found = &operators[i];
	}
	return found;
}

static bool has_graph_attr(const struct graph_node *node)
{
	for (u32 i = 0; i < node->nr_attrs; i++)
		if (node->attrs[i].has & ONNX_HAS_OTHER)
			return true;
	return false;
}

const struct graph_operator *graph_operator_find(const struct graph_node *node, bool is_std,
						 const char **reason)
{
	const struct graph_operator *row;
	bool is_known = false;

	*reason = "";
	if (!is_std) {
		*reason = "neither an ONNX operator nor a function of the model";
		return NULL;
	}
	row = find_row(node->op_type, node->opset, &is_known);
	if (!is_known)
		*reason = has_graph_attr(node) ? "operators with sub-graphs are not supported"
					       : "operator not supported";
	else if (node->opset <= 0)
		*reason = "the model does not say which opset it uses";
	else if (!row)
		*reason = "the model's opset is older than this operator";
	else if (node->opset > GRAPH_MAX_OPSET)
		*reason =
			"opset is newer than this compiler knows (25): export the model for an older one";
	else
		return row;
	return NULL;
}

static bool is_shape_input(const struct graph_operator *op, u32 i)
{
	return i < 32 && (op->shape_in >> i & 1);
}

bool graph_operator_needs_value(const struct graph_node *node, u32 i, bool is_output_needed)
{
	if (!node->op)
		return false;
	if (is_shape_input(node->op, i))
		return true;
	/* these know their result from the shape alone */
	return is_output_needed && node->op->lower != graph_lower_op_shape &&
	       node->op->lower != graph_lower_op_size;
}
