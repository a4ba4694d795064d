// SPDX-License-Identifier: MIT
/*
 * JSM requests: one handler each, in a table.  SRC: P 6.4, 7.2 to 7.6, 10.4, 10.7.
 *
 * Every request gets the answer type of P 7.2 on the channel it came on, with its request id.  A
 * handler fills the answer's payload, which starts as a copy of the request's where both have the
 * same structure, and returns the result.  Hardware scheduling works as far as queues, doorbells
 * and resets go; there is one engine and no preemption.
 */
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/model.h"

#define OK	       ABI_JSM_STATUS_SUCCESS
#define INVALID_HANDLE ABI_JSM_STATUS_MVNCI_INVALID_HANDLE
#define PARSING_ERR    ABI_JSM_STATUS_PARSING_ERR
#define NOT_IMPL       ABI_JSM_STATUS_MVNCI_NOT_IMPLEMENTED

/* Ours: what a public source would tell.  P 7.5: contents of real groups are not documented. */
#define TRACE_DESTINATIONS (ABI_BOOT_TRACE_PIPEPRINT | ABI_BOOT_TRACE_VERBOSE)
#define POWER_LEVELS	   4u

typedef u32 handler(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp);

static u32 bad(struct vnpu *v, const char *msg, const char *what, u64 val, u32 result)
{
	char where[48];

	snprintf(where, sizeof(where), "JSM %s", msg);
	vnpu_report(v, VNPU_GUEST_ERROR, where, "%s: %llu", what, (unsigned long long)val);
	return result;
}

static bool is_user_ssid(const struct vnpu *v, u32 ssid)
{
	return ssid >= v->info->ssid_first && ssid < VNPU_NR_SSIDS;
}

static u32 echo(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)v, (void)req, (void)rsp;
	return OK;
}

static u32 deprecated(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)v, (void)req, (void)rsp;
	return NOT_IMPL;
}

/*
 * Engine
 */

static u32 check_engine(struct vnpu *v, const char *msg, u32 engine)
{
	return engine == ABI_JOBQ_ENGINE_COMPUTE
		       ? OK
		       : bad(v, msg, "no such engine", engine, INVALID_HANDLE);
}

static void add_impacted(struct abi_jsm_engine_reset_done *done, const struct vnpu_queue *q)
{
	u32 n = done->num_impacted_contexts;

	for (u32 i = 0; i < n; i++)
		if (done->impacted_contexts[i].host_ssid == q->ssid)
			return;
	if (n == ABI_JSM_MAX_IMPACTED - 1) /* 3 is rejected: P trap 25 */
		return;
	done->impacted_contexts[n] = (struct abi_jsm_reset_ctx){
		.host_ssid = q->ssid,
		.cmdq_id = q->cmdq_id,
		.flags = n ? ABI_JSM_RESET_COLLATERAL : 0,
	};
	done->num_impacted_contexts++;
}

static u32 engine_reset(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	u32 result = check_engine(v, "ENGINE_RESET", req->engine.engine_idx);

	if (result)
		return result;
	memset(rsp, 0, sizeof(*rsp));
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		struct vnpu_queue *q = &v->jobs.queue[db];

		if (!q->registered || q->state == VNPU_JOB_NONE)
			continue;
		add_impacted(&rsp->engine_reset_done, q);
		vnpu_job_drop(v, q);
	}
	v->fw.engine_stopped = true;
	return OK;
}

static u32 engine_resume(struct vnpu *v, const union abi_jsm_payload *req,
			 union abi_jsm_payload *rsp)
{
	(void)rsp;
	v->fw.engine_stopped = false;
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++)
		if (v->jobs.queue[db].registered)
			vnpu_queue_kick(v, &v->jobs.queue[db]);
	return check_engine(v, "HWS_ENGINE_RESUME", req->engine.engine_idx);
}

static u32 query_hb(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	if (!v->jobs.nr_stuck)
		v->fw.heartbeat++; /* grows while work is pending, never 0: P 11.7 */
	rsp->engine_hb_done.heartbeat = v->fw.heartbeat;
	return check_engine(v, "QUERY_ENGINE_HB", req->engine.engine_idx);
}

static u32 preempt(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	return check_engine(v, "ENGINE_PREEMPT", req->engine_preempt.engine_idx);
}

/*
 * Doorbells and contexts
 */

static u32 register_db(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_register_db r = req->register_db;

	memset(rsp, 0, sizeof(*rsp));
	rsp->db.db_idx = r.db_idx;
	return vnpu_queue_register(v, r.db_idx, r.host_ssid, r.jobq_base, r.jobq_size, 0);
}

static u32 unregister_db(struct vnpu *v, const union abi_jsm_payload *req,
			 union abi_jsm_payload *rsp)
{
	u32 db = req->db.db_idx;

	(void)rsp;
	if (db >= VNPU_NR_QUEUES || !v->jobs.queue[db].registered)
		return bad(v, "UNREGISTER_DB", "not registered", db, INVALID_HANDLE);
	vnpu_queue_unregister(v, &v->jobs.queue[db]);
	return OK;
}

static u32 ssid_release(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	u32 ssid = req->ssid.host_ssid;

	(void)rsp;
	if (!is_user_ssid(v, ssid))
		return bad(v, "SSID_RELEASE", "no user context", ssid, INVALID_HANDLE);
	vnpu_ssid_release(v, ssid);
	for (u32 i = 0; i < VNPU_NR_CMDQS; i++)
		if (v->fw.cmdqs[i].ssid == ssid)
			v->fw.cmdqs[i].used = false;
	return OK;
}

/*
 * Power
 */

static u32 power_count(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)v, (void)req;
	rsp->power_level_count.power_level_count = POWER_LEVELS;
	for (u32 i = 0; i < POWER_LEVELS; i++)
		rsp->power_level_count.power_limit[i] = (u8)(100 - 25 * i);
	return OK;
}

static u32 get_power(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req;
	rsp->power_level.power_level = v->fw.power_level;
	return OK;
}

static u32 set_power(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	if (req->power_level.power_level >= POWER_LEVELS)
		return bad(v, "SET_POWER_LEVEL", "no such level", req->power_level.power_level,
			   PARSING_ERR);
	v->fw.power_level = req->power_level.power_level;
	return OK;
}

static u32 freq_config(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_freq_config *f = &req->freq_config;

	(void)rsp;
	if (f->min_freq_pll_ratio > f->pn_freq_pll_ratio ||
	    f->pn_freq_pll_ratio > f->max_freq_pll_ratio)
		return bad(v, "FREQ_CONFIG", "ratios do not ascend, Pn", f->pn_freq_pll_ratio,
			   PARSING_ERR);
	return OK;
}

static u32 d0i3_enter(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req, (void)rsp;
	if (!vnpu_fw_is_idle(v))
		bad(v, "PWR_D0I3_ENTER", "jobs pending", 1, OK);
	return OK; /* nothing is saved: save_restore_ret_address stays 0, the next boot is cold */
}

/*
 * Tracing and debugging
 */

static u32 trace_set(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	v->fw.trace = req->trace_config;
	return OK;
}

static u32 trace_get(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req;
	rsp->trace_config = v->fw.trace;
	return OK;
}

static u32 trace_capability(struct vnpu *v, const union abi_jsm_payload *req,
			    union abi_jsm_payload *rsp)
{
	(void)v, (void)req;
	rsp->trace_capability.trace_destination_mask = TRACE_DESTINATIONS;
	return OK;
}

static u32 trace_name(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const char *name = NULL;

	(void)v;
	if (req->trace_get_name.entity_type == ABI_JSM_TRACE_DESTINATION &&
	    req->trace_get_name.entity_id == ABI_BOOT_TRACE_PIPEPRINT)
		name = "pipe";
	else if (req->trace_get_name.entity_type == ABI_JSM_TRACE_DESTINATION &&
		 req->trace_get_name.entity_id == ABI_BOOT_TRACE_VERBOSE)
		name = "verbose buffer";
	if (!name)
		return INVALID_HANDLE;
	strncpy(rsp->trace_get_name_rsp.entity_name, name,
		sizeof(rsp->trace_get_name_rsp.entity_name) - 1);
	return OK;
}

static u32 dyndbg(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	if (!memchr(req->dyndbg.cmd, 0, sizeof(req->dyndbg.cmd)))
		return bad(v, "DYNDBG_CONTROL", "text is not terminated in bytes",
			   sizeof(req->dyndbg.cmd), PARSING_ERR);
	return OK;
}

/*
 * Metric streamer: one group of two counters, so that the protocol can be used (P 7.5)
 */

static const struct {
	struct abi_jsm_metric_group group;
	char name[8];
	struct abi_jsm_metric_counter ticks;
	char ticks_name[8];
	struct abi_jsm_metric_counter jobs;
	char jobs_name[8];
} descriptors = {
	.group = { .first_counter_offset = sizeof(struct abi_jsm_metric_group) + 8,
		   .num_counters = 2,
		   .data_size = sizeof(struct vnpu_metric_sample),
		   .name_size = 8 },
	.name = "vnpu",
	.ticks = { .next_counter_offset = sizeof(struct abi_jsm_metric_counter) + 8,
		   .data_size = 8,
		   .name_size = 8 },
	.ticks_name = "ticks",
	.jobs = { .data_offset = 8, .data_size = 8, .name_size = 8 },
	.jobs_name = "jobs",
};

struct vnpu_metric_sample vnpu_metric_sample(struct vnpu *v)
{
	return (struct vnpu_metric_sample){ .ticks = vnpu_counter(v), .jobs = v->stats.jobs };
}

static void metric_answer(union abi_jsm_payload *rsp, u64 mask, u64 addr, u64 written)
{
	memset(rsp, 0, sizeof(*rsp));
	rsp->metric_done.metric_group_mask = mask;
	rsp->metric_done.sample_size = sizeof(struct vnpu_metric_sample); /* never 0: P trap 33 */
	rsp->metric_done.buffer_addr = addr;
	rsp->metric_done.bytes_written = written;
}

static u32 check_mask(struct vnpu *v, const char *msg, u64 mask)
{
	if (!mask || mask & ~(u64)VNPU_METRIC_GROUPS)
		return bad(v, msg, "no such metric group in mask", mask, INVALID_HANDLE);
	return OK;
}

static u32 metric_info(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_metric_start r = req->metric_start;
	u32 result = check_mask(v, "METRIC_STREAMER_INFO", r.metric_group_mask);

	metric_answer(rsp, r.metric_group_mask, r.buffer_addr, result ? 0 : sizeof(descriptors));
	if (result || !r.buffer_size)
		return result;
	if (r.buffer_size < sizeof(descriptors))
		return ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES;
	return vnpu_mem_write(v, 0, r.buffer_addr, &descriptors, sizeof(descriptors))
		       ? (u32)ABI_JSM_STATUS_GLOBAL_CTX_VIOL_ERR
		       : OK;
}

static u32 metric_start(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	const struct abi_jsm_metric_start r = req->metric_start;
	u32 result = check_mask(v, "METRIC_STREAMER_START", r.metric_group_mask);

	metric_answer(rsp, r.metric_group_mask, r.buffer_addr, 0);
	if (result)
		return result;
	v->fw.metric_mask = r.metric_group_mask;
	v->fw.metric_buf = r.buffer_addr;
	v->fw.metric_buf_size = r.buffer_size;
	return OK;
}

/* Each update yields one sample: nothing runs in between that would take more. */
static u32 metric_update(struct vnpu *v, const union abi_jsm_payload *req,
			 union abi_jsm_payload *rsp)
{
	const struct abi_jsm_metric_update r = req->metric_update;
	const struct vnpu_metric_sample sample = vnpu_metric_sample(v);

	metric_answer(rsp, r.metric_group_mask, v->fw.metric_buf, 0);
	if (!v->fw.metric_mask || r.metric_group_mask != v->fw.metric_mask)
		return bad(v, "METRIC_STREAMER_UPDATE", "not started, mask", r.metric_group_mask,
			   INVALID_HANDLE);
	if (v->fw.metric_buf_size < sizeof(sample))
		return OK;
	if (vnpu_mem_write(v, 0, v->fw.metric_buf, &sample, sizeof(sample)))
		return ABI_JSM_STATUS_GLOBAL_CTX_VIOL_ERR;
	rsp->metric_done.samples_collected = 1;
	rsp->metric_done.bytes_written = sizeof(sample);
	if (r.buffer_addr && r.buffer_addr != v->fw.metric_buf) {
		v->fw.metric_buf = r.buffer_addr;
		v->fw.metric_buf_size = r.buffer_size;
	}
	return OK;
}

static u32 metric_stop(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	u64 mask = req->metric_stop.metric_group_mask;

	metric_answer(rsp, mask, 0, 0);
	if (!v->fw.metric_mask || mask != v->fw.metric_mask)
		return bad(v, "METRIC_STREAMER_STOP", "not started, mask", mask, INVALID_HANDLE);
	v->fw.metric_mask = 0;
	return OK;
}

/*
 * Hardware scheduling
 */

static struct vnpu_cmdq *find_cmdq(struct vnpu *v, u32 ssid, u64 id)
{
	for (u32 i = 0; i < VNPU_NR_CMDQS; i++) {
		struct vnpu_cmdq *q = &v->fw.cmdqs[i];

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

static u32 create_cmdq(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_create_cmdq r = req->create_cmdq;
	struct vnpu_cmdq *q = v->fw.cmdqs;

	memset(rsp, 0, sizeof(*rsp));
	rsp->create_cmdq_rsp = (struct abi_jsm_create_cmdq_rsp){
		.process_id = r.process_id,
		.host_ssid = r.host_ssid,
		.engine_idx = r.engine_idx,
		.cmdq_group = r.cmdq_group,
		.cmdq_id = r.cmdq_id,
	};
	if (!is_user_ssid(v, r.host_ssid))
		return bad(v, "CREATE_CMD_QUEUE", "no user context", r.host_ssid, INVALID_HANDLE);
	if (find_cmdq(v, r.host_ssid, r.cmdq_id))
		return bad(v, "CREATE_CMD_QUEUE", "exists already", r.cmdq_id, INVALID_HANDLE);
	while (q < v->fw.cmdqs + VNPU_NR_CMDQS && q->used)
		q++;
	if (q == v->fw.cmdqs + VNPU_NR_CMDQS)
		return ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES;
	*q = (struct vnpu_cmdq){
		.used = true,
		.ssid = r.host_ssid,
		.id = r.cmdq_id,
		.base = r.cmdq_base,
		.size = r.cmdq_size,
	};
	return check_engine(v, "CREATE_CMD_QUEUE", r.engine_idx);
}

static u32 destroy_cmdq(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	struct vnpu_cmdq *q = find_cmdq(v, req->cmdq.host_ssid, req->cmdq.cmdq_id);
	struct vnpu_queue *jobs = queue_of(v, req->cmdq.host_ssid, req->cmdq.cmdq_id);

	(void)rsp;
	if (!q)
		return bad(v, "DESTROY_CMD_QUEUE", "no such queue", req->cmdq.cmdq_id,
			   INVALID_HANDLE);
	q->used = false;
	if (jobs) /* 6.12 destroys first, 7.2 last: P 7.3 */
		jobs->suspended = true;
	return OK;
}

static u32 sched_properties(struct vnpu *v, const union abi_jsm_payload *req,
			    union abi_jsm_payload *rsp)
{
	const struct abi_jsm_sched_properties *r = &req->sched_properties;

	(void)rsp;
	if (!find_cmdq(v, r->host_ssid, r->cmdq_id))
		return bad(v, "SET_CONTEXT_SCHED_PROPERTIES", "no such queue", r->cmdq_id,
			   INVALID_HANDLE);
	if (r->priority_band >= ABI_PRIO_NR)
		return bad(v, "SET_CONTEXT_SCHED_PROPERTIES", "no such band", r->priority_band,
			   PARSING_ERR);
	return OK;
}

static u32 hws_register_db(struct vnpu *v, const union abi_jsm_payload *req,
			   union abi_jsm_payload *rsp)
{
	const struct abi_jsm_hws_register_db r = req->hws_register_db;
	const struct vnpu_cmdq *q = find_cmdq(v, r.host_ssid, r.cmdq_id);

	memset(rsp, 0, sizeof(*rsp));
	rsp->db.db_idx = r.db_id;
	if (!q)
		return bad(v, "HWS_REGISTER_DB", "no such queue", r.cmdq_id, INVALID_HANDLE);
	if (r.cmdq_base != q->base || r.cmdq_size != q->size)
		return bad(v, "HWS_REGISTER_DB", "not the queue's memory", r.cmdq_base,
			   PARSING_ERR);
	return vnpu_queue_register(v, r.db_id, r.host_ssid, r.cmdq_base, r.cmdq_size, r.cmdq_id);
}

static u32 suspend_cmdq(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	struct vnpu_queue *q = queue_of(v, req->hws_suspend.host_ssid, req->hws_suspend.cmdq_id);

	(void)rsp;
	if (!q)
		return bad(v, "HWS_SUSPEND_CMDQ", "no such queue", req->hws_suspend.cmdq_id,
			   INVALID_HANDLE);
	q->suspended = true;
	return OK;
}

static u32 resume_cmdq(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	struct vnpu_queue *q = queue_of(v, req->cmdq.host_ssid, req->cmdq.cmdq_id);

	(void)rsp;
	if (!q)
		return bad(v, "HWS_RESUME_CMDQ", "no such queue", req->cmdq.cmdq_id,
			   INVALID_HANDLE);
	q->suspended = false;
	vnpu_queue_kick(v, q);
	return OK;
}

static u32 hws_log(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	if (req->hws_log.vpu_log_buffer_va)
		vnpu_report(v, VNPU_UNIMPLEMENTED, "JSM HWS_SET_SCHEDULING_LOG",
			    "the scheduling log stays empty (P App. D)");
	return OK;
}

/*
 * Dispatch
 */

#define CH_ASYNC BASE_BIT(0)
#define CH_GEN	 BASE_BIT(1)

static const struct request {
	u32 type;
	u32 channels; /* CH_ bits; P 6.4, 7.3 */
	handler *fn;
	bool hws; /* belongs to hardware scheduling */
} requests[] = {
	{ ABI_JSM_ENGINE_RESET, CH_ASYNC, engine_reset, false },
	{ ABI_JSM_ENGINE_PREEMPT, CH_ASYNC, preempt, false },
	{ ABI_JSM_REGISTER_DB, CH_ASYNC, register_db, false },
	{ ABI_JSM_UNREGISTER_DB, CH_ASYNC, unregister_db, false },
	{ ABI_JSM_QUERY_ENGINE_HB, CH_ASYNC, query_hb, false },
	{ ABI_JSM_GET_POWER_LEVEL_COUNT, CH_ASYNC, power_count, false },
	{ ABI_JSM_GET_POWER_LEVEL, CH_ASYNC, get_power, false },
	{ ABI_JSM_SET_POWER_LEVEL, CH_ASYNC, set_power, false },
	{ ABI_JSM_METRIC_STREAMER_OPEN, CH_ASYNC, deprecated, false },
	{ ABI_JSM_METRIC_STREAMER_CLOSE, CH_ASYNC, deprecated, false },
	{ ABI_JSM_TRACE_SET_CONFIG, CH_ASYNC, trace_set, false },
	{ ABI_JSM_TRACE_GET_CONFIG, CH_ASYNC, trace_get, false },
	{ ABI_JSM_TRACE_GET_CAPABILITY, CH_ASYNC, trace_capability, false },
	{ ABI_JSM_TRACE_GET_NAME, CH_ASYNC, trace_name, false },
	{ ABI_JSM_SSID_RELEASE, CH_ASYNC, ssid_release, false },
	{ ABI_JSM_METRIC_STREAMER_START, CH_ASYNC, metric_start, false },
	{ ABI_JSM_METRIC_STREAMER_STOP, CH_ASYNC, metric_stop, false },
	{ ABI_JSM_METRIC_STREAMER_UPDATE, CH_ASYNC, metric_update, false },
	{ ABI_JSM_METRIC_STREAMER_INFO, CH_ASYNC, metric_info, false },
	{ ABI_JSM_SET_PRIORITY_BAND_SETUP, CH_ASYNC, echo, true },
	{ ABI_JSM_CREATE_CMD_QUEUE, CH_ASYNC, create_cmdq, true },
	{ ABI_JSM_DESTROY_CMD_QUEUE, CH_ASYNC, destroy_cmdq, true },
	{ ABI_JSM_SET_CONTEXT_SCHED_PROPERTIES, CH_ASYNC, sched_properties, true },
	{ ABI_JSM_HWS_REGISTER_DB, CH_ASYNC, hws_register_db, true },
	{ ABI_JSM_HWS_SET_SCHEDULING_LOG, CH_ASYNC, hws_log, true },
	{ ABI_JSM_HWS_SUSPEND_CMDQ, CH_ASYNC, suspend_cmdq, true },
	{ ABI_JSM_HWS_RESUME_CMDQ, CH_ASYNC, resume_cmdq, true },
	{ ABI_JSM_HWS_ENGINE_RESUME, CH_ASYNC, engine_resume, true },
	{ ABI_JSM_DCT_ENABLE, CH_ASYNC, echo, false },
	{ ABI_JSM_DCT_DISABLE, CH_ASYNC, echo, false },
	{ ABI_JSM_FREQ_CONFIG, CH_ASYNC, freq_config, false },
	{ ABI_JSM_STATE_DUMP, CH_ASYNC, echo, false },
	{ ABI_JSM_BLOB_DEINIT, CH_ASYNC, deprecated, false },
	{ ABI_JSM_DYNDBG_CONTROL, CH_ASYNC | CH_GEN, dyndbg, false }, /* 6.12: 0, 7.2: 10 */
	{ ABI_JSM_PWR_D0I3_ENTER, CH_GEN, d0i3_enter, false },
};

static const struct request *find_request(u32 type)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(requests); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

static void check_envelope(struct vnpu *v, u16 channel, const struct request *r,
			   const struct abi_jsm_msg *req)
{
	const char *name = abi_jsm_type_name(req->type);
	u32 bit = channel == ABI_IPC_CHAN_ASYNC ? CH_ASYNC
		  : channel == ABI_IPC_CHAN_GEN ? CH_GEN
						: 0;

	if (!(r->channels & bit))
		bad(v, name, "wrong channel (P 6.4)", channel, 0);
	if (!req->request_id) /* would be taken for a JOB_DONE: P 6.6 */
		bad(v, name, "request id", 0, 0);
	if (r->hws && v->fw.sched_mode != ABI_BOOT_SCHED_HW)
		bad(v, name, "message of hardware scheduling, but the mode is", v->fw.sched_mode,
		    0);
}

void vnpu_jsm_handle(struct vnpu *v, u16 channel, const struct abi_jsm_msg *req)
{
	const struct request *r = find_request(req->type);
	struct abi_jsm_msg rsp = {
		.type = abi_jsm_answer_of(req->type),
		.status = ABI_IPC_ALLOCATED,
		.request_id = req->request_id,
	};

	if (!r) {
		vnpu_report(v, VNPU_GUEST_ERROR, "JSM", "message type 0x%x is no request (P 7.2)",
			    req->type);
		return;
	}
	check_envelope(v, channel, r, req);
	memcpy(&rsp.payload, &req->payload,
	       base_min(abi_jsm_info(req->type)->payload_size,
			abi_jsm_info(rsp.type)->payload_size));
	rsp.result = r->fn(v, &req->payload, &rsp.payload);
	if (r->type == ABI_JSM_PWR_D0I3_ENTER && !req->payload.d0i3_enter.send_response)
		v->fw.state = VNPU_FW_SAVED;
	else
		vnpu_ipc_send(v, channel, &rsp);
	if (r->type == ABI_JSM_PWR_D0I3_ENTER)
		v->fw.state = VNPU_FW_SAVED;
}
