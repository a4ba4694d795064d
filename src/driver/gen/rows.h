/* SPDX-License-Identifier: MIT */
/*
 * How the rows of a generation's sequences are written.  Who includes this defines the registers
 * and fields of its two blocks: B(reg), BF(reg, fld) of the buttress, V(reg), VF(reg, fld) of the IP.
 */
#ifndef DRIVER_GEN_ROWS_H
#define DRIVER_GEN_ROWS_H

#include "driver/mmio.h"

#define IO(reg)                                                  \
	{                                                        \
		.bar = DRV_REG_BAR(reg), .off = DRV_REG_OFF(reg) \
	}
#define SEQ(id, steps_) static const struct drv_seq id = { #id, steps_, BASE_ARRAY_SIZE(steps_) }

/* clang-format off */
#define ROW(o, p, g, t, s) .op = DRV_STEP_##o, .policy = DRV_STEP_##p, .group = (g), .text = (t), .source = (s)

#define POLL_B(p, g, reg_, fld, val, limit_, src) \
	{ ROW(POLL, p, g, "poll " #reg_ "." #fld " == " #val, src), .reg = B(reg_), DRV_F(BF(reg_, fld), val), DRV_LIMIT(limit_) }
#define POLL_V(reg_, fld, val, limit_, src) \
	{ ROW(POLL, FATAL, 0, "poll " #reg_ "." #fld " == " #val, src), .reg = V(reg_), DRV_F(VF(reg_, fld), val), DRV_LIMIT(limit_) }
#define SET_B(p, g, reg_, fld, val, src) \
	{ ROW(RMW, p, g, "set " #reg_ "." #fld " = " #val, src), .reg = B(reg_), DRV_F(BF(reg_, fld), val) }
#define SET_V(reg_, fld, val, src) \
	{ ROW(RMW, FATAL, 0, "set " #reg_ "." #fld " = " #val, src), .reg = V(reg_), DRV_F(VF(reg_, fld), val) }
#define DYN_B(p, g, reg_, fn, src) \
	{ ROW(RMW, p, g, "set " #reg_, src), .reg = B(reg_), .mask = 0xffffffff, .dyn = (fn) }
#define BITS_V(reg_, bits, val, what, src) \
	{ ROW(RMW, FATAL, 0, "set " #reg_ " " what, src), .reg = V(reg_), .mask = (bits), .value = (val) }
#define CHECK_V(reg_, bits, val, what, src) \
	{ ROW(CHECK, FATAL, 0, "check " #reg_ " " what, src), .reg = V(reg_), .mask = (bits), .value = (val) }
#define WRITE_B(p, reg_, val, src) \
	{ ROW(WRITE, p, 0, "write " #reg_ " = " #val, src), .reg = B(reg_), .value = (val) }
#define CALL(fn, what, src) \
	{ ROW(CALL, FATAL, 0, what, src), .call = (fn) }

/* Key before each of the two protected registers.  SRC: P 3.8, App. B timer safe key */
#define TIM_SAFE_KEY 0xf1d0dead

#define WDOG_OFF_ROWS \
	{ ROW(WRITE, FATAL, 0, "unlock TIM_WATCHDOG", "P 3.8"), .reg = V(CPU_SS_TIM_SAFE), .value = TIM_SAFE_KEY }, \
	{ ROW(WRITE, FATAL, 0, "write TIM_WATCHDOG = longest", "P 3.8"), .reg = V(CPU_SS_TIM_WATCHDOG), .value = 0xffffffff }, \
	{ ROW(WRITE, FATAL, 0, "unlock TIM_WDOG_EN", "P 3.8"), .reg = V(CPU_SS_TIM_SAFE), .value = TIM_SAFE_KEY }, \
	{ ROW(WRITE, FATAL, 0, "write TIM_WDOG_EN = 0", "P 3.8"), .reg = V(CPU_SS_TIM_WDOG_EN), .value = 0 }, \
	SET_V(CPU_SS_TIM_GEN_CONFIG, WDOG_TO_INT_CLR, 0, "P 3.8")
/* The firmware runs: its interrupts reach the host. */
#define IRQ_ON_ROWS \
	{ ROW(WRITE64, FATAL, 0, "write HOST_SS_ICB_CLEAR = all", "P 3.6 #9"), \
	  .reg = V(HOST_SS_ICB_CLEAR), .dyn = drv_gen_icb_all }, \
	{ ROW(WRITE, FATAL, 0, "write HOST_SS_FW_SOC_IRQ_EN = all", "P 3.6 #10"), \
	  .reg = V(HOST_SS_FW_SOC_IRQ_EN), .dyn = drv_gen_soc_irqs }, \
	{ ROW(WRITE64, FATAL, 0, "write HOST_SS_ICB_ENABLE = all", "P 3.6 #10"), \
	  .reg = V(HOST_SS_ICB_ENABLE), .dyn = drv_gen_icb_all }, \
	{ ROW(WRITE, FATAL, 0, "write LOCAL_INT_MASK: errors pass", "P 3.6 #10"), \
	  .reg = B(LOCAL_INT_MASK), .dyn = drv_gen_btrs_mask }, \
	WRITE_B(FATAL, GLOBAL_INT_MASK, 0, "P 3.6 #10")

/* It may go on or not: nothing of it reaches the host any more. */
#define IRQ_OFF_ROWS(src) \
	WRITE_B(WARN, GLOBAL_INT_MASK, 1, src), \
	WRITE_B(WARN, LOCAL_INT_MASK, 0xffffffff, src), \
	{ ROW(WRITE64, WARN, 0, "write HOST_SS_ICB_ENABLE = 0", src), .reg = V(HOST_SS_ICB_ENABLE) }, \
	{ ROW(WRITE, WARN, 0, "write HOST_SS_FW_SOC_IRQ_EN = 0", src), .reg = V(HOST_SS_FW_SOC_IRQ_EN) }

/* Power goes next.  READY_IDLE: of VPU_STATUS. */
#define SUSPEND_ROWS \
	{ ROW(CALL, WARN, 0, "changes are no more told to the MMU", "P 11.1 #1"), .call = drv_pm_mmu_off }, \
	{ ROW(CHECK, WARN, 1, "check VPU_STATUS READY, IDLE == 1", "P 11.1 #2"), .when = drv_pm_must_idle, \
	  .reg = B(VPU_STATUS), .mask = READY_IDLE, .value = READY_IDLE }, \
	{ ROW(CALL, WARN, 1, "have the firmware enter D0i3", "P 11.1 #3"), .call = drv_pm_enter_d0i3, \
	  DRV_LIMIT_MS(d0i3_entry_msg) }, \
	POLL_B(WARN, 1, VPU_STATUS, IDLE, 1, idle, "P 11.1 #4"), \
	{ ROW(CALL, WARN, 0, "decide how to boot next", "P 11.1 #7"), .call = drv_pm_judge }

#define RECOVER_ROWS \
	{ ROW(READ, WARN, 0, "read HOST_SS_ICB_STATUS_0", "P 2.6, P 11.4 #1"), .reg = V(HOST_SS_ICB_STATUS_0) }, \
	{ ROW(READ, WARN, 0, "read HOST_SS_TIM_IPC_FIFO_STAT", "P 2.6, P 11.4 #1"), \
	  .reg = V(HOST_SS_TIM_IPC_FIFO_STAT) }, \
	{ ROW(READ, WARN, 0, "read INTERRUPT_STAT", "P 2.6, P 11.4 #1"), .reg = B(INTERRUPT_STAT) }, \
	IRQ_OFF_ROWS("P 11.4 #1"), \
	{ ROW(CALL, WARN, 0, "ask for the firmware's state, write everything down", "P 11.4 #2, #3"), \
	  .call = drv_recovery_dump, DRV_LIMIT_MS(jsm) }
/* clang-format on */

/* Values of rows that the generation's data gives. */
u64 drv_gen_icb_all(const struct drv_dev *dev);
u64 drv_gen_soc_irqs(const struct drv_dev *dev);
u64 drv_gen_btrs_mask(const struct drv_dev *dev); /* 1 = masked */
u64 drv_gen_entry(const struct drv_dev *dev);	  /* of the firmware, as the register wants it */

#endif
