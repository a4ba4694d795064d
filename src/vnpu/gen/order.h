/* SPDX-License-Identifier: MIT */
/* Rows of the boot order that all generations share.  SRC: P 8.3 */
#ifndef VNPU_GEN_ORDER_H
#define VNPU_GEN_ORDER_H

#include "vnpu/model.h"

/* one access: register @off of BAR @bar, read or written; SRC text @src */
#define ORDER_STEP(bar, write, off, src) \
	{                                \
		bar, write, off, src     \
	}
#define MMU_R(name, src) ORDER_STEP(REG_BAR_MMU, false, REG_MMU_##name, src)
#define MMU_W(name, src) ORDER_STEP(REG_BAR_MMU, true, REG_MMU_##name, src)

/* clang-format off */
#define MMU_ORDER                              \
	MMU_W(CR0, "P 8.3 step 1"),            \
	MMU_R(CR0ACK, "P 8.3 step 1"),         \
	MMU_W(CR1, "P 8.3 step 2"),            \
	MMU_W(STRTAB_BASE, "P 8.3 step 3"),    \
	MMU_W(STRTAB_BASE_CFG, "P 8.3 step 3"), \
	MMU_W(CMDQ_BASE, "P 8.3 step 4"),      \
	MMU_W(CMDQ_PROD, "P 8.3 step 4"),      \
	MMU_W(CMDQ_CONS, "P 8.3 step 4"),      \
	MMU_W(CR0, "P 8.3 step 5"),            \
	MMU_R(CR0ACK, "P 8.3 step 5"),         \
	MMU_W(CMDQ_PROD, "P 8.3 step 6"),      \
	MMU_R(CMDQ_CONS, "P 8.3 step 6"),      \
	MMU_W(EVTQ_BASE, "P 8.3 step 7"),      \
	MMU_W(EVTQ_PROD_SEC, "P 8.3 step 7"),  \
	MMU_W(EVTQ_CONS_SEC, "P 8.3 step 7"),  \
	MMU_W(CR0, "P 8.3 step 8"),            \
	MMU_R(CR0ACK, "P 8.3 step 8"),         \
	MMU_W(CR0, "P 8.3 step 9"),            \
	MMU_R(CR0ACK, "P 8.3 step 9"),         \
	MMU_W(IRQ_CTRL, "P 8.3 step 10"),      \
	MMU_R(IRQ_CTRLACK, "P 8.3 step 10"),   \
	MMU_W(IRQ_CTRL, "P 8.3 step 11"),      \
	MMU_R(IRQ_CTRLACK, "P 8.3 step 11"),   \
	MMU_W(CR0, "P 8.3 step 12"),           \
	MMU_R(CR0ACK, "P 8.3 step 12"),        \
	MMU_W(CMDQ_PROD, "P 8.3 step 13"),     \
	MMU_R(CMDQ_CONS, "P 8.3 step 13")
/* clang-format on */

#endif
