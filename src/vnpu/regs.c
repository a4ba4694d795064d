// SPDX-License-Identifier: MIT
/*
 * The register file, driven by the tables of src/regs: kinds, reset values and write masks come
 * from there, side effects from the generation's hooks.  SRC: P 3.3.
 *
 * Reads without a row give 0, writes without a row and of reserved bits are ignored; all are
 * findings.
 */
#include <errno.h>

#include "vnpu/model.h"

static_assert(VNPU_REG_SLOTS == 1u << (32 - 22), "VNPU_REG_SLOT");

static void slot_add(struct vnpu_regs *f, u32 idx, u32 off)
{
	u32 s = VNPU_REG_SLOT(VNPU_REG_KEY(f->reg[idx].bar, off));

	while (f->slot[s])
		s = (s + 1) % VNPU_REG_SLOTS;
	f->slot[s] = (u16)idx;
}

/* An element of an array, or a slot that another row took. */
static struct vnpu_reg *find_slow(struct vnpu_regs *f, u8 bar, u32 off)
{
	for (u32 i = 0; i < f->nr_arrays; i++) {
		struct vnpu_reg *r = &f->reg[f->array[i]];
		u32 rel = off - r->off;

		/* every stride is a power of two: checked at creation */
		if (r->bar == bar && rel < r->desc->stride * r->desc->count &&
		    (rel & (r->desc->stride - 1)) < r->width)
			return r;
	}
	for (u32 s = VNPU_REG_SLOT(VNPU_REG_KEY(bar, off)); f->slot[s];
	     s = (s + 1) % VNPU_REG_SLOTS) {
		struct vnpu_reg *r = &f->reg[f->slot[s]];

		if (off - r->off < r->width && r->bar == bar)
			return r;
	}
	return NULL;
}

static inline struct vnpu_reg *find(struct vnpu_regs *f, u8 bar, u32 off)
{
	u32 idx = f->slot[VNPU_REG_SLOT(VNPU_REG_KEY(bar, off))];
	struct vnpu_reg *r = &f->reg[idx];

	if (BASE_LIKELY(idx && off - r->off < r->width && r->bar == bar))
		return r;
	return find_slow(f, bar, off);
}

static void hook_all(struct vnpu *v)
{
	for (const struct vnpu_hook *const *t = v->gen->hooks; *t; t++) {
		for (const struct vnpu_hook *h = *t; h->rd || h->wr; h++) {
			struct vnpu_reg *r = find(&v->regs, h->bar, h->off);

			r->rd = h->rd;
			r->wr = h->wr;
		}
	}
}

int vnpu_regs_init(struct vnpu *v)
{
	struct vnpu_regs *f = &v->regs;

	f->reg[f->nr++].key = 1; /* the row of empty slots, which covers no offset */
	for (const struct reg_block *const *b = v->info->blocks; *b; b++) {
		for (u32 i = 0; i < (*b)->nr; i++) {
			const struct reg_desc *d = &(*b)->descs[i];
			u32 idx = f->nr;

			if (idx == VNPU_MAX_REGS || f->nr_arrays == BASE_ARRAY_SIZE(f->array) ||
			    (d->stride && !base_is_pow2(d->stride)))
				return -ENOSPC;
			f->reg[f->nr++] = (struct vnpu_reg){
				.desc = d,
				.val = d->reset,
				.wmask = d->wmask,
				.known = reg_known_mask(d),
				.off = d->off,
				.bar = (*b)->bar,
				.kind = d->kind,
				.width = d->width_bytes,
				.domain = (s8)v->gen->domain(*b, d->off),
				.key = d->stride ? 1 : VNPU_REG_KEY((*b)->bar, d->off),
			};
			if (d->stride) {
				f->array[f->nr_arrays++] = idx;
				f->hot = &f->reg[idx];
				f->hot_shift = (u32)__builtin_ctz(d->stride);
			}
			for (u32 w = 0; !d->stride && w < d->width_bytes; w += 4)
				slot_add(f, idx, d->off + w);
		}
	}
	hook_all(v);
	return 0;
}

void vnpu_regs_reset(struct vnpu *v, enum vnpu_domain from)
{
	for (u32 i = 1; i < v->regs.nr; i++)
		if (v->regs.reg[i].domain >= (s8)from)
			v->regs.reg[i].val = v->regs.reg[i].desc->reset;
}

void vnpu_level_update(struct vnpu *v)
{
	if (!v->btrs.on)
		v->level = VNPU_DOM_ALWAYS;
	else
		v->level = v->ip.host_noc && v->ip.top_noc ? VNPU_DOM_NOC : VNPU_DOM_HOST;
	v->fast_level = v->pci.live && !v->faults_armed && !v->order.steps ? (s8)v->level : -1;
}

u64 vnpu_reg_val(struct vnpu *v, u8 bar, u32 off)
{
	return find(&v->regs, bar, off)->val;
}

static void report_dead(struct vnpu *v, const struct vnpu_reg *r, u32 off, const char *what)
{
	vnpu_report_reg(v, VNPU_GUEST_ERROR, r->bar, off, "%s of a register without power: %s",
			what,
			r->domain == VNPU_DOM_HOST ? "the workpoint is off (P 3.4 step 3)"
						   : "TOP_NOC is not up (P 3.4 step 26)");
}

static u64 row_read(struct vnpu *v, struct vnpu_reg *r)
{
	if (r->rd)
		return r->rd(v, r);
	return r->kind == REG_KIND_WO ? 0 : r->val;
}

void vnpu_regs_refuse(struct vnpu *v, const struct vnpu_reg *r, u64 val)
{
	if (!r->wmask)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, r->bar, r->off,
				"write of 0x%llx, but read-only", (unsigned long long)val);
	else
		vnpu_report_reg(v, VNPU_UNSPECIFIED, r->bar, r->off,
				"write of 0x%llx sets reserved bits 0x%llx",
				(unsigned long long)val, (unsigned long long)(val & ~r->known));
}

/* A part of a register: without side effects, and nobody says what the hardware does. */
static u64 read_part(struct vnpu *v, u8 bar, u32 off, u32 size)
{
	struct vnpu_reg *r = find(&v->regs, bar, off & ~3u);
	u64 val = 0;

	vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, off, "%u-byte read", size);
	if (r && r->domain <= (s8)v->level && r->kind != REG_KIND_RC)
		val = row_read(v, r) >> 8 * (off - r->off) % 64;
	return val & BASE_MASK64(8 * size - 1, 0);
}

u64 vnpu_regs_read(struct vnpu *v, u8 bar, u32 off, u32 size)
{
	struct vnpu_reg *r;
	u64 val;

	if (BASE_UNLIKELY(size < 4))
		return read_part(v, bar, off, size);
	r = find(&v->regs, bar, off);
	if (BASE_UNLIKELY(!r)) {
		vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, off,
				"read of an offset without a register");
		return 0;
	}
	if (BASE_UNLIKELY(r->domain > (s8)v->level)) {
		report_dead(v, r, off, "read");
		return 0;
	}
	if (BASE_UNLIKELY(size > r->width)) {
		vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, off, "8-byte read of a 32-bit register");
		val = vnpu_regs_read(v, bar, off, 4);
		return val | vnpu_regs_read(v, bar, off + 4, 4) << 32;
	}
	if (BASE_UNLIKELY(v->order.steps))
		vnpu_order_access(v, bar, r->off, false);
	val = row_read(v, r);
	if (size == 4)
		val = r->width == 8 && off != r->off ? val >> 32 : (u32)val;
	return val;
}

void vnpu_regs_write(struct vnpu *v, u8 bar, u32 off, u32 size, u64 val)
{
	struct vnpu_reg *r;

	if (BASE_UNLIKELY(size < 4)) {
		vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, off, "%u-byte write ignored", size);
		return;
	}
	r = find(&v->regs, bar, off);
	if (BASE_UNLIKELY(!r)) {
		vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, off,
				"write of 0x%llx to an offset without a register",
				(unsigned long long)val);
		return;
	}
	if (BASE_UNLIKELY(r->domain > (s8)v->level)) {
		report_dead(v, r, off, "write");
		return;
	}
	if (BASE_UNLIKELY(size > r->width)) {
		vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, off, "8-byte write of a 32-bit register");
		vnpu_regs_write(v, bar, off, 4, (u32)val);
		vnpu_regs_write(v, bar, off + 4, 4, val >> 32);
		return;
	}
	if (BASE_UNLIKELY(v->order.steps))
		vnpu_order_access(v, bar, r->off, true);
	if (BASE_LIKELY(off == r->off)) {
		vnpu_reg_write(v, r, val, size == 8 ? ~(u64)0 : UINT32_MAX, 0);
		return;
	}
	if (r->width == 8)
		vnpu_reg_write(v, r, val << 32, ~(u64)UINT32_MAX, 0);
	else
		vnpu_reg_write(v, r, val, UINT32_MAX, (off - r->off) / r->desc->stride);
}
