// SPDX-License-Identifier: MIT
/* The buttress, MTL layout: npu37.  SRC: P 2.1, 2.4 to 2.6. */
#include "vnpu/btrs.h"

#define BAR	     REG_BAR_BTRS_MTL
#define R(name)	     REG_BTRS_MTL_##name
#define F(reg, name) REG_BTRS_MTL_##reg##__##name

static u64 pll_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(PLL_STATUS, LOCK), v->btrs.on);
}

static u64 vpu_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	if (!v->btrs.on)
		return 0;
	return REG_PREP(F(VPU_STATUS, READY), 1) |
	       REG_PREP(F(VPU_STATUS, IDLE), vnpu_fw_is_idle(v));
}

static void ats_clear_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (val)
		vnpu_btrs_source_clear(v, REG_MASK(F(INTERRUPT_STAT, ATS_ERR)));
}

static void ufi_clear_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (val)
		vnpu_btrs_source_clear(v, REG_MASK(F(INTERRUPT_STAT, UFI_ERR)));
}

const struct vnpu_hook vnpu_btrs_mtl_hooks[] = {
	{ BAR, R(INTERRUPT_STAT), vnpu_btrs_stat_rd, vnpu_btrs_stat_wr },
	{ BAR, R(WP_REQ_PAYLOAD0), NULL, vnpu_btrs_payload0_wr },
	{ BAR, R(WP_REQ_PAYLOAD1), NULL, vnpu_btrs_payload1_wr },
	{ BAR, R(WP_REQ_PAYLOAD2), NULL, vnpu_btrs_payload2_wr },
	{ BAR, R(WP_REQ_CMD), vnpu_btrs_wp_cmd_rd, vnpu_btrs_wp_cmd_wr },
	{ BAR, R(CURRENT_PLL), vnpu_btrs_ratio_rd, NULL },
	{ BAR, R(LOCAL_INT_MASK), NULL, vnpu_btrs_local_mask_wr },
	{ BAR, R(GLOBAL_INT_MASK), NULL, vnpu_btrs_global_mask_wr },
	{ BAR, R(PLL_STATUS), pll_status_rd, NULL },
	{ BAR, R(VPU_STATUS), vpu_status_rd, NULL },
	{ BAR, R(VPU_IP_RESET), vnpu_btrs_ip_reset_rd, vnpu_btrs_ip_reset_wr },
	{ BAR, R(VPU_D0I3_CONTROL), NULL, vnpu_btrs_d0i3_wr },
	{ BAR, R(ATS_ERR_CLEAR), NULL, ats_clear_wr },
	{ BAR, R(UFI_ERR_CLEAR), NULL, ufi_clear_wr },
	{ 0 },
};
