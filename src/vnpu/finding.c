// SPDX-License-Identifier: MIT
/*
 * Findings: what the model noticed beside doing its work.  All are counted, the first are kept.
 */
#include <stdarg.h>
#include <string.h>

#include "vnpu/model.h"

static void report(struct vnpu *v, enum vnpu_class cls, const char *where, const char *fmt,
		   va_list ap) __attribute__((format(printf, 4, 0)));

static void report(struct vnpu *v, enum vnpu_class cls, const char *where, const char *fmt,
		   va_list ap)
{
	struct vnpu_findings *f = &v->findings;
	struct vnpu_kept local;
	struct vnpu_kept *k = f->nr < VNPU_MAX_FINDINGS ? &f->kept[f->nr++] : &local;

	f->count[cls]++;
	if (k == &local && !v->cfg.finding)
		return;
	k->cls = cls;
	k->time_ns = vnpu_time_ns(v);
	snprintf(k->where, sizeof(k->where), "%s", where);
	vsnprintf(k->text, sizeof(k->text), fmt, ap);
	if (v->cfg.finding) {
		const struct vnpu_finding out = { cls, k->where, k->text, k->time_ns };

		v->cfg.finding(v->cfg.opaque, &out);
	}
}

void vnpu_report(struct vnpu *v, enum vnpu_class cls, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(v, cls, where, fmt, ap);
	va_end(ap);
}

void vnpu_report_reg(struct vnpu *v, enum vnpu_class cls, u8 bar, u32 off, const char *fmt, ...)
{
	const struct reg_block *block = NULL;
	char where[48], name[40] = "";
	va_list ap;

	if (reg_gen_find(v->info, bar, off, &block))
		reg_name(block, off, name, sizeof(name));
	snprintf(where, sizeof(where), "BAR%u+0x%x%s%.28s", bar, off, name[0] ? " " : "", name);
	va_start(ap, fmt);
	report(v, cls, where, fmt, ap);
	va_end(ap);
}

uint64_t vnpu_nr_findings(struct vnpu *v, enum vnpu_class cls)
{
	u64 nr;

	if ((unsigned)cls >= VNPU_NR_CLASSES)
		return 0;
	vnpu_lock(&v->lock);
	nr = v->findings.count[cls];
	vnpu_unlock(&v->lock);
	return nr;
}

bool vnpu_finding_text(struct vnpu *v, unsigned i, struct vnpu_finding *out)
{
	bool found;

	vnpu_lock(&v->lock);
	found = i < v->findings.nr;
	if (found) {
		const struct vnpu_kept *k = &v->findings.kept[i];

		*out = (struct vnpu_finding){ k->cls, k->where, k->text, k->time_ns };
	}
	vnpu_unlock(&v->lock);
	return found;
}
