// SPDX-License-Identifier: MIT
/* Operators that move elements: cut, join, repeat, permute. */
#include <errno.h>
#include <string.h>

#include "graph/lower.h"

/* More operands than one operation takes are joined group by group. */
int graph_lower_op_concat(struct lower *lo, int arg)
{
	const u32 max_in = ABI_MAX_OPERANDS - 1;
	u32 in[ABI_MAX_OPERANDS], nr = 0, i = 0;
	struct abi_attr_axis attr = { 0 };
	int ret;

	(void)arg;
	if (lo->node->opset >= 4 && !graph_lower_attr(lo, "axis"))
		return graph_lower_fail(lo, -EINVAL, "attribute axis is missing");
	ret = graph_lower_axis(lo, graph_lower_attr_int(lo, "axis", 1),
			       graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank, &attr.axis);
	if (ret)
		return ret;
	while (i < lo->node->nr_in) {
		while (nr < max_in && i < lo->node->nr_in)
			in[nr++] = graph_lower_in(lo, i++);
		ret = graph_lower_emit(lo, ABI_OP_CONCAT, &attr, sizeof(attr), in, nr, &in[0]);
		if (ret)
			return ret;
		nr = 1;
	}
	return graph_lower_set(lo, 0, in[0]);
}

static void whole(const struct kern_tensor *t, struct abi_attr_slice *attr)
{
	*attr = (struct abi_attr_slice){ 0 };
	for (u32 i = 0; i < t->rank; i++) {
		attr->count[i] = t->dims[i];
		attr->step[i] = 1;
	}
}

/* Sizes of the parts: given, or equal ones (opset 18: the last may be smaller). */
static int split_size(struct lower *lo, const struct lower_ints *sizes, u32 dim, u32 i, u32 *out)
{
	u32 nr = lo->node->nr_out, each;

	if (sizes->is_given)
		return graph_lower_dim(lo, sizes->items[i], out);
	each = dim / nr + (dim % nr != 0);
	if (dim % nr && lo->node->opset < 18)
		return graph_lower_fail(lo, -EINVAL,
					"%u elements cannot be split into %u equal parts", dim, nr);
	*out = (u64)each * i >= dim ? 0 : base_min(each, dim - each * i);
	return 0;
}

int graph_lower_op_split(struct lower *lo, int is_input)
{
	u32 x = graph_lower_in(lo, 0), axis, out;
	struct abi_attr_slice attr;
	struct lower_ints sizes;
	s64 start = 0;
	int ret;

	ret = graph_lower_ints(lo, is_input || graph_lower_in(lo, 1) != GRAPH_NONE, 1, "split",
			       &sizes);
	if (!ret)
		ret = graph_lower_axis(lo, graph_lower_attr_int(lo, "axis", 0),
				       graph_lower_tensor(lo, x)->rank, &axis);
	if (ret)
		return ret;
	if (!lo->node->nr_out || (sizes.is_given && sizes.nr != lo->node->nr_out))
		return graph_lower_fail(lo, -EINVAL, "%u sizes for %u outputs", sizes.nr,
					lo->node->nr_out);
	whole(graph_lower_tensor(lo, x), &attr);
	for (u32 i = 0; i < lo->node->nr_out; i++) {
		u32 dim = graph_lower_tensor(lo, x)->dims[axis];

		ret = split_size(lo, &sizes, dim, i, &attr.count[axis]);
		if (ret)
			return ret;
		attr.start[axis] = start;
		start += attr.count[axis];
		if (start > dim)
			return graph_lower_fail(lo, -EINVAL,
						"sizes are more than the %u elements of axis %u",
						dim, axis);
		if (!graph_lower_has_out(lo, i))
			continue;
		ret = graph_lower_emit(lo, ABI_OP_SLICE, &attr, sizeof(attr), &x, 1, &out);
		if (!ret)
			ret = graph_lower_set(lo, i, out);
		if (ret)
			return ret;
	}
	if (start != graph_lower_tensor(lo, x)->dims[axis])
		return graph_lower_fail(
			lo, -EINVAL, "sizes add up to %lld, axis %u has %u elements",
			(long long)start, axis, graph_lower_tensor(lo, x)->dims[axis]);
	return 0;
}

static s64 clamp(s64 v, s64 low, s64 high)
{
	return v < low ? low : v > high ? high : v;
}

/* One axis of a slice: clamp as numpy does.  SRC: ONNX Slice-13. */
static void slice_axis(struct abi_attr_slice *attr, u32 axis, s64 dim, s64 start, s64 end, s64 step)
{
	s64 lowest = step < 0 ? -1 : 0, highest = step < 0 ? dim - 1 : dim;
	s64 span;

	start = start < -dim ? lowest : start < 0 ? start + dim : start;
	end = end < -dim ? lowest : end < 0 ? end + dim : end;
	start = clamp(start, lowest, highest);
	end = clamp(end, lowest, highest);
	span = step < 0 ? start - end : end - start;
	attr->count[axis] = 0;
	attr->start[axis] = 0;
	attr->step[axis] = 1;
	if (span <= 0)
		return;
	/* step may be the smallest or largest number there is */
	attr->count[axis] = (u32)(((u64)span - 1) / (step < 0 ? -(u64)step : (u64)step) + 1);
	attr->start[axis] = start;
	attr->step[axis] = attr->count[axis] == 1 ? 1 : step;
}

int graph_lower_op_slice(struct lower *lo, int is_input)
{
	struct lower_ints starts, ends, axes, steps = { 0 };
	u32 x = graph_lower_in(lo, 0), rank, mask = 0, axis;
	struct abi_attr_slice attr;
	int ret;

	ret = graph_lower_ints(lo, is_input, 1, "starts", &starts);
	if (!ret)
		ret = graph_lower_ints(lo, is_input, 2, "ends", &ends);
	if (!ret)
		ret = graph_lower_ints(lo, is_input, 3, "axes", &axes);
	if (!ret && is_input)
		ret = graph_lower_ints(lo, is_input, 4, "steps", &steps);
	if (ret)
		return ret;
	rank = graph_lower_tensor(lo, x)->rank;
	if (ends.nr != starts.nr || (axes.is_given && axes.nr != starts.nr) ||
	    (steps.is_given && steps.nr != starts.nr) || starts.nr > rank)
		return graph_lower_fail(
			lo, -EINVAL,
			"starts, ends, axes and steps must be of equal length, at most %u", rank);
	whole(graph_lower_tensor(lo, x), &attr);
	for (u32 i = 0; i < starts.nr; i++) {
		s64 step = steps.is_given ? steps.items[i] : 1;

		ret = graph_lower_axis(lo, axes.is_given ? axes.items[i] : (s64)i, rank, &axis);
		if (ret)
			return ret;
		if (!step || mask >> axis & 1)
			return graph_lower_fail(
				lo, -EINVAL,
				step ? "axis %u is there twice" : "step of axis %u is 0", axis);
		mask |= BASE_BIT(axis);
		slice_axis(&attr, axis, graph_lower_tensor(lo, x)->dims[axis], starts.items[i],
			   ends.items[i], step);
	}
	return graph_lower_emit_set(lo, ABI_OP_SLICE, &attr, sizeof(attr), &x, 1);
}

#define PAD_WRAP (ABI_PAD_EDGE + 1) /* not a mode of programs */

static int pad_mode(struct lower *lo, u32 *out)
{
	static const char *const modes[] = { "constant", "reflect", "edge", "wrap" };
	const char *mode = graph_lower_attr_string(lo, "mode", "constant");

	for (u32 i = 0; i < BASE_ARRAY_SIZE(modes); i++) {
		if (!strcmp(mode, modes[i])) {
			*out = ABI_PAD_CONSTANT + i;
			return 0;
		}
	}
	return graph_lower_fail(lo, -EOPNOTSUPP, "mode '%.20s' is not supported", mode);
}

static int pad_amounts(struct lower *lo, const struct lower_ints *pads,
		       const struct lower_ints *axes, struct abi_attr_pad *attr)
{
	u32 rank = graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank, mask, axis;
	u32 nr = axes->is_given ? axes->nr : rank;
	int ret = graph_lower_axes(lo, axes, rank, &mask);

	if (ret)
		return ret;
	if (pads->nr != 2 * nr)
		return graph_lower_fail(lo, -EINVAL, "has %u pads, expected %u (two per axis)",
					pads->nr, 2 * nr);
	for (u32 i = 0; i < nr; i++) {
		ret = graph_lower_axis(lo, axes->is_given ? axes->items[i] : (s64)i, rank, &axis);
		if (ret)
			return ret;
		attr->begin[axis] = pads->items[i];
		attr->end[axis] = pads->items[i + nr];
	}
	return 0;
}

/* mode wrap: the tensor goes round.  An axis at a time, by indices made here. */
static int wrap_axis(struct lower *lo, u32 *x, u32 axis, s64 begin, s64 end)
{
	const struct abi_attr_axis attr = { .axis = axis };
	u32 dim = graph_lower_tensor(lo, *x)->dims[axis], nr, in[2] = { *x };
	s64 *idx, total;
	int ret;

	if (__builtin_add_overflow(begin, end, &total) ||
	    __builtin_add_overflow(total, (s64)dim, &total) || !dim)
		return graph_lower_fail(lo, -EINVAL, "pads of axis %u are out of range", axis);
	ret = graph_lower_dim(lo, total, &nr);
	if (ret)
		return ret;
	if (!graph_ir_spend(lo->ir, (u64)nr * sizeof(*idx)))
		return graph_lower_fail(lo, -E2BIG, "limit of folding reached");
	idx = graph_mem_alloc(&lo->ir->mem, nr, sizeof(*idx));
	if (!idx)
		return graph_no_memory(lo->err);
	for (u32 i = 0; i < nr; i++)
		idx[i] = (((s64)i - begin % dim) % dim + dim) % dim;
	ret = graph_lower_const_s64(lo, 1, &nr, idx, &in[1]);
	return ret ? ret : graph_lower_emit(lo, ABI_OP_GATHER, &attr, sizeof(attr), in, 2, x);
}

static int pad_wrap(struct lower *lo, const struct abi_attr_pad *attr)
{
	u32 x = graph_lower_in(lo, 0), rank = graph_lower_tensor(lo, x)->rank;
	int ret = 0;

	for (u32 i = 0; !ret && i < rank; i++)
		if (attr->begin[i] || attr->end[i])
			ret = wrap_axis(lo, &x, i, attr->begin[i], attr->end[i]);
	return ret ? ret : graph_lower_set(lo, 0, x);
}

int graph_lower_op_pad(struct lower *lo, int is_input)
{
	u32 in[2] = { graph_lower_in(lo, 0), GRAPH_NONE };
	struct lower_ints pads, axes = { 0 };
	struct abi_attr_pad attr = { 0 };
	int ret;

	ret = graph_lower_ints(lo, is_input, 1, lo->node->opset < 2 ? "paddings" : "pads", &pads);
	if (!ret && is_input)
		ret = graph_lower_input_ints(lo, 3, "axes", &axes);
	if (!ret)
		ret = pad_mode(lo, &attr.mode);
	if (!ret)
		ret = pad_amounts(lo, &pads, &axes, &attr);
	if (ret)
		return ret;
	if (attr.mode == PAD_WRAP)
		return pad_wrap(lo, &attr);
	if (is_input)
		in[1] = graph_lower_in(lo, 2);
	else
		ret = graph_lower_scalar(lo, graph_lower_tensor(lo, in[0])->dtype,
					 (double)graph_lower_attr_float(lo, "value", 0), &in[1]);
	if (!ret && in[1] != GRAPH_NONE && graph_lower_tensor(lo, in[1])->rank == 1 &&
	    graph_lower_tensor(lo, in[1])->dims[0] == 1) /* written by some exporters */
		ret = graph_lower_reshape(lo, in[1], 0, NULL, &in[1]);
	if (ret)
		return ret;
	return graph_lower_emit_set(lo, ABI_OP_PAD, &attr, sizeof(attr), in,
				    in[1] == GRAPH_NONE ? 1 : 2);
}

int graph_lower_op_gather(struct lower *lo, int arg)
{
	const u32 in[] = { graph_lower_in(lo, 0), graph_lower_in(lo, 1) };
	struct abi_attr_axis attr = { 0 };
	int ret;

	(void)arg;
	ret = graph_lower_axis(lo, graph_lower_attr_int(lo, "axis", 0),
			       graph_lower_tensor(lo, in[0])->rank, &attr.axis);
	return ret ? ret : graph_lower_emit_set(lo, ABI_OP_GATHER, &attr, sizeof(attr), in, 2);
}

/* Tile-1: how often along which axis, one number each. */
static int tile_legacy(struct lower *lo, struct abi_attr_shape *attr)
{
	double tiles, axis;
	u32 at;
	int ret;

	if (graph_lower_in(lo, 2) == GRAPH_NONE)
		return graph_lower_fail(lo, -EINVAL, "input 2 (axis) is missing");
	ret = graph_lower_input_double(lo, 1, "tiles", &tiles);
	if (!ret)
		ret = graph_lower_input_double(lo, 2, "axis", &axis);
	if (ret)
		return ret;
	if (!(tiles >= 0 && tiles <= UINT32_MAX && axis >= -8 && axis <= 8))
		return graph_lower_fail(lo, -EINVAL, "tiles or axis out of range");
	ret = graph_lower_axis(lo, (s64)axis, attr->rank, &at);
	if (!ret)
		attr->dims[at] = (u32)tiles;
	return ret;
}

int graph_lower_op_tile(struct lower *lo, int arg)
{
	u32 x = graph_lower_in(lo, 0);
	struct abi_attr_shape attr = { .rank = graph_lower_tensor(lo, x)->rank };
	struct lower_ints repeats;
	int ret;

	(void)arg;
	for (u32 i = 0; i < attr.rank; i++)
		attr.dims[i] = 1;
	if (lo->node->opset < 6) {
		ret = tile_legacy(lo, &attr);
		return ret ? ret
			   : graph_lower_emit_set(lo, ABI_OP_TILE, &attr, sizeof(attr), &x, 1);
	}
	ret = graph_lower_input_ints(lo, 1, "repeats", &repeats);
	if (ret)
		return ret;
	if (repeats.nr != attr.rank)
		return graph_lower_fail(lo, -EINVAL, "has %u repeats for a tensor of rank %u",
					repeats.nr, attr.rank);
	for (u32 i = 0; !ret && i < attr.rank; i++)
		ret = graph_lower_dim(lo, repeats.items[i], &attr.dims[i]);
	return ret ? ret : graph_lower_emit_set(lo, ABI_OP_TILE, &attr, sizeof(attr), &x, 1);
}

int graph_lower_op_transpose(struct lower *lo, int arg)
{
	u32 x = graph_lower_in(lo, 0), rank = graph_lower_tensor(lo, x)->rank, perm[ABI_MAX_RANK],
	    mask, out;
	struct lower_ints given = graph_lower_attr_ints(lo, "perm");
	int ret = graph_lower_axes(lo, &given, rank, &mask);

	(void)arg;
	if (ret)
		return ret;
	if (given.is_given && given.nr != rank)
		return graph_lower_fail(lo, -EINVAL, "perm has %u axes, the input %u", given.nr,
					rank);
	for (u32 i = 0; i < rank; i++) {
		perm[i] = rank - 1 - i;
		if (given.is_given)
			perm[i] = (u32)(given.items[i] < 0 ? given.items[i] + (s64)rank
							   : given.items[i]);
	}
	ret = graph_lower_transpose(lo, x, perm, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}

static int block_size(struct lower *lo, u32 *out)
{
	s64 block = graph_lower_attr_int(lo, "blocksize", 0);

	if (graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank != 4)
		return graph_lower_fail(lo, -EINVAL, "input has rank %u, expected 4",
					graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank);
	if (block < 1 || block > UINT16_MAX)
		return graph_lower_fail(lo, -EINVAL, "blocksize %lld is out of range",
					(long long)block);
	*out = (u32)block;
	return 0;
}

static int reshape_transpose_reshape(struct lower *lo, const u32 *dims, const u32 *perm,
				     const u32 *result)
{
	u32 x;
	int ret = graph_lower_reshape(lo, graph_lower_in(lo, 0), 6, dims, &x);

	if (!ret)
		ret = graph_lower_transpose(lo, x, perm, &x);
	if (!ret)
		ret = graph_lower_reshape(lo, x, 4, result, &x);
	return ret ? ret : graph_lower_set(lo, 0, x);
}

int graph_lower_op_depth_to_space(struct lower *lo, int arg)
{
	static const u32 dcr_perm[] = { 0, 3, 4, 1, 5, 2 }, crd_perm[] = { 0, 1, 4, 2, 5, 3 };
	const struct kern_tensor *t = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	const char *mode = graph_lower_attr_string(lo, "mode", "DCR");
	bool is_crd = !strcmp(mode, "CRD");
	u32 b, depth;
	int ret;

	(void)arg;
	ret = block_size(lo, &b);
	if (ret)
		return ret;
	if (!is_crd && strcmp(mode, "DCR"))
		return graph_lower_fail(lo, -EINVAL, "mode '%.20s': expected DCR or CRD", mode);
	depth = (u32)(t->dims[1] / ((u64)b * b));
	if (t->dims[1] % ((u64)b * b) || t->dims[2] > UINT32_MAX / b || t->dims[3] > UINT32_MAX / b)
		return graph_lower_fail(lo, -EINVAL,
					"%u channels cannot be cut into blocks of %u x %u",
					t->dims[1], b, b);
	{
		const u32 dcr[] = { t->dims[0], b, b, depth, t->dims[2], t->dims[3] };
		const u32 crd[] = { t->dims[0], depth, b, b, t->dims[2], t->dims[3] };
		const u32 result[] = { t->dims[0], depth, t->dims[2] * b, t->dims[3] * b };

		return reshape_transpose_reshape(lo, is_crd ? crd : dcr,
						 is_crd ? crd_perm : dcr_perm, result);
	}
}

int graph_lower_op_space_to_depth(struct lower *lo, int arg)
{
	static const u32 perm[] = { 0, 3, 5, 1, 2, 4 };
	const struct kern_tensor *t = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	u64 channels;
	u32 b, depth;
	int ret;

	(void)arg;
	ret = block_size(lo, &b);
	if (ret)
		return ret;
	channels = (u64)b * b;
	if (t->dims[2] % b || t->dims[3] % b || !base_mul_u64(channels, t->dims[1], &channels))
		return graph_lower_fail(lo, -EINVAL,
					"%u x %u elements cannot be cut into blocks of %u",
					t->dims[2], t->dims[3], b);
	ret = graph_lower_dim(lo, (s64)channels, &depth);
	if (ret)
		return ret;
	{
		const u32 h = t->dims[2] / b, w = t->dims[3] / b;
		const u32 dims[] = { t->dims[0], t->dims[1], h, b, w, b };
		const u32 result[] = { t->dims[0], depth, h, w };

		return reshape_transpose_reshape(lo, dims, perm, result);
	}
}
