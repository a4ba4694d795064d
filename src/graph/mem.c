// SPDX-License-Identifier: MIT
#include "graph/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define CHUNK_SIZE  (64u * 1024u)
#define CHUNK_ALIGN 64u

struct graph_chunk {
	struct graph_chunk *next;
	size_t used, size; /* of the bytes behind, from the first aligned one */
	u8 *start;
};

struct graph_name {
	const char *name; /* NULL: free */
	u64 hash;
	u32 id;
};

static struct graph_chunk *chunk_create(size_t size)
{
	struct graph_chunk *chunk;
	size_t total;

	if (__builtin_add_overflow(size, sizeof(*chunk) + CHUNK_ALIGN, &total))
		return NULL;
	chunk = base_zalloc(total);
	if (!chunk)
		return NULL;
	chunk->start = (u8 *)(chunk + 1);
	chunk->start += -(uintptr_t)chunk->start & (CHUNK_ALIGN - 1);
	chunk->size = size;
	return chunk;
}

void *graph_mem_alloc(struct graph_mem *mem, size_t nr, size_t size_bytes)
{
	struct graph_chunk *chunk = mem->chunks;
	size_t need;
	void *ptr;

	if (__builtin_mul_overflow(nr, size_bytes, &need) || need > SIZE_MAX / 2)
		return NULL;
	need = (need + 15) & ~(size_t)15;
	if (need > CHUNK_SIZE / 4) {
		chunk = chunk_create(need);
		if (!chunk)
			return NULL;
		chunk->used = need;
		if (mem->chunks) { /* behind the first, which still has room */
			chunk->next = mem->chunks->next;
			mem->chunks->next = chunk;
		} else {
			mem->chunks = chunk;
		}
		return chunk->start;
	}
	if (!chunk || chunk->size - chunk->used < need) {
		chunk = chunk_create(CHUNK_SIZE);
		if (!chunk)
			return NULL;
		chunk->next = mem->chunks;
		mem->chunks = chunk;
	}
	ptr = chunk->start + chunk->used;
	chunk->used += need;
	return ptr;
}

char *graph_mem_strndup(struct graph_mem *mem, const char *s, size_t len)
{
	char *copy = graph_mem_alloc(mem, len + 1, 1);

	if (copy && len)
		memcpy(copy, s, len);
	return copy;
}

char *graph_mem_printf(struct graph_mem *mem, const char *fmt, ...)
{
	va_list ap, again;
	char *s;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	s = len < 0 ? NULL : graph_mem_alloc(mem, (size_t)len + 1, 1);
	if (s)
		vsnprintf(s, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return s;
}

void graph_mem_fini(struct graph_mem *mem)
{
	struct graph_chunk *chunk = mem->chunks;

	while (chunk) {
		struct graph_chunk *next = chunk->next;

		base_free(chunk);
		chunk = next;
	}
	mem->chunks = NULL;
}

void *graph_vec_add(struct graph_mem *mem, struct graph_vec *vec, size_t size_bytes)
{
	if (vec->nr == vec->cap) {
		u32 cap = vec->cap ? vec->cap * 2 : 4;
		void *items;

		if (vec->cap > UINT32_MAX / 2)
			return NULL;
		items = graph_mem_alloc(mem, cap, size_bytes);
		if (!items)
			return NULL;
		if (vec->nr)
			memcpy(items, vec->items, vec->nr * size_bytes);
		vec->items = items;
		vec->cap = cap;
	}
	return (u8 *)vec->items + size_bytes * vec->nr++;
}

/* Seeded by an address: a file cannot be made to collide on purpose. */
static u64 hash_name(const char *name)
{
	static const u8 anchor;

	return base_hash64(name, strlen(name), (u64)(uintptr_t)&anchor);
}

static struct graph_name *find_slot(const struct graph_names *names, const char *name, u64 hash)
{
	u32 mask = names->cap - 1;

	for (u32 i = (u32)hash & mask;; i = (i + 1) & mask) {
		struct graph_name *slot = &names->slots[i];

		if (!slot->name || (slot->hash == hash && !strcmp(slot->name, name)))
			return slot;
	}
}

static int names_grow(struct graph_mem *mem, struct graph_names *names)
{
	struct graph_names bigger = { .nr = names->nr, .cap = names->cap ? names->cap * 2 : 16 };

	if (names->cap > UINT32_MAX / 4)
		return -ENOMEM;
	bigger.slots = graph_mem_alloc(mem, bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (u32 i = 0; i < names->cap; i++) {
		struct graph_name *old = &names->slots[i];

		if (old->name)
			*find_slot(&bigger, old->name, old->hash) = *old;
	}
	*names = bigger;
	return 0;
}

int graph_names_add(struct graph_mem *mem, struct graph_names *names, const char *name, u32 id)
{
	u64 hash = hash_name(name);
	struct graph_name *slot;
	int ret;

	if (names->nr >= names->cap / 2) {
		ret = names_grow(mem, names);
		if (ret)
			return ret;
	}
	slot = find_slot(names, name, hash);
	if (slot->name)
		return -EEXIST;
	*slot = (struct graph_name){ .name = name, .hash = hash, .id = id };
	names->nr++;
	return 0;
}

bool graph_names_find(const struct graph_names *names, const char *name, u32 *id)
{
	const struct graph_name *slot;

	if (!names->nr)
		return false;
	slot = find_slot(names, name, hash_name(name));
	if (!slot->name)
		return false;
	*id = slot->id;
	return true;
}
