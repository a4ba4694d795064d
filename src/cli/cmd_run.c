// SPDX-License-Identifier: MIT
/* npu run: a model or a compiled program, through every layer, once or many times. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"

#define MAX_REPEAT 1000000u

static const char help[] =
	"usage: npu run MODEL [options]\n"
	"\n"
	"Runs an ONNX model (or a program made by `npu compile`) on an NPU: reads it, compiles it,\n"
	"boots the device, copies the program and its inputs there, submits one job, waits for its\n"
	"completion, prints the outputs and what each layer took.\n"
	"\n"
	"  --input [NAME=]FILE  data of an input: .pb (ONNX TensorProto), .npy, .png or .pgm; NAME= may\n"
	"                       be left out where the model has one input; repeat for more inputs\n"
	"  --random[=SEED]      seeded normal values for every input not given\n"
	"  --mean R,G,B --std R,G,B   of pictures, in 0..1: (value / 255 - mean) / std\n"
	"  --show               draw a picture input on the terminal\n"
	"  --reference DIR      a data set as ONNX ships them: input_N.pb are used where no --input is\n"
	"                       given, output_N.pb are compared (rtol 1e-3, atol 1e-7)\n"
	"  --output DIR         write each output to DIR/output_N.pb\n"
	"  --labels FILE        class names, one a line\n"
	"  --device STR         default $NPU_DEVICE, else a running npud, else sim:npu37\n"
	"  --engine plain|onednn, --threads N   of a virtual NPU; default onednn, 1\n"
	"  --repeat N           run N times, print first, median and best\n"
	"  --timeout SECONDS    for one inference, default 600\n"
	"  --json               one JSON object on standard output\n"
	"  --quiet              no outputs, only times and comparison\n"
	"  --dump-dir DIR       where the driver puts a dump when the device has to recover; default\n"
	"                       $NPU_DUMP_DIR, else nowhere\n"
	"\n"
	"exit codes: 0 success and agreement   1 device or job failed   2 wrong command line\n"
	"            3 bad input or model      4 unsupported model      5 differs from the reference\n"
	"\n"
	"examples:\n"
	"  npu run data/digits.onnx --input data/digits/7.png --labels data/labels/digits.txt\n"
	"  npu run resnet50.onnx --random --repeat 20 --threads 2\n"
	"  npu run test_relu/model.onnx --reference test_relu/test_data_set_0\n";

enum {
	OPT_INPUT = 256,
	OPT_RANDOM,
	OPT_MEAN,
	OPT_STD,
	OPT_REFERENCE,
	OPT_OUTPUT,
	OPT_LABELS,
	OPT_DEVICE,
	OPT_ENGINE,
	OPT_THREADS,
	OPT_REPEAT,
	OPT_TIMEOUT,
	OPT_JSON,
	OPT_SHOW,
	OPT_QUIET,
	OPT_DUMP_DIR
};

static const struct option long_options[] = {
	{ "input", required_argument, NULL, OPT_INPUT },
	{ "random", optional_argument, NULL, OPT_RANDOM },
	{ "mean", required_argument, NULL, OPT_MEAN },
	{ "std", required_argument, NULL, OPT_STD },
	{ "reference", required_argument, NULL, OPT_REFERENCE },
	{ "output", required_argument, NULL, OPT_OUTPUT },
	{ "labels", required_argument, NULL, OPT_LABELS },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "engine", required_argument, NULL, OPT_ENGINE },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "show", no_argument, NULL, OPT_SHOW },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "dump-dir", required_argument, NULL, OPT_DUMP_DIR },
	{ NULL, 0, NULL, 0 },
};

static int parse_u32(const char *name, const char *text, u32 lo, u32 hi, u32 *out)
{
	char *end;
	unsigned long val;

	errno = 0;
	val = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || val < lo || val > hi)
		return cli_usage(&cli_cmd_run, "--%s %s: want a number from %u to %u", name, text,
				 lo, hi);
	*out = (u32)val;
	return 0;
}

static int parse_floats(const char *name, const char *text, float out[4], u32 *nr)
{
	const char *p = text;

	for (*nr = 0; *nr < 4;) {
		char *end;

		out[(*nr)++] = strtof(p, &end);
		if (end == p || (*end && *end != ','))
			break;
		if (!*end)
			return 0;
		p = end + 1;
	}
	return cli_usage(&cli_cmd_run, "--%s %s: want up to four numbers with commas", name, text);
}

static int parse_seed(const char *text, struct run_options *opts)
{
	char *end = NULL;

	opts->is_random = true;
	if (!text)
		return 0;
	errno = 0;
	opts->seed = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		return cli_usage(&cli_cmd_run, "--random=%s: the seed must be a number", text);
	return 0;
}

struct device_options {
	const char *device, *engine;
	u32 threads;
};

static int parse_option(int opt, struct run_options *opts, struct device_options *dev)
{
	switch (opt) {
	case OPT_INPUT:
		opts->inputs[opts->nr_inputs++] = optarg;
		return 0;
	case OPT_RANDOM:
		return parse_seed(optarg, opts);
	case OPT_MEAN:
		return parse_floats("mean", optarg, opts->image.mean, &opts->image.nr_mean);
	case OPT_STD:
		return parse_floats("std", optarg, opts->image.std, &opts->image.nr_std);
	case OPT_REFERENCE:
		opts->reference_dir = optarg;
		return 0;
	case OPT_OUTPUT:
		opts->output_dir = optarg;
		return 0;
	case OPT_LABELS:
		opts->labels = optarg;
		return 0;
	case OPT_DEVICE:
		dev->device = optarg;
		return 0;
	case OPT_ENGINE:
		dev->engine = optarg;
		return 0;
	case OPT_THREADS:
		return parse_u32("threads", optarg, 1, 256, &dev->threads);
	case OPT_REPEAT:
		return parse_u32("repeat", optarg, 1, MAX_REPEAT, &opts->repeat);
	case OPT_TIMEOUT:
		return parse_u32("timeout", optarg, 1, 1000000, &opts->timeout_s);
	case OPT_JSON:
		opts->json = true;
		return 0;
	case OPT_SHOW:
		opts->image.show = true;
		return 0;
	case OPT_QUIET:
		opts->quiet = true;
		return 0;
	case OPT_DUMP_DIR:
		opts->dump_dir = optarg;
		return 0;
	default:
		return cli_usage(&cli_cmd_run, "wrong option");
	}
}

/* --engine and --threads are options of a virtual NPU's device string. */
static int build_device(const struct device_options *dev, struct run_options *opts)
{
	const char *env = getenv("NPU_DEVICE");
	const char *own = dev->engine || dev->threads ? "sim:npu37" : "";
	const char *base = dev->device ? dev->device : env && *env ? env : own;
	char engine[64] = "", threads[32] = "";

	if ((dev->engine || dev->threads) && strncmp(base, "sim:", 4))
		return cli_usage(&cli_cmd_run,
				 "--engine and --threads go with a virtual NPU, not %s", base);
	if (dev->engine && strcmp(dev->engine, "plain") && strcmp(dev->engine, "onednn"))
		return cli_usage(&cli_cmd_run, "--engine %s: want plain or onednn", dev->engine);
	if (dev->engine)
		snprintf(engine, sizeof(engine), ",engine=%s", dev->engine);
	if (dev->threads)
		snprintf(threads, sizeof(threads), ",threads=%u", dev->threads);
	if (snprintf(opts->device, sizeof(opts->device), "%s%s%s", base, engine, threads) >=
	    (int)sizeof(opts->device))
		return cli_usage(&cli_cmd_run, "the device string is too long");
	return 0;
}

static int parse(int argc, char **argv, struct run_options *opts)
{
	struct device_options dev = { 0 };
	int opt, ret;

	opts->inputs = base_alloc_array((size_t)argc, sizeof(*opts->inputs));
	if (!opts->inputs)
		return cli_fail(CLI_FAILED, "out of memory");
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == '?')
			return cli_usage(&cli_cmd_run,
					 "%s: no such option, or its value is missing",
					 argv[optind - 1]);
		ret = parse_option(opt, opts, &dev);
		if (ret)
			return ret;
	}
	if (optind + 1 != argc)
		return cli_usage(&cli_cmd_run, "%s",
				 optind == argc ? "which model?" : "one model at a time");
	opts->model = argv[optind];
	return build_device(&dev, opts);
}

struct session { /* of one run; destroyed in reverse order */
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	struct npu_program *prog;
};

static void session_close(struct session *s)
{
	npu_program_destroy(s->prog);
	npu_queue_destroy(s->queue);
	npu_context_destroy(s->ctx);
	cli_device_close(s->dev);
}

static int session_open(struct session *s, const struct run_options *opts,
			const struct run_source *src, struct run_timing *t)
{
	const struct npu_open_options options = { .dump_dir = opts->dump_dir };
	struct npu_device_info info;
	u64 start;
	int ret;

	cli_progress_start("booting the NPU");
	ret = cli_device_open(opts->device[0] ? opts->device : NULL, &options, &s->dev);
	if (ret)
		return ret;
	if (npu_device_query(s->dev, &info))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	t->create = (double)info.device_create_ns / 1e6;
	t->boot = (double)info.boot_ns / 1e6;
	start = base_clock_ns();
	cli_progress_start("copying the program to the NPU");
	if (npu_context_create(s->dev, &s->ctx) ||
	    npu_queue_create(s->ctx, NPU_PRIO_NORMAL, &s->queue) ||
	    npu_program_load(s->ctx, src->image, src->image_size, &s->prog))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	t->upload = cli_ms_since(start);
	return 0;
}

static int fill_inputs(struct session *s, const struct run_source *src,
		       const struct graph_tensor *tensors)
{
	for (u32 i = 0; i < src->nr_inputs; i++) {
		struct npu_tensor_info info;

		if (npu_program_input(s->prog, i, &info))
			return cli_fail(CLI_FAILED, "%s", npu_last_error());
		if (info.size != tensors[i].size)
			return cli_fail(CLI_BAD_INPUT,
					"input '%s' has %zu bytes, the program wants %" PRIu64,
					info.name, tensors[i].size, info.size);
		if (info.size)
			memcpy(npu_program_input_data(s->prog, i), tensors[i].data, info.size);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int run_all(struct session *s, const struct run_options *opts, struct run_timing *t)
{
	double *ms = base_alloc_array(opts->repeat, sizeof(*ms));
	int ret = 0;

	if (!ms)
		return cli_fail(CLI_FAILED, "out of memory");
	cli_progress_start("running on the NPU");
	for (u32 i = 0; !ret && i < opts->repeat; i++) {
		u64 start = base_clock_ns();

		if (npu_program_run(s->prog, s->queue, opts->timeout_s * BASE_NS_PER_S, NULL))
			ret = cli_fail(CLI_FAILED, "%s", npu_last_error());
		ms[i] = cli_ms_since(start);
	}
	cli_progress_stop();
	t->first = ms[0];
	if (opts->repeat > 1) /* the first run also prepares the network */
		qsort(ms + 1, opts->repeat - 1, sizeof(*ms), by_value);
	t->median = opts->repeat > 1 ? ms[1 + (opts->repeat - 1) / 2] : ms[0];
	t->best = opts->repeat > 1 ? ms[1] : ms[0];
	base_free(ms);
	return ret;
}

static int finish(struct session *s, const struct run_options *opts, const struct run_source *src,
		  const struct run_timing *t, struct run_output *outputs)
{
	struct npu_device_info dev;
	int ret = 0;

	for (u32 i = 0; i < src->nr_outputs; i++) {
		if (npu_program_output(s->prog, i, &outputs[i].info))
			return cli_fail(CLI_FAILED, "%s", npu_last_error());
		outputs[i].data = npu_program_output_data(s->prog, i);
	}
	if (npu_device_query(s->dev, &dev))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	if (opts->output_dir)
		ret = run_write_outputs(opts, outputs, src->nr_outputs);
	if (!ret && opts->reference_dir)
		ret = run_compare(opts, outputs, src->nr_outputs);
	if (ret)
		return ret;
	run_report(opts, src, &dev, t, outputs, src->nr_outputs);
	for (u32 i = 0; i < src->nr_outputs; i++)
		if (outputs[i].has_reference && !outputs[i].compare.ok)
			ret = CLI_MISMATCH;
	return ret;
}

static int execute(const struct run_options *opts, struct run_source *src,
		   const struct graph_tensor *tensors, struct run_timing *t)
{
	struct run_output *outputs = base_alloc_array(src->nr_outputs, sizeof(*outputs));
	struct session s = { 0 };
	int ret;

	if (!outputs)
		return cli_fail(CLI_FAILED, "out of memory");
	ret = session_open(&s, opts, src, t);
	if (!ret)
		ret = fill_inputs(&s, src, tensors);
	if (!ret)
		ret = run_all(&s, opts, t);
	if (!ret)
		ret = finish(&s, opts, src, t, outputs);
	session_close(&s);
	base_free(outputs);
	return ret;
}

static int run_model(const struct run_options *opts, struct run_source *src, double load_ms)
{
	struct graph_tensor *tensors = base_alloc_array(src->nr_inputs, sizeof(*tensors));
	struct run_timing t = { .load = load_ms };
	u64 start;
	int ret;

	if (!tensors)
		return cli_fail(CLI_FAILED, "out of memory");
	ret = run_inputs_load(src, opts, tensors);
	start = base_clock_ns();
	cli_progress_start("compiling");
	if (!ret && !src->is_program)
		ret = run_source_compile(src, tensors);
	t.compile = cli_ms_since(start);
	if (!ret)
		ret = execute(opts, src, tensors, &t);
	run_inputs_fini(tensors, src->nr_inputs);
	return ret;
}

static int run(int argc, char **argv)
{
	struct run_options opts = { .repeat = 1, .timeout_s = 600, .seed = 1 };
	struct run_source src;
	u64 start = base_clock_ns();
	int ret;

	ret = parse(argc, argv, &opts);
	if (!ret)
		ret = run_source_open(opts.model, &src);
	if (!ret) {
		ret = run_model(&opts, &src, cli_ms_since(start));
		run_source_close(&src);
	}
	base_free(opts.inputs);
	return ret;
}

const struct cli_command cli_cmd_run = {
	.name = "run",
	.summary = "run an ONNX model or a compiled program",
	.help = help,
	.run = run,
};
