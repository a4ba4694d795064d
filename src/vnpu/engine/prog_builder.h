/* SPDX-License-Identifier: MIT */
/*
 * For tests: programs made by hand, one call per tensor and operation.  Shapes of results are
 * kern_infer()'s; every arena tensor has a place of its own.  Nothing here fails: it aborts.
 */
#ifndef VNPU_ENGINE_PROG_BUILDER_H
#define VNPU_ENGINE_PROG_BUILDER_H

#include <stdlib.h>
#include <string.h>

#include "kernels/kern.h"

#define PB_MAX_TENSORS	512u
#define PB_MAX_OPS	256u
#define PB_MAX_OPERANDS 1024u
#define PB_MAX_ATTRS	16384u

struct pb {
	struct abi_prog_tensor tensors[PB_MAX_TENSORS];
	struct abi_prog_op ops[PB_MAX_OPS];
	u32 operands[PB_MAX_OPERANDS];
	u8 attrs[PB_MAX_ATTRS];
	u8 *weights;
	u32 nr_tensors, nr_ops, nr_operands, attrs_size;
	u32 nr_inputs, nr_outputs;
	u64 weights_size, arena_size;
	u64 seed;
};

static inline void pb_require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "prog_builder: %s\n", what);
	abort();
}

static inline u32 pb_random(struct pb *pb)
{
	pb->seed = pb->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (u32)(pb->seed >> 33);
}

/* from .. to, both possible */
static inline u32 pb_between(struct pb *pb, u32 from, u32 to)
{
	return from + pb_random(pb) % (to - from + 1);
}

/* -1 .. 1 */
static inline float pb_random_f32(struct pb *pb)
{
	return (float)(pb_random(pb) & 0xFFFFFF) / 8388608.0f - 1.0f;
}

static inline void pb_init(struct pb *pb, u64 seed)
{
	memset(pb, 0, sizeof(*pb));
	pb->seed = seed * 2654435761u + 1;
	pb_random(pb);
}

static inline void pb_fini(struct pb *pb)
{
	base_free(pb->weights);
	pb->weights = NULL;
}

static inline u32 pb_tensor(struct pb *pb, u8 kind, u32 dtype, u32 rank, const u32 *dims, u64 off)
{
	struct abi_prog_tensor *t = &pb->tensors[pb->nr_tensors];

	pb_require(pb->nr_tensors < PB_MAX_TENSORS, "too many tensors");
	*t = (struct abi_prog_tensor){
		.kind = kind, .dtype = (u8)dtype, .rank = (u8)rank, .off = off
	};
	if (rank)
		memcpy(t->dims, dims, rank * sizeof(*dims));
	pb_require(abi_tensor_size(dtype, rank, dims, &t->size), "tensor too large");
	return pb->nr_tensors++;
}

static inline u32 pb_input(struct pb *pb, u32 dtype, u32 rank, const u32 *dims)
{
	return pb_tensor(pb, ABI_TENSOR_INPUT, dtype, rank, dims, pb->nr_inputs++);
}

/* @data NULL: zeros */
static inline u32 pb_const(struct pb *pb, u32 dtype, u32 rank, const u32 *dims, const void *data)
{
	u32 t = pb_tensor(pb, ABI_TENSOR_CONST, dtype, rank, dims, pb->weights_size);
	u64 size = base_align_up(pb->tensors[t].size, ABI_PROG_ALIGN);

	pb->weights = base_realloc_array(pb->weights, pb->weights_size + size + 1, 1);
	pb_require(pb->weights, "no memory");
	memset(pb->weights + pb->weights_size, 0, size);
	if (data)
		memcpy(pb->weights + pb->weights_size, data, pb->tensors[t].size);
	pb->weights_size += size;
	return t;
}

/* Seeded f32 numbers, -scale .. scale, around @middle. */
static inline u32 pb_const_random(struct pb *pb, float middle, float scale, u32 rank,
				  const u32 *dims)
{
	u32 t = pb_const(pb, ABI_F32, rank, dims, NULL);

	for (u64 i = 0; i < pb->tensors[t].size / sizeof(float); i++) {
		float f = middle + scale * pb_random_f32(pb);

		memcpy(pb->weights + pb->tensors[t].off + i * sizeof(f), &f, sizeof(f));
	}
	return t;
}

static inline u32 pb_alias(struct pb *pb, u32 of, u32 rank, const u32 *dims)
{
	const struct abi_prog_tensor *t = &pb->tensors[of];

	if (t->kind == ABI_TENSOR_ALIAS)
		of = (u32)t->off;
	return pb_tensor(pb, ABI_TENSOR_ALIAS, pb->tensors[of].dtype, rank, dims, of);
}

static inline struct kern_tensor pb_kern_tensor(const struct pb *pb, u32 i)
{
	struct kern_tensor k = { .dtype = pb->tensors[i].dtype, .rank = pb->tensors[i].rank };

	memcpy(k.dims, pb->tensors[i].dims, sizeof(k.dims));
	return k;
}

static inline u32 pb_arena(struct pb *pb, const struct kern_tensor *k)
{
	u32 t = pb_tensor(pb, ABI_TENSOR_ARENA, k->dtype, k->rank, k->dims, pb->arena_size);

	pb->arena_size += base_align_up(pb->tensors[t].size, ABI_PROG_ALIGN);
	return t;
}

static inline void pb_operand(struct pb *pb, u32 t)
{
	pb_require(pb->nr_operands < PB_MAX_OPERANDS, "too many operands");
	pb->operands[pb->nr_operands++] = t;
}

/*
 * An operation and its result, or ABI_TENSOR_NONE when its operands do not fit (@err, may be NULL,
 * says why) and nothing was added.
 */
static inline u32 pb_try(struct pb *pb, u32 code, const void *attr, size_t attr_size, const u32 *in,
			 u32 nr_in, struct base_err *err)
{
	const struct kern_op kop = { code, attr, (u32)attr_size, NULL };
	const struct kern_tensor *ptrs[16];
	struct kern_tensor tensors[16], out;
	struct abi_prog_op *op = &pb->ops[pb->nr_ops];

	pb_require(nr_in <= 16 && pb->nr_ops < PB_MAX_OPS, "too many operations");
	pb_require(pb->attrs_size + attr_size <= PB_MAX_ATTRS, "too many attributes");
	for (u32 i = 0; i < nr_in; i++) {
		ptrs[i] = NULL;
		if (in[i] == ABI_TENSOR_NONE)
			continue;
		tensors[i] = pb_kern_tensor(pb, in[i]);
		ptrs[i] = &tensors[i];
	}
	if (kern_infer(&kop, ptrs, nr_in, &out, 1, err))
		return ABI_TENSOR_NONE;
	pb->nr_ops++;
	*op = (struct abi_prog_op){ .code = (u16)code,
				    .nr_in = (u8)nr_in,
				    .nr_out = 1,
				    .operand = pb->nr_operands,
				    .attr = attr_size ? pb->attrs_size : 0,
				    .attr_size = (u32)attr_size };
	if (attr_size)
		memcpy(pb->attrs + pb->attrs_size, attr, attr_size);
	pb->attrs_size += (u32)base_align_up(attr_size, 8);
	for (u32 i = 0; i < nr_in; i++)
		pb_operand(pb, in[i]);
	pb_operand(pb, pb_arena(pb, &out));
	return pb->nr_tensors - 1;
}

static inline u32 pb_op(struct pb *pb, u32 code, const void *attr, size_t attr_size, const u32 *in,
			u32 nr_in)
{
	struct base_err err;
	u32 t = pb_try(pb, code, attr, attr_size, in, nr_in, &err);

	pb_require(t != ABI_TENSOR_NONE, err.text);
	return t;
}

#define PB_IN(...) \
	((const u32[]){ __VA_ARGS__ }), (u32)(sizeof((u32[]){ __VA_ARGS__ }) / sizeof(u32))
#define PB_DIMS(...) \
	(u32)(sizeof((u32[]){ __VA_ARGS__ }) / sizeof(u32)), ((const u32[]){ __VA_ARGS__ })

/* The result of an operation becomes the next output. */
static inline void pb_output(struct pb *pb, u32 t)
{
	pb_require(pb->tensors[t].kind == ABI_TENSOR_ARENA, "only a result can be an output");
	pb->tensors[t].kind = ABI_TENSOR_OUTPUT;
	pb->tensors[t].off = pb->nr_outputs++;
}

/* --- the usual operations --------------------------------------------------------------------- */

static inline struct abi_act pb_act(u32 kind)
{
	return (struct abi_act){ .kind = kind,
				 .a = kind == ABI_UNARY_LEAKY_RELU ? 0.1f
				      : kind == ABI_UNARY_CLIP	   ? 0.0f
								   : 1.0f,
				 .b = kind == ABI_UNARY_CLIP ? 6.0f : 1.0f };
}

static inline struct abi_window pb_window(u32 nr_spatial, u32 kernel, u32 stride, u32 dilation,
					  u32 pad)
{
	struct abi_window win = { .nr_spatial = nr_spatial };

	for (u32 i = 0; i < nr_spatial; i++) {
		win.kernel[i] = kernel;
		win.stride[i] = stride;
		win.dilation[i] = dilation;
		win.pad_begin[i] = win.pad_end[i] = pad;
	}
	return win;
}

/* He-scaled seeded weights and a bias; @residual ABI_TENSOR_NONE: none */
static inline u32 pb_conv(struct pb *pb, u32 x, u32 channels, u32 group, struct abi_window win,
			  u32 residual, u32 act)
{
	const struct abi_attr_conv attr = { .win = win, .group = group, .act = pb_act(act) };
	u32 dims[ABI_MAX_RANK] = { channels, pb->tensors[x].dims[1] / group };
	u32 fan_in = dims[1], w, bias;

	for (u32 i = 0; i < win.nr_spatial; i++) {
		dims[2 + i] = win.kernel[i];
		fan_in *= win.kernel[i];
	}
	w = pb_const_random(pb, 0, 1.7f / (float)fan_in * 2, 2 + win.nr_spatial, dims);
	bias = pb_const_random(pb, 0, 0.5f, PB_DIMS(channels));
	return pb_op(pb, ABI_OP_CONV, &attr, sizeof(attr), (const u32[]){ x, w, bias, residual },
		     residual == ABI_TENSOR_NONE ? 3 : 4);
}

static inline u32 pb_pool(struct pb *pb, u32 x, u32 kind, struct abi_window win)
{
	const struct abi_attr_pool attr = { .win = win, .kind = kind };

	return pb_op(pb, ABI_OP_POOL, &attr, sizeof(attr), &x, 1);
}

static inline u32 pb_unary(struct pb *pb, u32 x, u32 kind)
{
	const struct abi_attr_unary attr = { .f = pb_act(kind) };

	return pb_op(pb, ABI_OP_UNARY, &attr, sizeof(attr), &x, 1);
}

static inline u32 pb_binary(struct pb *pb, u32 a, u32 b, u32 kind, u32 act)
{
	const struct abi_attr_binary attr = { .kind = kind, .act = pb_act(act) };

	return pb_op(pb, ABI_OP_BINARY, &attr, sizeof(attr), PB_IN(a, b));
}

static inline u32 pb_concat(struct pb *pb, u32 a, u32 b, u32 axis)
{
	const struct abi_attr_axis attr = { .axis = axis };

	return pb_op(pb, ABI_OP_CONCAT, &attr, sizeof(attr), PB_IN(a, b));
}

static inline u32 pb_softmax(struct pb *pb, u32 x, u32 axis)
{
	const struct abi_attr_softmax attr = { .axis = axis };

	return pb_op(pb, ABI_OP_SOFTMAX, &attr, sizeof(attr), &x, 1);
}

/* x [m, k] times seeded weights to [m, n], with a bias */
static inline u32 pb_dense(struct pb *pb, u32 x, u32 n, bool trans_b, u32 act)
{
	const struct abi_attr_matmul attr = {
		.alpha = 1, .beta = 1, .trans_b = trans_b, .act = pb_act(act)
	};
	u32 k = pb->tensors[x].dims[pb->tensors[x].rank - 1];
	const u32 dims[] = { trans_b ? n : k, trans_b ? k : n };
	u32 w = pb_const_random(pb, 0, 3.0f / (float)k, 2, dims);
	u32 bias = pb_const_random(pb, 0, 0.5f, PB_DIMS(n));

	return pb_op(pb, ABI_OP_MATMUL, &attr, sizeof(attr), PB_IN(x, w, bias));
}

/* --- the image -------------------------------------------------------------------------------- */

static inline void pb_section(u8 *image, struct abi_prog_header *h, u32 id, const void *data,
			      u64 size, u64 *at)
{
	h->sec[id] = (struct abi_section){ *at, size };
	if (image && size)
		memcpy(image + *at, data, size);
	*at = base_align_up(*at + size, ABI_PROG_ALIGN);
}

static inline u64 pb_layout(const struct pb *pb, u8 *image, struct abi_prog_header *h)
{
	u64 at = sizeof(*h);

	pb_section(image, h, ABI_SEC_TENSORS, pb->tensors, pb->nr_tensors * sizeof(*pb->tensors),
		   &at);
	pb_section(image, h, ABI_SEC_OPS, pb->ops, pb->nr_ops * sizeof(*pb->ops), &at);
	pb_section(image, h, ABI_SEC_OPERANDS, pb->operands, pb->nr_operands * sizeof(u32), &at);
	pb_section(image, h, ABI_SEC_ATTRS, pb->attrs, pb->attrs_size, &at);
	pb_section(image, h, ABI_SEC_NAMES, "", 1, &at);
	pb_section(image, h, ABI_SEC_WEIGHTS, pb->weights, pb->weights_size, &at);
	return at;
}

/** pb_seal() - the header's hash fits the content again */
static inline void pb_seal(void *image, u64 size)
{
	struct abi_prog_header *h = image;

	h->content_hash = base_hash64((u8 *)image + sizeof(*h), size - sizeof(*h), 0);
}

/** pb_image() - the program, 64-byte aligned; free() it */
static inline void *pb_image(const struct pb *pb, u64 *size)
{
	struct abi_prog_header h = { .magic = ABI_PROG_MAGIC,
				     .version_major = ABI_PROG_VERSION_MAJOR,
				     .nr_inputs = pb->nr_inputs,
				     .nr_outputs = pb->nr_outputs,
				     .arena_size = pb->arena_size };
	u8 *image;

	*size = pb_layout(pb, NULL, &h);
	image = aligned_alloc(ABI_PROG_ALIGN, *size);
	pb_require(image, "no memory");
	memset(image, 0, *size);
	h.size = *size;
	pb_layout(pb, image, &h);
	memcpy(image, &h, sizeof(h));
	pb_seal(image, *size);
	return image;
}

#endif
