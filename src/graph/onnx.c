// SPDX-License-Identifier: MIT
/*
 * ONNX messages into structures.  Nothing here recurses: the messages that are looked into nest a
 * fixed number of levels (model, graph, node, attribute, tensor, entry), all others are skipped by
 * their length.  Repeated scalars: last one wins; repeated sub-messages merge.
 */
#include "graph/onnx.h"

#include <errno.h>
#include <string.h>

#include "graph/wire.h"

#define MAX_NODES ABI_MAX_TENSORS
#define MAX_FEW	  1024u /* attributes of a node, opsets: lists that are searched from end to end */

typedef int (*field_fn)(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
			struct base_err *err);

static int attr_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		      struct base_err *err);
static int opset_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		       struct base_err *err);

int graph_no_memory(struct base_err *err)
{
	return base_err_set(err, -ENOMEM, "out of memory");
}

int graph_onnx_expect(const struct graph_wire_field *field, u32 type, struct base_err *err)
{
	if ((u32)field->type == type)
		return 0;
	return base_err_set(err, -EINVAL, "field %u has wire type %u, expected %u", field->number,
			    (u32)field->type, type);
}

int graph_onnx_string(struct graph_mem *mem, const struct graph_wire_field *field, const char **out,
		      struct base_err *err)
{
	int ret = graph_onnx_expect(field, GRAPH_WIRE_BYTES, err);

	if (ret)
		return ret;
	if (field->size && memchr(field->bytes, 0, field->size))
		return base_err_set(err, -EINVAL, "a name (field %u) contains a zero byte",
				    field->number);
	*out = graph_mem_strndup(mem, (const char *)field->bytes, field->size);
	return *out ? 0 : graph_no_memory(err);
}

static int parse(struct graph_mem *mem, const u8 *bytes, u64 size, field_fn fn, void *msg,
		 struct base_err *err)
{
	struct graph_wire_reader reader;
	struct graph_wire_field field;
	int ret;

	graph_wire_init(&reader, bytes, size);
	while ((ret = graph_wire_next(&reader, &field, err)) > 0) {
		ret = fn(mem, msg, &field, err);
		if (ret)
			return ret;
	}
	return ret;
}

static int parse_sub(struct graph_mem *mem, const struct graph_wire_field *field, field_fn fn,
		     void *msg, struct base_err *err)
{
	int ret = graph_onnx_expect(field, GRAPH_WIRE_BYTES, err);

	return ret ? ret : parse(mem, field->bytes, field->size, fn, msg, err);
}

static int parse_int(const struct graph_wire_field *field, s64 *out, struct base_err *err)
{
	*out = (s64)field->value;
	return graph_onnx_expect(field, GRAPH_WIRE_VARINT, err);
}

/* The string goes onto a list of names. */
static int add_string(struct graph_mem *mem, struct graph_vec *vec,
		      const struct graph_wire_field *field, struct base_err *err)
{
	const char **item = graph_vec_add(mem, vec, sizeof(*item));

	if (!item)
		return graph_no_memory(err);
	return graph_onnx_string(mem, field, item, err);
}

/* A new item of @vec, filled by @fn from the sub-message. */
static int add_message(struct graph_mem *mem, struct graph_vec *vec, size_t item_size,
		       const struct graph_wire_field *field, field_fn fn, struct base_err *err)
{
	u32 limit = fn == attr_field || fn == opset_field ? MAX_FEW : MAX_NODES;
	void *item;

	if (vec->nr >= limit)
		return base_err_set(err, -E2BIG, "more than %u entries (field %u)", limit,
				    field->number);
	item = graph_vec_add(mem, vec, item_size);
	if (!item)
		return graph_no_memory(err);
	return parse_sub(mem, field, fn, item, err);
}

static int add_tensor(struct graph_mem *mem, struct graph_vec *vec,
		      const struct graph_wire_field *field, struct base_err *err)
{
	struct onnx_tensor *tensor = graph_vec_add(mem, vec, sizeof(*tensor));
	int ret = graph_onnx_expect(field, GRAPH_WIRE_BYTES, err);

	if (ret)
		return ret;
	if (!tensor)
		return graph_no_memory(err);
	return graph_onnx_parse_tensor(mem, field->bytes, field->size, tensor, err);
}

static int add_ints(struct graph_mem *mem, struct onnx_attr *attr,
		    const struct graph_wire_field *field, struct base_err *err)
{
	struct graph_wire_scalars it;
	u64 value;
	int ret;

	ret = graph_wire_scalars_init(&it, field, GRAPH_WIRE_VARINT, err);
	if (ret)
		return ret;
	while ((ret = graph_wire_scalars_next(&it, &value, err)) > 0) {
		s64 *item = graph_vec_add(mem, &attr->ints, sizeof(*item));

		if (!item)
			return graph_no_memory(err);
		*item = (s64)value;
	}
	return ret;
}

static int add_floats(struct graph_mem *mem, struct onnx_attr *attr,
		      const struct graph_wire_field *field, struct base_err *err)
{
	struct graph_wire_scalars it;
	u64 value;
	int ret;

	ret = graph_wire_scalars_init(&it, field, GRAPH_WIRE_FIXED32, err);
	if (ret)
		return ret;
	while ((ret = graph_wire_scalars_next(&it, &value, err)) > 0) {
		float *item = graph_vec_add(mem, &attr->floats, sizeof(*item));

		if (!item)
			return graph_no_memory(err);
		*item = graph_wire_float(value);
	}
	return ret;
}

static int attr_tensor(struct graph_mem *mem, struct onnx_attr *attr,
		       const struct graph_wire_field *field, struct base_err *err)
{
	int ret = graph_onnx_expect(field, GRAPH_WIRE_BYTES, err);

	if (ret)
		return ret;
	if (!attr->tensor)
		attr->tensor = graph_mem_alloc(mem, 1, sizeof(*attr->tensor));
	if (!attr->tensor)
		return graph_no_memory(err);
	attr->has |= ONNX_HAS_TENSOR;
	return graph_onnx_parse_tensor(mem, field->bytes, field->size, attr->tensor, err);
}

/* A byte string, not a name: cut at a zero byte, which no known attribute has. */
static int attr_string(struct graph_mem *mem, struct onnx_attr *attr,
		       const struct graph_wire_field *field, struct base_err *err)
{
	int ret = graph_onnx_expect(field, GRAPH_WIRE_BYTES, err);

	if (ret)
		return ret;
	attr->has |= ONNX_HAS_STRING;
	attr->s = graph_mem_strndup(mem, (const char *)field->bytes, field->size);
	return attr->s ? 0 : graph_no_memory(err);
}

static int attr_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		      struct base_err *err)
{
	struct onnx_attr *attr = msg;
	s64 type;
	int ret;

	switch (field->number) {
	case 1:
		return graph_onnx_string(mem, field, &attr->name, err);
	case 2:
		attr->f = graph_wire_float(field->value);
		attr->has |= ONNX_HAS_FLOAT;
		return graph_onnx_expect(field, GRAPH_WIRE_FIXED32, err);
	case 3:
		attr->has |= ONNX_HAS_INT;
		return parse_int(field, &attr->i, err);
	case 4:
		return attr_string(mem, attr, field, err);
	case 5:
		return attr_tensor(mem, attr, field, err);
	case 7:
		return add_floats(mem, attr, field, err);
	case 8:
		return add_ints(mem, attr, field, err);
	case 9:
		return add_string(mem, &attr->strings, field, err);
	case 6:	 /* graph */
	case 10: /* tensors */
	case 11: /* graphs */
	case 14: /* type */
	case 15: /* types */
	case 22: /* sparse tensor */
	case 23: /* sparse tensors */
		attr->has |= ONNX_HAS_OTHER;
		return 0;
	case 20:
		ret = parse_int(field, &type, err);
		attr->type = (u32)type;
		return ret;
	case 21:
		return graph_onnx_string(mem, field, &attr->ref, err);
	default:
		return 0;
	}
}

static int node_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		      struct base_err *err)
{
	struct onnx_node *node = msg;

	switch (field->number) {
	case 1:
		return add_string(mem, &node->inputs, field, err);
	case 2:
		return add_string(mem, &node->outputs, field, err);
	case 3:
		return graph_onnx_string(mem, field, &node->name, err);
	case 4:
		return graph_onnx_string(mem, field, &node->op_type, err);
	case 5:
		return add_message(mem, &node->attrs, sizeof(struct onnx_attr), field, attr_field,
				   err);
	case 7:
		return graph_onnx_string(mem, field, &node->domain, err);
	default:
		return 0;
	}
}

struct dim {
	bool has_value;
	s64 value;
	const char *name;
};

static int dim_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		     struct base_err *err)
{
	struct dim *dim = msg;

	if (field->number == 1) {
		dim->has_value = true;
		return parse_int(field, &dim->value, err);
	}
	if (field->number != 2)
		return 0;
	dim->has_value = false;
	return graph_onnx_string(mem, field, &dim->name, err);
}

static int shape_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		       struct base_err *err)
{
	struct graph_value_info *info = msg;
	struct dim dim = { 0 };
	int ret;

	if (field->number != 1)
		return 0;
	if (info->rank == GRAPH_MAX_RANK)
		return base_err_set(err, -EOPNOTSUPP, "more than %u dimensions", GRAPH_MAX_RANK);
	ret = parse_sub(mem, field, dim_field, &dim, err);
	if (ret)
		return ret;
	info->dims[info->rank] = dim.has_value ? dim.value : -1;
	if (dim.has_value && (dim.value < 0 || dim.value > UINT32_MAX))
		info->dims[info->rank] = -1; /* written by some exporters for "not known" */
	if (!dim.has_value && dim.name && *dim.name)
		info->dim_names[info->rank] = dim.name;
	info->rank++;
	return 0;
}

static int tensor_type_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
			     struct base_err *err)
{
	struct onnx_value *value = msg;
	s64 dtype;
	int ret;

	if (field->number == 1) {
		ret = parse_int(field, &dtype, err);
		value->info.dtype = (u32)dtype;
		return ret;
	}
	if (field->number != 2)
		return 0;
	value->info.is_rank_known = true;
	return parse_sub(mem, field, shape_field, &value->info, err);
}

static int type_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		      struct base_err *err)
{
	struct onnx_value *value = msg;

	if (field->number == 1) {
		value->is_tensor = true;
		return parse_sub(mem, field, tensor_type_field, value, err);
	}
	if (field->number == 4 || field->number == 5 || field->number == 8 || field->number == 9)
		value->is_tensor = false;
	return 0;
}

static int value_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		       struct base_err *err)
{
	struct onnx_value *value = msg;

	if (field->number == 1)
		return graph_onnx_string(mem, field, &value->info.name, err);
	if (field->number == 2)
		return parse_sub(mem, field, type_field, value, err);
	return 0;
}

static int graph_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		       struct base_err *err)
{
	struct onnx_graph *graph = msg;

	switch (field->number) {
	case 1:
		return add_message(mem, &graph->nodes, sizeof(struct onnx_node), field, node_field,
				   err);
	case 2:
		return graph_onnx_string(mem, field, &graph->name, err);
	case 5:
		return add_tensor(mem, &graph->initializers, field, err);
	case 11:
		return add_message(mem, &graph->inputs, sizeof(struct onnx_value), field,
				   value_field, err);
	case 12:
		return add_message(mem, &graph->outputs, sizeof(struct onnx_value), field,
				   value_field, err);
	case 15:
		graph->has_sparse_initializer = true;
		return 0;
	default:
		return 0;
	}
}

static int opset_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		       struct base_err *err)
{
	struct onnx_opset *opset = msg;

	if (field->number == 1)
		return graph_onnx_string(mem, field, &opset->domain, err);
	if (field->number == 2)
		return parse_int(field, &opset->version, err);
	return 0;
}

static int function_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
			  struct base_err *err)
{
	struct onnx_function *fn = msg;

	switch (field->number) {
	case 1:
		return graph_onnx_string(mem, field, &fn->name, err);
	case 4:
		return add_string(mem, &fn->inputs, field, err);
	case 5:
		return add_string(mem, &fn->outputs, field, err);
	case 6:
		return add_string(mem, &fn->attr_names, field, err);
	case 7:
		return add_message(mem, &fn->nodes, sizeof(struct onnx_node), field, node_field,
				   err);
	case 9:
		return add_message(mem, &fn->opsets, sizeof(struct onnx_opset), field, opset_field,
				   err);
	case 10:
		return graph_onnx_string(mem, field, &fn->domain, err);
	case 11:
		return add_message(mem, &fn->attrs, sizeof(struct onnx_attr), field, attr_field,
				   err);
	default:
		return 0;
	}
}

static int model_field(struct graph_mem *mem, void *msg, const struct graph_wire_field *field,
		       struct base_err *err)
{
	struct onnx_file *file = msg;

	switch (field->number) {
	case 1:
		return parse_int(field, &file->ir_version, err);
	case 2:
		return graph_onnx_string(mem, field, &file->producer_name, err);
	case 3:
		return graph_onnx_string(mem, field, &file->producer_version, err);
	case 7:
		file->has_graph = true;
		return parse_sub(mem, field, graph_field, &file->graph, err);
	case 8:
		return add_message(mem, &file->opsets, sizeof(struct onnx_opset), field,
				   opset_field, err);
	case 25:
		return add_message(mem, &file->functions, sizeof(struct onnx_function), field,
				   function_field, err);
	default:
		return 0;
	}
}

int graph_onnx_parse_attr(struct graph_mem *mem, const u8 *bytes, u64 size, struct onnx_attr *attr,
			  struct base_err *err)
{
	return parse(mem, bytes, size, attr_field, attr, err);
}

int graph_onnx_parse(struct graph_mem *mem, const void *bytes, u64 size, struct onnx_file *file,
		     struct base_err *err)
{
	return parse(mem, bytes, size, model_field, file, err);
}
