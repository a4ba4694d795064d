// SPDX-License-Identifier: MIT
/*
 * Command buffers.  SRC: P 10.8.
 *
 * Nothing of a buffer is used before it was copied: the header once, each command once, each copy
 * descriptor once.  Commands run in order; small copies and fills at once, what remains of larger
 * ones and inferences on the engine (compute.c).
 *
 * How a job ends (P 7.6, 10.7):
 *   SUCCESS                        all commands done
 *   PARSING_ERR                    header, command or descriptor wrong; deprecated, unknown
 *   MVNCI_CONTEXT_VIOLATION_HW     an address that is not mapped for the access: with an MMU event
 * Mistakes of a client's command buffer are findings of class "unspecified": the driver has
 * done nothing wrong.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/compute.h"
#include "vnpu/model.h"

#define INLINE_MAX  UINT64_C(0x10000) /* bytes moved without the engine */
#define VIOLATION   ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW
#define PARSING_ERR ABI_JSM_STATUS_PARSING_ERR

static u32 reject(struct vnpu *v, const struct vnpu_job *job, const char *fmt, ...)
	BASE_PRINTF(3, 4) __attribute__((cold, noinline));

static u32 reject(struct vnpu *v, const struct vnpu_job *job, const char *fmt, ...)
{
	char where[48], text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(where, sizeof(where), "job 0x%x of SSID %u", job->id, job->ssid);
	vnpu_report(v, VNPU_UNSPECIFIED, where, "command buffer 0x%llx: %s",
		    (unsigned long long)job->base, text);
	return PARSING_ERR;
}

u32 vnpu_cmd_start(struct vnpu *v, struct vnpu_job *job, u64 base)
{
	struct abi_cmdbuf_header *h = &job->hdr;
	const u8 *p;

	job->base = base;
	if (base % ABI_CMDBUF_ALIGN)
		return reject(v, job, "header is not aligned to 64");
	p = vnpu_mem_at(v, job->ssid, base, false);
	if (!p)
		return VIOLATION;
	memcpy(h, p, sizeof(*h));
	if (h->cmd_offset < sizeof(*h) || h->cmd_offset > h->cmd_buffer_size)
		return reject(v, job, "size %u, first command at %u", h->cmd_buffer_size,
			      h->cmd_offset);
	if (h->context_save_area_address % ABI_CMDBUF_SAVE_SIZE)
		return reject(v, job, "save area 0x%llx is not aligned to 64",
			      (unsigned long long)h->context_save_area_address);
	job->pos = h->cmd_offset;
	return ABI_JSM_STATUS_SUCCESS;
}

/*
 * Light commands; each returns a job status
 */

static u32 run_timestamp(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_job *job = &q->job;
	const struct abi_cmd_timestamp *c = &job->cmd.timestamp;
	u64 now = vnpu_counter(v), val = now;
	u8 *p;

	if (c->address % v->info->align_ts || c->timestamp_type > ABI_TS_DELTA)
		return reject(v, job, "TIMESTAMP type %u to 0x%llx", c->timestamp_type,
			      (unsigned long long)c->address);
	p = vnpu_mem_at(v, job->ssid, c->address, true);
	if (!p)
		return VIOLATION;
	if (c->timestamp_type == ABI_TS_DELTA) /* since the job's last one */
		val = job->last_ts ? now - job->last_ts : 0;
	else if (c->timestamp_type == ABI_TS_SYSTEM) /* goes on over D0i3 */
		val += v->fw.time_delta;
	job->last_ts = now;
	__atomic_store_n((u64 *)(void *)p, val, __ATOMIC_RELEASE);
	return 0;
}

static u32 fence_address(struct vnpu *v, struct vnpu_job *job, u64 *va)
{
	const struct abi_cmd_fence *c = &job->cmd.fence;

	if (!base_add_u64(job->hdr.fence_heap_base_address, c->offset, va) ||
	    *va % v->info->align_fence)
		return reject(v, job, "fence at heap 0x%llx + 0x%llx",
			      (unsigned long long)job->hdr.fence_heap_base_address,
			      (unsigned long long)c->offset);
	return 0;
}

static u32 run_signal(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_job *job = &q->job;
	u64 va = 0;
	u32 status = fence_address(v, job, &va);
	u8 *p;

	if (status)
		return status;
	p = vnpu_mem_at(v, job->ssid, va, true);
	if (!p)
		return VIOLATION;
	/* all that earlier commands wrote is visible before the fence */
	__atomic_store_n((u64 *)(void *)p, job->cmd.fence.value, __ATOMIC_RELEASE);
	if (v->jobs.nr_fences)
		vnpu_timer_set(v, VNPU_T_FENCE, 0);
	return 0;
}

bool vnpu_fence_done(struct vnpu *v, const struct vnpu_job *job, u32 *status)
{
	const u8 *p = vnpu_mem_at(v, job->ssid, job->fence_va, false);

	if (!p) {
		*status = VIOLATION;
		return true;
	}
	return reg_gen_fence_done(v->info,
				  __atomic_load_n((const u64 *)(const void *)p, __ATOMIC_ACQUIRE),
				  job->fence_val);
}

static u32 run_wait(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_job *job = &q->job;
	u32 status = fence_address(v, job, &job->fence_va);

	job->fence_val = job->cmd.fence.value;
	/* behind others of its queue it lines up: what let it go on may let them, too, and first */
	if (status || (!q->nr_parked && vnpu_fence_done(v, job, &status)))
		return status;
	q->state = VNPU_JOB_FENCE;
	v->jobs.nr_fences++;
	v->jobs.fence_poll_ns = 0;
	vnpu_timer_set(v, VNPU_T_FENCE, 1000);
	return 0;
}

static u32 run_query(struct vnpu *v, struct vnpu_queue *q)
{
	struct vnpu_job *job = &q->job;
	const struct abi_cmd_metric_query *c = &job->cmd.query;
	u8 *p;

	if (c->metric_data_address % 64 || c->metric_group_mask & ~VNPU_METRIC_GROUPS)
		return reject(v, job, "metric query of groups 0x%x to 0x%llx", c->metric_group_mask,
			      (unsigned long long)c->metric_data_address);
	p = vnpu_mem_at(v, job->ssid, c->metric_data_address, true);
	if (!p)
		return VIOLATION;
	vnpu_metric_take(v, c->metric_group_mask, p); /* 64 bytes at most */
	return 0;
}

/*
 * Copy and fill
 */

/* A part of the transfer under way, in pages; true when it is done. */
static bool copy_part(struct vnpu *v, struct vnpu_job *job, u64 *budget, u32 *status)
{
	struct vnpu_op *op = &job->op;

	while (op->off < op->len && *budget) {
		u64 src = op->src + op->off, dst = op->dst + op->off;
		u64 room = BASE_PAGE_SIZE - base_max(src % BASE_PAGE_SIZE, dst % BASE_PAGE_SIZE);
		u64 left = base_min(op->len - op->off, *budget);
		u64 n = base_min(left, room);
		const u8 *from = vnpu_mem_at(v, job->ssid, src, false);
		u8 *to = from ? vnpu_mem_at(v, job->ssid, dst, true) : NULL;

		if (!to) {
			*status = VIOLATION;
			return true;
		}
		memmove(to, from, n);
		op->off += n;
		*budget -= n;
	}
	return op->off == op->len;
}

static u64 field(const u8 *desc, u32 off, u32 size)
{
	u64 val = 0;

	memcpy(&val, desc + off, size);
	return val;
}

static u32 load_descriptor(struct vnpu *v, struct vnpu_job *job)
{
	const struct reg_copy_desc *lay = &v->info->copy;
	struct vnpu_op *op = &job->op;
	u64 va = op->addr + (u64)op->desc_idx * lay->size_bytes;
	u8 desc[256];

	if (vnpu_mem_read(v, job->ssid, va, desc, lay->size_bytes))
		return VIOLATION;
	op->len = field(desc, lay->len_off, 4);
	op->src = field(desc, lay->src_off, 8);
	op->dst = field(desc, lay->dst_off, 8);
	op->off = 0;
	if (op->len > lay->len_max || (op->src + op->len) >> lay->addr_bits ||
	    (op->dst + op->len) >> lay->addr_bits || op->src >> 63 || op->dst >> 63)
		return reject(v, job, "copy descriptor %u: 0x%llx to 0x%llx, %llu bytes",
			      op->desc_idx, (unsigned long long)op->src,
			      (unsigned long long)op->dst, (unsigned long long)op->len);
	return 0;
}

static bool copy_step(struct vnpu *v, struct vnpu_job *job, u64 budget, u32 *status)
{
	struct vnpu_op *op = &job->op;

	for (u32 turn = 0; turn < ABI_COPY_COUNT_MAX; turn++) {
		if (!copy_part(v, job, &budget, status))
			return false;
		if (*status || op->desc_idx == op->count)
			return true;
		if (!budget)
			return false;
		*status = load_descriptor(v, job);
		op->desc_idx++;
		if (*status)
			return true;
	}
	return false;
}

/* From a block of our own: others may write to the page meanwhile. */
static void fill(u8 *p, u64 size, u32 pattern)
{
	u32 block[64];

	for (u32 i = 0; i < BASE_ARRAY_SIZE(block); i++)
		block[i] = pattern;
	for (u64 off = 0; off < size; off += sizeof(block))
		memcpy(p + off, block, base_min(size - off, (u64)sizeof(block)));
}

static bool fill_step(struct vnpu *v, struct vnpu_job *job, u64 budget, u32 *status)
{
	struct vnpu_op *op = &job->op;

	while (op->off < op->len && budget) {
		u64 va = op->dst + op->off;
		u64 n = base_min(op->len - op->off, BASE_PAGE_SIZE - va % BASE_PAGE_SIZE);
		u8 *p = vnpu_mem_at(v, job->ssid, va, true);

		if (!p) {
			*status = VIOLATION;
			return true;
		}
		fill(p, n, op->pattern);
		op->off += n;
		budget -= base_min(budget, n);
	}
	return op->off == op->len;
}

bool vnpu_op_step(struct vnpu *v, struct vnpu_job *job, u64 max_bytes, u32 *status)
{
	*status = 0;
	return job->op.type == ABI_CMD_COPY ? copy_step(v, job, max_bytes, status)
					    : fill_step(v, job, max_bytes, status);
}

/* Starts it here; what is large goes on elsewhere. */
static u32 start_op(struct vnpu *v, struct vnpu_queue *q)
{
	u32 status;

	if (!vnpu_op_step(v, &q->job, INLINE_MAX, &status))
		vnpu_compute_submit(v, q);
	return status;
}

static u32 run_copy(struct vnpu *v, struct vnpu_queue *q)
{
	const struct abi_cmd_copy *c = &q->job.cmd.copy;
	const struct reg_copy_desc *lay = &v->info->copy;
	u64 va, end;

	if (!base_add_u64(q->job.hdr.descriptor_heap_base_address, c->desc_start_offset, &va) ||
	    va % ABI_COPY_DESC_ALIGN || !c->desc_count || c->desc_count > lay->count_max ||
	    !base_add_u64(va, (u64)c->desc_count * lay->size_bytes + lay->tail_bytes, &end))
		return reject(v, &q->job, "COPY of %u descriptors at heap 0x%llx + 0x%llx",
			      c->desc_count,
			      (unsigned long long)q->job.hdr.descriptor_heap_base_address,
			      (unsigned long long)c->desc_start_offset);
	if (lay->tail_bytes && !vnpu_mem_at(v, q->ssid, end - 1, false))
		return VIOLATION; /* the hardware fetches beyond the last one: P trap 29 */
	q->job.op = (struct vnpu_op){ .type = ABI_CMD_COPY, .addr = va, .count = c->desc_count };
	return start_op(v, q);
}

static u32 run_fill(struct vnpu *v, struct vnpu_queue *q)
{
	const struct abi_cmd_memory_fill *c = &q->job.cmd.fill;
	u64 end;

	if (c->start_address % v->info->align_fill ||
	    !base_add_u64(c->start_address, c->size, &end) ||
	    (v->info->fill_max && c->size > v->info->fill_max))
		return reject(v, &q->job, "MEMORY_FILL of 0x%llx, %llu bytes",
			      (unsigned long long)c->start_address, (unsigned long long)c->size);
	q->job.op = (struct vnpu_op){
		.type = ABI_CMD_MEMORY_FILL,
		.dst = c->start_address,
		.len = c->size,
		.pattern = c->fill_pattern,
	};
	return start_op(v, q);
}

static u32 run_inference(struct vnpu *v, struct vnpu_queue *q)
{
	const struct abi_cmd_inference *c = &q->job.cmd.inference;

	if (c->host_mapped_inference_address % 8 ||
	    c->host_mapped_inference_size < sizeof(struct abi_invocation))
		return reject(v, &q->job, "INFERENCE_EXECUTE of 0x%llx, %u bytes",
			      (unsigned long long)c->host_mapped_inference_address,
			      c->host_mapped_inference_size);
	q->job.op = (struct vnpu_op){
		.type = ABI_CMD_INFERENCE_EXECUTE,
		.addr = c->host_mapped_inference_address,
		.size = c->host_mapped_inference_size,
		.inference_id = c->inference_id,
	};
	vnpu_compute_submit(v, q);
	return 0;
}

/*
 * The list
 */

/* NOP; BARRIER: everything before it has finished. */
static u32 run_nothing(struct vnpu *v, struct vnpu_queue *q)
{
	(void)v, (void)q;
	return 0;
}

/* Types have a group in bits 15:8 and a number in it. */
#define PLACE(type) (((type) >> 8 & 3) << 3 | ((type)&7))
#define CMD(name, bytes, is_work, fn) \
	[PLACE(ABI_CMD_##name)] = { ABI_CMD_##name, bytes, bytes, is_work, fn }

static const struct command {
	u16 type;
	u16 min, max; /* bytes */
	bool work;    /* left out of null submissions: P 10.3 */
	u32 (*run)(struct vnpu *v, struct vnpu_queue *q);
} commands[32] = {
	{ .type = 0xffff }, /* type 0 is unknown, as all that have no row */
	[PLACE(ABI_CMD_NOP)] = { ABI_CMD_NOP, ABI_CMD_NOP_MIN, UINT16_MAX, false, run_nothing },
	CMD(TIMESTAMP, sizeof(struct abi_cmd_timestamp), false, run_timestamp),
	CMD(FENCE_WAIT, sizeof(struct abi_cmd_fence), false, run_wait),
	CMD(FENCE_SIGNAL, sizeof(struct abi_cmd_fence), false, run_signal),
	CMD(BARRIER, sizeof(struct abi_cmd_barrier), false, run_nothing),
	CMD(METRIC_QUERY_BEGIN, sizeof(struct abi_cmd_metric_query), true, run_query),
	CMD(METRIC_QUERY_END, sizeof(struct abi_cmd_metric_query), true, run_query),
	CMD(MEMORY_FILL, sizeof(struct abi_cmd_memory_fill), true, run_fill),
	CMD(COPY, sizeof(struct abi_cmd_copy), true, run_copy),
	CMD(INFERENCE_EXECUTE, sizeof(struct abi_cmd_inference), true, run_inference),
};

static __attribute__((cold, noinline)) u32 bad_command(struct vnpu *v, const struct vnpu_job *job,
						       u32 left)
{
	u16 type = job->cmd.hdr.type;

	return reject(v, job, "command 0x%x (%s) of %u bytes at %u, %u are left", type,
		      abi_cmd_type_name(type), job->cmd.hdr.size, job->pos, left);
}

/* Copies the command at pos; 0 or a status. */
static u32 take(struct vnpu *v, struct vnpu_job *job, u32 left)
{
	u64 va = job->base + job->pos;
	const u8 *p;

	if (left < sizeof(job->cmd.hdr))
		return reject(v, job, "%u bytes behind the last command", left);
	p = vnpu_mem_at(v, job->ssid, va, false);
	if (!p)
		return VIOLATION;
	if (BASE_LIKELY(va % BASE_PAGE_SIZE <= BASE_PAGE_SIZE - sizeof(job->cmd)))
		memcpy(&job->cmd, p, sizeof(job->cmd)); /* what is behind it is not looked at */
	else if (vnpu_mem_read(v, job->ssid, va, &job->cmd, base_min(left, (u32)sizeof(job->cmd))))
		return VIOLATION;
	return 0;
}

static u32 execute(struct vnpu *v, struct vnpu_queue *q, u32 left)
{
	struct vnpu_job *job = &q->job;
	const struct command *c = &commands[PLACE(job->cmd.hdr.type)];
	u32 size = job->cmd.hdr.size;

	if (BASE_UNLIKELY(c->type != job->cmd.hdr.type || size < c->min || size > c->max ||
			  size > left))
		return bad_command(v, job, left);
	job->pos += size;
	if (c->work && job->flags & ABI_JOBQ_JOB_NULL)
		return 0;
	return c->run(v, q);
}

u32 vnpu_cmd_run(struct vnpu *v, struct vnpu_queue *q, u32 budget)
{
	struct vnpu_job *job = &q->job;

	while (q->state == VNPU_JOB_READY && budget) {
		u32 left = job->hdr.cmd_buffer_size - job->pos, status;

		if (!left) {
			vnpu_job_finish(v, q, ABI_JSM_STATUS_SUCCESS);
			break;
		}
		budget--;
		status = take(v, job, left);
		if (!status)
			status = execute(v, q, left);
		if (status)
			vnpu_job_finish(v, q, status);
	}
	return budget;
}
