/* SPDX-License-Identifier: MIT */
/*
 * Memory of one model or one compilation: allocated piece by piece, freed all at once, so that no
 * error path has to know what was made before it.  Arrays and name tables on top of it.
 */
#ifndef GRAPH_MEM_H
#define GRAPH_MEM_H

#include "base/base.h"

struct graph_chunk;

struct graph_mem { /* zero-initialised: empty */
	struct graph_chunk *chunks;
};

/** graph_mem_alloc() - @nr zeroed items, 64-byte aligned when large, or NULL. */
void *graph_mem_alloc(struct graph_mem *mem, size_t nr, size_t size_bytes) BASE_WARN_UNUSED;
char *graph_mem_strndup(struct graph_mem *mem, const char *s, size_t len) BASE_WARN_UNUSED;
char *graph_mem_printf(struct graph_mem *mem, const char *fmt, ...)
	BASE_PRINTF(2, 3) BASE_WARN_UNUSED;
void graph_mem_fini(struct graph_mem *mem);

/* A growing array; items move when it grows. */
struct graph_vec {
	void *items;
	u32 nr, cap;
};

/** graph_vec_add() - a new zeroed item at the end, or NULL. */
void *graph_vec_add(struct graph_mem *mem, struct graph_vec *vec,
		    size_t size_bytes) BASE_WARN_UNUSED;

#define GRAPH_NONE 0xFFFFFFFFu /* no value, no operation */

/* Name -> number; names are not copied. */
struct graph_names {
	struct graph_name *slots;
	u32 nr, cap;
};

/** graph_names_add() - 0, -EEXIST, or -ENOMEM. */
int graph_names_add(struct graph_mem *mem, struct graph_names *names, const char *name,
		    u32 id) BASE_WARN_UNUSED;
/** graph_names_find() - true with *id, or false. */
bool graph_names_find(const struct graph_names *names, const char *name, u32 *id);

#endif
