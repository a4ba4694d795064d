// SPDX-License-Identifier: MIT
/* JSM requests about logs: TRACE_*, DYNDBG_CONTROL, STATE_DUMP.  SRC: P 7.2, 7.4 */
#include <string.h>

#include "vnpu/jsm.h"

/* Ours: what a public source would tell.  P 5.1: destinations. */
#define DESTINATIONS  (ABI_BOOT_TRACE_PIPEPRINT | ABI_BOOT_TRACE_VERBOSE)
#define HW_COMPONENTS UINT64_C(0x7) /* names below */

static const char *const component_names[] = { "firmware", "engine", "mmu" };

static u32 trace_set(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	v->fw.set.trace = req->trace_config;
	if (v->fw.set.trace.trace_level > VNPU_LOG_FATAL)
		v->fw.set.trace.trace_level = VNPU_LOG_FATAL;
	vnpu_fw_log(v, VNPU_LOG_INFO, "trace level %u, destinations 0x%x",
		    v->fw.set.trace.trace_level, v->fw.set.trace.trace_destination_mask);
	return JSM_OK;
}

static u32 trace_get(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req;
	rsp->trace_config = v->fw.set.trace;
	return JSM_OK;
}

static u32 trace_capability(struct vnpu *v, const union abi_jsm_payload *req,
			    union abi_jsm_payload *rsp)
{
	(void)v, (void)req;
	rsp->trace_capability.trace_destination_mask = DESTINATIONS;
	rsp->trace_capability.trace_hw_component_mask = HW_COMPONENTS;
	return JSM_OK;
}

static const char *name_of(const struct abi_jsm_trace_get_name *r)
{
	if (r->entity_type == ABI_JSM_TRACE_HW_COMPONENT)
		return r->entity_id < BASE_ARRAY_SIZE(component_names)
			       ? component_names[r->entity_id]
			       : NULL;
	if (r->entity_type != ABI_JSM_TRACE_DESTINATION)
		return NULL;
	if (r->entity_id == ABI_BOOT_TRACE_PIPEPRINT)
		return "pipe";
	return r->entity_id == ABI_BOOT_TRACE_VERBOSE ? "verbose buffer" : NULL;
}

static u32 trace_name(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const char *name = name_of(&req->trace_get_name);

	(void)v;
	if (!name)
		return JSM_INVALID_HANDLE;
	strncpy(rsp->trace_get_name_rsp.entity_name, name,
		sizeof(rsp->trace_get_name_rsp.entity_name) - 1);
	return JSM_OK;
}

static u32 dyndbg(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	char text[sizeof(req->dyndbg.cmd)];

	(void)rsp;
	memcpy(text, req->dyndbg.cmd, sizeof(text));
	if (!memchr(text, 0, sizeof(text)))
		return vnpu_jsm_bad(v, "DYNDBG_CONTROL", "text is not terminated in bytes",
				    sizeof(text), JSM_PARSING_ERR);
	text[strcspn(text, "\n")] = '\0'; /* as echo writes it */
	for (char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	vnpu_fw_log(v, VNPU_LOG_INFO, "dyndbg: %s", text);
	return JSM_OK;
}

static u32 state_dump(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req, (void)rsp;
	vnpu_fw_log(v, VNPU_LOG_ERROR, "state dump: heartbeat %llu, engine %s, %u jobs parked",
		    (unsigned long long)v->fw.heartbeat, v->compute.busy ? "busy" : "idle",
		    v->jobs.nr_fences);
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		const struct vnpu_queue *q = &v->jobs.queue[db];

		if (q->registered)
			vnpu_fw_log(v, VNPU_LOG_ERROR,
				    "doorbell %u: SSID %u, queue %llu, head %u, job 0x%x state %u",
				    db, q->ssid, (unsigned long long)q->cmdq_id, q->head, q->job.id,
				    q->state);
	}
	return JSM_OK;
}

const struct vnpu_jsm_request vnpu_jsm_trace[] = {
	{ ABI_JSM_TRACE_SET_CONFIG, JSM_CH_ASYNC, trace_set, false },
	{ ABI_JSM_TRACE_GET_CONFIG, JSM_CH_ASYNC, trace_get, false },
	{ ABI_JSM_TRACE_GET_CAPABILITY, JSM_CH_ASYNC, trace_capability, false },
	{ ABI_JSM_TRACE_GET_NAME, JSM_CH_ASYNC, trace_name, false },
	{ ABI_JSM_DYNDBG_CONTROL, JSM_CH_ASYNC | JSM_CH_GEN, dyndbg, false }, /* 6.12: 0, 7.2: 10 */
	{ ABI_JSM_STATE_DUMP, JSM_CH_ASYNC, state_dump, false },
	{ 0 },
};
