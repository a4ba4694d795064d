/* SPDX-License-Identifier: MIT */
/*
 * Names of protocol numbers for logs, and the request -> answer table.  Constant data, no state.
 * Every *_name() returns a static string and never NULL: "unknown" for a number without a name.
 */
#ifndef ABI_NAMES_H
#define ABI_NAMES_H

#include "base/types.h"

/**
 * struct abi_jsm_info - what is known about a message type
 * @type:         enum abi_jsm_type
 * @answer:       type of the answer, 0 when @type is itself an answer or notification
 * @payload_size: bytes of the payload that mean something, 0..96
 * @name:         without prefix, e.g. "REGISTER_DB_DONE"
 */
struct abi_jsm_info {
	u32 type;
	u32 answer;
	u32 payload_size;
	const char *name;
};

/** abi_jsm_info() - row of a message type, or NULL */
const struct abi_jsm_info *abi_jsm_info(u32 type);

/** abi_jsm_info_at() - the @idx-th row, NULL behind the last; requests come first */
const struct abi_jsm_info *abi_jsm_info_at(u32 idx);

/** abi_jsm_answer_of() - answer type of a request type, 0 when @request is no request; P trap 17 */
u32 abi_jsm_answer_of(u32 request);

/** abi_jsm_type_name() - "REGISTER_DB", ... */
const char *abi_jsm_type_name(u32 type);

/** abi_jsm_status_name() - result of an answer or status of a job: "SUCCESS", ... */
const char *abi_jsm_status_name(u32 status);

/** abi_ipc_chan_name() - "async", "general", "job-done", "boot" */
const char *abi_ipc_chan_name(u16 channel);

/** abi_cmd_type_name() - command of a command buffer: "COPY", ... */
const char *abi_cmd_type_name(u16 type);

/** abi_cmd_is_deprecated() - known, but ends the job with PARSING_ERR; SRC: P 10.8 */
bool abi_cmd_is_deprecated(u16 type);

/** abi_mmu_event_name() - "F_TRANSLATION", ... */
const char *abi_mmu_event_name(u32 type);

/** abi_mmu_event_text() - what the event means, in words */
const char *abi_mmu_event_text(u32 type);

/** abi_mmu_op_name() - MMU command: "TLBI_NH_ASID", ... */
const char *abi_mmu_op_name(u32 op);

/** abi_mmu_cerror_name() - error code of CMDQ_CONS */
const char *abi_mmu_cerror_name(u32 err);

#endif
