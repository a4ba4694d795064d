// SPDX-License-Identifier: MIT
/*
 * Who schedules, and what the firmware is told before the first job: sequence configure, P 7.3.
 * Its questions are answered through the interrupt, which is on by then.
 */
#include <errno.h>

#include "driver/mmio.h"

void drv_sched_choose(struct drv_dev *dev)
{
	u32 api = dev->fw.hdr.api_version[ABI_FW_API_JSM];

	dev->hws = dev->cfg.sched == DRV_SCHED_AUTO ? api >= ABI_FW_JSM_HWS
						    : dev->cfg.sched == DRV_SCHED_HW;
	if (dev->cfg.sched == DRV_SCHED_OS && dev->info->hw_sched_only) {
		drv_warn(dev, FW, "%s has no OS scheduling: the firmware schedules",
			 dev->gen->name);
		dev->hws = true;
	}
	drv_info(dev, FW, "%s scheduling, JSM API %u.%u", dev->hws ? "hardware" : "OS", api >> 16,
		 api & 0xffff);
}

/* The step's question was answered: the sequence goes on at once. */
static void heard(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	(void)arg;
	(void)answer;
	if (ret == -ECANCELED)
		return;
	dev->answer = ret;
	drv_timer_set(dev, DRV_TIMER_SEQ, dev->now_ns);
}

int drv_ask_once(struct drv_dev *dev, u32 type, u32 answer, const void *payload, u32 len)
{
	int ret;

	if (!dev->asked) {
		dev->answer = -EAGAIN;
		ret = drv_jsm_ask(dev, type, answer, payload, len, false, heard, NULL);
		if (ret)
			return ret;
		dev->asked = true;
	}
	dev->asked = dev->answer == -EAGAIN;
	return dev->answer;
}

static int ask_nothing_yet(struct drv_dev *dev)
{
	dev->asked = false; /* a boot before this one may have been broken off */
	return 0;
}

/* Over a warm boot the firmware remembers; P 5.3 */
static bool needs_bands(const struct drv_dev *dev)
{
	return dev->hws && drv_pm_is_cold(dev);
}

/* Units of 100 ns, bands idle, normal, focus, realtime.  SRC: P 7.4, values the driver puts in */
static int set_bands(struct drv_dev *dev)
{
	static const struct abi_jsm_band_setup setup = {
		.grace_period = { 0, 50000, 50000, 0 },
		.process_quantum = { 160000, 300000, 200000, 200000 },
		.process_grace_period = { 50000, 50000, 50000, 50000 },
		.normal_band_percentage = 10,
	};

	return drv_ask_once(dev, ABI_JSM_SET_PRIORITY_BAND_SETUP,
			    ABI_JSM_SET_PRIORITY_BAND_SETUP_RSP, &setup, sizeof(setup));
}

/*
 * Duty cycling.  SRC: P 2.6: 30 % of 35300 us
 */

#define DCT_PERCENT 30u

static const struct abi_jsm_dct_enable dct_on = { .dct_active_us = 10590,
						  .dct_inactive_us = 24710 };

static bool needs_dct(const struct drv_dev *dev)
{
	return dev->dct.percent != 0 && drv_pm_is_cold(dev);
}

static int set_dct(struct drv_dev *dev)
{
	return drv_ask_once(dev, ABI_JSM_DCT_ENABLE, ABI_JSM_DCT_ENABLE_DONE, &dct_on,
			    sizeof(dct_on));
}

static void dct_done(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	(void)arg;
	(void)answer;
	if (ret == -ECANCELED)
		return;
	if (ret) {
		drv_err(dev, PM, "duty cycling of %u %%: the firmware refused: %s", dev->dct.wanted,
			base_err_name(ret));
		return;
	}
	dev->dct.percent = dev->dct.wanted;
	drv_info(dev, PM, "duty cycling %s", dev->dct.percent ? "on: 30 %" : "off");
	dev->dct.told(dev, dev->dct.percent);
}

void drv_dct_request(struct drv_dev *dev, bool on, void (*told)(struct drv_dev *dev, u32 percent))
{
	int ret;

	dev->dct.wanted = on ? DCT_PERCENT : 0;
	dev->dct.told = told;
	if (on)
		ret = drv_jsm_ask(dev, ABI_JSM_DCT_ENABLE, ABI_JSM_DCT_ENABLE_DONE, &dct_on,
				  sizeof(dct_on), false, dct_done, NULL);
	else
		ret = drv_jsm_ask(dev, ABI_JSM_DCT_DISABLE, ABI_JSM_DCT_DISABLE_DONE, &dct_on, 0,
				  false, dct_done, NULL);
	if (ret)
		drv_err(dev, PM, "duty cycling: the firmware could not be asked: %s",
			base_err_name(ret));
}

/*
 * What the firmware's log is to hold.  Destination and components are what the boot parameters say.
 */

static void level_set(struct drv_dev *dev, void *arg, int ret, const struct abi_jsm_msg *answer)
{
	(void)arg;
	(void)answer;
	if (ret && ret != -ECANCELED)
		drv_warn(dev, FW, "trace level %u: the firmware refused: %s", dev->fw.trace_level,
			 base_err_name(ret));
}

static struct abi_jsm_trace_config trace_config(u32 level)
{
	return (struct abi_jsm_trace_config){
		.trace_level = level,
		.trace_destination_mask = ABI_BOOT_TRACE_VERBOSE,
		.trace_hw_component_mask = UINT64_MAX,
	};
}

/* The level was set while the firmware slept; a cold boot has it in its parameters. */
static bool needs_level(const struct drv_dev *dev)
{
	return dev->fw.tell_level && !drv_pm_is_cold(dev);
}

static int tell_level(struct drv_dev *dev)
{
	const struct abi_jsm_trace_config config = trace_config(dev->fw.trace_level);
	int ret = drv_ask_once(dev, ABI_JSM_TRACE_SET_CONFIG, ABI_JSM_TRACE_SET_CONFIG_RSP, &config,
			       sizeof(config));

	if (!ret)
		dev->fw.tell_level = false;
	return ret;
}

int drv_set_fw_log_level(struct drv_dev *dev, u32 level)
{
	const struct abi_jsm_trace_config config = trace_config(level);
	int ret;

	if (level > DRV_FW_LEVEL_MAX)
		return -EINVAL;
	if (!dev->sys)
		return -EOPNOTSUPP; /* a firmware without messages */
	if (drv_is_up(dev)) {
		ret = drv_jsm_ask(dev, ABI_JSM_TRACE_SET_CONFIG, ABI_JSM_TRACE_SET_CONFIG_RSP,
				  &config, sizeof(config), true, level_set, NULL);
		if (ret)
			return ret;
	}
	dev->fw.tell_level = !drv_is_up(dev);
	dev->fw.trace_level = level; /* of the next boot, too */
	return 0;
}

static const struct drv_step steps[] = {
	{ .op = DRV_STEP_CALL,
	  .call = ask_nothing_yet,
	  .text = "begin with questions",
	  .source = "P 7.3" },
	{ .op = DRV_STEP_CALL,
	  .when = needs_bands,
	  .call = set_bands,
	  DRV_LIMIT_MS(boot), /* what is asked has a shorter one */
	  .text = "set up the priority bands",
	  .source = "P 7.3, P 7.4" },
	{ .op = DRV_STEP_CALL,
	  .policy = DRV_STEP_WARN,
	  .when = needs_level,
	  .call = tell_level,
	  DRV_LIMIT_MS(boot), /* what is asked has a shorter one */
	  .text = "set the level of the firmware's log",
	  .source = "P 7.3" },
	{ .op = DRV_STEP_CALL,
	  .when = needs_dct,
	  .call = set_dct,
	  DRV_LIMIT_MS(boot), /* what is asked has a shorter one */
	  .text = "have the firmware cycle its duty",
	  .source = "P 7.3, P 2.6" },
};

const struct drv_seq drv_seq_configure = { "configure", steps, BASE_ARRAY_SIZE(steps) };
