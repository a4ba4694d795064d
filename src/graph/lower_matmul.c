// SPDX-License-Identifier: MIT
/* Matrix products. */
#include <errno.h>

#include "graph/lower.h"

static int emit_matmul(struct lower *lo, const struct abi_attr_matmul *attr, u32 a, u32 b, u32 bias,
		       u32 *out)
{
	const u32 in[] = { a, b, bias };

	return graph_lower_emit(lo, ABI_OP_MATMUL, attr, sizeof(*attr), in,
				bias == GRAPH_NONE ? 2 : 3, out);
}

/* A vector is a matrix of one row (left) or column (right), and that axis goes again. */
static int as_matrix(struct lower *lo, u32 *x, bool is_left, bool *was_vector)
{
	const struct kern_tensor *t = graph_lower_tensor(lo, *x);
	const u32 dims[] = { is_left ? 1 : t->dims[0], is_left ? t->dims[0] : 1 };

	*was_vector = t->rank == 1;
	if (!t->rank)
		return graph_lower_fail(lo, -EINVAL, "a scalar cannot be multiplied as a matrix");
	return *was_vector ? graph_lower_reshape(lo, *x, 2, dims, x) : 0;
}

int graph_lower_op_matmul(struct lower *lo, int arg)
{
	const struct abi_attr_matmul attr = { .alpha = 1, .beta = 1 };
	u32 a = graph_lower_in(lo, 0), b = graph_lower_in(lo, 1), out, dims[ABI_MAX_RANK], rank = 0;
	bool was_row, was_column;
	struct kern_tensor t;
	int ret;

	(void)arg;
	ret = as_matrix(lo, &a, true, &was_row);
	if (!ret)
		ret = as_matrix(lo, &b, false, &was_column);
	if (!ret)
		ret = emit_matmul(lo, &attr, a, b, GRAPH_NONE, &out);
	if (ret || !(was_row || was_column))
		return ret ? ret : graph_lower_set(lo, 0, out);
	t = *graph_lower_tensor(lo, out);
	for (u32 i = 0; i < t.rank; i++)
		if (!(was_row && i + 2 == t.rank) && !(was_column && i + 1 == t.rank))
			dims[rank++] = t.dims[i];
	ret = graph_lower_reshape(lo, out, rank, dims, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

int graph_lower_op_gemm(struct lower *lo, int arg)
{
	const struct abi_attr_matmul attr = {
		.alpha = graph_lower_attr_float(lo, "alpha", 1),
		.beta = graph_lower_attr_float(lo, "beta", 1),
		.trans_a = graph_lower_attr_int(lo, "transA", 0) != 0,
		.trans_b = graph_lower_attr_int(lo, "transB", 0) != 0,
	};
	u32 out;
	int ret;

	(void)arg;
	if (graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank != 2 ||
	    graph_lower_tensor(lo, graph_lower_in(lo, 1))->rank != 2)
		return graph_lower_fail(lo, -EINVAL,
					"inputs A and B have rank %u and %u, expected 2",
					graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank,
					graph_lower_tensor(lo, graph_lower_in(lo, 1))->rank);
	ret = emit_matmul(lo, &attr, graph_lower_in(lo, 0), graph_lower_in(lo, 1),
			  graph_lower_in(lo, 2), &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}
