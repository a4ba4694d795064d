// SPDX-License-Identifier: MIT
/* Buffers and steps of a net under construction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

/* @array with room for one more than @nr, or NULL, @array kept; the capacity doubles. */
static void *grown(void *array, u32 nr, u32 *cap, size_t size)
{
	u32 want = *cap ? *cap * 2 : 64;
	void *bigger;

	if (nr < *cap)
		return array;
	bigger = base_realloc_array(array, want, size);
	if (bigger)
		*cap = want;
	return bigger;
}

/* --- buffers -------------------------------------------------------------------------------- */

int dnn_buf_add(struct vnpu_net *net, enum dnn_buf_kind kind, u64 size, u32 *out)
{
	struct dnn_buf *bufs = grown(net->bufs, net->nr_bufs, &net->cap_bufs, sizeof(*bufs));

	if (!bufs)
		return -ENOMEM;
	net->bufs = bufs;
	net->bufs[net->nr_bufs] = (struct dnn_buf){ .kind = kind, .size = size, .elem_size = 1 };
	*out = net->nr_bufs++;
	return 0;
}

int dnn_buf_fixed(struct vnpu_net *net, u64 size, u32 *out)
{
	struct dnn_buf *buf;
	void *mem;
	int ret;

	mem = base_zalloc(size + ABI_PROG_ALIGN);
	if (!mem)
		return -ENOMEM;
	ret = dnn_buf_add(net, DNN_BUF_FIXED, size, out);
	if (ret) {
		base_free(mem);
		return ret;
	}
	buf = &net->bufs[*out];
	buf->owned = mem;
	buf->ptr = (void *)(uintptr_t)base_align_up((uintptr_t)mem, ABI_PROG_ALIGN);
	return 0;
}

static void touch(struct vnpu_net *net, u32 buf)
{
	struct dnn_buf *p = &net->bufs[buf];

	if (!p->is_used)
		p->first = net->nr_steps;
	p->is_used = true;
	p->last = net->nr_steps;
}

/* --- primitives ----------------------------------------------------------------------------- */

int dnn_accept(struct dnn_build *b, dnnl_primitive_desc_t pd, bool is_heavy)
{
	if (!dnn_is_ref(dnn_info(pd)))
		return 0;
	b->met_ref = b->met_ref || is_heavy;
	dnnl_primitive_desc_destroy(pd);
	return -EOPNOTSUPP;
}

int dnn_set_impl(struct dnn_build *b, const_dnnl_primitive_desc_t pd)
{
	char *name = base_strdup(dnn_info(pd));

	if (!name)
		return -ENOMEM;
	base_free(b->net->impl[b->op]);
	b->net->impl[b->op] = name;
	return 0;
}

static int add_mem(struct vnpu_net *net, const struct dnn_arg *a, dnnl_memory_t *out)
{
	struct dnn_mem *mems = grown(net->mems, net->nr_mems, &net->cap_mems, sizeof(*mems));
	int ret;

	if (!mems)
		return -ENOMEM;
	net->mems = mems;
	ret = dnn_memory(&net->ctx, a->md, out);
	if (ret)
		return ret;
	net->mems[net->nr_mems++] = (struct dnn_mem){ *out, a->buf };
	touch(net, a->buf);
	return 0;
}

static int add_scratch(struct vnpu_net *net, const struct dnn_md *md, dnnl_memory_t *out)
{
	dnnl_memory_t *list =
		grown(net->scratch, net->nr_scratch, &net->cap_scratch, sizeof(*list));
	int ret;

	if (!list)
		return -ENOMEM;
	net->scratch = list;
	ret = dnn_memory(&net->ctx, md, out);
	if (ret)
		return ret;
	net->scratch[net->nr_scratch++] = *out;
	net->scratch_size = base_max(net->scratch_size, dnn_md_size(md));
	return 0;
}

static int fill_args(struct dnn_build *b, struct dnn_step *s, const_dnnl_primitive_desc_t pd,
		     const struct dnn_arg *args, u32 nr)
{
	const struct dnn_md *scratch = dnn_md_of(&b->net->ctx, pd, DNNL_ARG_SCRATCHPAD);
	int ret = scratch ? 0 : -ENOMEM;

	s->args = base_alloc_array(nr + 1, sizeof(*s->args));
	if (!s->args)
		return -ENOMEM;
	for (u32 i = 0; !ret && i < nr; i++) {
		s->args[i].arg = args[i].arg;
		ret = args[i].md ? add_mem(b->net, &args[i], &s->args[i].memory) : -ENOMEM;
	}
	s->nr_args = nr;
	if (!ret && dnn_md_size(scratch)) {
		s->args[nr].arg = DNNL_ARG_SCRATCHPAD;
		ret = add_scratch(b->net, scratch, &s->args[nr].memory);
		s->nr_args++;
	}
	return ret;
}

static void step_fini(struct dnn_step *s)
{
	if (s->prim)
		dnnl_primitive_destroy(s->prim);
	base_free(s->args);
	base_free(s->tensors);
	base_free(s->bufs);
}

/* @s becomes the net's, whether there is room or not. */
static int add_step(struct vnpu_net *net, struct dnn_step *s)
{
	struct dnn_step *steps = grown(net->steps, net->nr_steps, &net->cap_steps, sizeof(*steps));

	if (!steps) {
		step_fini(s);
		return -ENOMEM;
	}
	net->steps = steps;
	net->steps[net->nr_steps++] = *s;
	return 0;
}

int dnn_add_prim(struct dnn_build *b, dnnl_primitive_desc_t pd, const struct dnn_arg *args, u32 nr)
{
	struct dnn_step s = { .op = b->op };
	int ret;

	ret = dnn_status(dnnl_primitive_create(&s.prim, pd));
	if (!ret)
		ret = fill_args(b, &s, pd, args, nr);
	dnnl_primitive_desc_destroy(pd);
	if (ret) {
		step_fini(&s);
		return ret;
	}
	return add_step(b->net, &s);
}

/* --- once, now ------------------------------------------------------------------------------ */

static int now_memory(struct vnpu_net *net, const struct dnn_md *md, void *ptr, dnnl_memory_t *out)
{
	int ret = md ? dnn_memory(&net->ctx, md, out) : -ENOMEM;

	return ret ? ret : dnn_status(dnnl_memory_set_data_handle(*out, ptr));
}

static int execute_now(struct vnpu_net *net, dnnl_primitive_t prim, u32 nr,
		       const dnnl_exec_arg_t *args)
{
	int ret = dnn_status(dnnl_primitive_execute(prim, net->ctx.stream, (int)nr, args));

	return ret ? ret : dnn_status(dnnl_stream_wait(net->ctx.stream));
}

int dnn_run_now(struct dnn_build *b, dnnl_primitive_desc_t pd, const struct dnn_arg *args, u32 nr)
{
	const struct dnn_md *scratch = dnn_md_of(&b->net->ctx, pd, DNNL_ARG_SCRATCHPAD);
	dnnl_exec_arg_t exec[4] = { { .memory = NULL } };
	dnnl_primitive_t prim = NULL;
	void *tmp = NULL;
	int ret = -ENOMEM;

	assert(nr < BASE_ARRAY_SIZE(exec));
	if (scratch)
		ret = dnn_status(dnnl_primitive_create(&prim, pd));
	dnnl_primitive_desc_destroy(pd);
	for (u32 i = 0; !ret && i < nr; i++) {
		exec[i].arg = args[i].arg;
		ret = now_memory(b->net, args[i].md, b->net->bufs[args[i].buf].ptr,
				 &exec[i].memory);
	}
	if (!ret && dnn_md_size(scratch)) {
		tmp = base_zalloc(dnn_md_size(scratch));
		exec[nr].arg = DNNL_ARG_SCRATCHPAD;
		ret = tmp ? now_memory(b->net, scratch, tmp, &exec[nr].memory) : -ENOMEM;
		nr++;
	}
	if (!ret)
		ret = execute_now(b->net, prim, nr, exec);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(exec); i++)
		if (exec[i].memory)
			dnnl_memory_destroy(exec[i].memory);
	if (prim)
		dnnl_primitive_destroy(prim);
	base_free(tmp);
	return ret;
}

/* --- operations of src/kernels -------------------------------------------------------------- */

static int step_operands(struct dnn_step *s, u32 nr_in, u32 nr_out)
{
	s->nr_in = nr_in;
	s->nr_out = nr_out;
	s->tensors = base_alloc_array((size_t)nr_in + nr_out, sizeof(*s->tensors));
	s->bufs = base_alloc_array((size_t)nr_in + nr_out, sizeof(*s->bufs));
	return s->tensors && s->bufs ? 0 : -ENOMEM;
}

static void set_operand(struct dnn_build *b, struct dnn_step *s, u32 i, u32 t, u32 buf)
{
	const struct abi_prog_tensor *p = dnn_tensor(b, t);

	s->tensors[i].dtype = p->dtype;
	s->tensors[i].rank = p->rank;
	memcpy(s->tensors[i].dims, p->dims, sizeof(p->dims));
	s->bufs[i] = buf;
}

static void touch_operands(struct vnpu_net *net, const struct dnn_step *s)
{
	for (u32 i = 0; i < s->nr_in + s->nr_out; i++)
		if (s->bufs[i] != ABI_TENSOR_NONE)
			touch(net, s->bufs[i]);
}

/* Inputs first: wanting them may add steps of its own. */
static int kern_operands(struct dnn_build *b, struct dnn_step *s)
{
	u32 buf;
	int ret;

	for (u32 i = 0; i < s->nr_in; i++) {
		s->bufs[i] = ABI_TENSOR_NONE;
		if (dnn_in(b, i) == ABI_TENSOR_NONE)
			continue;
		ret = dnn_want_plain(b, dnn_in(b, i), &buf);
		if (ret)
			return ret;
		set_operand(b, s, i, dnn_in(b, i), buf);
	}
	for (u32 i = 0; i < s->nr_out; i++) {
		const struct dnn_view v = dnn_view(b, dnn_out(b, i));

		ret = dnn_place(b, dnn_out(b, i), &v, NULL, &buf);
		if (ret)
			return ret;
		set_operand(b, s, s->nr_in + i, dnn_out(b, i), buf);
	}
	return 0;
}

int dnn_add_kern(struct dnn_build *b)
{
	const struct abi_prog_op *op = &b->prog->ops[b->op];
	struct dnn_step s = { .op = b->op };
	u32 outs[ABI_MAX_OUTPUTS];
	int ret;

	s.kop = (struct kern_op){ op->code, op->attr_size ? dnn_attr(b) : NULL, op->attr_size,
				  b->net->opts.stop };
	ret = step_operands(&s, op->nr_in, op->nr_out);
	if (!ret)
		ret = kern_operands(b, &s);
	if (ret) {
		step_fini(&s);
		return ret;
	}
	for (u32 i = 0; i < op->nr_out; i++)
		outs[i] = s.bufs[op->nr_in + i];
	touch_operands(b->net, &s);
	ret = add_step(b->net, &s);
	for (u32 i = 0; !ret && i < op->nr_out; i++) {
		const struct dnn_view v = dnn_view(b, dnn_out(b, i));

		ret = dnn_written(b, dnn_out(b, i), &v, NULL, outs[i]);
	}
	return ret;
}

int dnn_add_act(struct dnn_build *b, u32 t, const struct abi_act *act)
{
	const struct dnn_view v = dnn_view(b, t);
	struct dnn_step s = { .op = b->op, .is_act = true, .unary.f = *act };
	u32 buf;
	int ret;

	if (!act->kind)
		return 0;
	s.kop = (struct kern_op){ ABI_OP_UNARY, NULL, sizeof(s.unary), NULL };
	ret = dnn_want_plain(b, t, &buf);
	if (!ret)
		ret = step_operands(&s, 1, 1);
	if (ret) {
		step_fini(&s);
		return ret;
	}
	set_operand(b, &s, 0, t, buf);
	set_operand(b, &s, 1, t, buf);
	touch_operands(b->net, &s);
	ret = add_step(b->net, &s);
	return ret ? ret : dnn_written(b, t, &v, NULL, buf);
}

/* --- end ------------------------------------------------------------------------------------ */

void dnn_net_fini(struct vnpu_net *net)
{
	for (u32 i = 0; i < net->nr_steps; i++)
		step_fini(&net->steps[i]);
	for (u32 i = 0; i < net->nr_mems; i++)
		dnnl_memory_destroy(net->mems[i].mem);
	for (u32 i = 0; i < net->nr_scratch; i++)
		dnnl_memory_destroy(net->scratch[i]);
	for (u32 i = 0; i < net->nr_bufs; i++)
		base_free(net->bufs[i].owned);
	for (u32 i = 0; net->impl && i < net->prog->nr_ops; i++)
		base_free(net->impl[i]);
	if (net->has_ctx)
		dnn_ctx_fini(&net->ctx);
	base_free(net->steps);
	base_free(net->mems);
	base_free(net->scratch);
	base_free(net->bufs);
	base_free(net->moving);
	base_free(net->pool_mem);
	base_free(net->impl);
}
