/* SPDX-License-Identifier: MIT */
/*
 * Where the scenarios of this folder happen: npud, its NPU, and programs that are its clients.
 *
 *   world_socket.c  npud on Linux, its NPU in a vnpu process beside it or inside; programs are
 *                   processes, forked from this one, which therefore has one thread
 *   world_box.c     npud on the Redox in a box; programs are processes of the box
 */
#ifndef TESTS_LOAD_WORLD_H
#define TESTS_LOAD_WORLD_H

#include <time.h>

#include "base/base.h"
#include "regs/gen.h"

struct world;
struct world_proc;

/** world_open() - the arguments of every scenario: @argv [0] program, then what WORLD_ARGS names;
 * @nr_used: how many of them are the world's.  Says what is wrong. */
int world_open(int argc, char **argv, int *nr_used, struct world **out) BASE_WARN_UNUSED;
extern const char world_args[];
/** world_close() - npud is told to end; 0 if it does so in order, and nothing is left behind. */
int world_close(struct world *w) BASE_WARN_UNUSED;

const char *world_device(const struct world *w); /* for npu_device_open() */
const struct reg_gen *world_gen(const struct world *w);
bool world_hws(const struct world *w); /* the firmware schedules */

/** world_nap() - let others work. */
static inline void world_nap(u64 ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / BASE_NS_PER_S),
				     .tv_nsec = (long)(ns % BASE_NS_PER_S) };

	nanosleep(&ts, NULL);
}

/** world_shared() - memory that programs and this one share, zeroed, until the end. */
void *world_shared(size_t size);
/** world_spawn() - a program; aborts if there is none to be had. */
struct world_proc *world_spawn(struct world *w, int (*run)(void *arg), void *arg);
/** world_has_ended() - would world_wait() return at once? */
bool world_has_ended(struct world_proc *proc);
/** world_is_stuck() - is it in a call whose server was killed, for ever?  Only SIGKILL helps. */
bool world_is_stuck(struct world_proc *proc);
/** world_kill() - SIGKILL. */
void world_kill(struct world_proc *proc);
/** world_wait() - what run() returned, -EINTR if it was killed; -ETIMEDOUT after @timeout_ns, then
 * it was killed.  Frees @proc. */
int world_wait(struct world_proc *proc, u64 timeout_ns) BASE_WARN_UNUSED;

extern const char world_heap_unit[];
extern const u64 world_heap_of_client; /* that one may cost, while it is there */
extern const u64 world_heap_kept;      /* that the C library may keep of one */

struct world_live {	  /* what npud has */
	u64 memory_bytes; /* resident; in the box: 0 */
	u64 heap;	  /* what nobody else sees, in units of its own */
	u64 descriptors;
	u64 dma_bytes; /* in the box; else 0 */
	u64 mappings;  /* likewise */
};

/** world_measure() - of npud as it is now; it is at rest, and nobody but the caller its client. */
struct world_live world_measure(struct world *w);

/** world_crash() - npud is killed; the NPU knows nothing of it. */
void world_crash(struct world *w);
/** world_restart() - a new one on the same NPU: 0 when it serves. */
int world_restart(struct world *w) BASE_WARN_UNUSED;

#endif
