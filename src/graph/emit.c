// SPDX-License-Identifier: MIT
/* The program image.  SRC: src/abi/program.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "graph/ir.h"

#define PRODUCER "npu graph"

struct weight { /* a constant's bytes, for finding those that are there twice */
	const void *data;
	u64 size, off;
	u32 value;
};

struct emitter {
	struct ir *ir;
	const struct ir_plan *plan;
	u32 *tensor_of; /* value -> tensor */
	u32 *value_of;	/* tensor -> value */
	u32 nr_tensors;
	struct weight *weights;
	u64 *weight_off; /* value -> offset in WEIGHTS */
	u32 nr_weights;
	u64 weights_size;
	struct abi_section sec[ABI_NR_SECTIONS];
	u64 size;
	u8 *image;
	u32 next_name;
};

static int no_memory(struct emitter *em)
{
	return base_err_set(em->ir->err, -ENOMEM, "out of memory");
}

static void add_tensor(struct emitter *em, u32 v)
{
	if (em->tensor_of[v] != GRAPH_NONE)
		return;
	em->tensor_of[v] = em->nr_tensors;
	em->value_of[em->nr_tensors++] = v;
}

/* Inputs, outputs, then bases, then aliases: an alias stands after what it names. */
static int number_tensors(struct emitter *em)
{
	const u32 *inputs = em->ir->inputs.items, *outputs = em->ir->outputs.items;
	const struct ir_place *places = em->plan->places;
	u32 nr = em->ir->values.nr;

	em->tensor_of = graph_mem_alloc(&em->ir->mem, nr, sizeof(u32));
	em->value_of = graph_mem_alloc(&em->ir->mem, nr, sizeof(u32));
	if (!em->tensor_of || !em->value_of)
		return no_memory(em);
	for (u32 i = 0; i < nr; i++)
		em->tensor_of[i] = GRAPH_NONE;
	for (u32 i = 0; i < em->ir->inputs.nr; i++)
		add_tensor(em, inputs[i]);
	for (u32 i = 0; i < em->ir->outputs.nr; i++)
		add_tensor(em, outputs[i]);
	for (u32 i = 0; i < nr; i++)
		if (places[i].is_used && places[i].base == i)
			add_tensor(em, i);
	for (u32 i = 0; i < nr; i++)
		if (places[i].is_used)
			add_tensor(em, i);
	return 0;
}

static int by_data(const void *a, const void *b)
{
	const struct weight *wa = a, *wb = b;

	if (wa->data != wb->data)
		return (uintptr_t)wa->data < (uintptr_t)wb->data ? -1 : 1;
	if (wa->size != wb->size)
		return wa->size < wb->size ? -1 : 1;
	return wa->value < wb->value ? -1 : wa->value > wb->value;
}

static int by_value(const void *a, const void *b)
{
	const struct weight *wa = a, *wb = b;

	return wa->value < wb->value ? -1 : wa->value > wb->value;
}

/* The same bytes under several names are written once, in the order of first mention. */
static int place_weights(struct emitter *em)
{
	struct ir *ir = em->ir;
	u32 nr = 0, kept = 0;

	em->weights = graph_mem_alloc(&ir->mem, em->nr_tensors, sizeof(*em->weights));
	em->weight_off = graph_mem_alloc(&ir->mem, ir->values.nr, sizeof(*em->weight_off));
	if (!em->weights || !em->weight_off)
		return no_memory(em);
	for (u32 i = 0; i < em->nr_tensors; i++) {
		u32 v = em->value_of[i];
		const struct ir_value *value = graph_ir_value(ir, v);

		if (value->is_const && em->plan->places[v].base == v)
			em->weights[nr++] = (struct weight){ value->t.data, value->size, 0, v };
	}
	if (nr)
		qsort(em->weights, nr, sizeof(*em->weights), by_data);
	for (u32 i = 0; i < nr; i++) {
		struct weight *w = &em->weights[i];

		if (kept && em->weights[kept - 1].data == w->data &&
		    em->weights[kept - 1].size == w->size) {
			em->weight_off[w->value] =
				em->weights[kept - 1].value; /* its twin, for now */
			continue;
		}
		em->weight_off[w->value] = w->value;
		em->weights[kept++] = *w;
	}
	if (kept)
		qsort(em->weights, kept, sizeof(*em->weights), by_value);
	for (u32 i = 0; i < kept; i++) {
		em->weights[i].off = em->weights_size;
		em->weights_size += base_align_up(em->weights[i].size, ABI_PROG_ALIGN);
	}
	em->nr_weights = kept;
	return 0;
}

/* Twins take their offset from the one that is written. */
static void resolve_weights(struct emitter *em, u64 *off_of)
{
	for (u32 i = 0; i < em->nr_weights; i++)
		off_of[em->weights[i].value] = em->weights[i].off;
	for (u32 i = 0; i < em->nr_tensors; i++) {
		u32 v = em->value_of[i];

		if (graph_ir_value(em->ir, v)->is_const && em->plan->places[v].base == v)
			em->weight_off[v] = off_of[em->weight_off[v]];
	}
}

static void add_section(struct emitter *em, u32 id, u64 size)
{
	em->sec[id] = (struct abi_section){ em->size, size };
	em->size = base_align_up(em->size + size, ABI_PROG_ALIGN);
}

static int lay_out(struct emitter *em)
{
	u64 names = 1 + sizeof(PRODUCER), operands = 0, attrs = 0;
	u32 nr_ops = 0;

	for (u32 i = 0; i < em->nr_tensors; i++)
		names += strlen(graph_ir_value(em->ir, em->value_of[i])->name) + 1;
	for (u32 i = 0; i < em->ir->ops.nr; i++) {
		const struct ir_op *op = graph_ir_op(em->ir, i);

		if (op->is_dead)
			continue;
		nr_ops++;
		names += strlen(op->name) + 1;
		operands += op->nr_in + op->nr_out;
		attrs += base_align_up(op->attr_size, 8);
	}
	if (names > UINT32_MAX || attrs > UINT32_MAX || operands > UINT32_MAX)
		return base_err_set(em->ir->err, -E2BIG, "the network is too large");
	em->size = sizeof(struct abi_prog_header);
	add_section(em, ABI_SEC_TENSORS, em->nr_tensors * sizeof(struct abi_prog_tensor));
	add_section(em, ABI_SEC_OPS, nr_ops * sizeof(struct abi_prog_op));
	add_section(em, ABI_SEC_OPERANDS, operands * sizeof(u32));
	add_section(em, ABI_SEC_ATTRS, attrs);
	add_section(em, ABI_SEC_NAMES, names);
	add_section(em, ABI_SEC_WEIGHTS, em->weights_size);
	return 0;
}

static u32 put_name(struct emitter *em, const char *name)
{
	u32 at = em->next_name;
	size_t len = strlen(name);

	if (!len)
		return 0;
	memcpy(em->image + em->sec[ABI_SEC_NAMES].off + at, name, len + 1);
	em->next_name += (u32)len + 1;
	return at;
}

static void put_place(struct emitter *em, u32 v, struct abi_prog_tensor *t)
{
	const struct ir_place *place = &em->plan->places[v];
	const struct ir_value *value = graph_ir_value(em->ir, v);

	if (value->input != GRAPH_NONE) {
		t->kind = ABI_TENSOR_INPUT;
		t->off = value->input;
	} else if (place->base != v) {
		t->kind = ABI_TENSOR_ALIAS;
		t->off = em->tensor_of[place->base];
	} else if (value->is_const) {
		t->kind = ABI_TENSOR_CONST;
		t->off = em->weight_off[v];
	} else if (place->is_arena) {
		t->kind = ABI_TENSOR_ARENA;
		t->off = place->off;
	} else {
		t->kind = ABI_TENSOR_OUTPUT; /* its number is filled in by put_tensors() */
	}
}

static void put_tensors(struct emitter *em)
{
	struct abi_prog_tensor *tensors = (void *)(em->image + em->sec[ABI_SEC_TENSORS].off);
	const u32 *outputs = em->ir->outputs.items;

	for (u32 i = 0; i < em->nr_tensors; i++) {
		const struct ir_value *value = graph_ir_value(em->ir, em->value_of[i]);
		struct abi_prog_tensor *t = &tensors[i];

		t->dtype = (u8)value->t.dtype;
		t->rank = (u8)value->t.rank;
		t->name = put_name(em, value->name);
		t->size = value->size;
		memcpy(t->dims, value->t.dims, value->t.rank * sizeof(t->dims[0]));
		put_place(em, em->value_of[i], t);
	}
	for (u32 i = 0; i < em->ir->outputs.nr; i++)
		tensors[em->tensor_of[outputs[i]]].off = i;
}

static void put_ops(struct emitter *em)
{
	struct abi_prog_op *out = (void *)(em->image + em->sec[ABI_SEC_OPS].off);
	u32 *operands = (void *)(em->image + em->sec[ABI_SEC_OPERANDS].off);
	u8 *attrs = em->image + em->sec[ABI_SEC_ATTRS].off;
	u32 operand = 0, attr = 0;

	for (u32 i = 0; i < em->ir->ops.nr; i++) {
		const struct ir_op *op = graph_ir_op(em->ir, i);

		if (op->is_dead)
			continue;
		*out = (struct abi_prog_op){ .code = (u16)op->code,
					     .nr_in = (u8)op->nr_in,
					     .nr_out = (u8)op->nr_out,
					     .operand = operand,
					     .attr = op->attr_size ? attr : 0,
					     .attr_size = op->attr_size };
		out->name = put_name(em, op->name);
		for (u32 k = 0; k < op->nr_in; k++)
			operands[operand++] = op->in[k] == GRAPH_NONE ? ABI_TENSOR_NONE
								      : em->tensor_of[op->in[k]];
		for (u32 k = 0; k < op->nr_out; k++)
			operands[operand++] = em->tensor_of[op->out[k]];
		if (op->attr_size)
			memcpy(attrs + attr, op->attr, op->attr_size);
		attr += (u32)base_align_up(op->attr_size, 8);
		out++;
	}
}

static void put_weights(struct emitter *em)
{
	u8 *weights = em->image + em->sec[ABI_SEC_WEIGHTS].off;

	for (u32 i = 0; i < em->nr_weights; i++)
		if (em->weights[i].size)
			memcpy(weights + em->weights[i].off, em->weights[i].data,
			       em->weights[i].size);
}

static void put_header(struct emitter *em)
{
	struct abi_prog_header *hdr = (void *)em->image;

	*hdr = (struct abi_prog_header){
		.magic = ABI_PROG_MAGIC,
		.version_major = ABI_PROG_VERSION_MAJOR,
		.version_minor = ABI_PROG_VERSION_MINOR,
		.size = em->size,
		.precision = ABI_PREC_F32,
		.nr_inputs = em->ir->inputs.nr,
		.nr_outputs = em->ir->outputs.nr,
		.arena_size = em->plan->arena_size,
		.producer = put_name(em, PRODUCER),
	};
	memcpy(hdr->sec, em->sec, sizeof(em->sec));
	hdr->content_hash = base_hash64(em->image + sizeof(*hdr), em->size - sizeof(*hdr), 0);
}

int graph_ir_write(struct ir *ir, const struct ir_plan *plan, void **image, size_t *size,
		   u64 *weights_size)
{
	struct emitter em = { .ir = ir, .plan = plan, .next_name = 1 };
	u64 *off_of;
	int ret;

	ret = number_tensors(&em);
	if (!ret)
		ret = place_weights(&em);
	if (!ret)
		ret = lay_out(&em);
	if (ret)
		return ret;
	off_of = graph_mem_alloc(&ir->mem, ir->values.nr, sizeof(*off_of));
	if (!off_of)
		return no_memory(&em);
	resolve_weights(&em, off_of);
	em.image = base_zalloc(em.size); /* malloc()ed, as the public header says */
	if (!em.image)
		return no_memory(&em);
	put_tensors(&em);
	put_ops(&em);
	put_weights(&em);
	put_header(&em);
	*image = em.image;
	*size = em.size;
	*weights_size = em.weights_size;
	return 0;
}
