/* SPDX-License-Identifier: MIT */
/*
 * What npud and its clients say to each other over a Unix socket of type SOCK_SEQPACKET: one frame
 * per message, a head and its payload.  Every request but ABI_NPUD_POST is answered by one reply,
 * in order.  Handles and paths are those of the handle tree (design section 4).  Both ends are on
 * one machine: its byte order.
 */
#ifndef ABI_NPUD_H
#define ABI_NPUD_H

#include <assert.h>
#include <stddef.h>

#include "base/types.h"

#define ABI_NPUD_MAGIC	 0x4455504eu /* "NPUD" */
#define ABI_NPUD_VERSION 1u
#define ABI_NPUD_PAYLOAD 0x8000u /* most bytes behind a head */

enum abi_npud_op {
	ABI_NPUD_HELLO = 1, /* first; struct abi_npud_hello -> the same, version npud's */
	ABI_NPUD_OPEN,	    /* path -> handle */
	ABI_NPUD_DUP,	/* of handle: path -> handle; a descriptor may come along: svc_import() */
	ABI_NPUD_READ,	/* arg: most bytes -> bytes */
	ABI_NPUD_WRITE, /* bytes -> how many were taken */
	ABI_NPUD_POST,	/* job descriptors; no reply: svc_post() */
	ABI_NPUD_CALL,	/* struct of service/calls.h -> filled in */
	ABI_NPUD_MAP,	/* -> size in bytes, and a descriptor to map from 0 */
	ABI_NPUD_STAT,	/* -> size in bytes; what it is, as text */
	ABI_NPUD_READY, /* -> 0 or why not, as svc_wait() without waiting */
	ABI_NPUD_EVENT, /* arg 1: -> 0 and a descriptor, from which 8 bytes can be read once the
			 * handle is ready, and for a queue whenever its page wakes; arg 0: again, the
			 * descriptor is there.  A second one replaces the first */
	ABI_NPUD_CLOSE,
	ABI_NPUD_SEEK, /* arg: offset (s64), payload: u32 0 from the start, 1 the position, 2 the end
			* -> the position */
	ABI_NPUD_NR_OPS,
};

struct abi_npud_req {
	u16 op; /* enum abi_npud_op */
	u16 reserved;
	u32 tag; /* comes back in the reply */
	u32 handle;
	u32 size; /* of the payload */
	u64 arg;
};

static_assert(sizeof(struct abi_npud_req) == 24, "request");

struct abi_npud_reply {
	u32 tag;
	u32 size;   /* of the payload; when result is negative: words */
	s64 result; /* or a negative errno */
};

static_assert(sizeof(struct abi_npud_reply) == 16, "reply");

struct abi_npud_hello {
	u32 magic;
	u32 version;
	char name[56]; /* who the client says it is, for others to see; need not be terminated */
};

static_assert(sizeof(struct abi_npud_hello) == 64, "hello");

#endif
