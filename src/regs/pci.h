/* SPDX-License-Identifier: MIT */
/*
 * Configuration space of a PCI function with a type 0 header.
 * SRC: PCI local bus 3.0, 6.1 (header), 6.7 (capability list); PCI power management 1.2, 3.2; PCI
 * Express base 4.0, 7.5.3.
 */
#ifndef REGS_PCI_H
#define REGS_PCI_H

enum pci_header {
	PCI_ID = 0x00,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_CLASS_REV = 0x08,
	PCI_LATENCY = 0x0c,
	PCI_BAR0 = 0x10,
	PCI_BAR_END = 0x28,
	PCI_CAP_PTR = 0x34,
	PCI_LINE = 0x3c,
	PCI_HEADER_SIZE = 0x40,
};

enum pci_command {
	PCI_COMMAND_MEMORY = 1u << 1,
	PCI_COMMAND_MASTER = 1u << 2,
	PCI_COMMAND_INTX_OFF = 1u << 10,
};

enum pci_status { PCI_STATUS_CAPS = 1u << 4 };

enum pci_cap { /* of a capability list */
	       PCI_CAP_PM = 0x01,
	       PCI_CAP_MSI = 0x05,
	       PCI_CAP_EXPRESS = 0x10,
};

enum pci_pm { /* from its capability */
	      PCI_PM_CTRL = 4,
	      PCI_PM_STATE_MASK = 3,
	      PCI_PM_D3HOT = 3,
};

#endif
