/* SPDX-License-Identifier: MIT */
/*
 * A tiny driver for the model's own tests: PCI, memory, page tables, IPC, jobs; the boot is in
 * test_boot.h.  Straight from the protocol reference and independent of src/driver.
 */
#ifndef VNPU_TEST_HOST_H
#define VNPU_TEST_HOST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
#define HOST_USER	(host_info->va.user.start)
#define HOST_USER_PAGES 16u
#define HOST_ENTRY	(host_info->va.runtime.start + 0x3000)

/* Registers under the names of 37xx and MTL, with those of the 40xx flavour behind the LNL buttress. */
#define HOST_BTRS(X)                        \
	X(ATS_ERR_CLEAR, ATS_ERR_CLEAR)     \
	X(FMIN_FUSE, FMIN_FUSE)             \
	X(GLOBAL_INT_MASK, GLOBAL_INT_MASK) \
	X(INTERRUPT_STAT, INTERRUPT_STAT)   \
	X(LOCAL_INT_MASK, LOCAL_INT_MASK)   \
	X(CURRENT_PLL, PLL_FREQ)            \
	X(VPU_D0I3_CONTROL, D0I3_CONTROL)   \
	X(VPU_IP_RESET, IP_RESET)           \
	X(VPU_STATUS, VPU_STATUS)           \
	X(WP_REQ_CMD, WP_REQ_CMD)           \
	X(WP_REQ_PAYLOAD0, WP_REQ_PAYLOAD0) \
	X(WP_REQ_PAYLOAD1, WP_REQ_PAYLOAD1) \
	X(WP_REQ_PAYLOAD2, WP_REQ_PAYLOAD2)
#define HOST_IP(X)                                                                \
	X(CPU_SS_DOORBELL, CPU_SS_DOORBELL)                                       \
	X(CPU_SS_TIM_IPC_FIFO, CPU_SS_TIM_IPC_FIFO)                               \
	X(CPU_SS_TIM_PERF_FREE_CNT, CPU_SS_TIM_PERF_EXT_FREE_CNT)                 \
	X(HOST_IF_TBU_MMUSSIDV, HOST_IF_TBU_MMUSSIDV)                             \
	X(HOST_IF_TCU_PTW_OVERRIDES, HOST_IF_TCU_PTW_OVERRIDES)                   \
	X(HOST_SS_AON_PWR_ISLAND_EN0, HOST_SS_AON_PWR_ISLAND_EN0)                 \
	X(HOST_SS_AON_PWR_ISLAND_STATUS0, HOST_SS_AON_PWR_ISLAND_STATUS0)         \
	X(HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0, HOST_SS_AON_PWR_ISLAND_TRICKLE_EN0) \
	X(HOST_SS_AON_PWR_ISO_EN0, HOST_SS_AON_PWR_ISO_EN0)                       \
	X(HOST_SS_AON_VPU_IDLE_GEN, HOST_SS_AON_IDLE_GEN)                         \
	X(HOST_SS_CPR_CLK_SET, HOST_SS_CPR_CLK_EN)                                \
	X(HOST_SS_CPR_RST_SET, HOST_SS_CPR_RST_EN)                                \
	X(HOST_SS_FW_SOC_IRQ_EN, HOST_SS_FW_SOC_IRQ_EN)                           \
	X(HOST_SS_ICB_CLEAR, HOST_SS_ICB_CLEAR)                                   \
	X(HOST_SS_ICB_ENABLE, HOST_SS_ICB_ENABLE)                                 \
	X(HOST_SS_ICB_STATUS_0, HOST_SS_ICB_STATUS_0)                             \
	X(HOST_SS_NOC_QACCEPTN, HOST_SS_NOC_QACCEPTN)                             \
	X(HOST_SS_NOC_QDENY, HOST_SS_NOC_QDENY)                                   \
	X(HOST_SS_NOC_QREQN, HOST_SS_NOC_QREQN)                                   \
	X(HOST_SS_TIM_IPC_FIFO_ATM, HOST_SS_TIM_IPC_FIFO_ATM)                     \
	X(HOST_SS_TIM_IPC_FIFO_STAT, HOST_SS_TIM_IPC_FIFO_STAT)                   \
	X(TOP_NOC_QACCEPTN, TOP_NOC_QACCEPTN)                                     \
	X(TOP_NOC_QDENY, TOP_NOC_QDENY)                                           \
	X(TOP_NOC_QREQN, TOP_NOC_QREQN)

#define X(name, other) u32 name;
struct host_regs {
	HOST_BTRS(X) HOST_IP(X)
};
#undef X
#define XB(name, other) .name = REG_BTRS_MTL_##name,
#define XV(name, other) .name = REG_IP_37XX_##name,
static const struct host_regs host_regs_37xx = { HOST_BTRS(XB) HOST_IP(XV) };
#undef XB
#undef XV
#define XB(name, other) .name = REG_BTRS_LNL_##other,
#define XV(name, other) .name = REG_IP_40XX_##other,
static const struct host_regs host_regs_40xx = { HOST_BTRS(XB) HOST_IP(XV) };
#undef XB
#undef XV

/* The generation under test: every suite runs for each, see host_choose(). */
static const struct reg_gen *host_info = &reg_gen_npu37;
static const struct host_regs *host_regs = &host_regs_37xx;

static inline void host_use(const struct reg_gen *info)
{
	host_info = info;
	host_regs = info->btrs_kind == REG_BTRS_MTL ? &host_regs_37xx : &host_regs_40xx;
}

/* Has the generation the LNL buttress and the 40xx registers? */
static inline bool host_is_40xx(void)
{
	return host_info->btrs_kind == REG_BTRS_LNL;
}

/* To be called first: the program's argument, if there is one, names the generation. */
static inline void host_choose(int argc, char **argv)
{
	const struct reg_gen *info = argc > 1 ? reg_gen_by_name(argv[1]) : &reg_gen_npu37;

	if (!info) {
		fprintf(stderr, "%s: no generation %s\n", argv[0], argv[1]);
		exit(2);
	}
	host_use(info);
}

#define B(name)	  4, host_regs->name
#define V(name)	  0, host_regs->name
#define M(name)	  0, REG_MMU_##name
#define LNL(name) 4, REG_BTRS_LNL_##name
#define V37(name) 0, REG_IP_37XX_##name
#define V40(name) 0, REG_IP_40XX_##name
#define V50(name) 0, REG_IP_50XX_##name

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
	u64 skip; /* boot steps left out: bits of SK_ */
	u32 swap; /* 1 + boot step that runs behind its successor */
	bool evtq_on;
	u32 jsm_answer;
	u64 entry; /* 0: HOST_ENTRY */
	bool hws;  /* boot with hardware scheduling */
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

static inline int host_remote_read(void *opaque, uint64_t addr, void *buf, uint32_t len)
{
	const struct host *h = opaque;

	memcpy(buf, (const u8 *)h->mem + (addr - HOST_BUS), len);
	return 0;
}

static inline int host_remote_write(void *opaque, uint64_t addr, const void *buf, uint32_t len)
{
	struct host *h = opaque;

	memcpy((u8 *)h->mem + (addr - HOST_BUS), buf, len);
	return 0;
}

/* $VNPU_TEST_REMOTE: the device gets copies only, as over a socket. */
static inline void host_map_memory(struct host *h)
{
	const struct vnpu_remote remote = { h, host_remote_read, host_remote_write };

	if (getenv("VNPU_TEST_REMOTE"))
		assert_int_equal(vnpu_dma_map_remote(h->v, HOST_BUS, HOST_MEM, &remote, true), 0);
	else
		assert_int_equal(vnpu_dma_map(h->v, HOST_BUS, HOST_MEM, h->mem, true), 0);
}

/*
 * Life
 */

static inline void host_open_irq(struct host *h, u64 seed, enum vnpu_mode mode,
				 void (*msi)(void *opaque, unsigned vector))
{
	const struct vnpu_config cfg = { .gen = host_info->name,
					 .mode = mode,
					 .seed = seed,
					 .engine = "plain",
					 .opaque = h,
					 .msi = msi };
	char why[200];

	*h = (struct host){ .threaded = mode == VNPU_THREADED };
	assert_int_equal(vnpu_create(&cfg, &h->v, why, sizeof(why)), 0);
	h->mem = aligned_alloc(BASE_PAGE_SIZE, HOST_MEM);
	assert_non_null(h->mem);
	memset(h->mem, 0, HOST_MEM);
	host_map_memory(h);
}

static inline void host_open_mode(struct host *h, u64 seed, enum vnpu_mode mode)
{
	host_open_irq(h, seed, mode, host_msi);
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
 * MMU commands
 */

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

/*
 * Messages of the NPU
 */

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

/* Copy descriptor @idx of the array at user address @va, in the generation's layout. */
static inline void host_copy_desc(struct host *h, u32 ssid, u64 va, u32 idx, u64 src, u64 dst,
				  u32 size)
{
	const struct reg_copy_desc *lay = &host_info->copy;
	u8 *p = host_at(h, ssid, va + (u64)idx * lay->size_bytes);

	memset(p, 0, lay->size_bytes);
	memcpy(p + lay->len_off, &size, sizeof(size));
	memcpy(p + lay->src_off, &src, sizeof(src));
	memcpy(p + lay->dst_off, &dst, sizeof(dst));
}

#include "vnpu/test_boot.h"

#endif
