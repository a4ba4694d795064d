/* SPDX-License-Identifier: MIT */
/* For tests: run a program with the plain kernels, checking it as the engine does. */
#ifndef GRAPH_TEST_EXEC_H
#define GRAPH_TEST_EXEC_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kern.h"

struct test_exec {
	struct abi_prog prog;
	u8 *arena;
	const void *const *inputs;
	void *const *outputs;
};

static inline u8 *test_exec_data(const struct test_exec *ex, u32 idx)
{
	const struct abi_prog_tensor *t = &ex->prog.tensors[idx];

	if (t->kind == ABI_TENSOR_ALIAS)
		t = &ex->prog.tensors[t->off];
	switch (t->kind) {
	case ABI_TENSOR_CONST:
		return (u8 *)(uintptr_t)ex->prog.weights + t->off;
	case ABI_TENSOR_INPUT:
		return (u8 *)(uintptr_t)ex->inputs[t->off];
	case ABI_TENSOR_OUTPUT:
		return ex->outputs[t->off];
	default:
		return ex->arena + t->off;
	}
}

static inline struct kern_tensor test_exec_tensor(const struct test_exec *ex, u32 idx)
{
	const struct abi_prog_tensor *t = &ex->prog.tensors[idx];
	struct kern_tensor k = { .data = test_exec_data(ex, idx),
				 .dtype = t->dtype,
				 .rank = t->rank };

	memcpy(k.dims, t->dims, sizeof(k.dims));
	return k;
}

static inline int test_exec_op(const struct test_exec *ex, const struct abi_prog_op *op,
			       struct base_err *err)
{
	const struct kern_op kop = { op->code, op->attr_size ? ex->prog.attrs + op->attr : NULL,
				     op->attr_size, NULL };
	struct kern_tensor *in = base_alloc_array(ABI_MAX_OPERANDS, sizeof(*in)), out[4];
	const struct kern_tensor *ptrs[ABI_MAX_OPERANDS];
	const u32 *operands = ex->prog.operands + op->operand;
	int ret;

	if (!in)
		return -ENOMEM;
	for (u32 i = 0; i < op->nr_in; i++) {
		ptrs[i] = NULL;
		if (operands[i] == ABI_TENSOR_NONE)
			continue;
		in[i] = test_exec_tensor(ex, operands[i]);
		ptrs[i] = &in[i];
	}
	for (u32 i = 0; i < op->nr_out; i++)
		out[i] = test_exec_tensor(ex, operands[op->nr_in + i]);
	ret = kern_run(&kop, ptrs, op->nr_in, out, op->nr_out, err);
	base_free(in);
	return ret;
}

/* @inputs and @outputs: one buffer each, of the size the program says. */
static inline int test_exec(const void *image, size_t size, const void *const *inputs,
			    void *const *outputs, struct base_err *err)
{
	struct test_exec ex = { .inputs = inputs, .outputs = outputs };
	int ret;

	ret = abi_prog_open(image, size, &ex.prog, err);
	if (!ret)
		ret = kern_prog_check(&ex.prog, err);
	if (ret)
		return ret;
	ex.arena = aligned_alloc(ABI_PROG_ALIGN, ex.prog.hdr->arena_size + ABI_PROG_ALIGN);
	if (!ex.arena)
		return -ENOMEM;
	memset(ex.arena, 0xA5, ex.prog.hdr->arena_size); /* nothing may rely on zeros */
	for (u32 i = 0; i < ex.prog.nr_ops && !ret; i++) {
		ret = test_exec_op(&ex, &ex.prog.ops[i], err);
		if (ret)
			base_err_prefix(err, "op %u (%s)", i, abi_op_name(ex.prog.ops[i].code));
	}
	free(ex.arena);
	return ret;
}

#endif
