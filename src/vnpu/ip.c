// SPDX-License-Identifier: MIT
/*
 * IP registers of both flavours: the power-up sequence, the CPU's start, and the ways into the
 * interrupt controller, the FIFOs and the doorbells.  The flavours' own files (ip_37xx.c,
 * ip_40xx.c) say which register is which.  SRC: P 3.1 to 3.8.
 *
 * The sequence is a table of the generation: each step names the steps it stands on.  A step whose
 * ground is missing is reported with the name of what is missing and, unless that is soft, does not
 * take effect: the island stays down, the NOC does not accept, the CPU does not start.
 */
#include "vnpu/ip.h"

#define F(reg, name) REG_IP_37XX_##reg##__##name

/* One code for both flavours: these fields are the same. */
#define SAME(reg, fld)                                                     \
	static_assert((int)REG_IP_40XX_##reg##__##fld == (int)F(reg, fld), \
		      #reg "." #fld ": other bits than on 37xx")
SAME(HOST_SS_TIM_IPC_FIFO_STAT, READ_POINTER);
SAME(HOST_SS_TIM_IPC_FIFO_STAT, WRITE_POINTER);
SAME(HOST_SS_TIM_IPC_FIFO_STAT, FILL_LEVEL);
SAME(HOST_SS_ICB_STATUS_0, HOST_IPC_FIFO_INT);
SAME(HOST_SS_ICB_STATUS_0, MMU_IRQ_0_INT);
SAME(HOST_SS_ICB_STATUS_0, MMU_IRQ_2_INT);
SAME(HOST_SS_ICB_STATUS_0, CPU_INT_REDIRECT_0_INT);
static_assert((int)REG_IP_40XX_HOST_SS_AON_PWR_ISLAND_STATUS0__CSS_CPU ==
		      (int)F(HOST_SS_AON_PWR_ISLAND_STATUS0, MSS_CPU),
	      "PWR_ISLAND_STATUS0: other bits than on 37xx");
static_assert((int)REG_BAR_IP_40XX == (int)REG_BAR_IP_37XX, "IP registers in another BAR");

/*
 * Steps
 */

static void report_missing(struct vnpu *v, enum vnpu_step_id step, u32 missing)
{
	const struct vnpu_step *steps = v->gen->steps;

	for (u32 i = 0; i < VNPU_NR_STEPS; i++) {
		if (!(missing & BASE_BIT(i)) || v->ip.told & BASE_BIT(i))
			continue;
		/* what stands on this step fails too: one omission, one finding */
		v->ip.told |= BASE_BIT(i);
		vnpu_report(v, VNPU_GUEST_ERROR, "power sequence", "%s before %s", steps[step].name,
			    steps[i].name);
	}
}

bool vnpu_ip_step(struct vnpu *v, enum vnpu_step_id step)
{
	const struct vnpu_step *s = &v->gen->steps[step];
	u32 missing = (s->needs | s->soft) & ~v->ip.steps;

	if (missing)
		report_missing(v, step, missing);
	if (missing & s->needs)
		return false;
	vnpu_ip_step_done(v, step);
	return true;
}

void vnpu_ip_undo(struct vnpu *v, enum vnpu_step_id step)
{
	v->ip.steps &= ~BASE_BIT(step);
}

void vnpu_ip_drive(struct vnpu *v, enum vnpu_step_id step, bool on)
{
	if (on)
		(void)vnpu_ip_step(v, step);
	else
		vnpu_ip_undo(v, step);
}

void vnpu_ip_forget(struct vnpu *v)
{
	v->ip = (struct vnpu_ip){ .counter_base_ns = vnpu_time_ns(v) };
}

/*
 * Power-up
 */

void vnpu_ip_idle_gen_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_IDLE_GEN, !val);
}

void vnpu_ip_trickle_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_TRICKLE, val != 0);
}

void vnpu_ip_island_en_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (!val) {
		vnpu_ip_undo(v, VNPU_ST_ISLAND_EN);
		vnpu_ip_undo(v, VNPU_ST_ISLAND_UP);
		vnpu_timer_clear(v, VNPU_T_ISLAND);
	} else if (vnpu_ip_step(v, VNPU_ST_ISLAND_EN) && !vnpu_fault_hit(v, VNPU_F_ISLAND_STUCK)) {
		vnpu_timer_hw(v, VNPU_T_ISLAND, vnpu_delay(v, 200, 20000));
	}
}

void vnpu_island_up(struct vnpu *v)
{
	(void)vnpu_ip_step(v, VNPU_ST_ISLAND_UP);
}

u64 vnpu_ip_island_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(HOST_SS_AON_PWR_ISLAND_STATUS0, MSS_CPU),
			(v->ip.steps & S(ISLAND_UP)) != 0);
}

static bool all_clocks(const struct vnpu *v, u64 val)
{
	return (val & v->info->clk_rst_mask) == v->info->clk_rst_mask;
}

void vnpu_ip_clk_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_CLK, all_clocks(v, val));
}

void vnpu_ip_rst_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_RST, all_clocks(v, val));
}

void vnpu_ip_iso_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_ISO_OFF, !val);
}

void vnpu_ip_host_noc_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->ip.deny = val && vnpu_fault_hit(v, VNPU_F_NOC_DENIED);
	if (!val)
		vnpu_ip_undo(v, VNPU_ST_HOST_NOC);
	v->ip.host_noc = val && !v->ip.deny && vnpu_ip_step(v, VNPU_ST_HOST_NOC);
	vnpu_level_update(v);
}

u64 vnpu_ip_host_noc_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ip.host_noc;
}

u64 vnpu_ip_host_deny_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ip.deny;
}

void vnpu_ip_top_noc_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (val != r->wmask)
		vnpu_ip_undo(v, VNPU_ST_TOP_NOC);
	v->ip.top_noc_bits = (u32)val;
	v->ip.top_noc = val == r->wmask && vnpu_ip_step(v, VNPU_ST_TOP_NOC);
	vnpu_level_update(v);
}

u64 vnpu_ip_top_noc_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ip.top_noc ? v->ip.top_noc_bits : 0;
}

/*
 * CPU start
 */

void vnpu_ip_ssidv_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_SSIDV, (val & v->info->ssidv_mask) == v->info->ssidv_mask);
}

/* Bit 0 is DONE on both flavours, bits 2:1 are 0; SRC: P 3.6 steps 6, 7 */
void vnpu_ip_entry(struct vnpu *v, u32 off, u64 val)
{
	const u64 done = 1;

	if (!(val & done)) {
		v->ip.entry_reg = val;
		(void)vnpu_ip_step(v, VNPU_ST_ENTRY);
		return;
	}
	if (!vnpu_ip_step(v, VNPU_ST_START))
		return;
	if ((val & ~done) != v->ip.entry_reg) {
		vnpu_report_reg(v, VNPU_GUEST_ERROR, REG_BAR_IP_37XX, off,
				"entry 0x%llx with DONE, 0x%llx before it (P 3.6 steps 6, 7)",
				(unsigned long long)(val & ~done),
				(unsigned long long)v->ip.entry_reg);
		return;
	}
	vnpu_fw_start(v, reg_gen_entry_decode(v->info, val));
}

/*
 * Interrupt controller, FIFOs, doorbells, counter, watchdog
 */

u64 vnpu_ip_icb_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return (u32)vnpu_icb_status(v);
}

u64 vnpu_ip_icb_status1_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return vnpu_icb_status(v) >> 32;
}

void vnpu_ip_icb_clear_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_icb_clear(v, val);
}

void vnpu_ip_soc_irq_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (!val && v->irq.soc_enable && v->irq.icb_enable)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, REG_BAR_IP_37XX, r->off,
				"firmware interrupts disabled before ICB_ENABLE (P 11.1 step 5)");
	v->irq.soc_enable = (u32)val;
}

void vnpu_ip_icb_enable_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (val && !v->irq.soc_enable)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, REG_BAR_IP_37XX, r->off,
				"interrupts enabled before FW_SOC_IRQ_EN (P 3.6 step 10)");
	vnpu_icb_enable(v, val);
}

u64 vnpu_ip_fifo_atm_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return vnpu_ipc_pop_rx(v);
}

u64 vnpu_ip_fifo_stat_rd(struct vnpu *v, struct vnpu_reg *r)
{
	u32 wr = v->fw.rx_head, rd = v->fw.rx_tail;

	(void)r;
	return REG_PREP(F(HOST_SS_TIM_IPC_FIFO_STAT, READ_POINTER), rd) |
	       REG_PREP(F(HOST_SS_TIM_IPC_FIFO_STAT, WRITE_POINTER), wr) |
	       REG_PREP(F(HOST_SS_TIM_IPC_FIFO_STAT, FILL_LEVEL), wr - rd);
}

void vnpu_ip_fifo_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ipc_push_tx(v, (u32)val);
}

void vnpu_ip_doorbell_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (val)
		vnpu_doorbell(v, r->elem);
}

u64 vnpu_counter(struct vnpu *v)
{
	u64 ns = vnpu_time_ns(v) - v->ip.counter_base_ns;

	return (u64)((unsigned __int128)ns * v->info->perf_hz / BASE_NS_PER_S);
}

u64 vnpu_ip_counter_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return vnpu_counter(v);
}

/* The key opens one write; SRC: P 3.2, 3.8 */
void vnpu_ip_safe_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->ip.safe_key = (u32)val;
}

void vnpu_ip_guarded_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	const u32 key = 0xf1d0dead;

	(void)val;
	if (v->ip.safe_key != key) {
		vnpu_report_reg(v, VNPU_GUEST_ERROR, REG_BAR_IP_37XX, r->off,
				"written without the key in TIM_SAFE (P 3.8)");
		r->val = 0;
	}
	v->ip.safe_key = 0;
}
