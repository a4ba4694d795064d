// SPDX-License-Identifier: MIT
/* MSI-X beside a model that has MSI (msix.h).  SRC: PCI Local Bus 3.0, 6.8.2. */
#include "vfu/msix.h"

#include <errno.h>
#include <string.h>

#include "vnpu/vnpu.h"

enum { PCI_BAR2 = 0x18, PCI_CAP_PTR = 0x34, CAP_MSI = 0x05, CAP_MSIX = 0x11 };
enum { MSIX_AT = 0xb0, MSIX_BYTES = 12, MSIX_CTRL = MSIX_AT + 2, PBA_AT = 0x800 };
enum { MSI_ENABLE = 1u << 0, CTRL_WRITABLE = 0xc000, CTRL_ENABLE = 0x8000 };

int vfu_msix_init(struct vfu_msix *x, struct vnpu *vnpu)
{
	u32 at = PCI_CAP_PTR, ptr = 0, cap = 0;

	memset(x, 0, sizeof(*x));
	for (u32 i = 0; i < 48; i++) {
		if (vnpu_cfg_read(vnpu, at, 1, &ptr))
			return -ENODEV;
		if (!ptr)
			break;
		if (vnpu_cfg_read(vnpu, ptr, 1, &cap))
			return -ENODEV;
		if (cap == CAP_MSI)
			x->msi_ctrl = ptr + 2;
		at = ptr + 1;
	}
	if (!x->msi_ctrl || ptr || vnpu_bar_size(vnpu, VFU_MSIX_BAR))
		return -ENODEV;
	x->link = at;
	x->present = true;
	vfu_msix_reset(x);
	return 0;
}

void vfu_msix_reset(struct vfu_msix *x)
{
	x->ctrl = 0;
	x->bar = 0;
	x->msi = false;
	memset(x->table, 0, sizeof(x->table));
	x->table[12] = 1; /* the vector is masked */
}

/* The byte at @off as the client sees it; @model: as the model has it. */
static u8 byte_at(const struct vfu_msix *x, u32 off, u8 model)
{
	const u8 cap[MSIX_BYTES] = {
		CAP_MSIX, 0, (u8)x->ctrl, (u8)(x->ctrl >> 8), VFU_MSIX_BAR,
		0,	  0, 0,		  VFU_MSIX_BAR,	      (u8)(PBA_AT >> 8)
	};

	if (off == x->link)
		return MSIX_AT;
	if (off >= MSIX_AT && off < MSIX_AT + MSIX_BYTES)
		return cap[off - MSIX_AT];
	if (off >= PCI_BAR2 && off < PCI_BAR2 + 4)
		return (u8)(x->bar >> 8 * (off - PCI_BAR2));
	if (off == x->msi_ctrl)
		return (u8)((model & ~MSI_ENABLE) | (x->msi ? MSI_ENABLE : 0));
	return model;
}

int vfu_msix_cfg_read(const struct vfu_msix *x, struct vnpu *vnpu, u32 off, u32 size, u32 *val)
{
	int ret = vnpu_cfg_read(vnpu, off, size, val);

	for (u32 i = 0; !ret && x->present && i < size; i++) {
		u32 shift = 8 * i, model = *val >> shift & 0xff;

		*val = (*val & ~(0xffu << shift)) | (u32)byte_at(x, off + i, (u8)model) << shift;
	}
	return ret;
}

static void write_byte(struct vfu_msix *x, u32 off, u8 val)
{
	u32 shift = 8 * (off - PCI_BAR2);

	if (off == MSIX_CTRL + 1)
		x->ctrl = (u16)(val << 8 & CTRL_WRITABLE);
	if (off >= PCI_BAR2 && off < PCI_BAR2 + 4)
		x->bar = ((x->bar & ~(0xffu << shift)) | (u32)val << shift) &
			 ~(VFU_MSIX_BAR_BYTES - 1);
	if (off == x->msi_ctrl)
		x->msi = val & MSI_ENABLE;
}

/* The model interrupts when either is enabled. */
static int pass_on(const struct vfu_msix *x, struct vnpu *vnpu)
{
	u32 ctrl = 0;
	int ret = vnpu_cfg_read(vnpu, x->msi_ctrl, 2, &ctrl);

	ctrl &= ~(u32)MSI_ENABLE;
	if (x->msi || x->ctrl & CTRL_ENABLE)
		ctrl |= MSI_ENABLE;
	return ret ? ret : vnpu_cfg_write(vnpu, x->msi_ctrl, 2, ctrl);
}

int vfu_msix_cfg_write(struct vfu_msix *x, struct vnpu *vnpu, u32 off, u32 size, u32 val)
{
	int ret = vnpu_cfg_write(vnpu, off, size, val);
	bool enables = off <= x->msi_ctrl && x->msi_ctrl < off + size;

	if (ret || !x->present)
		return ret;
	for (u32 i = 0; i < size; i++) {
		write_byte(x, off + i, (u8)(val >> 8 * i));
		enables |= off + i == MSIX_CTRL + 1;
	}
	return enables ? pass_on(x, vnpu) : 0;
}
