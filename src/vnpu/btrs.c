// SPDX-License-Identifier: MIT
/*
 * The buttress of both layouts: workpoint, D0i3, IP reset, interrupt status.  The layouts' own files
 * (btrs_mtl.c, btrs_lnl.c) say which register is which.  SRC: P 2.1, 2.2, 2.4 to 2.6, 11.6.
 *
 * A workpoint request takes a moment: SEND stays set, then PLL lock and READY follow it.
 */
#include "vnpu/btrs.h"

#include "vnpu/compute.h"

#define F(reg, name) REG_BTRS_MTL_##reg##__##name

/* One code for both layouts: their fields are the same where both have them. */
#define SAME(reg, mtl_reg, fld)                                                                 \
	static_assert((int)REG_BTRS_LNL_##reg##__##fld == (int)REG_BTRS_MTL_##mtl_reg##__##fld, \
		      #reg "." #fld ": other bits than on MTL")
SAME(INTERRUPT_STAT, INTERRUPT_STAT, ATS_ERR);
SAME(WP_REQ_PAYLOAD0, WP_REQ_PAYLOAD0, MIN_RATIO);
SAME(WP_REQ_PAYLOAD0, WP_REQ_PAYLOAD0, MAX_RATIO);
SAME(WP_REQ_PAYLOAD1, WP_REQ_PAYLOAD1, TARGET_RATIO);
SAME(WP_REQ_PAYLOAD1, WP_REQ_PAYLOAD1, EPP);
SAME(WP_REQ_PAYLOAD2, WP_REQ_PAYLOAD2, CONFIG);
SAME(WP_REQ_CMD, WP_REQ_CMD, SEND);
SAME(IP_RESET, VPU_IP_RESET, TRIGGER);
SAME(D0I3_CONTROL, VPU_D0I3_CONTROL, I3);

static void guest_error(struct vnpu *v, const char *what)
{
	vnpu_report(v, VNPU_GUEST_ERROR, "buttress", "%s", what);
}

void vnpu_btrs_reset(struct vnpu *v)
{
	v->btrs = (struct vnpu_btrs){ 0 };
	v->irq.btrs_stat = 0;
	v->irq.btrs_src = 0;
	v->irq.local_mask = UINT32_MAX;
	v->irq.global_mask = 1;
	vnpu_irq_update(v);
	vnpu_timer_clear(v, VNPU_T_WORKPOINT);
	vnpu_timer_clear(v, VNPU_T_IP_RESET);
}

/* An error the driver logs and recovers from; P 2.6 */
void vnpu_btrs_error(struct vnpu *v)
{
	v->irq.btrs_src |= REG_MASK(F(INTERRUPT_STAT, ATS_ERR));
	v->irq.btrs_stat |= v->irq.btrs_src;
	vnpu_irq_update(v);
}

/*
 * Workpoint
 */

/* Each request writes all three, in this order: P 2.4 step 2. */
static void payload(struct vnpu *v, u32 nr, u64 val)
{
	if (v->btrs.wp_written != BASE_BIT(nr) - 1)
		vnpu_report(v, VNPU_GUEST_ERROR, "buttress",
			    "WP_REQ_PAYLOAD%u written out of order (P 2.4 step 2)", nr);
	v->btrs.wp_written |= (u8)BASE_BIT(nr);
	v->btrs.payload[nr] = (u32)val;
}

void vnpu_btrs_payload0_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	payload(v, 0, val);
}

void vnpu_btrs_payload1_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	payload(v, 1, val);
}

void vnpu_btrs_payload2_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	payload(v, 2, val);
}

static void check_ratios(struct vnpu *v)
{
	u32 min = reg_fld_get(v->btrs.payload[0], F(WP_REQ_PAYLOAD0, MIN_RATIO));
	u32 max = reg_fld_get(v->btrs.payload[0], F(WP_REQ_PAYLOAD0, MAX_RATIO));
	u32 target = reg_fld_get(v->btrs.payload[1], F(WP_REQ_PAYLOAD1, TARGET_RATIO));

	if (min > max || target < min || target > max || min < v->info->fmin_ratio ||
	    max > v->info->fmax_ratio)
		vnpu_report(
			v, VNPU_GUEST_ERROR, "buttress",
			"workpoint ratios min %u, target %u, max %u: expected ascending, within "
			"the fuses %u to %u (P 2.4)",
			min, target, max, v->info->fmin_ratio, v->info->fmax_ratio);
}

static void check_value(struct vnpu *v, const char *what, u32 val, u32 known)
{
	if (val != known)
		vnpu_report(v, VNPU_UNSPECIFIED, "buttress", "workpoint %s 0x%x: known is 0x%x",
			    what, val, known);
}

static u32 cdyn(const struct vnpu *v)
{
	return reg_fld_get(v->btrs.payload[2], REG_BTRS_LNL_WP_REQ_PAYLOAD2__CDYN);
}

static void check_on(struct vnpu *v)
{
	if (v->gen->wp_off_first && !v->btrs.wp_off_seen)
		guest_error(v, "workpoint on without workpoint off before it (P 3.4 step 1)");
	if (!v->btrs.d0i3_exit_seen)
		guest_error(v, "workpoint on before D0i3 exit (P 3.4 step 2)");
	check_ratios(v);
	check_value(v, "config", reg_fld_get(v->btrs.payload[2], F(WP_REQ_PAYLOAD2, CONFIG)),
		    v->info->wp_config_on);
	check_value(v, "EPP", reg_fld_get(v->btrs.payload[1], F(WP_REQ_PAYLOAD1, EPP)),
		    v->info->wp_epp);
	check_value(v, "CDYN", cdyn(v), v->info->wp_cdyn_on);
}

void vnpu_btrs_wp_cmd_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (!val)
		return;
	if (v->btrs.wp_busy) {
		guest_error(v, "workpoint request while one is under way (P 2.4 step 1)");
		return;
	}
	if (v->btrs.wp_written != 7)
		guest_error(v, "workpoint request without all payload registers (P 2.4 step 2)");
	v->btrs.wp_written = 0;
	/* P 2.4: MTL asks for power by its config, LNL by its CDYN */
	v->btrs.wp_want = v->info->wp_cdyn_on ? cdyn(v) != 0 : v->btrs.payload[2] != 0;
	if (v->btrs.wp_want)
		check_on(v);
	v->btrs.wp_busy = true;
	if (!vnpu_fault_hit(v, VNPU_F_WP_STUCK))
		vnpu_timer_hw(v, VNPU_T_WORKPOINT, vnpu_delay(v, 2000, 40000));
}

u64 vnpu_btrs_wp_cmd_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(WP_REQ_CMD, SEND), v->btrs.wp_busy);
}

static void switch_off(struct vnpu *v)
{
	v->btrs.wp_off_seen = true;
	if (v->btrs.on && v->ip.steps)
		guest_error(v, "workpoint off without IP reset before it (P 3.9 step 4)");
	v->btrs.on = false;
	v->btrs.ratio = 0;
	v->btrs.cdyn = 0;
	vnpu_ip_reset(v); /* P 11.6: registers may clear */
}

static void switch_on(struct vnpu *v)
{
	u32 target = reg_fld_get(v->btrs.payload[1], F(WP_REQ_PAYLOAD1, TARGET_RATIO));

	if (vnpu_fault_hit(v, VNPU_F_PLL_NEVER_LOCKS) || v->btrs.d0i3)
		return;
	v->btrs.on = true;
	v->btrs.cdyn = cdyn(v);
	vnpu_order_start(v);
	target = base_max(target, (u32)v->info->fmin_ratio);
	v->btrs.ratio = base_min(target, (u32)v->info->fmax_ratio);
}

void vnpu_workpoint_done(struct vnpu *v)
{
	v->btrs.wp_busy = false;
	if (v->btrs.wp_want)
		switch_on(v);
	else
		switch_off(v);
	vnpu_level_update(v);
}

u64 vnpu_btrs_ratio_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->btrs.ratio;
}

void vnpu_btrs_d0i3_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->btrs.d0i3 = reg_fld_test((u32)val, F(VPU_D0I3_CONTROL, I3));
	v->btrs.d0i3_exit_seen = !v->btrs.d0i3;
	if (v->btrs.d0i3 && v->btrs.on)
		guest_error(v, "D0i3 entered with the workpoint on (P 3.9 steps 5, 6)");
}

/*
 * IP reset
 */

void vnpu_ip_reset(struct vnpu *v)
{
	vnpu_order_stop(v);
	vnpu_fw_reset(v);
	vnpu_compute_reset(v);
	vnpu_mmu_reset(v);
	vnpu_ip_forget(v);
	v->irq.icb_latched = 0;
	v->irq.icb_enable = 0;
	v->irq.soc_enable = 0;
	v->irq.icb_cleared = false;
	vnpu_regs_reset(v, VNPU_DOM_HOST);
	vnpu_timer_clear(v, VNPU_T_ISLAND);
	vnpu_level_update(v);
	vnpu_irq_update(v);
}

/* P 11.1 step 5 comes before P 3.9. */
static void check_quiet(struct vnpu *v)
{
	if (v->fw.state != VNPU_FW_RUNNING && v->fw.state != VNPU_FW_SAVED)
		return;
	vnpu_order_finish(v);
	if (!v->irq.global_mask || v->irq.local_mask != UINT32_MAX || v->irq.icb_enable ||
	    v->irq.soc_enable)
		guest_error(v, "IP reset with interrupts on (P 11.1 step 5)");
}

void vnpu_btrs_ip_reset_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (!val)
		return;
	if (v->btrs.resetting) {
		guest_error(v, "IP reset while one is under way (P 2.4)");
		return;
	}
	v->btrs.resetting = true;
	check_quiet(v);
	vnpu_ip_reset(v);
	if (!vnpu_fault_hit(v, VNPU_F_IP_RESET_STUCK))
		vnpu_timer_hw(v, VNPU_T_IP_RESET, vnpu_delay(v, 1000, 10000));
}

void vnpu_ip_reset_done(struct vnpu *v)
{
	if (!vnpu_compute_is_quiet(v)) { /* TRIGGER clears when the last transfer has ended */
		vnpu_timer_set(v, VNPU_T_IP_RESET, 20000);
		return;
	}
	v->btrs.resetting = false;
}

u64 vnpu_btrs_ip_reset_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->btrs.resetting;
}

/*
 * Interrupts
 */

u64 vnpu_btrs_stat_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->irq.btrs_stat;
}

void vnpu_btrs_stat_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->irq.btrs_stat &= ~(u32)val;
	v->irq.btrs_stat |= v->irq.btrs_src; /* the source first: P 2.6 */
	vnpu_irq_update(v);
}

void vnpu_btrs_local_mask_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (v->irq.local_mask != (u32)val && (u32)val == UINT32_MAX && !v->irq.global_mask)
		guest_error(v, "LOCAL_INT_MASK closed before GLOBAL_INT_MASK (P 11.1 step 5)");
	v->irq.local_mask = (u32)val;
	vnpu_irq_update(v);
}

void vnpu_btrs_global_mask_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->irq.global_mask = (u32)val;
	vnpu_irq_update(v);
}
