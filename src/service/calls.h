/* SPDX-License-Identifier: MIT */
/*
 * Structs of `call`: what programs ask instead of parsing text.  The client fills in the head; the
 * service checks it and fills in the rest.  The text nodes are printed from the same fields
 * (fields.c).  A field is never moved or removed; a new version appends.
 */
#ifndef SERVICE_CALLS_H
#define SERVICE_CALLS_H

#include <assert.h>
#include <stddef.h>

#include "abi/dma.h"
#include "base/types.h"

enum svc_call_kind {
	SVC_CALL_INFO = 1,    /* N/info */
	SVC_CALL_STATUS = 2,  /* N/status */
	SVC_CALL_METRICS = 3, /* N/metrics */
	SVC_CALL_CTX = 4,
	SVC_CALL_BO = 5,
	SVC_CALL_QUEUE = 6,
	SVC_CALL_MMIO = 7,
	SVC_CALL_DMA = 8,
};

#define SVC_CALL_VERSION 1u

struct svc_call {
	u16 kind;    /* enum svc_call_kind */
	u16 version; /* SVC_CALL_VERSION */
	u32 size;    /* of the whole struct */
};

static_assert(sizeof(struct svc_call) == 8, "head of a call");

/** struct svc_call_info - what does not change while the device is up */
struct svc_call_info {
	struct svc_call head;
	char gen[16];
	char product[48];
	char location[64];
	char fw_path[256];
	char fw_version[256];
	u32 vendor_id;
	u32 device_id;
	u32 revision;
	u32 is_virtual;
	u32 fw_api[16]; /* major << 16 | minor */
	u64 va_start;
	u64 va_end;
	u32 freq_max_mhz;
	u32 max_contexts; /* of a client, as all that follow */
	u32 max_queues;
	u32 max_queue_depth;
	u32 max_context_jobs;
	u32 flat; /* no MMU: addresses are the device's, a job reaches its three ranges only */
	u64 max_memory_bytes;
	u64 boot_ns;
};

static_assert(sizeof(struct svc_call_info) == 784, "info");

/** struct svc_call_status - what is going on now, over all clients */
struct svc_call_status {
	struct svc_call head;
	char state[16];
	char error[504]; /* why the device failed, or empty */
	u32 clients;
	u32 contexts;
	u32 contexts_closing; /* closed, with jobs still running */
	u32 buffers;
	u32 queues;
	u32 jobs_pending;
	u64 memory_bytes;
	u32 freq_mhz; /* now; 0: no power, or it does not tell */
	u32 reserved;
};

static_assert(sizeof(struct svc_call_status) == 568, "status");

/** struct svc_call_metrics - counters since boot */
struct svc_call_metrics {
	struct svc_call head;
	u64 jobs_submitted;
	u64 jobs_done;
	u64 jobs_failed;
	u64 jobs_refused; /* bad descriptors */
	u64 irqs;
	u64 mmu_faults;
	u64 time_ns; /* the device's clock, of the two for a utilisation */
	u64 busy_ns; /* at least one job was under way */
	u64 engine_resets;
	u64 recoveries; /* a cold boot after a failure, or asked for */
	u64 suspends;
	u64 warm_boots, cold_boots;
};

static_assert(sizeof(struct svc_call_metrics) == 112, "metrics");

struct svc_call_ctx {
	struct svc_call head;
	u32 ssid;
	u32 jobs_pending;
	u64 memory_bytes;
};

static_assert(sizeof(struct svc_call_ctx) == 24, "context");

struct svc_call_bo {
	struct svc_call head;
	u64 addr; /* NPU address in the context */
	u64 size_bytes;
	u32 flags; /* enum drv_bo_flags */
	u32 reserved;
};

static_assert(sizeof(struct svc_call_bo) == 32, "buffer");

struct svc_call_queue {
	struct svc_call head;
	u32 priority;
	u32 depth;
	u32 jobs_pending;
	u32 completions; /* that can be read now */
};

static_assert(sizeof(struct svc_call_queue) == 24, "queue");

/** struct svc_call_mmio - one access of a register window; -EAGAIN: wait for the handle, and again */
struct svc_call_mmio {
	struct svc_call head;
	u64 off;   /* in the window */
	u64 val;   /* written, or what was read */
	u32 bytes; /* 1, 2, 4 or 8 */
	u32 is_write;
};

static_assert(sizeof(struct svc_call_mmio) == 32, "register access");

struct svc_call_dma {
	struct svc_call head;
	struct abi_dma mem;
};

static_assert(sizeof(struct svc_call_dma) == 24, "dma memory");

#endif
