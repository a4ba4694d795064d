/* SPDX-License-Identifier: MIT */
/* npud in the box, as pcid-spawner starts it. */
#ifndef TESTS_REDOX_DAEMON_H
#define TESTS_REDOX_DAEMON_H

#include <stdatomic.h>

#include "box.h"

struct daemon {
	struct box *box;
	struct box_proc *proc;
	atomic_int stop;
	char firmware[64]; /* a file of the built-in image */
	const char *args[12];
	int nr_args;
	void (*begins)(void); /* its process calls this first; NULL: nothing */
};

/** daemon_init() - writes the image for @gen; @hws: with hardware scheduling */
int daemon_init(struct daemon *d, struct box *box, const char *gen, bool hws) BASE_WARN_UNUSED;
void daemon_fini(struct daemon *d);
/** daemon_arg() - a further word of its command line */
void daemon_arg(struct daemon *d, const char *arg);
/** daemon_start() - until it serves: 0, or box_ready()'s error */
int daemon_start(struct daemon *d) BASE_WARN_UNUSED;
/** daemon_stop() - as by SIGTERM.  Return: its exit code. */
int daemon_stop(struct daemon *d);

#endif
