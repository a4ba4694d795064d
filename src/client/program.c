// SPDX-License-Identifier: MIT
/*
 * Programs: a compiled model on the NPU, with all it needs to run.
 *
 * Four buffers in the dma range: the image (read-only for the NPU), the arena, inputs and outputs,
 * and one for control:
 *     0  context save area
 *    64  command buffer: header, INFERENCE_EXECUTE                     P 10.8
 *   192  record of a run that failed, written by the NPU              abi/program.h
 *   320  invocation: header, a range per input, a range per output     abi/program.h
 * A device without MMU reaches nothing but the three ranges of a job's descriptor: there the record,
 * the image and the arena follow the invocation in the control buffer, which is the job's cmd; its
 * input and output are the two parts of the io buffer.
 *
 * All of it is written once; a run is one job.  Runs of one program on several queues cannot
 * disturb the control buffer, and the device executes one job at a time; when several fail at once,
 * one may be told another's reason, or none.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "abi/abi_names.h"
#include "abi/cmdbuf.h"
#include "client/internal.h"
#include "kernels/kern.h"

#define OFF_SAVE       0u
#define OFF_CMDBUF     64u
#define OFF_ERROR      192u
#define OFF_INVOCATION 320u

struct npu_program {
	struct npu_context *ctx;
	struct svc_list link;
	struct npu_buffer *image, *arena, *io, *control;
	struct abi_prog prog; /* points into the image */
	u64 *io_off;	      /* of each input, then of each output, in the io buffer */
	u64 in_size, io_size; /* used by inputs; by all */
	u32 nr_in, nr_out;
	bool flat; /* image and arena are the control buffer */
	u64 image_off, arena_off, error_off;
	u32 cmd_off, cmd_size; /* in the control buffer */
};

struct cmdbuf {
	struct abi_cmdbuf_header hdr;
	struct abi_cmd_inference inference;
};

static_assert(sizeof(struct cmdbuf) == 80, "a list of one command");
static_assert(OFF_SAVE + ABI_CMDBUF_SAVE_SIZE <= OFF_CMDBUF, "save area");
static_assert(OFF_CMDBUF % ABI_CMDBUF_ALIGN == 0, "command buffer");
static_assert(OFF_CMDBUF + sizeof(struct cmdbuf) <= OFF_ERROR, "error record");
static_assert(OFF_ERROR + sizeof(struct abi_run_error) <= OFF_INVOCATION, "invocation");

static atomic_uint_fast64_t next_inference = 1; /* ids are never reused in this process */
static atomic_uint_fast32_t next_cookie;

struct npu_program *program_of(struct svc_list *link)
{
	return svc_list_entry(link, struct npu_program, link);
}

static const struct abi_prog_tensor *tensor_of(const struct npu_program *prog, u32 i)
{
	return i < prog->nr_in ? abi_prog_input(&prog->prog, i)
			       : abi_prog_output(&prog->prog, i - prog->nr_in);
}

/* Before memory is spent: is this a program of that size at all? */
static int check_head(const void *image, size_t size, struct abi_prog_header *hdr)
{
	if (size < sizeof(*hdr))
		return npu_fail(-EINVAL, "program: %zu bytes, a program has at least %zu", size,
				sizeof(*hdr));
	memcpy(hdr, image, sizeof(*hdr));
	if (hdr->magic != ABI_PROG_MAGIC)
		return npu_fail(
			-EINVAL,
			"program: starts with 0x%08x, expected 0x%08x; is it a compiled model?",
			hdr->magic, ABI_PROG_MAGIC);
	if (hdr->size != size)
		return npu_fail(-EINVAL, "program: its header says %llu bytes, there are %zu",
				(unsigned long long)hdr->size, size);
	return 0;
}

static u8 *image_cpu(const struct npu_program *prog)
{
	return (u8 *)npu_buffer_map(prog->image) + prog->image_off;
}

static u64 arena_size(const struct abi_prog_header *hdr)
{
	return base_max(hdr->arena_size, UINT64_C(64));
}

static u32 invocation_size(u64 nr_bindings)
{
	return (u32)(sizeof(struct abi_invocation) + nr_bindings * sizeof(struct abi_range));
}

/* No MMU: one buffer for what a job's cmd must cover. */
static int make_flat(struct npu_program *prog, const struct abi_prog_header *hdr)
{
	u64 nr = (u64)hdr->nr_inputs + hdr->nr_outputs, size;
	int ret;

	if (nr > ABI_MAX_BINDINGS)
		return npu_fail(-EINVAL, "program: %u inputs and %u outputs, limit is %u together",
				hdr->nr_inputs, hdr->nr_outputs, ABI_MAX_BINDINGS);
	prog->cmd_off = OFF_INVOCATION;
	prog->error_off = base_align_up(prog->cmd_off + (u64)invocation_size(nr), 64);
	prog->image_off =
		base_align_up(prog->error_off + sizeof(struct abi_run_error), (u64)BASE_PAGE_SIZE);
	if (hdr->size > UINT32_MAX || arena_size(hdr) > UINT32_MAX)
		size = UINT64_MAX;
	else
		size = base_align_up(prog->image_off + hdr->size, (u64)BASE_PAGE_SIZE) +
		       arena_size(hdr);
	if (size > UINT32_MAX)
		return npu_fail(-ENOSPC,
				"program: with its arena it is larger than the 4 GiB that a job on "
				"a device without MMU can name");
	prog->arena_off = size - arena_size(hdr);
	prog->cmd_size = (u32)size - prog->cmd_off;
	ret = npu_buffer_create(prog->ctx, size, 0, NPU_BUFFER_DMA, &prog->control);
	prog->image = prog->arena = prog->control;
	return ret;
}

static int check_image(struct npu_program *prog, size_t size)
{
	int ret = abi_prog_open(image_cpu(prog), size, &prog->prog, client_err());

	if (!ret)
		ret = kern_prog_check(&prog->prog, client_err());
	if (ret)
		return ret;
	prog->nr_in = prog->prog.hdr->nr_inputs;
	prog->nr_out = prog->prog.hdr->nr_outputs;
	if ((u64)prog->nr_in + prog->nr_out > ABI_MAX_BINDINGS)
		return npu_fail(-EINVAL, "program: %u inputs and %u outputs, limit is %u together",
				prog->nr_in, prog->nr_out, ABI_MAX_BINDINGS);
	return 0;
}

/* Copied first, then checked: nobody but this process can change the copy. */
static int load_image(struct npu_program *prog, const void *image, size_t size)
{
	struct abi_prog_header hdr;
	int ret = check_head(image, size, &hdr);

	if (ret)
		return ret;
	if (prog->flat)
		ret = make_flat(prog, &hdr);
	else
		ret = npu_buffer_create(prog->ctx, size, 0, NPU_BUFFER_RO | NPU_BUFFER_DMA,
					&prog->image);
	if (ret)
		return ret;
	memcpy(image_cpu(prog), image, size);
	/* what was measured is what there is, whatever the caller does to his copy */
	memcpy(image_cpu(prog), &hdr, sizeof(hdr));
	return check_image(prog, size);
}

static int alloc_arena(struct npu_program *prog)
{
	if (prog->flat)
		return 0;
	return npu_buffer_create(prog->ctx, arena_size(prog->prog.hdr), 0, NPU_BUFFER_DMA,
				 &prog->arena);
}

/* Inputs and outputs behind each other, each 64-byte aligned. */
static int alloc_io(struct npu_program *prog)
{
	u32 nr = prog->nr_in + prog->nr_out;
	u64 size = 0; /* 4096 tensors of 2^36 bytes do not overflow it */

	prog->io_off = base_alloc_array(nr, sizeof(*prog->io_off));
	if (!prog->io_off)
		return npu_fail(-ENOMEM, "program: no memory for %u inputs and outputs", nr);
	for (u32 i = 0; i < nr; i++) {
		prog->io_off[i] = size;
		if (i == prog->nr_in)
			prog->in_size = size;
		size = base_align_up(size + tensor_of(prog, i)->size, 64);
	}
	if (prog->nr_in == nr)
		prog->in_size = size;
	prog->io_size = size;
	if (prog->flat && size > UINT32_MAX)
		return npu_fail(-ENOSPC,
				"program: inputs and outputs are larger than the 4 GiB that "
				"a job on a device without MMU can name");
	return npu_buffer_create(prog->ctx, base_max(size, UINT64_C(64)), 0, NPU_BUFFER_DMA,
				 &prog->io);
}

static void write_invocation(struct npu_program *prog, u8 *at)
{
	u32 nr = prog->nr_in + prog->nr_out;
	struct abi_invocation invocation = {
		.magic = ABI_INVOCATION_MAGIC,
		.version = ABI_INVOCATION_VERSION,
		.nr_bindings = nr,
		.program = { npu_buffer_address(prog->image) + prog->image_off,
			     prog->prog.hdr->size },
		.arena = { npu_buffer_address(prog->arena) + prog->arena_off,
			   arena_size(prog->prog.hdr) },
		.error = { npu_buffer_address(prog->control) + prog->error_off,
			   sizeof(struct abi_run_error) },
	};

	memcpy(at, &invocation, sizeof(invocation));
	at += sizeof(invocation);
	for (u32 i = 0; i < nr; i++, at += sizeof(struct abi_range)) {
		struct abi_range range = { npu_buffer_address(prog->io) + prog->io_off[i],
					   tensor_of(prog, i)->size };

		memcpy(at, &range, sizeof(range));
	}
}

static void write_cmdbuf(struct npu_program *prog, u8 *at)
{
	u64 base = npu_buffer_address(prog->control);
	struct cmdbuf cmds = {
		.hdr = { .cmd_buffer_size = sizeof(cmds),
			 .cmd_offset = offsetof(struct cmdbuf, inference),
			 .api_version = ABI_CMDBUF_API,
			 .context_save_area_address = base + OFF_SAVE },
		.inference = { .hdr = { ABI_CMD_INFERENCE_EXECUTE, sizeof(cmds.inference) },
			       .inference_id = atomic_fetch_add(&next_inference, 1),
			       .host_mapped_inference_address = base + OFF_INVOCATION,
			       .host_mapped_inference_size =
				       invocation_size((u64)prog->nr_in + prog->nr_out) },
	};

	memcpy(at, &cmds, sizeof(cmds));
	prog->cmd_off = OFF_CMDBUF;
	prog->cmd_size = sizeof(cmds);
}

static int write_control(struct npu_program *prog)
{
	u64 size = OFF_INVOCATION + (u64)invocation_size((u64)prog->nr_in + prog->nr_out);
	u8 *cpu;
	int ret = 0;

	if (!prog->flat) {
		prog->error_off = OFF_ERROR;
		ret = npu_buffer_create(prog->ctx, size, 0, NPU_BUFFER_DMA, &prog->control);
	}
	if (ret)
		return ret;
	cpu = npu_buffer_map(prog->control);
	write_invocation(prog, cpu + OFF_INVOCATION);
	if (!prog->flat)
		write_cmdbuf(prog, cpu + OFF_CMDBUF);
	return 0;
}

static void free_buffers(struct npu_program *prog)
{
	npu_buffer_destroy(prog->control);
	npu_buffer_destroy(prog->io);
	if (prog->flat)
		return;
	npu_buffer_destroy(prog->arena);
	npu_buffer_destroy(prog->image);
}

int npu_program_load(struct npu_context *ctx, const void *image, size_t size,
		     struct npu_program **out)
{
	struct npu_program *prog = base_zalloc(sizeof(*prog));
	struct npu_device_info info;
	int ret;

	if (!prog)
		return npu_fail(-ENOMEM, "program: no memory");
	prog->ctx = ctx;
	ret = npu_device_query(ctx->dev, &info);
	prog->flat = !ret && info.flat;
	if (!ret)
		ret = load_image(prog, image, size);
	if (!ret)
		ret = alloc_arena(prog);
	if (!ret)
		ret = alloc_io(prog);
	if (!ret)
		ret = write_control(prog);
	if (ret) {
		free_buffers(prog);
		program_free(prog);
		return ret;
	}
	context_add(ctx, &ctx->programs, &prog->link);
	*out = prog;
	return 0;
}

void program_free(struct npu_program *prog)
{
	base_free(prog->io_off);
	base_free(prog);
}

void npu_program_destroy(struct npu_program *prog)
{
	if (!prog)
		return;
	context_del(prog->ctx, &prog->link);
	free_buffers(prog); /* the service keeps them while a run that timed out goes on */
	program_free(prog);
}

unsigned npu_program_nr_inputs(const struct npu_program *prog)
{
	return prog->nr_in;
}

unsigned npu_program_nr_outputs(const struct npu_program *prog)
{
	return prog->nr_out;
}

static void describe(const struct npu_program *prog, const struct abi_prog_tensor *tensor,
		     struct npu_tensor_info *out)
{
	*out = (struct npu_tensor_info){ .name = abi_prog_name(&prog->prog, tensor->name),
					 .dtype = tensor->dtype,
					 .rank = tensor->rank,
					 .size = tensor->size };
	for (u32 i = 0; i < tensor->rank; i++)
		out->dims[i] = tensor->dims[i];
}

int npu_program_input(const struct npu_program *prog, unsigned i, struct npu_tensor_info *out)
{
	if (i >= prog->nr_in)
		return npu_fail(-EINVAL, "program: no input %u, it has %u", i, prog->nr_in);
	describe(prog, abi_prog_input(&prog->prog, i), out);
	return 0;
}

int npu_program_output(const struct npu_program *prog, unsigned i, struct npu_tensor_info *out)
{
	if (i >= prog->nr_out)
		return npu_fail(-EINVAL, "program: no output %u, it has %u", i, prog->nr_out);
	describe(prog, abi_prog_output(&prog->prog, i), out);
	return 0;
}

void *npu_program_input_data(struct npu_program *prog, unsigned i)
{
	if (i >= prog->nr_in)
		return NULL;
	return (u8 *)npu_buffer_map(prog->io) + prog->io_off[i];
}

const void *npu_program_output_data(struct npu_program *prog, unsigned i)
{
	if (i >= prog->nr_out)
		return NULL;
	return (u8 *)npu_buffer_map(prog->io) + prog->io_off[prog->nr_in + i];
}

static int stash_full(const struct npu_queue *queue)
{
	return npu_fail(-EAGAIN,
			"program: %u completions of other jobs of this queue wait; take them with "
			"npu_queue_poll() first",
			queue->nr_stash);
}

/* Completions until the one of @cookie; others are kept for whoever asks the queue.  1 when it
 * came, 0 when it did not yet. */
static int take_until(struct npu_queue *queue, u64 cookie, struct npu_completion *done)
{
	while (queue->nr_stash < QUEUE_STASH) {
		struct npu_completion *slot = &queue->stash[queue->nr_stash];
		int ret = queue_take(queue, slot, 1);

		if (ret <= 0)
			return ret;
		if (slot->cookie == cookie) {
			*done = *slot;
			return 1;
		}
		if (!cookie_is_run(slot->cookie))
			queue->nr_stash++;
	}
	return stash_full(queue); /* other threads submit faster than this one looks */
}

/* The job is in the queue, or there is no room before the time is over. */
static int submit_run(struct npu_queue *queue, const struct npu_job *job, u64 start, u64 timeout_ns)
{
	for (;;) {
		struct npu_completion unused;
		int ret = queue_submit(queue, job, 1);

		if (ret != -EAGAIN)
			return ret < 0 ? ret : 0;
		ret = queue_wait_handle(queue, time_left(start, timeout_ns));
		if (ret)
			return ret == -ENODATA ? -EAGAIN : ret;
		ret = take_until(queue, job->cookie, &unused);
		if (ret < 0)
			return ret;
	}
}

static int wait_run(struct npu_queue *queue, u64 cookie, u64 start, u64 timeout_ns,
		    struct npu_completion *done)
{
	for (;;) {
		int ret = queue_wait_handle(queue, time_left(start, timeout_ns));

		if (ret)
			return ret;
		ret = take_until(queue, cookie, done);
		if (ret)
			return ret < 0 ? ret : 0;
	}
}

/* What the NPU wrote beside the status, if it did. */
static bool fail_with_record(const struct npu_program *prog)
{
	const u8 *control = npu_buffer_map(prog->control);
	const struct abi_prog_op *op;
	struct abi_run_error e;

	if (!abi_run_error_take(control + prog->error_off, prog->prog.nr_ops, &e))
		return false;
	if (e.op == ABI_TENSOR_NONE) {
		(void)npu_fail(-EIO, "program: the NPU could not run it: %s", e.text);
		return true;
	}
	op = &prog->prog.ops[e.op];
	(void)npu_fail(-EIO, "program: operation %u, node '%.100s': %s", e.op,
		       abi_prog_name(&prog->prog, op->name), e.text);
	return true;
}

static int judge(const struct npu_program *prog, const struct npu_completion *done)
{
	if (!done->status)
		return 0;
	if (done->status < 0)
		return npu_fail(-EIO, "program: the driver ended the job with %s",
				base_err_name(done->status));
	if (fail_with_record(prog))
		return -EIO;
	return npu_fail(-EIO, "program: the NPU ended the job with status %d, %s", done->status,
			abi_jsm_status_name((u32)done->status));
}

static struct npu_job job_of(const struct npu_program *prog)
{
	u64 io = npu_buffer_address(prog->io);
	struct npu_job job = {
		.cmd_addr = npu_buffer_address(prog->control) + prog->cmd_off,
		.cmd_size = prog->cmd_size,
		.flags = NPU_JOB_INFERENCE,
		.cookie = COOKIE_RUN << 32 | (u32)atomic_fetch_add(&next_cookie, 1),
	};

	if (prog->flat && prog->in_size) {
		job.input_addr = io;
		job.input_size = (u32)prog->in_size;
	}
	if (prog->flat && prog->io_size > prog->in_size) {
		job.output_addr = io + prog->in_size;
		job.output_size = (u32)(prog->io_size - prog->in_size);
	}
	return job;
}

int npu_program_run(struct npu_program *prog, struct npu_queue *queue, uint64_t timeout_ns,
		    struct npu_completion *done)
{
	u64 start = base_clock_ns();
	struct npu_completion result;
	struct npu_job job = job_of(prog);
	int ret;

	if (queue->ctx != prog->ctx)
		return npu_fail(-EINVAL, "program: it and the queue are of different contexts");
	if (queue->nr_stash > QUEUE_STASH - QUEUE_STASH_ROOM)
		return stash_full(queue);
	memset((u8 *)npu_buffer_map(prog->control) + prog->error_off, 0,
	       sizeof(struct abi_run_error));
	ret = submit_run(queue, &job, start, timeout_ns);
	if (!ret)
		ret = wait_run(queue, job.cookie, start, timeout_ns, &result);
	if (ret)
		return ret;
	if (done)
		*done = result;
	return judge(prog, &result);
}
