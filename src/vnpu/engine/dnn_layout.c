// SPDX-License-Identifier: MIT
/* Where tensors' values are, in which layouts, and how they get into another. */
#include <errno.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

u32 dnn_in(const struct dnn_build *b, u32 i)
{
	const struct abi_prog_op *op = &b->prog->ops[b->op];

	return i < op->nr_in ? b->prog->operands[op->operand + i] : ABI_TENSOR_NONE;
}

u32 dnn_out(const struct dnn_build *b, u32 i)
{
	const struct abi_prog_op *op = &b->prog->ops[b->op];

	return b->prog->operands[op->operand + op->nr_in + i];
}

const void *dnn_attr(const struct dnn_build *b)
{
	return b->prog->attrs + b->prog->ops[b->op].attr;
}

const struct abi_prog_tensor *dnn_tensor(const struct dnn_build *b, u32 t)
{
	return &b->prog->tensors[t];
}

static u32 base_of(const struct dnn_build *b, u32 t)
{
	const struct abi_prog_tensor *p = dnn_tensor(b, t);

	return p->kind == ABI_TENSOR_ALIAS ? (u32)p->off : t;
}

static const struct abi_prog_tensor *base_tensor(const struct dnn_build *b, u32 t)
{
	return dnn_tensor(b, base_of(b, t));
}

bool dnn_is_const(const struct dnn_build *b, u32 t)
{
	return base_tensor(b, t)->kind == ABI_TENSOR_CONST;
}

const void *dnn_const_data(const struct dnn_build *b, u32 t)
{
	return b->prog->weights + base_tensor(b, t)->off;
}

/* --- views ---------------------------------------------------------------------------------- */

struct dnn_view dnn_view_of(u32 rank, const dnnl_dim_t *dims)
{
	struct dnn_view v = { .rank = rank ? rank : 1, .dims = { 1 } };
	dnnl_dim_t step = 1;

	for (u32 i = 0; i < rank; i++)
		v.dims[i] = dims[i];
	for (u32 i = v.rank; i-- > 0; step *= v.dims[i])
		v.strides[i] = step;
	return v;
}

struct dnn_view dnn_view(const struct dnn_build *b, u32 t)
{
	const struct abi_prog_tensor *p = dnn_tensor(b, t);
	dnnl_dims_t dims;

	for (u32 i = 0; i < p->rank; i++)
		dims[i] = p->dims[i];
	return dnn_view_of(p->rank, dims);
}

const struct dnn_md *dnn_view_md(struct dnn_build *b, const struct dnn_view *v)
{
	return dnn_md_strided(&b->net->ctx, v->rank, v->dims, v->strides);
}

bool dnn_view_is_same(const struct dnn_view *a, const struct dnn_view *b)
{
	return a->rank == b->rank && !memcmp(a->dims, b->dims, a->rank * sizeof(a->dims[0])) &&
	       !memcmp(a->strides, b->strides, a->rank * sizeof(a->strides[0]));
}

/* --- reps ----------------------------------------------------------------------------------- */

static int add_rep(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md *md,
		   u32 buf)
{
	struct dnn_rep **end = &b->reps[base_of(b, t)], *r = base_zalloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct dnn_rep){ .buf = buf, .md = md, .view = *v };
	while (*end)
		end = &(*end)->next;
	*end = r;
	b->net->bufs[buf].nr_reps++;
	return 0;
}

static void drop_reps(struct dnn_build *b, u32 t)
{
	struct dnn_rep **list = &b->reps[base_of(b, t)];

	while (*list) {
		struct dnn_rep *r = *list;

		*list = r->next;
		b->net->bufs[r->buf].nr_reps--;
		base_free(r);
	}
}

static const struct dnn_rep *plain_rep(const struct dnn_build *b, u32 t)
{
	const struct dnn_rep *r = b->reps[base_of(b, t)];

	while (r && r->md)
		r = r->next;
	return r;
}

const struct dnn_rep *dnn_rep_of(const struct dnn_build *b, u32 t, const struct dnn_view *v)
{
	const struct dnn_rep *r = b->reps[base_of(b, t)];

	while (r && (!r->md || !dnn_view_is_same(&r->view, v)))
		r = r->next;
	return r;
}

/* The first use of a constant, input or output that was written before shows where it is. */
static int first_plain(struct dnn_build *b, u32 t)
{
	const struct abi_prog_tensor *p = base_tensor(b, t);
	const struct dnn_view v = dnn_view(b, t);
	struct vnpu_net *net = b->net;
	u32 buf;
	int ret;

	if (b->reps[base_of(b, t)])
		return 0;
	if (p->kind == ABI_TENSOR_CONST) {
		ret = dnn_buf_add(net, DNN_BUF_FIXED, p->size, &buf);
		if (!ret)
			net->bufs[buf].ptr = (void *)(uintptr_t)(b->prog->weights + p->off);
	} else {
		ret = dnn_buf_add(net, DNN_BUF_INPUT, p->size, &buf);
		if (!ret)
			net->bufs[buf].binding = (u32)p->off;
	}
	if (ret)
		return ret;
	net->bufs[buf].elem_size = abi_dtype_size(p->dtype);
	return add_rep(b, t, &v, NULL, buf);
}

static int reorder(struct dnn_build *b, const struct dnn_md *from, u32 src, const struct dnn_md *to,
		   u32 dst)
{
	const struct dnn_arg args[] = { { DNNL_ARG_FROM, src, from }, { DNNL_ARG_TO, dst, to } };
	dnnl_primitive_desc_t pd;
	int ret;

	if (!from || !to)
		return -ENOMEM;
	ret = dnn_pd_reorder(&b->net->ctx, from, to, &pd);
	if (!ret && b->net->opts.strict) /* otherwise a slow way is better than none */
		ret = dnn_accept(b, pd, true);
	if (ret)
		return ret;
	if (b->net->bufs[dst].kind == DNN_BUF_FIXED)
		return dnn_run_now(b, pd, args, BASE_ARRAY_SIZE(args));
	return dnn_add_prim(b, pd, args, BASE_ARRAY_SIZE(args));
}

/* Where a copy of @t goes: constants are copied now, at the net's own expense. */
static int buf_for_copy(struct dnn_build *b, u32 t, u64 size, u32 *buf)
{
	if (!dnn_is_const(b, t))
		return dnn_buf_add(b->net, DNN_BUF_PRIVATE, size, buf);
	if (size > b->max_packed - b->packed)
		return -EOPNOTSUPP; /* one constant, packed for very many operations */
	b->packed += size;
	return dnn_buf_fixed(b->net, size, buf);
}

int dnn_want_plain(struct dnn_build *b, u32 t, u32 *buf)
{
	const struct dnn_rep *r;
	const struct dnn_md *to;
	struct dnn_view view;
	int ret;

	ret = first_plain(b, t);
	if (ret)
		return ret;
	r = plain_rep(b, t);
	if (r) {
		*buf = r->buf;
		return 0;
	}
	r = b->reps[base_of(b, t)];
	view = r->view;
	to = dnn_view_md(b, &view);
	ret = buf_for_copy(b, t, dnn_tensor(b, t)->size, buf);
	if (!ret)
		ret = reorder(b, r->md, r->buf, to, *buf);
	return ret ? ret : add_rep(b, t, &view, NULL, *buf);
}

int dnn_want(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md *md,
	     u32 *buf)
{
	const struct dnn_md *plain = dnn_view_md(b, v), *from = plain;
	const struct dnn_rep *r;
	u32 src;
	int ret;

	if (!plain)
		return -ENOMEM;
	if (!md || dnn_md_is_equal(md, plain))
		return dnn_want_plain(b, t, buf);
	for (r = b->reps[base_of(b, t)]; r; r = r->next)
		if (r->md && dnn_md_is_equal(r->md, md)) {
			*buf = r->buf;
			return 0;
		}
	r = dnn_rep_of(b, t, v);
	if (r && !plain_rep(b, t)) {
		src = r->buf;
		from = r->md;
	} else {
		ret = dnn_want_plain(b, t, &src);
		if (ret)
			return ret;
	}
	ret = buf_for_copy(b, t, dnn_md_size(md), buf);
	if (!ret)
		ret = reorder(b, from, src, md, *buf);
	return ret ? ret : add_rep(b, t, v, md, *buf);
}

/* --- results -------------------------------------------------------------------------------- */

static bool is_plain(struct dnn_build *b, const struct dnn_view *v, const struct dnn_md *md)
{
	const struct dnn_md *plain = md ? dnn_view_md(b, v) : NULL;

	return !md || (plain && dnn_md_is_equal(md, plain));
}

int dnn_place(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md *md,
	      u32 *buf)
{
	const struct abi_prog_tensor *p = base_tensor(b, t);
	u64 size = md ? dnn_md_size(md) : p->size;
	int ret;

	if (p->kind != ABI_TENSOR_OUTPUT || !is_plain(b, v, md))
		return dnn_buf_add(b->net, DNN_BUF_PRIVATE, size, buf);
	ret = dnn_buf_add(b->net, DNN_BUF_OUTPUT, size, buf);
	if (ret)
		return ret;
	b->net->bufs[*buf].binding = b->prog->hdr->nr_inputs + (u32)p->off;
	b->net->bufs[*buf].elem_size = abi_dtype_size(p->dtype);
	return 0;
}

int dnn_written(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md *md,
		u32 buf)
{
	const bool is_now_plain = is_plain(b, v, md);
	u32 binding;
	int ret;

	drop_reps(b, t);
	ret = add_rep(b, t, v, is_now_plain ? NULL : md, buf);
	if (ret || base_tensor(b, t)->kind != ABI_TENSOR_OUTPUT ||
	    b->net->bufs[buf].kind == DNN_BUF_OUTPUT)
		return ret;
	ret = dnn_place(b, t, v, NULL, &binding);
	if (!ret)
		ret = reorder(b, is_now_plain ? dnn_view_md(b, v) : md, buf, dnn_view_md(b, v),
			      binding);
	return ret ? ret : add_rep(b, t, v, NULL, binding);
}

bool dnn_can_overwrite(const struct dnn_build *b, u32 t, u32 buf)
{
	const struct abi_prog_op *op = &b->prog->ops[b->op];
	const struct dnn_buf *p = &b->net->bufs[buf];
	u32 uses = 0;

	for (u32 i = 0; i < op->nr_in; i++)
		if (dnn_in(b, i) != ABI_TENSOR_NONE && base_of(b, dnn_in(b, i)) == base_of(b, t))
			uses++;
	return uses == 1 && base_tensor(b, dnn_out(b, 0))->kind != ABI_TENSOR_OUTPUT &&
	       p->kind == DNN_BUF_PRIVATE && p->nr_reps == 1 &&
	       b->last_read[base_of(b, t)] == b->op;
}

void dnn_forget(struct dnn_build *b, u32 t)
{
	drop_reps(b, t);
}

int dnn_share(struct dnn_build *b, u32 src, u32 dst, bool *done)
{
	const struct dnn_view v = dnn_view(b, dst);
	u32 buf;
	int ret;

	*done = false;
	if (base_tensor(b, dst)->kind != ABI_TENSOR_ARENA || base_of(b, src) == base_of(b, dst))
		return 0;
	ret = dnn_want_plain(b, src, &buf);
	/* An output's binding may be written again while this value is still wanted. */
	if (ret || b->net->bufs[buf].kind == DNN_BUF_OUTPUT)
		return ret;
	drop_reps(b, dst);
	*done = true;
	return add_rep(b, dst, &v, NULL, buf);
}
