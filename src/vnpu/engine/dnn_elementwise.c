// SPDX-License-Identifier: MIT
/*
 * Functions of elements.  They cost memory traffic only, so what matters is to keep the layout the
 * operands are in; plain operands are flattened to as few axes as possible, for which the library
 * has good code.  What it has only a reference for is as fast in src/kernels.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

static struct dnn_view flat(const struct dnn_view *v)
{
	dnnl_dims_t dims = { 1 };

	for (u32 i = 0; i < v->rank; i++)
		dims[0] *= v->dims[i];
	return dnn_view_of(1, dims);
}

/*
 * The result's place: over @x in @buf where nobody wants it any more.  Not in a layout with padding:
 * there oneDNN 2.6.3's binary reads what it has just written (seen: a - b with 3 channels in blocks
 * of 16, wrong from the second batch on).
 */
static int over_or_beside(struct dnn_build *b, u32 x, u32 buf, const struct dnn_view *v,
			  const struct dnn_md *md, u32 *dst)
{
	if (!dnn_can_overwrite(b, x, buf) || dnn_md_size(md) != dnn_tensor(b, dnn_out(b, 0))->size)
		return dnn_place(b, dnn_out(b, 0), v, md, dst);
	dnn_forget(b, x);
	*dst = buf;
	return 0;
}

/* --- one operand ---------------------------------------------------------------------------- */

static int unary_in(struct dnn_build *b, const struct dnn_post_op *f, const struct dnn_view *v,
		    const struct dnn_md *md)
{
	const u32 x = dnn_in(b, 0), y = dnn_out(b, 0);
	const struct dnn_view own = dnn_view(b, y);
	dnnl_primitive_desc_t pd;
	u32 src, dst;
	int ret;

	if (!md)
		return -ENOMEM;
	ret = dnn_pd_eltwise(&b->net->ctx, f, md, &pd);
	if (!ret)
		ret = dnn_accept(b, pd, false);
	if (ret)
		return ret;
	ret = dnn_want(b, x, v, md, &src);
	if (!ret)
		ret = over_or_beside(b, x, src, v, md, &dst);
	if (!ret)
		ret = dnn_set_impl(b, pd);
	if (ret) {
		dnnl_primitive_desc_destroy(pd);
		return ret;
	}
	ret = dnn_add_prim(
		b, pd,
		(const struct dnn_arg[]){ { DNNL_ARG_SRC, src, md }, { DNNL_ARG_DST, dst, md } },
		2);
	if (ret)
		return ret;
	/* A flattened value is plain in its own shape. */
	return v->rank == 1 ? dnn_written(b, y, &own, NULL, dst) : dnn_written(b, y, v, md, dst);
}

int dnn_build_unary(struct dnn_build *b)
{
	const struct abi_attr_unary *attr = dnn_attr(b);
	const struct dnn_view v = dnn_view(b, dnn_in(b, 0)), line = flat(&v);
	const struct dnn_rep *r = dnn_rep_of(b, dnn_in(b, 0), &v);
	struct dnn_post_op f;
	int ret = -EOPNOTSUPP;

	if (!dnn_eltwise(attr->f.kind, attr->f.a, attr->f.b, &f))
		return -EOPNOTSUPP;
	if (r)
		ret = unary_in(b, &f, &v, r->md);
	if (ret == -EOPNOTSUPP)
		ret = unary_in(b, &f, &line, dnn_view_md(b, &line));
	return ret;
}

/* --- two operands --------------------------------------------------------------------------- */

struct binary {
	dnnl_alg_kind_t alg;
	u32 x[2]; /* the first has the result's shape */
	struct dnn_view v[2];
	struct dnn_post post;
	const struct abi_act *act;
	bool act_is_post;
};

static bool binary_alg(u32 kind, dnnl_alg_kind_t *alg, bool *commutes)
{
	*commutes = kind != ABI_BINARY_SUB && kind != ABI_BINARY_DIV;
	switch (kind) {
	case ABI_BINARY_ADD:
		*alg = dnnl_binary_add;
		return true;
	case ABI_BINARY_SUB:
		*alg = dnnl_binary_sub;
		return true;
	case ABI_BINARY_MUL:
		*alg = dnnl_binary_mul;
		return true;
	case ABI_BINARY_DIV:
		*alg = dnnl_binary_div;
		return true;
	case ABI_BINARY_MIN:
		*alg = dnnl_binary_min;
		return true;
	case ABI_BINARY_MAX:
		*alg = dnnl_binary_max;
		return true;
	default:
		return false;
	}
}

/* Operand @i with leading ones up to the result's rank. */
static void align_view(const struct dnn_build *b, struct binary *p, u32 i, u32 rank)
{
	const struct dnn_view own = dnn_view(b, p->x[i]);
	u32 own_rank = dnn_tensor(b, p->x[i])->rank;
	dnnl_dims_t dims = { 1 };

	for (u32 d = 0; d < rank; d++)
		dims[d] = d < rank - own_rank ? 1 : own.dims[d - (rank - own_rank)];
	p->v[i] = dnn_view_of(rank, dims);
}

static bool set_operands(const struct dnn_build *b, struct binary *p)
{
	const struct abi_attr_binary *attr = dnn_attr(b);
	const u32 y = dnn_out(b, 0);
	const struct dnn_view out = dnn_view(b, y);
	struct dnn_post_op act;
	bool commutes;

	if (!binary_alg(attr->kind, &p->alg, &commutes))
		return false;
	for (u32 i = 0; i < 2; i++) {
		p->x[i] = dnn_in(b, i);
		align_view(b, p, i, dnn_tensor(b, y)->rank);
	}
	if (commutes && !dnn_view_is_same(&p->v[0], &out)) {
		const struct dnn_view v = p->v[0];
		const u32 x = p->x[0];

		p->v[0] = p->v[1];
		p->x[0] = p->x[1];
		p->v[1] = v;
		p->x[1] = x;
	}
	p->act = &attr->act;
	p->act_is_post = dnn_act(b, &attr->act, &act);
	if (p->act_is_post)
		p->post.op[p->post.nr++] = act;
	return dnn_view_is_same(&p->v[0], &out);
}

/* In the layouts @md; @v: the shape as the library sees it. */
static int binary_in(struct dnn_build *b, struct binary *p, const struct dnn_view *v,
		     const struct dnn_md *const *md)
{
	const u32 y = dnn_out(b, 0);
	const struct dnn_view own = dnn_view(b, y);
	const bool is_plain = !dnn_view_is_same(&v[0], &own);
	dnnl_primitive_desc_t pd;
	struct dnn_arg args[3];
	u32 buf[3];
	int ret;

	if (!md[0] || !md[1])
		return -ENOMEM;
	ret = dnn_pd_binary(&b->net->ctx, p->alg, md[0], md[1], md[0], &p->post, &pd);
	if (!ret)
		ret = dnn_accept(b, pd, false);
	if (ret)
		return ret;
	for (u32 i = 0; !ret && i < 2; i++)
		ret = dnn_want(b, p->x[i], &v[i], md[i], &buf[i]);
	if (!ret)
		ret = over_or_beside(b, p->x[0], buf[0], &v[0], md[0], &buf[2]);
	if (!ret)
		ret = dnn_set_impl(b, pd);
	if (ret) {
		dnnl_primitive_desc_destroy(pd);
		return ret;
	}
	args[0] = (struct dnn_arg){ DNNL_ARG_SRC_0, buf[0], md[0] };
	args[1] = (struct dnn_arg){ DNNL_ARG_SRC_1, buf[1], md[1] };
	args[2] = (struct dnn_arg){ DNNL_ARG_DST, buf[2], md[0] };
	ret = dnn_add_prim(b, pd, args, 3);
	if (!ret)
		ret = is_plain ? dnn_written(b, y, &own, NULL, buf[2])
			       : dnn_written(b, y, &v[0], md[0], buf[2]);
	if (!ret && !p->act_is_post)
		ret = dnn_add_act(b, y, p->act);
	return ret;
}

/* In the layout one of the operands is in, the other brought to it if it is as large. */
static int binary_kept(struct dnn_build *b, struct binary *p)
{
	const struct dnn_rep *r = dnn_rep_of(b, p->x[0], &p->v[0]);
	const bool same = dnn_view_is_same(&p->v[0], &p->v[1]);
	const struct dnn_md *md[2];

	if (!r && same)
		r = dnn_rep_of(b, p->x[1], &p->v[1]);
	if (!r)
		return -EOPNOTSUPP;
	md[0] = r->md;
	md[1] = same ? r->md : dnn_view_md(b, &p->v[1]);
	return binary_in(b, p, p->v, md);
}

/* Neighbouring axes merge where the second operand has both or neither. */
static int binary_plain(struct dnn_build *b, struct binary *p)
{
	struct dnn_view v[2] = { dnn_view_of(0, NULL), dnn_view_of(0, NULL) };
	dnnl_dims_t dims[2] = { { 1 }, { 1 } };
	const struct dnn_md *md[2];
	u32 rank = 0;

	for (u32 d = 0; d < p->v[0].rank; d++) {
		dnnl_dim_t x = p->v[0].dims[d], y = p->v[1].dims[d];
		bool was_stretched = rank && dims[1][rank - 1] != dims[0][rank - 1];

		if (x == 1)
			continue;
		if (rank && was_stretched == (x != y)) {
			dims[0][rank - 1] *= x;
			dims[1][rank - 1] *= y;
			continue;
		}
		dims[0][rank] = x;
		dims[1][rank++] = y;
	}
	if (rank > 5)
		return -EOPNOTSUPP;
	for (u32 i = 0; i < 2; i++) {
		v[i] = dnn_view_of(rank ? rank : 1, dims[i]);
		md[i] = dnn_view_md(b, &v[i]);
	}
	return binary_in(b, p, v, md);
}

int dnn_build_binary(struct dnn_build *b)
{
	struct binary p = { .act = NULL };
	int ret;

	if (!set_operands(b, &p))
		return -EOPNOTSUPP;
	ret = binary_kept(b, &p);
	return ret == -EOPNOTSUPP ? binary_plain(b, &p) : ret;
}

/* --- softmax -------------------------------------------------------------------------------- */

/* [outer, axis, inner], stored so that the axis is contiguous: the library is fast on that only. */
static void softmax_shape(const struct dnn_build *b, u32 axis, struct dnn_view *v,
			  dnnl_dim_t *strides)
{
	const struct dnn_view own = dnn_view(b, dnn_in(b, 0));
	dnnl_dims_t dims = { 1, 1, 1 };

	for (u32 i = 0; i < own.rank; i++)
		dims[i < axis ? 0 : i > axis ? 2 : 1] *= own.dims[i];
	*v = dnn_view_of(dims[2] == 1 ? 2 : 3, dims);
	strides[0] = dims[1] * dims[2];
	strides[1] = 1;
	strides[2] = dims[1];
}

int dnn_build_softmax(struct dnn_build *b)
{
	const struct abi_attr_softmax *attr = dnn_attr(b);
	const u32 y = dnn_out(b, 0);
	dnnl_primitive_desc_t pd;
	const struct dnn_md *md;
	dnnl_dims_t strides;
	struct dnn_view v;
	u32 src, dst;
	int ret;

	softmax_shape(b, attr->axis, &v, strides);
	md = dnn_md_strided(&b->net->ctx, v.rank, v.dims, strides);
	if (!md)
		return -ENOMEM;
	ret = dnn_pd_softmax(&b->net->ctx, md, 1, attr->is_log, &pd);
	if (!ret)
		ret = dnn_accept(b, pd, true);
	if (ret)
		return ret;
	ret = dnn_want(b, dnn_in(b, 0), &v, md, &src);
	if (!ret)
		ret = dnn_place(b, y, &v, md, &dst);
	if (!ret)
		ret = dnn_set_impl(b, pd);
	if (ret) {
		dnnl_primitive_desc_destroy(pd);
		return ret;
	}
	ret = dnn_add_prim(
		b, pd,
		(const struct dnn_arg[]){ { DNNL_ARG_SRC, src, md }, { DNNL_ARG_DST, dst, md } },
		2);
	return ret ? ret : dnn_written(b, y, &v, md, dst);
}
