// SPDX-License-Identifier: MIT
/* Opening a model: parse, check, resolve; and what can be asked of it. */
#include "graph/model.h"

#include <errno.h>
#include <string.h>

#include "graph/lower.h"

int graph_err_out(const struct base_err *from, struct graph_error *to)
{
	if (!to)
		return from->code;
	to->code = from->code;
	memcpy(to->text, from->text, sizeof(to->text));
	to->text[sizeof(to->text) - 1] = 0;
	for (char *p = to->text; *p; p++) /* names come from the file */
		if ((u8)*p < 0x20 || *p == 0x7F)
			*p = '?';
	return from->code;
}

int graph_model_add_value(struct graph_model *model, const char *name, enum graph_value_kind kind,
			  u32 index, u32 *id, struct base_err *err)
{
	struct graph_value *value;

	if (model->values.nr >= ABI_MAX_TENSORS)
		return base_err_set(err, -E2BIG, "more than %u values", ABI_MAX_TENSORS);
	value = graph_vec_add(&model->mem, &model->values, sizeof(*value));
	if (!value)
		return graph_no_memory(err);
	*value = (struct graph_value){ .name = name, .kind = kind, .index = index };
	*id = model->values.nr - 1;
	return 0;
}

static int define(struct graph_model *model, const char *what, const char *name,
		  enum graph_value_kind kind, u32 index, u32 *id, struct base_err *err)
{
	int ret;

	if (!*name)
		return base_err_set(err, -EINVAL, "%s %u has no name", what, index);
	ret = graph_model_add_value(model, name, kind, index, id, err);
	if (ret)
		return ret;
	ret = graph_names_add(&model->mem, &model->scope, name, *id);
	if (ret == -EEXIST)
		return base_err_set(err, ret = -EINVAL, "%s '%.80s' is there twice", what, name);
	return ret ? graph_no_memory(err) : 0;
}

static int finish_attr_tensors(struct graph_model *model, struct graph_vec *nodes,
			       struct base_err *err)
{
	struct onnx_node *protos = nodes->items;
	int ret;

	for (u32 i = 0; i < nodes->nr; i++) {
		struct onnx_attr *attrs = protos[i].attrs.items;

		for (u32 k = 0; k < protos[i].attrs.nr; k++) {
			if (!attrs[k].tensor)
				continue;
			ret = graph_onnx_finish_tensor(attrs[k].tensor, model->external, err);
			if (ret) {
				base_err_prefix(err, "node %u '%.60s', attribute '%.40s'", i,
						graph_str(protos[i].name),
						graph_str(attrs[k].name));
				return ret;
			}
		}
	}
	return 0;
}

static int finish_tensors(struct graph_model *model, struct base_err *err)
{
	struct onnx_graph *graph = &model->file.graph;
	struct onnx_tensor *tensors = graph->initializers.items;
	struct onnx_function *fns = model->file.functions.items;
	int ret = 0;

	for (u32 i = 0; !ret && i < graph->initializers.nr; i++)
		ret = graph_onnx_finish_tensor(&tensors[i], model->external, err);
	if (!ret)
		ret = finish_attr_tensors(model, &graph->nodes, err);
	for (u32 i = 0; !ret && i < model->file.functions.nr; i++)
		ret = finish_attr_tensors(model, &fns[i].nodes, err);
	return ret;
}

static int define_initializers(struct graph_model *model, struct base_err *err)
{
	const struct onnx_tensor *tensors = model->file.graph.initializers.items;
	u32 id;
	int ret;

	for (u32 i = 0; i < model->file.graph.initializers.nr; i++) {
		ret = define(model, "initializer", tensors[i].name, GRAPH_VALUE_INITIALIZER, i, &id,
			     err);
		if (ret)
			return ret;
	}
	return 0;
}

/* Inputs that are initializers too are defaults: dropped, IR < 4 demands them and >= 4 allows. */
static int define_inputs(struct graph_model *model, struct base_err *err)
{
	struct onnx_value *inputs = model->file.graph.inputs.items;
	u32 id;
	int ret;

	for (u32 i = 0; i < model->file.graph.inputs.nr; i++) {
		const char *name = graph_str(inputs[i].info.name);
		struct graph_port *port;

		if (graph_names_find(&model->scope, name, &id) &&
		    graph_model_value(model, id)->kind == GRAPH_VALUE_INITIALIZER)
			continue;
		ret = define(model, "input", name, GRAPH_VALUE_INPUT, model->inputs.nr, &id, err);
		if (ret)
			return ret;
		port = graph_vec_add(&model->mem, &model->inputs, sizeof(*port));
		if (!port)
			return graph_no_memory(err);
		*port = (struct graph_port){ inputs[i].info, inputs[i].is_tensor, id };
		port->info.name = name;
	}
	return 0;
}

static int find_outputs(struct graph_model *model, struct base_err *err)
{
	struct onnx_value *outputs = model->file.graph.outputs.items;
	u32 id;

	for (u32 i = 0; i < model->file.graph.outputs.nr; i++) {
		const char *name = graph_str(outputs[i].info.name);
		struct graph_port *port;

		if (!graph_names_find(&model->scope, name, &id))
			return base_err_set(err, -EINVAL, "output %u '%.80s' is written by no node",
					    i, name);
		port = graph_vec_add(&model->mem, &model->outputs, sizeof(*port));
		if (!port)
			return graph_no_memory(err);
		*port = (struct graph_port){ outputs[i].info, outputs[i].is_tensor, id };
		port->info.name = name;
	}
	return 0;
}

/* Backwards: what a value that decides a shape is made of decides it too. */
static void find_shape_values(struct graph_model *model)
{
	for (u32 i = model->nodes.nr; i-- > 0;) {
		const struct graph_node *node = graph_model_node_at(model, i);
		bool is_needed = false;

		for (u32 k = 0; k < node->nr_out; k++)
			if (node->out[k] != GRAPH_NONE)
				is_needed |= graph_model_value(model, node->out[k])->is_shape;
		for (u32 k = 0; k < node->nr_in; k++)
			if (node->in[k] != GRAPH_NONE &&
			    graph_operator_needs_value(node, k, is_needed))
				graph_model_value(model, node->in[k])->is_shape = true;
	}
}

static int open_model(struct graph_model *model, const void *bytes, size_t size,
		      struct base_err *err)
{
	int ret;

	ret = graph_onnx_parse(&model->mem, bytes, size, &model->file, err);
	if (ret) {
		base_err_prefix(err, "not a readable ONNX model");
		return ret;
	}
	if (!model->file.has_graph)
		return base_err_set(err, -EINVAL, "not an ONNX model: there is no graph in it");
	if (model->file.graph.has_sparse_initializer)
		return base_err_set(err, -EOPNOTSUPP,
				    "sparse initializers are not supported: make them dense");
	ret = finish_tensors(model, err);
	if (!ret)
		ret = define_initializers(model, err);
	if (!ret)
		ret = define_inputs(model, err);
	if (!ret)
		ret = graph_inline(model, err);
	if (!ret)
		ret = find_outputs(model, err);
	if (!ret)
		find_shape_values(model);
	return ret;
}

int graph_model_open(const void *bytes, size_t size, const struct graph_external *external,
		     struct graph_model **out, struct graph_error *err)
{
	struct base_err why = { 0 };
	struct graph_model *model;
	int ret;

	model = base_zalloc(sizeof(*model));
	if (!model) {
		graph_no_memory(&why);
		return graph_err_out(&why, err);
	}
	model->external = external;
	ret = open_model(model, bytes, size, &why);
	if (ret) {
		graph_model_close(model);
		return graph_err_out(&why, err);
	}
	model->external = NULL; /* the caller's structure need not live on */
	*out = model;
	return 0;
}

void graph_model_close(struct graph_model *model)
{
	if (!model)
		return;
	graph_mem_fini(&model->mem);
	base_free(model);
}

unsigned graph_model_nr_inputs(const struct graph_model *model)
{
	return model->inputs.nr;
}

unsigned graph_model_nr_outputs(const struct graph_model *model)
{
	return model->outputs.nr;
}

static int get_port(const struct graph_vec *ports, unsigned i, struct graph_value_info *out)
{
	if (i >= ports->nr)
		return -EINVAL;
	*out = ((const struct graph_port *)ports->items)[i].info;
	return 0;
}

int graph_model_input(const struct graph_model *model, unsigned i, struct graph_value_info *out)
{
	return get_port(&model->inputs, i, out);
}

int graph_model_output(const struct graph_model *model, unsigned i, struct graph_value_info *out)
{
	return get_port(&model->outputs, i, out);
}

bool graph_model_input_is_shape(const struct graph_model *model, unsigned i)
{
	const struct graph_port *ports = model->inputs.items;

	return i < model->inputs.nr && graph_model_value(model, ports[i].value)->is_shape;
}

unsigned graph_model_nr_nodes(const struct graph_model *model)
{
	return model->nodes.nr;
}

int graph_model_node(const struct graph_model *model, unsigned i, struct graph_node_info *out)
{
	const struct graph_node *node;

	if (i >= model->nodes.nr)
		return -EINVAL;
	node = graph_model_node_at(model, i);
	*out = (struct graph_node_info){
		.op_type = node->op_type,
		.domain = node->domain,
		.name = node->name,
		.opset = (int)node->opset,
		.nr_inputs = node->nr_in,
		.nr_outputs = node->nr_out,
		.is_supported = node->op != NULL,
		.reason = node->op ? "" : node->reason,
	};
	return 0;
}

void graph_model_summary(const struct graph_model *model, char *buf, size_t size)
{
	const struct onnx_opset *opsets = model->file.opsets.items;
	const char *producer = graph_str(model->file.producer_name);
	s64 opset = 0;

	for (u32 i = 0; i < model->file.opsets.nr; i++) {
		const char *domain = graph_str(opsets[i].domain);

		if (!*domain || !strcmp(domain, "ai.onnx"))
			opset = opsets[i].version;
	}
	snprintf(buf, size, "IR %lld, opset %lld, producer %s%s%s",
		 (long long)model->file.ir_version, (long long)opset,
		 *producer ? producer : "unknown",
		 *graph_str(model->file.producer_version) ? " " : "",
		 graph_str(model->file.producer_version));
}
