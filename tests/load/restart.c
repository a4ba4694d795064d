// SPDX-License-Identifier: MIT
/*
 * npud is killed under its clients, whatever they are doing, and started anew on the same NPU.
 *
 *   each of them gets an error that says so, and none hangs
 *   the new npud finds the NPU at rest, or brings it there, before it gives it memory, and works
 *
 * On Redox a call that is in service at that moment stays in the kernel: no program can do anything
 * about it.  Of libnpu these are short ones, none waits for the device.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../integration/cmdlist.h"
#include "status.h"
#include "work.h"
#include "world.h"

#define PATIENCE   (60 * BASE_NS_PER_S) /* for anything: this machine may be busy */
#define JOB_BYTES  0x4000u
#define BLOCK_SIZE 0x2000u
#define FENCE_OFF  0x1000u
#define BEFORE_NS  (100 * BASE_NS_PER_MS) /* who waits is asleep by then */

struct shared;

struct client {
	struct shared *shared;
	int (*body)(struct client *c, struct work *w);
	const char *what;
	struct world_proc *proc;
	_Atomic bool ready;
	int result; /* of the call that failed */
	char words[300];
};

struct shared {
	char device[64];
	const struct reg_gen *gen;
	_Atomic bool killed;
	struct client clients[8];
	u32 nr;
	u32 nr_told[8]; /* of each kind */
	_Atomic u64 jobs;
};

static int fails(const char *fmt, ...) BASE_PRINTF(1, 2);
static int fails(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "FAILED: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	return 1;
}

/*
 * Clients: until a call fails; what it said is the result
 */

/* A job that does not end: it waits for a fence.  Without an MMU: as many as there is room for. */
static int block(struct work *w)
{
	struct cmdlist list;
	struct npu_buffer *buf;
	struct npu_job job;
	int ret;

	if (w->gen->flat)
		return work_submit(w, 0);
	ret = npu_buffer_create(w->ctx, BLOCK_SIZE, 0, 0, &buf);
	if (ret)
		return ret;
	cmdlist_init(&list, buf, 0);
	cmdlist_fence(&list, ABI_CMD_FENCE_WAIT, npu_buffer_address(buf) + FENCE_OFF, 1);
	job = cmdlist_job(&list, 1);
	return npu_queue_submit(w->q[0].queue, &job, 1);
}

static int wait_for_ever(struct client *c, struct work *w)
{
	struct npu_completion done;
	int ret = block(w);

	atomic_store(&c->ready, true);
	while (ret >= 0) {
		ret = npu_queue_wait(w->q[0].queue, &done, 1, UINT64_MAX);
		if (ret == -ENODATA && w->gen->flat)
			ret = block(w);
	}
	return ret;
}

static int wait_for_the_end(struct client *c, struct work *w)
{
	int ret = block(w);

	atomic_store(&c->ready, true);
	if (ret < 0)
		return ret;
	do {
		npu_queue_destroy(w->q[0].queue); /* waits for its jobs */
		ret = npu_queue_create(w->ctx, NPU_PRIO_NORMAL, &w->q[0].queue);
	} while (!ret);
	return ret;
}

static int poll_for_ever(struct client *c, struct work *w)
{
	struct npu_completion done;
	int ret = block(w);

	atomic_store(&c->ready, true);
	while (ret >= 0) {
		ret = npu_queue_poll(w->q[0].queue, &done, 1);
		if (atomic_load(&c->shared->killed))
			world_nap(10000);
	}
	return ret;
}

static int work_on(struct client *c, struct work *w)
{
	int ret = 0;

	atomic_store(&c->ready, true);
	for (u32 q = 0; ret >= 0; q = (q + 1) % w->nr_queues) {
		ret = work_submit(w, q);
		if (ret >= 0)
			ret = work_reap(w, q, UINT64_MAX);
	}
	return ret;
}

static int map(struct client *c, struct work *w)
{
	struct npu_buffer *buf;
	int ret = 0;

	atomic_store(&c->ready, true);
	while (!ret) {
		ret = npu_buffer_create(w->ctx, 0x10000, 0, 0, &buf);
		if (ret)
			break;
		memset(npu_buffer_map(buf), 1, 0x10000);
		npu_buffer_destroy(buf);
	}
	return ret;
}

/* Its memory stays its own, and the next call tells. */
static int sleep_through(struct client *c, struct work *w)
{
	struct npu_buffer *buf;
	u8 *cpu;
	int ret = npu_buffer_create(w->ctx, 0x10000, 0, 0, &buf);

	if (ret)
		return -EPROTO;
	cpu = npu_buffer_map(buf);
	memset(cpu, 0x5a, 0x10000);
	atomic_store(&c->ready, true);
	while (!atomic_load(&c->shared->killed))
		world_nap(BASE_NS_PER_MS);
	for (u32 i = 0; i < 0x10000; i++)
		if (cpu[i] != 0x5a)
			return -EPROTO;
	return npu_buffer_create(w->ctx, 0x10000, 0, 0, &buf);
}

static int client_run(void *arg)
{
	struct client *c = arg;
	struct work w;
	int ret = work_open(&w, c->shared->device, c->shared->gen, 1, 2, JOB_BYTES);

	if (!ret)
		ret = c->body(c, &w);
	c->result = ret;
	snprintf(c->words, sizeof(c->words), "%.299s", npu_last_error());
	if (atomic_load(&c->ready))
		work_close(&w); /* it does not hang either */
	return 0;
}

/*
 * Before, and after
 */

static const struct {
	const char *what;
	int (*body)(struct client *c, struct work *w);
	bool quiet; /* it makes no calls by then */
} kinds[] = {
	{ "waiting for a job", wait_for_ever, true },
	{ "destroying a queue", wait_for_the_end, true },
	{ "polling", poll_for_ever, false },
	{ "working", work_on, false },
	{ "mapping", map, false },
	{ "asleep", sleep_through, true },
};

static int start_clients(struct world *world, struct shared *shared)
{
	u64 until = base_clock_ns() + PATIENCE;

	atomic_store(&shared->killed, false);
	shared->nr = BASE_ARRAY_SIZE(kinds);
	for (u32 i = 0; i < shared->nr; i++) {
		struct client *c = &shared->clients[i];

		*c = (struct client){ .shared = shared,
				      .what = kinds[i].what,
				      .body = kinds[i].body };
		c->proc = world_spawn(world, client_run, c);
	}
	for (u32 i = 0; i < shared->nr; i++) {
		while (!atomic_load(&shared->clients[i].ready)) {
			if (base_clock_ns() >= until)
				return fails("%s: does not begin: %s; %s", shared->clients[i].what,
					     base_err_name(shared->clients[i].result),
					     shared->clients[i].words);
			world_nap(BASE_NS_PER_MS);
		}
	}
	return 0;
}

/* The error, in time; or, where that is so, the kernel keeps it. */
static int judge(struct client *c, u32 *nr_stuck, u32 *nr_told)
{
	u64 until = base_clock_ns() + PATIENCE;
	int ret;

	while (!world_has_ended(c->proc) && !world_is_stuck(c->proc) && base_clock_ns() < until)
		world_nap(BASE_NS_PER_MS);
	if (world_is_stuck(c->proc)) {
		printf("  %s: a call was in service\n", c->what);
		++*nr_stuck;
		world_kill(c->proc);
		ret = world_wait(c->proc, PATIENCE);
		return ret == -EINTR ? 0
				     : fails("%s: in the kernel for ever, and unkillable: %s",
					     c->what, base_err_name(ret));
	}
	ret = world_wait(c->proc, 0);
	if (ret)
		return fails("%s: %s", c->what, ret == -ETIMEDOUT ? "hangs" : base_err_name(ret));
	if (c->result != -ENODEV || !strstr(c->words, "gone"))
		return fails("%s: got %s, \"%s\"; expected ENODEV, and that npud is gone", c->what,
			     base_err_name(c->result), c->words);
	++*nr_told;
	return 0;
}

static int good_run(void *arg)
{
	struct shared *shared = arg;
	struct work w;
	int ret = work_open(&w, shared->device, shared->gen, 1, 2, JOB_BYTES);

	for (u32 i = 0; ret >= 0 && i < 20; i++) {
		ret = work_submit(&w, i % 2);
		if (ret >= 0)
			ret = work_reap(&w, i % 2, PATIENCE);
		if (ret > 0)
			atomic_fetch_add(&shared->jobs, (u64)ret);
	}
	if (ret < 0)
		fprintf(stderr, "FAILED: after the restart: %s; %s\n", base_err_name(ret),
			npu_last_error());
	else
		work_close(&w);
	return ret < 0 ? ret : 0;
}

static int round_of(struct world *world, struct shared *shared, u64 delay_ns, u32 *nr_stuck)
{
	int ret = start_clients(world, shared);

	if (ret)
		return ret;
	world_nap(delay_ns);
	world_crash(world);
	atomic_store(&shared->killed, true);
	for (u32 i = 0; i < shared->nr; i++)
		ret |= judge(&shared->clients[i], nr_stuck, &shared->nr_told[i]);
	if (!ret && world_restart(world))
		ret = fails("npud does not start again");
	if (!ret && world_wait(world_spawn(world, good_run, shared), PATIENCE))
		ret = fails("npud does not work after its restart");
	return ret;
}

static int run(struct world *world, u64 nr, u64 seed)
{
	struct shared *shared = world_shared(sizeof(*shared));
	struct status status;
	u32 nr_stuck = 0;
	int ret = 0;

	snprintf(shared->device, sizeof(shared->device), "%s", world_device(world));
	shared->gen = world_gen(world);
	for (u64 i = 0; !ret && i < nr; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		ret = round_of(world, shared, BEFORE_NS + (seed >> 33) % (5 * BASE_NS_PER_MS),
			       &nr_stuck);
	}
	for (u32 i = 0; !ret && i < shared->nr; i++)
		if (kinds[i].quiet && !shared->gen->flat && !shared->nr_told[i])
			ret = fails("%s: always found with a call in service", kinds[i].what);
	if (!ret)
		ret = status_at_rest(world, &status);
	printf("  %llu jobs were right after the restarts; %u clients had a call in service\n",
	       (unsigned long long)atomic_load(&shared->jobs), nr_stuck);
	return ret;
}

int main(int argc, char **argv)
{
	u64 nr = 3, seed = 1;
	struct world *world;
	int used, ret;

	if (world_open(argc, argv, &used, &world)) {
		fprintf(stderr, "usage: %s %s [RESTARTS [SEED]]\n", argv[0], world_args);
		return 2;
	}
	if (argc > used + 1)
		nr = strtoull(argv[used + 1], NULL, 0);
	if (argc > used + 2)
		seed = strtoull(argv[used + 2], NULL, 0);
	printf("%s, %s: npud is killed %llu times, seed %llu\n", world_gen(world)->name,
	       world_device(world), (unsigned long long)nr, (unsigned long long)seed);
	ret = run(world, nr, seed);
	ret |= world_close(world);
	printf("  %s\n", ret ? "FAILED" : "passed");
	return ret != 0;
}
