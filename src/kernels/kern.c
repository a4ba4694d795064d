// SPDX-License-Identifier: MIT
/*
 * The two entry points: one row per operation.  What all operations have in common is done here
 * once: known code, attribute size, arity, sane operands, empty results, misaligned memory.
 */
#include "kernels/kern.h"

#include "kernels/internal.h"

static const struct {
	int (*infer)(const struct kern_args *a);
	int (*run)(const struct kern_args *a);
	u8 min_in, max_in; /* the first min_in may not be omitted */
	u8 max_out;
} rows[ABI_NR_OPS] = {
	[ABI_OP_UNARY] = { kern_unary_infer, kern_unary_run, 1, 1, 1 },
	[ABI_OP_BINARY] = { kern_binary_infer, kern_binary_run, 2, 2, 1 },
	[ABI_OP_SELECT] = { kern_select_infer, kern_select_run, 3, 3, 1 },
	[ABI_OP_CAST] = { kern_cast_infer, kern_cast_run, 1, 1, 1 },
	[ABI_OP_COPY] = { kern_copy_infer, kern_copy_run, 1, 1, 1 },
	[ABI_OP_TRANSPOSE] = { kern_transpose_infer, kern_transpose_run, 1, 1, 1 },
	[ABI_OP_CONCAT] = { kern_concat_infer, kern_concat_run, 1, ABI_MAX_OPERANDS - 1, 1 },
	[ABI_OP_SLICE] = { kern_slice_infer, kern_slice_run, 1, 1, 1 },
	[ABI_OP_PAD] = { kern_pad_infer, kern_pad_run, 1, 2, 1 },
	[ABI_OP_GATHER] = { kern_gather_infer, kern_gather_run, 2, 2, 1 },
	[ABI_OP_EXPAND] = { kern_expand_infer, kern_expand_run, 1, 1, 1 },
	[ABI_OP_TILE] = { kern_tile_infer, kern_tile_run, 1, 1, 1 },
	[ABI_OP_REDUCE] = { kern_reduce_infer, kern_reduce_run, 1, 1, 1 },
	[ABI_OP_ARG] = { kern_arg_infer, kern_arg_run, 1, 1, 1 },
	[ABI_OP_SOFTMAX] = { kern_softmax_infer, kern_softmax_run, 1, 1, 1 },
	[ABI_OP_CONV] = { kern_conv_infer, kern_conv_run, 2, 4, 1 },
	[ABI_OP_CONV_TRANSPOSE] = { kern_conv_transpose_infer, kern_conv_transpose_run, 2, 3, 1 },
	[ABI_OP_POOL] = { kern_pool_infer, kern_pool_run, 1, 1, 2 },
	[ABI_OP_MATMUL] = { kern_matmul_infer, kern_matmul_run, 2, 3, 1 },
	[ABI_OP_BATCH_NORM] = { kern_batch_norm_infer, kern_batch_norm_run, 5, 5, 1 },
	[ABI_OP_INSTANCE_NORM] = { kern_instance_norm_infer, kern_instance_norm_run, 3, 3, 1 },
	[ABI_OP_LRN] = { kern_lrn_infer, kern_lrn_run, 1, 1, 1 },
};

static int check_op(const struct kern_args *a)
{
	const struct kern_op *op = a->op;
	u32 want;

	if (op->code >= ABI_NR_OPS || !rows[op->code].infer)
		return kern_bad(a, "operation code %u, 1 to %u wanted", op->code, ABI_NR_OPS - 1);
	want = abi_op_attr_size(op->code);
	if (op->attr_size != want || (want && !op->attr))
		return kern_bad(a, "attributes of %u bytes, %u wanted", op->attr_size, want);
	return 0;
}

static int check_arity(const struct kern_args *a)
{
	u32 min_in = rows[a->op->code].min_in, max_in = rows[a->op->code].max_in;
	u32 max_out = rows[a->op->code].max_out;

	if (a->nr_in < min_in || a->nr_in > max_in)
		return kern_bad(a, "%u inputs, %u to %u wanted", a->nr_in, min_in, max_in);
	if (!a->nr_out || a->nr_out > max_out)
		return kern_bad(a, "%u outputs, 1 to %u wanted", a->nr_out, max_out);
	for (u32 i = 0; i < min_in; i++)
		if (!a->in[i])
			return kern_bad(a, "input %u is missing", i);
	return 0;
}

static int check_inputs(const struct kern_args *a)
{
	u64 size;

	for (u32 i = 0; i < a->nr_in; i++) {
		const struct kern_tensor *t = a->in[i];

		if (t && !abi_tensor_size(t->dtype, t->rank, t->dims, &size))
			return kern_bad(a, "input %u: type %s rank %u: not a tensor, or too large",
					i, abi_dtype_name(t->dtype), t->rank);
	}
	return 0;
}

int kern_infer(const struct kern_op *op, const struct kern_tensor *const *in, u32 nr_in,
	       struct kern_tensor *out, u32 nr_out, struct base_err *err)
{
	const struct kern_args a = { op, in, nr_in, out, nr_out, err };
	int ret;

	ret = check_op(&a);
	if (ret)
		return ret;
	ret = check_arity(&a);
	if (!ret)
		ret = check_inputs(&a);
	if (!ret)
		ret = rows[op->code].infer(&a);
	if (ret)
		base_err_prefix(err, "%s", abi_op_name(op->code));
	return ret;
}

static u64 tensor_bytes(const struct kern_tensor *t)
{
	return kern_nr_elements(t) * abi_dtype_size(t->dtype);
}

static bool is_aligned(const struct kern_tensor *t)
{
	return !t || (uintptr_t)t->data % abi_dtype_size(t->dtype) == 0;
}

static bool are_all_aligned(const struct kern_args *a)
{
	for (u32 i = 0; i < a->nr_in; i++)
		if (!is_aligned(a->in[i]))
			return false;
	for (u32 i = 0; i < a->nr_out; i++)
		if (!is_aligned(&a->out[i]))
			return false;
	return true;
}

/* Operands of a run with aligned memory behind each; owns what it had to copy. */
struct bounce {
	const struct kern_tensor *in[ABI_MAX_OPERANDS];
	struct kern_tensor copy[ABI_MAX_OPERANDS];
	struct kern_tensor out[ABI_MAX_OUTPUTS];
	void *owned[ABI_MAX_OPERANDS + ABI_MAX_OUTPUTS];
	u32 nr_owned;
};

static int bounce_one(struct bounce *b, struct kern_tensor *t)
{
	void *data = base_zalloc(tensor_bytes(t));

	if (!data)
		return -ENOMEM;
	b->owned[b->nr_owned++] = data;
	t->data = data;
	return 0;
}

static int bounce_inputs(struct bounce *b, const struct kern_args *a)
{
	for (u32 i = 0; i < a->nr_in; i++) {
		b->in[i] = a->in[i];
		if (is_aligned(a->in[i]))
			continue;
		b->copy[i] = *a->in[i];
		if (bounce_one(b, &b->copy[i]))
			return -ENOMEM;
		memcpy(b->copy[i].data, a->in[i]->data, tensor_bytes(a->in[i]));
		b->in[i] = &b->copy[i];
	}
	return 0;
}

static int bounce_outputs(struct bounce *b, const struct kern_args *a)
{
	for (u32 i = 0; i < a->nr_out; i++) {
		b->out[i] = a->out[i];
		if (!is_aligned(&a->out[i]) && bounce_one(b, &b->out[i]))
			return -ENOMEM;
	}
	return 0;
}

/* Bindings may lie at any address (abi_range); typed access may not. */
static int run_bounced(const struct kern_args *a)
{
	struct kern_args aligned = *a;
	struct bounce b;
	int ret;

	b.nr_owned = 0;
	ret = bounce_inputs(&b, a);
	if (!ret)
		ret = bounce_outputs(&b, a);
	if (ret) {
		base_err_set(a->err, ret, "no memory for a misaligned operand");
		goto out_free;
	}
	aligned.in = b.in;
	aligned.out = b.out;
	ret = rows[a->op->code].run(&aligned);
	for (u32 i = 0; !ret && i < a->nr_out; i++)
		if (b.out[i].data != a->out[i].data)
			memcpy(a->out[i].data, b.out[i].data, tensor_bytes(&a->out[i]));
out_free:
	for (u32 i = 0; i < b.nr_owned; i++)
		base_free(b.owned[i]);
	return ret;
}

int kern_stopped(const struct kern_args *a)
{
	if (!kern_is_unwanted(a->op->stop))
		return 0;
	return base_err_set(a->err, -ECANCELED, "nobody wants the result any more");
}

int kern_run(const struct kern_op *op, const struct kern_tensor *const *in, u32 nr_in,
	     struct kern_tensor *out, u32 nr_out, struct base_err *err)
{
	const struct kern_args a = { op, in, nr_in, out, nr_out, err };
	bool is_empty = true;
	int ret;

	for (u32 i = 0; i < nr_out; i++)
		is_empty = is_empty && !kern_nr_elements(&out[i]);
	if (is_empty)
		return 0;
	ret = are_all_aligned(&a) ? rows[op->code].run(&a) : run_bounced(&a);
	if (ret)
		base_err_prefix(err, "%s", abi_op_name(op->code));
	return ret;
}
