// SPDX-License-Identifier: MIT
/*
 * Places of intermediates: the largest first, each at the lowest offset where nothing that lives at
 * the same time is in the way.
 *
 * SRC: O section 6: greedy by size meets the largest live set in most networks.
 */
#include <errno.h>
#include <stdlib.h>

#include "vnpu/engine/dnn.h"

#define ALIGN 64u

static int by_size(const void *x, const void *y)
{
	const struct dnn_buf *a = *(struct dnn_buf *const *)x, *b = *(struct dnn_buf *const *)y;

	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static bool live_together(const struct dnn_buf *a, const struct dnn_buf *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* @placed: @nr buffers by offset. */
static u64 lowest_gap(struct dnn_buf *const *placed, u32 nr, const struct dnn_buf *buf)
{
	u64 off = 0;

	for (u32 i = 0; i < nr; i++) {
		if (!live_together(placed[i], buf))
			continue;
		if (placed[i]->off >= off && placed[i]->off - off >= buf->size)
			break;
		off = base_max(off, base_align_up(placed[i]->off + placed[i]->size, ALIGN));
	}
	return off;
}

static void insert(struct dnn_buf **placed, u32 nr, struct dnn_buf *buf)
{
	u32 i = nr;

	for (; i && placed[i - 1]->off > buf->off; i--)
		placed[i] = placed[i - 1];
	placed[i] = buf;
}

int dnn_plan(struct vnpu_net *net)
{
	struct dnn_buf **todo, **placed;
	u32 nr = 0;

	todo = base_alloc_array((size_t)net->nr_bufs * 2 + 1, sizeof(*todo));
	if (!todo)
		return -ENOMEM;
	placed = todo + net->nr_bufs;
	for (u32 i = 0; i < net->nr_bufs; i++)
		if (net->bufs[i].kind == DNN_BUF_PRIVATE && net->bufs[i].is_used)
			todo[nr++] = &net->bufs[i];
	qsort(todo, nr, sizeof(*todo), by_size);
	net->pool_size = 0;
	for (u32 i = 0; i < nr; i++) {
		todo[i]->off = lowest_gap(placed, i, todo[i]);
		insert(placed, i, todo[i]);
		net->pool_size = base_max(net->pool_size, todo[i]->off + todo[i]->size);
	}
	base_free(todo);
	return 0;
}
