// SPDX-License-Identifier: MIT
/* Executor: what is kept and for whom, what is refused, hostile programs, failing allocations. */
#include <pthread.h>

#include "vnpu/engine/exec_testing.h"

static struct vnpu_exec *plain_exec(void)
{
	return et_exec("plain", 1, false);
}

/* y = x + c, with a tensor in the arena between */
static void *add_program(float c, u64 *size)
{
	struct pb pb;
	void *image;
	u32 x, k, y;

	pb_init(&pb, 1);
	x = pb_input(&pb, ABI_F32, PB_DIMS(2, 3));
	k = pb_const(&pb, ABI_F32, 0, NULL, &c);
	y = pb_binary(&pb, x, k, ABI_BINARY_ADD, ABI_UNARY_NONE);
	y = pb_unary(&pb, y, ABI_UNARY_NEG);
	y = pb_unary(&pb, y, ABI_UNARY_NEG);
	pb_output(&pb, y);
	image = pb_image(&pb, size);
	pb_fini(&pb);
	return image;
}

static void load_add(struct et *et, float c)
{
	u64 size;
	void *image = add_program(c, &size);

	et_init(et);
	et_load(et, image, size, 3, 0);
	free(image);
}

static void want_add(struct et *et, float c)
{
	const float *x = et_binding(et, 0), *y = et_output(et, 0);

	for (u32 i = 0; i < 6; i++)
		assert_true(y[i] == x[i] + c);
}

static void run_add(struct et *et, struct vnpu_exec *exec, float c)
{
	memset(et_output(et, 0), 0, 6 * sizeof(float));
	et_run(et, exec);
	want_add(et, c);
}

/* The program in memory, to be damaged. */
static struct abi_prog_header *program_of(struct et *et)
{
	return (void *)et_host(et, et->inv.program.addr, et->inv.program.size);
}

static float *constant_of(struct et *et)
{
	struct abi_prog_header *h = program_of(et);

	return (float *)(void *)((u8 *)h + h->sec[ABI_SEC_WEIGHTS].off);
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void second_run_reads_header_only(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;
	u64 bytes;

	(void)state;
	load_add(&et, 2);
	run_add(&et, exec, 2);
	et.bytes_viewed = 0;
	run_add(&et, exec, 2);
	assert_int_equal(vnpu_exec_nr_prepares(exec), 1);
	bytes = sizeof(struct abi_prog_header) + et.bindings[0].size + et.bindings[1].size +
		et.inv.arena.size;
	assert_int_equal(et.bytes_viewed, bytes);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

static void second_run_allocates_nothing(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;
	u64 count;

	(void)state;
	load_add(&et, 2);
	run_add(&et, exec, 2);
	count = base_alloc_count();
	run_add(&et, exec, 2);
	assert_int_equal(base_alloc_count(), count);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* Same id, same address, same size, other weights. */
static void contexts_are_apart(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et one, two;

	(void)state;
	load_add(&one, 1);
	load_add(&two, 20);
	two.job.ssid = 2;
	assert_int_equal(one.inv.program.addr, two.inv.program.addr);
	for (u32 i = 0; i < 3; i++) {
		run_add(&one, exec, 1);
		run_add(&two, exec, 20);
	}
	assert_int_equal(vnpu_exec_nr_prepares(exec), 2);
	vnpu_exec_drop_ssid(exec, 1);
	assert_int_equal(vnpu_exec_nr_prepared(exec), 1);
	assert_null(vnpu_exec_impl(exec, 1, 7, 0));
	assert_string_equal(vnpu_exec_impl(exec, 2, 7, 0), "plain");
	run_add(&two, exec, 20);
	assert_int_equal(vnpu_exec_nr_prepares(exec), 2);
	run_add(&one, exec, 1);
	assert_int_equal(vnpu_exec_nr_prepares(exec), 3);
	vnpu_exec_destroy(exec);
	et_fini(&one);
	et_fini(&two);
}

static void ids_are_apart(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;

	(void)state;
	load_add(&et, 1);
	run_add(&et, exec, 1);
	et.job.inference_id = 8;
	run_add(&et, exec, 1);
	assert_int_equal(vnpu_exec_nr_prepares(exec), 2);
	assert_string_equal(vnpu_exec_impl(exec, 1, 8, 2), "plain");
	assert_null(vnpu_exec_impl(exec, 1, 8, 3));
	vnpu_exec_drop_all(exec);
	assert_int_equal(vnpu_exec_nr_prepared(exec), 0);
	run_add(&et, exec, 1);
	assert_int_equal(vnpu_exec_nr_prepares(exec), 3);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

static void changed_program_is_prepared_anew(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;

	(void)state;
	load_add(&et, 1);
	run_add(&et, exec, 1);
	*constant_of(&et) = 5;
	run_add(&et, exec, 1); /* the header is the old one: so is what runs */
	pb_seal(program_of(&et), et.inv.program.size);
	run_add(&et, exec, 5);
	assert_int_equal(vnpu_exec_nr_prepares(exec), 2);
	assert_int_equal(vnpu_exec_nr_prepared(exec), 1);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* A changed program that is no good takes the old one with it. */
static void damaged_program_is_not_run(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;

	(void)state;
	load_add(&et, 1);
	run_add(&et, exec, 1);
	program_of(&et)->content_hash ^= 1;
	et_refused(&et, exec, -EINVAL, "content_hash");
	assert_int_equal(vnpu_exec_nr_prepared(exec), 0);
	program_of(&et)->content_hash ^= 1;
	run_add(&et, exec, 1);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

static void number_kept_is_bounded(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;

	(void)state;
	load_add(&et, 1);
	for (u64 id = 0; id < 2 * VNPU_EXEC_MAX_PREPARED; id++) {
		et.job.inference_id = id;
		run_add(&et, exec, 1);
		et.job.inference_id = 0; /* in use all the time */
		run_add(&et, exec, 1);
		assert_in_range(vnpu_exec_nr_prepared(exec), 1, VNPU_EXEC_MAX_PREPARED);
	}
	assert_int_equal(vnpu_exec_nr_prepared(exec), VNPU_EXEC_MAX_PREPARED);
	assert_int_equal(vnpu_exec_nr_prepares(exec), 2 * VNPU_EXEC_MAX_PREPARED);
	assert_null(vnpu_exec_impl(exec, 1, 1, 0)); /* the oldest went */
	assert_non_null(vnpu_exec_impl(exec, 1, 0, 0));
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* --- what is refused -------------------------------------------------------------------------- */

#define REFUSED(et, exec, field, value, part)        \
	do {                                         \
		typeof(field) old_ = (field);        \
		(field) = (value);                   \
		et_refused(et, exec, -EINVAL, part); \
		(field) = old_;                      \
	} while (0)

static void invocation_is_checked(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;

	(void)state;
	load_add(&et, 1);
	for (u32 i = 0; i < 2; i++) { /* before and after it is prepared */
		REFUSED(&et, exec, et.inv.magic, 0, "magic");
		REFUSED(&et, exec, et.inv.version, 2, "version 2");
		REFUSED(&et, exec, et.inv.flags, 1, "flags");
		REFUSED(&et, exec, et.inv.error.addr, 1, "error record");
		REFUSED(&et, exec, et.inv.error.size, sizeof(struct abi_run_error) + 1,
			"error record");
		REFUSED(&et, exec, et.inv.nr_bindings, 1, "1 bindings");
		REFUSED(&et, exec, et.inv.nr_bindings, UINT32_MAX, "at most 4096");
		REFUSED(&et, exec, et.inv.program.addr, et.inv.program.addr + 8, "multiple of 64");
		REFUSED(&et, exec, et.inv.program.size, 64, "at least 192");
		REFUSED(&et, exec, et.inv.program.size, et.inv.program.size - 64, "header says");
		REFUSED(&et, exec, et.inv.arena.addr, et.inv.arena.addr + 4, "arena");
		REFUSED(&et, exec, et.inv.arena.size, 64, "arena");
		REFUSED(&et, exec, et.bindings[0].size, 23, "binding 0 has 23 bytes");
		REFUSED(&et, exec, et.bindings[1].size, 28, "output 0 has 24");
		run_add(&et, exec, 1);
	}
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

#define UNREACHABLE(et, exec, field, value, part)    \
	do {                                         \
		typeof(field) old_ = (field);        \
		(field) = (value);                   \
		et_refused(et, exec, -EFAULT, part); \
		(field) = old_;                      \
	} while (0)

static void memory_must_be_there(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	u64 nowhere = ET_STEP * 100;
	struct et et;

	(void)state;
	load_add(&et, 1);
	for (u32 i = 0; i < 2; i++) {
		UNREACHABLE(&et, exec, et.inv.program.addr, nowhere, "0x640000000000");
		UNREACHABLE(&et, exec, et.inv.arena.addr, nowhere, "arena");
		UNREACHABLE(&et, exec, et.bindings[0].addr, nowhere, "binding 0");
		UNREACHABLE(&et, exec, et.bindings[1].addr, et.bindings[1].addr + 1, "binding 1");
		UNREACHABLE(&et, exec, et.bindings[1].addr, UINT64_MAX - 3, "binding 1");
		run_add(&et, exec, 1);
		et.range[et.nr_ranges - 1].is_read_only = true;
		et_refused(&et, exec, -EFAULT, "writable");
		et.range[et.nr_ranges - 1].is_read_only = false;
	}
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

static void outputs_are_apart(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;

	(void)state;
	load_add(&et, 1);
	REFUSED(&et, exec, et.bindings[1].addr, et.bindings[0].addr, "shares memory");
	REFUSED(&et, exec, et.bindings[0].addr, et.inv.arena.addr + 8, "shares memory");
	run_add(&et, exec, 1);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

static void engine_is_named(void **state)
{
	struct vnpu_exec *exec = NULL;
	struct base_err err;

	(void)state;
	assert_int_equal(vnpu_exec_create("fast", 1, false, &exec, &err), -EINVAL);
	assert_non_null(strstr(err.text, "plain or onednn"));
	assert_int_equal(vnpu_exec_create("plain", 0, false, &exec, &err), -EINVAL);
	assert_int_equal(vnpu_exec_create("plain", 100000, false, &exec, &err), -EINVAL);
	assert_null(exec);
	vnpu_exec_destroy(NULL);
}

/* Nothing loadable: an error when it was asked for, the plain engine when not. */
static void missing_library(void **state)
{
	struct vnpu_exec *exec = NULL;
	struct base_err err;
	struct et et;

	(void)state;
	setenv("VNPU_ENGINE_PATH", "/nonexistent/lib.so", 1);
	assert_int_equal(vnpu_exec_create("onednn", 1, false, &exec, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/lib.so"));
	exec = et_exec(NULL, 1, false);
	assert_null(vnpu_exec_engine_name(exec));
	load_add(&et, 1);
	run_add(&et, exec, 1);
	assert_string_equal(vnpu_exec_engine_name(exec), "plain");
	unsetenv("VNPU_ENGINE_PATH");
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* --- odd but right ---------------------------------------------------------------------------- */

static void bindings_may_be_misaligned(void **state)
{
	u64 size;
	void *image = add_program(3, &size);
	struct vnpu_exec *exec = plain_exec();
	float x[6], y[6];
	struct et et;

	(void)state;
	et_init(&et);
	et_load(&et, image, size, 3, 3);
	et_run(&et, exec);
	memcpy(x, et_binding(&et, 0), sizeof(x));
	memcpy(y, (u8 *)et_binding(&et, 1), sizeof(y));
	for (u32 i = 0; i < 6; i++)
		assert_true(y[i] == x[i] + 3);
	free(image);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

static void empty_tensors_have_no_memory(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct pb pb;
	struct et et;
	void *image;
	u64 size;
	u32 x, y;

	(void)state;
	pb_init(&pb, 1);
	x = pb_input(&pb, ABI_F32, PB_DIMS(0, 3));
	y = pb_input(&pb, ABI_F32, PB_DIMS(2, 3));
	y = pb_concat(&pb, x, y, 0);
	x = pb_unary(&pb, x, ABI_UNARY_ABS);
	pb_output(&pb, x);
	pb_output(&pb, y);
	image = pb_image(&pb, &size);
	et_init(&et);
	et_load(&et, image, size, 3, 0);
	et.bindings[0].addr = et.bindings[2].addr = 0xDEAD; /* nothing is there */
	et_run(&et, exec);
	assert_memory_equal(et_output(&et, 1), et_binding(&et, 1), 24);
	free(image);
	pb_fini(&pb);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* --- hostile programs ------------------------------------------------------------------------- */

/* A bit of everything, small: conv, pool, concat, alias, matmul, gather, softmax. */
static void *rich_program(u64 *size)
{
	static const s64 idx[] = { 1, -1, 0 };
	const struct abi_attr_axis axis = { .axis = 1 };
	struct pb pb;
	void *image;
	u32 x, y, z;

	pb_init(&pb, 9);
	x = pb_input(&pb, ABI_F32, PB_DIMS(1, 3, 6, 6));
	y = pb_conv(&pb, x, 4, 1, pb_window(2, 3, 1, 1, 1), ABI_TENSOR_NONE, ABI_UNARY_RELU);
	z = pb_conv(&pb, y, 4, 4, pb_window(2, 3, 1, 1, 1), y, ABI_UNARY_CLIP);
	y = pb_concat(&pb, y, z, 1);
	y = pb_pool(&pb, y, ABI_POOL_MAX, pb_window(2, 2, 2, 1, 0));
	z = pb_const(&pb, ABI_S64, PB_DIMS(3), idx);
	y = pb_op(&pb, ABI_OP_GATHER, &axis, sizeof(axis), PB_IN(y, z));
	y = pb_alias(&pb, y, PB_DIMS(1, 27));
	y = pb_dense(&pb, y, 5, true, ABI_UNARY_NONE);
	y = pb_softmax(&pb, y, 1);
	pb_output(&pb, y);
	image = pb_image(&pb, size);
	pb_fini(&pb);
	return image;
}

/* Every bit of all but the weights, hash made right again: refused with a reason, or it runs. */
static void bit_flips(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	u32 nr_run = 0, nr_refused = 0;
	struct et et;
	u64 size;
	u8 *image = rich_program(&size), *at;
	int ret;

	(void)state;
	et_init(&et);
	et_load(&et, image, size, 3, 0);
	at = et_host(&et, et.inv.program.addr, size);
	for (u64 bit = 0; bit < 8 * program_of(&et)->sec[ABI_SEC_WEIGHTS].off; bit++) {
		at[bit / 8] ^= (u8)(1u << bit % 8);
		pb_seal(at, size);
		et.err.text[0] = '\0';
		ret = vnpu_exec_run(exec, &et.job, &et.err);
		assert_int_equal(et.nr_views, 0);
		assert_true(!ret || et.err.text[0]);
		nr_run += !ret;
		nr_refused += !!ret;
		memcpy(at, image, size);
	}
	assert_in_range(nr_run, 100, UINT32_MAX);
	assert_in_range(nr_refused, 1000, UINT32_MAX);
	et_run(&et, exec);
	free(image);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

static void truncated(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	struct et et;
	u64 size;
	u8 *image = rich_program(&size);

	(void)state;
	for (u64 len = 192; len < size; len += 64) {
		struct abi_prog_header *h;

		et_init(&et);
		et_load(&et, image, size, 3, 0);
		h = program_of(&et);
		h->size = et.inv.program.size = len;
		pb_seal(h, len);
		et_refused(&et, exec, -EINVAL, "program");
		et_fini(&et);
	}
	free(image);
	vnpu_exec_destroy(exec);
}

/* The client writes while it is being looked at: at the n-th look, all over the program. */
static void scribble(struct et *et, u64 addr)
{
	u32 *nr_looks = et->opaque;
	struct abi_prog_header *h;

	if (addr != et->inv.program.addr || --*nr_looks)
		return;
	h = program_of(et);
	for (u64 i = 0; i < h->sec[ABI_SEC_OPERANDS].size / 4; i++)
		((u32 *)(void *)((u8 *)h + h->sec[ABI_SEC_OPERANDS].off))[i] = 0xFFFFFF00u;
}

static void changed_under_way(void **state)
{
	struct vnpu_exec *exec = plain_exec();
	u32 nr_looks;
	struct et et;
	u64 size;
	u8 *image = rich_program(&size);

	(void)state;
	et_init(&et);
	et_load(&et, image, size, 3, 0);
	et.opaque = &nr_looks;
	et.on_view = scribble;
	nr_looks = 2; /* header seen, then changed before the copy */
	et_refused(&et, exec, -EINVAL, "content_hash");
	memcpy(program_of(&et), image, size);
	nr_looks = 3; /* changed after the copy: what was checked runs */
	et_run(&et, exec);
	et_run(&et, exec);
	assert_int_equal(nr_looks, 0);
	free(image);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* Indices in a binding are the client's: it may change them between a check and its use. */
static void *flip_indices(void *opaque)
{
	_Atomic s64 *idx = opaque;

	for (u32 i = 0; i < 400000; i++) {
		idx[i % 256] = 1;
		idx[(i + 128) % 256] = INT64_MAX / 8;
	}
	for (u32 i = 0; i < 256; i++)
		idx[i] = 2;
	return NULL;
}

static void indices_change_while_read(void **state)
{
	const struct abi_attr_axis axis = { .axis = 0 };
	struct vnpu_exec *exec = plain_exec();
	u32 x, idx;
	pthread_t thread;
	struct pb pb;
	struct et et;
	void *image;
	u64 size;

	(void)state;
	pb_init(&pb, 1);
	x = pb_input(&pb, ABI_F32, PB_DIMS(3, 16));
	idx = pb_input(&pb, ABI_S64, PB_DIMS(256));
	pb_output(&pb, pb_op(&pb, ABI_OP_GATHER, &axis, sizeof(axis), PB_IN(x, idx)));
	image = pb_image(&pb, &size);
	et_init(&et);
	et_load(&et, image, size, 3, 0);
	assert_int_equal(pthread_create(&thread, NULL, flip_indices, et_binding(&et, 1)), 0);
	for (u32 i = 0; i < 2000; i++) {
		int ret = vnpu_exec_run(exec, &et.job, &et.err);

		assert_true(!ret || ret == -EINVAL);
	}
	pthread_join(thread, NULL);
	et_run(&et, exec);
	assert_memory_equal(et_output(&et, 0), (float *)et_binding(&et, 0) + 32, 64);
	free(image);
	pb_fini(&pb);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* --- the record of a failure -------------------------------------------------------------------- */

static void failures_name_the_operation(void **state)
{
	const struct abi_attr_axis axis = { .axis = 0 };
	struct vnpu_exec *exec = plain_exec();
	struct abi_run_error e;
	s64 idx = 9;
	struct pb pb;
	struct et et;
	void *image;
	u64 size;
	u32 x;

	(void)state;
	pb_init(&pb, 1);
	x = pb_unary(&pb, pb_input(&pb, ABI_F32, PB_DIMS(3, 16)), ABI_UNARY_RELU);
	pb_output(&pb, pb_op(&pb, ABI_OP_GATHER, &axis, sizeof(axis),
			     PB_IN(x, pb_input(&pb, ABI_S64, PB_DIMS(1)))));
	image = pb_image(&pb, &size);
	et_init(&et);
	et_load(&et, image, size, 3, 0);
	memcpy(et_binding(&et, 1), &idx, sizeof(idx));
	et_refused(&et, exec, -EINVAL, "op 1 (gather)");
	et.inv.error = (struct abi_range){ et_alloc(&et, sizeof(e), 1), sizeof(e) };
	et_refused(&et, exec, -EINVAL, "index 9");
	assert_true(abi_run_error_take(et_host(&et, et.inv.error.addr, sizeof(e)), 2, &e));
	assert_int_equal(e.op, 1);
	assert_int_equal(e.errno_abs, EINVAL);
	assert_string_equal(e.text, "gather: input 1: index 9 at 0, -3 to 2 wanted");
	/* What is read there is anybody's. */
	assert_false(abi_run_error_take(et_host(&et, et.inv.error.addr, sizeof(e)), 1, &e));
	memset(e.text, '\x1b', sizeof(e.text));
	assert_true(abi_run_error_take(
		&(struct abi_run_error){ .magic = e.magic, .op = 0, .text = "\x1b[31mred\n" }, 1,
		&e));
	assert_string_equal(e.text, "?[31mred?");
	/* A record nobody can write changes nothing else; a run that succeeds leaves it alone. */
	et.inv.error.addr = 64;
	et_refused(&et, exec, -EINVAL, "index 9");
	et.inv.error.addr = 0;
	idx = 2;
	memcpy(et_binding(&et, 1), &idx, sizeof(idx));
	et_run(&et, exec);
	free(image);
	pb_fini(&pb);
	vnpu_exec_destroy(exec);
	et_fini(&et);
}

/* --- failing allocations ---------------------------------------------------------------------- */

static void every_allocation_fails_once(void **state)
{
	struct vnpu_exec *exec = NULL;
	struct et et;
	u64 size, n;
	u8 *image = rich_program(&size);
	int ret = -ENOMEM;

	(void)state;
	et_init(&et);
	et_load(&et, image, size, 3, 0);
	for (n = 1; ret == -ENOMEM; n++) {
		assert_in_range(n, 1, 100);
		base_alloc_fail_nth(n);
		ret = vnpu_exec_create("plain", 1, false, &exec, &et.err);
		if (!ret) {
			ret = vnpu_exec_run(exec, &et.job, &et.err);
			base_alloc_fail_nth(0);
			if (ret) /* usable again */
				et_run(&et, exec);
			vnpu_exec_destroy(exec);
		}
		base_alloc_fail_nth(0);
		assert_int_equal(et.nr_views, 0);
	}
	assert_int_equal(ret, 0);
	assert_in_range(n, 8, 100);
	free(image);
	et_fini(&et);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_run_reads_header_only),
		cmocka_unit_test(second_run_allocates_nothing),
		cmocka_unit_test(contexts_are_apart),
		cmocka_unit_test(ids_are_apart),
		cmocka_unit_test(changed_program_is_prepared_anew),
		cmocka_unit_test(damaged_program_is_not_run),
		cmocka_unit_test(number_kept_is_bounded),
		cmocka_unit_test(invocation_is_checked),
		cmocka_unit_test(memory_must_be_there),
		cmocka_unit_test(outputs_are_apart),
		cmocka_unit_test(engine_is_named),
		cmocka_unit_test(missing_library),
		cmocka_unit_test(bindings_may_be_misaligned),
		cmocka_unit_test(empty_tensors_have_no_memory),
		cmocka_unit_test(bit_flips),
		cmocka_unit_test(truncated),
		cmocka_unit_test(changed_under_way),
		cmocka_unit_test(indices_change_while_read),
		cmocka_unit_test(failures_name_the_operation),
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
