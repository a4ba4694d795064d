// SPDX-License-Identifier: MIT
/*
 * JSM requests: the dispatcher, and those about the engine, doorbells and contexts.
 * SRC: P 6.4, 7.2 to 7.6, 10.4, 10.7.
 *
 * Every request gets the answer type of P 7.2 on the channel it came on, with its request id.  The
 * handlers of other subjects are in jsm_hws.c, jsm_power.c, jsm_trace.c and metric.c.
 */
#include "vnpu/jsm.h"

#include <string.h>

#include "abi/abi_names.h"

u32 vnpu_jsm_bad(struct vnpu *v, const char *msg, const char *what, u64 val, u32 result)
{
	char where[48];

	snprintf(where, sizeof(where), "JSM %s", msg);
	vnpu_report(v, VNPU_GUEST_ERROR, where, "%s: %llu", what, (unsigned long long)val);
	return result;
}

u32 vnpu_jsm_engine(struct vnpu *v, const char *msg, u32 engine)
{
	return engine == ABI_JOBQ_ENGINE_COMPUTE
		       ? JSM_OK
		       : vnpu_jsm_bad(v, msg, "no such engine", engine, JSM_INVALID_HANDLE);
}

u32 vnpu_jsm_echo(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)v, (void)req, (void)rsp;
	return JSM_OK;
}

u32 vnpu_jsm_deprecated(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	(void)v, (void)req, (void)rsp;
	return ABI_JSM_STATUS_MVNCI_NOT_IMPLEMENTED;
}

static u32 query_hb(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	if (!v->jobs.nr_stuck)
		v->fw.heartbeat++; /* grows while work is pending, never 0: P 11.7 */
	rsp->engine_hb_done.heartbeat = v->fw.heartbeat;
	return vnpu_jsm_engine(v, "QUERY_ENGINE_HB", req->engine.engine_idx);
}

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
		return vnpu_jsm_bad(v, "UNREGISTER_DB", "not registered", db, JSM_INVALID_HANDLE);
	vnpu_queue_unregister(v, &v->jobs.queue[db]);
	v->fw.set.hws.of_db[db] = 0;
	return JSM_OK;
}

static u32 ssid_release(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	u32 ssid = req->ssid.host_ssid;
	struct vnpu_hws *hws = &v->fw.set.hws;

	(void)rsp;
	if (!vnpu_jsm_is_user(v, ssid))
		return vnpu_jsm_bad(v, "SSID_RELEASE", "no user context", ssid, JSM_INVALID_HANDLE);
	vnpu_ssid_release(v, ssid);
	for (u32 i = 0; i < VNPU_NR_CMDQS; i++)
		if (hws->cmdq[i].ssid == ssid)
			hws->cmdq[i].used = false;
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++)
		if (!v->jobs.queue[db].registered)
			hws->of_db[db] = 0;
	vnpu_fw_log(v, VNPU_LOG_INFO, "SSID %u released", ssid);
	return JSM_OK;
}

static const struct vnpu_jsm_request own[] = {
	{ ABI_JSM_REGISTER_DB, JSM_CH_ASYNC, register_db, false },
	{ ABI_JSM_UNREGISTER_DB, JSM_CH_ASYNC, unregister_db, false },
	{ ABI_JSM_QUERY_ENGINE_HB, JSM_CH_ASYNC, query_hb, false },
	{ ABI_JSM_SSID_RELEASE, JSM_CH_ASYNC, ssid_release, false },
	{ ABI_JSM_BLOB_DEINIT, JSM_CH_ASYNC, vnpu_jsm_deprecated, false },
	{ 0 },
};

/*
 * Dispatch
 */

static const struct vnpu_jsm_request *const tables[] = { own, vnpu_jsm_hws, vnpu_jsm_power,
							 vnpu_jsm_trace, vnpu_jsm_metric };

static const struct vnpu_jsm_request *find_request(u32 type)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(tables); i++)
		for (const struct vnpu_jsm_request *r = tables[i]; r->type; r++)
			if (r->type == type)
				return r;
	return NULL;
}

static void check_envelope(struct vnpu *v, u16 channel, const struct vnpu_jsm_request *r,
			   const struct abi_jsm_msg *req)
{
	const char *name = abi_jsm_type_name(req->type);
	u32 bit = channel == ABI_IPC_CHAN_ASYNC ? JSM_CH_ASYNC
		  : channel == ABI_IPC_CHAN_GEN ? JSM_CH_GEN
						: 0;

	if (!(r->channels & bit))
		vnpu_jsm_bad(v, name, "wrong channel (P 6.4)", channel, 0);
	if (!req->request_id) /* would be taken for a JOB_DONE: P 6.6 */
		vnpu_jsm_bad(v, name, "request id", 0, 0);
	if (r->hws && v->fw.sched_mode != ABI_BOOT_SCHED_HW)
		vnpu_jsm_bad(v, name, "message of hardware scheduling, but the mode is",
			     v->fw.sched_mode, 0);
}

void vnpu_jsm_handle(struct vnpu *v, u16 channel, const struct abi_jsm_msg *req)
{
	const struct vnpu_jsm_request *r = find_request(req->type);
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
	vnpu_fw_log(v, VNPU_LOG_DEBUG, "%s, request %u", abi_jsm_type_name(req->type),
		    req->request_id);
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
