// SPDX-License-Identifier: MIT
/*
 * The firmware's job queues, OS scheduling: a rung doorbell makes it walk the queue in SSID 0,
 * run each job's command buffer, and report.  SRC: P 10.2 - 10.5, 10.7.
 *
 * A job that has to wait (fence, engine, a long copy) is parked in its queue; the others go on.
 */
#include <string.h>

#include "vnpu/model.h"

#define POLL_NS	  20000 /* between two looks at a fence */
#define ENGINE_NS 100000 /* virtual duration of an inference in stepped mode */

/* --- reporting ----------------------------------------------------------------------------- */

static void send_job_done(struct vnpu *m, const struct vnpu_queue *q, u32 job_id, u32 status)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_JOB_DONE, .status = ABI_IPC_ALLOCATED };

	msg.payload.job_done.engine_idx = ABI_JOBQ_ENGINE_COMPUTE;
	msg.payload.job_done.db_idx = (u32)(q - m->fw.queues);
	msg.payload.job_done.job_id = job_id;
	msg.payload.job_done.job_status = status;
	msg.payload.job_done.host_ssid = q->ssid;
	m->stats.jobs++;
	vnpu_fw_send(m, ABI_IPC_CHAN_JOB_RET, &msg);
}

static void end_job(struct vnpu *m, struct vnpu_queue *q)
{
	vnpu_cmd_free(&q->run);
	q->run.state = VNPU_JOB_NONE;
	m->fw.nr_active--;
}

static void finish_job(struct vnpu *m, struct vnpu_queue *q, u32 status)
{
	const struct abi_jobq_header *hdr = vnpu_mem_ptr(m, 0, q->base, sizeof(*hdr), false);

	if (!hdr || !(hdr->flags & ABI_JOBQ_FLAG_NO_JOB_DONE) || status)
		send_job_done(m, q, q->run.job_id, status);
	/* the job of a violation stays in hand until its context is released; SRC: P 10.7 */
	if (status == ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW)
		q->run.state = VNPU_JOB_HALTED;
	else
		end_job(m, q);
}

/* --- running ------------------------------------------------------------------------------- */

static void after_run(struct vnpu *m, struct vnpu_queue *q, u32 status)
{
	switch (q->run.state) {
	case VNPU_JOB_NONE: /* came to its end */
		finish_job(m, q, status);
		break;
	case VNPU_JOB_RUNNING: /* a long copy: let others in */
		vnpu_schedule(m, VNPU_EV_POLL, 1000, true);
		break;
	case VNPU_JOB_FENCE:
		vnpu_schedule(m, VNPU_EV_POLL, POLL_NS, true);
		break;
	case VNPU_JOB_QUEUED:
		q->run.ticket = m->fw.next_ticket++;
		vnpu_schedule(m, VNPU_EV_ENGINE, ENGINE_NS, false);
		break;
	case VNPU_JOB_ENGINE:
	case VNPU_JOB_HALTED:
	case VNPU_JOB_STUCK:
		break;
	}
}

static void run_job(struct vnpu *m, struct vnpu_queue *q)
{
	u32 status = vnpu_cmd_run(m, q->ssid, &q->run);

	after_run(m, q, status);
}

static void start_job(struct vnpu *m, struct vnpu_queue *q, const struct abi_jobq_job *slot)
{
	u32 status;

	q->run.job_id = slot->job_id;
	q->run.flags = slot->flags;
	q->run.batch_addr = slot->batch_buf_addr;
	m->fw.nr_active++;
	if (vnpu_fault_take(m, VNPU_FAULT_ENGINE_STUCK)) {
		q->run.state = VNPU_JOB_STUCK;
		return;
	}
	if (slot->flags & ABI_JOBQ_JOB_INLINE) {
		vnpu_report(m, VNPU_UNIMPLEMENTED, "job queue", "inline command in a slot");
		finish_job(m, q, ABI_JSM_STATUS_PARSING_ERR);
		return;
	}
	status = vnpu_cmd_load(m, q->ssid, &q->run);
	if (status) {
		finish_job(m, q, status);
		return;
	}
	q->run.state = VNPU_JOB_RUNNING;
	run_job(m, q);
}

/* Takes the slot at head, and frees it for the driver at once (P App. E); false: none. */
static bool fetch(struct vnpu *m, struct vnpu_queue *q, struct abi_jobq_job *slot)
{
	struct abi_jobq *page = vnpu_mem_ptr(m, 0, q->base, sizeof(*page), true);
	u32 tail;

	if (!page) {
		vnpu_report(m, VNPU_GUEST_ERROR, "job queue", "queue 0x%llx is not mapped any more",
			    (unsigned long long)q->base);
		return false;
	}
	tail = __atomic_load_n(&page->hdr.tail, __ATOMIC_ACQUIRE); /* pairs with the driver's wmb */
	if (tail >= ABI_JOBQ_SLOTS) {
		vnpu_report(m, VNPU_GUEST_ERROR, "job queue", "tail %u is past the last slot", tail);
		return false;
	}
	if (q->head == tail)
		return false;
	memcpy(slot, &page->slot[q->head].job, sizeof(*slot));
	q->head = (q->head + 1) % ABI_JOBQ_SLOTS;
	__atomic_store_n(&page->hdr.head, q->head, __ATOMIC_RELEASE);
	return true;
}

static void run_queue(struct vnpu *m, struct vnpu_queue *q)
{
	struct abi_jobq_job slot;

	while (q->is_registered && q->run.state == VNPU_JOB_NONE && fetch(m, q, &slot))
		start_job(m, q, &slot);
}

void vnpu_jobq_run(struct vnpu *m)
{
	struct vnpu_fw *fw = &m->fw;
	u32 first = fw->first_rung, last = fw->last_rung;

	fw->first_rung = UINT32_MAX;
	fw->last_rung = 0;
	if (fw->is_dead)
		return;
	for (u32 db = first; db <= last && db < VNPU_NR_DOORBELLS; db++) {
		if (!fw->queues[db].is_rung)
			continue;
		fw->queues[db].is_rung = false;
		run_queue(m, &fw->queues[db]);
	}
}

void vnpu_jobq_poll(struct vnpu *m)
{
	for (u32 db = 0; db < VNPU_NR_DOORBELLS && m->fw.nr_active && !m->fw.is_dead; db++) {
		struct vnpu_queue *q = &m->fw.queues[db];

		if (q->run.state != VNPU_JOB_FENCE && q->run.state != VNPU_JOB_RUNNING)
			continue;
		run_job(m, q);
		run_queue(m, q);
	}
}

/* --- the engine ---------------------------------------------------------------------------- */

struct vnpu_queue *vnpu_jobq_engine_next(struct vnpu *m)
{
	struct vnpu_queue *next = NULL;

	for (u32 db = 0; db < VNPU_NR_DOORBELLS; db++) {
		struct vnpu_queue *q = &m->fw.queues[db];

		if (q->run.state == VNPU_JOB_QUEUED && (!next || q->run.ticket < next->run.ticket))
			next = q;
	}
	return next;
}

void vnpu_jobq_engine_done(struct vnpu *m)
{
	for (u32 db = 0; db < VNPU_NR_DOORBELLS; db++) {
		struct vnpu_queue *q = &m->fw.queues[db];

		if (q->run.state != VNPU_JOB_ENGINE || q->run.engine_status == UINT32_MAX)
			continue;
		if (q->run.engine_status) {
			finish_job(m, q, q->run.engine_status);
		} else {
			q->run.state = VNPU_JOB_RUNNING;
			run_job(m, q);
		}
		run_queue(m, q);
	}
}

void vnpu_jobq_drop(struct vnpu *m, u32 ssid)
{
	if (ssid >= VNPU_NR_SSIDS)
		m->fw.drop_all = true;
	else
		m->fw.drop_ssids[ssid / 64] |= BASE_BIT64(ssid % 64);
	if (!m->threads.is_engine_busy)
		vnpu_jobq_apply_drops(m);
}

void vnpu_jobq_apply_drops(struct vnpu *m)
{
	struct vnpu_fw *fw = &m->fw;

	if (m->exec && fw->drop_all)
		vnpu_exec_drop_all(m->exec);
	for (u32 ssid = 0; m->exec && ssid < VNPU_NR_SSIDS; ssid++)
		if (fw->drop_ssids[ssid / 64] & BASE_BIT64(ssid % 64))
			vnpu_exec_drop_ssid(m->exec, ssid);
	fw->drop_all = false;
	memset(fw->drop_ssids, 0, sizeof(fw->drop_ssids));
}

/* --- ends ---------------------------------------------------------------------------------- */

void vnpu_jobq_release(struct vnpu *m, struct vnpu_queue *q)
{
	if (q->run.state != VNPU_JOB_NONE)
		end_job(m, q);
	q->is_registered = false;
	q->is_rung = false;
}

/* P 10.7: every pending job of the context gets a JOB_DONE, the one that faulted a second one. */
void vnpu_jobq_abort_ssid(struct vnpu *m, u32 ssid)
{
	for (u32 db = 0; db < VNPU_NR_DOORBELLS; db++) {
		struct vnpu_queue *q = &m->fw.queues[db];
		struct abi_jobq_job slot;

		if (!q->is_registered || q->ssid != ssid)
			continue;
		if (q->run.state != VNPU_JOB_NONE)
			send_job_done(m, q, q->run.job_id, ABI_JSM_STATUS_ABORTED);
		while (fetch(m, q, &slot))
			send_job_done(m, q, slot.job_id, ABI_JSM_STATUS_ABORTED);
		vnpu_jobq_release(m, q);
	}
}
