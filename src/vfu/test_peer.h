/* SPDX-License-Identifier: MIT */
/*
 * A client that says whatever a test wants, over a socketpair, to a server in a thread of its own.
 */
#ifndef VFU_TEST_PEER_H
#define VFU_TEST_PEER_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfu/proto.h"
#include "vfu/vfu.h"
#include "vfu/wire.h"
#include "vnpu/vnpu.h"

#define PAGE 4096u

struct peer {
	struct vfu_server *srv;
	pthread_t thread;
	int fd, server_fd;
	int ended; /* what vfu_server_serve() returned */
	bool running;
	char log[4096];
	size_t log_len;
	pthread_mutex_t log_lock;
	u16 id;
	u8 rx[VFU_MAX_MSG];
};

static inline void peer_sink(void *opaque, enum base_log_level level, const char *text)
{
	struct peer *p = opaque;
	int n;

	(void)level;
	pthread_mutex_lock(&p->log_lock);
	n = snprintf(p->log + p->log_len, sizeof(p->log) - p->log_len, "%s\n", text);
	p->log_len = base_min(p->log_len + (size_t)n, sizeof(p->log) - 1);
	pthread_mutex_unlock(&p->log_lock);
}

static inline bool peer_logged(struct peer *p, const char *text)
{
	bool found;

	pthread_mutex_lock(&p->log_lock);
	found = memmem(p->log, p->log_len, text, strlen(text)) != NULL;
	pthread_mutex_unlock(&p->log_lock);
	return found;
}

static inline void *peer_serve(void *arg)
{
	struct peer *p = arg;

	p->ended = vfu_server_serve(p->srv, p->server_fd);
	return NULL;
}

/* Another client, of the same server. */
static inline void peer_connect(struct peer *p)
{
	const struct timeval patience = { .tv_sec = 20 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p->fd = fds[0];
	p->server_fd = fds[1];
	assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
			 0);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_serve, p), 0);
	p->running = true;
}

/* Return: how the connection ended for the server. */
static inline int peer_leave(struct peer *p)
{
	if (!p->running)
		return p->ended;
	close(p->fd);
	pthread_join(p->thread, NULL);
	p->running = false;
	return p->ended;
}

static inline struct peer *peer_open_with(const struct vfu_config *more)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct vfu_config cfg = { .name = "test",
				  .device_id = 0x7d1d,
				  .engine = "plain",
				  .stepped = more->stepped,
				  .msix = more->msix,
				  .log = { .level = BASE_LOG_DBG, .sink = peer_sink } };
	struct base_err err;

	assert_non_null(p);
	pthread_mutex_init(&p->log_lock, NULL);
	cfg.log.opaque = p;
	assert_int_equal(vfu_server_create(&cfg, &p->srv, &err), 0);
	peer_connect(p);
	return p;
}

static inline struct peer *peer_open(bool stepped)
{
	return peer_open_with(&(const struct vfu_config){ .stepped = stepped });
}

static inline void peer_close(struct peer *p)
{
	(void)peer_leave(p);
	vfu_server_destroy(p->srv);
	pthread_mutex_destroy(&p->log_lock);
	free(p);
}

static inline void peer_send_raw(struct peer *p, const struct vfu_hdr *hdr, const void *data,
				 u32 len, const int *fds, u32 nr_fds)
{
	u8 msg[2 * VFU_MAX_MSG];

	assert_in_range(len, 0, sizeof(msg) - sizeof(*hdr));
	memcpy(msg, hdr, sizeof(*hdr));
	if (len)
		memcpy(msg + sizeof(*hdr), data, len);
	assert_int_equal(vfu_wire_send(p->fd, msg, (u32)sizeof(*hdr) + len, fds, nr_fds), 0);
}

static inline void peer_send(struct peer *p, u32 cmd, u32 flags, const void *data, u32 len, int fd)
{
	const struct vfu_hdr hdr = {
		.id = ++p->id, .cmd = (u16)cmd, .size = (u32)sizeof(hdr) + len, .flags = flags
	};

	peer_send_raw(p, &hdr, data, len, &fd, fd >= 0);
}

static inline bool peer_read(struct peer *p, void *buf, size_t len)
{
	u8 *at = buf;

	while (len) {
		ssize_t n = recv(p->fd, at, len, 0);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* The answer to the last request: its payload's length, or the error; -ENOTCONN: hung up. */
static inline int peer_answer(struct peer *p)
{
	struct vfu_hdr hdr;

	if (!peer_read(p, &hdr, sizeof(hdr)))
		return -ENOTCONN;
	assert_int_equal(hdr.id, p->id);
	assert_int_equal(hdr.flags & VFU_F_TYPE, VFU_F_REPLY);
	assert_in_range(hdr.size, sizeof(hdr), VFU_MAX_MSG);
	assert_true(peer_read(p, p->rx, hdr.size - sizeof(hdr)));
	if (!(hdr.flags & VFU_F_ERROR))
		return (int)(hdr.size - sizeof(hdr));
	assert_int_equal(hdr.size, sizeof(hdr));
	return -(int)hdr.error;
}

static inline int peer_ask_fd(struct peer *p, u32 cmd, const void *data, u32 len, int fd)
{
	peer_send(p, cmd, 0, data, len, fd);
	return peer_answer(p);
}

static inline int peer_ask(struct peer *p, u32 cmd, const void *data, u32 len)
{
	return peer_ask_fd(p, cmd, data, len, -1);
}

static inline int peer_version(struct peer *p, u16 major, u16 minor, const char *caps)
{
	struct vfu_version ver = { major, minor };
	u8 data[VFU_MAX_MSG];
	u32 len = caps ? (u32)strlen(caps) + 1 : 0;

	memcpy(data, &ver, sizeof(ver));
	if (caps)
		memcpy(data + sizeof(ver), caps, len);
	return peer_ask(p, VFU_VERSION, data, (u32)sizeof(ver) + len);
}

/* A new server, a client that has agreed on the version. */
static inline struct peer *peer_ready(void)
{
	struct peer *p = peer_open(true);

	assert_in_range(peer_version(p, 0, 1, "{\"capabilities\":{\"write_multiple\":true}}"), 4,
			VFU_MAX_MSG);
	return p;
}

static inline int peer_rd(struct peer *p, u32 region, u64 off, u32 count, u64 *val)
{
	const struct vfu_region_io io = { off, region, count };
	int ret = peer_ask(p, VFU_REGION_READ, &io, sizeof(io));

	if (ret < 0)
		return ret;
	assert_int_equal(ret, sizeof(io) + count);
	assert_memory_equal(p->rx, &io, sizeof(io));
	*val = 0;
	memcpy(val, p->rx + sizeof(io), base_min(count, 8u));
	return 0;
}

static inline int peer_wr(struct peer *p, u32 region, u64 off, u32 count, u64 val, u32 flags)
{
	struct {
		struct vfu_region_io io;
		u64 val;
	} msg = { { off, region, count }, val };
	int ret;

	assert_in_range(count, 0, 8);
	peer_send(p, VFU_REGION_WRITE, flags, &msg, (u32)sizeof(msg.io) + count, -1);
	if (flags & VFU_F_NO_REPLY)
		return 0;
	ret = peer_answer(p);
	if (ret >= 0)
		assert_int_equal(ret, sizeof(msg.io));
	return ret < 0 ? ret : 0;
}

static inline int peer_map(struct peer *p, u64 addr, u64 size, u64 offset, u32 flags, int fd)
{
	const struct vfu_dma_map req = {
		.argsz = sizeof(req), .flags = flags, .offset = offset, .addr = addr, .size = size
	};

	return peer_ask_fd(p, VFU_DMA_MAP, &req, sizeof(req), fd);
}

static inline int peer_unmap(struct peer *p, u64 addr, u64 size, u32 flags)
{
	const struct vfu_dma_unmap req = {
		.argsz = sizeof(req), .flags = flags, .addr = addr, .size = size
	};

	return peer_ask(p, VFU_DMA_UNMAP, &req, sizeof(req));
}

static inline int peer_irqs(struct peer *p, u32 flags, u32 index, u32 start, u32 count, int fd)
{
	const struct vfu_irq_set req = {
		.argsz = sizeof(req), .flags = flags, .index = index, .start = start, .count = count
	};

	return peer_ask_fd(p, VFU_SET_IRQS, &req, sizeof(req), fd);
}

static inline int memory(u64 size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

#endif
