/* SPDX-License-Identifier: MIT */
/*
 * A seam that goes wrong on demand, around another one.  For tests.
 *
 * Every call that can go wrong is numbered from 1 in the order of calls.  What "wrong" means:
 *   cfg_rd, cfg_wr, bar_info, irq_setup, reset   -EIO, nothing done
 *   bar_map, dma_alloc                           -ENOMEM
 *   rd32, rd64                                   all-ones, as from a device that is gone
 *   wr32, wr64                                   the write is lost
 *   irq_ack                                      the interrupt is lost
 *   wait                                         -EINTR at once (never twice)
 * Calls that cannot fail (time, barriers, releases) are passed on and not numbered.
 */
#ifndef OS_FAULTY_H
#define OS_FAULTY_H

#include "driver/os.h"

/** os_faulty_create() - @inner stays the caller's and must outlive the result; 0 or -ENOMEM */
int os_faulty_create(struct os_device *inner, struct os_device **out) BASE_WARN_UNUSED;
void os_faulty_destroy(struct os_device *os);

/** os_faulty_arm() - the @nth call from now goes wrong (1 = the next, 0 = none), and with @sticky
 * every call after it. */
void os_faulty_arm(struct os_device *os, u64 nth, bool sticky);
/** os_faulty_calls() - numbered calls so far. */
u64 os_faulty_calls(const struct os_device *os);
/** os_faulty_fired() - has the armed fault happened?  What it hit ("wr32 BAR0+0x154"), or NULL. */
const char *os_faulty_fired(const struct os_device *os);

/** os_faulty_force() - bits @mask of each later read of BAR @bar + @off come out as in @val, after
 * the first @skip reads; mask 0 ends it.  One register at a time. */
void os_faulty_force(struct os_device *os, u32 bar, u32 off, u64 mask, u64 val, u32 skip);

/* What a driver did to a register, or that it paused (bytes 0, val = ns). */
struct os_faulty_access {
	bool is_write;
	u8 bytes;
	u32 bar, off;
	u64 val;
};
/** os_faulty_watch() - call @fn after each access and delay; NULL ends it. */
void os_faulty_watch(struct os_device *os,
		     void (*fn)(void *opaque, const struct os_faulty_access *access), void *opaque);

/* Register accesses passed on so far. */
struct os_faulty_stats {
	u64 rd, wr;
};
void os_faulty_get_stats(const struct os_device *os, struct os_faulty_stats *out);

#endif
