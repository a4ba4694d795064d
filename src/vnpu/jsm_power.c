// SPDX-License-Identifier: MIT
/*
 * JSM requests about power and speed.  SRC: P 7.2, 7.4, 2.6 (DCT), 12.7 (FREQ_CONFIG).
 *
 * The engine's speed is that of the workpoint's ratio: at the efficient ratio (Pn) work takes the
 * time of compute.c, at twice that half of it.  FREQ_CONFIG limits the ratio, the power level and
 * duty cycling (DCT) take their part of the time.  All of it only in stepped mode: in threaded mode
 * work takes what it takes.
 */
#include "vnpu/jsm.h"

#define POWER_LEVELS  4u
#define LEVEL_PERCENT 25u /* each level takes so much of the limit */

u64 vnpu_engine_ns(const struct vnpu *v, u64 ns)
{
	const struct vnpu_fw_set *set = &v->fw.set;
	u32 percent = 100 - LEVEL_PERCENT * set->power_level;

	ns = ns * 100 / percent;
	if (v->btrs.ratio)
		ns = ns * v->info->pn_ratio / v->btrs.ratio;
	if (set->dct_active_us)
		ns = ns * ((u64)set->dct_active_us + set->dct_inactive_us) / set->dct_active_us;
	return ns;
}

static u32 power_count(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)v, (void)req;
	rsp->power_level_count.power_level_count = POWER_LEVELS;
	for (u32 i = 0; i < POWER_LEVELS; i++)
		rsp->power_level_count.power_limit[i] = (u8)(100 - LEVEL_PERCENT * i);
	return JSM_OK;
}

static u32 get_power(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req;
	rsp->power_level.power_level = v->fw.set.power_level;
	return JSM_OK;
}

static u32 set_power(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)rsp;
	if (req->power_level.power_level >= POWER_LEVELS)
		return vnpu_jsm_bad(v, "SET_POWER_LEVEL", "no such level",
				    req->power_level.power_level, JSM_PARSING_ERR);
	v->fw.set.power_level = req->power_level.power_level;
	return JSM_OK;
}

void vnpu_freq_apply(struct vnpu *v)
{
	const struct abi_jsm_freq_config *f = &v->fw.set.freq;

	if (!f->max_freq_pll_ratio || !v->btrs.on)
		return;
	v->btrs.ratio = base_max(v->btrs.ratio, f->min_freq_pll_ratio);
	v->btrs.ratio = base_min(v->btrs.ratio, f->max_freq_pll_ratio);
}

static u32 freq_config(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_freq_config *f = &req->freq_config;

	(void)rsp;
	if (f->min_freq_pll_ratio > f->pn_freq_pll_ratio ||
	    f->pn_freq_pll_ratio > f->max_freq_pll_ratio)
		return vnpu_jsm_bad(v, "FREQ_CONFIG", "ratios do not ascend, Pn",
				    f->pn_freq_pll_ratio, JSM_PARSING_ERR);
	if (f->min_freq_pll_ratio < v->info->fmin_ratio ||
	    f->max_freq_pll_ratio > v->info->fmax_ratio)
		return vnpu_jsm_bad(v, "FREQ_CONFIG", "ratios are outside the fuses, max",
				    f->max_freq_pll_ratio, JSM_PARSING_ERR);
	v->fw.set.freq = *f;
	v->btrs.ratio = f->pn_freq_pll_ratio;
	vnpu_freq_apply(v);
	vnpu_fw_log(v, VNPU_LOG_INFO, "frequency %u to %u MHz",
		    reg_gen_freq_mhz(v->info, f->min_freq_pll_ratio),
		    reg_gen_freq_mhz(v->info, f->max_freq_pll_ratio));
	return JSM_OK;
}

static u32 dct_enable(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_dct_enable *d = &req->dct_enable;

	(void)rsp;
	if (!d->dct_active_us)
		return vnpu_jsm_bad(v, "DCT_ENABLE", "never active, inactive us",
				    d->dct_inactive_us, JSM_PARSING_ERR);
	v->fw.set.dct_active_us = d->dct_active_us;
	v->fw.set.dct_inactive_us = d->dct_inactive_us;
	vnpu_fw_log(v, VNPU_LOG_INFO, "duty cycling: %u us of %u us", d->dct_active_us,
		    d->dct_active_us + d->dct_inactive_us);
	return JSM_OK;
}

static u32 dct_disable(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req, (void)rsp;
	v->fw.set.dct_active_us = 0;
	v->fw.set.dct_inactive_us = 0;
	vnpu_fw_log(v, VNPU_LOG_INFO, "duty cycling off");
	return JSM_OK;
}

/* P 5.3 step 2.  The dispatcher changes the state when the answer is out. */
static u32 d0i3_enter(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	(void)req, (void)rsp;
	if (!vnpu_fw_is_idle(v)) /* nothing is saved: the next boot is cold */
		return vnpu_jsm_bad(v, "PWR_D0I3_ENTER", "jobs pending", 1, JSM_OK);
	vnpu_fw_save(v);
	return JSM_OK;
}

const struct vnpu_jsm_request vnpu_jsm_power[] = {
	{ ABI_JSM_GET_POWER_LEVEL_COUNT, JSM_CH_ASYNC, power_count, false },
	{ ABI_JSM_GET_POWER_LEVEL, JSM_CH_ASYNC, get_power, false },
	{ ABI_JSM_SET_POWER_LEVEL, JSM_CH_ASYNC, set_power, false },
	{ ABI_JSM_FREQ_CONFIG, JSM_CH_ASYNC, freq_config, false },
	{ ABI_JSM_DCT_ENABLE, JSM_CH_ASYNC, dct_enable, false },
	{ ABI_JSM_DCT_DISABLE, JSM_CH_ASYNC, dct_disable, false },
	{ ABI_JSM_PWR_D0I3_ENTER, JSM_CH_GEN, d0i3_enter, false },
	{ 0 },
};
