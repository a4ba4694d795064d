/* SPDX-License-Identifier: MIT */
/*
 * The boot of the test host, P 13.2: a table of steps in the order of P 3.4, 8.3 and 3.6, so that
 * tests leave one out (h->skip) or swap it with the next one of its generation (h->swap).
 * Included by test_host.h.
 */
#ifndef VNPU_TEST_BOOT_H
#define VNPU_TEST_BOOT_H

#define G37	BASE_BIT(37 - 37)
#define G40	BASE_BIT(40 - 37)
#define G50	BASE_BIT(50 - 37)
#define G60	BASE_BIT(60 - 37)
#define G50_ON	(G50 | G60)
#define G40_ON	(G40 | G50_ON)
#define G_ALL	(G37 | G40_ON)
#define GEN_BIT BASE_BIT(host_info->ip_gen - 37)

/*
 * Workpoint
 */

static inline void host_wp(struct host *h, bool on)
{
	const struct reg_gen *g = host_info;
	u32 target = on || host_is_40xx() ? g->pn_ratio : 0;
	u32 epp = on || !host_is_40xx() ? g->wp_epp : 0;

	assert_true(host_poll(h, B(WP_REQ_CMD), 1, 0, 1500000));
	wr(h, B(WP_REQ_PAYLOAD0), (u32)g->fmax_ratio << 16 | g->fmin_ratio);
	wr(h, B(WP_REQ_PAYLOAD1), epp << 16 | target);
	wr(h, B(WP_REQ_PAYLOAD2), on ? (u32)g->wp_cdyn_on << 16 | g->wp_config_on : 0);
	wr(h, B(WP_REQ_CMD), 1);
	(void)host_poll(h, B(WP_REQ_CMD), 1, 0, 1500);
}

static inline int do_wp_off(struct host *h)
{
	host_wp(h, false);
	return 0;
}

static inline int do_d0i3(struct host *h)
{
	rmw(h, B(VPU_D0I3_CONTROL), 4, 0);
	return 0;
}

static inline int do_wp_on(struct host *h)
{
	host_wp(h, true);
	return 0;
}

static inline int do_wp_wait(struct host *h)
{
	if (!host_is_40xx() && !host_poll(h, 4, REG_BTRS_MTL_PLL_STATUS, 2, 2, 1000))
		return -ETIMEDOUT;
	return host_poll(h, B(VPU_STATUS), 1, 1, 1000) ? 0 : -ETIMEDOUT;
}

static inline int do_perf_clk(struct host *h)
{
	rmw(h, LNL(VPU_STATUS), 1u << 11, 0);
	return 0;
}

/*
 * Power-up; a negative number is the step of P 3.4 that failed
 */

static inline int do_rst_poll(struct host *h)
{
	return host_poll(h, V37(HOST_SS_CPR_RST_CLR), 1, 0, 100) ? 0 : -7;
}

static inline int do_rst_clr(struct host *h)
{
	wr(h, V37(HOST_SS_CPR_RST_CLR), 0xc02);
	return 0;
}

static inline int do_noc_check(struct host *h)
{
	u32 bits = rd(h, V(HOST_SS_NOC_QREQN));

	bits |= rd(h, V(HOST_SS_NOC_QACCEPTN));
	return bits | rd(h, V(HOST_SS_NOC_QDENY)) ? -9 : 0;
}

static inline int do_idle_gen(struct host *h)
{
	rmw(h, V(HOST_SS_AON_VPU_IDLE_GEN), 1, 0);
	return 0;
}

static inline int do_clock_ack(struct host *h)
{
	return host_poll(h, LNL(VPU_STATUS), 1u << 6, 1u << 6, 150000) ? 0 : -13;
}

static inline int do_delay_post(struct host *h)
{
	const struct reg_pwr_delay *d = &host_info->pwr_delay;

	rmw(h, V50(HOST_SS_AON_PWR_ISLAND_EN_POST_DLY), 0xffffff,
	    d->post | (u32)d->post1 << 8 | (u32)d->post2 << 16);
	return 0;
}

static inline int do_delay_status(struct host *h)
{
	rmw(h, V50(HOST_SS_AON_PWR_ISLAND_STATUS_DLY), 0xff, host_info->pwr_delay.status);
	return 0;
}

static inline int do_trickle(struct host *h)
{
	rmw(h, V(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0), 0, 8);
	return 0;
}

static inline int do_island(struct host *h)
{
	rmw(h, V(HOST_SS_AON_PWR_ISLAND_EN0), 0, 8);
	return 0;
}

static inline int do_island_poll(struct host *h)
{
	return host_poll(h, V(HOST_SS_AON_PWR_ISLAND_STATUS0), 8, 8, 5000) ? 0 : -17;
}

static inline u32 host_top_bits(void)
{
	return host_is_40xx() ? 5 : 3;
}

static inline int do_top_check(struct host *h)
{
	return rd(h, V(TOP_NOC_QREQN)) & host_top_bits() ? -18 : 0;
}

static inline int do_clk(struct host *h)
{
	rmw(h, V(HOST_SS_CPR_CLK_SET), 0, 0xc02);
	return 0;
}

static inline int do_iso(struct host *h)
{
	rmw(h, V(HOST_SS_AON_PWR_ISO_EN0), 8, 0);
	return 0;
}

static inline int do_rst(struct host *h)
{
	rmw(h, V(HOST_SS_CPR_RST_SET), 0, 0xc02);
	return 0;
}

static inline int do_dpu(struct host *h)
{
	rmw(h, V37(HOST_SS_AON_DPU_ACTIVE), 0, 1);
	return 0;
}

static inline int do_host_noc(struct host *h)
{
	rmw(h, V(HOST_SS_NOC_QREQN), 0, 1);
	return 0;
}

static inline int do_host_check(struct host *h)
{
	bool accepted = rd(h, V(HOST_SS_NOC_QACCEPTN)) == 1;

	return rd(h, V(HOST_SS_NOC_QDENY)) || !accepted ? -24 : 0;
}

static inline int do_weights(struct host *h)
{
	wr(h, LNL(PORT_ARBITRATION_WEIGHTS), 0xf711f711);
	return 0;
}

static inline int do_weights_ats(struct host *h)
{
	wr(h, LNL(PORT_ARBITRATION_WEIGHTS_ATS), 0x0000f711);
	return 0;
}

static inline int do_top_noc(struct host *h)
{
	rmw(h, V(TOP_NOC_QREQN), 0, host_top_bits());
	return 0;
}

static inline int do_top_ack(struct host *h)
{
	bool accepted = rd(h, V(TOP_NOC_QACCEPTN)) == host_top_bits();

	return rd(h, V(TOP_NOC_QDENY)) || !accepted ? -27 : 0;
}

/*
 * MMU
 */

static inline void host_cr0(struct host *h, u32 val)
{
	wr(h, M(CR0), val);
	(void)rd(h, M(CR0ACK));
}

static inline void host_irq_ctrl(struct host *h, u32 val)
{
	wr(h, M(IRQ_CTRL), val);
	(void)rd(h, M(IRQ_CTRLACK));
}

static inline int do_cr0_zero(struct host *h)
{
	h->cmdq_prod = 0;
	host_cr0(h, 0);
	return 0;
}

static inline int do_cr1(struct host *h)
{
	wr(h, M(CR1), ABI_MMU_CR1);
	return 0;
}

static inline int do_strtab(struct host *h)
{
	wr64(h, M(STRTAB_BASE), h->strtab | UINT64_C(1) << 62);
	wr(h, M(STRTAB_BASE_CFG), 2);
	return 0;
}

static inline int do_cmdq(struct host *h)
{
	wr64(h, M(CMDQ_BASE), h->cmdq | UINT64_C(1) << 62 | 4);
	wr(h, M(CMDQ_PROD), 0);
	wr(h, M(CMDQ_CONS), 0);
	h->cmdq_prod = 0;
	return 0;
}

static inline int do_cr0_cmdq(struct host *h)
{
	host_cr0(h, 0x08);
	return 0;
}

static inline int do_flush(struct host *h)
{
	(void)host_flush_all(h);
	return 0;
}

static inline int do_evtq(struct host *h)
{
	wr64(h, M(EVTQ_BASE), h->evtq | UINT64_C(1) << 62 | 4);
	wr(h, M(EVTQ_PROD_SEC), 0);
	wr(h, M(EVTQ_CONS_SEC), 0);
	return 0;
}

static inline int do_cr0_evtq(struct host *h)
{
	host_cr0(h, 0x0c);
	h->evtq_on = true;
	return 0;
}

static inline int do_cr0_ats(struct host *h)
{
	host_cr0(h, h->evtq_on ? 0x1c : 0x18);
	return 0;
}

static inline int do_irq_zero(struct host *h)
{
	host_irq_ctrl(h, 0);
	return 0;
}

static inline int do_irq_on(struct host *h)
{
	host_irq_ctrl(h, 5);
	return 0;
}

static inline int do_cr0_on(struct host *h)
{
	host_cr0(h, 0x1d);
	return 0;
}

/*
 * CPU start
 */

static inline int do_snoop(struct host *h)
{
	rmw(h, V(HOST_IF_TCU_PTW_OVERRIDES), 0x38, host_is_40xx() ? 0x18 : 0x28);
	return 0;
}

static inline int do_ssidv(struct host *h)
{
	rmw(h, V(HOST_IF_TBU_MMUSSIDV), 0, host_info->ssidv_mask);
	return 0;
}

static inline int do_cpu_run(struct host *h)
{
	rmw(h, V37(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), 0xfffffff1, 1);
	return 0;
}

static inline int do_cpu_resume(struct host *h)
{
	rmw(h, V37(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), 0, 2);
	return 0;
}

static inline int do_cpu_resumed(struct host *h)
{
	rmw(h, V37(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), 2, 0);
	return 0;
}

static inline int do_cpu_noc(struct host *h)
{
	rmw(h, V40(CPU_SS_CPR_NOC_QREQN), 0, 1);
	return 0;
}

static inline int do_cpu_noc_ack(struct host *h)
{
	return rd(h, V40(CPU_SS_CPR_NOC_QACCEPTN)) == 1 ? 0 : -34;
}

static inline int do_cpu_noc_deny(struct host *h)
{
	return rd(h, V40(CPU_SS_CPR_NOC_QDENY)) ? -35 : 0;
}

static inline u64 host_entry_reg(const struct host *h)
{
	u64 entry = h->entry ? h->entry : HOST_ENTRY;

	return host_is_40xx() ? entry << 3 : entry >> 9;
}

static inline int do_entry(struct host *h)
{
	if (host_is_40xx())
		wr64(h, V40(HOST_SS_VERIFICATION_ADDRESS), host_entry_reg(h));
	else
		wr(h, V37(HOST_SS_LOADING_ADDRESS_LO), (u32)host_entry_reg(h));
	return 0;
}

static inline int do_start(struct host *h)
{
	if (host_is_40xx())
		rmw(h, V40(HOST_SS_VERIFICATION_ADDRESS), 0, 1);
	else
		wr(h, V37(HOST_SS_LOADING_ADDRESS_LO), (u32)host_entry_reg(h) | 1);
	return 0;
}

static inline int do_ready(struct host *h)
{
	struct abi_ipc_hdr hdr = { 0 };

	if (!host_pop_wait(h, &hdr, NULL, 10000))
		return -ETIMEDOUT;
	assert_int_equal(hdr.channel, ABI_IPC_CHAN_BOOT);
	assert_int_equal(hdr.data_addr, ABI_IPC_BOOT_DATA);
	return 0;
}

static inline int do_icb_clear(struct host *h)
{
	wr64(h, V(HOST_SS_ICB_CLEAR), host_info->icb_irq_mask);
	return 0;
}

static inline int do_soc_irq(struct host *h)
{
	wr(h, V(HOST_SS_FW_SOC_IRQ_EN), 0x7f);
	return 0;
}

static inline int do_icb_enable(struct host *h)
{
	wr64(h, V(HOST_SS_ICB_ENABLE), host_info->icb_irq_mask);
	return 0;
}

static inline int do_local(struct host *h)
{
	wr(h, B(LOCAL_INT_MASK), ~host_info->btrs_irq_mask);
	return 0;
}

static inline int do_global(struct host *h)
{
	wr(h, B(GLOBAL_INT_MASK), 0);
	return 0;
}

/*
 * The table
 */

#define HOST_STEPS(X)                               \
	X(WP_OFF, do_wp_off, G37)                   \
	X(D0I3, do_d0i3, G_ALL)                     \
	X(WP_ON, do_wp_on, G_ALL)                   \
	X(WP_WAIT, do_wp_wait, G_ALL)               \
	X(PERF_CLK, do_perf_clk, G40_ON)            \
	X(RST_POLL, do_rst_poll, G37)               \
	X(RST_CLR, do_rst_clr, G37)                 \
	X(NOC_CHECK, do_noc_check, G_ALL)           \
	X(IDLE_GEN, do_idle_gen, G_ALL)             \
	X(CLOCK_ACK, do_clock_ack, G40_ON)          \
	X(DELAY_POST, do_delay_post, G50_ON)        \
	X(DELAY_STATUS, do_delay_status, G50_ON)    \
	X(TRICKLE, do_trickle, G_ALL)               \
	X(ISLAND, do_island, G_ALL)                 \
	X(ISLAND_POLL, do_island_poll, G_ALL)       \
	X(TOP_CHECK, do_top_check, G_ALL)           \
	X(CLK, do_clk, G_ALL)                       \
	X(ISO, do_iso, G_ALL)                       \
	X(RST, do_rst, G_ALL)                       \
	X(DPU, do_dpu, G37)                         \
	X(HOST_NOC, do_host_noc, G_ALL)             \
	X(HOST_CHECK, do_host_check, G_ALL)         \
	X(WEIGHTS, do_weights, G40_ON)              \
	X(WEIGHTS_ATS, do_weights_ats, G40_ON)      \
	X(TOP_NOC, do_top_noc, G_ALL)               \
	X(TOP_ACK, do_top_ack, G_ALL)               \
	X(CR0_ZERO, do_cr0_zero, G_ALL)             \
	X(CR1, do_cr1, G_ALL)                       \
	X(STRTAB, do_strtab, G_ALL)                 \
	X(CMDQ, do_cmdq, G_ALL)                     \
	X(CR0_CMDQ, do_cr0_cmdq, G_ALL)             \
	X(FLUSH1, do_flush, G_ALL)                  \
	X(EVTQ, do_evtq, G_ALL)                     \
	X(CR0_EVTQ, do_cr0_evtq, G_ALL)             \
	X(CR0_ATS, do_cr0_ats, G_ALL)               \
	X(IRQ_ZERO, do_irq_zero, G_ALL)             \
	X(IRQ_ON, do_irq_on, G_ALL)                 \
	X(CR0_ON, do_cr0_on, G_ALL)                 \
	X(FLUSH2, do_flush, G_ALL)                  \
	X(SNOOP, do_snoop, G_ALL)                   \
	X(SSIDV, do_ssidv, G_ALL)                   \
	X(CPU_RUN, do_cpu_run, G37)                 \
	X(CPU_RESUME, do_cpu_resume, G37)           \
	X(CPU_RESUMED, do_cpu_resumed, G37)         \
	X(CPU_NOC, do_cpu_noc, G40 | G50)           \
	X(CPU_NOC_ACK, do_cpu_noc_ack, G40 | G50)   \
	X(CPU_NOC_DENY, do_cpu_noc_deny, G40 | G50) \
	X(ENTRY, do_entry, G_ALL)                   \
	X(START, do_start, G_ALL)                   \
	X(READY, do_ready, G_ALL)                   \
	X(ICB_CLEAR, do_icb_clear, G_ALL)           \
	X(SOC_IRQ, do_soc_irq, G_ALL)               \
	X(ICB_ENABLE, do_icb_enable, G_ALL)         \
	X(LOCAL, do_local, G_ALL)                   \
	X(GLOBAL, do_global, G_ALL)

#define X(name, fn, gens) SK_##name,
enum { HOST_STEPS(X) SK_END };
#undef X

static const struct host_step {
	const char *name;
	int (*run)(struct host *h);
	u32 gens;
} host_steps[SK_END] = {
#define X(name, fn, gens) { #name, fn, gens },
	HOST_STEPS(X)
#undef X
};

static_assert(SK_END <= 64, "h->skip has one bit per step");

static inline bool host_has_step(u32 i)
{
	return i < SK_END && host_steps[i].gens & GEN_BIT;
}

/* The step behind @i that this generation has, or SK_END. */
static inline u32 host_next_step(u32 i)
{
	do
		i++;
	while (i < SK_END && !host_has_step(i));
	return i;
}

static inline int host_run_step(struct host *h, u32 i)
{
	return h->skip >> i & 1 ? 0 : host_steps[i].run(h);
}

/* Steps from @from up to @to, which does not run. */
static inline int host_run_steps(struct host *h, u32 from, u32 to)
{
	int ret = 0;

	for (u32 i = host_has_step(from) ? from : host_next_step(from); i < to && !ret;
	     i = host_next_step(i)) {
		u32 next = host_next_step(i);
		bool swap = h->swap == i + 1 && next < to;

		if (swap)
			ret = host_run_step(h, next);
		if (!ret)
			ret = host_run_step(h, i);
		if (swap)
			i = next;
	}
	return ret;
}

/*
 * The whole
 */

static inline void host_tables(struct host *h)
{
	u64 *ste;

	h->strtab = host_pages(h, 1);
	h->cdtab = host_pages(h, 4);
	h->cmdq = host_pages(h, 1);
	h->evtq = host_pages(h, 1);
	ste = host_ptr(h, h->strtab);
	ste[0] = ste[24] = ABI_MMU_STE0 | h->cdtab;
	ste[1] = ste[25] = ABI_MMU_STE1;
}

static inline struct abi_boot_params *host_params(struct host *h)
{
	return host_at(h, 0, host_info->va.runtime.start);
}

/* SSID 0: firmware, boot parameters, IPC; no job queues yet. */
static inline void host_fw_memory(struct host *h)
{
	const struct reg_gen *g = host_info;
	struct abi_boot_params *p;

	host_new(h, 0, g->va.runtime.start, 5);
	host_new(h, 0, HOST_RX_VA, 4);
	host_new(h, 0, HOST_TX_VA, 4);
	p = host_params(h);
	p->magic = ABI_BOOT_MAGIC;
	p->ipc_header_area_start = HOST_RX_VA;
	p->ipc_header_area_size = 0x2000;
	p->ipc_payload_area_start = HOST_RX_VA + 0x2000;
	p->ipc_payload_area_size = 0x2000;
	p->shared_region_base = g->va.global.start;
	p->shared_region_size = 0x10000000;
	p->watchdog_irq_mss = 32;
	p->watchdog_irq_nce = 33;
	p->autoconfig = 1;
	p->si_stepping = 4;
	p->device_id = g->ids[0].device;
	p->sku = g->sku;
	p->feature_exclusion = g->tile_fuse;
	p->perf_clk_frequency = g->perf_clk_hz;
	p->min_freq_pll_ratio = g->fmin_ratio;
	p->pn_freq_pll_ratio = g->pn_ratio;
	p->max_freq_pll_ratio = g->fmax_ratio;
	p->d0i3_delayed_entry = 1;
	if (!h->hws)
		return;
	p->vpu_scheduling_mode = ABI_BOOT_SCHED_HW;
	p->vpu_focus_present_timer_ms = ABI_BOOT_FOCUS_PRESENT_MS;
}

static inline int host_power_up(struct host *h)
{
	return host_run_steps(h, 0, SK_CR0_ZERO);
}

static inline int host_boot(struct host *h)
{
	int ret;

	host_pci_on(h);
	h->evtq_on = false;
	if (!h->strtab) {
		host_tables(h);
		host_fw_memory(h);
	}
	ret = host_run_steps(h, 0, SK_END);
	return ret;
}

/* P 11.1 step 5, 3.9. */
static inline void host_shutdown(struct host *h)
{
	wr(h, B(GLOBAL_INT_MASK), 1);
	wr(h, B(LOCAL_INT_MASK), 0xffffffff);
	wr64(h, V(HOST_SS_ICB_ENABLE), 0);
	wr(h, V(HOST_SS_FW_SOC_IRQ_EN), 0);
	if (host_is_40xx())
		rmw(h, LNL(VPU_STATUS), 0, 1u << 12);
	rmw(h, B(VPU_IP_RESET), 0, 1);
	assert_true(host_poll(h, B(VPU_IP_RESET), 1, 0, 150000));
	host_wp(h, false);
	rmw(h, B(VPU_D0I3_CONTROL), 0, 4);
	cfg_wr(h, 0x44, 2, 3);
	cfg_wr(h, 0x44, 2, 0);
}

#endif
