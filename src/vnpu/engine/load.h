/* SPDX-License-Identifier: MIT */
/* Where the engine library is, and its engine. */
#ifndef VNPU_ENGINE_LOAD_H
#define VNPU_ENGINE_LOAD_H

#include "vnpu/engine/engine.h"

/**
 * vnpu_engine_load() - the oneDNN engine out of libvnpu_engine.so
 *
 * The library stays loaded to the end of the process: its worker threads cannot be taken back.
 * Return: 0, or -ENOENT with @err naming each path tried and why it failed.
 */
int vnpu_engine_load(const struct vnpu_engine **out, struct base_err *err) BASE_WARN_UNUSED;

#endif
