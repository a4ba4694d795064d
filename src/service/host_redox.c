// SPDX-License-Identifier: MIT
/* "pcid:FD", the function whose channel pcid-spawner opened. */
#include <errno.h>
#include <string.h>

#include "os/redox/device.h"
#include "service/host.h"
#include "service/path.h"

#define PREFIX "pcid:"

int svc_host_make(const char *device, struct svc_host *out, u32 *sched, struct base_err *err)
{
	const char *number = device + strlen(PREFIX);
	u64 channel = 0;

	(void)sched;
	if (strncmp(device, PREFIX, strlen(PREFIX)) != 0 ||
	    !svc_parse_u64(number, strlen(number), &channel) || channel > INT32_MAX)
		return base_err_set(err, -EINVAL,
				    "device \"%.60s\": expected " PREFIX
				    "FD, the descriptor of the function's channel",
				    device);
	out->destroy_os = os_redox_destroy;
	return os_redox_create((size_t)channel, &out->os, err);
}
