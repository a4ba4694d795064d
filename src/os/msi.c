// SPDX-License-Identifier: MIT
#include "os/msi.h"

#include <errno.h>

#include "driver/cap.h"

enum { MSI_CTRL = 2, MSI_ADDR = 4, MSI_CTRL_EN = 1u << 0, MSI_CTRL_64 = 1u << 7 };

/* Where the message would go on a PC: local APIC 0, a fixed vector.  The device only keeps it. */
#define MSI_MSG_ADDR 0xfee00000u
#define MSI_MSG_DATA 0x41u

int os_msi_find(struct os_device *os, struct os_msi *out)
{
	int ret = drv_find_cap(os, PCI_CAP_MSI, &out->cap);

	if (ret || !out->cap)
		return ret ? ret : -ENODEV;
	return os->ops->cfg_rd(os, out->cap + MSI_CTRL, 2, &out->ctrl);
}

int os_msi_enable(struct os_device *os, const struct os_msi *msi)
{
	bool is_64bit = msi->ctrl & MSI_CTRL_64;
	int ret = os->ops->cfg_wr(os, msi->cap + MSI_ADDR, 4, MSI_MSG_ADDR);

	if (!ret && is_64bit)
		ret = os->ops->cfg_wr(os, msi->cap + MSI_ADDR + 4, 4, 0);
	if (!ret)
		ret = os->ops->cfg_wr(os, msi->cap + (is_64bit ? 12 : 8), 2, MSI_MSG_DATA);
	if (!ret)
		ret = os->ops->cfg_wr(os, msi->cap + MSI_CTRL, 2, msi->ctrl | MSI_CTRL_EN);
	return ret;
}

int os_msi_disable(struct os_device *os, const struct os_msi *msi)
{
	u32 ctrl = 0;
	int ret = msi->cap ? os->ops->cfg_rd(os, msi->cap + MSI_CTRL, 2, &ctrl) : 0;

	if (ret || !msi->cap)
		return ret;
	return os->ops->cfg_wr(os, msi->cap + MSI_CTRL, 2, ctrl & ~(u32)MSI_CTRL_EN);
}
