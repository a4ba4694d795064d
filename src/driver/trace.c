// SPDX-License-Identifier: MIT
#include "driver/trace.h"

#include <inttypes.h>

#include "driver/mmio.h"

static const char *const kind_names[] = {
	[DRV_TRACE_NONE] = "-",	   [DRV_TRACE_RD] = "read",	[DRV_TRACE_WR] = "write",
	[DRV_TRACE_TX] = "ask",	   [DRV_TRACE_RX] = "receive",	[DRV_TRACE_SUBMIT] = "submit",
	[DRV_TRACE_DONE] = "done", [DRV_TRACE_STATE] = "state",
};

static void format(const struct drv_dev *dev, const struct drv_trace_rec *rec, char *buf,
		   size_t size)
{
	char name[96];

	if (rec->kind == DRV_TRACE_RD || rec->kind == DRV_TRACE_WR)
		drv_reg_name(dev, rec->off, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "0x%x", rec->off);
	snprintf(buf, size, "%" PRIu64 ".%06" PRIu64 " ms #%u %s %s 0x%" PRIx64,
		 rec->time_ns / BASE_NS_PER_MS, rec->time_ns % BASE_NS_PER_MS, rec->seq,
		 kind_names[rec->kind], name, rec->val);
}

void drv_trace_dump(const struct drv_dev *dev, u32 max,
		    void (*line)(void *opaque, const char *text), void *opaque)
{
	const struct drv_trace *trace = &dev->trace;
	u32 kept = base_min(trace->nr, DRV_TRACE_RECS);
	u32 nr = base_min(kept, max);
	char buf[192];

	for (u32 i = trace->nr - nr; i != trace->nr; i++) {
		format(dev, &trace->rec[i % DRV_TRACE_RECS], buf, sizeof(buf));
		line(opaque, buf);
	}
}
