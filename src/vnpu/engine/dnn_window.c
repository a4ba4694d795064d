// SPDX-License-Identifier: MIT
/* Pools and normalisations: in whatever layout their input has. */
#include <errno.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

/* The layout @t is in already, else plain, and the buffer. */
static int as_it_is(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md **md,
		    u32 *buf)
{
	const struct dnn_rep *r = dnn_rep_of(b, t, v);

	*md = r ? r->md : dnn_view_md(b, v);
	return *md ? dnn_want(b, t, v, *md, buf) : -ENOMEM;
}

static int plain_layout(struct dnn_build *b, u32 t, const struct dnn_view *v,
			const struct dnn_md **md, u32 *buf)
{
	*md = dnn_view_md(b, v);
	return *md ? dnn_want_plain(b, t, buf) : -ENOMEM;
}

/* One input tensor, one output of the same layout, and up to four more arguments. */
struct simple {
	struct dnn_view x, y;
	const struct dnn_md *src, *dst;
	u32 buf;
	struct dnn_arg args[7];
	u32 nr_args;
};

static int finish(struct dnn_build *b, struct simple *s, dnnl_primitive_desc_t pd)
{
	u32 dst;
	int ret;

	ret = dnn_set_impl(b, pd);
	if (!ret)
		ret = dnn_place(b, dnn_out(b, 0), &s->y, s->dst, &dst);
	if (ret) {
		dnnl_primitive_desc_destroy(pd);
		return ret;
	}
	s->args[s->nr_args++] = (struct dnn_arg){ DNNL_ARG_SRC, s->buf, s->src };
	s->args[s->nr_args++] = (struct dnn_arg){ DNNL_ARG_DST, dst, s->dst };
	ret = dnn_add_prim(b, pd, s->args, s->nr_args);
	return ret ? ret : dnn_written(b, dnn_out(b, 0), &s->y, s->dst, dst);
}

/* --- pool ----------------------------------------------------------------------------------- */

/*
 * The library derives the padding at the end from the output's length; ceil_mode may reach past
 * what the model padded, floor may use less of it.
 */
static bool set_pool_window(struct dnn_conv *c, const struct abi_attr_pool *attr,
			    const struct dnn_view *x, const struct dnn_view *y)
{
	for (u32 i = 0; i < attr->win.nr_spatial; i++) {
		dnnl_dim_t extent =
			(dnnl_dim_t)(attr->win.kernel[i] - 1) * attr->win.dilation[i] + 1;
		dnnl_dim_t reach = (y->dims[2 + i] - 1) * attr->win.stride[i] + extent;
		dnnl_dim_t pad = reach - x->dims[2 + i] - attr->win.pad_begin[i];

		if (attr->win.stride[i] > 1024 || attr->win.dilation[i] > 1024 ||
		    attr->win.kernel[i] > 4096)
			return false;
		/* Places past the model's padding do not count in its average, but in oneDNN's. */
		if (attr->kind == ABI_POOL_AVG && attr->count_include_pad &&
		    pad > (dnnl_dim_t)attr->win.pad_end[i])
			return false;
		c->stride[i] = attr->win.stride[i];
		c->kernel[i] = attr->win.kernel[i];
		c->dilate[i] = attr->win.dilation[i] - 1;
		c->pad_l[i] = attr->win.pad_begin[i];
		c->pad_r[i] = base_max(pad, (dnnl_dim_t)0);
	}
	return true;
}

static dnnl_alg_kind_t pool_alg(const struct abi_attr_pool *attr)
{
	if (attr->kind == ABI_POOL_MAX)
		return dnnl_pooling_max;
	return attr->count_include_pad ? dnnl_pooling_avg_include_padding
				       : dnnl_pooling_avg_exclude_padding;
}

static int pool_pd(struct dnn_build *b, struct simple *s, struct dnn_conv *c,
		   dnnl_primitive_desc_t *pd)
{
	int ret;

	c->src = s->src;
	c->dst = dnn_md_any(&b->net->ctx, s->y.rank, s->y.dims);
	if (!c->dst)
		return -ENOMEM;
	ret = dnn_pd_pool(&b->net->ctx, pool_alg(dnn_attr(b)), c, pd);
	if (!ret)
		ret = dnn_accept(b, *pd, true);
	if (ret)
		return ret;
	s->dst = dnn_md_of(&b->net->ctx, *pd, DNNL_ARG_DST);
	if (s->dst)
		return 0;
	dnnl_primitive_desc_destroy(*pd);
	return -ENOMEM;
}

int dnn_build_pool(struct dnn_build *b)
{
	const struct abi_attr_pool *attr = dnn_attr(b);
	struct dnn_conv c = { .src = NULL };
	struct simple s = { .nr_args = 0 };
	dnnl_primitive_desc_t pd;
	int ret;

	s.x = dnn_view(b, dnn_in(b, 0));
	s.y = dnn_view(b, dnn_out(b, 0));
	if (b->prog->ops[b->op].nr_out > 1 || !set_pool_window(&c, attr, &s.x, &s.y))
		return -EOPNOTSUPP;
	ret = as_it_is(b, dnn_in(b, 0), &s.x, &s.src, &s.buf);
	if (!ret)
		ret = pool_pd(b, &s, &c, &pd);
	return ret ? ret : finish(b, &s, pd);
}

/* --- local response ------------------------------------------------------------------------- */

static int lrn_pd(struct dnn_build *b, struct simple *s, dnnl_primitive_desc_t *pd)
{
	const struct abi_attr_lrn *attr = dnn_attr(b);
	int ret = dnn_pd_lrn(&b->net->ctx, s->src, attr->size, attr->alpha, attr->beta, attr->bias,
			     pd);

	s->dst = s->src;
	return ret ? ret : dnn_accept(b, *pd, true);
}

int dnn_build_lrn(struct dnn_build *b)
{
	const struct abi_attr_lrn *attr = dnn_attr(b);
	struct simple s = { .nr_args = 0 };
	dnnl_primitive_desc_t pd;
	int ret;

	s.x = s.y = dnn_view(b, dnn_in(b, 0));
	if (attr->size % 2 == 0 || attr->size > 1024 || s.x.rank < 3 || s.x.rank > 5)
		return -EOPNOTSUPP;
	ret = as_it_is(b, dnn_in(b, 0), &s.x, &s.src, &s.buf);
	if (!ret)
		ret = lrn_pd(b, &s, &pd);
	return ret ? ret : finish(b, &s, pd);
}

/* --- batch normalisation -------------------------------------------------------------------- */

static const int norm_arg[] = { 0, DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN,
				DNNL_ARG_VARIANCE };

static int want_statistics(struct dnn_build *b, struct simple *s)
{
	const struct dnn_md *md = dnn_md_dense(&b->net->ctx, 1, &s->x.dims[1]);
	u32 buf;
	int ret;

	for (u32 i = 1; i < BASE_ARRAY_SIZE(norm_arg); i++) {
		ret = dnn_want_plain(b, dnn_in(b, i), &buf);
		if (ret)
			return ret;
		s->args[s->nr_args++] = (struct dnn_arg){ norm_arg[i], buf, md };
	}
	return 0;
}

static int norm_pd(struct dnn_build *b, struct simple *s, dnnl_primitive_desc_t *pd)
{
	const struct abi_attr_norm *attr = dnn_attr(b);
	int ret = dnn_pd_batch_norm(&b->net->ctx, s->src, attr->epsilon, pd);

	s->dst = s->src;
	return ret ? ret : dnn_accept(b, *pd, false);
}

int dnn_build_batch_norm(struct dnn_build *b)
{
	struct simple s = { .nr_args = 0 };
	dnnl_primitive_desc_t pd;
	int ret;

	s.x = s.y = dnn_view(b, dnn_in(b, 0));
	if (s.x.rank < 2 || s.x.rank > 5)
		return -EOPNOTSUPP;
	ret = as_it_is(b, dnn_in(b, 0), &s.x, &s.src, &s.buf);
	if (!ret)
		ret = norm_pd(b, &s, &pd);
	if (ret == -EOPNOTSUPP) {
		ret = plain_layout(b, dnn_in(b, 0), &s.x, &s.src, &s.buf);
		if (!ret)
			ret = norm_pd(b, &s, &pd);
	}
	if (ret)
		return ret;
	ret = want_statistics(b, &s);
	if (!ret)
		return finish(b, &s, pd);
	dnnl_primitive_desc_destroy(pd);
	return ret;
}
