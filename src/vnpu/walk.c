// SPDX-License-Identifier: MIT
/*
 * Translation: stream table entry, context descriptor, four levels of tables, permissions.
 * SRC: P 8.2, 8.5, 8.7; Arm IHI 0070 for the kind of fault of each failure.
 *
 * Every access is unprivileged (STE.PRIVCFG = 2), so a page needs the user bit.  A page that
 * translates to a bus address nobody answers at is no fault of the MMU: the access is aborted, the
 * job ends as for a fault, and no event is recorded.
 */
#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

struct access {
	struct vnpu *v;
	u32 ssid;
	u64 va;
	bool write, record;
};

static void fault(const struct access *a, u32 type, u64 fetch)
{
	vnpu_mmu_event(a->v, type, a->ssid, a->va, a->write, fetch, a->record);
}

static bool load(struct vnpu *v, u64 bus, u64 *out)
{
	return !vnpu_dma_load(v, bus, out);
}

/* 0, or the fault's type. */
static u32 stream_entry(const struct access *a, u64 *cd_table, u64 *fetch)
{
	u64 base = a->v->mmu.strtab_base & REG_MASK64(REG_MMU_STRTAB_BASE__ADDR);
	u64 w0;

	*fetch = base + ABI_MMU_STREAM_ID0 * sizeof(struct abi_mmu_ste);
	if (!load(a->v, *fetch, &w0))
		return ABI_MMU_EVT_F_STE_FETCH;
	if (!(w0 & ABI_MMU_STE0_V) ||
	    (w0 & ABI_MMU_STE0_CFG_MASK) >> ABI_MMU_STE0_CFG_SHIFT != ABI_MMU_STE0_CFG_S1 ||
	    w0 & ABI_MMU_STE0_S1FMT_MASK)
		return ABI_MMU_EVT_C_BAD_STE;
	if (a->ssid >> (w0 >> ABI_MMU_STE0_S1CDMAX_SHIFT))
		return ABI_MMU_EVT_C_BAD_SUBSTREAMID;
	*cd_table = w0 & ABI_MMU_STE0_S1CTX_MASK;
	return 0;
}

static u32 fetch_cd(const struct access *a, struct vnpu_cd *cd, u64 *fetch)
{
	u64 table = 0, w0, w1;
	u32 type = stream_entry(a, &table, fetch);

	if (type)
		return type;
	*fetch = table + a->ssid * sizeof(struct abi_mmu_cd);
	if (!load(a->v, *fetch, &w0) || !load(a->v, *fetch + 8, &w1))
		return ABI_MMU_EVT_F_CD_FETCH;
	if (!(w0 & ABI_MMU_CD0_V) || !(w0 & ABI_MMU_CD0_AA64) ||
	    (w0 & ABI_MMU_CD0_T0SZ_MASK) != 64 - ABI_MMU_VA_BITS)
		return ABI_MMU_EVT_C_BAD_CD;
	if (w0 >> ABI_MMU_CD0_ASID_SHIFT != a->ssid)
		vnpu_report(a->v, VNPU_UNSPECIFIED, "MMU",
			    "context descriptor %u has ASID %u: known is ASID = SSID", a->ssid,
			    (u32)(w0 >> ABI_MMU_CD0_ASID_SHIFT));
	*cd = (struct vnpu_cd){ .root = w1 & ABI_MMU_CD1_TTB0_MASK,
				.valid = true,
				.record = (w0 & ABI_MMU_CD0_R) != 0 };
	return 0;
}

static bool context(struct access *a, u64 *root)
{
	struct vnpu_cd *cd = &a->v->mmu.cd[a->ssid];
	u64 fetch = 0;
	u32 type;

	if (!cd->valid) {
		type = fetch_cd(a, cd, &fetch);
		if (type) {
			a->record = true; /* a bad configuration is always recorded */
			fault(a, type, fetch);
			return false;
		}
	}
	a->record = cd->record;
	*root = cd->root;
	return true;
}

static u32 check_leaf(const struct access *a, u64 pte)
{
	if (!(pte & ABI_MMU_PTE_AF))
		return ABI_MMU_EVT_F_ACCESS;
	if (!(pte & ABI_MMU_PTE_USER) || (a->write && pte & ABI_MMU_PTE_READ_ONLY))
		return ABI_MMU_EVT_F_PERMISSION;
	return 0;
}

static u32 tables(const struct access *a, u64 root, u64 *pte, u64 *fetch)
{
	u64 table = root;

	if (a->va >> ABI_MMU_VA_BITS)
		return ABI_MMU_EVT_F_TRANSLATION;
	for (u32 level = 0; level < ABI_MMU_PT_LEVELS; level++) {
		*fetch = table + ABI_MMU_PT_INDEX(a->va, (int)level) * sizeof(u64);
		if (!load(a->v, *fetch, pte))
			return ABI_MMU_EVT_F_WALK_EABT;
		if ((*pte & ABI_MMU_PTE_TABLE) != ABI_MMU_PTE_TABLE)
			return ABI_MMU_EVT_F_TRANSLATION; /* block entries are never used: P 8.5 */
		table = *pte & ABI_MMU_PTE_ADDR_MASK;
		if (table >> a->v->info->dma_bits)
			return ABI_MMU_EVT_F_ADDR_SIZE;
	}
	return check_leaf(a, *pte);
}

static void fill_tlb(const struct access *a, u64 pte, u8 *page, struct vnpu_map *map)
{
	/* 0, the key of no access: a copy of remote memory is good for one look */
	u64 key = map->host ? (a->va & ~(u64)(BASE_PAGE_SIZE - 1)) | a->v->mmu.tag[a->ssid] : 0;

	*vnpu_tlb(a->v, a->ssid, a->va) = (struct vnpu_tlb){
		.rd = key,
		.wr = map->writable && !(pte & ABI_MMU_PTE_READ_ONLY) ? key : 0,
		.delta = (uintptr_t)page - (uintptr_t)(a->va & ~(u64)(BASE_PAGE_SIZE - 1)),
		.map = map,
	};
}

static u8 *translate(struct access *a)
{
	u64 root = 0, pte = 0, fetch = 0;
	struct vnpu_map *map;
	u8 *page;
	u32 type;

	if (!context(a, &root))
		return NULL;
	type = tables(a, root, &pte, &fetch);
	if (type) {
		fault(a, type, fetch);
		return NULL;
	}
	page = vnpu_dma_at(a->v, pte & ABI_MMU_PTE_ADDR_MASK, BASE_PAGE_SIZE, a->write, &map);
	if (!page) {
		vnpu_report(
			a->v, VNPU_GUEST_ERROR, "MMU",
			"SSID %u address 0x%llx is mapped to bus address 0x%llx, where no %smemory is",
			a->ssid, (unsigned long long)a->va,
			(unsigned long long)(pte & ABI_MMU_PTE_ADDR_MASK),
			a->write ? "writable " : "");
		return NULL;
	}
	fill_tlb(a, pte, page, map);
	return page + (a->va & (BASE_PAGE_SIZE - 1));
}

/* No MMU: the address is the bus'. */
static u8 *direct(const struct access *a)
{
	u64 off = a->va & (BASE_PAGE_SIZE - 1);
	struct vnpu_map *map;
	u8 *page = vnpu_dma_at(a->v, a->va - off, BASE_PAGE_SIZE, a->write, &map);

	if (!page) {
		vnpu_report(a->v, VNPU_GUEST_ERROR, "DMA", "no %smemory at 0x%llx",
			    a->write ? "writable " : "", (unsigned long long)a->va);
		return NULL;
	}
	fill_tlb(a, 0, page, map);
	return page + off;
}

u8 *vnpu_walk(struct vnpu *v, u32 ssid, u64 va, bool write)
{
	struct access a = { .v = v, .ssid = ssid, .va = va, .write = write };
	u8 *p = NULL;

	if (BASE_UNLIKELY(v->info->flat))
		return direct(&a);
	if (!(v->mmu.cr0 & REG_MASK(REG_MMU_CR0__SMMUEN)))
		vnpu_report(v, VNPU_GUEST_ERROR, "MMU", "access to 0x%llx with the MMU off",
			    (unsigned long long)va);
	else
		p = translate(&a);
	if (!p && !ssid)
		vnpu_report(v, VNPU_GUEST_ERROR, "MMU",
			    "the firmware cannot %s 0x%llx in SSID 0: not mapped for that",
			    write ? "write" : "read", (unsigned long long)va);
	return p;
}

bool vnpu_mem_is_mapped(struct vnpu *v, u32 ssid, u64 va)
{
	const struct access a = { .v = v, .ssid = ssid, .va = va };
	u64 pte = 0, fetch = 0;

	return v->mmu.cd[ssid].valid && !tables(&a, v->mmu.cd[ssid].root, &pte, &fetch);
}

u8 *vnpu_mem_map_at(struct vnpu *v, u32 ssid, u64 va, bool write, struct vnpu_map **map)
{
	u8 *p = vnpu_mem_at(v, ssid, va, write);

	if (p) /* a hit, or just filled */
		*map = vnpu_tlb(v, ssid, va)->map;
	return p;
}

int vnpu_mem_read(struct vnpu *v, u32 ssid, u64 va, void *buf, u32 len)
{
	u8 *out = buf;

	while (len) {
		u32 n = base_min(len, (u32)(BASE_PAGE_SIZE - (va & (BASE_PAGE_SIZE - 1))));
		const u8 *p = vnpu_mem_at(v, ssid, va, false);

		if (!p)
			return -EFAULT;
		memcpy(out, p, n);
		out += n;
		va += n;
		len -= n;
	}
	return 0;
}

int vnpu_mem_write(struct vnpu *v, u32 ssid, u64 va, const void *buf, u32 len)
{
	const u8 *in = buf;

	while (len) {
		u32 n = base_min(len, (u32)(BASE_PAGE_SIZE - (va & (BASE_PAGE_SIZE - 1))));
		u8 *p = vnpu_mem_at(v, ssid, va, true);

		if (!p)
			return -EFAULT;
		memcpy(p, in, n);
		in += n;
		va += n;
		len -= n;
	}
	return 0;
}
