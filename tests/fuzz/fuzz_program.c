// SPDX-License-Identifier: MIT
/*
 * Programs: any bytes behind a header made plausible (magic, version, size, hash), so that the
 * checks behind it are reached.  What passes them all runs on the plain engine, if it is small.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/kern.h"
#include "vnpu/engine/engine.h"

#define MAX_BYTES (UINT64_C(1) << 20) /* of arena and bindings together */
#define MAX_WORK  (UINT64_C(1) << 24) /* multiplications, about */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 elements(const struct abi_prog_tensor *t)
{
	return t->size / abi_dtype_size(t->dtype);
}

/* Saturating. */
static u64 times(u64 a, u64 b)
{
	u64 product;

	return base_mul_u64(a, b, &product) ? product : UINT64_MAX;
}

/* An upper bound that is good enough: each output element reads all of a weight or window. */
static u64 work_of(const struct abi_prog *prog, const struct abi_prog_op *op)
{
	const u32 *operand = prog->operands + op->operand;
	const struct abi_window *win = (const void *)(prog->attrs + op->attr);
	u64 largest = 1, taps = 1;

	for (u32 i = 0; i < (u32)op->nr_in + op->nr_out; i++)
		if (operand[i] != ABI_TENSOR_NONE)
			largest = base_max(largest, elements(&prog->tensors[operand[i]]));
	if (op->code == ABI_OP_POOL) /* its attributes start with the window */
		for (u32 i = 0; i < win->nr_spatial; i++)
			taps = times(taps, win->kernel[i]);
	if (op->code == ABI_OP_CONV || op->code == ABI_OP_CONV_TRANSPOSE ||
	    op->code == ABI_OP_MATMUL)
		taps = base_max(elements(&prog->tensors[operand[1]]), UINT64_C(1));
	return times(largest, taps);
}

static bool is_small(const struct abi_prog *prog)
{
	u64 work = 0, bytes = prog->hdr->arena_size;

	for (u32 i = 0; i < prog->nr_tensors; i++)
		if (prog->tensors[i].kind == ABI_TENSOR_INPUT ||
		    prog->tensors[i].kind == ABI_TENSOR_OUTPUT)
			bytes += prog->tensors[i].size;
	for (u32 i = 0; i < prog->nr_ops; i++) {
		work += base_min(work_of(prog, &prog->ops[i]), MAX_WORK);
		if (work > MAX_WORK)
			return false;
	}
	return bytes <= MAX_BYTES;
}

static void *allocate(u64 size)
{
	void *p = NULL;

	/* No byte more than asked for: a sanitizer watches the end. */
	if (posix_memalign(&p, ABI_PROG_ALIGN, base_max(size, UINT64_C(1))))
		abort();
	memset(p, 1, size);
	return p;
}

static void run(const struct abi_prog *prog)
{
	const struct vnpu_engine_opts opts = { .nr_threads = 1 };
	u32 nr = prog->hdr->nr_inputs + prog->hdr->nr_outputs;
	void **bindings = allocate((nr + 1) * sizeof(*bindings));
	void *arena = allocate(prog->hdr->arena_size);
	struct base_err err = { .text = "" };
	struct vnpu_net *net;
	u32 op = UINT32_MAX;

	for (u32 i = 0; i < nr; i++)
		bindings[i] =
			allocate(i < prog->hdr->nr_inputs
					 ? abi_prog_input(prog, i)->size
					 : abi_prog_output(prog, i - prog->hdr->nr_inputs)->size);
	if (!vnpu_engine_plain.prepare(prog, &opts, &net, &err)) {
		if (vnpu_engine_plain.run(net, bindings, arena, &op, &err) &&
		    (!err.text[0] || op >= prog->nr_ops))
			abort(); /* failed without a reason, or at no operation */
		vnpu_engine_plain.drop(net);
	}
	for (u32 i = 0; i < nr; i++)
		free(bindings[i]);
	free(bindings);
	free(arena);
}

static void make_plausible(u8 *image, u64 size)
{
	struct abi_prog_header h;

	memcpy(&h, image, sizeof(h));
	h.magic = ABI_PROG_MAGIC;
	h.version_major = ABI_PROG_VERSION_MAJOR;
	h.version_minor = ABI_PROG_VERSION_MINOR;
	h.size = size;
	h.content_hash = base_hash64(image + sizeof(h), size - sizeof(h), 0);
	memcpy(image, &h, sizeof(h));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct base_err err = { .text = "" };
	struct abi_prog prog;
	u8 *image = allocate(size);
	int ret;

	memcpy(image, data, size);
	if (size >= sizeof(struct abi_prog_header))
		make_plausible(image, size);
	ret = abi_prog_open(image, size, &prog, &err);
	if (!ret)
		ret = kern_prog_check(&prog, &err);
	if (ret && !err.text[0])
		abort(); /* refused without a reason */
	if (!ret && is_small(&prog))
		run(&prog);
	free(image);
	return 0;
}
