// SPDX-License-Identifier: MIT
/* npu compile: a model with its shapes bound, as a program file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"

static const char help[] =
	"usage: npu compile MODEL.onnx -o PROGRAM [options]\n"
	"\n"
	"Compiles a model once, for many `npu run PROGRAM`.  Shapes are fixed in the program.\n"
	"\n"
	"  -o, --output FILE       where the program goes\n"
	"  --shape NAME=1,3,224,224   shape of an input whose dimensions the model leaves open\n"
	"  --input NAME=FILE       shape, and value, of an input (.pb, .npy): needed where an input's\n"
	"                          value decides a shape, such as the target of a Reshape\n"
	"\n"
	"exit codes: as npu run\n"
	"\n"
	"example: npu compile data/digits.onnx -o /tmp/digits.npu && \\\n"
	"         npu run /tmp/digits.npu --input data/digits/7.png\n";

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "shape", required_argument, NULL, 's' },
	{ "input", required_argument, NULL, 'i' },
	{ NULL, 0, NULL, 0 },
};

struct compile_options {
	struct run_options run; /* model, inputs */
	const char *output;
	const char **shapes;
	u32 nr_shapes;
};

static int parse(int argc, char **argv, struct compile_options *opts)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "o:", long_options, NULL)) != -1) {
		if (opt == 'o')
			opts->output = optarg;
		else if (opt == 's')
			opts->shapes[opts->nr_shapes++] = optarg;
		else if (opt == 'i')
			opts->run.inputs[opts->run.nr_inputs++] = optarg;
		else
			return cli_usage(&cli_cmd_compile,
					 "%s: no such option, or its value is missing",
					 argv[optind - 1]);
	}
	if (optind + 1 != argc)
		return cli_usage(&cli_cmd_compile, "%s",
				 optind == argc ? "which model?" : "one model at a time");
	if (!opts->output)
		return cli_usage(&cli_cmd_compile, "where to? give -o PROGRAM");
	opts->run.model = argv[optind];
	return 0;
}

static int parse_dims(const char *arg, const char *text, struct graph_tensor *t)
{
	const char *p = text;

	for (t->rank = 0; *p && t->rank < GRAPH_MAX_RANK; t->rank++) {
		char *end;
		long long dim = strtoll(p, &end, 10);

		if (end == p || dim < 0 || dim > INT32_MAX || (*end && *end != ','))
			break;
		t->dims[t->rank] = dim;
		p = *end ? end + 1 : end;
	}
	if (*p)
		return cli_usage(&cli_cmd_compile, "--shape %s: want NAME=1,3,224,224", arg);
	return 0;
}

static int apply_shape(const struct run_source *src, const char *arg, struct graph_tensor *tensors)
{
	for (u32 i = 0; i < src->nr_inputs; i++) {
		size_t len = strlen(src->inputs[i].name);
		int ret;

		if (strncmp(arg, src->inputs[i].name, len) || arg[len] != '=')
			continue;
		ret = parse_dims(arg, arg + len + 1, &tensors[i]);
		return ret ? ret : cli_tensor_check(&tensors[i], &src->inputs[i], "--shape");
	}
	return cli_fail(CLI_BAD_INPUT, "--shape %s: the model has no such input", arg);
}

static void declare_shape(const struct graph_value_info *info, struct graph_tensor *t)
{
	t->dtype = info->dtype;
	t->rank = info->rank;
	memcpy(t->dims, info->dims, sizeof(t->dims));
}

static int describe(const struct run_source *src, const struct compile_options *opts,
		    struct graph_tensor *tensors)
{
	int ret = 0;

	for (u32 i = 0; i < src->nr_inputs; i++)
		declare_shape(&src->inputs[i], &tensors[i]);
	for (u32 i = 0; !ret && i < opts->nr_shapes; i++)
		ret = apply_shape(src, opts->shapes[i], tensors);
	for (u32 i = 0; !ret && i < opts->run.nr_inputs; i++)
		ret = run_input_apply(src, opts->run.inputs[i], &opts->run.image, tensors);
	return ret;
}

static int compile(struct run_source *src, const struct compile_options *opts)
{
	struct graph_tensor *tensors = base_alloc_array(src->nr_inputs, sizeof(*tensors));
	u64 start = base_clock_ns();
	int ret;

	if (!tensors)
		return cli_fail(CLI_FAILED, "out of memory");
	cli_progress_start("compiling");
	ret = describe(src, opts, tensors);
	if (!ret)
		ret = run_source_compile(src, tensors);
	if (!ret)
		ret = cli_file_write(opts->output, src->image, src->image_size);
	cli_progress_stop();
	if (!ret)
		printf("%s: %u nodes -> %u operations (%u folded, %u fused), %.1f MB weights, %.1f MB "
		       "arena, %.1f ms\n",
		       opts->output, src->stats.nr_nodes, src->stats.nr_ops, src->stats.nr_folded,
		       src->stats.nr_fused, (double)src->stats.weights_bytes / 1e6,
		       (double)src->stats.arena_bytes / 1e6, cli_ms_since(start));
	run_inputs_fini(tensors, src->nr_inputs);
	return ret;
}

static int open_and_compile(const struct compile_options *opts)
{
	struct run_source src;
	int ret;

	ret = run_source_open(opts->run.model, &src);
	if (ret)
		return ret;
	if (src.is_program)
		ret = cli_fail(CLI_BAD_INPUT, "%s is a compiled program already", opts->run.model);
	else
		ret = compile(&src, opts);
	run_source_close(&src);
	return ret;
}

static int run(int argc, char **argv)
{
	struct compile_options opts = { 0 };
	int ret;

	opts.run.inputs = base_alloc_array((size_t)argc, sizeof(*opts.run.inputs));
	opts.shapes = base_alloc_array((size_t)argc, sizeof(*opts.shapes));
	if (!opts.run.inputs || !opts.shapes)
		ret = cli_fail(CLI_FAILED, "out of memory");
	else
		ret = parse(argc, argv, &opts);
	if (!ret)
		ret = open_and_compile(&opts);
	base_free(opts.run.inputs);
	base_free(opts.shapes);
	return ret;
}

const struct cli_command cli_cmd_compile = {
	.name = "compile",
	.summary = "compile an ONNX model into a program file",
	.help = help,
	.run = run,
};
