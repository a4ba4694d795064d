// SPDX-License-Identifier: MIT
/*
 * Bus memory without a host address: pages are fetched through the embedder's callbacks when the
 * device looks, and what it changed goes back before anybody can know that it did.
 *
 * A window is a private copy of a page for as long as the lock is held.  Each look fetches anew.
 * Changes are found by comparing with what was fetched, so that the client's own writes beside
 * ours survive; they go back when the lock is given up and before an interrupt.  Nothing of this
 * ever gets into the TLB, and views are always copies.  While there is any such memory the model
 * is "watched": every register access takes the long way, which flushes at its end.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

#define MAX_WINDOWS 2048u /* of one turn under the lock */
#define WORD	    sizeof(u64)

struct vnpu_window {
	struct vnpu_map *map;
	u64 addr; /* of the page */
	bool written;
	_Alignas(64) u8 data[BASE_PAGE_SIZE];
	u8 was[BASE_PAGE_SIZE];
};

int vnpu_remote_read(const struct vnpu_map *map, u64 addr, void *buf, u32 len)
{
	return map->remote.read(map->remote.opaque, addr, buf, len);
}

static bool same(const struct vnpu_window *w, u32 off)
{
	return memcmp(w->data + off, w->was + off, WORD) == 0;
}

/* A run of changed words, without the bytes at its ends that did not change. */
static void put_run(struct vnpu *v, struct vnpu_window *w, u32 start, u32 end)
{
	const struct vnpu_remote *r = &w->map->remote;

	while (w->data[start] == w->was[start])
		start++;
	while (w->data[end - 1] == w->was[end - 1])
		end--;
	memcpy(w->was + start, w->data + start, end - start);
	if (r->write(r->opaque, w->addr + start, w->data + start, end - start))
		vnpu_report(v, VNPU_GUEST_ERROR, "DMA",
			    "a write of %u bytes to 0x%llx was refused by whoever has the memory",
			    end - start, (unsigned long long)(w->addr + start));
}

static void put_back(struct vnpu *v, struct vnpu_window *w)
{
	for (u32 off = 0; w->written && off < BASE_PAGE_SIZE; off += WORD) {
		u32 end = off;

		while (end < BASE_PAGE_SIZE && !same(w, end))
			end += WORD;
		if (end > off)
			put_run(v, w, off, end);
		off = end;
	}
}

void vnpu_remote_sync(struct vnpu *v)
{
	for (u32 i = 0; i < v->dma.nr_windows; i++)
		put_back(v, v->dma.windows[i]);
}

void vnpu_remote_flush(struct vnpu *v)
{
	vnpu_remote_sync(v);
	v->dma.nr_windows = 0; /* their memory stays for the next turn */
}

static struct vnpu_window *add(struct vnpu_dma *d)
{
	struct vnpu_window *w;

	if (d->nr_windows == MAX_WINDOWS)
		return NULL;
	if (!d->windows)
		d->windows = base_alloc_array(MAX_WINDOWS, sizeof(struct vnpu_window *));
	if (!d->windows)
		return NULL;
	if (!d->windows[d->nr_windows])
		d->windows[d->nr_windows] = base_zalloc(sizeof(*w));
	w = d->windows[d->nr_windows];
	if (w)
		d->nr_windows++;
	return w;
}

static struct vnpu_window *window(struct vnpu *v, struct vnpu_map *map, u64 page)
{
	struct vnpu_window *w;

	for (u32 i = 0; i < v->dma.nr_windows; i++)
		if (v->dma.windows[i]->addr == page)
			return v->dma.windows[i];
	w = add(&v->dma);
	if (w) {
		w->map = map;
		w->addr = page;
		w->written = false;
	}
	return w;
}

u8 *vnpu_remote_at(struct vnpu *v, struct vnpu_map *map, u64 addr, u32 len, bool write)
{
	u32 off = (u32)(addr % BASE_PAGE_SIZE);
	struct vnpu_window *w;

	if (off + len > BASE_PAGE_SIZE)
		return NULL; /* nothing the device looks at lies across pages */
	w = window(v, map, addr - off);
	if (!w)
		return NULL;
	put_back(v, w); /* else the fetch would undo it */
	if (vnpu_remote_read(map, addr, w->data + off, len))
		return NULL;
	memcpy(w->was + off, w->data + off, len);
	w->written |= write;
	return w->data + off;
}

void vnpu_remote_fini(struct vnpu *v)
{
	for (u32 i = 0; v->dma.windows && i < MAX_WINDOWS; i++)
		base_free(v->dma.windows[i]);
	base_free(v->dma.windows);
}
