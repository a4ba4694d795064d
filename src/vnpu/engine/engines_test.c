// SPDX-License-Identifier: MIT
/*
 * The oneDNN engine against the plain one: random programs, blocks of real networks, strict mode,
 * hostile programs.  The build passes the library's place in VNPU_ENGINE_PATH.
 */
#include <math.h>

#include "vnpu/engine/engine.h"
#include "vnpu/engine/exec_testing.h"
#include "vnpu/engine/prog_random.h"

#define TOLERANCE 1e-4f /* of the largest value */

struct engines {
	struct vnpu_exec *plain, *fast[2]; /* one thread, two */
	struct vnpu_exec *strict;
};

static struct engines engines;

static int set_up(void **state)
{
	(void)state;
	engines.plain = et_exec("plain", 1, false);
	engines.fast[0] = et_exec("onednn", 1, false);
	engines.fast[1] = et_exec("onednn", 2, false);
	engines.strict = et_exec("onednn", 1, true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	vnpu_exec_destroy(engines.plain);
	vnpu_exec_destroy(engines.fast[0]);
	vnpu_exec_destroy(engines.fast[1]);
	vnpu_exec_destroy(engines.strict);
	return 0;
}

static void drop_all(void)
{
	vnpu_exec_drop_all(engines.plain);
	vnpu_exec_drop_all(engines.fast[0]);
	vnpu_exec_drop_all(engines.fast[1]);
	vnpu_exec_drop_all(engines.strict);
}

static float largest(const float *v, u64 nr)
{
	float max = 0;

	for (u64 i = 0; i < nr; i++)
		max = fmaxf(max, fabsf(v[i]));
	return max;
}

/* Outputs of @et as they are now. */
static float **take_outputs(const struct et *et)
{
	u32 nr = et->inv.nr_bindings - et->nr_inputs;
	float **out = calloc(nr + 1, sizeof(*out));

	assert_non_null(out);
	for (u32 i = 0; i < nr; i++) {
		u64 size = et->bindings[et->nr_inputs + i].size;

		out[i] = malloc(size + 1);
		assert_non_null(out[i]);
		memcpy(out[i], et_output(et, i), size);
	}
	return out;
}

static void free_outputs(const struct et *et, float **out)
{
	for (u32 i = 0; i < et->inv.nr_bindings - et->nr_inputs; i++)
		free(out[i]);
	free(out);
}

static void want_outputs(const struct et *et, float *const *want, const char *what, u64 seed)
{
	for (u32 i = 0; i < et->inv.nr_bindings - et->nr_inputs; i++) {
		u64 nr = et->bindings[et->nr_inputs + i].size / sizeof(float);
		float limit = TOLERANCE * base_max(largest(want[i], nr), 1e-3f);

		for (u64 k = 0; k < nr; k++) {
			float got;

			memcpy(&got, (u8 *)et_output(et, i) + k * sizeof(got), sizeof(got));
			if (!(fabsf(got - want[i][k]) <= limit))
				fail_msg("%s, seed %llu: output %u [%llu] is %g, plain gives %g "
					 "(limit %g)",
					 what, (unsigned long long)seed, i, (unsigned long long)k,
					 (double)got, (double)want[i][k], (double)limit);
		}
	}
}

static void spoil_outputs(const struct et *et)
{
	for (u32 i = et->nr_inputs; i < et->inv.nr_bindings; i++)
		memset(et_binding(et, i), 0xA5, et->bindings[i].size);
}

static void want_agreement(struct et *et, struct vnpu_exec *exec, float *const *want,
			   const char *what, u64 seed)
{
	spoil_outputs(et);
	if (vnpu_exec_run(exec, &et->job, &et->err))
		fail_msg("%s, seed %llu: %s", what, (unsigned long long)seed, et->err.text);
	want_outputs(et, want, what, seed);
}

/* Plain once, then each of the others twice. */
static void compare(struct pb *pb, u64 seed, u32 skew, bool is_strict)
{
	struct et et;
	float **want;
	void *image;
	u64 size;

	image = pb_image(pb, &size);
	et_init(&et);
	et_load(&et, image, size, seed + 1, skew);
	et_run(&et, engines.plain);
	want = take_outputs(&et);
	for (u32 i = 0; i < 2; i++) {
		want_agreement(&et, engines.fast[0], want, "onednn, 1 thread", seed);
		want_agreement(&et, engines.fast[1], want, "onednn, 2 threads", seed);
		if (is_strict)
			want_agreement(&et, engines.strict, want, "onednn strict", seed);
	}
	free_outputs(&et, want);
	free(image);
	et_fini(&et);
}

/* --- random programs -------------------------------------------------------------------------- */

static u32 count_fast(const struct vnpu_exec *exec)
{
	const char *impl;
	u32 nr = 0;

	for (u32 i = 0; (impl = vnpu_exec_impl(exec, 1, 7, i)); i++)
		nr += strcmp(impl, "plain") != 0;
	return nr;
}

static void random_programs(void **state)
{
	u32 nr_ops = 0, nr_fast = 0;
	struct pb pb;

	(void)state;
	for (u64 seed = 0; seed < 150; seed++) {
		pr_program(&pb, seed, 1 + (u32)seed % 12);
		compare(&pb, seed, seed % 5 ? 0 : 4, false);
		nr_ops += pb.nr_ops;
		nr_fast += count_fast(engines.fast[0]);
		pb_fini(&pb);
		drop_all();
	}
	/* Or this compares the plain engine with itself. */
	assert_in_range(nr_fast, nr_ops / 2, nr_ops);
}

/* --- blocks of networks, strict --------------------------------------------------------------- */

static void want_impls(struct pb *pb)
{
	for (u32 i = 0; i < pb->nr_ops; i++) {
		const char *impl = vnpu_exec_impl(engines.strict, 1, 7, i);
		u32 code = pb->ops[i].code;

		assert_non_null(impl);
		if (strstr(impl, "ref"))
			fail_msg("op %u (%s) runs on %s", i, abi_op_name(code), impl);
		if (!strcmp(impl, "plain") && code != ABI_OP_COPY)
			fail_msg("op %u (%s) runs on the plain kernel", i, abi_op_name(code));
	}
	assert_null(vnpu_exec_impl(engines.strict, 1, 7, pb->nr_ops));
}

static void want_network(struct pb *pb, u32 y)
{
	pb_output(pb, y);
	compare(pb, 1, 0, true);
	want_impls(pb);
	pb_fini(pb);
	drop_all();
}

/* bottleneck: 1x1, 3x3, 1x1, added to what came in or to its projection */
static u32 bottleneck(struct pb *pb, u32 x, u32 inner, u32 stride, bool is_projected)
{
	u32 y = x, shortcut = x;

	y = pb_conv(pb, y, inner, 1, pb_window(2, 1, 1, 1, 0), ABI_TENSOR_NONE, ABI_UNARY_RELU);
	y = pb_conv(pb, y, inner, 1, pb_window(2, 3, stride, 1, 1), ABI_TENSOR_NONE,
		    ABI_UNARY_RELU);
	if (is_projected)
		shortcut = pb_conv(pb, x, 4 * inner, 1, pb_window(2, 1, stride, 1, 0),
				   ABI_TENSOR_NONE, ABI_UNARY_NONE);
	return pb_conv(pb, y, 4 * inner, 1, pb_window(2, 1, 1, 1, 0), shortcut, ABI_UNARY_RELU);
}

static u32 classifier(struct pb *pb, u32 x, u32 classes)
{
	struct abi_attr_pool mean = { .kind = ABI_POOL_AVG, .win = pb_window(2, 1, 1, 1, 0) };

	for (u32 i = 0; i < 2; i++)
		mean.win.kernel[i] = pb->tensors[x].dims[2 + i];
	x = pb_op(pb, ABI_OP_POOL, &mean, sizeof(mean), &x, 1);
	x = pb_alias(pb, x, PB_DIMS(1, pb->tensors[x].dims[1]));
	return pb_softmax(pb, pb_dense(pb, x, classes, true, ABI_UNARY_NONE), 1);
}

static void resnet_blocks(void **state)
{
	struct pb pb;
	u32 x;

	(void)state;
	pb_init(&pb, 50);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 3, 64, 64));
	x = pb_conv(&pb, x, 64, 1, pb_window(2, 7, 2, 1, 3), ABI_TENSOR_NONE, ABI_UNARY_RELU);
	x = pb_pool(&pb, x, ABI_POOL_MAX, pb_window(2, 3, 2, 1, 1));
	x = bottleneck(&pb, x, 32, 1, true);
	x = bottleneck(&pb, x, 32, 1, false);
	x = bottleneck(&pb, x, 64, 2, true);
	x = bottleneck(&pb, x, 64, 1, false);
	want_network(&pb, classifier(&pb, x, 100));
}

static void mobilenet_blocks(void **state)
{
	struct pb pb;
	u32 x, y;

	(void)state;
	pb_init(&pb, 2);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 3, 48, 48));
	x = pb_conv(&pb, x, 32, 1, pb_window(2, 3, 2, 1, 1), ABI_TENSOR_NONE, ABI_UNARY_CLIP);
	for (u32 i = 0; i < 4; i++) {
		u32 c = i < 2 ? 24 : 32, wide = 6 * c, stride = i == 2 ? 2 : 1;
		u32 residual = i == 1 || i == 3 ? x : ABI_TENSOR_NONE;

		y = pb_conv(&pb, x, wide, 1, pb_window(2, 1, 1, 1, 0), ABI_TENSOR_NONE,
			    ABI_UNARY_CLIP);
		y = pb_conv(&pb, y, wide, wide, pb_window(2, 3, stride, 1, 1), ABI_TENSOR_NONE,
			    ABI_UNARY_CLIP);
		x = pb_conv(&pb, y, c, 1, pb_window(2, 1, 1, 1, 0), residual, ABI_UNARY_NONE);
	}
	want_network(&pb, classifier(&pb, x, 10));
}

static void squeezenet_blocks(void **state)
{
	struct pb pb;
	u32 x, a, b;

	(void)state;
	pb_init(&pb, 3);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 3, 48, 48));
	x = pb_conv(&pb, x, 64, 1, pb_window(2, 3, 2, 1, 0), ABI_TENSOR_NONE, ABI_UNARY_RELU);
	for (u32 i = 0; i < 3; i++) {
		if (i < 2)
			x = pb_pool(&pb, x, ABI_POOL_MAX, pb_window(2, 3, 2, 1, 0));
		x = pb_conv(&pb, x, 16, 1, pb_window(2, 1, 1, 1, 0), ABI_TENSOR_NONE,
			    ABI_UNARY_RELU);
		a = pb_conv(&pb, x, 64, 1, pb_window(2, 1, 1, 1, 0), ABI_TENSOR_NONE,
			    ABI_UNARY_RELU);
		b = pb_conv(&pb, x, 64, 1, pb_window(2, 3, 1, 1, 1), ABI_TENSOR_NONE,
			    ABI_UNARY_RELU);
		x = pb_concat(&pb, a, b, 1);
	}
	x = pb_conv(&pb, x, 50, 1, pb_window(2, 1, 1, 1, 0), ABI_TENSOR_NONE, ABI_UNARY_RELU);
	want_network(&pb, classifier(&pb, x, 50));
}

/* A residual that is read again later must survive; so must one that is an input. */
static void residual_outlives(void **state)
{
	struct pb pb;
	u32 x, y, z, s;

	(void)state;
	pb_init(&pb, 4);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 32, 10, 10));
	y = pb_conv(&pb, x, 32, 1, pb_window(2, 3, 1, 1, 1), x, ABI_UNARY_RELU);
	z = pb_conv(&pb, y, 32, 1, pb_window(2, 3, 1, 1, 1), y, ABI_UNARY_RELU);
	s = pb_binary(&pb, z, y, ABI_BINARY_ADD, ABI_UNARY_NONE);
	s = pb_binary(&pb, s, x, ABI_BINARY_MUL, ABI_UNARY_RELU);
	pb_output(&pb, y);
	want_network(&pb, s);
}

/* Several programs in turn through one executor. */
static void programs_take_turns(void **state)
{
	struct et et[3];
	float **want[3];
	struct pb pb;
	void *image;
	u64 size;

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		pr_program(&pb, 1000 + i, 8);
		image = pb_image(&pb, &size);
		et_init(&et[i]);
		et_load(&et[i], image, size, i, 0);
		et[i].job.ssid = 1 + i % 2;
		et[i].job.inference_id = i;
		et_run(&et[i], engines.plain);
		want[i] = take_outputs(&et[i]);
		free(image);
		pb_fini(&pb);
	}
	for (u32 k = 0; k < 9; k++)
		want_agreement(&et[k % 3], engines.fast[k % 2], want[k % 3], "in turn", k);
	for (u32 i = 0; i < 3; i++) {
		free_outputs(&et[i], want[i]);
		et_fini(&et[i]);
	}
	drop_all();
}

/* --- numbers that are none -------------------------------------------------------------------- */

static const float odd_values[] = { NAN,   INFINITY, -INFINITY, -0.0f,	1e-40f, -1e-40f,
				    -1.5f, 0.25f,    3e38f,	-3e38f, 0.0f,	1.0f };

/* @nr_odd of them in each input, among ordinary numbers, at places of the seed's choice. */
static void load_odd(struct et *et, u32 nr_odd, u64 seed)
{
	struct pb rng = { .seed = seed };

	for (u32 i = 0; i < et->nr_inputs; i++)
		for (u32 k = 0; k < nr_odd; k++)
			memcpy((u8 *)et_binding(et, i) +
				       4 * (pb_random(&rng) % (et->bindings[i].size / 4)),
			       &odd_values[k % BASE_ARRAY_SIZE(odd_values)], sizeof(float));
}

static bool is_alike(float got, float want)
{
	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (isinf(want) || isinf(got) || fabsf(want) > 1e37f) /* sums that overflow or not */
		return (got > 1e37f && want > 1e37f) || (got < -1e37f && want < -1e37f);
	return fabsf(got - want) <= TOLERANCE * base_max(fabsf(want), 1e-2f);
}

static void want_alike(const struct et *et, const float *want, const char *what, u32 threads)
{
	u64 nr = et->bindings[et->nr_inputs].size / sizeof(float);

	for (u64 i = 0; i < nr; i++)
		if (!is_alike(et_output(et, 0)[i], want[i]))
			fail_msg("%s, %u threads: [%llu] is %g, plain gives %g", what, threads,
				 (unsigned long long)i, (double)et_output(et, 0)[i],
				 (double)want[i]);
}

/* With odd numbers, then without, then with: what was kept apart may not stick. */
static void compare_odd(struct pb *pb, u32 y, u32 nr_odd, const char *what)
{
	struct et et;
	float **want;
	void *image;
	u64 size;

	pb_output(pb, y);
	image = pb_image(pb, &size);
	for (u32 round = 0; round < 3; round++) {
		et_init(&et);
		et_load(&et, image, size, 9, 0);
		load_odd(&et, round == 1 ? 0 : nr_odd, round + 1);
		et_run(&et, engines.plain);
		want = take_outputs(&et);
		for (u32 i = 0; i < 2; i++) {
			spoil_outputs(&et);
			et_run(&et, engines.fast[i]);
			want_alike(&et, want[0], what, i + 1);
		}
		free_outputs(&et, want);
		et_fini(&et);
	}
	free(image);
	pb_fini(pb);
	drop_all();
}

static u32 odd_input(struct pb *pb)
{
	pb_init(pb, 3);
	return pb_input(pb, ABI_F32, PB_DIMS(1, 16, 12, 12));
}

static void odd_unary(void **state)
{
	struct pb pb;
	u32 x;

	(void)state;
	for (u32 kind = 1; kind < ABI_UNARY_NOT; kind++) {
		if (kind >= ABI_UNARY_SIN && kind <= ABI_UNARY_TAN)
			continue; /* not oneDNN's, and 3e38 is nobody's */
		x = odd_input(&pb);
		compare_odd(&pb, pb_unary(&pb, x, kind), 40, abi_unary_name(kind));
	}
}

static void odd_binary(void **state)
{
	struct pb pb;
	u32 x, y;

	(void)state;
	for (u32 kind = ABI_BINARY_ADD; kind <= ABI_BINARY_MAX; kind++) {
		if (kind == ABI_BINARY_POW)
			continue;
		x = odd_input(&pb);
		y = pb_input(&pb, ABI_F32, PB_DIMS(1, 16, 12, 12));
		compare_odd(&pb, pb_binary(&pb, x, y, kind, ABI_UNARY_NONE), 300,
			    abi_binary_name(kind));
		x = odd_input(&pb);
		y = pb_input(&pb, ABI_F32, PB_DIMS(16, 1, 1));
		compare_odd(&pb, pb_binary(&pb, x, y, kind, ABI_UNARY_RELU), 12,
			    abi_binary_name(kind));
	}
}

/* One odd number in each place of a sum at most: the order of large summands decides nothing. */
static void odd_layers(void **state)
{
	static const u32 acts[] = { ABI_UNARY_NONE,  ABI_UNARY_RELU, ABI_UNARY_LEAKY_RELU,
				    ABI_UNARY_CLIP,  ABI_UNARY_TANH, ABI_UNARY_SIGMOID,
				    ABI_UNARY_SWISH, ABI_UNARY_ELU,  ABI_UNARY_HARD_SWISH };
	const struct abi_window one = pb_window(2, 1, 1, 1, 0), three = pb_window(2, 3, 1, 1, 1);
	struct pb pb;
	u32 x, y;

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(acts); i++) {
		x = odd_input(&pb);
		y = pb_conv(&pb, x, 16, 1, three, ABI_TENSOR_NONE, acts[i]);
		compare_odd(&pb, pb_conv(&pb, y, 16, 1, one, x, acts[i]), 1, "conv");
		pb_init(&pb, 4);
		x = pb_input(&pb, ABI_F32, PB_DIMS(8, 32));
		compare_odd(&pb, pb_dense(&pb, x, 24, true, acts[i]), 3, "dense");
	}
	x = odd_input(&pb);
	compare_odd(&pb, pb_pool(&pb, x, ABI_POOL_MAX, three), 20, "max pool");
	x = odd_input(&pb);
	compare_odd(&pb, pb_pool(&pb, x, ABI_POOL_AVG, three), 1, "average pool");
	x = odd_input(&pb);
	compare_odd(&pb, pb_softmax(&pb, x, 1), 20, "softmax");
	x = odd_input(&pb);
	compare_odd(&pb, pb_softmax(&pb, x, 3), 6, "softmax");
	x = odd_input(&pb);
	compare_odd(&pb, pb_concat(&pb, x, x, 1), 40, "concat");
}

/* --- strict ----------------------------------------------------------------------------------- */

/* oneDNN has a dilated pool only as a reference: an error when strict, else the plain kernel. */
static void strict_fires(void **state)
{
	struct et et;
	struct pb pb;
	void *image;
	u64 size;
	u32 x;

	(void)state;
	pb_init(&pb, 5);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 16, 12, 12));
	x = pb_conv(&pb, x, 16, 1, pb_window(2, 3, 1, 1, 1), ABI_TENSOR_NONE, ABI_UNARY_RELU);
	pb_output(&pb, pb_pool(&pb, x, ABI_POOL_MAX, pb_window(2, 3, 1, 2, 0)));
	compare(&pb, 5, 0, false);
	assert_string_equal(vnpu_exec_impl(engines.fast[0], 1, 7, 1), "plain");
	image = pb_image(&pb, &size);
	et_init(&et);
	et_load(&et, image, size, 5, 0);
	et_refused(&et, engines.strict, -EOPNOTSUPP, "pool");
	assert_int_equal(vnpu_exec_nr_prepared(engines.strict), 0);
	free(image);
	et_fini(&et);
	pb_fini(&pb);
	drop_all();
}

/* --- hostile ---------------------------------------------------------------------------------- */

/* Bits of a random program, hash made right: refused by both engines, or run by both.  Results may
 * differ: a flipped address makes tensors share arena bytes, which only the plain engine shares. */
static void bit_flips(void **state)
{
	u32 nr_run = 0, nr_refused = 0;
	struct pb pb, rng;

	(void)state;
	pb_init(&rng, 77);
	for (u64 seed = 0; seed < 12; seed++) {
		struct et et;
		u64 size;
		u8 *image, *at;

		pr_program(&pb, 300 + seed, 6);
		image = pb_image(&pb, &size);
		et_init(&et);
		et_load(&et, image, size, seed, 0);
		at = et_host(&et, et.inv.program.addr, size);
		for (u32 i = 0; i < 150; i++) {
			u64 end = ((struct abi_prog_header *)(void *)image)->sec[ABI_SEC_NAMES].off;
			u64 byte = pb_random(&rng) % (end - 64) + 64;

			at[byte] ^= (u8)(1u << pb_random(&rng) % 8);
			pb_seal(at, size);
			if (!vnpu_exec_run(engines.plain, &et.job, &et.err)) {
				et_run(&et, engines.fast[i % 2]);
				nr_run++;
			} else {
				assert_int_not_equal(
					vnpu_exec_run(engines.fast[0], &et.job, &et.err), 0);
				nr_refused++;
			}
			memcpy(at, image, size);
		}
		free(image);
		et_fini(&et);
		pb_fini(&pb);
		drop_all();
	}
	assert_in_range(nr_run, 50, UINT32_MAX);
	assert_in_range(nr_refused, 100, UINT32_MAX);
}

/*
 * Many large tensors that share one piece of the arena and all stay readable: an engine that keeps
 * each alive in memory of its own would need a thousand times what the client brought.
 */
static void memory_is_bounded(void **state)
{
	const struct vnpu_engine *engine;
	const struct vnpu_engine_opts opts = { .nr_threads = 1 };
	struct abi_prog prog;
	struct base_err err;
	struct vnpu_net *net;
	struct pb pb;
	u32 x, first, all;
	void *image, *handle;
	u64 size;

	(void)state;
	assert_int_equal(vnpu_engine_load(&engine, &handle, &err), 0);
	pb_init(&pb, 6);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 1, 1024, 1024));
	first = pb.nr_tensors;
	for (u32 i = 0; i < 120; i++)
		pb_unary(&pb, x, ABI_UNARY_RELU);
	all = first;
	for (u32 i = 1; i < 120; i++)
		all = pb_binary(&pb, all, first + i, ABI_BINARY_ADD, ABI_UNARY_NONE);
	pb_output(&pb, all);
	/* Two places for all of them. */
	for (u32 i = 0; i < pb.nr_tensors; i++)
		if (pb.tensors[i].kind == ABI_TENSOR_ARENA)
			pb.tensors[i].off = i < first + 120 ? 0 : (1 + i % 2) * (UINT64_C(4) << 20);
	pb.arena_size = UINT64_C(12) << 20;
	image = pb_image(&pb, &size);
	assert_int_equal(abi_prog_open(image, size, &prog, &err), 0);
	assert_int_equal(kern_prog_check(&prog, &err), 0);
	assert_int_equal(engine->prepare(&prog, &opts, &net, &err), 0);
	/* arena + bindings: 20 MiB; all alive: 484 MiB */
	assert_in_range(engine->bytes(net), 0, UINT64_C(330) << 20);
	engine->drop(net);
	free(image);
	pb_fini(&pb);
	vnpu_engine_unload(handle);
}

/* What runs twice costs twice: only a NaN may be a reason, not padding or leftovers in memory. */
static void only_nan_runs_again(void **state)
{
	const struct vnpu_engine *engine;
	const struct vnpu_engine_opts opts = { .nr_threads = 2, .strict = true };
	static float in[3 * 36 * 36], out[10];
	void *const bindings[] = { in, out };
	struct vnpu_net *net;
	struct abi_prog prog;
	struct base_err err;
	void *image, *handle;
	struct pb pb;
	u64 size, bytes;
	u32 x, op;

	(void)state;
	assert_int_equal(vnpu_engine_load(&engine, &handle, &err), 0);
	pb_init(&pb, 8);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 3, 36, 36));
	x = pb_conv(&pb, x, 20, 1, pb_window(2, 3, 2, 1, 1), ABI_TENSOR_NONE, ABI_UNARY_CLIP);
	x = pb_conv(&pb, x, 20, 20, pb_window(2, 3, 1, 1, 1), ABI_TENSOR_NONE, ABI_UNARY_RELU);
	x = pb_pool(&pb, x, ABI_POOL_MAX, pb_window(2, 3, 2, 1, 1));
	pb_output(&pb, classifier(&pb, bottleneck(&pb, x, 12, 1, true), 10));
	image = pb_image(&pb, &size);
	assert_int_equal(abi_prog_open(image, size, &prog, &err), 0);
	assert_int_equal(engine->prepare(&prog, &opts, &net, &err), 0);
	bytes = engine->bytes(net);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(in); i++)
		in[i] = 9 * pb_random_f32(&pb);
	assert_int_equal(engine->run(net, bindings, NULL, &op, &err), 0);
	assert_int_equal(engine->bytes(net), bytes);
	in[77] = NAN;
	assert_int_equal(engine->run(net, bindings, NULL, &op, &err), 0);
	assert_true(isnan(out[0]));
	assert_in_range(engine->bytes(net), bytes + 1, 3 * bytes);
	engine->drop(net);
	free(image);
	pb_fini(&pb);
	vnpu_engine_unload(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resnet_blocks),       cmocka_unit_test(mobilenet_blocks),
		cmocka_unit_test(squeezenet_blocks),   cmocka_unit_test(residual_outlives),
		cmocka_unit_test(random_programs),     cmocka_unit_test(programs_take_turns),
		cmocka_unit_test(strict_fires),	       cmocka_unit_test(bit_flips),
		cmocka_unit_test(memory_is_bounded),   cmocka_unit_test(odd_unary),
		cmocka_unit_test(odd_binary),	       cmocka_unit_test(odd_layers),
		cmocka_unit_test(only_nan_runs_again),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
