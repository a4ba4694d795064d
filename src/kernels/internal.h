/* SPDX-License-Identifier: MIT */
/*
 * What the operators share: element types as three classes, strips of elements converted to the
 * class's wide type, walks over broadcast operands, windows and the matrix product.
 *
 * Arithmetic is done on strips of at most KERN_STRIP elements: load converts to double, s64 or u64,
 * store rounds or wraps back.  So every operator is written once per class, not once per type.
 */
#ifndef KERNELS_INTERNAL_H
#define KERNELS_INTERNAL_H

#include <errno.h>
#include <string.h>

#include "kernels/kern.h"

struct kern_args {
	const struct kern_op *op;
	const struct kern_tensor *const *in;
	u32 nr_in;
	struct kern_tensor *out;
	u32 nr_out;
	struct base_err *err;
};

/* Asked wherever an operation may be at it for long: more than a pass over its operands. */
static inline bool kern_is_unwanted(const u32 *stop)
{
	return stop && __atomic_load_n(stop, __ATOMIC_RELAXED);
}

int kern_stopped(const struct kern_args *a) BASE_WARN_UNUSED;

/* Input @i, or NULL when omitted. */
static inline const struct kern_tensor *kern_in(const struct kern_args *a, u32 i)
{
	return i < a->nr_in ? a->in[i] : NULL;
}

/* Where @t begins; an empty tensor may have no memory, but pointers into it are still computed. */
static inline const u8 *kern_bytes(const struct kern_tensor *t)
{
	static const u64 nothing;

	return t->data ? t->data : (const void *)&nothing;
}

#define kern_bad(a, ...)	 base_err_set((a)->err, -EINVAL, __VA_ARGS__)
#define kern_unsupported(a, ...) base_err_set((a)->err, -EOPNOTSUPP, __VA_ARGS__)

/* --- infer.c: common rules --- */

#define KERN_T(dtype) BASE_BIT(ABI_##dtype)
#define KERN_FLOATS   (KERN_T(F16) | KERN_T(F32) | KERN_T(F64))
#define KERN_SINTS    (KERN_T(S8) | KERN_T(S16) | KERN_T(S32) | KERN_T(S64))
#define KERN_UINTS    (KERN_T(U8) | KERN_T(U16) | KERN_T(U32) | KERN_T(U64))
#define KERN_INTS     (KERN_SINTS | KERN_UINTS)
#define KERN_NUMERIC  (KERN_FLOATS | KERN_INTS)
#define KERN_BOOL     KERN_T(BOOL)
#define KERN_ANY      (KERN_NUMERIC | KERN_BOOL)

/** kern_set_out() - shape of output @i; -EINVAL when it is larger than a tensor may be. */
int kern_set_out(const struct kern_args *a, u32 i, u32 dtype, u32 rank,
		 const u32 *dims) BASE_WARN_UNUSED;
/** kern_want_types() - -EOPNOTSUPP unless input @i has one of @types. */
int kern_want_types(const struct kern_args *a, u32 i, u32 types) BASE_WARN_UNUSED;
/** kern_want_same_type() - -EINVAL unless input @i, when there, has input 0's type. */
int kern_want_same_type(const struct kern_args *a, u32 i) BASE_WARN_UNUSED;
/** kern_want_vector() - -EINVAL unless input @i, when there, has shape [@len]. */
int kern_want_vector(const struct kern_args *a, u32 i, u32 len) BASE_WARN_UNUSED;
/** kern_want_axis() - -EINVAL unless @axis is below @rank. */
int kern_want_axis(const struct kern_args *a, u32 axis, u32 rank) BASE_WARN_UNUSED;
/** kern_want_act() - -EINVAL or -EOPNOTSUPP unless @act is a function with a kernel for @dtype. */
int kern_want_act(const struct kern_args *a, const struct abi_act *act, u32 dtype) BASE_WARN_UNUSED;
/** kern_broadcast() - numpy's rule for two shapes into @rank, @dims; may be in place on one. */
int kern_broadcast(const struct kern_args *a, u32 rank_x, const u32 *dims_x, u32 rank_y,
		   const u32 *dims_y, u32 *rank, u32 *dims) BASE_WARN_UNUSED;
/** kern_broadcasts_to() - does @t fit @rank, @dims without changing them? */
bool kern_broadcasts_to(const struct kern_tensor *t, u32 rank, const u32 *dims);

/* --- types.c: elements --- */

#define KERN_STRIP 256u

enum kern_class { KERN_CLASS_FLOAT, KERN_CLASS_SINT, KERN_CLASS_UINT };

union kern_strip {
	double f[KERN_STRIP];
	s64 s[KERN_STRIP];
	u64 u[KERN_STRIP];
};

enum kern_class kern_class(u32 dtype);
/** kern_load() - @n elements from @off on, @step apart, into the type's class. */
void kern_load(u32 dtype, const void *data, s64 off, s64 step, u32 n, union kern_strip *dst);
/** kern_store() - back; rounds to the float type, wraps to the integer type. */
void kern_store(u32 dtype, void *data, s64 off, u32 n, const union kern_strip *src);
/** kern_load_f64() - like kern_load(), but any type to double. */
void kern_load_f64(u32 dtype, const void *data, s64 off, s64 step, u32 n, double *dst);
/** kern_store_f64() - double to any type; integers truncate and saturate, NaN gives 0. */
void kern_store_f64(u32 dtype, void *data, s64 off, u32 n, const double *src);
/** kern_copy() - @n elements of @esize bytes, steps in elements; ranges apart. */
void kern_copy(u32 esize, void *dst, s64 dst_step, const void *src, s64 src_step, u64 n);

/* --- walk.c: several operands over one index space --- */

#define KERN_WALK_RANK	   16u
#define KERN_WALK_OPERANDS 4u

struct kern_walk {
	u32 rank;
	u32 nr;
	u64 dims[KERN_WALK_RANK];
	s64 stride[KERN_WALK_OPERANDS][KERN_WALK_RANK]; /* in elements */
	u64 idx[KERN_WALK_RANK];
	s64 row[KERN_WALK_OPERANDS]; /* offset of idx with the last index 0 */
	bool is_over;
	/* the current strip */
	u32 n;
	s64 off[KERN_WALK_OPERANDS];
	s64 step[KERN_WALK_OPERANDS];
};

void kern_walk_init(struct kern_walk *w, u32 rank, const u32 *dims);
/** kern_walk_add() - next operand, by its strides. */
void kern_walk_add(struct kern_walk *w, const s64 *strides);
/** kern_walk_add_broadcast() - next operand: @t stretched to the walk's shape. */
void kern_walk_add_broadcast(struct kern_walk *w, const struct kern_tensor *t);
/** kern_walk_start() - merge dims where every operand allows; then kern_walk_next() until false. */
void kern_walk_start(struct kern_walk *w);
void kern_walk_rewind(struct kern_walk *w);
bool kern_walk_next(struct kern_walk *w);
/** kern_strides() - of a dense tensor, in elements. */
void kern_strides(u32 rank, const u32 *dims, s64 *strides);

/* --- unary.c --- */

/** kern_apply_act() - the function checked by kern_want_act() on @n elements of class @c. */
void kern_apply_act(const struct abi_act *act, enum kern_class c, u32 n, union kern_strip *x);

/* --- window.c: sliding windows --- */

/* A window over the last three axes; fewer spatial axes leave the first ones at 1. */
struct kern_geom {
	u64 in[ABI_MAX_SPATIAL];
	u64 out[ABI_MAX_SPATIAL];
	u64 kernel[ABI_MAX_SPATIAL];
	s64 stride[ABI_MAX_SPATIAL];
	s64 dilation[ABI_MAX_SPATIAL];
	s64 pad[ABI_MAX_SPATIAL];
	s64 pad_end[ABI_MAX_SPATIAL];
};

/* ceil(a / b), at least 0; b > 0. */
static inline u64 kern_ceil_div(s64 a, s64 b)
{
	return a > 0 ? (u64)((a + b - 1) / b) : 0;
}

int kern_want_window(const struct kern_args *a, const struct abi_window *win) BASE_WARN_UNUSED;
/** kern_window_extent() - input elements a window spans on @axis. */
u64 kern_window_extent(const struct abi_window *win, u32 axis);
void kern_geom_init(struct kern_geom *g, const struct abi_window *win, const u32 *in_dims,
		    const u32 *out_dims);

/* --- gemm.c: matrix product --- */

/*
 * c = a b.  a is addressed by two strides; b is asked for in pieces of rows, so that a convolution
 * never has to write its windows down.  c has ABI_F32 elements for F16 and F32 operands, else the
 * operands' type, and dense rows @ldc apart.
 */
struct kern_gemm {
	u64 m, n, k;
	u32 dtype;
	const void *a;
	s64 a_row, a_col; /* strides in elements */
	/* Copy elements [@col, @col + @n) of b's row @row to @dst, dense. */
	void (*b_row)(const void *opaque, u64 row, u64 col, u32 n, void *dst);
	const void *opaque;
	void *c;
	u64 ldc;
	const u32 *stop; /* struct kern_op */
};

/** kern_gemm_scratch() - room for kern_gemm(), one per thread of use; NULL: no memory. */
void *kern_gemm_scratch(void);
void kern_gemm(const struct kern_gemm *g, void *scratch);
/** kern_acc_dtype() - the type of c. */
u32 kern_acc_dtype(u32 dtype);

/* y = act(alpha acc + sum of scaled terms); acc may be y's own memory. */
struct kern_epilogue {
	float alpha;
	struct {
		const struct kern_tensor *t; /* NULL: none */
		s64 strides[ABI_MAX_RANK];
		float scale;
	} term[2];
	struct abi_act act;
};

void kern_epilogue_run(const struct kern_epilogue *e, const void *acc, struct kern_tensor *y);

/* --- the operators --- */

int kern_unary_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_unary_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_binary_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_binary_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_select_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_select_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_cast_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_cast_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_copy_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_copy_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_transpose_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_transpose_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_concat_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_concat_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_slice_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_slice_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_pad_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_pad_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_gather_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_gather_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_expand_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_expand_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_tile_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_tile_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_reduce_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_reduce_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_arg_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_arg_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_softmax_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_softmax_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_conv_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_conv_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_conv_transpose_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_conv_transpose_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_pool_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_pool_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_matmul_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_matmul_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_batch_norm_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_batch_norm_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_instance_norm_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_instance_norm_run(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_lrn_infer(const struct kern_args *a) BASE_WARN_UNUSED;
int kern_lrn_run(const struct kern_args *a) BASE_WARN_UNUSED;

#endif
