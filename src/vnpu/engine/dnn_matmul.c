// SPDX-License-Identifier: MIT
/*
 * Matrix product: y = act(alpha a b + beta bias).
 *
 * A right side that is one matrix makes the whole a product of two matrices, the left one's leading
 * axes being rows; constant, it is packed once.  Else a stack of products.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

#define MAX_RANK 5u

struct product {
	const struct abi_attr_matmul *attr;
	struct dnn_view a, b, y, bias;
	bool bias_is_own; /* the primitive's bias argument, not a post-op */
	bool act_is_post;
	struct dnn_conv c;
	struct dnn_post post;
	u32 bias_tensor;
	struct dnn_arg args[5];
	u32 nr_args;
};

static dnnl_dim_t nr_elements(const struct dnn_view *v)
{
	dnnl_dim_t n = 1;

	for (u32 i = 0; i < v->rank; i++)
		n *= v->dims[i];
	return n;
}

static void swap_axes(struct dnn_view *v)
{
	dnnl_dim_t dim = v->dims[v->rank - 1], stride = v->strides[v->rank - 1];

	v->dims[v->rank - 1] = v->dims[v->rank - 2];
	v->strides[v->rank - 1] = v->strides[v->rank - 2];
	v->dims[v->rank - 2] = dim;
	v->strides[v->rank - 2] = stride;
}

/* @v with leading ones up to @rank. */
static struct dnn_view with_rank(const struct dnn_view *v, u32 rank)
{
	dnnl_dims_t dims;

	for (u32 i = 0; i < rank; i++)
		dims[i] = i < rank - v->rank ? 1 : v->dims[i - (rank - v->rank)];
	return dnn_view_of(rank, dims);
}

/* As matrices: a vector is a row on the left, a column on the right. */
static void set_matrices(const struct dnn_build *b, struct product *p)
{
	const u32 ta = dnn_in(b, 0), tb = dnn_in(b, 1);
	dnnl_dims_t column;

	p->a = dnn_view(b, ta);
	p->b = dnn_view(b, tb);
	if (dnn_tensor(b, ta)->rank == 1)
		p->a = with_rank(&p->a, 2);
	if (dnn_tensor(b, tb)->rank == 1) {
		column[0] = p->b.dims[0];
		column[1] = 1;
		p->b = dnn_view_of(2, column);
	}
	if (p->attr->trans_a)
		swap_axes(&p->a);
	if (p->attr->trans_b)
		swap_axes(&p->b);
}

/* One matrix on the right: the rows of all matrices on the left make one. */
static void flatten(struct product *p)
{
	dnnl_dims_t dims;

	if (p->a.rank > 2) {
		dims[1] = p->a.dims[p->a.rank - 1];
		dims[0] = nr_elements(&p->a) / dims[1];
		p->a = dnn_view_of(2, dims);
	}
	dims[0] = p->a.dims[0];
	dims[1] = p->b.dims[1];
	p->y = dnn_view_of(2, dims);
}

static void stack(struct product *p)
{
	u32 rank = base_max(p->a.rank, p->b.rank);
	dnnl_dims_t dims;

	/* A transposed operand has rank 2 and with it the other one would be flattened. */
	p->a = p->a.rank == rank ? p->a : with_rank(&p->a, rank);
	p->b = p->b.rank == rank ? p->b : with_rank(&p->b, rank);
	for (u32 i = 0; i < rank - 2; i++)
		dims[i] = p->a.dims[i] == 1 ? p->b.dims[i] : p->a.dims[i];
	dims[rank - 2] = p->a.dims[rank - 2];
	dims[rank - 1] = p->b.dims[rank - 1];
	p->y = dnn_view_of(rank, dims);
}

/* The bias in a shape that broadcasts to the product's. */
static bool set_bias_view(const struct dnn_build *b, struct product *p)
{
	const struct dnn_view y = dnn_view(b, dnn_out(b, 0)), own = dnn_view(b, p->bias_tensor);
	dnnl_dim_t n = nr_elements(&own), cols = p->y.dims[p->y.rank - 1];
	dnnl_dims_t dims = { 1, 1, 1, 1, 1 };

	if (n == nr_elements(&y)) {
		p->bias = p->y;
		return true;
	}
	if (dnn_view_is_same(&y, &p->y)) {
		p->bias = with_rank(&own, y.rank);
		return true;
	}
	/* The axes of y are not those of the product: only a row is the same in both. */
	if (n != 1 && (n != cols || own.dims[own.rank - 1] != cols))
		return false;
	dims[p->y.rank - 1] = n;
	p->bias = dnn_view_of(p->y.rank, dims);
	return true;
}

static bool is_row(const struct dnn_view *v, dnnl_dim_t cols)
{
	return v->dims[v->rank - 1] == cols && nr_elements(v) == cols;
}

/* beta bias as a constant of our own. */
static int scale_bias(struct dnn_build *b, struct product *p, u32 *buf)
{
	const float *src = dnn_const_data(b, p->bias_tensor);
	u64 n = (u64)nr_elements(&p->bias);
	float *dst;
	int ret;

	if (n * sizeof(*dst) > b->max_packed - b->packed)
		return -EOPNOTSUPP;
	b->packed += n * sizeof(*dst);
	ret = dnn_buf_fixed(b->net, n * sizeof(*dst), buf);
	if (ret)
		return ret;
	dst = b->net->bufs[*buf].ptr;
	for (u64 i = 0; i < n; i++)
		dst[i] = p->attr->beta * src[i];
	return 0;
}

static void push_post(struct product *p, struct dnn_post_op op)
{
	p->post.op[p->post.nr++] = op;
}

/* [linear alpha], [binary bias], [activation] */
static int set_post(struct dnn_build *b, struct product *p)
{
	const struct abi_attr_matmul *attr = p->attr;
	const struct dnn_md *md = NULL;
	struct dnn_post_op act;

	if (p->bias_tensor != ABI_TENSOR_NONE) {
		md = dnn_view_md(b, &p->bias);
		if (!md)
			return -ENOMEM;
		p->bias_is_own = attr->alpha == 1.0f && is_row(&p->bias, p->y.dims[p->y.rank - 1]);
	}
	if (attr->alpha != 1.0f)
		push_post(p, (struct dnn_post_op){ .kind = DNN_POST_ELTWISE,
						   .alg = dnnl_eltwise_linear,
						   .alpha = attr->alpha });
	if (md && p->bias_is_own)
		p->c.bias = md;
	else if (md)
		push_post(p, (struct dnn_post_op){
				     .kind = DNN_POST_BINARY, .alg = dnnl_binary_add, .md = md });
	p->act_is_post = dnn_act(b, &attr->act, &act);
	if (p->act_is_post)
		push_post(p, act);
	return 0;
}

static void add_arg(struct product *p, int arg, u32 buf, const struct dnn_md *md)
{
	p->args[p->nr_args++] = (struct dnn_arg){ arg, buf, md };
}

static int want_bias(struct dnn_build *b, struct product *p)
{
	const int binary = DNNL_ARG_ATTR_MULTIPLE_POST_OP(p->attr->alpha != 1.0f) | DNNL_ARG_SRC_1;
	u32 buf;
	int ret;

	if (p->bias_tensor == ABI_TENSOR_NONE)
		return 0;
	if (p->attr->beta == 1.0f)
		ret = dnn_want_plain(b, p->bias_tensor, &buf);
	else
		ret = scale_bias(b, p, &buf);
	if (ret)
		return ret;
	if (p->bias_is_own)
		add_arg(p, DNNL_ARG_BIAS, buf, p->c.bias);
	else
		add_arg(p, binary, buf, dnn_view_md(b, &p->bias));
	return 0;
}

static int want_operands(struct dnn_build *b, struct product *p, const_dnnl_primitive_desc_t pd)
{
	u32 buf;
	int ret;

	p->c.wei = dnn_md_of(&b->net->ctx, pd, DNNL_ARG_WEIGHTS);
	if (!p->c.wei)
		return -ENOMEM;
	ret = dnn_want_plain(b, dnn_in(b, 0), &buf);
	if (ret)
		return ret;
	add_arg(p, DNNL_ARG_SRC, buf, p->c.src);
	ret = dnn_want(b, dnn_in(b, 1), &p->b, p->c.wei, &buf);
	if (ret)
		return ret;
	add_arg(p, DNNL_ARG_WEIGHTS, buf, p->c.wei);
	return want_bias(b, p);
}

static int finish(struct dnn_build *b, struct product *p, dnnl_primitive_desc_t pd)
{
	const u32 y = dnn_out(b, 0);
	const struct dnn_view v = dnn_view(b, y);
	u32 dst;
	int ret;

	ret = want_operands(b, p, pd);
	if (!ret)
		ret = dnn_place(b, y, &v, NULL, &dst);
	if (!ret)
		ret = dnn_set_impl(b, pd);
	if (ret) {
		dnnl_primitive_desc_destroy(pd);
		return ret;
	}
	add_arg(p, DNNL_ARG_DST, dst, p->c.dst);
	ret = dnn_add_prim(b, pd, p->args, p->nr_args);
	if (!ret)
		ret = dnn_written(b, y, &v, NULL, dst);
	if (!ret && !p->act_is_post)
		ret = dnn_add_act(b, y, &p->attr->act);
	return ret;
}

static int set_shapes(const struct dnn_build *b, struct product *p)
{
	set_matrices(b, p);
	if (p->b.rank == 2)
		flatten(p);
	else
		stack(p);
	if (p->y.rank > MAX_RANK)
		return -EOPNOTSUPP;
	if (p->bias_tensor == ABI_TENSOR_NONE)
		return 0;
	if (!set_bias_view(b, p))
		return -EOPNOTSUPP;
	return p->attr->beta == 1.0f || dnn_is_const(b, p->bias_tensor) ? 0 : -EOPNOTSUPP;
}

int dnn_build_matmul(struct dnn_build *b)
{
	struct product p = { .attr = dnn_attr(b), .bias_tensor = dnn_in(b, 2) };
	dnnl_primitive_desc_t pd;
	int ret;

	ret = set_shapes(b, &p);
	if (!ret)
		ret = set_post(b, &p);
	if (ret)
		return ret;
	p.c.src = dnn_view_md(b, &p.a);
	p.c.wei = dnn_is_const(b, dnn_in(b, 1)) ? dnn_md_any(&b->net->ctx, p.b.rank, p.b.dims)
						: dnn_view_md(b, &p.b);
	p.c.dst = dnn_view_md(b, &p.y);
	if (!p.c.src || !p.c.wei || !p.c.dst)
		return -ENOMEM;
	ret = dnn_pd_matmul(&b->net->ctx, &p.c, &p.post, &pd);
	if (!ret)
		ret = dnn_accept(b, pd, true);
	return ret ? ret : finish(b, &p, pd);
}
