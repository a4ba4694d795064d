// SPDX-License-Identifier: MIT
/* Names and sizes of what a program is made of. */
#include "abi/program.h"

static const struct {
	const char *name;
	u32 size;
} dtypes[] = {
	[ABI_F32] = { "float32", 4 }, [ABI_U8] = { "uint8", 1 },   [ABI_S8] = { "int8", 1 },
	[ABI_U16] = { "uint16", 2 },  [ABI_S16] = { "int16", 2 },  [ABI_S32] = { "int32", 4 },
	[ABI_S64] = { "int64", 8 },   [ABI_BOOL] = { "bool", 1 },  [ABI_F16] = { "float16", 2 },
	[ABI_F64] = { "float64", 8 }, [ABI_U32] = { "uint32", 4 }, [ABI_U64] = { "uint64", 8 },
};

u32 abi_dtype_size(u32 dtype)
{
	return dtype < BASE_ARRAY_SIZE(dtypes) ? dtypes[dtype].size : 0;
}

static const char *name_or_unknown(const char *const *names, size_t nr_names, u32 idx)
{
	return idx < nr_names && names[idx] ? names[idx] : "?";
}

const char *abi_dtype_name(u32 dtype)
{
	return abi_dtype_size(dtype) ? dtypes[dtype].name : "?";
}

static const struct {
	const char *name;
	u32 attr_size;
} ops[ABI_NR_OPS] = {
	[ABI_OP_UNARY] = { "unary", sizeof(struct abi_attr_unary) },
	[ABI_OP_BINARY] = { "binary", sizeof(struct abi_attr_binary) },
	[ABI_OP_SELECT] = { "select", 0 },
	[ABI_OP_CAST] = { "cast", sizeof(struct abi_attr_cast) },
	[ABI_OP_COPY] = { "copy", sizeof(struct abi_attr_shape) },
	[ABI_OP_TRANSPOSE] = { "transpose", sizeof(struct abi_attr_transpose) },
	[ABI_OP_CONCAT] = { "concat", sizeof(struct abi_attr_axis) },
	[ABI_OP_SLICE] = { "slice", sizeof(struct abi_attr_slice) },
	[ABI_OP_PAD] = { "pad", sizeof(struct abi_attr_pad) },
	[ABI_OP_GATHER] = { "gather", sizeof(struct abi_attr_axis) },
	[ABI_OP_EXPAND] = { "expand", sizeof(struct abi_attr_shape) },
	[ABI_OP_TILE] = { "tile", sizeof(struct abi_attr_shape) },
	[ABI_OP_REDUCE] = { "reduce", sizeof(struct abi_attr_reduce) },
	[ABI_OP_ARG] = { "arg", sizeof(struct abi_attr_arg) },
	[ABI_OP_SOFTMAX] = { "softmax", sizeof(struct abi_attr_softmax) },
	[ABI_OP_CONV] = { "conv", sizeof(struct abi_attr_conv) },
	[ABI_OP_CONV_TRANSPOSE] = { "conv_transpose", sizeof(struct abi_attr_conv) },
	[ABI_OP_POOL] = { "pool", sizeof(struct abi_attr_pool) },
	[ABI_OP_MATMUL] = { "matmul", sizeof(struct abi_attr_matmul) },
	[ABI_OP_BATCH_NORM] = { "batch_norm", sizeof(struct abi_attr_norm) },
	[ABI_OP_INSTANCE_NORM] = { "instance_norm", sizeof(struct abi_attr_norm) },
	[ABI_OP_LRN] = { "lrn", sizeof(struct abi_attr_lrn) },
};

const char *abi_op_name(u32 code)
{
	return code < ABI_NR_OPS && ops[code].name ? ops[code].name : "?";
}

u32 abi_op_attr_size(u32 code)
{
	return code < ABI_NR_OPS ? ops[code].attr_size : 0;
}

const char *abi_unary_name(u32 kind)
{
	static const char *const names[ABI_NR_UNARY] = {
		[ABI_UNARY_NONE] = "none",
		[ABI_UNARY_RELU] = "relu",
		[ABI_UNARY_CLIP] = "clip",
		[ABI_UNARY_LEAKY_RELU] = "leaky_relu",
		[ABI_UNARY_ELU] = "elu",
		[ABI_UNARY_SELU] = "selu",
		[ABI_UNARY_SIGMOID] = "sigmoid",
		[ABI_UNARY_HARD_SIGMOID] = "hard_sigmoid",
		[ABI_UNARY_HARD_SWISH] = "hard_swish",
		[ABI_UNARY_SWISH] = "swish",
		[ABI_UNARY_TANH] = "tanh",
		[ABI_UNARY_SOFTPLUS] = "softplus",
		[ABI_UNARY_SOFTSIGN] = "softsign",
		[ABI_UNARY_ERF] = "erf",
		[ABI_UNARY_EXP] = "exp",
		[ABI_UNARY_LOG] = "log",
		[ABI_UNARY_SQRT] = "sqrt",
		[ABI_UNARY_RECIPROCAL] = "reciprocal",
		[ABI_UNARY_SIN] = "sin",
		[ABI_UNARY_COS] = "cos",
		[ABI_UNARY_TAN] = "tan",
		[ABI_UNARY_CEIL] = "ceil",
		[ABI_UNARY_FLOOR] = "floor",
		[ABI_UNARY_ROUND] = "round",
		[ABI_UNARY_ABS] = "abs",
		[ABI_UNARY_NEG] = "neg",
		[ABI_UNARY_SIGN] = "sign",
		[ABI_UNARY_NOT] = "not",
	};

	return name_or_unknown(names, BASE_ARRAY_SIZE(names), kind);
}

const char *abi_binary_name(u32 kind)
{
	static const char *const names[ABI_NR_BINARY] = {
		[ABI_BINARY_ADD] = "add",    [ABI_BINARY_SUB] = "sub",
		[ABI_BINARY_MUL] = "mul",    [ABI_BINARY_DIV] = "div",
		[ABI_BINARY_POW] = "pow",    [ABI_BINARY_MIN] = "min",
		[ABI_BINARY_MAX] = "max",    [ABI_BINARY_PRELU] = "prelu",
		[ABI_BINARY_AND] = "and",    [ABI_BINARY_OR] = "or",
		[ABI_BINARY_XOR] = "xor",    [ABI_BINARY_EQ] = "equal",
		[ABI_BINARY_LT] = "less",    [ABI_BINARY_LE] = "less_or_equal",
		[ABI_BINARY_GT] = "greater", [ABI_BINARY_GE] = "greater_or_equal",
	};

	return name_or_unknown(names, BASE_ARRAY_SIZE(names), kind);
}

const char *abi_reduce_name(u32 kind)
{
	static const char *const names[ABI_NR_REDUCE] = {
		[ABI_REDUCE_SUM] = "sum",
		[ABI_REDUCE_MEAN] = "mean",
		[ABI_REDUCE_MAX] = "max",
		[ABI_REDUCE_MIN] = "min",
		[ABI_REDUCE_PROD] = "prod",
		[ABI_REDUCE_L1] = "l1",
		[ABI_REDUCE_L2] = "l2",
		[ABI_REDUCE_LOG_SUM] = "log_sum",
		[ABI_REDUCE_LOG_SUM_EXP] = "log_sum_exp",
		[ABI_REDUCE_SUM_SQUARE] = "sum_square",
	};

	return name_or_unknown(names, BASE_ARRAY_SIZE(names), kind);
}

/*
 * The product is bounded with zero dims left out, so that strides computed from the dims of an
 * empty tensor cannot overflow either.
 */
bool abi_tensor_size(u32 dtype, u32 rank, const u32 *dims, u64 *out)
{
	u64 bytes = abi_dtype_size(dtype);
	bool is_empty = false;

	if (!bytes || rank > ABI_MAX_RANK)
		return false;
	for (u32 i = 0; i < rank; i++) {
		if (!dims[i]) {
			is_empty = true;
			continue;
		}
		if (!base_mul_u64(bytes, dims[i], &bytes) || bytes > ABI_MAX_TENSOR_SIZE)
			return false;
	}
	*out = is_empty ? 0 : bytes;
	return true;
}
