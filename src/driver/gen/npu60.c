// SPDX-License-Identifier: MIT
/*
 * npu60: Nova Lake.  As npu50; the CPU starts without the NOC's handshake and always at the cold
 * entry (P 3.6), and jobs are scheduled in hardware unless the image cannot (P 4.5).
 */
#include "driver/gen/lnl_40xx.h"

const struct drv_gen_info drv_gen_npu60 = {
	.gen = &reg_gen_npu60,
	.regs = &drv_40xx_regs,
	.seqs = DRV_40XX_SEQS(drv_50xx_power_up, drv_60xx_boot),
	.ops = &drv_lnl_ops,
	.warm_at_cold_entry = true,
	.hw_sched_only = true,
	.keep_clock_below_rev = 1, /* A0; SRC: P 1.1 */
};
