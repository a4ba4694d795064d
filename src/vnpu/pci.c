// SPDX-License-Identifier: MIT
/*
 * The PCI function: configuration space, BAR sizing, MSI, power state, function-level reset.
 *
 * SRC: P 1.2, 1.3; PCI Local Bus 3.0 (header, MSI), PCI Power Management 1.2, PCI Express Base 3.0
 * (capability of a root-complex integrated endpoint).  Subsystem ids: ours.
 */
#include <string.h>

#include "vnpu/model.h"

enum {
	CFG_ID = 0x00,
	CFG_COMMAND = 0x04,
	CFG_STATUS = 0x06,
	CFG_REVISION = 0x08,
	CFG_BAR0 = 0x10,
	CFG_SUBSYSTEM = 0x2c,
	CFG_CAP_PTR = 0x34,

	CMD_MEMORY = 1u << 1,
	CMD_MASTER = 1u << 2,
	STATUS_CAPS = 1u << 4,

	CAP_PM = 0x40,
	PM_CTRL = CAP_PM + 4,
	PM_STATE = 3,

	CAP_MSI = 0x50, /* 64-bit address */
	MSI_CTRL = CAP_MSI + 2,
	MSI_ADDR = CAP_MSI + 4,
	MSI_DATA = CAP_MSI + 12,
	MSI_ENABLE = 1u << 0,
	MSI_64BIT = 1u << 7,

	CAP_EXP = 0x70,
	EXP_DEVCAP = CAP_EXP + 4,
	EXP_DEVCTL = CAP_EXP + 8,
	EXP_DEVSTA = CAP_EXP + 10,
	EXP_TYPE_RCIEP = 9,
	DEVCAP_ERROR_REPORTING = 1u << 15,
	DEVCAP_FLR = 1u << 28,
	DEVCTL_FLR = 1u << 15,

	BAR_MEM64 = 0x4,
};

static u32 get(const u8 *cfg, u32 off, u32 size)
{
	u32 val = 0;

	memcpy(&val, cfg + off, size);
	return val;
}

static void put(u8 *cfg, u32 off, u32 size, u32 val)
{
	memcpy(cfg + off, &val, size);
}

/* Writable bits, one 32-bit word per row; everything else is read-only. */
static const struct {
	u16 off;
	u32 mask;
} writable[] = {
	{ CFG_COMMAND, 0x00000546 }, /* memory, master, parity, SERR, INTx off */
	{ 0x0c, 0x000000ff },	     /* cache line size */
	{ 0x3c, 0x000000ff },	     /* interrupt line */
	{ PM_CTRL, 0x00000103 },     /* PME enable, power state */
	{ CAP_MSI, 0x00010000 },     /* MSI enable */
	{ MSI_ADDR, 0xfffffffc },    { MSI_ADDR + 4, 0xffffffff },
	{ MSI_DATA, 0x0000ffff },    { EXP_DEVCTL, 0x0000ffff },
};

static u32 bar_mask(const struct vnpu *v, u32 off)
{
	u32 n = (off - CFG_BAR0) / 4;

	if (off < CFG_BAR0 || n >= REG_NR_BARS)
		return 0;
	if (v->info->bar_size[n])
		return (u32) ~(v->info->bar_size[n] - 1);
	if (n && v->info->bar_size[n - 1]) /* upper half of a 64-bit BAR */
		return (u32)(~(v->info->bar_size[n - 1] - 1) >> 32);
	return 0;
}

static u32 write_mask(const struct vnpu *v, u32 off)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(writable); i++)
		if (writable[i].off == off)
			return writable[i].mask;
	return bar_mask(v, off);
}

static bool in_d0(const struct vnpu *v)
{
	return (get(v->pci.cfg, PM_CTRL, 2) & PM_STATE) == 0;
}

/* What follows from command register and power state. */
static void update(struct vnpu *v)
{
	u32 cmd = get(v->pci.cfg, CFG_COMMAND, 2);
	bool master = in_d0(v) && cmd & CMD_MASTER;

	v->pci.live = in_d0(v) && cmd & CMD_MEMORY;
	vnpu_level_update(v);
	if (v->dma.master && !master)
		vnpu_mmu_flush(v); /* cached translations are host pointers */
	v->dma.master = master;
}

static void set_caps(struct vnpu *v, u8 *c)
{
	put(c, CFG_CAP_PTR, 1, CAP_PM);
	put(c, CAP_PM, 2, 0x01 | CAP_MSI << 8);
	put(c, CAP_PM + 2, 2, 0x0003); /* version 3, no PME; D3hot to D0 resets */
	put(c, CAP_MSI, 2, 0x05 | CAP_EXP << 8);
	put(c, MSI_CTRL, 2, MSI_64BIT);
	put(c, CAP_EXP, 2, 0x10);
	put(c, CAP_EXP + 2, 2, EXP_TYPE_RCIEP << 4 | 2);
	put(c, EXP_DEVCAP, 4, (u32)DEVCAP_FLR | DEVCAP_ERROR_REPORTING);
	for (u32 n = 0; n < REG_NR_BARS; n++)
		if (v->info->bar_size[n])
			put(c, CFG_BAR0 + 4 * n, 4, BAR_MEM64);
}

void vnpu_pci_reset(struct vnpu *v)
{
	u8 *c = v->pci.cfg;

	memset(c, 0, sizeof(v->pci.cfg));
	put(c, CFG_ID, 4, REG_PCI_VENDOR_INTEL | (u32)v->device_id << 16);
	put(c, CFG_STATUS, 2, STATUS_CAPS);
	put(c, CFG_REVISION, 4, v->revision | (u32)REG_PCI_CLASS_NPU << 8);
	put(c, CFG_SUBSYSTEM, 4, REG_PCI_VENDOR_INTEL | (u32)v->device_id << 16);
	set_caps(v, c);
	update(v);
}

/* All state of the device: D3hot, function-level reset.  P 11.6 */
static void reset_device(struct vnpu *v)
{
	vnpu_trace_event(v, "reset");
	vnpu_wait_quiet(v); /* what the engine touches may be gone after this */
	vnpu_pci_reset(v);
	vnpu_btrs_reset(v);
	vnpu_ip_reset(v);
	vnpu_regs_reset(v, VNPU_DOM_ALWAYS);
	if (v->gen->reset)
		v->gen->reset(v);
	vnpu_level_update(v);
}

u32 vnpu_pci_read(struct vnpu *v, u32 off, u32 size)
{
	u32 val = off < VNPU_CFG_SIZE ? get(v->pci.cfg, off, size) : 0;

	vnpu_trace_put(v, VNPU_TRACE_WHAT(VNPU_TRACE_CFG, off, size, false), val);
	vnpu_trace_cfg(v, off, size, false, val);
	return val;
}

/* Entering D3hot loses everything at once: nobody can look before it is D0 again. */
static void power_state(struct vnpu *v, u32 old)
{
	u32 ctrl = get(v->pci.cfg, PM_CTRL, 2);

	if ((ctrl & PM_STATE) == old)
		return;
	if ((ctrl & PM_STATE) == 1 || (ctrl & PM_STATE) == 2) {
		vnpu_report(v, VNPU_GUEST_ERROR, "PCI PMCSR", "power state D%u is not supported",
			    ctrl & PM_STATE);
		put(v->pci.cfg, PM_CTRL, 2, (ctrl & ~(u32)PM_STATE) | old);
		return;
	}
	if (!old && v->fw.state != VNPU_FW_OFF)
		vnpu_report(v, VNPU_GUEST_ERROR, "PCI PMCSR",
			    "D3hot while the firmware runs: IP reset left out (P 3.9 step 4)");
	else if (!old && v->btrs.on)
		vnpu_report(v, VNPU_GUEST_ERROR, "PCI PMCSR",
			    "D3hot with the workpoint on (P 3.9 step 5)");
	else if (!old && v->btrs.wp_off_seen && !v->btrs.d0i3)
		vnpu_report(v, VNPU_GUEST_ERROR, "PCI PMCSR", "D3hot before D0i3 (P 3.9 step 6)");
	reset_device(v);
	put(v->pci.cfg, PM_CTRL, 2, ctrl);
	update(v);
}

void vnpu_pci_write(struct vnpu *v, u32 off, u32 size, u32 val)
{
	const u32 word = off & ~3u, shift = 8 * (off & 3);
	u32 old_state, mask, old;

	vnpu_trace_put(v, VNPU_TRACE_WHAT(VNPU_TRACE_CFG, off, size, true), val);
	vnpu_trace_cfg(v, off, size, true, val);
	if (off >= VNPU_CFG_SIZE)
		return;
	mask = write_mask(v, word) & (u32)(BASE_MASK64(8 * size - 1, 0) << shift);
	old = get(v->pci.cfg, word, 4);
	old_state = get(v->pci.cfg, PM_CTRL, 2) & PM_STATE;
	put(v->pci.cfg, word, 4, (old & ~mask) | (val << shift & mask));
	if (word == EXP_DEVCTL && get(v->pci.cfg, EXP_DEVCTL, 2) & DEVCTL_FLR)
		reset_device(v);
	else if (word == PM_CTRL)
		power_state(v, old_state);
	else if (word == CFG_COMMAND)
		update(v);
}

void vnpu_pci_msi(struct vnpu *v)
{
	if (!(get(v->pci.cfg, MSI_CTRL, 2) & MSI_ENABLE)) {
		vnpu_report(v, VNPU_GUEST_ERROR, "MSI",
			    "interrupt lost: unmasked at the device, but MSI is not enabled");
		return;
	}
	if (!v->dma.master) {
		vnpu_report(v, VNPU_GUEST_ERROR, "MSI",
			    "interrupt lost: the function is not bus master");
		return;
	}
	v->stats.msis++;
	v->cfg.msi(v->cfg.opaque, 0);
}

void vnpu_reset(struct vnpu *v)
{
	vnpu_lock(&v->lock);
	reset_device(v);
	vnpu_settle(v);
	vnpu_unlock(&v->lock);
}
