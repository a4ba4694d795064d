// SPDX-License-Identifier: MIT
/*
 * The compute engine: one heavy command at a time, in the order they came, or as hardware
 * scheduling (hws.c) says.
 *
 * Copies and fills move in slices under the lock.  An inference runs without it; what belongs to it
 * then is compute.inv and compute.bindings, private copies, and the executor.  When its job is
 * gone at the end (context released, IP reset) the result is dropped; until then the host is not
 * told that it is gone, because the host gives the memory to somebody else: vnpu_compute_lingers().
 *
 * Status of a job whose inference failed: see status_of().
 */
#include <errno.h>
#include <string.h>

#include "vnpu/compute.h"
#include "vnpu/engine/exec.h"
#include "vnpu/model.h"

#define SLICE_THREADED UINT64_C(0x10000) /* bytes; the lock is held that long */
#define SLICE_STEPPED  UINT64_C(0x1000000)

static struct vnpu_queue *current(struct vnpu *v)
{
	return &v->jobs.queue[v->compute.db];
}

static bool is_hws(const struct vnpu *v)
{
	return v->fw.sched_mode == ABI_BOOT_SCHED_HW;
}

static void begin(struct vnpu *v, u16 db)
{
	struct vnpu_compute *c = &v->compute;

	c->db = db;
	c->busy = true;
	c->orphan = false;
	c->start_ns = vnpu_time_ns(v);
	if (v->stepped)
		vnpu_timer_set(
			v, VNPU_T_ENGINE,
			vnpu_engine_ns(v, current(v)->job.op.type == ABI_CMD_INFERENCE_EXECUTE
						  ? vnpu_delay(v, 50000, 500000)
						  : vnpu_delay(v, 5000, 50000)));
	else
		vnpu_kick_engine(v);
}

/* Takes a queue from those that wait. */
static void unwait(struct vnpu *v, u16 db)
{
	struct vnpu_compute *c = &v->compute;
	u32 kept = c->tail;

	for (u32 i = c->tail; i != c->head; i++)
		if (c->wait[i % VNPU_NR_QUEUES] != db)
			c->wait[kept++ % VNPU_NR_QUEUES] = c->wait[i % VNPU_NR_QUEUES];
	c->head = kept;
}

/* Hardware scheduling: who waits for the engine, in the order they came, and who was held. */
static u32 candidates(const struct vnpu *v, u16 *dbs)
{
	const struct vnpu_compute *c = &v->compute;
	u32 nr = 0;

	for (u32 i = c->tail; i != c->head; i++)
		dbs[nr++] = c->wait[i % VNPU_NR_QUEUES];
	return nr + vnpu_hws_held(v, dbs + nr);
}

/* A held queue that is chosen runs its light commands first; then it takes part as the others. */
static void choose(struct vnpu *v)
{
	struct vnpu_compute *c = &v->compute;
	u16 dbs[2 * VNPU_NR_QUEUES];

	if (c->choosing)
		return;
	c->choosing = true;
	while (!c->busy && !(v->fw.held & VNPU_HELD_RESET)) {
		u32 nr = candidates(v, dbs), i = vnpu_hws_pick(v, dbs, nr);

		if (i == nr)
			break;
		if (vnpu_hws_unhold(v, dbs[i])) {
			vnpu_queue_run(v, &v->jobs.queue[dbs[i]]);
			continue;
		}
		unwait(v, dbs[i]);
		begin(v, dbs[i]);
	}
	c->choosing = false;
}

static void start_next(struct vnpu *v)
{
	struct vnpu_compute *c = &v->compute;

	if (is_hws(v))
		choose(v);
	else if (!c->busy && c->head != c->tail)
		begin(v, c->wait[c->tail++ % VNPU_NR_QUEUES]);
}

void vnpu_compute_submit(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_compute *c = &v->compute;

	q->state = VNPU_JOB_ENGINE;
	if (is_hws(v))
		vnpu_hws_submit(v, q);
	c->wait[c->head++ % VNPU_NR_QUEUES] = q->db; /* a queue is here once at most */
	start_next(v);
}

void vnpu_compute_resume(struct vnpu *v)
{
	start_next(v);
}

void vnpu_compute_stop(struct vnpu *v)
{
	if (v->compute.unlocked)
		__atomic_store_n(&v->compute.stop, 1, __ATOMIC_RELAXED);
}

void vnpu_compute_abort(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_compute *c = &v->compute;

	if (c->busy && !c->orphan && c->db == q->db) {
		c->orphan = true;
		vnpu_compute_stop(v);
	} else {
		unwait(v, q->db);
	}
}

static void apply_drops(struct vnpu *v)
{
	struct vnpu_compute *c = &v->compute;

	if (c->drop_all)
		vnpu_exec_drop_all(c->exec);
	for (u32 ssid = 0; ssid < VNPU_NR_SSIDS; ssid++)
		if (c->drop[ssid / 64] >> (ssid % 64) & 1)
			vnpu_exec_drop_ssid(c->exec, ssid);
	c->drop_all = false;
	memset(c->drop, 0, sizeof(c->drop));
}

/* The executor belongs to the engine's thread, where there is one. */
static void drop_soon(struct vnpu *v)
{
	if (v->threads.started)
		vnpu_kick_engine(v);
	else if (!v->compute.unlocked)
		apply_drops(v);
}

void vnpu_compute_drop(struct vnpu *v, u32 ssid)
{
	struct vnpu_compute *c = &v->compute;

	c->drop[ssid / 64] |= BASE_BIT64(ssid % 64);
	drop_soon(v);
}

void vnpu_compute_reset(struct vnpu *v)
{
	struct vnpu_compute *c = &v->compute;

	c->head = c->tail = 0;
	c->epoch++;
	vnpu_compute_stop(v);
	c->drop_all = true;
	if (!c->unlocked)
		c->busy = false;
	vnpu_timer_clear(v, VNPU_T_ENGINE);
	drop_soon(v);
}

/*
 * Inference
 */

/* P 7.6.  Only a memory fault takes the driver's error path: the others end one job. */
static u32 status_of(int ret)
{
	switch (ret) {
	case 0:
		return ABI_JSM_STATUS_SUCCESS;
	case -EFAULT:
		return ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW;
	case -EINVAL:
		return ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT;
	case -EOPNOTSUPP:
		return ABI_JSM_STATUS_MVNCI_UNSUPPORTED_NETWORK_ELEMENT;
	case -ENOMEM:
		return ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES;
	default:
		return ABI_JSM_STATUS_MVNCI_INTERNAL_ERROR;
	}
}

/* Copies the invocation; 0 or a negative errno. */
static int take_invocation(struct vnpu *v, const struct vnpu_job *job, struct base_err *err)
{
	struct abi_invocation *inv = &v->compute.inv;
	u64 size;

	if (vnpu_mem_read(v, job->ssid, job->op.addr, inv, sizeof(*inv)))
		return base_err_set(err, -EFAULT, "invocation at 0x%llx is not mapped",
				    (unsigned long long)job->op.addr);
	if (inv->magic != ABI_INVOCATION_MAGIC || inv->version != ABI_INVOCATION_VERSION)
		return base_err_set(
			err, -EINVAL, "invocation has magic 0x%x, version %u: expected 0x%x, %u",
			inv->magic, inv->version, ABI_INVOCATION_MAGIC, ABI_INVOCATION_VERSION);
	size = sizeof(*inv) + inv->nr_bindings * (u64)sizeof(struct abi_range);
	if (inv->nr_bindings > ABI_MAX_BINDINGS || size > job->op.size)
		return base_err_set(err, -EINVAL, "invocation has %u bindings in %llu bytes",
				    inv->nr_bindings, (unsigned long long)job->op.size);
	if (vnpu_mem_read(v, job->ssid, job->op.addr + sizeof(*inv), v->compute.bindings,
			  (u32)(size - sizeof(*inv))))
		return base_err_set(err, -EFAULT, "bindings are not mapped");
	return 0;
}

static void wake_waiters(struct vnpu *v)
{
	atomic_fetch_add(&v->threads.idle_word, 1);
	vnpu_futex_wake(&v->threads.idle_word, INT32_MAX);
}

static void away(void *opaque)
{
	const struct vnpu_view_ctx *ctx = opaque;

	vnpu_lock(&ctx->v->lock);
	ctx->v->compute.away = true;
	vnpu_ipc_go_on(ctx->v);
	wake_waiters(ctx->v);
	vnpu_unlock(&ctx->v->lock);
	vnpu_kick_fw(ctx->v);
}

static int back(void *opaque)
{
	const struct vnpu_view_ctx *ctx = opaque;
	bool gone;

	vnpu_lock(&ctx->v->lock);
	ctx->v->compute.away = false;
	gone = ctx->v->compute.orphan || ctx->epoch != ctx->v->compute.epoch;
	vnpu_unlock(&ctx->v->lock);
	return gone ? -ECANCELED : 0;
}

static int run_unlocked(struct vnpu *v, const struct vnpu_job *job, struct base_err *err)
{
	struct vnpu_compute *c = &v->compute;
	struct vnpu_view_ctx ctx = { v, job->ssid, c->epoch };
	const struct vnpu_exec_mem mem = { &ctx, v->gen->view, vnpu_view_release, away, back };
	const struct vnpu_exec_job exec_job = {
		.ssid = job->ssid,
		.inference_id = job->op.inference_id,
		.inv = &c->inv,
		.bindings = c->bindings,
		.mem = &mem,
		.verify = v->info->flat,
	};
	int ret;

	__atomic_store_n(&c->stop, 0, __ATOMIC_RELAXED);
	c->unlocked = true;
	vnpu_unlock(&v->lock);
	ret = vnpu_exec_run(c->exec, &exec_job, err);
	vnpu_lock(&v->lock);
	c->unlocked = false;
	vnpu_ipc_go_on(v);
	wake_waiters(v);
	return ret;
}

static u32 infer(struct vnpu *v)
{
	const struct vnpu_job job = current(v)->job; /* the queue may go while it runs */
	struct base_err err = { 0 };
	char where[48];
	int ret = take_invocation(v, &job, &err);

	if (!ret)
		ret = run_unlocked(v, &job, &err);
	v->stats.inferences++;
	if (ret && !v->compute.orphan) { /* else nobody asks any more */
		snprintf(where, sizeof(where), "job 0x%x of SSID %u", job.id, job.ssid);
		vnpu_report(v, VNPU_UNSPECIFIED, where, "inference failed: %s", err.text);
	}
	return status_of(ret);
}

/*
 * One slice
 */

/* The time since the slice began belongs to the queue. */
static void account(struct vnpu *v)
{
	struct vnpu_compute *c = &v->compute;
	u64 now_ns = vnpu_time_ns(v), ns = now_ns - c->start_ns;
	u16 dbs[2 * VNPU_NR_QUEUES];

	c->start_ns = now_ns;
	c->busy_ns += ns;
	if (is_hws(v) && !c->orphan)
		vnpu_hws_ran(v, current(v), ns, dbs, candidates(v, dbs));
}

/* Between two slices: the engine may go to another queue, and this one waits again. */
static bool yield(struct vnpu *v)
{
	struct vnpu_compute *c = &v->compute;
	u16 dbs[2 * VNPU_NR_QUEUES];

	if (!is_hws(v) || c->orphan || !vnpu_hws_yields(v, current(v), dbs, candidates(v, dbs)))
		return false;
	c->busy = false;
	vnpu_hws_submit(v, current(v));
	c->wait[c->head++ % VNPU_NR_QUEUES] = c->db;
	start_next(v);
	return true;
}

/* What follows in the job, up to its end or its next heavy command; then its queue is one of many. */
static void go_on(struct vnpu *v, struct vnpu_queue *q)
{
	bool suspended = q->suspended;

	v->compute.choosing = true;
	q->suspended = true; /* nothing is fetched meanwhile */
	if (q->state == VNPU_JOB_READY)
		vnpu_queue_run(v, q);
	q->suspended = suspended;
	v->compute.choosing = false;
	if (q->state != VNPU_JOB_ENGINE)
		vnpu_hws_hold(v, q->db);
}

void vnpu_job_op_done(struct vnpu *v, struct vnpu_queue *q, u32 status)
{
	if (status)
		vnpu_job_finish(v, q, status);
	if (is_hws(v))
		go_on(v, q);
	else
		vnpu_queue_kick(v, q);
}

static void complete(struct vnpu *v, u32 status)
{
	struct vnpu_compute *c = &v->compute;
	struct vnpu_queue *q = current(v);
	bool alive = !c->orphan;

	c->busy = false;
	c->orphan = false;
	if (alive) {
		q->state = VNPU_JOB_READY; /* no longer the engine's */
		v->gen->op_done(v, q, status);
	}
	start_next(v);
}

bool vnpu_compute_step(struct vnpu *v)
{
	struct vnpu_compute *c = &v->compute;
	bool done = true;
	u32 status = 0;

	apply_drops(v);
	if (!c->busy || c->unlocked)
		return false;
	if (!c->orphan && current(v)->job.op.type == ABI_CMD_INFERENCE_EXECUTE)
		status = infer(v);
	else if (!c->orphan)
		done = vnpu_op_step(v, &current(v)->job,
				    v->stepped ? SLICE_STEPPED : SLICE_THREADED, &status);
	account(v);
	if (done)
		complete(v, status);
	else if (!yield(v) && v->stepped)
		vnpu_timer_set(v, VNPU_T_ENGINE, vnpu_engine_ns(v, vnpu_delay(v, 100000, 200000)));
	return true;
}

void vnpu_compute_timer(struct vnpu *v)
{
	if (v->stepped)
		(void)vnpu_compute_step(v);
}
