/* SPDX-License-Identifier: MIT */
/* IP registers: what the 37xx and the 40xx flavour have in common, as register hooks. */
#ifndef VNPU_IP_H
#define VNPU_IP_H

#include "vnpu/model.h"

#define S(step) BASE_BIT(VNPU_ST_##step)

/** vnpu_ip_step() - the driver takes a step: does it have an effect?  Reports what is missing. */
bool vnpu_ip_step(struct vnpu *v, enum vnpu_step_id step);
void vnpu_ip_undo(struct vnpu *v, enum vnpu_step_id step);
/** vnpu_ip_drive() - a bit that takes the step when @on and takes it back when not. */
void vnpu_ip_drive(struct vnpu *v, enum vnpu_step_id step, bool on);
/** vnpu_ip_entry() - the entry register: address, and from the second write on the start. */
void vnpu_ip_entry(struct vnpu *v, u32 off, u64 val);

void vnpu_ip_idle_gen_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_trickle_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_island_en_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_ip_island_status_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_ip_clk_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_rst_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_iso_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_host_noc_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_ip_host_noc_rd(struct vnpu *v, struct vnpu_reg *r);
u64 vnpu_ip_host_deny_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_ip_top_noc_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_ip_top_noc_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_ip_ssidv_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_ip_icb_status_rd(struct vnpu *v, struct vnpu_reg *r);
u64 vnpu_ip_icb_status1_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_ip_icb_clear_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_icb_enable_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_soc_irq_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_ip_fifo_atm_rd(struct vnpu *v, struct vnpu_reg *r);
u64 vnpu_ip_fifo_stat_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_ip_fifo_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_doorbell_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_ip_counter_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_ip_safe_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_ip_guarded_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);

#endif
