/* SPDX-License-Identifier: MIT */
/*
 * The register accesses of boot and shutdown, typed from the protocol reference and from nothing
 * else: offsets and values are numbers here on purpose, so that a wrong register table, a step left
 * out or out of order shows.  V = BAR0, B = BAR4.
 */
#ifndef TESTS_BY_THE_BOOK_H
#define TESTS_BY_THE_BOOK_H

#include <string.h>

#include "os/faulty.h"

enum book_op {
	BOOK_W,	  /* 32-bit write of val */
	BOOK_Y,	  /* 32-bit write of anything */
	BOOK_W64, /* 64-bit write of val */
	BOOK_A64, /* 64-bit write of an address: bits mask are val */
	BOOK_M,	  /* read, then write: bits mask become val, the others stay */
	BOOK_C,	  /* one read: bits mask are val */
	BOOK_R64, /* one 64-bit read */
	BOOK_P,	  /* reads until bits mask are val */
	BOOK_N,	  /* reads until bits mask are not 0 */
	BOOK_D,	  /* a pause of val ns at least */
};

struct book_row {
	u8 op, bar;
	u32 off, mask;
	u64 val;
};

#define V_W(off, val)                  \
	{                              \
		BOOK_W, 0, off, 0, val \
	}
#define V_Y(off)                     \
	{                            \
		BOOK_Y, 0, off, 0, 0 \
	}
#define V_W64(off, val)                  \
	{                                \
		BOOK_W64, 0, off, 0, val \
	}
#define V_A64(off, mask, v)               \
	{                                 \
		BOOK_A64, 0, off, mask, v \
	}
#define V_M(off, mask, val)               \
	{                                 \
		BOOK_M, 0, off, mask, val \
	}
#define V_C(off, mask, val)               \
	{                                 \
		BOOK_C, 0, off, mask, val \
	}
#define V_P(off, mask, val)               \
	{                                 \
		BOOK_P, 0, off, mask, val \
	}
#define V_N(off, mask)                  \
	{                               \
		BOOK_N, 0, off, mask, 0 \
	}
#define V_R64(off)                     \
	{                              \
		BOOK_R64, 0, off, 0, 0 \
	}
#define B_W(off, val)                  \
	{                              \
		BOOK_W, 4, off, 0, val \
	}
#define B_M(off, mask, val)               \
	{                                 \
		BOOK_M, 4, off, mask, val \
	}
#define B_C(off, mask, val)               \
	{                                 \
		BOOK_C, 4, off, mask, val \
	}
#define B_P(off, mask, val)               \
	{                                 \
		BOOK_P, 4, off, mask, val \
	}
#define PAUSE(ns)                   \
	{                           \
		BOOK_D, 0, 0, 0, ns \
	}

#define ALL 0xffffffffu

/* clang-format off */
#define MMU_BOOK \
	/* P 8.1: the identification */ \
	V_C(0x200000, ALL, 0x080f3e0f), V_C(0x200004, ALL, 0x0e739d18), \
	V_C(0x20000c, ALL, 0x3c), V_C(0x200014, ALL, 0x00040070), \
	/* P 8.3 */ \
	V_W(0x200020, 0), V_P(0x200024, ALL, 0), /* 1 */ \
	V_W(0x200028, 0xd75),			 /* 2 */ \
	V_A64(0x200080, 0x3f, 0),		 /* 3 */ \
	V_W(0x200088, 2),			 /* 3 */ \
	V_A64(0x200090, 0x1f, 4),		 /* 4 */ \
	V_W(0x200098, 0),			 /* 4 */ \
	V_W(0x20009c, 0),			 /* 4 */ \
	V_W(0x200020, 0x08),			 /* 5 */ \
	V_P(0x200024, ALL, 0x08),		 /* 5 */ \
	V_W(0x200098, 3),			 /* 6 */ \
	V_P(0x20009c, 0x00ffffff, 3),		 /* 6 */ \
	V_A64(0x2000a0, 0x1f, 4),		 /* 7 */ \
	V_W(0x2100a8, 0),			 /* 7 */ \
	V_W(0x2100ac, 0),			 /* 7 */ \
	V_W(0x200020, 0x0c),			 /* 8 */ \
	V_P(0x200024, ALL, 0x0c),		 /* 8 */ \
	V_W(0x200020, 0x1c),			 /* 9 */ \
	V_P(0x200024, ALL, 0x1c),		 /* 9 */ \
	V_W(0x200050, 0),			 /* 10 */ \
	V_P(0x200054, ALL, 0),			 /* 10 */ \
	V_W(0x200050, 5),			 /* 11 */ \
	V_P(0x200054, ALL, 5),			 /* 11 */ \
	V_W(0x200020, 0x1d),			 /* 12 */ \
	V_P(0x200024, ALL, 0x1d),		 /* 12 */ \
	V_W(0x200098, 6),			 /* 13 */ \
	V_P(0x20009c, 0x00ffffff, 6) /* 13 */

/* P 3.6; entries are below 2^32 */
#define READY_BOOK \
	V_N(0x200fc, 0xff0000),	     /* 8 */ \
	V_C(0x200f4, 0, 0),	     /* 8 */ \
	V_W64(0x10220, 0x7c00001f0), /* 9 */ \
	V_W(0x170, 0x7f),	     /* 10 */ \
	V_W64(0x10240, 0x7c00001f0)  /* 10 */
/* clang-format on */

/*
 * npu37
 */

/* P 2.4; fuses of the model: min 0x0e, Pn 0x1c, max 0x2a (P 2.3) */
#define MTL_WORKPOINT(target_epp, config, on)                                                      \
	B_P(0x14, 1, 0), B_M(0x08, ALL, 0x002a000e), B_M(0x0c, ALL, target_epp),                   \
		B_M(0x10, 0xffff, config), B_M(0x14, 1, 1), B_P(0x14, 1, 0), B_P(0x40, 2, (on)*2), \
		B_P(0x44, 1, on)
#define MTL_D0I3_REQUEST(i3) B_P(0x60, 1, 0), B_M(0x60, 4, (i3)*4), B_P(0x60, 1, 0)

static const struct book_row mtl_boot[] = {
	/* P 3.4 */
	MTL_WORKPOINT(0x00800000, 0, 0),     /* 1 */
	MTL_D0I3_REQUEST(0),		     /* 2 */
	MTL_WORKPOINT(0x0080001c, 0x202, 1), /* 3 */
	V_P(0x98, 1, 0),		     /* 7 */
	V_W(0x98, 0xc02),		     /* 8 */
	V_C(0x154, 1, 0),		     /* 9 */
	V_C(0x158, 1, 0),		     /* 10 */
	V_C(0x15c, 1, 0),		     /* 11 */
	V_M(0x30200, 1, 0),		     /* 12 */
	V_M(0x30028, 8, 8),		     /* 15 */
	PAUSE(500),			     /* 15 */
	V_M(0x30024, 8, 8),		     /* 16 */
	V_P(0x3002c, 8, 8),		     /* 17 */
	V_C(0x160, 3, 0),		     /* 18 */
	V_M(0x84, 0xc02, 0xc02),	     /* 19 */
	V_M(0x30020, 8, 0),		     /* 20 */
	V_M(0x94, 0xc02, 0xc02),	     /* 21 */
	V_M(0x30204, 1, 1),		     /* 22 */
	V_M(0x154, 1, 1),		     /* 23 */
	V_C(0x158, 1, 1),		     /* 24 */
	V_C(0x15c, 1, 0),		     /* 24 */
	V_M(0x160, 3, 3),		     /* 26 */
	V_C(0x164, 3, 3),		     /* 27 */
	V_C(0x168, 3, 0),		     /* 27 */
	MMU_BOOK,
	/* P 5.1: telemetry goes to the boot parameters */
	B_C(0x80, 0, 0), B_C(0x84, 0, 0), B_C(0x88, 0, 0),
	/* P 3.6; entry point 0x8480_3000 of the built-in image */
	V_M(0x360000, 0x38, 0x28),	   /* 1 */
	V_M(0x360004, 0x33, 0x33),	   /* 2 */
	V_M(0x06010040, 0xfffffff1, 1),	   /* 3 */
	V_M(0x06010040, 2, 2),		   /* 4 */
	V_M(0x06010040, 2, 0),		   /* 5 */
	V_W(0x41040, 0x84803000 >> 9),	   /* 6 */
	V_W(0x41040, 0x84803000 >> 9 | 1), /* 7 */
	READY_BOOK, B_W(0x30, 0xfffffff9), /* 10 */
	B_W(0x34, 0),			   /* 10 */
};

static const struct book_row mtl_stop[] = {
	/* P 11.1 step 5: interrupts off */
	B_W(0x34, 1),
	B_W(0x30, 0xffffffff),
	V_W64(0x10240, 0),
	V_W(0x170, 0),
	/* P 3.9 */
	V_R64(0x06029000), /* 2 */
	B_P(0x44, 3, 3),   /* 3; P 3.10 suspend */
	B_P(0x50, 1, 0),   /* 4 */
	B_M(0x50, 1, 1),
	B_P(0x50, 1, 0),
	MTL_WORKPOINT(0x00800000, 0, 0), /* 5 */
	MTL_D0I3_REQUEST(1),		 /* 6 */
	PAUSE(5000),
};

/* clang-format off */
/* SET_PRIORITY_BAND_SETUP, by interrupt: P 6.3, 2.6, 3.7; the FIFO and registers that differ */
#define MTL_BANDS \
	V_Y(0x060200f0), \
	B_W(0x34, 1), B_C(0x04, ALL, 0), V_C(0x10210, ALL, 0x10), V_W(0x10220, 0x10), \
	V_N(0x200fc, 0xff0000), V_C(0x200f4, 0, 0), B_W(0x34, 0)
#define LNL_BANDS \
	V_Y(0x010200f0), \
	B_W(0x08, 1), B_C(0x00, ALL, 0), V_C(0x10210, ALL, 0x10), V_W(0x10220, 0x10), \
	V_N(0x200fc, 0xff0000), V_C(0x200f4, 0, 0), B_W(0x08, 0)

static const struct book_row mtl_bands[] = { MTL_BANDS };
static const struct book_row lnl_bands[] = { LNL_BANDS };

/*
 * npu40, npu50, npu60.  P 2.4; fuses of the model: min 0x10, Pn 0x1e, max 0x4e (P 2.3)
 */
#define LNL_WORKPOINT(target_epp, cdyn, on) \
	B_P(0x13c, 1, 0), B_M(0x130, ALL, 0x004e0010), B_M(0x134, ALL, target_epp), \
	B_M(0x138, ALL, cdyn), B_M(0x13c, 1, 1), B_P(0x13c, 1, 0), B_P(0x154, 1, on)
#define LNL_D0I3_REQUEST(i3) B_P(0x164, 1, 0), B_M(0x164, 4, (i3)*4), B_P(0x164, 1, 0)

/* P 3.4 */
#define LNL_POWER_1(perf_clk) \
	LNL_D0I3_REQUEST(0),			      /* 2 */ \
	LNL_WORKPOINT(0x0080001e, 0x00800000, 1),     /* 3 */ \
	B_M(0x154, 0x800, perf_clk),		      /* 5 */ \
	V_C(0x154, 1, 0), V_C(0x158, 1, 0), V_C(0x15c, 1, 0), /* 9, 10, 11 */ \
	V_M(0x30200, 1, 0),			      /* 12 */ \
	B_P(0x154, 0x40, 0x40)			      /* 13 */
#define LNL_POWER_2 \
	V_M(0x30028, 8, 8),		  /* 15 */ \
	PAUSE(500),			  /* 15 */ \
	V_M(0x30024, 8, 8),		  /* 16 */ \
	V_P(0x3002c, 8, 8),		  /* 17 */ \
	V_C(0x160, 5, 0),		  /* 18 */ \
	V_M(0x80, 0xc02, 0xc02),	  /* 19 */ \
	V_M(0x30020, 8, 0),		  /* 20 */ \
	V_M(0x90, 0xc02, 0xc02),	  /* 21 */ \
	V_M(0x154, 1, 1),		  /* 23 */ \
	V_C(0x158, 1, 1), V_C(0x15c, 1, 0), /* 24 */ \
	B_W(0x54, 0xf711f711), B_W(0x24, 0x0000f711), /* 25 */ \
	V_M(0x160, 5, 5),		  /* 26 */ \
	V_C(0x164, 5, 5), V_C(0x168, 5, 0) /* 27 */
/* P 5.1: telemetry; P 3.6: entry point 0x8000_3000 of the built-in image, shifted left by 3 */
#define LNL_START_1 \
	B_C(0x168, 0, 0), B_C(0x16c, 0, 0), B_C(0x170, 0, 0), \
	V_M(0x360000, 0x38, 0x18), V_M(0x360004, 0x3f, 0x3f) /* 1, 2 */
#define LNL_CPU_NOC \
	V_M(0x01010030, 1, 1), V_C(0x01010034, 1, 1), V_C(0x01010038, 1, 0) /* 3, 4, 5 */
#define LNL_START_2 \
	V_W64(0x40040, 0x80003000ull << 3), V_M(0x40040, 1, 1), /* 6, 7 */ \
	READY_BOOK, B_W(0x04, 0xffffff81), B_W(0x08, 0)

static const struct book_row npu40_boot[] = {
	LNL_POWER_1(0), LNL_POWER_2, MMU_BOOK, LNL_START_1, LNL_CPU_NOC, LNL_START_2,
};
/* P 3.5: post 0, post1 0, post2 0; status 3 */
static const struct book_row npu50_boot[] = {
	LNL_POWER_1(0), V_M(0x30068, 0xffffff, 0), V_M(0x3006c, 0xff, 3),
	LNL_POWER_2, MMU_BOOK, LNL_START_1, LNL_CPU_NOC, LNL_START_2,
};
/* P 3.5: post 17, post1 0, post2 17; status 0 */
static const struct book_row npu60_boot[] = {
	LNL_POWER_1(0), V_M(0x30068, 0xffffff, 17 | 17 << 16), V_M(0x3006c, 0xff, 0),
	LNL_POWER_2, MMU_BOOK, LNL_START_1, LNL_START_2,
};
static const struct book_row lnl_stop[] = {
	/* P 11.1 step 5: interrupts off */
	B_W(0x08, 1), B_W(0x04, 0xffffffff), V_W64(0x10240, 0), V_W(0x170, 0),
	/* P 3.9 */
	V_R64(0x01029008),	  /* 2 */
	B_P(0x154, 3, 3),	  /* 3; P 3.10 suspend */
	B_M(0x154, 0x1000, 0x1000), /* 4 */
	B_P(0x160, 1, 0), B_M(0x160, 1, 1), B_P(0x160, 1, 0),
	LNL_WORKPOINT(0x0000001e, 0, 0), /* 5 */
	B_P(0x14c, 0xffff, 0),
	LNL_D0I3_REQUEST(1), /* 6 */
	PAUSE(5000),
};

#define ROWS(rows) rows, BASE_ARRAY_SIZE(rows)
static const struct book {
	const char *gen;
	const struct book_row *boot;
	u32 nr_boot;
	const struct book_row *bands; /* hardware scheduling: what follows */
	u32 nr_bands;
	const struct book_row *stop;
	u32 nr_stop;
} books[] = {
	{ "npu37", ROWS(mtl_boot), ROWS(mtl_bands), ROWS(mtl_stop) },
	{ "npu40", ROWS(npu40_boot), ROWS(lnl_bands), ROWS(lnl_stop) },
	{ "npu50", ROWS(npu50_boot), ROWS(lnl_bands), ROWS(lnl_stop) },
	{ "npu60", ROWS(npu60_boot), ROWS(lnl_bands), ROWS(lnl_stop) },
};

static inline const struct book *book_of(const char *gen)
{
	const struct book *b = books;

	while (strcmp(b->gen, gen) != 0)
		b++;
	return b;
}
/* clang-format on */

/* Where a run of accesses is in a book. */
struct book_place {
	const struct book_row *rows;
	u32 nr, at;
	bool half;     /* the read of a BOOK_M was seen */
	u32 read;      /* its value */
	bool off_book; /* something else happened */
	struct os_faulty_access wrong;
};

static inline bool book_matches(struct book_place *p, const struct book_row *row,
				const struct os_faulty_access *a)
{
	bool fits = (a->val & row->mask) == row->val;

	if (row->op == BOOK_D)
		return !a->bytes && a->val >= row->val;
	if (!a->bytes || a->bar != row->bar || a->off != row->off)
		return false;
	switch ((enum book_op)row->op) {
	case BOOK_W:
		return a->is_write && a->bytes == 4 && a->val == row->val;
	case BOOK_Y:
		return a->is_write && a->bytes == 4;
	case BOOK_W64:
		return a->is_write && a->bytes == 8 && a->val == row->val;
	case BOOK_A64:
		return a->is_write && a->bytes == 8 && fits && a->val >> 62 == 1;
	case BOOK_M:
		if (!p->half)
			return !a->is_write && a->bytes == 4;
		return a->is_write && a->val == ((p->read & ~row->mask) | row->val);
	case BOOK_R64:
		return !a->is_write && a->bytes == 8;
	case BOOK_C:
		return !a->is_write && a->bytes == 4 && fits;
	case BOOK_P:
	case BOOK_N:
		return !a->is_write && a->bytes == 4;
	case BOOK_D:
		break;
	}
	return false;
}

/* Is the row done with this access?  Polls and read-modify-writes take several. */
static inline bool book_row_done(struct book_place *p, const struct book_row *row,
				 const struct os_faulty_access *a)
{
	if (row->op == BOOK_M && !p->half) {
		p->half = true;
		p->read = (u32)a->val;
		return false;
	}
	p->half = false;
	if (row->op == BOOK_P)
		return (a->val & row->mask) == row->val;
	if (row->op == BOOK_N)
		return (a->val & row->mask) != 0;
	return true;
}

static inline void book_watch(void *opaque, const struct os_faulty_access *a)
{
	struct book_place *p = opaque;
	const struct book_row *row = &p->rows[p->at];

	if (p->off_book)
		return;
	if (p->at < p->nr && book_matches(p, row, a)) {
		p->at += book_row_done(p, row, a);
		return;
	}
	if (!a->bytes && !p->half)
		return; /* a pause between two looks of a poll */
	p->off_book = true;
	p->wrong = *a;
}

static inline bool book_followed(const struct book_place *p)
{
	return !p->off_book && p->at == p->nr;
}

#endif
