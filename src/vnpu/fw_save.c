// SPDX-License-Identifier: MIT
/*
 * What the firmware keeps over D0i3, and the warm boot that takes it back.  SRC: P 5.3, 11.6.
 *
 * On PWR_D0I3_ENTER the model puts its state aside and writes an address into the boot parameters;
 * the driver starts the CPU there (60xx: at the cold entry, with boot_type saying so), and queues,
 * doorbells, scheduling and metric streams are as they were.  The state lives in the model, not in
 * guest memory: where no address can be found that a warm boot could be told by, nothing is kept
 * and the next boot is cold, as P 5.3 allows.  A cold boot forgets it.
 */
#include <string.h>

#include "vnpu/model.h"

#define PARAM(v, field) ((v)->info->va.runtime.start + offsetof(struct abi_boot_params, field))

static void put_u64(struct vnpu *v, u64 va, u64 val)
{
	(void)vnpu_mem_write(v, 0, va, &val, sizeof(val)); /* the page was read at boot */
}

/*
 * The resume address: a page of the firmware's memory that is not the cold entry, because Linux 6.12
 * tells warm from cold by it; a whole page because 37xx loses the low bits.  0: none.
 */
static u64 resume_address(struct vnpu *v)
{
	const struct reg_range *runtime = &v->info->va.runtime;
	u64 addr = v->fw.cold_entry + BASE_PAGE_SIZE;

	addr -= addr % BASE_PAGE_SIZE;
	if (!reg_range_has(runtime, addr, BASE_PAGE_SIZE) || !vnpu_mem_is_mapped(v, 0, addr))
		return 0;
	return addr;
}

static void save_queues(struct vnpu *v)
{
	struct vnpu_saved *s = &v->saved;

	memset(s->db, 0, sizeof(s->db));
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		const struct vnpu_queue *q = &v->jobs.queue[db];

		if (!q->registered)
			continue;
		s->db[db] = (struct vnpu_saved_db){
			.registered = true,
			.suspended = q->suspended,
			.ssid = q->ssid,
			.head = q->head,
			.base = q->base,
			.cmdq_id = q->cmdq_id,
		};
	}
	memcpy(s->faulted, v->jobs.faulted, sizeof(s->faulted));
}

void vnpu_fw_save(struct vnpu *v)
{
	struct vnpu_saved *s = &v->saved;

	s->addr = resume_address(v);
	s->valid = s->addr != 0;
	if (!s->valid)
		return;
	vnpu_fw_log(v, VNPU_LOG_INFO, "entering D0i3, resume at 0x%llx",
		    (unsigned long long)s->addr);
	s->entry = v->fw.cold_entry;
	s->sched_mode = v->fw.sched_mode;
	s->hdrs = v->fw.hdrs;
	s->msgs = v->fw.msgs;
	s->heartbeat = v->fw.heartbeat;
	s->engine_stopped = v->fw.held & VNPU_HELD_RESET;
	s->counter = vnpu_counter(v);
	s->time_delta = v->fw.time_delta;
	s->set = v->fw.set;
	save_queues(v);
	put_u64(v, PARAM(v, standby_state_requested), s->counter);
	put_u64(v, PARAM(v, save_restore_ret_address), s->addr);
}

/* Is this the start of the firmware that was saved? */
bool vnpu_fw_is_warm(const struct vnpu *v, const struct abi_boot_params *p)
{
	const struct vnpu_saved *s = &v->saved;

	if (!s->valid)
		return false;
	if (v->gen->warm_at_cold_entry)
		return p->boot_type == ABI_BOOT_TYPE_WARM && v->fw.entry == s->entry;
	return v->fw.entry == s->addr;
}

static void restore_queues(struct vnpu *v)
{
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		const struct vnpu_saved_db *s = &v->saved.db[db];

		if (!s->registered)
			continue;
		v->jobs.queue[db] = (struct vnpu_queue){
			.registered = true,
			.suspended = s->suspended,
			.db = (u16)db,
			.ssid = s->ssid,
			.head = s->head,
			.tail = s->head,
			.base = s->base,
			.cmdq_id = s->cmdq_id,
			.generation = ++v->jobs.generation,
		};
	}
	memcpy(v->jobs.faulted, v->saved.faulted, sizeof(v->jobs.faulted));
}

/* P 5.1: device time goes on while the counter starts again. */
static void set_time(struct vnpu *v, const struct abi_boot_params *p)
{
	u64 slept =
		(u64)((unsigned __int128)p->d0i3_residency_time_us * v->info->perf_hz / 1000000);

	v->fw.time_delta = v->saved.time_delta + base_max(p->d0i3_entry_vpu_ts, v->saved.counter) +
			   slept - vnpu_counter(v);
}

void vnpu_fw_restore(struct vnpu *v, const struct abi_boot_params *p)
{
	struct vnpu_saved *s = &v->saved;

	s->valid = false;
	v->fw.cold_entry = s->entry;
	v->fw.sched_mode = s->sched_mode;
	v->fw.hdrs = s->hdrs;
	v->fw.msgs = s->msgs;
	v->fw.heartbeat = s->heartbeat;
	v->fw.held = s->engine_stopped ? VNPU_HELD_RESET : 0;
	v->fw.set = s->set;
	restore_queues(v);
	set_time(v, p);
	put_u64(v, PARAM(v, device_time_delta_ticks), v->fw.time_delta);
	put_u64(v, PARAM(v, standby_state_achieved), s->counter);
	vnpu_freq_apply(v);
	vnpu_metric_resume(v);
	vnpu_fw_log(v, VNPU_LOG_INFO, "warm boot at 0x%llx, %llu us asleep",
		    (unsigned long long)v->fw.entry, (unsigned long long)p->d0i3_residency_time_us);
}
