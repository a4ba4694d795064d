// SPDX-License-Identifier: MIT
/* Faults and marks while the device runs (control.h). */
#include "vfu/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char *mark(struct vfu_control *c, const char *line)
{
	char name[64], rest;
	u32 device;

	if (sscanf(line, "mark %u %63s %c", &device, name, &rest) != 2)
		return "error: expected `mark DEVICE NAME`";
	if (device >= c->nr)
		return "error: no such device";
	vfu_server_mark(c->srv[device], name);
	return "ok";
}

static const char *fault(struct vfu_control *c, const char *line)
{
	char name[64], rest;
	u32 device, count;

	if (sscanf(line, "fault %u %63s %u %c", &device, name, &count, &rest) != 3)
		return "error: expected `fault DEVICE NAME COUNT` or `mark DEVICE NAME`";
	if (device >= c->nr)
		return "error: no such device";
	if (vfu_server_fault(c->srv[device], name, count))
		return "error: no such fault";
	return "ok";
}

static const char *command(struct vfu_control *c, const char *line)
{
	return strncmp(line, "mark ", 5) ? fault(c, line) : mark(c, line);
}

static bool answer(struct vfu_control *c, const char *line)
{
	char text[VFU_CONTROL_LINE];
	int len = snprintf(text, sizeof(text), "%s\n", command(c, line));

	return write(c->out, text, (size_t)len) == len;
}

/* Up to one line; what does not fit ends the connection, as an end of file does. */
static bool read_more(struct vfu_control *c, char *line, size_t *len)
{
	struct pollfd fds[] = { { .fd = c->in, .events = POLLIN },
				{ .fd = c->stop_fd, .events = POLLIN } };
	ssize_t got;

	while (poll(fds, BASE_ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return false;
	if (fds[1].revents || *len == VFU_CONTROL_LINE - 1)
		return false;
	got = read(c->in, line + *len, VFU_CONTROL_LINE - 1 - *len);
	if (got <= 0)
		return false;
	*len += (size_t)got;
	line[*len] = '\0';
	return true;
}

static void *thread_main(void *arg)
{
	struct vfu_control *c = arg;
	char line[VFU_CONTROL_LINE], *end;
	size_t len = 0;

	while (read_more(c, line, &len)) {
		while ((end = memchr(line, '\n', len))) {
			*end++ = '\0';
			if (!answer(c, line))
				return NULL;
			len -= (size_t)(end - line);
			memmove(line, end, len + 1);
		}
	}
	return NULL;
}

int vfu_control_start(struct vfu_control *c, int in, int out, struct vfu_server *const *srv, u32 nr)
{
	int ret;

	*c = (struct vfu_control){ .in = in, .out = out, .srv = srv, .nr = nr };
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0)
		return -errno;
	ret = -pthread_create(&c->thread, NULL, thread_main, c);
	if (ret)
		close(c->stop_fd);
	return ret;
}

void vfu_control_stop(struct vfu_control *c)
{
	const u64 one = 1;

	if (write(c->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(c->thread, NULL);
	close(c->stop_fd);
}
