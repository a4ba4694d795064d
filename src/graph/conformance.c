// SPDX-License-Identifier: MIT
/*
 * conformance [-v] [DIR] [CASE...] - ONNX's official node cases through the compiler and the plain
 * kernels, without a device.  DIR is libonnx-testdata's data folder.
 *
 * Prints per operator set (O section 2) how many cases there are and how many agree with rtol 1e-3,
 * atol 1e-7; exit status 0 when all cases of sets a and b with core types do, 77 without data.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <npu/graph.h>

#include "graph/test_exec.h"

#define DEFAULT_DIR "/usr/share/libonnx-testdata/data"
#define MAX_PORTS   64u
#define RTOL	    1e-3
#define ATOL	    1e-7

static const char set_a[] =
	" Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant "
	"ConstantOfShape Conv ConvTranspose Cos DepthToSpace Div Dropout Elu Equal Erf Exp Expand "
	"Flatten Floor Gather Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid "
	"HardSwish Identity InstanceNormalization LRN LeakyRelu Less LessOrEqual Log LogSoftmax MatMul "
	"Max MaxPool Mean Min Mul Neg Not Or PRelu Pad Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum "
	"ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu "
	"Reshape Round Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth "
	"Split Sqrt Squeeze Sub Sum Tan Tanh Tile Transpose Unsqueeze Where Xor ";
static const char set_b[] =
	" Add AveragePool BatchNormalization Clip Concat Constant ConstantOfShape Conv Dropout Flatten "
	"Gather Gemm GlobalAveragePool Identity LRN MatMul MaxPool Mul Pad ReduceMean Relu Reshape "
	"Shape Softmax Squeeze Sum Transpose Unsqueeze ";

struct file {
	void *bytes;
	size_t size;
};

struct run { /* one case */
	struct graph_model *model;
	struct file model_file, files[2 * MAX_PORTS];
	struct graph_tensor in[MAX_PORTS], want[MAX_PORTS];
	void *got[MAX_PORTS];
	unsigned nr_in, nr_out;
	void *program;
	size_t program_size;
	bool in_a, in_b, is_core;
	char why[600];
};

enum set { ALL_NODES, SET_A, SET_B, OTHERS, NR_SETS };

static struct {
	unsigned nr, passed;
} totals[NR_SETS];
static bool is_node = true; /* in the folder whose cases the sets count */

static int read_file(const char *path, struct file *out)
{
	FILE *f = fopen(path, "rb");
	long size;

	if (!f)
		return -errno;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	out->size = (size_t)size;
	out->bytes = malloc(out->size + 1);
	if (!out->bytes || fread(out->bytes, 1, out->size, f) != out->size) {
		fclose(f);
		return -EIO;
	}
	fclose(f);
	return 0;
}

static bool is_core_type(uint32_t dtype)
{
	return dtype == 1 || dtype == 2 || dtype == 3 || dtype == 6 || dtype == 7 || dtype == 9 ||
	       dtype == 10;
}

static bool is_in(const char *set, const struct graph_node_info *node)
{
	char word[80];

	if (*node->domain && strcmp(node->domain, "ai.onnx"))
		return false;
	snprintf(word, sizeof(word), " %.60s ", node->op_type);
	return strstr(set, word) != NULL;
}

static void classify(struct run *run)
{
	struct graph_node_info node;
	struct graph_value_info value;

	run->in_a = run->in_b = run->is_core = true;
	for (unsigned i = 0; i < graph_model_nr_nodes(run->model); i++) {
		graph_model_node(run->model, i, &node);
		run->in_a &= is_in(set_a, &node);
		run->in_b &= is_in(set_b, &node);
	}
	for (unsigned i = 0; i < graph_model_nr_inputs(run->model); i++) {
		graph_model_input(run->model, i, &value);
		run->is_core &= is_core_type(value.dtype);
	}
	for (unsigned i = 0; i < graph_model_nr_outputs(run->model); i++) {
		graph_model_output(run->model, i, &value);
		run->is_core &= is_core_type(value.dtype);
	}
}

static int fail(struct run *run, const char *what, const char *why)
{
	snprintf(run->why, sizeof(run->why), "%.200s: %.390s", what, why);
	return -EINVAL;
}

static int read_tensors(struct run *run, const char *dir, const char *kind, unsigned nr,
			struct graph_tensor *out, struct file *files)
{
	struct graph_error err;
	char path[4096];

	for (unsigned i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/test_data_set_0/%s_%u.pb", dir, kind, i);
		if (read_file(path, &files[i]))
			return fail(run, path, "cannot read");
		if (graph_tensor_read(files[i].bytes, files[i].size, &out[i], &err))
			return fail(run, path, err.text);
	}
	return 0;
}

static int compile(struct run *run, const struct graph_options *options)
{
	struct graph_bind binds[MAX_PORTS] = { 0 };
	struct graph_error err;

	for (unsigned i = 0; i < run->nr_in; i++) {
		binds[i] = (struct graph_bind){ .input = i,
						.dtype = run->in[i].dtype,
						.rank = run->in[i].rank,
						.data = run->in[i].data,
						.size = run->in[i].size };
		memcpy(binds[i].dims, run->in[i].dims, sizeof(binds[i].dims));
	}
	if (graph_compile(run->model, binds, run->nr_in, options, &run->program, &run->program_size,
			  NULL, &err))
		return fail(run, "compile", err.text);
	return 0;
}

static double element(const struct graph_tensor *t, const void *data, size_t i)
{
	switch (t->dtype) {
	case ABI_F32:
		return (double)((const float *)data)[i];
	case ABI_F64:
		return ((const double *)data)[i];
	case ABI_F16:
		return (double)kern_f16_to_f32(((const u16 *)data)[i]);
	case ABI_U8:
	case ABI_BOOL:
		return ((const u8 *)data)[i];
	case ABI_S8:
		return ((const s8 *)data)[i];
	case ABI_U16:
		return ((const u16 *)data)[i];
	case ABI_S16:
		return ((const s16 *)data)[i];
	case ABI_S32:
		return ((const s32 *)data)[i];
	case ABI_U32:
		return ((const u32 *)data)[i];
	case ABI_S64:
		return (double)((const s64 *)data)[i];
	default:
		return (double)((const u64 *)data)[i];
	}
}

static bool agrees(double got, double want)
{
	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (isinf(want) || isinf(got))
		return !(got < want) && !(got > want);
	return fabs(got - want) <= ATOL + RTOL * fabs(want);
}

static int compare(struct run *run, const struct abi_prog *prog)
{
	for (unsigned i = 0; i < run->nr_out; i++) {
		const struct abi_prog_tensor *t = abi_prog_output(prog, i);
		const struct graph_tensor *want = &run->want[i];
		char text[200];

		if (t->dtype != want->dtype || t->rank != want->rank || t->size != want->size)
			return fail(run, "output", "type or shape differs");
		for (u32 k = 0; k < t->rank; k++)
			if (t->dims[k] != want->dims[k])
				return fail(run, "output", "shape differs");
		for (size_t k = 0; k < want->size / abi_dtype_size(want->dtype); k++) {
			double got = element(want, run->got[i], k);

			if (agrees(got, element(want, want->data, k)))
				continue;
			snprintf(text, sizeof(text), "output %u [%zu] is %.9g, expected %.9g", i, k,
				 got, element(want, want->data, k));
			return fail(run, "value", text);
		}
	}
	return 0;
}

static int execute(struct run *run)
{
	const void *inputs[MAX_PORTS];
	struct base_err err = { 0 };
	struct abi_prog prog;

	if (abi_prog_open(run->program, run->program_size, &prog, &err))
		return fail(run, "program", err.text);
	if (prog.hdr->nr_inputs != run->nr_in || prog.hdr->nr_outputs != run->nr_out)
		return fail(run, "program", "wrong number of inputs or outputs");
	for (unsigned i = 0; i < run->nr_in; i++)
		inputs[i] = run->in[i].data;
	for (unsigned i = 0; i < run->nr_out; i++)
		run->got[i] = malloc(abi_prog_output(&prog, i)->size + 1);
	if (test_exec(run->program, run->program_size, inputs, run->got, &err))
		return fail(run, "execute", err.text);
	return compare(run, &prog);
}

static void run_fini(struct run *run)
{
	for (unsigned i = 0; i < MAX_PORTS; i++) {
		graph_tensor_fini(&run->in[i]);
		graph_tensor_fini(&run->want[i]);
		free(run->got[i]);
	}
	for (unsigned i = 0; i < 2 * MAX_PORTS; i++)
		free(run->files[i].bytes);
	graph_free(run->program);
	graph_model_close(run->model);
	free(run->model_file.bytes);
}

static int run_case(struct run *run, const char *dir, const struct graph_options *options)
{
	struct graph_error err;
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/model.onnx", dir);
	if (read_file(path, &run->model_file))
		return fail(run, path, "cannot read");
	if (graph_model_open(run->model_file.bytes, run->model_file.size, NULL, &run->model, &err))
		return fail(run, "open", err.text);
	classify(run);
	run->nr_in = graph_model_nr_inputs(run->model);
	run->nr_out = graph_model_nr_outputs(run->model);
	if (run->nr_in > MAX_PORTS || run->nr_out > MAX_PORTS)
		return fail(run, "case", "too many inputs or outputs");
	ret = read_tensors(run, dir, "input", run->nr_in, run->in, run->files);
	if (!ret)
		ret = read_tensors(run, dir, "output", run->nr_out, run->want,
				   run->files + MAX_PORTS);
	if (!ret)
		ret = compile(run, options);
	return ret ? ret : execute(run);
}

static void count(unsigned set, bool passed)
{
	totals[set].nr++;
	totals[set].passed += passed;
}

static void one_case(const char *dir, const char *name, const struct graph_options *options,
		     bool is_verbose)
{
	struct run *run = calloc(1, sizeof(*run));
	char path[2048];
	bool passed, is_wanted;

	if (!run)
		abort();
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	passed = !run_case(run, path, options);
	is_wanted = is_node && run->in_a && run->is_core;
	count(is_node ? ALL_NODES : OTHERS, passed);
	if (is_wanted)
		count(SET_A, passed);
	if (is_node && run->in_b && run->is_core)
		count(SET_B, passed);
	if (!passed && (is_wanted || is_verbose))
		printf("FAIL %s%s: %s\n", is_wanted ? "(a) " : "", name, run->why);
	run_fini(run);
	free(run);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* @name is there or no case was named. */
static bool is_chosen(char *const *names, int nr, const char *name)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return !nr;
}

static int run_folder(const char *root, const char *folder, char *const *names, int nr_names,
		      const struct graph_options *options, bool is_verbose)
{
	struct dirent **entries;
	char dir[1024];
	int nr;

	snprintf(dir, sizeof(dir), "%s/%s", root, folder);
	nr = scandir(dir, &entries, is_case, alphasort);
	for (int i = 0; i < nr; i++) {
		if (is_chosen(names, nr_names, entries[i]->d_name))
			one_case(dir, entries[i]->d_name, options, is_verbose);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	return nr;
}

static void print_total(const char *what, unsigned set)
{
	printf("%s: %u of %u\n", what, totals[set].passed, totals[set].nr);
}

int main(int argc, char **argv)
{
	static const char *const others[] = { "simple", "pytorch-operator", "pytorch-converted" };
	struct graph_options options = { 0 };
	const char *root = getenv("ONNX_TESTDATA");
	bool is_verbose = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		is_verbose |= !strcmp(argv[i], "-v");
		options.no_fold |= !strcmp(argv[i], "--no-fold");
		options.no_fuse |= !strcmp(argv[i], "--no-fuse");
	}
	if (i < argc)
		root = argv[i++];
	if (!root)
		root = DEFAULT_DIR;
	if (run_folder(root, "node", argv + i, argc - i, &options, is_verbose) <= 0) {
		printf("no ONNX test data in %s/node (package libonnx-testdata)\n", root);
		return 77;
	}
	is_node = false;
	for (size_t k = 0; k < BASE_ARRAY_SIZE(others); k++)
		run_folder(root, others[k], argv + i, argc - i, &options, is_verbose);
	print_total("set a, core types", SET_A);
	print_total("set b, core types", SET_B);
	print_total("all node cases", ALL_NODES);
	print_total("simple and pytorch cases", OTHERS);
	return totals[SET_A].passed == totals[SET_A].nr && totals[SET_B].passed == totals[SET_B].nr
		       ? 0
		       : 1;
}
