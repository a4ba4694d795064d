/* SPDX-License-Identifier: MIT */
/*
 * JSM messages: the control protocol between driver and firmware.
 * SRC: P 7, linux vpu_jsm_api.h.  Names and the request -> answer table: abi/abi_names.h.
 */
#ifndef ABI_JSM_H
#define ABI_JSM_H

#include "abi/wire.h"

#define ABI_JSM_MSG_SIZE     128
#define ABI_JSM_PAYLOAD_SIZE 96
#define ABI_JSM_PAYLOAD_OFF  0x20
#define ABI_JSM_NR_BANDS     4
#define ABI_JSM_MAX_IMPACTED 3 /* contexts in ENGINE_RESET_DONE */

/* ABI_JSM_x: message types; SRC: P 7.2 */
#define REQ(name, num, answer, payload) ABI_JSM_##name = (num),
#define ANS(name, num, payload)		ABI_JSM_##name = (num),
enum abi_jsm_type {
#include "abi/jsm_types.def"
};
#undef REQ
#undef ANS
#define ABI_JSM_UNKNOWN 0xffffffffu

/* result of an answer and status of a job; SRC: P 7.6 */
enum abi_jsm_status {
	ABI_JSM_STATUS_SUCCESS = 0x0,
	ABI_JSM_STATUS_PARSING_ERR = 0x1,
	ABI_JSM_STATUS_PROCESSING_ERR = 0x2,
	ABI_JSM_STATUS_PREEMPTED = 0x3,
	ABI_JSM_STATUS_ABORTED = 0x4,
	ABI_JSM_STATUS_USER_CTX_VIOL_ERR = 0x5,
	ABI_JSM_STATUS_GLOBAL_CTX_VIOL_ERR = 0x6,
	ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT = 0x7,
	ABI_JSM_STATUS_MVNCI_UNSUPPORTED_NETWORK_ELEMENT = 0x8,
	ABI_JSM_STATUS_MVNCI_INVALID_HANDLE = 0x9,
	ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES = 0xa,
	ABI_JSM_STATUS_MVNCI_NOT_IMPLEMENTED = 0xb,
	ABI_JSM_STATUS_MVNCI_INTERNAL_ERROR = 0xc,
	ABI_JSM_STATUS_PREEMPTED_MID_COMMAND = 0xd,
	ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW = 0xe,
	ABI_JSM_STATUS_MVNCI_PREEMPTION_TIMED_OUT = 0xf,
	/* range of codes that need an engine reset; 0x10..0x1f have no name of their own */
	ABI_JSM_STATUS_ENGINE_RESET_REQUIRED_MIN = 0xe,
	ABI_JSM_STATUS_ENGINE_RESET_REQUIRED_MAX = 0x1f,
	ABI_JSM_STATUS_DRV_ABORTED = 0x100, /* never from firmware: a job the driver cancelled */
};

/** abi_jsm_status_needs_reset() - does this job status take the engine error path?  SRC: P 7.6 */
static inline bool abi_jsm_status_needs_reset(u32 status)
{
	return status == ABI_JSM_STATUS_PROCESSING_ERR ||
	       (status >= ABI_JSM_STATUS_ENGINE_RESET_REQUIRED_MIN &&
		status <= ABI_JSM_STATUS_ENGINE_RESET_REQUIRED_MAX);
}

/*
 * Payloads; SRC: P 7.4.  Where a request and its answer look the same they share a structure.
 */

/** struct abi_jsm_empty - nothing is read */
struct abi_jsm_empty {
	u8 none[0];
};

/** struct abi_jsm_engine - ENGINE_RESET, QUERY_ENGINE_HB, HWS_ENGINE_RESUME, its answer */
struct abi_jsm_engine {
	u32 engine_idx;
	u32 reserved_004;
};

ABI_SIZE(abi_jsm_engine, 8);

/** struct abi_jsm_reset_ctx - context hit by an engine reset */
struct abi_jsm_reset_ctx {
	u32 host_ssid;
	u32 reserved_004;
	u64 cmdq_id;
	u64 flags;
};

#define ABI_JSM_RESET_COLLATERAL 1ull /* flags b0; clear: primary cause */

ABI_SIZE(abi_jsm_reset_ctx, 24);
ABI_OFF(abi_jsm_reset_ctx, host_ssid, 0x00);
ABI_OFF(abi_jsm_reset_ctx, cmdq_id, 0x08);
ABI_OFF(abi_jsm_reset_ctx, flags, 0x10);

/** struct abi_jsm_engine_reset_done - ENGINE_RESET_DONE */
struct abi_jsm_engine_reset_done {
	u32 engine_idx;
	u32 num_impacted_contexts;
	struct abi_jsm_reset_ctx impacted_contexts[ABI_JSM_MAX_IMPACTED];
};

ABI_SIZE(abi_jsm_engine_reset_done, 80);
ABI_OFF(abi_jsm_engine_reset_done, engine_idx, 0x00);
ABI_OFF(abi_jsm_engine_reset_done, num_impacted_contexts, 0x04);
ABI_OFF(abi_jsm_engine_reset_done, impacted_contexts, 0x08);

/** struct abi_jsm_engine_preempt - ENGINE_PREEMPT, ENGINE_PREEMPT_DONE */
struct abi_jsm_engine_preempt {
	u32 engine_idx;
	u32 preempt_id;
};

ABI_SIZE(abi_jsm_engine_preempt, 8);
ABI_OFF(abi_jsm_engine_preempt, preempt_id, 0x04);

/** struct abi_jsm_register_db - REGISTER_DB (OS scheduling) */
struct abi_jsm_register_db {
	u32 db_idx;
	u32 reserved_004;
	u64 jobq_base; /* in SSID 0 */
	u32 jobq_size;
	u32 host_ssid;
};

ABI_SIZE(abi_jsm_register_db, 24);
ABI_OFF(abi_jsm_register_db, db_idx, 0x00);
ABI_OFF(abi_jsm_register_db, jobq_base, 0x08);
ABI_OFF(abi_jsm_register_db, jobq_size, 0x10);
ABI_OFF(abi_jsm_register_db, host_ssid, 0x14);

/** struct abi_jsm_db - REGISTER_DB_DONE, UNREGISTER_DB, UNREGISTER_DB_DONE */
struct abi_jsm_db {
	u32 db_idx;
	u32 reserved_004;
};

ABI_SIZE(abi_jsm_db, 8);

/** struct abi_jsm_engine_hb_done - QUERY_ENGINE_HB_DONE; @heartbeat is never 0 */
struct abi_jsm_engine_hb_done {
	u32 engine_idx;
	u32 reserved_004;
	u64 heartbeat;
};

ABI_SIZE(abi_jsm_engine_hb_done, 16);
ABI_OFF(abi_jsm_engine_hb_done, heartbeat, 0x08);

/** struct abi_jsm_power_level - GET_ and SET_POWER_LEVEL, their answers; 0 = maximum */
struct abi_jsm_power_level {
	u32 power_level;
	u32 reserved_004;
};

ABI_SIZE(abi_jsm_power_level, 8);

/** struct abi_jsm_power_level_count - GET_POWER_LEVEL_COUNT_DONE */
struct abi_jsm_power_level_count {
	u32 power_level_count;
	u32 reserved_004;
	u8 power_limit[16]; /* percent */
};

ABI_SIZE(abi_jsm_power_level_count, 24);
ABI_OFF(abi_jsm_power_level_count, power_limit, 0x08);

/** struct abi_jsm_ssid - SSID_RELEASE, SSID_RELEASE_DONE */
struct abi_jsm_ssid {
	u32 host_ssid;
	u32 reserved_004;
};

ABI_SIZE(abi_jsm_ssid, 8);

/** struct abi_jsm_metric_start - METRIC_STREAMER_START, METRIC_STREAMER_INFO */
struct abi_jsm_metric_start {
	u64 metric_group_mask;
	u64 sampling_rate_ns;
	u32 notify_sample_count;
	u32 reserved_014;
	u64 buffer_addr;
	u64 buffer_size;
	u64 next_buffer_addr;
	u64 next_buffer_size;
};

ABI_SIZE(abi_jsm_metric_start, 56);
ABI_OFF(abi_jsm_metric_start, metric_group_mask, 0x00);
ABI_OFF(abi_jsm_metric_start, sampling_rate_ns, 0x08);
ABI_OFF(abi_jsm_metric_start, notify_sample_count, 0x10);
ABI_OFF(abi_jsm_metric_start, buffer_addr, 0x18);
ABI_OFF(abi_jsm_metric_start, buffer_size, 0x20);
ABI_OFF(abi_jsm_metric_start, next_buffer_addr, 0x28);
ABI_OFF(abi_jsm_metric_start, next_buffer_size, 0x30);

/** struct abi_jsm_metric_stop - METRIC_STREAMER_STOP */
struct abi_jsm_metric_stop {
	u64 metric_group_mask;
};

ABI_SIZE(abi_jsm_metric_stop, 8);

/** struct abi_jsm_metric_update - METRIC_STREAMER_UPDATE */
struct abi_jsm_metric_update {
	u64 metric_group_mask;
	u64 buffer_addr; /* 0 or the current one: query only */
	u64 buffer_size;
	u64 next_buffer_addr;
	u64 next_buffer_size;
};

ABI_SIZE(abi_jsm_metric_update, 40);
ABI_OFF(abi_jsm_metric_update, buffer_addr, 0x08);
ABI_OFF(abi_jsm_metric_update, buffer_size, 0x10);
ABI_OFF(abi_jsm_metric_update, next_buffer_addr, 0x18);
ABI_OFF(abi_jsm_metric_update, next_buffer_size, 0x20);

/** struct abi_jsm_metric_done - METRIC_STREAMER_*_DONE, METRIC_STREAMER_NOTIFICATION */
struct abi_jsm_metric_done {
	u64 metric_group_mask;
	u32 sample_size; /* nonzero even when only sizes are asked; P trap 33 */
	u32 reserved_00c;
	u32 samples_collected;
	u32 samples_dropped;
	u64 buffer_addr;
	u64 bytes_written;
};

ABI_SIZE(abi_jsm_metric_done, 40);
ABI_OFF(abi_jsm_metric_done, sample_size, 0x08);
ABI_OFF(abi_jsm_metric_done, samples_collected, 0x10);
ABI_OFF(abi_jsm_metric_done, samples_dropped, 0x14);
ABI_OFF(abi_jsm_metric_done, buffer_addr, 0x18);
ABI_OFF(abi_jsm_metric_done, bytes_written, 0x20);

/** struct abi_jsm_band_setup - SET_PRIORITY_BAND_SETUP; units of 100 ns */
struct abi_jsm_band_setup {
	u32 grace_period[ABI_JSM_NR_BANDS];
	u32 process_quantum[ABI_JSM_NR_BANDS];
	u32 process_grace_period[ABI_JSM_NR_BANDS];
	u32 normal_band_percentage;
	u32 tdr_timeout;
	u32 non_interactive_no_progress_timeout;
	u32 non_interactive_timeout;
};

ABI_SIZE(abi_jsm_band_setup, 64);
ABI_OFF(abi_jsm_band_setup, grace_period, 0x00);
ABI_OFF(abi_jsm_band_setup, process_quantum, 0x10);
ABI_OFF(abi_jsm_band_setup, process_grace_period, 0x20);
ABI_OFF(abi_jsm_band_setup, normal_band_percentage, 0x30);
ABI_OFF(abi_jsm_band_setup, tdr_timeout, 0x34);
ABI_OFF(abi_jsm_band_setup, non_interactive_no_progress_timeout, 0x38);
ABI_OFF(abi_jsm_band_setup, non_interactive_timeout, 0x3c);

/** struct abi_jsm_create_cmdq - CREATE_CMD_QUEUE */
struct abi_jsm_create_cmdq {
	u64 process_id;
	u32 host_ssid;
	u32 engine_idx;
	u64 cmdq_group;
	u64 cmdq_id; /* unique within the SSID only */
	u64 cmdq_base;
	u32 cmdq_size;
	u32 reserved_02c;
};

ABI_SIZE(abi_jsm_create_cmdq, 48);
ABI_OFF(abi_jsm_create_cmdq, host_ssid, 0x08);
ABI_OFF(abi_jsm_create_cmdq, engine_idx, 0x0c);
ABI_OFF(abi_jsm_create_cmdq, cmdq_group, 0x10);
ABI_OFF(abi_jsm_create_cmdq, cmdq_id, 0x18);
ABI_OFF(abi_jsm_create_cmdq, cmdq_base, 0x20);
ABI_OFF(abi_jsm_create_cmdq, cmdq_size, 0x28);

/** struct abi_jsm_create_cmdq_rsp - CREATE_CMD_QUEUE_RSP */
struct abi_jsm_create_cmdq_rsp {
	u64 process_id;
	u32 host_ssid;
	u32 engine_idx;
	u64 cmdq_group;
	u64 cmdq_id;
};

ABI_SIZE(abi_jsm_create_cmdq_rsp, 32);
ABI_OFF(abi_jsm_create_cmdq_rsp, host_ssid, 0x08);
ABI_OFF(abi_jsm_create_cmdq_rsp, engine_idx, 0x0c);
ABI_OFF(abi_jsm_create_cmdq_rsp, cmdq_group, 0x10);
ABI_OFF(abi_jsm_create_cmdq_rsp, cmdq_id, 0x18);

/** struct abi_jsm_cmdq - DESTROY_CMD_QUEUE, HWS_RESUME_CMDQ, their answers */
struct abi_jsm_cmdq {
	u32 host_ssid;
	u32 reserved_004;
	u64 cmdq_id;
};

ABI_SIZE(abi_jsm_cmdq, 16);
ABI_OFF(abi_jsm_cmdq, cmdq_id, 0x08);

/** struct abi_jsm_sched_properties - SET_CONTEXT_SCHED_PROPERTIES, its answer */
struct abi_jsm_sched_properties {
	u32 host_ssid;
	u32 reserved_004;
	u64 cmdq_id;
	u32 priority_band;
	u32 realtime_priority_level;
	s32 in_process_priority;
	u32 reserved_01c;
	u64 context_quantum;
	u64 grace_period_same_priority;
	u64 grace_period_lower_priority;
};

ABI_SIZE(abi_jsm_sched_properties, 56);
ABI_OFF(abi_jsm_sched_properties, cmdq_id, 0x08);
ABI_OFF(abi_jsm_sched_properties, priority_band, 0x10);
ABI_OFF(abi_jsm_sched_properties, realtime_priority_level, 0x14);
ABI_OFF(abi_jsm_sched_properties, in_process_priority, 0x18);
ABI_OFF(abi_jsm_sched_properties, context_quantum, 0x20);
ABI_OFF(abi_jsm_sched_properties, grace_period_same_priority, 0x28);
ABI_OFF(abi_jsm_sched_properties, grace_period_lower_priority, 0x30);

/** struct abi_jsm_hws_register_db - HWS_REGISTER_DB; answered by REGISTER_DB_DONE */
struct abi_jsm_hws_register_db {
	u32 db_id;
	u32 host_ssid;
	u64 cmdq_id;
	u64 cmdq_base;
	u64 cmdq_size;
};

ABI_SIZE(abi_jsm_hws_register_db, 32);
ABI_OFF(abi_jsm_hws_register_db, host_ssid, 0x04);
ABI_OFF(abi_jsm_hws_register_db, cmdq_id, 0x08);
ABI_OFF(abi_jsm_hws_register_db, cmdq_base, 0x10);
ABI_OFF(abi_jsm_hws_register_db, cmdq_size, 0x18);

/** struct abi_jsm_hws_log - HWS_SET_SCHEDULING_LOG, its answer */
struct abi_jsm_hws_log {
	u32 engine_idx;
	u32 host_ssid;
	u64 vpu_log_buffer_va;
	u64 notify_index;
	u32 enable_extra_events;
	u32 reserved_01c;
};

ABI_SIZE(abi_jsm_hws_log, 32);
ABI_OFF(abi_jsm_hws_log, host_ssid, 0x04);
ABI_OFF(abi_jsm_hws_log, vpu_log_buffer_va, 0x08);
ABI_OFF(abi_jsm_hws_log, notify_index, 0x10);
ABI_OFF(abi_jsm_hws_log, enable_extra_events, 0x18);

/** struct abi_jsm_hws_suspend - HWS_SUSPEND_CMDQ, its answer */
struct abi_jsm_hws_suspend {
	u32 host_ssid;
	u32 reserved_004;
	u64 cmdq_id;
	u64 suspend_fence_value;
};

ABI_SIZE(abi_jsm_hws_suspend, 24);
ABI_OFF(abi_jsm_hws_suspend, cmdq_id, 0x08);
ABI_OFF(abi_jsm_hws_suspend, suspend_fence_value, 0x10);

/** struct abi_jsm_dct_enable - DCT_ENABLE */
struct abi_jsm_dct_enable {
	u32 dct_active_us;
	u32 dct_inactive_us;
};

ABI_SIZE(abi_jsm_dct_enable, 8);
ABI_OFF(abi_jsm_dct_enable, dct_inactive_us, 0x04);

/** struct abi_jsm_freq_config - FREQ_CONFIG (7.2) */
struct abi_jsm_freq_config {
	u32 min_freq_pll_ratio;
	u32 pn_freq_pll_ratio;
	u32 max_freq_pll_ratio;
};

ABI_SIZE(abi_jsm_freq_config, 12);
ABI_OFF(abi_jsm_freq_config, pn_freq_pll_ratio, 0x04);
ABI_OFF(abi_jsm_freq_config, max_freq_pll_ratio, 0x08);

/** struct abi_jsm_trace_config - TRACE_SET_CONFIG, TRACE_*_CONFIG_RSP */
struct abi_jsm_trace_config {
	u32 trace_level;
	u32 trace_destination_mask;
	u64 trace_hw_component_mask;
	u64 reserved_010;
};

ABI_SIZE(abi_jsm_trace_config, 24);
ABI_OFF(abi_jsm_trace_config, trace_destination_mask, 0x04);
ABI_OFF(abi_jsm_trace_config, trace_hw_component_mask, 0x08);

/** struct abi_jsm_trace_capability - TRACE_GET_CAPABILITY_RSP */
struct abi_jsm_trace_capability {
	u32 trace_destination_mask;
	u32 reserved_004;
	u64 trace_hw_component_mask;
	u64 reserved_010;
};

ABI_SIZE(abi_jsm_trace_capability, 24);
ABI_OFF(abi_jsm_trace_capability, trace_hw_component_mask, 0x08);

enum abi_jsm_trace_entity {
	ABI_JSM_TRACE_DESTINATION = 1,
	ABI_JSM_TRACE_HW_COMPONENT = 2,
};

/** struct abi_jsm_trace_get_name - TRACE_GET_NAME */
struct abi_jsm_trace_get_name {
	u32 entity_type;
	u32 reserved_004;
	u64 entity_id;
};

ABI_SIZE(abi_jsm_trace_get_name, 16);
ABI_OFF(abi_jsm_trace_get_name, entity_id, 0x08);

/** struct abi_jsm_trace_get_name_rsp - TRACE_GET_NAME_RSP; SRC: P 7.4, name at 0x18 */
struct abi_jsm_trace_get_name_rsp {
	u32 entity_type;
	u32 reserved_004;
	u64 entity_id;
	u64 reserved_010;
	char entity_name[32];
};

ABI_SIZE(abi_jsm_trace_get_name_rsp, 56);
ABI_OFF(abi_jsm_trace_get_name_rsp, entity_id, 0x08);
ABI_OFF(abi_jsm_trace_get_name_rsp, entity_name, 0x18);

/** struct abi_jsm_dyndbg - DYNDBG_CONTROL */
struct abi_jsm_dyndbg {
	char cmd[96]; /* NUL-terminated */
};

ABI_SIZE(abi_jsm_dyndbg, 96);

/** struct abi_jsm_d0i3_enter - PWR_D0I3_ENTER, its answer */
struct abi_jsm_d0i3_enter {
	u32 send_response;
	u32 reserved_004;
};

ABI_SIZE(abi_jsm_d0i3_enter, 8);

/** struct abi_jsm_job_done - JOB_DONE; channel 11, request_id 0, result 0 */
struct abi_jsm_job_done {
	u32 engine_idx;
	u32 db_idx;
	u32 job_id;
	u32 job_status;
	u32 host_ssid;
	u32 reserved_014;
	u64 cmdq_id;
};

ABI_SIZE(abi_jsm_job_done, 32);
ABI_OFF(abi_jsm_job_done, db_idx, 0x04);
ABI_OFF(abi_jsm_job_done, job_id, 0x08);
ABI_OFF(abi_jsm_job_done, job_status, 0x0c);
ABI_OFF(abi_jsm_job_done, host_ssid, 0x10);
ABI_OFF(abi_jsm_job_done, cmdq_id, 0x18);

/** struct abi_jsm_native_fence - NATIVE_FENCE_SIGNALLED */
struct abi_jsm_native_fence {
	u32 engine_idx;
	u32 host_ssid;
	u64 cmdq_id;
	u64 fence_handle;
};

ABI_SIZE(abi_jsm_native_fence, 24);
ABI_OFF(abi_jsm_native_fence, host_ssid, 0x04);
ABI_OFF(abi_jsm_native_fence, cmdq_id, 0x08);
ABI_OFF(abi_jsm_native_fence, fence_handle, 0x10);

/** struct abi_jsm_metric_group - group descriptor METRIC_STREAMER_INFO writes; SRC: P 7.5 */
struct abi_jsm_metric_group {
	u32 next_group_offset; /* 0: last */
	u32 first_counter_offset;
	u32 group_id; /* bit number in the mask */
	u32 num_counters;
	u32 data_size; /* multiple of 8 */
	u32 domain;
	u32 name_size;
	u32 description_size;
	u32 sampling_type; /* JSM 3.35 */
	u32 reserved_024;
};

ABI_SIZE(abi_jsm_metric_group, 40);
ABI_OFF(abi_jsm_metric_group, group_id, 0x08);
ABI_OFF(abi_jsm_metric_group, num_counters, 0x0c);
ABI_OFF(abi_jsm_metric_group, data_size, 0x10);
ABI_OFF(abi_jsm_metric_group, domain, 0x14);
ABI_OFF(abi_jsm_metric_group, name_size, 0x18);
ABI_OFF(abi_jsm_metric_group, description_size, 0x1c);
ABI_OFF(abi_jsm_metric_group, sampling_type, 0x20);

/** struct abi_jsm_metric_counter - counter descriptor; SRC: P 7.5 */
struct abi_jsm_metric_counter {
	u32 next_counter_offset;
	u32 data_offset;
	u32 data_size;
	u32 tier;
	u32 metric_type;
	u32 value_type;
	u32 name_size;
	u32 description_size;
	u32 component_size;
	u32 units_size;
	u64 reserved_028;
};

ABI_SIZE(abi_jsm_metric_counter, 48);
ABI_OFF(abi_jsm_metric_counter, data_size, 0x08);
ABI_OFF(abi_jsm_metric_counter, tier, 0x0c);
ABI_OFF(abi_jsm_metric_counter, metric_type, 0x10);
ABI_OFF(abi_jsm_metric_counter, value_type, 0x14);
ABI_OFF(abi_jsm_metric_counter, name_size, 0x18);
ABI_OFF(abi_jsm_metric_counter, description_size, 0x1c);
ABI_OFF(abi_jsm_metric_counter, component_size, 0x20);
ABI_OFF(abi_jsm_metric_counter, units_size, 0x24);

/** union abi_jsm_payload - 96 bytes, by message type */
union abi_jsm_payload {
	u8 raw[ABI_JSM_PAYLOAD_SIZE];
	struct abi_jsm_engine engine;
	struct abi_jsm_engine_reset_done engine_reset_done;
	struct abi_jsm_engine_preempt engine_preempt;
	struct abi_jsm_register_db register_db;
	struct abi_jsm_db db;
	struct abi_jsm_engine_hb_done engine_hb_done;
	struct abi_jsm_power_level power_level;
	struct abi_jsm_power_level_count power_level_count;
	struct abi_jsm_ssid ssid;
	struct abi_jsm_metric_start metric_start;
	struct abi_jsm_metric_stop metric_stop;
	struct abi_jsm_metric_update metric_update;
	struct abi_jsm_metric_done metric_done;
	struct abi_jsm_band_setup band_setup;
	struct abi_jsm_create_cmdq create_cmdq;
	struct abi_jsm_create_cmdq_rsp create_cmdq_rsp;
	struct abi_jsm_cmdq cmdq;
	struct abi_jsm_sched_properties sched_properties;
	struct abi_jsm_hws_register_db hws_register_db;
	struct abi_jsm_hws_log hws_log;
	struct abi_jsm_hws_suspend hws_suspend;
	struct abi_jsm_dct_enable dct_enable;
	struct abi_jsm_freq_config freq_config;
	struct abi_jsm_trace_config trace_config;
	struct abi_jsm_trace_capability trace_capability;
	struct abi_jsm_trace_get_name trace_get_name;
	struct abi_jsm_trace_get_name_rsp trace_get_name_rsp;
	struct abi_jsm_dyndbg dyndbg;
	struct abi_jsm_d0i3_enter d0i3_enter;
	struct abi_jsm_job_done job_done;
	struct abi_jsm_native_fence native_fence;
};

/** struct abi_jsm_msg - 128 bytes; SRC: P 7.1 */
struct abi_jsm_msg {
	u64 reserved_000;
	u32 type;	/* enum abi_jsm_type */
	u32 status;	/* enum abi_ipc_status (abi/ipc.h) */
	u32 request_id; /* echoed in the answer */
	u32 result;	/* answers only: enum abi_jsm_status */
	u64 reserved_018;
	union abi_jsm_payload payload;
};

ABI_SIZE(abi_jsm_msg, ABI_JSM_MSG_SIZE);
ABI_OFF(abi_jsm_msg, type, 0x08);
ABI_OFF(abi_jsm_msg, status, 0x0c);
ABI_OFF(abi_jsm_msg, request_id, 0x10);
ABI_OFF(abi_jsm_msg, result, 0x14);
ABI_OFF(abi_jsm_msg, payload, ABI_JSM_PAYLOAD_OFF);

#endif
