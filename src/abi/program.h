/* SPDX-License-Identifier: MIT */
/*
 * The program: a self-contained, position-independent image of operations on tensors.
 * Written by src/graph, executed by the virtual NPU's engine, checked completely by whoever loads
 * it (abi_prog_open() for the structure, kern_prog_check() for the meaning).
 *
 *   header | sections, each 64-byte aligned, in any order, none overlapping the header
 *
 *   TENSORS   struct abi_prog_tensor[]
 *   OPS       struct abi_prog_op[], executed in this order
 *   OPERANDS  u32[]: tensor indices; an op's inputs, then its outputs
 *   ATTRS     attribute structures, 8-byte aligned
 *   NAMES     NUL-terminated UTF-8 strings; offset 0 is the empty string
 *   WEIGHTS   constant data; each constant 64-byte aligned
 *
 * Tensors are dense, row-major, little-endian.  Every tensor is written before it is read
 * (constants and inputs are written before the first operation); nothing writes a constant or an
 * input.  Writing an alias writes its base, and a base that was written makes its aliases readable;
 * an alias of a constant or an input is never written.  An operation's outputs share no byte with
 * its other operands (UNARY and COPY may work exactly in place).  All numbers are checked against
 * the image's real size before use: a hostile program can fail, not escape.
 *
 * SRC: design section 7.  This format is ours.
 */
#ifndef ABI_PROGRAM_H
#define ABI_PROGRAM_H

#include <assert.h>
#include <stddef.h>

#include "base/base.h"

#define ABI_PROG_MAGIC	       0x4750504Eu /* "NPPG" */
#define ABI_PROG_VERSION_MAJOR 1u	   /* another major version is refused */
#define ABI_PROG_VERSION_MINOR 0u	   /* a higher minor version is refused too: no guessing */
#define ABI_PROG_ALIGN	       64u

#define ABI_MAX_RANK	    8u
#define ABI_MAX_SPATIAL	    3u
#define ABI_MAX_OPERANDS    255u
#define ABI_MAX_OUTPUTS	    2u
#define ABI_MAX_TENSORS	    (1u << 20)
#define ABI_MAX_TENSOR_SIZE (UINT64_C(1) << 36) /* bytes */
#define ABI_MAX_ARENA_SIZE  (UINT64_C(1) << 36)

#define ABI_TENSOR_NONE 0xFFFFFFFFu /* an omitted optional operand */

enum abi_dtype { /* values of ONNX TensorProto.DataType, so that no mapping is needed */
		 ABI_F32 = 1,
		 ABI_U8 = 2,
		 ABI_S8 = 3,
		 ABI_U16 = 4,
		 ABI_S16 = 5,
		 ABI_S32 = 6,
		 ABI_S64 = 7,
		 ABI_BOOL = 9, /* one byte, 0 or 1 */
		 ABI_F16 = 10,
		 ABI_F64 = 11,
		 ABI_U32 = 12,
		 ABI_U64 = 13,
};

enum abi_precision {
	ABI_PREC_F32 = 0, /* exact: each tensor is stored in its own type */
};

enum abi_section_id {
	ABI_SEC_TENSORS,
	ABI_SEC_OPS,
	ABI_SEC_OPERANDS,
	ABI_SEC_ATTRS,
	ABI_SEC_NAMES,
	ABI_SEC_WEIGHTS,
	ABI_NR_SECTIONS,
};

struct abi_section {
	u64 off; /* from the start of the image */
	u64 size;
};

struct abi_prog_header {
	u32 magic;
	u16 version_major;
	u16 version_minor;
	u64 size;	  /* of the whole image */
	u64 content_hash; /* base_hash64() of everything after the header, seed 0 */
	u32 precision;	  /* enum abi_precision */
	u32 flags;	  /* 0 */
	u32 nr_inputs;	  /* binding i < nr_inputs is input i */
	u32 nr_outputs;	  /* binding nr_inputs + j is output j */
	u64 arena_size;	  /* bytes the invocation must supply; multiple of 64 */
	u32 producer;	  /* offset in NAMES */
	u32 reserved[3];
	struct abi_section sec[ABI_NR_SECTIONS];
	u8 pad[32];
};

static_assert(sizeof(struct abi_prog_header) == 192, "program header");
static_assert(offsetof(struct abi_prog_header, sec) == 64, "sections");

enum abi_tensor_kind {
	ABI_TENSOR_CONST = 1,  /* off: in WEIGHTS */
	ABI_TENSOR_INPUT = 2,  /* off: input number */
	ABI_TENSOR_OUTPUT = 3, /* off: output number */
	ABI_TENSOR_ARENA = 4,  /* off: in the arena, multiple of 64 */
	ABI_TENSOR_ALIAS =
		5, /* off: index of an earlier tensor with the same bytes, not an alias */
};

struct abi_prog_tensor {
	u8 kind;  /* enum abi_tensor_kind */
	u8 dtype; /* enum abi_dtype */
	u8 rank;  /* 0 .. ABI_MAX_RANK */
	u8 pad0;
	u32 name; /* offset in NAMES */
	u64 off;
	u64 size; /* bytes: product of dims times element size */
	u32 dims[ABI_MAX_RANK];
	u8 pad1[8];
};

static_assert(sizeof(struct abi_prog_tensor) == 64, "program tensor");

struct abi_prog_op {
	u16 code; /* enum abi_op */
	u8 nr_in;
	u8 nr_out;
	u32 name;      /* offset in NAMES: the ONNX node(s) it stands for */
	u32 operand;   /* first index in OPERANDS */
	u32 attr;      /* offset in ATTRS, multiple of 8 */
	u32 attr_size; /* exactly the size of this code's attribute structure, or 0 */
	u32 reserved[3];
};

static_assert(sizeof(struct abi_prog_op) == 32, "program op");

/*
 * Operations.  Inputs in brackets may be ABI_TENSOR_NONE or left off at the end.  Shape rules are
 * kern_infer()'s; arithmetic is src/kernels'.
 */
enum abi_op {
	ABI_OP_UNARY = 1,	    /* x -> y                     struct abi_attr_unary */
	ABI_OP_BINARY = 2,	    /* a, b -> y (broadcast)      struct abi_attr_binary */
	ABI_OP_SELECT = 3,	    /* cond, a, b -> y (broadcast) none */
	ABI_OP_CAST = 4,	    /* x -> y                     struct abi_attr_cast */
	ABI_OP_COPY = 5,	    /* x -> y, same bytes         struct abi_attr_shape: y's dims */
	ABI_OP_TRANSPOSE = 6,	    /* x -> y                     struct abi_attr_transpose */
	ABI_OP_CONCAT = 7,	    /* x... -> y                  struct abi_attr_axis */
	ABI_OP_SLICE = 8,	    /* x -> y                     struct abi_attr_slice */
	ABI_OP_PAD = 9,		    /* x, [value scalar] -> y     struct abi_attr_pad */
	ABI_OP_GATHER = 10,	    /* x, idx (s32|s64) -> y      struct abi_attr_axis */
	ABI_OP_EXPAND = 11,	    /* x -> y (broadcast to)      struct abi_attr_shape */
	ABI_OP_TILE = 12,	    /* x -> y                     struct abi_attr_shape: repeats */
	ABI_OP_REDUCE = 13,	    /* x -> y                     struct abi_attr_reduce */
	ABI_OP_ARG = 14,	    /* x -> y (s64)               struct abi_attr_arg */
	ABI_OP_SOFTMAX = 15,	    /* x -> y                     struct abi_attr_softmax */
	ABI_OP_CONV = 16,	    /* x, w, [bias], [residual] -> y   struct abi_attr_conv */
	ABI_OP_CONV_TRANSPOSE = 17, /* x, w, [bias] -> y         struct abi_attr_conv */
	ABI_OP_POOL = 18,	    /* x -> y, [indices s64]      struct abi_attr_pool */
	ABI_OP_MATMUL = 19,	    /* a, b, [bias] -> y          struct abi_attr_matmul */
	ABI_OP_BATCH_NORM = 20,	    /* x, scale, bias, mean, var -> y  struct abi_attr_norm */
	ABI_OP_INSTANCE_NORM = 21,  /* x, scale, bias -> y        struct abi_attr_norm */
	ABI_OP_LRN = 22,	    /* x -> y                     struct abi_attr_lrn */
	ABI_NR_OPS,
};

/* f(x); a, b, c as the comment says.  Float types unless noted. */
enum abi_unary {
	ABI_UNARY_NONE = 0,   /* identity: as an activation, "none" */
	ABI_UNARY_RELU = 1,   /* any numeric type */
	ABI_UNARY_CLIP = 2,   /* min(max(x, a), b) */
	ABI_UNARY_LEAKY_RELU, /* x < 0 ? a x : x */
	ABI_UNARY_ELU,	      /* x < 0 ? a (e^x - 1) : x */
	ABI_UNARY_SELU,	      /* b (x > 0 ? x : a (e^x - 1)) */
	ABI_UNARY_SIGMOID,
	ABI_UNARY_HARD_SIGMOID, /* clip(a x + b, 0, 1) */
	ABI_UNARY_HARD_SWISH,	/* x clip(x / 6 + 1/2, 0, 1) */
	ABI_UNARY_SWISH,	/* x sigmoid(a x) */
	ABI_UNARY_TANH,
	ABI_UNARY_SOFTPLUS,
	ABI_UNARY_SOFTSIGN,
	ABI_UNARY_ERF,
	ABI_UNARY_EXP,
	ABI_UNARY_LOG,
	ABI_UNARY_SQRT,
	ABI_UNARY_RECIPROCAL,
	ABI_UNARY_SIN,
	ABI_UNARY_COS,
	ABI_UNARY_TAN,
	ABI_UNARY_CEIL,
	ABI_UNARY_FLOOR,
	ABI_UNARY_ROUND, /* half to even */
	ABI_UNARY_ABS,	 /* any numeric type */
	ABI_UNARY_NEG,	 /* any signed type */
	ABI_UNARY_SIGN,	 /* any numeric type */
	ABI_UNARY_NOT,	 /* bool */
	ABI_NR_UNARY,
};

struct abi_act {
	u32 kind; /* enum abi_unary; NONE for no activation */
	float a, b;
	u32 pad;
};

struct abi_attr_unary {
	struct abi_act f;
};

enum abi_binary {
	ABI_BINARY_ADD = 1,
	ABI_BINARY_SUB,
	ABI_BINARY_MUL,
	ABI_BINARY_DIV, /* integers: towards zero; division by zero gives 0 */
	ABI_BINARY_POW, /* y has a's type; b may be of another numeric type */
	ABI_BINARY_MIN,
	ABI_BINARY_MAX,
	ABI_BINARY_PRELU, /* a < 0 ? a b : a */
	ABI_BINARY_AND,	  /* bool -> bool */
	ABI_BINARY_OR,
	ABI_BINARY_XOR,
	ABI_BINARY_EQ, /* any -> bool */
	ABI_BINARY_LT,
	ABI_BINARY_LE,
	ABI_BINARY_GT,
	ABI_BINARY_GE,
	ABI_NR_BINARY,
};

struct abi_attr_binary {
	u32 kind; /* enum abi_binary */
	u32 pad;
	struct abi_act act; /* applied to the result */
};

struct abi_attr_cast {
	u32 to; /* enum abi_dtype */
	u32 pad;
};

struct abi_attr_shape {
	u32 rank;
	u32 pad;
	u32 dims[ABI_MAX_RANK];
};

struct abi_attr_transpose {
	u32 perm[ABI_MAX_RANK]; /* y axis i is x axis perm[i]; entries past the rank are 0 */
};

struct abi_attr_axis {
	u32 axis;
	u32 pad;
};

struct abi_attr_slice { /* y[i] = x[start + i step], per axis; count elements; entries past rank 0 */
	u32 count[ABI_MAX_RANK];
	s64 start[ABI_MAX_RANK];
	s64 step[ABI_MAX_RANK]; /* not 0 */
};

enum abi_pad_mode { ABI_PAD_CONSTANT, ABI_PAD_REFLECT, ABI_PAD_EDGE };

struct abi_attr_pad { /* negative = crop */
	u32 mode;
	u32 pad;
	s64 begin[ABI_MAX_RANK];
	s64 end[ABI_MAX_RANK];
};

enum abi_reduce {
	ABI_REDUCE_SUM = 1,
	ABI_REDUCE_MEAN,
	ABI_REDUCE_MAX,
	ABI_REDUCE_MIN,
	ABI_REDUCE_PROD,
	ABI_REDUCE_L1,
	ABI_REDUCE_L2,
	ABI_REDUCE_LOG_SUM,
	ABI_REDUCE_LOG_SUM_EXP,
	ABI_REDUCE_SUM_SQUARE,
	ABI_NR_REDUCE,
};

struct abi_attr_reduce {
	u32 kind;
	u32 axes; /* bit i: axis i is reduced */
	u32 keep_dims;
	u32 pad;
};

struct abi_attr_arg {
	u32 is_max;
	u32 axis;
	u32 keep_dims;
	u32 select_last;
};

struct abi_attr_softmax {
	u32 axis;
	u32 is_log;
};

/* Axes 2.. of an [N, C, spatial...] tensor; entries past nr_spatial are 0. */
struct abi_window {
	u32 nr_spatial; /* 1 .. ABI_MAX_SPATIAL */
	u32 pad;
	u32 kernel[4];
	u32 stride[4];
	u32 dilation[4]; /* 1 = dense */
	u32 pad_begin[4];
	u32 pad_end[4];
};

struct abi_attr_conv {
	struct abi_window win;
	u32 group;
	u32 pad;
	u32 output_pad[4];  /* CONV_TRANSPOSE only */
	struct abi_act act; /* y = act(conv + bias + residual) */
};

enum abi_pool { ABI_POOL_MAX = 1, ABI_POOL_AVG = 2 };

struct abi_attr_pool {
	struct abi_window win;
	u32 kind;
	u32 count_include_pad; /* AVG */
	u32 ceil_mode;
	u32 column_major; /* MAX with indices: ONNX storage_order */
};

struct abi_attr_matmul {
	float alpha; /* y = act(alpha op(a) op(b) + beta bias); 1 for integers */
	float beta;
	u32 trans_a; /* last two axes; rank 2 only */
	u32 trans_b;
	struct abi_act act;
};

struct abi_attr_norm {
	float epsilon;
	u32 pad;
};

struct abi_attr_lrn {
	u32 size;
	float alpha, beta, bias;
};

/*
 * What INFERENCE_EXECUTE points to, in the job's address space: 64 bytes, then nr_bindings ranges,
 * inputs first, then outputs.
 */
#define ABI_INVOCATION_MAGIC   0x4956504Eu /* "NPVI" */
#define ABI_INVOCATION_VERSION 1u
#define ABI_MAX_BINDINGS       4096u

struct abi_range {
	u64 addr; /* NPU address; multiple of 64 for program and arena, any for bindings */
	u64 size;
};

struct abi_invocation {
	u32 magic;
	u32 version;
	u32 nr_bindings;
	u32 flags; /* 0 */
	struct abi_range program;
	struct abi_range arena;
	struct abi_range error; /* room for a struct abi_run_error; 0, 0: not wanted */
};

static_assert(sizeof(struct abi_invocation) == 64, "invocation");

/*
 * Why a run failed, written by the engine in addition to the job's status; untouched by a run that
 * succeeds.  The reader takes it for what somebody else wrote: abi_run_error_take().
 */
#define ABI_RUN_ERROR_MAGIC 0x4556504Eu /* "NPVE" */

struct abi_run_error {
	u32 magic;
	u32 op;	       /* the operation that failed; ABI_TENSOR_NONE: none of them */
	u32 errno_abs; /* a positive errno */
	u32 reserved;
	char text[112]; /* printable ASCII, NUL at the end */
};

static_assert(sizeof(struct abi_run_error) == 128, "run error");

void abi_run_error_fill(struct abi_run_error *e, int err, u32 op, const char *text);
/**
 * abi_run_error_take() - a checked copy of the record at @src
 *
 * What cannot be printed becomes '?', the text ends inside the record.
 * Return: false when there is no record, or one that names no operation of @nr_ops.
 */
bool abi_run_error_take(const void *src, u32 nr_ops, struct abi_run_error *out);

/* A program whose structure has been checked; pointers into the caller's image. */
struct abi_prog {
	const struct abi_prog_header *hdr;
	const struct abi_prog_tensor *tensors;
	u32 nr_tensors;
	const struct abi_prog_op *ops;
	u32 nr_ops;
	const u32 *operands;
	const u8 *attrs;
	const char *names;
	const u8 *weights;
	u64 weights_size;
};

/**
 * abi_prog_open() - check a program's structure and give access to its parts
 * @image: the whole image, 8-byte aligned; must stay in place and unchanged while @out is used
 * @size:  bytes available at @image; the header's size must equal it
 *
 * Checks header, version, content hash, section bounds, every tensor (kind, type, rank, size,
 * offset), every operand index, attribute sizes per op code, names (terminated), inputs and
 * outputs (each number exactly once), and that each tensor is written before it is read and each
 * output is written, and that no output overlaps another operand of its operation.  Reserved and
 * unused fields must be 0.  Not checked here: that shapes agree with what the operations compute
 * (kern_prog_check()).
 *
 * Return: 0, -EINVAL with @err naming what and where, or -ENOMEM.
 */
int abi_prog_open(const void *image, u64 size, struct abi_prog *out,
		  struct base_err *err) BASE_WARN_UNUSED;

/** abi_prog_input(), abi_prog_output() - tensor of input/output @i; @i below the header's count. */
const struct abi_prog_tensor *abi_prog_input(const struct abi_prog *prog, u32 i);
const struct abi_prog_tensor *abi_prog_output(const struct abi_prog *prog, u32 i);

/** abi_prog_name() - a name that was checked to be terminated. */
static inline const char *abi_prog_name(const struct abi_prog *prog, u32 name)
{
	return prog->names + name;
}

/** abi_dtype_size() - bytes of one element; 0 for an unknown type. */
u32 abi_dtype_size(u32 dtype);
/** abi_dtype_name() - ONNX's name ("float32", "int64"); "?" for an unknown type. */
const char *abi_dtype_name(u32 dtype);
/** abi_op_name(), abi_unary_name(), ... - for logs and listings; "?" when unknown. */
const char *abi_op_name(u32 code);
const char *abi_unary_name(u32 kind);
const char *abi_binary_name(u32 kind);
const char *abi_reduce_name(u32 kind);
/** abi_op_attr_size() - bytes of @code's attribute structure, 0 for none or an unknown code. */
u32 abi_op_attr_size(u32 code);

/**
 * abi_tensor_size() - product of dims times element size into @out; false on overflow or excess
 *
 * The limit holds for the product of the dims that are not 0: no stride of an empty tensor
 * overflows either.
 */
bool abi_tensor_size(u32 dtype, u32 rank, const u32 *dims, u64 *out);

#endif
