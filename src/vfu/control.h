/* SPDX-License-Identifier: MIT */
/*
 * Faults and marks while the device runs: one line asks, one line answers, `ok` or `error: why`.
 *
 *   fault DEVICE NAME COUNT    the next COUNT occasions go wrong; DEVICE counts from 0
 *   mark DEVICE NAME           a record in its trace (docs/trace.md)
 */
#ifndef VFU_CONTROL_H
#define VFU_CONTROL_H

#include <pthread.h>

#include "vfu/vfu.h"

#define VFU_CONTROL_LINE 256u

struct vfu_control {
	int in, out; /* the caller's */
	int stop_fd;
	struct vfu_server *const *srv;
	u32 nr;
	pthread_t thread;
};

/** vfu_control_start() - serve @in in a thread until it ends or vfu_control_stop() is called
 * The devices outlive it.  Return: 0 or a negative errno, nothing started. */
int vfu_control_start(struct vfu_control *c, int in, int out, struct vfu_server *const *srv,
		      u32 nr) BASE_WARN_UNUSED;
void vfu_control_stop(struct vfu_control *c);

#endif
