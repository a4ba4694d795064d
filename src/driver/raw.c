// SPDX-License-Identifier: MIT
/* The device for who is trusted with it as it is: its registers, and memory it can reach. */
#include <errno.h>

#include "driver/dev.h"

int drv_window(const struct drv_dev *dev, u32 bar, struct os_bar *out)
{
	if (bar >= REG_NR_BARS || !(dev->bars_mapped & BASE_BIT(bar)))
		return -ENODEV;
	return dev->ops->bar_info(dev->os, bar, out);
}

bool drv_window_writable(const struct drv_dev *dev)
{
	return dev->state == DRV_CREATED || dev->state == DRV_STOPPED || dev->state == DRV_FAILED;
}

int drv_window_ready(struct drv_dev *dev)
{
	switch (dev->state) {
	case DRV_SUSPENDED:
	case DRV_SUSPENDING:
		if (dev->pm.system)
			return -EBUSY;
		drv_pm_get(dev);
		return -EAGAIN;
	case DRV_RESUMING:
		return -EAGAIN;
	case DRV_CREATED:
	case DRV_BOOTING:
	case DRV_READY:
	case DRV_STOPPING:
	case DRV_STOPPED:
	case DRV_FAILED:
	case DRV_RECOVERING:
		break;
	}
	return dev->powered ? 0 : -ENODEV;
}

u64 drv_window_read(struct drv_dev *dev, u32 bar, u32 off, u32 size)
{
	return dev->ops->bar_rd(dev->os, bar, off, size);
}

void drv_window_write(struct drv_dev *dev, u32 bar, u32 off, u32 size, u64 val)
{
	dev->ops->bar_wr(dev->os, bar, off, size, val);
}

int drv_dma_alloc(struct drv_dev *dev, u64 size, u64 align, struct os_dma *out)
{
	return dev->ops->dma_alloc(dev->os, size, align, OS_CACHE_WB, dev->gen->dma_bits,
				   OS_DMA_CONTIGUOUS | OS_DMA_SHARED, out);
}

void drv_dma_free(struct drv_dev *dev, struct os_dma *dma)
{
	dev->ops->dma_free(dev->os, dma);
}
