// SPDX-License-Identifier: MIT
/*
 * The metric streamer.  SRC: P 7.4, 7.5, 12.6.
 *
 * The groups are ours: those of real firmware are not documented.  A stream takes a sample each
 * period, of all its groups in ascending order, into its buffer; when that is full into the next
 * one, if there is one, else the sample is dropped.  UPDATE tells how much is in the buffer and may
 * put another in its place.  The driver passes its clients' masks on as they are, so that a wrong
 * one is an answer with an error and no finding.
 */
#include "vnpu/metric.h"

#include <string.h>

#include "vnpu/jsm.h"

#define PERIOD_MIN_NS  10000u
#define LATE_SAMPLES   64u /* of one look: a clock that jumped does not flood */
#define TEXT(nr)       (((nr) + 7u) & ~7u)
#define TYPE_EVENT     1u /* SRC: P 7.5, Level Zero ZET_METRIC_TYPE_EVENT, _TIMESTAMP */
#define TYPE_TIMESTAMP 4u
#define VALUE_U64      1u /* SRC: Level Zero ZET_VALUE_TYPE_UINT64 */
#define MAX_INFO       4096u
#define NR_GROUPS      2u

struct counter {
	const char *name, *description, *units;
	u32 type;
};

static const struct counter npu_counters[] = {
	{ "Timestamp", "Time of the sample", "ticks", TYPE_TIMESTAMP },
	{ "Jobs", "Jobs that ended", "jobs", TYPE_EVENT },
	{ "Inferences", "Inferences that ended", "inferences", TYPE_EVENT },
	{ "EngineBusy", "Time the compute engine worked", "ticks", TYPE_EVENT },
};

static const struct counter host_counters[] = {
	{ "Doorbells", "Doorbells rung by the host", "doorbells", TYPE_EVENT },
	{ "MessagesIn", "Messages from the host", "messages", TYPE_EVENT },
	{ "MessagesOut", "Messages to the host", "messages", TYPE_EVENT },
	{ "Interrupts", "Interrupts raised at the host", "interrupts", TYPE_EVENT },
};

static const struct group {
	const char *name, *description;
	const struct counter *counters;
	u32 nr;
} groups[NR_GROUPS] = {
	{ "NPU", "Work of the virtual NPU", npu_counters, BASE_ARRAY_SIZE(npu_counters) },
	{ "HostInterface", "Traffic with the host", host_counters, BASE_ARRAY_SIZE(host_counters) },
};

static_assert(VNPU_METRIC_GROUPS == (1u << NR_GROUPS) - 1, "mask of the groups");
static_assert(sizeof(struct vnpu_metric_sample) == sizeof(u64) * BASE_ARRAY_SIZE(npu_counters),
	      "a sample of group 0 is its counters");
static_assert(sizeof(struct vnpu_metric_sample) + sizeof(struct vnpu_metric_host) <= 64,
	      "METRIC_QUERY: a sample does not go over the end of a page");
static_assert(sizeof(struct vnpu_metric_host) == sizeof(u64) * BASE_ARRAY_SIZE(host_counters),
	      "a sample of group 1 is its counters");

/*
 * Samples
 */

static struct vnpu_metric_sample npu_sample(struct vnpu *v)
{
	return (struct vnpu_metric_sample){
		.ticks = vnpu_counter(v),
		.jobs = v->stats.jobs,
		.inferences = v->stats.inferences,
		.engine_ticks = (u64)((unsigned __int128)v->compute.busy_ns * v->info->perf_hz /
				      BASE_NS_PER_S),
	};
}

static u32 sample_size(u64 mask)
{
	u32 size = 0;

	for (u32 i = 0; i < NR_GROUPS; i++)
		if (mask & BASE_BIT64(i))
			size += groups[i].nr * (u32)sizeof(u64);
	return size;
}

u32 vnpu_metric_take(struct vnpu *v, u64 mask, u8 *out)
{
	const struct vnpu_metric_sample npu = npu_sample(v);
	const struct vnpu_metric_host host = {
		.doorbells = v->stats.doorbells,
		.ipc_in = v->stats.ipc_tx,
		.ipc_out = v->stats.ipc_rx,
		.interrupts = v->stats.msis,
	};
	u32 size = 0;

	if (mask & BASE_BIT64(0)) {
		memcpy(out, &npu, sizeof(npu));
		size = sizeof(npu);
	}
	if (mask & BASE_BIT64(1)) {
		memcpy(out + size, &host, sizeof(host));
		size += (u32)sizeof(host);
	}
	return size;
}

static void metric_answer(const struct vnpu_stream *s, u64 mask, struct abi_jsm_metric_done *done)
{
	*done = (struct abi_jsm_metric_done){
		.metric_group_mask = mask,
		.sample_size = base_max(sample_size(mask), (u32)sizeof(u64)), /* never 0: trap 33 */
	};
	if (!s)
		return;
	done->samples_collected = s->collected;
	done->samples_dropped = s->dropped;
	done->buffer_addr = s->buf;
	done->bytes_written = s->written;
}

static void notify(struct vnpu *v, struct vnpu_stream *s)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_METRIC_STREAMER_NOTIFICATION,
				   .status = ABI_IPC_ALLOCATED };

	s->since_notify = 0;
	metric_answer(s, s->mask, &msg.payload.metric_done);
	vnpu_ipc_send(v, ABI_IPC_CHAN_ASYNC, &msg);
}

static void use_next(struct vnpu_stream *s)
{
	s->buf = s->next_buf;
	s->size = s->next_size;
	s->written = 0;
	s->next_buf = 0;
	s->next_size = 0;
}

static void sample(struct vnpu *v, struct vnpu_stream *s)
{
	u8 bytes[sizeof(struct vnpu_metric_sample) + sizeof(struct vnpu_metric_host)];
	u32 size = vnpu_metric_take(v, s->mask, bytes);

	if (s->size - s->written < size && s->next_buf)
		use_next(s);
	if (s->size - s->written < size || vnpu_mem_write(v, 0, s->buf + s->written, bytes, size)) {
		s->dropped++;
		return;
	}
	s->written += size;
	s->collected++;
	if (s->notify && ++s->since_notify >= s->notify)
		notify(v, s);
}

static void arm(struct vnpu *v)
{
	u64 now_ns = vnpu_time_ns(v), next_ns = VNPU_NEVER;

	for (u32 i = 0; i < VNPU_NR_STREAMS; i++)
		if (v->fw.set.metrics.stream[i].mask)
			next_ns = base_min(next_ns, v->fw.set.metrics.stream[i].next_ns);
	if (next_ns != VNPU_NEVER)
		vnpu_timer_set(v, VNPU_T_METRIC, next_ns > now_ns ? next_ns - now_ns : 1);
}

void vnpu_metric_due(struct vnpu *v)
{
	u64 now_ns = vnpu_time_ns(v);

	if (!vnpu_fw_runs(v))
		return;
	for (u32 i = 0; i < VNPU_NR_STREAMS; i++) {
		struct vnpu_stream *s = &v->fw.set.metrics.stream[i];

		for (u32 n = 0; s->mask && s->next_ns <= now_ns && n < LATE_SAMPLES; n++) {
			sample(v, s);
			s->next_ns += s->period_ns;
		}
		if (s->next_ns <= now_ns)
			s->next_ns = now_ns + s->period_ns;
	}
	arm(v);
}

void vnpu_metric_resume(struct vnpu *v)
{
	u64 now_ns = vnpu_time_ns(v);

	for (u32 i = 0; i < VNPU_NR_STREAMS; i++)
		v->fw.set.metrics.stream[i].next_ns =
			now_ns + v->fw.set.metrics.stream[i].period_ns;
	arm(v);
}

/*
 * Descriptors
 */

struct text {
	u8 buf[MAX_INFO];
	u32 len;
};

/* Strings are terminated and padded to 8; returns the size as the descriptor has it. */
static u32 put_string(struct text *t, const char *s)
{
	u32 size = TEXT((u32)strlen(s) + 1);

	memcpy(t->buf + t->len, s, strlen(s) + 1);
	t->len += size;
	return size;
}

static void put_counter(struct text *t, const struct counter *c, u32 idx, bool last)
{
	u32 at = t->len;
	struct abi_jsm_metric_counter d = {
		.data_offset = idx * (u32)sizeof(u64),
		.data_size = sizeof(u64),
		.metric_type = c->type,
		.value_type = VALUE_U64,
	};

	t->len += (u32)sizeof(d);
	d.name_size = put_string(t, c->name);
	d.description_size = put_string(t, c->description);
	d.component_size = put_string(t, "NPU");
	d.units_size = put_string(t, c->units);
	d.next_counter_offset = last ? 0 : t->len - at;
	memcpy(t->buf + at, &d, sizeof(d));
}

static void put_group(struct text *t, u32 id, bool last)
{
	const struct group *g = &groups[id];
	u32 at = t->len;
	struct abi_jsm_metric_group d = {
		.group_id = id,
		.num_counters = g->nr,
		.data_size = g->nr * (u32)sizeof(u64),
		.domain = id,
	};

	t->len += (u32)sizeof(d);
	d.name_size = put_string(t, g->name);
	d.description_size = put_string(t, g->description);
	d.first_counter_offset = t->len - at;
	for (u32 i = 0; i < g->nr; i++)
		put_counter(t, &g->counters[i], i, i + 1 == g->nr);
	d.next_group_offset = last ? 0 : t->len - at;
	memcpy(t->buf + at, &d, sizeof(d));
}

static void describe(u64 mask, struct text *t)
{
	memset(t, 0, sizeof(*t));
	for (u32 i = 0; i < NR_GROUPS; i++)
		if (mask & BASE_BIT64(i))
			put_group(t, i, !(mask >> i >> 1));
}

/*
 * Messages
 */

static bool is_mask(u64 mask)
{
	return mask && !(mask & ~(u64)VNPU_METRIC_GROUPS);
}

/* The stream that has a group of @mask, or NULL. */
static struct vnpu_stream *stream_of(struct vnpu *v, u64 mask)
{
	for (u32 i = 0; i < VNPU_NR_STREAMS; i++)
		if (v->fw.set.metrics.stream[i].mask & mask)
			return &v->fw.set.metrics.stream[i];
	return NULL;
}

static struct vnpu_stream *free_stream(struct vnpu *v)
{
	for (u32 i = 0; i < VNPU_NR_STREAMS; i++)
		if (!v->fw.set.metrics.stream[i].mask)
			return &v->fw.set.metrics.stream[i];
	return NULL;
}

static u32 metric_info(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	const struct abi_jsm_metric_start *r = &req->metric_start;
	struct text t;

	/* bits without a group are left out: Intel's user-mode driver asks with all bits set */
	metric_answer(NULL, r->metric_group_mask & VNPU_METRIC_GROUPS, &rsp->metric_done);
	if (!(r->metric_group_mask & VNPU_METRIC_GROUPS))
		return JSM_INVALID_HANDLE;
	describe(r->metric_group_mask & VNPU_METRIC_GROUPS, &t);
	rsp->metric_done.buffer_addr = r->buffer_addr;
	rsp->metric_done.bytes_written = t.len;
	if (!r->buffer_size)
		return JSM_OK;
	if (r->buffer_size < t.len)
		return JSM_NO_RESOURCES;
	return vnpu_mem_write(v, 0, r->buffer_addr, t.buf, t.len)
		       ? (u32)ABI_JSM_STATUS_GLOBAL_CTX_VIOL_ERR
		       : JSM_OK;
}

static u32 metric_start(struct vnpu *v, const union abi_jsm_payload *req,
			union abi_jsm_payload *rsp)
{
	const struct abi_jsm_metric_start *r = &req->metric_start;
	struct vnpu_stream *s = free_stream(v);

	metric_answer(NULL, r->metric_group_mask, &rsp->metric_done);
	if (!is_mask(r->metric_group_mask))
		return JSM_INVALID_HANDLE;
	if (!s || stream_of(v, r->metric_group_mask)) /* a group has one stream */
		return JSM_NO_RESOURCES;
	*s = (struct vnpu_stream){
		.mask = r->metric_group_mask,
		.period_ns = base_max(r->sampling_rate_ns, (u64)PERIOD_MIN_NS),
		.notify = r->notify_sample_count,
		.buf = r->buffer_addr,
		.size = r->buffer_size,
		.next_buf = r->next_buffer_addr,
		.next_size = r->next_buffer_size,
	};
	s->next_ns = vnpu_time_ns(v) + s->period_ns;
	arm(v);
	return JSM_OK;
}

/* The answer is about the buffer that was in use. */
static u32 metric_update(struct vnpu *v, const union abi_jsm_payload *req,
			 union abi_jsm_payload *rsp)
{
	const struct abi_jsm_metric_update *r = &req->metric_update;
	struct vnpu_stream *s = stream_of(v, r->metric_group_mask);

	metric_answer(s, r->metric_group_mask, &rsp->metric_done);
	if (!s || s->mask != r->metric_group_mask)
		return JSM_INVALID_HANDLE;
	if (!r->buffer_addr || r->buffer_addr == s->buf)
		return JSM_OK;
	s->buf = r->buffer_addr;
	s->size = r->buffer_size;
	s->written = 0;
	s->next_buf = r->next_buffer_addr;
	s->next_size = r->next_buffer_size;
	s->collected = 0;
	s->dropped = 0;
	return JSM_OK;
}

static u32 metric_stop(struct vnpu *v, const union abi_jsm_payload *req, union abi_jsm_payload *rsp)
{
	u64 mask = req->metric_stop.metric_group_mask;
	struct vnpu_stream *s = stream_of(v, mask);

	metric_answer(s, mask, &rsp->metric_done);
	if (!s || s->mask != mask)
		return JSM_INVALID_HANDLE;
	s->mask = 0;
	return JSM_OK;
}

const struct vnpu_jsm_request vnpu_jsm_metric[] = {
	{ ABI_JSM_METRIC_STREAMER_OPEN, JSM_CH_ASYNC, vnpu_jsm_deprecated, false },
	{ ABI_JSM_METRIC_STREAMER_CLOSE, JSM_CH_ASYNC, vnpu_jsm_deprecated, false },
	{ ABI_JSM_METRIC_STREAMER_START, JSM_CH_ASYNC, metric_start, false },
	{ ABI_JSM_METRIC_STREAMER_STOP, JSM_CH_ASYNC, metric_stop, false },
	{ ABI_JSM_METRIC_STREAMER_UPDATE, JSM_CH_ASYNC, metric_update, false },
	{ ABI_JSM_METRIC_STREAMER_INFO, JSM_CH_ASYNC, metric_info, false },
	{ 0 },
};
