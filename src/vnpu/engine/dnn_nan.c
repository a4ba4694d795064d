// SPDX-License-Identifier: MIT
/*
 * NaN through oneDNN.  Its generated code takes max(x, 0) with the instruction that gives the second
 * operand where one is NaN: a ReLU, fused or not, a clip, a pool or a softmax makes an ordinary
 * number of it.  ONNX Runtime and src/kernels keep it, and so must we: a broken input may not end as
 * a plausible answer.
 *
 * No other post-op keeps NaN at the same price.  But the processor tells: comparing or taking the
 * maximum of a NaN raises "invalid", and so does the operation that made it.  So a run is watched,
 * by the sticky flags of the threads that take part, and when one rose the program runs again with
 * steps that keep NaN (vnpu_net.careful).  A run without NaN pays for reading the flags.
 *
 * Operations of src/kernels keep NaN themselves; what they raise does not count.
 */
#include <dlfcn.h>
#include <fenv.h>
#include <string.h>

#include "vnpu/engine/dnn.h"

/*
 * In the OpenMP runtime that came with the library, whichever it is; the number of threads belongs
 * to the calling thread.  A library built without threads has no such functions.
 */
void dnn_threads_find(struct vnpu_net *net)
{
	void *sym = dlsym(RTLD_DEFAULT, "omp_set_num_threads");

	memcpy(&net->omp_set_num_threads, &sym, sizeof(sym));
	sym = dlsym(RTLD_DEFAULT, "GOMP_parallel");
	memcpy(&net->gomp_parallel, &sym, sizeof(sym));
}

/* Threads whose flags nobody can read do not compute. */
static u32 nr_threads(const struct vnpu_net *net)
{
	return net->gomp_parallel ? net->opts.nr_threads : 1;
}

void dnn_threads_set(const struct vnpu_net *net)
{
	if (net->omp_set_num_threads)
		net->omp_set_num_threads((int)nr_threads(net));
}

static void on_each_thread(const struct vnpu_net *net, void (*fn)(void *data), void *data)
{
	if (nr_threads(net) > 1)
		net->gomp_parallel(fn, data, nr_threads(net), 0);
	else
		fn(data);
}

static void clear_flag(void *data)
{
	(void)data;
	feclearexcept(FE_INVALID);
}

static void read_flag(void *data)
{
	if (fetestexcept(FE_INVALID))
		__atomic_store_n((bool *)data, true, __ATOMIC_RELAXED);
}

void dnn_nan_watch(const struct vnpu_net *net)
{
	on_each_thread(net, clear_flag, NULL);
}

bool dnn_nan_seen(const struct vnpu_net *net)
{
	bool seen = false;

	on_each_thread(net, read_flag, &seen);
	return seen;
}

static bool loses_nan(u32 kind)
{
	return kind == ABI_BINARY_MIN || kind == ABI_BINARY_MAX;
}

bool dnn_nan_is_kept(const struct dnn_build *b)
{
	const struct abi_attr_binary *binary = dnn_attr(b);
	const struct abi_attr_pool *pool = dnn_attr(b);

	if (!b->net->is_careful)
		return true;
	switch (b->prog->ops[b->op].code) {
	case ABI_OP_UNARY:
	case ABI_OP_SOFTMAX:
		return false;
	case ABI_OP_POOL:
		return pool->kind != ABI_POOL_MAX;
	case ABI_OP_BINARY:
		return !loses_nan(binary->kind);
	default:
		return true;
	}
}

bool dnn_act(const struct dnn_build *b, const struct abi_act *act, struct dnn_post_op *out)
{
	return !b->net->is_careful && act->kind && dnn_eltwise(act->kind, act->a, act->b, out);
}
