/* SPDX-License-Identifier: MIT */
/*
 * graph: ONNX models to programs.  Bytes in, program out: no device, no global state, no file
 * access of its own.  Different models may be used from different threads at the same time; one
 * model from one thread at a time.
 */
#ifndef NPU_GRAPH_H
#define NPU_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GRAPH_MAX_RANK 8

struct graph_model;

struct graph_error {
	int code;	/* negative errno */
	char text[500]; /* names model part, node, operator, opset; says what to do */
};

/* A tensor's element type: ONNX TensorProto.DataType numbers (1 float32, 7 int64, ...). */
struct graph_value_info {
	const char *name; /* owned by the model or program */
	uint32_t dtype;	  /* 0: not known */
	uint32_t rank;	  /* 0 with is_rank_known = false: not known */
	bool is_rank_known;
	bool is_optional;		       /* an input that has a default (initializer) */
	int64_t dims[GRAPH_MAX_RANK];	       /* -1: not known before compile */
	const char *dim_names[GRAPH_MAX_RANK]; /* "batch"; NULL where none */
};

/*
 * Where external data comes from: fills *data with @length bytes (0: to the end) at @offset of
 * @location.  The library has refused absolute and parent-relative names already.  The memory must
 * stay valid until the model is closed.  0 or a negative errno.
 */
struct graph_external {
	int (*load)(void *opaque, const char *location, uint64_t offset, uint64_t length,
		    const void **data, uint64_t *size);
	void *opaque;
};

/**
 * graph_model_open() - read an ONNX model
 * @bytes: the file, any alignment; must stay in place and unchanged until the model is closed
 *         (weights are not copied)
 * @external: NULL: a model with external data is refused
 *
 * Return: 0, -EINVAL (malformed; where), -EOPNOTSUPP (a format feature not supported), -ENOMEM.
 */
int graph_model_open(const void *bytes, size_t size, const struct graph_external *external,
		     struct graph_model **out, struct graph_error *err);
void graph_model_close(struct graph_model *model);

unsigned graph_model_nr_inputs(const struct graph_model *model); /* without initializers */
unsigned graph_model_nr_outputs(const struct graph_model *model);
int graph_model_input(const struct graph_model *model, unsigned i, struct graph_value_info *out);
int graph_model_output(const struct graph_model *model, unsigned i, struct graph_value_info *out);
/** graph_model_input_is_shape() - does input @i's value decide a shape (or another attribute)?
 * Then its data must be bound at compile time. */
bool graph_model_input_is_shape(const struct graph_model *model, unsigned i);

struct graph_node_info { /* for listings */
	const char *op_type, *domain, *name;
	int opset;
	unsigned nr_inputs, nr_outputs;
	bool is_supported;  /* operator and version known; types and shapes are found at compile */
	const char *reason; /* why not */
};
unsigned graph_model_nr_nodes(const struct graph_model *model);
int graph_model_node(const struct graph_model *model, unsigned i, struct graph_node_info *out);
/** graph_model_summary() - "IR 8, opset 13, producer x" into @buf. */
void graph_model_summary(const struct graph_model *model, char *buf, size_t size);

struct graph_bind { /* what is known about input @input at compile time */
	unsigned input;
	uint32_t dtype; /* 0: as the model says */
	uint32_t rank;
	int64_t dims[GRAPH_MAX_RANK];
	const void *data; /* NULL, or the value: dense, little-endian; used as a constant when the
			   * input decides a shape */
	size_t size;	  /* bytes of @data */
};

struct graph_options {
	bool no_fold; /* keep constant operations */
	bool no_fuse; /* one operation per node */
	/* What folding constants may cost, in bytes made and elements worked on; 0: 2 GiB.  Beyond
	 * it operations stay in the program. */
	uint64_t max_fold_bytes;
};

struct graph_stats {
	unsigned nr_nodes, nr_ops, nr_folded, nr_fused;
	uint64_t weights_bytes, arena_bytes, arena_sum_bytes; /* sum: without reuse */
};

/**
 * graph_compile() - bind shapes, infer, fold, fuse, plan memory, write the program
 * @binds:   @nr_binds entries, at most one per input; inputs with unknown dims need one
 * @program: malloc()ed image (include/npu/npu.h runs it); free with graph_free()
 *
 * A bound input that decides a shape stays an input of the program (so that callers need not
 * care), but its value no longer matters.
 *
 * Return: 0, -EINVAL (shapes do not fit, missing binding, bad model), -EOPNOTSUPP (names every
 * unsupported operator's node, opset, reason: the first in @err, all by graph_model_node()),
 * -ENOMEM, -E2BIG (limits).
 */
int graph_compile(struct graph_model *model, const struct graph_bind *binds, unsigned nr_binds,
		  const struct graph_options *options, void **program, size_t *program_size,
		  struct graph_stats *stats, struct graph_error *err);
void graph_free(void *program);

/* TensorProto files (ONNX data sets).  The value is decoded into malloc()ed dense memory. */
struct graph_tensor {
	char *name; /* "" if none */
	uint32_t dtype, rank;
	int64_t dims[GRAPH_MAX_RANK];
	void *data;
	size_t size;
};
int graph_tensor_read(const void *bytes, size_t size, struct graph_tensor *out,
		      struct graph_error *err);
/** graph_tensor_write() - a TensorProto image of @tensor; free with graph_free(). */
int graph_tensor_write(const struct graph_tensor *tensor, void **bytes, size_t *size);
void graph_tensor_fini(struct graph_tensor *tensor);

#ifdef __cplusplus
}
#endif

#endif
