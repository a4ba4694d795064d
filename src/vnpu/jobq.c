// SPDX-License-Identifier: MIT
/*
 * Job queues: doorbell -> queue -> slots -> JOB_DONE.  SRC: P 10.1 to 10.5, 10.7.
 *
 * Each queue runs one job at a time, in order; a job that waits for a fence or the engine blocks
 * its own queue only.  The head is written back when a slot has been fetched.  After a fault the
 * context runs nothing more until SSID_RELEASE, which reports each of its jobs once (again).
 */
#include <errno.h>
#include <string.h>

#include "vnpu/compute.h"
#include "vnpu/model.h"
#include "vnpu/park.h"

#define COMMANDS_PER_TURN 256 /* of one queue, before others get their turn */
#define FENCE_POLL_MIN	  1000
#define FENCE_POLL_MAX	  1000000 /* what a host's plain store may wait for */
#define UNMAPPED	  0x0000fffffffff000ull

static void mark(struct vnpu *v, const struct vnpu_queue *q)
{
	v->jobs.pending[q->db / 64] |= BASE_BIT64(q->db % 64);
	v->jobs.pending_words |= BASE_BIT(q->db / 64);
}

void vnpu_queue_kick(struct vnpu *v, struct vnpu_queue *q)
{
	mark(v, q);
	vnpu_timer_in(v, VNPU_T_JOBS, 200, 3000);
}

void vnpu_doorbell(struct vnpu *v, u32 db)
{
	v->stats.doorbells++;
	if (BASE_UNLIKELY(v->watched)) {
		if (vnpu_fault_take(v, VNPU_F_DOORBELL_LOST))
			return;
		if (vnpu_fault_take(v, VNPU_F_FW_DEAD))
			vnpu_fw_die(v);
	}
	if (BASE_UNLIKELY(!vnpu_fw_runs(v))) {
		if (v->fw.state != VNPU_FW_DEAD)
			vnpu_report(v, VNPU_GUEST_ERROR, "doorbell",
				    "doorbell %u with no firmware to hear it", db);
		return;
	}
	if (v->stepped) {
		vnpu_queue_kick(v, &v->jobs.queue[db]);
		return;
	}
	/* another thread would take longer to wake than a turn takes */
	mark(v, &v->jobs.queue[db]);
	vnpu_jobs_run(v);
}

/*
 * Reports
 */

static bool is_reported(const struct vnpu_queue *q)
{
	return !(q->flags & ABI_JOBQ_FLAG_NO_JOB_DONE);
}

static void add_orphan(struct vnpu *v, const struct vnpu_queue *q, u32 job_id)
{
	struct vnpu_fw *fw = &v->fw;

	if (v->fw.sched_mode == ABI_BOOT_SCHED_HW || !is_reported(q))
		return; /* the driver completes them itself: P 10.7 step 5 */
	if (fw->nr_orphans == VNPU_NR_ORPHANS) {
		vnpu_report(v, VNPU_GUEST_ERROR, "jobs",
			    "job 0x%x forgotten: too many without a queue", job_id);
		return;
	}
	fw->orphans[fw->nr_orphans++] = (struct vnpu_orphan){ q->ssid, job_id, q->db, q->cmdq_id };
}

void vnpu_job_drop(struct vnpu *v, struct vnpu_queue *q)
{
	if (q->state == VNPU_JOB_FENCE)
		v->jobs.nr_fences--;
	if (q->state == VNPU_JOB_STUCK)
		v->jobs.nr_stuck--;
	if (q->state == VNPU_JOB_ENGINE)
		vnpu_compute_abort(v, q);
	q->state = VNPU_JOB_NONE;
}

void vnpu_ssid_fault(struct vnpu *v, u32 ssid)
{
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++)
		if (v->jobs.queue[db].registered && v->jobs.queue[db].ssid == ssid)
			v->jobs.faulted[ssid / 64] |= BASE_BIT64(ssid % 64);
}

void vnpu_job_finish(struct vnpu *v, struct vnpu_queue *q, u32 status)
{
	u32 id = q->job.id;

	if (BASE_UNLIKELY(q->state != VNPU_JOB_READY))
		vnpu_job_drop(v, q);
	q->state = VNPU_JOB_NONE;
	v->stats.jobs++;
	v->fw.heartbeat++;
	if (is_reported(q))
		vnpu_ipc_job_done(v, q->db, id, status, q->ssid, q->cmdq_id);
	if (BASE_UNLIKELY(status) && abi_jsm_status_needs_reset(status)) {
		v->jobs.faulted[q->ssid / 64] |= BASE_BIT64(q->ssid % 64);
		add_orphan(v, q, id); /* a second JOB_DONE at SSID_RELEASE: P 10.7 */
	}
	if (BASE_UNLIKELY(v->jobs.nr_fences)) /* it may have signalled one */
		vnpu_timer_set(v, VNPU_T_FENCE, 0);
}

/*
 * Slots
 */

/* The queue's page; NULL: out of reach, or its tail is nonsense. */
static inline struct abi_jobq *look(struct vnpu *v, struct vnpu_queue *q)
{
	struct abi_jobq *page = (void *)vnpu_mem_at(v, 0, q->base, true);

	if (!page)
		return NULL;
	q->tail = __atomic_load_n(&page->hdr.tail, __ATOMIC_ACQUIRE);
	if (BASE_LIKELY(q->tail < ABI_JOBQ_SLOTS))
		return page;
	vnpu_report(v, VNPU_GUEST_ERROR, "job queue",
		    "doorbell %u: tail is %u, expected 0 to 62 (P 10.2)", q->db, q->tail);
	return NULL;
}

/* The slot at head is taken, in a private copy: address, id and flags, all that is used. */
static inline void fetch(struct vnpu_queue *q, struct abi_jobq *page)
{
	memcpy(&q->slot, &page->slot[q->head], offsetof(struct abi_jobq_job, doorbell_timestamp));
	q->flags = __atomic_load_n(&page->hdr.flags, __ATOMIC_RELAXED);
	q->head = q->head + 1 < ABI_JOBQ_SLOTS ? q->head + 1 : 0;
	__atomic_store_n(&page->hdr.head, q->head, __ATOMIC_RELEASE);
}

static void start_inline(struct vnpu *v, const struct vnpu_queue *q,
			 const struct abi_jobq_inline *c)
{
	if (c->type == ABI_INLINE_NOP)
		return;
	vnpu_report(v, VNPU_UNIMPLEMENTED, "job queue", "doorbell %u: inline command %u skipped",
		    q->db, c->type);
}

/* Until the next slot is fetched. */
static void show_wild_head(struct vnpu *v, const struct vnpu_queue *q)
{
	struct abi_jobq *page = (void *)vnpu_mem_at(v, 0, q->base, true);

	if (page)
		__atomic_store_n(&page->hdr.head, (q->tail + 5) % ABI_JOBQ_SLOTS, __ATOMIC_RELEASE);
}

/* The job faults; each time the MMU says something else about it.  SRC: P 8.7 */
static void fault_of_next_kind(struct vnpu *v, struct vnpu_queue *q)
{
	static const u8 kinds[] = {
		ABI_MMU_EVT_F_UUT,
		ABI_MMU_EVT_C_BAD_STREAMID,
		ABI_MMU_EVT_F_STE_FETCH,
		ABI_MMU_EVT_C_BAD_STE,
		ABI_MMU_EVT_F_BAD_ATS_TREQ,
		ABI_MMU_EVT_F_STREAM_DISABLED,
		ABI_MMU_EVT_F_TRANSL_FORBIDDEN,
		ABI_MMU_EVT_C_BAD_SUBSTREAMID,
		ABI_MMU_EVT_F_CD_FETCH,
		ABI_MMU_EVT_C_BAD_CD,
		ABI_MMU_EVT_F_WALK_EABT,
		ABI_MMU_EVT_F_TRANSLATION,
		ABI_MMU_EVT_F_ADDR_SIZE,
		ABI_MMU_EVT_F_ACCESS,
		ABI_MMU_EVT_F_PERMISSION,
		ABI_MMU_EVT_F_TLB_CONFLICT,
		ABI_MMU_EVT_F_CFG_CONFLICT,
		ABI_MMU_EVT_E_PAGE_REQUEST,
		ABI_MMU_EVT_F_VMS_FETCH,
	};
	u32 kind = kinds[v->jobs.mmu_kinds++ % BASE_ARRAY_SIZE(kinds)];

	vnpu_mmu_event(v, kind, q->ssid, UNMAPPED, true, 0, true);
	vnpu_job_finish(v, q, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
}

/* Faults on demand that strike a job; false: it does not run. */
static bool survives_faults(struct vnpu *v, struct vnpu_queue *q)
{
	if (vnpu_fault_take(v, VNPU_F_ATS_ERROR))
		vnpu_btrs_error(v);
	if (v->gen->dct_request && vnpu_fault_take(v, VNPU_F_DCT_ON))
		v->gen->dct_request(v, true);
	if (v->gen->dct_request && vnpu_fault_take(v, VNPU_F_DCT_OFF))
		v->gen->dct_request(v, false);
	if (vnpu_fault_take(v, VNPU_F_WATCHDOG))
		vnpu_irq_icb(v,
			     REG_MASK64(REG_IP_37XX_HOST_SS_ICB_STATUS_0__CPU_INT_REDIRECT_0_INT));
	if (vnpu_fault_take(v, VNPU_F_MMU_GERROR))
		vnpu_mmu_gerror(v);
	if (vnpu_fault_take(v, VNPU_F_WILD_HEAD))
		show_wild_head(v, q);
	if (vnpu_fault_take(v, VNPU_F_STUCK_ENGINE)) {
		q->state = VNPU_JOB_STUCK;
		v->jobs.nr_stuck++;
		return false;
	}
	if (vnpu_fault_take(v, VNPU_F_JOB_ERROR)) {
		vnpu_job_finish(v, q, ABI_JSM_STATUS_PROCESSING_ERR);
		return false;
	}
	if (vnpu_fault_take(v, VNPU_F_MMU_FAULT)) {
		(void)vnpu_walk(v, q->ssid, UNMAPPED, true);
		vnpu_job_finish(v, q, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
		return false;
	}
	if (vnpu_fault_take(v, VNPU_F_MMU_KINDS)) {
		fault_of_next_kind(v, q);
		return false;
	}
	return true;
}

static void start(struct vnpu *v, struct vnpu_queue *q)
{
	const struct abi_jobq_job *slot = &q->slot.job;
	u32 status;

	if (slot->flags & ABI_JOBQ_JOB_INLINE) {
		start_inline(v, q, &q->slot.cmd);
		return;
	}
	q->state = VNPU_JOB_READY;
	q->job.id = slot->job_id;
	q->job.ssid = q->ssid;
	q->job.flags = slot->flags;
	q->job.last_ts = 0;
	if (BASE_UNLIKELY(v->watched) && !survives_faults(v, q))
		return;
	status = vnpu_cmd_start(v, &q->job, slot->batch_buf_addr);
	if (status)
		vnpu_job_finish(v, q, status);
}

/* The first that has to stand still is the first to go on. */
static __attribute__((cold, noinline)) bool is_held(struct vnpu *v, const struct vnpu_queue *q)
{
	if ((v->fw.held & VNPU_HELD_REPORTS) && !v->fw.first_held)
		v->fw.first_held = q->db + 1;
	return true;
}

static bool may_fetch(struct vnpu *v, const struct vnpu_queue *q)
{
	if (q->state != VNPU_JOB_NONE || q->suspended || vnpu_ssid_is_faulted(v, q->ssid))
		return false;
	return BASE_LIKELY(!v->fw.held) || !is_held(v, q);
}

void vnpu_queues_go_on(struct vnpu *v)
{
	const u32 first = v->fw.first_held ? v->fw.first_held - 1 : 0;

	v->fw.first_held = 0;
	for (u32 i = 0; i < VNPU_NR_QUEUES; i++) {
		struct vnpu_queue *q = &v->jobs.queue[(first + i) % VNPU_NR_QUEUES];

		if (!q->registered)
			continue;
		if (v->fw.sched_mode == ABI_BOOT_SCHED_HW) /* the bands say who goes first */
			vnpu_queue_kick(v, q);
		else
			vnpu_queue_run(v, q);
	}
}

/* One look at the tail is enough: a doorbell follows each of its changes. */
void vnpu_queue_run(struct vnpu *v, struct vnpu_queue *q)
{
	u32 budget = COMMANDS_PER_TURN;
	struct abi_jobq *page = NULL;

	if (!q->registered) {
		vnpu_report(v, VNPU_GUEST_ERROR, "doorbell",
			    "doorbell %u rung, but not registered: ignored (P 10.4)", q->db);
		return;
	}
	while (budget) {
		if (q->state == VNPU_JOB_READY) {
			budget = vnpu_cmd_run(v, q, budget);
			continue;
		}
		if (BASE_UNLIKELY(q->state | q->nr_ready)) {
			if (q->state == VNPU_JOB_FENCE && !vnpu_park(v, q))
				return;
			if (q->nr_ready && may_fetch(v, q)) {
				vnpu_unpark(v, q);
				budget--;
				continue;
			}
		}
		if (page && q->head == q->tail)
			return;
		if (!may_fetch(v, q))
			return;
		if (!page)
			page = look(v, q);
		if (!page || q->head == q->tail)
			return;
		fetch(q, page);
		start(v, q);
		budget--;
	}
	vnpu_queue_kick(v, q); /* the rest after the others */
}

/* Hardware scheduling: the bands say who goes first. */
static __attribute__((noinline)) void run_by_band(struct vnpu *v)
{
	u64 pending[BASE_ARRAY_SIZE(v->jobs.pending)];

	memcpy(pending, v->jobs.pending, sizeof(pending));
	memset(v->jobs.pending, 0, sizeof(pending));
	vnpu_hws_run(v, pending, vnpu_queue_run);
}

void vnpu_jobs_run(struct vnpu *v)
{
	u32 words;

	if (BASE_UNLIKELY(v->watched) && vnpu_fault_take(v, VNPU_F_GLOBAL_FAULT))
		(void)vnpu_walk(v, 0, UNMAPPED, true);
	words = v->jobs.pending_words;
	v->jobs.pending_words = 0; /* a kick from here on is for the next turn */
	if (BASE_UNLIKELY(v->fw.sched_mode == ABI_BOOT_SCHED_HW)) {
		run_by_band(v);
		return;
	}
	for (; words; words &= words - 1) {
		u32 w = (u32)__builtin_ctz(words);
		u64 bits = v->jobs.pending[w];

		v->jobs.pending[w] = 0;
		for (; bits; bits &= bits - 1)
			vnpu_queue_run(v, &v->jobs.queue[w * 64 + (u32)__builtin_ctzll(bits)]);
	}
}

/* The job of a queue that could not stand aside. */
static bool look_in_place(struct vnpu *v, struct vnpu_queue *q)
{
	u32 status = 0;

	if (q->state != VNPU_JOB_FENCE || !vnpu_fence_done(v, &q->job, &status))
		return false;
	if (status) {
		vnpu_job_finish(v, q, status);
	} else {
		v->jobs.nr_fences--;
		q->state = VNPU_JOB_READY;
	}
	vnpu_queue_kick(v, q);
	return true;
}

/* Memory may have changed: look at every job that waits. */
void vnpu_jobs_fences(struct vnpu *v)
{
	bool moved = v->jobs.nr_fences && vnpu_parked_look(v);

	for (u32 db = 0; db < VNPU_NR_QUEUES && v->jobs.nr_fences; db++)
		moved |= look_in_place(v, &v->jobs.queue[db]);
	if (!v->jobs.nr_fences)
		return;
	v->jobs.fence_poll_ns = base_min(2 * v->jobs.fence_poll_ns, (u64)FENCE_POLL_MAX);
	if (moved || !v->jobs.fence_poll_ns)
		v->jobs.fence_poll_ns = FENCE_POLL_MIN;
	vnpu_timer_set(v, VNPU_T_FENCE, v->jobs.fence_poll_ns);
}

/*
 * Registration
 */

static u32 check_registration(struct vnpu *v, u32 db, u32 ssid, u64 base, u64 size)
{
	const char *what = NULL;
	u32 status = ABI_JSM_STATUS_MVNCI_INVALID_HANDLE;

	if (db < v->info->db_first || db > v->info->db_last)
		what = "no such doorbell";
	else if (v->jobs.queue[db].registered)
		what = "registered already";
	else if (ssid < v->info->ssid_first || ssid >= VNPU_NR_SSIDS)
		what = "no user context";
	else if (base % BASE_PAGE_SIZE || size != ABI_JOBQ_SIZE)
		what = "the queue is not one aligned page";
	else if (!vnpu_mem_at(v, 0, base, true)) {
		what = "the queue is not mapped in SSID 0";
		status = ABI_JSM_STATUS_GLOBAL_CTX_VIOL_ERR;
	}
	if (!what)
		return 0;
	vnpu_report(v, VNPU_GUEST_ERROR, "JSM REGISTER_DB",
		    "doorbell %u, SSID %u, queue 0x%llx of %llu bytes: %s", db, ssid,
		    (unsigned long long)base, (unsigned long long)size, what);
	return status;
}

u32 vnpu_queue_register(struct vnpu *v, u32 db, u32 ssid, u64 base, u64 size, u64 cmdq_id)
{
	u32 status = check_registration(v, db, ssid, base, size);
	const struct abi_jobq *page;
	u32 head;

	if (status)
		return status;
	page = (const void *)vnpu_mem_at(v, 0, base, true);
	head = __atomic_load_n(&page->hdr.head, __ATOMIC_ACQUIRE);
	if (head >= ABI_JOBQ_SLOTS) {
		vnpu_report(v, VNPU_GUEST_ERROR, "JSM REGISTER_DB",
			    "head is %u, expected 0 (P 10.4)", head);
		return ABI_JSM_STATUS_PARSING_ERR;
	}
	v->jobs.queue[db] = (struct vnpu_queue){
		.registered = true,
		.db = (u16)db,
		.ssid = ssid,
		.head = head,
		.base = base,
		.cmdq_id = cmdq_id,
		.generation = ++v->jobs.generation,
	};
	return 0;
}

static void report_aborted(struct vnpu *v, const struct vnpu_queue *q, u32 job_id)
{
	if (is_reported(q))
		vnpu_ipc_job_aborted(v, q->db, job_id, q->ssid, q->cmdq_id);
}

/* All jobs, running, waiting or queued, are reported as aborted, or become orphans. */
static void drain(struct vnpu *v, struct vnpu_queue *q, bool report)
{
	void (*each)(struct vnpu * v, const struct vnpu_queue *q, u32 job_id) =
		report ? report_aborted : add_orphan;
	struct abi_jobq *page;

	vnpu_parked_drop(v, q, each);
	if (q->state != VNPU_JOB_NONE) {
		vnpu_job_drop(v, q);
		each(v, q, q->job.id);
	}
	page = look(v, q);
	while (page && q->head != q->tail) {
		fetch(q, page);
		if (!(q->slot.job.flags & ABI_JOBQ_JOB_INLINE))
			each(v, q, q->slot.job.job_id);
	}
}

void vnpu_queue_unregister(struct vnpu *v, struct vnpu_queue *q)
{
	drain(v, q, false);
	v->jobs.pending[q->db / 64] &= ~BASE_BIT64(q->db % 64);
	q->registered = false;
}

static void release_orphans(struct vnpu *v, u32 ssid)
{
	struct vnpu_fw *fw = &v->fw;
	u32 kept = 0;

	for (u32 i = 0; i < fw->nr_orphans; i++) {
		const struct vnpu_orphan o = fw->orphans[i];

		if (o.ssid != ssid)
			fw->orphans[kept++] = o;
		else
			vnpu_ipc_job_aborted(v, o.db, o.job_id, o.ssid, o.cmdq_id);
	}
	fw->nr_orphans = kept;
}

void vnpu_ssid_release(struct vnpu *v, u32 ssid)
{
	release_orphans(v, ssid);
	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		struct vnpu_queue *q = &v->jobs.queue[db];

		if (!q->registered || q->ssid != ssid)
			continue;
		drain(v, q, v->fw.sched_mode == ABI_BOOT_SCHED_OS);
		vnpu_queue_unregister(v, q);
	}
	v->jobs.faulted[ssid / 64] &= ~BASE_BIT64(ssid % 64);
	vnpu_compute_drop(v, ssid);
}

void vnpu_jobs_reset(struct vnpu *v)
{
	struct vnpu_jobs *j = &v->jobs;

	for (u32 db = 0; db < VNPU_NR_QUEUES; db++) {
		if (j->queue[db].state == VNPU_JOB_ENGINE)
			vnpu_compute_abort(v, &j->queue[db]);
		j->queue[db] = (struct vnpu_queue){ .db = (u16)db };
	}
	memset(j->pending, 0, sizeof(j->pending));
	j->pending_words = 0;
	memset(j->faulted, 0, sizeof(j->faulted));
	j->nr_fences = 0;
	j->nr_stuck = 0;
	memset(j->parked, 0, sizeof(j->parked));
	j->nr_parked = 0;
	vnpu_timer_clear(v, VNPU_T_FENCE);
	vnpu_timer_clear(v, VNPU_T_JOBS);
}
