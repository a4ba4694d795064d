// SPDX-License-Identifier: MIT
/*
 * Command buffers.  Header and commands are copied before they are looked at: the client may change
 * them at any time.  Commands run in order, one after the other; what has to wait parks the job.
 * SRC: P 10.8.
 */
#include <errno.h>
#include <string.h>

#include "abi/abi_names.h"
#include "vnpu/model.h"

#define BUDGET_BYTES (UINT64_C(8) << 20) /* copied before other work gets its turn */

/* How a command ended. */
enum outcome {
	NEXT, /* go on behind it */
	STAY, /* parked: run->state says why */
	BAD,  /* PARSING_ERR */
	FAULT /* an address was not accessible: an MMU event was recorded */
};

struct cmd_ctx {
	struct vnpu *m;
	u32 ssid;
	struct vnpu_job_run *run;
	u64 budget;
};

/* --- the buffer ---------------------------------------------------------------------------- */

void vnpu_cmd_free(struct vnpu_job_run *run)
{
	if (run->cmds && run->cmds != run->inline_cmds)
		base_free(run->cmds);
	run->cmds = NULL;
}

static u32 status_of(int ret)
{
	switch (ret) {
	case 0:
		return ABI_JSM_STATUS_SUCCESS;
	case -EFAULT:
		return ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW;
	case -EINVAL:
		return ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT;
	case -EOPNOTSUPP:
		return ABI_JSM_STATUS_MVNCI_UNSUPPORTED_NETWORK_ELEMENT;
	case -ENOMEM:
		return ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES;
	default:
		return ABI_JSM_STATUS_MVNCI_INTERNAL_ERROR;
	}
}

u32 vnpu_cmd_load(struct vnpu *m, u32 ssid, struct vnpu_job_run *run)
{
	struct abi_cmdbuf_header hdr;
	u32 len;

	if (run->batch_addr % ABI_CMDBUF_ALIGN)
		return ABI_JSM_STATUS_PARSING_ERR;
	if (vnpu_mem_read(m, ssid, run->batch_addr, &hdr, sizeof(hdr)))
		return ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW;
	if (hdr.cmd_offset < sizeof(hdr) || hdr.cmd_offset % 8 ||
	    hdr.cmd_buffer_size < hdr.cmd_offset || hdr.cmd_buffer_size > VNPU_CMDBUF_MAX)
		return ABI_JSM_STATUS_PARSING_ERR;
	len = hdr.cmd_buffer_size - hdr.cmd_offset;
	run->cmds = len <= sizeof(run->inline_cmds) ? run->inline_cmds : base_zalloc(len);
	if (!run->cmds)
		return ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES;
	if (vnpu_mem_read(m, ssid, run->batch_addr + hdr.cmd_offset, run->cmds, len))
		return ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW;
	run->pos = 0;
	run->end = len;
	run->copy_idx = 0;
	run->done_len = 0;
	run->desc_base = hdr.descriptor_heap_base_address;
	run->fence_base = hdr.fence_heap_base_address;
	return ABI_JSM_STATUS_SUCCESS;
}

/* --- commands ------------------------------------------------------------------------------ */

static enum outcome store64(struct cmd_ctx *c, u64 addr, u64 val)
{
	return vnpu_mem_write(c->m, c->ssid, addr, &val, sizeof(val)) ? FAULT : NEXT;
}

static u64 system_time_us(const struct vnpu *m)
{
	return m->fw.params.system_time_us + vnpu_time(m) / BASE_NS_PER_US;
}

static enum outcome do_timestamp(struct cmd_ctx *c, const void *cmd)
{
	const struct abi_cmd_timestamp *ts = cmd;

	if (ts->address % c->m->gen->data->align_ts)
		return BAD;
	switch ((enum abi_ts_type)ts->timestamp_type) {
	case ABI_TS_RAW:
		return store64(c, ts->address, vnpu_perf_counter(c->m));
	case ABI_TS_SYSTEM:
		return store64(c, ts->address, system_time_us(c->m));
	case ABI_TS_DELTA:
		return store64(c, ts->address, c->m->fw.params.device_time_delta_ticks);
	}
	return BAD;
}

static enum outcome do_fence_wait(struct cmd_ctx *c, const void *cmd)
{
	const struct abi_cmd_fence *fence = cmd;
	u64 addr = c->run->fence_base + fence->offset;
	u64 have;

	if (addr % c->m->gen->data->align_fence)
		return BAD;
	if (vnpu_mem_read(c->m, c->ssid, addr, &have, sizeof(have)))
		return FAULT;
	if (reg_gen_fence_done(c->m->gen->data, have, fence->value))
		return NEXT;
	c->run->state = VNPU_JOB_FENCE;
	return STAY;
}

static enum outcome do_fence_signal(struct cmd_ctx *c, const void *cmd)
{
	const struct abi_cmd_fence *fence = cmd;
	u64 addr = c->run->fence_base + fence->offset;

	return addr % c->m->gen->data->align_fence ? BAD : store64(c, addr, fence->value);
}

static enum outcome do_nothing(struct cmd_ctx *c, const void *cmd)
{
	(void)c;
	(void)cmd;
	return NEXT;
}

static enum outcome do_metric_query(struct cmd_ctx *c, const void *cmd)
{
	const struct abi_cmd_metric_query *query = cmd;

	if (query->metric_data_address % 64)
		return BAD;
	vnpu_report(c->m, VNPU_UNIMPLEMENTED, "METRIC_QUERY", "there are no metric groups");
	return store64(c, query->metric_data_address, 0);
}

/* As much of [done_len, len) as the budget allows; STAY if something is left. */
static enum outcome take_piece(struct cmd_ctx *c, u64 len, u64 *piece)
{
	*piece = base_min(len - c->run->done_len, c->budget);
	c->budget -= *piece;
	return *piece == len - c->run->done_len ? NEXT : STAY;
}

static enum outcome do_fill(struct cmd_ctx *c, const void *cmd)
{
	const struct abi_cmd_memory_fill *fill = cmd;
	const struct reg_gen *gen = c->m->gen->data;
	enum outcome out;
	u64 piece, end;

	if (fill->start_address % gen->align_fill || (gen->fill_max && fill->size > gen->fill_max) ||
	    !base_add_u64(fill->start_address, fill->size, &end))
		return BAD;
	out = take_piece(c, fill->size, &piece);
	if (vnpu_mem_fill(c->m, c->ssid, fill->start_address + c->run->done_len, piece,
			  fill->fill_pattern))
		return FAULT;
	c->run->done_len = out == NEXT ? 0 : c->run->done_len + piece;
	return out;
}

static u64 get_le(const u8 *at, u32 size)
{
	u64 val = 0;

	memcpy(&val, at, size);
	return val;
}

static enum outcome copy_one(struct cmd_ctx *c, u64 desc_addr)
{
	const struct reg_copy_desc *layout = &c->m->gen->data->copy;
	u8 desc[256];
	u64 len, src, dst, piece;
	enum outcome out;

	if (vnpu_mem_read(c->m, c->ssid, desc_addr, desc, layout->size_bytes))
		return FAULT;
	len = get_le(&desc[layout->len_off], 4);
	src = get_le(&desc[layout->src_off], 8);
	dst = get_le(&desc[layout->dst_off], 8);
	if (len > layout->len_max || src >> layout->addr_bits || dst >> layout->addr_bits)
		return BAD;
	out = take_piece(c, len, &piece);
	if (vnpu_mem_copy(c->m, c->ssid, dst + c->run->done_len, src + c->run->done_len, piece))
		return FAULT;
	c->run->done_len = out == NEXT ? 0 : c->run->done_len + piece;
	return out;
}

static enum outcome do_copy(struct cmd_ctx *c, const void *cmd)
{
	const struct abi_cmd_copy *copy = cmd;
	const struct reg_copy_desc *layout = &c->m->gen->data->copy;
	u64 base = c->run->desc_base + copy->desc_start_offset;
	u8 tail[64];

	if (base % ABI_COPY_DESC_ALIGN || !copy->desc_count || copy->desc_count > layout->count_max)
		return BAD;
	/* hardware fetches a little past the last descriptor; SRC: P trap 29 */
	if (vnpu_mem_read(c->m, c->ssid, base + (u64)copy->desc_count * layout->size_bytes, tail,
			  layout->tail_bytes))
		return FAULT;
	while (c->run->copy_idx < copy->desc_count) {
		enum outcome out = copy_one(c, base + (u64)c->run->copy_idx * layout->size_bytes);

		if (out != NEXT)
			return out;
		c->run->copy_idx++;
	}
	c->run->copy_idx = 0;
	return NEXT;
}

static enum outcome do_inference(struct cmd_ctx *c, const void *cmd)
{
	(void)cmd;
	c->run->state = VNPU_JOB_QUEUED;
	c->run->engine_status = UINT32_MAX; /* not known yet */
	return STAY;
}

static const struct command {
	u16 type;
	u16 size; /* 0: any from 4 */
	bool runs_when_null; /* also executed in a null submission; SRC: P 10.3 */
	enum outcome (*run)(struct cmd_ctx *c, const void *cmd);
} commands[] = {
	{ ABI_CMD_NOP, 0, true, do_nothing },
	{ ABI_CMD_BARRIER, sizeof(struct abi_cmd_barrier), true, do_nothing },
	{ ABI_CMD_TIMESTAMP, sizeof(struct abi_cmd_timestamp), true, do_timestamp },
	{ ABI_CMD_FENCE_WAIT, sizeof(struct abi_cmd_fence), true, do_fence_wait },
	{ ABI_CMD_FENCE_SIGNAL, sizeof(struct abi_cmd_fence), true, do_fence_signal },
	{ ABI_CMD_COPY, sizeof(struct abi_cmd_copy), false, do_copy },
	{ ABI_CMD_MEMORY_FILL, sizeof(struct abi_cmd_memory_fill), false, do_fill },
	{ ABI_CMD_INFERENCE_EXECUTE, sizeof(struct abi_cmd_inference), false, do_inference },
	{ ABI_CMD_METRIC_QUERY_BEGIN, sizeof(struct abi_cmd_metric_query), false, do_metric_query },
	{ ABI_CMD_METRIC_QUERY_END, sizeof(struct abi_cmd_metric_query), false, do_metric_query },
};

static const struct command *find_command(u16 type)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(commands); i++)
		if (commands[i].type == type)
			return &commands[i];
	return NULL;
}

static enum outcome run_command(struct cmd_ctx *c, const struct abi_cmd *cmd)
{
	const struct command *row = find_command(cmd->type);

	if (!row || (row->size && cmd->size != row->size))
		return BAD;
	if ((c->run->flags & ABI_JOBQ_JOB_NULL) && !row->runs_when_null)
		return NEXT;
	return row->run(c, cmd);
}

u32 vnpu_cmd_run(struct vnpu *m, u32 ssid, struct vnpu_job_run *run)
{
	struct cmd_ctx c = { m, ssid, run, BUDGET_BYTES };

	run->state = VNPU_JOB_RUNNING;
	while (run->pos < run->end) {
		struct abi_cmd cmd;
		enum outcome out = BAD;

		if (run->end - run->pos < sizeof(cmd))
			goto bad;
		memcpy(&cmd, run->cmds + run->pos, sizeof(cmd));
		if (cmd.size >= ABI_CMD_NOP_MIN && cmd.size <= run->end - run->pos && !(cmd.size % 4)) {
			_Alignas(8) u8 copy[64] = { 0 };

			memcpy(copy, run->cmds + run->pos, base_min((size_t)cmd.size, sizeof(copy)));
			out = run_command(&c, (const struct abi_cmd *)copy);
		}
		if (out == STAY)
			return ABI_JSM_STATUS_SUCCESS;
		if (out == BAD)
			goto bad;
		if (out == FAULT) {
			run->state = VNPU_JOB_NONE;
			return ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW;
		}
		run->pos += cmd.size;
	}
	run->state = VNPU_JOB_NONE;
	return ABI_JSM_STATUS_SUCCESS;

bad:
	run->state = VNPU_JOB_NONE;
	return ABI_JSM_STATUS_PARSING_ERR;
}

/* --- inference ----------------------------------------------------------------------------- */

struct infer_mem {
	struct vnpu *m;
	u32 ssid;
	bool lock; /* the engine runs without the model's lock */
};

static int mem_view(void *opaque, u64 addr, u64 len, bool write, void **ptr, void **token)
{
	struct infer_mem *mem = opaque;
	struct vnpu_view *view = base_zalloc(sizeof(*view));
	int ret;

	if (!view)
		return -ENOMEM;
	if (mem->lock)
		pthread_mutex_lock(&mem->m->lock);
	ret = vnpu_view_get(mem->m, mem->ssid, addr, len, write, view);
	if (mem->lock)
		pthread_mutex_unlock(&mem->m->lock);
	if (ret) {
		base_free(view);
		return ret;
	}
	*ptr = view->ptr;
	*token = view;
	return 0;
}

static void mem_release(void *opaque, void *token, bool written)
{
	struct infer_mem *mem = opaque;

	if (mem->lock)
		pthread_mutex_lock(&mem->m->lock);
	vnpu_view_put(mem->m, token, written);
	if (mem->lock)
		pthread_mutex_unlock(&mem->m->lock);
	base_free(token);
}

/* The invocation and its bindings, as a private copy; free with base_free(). */
static int read_invocation(struct vnpu *m, u32 ssid, const struct abi_cmd_inference *cmd,
			   struct abi_invocation *inv, struct abi_range **bindings)
{
	u64 addr = cmd->host_mapped_inference_address, size;

	*bindings = NULL;
	if (addr % 8 || cmd->host_mapped_inference_size < sizeof(*inv))
		return -EINVAL;
	if (vnpu_mem_read(m, ssid, addr, inv, sizeof(*inv)))
		return -EFAULT;
	if (inv->nr_bindings > ABI_MAX_BINDINGS)
		return -EINVAL;
	size = (u64)inv->nr_bindings * sizeof(**bindings);
	if (size > cmd->host_mapped_inference_size - sizeof(*inv))
		return -EINVAL;
	*bindings = base_zalloc(size);
	if (!*bindings)
		return -ENOMEM;
	return vnpu_mem_read(m, ssid, addr + sizeof(*inv), *bindings, size) ? -EFAULT : 0;
}

static int get_exec(struct vnpu *m, struct base_err *err)
{
	return m->exec ? 0 :
			 vnpu_exec_create(m->cfg.engine, m->cfg.engine_threads, m->cfg.engine_strict,
					  &m->exec, err);
}

u32 vnpu_cmd_infer(struct vnpu *m, u32 ssid, const struct vnpu_job_run *run, bool unlock)
{
	struct infer_mem owner = { m, ssid, unlock };
	const struct vnpu_exec_mem mem = { &owner, mem_view, mem_release };
	struct abi_cmd_inference cmd;
	struct abi_range *bindings;
	struct abi_invocation inv;
	struct vnpu_exec_job job;
	struct base_err err = { 0 };
	int ret;

	memcpy(&cmd, run->cmds + run->pos, sizeof(cmd));
	ret = read_invocation(m, ssid, &cmd, &inv, &bindings);
	if (!ret)
		ret = get_exec(m, &err);
	if (!ret) {
		job = (struct vnpu_exec_job){ ssid, cmd.inference_id, &inv, bindings, &mem };
		m->stats.inferences++;
		if (unlock)
			pthread_mutex_unlock(&m->lock);
		ret = vnpu_exec_run(m->exec, &job, &err);
		if (unlock)
			pthread_mutex_lock(&m->lock);
	}
	base_free(bindings);
	if (ret && ret != -EFAULT)
		vnpu_report(m, VNPU_UNSPECIFIED, "inference", "%s",
			    err.text[0] ? err.text : "the invocation is malformed");
	return status_of(ret);
}
