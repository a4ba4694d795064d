// SPDX-License-Identifier: MIT
/* Constants, shapes as data, and operators that only rename dimensions. */
#include <errno.h>
#include <string.h>

#include "graph/lower.h"

static int set_reshaped(struct lower *lo, u32 rank, const u32 *dims)
{
	u32 out;
	int ret = graph_lower_reshape(lo, graph_lower_in(lo, 0), rank, dims, &out);

	return ret ? ret : graph_lower_set(lo, 0, out);
}

static int set_const(struct lower *lo, u32 dtype, u32 rank, u32 dim, const void *data)
{
	u32 out;
	int ret;

	if (!graph_ir_spend(lo->ir, rank ? dim * UINT64_C(8) : 8))
		return graph_lower_fail(lo, -E2BIG, "limit of folding reached");
	ret = graph_ir_const(lo->ir, dtype, rank, &dim, data, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

/* Exactly one of the value attributes.  SRC: ONNX changelog, Constant-1, -11, -12. */
int graph_lower_op_constant(struct lower *lo, int arg)
{
	const struct onnx_attr *attr;
	u32 out;
	int ret;

	(void)arg;
	if ((attr = graph_lower_attr(lo, "value"))) {
		ret = graph_lower_attr_tensor(lo, attr, &out);
		return ret ? ret : graph_lower_set(lo, 0, out);
	}
	if ((attr = graph_lower_attr(lo, "value_float")))
		return set_const(lo, ABI_F32, 0, 0, &attr->f);
	if ((attr = graph_lower_attr(lo, "value_floats")))
		return set_const(lo, ABI_F32, 1, attr->floats.nr, attr->floats.items);
	if ((attr = graph_lower_attr(lo, "value_int")))
		return set_const(lo, ABI_S64, 0, 0, &attr->i);
	if ((attr = graph_lower_attr(lo, "value_ints")))
		return set_const(lo, ABI_S64, 1, attr->ints.nr, attr->ints.items);
	return graph_lower_fail(lo, lo->node->nr_attrs ? -EOPNOTSUPP : -EINVAL,
				"only constant tensors, floats and ints are supported");
}

/* A list of known numbers as the dims of an EXPAND. */
static int expand_to(struct lower *lo, u32 x, u32 rank, const u32 *dims)
{
	struct abi_attr_shape attr = { .rank = rank };

	if (rank)
		memcpy(attr.dims, dims, rank * sizeof(*dims));
	return graph_lower_emit_set(lo, ABI_OP_EXPAND, &attr, sizeof(attr), &x, 1);
}

static int check_rank(struct lower *lo, u32 rank)
{
	if (rank > ABI_MAX_RANK)
		return graph_lower_fail(lo, -EOPNOTSUPP,
					"a tensor of rank %u: at most %u is supported", rank,
					ABI_MAX_RANK);
	return 0;
}

int graph_lower_op_constant_of_shape(struct lower *lo, int arg)
{
	const struct onnx_attr *attr = graph_lower_attr(lo, "value");
	struct lower_ints shape;
	u32 dims[ABI_MAX_RANK], x;
	int ret;

	(void)arg;
	ret = graph_lower_input_ints(lo, 0, "shape", &shape);
	if (!ret)
		ret = check_rank(lo, shape.nr);
	for (u32 i = 0; !ret && i < shape.nr; i++)
		ret = graph_lower_dim(lo, shape.items[i], &dims[i]);
	if (!ret)
		ret = attr ? graph_lower_attr_tensor(lo, attr, &x)
			   : graph_lower_scalar(lo, ABI_F32, 0, &x);
	if (ret)
		return ret;
	if (kern_nr_elements(graph_lower_tensor(lo, x)) != 1)
		return graph_lower_fail(lo, -EINVAL, "attribute value must have one element");
	ret = graph_lower_reshape(lo, x, 0, NULL, &x);
	return ret ? ret : expand_to(lo, x, shape.nr, dims);
}

static s64 clamp(s64 v, s64 lo, s64 hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

int graph_lower_op_shape(struct lower *lo, int arg)
{
	const struct kern_tensor *t = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	s64 rank = t->rank, dims[ABI_MAX_RANK] = { 0 };
	s64 start = graph_lower_attr_int(lo, "start", 0),
	    end = graph_lower_attr_int(lo, "end", rank);
	u32 nr;

	(void)arg;
	for (u32 i = 0; i < t->rank; i++)
		dims[i] = t->dims[i];
	start = clamp(start < 0 ? start + rank : start, 0, rank);
	end = clamp(end < 0 ? end + rank : end, start, rank);
	nr = (u32)(end - start);
	return set_const(lo, ABI_S64, 1, nr, nr ? &dims[start] : dims);
}

int graph_lower_op_size(struct lower *lo, int arg)
{
	s64 size = (s64)kern_nr_elements(graph_lower_tensor(lo, graph_lower_in(lo, 0)));

	(void)arg;
	return set_const(lo, ABI_S64, 0, 0, &size);
}

/* 0 copies the input's dimension (unless allowzero), one -1 takes what is left. */
static int resolve_shape(struct lower *lo, const struct lower_ints *shape, u32 *dims)
{
	const struct kern_tensor *t = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	bool zero_is_zero = graph_lower_attr_int(lo, "allowzero", 0) != 0;
	u32 open = GRAPH_NONE;
	u64 known = 1;
	int ret;

	for (u32 i = 0; i < shape->nr; i++) {
		s64 dim = shape->items[i];

		if (dim == -1 && open == GRAPH_NONE) {
			open = i;
			continue;
		}
		if (!dim && !zero_is_zero && i >= t->rank)
			return graph_lower_fail(lo, -EINVAL,
						"shape[%u] is 0, but the input has rank %u", i,
						t->rank);
		ret = graph_lower_dim(lo, !dim && !zero_is_zero ? t->dims[i] : dim, &dims[i]);
		if (ret)
			return ret;
		if (!base_mul_u64(known, dims[i], &known))
			return graph_lower_fail(lo, -EINVAL, "the shape is too large");
	}
	if (open == GRAPH_NONE)
		return 0;
	if (!known || kern_nr_elements(t) % known)
		return graph_lower_fail(
			lo, -EINVAL,
			"%llu elements cannot fill a shape whose other dimensions give %llu",
			(unsigned long long)kern_nr_elements(t), (unsigned long long)known);
	return graph_lower_dim(lo, (s64)(kern_nr_elements(t) / known), &dims[open]);
}

int graph_lower_op_reshape(struct lower *lo, int is_input)
{
	u32 dims[ABI_MAX_RANK];
	struct lower_ints shape;
	int ret;

	ret = graph_lower_ints(lo, is_input, 1, "shape", &shape);
	if (!ret)
		ret = check_rank(lo, shape.nr);
	if (!ret)
		ret = resolve_shape(lo, &shape, dims);
	return ret ? ret : set_reshaped(lo, shape.nr, dims);
}

/* @axis may be the rank itself.  0 elements: the products stay right. */
int graph_lower_op_flatten(struct lower *lo, int arg)
{
	const struct kern_tensor *t = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	s64 axis = graph_lower_attr_int(lo, "axis", 1), rank = t->rank;
	u64 sides[2] = { 1, 1 };
	u32 dims[2];
	int ret;

	(void)arg;
	if (axis < -rank || axis > rank)
		return graph_lower_fail(lo, -EINVAL, "axis %lld is outside a tensor of rank %u",
					(long long)axis, t->rank);
	axis += axis < 0 ? rank : 0;
	for (u32 i = 0; i < t->rank; i++)
		if (!base_mul_u64(sides[i >= axis], t->dims[i], &sides[i >= axis]))
			return graph_lower_fail(lo, -E2BIG, "tensor too large to flatten");
	ret = graph_lower_dim(lo, (s64)sides[0], &dims[0]);
	if (!ret)
		ret = graph_lower_dim(lo, (s64)sides[1], &dims[1]);
	return ret ? ret : set_reshaped(lo, 2, dims);
}

int graph_lower_op_squeeze(struct lower *lo, int is_input)
{
	const struct kern_tensor *t;
	u32 dims[ABI_MAX_RANK], mask, rank = 0;
	struct lower_ints axes;
	int ret;

	ret = graph_lower_ints(lo, is_input, 1, "axes", &axes);
	t = graph_lower_tensor(lo, graph_lower_in(lo, 0)); /* values may have moved */
	if (!ret)
		ret = graph_lower_axes(lo, &axes, t->rank, &mask);
	if (ret)
		return ret;
	for (u32 i = 0; i < t->rank; i++) {
		bool is_named = mask >> i & 1;

		if (is_named && t->dims[i] != 1)
			return graph_lower_fail(lo, -EINVAL,
						"axis %u has %u elements, only 1 can be squeezed",
						i, t->dims[i]);
		if (!is_named && (axes.is_given || t->dims[i] != 1))
			dims[rank++] = t->dims[i];
	}
	return set_reshaped(lo, rank, dims);
}

int graph_lower_op_unsqueeze(struct lower *lo, int is_input)
{
	const struct kern_tensor *t;
	u32 dims[ABI_MAX_RANK], mask, rank, next = 0;
	struct lower_ints axes;
	int ret;

	ret = graph_lower_ints(lo, is_input, 1, "axes", &axes);
	if (ret)
		return ret;
	t = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	if (axes.nr > ABI_MAX_RANK)
		return check_rank(lo, axes.nr);
	rank = t->rank + axes.nr;
	ret = check_rank(lo, rank);
	if (!ret)
		ret = graph_lower_axes(lo, &axes, rank, &mask);
	if (ret)
		return ret;
	for (u32 i = 0; i < rank; i++)
		dims[i] = mask >> i & 1 ? 1 : t->dims[next++];
	return set_reshaped(lo, rank, dims);
}

/* Both sides broadcast: a 1 in the shape keeps the input's dimension. */
int graph_lower_op_expand(struct lower *lo, int arg)
{
	const struct kern_tensor *t;
	u32 dims[ABI_MAX_RANK], rank;
	struct lower_ints shape;
	int ret;

	(void)arg;
	ret = graph_lower_input_ints(lo, 1, "shape", &shape);
	if (!ret)
		ret = check_rank(lo, shape.nr);
	if (ret)
		return ret;
	t = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	rank = base_max(t->rank, shape.nr);
	for (u32 i = 0; i < rank; i++) {
		s64 want = i + shape.nr < rank ? 1 : shape.items[i + shape.nr - rank];
		u32 have = i + t->rank < rank ? 1 : t->dims[i + t->rank - rank];

		ret = graph_lower_dim(lo, want == 1 ? have : want, &dims[i]);
		if (ret)
			return ret;
	}
	return expand_to(lo, graph_lower_in(lo, 0), rank, dims);
}
