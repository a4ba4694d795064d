// SPDX-License-Identifier: MIT
/* What the model notices: findings by class, the register trace and its hash, faults to inject. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "vnpu/model.h"

static const char *const fault_names[VNPU_NR_FAULTS] = {
	[VNPU_FAULT_PLL_NEVER_LOCKS] = "pll-never-locks",
	[VNPU_FAULT_NO_POWER] = "no-power",
	[VNPU_FAULT_ISLAND_STUCK] = "island-stuck",
	[VNPU_FAULT_NOC_DENIES] = "noc-denies",
	[VNPU_FAULT_FW_NEVER_READY] = "fw-never-ready",
	[VNPU_FAULT_FW_SLOW] = "fw-slow",
	[VNPU_FAULT_FW_DEAD] = "fw-dead",
	[VNPU_FAULT_IRQ_LOST] = "irq-lost",
	[VNPU_FAULT_IRQ_STORM] = "irq-storm",
	[VNPU_FAULT_ANSWER_LOST] = "answer-lost",
	[VNPU_FAULT_ANSWER_WRONG] = "wrong-answer",
	[VNPU_FAULT_ANSWER_TWICE] = "duplicate-answer",
	[VNPU_FAULT_ANSWER_UNSOLICITED] = "unsolicited-answer",
	[VNPU_FAULT_HEADER_CORRUPT] = "corrupt-header",
	[VNPU_FAULT_DOORBELL_LOST] = "doorbell-lost",
	[VNPU_FAULT_ENGINE_STUCK] = "engine-stuck",
	[VNPU_FAULT_MMU_FAULT] = "mmu-fault",
	[VNPU_FAULT_ALL_ONES] = "all-ones",
};

int vnpu_record_init(struct vnpu *m)
{
	m->record.kept = base_alloc_array(VNPU_MAX_KEPT, sizeof(*m->record.kept));
	m->record.trace = base_alloc_array(VNPU_TRACE_SIZE, sizeof(*m->record.trace));
	return m->record.kept && m->record.trace ? 0 : -ENOMEM;
}

void vnpu_record_fini(struct vnpu *m)
{
	base_free(m->record.kept);
	base_free(m->record.trace);
}

void vnpu_report(struct vnpu *m, enum vnpu_class cls, const char *where, const char *fmt, ...)
{
	struct vnpu_record *r = &m->record;
	struct vnpu_kept kept = { .cls = cls, .time_ns = vnpu_time(m) };
	struct vnpu_finding finding = { .cls = cls, .time_ns = kept.time_ns };
	va_list ap;

	snprintf(kept.where, sizeof(kept.where), "%s", where);
	va_start(ap, fmt);
	vsnprintf(kept.text, sizeof(kept.text), fmt, ap);
	va_end(ap);
	r->nr_findings[cls]++;
	if (r->nr_kept < VNPU_MAX_KEPT)
		r->kept[r->nr_kept++] = kept;
	finding.where = kept.where;
	finding.text = kept.text;
	if (m->cfg.finding)
		m->cfg.finding(m->cfg.opaque, &finding);
}

void vnpu_trace(struct vnpu *m, u32 bar, u32 off, u32 size, bool is_write, u64 val)
{
	struct vnpu_record *r = &m->record;
	u64 h = r->trace_hash;

	h = (h ^ (off | (u64)bar << 32 | (u64)size << 40 | (u64)is_write << 48)) *
	    UINT64_C(0x9E3779B97F4A7C15);
	r->trace_hash = ((h ^ (h >> 29)) ^ val) * UINT64_C(0xC2B2AE3D27D4EB4F);
	r->trace[r->nr_trace++ & (VNPU_TRACE_SIZE - 1)] = (struct vnpu_trace_record){
		.time_ns = vnpu_time(m), .val = val,	     .off = off,
		.bar = (u8)bar,		 .size_bytes = (u8)size, .is_write = is_write,
	};
}

uint64_t vnpu_trace_hash(struct vnpu *m)
{
	u64 hash;

	pthread_mutex_lock(&m->lock);
	hash = m->record.trace_hash;
	pthread_mutex_unlock(&m->lock);
	return hash;
}

uint64_t vnpu_nr_findings(struct vnpu *m, enum vnpu_class cls)
{
	u64 nr;

	if ((u32)cls >= VNPU_NR_CLASSES)
		return 0;
	pthread_mutex_lock(&m->lock);
	nr = m->record.nr_findings[cls];
	pthread_mutex_unlock(&m->lock);
	return nr;
}

bool vnpu_finding_text(struct vnpu *m, unsigned i, struct vnpu_finding *out)
{
	bool found;

	pthread_mutex_lock(&m->lock);
	found = i < m->record.nr_kept;
	pthread_mutex_unlock(&m->lock);
	if (!found)
		return false;
	/* entries below nr_kept never change again */
	out->cls = m->record.kept[i].cls;
	out->where = m->record.kept[i].where;
	out->text = m->record.kept[i].text;
	out->time_ns = m->record.kept[i].time_ns;
	return true;
}

int vnpu_fault(struct vnpu *m, const char *name, unsigned count)
{
	for (u32 i = 0; i < VNPU_NR_FAULTS; i++) {
		if (strcmp(fault_names[i], name))
			continue;
		pthread_mutex_lock(&m->lock);
		m->record.faults[i] = count;
		if (i == VNPU_FAULT_IRQ_STORM && count)
			vnpu_schedule(m, VNPU_EV_STORM, 1000, true);
		pthread_mutex_unlock(&m->lock);
		return 0;
	}
	return -EINVAL;
}

const char *vnpu_fault_name(unsigned i)
{
	return i < VNPU_NR_FAULTS ? fault_names[i] : NULL;
}
