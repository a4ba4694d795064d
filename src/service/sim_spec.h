/* SPDX-License-Identifier: MIT */
/* Device strings of virtual NPUs in this process. */
#ifndef SERVICE_SIM_SPEC_H
#define SERVICE_SIM_SPEC_H

#include "base/base.h"

#define SIM_PREFIX "sim:"
#define SIM_FORM                                                                                      \
	"sim:GEN[,pci=ID][,engine=plain|onednn][,threads=N][,stepped][,seed=N][,strict][,trace=FILE]" \
	"[,sched=auto|os|hw]"
#define SIM_MAX_THREADS 256u
#define SIM_PART_MAX	256u /* bytes of "key=value" */

struct sim_spec {
	const char *gen;    /* static string */
	u16 device_id;	    /* 0: the generation's first */
	const char *engine; /* static string; NULL: the best there is */
	u32 threads;	    /* 0: the engine's default */
	bool stepped;
	u64 seed;
	bool strict;
	u32 sched;		  /* enum drv_sched */
	char trace[SIM_PART_MAX]; /* path; "": none */
};

/** sim_spec_parse() - -EINVAL with @err naming the part and what was expected. */
int sim_spec_parse(const char *device, struct sim_spec *out, struct base_err *err) BASE_WARN_UNUSED;

#endif
