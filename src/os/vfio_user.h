/* SPDX-License-Identifier: MIT */
/*
 * A device behind a vfio-user socket as a seam: `vnpu`, or anybody else's.
 *
 * Real time.  A device whose server has gone reads as all-ones, like one that was pulled out.
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
