/* SPDX-License-Identifier: MIT */
/* The parts of `npu run`, also used by `npu compile`. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/cli.h"

struct run_options {
	const char *model;
	const char **inputs; /* "NAME=FILE" or "FILE", in the order given */
	u32 nr_inputs;
	const char *output_dir;
	const char *reference_dir;
	const char *labels;
	const char *dump_dir;
	char device[512];
	bool is_random;
	u64 seed;
	u32 repeat;
	u32 timeout_s;
	bool json;
	bool quiet;
	struct cli_image_options image;
};

/* A model file (.onnx) or a compiled program, and what it wants. */
struct run_source {
	struct cli_model model;
	bool is_program;
	struct graph_value_info *inputs;
	u32 nr_inputs;
	u32 nr_outputs;
	void *compiled; /* graph_compile()'s image, if the model was compiled here */
	const void *image;
	size_t image_size;
	struct graph_stats stats;
};

struct run_timing { /* milliseconds */
	double load, compile, create, boot, upload, first, median, best;
};

struct run_output {
	struct npu_tensor_info info;
	const void *data;
	bool has_reference;
	struct cli_compare compare;
};

int run_source_open(const char *path, struct run_source *out);
void run_source_close(struct run_source *src);
/** run_source_compile() - make src->image, with the shapes and values of @tensors (one per input;
 * those without data give shapes only). */
int run_source_compile(struct run_source *src, const struct graph_tensor *tensors);

/** run_inputs_load() - one tensor per input from files, reference, or at random. */
int run_inputs_load(const struct run_source *src, const struct run_options *opts,
		    struct graph_tensor *out);
/** run_input_apply() - one --input argument: find its input, load its file into @tensors. */
int run_input_apply(const struct run_source *src, const char *arg,
		    const struct cli_image_options *image, struct graph_tensor *tensors);
void run_inputs_fini(struct graph_tensor *tensors, u32 nr);

/** run_compare() - every output_N.pb of the reference directory with output N. */
int run_compare(const struct run_options *opts, struct run_output *outputs, u32 nr);
int run_write_outputs(const struct run_options *opts, const struct run_output *outputs, u32 nr);
void run_report(const struct run_options *opts, const struct run_source *src,
		const struct npu_device_info *dev, const struct run_timing *timing,
		const struct run_output *outputs, u32 nr);

#endif
