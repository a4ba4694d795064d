/* SPDX-License-Identifier: MIT */
/*
 * What the NPU's MMU reads and writes in memory: stream table entry, context descriptor, commands,
 * page tables, event records.  SRC: P 8.2, 8.4, 8.5, 8.7, linux ivpu_mmu.c, ivpu_mmu_context.c.
 */
#ifndef ABI_MMU_H
#define ABI_MMU_H

#include "abi/wire.h"

/* table and queue sizes; SRC: P 8.2 */
#define ABI_MMU_STE_SIZE       64
#define ABI_MMU_STRTAB_LOG2    2
#define ABI_MMU_STRTAB_ENTRIES 4
#define ABI_MMU_STREAM_ID0     0 /* entries 0 and 3 are valid and identical */
#define ABI_MMU_STREAM_ID3     3
#define ABI_MMU_CD_SIZE	       64
#define ABI_MMU_CD_LOG2	       8
#define ABI_MMU_CD_ENTRIES     256 /* index = SSID */
#define ABI_MMU_Q_LOG2	       4
#define ABI_MMU_Q_ENTRIES      16
#define ABI_MMU_CMD_SIZE       16
#define ABI_MMU_EVT_SIZE       32
#define ABI_MMU_SSID_MAX       255

/* a queue index: slot in [3:0], wrap flag in bit 4 */
#define ABI_MMU_Q_IDX_MASK    0x1fu
#define ABI_MMU_Q_SLOT(idx)   ((u32)(idx)&0xf)
#define ABI_MMU_Q_NEXT(idx)   (((u32)(idx) + 1) & ABI_MMU_Q_IDX_MASK)
#define ABI_MMU_Q_EMPTY(p, c) ((((u32)(p) ^ (u32)(c)) & ABI_MMU_Q_IDX_MASK) == 0)
#define ABI_MMU_Q_FULL(p, c)  ((((u32)(p) ^ (u32)(c)) & ABI_MMU_Q_IDX_MASK) == 0x10)

/* CR1 as written: inner shareable, write-back for tables and queues; SRC: P 8.1 */
#define ABI_MMU_CR1 0xd75

/** struct abi_mmu_ste - stream table entry */
struct abi_mmu_ste {
	u64 w[8];
};

ABI_SIZE(abi_mmu_ste, ABI_MMU_STE_SIZE);

/* words 0 and 1 as written, and their fields; SRC: P 8.2, App. B */
#define ABI_MMU_STE0		   0x400000000000000bull /* | address of the CD table */
#define ABI_MMU_STE0_V		   (1ull << 0)
#define ABI_MMU_STE0_CFG_SHIFT	   1
#define ABI_MMU_STE0_CFG_MASK	   (7ull << 1)
#define ABI_MMU_STE0_CFG_S1	   5ull
#define ABI_MMU_STE0_S1FMT_MASK	   (3ull << 4)
#define ABI_MMU_STE0_S1CTX_MASK	   0x000fffffffffffc0ull /* [51:6] */
#define ABI_MMU_STE0_S1CDMAX_SHIFT 59
#define ABI_MMU_STE1		   0x000a000008084000ull

/** struct abi_mmu_cd - context descriptor */
struct abi_mmu_cd {
	u64 w[8];
};

ABI_SIZE(abi_mmu_cd, ABI_MMU_CD_SIZE);

/* word 0; SRC: P 8.2, App. B */
#define ABI_MMU_CD0_USER       0x0000a205c0000010ull /* | ssid << 48 */
#define ABI_MMU_CD0_SYSTEM     0x0000e205c0000010ull /* SSID 0 and 1 */
#define ABI_MMU_CD0_T0SZ_MASK  0x3full
#define ABI_MMU_CD0_EPD1       (1ull << 30)
#define ABI_MMU_CD0_V	       (1ull << 31)
#define ABI_MMU_CD0_IPS_SHIFT  32
#define ABI_MMU_CD0_IPS_MASK   (7ull << 32)
#define ABI_MMU_CD0_AA64       (1ull << 41)
#define ABI_MMU_CD0_R	       (1ull << 45) /* record faults */
#define ABI_MMU_CD0_A	       (1ull << 46) /* abort */
#define ABI_MMU_CD0_ASET       (1ull << 47)
#define ABI_MMU_CD0_ASID_SHIFT 48
/* words 1 and 3 */
#define ABI_MMU_CD1_TTB0_MASK 0x000ffffffffffff0ull /* [51:4] */
#define ABI_MMU_CD3_MAIR      0x7444ull

/** struct abi_mmu_cmd - command queue entry */
struct abi_mmu_cmd {
	u64 w[2];
};

ABI_SIZE(abi_mmu_cmd, ABI_MMU_CMD_SIZE);

/* opcodes, [7:0] of word 0; SRC: P 8.4, linux ivpu_mmu.c CMD_* */
enum abi_mmu_op {
	ABI_MMU_OP_PREFETCH_CFG = 0x01,
	ABI_MMU_OP_CFGI_STE = 0x03,
	ABI_MMU_OP_CFGI_ALL = 0x04,
	ABI_MMU_OP_CFGI_CD = 0x05,
	ABI_MMU_OP_CFGI_CD_ALL = 0x06,
	ABI_MMU_OP_TLBI_NH_ASID = 0x11,
	ABI_MMU_OP_TLBI_EL2_ALL = 0x20,
	ABI_MMU_OP_TLBI_NSNH_ALL = 0x30,
	ABI_MMU_OP_SYNC = 0x46,
};

#define ABI_MMU_CMD_OP(w0)	((u32)((w0)&0xff))
#define ABI_MMU_CFGI_ALL_RANGE	0x1full /* word 1 */
#define ABI_MMU_TLBI_ASID_SHIFT 48	/* word 0 of TLBI_NH_ASID */

/* CMDQ_CONS error codes; SRC: P 8.1 */
enum abi_mmu_cerror {
	ABI_MMU_CERROR_NONE = 0,
	ABI_MMU_CERROR_ILL = 1,
	ABI_MMU_CERROR_ABT = 2,
	ABI_MMU_CERROR_ATC_INV_SYNC = 3,
};

/* page tables: 4 levels of 512 eight-byte entries; SRC: P 8.5 */
#define ABI_MMU_PT_ENTRIES 512
#define ABI_MMU_PT_LEVELS  4
#define ABI_MMU_VA_BITS	   48
#define ABI_MMU_PAGE_SHIFT 12
/** ABI_MMU_PT_INDEX() - index of @va in the table of @level, 0 = root */
#define ABI_MMU_PT_INDEX(va, level) ((u32)((u64)(va) >> (39 - 9 * (level)) & 0x1ff))
#define ABI_MMU_PTE_ADDR_MASK	    0x0000fffffffff000ull /* [47:12] */
#define ABI_MMU_PTE_VALID	    (1ull << 0)
#define ABI_MMU_PTE_PAGE	    (1ull << 1) /* page, or next table above level 3 */
#define ABI_MMU_PTE_LLC_COHERENT    (1ull << 2)
#define ABI_MMU_PTE_USER	    (1ull << 6)
#define ABI_MMU_PTE_READ_ONLY	    (1ull << 7)
#define ABI_MMU_PTE_AF		    (1ull << 10)
#define ABI_MMU_PTE_NG		    (1ull << 11)
#define ABI_MMU_PTE_CONTIGUOUS	    (1ull << 52) /* hint: 16 pages, naturally aligned */
#define ABI_MMU_PTE_TABLE	    (ABI_MMU_PTE_VALID | ABI_MMU_PTE_PAGE)
#define ABI_MMU_PTE_WC		    (ABI_MMU_PTE_TABLE | ABI_MMU_PTE_USER | ABI_MMU_PTE_AF | ABI_MMU_PTE_NG)
#define ABI_MMU_PTE_CACHED	    (ABI_MMU_PTE_WC | ABI_MMU_PTE_LLC_COHERENT)
#define ABI_MMU_PTE_DUMMY	    0x00000000deadb000ull /* unmapped after use; not valid */
#define ABI_MMU_CONT_SIZE	    0x10000

ABI_ASSERT(ABI_MMU_PTE_WC == 0xc43 && ABI_MMU_PTE_CACHED == 0xc47, "P App. B: page entry flags");
ABI_ASSERT((ABI_MMU_STE0 & ABI_MMU_STE0_CFG_MASK) >> ABI_MMU_STE0_CFG_SHIFT == ABI_MMU_STE0_CFG_S1,
	   "stage 1 only");
ABI_ASSERT((ABI_MMU_CD0_USER & ABI_MMU_CD0_T0SZ_MASK) == 64 - ABI_MMU_VA_BITS, "T0SZ");

/** struct abi_mmu_event - event queue entry; SRC: P 8.7 */
struct abi_mmu_event {
	u32 id; /* [7:0] enum abi_mmu_event_type, [31:12] SSID */
	u32 stream_id;
	u32 specific[2];
	u32 input_lo;
	u32 input_hi;
	u32 fetch_lo;
	u32 fetch_hi;
};

ABI_SIZE(abi_mmu_event, ABI_MMU_EVT_SIZE);
ABI_OFF(abi_mmu_event, id, 0x00);
ABI_OFF(abi_mmu_event, stream_id, 0x04);
ABI_OFF(abi_mmu_event, specific, 0x08);
ABI_OFF(abi_mmu_event, input_lo, 0x10);
ABI_OFF(abi_mmu_event, input_hi, 0x14);
ABI_OFF(abi_mmu_event, fetch_lo, 0x18);
ABI_OFF(abi_mmu_event, fetch_hi, 0x1c);

#define ABI_MMU_EVT_ID(type, ssid) ((u32)(type) | (u32)(ssid) << 12)
#define ABI_MMU_EVT_TYPE(id)	   ((id)&0xff)
#define ABI_MMU_EVT_SSID(id)	   ((u32)(id) >> 12)

enum abi_mmu_event_type {
	ABI_MMU_EVT_F_UUT = 0x01,
	ABI_MMU_EVT_C_BAD_STREAMID = 0x02,
	ABI_MMU_EVT_F_STE_FETCH = 0x03,
	ABI_MMU_EVT_C_BAD_STE = 0x04,
	ABI_MMU_EVT_F_BAD_ATS_TREQ = 0x05,
	ABI_MMU_EVT_F_STREAM_DISABLED = 0x06,
	ABI_MMU_EVT_F_TRANSL_FORBIDDEN = 0x07,
	ABI_MMU_EVT_C_BAD_SUBSTREAMID = 0x08,
	ABI_MMU_EVT_F_CD_FETCH = 0x09,
	ABI_MMU_EVT_C_BAD_CD = 0x0a,
	ABI_MMU_EVT_F_WALK_EABT = 0x0b,
	ABI_MMU_EVT_F_TRANSLATION = 0x10,
	ABI_MMU_EVT_F_ADDR_SIZE = 0x11,
	ABI_MMU_EVT_F_ACCESS = 0x12,
	ABI_MMU_EVT_F_PERMISSION = 0x13,
	ABI_MMU_EVT_F_TLB_CONFLICT = 0x20,
	ABI_MMU_EVT_F_CFG_CONFLICT = 0x21,
	ABI_MMU_EVT_E_PAGE_REQUEST = 0x24,
	ABI_MMU_EVT_F_VMS_FETCH = 0x25,
};

#endif
