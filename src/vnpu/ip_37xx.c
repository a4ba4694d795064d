// SPDX-License-Identifier: MIT
/* IP registers of the 37xx flavour: npu37.  SRC: P 3.1 to 3.6. */
#include "vnpu/ip.h"

#define BAR	     REG_BAR_IP_37XX
#define R(name)	     REG_IP_37XX_##name
#define F(reg, name) REG_IP_37XX_##reg##__##name

const struct vnpu_step vnpu_ip_37xx_steps[VNPU_NR_STEPS] = {
	[VNPU_ST_RST_CLR] = { "CPR_RST_CLR (P 3.4 step 8)", 0, 0 },
	[VNPU_ST_IDLE_GEN] = { "IDLE_GEN off (P 3.4 step 12)", S(RST_CLR), 0 },
	[VNPU_ST_TRICKLE] = { "power island trickle (P 3.4 step 15)", S(RST_CLR), S(IDLE_GEN) },
	[VNPU_ST_ISLAND_EN] = { "power island enable (P 3.4 step 16)", S(TRICKLE), 0 },
	[VNPU_ST_ISLAND_UP] = { "power island status (P 3.4 step 17)", S(ISLAND_EN), 0 },
	[VNPU_ST_CLK] = { "clocks (P 3.4 step 19)", S(ISLAND_UP), 0 },
	[VNPU_ST_ISO_OFF] = { "isolation off (P 3.4 step 20)", S(CLK), 0 },
	[VNPU_ST_RST] = { "reset release (P 3.4 step 21)", S(ISO_OFF), 0 },
	[VNPU_ST_DPU_ACTIVE] = { "DPU_ACTIVE (P 3.4 step 22)", S(RST), 0 },
	[VNPU_ST_HOST_NOC] = { "host NOC request (P 3.4 step 23)", S(RST), S(DPU_ACTIVE) },
	[VNPU_ST_TOP_NOC] = { "TOP_NOC request (P 3.4 step 26)", S(HOST_NOC), 0 },
	[VNPU_ST_SNOOP] = { "PTW_OVERRIDES (P 3.6 step 1)", S(TOP_NOC), 0 },
	[VNPU_ST_SSIDV] = { "MMUSSIDV (P 3.6 step 2)", S(TOP_NOC), S(SNOOP) },
	[VNPU_ST_CPU_RUN] = { "RSTRUN0 (P 3.6 step 3)", S(TOP_NOC), 0 },
	[VNPU_ST_CPU_RESUME] = { "RESUME0 set (P 3.6 step 4)", S(CPU_RUN), 0 },
	[VNPU_ST_CPU_RESUMED] = { "RESUME0 clear (P 3.6 step 5)", S(CPU_RESUME), 0 },
	[VNPU_ST_ENTRY] = { "entry address (P 3.6 step 6)", S(CPU_RESUMED), 0 },
	[VNPU_ST_START] = { "entry address with DONE (P 3.6 step 7)",
			    S(ENTRY) | S(SSIDV) | S(CPU_RESUMED), S(SNOOP) },
};

static void rst_clr_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if ((val & v->info->clk_rst_mask) == v->info->clk_rst_mask)
		(void)vnpu_ip_step(v, VNPU_ST_RST_CLR);
}

static void dpu_active_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_DPU_ACTIVE, val != 0);
}

static void ptw_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_SNOOP,
		      reg_fld_test((u32)val, F(HOST_IF_TCU_PTW_OVERRIDES, NOSNOOP_OVERRIDE_EN)));
}

static void rt_vec_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	bool run = reg_fld_test((u32)val, F(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RSTRUN0));
	bool resume = reg_fld_test((u32)val, F(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RESUME0));

	if (reg_fld_get((u32)val, F(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RSTVEC)))
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, r->off,
				"reset vector is not 0 (P 3.6 step 3)");
	if (!run)
		vnpu_ip_undo(v, VNPU_ST_CPU_RUN);
	else if (!resume && !(v->ip.steps & S(CPU_RUN)))
		(void)vnpu_ip_step(v, VNPU_ST_CPU_RUN);
	else if (resume)
		(void)vnpu_ip_step(v, VNPU_ST_CPU_RESUME);
	else if (v->ip.steps & S(CPU_RESUME))
		(void)vnpu_ip_step(v, VNPU_ST_CPU_RESUMED);
}

static void loading_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	vnpu_ip_entry(v, r->off, (u32)val);
}

const struct vnpu_hook vnpu_ip_37xx_hooks[] = {
	{ BAR, R(HOST_SS_CPR_RST_CLR), NULL, rst_clr_wr },
	{ BAR, R(HOST_SS_AON_VPU_IDLE_GEN), NULL, vnpu_ip_idle_gen_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0), NULL, vnpu_ip_trickle_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_EN0), NULL, vnpu_ip_island_en_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_STATUS0), vnpu_ip_island_status_rd, NULL },
	{ BAR, R(HOST_SS_CPR_CLK_SET), NULL, vnpu_ip_clk_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISO_EN0), NULL, vnpu_ip_iso_wr },
	{ BAR, R(HOST_SS_CPR_RST_SET), NULL, vnpu_ip_rst_wr },
	{ BAR, R(HOST_SS_AON_DPU_ACTIVE), NULL, dpu_active_wr },
	{ BAR, R(HOST_SS_NOC_QREQN), NULL, vnpu_ip_host_noc_wr },
	{ BAR, R(HOST_SS_NOC_QACCEPTN), vnpu_ip_host_noc_rd, NULL },
	{ BAR, R(HOST_SS_NOC_QDENY), vnpu_ip_host_deny_rd, NULL },
	{ BAR, R(TOP_NOC_QREQN), NULL, vnpu_ip_top_noc_wr },
	{ BAR, R(TOP_NOC_QACCEPTN), vnpu_ip_top_noc_rd, NULL },
	{ BAR, R(HOST_IF_TCU_PTW_OVERRIDES), NULL, ptw_wr },
	{ BAR, R(HOST_IF_TBU_MMUSSIDV), NULL, vnpu_ip_ssidv_wr },
	{ BAR, R(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), NULL, rt_vec_wr },
	{ BAR, R(HOST_SS_LOADING_ADDRESS_LO), NULL, loading_wr },
	{ BAR, R(HOST_SS_FW_SOC_IRQ_EN), NULL, vnpu_ip_soc_irq_wr },
	{ BAR, R(HOST_SS_ICB_STATUS_0), vnpu_ip_icb_status_rd, NULL },
	{ BAR, R(HOST_SS_ICB_STATUS_1), vnpu_ip_icb_status1_rd, NULL },
	{ BAR, R(HOST_SS_ICB_CLEAR), NULL, vnpu_ip_icb_clear_wr },
	{ BAR, R(HOST_SS_ICB_ENABLE), NULL, vnpu_ip_icb_enable_wr },
	{ BAR, R(HOST_SS_TIM_IPC_FIFO_ATM), vnpu_ip_fifo_atm_rd, NULL },
	{ BAR, R(HOST_SS_TIM_IPC_FIFO_STAT), vnpu_ip_fifo_stat_rd, NULL },
	{ BAR, R(CPU_SS_TIM_IPC_FIFO), NULL, vnpu_ip_fifo_wr },
	{ BAR, R(CPU_SS_DOORBELL), NULL, vnpu_ip_doorbell_wr },
	{ BAR, R(CPU_SS_TIM_PERF_FREE_CNT), vnpu_ip_counter_rd, NULL },
	{ BAR, R(CPU_SS_TIM_SAFE), NULL, vnpu_ip_safe_wr },
	{ BAR, R(CPU_SS_TIM_WATCHDOG), NULL, vnpu_ip_guarded_wr },
	{ BAR, R(CPU_SS_TIM_WDOG_EN), NULL, vnpu_ip_guarded_wr },
	{ 0 },
};
