/* SPDX-License-Identifier: MIT */
/*
 * What every wire structure of this folder uses.
 *
 * All structures are little endian and are laid over memory shared with the device or firmware,
 * so the host must be little endian as well; the assertion below is where a big-endian port
 * would start.  "P" in SRC comments is the protocol reference.
 */
#ifndef ABI_WIRE_H
#define ABI_WIRE_H

#include <assert.h>
#include <stddef.h>

#include "base/types.h"

#define ABI_ASSERT(cond, text) static_assert(cond, text)

ABI_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "wire structures are little endian");

/** ABI_SIZE() - struct @type has @size bytes */
#define ABI_SIZE(type, size) ABI_ASSERT(sizeof(struct type) == (size), "size of " #type)
/** ABI_OFF() - @field of struct @type is at @off */
#define ABI_OFF(type, field, off) \
	ABI_ASSERT(offsetof(struct type, field) == (off), "offset of " #type "." #field)

/** ABI_PACK4 - 64-bit members on 4-byte boundaries, as P says "pack 4" */
#define ABI_PACK4 __attribute__((packed, aligned(4)))

#define ABI_PAGE_SIZE 4096

/** ABI_API_VER() - API version word; ABI_API_MAJOR(), ABI_API_MINOR() take it apart */
#define ABI_API_VER(major, minor) ((u32)(major) << 16 | (u32)(minor))
#define ABI_API_MAJOR(ver)	  ((u32)(ver) >> 16)
#define ABI_API_MINOR(ver)	  ((u32)(ver)&0xffff)

#endif
