// SPDX-License-Identifier: MIT
/*
 * The oneDNN engine: float32 operations worth it by oneDNN, everything else by src/kernels.
 *
 * Compute runs on the calling thread and OpenMP's workers of it; one thread per device calls.
 * Nothing here forks, and nothing may fork after the first run (O section 4, traps).
 */
#include <errno.h>
#include <fenv.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

#define MAX_BYTES (UINT64_C(1) << 30) /* of a tensor: generated code counts in 32 bits */

/* --- building ------------------------------------------------------------------------------- */

static bool is_fit(const struct dnn_build *b, u32 t)
{
	const struct abi_prog_tensor *p = t == ABI_TENSOR_NONE ? NULL : dnn_tensor(b, t);

	return !p || (p->dtype == ABI_F32 && p->size && p->size <= MAX_BYTES);
}

static bool are_all_fit(const struct dnn_build *b)
{
	const struct abi_prog_op *op = &b->prog->ops[b->op];

	for (u32 i = 0; i < op->nr_in; i++)
		if (!is_fit(b, dnn_in(b, i)))
			return false;
	for (u32 i = 0; i < op->nr_out; i++)
		if (!is_fit(b, dnn_out(b, i)))
			return false;
	return true;
}

typedef int (*build_fn)(struct dnn_build *b);

static build_fn builder_of(u32 code)
{
	static const build_fn builders[ABI_NR_OPS] = {
		[ABI_OP_UNARY] = dnn_build_unary,
		[ABI_OP_BINARY] = dnn_build_binary,
		[ABI_OP_CONCAT] = dnn_build_concat,
		[ABI_OP_SOFTMAX] = dnn_build_softmax,
		[ABI_OP_CONV] = dnn_build_conv,
		[ABI_OP_CONV_TRANSPOSE] = dnn_build_deconv,
		[ABI_OP_POOL] = dnn_build_pool,
		[ABI_OP_MATMUL] = dnn_build_matmul,
		[ABI_OP_BATCH_NORM] = dnn_build_batch_norm,
		[ABI_OP_LRN] = dnn_build_lrn,
	};

	return builders[code];
}

static int build_op(struct dnn_build *b)
{
	const struct abi_prog_op *op = &b->prog->ops[b->op];
	const build_fn build = builder_of(op->code);
	int ret = -EOPNOTSUPP;

	b->met_ref = false;
	if (op->code == ABI_OP_COPY)
		ret = dnn_build_copy(b);
	else if (build && are_all_fit(b) && dnn_nan_is_kept(b))
		ret = build(b);
	if (ret != -EOPNOTSUPP)
		return ret;
	base_free(b->net->impl[b->op]);
	b->net->impl[b->op] = NULL;
	if (b->met_ref && b->net->opts.strict)
		return base_err_set(b->err, -EOPNOTSUPP,
				    "op %u (%s) '%.80s': oneDNN has only its reference "
				    "implementation for these shapes, refused in strict mode",
				    b->op, abi_op_name(op->code), abi_prog_name(b->prog, op->name));
	ret = dnn_add_kern(b);
	if (ret && ret != -ENOMEM)
		base_err_set(b->err, ret, "op %u (%s): oneDNN cannot bring its inputs together",
			     b->op, abi_op_name(op->code));
	return ret;
}

static void note_reads(struct dnn_build *b)
{
	const struct abi_prog *p = b->prog;

	for (u32 nr = 0; nr < p->nr_ops; nr++)
		for (u32 i = 0; i < p->ops[nr].nr_in; i++) {
			u32 t = p->operands[p->ops[nr].operand + i];

			if (t == ABI_TENSOR_NONE)
				continue;
			if (p->tensors[t].kind == ABI_TENSOR_ALIAS)
				t = (u32)p->tensors[t].off;
			b->last_read[t] = nr;
		}
}

static void free_reps(struct dnn_build *b)
{
	for (u32 i = 0; b->reps && i < b->prog->nr_tensors; i++)
		while (b->reps[i]) {
			struct dnn_rep *r = b->reps[i];

			b->reps[i] = r->next;
			base_free(r);
		}
}

static int build_steps(struct vnpu_net *net, struct base_err *err)
{
	const struct abi_prog *prog = net->prog;
	struct dnn_build b = { .net = net, .prog = prog, .err = err };
	int ret = -ENOMEM;

	b.max_packed = 4 * prog->hdr->size + (UINT64_C(64) << 20);
	b.reps = base_alloc_array((size_t)prog->nr_tensors + 1, sizeof(*b.reps));
	b.last_read = base_alloc_array((size_t)prog->nr_tensors + 1, sizeof(*b.last_read));
	if (b.reps && b.last_read) {
		note_reads(&b);
		for (ret = 0; !ret && b.op < prog->nr_ops; b.op++)
			ret = build_op(&b);
	}
	free_reps(&b);
	base_free(b.last_read);
	base_free(b.reps);
	return ret;
}

/* --- places --------------------------------------------------------------------------------- */

/* What the client pays for with its arena, and room for padded layouts and scratch. */
static u64 max_private(const struct abi_prog *prog)
{
	u64 io = 0;

	for (u32 i = 0; i < prog->nr_tensors; i++)
		if (prog->tensors[i].kind == ABI_TENSOR_INPUT ||
		    prog->tensors[i].kind == ABI_TENSOR_OUTPUT)
			io += prog->tensors[i].size;
	return 8 * (prog->hdr->arena_size + io + prog->hdr->size) + (UINT64_C(64) << 20);
}

static bool is_binding(const struct dnn_buf *buf)
{
	return buf->kind == DNN_BUF_INPUT || buf->kind == DNN_BUF_OUTPUT;
}

static int set_address(dnnl_memory_t mem, void *ptr)
{
	return dnn_status(dnnl_memory_set_data_handle(mem, ptr));
}

static int place_mems(struct vnpu_net *net, void *scratch)
{
	int ret = 0;

	net->moving = base_alloc_array((size_t)net->nr_mems + 1, sizeof(*net->moving));
	if (!net->moving)
		return -ENOMEM;
	for (u32 i = 0; !ret && i < net->nr_mems; i++) {
		const struct dnn_buf *buf = &net->bufs[net->mems[i].buf];

		if (is_binding(buf))
			net->moving[net->nr_moving++] = i;
		else
			ret = set_address(net->mems[i].mem, buf->ptr);
	}
	for (u32 i = 0; !ret && i < net->nr_scratch; i++)
		ret = set_address(net->scratch[i], scratch);
	return ret;
}

/* -E2BIG: not worth its memory. */
static int place(struct vnpu_net *net)
{
	u64 scratch;
	u8 *pool;
	int ret;

	ret = dnn_plan(net);
	if (ret)
		return ret;
	scratch = base_align_up(net->pool_size, 4096);
	if (scratch + net->scratch_size > max_private(net->prog))
		return -E2BIG;
	net->place_size = scratch + net->scratch_size;
	net->pool_mem = base_zalloc(net->place_size + 4096);
	if (!net->pool_mem)
		return -ENOMEM;
	pool = (void *)(uintptr_t)base_align_up((uintptr_t)net->pool_mem, 4096);
	for (u32 i = 0; i < net->nr_bufs; i++)
		if (net->bufs[i].kind == DNN_BUF_PRIVATE)
			net->bufs[i].ptr = pool + net->bufs[i].off;
	return place_mems(net, pool + scratch);
}

/* --- prepare -------------------------------------------------------------------------------- */

static bool is_too_large(const struct abi_prog *prog)
{
	u64 nr = 0;

	for (u32 i = 0; i < prog->nr_ops && nr <= DNN_MAX_OPERANDS; i++)
		nr += (u64)prog->ops[i].nr_in + prog->ops[i].nr_out;
	return prog->nr_ops > DNN_MAX_OPS || nr > DNN_MAX_OPERANDS;
}

static int prepare_steps(struct vnpu_net *net, struct base_err *err)
{
	int ret;

	dnn_threads_find(net);
	dnn_threads_set(net);
	ret = dnn_ctx_init(&net->ctx);
	if (ret)
		return base_err_set(err, ret, "oneDNN has no CPU engine");
	net->has_ctx = true;
	net->impl = base_alloc_array((size_t)net->prog->nr_ops + 1, sizeof(*net->impl));
	if (!net->impl)
		return base_err_set(err, -ENOMEM, "no memory for a program");
	ret = build_steps(net, err);
	dnn_ctx_drop_mds(&net->ctx);
	if (!ret)
		ret = place(net);
	if (ret == -ENOMEM)
		base_err_set(err, ret, "no memory to prepare a program of %u operations",
			     net->prog->nr_ops);
	return ret;
}

static void net_reset(struct vnpu_net *net)
{
	const struct vnpu_net empty = { .prog = net->prog,
					.opts = net->opts,
					.is_careful = net->is_careful };

	dnn_net_fini(net);
	*net = empty;
}

static void onednn_drop(struct vnpu_net *net)
{
	if (net->careful)
		onednn_drop(net->careful);
	if (net->plain)
		vnpu_engine_plain.drop(net->plain);
	dnn_net_fini(net);
	base_free(net);
}

static int make_net(const struct abi_prog *prog, const struct vnpu_engine_opts *opts,
		    bool is_careful, struct vnpu_net **out, struct base_err *err)
{
	struct vnpu_net *net = base_zalloc(sizeof(*net));
	int ret = -E2BIG;

	if (!net)
		return base_err_set(err, -ENOMEM, "no memory for a program");
	net->prog = prog;
	net->opts = *opts;
	net->is_careful = is_careful;
	if (!is_too_large(prog))
		ret = prepare_steps(net, err);
	if (ret == -E2BIG && !is_careful) {
		net_reset(net);
		ret = vnpu_engine_plain.prepare(prog, opts, &net->plain, err);
	}
	if (ret == -E2BIG)
		ret = base_err_set(err, -ENOMEM, "more memory than the program's arena pays for");
	if (ret) {
		onednn_drop(net);
		return ret;
	}
	*out = net;
	return 0;
}

static int onednn_prepare(const struct abi_prog *prog, const struct vnpu_engine_opts *opts,
			  struct vnpu_net **out, struct base_err *err)
{
	return make_net(prog, opts, false, out, err);
}

/* --- run ------------------------------------------------------------------------------------ */

/* Generated code takes any address, C code wants elements aligned: such a binding is copied. */
static int bind(struct vnpu_net *net, void *const *bindings)
{
	for (u32 i = 0; i < net->nr_bufs; i++) {
		struct dnn_buf *buf = &net->bufs[i];

		if (!is_binding(buf))
			continue;
		buf->ptr = bindings[buf->binding];
		if ((uintptr_t)buf->ptr % buf->elem_size == 0)
			continue;
		if (!buf->owned)
			buf->owned = base_zalloc(buf->size);
		if (!buf->owned)
			return -ENOMEM;
		memcpy(buf->owned, buf->ptr, buf->size);
		buf->ptr = buf->owned;
	}
	for (u32 i = 0; i < net->nr_moving; i++) {
		const struct dnn_mem *mem = &net->mems[net->moving[i]];
		int ret = set_address(mem->mem, net->bufs[mem->buf].ptr);

		if (ret)
			return ret;
	}
	return 0;
}

static void unbind(struct vnpu_net *net, void *const *bindings)
{
	for (u32 i = 0; i < net->nr_bufs; i++) {
		struct dnn_buf *buf = &net->bufs[i];

		if (buf->kind == DNN_BUF_OUTPUT && buf->owned && buf->ptr == buf->owned)
			memcpy(bindings[buf->binding], buf->owned, buf->size);
	}
}

static int run_kern(struct vnpu_net *net, struct dnn_step *s, struct base_err *err)
{
	const struct kern_tensor *in[ABI_MAX_OPERANDS];
	const bool had_met_nan = fetestexcept(FE_INVALID);
	struct kern_op op = s->kop;
	int ret;

	if (s->is_act)
		op.attr = &s->unary;
	for (u32 i = 0; i < s->nr_in + s->nr_out; i++)
		if (s->bufs[i] != ABI_TENSOR_NONE)
			s->tensors[i].data = net->bufs[s->bufs[i]].ptr;
	for (u32 i = 0; i < s->nr_in; i++)
		in[i] = s->bufs[i] == ABI_TENSOR_NONE ? NULL : &s->tensors[i];
	ret = kern_run(&op, in, s->nr_in, s->tensors + s->nr_in, s->nr_out, err);
	if (!had_met_nan)
		feclearexcept(FE_INVALID);
	return ret;
}

static int run_step(struct vnpu_net *net, struct dnn_step *s, struct base_err *err)
{
	int ret;

	if (!s->prim)
		return run_kern(net, s, err);
	ret = dnn_status(
		dnnl_primitive_execute(s->prim, net->ctx.stream, (int)s->nr_args, s->args));
	return ret ? base_err_set(err, ret, "oneDNN failed") : 0;
}

static int run_steps(struct vnpu_net *net, void *const *bindings, u32 *op, struct base_err *err)
{
	int ret;

	dnn_threads_set(net);
	ret = bind(net, bindings);
	if (ret)
		return base_err_set(err, ret, "no memory for misaligned inputs and outputs");
	for (u32 i = 0; i < net->nr_steps; i++) {
		ret = vnpu_engine_stopped(net->opts.stop, err);
		if (!ret)
			ret = run_step(net, &net->steps[i], err);
		if (ret) {
			*op = net->steps[i].op;
			return ret;
		}
	}
	ret = dnn_status(dnnl_stream_wait(net->ctx.stream));
	if (ret)
		return base_err_set(err, ret, "oneDNN failed");
	unbind(net, bindings);
	return 0;
}

/* Inputs are as they were: nothing writes them. */
static int run_careful(struct vnpu_net *net, void *const *bindings, u32 *op, struct base_err *err)
{
	/* Strict is about what is normal. */
	const struct vnpu_engine_opts opts = { .nr_threads = net->opts.nr_threads,
					       .stop = net->opts.stop };
	int ret = 0;

	if (!net->careful)
		ret = make_net(net->prog, &opts, true, &net->careful, err);
	if (!ret)
		ret = run_steps(net->careful, bindings, op, err);
	if (ret)
		base_err_prefix(err, "again, as a NaN came up");
	return ret;
}

static int onednn_run(struct vnpu_net *net, void *const *bindings, void *arena, u32 *op,
		      struct base_err *err)
{
	int ret;

	if (net->plain)
		return vnpu_engine_plain.run(net->plain, bindings, arena, op, err);
	dnn_threads_set(net);
	dnn_nan_watch(net);
	ret = run_steps(net, bindings, op, err);
	if (ret || !dnn_nan_seen(net))
		return ret;
	return run_careful(net, bindings, op, err);
}

static bool onednn_needs_arena(const struct vnpu_net *net)
{
	return net->plain && vnpu_engine_plain.needs_arena(net->plain);
}

static u64 onednn_bytes(const struct vnpu_net *net)
{
	u64 sum = net->place_size + (net->careful ? onednn_bytes(net->careful) : 0);

	if (net->plain)
		return vnpu_engine_plain.bytes(net->plain);
	for (u32 i = 0; i < net->nr_bufs; i++)
		if (net->bufs[i].owned)
			sum += net->bufs[i].size;
	return sum + net->nr_steps * sizeof(*net->steps) + net->nr_bufs * sizeof(*net->bufs);
}

static const char *onednn_impl(const struct vnpu_net *net, u32 op)
{
	if (net->plain)
		return vnpu_engine_plain.impl(net->plain, op);
	if (op >= net->prog->nr_ops)
		return NULL;
	return net->impl[op] ? net->impl[op] : "plain";
}

extern const struct vnpu_engine vnpu_engine_onednn;

__attribute__((visibility("default"))) const struct vnpu_engine vnpu_engine_onednn = {
	.abi = VNPU_ENGINE_ABI,
	.name = "onednn",
	.prepare = onednn_prepare,
	.run = onednn_run,
	.drop = onednn_drop,
	.needs_arena = onednn_needs_arena,
	.bytes = onednn_bytes,
	.impl = onednn_impl,
};
