// SPDX-License-Identifier: MIT
/*
 * npu37: Meteor Lake, Arrow Lake.  37xx IP behind the MTL buttress.
 *
 * The sequences below are P 3.4, 3.6, 3.8, 3.9 and the buttress handshakes of P 2.4, one row per
 * access.  Numbers in the source column are the step numbers there.
 */
#include <errno.h>
#include <inttypes.h>

#include "driver/gen/rows.h"

#define B(name)	     DRV_REG(BTRS_MTL, name)
#define V(name)	     DRV_REG(IP_37XX, name)
#define BF(reg, fld) REG_BTRS_MTL_##reg##__##fld
#define VF(reg, fld) REG_IP_37XX_##reg##__##fld

/* Both tiles on, PLL ratio code 4:3; 0 turns the workpoint off.  SRC: P 2.3 */
#define WP_CONFIG_ON 0x0202
#define WP_EPP	     0x80

/* TOP_NOC, DSS, MSS; SRC: P 3.4 #8 */
#define CLK_RST_MASK                                                                               \
	(REG_MASK(VF(HOST_SS_CPR_CLK_SET, TOP_NOC)) | REG_MASK(VF(HOST_SS_CPR_CLK_SET, DSS_MAS)) | \
	 REG_MASK(VF(HOST_SS_CPR_CLK_SET, MSS_MAS)))

/* clang-format off */
#define TOP_NOC_BITS(reg) \
	(REG_MASK(VF(reg, CPU_CTRL)) | REG_MASK(VF(reg, HOSTIF_L2CACHE)))
/* SRC: P 3.6 #2: TBU0 and TBU2, read and write */
#define SSIDV_BITS \
	(REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU0_AWMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU0_ARMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU2_AWMMUSSIDV)) | \
	 REG_MASK(VF(HOST_IF_TBU_MMUSSIDV, TBU2_ARMMUSSIDV)))
#define PTW_NOSNOOP_BITS \
	(REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, NOSNOOP_OVERRIDE_EN)) | \
	 REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, AW_NOSNOOP_OVERRIDE)) | \
	 REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, AR_NOSNOOP_OVERRIDE)))
#define PTW_NOSNOOP_VAL \
	(REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, NOSNOOP_OVERRIDE_EN)) | \
	 REG_MASK(VF(HOST_IF_TCU_PTW_OVERRIDES, AR_NOSNOOP_OVERRIDE)))
#define RT_VEC_INIT \
	(REG_MASK(VF(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RSTRUN0)) | \
	 REG_MASK(VF(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RSTVEC)))
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
	       REG_PREP(BF(WP_REQ_PAYLOAD1, EPP), WP_EPP);
}

static u64 wp_target_off(const struct drv_dev *dev)
{
	(void)dev;
	return REG_PREP(BF(WP_REQ_PAYLOAD1, EPP), WP_EPP);
}

static u64 entry_reg_done(const struct drv_dev *dev)
{
	return drv_gen_entry(dev) | REG_MASK(VF(HOST_SS_LOADING_ADDRESS_LO, DONE));
}

/* clang-format off */
/* Workpoint request.  SRC: P 2.4 */
#define WP(p, g, target, config, on, src) \
	POLL_B(p, g, WP_REQ_CMD, SEND, 0, wp, src ", P 2.4 wp #1"), \
	DYN_B(p, g, WP_REQ_PAYLOAD0, wp_ratios, src ", P 2.4 wp #2"), \
	DYN_B(p, g, WP_REQ_PAYLOAD1, target, src ", P 2.4 wp #2"), \
	SET_B(p, g, WP_REQ_PAYLOAD2, CONFIG, config, src ", P 2.4 wp #2"), \
	SET_B(p, g, WP_REQ_CMD, SEND, 1, src ", P 2.4 wp #3"), \
	POLL_B(p, g, WP_REQ_CMD, SEND, 0, wp, src ", P 2.4 wp #4"), \
	POLL_B(p, g, PLL_STATUS, LOCK, on, wp, src ", P 2.4 wp #5"), \
	POLL_B(p, g, VPU_STATUS, READY, on, wp, src ", P 2.4 wp #6")

#define D0I3(g, val, src) \
	POLL_B(WARN, g, VPU_D0I3_CONTROL, INPROGRESS, 0, d0i3, src ", P 2.4 d0i3"), \
	SET_B(WARN, g, VPU_D0I3_CONTROL, I3, val, src ", P 2.4 d0i3"), \
	POLL_B(WARN, g, VPU_D0I3_CONTROL, INPROGRESS, 0, d0i3, src ", P 2.4 d0i3")

static const struct drv_step power_up_steps[] = {
	WP(WARN, 1, wp_target_off, 0, 0, "P 3.4 #1"),
	D0I3(2, 0, "P 3.4 #2"),
	WP(FATAL, 0, wp_target_on, WP_CONFIG_ON, 1, "P 3.4 #3"),
	POLL_V(HOST_SS_CPR_RST_CLR, AON, 0, rst_clr, "P 3.4 #7"),
	{ ROW(WRITE, FATAL, 0, "write HOST_SS_CPR_RST_CLR = TOP_NOC, DSS, MSS", "P 3.4 #8"),
	  .reg = V(HOST_SS_CPR_RST_CLR), .value = CLK_RST_MASK },
	CHECK_V(HOST_SS_NOC_QREQN, REG_MASK(VF(HOST_SS_NOC_QREQN, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #9"),
	CHECK_V(HOST_SS_NOC_QACCEPTN, REG_MASK(VF(HOST_SS_NOC_QACCEPTN, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #10"),
	CHECK_V(HOST_SS_NOC_QDENY, REG_MASK(VF(HOST_SS_NOC_QDENY, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #11"),
	SET_V(HOST_SS_AON_VPU_IDLE_GEN, EN, 0, "P 3.4 #12"),
	SET_V(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0, MSS_CPU, 1, "P 3.4 #15"),
	{ ROW(DELAY, FATAL, 0, "wait 500 ns for the trickle supply", "P 3.4 #15"), .delay_ns = 500 },
	SET_V(HOST_SS_AON_PWR_ISLAND_EN0, MSS_CPU, 1, "P 3.4 #16"),
	POLL_V(HOST_SS_AON_PWR_ISLAND_STATUS0, MSS_CPU, 1, pwr_island, "P 3.4 #17"),
	CHECK_V(TOP_NOC_QREQN, TOP_NOC_BITS(TOP_NOC_QREQN), 0, "== 0", "P 3.4 #18"),
	BITS_V(HOST_SS_CPR_CLK_SET, CLK_RST_MASK, CLK_RST_MASK, "TOP_NOC, DSS, MSS", "P 3.4 #19"),
	SET_V(HOST_SS_AON_PWR_ISO_EN0, MSS_CPU, 0, "P 3.4 #20"),
	BITS_V(HOST_SS_CPR_RST_SET, CLK_RST_MASK, CLK_RST_MASK, "TOP_NOC, DSS, MSS", "P 3.4 #21"),
	SET_V(HOST_SS_AON_DPU_ACTIVE, DPU_ACTIVE, 1, "P 3.4 #22"),
	SET_V(HOST_SS_NOC_QREQN, TOP_SOCMMIO, 1, "P 3.4 #23"),
	CHECK_V(HOST_SS_NOC_QACCEPTN, REG_MASK(VF(HOST_SS_NOC_QACCEPTN, TOP_SOCMMIO)),
		REG_MASK(VF(HOST_SS_NOC_QACCEPTN, TOP_SOCMMIO)), "== 1", "P 3.4 #24"),
	CHECK_V(HOST_SS_NOC_QDENY, REG_MASK(VF(HOST_SS_NOC_QDENY, TOP_SOCMMIO)), 0, "== 0", "P 3.4 #24"),
	BITS_V(TOP_NOC_QREQN, TOP_NOC_BITS(TOP_NOC_QREQN), TOP_NOC_BITS(TOP_NOC_QREQN),
	       "CPU_CTRL, HOSTIF_L2CACHE = 1", "P 3.4 #26"),
	CHECK_V(TOP_NOC_QACCEPTN, TOP_NOC_BITS(TOP_NOC_QACCEPTN), TOP_NOC_BITS(TOP_NOC_QACCEPTN),
		"CPU_CTRL, HOSTIF_L2CACHE == 1", "P 3.4 #27"),
	CHECK_V(TOP_NOC_QDENY, TOP_NOC_BITS(TOP_NOC_QDENY), 0, "== 0", "P 3.4 #27"),
};

static const struct drv_step boot_steps[] = {
	{ ROW(CALL, FATAL, 0, "copy the firmware image", "P 4.6"), .when = drv_pm_is_cold, .call = drv_boot_load_fw },
	CALL(drv_boot_fill_params, "fill the boot parameters", "P 5.1"),
	BITS_V(HOST_IF_TCU_PTW_OVERRIDES, PTW_NOSNOOP_BITS, PTW_NOSNOOP_VAL,
	       "NOSNOOP_EN = 1, AW = 0, AR = 1", "P 3.6 #1"),
	BITS_V(HOST_IF_TBU_MMUSSIDV, SSIDV_BITS, SSIDV_BITS, "TBU0, TBU2 = 1", "P 3.6 #2"),
	BITS_V(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, RT_VEC_INIT,
	       REG_MASK(VF(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RSTRUN0)), "RSTRUN0 = 1, RSTVEC = 0", "P 3.6 #3"),
	SET_V(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RESUME0, 1, "P 3.6 #4"),
	SET_V(CPU_SS_MSSCPU_CPR_LEON_RT_VEC, IRQI_RESUME0, 0, "P 3.6 #5"),
	{ ROW(WRITE, FATAL, 0, "write HOST_SS_LOADING_ADDRESS_LO = entry", "P 3.6 #6"),
	  .reg = V(HOST_SS_LOADING_ADDRESS_LO), .dyn = drv_gen_entry },
	{ ROW(WRITE, FATAL, 0, "write HOST_SS_LOADING_ADDRESS_LO = entry, DONE", "P 3.6 #7"),
	  .reg = V(HOST_SS_LOADING_ADDRESS_LO), .dyn = entry_reg_done },
	{ ROW(CALL, FATAL, 0, "wait for the ready message", "P 3.6 #8"),
	  .call = drv_boot_wait_ready, DRV_LIMIT_MS(boot) },
	IRQ_ON_ROWS,
};

/* Every step only warns: the shutdown of a dead device goes to its end. */
static const struct drv_step power_down_steps[] = {
	IRQ_OFF_ROWS("P 11.1 #5"),
	{ ROW(CALL, WARN, 0, "read the performance counter", "P 3.9 #2"),
	  .call = drv_boot_read_counter },
	/* a firmware that answers its last questions gets the time P 3.10 gives a suspend */
	{ ROW(POLL, WARN, 0, "poll VPU_STATUS READY, IDLE == 1", "P 3.9 #3, P 3.10 suspend"),
	  .reg = B(VPU_STATUS), .mask = READY_IDLE, .value = READY_IDLE, DRV_LIMIT(idle) },
	POLL_B(WARN, 1, VPU_IP_RESET, TRIGGER, 0, ip_reset, "P 3.9 #4, P 2.4 ip_reset"),
	SET_B(WARN, 1, VPU_IP_RESET, TRIGGER, 1, "P 3.9 #4, P 2.4 ip_reset"),
	POLL_B(WARN, 1, VPU_IP_RESET, TRIGGER, 0, ip_reset, "P 3.9 #4, P 2.4 ip_reset"),
	WP(WARN, 2, wp_target_off, 0, 0, "P 3.9 #5"),
	D0I3(3, 1, "P 3.9 #6"),
	{ ROW(DELAY, WARN, 3, "wait 5 us for D0i3", "P 2.4 d0i3"), .delay_ns = 5000 },
};

static const struct drv_step wdog_off_steps[] = { WDOG_OFF_ROWS };
static const struct drv_step suspend_steps[] = { SUSPEND_ROWS };
static const struct drv_step recover_steps[] = { RECOVER_ROWS };
/* clang-format on */

SEQ(power_up, power_up_steps);
SEQ(boot, boot_steps);
SEQ(power_down, power_down_steps);
SEQ(wdog_off, wdog_off_steps);
SEQ(suspend, suspend_steps);
SEQ(recover, recover_steps);

/*
 * Fuses and platform, P 2.3.
 * The interrupt-clear probe of P 2.3: steppings where INTERRUPT_STAT is not W1C read back 7.
 */
static int probe(struct drv_dev *dev)
{
	u32 fmin = drv_rd32(dev, B(FMIN_FUSE));
	u32 fmax = drv_rd32(dev, B(FMAX_FUSE));
	u32 status = drv_rd32(dev, B(LNL_VPU_STATUS));
	u32 all = REG_MASK(BF(INTERRUPT_STAT, FREQ_CHANGE)) |
		  REG_MASK(BF(INTERRUPT_STAT, ATS_ERR)) | REG_MASK(BF(INTERRUPT_STAT, UFI_ERR));

	if (fmin == DRV_ALL_ONES || fmax == DRV_ALL_ONES || status == DRV_ALL_ONES)
		return -ENODEV;
	dev->tile_fuse = 0; /* SRC: P 2.3 */
	dev->perf_clk_hz = 0;
	drv_gen_set_ratios(dev, reg_fld_get(fmin, BF(FMIN_FUSE, MIN_RATIO)),
			   reg_fld_get(fmin, BF(FMIN_FUSE, PN_RATIO)),
			   reg_fld_get(fmax, BF(FMAX_FUSE, MAX_RATIO)));
	drv_gen_check_platform(dev, reg_fld_get(status, BF(LNL_VPU_STATUS, PLATFORM)));
	drv_wr32(dev, B(INTERRUPT_STAT), all);
	dev->btrs_clear_with_0 = drv_rd32(dev, B(INTERRUPT_STAT)) == all;
	if (dev->btrs_clear_with_0)
		drv_wr32(dev, B(INTERRUPT_STAT), 0);
	return 0;
}

/* Source first, then the status; SRC: P 2.6 */
static int btrs_irq(struct drv_dev *dev, u32 stat)
{
	int ret = 0;

	if (reg_fld_test(stat, BF(INTERRUPT_STAT, ATS_ERR))) {
		drv_err(dev, IRQ, "address translation error, log 0x%016" PRIx64,
			drv_rd64(dev, B(ATS_ERR_LOG)));
		drv_wr32(dev, B(ATS_ERR_CLEAR), 1);
		ret = -EIO;
	}
	if (reg_fld_test(stat, BF(INTERRUPT_STAT, UFI_ERR))) {
		u32 log = drv_rd32(dev, B(UFI_ERR_LOG));

		drv_err(dev, IRQ, "fabric error, opcode 0x%x axi id 0x%x cq id 0x%x",
			reg_fld_get(log, BF(UFI_ERR_LOG, OPCODE)),
			reg_fld_get(log, BF(UFI_ERR_LOG, AXI_ID)),
			reg_fld_get(log, BF(UFI_ERR_LOG, CQ_ID)));
		drv_wr32(dev, B(UFI_ERR_CLEAR), 1);
		ret = -EIO;
	}
	drv_wr32(dev, B(INTERRUPT_STAT), dev->btrs_clear_with_0 ? 0 : stat);
	return ret;
}

static void boot_params(struct drv_dev *dev, struct abi_boot_params *bp)
{
	bp->punit_telemetry_sram_base = drv_rd32(dev, B(VPU_TELEMETRY_OFFSET));
	bp->punit_telemetry_sram_size = drv_rd32(dev, B(VPU_TELEMETRY_SIZE));
	bp->vpu_telemetry_enable = drv_rd32(dev, B(VPU_TELEMETRY_ENABLE));
}

static const struct drv_gen_ops ops = {
	.probe = probe,
	.btrs_irq = btrs_irq,
	.boot_params = boot_params,
	DRV_VPU_OPS,
};

/* Names older packages used; SRC: design section 8 */
static const char *const fw_extra[] = { "intel/vpu/mtl_vpu.bin", "intel/vpu/intel_vpu.bin", NULL };

static const struct drv_layout regs = {
	.int_stat = IO(B(INTERRUPT_STAT)),
	.int_global_mask = IO(B(GLOBAL_INT_MASK)),
	.icb_status = IO(V(HOST_SS_ICB_STATUS_0)),
	.icb_clear = IO(V(HOST_SS_ICB_CLEAR_0)),
	.fifo_stat = IO(V(HOST_SS_TIM_IPC_FIFO_STAT)),
	.fifo_pop = IO(V(HOST_SS_TIM_IPC_FIFO_ATM)),
	.fifo_push = IO(V(CPU_SS_TIM_IPC_FIFO)),
	.doorbell = IO(V(CPU_SS_DOORBELL)),
	.doorbell_stride = REG_IP_37XX_CPU_SS_DOORBELL_STRIDE,
	.vpu_status = B(VPU_STATUS),
	.pll_ratio = B(CURRENT_PLL),
	.perf_counter = V(CPU_SS_TIM_PERF_FREE_CNT),
};

const struct drv_gen_info drv_gen_npu37 = {
	.gen = &reg_gen_npu37,
	.regs = &regs,
	.fw_extra = fw_extra,
	.seqs = {
		[DRV_SEQ_POWER_UP] = &power_up,
		[DRV_SEQ_MMU] = &drv_seq_mmu,
		[DRV_SEQ_BOOT] = &boot,
		[DRV_SEQ_CONFIGURE] = &drv_seq_configure,
		[DRV_SEQ_POWER_DOWN] = &power_down,
		[DRV_SEQ_WDOG_OFF] = &wdog_off,
		[DRV_SEQ_SUSPEND] = &suspend,
		[DRV_SEQ_RECOVER] = &recover,
	},
	.ops = &ops,
};
