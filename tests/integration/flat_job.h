/* SPDX-License-Identifier: MIT */
/* A job of a device without MMU: image.h's program (y = relu(x + 0.5)) in two buffers. */
#ifndef TESTS_FLAT_JOB_H
#define TESTS_FLAT_JOB_H

#include "abi/job.h"
#include "drv_env.h"
#include "image.h"

#define FLAT_IMAGE 0x1000u /* in the first buffer, behind the invocation */
#define FLAT_ARENA 0x3000u
#define FLAT_CMD   0x4000u /* bytes of it */
#define FLAT_OUT   0x800u  /* in the second, behind the input */
#define FLAT_IO	   0x1000u

struct flat_job {
	struct drv_bo *cmd, *io;
	struct abi_invocation *inv;
	float *x, *y;
	struct abi_job job;
};

static inline void flat_job_write(struct flat_job *f)
{
	u8 *cpu = drv_bo_cpu(f->cmd);
	u64 cmd = drv_bo_addr(f->cmd), io = drv_bo_addr(f->io);
	struct abi_range *bind;

	build_image((struct image *)(void *)(cpu + FLAT_IMAGE));
	f->inv = (void *)cpu;
	bind = (void *)(cpu + sizeof(*f->inv));
	f->x = drv_bo_cpu(f->io);
	f->y = f->x + FLAT_OUT / sizeof(*f->y);
	*f->inv = (struct abi_invocation){
		.magic = ABI_INVOCATION_MAGIC,
		.version = ABI_INVOCATION_VERSION,
		.nr_bindings = 2,
		.program = { cmd + FLAT_IMAGE, sizeof(struct image) },
		.arena = { cmd + FLAT_ARENA, 0x1000 },
		.error = { cmd + 0x800, sizeof(struct abi_run_error) },
	};
	bind[0] = (struct abi_range){ io, 24 };
	bind[1] = (struct abi_range){ io + FLAT_OUT, 24 };
	f->job = (struct abi_job){ .cmd_addr = cmd,
				   .cmd_size = FLAT_CMD,
				   .flags = ABI_JOB_INFERENCE,
				   .input_addr = io,
				   .input_size = 24,
				   .output_addr = io + FLAT_OUT,
				   .output_size = 24,
				   .cookie = 5 };
}

static inline int flat_job_open(struct drv_ctx *ctx, struct flat_job *f)
{
	int ret = drv_bo_create(ctx, FLAT_CMD, 0, 0, &f->cmd);

	if (ret)
		return ret;
	ret = drv_bo_create(ctx, FLAT_IO, 0, 0, &f->io);
	if (ret) {
		drv_bo_destroy(f->cmd);
		return ret;
	}
	flat_job_write(f);
	return 0;
}

static inline void flat_job_close(struct flat_job *f)
{
	drv_bo_destroy(f->io);
	drv_bo_destroy(f->cmd);
}

#endif
