// SPDX-License-Identifier: MIT
/*
 * Sleep: when the device is idle (P 11.1) or the system suspends (P 11.3), and waking (P 11.2).
 *
 *   READY -> (idle, or drv_suspend() and no job left) SUSPENDING -> SUSPENDED
 *   SUSPENDED -> (a job, a queue to end, drv_resume()) RESUMING -> READY
 *
 * The firmware puts its state aside when it is asked to (PWR_D0I3_ENTER) and says where it wants to
 * be started again; then queues and doorbells stay registered over the sleep: a warm boot (P 5.3).
 * Without that address, or when anything on the way went wrong, the next boot is a cold one.
 */
#include <errno.h>

#include "driver/mmio.h"

#define LOOK_NS BASE_NS_PER_MS /* between two looks for jobs that still run */

static bool asks(const struct drv_jsm *jsm)
{
	for (u32 i = 0; i < DRV_NR_REQS; i++)
		if (jsm->reqs[i].id)
			return true;
	return false;
}

/* Nothing of ours is with the firmware. */
static bool is_quiet(const struct drv_dev *dev)
{
	return !drv_jobs_published(dev) && !asks(&dev->jsm) && !(dev->hold & DRV_HOLD_MMU) &&
	       !dev->work && dev->engine.state == DRV_ENGINE_RUNNING &&
	       dev->timers[DRV_TIMER_DRAIN] == DRV_NO_TIME;
}

static void begin(struct drv_dev *dev)
{
	drv_timer_set(dev, DRV_TIMER_PM, DRV_NO_TIME);
	dev->warn = (struct base_err){ 0 };
	drv_set_state(dev, DRV_SUSPENDING);
	drv_phase_begin(dev, DRV_PHASE_SUSPEND);
}

void drv_pm_idle(struct drv_dev *dev)
{
	if (is_quiet(dev) && !dev->nr_metrics) /* somebody watches it */
		begin(dev);
	else
		drv_pm_watch(dev, dev->now_ns);
}

void drv_pm_get(struct drv_dev *dev)
{
	dev->pm.wanted = true;
	dev->tdr_ns = DRV_NO_TIME; /* from when it is awake */
	if (dev->state == DRV_SUSPENDED && !dev->pm.system && drv_resume(dev))
		drv_dbg(dev, PM, "waking up failed: %s", dev->err.text);
}

/*
 * The system's suspend
 */

int drv_suspend(struct drv_dev *dev)
{
	if (dev->state == DRV_SUSPENDED || dev->state == DRV_SUSPENDING) {
		dev->pm.system = true;
		return 0;
	}
	if (!drv_is_up(dev))
		return drv_takes_jobs(dev) || dev->state == DRV_BOOTING ? -EBUSY : -ENODEV;
	dev->pm.system = true;
	dev->err = (struct base_err){ 0 };
	dev->hold |= DRV_HOLD_POWER;
	dev->pm.deadline_ns = drv_clock(dev) + dev->tdr_period_ns; /* SRC: P 11.3 */
	drv_timer_set(dev, DRV_TIMER_PM, dev->now_ns);
	return 0;
}

void drv_pm_stay(struct drv_dev *dev)
{
	dev->pm.system = false;
	drv_timer_set(dev, DRV_TIMER_PM, DRV_NO_TIME);
	dev->hold &= ~(u32)DRV_HOLD_POWER;
	drv_queues_publish(dev);
}

void drv_pm_timer(struct drv_dev *dev)
{
	if (dev->now_ns < dev->timers[DRV_TIMER_PM])
		return;
	if (is_quiet(dev)) {
		begin(dev);
		return;
	}
	if (dev->now_ns < dev->pm.deadline_ns) {
		drv_timer_set(dev, DRV_TIMER_PM, dev->now_ns + LOOK_NS);
		return;
	}
	base_err_set(&dev->err, -EBUSY,
		     "suspend: %u jobs are still under way after %u ms: the device stays awake",
		     dev->nr_jobs, dev->gen->timeouts.tdr_ms);
	drv_warn(dev, PM, "%s", dev->err.text);
	drv_pm_stay(dev);
}

/*
 * Steps of the suspend sequence, P 11.1
 */

int drv_pm_mmu_off(struct drv_dev *dev)
{
	dev->asked = false;
	drv_mmu_off(dev);
	return 0;
}

/* A firmware that cycles its duty may be at it. */
bool drv_pm_must_idle(const struct drv_dev *dev)
{
	return !dev->dct.percent;
}

int drv_pm_enter_d0i3(struct drv_dev *dev)
{
	static const struct abi_jsm_d0i3_enter enter = { .send_response = 1 };

	return drv_ask_once(dev, ABI_JSM_PWR_D0I3_ENTER, ABI_JSM_PWR_D0I3_ENTER_DONE, &enter,
			    sizeof(enter));
}

/* Where the firmware wants to be started again; 0: nowhere, or nowhere it could be. */
static u64 resume_address(struct drv_dev *dev)
{
	const struct abi_boot_params *bp = drv_bo_cpu(dev->fw.params);
	u64 addr = bp->save_restore_ret_address; /* the firmware answered: it is written */

	if (!addr || reg_range_has(&dev->gen->va.runtime, addr, 1))
		return addr;
	drv_warn(dev, PM, "the firmware wants to resume at 0x%llx, outside of its memory",
		 (unsigned long long)addr);
	return 0;
}

/* The last step before power goes: did all before it work? */
int drv_pm_judge(struct drv_dev *dev)
{
	dev->pm.resume_addr = dev->run.warned ? 0 : resume_address(dev);
	dev->pm.warm = dev->pm.resume_addr != 0;
	if (!dev->pm.warm)
		drv_jsm_cancel_all(dev, -ECANCELED); /* an answer may still be awaited */
	return 0;
}

void drv_pm_asleep(struct drv_dev *dev)
{
	dev->pm.suspends++;
	dev->pm.asleep_ns = drv_clock(dev);
	drv_info(dev, PM, "asleep, the next boot is %s", dev->pm.warm ? "warm" : "cold");
	if (!dev->pm.warm)
		drv_forget_firmware(dev, -ECANCELED);
	if (dev->nr_jobs || dev->pm.wanted)
		drv_pm_get(dev);
}
