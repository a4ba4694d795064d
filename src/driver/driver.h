/* SPDX-License-Identifier: MIT */
/*
 * The driver core: one NPU behind the seam.
 *
 * One event loop owns all state: whoever calls must hold the device (the service's device lock, or
 * a single thread); no function here may run at the same time as another on the same device.
 * Nothing blocks but drv_wait(), and the convenience loops that say so.
 *
 *   created -> booting -> ready <-> suspending, suspended, resuming
 *                  |        |  <-> recovering (the device failed: cold boot)
 *                  |        |-> stopping -> stopped -> (drv_start) booting
 *                  \-> failed (gone, or failed too often)
 *
 * Between ready and recovering jobs are taken in each state: they wait until the device is ready.
 */
#ifndef DRIVER_DRIVER_H
#define DRIVER_DRIVER_H

#include "abi/job.h"
#include "base/base.h"
#include "driver/os.h"

struct reg_gen;
struct drv_dev;
struct drv_ctx;
struct drv_bo;
struct drv_queue;

enum drv_state {
	DRV_CREATED,
	DRV_BOOTING,
	DRV_READY,
	DRV_STOPPING,
	DRV_STOPPED,
	DRV_FAILED,
	DRV_SUSPENDING,
	DRV_SUSPENDED,
	DRV_RESUMING,
	DRV_RECOVERING,
};

/* One finished step of a sequence, for `npu boot -v`. */
struct drv_step_report {
	const char *sequence; /* "power_up", "boot" ... static strings */
	const char *step;     /* what the step does: "poll PLL_STATUS.LOCK == 1" */
	const char *source;   /* "P 3.4 #3" */
	u64 duration_ns;
	int result; /* 0 or a negative errno */
};

/* Who schedules jobs; DRV_SCHED_AUTO: the firmware, if its image says that it can.  P 4.5 */
enum drv_sched { DRV_SCHED_AUTO, DRV_SCHED_OS, DRV_SCHED_HW };

#define DRV_NEVER	   UINT32_MAX
#define DRV_RECOVERIES_MAX 16u

struct drv_config {
	const char *firmware; /* path; NULL = search list of design section 8 */
	bool ignore_env;      /* privileged caller: $NPU_FIRMWARE is ignored */
	bool force_id;	      /* bind to ids known not to be NPUs */
	bool poll;	      /* look for the end of jobs every ms; only where the hardware tells */
	u32 log_level;	      /* enum base_log_level */
	u32 sched;	      /* enum drv_sched */
	u32 idle_ms;	      /* without a job before the device sleeps; 0 = the generation's
			       * (P 11.1), DRV_NEVER */
	u32 recoveries;	      /* in the window before a device that fails again is declared dead;
			       * 0 = 5, at most DRV_RECOVERIES_MAX; DRV_NEVER: it is not recovered */
	u32 recovery_window_s; /* 0 = 600 */
	/* Called from the loop after each step; may be NULL. */
	void (*on_step)(void *opaque, const struct drv_step_report *report);
	/*
	 * Called when something went wrong, before anything is done about it; may be NULL.  Of the
	 * driver it may call drv_dump() and the questions that change nothing.
	 */
	void (*on_trouble)(void *opaque, struct drv_dev *dev, const char *why);
	void *opaque;
};

/**
 * drv_create() - match PCI ids, map BARs, find and validate firmware
 * @os: stays the caller's; must outlive the device
 *
 * Return: 0; -ENODEV (no NPU, or not one we drive), -ENOENT (no firmware; @err lists every path
 * tried), -EINVAL (bad firmware), -ENOMEM, or what the seam said.
 */
int drv_create(struct os_device *os, const struct drv_config *cfg, struct drv_dev **out,
	       struct base_err *err) BASE_WARN_UNUSED;

/** drv_destroy() - stop if needed (blocking), free everything.  Contexts must be gone. NULL ok. */
void drv_destroy(struct drv_dev *dev);

/** drv_start() - begin power-up and boot; drv_process() carries it on. */
int drv_start(struct drv_dev *dev) BASE_WARN_UNUSED;
/** drv_stop() - begin the orderly shutdown of P 3.9; pending jobs end with -ECANCELED. */
int drv_stop(struct drv_dev *dev) BASE_WARN_UNUSED;

/** drv_boot() - drv_start() and the loop until ready; blocks.  0 or why it failed. */
int drv_boot(struct drv_dev *dev, struct base_err *err) BASE_WARN_UNUSED;
/** drv_shutdown() - drv_stop() and the loop until stopped; blocks. */
int drv_shutdown(struct drv_dev *dev, struct base_err *err) BASE_WARN_UNUSED;

/**
 * drv_process() - take interrupts and timers that are due; never blocks
 * Return: when to be called again at the latest, ns of the seam's clock (~0 = no timer).
 */
u64 drv_process(struct drv_dev *dev);
/**
 * drv_wait() - block until there may be something to process, or @until_ns
 *
 * @until_ns: not later than what drv_process() returned, or timers are late.  Touches no state of
 * the device: may run beside the other functions, in one thread at a time.
 * Return: 0, -ETIMEDOUT, -EINTR (drv_wake()), or why the seam cannot wait: then drv_lost().
 */
int drv_wait(struct drv_dev *dev, u64 until_ns) BASE_WARN_UNUSED;
/** drv_lost() - drv_wait() failed with @code: the device was taken away, all its jobs end. */
void drv_lost(struct drv_dev *dev, int code);
/** drv_wake() - make this or the next drv_wait() return; callable from any thread. */
void drv_wake(struct drv_dev *dev);
/** drv_event_source() - a descriptor that polls readable when there is something to process, for an
 * event loop in place of drv_wait(); -EOPNOTSUPP. */
int drv_event_source(struct drv_dev *dev);
/** drv_listen() - before (@on) and after the loop sleeps on that descriptor. */
void drv_listen(struct drv_dev *dev, bool on);
/** drv_event() - the loop was told that the descriptor became readable; whoever calls drv_listen()
 * must tell of each such edge, before the drv_process() that is to see it. */
void drv_event(struct drv_dev *dev);
u64 drv_now_ns(struct drv_dev *dev);

/**
 * drv_suspend() - begin the system's suspend: jobs handed to the firmware end first, later ones wait
 *
 * DRV_SUSPENDED tells that it is done; READY again: jobs did not end within the job time-out, and
 * drv_last_error() says -EBUSY.  The device then sleeps until drv_resume(), whatever is submitted.
 * Return: 0, -EBUSY (booting, resuming or recovering: later), -ENODEV (failed or stopped),
 * -EOPNOTSUPP (the generation cannot).
 */
int drv_suspend(struct drv_dev *dev) BASE_WARN_UNUSED;
/** drv_resume() - wake a device that sleeps, by drv_suspend() or because it was idle.  0 or -ENODEV. */
int drv_resume(struct drv_dev *dev) BASE_WARN_UNUSED;
/** drv_reset() - begin a recovery that does not count: of a device that runs, sleeps or failed.
 * Pending jobs end with -ECANCELED.  0 or -EBUSY. */
int drv_reset(struct drv_dev *dev) BASE_WARN_UNUSED;

enum drv_state drv_get_state(const struct drv_dev *dev);
static inline const char *drv_state_name(enum drv_state state)
{
	static const char *const names[] = {
		[DRV_CREATED] = "created",	 [DRV_BOOTING] = "booting",
		[DRV_READY] = "ready",		 [DRV_STOPPING] = "stopping",
		[DRV_STOPPED] = "stopped",	 [DRV_FAILED] = "failed",
		[DRV_SUSPENDING] = "suspending", [DRV_SUSPENDED] = "suspended",
		[DRV_RESUMING] = "resuming",	 [DRV_RECOVERING] = "recovering",
	};

	return state < BASE_ARRAY_SIZE(names) && names[state] ? names[state] : "unknown";
}
/** drv_takes_jobs() - is it up, or will it be without further calls but drv_process()? */
bool drv_takes_jobs(const struct drv_dev *dev);
/** drv_last_error() - why the device failed; text empty when it did not. */
const struct base_err *drv_last_error(const struct drv_dev *dev);

#define DRV_FW_WHY 240u

/**
 * drv_fw_check() - would the driver take this firmware file for @gen?
 * @why: on failure the field, its value and what was expected; on success empty or a warning;
 *       DRV_FW_WHY bytes hold all of it
 * Return: 0 or -EINVAL.
 */
int drv_fw_check(const struct reg_gen *gen, const void *file, size_t size, char *why,
		 size_t why_size) BASE_WARN_UNUSED;
/** drv_fw_make() - the image that is built in for @gen; @hws: with the JSM version from which on
 * Linux schedules in hardware.  @out: free with base_free().  0 or -ENOMEM. */
int drv_fw_make(const struct reg_gen *gen, bool hws, void **out, size_t *size) BASE_WARN_UNUSED;
/** drv_fw_is_marked() - does the text of an image's version page say that it is @gen's? */
bool drv_fw_is_marked(const struct reg_gen *gen, const char *version);

struct drv_info {
	const char *gen;     /* "npu37" */
	const char *product; /* "Meteor Lake" */
	const char *location;
	u16 vendor_id, device_id;
	u8 revision;
	bool is_virtual;
	const char *fw_path;	/* "(built in)" for the built-in image */
	const char *fw_version; /* text of the version page */
	u32 fw_api[16];		/* major << 16 | minor */
	bool flat;		/* no MMU: struct reg_gen */
	bool hw_sched;		/* the firmware schedules */
	u64 va_start, va_end;	/* range of a context's buffers */
	u32 freq_max_mhz;
	u32 nr_contexts_max, nr_queues_max; /* of the device; 0: it has no limit */
	u64 jobs_done, jobs_failed, irqs, mmu_faults;
	u64 boot_ns; /* duration of the last boot */
	u64 busy_ns; /* at least one job was under way */
	u64 suspends, warm_boots, cold_boots;
	u64 recoveries, engine_resets;
};
void drv_get_info(const struct drv_dev *dev, struct drv_info *out);

/** drv_freq_mhz() - what the NPU runs at now; 0 when it has no power or does not tell. */
u32 drv_freq_mhz(struct drv_dev *dev);

/** drv_set_log_level() - of the driver's own messages, enum base_log_level */
void drv_set_log_level(struct drv_dev *dev, u32 level);

#define DRV_FW_LEVEL_MAX 5u /* 0 the firmware's default, 1 debug ... 5 fatal; SRC: P 11.8 */

/**
 * drv_set_fw_log_level() - what the firmware's log is to hold, from now on and after boots
 * Return: 0 (a firmware that runs was asked; its answer comes later), -EINVAL, -EBUSY (later),
 * -EOPNOTSUPP.
 */
int drv_set_fw_log_level(struct drv_dev *dev, u32 level) BASE_WARN_UNUSED;

/** drv_trace_dump() - the last @max records, oldest first, one line each. */
void drv_trace_dump(const struct drv_dev *dev, u32 max,
		    void (*line)(void *opaque, const char *text), void *opaque);

/** drv_dump_registers() - every readable, side-effect-free register, decoded, one line each. */
void drv_dump_registers(struct drv_dev *dev, void (*line)(void *opaque, const char *text),
			void *opaque);

/* The firmware writes errors to the one, and what its trace level lets pass to the other. */
enum drv_fw_log { DRV_FW_LOG_CRITICAL, DRV_FW_LOG_VERBOSE };

#define DRV_FW_LOG_BUFS 8u /* of a log that are looked at */

/* Where somebody is in the firmware's log.  Zeroed but for @log: at the oldest line left. */
struct drv_fw_log_reader {
	enum drv_fw_log log;
	u32 boots;
	u32 damaged; /* bit per buffer: that was said */
	u64 pos[DRV_FW_LOG_BUFS];
};

/** drv_fw_log_read() - whole lines since the last call, "BUFFER: text"; returns how many.  Goes on at
 * the beginning when the firmware was booted anew meanwhile. */
u32 drv_fw_log_read(struct drv_dev *dev, struct drv_fw_log_reader *reader,
		    void (*line)(void *opaque, const char *text), void *opaque);

/**
 * drv_dump() - all there is to know about the device, for a bug report: what it is, counters,
 * questions to the firmware, contexts, queues and jobs, registers, the firmware's log, and the last
 * trace records; about 2000 lines
 *
 * In any state; reads registers, changes nothing, allocates nothing.  After a recovery began, call
 * it before the firmware is booted anew: the boot clears the log.
 */
void drv_dump(struct drv_dev *dev, void (*line)(void *opaque, const char *text), void *opaque);

/*
 * Raw access, for who is trusted with the whole device: raw.c.
 */

/** drv_window() - @bar, if it is mapped; -ENODEV. */
int drv_window(const struct drv_dev *dev, u32 bar, struct os_bar *out) BASE_WARN_UNUSED;
/** drv_window_writable() - may registers be written without being in the driver's way? */
bool drv_window_writable(const struct drv_dev *dev);
/** drv_window_ready() - can registers be read?  0; -EAGAIN: it sleeps and was asked to wake up;
 * -EBUSY: it was told to sleep, drv_resume() first; -ENODEV: it has no power. */
int drv_window_ready(struct drv_dev *dev) BASE_WARN_UNUSED;
/** drv_window_read(), drv_window_write() - one access of @size 1, 2, 4 or 8 bytes, at a multiple of it
 * inside the BAR.  Not traced. */
u64 drv_window_read(struct drv_dev *dev, u32 bar, u32 off, u32 size);
void drv_window_write(struct drv_dev *dev, u32 bar, u32 off, u32 size, u64 val);

/** drv_dma_alloc() - zeroed memory in one piece for the device, that another process may be given;
 * @align a power of two of at least 4096.  -ENOMEM.  Freed before drv_destroy(). */
int drv_dma_alloc(struct drv_dev *dev, u64 size, u64 align, struct os_dma *out) BASE_WARN_UNUSED;
void drv_dma_free(struct drv_dev *dev, struct os_dma *dma);

/* Contexts: one address space (SSID) each.  -EBUSY when SSIDs run out. */
int drv_ctx_create(struct drv_dev *dev, struct drv_ctx **out) BASE_WARN_UNUSED;
/** drv_ctx_destroy() - its queues and buffers must be gone. */
void drv_ctx_destroy(struct drv_ctx *ctx);
/** drv_ctx_cancel() - nobody waits for its jobs: those that do not end are ended, with -ECANCELED,
 * and it takes no more; other contexts lose nothing.  A device whose queues share rings cannot: its
 * jobs end by themselves, or its time limit ends them. */
void drv_ctx_cancel(struct drv_ctx *ctx);
u32 drv_ctx_ssid(const struct drv_ctx *ctx);

/* P 12.4, values of the service's path grammar */
enum drv_bo_flags {
	DRV_BO_WB = 0,
	DRV_BO_WC = 1u << 0,
	DRV_BO_RO = 1u << 1,	/* read-only for the NPU */
	DRV_BO_SHAVE = 1u << 2, /* in the shave range */
	DRV_BO_DMA = 1u << 3,	/* in the dma range */
	DRV_BO_LENT = 1u << 4,	/* not of P: another process maps it, OS_DMA_SHARED */
};

/**
 * drv_bo_create() - zeroed memory mapped for CPU and NPU
 * @size: bytes, not 0; rounded up to pages.  @align: power of two, 0 = 4096.
 * Return: 0, -EINVAL, -ENOMEM, -ENOSPC (address range exhausted).
 */
int drv_bo_create(struct drv_ctx *ctx, u64 size, u64 align, u32 flags,
		  struct drv_bo **out) BASE_WARN_UNUSED;
/** drv_bo_import() - of memory that @fd holds from its beginning on: @size whole pages that nobody can
 * take away; @fd stays the caller's.  Return: as drv_bo_create(), -EACCES (it cannot be written),
 * -EOPNOTSUPP (not behind this seam). */
int drv_bo_import(struct drv_ctx *ctx, int fd, u64 size, u64 align, u32 flags,
		  struct drv_bo **out) BASE_WARN_UNUSED;
/** drv_bo_destroy() - unmap and free; the caller makes sure that no job uses it. */
void drv_bo_destroy(struct drv_bo *bo);
void *drv_bo_cpu(const struct drv_bo *bo);
int drv_bo_fd(const struct drv_bo *bo); /* of a lent one: struct os_dma */
u64 drv_bo_addr(const struct drv_bo *bo);
u64 drv_bo_size(const struct drv_bo *bo); /* rounded */
/** drv_ctx_range_ok() - do live buffers of @ctx cover [addr, addr + size)? */
bool drv_ctx_range_ok(const struct drv_ctx *ctx, u64 addr, u64 size);

#define DRV_QUEUE_DEPTH 62u  /* P 10.2 */
#define DRV_CTX_JOBS	256u /* P 10.1 */

/**
 * drv_queue_create() - a command queue with its doorbell; registered at its first submission
 * @priority: 0 idle .. 3 realtime
 * Return: 0, -EINVAL, -ENOMEM, -EBUSY (no doorbell left).
 */
int drv_queue_create(struct drv_ctx *ctx, u32 priority, struct drv_queue **out) BASE_WARN_UNUSED;
/** drv_queue_destroy() - pending jobs are forgotten by the caller but reaped by the driver first:
 * the call is asynchronous, memory is freed once the firmware let go. */
void drv_queue_destroy(struct drv_queue *queue);

/**
 * drv_queue_submit() - hand over jobs, in order
 *
 * Numbers must have been checked by the service.  No allocation, no blocking.
 * A device that sleeps wakes up for them.
 * Return: number of jobs taken (>= 1), or -EAGAIN (queue or context full, or completions
 * not reaped), -ENODEV (device failed), -ECANCELED (not running, or the context faulted).
 *
 * Status of a job that a recovery ended: -ETIMEDOUT or -EIO (the engine hung, the device failed) for
 * the oldest of each queue, -ECANCELED for those behind it.  Queues of which the firmware had
 * nothing yet lose nothing.  -ENOMEM: there was none to open the queue with; the next job tries
 * again.
 */
int drv_queue_submit(struct drv_queue *queue, const struct abi_job *jobs, u32 nr) BASE_WARN_UNUSED;
/** drv_queue_reap() - take up to @max completions, oldest first; returns how many. */
u32 drv_queue_reap(struct drv_queue *queue, struct abi_completion *out, u32 max);
/** drv_queue_pending() - jobs submitted and not completed. */
u32 drv_queue_pending(const struct drv_queue *queue);

#endif
