/* SPDX-License-Identifier: MIT */
/*
 * The model's lock: three states in one word (0 free, 1 taken, 2 taken and waited for), so that
 * the uncontended case, which is every register access, costs two atomic instructions.
 */
#ifndef VNPU_LOCK_H
#define VNPU_LOCK_H

#include <stdatomic.h>

#include "base/types.h"

struct vnpu_lock {
	_Atomic u32 state;
};

void vnpu_lock_slow(struct vnpu_lock *lock);
void vnpu_lock_wake(struct vnpu_lock *lock);

static inline void vnpu_lock(struct vnpu_lock *lock)
{
	u32 free_state = 0;

	if (!atomic_compare_exchange_strong_explicit(&lock->state, &free_state, 1,
						     memory_order_acquire, memory_order_relaxed))
		vnpu_lock_slow(lock);
}

static inline void vnpu_unlock(struct vnpu_lock *lock)
{
	if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2)
		vnpu_lock_wake(lock);
}

static inline void vnpu_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/** vnpu_futex_wait() - sleep while *@word is @val, at most until @until_ns of CLOCK_MONOTONIC
 * (UINT64_MAX: forever); may return early. */
void vnpu_futex_wait(_Atomic u32 *word, u32 val, u64 until_ns);
/** vnpu_futex_wake() - wake up to @nr sleepers. */
void vnpu_futex_wake(_Atomic u32 *word, int nr);

#endif
