// SPDX-License-Identifier: MIT
/*
 * The engine over src/kernels: every operation of a program, in order, on the tensors where the
 * program puts them: weights in the image, arena, bindings.  What does not change between runs is
 * set up in prepare(); run() fills in addresses.
 */
#include <errno.h>
#include <string.h>

#include "kernels/kern.h"
#include "vnpu/engine/engine.h"

struct plain_op {
	struct kern_op kop;
	const struct kern_tensor **in; /* nr_in, NULL where omitted */
	struct kern_tensor *out;       /* nr_out */
	u32 nr_in, nr_out;
};

struct vnpu_net {
	const struct abi_prog *prog;
	struct plain_op *ops;
	struct kern_tensor *tensors;	    /* of the program */
	struct kern_tensor *outs;	    /* outputs of all operations */
	u32 *out_idx;			    /* tensor of each */
	const struct kern_tensor **in_ptrs; /* inputs of all operations */
	u64 nr_in, nr_out;
	const u32 *stop;
};

static void count_operands(struct vnpu_net *net)
{
	for (u32 i = 0; i < net->prog->nr_ops; i++) {
		net->nr_in += net->prog->ops[i].nr_in;
		net->nr_out += net->prog->ops[i].nr_out;
	}
}

static int alloc_parts(struct vnpu_net *net)
{
	const struct abi_prog *prog = net->prog;

	count_operands(net);
	net->ops = base_alloc_array(base_max(prog->nr_ops, 1u), sizeof(*net->ops));
	net->tensors = base_alloc_array(base_max(prog->nr_tensors, 1u), sizeof(*net->tensors));
	net->in_ptrs = base_alloc_array(net->nr_in + 1, sizeof(*net->in_ptrs));
	net->outs = base_alloc_array(net->nr_out + 1, sizeof(*net->outs));
	net->out_idx = base_alloc_array(net->nr_out + 1, sizeof(*net->out_idx));
	if (!net->ops || !net->tensors || !net->in_ptrs || !net->outs || !net->out_idx)
		return -ENOMEM;
	return 0;
}

static void describe_tensors(struct vnpu_net *net)
{
	for (u32 i = 0; i < net->prog->nr_tensors; i++) {
		const struct abi_prog_tensor *t = &net->prog->tensors[i];

		net->tensors[i].dtype = t->dtype;
		net->tensors[i].rank = t->rank;
		memcpy(net->tensors[i].dims, t->dims, sizeof(t->dims));
	}
}

static void describe_op(struct vnpu_net *net, u32 nr, u64 at_in, u64 at_out)
{
	const struct abi_prog_op *op = &net->prog->ops[nr];
	const u32 *operand = net->prog->operands + op->operand;
	struct plain_op *p = &net->ops[nr];

	p->kop = (struct kern_op){ op->code, op->attr_size ? net->prog->attrs + op->attr : NULL,
				   op->attr_size, net->stop };
	p->nr_in = op->nr_in;
	p->nr_out = op->nr_out;
	p->in = net->in_ptrs + at_in;
	p->out = net->outs + at_out;
	for (u32 i = 0; i < op->nr_in; i++)
		p->in[i] = operand[i] == ABI_TENSOR_NONE ? NULL : &net->tensors[operand[i]];
	for (u32 i = 0; i < op->nr_out; i++) {
		net->out_idx[at_out + i] = operand[op->nr_in + i];
		p->out[i] = net->tensors[operand[op->nr_in + i]];
	}
}

static void plain_drop(struct vnpu_net *net)
{
	if (!net)
		return;
	base_free(net->ops);
	base_free(net->tensors);
	base_free(net->in_ptrs);
	base_free(net->outs);
	base_free(net->out_idx);
	base_free(net);
}

static int plain_prepare(const struct abi_prog *prog, const struct vnpu_engine_opts *opts,
			 struct vnpu_net **out, struct base_err *err)
{
	struct vnpu_net *net = base_zalloc(sizeof(*net));
	u64 at_in = 0, at_out = 0;

	if (!net)
		return base_err_set(err, -ENOMEM, "plain engine: no memory");
	net->prog = prog;
	net->stop = opts->stop;
	if (alloc_parts(net)) {
		plain_drop(net);
		return base_err_set(err, -ENOMEM, "plain engine: no memory for %u operations",
				    prog->nr_ops);
	}
	describe_tensors(net);
	for (u32 i = 0; i < prog->nr_ops; i++) {
		describe_op(net, i, at_in, at_out);
		at_in += prog->ops[i].nr_in;
		at_out += prog->ops[i].nr_out;
	}
	*out = net;
	return 0;
}

static void *locate(const struct vnpu_net *net, u32 idx, void *const *bindings, u8 *arena)
{
	const struct abi_prog_tensor *t = &net->prog->tensors[idx];

	if (t->kind == ABI_TENSOR_ALIAS)
		t = &net->prog->tensors[t->off];
	switch (t->kind) {
	case ABI_TENSOR_CONST:
		return (void *)(uintptr_t)(net->prog->weights + t->off);
	case ABI_TENSOR_INPUT:
		return bindings[t->off];
	case ABI_TENSOR_OUTPUT:
		return bindings[net->prog->hdr->nr_inputs + t->off];
	default:
		return arena + t->off;
	}
}

static int plain_run(struct vnpu_net *net, void *const *bindings, void *arena, u32 *op,
		     struct base_err *err)
{
	int ret;

	for (u32 i = 0; i < net->prog->nr_tensors; i++)
		net->tensors[i].data = locate(net, i, bindings, arena);
	for (u64 i = 0; i < net->nr_out; i++)
		net->outs[i].data = net->tensors[net->out_idx[i]].data;
	for (u32 i = 0; i < net->prog->nr_ops; i++) {
		const struct plain_op *p = &net->ops[i];

		ret = vnpu_engine_stopped(net->stop, err);
		if (!ret)
			ret = kern_run(&p->kop, p->in, p->nr_in, p->out, p->nr_out, err);
		if (ret) {
			*op = i;
			return ret;
		}
	}
	return 0;
}

static bool plain_needs_arena(const struct vnpu_net *net)
{
	return net->prog->hdr->arena_size > 0;
}

static u64 plain_bytes(const struct vnpu_net *net)
{
	return net->prog->nr_ops * sizeof(*net->ops) +
	       net->prog->nr_tensors * sizeof(*net->tensors) + net->nr_in * sizeof(*net->in_ptrs) +
	       net->nr_out * (sizeof(*net->outs) + sizeof(*net->out_idx));
}

static const char *plain_impl(const struct vnpu_net *net, u32 op)
{
	return op < net->prog->nr_ops ? "plain" : NULL;
}

const struct vnpu_engine vnpu_engine_plain = {
	.abi = VNPU_ENGINE_ABI,
	.name = "plain",
	.prepare = plain_prepare,
	.run = plain_run,
	.drop = plain_drop,
	.needs_arena = plain_needs_arena,
	.bytes = plain_bytes,
	.impl = plain_impl,
};
