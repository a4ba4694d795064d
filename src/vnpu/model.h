/* SPDX-License-Identifier: MIT */
/*
 * The device model: its state, and what its files offer each other.
 *
 * Everything in struct vnpu is protected by its lock, except what says otherwise.  The lock is held
 * in every function below unless the comment says otherwise; it is dropped only around an inference
 * (compute.c) and while somebody sleeps (thread.c, vnpu_dma_unmap()).
 *
 * Two threads beside the callers, in threaded mode: the firmware's (runs what is due) and the
 * engine's (runs the heavy command of one job at a time).  In stepped mode the caller of
 * vnpu_run_until() is both.
 *
 * "P" in comments is the protocol reference.
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
#include "abi/ref.h"
#include "base/base.h"
#include "regs/gen.h"
#include "vnpu/fw_log.h"
#include "vnpu/hws.h"
#include "vnpu/lock.h"
#include "vnpu/metric.h"
#include "vnpu/vnpu.h"

#define VNPU_NEVER	   UINT64_MAX
#define VNPU_MAX_REGS	   1024 /* elements of arrays included */
#define VNPU_REG_SLOTS	   4096 /* of the lookup; several times the number of registers */
#define VNPU_REG_QUICK	   1024 /* of the registers met last */
#define VNPU_REG_HASH(off) ((u32)(off)*0x9e3779b1u)
#define VNPU_MAX_FINDINGS  256
#define VNPU_MAX_ORDER	   128 /* steps of a boot */
#define VNPU_NR_SSIDS	   ABI_MMU_CD_ENTRIES
#define VNPU_NR_TLB	   2048
#define VNPU_NR_QUEUES	   256 /* one per doorbell */
#define VNPU_CFG_SIZE	   256

struct vnpu_reg;
struct vnpu_exec;
struct vnpu_queue;

/*
 * Register file
 */

enum vnpu_domain {		    /* power a register needs; the order is that of power-up */
		   VNPU_DOM_ALWAYS, /* the buttress */
		   VNPU_DOM_HOST,   /* host subsystem: workpoint on */
		   VNPU_DOM_NOC,    /* behind TOP_NOC: MMU, host interface, CPU subsystem */
};

/*
 * Side effects of one register.
 * rd: the register's value (side effects of RC included).
 * wr: RW: after @val was stored.  Other kinds: all of the behaviour; @val has only the bits that
 *     were written and are writable.
 */
struct vnpu_hook {
	u8 bar;
	u32 off;
	u64 (*rd)(struct vnpu *v, struct vnpu_reg *r);
	void (*wr)(struct vnpu *v, struct vnpu_reg *r, u64 val);
};

struct vnpu_reg {
	const struct reg_desc *desc;
	u64 val;
	u64 wmask;
	u64 refuse; /* bits whose write is a finding: reserved ones, all of a read-only register */
	u64 (*rd)(struct vnpu *v, struct vnpu_reg *r); /* never NULL */
	void (*wr)(struct vnpu *v, struct vnpu_reg *r, u64 val);
	u64 what_rd, what_wr; /* VNPU_TRACE_WHAT() of 4-byte accesses */
	u32 off, bar;
	u32 elem; /* index in an array */
	u8 kind;
	u8 width;
	s8 domain;
};

struct vnpu_regs {
	/* registers whose plain access needs no closer look; &reg[0] for none */
	struct vnpu_reg *quick[VNPU_REG_QUICK];
	struct vnpu_reg reg[VNPU_MAX_REGS]; /* [0]: none, in no BAR */
	u32 nr;
	u16 slot[VNPU_REG_SLOTS]; /* index, 0 none; every 4-byte word of every register */
};

/*
 * Generation: what is specific, as data and verbs (gen/)
 */
struct vnpu_order_step { /* one access of the boot */
	u8 bar;
	bool write;
	u32 off;
	const char *source; /* "P 3.4 step 7"; NULL ends the list */
};

enum vnpu_step_id { /* of power-up and CPU start; what a generation has is in its table */
		    VNPU_ST_RST_CLR,
		    VNPU_ST_IDLE_GEN,
		    VNPU_ST_CLOCK_ACK,
		    VNPU_ST_DELAY_POST,
		    VNPU_ST_DELAY_STATUS,
		    VNPU_ST_TRICKLE,
		    VNPU_ST_ISLAND_EN,
		    VNPU_ST_ISLAND_UP,
		    VNPU_ST_CLK,
		    VNPU_ST_ISO_OFF,
		    VNPU_ST_RST,
		    VNPU_ST_DPU_ACTIVE,
		    VNPU_ST_HOST_NOC,
		    VNPU_ST_WEIGHTS,
		    VNPU_ST_WEIGHTS_ATS,
		    VNPU_ST_TOP_NOC,
		    VNPU_ST_SNOOP,
		    VNPU_ST_SSIDV,
		    VNPU_ST_CPU_RUN,
		    VNPU_ST_CPU_RESUME,
		    VNPU_ST_CPU_RESUMED,
		    VNPU_ST_CPU_NOC,
		    VNPU_ST_ENTRY,
		    VNPU_ST_START,
		    VNPU_NR_STEPS,
};

struct vnpu_step {
	const char *name;
	u32 needs; /* bits of enum vnpu_step_id: without them no effect */
	u32 soft;  /* without them a finding only */
};

struct vnpu_gen {
	const struct reg_gen *info;
	u8 revisions[REG_GEN_MAX_IDS];	      /* usual PCI revision of each of info->ids */
	const struct vnpu_hook *const *hooks; /* tables that end with a row without functions */
	enum vnpu_domain (*domain)(const struct reg_block *block, u32 off);
	const struct vnpu_order_step *boot_order;
	const struct vnpu_step *steps; /* VNPU_NR_STEPS */
	bool wp_off_first;	       /* workpoint off before on: P 3.4 step 1 */
	bool warm_at_cold_entry;       /* P 5.3 */
	/* the power unit wants duty cycling, or no more of it; NULL: it never asks */
	void (*dct_request)(struct vnpu *v, bool on);
	/* state beside that of IP and buttress, at reset; NULL: there is none */
	void (*reset)(struct vnpu *v);
	/* the engine is done with the command of @q's job */
	void (*op_done)(struct vnpu *v, struct vnpu_queue *q, u32 status);
	/* memory for an inference: vnpu_view() */
	int (*view)(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token);
};

/*
 * Time
 */

enum vnpu_timer { /* at equal times in this order */
		  VNPU_T_WORKPOINT,
		  VNPU_T_IP_RESET,
		  VNPU_T_ISLAND,
		  VNPU_T_BOOT,
		  VNPU_T_RX,
		  VNPU_T_IPC,
		  VNPU_T_ENGINE,
		  VNPU_T_FENCE,
		  VNPU_T_JOBS,
		  VNPU_T_METRIC,
		  VNPU_T_REF_BOOT,
		  VNPU_T_REF_RINGS,
		  VNPU_NR_TIMERS,
};

struct vnpu_clock {
	u64 now_ns;
	u64 next_ns; /* least of at[] */
	u64 at[VNPU_NR_TIMERS];
	u32 armed; /* bits of the timers that are set */
	u64 rng;
};

/*
 * Memory
 */

struct vnpu_map { /* of bus memory to host memory */
	u64 addr, len;
	u8 *host; /* NULL: remote */
	struct vnpu_remote remote;
	bool writable;
	u32 pins; /* views that use it without the lock */
};

struct vnpu_dma {
	struct vnpu_map **maps; /* ascending by address */
	u32 nr, cap;
	struct vnpu_map *last;	      /* hit */
	u64 total;		      /* bytes mapped */
	struct vnpu_window **windows; /* copies of remote pages, while the lock is held */
	u32 nr_windows;
	_Atomic u32 unpinned; /* changes when a pin goes; dma_unmap sleeps on it */
	bool master;	      /* PCI allows DMA */
};

/* Keys are page addresses with the tag of the SSID below; 0 is the key of no access. */
struct vnpu_tlb {
	u64 rd, wr;
	uintptr_t delta; /* from NPU address to host address */
	struct vnpu_map *map;
};

#define VNPU_TLB_TAG(ssid, epoch) ((u32)(ssid) << 4 | (epoch))
#define VNPU_TLB_SSID		  VNPU_TLB_TAG(VNPU_NR_SSIDS - 1, 0)
#define VNPU_TLB_EPOCHS		  15u /* 1 to 15; others' entries are of a flushed past */

struct vnpu_cd { /* cached context descriptor */
	u64 root;
	bool valid, record;
};

struct vnpu_mmu {
	u64 cmdq_base, evtq_base, strtab_base;
	u32 cr0, irq_ctrl, gerror, gerrorn;
	u32 cmdq_prod, cmdq_cons, cmdq_err;
	u32 evtq_prod, evtq_cons;
	u32 strtab_log2;
	/* CFGI_ALL, TLBI_NSNH_ALL: since reset; since SMMUEN.  P 8.3 steps 6, 13 */
	bool cfg_flushed, tlb_flushed, cfg_flushed_on, tlb_flushed_on;
	struct vnpu_cd cd[VNPU_NR_SSIDS];
	u16 tag[VNPU_NR_SSIDS]; /* VNPU_TLB_TAG() */
	struct vnpu_tlb tlb[VNPU_NR_TLB];
};

/*
 * Power
 */

struct vnpu_btrs {
	bool on;			  /* workpoint */
	bool wp_busy;			  /* request under way */
	bool wp_want;			  /* what it asks */
	bool wp_off_seen, d0i3_exit_seen; /* since power-on, P 3.4 steps 1 and 2 */
	bool d0i3;
	bool resetting; /* IP reset under way */
	u8 wp_written;	/* payload registers since the last request */
	u32 payload[3]; /* WP_REQ_PAYLOAD */
	u32 ratio, cdyn;
	u32 mailbox;	   /* PCODE_MAILBOX_SHADOW */
	bool mailbox_open; /* a request waits for its answer */
};

struct vnpu_order {
	const struct vnpu_order_step *steps; /* NULL: nothing is followed */
	u32 next;
	u64 noted[VNPU_MAX_ORDER / 64]; /* steps passed over, not yet reported; their number */
	u32 nr_noted;
};

struct vnpu_ip {
	u32 steps; /* bits of enum vnpu_step_id: done since reset */
	u32 told;  /* steps whose absence was reported, so that one omission is one finding */
	u32 top_noc_bits;
	u64 entry_reg;
	bool host_noc, top_noc; /* accepted */
	bool deny;
	u64 counter_base_ns;
	u32 safe_key;
};

struct vnpu_irq {
	u32 btrs_stat, btrs_src, local_mask, global_mask;
	u32 soc_enable; /* FW_SOC_IRQ_EN */
	u64 icb_latched, icb_enable;
	bool icb_cleared; /* since reset, P 3.6 step 9 */
	bool level;
};

/*
 * Firmware
 */

struct vnpu_fw_rx { /* area of slots in guest memory, SSID 0 */
	u32 base, end;
	u32 next, taken; /* slots: the one to look at next, the one taken last */
};

#define VNPU_NR_FIFO	256
#define VNPU_NR_OUT	1024 /* messages that wait for a free slot */
#define VNPU_NR_ORPHANS 1024

struct vnpu_out {
	u16 channel;
	struct abi_jsm_msg msg;
};

struct vnpu_orphan { /* a job whose queue is gone, until its SSID is released; P 10.7 */
	u32 ssid, job_id, db;
	u64 cmdq_id;
};

enum vnpu_fw_state {
	VNPU_FW_OFF,
	VNPU_FW_BOOTING,
	VNPU_FW_RUNNING,
	VNPU_FW_SAVED, /* after PWR_D0I3_ENTER: waits for the power to go */
	VNPU_FW_DEAD,
};

struct vnpu_fw_set { /* what messages set: survives D0i3 */
	u32 power_level;
	u32 dct_active_us, dct_inactive_us; /* duty cycling; 0: off */
	struct abi_jsm_freq_config freq;    /* max 0: never set */
	struct abi_jsm_trace_config trace;
	struct vnpu_logs logs;
	struct vnpu_metrics metrics;
	struct vnpu_hws hws;
};

enum vnpu_held { VNPU_HELD_RESET = 1, VNPU_HELD_REPORTS = 2 };

struct vnpu_fw {
	enum vnpu_fw_state state;
	u64 entry, cold_entry;
	u32 sched_mode;
	u32 hdr_size, msg_size;
	struct vnpu_fw_rx hdrs, msgs;

	u32 tx[VNPU_NR_FIFO]; /* host -> NPU */
	u32 tx_head, tx_tail;
	u32 rx[VNPU_NR_FIFO]; /* NPU -> host */
	u32 rx_head, rx_tail;
	struct vnpu_out out[VNPU_NR_OUT];
	u32 out_head, out_tail;
	u64 rx_retry_ns;
	u32 first_held; /* doorbell + 1 of the queue that met VNPU_HELD_REPORTS first; 0: none */

	u64 heartbeat;
	u64 time_delta; /* device time less counter, in its ticks: P 5.1 */
	struct vnpu_fw_set set;
	struct vnpu_orphan orphans[VNPU_NR_ORPHANS];
	u32 nr_orphans;
	u8 held; /* no job is fetched: after an engine's reset; too many reports wait for a slot */
};

struct vnpu_saved_db {
	bool registered, suspended;
	u32 ssid, head;
	u64 base, cmdq_id;
};

struct vnpu_saved { /* by PWR_D0I3_ENTER, for a warm boot; fw_save.c */
	bool valid;
	bool engine_stopped;
	u64 addr, entry; /* where it resumes; where it began */
	u32 sched_mode;
	struct vnpu_fw_rx hdrs, msgs;
	u64 heartbeat;
	u64 counter, time_delta;
	struct vnpu_fw_set set;
	struct vnpu_saved_db db[VNPU_NR_QUEUES];
	u64 faulted[VNPU_NR_SSIDS / 64];
};

/*
 * Jobs
 */

enum vnpu_job_state {
	VNPU_JOB_NONE,
	VNPU_JOB_READY,	 /* has commands to run */
	VNPU_JOB_FENCE,	 /* parked */
	VNPU_JOB_ENGINE, /* waits for the engine, or runs on it */
	VNPU_JOB_STUCK,	 /* on demand */
};

struct vnpu_op { /* heavy command under way */
	u16 type;
	u32 count, desc_idx; /* COPY: descriptors, the one under way */
	u32 pattern;
	u64 addr, size;		/* descriptors, target, or invocation */
	u64 src, dst, len, off; /* of the transfer under way; off: done of it */
	u64 inference_id;
};

union vnpu_cmd { /* any command */
	struct abi_cmd hdr;
	struct abi_cmd_timestamp timestamp;
	struct abi_cmd_fence fence;
	struct abi_cmd_barrier barrier;
	struct abi_cmd_metric_query query;
	struct abi_cmd_memory_fill fill;
	struct abi_cmd_copy copy;
	struct abi_cmd_inference inference;
	u8 raw[32];
};

struct vnpu_job {
	u32 id, ssid;
	u32 flags;
	u32 pos;		      /* in the command buffer */
	u64 base;		      /* of its header */
	struct abi_cmdbuf_header hdr; /* copy: the client may change its own at any time */
	union vnpu_cmd cmd;	      /* likewise, the command at pos */
	u64 fence_va, fence_val;
	u64 last_ts;
	struct vnpu_op op;
};

struct vnpu_queue {
	u8 state; /* enum vnpu_job_state of the job */
	bool registered, suspended;
	u16 db;
	u32 ssid, head, flags;
	u32 tail;	/* the driver's, when last looked at */
	u32 generation; /* of the registration: a late engine result must not find its successor */
	u64 base;
	u64 cmdq_id;
	u16 nr_parked, nr_ready;  /* jobs that stand aside; of these, may go on */
	union abi_jobq_slot slot; /* copy of the one fetched last */
	struct vnpu_job job;
};

#define VNPU_NR_PARKED 512

struct vnpu_parked { /* a job that waits for a fence beside its queue */
	bool used, ready;
	u16 db;
	u32 status; /* when ready: 0, or the job ends with it */
	u64 turn;   /* order */
	struct vnpu_job job;
};

struct vnpu_jobs {
	struct vnpu_queue queue[VNPU_NR_QUEUES];
	u64 pending[VNPU_NR_QUEUES / 64]; /* queues to look at */
	u32 pending_words;		  /* of these, not 0 */
	u32 nr_fences;			  /* jobs that wait for one */
	struct vnpu_parked parked[VNPU_NR_PARKED];
	u32 nr_parked;
	u64 park_turn;
	u32 nr_stuck;
	u64 fence_poll_ns;
	u64 faulted[VNPU_NR_SSIDS / 64]; /* SSIDs that run nothing until released */
	u32 generation;
	u32 mmu_kinds; /* faults "mmu-kinds" so far */
};

struct vnpu_compute {
	struct vnpu_exec *exec; /* used by the engine's thread, or with no thread; never at once */
	u16 wait[VNPU_NR_QUEUES]; /* doorbells of queues whose job waits */
	u32 head, tail;
	bool busy;   /* op of queue[db] is under way */
	bool orphan; /* the job it worked for is gone */
	bool choosing;
	u16 db;
	u64 start_ns;		      /* of what is under way, in hardware scheduling */
	u64 busy_ns;		      /* in all */
	u32 epoch;		      /* counts IP resets */
	u64 drop[VNPU_NR_SSIDS / 64]; /* prepared programs to forget */
	bool drop_all;
	bool unlocked; /* an inference runs without the lock */
	bool away;     /* but not in the memory of its context */
	u32 stop;      /* nobody waits for it any more: atomic, read without the lock */
	struct abi_invocation inv;
	struct abi_range bindings[ABI_MAX_BINDINGS];
};

/*
 * The reference NPU (gen/ref.c, ref_ring.c)
 */

enum vnpu_ref_state { /* from ON on there was the power-up acknowledge */
		      VNPU_REF_OFF,
		      VNPU_REF_WAKING,
		      VNPU_REF_ON,
		      VNPU_REF_BOOTING,
		      VNPU_REF_RUNNING,
		      VNPU_REF_DEAD,
};

struct vnpu_ref_ring {
	u64 base;
	u32 head, tail;
	u32 shown;	    /* tail in STATUS */
	bool busy;	    /* the slot at tail is under way */
	struct abi_job job; /* copy of that slot */
};

struct vnpu_ref {
	enum vnpu_ref_state state;
	bool boot_pending;
	u32 step;      /* of the boot */
	u32 fw_status; /* FW_STATUS */
	u32 raised;    /* DEVICE_2_HOST_DRBL */
	u64 image, params;
	u32 entries; /* of a ring */
	struct vnpu_ref_ring ring[ABI_REF_NR_RINGS];
};

struct vnpu_threads {
	pthread_t fw, engine;
	bool started;
	_Atomic u32 stop;
	_Atomic u32 kick; /* 1: something for the firmware's thread */
	_Atomic u32 fw_asleep;
	_Atomic u32 engine_word; /* changes when there is work for the engine's thread */
	_Atomic u32 idle_word;	 /* changes when the engine's thread has finished */
};

/*
 * Faults, findings, trace
 */

#define VNPU_FAULTS(X)                                                                             \
	X(PLL_NEVER_LOCKS, "pll-never-locks") /* workpoint request completes, PLL does not lock */ \
	X(WP_STUCK, "wp-stuck")		      /* workpoint request never completes */              \
	X(IP_RESET_STUCK, "ip-reset-stuck")   /* TRIGGER stays set */                              \
	X(ISLAND_STUCK, "island-stuck")	      /* power island status stays 0 */                    \
	X(NOC_DENIED, "noc-denied")	      /* QDENY instead of QACCEPTN */                      \
	X(MMU_CR0_STUCK, "mmu-cr0-stuck")     /* CR0ACK does not follow */                         \
	X(MMU_CMDQ_STUCK, "mmu-cmdq-stuck")   /* command queue does not advance */                 \
	X(FW_NEVER_READY, "fw-never-ready")   /* no ready message */                               \
	X(DEAD_AFTER_BOOT, "dead-after-boot") /* ready message, then nothing */                    \
	X(FW_DEAD, "fw-dead")		      /* from the next message or doorbell on */           \
	X(SLOW_FIRMWARE, "slow-firmware")     /* next answer after 600 ms */                       \
	X(LOST_ANSWER, "lost-answer")                                                              \
	X(WRONG_ANSWER, "wrong-answer") /* another message type */                                 \
	X(ERROR_ANSWER, "error-answer") /* result is not 0 */                                      \
	X(DUPLICATE_ANSWER, "duplicate-answer")                                                    \
	X(UNSOLICITED_ANSWER, "unsolicited-answer") /* one more, with an unknown request id */     \
	X(CORRUPT_HEADER, "corrupt-header")	    /* data_addr outside the RX buffer */          \
	X(WILD_FIFO, "wild-fifo")		    /* FIFO entry outside the RX buffer */         \
	X(WRONG_CHANNEL, "wrong-channel") /* next message: answer and job channel exchanged */     \
	X(DEAD_CONTEXT, "dead-context")	  /* before the next JOB_DONE one of no context's job */   \
	X(IRQ_LOST, "irq-lost")                                                                    \
	X(IRQ_STORM, "irq-storm")	/* 64 instead of one */                                    \
	X(MMU_FAULT, "mmu-fault")	/* next job touches an unmapped address */                 \
	X(MMU_KINDS, "mmu-kinds")	/* next job: an MMU event, each time of another type */    \
	X(MMU_GERROR, "mmu-gerror")	/* next job: a global error of the MMU */                  \
	X(GLOBAL_FAULT, "global-fault") /* next doorbell faults in SSID 0 */                       \
	X(JOB_ERROR, "job-error")	/* next job: PROCESSING_ERR */                             \
	X(JOB_LOST, "job-lost")		/* next job: no JOB_DONE */                                \
	X(WILD_HEAD, "wild-head")	/* next job: the queue's head is beyond its tail */        \
	X(WRONG_JOB_ID, "wrong-job-id")                                                            \
	X(DOORBELL_LOST, "doorbell-lost")                                                          \
	X(STUCK_ENGINE, "stuck-engine")	    /* next job never ends, heartbeat stops */             \
	X(WATCHDOG, "watchdog")		    /* next job: firmware watchdog interrupt */            \
	X(ATS_ERROR, "ats-error")	    /* next job: buttress error interrupt */               \
	X(DCT_ON, "dct-on")		    /* next job: the power unit asks for duty cycling */   \
	X(DCT_OFF, "dct-off")		    /* next job: it asks for the end of that */            \
	X(NO_POWER_ACK, "no-power-ack")	    /* ref: GEN_CTRL stays 0 */                            \
	X(BOOT_ERROR, "boot-error")	    /* ref: the next boot ends with E0000042 */            \
	X(BOOT_FATAL, "boot-fatal")	    /* ref: the next boot ends with DEADBEEF */            \
	X(UNKNOWN_STATUS, "unknown-status") /* ref: the next boot ends with 12345678 */            \
	X(WRONG_TAIL, "wrong-tail") /* ref: next job: STATUS shows a tail beyond the head */       \
	X(ALL_ONES, "all-ones")	    /* reads, as from a device that is gone */

#define X(name, text) VNPU_F_##name,
enum vnpu_fault_id { VNPU_FAULTS(X) VNPU_NR_FAULTS };
#undef X

struct vnpu_kept {
	enum vnpu_class cls;
	u64 time_ns;
	char where[48];
	char text[232];
};

struct vnpu_findings {
	u64 count[VNPU_NR_CLASSES];
	u32 nr;
	struct vnpu_kept kept[VNPU_MAX_FINDINGS];
};

/* An access, above its 32-bit value: offset, log2 of the size, BAR or configuration space, write */
#define VNPU_TRACE_WHAT(bar, off, size, write)                                        \
	((u64)(off) << 37 | (u64)__builtin_ctz(size) << 35 | (u64)((bar) / 2) << 33 | \
	 (u64)(write) << 32)
#define VNPU_TRACE_CFG 7u /* in the place of a BAR: 0 or 4 */

struct vnpu_pci {
	u8 cfg[VNPU_CFG_SIZE];
	bool live; /* D0 and memory decoding: BARs answer */
};

struct vnpu {
	struct vnpu_lock lock;
	const struct vnpu_gen *gen;
	const struct reg_gen *info;
	struct vnpu_config cfg;
	u16 device_id;
	u8 revision;
	bool stepped;
	u8 level;      /* enum vnpu_domain that has power */
	s8 fast_level; /* the same; -1 while accesses need a closer look */
	u64 bar_size[8];
	u32 watched; /* sum of fault[], and 1 while traced: nothing takes a short way */
	u32 fault[VNPU_NR_FAULTS];

	struct vnpu_clock clk;
	struct vnpu_stats stats;
	struct vnpu_irq irq;
	struct vnpu_btrs btrs;
	struct vnpu_order order;
	struct vnpu_ip ip;
	struct vnpu_pci pci;
	struct vnpu_dma dma;
	struct vnpu_regs regs;
	u64 trace_hash; /* over all accesses so far */
	struct vnpu_mmu mmu;
	struct vnpu_jobs jobs;
	struct vnpu_fw fw;
	struct vnpu_saved saved;
	struct vnpu_compute compute;
	struct vnpu_ref ref;
	struct vnpu_threads threads;
	struct vnpu_findings findings;
	u32 fault_skip[VNPU_NR_FAULTS]; /* occasions before the first that goes wrong */
};

/* gen/ */
const struct vnpu_gen *vnpu_gen_find(const char *name);
extern const struct vnpu_gen vnpu_gen_npu37;
extern const struct vnpu_gen vnpu_gen_npu40;
extern const struct vnpu_gen vnpu_gen_npu50;
extern const struct vnpu_gen vnpu_gen_npu60;
extern const struct vnpu_gen vnpu_gen_ref;

/* gen/ref.c, ref_ring.c: timers, and what the two files offer each other */
void vnpu_ref_boot(struct vnpu *v);
void vnpu_ref_rings(struct vnpu *v);
void vnpu_ref_raise(struct vnpu *v, u32 bits); /* of INTERRUPT_STAT */
/** vnpu_ref_status() - FW_STATUS changes. */
void vnpu_ref_status(struct vnpu *v, u32 status);
/** vnpu_ref_die() - the firmware is at its end: FW_STATUS DEAD and @code. */
void vnpu_ref_die(struct vnpu *v, u32 code);
void vnpu_ref_doorbell(struct vnpu *v, u32 n, u32 off, u32 head);
bool vnpu_ref_is_idle(const struct vnpu *v);
void vnpu_ref_op_done(struct vnpu *v, struct vnpu_queue *q, u32 status);
int vnpu_ref_view(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token);

/* finding.c */
void vnpu_report(struct vnpu *v, enum vnpu_class cls, const char *where, const char *fmt, ...)
	BASE_PRINTF(4, 5) __attribute__((cold));
/** vnpu_report_reg() - @where is a register offset. */
void vnpu_report_reg(struct vnpu *v, enum vnpu_class cls, u8 bar, u32 off, const char *fmt, ...)
	BASE_PRINTF(5, 6) __attribute__((cold));

/** vnpu_trace_put() - an access joins the trace's hash. */
static inline void vnpu_trace_put(struct vnpu *v, u64 what, u32 val)
{
	/* a multiplication carries upwards, the rotation brings it down again */
	u64 hash = (v->trace_hash ^ (what + val)) * 0x9e3779b97f4a7c15ull;

	v->trace_hash = hash << 32 | hash >> 32;
}

/* trace.c; without a trace these do nothing */
#define VNPU_TRACE_LINE 480
void vnpu_trace_reg(struct vnpu *v, u8 bar, u32 off, u32 size, bool write, u64 val)
	__attribute__((cold));
void vnpu_trace_cfg(struct vnpu *v, u32 off, u32 size, bool write, u32 val) __attribute__((cold));
void vnpu_trace_msg(struct vnpu *v, bool to_host, u16 channel, const struct abi_jsm_msg *msg)
	__attribute__((cold));
/** vnpu_trace_event() - "msi", "ready", "reset" */
void vnpu_trace_event(struct vnpu *v, const char *what) __attribute__((cold));

/* fault.c */
bool vnpu_fault_take(struct vnpu *v, enum vnpu_fault_id id);

static inline bool vnpu_fault_hit(struct vnpu *v, enum vnpu_fault_id id)
{
	return BASE_UNLIKELY(v->watched) && vnpu_fault_take(v, id);
}

/* sched.c */
/** vnpu_delay() - a random time between @lo_ns and @hi_ns; 0 in threaded mode. */
u64 vnpu_delay(struct vnpu *v, u64 lo_ns, u64 hi_ns);
/** vnpu_timer_set() - in @delay_ns, or at its time when it is set to an earlier one. */
void vnpu_timer_set(struct vnpu *v, enum vnpu_timer t, u64 delay_ns);
/** vnpu_timer_in() - after a random time between @lo_ns and @hi_ns; at once in threaded mode. */
void vnpu_timer_in(struct vnpu *v, enum vnpu_timer t, u64 lo_ns, u64 hi_ns);
/** vnpu_timer_hw() - the same for hardware: at once in threaded mode. */
void vnpu_timer_hw(struct vnpu *v, enum vnpu_timer t, u64 delay_ns);
void vnpu_timer_clear(struct vnpu *v, enum vnpu_timer t);
/** vnpu_run_one() - the handler of the earliest timer, if due at @until_ns. */
bool vnpu_run_one(struct vnpu *v, u64 until_ns);
void vnpu_clock_init(struct vnpu *v, u64 seed);
/** vnpu_time_ns() - now: the virtual clock, or the real one. */
u64 vnpu_time_ns(struct vnpu *v);

/* regs.c */
int vnpu_regs_init(struct vnpu *v);
void vnpu_regs_reset(struct vnpu *v, enum vnpu_domain from);
u64 vnpu_regs_read(struct vnpu *v, u8 bar, u32 off, u32 size);
void vnpu_regs_write(struct vnpu *v, u8 bar, u32 off, u32 size, u64 val);
void vnpu_regs_refuse(struct vnpu *v, struct vnpu_reg *r, u64 val);

/** vnpu_regs_quick() - the only place of the register at @off among those met last. */
static inline struct vnpu_reg **vnpu_regs_quick(struct vnpu *v, u64 off)
{
	return &v->regs.quick[VNPU_REG_HASH(off) / (UINT32_MAX / VNPU_REG_QUICK + 1)];
}

static inline bool vnpu_reg_is(const struct vnpu_reg *r, u32 bar, u64 off)
{
	return off <= UINT32_MAX && r->off == (u32)off && r->bar == bar;
}

/** vnpu_reg_write() - bits @lane of @val to a register that has power. */
static inline void vnpu_reg_write(struct vnpu *v, struct vnpu_reg *r, u64 val, u64 lane)
{
	u64 bits = val & r->wmask & lane;

	if (BASE_UNLIKELY(val & r->refuse)) {
		vnpu_regs_refuse(v, r, val);
		if (!r->wmask)
			return;
	}
	if (r->kind == REG_KIND_RW)
		r->val = bits |= r->val & ~(r->wmask & lane);
	r->wr(v, r, bits);
}
/** vnpu_reg_val() - the stored value of a register that has a row. */
u64 vnpu_reg_val(struct vnpu *v, u8 bar, u32 off);
/** vnpu_level_update() - recompute which registers have power, and which need no closer look:
 * to be called after any change of workpoint, NOC, PCI state, armed faults, boot order. */
void vnpu_level_update(struct vnpu *v);

/* order.c */
void vnpu_order_start(struct vnpu *v);
void vnpu_order_stop(struct vnpu *v);
/** vnpu_order_finish() - the boot is over: what has not come is missing. */
void vnpu_order_finish(struct vnpu *v);
/** vnpu_order_access() - a register was accessed; @val: what is written. */
void vnpu_order_access(struct vnpu *v, u8 bar, u32 off, bool write, u64 val);

/* pci.c */
void vnpu_pci_reset(struct vnpu *v);
u32 vnpu_pci_read(struct vnpu *v, u32 off, u32 size);
void vnpu_pci_write(struct vnpu *v, u32 off, u32 size, u32 val);
/** vnpu_pci_msi() - send the message, if the guest has enabled it. */
void vnpu_pci_msi(struct vnpu *v);

/* btrs.c, btrs_mtl.c, btrs_lnl.c */
extern const struct vnpu_hook vnpu_btrs_mtl_hooks[];
extern const struct vnpu_hook vnpu_btrs_lnl_hooks[];
void vnpu_btrs_reset(struct vnpu *v);
void vnpu_btrs_error(struct vnpu *v);
void vnpu_btrs_lnl_dct(struct vnpu *v, bool on);
void vnpu_workpoint_done(struct vnpu *v);
void vnpu_ip_reset_done(struct vnpu *v);
/** vnpu_ip_reset() - forget everything behind the buttress; P 11.6. */
void vnpu_ip_reset(struct vnpu *v);

/* ip.c, ip_37xx.c, ip_40xx.c */
extern const struct vnpu_hook vnpu_ip_37xx_hooks[];
extern const struct vnpu_hook vnpu_ip_40xx_hooks[];
extern const struct vnpu_hook vnpu_ip_50xx_hooks[];
extern const struct vnpu_step vnpu_ip_37xx_steps[];
extern const struct vnpu_step vnpu_ip_40xx_steps[];
extern const struct vnpu_step vnpu_ip_50xx_steps[];
extern const struct vnpu_step vnpu_ip_60xx_steps[];
enum vnpu_domain vnpu_ip_40xx_domain(const struct reg_block *block, u32 off);
/** vnpu_ip_forget() - the sequence's state after an IP reset. */
void vnpu_ip_forget(struct vnpu *v);
void vnpu_island_up(struct vnpu *v);
u64 vnpu_counter(struct vnpu *v);

static inline void vnpu_ip_step_done(struct vnpu *v, enum vnpu_step_id step)
{
	v->ip.steps |= BASE_BIT(step);
}

/* irq.c */
/** vnpu_irq_raise() - one message, whatever faults on demand make of it. */
void vnpu_irq_raise(struct vnpu *v);
void vnpu_irq_icb(struct vnpu *v, u64 bits);
void vnpu_icb_clear(struct vnpu *v, u64 bits);
void vnpu_icb_enable(struct vnpu *v, u64 bits);

#define VNPU_ICB_FIFO REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__HOST_IPC_FIFO_INT)

static inline u64 vnpu_icb_status(const struct vnpu *v)
{
	return v->irq.icb_latched | (v->fw.rx_head != v->fw.rx_tail ? VNPU_ICB_FIFO : 0);
}

static inline bool vnpu_irq_level(const struct vnpu *v)
{
	return !v->irq.global_mask && ((v->irq.btrs_stat & ~v->irq.local_mask) ||
				       (vnpu_icb_status(v) & v->irq.icb_enable));
}

/** vnpu_irq_update() - send a message if the expression of P 2.6 rose. */
static inline void vnpu_irq_update(struct vnpu *v)
{
	bool level = vnpu_irq_level(v);

	if (level && !v->irq.level)
		vnpu_irq_raise(v);
	v->irq.level = level;
}

/** vnpu_irq_drop() - a source went: the expression can fall, not rise. */
static inline void vnpu_irq_drop(struct vnpu *v)
{
	if (v->irq.level)
		v->irq.level = vnpu_irq_level(v);
}

/* dma.c */
/** vnpu_dma_at() - host address of [@addr, @addr + @len) of bus memory, in one map, or NULL. */
u8 *vnpu_dma_at(struct vnpu *v, u64 addr, u64 len, bool write, struct vnpu_map **map);
/** vnpu_dma_load() - one aligned word of bus memory; 0 or -EFAULT */
int vnpu_dma_load(struct vnpu *v, u64 addr, u64 *out);
void vnpu_dma_pin(struct vnpu_map *map);
void vnpu_dma_unpin(struct vnpu *v, struct vnpu_map *map);
void vnpu_dma_fini(struct vnpu *v);

/* remote.c: memory without an address */
/** vnpu_remote_at() - a copy that is written back by vnpu_remote_flush(); in one page, or NULL */
u8 *vnpu_remote_at(struct vnpu *v, struct vnpu_map *map, u64 addr, u32 len, bool write);
int vnpu_remote_read(const struct vnpu_map *map, u64 addr, void *buf, u32 len);
/** vnpu_remote_sync() - what was changed goes back; vnpu_remote_flush() - and copies end */
void vnpu_remote_sync(struct vnpu *v) __attribute__((cold));
void vnpu_remote_flush(struct vnpu *v) __attribute__((cold));
void vnpu_remote_fini(struct vnpu *v);

/** vnpu_settle() - before the lock is given up by whoever ran the device */
static inline void vnpu_settle(struct vnpu *v)
{
	if (BASE_UNLIKELY(v->dma.nr_windows))
		vnpu_remote_flush(v);
}

/* mmu.c, walk.c */
extern const struct vnpu_hook vnpu_mmu_hooks[];
void vnpu_mmu_reset(struct vnpu *v);
void vnpu_mmu_flush(struct vnpu *v);
void vnpu_mmu_flush_ssid(struct vnpu *v, u32 ssid);
/** vnpu_mmu_check_boot() - report what of P 8.3 the driver left out; false if nothing can work. */
bool vnpu_mmu_check_boot(struct vnpu *v);
/** vnpu_mmu_gerror() - a global error by itself: fault on demand */
void vnpu_mmu_gerror(struct vnpu *v);
/** vnpu_mmu_event() - record a fault, if the guest wants to know; P 8.8. */
void vnpu_mmu_event(struct vnpu *v, u32 type, u32 ssid, u64 va, bool write, u64 fetch, bool record);
/** vnpu_walk() - translate one address; NULL after recording a fault. */
u8 *vnpu_walk(struct vnpu *v, u32 ssid, u64 va, bool write);
/** vnpu_mem_read(), vnpu_mem_write() - any length; 0 or -EFAULT (part may be done). */
/** vnpu_mem_map_at() - vnpu_mem_at(), and the map the address is in. */
u8 *vnpu_mem_map_at(struct vnpu *v, u32 ssid, u64 va, bool write, struct vnpu_map **map);
/** vnpu_mem_is_mapped() - is there a page at @va?  For reading, without a fault; the context's
 * descriptor must have been used before. */
bool vnpu_mem_is_mapped(struct vnpu *v, u32 ssid, u64 va);
int vnpu_mem_read(struct vnpu *v, u32 ssid, u64 va, void *buf, u32 len);
int vnpu_mem_write(struct vnpu *v, u32 ssid, u64 va, const void *buf, u32 len);

static inline struct vnpu_tlb *vnpu_tlb(struct vnpu *v, u32 ssid, u64 va)
{
	return &v->mmu.tlb[(va >> ABI_MMU_PAGE_SHIFT ^ (u64)ssid << 7) % VNPU_NR_TLB];
}

/** vnpu_mem_at() - host address of one NPU address, good to the end of its page; NULL: fault. */
static inline u8 *vnpu_mem_at(struct vnpu *v, u32 ssid, u64 va, bool write)
{
	const struct vnpu_tlb *e = vnpu_tlb(v, ssid, va);
	u64 key = (va & ~(u64)(BASE_PAGE_SIZE - 1)) | v->mmu.tag[ssid];

	u8 *p;

	if (BASE_UNLIKELY((write ? e->wr : e->rd) != key))
		return vnpu_walk(v, ssid, va, write);
	p = (u8 *)(e->delta + va);
	BASE_ASSUME(p); /* so that callers do not look */
	return p;
}

/* view.c: memory as the engine wants it; called without the lock */
struct vnpu_view_ctx {
	struct vnpu *v;
	u32 ssid;
	u32 epoch;
};
int vnpu_view(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token);
void vnpu_view_release(void *opaque, void *token, bool written);

/* fw.c */
void vnpu_fw_reset(struct vnpu *v);
void vnpu_fw_start(struct vnpu *v, u64 entry);
void vnpu_fw_boot(struct vnpu *v);
/** vnpu_fw_die() - a fault on demand: nothing more comes from it */
void vnpu_fw_die(struct vnpu *v);
bool vnpu_fw_is_idle(const struct vnpu *v);
static inline bool vnpu_fw_runs(const struct vnpu *v)
{
	return v->fw.state == VNPU_FW_RUNNING;
}

/* ipc.c */
void vnpu_ipc_push_tx(struct vnpu *v, u32 addr);
u32 vnpu_ipc_pop_rx(struct vnpu *v);
u32 vnpu_ipc_stat(const struct vnpu *v);
void vnpu_ipc_ready(struct vnpu *v);
void vnpu_ipc_send(struct vnpu *v, u16 channel, const struct abi_jsm_msg *msg);
/** vnpu_ipc_job_done() - say that a job of doorbell @db ended. */
void vnpu_ipc_job_done(struct vnpu *v, u32 db, u32 job_id, u32 status, u32 ssid, u64 cmdq_id);
void vnpu_ipc_job_aborted(struct vnpu *v, u32 db, u32 job_id, u32 ssid, u64 cmdq_id);
void vnpu_ipc_receive(struct vnpu *v);
/** vnpu_ipc_go_on() - messages that waited for the engine to let go of a job are sent. */
void vnpu_ipc_go_on(struct vnpu *v);
void vnpu_ipc_flush(struct vnpu *v);

/* jsm.c */
/** vnpu_jsm_handle() - do what @req asks and send the answer. */
void vnpu_jsm_handle(struct vnpu *v, u16 channel, const struct abi_jsm_msg *req);

/* jsm_power.c */
/** vnpu_engine_ns() - how long work of @ns takes at the present speed. */
u64 vnpu_engine_ns(const struct vnpu *v, u64 ns);
/** vnpu_freq_apply() - the limits of FREQ_CONFIG take effect. */
void vnpu_freq_apply(struct vnpu *v);

/* fw_save.c */
void vnpu_fw_save(struct vnpu *v);
bool vnpu_fw_is_warm(const struct vnpu *v, const struct abi_boot_params *p);
void vnpu_fw_restore(struct vnpu *v, const struct abi_boot_params *p);

/* jobq.c */
void vnpu_doorbell(struct vnpu *v, u32 db);
void vnpu_jobs_run(struct vnpu *v);
void vnpu_jobs_fences(struct vnpu *v);
void vnpu_jobs_reset(struct vnpu *v);
/** vnpu_queue_run() - a turn of the queue: run its job, fetch the next ones. */
void vnpu_queue_run(struct vnpu *v, struct vnpu_queue *q);
/** vnpu_queue_kick() - look at the queue soon. */
void vnpu_queue_kick(struct vnpu *v, struct vnpu_queue *q);
/** vnpu_queues_go_on() - those that stood still, in turn. */
void vnpu_queues_go_on(struct vnpu *v);
u32 vnpu_queue_register(struct vnpu *v, u32 db, u32 ssid, u64 base, u64 size, u64 cmdq_id);
void vnpu_queue_unregister(struct vnpu *v, struct vnpu_queue *q);
void vnpu_ssid_release(struct vnpu *v, u32 ssid);
void vnpu_job_finish(struct vnpu *v, struct vnpu_queue *q, u32 status);
/** vnpu_job_op_done() - the engine is done with its command: it goes on, or ends with @status. */
void vnpu_job_op_done(struct vnpu *v, struct vnpu_queue *q, u32 status);
/** vnpu_job_drop() - take the job from its queue without a report. */
void vnpu_job_drop(struct vnpu *v, struct vnpu_queue *q);
/** vnpu_ssid_fault() - the driver hears of a fault: if somebody is to blame, who, until its queues are
 * gone, however its job ends. */
void vnpu_ssid_fault(struct vnpu *v, u32 ssid);
static inline bool vnpu_ssid_is_faulted(const struct vnpu *v, u32 ssid)
{
	return v->jobs.faulted[ssid / 64] >> (ssid % 64) & 1;
}

/* cmd.c */
/** vnpu_cmd_start() - check the command buffer's header; 0 or a job status. */
u32 vnpu_cmd_start(struct vnpu *v, struct vnpu_job *job, u64 base);
/** vnpu_cmd_run() - at most @budget commands until the end or a park; what is left of it. */
u32 vnpu_cmd_run(struct vnpu *v, struct vnpu_queue *q, u32 budget);
bool vnpu_fence_done(struct vnpu *v, const struct vnpu_job *job, u32 *status);
/** vnpu_op_step() - part of a copy or fill: true when finished, *status set. */
bool vnpu_op_step(struct vnpu *v, struct vnpu_job *job, u64 max_bytes, u32 *status);

/* thread.c */
int vnpu_threads_start(struct vnpu *v);
void vnpu_threads_stop(struct vnpu *v); /* without the lock */
/** vnpu_kick_fw(), vnpu_kick_engine() - there is something to do. */
void vnpu_kick_fw(struct vnpu *v);
void vnpu_kick_engine(struct vnpu *v);
/** vnpu_wait_quiet() - until no inference runs; drops and retakes the lock. */
void vnpu_wait_quiet(struct vnpu *v);

#endif
