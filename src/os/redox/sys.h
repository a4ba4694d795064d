/* SPDX-License-Identifier: MIT */
/*
 * What every user of os/redox/redox.h would write again: paths, mappings, waiting for events.
 *
 * Thread: any; a queue of events belongs to one.  Errors: a negative errno.
 */
#ifndef OS_REDOX_SYS_H
#define OS_REDOX_SYS_H

#include "os/redox/redox.h"

#define RX_FOREVER (~UINT64_C(0))

/** rx_open() - @path, closed on exec, with @flags of enum redox_open.  Return: the descriptor. */
s64 rx_open(const char *path, u32 flags) BASE_WARN_UNUSED;
/** rx_map() - redox_mmap_v1(); @out is where.  Return: 0. */
int rx_map(void *at, u64 size, u32 prot, u32 flags, size_t fd, u64 off,
	   void **out) BASE_WARN_UNUSED;

/** rx_events_open() - a queue of events; closed with redox_close_v1().  Return: 0. */
int rx_events_open(size_t *out) BASE_WARN_UNUSED;
/** rx_events_set() - have it told of @flags (enum redox_event_flags; 0: of nothing more) of @fd, as
 * events with @data.  Edges: after one, the source is read until there is nothing.  Return: 0. */
int rx_events_set(size_t queue, size_t fd, u32 flags, size_t data) BASE_WARN_UNUSED;
/**
 * rx_events_wait() - until there is an event, or @timeout_ns passed: in milliseconds, rounded up,
 * and no sooner than the kernel's next tick; 0: do not wait, RX_FOREVER: no limit
 * Return: how many came, 0 when the time passed; -EINTR: a signal.
 */
int rx_events_wait(size_t queue, u64 timeout_ns, struct redox_event *out, u32 max) BASE_WARN_UNUSED;

#endif
