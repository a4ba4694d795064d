/* SPDX-License-Identifier: MIT */
/*
 * A transport: carries the requests of programs to the service (service/svc.h), and its answers
 * back.  One of two is linked: socket.c, a Unix socket (frames: abi/npud.h), for all there is, and
 * redox.c, a scheme of Redox, for one of npu:, mmio:, dma:.  What a request means, and what is wrong with it, is the service's to say.
 *
 * Thread: that of the loop.
 */
#ifndef SCHEME_SCHEME_H
#define SCHEME_SCHEME_H

#include "scheme/loop.h"
#include "service/svc.h"

struct scheme;

struct scheme_config {
	const char *name; /* path of the socket; name of the scheme */
	const char
		*tree; /* of a scheme: what the service puts before its paths, "mmio:"; NULL: "" */
	u32 mode;      /* of the socket, 0 = 0600; a scheme's is its namespace's affair */
	u32 group;     /* of the socket; ~0: the process's */
};

/**
 * scheme_create() - listen
 *
 * Privileged is root and, over the socket, the user the daemon runs as.  A socket left over from a
 * daemon that is gone is replaced.
 *
 * Return: 0, -EADDRINUSE (somebody listens on the socket), -EEXIST (the scheme's name is taken),
 * -EINVAL (path too long), -ENOMEM, or what the system said.
 */
int scheme_create(struct loop *loop, struct svc *svc, const struct scheme_config *cfg,
		  struct scheme **out, struct base_err *err) BASE_WARN_UNUSED;
/** scheme_destroy() - who waits is answered, handles are closed, nobody listens.  NULL is allowed. */
void scheme_destroy(struct scheme *scheme);
/** scheme_ready() - for svc_process(): clients of this transport. */
void scheme_ready(void *transport, u32 handle);
/** scheme_settle() - after svc_process(), before the loop sleeps.  Return: there is more to do. */
bool scheme_settle(struct scheme *scheme);
#endif
