/* SPDX-License-Identifier: MIT */
/* The capability list of a PCI function. */
#ifndef DRIVER_CAP_H
#define DRIVER_CAP_H

#include "driver/os.h"
#include "regs/pci.h"

/**
 * drv_find_cap() - where the first capability @id begins in configuration space; 0 = there is none
 * Return: 0, or what the configuration space answered.
 */
int drv_find_cap(struct os_device *os, enum pci_cap id, u32 *out) BASE_WARN_UNUSED;

#endif
