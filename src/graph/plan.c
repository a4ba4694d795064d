// SPDX-License-Identifier: MIT
/*
 * Where values lie.  Values with the same bytes under other dimensions become aliases of one base;
 * bases that are neither constants, inputs nor outputs share one arena: largest first, each at the
 * lowest place free during its whole life.  SRC: O section 6 (greedy by size meets the lower bound
 * on most networks).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "graph/ir.h"

#define MAX_SHARED 16384u /* placing is quadratic; smaller values beyond get room of their own */

struct item {
	u64 size, off;
	u32 base;
	u32 first, last;
};

static u32 find_base(const struct ir_place *places, u32 v)
{
	while (places[v].base != v)
		v = places[v].base;
	return v;
}

static bool is_bound(const struct ir_value *value)
{
	return value->is_const || value->input != GRAPH_NONE;
}

/* May y be another name for x's bytes, and which of the two lends its place? */
static void try_alias(struct ir *ir, struct ir_place *places, struct ir_op *op)
{
	u32 x = find_base(places, op->in[0]), y = op->out[0];
	const struct ir_value *vx = graph_ir_value(ir, x), *vy = graph_ir_value(ir, y);

	if (vy->is_output && (is_bound(vx) || vx->is_output))
		return; /* an output has bytes of its own */
	if (vy->is_output)
		places[x].base = y;
	else
		places[y].base = x;
	op->is_dead = true;
}

static void make_aliases(struct ir *ir, struct ir_place *places)
{
	for (u32 i = 0; i < ir->values.nr; i++)
		places[i].base = i;
	for (u32 i = 0; i < ir->ops.nr && !ir->no_fuse; i++)
		if (graph_ir_op(ir, i)->code == ABI_OP_COPY && !graph_ir_op(ir, i)->is_dead)
			try_alias(ir, places, graph_ir_op(ir, i));
	for (u32 i = 0; i < ir->values.nr; i++)
		places[i].base = find_base(places, i);
}

static void touch(struct ir_place *places, u32 v, u32 op)
{
	struct ir_place *base = &places[places[v].base];

	if (!base->is_used || op < base->first)
		base->first = op;
	if (!base->is_used || op > base->last)
		base->last = op;
	base->is_used = true;
	places[v].is_used = true;
}

static void find_lives(struct ir *ir, struct ir_place *places)
{
	const u32 *inputs = ir->inputs.items, *outputs = ir->outputs.items;

	for (u32 i = 0; i < ir->ops.nr; i++) {
		const struct ir_op *op = graph_ir_op(ir, i);

		for (u32 k = 0; k < op->nr_out && !op->is_dead; k++)
			touch(places, op->out[k], i);
		for (u32 k = 0; k < op->nr_in && !op->is_dead; k++)
			if (op->in[k] != GRAPH_NONE)
				touch(places, op->in[k], i);
	}
	for (u32 i = 0; i < ir->inputs.nr; i++)
		places[inputs[i]].is_used = true;
	for (u32 i = 0; i < ir->outputs.nr; i++)
		places[outputs[i]].is_used = true;
	for (u32 i = 0; i < ir->values.nr; i++) {
		const struct ir_value *value = graph_ir_value(ir, i);

		places[i].is_arena = places[i].is_used && places[i].base == i && !is_bound(value) &&
				     !value->is_output;
	}
}

static int larger_first(const void *a, const void *b)
{
	const struct item *ia = a, *ib = b;

	if (ia->size != ib->size)
		return ia->size < ib->size ? 1 : -1;
	return ia->base < ib->base ? -1 : ia->base > ib->base;
}

static bool live_together(const struct item *a, const struct item *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* The lowest gap between the placed ones that live at the same time; they are sorted by offset. */
static u64 lowest_gap(const struct item *const *placed, u32 nr, const struct item *item)
{
	u64 off = 0;

	for (u32 i = 0; i < nr; i++) {
		if (!live_together(placed[i], item))
			continue;
		if (placed[i]->off >= off && placed[i]->off - off >= item->size)
			return off;
		off = base_max(off, placed[i]->off + placed[i]->size);
	}
	return off;
}

static void insert(const struct item **placed, u32 nr, const struct item *item)
{
	u32 at = nr;

	while (at && placed[at - 1]->off > item->off) {
		placed[at] = placed[at - 1];
		at--;
	}
	placed[at] = item;
}

static int place_all(struct ir *ir, struct item *items, u32 nr, struct ir_plan *plan)
{
	const struct item **placed =
		graph_mem_alloc(&ir->mem, base_min(nr, MAX_SHARED), sizeof(*placed));
	u64 end = 0;

	if (!placed)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < nr; i++) {
		struct item *item = &items[i];

		item->off = i < MAX_SHARED ? lowest_gap(placed, i, item) : end;
		if (i < MAX_SHARED)
			insert(placed, i, item);
		end = base_max(end, item->off + item->size);
		plan->arena_sum += item->size;
		if (end > ABI_MAX_ARENA_SIZE || plan->arena_sum > UINT64_MAX / 2)
			return base_err_set(
				ir->err, -E2BIG,
				"the network needs more than %llu GiB for its intermediate values",
				(unsigned long long)(ABI_MAX_ARENA_SIZE >> 30));
		plan->places[item->base].off = item->off;
	}
	plan->arena_size = end;
	return 0;
}

int graph_ir_plan(struct ir *ir, struct ir_plan *plan)
{
	struct item *items;
	u32 nr = 0;

	*plan = (struct ir_plan){ 0 };
	plan->places = graph_mem_alloc(&ir->mem, ir->values.nr, sizeof(*plan->places));
	items = graph_mem_alloc(&ir->mem, ir->values.nr, sizeof(*items));
	if (!plan->places || !items)
		return base_err_set(ir->err, -ENOMEM, "out of memory");
	make_aliases(ir, plan->places);
	find_lives(ir, plan->places);
	for (u32 i = 0; i < ir->values.nr; i++) {
		const struct ir_place *place = &plan->places[i];

		if (place->is_arena)
			items[nr++] = (struct item){ base_align_up(graph_ir_value(ir, i)->size,
								   ABI_PROG_ALIGN),
						     0, i, place->first, place->last };
	}
	if (nr)
		qsort(items, nr, sizeof(*items), larger_first);
	return place_all(ir, items, nr, plan);
}
