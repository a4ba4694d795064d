/* SPDX-License-Identifier: MIT */
/*
 * MSI-X for a device that has only MSI: a capability behind its own ones, a table in BAR2.
 *
 * An option: nobody has seen it on silicon, whose drivers take either.  The model goes on thinking
 * it sends MSI.  Masks are the client's business, which keeps its eventfd to itself meanwhile.
 */
#ifndef VFU_MSIX_H
#define VFU_MSIX_H

#include "base/base.h"

#define VFU_MSIX_BAR	   2u
#define VFU_MSIX_BAR_BYTES 4096u

struct vnpu;

struct vfu_msix {
	bool present;
	u32 link;     /* where the last capability points to the next */
	u32 msi_ctrl; /* of the model's own capability */
	bool msi;     /* enabled by the client */
	u16 ctrl;
	u32 bar;
	u8 table[VFU_MSIX_BAR_BYTES];
};

/** vfu_msix_init() - -ENODEV: no MSI to stand on, or no room */
int vfu_msix_init(struct vfu_msix *x, struct vnpu *vnpu) BASE_WARN_UNUSED;
/** vfu_msix_reset() - with the device */
void vfu_msix_reset(struct vfu_msix *x);

/* As vnpu_cfg_read(), vnpu_cfg_write(), with the capability in the picture if there is one. */
int vfu_msix_cfg_read(const struct vfu_msix *x, struct vnpu *vnpu, u32 off, u32 size, u32 *val);
int vfu_msix_cfg_write(struct vfu_msix *x, struct vnpu *vnpu, u32 off, u32 size, u32 val);

#endif
