// SPDX-License-Identifier: MIT
/*
 * The register tables of all blocks and their lookup.  Constant data, no state.
 */
#include "regs/regs.h"

#include <stdio.h>

/* KIND column of the rows: kind in bits 0..6, guess in bit 7 */
enum {
	REG_K_RO = REG_KIND_RO,
	REG_K_RW = REG_KIND_RW,
	REG_K_W1C = REG_KIND_W1C,
	REG_K_W1S = REG_KIND_W1S,
	REG_K_WO = REG_KIND_WO,
	REG_K_RC = REG_KIND_RC,
	REG_K_SC = REG_KIND_SC,
	REG_K_GUESS_RO = REG_KIND_RO | 0x80,
	REG_K_GUESS_RW = REG_KIND_RW | 0x80,
	REG_K_GUESS_W1C = REG_KIND_W1C | 0x80,
	REG_K_GUESS_W1S = REG_KIND_W1S | 0x80,
	REG_K_GUESS_WO = REG_KIND_WO | 0x80,
	REG_K_GUESS_RC = REG_KIND_RC | 0x80,
	REG_K_GUESS_SC = REG_KIND_SC | 0x80,
};

/* clang-format off */
#define REG_BLK      BTRS_MTL
#define REG_BLK_DEF  "regs/btrs_mtl.def"
#define REG_TAB      reg_block_btrs_mtl
#define REG_TAB_NAME "btrs_mtl"
#include "regs/table.inc"

#define REG_BLK      IP_37XX
#define REG_BLK_DEF  "regs/ip_37xx.def"
#define REG_TAB      reg_block_ip_37xx
#define REG_TAB_NAME "ip_37xx"
#include "regs/table.inc"

#define REG_BLK      BTRS_LNL
#define REG_BLK_DEF  "regs/btrs_lnl.def"
#define REG_TAB      reg_block_btrs_lnl
#define REG_TAB_NAME "btrs_lnl"
#include "regs/table.inc"

#define REG_BLK      IP_40XX
#define REG_BLK_DEF  "regs/ip_40xx.def"
#define REG_TAB      reg_block_ip_40xx
#define REG_TAB_NAME "ip_40xx"
#include "regs/table.inc"

#define REG_BLK      IP_50XX
#define REG_BLK_DEF  "regs/ip_50xx.def"
#define REG_TAB      reg_block_ip_50xx
#define REG_TAB_NAME "ip_50xx"
#include "regs/table.inc"

#define REG_BLK      MMU
#define REG_BLK_DEF  "regs/mmu.def"
#define REG_TAB      reg_block_mmu
#define REG_TAB_NAME "mmu"
#include "regs/table.inc"

#define REG_BLK      REF
#define REG_BLK_DEF  "regs/ref.def"
#define REG_TAB      reg_block_ref
#define REG_TAB_NAME "ref"
#include "regs/table.inc"
/* clang-format on */

const struct reg_desc *reg_find(const struct reg_block *block, u32 off)
{
	const struct reg_desc *d;
	u32 lo = 0, hi = block->nr;
	u32 rel;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (block->descs[mid].off <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	d = &block->descs[lo - 1];
	rel = off - d->off;
	if (d->stride) {
		if (rel / d->stride >= d->count)
			return NULL;
		rel %= d->stride;
	}
	return rel < d->width_bytes ? d : NULL;
}

u64 reg_known_mask(const struct reg_desc *d)
{
	u64 mask = d->wmask;

	for (u32 i = 0; i < d->nr_flds; i++)
		mask |= REG_MASK64(REG_FLD_CODE(d->flds[i].hi, d->flds[i].lo));
	return mask;
}

const char *reg_kind_name(unsigned int kind)
{
	static const char *const names[REG_KIND_NR] = {
		[REG_KIND_RO] = "RO",	[REG_KIND_RW] = "RW", [REG_KIND_W1C] = "W1C",
		[REG_KIND_W1S] = "W1S", [REG_KIND_WO] = "WO", [REG_KIND_RC] = "RC",
		[REG_KIND_SC] = "SC",
	};

	return kind < REG_KIND_NR ? names[kind] : "?";
}

const char *reg_name(const struct reg_block *block, u32 off, char *buf, size_t size)
{
	const struct reg_desc *d = reg_find(block, off);

	if (!d)
		snprintf(buf, size, "?");
	else if (d->stride)
		snprintf(buf, size, "%s[%u]", d->name, reg_elem(d, off));
	else if (off != d->off)
		snprintf(buf, size, "%s+%u", d->name, off - d->off);
	else
		snprintf(buf, size, "%s", d->name);
	return buf;
}
