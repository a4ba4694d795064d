// SPDX-License-Identifier: MIT
/* What all lowering functions share: operands, attributes, known values, frequent operations. */
#include "graph/lower.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int graph_lower_fail(struct lower *lo, int code, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return base_err_set(lo->err, code, "%s", text);
}

/* A constant of the file: in place when dense, else decoded. */
static int add_tensor(struct lower *lo, const struct onnx_tensor *tensor, u32 *id)
{
	struct kern_tensor t = { .dtype = tensor->dtype, .rank = tensor->rank };
	int ret;

	if (!abi_dtype_size(tensor->dtype))
		return graph_lower_fail(lo, -EOPNOTSUPP,
					"tensor '%.60s': element type %u is not supported",
					tensor->name, tensor->dtype);
	for (u32 i = 0; i < tensor->rank; i++)
		t.dims[i] = (u32)tensor->dims[i];
	if (tensor->raw && tensor->dtype != ABI_BOOL) {
		t.data = (void *)(uintptr_t)tensor->raw; /* is_const: never written through */
		return graph_ir_add_value(lo->ir, &t, tensor->name, id);
	}
	if (!graph_ir_spend(lo->ir, tensor->size)) /* an inlined one comes again and again */
		return graph_lower_fail(lo, -E2BIG, "tensor '%.60s': limit of folding reached",
					tensor->name);
	t.data = graph_mem_alloc(&lo->ir->mem, 1, tensor->size ? tensor->size : 1);
	if (!t.data)
		return graph_no_memory(lo->err);
	ret = graph_onnx_decode_tensor(tensor, t.data, lo->err);
	return ret ? ret : graph_ir_add_value(lo->ir, &t, tensor->name, id);
}

int graph_lower_initializer(struct lower *lo, u32 id)
{
	const struct onnx_tensor *tensors = lo->model->file.graph.initializers.items;
	const struct graph_value *value = graph_model_value(lo->model, id);

	if (lo->map[id] != GRAPH_NONE || value->kind != GRAPH_VALUE_INITIALIZER)
		return 0;
	return add_tensor(lo, &tensors[value->index], &lo->map[id]);
}

/* Every input of the node has a value in the IR; initializers get theirs when first met. */
static int make_inputs(struct lower *lo)
{
	int ret;

	for (u32 i = 0; i < lo->node->nr_in; i++) {
		u32 id = lo->node->in[i];

		if (id == GRAPH_NONE)
			continue;
		ret = graph_lower_initializer(lo, id);
		if (ret)
			return ret;
		if (lo->map[id] == GRAPH_NONE)
			return graph_lower_fail(lo, -EINVAL, "input %u '%.60s' has no value", i,
						graph_model_value(lo->model, id)->name);
	}
	return 0;
}

static int check_operands(struct lower *lo)
{
	const struct graph_operator *op = lo->node->op;
	const struct graph_node *node = lo->node;

	if (node->nr_in < op->min_in || (op->max_in != GRAPH_VARIADIC && node->nr_in > op->max_in))
		return graph_lower_fail(lo, -EINVAL, "has %u inputs, expected %u to %u",
					node->nr_in, op->min_in, op->max_in);
	for (u32 i = 0; i < op->min_in; i++)
		if (node->in[i] == GRAPH_NONE)
			return graph_lower_fail(lo, -EINVAL, "input %u is missing", i);
	for (u32 i = 0; i < node->nr_in && op->max_in == GRAPH_VARIADIC; i++)
		if (node->in[i] == GRAPH_NONE)
			return graph_lower_fail(lo, -EINVAL, "input %u is missing", i);
	if (op->max_out != GRAPH_VARIADIC && node->nr_out > op->max_out)
		return graph_lower_fail(lo, -EINVAL, "has %u outputs, at most %u expected",
					node->nr_out, op->max_out);
	return 0;
}

static int check_outputs(struct lower *lo)
{
	for (u32 i = 0; i < lo->node->nr_out; i++)
		if (graph_lower_has_out(lo, i) && lo->map[lo->node->out[i]] == GRAPH_NONE)
			return graph_lower_fail(lo, -EOPNOTSUPP, "output %u is not supported here",
						i);
	return 0;
}

int graph_lower_node(struct lower *lo)
{
	int ret;

	ret = check_operands(lo);
	if (!ret)
		ret = make_inputs(lo);
	if (!ret)
		ret = lo->node->op->lower(lo, lo->node->op->arg);
	return ret ? ret : check_outputs(lo);
}

u32 graph_lower_in(const struct lower *lo, u32 i)
{
	if (i >= lo->node->nr_in || lo->node->in[i] == GRAPH_NONE)
		return GRAPH_NONE;
	return lo->map[lo->node->in[i]];
}

bool graph_lower_has_out(const struct lower *lo, u32 i)
{
	return i < lo->node->nr_out && lo->node->out[i] != GRAPH_NONE;
}

const struct kern_tensor *graph_lower_tensor(const struct lower *lo, u32 id)
{
	return &graph_ir_value(lo->ir, id)->t;
}

int graph_lower_set(struct lower *lo, u32 i, u32 id)
{
	if (!graph_lower_has_out(lo, i))
		return 0;
	lo->map[lo->node->out[i]] = id;
	if (!*graph_ir_value(lo->ir, id)->name)
		graph_ir_value(lo->ir, id)->name =
			graph_model_value(lo->model, lo->node->out[i])->name;
	return 0;
}

int graph_lower_emit(struct lower *lo, u32 code, const void *attr, size_t attr_size, const u32 *in,
		     u32 nr_in, u32 *out)
{
	return graph_ir_emit(lo->ir, code, attr, attr_size, in, nr_in, out, 1);
}

int graph_lower_emit_set(struct lower *lo, u32 code, const void *attr, size_t attr_size,
			 const u32 *in, u32 nr_in)
{
	u32 out;
	int ret = graph_lower_emit(lo, code, attr, attr_size, in, nr_in, &out);

	return ret ? ret : graph_lower_set(lo, 0, out);
}

int graph_lower_reshape(struct lower *lo, u32 x, u32 rank, const u32 *dims, u32 *out)
{
	struct abi_attr_shape attr = { .rank = rank };

	if (rank)
		memcpy(attr.dims, dims, rank * sizeof(*dims));
	return graph_lower_emit(lo, ABI_OP_COPY, &attr, sizeof(attr), &x, 1, out);
}

int graph_lower_binary(struct lower *lo, u32 kind, u32 a, u32 b, u32 *out)
{
	const struct abi_attr_binary attr = { .kind = kind };
	const u32 in[] = { a, b };

	return graph_lower_emit(lo, ABI_OP_BINARY, &attr, sizeof(attr), in, 2, out);
}

int graph_lower_unary(struct lower *lo, u32 kind, float a, float b, u32 x, u32 *out)
{
	const struct abi_attr_unary attr = { .f = { .kind = kind, .a = a, .b = b } };

	return graph_lower_emit(lo, ABI_OP_UNARY, &attr, sizeof(attr), &x, 1, out);
}

int graph_lower_cast(struct lower *lo, u32 x, u32 dtype, u32 *out)
{
	const struct abi_attr_cast attr = { .to = dtype };

	if (graph_lower_tensor(lo, x)->dtype == dtype) {
		*out = x;
		return 0;
	}
	return graph_lower_emit(lo, ABI_OP_CAST, &attr, sizeof(attr), &x, 1, out);
}

int graph_lower_reduce(struct lower *lo, u32 kind, u32 axes, bool keep_dims, u32 x, u32 *out)
{
	const struct abi_attr_reduce attr = { .kind = kind, .axes = axes, .keep_dims = keep_dims };

	return graph_lower_emit(lo, ABI_OP_REDUCE, &attr, sizeof(attr), &x, 1, out);
}

int graph_lower_transpose(struct lower *lo, u32 x, const u32 *perm, u32 *out)
{
	struct abi_attr_transpose attr = { 0 };
	u32 rank = graph_lower_tensor(lo, x)->rank;

	if (rank)
		memcpy(attr.perm, perm, rank * sizeof(*perm));
	return graph_lower_emit(lo, ABI_OP_TRANSPOSE, &attr, sizeof(attr), &x, 1, out);
}

int graph_lower_scalar(struct lower *lo, u32 dtype, double v, u32 *out)
{
	u32 id;
	int ret = graph_ir_const(lo->ir, ABI_F64, 0, NULL, &v, &id);

	return ret ? ret : graph_lower_cast(lo, id, dtype, out);
}

int graph_lower_const_s64(struct lower *lo, u32 rank, const u32 *dims, const s64 *data, u32 *out)
{
	return graph_ir_const(lo->ir, ABI_S64, rank, dims, data, out);
}

const struct onnx_attr *graph_lower_attr(const struct lower *lo, const char *name)
{
	for (u32 i = lo->node->nr_attrs; i-- > 0;)
		if (!strcmp(lo->node->attrs[i].name, name))
			return &lo->node->attrs[i];
	return NULL;
}

s64 graph_lower_attr_int(const struct lower *lo, const char *name, s64 fallback)
{
	const struct onnx_attr *attr = graph_lower_attr(lo, name);

	return attr ? attr->i : fallback; /* a writer may leave out a field that is 0 */
}

float graph_lower_attr_float(const struct lower *lo, const char *name, float fallback)
{
	const struct onnx_attr *attr = graph_lower_attr(lo, name);

	return attr ? attr->f : fallback;
}

const char *graph_lower_attr_string(const struct lower *lo, const char *name, const char *fallback)
{
	const struct onnx_attr *attr = graph_lower_attr(lo, name);

	return attr && attr->s ? attr->s : fallback;
}

int graph_lower_attr_tensor(struct lower *lo, const struct onnx_attr *attr, u32 *out)
{
	if (!attr->tensor)
		return graph_lower_fail(lo, -EINVAL, "attribute '%.40s' holds no tensor",
					attr->name);
	return add_tensor(lo, attr->tensor, out);
}

struct lower_ints graph_lower_attr_ints(const struct lower *lo, const char *name)
{
	const struct onnx_attr *attr = graph_lower_attr(lo, name);

	if (!attr)
		return (struct lower_ints){ 0 };
	return (struct lower_ints){ attr->ints.items, attr->ints.nr, true };
}

static int need_known(struct lower *lo, u32 i, const char *what)
{
	u32 id = graph_lower_in(lo, i);

	if (id != GRAPH_NONE && !graph_ir_value(lo->ir, id)->is_known)
		return graph_lower_fail(
			lo, -EINVAL,
			"input %u (%s) must be known when compiling: make it a constant or bind its value",
			i, what);
	return 0;
}

int graph_lower_input_ints(struct lower *lo, u32 i, const char *what, struct lower_ints *out)
{
	u32 id = graph_lower_in(lo, i);
	const struct kern_tensor *t;
	u64 nr;
	int ret;

	*out = (struct lower_ints){ 0 };
	if (id == GRAPH_NONE)
		return 0;
	ret = need_known(lo, i, what);
	if (ret)
		return ret;
	t = graph_lower_tensor(lo, id);
	nr = kern_nr_elements(t);
	if ((t->dtype != ABI_S64 && t->dtype != ABI_S32) || t->rank > 1 || nr > UINT16_MAX)
		return graph_lower_fail(lo, -EINVAL, "input %u (%s) must be a short list of int64",
					i, what);
	if (t->dtype == ABI_S32) {
		const struct abi_attr_cast attr = { .to = ABI_S64 };

		ret = graph_lower_emit(lo, ABI_OP_CAST, &attr, sizeof(attr), &id, 1, &id);
		if (ret)
			return ret;
		if (!graph_ir_value(lo->ir, id)->is_known)
			return graph_lower_fail(lo, -E2BIG,
						"input %u (%s): limit of folding reached", i, what);
	}
	ret = graph_ir_align(lo->ir, id);
	*out = (struct lower_ints){ graph_lower_tensor(lo, id)->data, (u32)nr, true };
	return ret;
}

int graph_lower_ints(struct lower *lo, bool is_input, u32 i, const char *name,
		     struct lower_ints *out)
{
	if (is_input)
		return graph_lower_input_ints(lo, i, name, out);
	*out = graph_lower_attr_ints(lo, name);
	return 0;
}

int graph_lower_input_double(struct lower *lo, u32 i, const char *what, double *out)
{
	u32 id = graph_lower_in(lo, i);
	int ret = need_known(lo, i, what);

	if (ret)
		return ret;
	if (kern_nr_elements(graph_lower_tensor(lo, id)) != 1)
		return graph_lower_fail(lo, -EINVAL, "input %u (%s) must have one element", i,
					what);
	ret = graph_lower_cast(lo, id, ABI_F64, &id);
	if (ret)
		return ret;
	if (!graph_ir_value(lo->ir, id)->is_known)
		return graph_lower_fail(lo, -E2BIG, "input %u (%s): limit of folding reached", i,
					what);
	memcpy(out, graph_lower_tensor(lo, id)->data, sizeof(*out));
	return 0;
}

int graph_lower_axis(struct lower *lo, s64 axis, u32 rank, u32 *out)
{
	if (axis < -(s64)rank || axis >= (s64)rank)
		return graph_lower_fail(lo, -EINVAL, "axis %lld is outside a tensor of rank %u",
					(long long)axis, rank);
	*out = (u32)(axis < 0 ? axis + (s64)rank : axis);
	return 0;
}

int graph_lower_axes(struct lower *lo, const struct lower_ints *axes, u32 rank, u32 *mask)
{
	u32 axis = 0;
	int ret;

	*mask = 0;
	for (u32 i = 0; i < axes->nr; i++) {
		ret = graph_lower_axis(lo, axes->items[i], rank, &axis);
		if (ret)
			return ret;
		if (*mask & BASE_BIT(axis))
			return graph_lower_fail(lo, -EINVAL, "axis %u is there twice", axis);
		*mask |= BASE_BIT(axis);
	}
	return 0;
}

int graph_lower_dim(struct lower *lo, s64 dim, u32 *out)
{
	if (dim < 0 || dim > UINT32_MAX)
		return graph_lower_fail(lo, -EINVAL, "dimension %lld is out of range",
					(long long)dim);
	*out = (u32)dim;
	return 0;
}
