// SPDX-License-Identifier: MIT
/*
 * The buttress, LNL layout: npu40, npu50, npu60.  SRC: P 2.2, 2.4 to 2.6.
 *
 * The power unit may ask the driver for duty cycling (DCT): it puts the request into the mailbox's
 * shadow and raises SURV_ERR; the driver tells the firmware and answers in the mailbox (P 2.6).
 */
#include "vnpu/btrs.h"

#define BAR	     REG_BAR_BTRS_LNL
#define R(name)	     REG_BTRS_LNL_##name
#define F(reg, name) REG_BTRS_LNL_##reg##__##name
#define STAT(name)   REG_MASK(F(INTERRUPT_STAT, name))

#define MAILBOX_DCT 2u		/* SRC: P 2.6 */
#define WEIGHTS	    0xf711f711u /* SRC: P 3.4 step 25, App. B */
#define WEIGHTS_ATS 0x0000f711u
#define DCT_PERCENT 38u /* 30 % of 128; P 2.6 */

/*
 * Status
 */

static u64 vpu_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	const bool on = v->btrs.on, idle = !on || vnpu_fw_is_idle(v);

	if (on && v->ip.steps & BASE_BIT(VNPU_ST_IDLE_GEN))
		vnpu_ip_step_done(v, VNPU_ST_CLOCK_ACK);
	return r->val | REG_PREP(F(VPU_STATUS, READY), on) | REG_PREP(F(VPU_STATUS, IDLE), idle) |
	       REG_PREP(F(VPU_STATUS, DUP_IDLE), idle) |
	       REG_PREP(F(VPU_STATUS, CLOCK_RESOURCE_OWN_ACK), on) |
	       REG_PREP(F(VPU_STATUS, POWER_RESOURCE_OWN_ACK), on);
}

static u64 cdyn_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->btrs.cdyn;
}

static void ip_reset_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	const u32 bit = REG_MASK(F(VPU_STATUS, DISABLE_CLK_RELINQUISH));

	if (val && !(vnpu_reg_val(v, BAR, R(VPU_STATUS)) & bit))
		vnpu_report(v, VNPU_GUEST_ERROR, "buttress",
			    "IP reset without DISABLE_CLK_RELINQUISH (P 2.4)");
	vnpu_btrs_ip_reset_wr(v, r, val);
}

static void check_weights(struct vnpu *v, const struct vnpu_reg *r, u64 val, u32 known)
{
	if (val != known)
		vnpu_report_reg(v, VNPU_UNSPECIFIED, BAR, r->off, "weights 0x%x: known is 0x%x",
				(u32)val, known);
}

static void weights_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	check_weights(v, r, val, WEIGHTS);
	vnpu_ip_step_done(v, VNPU_ST_WEIGHTS);
}

static void weights_ats_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	check_weights(v, r, val, WEIGHTS_ATS);
	vnpu_ip_step_done(v, VNPU_ST_WEIGHTS_ATS);
}

/*
 * Duty cycling on request of the power unit
 */

void vnpu_btrs_lnl_dct(struct vnpu *v, bool on)
{
	v->btrs.mailbox = REG_PREP(F(PCODE_MAILBOX_SHADOW, CMD), MAILBOX_DCT) |
			  REG_PREP(F(PCODE_MAILBOX_SHADOW, PARAM1), on);
	v->btrs.mailbox_open = true;
	v->irq.btrs_stat |= STAT(SURV_ERR);
	vnpu_irq_update(v);
}

static u64 shadow_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->btrs.mailbox;
}

static void mailbox_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	const u32 on = reg_fld_get(v->btrs.mailbox, F(PCODE_MAILBOX_SHADOW, PARAM1));
	const u32 want =
		v->btrs.mailbox | REG_PREP(F(PCODE_MAILBOX_STATUS, PARAM2), on ? DCT_PERCENT : 0);

	if (!v->btrs.mailbox_open)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, r->off,
				"mailbox answer 0x%x without a request (P 2.6)", (u32)val);
	else if (val != want)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, r->off,
				"mailbox answer 0x%x: expected 0x%x (P 2.6)", (u32)val, want);
	else if (on != (v->fw.set.dct_active_us != 0))
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, r->off,
				"mailbox answer before DCT_%s (P 2.6)", on ? "ENABLE" : "DISABLE");
	v->btrs.mailbox_open = false;
}

/*
 * Errors
 */

#define CLEAR(fn, name)                                             \
	static void fn(struct vnpu *v, struct vnpu_reg *r, u64 val) \
	{                                                           \
		(void)r;                                            \
		if (val)                                            \
			vnpu_btrs_source_clear(v, STAT(name));      \
	}
CLEAR(ats_clear_wr, ATS_ERR)
CLEAR(cfi0_clear_wr, CFI0_ERR)
CLEAR(cfi1_clear_wr, CFI1_ERR)
CLEAR(imr0_clear_wr, IMR0_ERR)
CLEAR(imr1_clear_wr, IMR1_ERR)

const struct vnpu_hook vnpu_btrs_lnl_hooks[] = {
	{ BAR, R(INTERRUPT_STAT), vnpu_btrs_stat_rd, vnpu_btrs_stat_wr },
	{ BAR, R(LOCAL_INT_MASK), NULL, vnpu_btrs_local_mask_wr },
	{ BAR, R(GLOBAL_INT_MASK), NULL, vnpu_btrs_global_mask_wr },
	{ BAR, R(ATS_ERR_CLEAR), NULL, ats_clear_wr },
	{ BAR, R(CFI0_ERR_CLEAR), NULL, cfi0_clear_wr },
	{ BAR, R(CFI1_ERR_CLEAR), NULL, cfi1_clear_wr },
	{ BAR, R(IMR_ERR_CFI0_CLEAR), NULL, imr0_clear_wr },
	{ BAR, R(IMR_ERR_CFI1_CLEAR), NULL, imr1_clear_wr },
	{ BAR, R(PORT_ARBITRATION_WEIGHTS), NULL, weights_wr },
	{ BAR, R(PORT_ARBITRATION_WEIGHTS_ATS), NULL, weights_ats_wr },
	{ BAR, R(PCODE_MAILBOX_STATUS), NULL, mailbox_wr },
	{ BAR, R(PCODE_MAILBOX_SHADOW), shadow_rd, NULL },
	{ BAR, R(WP_REQ_PAYLOAD0), NULL, vnpu_btrs_payload0_wr },
	{ BAR, R(WP_REQ_PAYLOAD1), NULL, vnpu_btrs_payload1_wr },
	{ BAR, R(WP_REQ_PAYLOAD2), NULL, vnpu_btrs_payload2_wr },
	{ BAR, R(WP_REQ_CMD), vnpu_btrs_wp_cmd_rd, vnpu_btrs_wp_cmd_wr },
	{ BAR, R(PLL_FREQ), vnpu_btrs_ratio_rd, NULL },
	{ BAR, R(CDYN), cdyn_rd, NULL },
	{ BAR, R(VPU_STATUS), vpu_status_rd, NULL },
	{ BAR, R(IP_RESET), vnpu_btrs_ip_reset_rd, ip_reset_wr },
	{ BAR, R(D0I3_CONTROL), NULL, vnpu_btrs_d0i3_wr },
	{ 0 },
};
