// SPDX-License-Identifier: MIT
/*
 * Matrix product with numpy's rules: the last two axes multiply, the others broadcast; a vector is
 * a row on the left, a column on the right, and its axis is gone from the result.
 */
#include "kernels/internal.h"

/* One operand as a stack of matrices. */
struct matrix {
	const struct kern_tensor *t;
	u32 nr_rows, nr_cols;
	s64 row, col; /* strides in elements */
	u32 nr_batch_dims;
};

static struct matrix matrix_of(const struct kern_tensor *t, bool is_left, bool is_transposed)
{
	struct matrix m = { .t = t };

	if (t->rank == 1) {
		m.nr_rows = is_left ? 1 : t->dims[0];
		m.nr_cols = is_left ? t->dims[0] : 1;
		m.row = m.col = 1; /* along the axis of length 1 it does not matter */
		return m;
	}
	m.nr_batch_dims = t->rank - 2;
	m.nr_rows = t->dims[t->rank - 2];
	m.nr_cols = t->dims[t->rank - 1];
	m.row = m.nr_cols;
	m.col = 1;
	if (is_transposed) {
		m = (struct matrix){ t, m.nr_cols, m.nr_rows, 1, m.nr_cols, m.nr_batch_dims };
	}
	return m;
}

static int want_attr(const struct kern_args *a, const struct abi_attr_matmul *attr)
{
	const struct kern_tensor *x = a->in[0], *y = a->in[1];

	if (attr->trans_a > 1 || attr->trans_b > 1)
		return kern_bad(a, "trans_a %u trans_b %u, each 0 or 1 wanted", attr->trans_a,
				attr->trans_b);
	if ((attr->trans_a && x->rank != 2) || (attr->trans_b && y->rank != 2))
		return kern_bad(a, "ranks %u and %u: only rank 2 can be transposed", x->rank,
				y->rank);
	if (kern_class(x->dtype) != KERN_CLASS_FLOAT && (attr->alpha != 1.0f || attr->beta != 1.0f))
		return kern_bad(a, "alpha %g beta %g: 1 wanted for integers", (double)attr->alpha,
				(double)attr->beta);
	return kern_want_act(a, &attr->act, x->dtype);
}

static int want_operands(const struct kern_args *a)
{
	int ret = kern_want_types(a, 0, KERN_NUMERIC);

	for (u32 i = 1; !ret && i < 3; i++)
		ret = kern_want_same_type(a, i);
	if (!ret && (!a->in[0]->rank || !a->in[1]->rank))
		ret = kern_bad(a, "ranks %u and %u, at least 1 wanted", a->in[0]->rank,
			       a->in[1]->rank);
	return ret;
}

int kern_matmul_infer(const struct kern_args *a)
{
	const struct abi_attr_matmul *attr = a->op->attr;
	const struct kern_tensor *x = a->in[0], *y = a->in[1], *bias = kern_in(a, 2);
	u32 rank, dims[ABI_MAX_RANK];
	struct matrix mx, my;
	int ret;

	ret = want_operands(a);
	if (!ret)
		ret = want_attr(a, attr);
	if (ret)
		return ret;
	mx = matrix_of(x, true, attr->trans_a);
	my = matrix_of(y, false, attr->trans_b);
	if (mx.nr_cols != my.nr_rows)
		return kern_bad(a, "[%u, %u] times [%u, %u]: inner lengths differ", mx.nr_rows,
				mx.nr_cols, my.nr_rows, my.nr_cols);
	ret = kern_broadcast(a, mx.nr_batch_dims, x->dims, my.nr_batch_dims, y->dims, &rank, dims);
	if (ret)
		return ret;
	if (x->rank > 1)
		dims[rank++] = mx.nr_rows;
	if (y->rank > 1)
		dims[rank++] = my.nr_cols;
	ret = kern_set_out(a, 0, x->dtype, rank, dims);
	if (!ret && bias && !kern_broadcasts_to(bias, rank, dims))
		ret = kern_bad(a, "input 2 (bias) does not broadcast to the output");
	return ret;
}

/* The right operand, one matrix of it, for kern_gemm(). */
struct strided {
	const u8 *data;
	u32 esize;
	s64 row, col;
};

static void piece_of_row(const void *opaque, u64 row, u64 col, u32 n, void *dst)
{
	const struct strided *s = opaque;

	kern_copy(s->esize, dst, 1, s->data + ((s64)row * s->row + (s64)col * s->col) * s->esize,
		  s->col, n);
}

/* A walk over the batch dims: the number of the result, and where the operands' matrices start. */
static void walk_batches(struct kern_walk *w, const struct kern_tensor *y, u32 nr_dims,
			 const struct matrix *a, const struct matrix *b)
{
	const struct matrix *m[2] = { a, b };
	s64 strides[ABI_MAX_RANK];

	kern_walk_init(w, nr_dims, y->dims);
	kern_strides(nr_dims, y->dims, strides);
	kern_walk_add(w, strides);
	for (u32 k = 0; k < 2; k++) {
		struct kern_tensor batch = *m[k]->t;

		batch.rank = m[k]->nr_batch_dims;
		kern_walk_add_broadcast(w, &batch);
	}
	kern_walk_start(w);
}

static void products(const struct kern_args *args, u8 *acc, void *scratch)
{
	const struct abi_attr_matmul *attr = args->op->attr;
	struct matrix a = matrix_of(args->in[0], true, attr->trans_a);
	struct matrix b = matrix_of(args->in[1], false, attr->trans_b);
	u32 dtype = a.t->dtype, esize = abi_dtype_size(dtype);
	u64 a_size = (u64)a.nr_rows * a.nr_cols * esize,
	    b_size = (u64)b.nr_rows * b.nr_cols * esize;
	u64 c_size = (u64)a.nr_rows * b.nr_cols * abi_dtype_size(kern_acc_dtype(dtype));
	struct strided strided = { .esize = esize, .row = b.row, .col = b.col };
	struct kern_gemm g = { .m = a.nr_rows,
			       .n = b.nr_cols,
			       .k = a.nr_cols,
			       .dtype = dtype,
			       .a_row = a.row,
			       .a_col = a.col,
			       .b_row = piece_of_row,
			       .opaque = &strided,
			       .ldc = b.nr_cols,
			       .stop = args->op->stop };
	struct kern_walk w;

	walk_batches(&w, &args->out[0], base_max(a.nr_batch_dims, b.nr_batch_dims), &a, &b);
	while (kern_walk_next(&w) && !kern_is_unwanted(g.stop))
		for (u32 i = 0; i < w.n; i++) {
			g.c = acc + (u64)(w.off[0] + i * w.step[0]) * c_size;
			g.a = kern_bytes(a.t) + (u64)(w.off[1] + i * w.step[1]) * a_size;
			strided.data = kern_bytes(b.t) + (u64)(w.off[2] + i * w.step[2]) * b_size;
			kern_gemm(&g, scratch);
		}
}

static void set_epilogue(struct kern_epilogue *e, const struct kern_args *a)
{
	const struct abi_attr_matmul *attr = a->op->attr;
	const struct kern_tensor *bias = kern_in(a, 2), *y = &a->out[0];

	*e = (struct kern_epilogue){ .alpha = attr->alpha, .act = attr->act };
	if (!bias || attr->beta == 0.0f)
		return;
	e->term[0].t = bias;
	e->term[0].scale = attr->beta;
	kern_strides(bias->rank, bias->dims, e->term[0].strides + (y->rank - bias->rank));
	for (u32 i = 0; i < bias->rank; i++)
		if (bias->dims[i] == 1)
			e->term[0].strides[y->rank - bias->rank + i] = 0;
}

int kern_matmul_run(const struct kern_args *a)
{
	struct kern_tensor *y = &a->out[0];
	void *scratch, *acc = y->data;
	struct kern_epilogue e;
	int ret = 0;

	scratch = kern_gemm_scratch();
	if (!scratch)
		return base_err_set(a->err, -ENOMEM, "no memory for the matrix product");
	if (kern_acc_dtype(y->dtype) != y->dtype) {
		acc = base_alloc_array(kern_nr_elements(y), sizeof(float));
		if (!acc) {
			ret = base_err_set(a->err, -ENOMEM, "no memory for the sums");
			goto out_free_scratch;
		}
	}
	products(a, acc, scratch);
	set_epilogue(&e, a);
	ret = kern_stopped(a);
	if (!ret)
		kern_epilogue_run(&e, acc, y);
	if (acc != y->data)
		base_free(acc);
out_free_scratch:
	base_free(scratch);
	return ret;
}
