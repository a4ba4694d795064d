// SPDX-License-Identifier: MIT
/*
 * Many clients with several queues each, all of them full, until a number of jobs has been done and
 * checked; with one more client that never reads a completion.
 *
 *   none may get more or less than its share, by FAIR percent; on a machine that others use, too, it
 *   takes some time until chance is fair, and as long as that is not so the run is made longer
 *   one doorbell more than the device has: EBUSY (queues that share rings are as many as one likes)
 *   what npud has afterwards is what it had before
 *
 * Clients that saturate an NPU are not waited for by it: a job is work enough for that.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "work.h"
#include "world.h"

#define FAIR	   10u		/* percent of the mean */
#define LONGER	   4u		/* at most, than the number of jobs that was asked for */
#define FAIR_FROM  1500u	/* jobs a client; what it has not read weighs more among fewer: */
#define STARVED	   5u		/* then nobody has less than the mean divided by this */
#define FILL_BYTES (256u << 10) /* of a job with an MMU: some 50 us */
#define TURN_BYTES (3u << 20)	/* with hardware scheduling, which gives turns of 30 ms */
#define FLAT_BYTES (4u << 10)	/* without: 62 a queue are under way, and each has its own */
#define PATIENCE   (120 * BASE_NS_PER_S) /* for one completion: this machine may be busy */
#define RUN_NS	   (1800 * BASE_NS_PER_S)

enum stage { OPENING, FILLING, RUNNING, COUNTING, STOPPED, LEAVING };

struct client {
	struct load *load;
	u32 idx;
	_Atomic u64 done[WORK_MAX_QUEUES]; /* that count */
	char error[300];
};

struct load { /* shared */
	char device[64];
	const struct reg_gen *gen;
	u32 nr_queues;
	u32 nr_clients;
	_Atomic u64 target;
	u64 warm_up, step, longest;
	_Atomic u64 start_ns; /* of counting */
	_Atomic u32 stage;
	_Atomic u32 nr_ready; /* for the next stage */
	bool hws;
	_Atomic u64 total; /* of this stage */
	u32 greedy_queues; /* that could be had beside the clients' */
	int greedy_error;
	char greedy_words[300];
	struct client clients[];
};

static int say(struct client *c, int ret, const char *what)
{
	snprintf(c->error, sizeof(c->error), "%s: %s: %.200s", what, base_err_name(ret),
		 ret == -EBADMSG ? "a wrong result" : npu_last_error());
	return ret;
}

static void advance(struct load *load, enum stage stage)
{
	atomic_store(&load->stage, stage);
}

static u32 job_size(const struct load *load)
{
	if (load->gen->flat)
		return FLAT_BYTES;
	return load->hws ? TURN_BYTES : FILL_BYTES;
}

struct spread {
	u64 least, most, sum;
	u32 nr;
};

static void add(struct spread *s, u64 val)
{
	s->least = s->nr++ ? base_min(s->least, val) : val;
	s->most = base_max(s->most, val);
	s->sum += val;
}

static double percent(const struct spread *s)
{
	double mean = (double)s->sum / s->nr;
	double off = base_max((double)s->most - mean, mean - (double)s->least);

	return mean > 0 ? 100 * off / mean : 100;
}

static u64 done_by(const struct client *c)
{
	u64 done = 0;

	for (u32 q = 0; q < c->load->nr_queues; q++)
		done += c->done[q];
	return done;
}

/* Percent that the farthest is off the mean. */
static double spread_of_clients(const struct load *load)
{
	struct spread s = { 0 };

	for (u32 i = 0; i < load->nr_clients; i++)
		add(&s, done_by(&load->clients[i]));
	return percent(&s);
}

/* As many jobs as are under way go by before any counts: who began first is ahead of the others. */
static void count(struct client *c, u32 q, u32 nr)
{
	struct load *load = c->load;
	enum stage stage = atomic_load(&load->stage);
	u64 done = atomic_fetch_add(&load->total, nr) + nr;

	if (stage == COUNTING)
		c->done[q] += nr;
	if (stage == RUNNING && done >= load->warm_up) {
		atomic_store(&load->total, 0);
		atomic_store(&load->start_ns, base_clock_ns());
		advance(load, COUNTING);
	} else if (stage == COUNTING && done >= atomic_load(&load->target)) {
		if (done < load->longest && spread_of_clients(load) > FAIR)
			atomic_store(&load->target, done + load->step);
		else
			advance(load, STOPPED);
	}
}

/* Done by now, but not read yet. */
static int count_rest(struct client *c, struct work *w)
{
	for (u32 q = 0; q < w->nr_queues; q++) {
		int ret = work_reap(w, q, 0);

		if (ret < 0 && ret != -ETIMEDOUT && ret != -ENODATA)
			return ret;
		if (ret > 0)
			c->done[q] += (u32)ret;
	}
	return 0;
}

static int drive(struct client *c, struct work *w)
{
	struct load *load = c->load;
	int ret = 0;

	while (ret >= 0 && atomic_load(&load->stage) < STOPPED) {
		for (u32 q = 0; ret >= 0 && q < w->nr_queues; q++) {
			ret = work_reap(w, q, PATIENCE);
			if (ret > 0) {
				count(c, q, (u32)ret);
				ret = work_submit(w, q);
			}
		}
	}
	return ret < 0 ? ret : count_rest(c, w);
}

/* What is still under way is checked, too. */
static int drain(struct work *w)
{
	int ret = 0;

	for (u32 q = 0; (!ret || ret == -ENODATA) && q < w->nr_queues; q++)
		while ((ret = work_reap(w, q, PATIENCE)) > 0)
			continue;
	return ret == -ENODATA ? 0 : ret;
}

static int fill(struct work *w)
{
	int ret = 0;

	for (u32 q = 0; ret >= 0 && q < w->nr_queues; q++)
		ret = work_submit(w, q);
	return ret < 0 ? ret : 0;
}

static void ready(struct load *load, enum stage next)
{
	atomic_fetch_add(&load->nr_ready, 1);
	while (atomic_load(&load->stage) < (u32)next)
		world_nap(BASE_NS_PER_MS);
}

/* Opened and filled, or why not; in step with the others either way. */
static int begin(struct client *c, struct work *w)
{
	struct load *load = c->load;
	int ret = work_open(w, load->device, load->gen, c->idx, load->nr_queues, job_size(load));

	if (ret)
		say(c, ret, "opening");
	ready(load, FILLING);
	if (!ret) {
		ret = fill(w);
		if (ret) {
			say(c, ret, "filling the queues");
			work_close(w);
		}
	}
	ready(load, RUNNING);
	return ret;
}

static int client_run(void *arg)
{
	struct client *c = arg;
	struct work w;
	int ret = begin(c, &w);
	bool open = !ret;

	if (!ret)
		ret = drive(c, &w);
	if (ret && open)
		say(c, ret, "working");
	if (ret) /* the others are not to wait for it */
		advance(c->load, STOPPED);
	ready(c->load, LEAVING);
	if (!ret) {
		ret = drain(&w);
		if (ret)
			say(c, ret, "working to the end");
	}
	if (open)
		work_close(&w);
	return ret;
}

/* Submits until nothing more is taken, and never reads. */
static int deaf_run(void *arg)
{
	struct client *c = arg;
	struct work w;
	int ret = begin(c, &w);

	if (ret)
		return ret;
	while (atomic_load(&c->load->stage) < LEAVING)
		world_nap(BASE_NS_PER_MS);
	work_close(&w);
	return 0;
}

/* Every queue that can be had. */
static int greedy_run(void *arg)
{
	struct load *load = arg;
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	int ret = npu_device_open(load->device, &dev);

	if (ret)
		return ret;
	ret = npu_context_create(dev, &ctx);
	while (!ret) {
		ret = npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue);
		load->greedy_queues += !ret;
	}
	load->greedy_error = ret;
	snprintf(load->greedy_words, sizeof(load->greedy_words), "%.299s", npu_last_error());
	npu_context_destroy(ctx);
	npu_device_close(dev);
	return 0;
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

/* Doorbells, or the quota where queues need none. */
static int judge_doorbells(const struct load *load, u32 nr_clients)
{
	const struct reg_gen *gen = load->gen;
	const u32 in_use = nr_clients * load->nr_queues, all = gen->db_last - gen->db_first + 1u;
	const u32 want = gen->flat ? STATUS_MAX_QUEUES : all - in_use;

	printf("  %u queues of the clients, %u more, then %s: %s\n", in_use, load->greedy_queues,
	       base_err_name(load->greedy_error), load->greedy_words);
	if (load->greedy_error != -EBUSY || load->greedy_queues != want)
		return fails("%u queues could be had, then %s; expected %u, then EBUSY",
			     load->greedy_queues, base_err_name(load->greedy_error), want);
	return 0;
}

static int judge_fairness(const struct load *load, u32 nr_clients, u64 ns)
{
	struct spread of_client = { 0 }, of_queue = { 0 };
	u64 mean;

	for (u32 i = 0; i < nr_clients; i++) {
		u64 done = 0;

		for (u32 q = 0; q < load->nr_queues; q++) {
			add(&of_queue, load->clients[i].done[q]);
			done += load->clients[i].done[q];
		}
		add(&of_client, done);
	}
	printf("  %llu jobs in %.1f s: %llu to %llu a client, at most %.1f %% off the mean; "
	       "%llu to %llu a queue (%.1f %%)\n",
	       (unsigned long long)of_client.sum, (double)ns / 1e9,
	       (unsigned long long)of_client.least, (unsigned long long)of_client.most,
	       percent(&of_client), (unsigned long long)of_queue.least,
	       (unsigned long long)of_queue.most, percent(&of_queue));
	mean = of_client.sum / nr_clients;
	if (mean >= FAIR_FROM && percent(&of_client) > FAIR)
		return fails("a client's share is %.1f %% off, at most %u are fair",
			     percent(&of_client), FAIR);
	if (of_client.least * STARVED < mean)
		return fails("a client starves");
	return 0;
}

static int judge_clients(struct load *load, struct world_proc **procs, u32 nr)
{
	int ret = 0;

	for (u32 i = 0; i < nr; i++) {
		int end = world_wait(procs[i], RUN_NS);

		if (end)
			ret = fails("client %u ended with %s; %s", i, base_err_name(end),
				    load->clients[i].error);
	}
	return ret;
}

static struct load *prepare(struct world *world, u32 nr_clients, u32 nr_queues, u64 target)
{
	struct load *load =
		world_shared(sizeof(*load) + (nr_clients + 1) * sizeof(load->clients[0]));

	snprintf(load->device, sizeof(load->device), "%s", world_device(world));
	load->gen = world_gen(world);
	load->nr_queues = nr_queues;
	load->nr_clients = nr_clients;
	load->target = target;
	load->step = base_max(target / 10, UINT64_C(1));
	load->longest = target / nr_clients >= FAIR_FROM ? target * LONGER : target;
	load->warm_up = nr_clients * nr_queues * (u64)WORK_SLOTS;
	load->hws = world_hws(world);
	for (u32 i = 0; i <= nr_clients; i++) {
		load->clients[i].load = load;
		load->clients[i].idx = i + 1;
	}
	return load;
}

/* Everybody is where the next stage begins. */
static int gather(struct load *load, u32 nr)
{
	u64 until = base_clock_ns() + RUN_NS;

	while (atomic_load(&load->nr_ready) < nr) {
		if (base_clock_ns() >= until)
			return fails("%u of %u clients are ready", atomic_load(&load->nr_ready),
				     nr);
		world_nap(BASE_NS_PER_MS);
	}
	atomic_store(&load->nr_ready, 0);
	return 0;
}

/* How much npud has grown for @nr clients that are full, one of them deaf. */
static int judge_growth(const struct world_live *idle, const struct world_live *full, u32 nr)
{
	u64 more = full->heap - base_min(full->heap, idle->heap);

	printf("  npud's heap: %llu %s idle, %llu under load\n", (unsigned long long)idle->heap,
	       world_heap_unit, (unsigned long long)full->heap);
	if (more > nr * world_heap_of_client)
		return fails("npud has grown by %llu %s for %u clients", (unsigned long long)more,
			     world_heap_unit, nr);
	return 0;
}

/* All open, then all full, then all at once. */
static int stages(struct world *world, struct load *load, u32 nr, const struct world_live *idle)
{
	struct world_live full;
	int ret = gather(load, nr + 1);

	if (!ret && world_wait(world_spawn(world, greedy_run, load), RUN_NS))
		ret = fails("who wants every queue: %s", load->greedy_words);
	if (!ret)
		ret = judge_doorbells(load, nr + 1);
	advance(load, FILLING);
	ret |= gather(load, nr + 1);
	advance(load, RUNNING);
	ret |= gather(load, nr); /* they have stopped */
	full = world_measure(world);
	ret |= judge_growth(idle, &full, nr + 1);
	advance(load, LEAVING);
	return ret | judge_fairness(load, nr, base_clock_ns() - load->start_ns);
}

static int run(struct world *world, u32 nr, u32 nr_queues, u64 target)
{
	struct load *load = prepare(world, nr, nr_queues, target);
	struct world_proc **procs = base_alloc_array(nr + 1, sizeof(struct world_proc *));
	struct status before, after;
	int ret = procs ? status_at_rest(world, &before) : -ENOMEM;

	if (ret)
		return ret;
	for (u32 i = 0; i <= nr; i++)
		procs[i] = world_spawn(world, i < nr ? client_run : deaf_run, &load->clients[i]);
	ret = stages(world, load, nr, &before.live);
	ret |= judge_clients(load, procs, nr + 1);
	ret |= status_at_rest(world, &after);
	ret |= !status_same(&before, &after, nr + 1);
	base_free(procs);
	return ret;
}

int main(int argc, char **argv)
{
	struct world *world;
	u64 number[3] = { 4, 3, 4000 };
	int used, ret;

	if (world_open(argc, argv, &used, &world)) {
		fprintf(stderr, "usage: %s %s [CLIENTS [QUEUES [JOBS]]]\n", argv[0], world_args);
		return 2;
	}
	for (u32 i = 0; i < BASE_ARRAY_SIZE(number) && used + 1 + (int)i < argc; i++)
		number[i] = strtoull(argv[used + 1 + (int)i], NULL, 0);
	printf("%s, %s: %llu clients with %llu queues each\n", world_gen(world)->name,
	       world_device(world), (unsigned long long)number[0], (unsigned long long)number[1]);
	ret = run(world, (u32)number[0], (u32)base_min(number[1], (u64)WORK_MAX_QUEUES), number[2]);
	ret |= world_close(world);
	printf("  %s\n", ret ? "FAILED" : "passed");
	return ret != 0;
}
