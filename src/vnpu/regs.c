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

static u32 slot_of(u32 off)
{
	return VNPU_REG_HASH(off) / (UINT32_MAX / VNPU_REG_SLOTS + 1);
}

static void slot_add(struct vnpu_regs *f, u32 idx, u32 off)
{
	u32 s = slot_of(off);

	while (f->slot[s])
		s = (s + 1) % VNPU_REG_SLOTS;
	f->slot[s] = (u16)idx;
}

static struct vnpu_reg *find(struct vnpu_regs *f, u8 bar, u32 off)
{
	for (u32 s = slot_of(off); f->slot[s]; s = (s + 1) % VNPU_REG_SLOTS) {
		struct vnpu_reg *r = &f->reg[f->slot[s]];

		if (off - r->off < r->width && r->bar == bar)
			return r;
	}
	return NULL;
}

/*
 * Behaviour of registers without a hook
 */

static u64 plain_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)v;
	return r->val;
}

static u64 zero_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)v, (void)r;
	return 0;
}

static void plain_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)v, (void)r, (void)val;
}

static void w1c_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)v;
	r->val &= ~val;
}

static void w1s_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)v;
	r->val |= val;
}

static void default_hooks(struct vnpu_reg *r)
{
	r->rd = r->kind == REG_KIND_WO ? zero_rd : plain_rd;
	r->wr = plain_wr;
	if (r->kind == REG_KIND_W1C)
		r->wr = w1c_wr;
	if (r->kind == REG_KIND_W1S)
		r->wr = w1s_wr;
	if (!r->wmask)
		r->wr = vnpu_regs_refuse; /* a write of 0, which has no bit to refuse */
}

static void hook(struct vnpu_regs *f, const struct vnpu_hook *h)
{
	struct vnpu_reg *r = find(f, h->bar, h->off);
	u32 nr = r->desc->count;

	for (u32 i = 0; i < nr; i++) {
		if (h->rd)
			r[i].rd = h->rd;
		if (h->wr)
			r[i].wr = h->wr;
	}
}

/*
 * Creation
 */

static void add(struct vnpu *v, const struct reg_block *b, const struct reg_desc *d, u32 elem)
{
	struct vnpu_regs *f = &v->regs;
	u32 idx = f->nr++, off = d->off + elem * d->stride;

	f->reg[idx] = (struct vnpu_reg){
		.desc = d,
		.val = d->reset,
		.wmask = d->wmask,
		.refuse = d->wmask ? ~reg_known_mask(d) : ~(u64)0,
		.what_rd = VNPU_TRACE_WHAT(b->bar, off, 4, false),
		.what_wr = VNPU_TRACE_WHAT(b->bar, off, 4, true),
		.off = off,
		.bar = b->bar,
		.elem = elem,
		.kind = d->kind,
		.width = d->width_bytes,
		.domain = (s8)v->gen->domain(b, d->off),
	};
	default_hooks(&f->reg[idx]);
	for (u32 w = 0; w < d->width_bytes; w += 4)
		slot_add(f, idx, off + w);
}

static void forget_quick(struct vnpu_regs *f)
{
	for (u32 i = 0; i < VNPU_REG_QUICK; i++)
		f->quick[i] = &f->reg[0];
}

int vnpu_regs_init(struct vnpu *v)
{
	struct vnpu_regs *f = &v->regs;

	f->reg[f->nr++].bar = UINT32_MAX;
	forget_quick(f);
	for (const struct reg_block *const *b = v->info->blocks; *b; b++) {
		for (u32 i = 0; i < (*b)->nr; i++) {
			const struct reg_desc *d = &(*b)->descs[i];

			if (f->nr + d->count > VNPU_MAX_REGS)
				return -ENOSPC;
			for (u32 elem = 0; elem < d->count; elem++)
				add(v, *b, d, elem);
		}
	}
	for (const struct vnpu_hook *const *t = v->gen->hooks; *t; t++)
		for (const struct vnpu_hook *h = *t; h->rd || h->wr; h++)
			hook(f, h);
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
	s8 fast;

	if (!v->btrs.on)
		v->level = VNPU_DOM_ALWAYS;
	else
		v->level = v->ip.host_noc && v->ip.top_noc ? VNPU_DOM_NOC : VNPU_DOM_HOST;
	fast = v->pci.live && !v->watched && !v->order.steps ? (s8)v->level : -1;
	if (fast != v->fast_level)
		forget_quick(&v->regs);
	v->fast_level = fast;
}

/* From now on, a plain access to it takes the short way. */
static void remember(struct vnpu *v, struct vnpu_reg *r, u32 off, u32 size)
{
	if (size == 4 && off == r->off && r->domain <= v->fast_level)
		*vnpu_regs_quick(v, off) = r;
}

u64 vnpu_reg_val(struct vnpu *v, u8 bar, u32 off)
{
	return find(&v->regs, bar, off)->val;
}

static void report_dead(struct vnpu *v, const struct vnpu_reg *r, u32 off, const char *what)
{
	vnpu_report_reg(v, VNPU_GUEST_ERROR, (u8)r->bar, off, "%s of a register without power: %s",
			what,
			r->domain == VNPU_DOM_HOST ? "the workpoint is off (P 3.4 step 3)"
						   : "TOP_NOC is not up (P 3.4 step 26)");
}

void vnpu_regs_refuse(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	u8 bar = (u8)r->bar;

	if (!r->wmask)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, bar, r->off, "write of 0x%llx, but read-only",
				(unsigned long long)val);
	else
		vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, r->off,
				"write of 0x%llx sets reserved bits 0x%llx",
				(unsigned long long)val, (unsigned long long)(val & r->refuse));
}

/* A part of a register: without side effects, and nobody says what the hardware does. */
static u64 read_part(struct vnpu *v, u8 bar, u32 off, u32 size)
{
	struct vnpu_reg *r = find(&v->regs, bar, off & ~3u);
	u64 val = 0;

	vnpu_report_reg(v, VNPU_UNSPECIFIED, bar, off, "%u-byte read", size);
	if (r && r->domain <= (s8)v->level && r->kind != REG_KIND_RC)
		val = r->rd(v, r) >> 8 * (off - r->off) % 64;
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
	remember(v, r, off, size);
	if (BASE_UNLIKELY(v->order.steps))
		vnpu_order_access(v, bar, r->off, false, 0);
	val = r->rd(v, r);
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
		vnpu_order_access(v, bar, r->off, true, val);
	remember(v, r, off, size);
	if (off == r->off)
		vnpu_reg_write(v, r, val, size == 8 ? ~(u64)0 : UINT32_MAX);
	else
		vnpu_reg_write(v, r, val << 32, ~(u64)UINT32_MAX);
}
