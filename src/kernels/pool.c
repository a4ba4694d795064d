// SPDX-License-Identifier: MIT
/*
 * Maximum and average of a sliding window.  Taps outside the input do not take part; with
 * count_include_pad those inside the padding count for the average's divisor, those past it (which
 * ceil_mode can reach) never do.
 */
#include <math.h>

#include "kernels/internal.h"

/* Every value is exact in a double. */
#define POOL_TYPES                                                                         \
	(KERN_FLOATS | KERN_T(S8) | KERN_T(U8) | KERN_T(S16) | KERN_T(U16) | KERN_T(S32) | \
	 KERN_T(U32))

static int infer_axis(const struct kern_args *a, const struct abi_attr_pool *attr, u32 i, u32 *out)
{
	const struct abi_window *win = &attr->win;
	u64 in = a->in[0]->dims[2 + i], extent = kern_window_extent(win, i);
	u64 padded = in + win->pad_begin[i] + win->pad_end[i];
	u64 n;

	if (win->pad_begin[i] >= extent || win->pad_end[i] >= extent)
		return kern_bad(a, "axis %u: pads %u and %u, below the window's %llu wanted", i,
				win->pad_begin[i], win->pad_end[i], (unsigned long long)extent);
	/* ceil_mode stretches the padding until the last stride is whole: even for the only window */
	if (attr->ceil_mode && padded)
		padded += win->stride[i] - 1;
	if (padded < extent)
		return kern_bad(a, "axis %u: window of %llu on %llu elements with padding", i,
				(unsigned long long)extent,
				(unsigned long long)(in + win->pad_begin[i] + win->pad_end[i]));
	n = (padded - extent) / win->stride[i] + 1;
	/* A window that would start in the end padding is dropped. */
	if (attr->ceil_mode && n > 1 && (n - 1) * win->stride[i] >= in + win->pad_begin[i])
		n--;
	if (n > UINT32_MAX)
		return kern_bad(a, "axis %u: %llu windows", i, (unsigned long long)n);
	*out = (u32)n;
	return 0;
}

static int want_flags(const struct kern_args *a, const struct abi_attr_pool *attr)
{
	if (attr->kind != ABI_POOL_MAX && attr->kind != ABI_POOL_AVG)
		return kern_bad(a, "kind %u, %u (max) or %u (average) wanted", attr->kind,
				ABI_POOL_MAX, ABI_POOL_AVG);
	if (attr->count_include_pad > 1 || attr->ceil_mode > 1 || attr->column_major > 1)
		return kern_bad(a,
				"count_include_pad %u ceil_mode %u column_major %u, each 0 or 1 "
				"wanted",
				attr->count_include_pad, attr->ceil_mode, attr->column_major);
	if (a->nr_out > 1 && attr->kind != ABI_POOL_MAX)
		return kern_bad(a, "indices of an average: only a maximum has any");
	return 0;
}

int kern_pool_infer(const struct kern_args *a)
{
	const struct abi_attr_pool *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0];
	u32 dims[ABI_MAX_RANK] = { 0 };
	int ret;

	ret = want_flags(a, attr);
	if (!ret)
		ret = kern_want_types(a, 0, attr->kind == ABI_POOL_MAX ? POOL_TYPES : KERN_FLOATS);
	if (!ret)
		ret = kern_want_window(a, &attr->win);
	if (ret)
		return ret;
	dims[0] = x->dims[0];
	dims[1] = x->dims[1];
	for (u32 i = 0; i < attr->win.nr_spatial; i++) {
		ret = infer_axis(a, attr, i, &dims[2 + i]);
		if (ret)
			return ret;
	}
	ret = kern_set_out(a, 0, x->dtype, x->rank, dims);
	if (!ret && a->nr_out > 1)
		ret = kern_set_out(a, 1, ABI_S64, x->rank, dims);
	return ret;
}

/* Taps [from, to) of a window on one axis, and where tap 0 lies. */
struct taps {
	s64 start;
	s64 step;
	u64 from, to;
};

/* The taps of output @o whose position is in [@lo, @hi). */
static struct taps taps_inside(const struct kern_geom *g, u32 axis, u64 o, s64 lo, s64 hi)
{
	struct taps t = { .start = (s64)o * g->stride[axis] - g->pad[axis],
			  .step = g->dilation[axis] };

	t.from = base_min(kern_ceil_div(lo - t.start, t.step), g->kernel[axis]);
	t.to = base_min(kern_ceil_div(hi - t.start, t.step), g->kernel[axis]);
	return t;
}

static u64 nr_taps(const struct taps *t)
{
	return t->to > t->from ? t->to - t->from : 0;
}

struct pool {
	const struct abi_attr_pool *attr;
	const struct kern_tensor *x;
	struct kern_geom g;
	u64 plane; /* elements of an input plane */
};

struct window {
	struct taps axis[ABI_MAX_SPATIAL];
	u64 divisor; /* of an average */
};

static void window_at(const struct pool *p, const u64 *o, struct window *w)
{
	const struct kern_geom *g = &p->g;
	struct taps t;

	w->divisor = 1;
	for (u32 i = 0; i < ABI_MAX_SPATIAL; i++) {
		w->axis[i] = taps_inside(g, i, o[i], 0, (s64)g->in[i]);
		t = w->axis[i];
		if (p->attr->count_include_pad)
			t = taps_inside(g, i, o[i], -g->pad[i], (s64)g->in[i] + g->pad_end[i]);
		w->divisor *= nr_taps(&t);
	}
}

/* What a window yields; the place is an offset in the plane, row-major, -1 where there is none. */
struct result {
	double value;
	s64 place;
};

static s64 position(const struct taps *t, u64 tap)
{
	return t->start + (s64)tap * t->step;
}

/* One row of taps along the last axis; @row is the offset of its position 0 in the plane. */
static void take_row(const struct pool *p, const struct taps *t, s64 base, s64 row,
		     struct result *r)
{
	double v[KERN_STRIP];

	for (u64 k = t->from; k < t->to; k += KERN_STRIP) {
		u32 n = (u32)base_min(t->to - k, (u64)KERN_STRIP);
		s64 at = row + position(t, k);

		kern_load_f64(p->x->dtype, p->x->data, base + at, t->step, n, v);
		for (u32 i = 0; i < n; i++) {
			if (p->attr->kind == ABI_POOL_AVG) {
				r->value += v[i];
			} else if (r->place < 0 || v[i] > r->value || isnan(v[i])) {
				r->value = v[i];
				r->place = at + i * t->step;
			}
		}
	}
}

static struct result take_window(const struct pool *p, const struct window *w, s64 base)
{
	const s64 width = (s64)p->g.in[2], height = (s64)p->g.in[1];
	struct result r = { 0, -1 };

	for (u64 i = w->axis[0].from; i < w->axis[0].to; i++) {
		for (u64 k = w->axis[1].from; k < w->axis[1].to; k++) {
			s64 row = position(&w->axis[0], i) * height + position(&w->axis[1], k);

			take_row(p, &w->axis[2], base, row * width, &r);
		}
	}
	return r;
}

/* ONNX storage_order 1: the first spatial axis runs fastest. */
static s64 column_major(const struct pool *p, s64 place)
{
	const s64 width = (s64)p->g.in[2], height = (s64)p->g.in[1], depth = (s64)p->g.in[0];
	s64 d = place / (width * height), h = place / width % height, w = place % width;

	if (p->attr->win.nr_spatial == 3)
		return d + depth * (h + height * w);
	return h + height * w;
}

/* The least value of the type, for a window that meets nothing but padding. */
static double least(u32 dtype)
{
	if (kern_class(dtype) == KERN_CLASS_FLOAT)
		return -INFINITY;
	if (kern_class(dtype) == KERN_CLASS_UINT)
		return 0;
	return -ldexp(1.0, (int)abi_dtype_size(dtype) * 8 - 1);
}

static void finish(const struct pool *p, const struct window *w, s64 base, struct result *r)
{
	if (p->attr->kind == ABI_POOL_AVG) {
		r->value = w->divisor ? r->value / (double)w->divisor : 0;
	} else if (r->place < 0) {
		r->value = least(p->x->dtype);
	} else {
		r->place = base + (p->attr->column_major ? column_major(p, r->place) : r->place);
	}
}

static void run_plane(const struct pool *p, const struct kern_args *a, s64 base, s64 out)
{
	const u64 *n = p->g.out;
	struct window w;
	struct result r;
	u64 o[ABI_MAX_SPATIAL];

	for (o[0] = 0; o[0] < n[0]; o[0]++)
		for (o[1] = 0; o[1] < n[1]; o[1]++)
			for (o[2] = 0; o[2] < n[2] && !kern_is_unwanted(a->op->stop);
			     o[2]++, out++) {
				window_at(p, o, &w);
				r = take_window(p, &w, base);
				finish(p, &w, base, &r);
				kern_store_f64(p->x->dtype, a->out[0].data, out, 1, &r.value);
				if (a->nr_out > 1)
					((s64 *)a->out[1].data)[out] = r.place;
			}
}

int kern_pool_run(const struct kern_args *a)
{
	const struct abi_attr_pool *attr = a->op->attr;
	struct pool p = { .attr = attr, .x = a->in[0] };
	u64 nr_planes = (u64)p.x->dims[0] * p.x->dims[1];
	u64 out_plane = kern_nr_elements(&a->out[0]) / nr_planes;

	kern_geom_init(&p.g, &attr->win, p.x->dims, a->out[0].dims);
	p.plane = p.g.in[0] * p.g.in[1] * p.g.in[2];
	for (u64 i = 0; i < nr_planes && !kern_is_unwanted(a->op->stop); i++)
		run_plane(&p, a, (s64)(i * p.plane), (s64)(i * out_plane));
	return kern_stopped(a);
}
