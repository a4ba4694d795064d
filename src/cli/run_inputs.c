// SPDX-License-Identifier: MIT
/* What a model wants, and where `npu run` takes it from. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "abi/program.h"
#include "cli/run.h"

static int describe_model(struct run_source *src)
{
	src->nr_inputs = graph_model_nr_inputs(src->model.graph);
	src->nr_outputs = graph_model_nr_outputs(src->model.graph);
	src->inputs = base_alloc_array(src->nr_inputs, sizeof(*src->inputs));
	if (!src->inputs)
		return cli_fail(CLI_FAILED, "out of memory");
	for (u32 i = 0; i < src->nr_inputs; i++)
		if (graph_model_input(src->model.graph, i, &src->inputs[i]))
			return cli_fail(CLI_BAD_INPUT, "%s: input %u cannot be read",
					src->model.file.path, i);
	return 0;
}

/* Program files are mapped page aligned, as abi_prog_open() needs. */
static int describe_program(struct run_source *src)
{
	struct base_err err = { 0 };
	struct abi_prog prog;

	if (abi_prog_open(src->model.file.data, src->model.file.size, &prog, &err))
		return cli_fail(CLI_BAD_INPUT, "%s: not a valid program: %s", src->model.file.path,
				err.text);
	src->image = src->model.file.data;
	src->image_size = src->model.file.size;
	src->nr_inputs = prog.hdr->nr_inputs;
	src->nr_outputs = prog.hdr->nr_outputs;
	src->inputs = base_alloc_array(src->nr_inputs, sizeof(*src->inputs));
	if (!src->inputs)
		return cli_fail(CLI_FAILED, "out of memory");
	for (u32 i = 0; i < src->nr_inputs; i++) {
		const struct abi_prog_tensor *t = abi_prog_input(&prog, i);
		struct graph_value_info *info = &src->inputs[i];

		*info = (struct graph_value_info){ .name = abi_prog_name(&prog, t->name),
						   .dtype = t->dtype,
						   .rank = t->rank,
						   .is_rank_known = true };
		for (u32 d = 0; d < t->rank; d++)
			info->dims[d] = t->dims[d];
	}
	return 0;
}

static int open_file(const char *path, struct run_source *out)
{
	struct cli_file probe;
	int ret;

	ret = cli_file_open(path, &probe);
	if (ret)
		return ret;
	out->is_program = cli_is_program(&probe);
	if (out->is_program) {
		out->model.file = probe;
		return describe_program(out);
	}
	cli_file_close(&probe);
	ret = cli_model_open(path, &out->model);
	return ret ? ret : describe_model(out);
}

int run_source_open(const char *path, struct run_source *out)
{
	int ret;

	*out = (struct run_source){ 0 };
	ret = open_file(path, out);
	if (ret)
		run_source_close(out);
	return ret;
}

void run_source_close(struct run_source *src)
{
	graph_free(src->compiled);
	base_free(src->inputs);
	cli_model_close(&src->model);
	*src = (struct run_source){ 0 };
}

static void bind_input(struct graph_bind *bind, u32 i, const struct graph_tensor *t)
{
	*bind = (struct graph_bind){ .input = i,
				     .dtype = t->dtype,
				     .rank = t->rank,
				     .data = t->data,
				     .size = t->data ? t->size : 0 };
	memcpy(bind->dims, t->dims, sizeof(bind->dims));
}

int run_source_compile(struct run_source *src, const struct graph_tensor *tensors)
{
	struct graph_bind *binds = base_alloc_array(src->nr_inputs, sizeof(*binds));
	struct graph_error err = { 0 };
	int ret;

	if (!binds)
		return cli_fail(CLI_FAILED, "out of memory");
	for (u32 i = 0; i < src->nr_inputs; i++)
		bind_input(&binds[i], i, &tensors[i]);
	ret = graph_compile(src->model.graph, binds, src->nr_inputs, NULL, &src->compiled,
			    &src->image_size, &src->stats, &err);
	base_free(binds);
	if (ret) {
		src->compiled = NULL;
		return cli_fail(cli_graph_exit(&err), "%s: %s", src->model.file.path, err.text);
	}
	src->image = src->compiled;
	return 0;
}

static void list_names(const struct run_source *src, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < src->nr_inputs && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s'%s'", i ? ", " : "",
					src->inputs[i].name);
}

/* Splits "NAME=FILE" by the model's own names, so that '=' in a file name does no harm. */
static int find_input(const struct run_source *src, const char *arg, u32 *idx, const char **file)
{
	char names[512];

	for (u32 i = 0; i < src->nr_inputs; i++) {
		size_t len = strlen(src->inputs[i].name);

		if (!strncmp(arg, src->inputs[i].name, len) && arg[len] == '=') {
			*idx = i;
			*file = arg + len + 1;
			return 0;
		}
	}
	list_names(src, names, sizeof(names));
	if (strchr(arg, '=') && access(arg, F_OK))
		return cli_fail(CLI_BAD_INPUT, "--input %s: the model has no such input; it has %s",
				arg, src->nr_inputs ? names : "none");
	if (src->nr_inputs != 1)
		return cli_fail(CLI_BAD_INPUT,
				"--input %s: say which input, NAME=FILE; the model has %s", arg,
				src->nr_inputs ? names : "none");
	*idx = 0;
	*file = arg;
	return 0;
}

int run_input_apply(const struct run_source *src, const char *arg,
		    const struct cli_image_options *image, struct graph_tensor *tensors)
{
	const char *file;
	u32 idx;
	int ret;

	ret = find_input(src, arg, &idx, &file);
	if (ret)
		return ret;
	if (tensors[idx].data)
		return cli_fail(CLI_USAGE, "--input '%s' is given twice", src->inputs[idx].name);
	ret = cli_tensor_load(file, &src->inputs[idx], image, &tensors[idx]);
	if (ret)
		tensors[idx] = (struct graph_tensor){ 0 };
	return ret;
}

/* ONNX's element types that no tensor here can have. */
static const char *foreign_type(u32 dtype)
{
	switch (dtype) {
	case 8:
		return "string";
	case 14:
		return "complex64";
	case 15:
		return "complex128";
	case 16:
		return "bfloat16";
	default:
		return "of ONNX's small or sub-byte types";
	}
}

static int load_missing(const struct run_source *src, const struct run_options *opts, u32 i,
			struct graph_tensor *out)
{
	const struct graph_value_info *want = &src->inputs[i];
	char path[4096], shape[128];

	if (!abi_dtype_size(want->dtype))
		return cli_fail(CLI_UNSUPPORTED,
				"%s: input '%s' has element type %u (%s), which is not supported",
				src->model.file.path, want->name, want->dtype,
				foreign_type(want->dtype));
	if (opts->reference_dir) {
		snprintf(path, sizeof(path), "%s/input_%u.pb", opts->reference_dir, i);
		if (!access(path, F_OK))
			return cli_tensor_load(path, want, &opts->image, out);
	}
	if (opts->is_random)
		return cli_tensor_random(want, opts->seed + i, out);
	return cli_fail(CLI_BAD_INPUT,
			"no data for input '%s' (%s): give --input %s=FILE%s, or --random",
			want->name,
			cli_shape_text(want->dtype, want->rank, want->dims, shape, sizeof(shape)),
			want->name, opts->reference_dir ? "" : ", or --reference DIR");
}

int run_inputs_load(const struct run_source *src, const struct run_options *opts,
		    struct graph_tensor *out)
{
	int ret = 0;

	for (u32 i = 0; !ret && i < opts->nr_inputs; i++)
		ret = run_input_apply(src, opts->inputs[i], &opts->image, out);
	for (u32 i = 0; !ret && i < src->nr_inputs; i++) {
		if (out[i].data)
			continue;
		ret = load_missing(src, opts, i, &out[i]);
		if (ret)
			out[i] = (struct graph_tensor){ 0 };
	}
	return ret;
}

void run_inputs_fini(struct graph_tensor *tensors, u32 nr)
{
	for (u32 i = 0; tensors && i < nr; i++)
		graph_tensor_fini(&tensors[i]);
	base_free(tensors);
}
