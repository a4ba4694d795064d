// SPDX-License-Identifier: MIT
/*
 * Fusion: operations that would only pass a tensor on are merged into the one that makes it.
 * Operations are visited in order of execution; the merged one takes the place of the later, where
 * all its operands are there.  A producer is merged only when nothing else reads its result.  Only
 * float32, so that nothing is rounded at other places than before.
 *
 * SRC: O section 6, "what buys parity" and "details that bite".
 */
#include "graph/fuse.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static struct ir_op *producer_of(const struct ir *ir, u32 v, u32 code)
{
	struct ir_op *op;

	if (v == GRAPH_NONE || graph_ir_value(ir, v)->producer == GRAPH_NONE)
		return NULL;
	op = graph_ir_op(ir, graph_ir_value(ir, v)->producer);
	return op->is_dead || op->code != code ? NULL : op;
}

struct ir_op *graph_fuse_producer(const struct ir *ir, u32 v, u32 code)
{
	if (v == GRAPH_NONE || graph_ir_value(ir, v)->nr_uses != 1 ||
	    graph_ir_value(ir, v)->is_output)
		return NULL;
	return producer_of(ir, v, code);
}

int graph_fuse_clone(struct ir *ir, const struct ir_op *op, u32 nr_in, struct ir_op *out)
{
	*out = *op;
	out->in = graph_mem_alloc(&ir->mem, nr_in, sizeof(u32));
	out->attr = graph_mem_alloc(&ir->mem, 1, op->attr_size ? op->attr_size : 1);
	if (!out->in || !out->attr)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < nr_in; i++)
		out->in[i] = i < op->nr_in ? op->in[i] : GRAPH_NONE;
	if (op->attr_size)
		memcpy(out->attr, op->attr, op->attr_size);
	return 0;
}

int graph_fuse_commit(struct ir *ir, struct ir_op *fused, struct ir_op *producer, u32 at)
{
	struct ir_op *op = graph_ir_op(ir, at);

	fused->nr_out = 1;
	fused->out[0] = op->out[0];
	if (!graph_ir_still_fits(ir, fused))
		return 0;
	fused->name = graph_mem_printf(&ir->mem, "%.200s+%.100s", producer->name, op->name);
	if (!fused->name)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	graph_ir_value(ir, producer->out[0])->nr_uses = 0;
	producer->is_dead = true;
	*op = *fused;
	ir->nr_fused++;
	return 1;
}

struct abi_act *graph_fuse_act(const struct ir_op *op)
{
	if (op->code == ABI_OP_CONV || op->code == ABI_OP_CONV_TRANSPOSE)
		return &((struct abi_attr_conv *)op->attr)->act;
	if (op->code == ABI_OP_MATMUL)
		return &((struct abi_attr_matmul *)op->attr)->act;
	if (op->code == ABI_OP_BINARY)
		return &((struct abi_attr_binary *)op->attr)->act;
	return NULL;
}

u32 graph_fuse_residual(const struct ir_op *op)
{
	return op->code == ABI_OP_CONV && op->nr_in > 3 ? op->in[3] : GRAPH_NONE;
}

static bool is_f32(const struct ir *ir, u32 v)
{
	return v != GRAPH_NONE && graph_ir_value(ir, v)->t.dtype == ABI_F32;
}

static bool same_shape(const struct ir *ir, u32 a, u32 b)
{
	const struct kern_tensor *ta = &graph_ir_value(ir, a)->t, *tb = &graph_ir_value(ir, b)->t;

	return ta->rank == tb->rank && !memcmp(ta->dims, tb->dims, ta->rank * sizeof(u32));
}

static bool is_activation(u32 kind)
{
	static const u32 kinds[] = { ABI_UNARY_RELU,	     ABI_UNARY_CLIP,
				     ABI_UNARY_LEAKY_RELU,   ABI_UNARY_ELU,
				     ABI_UNARY_SIGMOID,	     ABI_UNARY_TANH,
				     ABI_UNARY_HARD_SIGMOID, ABI_UNARY_HARD_SWISH,
				     ABI_UNARY_SWISH };

	for (size_t i = 0; i < BASE_ARRAY_SIZE(kinds); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

/* conv, matmul or binary, then an activation */
static int fuse_activation(struct ir *ir, u32 at)
{
	static const u32 codes[] = { ABI_OP_CONV, ABI_OP_CONV_TRANSPOSE, ABI_OP_MATMUL,
				     ABI_OP_BINARY };
	const struct ir_op *op = graph_ir_op(ir, at);
	const struct abi_attr_unary *attr = op->attr;
	struct ir_op *producer = NULL, fused;
	int ret;

	if (!is_activation(attr->f.kind) || !is_f32(ir, op->in[0]))
		return 0;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(codes) && !producer; i++)
		producer = graph_fuse_producer(ir, op->in[0], codes[i]);
	if (!producer || graph_fuse_act(producer)->kind != ABI_UNARY_NONE)
		return 0;
	ret = graph_fuse_clone(ir, producer, producer->nr_in, &fused);
	if (ret)
		return ret;
	*graph_fuse_act(&fused) = attr->f;
	return graph_fuse_commit(ir, &fused, producer, at);
}

/* A convolution that may still take a tensor to add; none when something comes between. */
static struct ir_op *open_conv(const struct ir *ir, u32 v)
{
	struct ir_op *conv = graph_fuse_producer(ir, v, ABI_OP_CONV);

	if (!conv || graph_fuse_act(conv)->kind != ABI_UNARY_NONE ||
	    graph_fuse_residual(conv) != GRAPH_NONE)
		return NULL;
	return conv;
}

/* conv + tensor: into the later of two convolutions, so that the other is done. */
static int fuse_add(struct ir *ir, u32 at)
{
	const struct ir_op *op = graph_ir_op(ir, at);
	const struct abi_attr_binary *attr = op->attr;
	struct ir_op *conv[2], *producer, fused;
	u32 side;
	int ret;

	if (attr->kind != ABI_BINARY_ADD || !is_f32(ir, op->out[0]) ||
	    !same_shape(ir, op->in[0], op->out[0]) || !same_shape(ir, op->in[1], op->out[0]))
		return 0;
	conv[0] = open_conv(ir, op->in[0]);
	conv[1] = open_conv(ir, op->in[1]);
	if (!conv[0] && !conv[1])
		return 0;
	side = conv[1] && (!conv[0] || conv[1] > conv[0]);
	producer = conv[side];
	ret = graph_fuse_clone(ir, producer, 4, &fused);
	if (ret)
		return ret;
	fused.nr_in = 4;
	fused.in[3] = op->in[!side];
	*graph_fuse_act(&fused) = attr->act;
	return graph_fuse_commit(ir, &fused, producer, at);
}

static bool is_row(const struct ir *ir, u32 bias, u32 y)
{
	const struct kern_tensor *tb = &graph_ir_value(ir, bias)->t,
				 *ty = &graph_ir_value(ir, y)->t;

	return graph_ir_value(ir, bias)->is_const && tb->rank && ty->rank && tb->rank <= ty->rank &&
	       tb->dims[tb->rank - 1] == ty->dims[ty->rank - 1] &&
	       kern_nr_elements(tb) == ty->dims[ty->rank - 1];
}

/* matmul + one number per column */
static int fuse_bias(struct ir *ir, u32 at)
{
	const struct ir_op *op = graph_ir_op(ir, at);
	const struct abi_attr_binary *attr = op->attr;
	struct ir_op *producer, fused;
	u32 side;
	int ret;

	if (attr->kind != ABI_BINARY_ADD || !is_f32(ir, op->out[0]))
		return 0;
	producer = graph_fuse_producer(ir, op->in[0], ABI_OP_MATMUL);
	side = producer ? 0 : 1;
	if (!producer)
		producer = graph_fuse_producer(ir, op->in[1], ABI_OP_MATMUL);
	if (!producer || graph_fuse_act(producer)->kind != ABI_UNARY_NONE ||
	    (producer->nr_in > 2 && producer->in[2] != GRAPH_NONE) ||
	    !is_row(ir, op->in[!side], op->out[0]))
		return 0;
	ret = graph_fuse_clone(ir, producer, 3, &fused);
	if (ret)
		return ret;
	fused.nr_in = 3;
	fused.in[2] = op->in[!side];
	((struct abi_attr_matmul *)fused.attr)->beta = 1;
	*graph_fuse_act(&fused) = attr->act;
	return graph_fuse_commit(ir, &fused, producer, at);
}

static bool is_number(const struct ir *ir, u32 v, float number)
{
	const struct ir_value *value = graph_ir_value(ir, v);
	float f;

	if (!value->is_known || value->t.dtype != ABI_F32 || kern_nr_elements(&value->t) != 1)
		return false;
	memcpy(&f, value->t.data, sizeof(f));
	return fabsf(f - number) < 1e-6f;
}

static const struct abi_attr_binary *binary_of(const struct ir_op *op, u32 kind)
{
	const struct abi_attr_binary *attr = op ? op->attr : NULL;

	return attr && attr->kind == kind ? attr : NULL;
}

/* v = min(max(x + 3, 0), 6), read by nobody else: its addition, or NULL. */
static struct ir_op *relu6_plus3(const struct ir *ir, u32 v, u32 x)
{
	struct ir_op *add = graph_fuse_producer(ir, v, ABI_OP_BINARY);
	const struct abi_attr_binary *attr = binary_of(add, ABI_BINARY_ADD);

	if (!attr || attr->act.kind != ABI_UNARY_CLIP || attr->act.a < 0 || attr->act.a > 0 ||
	    fabsf(attr->act.b - 6) > 1e-6f)
		return NULL;
	if (add->in[0] == x && is_number(ir, add->in[1], 3))
		return add;
	return add->in[1] == x && is_number(ir, add->in[0], 3) ? add : NULL;
}

/* v = other / 6 or other * (1/6), read by nobody else; or NULL. */
static struct ir_op *sixth_of(const struct ir *ir, struct ir_op *op, u32 *other)
{
	const struct abi_attr_binary *attr = op ? op->attr : NULL;

	if (!attr || attr->act.kind != ABI_UNARY_NONE)
		return NULL;
	if ((attr->kind == ABI_BINARY_DIV && is_number(ir, op->in[1], 6)) ||
	    (attr->kind == ABI_BINARY_MUL && is_number(ir, op->in[1], 1.0f / 6))) {
		*other = op->in[0];
		return op;
	}
	if (attr->kind == ABI_BINARY_MUL && is_number(ir, op->in[0], 1.0f / 6)) {
		*other = op->in[1];
		return op;
	}
	return NULL;
}

static int become_unary(struct ir *ir, u32 at, u32 x, u32 kind, u32 nr_gone, struct ir_op **gone)
{
	const struct abi_attr_unary attr = { .f = { .kind = kind, .a = 1 } };
	struct ir_op fused = { .code = ABI_OP_UNARY, .nr_in = 1, .attr_size = sizeof(attr) };
	int ret;

	fused.in = graph_mem_alloc(&ir->mem, 1, sizeof(u32));
	fused.attr = graph_mem_alloc(&ir->mem, 1, sizeof(attr));
	if (!fused.in || !fused.attr)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	fused.in[0] = x;
	memcpy(fused.attr, &attr, sizeof(attr));
	ret = graph_fuse_commit(ir, &fused, gone[0], at);
	for (u32 i = 0; ret > 0 && i < nr_gone; i++) {
		gone[i]->is_dead = true;
		ir->nr_fused += i > 0;
	}
	if (ret > 0)
		graph_ir_value(ir, x)->nr_uses--; /* two readers became one */
	return ret;
}

/* x * sigmoid(x), x * hard_sigmoid(x), x * (relu6(x + 3) / 6) */
static int swish_side(struct ir *ir, u32 at, u32 x, u32 v)
{
	struct ir_op *gate = graph_fuse_producer(ir, v, ABI_OP_UNARY), *gone[2];
	const struct abi_attr_unary *attr = gate ? gate->attr : NULL;
	u32 inner;

	if (gate && gate->in[0] == x && attr->f.kind == ABI_UNARY_SIGMOID)
		return become_unary(ir, at, x, ABI_UNARY_SWISH, 1, &gate);
	if (gate && gate->in[0] == x && attr->f.kind == ABI_UNARY_HARD_SIGMOID &&
	    fabsf(attr->f.a - 1.0f / 6) < 1e-6f && fabsf(attr->f.b - 0.5f) < 1e-6f)
		return become_unary(ir, at, x, ABI_UNARY_HARD_SWISH, 1, &gate);
	gone[0] = sixth_of(ir, graph_fuse_producer(ir, v, ABI_OP_BINARY), &inner);
	if (!gone[0])
		return 0;
	gone[1] = relu6_plus3(ir, inner, x);
	return gone[1] ? become_unary(ir, at, x, ABI_UNARY_HARD_SWISH, 2, gone) : 0;
}

/* (x * relu6(x + 3)) / 6 */
static int hard_swish_outside(struct ir *ir, u32 at)
{
	struct ir_op *gone[2];
	u32 product;

	if (!sixth_of(ir, graph_ir_op(ir, at), &product))
		return 0;
	gone[0] = graph_fuse_producer(ir, product, ABI_OP_BINARY);
	if (!binary_of(gone[0], ABI_BINARY_MUL) || graph_fuse_act(gone[0])->kind != ABI_UNARY_NONE)
		return 0;
	for (u32 i = 0; i < 2; i++) {
		u32 x = gone[0]->in[i];

		gone[1] = relu6_plus3(ir, gone[0]->in[!i], x);
		if (gone[1])
			return become_unary(ir, at, x, ABI_UNARY_HARD_SWISH, 2, gone);
	}
	return 0;
}

static int fuse_swish(struct ir *ir, u32 at)
{
	const struct ir_op *op = graph_ir_op(ir, at);
	const struct abi_attr_binary *attr = op->attr;
	u32 a = op->in[0], b = op->in[1];
	int ret;

	if (!is_f32(ir, op->out[0]) || attr->act.kind != ABI_UNARY_NONE)
		return 0;
	ret = hard_swish_outside(ir, at);
	if (!ret && attr->kind == ABI_BINARY_MUL)
		ret = swish_side(ir, at, a, b);
	if (!ret && attr->kind == ABI_BINARY_MUL)
		ret = swish_side(ir, at, b, a);
	return ret;
}

static bool pads_with_zeros(const struct ir *ir, const struct ir_op *pad)
{
	const struct abi_attr_pad *attr = pad->attr;
	u32 rank = graph_ir_value(ir, pad->in[0])->t.rank;

	if (attr->mode != ABI_PAD_CONSTANT ||
	    (pad->nr_in > 1 && pad->in[1] != GRAPH_NONE && !is_number(ir, pad->in[1], 0)))
		return false;
	for (u32 i = 0; i < rank; i++)
		if (attr->begin[i] < 0 || attr->end[i] < 0 || attr->begin[i] > UINT16_MAX ||
		    attr->end[i] > UINT16_MAX || (i < 2 && (attr->begin[i] || attr->end[i])))
			return false;
	return true;
}

/* zeros around the image, then a convolution */
static int fuse_pad(struct ir *ir, u32 at)
{
	const struct ir_op *op = graph_ir_op(ir, at);
	struct ir_op *pad = graph_fuse_producer(ir, op->in[0], ABI_OP_PAD), fused;
	const struct abi_attr_pad *attr = pad ? pad->attr : NULL;
	struct abi_window *win;
	int ret;

	if (!pad || !is_f32(ir, op->in[0]) || !pads_with_zeros(ir, pad))
		return 0;
	ret = graph_fuse_clone(ir, op, op->nr_in, &fused);
	if (ret)
		return ret;
	fused.in[0] = pad->in[0];
	win = &((struct abi_attr_conv *)fused.attr)->win;
	for (u32 i = 0; i < win->nr_spatial; i++) {
		win->pad_begin[i] += (u32)attr->begin[i + 2];
		win->pad_end[i] += (u32)attr->end[i + 2];
	}
	return graph_fuse_commit(ir, &fused, pad, at);
}

static int fuse_binary(struct ir *ir, u32 at)
{
	int ret = fuse_swish(ir, at);

	if (!ret)
		ret = graph_fuse_affine(ir, at);
	if (!ret)
		ret = fuse_add(ir, at);
	if (!ret)
		ret = fuse_bias(ir, at);
	return ret;
}

static int fuse_op(struct ir *ir, u32 at)
{
	switch (graph_ir_op(ir, at)->code) {
	case ABI_OP_UNARY:
		return fuse_activation(ir, at);
	case ABI_OP_BINARY:
		return fuse_binary(ir, at);
	case ABI_OP_BATCH_NORM:
		return graph_fuse_batch_norm(ir, at);
	case ABI_OP_CONV:
		return fuse_pad(ir, at);
	default:
		return 0;
	}
}

int graph_ir_fuse(struct ir *ir)
{
	int ret = 0;

	if (ir->no_fuse)
		return 0;
	graph_ir_count_uses(ir);
	for (u32 i = 0; i < ir->ops.nr && ret >= 0; i++) {
		/* what an operation became may fuse again: swish into its convolution */
		do
			ret = graph_ir_op(ir, i)->is_dead ? 0 : fuse_op(ir, i);
		while (ret > 0);
	}
	return ret < 0 ? ret : 0;
}
