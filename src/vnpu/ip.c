// SPDX-License-Identifier: MIT
/*
 * The IP's host and CPU subsystem, 37xx flavour: resets, clocks, power island, NOC handshakes, CPU
 * start, interrupt controller, FIFOs, timers, doorbells.
 * SRC: P 3.1 - 3.8.
 *
 * Each thing works only if what it depends on was done: a driver that skips a step does not get
 * past the check behind it.
 */
#include <string.h>

#include "vnpu/model.h"

#define TIM_SAFE_KEY 0xF1D0DEADu /* SRC: P 3.8 */

void vnpu_ip_reset(struct vnpu *m)
{
	bool was_on = m->power.is_wp_on, was_off = m->power.was_wp_off;
	bool d0i3_out = m->power.was_d0i3_out, d0i3 = m->power.is_d0i3;
	u16 ratio = m->power.ratio;

	vnpu_regs_reset(m, true);
	vnpu_mmu_flush(m);
	vnpu_fw_reset(m);
	m->icb_latched = 0;
	m->power = (struct vnpu_power){ .is_wp_on = was_on,
					.was_wp_off = was_off,
					.was_d0i3_out = d0i3_out,
					.is_d0i3 = d0i3,
					.ratio = ratio };
	m->reset_count++;
	vnpu_irq_update(m);
}

/* --- resets, clocks, power island --------------------------------------------------------- */

static void rst_clr_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	if (val != m->gen->data->clk_rst_mask)
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.4 #8", "CPR_RST_CLR = 0x%llx, not 0x%x",
			    (unsigned long long)val, m->gen->data->clk_rst_mask);
	else
		m->power.rst_clr = true;
}

static void clk_set_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	m->power.clk_set = val == m->gen->data->clk_rst_mask;
}

static void rst_set_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	m->power.rst_set = val == m->gen->data->clk_rst_mask;
}

static void island_en_write(struct vnpu *m, u64 old, u64 val)
{
	bool trickle = reg_fld_test((u32)VNPU_IP(m, HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0),
				    REG_IP_37XX_HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0__MSS_CPU);

	(void)old;
	m->power.island_on = val && trickle && m->power.rst_clr;
}

static u64 island_status_read(struct vnpu *m, u64 val)
{
	(void)val;
	if (m->power.island_on && vnpu_fault_take(m, VNPU_FAULT_ISLAND_STUCK))
		return 0;
	return REG_PREP(REG_IP_37XX_HOST_SS_AON_PWR_ISLAND_STATUS0__MSS_CPU, m->power.island_on);
}

/* --- NOC handshakes: single reads right after the write must already be right (P trap 1) ---- */

static void noc_qreqn_write(struct vnpu *m, u64 old, u64 val)
{
	bool is_isolated = VNPU_IP(m, HOST_SS_AON_PWR_ISO_EN0) != 0;
	bool is_awake = VNPU_IP(m, HOST_SS_AON_DPU_ACTIVE) && !VNPU_IP(m, HOST_SS_AON_VPU_IDLE_GEN);

	(void)old;
	m->power.noc_on = val && m->power.island_on && m->power.clk_set && m->power.rst_set &&
			  !is_isolated && is_awake;
}

static u64 noc_qacceptn_read(struct vnpu *m, u64 val)
{
	(void)val;
	if (m->power.noc_on && vnpu_fault_take(m, VNPU_FAULT_NOC_DENIES))
		return 0;
	return m->power.noc_on ? VNPU_IP(m, HOST_SS_NOC_QREQN) : 0;
}

static void top_noc_qreqn_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	m->power.top_noc_on = m->power.noc_on &&
			      reg_fld_test((u32)val, REG_IP_37XX_TOP_NOC_QREQN__CPU_CTRL) &&
			      reg_fld_test((u32)val, REG_IP_37XX_TOP_NOC_QREQN__HOSTIF_L2CACHE);
}

static u64 top_noc_qacceptn_read(struct vnpu *m, u64 val)
{
	(void)val;
	return m->power.noc_on ? VNPU_IP(m, TOP_NOC_QREQN) : 0;
}

/* --- CPU start, P 3.6 ---------------------------------------------------------------------- */

static void leon_vec_write(struct vnpu *m, u64 old, u64 val)
{
	static const u32 want[] = { /* RSTRUN0; with RESUME0; without */
		REG_PREP(REG_IP_37XX_CPU_SS_MSSCPU_CPR_LEON_RT_VEC__IRQI_RSTRUN0, 1),
		REG_PREP(REG_IP_37XX_CPU_SS_MSSCPU_CPR_LEON_RT_VEC__IRQI_RSTRUN0, 1) |
			REG_PREP(REG_IP_37XX_CPU_SS_MSSCPU_CPR_LEON_RT_VEC__IRQI_RESUME0, 1),
		REG_PREP(REG_IP_37XX_CPU_SS_MSSCPU_CPR_LEON_RT_VEC__IRQI_RSTRUN0, 1),
	};

	(void)old;
	if (m->power.vec_step < BASE_ARRAY_SIZE(want) && val == want[m->power.vec_step]) {
		m->power.vec_step++;
		return;
	}
	vnpu_report(m, VNPU_GUEST_ERROR, "P 3.6 #3-5", "LEON_RT_VEC = 0x%llx at write %u of 3",
		    (unsigned long long)val, m->power.vec_step + 1);
	m->power.vec_step = 0;
}

/* What is wrong with starting the CPU now; NULL: nothing. */
static const char *cannot_start(struct vnpu *m, u64 val)
{
	u64 ssidv = VNPU_IP(m, HOST_IF_TBU_MMUSSIDV);

	if (!m->power.top_noc_on)
		return "the top NOC is not running (P 3.4 #26)";
	if (m->power.vec_step != 3)
		return "the CPU's reset vector was not set up (P 3.6 #3-5)";
	if ((ssidv & m->gen->data->ssidv_mask) != m->gen->data->ssidv_mask)
		return "TBU_MMUSSIDV does not let the NPU use its MMU (P 3.6 #2)";
	if (!reg_fld_test((u32)VNPU_MMU(m, CR0), REG_MMU_CR0__SMMUEN))
		return "the MMU is off (P 8.3)";
	if ((val & ~UINT64_C(1)) != m->power.boot_reg)
		return "the entry was not written without DONE before (P 3.6 #6)";
	if (m->power.ran)
		return "the CPU is running already";
	return NULL;
}

static void loading_address_write(struct vnpu *m, u64 old, u64 val)
{
	const char *why;

	(void)old;
	if (!reg_fld_test((u32)val, REG_IP_37XX_HOST_SS_LOADING_ADDRESS_LO__DONE)) {
		m->power.boot_reg = val;
		return;
	}
	why = cannot_start(m, val);
	if (why) {
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.6 #7", "CPU start: %s", why);
		return;
	}
	if (!reg_fld_test((u32)VNPU_IP(m, HOST_IF_TCU_PTW_OVERRIDES),
			  REG_IP_37XX_HOST_IF_TCU_PTW_OVERRIDES__NOSNOOP_OVERRIDE_EN))
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.6 #1", "no snoop override is set");
	m->power.ran = true;
	vnpu_fw_start(m, reg_gen_entry_decode(m->gen->data, val));
}

/* --- interrupt controller, P 3.7 ----------------------------------------------------------- */

static u64 icb_status_read(struct vnpu *m, u64 val)
{
	u64 fifo = REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__HOST_IPC_FIFO_INT);

	(void)val;
	return (u32)m->icb_latched | (vnpu_fw_fifo_fill(m) ? fifo : 0);
}

static u64 icb_status_1_read(struct vnpu *m, u64 val)
{
	(void)val;
	return m->icb_latched >> 32;
}

static void icb_clear_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	m->icb_latched &= ~val;
	vnpu_irq_update(m);
}

static void icb_enable_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	(void)val;
	vnpu_irq_update(m);
}

/* --- FIFOs, P 6.3 -------------------------------------------------------------------------- */

static u64 fifo_stat_read(struct vnpu *m, u64 val)
{
	(void)val;
	return REG_PREP(REG_IP_37XX_HOST_SS_TIM_IPC_FIFO_STAT__READ_POINTER, m->fw.out_head) |
	       REG_PREP(REG_IP_37XX_HOST_SS_TIM_IPC_FIFO_STAT__WRITE_POINTER, m->fw.out_tail) |
	       REG_PREP(REG_IP_37XX_HOST_SS_TIM_IPC_FIFO_STAT__FILL_LEVEL, vnpu_fw_fifo_fill(m));
}

static u64 fifo_atm_read(struct vnpu *m, u64 val)
{
	(void)val;
	return vnpu_fw_fifo_pop(m);
}

static void fifo_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	vnpu_fw_host_message(m, (u32)val);
}

/* --- timers -------------------------------------------------------------------------------- */

u64 vnpu_perf_counter(const struct vnpu *m)
{
	u64 now = vnpu_time(m), hz = m->gen->data->perf_hz;

	return now / BASE_NS_PER_S * hz + now % BASE_NS_PER_S * hz / BASE_NS_PER_S;
}

static u64 perf_counter_read(struct vnpu *m, u64 val)
{
	(void)val;
	return vnpu_perf_counter(m);
}

static void tim_safe_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	m->power.is_tim_unlocked = val == TIM_SAFE_KEY;
}

static void tim_locked_write(struct vnpu *m, u64 old, u64 val)
{
	(void)old;
	(void)val;
	if (!m->power.is_tim_unlocked)
		vnpu_report(m, VNPU_GUEST_ERROR, "P 3.8",
			    "watchdog register written without 0x%x to TIM_SAFE before", TIM_SAFE_KEY);
	m->power.is_tim_unlocked = false;
}

/* --- doorbells ----------------------------------------------------------------------------- */

void vnpu_doorbell(struct vnpu *m, u32 db, u32 val)
{
	struct vnpu_fw *fw = &m->fw;

	m->stats.doorbells++;
	if (val != REG_MASK(REG_IP_37XX_CPU_SS_DOORBELL__SET) || !db || !fw->is_running) {
		vnpu_report(m, VNPU_GUEST_ERROR, "doorbell", "doorbell %u = 0x%x %s", db, val,
			    !fw->is_running ? "while no firmware runs" :
			    !db		    ? "is none: ids start at 1" :
					      "is not SET");
		return;
	}
	if (vnpu_fault_take(m, VNPU_FAULT_DOORBELL_LOST))
		return;
	if (!fw->queues[db].is_registered) {
		vnpu_report(m, VNPU_GUEST_ERROR, "doorbell", "doorbell %u is not registered", db);
		return;
	}
	fw->queues[db].is_rung = true;
	fw->first_rung = base_min(fw->first_rung, db);
	fw->last_rung = base_max(fw->last_rung, db);
	vnpu_schedule(m, VNPU_EV_DOORBELL, 2000, false);
}

#define HOOK(name, ...) [REG_IDX_IP_37XX_##name] = { __VA_ARGS__ }

const struct vnpu_reg_hook vnpu_ip_37xx_hooks[REG_IDX_IP_37XX_NR] = {
	HOOK(HOST_SS_CPR_RST_CLR, .write = rst_clr_write),
	HOOK(HOST_SS_CPR_CLK_SET, .write = clk_set_write),
	HOOK(HOST_SS_CPR_RST_SET, .write = rst_set_write),
	HOOK(HOST_SS_AON_PWR_ISLAND_EN0, .write = island_en_write),
	HOOK(HOST_SS_AON_PWR_ISLAND_STATUS0, .read = island_status_read),
	HOOK(HOST_SS_NOC_QREQN, .write = noc_qreqn_write),
	HOOK(HOST_SS_NOC_QACCEPTN, .read = noc_qacceptn_read),
	HOOK(TOP_NOC_QREQN, .write = top_noc_qreqn_write),
	HOOK(TOP_NOC_QACCEPTN, .read = top_noc_qacceptn_read),
	HOOK(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, .write = leon_vec_write),
	HOOK(HOST_SS_LOADING_ADDRESS_LO, .write = loading_address_write),
	HOOK(HOST_SS_ICB_STATUS_0, .read = icb_status_read),
	HOOK(HOST_SS_ICB_STATUS_1, .read = icb_status_1_read),
	HOOK(HOST_SS_ICB_CLEAR, .write = icb_clear_write),
	HOOK(HOST_SS_ICB_ENABLE, .write = icb_enable_write),
	HOOK(HOST_SS_TIM_IPC_FIFO_STAT, .read = fifo_stat_read),
	HOOK(HOST_SS_TIM_IPC_FIFO_ATM, .read = fifo_atm_read),
	HOOK(CPU_SS_TIM_IPC_FIFO, .write = fifo_write),
	HOOK(CPU_SS_TIM_PERF_FREE_CNT, .read = perf_counter_read),
	HOOK(CPU_SS_TIM_SAFE, .write = tim_safe_write),
	HOOK(CPU_SS_TIM_WATCHDOG, .write = tim_locked_write),
	HOOK(CPU_SS_TIM_WDOG_EN, .write = tim_locked_write),
};
