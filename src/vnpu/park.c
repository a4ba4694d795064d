// SPDX-License-Identifier: MIT
/*
 * Jobs that wait for a fence stand aside: the rest of their queue goes on.
 *
 * SRC: Intel's kmd-test, Exec.Job_SubmitWithoutWait: a job that waits and the one that signals are
 * in one queue; P 10.9: the user-mode driver chains jobs of a queue by fences of their own.  When
 * there is no more room the job stays where it is, and its queue waits with it.
 */
#include "vnpu/park.h"
#include "vnpu/model.h"

static struct vnpu_parked *free_entry(struct vnpu *v)
{
	for (u32 i = 0; i < VNPU_NR_PARKED; i++)
		if (!v->jobs.parked[i].used)
			return &v->jobs.parked[i];
	return NULL;
}

bool vnpu_park(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_parked *e = free_entry(v);

	if (!e)
		return false;
	*e = (struct vnpu_parked){
		.used = true, .db = q->db, .turn = ++v->jobs.park_turn, .job = q->job
	};
	q->state = VNPU_JOB_NONE;
	q->nr_parked++;
	v->jobs.nr_parked++;
	return true;
}

static void leave(struct vnpu *v, struct vnpu_queue *q, struct vnpu_parked *e)
{
	e->used = false;
	v->jobs.nr_parked--;
	q->nr_parked--;
	q->nr_ready -= e->ready;
}

void vnpu_unpark(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_parked *first = NULL;

	for (u32 i = 0; i < VNPU_NR_PARKED; i++) {
		struct vnpu_parked *e = &v->jobs.parked[i];

		if (e->used && e->ready && e->db == q->db && (!first || e->turn < first->turn))
			first = e;
	}
	if (!first)
		return;
	leave(v, q, first);
	q->job = first->job;
	q->state = VNPU_JOB_READY;
	if (first->status)
		vnpu_job_finish(v, q, first->status);
}

static bool look_once(struct vnpu *v)
{
	u32 left = v->jobs.nr_parked;
	bool moved = false;

	for (u32 i = 0; i < VNPU_NR_PARKED && left; i++) {
		struct vnpu_parked *e = &v->jobs.parked[i];
		struct vnpu_queue *q = &v->jobs.queue[e->db];

		left -= e->used;
		if (!e->used || e->ready || !vnpu_fence_done(v, &e->job, &e->status))
			continue;
		e->ready = true;
		q->nr_ready++;
		v->jobs.nr_fences--;
		vnpu_queue_kick(v, q);
		moved = true;
	}
	return moved;
}

/* Until nothing new is found: a fence that is set in mid-look must not let the later ones go first. */
bool vnpu_parked_look(struct vnpu *v)
{
	bool moved = false;

	while (look_once(v))
		moved = true;
	return moved;
}

void vnpu_parked_drop(struct vnpu *v, struct vnpu_queue *q,
		      void (*each)(struct vnpu *v, const struct vnpu_queue *q, u32 job_id))
{
	for (u32 i = 0; i < VNPU_NR_PARKED && q->nr_parked; i++) {
		struct vnpu_parked *e = &v->jobs.parked[i];

		if (!e->used || e->db != q->db)
			continue;
		v->jobs.nr_fences -= !e->ready;
		leave(v, q, e);
		if (each)
			each(v, q, e->job.id);
	}
}
