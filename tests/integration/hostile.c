// SPDX-License-Identifier: MIT
/* Jobs by hand, with one thing wrong in each; see hostile.h for what they are part of. */
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "abi/cmdbuf.h"
#include "image.h"

/* Places in hostile.cmd; the job's own are below 0x8000, what it may write behind. */
#define LIST  0x0000u
#define DESC  0x1000u
#define INV   0x2000u
#define IMAGE 0x3000u
#define ARENA 0x4000u
#define SAVE  0x6000u
#define ERROR 0x8000u
#define FENCE 0x9000u
#define STAMP 0xa000u
#define QUERY 0xb000u
/* and in hostile.io */
#define INPUT  0x0000u
#define OUTPUT 0x1000u
#define FROM   0x2000u
#define TO     0x3000u

#define NR_FLOATS 6u
#define ARENA_MIN 0x1000u

/*
 * Buffers and contexts
 */

int hostile_bo(struct hostile_conn *c, s64 ctx, u64 size, const char *params,
	       struct hostile_bo *out, struct base_err *err)
{
	struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) } };
	char path[80];
	void *cpu = NULL;
	s64 ret;

	snprintf(path, sizeof(path), "bo/%llu%s", (unsigned long long)size, params);
	*out = (struct hostile_bo){ .handle = hostile_dup(c, ctx, path), .size = size };
	if (out->handle < 0)
		return base_err_set(err, (int)out->handle, "dup %s: %lld", path,
				    (long long)out->handle);
	ret = hostile_call(c, out->handle, &call, sizeof(call));
	if (ret >= 0)
		ret = hostile_map(c, out->handle, size, &cpu);
	if (ret < 0) {
		(void)hostile_close(c, out->handle);
		return base_err_set(err, (int)ret, "%s: its address or mapping: %lld", path,
				    (long long)ret);
	}
	out->addr = call.addr;
	out->cpu = cpu;
	return 0;
}

void hostile_bo_close(struct hostile_conn *c, struct hostile_bo *bo)
{
	if (bo->cpu) {
		hostile_unmap(bo->cpu, bo->size);
		(void)hostile_close(c, bo->handle);
	}
	bo->cpu = NULL;
}

static int open_parts(struct hostile *h, struct base_err *err)
{
	int ret;

	h->queue = hostile_dup(h->c, h->ctx, "queue");
	if (h->queue < 0)
		return base_err_set(err, (int)h->queue, "queue: %lld", (long long)h->queue);
	ret = hostile_bo(h->c, h->ctx, HOSTILE_BO_SIZE, "", &h->cmd, err);
	return ret ? ret : hostile_bo(h->c, h->ctx, HOSTILE_BO_SIZE, "", &h->io, err);
}

int hostile_enter(struct hostile *h, struct hostile_conn *c, const struct reg_gen *gen,
		  struct base_err *err)
{
	int ret;

	*h = (struct hostile){ .c = c, .gen = gen, .constant = 0.5f, .inference_id = 1 };
	h->ctx = hostile_open(c, "0/ctx");
	if (h->ctx < 0) {
		hostile_why(c, err->text, sizeof(err->text));
		base_err_prefix(err, "a context");
		return (int)h->ctx;
	}
	ret = open_parts(h, err);
	if (ret)
		hostile_leave(h);
	return ret;
}

int hostile_enter_patiently(struct hostile *h, struct hostile_conn *c, const struct reg_gen *gen,
			    struct base_err *err)
{
	u64 until = base_clock_ns() + HOSTILE_PATIENCE_MS * BASE_NS_PER_MS;
	int ret;

	do
		ret = hostile_enter(h, c, gen, err);
	while (ret == -EBUSY && base_clock_ns() < until);
	return ret;
}

void hostile_leave(struct hostile *h)
{
	if (h->cmd.cpu)
		hostile_unmap(h->cmd.cpu, h->cmd.size);
	if (h->io.cpu)
		hostile_unmap(h->io.cpu, h->io.size);
	/* with a context goes all that was made in it; over a scheme only the descriptors do not */
	(void)hostile_close(h->c, h->ctx);
	(void)hostile_close(h->c, h->queue);
	(void)hostile_close(h->c, h->cmd.handle);
	(void)hostile_close(h->c, h->io.handle);
	h->cmd.cpu = h->io.cpu = NULL;
}

/*
 * One job of each kind
 */

static const char *const names[HOSTILE_NR] = {
	[HOSTILE_JOB_CMD] = "descriptor: cmd",
	[HOSTILE_JOB_INPUT] = "descriptor: input",
	[HOSTILE_JOB_OUTPUT] = "descriptor: output",
	[HOSTILE_PROGRAM] = "invocation: program",
	[HOSTILE_ARENA] = "invocation: arena",
	[HOSTILE_INPUT] = "invocation: input",
	[HOSTILE_OUTPUT] = "invocation: output",
	[HOSTILE_ERROR] = "invocation: error record",
	[HOSTILE_INVOCATION] = "inference: invocation",
	[HOSTILE_COPY_SRC] = "copy: source",
	[HOSTILE_COPY_DST] = "copy: destination",
	[HOSTILE_COPY_DESC] = "copy: descriptors",
	[HOSTILE_FILL] = "fill",
	[HOSTILE_SIGNAL] = "fence signal",
	[HOSTILE_FENCE] = "fence wait",
	[HOSTILE_STAMP] = "timestamp",
	[HOSTILE_QUERY] = "metric query",
	[HOSTILE_SAVE_AREA] = "header: save area",
};

const char *hostile_kind_name(enum hostile_kind kind)
{
	return names[kind];
}

u32 hostile_nr_kinds(const struct reg_gen *gen)
{
	return gen->flat ? HOSTILE_NR_FLAT : HOSTILE_NR;
}

u64 hostile_good(const struct hostile *h, enum hostile_kind kind)
{
	const struct {
		bool is_io;
		u32 off;
	} at[HOSTILE_NR] = {
		[HOSTILE_JOB_CMD] = { false, h->gen->flat ? INV : LIST },
		[HOSTILE_JOB_INPUT] = { true, INPUT },
		[HOSTILE_JOB_OUTPUT] = { true, OUTPUT },
		[HOSTILE_PROGRAM] = { false, IMAGE },
		[HOSTILE_ARENA] = { false, ARENA },
		[HOSTILE_INPUT] = { true, INPUT },
		[HOSTILE_OUTPUT] = { true, OUTPUT },
		[HOSTILE_ERROR] = { false, ERROR },
		[HOSTILE_INVOCATION] = { false, INV },
		[HOSTILE_COPY_SRC] = { true, FROM },
		[HOSTILE_COPY_DST] = { true, TO },
		[HOSTILE_COPY_DESC] = { false, DESC },
		[HOSTILE_FILL] = { true, TO },
		[HOSTILE_SIGNAL] = { false, FENCE },
		[HOSTILE_FENCE] = { false, FENCE },
		[HOSTILE_STAMP] = { false, STAMP },
		[HOSTILE_QUERY] = { false, QUERY },
		[HOSTILE_SAVE_AREA] = { false, SAVE },
	};

	return (at[kind].is_io ? h->io.addr : h->cmd.addr) + at[kind].off;
}

/* The address of @place: the one under test, or a good one. */
struct places {
	const struct hostile *h;
	enum hostile_kind kind;
	u64 addr;
};

static u64 place(const struct places *p, enum hostile_kind kind)
{
	return kind == p->kind ? p->addr : hostile_good(p->h, kind);
}

static void put_program(struct hostile *h)
{
	struct image *im = (void *)(h->cmd.cpu + IMAGE);

	build_image(im);
	for (u32 i = 0; i < NR_FLOATS; i++)
		im->weights[i] = h->constant;
	im->hdr.arena_size = ARENA_MIN;
	im->hdr.content_hash = base_hash64(im->tensors, sizeof(*im) - sizeof(im->hdr), 0);
}

static void put_invocation(struct hostile *h, const struct places *p)
{
	struct abi_invocation *inv = (void *)(h->cmd.cpu + INV);
	struct abi_range *bind = (void *)(inv + 1);

	put_program(h);
	/* the record is for a run that fails */
	*inv = (struct abi_invocation){
		.magic = ABI_INVOCATION_MAGIC,
		.version = ABI_INVOCATION_VERSION,
		.nr_bindings = p->kind == HOSTILE_ERROR ? 1 : 2,
		.program = { place(p, HOSTILE_PROGRAM), sizeof(struct image) },
		.arena = { place(p, HOSTILE_ARENA), ARENA_MIN },
		.error = { place(p, HOSTILE_ERROR), sizeof(struct abi_run_error) },
	};
	bind[0] = (struct abi_range){ place(p, HOSTILE_INPUT), NR_FLOATS * sizeof(float) };
	bind[1] = (struct abi_range){ place(p, HOSTILE_OUTPUT), NR_FLOATS * sizeof(float) };
}

static void put_copy(struct hostile *h, const struct places *p)
{
	const struct reg_copy_desc *lay = &h->gen->copy;
	u8 *desc = h->cmd.cpu + DESC;
	u64 src = place(p, HOSTILE_COPY_SRC), dst = place(p, HOSTILE_COPY_DST);
	u32 len = 0x1000;

	memset(desc, 0, lay->size_bytes + lay->tail_bytes);
	memcpy(desc + lay->src_off, &src, sizeof(src));
	memcpy(desc + lay->dst_off, &dst, sizeof(dst));
	memcpy(desc + lay->len_off, &len, sizeof(len));
}

union command {
	struct abi_cmd hdr;
	struct abi_cmd_timestamp timestamp;
	struct abi_cmd_fence fence;
	struct abi_cmd_metric_query query;
	struct abi_cmd_memory_fill fill;
	struct abi_cmd_copy copy;
	struct abi_cmd_inference inference;
};

static u32 put_command(struct hostile *h, const struct places *p, union command *c)
{
	*c = (union command){ 0 };
	switch ((u32)p->kind) {
	case HOSTILE_COPY_SRC:
	case HOSTILE_COPY_DST:
	case HOSTILE_COPY_DESC:
		put_copy(h, p);
		c->copy = (struct abi_cmd_copy){ .hdr = { ABI_CMD_COPY, sizeof(c->copy) },
						 .desc_start_offset = place(p, HOSTILE_COPY_DESC),
						 .desc_count = 1 };
		break;
	case HOSTILE_FILL:
		c->fill = (struct abi_cmd_memory_fill){ .hdr = { ABI_CMD_MEMORY_FILL,
								 sizeof(c->fill) },
							.start_address = place(p, HOSTILE_FILL),
							.size = 0x1000,
							.fill_pattern = 0x66666666 };
		break;
	case HOSTILE_SIGNAL:
	case HOSTILE_FENCE:
		/* more than what is waited for: what is enough differs */
		*(u64 *)(void *)(h->cmd.cpu + FENCE) = p->kind == HOSTILE_FENCE ? 2 : 0;
		c->fence = (struct abi_cmd_fence){ .hdr = { p->kind == HOSTILE_FENCE
								    ? ABI_CMD_FENCE_WAIT
								    : ABI_CMD_FENCE_SIGNAL,
							    sizeof(c->fence) },
						   .offset = place(p, p->kind),
						   .value = 1 };
		break;
	case HOSTILE_STAMP:
		c->timestamp = (struct abi_cmd_timestamp){ .hdr = { ABI_CMD_TIMESTAMP,
								    sizeof(c->timestamp) },
							   .address = place(p, HOSTILE_STAMP) };
		break;
	case HOSTILE_QUERY:
		c->query = (struct abi_cmd_metric_query){
			.hdr = { ABI_CMD_METRIC_QUERY_BEGIN, sizeof(c->query) },
			.metric_group_mask = 1,
			.metric_data_address = place(p, HOSTILE_QUERY)
		};
		break;
	default:
		put_invocation(h, p);
		c->inference = (struct abi_cmd_inference){
			.hdr = { ABI_CMD_INFERENCE_EXECUTE, sizeof(c->inference) },
			.inference_id = h->inference_id,
			.host_mapped_inference_address = place(p, HOSTILE_INVOCATION),
			.host_mapped_inference_size = 0x1000
		};
		break;
	}
	return c->hdr.size;
}

static struct abi_job put_flat(struct hostile *h, const struct places *p)
{
	u64 from = h->cmd.addr;

	put_invocation(h, p);
	/* cmd is all that is no input or output: the invocation is where it begins */
	return (struct abi_job){ .cmd_addr = p->kind == HOSTILE_JOB_CMD ? p->addr : from + INV,
				 .cmd_size = HOSTILE_BO_SIZE - INV,
				 .flags = ABI_JOB_INFERENCE,
				 .input_addr = place(p, HOSTILE_JOB_INPUT),
				 .input_size = NR_FLOATS * sizeof(float),
				 .output_addr = place(p, HOSTILE_JOB_OUTPUT),
				 .output_size = NR_FLOATS * sizeof(float),
				 .cookie = 0x600d };
}

struct abi_job hostile_put(struct hostile *h, enum hostile_kind kind, u64 addr)
{
	const struct places p = { h, kind, addr };
	union command c;
	u32 size;

	if (h->gen->flat)
		return put_flat(h, &p);
	size = put_command(h, &p, &c);
	*(struct abi_cmdbuf_header *)(void *)(h->cmd.cpu + LIST) = (struct abi_cmdbuf_header){
		.cmd_buffer_size = (u32)(sizeof(struct abi_cmdbuf_header) + size),
		.cmd_offset = sizeof(struct abi_cmdbuf_header),
		.api_version = ABI_CMDBUF_API,
		.context_save_area_address = place(&p, HOSTILE_SAVE_AREA),
	};
	memcpy(h->cmd.cpu + LIST + sizeof(struct abi_cmdbuf_header), &c, size);
	return (struct abi_job){ .cmd_addr = place(&p, HOSTILE_JOB_CMD),
				 .cmd_size = (u32)(sizeof(struct abi_cmdbuf_header) + size),
				 .input_addr = place(&p, HOSTILE_JOB_INPUT),
				 .input_size = NR_FLOATS * sizeof(float),
				 .output_addr = place(&p, HOSTILE_JOB_OUTPUT),
				 .output_size = NR_FLOATS * sizeof(float),
				 .cookie = 0x600d };
}

int hostile_try(struct hostile *h, enum hostile_kind kind, u64 addr, s32 *status,
		struct base_err *err)
{
	struct abi_job job = hostile_put(h, kind, addr);
	struct abi_completion done = { 0 };
	s64 ret = hostile_write(h->c, h->queue, &job, sizeof(job));

	if (ret < 0) {
		*status = (s32)ret;
		return 0;
	}
	ret = hostile_wait(h->c, h->queue, HOSTILE_PATIENCE_MS, &done);
	if (ret != 1)
		return base_err_set(err, -EIO, "%s 0x%llx: no completion: %lld", names[kind],
				    (unsigned long long)addr, (long long)ret);
	if (done.cookie != job.cookie || done.reserved)
		return base_err_set(err, -EIO, "%s 0x%llx: a completion of another job",
				    names[kind], (unsigned long long)addr);
	*status = done.status;
	return 0;
}

static bool did_it(const struct hostile *h, enum hostile_kind kind)
{
	const float *y = (const void *)(h->io.cpu + OUTPUT);

	switch ((u32)kind) {
	case HOSTILE_COPY_SRC:
	case HOSTILE_COPY_DST:
	case HOSTILE_COPY_DESC:
		return h->io.cpu[TO + 0xfff] == 0x77;
	case HOSTILE_FILL:
		return h->io.cpu[TO + 0xfff] == 0x66;
	case HOSTILE_SIGNAL:
		return h->cmd.cpu[FENCE] == 1;
	case HOSTILE_FENCE:
	case HOSTILE_QUERY: /* may be zeros */
		return true;
	case HOSTILE_STAMP:
		return *(const u64 *)(const void *)(h->cmd.cpu + STAMP) != 0;
	case HOSTILE_ERROR:
		return !memcmp(h->cmd.cpu + ERROR, "NPVE", 4);
	default:
		return y[0] == 3.5f && y[5] == 3.5f;
	}
}

static int one_self_test(struct hostile *h, enum hostile_kind kind, struct base_err *err)
{
	s32 status = 0;
	int ret;

	memset(h->io.cpu, 0, h->io.size);
	memset(h->io.cpu + FROM, 0x77, 0x1000);
	for (u32 i = 0; i < NR_FLOATS; i++)
		((float *)(void *)(h->io.cpu + INPUT))[i] = 3;
	ret = hostile_try(h, kind, hostile_good(h, kind), &status, err);
	if (ret)
		return ret;
	if ((status != 0) != (kind == HOSTILE_ERROR) || !did_it(h, kind))
		return base_err_set(err, -EIO, "%s with a good address: status %d, %s", names[kind],
				    status, did_it(h, kind) ? "done" : "not done");
	return 0;
}

int hostile_self_test(struct hostile_conn *c, const struct reg_gen *gen, struct base_err *err)
{
	struct hostile h;
	int ret = hostile_enter(&h, c, gen, err);

	if (ret)
		return ret;
	for (u32 kind = 0; !ret && kind < hostile_nr_kinds(gen); kind++)
		ret = one_self_test(&h, (enum hostile_kind)kind, err);
	hostile_leave(&h);
	return ret;
}

/*
 * The bystander
 */

static int verified_job(struct hostile *h, u32 nr, struct base_err *err)
{
	float *x = (void *)(h->io.cpu + INPUT), *y = (void *)(h->io.cpu + OUTPUT);
	s32 status = 0;
	int ret;

	for (u32 i = 0; i < NR_FLOATS; i++) {
		x[i] = (float)(nr % 1000) + (float)i;
		y[i] = -1;
	}
	ret = hostile_try(h, HOSTILE_INPUT, hostile_good(h, HOSTILE_INPUT), &status, err);
	if (!ret && status) {
		hostile_why(h->c, err->text, sizeof(err->text));
		base_err_prefix(err, "the bystander's job %u has status %d", nr, status);
		return -EIO;
	}
	for (u32 i = 0; !ret && i < NR_FLOATS; i++)
		if (y[i] != x[i] + h->constant)
			return base_err_set(err, -EIO, "the bystander's job %u gave %f for %f", nr,
					    (double)y[i], (double)x[i]);
	return ret;
}

int hostile_bystander(struct hostile_conn *c, const struct reg_gen *gen, const atomic_bool *stop,
		      atomic_uint *done, struct base_err *err)
{
	struct hostile h;
	int ret = hostile_enter(&h, c, gen, err);

	if (ret)
		return ret;
	for (u32 nr = 0; !ret && !atomic_load(stop); nr++) {
		ret = verified_job(&h, nr, err);
		atomic_fetch_add(done, 1);
	}
	hostile_leave(&h);
	return ret;
}

/*
 * The end
 */

static int ask_node(struct hostile_conn *c, const char *path, void *call, u64 size)
{
	s64 ret, node = hostile_open(c, path);

	if (node < 0)
		return (int)node;
	ret = hostile_call(c, node, call, size);
	(void)hostile_close(c, node);
	return ret < 0 ? (int)ret : 0;
}

static int look_for_rest(struct hostile_conn *c, struct svc_call_status *st)
{
	*st = (struct svc_call_status){ .head = { SVC_CALL_STATUS, SVC_CALL_VERSION,
						  sizeof(*st) } };
	return ask_node(c, "0/status", st, sizeof(*st));
}

static int no_recovery(struct hostile_conn *c, struct base_err *err)
{
	struct svc_call_metrics m = { .head = { SVC_CALL_METRICS, SVC_CALL_VERSION, sizeof(m) } };
	int ret = ask_node(c, "0/metrics", &m, sizeof(m));

	if (ret || !m.recoveries)
		return ret;
	return base_err_set(err, -EIO, "the device had to be booted anew %llu times",
			    (unsigned long long)m.recoveries);
}

int hostile_nothing_left(struct hostile_conn *c, struct base_err *err)
{
	u64 until = base_clock_ns() + 20 * BASE_NS_PER_S;
	struct svc_call_status st;
	int ret;

	do {
		ret = look_for_rest(c, &st);
		if (ret)
			return base_err_set(err, ret, "0/status: %d", ret);
		if (!(st.contexts | st.contexts_closing | st.buffers | st.queues |
		      st.jobs_pending) &&
		    !st.memory_bytes)
			return no_recovery(c, err);
	} while (base_clock_ns() < until);
	return base_err_set(err, -EBUSY,
			    "left in the daemon: %u contexts, %u closing, %u buffers, %u queues, "
			    "%u jobs, %llu bytes; %s",
			    st.contexts, st.contexts_closing, st.buffers, st.queues,
			    st.jobs_pending, (unsigned long long)st.memory_bytes, st.state);
}
