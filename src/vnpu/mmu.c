// SPDX-License-Identifier: MIT
/*
 * The MMU's registers, command queue and event queue.  Translation is in walk.c.
 * SRC: P 8.1, 8.3, 8.4, 8.7, 8.8; Arm IHI 0070 (SMMUv3) for what P leaves open.
 */
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/model.h"

#define BAR	     REG_BAR_MMU
#define R(name)	     REG_MMU_##name
#define F(reg, name) REG_MMU_##reg##__##name

#define CR0_SMMUEN REG_MASK(F(CR0, SMMUEN))
#define CR0_EVTQEN REG_MASK(F(CR0, EVTQEN))
#define CR0_CMDQEN REG_MASK(F(CR0, CMDQEN))
#define CR0_ATSCHK REG_MASK(F(CR0, ATSCHK))
#define IRQ_EVTQ   REG_MASK(F(IRQ_CTRL, EVTQ_EN))
#define IRQ_GERROR REG_MASK(F(IRQ_CTRL, GERROR_EN))

#define ICB_EVTQ   REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__MMU_IRQ_0_INT)
#define ICB_GERROR REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__MMU_IRQ_2_INT)

static void guest_error(struct vnpu *v, const char *what)
{
	vnpu_report(v, VNPU_GUEST_ERROR, "MMU", "%s", what);
}

void vnpu_mmu_flush_ssid(struct vnpu *v, u32 ssid)
{
	u32 epoch = v->mmu.tag[ssid] % (VNPU_TLB_EPOCHS + 1);

	if (!epoch || epoch == VNPU_TLB_EPOCHS) { /* new, or a value would come again */
		for (u32 i = 0; i < VNPU_NR_TLB; i++)
			if ((v->mmu.tlb[i].rd & VNPU_TLB_SSID) == VNPU_TLB_TAG(ssid, 0))
				v->mmu.tlb[i] = (struct vnpu_tlb){ 0 };
		epoch = 0;
	}
	v->mmu.tag[ssid] = (u16)VNPU_TLB_TAG(ssid, epoch + 1);
}

void vnpu_mmu_flush(struct vnpu *v)
{
	memset(v->mmu.tlb, 0, sizeof(v->mmu.tlb));
	for (u32 i = 0; i < VNPU_NR_SSIDS; i++)
		v->mmu.tag[i] = (u16)VNPU_TLB_TAG(i, 1);
}

static void flush_config(struct vnpu *v)
{
	for (u32 i = 0; i < VNPU_NR_SSIDS; i++)
		v->mmu.cd[i].valid = false;
}

void vnpu_mmu_reset(struct vnpu *v)
{
	struct vnpu_mmu *m = &v->mmu;

	flush_config(v);
	vnpu_mmu_flush(v);
	m->cmdq_base = m->evtq_base = m->strtab_base = 0;
	m->cr0 = m->irq_ctrl = m->gerror = m->gerrorn = 0;
	m->cmdq_prod = m->cmdq_cons = m->cmdq_err = 0;
	m->evtq_prod = m->evtq_cons = m->strtab_log2 = 0;
	m->cfg_flushed = m->tlb_flushed = false;
	m->cfg_flushed_on = m->tlb_flushed_on = false;
}

/*
 * Global errors
 */

static void gerror(struct vnpu *v, u32 bit)
{
	struct vnpu_mmu *m = &v->mmu;

	if ((m->gerror ^ m->gerrorn) & bit)
		return; /* still active */
	m->gerror ^= bit;
	if (m->irq_ctrl & IRQ_GERROR)
		vnpu_irq_icb(v, ICB_GERROR);
}

void vnpu_mmu_gerror(struct vnpu *v)
{
	gerror(v, REG_MASK(F(GERROR, MSI_ABT)));
}

static u64 gerror_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->mmu.gerror;
}

static void gerrorn_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	u32 acked = (v->mmu.gerror ^ v->mmu.gerrorn) & ~(v->mmu.gerror ^ (u32)val);

	(void)r;
	v->mmu.gerrorn = (u32)val;
	if (acked & REG_MASK(F(GERROR, CMDQ)))
		v->mmu.cmdq_err = ABI_MMU_CERROR_NONE;
}

/*
 * Command queue
 */

static void cmdq_error(struct vnpu *v, u32 err, u64 w0)
{
	vnpu_report(v, VNPU_GUEST_ERROR, "MMU command queue", "%s at slot %u (command 0x%llx)",
		    abi_mmu_cerror_name(err), ABI_MMU_Q_SLOT(v->mmu.cmdq_cons),
		    (unsigned long long)w0);
	v->mmu.cmdq_err = err;
	gerror(v, REG_MASK(F(GERROR, CMDQ)));
}

static bool command(struct vnpu *v, const struct abi_mmu_cmd *cmd)
{
	u32 asid = (u32)(cmd->w[0] >> ABI_MMU_TLBI_ASID_SHIFT);

	switch (ABI_MMU_CMD_OP(cmd->w[0])) {
	case ABI_MMU_OP_CFGI_ALL:
		v->mmu.cfg_flushed = true;
		v->mmu.cfg_flushed_on = (v->mmu.cr0 & CR0_SMMUEN) != 0;
		flush_config(v);
		return true;
	case ABI_MMU_OP_CFGI_STE:
	case ABI_MMU_OP_CFGI_CD:
	case ABI_MMU_OP_CFGI_CD_ALL:
		flush_config(v);
		return true;
	case ABI_MMU_OP_TLBI_NH_ASID:
		if (asid < VNPU_NR_SSIDS) /* the ASID is the SSID; walk.c checks */
			vnpu_mmu_flush_ssid(v, asid);
		return true;
	case ABI_MMU_OP_TLBI_NSNH_ALL:
		v->mmu.tlb_flushed = true;
		v->mmu.tlb_flushed_on = (v->mmu.cr0 & CR0_SMMUEN) != 0;
		vnpu_mmu_flush(v);
		return true;
	case ABI_MMU_OP_TLBI_EL2_ALL:
	case ABI_MMU_OP_PREFETCH_CFG:
	case ABI_MMU_OP_SYNC:
		return true;
	default:
		return false;
	}
}

static void cmdq_run(struct vnpu *v)
{
	struct vnpu_mmu *m = &v->mmu;
	u64 base = m->cmdq_base & REG_MASK64(F(CMDQ_BASE, ADDR));

	if (vnpu_fault_hit(v, VNPU_F_MMU_CMDQ_STUCK))
		return;
	while (!m->cmdq_err && !ABI_MMU_Q_EMPTY(m->cmdq_prod, m->cmdq_cons)) {
		u64 at = base + ABI_MMU_Q_SLOT(m->cmdq_cons) * sizeof(struct abi_mmu_cmd);
		struct abi_mmu_cmd cmd;
		u8 *p = vnpu_dma_at(v, at, sizeof(cmd), false, NULL);

		if (!p) {
			cmdq_error(v, ABI_MMU_CERROR_ABT, 0);
			return;
		}
		memcpy(&cmd, p, sizeof(cmd));
		if (!command(v, &cmd)) {
			cmdq_error(v, ABI_MMU_CERROR_ILL, cmd.w[0]);
			return;
		}
		m->cmdq_cons = ABI_MMU_Q_NEXT(m->cmdq_cons);
	}
}

static void cmdq_prod_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	struct vnpu_mmu *m = &v->mmu;

	(void)r;
	m->cmdq_prod = (u32)val;
	if (!(m->cr0 & CR0_CMDQEN)) {
		if (val)
			guest_error(v,
				    "CMDQ_PROD written with the command queue off (P 8.3 step 5)");
		return;
	}
	if (((m->cmdq_prod - m->cmdq_cons) & ABI_MMU_Q_IDX_MASK) > ABI_MMU_Q_ENTRIES) {
		guest_error(v, "CMDQ_PROD is more than a queue ahead of CMDQ_CONS");
		return;
	}
	cmdq_run(v);
}

static u64 cmdq_cons_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->mmu.cmdq_cons | REG_PREP(F(CMDQ_CONS, ERR), v->mmu.cmdq_err);
}

static void cmdq_cons_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (v->mmu.cr0 & CR0_CMDQEN) {
		guest_error(v, "CMDQ_CONS written with the command queue on");
		return;
	}
	v->mmu.cmdq_cons = (u32)val & ABI_MMU_Q_IDX_MASK;
	v->mmu.cmdq_err = ABI_MMU_CERROR_NONE;
}

/*
 * Event queue
 */

void vnpu_mmu_event(struct vnpu *v, u32 type, u32 ssid, u64 va, bool write, u64 fetch, bool record)
{
	struct vnpu_mmu *m = &v->mmu;
	const struct abi_mmu_event ev = {
		.id = ABI_MMU_EVT_ID(type, ssid),
		.stream_id = ABI_MMU_STREAM_ID0,
		.specific = { 0, write ? 0 : 1u << 3 }, /* RnW */
		.input_lo = (u32)va,
		.input_hi = (u32)(va >> 32),
		.fetch_lo = (u32)fetch,
		.fetch_hi = (u32)(fetch >> 32),
	};
	u64 at = (m->evtq_base & REG_MASK64(F(EVTQ_BASE, ADDR))) +
		 ABI_MMU_Q_SLOT(m->evtq_prod) * sizeof(ev);
	u8 *p;

	if (ssid) /* a fault in SSID 0 may be the log's own */
		vnpu_fw_log(v, VNPU_LOG_ERROR, "MMU fault 0x%x: SSID %u %s of 0x%llx", type, ssid,
			    write ? "write" : "read", (unsigned long long)va);
	if (!record || !(m->cr0 & CR0_EVTQEN) || ABI_MMU_Q_FULL(m->evtq_prod, m->evtq_cons))
		return;
	p = vnpu_dma_at(v, at, sizeof(ev), true, NULL);
	if (!p) {
		vnpu_report(v, VNPU_GUEST_ERROR, "MMU event queue", "slot at 0x%llx is not memory",
			    (unsigned long long)at);
		gerror(v, REG_MASK(F(GERROR, EVTQ_ABT)));
		return;
	}
	memcpy(p, &ev, sizeof(ev));
	m->evtq_prod = ABI_MMU_Q_NEXT(m->evtq_prod);
	if (m->irq_ctrl & IRQ_EVTQ)
		vnpu_irq_icb(v, ICB_EVTQ);
	vnpu_ssid_fault(v, ssid);
}

static u64 evtq_prod_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->mmu.evtq_prod;
}

static void evtq_prod_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (v->mmu.cr0 & CR0_EVTQEN)
		guest_error(v, "EVTQ_PROD written with the event queue on");
	else
		v->mmu.evtq_prod = (u32)val;
}

static void evtq_cons_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->mmu.evtq_cons = (u32)val;
}

/*
 * Control
 */

static void base_wr(struct vnpu *v, u64 *base, u64 val, u32 busy, const char *what)
{
	if (v->mmu.cr0 & busy) {
		vnpu_report(v, VNPU_GUEST_ERROR, "MMU", "%s written while in use", what);
		return;
	}
	*base = val;
}

static void strtab_base_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	base_wr(v, &v->mmu.strtab_base, val, CR0_SMMUEN, "STRTAB_BASE");
}

static void strtab_cfg_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->mmu.strtab_log2 = (u32)val;
	if (val > ABI_MMU_STRTAB_LOG2)
		vnpu_report(v, VNPU_UNSPECIFIED, "MMU",
			    "stream table of 2^%u entries: known is 2^%u", (u32)val,
			    ABI_MMU_STRTAB_LOG2);
}

static void queue_base_wr(struct vnpu *v, u64 *base, u64 val, u32 busy, const char *what)
{
	base_wr(v, base, val, busy, what);
	if (reg_fld_get64(val, F(CMDQ_BASE, LOG2SIZE)) != ABI_MMU_Q_LOG2)
		vnpu_report(v, VNPU_UNSPECIFIED, "MMU", "%s: 2^%u entries, known is 2^%u", what,
			    (u32)reg_fld_get64(val, F(CMDQ_BASE, LOG2SIZE)), ABI_MMU_Q_LOG2);
}

static void cmdq_base_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	queue_base_wr(v, &v->mmu.cmdq_base, val, CR0_CMDQEN, "CMDQ_BASE");
}

static void evtq_base_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	queue_base_wr(v, &v->mmu.evtq_base, val, CR0_EVTQEN, "EVTQ_BASE");
}

/* What must have happened before each enable bit; P 8.3. */
static void check_enable(struct vnpu *v, u32 set)
{
	const struct vnpu_mmu *m = &v->mmu;

	if (set & CR0_CMDQEN && !m->cmdq_base)
		guest_error(v, "CMDQEN before CMDQ_BASE (P 8.3 step 4)");
	if (set & CR0_EVTQEN && !m->evtq_base)
		guest_error(v, "EVTQEN before EVTQ_BASE (P 8.3 step 7)");
	if (set & (CR0_CMDQEN | CR0_SMMUEN) && vnpu_reg_val(v, BAR, R(CR1)) != ABI_MMU_CR1)
		guest_error(v, "queues or tables used before CR1 (P 8.3 step 2)");
	if (!(set & CR0_SMMUEN))
		return;
	if (!m->strtab_base || m->strtab_log2 != ABI_MMU_STRTAB_LOG2)
		guest_error(v, "SMMUEN before STRTAB_BASE and STRTAB_BASE_CFG (P 8.3 step 3)");
	if (!m->cfg_flushed || !m->tlb_flushed)
		guest_error(v, "SMMUEN before CFGI_ALL and TLBI_NSNH_ALL (P 8.3 step 6)");
}

static void cr0_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	if (vnpu_fault_hit(v, VNPU_F_MMU_CR0_STUCK))
		return;
	check_enable(v, (u32)val & ~v->mmu.cr0);
	if (v->mmu.cr0 & ~(u32)val & CR0_SMMUEN) {
		flush_config(v);
		vnpu_mmu_flush(v);
	}
	v->mmu.cr0 = (u32)val;
}

static u64 cr0ack_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->mmu.cr0;
}

static void irq_ctrl_wr(struct vnpu *v, struct vnpu_reg *r, u64 val)
{
	(void)r;
	v->mmu.irq_ctrl = (u32)val;
}

static u64 irq_ctrlack_rd(struct vnpu *v, struct vnpu_reg *r)
{
	(void)r;
	return v->mmu.irq_ctrl;
}

bool vnpu_mmu_check_boot(struct vnpu *v)
{
	const struct vnpu_mmu *m = &v->mmu;

	if (!(m->cr0 & CR0_SMMUEN)) {
		guest_error(v, "CPU started with the MMU off (P 8.3 step 12)");
		return false;
	}
	if (!(m->cr0 & CR0_EVTQEN))
		guest_error(v, "CPU started with the event queue off (P 8.3 step 8)");
	if (!(m->cr0 & CR0_ATSCHK))
		guest_error(v, "CPU started without ATSCHK (P 8.3 step 9)");
	if (!(m->cr0 & CR0_CMDQEN))
		guest_error(v, "CPU started with the command queue off (P 8.3 step 5)");
	if (!m->cfg_flushed_on || !m->tlb_flushed_on)
		guest_error(v, "CPU started without CFGI_ALL and TLBI_NSNH_ALL after SMMUEN "
			       "(P 8.3 step 13)");
	if (m->irq_ctrl != (IRQ_EVTQ | IRQ_GERROR))
		guest_error(v, "CPU started with MMU interrupts off (P 8.3 step 11)");
	return true;
}

const struct vnpu_hook vnpu_mmu_hooks[] = {
	{ BAR, R(CR0), NULL, cr0_wr },
	{ BAR, R(CR0ACK), cr0ack_rd, NULL },
	{ BAR, R(IRQ_CTRL), NULL, irq_ctrl_wr },
	{ BAR, R(IRQ_CTRLACK), irq_ctrlack_rd, NULL },
	{ BAR, R(GERROR), gerror_rd, NULL },
	{ BAR, R(GERRORN), NULL, gerrorn_wr },
	{ BAR, R(STRTAB_BASE), NULL, strtab_base_wr },
	{ BAR, R(STRTAB_BASE_CFG), NULL, strtab_cfg_wr },
	{ BAR, R(CMDQ_BASE), NULL, cmdq_base_wr },
	{ BAR, R(CMDQ_PROD), NULL, cmdq_prod_wr },
	{ BAR, R(CMDQ_CONS), cmdq_cons_rd, cmdq_cons_wr },
	{ BAR, R(EVTQ_BASE), NULL, evtq_base_wr },
	{ BAR, R(EVTQ_PROD_SEC), evtq_prod_rd, evtq_prod_wr },
	{ BAR, R(EVTQ_CONS_SEC), NULL, evtq_cons_wr },
	{ 0 },
};
