// SPDX-License-Identifier: MIT
/* The meaning of a program: each operation's outputs are what kern_infer() says they are. */
#include "kernels/internal.h"

struct op_operands {
	struct kern_tensor in[ABI_MAX_OPERANDS];
	const struct kern_tensor *in_ptr[ABI_MAX_OPERANDS];
	struct kern_tensor out[ABI_MAX_OUTPUTS];
};

static struct kern_tensor describe(const struct abi_prog_tensor *t)
{
	struct kern_tensor k = { .dtype = t->dtype, .rank = t->rank };

	memcpy(k.dims, t->dims, sizeof(k.dims));
	return k;
}

static const u32 *operands_of(const struct abi_prog *prog, const struct abi_prog_op *op)
{
	return prog->operands + op->operand;
}

static void collect_inputs(const struct abi_prog *prog, const struct abi_prog_op *op,
			   struct op_operands *o)
{
	const u32 *operand = operands_of(prog, op);

	for (u32 i = 0; i < op->nr_in; i++) {
		o->in_ptr[i] = NULL;
		if (operand[i] == ABI_TENSOR_NONE)
			continue;
		o->in[i] = describe(&prog->tensors[operand[i]]);
		o->in_ptr[i] = &o->in[i];
	}
}

/* "float32 [1, 3, 224, 224]" */
static const char *shape_text(const struct kern_tensor *t, char *buf, size_t size)
{
	int len = snprintf(buf, size, "%s [", abi_dtype_name(t->dtype));

	for (u32 i = 0; i < t->rank && len > 0 && (size_t)len < size; i++)
		len += snprintf(buf + len, size - (size_t)len, i ? ", %u" : "%u", t->dims[i]);
	if (len > 0 && (size_t)len < size)
		snprintf(buf + len, size - (size_t)len, "]");
	return buf;
}

static int check_output(const struct abi_prog *prog, const struct abi_prog_op *op, u32 i,
			const struct kern_tensor *inferred, struct base_err *err)
{
	u32 idx = operands_of(prog, op)[op->nr_in + i];
	struct kern_tensor declared = describe(&prog->tensors[idx]);
	char is[128], should[128];

	if (declared.dtype == inferred->dtype && declared.rank == inferred->rank &&
	    !memcmp(declared.dims, inferred->dims, sizeof(declared.dims)))
		return 0;
	return base_err_set(err, -EINVAL, "%s: output %u (tensor %u) is %s, but the inputs give %s",
			    abi_op_name(op->code), i, idx, shape_text(&declared, is, sizeof(is)),
			    shape_text(inferred, should, sizeof(should)));
}

static int check_op(const struct abi_prog *prog, const struct abi_prog_op *op,
		    struct op_operands *o, struct base_err *err)
{
	const struct kern_op kop = { op->code, prog->attrs + op->attr, op->attr_size, NULL };
	int ret;

	collect_inputs(prog, op, o);
	ret = kern_infer(&kop, o->in_ptr, op->nr_in, o->out, op->nr_out, err);
	for (u32 i = 0; !ret && i < op->nr_out; i++)
		ret = check_output(prog, op, i, &o->out[i], err);
	return ret;
}

/* A name from a file: what a terminal might obey becomes '?'. */
static const char *printable(const char *name, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && name[i]; i++)
		buf[i] = (u8)name[i] < ' ' || name[i] == 0x7F ? '?' : name[i];
	buf[i] = '\0';
	return buf;
}

int kern_prog_check(const struct abi_prog *prog, struct base_err *err)
{
	struct op_operands o;
	char name[80];
	int ret;

	for (u32 nr = 0; nr < prog->nr_ops; nr++) {
		const struct abi_prog_op *op = &prog->ops[nr];

		ret = check_op(prog, op, &o, err);
		if (!ret)
			continue;
		base_err_prefix(err, "program op %u '%s'", nr,
				printable(abi_prog_name(prog, op->name), name, sizeof(name)));
		return ret;
	}
	return 0;
}
