/* SPDX-License-Identifier: MIT */
/*
 * The model's lock: one word.  The uncontended case, which is every register access, is one atomic
 * instruction and a branch each way.
 */
#ifndef VNPU_LOCK_H
#define VNPU_LOCK_H

#include <stdatomic.h>

#include "base/base.h"

enum {
	VNPU_LOCK_TAKEN = 1,
	VNPU_LOCK_WAITED = 2, /* somebody sleeps */
	VNPU_LOCK_NOTE = 4,   /* the holder's to set: vnpu_unlock_note() tells of it */
};

struct vnpu_lock {
	_Atomic u32 state;
	_Atomic u32 nr_waiting; /* threads that found it taken */
	_Atomic u32 yields;	/* who gave it up waits until one of them has had it */
	_Atomic u32 served;
};

void vnpu_lock_slow(struct vnpu_lock *lock) __attribute__((cold));
/** vnpu_unlock_slow() - what is left to do when the lock was given up in @state. */
void vnpu_unlock_slow(struct vnpu_lock *lock, u32 state) __attribute__((cold));

static inline void vnpu_lock(struct vnpu_lock *lock)
{
	if (atomic_fetch_or_explicit(&lock->state, VNPU_LOCK_TAKEN, memory_order_acquire) &
	    VNPU_LOCK_TAKEN)
		vnpu_lock_slow(lock);
}

/** vnpu_unlock_note() - vnpu_unlock(); was VNPU_LOCK_NOTE set? */
static inline bool vnpu_unlock_note(struct vnpu_lock *lock)
{
	u32 state = atomic_fetch_sub_explicit(&lock->state, VNPU_LOCK_TAKEN, memory_order_release);

	if (BASE_LIKELY(state == VNPU_LOCK_TAKEN))
		return false;
	vnpu_unlock_slow(lock, state);
	return state & VNPU_LOCK_NOTE;
}

static inline void vnpu_unlock(struct vnpu_lock *lock)
{
	(void)vnpu_unlock_note(lock);
}

/** vnpu_lock_yield() - without the lock, before taking it again: who waits for it has it first. */
void vnpu_lock_yield(struct vnpu_lock *lock);

static inline void vnpu_note(struct vnpu_lock *lock)
{
	atomic_fetch_or_explicit(&lock->state, VNPU_LOCK_NOTE, memory_order_relaxed);
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
