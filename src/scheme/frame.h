/* SPDX-License-Identifier: MIT */
/* Frames of the socket (abi/npud.h), one message each. */
#ifndef SCHEME_FRAME_H
#define SCHEME_FRAME_H

#include "abi/npud.h"
#include "base/base.h"

struct frame_in {
	struct abi_npud_req head;
	u8 payload[ABI_NPUD_PAYLOAD + 1]; /* a byte for frame_text() */
	int fd;				  /* came along, whoever received it closes it; -1: none */
};

struct frame_out {
	struct abi_npud_reply head;
	u8 payload[ABI_NPUD_PAYLOAD];
	int fd;	   /* goes along; -1: none; whoever put it there keeps it */
	bool give; /* or not: it is closed here when it was sent */
};

/** frame_recv() - 0, -EAGAIN (none is there), -ENOTCONN (the other side is gone), -EPROTO (not a
 * frame), or what the system said: then @in->fd is -1.  Of several descriptors the first stays. */
int frame_recv(int fd, struct frame_in *in) BASE_WARN_UNUSED;
/** frame_done() - what came along is closed. */
void frame_done(struct frame_in *in);
/** frame_send() - 0, -EAGAIN (not taken now), or what the system said. */
int frame_send(int fd, const struct frame_out *out) BASE_WARN_UNUSED;

/** frame_text() - the payload as a string; NULL if there is a NUL in it. */
const char *frame_text(struct frame_in *in);
void frame_init(struct frame_out *out, u32 tag);
/** frame_put() - @size bytes as payload, at most ABI_NPUD_PAYLOAD; 0. */
int frame_put(struct frame_out *out, const void *data, size_t size);
/** frame_fail() - the answer is an error and its words. */
void frame_fail(struct frame_out *out, int code, const char *text);

#endif
