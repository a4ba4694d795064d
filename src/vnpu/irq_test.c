// SPDX-License-Identifier: MIT
/*
 * Threaded mode: no answer lies in the FIFO without an interrupt.
 *
 * Two threads post, one messages that are answered within the write, one jobs that end on the
 * engine's thread; this one is the interrupt handler, as P 2.6 and 3.7 tell of Linux's: it runs once
 * for any number of messages that came since it began, like the line of an edge-triggered vector.
 * Everybody gives up the processor at random places.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "vnpu/test_host.h"

#define ROUNDS	   20000u /* of each poster */
#define IN_FLIGHT  8u	  /* fewer than TX slots, RX slots and the queue's */
#define PATIENCE_S 20
#define WAITING(h) (rd((h), V(HOST_SS_TIM_IPC_FIFO_STAT)) >> 16 & 0xff)

/* What the handler does beside P's own order; the model must allow for all of them. */
enum variant {
	CLEAR_FIRST, /* P 3.7 */
	DRAIN_FIRST, /* the ICB is cleared behind the drain */
	NO_CLEAR,    /* the FIFO's bit is a level */
	NO_MASK,     /* the drain alone lets the sum fall */
	NR_VARIANTS,
};

struct poster {
	struct host *h;
	void (*post)(struct host *h, u32 nr);
	_Atomic u32 answered;
	u32 rng;
};

static struct {
	pthread_mutex_t lock; /* protects: edges */
	pthread_cond_t cond;
	u32 edges;
} line = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

static void on_msi(void *opaque, unsigned vector)
{
	(void)opaque, (void)vector;
	pthread_mutex_lock(&line.lock);
	line.edges++;
	pthread_cond_signal(&line.cond);
	pthread_mutex_unlock(&line.lock);
}

/* All edges until now are one interrupt; false: none came in time. */
static bool take_edge(void)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&line.lock);
	while (!line.edges && !err)
		err = pthread_cond_timedwait(&line.cond, &line.lock, &until);
	line.edges = 0;
	pthread_mutex_unlock(&line.lock);
	return !err;
}

static u32 next(u32 *rng)
{
	*rng = *rng * 1664525u + 1013904223u;
	return *rng >> 24;
}

/* Somebody else's turn, for some time or none. */
static void wander(u32 *rng)
{
	u32 r = next(rng);

	if (r < 32)
		sched_yield();
	else if (r < 96)
		for (u32 i = 0; i < 8 * r; i++)
			__asm__ volatile("" ::: "memory");
}

static void post_message(struct host *h, u32 nr)
{
	const struct abi_jsm_msg msg = { .type = ABI_JSM_QUERY_ENGINE_HB, .request_id = 1 + nr };

	(void)host_post(h, ABI_IPC_CHAN_ASYNC, &msg);
}

static void post_job(struct host *h, u32 nr)
{
	host_submit(h, 1, HOST_USER, nr);
}

static void *poster_main(void *arg)
{
	struct poster *p = arg;

	for (u32 i = 0; i < ROUNDS; i++) {
		p->post(p->h, i);
		while (i + 1 - atomic_load(&p->answered) >= IN_FLIGHT)
			sched_yield();
		wander(&p->rng);
	}
	return NULL;
}

static void drain(struct host *h, struct poster *messages, struct poster *jobs, u32 *rng)
{
	struct abi_ipc_hdr hdr;
	struct abi_jsm_msg msg;

	for (wander(rng); host_pop(h, &hdr, &msg); wander(rng))
		atomic_fetch_add(hdr.channel == ABI_IPC_CHAN_JOB_RET ? &jobs->answered
								     : &messages->answered,
				 1);
}

static void handler(struct host *h, struct poster *messages, struct poster *jobs, u32 *rng)
{
	enum variant how = (enum variant)(next(rng) % NR_VARIANTS);
	u32 status;

	if (how != NO_MASK)
		wr(h, B(GLOBAL_INT_MASK), 1);
	wander(rng);
	(void)rd(h, B(INTERRUPT_STAT));
	(void)rd(h, B(VPU_STATUS));
	status = rd(h, V(HOST_SS_ICB_STATUS_0));
	wander(rng);
	if (how != DRAIN_FIRST && how != NO_CLEAR)
		wr(h, V(HOST_SS_ICB_CLEAR), status);
	drain(h, messages, jobs, rng);
	if (how == DRAIN_FIRST)
		wr(h, V(HOST_SS_ICB_CLEAR), status);
	wander(rng);
	if (how != NO_MASK)
		wr(h, B(GLOBAL_INT_MASK), 0);
}

/* A job for the engine's thread: one page filled. */
static void write_job(struct host *h)
{
	const struct abi_cmd_memory_fill fill = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
						  .start_address = HOST_USER + 0x1000,
						  .size = 4096 };
	struct cmdbuf c;

	cmdbuf_begin(&c, h, 2, HOST_USER);
	cmdbuf_add(&c, &fill, sizeof(fill));
}

static void open_with_line(struct host *h)
{
	host_open_irq(h, 1, VNPU_THREADED, on_msi);
	assert_int_equal(host_boot(h), 0);
	host_context(h, 2);
	assert_int_equal(host_register(h, 1, 2), 0); /* its answer was polled for */
	line.edges = 0;
	write_job(h);
}

static void test_no_lost_interrupt(void **state)
{
	struct host h;
	struct poster messages = { .h = &h, .post = post_message, .rng = 1 };
	struct poster jobs = { .h = &h, .post = post_job, .rng = 2 };
	pthread_t threads[2];
	u32 rng = 3, nr = 0;

	(void)state;
	open_with_line(&h);
	assert_int_equal(pthread_create(&threads[0], NULL, poster_main, &messages), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, poster_main, &jobs), 0);
	while (messages.answered + jobs.answered < 2 * ROUNDS) {
		if (!take_edge())
			fail_msg("after %u interrupts none came: %u messages wait in the FIFO, "
				 "%u and %u of %u were answered",
				 nr, WAITING(&h), messages.answered, jobs.answered, ROUNDS);
		handler(&h, &messages, &jobs, &rng);
		nr++;
	}
	for (u32 i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(WAITING(&h), 0);
	expect_clean(&h);
	host_shutdown(&h);
	host_close(&h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_lost_interrupt) };

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
