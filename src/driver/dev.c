// SPDX-License-Identifier: MIT
/*
 * The device: its life and its event loop.
 *
 *   CREATED -> BOOTING -> READY -> STOPPING -> STOPPED -> (drv_start) BOOTING
 *                  \-> FAILED <-/       FAILED -> STOPPING
 *
 * BOOTING runs the sequences power_up, mmu, boot, configure; STOPPING runs power_down.
 */
#include "driver/driver.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "driver/mmio.h"

static const u8 start_seqs[] = { DRV_SEQ_POWER_UP, DRV_SEQ_MMU, DRV_SEQ_BOOT, DRV_SEQ_CONFIGURE };
static const u8 stop_seqs[] = { DRV_SEQ_POWER_DOWN };

static void set_state(struct drv_dev *dev, enum drv_state state)
{
	dev->state = state;
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_STATE, 0, state);
}

void drv_timer_set(struct drv_dev *dev, enum drv_timer timer, u64 time_ns)
{
	dev->timers[timer] = time_ns;
	dev->rare_ns = DRV_NO_TIME;
	for (u32 i = 0; i < DRV_NR_TIMERS; i++)
		dev->rare_ns = base_min(dev->rare_ns, dev->timers[i]);
}

/*
 * Creation
 */

int drv_vpu_init(struct drv_dev *dev, struct base_err *err)
{
	int ret;

	drv_sched_choose(dev);
	ret = drv_mmu_init(dev);
	if (ret)
		goto err_out;
	ret = drv_ctx_new(dev, 0, &dev->sys);
	if (ret)
		goto err_mmu_fini;
	ret = drv_ctx_new(dev, 1, &dev->reserved); /* any access with SSID 1 faults; P 8.6 */
	if (ret)
		goto err_free_sys;
	ret = drv_boot_init(dev, err);
	if (ret)
		goto err_boot_fini;
	return 0;

err_boot_fini:
	drv_boot_fini(dev);
	drv_ctx_free(dev->reserved);
err_free_sys:
	drv_ctx_free(dev->sys);
err_mmu_fini:
	drv_mmu_fini(dev);
err_out:
	if (err && !err->code)
		base_err_set(err, ret, "%s: memory for the page tables: %s", dev->os->location,
			     base_err_name(ret));
	return ret;
}

void drv_vpu_fini(struct drv_dev *dev)
{
	drv_boot_fini(dev);
	drv_ctx_free(dev->reserved);
	drv_ctx_free(dev->sys);
	drv_mmu_fini(dev);
}

static void init_fields(struct drv_dev *dev, struct os_device *os, const struct drv_config *cfg)
{
	dev->os = os;
	dev->ops = os->ops;
	dev->cfg = *cfg;
	dev->log.level = (enum base_log_level)cfg->log_level;
	dev->log.prefix = os->location;
	dev->tdr_ns = dev->rare_ns = DRV_NO_TIME;
	for (u32 i = 0; i < DRV_NR_TIMERS; i++)
		dev->timers[i] = DRV_NO_TIME;
	drv_list_init(&dev->ctx_list);
	drv_list_init(&dev->metrics);
	drv_list_init(&dev->mmu.zombies);
	drv_jsm_init(dev);
	drv_clock(dev);
}

static void init_gen(struct drv_dev *dev)
{
	dev->regs = *dev->info->regs;
	dev->btrs_irq_mask = dev->gen->btrs_irq_mask;
	dev->icb_irq_mask = (u32)dev->gen->icb_irq_mask;
	dev->tdr_period_ns = dev->gen->timeouts.tdr_ms * BASE_NS_PER_MS;
	memcpy(dev->seqs, dev->info->seqs, sizeof(dev->seqs));
	base_ids_init(&dev->ssids, dev->gen->ssid_first, dev->gen->ssid_last);
	base_ids_init(&dev->dbs, dev->gen->db_first, dev->gen->db_last);
}

static int probe_gen(struct drv_dev *dev, struct base_err *err)
{
	int ret = dev->info->ops->probe(dev);

	if (ret)
		return base_err_set(err, ret, "%s: reading the fuses of %s failed: %s",
				    dev->os->location, dev->gen->name, base_err_name(ret));
	return 0;
}

int drv_create(struct os_device *os, const struct drv_config *cfg, struct drv_dev **out,
	       struct base_err *err)
{
	struct drv_dev *dev = base_zalloc(sizeof(*dev));
	int ret;

	if (err)
		*err = (struct base_err){ 0 };
	if (!dev)
		return base_err_set(err, -ENOMEM, "%s: no memory for the device", os->location);
	init_fields(dev, os, cfg);
	ret = drv_pci_probe(dev, err);
	if (ret)
		goto err_free;
	init_gen(dev);
	ret = probe_gen(dev, err);
	if (ret)
		goto err_release_pci;
	ret = drv_fw_find(dev, "", err);
	if (ret)
		goto err_release_pci;
	ret = dev->info->ops->init(dev, err);
	if (ret)
		goto err_fw_fini;
	*out = dev;
	return 0;

err_fw_fini:
	drv_fw_fini(dev);
err_release_pci:
	drv_pci_release(dev);
err_free:
	base_free(dev);
	return ret;
}

void drv_destroy(struct drv_dev *dev)
{
	if (!dev)
		return;
	if (dev->powered && drv_shutdown(dev, NULL))
		drv_dbg(dev, PM, "shutdown: %s", dev->warn.text);
	drv_ctx_progress(dev); /* what was destroyed and waited for the firmware */
	drv_metric_fini(dev);
	drv_counters_fini(dev);
	dev->info->ops->fini(dev);
	drv_fw_fini(dev);
	drv_pci_release(dev);
	base_free(dev);
}

/*
 * Start, stop, failure
 */

/* The firmware forgets everything: so do queues and contexts.  Jobs end with @status. */
static void forget_firmware(struct drv_dev *dev, s32 status)
{
	drv_jsm_cancel_all(dev, -ECANCELED);
	for (struct drv_list *c = dev->ctx_list.next; c != &dev->ctx_list; c = c->next) {
		struct drv_ctx *ctx = base_container_of(c, struct drv_ctx, link);

		for (struct drv_list *q = ctx->queues.next; q != &ctx->queues; q = q->next)
			drv_queue_forget(base_container_of(q, struct drv_queue, link));
		drv_jobs_end(ctx, NULL, status);
		ctx->known_to_fw = false;
		ctx->releasing = false;
		ctx->cut = ctx->faulty;
		ctx->drain_deadline_ns = DRV_NO_TIME;
	}
	dev->engine = (struct drv_engine){ .resets = dev->engine.resets };
	dev->tdr_ns = DRV_NO_TIME;
	drv_timer_set(dev, DRV_TIMER_DRAIN, DRV_NO_TIME);
	dev->work = true;
}

static void irq_off(struct drv_dev *dev)
{
	if (dev->irq_on)
		dev->ops->irq_teardown(dev->os);
	dev->irq_on = false;
}

/*
 * Frees nothing a caller up the stack may hold: contexts and queues go in drv_ctx_progress().
 */
static void fail(struct drv_dev *dev, int code)
{
	/* a boot's failure is what drv_boot() returns; any other has nobody to tell */
	base_log(&dev->log, dev->state == DRV_BOOTING ? BASE_LOG_INFO : BASE_LOG_ERR,
		 BASE_LOG_RECOVERY, "%s", dev->err.text);
	drv_trouble(dev, dev->err.text);
	dev->phase = DRV_PHASE_NONE;
	drv_timer_set(dev, DRV_TIMER_SEQ, DRV_NO_TIME);
	set_state(dev, DRV_FAILED);
	drv_io_wr32(dev, dev->regs.int_global_mask, 1);
	drv_mmu_off(dev);
	drv_pci_quiet(dev); /* from here on memory may be freed */
	forget_firmware(dev, code == -ETIMEDOUT ? -ETIMEDOUT : -EIO);
}

void drv_fail(struct drv_dev *dev, int code, const char *fmt, ...)
{
	va_list ap;

	if (dev->state != DRV_READY && dev->state != DRV_BOOTING)
		return;
	dev->err.code = code;
	va_start(ap, fmt);
	vsnprintf(dev->err.text, sizeof(dev->err.text), fmt, ap);
	va_end(ap);
	fail(dev, code);
}

static void phase_begin(struct drv_dev *dev, enum drv_phase phase)
{
	const u8 *seqs = phase == DRV_PHASE_START ? start_seqs : stop_seqs;

	dev->phase = phase;
	dev->phase_idx = 0;
	drv_seq_begin(&dev->run, dev->seqs[seqs[0]]);
	drv_timer_set(dev, DRV_TIMER_SEQ, drv_clock(dev));
}

int drv_start(struct drv_dev *dev)
{
	int ret;

	if (dev->state != DRV_CREATED && dev->state != DRV_STOPPED)
		return -EBUSY;
	dev->err = (struct base_err){ 0 };
	dev->warn = (struct base_err){ 0 };
	dev->start_ns = drv_clock(dev);
	ret = drv_pci_wake(dev, true);
	if (ret) {
		base_err_set(&dev->err, ret, "waking the PCI function failed: %s",
			     base_err_name(ret));
		goto err_quiet;
	}
	ret = dev->ops->irq_setup(dev->os);
	if (ret) {
		base_err_set(&dev->err, ret, "setting up the interrupt failed: %s",
			     base_err_name(ret));
		goto err_quiet;
	}
	dev->irq_on = true;
	dev->powered = true;
	set_state(dev, DRV_BOOTING);
	phase_begin(dev, DRV_PHASE_START);
	return 0;

err_quiet:
	drv_pci_quiet(dev);
	return ret;
}

int drv_stop(struct drv_dev *dev)
{
	if (dev->state == DRV_STOPPING || dev->state == DRV_STOPPED)
		return 0;
	set_state(dev, DRV_STOPPING);
	dev->warn = (struct base_err){ 0 };
	forget_firmware(dev, -ECANCELED);
	drv_mmu_off(dev);
	if (!dev->powered) {
		set_state(dev, DRV_STOPPED);
		return 0;
	}
	phase_begin(dev, DRV_PHASE_STOP);
	return 0;
}

static void started(struct drv_dev *dev)
{
	set_state(dev, DRV_READY);
	dev->boot_ns = drv_clock(dev) - dev->start_ns;
	dev->work = true;
	drv_info(dev, FW, "%s ready after %llu us", dev->gen->name,
		 (unsigned long long)(dev->boot_ns / BASE_NS_PER_US));
}

/* SRC: P 3.9 #7; the vector and the bus first, so that nothing comes from a sleeping device. */
static void stopped(struct drv_dev *dev)
{
	irq_off(dev);
	drv_pci_quiet(dev);
	drv_pci_sleep(dev);
	dev->powered = false;
	drv_mmu_reap(dev);
	set_state(dev, DRV_STOPPED);
}

static void run_phase(struct drv_dev *dev)
{
	bool start = dev->phase == DRV_PHASE_START;
	const u8 *seqs = start ? start_seqs : stop_seqs;
	u32 nr = start ? BASE_ARRAY_SIZE(start_seqs) : BASE_ARRAY_SIZE(stop_seqs);

	for (;;) {
		u64 next_ns = DRV_NO_TIME;
		int ret = drv_seq_advance(dev, &dev->run, &next_ns);

		if (dev->phase == DRV_PHASE_NONE)
			return; /* drv_fail() was faster */
		if (ret == -EAGAIN) {
			drv_timer_set(dev, DRV_TIMER_SEQ, next_ns);
			return;
		}
		if (ret && start) {
			fail(dev, ret);
			return;
		}
		if (++dev->phase_idx == nr)
			break;
		drv_seq_begin(&dev->run, dev->seqs[seqs[dev->phase_idx]]);
	}
	dev->phase = DRV_PHASE_NONE;
	drv_timer_set(dev, DRV_TIMER_SEQ, DRV_NO_TIME);
	if (start)
		started(dev);
	else
		stopped(dev);
}

/*
 * The loop
 */

static void timers(struct drv_dev *dev)
{
	drv_jsm_timer(dev);
	drv_mmu_timer(dev);
	dev->info->ops->watchdog(dev);
	drv_ctx_timer(dev);
	drv_metric_timer(dev);
}

static u64 next_time(const struct drv_dev *dev)
{
	return base_min(dev->rare_ns, dev->tdr_ns);
}

/* Timers that are due and what waits for its turn.  Rare, so kept out of the way of the rest. */
static __attribute__((noinline)) void process_rare(struct drv_dev *dev)
{
	if (dev->phase != DRV_PHASE_NONE && dev->now_ns >= dev->timers[DRV_TIMER_SEQ])
		run_phase(dev);
	else if (dev->state == DRV_READY)
		timers(dev);
	else if (drv_listens(dev))
		drv_jsm_timer(dev);
	if (dev->work)
		drv_ctx_progress(dev);
}

u64 drv_process(struct drv_dev *dev)
{
	u64 next_ns;

	drv_clock(dev);
	/* taken in every state: one left standing would make each drv_wait() return at once */
	if (dev->ops->irq_ack(dev->os) && BASE_LIKELY(drv_listens(dev)))
		drv_irq_handle(dev);
	next_ns = next_time(dev);
	if (BASE_LIKELY(dev->now_ns < next_ns && !dev->work))
		return next_ns;
	process_rare(dev);
	return next_time(dev);
}

int drv_wait(struct drv_dev *dev, u64 until_ns)
{
	return dev->ops->wait(dev->os, until_ns);
}

void drv_wake(struct drv_dev *dev)
{
	dev->ops->wake(dev->os);
}

u64 drv_now_ns(struct drv_dev *dev)
{
	return dev->ops->now_ns(dev->os);
}

void drv_lost(struct drv_dev *dev, int code)
{
	drv_fail(dev, code, "waiting for the device failed: %s", base_err_name(code));
}

/* The seam cannot wait: the device was taken away, and time may stand still. */
static void give_up(struct drv_dev *dev, int code)
{
	if (dev->phase == DRV_PHASE_START) {
		drv_lost(dev, code);
		return;
	}
	dev->phase = DRV_PHASE_NONE;
	drv_timer_set(dev, DRV_TIMER_SEQ, DRV_NO_TIME);
	stopped(dev);
}

/* Until the sequences under way are through. */
static void run_loop(struct drv_dev *dev)
{
	while (dev->phase != DRV_PHASE_NONE) {
		u64 next_ns = drv_process(dev);
		int ret = dev->phase == DRV_PHASE_NONE ? 0 : dev->ops->wait(dev->os, next_ns);

		if (ret && ret != -ETIMEDOUT && ret != -EINTR)
			give_up(dev, ret);
	}
	if (dev->work)
		drv_ctx_progress(dev);
}

int drv_boot(struct drv_dev *dev, struct base_err *err)
{
	int ret = drv_start(dev);

	if (!ret)
		run_loop(dev);
	if (ret && !dev->err.code)
		return base_err_set(err, ret, "%s: cannot boot in this state", dev->os->location);
	if (ret || dev->state != DRV_READY) {
		base_err_set(err, dev->err.code, "%s: boot failed: %s", dev->os->location,
			     dev->err.text);
		return dev->err.code;
	}
	return 0;
}

int drv_shutdown(struct drv_dev *dev, struct base_err *err)
{
	int ret = drv_stop(dev);

	if (ret)
		return ret;
	run_loop(dev);
	if (dev->warn.code)
		base_err_set(err, dev->warn.code, "%s: shutdown: %s", dev->os->location,
			     dev->warn.text);
	return dev->warn.code;
}

/*
 * Questions
 */

u32 drv_freq_mhz(struct drv_dev *dev)
{
	u32 reg = dev->regs.pll_ratio;
	u32 val;

	if (!reg || !dev->powered)
		return 0;
	/* not traced: who watches must not push out what he watches for */
	val = drv_io_rd32(dev, DRV_IO(reg));
	return val == DRV_ALL_ONES ? 0 : reg_gen_freq_mhz(dev->gen, val & 0xffff);
}

void drv_set_log_level(struct drv_dev *dev, u32 level)
{
	dev->log.level = (enum base_log_level)base_min(level, (u32)BASE_LOG_DBG);
}

enum drv_state drv_get_state(const struct drv_dev *dev)
{
	return dev->state;
}

const struct base_err *drv_last_error(const struct drv_dev *dev)
{
	return &dev->err;
}

void drv_get_info(const struct drv_dev *dev, struct drv_info *out)
{
	const struct reg_gen *gen = dev->gen;

	*out = (struct drv_info){
		.gen = gen->name,
		.product = dev->product,
		.location = dev->os->location,
		.vendor_id = dev->vendor_id,
		.device_id = dev->device_id,
		.revision = dev->revision,
		.is_virtual = dev->os->is_virtual,
		.fw_path = dev->fw.path,
		.fw_version = dev->fw.version,
		.va_start = gen->va.user.start,
		.va_end = base_max(gen->va.shave.end, gen->va.dma.end),
		.freq_max_mhz = reg_gen_freq_mhz(gen, dev->freq.max),
		.nr_contexts_max = (u32)gen->ssid_last - gen->ssid_first + 1,
		.jobs_done = dev->jobs_done,
		.jobs_failed = dev->jobs_failed,
		.irqs = dev->irqs,
		.mmu_faults = dev->mmu_faults,
		.boot_ns = dev->boot_ns,
		.busy_ns = dev->busy_ns + (dev->nr_jobs ? dev->now_ns : 0),
		.hw_sched = dev->hws,
	};
	memcpy(out->fw_api, dev->fw.hdr.api_version, sizeof(out->fw_api));
}
