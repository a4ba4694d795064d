/* SPDX-License-Identifier: MIT */
/* What the fusion passes share.  SRC: O section 6. */
#ifndef GRAPH_FUSE_H
#define GRAPH_FUSE_H

#include "graph/ir.h"

/** graph_fuse_producer() - the operation making @v if nothing else reads @v and it is of @code, or NULL. */
struct ir_op *graph_fuse_producer(const struct ir *ir, u32 v, u32 code);
/** graph_fuse_clone() - @op with operands and attributes of its own, room for @nr_in operands. */
int graph_fuse_clone(struct ir *ir, const struct ir_op *op, u32 nr_in,
		     struct ir_op *out) BASE_WARN_UNUSED;
/**
 * graph_fuse_commit() - @fused replaces operation @at and its @producer, if it is a valid operation
 * Return: 1 done, 0 not valid (nothing changed), or negative.
 */
int graph_fuse_commit(struct ir *ir, struct ir_op *fused, struct ir_op *producer,
		      u32 at) BASE_WARN_UNUSED;
/** graph_fuse_act() - the activation slot of an operation that has one, or NULL. */
struct abi_act *graph_fuse_act(const struct ir_op *op);
/** graph_fuse_residual() - the added tensor of a convolution, or GRAPH_NONE. */
u32 graph_fuse_residual(const struct ir_op *op);

/* Passes on operation @at: 1 fused, 0 not applicable, or negative. */
int graph_fuse_batch_norm(struct ir *ir, u32 at) BASE_WARN_UNUSED;
int graph_fuse_affine(struct ir *ir, u32 at) BASE_WARN_UNUSED;

#endif
