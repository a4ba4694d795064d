/* SPDX-License-Identifier: MIT */
/*
 * A model with its names resolved: values and nodes by number, functions inlined, every node's
 * operator looked up.  What graph_compile() starts from.
 */
#ifndef GRAPH_MODEL_H
#define GRAPH_MODEL_H

#include "graph/onnx.h"

enum graph_value_kind { GRAPH_VALUE_INPUT, GRAPH_VALUE_INITIALIZER, GRAPH_VALUE_NODE };

struct graph_value {
	const char *name;
	enum graph_value_kind kind;
	u32 index;     /* of the input, the initializer, or the node that writes it */
	bool is_shape; /* its value decides a shape or an attribute */
};

struct graph_operator; /* lower.h */

struct graph_node {
	const char *op_type, *domain, *name; /* never NULL */
	s64 opset;
	const struct onnx_attr *attrs;
	u32 nr_attrs;
	u32 nr_in, nr_out;
	u32 *in, *out; /* values, GRAPH_NONE: omitted */
	const struct graph_operator *op;
	const char *reason; /* why @op is NULL */
};

struct graph_port {
	struct graph_value_info info;
	bool is_tensor;
	u32 value;
};

struct graph_model {
	struct graph_mem mem;
	struct onnx_file file;
	const struct graph_external *external;
	struct graph_vec values;	  /* struct graph_value */
	struct graph_vec nodes;		  /* struct graph_node, in order of execution */
	struct graph_vec inputs, outputs; /* struct graph_port */
	struct graph_names scope;	  /* names of the main graph */
};

static inline struct graph_value *graph_model_value(const struct graph_model *model, u32 i)
{
	return (struct graph_value *)model->values.items + i;
}

static inline struct graph_node *graph_model_node_at(const struct graph_model *model, u32 i)
{
	return (struct graph_node *)model->nodes.items + i;
}

/** graph_model_add_value() - a new value's number into *id. */
int graph_model_add_value(struct graph_model *model, const char *name, enum graph_value_kind kind,
			  u32 index, u32 *id, struct base_err *err) BASE_WARN_UNUSED;

/** graph_inline() - the main graph's nodes into model->nodes, function bodies in place. */
int graph_inline(struct graph_model *model, struct base_err *err) BASE_WARN_UNUSED;

/** graph_err_out() - give @from to the caller, unprintable bytes replaced; returns its code. */
int graph_err_out(const struct base_err *from, struct graph_error *to);

/** graph_str() - "" for NULL. */
static inline const char *graph_str(const char *s)
{
	return s ? s : "";
}

#endif
