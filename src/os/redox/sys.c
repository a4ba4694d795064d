// SPDX-License-Identifier: MIT
/* SRC: kernel 663e6641 src/scheme/event.rs. */
#include "os/redox/sys.h"

#include <string.h>

s64 rx_open(const char *path, u32 flags)
{
	return redox_result(
		redox_open_v1((const u8 *)path, strlen(path), flags | REDOX_O_CLOEXEC, 0));
}

int rx_map(void *at, u64 size, u32 prot, u32 flags, size_t fd, u64 off, void **out)
{
	s64 ret = redox_result(redox_mmap_v1(at, size, prot, flags, fd, off));

	/* an address may look negative, but the last page is nobody's */
	if (ret < 0 && ret > -(s64)BASE_PAGE_SIZE)
		return (int)ret;
	*out = (void *)(uintptr_t)ret;
	return 0;
}

int rx_events_open(size_t *out)
{
	s64 fd = rx_open("/scheme/event", REDOX_O_RDWR);

	if (fd < 0)
		return (int)fd;
	*out = (size_t)fd;
	return 0;
}

int rx_events_set(size_t queue, size_t fd, u32 flags, size_t data)
{
	const struct redox_event event = { .id = fd, .flags = flags, .data = data };
	s64 n = redox_result(redox_write_v1(queue, (const u8 *)&event, sizeof(event)));

	return n < 0 ? (int)n : 0;
}

static int set_nonblocking(size_t queue, bool on)
{
	s64 ret = redox_result(
		redox_fcntl_v0(queue, REDOX_F_SETFL, REDOX_O_RDWR | (on ? REDOX_O_NONBLOCK : 0)));

	return ret < 0 ? (int)ret : 0;
}

/* The next blocking read ends after @ns. */
static int limit(size_t queue, u64 ns)
{
	u64 ms = ns / BASE_NS_PER_MS + (ns % BASE_NS_PER_MS != 0);

	return rx_events_set(queue, REDOX_EVENT_TIMEOUT, REDOX_EVENT_READ, (size_t)ms);
}

/* What came, without the one that says that time passed. */
static int take(size_t queue, struct redox_event *out, u32 max)
{
	s64 n = redox_result(redox_read_v1(queue, (u8 *)out, max * sizeof(*out)));
	int nr = 0;

	if (n < 0)
		return n == -REDOX_EAGAIN ? 0 : (int)n;
	for (u64 i = 0; i < (u64)n / sizeof(*out); i++)
		if (out[i].id != REDOX_EVENT_TIMEOUT)
			out[nr++] = out[i];
	return nr;
}

int rx_events_wait(size_t queue, u64 timeout_ns, struct redox_event *out, u32 max)
{
	int nr, ret = 0;

	if (!timeout_ns)
		ret = set_nonblocking(queue, true);
	else if (timeout_ns != RX_FOREVER)
		ret = limit(queue, timeout_ns);
	if (ret)
		return ret;
	nr = take(queue, out, max);
	if (!timeout_ns)
		ret = set_nonblocking(queue, false);
	return ret ? ret : nr;
}
