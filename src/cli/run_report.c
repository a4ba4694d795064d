// SPDX-License-Identifier: MIT
/* What `npu run` says and writes: outputs, times, comparison with a reference. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/program.h"
#include "cli/run.h"

static int compare_one(const char *path, struct run_output *output)
{
	struct graph_tensor expected;
	struct cli_image_options none = { 0 };
	int ret;

	ret = cli_tensor_load(path, NULL, &none, &expected);
	if (ret)
		return ret;
	cli_compare(&expected, output->info.dtype, output->info.rank, output->info.dims,
		    output->data, &output->compare);
	output->has_reference = true;
	graph_tensor_fini(&expected);
	return 0;
}

int run_compare(const struct run_options *opts, struct run_output *outputs, u32 nr)
{
	u32 found = 0;

	for (u32 i = 0; i < nr; i++) {
		char path[4096];
		int ret;

		snprintf(path, sizeof(path), "%s/output_%u.pb", opts->reference_dir, i);
		if (access(path, F_OK))
			continue;
		ret = compare_one(path, &outputs[i]);
		if (ret)
			return ret;
		found++;
	}
	if (!found)
		return cli_fail(CLI_BAD_INPUT, "%s: no output_N.pb to compare with",
				opts->reference_dir);
	return 0;
}

static int write_one(const char *dir, u32 i, const struct run_output *output)
{
	struct graph_tensor t = { .name = (char *)(uintptr_t)output->info.name,
				  .dtype = output->info.dtype,
				  .rank = output->info.rank,
				  .data = (void *)(uintptr_t)output->data,
				  .size = output->info.size };
	char path[4096];
	void *bytes;
	size_t size;
	int ret;

	for (u32 d = 0; d < t.rank; d++)
		t.dims[d] = output->info.dims[d];
	if (graph_tensor_write(&t, &bytes, &size))
		return cli_fail(CLI_FAILED, "out of memory for output '%s'", output->info.name);
	snprintf(path, sizeof(path), "%s/output_%u.pb", dir, i);
	ret = cli_file_write(path, bytes, size);
	graph_free(bytes);
	return ret;
}

int run_write_outputs(const struct run_options *opts, const struct run_output *outputs, u32 nr)
{
	int ret = 0;

	if (mkdir(opts->output_dir, 0777) && access(opts->output_dir, W_OK))
		return cli_fail(CLI_BAD_INPUT, "%s: cannot write into this directory",
				opts->output_dir);
	for (u32 i = 0; !ret && i < nr; i++)
		ret = write_one(opts->output_dir, i, &outputs[i]);
	return ret;
}

struct labels {
	char *text;
	char **lines;
	u32 nr;
};

/* A missing or odd label file costs the names, nothing else. */
static void read_labels(const char *path, struct labels *out)
{
	struct cli_file file;
	char *save = NULL;

	*out = (struct labels){ 0 };
	if (!path || cli_file_open(path, &file))
		return;
	out->text = base_zalloc(file.size + 1);
	out->lines = base_alloc_array(file.size, sizeof(*out->lines));
	if (out->text && out->lines) {
		memcpy(out->text, file.data, file.size);
		for (char *l = strtok_r(out->text, "\r\n", &save); l;
		     l = strtok_r(NULL, "\r\n", &save))
			out->lines[out->nr++] = l;
	}
	cli_file_close(&file);
}

static void print_compare(const struct run_output *output)
{
	const struct cli_compare *c = &output->compare;
	char at[128];

	if (c->why[0]) {
		printf("reference %s: DIFFERS: %s\n", output->info.name, c->why);
		return;
	}
	cli_index_text(c->worst, output->info.rank, output->info.dims, at, sizeof(at));
	printf("reference %s: %s: %" PRIu64 " of %" PRIu64
	       " values outside rtol %g, atol %g; worst %s: got %.8g, expected %.8g; largest "
	       "difference %.3g\n",
	       output->info.name, c->ok ? "agrees" : "DIFFERS", c->nr_bad, c->nr, CLI_RTOL,
	       CLI_ATOL, at, c->got, c->expected, c->max_abs);
}

static void print_text(const struct run_options *opts, const struct run_source *src,
		       const struct npu_device_info *dev, const struct run_timing *t,
		       const struct run_output *outputs, u32 nr)
{
	struct labels labels;

	read_labels(opts->labels, &labels);
	for (u32 i = 0; i < nr && !opts->quiet; i++)
		cli_print_output(&outputs[i].info, outputs[i].data, labels.lines, labels.nr);
	base_free(labels.text);
	base_free(labels.lines);
	for (u32 i = 0; i < nr; i++)
		if (outputs[i].has_reference)
			print_compare(&outputs[i]);
	printf("time: load %.2f ms", t->load);
	if (!src->is_program)
		printf(", compile %.2f ms (%u nodes -> %u operations, %.1f MB weights)", t->compile,
		       src->stats.nr_nodes, src->stats.nr_ops,
		       (double)src->stats.weights_bytes / 1e6);
	printf(", device %.2f ms, boot %.2f ms, upload %.2f ms, submit -> complete %.3f ms",
	       t->create, t->boot, t->upload, t->first);
	if (opts->repeat > 1)
		printf(" first, %.3f ms median, %.3f ms best of %u", t->median, t->best,
		       opts->repeat);
	printf("  [%s, %s]\n", dev->product, dev->location);
}

/* JSON has no NaN and no infinity. */
static void json_number(double v)
{
	if (isfinite(v))
		printf("%.9g", v);
	else
		printf("null");
}

static void json_output(const struct run_output *o)
{
	u32 idx[6];
	u32 nr;

	printf("{\"name\":");
	cli_json_string(o->info.name);
	printf(",\"type\":\"%s\",\"shape\":[", abi_dtype_name(o->info.dtype));
	for (u32 i = 0; i < o->info.rank; i++)
		printf("%s%u", i ? "," : "", o->info.dims[i]);
	printf("]");
	if (cli_is_class_vector(&o->info)) {
		nr = cli_top(o->info.dtype, o->data, o->info.dims[o->info.rank - 1], idx, 5);
		printf(",\"top\":[");
		for (u32 i = 0; i < nr; i++) {
			printf("%s{\"class\":%u,\"value\":", i ? "," : "", idx[i]);
			json_number(cli_element(o->info.dtype, o->data, idx[i]));
			printf("}");
		}
		printf("]");
	}
	if (o->has_reference) {
		printf(",\"reference\":{\"agrees\":%s,\"outside\":%" PRIu64 ",\"of\":%" PRIu64
		       ",\"max_abs\":",
		       o->compare.ok ? "true" : "false", o->compare.nr_bad, o->compare.nr);
		json_number(o->compare.max_abs);
		printf(",\"worst\":{\"index\":%" PRIu64 ",\"got\":", o->compare.worst);
		json_number(o->compare.got);
		printf(",\"expected\":");
		json_number(o->compare.expected);
		printf("}}");
	}
	printf("}");
}

static void print_json(const struct run_options *opts, const struct run_source *src,
		       const struct npu_device_info *dev, const struct run_timing *t,
		       const struct run_output *outputs, u32 nr)
{
	bool ok = true;

	printf("{\"model\":");
	cli_json_string(opts->model);
	printf(",\"device\":");
	cli_json_string(dev->location);
	printf(",\"findings\":%" PRIu64, dev->findings);
	printf(",\"nodes\":%u,\"operations\":%u", src->stats.nr_nodes, src->stats.nr_ops);
	printf(",\"ms\":{\"load\":%.4f,\"compile\":%.4f,\"device\":%.4f,\"boot\":%.4f,"
	       "\"upload\":%.4f,\"run_first\":%.4f,\"run_median\":%.4f,\"run_best\":%.4f}",
	       t->load, t->compile, t->create, t->boot, t->upload, t->first, t->median, t->best);
	printf(",\"outputs\":[");
	for (u32 i = 0; i < nr; i++) {
		if (i)
			putchar(',');
		json_output(&outputs[i]);
		ok = ok && (!outputs[i].has_reference || outputs[i].compare.ok);
	}
	printf("],\"ok\":%s}\n", ok ? "true" : "false");
}

void run_report(const struct run_options *opts, const struct run_source *src,
		const struct npu_device_info *dev, const struct run_timing *timing,
		const struct run_output *outputs, u32 nr)
{
	if (opts->json)
		print_json(opts, src, dev, timing, outputs, nr);
	else
		print_text(opts, src, dev, timing, outputs, nr);
}
