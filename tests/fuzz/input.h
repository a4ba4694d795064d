/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of the service share: an input that is taken apart, paths, job descriptors. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdlib.h>
#include <string.h>

#include "abi/job.h"
#include "base/base.h"
#include "service/calls.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define must(cond) must_at(cond, #cond, __FILE__, __LINE__)

static inline void must_at(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

struct input {
	const u8 *at;
	size_t left;
};

/* Behind the end everything is 0. */
static inline void in_copy(struct input *in, void *dst, size_t size)
{
	const size_t have = base_min(size, in->left);

	memset(dst, 0, size);
	if (have)
		memcpy(dst, in->at, have);
	in->at += have;
	in->left -= have;
}

static inline u8 in_u8(struct input *in)
{
	u8 val;

	in_copy(in, &val, sizeof(val));
	return val;
}

static inline u16 in_u16(struct input *in)
{
	u16 val;

	in_copy(in, &val, sizeof(val));
	return val;
}

static inline u64 in_u64(struct input *in)
{
	u64 val;

	in_copy(in, &val, sizeof(val));
	return val;
}

#define IN_PATH_SIZE 300u /* longer than the service takes */

/* One of those there are, on device 0 or 1, or any text; its length. */
static inline size_t in_path(struct input *in, char path[IN_PATH_SIZE])
{
	static const char *const known[] = {
		"",
		"0/ctx",
		"queue",
		"bo/4096",
		"queue?prio=focus",
		"bo/0x3000?align=0x10000&flags=dma",
		"bo/100?flags=wc,shave",
		"bo/8192?flags=ro",
		"0/info",
		"0/status",
		"0/metrics",
		"0/clients",
		"0/log",
		"0/log?errors",
		"0/trace",
		"0/dump",
		"0/counters",
		"0/stream",
		"0/stream?groups=1&period_us=1000&samples=2",
		"0/control",
		"queue?prio=realtime",
		"queue?prio=idle",
		"bo/300000",
		"bo/0xfffffffffffff001",
		"bo/1?align=0x8000000000000000",
		"error",
		"0",
		"7/info",
	};
	const u8 which = in_u8(in);
	size_t len;

	memset(path, 0, IN_PATH_SIZE);
	if (which >= 2 * BASE_ARRAY_SIZE(known)) {
		len = base_min((size_t)in_u16(in) % IN_PATH_SIZE, in->left);
		in_copy(in, path, len);
		return len;
	}
	len = strlen(known[which / 2]);
	memcpy(path, known[which / 2], len);
	if (which & 1 && path[0] == '0')
		path[0] = '1';
	return len;
}

/* A job on the buffers of which @addr tells, or on any address. */
static inline struct abi_job in_job(struct input *in, u64 (*addr)(void *opaque, u8 which),
				    void *opaque)
{
	const u8 how = in_u8(in);
	struct abi_job job = { .cmd_addr = addr(opaque, in_u8(in)),
			       .cmd_size = 64u + (how >> 4) * 32u,
			       .flags = how & 1,
			       .cookie = how };

	if (how & 2) {
		job.input_addr = addr(opaque, in_u8(in));
		job.input_size = in_u16(in);
	}
	if (how & 4) {
		job.output_addr = addr(opaque, in_u8(in));
		job.output_size = in_u16(in);
	}
	if (how & 8) /* eight bytes of it are anything */
		in_copy(in, (u8 *)&job + in_u8(in) % 8 * 8, 8);
	return job;
}

/* The head of a call, right or nearly; how many bytes of it are given. */
static inline size_t in_call(struct input *in, void *call, size_t room)
{
	static const u32 sizes[] = {
		0,
		sizeof(struct svc_call_info),
		sizeof(struct svc_call_status),
		sizeof(struct svc_call_metrics),
		sizeof(struct svc_call_ctx),
		sizeof(struct svc_call_bo),
		sizeof(struct svc_call_queue),
		8,
	};
	const u8 which = in_u8(in);
	struct svc_call head = { .kind = which & 7, .version = 1, .size = sizes[which & 7] };
	size_t size = head.size;

	if (which & 8)
		in_copy(in, &head, sizeof(head));
	if (which & 16)
		size = in_u16(in);
	size = base_min(size, room);
	memset(call, 0, size);
	memcpy(call, &head, base_min(size, sizeof(head)));
	return size;
}

#endif
