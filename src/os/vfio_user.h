/* SPDX-License-Identifier: MIT */
/*
 * A device behind a vfio-user socket as a seam: `vnpu`, or anybody else's.
 *
 * Real time, but with a server in the same thread.  A device whose server has gone reads as all-ones, like one that was pulled out.
 */
#ifndef OS_VFIO_USER_H
#define OS_VFIO_USER_H

#include "driver/os.h"

/**
 * os_vfio_user_create() - connect to the server at @path
 * Return: 0, or what vfu_client_open() said, -ENODEV (no device, no interrupt); @err says why.
 */
int os_vfio_user_create(const char *path, struct os_device **out,
			struct base_err *err) BASE_WARN_UNUSED;
/* A server in this very thread, with a clock of its own; for tests (loopback.h). */
struct os_vfio_user_peer {
	void *opaque;
	void (*turn)(void *opaque); /* do what was asked */
	u64 (*now_ns)(void *opaque);
	/* What the device does next, at most until then; false: nothing, that time is now. */
	bool (*step)(void *opaque, u64 until_ns);
	bool scatter; /* as struct os_inproc_config */
};

/** os_vfio_user_attach() - the same over the connected @fd, which it takes, even if it fails */
int os_vfio_user_attach(int fd, const struct os_vfio_user_peer *peer, struct os_device **out,
			struct base_err *err) BASE_WARN_UNUSED;
/** os_vfio_user_destroy() - the driver must be gone.  NULL is allowed. */
void os_vfio_user_destroy(struct os_device *os);
/**
 * os_vfio_user_by_message() - share no memory from now on: the server asks for each piece of it
 *
 * For servers that cannot map ours, and tests of those that can.  Slow.  Before any allocation.
 */
void os_vfio_user_by_message(struct os_device *os);
/** os_vfio_user_live_dma() - DMA allocations not freed; 0 after drv_destroy(). */
u64 os_vfio_user_live_dma(const struct os_device *os);

#endif
