/* SPDX-License-Identifier: MIT */
/* The daemon: devices, the service, and who comes to it, in one event loop. */
#ifndef NPUD_NPUD_H
#define NPUD_NPUD_H

#include <stdatomic.h>

#include "base/base.h"
#include "scheme/scheme.h"
#include "service/host.h"
#include "service/svc.h"

#define NPUD_MAX_DEVICES 8u

#define NPUD_MAX_SCHEMES 3u

struct npud_config {
	struct scheme_config schemes[NPUD_MAX_SCHEMES]; /* the first is npu: or the socket */
	u32 nr_schemes;
	enum svc_mmio mmio;
	bool dma;
	const char *const *devices; /* device strings */
	u32 nr_devices;
	const char *firmware; /* NULL: search */
	bool ignore_env;      /* when it is searched */
	struct svc_limits limits;
	u32 log_level;		/* enum base_log_level */
	const atomic_int *stop; /* not 0: end.  Looked at whenever a call is interrupted */
	int stop_fd;		/* readable: end; the caller's; -1 = none */
};

struct npud;

/** npud_create() - boots the devices, then listens. */
int npud_create(const struct npud_config *cfg, struct npud **out,
		struct base_err *err) BASE_WARN_UNUSED;
/** npud_run() - until it is told to stop. */
int npud_run(struct npud *npud, struct base_err *err) BASE_WARN_UNUSED;
/** npud_destroy() - clients are cut off, devices shut down. */
void npud_destroy(struct npud *npud);

#endif
