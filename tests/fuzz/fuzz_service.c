// SPDX-License-Identifier: MIT
/*
 * Programs that ask the service anything: handles, paths, structs, job descriptors, command buffers
 * that make sense and such that do not, on two virtual NPUs, ref and npu37.
 *
 * Operations are a byte (low nibble what, high bits which program) and what it takes.  Checked: what
 * a bystander has in memory stays as it is, and his job is done; the driver makes no mistake that the
 * model sees; when all are gone nothing is left, on the devices either.
 *
 * The devices stay up from input to input as long as they can, but each input begins with idle ones.
 */
#include <errno.h>

#include "../integration/image.h"
#include "abi/cmdbuf.h"
#include "base/log.h"
#include "input.h"
#include "os/inproc.h"
#include "service/host.h"
#include "service/svc.h"

#define NR_PROGRAMS 4u
#define NR_DEVICES  2u
#define MAX_OPS	    150u
#define POLL_NS	    (10 * BASE_NS_PER_US)
#define TABLES_MAX \
	128u /* page tables of the driver's own, which stay when streams needed them once */
#define BO_BYTES  0x5000u
#define AT_IMAGE  0x1000u /* in a buffer with a network: behind the invocation */
#define AT_ARENA  0x3000u
#define AT_INPUT  0x4000u
#define AT_OUTPUT 0x4800u

struct bystander {
	u32 ctx, bo, queue;
	u8 *cpu;
	u64 addr;
	u64 hash;
};

static struct svc *svc;
static struct svc_host hosts[NR_DEVICES];
static struct svc_client *keeper; /* ours */
static struct svc_client *programs[NR_PROGRAMS];
static struct bystander bystanders[NR_DEVICES];
static u64 live_dma[NR_DEVICES];

/*
 * Work that makes sense
 */

static struct abi_job put_network(u8 *cpu, u64 addr)
{
	const struct abi_invocation inv = { .magic = ABI_INVOCATION_MAGIC,
					    .version = ABI_INVOCATION_VERSION,
					    .nr_bindings = 2,
					    .program = { addr + AT_IMAGE, sizeof(struct image) },
					    .arena = { addr + AT_ARENA, 0x1000 },
					    .error = { addr + 0x800,
						       sizeof(struct abi_run_error) } };
	const struct abi_range bind[] = { { addr + AT_INPUT, 24 }, { addr + AT_OUTPUT, 24 } };

	build_image((struct image *)(void *)(cpu + AT_IMAGE));
	memcpy(cpu, &inv, sizeof(inv));
	memcpy(cpu + sizeof(inv), bind, sizeof(bind));
	return (struct abi_job){ .cmd_addr = addr,
				 .cmd_size = AT_INPUT,
				 .flags = ABI_JOB_INFERENCE,
				 .input_addr = addr + AT_INPUT,
				 .input_size = 24,
				 .output_addr = addr + AT_OUTPUT,
				 .output_size = 24 };
}

/* Commands by number; the rest of each is from the input, or points into the buffer. */
static struct abi_job put_commands(struct input *in, u8 *cpu, u64 addr)
{
	static const u8 sizes[] = { 24, 16, 24, 24, 8, 16, 16, 32, 24, 48 };
	static const u16 types[] = { ABI_CMD_NOP,
				     ABI_CMD_TIMESTAMP,
				     ABI_CMD_FENCE_WAIT,
				     ABI_CMD_FENCE_SIGNAL,
				     ABI_CMD_BARRIER,
				     ABI_CMD_METRIC_QUERY_BEGIN,
				     ABI_CMD_METRIC_QUERY_END,
				     ABI_CMD_MEMORY_FILL,
				     ABI_CMD_COPY,
				     ABI_CMD_INFERENCE_EXECUTE };
	struct abi_cmdbuf_header hdr = { .cmd_offset = sizeof(hdr),
					 .api_version = ABI_CMDBUF_API,
					 .context_save_area_address = addr + 0x800 };
	u32 at = sizeof(hdr);

	for (u32 nr = in_u8(in) % 8; nr; nr--) {
		u8 cmd[64] = { 0 };
		const u8 which = in_u8(in);
		const u32 i = which % BASE_ARRAY_SIZE(types);
		const u64 into = addr + in_u8(in) * UINT64_C(64);

		if (which & 0x80)
			in_copy(in, cmd, sizes[i]);
		memcpy(cmd, &(struct abi_cmd){ types[i], sizes[i] }, sizeof(struct abi_cmd));
		memcpy(cmd + 8, &into, sizeof(into));
		memcpy(cpu + at, cmd, sizes[i]);
		at += sizes[i];
	}
	hdr.cmd_buffer_size = at;
	memcpy(cpu, &hdr, sizeof(hdr));
	return (struct abi_job){ .cmd_addr = addr, .cmd_size = at };
}

static u64 addr_of_bo(struct svc_client *client, u32 handle)
{
	struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) } };

	return svc_call(client, handle, &call, sizeof(call), NULL) ? 0 : call.addr;
}

/*
 * The world: devices, and a bystander on each
 */

static void bystander_open(u32 idx)
{
	struct bystander *by = &bystanders[idx];
	struct svc_mapping map;
	char path[16];

	snprintf(path, sizeof(path), "%u/ctx", idx);
	must(!svc_open(keeper, path, &by->ctx, NULL));
	must(!svc_dup(keeper, by->ctx, "bo/0x5000", &by->bo, NULL));
	must(!svc_dup(keeper, by->ctx, "queue", &by->queue, NULL));
	must(!svc_map(keeper, by->bo, &map, NULL));
	by->cpu = map.cpu;
	by->addr = addr_of_bo(keeper, by->bo);
	memset(by->cpu, 0x5a, BO_BYTES);
	by->hash = base_hash64(by->cpu, BO_BYTES, 0);
}

/* Nobody was there meanwhile. */
static void bystander_look(const struct bystander *by)
{
	must(base_hash64(by->cpu, BO_BYTES, 0) == by->hash);
}

/* His job is done as if he were alone; a device that recovers may give it back once. */
static void bystander_run(struct bystander *by, bool flat)
{
	struct abi_job job;
	struct abi_completion done = { .status = -ECANCELED };

	if (flat)
		job = put_network(by->cpu, by->addr);
	else
		job = put_commands(&(struct input){ (const u8 *)"\3\0\0\4\0\1\2", 7 }, by->cpu,
				   by->addr);
	for (u32 try = 0; try < 3 && done.status == -ECANCELED; try++) {
		must(svc_write(keeper, by->queue, &job, sizeof(job), NULL) == sizeof(job));
		must(!svc_wait(keeper, by->queue, 100 * BASE_NS_PER_S, NULL));
		must(svc_read(keeper, by->queue, &done, sizeof(done), NULL) == sizeof(done));
	}
	must(!done.status);
	by->hash = base_hash64(by->cpu, BO_BYTES, 0);
}

static void world_close(void)
{
	svc_client_close(keeper);
	for (u32 i = 0; i < NR_DEVICES; i++) {
		(void)!svc_remove_device(svc, i, NULL);
		svc_host_close(&hosts[i]);
	}
	svc_destroy(svc);
	svc = NULL;
}

static void world_open(void)
{
	static const char *const devices[] = { "sim:ref,stepped,engine=plain",
					       "sim:npu37,stepped,engine=plain" };
	static const struct svc_limits limits = {
		.contexts = 5, .queues = 8, .handles = 40, .memory_bytes = 1u << 20
	};
	static const struct svc_cred cred = { .pid = 1, .privileged = true, .name = "keeper" };
	const struct drv_config cfg = { .ignore_env = true,
					.recoveries = DRV_RECOVERIES_MAX,
					.recovery_window_s = 1 };
	struct base_err err;
	u32 idx;

	must(!svc_create(&limits, &svc));
	for (u32 i = 0; i < NR_DEVICES; i++) {
		must(!svc_host_open(devices[i], &cfg, NULL, &hosts[i], &err));
		drv_set_log_level(hosts[i].drv, BASE_LOG_ERR);
		must(!svc_add_device(svc, hosts[i].drv, POLL_NS, &idx) && idx == i);
	}
	must(!svc_client_create(svc, &cred, &keeper));
	for (u32 i = 0; i < NR_DEVICES; i++) {
		bystander_open(i);
		bystander_run(&bystanders[i], i == 0);
		live_dma[i] = os_inproc_live_dma(hosts[i].os);
	}
}

/*
 * A program
 */

static void program_open(u32 i)
{
	const struct svc_cred cred = { .uid = i,
				       .pid = 100 + i,
				       .privileged = i == 0,
				       .remote = i & 1,
				       .name = "program\n\"" };

	if (!programs[i] && svc_client_create(svc, &cred, &programs[i]))
		programs[i] = NULL;
}

/* The numbers of handles are small; what is not is none. */
static u32 in_handle(struct input *in)
{
	const u8 which = in_u8(in);

	return which < 0xf0 ? which % 32u : UINT32_MAX - which;
}

/* Of the program's buffers, mostly. */
static u64 job_addr(void *opaque, u8 which)
{
	return which < 0xe0 ? addr_of_bo(opaque, which % 32u) + which / 32u * 64u
			    : bystanders[which & 1].addr + (which & 0x1eu) * 64u;
}

static u32 in_jobs(struct input *in, struct svc_client *client, struct abi_job *jobs, u32 max)
{
	const u32 nr = 1 + in_u8(in) % max;

	for (u32 i = 0; i < nr; i++)
		jobs[i] = in_job(in, job_addr, client);
	return nr;
}

/* A buffer with something to be done in it, and the job for it. */
static void do_work(struct input *in, struct svc_client *client)
{
	const u8 how = in_u8(in);
	const u32 bo = in_handle(in), queue = in_handle(in);
	struct svc_stat stat;
	struct svc_mapping map;
	struct abi_job job;
	u8 data[16];

	if (svc_stat(client, bo, &stat, NULL) || strcmp(stat.kind, "buffer") != 0 ||
	    stat.size_bytes < BO_BYTES || svc_map(client, bo, &map, NULL))
		return;
	job = how & 1 ? put_network(map.cpu, addr_of_bo(client, bo))
		      : put_commands(in, map.cpu, addr_of_bo(client, bo));
	if (how & 2) {
		in_copy(in, data, sizeof(data));
		memcpy((u8 *)map.cpu + in_u16(in) % (BO_BYTES - sizeof(data)), data, sizeof(data));
	}
	(void)!svc_write(client, queue, &job, sizeof(job), NULL);
}

/* What is mapped is the program's to write, at any time: buffers, and a queue's page. */
static void do_scribble(struct input *in, struct svc_client *client)
{
	const u32 handle = in_handle(in);
	struct svc_mapping map;
	u8 data[16];
	u16 off = in_u16(in);

	in_copy(in, data, sizeof(data));
	if (!svc_map(client, handle, &map, NULL) && map.size_bytes >= 4096)
		memcpy((u8 *)map.cpu + off % (4096 - sizeof(data)), data, sizeof(data));
}

static void do_open(struct input *in, struct svc_client *client, bool below)
{
	struct base_err err = { 0 };
	char path[IN_PATH_SIZE];
	const u32 handle = below ? in_handle(in) : 0;
	u32 out;
	int ret;

	(void)in_path(in, path);
	ret = below ? svc_dup(client, handle, path, &out, &err)
		    : svc_open(client, path, &out, &err);
	must(!ret ? out != 0 : ret == err.code && err.text[0]);
}

static void do_read(struct input *in, struct svc_client *client)
{
	static u8 buf[4096];
	const u32 handle = in_handle(in);
	const u64 size = in_u16(in) % (sizeof(buf) + 1);
	const s64 n = svc_read(client, handle, buf, size, NULL);

	must(n < 0 || (u64)n <= size);
}

static void do_write(struct input *in, struct svc_client *client)
{
	static const char *const commands[] = { "reset", "suspend", "resume", "loglevel 0",
						"fwlevel 1\n" };
	const u32 handle = in_handle(in);
	const u8 which = in_u8(in);
	u8 data[80];

	if (which < BASE_ARRAY_SIZE(commands)) {
		(void)!svc_write(client, handle, commands[which], strlen(commands[which]), NULL);
		return;
	}
	in_copy(in, data, which % sizeof(data));
	(void)!svc_write(client, handle, data, which % sizeof(data), NULL);
}

static void do_jobs(struct input *in, struct svc_client *client, bool post)
{
	struct abi_job jobs[70];
	const u32 handle = in_handle(in);
	const u32 nr = in_jobs(in, client, jobs, BASE_ARRAY_SIZE(jobs));
	s64 n;

	if (post) {
		(void)!svc_post(client, handle, jobs, nr * sizeof(jobs[0]), NULL);
		return;
	}
	n = svc_write(client, handle, jobs, nr * sizeof(jobs[0]), NULL);
	must(n <= (s64)(nr * sizeof(jobs[0])) && (n < 0 || n % (s64)sizeof(jobs[0]) == 0));
}

static void do_call(struct input *in, struct svc_client *client)
{
	u64 call[160];
	const u32 handle = in_handle(in);
	const size_t size = in_call(in, call, sizeof(call));

	(void)!svc_call(client, handle, call, size, NULL);
}

static void do_wait(struct input *in, struct svc_client *client)
{
	const u32 handle = in_handle(in);
	const u8 how = in_u8(in);

	/* up to the time after which a job is given up */
	(void)!svc_wait(client, handle, how < 0xf0 ? how * BASE_NS_PER_US : 3 * BASE_NS_PER_S,
			NULL);
}

static void ready(void *transport, u32 handle)
{
	(void)transport;
	must(handle != 0);
}

static void one_op(struct input *in)
{
	const u8 what = in_u8(in);
	const u32 i = what >> 6;
	struct svc_client *client;

	program_open(i);
	client = programs[i];
	if (!client)
		return;
	switch (what & 15) {
	case 0:
	case 1:
		do_open(in, client, false);
		break;
	case 2:
	case 3:
		do_open(in, client, true);
		break;
	case 4:
		do_read(in, client);
		break;
	case 5:
		do_write(in, client);
		break;
	case 6:
		do_jobs(in, client, what & 0x10);
		break;
	case 7:
	case 8:
		do_work(in, client);
		break;
	case 9:
		do_call(in, client);
		break;
	case 10:
		do_scribble(in, client);
		break;
	case 11:
		(void)!svc_arm(client, in_handle(in), NULL);
		break;
	case 12:
		do_wait(in, client);
		break;
	case 13:
		(void)!svc_close(client, in_handle(in), NULL);
		break;
	case 14:
		if (in_u8(in) & 1) {
			base_alloc_fail_nth(in_u8(in) & 15);
		} else {
			svc_client_close(client);
			programs[i] = NULL;
		}
		break;
	default:
		(void)svc_process(svc, ready);
	}
}

/*
 * All of it
 */

static struct svc_call_status status_of(u32 idx)
{
	struct svc_call_status call = { .head = { SVC_CALL_STATUS, SVC_CALL_VERSION,
						  sizeof(call) } };
	char path[16];
	u32 handle;

	snprintf(path, sizeof(path), "%u/status", idx);
	must(!svc_open(keeper, path, &handle, NULL));
	must(!svc_call(keeper, handle, &call, sizeof(call), NULL));
	must(!svc_close(keeper, handle, NULL));
	return call;
}

/* Time passes on the device until what was pending has ended, one way or the other. */
static struct svc_call_status settle(u32 idx)
{
	struct svc_call_status call = status_of(idx);
	char path[16];
	u32 log;

	snprintf(path, sizeof(path), "%u/log", idx);
	must(!svc_open(keeper, path, &log, NULL));
	for (u32 i = 0; call.jobs_pending || call.contexts_closing || strcmp(call.state, "ready");
	     i++) {
		char text[512];

		if (!strcmp(call.state, "failed") || !strcmp(call.state, "suspended"))
			break; /* for good, or idle */
		must(i < 1000);
		while (svc_read(keeper, log, text, sizeof(text), NULL) > 0)
			continue;
		(void)!svc_wait(keeper, log, BASE_NS_PER_S, NULL);
		call = status_of(idx);
	}
	must(!svc_close(keeper, log, NULL));
	return call;
}

/* Somebody may have sent it to sleep by hand: then it does not wake up by itself. */
static void resume(u32 idx)
{
	char path[16];
	u32 control;

	snprintf(path, sizeof(path), "%u/control", idx);
	must(!svc_open(keeper, path, &control, NULL));
	(void)!svc_write(keeper, control, "resume", 6, NULL); /* it may be awake */
	must(!svc_close(keeper, control, NULL));
}

/* Return: the device can go on. */
static bool check_device(u32 idx)
{
	struct svc_call_status call;

	resume(idx);
	call = settle(idx);
	bystander_look(&bystanders[idx]);
	must(!os_inproc_nr_findings(hosts[idx].os, OS_INPROC_MODEL_BUG));
	if (!strcmp(call.state, "failed"))
		return false;
	must(call.contexts == 1 && call.queues == 1 && call.buffers == 1 && !call.contexts_closing);
	bystander_run(&bystanders[idx], idx == 0);
	must(os_inproc_live_dma(hosts[idx].os) <= live_dma[idx] + TABLES_MAX);
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	bool good = true;

	if (!svc)
		world_open();
	for (u32 i = 0; i < MAX_OPS && in.left; i++)
		one_op(&in);
	base_alloc_fail_nth(0);
	for (u32 i = 0; i < NR_PROGRAMS; i++) {
		svc_client_close(programs[i]);
		programs[i] = NULL;
	}
	for (u32 i = 0; i < NR_DEVICES; i++)
		good &= check_device(i);
	if (!good)
		world_close();
	return 0;
}
