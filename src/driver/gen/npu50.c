// SPDX-License-Identifier: MIT
/* npu50: Panther Lake, Wildcat Lake.  As npu40, with delays of the power island (P 3.5). */
#include "driver/gen/lnl_40xx.h"

const struct drv_gen_info drv_gen_npu50 = {
	.gen = &reg_gen_npu50,
	.regs = &drv_40xx_regs,
	.seqs = DRV_40XX_SEQS(drv_50xx_power_up, drv_40xx_boot),
	.ops = &drv_lnl_ops,
};
