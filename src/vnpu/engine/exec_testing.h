/* SPDX-License-Identifier: MIT */
/* For tests: the memory of one context, a program in it, its invocation. */
#ifndef VNPU_ENGINE_EXEC_TESTING_H
#define VNPU_ENGINE_EXEC_TESTING_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vnpu/engine/exec.h"
#include "vnpu/engine/prog_builder.h"

#define ET_MAX_RANGES 64u
#define ET_STEP	      (UINT64_C(1) << 40) /* between ranges: nothing adjoins */

struct et_range {
	u64 addr, size;
	u8 *host;
	bool is_read_only;
};

struct et {
	struct et_range range[ET_MAX_RANGES];
	u32 nr_ranges;
	u32 nr_views; /* held now */
	u64 bytes_viewed;
	/* called at each view, before it is handed out */
	void (*on_view)(struct et *et, u64 addr);
	void *opaque;
	struct vnpu_exec_mem mem;
	struct abi_invocation inv;
	struct abi_range bindings[ET_MAX_RANGES];
	struct vnpu_exec_job job;
	u32 nr_inputs;
	struct base_err err;
};

static inline u8 *et_host(const struct et *et, u64 addr, u64 len)
{
	for (u32 i = 0; i < et->nr_ranges; i++) {
		const struct et_range *r = &et->range[i];

		if (addr >= r->addr && base_range_ok(addr - r->addr, len, r->size))
			return r->host + (addr - r->addr);
	}
	return NULL;
}

static inline int et_view(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token)
{
	struct et *et = opaque;

	if (et->on_view)
		et->on_view(et, addr);
	*ptr = et_host(et, addr, len);
	if (!*ptr)
		return -EFAULT;
	for (u32 i = 0; write && i < et->nr_ranges; i++)
		if (et->range[i].is_read_only && addr - et->range[i].addr < et->range[i].size)
			return -EFAULT;
	et->nr_views++;
	et->bytes_viewed += len;
	*token = *ptr;
	return 0;
}

static inline void et_release(void *opaque, void *token, bool written)
{
	struct et *et = opaque;

	(void)written;
	assert_non_null(token);
	assert_in_range(et->nr_views, 1, ET_MAX_RANGES);
	et->nr_views--;
}

/* @size bytes at an address of their own, @skew bytes past a multiple of 64. */
static inline u64 et_alloc(struct et *et, u64 size, u32 skew)
{
	struct et_range *r = &et->range[et->nr_ranges];
	void *host = NULL;

	assert_in_range(et->nr_ranges, 0, ET_MAX_RANGES - 1);
	r->size = size + skew;
	/* Not a byte more, so that a sanitizer sees the end. */
	assert_int_equal(posix_memalign(&host, 64, base_max(r->size, UINT64_C(1))), 0);
	memset(host, 0xA5, r->size);
	r->host = host;
	r->addr = ET_STEP * ++et->nr_ranges;
	return r->addr + skew;
}

static inline void et_init(struct et *et)
{
	memset(et, 0, sizeof(*et));
	et->mem = (struct vnpu_exec_mem){ .opaque = et, .view = et_view, .release = et_release };
}

static inline void et_fini(struct et *et)
{
	assert_int_equal(et->nr_views, 0);
	for (u32 i = 0; i < et->nr_ranges; i++)
		free(et->range[i].host);
	et->nr_ranges = 0;
}

/* Program, arena and bindings in memory; inputs seeded. */
static inline void et_load(struct et *et, const void *image, u64 size, u64 seed, u32 skew)
{
	struct pb rng = { .seed = seed };
	struct abi_prog prog;
	u64 addr;

	assert_int_equal(abi_prog_open(image, size, &prog, &et->err), 0);
	et->inv = (struct abi_invocation){
		.magic = ABI_INVOCATION_MAGIC,
		.version = ABI_INVOCATION_VERSION,
		.nr_bindings = prog.hdr->nr_inputs + prog.hdr->nr_outputs,
	};
	et->nr_inputs = prog.hdr->nr_inputs;
	et->inv.program = (struct abi_range){ et_alloc(et, size, 0), size };
	memcpy(et_host(et, et->inv.program.addr, size), image, size);
	et->inv.arena =
		(struct abi_range){ et_alloc(et, prog.hdr->arena_size, 0), prog.hdr->arena_size };
	for (u32 i = 0; i < et->inv.nr_bindings; i++) {
		bool is_input = i < et->nr_inputs;
		const struct abi_prog_tensor *t =
			is_input ? abi_prog_input(&prog, i)
				 : abi_prog_output(&prog, i - et->nr_inputs);

		addr = et_alloc(et, t->size, skew);
		et->bindings[i] = (struct abi_range){ addr, t->size };
		for (u64 k = 0; is_input && t->dtype == ABI_F32 && k < t->size / 4; k++) {
			float f = pb_random_f32(&rng);

			memcpy(et_host(et, addr, t->size) + 4 * k, &f, sizeof(f));
		}
	}
	et->job = (struct vnpu_exec_job){ .ssid = 1,
					  .inference_id = 7,
					  .inv = &et->inv,
					  .bindings = et->bindings,
					  .mem = &et->mem };
}

static inline void *et_binding(const struct et *et, u32 i)
{
	return et_host(et, et->bindings[i].addr, et->bindings[i].size);
}

static inline float *et_output(const struct et *et, u32 i)
{
	return et_binding(et, et->nr_inputs + i);
}

static inline void et_run(struct et *et, struct vnpu_exec *exec)
{
	int ret = vnpu_exec_run(exec, &et->job, &et->err);

	if (ret)
		print_error("%s\n", et->err.text);
	assert_int_equal(ret, 0);
	assert_int_equal(et->nr_views, 0);
}

/* Refused with a sentence that has @part in it. */
static inline void et_refused(struct et *et, struct vnpu_exec *exec, int code, const char *part)
{
	et->err.text[0] = '\0';
	assert_int_equal(vnpu_exec_run(exec, &et->job, &et->err), code);
	if (!strstr(et->err.text, part))
		fail_msg("'%s' wanted in: %s", part, et->err.text);
	assert_int_equal(et->nr_views, 0);
}

static inline struct vnpu_exec *et_exec(const char *engine, u32 nr_threads, bool strict)
{
	struct vnpu_exec *exec = NULL;
	struct base_err err;

	if (vnpu_exec_create(engine, nr_threads, strict, &exec, &err))
		fail_msg("%s", err.text);
	return exec;
}

#endif
