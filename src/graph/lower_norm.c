// SPDX-License-Identifier: MIT
/* Normalisations. */
#include <errno.h>

#include "graph/lower.h"

/* All axes but the channels'. */
static u32 batch_axes(const struct kern_tensor *x)
{
	return (BASE_BIT(x->rank) - 1) & ~2u;
}

/* Mean and population variance of the batch, one per channel.  SRC: BatchNormalization-15. */
static int batch_stats(struct lower *lo, u32 x, u32 *mean, u32 *var)
{
	u32 axes = batch_axes(graph_lower_tensor(lo, x)),
	    channels = graph_lower_tensor(lo, x)->dims[1], diff;
	int ret;

	ret = graph_lower_reduce(lo, ABI_REDUCE_MEAN, axes, true, x, mean);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_SUB, x, *mean, &diff);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_MUL, diff, diff, &diff);
	if (!ret)
		ret = graph_lower_reduce(lo, ABI_REDUCE_MEAN, axes, false, diff, var);
	if (!ret)
		ret = graph_lower_reshape(lo, *mean, 1, &channels, mean);
	return ret;
}

/* running = old * momentum + current * (1 - momentum), output @i. */
static int running_stat(struct lower *lo, u32 i, u32 old, u32 current)
{
	float momentum = graph_lower_attr_float(lo, "momentum", 0.9f);
	u32 dtype = graph_lower_tensor(lo, old)->dtype, factor, out;
	int ret;

	if (!graph_lower_has_out(lo, i))
		return 0;
	ret = graph_lower_cast(lo, current, dtype, &current);
	if (!ret)
		ret = graph_lower_scalar(lo, dtype, (double)(1 - momentum), &factor);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_MUL, current, factor, &current);
	if (!ret)
		ret = graph_lower_scalar(lo, dtype, (double)momentum, &factor);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_MUL, old, factor, &out);
	if (!ret)
		ret = graph_lower_binary(lo, ABI_BINARY_ADD, out, current, &out);
	return ret ? ret : graph_lower_set(lo, i, out);
}

static bool is_training(const struct lower *lo)
{
	if (lo->node->opset >= 14)
		return graph_lower_attr_int(lo, "training_mode", 0) != 0;
	if (lo->node->opset < 7)
		return graph_lower_attr_int(lo, "is_test", 0) == 0;
	return graph_lower_has_out(lo, 1);
}

static int check_version(struct lower *lo)
{
	if (lo->node->opset < 9 && !graph_lower_attr_int(lo, "spatial", 1))
		return graph_lower_fail(lo, -EOPNOTSUPP,
					"spatial = 0 (statistics per element) is not supported");
	if (is_training(lo) && lo->node->opset < 14)
		return graph_lower_fail(
			lo, -EOPNOTSUPP,
			"training mode is not supported before opset 14: export for inference");
	if (graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank < 2)
		return graph_lower_fail(lo, -EINVAL, "input X has rank %u, expected 2 or more",
					graph_lower_tensor(lo, graph_lower_in(lo, 0))->rank);
	return 0;
}

int graph_lower_op_batch_norm(struct lower *lo, int arg)
{
	const struct abi_attr_norm attr = { .epsilon =
						    graph_lower_attr_float(lo, "epsilon", 1e-5f) };
	u32 in[5], dtype = graph_lower_tensor(lo, graph_lower_in(lo, 0))->dtype;
	int ret = check_version(lo);

	(void)arg;
	for (u32 i = 0; !ret && i < 5; i++)
		ret = graph_lower_cast(lo, graph_lower_in(lo, i), dtype,
				       &in[i]); /* 15: types may differ */
	if (!ret && is_training(lo)) {
		ret = batch_stats(lo, in[0], &in[3], &in[4]);
		if (!ret)
			ret = running_stat(lo, 1, graph_lower_in(lo, 3), in[3]);
		if (!ret)
			ret = running_stat(lo, 2, graph_lower_in(lo, 4), in[4]);
	}
	return ret ? ret : graph_lower_emit_set(lo, ABI_OP_BATCH_NORM, &attr, sizeof(attr), in, 5);
}

int graph_lower_op_instance_norm(struct lower *lo, int arg)
{
	const struct abi_attr_norm attr = { .epsilon =
						    graph_lower_attr_float(lo, "epsilon", 1e-5f) };
	const u32 in[] = { graph_lower_in(lo, 0), graph_lower_in(lo, 1), graph_lower_in(lo, 2) };

	(void)arg;
	return graph_lower_emit_set(lo, ABI_OP_INSTANCE_NORM, &attr, sizeof(attr), in, 3);
}

int graph_lower_op_lrn(struct lower *lo, int arg)
{
	struct abi_attr_lrn attr = {
		.alpha = graph_lower_attr_float(lo, "alpha", 0.0001f),
		.beta = graph_lower_attr_float(lo, "beta", 0.75f),
		.bias = graph_lower_attr_float(lo, "bias", 1.0f),
	};
	u32 x = graph_lower_in(lo, 0);
	int ret = graph_lower_dim(lo, graph_lower_attr_int(lo, "size", 0), &attr.size);

	(void)arg;
	return ret ? ret : graph_lower_emit_set(lo, ABI_OP_LRN, &attr, sizeof(attr), &x, 1);
}
