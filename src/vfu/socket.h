/* SPDX-License-Identifier: MIT */
/*
 * A listening socket in the file system: in a directory only its owner can change, never in the
 * place of a living one, with its mode before anybody can see it.
 */
#ifndef VFU_SOCKET_H
#define VFU_SOCKET_H

#include <sys/types.h>

#include "base/base.h"

struct vfu_socket {
	int type;    /* the caller's: SOCK_STREAM, ... */
	mode_t mode; /* the caller's */
	gid_t group; /* the caller's; (gid_t)-1: the process's */
	int fd;	     /* -1: closed */
	char path[108];
	dev_t dev; /* the file that is ours */
	ino_t ino;
};

/** vfu_socket_open() - listen at @path; makes its directory if that is missing. */
int vfu_socket_open(struct vfu_socket *sock, const char *path,
		    struct base_err *err) BASE_WARN_UNUSED;
/** vfu_socket_close() - and take our file away. */
void vfu_socket_close(struct vfu_socket *sock);

#endif
