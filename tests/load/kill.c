// SPDX-License-Identifier: MIT
/*
 * Clients that are killed at any moment, thousands of them, while another one's jobs go on:
 * afterwards npud has what it had before, and every one of those jobs was right.
 *
 * What a victim does, and how long after it began to do it, follow from the seed; where exactly it
 * is then is up to the machine.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "work.h"
#include "world.h"

#define NR_AT_ONCE   4u
#define WARM_UP	     5u /* percent of the kills, before the start is measured */
#define MAX_DELAY_NS 1500000u
#define PATIENCE     (60 * BASE_NS_PER_S) /* for anything: this machine may be busy */
#define JOB_BYTES    0x4000u
#define PAGE	     0x1000u

enum doing { CONNECTING, ALLOCATING, MAPPING, SUBMITTING, WAITING, NR_DOINGS };

static const char *const doing_names[] = { "connecting", "allocating", "mapping", "submitting",
					   "waiting" };

struct shared;

struct victim { /* one at a time */
	struct shared *shared;
	struct world_proc *proc;
	enum doing doing;
	u64 seed, delay_ns;
	_Atomic u64 began_ns; /* 0: not yet */
	_Atomic bool failed;
	char error[300];
};

struct shared {
	char device[64];
	const struct reg_gen *gen;
	struct victim victims[NR_AT_ONCE];
	_Atomic bool stop;
	_Atomic u64 jobs; /* of the other one */
	char error[300];
	u64 nr_killed[NR_DOINGS];
};

static u64 next_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

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
 * Victims: each does its thing until it is killed, or fails
 */

static int connect_again(struct victim *v, struct work *w)
{
	struct npu_device *dev;
	int ret = npu_device_open(v->shared->device, &dev);

	(void)w;
	if (!ret)
		npu_device_close(dev);
	return ret;
}

static int allocate(struct victim *v, struct work *w)
{
	struct npu_context *ctx;
	struct npu_queue *queue;
	int ret = npu_context_create(w->dev, &ctx);

	for (u64 i = next_random(&v->seed) % 4; !ret && i; i--)
		ret = npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue);
	if (!ret)
		npu_context_destroy(ctx);
	return ret == -EBUSY ? 0 : ret; /* what was destroyed may be under way still */
}

static int map(struct victim *v, struct work *w)
{
	u64 size = (1 + next_random(&v->seed) % 64) * PAGE;
	struct npu_buffer *buf;
	int ret = npu_buffer_create(w->ctx, size, 0, 0, &buf);

	if (ret)
		return ret;
	memset(npu_buffer_map(buf), 0xa5, size);
	if (next_random(&v->seed) % 8) /* else it is one more */
		npu_buffer_destroy(buf);
	return 0;
}

static int submit(struct victim *v, struct work *w)
{
	u32 q = (u32)(next_random(&v->seed) % w->nr_queues);
	int ret = work_submit(w, q);

	if (ret >= 0)
		ret = work_reap(w, q, 0);
	return ret == -ETIMEDOUT || ret == -ENODATA ? 0 : ret;
}

static int await_jobs(struct victim *v, struct work *w)
{
	u32 q = (u32)(next_random(&v->seed) % w->nr_queues);
	int ret = work_submit(w, q);

	return ret < 0 ? ret : work_reap(w, q, PATIENCE);
}

static int victim_run(void *arg)
{
	static int (*const things[NR_DOINGS])(struct victim * v,
					      struct work * w) = { connect_again, allocate, map,
								   submit, await_jobs };
	struct victim *v = arg;
	struct work w;
	int ret = 0;

	if (v->doing == CONNECTING) /* while it opens all that, too */
		atomic_store(&v->began_ns, base_clock_ns());
	ret = work_open(&w, v->shared->device, v->shared->gen, 2, 3, JOB_BYTES);
	if (!ret)
		atomic_store(&v->began_ns, base_clock_ns());
	while (ret >= 0)
		ret = things[v->doing](v, &w);
	snprintf(v->error, sizeof(v->error), "%s: %s: %.200s", doing_names[v->doing],
		 base_err_name(ret), npu_last_error());
	atomic_store(&v->failed, true);
	return ret;
}

/*
 * The other one
 */

static int other_run(void *arg)
{
	struct shared *shared = arg;
	struct work w;
	int ret = work_open(&w, shared->device, shared->gen, 1, 2, JOB_BYTES);

	for (u32 q = 0; ret >= 0 && !atomic_load(&shared->stop); q = (q + 1) % 2) {
		ret = work_submit(&w, q);
		if (ret >= 0)
			ret = work_reap(&w, q, PATIENCE);
		if (ret > 0)
			atomic_fetch_add(&shared->jobs, (u64)ret);
	}
	if (ret < 0)
		snprintf(shared->error, sizeof(shared->error), "%s: %.200s", base_err_name(ret),
			 ret == -EBADMSG ? "a wrong result" : npu_last_error());
	else
		work_close(&w);
	return ret < 0 ? ret : 0;
}

/*
 * The killing
 */

static void begin(struct world *world, struct victim *v, u64 *seed)
{
	atomic_store(&v->began_ns, 0);
	atomic_store(&v->failed, false);
	v->doing = (enum doing)(next_random(seed) % NR_DOINGS);
	v->delay_ns = next_random(seed) % MAX_DELAY_NS;
	v->seed = next_random(seed);
	v->proc = world_spawn(world, victim_run, v);
}

/* Its time has come? */
static bool is_due(const struct victim *v)
{
	u64 began_ns = atomic_load(&v->began_ns);

	return began_ns && base_clock_ns() >= began_ns + v->delay_ns;
}

static int finish(struct shared *shared, struct victim *v)
{
	int ret;

	world_kill(v->proc);
	ret = world_wait(v->proc, PATIENCE);
	v->proc = NULL;
	shared->nr_killed[v->doing]++;
	return ret == -EINTR
		       ? 0
		       : fails("a victim was not killed: %s; %s", base_err_name(ret), v->error);
}

/* @nr of them, some at once. */
static int kill_many(struct world *world, struct shared *shared, u64 nr, u64 *seed)
{
	u64 until = base_clock_ns() + PATIENCE, begun = 0, ended = 0;
	int ret = 0;

	while (!ret && ended < nr) {
		for (u32 i = 0; !ret && i < NR_AT_ONCE; i++) {
			struct victim *v = &shared->victims[i];

			if (!v->proc && begun < nr) {
				begin(world, v, seed);
				begun++;
			} else if (v->proc && (is_due(v) || atomic_load(&v->failed))) {
				ret = finish(shared, v);
				ended++;
				until = base_clock_ns() + PATIENCE;
			}
		}
		if (base_clock_ns() >= until)
			ret = fails("no victim gets to what it is to do");
		world_nap(20000);
	}
	for (u32 i = 0; i < NR_AT_ONCE; i++)
		if (shared->victims[i].proc)
			ret |= finish(shared, &shared->victims[i]);
	return ret;
}

/* One round with the other one at work; then npud is at rest. */
static int round_of(struct world *world, struct shared *shared, u64 nr, u64 *seed,
		    struct status *out)
{
	struct world_proc *other;
	int ret, end;

	atomic_store(&shared->stop, false);
	other = world_spawn(world, other_run, shared);
	ret = kill_many(world, shared, nr, seed);
	atomic_store(&shared->stop, true);
	end = world_wait(other, PATIENCE);
	if (end)
		ret = fails("the other client ended with %s; %s", base_err_name(end),
			    shared->error);
	return ret | status_at_rest(world, out);
}

static int run(struct world *world, u64 nr, u64 seed)
{
	struct shared *shared = world_shared(sizeof(*shared));
	struct status before, after;
	u64 first = base_max(nr * WARM_UP / 100, (u64)NR_AT_ONCE);
	int ret;

	snprintf(shared->device, sizeof(shared->device), "%s", world_device(world));
	shared->gen = world_gen(world);
	for (u32 i = 0; i < NR_AT_ONCE; i++)
		shared->victims[i].shared = shared;
	ret = round_of(world, shared, first, &seed, &before);
	if (!ret)
		ret = round_of(world, shared, nr - base_min(nr, first), &seed, &after);
	if (!ret && !status_same(&before, &after, NR_AT_ONCE + 1))
		ret = 1;
	printf("  killed");
	for (u32 i = 0; i < NR_DOINGS; i++)
		printf(" %llu %s%s", (unsigned long long)shared->nr_killed[i], doing_names[i],
		       i + 1 < NR_DOINGS ? "," : ";");
	printf(" %llu jobs of another client were right\n",
	       (unsigned long long)atomic_load(&shared->jobs));
	if (!ret)
		printf("  npud has %llu descriptors; resident %llu KiB, then %llu; heap %llu %s, "
		       "then %llu\n",
		       (unsigned long long)after.live.descriptors,
		       (unsigned long long)before.live.memory_bytes >> 10,
		       (unsigned long long)after.live.memory_bytes >> 10,
		       (unsigned long long)before.live.heap, world_heap_unit,
		       (unsigned long long)after.live.heap);
	return ret;
}

int main(int argc, char **argv)
{
	u64 nr = 200, seed = 1;
	struct world *world;
	int used, ret;

	if (world_open(argc, argv, &used, &world)) {
		fprintf(stderr, "usage: %s %s [KILLS [SEED]]\n", argv[0], world_args);
		return 2;
	}
	if (argc > used + 1)
		nr = strtoull(argv[used + 1], NULL, 0);
	if (argc > used + 2)
		seed = strtoull(argv[used + 2], NULL, 0);
	printf("%s, %s: %llu clients are killed, seed %llu\n", world_gen(world)->name,
	       world_device(world), (unsigned long long)nr, (unsigned long long)seed);
	ret = run(world, nr, seed);
	ret |= world_close(world);
	printf("  %s\n", ret ? "FAILED" : "passed");
	return ret != 0;
}
