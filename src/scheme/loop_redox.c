// SPDX-License-Identifier: MIT
/*
 * loop.h on Redox's event queue.  It tells of edges: a source reads until there is nothing.
 */
#include <errno.h>

#include "os/redox/sys.h"
#include "scheme/loop.h"

/* A signal that comes just before the loop sleeps does not end the sleep; this does. */
#define SLEEP_MAX_NS BASE_NS_PER_S

struct loop {
	size_t queue;
};

int loop_create(struct loop **out)
{
	struct loop *loop = base_zalloc(sizeof(*loop));
	int ret;

	if (!loop)
		return -ENOMEM;
	ret = rx_events_open(&loop->queue);
	if (ret) {
		base_free(loop);
		return ret;
	}
	*out = loop;
	return 0;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	redox_close_v1(loop->queue);
	base_free(loop);
}

int loop_set(struct loop *loop, struct loop_source *source, u32 events)
{
	const u32 flags = (events & LOOP_READ ? REDOX_EVENT_READ : 0u) |
			  (events & LOOP_WRITE ? REDOX_EVENT_WRITE : 0u);

	return rx_events_set(loop->queue, (size_t)source->fd, flags, (size_t)(uintptr_t)source);
}

int loop_add(struct loop *loop, struct loop_source *source, u32 events)
{
	return loop_set(loop, source, events);
}

void loop_del(struct loop *loop, struct loop_source *source)
{
	(void)!loop_set(loop, source, 0);
}

int loop_sleep(struct loop *loop, u64 timeout_ns, struct loop_wakeup *out)
{
	struct redox_event ev[BASE_ARRAY_SIZE(out->ready)];
	int nr = rx_events_wait(loop->queue, base_min(timeout_ns, SLEEP_MAX_NS), ev,
				(u32)BASE_ARRAY_SIZE(ev));

	out->nr = 0;
	if (nr < 0)
		return nr == -EINTR ? 0 : nr;
	for (int i = 0; i < nr; i++)
		out->ready[out->nr++] = (struct loop_source *)(uintptr_t)ev[i].data;
	return 0;
}

void loop_serve(const struct loop_wakeup *wakeup)
{
	for (u32 i = 0; i < wakeup->nr; i++)
		wakeup->ready[i]->ready(wakeup->ready[i]);
}
