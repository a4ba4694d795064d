/* SPDX-License-Identifier: MIT */
/*
 * Runs that work on copies.  An operation cannot be left half done; while one takes long its job may
 * go, and the client's memory be given to others.
 */
#ifndef VNPU_ENGINE_APART_H
#define VNPU_ENGINE_APART_H

#include "vnpu/engine/exec.h"

/** vnpu_apart_is_wanted() - has @prog an operation that takes long? */
bool vnpu_apart_is_wanted(const struct abi_prog *prog);

/**
 * vnpu_apart_take() - copies of the inputs, room for outputs and arena
 * @ptrs: written: one pointer for each binding, then the arena's
 * @memory: base_free() it, whatever is returned
 * Return: 0, -EFAULT (a binding), -ENOMEM.
 */
int vnpu_apart_take(const struct abi_prog *prog, const struct vnpu_exec_job *job, void **ptrs,
		    void **memory, struct base_err *err) BASE_WARN_UNUSED;

/** vnpu_apart_give() - the outputs to the client; -EFAULT when a binding is not there (any more). */
int vnpu_apart_give(const struct abi_prog *prog, const struct vnpu_exec_job *job, void **ptrs,
		    struct base_err *err) BASE_WARN_UNUSED;

#endif
