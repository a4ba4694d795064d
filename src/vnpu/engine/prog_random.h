/* SPDX-License-Identifier: MIT */
/* For tests: seeded random programs of the operations networks are made of, small shapes. */
#ifndef VNPU_ENGINE_PROG_RANDOM_H
#define VNPU_ENGINE_PROG_RANDOM_H

#include "vnpu/engine/prog_builder.h"

#define PR_MAX_LIVE 24u

struct pr {
	struct pb *pb;
	u32 live[PR_MAX_LIVE]; /* tensors to go on from */
	u32 nr_live;
};

static inline u32 pr_act(struct pb *pb)
{
	static const u32 acts[] = {
		ABI_UNARY_NONE,	      ABI_UNARY_RELU,	 ABI_UNARY_CLIP,
		ABI_UNARY_LEAKY_RELU, ABI_UNARY_SIGMOID, ABI_UNARY_SWISH,
		ABI_UNARY_HARD_SWISH, ABI_UNARY_TANH,	 ABI_UNARY_HARD_SIGMOID
	};

	return acts[pb_between(pb, 0, BASE_ARRAY_SIZE(acts) - 1)];
}

static inline const struct abi_prog_tensor *pr_at(const struct pr *r, u32 t)
{
	return &r->pb->tensors[t];
}

static inline bool pr_is_same_shape(const struct pr *r, u32 a, u32 b)
{
	return pr_at(r, a)->rank == pr_at(r, b)->rank &&
	       !memcmp(pr_at(r, a)->dims, pr_at(r, b)->dims, sizeof(pr_at(r, a)->dims));
}

/* Another live tensor of this shape, or none. */
static inline u32 pr_partner(struct pr *r, u32 t)
{
	u32 from = pb_between(r->pb, 0, r->nr_live - 1);

	for (u32 i = 0; i < r->nr_live; i++) {
		u32 other = r->live[(from + i) % r->nr_live];

		if (other != t && pr_is_same_shape(r, t, other))
			return other;
	}
	return ABI_TENSOR_NONE;
}

/* [N, C, spatial...] */
static inline bool pr_is_image(const struct pr *r, u32 t)
{
	return pr_at(r, t)->rank >= 3 && pr_at(r, t)->rank <= 5;
}

static inline u32 pr_conv(struct pr *r, u32 x, bool is_transposed)
{
	static const u32 channels[] = { 1, 3, 8, 16, 17, 24, 32, 48 };
	struct pb *pb = r->pb;
	u32 rank = pr_at(r, x)->rank, c = pr_at(r, x)->dims[1];
	u32 kernel = pb_between(pb, 1, 3), dilation = pb_between(pb, 1, 2);
	u32 group = pb_between(pb, 0, 2) ? 1 : c; /* dense or depthwise */
	u32 out = group > 1 ? c : channels[pb_between(pb, 0, BASE_ARRAY_SIZE(channels) - 1)];
	struct abi_attr_conv attr = { .group = group, .act = pb_act(pr_act(pb)) };
	u32 dims[ABI_MAX_RANK] = { out, c / group, kernel, kernel, kernel };
	u32 in[4] = { x, 0, ABI_TENSOR_NONE, ABI_TENSOR_NONE }, plain, residual;
	u32 nr_in = 2;

	attr.win = pb_window(rank - 2, kernel, pb_between(pb, 1, 2), dilation,
			     pb_between(pb, 0, kernel - 1));
	if (is_transposed) {
		dims[0] = c;
		dims[1] = group > 1 ? 1 : out;
	}
	in[1] = pb_const_random(pb, 0, 2.0f / (float)(c / group * kernel), rank, dims);
	if (pb_between(pb, 0, 1)) {
		in[2] = pb_const_random(pb, 0, 1, PB_DIMS(out));
		nr_in = 3;
	}
	if (is_transposed || pb_between(pb, 0, 2))
		return pb_try(pb, is_transposed ? ABI_OP_CONV_TRANSPOSE : ABI_OP_CONV, &attr,
			      sizeof(attr), in, nr_in, NULL);
	/* With a residual: the same convolution twice, so that there is one of that shape. */
	plain = pb_try(pb, ABI_OP_CONV, &attr, sizeof(attr), in, nr_in, NULL);
	if (plain == ABI_TENSOR_NONE)
		return plain;
	residual = pr_partner(r, plain);
	in[3] = residual == ABI_TENSOR_NONE ? plain : residual;
	if (pb_between(pb, 0, 1) && r->nr_live < PR_MAX_LIVE)
		r->live[r->nr_live++] = plain; /* somebody else may read it later */
	return pb_try(pb, ABI_OP_CONV, &attr, sizeof(attr), in, 4, NULL);
}

static inline u32 pr_pool(struct pr *r, u32 x)
{
	struct pb *pb = r->pb;
	u32 kernel = pb_between(pb, 1, 3);
	struct abi_attr_pool attr = {
		.win = pb_window(pr_at(r, x)->rank - 2, kernel, pb_between(pb, 1, 2), 1,
				 pb_between(pb, 0, kernel - 1)),
		.kind = pb_between(pb, ABI_POOL_MAX, ABI_POOL_AVG),
		.count_include_pad = pb_between(pb, 0, 1),
		.ceil_mode = pb_between(pb, 0, 1),
	};

	return pb_try(pb, ABI_OP_POOL, &attr, sizeof(attr), &x, 1, NULL);
}

static inline u32 pr_mean(struct pr *r, u32 x)
{
	struct abi_attr_reduce attr = { .kind = ABI_REDUCE_MEAN,
					.keep_dims = pb_between(r->pb, 0, 1) };

	for (u32 i = 2; i < pr_at(r, x)->rank; i++)
		attr.axes |= BASE_BIT(i);
	return pb_try(r->pb, ABI_OP_REDUCE, &attr, sizeof(attr), &x, 1, NULL);
}

static inline u32 pr_binary(struct pr *r, u32 x)
{
	static const u32 kinds[] = { ABI_BINARY_ADD, ABI_BINARY_SUB, ABI_BINARY_MUL, ABI_BINARY_MIN,
				     ABI_BINARY_MAX };
	struct pb *pb = r->pb;
	u32 kind = kinds[pb_between(pb, 0, BASE_ARRAY_SIZE(kinds) - 1)];
	u32 other = pr_partner(r, x), dims[ABI_MAX_RANK];

	memcpy(dims, pr_at(r, x)->dims, sizeof(dims));
	if (other == ABI_TENSOR_NONE || !pb_between(pb, 0, 2)) {
		/* Per channel, a scalar, or any axis stretched. */
		for (u32 i = 0; i < pr_at(r, x)->rank; i++)
			if (i != 1 && pb_between(pb, 0, 3))
				dims[i] = 1;
		other = pb_const_random(pb, 0, 1, pr_at(r, x)->rank, dims);
	}
	return pb_between(pb, 0, 1) ? pb_binary(pb, x, other, kind, pr_act(pb))
				    : pb_binary(pb, other, x, kind, pr_act(pb));
}

static inline u32 pr_norm(struct pr *r, u32 x)
{
	const struct abi_attr_norm attr = { .epsilon = 1e-5f };
	struct pb *pb = r->pb;
	u32 c = pr_at(r, x)->dims[1];
	u32 in[5] = { x };

	for (u32 i = 1; i < 5; i++)
		in[i] = pb_const_random(pb, i == 4 ? 1 : 0, i == 4 ? 0.5f : 1, PB_DIMS(c));
	return pb_try(pb, ABI_OP_BATCH_NORM, &attr, sizeof(attr), in, 5, NULL);
}

static inline u32 pr_lrn(struct pr *r, u32 x)
{
	const struct abi_attr_lrn attr = {
		.size = pb_between(r->pb, 1, 5), .alpha = 1e-2f, .beta = 0.75f, .bias = 1
	};

	return pb_try(r->pb, ABI_OP_LRN, &attr, sizeof(attr), &x, 1, NULL);
}

static inline u32 pr_transpose(struct pr *r, u32 x)
{
	struct abi_attr_transpose attr = { .perm = { 0 } };
	u32 rank = pr_at(r, x)->rank;

	for (u32 i = 0; i < rank; i++)
		attr.perm[i] = i;
	for (u32 i = rank; i > 1; i--) {
		u32 k = pb_between(r->pb, 0, i - 1), t = attr.perm[k];

		attr.perm[k] = attr.perm[i - 1];
		attr.perm[i - 1] = t;
	}
	return pb_try(r->pb, ABI_OP_TRANSPOSE, &attr, sizeof(attr), &x, 1, NULL);
}

static inline u32 pr_concat(struct pr *r, u32 x)
{
	u32 other = pr_partner(r, x);

	return pb_concat(r->pb, x, other == ABI_TENSOR_NONE ? x : other,
			 pb_between(r->pb, 0, 1) ? 1 : pb_between(r->pb, 0, pr_at(r, x)->rank - 1));
}

static inline u32 pr_slice(struct pr *r, u32 x)
{
	struct abi_attr_slice attr = { .count = { 0 } };

	for (u32 i = 0; i < pr_at(r, x)->rank; i++) {
		attr.count[i] = pb_between(r->pb, 1, pr_at(r, x)->dims[i]);
		attr.start[i] = pb_between(r->pb, 0, pr_at(r, x)->dims[i] - attr.count[i]);
		attr.step[i] = 1;
	}
	return pb_try(r->pb, ABI_OP_SLICE, &attr, sizeof(attr), &x, 1, NULL);
}

/* [a, b, ...] as [a, b ...] */
static inline u32 pr_flat(struct pr *r, u32 x)
{
	const struct abi_prog_tensor *t = pr_at(r, x);
	u32 rest = (u32)(t->size / sizeof(float)) / t->dims[0];

	return t->rank == 2 ? x : pb_alias(r->pb, x, PB_DIMS(t->dims[0], rest));
}

static inline u32 pr_matmul(struct pr *r, u32 x)
{
	struct pb *pb = r->pb;
	struct abi_attr_matmul attr = { .alpha = pb_between(pb, 0, 1) ? 1 : 0.5f,
					.beta = pb_between(pb, 0, 1) ? 1 : 2.0f,
					.trans_b = pb_between(pb, 0, 1),
					.act = pb_act(pr_act(pb)) };
	u32 a = pr_flat(r, x), k = pr_at(r, a)->dims[1], n = pb_between(pb, 1, 40), w, bias;

	w = pb_const_random(pb, 0, 2.0f / (float)k, 2,
			    (const u32[]){ attr.trans_b ? n : k, attr.trans_b ? k : n });
	if (!pb_between(pb, 0, 2))
		return pb_try(pb, ABI_OP_MATMUL, &attr, sizeof(attr), PB_IN(a, w), NULL);
	bias = pb_between(pb, 0, 2) ? pb_const_random(pb, 0, 1, PB_DIMS(n))
				    : pb_const_random(pb, 0, 1, PB_DIMS(pr_at(r, a)->dims[0], 1));
	return pb_try(pb, ABI_OP_MATMUL, &attr, sizeof(attr), PB_IN(a, w, bias), NULL);
}

/* x transposed or not, times another value: no constant in it */
static inline u32 pr_matmul_values(struct pr *r, u32 x)
{
	u32 a = pr_flat(r, x), other = pr_partner(r, x);
	/* Small results: a softmax of large ones shows rounding, not mistakes. */
	const struct abi_attr_matmul attr = { .alpha = 1.0f / (float)pr_at(r, a)->dims[1],
					      .beta = 1,
					      .trans_b = 1 };

	if (other == ABI_TENSOR_NONE)
		other = x;
	return pb_try(r->pb, ABI_OP_MATMUL, &attr, sizeof(attr), PB_IN(a, pr_flat(r, other)), NULL);
}

static inline u32 pr_step_image(struct pr *r, u32 x)
{
	switch (pb_between(r->pb, 0, 9)) {
	case 0:
		return pr_pool(r, x);
	case 1:
		return pr_norm(r, x);
	case 2:
		return pr_lrn(r, x);
	case 3:
		return pr_mean(r, x);
	case 4:
		return pr_conv(r, x, true);
	default:
		return pr_conv(r, x, false);
	}
}

static inline u32 pr_step(struct pr *r, u32 x)
{
	struct pb *pb = r->pb;

	switch (pb_between(pb, 0, pr_is_image(r, x) ? 15 : 9)) {
	case 0:
		return pr_transpose(r, x);
	case 1:
		return pb_softmax(pb, x, pb_between(pb, 0, pr_at(r, x)->rank - 1));
	case 2:
	case 3:
		return pr_concat(r, x);
	case 4:
		return pb_unary(pb, x, base_max(pr_act(pb), (u32)ABI_UNARY_RELU));
	case 5:
		return pr_slice(r, x);
	case 6:
	case 7:
		return pr_binary(r, x);
	case 8:
		return pr_matmul(r, x);
	case 9:
		return pr_matmul_values(r, x);
	default:
		return pr_step_image(r, x);
	}
}

/** pr_program() - @nr_ops random operations on one or two inputs; several outputs */
static inline void pr_program(struct pb *pb, u64 seed, u32 nr_ops)
{
	static const u32 channels[] = { 1, 3, 16, 20, 32 };
	struct pr r = { .pb = pb };
	u32 rank, c, dims[5];

	pb_init(pb, seed);
	rank = pb_between(pb, 0, 3) ? 4 : pb_between(pb, 3, 5);
	c = channels[pb_between(pb, 0, BASE_ARRAY_SIZE(channels) - 1)];
	dims[0] = pb_between(pb, 1, 2);
	dims[1] = c;
	for (u32 i = 2; i < rank; i++)
		dims[i] = pb_between(pb, 3, rank == 5 ? 6 : 12);
	for (u32 i = pb_between(pb, 1, 2); i--;)
		r.live[r.nr_live++] = pb_input(pb, ABI_F32, rank, dims);
	for (u32 i = 0; i < nr_ops * 4 && pb->nr_ops < nr_ops; i++) {
		u32 x = r.live[pb_between(pb, 0, 3) ? r.nr_live - 1
						    : pb_between(pb, 0, r.nr_live - 1)];
		u32 y = pr_step(&r, x);

		/* Empty or large ones stay in the program, but nothing goes on from them. */
		if (y == ABI_TENSOR_NONE || !pr_at(&r, y)->size || pr_at(&r, y)->size > 1u << 20)
			continue;
		if (r.nr_live == PR_MAX_LIVE)
			memmove(r.live, r.live + 1, --r.nr_live * sizeof(*r.live));
		r.live[r.nr_live++] = y;
	}
	for (u32 t = 0; t < pb->nr_tensors; t++)
		if (pb->tensors[t].kind == ABI_TENSOR_ARENA &&
		    (t == pb->operands[pb->nr_operands - 1] || !pb_between(pb, 0, 3)))
			pb_output(pb, t);
}

#endif
