/* SPDX-License-Identifier: MIT */
/*
 * Rows of the boot order of the 40xx flavour behind the LNL buttress.  SRC: P 3.4, 3.6
 *
 * Not among them: the clock resource ack (step 13), because VPU_STATUS is read in many places; it is
 * a step of ip_40xx.c.  HM_ATS (step 6): Linux reads it only when debug prints are on.
 */
#ifndef VNPU_GEN_ORDER_40XX_H
#define VNPU_GEN_ORDER_40XX_H

#include "vnpu/gen/order.h"

#define BTRS_R(name, src) ORDER_STEP(REG_BAR_BTRS_LNL, false, REG_BTRS_LNL_##name, src)
#define BTRS_W(name, src) ORDER_STEP(REG_BAR_BTRS_LNL, true, REG_BTRS_LNL_##name, src)
#define IP_R(name, src)	  ORDER_STEP(REG_BAR_IP_40XX, false, REG_IP_40XX_##name, src)
#define IP_W(name, src)	  ORDER_STEP(REG_BAR_IP_40XX, true, REG_IP_40XX_##name, src)
#define IP50_W(name, src) ORDER_STEP(REG_BAR_IP_50XX, true, REG_IP_50XX_##name, src)

/* clang-format off */
#define POWER_ORDER_1                                          \
	BTRS_R(VPU_STATUS, "P 2.4 workpoint step 6"),          \
	BTRS_W(VPU_STATUS, "P 3.4 step 5"),                    \
	IP_R(HOST_SS_NOC_QREQN, "P 3.4 step 9"),               \
	IP_R(HOST_SS_NOC_QACCEPTN, "P 3.4 step 10"),           \
	IP_R(HOST_SS_NOC_QDENY, "P 3.4 step 11"),              \
	IP_W(HOST_SS_AON_IDLE_GEN, "P 3.4 step 12")

#define DELAY_ORDER                                                       \
	IP50_W(HOST_SS_AON_PWR_ISLAND_EN_POST_DLY, "P 3.4 step 14"),      \
	IP50_W(HOST_SS_AON_PWR_ISLAND_STATUS_DLY, "P 3.4 step 14")

#define POWER_ORDER_2                                                 \
	IP_W(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0, "P 3.4 step 15"),    \
	IP_W(HOST_SS_AON_PWR_ISLAND_EN0, "P 3.4 step 16"),            \
	IP_R(HOST_SS_AON_PWR_ISLAND_STATUS0, "P 3.4 step 17"),        \
	IP_R(TOP_NOC_QREQN, "P 3.4 step 18"),                         \
	IP_W(HOST_SS_CPR_CLK_EN, "P 3.4 step 19"),                    \
	IP_W(HOST_SS_AON_PWR_ISO_EN0, "P 3.4 step 20"),               \
	IP_W(HOST_SS_CPR_RST_EN, "P 3.4 step 21"),                    \
	IP_W(HOST_SS_NOC_QREQN, "P 3.4 step 23"),                     \
	IP_R(HOST_SS_NOC_QACCEPTN, "P 3.4 step 24"),                  \
	IP_R(HOST_SS_NOC_QDENY, "P 3.4 step 24"),                     \
	BTRS_W(PORT_ARBITRATION_WEIGHTS, "P 3.4 step 25"),            \
	BTRS_W(PORT_ARBITRATION_WEIGHTS_ATS, "P 3.4 step 25"),        \
	IP_W(TOP_NOC_QREQN, "P 3.4 step 26"),                         \
	IP_R(TOP_NOC_QACCEPTN, "P 3.4 step 27"),                      \
	IP_R(TOP_NOC_QDENY, "P 3.4 step 27")

#define START_ORDER_1                                          \
	IP_W(HOST_IF_TCU_PTW_OVERRIDES, "P 3.6 step 1"),       \
	IP_W(HOST_IF_TBU_MMUSSIDV, "P 3.6 step 2")

#define CPU_NOC_ORDER                                          \
	IP_W(CPU_SS_CPR_NOC_QREQN, "P 3.6 step 3"),            \
	IP_R(CPU_SS_CPR_NOC_QACCEPTN, "P 3.6 step 4"),         \
	IP_R(CPU_SS_CPR_NOC_QDENY, "P 3.6 step 5")

#define START_ORDER_2                                          \
	IP_W(HOST_SS_VERIFICATION_ADDRESS, "P 3.6 step 6"),    \
	IP_R(HOST_SS_VERIFICATION_ADDRESS, "P 3.6 step 7"),    \
	IP_W(HOST_SS_VERIFICATION_ADDRESS, "P 3.6 step 7"),    \
	IP_R(HOST_SS_TIM_IPC_FIFO_STAT, "P 3.6 step 8"),       \
	IP_R(HOST_SS_TIM_IPC_FIFO_ATM, "P 3.6 step 8"),        \
	IP_W(HOST_SS_ICB_CLEAR, "P 3.6 step 9"),               \
	IP_W(HOST_SS_FW_SOC_IRQ_EN, "P 3.6 step 10"),          \
	IP_W(HOST_SS_ICB_ENABLE, "P 3.6 step 10"),             \
	BTRS_W(LOCAL_INT_MASK, "P 3.6 step 10"),               \
	BTRS_W(GLOBAL_INT_MASK, "P 3.6 step 10")
/* clang-format on */

#endif
