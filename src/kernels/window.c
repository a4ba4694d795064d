// SPDX-License-Identifier: MIT
/* What convolutions and pools have in common: the rules of a window and its geometry. */
#include "kernels/internal.h"

u64 kern_window_extent(const struct abi_window *win, u32 axis)
{
	return (u64)(win->kernel[axis] - 1) * win->dilation[axis] + 1;
}

static int want_axis_values(const struct kern_args *a, const struct abi_window *win, u32 i)
{
	if (!win->kernel[i] || !win->stride[i] || !win->dilation[i])
		return kern_bad(a, "axis %u: kernel %u stride %u dilation %u, each at least 1", i,
				win->kernel[i], win->stride[i], win->dilation[i]);
	if (kern_window_extent(win, i) > UINT32_MAX)
		return kern_bad(a, "axis %u: kernel %u with dilation %u is too large", i,
				win->kernel[i], win->dilation[i]);
	return 0;
}

static int want_axis_zero(const struct kern_args *a, const struct abi_window *win, u32 i)
{
	if (win->kernel[i] || win->stride[i] || win->dilation[i] || win->pad_begin[i] ||
	    win->pad_end[i])
		return kern_bad(a, "axis %u: values past the %u spatial axes, 0 wanted", i,
				win->nr_spatial);
	return 0;
}

int kern_want_window(const struct kern_args *a, const struct abi_window *win)
{
	const struct kern_tensor *x = a->in[0];
	int ret;

	if (!win->nr_spatial || win->nr_spatial > ABI_MAX_SPATIAL)
		return kern_bad(a, "%u spatial axes, 1 to %u wanted", win->nr_spatial,
				ABI_MAX_SPATIAL);
	if (x->rank != win->nr_spatial + 2)
		return kern_bad(a, "input 0: rank %u, %u for %u spatial axes wanted", x->rank,
				win->nr_spatial + 2, win->nr_spatial);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(win->kernel); i++) {
		ret = i < win->nr_spatial ? want_axis_values(a, win, i) : want_axis_zero(a, win, i);
		if (ret)
			return ret;
	}
	return 0;
}

void kern_geom_init(struct kern_geom *g, const struct abi_window *win, const u32 *in_dims,
		    const u32 *out_dims)
{
	u32 lead = ABI_MAX_SPATIAL - win->nr_spatial;

	for (u32 i = 0; i < ABI_MAX_SPATIAL; i++) {
		bool is_absent = i < lead;
		u32 s = i - lead;

		g->in[i] = is_absent ? 1 : in_dims[2 + s];
		g->out[i] = is_absent ? 1 : out_dims[2 + s];
		g->kernel[i] = is_absent ? 1 : win->kernel[s];
		g->stride[i] = is_absent ? 1 : win->stride[s];
		g->dilation[i] = is_absent ? 1 : win->dilation[s];
		g->pad[i] = is_absent ? 0 : win->pad_begin[s];
		g->pad_end[i] = is_absent ? 0 : win->pad_end[s];
	}
}
