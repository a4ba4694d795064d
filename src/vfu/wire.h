/* SPDX-License-Identifier: MIT */
/*
 * Messages over a connected stream socket, with the descriptors that come along.
 *
 * One receive call takes whatever has come, maybe several messages; nothing is allocated.
 */
#ifndef VFU_WIRE_H
#define VFU_WIRE_H

#include "vfu/proto.h"

#define VFU_RX_BYTES (4 * VFU_MAX_MSG)

struct vfu_fds { /* descriptors that came with one message */
	u32 at;	 /* where it begins */
	u32 nr;
	int fd[VFU_MAX_FDS];
};

struct vfu_wire {
	int fd;
	u32 head, tail; /* bytes of buf that wait */
	u32 nr_lots;
	struct vfu_fds lots[2]; /* ascending: of the first message, and of one behind it */
	u8 buf[VFU_RX_BYTES] __attribute__((aligned(16)));
};

/* A message received.  The payload stays valid until the next vfu_wire_recv(). */
struct vfu_msg {
	struct vfu_hdr hdr;
	u8 *data; /* behind the header; aligned like the header on the wire: not at all */
	u32 len;
	u32 nr_fds;
	int fds[VFU_MAX_FDS]; /* the receiver's to close; -1: taken */
};

void vfu_wire_init(struct vfu_wire *wire, int fd);
/** vfu_wire_fini() - closes what was received and not taken, and the socket. */
void vfu_wire_fini(struct vfu_wire *wire);

/**
 * vfu_wire_recv() - the next message, waiting for it
 * Return: 0, -EAGAIN (the socket does not block), -ENOTCONN (the peer has closed), -EPROTO (a size that cannot be, or too many
 * descriptors: the stream is lost), or what the socket said.
 */
int vfu_wire_recv(struct vfu_wire *wire, struct vfu_msg *msg) BASE_WARN_UNUSED;

/** vfu_wire_header() - after -EPROTO: the header the stream was lost at; false: none came */
bool vfu_wire_header(const struct vfu_wire *wire, struct vfu_hdr *out);

/** vfu_wire_send() - all of [@msg, @msg + @len), with @nr_fds descriptors */
int vfu_wire_send(int fd, const void *msg, u32 len, const int *fds, u32 nr_fds) BASE_WARN_UNUSED;

/** vfu_msg_close() - the descriptors nobody took */
void vfu_msg_close(struct vfu_msg *msg);

#endif
