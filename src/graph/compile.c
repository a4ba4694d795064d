// SPDX-License-Identifier: MIT
/*
 * The pipeline: bind inputs, lower each node (inferring shapes and folding constants on the way),
 * fuse, drop what nothing reads, plan memory, write.
 */
#include <errno.h>
#include <string.h>

#include "graph/lower.h"

#define DEFAULT_FOLD_BYTES (UINT64_C(2) << 30)

struct compiler {
	const struct graph_model *model;
	const struct graph_bind *binds;
	unsigned nr_binds;
	struct ir ir;
	u32 *map;
	struct base_err err;
};

static int check_supported(struct compiler *c)
{
	for (u32 i = 0; i < c->model->nodes.nr; i++) {
		const struct graph_node *node = graph_model_node_at(c->model, i);

		if (!node->op)
			return base_err_set(&c->err, -EOPNOTSUPP,
					    "node %u '%.60s' (%.40s, opset %lld%s%.40s): %s", i,
					    node->name, node->op_type, (long long)node->opset,
					    *node->domain ? ", domain " : "", node->domain,
					    node->reason);
	}
	return 0;
}

static int find_bind(struct compiler *c, u32 input, const struct graph_bind **out)
{
	*out = NULL;
	for (u32 i = 0; i < c->nr_binds; i++) {
		if (c->binds[i].input != input)
			continue;
		if (*out)
			return base_err_set(&c->err, -EINVAL, "input %u is bound twice", input);
		*out = &c->binds[i];
	}
	return 0;
}

static int bind_dims(struct compiler *c, const struct graph_value_info *info,
		     const struct graph_bind *bind, struct kern_tensor *t)
{
	u32 rank = bind ? bind->rank : info->rank;

	if (rank > GRAPH_MAX_RANK || (bind && info->is_rank_known && rank != info->rank))
		return base_err_set(&c->err, -EINVAL,
				    "input '%.60s' has rank %u in the model, bound with rank %u",
				    info->name, info->rank, rank);
	if (!bind && !info->is_rank_known)
		return base_err_set(&c->err, -EINVAL,
				    "input '%.60s' has no shape in the model: bind one",
				    info->name);
	t->rank = rank;
	for (u32 i = 0; i < rank; i++) {
		s64 have = info->is_rank_known ? info->dims[i] : -1,
		    dim = bind ? bind->dims[i] : have;

		if (dim < 0 && !bind)
			return base_err_set(
				&c->err, -EINVAL,
				"input '%.60s': dimension %u%s%.40s is not known: bind a shape",
				info->name, i, info->dim_names[i] ? " " : "",
				graph_str(info->dim_names[i]));
		if (dim < 0 || dim > UINT32_MAX || (have >= 0 && dim != have))
			return base_err_set(
				&c->err, -EINVAL,
				"input '%.60s': dimension %u is %lld in the model, bound as %lld",
				info->name, i, (long long)have, (long long)dim);
		t->dims[i] = (u32)dim;
	}
	return 0;
}

static int bind_type(struct compiler *c, const struct graph_port *port,
		     const struct graph_bind *bind, struct kern_tensor *t)
{
	const struct graph_value_info *info = &port->info;

	t->dtype = bind && bind->dtype ? bind->dtype : info->dtype;
	if (!port->is_tensor && info->dtype == 0 && !(bind && bind->dtype))
		return base_err_set(
			&c->err, -EOPNOTSUPP,
			"input '%.60s' is not a tensor: sequences and the like are not supported",
			info->name);
	if (info->dtype && !abi_dtype_size(info->dtype))
		return base_err_set(&c->err, -EOPNOTSUPP,
				    "input '%.60s': element type %u is not supported", info->name,
				    info->dtype);
	if (info->dtype && t->dtype != info->dtype)
		return base_err_set(&c->err, -EINVAL,
				    "input '%.60s' is %s in the model, bound as %s", info->name,
				    abi_dtype_name(info->dtype), abi_dtype_name(t->dtype));
	if (!abi_dtype_size(t->dtype))
		return base_err_set(&c->err, -EOPNOTSUPP,
				    "input '%.60s': element type %u is not supported", info->name,
				    t->dtype);
	return 0;
}

/* A bound value that decides a shape is a constant to all nodes; the input itself stays. */
static int bind_value(struct compiler *c, const struct graph_port *port,
		      const struct graph_bind *bind, const struct kern_tensor *t, u32 id)
{
	u64 size = graph_ir_value(&c->ir, id)->size;

	c->map[port->value] = id;
	if (!bind || !bind->data || !graph_model_value(c->model, port->value)->is_shape)
		return 0;
	if (bind->size != size)
		return base_err_set(
			&c->err, -EINVAL, "input '%.60s': %llu bytes bound, its shape needs %llu",
			port->info.name, (unsigned long long)bind->size, (unsigned long long)size);
	return graph_ir_const(&c->ir, t->dtype, t->rank, t->dims, bind->data, &c->map[port->value]);
}

static int bind_input(struct compiler *c, u32 i)
{
	const struct graph_port *port = (const struct graph_port *)c->model->inputs.items + i;
	const struct graph_bind *bind;
	struct kern_tensor t = { 0 };
	u32 id, *item;
	int ret;

	ret = find_bind(c, i, &bind);
	if (!ret)
		ret = bind_type(c, port, bind, &t);
	if (!ret)
		ret = bind_dims(c, &port->info, bind, &t);
	if (!ret)
		ret = graph_ir_add_value(&c->ir, &t, port->info.name, &id);
	if (ret)
		return ret;
	graph_ir_value(&c->ir, id)->input = i;
	item = graph_vec_add(&c->ir.mem, &c->ir.inputs, sizeof(*item));
	if (!item)
		return graph_no_memory(&c->err);
	*item = id;
	return bind_value(c, port, bind, &t, id);
}

static int bind_inputs(struct compiler *c)
{
	int ret = 0;

	for (unsigned i = 0; i < c->nr_binds; i++)
		if (c->binds[i].input >= c->model->inputs.nr)
			return base_err_set(&c->err, -EINVAL, "input %u is bound, the model has %u",
					    c->binds[i].input, c->model->inputs.nr);
	for (u32 i = 0; !ret && i < c->model->inputs.nr; i++)
		ret = bind_input(c, i);
	return ret;
}

static int lower_nodes(struct compiler *c)
{
	struct lower lo = { .ir = &c->ir, .model = c->model, .map = c->map, .err = &c->err };
	int ret;

	for (u32 i = 0; i < c->model->nodes.nr; i++) {
		lo.node = graph_model_node_at(c->model, i);
		c->ir.op_name = *lo.node->name ? lo.node->name : lo.node->op_type;
		ret = graph_lower_node(&lo);
		if (ret) {
			base_err_prefix(&c->err, "node %u '%.60s' (%.40s, opset %lld)", i,
					lo.node->name, lo.node->op_type, (long long)lo.node->opset);
			return ret;
		}
	}
	return 0;
}

/* An output has bytes of its own: not those of an input, a constant or another output. */
static int make_output(struct compiler *c, const struct graph_port *port)
{
	u32 id = c->map[port->value], *item;
	const struct ir_value *value;
	int ret;

	c->ir.op_name = port->info.name;
	if (id == GRAPH_NONE)
		return base_err_set(&c->err, -EOPNOTSUPP, "output '%.60s' has no value",
				    port->info.name);
	value = graph_ir_value(&c->ir, id);
	if (value->is_const || value->input != GRAPH_NONE || value->is_output) {
		ret = graph_ir_copy(&c->ir, id, &id);
		if (ret)
			return ret;
	}
	graph_ir_value(&c->ir, id)->is_output = true;
	graph_ir_value(&c->ir, id)->name = port->info.name;
	item = graph_vec_add(&c->ir.mem, &c->ir.outputs, sizeof(*item));
	if (!item)
		return graph_no_memory(&c->err);
	*item = id;
	return 0;
}

/* Graph outputs may be initializers that no node reads. */
static int make_outputs(struct compiler *c)
{
	const struct graph_port *ports = c->model->outputs.items;
	int ret = 0;

	for (u32 i = 0; !ret && i < c->model->outputs.nr; i++) {
		ret = graph_lower_initializer(
			&(struct lower){
				.ir = &c->ir, .model = c->model, .map = c->map, .err = &c->err },
			ports[i].value);
		if (!ret)
			ret = make_output(c, &ports[i]);
	}
	return ret;
}

static int prepare(struct compiler *c, const struct graph_options *options)
{
	u64 limit =
		options && options->max_fold_bytes ? options->max_fold_bytes : DEFAULT_FOLD_BYTES;

	c->ir.err = &c->err;
	c->ir.fold_left = limit;
	c->ir.op_name = "";
	c->ir.no_fold = options && options->no_fold;
	c->ir.no_fuse = options && options->no_fuse;
	if (c->model->inputs.nr + (u64)c->model->outputs.nr > ABI_MAX_BINDINGS)
		return base_err_set(&c->err, -E2BIG, "more than %u inputs and outputs",
				    ABI_MAX_BINDINGS);
	c->map = graph_mem_alloc(&c->ir.mem, c->model->values.nr, sizeof(*c->map));
	if (!c->map)
		return graph_no_memory(&c->err);
	for (u32 i = 0; i < c->model->values.nr; i++)
		c->map[i] = GRAPH_NONE;
	return 0;
}

static void fill_stats(const struct compiler *c, const struct ir_plan *plan, u64 weights,
		       struct graph_stats *stats)
{
	if (!stats)
		return;
	*stats = (struct graph_stats){
		.nr_nodes = c->model->nodes.nr,
		.nr_folded = c->ir.nr_folded,
		.nr_fused = c->ir.nr_fused,
		.weights_bytes = weights,
		.arena_bytes = plan->arena_size,
		.arena_sum_bytes = plan->arena_sum,
	};
	for (u32 i = 0; i < c->ir.ops.nr; i++)
		stats->nr_ops += !graph_ir_op(&c->ir, i)->is_dead;
}

static int compile(struct compiler *c, const struct graph_options *options, void **program,
		   size_t *program_size, struct graph_stats *stats)
{
	struct ir_plan plan;
	u64 weights = 0;
	int ret;

	ret = prepare(c, options);
	if (!ret)
		ret = check_supported(c);
	if (!ret)
		ret = bind_inputs(c);
	if (!ret)
		ret = lower_nodes(c);
	if (!ret)
		ret = make_outputs(c);
	if (ret)
		return ret;
	graph_ir_remove_dead(&c->ir);
	ret = graph_ir_fuse(&c->ir);
	if (ret)
		return ret;
	graph_ir_remove_dead(&c->ir);
	ret = graph_ir_plan(&c->ir, &plan);
	if (!ret)
		ret = graph_ir_write(&c->ir, &plan, program, program_size, &weights);
	if (!ret)
		fill_stats(c, &plan, weights, stats);
	return ret;
}

int graph_compile(struct graph_model *model, const struct graph_bind *binds, unsigned nr_binds,
		  const struct graph_options *options, void **program, size_t *program_size,
		  struct graph_stats *stats, struct graph_error *err)
{
	struct compiler c = { .model = model, .binds = binds, .nr_binds = nr_binds };
	int ret = compile(&c, options, program, program_size, stats);

	graph_mem_fini(&c.ir.mem);
	return ret ? graph_err_out(&c.err, err) : 0;
}
