// SPDX-License-Identifier: MIT
/*
 * When things happen.  Stepped: on a virtual clock, in vnpu_run_until(), with delays that a seed
 * varies.  Threaded: as soon as the firmware thread sees them; inferences on a thread of their own.
 */
#include <sched.h>
#include <time.h>

#include "vnpu/model.h"

#define SPIN_NS	 (50 * BASE_NS_PER_US) /* look for work before sleeping: a wake-up costs as much */
#define STORM_NS 1000

void vnpu_time_init(struct vnpu *m)
{
	for (u32 i = 0; i < VNPU_NR_EVENTS; i++)
		m->time.due[i] = VNPU_NEVER;
	m->time.rng = m->cfg.seed;
}

u64 vnpu_time(const struct vnpu *m)
{
	return m->cfg.mode == VNPU_STEPPED ? m->time.now_ns : base_clock_ns();
}

/* splitmix64 */
static u64 next_random(struct vnpu *m)
{
	u64 z = (m->time.rng += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static void kick(struct vnpu *m)
{
	atomic_store_explicit(&m->threads.kick, true, memory_order_release); /* pairs with spin() */
	if (m->threads.is_asleep)
		pthread_cond_signal(&m->threads.wake_fw);
}

void vnpu_schedule(struct vnpu *m, enum vnpu_event ev, u64 delay_ns, bool exact)
{
	u64 due = vnpu_time(m);

	if (exact)
		due += delay_ns;
	else if (m->cfg.mode == VNPU_STEPPED)
		due += delay_ns + next_random(m) % (delay_ns / 4 + 1);
	if (due < m->time.due[ev])
		m->time.due[ev] = due;
	if (m->cfg.mode == VNPU_THREADED)
		kick(m);
}

static u32 earliest(const struct vnpu *m)
{
	u32 ev = 0;

	for (u32 i = 1; i < VNPU_NR_EVENTS; i++)
		if (m->time.due[i] < m->time.due[ev])
			ev = i;
	return ev;
}

/* --- handlers ------------------------------------------------------------------------------ */

static void run_engine(struct vnpu *m)
{
	struct vnpu_queue *q;

	if (m->cfg.mode == VNPU_THREADED) {
		pthread_cond_signal(&m->threads.wake_engine);
		vnpu_jobq_engine_done(m);
		return;
	}
	q = vnpu_jobq_engine_next(m);
	if (!q)
		return;
	q->run.state = VNPU_JOB_ENGINE;
	q->run.engine_status = vnpu_cmd_infer(m, q->ssid, &q->run, false);
	if (!q->run.engine_status)
		q->run.pos += (u32)sizeof(struct abi_cmd_inference);
	vnpu_jobq_engine_done(m);
	if (vnpu_jobq_engine_next(m))
		vnpu_schedule(m, VNPU_EV_ENGINE, 0, true);
}

static void storm(struct vnpu *m)
{
	if (!vnpu_fault_take(m, VNPU_FAULT_IRQ_STORM))
		return;
	if (m->fw.is_running)
		vnpu_pci_msi(m);
	vnpu_schedule(m, VNPU_EV_STORM, STORM_NS, true);
}

static void handle(struct vnpu *m, enum vnpu_event ev)
{
	m->time.due[ev] = VNPU_NEVER;
	switch (ev) {
	case VNPU_EV_READY:
		vnpu_fw_ready(m);
		break;
	case VNPU_EV_IPC:
		vnpu_fw_receive(m);
		break;
	case VNPU_EV_DOORBELL:
		vnpu_jobq_run(m);
		break;
	case VNPU_EV_POLL:
		vnpu_jobq_poll(m);
		break;
	case VNPU_EV_ENGINE:
		run_engine(m);
		break;
	case VNPU_EV_STORM:
		storm(m);
		break;
	case VNPU_NR_EVENTS:
		break;
	}
}

static void run_due(struct vnpu *m)
{
	u64 now = vnpu_time(m);

	for (u32 ev = earliest(m); m->time.due[ev] <= now; ev = earliest(m))
		handle(m, ev);
}

uint64_t vnpu_now_ns(struct vnpu *m)
{
	u64 now;

	pthread_mutex_lock(&m->lock);
	now = vnpu_time(m);
	pthread_mutex_unlock(&m->lock);
	return now;
}

uint64_t vnpu_next_event_ns(struct vnpu *m)
{
	u64 due;

	pthread_mutex_lock(&m->lock);
	due = m->time.due[earliest(m)];
	pthread_mutex_unlock(&m->lock);
	return due;
}

void vnpu_run_until(struct vnpu *m, uint64_t time_ns)
{
	if (m->cfg.mode != VNPU_STEPPED)
		return;
	pthread_mutex_lock(&m->lock);
	for (u32 ev = earliest(m); m->time.due[ev] <= time_ns; ev = earliest(m)) {
		m->time.now_ns = base_max(m->time.now_ns, m->time.due[ev]);
		handle(m, ev);
	}
	m->time.now_ns = base_max(m->time.now_ns, time_ns);
	pthread_mutex_unlock(&m->lock);
}

/* --- threads ------------------------------------------------------------------------------- */

/* Without the lock: true when there may be work before @until. */
static bool spin(struct vnpu *m, u64 until)
{
	u64 end = base_clock_ns() + SPIN_NS;

	for (;;) {
		u64 now;

		if (atomic_load_explicit(&m->threads.kick, memory_order_acquire))
			return true;
		now = base_clock_ns();
		if (now >= until)
			return true;
		if (now >= end)
			return false;
		sched_yield(); /* the other side may share this core */
	}
}

static void sleep_until(struct vnpu *m, u64 until)
{
	struct timespec ts = { .tv_sec = (time_t)(until / BASE_NS_PER_S),
			       .tv_nsec = (long)(until % BASE_NS_PER_S) };

	m->threads.is_asleep = true;
	if (until == VNPU_NEVER)
		pthread_cond_wait(&m->threads.wake_fw, &m->lock);
	else
		pthread_cond_timedwait(&m->threads.wake_fw, &m->lock, &ts);
	m->threads.is_asleep = false;
}

static void *fw_main(void *opaque)
{
	struct vnpu *m = opaque;

	pthread_mutex_lock(&m->lock);
	while (!m->threads.stop) {
		bool has_work;
		u64 until;

		atomic_store_explicit(&m->threads.kick, false, memory_order_relaxed);
		run_due(m);
		until = m->time.due[earliest(m)];
		pthread_mutex_unlock(&m->lock);
		has_work = spin(m, until);
		pthread_mutex_lock(&m->lock);
		/* kick() runs under the lock: none can come between this look and the wait */
		if (!has_work && !m->threads.stop &&
		    !atomic_load_explicit(&m->threads.kick, memory_order_relaxed))
			sleep_until(m, m->time.due[earliest(m)]);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static void compute(struct vnpu *m, struct vnpu_queue *q)
{
	u32 resets = m->reset_count, status;
	u64 ticket = q->run.ticket;

	q->run.state = VNPU_JOB_ENGINE;
	m->threads.is_engine_busy = true;
	status = vnpu_cmd_infer(m, q->ssid, &q->run, true);
	m->threads.is_engine_busy = false;
	vnpu_jobq_apply_drops(m);
	/* reset, or the context released, while it computed: nobody waits for the result */
	if (m->reset_count != resets || q->run.state != VNPU_JOB_ENGINE || q->run.ticket != ticket)
		return;
	q->run.engine_status = status;
	if (!status)
		q->run.pos += (u32)sizeof(struct abi_cmd_inference);
	vnpu_schedule(m, VNPU_EV_ENGINE, 0, true);
}

static void *engine_main(void *opaque)
{
	struct vnpu *m = opaque;

	pthread_mutex_lock(&m->lock);
	while (!m->threads.stop) {
		struct vnpu_queue *q = vnpu_jobq_engine_next(m);

		if (q)
			compute(m, q);
		else
			pthread_cond_wait(&m->threads.wake_engine, &m->lock);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

int vnpu_threads_start(struct vnpu *m)
{
	struct vnpu_threads *t = &m->threads;
	int ret;

	ret = pthread_create(&t->fw, NULL, fw_main, m);
	if (ret)
		return -ret;
	ret = pthread_create(&t->engine, NULL, engine_main, m);
	t->are_running = true;
	if (!ret)
		return 0;
	t->are_running = false;
	pthread_mutex_lock(&m->lock);
	t->stop = true;
	kick(m);
	pthread_mutex_unlock(&m->lock);
	pthread_join(t->fw, NULL);
	return -ret;
}

void vnpu_threads_stop(struct vnpu *m)
{
	struct vnpu_threads *t = &m->threads;

	if (!t->are_running)
		return;
	pthread_mutex_lock(&m->lock);
	t->stop = true;
	kick(m);
	pthread_cond_broadcast(&t->wake_engine);
	pthread_mutex_unlock(&m->lock);
	pthread_join(t->fw, NULL);
	pthread_join(t->engine, NULL);
	t->are_running = false;
}
