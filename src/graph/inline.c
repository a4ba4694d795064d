// SPDX-License-Identifier: MIT
/*
 * From nodes as written to nodes with numbers: resolves names to values, demands ONNX's topological
 * order, and puts the bodies of model-local functions where they are called.
 *
 * SRC: onnx IR specification, "Functions"; O section 1 (IR >= 8).
 */
#include <errno.h>
#include <string.h>

#include "graph/lower.h"
#include "graph/model.h"

#define MAX_CALL_DEPTH 32u
#define MAX_EXPANDED   (1u << 20) /* nodes, operands, attributes: calls of calls have no bound */

struct scope {
	struct graph_names names;
	const struct graph_vec *opsets;
	const struct graph_node *call; /* NULL: main graph */
	const struct onnx_function *fn;
	u32 depth;
};

struct inliner {
	struct graph_model *model;
	struct base_err *err;
	struct graph_names functions; /* "domain\nname" -> number */
	u64 nr_expanded;
};

static bool is_std_domain(const char *domain)
{
	return !*domain || !strcmp(domain, "ai.onnx");
}

static bool same_domain(const char *a, const char *b)
{
	return !strcmp(a, b) || (is_std_domain(a) && is_std_domain(b));
}

/* 0: the domain is not imported. */
static s64 opset_of(const struct graph_vec *opsets, const char *domain)
{
	const struct onnx_opset *items = opsets->items;

	for (u32 i = opsets->nr; i-- > 0;)
		if (same_domain(graph_str(items[i].domain), domain))
			return items[i].version;
	return 0;
}

static char *function_key(struct inliner *in, const char *domain, const char *name)
{
	return graph_mem_printf(&in->model->mem, "%s\n%s", is_std_domain(domain) ? "" : domain,
				name);
}

static int index_functions(struct inliner *in)
{
	const struct onnx_function *fns = in->model->file.functions.items;
	int ret = 0;

	for (u32 i = 0; i < in->model->file.functions.nr; i++) {
		char *key = function_key(in, graph_str(fns[i].domain), graph_str(fns[i].name));

		if (key)
			ret = graph_names_add(&in->model->mem, &in->functions, key, i);
		if (!key || ret == -ENOMEM)
			return graph_no_memory(in->err);
		if (ret)
			return base_err_set(in->err, -EINVAL, "function '%.60s' is there twice",
					    graph_str(fns[i].name));
	}
	return 0;
}

/* *out NULL: there is none. */
static int find_function(struct inliner *in, const struct graph_node *node,
			 const struct onnx_function **out)
{
	const struct onnx_function *fns = in->model->file.functions.items;
	char *key;
	u32 i;

	*out = NULL;
	if (!in->functions.nr)
		return 0;
	key = function_key(in, node->domain, node->op_type);
	if (!key)
		return graph_no_memory(in->err);
	if (graph_names_find(&in->functions, key, &i))
		*out = &fns[i];
	return 0;
}

static const struct onnx_attr *find_attr(const struct onnx_attr *attrs, u32 nr, const char *name)
{
	for (u32 i = nr; i-- > 0;) /* the last one wins */
		if (!strcmp(graph_str(attrs[i].name), name))
			return &attrs[i];
	return NULL;
}

/* An attribute of a function's node may stand for one of the call. */
static const struct onnx_attr *resolve_attr(const struct scope *scope, const struct onnx_attr *attr)
{
	const struct onnx_attr *found;

	if (!attr->ref || !*attr->ref)
		return attr;
	if (!scope->call)
		return NULL;
	found = find_attr(scope->call->attrs, scope->call->nr_attrs, attr->ref);
	return found ? found : find_attr(scope->fn->attrs.items, scope->fn->attrs.nr, attr->ref);
}

static int copy_attrs(struct inliner *in, const struct scope *scope, const struct onnx_node *proto,
		      struct graph_node *node)
{
	const struct onnx_attr *attrs = proto->attrs.items;
	struct onnx_attr *copy;

	copy = graph_mem_alloc(&in->model->mem, proto->attrs.nr, sizeof(*copy));
	if (!copy)
		return graph_no_memory(in->err);
	for (u32 i = 0; i < proto->attrs.nr; i++) {
		const struct onnx_attr *value = resolve_attr(scope, &attrs[i]);

		if (!value)
			continue; /* not given by the caller: the operator's default holds */
		copy[node->nr_attrs] = *value;
		copy[node->nr_attrs].name = graph_str(attrs[i].name);
		node->nr_attrs++;
	}
	node->attrs = copy;
	return 0;
}

static int resolve_inputs(struct inliner *in, const struct scope *scope,
			  const struct onnx_node *proto, struct graph_node *node)
{
	const char **names = proto->inputs.items;

	node->in = graph_mem_alloc(&in->model->mem, proto->inputs.nr, sizeof(u32));
	if (!node->in)
		return graph_no_memory(in->err);
	node->nr_in = proto->inputs.nr;
	for (u32 i = 0; i < node->nr_in; i++) {
		node->in[i] = GRAPH_NONE;
		if (*names[i] && !graph_names_find(&scope->names, names[i], &node->in[i]))
			return base_err_set(
				in->err, -EINVAL,
				"input %u '%.80s' is not written by any earlier node, input or initializer (nodes must be in topological order)",
				i, names[i]);
	}
	return 0;
}

static int make_name(struct inliner *in, const struct scope *scope, const struct onnx_node *proto,
		     struct graph_node *node)
{
	const char *name = graph_str(proto->name);

	node->name = name;
	if (scope->call)
		node->name = graph_mem_printf(&in->model->mem, "%.100s/%.60s", scope->call->name,
					      *name ? name : node->op_type);
	return node->name ? 0 : graph_no_memory(in->err);
}

static int define(struct inliner *in, struct scope *scope, const char *name, u32 id)
{
	int ret = graph_names_add(&in->model->mem, &scope->names, name, id);

	if (ret == -EEXIST)
		return base_err_set(in->err, -EINVAL, "value '%.80s' is written twice", name);
	return ret ? graph_no_memory(in->err) : 0;
}

static int add_node(struct inliner *in, struct scope *scope, const struct onnx_node *proto,
		    struct graph_node *node)
{
	struct graph_model *model = in->model;
	const char **names = proto->outputs.items;
	struct graph_node *item;
	int ret;

	node->out = graph_mem_alloc(&model->mem, proto->outputs.nr, sizeof(u32));
	if (!node->out)
		return graph_no_memory(in->err);
	node->nr_out = proto->outputs.nr;
	for (u32 i = 0; i < node->nr_out; i++) {
		node->out[i] = GRAPH_NONE;
		if (!*names[i])
			continue;
		ret = graph_model_add_value(model, names[i], GRAPH_VALUE_NODE, model->nodes.nr,
					    &node->out[i], in->err);
		if (!ret)
			ret = define(in, scope, names[i], node->out[i]);
		if (ret)
			return ret;
	}
	item = graph_vec_add(&model->mem, &model->nodes, sizeof(*item));
	if (!item)
		return graph_no_memory(in->err);
	*item = *node;
	return 0;
}

static int expand(struct inliner *in, struct scope *scope, const struct graph_vec *nodes);

static int call(struct inliner *in, struct scope *scope, const struct onnx_node *proto,
		const struct graph_node *node, const struct onnx_function *fn)
{
	struct scope inner = {
		.opsets = &fn->opsets, .call = node, .fn = fn, .depth = scope->depth + 1
	};
	const char **formal = fn->inputs.items, **results = fn->outputs.items;
	const char **actual = proto->outputs.items;
	u32 id;
	int ret;

	if (inner.depth > MAX_CALL_DEPTH)
		return base_err_set(in->err, -EINVAL, "functions call each other more than %u deep",
				    MAX_CALL_DEPTH);
	if (node->nr_in > fn->inputs.nr || proto->outputs.nr > fn->outputs.nr)
		return base_err_set(in->err, -EINVAL, "more operands than function '%.60s' has",
				    node->op_type);
	in->nr_expanded += fn->inputs.nr; /* judged with the next node */
	for (u32 i = 0; i < fn->inputs.nr; i++) {
		ret = define(in, &inner, formal[i], i < node->nr_in ? node->in[i] : GRAPH_NONE);
		if (ret)
			return ret;
	}
	ret = expand(in, &inner, &fn->nodes);
	for (u32 i = 0; !ret && i < proto->outputs.nr; i++) {
		if (!*actual[i])
			continue;
		if (!graph_names_find(&inner.names, results[i], &id) || id == GRAPH_NONE)
			return base_err_set(in->err, -EINVAL,
					    "function '%.60s' does not write its output '%.60s'",
					    node->op_type, results[i]);
		ret = define(in, scope, actual[i], id);
	}
	return ret;
}

static int expand_node(struct inliner *in, struct scope *scope, const struct onnx_node *proto)
{
	const struct onnx_function *fn = NULL;
	struct graph_node node = { .op_type = graph_str(proto->op_type),
				   .domain = graph_str(proto->domain) };
	int ret;

	in->nr_expanded += UINT64_C(1) + proto->inputs.nr + proto->outputs.nr + proto->attrs.nr;
	if (in->nr_expanded > MAX_EXPANDED)
		return base_err_set(in->err, -E2BIG, "more than %u nodes, operands and attributes",
				    MAX_EXPANDED);
	node.opset = opset_of(scope->opsets, node.domain);
	if (!node.opset && in->model->file.ir_version < 3 && !scope->call)
		node.opset = 1; /* older than opset imports */
	ret = make_name(in, scope, proto, &node);
	if (!ret)
		ret = resolve_inputs(in, scope, proto, &node);
	if (!ret)
		ret = copy_attrs(in, scope, proto, &node);
	if (ret)
		return ret;
	node.op = graph_operator_find(&node, is_std_domain(node.domain), &node.reason);
	if (!node.op)
		ret = find_function(in, &node, &fn);
	if (ret)
		return ret;
	return fn ? call(in, scope, proto, &node, fn) : add_node(in, scope, proto, &node);
}

static int expand(struct inliner *in, struct scope *scope, const struct graph_vec *nodes)
{
	const struct onnx_node *protos = nodes->items;
	int ret;

	for (u32 i = 0; i < nodes->nr; i++) {
		ret = expand_node(in, scope, &protos[i]);
		if (ret) {
			if (scope->depth <= 1) /* of calls in calls the outer two are enough */
				base_err_prefix(in->err, "node %u '%.60s' (%.40s)", i,
						graph_str(protos[i].name),
						graph_str(protos[i].op_type));
			return ret;
		}
	}
	return 0;
}

int graph_inline(struct graph_model *model, struct base_err *err)
{
	struct inliner in = { .model = model, .err = err };
	struct scope scope = { .names = model->scope, .opsets = &model->file.opsets };
	int ret;

	ret = index_functions(&in);
	if (!ret)
		ret = expand(&in, &scope, &model->file.graph.nodes);
	model->scope = scope.names;
	return ret;
}
