// SPDX-License-Identifier: MIT
/*
 * Rings and jobs of the reference NPU.  SRC: design section 8.
 *
 * A ring runs one slot at a time, in order, so that SYNC has nothing left to do; the two rings share
 * the engine.  A slot is copied before it is looked at.  A job reaches nothing but the ranges of its
 * descriptor: cmd and output may be written, input may not.
 *
 * Status of a job (descriptor +60): as of the other generations, P 7.6.
 */
#include <errno.h>
#include <string.h>

#include "abi/ref.h"
#include "vnpu/compute.h"
#include "vnpu/model.h"

#define CODE_FW_DEAD   0x0002 /* fault on demand */
#define CODE_LOST_RING 0x0003 /* the memory of a ring is gone */

static struct vnpu_queue *queue_of(struct vnpu *v, u32 n)
{
	return &v->jobs.queue[n];
}

static u64 slot_addr(const struct vnpu_ref_ring *ring)
{
	return ring->base + ring->tail * (u64)sizeof(struct abi_ref_slot);
}

bool vnpu_ref_is_idle(const struct vnpu *v)
{
	const struct vnpu_ref *ref = &v->ref;

	return ref->state >= VNPU_REF_ON && ref->ring[0].head == ref->ring[0].tail &&
	       ref->ring[1].head == ref->ring[1].tail;
}

void vnpu_ref_doorbell(struct vnpu *v, u32 n, u32 off, u32 head)
{
	struct vnpu_ref *ref = &v->ref;

	v->stats.doorbells++;
	if (ref->state != VNPU_REF_RUNNING) {
		if (ref->state != VNPU_REF_DEAD)
			vnpu_report_reg(v, VNPU_GUEST_ERROR, REG_BAR_REF, off,
					"doorbell with no firmware to hear it");
		return;
	}
	if (vnpu_fault_hit(v, VNPU_F_DOORBELL_LOST))
		return;
	if (vnpu_fault_hit(v, VNPU_F_FW_DEAD)) {
		vnpu_ref_die(v, CODE_FW_DEAD);
		return;
	}
	if (head >= ref->entries) {
		vnpu_report_reg(v, VNPU_GUEST_ERROR, REG_BAR_REF, off,
				"head is %u, expected 0 to %u", head, ref->entries - 1);
		return;
	}
	ref->ring[n].head = head;
	vnpu_timer_in(v, VNPU_T_REF_RINGS, 200, 3000);
}

/* The status is in memory before the tail says so. */
static void finish(struct vnpu *v, u32 n, u32 status)
{
	struct vnpu_ref *ref = &v->ref;
	struct vnpu_ref_ring *ring = &ref->ring[n];
	u64 at = slot_addr(ring) + offsetof(struct abi_job, status);

	ring->busy = false;
	if (vnpu_mem_write(v, 0, at, &status, sizeof(status))) {
		vnpu_ref_die(v, CODE_LOST_RING);
		return;
	}
	v->stats.jobs++;
	ring->tail = (ring->tail + 1) % ref->entries;
	ring->shown = ring->tail;
	if (vnpu_fault_hit(v, VNPU_F_WRONG_TAIL))
		ring->shown = (ring->head + 1) % ref->entries;
	vnpu_ref_raise(v, BASE_BIT(n));
	vnpu_timer_in(v, VNPU_T_REF_RINGS, 200, 3000);
}

void vnpu_ref_op_done(struct vnpu *v, struct vnpu_queue *q, u32 status)
{
	q->state = VNPU_JOB_NONE;
	finish(v, q->db, status);
}

/* NULL, or what is wrong with the descriptor. */
static const char *mistake(const struct abi_job *job)
{
	if (!(job->flags & ABI_JOB_INFERENCE) || job->flags & ~ABI_JOB_FLAGS)
		return "flags: expected INFERENCE, with or without SYNC";
	if (job->pad0 | job->pad1 | job->reserved | job->status)
		return "pad, reserved and status: expected 0";
	if (job->cmd_addr % 8 || job->cmd_size < sizeof(struct abi_invocation))
		return "cmd: expected an invocation, on a multiple of 8";
	return NULL;
}

/* Faults on demand that strike a job; false: it does not run. */
static bool survives_faults(struct vnpu *v, u32 n)
{
	if (vnpu_fault_hit(v, VNPU_F_STUCK_ENGINE) || vnpu_fault_hit(v, VNPU_F_JOB_LOST))
		return false; /* and the ring stays busy */
	if (vnpu_fault_hit(v, VNPU_F_JOB_ERROR)) {
		finish(v, n, ABI_JSM_STATUS_PROCESSING_ERR);
		return false;
	}
	if (vnpu_fault_hit(v, VNPU_F_MMU_FAULT)) {
		finish(v, n, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
		return false;
	}
	return true;
}

static void start(struct vnpu *v, u32 n)
{
	struct vnpu_ref_ring *ring = &v->ref.ring[n];
	struct vnpu_queue *q = queue_of(v, n);
	const char *what = mistake(&ring->job);

	ring->busy = true;
	if (what) {
		vnpu_report(v, VNPU_GUEST_ERROR, n ? "ring 1" : "ring 0", "slot %u: %s", ring->tail,
			    what);
		finish(v, n, ABI_JSM_STATUS_PARSING_ERR);
		return;
	}
	if (!survives_faults(v, n))
		return;
	q->job = (struct vnpu_job){
		.id = ring->tail,
		.op = { .type = ABI_CMD_INFERENCE_EXECUTE,
			.addr = ring->job.cmd_addr,
			.size = ring->job.cmd_size },
	};
	vnpu_compute_submit(v, q);
}

static void look(struct vnpu *v, u32 n)
{
	struct vnpu_ref_ring *ring = &v->ref.ring[n];

	if (v->ref.state != VNPU_REF_RUNNING || ring->busy || ring->tail == ring->head)
		return;
	if (vnpu_mem_read(v, 0, slot_addr(ring), &ring->job, sizeof(ring->job)))
		vnpu_ref_die(v, CODE_LOST_RING);
	else
		start(v, n);
}

void vnpu_ref_rings(struct vnpu *v)
{
	for (u32 n = 0; n < ABI_REF_NR_RINGS; n++)
		look(v, n);
}

/*
 * What a job may reach
 */

static bool is_inside(u64 addr, u64 len, u64 start, u64 size)
{
	return addr >= start && base_range_ok(addr - start, len, size);
}

static bool may_reach(const struct abi_job *job, u64 addr, u64 len, bool write)
{
	return !len || is_inside(addr, len, job->cmd_addr, job->cmd_size) ||
	       is_inside(addr, len, job->output_addr, job->output_size) ||
	       (!write && is_inside(addr, len, job->input_addr, job->input_size));
}

/* Without the lock; the ring may be gone after a reset. */
int vnpu_ref_view(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token)
{
	const struct vnpu_view_ctx *ctx = opaque;
	struct vnpu *v = ctx->v;
	bool good;

	vnpu_lock(&v->lock);
	good = ctx->epoch == v->compute.epoch &&
	       may_reach(&v->ref.ring[v->compute.db].job, addr, len, write);
	if (!good)
		vnpu_report(v, VNPU_UNSPECIFIED, "job",
			    "%s of 0x%llx, %llu bytes: outside the ranges of its descriptor",
			    write ? "write" : "read", (unsigned long long)addr,
			    (unsigned long long)len);
	vnpu_unlock(&v->lock);
	return good ? vnpu_view(opaque, addr, len, write, ptr, token) : -EFAULT;
}
