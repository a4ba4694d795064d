/* SPDX-License-Identifier: MIT */
/* For the tests of this folder: one operation, its operands in place, what it should give. */
#ifndef KERNELS_KERN_TESTING_H
#define KERNELS_KERN_TESTING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/internal.h"

#define KT_MAX_BYTES 4096u

struct kt {
	struct kern_tensor in[8];
	const struct kern_tensor *in_ptr[8];
	u32 nr_in;
	struct kern_tensor out[ABI_MAX_OUTPUTS];
	u32 nr_out; /* 0 counts as 1 */
	_Alignas(64) u8 mem[ABI_MAX_OUTPUTS][KT_MAX_BYTES];
	struct base_err err;
};

/* DIMS(2, 3): a rank and its dims; SCALAR: rank 0.  VALUES(float, 1, 2): an array. */
#define DIMS(...)                                                          \
	(u32)(sizeof((u32[]){ __VA_ARGS__ }) / sizeof(u32)), (const u32[]) \
	{                                                                  \
		__VA_ARGS__                                                \
	}
#define SCALAR 0u, NULL
#define VALUES(type, ...)   \
	(const type[])      \
	{                   \
		__VA_ARGS__ \
	}
#define ATTR(attr) &(attr), sizeof(attr)
#define NO_ATTR	   NULL, 0u

/* Data may be NULL where only the shape matters. */
static inline void kt_in(struct kt *k, u32 dtype, u32 rank, const u32 *dims, const void *data)
{
	struct kern_tensor *t = &k->in[k->nr_in];

	memset(t, 0, sizeof(*t));
	t->dtype = dtype;
	t->rank = rank;
	if (rank)
		memcpy(t->dims, dims, rank * sizeof(*dims));
	memcpy(&t->data, &data, sizeof(data)); /* inputs are never written */
	k->in_ptr[k->nr_in++] = t;
}

static inline void kt_in_none(struct kt *k)
{
	k->in_ptr[k->nr_in++] = NULL;
}

static inline int kt_infer(struct kt *k, u32 code, const void *attr, size_t attr_size)
{
	const struct kern_op op = { code, attr, (u32)attr_size, NULL };

	if (!k->nr_out)
		k->nr_out = 1;
	return kern_infer(&op, k->in_ptr, k->nr_in, k->out, k->nr_out, &k->err);
}

/* Memory full of 0xA5, so that what is not written is seen. */
static inline int kt_try(struct kt *k, u32 code, const void *attr, size_t attr_size)
{
	const struct kern_op op = { code, attr, (u32)attr_size, NULL };
	int ret = kt_infer(k, code, attr, attr_size);

	if (ret)
		return ret;
	memset(k->mem, 0xA5, sizeof(k->mem));
	for (u32 i = 0; i < k->nr_out; i++) {
		u64 size = kern_nr_elements(&k->out[i]) * abi_dtype_size(k->out[i].dtype);

		assert_in_range(size, 0, KT_MAX_BYTES);
		k->out[i].data = k->mem[i];
	}
	return kern_run(&op, k->in_ptr, k->nr_in, k->out, k->nr_out, &k->err);
}

static inline void kt_run(struct kt *k, u32 code, const void *attr, size_t attr_size)
{
	int ret = kt_try(k, code, attr, attr_size);

	if (ret)
		print_error("%s\n", k->err.text);
	assert_int_equal(ret, 0);
}

static inline void kt_want_shape(struct kt *k, u32 i, u32 dtype, u32 rank, const u32 *dims)
{
	assert_int_equal(k->out[i].dtype, dtype);
	assert_int_equal(k->out[i].rank, rank);
	for (u32 d = 0; d < rank; d++)
		assert_int_equal(k->out[i].dims[d], dims[d]);
}

/* Output 0 as float32, by ONNX's tolerance; NaN equals NaN. */
static inline void kt_want_f32(struct kt *k, u32 rank, const u32 *dims, const float *want)
{
	const float *got = k->out[0].data;

	kt_want_shape(k, 0, ABI_F32, rank, dims);
	for (u64 i = 0; i < kern_nr_elements(&k->out[0]); i++) {
		if ((isnan(want[i]) && isnan(got[i])) || want[i] == got[i])
			continue;
		if (!(fabsf(want[i] - got[i]) <= 1e-6f + 1e-5f * fabsf(want[i])))
			fail_msg("element %llu: %g, %g wanted", (unsigned long long)i,
				 (double)got[i], (double)want[i]);
	}
}

/* Output @i bit for bit. */
static inline void kt_want_exact(struct kt *k, u32 i, u32 dtype, u32 rank, const u32 *dims,
				 const void *want)
{
	kt_want_shape(k, i, dtype, rank, dims);
	assert_memory_equal(k->out[i].data, want,
			    kern_nr_elements(&k->out[i]) * abi_dtype_size(dtype));
}

/* Refused by kern_infer() with this sentence; the inputs are forgotten afterwards. */
static inline void kt_refused(struct kt *k, u32 code, const void *attr, size_t attr_size, int ret,
			      const char *text)
{
	assert_int_equal(kt_infer(k, code, attr, attr_size), ret);
	assert_string_equal(k->err.text, text);
	k->nr_in = 0;
}

#endif
