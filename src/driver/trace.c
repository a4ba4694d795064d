// SPDX-License-Identifier: MIT
#include "driver/trace.h"

#include <inttypes.h>

#include "abi/abi_names.h"
#include "driver/mmio.h"

static const char *const kind_names[] = {
	[DRV_TRACE_NONE] = "-",	     [DRV_TRACE_RD] = "read",	  [DRV_TRACE_WR] = "write",
	[DRV_TRACE_TX] = "ask",	     [DRV_TRACE_RX] = "receive",  [DRV_TRACE_SUBMIT] = "submit",
	[DRV_TRACE_DONE] = "done",   [DRV_TRACE_DB] = "doorbell", [DRV_TRACE_IRQ] = "interrupt",
	[DRV_TRACE_STATE] = "state",
};

static void format_name(const struct drv_dev *dev, const struct drv_trace_rec *rec, char *name,
			size_t size)
{
	if (rec->kind == DRV_TRACE_RD || rec->kind == DRV_TRACE_WR)
		drv_reg_name(dev, rec->off, name, size);
	else if (rec->kind == DRV_TRACE_TX || rec->kind == DRV_TRACE_RX)
		snprintf(name, size, "%s (0x%x)", abi_jsm_type_name(rec->off), rec->off);
	else if (rec->kind == DRV_TRACE_STATE)
		snprintf(name, size, "%s", drv_state_name((enum drv_state)rec->val));
	else
		snprintf(name, size, "0x%x", rec->off);
}

static void format(const struct drv_dev *dev, const struct drv_trace_rec *rec, char *buf,
		   size_t size)
{
	char name[96];

	format_name(dev, rec, name, sizeof(name));
	snprintf(buf, size, "%" PRIu64 ".%06" PRIu64 " ms %s %s 0x%" PRIx64,
		 rec->time_ns / BASE_NS_PER_MS, rec->time_ns % BASE_NS_PER_MS,
		 kind_names[rec->kind], name, rec->val);
}

void drv_trace_dump(const struct drv_dev *dev, u32 max,
		    void (*line)(void *opaque, const char *text), void *opaque)
{
	const struct drv_trace *trace = &dev->trace;
	u32 nr = base_min(max, DRV_TRACE_RECS);
	char buf[192];

	for (u32 i = DRV_TRACE_RECS - nr; i < DRV_TRACE_RECS; i++) {
		const struct drv_trace_rec *rec = &trace->rec[(trace->next + i) % DRV_TRACE_RECS];

		if (rec->kind == DRV_TRACE_NONE)
			continue;
		format(dev, rec, buf, sizeof(buf));
		line(opaque, buf);
	}
}
