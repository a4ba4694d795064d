// SPDX-License-Identifier: MIT
/*
 * IP registers of the 40xx flavour: npu40, npu50, npu60.  SRC: P 3.1 to 3.6.
 *
 * 50xx and 60xx have power island delays before the island's trickle (P 3.5); 60xx has no handshake
 * with the CPU's NOC before the entry address (P 3.6, trap 14).
 */
#include "vnpu/ip.h"

#define BAR	     REG_BAR_IP_40XX
#define R(name)	     REG_IP_40XX_##name
#define F(reg, name) REG_IP_40XX_##reg##__##name

#define CLOCKS_STEPS                                                                           \
	[VNPU_ST_IDLE_GEN] = { "IDLE_GEN off (P 3.4 step 12)", 0, 0 }, [VNPU_ST_CLOCK_ACK] = { \
		"clock resource ack (P 3.4 step 13)", 0, 0                                     \
	}

#define ISLAND_STEPS(delays)                                                              \
	[VNPU_ST_TRICKLE] = { "power island trickle (P 3.4 step 15)", 0,                  \
			      S(IDLE_GEN) | S(CLOCK_ACK) | (delays) },                    \
	[VNPU_ST_ISLAND_EN] = { "power island enable (P 3.4 step 16)", S(TRICKLE), 0 },   \
	[VNPU_ST_ISLAND_UP] = { "power island status (P 3.4 step 17)", S(ISLAND_EN), 0 }, \
	[VNPU_ST_CLK] = { "clocks (P 3.4 step 19)", S(ISLAND_UP), 0 },                    \
	[VNPU_ST_ISO_OFF] = { "isolation off (P 3.4 step 20)", S(CLK), 0 },               \
	[VNPU_ST_RST] = { "reset release (P 3.4 step 21)", S(ISO_OFF), 0 }

#define NOC_STEPS                                                                    \
	[VNPU_ST_HOST_NOC] = { "host NOC request (P 3.4 step 23)", S(RST), 0 },      \
	[VNPU_ST_WEIGHTS] = { "arbitration weights (P 3.4 step 25)", 0, 0 },         \
	[VNPU_ST_WEIGHTS_ATS] = { "ATS arbitration weights (P 3.4 step 25)", 0, 0 }, \
	[VNPU_ST_TOP_NOC] = { "TOP_NOC request (P 3.4 step 26)", S(HOST_NOC),        \
			      S(WEIGHTS) | S(WEIGHTS_ATS) },                         \
	[VNPU_ST_SNOOP] = { "PTW_OVERRIDES (P 3.6 step 1)", S(TOP_NOC), 0 },         \
	[VNPU_ST_SSIDV] = { "MMUSSIDV (P 3.6 step 2)", S(TOP_NOC), S(SNOOP) }

#define START_STEPS(ground)                                                                        \
	[VNPU_ST_ENTRY] = { "entry address (P 3.6 step 6)", (ground), 0 }, [VNPU_ST_START] = {     \
		"entry address with DONE (P 3.6 step 7)", S(ENTRY) | S(SSIDV) | (ground), S(SNOOP) \
	}

#define DELAY_STEPS                                                                \
	[VNPU_ST_DELAY_POST] = { "EN_POST_DLY (P 3.4 step 14)", 0, S(CLOCK_ACK) }, \
	[VNPU_ST_DELAY_STATUS] = { "STATUS_DLY (P 3.4 step 14)", 0, 0 }

#define CPU_NOC_STEP [VNPU_ST_CPU_NOC] = { "CPU NOC request (P 3.6 step 3)", S(TOP_NOC), 0 }

const struct vnpu_step vnpu_ip_40xx_steps[VNPU_NR_STEPS] = {
	CLOCKS_STEPS, ISLAND_STEPS(0), NOC_STEPS, CPU_NOC_STEP, START_STEPS(S(CPU_NOC)),
};

const struct vnpu_step vnpu_ip_50xx_steps[VNPU_NR_STEPS] = {
	CLOCKS_STEPS, DELAY_STEPS,  ISLAND_STEPS(S(DELAY_POST) | S(DELAY_STATUS)),
	NOC_STEPS,    CPU_NOC_STEP, START_STEPS(S(CPU_NOC)),
};

const struct vnpu_step vnpu_ip_60xx_steps[VNPU_NR_STEPS] = {
	CLOCKS_STEPS,
	DELAY_STEPS,
	ISLAND_STEPS(S(DELAY_POST) | S(DELAY_STATUS)),
	NOC_STEPS,
	START_STEPS(S(TOP_NOC)),
};

/* What lies behind TOP_NOC is not told anywhere; the MMU and the CPU subsystem must be (P 3.4). */
enum vnpu_domain vnpu_ip_40xx_domain(const struct reg_block *block, u32 off)
{
	if (block == &reg_block_btrs_lnl)
		return VNPU_DOM_ALWAYS;
	if (block == &reg_block_mmu || off >= R(HOST_IF_TCU_PTW_OVERRIDES))
		return VNPU_DOM_NOC;
	return VNPU_DOM_HOST;
}

/*
 * Power island delays
 */

static const struct reg_pwr_delay *delays(struct vnpu *v)
{
	u32 status = (u32)vnpu_reg_val(v, REG_BAR_BTRS_LNL, REG_BTRS_LNL_VPU_STATUS);

	return reg_fld_test(status, REG_BTRS_LNL_VPU_STATUS__PERF_CLK) ? &v->info->pwr_delay_fast
								       : &v->info->pwr_delay;
}

static void check_delay(struct vnpu *v, const struct vnpu_reg *r, u64 val, u32 want)
{
	if (val != want)
		vnpu_report_reg(v, VNPU_GUEST_ERROR, BAR, r->off,
				"power island delay 0x%x: expected 0x%x (P 3.5)", (u32)val, want);
}

static void post_dly_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	const struct reg_pwr_delay *d = delays(v);

	check_delay(v, r, val,
		    REG_PREP(REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_EN_POST_DLY__POST_DLY, d->post) |
			    REG_PREP(REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_EN_POST_DLY__POST1_DLY,
				     d->post1) |
			    REG_PREP(REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_EN_POST_DLY__POST2_DLY,
				     d->post2));
	(void)vnpu_ip_step(v, VNPU_ST_DELAY_POST);
}

static void status_dly_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	check_delay(v, r, val, delays(v)->status);
	(void)vnpu_ip_step(v, VNPU_ST_DELAY_STATUS);
}

const struct vnpu_hook vnpu_ip_50xx_hooks[] = {
	{ BAR, REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_EN_POST_DLY, NULL, post_dly_wr },
	{ BAR, REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_STATUS_DLY, NULL, status_dly_wr },
	{ 0 },
};

/*
 * CPU start
 */

static void ptw_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_SNOOP,
		      reg_fld_test((u32)val, F(HOST_IF_TCU_PTW_OVERRIDES, SNOOP_OVERRIDE_EN)));
}

static void cpu_noc_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	vnpu_ip_drive(v, VNPU_ST_CPU_NOC, val != 0);
}

static u64 cpu_noc_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return REG_PREP(F(CPU_SS_CPR_NOC_QACCEPTN, TOP_MMIO), (v->ip.steps & S(CPU_NOC)) != 0);
}

static void verification_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	vnpu_ip_entry(v, r->off, val);
}

const struct vnpu_hook vnpu_ip_40xx_hooks[] = {
	{ BAR, R(HOST_SS_AON_IDLE_GEN), NULL, vnpu_ip_idle_gen_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0), NULL, vnpu_ip_trickle_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_EN0), NULL, vnpu_ip_island_en_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISLAND_STATUS0), vnpu_ip_island_status_rd, NULL },
	{ BAR, R(HOST_SS_CPR_CLK_EN), NULL, vnpu_ip_clk_wr },
	{ BAR, R(HOST_SS_AON_PWR_ISO_EN0), NULL, vnpu_ip_iso_wr },
	{ BAR, R(HOST_SS_CPR_RST_EN), NULL, vnpu_ip_rst_wr },
	{ BAR, R(HOST_SS_NOC_QREQN), NULL, vnpu_ip_host_noc_wr },
	{ BAR, R(HOST_SS_NOC_QACCEPTN), vnpu_ip_host_noc_rd, NULL },
	{ BAR, R(HOST_SS_NOC_QDENY), vnpu_ip_host_deny_rd, NULL },
	{ BAR, R(TOP_NOC_QREQN), NULL, vnpu_ip_top_noc_wr },
	{ BAR, R(TOP_NOC_QACCEPTN), vnpu_ip_top_noc_rd, NULL },
	{ BAR, R(HOST_IF_TCU_PTW_OVERRIDES), NULL, ptw_wr },
	{ BAR, R(HOST_IF_TBU_MMUSSIDV), NULL, vnpu_ip_ssidv_wr },
	{ BAR, R(CPU_SS_CPR_NOC_QREQN), NULL, cpu_noc_wr },
	{ BAR, R(CPU_SS_CPR_NOC_QACCEPTN), cpu_noc_rd, NULL },
	{ BAR, R(HOST_SS_VERIFICATION_ADDRESS), NULL, verification_wr },
	{ BAR, R(HOST_SS_FW_SOC_IRQ_EN), NULL, vnpu_ip_soc_irq_wr },
	{ BAR, R(HOST_SS_ICB_STATUS_0), vnpu_ip_icb_status_rd, NULL },
	{ BAR, R(HOST_SS_ICB_STATUS_1), vnpu_ip_icb_status1_rd, NULL },
	{ BAR, R(HOST_SS_ICB_CLEAR), NULL, vnpu_ip_icb_clear_wr },
	{ BAR, R(HOST_SS_ICB_ENABLE), NULL, vnpu_ip_icb_enable_wr },
	{ BAR, R(HOST_SS_TIM_IPC_FIFO_ATM), vnpu_ip_fifo_atm_rd, NULL },
	{ BAR, R(HOST_SS_TIM_IPC_FIFO_STAT), vnpu_ip_fifo_stat_rd, NULL },
	{ BAR, R(CPU_SS_TIM_IPC_FIFO), NULL, vnpu_ip_fifo_wr },
	{ BAR, R(CPU_SS_DOORBELL), NULL, vnpu_ip_doorbell_wr },
	{ BAR, R(CPU_SS_TIM_PERF_EXT_FREE_CNT), vnpu_ip_counter_rd, NULL },
	{ BAR, R(CPU_SS_TIM_SAFE), NULL, vnpu_ip_safe_wr },
	{ BAR, R(CPU_SS_TIM_WATCHDOG), NULL, vnpu_ip_guarded_wr },
	{ BAR, R(CPU_SS_TIM_WDOG_EN), NULL, vnpu_ip_guarded_wr },
	{ 0 },
};
