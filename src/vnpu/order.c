// SPDX-License-Identifier: MIT
/*
 * The order of a boot.  Silicon does not say which step a driver forgot; the model follows the
 * accesses of P 3.4, 8.3 and 3.6 and reports each that was left out or came late.
 *
 * Registers that are no step, polls that repeat, and the read of a read-modify-write are no concern
 * of it.  A read out of turn may be one of a driver that gives up and looks for the reason (P 2.6):
 * what it passed over is noted, and reported with the next write of the boot.  It runs from the
 * workpoint's start to the last step, or to the driver's giving up: the IP reset, the workpoint's
 * end, a write that keeps interrupts off.
 */
#include <string.h>

#include "vnpu/model.h"

void vnpu_order_start(struct vnpu *v)
{
	v->order = (struct vnpu_order){ .steps = v->gen->boot_order };
	vnpu_level_update(v);
}

void vnpu_order_stop(struct vnpu *v)
{
	v->order = (struct vnpu_order){ 0 };
	vnpu_level_update(v);
}

static bool is_step(const struct vnpu_order_step *s, u8 bar, u32 off, bool write)
{
	return s->off == off && s->bar == bar && s->write == write;
}

/* Steps up to @until, which has come, or all that are left, have not. */
static void note_until(struct vnpu *v, const struct vnpu_order_step *until)
{
	struct vnpu_order *o = &v->order;

	for (u32 i = o->next; o->steps[i].source && o->steps + i != until; i++) {
		o->noted[i / 64] |= BASE_BIT64(i % 64);
		o->nr_noted++;
	}
}

static bool is_noted(const struct vnpu_order *o, const struct vnpu_order_step *s)
{
	u32 i = (u32)(s - o->steps);

	return o->noted[i / 64] >> (i % 64) & 1;
}

static void report_noted(struct vnpu *v)
{
	struct vnpu_order *o = &v->order;

	for (const struct vnpu_order_step *s = o->steps; o->nr_noted && s->source; s++)
		if (is_noted(o, s))
			vnpu_report_reg(v, VNPU_GUEST_ERROR, s->bar, s->off,
					"%s of %s was left out or comes late",
					s->write ? "the write" : "the check", s->source);
	memset(o->noted, 0, sizeof(o->noted));
	o->nr_noted = 0;
}

/* A write that was noted as missing comes after all. */
static bool comes_late(const struct vnpu_order *o, u8 bar, u32 off)
{
	for (const struct vnpu_order_step *s = o->steps; o->nr_noted && s->source; s++)
		if (is_noted(o, s) && is_step(s, bar, off, true))
			return true;
	return false;
}

/* The step is taken; whatever was passed over is certain with a write. */
static void take(struct vnpu *v, const struct vnpu_order_step *s)
{
	note_until(v, s);
	if (s->write)
		report_noted(v);
	v->order.next = (u32)(s + 1 - v->order.steps);
	if (!s[1].source)
		vnpu_order_stop(v);
}

void vnpu_order_access(struct vnpu *v, u8 bar, u32 off, bool write, u64 val)
{
	struct vnpu_order *o = &v->order;
	const struct vnpu_order_step *first = o->steps + o->next;

	if (write && comes_late(o, bar, off))
		report_noted(v);
	for (const struct vnpu_order_step *s = first; s->source; s++) {
		if (!is_step(s, bar, off, write))
			continue;
		if (s != first && o->next && is_step(first - 1, bar, off, write))
			return; /* the last step again: a poll, a second try */
		if (!s[1].source && val)
			vnpu_order_stop(v); /* GLOBAL_INT_MASK is closed, not opened */
		else
			take(v, s);
		return;
	}
}

void vnpu_order_finish(struct vnpu *v)
{
	if (!v->order.steps)
		return;
	note_until(v, NULL);
	report_noted(v);
	vnpu_order_stop(v);
}
