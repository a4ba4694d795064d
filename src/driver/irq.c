// SPDX-License-Identifier: MIT
/*
 * The interrupt.  Order of accesses: P 2.6 (buttress), P 3.7 (IP).
 *
 * VPU_STATUS is read only when the buttress has something: its value matters in no other case.
 * The unmask at the end makes the device send another message if anything is still pending.
 */
#include <errno.h>

#include "driver/mmio.h"

#define ICB(fld) REG_MASK(REG_IP_37XX_HOST_SS_ICB_STATUS_0__##fld)
#define IDLE_BIT REG_MASK(REG_BTRS_MTL_VPU_STATUS__IDLE)

static void watchdog(struct drv_dev *dev, const char *which, bool disable)
{
	if (disable && drv_seq_run_now(dev, dev->seqs[DRV_SEQ_WDOG_OFF]))
		drv_warn(dev, IRQ, "switching the watchdog off failed");
	drv_fail(dev, -EIO, "the firmware's %s watchdog fired: the firmware hangs", which);
}

static void ip_rare(struct drv_dev *dev, u32 stat)
{
	if (stat & ICB(MMU_IRQ_1_INT))
		drv_dbg(dev, IRQ, "MMU command sync");
	if (stat & ICB(MMU_IRQ_2_INT))
		drv_mmu_gerror(dev);
	if (stat & ICB(CPU_INT_REDIRECT_0_INT))
		watchdog(dev, "MSS", true);
	if (stat & ICB(CPU_INT_REDIRECT_1_INT))
		watchdog(dev, "NCE", false);
	if (stat & ICB(NOC_FIREWALL_INT))
		dev->firewall_irqs++;
}

/* The clear precedes the work, so that what comes meanwhile is seen (P 3.7). */
static int ip_irq(struct drv_dev *dev, u32 btrs_stat)
{
	u32 raw = drv_io_rd32(dev, dev->regs.icb_status);
	u32 stat = raw & dev->icb_irq_mask;
	int ret = 0;

	/* a message arrived and nothing else: what it says is traced, that is enough */
	if (raw != ICB(HOST_IPC_FIFO_INT) || btrs_stat)
		drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_IRQ, btrs_stat, raw);
	if (raw == DRV_ALL_ONES)
		return -ENODEV;
	if (!stat)
		return 0;
	drv_io_wr32(dev, dev->regs.icb_clear, stat);
	if (BASE_UNLIKELY(stat & ICB(MMU_IRQ_0_INT)))
		drv_mmu_events(dev);
	if (stat & ICB(HOST_IPC_FIFO_INT))
		ret = drv_ipc_drain(dev);
	if (BASE_LIKELY(stat == ICB(HOST_IPC_FIFO_INT) && ret <= 0))
		return ret;
	if (ret == DRV_IPC_READY)
		drv_fail(dev, -EPROTO,
			 "the firmware restarted by itself: it sent the ready "
			 "message again");
	ip_rare(dev, stat);
	return base_min(ret, 0);
}

/* The buttress has something, which is rare; true when the IP has too. */
static __attribute__((cold)) bool btrs_irq(struct drv_dev *dev, u32 stat)
{
	int ret = dev->info->ops->btrs_irq(dev, stat);

	if (ret < 0) {
		drv_fail(dev, ret, "the buttress reported an error: INTERRUPT_STAT 0x%x", stat);
		return false;
	}
	return ret != DRV_IRQ_DONE && !(drv_rd32(dev, dev->regs.vpu_status) & IDLE_BIT);
}

static int handle(struct drv_dev *dev)
{
	u32 stat = drv_io_rd32(dev, dev->regs.int_stat);

	if (stat == DRV_ALL_ONES)
		return -ENODEV;
	stat &= dev->btrs_irq_mask;
	if (BASE_UNLIKELY(stat != 0) && !btrs_irq(dev, stat))
		return 0;
	return ip_irq(dev, stat);
}

void drv_irq_handle(struct drv_dev *dev)
{
	int ret;

	dev->irqs++;
	drv_io_wr32(dev, dev->regs.int_global_mask, 1);
	ret = handle(dev);
	if (ret)
		drv_fail(dev, ret, "a register read all-ones in the interrupt: the device is gone");
	if (BASE_LIKELY(drv_listens(dev)))
		drv_io_wr32(dev, dev->regs.int_global_mask, 0);
}
