// SPDX-License-Identifier: MIT
#include "os/msi.h"

#include <errno.h>

enum { PCI_STATUS = 0x06, PCI_CAP_PTR = 0x34, PCI_STATUS_CAPS = 1u << 4 };
enum { MSI_CAP = 0x05, MSI_CTRL = 2, MSI_ADDR = 4, MSI_CTRL_EN = 1u << 0, MSI_CTRL_64 = 1u << 7 };

#define CAPS_BEGIN 0x40u /* behind the header */
#define CAPS_MAX   48u	 /* that fit: a list with more goes round in circles */

/* Where the message would go on a PC: local APIC 0, a fixed vector.  The device only keeps it. */
#define MSI_MSG_ADDR 0xfee00000u
#define MSI_MSG_DATA 0x41u

int os_msi_find(struct os_device *os, struct os_msi *out)
{
	u32 status = 0, ptr = 0, cap = 0;
	int ret = os->ops->cfg_rd(os, PCI_STATUS, 2, &status);

	if (!ret && !(status & PCI_STATUS_CAPS))
		return -ENODEV;
	if (!ret)
		ret = os->ops->cfg_rd(os, PCI_CAP_PTR, 1, &ptr);
	for (u32 i = 0; !ret && i < CAPS_MAX && ptr >= CAPS_BEGIN; i++) {
		ptr &= 0xfc;
		ret = os->ops->cfg_rd(os, ptr, 2, &cap);
		if (!ret && (cap & 0xff) == MSI_CAP) {
			out->cap = ptr;
			return os->ops->cfg_rd(os, ptr + MSI_CTRL, 2, &out->ctrl);
		}
		ptr = cap >> 8;
	}
	return ret ? ret : -ENODEV;
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
