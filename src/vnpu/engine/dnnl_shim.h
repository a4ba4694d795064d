/* SPDX-License-Identifier: MIT */
/*
 * oneDNN as the engine uses it: f32, inference, one engine and one stream.  What the 2.x and the
 * 3.x API do differently is decided here, at compile time, and nowhere else.
 *
 * Functions return 0, -ENOMEM, or -EOPNOTSUPP when the library has no implementation.  Memory
 * descriptors belong to the context; NULL stands for "no memory".
 */
#ifndef VNPU_ENGINE_DNNL_SHIM_H
#define VNPU_ENGINE_DNNL_SHIM_H

#include <dnnl.h>

#include "base/base.h"

struct dnn_md {
	struct dnn_md *next;
	dnnl_memory_desc_t d; /* 2.x: the description itself; 3.x: a handle */
};

struct dnn_ctx {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct dnn_md *mds;
};

int dnn_ctx_init(struct dnn_ctx *ctx) BASE_WARN_UNUSED;
/** dnn_ctx_drop_mds() - all descriptors; memory and primitives made of them stay. */
void dnn_ctx_drop_mds(struct dnn_ctx *ctx);
void dnn_ctx_fini(struct dnn_ctx *ctx);

/* Row-major; any rank up to 12, 0 is described as one element. */
const struct dnn_md *dnn_md_dense(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims);
const struct dnn_md *dnn_md_strided(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims,
				    const dnnl_dim_t *strides);
/* Whatever the primitive likes best. */
const struct dnn_md *dnn_md_any(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims);
const struct dnn_md *dnn_md_tag(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims,
				dnnl_format_tag_t tag);
/* What a primitive chose; an empty description where it has no such argument. */
const struct dnn_md *dnn_md_of(struct dnn_ctx *ctx, const_dnnl_primitive_desc_t pd, int arg);
bool dnn_md_is_equal(const struct dnn_md *a, const struct dnn_md *b);
u64 dnn_md_size(const struct dnn_md *md);
/** dnn_memory() - memory of that description, at no address yet. */
int dnn_memory(struct dnn_ctx *ctx, const struct dnn_md *md, dnnl_memory_t *out) BASE_WARN_UNUSED;

#define DNN_MAX_POST 4u

enum dnn_post_kind { DNN_POST_SUM, DNN_POST_ELTWISE, DNN_POST_BINARY };

struct dnn_post_op {
	enum dnn_post_kind kind;
	dnnl_alg_kind_t alg;	 /* ELTWISE, BINARY */
	float alpha, beta;	 /* ELTWISE */
	const struct dnn_md *md; /* BINARY */
};

struct dnn_post {
	u32 nr;
	struct dnn_post_op op[DNN_MAX_POST];
};

struct dnn_conv {				     /* also of a pool, which has no weights */
	const struct dnn_md *src, *wei, *bias, *dst; /* bias may be NULL */
	dnnl_dims_t stride, dilate, pad_l, pad_r;    /* dilate 0 = dense */
	dnnl_dims_t kernel;			     /* pool */
};

int dnn_pd_conv(struct dnn_ctx *ctx, const struct dnn_conv *c, const struct dnn_post *post,
		dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_deconv(struct dnn_ctx *ctx, const struct dnn_conv *c, const struct dnn_post *post,
		  dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_pool(struct dnn_ctx *ctx, dnnl_alg_kind_t alg, const struct dnn_conv *c,
		dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_matmul(struct dnn_ctx *ctx, const struct dnn_conv *c, const struct dnn_post *post,
		  dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_eltwise(struct dnn_ctx *ctx, const struct dnn_post_op *f, const struct dnn_md *md,
		   dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_binary(struct dnn_ctx *ctx, dnnl_alg_kind_t alg, const struct dnn_md *a,
		  const struct dnn_md *b, const struct dnn_md *dst, const struct dnn_post *post,
		  dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_softmax(struct dnn_ctx *ctx, const struct dnn_md *md, u32 axis, bool is_log,
		   dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
/* With DNNL_ARG_SCALE and DNNL_ARG_SHIFT, statistics as arguments. */
int dnn_pd_batch_norm(struct dnn_ctx *ctx, const struct dnn_md *md, float epsilon,
		      dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_lrn(struct dnn_ctx *ctx, const struct dnn_md *md, u32 size, float alpha, float beta,
	       float bias, dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_concat(struct dnn_ctx *ctx, u32 axis, const struct dnn_md *const *src, u32 nr,
		  const struct dnn_md *dst, dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;
int dnn_pd_reorder(struct dnn_ctx *ctx, const struct dnn_md *src, const struct dnn_md *dst,
		   dnnl_primitive_desc_t *out) BASE_WARN_UNUSED;

/** dnn_eltwise() - @kind (enum abi_unary) as oneDNN's function; false when it has none that agrees
 * with src/kernels to the last digits that matter. */
bool dnn_eltwise(u32 kind, float a, float b, struct dnn_post_op *out);

/** dnn_info() - name of the implementation, valid as long as @pd; dnn_is_ref(): a reference? */
const char *dnn_info(const_dnnl_primitive_desc_t pd);
bool dnn_is_ref(const char *info);
/** dnn_status() - as negative errno. */
int dnn_status(dnnl_status_t status) BASE_WARN_UNUSED;

#endif
