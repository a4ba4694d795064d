// SPDX-License-Identifier: MIT
/* Reductions, arg-reductions and softmax. */
#include <errno.h>
#include <string.h>

#include "graph/lower.h"

/* Largest and smallest of truth values: as bytes.  SRC: ReduceMax-20. */
static int reduce_any(struct lower *lo, u32 kind, u32 mask, u32 x, u32 *out)
{
	bool keep_dims = graph_lower_attr_int(lo, "keepdims", 1) != 0;
	bool is_bool = graph_lower_tensor(lo, x)->dtype == ABI_BOOL &&
		       (kind == ABI_REDUCE_MAX || kind == ABI_REDUCE_MIN);
	int ret = is_bool ? graph_lower_cast(lo, x, ABI_U8, &x) : 0;

	if (!ret)
		ret = graph_lower_reduce(lo, kind, mask, keep_dims, x, out);
	return ret || !is_bool ? ret : graph_lower_cast(lo, *out, ABI_BOOL, out);
}

/* Axes became an input at opset 13 (ReduceSum) and 18 (the others). */
int graph_lower_op_reduce(struct lower *lo, int kind)
{
	bool is_input = lo->node->opset >= (kind == ABI_REDUCE_SUM ? 13 : 18);
	u32 x = graph_lower_in(lo, 0), rank = graph_lower_tensor(lo, x)->rank, mask, out;
	struct lower_ints axes;
	int ret;

	if (!is_input && graph_lower_in(lo, 1) != GRAPH_NONE)
		return graph_lower_fail(lo, -EINVAL,
					"axes are an attribute in this opset, not an input");
	ret = graph_lower_ints(lo, is_input, 1, "axes", &axes);
	if (!ret)
		ret = graph_lower_axes(lo, &axes, rank, &mask);
	if (ret)
		return ret;
	/* a reduction over no axes still squares, takes logarithms and so on.  SRC: ReduceL1-18 */
	if (!axes.nr && !graph_lower_attr_int(lo, "noop_with_empty_axes", 0))
		mask = BASE_BIT(rank) - 1;
	ret = reduce_any(lo, (u32)kind, mask, x, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

int graph_lower_op_arg(struct lower *lo, int is_max)
{
	struct abi_attr_arg attr = {
		.is_max = (u32)is_max,
		.keep_dims = graph_lower_attr_int(lo, "keepdims", 1) != 0,
		.select_last = graph_lower_attr_int(lo, "select_last_index", 0) != 0,
	};
	u32 x = graph_lower_in(lo, 0);
	int ret;

	ret = graph_lower_axis(lo, graph_lower_attr_int(lo, "axis", 0),
			       graph_lower_tensor(lo, x)->rank, &attr.axis);
	return ret ? ret : graph_lower_emit_set(lo, ABI_OP_ARG, &attr, sizeof(attr), &x, 1);
}

/* Before opset 13 the axes from @axis on are one.  SRC: O section 2. */
static int softmax_flat(struct lower *lo, u32 axis, u32 is_log)
{
	const struct abi_attr_softmax attr = { .axis = 1, .is_log = is_log };
	u32 x = graph_lower_in(lo, 0), flat[2];
	struct kern_tensor t = *graph_lower_tensor(lo, x);
	u64 sides[2] = { 1, 1 };
	int ret = 0;

	for (u32 i = 0; i < t.rank; i++)
		if (!base_mul_u64(sides[i >= axis], t.dims[i], &sides[i >= axis]))
			return graph_lower_fail(lo, -E2BIG, "tensor too large to flatten");
	for (u32 i = 0; !ret && i < 2; i++)
		ret = graph_lower_dim(lo, (s64)sides[i], &flat[i]);
	if (!ret)
		ret = graph_lower_reshape(lo, x, 2, flat, &x);
	if (!ret)
		ret = graph_lower_emit(lo, ABI_OP_SOFTMAX, &attr, sizeof(attr), &x, 1, &x);
	if (!ret)
		ret = graph_lower_reshape(lo, x, t.rank, t.dims, &x);
	return ret ? ret : graph_lower_set(lo, 0, x);
}

int graph_lower_op_softmax(struct lower *lo, int is_log)
{
	struct abi_attr_softmax attr = { .is_log = (u32)is_log };
	u32 x = graph_lower_in(lo, 0), rank = graph_lower_tensor(lo, x)->rank;
	bool is_flat = lo->node->opset < 13;
	s64 axis = graph_lower_attr_int(lo, "axis", is_flat ? 1 : -1);
	int ret;

	if (is_flat && axis == (s64)rank) /* allowed: rows of one element */
		return softmax_flat(lo, rank, attr.is_log);
	ret = graph_lower_axis(lo, axis, rank, &attr.axis);
	if (ret)
		return ret;
	if (is_flat && attr.axis + 1 < rank)
		return softmax_flat(lo, attr.axis, attr.is_log);
	return graph_lower_emit_set(lo, ABI_OP_SOFTMAX, &attr, sizeof(attr), &x, 1);
}
