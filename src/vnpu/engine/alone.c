// SPDX-License-Identifier: MIT
/* Runs in a thread of their own (alone.h). */
#include "vnpu/engine/alone.h"

#include <time.h>

/* Between two looks whether it is still wanted; its end is seen at once. */
#define LOOK_NS (5 * BASE_NS_PER_MS)

static void *run(void *arg)
{
	struct vnpu_alone *a = arg;

	a->ret = a->engine->run(a->net, a->bindings, a->arena, &a->op, &a->err);
	pthread_mutex_lock(&a->lock);
	a->ended = true;
	pthread_cond_signal(&a->end);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static int init(struct vnpu_alone *a)
{
	pthread_condattr_t attr;
	int err;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->end, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&a->lock, NULL);
	err = pthread_create(&a->thread, NULL, run, a);
	if (err) {
		pthread_mutex_destroy(&a->lock);
		pthread_cond_destroy(&a->end);
	}
	return err;
}

static void join(struct vnpu_alone *a)
{
	pthread_join(a->thread, NULL);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->end);
}

static bool ends_within(struct vnpu_alone *a, u64 ns)
{
	const u64 until = base_clock_ns() + ns;
	const struct timespec ts = { .tv_sec = (time_t)(until / BASE_NS_PER_S),
				     .tv_nsec = (long)(until % BASE_NS_PER_S) };
	bool ended;

	pthread_mutex_lock(&a->lock);
	while (!a->ended && !pthread_cond_timedwait(&a->end, &a->lock, &ts))
		;
	ended = a->ended;
	pthread_mutex_unlock(&a->lock);
	return ended;
}

bool vnpu_alone_run(struct vnpu_alone *a, const u32 *stop)
{
	int err;

	a->stop = 0;
	a->ended = false;
	a->op = ABI_TENSOR_NONE;
	err = init(a);
	if (err) {
		a->ret = base_err_set(&a->err, -ENOMEM, "no thread to run in: error %d", err);
		return true;
	}
	while (!ends_within(a, LOOK_NS)) {
		if (!vnpu_engine_stopped(stop, &(struct base_err){ 0 }))
			continue;
		__atomic_store_n(&a->stop, 1, __ATOMIC_RELAXED);
		return false;
	}
	join(a);
	return true;
}

bool vnpu_alone_ended(struct vnpu_alone *a, bool wait)
{
	if (!wait && !ends_within(a, 0))
		return false;
	join(a);
	return true;
}
