// SPDX-License-Identifier: MIT
/* npu37: Meteor Lake, Arrow Lake.  37xx IP behind the MTL buttress. */
#include "vnpu/gen/order.h"

static const struct vnpu_hook *const hooks[] = {
	vnpu_btrs_mtl_hooks,
	vnpu_ip_37xx_hooks,
	vnpu_mmu_hooks,
	NULL,
};

#define BTRS_W(name, src) ORDER_STEP(REG_BAR_BTRS_MTL, true, REG_BTRS_MTL_##name, src)
#define IP_R(name, src)	  ORDER_STEP(REG_BAR_IP_37XX, false, REG_IP_37XX_##name, src)
#define IP_W(name, src)	  ORDER_STEP(REG_BAR_IP_37XX, true, REG_IP_37XX_##name, src)

/* From "workpoint on" to "interrupts on".  SRC: P 3.4, 8.3, 3.6 */
static const struct vnpu_order_step boot_order[] = {
	IP_R(HOST_SS_CPR_RST_CLR, "P 3.4 step 7"),
	IP_W(HOST_SS_CPR_RST_CLR, "P 3.4 step 8"),
	IP_R(HOST_SS_NOC_QREQN, "P 3.4 step 9"),
	IP_R(HOST_SS_NOC_QACCEPTN, "P 3.4 step 10"),
	IP_R(HOST_SS_NOC_QDENY, "P 3.4 step 11"),
	IP_W(HOST_SS_AON_VPU_IDLE_GEN, "P 3.4 step 12"),
	IP_W(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0, "P 3.4 step 15"),
	IP_W(HOST_SS_AON_PWR_ISLAND_EN0, "P 3.4 step 16"),
	IP_R(HOST_SS_AON_PWR_ISLAND_STATUS0, "P 3.4 step 17"),
	IP_R(TOP_NOC_QREQN, "P 3.4 step 18"),
	IP_W(HOST_SS_CPR_CLK_SET, "P 3.4 step 19"),
	IP_W(HOST_SS_AON_PWR_ISO_EN0, "P 3.4 step 20"),
	IP_W(HOST_SS_CPR_RST_SET, "P 3.4 step 21"),
	IP_W(HOST_SS_AON_DPU_ACTIVE, "P 3.4 step 22"),
	IP_W(HOST_SS_NOC_QREQN, "P 3.4 step 23"),
	IP_R(HOST_SS_NOC_QACCEPTN, "P 3.4 step 24"),
	IP_R(HOST_SS_NOC_QDENY, "P 3.4 step 24"),
	IP_W(TOP_NOC_QREQN, "P 3.4 step 26"),
	IP_R(TOP_NOC_QACCEPTN, "P 3.4 step 27"),
	IP_R(TOP_NOC_QDENY, "P 3.4 step 27"),

	MMU_ORDER,

	IP_W(HOST_IF_TCU_PTW_OVERRIDES, "P 3.6 step 1"),
	IP_W(HOST_IF_TBU_MMUSSIDV, "P 3.6 step 2"),
	IP_W(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, "P 3.6 step 3"),
	IP_W(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, "P 3.6 step 4"),
	IP_W(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, "P 3.6 step 5"),
	IP_W(HOST_SS_LOADING_ADDRESS_LO, "P 3.6 step 6"),
	IP_W(HOST_SS_LOADING_ADDRESS_LO, "P 3.6 step 7"),
	IP_R(HOST_SS_TIM_IPC_FIFO_STAT, "P 3.6 step 8"),
	IP_R(HOST_SS_TIM_IPC_FIFO_ATM, "P 3.6 step 8"),
	IP_W(HOST_SS_ICB_CLEAR, "P 3.6 step 9"),
	IP_W(HOST_SS_FW_SOC_IRQ_EN, "P 3.6 step 10"),
	IP_W(HOST_SS_ICB_ENABLE, "P 3.6 step 10"),
	BTRS_W(LOCAL_INT_MASK, "P 3.6 step 10"),
	BTRS_W(GLOBAL_INT_MASK, "P 3.6 step 10"),
	{ 0 },
};
static_assert(BASE_ARRAY_SIZE(boot_order) <= VNPU_MAX_ORDER, "more than order.c can note");

/* What lies behind TOP_NOC is not told anywhere; the MMU and the CPU subsystem must be (P 3.4). */
static enum vnpu_domain domain(const struct reg_block *block, u32 off)
{
	if (block == &reg_block_btrs_mtl)
		return VNPU_DOM_ALWAYS;
	if (block == &reg_block_mmu || off >= REG_IP_37XX_HOST_IF_TCU_PTW_OVERRIDES)
		return VNPU_DOM_NOC;
	return VNPU_DOM_HOST;
}

const struct vnpu_gen vnpu_gen_npu37 = {
	.info = &reg_gen_npu37,
	.revisions = { 0x04, 0x05 }, /* SRC: P 1.1, public boot logs */
	.hooks = hooks,
	.domain = domain,
	.boot_order = boot_order,
	.steps = vnpu_ip_37xx_steps,
	.wp_off_first = true, /* SRC: P 3.4 step 1 */
	.op_done = vnpu_job_op_done,
	.view = vnpu_view,
};
