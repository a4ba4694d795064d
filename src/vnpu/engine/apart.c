// SPDX-License-Identifier: MIT
/* Runs that work on copies (apart.h). */
#include "vnpu/engine/apart.h"

#include <errno.h>
#include <string.h>

/* Multiply-adds of one operation: a slow processor needs some 100 ms for them. */
#define LONG_OP (UINT64_C(1) << 31)

static u64 product(const u32 *dims, u32 nr)
{
	u64 p = 1;

	for (u32 i = 0; i < nr; i++)
		if (__builtin_mul_overflow(p, (u64)dims[i], &p))
			return UINT64_MAX;
	return p;
}

static const struct abi_prog_tensor *operand(const struct abi_prog *prog,
					     const struct abi_prog_op *op, u32 i)
{
	return &prog->tensors[prog->operands[op->operand + i]];
}

/* What one element of the result (of CONV_TRANSPOSE: of x) costs; 0: hardly anything. */
static u64 per_element(const struct abi_prog *prog, const struct abi_prog_op *op)
{
	const struct abi_prog_tensor *x = operand(prog, op, 0), *w;
	const struct abi_attr_matmul *matmul;
	const struct abi_attr_pool *pool;

	switch (op->code) {
	case ABI_OP_CONV:
	case ABI_OP_CONV_TRANSPOSE:
		w = operand(prog, op, 1);
		return product(w->dims + 1, w->rank - 1u);
	case ABI_OP_MATMUL:
		matmul = (const void *)(prog->attrs + op->attr);
		return x->dims[x->rank - (matmul->trans_a ? 2u : 1u)];
	case ABI_OP_POOL:
		pool = (const void *)(prog->attrs + op->attr);
		return product(pool->win.kernel, pool->win.nr_spatial);
	default:
		return 0;
	}
}

static bool is_long(const struct abi_prog *prog, const struct abi_prog_op *op)
{
	const struct abi_prog_tensor *y =
		operand(prog, op, op->code == ABI_OP_CONV_TRANSPOSE ? 0 : op->nr_in);
	u64 products;

	return __builtin_mul_overflow(product(y->dims, y->rank), per_element(prog, op),
				      &products) ||
	       products > LONG_OP;
}

bool vnpu_apart_is_wanted(const struct abi_prog *prog)
{
	for (u32 i = 0; i < prog->nr_ops; i++)
		if (is_long(prog, &prog->ops[i]))
			return true;
	return false;
}

/* Of binding @i, or of the arena behind them. */
static u64 size_of(const struct abi_prog *prog, u32 i)
{
	const struct abi_prog_header *h = prog->hdr;

	if (i < h->nr_inputs)
		return abi_prog_input(prog, i)->size;
	if (i < h->nr_inputs + h->nr_outputs)
		return abi_prog_output(prog, i - h->nr_inputs)->size;
	return h->arena_size;
}

static int move(const struct vnpu_exec_job *job, u32 i, u64 size, u8 *copy, bool out,
		struct base_err *err)
{
	const struct vnpu_exec_mem *mem = job->mem;
	const u64 addr = job->bindings[i].addr;
	void *ptr, *token;
	int ret;

	if (!size)
		return 0;
	ret = mem->view(mem->opaque, addr, size, out, &ptr, &token);
	if (ret)
		return base_err_set(err, ret, "binding %u: no memory of %llu bytes at 0x%llx", i,
				    (unsigned long long)size, (unsigned long long)addr);
	memcpy(out ? ptr : copy, out ? copy : ptr, size);
	mem->release(mem->opaque, token, out);
	return 0;
}

/* Sizes of a checked program: none is near the end of the range, but their sum may be. */
static int alloc(const struct abi_prog *prog, void **ptrs, void **memory, struct base_err *err)
{
	const u32 nr = prog->hdr->nr_inputs + prog->hdr->nr_outputs;
	u64 total = 0;
	u8 *at;

	for (u32 i = 0; i <= nr && total <= VNPU_EXEC_MAX_BYTES; i++)
		total += base_align_up(size_of(prog, i), ABI_PROG_ALIGN);
	*memory = total <= VNPU_EXEC_MAX_BYTES ? base_zalloc(total + ABI_PROG_ALIGN) : NULL;
	if (!*memory)
		return base_err_set(err, -ENOMEM, "no memory for copies of %llu bytes",
				    (unsigned long long)total);
	at = (u8 *)base_align_up((uintptr_t)*memory, ABI_PROG_ALIGN);
	for (u32 i = 0; i <= nr; i++) {
		ptrs[i] = at;
		at += base_align_up(size_of(prog, i), ABI_PROG_ALIGN);
	}
	return 0;
}

int vnpu_apart_take(const struct abi_prog *prog, const struct vnpu_exec_job *job, void **ptrs,
		    void **memory, struct base_err *err)
{
	int ret = alloc(prog, ptrs, memory, err);

	for (u32 i = 0; !ret && i < prog->hdr->nr_inputs; i++)
		ret = move(job, i, size_of(prog, i), ptrs[i], false, err);
	return ret;
}

int vnpu_apart_give(const struct abi_prog *prog, const struct vnpu_exec_job *job, void **ptrs,
		    struct base_err *err)
{
	const u32 nr = prog->hdr->nr_inputs + prog->hdr->nr_outputs;
	int ret = 0;

	for (u32 i = prog->hdr->nr_inputs; !ret && i < nr; i++)
		ret = move(job, i, size_of(prog, i), ptrs[i], true, err);
	return ret;
}
