// SPDX-License-Identifier: MIT
/*
 * Dropout.  In inference it does nothing.  In training mode with a seed it is a fixed mask, made
 * here as ONNX's reference makes it, so that its own test data passes; without a seed there is
 * nothing to compile.
 *
 * The generator is MT19937 as NumPy's RandomState(seed) runs it: 2002 initialisation by one number,
 * doubles of 53 bits.  SRC: Matsumoto and Nishimura, "Mersenne Twister" (1998) and its 2002
 * initialisation; NumPy, legacy seeding; ONNX, onnx/backend/test/case/node/dropout.py.
 */
#include <errno.h>
#include <string.h>

#include "graph/lower.h"

#define MT_N 624u
#define MT_M 397u

struct twister {
	u32 state[MT_N];
	u32 next;
};

static void twister_init(struct twister *mt, u32 seed)
{
	mt->state[0] = seed;
	for (u32 i = 1; i < MT_N; i++)
		mt->state[i] = 1812433253u * (mt->state[i - 1] ^ (mt->state[i - 1] >> 30)) + i;
	mt->next = MT_N;
}

static void twister_refill(struct twister *mt)
{
	for (u32 i = 0; i < MT_N; i++) {
		u32 y = (mt->state[i] & 0x80000000u) | (mt->state[(i + 1) % MT_N] & 0x7FFFFFFFu);

		mt->state[i] = mt->state[(i + MT_M) % MT_N] ^ (y >> 1) ^ (y & 1 ? 0x9908B0DFu : 0);
	}
	mt->next = 0;
}

static u32 twister_u32(struct twister *mt)
{
	u32 y;

	if (mt->next == MT_N)
		twister_refill(mt);
	y = mt->state[mt->next++];
	y ^= y >> 11;
	y ^= (y << 7) & 0x9D2C5680u;
	y ^= (y << 15) & 0xEFC60000u;
	return y ^ (y >> 18);
}

/* 0 <= u < 1, 53 random bits. */
static double twister_double(struct twister *mt)
{
	u32 high = twister_u32(mt) >> 5, low = twister_u32(mt) >> 6;

	return (high * 67108864.0 + low) / 9007199254740992.0;
}

/* A bool constant of x's shape, each element true when it stays. */
static int make_mask(struct lower *lo, const struct kern_tensor *x, double ratio, u32 seed,
		     u32 *out)
{
	u64 nr = kern_nr_elements(x);
	struct twister mt;
	u8 *mask;

	if (!graph_ir_spend(lo->ir, nr))
		return graph_lower_fail(lo, -E2BIG,
					"mask of %llu elements: limit of folding reached",
					(unsigned long long)nr);
	mask = graph_mem_alloc(&lo->ir->mem, 1, nr ? nr : 1);
	if (!mask)
		return graph_no_memory(lo->err);
	twister_init(&mt, seed);
	for (u64 i = 0; i < nr; i++)
		mask[i] = twister_double(&mt) >= ratio;
	return graph_ir_const(lo->ir, ABI_BOOL, x->rank, x->dims, mask, out);
}

static int set_mask(struct lower *lo, u32 mask)
{
	/* before opset 10 the mask had the type of the data */
	u32 dtype = lo->node->opset < 10 ? graph_lower_tensor(lo, graph_lower_in(lo, 0))->dtype
					 : ABI_BOOL;
	int ret = graph_lower_cast(lo, mask, dtype, &mask);

	return ret ? ret : graph_lower_set(lo, 1, mask);
}

static int drop_nothing(struct lower *lo)
{
	const struct kern_tensor *x = graph_lower_tensor(lo, graph_lower_in(lo, 0));
	struct abi_attr_shape attr = { .rank = x->rank };
	const u8 yes = 1;
	u32 mask;
	int ret;

	memcpy(attr.dims, x->dims, x->rank * sizeof(u32));
	ret = graph_lower_op_identity(lo, 0);
	if (ret || !graph_lower_has_out(lo, 1))
		return ret;
	ret = graph_ir_const(lo->ir, ABI_BOOL, 0, NULL, &yes, &mask);
	if (!ret)
		ret = graph_lower_emit(lo, ABI_OP_EXPAND, &attr, sizeof(attr), &mask, 1, &mask);
	return ret ? ret : set_mask(lo, mask);
}

/* y = x * mask / (1 - ratio) */
static int drop_some(struct lower *lo, double ratio)
{
	const struct onnx_attr *seed = graph_lower_attr(lo, "seed");
	u32 x = graph_lower_in(lo, 0), mask, factor, out;
	struct kern_tensor t = *graph_lower_tensor(lo, x);
	int ret;

	if (!seed)
		return graph_lower_fail(
			lo, -EOPNOTSUPP,
			"training mode without a seed is random: export the model for inference");
	if (seed->i < 0 || seed->i > UINT32_MAX || !(ratio >= 0 && ratio < 1))
		return graph_lower_fail(lo, -EINVAL, "seed or ratio is out of range");
	ret = make_mask(lo, &t, ratio, (u32)seed->i, &mask);
	if (!ret)
		ret = graph_lower_cast(lo, mask, t.dtype, &factor);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_MUL, x, factor, &out);
	if (!ret)
		ret = graph_lower_scalar(lo, t.dtype, 1 / (1 - ratio), &factor);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_MUL, out, factor, &out);
	if (!ret)
		ret = graph_lower_set(lo, 0, out);
	return ret ? ret : set_mask(lo, mask);
}

int graph_lower_op_dropout(struct lower *lo, int arg)
{
	double ratio = 0.5, training = 0;
	int ret = 0;

	(void)arg;
	if (lo->node->opset < 7 && !graph_lower_attr_int(lo, "is_test", 0))
		return graph_lower_fail(lo, -EOPNOTSUPP,
					"training mode (is_test = 0) is not supported");
	if (lo->node->opset < 12)
		return drop_nothing(lo);
	if (graph_lower_in(lo, 1) != GRAPH_NONE)
		ret = graph_lower_input_double(lo, 1, "ratio", &ratio);
	if (!ret && graph_lower_in(lo, 2) != GRAPH_NONE)
		ret = graph_lower_input_double(lo, 2, "training_mode", &training);
	if (ret)
		return ret;
	/* nothing is dropped: also what the official data calls "zero ratio" */
	return training == 0 || ratio == 0 ? drop_nothing(lo) : drop_some(lo, ratio);
}
