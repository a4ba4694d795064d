/* SPDX-License-Identifier: MIT */
/*
 * What npu40, npu50 and npu60 have in common: the 40xx IP behind the LNL buttress.  Where they
 * differ there is one of each, and the generation's file picks.
 */
#ifndef DRIVER_GEN_LNL_40XX_H
#define DRIVER_GEN_LNL_40XX_H

#include "driver/gen/gen.h"

extern const struct drv_gen_ops drv_lnl_ops;
extern const struct drv_layout drv_40xx_regs;

extern const struct drv_seq drv_40xx_power_up;
extern const struct drv_seq drv_50xx_power_up; /* with the power island's delays */
extern const struct drv_seq drv_40xx_boot;
extern const struct drv_seq drv_60xx_boot; /* without the CPU NOC's handshake */
extern const struct drv_seq drv_40xx_power_down;
extern const struct drv_seq drv_40xx_wdog_off;
extern const struct drv_seq drv_40xx_suspend;
extern const struct drv_seq drv_40xx_recover;

/* sequences of a generation, those that differ given */
#define DRV_40XX_SEQS(power_up, boot)                                                           \
	{                                                                                       \
		[DRV_SEQ_POWER_UP] = &(power_up), [DRV_SEQ_MMU] = &drv_seq_mmu,                 \
		[DRV_SEQ_BOOT] = &(boot), [DRV_SEQ_CONFIGURE] = &drv_seq_configure,             \
		[DRV_SEQ_POWER_DOWN] = &drv_40xx_power_down,                                    \
		[DRV_SEQ_WDOG_OFF] = &drv_40xx_wdog_off, [DRV_SEQ_SUSPEND] = &drv_40xx_suspend, \
		[DRV_SEQ_RECOVER] = &drv_40xx_recover,                                          \
	}

#endif
