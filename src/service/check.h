/* SPDX-License-Identifier: MIT */
/* The rules of a job descriptor: the service's, and asked beforehand by a client far from it. */
#ifndef SERVICE_CHECK_H
#define SERVICE_CHECK_H

#include "abi/job.h"
#include "base/base.h"

struct svc_ranges { /* where a job of a context may point */
	/* do buffers of it that are open cover [addr, addr + size)? */
	bool (*cover)(const void *opaque, u64 addr, u64 size);
	const void *opaque;
	bool flat; /* the device has no MMU: struct svc_call_info */
};

/** svc_job_check() - is @job, copied from a client as the @nr-th, good?  0 or -EINVAL. */
int svc_job_check(const struct svc_ranges *in, const struct abi_job *job, u64 nr,
		  struct base_err *err) BASE_WARN_UNUSED;

#endif
