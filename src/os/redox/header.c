// SPDX-License-Identifier: MIT
/* SRC: regs/pci.h; PCI Express base 4.0, 6.6.2 (function-level reset). */
#include "os/redox/header.h"

#include <errno.h>

#include "driver/cap.h"

enum {
	PCIE_DEVCAP = 4,
	PCIE_DEVCAP_FLR = 1u << 28,
	PCIE_DEVCTL = 8,
	PCIE_DEVCTL_FLR = 1u << 15,
	PCIE_DEVSTA_PENDING = 1u << 21, /* in the same dword */
};

#define FLR_WAIT_MS  100u
#define STEP_NS	     (200 * BASE_NS_PER_US) /* the longest of os_ops.delay_ns */
#define STEPS_PER_MS 5u

static void delay_ms(struct os_device *os, u32 ms)
{
	for (u32 i = 0; i < ms * STEPS_PER_MS; i++)
		os->ops->delay_ns(os, STEP_NS);
}

int rx_header_save(struct rx_header *hdr, struct os_device *os)
{
	int ret = 0;

	*hdr = (struct rx_header){ .pm_cap = 0 };
	for (u32 i = 0; i < BASE_ARRAY_SIZE(hdr->dword) && !ret; i++)
		ret = os->ops->cfg_rd(os, i * 4, 4, &hdr->dword[i]);
	if (ret)
		return ret;
	ret = drv_find_cap(os, PCI_CAP_PM, &hdr->pm_cap);
	return ret ? ret : drv_find_cap(os, PCI_CAP_EXPRESS, &hdr->pcie_cap);
}

static int put_back(const struct rx_header *hdr, struct os_device *os, u32 off)
{
	return os->ops->cfg_wr(os, off, 4, hdr->dword[off / 4]);
}

int rx_header_restore(const struct rx_header *hdr, struct os_device *os)
{
	bool lost = false;
	int ret = 0;

	for (u32 off = PCI_BAR0; off < PCI_BAR_END && !ret; off += 4) {
		u32 val = 0;

		ret = os->ops->cfg_rd(os, off, 4, &val);
		lost |= val != hdr->dword[off / 4];
	}
	if (ret || !lost)
		return ret;
	ret = put_back(hdr, os, PCI_LATENCY);
	for (u32 off = PCI_BAR0; off < PCI_BAR_END && !ret; off += 4)
		ret = put_back(hdr, os, off);
	if (!ret)
		ret = put_back(hdr, os, PCI_LINE);
	/* the driver switches memory and bus mastering on when it wants them */
	return ret;
}

int rx_function_reset(const struct rx_header *hdr, struct os_device *os)
{
	u32 caps = 0, ctl = 0;
	int ret;

	if (!hdr->pcie_cap)
		return -EOPNOTSUPP;
	ret = os->ops->cfg_rd(os, hdr->pcie_cap + PCIE_DEVCAP, 4, &caps);
	if (!ret && !(caps & PCIE_DEVCAP_FLR))
		return -EOPNOTSUPP;
	for (u32 i = 0; !ret && i < FLR_WAIT_MS; i++) {
		ret = os->ops->cfg_rd(os, hdr->pcie_cap + PCIE_DEVCTL, 4, &ctl);
		if (ret || !(ctl & PCIE_DEVSTA_PENDING))
			break;
		delay_ms(os, 1);
	}
	if (!ret)
		ret = os->ops->cfg_wr(os, hdr->pcie_cap + PCIE_DEVCTL, 2,
				      (ctl & 0xffff) | PCIE_DEVCTL_FLR);
	if (ret)
		return ret;
	delay_ms(os, FLR_WAIT_MS);
	return rx_header_restore(hdr, os);
}
