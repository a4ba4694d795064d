// SPDX-License-Identifier: MIT
/*
 * Life cycle: which sequences run when, and what their end means.
 *
 *   phase     sequences                          done -> state           failed ->
 *   START     power_up, mmu, boot, configure     READY                   warm: RESTART, else FAILED
 *   STOP      power_down                         STOPPED                 (steps only warn)
 *   SUSPEND   suspend, power_down                SUSPENDED               (steps only warn)
 *   RECOVER   recover, power_down                START, a cold boot      (steps only warn)
 *   RESTART   power_down                         START, a cold boot      (steps only warn)
 *
 * The state says what all of it is for: BOOTING, RESUMING or RECOVERING until START is done.
 */
#include <errno.h>

#include "driver/mmio.h"

void drv_set_state(struct drv_dev *dev, enum drv_state state)
{
	dev->state = state;
	if (state == DRV_READY)
		dev->hold &= ~(u32)DRV_HOLD_POWER;
	else
		dev->hold |= DRV_HOLD_POWER;
	dev->tdr_ns = DRV_NO_TIME;
	drv_trace_add(&dev->trace, dev->now_ns, DRV_TRACE_STATE, 0, state);
}

/*
 * Power on, power off
 */

/* The bus is quiet again when it fails; dev->err says why. */
static int power_on(struct drv_dev *dev)
{
	int ret = drv_pci_wake(dev, true);

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
	dev->start_ns = drv_clock(dev);
	return 0;

err_quiet:
	drv_pci_quiet(dev);
	return ret;
}

/* SRC: P 3.9 #7; the vector and the bus first, so that nothing comes from a sleeping device. */
static void power_off(struct drv_dev *dev)
{
	if (dev->irq_on)
		dev->ops->irq_teardown(dev->os);
	dev->irq_on = false;
	drv_pci_quiet(dev);
	drv_pci_sleep(dev);
	dev->powered = false;
	drv_mmu_reap(dev);
}

/*
 * Ends of phases
 */

static void start_done(struct drv_dev *dev)
{
	u64 *boots = dev->pm.warm ? &dev->pm.warm_boots : &dev->pm.cold_boots;

	(*boots)++;
	dev->boot_ns = drv_clock(dev) - dev->start_ns;
	drv_info(dev, FW, "%s ready after %llu us, %s boot", dev->gen->name,
		 (unsigned long long)(dev->boot_ns / BASE_NS_PER_US),
		 dev->pm.warm ? "warm" : "cold");
	dev->pm.warm = false;
	dev->pm.wanted = false;
	dev->err = (struct base_err){ 0 };
	drv_set_state(dev, DRV_READY);
	drv_pm_watch(dev, dev->now_ns);
	dev->work = true;
	drv_queues_publish(dev);
}

/* SRC: P 11.2: a warm boot that fails is followed by a cold one */
static void start_failed(struct drv_dev *dev)
{
	if (!dev->pm.warm) {
		drv_give_up(dev);
		return;
	}
	drv_warn(dev, PM, "%s: the warm boot failed, a cold one follows", dev->err.text);
	drv_phase_begin(dev, DRV_PHASE_RESTART);
}

static void stop_done(struct drv_dev *dev)
{
	power_off(dev);
	drv_set_state(dev, DRV_STOPPED);
}

static void suspend_done(struct drv_dev *dev)
{
	power_off(dev);
	drv_set_state(dev, DRV_SUSPENDED);
	drv_pm_asleep(dev);
}

void drv_cold_start(struct drv_dev *dev)
{
	power_off(dev);
	dev->pm.warm = false;
	drv_forget_firmware(dev, dev->recovery.status);
	if (power_on(dev))
		drv_give_up(dev);
	else
		drv_phase_begin(dev, DRV_PHASE_START);
}

static const struct phase {
	u8 nr;
	u8 seqs[4]; /* enum drv_seq_id */
	void (*done)(struct drv_dev *dev);
} phases[] = {
	[DRV_PHASE_START] = { 4,
			      { DRV_SEQ_POWER_UP, DRV_SEQ_MMU, DRV_SEQ_BOOT, DRV_SEQ_CONFIGURE },
			      start_done },
	[DRV_PHASE_STOP] = { 1, { DRV_SEQ_POWER_DOWN }, stop_done },
	[DRV_PHASE_SUSPEND] = { 2, { DRV_SEQ_SUSPEND, DRV_SEQ_POWER_DOWN }, suspend_done },
	[DRV_PHASE_RECOVER] = { 2, { DRV_SEQ_RECOVER, DRV_SEQ_POWER_DOWN }, drv_cold_start },
	[DRV_PHASE_RESTART] = { 1, { DRV_SEQ_POWER_DOWN }, drv_cold_start },
};

void drv_phase_begin(struct drv_dev *dev, enum drv_phase phase)
{
	dev->phase = phase;
	dev->phase_idx = 0;
	drv_seq_begin(&dev->run, dev->seqs[phases[phase].seqs[0]]);
	drv_timer_set(dev, DRV_TIMER_SEQ, drv_clock(dev));
}

void drv_phase_abort(struct drv_dev *dev)
{
	dev->phase = DRV_PHASE_NONE;
	drv_timer_set(dev, DRV_TIMER_SEQ, DRV_NO_TIME);
}

void drv_phase_run(struct drv_dev *dev)
{
	const struct phase *p = &phases[dev->phase];
	enum drv_phase phase = dev->phase;

	for (;;) {
		u64 next_ns = DRV_NO_TIME;
		int ret = drv_seq_advance(dev, &dev->run, &next_ns);

		if (dev->phase != phase)
			return; /* drv_fail() was faster */
		if (ret == -EAGAIN) {
			drv_timer_set(dev, DRV_TIMER_SEQ, next_ns);
			return;
		}
		if (ret) {
			start_failed(dev); /* in the other phases steps only warn */
			return;
		}
		if (++dev->phase_idx == p->nr) {
			drv_phase_abort(dev);
			p->done(dev);
			return;
		}
		drv_seq_begin(&dev->run, dev->seqs[p->seqs[dev->phase_idx]]);
	}
}

void drv_power_cut(struct drv_dev *dev)
{
	drv_phase_abort(dev);
	stop_done(dev);
}

/*
 * What users ask for
 */

int drv_start(struct drv_dev *dev)
{
	int ret;

	if (dev->state != DRV_CREATED && dev->state != DRV_STOPPED)
		return -EBUSY;
	dev->err = (struct base_err){ 0 };
	dev->warn = (struct base_err){ 0 };
	ret = power_on(dev);
	if (ret)
		return ret;
	drv_set_state(dev, DRV_BOOTING);
	drv_phase_begin(dev, DRV_PHASE_START);
	return 0;
}

int drv_stop(struct drv_dev *dev)
{
	if (dev->state == DRV_STOPPING || dev->state == DRV_STOPPED)
		return 0;
	drv_set_state(dev, DRV_STOPPING);
	dev->warn = (struct base_err){ 0 };
	drv_jobs_end_all(dev, -ECANCELED);
	drv_forget_firmware(dev, -ECANCELED);
	drv_mmu_off(dev);
	dev->pm.warm = dev->pm.system = dev->pm.wanted = false;
	if (dev->powered)
		drv_phase_begin(dev, DRV_PHASE_STOP);
	else
		drv_set_state(dev, DRV_STOPPED);
	return 0;
}

int drv_resume(struct drv_dev *dev)
{
	dev->pm.system = false;
	dev->pm.wanted = false;
	if (drv_is_up(dev) && dev->timers[DRV_TIMER_PM] != DRV_NO_TIME) {
		drv_pm_stay(dev);
		return 0;
	}
	if (dev->state == DRV_SUSPENDING) {
		dev->pm.wanted = true;
		return 0;
	}
	if (dev->state != DRV_SUSPENDED)
		return drv_takes_jobs(dev) ? 0 : -ENODEV;
	drv_set_state(dev, DRV_RESUMING);
	if (power_on(dev)) {
		drv_give_up(dev);
		return -ENODEV;
	}
	drv_phase_begin(dev, DRV_PHASE_START);
	return 0;
}
