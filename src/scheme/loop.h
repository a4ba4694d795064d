/* SPDX-License-Identifier: MIT */
/* An event loop: descriptors, and what is to be done when they can be read or written. */
#ifndef SCHEME_LOOP_H
#define SCHEME_LOOP_H

#include "base/base.h"

struct loop;

enum loop_events {
	LOOP_READ = 1u << 0,
	LOOP_WRITE = 1u << 1,
	LOOP_EDGE = 1u << 2, /* once when it begins, or is said again; Redox knows no other */
};

struct loop_source { /* embedded in whatever has the descriptor */
	int fd;
	void (*ready)(struct loop_source *source);
};

int loop_create(struct loop **out) BASE_WARN_UNUSED;
/** loop_destroy() - sources stay their owners'.  NULL is allowed. */
void loop_destroy(struct loop *loop);
/** loop_add(), loop_set(), loop_del() - @events as long as they hold; a hang-up counts as readable.
 * A source may take out itself while it is served, and no other. */
int loop_add(struct loop *loop, struct loop_source *source, u32 events) BASE_WARN_UNUSED;
int loop_set(struct loop *loop, struct loop_source *source, u32 events) BASE_WARN_UNUSED;
void loop_del(struct loop *loop, struct loop_source *source);

struct loop_wakeup {
	struct loop_source *ready[64];
	u32 nr;
};

/** loop_sleep() - until something is ready or @timeout_ns (~0 = for ever) passed. */
int loop_sleep(struct loop *loop, u64 timeout_ns, struct loop_wakeup *out) BASE_WARN_UNUSED;
void loop_serve(const struct loop_wakeup *wakeup);

#endif
