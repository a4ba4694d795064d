/* SPDX-License-Identifier: MIT */
/*
 * The compiler's own graph: program operations on values of known shape.  Values and operations
 * are numbers, because the arrays move as they grow.  Operations stand in order of execution from
 * the first to the last pass.
 */
#ifndef GRAPH_IR_H
#define GRAPH_IR_H

#include "graph/mem.h"
#include "kernels/kern.h"

struct ir_value {
	struct kern_tensor t; /* t.data: where is_known; at any alignment unless is_aligned */
	u64 size;	      /* bytes */
	const char *name;     /* "" where ONNX has none */
	bool is_known;	      /* t.data holds the value */
	bool is_aligned;
	bool is_const;	/* written into the program; no operation makes it */
	bool is_output; /* of the graph */
	u32 input;	/* number of the program input, or GRAPH_NONE */
	u32 producer;	/* operation, or GRAPH_NONE */
	u32 nr_uses;	/* operands and outputs reading it; graph_ir_count_uses() */
	u32 reader;	/* one of the operations reading it; graph_ir_count_uses() */
};

#define IR_MAX_OUT 2u

struct ir_op {
	u32 code; /* enum abi_op */
	bool is_dead;
	u32 nr_in, nr_out;
	u32 *in; /* GRAPH_NONE: omitted */
	u32 out[IR_MAX_OUT];
	void *attr;
	u32 attr_size;
	const char *name; /* of the ONNX node(s) */
};

struct ir {
	struct graph_mem mem;
	struct graph_vec values;  /* struct ir_value */
	struct graph_vec ops;	  /* struct ir_op */
	struct graph_vec inputs;  /* u32: values */
	struct graph_vec outputs; /* u32: values, one may be there twice */
	bool no_fold, no_fuse;
	u64 fold_left; /* bytes that may still be made by folding, and elements worked on */
	u32 nr_folded, nr_fused;
	const char *op_name; /* given to operations as they are made */
	struct base_err *err;
};

static inline struct ir_value *graph_ir_value(const struct ir *ir, u32 id)
{
	return (struct ir_value *)ir->values.items + id;
}

static inline struct ir_op *graph_ir_op(const struct ir *ir, u32 id)
{
	return (struct ir_op *)ir->ops.items + id;
}

/** graph_ir_add_value() - a value of type and shape @t; its data, if any, becomes a constant. */
int graph_ir_add_value(struct ir *ir, const struct kern_tensor *t, const char *name,
		       u32 *id) BASE_WARN_UNUSED;

/** graph_ir_const() - a constant; @data is copied. */
int graph_ir_const(struct ir *ir, u32 dtype, u32 rank, const u32 *dims, const void *data,
		   u32 *id) BASE_WARN_UNUSED;

/**
 * graph_ir_emit() - infer, then fold or append an operation
 * @in:  @nr_in values, GRAPH_NONE for omitted ones
 * @out: @nr_out new values
 */
int graph_ir_emit(struct ir *ir, u32 code, const void *attr, size_t attr_size, const u32 *in,
		  u32 nr_in, u32 *out, u32 nr_out) BASE_WARN_UNUSED;

/** graph_ir_copy() - the same bytes again, even when they are known. */
int graph_ir_copy(struct ir *ir, u32 x, u32 *out) BASE_WARN_UNUSED;

/** graph_ir_align() - make the bytes of a known value addressable by the kernels. */
int graph_ir_align(struct ir *ir, u32 id) BASE_WARN_UNUSED;

/** graph_ir_still_fits() - do operands and attributes of @op agree and give its output's shape? */
bool graph_ir_still_fits(const struct ir *ir, const struct ir_op *op);

/** graph_ir_count_uses() - fill nr_uses and reader of all values. */
void graph_ir_count_uses(struct ir *ir);
/** graph_ir_remove_dead() - mark operations that nothing reads. */
void graph_ir_remove_dead(struct ir *ir);

/* fold.c */

/** graph_ir_fold() - run an operation whose inputs are known: 1 done, 0 too expensive, or negative. */
int graph_ir_fold(struct ir *ir, const struct kern_op *op, const u32 *in, u32 nr_in,
		  struct kern_tensor *out, u32 nr_out) BASE_WARN_UNUSED;
/** graph_ir_spend() - take @amount from what folding may cost; false when not so much is left. */
bool graph_ir_spend(struct ir *ir, u64 amount);

/* fuse.c, plan.c, emit.c */
int graph_ir_fuse(struct ir *ir) BASE_WARN_UNUSED;

struct ir_place {	 /* of a value in the program */
	u32 base;	 /* the value whose bytes it shares; itself: none */
	u64 off;	 /* in the arena */
	u32 first, last; /* operations between which a base lives */
	bool is_arena, is_used;
};

struct ir_plan {
	struct ir_place *places; /* one per value */
	u64 arena_size, arena_sum;
};

/** graph_ir_plan() - decide which values share bytes and where the others lie. */
int graph_ir_plan(struct ir *ir, struct ir_plan *plan) BASE_WARN_UNUSED;

/** graph_ir_write() - the program image, for graph_free(). */
int graph_ir_write(struct ir *ir, const struct ir_plan *plan, void **image, size_t *size,
		   u64 *weights_size) BASE_WARN_UNUSED;

#endif
