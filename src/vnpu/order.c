// SPDX-License-Identifier: MIT
/*
 * The order of power-up and boot.  Silicon does not say which step a driver forgot; the model does:
 * it follows the sequence's accesses and reports each that was left out or came late.  Registers
 * that are no step, repeated polls and the read of a read-modify-write are no concern of it.
 */
#include "vnpu/model.h"

void vnpu_order_start(struct vnpu *m, const struct vnpu_order_step *steps, u32 nr)
{
	m->order = (struct vnpu_order){ .steps = steps, .nr = nr };
}

void vnpu_order_stop(struct vnpu *m)
{
	m->order = (struct vnpu_order){ 0 };
}

static bool is_step(const struct vnpu_order_step *s, const struct reg_block *block, u32 row,
		    bool is_write)
{
	return s->block == block && s->row == row && s->is_write == is_write;
}

static void report_missing(struct vnpu *m, u32 from, u32 to)
{
	for (u32 i = from; i < to; i++) {
		const struct vnpu_order_step *s = &m->order.steps[i];

		vnpu_report(m, VNPU_GUEST_ERROR, s->source, "%s of %s was left out or comes late",
			    s->is_write ? "the write" : "the check", s->block->descs[s->row].name);
	}
}

void vnpu_order_access(struct vnpu *m, const struct reg_block *block, u32 row, bool is_write)
{
	struct vnpu_order *o = &m->order;

	for (u32 i = o->next; i < o->nr; i++) {
		if (!is_step(&o->steps[i], block, row, is_write))
			continue;
		/* a later step of the same register: only if this is no repetition of the last one */
		if (i > o->next && o->next && is_step(&o->steps[o->next - 1], block, row, is_write))
			return;
		report_missing(m, o->next, i);
		o->next = i + 1;
		if (o->next == o->nr)
			vnpu_order_stop(m);
		return;
	}
}
