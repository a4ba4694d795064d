/* SPDX-License-Identifier: MIT */
/* Ring of fixed 32-byte records: what the driver did last.  Feeds the dump after a failure. */
#ifndef DRIVER_TRACE_H
#define DRIVER_TRACE_H

#include <assert.h>

#include "base/base.h"

enum drv_trace_kind {
	DRV_TRACE_NONE,
	DRV_TRACE_RD,	  /* off, val */
	DRV_TRACE_WR,	  /* off, val */
	DRV_TRACE_TX,	  /* off = message type, val = request id */
	DRV_TRACE_RX,	  /* off = message type, val = request id; a JOB_DONE is DRV_TRACE_DONE */
	DRV_TRACE_SUBMIT, /* off = job id, val = address of the command buffer */
	DRV_TRACE_DONE,	  /* off = job id, val = status */
	DRV_TRACE_DB,	  /* off = its number, val = tail: the doorbell was rung */
	DRV_TRACE_IRQ,	  /* off = INTERRUPT_STAT, val = ICB_STATUS_0 */
	DRV_TRACE_STATE,  /* val = enum drv_state */
};

struct drv_trace_rec {
	u64 time_ns; /* when the loop last looked at the clock */
	u64 val;
	u32 off;  /* register as DRV_REG() */
	u32 kind; /* enum drv_trace_kind; DRV_TRACE_NONE = never written */
	u64 reserved;
};

static_assert(sizeof(struct drv_trace_rec) == 32, "trace record");

#define DRV_TRACE_RECS 1024u /* power of two */

struct drv_trace {
	u32 next; /* to be written next: the oldest */
	struct drv_trace_rec rec[DRV_TRACE_RECS];
};

/* On the path of each register access: nothing here that is not needed there. */
static inline void drv_trace_add(struct drv_trace *trace, u64 time_ns, enum drv_trace_kind kind,
				 u32 off, u64 val)
{
	struct drv_trace_rec *rec = &trace->rec[trace->next];

	rec->time_ns = time_ns;
	rec->val = val;
	rec->off = off;
	rec->kind = (u32)kind;
	trace->next = (trace->next + 1) % DRV_TRACE_RECS;
}

#endif
