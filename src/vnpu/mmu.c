// SPDX-License-Identifier: MIT
/*
 * The NPU's MMU: SMMUv3-like registers, command queue, stream table, context descriptors, 4-level
 * walk, event queue.  SRC: P 8.
 *
 * Translations are cached per page with the host address; two epochs (one for all, one per ASID)
 * make an invalidation one increment.
 */
#include <string.h>

#include "vnpu/model.h"

#define WHERE "MMU"
#define CERROR_SHIFT 24
#define ICB_MMU_EVENT  5u
#define ICB_MMU_GERROR 7u

void vnpu_mmu_flush(struct vnpu *m)
{
	m->mmu.epoch++;
}


/* --- events and errors --------------------------------------------------------------------- */

static void raise_gerror(struct vnpu *m, u32 bit)
{
	VNPU_MMU(m, GERROR) ^= ~(VNPU_MMU(m, GERROR) ^ VNPU_MMU(m, GERRORN)) & bit;
	vnpu_irq_raise(m, ICB_MMU_GERROR);
}

/* P 8.8: recorded only with EVTQEN; the caller has looked at the descriptor's R bit. */
static void record_event(struct vnpu *m, u32 type, u32 ssid, u64 va, u64 fetch)
{
	struct abi_mmu_event evt = { .id = ABI_MMU_EVT_ID(type, ssid),
				     .stream_id = ABI_MMU_STREAM_ID0,
				     .input_lo = (u32)va,
				     .input_hi = (u32)(va >> 32),
				     .fetch_lo = (u32)fetch,
				     .fetch_hi = (u32)(fetch >> 32) };
	u64 base = VNPU_MMU(m, EVTQ_BASE) & REG_MASK64(REG_MMU_EVTQ_BASE__ADDR);
	u32 prod = (u32)VNPU_MMU(m, EVTQ_PROD_SEC), cons = (u32)VNPU_MMU(m, EVTQ_CONS_SEC);
	u8 *slot;

	if (!reg_fld_test((u32)VNPU_MMU(m, CR0), REG_MMU_CR0__EVTQEN) || ABI_MMU_Q_FULL(prod, cons))
		return;
	slot = vnpu_dma_at(m, base + ABI_MMU_Q_SLOT(prod) * sizeof(evt), sizeof(evt), true, NULL);
	if (!slot) {
		raise_gerror(m, REG_MASK(REG_MMU_GERROR__EVTQ_ABT));
		return;
	}
	memcpy(slot, &evt, sizeof(evt));
	VNPU_MMU(m, EVTQ_PROD_SEC) = ABI_MMU_Q_NEXT(prod);
	vnpu_irq_raise(m, ICB_MMU_EVENT);
}

/* --- registers ----------------------------------------------------------------------------- */

static u64 cr0ack_read(struct vnpu *m, u64 val)
{
	(void)val;
	return m->power.top_noc_on ? VNPU_MMU(m, CR0) : 0;
}

static u64 irq_ctrlack_read(struct vnpu *m, u64 val)
{
	(void)val;
	return m->power.top_noc_on ? VNPU_MMU(m, IRQ_CTRL) : 0;
}

static void require(struct vnpu *m, bool ok, const char *what)
{
	if (!ok)
		vnpu_report(m, VNPU_GUEST_ERROR, "MMU CR0", "%s", what);
}

static void cr0_write(struct vnpu *m, u64 old, u64 val)
{
	u32 on = (u32)(val & ~old);

	require(m, m->power.top_noc_on, "the MMU is used before the NOC runs (P 3.4 #26)");
	if (reg_fld_test(on, REG_MMU_CR0__CMDQEN))
		require(m, VNPU_MMU(m, CMDQ_BASE), "CMDQEN without CMDQ_BASE (P 8.3 #4)");
	if (reg_fld_test(on, REG_MMU_CR0__EVTQEN))
		require(m, VNPU_MMU(m, EVTQ_BASE), "EVTQEN without EVTQ_BASE (P 8.3 #7)");
	if (!reg_fld_test(on, REG_MMU_CR0__SMMUEN))
		return;
	require(m, VNPU_MMU(m, STRTAB_BASE), "SMMUEN without STRTAB_BASE (P 8.3 #3)");
	require(m, VNPU_MMU(m, STRTAB_BASE_CFG) == ABI_MMU_STRTAB_LOG2,
		"SMMUEN, but STRTAB_BASE_CFG is not 2 (P 8.3 #3)");
	require(m, VNPU_MMU(m, CR1) == ABI_MMU_CR1, "SMMUEN, but CR1 is not 0xd75 (P 8.3 #2)");
	vnpu_mmu_flush(m);
}

static void run_command(struct vnpu *m, const struct abi_mmu_cmd *cmd)
{
	u32 asid;

	switch (ABI_MMU_CMD_OP(cmd->w[0])) {
	case ABI_MMU_OP_CFGI_ALL:
	case ABI_MMU_OP_CFGI_STE:
	case ABI_MMU_OP_CFGI_CD:
	case ABI_MMU_OP_CFGI_CD_ALL:
	case ABI_MMU_OP_TLBI_NSNH_ALL:
	case ABI_MMU_OP_TLBI_EL2_ALL:
		vnpu_mmu_flush(m);
		break;
	case ABI_MMU_OP_TLBI_NH_ASID:
		asid = (u32)(cmd->w[0] >> ABI_MMU_TLBI_ASID_SHIFT);
		if (asid < VNPU_NR_SSIDS)
			m->mmu.asid_epoch[asid]++;
		break;
	case ABI_MMU_OP_SYNC:
	case ABI_MMU_OP_PREFETCH_CFG:
		break;
	default:
		vnpu_report(m, VNPU_GUEST_ERROR, WHERE, "command 0x%x is not known",
			    ABI_MMU_CMD_OP(cmd->w[0]));
		VNPU_MMU(m, CMDQ_CONS) |= (u64)ABI_MMU_CERROR_ILL << CERROR_SHIFT;
		raise_gerror(m, REG_MASK(REG_MMU_GERROR__CMDQ));
	}
}

static void cmdq_prod_write(struct vnpu *m, u64 old, u64 val)
{
	u64 base = VNPU_MMU(m, CMDQ_BASE) & REG_MASK64(REG_MMU_CMDQ_BASE__ADDR);
	u32 cons = (u32)VNPU_MMU(m, CMDQ_CONS) & ABI_MMU_Q_IDX_MASK;

	(void)old;
	if (!reg_fld_test((u32)VNPU_MMU(m, CR0), REG_MMU_CR0__CMDQEN)) {
		if (val)
			vnpu_report(m, VNPU_GUEST_ERROR, WHERE, "commands while CMDQEN is off");
		return;
	}
	for (u32 i = 0; cons != val && i < ABI_MMU_Q_ENTRIES; i++) {
		struct abi_mmu_cmd cmd;
		u8 *slot = vnpu_dma_at(m, base + ABI_MMU_Q_SLOT(cons) * sizeof(cmd), sizeof(cmd),
				       false, NULL);

		if (!slot) {
			vnpu_report(m, VNPU_GUEST_ERROR, WHERE, "command queue is not in memory");
			VNPU_MMU(m, CMDQ_CONS) |= (u64)ABI_MMU_CERROR_ABT << CERROR_SHIFT;
			raise_gerror(m, REG_MASK(REG_MMU_GERROR__CMDQ));
			return;
		}
		memcpy(&cmd, slot, sizeof(cmd));
		run_command(m, &cmd);
		cons = ABI_MMU_Q_NEXT(cons);
	}
	VNPU_MMU(m, CMDQ_CONS) = (VNPU_MMU(m, CMDQ_CONS) & ~(u64)ABI_MMU_Q_IDX_MASK) | cons;
}

#define HOOK(name, ...) [REG_IDX_MMU_##name] = { __VA_ARGS__ }

const struct vnpu_reg_hook vnpu_mmu_hooks[REG_IDX_MMU_NR] = {
	HOOK(CR0, .write = cr0_write),
	HOOK(CR0ACK, .read = cr0ack_read),
	HOOK(IRQ_CTRLACK, .read = irq_ctrlack_read),
	HOOK(CMDQ_PROD, .write = cmdq_prod_write),
};

/* --- the walk ------------------------------------------------------------------------------ */

struct walk {
	u32 type; /* enum abi_mmu_event_type; 0: fine */
	u64 fetch;
	bool is_recorded; /* the descriptor's R bit, or no descriptor was reached */
	u64 pte;
};

static bool fetch64(struct vnpu *m, u64 addr, u64 *out)
{
	u8 *at = vnpu_dma_at(m, addr, sizeof(*out), false, NULL);

	if (at)
		memcpy(out, at, sizeof(*out));
	return at;
}

static bool fetch_cd(struct vnpu *m, u32 ssid, struct walk *w, struct abi_mmu_cd *cd)
{
	u64 strtab = VNPU_MMU(m, STRTAB_BASE) & REG_MASK64(REG_MMU_STRTAB_BASE__ADDR);
	u64 table;
	u8 *at;

	w->is_recorded = true;
	w->fetch = strtab + ABI_MMU_STREAM_ID0 * sizeof(struct abi_mmu_ste);
	if (!fetch64(m, w->fetch, &table)) {
		w->type = ABI_MMU_EVT_F_STE_FETCH;
		return false;
	}
	if (!(table & ABI_MMU_STE0_V) ||
	    (table & ABI_MMU_STE0_CFG_MASK) >> ABI_MMU_STE0_CFG_SHIFT != ABI_MMU_STE0_CFG_S1) {
		w->type = ABI_MMU_EVT_C_BAD_STE;
		return false;
	}
	if (ssid >= ABI_MMU_CD_ENTRIES) {
		w->type = ABI_MMU_EVT_C_BAD_SUBSTREAMID;
		return false;
	}
	w->fetch = (table & ABI_MMU_STE0_S1CTX_MASK) + (u64)ssid * sizeof(*cd);
	at = vnpu_dma_at(m, w->fetch, sizeof(*cd), false, NULL);
	if (!at) {
		w->type = ABI_MMU_EVT_F_CD_FETCH;
		return false;
	}
	memcpy(cd, at, sizeof(*cd));
	if (!(cd->w[0] & ABI_MMU_CD0_V) || !(cd->w[0] & ABI_MMU_CD0_AA64) ||
	    (cd->w[0] & ABI_MMU_CD0_T0SZ_MASK) != 64 - ABI_MMU_VA_BITS) {
		w->type = ABI_MMU_EVT_C_BAD_CD;
		return false;
	}
	return true;
}

static void walk_tables(struct vnpu *m, const struct abi_mmu_cd *cd, u64 va, bool write,
			struct walk *w)
{
	u64 table = cd->w[1] & ABI_MMU_CD1_TTB0_MASK & ABI_MMU_PTE_ADDR_MASK;

	w->is_recorded = cd->w[0] & ABI_MMU_CD0_R;
	if (va >> ABI_MMU_VA_BITS) {
		w->type = ABI_MMU_EVT_F_TRANSLATION;
		return;
	}
	for (u32 level = 0; level < ABI_MMU_PT_LEVELS; level++) {
		w->fetch = table + 8 * (u64)ABI_MMU_PT_INDEX(va, level);
		if (!fetch64(m, w->fetch, &w->pte)) {
			w->type = ABI_MMU_EVT_F_WALK_EABT;
			return;
		}
		if ((w->pte & ABI_MMU_PTE_TABLE) != ABI_MMU_PTE_TABLE) {
			w->type = ABI_MMU_EVT_F_TRANSLATION;
			return;
		}
		table = w->pte & ABI_MMU_PTE_ADDR_MASK;
	}
	if (!(w->pte & ABI_MMU_PTE_AF))
		w->type = ABI_MMU_EVT_F_ACCESS;
	else if (write && (w->pte & ABI_MMU_PTE_READ_ONLY))
		w->type = ABI_MMU_EVT_F_PERMISSION;
	else if (table >> m->gen->data->dma_bits)
		w->type = ABI_MMU_EVT_F_ADDR_SIZE;
}

static u8 *refill(struct vnpu *m, u32 ssid, u64 va, bool write, struct vnpu_tlb_entry *e)
{
	struct walk w = { 0 };
	struct abi_mmu_cd cd;
	struct vnpu_dma_region *region = NULL;
	u8 *host = NULL;

	if (vnpu_fault_take(m, VNPU_FAULT_MMU_FAULT)) {
		w.type = ABI_MMU_EVT_F_TRANSLATION;
		w.is_recorded = true;
	} else if (fetch_cd(m, ssid, &w, &cd)) {
		walk_tables(m, &cd, va, write, &w);
	}
	if (!w.type) {
		host = vnpu_dma_at(m, w.pte & ABI_MMU_PTE_ADDR_MASK, BASE_PAGE_SIZE, write, &region);
		if (!host)
			w.type = ABI_MMU_EVT_F_UUT; /* the page is not in memory */
	}
	if (w.type) {
		if (w.is_recorded)
			record_event(m, w.type, ssid, va, w.fetch);
		return NULL;
	}
	*e = (struct vnpu_tlb_entry){ .page = va >> ABI_MMU_PAGE_SHIFT,
				      .ssid = ssid,
				      .valid = true,
				      .writable = !(w.pte & ABI_MMU_PTE_READ_ONLY) && region->writable,
				      .asid_epoch = m->mmu.asid_epoch[ssid],
				      .epoch = m->mmu.epoch,
				      .host = host,
				      .region = region };
	return host;
}

u8 *vnpu_mmu_page(struct vnpu *m, u32 ssid, u64 va, bool write, struct vnpu_dma_region **region)
{
	u64 page = va >> ABI_MMU_PAGE_SHIFT;
	struct vnpu_tlb_entry *e = &m->mmu.tlb[(page ^ ((u64)ssid << 5)) & (VNPU_TLB_SIZE - 1)];
	u8 *host = e->host;

	if (!e->valid || e->page != page || e->ssid != ssid || e->epoch != m->mmu.epoch ||
	    e->asid_epoch != m->mmu.asid_epoch[ssid & (VNPU_NR_SSIDS - 1)] ||
	    (write && !e->writable) || m->record.faults[VNPU_FAULT_MMU_FAULT])
		host = refill(m, ssid, va, write, e);
	if (host && region)
		*region = e->region;
	return host;
}
