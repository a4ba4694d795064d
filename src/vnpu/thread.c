// SPDX-License-Identifier: MIT
/*
 * Threaded mode: the firmware's thread runs what is due, the engine's thread the heavy commands.
 *
 * The firmware's thread looks at a word for a while before it sleeps, so that a doorbell costs one
 * cache line and no system call while work keeps coming.
 */
#include <errno.h>

#include "vnpu/compute.h"
#include "vnpu/model.h"

#define SPIN_NS (50 * BASE_NS_PER_US)

void vnpu_kick_fw(struct vnpu *v)
{
	/* order: the store of kick, then the load of fw_asleep; the sleeper does the reverse */
	atomic_store(&v->threads.kick, 1);
	if (atomic_load(&v->threads.fw_asleep))
		vnpu_futex_wake(&v->threads.kick, 1);
}

void vnpu_kick_engine(struct vnpu *v)
{
	atomic_fetch_add(&v->threads.engine_word, 1);
	vnpu_futex_wake(&v->threads.engine_word, 1);
}

static bool spin(struct vnpu *v, u64 until_ns)
{
	u64 end = base_min(base_clock_ns() + SPIN_NS, until_ns);

	do {
		for (u32 i = 0; i < 32; i++) {
			if (atomic_load_explicit(&v->threads.kick, memory_order_acquire))
				return true;
			vnpu_cpu_relax();
		}
	} while (base_clock_ns() < end);
	return end == until_ns;
}

static void wait_for_work(struct vnpu *v, u64 next_ns)
{
	if (spin(v, next_ns))
		return;
	atomic_store(&v->threads.fw_asleep, 1);
	if (!atomic_load(&v->threads.kick))
		vnpu_futex_wait(&v->threads.kick, 0, next_ns);
	atomic_store(&v->threads.fw_asleep, 0);
}

static void *fw_main(void *arg)
{
	struct vnpu *v = arg;

	while (!atomic_load(&v->threads.stop)) {
		u64 next_ns;

		atomic_store(&v->threads.kick, 0); /* before looking: a later kick is not lost */
		vnpu_lock(&v->lock);
		while (vnpu_run_one(v, v->clk.next_ns ? vnpu_time_ns(v) : 0)) {
			vnpu_settle(v);
			vnpu_unlock(&v->lock); /* whoever waits for a register comes first */
			vnpu_lock(&v->lock);
		}
		next_ns = v->clk.next_ns;
		vnpu_settle(v);
		vnpu_unlock(&v->lock);
		wait_for_work(v, next_ns);
	}
	return NULL;
}

static void *engine_main(void *arg)
{
	struct vnpu *v = arg;

	vnpu_lock(&v->lock);
	while (!atomic_load(&v->threads.stop)) {
		bool worked = vnpu_compute_step(v);
		u32 seen = atomic_load(&v->threads.engine_word); /* changes under the lock */

		vnpu_settle(v);
		vnpu_unlock(&v->lock);
		if (worked)
			vnpu_kick_fw(v);
		else
			vnpu_futex_wait(&v->threads.engine_word, seen, UINT64_MAX);
		vnpu_lock_yield(&v->lock); /* a slice is long */
		vnpu_lock(&v->lock);
	}
	vnpu_unlock(&v->lock);
	return NULL;
}

int vnpu_threads_start(struct vnpu *v)
{
	int err;

	v->threads.started = true;
	err = pthread_create(&v->threads.fw, NULL, fw_main, v);
	if (err)
		goto err_stop;
	err = pthread_create(&v->threads.engine, NULL, engine_main, v);
	if (err)
		goto err_join_fw;
	return 0;

err_join_fw:
	atomic_store(&v->threads.stop, 1);
	vnpu_kick_fw(v);
	pthread_join(v->threads.fw, NULL);
err_stop:
	v->threads.started = false;
	return -err;
}

void vnpu_threads_stop(struct vnpu *v)
{
	if (!v->threads.started)
		return;
	vnpu_lock(&v->lock); /* so that neither thread is between looking and sleeping */
	atomic_store(&v->threads.stop, 1);
	vnpu_compute_stop(v);
	vnpu_kick_engine(v);
	vnpu_unlock(&v->lock);
	vnpu_kick_fw(v);
	pthread_join(v->threads.engine, NULL);
	pthread_join(v->threads.fw, NULL);
	v->threads.started = false;
}

void vnpu_wait_quiet(struct vnpu *v)
{
	vnpu_compute_stop(v); /* who waits wants no result */
	while (!vnpu_compute_is_quiet(v)) {
		u32 seen = atomic_load(&v->threads.idle_word);

		vnpu_unlock(&v->lock);
		vnpu_futex_wait(&v->threads.idle_word, seen, UINT64_MAX);
		vnpu_lock(&v->lock);
	}
}
