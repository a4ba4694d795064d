// SPDX-License-Identifier: MIT
/* The lock's contended half, and sleeping on a word (lock.h). */
#include "vnpu/lock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define SPINS 200 /* about as long as the model holds its lock */

void vnpu_lock_slow(struct vnpu_lock *lock)
{
	for (u32 i = 0; i < SPINS; i++) {
		u32 free_state = 0;

		if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_weak_explicit(&lock->state, &free_state, 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return;
		vnpu_cpu_relax();
	}
	while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
		vnpu_futex_wait(&lock->state, 2, UINT64_MAX);
}

void vnpu_lock_wake(struct vnpu_lock *lock)
{
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
