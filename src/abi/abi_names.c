// SPDX-License-Identifier: MIT
/*
 * Names of protocol numbers and the request -> answer table.  Constant data, no state.
 */
#include "abi/abi_names.h"

#include "abi/cmdbuf.h"
#include "abi/ipc.h"
#include "abi/jsm.h"
#include "abi/mmu.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

struct name {
	u32 num;
	const char *name;
	const char *text;
};

static const char unknown[] = "unknown";

static const struct name *find(const struct name *tab, size_t nr, u32 num)
{
	for (size_t i = 0; i < nr; i++)
		if (tab[i].num == num)
			return &tab[i];
	return NULL;
}

static const char *name_of(const struct name *tab, size_t nr, u32 num)
{
	const struct name *n = find(tab, nr, num);

	return n ? n->name : unknown;
}

#define REQ(nm, num, ans, pl) { num, ABI_JSM_##ans, (u32)sizeof(struct abi_jsm_##pl), #nm },
#define ANS(nm, num, pl)      { num, 0, (u32)sizeof(struct abi_jsm_##pl), #nm },
static const struct abi_jsm_info jsm[] = {
#include "abi/jsm_types.def"
};
#undef REQ
#undef ANS

#define STATUS(x)                            \
	{                                    \
		ABI_JSM_STATUS_##x, #x, NULL \
	}
static const struct name statuses[] = {
	STATUS(SUCCESS),
	STATUS(PARSING_ERR),
	STATUS(PROCESSING_ERR),
	STATUS(PREEMPTED),
	STATUS(ABORTED),
	STATUS(USER_CTX_VIOL_ERR),
	STATUS(GLOBAL_CTX_VIOL_ERR),
	STATUS(MVNCI_WRONG_INPUT_FORMAT),
	STATUS(MVNCI_UNSUPPORTED_NETWORK_ELEMENT),
	STATUS(MVNCI_INVALID_HANDLE),
	STATUS(MVNCI_OUT_OF_RESOURCES),
	STATUS(MVNCI_NOT_IMPLEMENTED),
	STATUS(MVNCI_INTERNAL_ERROR),
	STATUS(PREEMPTED_MID_COMMAND),
	STATUS(MVNCI_CONTEXT_VIOLATION_HW),
	STATUS(MVNCI_PREEMPTION_TIMED_OUT),
	STATUS(DRV_ABORTED),
};

static const struct name chans[] = {
	{ ABI_IPC_CHAN_ASYNC, "async", NULL },
	{ ABI_IPC_CHAN_GEN, "general", NULL },
	{ ABI_IPC_CHAN_JOB_RET, "job-done", NULL },
	{ ABI_IPC_CHAN_BOOT, "boot", NULL },
};

/* text: not NULL = deprecated */
#define CMD(x)                        \
	{                             \
		ABI_CMD_##x, #x, NULL \
	}
#define OLD(x)                                                         \
	{                                                              \
		ABI_CMD_DEPRECATED_##x, "DEPRECATED_" #x, "deprecated" \
	}
static const struct name cmds[] = {
	CMD(NOP),
	CMD(TIMESTAMP),
	CMD(FENCE_WAIT),
	CMD(FENCE_SIGNAL),
	CMD(BARRIER),
	CMD(METRIC_QUERY_BEGIN),
	CMD(METRIC_QUERY_END),
	CMD(MEMORY_FILL),
	CMD(COPY),
	CMD(INFERENCE_EXECUTE),
	OLD(200),
	OLD(201),
	OLD(203),
	OLD(300),
	OLD(301),
	OLD(303),
	OLD(304),
	OLD(305),
	OLD(307),
};

#define EVT(x, t)                      \
	{                              \
		ABI_MMU_EVT_##x, #x, t \
	}
static const struct name events[] = {
	EVT(F_UUT, "unsupported upstream transaction"),
	EVT(C_BAD_STREAMID, "stream id out of range"),
	EVT(F_STE_FETCH, "external abort on stream table fetch"),
	EVT(C_BAD_STE, "invalid stream table entry"),
	EVT(F_BAD_ATS_TREQ, "ATS request not allowed for this stream"),
	EVT(F_STREAM_DISABLED, "transaction without substream id"),
	EVT(F_TRANSL_FORBIDDEN, "bypass not allowed for this stream"),
	EVT(C_BAD_SUBSTREAMID, "invalid substream id"),
	EVT(F_CD_FETCH, "external abort on context descriptor fetch"),
	EVT(C_BAD_CD, "invalid context descriptor"),
	EVT(F_WALK_EABT, "external abort on page table walk"),
	EVT(F_TRANSLATION, "no translation for this address"),
	EVT(F_ADDR_SIZE, "output address too large"),
	EVT(F_ACCESS, "access flag not set"),
	EVT(F_PERMISSION, "access not permitted by the page"),
	EVT(F_TLB_CONFLICT, "conflicting translation cache entries"),
	EVT(F_CFG_CONFLICT, "conflicting configuration cache entries"),
	EVT(E_PAGE_REQUEST, "page request hint"),
	EVT(F_VMS_FETCH, "external abort on VMS fetch"),
};

#define OP(x)                            \
	{                                \
		ABI_MMU_OP_##x, #x, NULL \
	}
static const struct name ops[] = {
	OP(PREFETCH_CFG), OP(CFGI_STE),	    OP(CFGI_ALL),      OP(CFGI_CD), OP(CFGI_CD_ALL),
	OP(TLBI_NH_ASID), OP(TLBI_EL2_ALL), OP(TLBI_NSNH_ALL), OP(SYNC),
};

static const struct name cerrors[] = {
	{ ABI_MMU_CERROR_NONE, "none", NULL },
	{ ABI_MMU_CERROR_ILL, "illegal command", NULL },
	{ ABI_MMU_CERROR_ABT, "external abort on command fetch", NULL },
	{ ABI_MMU_CERROR_ATC_INV_SYNC, "sync failed to complete ATS invalidation", NULL },
};

const struct abi_jsm_info *abi_jsm_info(u32 type)
{
	for (size_t i = 0; i < NR(jsm); i++)
		if (jsm[i].type == type)
			return &jsm[i];
	return NULL;
}

const struct abi_jsm_info *abi_jsm_info_at(u32 idx)
{
	return idx < NR(jsm) ? &jsm[idx] : NULL;
}

u32 abi_jsm_answer_of(u32 request)
{
	const struct abi_jsm_info *i = abi_jsm_info(request);

	return i ? i->answer : 0;
}

const char *abi_jsm_type_name(u32 type)
{
	const struct abi_jsm_info *i = abi_jsm_info(type);

	return i ? i->name : unknown;
}

const char *abi_jsm_status_name(u32 status)
{
	const struct name *n = find(statuses, NR(statuses), status);

	if (n)
		return n->name;
	return abi_jsm_status_needs_reset(status) ? "ENGINE_RESET_REQUIRED" : unknown;
}

const char *abi_ipc_chan_name(u16 channel)
{
	return name_of(chans, NR(chans), channel);
}

const char *abi_cmd_type_name(u16 type)
{
	return name_of(cmds, NR(cmds), type);
}

bool abi_cmd_is_deprecated(u16 type)
{
	const struct name *n = find(cmds, NR(cmds), type);

	return n && n->text;
}

const char *abi_mmu_event_name(u32 type)
{
	return name_of(events, NR(events), type);
}

const char *abi_mmu_event_text(u32 type)
{
	const struct name *n = find(events, NR(events), type);

	return n ? n->text : unknown;
}

const char *abi_mmu_op_name(u32 op)
{
	return name_of(ops, NR(ops), op);
}

const char *abi_mmu_cerror_name(u32 err)
{
	return name_of(cerrors, NR(cerrors), err);
}
