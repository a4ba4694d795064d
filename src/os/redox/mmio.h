/* SPDX-License-Identifier: MIT */
/*
 * Device registers that are mapped into this process: one access of just that size each, which the
 * compiler neither splits, merges, moves nor repeats.
 *
 * On x86 in one form only, address in rdx and value in rax: who puts a made-up device behind the
 * mapping (tests/redox) tells an access by its two or three bytes.
 */
#ifndef OS_REDOX_MMIO_H
#define OS_REDOX_MMIO_H

#include "base/types.h"

#ifdef __x86_64__

static inline u32 mmio_rd32(const volatile void *at)
{
	u32 val;

	__asm__ volatile("movl (%1), %0" : "=a"(val) : "d"(at) : "memory");
	return val;
}

static inline u64 mmio_rd64(const volatile void *at)
{
	u64 val;

	__asm__ volatile("movq (%1), %0" : "=a"(val) : "d"(at) : "memory");
	return val;
}

static inline void mmio_wr32(volatile void *at, u32 val)
{
	__asm__ volatile("movl %0, (%1)" : : "a"(val), "d"(at) : "memory");
}

static inline void mmio_wr64(volatile void *at, u64 val)
{
	__asm__ volatile("movq %0, (%1)" : : "a"(val), "d"(at) : "memory");
}

#else

static inline u32 mmio_rd32(const volatile void *at)
{
	return *(const volatile u32 *)at;
}

static inline u64 mmio_rd64(const volatile void *at)
{
	return *(const volatile u64 *)at;
}

static inline void mmio_wr32(volatile void *at, u32 val)
{
	*(volatile u32 *)at = val;
}

static inline void mmio_wr64(volatile void *at, u64 val)
{
	*(volatile u64 *)at = val;
}

#endif

#endif
