/* SPDX-License-Identifier: MIT */
/*
 * Register access.  The only way from the driver to a register: traced, and through the seam.
 *
 * A register is one number: BAR in bits 31:28, offset below.  0 stands for "no such register".
 */
#ifndef DRIVER_MMIO_H
#define DRIVER_MMIO_H

#include "driver/dev.h"
#include "regs/regs.h"

#define DRV_REG(blk, name) ((u32)REG_BAR_##blk << 28 | (u32)REG_##blk##_##name)
#define DRV_REG_BAR(reg)   ((reg) >> 28)
#define DRV_REG_OFF(reg)   ((reg)&0x0fffffffu)

#define DRV_IO(reg) ((struct drv_io){ .bar = DRV_REG_BAR(reg), .off = DRV_REG_OFF(reg) })

#define DRV_ALL_ONES 0xffffffffu

/* Untraced, for submission and interrupt: their accesses are always the same, the records of jobs
 * and interrupts tell of them. */
static inline u32 drv_io_rd32(struct drv_dev *dev, struct drv_io io)
{
	return dev->ops->rd32(dev->os, io.bar, io.off);
}

static inline void drv_io_wr32(struct drv_dev *dev, struct drv_io io, u32 val)
{
	dev->ops->wr32(dev->os, io.bar, io.off, val);
}

static inline u32 drv_rd32(struct drv_dev *dev, u32 reg)
{
	u32 val = dev->ops->rd32(dev->os, DRV_REG_BAR(reg), DRV_REG_OFF(reg));

	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_RD, reg, val);
	return val;
}

static inline void drv_wr32(struct drv_dev *dev, u32 reg, u32 val)
{
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_WR, reg, val);
	dev->ops->wr32(dev->os, DRV_REG_BAR(reg), DRV_REG_OFF(reg), val);
}

static inline u64 drv_rd64(struct drv_dev *dev, u32 reg)
{
	u64 val = dev->ops->rd64(dev->os, DRV_REG_BAR(reg), DRV_REG_OFF(reg));

	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_RD, reg, val);
	return val;
}

static inline void drv_wr64(struct drv_dev *dev, u32 reg, u64 val)
{
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_WR, reg, val);
	dev->ops->wr64(dev->os, DRV_REG_BAR(reg), DRV_REG_OFF(reg), val);
}

static inline u64 drv_clock(struct drv_dev *dev)
{
	dev->now_ns = dev->ops->now_ns(dev->os);
	return dev->now_ns;
}

/** drv_reg_name() - "VPU_STATUS (BAR4+0x44)" into @buf; returns @buf. */
const char *drv_reg_name(const struct drv_dev *dev, u32 reg, char *buf, size_t size);

#endif
