// SPDX-License-Identifier: MIT
/*
 * Matrix product.  Two ways:
 *
 *   wide     any type, accumulated in the class's wide type; for small products and for the types
 *            networks seldom multiply
 *   blocked  F32 and F16: b is packed in blocks of KC rows and NC columns, a in panels of MR rows,
 *            and a tile of MR x NR sums stays in registers for KC steps.  Each block is summed in
 *            f32 before it is added to c, which also keeps the rounding error near that of
 *            sqrt(KC) + k / KC additions instead of k.
 *
 * Packed a: panels [m / MR][k][MR].  Packed b: panels [n / NR][k][NR].  Rows and columns past the
 * end are zero there and not written back.
 */
#include "kernels/internal.h"

#define MR 4u
#define NR 8u
#define MC 64u
#define KC 256u
#define NC 512u

/* Products with fewer multiplications than this are not worth packing. */
#define SMALL_PRODUCT 32768u

struct scratch {
	float a[MC * KC];
	float b[NC * KC];
	float row[NC];
	u8 raw[NC * sizeof(u64)]; /* a piece of a row of b in its own type */
	union kern_strip acc, piece;
};

static_assert(NC >= KERN_STRIP && NC % NR == 0 && MC % MR == 0, "blocking");

void *kern_gemm_scratch(void)
{
	return base_zalloc(sizeof(struct scratch));
}

u32 kern_acc_dtype(u32 dtype)
{
	return dtype == ABI_F16 ? ABI_F32 : dtype;
}

/* --- wide ----------------------------------------------------------------------------------- */

static void wide_step(enum kern_class c, u32 n, const union kern_strip *a, struct scratch *s)
{
	if (c == KERN_CLASS_FLOAT) {
		for (u32 j = 0; j < n; j++)
			s->acc.f[j] += a->f[0] * s->piece.f[j];
		return;
	}
	for (u32 j = 0; j < n; j++) /* modulo 2^64: the same for both signs */
		s->acc.u[j] += a->u[0] * s->piece.u[j];
}

static void wide_strip(const struct kern_gemm *g, struct scratch *s, u64 i, u64 col, u32 n)
{
	enum kern_class c = kern_class(g->dtype);
	union kern_strip a;

	memset(&s->acc, 0, sizeof(s->acc));
	for (u64 k = 0; k < g->k && !kern_is_unwanted(g->stop); k++) {
		kern_load(g->dtype, g->a, (s64)i * g->a_row + (s64)k * g->a_col, 1, 1, &a);
		g->b_row(g->opaque, k, col, n, s->raw);
		kern_load(g->dtype, s->raw, 0, 1, n, &s->piece);
		wide_step(c, n, &a, s);
	}
	kern_store(kern_acc_dtype(g->dtype), g->c, (s64)(i * g->ldc + col), n, &s->acc);
}

static void wide_gemm(const struct kern_gemm *g, struct scratch *s)
{
	for (u64 i = 0; i < g->m && !kern_is_unwanted(g->stop); i++)
		for (u64 col = 0; col < g->n; col += KERN_STRIP)
			wide_strip(g, s, i, col, (u32)base_min(g->n - col, (u64)KERN_STRIP));
}

/* --- blocked -------------------------------------------------------------------------------- */

/* Four lanes: any compiler for x86-64 or AArch64 keeps one in a register. */
typedef float lanes __attribute__((vector_size(16)));

#define LANES 4u

static void load_f32(u32 dtype, const void *src, s64 step, u32 n, float *dst)
{
	const float *f = src;
	const u16 *h = src;

	if (dtype == ABI_F32)
		for (u32 i = 0; i < n; i++)
			dst[i] = f[(s64)i * step];
	else
		for (u32 i = 0; i < n; i++)
			dst[i] = kern_f16_to_f32(h[(s64)i * step]);
}

static void pack_b(const struct kern_gemm *g, struct scratch *s, u64 k0, u32 nk, u64 col, u32 n)
{
	u32 nr_panels = (n + NR - 1) / NR;

	memset(s->row, 0, sizeof(s->row));
	for (u32 k = 0; k < nk; k++) {
		void *raw = g->dtype == ABI_F32 ? (void *)s->row : s->raw;

		g->b_row(g->opaque, k0 + k, col, n, raw);
		if (g->dtype != ABI_F32)
			load_f32(g->dtype, s->raw, 1, n, s->row);
		for (u32 p = 0; p < nr_panels; p++)
			memcpy(s->b + (p * nk + k) * NR, s->row + p * NR, NR * sizeof(float));
	}
}

static void pack_a(const struct kern_gemm *g, struct scratch *s, u64 i0, u32 nm, u64 k0, u32 nk)
{
	const u8 *a = g->a;
	float column[KC];

	for (u32 i = 0; i < (nm + MR - 1) / MR * MR; i++) {
		float *panel = s->a + i / MR * nk * MR + i % MR;
		s64 off = (s64)(i0 + i) * g->a_row + (s64)k0 * g->a_col;

		if (i < nm)
			load_f32(g->dtype, a + off * abi_dtype_size(g->dtype), g->a_col, nk,
				 column);
		for (u32 k = 0; k < nk; k++)
			panel[k * MR] = i < nm ? column[k] : 0;
	}
}

/* A tile of MR x NR sums over @nk steps. */
static void tile(u32 nk, const float *a, const lanes *b, lanes acc[MR][NR / LANES])
{
	lanes c00 = { 0 }, c01 = c00, c10 = c00, c11 = c00;
	lanes c20 = c00, c21 = c00, c30 = c00, c31 = c00;

	for (u32 k = 0; k < nk; k++, a += MR, b += NR / LANES) {
		lanes b0 = b[0], b1 = b[1];

		c00 += a[0] * b0;
		c01 += a[0] * b1;
		c10 += a[1] * b0;
		c11 += a[1] * b1;
		c20 += a[2] * b0;
		c21 += a[2] * b1;
		c30 += a[3] * b0;
		c31 += a[3] * b1;
	}
	acc[0][0] = c00, acc[0][1] = c01;
	acc[1][0] = c10, acc[1][1] = c11;
	acc[2][0] = c20, acc[2][1] = c21;
	acc[3][0] = c30, acc[3][1] = c31;
}

static_assert(MR == 4 && NR == 8 && LANES == 4, "tile() is written for these");

/* Add a tile's part inside c; the first block of k writes instead. */
static void add_tile(const struct kern_gemm *g, u64 i, u64 j, const lanes acc[MR][NR / LANES],
		     bool is_first)
{
	u32 nm = (u32)base_min(g->m - i, (u64)MR), nn = (u32)base_min(g->n - j, (u64)NR);
	float v[MR][NR];

	memcpy(v, acc, sizeof(v));
	for (u32 r = 0; r < nm; r++) {
		float *c = (float *)g->c + (i + r) * g->ldc + j;

		for (u32 q = 0; q < nn; q++)
			c[q] = is_first ? v[r][q] : c[q] + v[r][q];
	}
}

static void block(const struct kern_gemm *g, struct scratch *s, u64 i0, u32 nm, u64 k0, u32 nk,
		  u64 j0, u32 nn)
{
	lanes acc[MR][NR / LANES];

	for (u32 j = 0; j < nn; j += NR)
		for (u32 i = 0; i < nm; i += MR) {
			tile(nk, s->a + i * nk, (const lanes *)(const void *)(s->b + j * nk), acc);
			add_tile(g, i0 + i, j0 + j, acc, k0 == 0);
		}
}

static void blocked_gemm(const struct kern_gemm *g, struct scratch *s)
{
	for (u64 j = 0; j < g->n && !kern_is_unwanted(g->stop); j += NC) {
		u32 nn = (u32)base_min(g->n - j, (u64)NC);

		for (u64 k = 0; k < g->k && !kern_is_unwanted(g->stop); k += KC) {
			u32 nk = (u32)base_min(g->k - k, (u64)KC);

			pack_b(g, s, k, nk, j, nn);
			for (u64 i = 0; i < g->m && !kern_is_unwanted(g->stop); i += MC) {
				u32 nm = (u32)base_min(g->m - i, (u64)MC);

				pack_a(g, s, i, nm, k, nk);
				block(g, s, i, nm, k, nk, j, nn);
			}
		}
	}
}

static bool is_small(const struct kern_gemm *g)
{
	u64 n;

	return base_mul_u64(g->m, g->n, &n) && base_mul_u64(n, g->k, &n) && n < SMALL_PRODUCT;
}

void kern_gemm(const struct kern_gemm *g, void *scratch)
{
	if ((g->dtype == ABI_F32 || g->dtype == ABI_F16) && !is_small(g))
		blocked_gemm(g, scratch);
	else
		wide_gemm(g, scratch);
}

/* --- epilogue ------------------------------------------------------------------------------- */

static void add_term(enum kern_class c, u32 n, union kern_strip *v, const union kern_strip *t,
		     float scale)
{
	for (u32 i = 0; i < n; i++) {
		if (c == KERN_CLASS_FLOAT)
			v->f[i] += (double)scale * t->f[i];
		else
			v->u[i] += t->u[i]; /* integers are not scaled: kern_matmul_infer() */
	}
}

static bool has_nothing_to_do(const struct kern_epilogue *e, const void *acc,
			      const struct kern_tensor *y)
{
	return acc == y->data && e->alpha == 1.0f && !e->term[0].t && !e->term[1].t &&
	       e->act.kind == ABI_UNARY_NONE;
}

void kern_epilogue_run(const struct kern_epilogue *e, const void *acc, struct kern_tensor *y)
{
	static const s64 none[ABI_MAX_RANK];
	enum kern_class c = kern_class(y->dtype);
	union kern_strip v, t;
	struct kern_walk w;

	if (has_nothing_to_do(e, acc, y))
		return;
	kern_walk_init(&w, y->rank, y->dims);
	kern_walk_add_broadcast(&w, y);
	for (u32 i = 0; i < 2; i++)
		kern_walk_add(&w, e->term[i].t ? e->term[i].strides : none);
	kern_walk_start(&w);
	while (kern_walk_next(&w)) {
		kern_load(kern_acc_dtype(y->dtype), acc, w.off[0], 1, w.n, &v);
		for (u32 i = 0; c == KERN_CLASS_FLOAT && e->alpha != 1.0f && i < w.n; i++)
			v.f[i] *= (double)e->alpha;
		for (u32 k = 0; k < 2; k++) {
			const struct kern_tensor *term = e->term[k].t;

			if (!term)
				continue;
			kern_load(term->dtype, term->data, w.off[1 + k], w.step[1 + k], w.n, &t);
			add_term(c, w.n, &v, &t, e->term[k].scale);
		}
		kern_apply_act(&e->act, c, w.n, &v);
		kern_store(y->dtype, y->data, w.off[0], w.n, &v);
	}
}
