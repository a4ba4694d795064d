/* SPDX-License-Identifier: MIT */
/*
 * Device registers that are mapped into this process: one access of just that size each, which the
 * compiler neither splits, merges, moves nor repeats.
 *
 *   u8 mmio_rd8(const volatile void *at)     void mmio_wr8(volatile void *at, u8 val)     and 16, 32, 64
 *
 * On x86 in one form only, address in rdx and value in rax: who puts a made-up device behind the
 * mapping (tests/redox) tells an access by its two or three bytes.
 */
#ifndef OS_REDOX_MMIO_H
#define OS_REDOX_MMIO_H

#include "base/types.h"

#ifdef __x86_64__

#define MMIO_ACCESS(bits, mov)                                                      \
	static inline u##bits mmio_rd##bits(const volatile void *at)                \
	{                                                                           \
		u##bits val;                                                        \
                                                                                    \
		__asm__ volatile(mov " (%1), %0" : "=a"(val) : "d"(at) : "memory"); \
		return val;                                                         \
	}                                                                           \
                                                                                    \
	static inline void mmio_wr##bits(volatile void *at, u##bits val)            \
	{                                                                           \
		__asm__ volatile(mov " %0, (%1)" : : "a"(val), "d"(at) : "memory"); \
	}

#else

#define MMIO_ACCESS(bits, mov)                                           \
	static inline u##bits mmio_rd##bits(const volatile void *at)     \
	{                                                                \
		return *(const volatile u##bits *)at;                    \
	}                                                                \
                                                                         \
	static inline void mmio_wr##bits(volatile void *at, u##bits val) \
	{                                                                \
		*(volatile u##bits *)at = val;                           \
	}

#endif

MMIO_ACCESS(8, "movb")
MMIO_ACCESS(16, "movw")
MMIO_ACCESS(32, "movl")
MMIO_ACCESS(64, "movq")

#undef MMIO_ACCESS

#endif
