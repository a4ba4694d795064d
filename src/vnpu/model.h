/* SPDX-License-Identifier: MIT */
/*
 * Inside the virtual NPU: state and the functions its parts call of each other.
 *
 *   vnpu.c      public functions, the lock       event.c   virtual time, the device's threads
 *   pci.c       configuration space              fw.c      firmware: start, IPC transport
 *   regs.c      register file of the tables      jsm.c     firmware: control messages
 *   btrs.c      buttress side effects            jobq.c    firmware: queues, doorbells, completions
 *   ip.c        IP side effects                  cmd.c     firmware: command buffers
 *   mmu.c       queues, tables, walks, events    record.c  findings, trace, faults
 *   mem.c       DMA map, views of NPU memory     order.c   the order of power-up and boot
 *
 * Owner of all of it: whoever holds vnpu.lock.  Only an inference runs without it.
 */
#ifndef VNPU_MODEL_H
#define VNPU_MODEL_H

#include <pthread.h>
#include <stdatomic.h>

#include "abi/boot_params.h"
#include "abi/cmdbuf.h"
#include "abi/ipc.h"
#include "abi/jobq.h"
#include "abi/jsm.h"
#include "abi/mmu.h"
#include "abi/program.h"
#include "base/base.h"
#include "regs/gen.h"
#include "vnpu/engine/exec.h"
#include "vnpu/vnpu.h"

#define VNPU_MAX_BLOCKS	  6u
#define VNPU_NR_DOORBELLS 256u
#define VNPU_NR_SSIDS	  256u

/* --- record.c: findings, trace, faults ----------------------------------------------------- */

#define VNPU_MAX_KEPT	256u
#define VNPU_TRACE_SIZE 4096u /* records; a power of two */

struct vnpu_kept { /* one finding */
	enum vnpu_class cls;
	u64 time_ns;
	char where[64];
	char text[192];
};

struct vnpu_trace_record { /* 32 bytes */
	u64 time_ns;
	u64 val;
	u32 off;
	u8 bar;
	u8 size_bytes;
	u8 is_write;
	u8 pad0;
	u64 pad1;
};

enum vnpu_fault_id {
	VNPU_FAULT_PLL_NEVER_LOCKS,
	VNPU_FAULT_NO_POWER,
	VNPU_FAULT_ISLAND_STUCK,
	VNPU_FAULT_NOC_DENIES,
	VNPU_FAULT_FW_NEVER_READY,
	VNPU_FAULT_FW_SLOW,
	VNPU_FAULT_FW_DEAD,
	VNPU_FAULT_IRQ_LOST,
	VNPU_FAULT_IRQ_STORM,
	VNPU_FAULT_ANSWER_LOST,
	VNPU_FAULT_ANSWER_WRONG,
	VNPU_FAULT_ANSWER_TWICE,
	VNPU_FAULT_ANSWER_UNSOLICITED,
	VNPU_FAULT_HEADER_CORRUPT,
	VNPU_FAULT_DOORBELL_LOST,
	VNPU_FAULT_ENGINE_STUCK,
	VNPU_FAULT_MMU_FAULT,
	VNPU_FAULT_ALL_ONES,
	VNPU_NR_FAULTS,
};

struct vnpu_record {
	u64 nr_findings[VNPU_NR_CLASSES];
	struct vnpu_kept *kept; /* VNPU_MAX_KEPT */
	u32 nr_kept;
	struct vnpu_trace_record *trace; /* ring of VNPU_TRACE_SIZE */
	u64 nr_trace;
	u64 trace_hash;
	u32 faults[VNPU_NR_FAULTS]; /* occasions left to go wrong */
};

/* --- mem.c: bus memory and views ----------------------------------------------------------- */

struct vnpu_dma_region {
	u64 addr, len;
	u8 *host;
	bool writable;
	u32 pins; /* views that hold a pointer into it */
};

struct vnpu_dma {
	struct vnpu_dma_region **regions; /* sorted by address */
	u32 nr, max;
	struct vnpu_dma_region *last; /* most recently used */
	pthread_cond_t unpinned;
};

#define VNPU_TLB_SIZE 512u /* a power of two */

struct vnpu_tlb_entry {
	u64 page; /* va >> 12 */
	u32 ssid;
	bool valid, writable;
	u32 asid_epoch, epoch; /* valid while both still match */
	u8 *host;
	struct vnpu_dma_region *region;
};

/* --- mmu.c --------------------------------------------------------------------------------- */

struct vnpu_mmu {
	u32 epoch; /* bumped by TLBI_NSNH_ALL, CFGI_ALL, reset, unmap */
	u32 asid_epoch[VNPU_NR_SSIDS];
	struct vnpu_tlb_entry tlb[VNPU_TLB_SIZE];
};

/* --- fw.c, jsm.c, jobq.c: the firmware's side ---------------------------------------------- */

#define VNPU_RX_SLOTS	   128u /* P 6.2 */
#define VNPU_RX_MSGS	   64u
#define VNPU_FIFO_SIZE	   256u /* entries, a power of two; 255 are visible */
#define VNPU_OUT_SIZE	   512u
#define VNPU_CMDBUF_INLINE 512u
#define VNPU_CMDBUF_MAX	   (16u << 20)

enum vnpu_job_state {
	VNPU_JOB_NONE,
	VNPU_JOB_RUNNING,
	VNPU_JOB_FENCE,	 /* waits for memory to reach a value */
	VNPU_JOB_QUEUED, /* waits for the compute engine */
	VNPU_JOB_ENGINE, /* on the compute engine */
	VNPU_JOB_HALTED, /* faulted: reported, waits for SSID_RELEASE (P 10.7) */
	VNPU_JOB_STUCK,	 /* fault injected: never ends */
};

struct vnpu_job_run { /* the job at the head of a queue */
	enum vnpu_job_state state;
	u32 job_id;
	u32 flags;
	u64 batch_addr;
	u32 pos, end; /* in the private copy of the command buffer */
	u64 desc_base, fence_base;
	u32 copy_idx; /* descriptor of the COPY in hand */
	u64 done_len; /* bytes of the COPY descriptor or FILL in hand */
	u64 ticket;   /* order of arrival at the engine */
	u8 *cmds;     /* inline_cmds, or allocated */
	u32 engine_status;
	_Alignas(8) u8 inline_cmds[VNPU_CMDBUF_INLINE];
};

struct vnpu_queue {
	bool is_registered;
	bool is_rung;
	u32 ssid;
	u64 base; /* in SSID 0 */
	u32 head;
	struct vnpu_job_run run;
};

struct vnpu_out { /* an answer on its way to the driver */
	u16 channel;
	struct abi_jsm_msg msg;
};

struct vnpu_fw {
	bool is_running; /* the CPU was started and the firmware came up */
	bool is_dead;
	u64 entry;
	struct abi_boot_params params;
	u32 rx_hdr, rx_msg;	     /* next slot to try */
	u32 fifo_in[VNPU_FIFO_SIZE]; /* host -> NPU */
	u32 in_head, in_tail;
	u32 fifo_out[VNPU_FIFO_SIZE]; /* NPU -> host */
	u32 out_head, out_tail;
	struct vnpu_out *pending; /* ring of VNPU_OUT_SIZE: waits for RX slots */
	u32 pend_head, pend_tail;
	u64 heartbeat;
	struct vnpu_queue *queues; /* by doorbell */
	u32 first_rung, last_rung; /* bounds of rung doorbells; first > last: none */
	u32 nr_active;		   /* queues with a job in hand */
	u64 next_ticket;
	bool drop_all; /* prepared programs to forget once the engine is free */
	u64 drop_ssids[VNPU_NR_SSIDS / 64];
};

/* --- event.c ------------------------------------------------------------------------------- */

enum vnpu_event {
	VNPU_EV_READY,	  /* the firmware says that it is up */
	VNPU_EV_IPC,	  /* messages in the host -> NPU FIFO */
	VNPU_EV_DOORBELL, /* rung doorbells */
	VNPU_EV_POLL,	  /* look at fences again, go on with long copies */
	VNPU_EV_ENGINE,	  /* the compute engine is done, or has work (stepped) */
	VNPU_EV_STORM,	  /* fault: another interrupt */
	VNPU_NR_EVENTS,
};

#define VNPU_NEVER UINT64_MAX

struct vnpu_time {
	u64 now_ns; /* stepped: the virtual clock */
	u64 due[VNPU_NR_EVENTS];
	u64 rng;
};

struct vnpu_threads {
	bool are_running;
	bool stop;
	atomic_bool kick;    /* pairs with the firmware thread's spin: work may be there */
	bool is_asleep;	     /* the firmware thread waits on wake_fw */
	bool is_engine_busy; /* the engine thread computes without the lock */
	pthread_cond_t wake_fw, wake_engine;
	pthread_t fw, engine;
};

/* --- pci.c, regs.c, order.c ---------------------------------------------------------------- */

struct vnpu_pci {
	u8 cfg[256];
	u8 wmask[256];
};

/* What a register does beyond its row.  Either may be NULL. */
struct vnpu_reg_hook {
	u64 (*read)(struct vnpu *m, u64 val);
	void (*write)(struct vnpu *m, u64 old, u64 val); /* @val: bits of the row's write mask */
};

struct vnpu_reg_block {
	const struct reg_block *block;
	const struct vnpu_reg_hook *hooks; /* by row */
	u64 *vals;			   /* by row */
};

#define VNPU_REG_CACHE 64u

struct vnpu_reg_ref { /* a found row */
	u32 off;
	u8 bar;
	bool valid;
	struct vnpu_reg_block *block;
	const struct reg_desc *desc;
	u32 idx;
};

struct vnpu_regs {
	struct vnpu_reg_block blocks[VNPU_MAX_BLOCKS];
	u32 nr;
	struct vnpu_reg_ref cache[VNPU_REG_CACHE];
};

/* One access that must come in its turn. */
struct vnpu_order_step {
	const struct reg_block *block;
	u16 row; /* REG_IDX_... */
	bool is_write;
	const char *source; /* "P 3.4 #9" */
};

struct vnpu_order {
	const struct vnpu_order_step *steps; /* of the running sequence; NULL: none */
	u32 nr, next;
};

/* What a generation adds: src/vnpu/gen/. */
struct vnpu_gen {
	const struct reg_gen *data;
	u8 revision;
	struct {
		const struct reg_block *block;
		const struct vnpu_reg_hook *hooks;
	} blocks[VNPU_MAX_BLOCKS];
	const struct vnpu_order_step *power_up; /* from "workpoint on" to "interrupts on" */
	u32 nr_power_up;
};

extern const struct vnpu_gen vnpu_gen_npu37;
const struct vnpu_gen *vnpu_gen_by_name(const char *name);

struct vnpu_power { /* what the driver has done, and what of it took effect */
	bool is_wp_on, was_wp_off, was_d0i3_out, is_d0i3;
	bool rst_clr, island_on, noc_on, top_noc_on;
	bool clk_set, rst_set;
	u32 vec_step; /* P 3.6 #3..5 seen */
	u64 boot_reg; /* entry written without DONE */
	bool ran;     /* the CPU ran since the last IP reset */
	bool is_tim_unlocked;
	u16 ratio;
};

struct vnpu {
	pthread_mutex_t lock; /* protects: everything below */
	struct vnpu_config cfg;
	const struct vnpu_gen *gen;
	struct vnpu_record record;
	struct vnpu_time time;
	struct vnpu_threads threads;
	struct vnpu_pci pci;
	struct vnpu_regs regs;
	struct vnpu_order order;
	struct vnpu_power power;
	bool irq_line; /* the expression of P 2.6 */
	u64 icb_latched;
	struct vnpu_dma dma;
	struct vnpu_mmu mmu;
	struct vnpu_fw fw;
	struct vnpu_exec *exec;
	struct vnpu_stats stats;
	u32 reset_count; /* an inference that outlives a reset is forgotten */
};

/* --- record.c */
int vnpu_record_init(struct vnpu *m);
void vnpu_record_fini(struct vnpu *m);
/** vnpu_report() - a finding: count it, keep it, tell the embedder. */
void vnpu_report(struct vnpu *m, enum vnpu_class cls, const char *where, const char *fmt, ...)
	BASE_PRINTF(4, 5);
void vnpu_trace(struct vnpu *m, u32 bar, u32 off, u32 size, bool is_write, u64 val);
/** vnpu_fault_take() - does this occasion of fault @id go wrong? */
static inline bool vnpu_fault_take(struct vnpu *m, enum vnpu_fault_id id)
{
	if (BASE_LIKELY(!m->record.faults[id]))
		return false;
	if (m->record.faults[id] != UINT32_MAX)
		m->record.faults[id]--;
	return true;
}

/* --- pci.c */
void vnpu_pci_init(struct vnpu *m);
u32 vnpu_pci_read(struct vnpu *m, u32 off, u32 size);
void vnpu_pci_write(struct vnpu *m, u32 off, u32 size, u32 val);
bool vnpu_pci_has_memory(const struct vnpu *m); /* decodes BARs: command register and D0 */
bool vnpu_pci_is_master(const struct vnpu *m);
void vnpu_pci_msi(struct vnpu *m);

/* --- regs.c */
int vnpu_regs_init(struct vnpu *m);
void vnpu_regs_fini(struct vnpu *m);
void vnpu_regs_reset(struct vnpu *m, bool ip_only);
u64 vnpu_regs_read(struct vnpu *m, u32 bar, u32 off, u32 size);
void vnpu_regs_write(struct vnpu *m, u32 bar, u32 off, u32 size, u64 val);
/** vnpu_reg() - where the value of a row is kept. */
u64 *vnpu_reg(struct vnpu *m, const struct reg_block *block, u32 row);
#define VNPU_BTRS(m, name) (*vnpu_reg(m, &reg_block_btrs_mtl, REG_IDX_BTRS_MTL_##name))
#define VNPU_IP(m, name)   (*vnpu_reg(m, &reg_block_ip_37xx, REG_IDX_IP_37XX_##name))
#define VNPU_MMU(m, name)  (*vnpu_reg(m, &reg_block_mmu, REG_IDX_MMU_##name))

/* --- order.c */
void vnpu_order_start(struct vnpu *m, const struct vnpu_order_step *steps, u32 nr);
void vnpu_order_stop(struct vnpu *m);
void vnpu_order_access(struct vnpu *m, const struct reg_block *block, u32 row, bool is_write);

/* --- btrs.c, ip.c, mmu.c: hooks of the rows */
extern const struct vnpu_reg_hook vnpu_btrs_mtl_hooks[];
extern const struct vnpu_reg_hook vnpu_ip_37xx_hooks[];
extern const struct vnpu_reg_hook vnpu_mmu_hooks[];
/** vnpu_power_reset() - D3hot or function-level reset: nothing survives. */
void vnpu_power_reset(struct vnpu *m);
void vnpu_ip_reset(struct vnpu *m);
bool vnpu_is_idle(const struct vnpu *m);
/** vnpu_irq_update() - P 2.6: an MSI on every rising edge. */
void vnpu_irq_update(struct vnpu *m);
void vnpu_irq_raise(struct vnpu *m, u32 icb_bit);
/** vnpu_doorbell() - a write to element @db of the doorbell array. */
void vnpu_doorbell(struct vnpu *m, u32 db, u32 val);
u64 vnpu_perf_counter(const struct vnpu *m);

/* --- mmu.c */
/** vnpu_mmu_flush() - forget every cached translation. */
void vnpu_mmu_flush(struct vnpu *m);
/** vnpu_mmu_page() - host address of the page of @va; NULL: no access, an event was recorded. */
u8 *vnpu_mmu_page(struct vnpu *m, u32 ssid, u64 va, bool write, struct vnpu_dma_region **region);

/* --- mem.c */
void vnpu_dma_init(struct vnpu *m);
void vnpu_dma_fini(struct vnpu *m);
/** vnpu_dma_at() - host pointer for bus memory inside one region; NULL if not mapped. */
u8 *vnpu_dma_at(struct vnpu *m, u64 addr, u64 len, bool write, struct vnpu_dma_region **region);
/** vnpu_mem_read(), vnpu_mem_write() - copy between NPU memory and ours; -EFAULT. */
int vnpu_mem_read(struct vnpu *m, u32 ssid, u64 va, void *buf, u64 len) BASE_WARN_UNUSED;
int vnpu_mem_write(struct vnpu *m, u32 ssid, u64 va, const void *buf, u64 len) BASE_WARN_UNUSED;
/** vnpu_mem_ptr() - pointer to @len bytes inside one page, valid until the lock is dropped. */
void *vnpu_mem_ptr(struct vnpu *m, u32 ssid, u64 va, u64 len, bool write);
int vnpu_mem_copy(struct vnpu *m, u32 ssid, u64 dst, u64 src, u64 len) BASE_WARN_UNUSED;
int vnpu_mem_fill(struct vnpu *m, u32 ssid, u64 dst, u64 len, u32 pattern) BASE_WARN_UNUSED;

struct vnpu_view {
	struct vnpu_dma_region *region; /* pinned, or NULL: bounce */
	u8 *ptr;
	u64 va, len;
	u32 ssid;
};
/** vnpu_view_get() - [va, va + len) as contiguous host memory; one walk; -EFAULT, -ENOMEM. */
int vnpu_view_get(struct vnpu *m, u32 ssid, u64 va, u64 len, bool write, struct vnpu_view *out)
	BASE_WARN_UNUSED;
/** vnpu_view_put() - release; @written: bring what a bounce buffer holds back. */
void vnpu_view_put(struct vnpu *m, struct vnpu_view *view, bool written);

/* --- event.c */
void vnpu_time_init(struct vnpu *m);
u64 vnpu_time(const struct vnpu *m);
/** vnpu_schedule() - @ev in about @delay_ns (threaded: at once, unless @exact). */
void vnpu_schedule(struct vnpu *m, enum vnpu_event ev, u64 delay_ns, bool exact);
int vnpu_threads_start(struct vnpu *m);
void vnpu_threads_stop(struct vnpu *m);

/* --- fw.c */
int vnpu_fw_init(struct vnpu *m);
void vnpu_fw_fini(struct vnpu *m);
void vnpu_fw_reset(struct vnpu *m);
void vnpu_fw_start(struct vnpu *m, u64 entry); /* the CPU was let go */
void vnpu_fw_ready(struct vnpu *m);
void vnpu_fw_host_message(struct vnpu *m, u32 addr);
void vnpu_fw_receive(struct vnpu *m);
/** vnpu_fw_send() - queue an answer or notification and push what fits. */
void vnpu_fw_send(struct vnpu *m, u16 channel, const struct abi_jsm_msg *msg);
void vnpu_fw_flush(struct vnpu *m);
u32 vnpu_fw_fifo_fill(const struct vnpu *m);
u32 vnpu_fw_fifo_pop(struct vnpu *m);

/* --- jsm.c */
void vnpu_jsm_handle(struct vnpu *m, u16 channel, const struct abi_jsm_msg *req);

/* --- jobq.c */
void vnpu_jobq_run(struct vnpu *m);
void vnpu_jobq_release(struct vnpu *m, struct vnpu_queue *q);
void vnpu_jobq_abort_ssid(struct vnpu *m, u32 ssid);
void vnpu_jobq_poll(struct vnpu *m);
/** vnpu_jobq_engine_next() - the queue whose inference is next on the engine, or NULL. */
struct vnpu_queue *vnpu_jobq_engine_next(struct vnpu *m);
/** vnpu_jobq_engine_done() - finished inferences go on with the next command. */
void vnpu_jobq_engine_done(struct vnpu *m);
/** vnpu_jobq_drop() - forget prepared programs of @ssid, or all (VNPU_NR_SSIDS). */
void vnpu_jobq_drop(struct vnpu *m, u32 ssid);
void vnpu_jobq_apply_drops(struct vnpu *m);

/* --- cmd.c */
/** vnpu_cmd_load() - copy and check the command buffer of @run; a job status. */
u32 vnpu_cmd_load(struct vnpu *m, u32 ssid, struct vnpu_job_run *run);
/** vnpu_cmd_run() - go on until done, parked or failed; run->state says, the status if done. */
u32 vnpu_cmd_run(struct vnpu *m, u32 ssid, struct vnpu_job_run *run);
void vnpu_cmd_free(struct vnpu_job_run *run);
/** vnpu_cmd_infer() - run the inference @run is parked at.  The lock is held, and dropped while
 * the engine computes if @unlock; a job status. */
u32 vnpu_cmd_infer(struct vnpu *m, u32 ssid, const struct vnpu_job_run *run, bool unlock);

#endif
