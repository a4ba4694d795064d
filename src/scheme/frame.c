// SPDX-License-Identifier: MIT
#include "scheme/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control { /* of one descriptor */
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static int take_fd(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int frame_recv(int fd, struct frame_in *in)
{
	union control control;
	struct iovec iov = { .iov_base = in, .iov_len = sizeof(in->head) + ABI_NPUD_PAYLOAD };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		/* not CMSG_SPACE(), which has room for two: the system closes what is more */
		.msg_controllen = CMSG_LEN(sizeof(int))
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	in->fd = -1;
	if (n < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
	in->fd = take_fd(&msg);
	if ((size_t)n >= sizeof(in->head) && !(msg.msg_flags & MSG_TRUNC) &&
	    in->head.size == (size_t)n - sizeof(in->head))
		return 0;
	frame_done(in);
	return n ? -EPROTO : -ENOTCONN;
}

void frame_done(struct frame_in *in)
{
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
}

int frame_send(int fd, const struct frame_out *out)
{
	union control control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)out,
			     .iov_len = sizeof(out->head) + out->head.size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (out->fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), &out->fd, sizeof(int));
	}
	if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
}

const char *frame_text(struct frame_in *in)
{
	in->payload[in->head.size] = '\0'; /* there is a byte to spare */
	return memchr(in->payload, 0, in->head.size) ? NULL : (const char *)in->payload;
}

void frame_init(struct frame_out *out, u32 tag)
{
	out->head = (struct abi_npud_reply){ .tag = tag };
	out->fd = -1;
	out->give = false;
}

int frame_put(struct frame_out *out, const void *data, size_t size)
{
	assert(size <= sizeof(out->payload));
	memcpy(out->payload, data, size);
	out->head.size = (u32)size;
	return 0;
}

void frame_fail(struct frame_out *out, int code, const char *text)
{
	out->fd = -1;
	out->head.result = code;
	(void)frame_put(out, text, strlen(text));
}
