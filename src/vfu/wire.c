// SPDX-License-Identifier: MIT
/* Messages over a stream socket (wire.h). */
#include "vfu/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(VFU_MAX_FDS * sizeof(int))];
};

void vfu_wire_init(struct vfu_wire *wire, int fd)
{
	wire->fd = fd;
	wire->head = 0;
	wire->tail = 0;
	wire->nr_lots = 0;
}

static void close_fds(int *fds, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void vfu_wire_fini(struct vfu_wire *wire)
{
	for (u32 i = 0; i < wire->nr_lots; i++)
		close_fds(wire->lots[i].fd, wire->lots[i].nr);
	wire->nr_lots = 0;
	close(wire->fd);
	wire->fd = -1;
}

void vfu_msg_close(struct vfu_msg *msg)
{
	close_fds(msg->fds, msg->nr_fds);
	msg->nr_fds = 0;
}

static bool size_ok(u32 size)
{
	return size >= sizeof(struct vfu_hdr) && size <= VFU_MAX_MSG;
}

/* Is the header of the message at @at there yet?  Its size, if so. */
static bool header_at(const struct vfu_wire *wire, u32 at, u32 *size)
{
	struct vfu_hdr hdr;

	if (wire->tail - at < sizeof(hdr))
		return false;
	memcpy(&hdr, wire->buf + at, sizeof(hdr));
	*size = hdr.size;
	return true;
}

static bool may_have_fds(const struct vfu_wire *wire, u32 at)
{
	struct vfu_hdr hdr;

	memcpy(&hdr, wire->buf + at, sizeof(hdr));
	return hdr.cmd == VFU_DMA_MAP || hdr.cmd == VFU_SET_IRQS;
}

/*
 * The kernel ends a receive behind the bytes that were sent with descriptors.  Where those bytes
 * began it does not say, and a peer may send several messages at once: the descriptors belong to
 * the last message that has begun, or the last before it that is of a kind that has any.
 */
static int message_of_fds(const struct vfu_wire *wire, u32 *out)
{
	u32 at = wire->head, size;

	*out = at;
	while (header_at(wire, at, &size)) {
		if (!size_ok(size))
			return -EPROTO;
		if (may_have_fds(wire, at) || !may_have_fds(wire, *out))
			*out = at;
		at += size;
		if (at >= wire->tail)
			return 0;
	}
	*out = at; /* of what kind it is, is still to come */
	return 0;
}

/* One lot is all a message may have. */
static int add_lot(struct vfu_wire *wire, const struct vfu_fds *lot)
{
	u32 nr = wire->nr_lots;

	if (nr == BASE_ARRAY_SIZE(wire->lots) || (nr && wire->lots[nr - 1].at == lot->at))
		return -EPROTO;
	wire->lots[wire->nr_lots++] = *lot;
	return 0;
}

static int take_fds(struct vfu_wire *wire, struct msghdr *mh)
{
	int ret = mh->msg_flags & MSG_CTRUNC ? -EPROTO : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		struct vfu_fds lot = { .nr = (u32)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) };

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(lot.fd, CMSG_DATA(c), lot.nr * sizeof(int));
		if (!ret)
			ret = message_of_fds(wire, &lot.at);
		if (!ret)
			ret = add_lot(wire, &lot);
		if (ret)
			close_fds(lot.fd, lot.nr);
	}
	return ret;
}

static int fill(struct vfu_wire *wire)
{
	struct iovec iov = { .iov_base = wire->buf + wire->tail,
			     .iov_len = VFU_RX_BYTES - wire->tail };
	union control control;
	struct msghdr mh = { .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	do
		n = recvmsg(wire->fd, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -ENOTCONN : -errno;
	wire->tail += (u32)n;
	if (mh.msg_controllen) {
		int ret = take_fds(wire, &mh);

		if (ret)
			return ret;
	}
	return n ? 0 : -ENOTCONN;
}

/* Room for a whole message behind head. */
static void compact(struct vfu_wire *wire)
{
	if (wire->head == wire->tail) {
		wire->head = 0;
		wire->tail = 0;
		return; /* descriptors that wait belong to bytes that wait */
	}
	if (VFU_RX_BYTES - wire->head >= VFU_MAX_MSG)
		return;
	memmove(wire->buf, wire->buf + wire->head, wire->tail - wire->head);
	wire->tail -= wire->head;
	for (u32 i = 0; i < wire->nr_lots; i++)
		wire->lots[i].at -= wire->head;
	wire->head = 0;
}

static __attribute__((noinline)) void take_lot(struct vfu_wire *wire, struct vfu_msg *msg)
{
	memcpy(msg->fds, wire->lots[0].fd, sizeof(msg->fds));
	msg->nr_fds = wire->lots[0].nr;
	wire->nr_lots--;
	wire->lots[0] = wire->lots[1];
}

static void take(struct vfu_wire *wire, struct vfu_msg *msg)
{
	u8 *start = wire->buf + wire->head;

	memcpy(&msg->hdr, start, sizeof(msg->hdr));
	msg->data = start + sizeof(msg->hdr);
	msg->len = msg->hdr.size - (u32)sizeof(msg->hdr);
	msg->nr_fds = 0;
	if (wire->nr_lots && wire->lots[0].at == wire->head)
		take_lot(wire, msg);
	wire->head += msg->hdr.size;
}

int vfu_wire_recv(struct vfu_wire *wire, struct vfu_msg *msg)
{
	u32 size;

	for (;;) {
		bool known = header_at(wire, wire->head, &size);
		int ret;

		if (known && !size_ok(size))
			return -EPROTO;
		if (known && size <= wire->tail - wire->head) {
			take(wire, msg);
			return 0;
		}
		compact(wire);
		ret = fill(wire);
		if (ret)
			return ret;
	}
}

bool vfu_wire_header(const struct vfu_wire *wire, struct vfu_hdr *out)
{
	u32 size;

	if (!header_at(wire, wire->head, &size))
		return false;
	memcpy(out, wire->buf + wire->head, sizeof(*out));
	return true;
}

static ssize_t send_some(int fd, const u8 *msg, u32 len, const int *fds, u32 nr_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)msg, .iov_len = len };
	union control control = { .bytes = { 0 } };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (!nr_fds)
		return send(fd, msg, len, MSG_NOSIGNAL);
	mh.msg_control = control.bytes;
	mh.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
	c = CMSG_FIRSTHDR(&mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
	memcpy(CMSG_DATA(c), fds, nr_fds * sizeof(int));
	return sendmsg(fd, &mh, MSG_NOSIGNAL);
}

int vfu_wire_send(int fd, const void *msg, u32 len, const int *fds, u32 nr_fds)
{
	const u8 *at = msg;

	if (nr_fds > VFU_MAX_FDS)
		return -EINVAL;
	while (len) {
		ssize_t n = send_some(fd, at, len, fds, nr_fds);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE || errno == ECONNRESET ? -ENOTCONN : -errno;
		at += n;
		len -= (u32)n;
		nr_fds = 0; /* went with the first byte */
	}
	return 0;
}
