/* SPDX-License-Identifier: MIT */
/* What the library knows of hardware without touching any: ids, BARs, names of firmware files. */
#ifndef CLIENT_HW_H
#define CLIENT_HW_H

#include "regs/gen.h"

/**
 * client_hw_by_pci() - generation and product of a PCI function, NULL when it is no NPU known here
 * @id: may be NULL
 */
const struct reg_gen *client_hw_by_pci(u16 vendor, u16 device, const struct reg_pci_id **id);

#endif
