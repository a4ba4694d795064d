// SPDX-License-Identifier: MIT
/*
 * Many threads on one service: the pump, sleeping waiters, time limits, and handles and clients
 * that are closed under a waiting thread.  The device is a thread that ends submitted jobs.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define FAKE_OWN_LOOP
#define FAKE_DOORBELL(dev, nr) fake_doorbell(nr)
static void fake_doorbell(unsigned nr);

#include "service/fake_drv.h"

#include <cmocka.h>

#include "service/svc.h"

/* The device: jobs rung in, jobs ended, one interrupt. */
static struct {
	pthread_mutex_t lock; /* protects: all below */
	pthread_cond_t cond;
	unsigned rung, ended;
	bool irq, woken, stop, frozen, gone;
} device = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

static void fake_doorbell(unsigned nr)
{
	pthread_mutex_lock(&device.lock);
	device.rung += nr;
	pthread_cond_broadcast(&device.cond);
	pthread_mutex_unlock(&device.lock);
}

static void *device_main(void *arg)
{
	pthread_mutex_lock(&device.lock);
	while (!device.stop) {
		if (device.rung && !device.frozen) {
			device.rung--;
			device.ended++;
			device.irq = true;
			pthread_cond_broadcast(&device.cond);
			pthread_mutex_unlock(&device.lock);
			pthread_mutex_lock(&device.lock);
			continue;
		}
		pthread_cond_wait(&device.cond, &device.lock);
	}
	pthread_mutex_unlock(&device.lock);
	return arg;
}

/* An interrupt is one for many jobs; whoever processes it takes all that ended. */
u64 drv_process(struct drv_dev *dev)
{
	unsigned ended = 0;

	pthread_mutex_lock(&device.lock);
	if (device.irq) {
		device.irq = false;
		ended = device.ended;
		device.ended = 0;
	}
	pthread_mutex_unlock(&device.lock);
	for (u32 i = 0; ended && i < BASE_ARRAY_SIZE(dev->queues); i++) {
		struct drv_queue *queue = dev->queues[i];
		u32 nr = queue ? base_min(queue->pending, ended) : 0;

		if (nr)
			fake_complete(queue, nr);
		ended -= nr;
	}
	if (ended)
		abort(); /* more ended than were submitted */
	return UINT64_MAX;
}

int drv_wait(struct drv_dev *dev, u64 until_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(until_ns / BASE_NS_PER_S),
			       .tv_nsec = (long)(until_ns % BASE_NS_PER_S) };
	int ret = 0;

	(void)dev;
	pthread_mutex_lock(&device.lock);
	while (!device.irq && !device.woken && !device.gone && ret != ETIMEDOUT) {
		if (until_ns == UINT64_MAX)
			ret = pthread_cond_wait(&device.cond, &device.lock);
		else
			ret = pthread_cond_clockwait(&device.cond, &device.lock, CLOCK_MONOTONIC,
						     &ts);
	}
	ret = device.irq ? 0 : device.gone ? -ENODEV : device.woken ? -EINTR : -ETIMEDOUT;
	if (ret == -EINTR)
		device.woken = false;
	pthread_mutex_unlock(&device.lock);
	return ret;
}

void drv_wake(struct drv_dev *dev)
{
	(void)dev;
	pthread_mutex_lock(&device.lock);
	device.woken = true;
	pthread_cond_broadcast(&device.cond);
	pthread_mutex_unlock(&device.lock);
}

u64 drv_now_ns(struct drv_dev *dev)
{
	(void)dev;
	return base_clock_ns();
}

struct fixture {
	struct drv_dev drv;
	struct svc *svc;
	pthread_t thread;
	u32 idx;
};

static const struct svc_cred cred = { .name = "test" };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->drv.state = DRV_READY;
	device.rung = device.ended = 0;
	device.irq = device.woken = device.stop = device.frozen = device.gone = false;
	assert_int_equal(svc_create(NULL, &f->svc), 0);
	assert_int_equal(svc_add_device(f->svc, &f->drv, 0, &f->idx), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, device_main, NULL), 0);
	*state = f;
	return 0;
}

static void set_flag(bool *flag, bool val)
{
	pthread_mutex_lock(&device.lock);
	*flag = val;
	pthread_cond_broadcast(&device.cond);
	pthread_mutex_unlock(&device.lock);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	set_flag(&device.stop, true);
	pthread_join(f->thread, NULL);
	svc_remove_device(f->svc, f->idx, NULL);
	svc_destroy(f->svc);
	assert_int_equal(f->drv.nr_ctxs + f->drv.nr_bos + f->drv.nr_queues, 0);
	free(f);
	return 0;
}

struct seat { /* a client with a context, a buffer and a queue */
	struct svc_client *client;
	u32 ctx, bo, queue;
	u64 addr;
	struct abi_job job;
};

static int sit_down(struct svc *svc, struct seat *seat)
{
	struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) } };
	int ret = svc_client_create(svc, &cred, &seat->client);

	if (!ret)
		ret = svc_open(seat->client, "0/ctx", &seat->ctx, NULL);
	if (!ret)
		ret = svc_dup(seat->client, seat->ctx, "bo/4096", &seat->bo, NULL);
	if (!ret)
		ret = svc_dup(seat->client, seat->ctx, "queue", &seat->queue, NULL);
	if (!ret)
		ret = svc_call(seat->client, seat->bo, &call, sizeof(call), NULL);
	seat->job = (struct abi_job){ .cmd_addr = call.addr, .cmd_size = 64 };
	return ret;
}

struct worker {
	pthread_t thread;
	struct svc *svc;
	u32 rounds;
	int ret;
};

static int work(struct seat *seat, u32 rounds)
{
	struct abi_completion done[4];

	for (u32 i = 0; i < rounds; i++) {
		u32 nr = 1 + i % 4;
		u32 read = 0;

		for (u32 j = 0; j < nr; j++)
			if (svc_write(seat->client, seat->queue, &seat->job, 64, NULL) != 64)
				return -EIO;
		while (read < nr) {
			int ret = svc_wait(seat->client, seat->queue, 20 * BASE_NS_PER_S, NULL);
			s64 got;

			if (ret)
				return ret;
			got = svc_read(seat->client, seat->queue, done, sizeof(done), NULL);
			if (got <= 0)
				return -EBADMSG;
			read += (u32)got / 32;
		}
	}
	return 0;
}

static void *work_main(void *arg)
{
	struct worker *w = arg;

	for (u32 i = 0; i < 3 && !w->ret; i++) {
		struct seat seat = { 0 };

		w->ret = sit_down(w->svc, &seat);
		if (!w->ret)
			w->ret = work(&seat, w->rounds);
		/* at any instant: with a job under way */
		if (svc_write(seat.client, seat.queue, &seat.job, 64, NULL) != 64)
			w->ret = -EIO;
		svc_client_close(seat.client);
	}
	return NULL;
}

static void threads_complete_their_jobs(void **state)
{
	struct fixture *f = *state;
	struct worker workers[8] = { 0 };

	for (u32 i = 0; i < 8; i++) {
		workers[i].svc = f->svc;
		workers[i].rounds = 200;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work_main, &workers[i]),
				 0);
	}
	for (u32 i = 0; i < 8; i++)
		pthread_join(workers[i].thread, NULL);
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(workers[i].ret, 0);
}

struct waiting {
	pthread_t thread;
	struct seat seat;
	u64 timeout_ns;
	u64 took_ns;
	atomic_bool waits;
	int ret;
};

static void *wait_main(void *arg)
{
	struct waiting *w = arg;
	u64 start = base_clock_ns();

	atomic_store(&w->waits, true);
	w->ret = svc_wait(w->seat.client, w->seat.queue, w->timeout_ns, NULL);
	w->took_ns = base_clock_ns() - start;
	return NULL;
}

static void start_waiting(struct fixture *f, struct waiting *w, u64 timeout_ns)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	*w = (struct waiting){ .timeout_ns = timeout_ns };
	assert_int_equal(sit_down(f->svc, &w->seat), 0);
	assert_int_equal(svc_write(w->seat.client, w->seat.queue, &w->seat.job, 64, NULL), 64);
	assert_int_equal(pthread_create(&w->thread, NULL, wait_main, w), 0);
	while (!atomic_load(&w->waits))
		nanosleep(&pause, NULL);
	nanosleep(&pause, NULL); /* most probably inside svc_wait() now */
}

/* The first waits for ever and is the pump; the others' limits count all the same. */
static void each_keeps_its_time_limit(void **state)
{
	struct fixture *f = *state;
	struct waiting first, other[3];

	set_flag(&device.frozen, true);
	start_waiting(f, &first, SVC_FOREVER);
	for (u32 i = 0; i < 3; i++)
		start_waiting(f, &other[i], (20 + 10 * i) * BASE_NS_PER_MS);
	for (u32 i = 0; i < 3; i++) {
		pthread_join(other[i].thread, NULL);
		assert_int_equal(other[i].ret, -ETIMEDOUT);
		assert_true(other[i].took_ns >= (20 + 10 * i) * BASE_NS_PER_MS);
		assert_true(other[i].took_ns < 5 * BASE_NS_PER_S);
	}
	set_flag(&device.frozen, false);
	pthread_join(first.thread, NULL);
	assert_int_equal(first.ret, 0);
	svc_client_close(first.seat.client);
	for (u32 i = 0; i < 3; i++)
		svc_client_close(other[i].seat.client);
}

/* The pump's limit is the shortest: when it leaves, a sleeper takes over. */
static void a_pump_that_leaves_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct waiting pump, sleeper;

	set_flag(&device.frozen, true);
	start_waiting(f, &pump, 20 * BASE_NS_PER_MS);
	start_waiting(f, &sleeper, SVC_FOREVER);
	pthread_join(pump.thread, NULL);
	assert_int_equal(pump.ret, -ETIMEDOUT);
	set_flag(&device.frozen, false);
	pthread_join(sleeper.thread, NULL);
	assert_int_equal(sleeper.ret, 0);
	svc_client_close(pump.seat.client);
	svc_client_close(sleeper.seat.client);
}

/* Somebody else's read takes the interrupt; the pump must not sleep on. */
static void results_found_by_others_arrive(void **state)
{
	struct fixture *f = *state;
	struct waiting pump;
	struct svc_client *other;
	u32 node;

	assert_int_equal(svc_client_create(f->svc, &cred, &other), 0);
	for (u32 i = 0; i < 50; i++) {
		set_flag(&device.frozen, true);
		start_waiting(f, &pump, SVC_FOREVER);
		set_flag(&device.frozen, false);
		for (u32 j = 0; j < 20; j++) {
			assert_int_equal(svc_open(other, "0/status", &node, NULL), 0);
			assert_int_equal(svc_close(other, node, NULL), 0);
		}
		pthread_join(pump.thread, NULL);
		assert_int_equal(pump.ret, 0);
		svc_client_close(pump.seat.client);
	}
	svc_client_close(other);
}

static void closing_sends_waiters_home(void **state)
{
	struct fixture *f = *state;
	struct waiting pump, sleeper;

	set_flag(&device.frozen, true);
	start_waiting(f, &pump, SVC_FOREVER);
	start_waiting(f, &sleeper, SVC_FOREVER);
	assert_int_equal(svc_close(sleeper.seat.client, sleeper.seat.queue, NULL), 0);
	pthread_join(sleeper.thread, NULL);
	assert_int_equal(sleeper.ret, -ECANCELED);
	svc_client_close(pump.seat.client); /* context, queue and all */
	pthread_join(pump.thread, NULL);
	assert_int_equal(pump.ret, -ECANCELED);
	svc_client_close(sleeper.seat.client);
	set_flag(&device.frozen, false);
}

/* Nobody spins on a device that cannot be waited for. */
static void a_lost_device_sends_waiters_home(void **state)
{
	struct fixture *f = *state;
	struct waiting pump, sleeper;

	set_flag(&device.frozen, true);
	start_waiting(f, &pump, SVC_FOREVER);
	start_waiting(f, &sleeper, SVC_FOREVER);
	set_flag(&device.gone, true);
	pthread_join(pump.thread, NULL);
	pthread_join(sleeper.thread, NULL);
	assert_int_equal(pump.ret, -ENODEV);
	assert_int_equal(sleeper.ret, -ENODEV);
	assert_int_equal(f->drv.state, DRV_FAILED);
	svc_client_close(pump.seat.client);
	svc_client_close(sleeper.seat.client);
	set_flag(&device.frozen, false);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(threads_complete_their_jobs),	   T(each_keeps_its_time_limit),
		T(a_pump_that_leaves_is_replaced), T(results_found_by_others_arrive),
		T(closing_sends_waiters_home),	   T(a_lost_device_sends_waiters_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
