// SPDX-License-Identifier: MIT
/*
 * When the device fails.  SRC: P 11.4; the ladder is design section 5.
 *
 *   engine hang, hardware scheduling:  reset of the engine (engine.c), the device goes on
 *   anything else that fails:          RECOVERING: what happened is written down, power-down, cold
 *                                      boot; jobs the firmware had end, the others wait for it
 *   device gone, boot failed, or one failure too many in the window:  FAILED
 *
 * A job that does not end is no failure of that kind: any program can write one, and would take the
 * device away from all others.
 */
#include <errno.h>
#include <stdarg.h>

#include "driver/mmio.h"

#define DEFAULT_RECOVERIES 5u
#define DEFAULT_WINDOW_S   600u

static void forget_ctx(struct drv_ctx *ctx, s32 cause)
{
	for (struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next)
		drv_queue_forget(base_container_of(q, struct drv_queue, link), cause);
	ctx->known_to_fw = false;
	ctx->releasing = false;
	ctx->cut = ctx->faulty;
	ctx->drain_deadline_ns = DRV_NO_TIME;
}

void drv_forget_firmware(struct drv_dev *dev, s32 cause)
{
	drv_jsm_cancel_all(dev, -ECANCELED);
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next)
		forget_ctx(base_container_of(c, struct drv_ctx, link), cause);
	dev->engine = (struct drv_engine){ .resets = dev->engine.resets };
	drv_timer_set(dev, DRV_TIMER_DRAIN, DRV_NO_TIME);
	dev->work = true;
}

/* What a job ends with when the device failed for @code. */
static s32 job_status(int code)
{
	return code == -ETIMEDOUT || code == -ECANCELED ? code : -EIO;
}

/*
 * Frees nothing a caller up the stack may hold: contexts and queues go in drv_ctx_progress().
 */
void drv_give_up(struct drv_dev *dev)
{
	/* a boot's failure is what drv_boot() returns; any other has nobody to tell */
	base_log(&dev->log, dev->state == DRV_BOOTING ? BASE_LOG_INFO : BASE_LOG_ERR,
		 BASE_LOG_RECOVERY, "%s", dev->err.text);
	drv_trouble(dev, dev->err.text);
	drv_phase_abort(dev);
	drv_timer_set(dev, DRV_TIMER_PM, DRV_NO_TIME);
	drv_set_state(dev, DRV_FAILED);
	if (dev->powered)
		drv_io_wr32(dev, dev->regs.int_global_mask, 1);
	drv_mmu_off(dev);
	drv_pci_quiet(dev); /* from here on memory may be freed */
	drv_jobs_end_all(dev, job_status(dev->err.code));
	drv_forget_firmware(dev, -ECANCELED);
}

/* Recoveries that began within the window before now. */
static u32 recent(const struct drv_dev *dev)
{
	const struct drv_recovery *r = &dev->recovery;
	u64 window_ns = BASE_NS_PER_S * (dev->cfg.recovery_window_s ? dev->cfg.recovery_window_s
								    : DEFAULT_WINDOW_S);
	u64 kept = base_min(r->nr, (u64)DRV_RECOVERIES_MAX);
	u32 nr = 0;

	for (u64 i = r->nr - kept; i < r->nr; i++)
		nr += dev->now_ns - r->at_ns[i % DRV_RECOVERIES_MAX] < window_ns;
	return nr;
}

static u32 budget(const struct drv_dev *dev)
{
	u32 most = dev->cfg.recoveries;

	return most ? base_min(most, DRV_RECOVERIES_MAX) : DEFAULT_RECOVERIES;
}

/* May it be recovered?  If not, dev->err says why. */
static bool may_recover(struct drv_dev *dev, bool counts)
{
	char text[sizeof(dev->err.text)];

	if (!drv_takes_jobs(dev) || dev->err.code == -ENODEV || dev->cfg.recoveries == DRV_NEVER)
		return false;
	if (dev->state == DRV_RESUMING || dev->state == DRV_RECOVERING)
		return false; /* the cold boot itself failed */
	if (!counts || recent(dev) < budget(dev))
		return true;
	snprintf(text, sizeof(text), "%s", dev->err.text);
	base_err_set(&dev->err, dev->err.code,
		     "the device is declared dead after %u recoveries in %u s: %s", budget(dev),
		     dev->cfg.recovery_window_s ? dev->cfg.recovery_window_s : DEFAULT_WINDOW_S,
		     text);
	return false;
}

static void recover(struct drv_dev *dev)
{
	struct drv_recovery *r = &dev->recovery;
	bool runs = dev->state == DRV_READY || dev->state == DRV_SUSPENDING;
	bool tells = runs && dev->seqs[DRV_SEQ_RECOVER];

	r->why = dev->err;
	r->status = job_status(dev->err.code);
	r->total++;
	drv_set_state(dev, DRV_RECOVERING);
	drv_jsm_cancel_all(dev, -ECANCELED);
	drv_timer_set(dev, DRV_TIMER_PM, DRV_NO_TIME);
	drv_timer_set(dev, DRV_TIMER_DRAIN, DRV_NO_TIME);
	dev->pm.asked_dump = dev->pm.system = false;
	dev->warn = (struct base_err){ 0 };
	if (!dev->powered) {
		drv_cold_start(dev);
		return;
	}
	drv_io_wr32(dev, dev->regs.int_global_mask, 1);
	drv_mmu_off(dev);
	if (!tells)
		drv_trouble(dev, r->why.text);
	drv_phase_begin(dev, tells ? DRV_PHASE_RECOVER : DRV_PHASE_RESTART);
}

/* A failure of the sequences under way, or of a device that runs.  What follows one counts not. */
static bool can_fail(const struct drv_dev *dev)
{
	return dev->phase == DRV_PHASE_START || drv_listens(dev);
}

static void BASE_PRINTF(4, 0)
	fail(struct drv_dev *dev, bool counts, int code, const char *fmt, va_list ap)
{
	if (!can_fail(dev))
		return;
	dev->err.code = code;
	vsnprintf(dev->err.text, sizeof(dev->err.text), fmt, ap);
	if (!may_recover(dev, counts)) {
		drv_give_up(dev);
		return;
	}
	drv_err(dev, RECOVERY, "%s: the device is recovered", dev->err.text);
	if (counts)
		dev->recovery.at_ns[dev->recovery.nr++ % DRV_RECOVERIES_MAX] = drv_clock(dev);
	recover(dev);
}

void drv_fail(struct drv_dev *dev, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(dev, true, code, fmt, ap);
	va_end(ap);
}

void drv_fail_job(struct drv_dev *dev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(dev, false, -ETIMEDOUT, fmt, ap);
	va_end(ap);
}

/* What the seam cannot wait for was taken away; time may stand still. */
void drv_lost(struct drv_dev *dev, int code)
{
	if (dev->state == DRV_CREATED || dev->state == DRV_STOPPED || dev->state == DRV_FAILED)
		return;
	if (dev->state == DRV_STOPPING) {
		drv_power_cut(dev);
		return;
	}
	base_err_set(&dev->err, code, "waiting for the device failed: %s", base_err_name(code));
	drv_give_up(dev);
}

int drv_reset(struct drv_dev *dev)
{
	if (!drv_is_up(dev) && dev->state != DRV_SUSPENDED && dev->state != DRV_FAILED)
		return -EBUSY;
	base_err_set(&dev->err, -ECANCELED, "a reset was asked for");
	drv_warn(dev, RECOVERY, "%s", dev->err.text);
	recover(dev);
	return 0;
}

static void ignored(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	(void)dev, (void)arg, (void)ret, (void)answer;
}

static void ask_dump(struct drv_dev *dev)
{
	if (drv_jsm_ask(dev, ABI_JSM_STATE_DUMP, ABI_JSM_STATE_DUMP_RSP, &dev->now_ns, 0, false,
			ignored, NULL))
		drv_dbg(dev, RECOVERY, "no slot to ask for a dump");
}

/* SRC: P 11.4 #2, #3: the firmware may add its state to its log; then everything is written down */
int drv_recovery_dump(struct drv_dev *dev)
{
	u64 asked_ns = dev->run.start_ns;

	if (!dev->pm.asked_dump) {
		ask_dump(dev);
		dev->pm.asked_dump = true;
	}
	if (drv_clock(dev) < asked_ns + dev->gen->timeouts.state_dump_msg_ms * BASE_NS_PER_MS)
		return -EAGAIN;
	drv_trouble(dev, dev->recovery.why.text);
	return 0;
}
