// SPDX-License-Identifier: MIT
/*
 * loop.h on Redox's event queue.  It tells of edges: a source reads until there is nothing.
 * SRC: kernel 663e6641 src/scheme/event.rs.
 */
#include <errno.h>
#include <string.h>

#include "os/redox/redox.h"
#include "scheme/loop.h"

/* A signal that comes just before the loop sleeps does not end the sleep; this does. */
#define SLEEP_MAX_NS BASE_NS_PER_S

struct loop {
	size_t queue;
};

static s64 set_flags(const struct loop *loop, size_t flags)
{
	return redox_result(redox_fcntl_v0(loop->queue, REDOX_F_SETFL, REDOX_O_RDWR | flags));
}

int loop_create(struct loop **out)
{
	static const char path[] = "/scheme/event";
	struct loop *loop = base_zalloc(sizeof(*loop));
	s64 fd;

	if (!loop)
		return -ENOMEM;
	fd = redox_result(redox_open_v1((const u8 *)path, sizeof(path) - 1,
					REDOX_O_RDWR | REDOX_O_CLOEXEC, 0));
	if (fd < 0) {
		base_free(loop);
		return (int)fd;
	}
	loop->queue = (size_t)fd;
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
	const struct redox_event event = {
		.id = (size_t)source->fd,
		.flags = (events & LOOP_READ ? REDOX_EVENT_READ : 0u) |
			 (events & LOOP_WRITE ? REDOX_EVENT_WRITE : 0u),
		.data = (size_t)(uintptr_t)source,
	};
	s64 n = redox_result(redox_write_v1(loop->queue, (const u8 *)&event, sizeof(event)));

	return n < 0 ? (int)n : 0;
}

int loop_add(struct loop *loop, struct loop_source *source, u32 events)
{
	return loop_set(loop, source, events);
}

void loop_del(struct loop *loop, struct loop_source *source)
{
	(void)!loop_set(loop, source, 0);
}

/* The next blocking read of the queue ends after @ns, in milliseconds, which is what there is. */
static s64 set_timeout(const struct loop *loop, u64 ns)
{
	const struct redox_event event = {
		.id = REDOX_EVENT_TIMEOUT,
		.flags = REDOX_EVENT_READ,
		.data = (size_t)((ns + BASE_NS_PER_MS - 1) / BASE_NS_PER_MS),
	};

	return redox_result(redox_write_v1(loop->queue, (const u8 *)&event, sizeof(event)));
}

static s64 read_events(const struct loop *loop, u64 timeout_ns, struct redox_event *ev, size_t size)
{
	s64 n = timeout_ns ? set_timeout(loop, base_min(timeout_ns, SLEEP_MAX_NS))
			   : set_flags(loop, REDOX_O_NONBLOCK);

	if (n >= 0)
		n = redox_result(redox_read_v1(loop->queue, (u8 *)ev, size));
	if (!timeout_ns)
		(void)!set_flags(loop, 0);
	return n;
}

int loop_sleep(struct loop *loop, u64 timeout_ns, struct loop_wakeup *out)
{
	struct redox_event ev[BASE_ARRAY_SIZE(out->ready)];
	s64 n = read_events(loop, timeout_ns, ev, sizeof(ev));

	out->nr = 0;
	if (n < 0)
		return n == -EINTR || n == -REDOX_EAGAIN ? 0 : (int)n;
	for (size_t i = 0; i < (size_t)n / sizeof(ev[0]); i++)
		if (ev[i].id != REDOX_EVENT_TIMEOUT)
			out->ready[out->nr++] = (struct loop_source *)(uintptr_t)ev[i].data;
	return 0;
}

void loop_serve(const struct loop_wakeup *wakeup)
{
	for (u32 i = 0; i < wakeup->nr; i++)
		wakeup->ready[i]->ready(wakeup->ready[i]);
}
