// SPDX-License-Identifier: MIT
#include "service/host.h"

int svc_host_open(const char *device, const struct drv_config *cfg,
		  void (*on_failed)(void *opaque, struct drv_dev *drv), struct svc_host *out,
		  struct base_err *err)
{
	struct drv_config own = *cfg;
	u64 start = base_clock_ns();
	int ret;

	*out = (struct svc_host){ 0 };
	ret = svc_host_make(device, out, &own.sched, err);
	if (ret)
		return ret;
	out->create_ns = base_clock_ns() - start;
	ret = drv_create(out->os, &own, &out->drv, err);
	if (ret)
		goto err_destroy_os;
	ret = drv_boot(out->drv, err);
	if (ret)
		goto err_destroy_drv;
	return 0;

err_destroy_drv:
	if (on_failed)
		on_failed(own.opaque, out->drv);
	drv_destroy(out->drv);
err_destroy_os:
	out->destroy_os(out->os);
	return ret;
}

void svc_host_close(struct svc_host *host)
{
	drv_destroy(host->drv);
	host->destroy_os(host->os);
}
