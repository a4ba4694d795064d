/* SPDX-License-Identifier: MIT */
/* What a reset of the function takes from its configuration space, and who puts it back: we do. */
#ifndef OS_REDOX_HEADER_H
#define OS_REDOX_HEADER_H

#include "driver/os.h"
#include "regs/pci.h"

struct rx_header {
	u32 dword[PCI_HEADER_SIZE / 4]; /* as found */
	u32 pcie_cap;			/* offset of the capability; 0 = none */
	u32 pm_cap;
};

/** rx_header_save() - 0 or what the configuration space answered */
int rx_header_save(struct rx_header *hdr, struct os_device *os) BASE_WARN_UNUSED;
/** rx_header_restore() - BARs and what else is written in a header.  Nothing when nothing is lost. */
int rx_header_restore(const struct rx_header *hdr, struct os_device *os) BASE_WARN_UNUSED;
/** rx_function_reset() - function-level reset, 100 ms, and the header again; -EOPNOTSUPP. */
int rx_function_reset(const struct rx_header *hdr, struct os_device *os) BASE_WARN_UNUSED;

#endif
