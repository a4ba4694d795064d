// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: an ONNX file of any content, every unknown dimension 1, compiled with small
 * limits.  What compiles must be a valid program.
 */
#include <stdlib.h>

#include <npu/graph.h>

#include "kernels/kern.h"

#define MAX_INPUTS 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned bind_ones(const struct graph_model *model, struct graph_bind *binds)
{
	unsigned nr = graph_model_nr_inputs(model);

	nr = nr < MAX_INPUTS ? nr : MAX_INPUTS;
	for (unsigned i = 0; i < nr; i++) {
		struct graph_value_info info;

		graph_model_input(model, i, &info);
		binds[i] = (struct graph_bind){ .input = i, .rank = info.rank };
		for (uint32_t k = 0; k < info.rank; k++)
			binds[i].dims[k] = info.dims[k] < 0 ? 1 : info.dims[k];
	}
	return nr;
}

static void compile(struct graph_model *model, bool is_plain)
{
	const struct graph_options options = { .no_fold = is_plain,
					       .no_fuse = is_plain,
					       .max_fold_bytes = 1 << 22 };
	struct graph_bind binds[MAX_INPUTS];
	struct graph_error err;
	struct abi_prog prog;
	struct base_err why;
	void *program;
	size_t size;

	if (graph_compile(model, binds, bind_ones(model, binds), &options, &program, &size, NULL,
			  &err))
		return;
	if (abi_prog_open(program, size, &prog, &why) || kern_prog_check(&prog, &why))
		abort();
	graph_free(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct graph_model *model;
	struct graph_tensor tensor;
	struct graph_error err;

	if (!graph_tensor_read(data, size, &tensor, &err))
		graph_tensor_fini(&tensor);
	if (graph_model_open(data, size, NULL, &model, &err))
		return 0;
	compile(model, false);
	compile(model, true);
	graph_model_close(model);
	return 0;
}
