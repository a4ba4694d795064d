// SPDX-License-Identifier: MIT
/*
 * The order of a boot.  Silicon does not say which step a driver forgot; the model follows the
 * accesses of P 3.4, 8.3 and 3.6 and reports each that was left out or came late.
 *
 * Registers that are no step, polls that repeat, and the read of a read-modify-write are no concern
 * of it.  It runs from the workpoint's start to the last step, or to the IP reset.
 */
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

static void report_until(struct vnpu *v, const struct vnpu_order_step *until)
{
	for (const struct vnpu_order_step *s = v->order.steps + v->order.next;
	     s->source && s != until; s++)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, s->bar, s->off,
				"%s of %s was left out or comes late",
				s->write ? "the write" : "the check", s->source);
}

void vnpu_order_access(struct vnpu *v, u8 bar, u32 off, bool write)
{
	struct vnpu_order *o = &v->order;
	const struct vnpu_order_step *first = o->steps + o->next;

	for (const struct vnpu_order_step *s = first; s->source; s++) {
		if (!is_step(s, bar, off, write))
			continue;
		if (s != first && o->next && is_step(first - 1, bar, off, write))
			return; /* the last step again: a poll, a second try */
		report_until(v, s);
		o->next = (u32)(s + 1 - o->steps);
		if (!s[1].source)
			vnpu_order_stop(v);
		return;
	}
}

void vnpu_order_finish(struct vnpu *v)
{
	if (!v->order.steps)
		return;
	report_until(v, NULL);
	vnpu_order_stop(v);
}
