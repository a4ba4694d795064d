// SPDX-License-Identifier: MIT
/*
 * Event queues.  R 4: one event per occurrence; nobody looks again whether a source is still ready; a
 * time-out is armed for the next blocking read.
 */
#include "box_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PENDING 1024u

struct box_queue {
	struct svc_list watches;
	struct redox_event pending[MAX_PENDING];
	u32 head, nr;
	bool timed;
	u64 timeout_ms;
};

static void push(struct box_queue *q, const struct redox_event *event)
{
	for (u32 i = 0; i < q->nr; i++)
		if (!memcmp(&q->pending[(q->head + i) % MAX_PENDING], event, sizeof(*event)))
			return; /* told, and not read yet */
	if (q->nr == MAX_PENDING)
		abort();
	q->pending[(q->head + q->nr++) % MAX_PENDING] = *event;
}

void box_trigger(struct box *box, struct box_file *file, size_t bits)
{
	struct svc_list *node;

	base_for_each (node, &file->watches) {
		struct box_watch *w = svc_list_entry(node, struct box_watch, of_file);

		if (w->mask & bits)
			push(w->queue, &(struct redox_event){ .id = w->id,
							      .flags = w->mask & bits,
							      .data = w->data });
	}
	box_changed(box);
}

static void watch_free(struct box_watch *w)
{
	svc_list_del(&w->of_file);
	svc_list_del(&w->of_queue);
	free(w);
}

void box_unwatch(struct box_file *file)
{
	while (!svc_list_empty(&file->watches))
		watch_free(svc_list_entry(file->watches.next, struct box_watch, of_file));
}

static s64 queue_read(struct box_proc *proc, struct box_file *file, u8 *dst, size_t len)
{
	struct box_queue *q = file->priv;
	u64 start = base_clock_ns();
	u64 until = q->timed ? start + q->timeout_ms * BASE_NS_PER_MS : UINT64_MAX;
	size_t nr = 0;

	if (len < sizeof(struct redox_event))
		return -EINVAL;
	while (!q->nr) {
		/* who waits with a limit may wait long; he who has none not for ever */
		int ret = file->flags & REDOX_O_NONBLOCK ? -EAGAIN
			  : q->timed && base_clock_ns() >= until
				  ? -ETIMEDOUT
				  : box_block(proc, q->timed ? base_clock_ns() : start, until);

		if (ret == -ETIMEDOUT)
			push(q, &(struct redox_event){ .id = REDOX_EVENT_TIMEOUT,
						       .flags = REDOX_EVENT_READ });
		else if (ret)
			return ret;
	}
	q->timed = false;
	for (; q->nr && (nr + 1) * sizeof(struct redox_event) <= len; nr++, q->nr--) {
		memcpy(dst + nr * sizeof(struct redox_event), &q->pending[q->head],
		       sizeof(struct redox_event));
		q->head = (q->head + 1) % MAX_PENDING;
	}
	return (s64)(nr * sizeof(struct redox_event));
}

static struct box_watch *find(const struct box_queue *q, const struct box_file *source, size_t id)
{
	struct svc_list *node;

	base_for_each (node, &q->watches) {
		struct box_watch *w = svc_list_entry(node, struct box_watch, of_queue);

		if (w->file == source && w->id == id)
			return w;
	}
	return NULL;
}

static s64 subscribe(struct box_proc *proc, struct box_queue *q, const struct redox_event *event)
{
	struct box_file *source = box_fd(proc, event->id);
	struct box_watch *w;
	s64 ready;

	if (!source)
		return -EBADF;
	if (!source->ops->fevent)
		return -EPERM;
	w = find(q, source, event->id);
	if (!event->flags) {
		if (w)
			watch_free(w);
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			abort();
		svc_list_add(&source->watches, &w->of_file);
		svc_list_add(&q->watches, &w->of_queue);
	}
	w->file = source;
	w->queue = q;
	w->id = event->id;
	w->mask = event->flags;
	w->data = event->data;
	source->refs++; /* asking may take a while, and be the last that @proc does */
	pthread_cleanup_push(box_file_forgo, source);
	ready = source->ops->fevent(proc, source, event->flags);
	pthread_cleanup_pop(0);
	if (ready > 0)
		box_trigger(proc->box, source, (size_t)ready);
	box_file_put(proc->box, source);
	return ready < 0 ? ready : 0;
}

static s64 queue_write(struct box_proc *proc, struct box_file *file, const u8 *src, size_t len)
{
	struct box_queue *q = file->priv;
	struct redox_event event;

	if (!len || len % sizeof(event))
		return -EINVAL;
	for (size_t done = 0; done < len; done += sizeof(event)) {
		s64 ret;

		memcpy(&event, src + done, sizeof(event));
		if (event.id == REDOX_EVENT_TIMEOUT) {
			q->timed = event.flags != 0;
			q->timeout_ms = event.data;
			continue;
		}
		ret = subscribe(proc, q, &event);
		if (ret < 0)
			return ret;
	}
	return (s64)len;
}

static void queue_close(struct box *box, struct box_file *file)
{
	struct box_queue *q = file->priv;

	(void)box;
	while (!svc_list_empty(&q->watches))
		watch_free(svc_list_entry(q->watches.next, struct box_watch, of_queue));
	free(q);
}

static const struct box_file_ops queue_ops = {
	.name = "event queue", .read = queue_read, .write = queue_write, .close = queue_close
};

s64 box_event_open(struct box_proc *proc)
{
	struct box_queue *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	svc_list_init(&q->watches);
	return box_fd_add(proc, box_file_new(&queue_ops, q));
}
