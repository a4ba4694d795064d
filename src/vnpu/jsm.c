// SPDX-License-Identifier: MIT
/*
 * The firmware's control messages.  Every request of P 7.2 has a row: the channel it must use and
 * what it does; the answer's number comes from the abi table (P trap 17: no arithmetic).
 */
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/model.h"

struct request {
	u32 type;
	u16 channel;
	/* fills the answer's payload; its result */
	u32 (*run)(struct vnpu *m, const struct abi_jsm_msg *req, union abi_jsm_payload *answer);
};

static u32 accept(struct vnpu *m, const struct abi_jsm_msg *req, union abi_jsm_payload *answer)
{
	(void)m;
	(void)req;
	(void)answer;
	return ABI_JSM_STATUS_SUCCESS;
}

/* Hardware scheduling, which this firmware does not announce (JSM 3.23). */
static u32 refuse(struct vnpu *m, const struct abi_jsm_msg *req, union abi_jsm_payload *answer)
{
	(void)answer;
	vnpu_report(m, VNPU_UNIMPLEMENTED, "JSM", "%s in OS scheduling mode",
		    abi_jsm_type_name(req->type));
	return ABI_JSM_STATUS_MVNCI_NOT_IMPLEMENTED;
}

static const char *bad_register_db(struct vnpu *m, const struct abi_jsm_register_db *p)
{
	const struct reg_gen *gen = m->gen->data;

	if (p->db_idx < gen->db_first || p->db_idx > gen->db_last)
		return "no such doorbell";
	if (m->fw.queues[p->db_idx].is_registered)
		return "the doorbell is registered already";
	if (p->jobq_size != ABI_JOBQ_SIZE || p->jobq_base % BASE_PAGE_SIZE)
		return "the queue is not one aligned page";
	if (p->host_ssid < gen->ssid_first || p->host_ssid > gen->ssid_last)
		return "no user context";
	if (!vnpu_mem_ptr(m, 0, p->jobq_base, ABI_JOBQ_SIZE, true))
		return "the queue is not mapped in SSID 0";
	return NULL;
}

static u32 register_db(struct vnpu *m, const struct abi_jsm_msg *req, union abi_jsm_payload *answer)
{
	const struct abi_jsm_register_db *p = &req->payload.register_db;
	const char *why = bad_register_db(m, p);
	struct vnpu_queue *q;

	answer->db.db_idx = p->db_idx;
	if (why) {
		vnpu_report(m, VNPU_GUEST_ERROR, "JSM REGISTER_DB", "doorbell %u, queue 0x%llx, SSID %u: %s",
			    p->db_idx, (unsigned long long)p->jobq_base, p->host_ssid, why);
		return ABI_JSM_STATUS_MVNCI_INVALID_HANDLE;
	}
	q = &m->fw.queues[p->db_idx];
	q->is_registered = true;
	q->is_rung = false;
	q->ssid = p->host_ssid;
	q->base = p->jobq_base;
	q->head = 0;
	return ABI_JSM_STATUS_SUCCESS;
}

static u32 unregister_db(struct vnpu *m, const struct abi_jsm_msg *req,
			 union abi_jsm_payload *answer)
{
	u32 db = req->payload.db.db_idx;

	answer->db.db_idx = db;
	if (db >= VNPU_NR_DOORBELLS || !m->fw.queues[db].is_registered) {
		vnpu_report(m, VNPU_UNSPECIFIED, "JSM UNREGISTER_DB", "doorbell %u is not registered",
			    db);
		return ABI_JSM_STATUS_MVNCI_INVALID_HANDLE;
	}
	vnpu_jobq_release(m, &m->fw.queues[db]);
	return ABI_JSM_STATUS_SUCCESS;
}

static bool has_stuck_job(const struct vnpu *m)
{
	for (u32 i = 0; i < VNPU_NR_DOORBELLS; i++)
		if (m->fw.queues[i].run.state == VNPU_JOB_STUCK)
			return true;
	return false;
}

static u32 query_heartbeat(struct vnpu *m, const struct abi_jsm_msg *req,
			   union abi_jsm_payload *answer)
{
	answer->engine_hb_done.engine_idx = req->payload.engine.engine_idx;
	if (req->payload.engine.engine_idx != ABI_JOBQ_ENGINE_COMPUTE)
		return ABI_JSM_STATUS_MVNCI_INVALID_HANDLE;
	/* it grows while the engine lives; a stuck engine shows the same value again */
	if (!has_stuck_job(m))
		m->fw.heartbeat++;
	answer->engine_hb_done.heartbeat = m->fw.heartbeat + 1; /* never 0: P trap 24 */
	return ABI_JSM_STATUS_SUCCESS;
}

static u32 ssid_release(struct vnpu *m, const struct abi_jsm_msg *req,
			union abi_jsm_payload *answer)
{
	u32 ssid = req->payload.ssid.host_ssid;

	answer->ssid.host_ssid = ssid;
	if (ssid >= VNPU_NR_SSIDS)
		return ABI_JSM_STATUS_MVNCI_INVALID_HANDLE;
	vnpu_jobq_abort_ssid(m, ssid);
	vnpu_jobq_drop(m, ssid);
	return ABI_JSM_STATUS_SUCCESS;
}

static u32 d0i3_enter(struct vnpu *m, const struct abi_jsm_msg *req, union abi_jsm_payload *answer)
{
	if (!vnpu_is_idle(m))
		vnpu_report(m, VNPU_GUEST_ERROR, "JSM PWR_D0I3_ENTER", "jobs are pending");
	answer->d0i3_enter.send_response = req->payload.d0i3_enter.send_response;
	m->fw.is_quiesced = true;
	return ABI_JSM_STATUS_SUCCESS;
}

static u32 trace_capability(struct vnpu *m, const struct abi_jsm_msg *req,
			    union abi_jsm_payload *answer)
{
	(void)m;
	(void)req;
	answer->trace_capability.trace_destination_mask = ABI_BOOT_TRACE_VERBOSE;
	return ABI_JSM_STATUS_SUCCESS;
}

static u32 power_level_count(struct vnpu *m, const struct abi_jsm_msg *req,
			     union abi_jsm_payload *answer)
{
	(void)m;
	(void)req;
	answer->power_level_count.power_level_count = 1;
	answer->power_level_count.power_limit[0] = 100;
	return ABI_JSM_STATUS_SUCCESS;
}

/* No metric groups: sizes are answered (P trap 33), nothing can be started. */
static u32 metric_info(struct vnpu *m, const struct abi_jsm_msg *req, union abi_jsm_payload *answer)
{
	(void)m;
	answer->metric_done.metric_group_mask = req->payload.metric_start.metric_group_mask;
	answer->metric_done.sample_size = 8;
	return ABI_JSM_STATUS_SUCCESS;
}

static u32 metric_refuse(struct vnpu *m, const struct abi_jsm_msg *req,
			 union abi_jsm_payload *answer)
{
	(void)m;
	answer->metric_done.metric_group_mask = req->payload.metric_start.metric_group_mask;
	return ABI_JSM_STATUS_MVNCI_INVALID_HANDLE;
}

#define ROW(name, channel, run) { ABI_JSM_##name, channel, run }

static const struct request requests[] = {
	ROW(REGISTER_DB, ABI_IPC_CHAN_ASYNC, register_db),
	ROW(UNREGISTER_DB, ABI_IPC_CHAN_ASYNC, unregister_db),
	ROW(QUERY_ENGINE_HB, ABI_IPC_CHAN_ASYNC, query_heartbeat),
	ROW(SSID_RELEASE, ABI_IPC_CHAN_ASYNC, ssid_release),
	ROW(PWR_D0I3_ENTER, ABI_IPC_CHAN_GEN, d0i3_enter),
	ROW(GET_POWER_LEVEL_COUNT, ABI_IPC_CHAN_ASYNC, power_level_count),
	ROW(GET_POWER_LEVEL, ABI_IPC_CHAN_ASYNC, accept),
	ROW(SET_POWER_LEVEL, ABI_IPC_CHAN_ASYNC, accept),
	ROW(TRACE_SET_CONFIG, ABI_IPC_CHAN_ASYNC, accept),
	ROW(TRACE_GET_CONFIG, ABI_IPC_CHAN_ASYNC, accept),
	ROW(TRACE_GET_CAPABILITY, ABI_IPC_CHAN_ASYNC, trace_capability),
	ROW(TRACE_GET_NAME, ABI_IPC_CHAN_ASYNC, accept),
	ROW(METRIC_STREAMER_INFO, ABI_IPC_CHAN_ASYNC, metric_info),
	ROW(METRIC_STREAMER_START, ABI_IPC_CHAN_ASYNC, metric_refuse),
	ROW(METRIC_STREAMER_STOP, ABI_IPC_CHAN_ASYNC, metric_refuse),
	ROW(METRIC_STREAMER_UPDATE, ABI_IPC_CHAN_ASYNC, metric_refuse),
	ROW(METRIC_STREAMER_OPEN, ABI_IPC_CHAN_ASYNC, metric_refuse),
	ROW(METRIC_STREAMER_CLOSE, ABI_IPC_CHAN_ASYNC, metric_refuse),
	ROW(DCT_ENABLE, ABI_IPC_CHAN_ASYNC, accept),
	ROW(DCT_DISABLE, ABI_IPC_CHAN_ASYNC, accept),
	ROW(FREQ_CONFIG, ABI_IPC_CHAN_ASYNC, accept),
	ROW(STATE_DUMP, ABI_IPC_CHAN_ASYNC, accept),
	ROW(BLOB_DEINIT, ABI_IPC_CHAN_ASYNC, accept),
	ROW(DYNDBG_CONTROL, ABI_IPC_CHAN_GEN, accept),
	ROW(SET_PRIORITY_BAND_SETUP, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(CREATE_CMD_QUEUE, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(DESTROY_CMD_QUEUE, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(SET_CONTEXT_SCHED_PROPERTIES, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(HWS_REGISTER_DB, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(HWS_SET_SCHEDULING_LOG, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(HWS_SUSPEND_CMDQ, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(HWS_RESUME_CMDQ, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(HWS_ENGINE_RESUME, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(ENGINE_RESET, ABI_IPC_CHAN_ASYNC, refuse),
	ROW(ENGINE_PREEMPT, ABI_IPC_CHAN_ASYNC, refuse),
};

static const struct request *find_request(u32 type)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(requests); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

/* Faults that hit an answer; false: it is not to be sent. */
static bool spoil(struct vnpu *m, u16 channel, struct abi_jsm_msg *answer)
{
	if (vnpu_fault_take(m, VNPU_FAULT_ANSWER_LOST))
		return false;
	if (vnpu_fault_take(m, VNPU_FAULT_ANSWER_UNSOLICITED)) {
		struct abi_jsm_msg other = *answer;

		other.request_id += 0x10000;
		vnpu_fw_send(m, channel, &other);
	}
	if (vnpu_fault_take(m, VNPU_FAULT_ANSWER_TWICE))
		vnpu_fw_send(m, channel, answer);
	if (vnpu_fault_take(m, VNPU_FAULT_ANSWER_WRONG))
		answer->type = ABI_JSM_NATIVE_FENCE_SIGNALLED;
	return true;
}

void vnpu_jsm_handle(struct vnpu *m, u16 channel, const struct abi_jsm_msg *req)
{
	const struct request *row = find_request(req->type);
	struct abi_jsm_msg answer = { .status = ABI_IPC_ALLOCATED, .request_id = req->request_id };

	if (!row) {
		vnpu_report(m, VNPU_GUEST_ERROR, "JSM", "message type 0x%x is no request", req->type);
		return;
	}
	if (channel != row->channel && req->type != ABI_JSM_DYNDBG_CONTROL) /* 6.12 uses another */
		vnpu_report(m, VNPU_GUEST_ERROR, "JSM", "%s on channel %u, not %u",
			    abi_jsm_type_name(req->type), channel, row->channel);
	answer.type = abi_jsm_answer_of(req->type);
	answer.result = row->run(m, req, &answer.payload);
	if (req->type == ABI_JSM_PWR_D0I3_ENTER && !req->payload.d0i3_enter.send_response)
		return;
	if (spoil(m, channel, &answer))
		vnpu_fw_send(m, channel, &answer);
}
