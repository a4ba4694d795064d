// SPDX-License-Identifier: MIT
/*
 * Random operations, mostly nonsense: whatever kern_infer() accepts must run inside its memory and
 * end.  Every operand has exactly its bytes on the heap, so that a sanitizer sees a step aside.
 */
#include <stdlib.h>

#include "kernels/kern_testing.h"

#define NR_ROUNDS 150000u

static u64 seed = 1;

static u32 random_below(u32 n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (u32)(seed >> 33) % n;
}

/* Small numbers mostly, now and then one that overflows something. */
static u32 random_value(void)
{
	static const u32 odd[8] = { UINT32_MAX, INT32_MAX, 1u << 31, 1u << 16,
				    65535,	1u << 30,  0xFF,     257 };

	return random_below(40) ? random_below(5) : odd[random_below(8)];
}

static bool is_windowed(u32 code)
{
	return code == ABI_OP_CONV || code == ABI_OP_CONV_TRANSPOSE || code == ABI_OP_POOL;
}

/* Strides and dilations of any size, pads that are not too often refused. */
static void random_window(u32 code, u8 *attr)
{
	struct abi_window w = { .nr_spatial = 1 + random_below(3) };
	struct abi_attr_conv conv = { .group = 1 + random_below(2) };
	struct abi_attr_pool pool = { .kind = 1 + random_below(2),
				      .ceil_mode = random_below(2),
				      .count_include_pad = random_below(2),
				      .column_major = random_below(2) };

	for (u32 i = 0; i < w.nr_spatial; i++) {
		w.kernel[i] = 1 + random_below(3);
		w.stride[i] = 1 + random_value();
		w.dilation[i] = 1 + random_below(3) * random_value();
		w.pad_begin[i] = random_below(2) * random_value();
		w.pad_end[i] = random_below(2) * random_value();
		conv.output_pad[i] = code == ABI_OP_CONV_TRANSPOSE ? random_value() : 0;
	}
	conv.act.kind = random_below(2) * random_value();
	conv.win = pool.win = w;
	if (code == ABI_OP_POOL)
		memcpy(attr, &pool, sizeof(pool));
	else
		memcpy(attr, &conv, sizeof(conv));
}

static void random_attr(u32 code, u8 *attr, u32 size)
{
	memset(attr, 0, size);
	for (u32 i = 0; i + 4 <= size; i += 4) {
		u32 v = random_below(3) ? random_value() : 0;

		memcpy(attr + i, &v, sizeof(v));
	}
	if (is_windowed(code))
		random_window(code, attr);
	if (code == ABI_OP_MATMUL && random_below(4))
		memcpy(attr, VALUES(float, 1, 1), 8);
	if ((code == ABI_OP_SLICE || code == ABI_OP_PAD) && random_below(4))
		for (u32 i = 12; i < size; i += 8) /* s64: small and negative ones too */
			memset(attr + i, random_below(3) ? 0 : 0xFF, 4);
}

static void random_tensor(struct kern_tensor *t, u32 dtype)
{
	static const u32 types[12] = { ABI_F32, ABI_U8,	  ABI_S8,  ABI_U16, ABI_S16, ABI_S32,
				       ABI_S64, ABI_BOOL, ABI_F16, ABI_F64, ABI_U32, ABI_U64 };

	memset(t, 0, sizeof(*t));
	t->dtype = random_below(8) ? dtype : types[random_below(12)];
	t->rank = random_below(6);
	for (u32 i = 0; i < t->rank; i++)
		t->dims[i] = random_below(30) ? 1 + random_below(3) : 0;
}

/* x [n, channels, ...] and weights with the window's kernel. */
static void window_inputs(struct kern_tensor *in, u32 nr, const u8 *attr)
{
	struct abi_window w;

	memcpy(&w, attr, sizeof(w));
	in[0].rank = w.nr_spatial + 2;
	for (u32 i = 0; i < in[0].rank; i++)
		in[0].dims[i] = random_below(20) ? 1 + random_below(4) : 0;
	if (nr < 2)
		return;
	in[1] = in[0];
	in[1].dims[0] = 1 + random_below(3);
	if (random_below(2)) /* in a transposed convolution the channels come first */
		in[1].dims[0] = in[0].dims[1];
	for (u32 i = 0; i < w.nr_spatial; i++)
		in[1].dims[2 + i] = w.kernel[i];
	for (u32 i = 2; i < nr && random_below(2); i++)
		in[i] = (struct kern_tensor){ .dtype = in[0].dtype,
					      .rank = 1,
					      .dims = { in[1].dims[0] } };
}

/* Operands related to the first, or nothing would ever be accepted. */
static void random_inputs(u32 code, struct kern_tensor *in, u32 nr, const u8 *attr)
{
	static const u32 types[4] = { ABI_F32, ABI_F32, ABI_F16, ABI_S32 };
	u32 dtype = types[random_below(4)];

	random_tensor(&in[0], code == ABI_OP_SELECT ? ABI_BOOL : dtype);
	for (u32 i = 1; i < nr; i++) {
		if (random_below(2))
			in[i] = in[0];
		else
			random_tensor(&in[i], code == ABI_OP_GATHER ? ABI_S64 : dtype);
	}
	if (is_windowed(code))
		window_inputs(in, nr, attr);
	if (code == ABI_OP_BATCH_NORM || code == ABI_OP_INSTANCE_NORM)
		for (u32 i = 1; i < nr; i++)
			in[i] = (struct kern_tensor){ .dtype = dtype,
						      .rank = 1,
						      .dims = { in[0].dims[1] } };
}

/* What would hardly ever fit by chance is made to fit. */
static void help_attr(u32 code, const struct kern_tensor *x, u8 *attr)
{
	struct abi_attr_transpose t = { .perm = { 0 } };
	struct abi_attr_shape s = { .rank = x->rank };

	if (!random_below(3))
		return;
	if (code == ABI_OP_TRANSPOSE) {
		for (u32 i = 0; i < x->rank; i++)
			t.perm[i] = x->rank - 1 - i;
		memcpy(attr, &t, sizeof(t));
	}
	if (code == ABI_OP_COPY || code == ABI_OP_TILE || code == ABI_OP_EXPAND) {
		for (u32 i = 0; i < x->rank; i++)
			s.dims[i] = code == ABI_OP_TILE ? random_value() : x->dims[x->rank - 1 - i];
		memcpy(attr, &s, sizeof(s));
	}
}

static struct abi_attr_slice random_slice(const struct kern_tensor *x)
{
	struct abi_attr_slice s = { .count = { 0 } };

	for (u32 i = 0; i < x->rank; i++) {
		s.count[i] = random_below(4);
		s.start[i] = random_below(4);
		s.step[i] = (s64)random_below(5) - 2;
	}
	return s;
}

static struct abi_attr_pad random_pad(const struct kern_tensor *x)
{
	struct abi_attr_pad p = { .mode = random_below(3) };

	for (u32 i = 0; i < x->rank; i++) {
		p.begin[i] = (s64)random_below(8) - 2;
		p.end[i] = (s64)random_below(8) - 2;
	}
	return p;
}

static void help_signed_attr(u32 code, const struct kern_tensor *x, u8 *attr)
{
	const struct abi_attr_slice s = random_slice(x);
	const struct abi_attr_pad p = random_pad(x);

	if (code == ABI_OP_SLICE && random_below(3))
		memcpy(attr, &s, sizeof(s));
	if (code == ABI_OP_PAD && random_below(3))
		memcpy(attr, &p, sizeof(p));
}

static void *random_memory(const struct kern_tensor *t)
{
	u64 size = kern_nr_elements(t) * abi_dtype_size(t->dtype);
	u8 *mem = malloc(size ? size : 1);

	assert_non_null(mem);
	for (u64 i = 0; i < size; i++)
		mem[i] = random_below(3) ? (u8)random_below(4) : (u8)random_below(256);
	return mem;
}

/* True when it was accepted and small enough to be run. */
static bool run_one(const struct kern_op *op, struct kern_tensor *in, u32 nr_in, u32 nr_out)
{
	const struct kern_tensor *ptr[8];
	struct kern_tensor out[2];
	struct base_err err = { 0 };
	bool is_small = true;
	int ret;

	for (u32 i = 0; i < nr_in; i++)
		ptr[i] = i && !random_below(8) ? NULL : &in[i];
	ret = kern_infer(op, ptr, nr_in, out, nr_out, &err);
	if (ret) {
		assert_true(ret == -EINVAL || ret == -EOPNOTSUPP);
		assert_int_not_equal(err.text[0], 0);
		return false;
	}
	for (u32 i = 0; i < nr_out; i++)
		is_small = is_small && kern_nr_elements(&out[i]) <= 100000;
	if (!is_small)
		return false;
	for (u32 i = 0; i < nr_in; i++)
		in[i].data = random_memory(&in[i]);
	for (u32 i = 0; i < nr_out; i++)
		out[i].data = random_memory(&out[i]);
	ret = kern_run(op, ptr, nr_in, out, nr_out, &err);
	assert_true(!ret || (ret == -EINVAL && op->code == ABI_OP_GATHER));
	for (u32 i = 0; i < nr_in; i++)
		free(in[i].data);
	for (u32 i = 0; i < nr_out; i++)
		free(out[i].data);
	return true;
}

static void random_operations_stay_inside_their_memory(void **state)
{
	u32 nr_run[ABI_NR_OPS] = { 0 };

	(void)state;
	for (u32 round = 0; round < NR_ROUNDS; round++) {
		u32 code = 1 + random_below(ABI_NR_OPS - 1), nr_in = 1 + random_below(5);
		_Alignas(8) u8 attr[256];
		const struct kern_op op = { code, attr, abi_op_attr_size(code), NULL };
		struct kern_tensor in[8];

		assert_in_range(op.attr_size, 0, sizeof(attr));
		random_attr(code, attr, op.attr_size);
		random_inputs(code, in, nr_in, attr);
		help_attr(code, &in[0], attr);
		help_signed_attr(code, &in[0], attr);
		nr_run[code] += run_one(&op, in, nr_in, 1 + !random_below(4));
	}
	for (u32 code = 1; code < ABI_NR_OPS; code++)
		if (nr_run[code] < 5) /* else this tests nothing */
			fail_msg("%s ran %u times only", abi_op_name(code), nr_run[code]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_stay_inside_their_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
