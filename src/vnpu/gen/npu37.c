// SPDX-License-Identifier: MIT
/* Generation npu37 of the model: Meteor Lake, Arrow Lake.  SRC: P 3.4, 3.6, 8.3. */
#include <string.h>

#include "vnpu/model.h"

#define BTRS_W(row, src) { &reg_block_btrs_mtl, REG_IDX_BTRS_MTL_##row, true, src }
#define IP_R(row, src)	 { &reg_block_ip_37xx, REG_IDX_IP_37XX_##row, false, src }
#define IP_W(row, src)	 { &reg_block_ip_37xx, REG_IDX_IP_37XX_##row, true, src }
#define MMU_R(row, src)	 { &reg_block_mmu, REG_IDX_MMU_##row, false, src }
#define MMU_W(row, src)	 { &reg_block_mmu, REG_IDX_MMU_##row, true, src }

/* From "workpoint on" to "interrupts on". */
static const struct vnpu_order_step power_up[] = {
	IP_R(HOST_SS_CPR_RST_CLR, "P 3.4 #7"),
	IP_W(HOST_SS_CPR_RST_CLR, "P 3.4 #8"),
	IP_R(HOST_SS_NOC_QREQN, "P 3.4 #9"),
	IP_R(HOST_SS_NOC_QACCEPTN, "P 3.4 #10"),
	IP_R(HOST_SS_NOC_QDENY, "P 3.4 #11"),
	IP_W(HOST_SS_AON_VPU_IDLE_GEN, "P 3.4 #12"),
	IP_W(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0, "P 3.4 #15"),
	IP_W(HOST_SS_AON_PWR_ISLAND_EN0, "P 3.4 #16"),
	IP_R(HOST_SS_AON_PWR_ISLAND_STATUS0, "P 3.4 #17"),
	IP_R(TOP_NOC_QREQN, "P 3.4 #18"),
	IP_W(HOST_SS_CPR_CLK_SET, "P 3.4 #19"),
	IP_W(HOST_SS_AON_PWR_ISO_EN0, "P 3.4 #20"),
	IP_W(HOST_SS_CPR_RST_SET, "P 3.4 #21"),
	IP_W(HOST_SS_AON_DPU_ACTIVE, "P 3.4 #22"),
	IP_W(HOST_SS_NOC_QREQN, "P 3.4 #23"),
	IP_R(HOST_SS_NOC_QACCEPTN, "P 3.4 #24"),
	IP_R(HOST_SS_NOC_QDENY, "P 3.4 #24"),
	IP_W(TOP_NOC_QREQN, "P 3.4 #26"),
	IP_R(TOP_NOC_QACCEPTN, "P 3.4 #27"),
	IP_R(TOP_NOC_QDENY, "P 3.4 #27"),

	MMU_W(CR0, "P 8.3 #1"),
	MMU_R(CR0ACK, "P 8.3 #1"),
	MMU_W(CR1, "P 8.3 #2"),
	MMU_W(STRTAB_BASE, "P 8.3 #3"),
	MMU_W(STRTAB_BASE_CFG, "P 8.3 #3"),
	MMU_W(CMDQ_BASE, "P 8.3 #4"),
	MMU_W(CMDQ_PROD, "P 8.3 #4"),
	MMU_W(CMDQ_CONS, "P 8.3 #4"),
	MMU_W(CR0, "P 8.3 #5"),
	MMU_R(CR0ACK, "P 8.3 #5"),
	MMU_W(CMDQ_PROD, "P 8.3 #6"),
	MMU_R(CMDQ_CONS, "P 8.3 #6"),
	MMU_W(EVTQ_BASE, "P 8.3 #7"),
	MMU_W(EVTQ_PROD_SEC, "P 8.3 #7"),
	MMU_W(EVTQ_CONS_SEC, "P 8.3 #7"),
	MMU_W(CR0, "P 8.3 #8"),
	MMU_R(CR0ACK, "P 8.3 #8"),
	MMU_W(CR0, "P 8.3 #9"),
	MMU_R(CR0ACK, "P 8.3 #9"),
	MMU_W(IRQ_CTRL, "P 8.3 #10"),
	MMU_R(IRQ_CTRLACK, "P 8.3 #10"),
	MMU_W(IRQ_CTRL, "P 8.3 #11"),
	MMU_R(IRQ_CTRLACK, "P 8.3 #11"),
	MMU_W(CR0, "P 8.3 #12"),
	MMU_R(CR0ACK, "P 8.3 #12"),
	MMU_W(CMDQ_PROD, "P 8.3 #13"),
	MMU_R(CMDQ_CONS, "P 8.3 #13"),

	IP_W(HOST_IF_TCU_PTW_OVERRIDES, "P 3.6 #1"),
	IP_W(HOST_IF_TBU_MMUSSIDV, "P 3.6 #2"),
	IP_W(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, "P 3.6 #3"),
	IP_W(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, "P 3.6 #4"),
	IP_W(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, "P 3.6 #5"),
	IP_W(HOST_SS_LOADING_ADDRESS_LO, "P 3.6 #6"),
	IP_W(HOST_SS_LOADING_ADDRESS_LO, "P 3.6 #7"),
	IP_R(HOST_SS_TIM_IPC_FIFO_STAT, "P 3.6 #8"),
	IP_R(HOST_SS_TIM_IPC_FIFO_ATM, "P 3.6 #8"),
	IP_W(HOST_SS_ICB_CLEAR, "P 3.6 #9"),
	IP_W(HOST_SS_FW_SOC_IRQ_EN, "P 3.6 #10"),
	IP_W(HOST_SS_ICB_ENABLE, "P 3.6 #10"),
	BTRS_W(LOCAL_INT_MASK, "P 3.6 #10"),
	BTRS_W(GLOBAL_INT_MASK, "P 3.6 #10"),
};

const struct vnpu_gen vnpu_gen_npu37 = {
	.data = &reg_gen_npu37,
	.revision = 4, /* SRC: P 1.1, seen in public boot logs of Meteor Lake */
	.blocks = {
		{ &reg_block_btrs_mtl, vnpu_btrs_mtl_hooks },
		{ &reg_block_ip_37xx, vnpu_ip_37xx_hooks },
		{ &reg_block_mmu, vnpu_mmu_hooks },
	},
	.power_up = power_up,
	.nr_power_up = BASE_ARRAY_SIZE(power_up),
};

const struct vnpu_gen *vnpu_gen_by_name(const char *name)
{
	return strcmp(name, vnpu_gen_npu37.data->name) ? NULL : &vnpu_gen_npu37;
}
