// SPDX-License-Identifier: MIT
#include "graph/ir.h"

#include <errno.h>
#include <string.h>

#define FOLD_ALWAYS_BYTES 65536u /* no_fold: values this small are still known, for shapes */

int graph_ir_add_value(struct ir *ir, const struct kern_tensor *t, const char *name, u32 *id)
{
	struct ir_value *value;
	u64 size;

	if (!abi_tensor_size(t->dtype, t->rank, t->dims, &size))
		return base_err_set(ir->err, -E2BIG,
				    "tensor '%.60s' is too large or of an unknown type", name);
	if (ir->values.nr >= ABI_MAX_TENSORS)
		return base_err_set(ir->err, -E2BIG, "more than %u tensors", ABI_MAX_TENSORS);
	value = graph_vec_add(&ir->mem, &ir->values, sizeof(*value));
	if (!value)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	*value = (struct ir_value){ .t = *t, .size = size, .name = name };
	value->is_known = value->is_const = t->data != NULL;
	value->input = value->producer = value->reader = GRAPH_NONE;
	*id = ir->values.nr - 1;
	return 0;
}

int graph_ir_const(struct ir *ir, u32 dtype, u32 rank, const u32 *dims, const void *data, u32 *id)
{
	struct kern_tensor t = { .dtype = dtype, .rank = rank };
	u64 size;
	int ret;

	if (rank)
		memcpy(t.dims, dims, rank * sizeof(*dims));
	if (!abi_tensor_size(dtype, rank, t.dims, &size))
		return base_err_set(ir->err, -E2BIG, "constant is too large");
	t.data = graph_mem_alloc(&ir->mem, 1, size ? size : 1);
	if (!t.data)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	if (size)
		memcpy(t.data, data, size);
	ret = graph_ir_add_value(ir, &t, "", id);
	if (!ret)
		graph_ir_value(ir, *id)->is_aligned = true;
	return ret;
}

/* Tensors for the kernels; @ptrs point into @tensors, NULL for omitted operands. */
static void gather_inputs(const struct ir *ir, const u32 *in, u32 nr_in,
			  const struct kern_tensor **ptrs)
{
	for (u32 i = 0; i < nr_in; i++)
		ptrs[i] = in[i] == GRAPH_NONE ? NULL : &graph_ir_value(ir, in[i])->t;
}

static bool all_known(const struct ir *ir, const u32 *in, u32 nr_in)
{
	for (u32 i = 0; i < nr_in; i++)
		if (in[i] != GRAPH_NONE && !graph_ir_value(ir, in[i])->is_known)
			return false;
	return true;
}

static int append(struct ir *ir, const struct kern_op *kop, const u32 *in, u32 nr_in,
		  const u32 *out, u32 nr_out)
{
	struct ir_op *op = graph_vec_add(&ir->mem, &ir->ops, sizeof(*op));

	if (!op)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	*op = (struct ir_op){ .code = kop->code,
			      .nr_in = nr_in,
			      .nr_out = nr_out,
			      .attr_size = kop->attr_size,
			      .name = ir->op_name };
	op->in = graph_mem_alloc(&ir->mem, nr_in, sizeof(*in));
	op->attr = graph_mem_alloc(&ir->mem, 1, kop->attr_size ? kop->attr_size : 1);
	if (!op->in || !op->attr) {
		ir->ops.nr--;
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	}
	if (nr_in)
		memcpy(op->in, in, nr_in * sizeof(*in));
	if (kop->attr_size)
		memcpy(op->attr, kop->attr, kop->attr_size);
	for (u32 i = 0; i < nr_out; i++) {
		op->out[i] = out[i];
		graph_ir_value(ir, out[i])->producer = ir->ops.nr - 1;
	}
	return 0;
}

/* Known results become constants; with no_fold small ones are known as well, but still made. */
static int try_fold(struct ir *ir, const struct kern_op *op, const u32 *in, u32 nr_in,
		    struct kern_tensor *out, u32 nr_out)
{
	if (!all_known(ir, in, nr_in))
		return 0;
	if (ir->no_fold)
		for (u32 i = 0; i < nr_out; i++)
			if (kern_nr_elements(&out[i]) > FOLD_ALWAYS_BYTES)
				return 0;
	return graph_ir_fold(ir, op, in, nr_in, out, nr_out);
}

static int emit(struct ir *ir, u32 code, const void *attr, size_t attr_size, const u32 *in,
		u32 nr_in, u32 *out, u32 nr_out, bool can_fold)
{
	const struct kern_op op = { .code = code, .attr = attr, .attr_size = (u32)attr_size };
	const struct kern_tensor *ptrs[ABI_MAX_OPERANDS];
	struct kern_tensor results[IR_MAX_OUT] = { 0 };
	u32 ids[IR_MAX_OUT];
	int ret, folded;

	if (nr_in > ABI_MAX_OPERANDS - nr_out || nr_out > IR_MAX_OUT)
		return base_err_set(ir->err, -E2BIG, "too many operands (%u)", nr_in);
	gather_inputs(ir, in, nr_in, ptrs);
	ret = kern_infer(&op, ptrs, nr_in, results, nr_out, ir->err);
	if (ret)
		return ret;
	folded = can_fold ? try_fold(ir, &op, in, nr_in, results, nr_out) : 0;
	if (folded < 0)
		return folded;
	for (u32 i = 0; i < nr_out; i++) {
		ret = graph_ir_add_value(ir, &results[i], "", &ids[i]);
		if (ret)
			return ret;
		graph_ir_value(ir, ids[i])->is_aligned = true;
		graph_ir_value(ir, ids[i])->is_const = folded && !ir->no_fold;
	}
	if (folded && !ir->no_fold)
		ir->nr_folded++;
	else
		ret = append(ir, &op, in, nr_in, ids, nr_out);
	if (!ret)
		memcpy(out, ids, nr_out * sizeof(*out)); /* @out may be @in */
	return ret;
}

int graph_ir_emit(struct ir *ir, u32 code, const void *attr, size_t attr_size, const u32 *in,
		  u32 nr_in, u32 *out, u32 nr_out)
{
	return emit(ir, code, attr, attr_size, in, nr_in, out, nr_out, true);
}

int graph_ir_copy(struct ir *ir, u32 x, u32 *out)
{
	struct abi_attr_shape attr = { .rank = graph_ir_value(ir, x)->t.rank };

	memcpy(attr.dims, graph_ir_value(ir, x)->t.dims, attr.rank * sizeof(u32));
	return emit(ir, ABI_OP_COPY, &attr, sizeof(attr), &x, 1, out, 1, false);
}

bool graph_ir_still_fits(const struct ir *ir, const struct ir_op *op)
{
	const struct kern_op kop = { .code = op->code,
				     .attr = op->attr,
				     .attr_size = op->attr_size };
	const struct kern_tensor *want = &graph_ir_value(ir, op->out[0])->t;
	const struct kern_tensor *ptrs[ABI_MAX_OPERANDS];
	struct kern_tensor got[IR_MAX_OUT] = { 0 };

	gather_inputs(ir, op->in, op->nr_in, ptrs);
	if (kern_infer(&kop, ptrs, op->nr_in, got, op->nr_out, NULL))
		return false;
	return got[0].dtype == want->dtype && got[0].rank == want->rank &&
	       !memcmp(got[0].dims, want->dims, want->rank * sizeof(want->dims[0]));
}

void graph_ir_count_uses(struct ir *ir)
{
	const u32 *outputs = ir->outputs.items;

	for (u32 i = 0; i < ir->values.nr; i++)
		graph_ir_value(ir, i)->nr_uses = 0;
	for (u32 i = 0; i < ir->ops.nr; i++) {
		const struct ir_op *op = graph_ir_op(ir, i);

		for (u32 k = 0; k < op->nr_in && !op->is_dead; k++) {
			if (op->in[k] == GRAPH_NONE)
				continue;
			graph_ir_value(ir, op->in[k])->nr_uses++;
			graph_ir_value(ir, op->in[k])->reader = i;
		}
	}
	for (u32 i = 0; i < ir->outputs.nr; i++) {
		graph_ir_value(ir, outputs[i])->nr_uses++;
		graph_ir_value(ir, outputs[i])->is_output = true;
	}
}

void graph_ir_remove_dead(struct ir *ir)
{
	graph_ir_count_uses(ir);
	for (u32 i = ir->ops.nr; i-- > 0;) {
		struct ir_op *op = graph_ir_op(ir, i);
		bool is_used = false;

		if (op->is_dead)
			continue;
		for (u32 k = 0; k < op->nr_out; k++)
			is_used |= graph_ir_value(ir, op->out[k])->nr_uses > 0;
		if (is_used)
			continue;
		op->is_dead = true;
		for (u32 k = 0; k < op->nr_in; k++)
			if (op->in[k] != GRAPH_NONE)
				graph_ir_value(ir, op->in[k])->nr_uses--;
	}
}
