/* SPDX-License-Identifier: MIT */
/*
 * For tests of the box: processes that are functions, which return 0 or the line that went wrong, and
 * what the box says about them.
 */
#ifndef TESTS_REDOX_BOX_WORLD_H
#define TESTS_REDOX_BOX_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "box_internal.h"

#define STEP(cond)                       \
	do {                             \
		if (!(cond))             \
			return __LINE__; \
	} while (0)

struct world;

/* What the server of a world does with a request; -1: no more. */
typedef int serve_fn(struct world *w, const struct redox_sqe *sqe);

struct world {
	struct box *box;
	struct box_proc *server;
	serve_fn *serve;
	size_t socket;
	atomic_uint up, nr_seen;
	struct redox_sqe seen[64];
	struct redox_sqe kept[8]; /* not answered yet */
	u32 nr_kept;
	u8 *memory;
};

static inline void world_open(struct world *w)
{
	const struct box_config cfg = { .gen = "npu37" };

	*w = (struct world){ .box = NULL };
	assert_int_equal(box_create(&cfg, &w->box), 0);
}

/* From here on, who is blocked is blocked for ever. */
static inline void no_patience(struct world *w)
{
	pthread_mutex_lock(&w->box->lock);
	w->box->patience_ns = 1;
	pthread_mutex_unlock(&w->box->lock);
}

/* @complaint: part of what it says, NULL: it says nothing */
static inline void world_close(struct world *w, const char *complaint)
{
	char text[300] = "";
	const u64 nr = box_complaints(w->box, text, sizeof(text));
	const struct box_live live = box_live(w->box);

	if (complaint ? !strstr(text, complaint) : nr != 0)
		fail_msg("it says \"%s\", expected \"%s\"", text, complaint ? complaint : "");
	assert_int_equal(live.contiguous_bytes, 0);
	assert_int_equal(live.descriptors, 0);
	assert_int_equal(live.mappings, 0);
	box_destroy(w->box);
}

static inline struct box_proc *spawn(struct world *w, u32 uid, int (*run)(void *arg))
{
	const struct box_proc_config cfg = { .name = "client", .uid = uid, .run = run, .arg = w };
	struct box_proc *proc;

	assert_int_equal(box_spawn(w->box, &cfg, &proc), 0);
	return proc;
}

static inline void finish(struct box_proc *proc)
{
	const int ret = box_wait(proc);

	if (ret)
		fail_msg("step %d", ret);
}

static inline void as_driver(struct world *w, int (*run)(void *arg))
{
	const struct box_proc_config cfg = {
		.name = "driver", .in_init_ns = true, .is_driver = true, .run = run, .arg = w
	};
	struct box_proc *proc;

	assert_int_equal(box_spawn(w->box, &cfg, &proc), 0);
	finish(proc);
}

static inline s64 rx_path(const char *path, u32 flags)
{
	return redox_result(redox_open_v1((const u8 *)path, strlen(path), flags, 0));
}

static inline s64 rx_rd(s64 fd, void *buf, size_t len)
{
	return redox_result(redox_read_v1((size_t)fd, buf, len));
}

static inline s64 rx_wr(s64 fd, const void *buf, size_t len)
{
	return redox_result(redox_write_v1((size_t)fd, buf, len));
}

static inline s64 rx_mmap(size_t len, u32 flags, s64 fd, u64 off)
{
	return redox_result(redox_mmap_v1(NULL, len, REDOX_PROT_READ | REDOX_PROT_WRITE, flags,
					  (size_t)fd, off));
}

static inline s64 rx_munmap(s64 at, size_t len)
{
	return redox_result(redox_munmap_v1((void *)(uintptr_t)at, len));
}

/* For as long as it takes, if it comes at all. */
static inline void await(const atomic_uint *what, unsigned nr)
{
	for (u32 i = 0; atomic_load(what) < nr && i < 10000; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_true(atomic_load(what) >= nr);
}

#define TEST(name, run_as, complaint)         \
	static void test_##name(void **state) \
	{                                     \
		struct world w;               \
                                              \
		(void)state;                  \
		world_open(&w);               \
		run_as(&w, name);             \
		world_close(&w, complaint);   \
	}

static inline void as_root(struct world *w, int (*run)(void *arg))
{
	finish(spawn(w, 0, run));
}

static inline void as_user(struct world *w, int (*run)(void *arg))
{
	finish(spawn(w, 1000, run));
}

static inline s64 put_event(s64 queue, size_t id, size_t flags, size_t data)
{
	const struct redox_event event = { .id = id, .flags = flags, .data = data };

	return rx_wr(queue, &event, sizeof(event));
}

#define T(name) cmocka_unit_test(test_##name)

#endif
