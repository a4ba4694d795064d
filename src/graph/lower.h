/* SPDX-License-Identifier: MIT */
/*
 * ONNX operators to program operations.  operators.c has the table of operators and versions; each
 * lower_*.c one family.  A lowering function reads operands, attributes and known values of one
 * node and emits operations; shapes are known throughout, so what depends on them is settled here.
 */
#ifndef GRAPH_LOWER_H
#define GRAPH_LOWER_H

#include "graph/ir.h"
#include "graph/model.h"

#define GRAPH_VARIADIC	0xFFFFu
#define GRAPH_MAX_OPSET 25 /* newer versions are not known here */

struct lower {
	struct ir *ir;
	const struct graph_model *model;
	const struct graph_node *node;
	u32 *map; /* value of the model -> value of the IR, GRAPH_NONE: not made yet */
	struct base_err *err;
};

struct graph_operator {
	const char *op_type;
	u16 since; /* opset; a later row of the same name takes over from its own */
	u16 min_in, max_in, max_out;
	u32 shape_in; /* bit i: input i's value must be known (31: that one and later ones) */
	int arg;      /* for the lowering function */
	int (*lower)(struct lower *lo, int arg);
};

/** graph_operator_find() - the row for a node's operator and opset, or NULL with *reason. */
const struct graph_operator *graph_operator_find(const struct graph_node *node, bool is_std,
						 const char **reason);
/** graph_operator_needs_value() - must input @i be known, given whether the outputs must? */
bool graph_operator_needs_value(const struct graph_node *node, u32 i, bool is_output_needed);

/** graph_lower_node() - one node. */
int graph_lower_node(struct lower *lo) BASE_WARN_UNUSED;

/** graph_lower_initializer() - make a value of the model that is an initializer and not yet made. */
int graph_lower_initializer(struct lower *lo, u32 id) BASE_WARN_UNUSED;

/* Operands: values of the IR. */

/** graph_lower_in() - input @i, or GRAPH_NONE when omitted. */
u32 graph_lower_in(const struct lower *lo, u32 i);
/** graph_lower_has_out() - does anyone name output @i? */
bool graph_lower_has_out(const struct lower *lo, u32 i);
const struct kern_tensor *graph_lower_tensor(const struct lower *lo, u32 id);
/** graph_lower_set() - output @i of the node is value @id. */
int graph_lower_set(struct lower *lo, u32 i, u32 id) BASE_WARN_UNUSED;
/** graph_lower_emit() - one operation with one result. */
int graph_lower_emit(struct lower *lo, u32 code, const void *attr, size_t attr_size, const u32 *in,
		     u32 nr_in, u32 *out) BASE_WARN_UNUSED;
/** graph_lower_emit_set() - the same, as output 0 of the node. */
int graph_lower_emit_set(struct lower *lo, u32 code, const void *attr, size_t attr_size,
			 const u32 *in, u32 nr_in) BASE_WARN_UNUSED;

/* Frequent operations; @out is a new value. */
int graph_lower_reshape(struct lower *lo, u32 x, u32 rank, const u32 *dims,
			u32 *out) BASE_WARN_UNUSED;
int graph_lower_binary(struct lower *lo, u32 kind, u32 a, u32 b, u32 *out) BASE_WARN_UNUSED;
int graph_lower_unary(struct lower *lo, u32 kind, float a, float b, u32 x,
		      u32 *out) BASE_WARN_UNUSED;
int graph_lower_cast(struct lower *lo, u32 x, u32 dtype, u32 *out) BASE_WARN_UNUSED;
int graph_lower_reduce(struct lower *lo, u32 kind, u32 axes, bool keep_dims, u32 x,
		       u32 *out) BASE_WARN_UNUSED;
int graph_lower_transpose(struct lower *lo, u32 x, const u32 *perm, u32 *out) BASE_WARN_UNUSED;
/** graph_lower_scalar() - a rank 0 constant of @dtype with value @v. */
int graph_lower_scalar(struct lower *lo, u32 dtype, double v, u32 *out) BASE_WARN_UNUSED;
int graph_lower_const_s64(struct lower *lo, u32 rank, const u32 *dims, const s64 *data,
			  u32 *out) BASE_WARN_UNUSED;

/* Attributes. */
const struct onnx_attr *graph_lower_attr(const struct lower *lo, const char *name);
s64 graph_lower_attr_int(const struct lower *lo, const char *name, s64 fallback);
float graph_lower_attr_float(const struct lower *lo, const char *name, float fallback);
const char *graph_lower_attr_string(const struct lower *lo, const char *name, const char *fallback);
/** graph_lower_attr_tensor() - the tensor of an attribute as a constant. */
int graph_lower_attr_tensor(struct lower *lo, const struct onnx_attr *attr,
			    u32 *out) BASE_WARN_UNUSED;

struct lower_ints {
	const s64 *items;
	u32 nr;
	bool is_given;
};
/** graph_lower_attr_ints() - an attribute's list; is_given false when there is none. */
struct lower_ints graph_lower_attr_ints(const struct lower *lo, const char *name);
/** graph_lower_input_ints() - the known value of input @i (int32 or int64), @what for the error. */
int graph_lower_input_ints(struct lower *lo, u32 i, const char *what,
			   struct lower_ints *out) BASE_WARN_UNUSED;
/** graph_lower_ints() - from input @i when @is_input, else from attribute @name. */
int graph_lower_ints(struct lower *lo, bool is_input, u32 i, const char *name,
		     struct lower_ints *out) BASE_WARN_UNUSED;
/** graph_lower_input_double() - the known value of a one-element input. */
int graph_lower_input_double(struct lower *lo, u32 i, const char *what,
			     double *out) BASE_WARN_UNUSED;

/** graph_lower_axis() - @axis in -rank .. rank - 1 to 0 .. rank - 1. */
int graph_lower_axis(struct lower *lo, s64 axis, u32 rank, u32 *out) BASE_WARN_UNUSED;
/** graph_lower_axes() - a list of axes as bits; each at most once. */
int graph_lower_axes(struct lower *lo, const struct lower_ints *axes, u32 rank,
		     u32 *mask) BASE_WARN_UNUSED;
/** graph_lower_dim() - a dimension computed by us or the file into a u32. */
int graph_lower_dim(struct lower *lo, s64 dim, u32 *out) BASE_WARN_UNUSED;

int graph_lower_fail(struct lower *lo, int code, const char *fmt, ...) BASE_PRINTF(3, 4);

/* The families. */
int graph_lower_op_unary(struct lower *lo, int kind);
int graph_lower_op_clip(struct lower *lo, int arg);
int graph_lower_op_binary(struct lower *lo, int kind);
int graph_lower_op_prelu(struct lower *lo, int arg);
int graph_lower_op_variadic(struct lower *lo, int kind);
int graph_lower_op_mean(struct lower *lo, int arg);
int graph_lower_op_where(struct lower *lo, int arg);
int graph_lower_op_cast(struct lower *lo, int arg);
int graph_lower_op_identity(struct lower *lo, int arg);

int graph_lower_op_constant(struct lower *lo, int arg);
int graph_lower_op_constant_of_shape(struct lower *lo, int arg);
int graph_lower_op_shape(struct lower *lo, int arg);
int graph_lower_op_size(struct lower *lo, int arg);
int graph_lower_op_reshape(struct lower *lo, int is_input);
int graph_lower_op_flatten(struct lower *lo, int arg);
int graph_lower_op_squeeze(struct lower *lo, int is_input);
int graph_lower_op_unsqueeze(struct lower *lo, int is_input);
int graph_lower_op_expand(struct lower *lo, int arg);

int graph_lower_op_concat(struct lower *lo, int arg);
int graph_lower_op_split(struct lower *lo, int is_input);
int graph_lower_op_slice(struct lower *lo, int is_input);
int graph_lower_op_pad(struct lower *lo, int is_input);
int graph_lower_op_gather(struct lower *lo, int arg);
int graph_lower_op_tile(struct lower *lo, int arg);
int graph_lower_op_transpose(struct lower *lo, int arg);
int graph_lower_op_depth_to_space(struct lower *lo, int arg);
int graph_lower_op_space_to_depth(struct lower *lo, int arg);

int graph_lower_op_reduce(struct lower *lo, int kind);
int graph_lower_op_arg(struct lower *lo, int is_max);
int graph_lower_op_softmax(struct lower *lo, int is_log);

int graph_lower_op_conv(struct lower *lo, int arg);
int graph_lower_op_conv_transpose(struct lower *lo, int arg);
int graph_lower_op_pool(struct lower *lo, int kind);
int graph_lower_op_global_pool(struct lower *lo, int kind);
int graph_lower_op_matmul(struct lower *lo, int arg);
int graph_lower_op_gemm(struct lower *lo, int arg);

int graph_lower_op_batch_norm(struct lower *lo, int arg);
int graph_lower_op_instance_norm(struct lower *lo, int arg);
int graph_lower_op_lrn(struct lower *lo, int arg);
int graph_lower_op_dropout(struct lower *lo, int arg);

#endif
