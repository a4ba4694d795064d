// SPDX-License-Identifier: MIT
/*
 * The 40xx IP behind the LNL buttress: npu40, npu50, npu60.
 *
 * The sequences below are P 3.4, 3.5, 3.6, 3.8, 3.9 and the buttress handshakes of P 2.4, one row
 * per access.  Numbers in the source column are the step numbers there.  Step 6 of P 3.4, a read of
 * HM_ATS, is left out: Linux makes it for a debug line that is off.
 */
#include "driver/gen/lnl_40xx.h"

#include <errno.h>

#include "driver/gen/rows.h"

#define B(name)	     DRV_REG(BTRS_LNL, name)
#define V(name)	     DRV_REG(IP_40XX, name)
#define BF(reg, fld) REG_BTRS_LNL_##reg##__##fld
#define VF(reg, fld) REG_IP_40XX_##reg##__##fld
#define V50(name)    DRV_REG(IP_50XX, name)

/* PORT_ARBITRATION_WEIGHTS, _ATS; SRC: P 3.4 #25, App. B */
#define WEIGHTS	    0xf711f711
#define WEIGHTS_ATS 0x0000f711

/*
 * Common code decodes these registers with the fields of the 37xx flavour: one place for each must
 * do, in submission and interrupt a table of fields would cost every job.
 */
#define SAME(blk_a, blk_b, fld) \
	static_assert((u64)REG_##blk_a##_##fld == (u64)REG_##blk_b##_##fld, #fld)
#define SAME_ICB(fld) SAME(IP_37XX, IP_40XX, HOST_SS_ICB_STATUS_0__##fld##_INT)
SAME_ICB(HOST_IPC_FIFO);
SAME_ICB(MMU_IRQ_0);
SAME_ICB(MMU_IRQ_1);
SAME_ICB(MMU_IRQ_2);
SAME_ICB(NOC_FIREWALL);
SAME_ICB(CPU_INT_REDIRECT_0);
SAME_ICB(CPU_INT_REDIRECT_1);
SAME(IP_37XX, IP_40XX, HOST_SS_TIM_IPC_FIFO_STAT__FILL_LEVEL);
SAME(BTRS_MTL, BTRS_LNL, VPU_STATUS__IDLE);
static_assert((int)REG_BAR_IP_37XX == (int)REG_BAR_IP_40XX, "BAR of the IP");

/* clang-format off */
#define TOP_NOC_BITS(reg) \
	(REG_MASK(VF(reg, CPU_CTRL)) | REG_MASK(VF(reg, HOSTIF_L2CACHE)))
/* TOP_NOC, DSS, CSS; SRC: P 3.4 #19, #21 */
#define CLK_RST_BITS(reg) \
	(REG_MASK(VF(reg, TOP_NOC)) | REG_MASK(VF(reg, DSS_MAS)) | REG_MASK(VF(reg, CSS_MAS)))
/* SRC: P 3.6 #1, column 40xx */
#define PTW_SNOOP_BITS \
	(REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, SNOOP_OVERRIDE_EN)) | \
	 REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, AW_SNOOP_OVERRIDE)) | \
	 REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, AR_SNOOP_OVERRIDE)))
#define PTW_SNOOP_VAL \
	(REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, SNOOP_OVERRIDE_EN)) | \
	 REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, AW_SNOOP_OVERRIDE)))
#define READY_IDLE (REG_MASK(BF(VPU_STATUS, READY)) | REG_MASK(BF(VPU_STATUS, IDLE)))
/* clang-format on */

static u64 wp_ratios(const struct drv_dev *dev)
{
	return REG_PREP(BF(WP_REQ_PAYLOAD0, MIN_RATIO), dev->freq.min) |
	       REG_PREP(BF(WP_REQ_PAYLOAD0, MAX_RATIO), dev->freq.max);
}

static u64 wp_target_on(const struct drv_dev *dev)
{
	return REG_PREP(BF(WP_REQ_PAYLOAD1, TARGET_RATIO), dev->freq.pn) |
	       REG_PREP(BF(WP_REQ_PAYLOAD1, EPP), dev->gen->wp_epp);
}

static u64 wp_target_off(const struct drv_dev *dev)
{
	return REG_PREP(BF(WP_REQ_PAYLOAD1, TARGET_RATIO), dev->freq.pn);
}

static u64 wp_config_on(const struct drv_dev *dev)
{
	return REG_PREP(BF(WP_REQ_PAYLOAD2, CONFIG), dev->gen->wp_config_on) |
	       REG_PREP(BF(WP_REQ_PAYLOAD2, CDYN), dev->gen->wp_cdyn_on);
}

static u64 wp_config_off(const struct drv_dev *dev)
{
	(void)dev;
	return 0;
}

static bool keeps_clock(const struct drv_dev *dev)
{
	return dev->revision < dev->info->keep_clock_below_rev;
}

/* Set when the profiling clock is not the default one.  SRC: P 2.3 TILE_FUSE, P 2.4 */
static u64 perf_clk(const struct drv_dev *dev)
{
	return REG_PREP(BF(VPU_STATUS, PERF_CLK), dev->perf_clk_hz != dev->gen->perf_clk_hz);
}

static u64 post_delays(const struct drv_dev *dev)
{
	const struct reg_pwr_delay *d = &dev->gen->pwr_delay;

	return REG_PREP(REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_EN_POST_DLY__POST_DLY, d->post) |
	       REG_PREP(REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_EN_POST_DLY__POST1_DLY, d->post1) |
	       REG_PREP(REG_IP_50XX_HOST_SS_AON_PWR_ISLAND_EN_POST_DLY__POST2_DLY, d->post2);
}

static u64 status_delay(const struct drv_dev *dev)
{
	return dev->gen->pwr_delay.status;
}

/* clang-format off */
/* Workpoint request.  SRC: P 2.4 */
#define WP(p, g, target, config, on, src) \
	POLL_B(p, g, WP_REQ_CMD, SEND, 0, wp, src ", P 2.4 wp #1"), \
	DYN_B(p, g, WP_REQ_PAYLOAD0, wp_ratios, src ", P 2.4 wp #2"), \
	DYN_B(p, g, WP_REQ_PAYLOAD1, target, src ", P 2.4 wp #2"), \
	DYN_B(p, g, WP_REQ_PAYLOAD2, config, src ", P 2.4 wp #2"), \
	SET_B(p, g, WP_REQ_CMD, SEND, 1, src ", P 2.4 wp #3"), \
	POLL_B(p, g, WP_REQ_CMD, SEND, 0, wp, src ", P 2.4 wp #4"), \
	POLL_B(p, g, VPU_STATUS, READY, on, wp, src ", P 2.4 wp #6")

#define D0I3(g, val, src) \
	POLL_B(WARN, g, D0I3_CONTROL, INPROGRESS, 0, d0i3, src ", P 2.4 d0i3"), \
	SET_B(WARN, g, D0I3_CONTROL, I3, val, src ", P 2.4 d0i3"), \
	POLL_B(WARN, g, D0I3_CONTROL, INPROGRESS, 0, d0i3, src ", P 2.4 d0i3")

/* A field as wide as is written in one go: the rest of the register stays. */
#define DYN_V50(reg_, bits, fn, src) \
	{ ROW(RMW, FATAL, 0, "set " #reg_, src), .reg = V50(reg_), .mask = (bits), .dyn = (fn) }

#define POWER_UP_1 \
	D0I3(1, 0, "P 3.4 #2"), \
	WP(FATAL, 0, wp_target_on, wp_config_on, 1, "P 3.4 #3"), \
	{ ROW(RMW, FATAL, 0, "set VPU_STATUS.DISABLE_CLK_RELINQUISH = 1", "P 3.4 #4"), .when = keeps_clock, \
	  .reg = B(VPU_STATUS), DRV_F(BF(VPU_STATUS, DISABLE_CLK_RELINQUISH), 1) }, \
	{ ROW(RMW, FATAL, 0, "set VPU_STATUS.PERF_CLK", "P 3.4 #5"), \
	  .reg = B(VPU_STATUS), .mask = REG_MASK(BF(VPU_STATUS, PERF_CLK)), .dyn = perf_clk }, \
	CHECK_V(HOST_SS_NOC_QREQN, REG_MASK(VF(HOST_SS_NOC_QREQN, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #9"), \
	CHECK_V(HOST_SS_NOC_QACCEPTN, REG_MASK(VF(HOST_SS_NOC_QACCEPTN, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #10"), \
	CHECK_V(HOST_SS_NOC_QDENY, REG_MASK(VF(HOST_SS_NOC_QDENY, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #11"), \
	SET_V(HOST_SS_AON_IDLE_GEN, EN, 0, "P 3.4 #12"), \
	POLL_B(FATAL, 0, VPU_STATUS, CLOCK_RESOURCE_OWN_ACK, 1, d0i3, "P 3.4 #13")

#define POWER_UP_DELAYS \
	DYN_V50(HOST_SS_AON_PWR_ISLAND_EN_POST_DLY, 0x00ffffff, post_delays, "P 3.4 #14, P 3.5"), \
	DYN_V50(HOST_SS_AON_PWR_ISLAND_STATUS_DLY, 0x000000ff, status_delay, "P 3.4 #14, P 3.5")

#define POWER_UP_2 \
	SET_V(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0, CSS_CPU, 1, "P 3.4 #15"), \
	{ ROW(DELAY, FATAL, 0, "wait 500 ns for the trickle supply", "P 3.4 #15"), .delay_ns = 500 }, \
	SET_V(HOST_SS_AON_PWR_ISLAND_EN0, CSS_CPU, 1, "P 3.4 #16"), \
	POLL_V(HOST_SS_AON_PWR_ISLAND_STATUS0, CSS_CPU, 1, pwr_island, "P 3.4 #17"), \
	CHECK_V(TOP_NOC_QREQN, TOP_NOC_BITS(TOP_NOC_QREQN), 0, "== 0", "P 3.4 #18"), \
	BITS_V(HOST_SS_CPR_CLK_EN, CLK_RST_BITS(HOST_SS_CPR_CLK_EN), CLK_RST_BITS(HOST_SS_CPR_CLK_EN), \
	       "TOP_NOC, DSS, CSS", "P 3.4 #19"), \
	SET_V(HOST_SS_AON_PWR_ISO_EN0, CSS_CPU, 0, "P 3.4 #20"), \
	BITS_V(HOST_SS_CPR_RST_EN, CLK_RST_BITS(HOST_SS_CPR_RST_EN), CLK_RST_BITS(HOST_SS_CPR_RST_EN), \
	       "TOP_NOC, DSS, CSS", "P 3.4 #21"), \
	SET_V(HOST_SS_NOC_QREQN, TOP_SOCMMIO, 1, "P 3.4 #23"), \
	CHECK_V(HOST_SS_NOC_QACCEPTN, REG_MASK(VF(HOST_SS_NOC_QACCEPTN, TOP_SOCMMIO)), \
		REG_MASK(VF(HOST_SS_NOC_QACCEPTN, TOP_SOCMMIO)), "== 1", "P 3.4 #24"), \
	CHECK_V(HOST_SS_NOC_QDENY, REG_MASK(VF(HOST_SS_NOC_QDENY, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #24"), \
	WRITE_B(FATAL, PORT_ARBITRATION_WEIGHTS, WEIGHTS, "P 3.4 #25"), \
	WRITE_B(FATAL, PORT_ARBITRATION_WEIGHTS_ATS, WEIGHTS_ATS, "P 3.4 #25"), \
	BITS_V(TOP_NOC_QREQN, TOP_NOC_BITS(TOP_NOC_QREQN), TOP_NOC_BITS(TOP_NOC_QREQN), \
	       "CPU_CTRL, HOSTIF_L2CACHE = 1", "P 3.4 #26"), \
	CHECK_V(TOP_NOC_QACCEPTN, TOP_NOC_BITS(TOP_NOC_QACCEPTN), TOP_NOC_BITS(TOP_NOC_QACCEPTN), \
		"CPU_CTRL, HOSTIF_L2CACHE == 1", "P 3.4 #27"), \
	CHECK_V(TOP_NOC_QDENY, TOP_NOC_BITS(TOP_NOC_QDENY), 0, "== 0", "P 3.4 #27")

static const struct drv_step power_up_40xx[] = { POWER_UP_1, POWER_UP_2 };
static const struct drv_step power_up_50xx[] = { POWER_UP_1, POWER_UP_DELAYS, POWER_UP_2 };

#define BOOT_1 \
	{ ROW(CALL, FATAL, 0, "copy the firmware image", "P 4.6"), .when = drv_pm_is_cold, .call = drv_boot_load_fw }, \
	CALL(drv_boot_fill_params, "fill the boot parameters", "P 5.1"), \
	BITS_V(HOST_IF_TCU_PTW_OVERRIDES, PTW_SNOOP_BITS, PTW_SNOOP_VAL, \
	       "SNOOP_EN = 1, AW = 1, AR = 0", "P 3.6 #1"), \
	{ ROW(RMW, FATAL, 0, "set HOST_IF_TBU_MMUSSIDV TBU0, TBU1, TBU2 = 1", "P 3.6 #2"), \
	  .reg = V(HOST_IF_TBU_MMUSSIDV), .mask = SSIDV_BITS, .value = SSIDV_BITS }

#define SSIDV_BITS \
	(REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU0_AWMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU0_ARMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU1_AWMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU1_ARMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU2_AWMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU2_ARMMUSSIDV)))

#define BOOT_CPU_NOC \
	SET_V(CPU_SS_CPR_NOC_QREQN, TOP_MMIO, 1, "P 3.6 #3"), \
	CHECK_V(CPU_SS_CPR_NOC_QACCEPTN, REG_MASK(VF(CPU_SS_CPR_NOC_QACCEPTN, TOP_MMIO)), \
		REG_MASK(VF(CPU_SS_CPR_NOC_QACCEPTN, TOP_MMIO)), "== 1", "P 3.6 #4"), \
	CHECK_V(CPU_SS_CPR_NOC_QDENY, REG_MASK(VF(CPU_SS_CPR_NOC_QDENY, TOP_MMIO)), 0, "== 0", "P 3.6 #5")

#define BOOT_2 \
	{ ROW(WRITE64, FATAL, 0, "write HOST_SS_VERIFICATION_ADDRESS = entry", "P 3.6 #6"), \
	  .reg = V(HOST_SS_VERIFICATION_ADDRESS), .dyn = drv_gen_entry }, \
	{ ROW(RMW, FATAL, 0, "set HOST_SS_VERIFICATION_ADDRESS_LO.DONE = 1", "P 3.6 #7"), \
	  .reg = V(HOST_SS_VERIFICATION_ADDRESS_LO), .mask = 1, .value = 1 }, \
	{ ROW(CALL, FATAL, 0, "wait for the ready message", "P 3.6 #8"), \
	  .call = drv_boot_wait_ready, DRV_LIMIT_MS(boot) }, \
	IRQ_ON_ROWS

static_assert(REG_MASK64(VF(HOST_SS_VERIFICATION_ADDRESS, DONE)) == 1, "DONE");

static const struct drv_step boot_40xx[] = { BOOT_1, BOOT_CPU_NOC, BOOT_2 };
static const struct drv_step boot_60xx[] = { BOOT_1, BOOT_2 };

/* Every step only warns: the shutdown of a dead device goes to its end. */
static const struct drv_step power_down_40xx[] = {
	IRQ_OFF_ROWS("P 11.1 #5"),
	{ ROW(CALL, WARN, 0, "read the performance counter", "P 3.9 #2"),
	  .call = drv_boot_read_counter },
	/* a firmware that answers its last questions gets the time P 3.10 gives a suspend */
	{ ROW(POLL, WARN, 0, "poll VPU_STATUS READY, IDLE == 1", "P 3.9 #3, P 3.10 suspend"),
	  .reg = B(VPU_STATUS), .mask = READY_IDLE, .value = READY_IDLE, DRV_LIMIT(idle) },
	SET_B(WARN, 1, VPU_STATUS, DISABLE_CLK_RELINQUISH, 1, "P 3.9 #4, P 2.4 ip_reset"),
	POLL_B(WARN, 1, IP_RESET, TRIGGER, 0, ip_reset, "P 3.9 #4, P 2.4 ip_reset"),
	SET_B(WARN, 1, IP_RESET, TRIGGER, 1, "P 3.9 #4, P 2.4 ip_reset"),
	POLL_B(WARN, 1, IP_RESET, TRIGGER, 0, ip_reset, "P 3.9 #4, P 2.4 ip_reset"),
	WP(WARN, 2, wp_target_off, wp_config_off, 0, "P 3.9 #5"),
	POLL_B(WARN, 2, CDYN, CDYN, 0, wp, "P 3.9 #5, P 2.4 wp #7"),
	D0I3(3, 1, "P 3.9 #6"),
	{ ROW(DELAY, WARN, 3, "wait 5 us for D0i3", "P 2.4 d0i3"), .delay_ns = 5000 },
};

static const struct drv_step wdog_off_steps[] = { WDOG_OFF_ROWS };
static const struct drv_step suspend_steps[] = { SUSPEND_ROWS };
static const struct drv_step recover_steps[] = { RECOVER_ROWS };
/* clang-format on */

#define SHARED_SEQ(id, name, steps) \
	const struct drv_seq id = { name, steps, BASE_ARRAY_SIZE(steps) }

SHARED_SEQ(drv_40xx_power_up, "power_up", power_up_40xx);
SHARED_SEQ(drv_50xx_power_up, "power_up", power_up_50xx);
SHARED_SEQ(drv_40xx_boot, "boot", boot_40xx);
SHARED_SEQ(drv_60xx_boot, "boot", boot_60xx);
SHARED_SEQ(drv_40xx_power_down, "power_down", power_down_40xx);
SHARED_SEQ(drv_40xx_wdog_off, "wdog_off", wdog_off_steps);
SHARED_SEQ(drv_40xx_suspend, "suspend", suspend_steps);
SHARED_SEQ(drv_40xx_recover, "recover", recover_steps);

/* Tiles that are fused off.  A fuse that is not valid is said, and boots as in Linux.  SRC: P 2.3 */
static void read_tiles(struct drv_dev *dev, u32 fuse)
{
	u32 off = reg_fld_get(fuse, BF(TILE_FUSE, CONFIG));

	dev->tile_fuse = 0;
	dev->perf_clk_hz = 0;
	if (!reg_fld_test(fuse, BF(TILE_FUSE, VALID))) {
		drv_err(dev, PM, "TILE_FUSE 0x%x is not valid: all tiles are assumed to work",
			fuse);
		return;
	}
	if (off & (off - 1))
		drv_warn(dev, PM, "TILE_FUSE 0x%x: tiles 0x%x are off, expected at most one", fuse,
			 off);
	dev->tile_fuse = off;
	dev->perf_clk_hz = dev->gen->perf_clk_hz;
}

/* Fuses and platform, P 2.3. */
static int probe(struct drv_dev *dev)
{
	u32 tiles = drv_rd32(dev, B(TILE_FUSE));
	u32 fmin = drv_rd32(dev, B(FMIN_FUSE));
	u32 fmax = drv_rd32(dev, B(FMAX_FUSE));
	u32 status = drv_rd32(dev, B(VPU_STATUS));

	if (tiles == DRV_ALL_ONES || fmin == DRV_ALL_ONES || fmax == DRV_ALL_ONES ||
	    status == DRV_ALL_ONES)
		return -ENODEV;
	read_tiles(dev, tiles);
	drv_gen_set_ratios(dev, reg_fld_get(fmin, BF(FMIN_FUSE, MIN_RATIO)),
			   reg_fld_get(fmin, BF(FMIN_FUSE, PN_RATIO)),
			   reg_fld_get(fmax, BF(FMAX_FUSE, MAX_RATIO)));
	drv_gen_check_platform(dev, reg_fld_get(status, BF(VPU_STATUS, PLATFORM)));
	return 0;
}

/*
 * The buttress' interrupts, P 2.6.
 */

static const struct error {
	u32 bit; /* of INTERRUPT_STAT */
	const char *what;
	u32 log, log2; /* DRV_REG(), 0 = none */
	u32 clear;
} errors[] = {
	{ REG_MASK(BF(INTERRUPT_STAT, ATS_ERR)), "address translation error", B(ATS_ERR_LOG1),
	  B(ATS_ERR_LOG2), B(ATS_ERR_CLEAR) },
	{ REG_MASK(BF(INTERRUPT_STAT, CFI0_ERR)), "fabric 0 error", B(CFI0_ERR_LOG), 0,
	  B(CFI0_ERR_CLEAR) },
	{ REG_MASK(BF(INTERRUPT_STAT, CFI1_ERR)), "fabric 1 error", B(CFI1_ERR_LOG), 0,
	  B(CFI1_ERR_CLEAR) },
	{ REG_MASK(BF(INTERRUPT_STAT, IMR0_ERR)), "isolated memory error on fabric 0",
	  B(IMR_ERR_CFI0_LOW), B(IMR_ERR_CFI0_HIGH), B(IMR_ERR_CFI0_CLEAR) },
	{ REG_MASK(BF(INTERRUPT_STAT, IMR1_ERR)), "isolated memory error on fabric 1",
	  B(IMR_ERR_CFI1_LOW), B(IMR_ERR_CFI1_HIGH), B(IMR_ERR_CFI1_CLEAR) },
};

static void log_and_clear(struct drv_dev *dev, const struct error *e)
{
	u32 lo = drv_rd32(dev, e->log);

	if (e->log2)
		drv_err(dev, IRQ, "%s, log 0x%08x 0x%08x", e->what, lo, drv_rd32(dev, e->log2));
	else
		drv_err(dev, IRQ, "%s, log 0x%08x", e->what, lo);
	drv_wr32(dev, e->clear, 1);
}

#define MAILBOX_DCT	  2u /* SRC: P 2.6 */
#define MAILBOX(fld, val) REG_PREP(BF(PCODE_MAILBOX_STATUS, fld), val)

/* The firmware does as asked: the power unit is told.  SRC: P 2.6: percent of 128, rounded */
static void dct_done(struct drv_dev *dev, u32 percent)
{
	u32 part = (percent * 128 + 50) / 100;

	drv_wr32(dev, B(PCODE_MAILBOX_STATUS),
		 MAILBOX(CMD, MAILBOX_DCT) | MAILBOX(PARAM1, percent != 0) | MAILBOX(PARAM2, part));
}

/* The power unit wants duty cycling on or off. */
static void survivability(struct drv_dev *dev)
{
	u32 request = drv_rd32(dev, B(PCODE_MAILBOX_SHADOW));
	u32 cmd = reg_fld_get(request, BF(PCODE_MAILBOX_SHADOW, CMD));
	u32 on = reg_fld_get(request, BF(PCODE_MAILBOX_SHADOW, PARAM1));

	if (cmd != MAILBOX_DCT || on > 1) {
		drv_err(dev, PM, "mailbox request 0x%08x: expected command %u with 0 or 1", request,
			MAILBOX_DCT);
		return;
	}
	drv_dct_request(dev, on, dct_done);
}

/* Source first, then the status, then what takes longer. */
static int btrs_irq(struct drv_dev *dev, u32 stat)
{
	int ret = 0;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(errors); i++) {
		if (!(stat & errors[i].bit))
			continue;
		log_and_clear(dev, &errors[i]);
		ret = -EIO;
	}
	drv_wr32(dev, B(INTERRUPT_STAT), stat);
	if (!ret && reg_fld_test(stat, BF(INTERRUPT_STAT, SURV_ERR)))
		survivability(dev);
	return ret;
}

static void boot_params(struct drv_dev *dev, struct abi_boot_params *bp)
{
	bp->punit_telemetry_sram_base = drv_rd32(dev, B(VPU_TELEMETRY_OFFSET));
	bp->punit_telemetry_sram_size = drv_rd32(dev, B(VPU_TELEMETRY_SIZE));
	bp->vpu_telemetry_enable = drv_rd32(dev, B(VPU_TELEMETRY_ENABLE));
}

const struct drv_gen_ops drv_lnl_ops = {
	.probe = probe,
	.btrs_irq = btrs_irq,
	.boot_params = boot_params,
	DRV_VPU_OPS,
};

const struct drv_layout drv_40xx_regs = {
	.int_stat = IO(B(INTERRUPT_STAT)),
	.int_global_mask = IO(B(GLOBAL_INT_MASK)),
	.icb_status = IO(V(HOST_SS_ICB_STATUS_0)),
	.icb_clear = IO(V(HOST_SS_ICB_CLEAR_0)),
	.fifo_stat = IO(V(HOST_SS_TIM_IPC_FIFO_STAT)),
	.fifo_pop = IO(V(HOST_SS_TIM_IPC_FIFO_ATM)),
	.fifo_push = IO(V(CPU_SS_TIM_IPC_FIFO)),
	.doorbell = IO(V(CPU_SS_DOORBELL)),
	.doorbell_stride = REG_IP_40XX_CPU_SS_DOORBELL_STRIDE,
	.vpu_status = B(VPU_STATUS),
	.pll_ratio = B(PLL_FREQ),
	.perf_counter = V(CPU_SS_TIM_PERF_EXT_FREE_CNT),
};
