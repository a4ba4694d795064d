// SPDX-License-Identifier: MIT
/* Rules of shape and type that several operations share. */
#include "kernels/internal.h"

u64 kern_nr_elements(const struct kern_tensor *t)
{
	u64 nr = 1;

	for (u32 i = 0; i < t->rank; i++)
		nr *= t->dims[i];
	return nr;
}

int kern_set_out(const struct kern_args *a, u32 i, u32 dtype, u32 rank, const u32 *dims)
{
	struct kern_tensor *t = &a->out[i];
	u64 size;

	if (rank > ABI_MAX_RANK)
		return kern_bad(a, "output %u would have rank %u, at most %u", i, rank,
				ABI_MAX_RANK);
	if (!abi_tensor_size(dtype, rank, dims, &size))
		return kern_bad(a, "output %u would be larger than %llu bytes", i,
				(unsigned long long)ABI_MAX_TENSOR_SIZE);
	t->dtype = dtype;
	t->rank = rank;
	for (u32 d = 0; d < ABI_MAX_RANK; d++)
		t->dims[d] = d < rank ? dims[d] : 0;
	return 0;
}

int kern_want_types(const struct kern_args *a, u32 i, u32 types)
{
	u32 dtype = a->in[i]->dtype;

	if (types >> dtype & 1)
		return 0;
	return kern_unsupported(a, "input %u: no kernel for %s", i, abi_dtype_name(dtype));
}

int kern_want_same_type(const struct kern_args *a, u32 i)
{
	const struct kern_tensor *t = kern_in(a, i);

	if (!t || t->dtype == a->in[0]->dtype)
		return 0;
	return kern_bad(a, "input %u is %s, %s like input 0 wanted", i, abi_dtype_name(t->dtype),
			abi_dtype_name(a->in[0]->dtype));
}

int kern_want_vector(const struct kern_args *a, u32 i, u32 len)
{
	const struct kern_tensor *t = kern_in(a, i);

	if (!t || (t->rank == 1 && t->dims[0] == len))
		return 0;
	return kern_bad(a, "input %u: rank %u dim 0 %u, shape [%u] wanted", i, t->rank,
			t->rank ? t->dims[0] : 0, len);
}

int kern_want_axis(const struct kern_args *a, u32 axis, u32 rank)
{
	if (axis < rank)
		return 0;
	return kern_bad(a, "axis %u, below rank %u wanted", axis, rank);
}

/* Dim @i of a shape that is filled up with leading ones to @rank. */
static u32 aligned_dim(u32 own_rank, const u32 *dims, u32 rank, u32 i)
{
	return i < rank - own_rank ? 1 : dims[i - (rank - own_rank)];
}

int kern_broadcast(const struct kern_args *a, u32 rank_x, const u32 *dims_x, u32 rank_y,
		   const u32 *dims_y, u32 *rank, u32 *dims)
{
	u32 r = base_max(rank_x, rank_y);
	u32 result[ABI_MAX_RANK];

	for (u32 i = 0; i < r; i++) {
		u32 x = aligned_dim(rank_x, dims_x, r, i);
		u32 y = aligned_dim(rank_y, dims_y, r, i);

		if (x != y && x != 1 && y != 1)
			return kern_bad(a, "shapes do not broadcast: %u against %u in dim %u of %u",
					x, y, i, r);
		result[i] = x == 1 ? y : x;
	}
	memcpy(dims, result, r * sizeof(*dims));
	*rank = r;
	return 0;
}

bool kern_broadcasts_to(const struct kern_tensor *t, u32 rank, const u32 *dims)
{
	if (t->rank > rank)
		return false;
	for (u32 i = 0; i < rank; i++) {
		u32 d = aligned_dim(t->rank, t->dims, rank, i);

		if (d != 1 && d != dims[i])
			return false;
	}
	return true;
}
