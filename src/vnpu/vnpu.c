// SPDX-License-Identifier: MIT
/*
 * Creation, and the public doors to BARs and configuration space (include/vnpu/vnpu.h).
 */
#include "vnpu/vnpu.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "vnpu/engine/exec.h"
#include "vnpu/model.h"

static int refuse(char *why, size_t size, int ret, const char *fmt, ...) BASE_PRINTF(4, 5);

static int refuse(char *why, size_t size, int ret, const char *fmt, ...)
{
	va_list ap;

	if (why && size) {
		va_start(ap, fmt);
		vsnprintf(why, size, fmt, ap);
		va_end(ap);
	}
	return ret;
}

static int choose_id(struct vnpu *v, char *why, size_t why_size)
{
	const struct reg_pci_id *ids = v->info->ids;
	u32 i = 0;

	while (v->cfg.device_id && ids[i].product && ids[i].device != v->cfg.device_id)
		i++;
	if (!ids[i].product)
		return refuse(why, why_size, -EINVAL, "device id 0x%04x is not of generation %s",
			      v->cfg.device_id, v->info->name);
	v->device_id = ids[i].device;
	v->revision = v->cfg.revision ? v->cfg.revision : v->gen->revisions[i];
	return 0;
}

static int create_exec(struct vnpu *v, char *why, size_t why_size)
{
	struct base_err err = { 0 };
	unsigned threads = v->cfg.engine_threads ? v->cfg.engine_threads : 1;
	int ret = vnpu_exec_create(v->cfg.engine, threads, v->cfg.engine_strict, &v->compute.exec,
				   &err);

	if (ret)
		return refuse(why, why_size, ret, "%s", err.text);
	if (!v->stepped) /* else nobody could stop it */
		vnpu_exec_stop_by(v->compute.exec, &v->compute.stop);
	return 0;
}

static int init(struct vnpu *v, char *why, size_t why_size)
{
	int ret = choose_id(v, why, why_size);

	if (ret)
		return ret;
	ret = vnpu_regs_init(v);
	if (ret)
		return refuse(why, why_size, ret, "the model has no room for the registers of %s",
			      v->info->name);
	ret = create_exec(v, why, why_size);
	if (ret)
		return ret;
	vnpu_clock_init(v, v->cfg.seed);
	memcpy(v->bar_size, v->info->bar_size, sizeof(v->info->bar_size));
	vnpu_pci_reset(v);
	vnpu_btrs_reset(v);
	vnpu_ip_reset(v);
	if (v->gen->reset)
		v->gen->reset(v);
	if (v->stepped)
		return 0;
	ret = vnpu_threads_start(v);
	if (ret) {
		vnpu_exec_destroy(v->compute.exec);
		return refuse(why, why_size, ret, "no threads for the device");
	}
	return 0;
}

static void no_msi(void *opaque, unsigned vector)
{
	(void)opaque, (void)vector;
}

int vnpu_create(const struct vnpu_config *cfg, struct vnpu **out, char *why, size_t why_size)
{
	struct vnpu *v = base_zalloc(sizeof(*v));
	int ret;

	if (!v)
		return refuse(why, why_size, -ENOMEM, "no memory");
	v->cfg = *cfg;
	if (!v->cfg.msi)
		v->cfg.msi = no_msi;
	v->watched = cfg->trace != NULL;
	v->stepped = cfg->mode == VNPU_STEPPED;
	v->gen = cfg->gen ? vnpu_gen_find(cfg->gen) : NULL;
	if (!v->gen) {
		ret = refuse(why, why_size, -EINVAL,
			     "unknown generation %s: known are npu37, "
			     "npu40, npu50, npu60, ref",
			     cfg->gen ? cfg->gen : "(none)");
		goto err_free;
	}
	v->info = v->gen->info;
	ret = init(v, why, why_size);
	if (ret)
		goto err_free;
	*out = v;
	return 0;

err_free:
	base_free(v);
	return ret;
}

void vnpu_destroy(struct vnpu *v)
{
	if (!v)
		return;
	vnpu_threads_stop(v);
	vnpu_exec_destroy(v->compute.exec);
	vnpu_dma_fini(v);
	base_free(v);
}

/*
 * Doors
 */

/* Ends what a caller did under the lock: wakes the firmware if it left something to do. */
static inline void leave(struct vnpu *v)
{
	if (BASE_UNLIKELY(vnpu_unlock_note(&v->lock)))
		vnpu_kick_fw(v);
}

static inline bool size_ok(uint64_t off, uint32_t size, uint64_t limit, uint32_t max)
{
	return size && size <= max && !(size & (size - 1)) && !(off & (size - 1)) && off < limit;
}

int vnpu_cfg_read(struct vnpu *v, uint32_t off, uint32_t size, uint32_t *val)
{
	if (!size_ok(off, size, 4096, 4))
		return -EINVAL;
	vnpu_lock(&v->lock);
	*val = vnpu_pci_read(v, off, size);
	vnpu_settle(v);
	leave(v);
	return 0;
}

int vnpu_cfg_write(struct vnpu *v, uint32_t off, uint32_t size, uint32_t val)
{
	if (!size_ok(off, size, 4096, 4))
		return -EINVAL;
	vnpu_lock(&v->lock);
	vnpu_pci_write(v, off, size, val);
	vnpu_settle(v);
	leave(v);
	return 0;
}

uint64_t vnpu_bar_size(const struct vnpu *v, unsigned bar)
{
	return bar < REG_NR_BARS ? v->bar_size[bar] : 0;
}

static inline u64 all_ones(u32 size)
{
	return ~(u64)0 >> (64 - 8 * size);
}

static void report_deaf(struct vnpu *v, unsigned bar, u64 off)
{
	vnpu_report_reg(v, VNPU_GUEST_ERROR, (u8)bar, (u32)off,
			"access to a function that is in D3hot or has memory decoding off");
}

static u64 read_closely(struct vnpu *v, unsigned bar, u64 off, u32 size)
{
	if (!v->pci.live) {
		report_deaf(v, bar, off);
		return all_ones(size);
	}
	if (vnpu_fault_hit(v, VNPU_F_ALL_ONES))
		return all_ones(size);
	return vnpu_regs_read(v, (u8)bar, (u32)off, size);
}

static void hash(struct vnpu *v, u64 what, u32 size, u64 val)
{
	vnpu_trace_put(v, what, (u32)val);
	if (size == 8)
		vnpu_trace_put(v, what, (u32)(val >> 32));
}

int vnpu_bar_read(struct vnpu *v, unsigned bar, uint64_t off, uint32_t size, uint64_t *val)
{
	if (!size_ok(off, size, vnpu_bar_size(v, bar), 8))
		return -EINVAL;
	vnpu_lock(&v->lock);
	v->stats.reg_reads++;
	*val = read_closely(v, bar, off, size);
	hash(v, VNPU_TRACE_WHAT(bar, off, size, false), size, *val);
	vnpu_trace_reg(v, (u8)bar, (u32)off, size, false, *val);
	vnpu_settle(v);
	leave(v);
	return 0;
}

int vnpu_bar_write(struct vnpu *v, unsigned bar, uint64_t off, uint32_t size, uint64_t val)
{
	if (!size_ok(off, size, vnpu_bar_size(v, bar), 8))
		return -EINVAL;
	val &= all_ones(size);
	vnpu_lock(&v->lock);
	v->stats.reg_writes++;
	hash(v, VNPU_TRACE_WHAT(bar, off, size, true), size, val);
	vnpu_trace_reg(v, (u8)bar, (u32)off, size, true, val);
	if (v->pci.live)
		vnpu_regs_write(v, (u8)bar, (u32)off, size, val);
	else
		report_deaf(v, bar, off);
	vnpu_settle(v);
	leave(v);
	return 0;
}

/* A register met before takes the short way; the others, without the lock again, the long one. */
static __attribute__((cold, noinline)) u32 read_slow(struct vnpu *v, unsigned bar, u64 off)
{
	u64 val;

	vnpu_unlock(&v->lock);
	return vnpu_bar_read(v, bar, off, 4, &val) ? UINT32_MAX : (u32)val;
}

static __attribute__((cold, noinline)) void write_slow(struct vnpu *v, unsigned bar, u64 off,
						       u32 val)
{
	vnpu_unlock(&v->lock);
	(void)vnpu_bar_write(v, bar, off, 4, val);
}

uint32_t vnpu_bar_read32(struct vnpu *v, unsigned bar, uint64_t off)
{
	struct vnpu_reg *r;
	u32 val;

	vnpu_lock(&v->lock);
	r = *vnpu_regs_quick(v, off);
	if (BASE_UNLIKELY(!vnpu_reg_is(r, bar, off)))
		return read_slow(v, bar, off);
	v->stats.reg_reads++;
	val = (u32)r->rd(v, r);
	vnpu_trace_put(v, r->what_rd, val);
	leave(v);
	return val;
}

void vnpu_bar_write32(struct vnpu *v, unsigned bar, uint64_t off, uint32_t val)
{
	struct vnpu_reg *r;

	vnpu_lock(&v->lock);
	r = *vnpu_regs_quick(v, off);
	if (BASE_UNLIKELY(!vnpu_reg_is(r, bar, off))) {
		write_slow(v, bar, off, val);
		return;
	}
	v->stats.reg_writes++;
	vnpu_trace_put(v, r->what_wr, val);
	vnpu_reg_write(v, r, val, UINT32_MAX);
	leave(v);
}

uint64_t vnpu_trace_hash(struct vnpu *v)
{
	u64 val;

	vnpu_lock(&v->lock);
	val = v->trace_hash;
	vnpu_unlock(&v->lock);
	return val;
}

void vnpu_get_stats(struct vnpu *v, struct vnpu_stats *out)
{
	vnpu_lock(&v->lock);
	*out = v->stats;
	vnpu_unlock(&v->lock);
}
