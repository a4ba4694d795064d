// SPDX-License-Identifier: MIT
/*
 * Round trip of a null job through libnpu, service, driver and threaded virtual NPU, beside a bare
 * ring between two threads that wait in the same way (spin 20 us, then sleep): the ratio says what
 * the stack costs over telling another thread something and hearing back.  (The device does light
 * commands on the thread that rings the doorbell, so a null job wakes nobody.)
 *
 * A round in which nobody slept takes about a microsecond, one with a sleep tens of them, and
 * either side may stay in one of the two for long: whoever sleeps makes the other one's spin run
 * out too.  So one median over all rounds compares luck.  Both sides are measured in turns, rounds
 * are told apart by their length, and a ratio is printed only between rounds of the same kind.
 *
 * usage: roundtrip [ROUNDS]       exit 1 when an operation fails
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../tests/integration/cmdlist.h"
#include "base/base.h"

#define RING_SIZE 64u
#define SPIN_NS	  (20 * BASE_NS_PER_US) /* as src/os/inproc.c */
#define WARM_UP	  200u
#define NR_TURNS  20u
#define FEW	  200u /* fewer rounds of a kind say nothing */
#define GOAL	  2.0

struct ring {			       /* one producer, one consumer */
	_Alignas(64) atomic_uint head; /* written by the producer */
	_Alignas(64) atomic_uint tail; /* written by the consumer */
	atomic_uint sleepers;
	pthread_mutex_t lock; /* protects: the condition */
	pthread_cond_t cond;
	u64 slot[RING_SIZE];
};

static void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void ring_push(struct ring *ring, u64 val)
{
	unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	ring->slot[head % RING_SIZE] = val;
	/* pairs with the load of head after the store of sleepers in ring_pop() */
	atomic_store(&ring->head, head + 1);
	if (atomic_load(&ring->sleepers)) {
		pthread_mutex_lock(&ring->lock);
		pthread_cond_broadcast(&ring->cond);
		pthread_mutex_unlock(&ring->lock);
	}
}

static bool ring_empty(struct ring *ring)
{
	return atomic_load(&ring->head) == atomic_load_explicit(&ring->tail, memory_order_relaxed);
}

static void ring_sleep(struct ring *ring)
{
	pthread_mutex_lock(&ring->lock);
	atomic_fetch_add(&ring->sleepers, 1);
	while (ring_empty(ring))
		pthread_cond_wait(&ring->cond, &ring->lock);
	atomic_fetch_sub(&ring->sleepers, 1);
	pthread_mutex_unlock(&ring->lock);
}

static u64 ring_pop(struct ring *ring)
{
	unsigned tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	u64 spin_end = base_clock_ns() + SPIN_NS;
	u64 val;

	while (ring_empty(ring)) {
		for (u32 i = 0; i < 16 && ring_empty(ring); i++)
			cpu_relax();
		if (ring_empty(ring) && base_clock_ns() >= spin_end)
			ring_sleep(ring);
	}
	val = ring->slot[tail % RING_SIZE];
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return val;
}

static struct ring ping = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
static struct ring pong = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

#define STOP UINT64_MAX

static void *answer(void *arg)
{
	u64 val;

	(void)arg;
	while ((val = ring_pop(&ping)) != STOP)
		ring_push(&pong, val);
	return NULL;
}

static int measure_ring(u64 *ns, u32 nr)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, answer, NULL))
		return 1;
	for (u32 i = 0; i < WARM_UP + nr; i++) {
		u64 start = base_clock_ns();

		ring_push(&ping, i);
		if (ring_pop(&pong) != i)
			return 1;
		if (i >= WARM_UP)
			ns[i - WARM_UP] = base_clock_ns() - start;
	}
	ring_push(&ping, STOP);
	pthread_join(thread, NULL);
	return 0;
}

static int fail(const char *what)
{
	fprintf(stderr, "roundtrip: %s: %s\n", what, npu_last_error());
	return 1;
}

static int run_jobs(struct npu_queue *queue, const struct cmdlist *list, u64 *ns, u32 nr)
{
	for (u32 i = 0; i < WARM_UP + nr; i++) {
		struct npu_job job = cmdlist_job(list, i);
		struct npu_completion done;
		u64 start = base_clock_ns();

		if (npu_queue_submit(queue, &job, 1) != 1)
			return fail("submit");
		if (npu_queue_wait(queue, &done, 1, 10 * BASE_NS_PER_S) != 1 || done.cookie != i)
			return fail("wait");
		if (i >= WARM_UP)
			ns[i - WARM_UP] = base_clock_ns() - start;
	}
	return 0;
}

static int measure_jobs(struct npu_device *dev, u64 *ns, u32 nr)
{
	struct npu_context *ctx;
	struct npu_buffer *buf;
	struct npu_queue *queue;
	struct cmdlist list;
	int ret;

	if (npu_context_create(dev, &ctx))
		return fail("context");
	if (npu_buffer_create(ctx, BASE_PAGE_SIZE, 0, 0, &buf) ||
	    npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue)) {
		ret = fail("buffer or queue");
		goto out;
	}
	cmdlist_init(&list, buf, 0);
	cmdlist_nop(&list);
	ret = run_jobs(queue, &list, ns, nr);
out:
	npu_context_destroy(ctx);
	return ret;
}

static int by_value(const void *a, const void *b)
{
	u64 x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Rounds [first, last) of the sorted @ns are of one kind. */
static u64 print(const char *what, const char *kind, const u64 *ns, u32 first, u32 last, u32 all)
{
	u32 nr = last - first;

	if (nr < FEW) {
		printf("%-20s %-6s %6u of %u rounds: too few to say\n", what, kind, nr, all);
		return 0;
	}
	printf("%-20s %-6s %6u of %u rounds: p50 %8.2f us   p99 %8.2f us\n", what, kind, nr, all,
	       (double)ns[first + nr / 2] / 1e3, (double)ns[last - 1 - nr / 100] / 1e3);
	return ns[first + nr / 2];
}

static u32 nr_awake(const u64 *ns, u32 nr)
{
	u32 i = 0;

	while (i < nr && ns[i] < SPIN_NS)
		i++;
	return i;
}

static void compare(const char *kind, u64 jobs, u64 ring)
{
	if (jobs && ring)
		printf("ratio of p50, %-6s   %.2f (goal <= %.0f)\n", kind,
		       (double)jobs / (double)ring, GOAL);
	else
		printf("ratio of p50, %-6s   not measured: one side has too few such rounds\n",
		       kind);
}

static void report(u64 *jobs_ns, u64 *ring_ns, u32 nr)
{
	u32 jobs_awake, ring_awake;
	u64 jobs, ring;

	qsort(jobs_ns, nr, sizeof(*jobs_ns), by_value);
	qsort(ring_ns, nr, sizeof(*ring_ns), by_value);
	jobs_awake = nr_awake(jobs_ns, nr);
	ring_awake = nr_awake(ring_ns, nr);
	jobs = print("null job, libnpu", "awake", jobs_ns, 0, jobs_awake, nr);
	ring = print("bare ring ping-pong", "awake", ring_ns, 0, ring_awake, nr);
	compare("awake", jobs, ring);
	jobs = print("null job, libnpu", "slept", jobs_ns, jobs_awake, nr, nr);
	ring = print("bare ring ping-pong", "slept", ring_ns, ring_awake, nr, nr);
	compare("slept", jobs, ring);
}

static int measure(struct npu_device *dev, u64 *jobs_ns, u64 *ring_ns, u32 nr)
{
	u32 turn = nr / NR_TURNS;

	for (u32 i = 0; i < NR_TURNS; i++) {
		if (measure_jobs(dev, jobs_ns + i * turn, turn) ||
		    measure_ring(ring_ns + i * turn, turn))
			return 1;
	}
	report(jobs_ns, ring_ns, turn * NR_TURNS);
	return 0;
}

int main(int argc, char **argv)
{
	u32 nr = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 50000;
	u64 *jobs_ns = base_alloc_array(nr, sizeof(u64));
	u64 *ring_ns = base_alloc_array(nr, sizeof(u64));
	struct npu_device *dev;
	int ret = 1;

	if (nr < NR_TURNS || !jobs_ns || !ring_ns) {
		fprintf(stderr, "usage: roundtrip [ROUNDS]\n");
	} else if (npu_device_open("sim:npu37,engine=plain", &dev)) {
		ret = fail("open");
	} else {
		ret = measure(dev, jobs_ns, ring_ns, nr);
		npu_device_close(dev);
	}
	base_free(jobs_ns);
	base_free(ring_ns);
	return ret;
}
