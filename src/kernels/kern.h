/* SPDX-License-Identifier: MIT */
/*
 * Operators in plain C: the truth that every faster engine is compared with, and the graph
 * compiler's constant folder.  Pure functions on dense, contiguous tensors: no state, no I/O, no
 * allocation that outlives a call, any thread.
 *
 * One function knows the shape rules (kern_infer), one runs (kern_run).  The graph compiler infers
 * with the same code that validates a program on load, so they cannot disagree.
 */
#ifndef KERNELS_KERN_H
#define KERNELS_KERN_H

#include "abi/program.h"

struct kern_tensor {
	void *data; /* NULL where only the shape matters; never written through for inputs */
	u32 dtype;  /* enum abi_dtype */
	u32 rank;
	u32 dims[ABI_MAX_RANK];
};

struct kern_op {
	u32 code;	  /* enum abi_op */
	const void *attr; /* the code's structure of abi/program.h, any alignment of 8; or NULL */
	u32 attr_size;
	const u32 *stop; /* set by another thread: no longer wanted; NULL: it always is */
};

/**
 * kern_infer() - check operands and attributes, compute type and shape of the outputs
 * @in:  @nr_in tensors, NULL pointers for omitted ones; data is not looked at
 * @out: @nr_out tensors whose dtype, rank and dims are written (data untouched)
 *
 * Everything about an operation that can be wrong is found here: attribute values out of range,
 * wrong types, shapes that do not fit, results larger than ABI_MAX_TENSOR_SIZE.
 *
 * Return: 0, -EINVAL, or -EOPNOTSUPP (a type this operation has no kernel for); @err says why.
 */
int kern_infer(const struct kern_op *op, const struct kern_tensor *const *in, u32 nr_in,
	       struct kern_tensor *out, u32 nr_out, struct base_err *err) BASE_WARN_UNUSED;

/**
 * kern_run() - compute
 *
 * The operands must be those kern_infer() accepted, with data at any address (what is not aligned
 * to its element size is copied first); outputs of the inferred shape; outputs overlap no input,
 * except ABI_OP_UNARY and ABI_OP_COPY in place.  An empty tensor needs no memory.
 * Data-dependent errors (a Gather index out of range) give -EINVAL; the output is unspecified then.
 *
 * Return: 0, -EINVAL, -ENOMEM (scratch memory), or -ECANCELED (op->stop; outputs are undefined).
 */
int kern_run(const struct kern_op *op, const struct kern_tensor *const *in, u32 nr_in,
	     struct kern_tensor *out, u32 nr_out, struct base_err *err) BASE_WARN_UNUSED;

/**
 * kern_prog_check() - do all shapes and types of a program agree with its operations?
 *
 * Together with abi_prog_open() this makes a program safe to execute.
 * Return: 0, -EINVAL or -EOPNOTSUPP with the operation's number and name in @err.
 */
int kern_prog_check(const struct abi_prog *prog, struct base_err *err) BASE_WARN_UNUSED;

/** kern_nr_elements() - product of the dims; 1 for a scalar. */
u64 kern_nr_elements(const struct kern_tensor *t);

/** kern_f16_to_f32(), kern_f32_to_f16() - IEEE half precision, round to nearest even. */
float kern_f16_to_f32(u16 h);
u16 kern_f32_to_f16(float f);

#endif
