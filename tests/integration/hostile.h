/* SPDX-License-Identifier: MIT */
/*
 * A client of npud that means harm, and one beside it that does not: what both transports share.
 * Nothing here uses libnpu: requests go out as they are, numbers and memory are filled in by hand.
 *
 * Functions return 0 or a negative errno with words in @err, never assert: they run in any thread,
 * in a process of the box, too.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <stdatomic.h>

#include "abi/job.h"
#include "abi/program.h"
#include "base/base.h"
#include "regs/gen.h"
#include "service/calls.h"

/*
 * The wire; one implementation each in hostile_socket.c and hostile_redox.c.  Results as the daemon
 * gave them: a value or a negative errno.
 */
struct hostile_conn;

s64 hostile_open(struct hostile_conn *c, const char *path);
s64 hostile_dup(struct hostile_conn *c, s64 handle, const char *path);
s64 hostile_read(struct hostile_conn *c, s64 handle, void *buf, u64 size);
s64 hostile_write(struct hostile_conn *c, s64 handle, const void *buf, u64 size);
s64 hostile_call(struct hostile_conn *c, s64 handle, void *arg, u64 size);
s64 hostile_map(struct hostile_conn *c, s64 handle, u64 size, void **cpu);
void hostile_unmap(void *cpu, u64 size);
s64 hostile_close(struct hostile_conn *c, s64 handle);
/** hostile_wait() - read one completion: 1, 0 when there was none in time, or a negative errno */
s64 hostile_wait(struct hostile_conn *c, s64 queue, u32 timeout_ms, struct abi_completion *out);
/** hostile_why() - the sentence of the last error, which may be lost by a next request */
void hostile_why(struct hostile_conn *c, char *text, size_t size);

struct hostile_bo {
	s64 handle;
	u64 addr, size;
	u8 *cpu;
};

int hostile_bo(struct hostile_conn *c, s64 ctx, u64 size, const char *params,
	       struct hostile_bo *out, struct base_err *err) BASE_WARN_UNUSED;
void hostile_bo_close(struct hostile_conn *c, struct hostile_bo *bo);

/* A context of one's own, and all that a job needs. */
#define HOSTILE_BO_SIZE 0x10000u

struct hostile {
	struct hostile_conn *c;
	const struct reg_gen *gen;
	s64 ctx, queue;
	struct hostile_bo cmd, io;
	float constant;	  /* of the program, y = relu(x + constant) */
	u64 inference_id; /* which it runs as */
};

#define HOSTILE_PATIENCE_MS 20000u

int hostile_enter(struct hostile *h, struct hostile_conn *c, const struct reg_gen *gen,
		  struct base_err *err) BASE_WARN_UNUSED;
/** hostile_enter_patiently() - or when there is a context again; -EBUSY: not within 20 s */
int hostile_enter_patiently(struct hostile *h, struct hostile_conn *c, const struct reg_gen *gen,
			    struct base_err *err) BASE_WARN_UNUSED;
void hostile_leave(struct hostile *h);

/* What an address is put into; all else of the job is right. */
enum hostile_kind {
	HOSTILE_JOB_CMD, /* the descriptor */
	HOSTILE_JOB_INPUT,
	HOSTILE_JOB_OUTPUT,
	HOSTILE_PROGRAM, /* the invocation */
	HOSTILE_ARENA,
	HOSTILE_INPUT,
	HOSTILE_OUTPUT,
	HOSTILE_ERROR,
	HOSTILE_NR_FLAT,		      /* a device without MMU knows no others */
	HOSTILE_INVOCATION = HOSTILE_NR_FLAT, /* commands */
	HOSTILE_COPY_SRC,
	HOSTILE_COPY_DST,
	HOSTILE_COPY_DESC,
	HOSTILE_FILL,
	HOSTILE_SIGNAL,
	HOSTILE_FENCE,
	HOSTILE_STAMP,
	HOSTILE_QUERY,
	HOSTILE_SAVE_AREA,
	HOSTILE_NR,
};

u32 hostile_nr_kinds(const struct reg_gen *gen);
const char *hostile_kind_name(enum hostile_kind kind);
/** hostile_good() - an address that @kind may have; a multiple of 64 */
u64 hostile_good(const struct hostile *h, enum hostile_kind kind);
/** hostile_put() - the job of @kind in @h's memory, with @addr in the place */
struct abi_job hostile_put(struct hostile *h, enum hostile_kind kind, u64 addr);
/** hostile_try() - run it; *status: the completion's, or what submitting it failed with */
int hostile_try(struct hostile *h, enum hostile_kind kind, u64 addr, s32 *status,
		struct base_err *err) BASE_WARN_UNUSED;
/** hostile_self_test() - every kind, with a good address, does what it is for */
int hostile_self_test(struct hostile_conn *c, const struct reg_gen *gen,
		      struct base_err *err) BASE_WARN_UNUSED;

/*
 * A victim: a context full of a secret, which its jobs have worked on.
 */
#define HOSTILE_SECRET	 12345.0f
#define HOSTILE_NR_BOXES 24u

struct hostile_victim {
	struct hostile h;
	struct hostile_bo box[HOSTILE_NR_BOXES];
};

int hostile_victim_enter(struct hostile_victim *v, struct hostile_conn *c,
			 const struct reg_gen *gen, struct base_err *err) BASE_WARN_UNUSED;
void hostile_victim_leave(struct hostile_victim *v);
/** hostile_has_secret() - is it in these bytes, or what a job makes of it? */
bool hostile_has_secret(const void *data, u64 size);

/*
 * The attacks.  @seed and @count: of those that go by chance.
 */
struct hostile_plan {
	const struct reg_gen *gen;
	bool hws; /* hardware scheduling */
	u64 seed;
	u32 count;
};

/* Each connection is a client of its own. */
int hostile_addresses(const struct hostile_plan *plan, struct hostile_conn *mine,
		      struct hostile_conn *theirs, struct base_err *err) BASE_WARN_UNUSED;
int hostile_isolation(const struct hostile_plan *plan, struct hostile_conn *mine,
		      struct hostile_conn *theirs, struct base_err *err) BASE_WARN_UNUSED;
/** hostile_keys() - inferences of another, by their number and address; of a context that is gone */
int hostile_keys(const struct hostile_plan *plan, struct hostile_conn *mine,
		 struct hostile_conn *theirs, struct base_err *err) BASE_WARN_UNUSED;
/** hostile_reuse() - what clients that are gone left in memory */
int hostile_reuse(const struct hostile_plan *plan, struct hostile_conn *mine,
		  struct base_err *err) BASE_WARN_UNUSED;
/** hostile_descriptors() - forged jobs, sizes, paths, calls */
int hostile_descriptors(const struct hostile_plan *plan, struct hostile_conn *mine,
			struct base_err *err) BASE_WARN_UNUSED;
/** hostile_random() - jobs of random bytes in all that the device reads */
int hostile_random(const struct hostile_plan *plan, struct hostile_conn *mine,
		   struct base_err *err) BASE_WARN_UNUSED;
/** hostile_unfinished() - contexts closed with jobs in them that never end */
int hostile_unfinished(const struct hostile_plan *plan, struct hostile_conn *mine,
		       struct base_err *err) BASE_WARN_UNUSED;
/** hostile_giant() - a context that is left with one operation of seconds under way */
int hostile_giant(const struct hostile_plan *plan, struct hostile_conn *mine, struct base_err *err);

/** hostile_endless() - a context that is left with an inference of hours under way */
int hostile_endless(const struct hostile_plan *plan, struct hostile_conn *mine,
		    struct base_err *err) BASE_WARN_UNUSED;
/** hostile_nothing_left() - no context, buffer, queue, job is in the daemon, or soon none will be;
 * and the device never had to be booted anew */
int hostile_nothing_left(struct hostile_conn *c, struct base_err *err) BASE_WARN_UNUSED;

/** hostile_bystander() - jobs, each verified, until *stop; *done counts them */
int hostile_bystander(struct hostile_conn *c, const struct reg_gen *gen, const atomic_bool *stop,
		      atomic_uint *done, struct base_err *err) BASE_WARN_UNUSED;

#endif
