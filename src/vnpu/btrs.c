// SPDX-License-Identifier: MIT
/*
 * The buttress, MTL flavour: workpoint, D0i3, IP reset, status, interrupt masks.
 * SRC: P 2.1, 2.4, 2.5, 2.6, 11.6.
 */
#include "vnpu/model.h"

#define WHERE "BAR4 buttress"

void vnpu_power_reset(struct vnpu *m)
{
	vnpu_ip_reset(m);
	vnpu_regs_reset(m, false);
	m->power = (struct vnpu_power){ 0 };
	m->irq_line = false;
}

bool vnpu_is_idle(const struct vnpu *m)
{
	return !m->fw.nr_active && m->fw.first_rung > m->fw.last_rung;
}

/* --- workpoint --------------------------------------------------------------------------- */

static void workpoint_on(struct vnpu *m)
{
	u64 payload0 = VNPU_BTRS(m, WP_REQ_PAYLOAD0);
	u32 min = reg_fld_get((u32)payload0, REG_BTRS_MTL_WP_REQ_PAYLOAD0__MIN_RATIO);
	u32 max = reg_fld_get((u32)payload0, REG_BTRS_MTL_WP_REQ_PAYLOAD0__MAX_RATIO);
	u32 target = reg_fld_get((u32)VNPU_BTRS(m, WP_REQ_PAYLOAD1),
				 REG_BTRS_MTL_WP_REQ_PAYLOAD1__TARGET_RATIO);
	u32 config = reg_fld_get((u32)VNPU_BTRS(m, WP_REQ_PAYLOAD2),
				 REG_BTRS_MTL_WP_REQ_PAYLOAD2__CONFIG);

	if (!m->power.was_wp_off)
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.4 #1",
			    "workpoint on without a workpoint off before it");
	if (!m->power.was_d0i3_out)
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.4 #2",
			    "workpoint on without leaving D0i3 before it");
	if (min > target || target > max || max > m->gen->data->fmax_ratio)
		vnpu_report(m, VNPU_GUEST_ERROR, WHERE,
			    "workpoint ratios min %u, target %u, max %u; the fuses allow %u to %u",
			    min, target, max, m->gen->data->fmin_ratio, m->gen->data->fmax_ratio);
	if (config != m->gen->data->wp_config_on)
		vnpu_report(m, VNPU_GUEST_ERROR, WHERE, "workpoint config 0x%x, not 0x%x", config,
			    m->gen->data->wp_config_on);
	m->power.ratio = (u16)target;
	if (vnpu_fault_take(m, VNPU_FAULT_NO_POWER))
		return;
	m->power.is_wp_on = true;
	vnpu_order_start(m, m->gen->power_up, m->gen->nr_power_up);
}

static void workpoint_off(struct vnpu *m)
{
	if (m->power.is_wp_on && m->power.ran)
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.9 #4",
			    "workpoint off without an IP reset after the CPU ran");
	m->power.is_wp_on = false;
	m->power.was_wp_off = true;
	m->power.ratio = 0;
	vnpu_order_stop(m);
	vnpu_ip_reset(m);
}

static void wp_cmd_write(struct vnpu *m, u64 old, u64 val)
{
	u32 config = reg_fld_get((u32)VNPU_BTRS(m, WP_REQ_PAYLOAD2),
				 REG_BTRS_MTL_WP_REQ_PAYLOAD2__CONFIG);

	(void)old;
	if (!reg_fld_test((u32)val, REG_BTRS_MTL_WP_REQ_CMD__SEND))
		return;
	if (config)
		workpoint_on(m);
	else
		workpoint_off(m);
}

static u64 pll_status_read(struct vnpu *m, u64 val)
{
	bool on = m->power.is_wp_on;

	(void)val;
	if (on && vnpu_fault_take(m, VNPU_FAULT_PLL_NEVER_LOCKS))
		on = false;
	return REG_PREP(REG_BTRS_MTL_PLL_STATUS__LOCK, on);
}

static u64 current_pll_read(struct vnpu *m, u64 val)
{
	(void)val;
	return REG_PREP(REG_BTRS_MTL_CURRENT_PLL__RATIO, m->power.ratio);
}

static u64 vpu_status_read(struct vnpu *m, u64 val)
{
	(void)val;
	return REG_PREP(REG_BTRS_MTL_VPU_STATUS__READY, m->power.is_wp_on) |
	       REG_PREP(REG_BTRS_MTL_VPU_STATUS__IDLE, vnpu_is_idle(m));
}

/* --- reset, D0i3 -------------------------------------------------------------------------- */

static void ip_reset_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	if (reg_fld_test((u32)val, REG_BTRS_MTL_VPU_IP_RESET__TRIGGER))
		vnpu_ip_reset(m);
}

static void d0i3_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	m->power.is_d0i3 = reg_fld_test((u32)val, REG_BTRS_MTL_VPU_D0I3_CONTROL__I3);
	if (!m->power.is_d0i3)
		m->power.was_d0i3_out = true;
	else if (m->power.is_wp_on)
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.9 #5",
			    "D0i3 entered while the workpoint is on");
}

/* --- interrupts --------------------------------------------------------------------------- */

void vnpu_irq_update(struct vnpu *m)
{
	u64 icb = m->icb_latched;
	u64 btrs = VNPU_BTRS(m, INTERRUPT_STAT) & ~VNPU_BTRS(m, LOCAL_INT_MASK);
	bool line;

	if (vnpu_fw_fifo_fill(m))
		icb |= REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__HOST_IPC_FIFO_INT);
	line = !(VNPU_BTRS(m, GLOBAL_INT_MASK) & 1) && (btrs || (icb & VNPU_IP(m, HOST_SS_ICB_ENABLE)));
	if (line && !m->irq_line)
		vnpu_pci_msi(m);
	m->irq_line = line;
}

void vnpu_irq_raise(struct vnpu *m, u32 icb_bit)
{
	m->icb_latched |= BASE_BIT64(icb_bit);
	vnpu_irq_update(m);
}

static void irq_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	(void)val;
	vnpu_irq_update(m);
}

static void err_clear_write(struct vnpu *m, u64 old, u64 val)
{
	(void)m;
	(void)old;
	(void)val; /* the error sources are never set: nothing to clear */
}

#define HOOK(name, ...) [REG_IDX_BTRS_MTL_##name] = { __VA_ARGS__ }

const struct vnpu_reg_hook vnpu_btrs_mtl_hooks[REG_IDX_BTRS_MTL_NR] = {
	HOOK(WP_REQ_CMD, .write = wp_cmd_write),
	HOOK(PLL_STATUS, .read = pll_status_read),
	HOOK(CURRENT_PLL, .read = current_pll_read),
	HOOK(VPU_STATUS, .read = vpu_status_read),
	HOOK(VPU_IP_RESET, .write = ip_reset_write),
	HOOK(VPU_D0I3_CONTROL, .write = d0i3_write),
	HOOK(INTERRUPT_STAT, .write = irq_write),
	HOOK(LOCAL_INT_MASK, .write = irq_write),
	HOOK(GLOBAL_INT_MASK, .write = irq_write),
	HOOK(ATS_ERR_CLEAR, .write = err_clear_write),
	HOOK(UFI_ERR_CLEAR, .write = err_clear_write),
};
