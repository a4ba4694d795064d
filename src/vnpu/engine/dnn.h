/* SPDX-License-Identifier: MIT */
/*
 * Inside the oneDNN engine.  A program becomes a flat list of steps, each one primitive with all its
 * arguments or one operation of src/kernels, over buffers.
 *
 * A tensor's value may lie in several layouts at once: one plain copy (row-major, so of any shape
 * with as many elements) and copies in layouts that primitives asked for.  Each is a "rep": a
 * buffer and its description.  dnn_want() finds or makes the one that is needed, so a reorder
 * happens only where two neighbours disagree.  Constants are reordered while building.
 *
 * Buffers of intermediates get their place when all steps are known (dnn_plan.c).
 */
#ifndef VNPU_ENGINE_DNN_H
#define VNPU_ENGINE_DNN_H

#include "kernels/kern.h"
#include "vnpu/engine/dnnl_shim.h"
#include "vnpu/engine/engine.h"

#define DNN_MAX_OPS	 8192u	/* programs beyond these run on the plain engine */
#define DNN_MAX_OPERANDS 65536u /* of all operations together */

enum dnn_buf_kind {
	DNN_BUF_PRIVATE, /* placed by the plan */
	DNN_BUF_INPUT,	 /* of the job: address known at run */
	DNN_BUF_OUTPUT,
	DNN_BUF_FIXED, /* weights in the image or packed */
};

struct dnn_buf {
	enum dnn_buf_kind kind;
	u32 binding;
	u32 nr_reps;
	bool is_used;	 /* first and last are valid */
	u32 first, last; /* steps that touch it */
	u64 size;
	u64 off; /* PRIVATE: in the net's pool */
	void *ptr;
	void *owned;   /* FIXED: to free; bindings: bounce buffer */
	u32 elem_size; /* bindings: alignment that must be */
};

/* How a tensor's plain bytes are seen; strides in elements, dense unless changed. */
struct dnn_view {
	u32 rank;
	dnnl_dims_t dims;
	dnnl_dims_t strides;
};

struct dnn_rep {
	struct dnn_rep *next;
	u32 buf;
	const struct dnn_md *md; /* NULL: plain */
	struct dnn_view view;
};

struct dnn_mem {
	dnnl_memory_t mem;
	u32 buf;
};

struct dnn_step {
	u32 op;
	dnnl_primitive_t prim; /* NULL: an operation of src/kernels */
	u32 nr_args;
	dnnl_exec_arg_t *args;
	struct kern_op kop;
	bool is_act;
	struct abi_attr_unary unary; /* is_act: in place of kop.attr, as the array of steps moves */
	u32 nr_in, nr_out;
	struct kern_tensor *tensors; /* inputs, outputs */
	u32 *bufs;		     /* of each; ABI_TENSOR_NONE: omitted */
};

struct vnpu_net {
	const struct abi_prog *prog;
	struct vnpu_engine_opts opts;
	void (*omp_set_num_threads)(int nr); /* NULL: no threads */
	void (*gomp_parallel)(void (*fn)(void *data), void *data, unsigned nr, unsigned flags);
	bool is_careful;	  /* made of steps that keep NaN */
	struct vnpu_net *careful; /* for runs that met NaN; NULL until the first */
	struct dnn_ctx ctx;
	bool has_ctx;
	struct dnn_buf *bufs;
	u32 nr_bufs, cap_bufs;
	struct dnn_step *steps;
	u32 nr_steps, cap_steps;
	struct dnn_mem *mems;
	u32 nr_mems, cap_mems;
	dnnl_memory_t *scratch; /* one description per primitive, one address */
	u32 nr_scratch, cap_scratch;
	u64 scratch_size;
	u32 *moving; /* mems of bindings */
	u32 nr_moving;
	void *pool_mem;
	u64 pool_size;	/* what the plan asks for */
	u64 place_size; /* with the scratchpad */
	char **impl;	/* per operation; NULL: plain */
	/* The whole program on the plain engine. */
	struct vnpu_net *plain;
};

struct dnn_build {
	struct vnpu_net *net;
	const struct abi_prog *prog;
	struct base_err *err;
	struct dnn_rep **reps;	/* per tensor; of bases only */
	u32 *last_read;		/* per tensor: last operation that reads it or an alias; of bases */
	u32 op;			/* being built */
	bool met_ref;		/* oneDNN offered it only its reference */
	u64 packed, max_packed; /* bytes of reordered constants */
};

/* --- dnn_layout.c --------------------------------------------------------------------------- */

/* Operand @i of the current operation (inputs, then outputs), or ABI_TENSOR_NONE. */
u32 dnn_in(const struct dnn_build *b, u32 i);
u32 dnn_out(const struct dnn_build *b, u32 i);
const void *dnn_attr(const struct dnn_build *b);
const struct abi_prog_tensor *dnn_tensor(const struct dnn_build *b, u32 t);
bool dnn_is_const(const struct dnn_build *b, u32 t);
const void *dnn_const_data(const struct dnn_build *b, u32 t);

struct dnn_view dnn_view(const struct dnn_build *b, u32 t);
/** dnn_view_of() - dense, of @rank @dims. */
struct dnn_view dnn_view_of(u32 rank, const dnnl_dim_t *dims);
/** dnn_view_md() - the plain bytes seen through @v. */
const struct dnn_md *dnn_view_md(struct dnn_build *b, const struct dnn_view *v);
bool dnn_view_is_same(const struct dnn_view *a, const struct dnn_view *b);

/** dnn_rep_of() - a rep of @t that is not plain and has the shape @v, or NULL. */
const struct dnn_rep *dnn_rep_of(const struct dnn_build *b, u32 t, const struct dnn_view *v);
/**
 * dnn_want() - the buffer that holds @t as @md; adds a reorder if there is none yet
 * @md: NULL: plain; else of the shape of @v
 */
int dnn_want(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md *md,
	     u32 *buf) BASE_WARN_UNUSED;
/** dnn_want_plain() - row-major, whatever its shape. */
int dnn_want_plain(struct dnn_build *b, u32 t, u32 *buf) BASE_WARN_UNUSED;

/** dnn_place() - a buffer for the new value of @t as @md (NULL: plain). */
int dnn_place(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md *md,
	      u32 *buf) BASE_WARN_UNUSED;
/** dnn_written() - the step just added wrote @t there; outputs are brought to their binding. */
int dnn_written(struct dnn_build *b, u32 t, const struct dnn_view *v, const struct dnn_md *md,
		u32 buf) BASE_WARN_UNUSED;
/**
 * dnn_can_overwrite() - may the result be written over @t's value in @buf?
 *
 * Not where the result goes to a binding.  Who does it says so with dnn_forget().
 */
bool dnn_can_overwrite(const struct dnn_build *b, u32 t, u32 buf);
void dnn_forget(struct dnn_build *b, u32 t);
/** dnn_share() - @dst's value is @src's plain buffer; false: needs a copy. */
int dnn_share(struct dnn_build *b, u32 src, u32 dst, bool *done) BASE_WARN_UNUSED;

/* --- dnn_net.c: buffers and steps ------------------------------------------------------------ */

int dnn_buf_add(struct vnpu_net *net, enum dnn_buf_kind kind, u64 size, u32 *out) BASE_WARN_UNUSED;
/** dnn_buf_fixed() - memory for a constant of the net's own, at bufs[*out].ptr. */
int dnn_buf_fixed(struct vnpu_net *net, u64 size, u32 *out) BASE_WARN_UNUSED;

struct dnn_arg {
	int arg;
	u32 buf;
	const struct dnn_md *md;
};

/** dnn_add_prim() - a step; destroys @pd in any case. */
int dnn_add_prim(struct dnn_build *b, dnnl_primitive_desc_t pd, const struct dnn_arg *args,
		 u32 nr) BASE_WARN_UNUSED;
/** dnn_run_now() - once, while building, on FIXED buffers; destroys @pd in any case. */
int dnn_run_now(struct dnn_build *b, dnnl_primitive_desc_t pd, const struct dnn_arg *args,
		u32 nr) BASE_WARN_UNUSED;
/** dnn_add_kern() - the current operation by src/kernels. */
int dnn_add_kern(struct dnn_build *b) BASE_WARN_UNUSED;
/** dnn_add_act() - @act on @t, in place, by src/kernels; nothing for no function. */
int dnn_add_act(struct dnn_build *b, u32 t, const struct abi_act *act) BASE_WARN_UNUSED;
/** dnn_accept() - 0, or destroys a reference's @pd: -EOPNOTSUPP; @is_heavy: strict mode cares. */
int dnn_accept(struct dnn_build *b, dnnl_primitive_desc_t pd, bool is_heavy) BASE_WARN_UNUSED;
/** dnn_set_impl() - what users see as the current operation's implementation. */
int dnn_set_impl(struct dnn_build *b, const_dnnl_primitive_desc_t pd) BASE_WARN_UNUSED;
void dnn_net_fini(struct vnpu_net *net);

/* --- dnn_nan.c: threads, and NaN in what they compute ---------------------------------------- */

void dnn_threads_find(struct vnpu_net *net);
void dnn_threads_set(const struct vnpu_net *net);
/** dnn_nan_watch(), dnn_nan_seen() - did oneDNN meet or make a NaN in between? */
void dnn_nan_watch(const struct vnpu_net *net);
bool dnn_nan_seen(const struct vnpu_net *net);
/** dnn_nan_is_kept() - may oneDNN have the current operation? */
bool dnn_nan_is_kept(const struct dnn_build *b);
/** dnn_act() - @act as a post-op; false: none, or to be done by src/kernels. */
bool dnn_act(const struct dnn_build *b, const struct abi_act *act, struct dnn_post_op *out);

/* --- dnn_plan.c ------------------------------------------------------------------------------ */

/** dnn_plan() - offsets of the private buffers, @net->pool_size. */
int dnn_plan(struct vnpu_net *net) BASE_WARN_UNUSED;

/*
 * Operations.  0; -EOPNOTSUPP: left to src/kernels; -ENOMEM.  Operands are not empty, float32 and
 * of at most 1 GiB.
 */
int dnn_build_conv(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_deconv(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_matmul(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_pool(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_lrn(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_batch_norm(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_unary(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_binary(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_softmax(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_concat(struct dnn_build *b) BASE_WARN_UNUSED;
int dnn_build_copy(struct dnn_build *b) BASE_WARN_UNUSED;

#endif
