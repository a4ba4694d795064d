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
	return NULL;
}

static bool ends_within(pthread_t thread, u64 ns)
{
	const u64 until = base_clock_ns() + ns;
	const struct timespec ts = { .tv_sec = (time_t)(until / BASE_NS_PER_S),
				     .tv_nsec = (long)(until % BASE_NS_PER_S) };

	return !pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &ts);
}

bool vnpu_alone_run(struct vnpu_alone *a, const u32 *stop)
{
	int err;

	a->stop = 0;
	a->op = ABI_TENSOR_NONE;
	err = pthread_create(&a->thread, NULL, run, a);
	if (err) {
		a->ret = base_err_set(&a->err, -ENOMEM, "no thread to run in: error %d", err);
		return true;
	}
	while (!ends_within(a->thread, LOOK_NS)) {
		if (!vnpu_engine_stopped(stop, &(struct base_err){ 0 }))
			continue;
		__atomic_store_n(&a->stop, 1, __ATOMIC_RELAXED);
		return false;
	}
	return true;
}

bool vnpu_alone_ended(struct vnpu_alone *a, bool wait)
{
	return !(wait ? pthread_join(a->thread, NULL) : pthread_tryjoin_np(a->thread, NULL));
}
