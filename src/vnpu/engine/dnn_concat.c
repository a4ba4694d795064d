// SPDX-License-Identifier: MIT
/* Concatenation in the layout of its operands, and copies that need not be made. */
#include <errno.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

struct layout {
	u32 rank;
	dnnl_format_tag_t tag;
	u32 block; /* of channels */
};

/* Those the library's convolutions choose. */
static const struct layout layouts[] = {
	{ 3, dnnl_nCw16c, 16 },	  { 3, dnnl_nCw8c, 8 },	  { 3, dnnl_nwc, 1 },
	{ 4, dnnl_nChw16c, 16 },  { 4, dnnl_nChw8c, 8 },  { 4, dnnl_nhwc, 1 },
	{ 5, dnnl_nCdhw16c, 16 }, { 5, dnnl_nCdhw8c, 8 }, { 5, dnnl_ndhwc, 1 },
};

static const struct layout *layout_of(struct dnn_build *b, const struct dnn_rep *r)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];
		const struct dnn_md *md;

		if (l->rank != r->view.rank)
			continue;
		md = dnn_md_tag(&b->net->ctx, l->rank, r->view.dims, l->tag);
		if (md && dnn_md_is_equal(md, r->md))
			return l;
	}
	return NULL;
}

/* The layout of the first operand that has one; NULL: plain. */
static const struct layout *common_layout(struct dnn_build *b)
{
	for (u32 i = 0; i < b->prog->ops[b->op].nr_in; i++) {
		const struct dnn_view v = dnn_view(b, dnn_in(b, i));
		const struct dnn_rep *r = dnn_rep_of(b, dnn_in(b, i), &v);
		const struct layout *l = r ? layout_of(b, r) : NULL;

		if (l)
			return l;
	}
	return NULL;
}

/* Blocks of channels can be put behind each other only when they are full. */
static bool fits(const struct dnn_build *b, const struct layout *l, u32 axis)
{
	for (u32 i = 0; i < b->prog->ops[b->op].nr_in; i++)
		if (axis == 1 && dnn_tensor(b, dnn_in(b, i))->dims[1] % l->block)
			return false;
	return true;
}

static int finish(struct dnn_build *b, dnnl_primitive_desc_t pd, struct dnn_arg *args,
		  const struct dnn_view *y, const struct dnn_md *md)
{
	const u32 nr = b->prog->ops[b->op].nr_in;
	u32 dst;
	int ret = 0;

	for (u32 i = 0; !ret && i < nr; i++) {
		const struct dnn_view v = dnn_view(b, dnn_in(b, i));

		args[i].arg = DNNL_ARG_MULTIPLE_SRC + (int)i;
		ret = dnn_want(b, dnn_in(b, i), &v, args[i].md, &args[i].buf);
	}
	if (!ret)
		ret = dnn_place(b, dnn_out(b, 0), y, md, &dst);
	if (!ret)
		ret = dnn_set_impl(b, pd);
	if (ret) {
		dnnl_primitive_desc_destroy(pd);
		return ret;
	}
	args[nr] = (struct dnn_arg){ DNNL_ARG_DST, dst, md };
	ret = dnn_add_prim(b, pd, args, nr + 1);
	return ret ? ret : dnn_written(b, dnn_out(b, 0), y, md, dst);
}

static int concat_in(struct dnn_build *b, const struct layout *l, u32 axis, struct dnn_arg *args,
		     const struct dnn_md **mds)
{
	const u32 nr = b->prog->ops[b->op].nr_in;
	const struct dnn_view y = dnn_view(b, dnn_out(b, 0));
	dnnl_primitive_desc_t pd;
	int ret;

	for (u32 i = 0; i <= nr; i++) {
		const struct dnn_view v = i < nr ? dnn_view(b, dnn_in(b, i)) : y;

		mds[i] = l ? dnn_md_tag(&b->net->ctx, v.rank, v.dims, l->tag) : dnn_view_md(b, &v);
		if (!mds[i])
			return -ENOMEM;
		args[i].md = mds[i];
	}
	ret = dnn_pd_concat(&b->net->ctx, axis, mds, nr, mds[nr], &pd);
	if (!ret)
		ret = dnn_accept(b, pd, false);
	return ret ? ret : finish(b, pd, args, &y, mds[nr]);
}

int dnn_build_concat(struct dnn_build *b)
{
	const struct abi_attr_axis *attr = dnn_attr(b);
	const u32 nr = b->prog->ops[b->op].nr_in;
	const struct layout *l = common_layout(b);
	const struct dnn_md **mds;
	struct dnn_arg *args;
	int ret = -ENOMEM;

	args = base_alloc_array(nr + 1, sizeof(*args));
	mds = base_alloc_array(nr + 1, sizeof(const struct dnn_md *));
	if (args && mds) {
		ret = -EOPNOTSUPP;
		if (l && fits(b, l, attr->axis))
			ret = concat_in(b, l, attr->axis, args, mds);
		if (ret == -EOPNOTSUPP)
			ret = concat_in(b, NULL, attr->axis, args, mds);
	}
	base_free(mds);
	base_free(args);
	return ret;
}

/* The same bytes under another name. */
int dnn_build_copy(struct dnn_build *b)
{
	bool done;
	int ret = dnn_share(b, dnn_in(b, 0), dnn_out(b, 0), &done);

	if (ret)
		return ret;
	if (!done)
		return -EOPNOTSUPP;
	b->net->impl[b->op] = base_strdup("no copy");
	return b->net->impl[b->op] ? 0 : -ENOMEM;
}
