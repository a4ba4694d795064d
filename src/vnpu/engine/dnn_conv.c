// SPDX-License-Identifier: MIT
/* Convolution and its transpose. */
#include <errno.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

/*
 * Windows that no network has stay with src/kernels: a client may write any number into a program,
 * and generated code has been tried with sensible ones.
 *
 * Taps further apart than the input is long can miss it altogether.  For such output places
 * brgconv of oneDNN 2.6 runs post-ops only and reads their constants through a null pointer
 * (hardswish; input 1, kernel 2, dilation 2, padding 1).  Padding below the window's extent and
 * dilation up to the input's length leave no such place.
 */
static bool is_sane_window(const struct abi_window *win, const struct abi_prog_tensor *x)
{
	for (u32 i = 0; i < win->nr_spatial; i++) {
		u64 extent = (u64)(win->kernel[i] - 1) * win->dilation[i] + 1;

		if (win->kernel[i] > 1024 || win->stride[i] > 1024 || win->dilation[i] > 1024 ||
		    win->pad_begin[i] >= extent || win->pad_end[i] >= extent ||
		    win->dilation[i] > x->dims[2 + i])
			return false;
	}
	return true;
}

static void set_window(struct dnn_conv *c, const struct abi_window *win)
{
	for (u32 i = 0; i < win->nr_spatial; i++) {
		c->stride[i] = win->stride[i];
		c->dilate[i] = win->dilation[i] - 1;
		c->pad_l[i] = win->pad_begin[i];
		c->pad_r[i] = win->pad_end[i];
	}
}

/* [O, I/g, k...] or, in groups, [g, O/g, I/g, k...]: the same bytes. */
static struct dnn_view weights_view(const struct dnn_build *b, u32 w, u32 group)
{
	struct dnn_view v = dnn_view(b, w);
	dnnl_dims_t dims;

	if (group == 1)
		return v;
	dims[0] = group;
	dims[1] = v.dims[0] / group;
	for (u32 i = 1; i < v.rank; i++)
		dims[1 + i] = v.dims[i];
	return dnn_view_of(v.rank + 1, dims);
}

/*
 * [I, O/g, k...] as the library has it, [O, I, k...] or [g, O/g, I/g, k...]: the same bytes with
 * the two channel axes exchanged.
 */
static struct dnn_view transposed_view(const struct dnn_build *b, u32 w, u32 group)
{
	struct dnn_view v = weights_view(b, w, group);
	u32 at = group == 1 ? 0 : 1;
	dnnl_dim_t dim = v.dims[at], stride = v.strides[at];

	v.dims[at] = v.dims[at + 1];
	v.strides[at] = v.strides[at + 1];
	v.dims[at + 1] = dim;
	v.strides[at + 1] = stride;
	return v;
}

/* A convolution while it is built. */
struct conv {
	struct dnn_conv c;
	struct dnn_view x, w, y;
	struct dnn_post post;
	const struct abi_act *act;
	bool act_is_post;
	u32 bias, residual; /* tensors */
	struct dnn_arg args[6];
	u32 nr_args;
};

static void add_arg(struct conv *v, int arg, u32 buf, const struct dnn_md *md)
{
	v->args[v->nr_args++] = (struct dnn_arg){ arg, buf, md };
}

static int set_up(struct dnn_build *b, struct conv *v, const struct abi_attr_conv *attr)
{
	struct dnn_ctx *ctx = &b->net->ctx;

	v->x = dnn_view(b, dnn_in(b, 0));
	v->y = dnn_view(b, dnn_out(b, 0));
	v->bias = dnn_in(b, 2);
	v->residual = dnn_in(b, 3);
	v->act = &attr->act;
	set_window(&v->c, &attr->win);
	v->c.src = dnn_md_any(ctx, v->x.rank, v->x.dims);
	v->c.wei = dnn_md_any(ctx, v->w.rank, v->w.dims);
	v->c.dst = dnn_md_any(ctx, v->y.rank, v->y.dims);
	if (v->bias != ABI_TENSOR_NONE) {
		v->c.bias = dnn_md_dense(ctx, 1, &v->y.dims[1]);
		if (!v->c.bias)
			return -ENOMEM;
	}
	return v->c.src && v->c.wei && v->c.dst ? 0 : -ENOMEM;
}

/* [sum or binary], [activation] */
static void set_post(const struct dnn_build *b, struct conv *v, const struct dnn_post_op *residual)
{
	struct dnn_post_op act;

	v->post.nr = 0;
	if (residual)
		v->post.op[v->post.nr++] = *residual;
	v->act_is_post = dnn_act(b, v->act, &act);
	if (v->act_is_post)
		v->post.op[v->post.nr++] = act;
}

/* The layouts the primitive chose. */
static int read_layouts(struct dnn_build *b, struct conv *v, const_dnnl_primitive_desc_t pd)
{
	struct dnn_ctx *ctx = &b->net->ctx;

	v->c.src = dnn_md_of(ctx, pd, DNNL_ARG_SRC);
	v->c.wei = dnn_md_of(ctx, pd, DNNL_ARG_WEIGHTS);
	v->c.dst = dnn_md_of(ctx, pd, DNNL_ARG_DST);
	return v->c.src && v->c.wei && v->c.dst ? 0 : -ENOMEM;
}

static int want_operands(struct dnn_build *b, struct conv *v)
{
	u32 buf;
	int ret;

	ret = dnn_want(b, dnn_in(b, 0), &v->x, v->c.src, &buf);
	if (ret)
		return ret;
	add_arg(v, DNNL_ARG_SRC, buf, v->c.src);
	ret = dnn_want(b, dnn_in(b, 1), &v->w, v->c.wei, &buf);
	if (ret)
		return ret;
	add_arg(v, DNNL_ARG_WEIGHTS, buf, v->c.wei);
	if (v->bias == ABI_TENSOR_NONE)
		return 0;
	ret = dnn_want_plain(b, v->bias, &buf);
	add_arg(v, DNNL_ARG_BIAS, ret ? 0 : buf, v->c.bias);
	return ret;
}

/* The result in @dst; @pd is used up. */
static int finish(struct dnn_build *b, struct conv *v, dnnl_primitive_desc_t pd, u32 dst)
{
	const u32 y = dnn_out(b, 0);
	int ret;

	add_arg(v, DNNL_ARG_DST, dst, v->c.dst);
	ret = dnn_set_impl(b, pd);
	if (ret) {
		dnnl_primitive_desc_destroy(pd);
		return ret;
	}
	ret = dnn_add_prim(b, pd, v->args, v->nr_args);
	if (!ret)
		ret = dnn_written(b, y, &v->y, v->c.dst, dst);
	if (!ret && !v->act_is_post)
		ret = dnn_add_act(b, y, v->act);
	return ret;
}

/* A copy of the residual that may be overwritten. */
static int copy_residual(struct dnn_build *b, const struct conv *v, u32 src, u32 *dst)
{
	dnnl_primitive_desc_t pd;
	int ret = dnn_buf_add(b->net, DNN_BUF_PRIVATE, dnn_md_size(v->c.dst), dst);
	const struct dnn_arg args[] = { { DNNL_ARG_FROM, src, v->c.dst },
					{ DNNL_ARG_TO, *dst, v->c.dst } };

	if (!ret)
		ret = dnn_pd_reorder(&b->net->ctx, v->c.dst, v->c.dst, &pd);
	return ret ? ret : dnn_add_prim(b, pd, args, BASE_ARRAY_SIZE(args));
}

/*
 * The residual is read by others, too: added as an operand of its own.  Axes of length 1 make it look
 * like one value per channel to oneDNN 2.6, whose brdgmm_dw then reads the wrong ones; a result that
 * small is copied.
 */
static int try_binary(struct dnn_build *b, struct conv *v, dnnl_primitive_desc_t *pd)
{
	const struct dnn_post_op add = { .kind = DNN_POST_BINARY,
					 .alg = dnnl_binary_add,
					 .md = v->c.dst };
	int ret;

	for (u32 i = 1; i < v->y.rank; i++)
		if (v->y.dims[i] == 1)
			return -EOPNOTSUPP;
	set_post(b, v, &add);
	ret = dnn_pd_conv(&b->net->ctx, &v->c, &v->post, pd);
	return ret ? ret : dnn_accept(b, *pd, false);
}

/*
 * sum overwrites the residual with the result: right where this is its last reader, cheapest, too.
 * @pd was made for it.
 */
static int add_residual(struct dnn_build *b, struct conv *v, dnnl_primitive_desc_t pd)
{
	dnnl_primitive_desc_t binary;
	u32 residual, dst;
	int ret;

	ret = dnn_want(b, v->residual, &v->y, v->c.dst, &residual);
	if (ret)
		goto err_drop_pd;
	if (dnn_can_overwrite(b, v->residual, residual)) {
		dnn_forget(b, v->residual);
		return finish(b, v, pd, residual);
	}
	ret = try_binary(b, v, &binary);
	if (!ret) {
		dnnl_primitive_desc_destroy(pd);
		add_arg(v, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, residual, v->c.dst);
		ret = dnn_place(b, dnn_out(b, 0), &v->y, v->c.dst, &dst);
		if (!ret)
			return finish(b, v, binary, dst);
		dnnl_primitive_desc_destroy(binary);
		return ret;
	}
	if (ret == -EOPNOTSUPP)
		ret = copy_residual(b, v, residual, &dst);
	if (!ret)
		return finish(b, v, pd, dst);
err_drop_pd:
	dnnl_primitive_desc_destroy(pd);
	return ret;
}

static int build(struct dnn_build *b, struct conv *v, dnnl_primitive_desc_t pd)
{
	u32 dst;
	int ret;

	ret = read_layouts(b, v, pd);
	if (!ret)
		ret = want_operands(b, v);
	if (!ret && v->residual != ABI_TENSOR_NONE)
		return add_residual(b, v, pd);
	if (!ret)
		ret = dnn_place(b, dnn_out(b, 0), &v->y, v->c.dst, &dst);
	if (!ret)
		return finish(b, v, pd, dst);
	dnnl_primitive_desc_destroy(pd);
	return ret;
}

int dnn_build_conv(struct dnn_build *b)
{
	const struct dnn_post_op sum = { .kind = DNN_POST_SUM };
	const struct abi_attr_conv *attr = dnn_attr(b);
	struct conv v = { .nr_args = 0 };
	dnnl_primitive_desc_t pd;
	int ret;

	if (!is_sane_window(&attr->win, dnn_tensor(b, dnn_in(b, 0))))
		return -EOPNOTSUPP;
	v.w = weights_view(b, dnn_in(b, 1), attr->group);
	ret = set_up(b, &v, attr);
	if (ret)
		return ret;
	set_post(b, &v, v.residual != ABI_TENSOR_NONE ? &sum : NULL);
	ret = dnn_pd_conv(&b->net->ctx, &v.c, &v.post, &pd);
	if (!ret)
		ret = dnn_accept(b, pd, true);
	return ret ? ret : build(b, &v, pd);
}

/* The library wants padding at the end that the output's extra places have already used up. */
static bool set_output_pad(struct dnn_conv *c, const struct abi_attr_conv *attr)
{
	for (u32 i = 0; i < attr->win.nr_spatial; i++) {
		if (attr->output_pad[i] > attr->win.pad_end[i])
			return false;
		c->pad_r[i] -= attr->output_pad[i];
	}
	return true;
}

static int deconv_pd(struct dnn_build *b, struct conv *v, dnnl_primitive_desc_t *pd)
{
	int ret = dnn_pd_deconv(&b->net->ctx, &v->c, &v->post, pd);

	if (!ret)
		ret = dnn_accept(b, *pd, false);
	if (ret != -EOPNOTSUPP || !v->post.nr)
		return ret;
	v->post.nr = 0; /* the activation on its own */
	v->act_is_post = false;
	return dnn_pd_deconv(&b->net->ctx, &v->c, &v->post, pd);
}

int dnn_build_deconv(struct dnn_build *b)
{
	const struct abi_attr_conv *attr = dnn_attr(b);
	struct conv v = { .nr_args = 0 };
	dnnl_primitive_desc_t pd;
	int ret;

	if (!is_sane_window(&attr->win, dnn_tensor(b, dnn_in(b, 0))))
		return -EOPNOTSUPP;
	v.w = transposed_view(b, dnn_in(b, 1), attr->group);
	ret = set_up(b, &v, attr);
	if (ret)
		return ret;
	v.residual = ABI_TENSOR_NONE;
	if (!set_output_pad(&v.c, attr))
		return -EOPNOTSUPP;
	set_post(b, &v, NULL);
	ret = deconv_pd(b, &v, &pd);
	if (!ret)
		ret = dnn_accept(b, pd, true);
	return ret ? ret : build(b, &v, pd);
}
