// SPDX-License-Identifier: MIT
/* JSM requests of hardware scheduling.  SRC: P 7.2, 7.4, 10.4, 10.7; the scheduler is hws.c. */
#include <string.h>

#include "vnpu/compute.h"
#include "vnpu/jsm.h"
#include "vnpu/park.h"

static struct vnpu_cmdq *find_cmdq(struct vnpu *v, u32 ssid, u64 id)
{
	for (u32 i = 0; i < VNPU_NR_CMDQS; i++) {
		struct vnpu_cmdq *q = &v->fw.set.hws.cmdq[i];

		if (q->used && q->ssid == ssid && q->id == id)
			return q;
	}
	return NULL;
}

static struct vnpu_queue *queue_of(struct vnpu *v, u32 ssid, u64 id)
{
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		struct vnpu_queue *q = &v->jobs.queue[db];

		if (q->registered && q->ssid == ssid && q->cmdq_id == id)
			return q;
	}
	return NULL;
}

static u32 band_setup(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	if (req->band_setup.normal_band_percentage > 100)
		return vnpu_jsm_bad(v, "SET_PRIORITY_BAND_SETUP", "more than 100 percent",
				    req->band_setup.normal_band_percentage, JSM_PARSING_ERR);
	vnpu_hws_setup(v, &req->band_setup);
	return JSM_OK;
}

static u32 check_new(struct vnpu *v, const struct abi_jsm_create_cmdq *r)
{
	if (!v->fw.set.hws.set)
		vnpu_jsm_bad(v, "CREATE_CMD_QUEUE", "before SET_PRIORITY_BAND_SETUP, queue",
			     r->cmdq_id, 0);
	if (!vnpu_jsm_is_user(v, r->host_ssid))
		return vnpu_jsm_bad(v, "CREATE_CMD_QUEUE", "no user context", r->host_ssid,
				    JSM_INVALID_HANDLE);
	if (find_cmdq(v, r->host_ssid, r->cmdq_id))
		return vnpu_jsm_bad(v, "CREATE_CMD_QUEUE", "exists already", r->cmdq_id,
				    JSM_INVALID_HANDLE);
	return vnpu_jsm_engine(v, "CREATE_CMD_QUEUE", r->engine_idx);
}

static u32 create_cmdq(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_create_cmdq *r = &req->create_cmdq;
	struct vnpu_cmdq *q = v->fw.set.hws.cmdq;
	u32 result = check_new(v, r);

	memset(rsp, 0, sizeof(*rsp));
	rsp->create_cmdq_rsp = (struct abi_jsm_create_cmdq_rsp){
		.process_id = r->process_id,
		.host_ssid = r->host_ssid,
		.engine_idx = r->engine_idx,
		.cmdq_group = r->cmdq_group,
		.cmdq_id = r->cmdq_id,
	};
	if (result)
		return result;
	while (q < v->fw.set.hws.cmdq + VNPU_NR_CMDQS && q->used)
		q++;
	if (q == v->fw.set.hws.cmdq + VNPU_NR_CMDQS)
		return JSM_NO_RESOURCES;
	*q = (struct vnpu_cmdq){
		.used = true,
		.band = ABI_PRIO_NORMAL,
		.ssid = r->host_ssid,
		.id = r->cmdq_id,
		.base = r->cmdq_base,
		.size = r->cmdq_size,
		.process = r->process_id,
	};
	vnpu_hws_join(v, q);
	return JSM_OK;
}

/* The last queue of a context: nobody will release its SSID, P 10.7. */
static void forget_context(struct vnpu *v, u32 ssid)
{
	for (u32 i = 0; i < VNPU_NR_CMDQS; i++)
		if (v->fw.set.hws.cmdq[i].used && v->fw.set.hws.cmdq[i].ssid == ssid)
			return;
	v->jobs.faulted[ssid / 64] &= ~BASE_BIT64(ssid % 64);
	vnpu_compute_drop(v, ssid);
}

static u32 destroy_cmdq(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	const u32 ssid = req->cmdq.host_ssid;
	struct vnpu_cmdq *q = find_cmdq(v, ssid, req->cmdq.cmdq_id);
	struct vnpu_queue *jobs = queue_of(v, ssid, req->cmdq.cmdq_id);

	(void)rsp;
	if (!q)
		return vnpu_jsm_bad(v, "DESTROY_CMD_QUEUE", "no such queue", req->cmdq.cmdq_id,
				    JSM_INVALID_HANDLE);
	q->used = false;
	for (u32 db = 0; db < BASE_ARRAY_SIZE(v->fw.set.hws.of_db); db++)
		if (v->fw.set.hws.of_db[db] == 1 + (q - v->fw.set.hws.cmdq))
			v->fw.set.hws.of_db[db] = 0;
	if (jobs) { /* 6.12 destroys first, 7.2 last: P 7.3 */
		jobs->suspended = true;
		vnpu_parked_drop(v, jobs, NULL);
		vnpu_job_drop(v, jobs);
	}
	forget_context(v, ssid);
	return JSM_OK;
}

static u32 sched_properties(struct vnpu *v, const union abi_jsm_payload *req,
			    union abi_jsm_payload *rsp)
{
	const struct abi_jsm_sched_properties *r = &req->sched_properties;
	struct vnpu_cmdq *q = find_cmdq(v, r->host_ssid, r->cmdq_id);

	(void)rsp;
	if (!q)
		return vnpu_jsm_bad(v, "SET_CONTEXT_SCHED_PROPERTIES", "no such queue", r->cmdq_id,
				    JSM_INVALID_HANDLE);
	if (r->priority_band >= ABI_PRIO_NR)
		return vnpu_jsm_bad(v, "SET_CONTEXT_SCHED_PROPERTIES", "no such band",
				    r->priority_band, JSM_PARSING_ERR);
	if (q->band != r->priority_band) {
		q->band = (u8)r->priority_band;
		vnpu_hws_join(v, q);
	}
	q->realtime_level = q->band == ABI_PRIO_REALTIME ? r->realtime_priority_level : 0;
	q->in_process = r->in_process_priority;
	q->quantum_ns = r->context_quantum * 100;
	q->grace_same_ns = r->grace_period_same_priority * 100;
	q->grace_lower_ns = r->grace_period_lower_priority * 100;
	return JSM_OK;
}

static u32 hws_register_db(struct vnpu *v, const union abi_jsm_payload *req,
			   union abi_jsm_payload *rsp)
{
	const struct abi_jsm_hws_register_db r = req->hws_register_db;
	const struct vnpu_cmdq *q = find_cmdq(v, r.host_ssid, r.cmdq_id);
	u32 result;

	memset(rsp, 0, sizeof(*rsp));
	rsp->db.db_idx = r.db_id;
	if (!q)
		return vnpu_jsm_bad(v, "HWS_REGISTER_DB", "no such queue", r.cmdq_id,
				    JSM_INVALID_HANDLE);
	if (r.cmdq_base != q->base || r.cmdq_size != q->size)
		return vnpu_jsm_bad(v, "HWS_REGISTER_DB", "not the queue's memory", r.cmdq_base,
				    JSM_PARSING_ERR);
	if (queue_of(v, r.host_ssid, r.cmdq_id))
		return vnpu_jsm_bad(v, "HWS_REGISTER_DB", "queue has a doorbell already", r.cmdq_id,
				    JSM_INVALID_HANDLE);
	result = vnpu_queue_register(v, r.db_id, r.host_ssid, r.cmdq_base, r.cmdq_size, r.cmdq_id);
	if (!result)
		v->fw.set.hws.of_db[r.db_id] = (u16)(1 + (q - v->fw.set.hws.cmdq));
	return result;
}

static u32 suspend_cmdq(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	struct vnpu_queue *q = queue_of(v, req->hws_suspend.host_ssid, req->hws_suspend.cmdq_id);

	(void)rsp;
	if (!q)
		return vnpu_jsm_bad(v, "HWS_SUSPEND_CMDQ", "no such queue",
				    req->hws_suspend.cmdq_id, JSM_INVALID_HANDLE);
	q->suspended = true;
	return JSM_OK;
}

static u32 resume_cmdq(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	struct vnpu_queue *q = queue_of(v, req->cmdq.host_ssid, req->cmdq.cmdq_id);

	(void)rsp;
	if (!q)
		return vnpu_jsm_bad(v, "HWS_RESUME_CMDQ", "no such queue", req->cmdq.cmdq_id,
				    JSM_INVALID_HANDLE);
	q->suspended = false;
	vnpu_queue_kick(v, q);
	vnpu_compute_resume(v);
	return JSM_OK;
}

static u32 hws_log(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	if (req->hws_log.vpu_log_buffer_va)
		vnpu_report(v, VNPU_UNIMPLEMENTED, "JSM HWS_SET_SCHEDULING_LOG",
			    "the scheduling log stays empty (P App. D)");
	return JSM_OK;
}

/*
 * Engine reset
 */

static bool add_impacted(struct abi_jsm_engine_reset_done *done, const struct vnpu_queue *q)
{
	u32 n = done->num_impacted_contexts;

	for (u32 i = 0; i < n; i++)
		if (done->impacted_contexts[i].host_ssid == q->ssid)
			return true;
	if (n == ABI_JSM_MAX_IMPACTED - 1) /* 3 is rejected: P trap 25 */
		return false;
	done->impacted_contexts[n] = (struct abi_jsm_reset_ctx){
		.host_ssid = q->ssid,
		.cmdq_id = q->cmdq_id,
		.flags = n ? ABI_JSM_RESET_COLLATERAL : 0,
	};
	done->num_impacted_contexts++;
	return true;
}

static void drop_all(struct vnpu *v, struct vnpu_queue *q)
{
	vnpu_parked_drop(v, q, NULL);
	vnpu_job_drop(v, q);
}

static bool is_stuck(const struct vnpu *v, const struct vnpu_queue *q)
{
	(void)v;
	return q->state == VNPU_JOB_STUCK;
}

static bool is_faulted(const struct vnpu *v, const struct vnpu_queue *q)
{
	return vnpu_ssid_is_faulted(v, q->ssid);
}

static bool waits(const struct vnpu *v, const struct vnpu_queue *q)
{
	(void)v;
	return q->nr_parked || q->state == VNPU_JOB_FENCE;
}

/* Queues that are to blame, until the list of contexts is full. */
static void blame(struct vnpu *v, struct abi_jsm_engine_reset_done *done,
		  bool (*is)(const struct vnpu *v, const struct vnpu_queue *q))
{
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		struct vnpu_queue *q = &v->jobs.queue[db];

		if (q->registered && is(v, q) && add_impacted(done, q))
			drop_all(v, q);
	}
}

/*
 * Who is to blame loses its jobs: contexts with a fault, stuck jobs.  When there is none of these
 * the driver found something too slow: the job whose command the engine works on, or when there is
 * none, one that waits for a fence.  The rest loses nothing: what the engine worked on goes on.
 */
static u32 engine_reset(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	u32 result = vnpu_jsm_engine(v, "ENGINE_RESET", req->engine.engine_idx);
	struct abi_jsm_engine_reset_done *done = &rsp->engine_reset_done;
	struct vnpu_queue *running = &v->jobs.queue[v->compute.db];

	if (result)
		return result;
	memset(rsp, 0, sizeof(*rsp));
	blame(v, done, is_faulted);
	blame(v, done, is_stuck);
	if (!done->num_impacted_contexts && v->compute.busy && !v->compute.orphan &&
	    add_impacted(done, running))
		vnpu_job_drop(v, running);
	if (!done->num_impacted_contexts)
		blame(v, done, waits);
	/* who schedules jobs says when to go on; SRC: Intel's kmd-test resumes in hardware mode only */
	if (v->fw.sched_mode == ABI_BOOT_SCHED_HW)
		v->fw.held |= VNPU_HELD_RESET;
	vnpu_fw_log(v, VNPU_LOG_ERROR, "engine reset: %u contexts impacted, first SSID %u",
		    done->num_impacted_contexts, done->impacted_contexts[0].host_ssid);
	return JSM_OK;
}

static u32 engine_resume(struct vnpu *v, const union abi_jsm_payload *req,
			 union abi_jsm_payload *rsp)
{
	(void)rsp;
	v->fw.held &= (u8)~VNPU_HELD_RESET;
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++)
		if (v->jobs.queue[db].registered)
			vnpu_queue_kick(v, &v->jobs.queue[db]);
	vnpu_compute_resume(v);
	vnpu_fw_log(v, VNPU_LOG_INFO, "engine resumed");
	return vnpu_jsm_engine(v, "HWS_ENGINE_RESUME", req->engine.engine_idx);
}

static u32 preempt(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	v->fw.set.hws.preempt = v->fw.sched_mode == ABI_BOOT_SCHED_HW && v->compute.busy;
	return vnpu_jsm_engine(v, "ENGINE_PREEMPT", req->engine_preempt.engine_idx);
}

const struct vnpu_jsm_request vnpu_jsm_hws[] = {
	{ ABI_JSM_ENGINE_RESET, JSM_CH_ASYNC, engine_reset, false },
	{ ABI_JSM_ENGINE_PREEMPT, JSM_CH_ASYNC, preempt, false },
	{ ABI_JSM_SET_PRIORITY_BAND_SETUP, JSM_CH_ASYNC, band_setup, true },
	{ ABI_JSM_CREATE_CMD_QUEUE, JSM_CH_ASYNC, create_cmdq, true },
	{ ABI_JSM_DESTROY_CMD_QUEUE, JSM_CH_ASYNC, destroy_cmdq, true },
	{ ABI_JSM_SET_CONTEXT_SCHED_PROPERTIES, JSM_CH_ASYNC, sched_properties, true },
	{ ABI_JSM_HWS_REGISTER_DB, JSM_CH_ASYNC, hws_register_db, true },
	{ ABI_JSM_HWS_SET_SCHEDULING_LOG, JSM_CH_ASYNC, hws_log, true },
	{ ABI_JSM_HWS_SUSPEND_CMDQ, JSM_CH_ASYNC, suspend_cmdq, true },
	{ ABI_JSM_HWS_RESUME_CMDQ, JSM_CH_ASYNC, resume_cmdq, true },
	/* debugfs resume_engine sends it in OS mode, too */
	{ ABI_JSM_HWS_ENGINE_RESUME, JSM_CH_ASYNC, engine_resume, false },
	{ 0 },
};
