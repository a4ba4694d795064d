/* SPDX-License-Identifier: MIT */
/*
 * Compute engines of the virtual NPU.  "plain" (src/kernels) is linked in; "onednn" is
 * libvnpu_engine.so, loaded on demand, which exports `const struct vnpu_engine vnpu_engine_onednn`.
 *
 * An engine sees checked programs and contiguous host memory only.  One thread per device calls it.
 */
#ifndef VNPU_ENGINE_ENGINE_H
#define VNPU_ENGINE_ENGINE_H

#include <errno.h>

#include "abi/program.h"

#define VNPU_ENGINE_ABI 3u

struct vnpu_engine_opts {
	u32 nr_threads;	 /* >= 1 */
	bool strict;	 /* a reference implementation is an error */
	const u32 *stop; /* set by another thread: run() is to end soon, with -ECANCELED; or NULL */
};

/** vnpu_engine_stopped() - to be asked between operations: 0 or -ECANCELED */
static inline int vnpu_engine_stopped(const u32 *stop, struct base_err *err)
{
	if (!stop || !__atomic_load_n(stop, __ATOMIC_RELAXED))
		return 0;
	return base_err_set(err, -ECANCELED, "the job is gone");
}

struct vnpu_net; /* a prepared program; each engine has its own definition */

struct vnpu_engine {
	u32 abi; /* VNPU_ENGINE_ABI */
	const char *name;
	/* 0, -EINVAL, -ENOMEM, -EOPNOTSUPP.  @prog was checked (abi_prog_open + kern_prog_check) and
	 * is needed until drop(); an engine may keep pointers into it. */
	int (*prepare)(const struct abi_prog *prog, const struct vnpu_engine_opts *opts,
		       struct vnpu_net **out, struct base_err *err);
	/* @bindings: inputs, then outputs, each of its tensor's size, an output apart from all
	 * others, any alignment; their owner may change them meanwhile.  @arena: of the program's
	 * size, 64-byte aligned, content undefined before and after; may be NULL where
	 * needs_arena() is false.  @op: written when an operation fails, its number. */
	int (*run)(struct vnpu_net *net, void *const *bindings, void *arena, u32 *op,
		   struct base_err *err);
	void (*drop)(struct vnpu_net *net);
	bool (*needs_arena)(const struct vnpu_net *net);
	/* Memory held, without the program's image.  An engine holds at most a small multiple of
	 * image, arena and bindings: exec.c has checked that these are really there. */
	u64 (*bytes)(const struct vnpu_net *net);
	/* Name of the implementation that runs operation @op ("jit:avx512_core", "plain"); NULL past
	 * the last operation.  Static or owned by @net. */
	const char *(*impl)(const struct vnpu_net *net, u32 op);
};

extern const struct vnpu_engine vnpu_engine_plain;

/* File and symbol of the loadable engine */
#define VNPU_ENGINE_LIBRARY	  "libvnpu_engine.so"
#define VNPU_ENGINE_ONEDNN_SYMBOL "vnpu_engine_onednn"

/**
 * vnpu_engine_load() - the oneDNN engine from its library
 * @handle: for vnpu_engine_unload()
 * Return: 0 or -ENOENT; @err names the places tried.  engine_load.c says where it looks.
 */
int vnpu_engine_load(const struct vnpu_engine **out, void **handle,
		     struct base_err *err) BASE_WARN_UNUSED;
void vnpu_engine_unload(void *handle);

#endif
