// SPDX-License-Identifier: MIT
/*
 * Convolution and its transpose as matrix products: for each sample and group
 *
 *   y [channels of the group] [output places] = w [..] [input channels x taps] * windows
 *
 * where row (c, tap) of "windows" holds, for each output place, the element of x under that tap,
 * or 0 outside.  It is never written down: kern_gemm() asks for pieces of its rows.  A transposed
 * convolution only has another rule for which element that is; places between the strides are 0.
 */
#include "kernels/internal.h"

struct windows {
	struct kern_geom g;
	const u8 *x; /* first channel of the group */
	u32 esize;
	u64 plane;   /* elements of an input channel */
	u64 nr_taps; /* of one channel */
	bool is_transposed;
};

/* Input position under tap @t of output place @o on @axis, or -1. */
static s64 source(const struct windows *v, u32 axis, u64 o, u64 t)
{
	const struct kern_geom *g = &v->g;
	s64 pos;

	if (v->is_transposed) {
		pos = (s64)o + g->pad[axis] - (s64)t * g->dilation[axis];
		if (pos % g->stride[axis])
			return -1;
		pos /= g->stride[axis];
	} else {
		pos = (s64)o * g->stride[axis] + (s64)t * g->dilation[axis] - g->pad[axis];
	}
	return pos >= 0 && pos < (s64)g->in[axis] ? pos : -1;
}

/* @n places of the last axis from @o on; @row is x's row or NULL when it is outside. */
static void last_axis(const struct windows *v, const u8 *row, u64 o, u64 t, u64 n, u8 *dst)
{
	const struct kern_geom *g = &v->g;
	s64 off = (s64)t * g->dilation[2] - g->pad[2]; /* place o is at o stride + off */
	u64 from = base_max(o, kern_ceil_div(-off, g->stride[2]));
	u64 to = base_min(o + n, kern_ceil_div((s64)g->in[2] - off, g->stride[2]));

	if (!row || from >= to) {
		memset(dst, 0, n * v->esize);
		return;
	}
	memset(dst, 0, (from - o) * v->esize);
	kern_copy(v->esize, dst + (from - o) * v->esize, 1,
		  row + ((s64)from * g->stride[2] + off) * v->esize, g->stride[2], to - from);
	memset(dst + (to - o) * v->esize, 0, (o + n - to) * v->esize);
}

/* The same for a transposed convolution: every stride-th place has a source. */
static void last_axis_transposed(const struct windows *v, const u8 *row, u64 o, u64 t, u64 n,
				 u8 *dst)
{
	const s64 stride = v->g.stride[2];
	s64 first = (s64)o + v->g.pad[2] - (s64)t * v->g.dilation[2];
	s64 skip = (stride - (first % stride + stride) % stride) % stride;

	memset(dst, 0, n * v->esize);
	if (!row)
		return;
	for (u64 i = (u64)skip; i < n; i += (u64)stride) {
		s64 pos = source(v, 2, o + i, t);

		if (pos >= 0)
			memcpy(dst + i * v->esize, row + pos * v->esize, v->esize);
	}
}

static void windows_row(const void *opaque, u64 k, u64 col, u32 n, void *dst)
{
	const struct windows *v = opaque;
	const struct kern_geom *g = &v->g;
	u64 tap = k % v->nr_taps, t2 = tap % g->kernel[2];
	u64 t1 = tap / g->kernel[2] % g->kernel[1], t0 = tap / g->kernel[2] / g->kernel[1];
	const u8 *channel = v->x + k / v->nr_taps * v->plane * v->esize;
	u8 *out = dst;

	while (n) {
		u64 o2 = col % g->out[2], o1 = col / g->out[2] % g->out[1];
		u64 o0 = col / g->out[2] / g->out[1];
		u32 run = (u32)base_min((u64)n, g->out[2] - o2);
		s64 p0 = source(v, 0, o0, t0), p1 = source(v, 1, o1, t1);
		const u8 *row = NULL;

		if (p0 >= 0 && p1 >= 0)
			row = channel + (p0 * (s64)g->in[1] + p1) * (s64)g->in[2] * v->esize;
		if (v->is_transposed)
			last_axis_transposed(v, row, o2, t2, run, out);
		else
			last_axis(v, row, o2, t2, run, out);
		out += (u64)run * v->esize;
		col += run;
		n -= run;
	}
}

/* --- shape rules ---------------------------------------------------------------------------- */

static int want_conv_types(const struct kern_args *a)
{
	int ret = kern_want_types(a, 0, KERN_FLOATS);

	for (u32 i = 1; !ret && i < a->nr_in; i++)
		ret = kern_want_same_type(a, i);
	return ret;
}

static int want_weights(const struct kern_args *a, const struct abi_attr_conv *attr)
{
	const struct kern_tensor *x = a->in[0], *w = a->in[1];

	if (w->rank != x->rank)
		return kern_bad(a, "input 1 (weights): rank %u, %u wanted", w->rank, x->rank);
	for (u32 i = 0; i < attr->win.nr_spatial; i++)
		if (w->dims[2 + i] != attr->win.kernel[i])
			return kern_bad(a, "axis %u: kernel %u, but the weights have %u", i,
					attr->win.kernel[i], w->dims[2 + i]);
	if (!attr->group)
		return kern_bad(a, "group 0, at least 1 wanted");
	return 0;
}

static int want_conv(const struct kern_args *a)
{
	const struct abi_attr_conv *attr = a->op->attr;
	int ret;

	ret = want_conv_types(a);
	if (!ret)
		ret = kern_want_window(a, &attr->win);
	if (!ret)
		ret = want_weights(a, attr);
	if (!ret)
		ret = kern_want_act(a, &attr->act, a->in[0]->dtype);
	return ret;
}

static int conv_axis(const struct kern_args *a, const struct abi_attr_conv *attr, u32 i, u32 *out)
{
	u64 extent = kern_window_extent(&attr->win, i);
	u64 padded = (u64)a->in[0]->dims[2 + i] + attr->win.pad_begin[i] + attr->win.pad_end[i];
	u64 n;

	if (padded < extent)
		return kern_bad(a, "axis %u: kernel spans %llu of %llu elements with padding", i,
				(unsigned long long)extent, (unsigned long long)padded);
	n = (padded - extent) / attr->win.stride[i] + 1;
	if (n > UINT32_MAX)
		return kern_bad(a, "axis %u: %llu output places", i, (unsigned long long)n);
	*out = (u32)n;
	return 0;
}

static int want_residual(const struct kern_args *a)
{
	const struct kern_tensor *r = kern_in(a, 3), *y = &a->out[0];

	if (!r)
		return 0;
	if (r->rank != y->rank || memcmp(r->dims, y->dims, y->rank * sizeof(*y->dims)) != 0)
		return kern_bad(a, "input 3 (residual) has not the output's shape");
	return 0;
}

static int want_no_output_pad(const struct kern_args *a, const struct abi_attr_conv *attr, u32 from)
{
	for (u32 i = from; i < BASE_ARRAY_SIZE(attr->output_pad); i++)
		if (attr->output_pad[i])
			return kern_bad(a, "output_pad %u of axis %u, 0 wanted",
					attr->output_pad[i], i);
	return 0;
}

int kern_conv_infer(const struct kern_args *a)
{
	const struct abi_attr_conv *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0], *w = a->in[1];
	u32 dims[ABI_MAX_RANK] = { 0 };
	int ret;

	ret = want_conv(a);
	if (!ret)
		ret = want_no_output_pad(a, attr, 0);
	if (ret)
		return ret;
	if ((u64)w->dims[1] * attr->group != x->dims[1] || w->dims[0] % attr->group)
		return kern_bad(a, "%u channels and weights [%u, %u, ...] do not fit in %u groups",
				x->dims[1], w->dims[0], w->dims[1], attr->group);
	dims[0] = x->dims[0];
	dims[1] = w->dims[0];
	ret = kern_want_vector(a, 2, dims[1]);
	for (u32 i = 0; !ret && i < attr->win.nr_spatial; i++)
		ret = conv_axis(a, attr, i, &dims[2 + i]);
	if (!ret)
		ret = kern_set_out(a, 0, x->dtype, x->rank, dims);
	if (!ret)
		ret = want_residual(a);
	return ret;
}

static int transpose_axis(const struct kern_args *a, const struct abi_attr_conv *attr, u32 i,
			  u32 *out)
{
	const struct abi_window *win = &attr->win;
	u64 in = a->in[0]->dims[2 + i], pads = (u64)win->pad_begin[i] + win->pad_end[i];
	u64 total;

	if (!in)
		return kern_bad(a, "axis %u: no elements", i);
	total = (in - 1) * win->stride[i];
	if (!base_add_u64(total, kern_window_extent(win, i) + attr->output_pad[i], &total) ||
	    total < pads || total - pads > UINT32_MAX)
		return kern_bad(a, "axis %u: %llu output places without pads %u and %u", i,
				(unsigned long long)total, win->pad_begin[i], win->pad_end[i]);
	*out = (u32)(total - pads);
	return 0;
}

int kern_conv_transpose_infer(const struct kern_args *a)
{
	const struct abi_attr_conv *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0], *w = a->in[1];
	u32 dims[ABI_MAX_RANK] = { 0 };
	int ret;

	ret = want_conv(a);
	if (!ret)
		ret = want_no_output_pad(a, attr, attr->win.nr_spatial);
	if (ret)
		return ret;
	if (w->dims[0] != x->dims[1] || x->dims[1] % attr->group ||
	    __builtin_mul_overflow(w->dims[1], attr->group, &dims[1]))
		return kern_bad(a, "%u channels and weights [%u, %u, ...] do not fit in %u groups",
				x->dims[1], w->dims[0], w->dims[1], attr->group);
	dims[0] = x->dims[0];
	ret = kern_want_vector(a, 2, dims[1]);
	for (u32 i = 0; !ret && i < attr->win.nr_spatial; i++)
		ret = transpose_axis(a, attr, i, &dims[2 + i]);
	if (ret)
		return ret;
	return kern_set_out(a, 0, x->dtype, x->rank, dims);
}

/* --- run ------------------------------------------------------------------------------------ */

static void set_epilogue(struct kern_epilogue *e, const struct kern_args *a)
{
	const struct abi_attr_conv *attr = a->op->attr;
	const struct kern_tensor *y = &a->out[0];

	*e = (struct kern_epilogue){ .alpha = 1, .act = attr->act };
	e->term[0].t = kern_in(a, 2);
	e->term[0].scale = 1;
	e->term[0].strides[1] = 1; /* the bias runs along the channels */
	e->term[1].t = kern_in(a, 3);
	e->term[1].scale = 1;
	kern_strides(y->rank, y->dims, e->term[1].strides);
}

/* What both directions do once their weights are a matrix [channels out, channels in x taps]. */
static void conv_products(const struct kern_args *a, struct windows *v, const u8 *weights, u8 *acc,
			  void *scratch)
{
	const struct abi_attr_conv *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0], *y = &a->out[0];
	u64 in_channels = x->dims[1] / attr->group, out_channels = y->dims[1] / attr->group;
	struct kern_gemm g = { .m = out_channels,
			       .n = v->g.out[0] * v->g.out[1] * v->g.out[2],
			       .k = in_channels * v->nr_taps,
			       .dtype = x->dtype,
			       .a_row = (s64)(in_channels * v->nr_taps),
			       .a_col = 1,
			       .b_row = windows_row,
			       .opaque = v,
			       .stop = a->op->stop };
	u64 acc_size = abi_dtype_size(kern_acc_dtype(y->dtype));

	g.ldc = g.n;
	for (u64 i = 0; i < (u64)x->dims[0] * attr->group && !kern_is_unwanted(g.stop); i++) {
		u64 group = i % attr->group;

		v->x = kern_bytes(x) + i * in_channels * v->plane * v->esize;
		g.a = weights + group * g.m * g.k * v->esize;
		g.c = acc + i * g.m * g.n * acc_size;
		kern_gemm(&g, scratch);
	}
}

static int run_conv(const struct kern_args *a, bool is_transposed, const u8 *weights)
{
	const struct abi_attr_conv *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	struct kern_tensor *y = &a->out[0];
	struct windows v = { .esize = abi_dtype_size(x->dtype), .is_transposed = is_transposed };
	void *scratch, *acc = y->data;
	struct kern_epilogue e;
	int ret = 0;

	kern_geom_init(&v.g, &attr->win, x->dims, y->dims);
	v.plane = v.g.in[0] * v.g.in[1] * v.g.in[2];
	v.nr_taps = v.g.kernel[0] * v.g.kernel[1] * v.g.kernel[2];
	scratch = kern_gemm_scratch();
	if (!scratch)
		return base_err_set(a->err, -ENOMEM, "no memory for the matrix product");
	if (kern_acc_dtype(y->dtype) != y->dtype) {
		acc = base_alloc_array(kern_nr_elements(y), sizeof(float));
		if (!acc) {
			ret = base_err_set(a->err, -ENOMEM, "no memory for the sums");
			goto out_free_scratch;
		}
	}
	conv_products(a, &v, weights, acc, scratch);
	set_epilogue(&e, a);
	ret = kern_stopped(a);
	if (!ret)
		kern_epilogue_run(&e, acc, y);
	if (acc != y->data)
		base_free(acc);
out_free_scratch:
	base_free(scratch);
	return ret;
}

int kern_conv_run(const struct kern_args *a)
{
	return run_conv(a, false, kern_bytes(a->in[1]));
}

/* [channels in, channels out of a group, taps] -> per group [channels out, channels in, taps]. */
static void swap_channels(const struct kern_args *a, u64 nr_taps, u8 *dst)
{
	const struct abi_attr_conv *attr = a->op->attr;
	const struct kern_tensor *w = a->in[1];
	u64 in_channels = w->dims[0] / attr->group, out_channels = w->dims[1];
	u64 chunk = nr_taps * abi_dtype_size(w->dtype);
	const u8 *src = w->data;

	for (u64 group = 0; group < attr->group; group++)
		for (u64 o = 0; o < out_channels; o++)
			for (u64 i = 0; i < in_channels; i++, dst += chunk)
				memcpy(dst,
				       src + ((group * in_channels + i) * out_channels + o) * chunk,
				       chunk);
}

int kern_conv_transpose_run(const struct kern_args *a)
{
	const struct kern_tensor *w = a->in[1];
	u64 nr_taps = 1;
	void *swapped;
	int ret;

	swapped = base_alloc_array(kern_nr_elements(w), abi_dtype_size(w->dtype));
	if (!swapped)
		return base_err_set(a->err, -ENOMEM, "no memory for the weights");
	for (u32 i = 2; i < w->rank; i++)
		nr_taps *= w->dims[i];
	swap_channels(a, nr_taps, swapped);
	ret = run_conv(a, true, swapped);
	base_free(swapped);
	return ret;
}
