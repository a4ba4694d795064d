// SPDX-License-Identifier: MIT
/* Operators that work element by element, with broadcasting. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "graph/lower.h"

int graph_lower_op_identity(struct lower *lo, int arg)
{
	u32 x = graph_lower_in(lo, 0);
	const struct kern_tensor *t = graph_lower_tensor(lo, x);
	u32 out;
	int ret;

	(void)arg;
	if (!lo->ir->no_fuse)
		return graph_lower_set(lo, 0, x);
	ret = graph_lower_reshape(lo, x, t->rank, t->dims, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

/* Parameters of the activations that have any.  SRC: ONNX changelog (defaults changed at 6). */
static void unary_params(const struct lower *lo, u32 kind, float *a, float *b)
{
	bool is_old = lo->node->opset < 6;

	*a = *b = 0;
	if (kind == ABI_UNARY_LEAKY_RELU) {
		*a = graph_lower_attr_float(lo, "alpha", 0.01f);
	} else if (kind == ABI_UNARY_ELU) {
		*a = graph_lower_attr_float(lo, "alpha", 1.0f);
	} else if (kind == ABI_UNARY_SELU) {
		*a = graph_lower_attr_float(lo, "alpha",
					    is_old ? 1.6732f : 1.67326319217681884765625f);
		*b = graph_lower_attr_float(lo, "gamma",
					    is_old ? 1.0507f : 1.05070102214813232421875f);
	} else if (kind == ABI_UNARY_HARD_SIGMOID) {
		*a = graph_lower_attr_float(lo, "alpha", 0.2f);
		*b = graph_lower_attr_float(lo, "beta", 0.5f);
	}
}

int graph_lower_op_unary(struct lower *lo, int kind)
{
	float a, b;
	u32 out;
	int ret;

	unary_params(lo, (u32)kind, &a, &b);
	ret = graph_lower_unary(lo, (u32)kind, a, b, graph_lower_in(lo, 0), &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

/* Limits of any type and any origin: max, then min. */
static int clip_by_operands(struct lower *lo, u32 x, u32 min, u32 max)
{
	int ret = 0;

	if (min != GRAPH_NONE)
		ret = graph_lower_binary(lo, ABI_BINARY_MAX, x, min, &x);
	if (!ret && max != GRAPH_NONE)
		ret = graph_lower_binary(lo, ABI_BINARY_MIN, x, max, &x);
	return ret ? ret : graph_lower_set(lo, 0, x);
}

static int clip_by_numbers(struct lower *lo, u32 x, float min, float max)
{
	u32 out;
	int ret = graph_lower_unary(lo, ABI_UNARY_CLIP, min, max, x, &out);

	return ret ? ret : graph_lower_set(lo, 0, out);
}

static bool is_known(const struct lower *lo, u32 id)
{
	return id == GRAPH_NONE || graph_ir_value(lo->ir, id)->is_known;
}

static int check_limit(struct lower *lo, u32 i)
{
	u32 id = graph_lower_in(lo, i);

	if (id == GRAPH_NONE)
		return 0;
	if (kern_nr_elements(graph_lower_tensor(lo, id)) != 1 ||
	    graph_lower_tensor(lo, id)->rank > 1)
		return graph_lower_fail(lo, -EINVAL, "input %u (%s) must be a scalar", i,
					i == 1 ? "min" : "max");
	return 0;
}

int graph_lower_op_clip(struct lower *lo, int arg)
{
	u32 x = graph_lower_in(lo, 0), dtype = graph_lower_tensor(lo, x)->dtype;
	double lo_limit = -INFINITY, hi_limit = INFINITY;
	u32 min = graph_lower_in(lo, 1), max = graph_lower_in(lo, 2);
	int ret;

	(void)arg;
	if (lo->node->opset < 11)
		return clip_by_numbers(lo, x, graph_lower_attr_float(lo, "min", -FLT_MAX),
				       graph_lower_attr_float(lo, "max", FLT_MAX));
	ret = check_limit(lo, 1);
	if (!ret)
		ret = check_limit(lo, 2);
	if (ret)
		return ret;
	if (min == GRAPH_NONE && max == GRAPH_NONE)
		return graph_lower_op_identity(lo, 0);
	if ((dtype != ABI_F32 && dtype != ABI_F16) || !is_known(lo, min) || !is_known(lo, max))
		return clip_by_operands(lo, x, min, max);
	if (min != GRAPH_NONE)
		ret = graph_lower_input_double(lo, 1, "min", &lo_limit);
	if (!ret && max != GRAPH_NONE)
		ret = graph_lower_input_double(lo, 2, "max", &hi_limit);
	return ret ? ret : clip_by_numbers(lo, x, (float)lo_limit, (float)hi_limit);
}

/*
 * Before opset 7 the second operand was stretched only on demand ("broadcast"), from the last axis
 * or from "axis" on.  SRC: ONNX changelog, Add-6.
 */
static int legacy_operand(struct lower *lo, u32 a, u32 *b)
{
	const struct kern_tensor *ta = graph_lower_tensor(lo, a), *tb = graph_lower_tensor(lo, *b);
	s64 axis = graph_lower_attr_int(lo, "axis", (s64)ta->rank - (s64)tb->rank);
	u32 dims[ABI_MAX_RANK], start;
	int ret;

	if (!graph_lower_attr_int(lo, "broadcast", 0)) {
		if (ta->rank != tb->rank || memcmp(ta->dims, tb->dims, ta->rank * sizeof(u32)))
			return graph_lower_fail(
				lo, -EINVAL,
				"operands differ in shape, and before opset 7 that needs broadcast = 1");
		return 0;
	}
	if (!tb->rank || kern_nr_elements(tb) == 1)
		return 0;
	ret = graph_lower_axis(lo, axis, ta->rank, &start);
	if (ret)
		return ret;
	if (start + tb->rank > ta->rank)
		return graph_lower_fail(lo, -EINVAL,
					"axis %u leaves no room for an operand of rank %u", start,
					tb->rank);
	for (u32 i = start; i < ta->rank; i++)
		dims[i - start] = i - start < tb->rank ? tb->dims[i - start] : 1;
	return graph_lower_reshape(lo, *b, ta->rank - start, dims, b);
}

int graph_lower_op_binary(struct lower *lo, int kind)
{
	u32 a = graph_lower_in(lo, 0), b = graph_lower_in(lo, 1), out;
	int ret = 0;

	if (lo->node->opset < 7)
		ret = legacy_operand(lo, a, &b);
	if (!ret)
		ret = graph_lower_binary(lo, (u32)kind, a, b, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

/* Before opset 7 the slope was one number or one per channel. */
int graph_lower_op_prelu(struct lower *lo, int arg)
{
	u32 x = graph_lower_in(lo, 0), slope = graph_lower_in(lo, 1), out;
	const struct kern_tensor *tx = graph_lower_tensor(lo, x),
				 *ts = graph_lower_tensor(lo, slope);
	u32 dims[ABI_MAX_RANK];
	int ret = 0;

	(void)arg;
	if (lo->node->opset < 7 && ts->rank == 1 && ts->dims[0] != 1 && tx->rank > 2) {
		for (u32 i = 0; i < tx->rank - 1; i++)
			dims[i] = i ? 1 : ts->dims[0];
		ret = graph_lower_reshape(lo, slope, tx->rank - 1, dims, &slope);
	}
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_PRELU, x, slope, &out);
	if (ret)
		return ret;
	if (kern_nr_elements(graph_lower_tensor(lo, out)) !=
	    kern_nr_elements(graph_lower_tensor(lo, x)))
		return graph_lower_fail(lo, -EINVAL, "slope must broadcast to the shape of X");
	return graph_lower_set(lo, 0, out);
}

static int chain(struct lower *lo, u32 kind, u32 *out)
{
	int ret = 0;

	*out = graph_lower_in(lo, 0);
	for (u32 i = 1; !ret && i < lo->node->nr_in; i++)
		ret = graph_lower_binary(lo, kind, *out, graph_lower_in(lo, i), out);
	return ret;
}

int graph_lower_op_variadic(struct lower *lo, int kind)
{
	u32 out;
	int ret;

	if (lo->node->nr_in == 1)
		return graph_lower_op_identity(lo, 0);
	ret = chain(lo, (u32)kind, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

int graph_lower_op_mean(struct lower *lo, int arg)
{
	u32 out, nr;
	int ret;

	(void)arg;
	if (lo->node->nr_in == 1)
		return graph_lower_op_identity(lo, 0);
	ret = chain(lo, ABI_BINARY_ADD, &out);
	if (!ret)
		ret = graph_lower_scalar(lo, graph_lower_tensor(lo, out)->dtype, lo->node->nr_in,
					 &nr);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_DIV, out, nr, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

int graph_lower_op_where(struct lower *lo, int arg)
{
	const u32 in[] = { graph_lower_in(lo, 0), graph_lower_in(lo, 1), graph_lower_in(lo, 2) };

	(void)arg;
	return graph_lower_emit_set(lo, ABI_OP_SELECT, NULL, 0, in, 3);
}

/* Before opset 6 the type was a string.  SRC: ONNX changelog, Cast-1. */
static s64 legacy_cast_type(const struct lower *lo)
{
	static const struct {
		const char *name;
		u32 dtype;
	} types[] = {
		{ "FLOAT", ABI_F32 },  { "UINT8", ABI_U8 },   { "INT8", ABI_S8 },
		{ "UINT16", ABI_U16 }, { "INT16", ABI_S16 },  { "INT32", ABI_S32 },
		{ "INT64", ABI_S64 },  { "BOOL", ABI_BOOL },  { "FLOAT16", ABI_F16 },
		{ "DOUBLE", ABI_F64 }, { "UINT32", ABI_U32 }, { "UINT64", ABI_U64 },
	};
	const char *name = graph_lower_attr_string(lo, "to", "");

	for (size_t i = 0; i < BASE_ARRAY_SIZE(types); i++)
		if (!strcasecmp(types[i].name, name))
			return types[i].dtype;
	return 0;
}

int graph_lower_op_cast(struct lower *lo, int arg)
{
	s64 to = graph_lower_attr_int(lo, "to", 0);
	u32 out;
	int ret;

	(void)arg;
	if (lo->node->opset < 6)
		to = legacy_cast_type(lo);
	if (to < 0 || to > UINT8_MAX || !abi_dtype_size((u32)to))
		return graph_lower_fail(lo, -EOPNOTSUPP,
					"cast to element type %lld is not supported",
					(long long)to);
	if (graph_lower_tensor(lo, graph_lower_in(lo, 0))->dtype == (u32)to)
		return graph_lower_op_identity(lo, 0);
	ret = graph_lower_cast(lo, graph_lower_in(lo, 0), (u32)to, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}
