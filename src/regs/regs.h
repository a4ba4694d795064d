/* SPDX-License-Identifier: MIT */
/*
 * Register tables: one set of rows, used by the driver (names, offsets, fields) and by the model
 * (kind, reset value, write mask).  Nothing else in the tree contains a register offset.
 *
 * A block is a .def file of rows.  Adding one takes three lines here and three in regs.c.
 *
 * Row format
 *   REG(NAME, off, KIND, reset, wmask)                  32-bit register
 *   REG64(NAME, off, KIND, reset, wmask)                64-bit register: one 8-byte access is one
 *                                                       access; its 32-bit halves work as well
 *   HALF(NAME, REG64_NAME, n)                           name of the low (0) or high (1) half
 *   REGA(NAME, base, KIND, reset, wmask, stride, count) array of 32-bit registers
 *   FLD(REG_NAME, FIELD, hi, lo)                        bits hi..lo of the row above; high bit first,
 *                                                       so a one-bit field repeats its number
 * Registers ascend by offset, fields follow their register and ascend by bit.  KIND is one of
 *   RO   writes are ignored                RW   writes store wmask bits
 *   W1C  writing 1 clears                  W1S  writing 1 sets
 *   WO   writes act, reads give 0          RC   a read has a side effect (pops), writes are ignored
 *   SC   writing 1 acts and clears itself once done
 * each also as GUESS_x: the reset value or the behaviour is not pinned by any source.
 *
 * What comes out, for FLD(INTERRUPT_STAT, ATS_ERR, 1, 1) in block BTRS_MTL:
 *   REG_BTRS_MTL_INTERRUPT_STAT           offset in the block's BAR (int constant)
 *   REG_BTRS_MTL_INTERRUPT_STAT__ATS_ERR  field code, to be used with REG_MASK() and reg_fld_*()
 *   REG_x_STRIDE, REG_x_COUNT             of an array row REG_x
 *   REG_IDX_BTRS_MTL_INTERRUPT_STAT       index into reg_block_btrs_mtl.descs
 *   REG_IDX_BTRS_MTL_NR, REG_BAR_BTRS_MTL number of rows, BAR number
 */
#ifndef REGS_REGS_H
#define REGS_REGS_H

#include <assert.h>
#include <stddef.h>

#include "base/types.h"

/*
 * A field code holds the bit numbers, not the mask, so that it is an int constant for 64-bit
 * registers too and can be a function argument or a table entry.  0 is no field.
 */
#define REG_FLD_CODE(hi, lo) (0x10000 | (hi) << 8 | (lo))
#define REG_FLD_NONE	     0
#define REG_FLD_HI(f)	     ((f) >> 8 & 0x3f)
#define REG_FLD_LO(f)	     ((f)&0x3f)

/** REG_MASK64() - mask of a field, u64, a constant expression */
#define REG_MASK64(f) ((~(u64)0 >> (63 - REG_FLD_HI(f))) & (~(u64)0 << REG_FLD_LO(f)))
/** REG_MASK() - mask of a field of a 32-bit register, u32, a constant expression */
#define REG_MASK(f) ((u32)REG_MASK64(f))
/** REG_PREP() - @val shifted into field @f, u32, a constant expression if @val is one */
#define REG_PREP(f, val) ((u32)((u64)(val) << REG_FLD_LO(f) & REG_MASK64(f)))

/** reg_fld_get() - field @f of the 32-bit register value @val */
static inline u32 reg_fld_get(u32 val, int f)
{
	return (val & REG_MASK(f)) >> REG_FLD_LO(f);
}

/** reg_fld_set() - @val with field @f replaced by @num; excess bits of @num are dropped */
static inline u32 reg_fld_set(u32 val, int f, u32 num)
{
	return (val & ~REG_MASK(f)) | REG_PREP(f, num);
}

/** reg_fld_get64() - field @f of the 64-bit register value @val */
static inline u64 reg_fld_get64(u64 val, int f)
{
	return (val & REG_MASK64(f)) >> REG_FLD_LO(f);
}

/** reg_fld_set64() - @val with field @f replaced by @num; excess bits of @num are dropped */
static inline u64 reg_fld_set64(u64 val, int f, u64 num)
{
	return (val & ~REG_MASK64(f)) | (num << REG_FLD_LO(f) & REG_MASK64(f));
}

/** reg_fld_test() - are all bits of field @f set in @val? */
static inline bool reg_fld_test(u32 val, int f)
{
	return (val & REG_MASK(f)) == REG_MASK(f);
}

/** enum reg_kind - what reads and writes do; see "Row format" */
enum reg_kind {
	REG_KIND_RO,
	REG_KIND_RW,
	REG_KIND_W1C,
	REG_KIND_W1S,
	REG_KIND_WO,
	REG_KIND_RC,
	REG_KIND_SC,
	REG_KIND_NR,
};

/** struct reg_fld - one field of a register */
struct reg_fld {
	const char *name;
	u8 hi;
	u8 lo;
};

/**
 * struct reg_desc - one row of a block
 * @name:        row name without the block, e.g. "INTERRUPT_STAT"
 * @off:         offset in the BAR, for an array that of element 0
 * @width_bytes: 4 or 8; 8 also takes 4-byte accesses at @off and @off + 4
 * @kind:        enum reg_kind
 * @guess:       reset value or behaviour is a guess
 * @reset:       value after power-on and IP reset
 * @wmask:       bits a write may have set; for RW also the bits it stores
 * @flds:        fields, ascending, @nr_flds of them; NULL when none
 * @stride:      distance of array elements in bytes, 0 when not an array
 * @count:       number of elements, 1 when not an array
 */
struct reg_desc {
	const char *name;
	u32 off;
	u8 width_bytes;
	u8 kind;
	bool guess;
	u64 reset;
	u64 wmask;
	const struct reg_fld *flds;
	u16 nr_flds;
	u16 count;
	u32 stride;
};

/** struct reg_block - rows of one .def file, ascending by offset */
struct reg_block {
	const char *name;
	u8 bar;
	const struct reg_desc *descs;
	u16 nr;
};

/**
 * reg_find() - row that covers byte @off of @block, or NULL
 *
 * O(log n).  Every byte of a register finds its row: off - desc->off is 4 for the upper half of a
 * 64-bit one.  Of an array only the registers match, not the holes; see reg_elem().
 */
const struct reg_desc *reg_find(const struct reg_block *block, u32 off);

/** reg_elem() - which element of the array row @d covers @off; 0 when @d is not an array */
static inline u32 reg_elem(const struct reg_desc *d, u32 off)
{
	return d->stride ? (off - d->off) / d->stride : 0;
}

/** reg_known_mask() - bits of @d that some field names or a write may set; others are reserved */
u64 reg_known_mask(const struct reg_desc *d);

/** reg_kind_name() - "RO", "W1C", ...; never NULL */
const char *reg_kind_name(unsigned int kind);

/**
 * reg_name() - name of the register at @off for logs, e.g. "CPU_SS_DOORBELL[3]", "?" without a row
 *
 * Written to @buf (at most @size bytes, always terminated) and returned.
 */
const char *reg_name(const struct reg_block *block, u32 off, char *buf, size_t size);

/* clang-format off */
#define REG_BLK     BTRS_MTL
#define REG_BLK_BAR 4
#define REG_BLK_DEF "regs/btrs_mtl.def"
#include "regs/decl.inc"
extern const struct reg_block reg_block_btrs_mtl;

#define REG_BLK     IP_37XX
#define REG_BLK_BAR 0
#define REG_BLK_DEF "regs/ip_37xx.def"
#include "regs/decl.inc"
extern const struct reg_block reg_block_ip_37xx;

#define REG_BLK     BTRS_LNL
#define REG_BLK_BAR 4
#define REG_BLK_DEF "regs/btrs_lnl.def"
#include "regs/decl.inc"
extern const struct reg_block reg_block_btrs_lnl;

#define REG_BLK     IP_40XX
#define REG_BLK_BAR 0
#define REG_BLK_DEF "regs/ip_40xx.def"
#include "regs/decl.inc"
extern const struct reg_block reg_block_ip_40xx;

#define REG_BLK     IP_50XX
#define REG_BLK_BAR 0
#define REG_BLK_DEF "regs/ip_50xx.def"
#include "regs/decl.inc"
extern const struct reg_block reg_block_ip_50xx;

#define REG_BLK     MMU
#define REG_BLK_BAR 0
#define REG_BLK_DEF "regs/mmu.def"
#include "regs/decl.inc"
extern const struct reg_block reg_block_mmu;

#define REG_BLK     REF
#define REG_BLK_BAR 0
#define REG_BLK_DEF "regs/ref.def"
#include "regs/decl.inc"
extern const struct reg_block reg_block_ref;
/* clang-format on */

#endif
