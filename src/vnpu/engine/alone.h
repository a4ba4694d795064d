/* SPDX-License-Identifier: MIT */
/*
 * Runs in a thread of their own: an operation cannot be stopped, but who waits for it can leave it
 * behind.
 */
#ifndef VNPU_ENGINE_ALONE_H
#define VNPU_ENGINE_ALONE_H

#include <pthread.h>

#include "vnpu/engine/engine.h"

/* The arguments of engine->run(), which stay until its end. */
struct vnpu_alone {
	const struct vnpu_engine *engine;
	struct vnpu_net *net; /* prepared with this stop */
	void *const *bindings;
	void *arena;
	u32 stop;
	/* of the run, at its end */
	int ret;
	u32 op;
	struct base_err err;
	pthread_t thread;
	pthread_mutex_t lock; /* protects: ended */
	pthread_cond_t end;
	bool ended;
};

/**
 * vnpu_alone_run() - engine->run() until its end, or until *@stop
 * Return: true: a->ret, a->op and a->err are the run's.  false: it was stopped and goes on;
 * nothing of @a may be touched before vnpu_alone_ended().
 */
bool vnpu_alone_run(struct vnpu_alone *a, const u32 *stop) BASE_WARN_UNUSED;
/** vnpu_alone_ended() - has what was left behind ended?  Waits for it if told so; not asked again once true. */
bool vnpu_alone_ended(struct vnpu_alone *a, bool wait);

#endif
