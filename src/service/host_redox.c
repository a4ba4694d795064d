// SPDX-License-Identifier: MIT
/* service/host.h on Redox: "pcid:FD", the function whose channel pcid-spawner opened. */
#include <errno.h>
#include <string.h>

#include "os/redox/device.h"
#include "service/host.h"

#define PREFIX "pcid:"

static bool channel_of(const char *device, size_t *out)
{
	const char *p = device + strlen(PREFIX);
	u64 val = 0;

	if (strncmp(device, PREFIX, strlen(PREFIX)) != 0 || !*p)
		return false;
	for (; *p >= '0' && *p <= '9' && val <= INT32_MAX; p++)
		val = val * 10 + (u64)(*p - '0');
	*out = (size_t)val;
	return !*p && val <= INT32_MAX;
}

int svc_host_open(const char *device, const struct drv_config *cfg,
		  void (*on_failed)(void *opaque, struct drv_dev *drv), struct svc_host *out,
		  struct base_err *err)
{
	size_t channel;
	int ret;

	*out = (struct svc_host){ .destroy_os = os_redox_destroy };
	if (!channel_of(device, &channel))
		return base_err_set(err, -EINVAL,
				    "device \"%.60s\": expected " PREFIX
				    "FD, the descriptor of the "
				    "function's channel",
				    device);
	ret = os_redox_create(channel, &out->os, err);
	if (ret)
		return ret;
	ret = drv_create(out->os, cfg, &out->drv, err);
	if (ret)
		goto err_destroy_os;
	ret = drv_boot(out->drv, err);
	if (ret)
		goto err_destroy_drv;
	return 0;

err_destroy_drv:
	if (on_failed)
		on_failed(cfg->opaque, out->drv);
	drv_destroy(out->drv);
err_destroy_os:
	os_redox_destroy(out->os);
	return ret;
}

void svc_host_close(struct svc_host *host)
{
	drv_destroy(host->drv);
	os_redox_destroy(host->os);
}
