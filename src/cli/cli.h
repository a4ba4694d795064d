/* SPDX-License-Identifier: MIT */
/* npu, the command: what its parts share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>

#include "base/base.h"
#include "npu/graph.h"
#include "npu/npu.h"

/* Exit codes, documented in `npu --help`; never 128 or above. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,	     /* the device, the driver or the job failed */
	CLI_USAGE = 2,	     /* the command line is wrong */
	CLI_BAD_INPUT = 3,   /* a file is missing, malformed, or does not fit the model */
	CLI_UNSUPPORTED = 4, /* the model uses something the compiler does not support */
	CLI_MISMATCH = 5,    /* outputs differ from the reference */
};

struct cli_command {
	const char *name;
	const char *summary; /* one line for `npu --help` */
	const char *help;    /* the whole of `npu COMMAND --help` */
	int (*run)(int argc, char **argv);
};

extern const struct cli_command cli_cmd_run;
extern const struct cli_command cli_cmd_compile;
extern const struct cli_command cli_cmd_model;
extern const struct cli_command cli_cmd_boot;
extern const struct cli_command cli_cmd_info;
extern const struct cli_command cli_cmd_list;
extern const struct cli_command cli_cmd_trace;
extern const struct cli_command cli_cmd_fw;
extern const struct cli_command cli_cmd_status;
extern const struct cli_command cli_cmd_log;
extern const struct cli_command cli_cmd_dump;
extern const struct cli_command cli_cmd_top;
extern const struct cli_command cli_cmd_counters;
extern const struct cli_command cli_cmd_doctor;

/** cli_fail() - "npu: message" on stderr; returns @code so that `return cli_fail(...)`. */
int cli_fail(enum cli_exit code, const char *fmt, ...) BASE_PRINTF(2, 3);
/** cli_usage() - as cli_fail(CLI_USAGE, ...), and points to the command's --help. */
int cli_usage(const struct cli_command *cmd, const char *fmt, ...) BASE_PRINTF(2, 3);
/** cli_graph_exit() - the exit code for a graph error. */
enum cli_exit cli_graph_exit(const struct graph_error *err);

/* --- device.c ----------------------------------------------------------------------------- */

/**
 * cli_device_open() - as npu_device_open_with(), with $NPU_DUMP_DIR, and so that it can be watched
 * Return: 0 or an exit code, after a message.
 */
int cli_device_open(const char *device, const struct npu_open_options *options,
		    struct npu_device **out);
/** cli_device_close() - NULL is allowed. */
void cli_device_close(struct npu_device *dev);

/* --- file.c ------------------------------------------------------------------------------- */

struct cli_file {
	const char *path; /* the caller's */
	const void *data;
	size_t size;
};

/** cli_file_open() - map a regular file read-only; a message and CLI_BAD_INPUT if it cannot be. */
int cli_file_open(const char *path, struct cli_file *out);
void cli_file_close(struct cli_file *file);
/** cli_file_write() - create or replace; the old file stays until the new one is complete. */
int cli_file_write(const char *path, const void *data, size_t size);

/* --- model.c ------------------------------------------------------------------------------ */

/* An .onnx file with the external data files it refers to. */
struct cli_model {
	struct cli_file file;
	struct graph_model *graph;
	struct cli_file *externals;
	u32 nr_externals;
};

int cli_model_open(const char *path, struct cli_model *out);
void cli_model_close(struct cli_model *model);
/** cli_is_program() - does @file start with a compiled program's magic? */
bool cli_is_program(const struct cli_file *file);

/* --- tensor.c ----------------------------------------------------------------------------- */

/* How pictures become tensors. */
struct cli_image_options {
	float mean[4], std[4]; /* per channel, of values scaled to 0..1; 0 and 1 by default */
	u32 nr_mean, nr_std;
	bool show; /* draw the picture on standard output */
};

/**
 * cli_tensor_load() - a tensor from .pb, .npy, .png, .pgm
 * @want: what the model expects, for pictures (shape) and checks; NULL: take the file as it is
 * Message and exit code on failure; free with graph_tensor_fini().
 */
int cli_tensor_load(const char *path, const struct graph_value_info *want,
		    const struct cli_image_options *image, struct graph_tensor *out);
/** cli_tensor_check() - type and shape against what the model declares; names input and file. */
int cli_tensor_check(const struct graph_tensor *t, const struct graph_value_info *want,
		     const char *from);
int cli_npy_read(const void *bytes, size_t size, struct graph_tensor *out, struct base_err *err);
/** cli_tensor_random() - @want with unknown dims as 1, seeded normal values (integers 0..9). */
int cli_tensor_random(const struct graph_value_info *want, u64 seed, struct graph_tensor *out);
/** cli_shape_text() - "float32[1,3,224,224]" into @buf. */
const char *cli_shape_text(u32 dtype, u32 rank, const s64 *dims, char *buf, size_t size);
/** cli_element() - element @i as a double; any type the project knows. */
double cli_element(u32 dtype, const void *data, u64 i);

/* Grey or RGB pixels, 8 bit, rows top down. */
struct cli_image {
	u32 width, height, channels; /* channels 1 or 3 */
	u8 *pixels;
};

/** cli_image_decode() - PNG (any kind, reduced to 8 bit) or PGM (P2, P5) */
int cli_image_decode(const struct cli_file *file, u32 channels, struct cli_image *out,
		     struct base_err *err);
/** cli_image_to_tensor() - resize to @want's H x W and scale to its type. */
int cli_image_to_tensor(const struct cli_image *image, const struct graph_value_info *want,
			const struct cli_image_options *opts, struct graph_tensor *out,
			struct base_err *err);
/** cli_image_show() - draw it with characters: grey blocks on a terminal, ASCII elsewhere. */
void cli_image_show(const struct cli_image *image);
/** cli_image_channels() - channels of an image-shaped input, 0 if @want is not image-shaped. */
u32 cli_image_channels(const struct graph_value_info *want);

/* --- compare.c ---------------------------------------------------------------------------- */

#define CLI_RTOL 1e-3 /* ONNX's own test runner */
#define CLI_ATOL 1e-7

struct cli_compare {
	bool ok;
	u64 nr, nr_bad;
	u64 worst; /* element with the largest excess over the tolerance, or largest difference */
	double got, expected, max_abs;
	char why[160]; /* shape or type disagreement; empty otherwise */
};

void cli_compare(const struct graph_tensor *expected, u32 dtype, u32 rank, const u32 *dims,
		 const void *data, struct cli_compare *out);
/** cli_index_text() - element number to "[0,3,17]". */
const char *cli_index_text(u64 i, u32 rank, const u32 *dims, char *buf, size_t size);

/* --- print.c ------------------------------------------------------------------------------ */

/** cli_print_output() - a short view of an output tensor: top-k for class vectors. */
void cli_print_output(const struct npu_tensor_info *info, const void *data, char *const *labels,
		      u32 nr_labels);
/** cli_json_string() - @s quoted and escaped on stdout. */
void cli_json_string(const char *s);
/** cli_top() - indices of the @k largest elements, largest first; returns how many. */
u32 cli_top(u32 dtype, const void *data, u64 nr, u32 *idx, u32 k);
/** cli_is_class_vector() - is this [N] or [1, ..., N] floats, N >= 2? */
bool cli_is_class_vector(const struct npu_tensor_info *info);

/* --- progress.c --------------------------------------------------------------------------- */

/** cli_progress_start() - after a second, shows "what ..." with seconds on a terminal's stderr. */
void cli_progress_start(const char *what);
void cli_progress_stop(void);

double cli_ms_since(u64 start_ns);

#endif
