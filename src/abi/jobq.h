/* SPDX-License-Identifier: MIT */
/*
 * Job queue: one page in SSID 0 per command queue.  SRC: P 10.2, 10.3, linux vpu_jsm_api.h.
 */
#ifndef ABI_JOBQ_H
#define ABI_JOBQ_H

#include "abi/wire.h"

#define ABI_JOBQ_SIZE	   4096
#define ABI_JOBQ_SLOTS	   63 /* indices are modulo this */
#define ABI_JOBQ_DEPTH	   62 /* one slot stays empty */
#define ABI_JOBQ_SLOT_SIZE 64

/* flags of a job; SRC: P 10.3 */
#define ABI_JOBQ_JOB_NULL    0x00000001u
#define ABI_JOBQ_JOB_INLINE  0x00000002u
#define ABI_JOBQ_JOB_PRIVATE 0xffff0000u

/* flags of a queue; SRC: P 10.3 */
#define ABI_JOBQ_FLAG_NO_JOB_DONE     0x00000001u
#define ABI_JOBQ_FLAG_NATIVE_FENCE    0x00000002u
#define ABI_JOBQ_FLAG_TURBO	      0x00000004u
#define ABI_JOBQ_FLAG_NON_INTERACTIVE 0x00000008u

/* id ranges and bands; SRC: P 10.1 */
#define ABI_JOBQ_ENGINE_COMPUTE 0
#define ABI_JOBQ_JOBS_PER_CTX	256
#define ABI_JOBQ_ID_MIN		1
#define ABI_JOBQ_ID_MAX		255

/** ABI_JOBQ_JOB_ID() - job id of context @ctx (SSID), @n = 0..255; SRC: P 10.1 */
#define ABI_JOBQ_JOB_ID(ctx, n) (((u32)(ctx)-1) << 8 | ((u32)(n)&0xff))

enum abi_prio_band {
	ABI_PRIO_IDLE = 0,
	ABI_PRIO_NORMAL = 1,
	ABI_PRIO_FOCUS = 2,
	ABI_PRIO_REALTIME = 3,
	ABI_PRIO_NR = 4,
};

/** struct abi_jobq_header - control words of a queue; SRC: P 10.2 */
struct abi_jobq_header {
	u32 engine_idx;
	u32 head; /* written by the firmware */
	u32 tail; /* written by the driver */
	u32 flags;
	u32 priority_band_valid;
	u32 priority_band;
	u32 realtime_priority_level;
	u32 reserved_01c[9];
};

ABI_SIZE(abi_jobq_header, 64);
ABI_OFF(abi_jobq_header, engine_idx, 0x00);
ABI_OFF(abi_jobq_header, head, 0x04);
ABI_OFF(abi_jobq_header, tail, 0x08);
ABI_OFF(abi_jobq_header, flags, 0x0c);
ABI_OFF(abi_jobq_header, priority_band_valid, 0x10);
ABI_OFF(abi_jobq_header, priority_band, 0x14);
ABI_OFF(abi_jobq_header, realtime_priority_level, 0x18);
ABI_OFF(abi_jobq_header, reserved_01c, 0x1c);

/** struct abi_jobq_job - a slot as a job; SRC: P 10.2.  Preemption fields may be stale. */
struct abi_jobq_job {
	u64 batch_buf_addr; /* command-buffer header, in the user's SSID */
	u32 job_id;
	u32 flags;
	u64 doorbell_timestamp;
	u64 host_tracking_id;
	u64 primary_preempt_buf_addr;
	u32 primary_preempt_buf_size;
	u32 secondary_preempt_buf_size;
	u64 secondary_preempt_buf_addr;
	u64 reserved_038;
};

ABI_SIZE(abi_jobq_job, ABI_JOBQ_SLOT_SIZE);
ABI_OFF(abi_jobq_job, batch_buf_addr, 0x00);
ABI_OFF(abi_jobq_job, job_id, 0x08);
ABI_OFF(abi_jobq_job, flags, 0x0c);
ABI_OFF(abi_jobq_job, doorbell_timestamp, 0x10);
ABI_OFF(abi_jobq_job, host_tracking_id, 0x18);
ABI_OFF(abi_jobq_job, primary_preempt_buf_addr, 0x20);
ABI_OFF(abi_jobq_job, primary_preempt_buf_size, 0x28);
ABI_OFF(abi_jobq_job, secondary_preempt_buf_size, 0x2c);
ABI_OFF(abi_jobq_job, secondary_preempt_buf_addr, 0x30);
ABI_OFF(abi_jobq_job, reserved_038, 0x38);

enum abi_inline_type {
	ABI_INLINE_NOP = 0,
	ABI_INLINE_FENCE_WAIT = 1,
	ABI_INLINE_FENCE_SIGNAL = 2,
};

/** struct abi_jobq_inline - a slot as an inline command; SRC: P 10.2 */
struct abi_jobq_inline {
	u64 reserved_000;
	u32 type;
	u32 flags; /* ABI_JOBQ_JOB_INLINE set */
	u64 fence_handle;
	u64 current_value_va;
	u64 monitored_value_va;
	u64 value;
	u64 log_buffer_va;
	u64 npu_private_data;
};

ABI_SIZE(abi_jobq_inline, ABI_JOBQ_SLOT_SIZE);
ABI_OFF(abi_jobq_inline, type, 0x08);
ABI_OFF(abi_jobq_inline, flags, 0x0c);
ABI_OFF(abi_jobq_inline, fence_handle, 0x10);
ABI_OFF(abi_jobq_inline, current_value_va, 0x18);
ABI_OFF(abi_jobq_inline, monitored_value_va, 0x20);
ABI_OFF(abi_jobq_inline, value, 0x28);
ABI_OFF(abi_jobq_inline, log_buffer_va, 0x30);
ABI_OFF(abi_jobq_inline, npu_private_data, 0x38);

/** union abi_jobq_slot - a slot; flags at 0x0c say which */
union abi_jobq_slot {
	struct abi_jobq_job job;
	struct abi_jobq_inline cmd;
};

/** struct abi_jobq - the page */
struct abi_jobq {
	struct abi_jobq_header hdr;
	union abi_jobq_slot slot[ABI_JOBQ_SLOTS];
};

ABI_SIZE(abi_jobq, ABI_JOBQ_SIZE);
ABI_OFF(abi_jobq, slot, 0x40);

#endif
