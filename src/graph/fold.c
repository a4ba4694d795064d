// SPDX-License-Identifier: MIT
/*
 * Constant folding: an operation on known values is run by the plain kernels while compiling.
 * What that may cost in memory and work is limited, because a file of a hundred bytes can ask for
 * anything; what is too expensive stays an operation of the program.
 */
#include <errno.h>
#include <string.h>

#include "graph/ir.h"

bool graph_ir_spend(struct ir *ir, u64 amount)
{
	if (amount > ir->fold_left)
		return false;
	ir->fold_left -= amount;
	return true;
}

int graph_ir_align(struct ir *ir, u32 id)
{
	struct ir_value *value = graph_ir_value(ir, id);
	void *copy;

	if (value->is_aligned || !((uintptr_t)value->t.data % 16)) {
		value->is_aligned = true;
		return 0;
	}
	copy = graph_mem_alloc(&ir->mem, 1, value->size ? value->size : 1);
	if (!copy)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	if (value->size)
		memcpy(copy, value->t.data, value->size);
	value->t.data = copy;
	value->is_aligned = true;
	return 0;
}

static bool times(u64 *total, u64 factor)
{
	return base_mul_u64(*total, factor, total);
}

/* Inner products of how many elements: the factor between an output element and the work on it. */
static u64 depth_of(const struct ir *ir, const struct kern_op *op, const u32 *in, u32 nr_in)
{
	const struct kern_tensor *t;
	u64 depth = 1;

	if (nr_in < 1 || in[0] == GRAPH_NONE)
		return 1;
	t = &graph_ir_value(ir, in[0])->t;
	if (op->code == ABI_OP_MATMUL) {
		for (u32 i = t->rank > 2 ? t->rank - 2 : 0; i < t->rank; i++)
			depth = base_max(depth, (u64)t->dims[i]);
		return depth;
	}
	if (op->code == ABI_OP_LRN && t->rank > 1)
		return t->dims[1];
	if (op->code == ABI_OP_POOL) {
		const struct abi_attr_pool *attr = op->attr;

		for (u32 i = 0; i < attr->win.nr_spatial && i < ABI_MAX_SPATIAL; i++)
			if (!times(&depth, attr->win.kernel[i]))
				return UINT64_MAX;
	}
	if ((op->code == ABI_OP_CONV || op->code == ABI_OP_CONV_TRANSPOSE) && nr_in > 1)
		return kern_nr_elements(&graph_ir_value(ir, in[1])->t);
	return depth;
}

/* Elements touched, roughly; false when that does not fit a number. */
static bool cost_of(const struct ir *ir, const struct kern_op *op, const u32 *in, u32 nr_in,
		    const struct kern_tensor *out, u32 nr_out, u64 *cost, u64 *bytes)
{
	u64 size;

	*cost = *bytes = 0;
	for (u32 i = 0; i < nr_in; i++)
		if (in[i] != GRAPH_NONE &&
		    !base_add_u64(*cost, graph_ir_value(ir, in[i])->size, cost))
			return false;
	for (u32 i = 0; i < nr_out; i++) {
		u64 work = base_max(kern_nr_elements(&out[i]), UINT64_C(1));

		if (!abi_tensor_size(out[i].dtype, out[i].rank, out[i].dims, &size) ||
		    !base_add_u64(*bytes, size, bytes) ||
		    !times(&work, depth_of(ir, op, in, nr_in)) || !base_add_u64(*cost, work, cost))
			return false;
	}
	return base_add_u64(*cost, *bytes, cost);
}

int graph_ir_fold(struct ir *ir, const struct kern_op *op, const u32 *in, u32 nr_in,
		  struct kern_tensor *out, u32 nr_out)
{
	const struct kern_tensor *ptrs[ABI_MAX_OPERANDS];
	u64 cost, bytes, size;
	int ret;

	if (!cost_of(ir, op, in, nr_in, out, nr_out, &cost, &bytes) || !graph_ir_spend(ir, cost))
		return 0;
	for (u32 i = 0; i < nr_in; i++) {
		ret = in[i] == GRAPH_NONE ? 0 : graph_ir_align(ir, in[i]);
		if (ret)
			return ret;
		ptrs[i] = in[i] == GRAPH_NONE ? NULL : &graph_ir_value(ir, in[i])->t;
	}
	for (u32 i = 0; i < nr_out; i++) {
		if (!abi_tensor_size(out[i].dtype, out[i].rank, out[i].dims, &size))
			return 0;
		out[i].data = graph_mem_alloc(&ir->mem, 1, size ? size : 1);
		if (!out[i].data)
			return base_err_set(ir->err, -ENOMEM, "out of memory");
	}
	ret = kern_run(op, ptrs, nr_in, out, nr_out, ir->err);
	return ret ? ret : 1;
}
