// SPDX-License-Identifier: MIT
/* npu40: Lunar Lake.  40xx IP behind the LNL buttress. */
#include "driver/gen/lnl_40xx.h"

/* Names older packages used; SRC: design section 8 */
static const char *const fw_extra[] = { "intel/vpu/vpu_40xx.bin", "intel/vpu_40.bin", NULL };

const struct drv_gen_info drv_gen_npu40 = {
	.gen = &reg_gen_npu40,
	.regs = &drv_40xx_regs,
	.fw_extra = fw_extra,
	.seqs = DRV_40XX_SEQS(drv_40xx_power_up, drv_40xx_boot),
	.ops = &drv_lnl_ops,
	.keep_clock_below_rev = 4, /* before B0; SRC: P 1.1 */
};
