/* SPDX-License-Identifier: MIT */
/* The buttress: what the MTL and the LNL layout have in common, as register hooks. */
#ifndef VNPU_BTRS_H
#define VNPU_BTRS_H

#include "vnpu/model.h"

void vnpu_btrs_payload0_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_btrs_payload1_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_btrs_payload2_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_btrs_wp_cmd_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_btrs_wp_cmd_rd(struct vnpu *v, struct vnpu_reg *r);
u64 vnpu_btrs_ratio_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_btrs_d0i3_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_btrs_ip_reset_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
u64 vnpu_btrs_ip_reset_rd(struct vnpu *v, struct vnpu_reg *r);
u64 vnpu_btrs_stat_rd(struct vnpu *v, struct vnpu_reg *r);
void vnpu_btrs_stat_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_btrs_local_mask_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);
void vnpu_btrs_global_mask_wr(struct vnpu *v, struct vnpu_reg *r, u64 val);

/** vnpu_btrs_source_clear() - @bits of INTERRUPT_STAT no longer have a reason. */
static inline void vnpu_btrs_source_clear(struct vnpu *v, u32 bits)
{
	v->irq.btrs_src &= ~bits;
}

#endif
