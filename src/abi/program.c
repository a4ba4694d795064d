// SPDX-License-Identifier: MIT
/*
 * Structure check of a program image.  Every number is judged against the image's real size before
 * it is used; what the operations mean is kern_prog_check()'s business.
 *
 * One pass per section: header, sections, tensors, operations.  Writing an alias writes its base,
 * and a base that is written makes all its aliases readable; so only bases are tracked.
 */
#include "abi/program.h"

#include <errno.h>
#include <string.h>

/* State of one abi_prog_open(); the three maps are one allocation. */
struct checker {
	const u8 *image;
	u64 size;
	struct abi_prog prog;
	u64 names_size;
	u64 attrs_size;
	u64 nr_operands;
	u64 *is_written; /* bit per tensor */
	u64 *has_input;	 /* bit per input number */
	u64 *has_output; /* bit per output number */
	struct base_err *err;
};

static const char *const section_name[ABI_NR_SECTIONS] = { "tensors", "ops",   "operands",
							   "attrs",   "names", "weights" };

static u64 bitmap_words(u64 nr_bits)
{
	return (nr_bits + 63) / 64;
}

static bool bit_test(const u64 *map, u64 i)
{
	return map[i / 64] >> (i % 64) & 1;
}

static void bit_set(u64 *map, u64 i)
{
	map[i / 64] |= BASE_BIT64(i % 64);
}

static int check_header_fields(struct checker *c)
{
	const struct abi_prog_header *h = c->prog.hdr;

	if (h->magic != ABI_PROG_MAGIC)
		return base_err_set(c->err, -EINVAL,
				    "program header: magic 0x%08x, 0x%08x wanted: not a program",
				    h->magic, ABI_PROG_MAGIC);
	if (h->version_major != ABI_PROG_VERSION_MAJOR || h->version_minor > ABI_PROG_VERSION_MINOR)
		return base_err_set(c->err, -EINVAL,
				    "program header: version %u.%u, %u.0 to %u.%u wanted: compile "
				    "the model again with this release",
				    h->version_major, h->version_minor, ABI_PROG_VERSION_MAJOR,
				    ABI_PROG_VERSION_MAJOR, ABI_PROG_VERSION_MINOR);
	if (h->size != c->size)
		return base_err_set(c->err, -EINVAL,
				    "program header: size %llu, but %llu bytes are there: "
				    "truncated or padded file",
				    (unsigned long long)h->size, (unsigned long long)c->size);
	if (h->precision != ABI_PREC_F32)
		return base_err_set(c->err, -EINVAL, "program header: precision %u, 0 (f32) wanted",
				    h->precision);
	if (h->flags)
		return base_err_set(c->err, -EINVAL, "program header: flags 0x%x, 0 wanted",
				    h->flags);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(h->reserved); i++)
		if (h->reserved[i])
			return base_err_set(c->err, -EINVAL,
					    "program header: reserved[%zu] 0x%x, 0 wanted", i,
					    h->reserved[i]);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(h->pad); i++)
		if (h->pad[i])
			return base_err_set(c->err, -EINVAL,
					    "program header: pad[%zu] 0x%x, 0 wanted", i,
					    h->pad[i]);
	return 0;
}

static int check_header_limits(struct checker *c)
{
	const struct abi_prog_header *h = c->prog.hdr;

	if (h->nr_inputs > ABI_MAX_BINDINGS || h->nr_outputs > ABI_MAX_BINDINGS ||
	    h->nr_inputs + h->nr_outputs > ABI_MAX_BINDINGS)
		return base_err_set(c->err, -EINVAL,
				    "program header: %u inputs and %u outputs, at most %u together",
				    h->nr_inputs, h->nr_outputs, ABI_MAX_BINDINGS);
	if (h->arena_size > ABI_MAX_ARENA_SIZE || h->arena_size % ABI_PROG_ALIGN)
		return base_err_set(c->err, -EINVAL,
				    "program header: arena_size %llu, a multiple of %u up to %llu "
				    "wanted",
				    (unsigned long long)h->arena_size, ABI_PROG_ALIGN,
				    (unsigned long long)ABI_MAX_ARENA_SIZE);
	return 0;
}

static int check_hash(struct checker *c)
{
	const size_t skip = sizeof(*c->prog.hdr);
	u64 want = base_hash64(c->image + skip, c->size - skip, 0);

	if (c->prog.hdr->content_hash != want)
		return base_err_set(c->err, -EINVAL,
				    "program header: content_hash 0x%016llx, but the content has "
				    "0x%016llx: damaged file, compile the model again",
				    (unsigned long long)c->prog.hdr->content_hash,
				    (unsigned long long)want);
	return 0;
}

/* An empty section may leave off at 0. */
static int check_section(struct checker *c, u32 id, u64 unit)
{
	const struct abi_section *s = &c->prog.hdr->sec[id];

	if (!s->off && !s->size)
		return 0;
	if (s->off < sizeof(*c->prog.hdr) || s->off % ABI_PROG_ALIGN)
		return base_err_set(c->err, -EINVAL,
				    "program section %s: off %llu, a multiple of %u past the "
				    "header's %zu bytes wanted",
				    section_name[id], (unsigned long long)s->off, ABI_PROG_ALIGN,
				    sizeof(*c->prog.hdr));
	if (!base_range_ok(s->off, s->size, c->size))
		return base_err_set(c->err, -EINVAL,
				    "program section %s: off %llu size %llu, inside the image's "
				    "%llu bytes wanted",
				    section_name[id], (unsigned long long)s->off,
				    (unsigned long long)s->size, (unsigned long long)c->size);
	if (s->size % unit)
		return base_err_set(
			c->err, -EINVAL, "program section %s: size %llu, a multiple of %llu wanted",
			section_name[id], (unsigned long long)s->size, (unsigned long long)unit);
	return 0;
}

static int check_sections(struct checker *c)
{
	static const u64 unit[ABI_NR_SECTIONS] = {
		[ABI_SEC_TENSORS] = sizeof(struct abi_prog_tensor),
		[ABI_SEC_OPS] = sizeof(struct abi_prog_op),
		[ABI_SEC_OPERANDS] = sizeof(u32),
		[ABI_SEC_ATTRS] = 1,
		[ABI_SEC_NAMES] = 1,
		[ABI_SEC_WEIGHTS] = 1,
	};
	int ret;

	for (u32 id = 0; id < ABI_NR_SECTIONS; id++) {
		ret = check_section(c, id, unit[id]);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_counts(struct checker *c)
{
	const struct abi_section *sec = c->prog.hdr->sec;
	u64 nr_tensors = sec[ABI_SEC_TENSORS].size / sizeof(struct abi_prog_tensor);
	u64 nr_ops = sec[ABI_SEC_OPS].size / sizeof(struct abi_prog_op);

	if (nr_tensors > ABI_MAX_TENSORS)
		return base_err_set(c->err, -EINVAL,
				    "program section tensors: %llu tensors, at most %u",
				    (unsigned long long)nr_tensors, ABI_MAX_TENSORS);
	if (nr_ops > UINT32_MAX)
		return base_err_set(c->err, -EINVAL, "program section ops: %llu ops, at most %u",
				    (unsigned long long)nr_ops, UINT32_MAX);
	return 0;
}

static void locate_sections(struct checker *c)
{
	const struct abi_section *sec = c->prog.hdr->sec;
	struct abi_prog *p = &c->prog;

	p->tensors = (const void *)(c->image + sec[ABI_SEC_TENSORS].off);
	p->nr_tensors = (u32)(sec[ABI_SEC_TENSORS].size / sizeof(*p->tensors));
	p->ops = (const void *)(c->image + sec[ABI_SEC_OPS].off);
	p->nr_ops = (u32)(sec[ABI_SEC_OPS].size / sizeof(*p->ops));
	p->operands = (const void *)(c->image + sec[ABI_SEC_OPERANDS].off);
	c->nr_operands = sec[ABI_SEC_OPERANDS].size / sizeof(*p->operands);
	p->attrs = c->image + sec[ABI_SEC_ATTRS].off;
	c->attrs_size = sec[ABI_SEC_ATTRS].size;
	p->names = (const char *)(c->image + sec[ABI_SEC_NAMES].off);
	c->names_size = sec[ABI_SEC_NAMES].size;
	p->weights = c->image + sec[ABI_SEC_WEIGHTS].off;
	p->weights_size = sec[ABI_SEC_WEIGHTS].size;
}

/* A section that starts and ends with NUL terminates every name inside it. */
static int check_names(struct checker *c)
{
	const struct abi_prog *p = &c->prog;

	if (!c->names_size || p->names[0] || p->names[c->names_size - 1])
		return base_err_set(c->err, -EINVAL,
				    "program section names: %llu bytes, a NUL first and last "
				    "wanted",
				    (unsigned long long)c->names_size);
	if (p->hdr->producer >= c->names_size)
		return base_err_set(c->err, -EINVAL,
				    "program header: producer %u, below the names' %llu wanted",
				    p->hdr->producer, (unsigned long long)c->names_size);
	return 0;
}

static int check_tensor_shape(struct checker *c, u32 idx)
{
	const struct abi_prog_tensor *t = &c->prog.tensors[idx];
	u64 size;

	if (!abi_dtype_size(t->dtype))
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: dtype %u, a known element type wanted", idx,
				    t->dtype);
	if (t->rank > ABI_MAX_RANK)
		return base_err_set(c->err, -EINVAL, "program tensor %u: rank %u, at most %u", idx,
				    t->rank, ABI_MAX_RANK);
	if (!abi_tensor_size(t->dtype, t->rank, t->dims, &size))
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: dims give more than %llu bytes", idx,
				    (unsigned long long)ABI_MAX_TENSOR_SIZE);
	if (t->size != size)
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: size %llu, its dims give %llu", idx,
				    (unsigned long long)t->size, (unsigned long long)size);
	for (u32 i = t->rank; i < ABI_MAX_RANK; i++)
		if (t->dims[i])
			return base_err_set(c->err, -EINVAL,
					    "program tensor %u: dims[%u] %u past rank %u, 0 wanted",
					    idx, i, t->dims[i], t->rank);
	return 0;
}

static int check_tensor_fields(struct checker *c, u32 idx)
{
	const struct abi_prog_tensor *t = &c->prog.tensors[idx];

	if (t->name >= c->names_size)
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: name %u, below the names' %llu wanted", idx,
				    t->name, (unsigned long long)c->names_size);
	if (t->pad0)
		return base_err_set(c->err, -EINVAL, "program tensor %u: pad0 0x%x, 0 wanted", idx,
				    t->pad0);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(t->pad1); i++)
		if (t->pad1[i])
			return base_err_set(c->err, -EINVAL,
					    "program tensor %u: pad1[%zu] 0x%x, 0 wanted", idx, i,
					    t->pad1[i]);
	return 0;
}

/* A constant in WEIGHTS or a tensor in the arena. */
static int check_place(struct checker *c, u32 idx, const char *where, u64 room)
{
	const struct abi_prog_tensor *t = &c->prog.tensors[idx];

	if (t->off % ABI_PROG_ALIGN)
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: off %llu in the %s, a multiple of %u "
				    "wanted",
				    idx, (unsigned long long)t->off, where, ABI_PROG_ALIGN);
	if (!base_range_ok(t->off, t->size, room))
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: off %llu size %llu, inside the %s of "
				    "%llu bytes wanted",
				    idx, (unsigned long long)t->off, (unsigned long long)t->size,
				    where, (unsigned long long)room);
	return 0;
}

/* Input or output numbers: below the count, each once. */
static int check_number(struct checker *c, u32 idx, const char *what, u64 *seen, u32 count)
{
	u64 nr = c->prog.tensors[idx].off;

	if (nr >= count)
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: %s number %llu, below %u wanted", idx, what,
				    (unsigned long long)nr, count);
	if (bit_test(seen, nr))
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: %s number %llu a second time", idx, what,
				    (unsigned long long)nr);
	bit_set(seen, nr);
	return 0;
}

static int check_alias(struct checker *c, u32 idx)
{
	const struct abi_prog_tensor *t = &c->prog.tensors[idx];
	const struct abi_prog_tensor *base;

	if (t->off >= idx)
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: alias of tensor %llu, an earlier one "
				    "wanted",
				    idx, (unsigned long long)t->off);
	base = &c->prog.tensors[t->off];
	if (base->kind == ABI_TENSOR_ALIAS)
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: alias of tensor %llu, which is an alias "
				    "itself",
				    idx, (unsigned long long)t->off);
	if (base->size != t->size)
		return base_err_set(c->err, -EINVAL,
				    "program tensor %u: size %llu, but it is an alias of tensor "
				    "%llu with %llu bytes",
				    idx, (unsigned long long)t->size, (unsigned long long)t->off,
				    (unsigned long long)base->size);
	return 0;
}

static int check_tensor_kind(struct checker *c, u32 idx)
{
	const struct abi_prog_header *h = c->prog.hdr;

	switch (c->prog.tensors[idx].kind) {
	case ABI_TENSOR_CONST:
		bit_set(c->is_written, idx);
		return check_place(c, idx, "weights", c->prog.weights_size);
	case ABI_TENSOR_INPUT:
		bit_set(c->is_written, idx);
		return check_number(c, idx, "input", c->has_input, h->nr_inputs);
	case ABI_TENSOR_OUTPUT:
		return check_number(c, idx, "output", c->has_output, h->nr_outputs);
	case ABI_TENSOR_ARENA:
		return check_place(c, idx, "arena", h->arena_size);
	case ABI_TENSOR_ALIAS:
		return check_alias(c, idx);
	default:
		return base_err_set(c->err, -EINVAL, "program tensor %u: kind %u, 1 to %u wanted",
				    idx, c->prog.tensors[idx].kind, ABI_TENSOR_ALIAS);
	}
}

static int check_numbers_complete(struct checker *c, const char *what, const u64 *seen, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (!bit_test(seen, i))
			return base_err_set(c->err, -EINVAL,
					    "program: %s %u of %u has no tensor of that kind", what,
					    i, count);
	return 0;
}

static int check_tensors(struct checker *c)
{
	int ret;

	for (u32 i = 0; i < c->prog.nr_tensors; i++) {
		ret = check_tensor_shape(c, i);
		if (!ret)
			ret = check_tensor_fields(c, i);
		if (!ret)
			ret = check_tensor_kind(c, i);
		if (ret)
			return ret;
	}
	ret = check_numbers_complete(c, "input", c->has_input, c->prog.hdr->nr_inputs);
	if (ret)
		return ret;
	return check_numbers_complete(c, "output", c->has_output, c->prog.hdr->nr_outputs);
}

static u32 base_of(const struct abi_prog *p, u32 idx)
{
	const struct abi_prog_tensor *t = &p->tensors[idx];

	return t->kind == ABI_TENSOR_ALIAS ? (u32)t->off : idx;
}

/* Do two tensors share bytes?  Bindings are the invocation's: different ones count as apart. */
static bool do_overlap(const struct abi_prog *p, u32 a, u32 b)
{
	const struct abi_prog_tensor *ta, *tb;

	a = base_of(p, a);
	b = base_of(p, b);
	ta = &p->tensors[a];
	tb = &p->tensors[b];
	if (!ta->size || !tb->size)
		return false;
	if (ta->kind != ABI_TENSOR_ARENA || tb->kind != ABI_TENSOR_ARENA)
		return a == b;
	return ta->off < tb->off + tb->size && tb->off < ta->off + ta->size;
}

static bool is_in_place(const struct abi_prog *p, const struct abi_prog_op *op, u32 in, u32 out)
{
	const struct abi_prog_tensor *ti = &p->tensors[base_of(p, in)];
	const struct abi_prog_tensor *to = &p->tensors[base_of(p, out)];

	if (op->code != ABI_OP_UNARY && op->code != ABI_OP_COPY)
		return false;
	return ti->kind == to->kind && ti->off == to->off;
}

static int check_op_fields(struct checker *c, u32 nr)
{
	const struct abi_prog_op *op = &c->prog.ops[nr];
	u32 attr_size = abi_op_attr_size(op->code);

	if (!op->code || op->code >= ABI_NR_OPS)
		return base_err_set(c->err, -EINVAL, "program op %u: code %u, 1 to %u wanted", nr,
				    op->code, ABI_NR_OPS - 1);
	if (op->name >= c->names_size)
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): name %u, below the names' %llu wanted", nr,
				    abi_op_name(op->code), op->name,
				    (unsigned long long)c->names_size);
	if (op->attr_size != attr_size)
		return base_err_set(c->err, -EINVAL, "program op %u (%s): attr_size %u, %u wanted",
				    nr, abi_op_name(op->code), op->attr_size, attr_size);
	if (op->attr % 8 || !base_range_ok(op->attr, op->attr_size, c->attrs_size))
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): attr %u, a multiple of 8 with %u bytes "
				    "inside the attrs' %llu wanted",
				    nr, abi_op_name(op->code), op->attr, op->attr_size,
				    (unsigned long long)c->attrs_size);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(op->reserved); i++)
		if (op->reserved[i])
			return base_err_set(c->err, -EINVAL,
					    "program op %u (%s): reserved[%zu] 0x%x, 0 wanted", nr,
					    abi_op_name(op->code), i, op->reserved[i]);
	return 0;
}

static int check_op_arity(struct checker *c, u32 nr)
{
	const struct abi_prog_op *op = &c->prog.ops[nr];
	u32 count = (u32)op->nr_in + op->nr_out;

	if (!op->nr_out || op->nr_out > ABI_MAX_OUTPUTS || count > ABI_MAX_OPERANDS)
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): nr_in %u nr_out %u, 1 to %u outputs and "
				    "at most %u operands wanted",
				    nr, abi_op_name(op->code), op->nr_in, op->nr_out,
				    ABI_MAX_OUTPUTS, ABI_MAX_OPERANDS);
	if (!base_range_ok(op->operand, count, c->nr_operands))
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): operand %u and %u following, inside the "
				    "%llu operands wanted",
				    nr, abi_op_name(op->code), op->operand, count - 1,
				    (unsigned long long)c->nr_operands);
	return 0;
}

static int check_op_input(struct checker *c, u32 nr, u32 i)
{
	const struct abi_prog_op *op = &c->prog.ops[nr];
	u32 idx = c->prog.operands[op->operand + i];

	if (idx == ABI_TENSOR_NONE)
		return 0;
	if (idx >= c->prog.nr_tensors)
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): input %u is tensor %u, below %u wanted",
				    nr, abi_op_name(op->code), i, idx, c->prog.nr_tensors);
	if (!bit_test(c->is_written, base_of(&c->prog, idx)))
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): input %u is tensor %u, which nothing has "
				    "written yet",
				    nr, abi_op_name(op->code), i, idx);
	return 0;
}

static int check_op_output(struct checker *c, u32 nr, u32 i)
{
	const struct abi_prog_op *op = &c->prog.ops[nr];
	u32 idx = c->prog.operands[op->operand + op->nr_in + i];
	u8 kind;

	if (idx >= c->prog.nr_tensors)
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): output %u is tensor %u, below %u wanted",
				    nr, abi_op_name(op->code), i, idx, c->prog.nr_tensors);
	kind = c->prog.tensors[base_of(&c->prog, idx)].kind;
	if (kind == ABI_TENSOR_CONST || kind == ABI_TENSOR_INPUT)
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): output %u is tensor %u, which is %s", nr,
				    abi_op_name(op->code), i, idx,
				    kind == ABI_TENSOR_CONST ? "a constant" : "an input");
	return 0;
}

/* An output shares no byte with another operand of its operation; kern_run() relies on it. */
static int check_op_overlap(struct checker *c, u32 nr, u32 i)
{
	const struct abi_prog_op *op = &c->prog.ops[nr];
	const u32 *operand = c->prog.operands + op->operand;
	u32 out = operand[op->nr_in + i];

	for (u32 k = 0; k < op->nr_in + i; k++) {
		if (operand[k] == ABI_TENSOR_NONE || !do_overlap(&c->prog, operand[k], out))
			continue;
		if (k < op->nr_in && is_in_place(&c->prog, op, operand[k], out))
			continue;
		return base_err_set(c->err, -EINVAL,
				    "program op %u (%s): output %u (tensor %u) overlaps operand %u "
				    "(tensor %u)",
				    nr, abi_op_name(op->code), i, out, k, operand[k]);
	}
	return 0;
}

static int check_op(struct checker *c, u32 nr)
{
	const struct abi_prog_op *op = &c->prog.ops[nr];
	int ret;

	ret = check_op_fields(c, nr);
	if (!ret)
		ret = check_op_arity(c, nr);
	for (u32 i = 0; !ret && i < op->nr_in; i++)
		ret = check_op_input(c, nr, i);
	for (u32 i = 0; !ret && i < op->nr_out; i++)
		ret = check_op_output(c, nr, i);
	for (u32 i = 0; !ret && i < op->nr_out; i++)
		ret = check_op_overlap(c, nr, i);
	if (ret)
		return ret;
	for (u32 i = 0; i < op->nr_out; i++)
		bit_set(c->is_written,
			base_of(&c->prog, c->prog.operands[op->operand + op->nr_in + i]));
	return 0;
}

static int check_ops(struct checker *c)
{
	const struct abi_prog *p = &c->prog;
	int ret;

	for (u32 nr = 0; nr < p->nr_ops; nr++) {
		ret = check_op(c, nr);
		if (ret)
			return ret;
	}
	for (u32 i = 0; i < p->nr_tensors; i++)
		if (p->tensors[i].kind == ABI_TENSOR_OUTPUT && !bit_test(c->is_written, i))
			return base_err_set(c->err, -EINVAL,
					    "program tensor %u: output %llu, which no op writes", i,
					    (unsigned long long)p->tensors[i].off);
	return 0;
}

/* Header and sections: afterwards every part of c->prog may be read. */
static int check_frame(struct checker *c)
{
	int ret;

	if ((uintptr_t)c->image % 8)
		return base_err_set(c->err, -EINVAL,
				    "program: image not at a multiple of 8 in memory");
	if (c->size < sizeof(*c->prog.hdr))
		return base_err_set(c->err, -EINVAL,
				    "program: %llu bytes, the header alone has %zu",
				    (unsigned long long)c->size, sizeof(*c->prog.hdr));
	c->prog.hdr = (const void *)c->image;
	ret = check_header_fields(c);
	if (!ret)
		ret = check_header_limits(c);
	if (!ret)
		ret = check_hash(c);
	if (!ret)
		ret = check_sections(c);
	if (!ret)
		ret = check_counts(c);
	if (ret)
		return ret;
	locate_sections(c);
	return check_names(c);
}

int abi_prog_open(const void *image, u64 size, struct abi_prog *out, struct base_err *err)
{
	struct checker c = { .image = image, .size = size, .err = err };
	u64 nr_words;
	u64 *map;
	int ret;

	ret = check_frame(&c);
	if (ret)
		return ret;
	nr_words = bitmap_words(c.prog.nr_tensors) + bitmap_words(c.prog.hdr->nr_inputs) +
		   bitmap_words(c.prog.hdr->nr_outputs);
	map = base_alloc_array(nr_words, sizeof(*map));
	if (!map)
		return base_err_set(err, -ENOMEM, "program: no memory to check %u tensors",
				    c.prog.nr_tensors);
	c.is_written = map;
	c.has_input = c.is_written + bitmap_words(c.prog.nr_tensors);
	c.has_output = c.has_input + bitmap_words(c.prog.hdr->nr_inputs);
	ret = check_tensors(&c);
	if (!ret)
		ret = check_ops(&c);
	base_free(map);
	if (!ret)
		*out = c.prog;
	return ret;
}

static const struct abi_prog_tensor *find_binding(const struct abi_prog *prog, u8 kind, u32 nr)
{
	for (u32 i = 0; i < prog->nr_tensors; i++)
		if (prog->tensors[i].kind == kind && prog->tensors[i].off == nr)
			return &prog->tensors[i];
	return NULL;
}

const struct abi_prog_tensor *abi_prog_input(const struct abi_prog *prog, u32 i)
{
	return find_binding(prog, ABI_TENSOR_INPUT, i);
}

const struct abi_prog_tensor *abi_prog_output(const struct abi_prog *prog, u32 i)
{
	return find_binding(prog, ABI_TENSOR_OUTPUT, i);
}
