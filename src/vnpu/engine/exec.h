/* SPDX-License-Identifier: MIT */
/*
 * Execution of invocations: finds, checks and prepares the program, keeps what is prepared, runs it.
 * One thread at a time calls these functions.
 */
#ifndef VNPU_ENGINE_EXEC_H
#define VNPU_ENGINE_EXEC_H

#include "abi/program.h"

struct vnpu_exec;

/* The NPU memory of one context. */
struct vnpu_exec_mem {
	void *opaque;
	/* [addr, addr + len) as contiguous host memory, until release(); -EFAULT, -ENOMEM */
	int (*view)(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token);
	void (*release)(void *opaque, void *token, bool written);
	/* While the executor is away it touches no memory of the context, which may go then.  Both
	 * may be NULL; back(): -ECANCELED when it went. */
	void (*away)(void *opaque);
	int (*back)(void *opaque);
};

struct vnpu_exec_job {
	u32 ssid;
	u64 inference_id;
	const struct abi_invocation *inv; /* a private copy */
	const struct abi_range *bindings; /* inv->nr_bindings, a private copy */
	const struct vnpu_exec_mem *mem;
	bool verify; /* address spaces are not told apart: all of a program is compared, each time */
};

/**
 * vnpu_exec_create() - an executor
 * @engine: "plain", "onednn", or NULL: onednn where it can be loaded, else plain
 * Return: 0, -EINVAL (unknown engine, threads not in 1 .. 1024), -ENOENT (library not loadable; @err names the paths), -ENOMEM.
 */
int vnpu_exec_create(const char *engine, u32 nr_threads, bool strict, struct vnpu_exec **out,
		     struct base_err *err) BASE_WARN_UNUSED;
void vnpu_exec_destroy(struct vnpu_exec *exec);
/**
 * vnpu_exec_stop_by() - *@stop, set in any thread, ends the run under way with -ECANCELED, soon
 * An operation that takes long is left behind in a thread of its own, two of them at most; from
 * the third on its end is waited for, as vnpu_exec_destroy() waits for all.
 */
void vnpu_exec_stop_by(struct vnpu_exec *exec, const u32 *stop);

/**
 * vnpu_exec_run() - run one invocation to its end
 * Return: 0; -EFAULT (memory), -EINVAL (hostile or wrong invocation or program), -EOPNOTSUPP,
 * -ENOMEM; @err says why.
 */
int vnpu_exec_run(struct vnpu_exec *exec, const struct vnpu_exec_job *job,
		  struct base_err *err) BASE_WARN_UNUSED;

/* Bounds of what stays prepared; the least recently used goes first, the one that runs may exceed
 * them alone. */
#define VNPU_EXEC_MAX_PREPARED 64u
#define VNPU_EXEC_MAX_BYTES    (UINT64_C(4) << 30)

/** vnpu_exec_drop_ssid(), vnpu_exec_drop_all() - forget what was prepared for a context, for all. */
void vnpu_exec_drop_ssid(struct vnpu_exec *exec, u32 ssid);
void vnpu_exec_drop_all(struct vnpu_exec *exec);

/** vnpu_exec_engine_name() - "plain" or "onednn"; NULL as long as no inference decided it. */
const char *vnpu_exec_engine_name(const struct vnpu_exec *exec);
/**
 * vnpu_exec_impl() - what runs operation @op of the prepared program ("jit:avx512_core", "plain")
 * NULL past the last operation, or when nothing is prepared under these numbers.
 */
const char *vnpu_exec_impl(const struct vnpu_exec *exec, u32 ssid, u64 inference_id, u32 op);
/** vnpu_exec_nr_prepares(), vnpu_exec_nr_prepared() - preparations so far; programs kept now. */
u64 vnpu_exec_nr_prepares(const struct vnpu_exec *exec);
u32 vnpu_exec_nr_prepared(const struct vnpu_exec *exec);

#endif
