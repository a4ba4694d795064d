/* SPDX-License-Identifier: MIT */
/*
 * A tiny driver for the model's own tests: PCI, memory, page tables, the boot of P 13.2, IPC, jobs.
 * Straight from the protocol reference and independent of src/driver.
 */
#ifndef VNPU_TEST_HOST_H
#define VNPU_TEST_HOST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/boot_params.h"
#include "abi/cmdbuf.h"
#include "abi/ipc.h"
#include "abi/jobq.h"
#include "abi/jsm.h"
#include "abi/mmu.h"
#include "base/base.h"
#include "regs/gen.h"
#include "vnpu/vnpu.h"

#define HOST_BUS UINT64_C(0x180000000)
#ifndef HOST_MEM
#define HOST_MEM UINT64_C(0x800000)
#endif
#define HOST_RX_VA	UINT64_C(0x90004000)
#define HOST_TX_VA	UINT64_C(0x90008000)
#define HOST_JOBQ	UINT64_C(0x90010000) /* one page per doorbell */
#define HOST_USER	UINT64_C(0xa0000000)
#define HOST_USER_PAGES 16u

#define B(name) 4, REG_BTRS_MTL_##name
#define V(name) 0, REG_IP_37XX_##name
#define M(name) 0, REG_MMU_##name

struct host {
	struct vnpu *v;
	u8 *mem; /* HOST_MEM bytes at HOST_BUS */
	u64 used;
	u64 strtab, cdtab, cmdq, evtq;
	u64 root[8]; /* by SSID */
	u32 cmdq_prod;
	u32 request_id;
	u32 tx_next;
	u32 msis;
	u64 skip; /* boot steps left out */
	u32 jsm_answer;
	bool threaded;
};

static inline void host_msi(void *opaque, unsigned vector)
{
	struct host *h = opaque;

	(void)vector;
	__atomic_fetch_add(&h->msis, 1, __ATOMIC_RELEASE);
}

/*
 * Accesses
 */

static inline u32 rd(struct host *h, u32 bar, u64 off)
{
	u64 val = 0;

	assert_int_equal(vnpu_bar_read(h->v, bar, off, 4, &val), 0);
	return (u32)val;
}

static inline void wr(struct host *h, u32 bar, u64 off, u32 val)
{
	assert_int_equal(vnpu_bar_write(h->v, bar, off, 4, val), 0);
}

static inline void wr64(struct host *h, u32 bar, u64 off, u64 val)
{
	assert_int_equal(vnpu_bar_write(h->v, bar, off, 8, val), 0);
}

static inline void rmw(struct host *h, u32 bar, u64 off, u32 clear, u32 set)
{
	wr(h, bar, off, (rd(h, bar, off) & ~clear) | set);
}

static inline void host_sleep(struct host *h, u64 ns)
{
	if (h->threaded) {
		u64 end = vnpu_now_ns(h->v) + ns;

		while (vnpu_now_ns(h->v) < end)
			;
	} else {
		vnpu_run_until(h->v, vnpu_now_ns(h->v) + ns);
	}
}

static inline bool host_poll(struct host *h, u32 bar, u64 off, u32 mask, u32 want, u64 limit_us)
{
	for (u64 us = 0; us <= limit_us; us += 5) {
		if ((rd(h, bar, off) & mask) == want)
			return true;
		host_sleep(h, 5000);
	}
	return false;
}

static inline u32 cfg_rd(struct host *h, u32 off, u32 size)
{
	u32 val = 0;

	assert_int_equal(vnpu_cfg_read(h->v, off, size, &val), 0);
	return val;
}

static inline void cfg_wr(struct host *h, u32 off, u32 size, u32 val)
{
	assert_int_equal(vnpu_cfg_write(h->v, off, size, val), 0);
}

static inline u64 guest_errors(struct host *h)
{
	return vnpu_nr_findings(h->v, VNPU_GUEST_ERROR);
}

/* Is there a finding that mentions @text? */
static inline bool has_finding(struct host *h, const char *text)
{
	struct vnpu_finding f;

	for (u32 i = 0; vnpu_finding_text(h->v, i, &f); i++)
		if (strstr(f.text, text) || strstr(f.where, text))
			return true;
	return false;
}

static inline void expect_clean(struct host *h)
{
	struct vnpu_finding f;

	for (u32 i = 0; vnpu_finding_text(h->v, i, &f); i++)
		fail_msg("finding: %s: %s", f.where, f.text);
}

/*
 * Memory
 */

static inline void *host_ptr(struct host *h, u64 bus)
{
	assert_in_range(bus, HOST_BUS, HOST_BUS + HOST_MEM - 1);
	return h->mem + (bus - HOST_BUS);
}

static inline u64 host_pages(struct host *h, u32 nr)
{
	u64 bus = HOST_BUS + h->used;

	h->used += nr * BASE_PAGE_SIZE;
	assert_true(h->used <= HOST_MEM);
	memset(host_ptr(h, bus), 0, nr * BASE_PAGE_SIZE);
	return bus;
}

/* The entry of @va in the last-level table of @ssid, tables made on the way. */
static inline u64 *host_pte(struct host *h, u32 ssid, u64 va)
{
	u64 *table;
	u64 *cd = host_ptr(h, h->cdtab + ssid * ABI_MMU_CD_SIZE);

	if (!h->root[ssid]) {
		h->root[ssid] = host_pages(h, 1);
		cd[0] = (ssid < 2 ? ABI_MMU_CD0_SYSTEM : ABI_MMU_CD0_USER) |
			(u64)ssid << ABI_MMU_CD0_ASID_SHIFT;
		cd[1] = h->root[ssid];
		cd[3] = ABI_MMU_CD3_MAIR;
	}
	table = host_ptr(h, h->root[ssid]);
	for (int level = 0; level < 3; level++) {
		u64 *e = &table[ABI_MMU_PT_INDEX(va, level)];

		if (!*e)
			*e = host_pages(h, 1) | ABI_MMU_PTE_TABLE;
		table = host_ptr(h, *e & ABI_MMU_PTE_ADDR_MASK);
	}
	return &table[ABI_MMU_PT_INDEX(va, 3)];
}

static inline void host_map(struct host *h, u32 ssid, u64 va, u64 bus, u32 nr, u64 flags)
{
	for (u32 i = 0; i < nr; i++)
		*host_pte(h, ssid, va + i * BASE_PAGE_SIZE) = (bus + i * BASE_PAGE_SIZE) | flags;
}

/* Host address of NPU memory that this host mapped. */
static inline void *host_at(struct host *h, u32 ssid, u64 va)
{
	u64 pte = *host_pte(h, ssid, va & ~(BASE_PAGE_SIZE - 1));

	return (u8 *)host_ptr(h, pte & ABI_MMU_PTE_ADDR_MASK) + va % BASE_PAGE_SIZE;
}

static inline u64 host_new(struct host *h, u32 ssid, u64 va, u32 nr)
{
	u64 bus = host_pages(h, nr);

	host_map(h, ssid, va, bus, nr, ABI_MMU_PTE_CACHED);
	return bus;
}

/*
 * Life
 */

static inline void host_open_mode(struct host *h, u64 seed, enum vnpu_mode mode)
{
	const struct vnpu_config cfg = { .gen = "npu37",
					 .mode = mode,
					 .seed = seed,
					 .engine = "plain",
					 .opaque = h,
					 .msi = host_msi };
	char why[200];

	*h = (struct host){ .threaded = mode == VNPU_THREADED };
	assert_int_equal(vnpu_create(&cfg, &h->v, why, sizeof(why)), 0);
	h->mem = aligned_alloc(BASE_PAGE_SIZE, HOST_MEM);
	assert_non_null(h->mem);
	memset(h->mem, 0, HOST_MEM);
	assert_int_equal(vnpu_dma_map(h->v, HOST_BUS, HOST_MEM, h->mem, true), 0);
}

static inline void host_open(struct host *h, u64 seed)
{
	host_open_mode(h, seed, VNPU_STEPPED);
}

static inline void host_close(struct host *h)
{
	vnpu_destroy(h->v);
	free(h->mem);
}

static inline void host_pci_on(struct host *h)
{
	cfg_wr(h, 0x04, 2, 0x0406);	/* memory, master, no INTx */
	cfg_wr(h, 0x54, 4, 0xfee00000); /* MSI */
	cfg_wr(h, 0x5c, 2, 0x41);
	cfg_wr(h, 0x52, 2, cfg_rd(h, 0x52, 2) | 1);
}

/*
 * The boot, one numbered step after another; h->skip leaves steps out.
 */

#define STEP(n) if (!(h->skip >> (n)&1))

enum {
	SK_WP_OFF,
	SK_D0I3,
	SK_WP_ON,
	SK_RST_POLL,
	SK_RST_CLR,
	SK_NOC_CHECK,
	SK_IDLE_GEN,
	SK_TRICKLE,
	SK_ISLAND,
	SK_ISLAND_POLL,
	SK_TOP_CHECK,
	SK_CLK,
	SK_ISO,
	SK_RST,
	SK_DPU,
	SK_HOST_NOC,
	SK_HOST_CHECK,
	SK_TOP_NOC,
	SK_TOP_ACK,
	SK_POWER_END,
	SK_CR0_ZERO = SK_POWER_END,
	SK_CR1,
	SK_STRTAB,
	SK_CMDQ,
	SK_CR0_CMDQ,
	SK_FLUSH1,
	SK_EVTQ,
	SK_CR0_EVTQ,
	SK_CR0_ATS,
	SK_IRQ_ZERO,
	SK_IRQ_ON,
	SK_CR0_ON,
	SK_FLUSH2,
	SK_MMU_END,
	SK_SNOOP = SK_MMU_END,
	SK_SSIDV,
	SK_CPU_RUN,
	SK_CPU_RESUME,
	SK_CPU_RESUMED,
	SK_ENTRY,
	SK_START,
	SK_READY,
	SK_ICB_CLEAR,
	SK_SOC_IRQ,
	SK_ICB_ENABLE,
	SK_LOCAL,
	SK_GLOBAL,
	SK_END,
};

static inline void host_wp(struct host *h, bool on)
{
	assert_true(host_poll(h, B(WP_REQ_CMD), 1, 0, 1500000));
	wr(h, B(WP_REQ_PAYLOAD0), 0x002a000e);
	wr(h, B(WP_REQ_PAYLOAD1), 0x00800000 | (on ? 0x1c : 0));
	wr(h, B(WP_REQ_PAYLOAD2), on ? 0x0202 : 0);
	wr(h, B(WP_REQ_CMD), 1);
	(void)host_poll(h, B(WP_REQ_CMD), 1, 0, 1500);
}

static inline int host_power_up(struct host *h)
{
	STEP(SK_WP_OFF) host_wp(h, false);
	STEP(SK_D0I3) rmw(h, B(VPU_D0I3_CONTROL), 4, 0);
	STEP(SK_WP_ON) host_wp(h, true);
	if (!host_poll(h, B(PLL_STATUS), 2, 2, 1000) || !host_poll(h, B(VPU_STATUS), 1, 1, 1000))
		return -ETIMEDOUT;
	STEP(SK_RST_POLL) if (!host_poll(h, V(HOST_SS_CPR_RST_CLR), 1, 0, 100)) return -1;
	STEP(SK_RST_CLR) wr(h, V(HOST_SS_CPR_RST_CLR), 0xc02);
	STEP(SK_NOC_CHECK)
	if (rd(h, V(HOST_SS_NOC_QREQN)) | rd(h, V(HOST_SS_NOC_QACCEPTN)) |
	    rd(h, V(HOST_SS_NOC_QDENY)))
		return -9;
	STEP(SK_IDLE_GEN) rmw(h, V(HOST_SS_AON_VPU_IDLE_GEN), 1, 0);
	STEP(SK_TRICKLE) rmw(h, V(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0), 0, 8);
	STEP(SK_ISLAND) rmw(h, V(HOST_SS_AON_PWR_ISLAND_EN0), 0, 8);
	STEP(SK_ISLAND_POLL)
	if (!host_poll(h, V(HOST_SS_AON_PWR_ISLAND_STATUS0), 8, 8, 5000))
		return -17;
	STEP(SK_TOP_CHECK) if (rd(h, V(TOP_NOC_QREQN)) & 3) return -18;
	STEP(SK_CLK) rmw(h, V(HOST_SS_CPR_CLK_SET), 0, 0xc02);
	STEP(SK_ISO) rmw(h, V(HOST_SS_AON_PWR_ISO_EN0), 8, 0);
	STEP(SK_RST) rmw(h, V(HOST_SS_CPR_RST_SET), 0, 0xc02);
	STEP(SK_DPU) rmw(h, V(HOST_SS_AON_DPU_ACTIVE), 0, 1);
	STEP(SK_HOST_NOC) rmw(h, V(HOST_SS_NOC_QREQN), 0, 1);
	STEP(SK_HOST_CHECK)
	if (rd(h, V(HOST_SS_NOC_QACCEPTN)) != 1 || rd(h, V(HOST_SS_NOC_QDENY)))
		return -24;
	STEP(SK_TOP_NOC) rmw(h, V(TOP_NOC_QREQN), 0, 3);
	STEP(SK_TOP_ACK) if (rd(h, V(TOP_NOC_QACCEPTN)) != 3 || rd(h, V(TOP_NOC_QDENY))) return -27;
	return 0;
}

static inline void host_mmu_cmd(struct host *h, u64 w0, u64 w1)
{
	u64 *slot = host_ptr(h, h->cmdq + ABI_MMU_Q_SLOT(h->cmdq_prod) * ABI_MMU_CMD_SIZE);

	slot[0] = w0;
	slot[1] = w1;
	h->cmdq_prod = ABI_MMU_Q_NEXT(h->cmdq_prod);
}

static inline bool host_mmu_sync(struct host *h)
{
	host_mmu_cmd(h, ABI_MMU_OP_SYNC, 0);
	wr(h, M(CMDQ_PROD), h->cmdq_prod);
	return rd(h, M(CMDQ_CONS)) == h->cmdq_prod;
}

static inline bool host_flush_all(struct host *h)
{
	host_mmu_cmd(h, ABI_MMU_OP_CFGI_ALL, ABI_MMU_CFGI_ALL_RANGE);
	host_mmu_cmd(h, ABI_MMU_OP_TLBI_NSNH_ALL, 0);
	return host_mmu_sync(h);
}

/* After a change of @ssid's tables. */
static inline void host_flush(struct host *h, u32 ssid)
{
	host_mmu_cmd(h, ABI_MMU_OP_CFGI_ALL, ABI_MMU_CFGI_ALL_RANGE);
	host_mmu_cmd(h, ABI_MMU_OP_TLBI_NH_ASID | (u64)ssid << ABI_MMU_TLBI_ASID_SHIFT, 0);
	assert_true(host_mmu_sync(h));
}

static inline void host_cr0(struct host *h, u32 val)
{
	wr(h, M(CR0), val);
	(void)rd(h, M(CR0ACK));
}

static inline void host_irq_ctrl(struct host *h, u32 val)
{
	wr(h, M(IRQ_CTRL), val);
	(void)rd(h, M(IRQ_CTRLACK));
}

static inline void host_tables(struct host *h)
{
	u64 *ste;

	h->strtab = host_pages(h, 1);
	h->cdtab = host_pages(h, 4);
	h->cmdq = host_pages(h, 1);
	h->evtq = host_pages(h, 1);
	ste = host_ptr(h, h->strtab);
	ste[0] = ste[24] = ABI_MMU_STE0 | h->cdtab;
	ste[1] = ste[25] = ABI_MMU_STE1;
}

static inline void host_mmu_on(struct host *h)
{
	h->cmdq_prod = 0;
	STEP(SK_CR0_ZERO) host_cr0(h, 0);
	STEP(SK_CR1) wr(h, M(CR1), ABI_MMU_CR1);
	STEP(SK_STRTAB)
	{
		wr64(h, M(STRTAB_BASE), h->strtab | UINT64_C(1) << 62);
		wr(h, M(STRTAB_BASE_CFG), 2);
	}
	STEP(SK_CMDQ)
	{
		wr64(h, M(CMDQ_BASE), h->cmdq | UINT64_C(1) << 62 | 4);
		wr(h, M(CMDQ_PROD), 0);
		wr(h, M(CMDQ_CONS), 0);
	}
	STEP(SK_CR0_CMDQ) host_cr0(h, 0x08);
	STEP(SK_FLUSH1)(void) host_flush_all(h);
	STEP(SK_EVTQ)
	{
		wr64(h, M(EVTQ_BASE), h->evtq | UINT64_C(1) << 62 | 4);
		wr(h, M(EVTQ_PROD_SEC), 0);
		wr(h, M(EVTQ_CONS_SEC), 0);
	}
	STEP(SK_CR0_EVTQ) host_cr0(h, 0x0c);
	STEP(SK_CR0_ATS) host_cr0(h, h->skip >> SK_CR0_EVTQ & 1 ? 0x18 : 0x1c);
	STEP(SK_IRQ_ZERO) host_irq_ctrl(h, 0);
	STEP(SK_IRQ_ON) host_irq_ctrl(h, 5);
	STEP(SK_CR0_ON) host_cr0(h, 0x1d);
	STEP(SK_FLUSH2)(void) host_flush_all(h);
}

/* SSID 0: firmware, boot parameters, IPC; no job queues yet. */
static inline void host_fw_memory(struct host *h)
{
	const struct reg_gen *g = &reg_gen_npu37;
	struct abi_boot_params *p;

	host_new(h, 0, g->va.runtime.start, 4);
	host_new(h, 0, HOST_RX_VA, 4);
	host_new(h, 0, HOST_TX_VA, 4);
	p = host_at(h, 0, g->va.runtime.start);
	p->magic = ABI_BOOT_MAGIC;
	p->ipc_header_area_start = HOST_RX_VA;
	p->ipc_header_area_size = 0x2000;
	p->ipc_payload_area_start = HOST_RX_VA + 0x2000;
	p->ipc_payload_area_size = 0x2000;
	p->shared_region_base = g->va.global.start;
	p->shared_region_size = 0x10000000;
	p->watchdog_irq_mss = 32;
	p->watchdog_irq_nce = 33;
	p->autoconfig = 1;
	p->si_stepping = 4;
	p->device_id = 0x7d1d;
	p->sku = g->sku;
	p->min_freq_pll_ratio = 0x0e;
	p->pn_freq_pll_ratio = 0x1c;
	p->max_freq_pll_ratio = 0x2a;
}

/* Takes one RX header; false: none. */
static inline bool host_pop(struct host *h, struct abi_ipc_hdr *hdr, struct abi_jsm_msg *msg)
{
	struct abi_ipc_hdr *slot;
	u32 addr;

	if (!(rd(h, V(HOST_SS_TIM_IPC_FIFO_STAT)) >> 16 & 0xff))
		return false;
	addr = rd(h, V(HOST_SS_TIM_IPC_FIFO_ATM));
	if (addr < HOST_RX_VA || addr > HOST_RX_VA + 0x3fc0)
		fail_msg("FIFO gave 0x%x", addr);
	slot = host_at(h, 0, addr);
	*hdr = *slot;
	assert_int_equal(hdr->status, ABI_IPC_ALLOCATED);
	if (hdr->data_addr != ABI_IPC_BOOT_DATA && msg) {
		struct abi_jsm_msg *m;

		if (hdr->data_addr < HOST_RX_VA || hdr->data_addr > HOST_RX_VA + 0x3f80)
			fail_msg("data at 0x%x", hdr->data_addr);
		m = host_at(h, 0, hdr->data_addr);
		*msg = *m;
		__atomic_store_n(&m->status, ABI_IPC_FREE, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&slot->status, ABI_IPC_FREE, __ATOMIC_RELEASE);
	return true;
}

static inline bool host_pop_wait(struct host *h, struct abi_ipc_hdr *hdr, struct abi_jsm_msg *msg,
				 u64 limit_us)
{
	if (h->threaded) /* the machine may have other work */
		limit_us = base_max(limit_us, UINT64_C(10000000));
	for (u64 us = 0; us <= limit_us; us += 5) {
		if (host_pop(h, hdr, msg))
			return true;
		host_sleep(h, 5000);
	}
	return false;
}

static inline int host_start(struct host *h)
{
	const u32 entry = (u32)((reg_gen_npu37.va.runtime.start + 0x3000) >> 9);
	struct abi_ipc_hdr hdr = { 0 };

	STEP(SK_SNOOP) rmw(h, V(HOST_IF_TCU_PTW_OVERRIDES), 0x38, 0x28);
	STEP(SK_SSIDV) rmw(h, V(HOST_IF_TBU_MMUSSIDV), 0, 0x33);
	STEP(SK_CPU_RUN) rmw(h, V(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), 0xfffffff1, 1);
	STEP(SK_CPU_RESUME) rmw(h, V(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), 0, 2);
	STEP(SK_CPU_RESUMED) rmw(h, V(CPU_SS_MSSCPU_CPR_LEON_RT_VEC), 2, 0);
	STEP(SK_ENTRY) wr(h, V(HOST_SS_LOADING_ADDRESS_LO), entry);
	STEP(SK_START) wr(h, V(HOST_SS_LOADING_ADDRESS_LO), entry | 1);
	STEP(SK_READY)
	{
		if (!host_pop_wait(h, &hdr, NULL, 10000))
			return -ETIMEDOUT;
		assert_int_equal(hdr.channel, ABI_IPC_CHAN_BOOT);
		assert_int_equal(hdr.data_addr, ABI_IPC_BOOT_DATA);
	}
	STEP(SK_ICB_CLEAR) wr64(h, V(HOST_SS_ICB_CLEAR), reg_gen_npu37.icb_irq_mask);
	STEP(SK_SOC_IRQ) wr(h, V(HOST_SS_FW_SOC_IRQ_EN), 0x7f);
	STEP(SK_ICB_ENABLE) wr64(h, V(HOST_SS_ICB_ENABLE), reg_gen_npu37.icb_irq_mask);
	STEP(SK_LOCAL) wr(h, B(LOCAL_INT_MASK), 0xfffffff9);
	STEP(SK_GLOBAL) wr(h, B(GLOBAL_INT_MASK), 0);
	return 0;
}

static inline int host_boot(struct host *h)
{
	int ret;

	host_pci_on(h);
	ret = host_power_up(h);
	if (ret)
		return ret;
	if (!h->strtab) {
		host_tables(h);
		host_fw_memory(h);
	}
	host_mmu_on(h);
	return host_start(h);
}

/* P 11.1 step 5, 3.9. */
static inline void host_shutdown(struct host *h)
{
	wr(h, B(GLOBAL_INT_MASK), 1);
	wr(h, B(LOCAL_INT_MASK), 0xffffffff);
	wr64(h, V(HOST_SS_ICB_ENABLE), 0);
	wr(h, V(HOST_SS_FW_SOC_IRQ_EN), 0);
	rmw(h, B(VPU_IP_RESET), 0, 1);
	assert_true(host_poll(h, B(VPU_IP_RESET), 1, 0, 150000));
	host_wp(h, false);
	rmw(h, B(VPU_D0I3_CONTROL), 0, 4);
	cfg_wr(h, 0x44, 2, 3);
	cfg_wr(h, 0x44, 2, 0);
}

/*
 * IPC and jobs
 */

static inline u32 host_post(struct host *h, u16 channel, const struct abi_jsm_msg *msg)
{
	u32 va = (u32)HOST_TX_VA + h->tx_next * ABI_IPC_TX_SIZE;
	struct abi_ipc_hdr *hdr = host_at(h, 0, va);
	struct abi_jsm_msg *m = host_at(h, 0, va + 64);

	/* 192 bytes never cross a page of 21 messages */
	h->tx_next = (h->tx_next + 1) % 21;
	*m = *msg;
	m->status = ABI_IPC_ALLOCATED;
	*hdr = (struct abi_ipc_hdr){ .data_addr = va + 64,
				     .data_size = 128,
				     .channel = channel,
				     .dst_node = 1,
				     .status = 1 };
	wr(h, V(CPU_SS_TIM_IPC_FIFO), va);
	return va;
}

/* One request to its answer: the result; the answer's type in h->jsm_answer. */
static inline u32 host_ask_on(struct host *h, u16 channel, u32 type, union abi_jsm_payload *payload)
{
	struct abi_jsm_msg msg = { .type = type,
				   .request_id = ++h->request_id,
				   .payload = *payload };
	struct abi_ipc_hdr hdr;
	u32 va = host_post(h, channel, &msg);

	if (!host_pop_wait(h, &hdr, &msg, 2000))
		fail_msg("no answer to 0x%x", type);
	assert_int_equal(hdr.channel, channel);
	assert_int_equal(hdr.data_size, 128);
	assert_int_equal(msg.request_id, h->request_id);
	assert_int_equal(((struct abi_ipc_hdr *)host_at(h, 0, va))->status, 0);
	assert_int_equal(((struct abi_jsm_msg *)host_at(h, 0, va + 64))->status, 0);
	h->jsm_answer = msg.type;
	*payload = msg.payload;
	return msg.result;
}

static inline u32 host_ask(struct host *h, u32 type, union abi_jsm_payload *payload)
{
	return host_ask_on(h, ABI_IPC_CHAN_ASYNC, type, payload);
}

static inline u64 host_jobq_va(u32 db)
{
	return HOST_JOBQ + db * BASE_PAGE_SIZE;
}

/* A context with some pages of user memory, and a queue on doorbell @db. */
static inline void host_context(struct host *h, u32 ssid)
{
	host_new(h, ssid, HOST_USER, HOST_USER_PAGES);
	host_flush(h, ssid);
}

static inline u32 host_register(struct host *h, u32 db, u32 ssid)
{
	union abi_jsm_payload p = { .register_db = { .db_idx = db,
						     .jobq_base = host_jobq_va(db),
						     .jobq_size = 4096,
						     .host_ssid = ssid } };

	if (!*host_pte(h, 0, host_jobq_va(db)))
		host_new(h, 0, host_jobq_va(db), 1);
	memset(host_at(h, 0, host_jobq_va(db)), 0, 4096);
	host_flush(h, 0);
	return host_ask(h, ABI_JSM_REGISTER_DB, &p);
}

static inline void host_submit(struct host *h, u32 db, u64 batch, u32 job_id)
{
	struct abi_jobq *q = host_at(h, 0, host_jobq_va(db));
	u32 tail = q->hdr.tail;

	q->slot[tail].job.batch_buf_addr = batch;
	q->slot[tail].job.job_id = job_id;
	q->slot[tail].job.flags = 0;
	__atomic_store_n(&q->hdr.tail, (tail + 1) % ABI_JOBQ_SLOTS, __ATOMIC_RELEASE);
	wr(h, V(CPU_SS_DOORBELL) + db * 0x1000, 1);
}

/* The next JOB_DONE within @limit_us; false: none. */
static inline bool host_done(struct host *h, struct abi_jsm_job_done *done, u64 limit_us)
{
	struct abi_ipc_hdr hdr;
	struct abi_jsm_msg msg;

	if (!host_pop_wait(h, &hdr, &msg, limit_us))
		return false;
	assert_int_equal(hdr.channel, ABI_IPC_CHAN_JOB_RET);
	assert_int_equal(msg.type, ABI_JSM_JOB_DONE);
	assert_int_equal(msg.request_id, 0);
	assert_int_equal(msg.result, 0);
	*done = msg.payload.job_done;
	return true;
}

static inline u32 host_run(struct host *h, u32 db, u64 batch, u32 job_id)
{
	struct abi_jsm_job_done done = { 0 };

	host_submit(h, db, batch, job_id);
	if (!host_done(h, &done, 100000))
		fail_msg("job 0x%x does not end", job_id);
	assert_int_equal(done.job_id, job_id);
	assert_int_equal(done.db_idx, db);
	return done.job_status;
}

/* A command buffer under construction at user address @va. */
struct cmdbuf {
	struct host *h;
	u32 ssid;
	u64 va;
	u32 size;
};

static inline void cmdbuf_begin(struct cmdbuf *c, struct host *h, u32 ssid, u64 va)
{
	struct abi_cmdbuf_header *hdr = host_at(h, ssid, va);

	*c = (struct cmdbuf){ h, ssid, va, sizeof(*hdr) };
	*hdr = (struct abi_cmdbuf_header){ .cmd_buffer_size = c->size,
					   .cmd_offset = c->size,
					   .api_version = ABI_CMDBUF_API };
}

static inline void cmdbuf_add(struct cmdbuf *c, const void *cmd, u32 size)
{
	struct abi_cmdbuf_header *hdr = host_at(c->h, c->ssid, c->va);

	memcpy(host_at(c->h, c->ssid, c->va + c->size), cmd, size);
	c->size += size;
	hdr->cmd_buffer_size = c->size;
}

static inline void cmdbuf_fence(struct cmdbuf *c, u16 type, u64 va, u64 value)
{
	const struct abi_cmd_fence f = { .hdr = { type, sizeof(f) }, .offset = va, .value = value };

	cmdbuf_add(c, &f, sizeof(f));
}

#endif
