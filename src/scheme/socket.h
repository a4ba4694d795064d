/* SPDX-License-Identifier: MIT */
/*
 * The handle tree over a Unix socket (abi/npud.h).  Who may connect is a matter of the socket file's
 * mode and group; who is privileged: root, and the user the daemon runs as.
 *
 * Thread: that of the loop.
 */
#ifndef SCHEME_SOCKET_H
#define SCHEME_SOCKET_H

#include "scheme/loop.h"
#include "service/svc.h"

struct scheme_socket;

struct scheme_socket_config {
	const char *path;
	u32 mode;  /* of the file, 0 = 0600 */
	u32 group; /* of the file; ~0: the process's */
};

/**
 * scheme_socket_create() - listen
 *
 * A file left over from a daemon that is gone is replaced; one that somebody still listens on is
 * -EADDRINUSE.  Return: 0, -EINVAL (path too long), -ENOMEM, or what the system said.
 */
int scheme_socket_create(struct loop *loop, struct svc *svc, const struct scheme_socket_config *cfg,
			 struct scheme_socket **out, struct base_err *err) BASE_WARN_UNUSED;
/** scheme_socket_destroy() - closes all connections, their handles, and the file.  NULL is allowed. */
void scheme_socket_destroy(struct scheme_socket *socket);
/** scheme_socket_ready() - for svc_process(): clients of this transport. */
void scheme_socket_ready(void *transport, u32 handle);
/** scheme_socket_clients() - connections there are. */
u32 scheme_socket_clients(const struct scheme_socket *socket);

#endif
