/* SPDX-License-Identifier: MIT */
/*
 * The ground everything stands on: fixed-width names, checked arithmetic, error text,
 * allocation that tests can make fail.  No I/O.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/types.h"

#define BASE_BIT(n)   (1u << (n))
#define BASE_BIT64(n) (UINT64_C(1) << (n))
/* bits hi..lo set, 0 <= lo <= hi <= 63 */
#define BASE_MASK64(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

#define BASE_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define BASE_WARN_UNUSED  __attribute__((warn_unused_result))
#define BASE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define BASE_LIKELY(x)	  __builtin_expect(!!(x), 1)
#define BASE_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define BASE_ASSUME(x)                           \
	do {                                     \
		if (!(x))                        \
			__builtin_unreachable(); \
	} while (0)

/* Built with a sanitizer?  For tests that count what its runtime takes too. */
#if defined(__has_feature)
#define BASE_ASAN __has_feature(address_sanitizer)
#define BASE_TSAN __has_feature(thread_sanitizer)
#else
#if defined(__SANITIZE_ADDRESS__)
#define BASE_ASAN 1
#else
#define BASE_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__)
#define BASE_TSAN 1
#else
#define BASE_TSAN 0
#endif
#endif

#define base_container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define base_min(a, b)                                 \
	({                                             \
		typeof(a) base_a_ = (a);               \
		typeof(b) base_b_ = (b);               \
		base_a_ < base_b_ ? base_a_ : base_b_; \
	})
#define base_max(a, b)                                 \
	({                                             \
		typeof(a) base_a_ = (a);               \
		typeof(b) base_b_ = (b);               \
		base_a_ > base_b_ ? base_a_ : base_b_; \
	})

#define BASE_NS_PER_US UINT64_C(1000)
#define BASE_NS_PER_MS UINT64_C(1000000)
#define BASE_NS_PER_S  UINT64_C(1000000000)
#define BASE_PAGE_SIZE UINT64_C(4096)

/* Each returns false, *out untouched, when the result does not fit. */
static inline bool base_add_u64(u64 a, u64 b, u64 *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline bool base_mul_u64(u64 a, u64 b, u64 *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

/** base_range_ok() - is [off, off + len) inside [0, size)?  No overflow; len 0 is allowed. */
static inline bool base_range_ok(u64 off, u64 len, u64 size)
{
	return off <= size && len <= size - off;
}

/** base_align_up() - @x up to a multiple of @align (a power of two); wraps at 2^64. */
static inline u64 base_align_up(u64 x, u64 align)
{
	return (x + align - 1) & ~(align - 1);
}

static inline bool base_is_pow2(u64 x)
{
	return x && !(x & (x - 1));
}

/**
 * struct base_err - a negative errno and the sentence that goes with it
 *
 * The sentence names what failed, where, what was expected and what to do: lower case, no
 * trailing full stop.  Whoever knows the cause fills it, once; callers may prefix context.
 */
struct base_err {
	int code;
	char text[500];
};

/** base_err_set() - fill @err (may be NULL) and return @code, so that `return base_err_set(...)`. */
int base_err_set(struct base_err *err, int code, const char *fmt, ...) BASE_PRINTF(3, 4);
/** base_err_prefix() - put "prefix: " before the text of @err (may be NULL). */
void base_err_prefix(struct base_err *err, const char *fmt, ...) BASE_PRINTF(2, 3);
/** base_err_name() - "EINVAL" for -EINVAL or EINVAL; "E?" when unknown.  Static string. */
const char *base_err_name(int code);

/**
 * base_zalloc(), base_alloc_array() - zeroed memory, or NULL
 *
 * Every allocation of the driver, service, client and graph goes through here, so that tests can
 * count allocations and make the n-th one fail.  base_alloc_array() returns NULL on overflow.
 */
void *base_zalloc(size_t size_bytes) BASE_WARN_UNUSED;
void *base_alloc_array(size_t nr, size_t size_bytes) BASE_WARN_UNUSED;
/** base_realloc_array() - like realloc(ptr, nr * size); NULL on overflow or failure, ptr kept. */
void *base_realloc_array(void *ptr, size_t nr, size_t size_bytes) BASE_WARN_UNUSED;
char *base_strdup(const char *s) BASE_WARN_UNUSED;
void base_free(void *ptr);

/* Test hooks, per thread: allocations made so far; of these, not freed (wraps in a thread that frees
 * what others allocated); the n-th from now fails (0 = none). */
u64 base_alloc_count(void);
u64 base_alloc_live(void);
void base_alloc_fail_nth(u64 n);

/** base_hash64() - 64-bit hash of @len bytes; stable across machines; not cryptographic. */
u64 base_hash64(const void *data, size_t len, u64 seed);

/** base_clock_ns() - CLOCK_MONOTONIC in nanoseconds; only src/os and user-facing code may ask. */
u64 base_clock_ns(void);

#endif
