// SPDX-License-Identifier: MIT
/* The lock's contended half, and sleeping on a word (lock.h). */
#include "vnpu/lock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define SPINS	 200		      /* about as long as the model holds its lock */
#define YIELD_NS (1 * BASE_NS_PER_MS) /* at most: who waits may not have a processor */

static u32 try_lock(struct vnpu_lock *lock, u32 bits)
{
	return atomic_fetch_or_explicit(&lock->state, bits, memory_order_acquire);
}

static bool spin(struct vnpu_lock *lock)
{
	for (u32 i = 0; i < SPINS; i++) {
		if (!(atomic_load_explicit(&lock->state, memory_order_relaxed) & VNPU_LOCK_TAKEN) &&
		    !(try_lock(lock, VNPU_LOCK_TAKEN) & VNPU_LOCK_TAKEN))
			return true;
		vnpu_cpu_relax();
	}
	return false;
}

static void sleep_until_taken(struct vnpu_lock *lock)
{
	const u32 both = VNPU_LOCK_TAKEN | VNPU_LOCK_WAITED;
	u32 seen;

	/* the next unlock wakes another one: whoever was woken cannot know that he was the last */
	while ((seen = try_lock(lock, both)) & VNPU_LOCK_TAKEN)
		vnpu_futex_wait(&lock->state, seen | both, UINT64_MAX);
}

void vnpu_lock_slow(struct vnpu_lock *lock)
{
	atomic_fetch_add(&lock->nr_waiting, 1);
	if (!spin(lock))
		sleep_until_taken(lock);
	atomic_fetch_sub(&lock->nr_waiting, 1);
	if (atomic_load(&lock->yields)) {
		atomic_fetch_add(&lock->served, 1);
		vnpu_futex_wake(&lock->served, INT_MAX);
	}
}

void vnpu_lock_yield(struct vnpu_lock *lock)
{
	u32 seen;

	if (BASE_LIKELY(!atomic_load_explicit(&lock->nr_waiting, memory_order_relaxed)))
		return;
	atomic_fetch_add(&lock->yields, 1); /* order: before looking whether anybody waits */
	seen = atomic_load(&lock->served);
	if (atomic_load(&lock->nr_waiting))
		vnpu_futex_wait(&lock->served, seen, base_clock_ns() + YIELD_NS);
	atomic_fetch_sub(&lock->yields, 1);
}

void vnpu_unlock_slow(struct vnpu_lock *lock, u32 state)
{
	/*
	 * Only what @state had, and before the wake: who comes to sleep after it sets the bit again.
	 * A note of the next holder that goes with ours is served by what our caller does after.
	 */
	atomic_fetch_and_explicit(&lock->state, ~(state & ~(u32)VNPU_LOCK_TAKEN),
				  memory_order_relaxed);
	if (state & VNPU_LOCK_WAITED)
		vnpu_futex_wake(&lock->state, 1);
}

void vnpu_futex_wait(_Atomic u32 *word, u32 val, u64 until_ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(until_ns / BASE_NS_PER_S),
				     .tv_nsec = (long)(until_ns % BASE_NS_PER_S) };

	/* the absolute deadline of FUTEX_WAIT_BITSET is on CLOCK_MONOTONIC */
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, val,
		until_ns == UINT64_MAX ? NULL : &ts, NULL, FUTEX_BITSET_MATCH_ANY);
}

void vnpu_futex_wake(_Atomic u32 *word, int nr)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, nr, NULL, NULL, 0);
}
