// SPDX-License-Identifier: MIT
/*
 * Operators with a window that moves over the spatial axes: convolutions and pools.
 * SRC: ONNX Conv-11, ConvTranspose-11, AveragePool-11, MaxPool-12 and their changelogs.
 */
#include <errno.h>
#include <string.h>

#include "graph/lower.h"

enum auto_pad { PAD_NOTSET, PAD_SAME_UPPER, PAD_SAME_LOWER, PAD_VALID };

static int auto_pad(struct lower *lo, enum auto_pad *out)
{
	static const char *const names[] = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID" };
	const char *name = graph_lower_attr_string(lo, "auto_pad", "NOTSET");

	for (u32 i = 0; i < BASE_ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]) || (!i && !*name)) {
			*out = (enum auto_pad)i;
			return 0;
		}
	}
	return graph_lower_fail(lo, -EINVAL, "auto_pad '%.20s' is not known", name);
}

/* An attribute with one number per spatial axis. */
static int spatial(struct lower *lo, const char *name, u32 nr, u32 fallback, u32 *out)
{
	struct lower_ints given = graph_lower_attr_ints(lo, name);

	if (given.is_given && given.nr != nr)
		return graph_lower_fail(lo, -EINVAL, "attribute %s has %u numbers, expected %u",
					name, given.nr, nr);
	for (u32 i = 0; i < nr; i++) {
		s64 v = given.is_given ? given.items[i] : (s64)fallback;

		if (v < 0 || v > INT32_MAX)
			return graph_lower_fail(lo, -EINVAL, "attribute %s: %lld is out of range",
						name, (long long)v);
		out[i] = (u32)v;
	}
	return 0;
}

static int explicit_pads(struct lower *lo, struct abi_window *win)
{
	u32 pads[2 * ABI_MAX_SPATIAL];
	int ret = spatial(lo, "pads", 2 * win->nr_spatial, 0, pads);

	for (u32 i = 0; !ret && i < win->nr_spatial; i++) {
		win->pad_begin[i] = pads[i];
		win->pad_end[i] = pads[i + win->nr_spatial];
	}
	return ret;
}

static u64 reach(const struct abi_window *win, u32 i)
{
	return ((u64)win->kernel[i] - 1) * win->dilation[i] + 1;
}

/* So much padding that the output has ceil(in / stride) elements. */
static int same_pads(struct lower *lo, struct abi_window *win, const u32 *dims, bool is_upper)
{
	for (u32 i = 0; i < win->nr_spatial; i++) {
		u64 out, need, total;

		if (!win->kernel[i] || !win->stride[i])
			return graph_lower_fail(lo, -EINVAL, "kernel and strides must not be 0");
		out = ((u64)dims[i] + win->stride[i] - 1) / win->stride[i];
		need = (out ? out - 1 : 0) * win->stride[i] + reach(win, i);
		total = need > dims[i] ? need - dims[i] : 0;
		if (total > INT32_MAX)
			return graph_lower_fail(lo, -EINVAL, "padding of axis %u is too large",
						i + 2);
		win->pad_begin[i] = (u32)(is_upper ? total / 2 : total - total / 2);
		win->pad_end[i] = (u32)total - win->pad_begin[i];
	}
	return 0;
}

static int set_pads(struct lower *lo, struct abi_window *win, const u32 *dims)
{
	enum auto_pad mode;
	int ret = auto_pad(lo, &mode);

	if (ret || mode == PAD_VALID)
		return ret;
	if (mode == PAD_NOTSET)
		return explicit_pads(lo, win);
	return same_pads(lo, win, dims, mode == PAD_SAME_UPPER);
}

static int nr_spatial_of(struct lower *lo, const struct kern_tensor *t, u32 *out)
{
	if (t->rank < 3 || t->rank - 2 > ABI_MAX_SPATIAL)
		return graph_lower_fail(
			lo, -EOPNOTSUPP,
			"input X has rank %u, supported are 3 to %u (batch, channels, 1 to 3 axes)",
			t->rank, ABI_MAX_SPATIAL + 2);
	*out = t->rank - 2;
	return 0;
}

/* Kernel from W, strides and dilations; all checked to be there for every axis. */
static int conv_window(struct lower *lo, struct abi_window *win)
{
	const struct kern_tensor *x = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	const struct kern_tensor *w = graph_lower_tensor(lo, graph_lower_in(lo, 1));
	u32 kernel[ABI_MAX_SPATIAL];
	int ret;

	ret = nr_spatial_of(lo, x, &win->nr_spatial);
	if (ret)
		return ret;
	if (w->rank != x->rank)
		return graph_lower_fail(lo, -EINVAL, "input W has rank %u, expected %u", w->rank,
					x->rank);
	for (u32 i = 0; i < win->nr_spatial; i++)
		win->kernel[i] = w->dims[i + 2];
	ret = spatial(lo, "kernel_shape", win->nr_spatial, 0, kernel);
	if (!ret && graph_lower_attr(lo, "kernel_shape") &&
	    memcmp(kernel, win->kernel, win->nr_spatial * sizeof(u32)))
		return graph_lower_fail(lo, -EINVAL,
					"attribute kernel_shape differs from the shape of W");
	if (!ret)
		ret = spatial(lo, "strides", win->nr_spatial, 1, win->stride);
	if (!ret)
		ret = spatial(lo, "dilations", win->nr_spatial, 1, win->dilation);
	return ret;
}

static int conv_group(struct lower *lo, u32 *out)
{
	return graph_lower_dim(lo, graph_lower_attr_int(lo, "group", 1), out);
}

static int emit_conv(struct lower *lo, u32 code, const struct abi_attr_conv *attr)
{
	const u32 in[] = { graph_lower_in(lo, 0), graph_lower_in(lo, 1), graph_lower_in(lo, 2) };

	return graph_lower_emit_set(lo, code, attr, sizeof(*attr), in, in[2] == GRAPH_NONE ? 2 : 3);
}

int graph_lower_op_conv(struct lower *lo, int arg)
{
	struct abi_attr_conv attr = { 0 };
	int ret;

	(void)arg;
	ret = conv_window(lo, &attr.win);
	if (!ret)
		ret = conv_group(lo, &attr.group);
	if (!ret)
		ret = set_pads(lo, &attr.win,
			       graph_lower_tensor(lo, graph_lower_in(lo, 0))->dims + 2);
	return ret ? ret : emit_conv(lo, ABI_OP_CONV, &attr);
}

/*
 * The wanted output decides the padding; what no padding can give is added at the end.  The odd
 * element of the padding goes to the begin unless SAME_UPPER is asked for.
 */
static int transpose_pads(struct lower *lo, struct abi_attr_conv *attr, u32 i, u64 dim, u64 want,
			  bool is_upper)
{
	struct abi_window *win = &attr->win;
	u64 full, total;

	if (!win->kernel[i])
		return graph_lower_fail(lo, -EINVAL, "kernel must not be 0");
	full = (dim ? dim - 1 : 0) * win->stride[i] + reach(win, i) + attr->output_pad[i];
	total = full > want ? full - want : 0;
	if (total > INT32_MAX || (want > full && want - full > INT32_MAX))
		return graph_lower_fail(lo, -EINVAL, "output shape of axis %u is out of reach",
					i + 2);
	if (want > full)
		attr->output_pad[i] += (u32)(want - full);
	win->pad_begin[i] = (u32)(is_upper ? total / 2 : total - total / 2);
	win->pad_end[i] = (u32)total - win->pad_begin[i];
	return 0;
}

static int conv_transpose_pads(struct lower *lo, struct abi_attr_conv *attr)
{
	const u32 *dims = graph_lower_tensor(lo, graph_lower_in(lo, 0))->dims + 2;
	bool has_shape = graph_lower_attr(lo, "output_shape") != NULL;
	struct abi_window *win = &attr->win;
	u32 want[ABI_MAX_SPATIAL];
	enum auto_pad mode;
	int ret = auto_pad(lo, &mode);

	if (!ret)
		ret = spatial(lo, "output_shape", win->nr_spatial, 0, want);
	if (ret)
		return ret;
	if (!has_shape && mode == PAD_VALID)
		return 0;
	if (!has_shape && mode == PAD_NOTSET)
		return explicit_pads(lo, win);
	for (u32 i = 0; !ret && i < win->nr_spatial; i++)
		ret = transpose_pads(lo, attr, i, dims[i],
				     has_shape ? want[i] : (u64)dims[i] * win->stride[i],
				     mode == PAD_SAME_UPPER);
	return ret;
}

int graph_lower_op_conv_transpose(struct lower *lo, int arg)
{
	struct abi_attr_conv attr = { 0 };
	int ret;

	(void)arg;
	ret = conv_window(lo, &attr.win);
	if (!ret)
		ret = conv_group(lo, &attr.group);
	if (!ret)
		ret = spatial(lo, "output_padding", attr.win.nr_spatial, 0, attr.output_pad);
	if (!ret)
		ret = conv_transpose_pads(lo, &attr);
	return ret ? ret : emit_conv(lo, ABI_OP_CONV_TRANSPOSE, &attr);
}

static int pool_window(struct lower *lo, struct abi_window *win)
{
	int ret;

	ret = nr_spatial_of(lo, graph_lower_tensor(lo, graph_lower_in(lo, 0)), &win->nr_spatial);
	if (ret)
		return ret;
	if (!graph_lower_attr(lo, "kernel_shape"))
		return graph_lower_fail(lo, -EINVAL, "attribute kernel_shape is missing");
	ret = spatial(lo, "kernel_shape", win->nr_spatial, 0, win->kernel);
	if (!ret)
		ret = spatial(lo, "strides", win->nr_spatial, 1, win->stride);
	if (!ret)
		ret = spatial(lo, "dilations", win->nr_spatial, 1, win->dilation);
	if (!ret)
		ret = set_pads(lo, win, graph_lower_tensor(lo, graph_lower_in(lo, 0))->dims + 2);
	return ret;
}

int graph_lower_op_pool(struct lower *lo, int kind)
{
	struct abi_attr_pool attr = {
		.kind = (u32)kind,
		.ceil_mode = graph_lower_attr_int(lo, "ceil_mode", 0) != 0,
	};
	u32 x = graph_lower_in(lo, 0), out[2], nr_out = graph_lower_has_out(lo, 1) ? 2 : 1;
	int ret;

	if (kind == ABI_POOL_AVG)
		attr.count_include_pad = graph_lower_attr_int(lo, "count_include_pad", 0) != 0;
	if (nr_out == 2)
		attr.column_major = graph_lower_attr_int(lo, "storage_order", 0) != 0;
	ret = pool_window(lo, &attr.win);
	if (!ret)
		ret = graph_ir_emit(lo->ir, ABI_OP_POOL, &attr, sizeof(attr), &x, 1, out, nr_out);
	for (u32 i = 0; !ret && i < nr_out; i++)
		ret = graph_lower_set(lo, i, out[i]);
	return ret;
}

/* A pool whose window is the whole image; a reduction where no pool can do it. */
int graph_lower_op_global_pool(struct lower *lo, int kind)
{
	u32 reduce = kind == ABI_POOL_AVG ? ABI_REDUCE_MEAN : ABI_REDUCE_MAX;
	struct abi_attr_pool attr = { .kind = (u32)kind };
	u32 x = graph_lower_in(lo, 0), out;
	struct kern_tensor t = *graph_lower_tensor(lo, x);
	bool can_pool = t.rank >= 3 && t.rank - 2 <= ABI_MAX_SPATIAL;
	int ret;

	if (t.rank < 2)
		return graph_lower_fail(lo, -EINVAL, "input has rank %u, expected 3 or more",
					t.rank);
	attr.win.nr_spatial = t.rank - 2;
	for (u32 i = 0; can_pool && i < t.rank - 2; i++) {
		attr.win.kernel[i] = t.dims[i + 2];
		attr.win.stride[i] = attr.win.dilation[i] = 1;
		can_pool = t.dims[i + 2] > 0;
	}
	if (can_pool)
		return graph_lower_emit_set(lo, ABI_OP_POOL, &attr, sizeof(attr), &x, 1);
	ret = graph_lower_reduce(lo, reduce, (BASE_BIT(t.rank) - 1) & ~3u, true, x, &out);
	return ret ? ret : graph_lower_set(lo, 0, out);
}
