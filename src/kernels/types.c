// SPDX-License-Identifier: MIT
/* Element types: half precision, loading to and storing from the wide type of a class. */
#include <math.h>

#include "kernels/internal.h"

float kern_f16_to_f32(u16 h)
{
	u32 sign = (u32)(h >> 15) << 31, exponent = h >> 10 & 31, fraction = h & 0x3FF;
	u32 bits;
	float f;

	if (exponent == 31) {
		bits = sign | 0x7F800000u | fraction << 13;
	} else if (exponent) {
		bits = sign | (exponent + 112) << 23 | fraction << 13;
	} else {
		f = (float)fraction * 0x1p-24f; /* zero or subnormal: exact */
		memcpy(&bits, &f, sizeof(bits));
		bits |= sign;
	}
	memcpy(&f, &bits, sizeof(f));
	return f;
}

u16 kern_f32_to_f16(float f)
{
	u32 bits, sign, rest;

	memcpy(&bits, &f, sizeof(bits));
	sign = bits >> 16 & 0x8000;
	bits &= 0x7FFFFFFF;
	if (bits > 0x7F800000) { /* NaN keeps what fits of its payload, and stays a NaN */
		rest = bits >> 13 & 0x3FF;
		return (u16)(sign | 0x7C00 | (rest ? rest : 0x200));
	}
	if (bits >= 0x477FF000) /* 65520, half way to the next binade, and up */
		return (u16)(sign | 0x7C00);
	if (bits < 0x38800000) /* below the smallest normal: a multiple of 2^-24 */
		return (u16)(sign | (u32)lrintf(fabsf(f) * 0x1p24f));
	rest = bits - 0x38000000; /* exponent bias 127 -> 15 */
	return (u16)(sign | (rest + 0xFFF + (rest >> 13 & 1)) >> 13);
}

enum kern_class kern_class(u32 dtype)
{
	if (KERN_FLOATS >> dtype & 1)
		return KERN_CLASS_FLOAT;
	return KERN_SINTS >> dtype & 1 ? KERN_CLASS_SINT : KERN_CLASS_UINT;
}

/* Any byte but 0 counts as true: what a client wrote is not trusted to be 0 or 1. */
static u64 bool_of(u8 v)
{
	return v != 0;
}

#define LOAD(type, member, convert)                                    \
	do {                                                           \
		const type *p_ = (const type *)data + off;             \
		for (u32 i_ = 0; i_ < n; i_++)                         \
			dst->member[i_] = convert(p_[(s64)i_ * step]); \
	} while (0)

void kern_load(u32 dtype, const void *data, s64 off, s64 step, u32 n, union kern_strip *dst)
{
	switch (dtype) {
	case ABI_F32:
		LOAD(float, f, (double));
		break;
	case ABI_F64:
		LOAD(double, f, (double));
		break;
	case ABI_F16:
		LOAD(u16, f, (double)kern_f16_to_f32);
		break;
	case ABI_S8:
		LOAD(s8, s, (s64));
		break;
	case ABI_S16:
		LOAD(s16, s, (s64));
		break;
	case ABI_S32:
		LOAD(s32, s, (s64));
		break;
	case ABI_S64:
		LOAD(s64, s, (s64));
		break;
	case ABI_U8:
		LOAD(u8, u, (u64));
		break;
	case ABI_U16:
		LOAD(u16, u, (u64));
		break;
	case ABI_U32:
		LOAD(u32, u, (u64));
		break;
	case ABI_U64:
		LOAD(u64, u, (u64));
		break;
	case ABI_BOOL:
		LOAD(u8, u, bool_of);
		break;
	default:
		assert(false); /* kern_infer() knows all types */
	}
}

static u16 f16_of(double v)
{
	return kern_f32_to_f16((float)v);
}

#define STORE(type, member, convert)                       \
	do {                                               \
		type *p_ = (type *)data + off;             \
		for (u32 i_ = 0; i_ < n; i_++)             \
			p_[i_] = convert(src->member[i_]); \
	} while (0)

void kern_store(u32 dtype, void *data, s64 off, u32 n, const union kern_strip *src)
{
	switch (dtype) {
	case ABI_F32:
		STORE(float, f, (float));
		break;
	case ABI_F64:
		STORE(double, f, (double));
		break;
	case ABI_F16:
		STORE(u16, f, f16_of);
		break;
	case ABI_S8:
		STORE(s8, s, (s8));
		break;
	case ABI_S16:
		STORE(s16, s, (s16));
		break;
	case ABI_S32:
		STORE(s32, s, (s32));
		break;
	case ABI_S64:
		STORE(s64, s, (s64));
		break;
	case ABI_U8:
		STORE(u8, u, (u8));
		break;
	case ABI_U16:
		STORE(u16, u, (u16));
		break;
	case ABI_U32:
		STORE(u32, u, (u32));
		break;
	case ABI_U64:
		STORE(u64, u, (u64));
		break;
	case ABI_BOOL:
		STORE(u8, u, 0 !=);
		break;
	default:
		assert(false); /* kern_infer() knows all types */
	}
}

void kern_load_f64(u32 dtype, const void *data, s64 off, s64 step, u32 n, double *dst)
{
	enum kern_class c = kern_class(dtype);
	union kern_strip x;

	kern_load(dtype, data, off, step, n, &x);
	for (u32 i = 0; i < n; i++)
		dst[i] = c == KERN_CLASS_FLOAT	? x.f[i]
			 : c == KERN_CLASS_SINT ? (double)x.s[i]
						: (double)x.u[i];
}

/* The type's range is [lo, hi); both are powers of two or 0, so exact in double. */
static s64 to_sint(double v, u32 dtype)
{
	double hi = ldexp(1.0, (int)abi_dtype_size(dtype) * 8 - 1);

	if (isnan(v))
		return 0;
	if (v < -hi)
		v = -hi;
	if (v >= hi)
		return (s64)(BASE_MASK64(62, 0) >> (64 - abi_dtype_size(dtype) * 8));
	return (s64)v;
}

static u64 to_uint(double v, u32 dtype)
{
	u32 bits = abi_dtype_size(dtype) * 8;

	if (isnan(v) || v <= 0)
		return 0;
	if (v >= ldexp(1.0, (int)bits))
		return BASE_MASK64(bits - 1, 0);
	return (u64)v;
}

void kern_store_f64(u32 dtype, void *data, s64 off, u32 n, const double *src)
{
	enum kern_class c = kern_class(dtype);
	union kern_strip y;

	for (u32 i = 0; i < n; i++) {
		if (c == KERN_CLASS_FLOAT)
			y.f[i] = src[i];
		else if (c == KERN_CLASS_SINT)
			y.s[i] = to_sint(src[i], dtype);
		else if (dtype == ABI_BOOL)
			y.u[i] = src[i] != 0; /* NaN is true, as in C and numpy */
		else
			y.u[i] = to_uint(src[i], dtype);
	}
	kern_store(dtype, data, off, n, &y);
}

#define COPY(type)                                                       \
	do {                                                             \
		const type *s_ = src;                                    \
		type *d_ = dst;                                          \
		for (u64 i_ = 0; i_ < n; i_++)                           \
			d_[(s64)i_ * dst_step] = s_[(s64)i_ * src_step]; \
	} while (0)

void kern_copy(u32 esize, void *dst, s64 dst_step, const void *src, s64 src_step, u64 n)
{
	if (!n)
		return;
	if (dst_step == 1 && src_step == 1) {
		memmove(dst, src, n * esize); /* two bindings of a client may overlap */
		return;
	}
	switch (esize) {
	case 1:
		COPY(u8);
		break;
	case 2:
		COPY(u16);
		break;
	case 4:
		COPY(u32);
		break;
	default:
		COPY(u64);
		break;
	}
}
