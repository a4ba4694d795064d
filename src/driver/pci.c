// SPDX-License-Identifier: MIT
/*
 * The PCI function: which device it is, its BARs, power state, bus mastering.
 * SRC: P 1, regs/pci.h.
 */
#include <errno.h>

#include "driver/cap.h"
#include "driver/dev.h"

/* The original design's Lunar Lake id; no such NPU is known (design section 3).  Who forces it gets
 * what that design meant. */
#define PCI_DEVICE_NOT_AN_NPU 0x6447
#define PCI_DEVICE_MEANT      0x643e

static int rd(struct drv_dev *dev, u32 off, u32 size, u32 *val, struct base_err *err)
{
	int ret = dev->ops->cfg_rd(dev->os, off, size, val);

	if (ret)
		return base_err_set(err, ret, "%s: reading configuration space at 0x%x failed: %s",
				    dev->os->location, off, base_err_name(ret));
	return 0;
}

/* Bit per BAR.  What cannot be asked is found out when it is mapped. */
static u32 bars_there(struct drv_dev *dev)
{
	struct os_bar info;
	u32 bars = 0;

	for (u32 bar = 0; bar < REG_NR_BARS; bar++)
		if (!dev->ops->bar_info(dev->os, bar, &info) && info.size)
			bars |= BASE_BIT(bar);
	return bars;
}

static int match(struct drv_dev *dev, u32 class_code, struct base_err *err)
{
	dev->gen =
		reg_gen_by_function(dev->vendor_id, dev->device_id, bars_there(dev), &dev->product);
	if (dev->vendor_id == REG_PCI_VENDOR_INTEL && dev->device_id == PCI_DEVICE_NOT_AN_NPU) {
		if (!dev->cfg.force_id)
			return base_err_set(
				err, -ENODEV,
				"%s: 8086:6447 is not known to be an NPU (Lunar Lake is "
				"8086:643e); force the id if you know better",
				dev->os->location);
		dev->gen = reg_gen_by_pci(dev->vendor_id, PCI_DEVICE_MEANT, &dev->product);
	}
	if (!dev->gen)
		return base_err_set(err, -ENODEV, "%s: %04x:%04x is not an NPU this driver runs",
				    dev->os->location, dev->vendor_id, dev->device_id);
	if (class_code != REG_PCI_CLASS_NPU && !dev->cfg.force_id)
		return base_err_set(err, -ENODEV, "%s: %04x:%04x has class 0x%06x, expected 0x%06x",
				    dev->os->location, dev->vendor_id, dev->device_id, class_code,
				    REG_PCI_CLASS_NPU);
	dev->info = drv_gen_find(dev->gen);
	if (!dev->info)
		return base_err_set(err, -ENODEV, "%s: no driver for generation %s",
				    dev->os->location, dev->gen->name);
	return 0;
}

static int identify(struct drv_dev *dev, struct base_err *err)
{
	u32 id, class_rev;
	int ret;

	ret = rd(dev, PCI_ID, 4, &id, err);
	if (ret)
		return ret;
	if (id == UINT32_MAX)
		return base_err_set(err, -ENODEV,
				    "%s: configuration space reads all-ones: no device there",
				    dev->os->location);
	ret = rd(dev, PCI_CLASS_REV, 4, &class_rev, err);
	if (ret)
		return ret;
	dev->vendor_id = (u16)id;
	dev->device_id = (u16)(id >> 16);
	dev->revision = (u8)class_rev;
	return match(dev, class_rev >> 8, err);
}

static int find_pm_cap(struct drv_dev *dev, struct base_err *err)
{
	u32 cap;
	int ret = drv_find_cap(dev->os, PCI_CAP_PM, &cap);

	if (ret)
		return base_err_set(err, ret, "%s: reading the capability list failed: %s",
				    dev->os->location, base_err_name(ret));
	dev->pm_cap = (u16)cap;
	return 0;
}

static int map_bar(struct drv_dev *dev, u32 bar, struct base_err *err)
{
	u64 need = dev->gen->bar_size[bar];
	struct os_bar info;
	int ret;

	ret = dev->ops->bar_info(dev->os, bar, &info);
	if (ret)
		return base_err_set(err, ret, "%s: no information on BAR%u: %s", dev->os->location,
				    bar, base_err_name(ret));
	if (info.size < need)
		return base_err_set(err, -ENODEV, "%s: BAR%u has %llu bytes, %s needs %llu",
				    dev->os->location, bar, (unsigned long long)info.size,
				    dev->gen->name, (unsigned long long)need);
	ret = dev->ops->bar_map(dev->os, bar);
	if (ret)
		return base_err_set(err, ret, "%s: mapping BAR%u failed: %s", dev->os->location,
				    bar, base_err_name(ret));
	dev->bars_mapped |= BASE_BIT(bar);
	return 0;
}

/*
 * Whoever had the device before may have left it on, and power-up checks that it is off: the LNL
 * flavour's has no step that would see to it (P 3.4, trap 2).
 */
static int start_afresh(struct drv_dev *dev, struct base_err *err)
{
	int ret = dev->ops->reset(dev->os);

	if (ret && ret != -EOPNOTSUPP)
		return base_err_set(err, ret, "%s: resetting the function failed: %s",
				    dev->os->location, base_err_name(ret));
	return 0;
}

int drv_pci_probe(struct drv_dev *dev, struct base_err *err)
{
	int ret;

	ret = identify(dev, err);
	if (!ret)
		ret = start_afresh(dev, err);
	if (ret)
		return ret;
	ret = find_pm_cap(dev, err);
	if (ret)
		return ret;
	for (u32 bar = 0; bar < REG_NR_BARS; bar++) {
		if (!dev->gen->bar_size[bar])
			continue;
		ret = map_bar(dev, bar, err);
		if (ret)
			goto err_release;
	}
	ret = drv_pci_wake(dev, false);
	if (ret) {
		base_err_set(err, ret, "%s: waking the PCI function failed: %s", dev->os->location,
			     base_err_name(ret));
		goto err_release;
	}
	return 0;

err_release:
	drv_pci_release(dev);
	return ret;
}

void drv_pci_release(struct drv_dev *dev)
{
	for (u32 bar = 0; bar < REG_NR_BARS; bar++)
		if (dev->bars_mapped & BASE_BIT(bar))
			dev->ops->bar_unmap(dev->os, bar);
	dev->bars_mapped = 0;
}

static int set_power(struct drv_dev *dev, u32 state)
{
	u32 off = dev->pm_cap + PCI_PM_CTRL;
	u32 ctrl;
	int ret;

	if (!dev->pm_cap)
		return 0;
	ret = dev->ops->cfg_rd(dev->os, off, 2, &ctrl);
	if (ret || (ctrl & PCI_PM_STATE_MASK) == state)
		return ret;
	return dev->ops->cfg_wr(dev->os, off, 2, (ctrl & ~(u32)PCI_PM_STATE_MASK) | state);
}

static int set_command(struct drv_dev *dev, u32 clear, u32 set)
{
	u32 cmd;
	int ret = dev->ops->cfg_rd(dev->os, PCI_COMMAND, 2, &cmd);

	if (ret)
		return ret;
	return dev->ops->cfg_wr(dev->os, PCI_COMMAND, 2, (cmd & ~clear) | set);
}

int drv_pci_wake(struct drv_dev *dev, bool master)
{
	int ret = set_power(dev, 0);

	if (ret)
		return ret;
	dev->dma_live |= master;
	return set_command(dev, 0,
			   PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_OFF |
				   (master ? PCI_COMMAND_MASTER : 0));
}

void drv_pci_quiet(struct drv_dev *dev)
{
	dev->dma_live = false;
	/* Tried twice: memory is freed behind this, so one lost access must not leave DMA on. */
	for (u32 i = 0; i < 2; i++) {
		u32 cmd;
		int ret = set_command(dev, PCI_COMMAND_MASTER, 0);

		if (!ret)
			ret = dev->ops->cfg_rd(dev->os, PCI_COMMAND, 2, &cmd);
		if (!ret && !(cmd & PCI_COMMAND_MASTER))
			return;
	}
	drv_err(dev, PM, "%s: bus mastering could not be switched off", dev->os->location);
}

int drv_pci_cycle(struct drv_dev *dev)
{
	int ret;

	dev->ops->irq_teardown(dev->os);
	dev->irq_on = false;
	drv_pci_quiet(dev);
	drv_pci_sleep(dev);
	ret = drv_pci_wake(dev, true);
	if (!ret)
		ret = dev->ops->irq_setup(dev->os);
	dev->irq_on = !ret;
	return ret;
}

void drv_pci_sleep(struct drv_dev *dev)
{
	int ret = set_power(dev, PCI_PM_D3HOT);

	if (ret)
		drv_warn(dev, PM, "%s: D3hot failed: %s", dev->os->location, base_err_name(ret));
}
