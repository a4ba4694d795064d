// SPDX-License-Identifier: MIT
/* Memory planning: over random graphs no two tensors that live at the same time share bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "graph/test_run.h"

#define NR_GRAPHS 200
#define NR_NODES  40

struct life {
	u64 off, end;
	u32 first, last;
	bool is_arena;
};

static u32 random_below(u32 *seed, u32 limit)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % limit;
}

/* Random chains, branches, reshapes and reductions on small tensors. */
static void random_model(struct tm_model *tm, u32 seed)
{
	static const char *const ops[] = { "Relu",    "Neg",	"Add",	     "Mul",
					   "Reshape", "Concat", "ReduceSum", "Identity" };
	const s64 dims[] = { 4, 6 }, flat[] = { -1 };
	char in[64], out[16];

	tm_init(tm, 13);
	tm_input(tm, "v0", 1, 2, dims);
	tm_init_s64(tm, "flat", 1, flat);
	for (u32 i = 1; i <= NR_NODES; i++) {
		const char *op = ops[random_below(&seed, BASE_ARRAY_SIZE(ops))];
		u32 a = random_below(&seed, i);
		struct pb attrs = { 0 };

		snprintf(out, sizeof(out), "v%u", i);
		snprintf(in, sizeof(in), "v%u", a);
		if (!strcmp(op, "Add") || !strcmp(op, "Mul"))
			snprintf(in, sizeof(in), "v%u,v%u", a, a);
		if (!strcmp(op, "Reshape"))
			snprintf(in, sizeof(in), "v%u,flat", a);
		if (!strcmp(op, "Concat")) {
			snprintf(in, sizeof(in), "v%u,v%u", a, a);
			attr_int(&attrs, "axis", 0);
		}
		if (!strcmp(op, "ReduceSum"))
			attr_int(&attrs, "keepdims", 1);
		tm_node(tm, op, in, out, &attrs);
		if (i == NR_NODES || i % 13 == seed % 13)
			tm_output(tm, out);
	}
}

static struct life *lives_of(const struct abi_prog *prog)
{
	struct life *lives = calloc(prog->nr_tensors, sizeof(*lives));

	for (u32 i = 0; i < prog->nr_tensors; i++) {
		const struct abi_prog_tensor *t = &prog->tensors[i];

		lives[i] = (struct life){ t->off, t->off + t->size, UINT32_MAX, 0,
					  t->kind == ABI_TENSOR_ARENA };
	}
	for (u32 i = 0; i < prog->nr_ops; i++) {
		const struct abi_prog_op *op = &prog->ops[i];

		for (u32 k = 0; k < (u32)op->nr_in + op->nr_out; k++) {
			u32 t = prog->operands[op->operand + k];

			if (t == ABI_TENSOR_NONE)
				continue;
			if (prog->tensors[t].kind == ABI_TENSOR_ALIAS)
				t = (u32)prog->tensors[t].off;
			lives[t].first = base_min(lives[t].first, i);
			lives[t].last = base_max(lives[t].last, i);
		}
	}
	return lives;
}

static void check_program(const struct test_run *run)
{
	const struct abi_prog *prog = &run->prog;
	struct life *lives = lives_of(prog);

	for (u32 a = 0; a < prog->nr_tensors; a++) {
		if (!lives[a].is_arena)
			continue;
		assert_true(lives[a].end <= prog->hdr->arena_size);
		for (u32 b = 0; b < a; b++)
			if (lives[b].is_arena && lives[a].first <= lives[b].last &&
			    lives[b].first <= lives[a].last && lives[a].off < lives[b].end &&
			    lives[b].off < lives[a].end)
				fail_msg("tensors %u and %u overlap", a, b);
	}
	free(lives);
}

static void nothing_alive_overlaps(void **state)
{
	const struct graph_options ways[] = { { 0 }, { .no_fuse = true } };
	u64 arena = 0, sum = 0;

	(void)state;
	for (u32 seed = 1; seed <= NR_GRAPHS; seed++) {
		struct test_run runs[2];
		struct tm_model tm;

		random_model(&tm, seed);
		tm_finish(&tm);
		for (u32 w = 0; w < 2; w++) {
			if (test_compile(&runs[w], &tm.file, NULL, 0, &ways[w]) ||
			    test_execute(&runs[w]))
				fail_msg("seed %u: %s", seed, runs[w].err.text);
			check_program(&runs[w]);
		}
		for (u32 i = 0; i < runs[0].prog.hdr->nr_outputs && i < TEST_MAX_PORTS; i++)
			assert_memory_equal(runs[0].outputs[i], runs[1].outputs[i],
					    abi_prog_output(&runs[0].prog, i)->size);
		arena += runs[1].stats.arena_bytes;
		sum += runs[1].stats.arena_sum_bytes;
		test_run_fini(&runs[0]);
		test_run_fini(&runs[1]);
		tm_fini(&tm);
	}
	assert_true(arena * 3 < sum * 2); /* and it is reused */
}

/* A chain needs room for two of its tensors, however long it is. */
static void chains_need_two(void **state)
{
	const s64 dims[] = { 16, 16 };
	struct test_run run;
	struct tm_model tm;
	char in[16], out[16];

	(void)state;
	tm_init(&tm, 13);
	tm_input(&tm, "v0", 1, 2, dims);
	for (u32 i = 0; i < 50; i++) {
		snprintf(in, sizeof(in), "v%u", i);
		snprintf(out, sizeof(out), "v%u", i + 1);
		tm_node(&tm, "Sin", in, out, NULL);
	}
	tm_output(&tm, "v50");
	if (test_compile(&run, tm_finish(&tm), NULL, 0, NULL))
		fail_msg("%s", run.err.text);
	assert_int_equal(run.stats.arena_bytes, 2 * 1024);
	assert_int_equal(run.stats.arena_sum_bytes, 49 * 1024);
	test_run_fini(&run);
	tm_fini(&tm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_alive_overlaps),
		cmocka_unit_test(chains_need_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
