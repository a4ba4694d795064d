/* SPDX-License-Identifier: MIT */
/*
 * Devices by their strings, for a process that drives them itself: "sim:GEN[,...]" a virtual NPU in
 * this process, "vfio-user:PATH" one behind a socket (host_linux.c); on Redox "pcid:FD"
 * (host_redox.c).
 */
#ifndef SERVICE_HOST_H
#define SERVICE_HOST_H

#include "driver/driver.h"
#include "service/sim_spec.h"

#define SVC_VFIO_USER_PREFIX "vfio-user:"
#define SVC_VFIO_USER_FORM   "vfio-user:PATH"

struct svc_host {
	struct os_device *os;
	void (*destroy_os)(struct os_device *os);
	struct drv_dev *drv; /* booted */
	bool is_sim;
	bool stepped;  /* time stands still while nobody waits */
	u64 create_ns; /* what it took to make the device, not to boot it */
};

/**
 * svc_host_open() - make the device, boot it
 * @cfg: its sched is taken from the string
 * @on_failed: may be NULL; sees the device that did not boot before it is gone
 *
 * Return: 0, -EINVAL (no such string), or what went wrong.
 */
int svc_host_open(const char *device, const struct drv_config *cfg,
		  void (*on_failed)(void *opaque, struct drv_dev *drv), struct svc_host *out,
		  struct base_err *err) BASE_WARN_UNUSED;
/** svc_host_close() - the device was shut down (svc_remove_device()). */
void svc_host_close(struct svc_host *host);

/** svc_host_make() - the system's part of it: os, destroy_os, is_sim and stepped of @out, and, where
 * the string has a word on it, @sched.  Return: as svc_host_open(). */
int svc_host_make(const char *device, struct svc_host *out, u32 *sched,
		  struct base_err *err) BASE_WARN_UNUSED;

#endif
