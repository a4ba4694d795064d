/* SPDX-License-Identifier: MIT */
/* For tests: compile a model of test_model.h, run it on seeded inputs, keep all outputs. */
#ifndef GRAPH_TEST_RUN_H
#define GRAPH_TEST_RUN_H

#include "graph/test_exec.h"
#include "graph/test_model.h"

#define TEST_MAX_PORTS 8u

struct test_run {
	struct graph_model *model;
	struct graph_stats stats;
	void *program;
	size_t program_size;
	struct abi_prog prog;
	void *inputs[TEST_MAX_PORTS], *outputs[TEST_MAX_PORTS];
	struct graph_error err;
};

static inline void test_run_fini(struct test_run *run)
{
	for (u32 i = 0; i < TEST_MAX_PORTS; i++) {
		free(run->inputs[i]);
		free(run->outputs[i]);
	}
	graph_free(run->program);
	graph_model_close(run->model);
	*run = (struct test_run){ 0 };
}

static inline int test_compile(struct test_run *run, const struct pb *file,
			       const struct graph_bind *binds, unsigned nr_binds,
			       const struct graph_options *options)
{
	struct base_err err;
	int ret;

	*run = (struct test_run){ 0 };
	ret = graph_model_open(file->data, file->size, NULL, &run->model, &run->err);
	if (!ret)
		ret = graph_compile(run->model, binds, nr_binds, options, &run->program,
				    &run->program_size, &run->stats, &run->err);
	if (ret)
		return ret;
	ret = abi_prog_open(run->program, run->program_size, &run->prog, &err);
	if (ret)
		memcpy(run->err.text, err.text, sizeof(err.text));
	return ret;
}

/* Float inputs get seeded values in -1 .. 1, others zeros. */
static inline int test_execute(struct test_run *run)
{
	struct base_err err = { 0 };
	u32 seed = 42;
	int ret;

	for (u32 i = 0; i < run->prog.hdr->nr_inputs; i++) {
		const struct abi_prog_tensor *t = abi_prog_input(&run->prog, i);

		run->inputs[i] = calloc(1, t->size + 1);
		for (u64 k = 0; t->dtype == ABI_F32 && k < t->size / 4; k++)
			((float *)run->inputs[i])[k] = tm_random(&seed);
	}
	for (u32 i = 0; i < run->prog.hdr->nr_outputs; i++)
		run->outputs[i] = calloc(1, abi_prog_output(&run->prog, i)->size + 1);
	ret = test_exec(run->program, run->program_size, (const void *const *)run->inputs,
			run->outputs, &err);
	if (ret)
		memcpy(run->err.text, err.text, sizeof(err.text));
	return ret;
}

static inline u32 test_count(const struct test_run *run, u32 code)
{
	u32 nr = 0;

	for (u32 i = 0; i < run->prog.nr_ops; i++)
		nr += run->prog.ops[i].code == code;
	return nr;
}

#endif
