/* SPDX-License-Identifier: MIT */
/* hostile.h over npud's socket: frames of abi/npud.h, sent and taken by hand; and the daemon. */
#ifndef TESTS_HOSTILE_SOCKET_H
#define TESTS_HOSTILE_SOCKET_H

#include <sys/types.h>

#include "abi/npud.h"
#include "hostile.h"

struct hostile_conn {
	int fd;
	u32 tag;
	char why[512];
};

/** hostile_dial() - a connection that said nothing yet: its descriptor, or a negative errno */
int hostile_dial(const char *path);
/** hostile_connect() - and says hello, as @name */
int hostile_connect(const char *path, const char *name, struct hostile_conn *out) BASE_WARN_UNUSED;
void hostile_disconnect(struct hostile_conn *c);

/** hostile_ask() - a request and its reply, whatever they are; @fd (may be NULL): what came along */
s64 hostile_ask(struct hostile_conn *c, struct abi_npud_req req, const void *payload, void *buf,
		u64 size, int *fd);
/** hostile_send() - without waiting for an answer: 0 or a negative errno */
int hostile_send(int fd, const struct abi_npud_req *req, const void *payload);

struct hostile_daemon {
	pid_t pid;
	char dir[64], socket[80], firmware[80], log[80], config[80];
};

/** hostile_daemon_start() - npud at @exe with a virtual NPU; @hws: hardware scheduling; @nofile:
 * its limit of descriptors, 0 = as ours */
int hostile_daemon_start(const char *exe, const struct reg_gen *gen, bool hws, u32 nofile,
			 struct hostile_daemon *out) BASE_WARN_UNUSED;
/** hostile_daemon_stop() - in order: its exit code, or -1 when a signal ended it */
int hostile_daemon_stop(struct hostile_daemon *d);
/** hostile_daemon_fds() - descriptors it has open */
u32 hostile_daemon_fds(const struct hostile_daemon *d);

#endif
