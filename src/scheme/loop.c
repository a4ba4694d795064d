// SPDX-License-Identifier: MIT
#include "scheme/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

struct loop {
	int fd;
};

int loop_create(struct loop **out)
{
	struct loop *loop = base_zalloc(sizeof(*loop));
	int ret;

	if (!loop)
		return -ENOMEM;
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->fd < 0) {
		ret = -errno;
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
	close(loop->fd);
	base_free(loop);
}

static int control(struct loop *loop, int op, struct loop_source *source, u32 events)
{
	struct epoll_event ev = { .data.ptr = source };

	if (events & LOOP_READ)
		ev.events |= EPOLLIN;
	if (events & LOOP_WRITE)
		ev.events |= EPOLLOUT;
	if (events & LOOP_EDGE)
		ev.events |= EPOLLET;
	return epoll_ctl(loop->fd, op, source->fd, &ev) ? -errno : 0;
}

int loop_add(struct loop *loop, struct loop_source *source, u32 events)
{
	return control(loop, EPOLL_CTL_ADD, source, events);
}

int loop_set(struct loop *loop, struct loop_source *source, u32 events)
{
	return control(loop, EPOLL_CTL_MOD, source, events);
}

void loop_del(struct loop *loop, struct loop_source *source)
{
	(void)control(loop, EPOLL_CTL_DEL, source, 0);
}

int loop_sleep(struct loop *loop, u64 timeout_ns, struct loop_wakeup *out)
{
	const struct timespec ts = { .tv_sec = (time_t)(timeout_ns / BASE_NS_PER_S),
				     .tv_nsec = (long)(timeout_ns % BASE_NS_PER_S) };
	const bool forever = timeout_ns / BASE_NS_PER_S > INT32_MAX;
	struct epoll_event ev[BASE_ARRAY_SIZE(out->ready)];
	int nr = epoll_pwait2(loop->fd, ev, (int)BASE_ARRAY_SIZE(ev), forever ? NULL : &ts, NULL);

	out->nr = 0;
	if (nr < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < nr; i++)
		out->ready[out->nr++] = ev[i].data.ptr;
	return 0;
}

void loop_serve(const struct loop_wakeup *wakeup)
{
	for (u32 i = 0; i < wakeup->nr; i++)
		wakeup->ready[i]->ready(wakeup->ready[i]);
}
