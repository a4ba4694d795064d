// SPDX-License-Identifier: MIT
/* The public face of the virtual NPU: creation, the lock around every access, statistics. */
#include "vnpu/vnpu.h"

#include <errno.h>
#include <string.h>

#include "vnpu/model.h"

static int complain(char *why, size_t size, int code, const char *text, const char *what)
{
	if (why && size)
		snprintf(why, size, "%s '%s'", text, what);
	return code;
}

static int check_config(const struct vnpu_config *cfg, struct vnpu *m, char *why, size_t size)
{
	const char *gen = cfg->gen ? cfg->gen : "npu37";
	const char *product;
	char id[16];

	m->gen = vnpu_gen_by_name(gen);
	if (!m->gen)
		return complain(why, size, -EINVAL, "no generation (there is npu37)", gen);
	m->cfg = *cfg;
	if (!m->cfg.device_id)
		m->cfg.device_id = m->gen->data->ids[0].device;
	if (!m->cfg.revision)
		m->cfg.revision = m->gen->revision;
	if (!m->cfg.engine_threads)
		m->cfg.engine_threads = 1;
	snprintf(id, sizeof(id), "%04x", m->cfg.device_id);
	if (reg_gen_by_pci(REG_PCI_VENDOR_INTEL, m->cfg.device_id, &product) != m->gen->data)
		return complain(why, size, -EINVAL, "this generation has no PCI device id", id);
	return 0;
}

/* A wish for an engine is tried at once, so that it fails where it can be explained. */
static int check_engine(struct vnpu *m, char *why, size_t size)
{
	struct base_err err = { 0 };
	int ret;

	if (!m->cfg.engine)
		return 0;
	ret = vnpu_exec_create(m->cfg.engine, m->cfg.engine_threads, m->cfg.engine_strict, &m->exec,
			       &err);
	if (ret) {
		m->exec = NULL;
		if (why && size)
			snprintf(why, size, "%s", err.text);
	}
	return ret;
}

static void init_sync(struct vnpu *m)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&m->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&m->threads.wake_fw, &attr);
	pthread_cond_init(&m->threads.wake_engine, &attr);
	pthread_condattr_destroy(&attr);
}

static int init_parts(struct vnpu *m, char *why, size_t size)
{
	int ret;

	vnpu_time_init(m);
	vnpu_dma_init(m);
	vnpu_pci_init(m);
	ret = vnpu_record_init(m);
	if (!ret)
		ret = vnpu_fw_init(m);
	if (!ret)
		ret = vnpu_regs_init(m);
	if (!ret)
		ret = check_engine(m, why, size);
	return ret;
}

int vnpu_create(const struct vnpu_config *cfg, struct vnpu **out, char *why, size_t why_size)
{
	struct vnpu *m = base_zalloc(sizeof(*m));
	int ret;

	if (!m)
		return complain(why, why_size, -ENOMEM, "no memory for", "the virtual NPU");
	init_sync(m);
	ret = check_config(cfg, m, why, why_size);
	if (ret) {
		pthread_mutex_destroy(&m->lock);
		base_free(m);
		return ret;
	}
	if (why && why_size)
		snprintf(why, why_size, "no memory for the virtual NPU");
	ret = init_parts(m, why, why_size);
	if (!ret && cfg->mode == VNPU_THREADED)
		ret = vnpu_threads_start(m);
	if (ret) {
		vnpu_destroy(m);
		return ret;
	}
	*out = m;
	return 0;
}

void vnpu_destroy(struct vnpu *m)
{
	if (!m)
		return;
	vnpu_threads_stop(m);
	if (m->exec)
		vnpu_exec_destroy(m->exec);
	vnpu_fw_fini(m);
	vnpu_regs_fini(m);
	vnpu_dma_fini(m);
	vnpu_record_fini(m);
	pthread_cond_destroy(&m->threads.wake_fw);
	pthread_cond_destroy(&m->threads.wake_engine);
	pthread_mutex_destroy(&m->lock);
	base_free(m);
}

static bool is_access_ok(u64 off, u32 size, u64 limit, u32 max)
{
	return base_is_pow2(size) && size <= max && off % size == 0 && base_range_ok(off, size, limit);
}

int vnpu_cfg_read(struct vnpu *m, uint32_t off, uint32_t size, uint32_t *val)
{
	if (!is_access_ok(off, size, 4096, 4))
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	*val = vnpu_pci_read(m, off, size);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

int vnpu_cfg_write(struct vnpu *m, uint32_t off, uint32_t size, uint32_t val)
{
	if (!is_access_ok(off, size, 4096, 4))
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	vnpu_pci_write(m, off, size, val);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

uint64_t vnpu_bar_size(const struct vnpu *m, unsigned bar)
{
	return bar < REG_NR_BARS ? m->gen->data->bar_size[bar] : 0;
}

/* With the lock held: does the function decode memory at all? */
static bool is_decoding(struct vnpu *m)
{
	if (vnpu_pci_has_memory(m))
		return true;
	vnpu_report(m, VNPU_GUEST_ERROR, "PCI",
		    "BAR access while memory decoding is off or the function is in D3hot");
	return false;
}

static u64 all_ones(u32 size)
{
	return ~UINT64_C(0) >> (64 - 8 * size);
}

int vnpu_bar_read(struct vnpu *m, unsigned bar, uint64_t off, uint32_t size, uint64_t *val)
{
	if (!is_access_ok(off, size, vnpu_bar_size(m, bar), 8))
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	m->stats.reg_reads++;
	if (!is_decoding(m) || vnpu_fault_take(m, VNPU_FAULT_ALL_ONES))
		*val = all_ones(size);
	else
		*val = vnpu_regs_read(m, bar, (u32)off, size);
	vnpu_trace(m, bar, (u32)off, size, false, *val);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

int vnpu_bar_write(struct vnpu *m, unsigned bar, uint64_t off, uint32_t size, uint64_t val)
{
	if (!is_access_ok(off, size, vnpu_bar_size(m, bar), 8))
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	m->stats.reg_writes++;
	vnpu_trace(m, bar, (u32)off, size, true, val);
	if (is_decoding(m))
		vnpu_regs_write(m, bar, (u32)off, size, val & all_ones(size));
	pthread_mutex_unlock(&m->lock);
	return 0;
}

void vnpu_reset(struct vnpu *m)
{
	pthread_mutex_lock(&m->lock);
	vnpu_power_reset(m);
	vnpu_pci_reset(m);
	pthread_mutex_unlock(&m->lock);
}

void vnpu_get_stats(struct vnpu *m, struct vnpu_stats *out)
{
	pthread_mutex_lock(&m->lock);
	*out = m->stats;
	pthread_mutex_unlock(&m->lock);
}
