// SPDX-License-Identifier: MIT
/*
 * Null jobs through the driver on the stepped virtual NPU, one at a time: submit, wait, take the
 * interrupt, reap.  Prints the register accesses of each beside the protocol's minimum, and fails if
 * there are more.  bench/null-job runs this under callgrind and divides.
 *
 * usage: bench_null_job [JOBS [BATCH]]     BATCH jobs with one submission and one interrupt
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/cmdbuf.h"
#include "driver/driver.h"
#include "os/inproc.h"
#include "vnpu/vnpu.h"

#define CMD_OFF	  64u
#define BATCH_MAX 16u

/*
 * What the protocol needs of the registers for one job and one completion.  Left out of P's outline
 * of the handler: the idle test (P 2.6 #3), whose result only decides whether to look at what is
 * looked at anyway, and a second look at the FIFO's fill (P 6.3), because unmasking sends another
 * interrupt if there is more.
 */
static const struct {
	const char *access, *source;
	u32 reads, writes;
} minimum[] = {
	{ "doorbell", "P 10.4", 0, 1 },
	{ "GLOBAL_INT_MASK, closed and opened", "P 2.6 #1, #4", 0, 2 },
	{ "INTERRUPT_STAT", "P 2.6 #2", 1, 0 },
	{ "ICB_STATUS, ICB_CLEAR", "P 3.7", 1, 1 },
	{ "FIFO_STAT, FIFO_ATM", "P 6.3", 2, 0 },
};

static struct os_device *os;
static struct drv_dev *dev;
static struct drv_ctx *ctx;
static struct drv_bo *bo;
static struct drv_queue *queue;

static int fail(const char *what, const struct base_err *err)
{
	fprintf(stderr, "null_job: %s: %s\n", what, err ? err->text : "failed");
	return 1;
}

static int open_all(void)
{
	const struct os_inproc_config cfg = { .gen = "npu37", .stepped = true, .engine = "plain" };
	const struct drv_config dcfg = { .ignore_env = true };
	struct base_err err = { 0 };

	if (os_inproc_create(&cfg, &os, &err) || drv_create(os, &dcfg, &dev, &err) ||
	    drv_boot(dev, &err))
		return fail("boot", &err);
	if (drv_ctx_create(dev, &ctx) || drv_bo_create(ctx, 4096, 0, DRV_BO_WB, &bo) ||
	    drv_queue_create(ctx, 1, &queue))
		return fail("context", NULL);
	return 0;
}

static void close_all(void)
{
	drv_queue_destroy(queue);
	drv_bo_destroy(bo);
	drv_ctx_destroy(ctx);
	drv_destroy(dev);
	os_inproc_destroy(os);
}

/* A command buffer with one NOP. */
static void write_cmds(void)
{
	const struct abi_cmdbuf_header hdr = {
		.cmd_buffer_size = sizeof(hdr) + ABI_CMD_NOP_SIZE,
		.cmd_offset = sizeof(hdr),
		.api_version = ABI_CMDBUF_API,
		.context_save_area_address = drv_bo_addr(bo),
	};
	const struct abi_cmd nop = { .type = ABI_CMD_NOP, .size = ABI_CMD_NOP_SIZE };
	u8 *at = (u8 *)drv_bo_cpu(bo) + CMD_OFF;

	memcpy(at, &hdr, sizeof(hdr));
	memcpy(at + sizeof(hdr), &nop, sizeof(nop));
}

/* The halves of a job are functions, so that bench/null-job can have callgrind count in one alone. */
static __attribute__((noinline)) bool submit_jobs(const struct abi_job *jobs, u32 nr)
{
	return drv_queue_submit(queue, jobs, nr) == (int)nr;
}

static __attribute__((noinline)) s32 complete_jobs(u32 nr)
{
	struct abi_completion done[BATCH_MAX];
	u32 got;

	while (!(got = drv_queue_reap(queue, done, nr))) {
		(void)!drv_wait(dev, UINT64_MAX);
		drv_process(dev);
	}
	return got == nr ? done[nr - 1].status : -EAGAIN;
}

static int run(u32 nr, u32 batch)
{
	struct abi_job jobs[BATCH_MAX];

	for (u32 i = 0; i < batch; i++)
		jobs[i] = (struct abi_job){ .cmd_addr = drv_bo_addr(bo) + CMD_OFF };
	for (u32 i = 0; i < nr; i += batch) {
		if (!submit_jobs(jobs, batch))
			return fail("submit", drv_last_error(dev));
		if (batch > 1) /* all of them done before anybody looks: one interrupt */
			vnpu_run_until(os_inproc_vnpu(os), drv_now_ns(dev) + BASE_NS_PER_MS);
		if (complete_jobs(batch))
			return fail("job", drv_last_error(dev));
	}
	return 0;
}

/* Return: 0, or 1 if the driver accesses more than it must. */
static int print_minimum(double reads, double writes)
{
	u32 min_reads = 0, min_writes = 0;

	for (u32 i = 0; i < BASE_ARRAY_SIZE(minimum); i++) {
		printf("  %-36s %-13s %u reads, %u writes\n", minimum[i].access, minimum[i].source,
		       minimum[i].reads, minimum[i].writes);
		min_reads += minimum[i].reads;
		min_writes += minimum[i].writes;
	}
	printf("register accesses per completion: %.2f reads, %.2f writes; the protocol's minimum: "
	       "%u reads, %u writes\n",
	       reads, writes, min_reads, min_writes);
	return reads > min_reads || writes > min_writes;
}

int main(int argc, char **argv)
{
	u32 nr = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 10000;
	u32 batch = argc > 2 ? (u32)strtoul(argv[2], NULL, 0) : 1;
	struct vnpu_stats before, after;
	u64 allocs, start_ns, ns;
	int ret;

	if (!nr || !batch || batch > BATCH_MAX) {
		fprintf(stderr, "usage: bench_null_job [JOBS [BATCH]], BATCH at most %u\n",
			BATCH_MAX);
		return 1;
	}
	if (open_all())
		return 1;
	write_cmds();
	ret = run(1, 1); /* registers the doorbell */
	vnpu_get_stats(os_inproc_vnpu(os), &before);
	allocs = base_alloc_count();
	start_ns = base_clock_ns();
	if (!ret)
		ret = run(nr, batch);
	ns = base_clock_ns() - start_ns;
	allocs = base_alloc_count() - allocs;
	vnpu_get_stats(os_inproc_vnpu(os), &after);
	if (!ret) {
		printf("null jobs %u: %.2f interrupts per job, %llu allocations, %.0f ns per job\n",
		       nr, (double)(after.msis - before.msis) / nr, (unsigned long long)allocs,
		       (double)ns / nr);
		ret = print_minimum((double)(after.reg_reads - before.reg_reads) / nr,
				    (double)(after.reg_writes - before.reg_writes) / nr);
	}
	close_all();
	return ret;
}
