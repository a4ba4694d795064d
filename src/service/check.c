// SPDX-License-Identifier: MIT
/*
 * The rules of a job descriptor.  Callers pass their own copy: a client may change the original
 * while it is looked at.  What the command buffer says inside is not checked here: it stays in
 * memory the client can write, and the device reaches nothing but the client's address space.
 *
 * SRC: design section 4; P 10.8 (alignment and size of the header).
 */
#include <errno.h>

#include "abi/cmdbuf.h"
#include "abi/program.h"
#include "service/check.h"

#define BAD(...) base_err_set(err, -EINVAL, "job %llu: " __VA_ARGS__)

static int check_command(const struct svc_ranges *in, const struct abi_job *job,
			 unsigned long long nr, struct base_err *err)
{
	if (job->cmd_addr % ABI_CMDBUF_ALIGN)
		return BAD("cmd_addr 0x%llx is not a multiple of %d", nr,
			   (unsigned long long)job->cmd_addr, ABI_CMDBUF_ALIGN);
	if (job->cmd_size < sizeof(struct abi_cmdbuf_header))
		return BAD("cmd_size is %u, a command buffer has at least %zu bytes", nr,
			   job->cmd_size, sizeof(struct abi_cmdbuf_header));
	if (!in->cover(in->opaque, job->cmd_addr, job->cmd_size))
		return BAD("cmd 0x%llx + %u is not inside buffers of the context", nr,
			   (unsigned long long)job->cmd_addr, job->cmd_size);
	return 0;
}

static int check_range(const struct svc_ranges *in, const char *what, u64 addr, u32 size,
		       unsigned long long nr, struct base_err *err)
{
	if (!addr && !size)
		return 0;
	if (!addr || !size)
		return BAD("%s has address 0x%llx and size %u, expected both or neither", nr, what,
			   (unsigned long long)addr, size);
	if (!in->cover(in->opaque, addr, size))
		return BAD("%s 0x%llx + %u is not inside buffers of the context", nr, what,
			   (unsigned long long)addr, size);
	return 0;
}

static int check_job(const struct svc_ranges *in, const struct abi_job *job, u64 nr,
		     struct base_err *err)
{
	int ret;

	if (job->flags & ~ABI_JOB_FLAGS)
		return BAD("flags 0x%x are unknown, known are 0x%x", (unsigned long long)nr,
			   job->flags & ~ABI_JOB_FLAGS, ABI_JOB_FLAGS);
	if (job->pad0 | job->pad1 | job->reserved | job->status)
		return BAD("pad, reserved and status must be 0", (unsigned long long)nr);
	ret = check_command(in, job, nr, err);
	if (!ret)
		ret = check_range(in, "input", job->input_addr, job->input_size, nr, err);
	if (!ret)
		ret = check_range(in, "output", job->output_addr, job->output_size, nr, err);
	return ret;
}

/* What a device without MMU wants beside that: cmd is an invocation. */
static int check_flat(const struct abi_job *job, u64 nr, struct base_err *err)
{
	if (!(job->flags & ABI_JOB_INFERENCE))
		return BAD("flags 0x%x have no INFERENCE, which this device must have",
			   (unsigned long long)nr, job->flags);
	if (job->cmd_size < sizeof(struct abi_invocation))
		return BAD("cmd_size is %u, an invocation has at least %zu bytes",
			   (unsigned long long)nr, job->cmd_size, sizeof(struct abi_invocation));
	return 0;
}

int svc_job_check(const struct svc_ranges *in, const struct abi_job *job, u64 nr,
		  struct base_err *err)
{
	int ret = check_job(in, job, nr, err);

	return ret || !in->flat ? ret : check_flat(job, nr, err);
}
