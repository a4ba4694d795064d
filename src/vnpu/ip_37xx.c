// SPDX-License-Identifier: MIT
/*
 * IP registers of the 37xx flavour: the power-up sequence, the CPU's start, and the ways into the
 * interrupt controller, the FIFOs and the doorbells.  SRC: P 3.1 to 3.8.
 *
 * The sequence is a table: each step names the steps it stands on.  A step whose ground is missing
 * is reported with the name of what is missing and, unless that is soft, does not take effect: the
 * island stays down, the NOC does not accept, the CPU does not start.
 */
#include "vnpu/model.h"

#define BAR	     REG_BAR_IP_37XX
#define R(name)	     REG_IP_37XX_##name
#define F(reg, name) REG_IP_37XX_##reg##__##name

enum step {
	RST_CLR,
	IDLE_GEN,
	TRICKLE,
	ISLAND_EN,
	ISLAND_UP,
	CLK_SET,
	ISO_OFF,
	RST_SET,
	DPU_ACTIVE,
	HOST_NOC,
	TOP_NOC,
	SNOOP,
	SSIDV,
	CPU_RUN,
	CPU_RESUME,
	CPU_RESUMED,
	ENTRY,
	START,
	NR_STEPS,
};

#define S(step) BASE_BIT(step)

static const struct {
	const char *name;
	u32 needs; /* else no effect */
	u32 soft;  /* else a finding only */
} steps[NR_STEPS] = {
	[RST_CLR] = { "CPR_RST_CLR (P 3.4 step 8)", 0, 0 },
	[IDLE_GEN] = { "IDLE_GEN off (P 3.4 step 12)", S(RST_CLR), 0 },
	[TRICKLE] = { "power island trickle (P 3.4 step 15)", S(RST_CLR), S(IDLE_GEN) },
	[ISLAND_EN] = { "power island enable (P 3.4 step 16)", S(TRICKLE), 0 },
	[ISLAND_UP] = { "power island status (P 3.4 step 17)", S(ISLAND_EN), 0 },
	[CLK_SET] = { "clocks (P 3.4 step 19)", S(ISLAND_UP), 0 },
	[ISO_OFF] = { "isolation off (P 3.4 step 20)", S(CLK_SET), 0 },
	[RST_SET] = { "reset release (P 3.4 step 21)", S(ISO_OFF), 0 },
	[DPU_ACTIVE] = { "DPU_ACTIVE (P 3.4 step 22)", S(RST_SET), 0 },
	[HOST_NOC] = { "host NOC request (P 3.4 step 23)", S(RST_SET), S(DPU_ACTIVE) },
	[TOP_NOC] = { "TOP_NOC request (P 3.4 step 26)", S(HOST_NOC), 0 },
	[SNOOP] = { "PTW_OVERRIDES (P 3.6 step 1)", S(TOP_NOC), 0 },
	[SSIDV] = { "MMUSSIDV (P 3.6 step 2)", S(TOP_NOC), S(SNOOP) },
	[CPU_RUN] = { "RSTRUN0 (P 3.6 step 3)", S(TOP_NOC), 0 },
	[CPU_RESUME] = { "RESUME0 set (P 3.6 step 4)", S(CPU_RUN), 0 },
	[CPU_RESUMED] = { "RESUME0 clear (P 3.6 step 5)", S(CPU_RESUME), 0 },
	[ENTRY] = { "entry address (P 3.6 step 6)", S(CPU_RESUMED), 0 },
	[START] = { "entry address with DONE (P 3.6 step 7)", S(ENTRY) | S(SSIDV) | S(CPU_RESUMED),
		    S(SNOOP) },
};

static void report_missing(struct vnpu *v, enum step step, u32 missing)
{
	for (u32 i = 0; i < NR_STEPS; i++) {
		if (!(missing & S(i)) || v->ip.told & S(i))
			continue;
		v->ip.told |=
			S(i); /* what stands on this step fails too: one omission, one finding */
		vnpu_report(v, VNPU_GUEST_ERROR, "power sequence", "%s before %s", steps[step].name,
			    steps[i].name);
	}
}

/* Does the step take effect?  */
static bool step(struct vnpu *v, enum step step)
{
	u32 missing = (steps[step].needs | steps[step].soft) & ~v->ip.steps;

	if (missing)
		report_missing(v, step, missing);
	if (missing & steps[step].needs)
		return false;
	v->ip.steps |= S(step);
	return true;
}

static void undo(struct vnpu *v, enum step step)
{
	v->ip.steps &= ~S(step);
}

void vnpu_ip_37xx_reset(struct vnpu *v)
{
	v->ip = (struct vnpu_ip){ .counter_base_ns = vnpu_time_ns(v) };
}

/*
 * Power-up
 */

static void rst_clr_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if ((val & v->info->clk_rst_mask) == v->info->clk_rst_mask)
		(void)step(v, RST_CLR);
}

static void idle_gen_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (val)
		undo(v, IDLE_GEN);
	else
		(void)step(v, IDLE_GEN);
}

static void trickle_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (val)
		(void)step(v, TRICKLE);
	else
		undo(v, TRICKLE);
}

static void island_en_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (!val) {
		undo(v, ISLAND_EN);
		undo(v, ISLAND_UP);
		vnpu_timer_clear(v, VNPU_T_ISLAND);
	} else if (step(v, ISLAND_EN) && !vnpu_fault_hit(v, VNPU_F_ISLAND_STUCK)) {
		vnpu_timer_hw(v, VNPU_T_ISLAND, vnpu_delay(v, 200, 20000));
	}
}

void vnpu_island_up(struct vnpu *v)
{
	(void)step(v, ISLAND_UP);
}

static u64 island_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(HOST_SS_AON_PWR_ISLAND_STATUS0, MSS_CPU),
			(v->ip.steps & S(ISLAND_UP)) != 0);
}

static void clk_rst(struct vnpu *v, u64 val, enum step s)
{
	if ((val & v->info->clk_rst_mask) == v->info->clk_rst_mask)
		(void)step(v, s);
	else
		undo(v, s);
}

static void clk_set_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	clk_rst(v, val, CLK_SET);
}

static void rst_set_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	clk_rst(v, val, RST_SET);
}

static void iso_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (val)
		undo(v, ISO_OFF);
	else
		(void)step(v, ISO_OFF);
}

static void dpu_active_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (val)
		(void)step(v, DPU_ACTIVE);
	else
		undo(v, DPU_ACTIVE);
}

static void host_noc_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->ip.deny = val && vnpu_fault_hit(v, VNPU_F_NOC_DENIED);
	if (!val)
		undo(v, HOST_NOC);
	v->ip.host_noc = val && !v->ip.deny && step(v, HOST_NOC);
	vnpu_level_update(v);
}

static u64 host_noc_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ip.host_noc;
}

static u64 host_deny_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ip.deny;
}

static void top_noc_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (val != r->wmask)
		undo(v, TOP_NOC);
	v->ip.top_noc = val == r->wmask && step(v, TOP_NOC);
	vnpu_level_update(v);
}

static u64 top_noc_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->ip.top_noc ? vnpu_reg_val(v, BAR, R(TOP_NOC_QREQN)) : 0;
}

/*
 * CPU start
 */

static void ptw_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (reg_fld_test((u32)val, F(HOST_IF_TCU_PTW_OVERRIDES, NOSNOOP_OVERRIDE_EN)))
		(void)step(v, SNOOP);
	else
		undo(v, SNOOP);
}

static void ssidv_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if ((val & v->info->ssidv_mask) == v->info->ssidv_mask)
		(void)step(v, SSIDV);
	else
		undo(v, SSIDV);
}

static void rt_vec_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	bool run = reg_fld_test((u32)val, F(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RSTRUN0));
	bool resume = reg_fld_test((u32)val, F(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RESUME0));

	(void)r;
	if (reg_fld_get((u32)val, F(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RSTVEC)))
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, R(CPU_SS_MSSCPU_CPR_LEON_RT_VEC),
				"reset vector is not 0 (P 3.6 step 3)");
	if (!run)
		undo(v, CPU_RUN);
	else if (!resume && !(v->ip.steps & S(CPU_RUN)))
		(void)step(v, CPU_RUN);
	else if (resume)
		(void)step(v, CPU_RESUME);
	else if (v->ip.steps & S(CPU_RESUME))
		(void)step(v, CPU_RESUMED);
}

static void loading_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	const u32 done = REG_MASK(F(HOST_SS_LOADING_ADDRESS_LO, DONE));
	u32 addr = (u32)val & ~done;

	(void)r;
	if (!(val & done)) {
		v->ip.loading = addr;
		(void)step(v, ENTRY);
		return;
	}
	if (!step(v, START))
		return;
	if (addr != v->ip.loading) {
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, R(HOST_SS_LOADING_ADDRESS_LO),
				"entry 0x%x with DONE, 0x%x before it (P 3.6 steps 6, 7)", addr,
				v->ip.loading);
		return;
	}
	vnpu_fw_start(v, reg_gen_entry_decode(v->info, val));
}

/*
 * Interrupt controller, FIFOs, doorbells, counter, watchdog
 */

static u64 icb_status_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return (u32)vnpu_icb_status(v);
}

static u64 icb_status1_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return vnpu_icb_status(v) >> 32;
}

static void icb_clear_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_icb_clear(v, val);
}

static void soc_irq_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (!val && v->irq.soc_enable && v->irq.icb_enable)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, r->off,
				"firmware interrupts disabled before ICB_ENABLE (P 11.1 step 5)");
	v->irq.soc_enable = (u32)val;
}

static void icb_enable_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (val && !v->irq.soc_enable)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, R(HOST_SS_ICB_ENABLE),
				"interrupts enabled before FW_SOC_IRQ_EN (P 3.6 step 10)");
	vnpu_icb_enable(v, val);
}

static u64 fifo_atm_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return vnpu_ipc_pop_rx(v);
}

static u64 fifo_stat_rd(struct vnpu *v, struct vnpu_reg *r)
{
	u32 wr = v->fw.rx_head, rd = v->fw.rx_tail;

	(void)r;
	return REG_PREP(F(HOST_SS_TIM_IPC_FIFO_STAT, READ_POINTER), rd) |
	       REG_PREP(F(HOST_SS_TIM_IPC_FIFO_STAT, WRITE_POINTER), wr) |
	       REG_PREP(F(HOST_SS_TIM_IPC_FIFO_STAT, FILL_LEVEL), wr - rd);
}

static void ipc_fifo_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ipc_push_tx(v, (u32)val);
}

static void doorbell_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	if (val)
		vnpu_doorbell(v, r->elem);
}

u64 vnpu_counter(struct vnpu *v)
{
	u64 ns = vnpu_time_ns(v) - v->ip.counter_base_ns;

	return (u64)((unsigned __int128)ns * v->info->perf_hz / BASE_NS_PER_S);
}

static u64 counter_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return vnpu_counter(v);
}

/* The key opens one write; SRC: P 3.2, 3.8 */
static void safe_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->ip.safe_key = (u32)val;
}

static void guarded_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	const u32 key = 0xf1d0dead;

	(void)val;
	if (v->ip.safe_key != key) {
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, r->off,
				"written without the key in TIM_SAFE (P 3.8)");
		r->val = 0;
	}
	v->ip.safe_key = 0;
}

const struct vnpu_hook vnpu_ip_37xx_hooks[] = {
	{ BAR, R(HOST_SS_CPR_RST_CLR), NULL, rst_clr_wr },
	{ BAR, R(HOST_SS_AON_VPU_IDLE_GEN), NULL, idle_gen_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0), NULL, trickle_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_EN0), NULL, island_en_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_STATUS0), island_status_rd, NULL },
	{ BAR, R(HOST_SS_CPR_CLK_SET), NULL, clk_set_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISO_EN0), NULL, iso_wr },
	{ BAR, R(HOST_SS_CPR_RST_SET), NULL, rst_set_wr },
	{ BAR, R(HOST_SS_AON_DPU_ACTIVE), NULL, dpu_active_wr },
	{ BAR, R(HOST_SS_NOC_QREQN), NULL, host_noc_wr },
	{ BAR, R(HOST_SS_NOC_QACCEPTN), host_noc_rd, NULL },
	{ BAR, R(HOST_SS_NOC_QDENY), host_deny_rd, NULL },
	{ BAR, R(TOP_NOC_QREQN), NULL, top_noc_wr },
	{ BAR, R(TOP_NOC_QACCEPTN), top_noc_rd, NULL },
	{ BAR, R(HOST_IF_TCU_PTW_OVERRIDES), NULL, ptw_wr },
	{ BAR, R(HOST_IF_TBU_MMUSSIDV), NULL, ssidv_wr },
	{ BAR, R(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), NULL, rt_vec_wr },
	{ BAR, R(HOST_SS_LOADING_ADDRESS_LO), NULL, loading_wr },
	{ BAR, R(HOST_SS_FW_SOC_IRQ_EN), NULL, soc_irq_wr },
	{ BAR, R(HOST_SS_ICB_STATUS_0), icb_status_rd, NULL },
	{ BAR, R(HOST_SS_ICB_STATUS_1), icb_status1_rd, NULL },
	{ BAR, R(HOST_SS_ICB_CLEAR), NULL, icb_clear_wr },
	{ BAR, R(HOST_SS_ICB_ENABLE), NULL, icb_enable_wr },
	{ BAR, R(HOST_SS_TIM_IPC_FIFO_ATM), fifo_atm_rd, NULL },
	{ BAR, R(HOST_SS_TIM_IPC_FIFO_STAT), fifo_stat_rd, NULL },
	{ BAR, R(CPU_SS_TIM_IPC_FIFO), NULL, ipc_fifo_wr },
	{ BAR, R(CPU_SS_DOORBELL), NULL, doorbell_wr },
	{ BAR, R(CPU_SS_TIM_PERF_FREE_CNT), counter_rd, NULL },
	{ BAR, R(CPU_SS_TIM_SAFE), NULL, safe_wr },
	{ BAR, R(CPU_SS_TIM_WATCHDOG), NULL, guarded_wr },
	{ BAR, R(CPU_SS_TIM_WDOG_EN), NULL, guarded_wr },
	{ 0 },
};
