// SPDX-License-Identifier: MIT
#include "driver/cap.h"

#define MAX_CAPS 48u /* that fit: a list with more goes round in circles */

int drv_find_cap(struct os_device *os, enum pci_cap id, u32 *out)
{
	u32 status = 0, ptr = 0, cap = 0;
	int ret = os->ops->cfg_rd(os, PCI_STATUS, 2, &status);

	*out = 0;
	if (ret || !(status & PCI_STATUS_CAPS))
		return ret;
	ret = os->ops->cfg_rd(os, PCI_CAP_PTR, 1, &ptr);
	for (u32 i = 0; !ret && i < MAX_CAPS && ptr >= PCI_HEADER_SIZE; i++) {
		ptr &= 0xfc;
		ret = os->ops->cfg_rd(os, ptr, 2, &cap);
		if (!ret && (cap & 0xff) == id) {
			*out = ptr;
			return 0;
		}
		ptr = cap >> 8;
	}
	return ret;
}
