/* SPDX-License-Identifier: MIT */
/*
 * State of the driver core and what its files offer each other.  Not for users of the driver.
 *
 * The event loop owns all of it (driver.h).  Order of the structures: what submit and complete
 * touch comes first.
 */
#ifndef DRIVER_DEV_H
#define DRIVER_DEV_H

#include "abi/boot_params.h"
#include "abi/fw_image.h"
#include "abi/ipc.h"
#include "abi/jsm.h"
#include "abi/mmu.h"
#include "base/ids.h"
#include "base/log.h"
#include "driver/driver.h"
#include "driver/gen/gen.h"
#include "driver/ring.h"
#include "driver/seq.h"
#include "driver/trace.h"
#include "driver/va.h"

#define DRV_NO_TIME  UINT64_MAX
#define DRV_NR_SSIDS ABI_MMU_CD_ENTRIES
#define DRV_NR_DBS   256u

/* Intrusive list: a head is an element of itself. */
struct drv_list {
	struct drv_list *prev, *next;
};

static inline void drv_list_init(struct drv_list *head)
{
	head->prev = head->next = head;
}

static inline bool drv_list_empty(const struct drv_list *head)
{
	return head->next == head;
}

static inline void drv_list_add(struct drv_list *head, struct drv_list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

static inline void drv_list_del(struct drv_list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	drv_list_init(item);
}

/* One page of a page table. */
struct drv_pt {
	struct os_dma dma;
	u64 *entries;
	struct drv_pt **next;  /* of the tables below; NULL on the last level */
	struct drv_pt *zombie; /* chain of mmu.zombie_roots */
};

/* What the NPU may do with a mapping, beside reading it. */
enum drv_map_flags {
	DRV_MAP_SNOOP = 1u << 0,
	DRV_MAP_RO = 1u << 1,
};

struct drv_bo {
	struct drv_ctx *ctx;
	struct drv_list link; /* ctx->bos or mmu.zombies */
	struct os_dma dma;
	u64 va;
	u64 size; /* pages */
};

/* A job under way, by its number in the context. */
struct drv_job {
	struct drv_queue *queue; /* NULL = the number is free */
	u64 cookie;
	u64 start_ns;
	s32 error; /* first failure the firmware told of: status once the job ends */
	u8 slot;   /* in the queue's ring */
};

struct drv_ctx {
	struct drv_dev *dev;
	u32 ssid;
	u32 nr_jobs;	       /* under way */
	u32 next_job;	       /* where the search for a free number starts */
	bool faulty;	       /* MMU fault or engine error: no more jobs */
	bool cut;	       /* faulty, and the engine works on none of its jobs any more */
	bool dying;	       /* drv_ctx_destroy() was called */
	bool known_to_fw;      /* OS scheduling, some queue was registered: needs SSID_RELEASE */
	bool want_release;     /* SSID_RELEASE to be sent */
	bool releasing;	       /* sent, not answered */
	u64 drain_deadline_ns; /* after SSID_RELEASE_DONE, for missing JOB_DONEs */
	struct drv_list link;
	struct drv_list queues, bos;
	struct drv_va va;
	struct drv_pt *root;
	struct abi_job *descs; /* of jobs[], of a device that reads them whole; else NULL */
	struct drv_job jobs[DRV_CTX_JOBS];
};

/* WANT_: to be sent; the -ING behind it: sent, not answered.  Sequences: queue.c */
enum drv_queue_state {
	DRV_QUEUE_NEW, /* the firmware does not know it */
	DRV_QUEUE_WANT_REG,
	DRV_QUEUE_CREATING,
	DRV_QUEUE_WANT_SCHED,
	DRV_QUEUE_SCHEDULING,
	DRV_QUEUE_WANT_DB,
	DRV_QUEUE_REGISTERING,
	DRV_QUEUE_LIVE,
	DRV_QUEUE_WANT_UNREG,
	DRV_QUEUE_UNREGISTERING,
	DRV_QUEUE_WANT_DESTROY,
	DRV_QUEUE_DESTROYING,
	DRV_QUEUE_SHARED, /* nobody to register with: drv_gen_ops.queue_publish takes its jobs */
};

#define DRV_QUEUE_DONE_MAX 256u /* completions not reaped, and jobs that will add to them */

struct drv_queue {
	struct drv_ring ring;
	struct drv_ctx *ctx;
	struct drv_io db_io; /* its doorbell */
	u32 pending;
	enum drv_queue_state state;
	enum drv_queue_state idle; /* the state of a queue of which nobody knows */
	u32 done_head, done_nr;
	struct abi_completion *done; /* DRV_QUEUE_DONE_MAX of them */
	u32 db;
	u32 priority;
	bool dying;
	struct drv_list link; /* ctx->queues */
	struct drv_bo *bo;
	struct drv_bo *preempt[2]; /* primary, secondary; NULL = none; P 10.6 */
	struct drv_list ring_link; /* of the queues that share a ring */
	u32 ring_idx;		   /* of the device's rings that queues share: the one it uses */
};

/* A question to the firmware.  Its index is its slot in the TX buffer. */
#define DRV_NR_REQS (ABI_IPC_BUF_SIZE / ABI_IPC_TX_SIZE) /* SRC: P 6.2 */

typedef void (*drv_req_done_fn)(struct drv_dev *dev, void *arg, int ret,
				const struct abi_jsm_msg *answer);

struct drv_req {
	u32 id; /* 0 = slot is free */
	u32 type, answer;
	u64 deadline_ns;
	bool hb; /* on a time-out ask for the heartbeat before judging the device; P 7.3 +HB */
	drv_req_done_fn done;
	void *arg;
};

struct drv_jsm {
	struct drv_req reqs[DRV_NR_REQS];
	u32 next_id; /* never 0; P 6.6: increments for every message over the driver's lifetime */
	bool hb_pending;
	u64 heartbeat;
	u32 hb_rounds; /* heartbeats that advanced since the last completion */
};

struct drv_ipc {
	struct drv_bo *tx, *rx;
	u8 *tx_cpu, *rx_cpu;
	u64 tx_va, rx_va;
};

struct drv_mmu {
	bool on; /* set up: changes need invalidation */
	u32 prod, evt_cons;
	u64 deadline_ns, pause_ns;    /* of the batch in flight, DRV_HOLD_MMU */
	bool cfgi;		      /* wanted in the next batch */
	u64 dirty[DRV_NR_SSIDS / 64]; /* SSIDs to invalidate in the next batch */
	struct os_dma dma;	      /* stream table, CD table, queues */
	struct abi_mmu_ste *strtab;
	struct abi_mmu_cd *cds;
	struct abi_mmu_cmd *cmdq;
	struct abi_mmu_event *evtq;
	struct drv_list zombies;     /* buffers the device may still have translations of */
	struct drv_pt *zombie_roots; /* page tables, likewise */
};

struct drv_fw {
	u8 *image; /* whole file */
	size_t size;
	struct abi_fw_header hdr;
	char path[256];
	char version[256];
	u32 boots; /* cold ones: the log began anew */
	u32 trace_level;
	bool tell_level; /* trace_level was set while the firmware did not listen */
	struct drv_bo *params, *verpage, *runtime, *shave, *crit_log, *verb_log;
};

/* When to look at something again; DRV_NO_TIME = no need.  The job watchdog, which every job sets
 * anew, is not among them: drv_dev.tdr_ns. */
enum drv_timer {
	DRV_TIMER_SEQ,	  /* the sequence under way */
	DRV_TIMER_JSM,	  /* a question to the firmware is over its time */
	DRV_TIMER_MMU,	  /* a batch of MMU commands is in flight */
	DRV_TIMER_DRAIN,  /* an aborted context waits for its jobs */
	DRV_TIMER_METRIC, /* samples are to be read */
	DRV_TIMER_PM,	  /* a system suspend waits for jobs */
	DRV_NR_TIMERS,
};

/* Reset of the engine in hardware scheduling: engine.c. */
enum drv_engine_state {
	DRV_ENGINE_RUNNING,
	DRV_ENGINE_WANT_DUMP,
	DRV_ENGINE_DUMPING,
	DRV_ENGINE_WANT_RESET,
	DRV_ENGINE_RESETTING,
	DRV_ENGINE_CLEARING, /* queues of the cut contexts go */
	DRV_ENGINE_RESUMING,
};

struct drv_engine {
	enum drv_engine_state state;
	bool hang;  /* the firmware is to say who is to blame */
	bool again; /* another context became faulty meanwhile */
	u64 resets;
};

/* Duty cycling on request of the power unit, P 2.6 */
struct drv_dct {
	u32 percent; /* of the time the NPU may run; 0 = always */
	u32 wanted;  /* what the firmware was asked for */
	void (*told)(struct drv_dev *dev, u32 percent);
};

/* What sequences are run for: power.c */
enum drv_phase {
	DRV_PHASE_NONE,
	DRV_PHASE_START,
	DRV_PHASE_STOP,
	DRV_PHASE_SUSPEND,
	DRV_PHASE_RECOVER, /* of a device that still runs */
	DRV_PHASE_RESTART, /* of one that does not */
};

/* Why no doorbell is rung. */
enum drv_hold {
	DRV_HOLD_POWER = 1u << 0, /* the firmware does not run, or shall not */
	DRV_HOLD_MMU = 1u << 1,	  /* translations are being invalidated */
};

struct drv_pm {
	u64 idle_ns;	 /* without jobs before the device sleeps; DRV_NO_TIME = never */
	bool system;	 /* asleep until drv_resume() */
	bool wanted;	 /* to be woken once it is asleep */
	bool warm;	 /* the next boot is one */
	u64 resume_addr; /* where it starts */
	u64 asleep_ns;	 /* since when */
	u64 deadline_ns; /* of a system suspend */
	bool asked_dump; /* of a recovery: STATE_DUMP was sent */
	u64 suspends, warm_boots, cold_boots;
};

struct drv_recovery {
	u64 at_ns[DRV_RECOVERIES_MAX]; /* when the last ones began, a ring */
	u64 nr;			       /* that count */
	u64 total;
	struct base_err why;
	s32 status; /* of the job that may be to blame */
};

struct drv_dev {
	struct os_device *os;
	const struct os_ops *ops;
	u64 now_ns; /* when the loop last looked */
	enum drv_state state;
	bool work;  /* drv_ctx_progress() has something to do */
	u64 tdr_ns; /* when the jobs under way are asked about; without jobs: when it sleeps */
	u64 tdr_period_ns;
	u64 rare_ns; /* earliest of timers[] */
	u64 timers[DRV_NR_TIMERS];
	u32 nr_jobs;
	u32 hold; /* enum drv_hold */
	u64 jobs_done, jobs_failed, irqs;
	u64 busy_ns; /* with jobs under way; less the time when that began, if there are any now */
	bool hws;    /* hardware scheduling */
	struct drv_layout regs;
	u32 btrs_irq_mask, icb_irq_mask;
	struct drv_ipc ipc;
	struct drv_ctx *ctxs[DRV_NR_SSIDS];

	const struct reg_gen *gen;
	const struct drv_gen_info *info;
	void *gen_priv;				 /* the generation's own */
	const struct drv_seq *seqs[DRV_NR_SEQS]; /* the generation's; tests put theirs here */
	const char *product;
	u16 vendor_id, device_id;
	u8 revision;
	u16 pm_cap;	 /* offset of the power management capability, 0 = none */
	u32 bars_mapped; /* bit per BAR */
	bool irq_on;
	bool btrs_clear_with_0; /* INTERRUPT_STAT of this stepping; P 2.3 */

	struct drv_config cfg;
	struct base_log log;
	struct base_err err;  /* why it failed */
	struct base_err warn; /* last step that only warned */

	struct drv_seq_run run;
	enum drv_phase phase;
	u32 phase_idx;
	bool powered;  /* power-up was begun: power-down is due */
	bool dma_live; /* bus master is on: memory the device knows must stay */
	u64 start_ns, boot_ns;
	u64 perf_at_stop; /* counter before power-down, P 3.9 */

	struct {
		u32 min, pn, max; /* PLL ratios */
	} freq;
	u32 tile_fuse;	 /* tiles that are off */
	u32 perf_clk_hz; /* profiling clock */

	struct drv_fw fw;
	struct drv_mmu mmu;
	struct drv_jsm jsm;
	struct drv_engine engine;
	struct drv_dct dct;
	struct drv_pm pm;
	struct drv_recovery recovery;
	int answer; /* to the question of the configure sequence; -EAGAIN = not yet */
	bool asked; /* that question was put */
	struct drv_ctx *sys, *reserved; /* SSID 0 and 1 */
	struct base_ids ssids, dbs;
	struct drv_list ctx_list; /* contexts of users */
	struct drv_list metrics;  /* streams */
	u32 nr_metrics;
	struct drv_counters_state *counters; /* NULL: nobody asked */
	u64 ipc_malformed, mmu_faults, firewall_irqs, gerrors, unknown_jobs;

	struct drv_trace trace;
};

#define drv_err(dev, cat, ...)	base_log(&(dev)->log, BASE_LOG_ERR, BASE_LOG_##cat, __VA_ARGS__)
#define drv_warn(dev, cat, ...) base_log(&(dev)->log, BASE_LOG_WARN, BASE_LOG_##cat, __VA_ARGS__)
#define drv_info(dev, cat, ...) base_log(&(dev)->log, BASE_LOG_INFO, BASE_LOG_##cat, __VA_ARGS__)
#define drv_dbg(dev, cat, ...)	base_log(&(dev)->log, BASE_LOG_DBG, BASE_LOG_##cat, __VA_ARGS__)

/* dev.c */
int drv_vpu_init(struct drv_dev *dev, struct base_err *err) BASE_WARN_UNUSED;
void drv_vpu_fini(struct drv_dev *dev);
/** drv_timer_set() - in dev.c's loop the earliest of all timers counts. */
void drv_timer_set(struct drv_dev *dev, enum drv_timer timer, u64 time_ns);
static inline bool drv_is_up(const struct drv_dev *dev)
{
	return dev->state == DRV_READY;
}
/* Are interrupts taken?  Two sequences wait for answers while the device is not up. */
static inline bool drv_listens(const struct drv_dev *dev)
{
	return drv_is_up(dev) ||
	       (dev->phase != DRV_PHASE_NONE && (dev->run.seq == dev->seqs[DRV_SEQ_CONFIGURE] ||
						 dev->run.seq == dev->seqs[DRV_SEQ_SUSPEND]));
}
/* Did the firmware already let go of an aborted context?  Then no report follows the next one. */
static inline bool drv_ctx_released(const struct drv_ctx *ctx)
{
	if (ctx->dev->hws)
		return ctx->cut;
	return ctx->faulty && !ctx->known_to_fw && !ctx->releasing;
}

/* power.c */
void drv_set_state(struct drv_dev *dev, enum drv_state state);
/** drv_phase_begin() - run the sequences of @phase from the first step on. */
void drv_phase_begin(struct drv_dev *dev, enum drv_phase phase);
/** drv_phase_run() - carry the sequences under way on. */
void drv_phase_run(struct drv_dev *dev);
/** drv_phase_abort() - no sequence any more. */
void drv_phase_abort(struct drv_dev *dev);
/** drv_cold_start() - power off, then a cold boot. */
void drv_cold_start(struct drv_dev *dev);
/** drv_power_cut() - the device was taken away while it was being stopped. */
void drv_power_cut(struct drv_dev *dev);

/* pm.c */
/** drv_pm_get() - somebody needs the firmware: wake the device if it sleeps. */
void drv_pm_get(struct drv_dev *dev) __attribute__((cold));
/** drv_pm_watch() - begin to count: towards the job watchdog, or without jobs towards sleep. */
static inline void drv_pm_watch(struct drv_dev *dev, u64 now_ns)
{
	if (dev->nr_jobs)
		dev->tdr_ns = now_ns + dev->tdr_period_ns;
	else if (!base_add_u64(now_ns, dev->pm.idle_ns, &dev->tdr_ns))
		dev->tdr_ns = DRV_NO_TIME;
}
/** drv_pm_idle() - there was no job for a while. */
void drv_pm_idle(struct drv_dev *dev);
void drv_pm_timer(struct drv_dev *dev);
/** drv_pm_stay() - no suspend of the system after all. */
void drv_pm_stay(struct drv_dev *dev);
/** drv_pm_asleep() - power is off: warm or cold next, and woken at once if somebody waits. */
void drv_pm_asleep(struct drv_dev *dev);
/* steps of the generations' suspend tables */
int drv_pm_mmu_off(struct drv_dev *dev);
int drv_pm_enter_d0i3(struct drv_dev *dev);
int drv_pm_judge(struct drv_dev *dev);
bool drv_pm_must_idle(const struct drv_dev *dev);
static inline bool drv_pm_is_cold(const struct drv_dev *dev)
{
	return !dev->pm.warm;
}

/* recovery.c */
/**
 * drv_fail() - the device failed: it is recovered by a cold boot, or state FAILED when it is gone
 * (-ENODEV), did not boot, or failed too often.  Only the first call counts.
 */
void drv_fail(struct drv_dev *dev, int code, const char *fmt, ...) BASE_PRINTF(3, 4)
	__attribute__((cold));
/** drv_fail_job() - a job does not end: as drv_fail(), as often as it happens */
void drv_fail_job(struct drv_dev *dev, const char *fmt, ...) BASE_PRINTF(2, 3)
	__attribute__((cold));
/** drv_give_up() - state FAILED, for the reason in dev->err; all jobs end. */
void drv_give_up(struct drv_dev *dev);
/** drv_forget_firmware() - nothing of it is left: queues and contexts begin anew; @cause is the
 * status of the jobs it was at. */
void drv_forget_firmware(struct drv_dev *dev, s32 cause);
/* step of the generations' recover tables */
int drv_recovery_dump(struct drv_dev *dev);

/* pci.c */
int drv_pci_probe(struct drv_dev *dev, struct base_err *err) BASE_WARN_UNUSED;
void drv_pci_release(struct drv_dev *dev);
/** drv_pci_wake() - D0 and memory decode; @master: bus master too. */
int drv_pci_wake(struct drv_dev *dev, bool master) BASE_WARN_UNUSED;
/** drv_pci_quiet() - bus master off: the device reaches no memory from here on. */
void drv_pci_quiet(struct drv_dev *dev);
/** drv_pci_sleep() - D3hot. */
void drv_pci_sleep(struct drv_dev *dev);
/** drv_pci_cycle() - D3hot and back, with its interrupt: a function without its state. */
int drv_pci_cycle(struct drv_dev *dev) BASE_WARN_UNUSED;

/* firmware.c */
/** drv_fw_find() - search, read and check an image; @root goes before each path of the list. */
int drv_fw_find(struct drv_dev *dev, const char *root, struct base_err *err) BASE_WARN_UNUSED;
void drv_fw_fini(struct drv_dev *dev);

/* boot.c */
int drv_boot_init(struct drv_dev *dev, struct base_err *err) BASE_WARN_UNUSED;
void drv_boot_fini(struct drv_dev *dev);
/* steps of the generations' boot tables */
int drv_boot_load_fw(struct drv_dev *dev);
int drv_boot_fill_params(struct drv_dev *dev);
int drv_boot_wait_ready(struct drv_dev *dev);
u64 drv_boot_entry(const struct drv_dev *dev);
int drv_boot_read_counter(struct drv_dev *dev);

/* dump.c */
/** drv_trouble() - a recovery begins: the embedder may want a dump before the evidence is gone */
void drv_trouble(struct drv_dev *dev, const char *why) __attribute__((cold));

/* fw_log.c */
/** drv_fw_log_dump() - all that is left of a log */
void drv_fw_log_dump(struct drv_dev *dev, enum drv_fw_log log,
		     void (*line)(void *opaque, const char *text), void *opaque);
/** drv_fw_log_forget() - before a cold boot: what is in the logs is of the last one */
void drv_fw_log_forget(struct drv_dev *dev);

/* ipc.c */
int drv_ipc_init(struct drv_dev *dev) BASE_WARN_UNUSED;
void drv_ipc_fini(struct drv_dev *dev);
void drv_ipc_reset(struct drv_dev *dev);
/** drv_ipc_is_released() - did the firmware read what TX slot @slot had? */
bool drv_ipc_is_released(const struct drv_dev *dev, u32 slot);
/** drv_ipc_send() - @msg through TX slot @slot on channel @chan. */
void drv_ipc_send(struct drv_dev *dev, u32 slot, u16 chan, const struct abi_jsm_msg *msg);
#define DRV_IPC_READY 1
/** drv_ipc_drain() - dispatch what is in the FIFO; 0, DRV_IPC_READY when the ready message was
 * among it, -ENODEV. */
int drv_ipc_drain(struct drv_dev *dev) BASE_WARN_UNUSED;

/* configure.c */
/** drv_ask_once() - in a step: -EAGAIN until the question is answered.  dev->asked false before. */
int drv_ask_once(struct drv_dev *dev, u32 type, u32 answer, const void *payload, u32 len);
/** drv_sched_choose() - hws from the configuration and the image; P 4.5 */
void drv_sched_choose(struct drv_dev *dev);
/** drv_dct_request() - have the firmware cycle its duty, or not; @told runs once it does */
void drv_dct_request(struct drv_dev *dev, bool on, void (*told)(struct drv_dev *dev, u32 percent));

/* engine.c */
/** drv_engine_reset() - a context became faulty: cut it off; P 10.7 */
void drv_engine_reset(struct drv_dev *dev);
/** drv_engine_hang() - jobs do not end; hardware scheduling: whose it is goes; else the device. */
void drv_engine_hang(struct drv_dev *dev, const char *fmt, ...) BASE_PRINTF(2, 3)
	__attribute__((cold));
void drv_engine_progress(struct drv_dev *dev);

/* jsm.c */
void drv_jsm_init(struct drv_dev *dev);
/** drv_jsm_cancel_all() - forget all questions; their done() runs with @ret. */
void drv_jsm_cancel_all(struct drv_dev *dev, int ret);
/**
 * drv_jsm_ask() - send a question; @done runs once: answer, time-out or cancellation
 * Return: 0, or -EBUSY (all slots taken).
 */
int drv_jsm_ask(struct drv_dev *dev, u32 type, u32 answer, const void *payload, u32 len, bool hb,
		drv_req_done_fn done, void *arg) BASE_WARN_UNUSED;
void drv_jsm_answer(struct drv_dev *dev, const struct abi_jsm_msg *msg, u32 size_bytes);
void drv_jsm_timer(struct drv_dev *dev);
/** drv_jsm_query_hb() - does the firmware live?  No news is bad: the device fails. */
void drv_jsm_query_hb(struct drv_dev *dev);
/** drv_jsm_tdr() - the job watchdog fired; P 10.7. */
void drv_jsm_tdr(struct drv_dev *dev);

/* mmu.c */
int drv_mmu_init(struct drv_dev *dev) BASE_WARN_UNUSED;
void drv_mmu_fini(struct drv_dev *dev);
/** drv_mmu_off() - from here on changes are not told to the unit. */
void drv_mmu_off(struct drv_dev *dev);
/** drv_mmu_reap() - free zombies, if the device cannot reach them any more. */
void drv_mmu_reap(struct drv_dev *dev);
/** drv_mmu_drop_bo(), drv_mmu_drop_tables() - free once the device cannot reach it any more. */
void drv_mmu_drop_bo(struct drv_dev *dev, u32 ssid, struct drv_bo *bo);
void drv_mmu_drop_tables(struct drv_dev *dev, u32 ssid, struct drv_pt *root);
/** drv_mmu_set_cd() - context descriptor of @ssid; @root NULL removes it. */
void drv_mmu_set_cd(struct drv_dev *dev, u32 ssid, const struct drv_pt *root);
/** drv_mmu_silence() - record no more faults of @ssid; P 10.7 step 3. */
void drv_mmu_silence(struct drv_dev *dev, u32 ssid);
/** drv_mmu_invalidate() - translations of @ssid changed. */
void drv_mmu_invalidate(struct drv_dev *dev, u32 ssid);
void drv_mmu_timer(struct drv_dev *dev);
void drv_mmu_events(struct drv_dev *dev);
void drv_mmu_gerror(struct drv_dev *dev);

/* pgt.c: page tables, P 8.5 */
struct drv_pt *drv_pt_create(struct drv_dev *dev);
void drv_pt_destroy(struct drv_dev *dev, struct drv_pt *root);
/** drv_pt_map() - whole pages at @va to the pieces of @dma from @off on; on an error nothing stays
 * mapped (tables stay). */
int drv_pt_map(struct drv_dev *dev, struct drv_pt *root, u64 va, const struct os_dma *dma, u64 off,
	       u64 len, u32 flags) BASE_WARN_UNUSED;
void drv_pt_unmap(struct drv_pt *root, u64 va, u64 len);
/** drv_pt_lookup() - the page entry of @va, 0 when there is no table. */
u64 drv_pt_lookup(const struct drv_pt *root, u64 va);

/* ctx.c */
/** drv_mmu_ctx_open(), drv_mmu_ctx_close() - an address space behind the MMU: drv_gen_ops. */
int drv_mmu_ctx_open(struct drv_ctx *ctx) BASE_WARN_UNUSED;
void drv_mmu_ctx_close(struct drv_ctx *ctx);
int drv_ctx_new(struct drv_dev *dev, u32 ssid, struct drv_ctx **out) BASE_WARN_UNUSED;
void drv_ctx_free(struct drv_ctx *ctx);
/** drv_ctx_mark() - no more jobs of @ctx, no more faults of it recorded. */
void drv_ctx_mark(struct drv_ctx *ctx);
/** drv_ctx_abort() - a fault or an engine error of @ctx; P 10.7. */
void drv_ctx_abort(struct drv_ctx *ctx);
/** drv_ctx_progress() - send what waits for a free slot; free what the firmware let go. */
void drv_ctx_progress(struct drv_dev *dev);
void drv_ctx_timer(struct drv_dev *dev);

/* bo.c */
enum drv_bo_place { DRV_PLACE_GLOBAL, DRV_PLACE_USER, DRV_PLACE_SHAVE, DRV_PLACE_DMA };
struct drv_bo_spec {
	u64 size, align;
	u64 fixed_va; /* 0 = choose in @range */
	const struct reg_range *range;
	enum os_cache cache;
	u32 how;	      /* enum os_dma_how */
	u32 map;	      /* enum drv_map_flags */
	u64 ro_start, ro_end; /* part of it that is read-only, offsets */
	bool import;	      /* of memory there is: */
	int fd;
};
/** drv_mmu_bo_open(), drv_mmu_bo_close() - a buffer behind the MMU: drv_gen_ops. */
int drv_mmu_bo_open(struct drv_ctx *ctx, const struct drv_bo_spec *spec,
		    struct drv_bo *bo) BASE_WARN_UNUSED;
void drv_mmu_bo_close(struct drv_bo *bo);
int drv_bo_new(struct drv_ctx *ctx, const struct drv_bo_spec *spec,
	       struct drv_bo **out) BASE_WARN_UNUSED;
/** drv_bo_memory() - what @spec says, for @bo->size.  Return: 0 or what the seam said. */
int drv_bo_memory(struct drv_dev *dev, const struct drv_bo_spec *spec, u64 align, u32 how,
		  struct drv_bo *bo) BASE_WARN_UNUSED;
/** drv_bo_release() - memory of a buffer that is not mapped any more. */
void drv_bo_release(struct drv_dev *dev, struct drv_bo *bo);

/* metric.c */
/** drv_metric_progress() - ask what waits to be asked; free streams that ended */
void drv_metric_progress(struct drv_dev *dev);
void drv_metric_timer(struct drv_dev *dev);
void drv_metric_fini(struct drv_dev *dev);

/* counters.c */
struct drv_counters;
/** drv_counters_parse() - descriptors as the firmware wrote them; 0 or -EPROTO */
int drv_counters_parse(const u8 *at, u32 size, struct drv_counters *out) BASE_WARN_UNUSED;
void drv_counters_fini(struct drv_dev *dev);

/* queue.c */
/** drv_jobq_open(), drv_jobq_close() - a page of jobs with its doorbell: drv_gen_ops. */
int drv_jobq_open(struct drv_queue *queue) BASE_WARN_UNUSED;
void drv_jobq_close(struct drv_queue *queue);
void drv_queue_progress(struct drv_queue *queue);
/** drv_queue_forget() - the firmware does not know @queue any more.  If it had jobs of it, all end:
 * the oldest with @cause, those behind it with -ECANCELED.  Else none does. */
void drv_queue_forget(struct drv_queue *queue, s32 cause);
void drv_queues_publish(struct drv_dev *dev);	 /* doorbells were held */
bool drv_queues_gone(const struct drv_ctx *ctx); /* the firmware knows none of them */

/* job.c */
/** drv_queue_publish() - tell the firmware of jobs it does not know; P 10.4. */
void drv_queue_publish(struct drv_queue *queue);
/** drv_job_done() - the firmware says that job @id ended with @status. */
void drv_job_done(struct drv_dev *dev, u32 id, u32 status);
/** drv_job_end() - the same on a device where no status is its context's fault. */
void drv_job_end(struct drv_dev *dev, u32 id, u32 status);
/** drv_job_blame() - the oldest job of @queue is to blame: @status is its own, once it ends */
void drv_job_blame(struct drv_queue *queue, s32 status);
/** drv_queue_published() - has the firmware jobs of @queue that did not end? */
bool drv_queue_published(const struct drv_queue *queue);
/** drv_jobs_move() - the jobs of @queue moved by @slots towards slot 0. */
void drv_jobs_move(struct drv_queue *queue, u32 slots);
/** drv_jobs_published() - has the firmware jobs that did not end? */
bool drv_jobs_published(const struct drv_dev *dev);
/** drv_jobs_end_all() - complete all jobs of the device. */
void drv_jobs_end_all(struct drv_dev *dev, s32 status);
/** drv_jobs_end() - complete all jobs of @ctx, or of its @queue if not NULL. */
void drv_jobs_end(struct drv_ctx *ctx, struct drv_queue *queue, s32 status);

/* irq.c */
void drv_irq_handle(struct drv_dev *dev);

#endif
