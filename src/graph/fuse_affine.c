// SPDX-License-Identifier: MIT
/*
 * A convolution followed by y * scale + shift per channel is a convolution with other weights:
 * batch normalisation, and the Mul and Add that exporters write for it.  The same goes for a batch
 * normalisation that has no convolution before it.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "graph/fuse.h"

struct affine { /* one each per output channel */
	float *scale, *shift;
	u32 nr;
};

static float load(const struct ir *ir, u32 v, u64 i)
{
	float f;

	memcpy(&f, (const u8 *)graph_ir_value(ir, v)->t.data + i * sizeof(f), sizeof(f));
	return f;
}

static bool is_const_f32(const struct ir *ir, u32 v)
{
	return v != GRAPH_NONE && graph_ir_value(ir, v)->is_const &&
	       graph_ir_value(ir, v)->t.dtype == ABI_F32;
}

static int affine_init(struct ir *ir, struct affine *af, u32 nr)
{
	af->nr = nr;
	af->scale = graph_mem_alloc(&ir->mem, nr, sizeof(float));
	af->shift = graph_mem_alloc(&ir->mem, nr, sizeof(float));
	if (!af->scale || !af->shift)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < nr; i++)
		af->scale[i] = 1;
	return 0;
}

static bool is_finite(const struct affine *af)
{
	for (u32 i = 0; i < af->nr; i++)
		if (!isfinite(af->scale[i]) || !isfinite(af->shift[i]))
			return false;
	return true;
}

/* A convolution whose weights may change: constant, nothing done to its result yet. */
static struct ir_op *plain_conv(const struct ir *ir, u32 v)
{
	struct ir_op *conv = graph_fuse_producer(ir, v, ABI_OP_CONV);

	if (!conv)
		conv = graph_fuse_producer(ir, v, ABI_OP_CONV_TRANSPOSE);
	if (!conv || graph_fuse_act(conv)->kind != ABI_UNARY_NONE ||
	    graph_fuse_residual(conv) != GRAPH_NONE || !is_const_f32(ir, conv->in[1]))
		return NULL;
	if (conv->nr_in > 2 && conv->in[2] != GRAPH_NONE && !is_const_f32(ir, conv->in[2]))
		return NULL;
	return conv;
}

/* Weights are [out, in/group, ...], those of the transposed convolution [in, out/group, ...]. */
static int scale_weights(struct ir *ir, const struct ir_op *conv, const struct affine *af, u32 *out)
{
	const struct kern_tensor t = graph_ir_value(ir, conv->in[1])->t;
	u32 group = ((const struct abi_attr_conv *)conv->attr)->group;
	bool is_transposed = conv->code == ABI_OP_CONV_TRANSPOSE;
	u64 inner = 1, at = 0;
	float *w;
	int ret;

	ret = graph_ir_const(ir, ABI_F32, t.rank, t.dims, t.data, out);
	if (ret)
		return ret;
	w = graph_ir_value(ir, *out)->t.data;
	for (u32 i = 2; i < t.rank; i++)
		inner *= t.dims[i];
	for (u32 row = 0; row < t.dims[0]; row++) {
		for (u32 col = 0; col < t.dims[1]; col++) {
			u32 channel = row;

			if (is_transposed)
				channel = row / (t.dims[0] / group) * t.dims[1] + col;
			for (u64 i = 0; i < inner; i++)
				w[at++] *= af->scale[channel];
		}
	}
	return 0;
}

static int scale_bias(struct ir *ir, const struct ir_op *conv, const struct affine *af, u32 *out)
{
	u32 old = conv->nr_in > 2 ? conv->in[2] : GRAPH_NONE;
	float *bias = graph_mem_alloc(&ir->mem, af->nr, sizeof(float));

	if (!bias)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < af->nr; i++)
		bias[i] = (old == GRAPH_NONE ? 0 : load(ir, old, i)) * af->scale[i] + af->shift[i];
	return graph_ir_const(ir, ABI_F32, 1, &af->nr, bias, out);
}

static bool is_identity_scale(const struct affine *af)
{
	for (u32 i = 0; i < af->nr; i++)
		if (af->scale[i] < 1 || af->scale[i] > 1)
			return false;
	return true;
}

static int apply(struct ir *ir, u32 at, struct ir_op *conv, const struct affine *af)
{
	struct ir_op fused;
	int ret;

	if (!is_finite(af) || !graph_ir_spend(ir, graph_ir_value(ir, conv->in[1])->size))
		return 0;
	ret = graph_fuse_clone(ir, conv, 3, &fused);
	if (!ret && !is_identity_scale(af))
		ret = scale_weights(ir, conv, af, &fused.in[1]);
	if (!ret)
		ret = scale_bias(ir, conv, af, &fused.in[2]);
	if (ret)
		return ret;
	fused.nr_in = 3;
	return graph_fuse_commit(ir, &fused, conv, at);
}

/* A batch normalisation of constants, which a scale and shift can move into. */
static struct ir_op *plain_batch_norm(const struct ir *ir, u32 v)
{
	struct ir_op *norm = graph_fuse_producer(ir, v, ABI_OP_BATCH_NORM);

	return norm && is_const_f32(ir, norm->in[1]) && is_const_f32(ir, norm->in[2]) ? norm : NULL;
}

static int apply_to_norm(struct ir *ir, u32 at, struct ir_op *norm, const struct affine *af)
{
	float *scale = graph_mem_alloc(&ir->mem, af->nr, sizeof(float));
	float *bias = graph_mem_alloc(&ir->mem, af->nr, sizeof(float));
	struct ir_op fused;
	int ret;

	if (!is_finite(af))
		return 0;
	if (!scale || !bias)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < af->nr; i++) {
		scale[i] = load(ir, norm->in[1], i) * af->scale[i];
		bias[i] = load(ir, norm->in[2], i) * af->scale[i] + af->shift[i];
	}
	ret = graph_fuse_clone(ir, norm, norm->nr_in, &fused);
	if (!ret)
		ret = graph_ir_const(ir, ABI_F32, 1, &af->nr, scale, &fused.in[1]);
	if (!ret)
		ret = graph_ir_const(ir, ABI_F32, 1, &af->nr, bias, &fused.in[2]);
	return ret ? ret : graph_fuse_commit(ir, &fused, norm, at);
}

static u32 nr_channels(const struct ir *ir, u32 v)
{
	const struct kern_tensor *t = &graph_ir_value(ir, v)->t;

	return t->rank > 1 ? t->dims[1] : 0;
}

int graph_fuse_batch_norm(struct ir *ir, u32 at)
{
	const struct ir_op *op = graph_ir_op(ir, at);
	double epsilon = (double)((const struct abi_attr_norm *)op->attr)->epsilon;
	struct ir_op *conv = plain_conv(ir, op->in[0]);
	struct affine af;
	int ret;

	if (!conv)
		return 0;
	for (u32 i = 1; i < 5; i++)
		if (!is_const_f32(ir, op->in[i]))
			return 0;
	ret = affine_init(ir, &af, nr_channels(ir, op->in[0]));
	if (ret)
		return ret;
	for (u32 i = 0; i < af.nr; i++) {
		double scale = (double)load(ir, op->in[1], i) /
			       sqrt((double)load(ir, op->in[4], i) + epsilon);

		af.scale[i] = (float)scale;
		af.shift[i] = (float)((double)load(ir, op->in[2], i) -
				      (double)load(ir, op->in[3], i) * scale);
	}
	return apply(ir, at, conv, &af);
}

/* One number, or one per channel, however many ones stand around it. */
static bool is_per_channel(const struct ir *ir, u32 v, u32 y)
{
	const struct kern_tensor *t = &graph_ir_value(ir, v)->t, *ty = &graph_ir_value(ir, y)->t;

	if (!is_const_f32(ir, v) || t->rank > ty->rank)
		return false;
	for (u32 i = 0; i < t->rank; i++)
		if (t->dims[i] != 1 && (i + ty->rank - t->rank != 1 || t->dims[i] != ty->dims[1]))
			return false;
	return true;
}

/* false: this kind cannot be folded from this side. */
static bool affine_of(const struct ir *ir, u32 kind, u32 operand, bool is_left, struct affine *af)
{
	bool is_one = kern_nr_elements(&graph_ir_value(ir, operand)->t) == 1;

	for (u32 i = 0; i < af->nr; i++) {
		float v = load(ir, operand, is_one ? 0 : i);

		if (kind == ABI_BINARY_ADD) {
			af->shift[i] = v;
		} else if (kind == ABI_BINARY_MUL) {
			af->scale[i] = v;
		} else if (kind == ABI_BINARY_SUB) {
			af->scale[i] = is_left ? -1.0f : 1.0f;
			af->shift[i] = is_left ? v : -v;
		} else if (kind == ABI_BINARY_DIV && !is_left) {
			af->scale[i] = 1 / v;
		} else {
			return false;
		}
	}
	return true;
}

/* Operand @side of @at is the tensor, the other one the constant. */
static int fuse_side(struct ir *ir, u32 at, u32 side)
{
	const struct ir_op *op = graph_ir_op(ir, at);
	const struct abi_attr_binary *attr = op->attr;
	struct ir_op *conv = plain_conv(ir, op->in[side]);
	struct ir_op *norm = conv ? NULL : plain_batch_norm(ir, op->in[side]);
	struct affine af;
	int ret;

	if (!(conv || norm) || !is_per_channel(ir, op->in[!side], op->in[side]) ||
	    !graph_ir_spend(ir, nr_channels(ir, op->in[side]) * UINT64_C(16)))
		return 0;
	ret = affine_init(ir, &af, nr_channels(ir, op->in[side]));
	if (ret || !affine_of(ir, attr->kind, op->in[!side], side == 1, &af))
		return ret;
	return conv ? apply(ir, at, conv, &af) : apply_to_norm(ir, at, norm, &af);
}

int graph_fuse_affine(struct ir *ir, u32 at)
{
	const struct abi_attr_binary *attr = graph_ir_op(ir, at)->attr;
	int ret;

	if (attr->act.kind != ABI_UNARY_NONE)
		return 0;
	ret = fuse_side(ir, at, 0);
	return ret ? ret : fuse_side(ir, at, 1);
}
