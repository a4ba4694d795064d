// SPDX-License-Identifier: MIT
/*
 * The plain engine: src/kernels, one operation after the other, on the calling thread.  Tensors lie
 * where the program says: weights in the image, the rest in the arena and the bindings.
 */
#include <errno.h>
#include <string.h>

#include "kernels/kern.h"
#include "vnpu/engine/engine.h"

struct vnpu_net {
	const struct abi_prog *prog;
	struct kern_tensor *tensors; /* one per program tensor; data is set at each run */
};

static void *data_of(const struct abi_prog *prog, const struct abi_prog_tensor *t,
		     void *const *bindings, u8 *arena)
{
	static u64 nothing; /* where the arena has no bytes its tensors have none either */

	switch (t->kind) {
	case ABI_TENSOR_CONST:
		return (void *)(uintptr_t)(prog->weights + t->off); /* never written through */
	case ABI_TENSOR_INPUT:
		return bindings[t->off];
	case ABI_TENSOR_OUTPUT:
		return bindings[prog->hdr->nr_inputs + t->off];
	default:
		return arena ? arena + t->off : (u8 *)&nothing;
	}
}

static void locate(struct vnpu_net *net, void *const *bindings, u8 *arena)
{
	const struct abi_prog *prog = net->prog;

	for (u32 i = 0; i < prog->nr_tensors; i++) {
		const struct abi_prog_tensor *t = &prog->tensors[i];

		net->tensors[i].data = t->kind == ABI_TENSOR_ALIAS
					       ? net->tensors[t->off].data /* an earlier one */
					       : data_of(prog, t, bindings, arena);
	}
}

static int run_op(struct vnpu_net *net, const struct abi_prog_op *op, struct base_err *err)
{
	const struct abi_prog *prog = net->prog;
	const u32 *operand = prog->operands + op->operand;
	const struct kern_op kop = { op->code, op->attr_size ? prog->attrs + op->attr : NULL,
				     op->attr_size };
	const struct kern_tensor *in[ABI_MAX_OPERANDS];
	struct kern_tensor out[ABI_MAX_OUTPUTS];

	for (u32 i = 0; i < op->nr_in; i++)
		in[i] = operand[i] == ABI_TENSOR_NONE ? NULL : &net->tensors[operand[i]];
	for (u32 i = 0; i < op->nr_out; i++)
		out[i] = net->tensors[operand[op->nr_in + i]];
	return kern_run(&kop, in, op->nr_in, out, op->nr_out, err);
}

static int plain_run(struct vnpu_net *net, void *const *bindings, void *arena, struct base_err *err)
{
	const struct abi_prog *prog = net->prog;
	int ret;

	locate(net, bindings, arena);
	for (u32 i = 0; i < prog->nr_ops; i++) {
		ret = run_op(net, &prog->ops[i], err);
		if (ret) {
			base_err_prefix(err, "op %u", i);
			return ret;
		}
	}
	return 0;
}

static int plain_prepare(const struct abi_prog *prog, const struct vnpu_engine_opts *opts,
			 struct vnpu_net **out, struct base_err *err)
{
	struct vnpu_net *net;

	(void)opts; /* one thread; nothing here is a reference to something faster */
	net = base_zalloc(sizeof(*net));
	if (!net)
		return base_err_set(err, -ENOMEM, "no memory for a program");
	net->prog = prog;
	net->tensors = base_alloc_array((size_t)prog->nr_tensors + 1, sizeof(*net->tensors));
	if (!net->tensors) {
		base_free(net);
		return base_err_set(err, -ENOMEM, "no memory for %u tensors", prog->nr_tensors);
	}
	for (u32 i = 0; i < prog->nr_tensors; i++) {
		const struct abi_prog_tensor *t = &prog->tensors[i];

		net->tensors[i].dtype = t->dtype;
		net->tensors[i].rank = t->rank;
		memcpy(net->tensors[i].dims, t->dims, sizeof(t->dims));
	}
	*out = net;
	return 0;
}

static void plain_drop(struct vnpu_net *net)
{
	base_free(net->tensors);
	base_free(net);
}

static const char *plain_impl(const struct vnpu_net *net, u32 op)
{
	return op < net->prog->nr_ops ? "plain" : NULL;
}

const struct vnpu_engine vnpu_engine_plain = {
	.abi = VNPU_ENGINE_ABI,
	.name = "plain",
	.uses_arena = true,
	.prepare = plain_prepare,
	.run = plain_run,
	.drop = plain_drop,
	.impl = plain_impl,
};
