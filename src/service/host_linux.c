// SPDX-License-Identifier: MIT
/* The virtual NPU of this process, or one behind a socket. */
#include <errno.h>
#include <string.h>

#include "os/inproc.h"
#include "os/vfio_user.h"
#include "service/host.h"

static int make_sim(const struct sim_spec *spec, struct svc_host *out, struct base_err *err)
{
	const struct os_inproc_config cfg = { .gen = spec->gen,
					      .device_id = spec->device_id,
					      .stepped = spec->stepped,
					      .seed = spec->seed,
					      .engine = spec->engine,
					      .engine_threads = spec->threads,
					      .engine_strict = spec->strict,
					      .trace = spec->trace[0] ? spec->trace : NULL };

	out->is_sim = true;
	out->stepped = spec->stepped;
	out->destroy_os = os_inproc_destroy;
	return os_inproc_create(&cfg, &out->os, err);
}

int svc_host_make(const char *device, struct svc_host *out, u32 *sched, struct base_err *err)
{
	struct sim_spec spec;
	int ret;

	if (strncmp(device, SVC_VFIO_USER_PREFIX, strlen(SVC_VFIO_USER_PREFIX)) == 0) {
		out->destroy_os = os_vfio_user_destroy;
		return os_vfio_user_create(device + strlen(SVC_VFIO_USER_PREFIX), &out->os, err);
	}
	if (strncmp(device, SIM_PREFIX, strlen(SIM_PREFIX)) != 0)
		return base_err_set(
			err, -EINVAL,
			"device \"%.60s\": expected " SIM_FORM " or " SVC_VFIO_USER_FORM, device);
	ret = sim_spec_parse(device, &spec, err);
	if (ret)
		return ret;
	*sched = spec.sched;
	return make_sim(&spec, out, err);
}
