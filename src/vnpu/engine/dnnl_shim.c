// SPDX-License-Identifier: MIT
/*
 * The two APIs.  2.x describes an operation in a structure and makes primitive descriptors of it,
 * memory descriptors are plain structures; 3.x makes primitive descriptors directly and has opaque
 * memory descriptors.
 *
 * SRC: oneDNN's transition guide from 2.x to 3.x; O section 4.
 */
#include "vnpu/engine/dnnl_shim.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "abi/program.h"

#define IS_V3 (DNNL_VERSION_MAJOR >= 3)

#if IS_V3
typedef const_dnnl_memory_desc_t md_arg;
#else
typedef const dnnl_memory_desc_t *md_arg;
#endif

static md_arg arg_of(const struct dnn_md *md)
{
	if (!md)
		return NULL;
#if IS_V3
	return md->d;
#else
	return &md->d;
#endif
}

int dnn_status(dnnl_status_t status)
{
	if (status == dnnl_success)
		return 0;
	return status == dnnl_out_of_memory ? -ENOMEM : -EOPNOTSUPP;
}

/* --- context -------------------------------------------------------------------------------- */

int dnn_ctx_init(struct dnn_ctx *ctx)
{
	int ret;

	*ctx = (struct dnn_ctx){ .engine = NULL };
	ret = dnn_status(dnnl_engine_create(&ctx->engine, dnnl_cpu, 0));
	if (ret)
		return ret;
	ret = dnn_status(dnnl_stream_create(&ctx->stream, ctx->engine, dnnl_stream_default_flags));
	if (ret)
		dnnl_engine_destroy(ctx->engine);
	return ret;
}

void dnn_ctx_drop_mds(struct dnn_ctx *ctx)
{
	while (ctx->mds) {
		struct dnn_md *md = ctx->mds;

		ctx->mds = md->next;
#if IS_V3
		dnnl_memory_desc_destroy(md->d);
#endif
		base_free(md);
	}
}

void dnn_ctx_fini(struct dnn_ctx *ctx)
{
	dnn_ctx_drop_mds(ctx);
	dnnl_stream_destroy(ctx->stream);
	dnnl_engine_destroy(ctx->engine);
}

/* --- memory descriptors --------------------------------------------------------------------- */

/* Gives @md to the context, or drops it when the library refused to make it. */
static const struct dnn_md *adopt(struct dnn_ctx *ctx, struct dnn_md *md, dnnl_status_t status)
{
	if (status != dnnl_success) {
		base_free(md);
		return NULL;
	}
	md->next = ctx->mds;
	ctx->mds = md;
	return md;
}

const struct dnn_md *dnn_md_strided(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims,
				    const dnnl_dim_t *strides)
{
	struct dnn_md *md = base_zalloc(sizeof(*md));

	if (!md)
		return NULL;
#if IS_V3
	return adopt(
		ctx, md,
		dnnl_memory_desc_create_with_strides(&md->d, (int)rank, dims, dnnl_f32, strides));
#else
	return adopt(ctx, md,
		     dnnl_memory_desc_init_by_strides(&md->d, (int)rank, dims, dnnl_f32, strides));
#endif
}

const struct dnn_md *dnn_md_dense(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims)
{
	dnnl_dims_t strides;
	dnnl_dim_t step = 1;

	if (!rank) {
		strides[0] = 1;
		return dnn_md_strided(ctx, 1, strides, strides);
	}
	for (u32 i = rank; i-- > 0; step *= dims[i])
		strides[i] = step;
	return dnn_md_strided(ctx, rank, dims, strides);
}

const struct dnn_md *dnn_md_tag(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims,
				dnnl_format_tag_t tag)
{
	struct dnn_md *md = base_zalloc(sizeof(*md));

	if (!md)
		return NULL;
#if IS_V3
	return adopt(ctx, md,
		     dnnl_memory_desc_create_with_tag(&md->d, (int)rank, dims, dnnl_f32, tag));
#else
	return adopt(ctx, md, dnnl_memory_desc_init_by_tag(&md->d, (int)rank, dims, dnnl_f32, tag));
#endif
}

const struct dnn_md *dnn_md_any(struct dnn_ctx *ctx, u32 rank, const dnnl_dim_t *dims)
{
	return dnn_md_tag(ctx, rank, dims, dnnl_format_tag_any);
}

const struct dnn_md *dnn_md_of(struct dnn_ctx *ctx, const_dnnl_primitive_desc_t pd, int arg)
{
	struct dnn_md *md = base_zalloc(sizeof(*md));
	md_arg found = dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, arg);

	if (!md)
		return NULL;
#if IS_V3
	if (found)
		return adopt(ctx, md, dnnl_memory_desc_clone(&md->d, found));
	return adopt(ctx, md, dnnl_memory_desc_create_with_tag(&md->d, 0, NULL, dnnl_f32, 0));
#else
	if (found)
		md->d = *found;
	return adopt(ctx, md, dnnl_success);
#endif
}

bool dnn_md_is_equal(const struct dnn_md *a, const struct dnn_md *b)
{
	return dnnl_memory_desc_equal(arg_of(a), arg_of(b));
}

u64 dnn_md_size(const struct dnn_md *md)
{
	return dnnl_memory_desc_get_size(arg_of(md));
}

int dnn_memory(struct dnn_ctx *ctx, const struct dnn_md *md, dnnl_memory_t *out)
{
	return dnn_status(dnnl_memory_create(out, arg_of(md), ctx->engine, DNNL_MEMORY_NONE));
}

/* --- attributes ----------------------------------------------------------------------------- */

static dnnl_status_t append_post(dnnl_post_ops_t ops, const struct dnn_post_op *p)
{
	switch (p->kind) {
	case DNN_POST_SUM:
#if IS_V3
		return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
#else
		return dnnl_post_ops_append_sum(ops, 1.0f);
#endif
	case DNN_POST_ELTWISE:
#if IS_V3
		return dnnl_post_ops_append_eltwise(ops, p->alg, p->alpha, p->beta);
#else
		return dnnl_post_ops_append_eltwise(ops, 1.0f, p->alg, p->alpha, p->beta);
#endif
	case DNN_POST_BINARY:
		break;
	}
	return dnnl_post_ops_append_binary(ops, p->alg, arg_of(p->md));
}

static dnnl_status_t set_post(dnnl_primitive_attr_t attr, const struct dnn_post *post)
{
	dnnl_status_t st;
	dnnl_post_ops_t ops;

	if (!post || !post->nr)
		return dnnl_success;
	st = dnnl_post_ops_create(&ops);
	if (st != dnnl_success)
		return st;
	for (u32 i = 0; st == dnnl_success && i < post->nr; i++)
		st = append_post(ops, &post->op[i]);
	if (st == dnnl_success)
		st = dnnl_primitive_attr_set_post_ops(attr, ops);
	dnnl_post_ops_destroy(ops);
	return st;
}

/* User mode: one scratchpad for all primitives, which run one after the other. */
static int make_attr(const struct dnn_post *post, dnnl_primitive_attr_t *out)
{
	dnnl_status_t st = dnnl_primitive_attr_create(out);

	if (st != dnnl_success)
		return dnn_status(st);
	st = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
	if (st == dnnl_success)
		st = set_post(*out, post);
	if (st != dnnl_success)
		dnnl_primitive_attr_destroy(*out);
	return dnn_status(st);
}

/* --- primitive descriptors ------------------------------------------------------------------ */

/*
 * make_pd(OUT, CTX, POST, KIND, ...): 2.x fills a dnnl_KIND_desc_t, 3.x makes the descriptor, both
 * of the same arguments after the library's own.
 */
#if IS_V3
#define make_pd(ret, out, ctx, post, kind2, init2, create3, ...)                           \
	do {                                                                               \
		dnnl_primitive_attr_t attr_;                                               \
		ret = make_attr(post, &attr_);                                             \
		if (!ret) {                                                                \
			ret = dnn_status(create3(out, (ctx)->engine, __VA_ARGS__, attr_)); \
			dnnl_primitive_attr_destroy(attr_);                                \
		}                                                                          \
	} while (0)
#else
static int pd_of_desc(struct dnn_ctx *ctx, const void *desc, const struct dnn_post *post,
		      dnnl_primitive_desc_t *out)
{
	dnnl_primitive_attr_t attr;
	int ret = make_attr(post, &attr);

	if (ret)
		return ret;
	ret = dnn_status(dnnl_primitive_desc_create(out, desc, attr, ctx->engine, NULL));
	dnnl_primitive_attr_destroy(attr);
	return ret;
}

#define make_pd(ret, out, ctx, post, kind2, init2, create3, ...)  \
	do {                                                      \
		kind2 desc_;                                      \
		ret = dnn_status(init2(&desc_, __VA_ARGS__));     \
		if (!ret)                                         \
			ret = pd_of_desc(ctx, &desc_, post, out); \
	} while (0)
#endif

int dnn_pd_conv(struct dnn_ctx *ctx, const struct dnn_conv *c, const struct dnn_post *post,
		dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, post, dnnl_convolution_desc_t,
		dnnl_dilated_convolution_forward_desc_init,
		dnnl_convolution_forward_primitive_desc_create, dnnl_forward_inference,
		dnnl_convolution_direct, arg_of(c->src), arg_of(c->wei), arg_of(c->bias),
		arg_of(c->dst), c->stride, c->dilate, c->pad_l, c->pad_r);
	return ret;
}

int dnn_pd_deconv(struct dnn_ctx *ctx, const struct dnn_conv *c, const struct dnn_post *post,
		  dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, post, dnnl_deconvolution_desc_t,
		dnnl_dilated_deconvolution_forward_desc_init,
		dnnl_deconvolution_forward_primitive_desc_create, dnnl_forward_inference,
		dnnl_deconvolution_direct, arg_of(c->src), arg_of(c->wei), arg_of(c->bias),
		arg_of(c->dst), c->stride, c->dilate, c->pad_l, c->pad_r);
	return ret;
}

int dnn_pd_pool(struct dnn_ctx *ctx, dnnl_alg_kind_t alg, const struct dnn_conv *c,
		dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, NULL, dnnl_pooling_v2_desc_t, dnnl_pooling_v2_forward_desc_init,
		dnnl_pooling_forward_primitive_desc_create, dnnl_forward_inference, alg,
		arg_of(c->src), arg_of(c->dst), c->stride, c->kernel, c->dilate, c->pad_l,
		c->pad_r);
	return ret;
}

int dnn_pd_matmul(struct dnn_ctx *ctx, const struct dnn_conv *c, const struct dnn_post *post,
		  dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, post, dnnl_matmul_desc_t, dnnl_matmul_desc_init,
		dnnl_matmul_primitive_desc_create, arg_of(c->src), arg_of(c->wei), arg_of(c->bias),
		arg_of(c->dst));
	return ret;
}

int dnn_pd_binary(struct dnn_ctx *ctx, dnnl_alg_kind_t alg, const struct dnn_md *a,
		  const struct dnn_md *b, const struct dnn_md *dst, const struct dnn_post *post,
		  dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, post, dnnl_binary_desc_t, dnnl_binary_desc_init,
		dnnl_binary_primitive_desc_create, alg, arg_of(a), arg_of(b), arg_of(dst));
	return ret;
}

/* 2.x describes source and destination at once where 3.x wants both. */
#if IS_V3
#define SAME(md) arg_of(md), arg_of(md)
#else
#define SAME(md) arg_of(md)
#endif

int dnn_pd_eltwise(struct dnn_ctx *ctx, const struct dnn_post_op *f, const struct dnn_md *md,
		   dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, NULL, dnnl_eltwise_desc_t, dnnl_eltwise_forward_desc_init,
		dnnl_eltwise_forward_primitive_desc_create, dnnl_forward_inference, f->alg,
		SAME(md), f->alpha, f->beta);
	return ret;
}

int dnn_pd_softmax(struct dnn_ctx *ctx, const struct dnn_md *md, u32 axis, bool is_log,
		   dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, NULL, dnnl_softmax_v2_desc_t, dnnl_softmax_v2_forward_desc_init,
		dnnl_softmax_forward_primitive_desc_create, dnnl_forward_inference,
		is_log ? dnnl_softmax_log : dnnl_softmax_accurate, arg_of(md), arg_of(md),
		(int)axis);
	return ret;
}

int dnn_pd_batch_norm(struct dnn_ctx *ctx, const struct dnn_md *md, float epsilon,
		      dnnl_primitive_desc_t *out)
{
	const unsigned flags = dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift;
	int ret;

	make_pd(ret, out, ctx, NULL, dnnl_batch_normalization_desc_t,
		dnnl_batch_normalization_forward_desc_init,
		dnnl_batch_normalization_forward_primitive_desc_create, dnnl_forward_inference,
		SAME(md), epsilon, flags);
	return ret;
}

int dnn_pd_lrn(struct dnn_ctx *ctx, const struct dnn_md *md, u32 size, float alpha, float beta,
	       float bias, dnnl_primitive_desc_t *out)
{
	int ret;

	make_pd(ret, out, ctx, NULL, dnnl_lrn_desc_t, dnnl_lrn_forward_desc_init,
		dnnl_lrn_forward_primitive_desc_create, dnnl_forward_inference,
		dnnl_lrn_across_channels, SAME(md), (dnnl_dim_t)size, alpha, beta, bias);
	return ret;
}

int dnn_pd_concat(struct dnn_ctx *ctx, u32 axis, const struct dnn_md *const *src, u32 nr,
		  const struct dnn_md *dst, dnnl_primitive_desc_t *out)
{
	dnnl_primitive_attr_t attr;
	int ret;

#if IS_V3
	const_dnnl_memory_desc_t *list = base_alloc_array(nr, sizeof(*list));
#else
	dnnl_memory_desc_t *list = base_alloc_array(nr, sizeof(*list));
#endif
	if (!list)
		return -ENOMEM;
	for (u32 i = 0; i < nr; i++)
		list[i] = src[i]->d;
	ret = make_attr(NULL, &attr);
	if (ret)
		goto out_free;
#if IS_V3
	ret = dnn_status(dnnl_concat_primitive_desc_create(out, ctx->engine, arg_of(dst), (int)nr,
							   (int)axis, list, attr));
#else
	ret = dnn_status(dnnl_concat_primitive_desc_create(out, arg_of(dst), (int)nr, (int)axis,
							   list, attr, ctx->engine));
#endif
	dnnl_primitive_attr_destroy(attr);
out_free:
	base_free(list);
	return ret;
}

int dnn_pd_reorder(struct dnn_ctx *ctx, const struct dnn_md *src, const struct dnn_md *dst,
		   dnnl_primitive_desc_t *out)
{
	dnnl_primitive_attr_t attr;
	int ret = make_attr(NULL, &attr);

	if (ret)
		return ret;
	ret = dnn_status(dnnl_reorder_primitive_desc_create(out, arg_of(src), ctx->engine,
							    arg_of(dst), ctx->engine, attr));
	dnnl_primitive_attr_destroy(attr);
	return ret;
}

/* --- functions ------------------------------------------------------------------------------ */

/*
 * Only functions whose approximation is good to about 1e-6 of the value everywhere; logarithm,
 * error function and softplus lose digits near their zeros and stay with src/kernels.
 */
bool dnn_eltwise(u32 kind, float a, float b, struct dnn_post_op *out)
{
	*out = (struct dnn_post_op){ .kind = DNN_POST_ELTWISE };
	switch (kind) {
	case ABI_UNARY_RELU:
		out->alg = dnnl_eltwise_relu;
		return true;
	case ABI_UNARY_LEAKY_RELU:
		out->alg = dnnl_eltwise_relu;
		out->alpha = a;
		return true;
	case ABI_UNARY_CLIP:
		out->alg = dnnl_eltwise_clip;
		out->alpha = a;
		out->beta = b;
		return a <= b; /* the other order is ours alone, and NaN nobody's */
	case ABI_UNARY_SIGMOID:
		out->alg = dnnl_eltwise_logistic;
		return true;
	case ABI_UNARY_TANH:
		out->alg = dnnl_eltwise_tanh;
		return true;
	case ABI_UNARY_SWISH:
		out->alg = dnnl_eltwise_swish;
		out->alpha = a;
		return true;
	case ABI_UNARY_HARD_SWISH:
		out->alg = dnnl_eltwise_hardswish;
		out->alpha = 1.0f / 6; /* 2.x ignores both */
		out->beta = 0.5f;
		return true;
	case ABI_UNARY_EXP:
		out->alg = dnnl_eltwise_exp;
		return true;
	case ABI_UNARY_ABS:
		out->alg = dnnl_eltwise_abs;
		return true;
	case ABI_UNARY_SQRT:
		out->alg = dnnl_eltwise_sqrt;
		return true;
	default:
		return false;
	}
}

/* --- information ---------------------------------------------------------------------------- */

const char *dnn_info(const_dnnl_primitive_desc_t pd)
{
	const char *info = NULL;

	if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &info) != dnnl_success ||
	    !info)
		return "unknown";
	return info;
}

/* "ref:any", "gemm:ref": the word, not a part of one. */
bool dnn_is_ref(const char *info)
{
	for (const char *p = info; (p = strstr(p, "ref")); p += 3)
		if ((p == info || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)p[3]))
			return true;
	return false;
}
