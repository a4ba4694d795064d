// SPDX-License-Identifier: MIT
/* npu60: Nova Lake.  40xx IP with power island delays and another boot step behind the LNL buttress. */
#include "vnpu/gen/order_40xx.h"

static const struct vnpu_hook *const hooks[] = {
	vnpu_btrs_lnl_hooks, vnpu_ip_40xx_hooks, vnpu_ip_50xx_hooks, vnpu_mmu_hooks, NULL,
};

/* From "workpoint on" to "interrupts on".  SRC: P 3.4, 8.3, 3.6 */
static const struct vnpu_order_step boot_order[] = {
	POWER_ORDER_1, DELAY_ORDER, POWER_ORDER_2, MMU_ORDER, START_ORDER_1, START_ORDER_2, { 0 },
};
static_assert(BASE_ARRAY_SIZE(boot_order) <= VNPU_MAX_ORDER, "more than order.c can note");

const struct vnpu_gen vnpu_gen_npu60 = {
	.info = &reg_gen_npu60,
	.revisions = { 0x04 },
	.hooks = hooks,
	.domain = vnpu_ip_40xx_domain,
	.boot_order = boot_order,
	.steps = vnpu_ip_60xx_steps,
	.dct_request = vnpu_btrs_lnl_dct,
	.warm_at_cold_entry = true, /* SRC: P 5.3 */
	.op_done = vnpu_job_op_done,
	.view = vnpu_view,
};
