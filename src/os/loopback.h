/* SPDX-License-Identifier: MIT */
/*
 * The in-process virtual NPU once more, but through a vfio-user socket: its server and our client in
 * one thread, on the device's own, virtual clock.  For tests: what a driver does over the socket is
 * as deterministic as without.
 *
 * Each register access, each mapping of memory and each interrupt goes the way it goes between two
 * processes: as a message, as a descriptor, by an eventfd.
 */
#ifndef OS_LOOPBACK_H
#define OS_LOOPBACK_H

#include "driver/os.h"

struct os_loopback;

/**
 * os_loopback_create() - @npu, stepped, behind a socket; stays the caller's, who leaves its
 * registers, memory and interrupt alone
 * @scatter: give buffers in several pieces for the device
 * Return: 0, -EINVAL (not stepped) or what server and client said; @err says why.
 */
int os_loopback_create(struct os_device *npu, bool scatter, struct os_loopback **out,
		       struct base_err *err) BASE_WARN_UNUSED;
/** os_loopback_destroy() - the driver must be gone; the device is reset.  NULL is allowed. */
void os_loopback_destroy(struct os_loopback *l);
/** os_loopback_seam() - the client's side, for a driver */
struct os_device *os_loopback_seam(struct os_loopback *l);

/** os_loopback_hang_up() - the server goes away */
void os_loopback_hang_up(struct os_loopback *l);
/** os_loopback_complaint() - what the server objected to first of what came, NULL: nothing */
const char *os_loopback_complaint(const struct os_loopback *l);

#endif
