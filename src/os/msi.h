/* SPDX-License-Identifier: MIT */
/*
 * MSI of a device whose interrupts the seam itself delivers: one vector.
 *
 * All accesses go through the configuration space of the seam (os->ops->cfg_rd, cfg_wr).
 * SRC: PCI Local Bus 3.0, 6.7 (capability list), 6.8.1 (MSI capability).
 */
#ifndef OS_MSI_H
#define OS_MSI_H

#include "driver/os.h"

struct os_msi {
	u32 cap;  /* offset of the capability; 0: not found yet */
	u32 ctrl; /* message control, as found */
};

/**
 * os_msi_find() - the capability, and its control word.
 * Returns 0, -ENODEV without one, or what the configuration space answered.
 */
int os_msi_find(struct os_device *os, struct os_msi *out) __attribute__((warn_unused_result));

/** os_msi_enable() - writes address and data, then sets the enable bit.  After os_msi_find(). */
int os_msi_enable(struct os_device *os, const struct os_msi *msi)
	__attribute__((warn_unused_result));

/** os_msi_disable() - clears the enable bit; nothing where none was found. */
int os_msi_disable(struct os_device *os, const struct os_msi *msi)
	__attribute__((warn_unused_result));

#endif
