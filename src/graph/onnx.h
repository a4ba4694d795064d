/* SPDX-License-Identifier: MIT */
/*
 * An ONNX file as it is written: messages read into structures, weights left where they lie.
 * Names are NUL-terminated copies in the model's memory.  Meaning (scopes, order, operators) is
 * model.c's.
 *
 * SRC: onnx.proto of ONNX 1.12 to 1.20 (field numbers); O section 1.
 */
#ifndef GRAPH_ONNX_H
#define GRAPH_ONNX_H

#include <npu/graph.h>

#include "abi/program.h"
#include "graph/mem.h"

struct onnx_part { /* bytes of a TensorProto; more than one when the field was repeated */
	const u8 *bytes;
	u64 size;
	struct onnx_part *next;
};

struct onnx_tensor {
	const char *name;
	u32 dtype; /* TensorProto.DataType; abi_dtype_size() is 0 for those not supported */
	u32 rank;
	s64 dims[ABI_MAX_RANK];
	const u8 *raw; /* dense value at any alignment; NULL: in the typed fields of @parts */
	u64 raw_size;
	u64 nr_typed; /* elements in the typed field of @dtype */
	u64 size;     /* bytes when dense, by dtype and dims */
	bool is_external;
	const char *location;
	u64 offset, length;
	struct onnx_part *parts;
};

enum onnx_attr_has {
	ONNX_HAS_FLOAT = 1 << 0,
	ONNX_HAS_INT = 1 << 1,
	ONNX_HAS_STRING = 1 << 2,
	ONNX_HAS_TENSOR = 1 << 3,
	ONNX_HAS_OTHER = 1 << 4, /* graphs, sparse tensors, types */
};

struct onnx_attr {
	const char *name, *ref; /* ref: "": none, else an attribute of the calling node */
	u32 type;		/* AttributeProto.AttributeType, 0 in old files */
	u32 has;
	float f;
	s64 i;
	const char *s;
	struct onnx_tensor *tensor;
	struct graph_vec ints;	  /* s64 */
	struct graph_vec floats;  /* float */
	struct graph_vec strings; /* const char * */
};

struct onnx_node {
	const char *op_type, *domain, *name;
	struct graph_vec inputs, outputs; /* const char * */
	struct graph_vec attrs;		  /* struct onnx_attr */
};

struct onnx_opset {
	const char *domain;
	s64 version;
};

struct onnx_value { /* ValueInfoProto */
	struct graph_value_info info;
	bool is_tensor;
};

struct onnx_graph {
	const char *name;
	struct graph_vec nodes;		  /* struct onnx_node */
	struct graph_vec initializers;	  /* struct onnx_tensor */
	struct graph_vec inputs, outputs; /* struct onnx_value */
	bool has_sparse_initializer;
};

struct onnx_function {
	const char *name, *domain;
	struct graph_vec inputs, outputs, attr_names; /* const char * */
	struct graph_vec attrs;			      /* struct onnx_attr: defaults */
	struct graph_vec nodes;			      /* struct onnx_node */
	struct graph_vec opsets;		      /* struct onnx_opset */
};

struct onnx_file {
	s64 ir_version;
	const char *producer_name, *producer_version;
	struct graph_vec opsets;    /* struct onnx_opset */
	struct graph_vec functions; /* struct onnx_function */
	struct onnx_graph graph;
	bool has_graph;
};

/** graph_onnx_parse() - the whole file.  0, -EINVAL (where), -EOPNOTSUPP, -ENOMEM. */
int graph_onnx_parse(struct graph_mem *mem, const void *bytes, u64 size, struct onnx_file *file,
		     struct base_err *err) BASE_WARN_UNUSED;
int graph_onnx_parse_attr(struct graph_mem *mem, const u8 *bytes, u64 size, struct onnx_attr *attr,
			  struct base_err *err) BASE_WARN_UNUSED;

/* tensor.c */

/** graph_onnx_parse_tensor() - merge a TensorProto into @tensor (zeroed at first). */
int graph_onnx_parse_tensor(struct graph_mem *mem, const u8 *bytes, u64 size,
			    struct onnx_tensor *tensor, struct base_err *err) BASE_WARN_UNUSED;
/**
 * graph_onnx_finish_tensor() - check dims against data, fetch external data
 *
 * A type the compiler does not know is no error here: size stays 0.
 */
int graph_onnx_finish_tensor(struct onnx_tensor *tensor, const struct graph_external *external,
			     struct base_err *err) BASE_WARN_UNUSED;
/** graph_onnx_decode_tensor() - the typed fields into @dst, tensor->size bytes. */
int graph_onnx_decode_tensor(const struct onnx_tensor *tensor, void *dst,
			     struct base_err *err) BASE_WARN_UNUSED;

/* Shared by the parsers. */
struct graph_wire_field;
int graph_onnx_string(struct graph_mem *mem, const struct graph_wire_field *field, const char **out,
		      struct base_err *err) BASE_WARN_UNUSED;
int graph_onnx_expect(const struct graph_wire_field *field, u32 type,
		      struct base_err *err) BASE_WARN_UNUSED;
int graph_no_memory(struct base_err *err);

#endif
