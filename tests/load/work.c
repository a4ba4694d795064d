// SPDX-License-Identifier: MIT
#include "work.h"

#include <errno.h>
#include <string.h>

#include "../integration/cmdlist.h"
#include "../integration/image.h"

/* A queue's buffer, with MMU */
#define SLOT_SIZE  0x200u
#define SLOT_DESC  0x100u
#define RESULT_OFF 0x8000u
#define RESULT	   128u /* bytes of one */
#define FILL_OFF   0xc000u

/* Without: invocations, the program, its arena; and x and y in a buffer of their own */
#define INV_SIZE  0x100u
#define IMAGE_OFF 0x5000u
#define ARENA_OFF 0x6000u
#define FLAT_SIZE 0x7000u
#define COLUMNS	  3u /* of the image's tensors */

struct result {
	u32 pattern[16];
	u64 fence; /* of a cache line of its own */
	u64 unused[7];
};

static_assert(sizeof(struct result) == RESULT, "result");

static u32 pattern_of(u64 number)
{
	return (u32)(number * 0x9e3779b1u) ^ (u32)(number >> 32);
}

static void *at(struct npu_buffer *buf, u64 off)
{
	return (u8 *)npu_buffer_map(buf) + off;
}

/*
 * With an MMU
 */

static struct npu_job write_list(struct work *w, struct work_queue *q, u32 slot, u64 number)
{
	const u64 base = npu_buffer_address(q->cmds), result = base + RESULT_OFF + slot * RESULT;
	const struct abi_cmd_memory_fill fill = { .hdr = { ABI_CMD_MEMORY_FILL, sizeof(fill) },
						  .start_address = base + FILL_OFF,
						  .size = w->size_bytes,
						  .fill_pattern = pattern_of(number) };
	const struct abi_cmd_barrier barrier = { .hdr = { ABI_CMD_BARRIER, sizeof(barrier) } };
	struct cmdlist list;

	memset(at(q->cmds, RESULT_OFF + slot * RESULT), 0, RESULT);
	cmdlist_init(&list, q->cmds, slot * SLOT_SIZE);
	cmdlist_add(&list, &fill, sizeof(fill));
	cmdlist_add(&list, &barrier, sizeof(barrier));
	cmdlist_copy(&list, &w->gen->copy, SLOT_DESC, result,
		     base + FILL_OFF + w->size_bytes - RESULT,
		     (u32)sizeof(((struct result *)0)->pattern));
	cmdlist_add(&list, &barrier, sizeof(barrier));
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, result + offsetof(struct result, fence), number);
	return cmdlist_job(&list, slot);
}

static bool is_list_done(struct work_queue *q, u32 slot, u64 number)
{
	const struct result *r = at(q->cmds, RESULT_OFF + slot * RESULT);
	bool good = r->fence == number;

	for (u32 i = 0; i < BASE_ARRAY_SIZE(r->pattern); i++)
		good &= r->pattern[i] == pattern_of(number);
	return good;
}

/*
 * Without
 */

static u32 io_size(const struct work *w)
{
	return (u32)base_align_up(w->size_bytes, RESULT);
}

static u32 nr_floats(const struct work *w)
{
	return w->size_bytes / (u32)sizeof(float) / COLUMNS * COLUMNS;
}

/* image.h's program for more rows; what is added is the same for each. */
static void write_image(const struct work *w, struct image *im)
{
	build_image(im);
	for (u32 i = 0; i < 3; i++) {
		im->tensors[i].dims[0] = i == 1 ? 1 : nr_floats(w) / COLUMNS;
		im->tensors[i].size = (i == 1 ? COLUMNS : nr_floats(w)) * (u32)sizeof(float);
	}
	im->hdr.content_hash = base_hash64(im->tensors, sizeof(*im) - sizeof(im->hdr), 0);
}

static float x_of(u64 number)
{
	return (float)(pattern_of(number) >> 8);
}

static struct npu_job write_invocation(struct work *w, struct work_queue *q, u32 slot, u64 number)
{
	const u64 cmd = npu_buffer_address(q->cmds), size = nr_floats(w) * sizeof(float);
	const u64 in_off = 2 * slot * (u64)io_size(w), out_off = in_off + io_size(w);
	const u64 io = npu_buffer_address(q->io);
	struct abi_invocation *inv = at(q->cmds, slot * INV_SIZE);
	struct abi_range *bind = (struct abi_range *)(void *)(inv + 1);
	float *x = at(q->io, in_off), *y = at(q->io, out_off);

	*inv = (struct abi_invocation){ .magic = ABI_INVOCATION_MAGIC,
					.version = ABI_INVOCATION_VERSION,
					.nr_bindings = 2,
					.program = { cmd + IMAGE_OFF, sizeof(struct image) },
					.arena = { cmd + ARENA_OFF, 0x1000 } };
	bind[0] = (struct abi_range){ io + in_off, size };
	bind[1] = (struct abi_range){ io + out_off, size };
	x[0] = x[nr_floats(w) - 1] = x_of(number);
	y[0] = y[nr_floats(w) - 1] = -1;
	return (struct npu_job){ .cmd_addr = cmd + slot * INV_SIZE,
				 .cmd_size = FLAT_SIZE - slot * INV_SIZE,
				 .flags = NPU_JOB_INFERENCE,
				 .input_addr = io + in_off,
				 .input_size = (u32)size,
				 .output_addr = io + out_off,
				 .output_size = (u32)size,
				 .cookie = slot };
}

static bool is_computed(const struct work *w, struct work_queue *q, u32 slot, u64 number)
{
	const float *y = at(q->io, (2 * slot + 1) * (u64)io_size(w)), want = x_of(number) + 0.5f;

	return y[0] == want && y[nr_floats(w) - 1] == want;
}

/*
 * Either
 */

static int open_queue(struct work *w, struct work_queue *q)
{
	const bool flat = w->gen->flat;
	int ret = npu_queue_create(w->ctx, NPU_PRIO_NORMAL, &q->queue);

	if (!ret)
		ret = npu_buffer_create(w->ctx, flat ? FLAT_SIZE : FILL_OFF + w->size_bytes, 0, 0,
					&q->cmds);
	if (!ret && flat)
		ret = npu_buffer_create(w->ctx, 2 * WORK_SLOTS * (u64)io_size(w), 0, 0, &q->io);
	if (!ret && flat)
		write_image(w, at(q->cmds, IMAGE_OFF));
	return ret;
}

int work_open(struct work *w, const char *device, const struct reg_gen *gen, u32 client,
	      u32 nr_queues, u32 size_bytes)
{
	int ret;

	*w = (struct work){ .gen = gen,
			    .nr_queues = nr_queues,
			    .size_bytes = (u32)base_align_up(size_bytes, RESULT),
			    .next = ((u64)client << 40) + 1 };
	ret = npu_device_open(device, &w->dev);
	if (ret)
		return ret;
	ret = npu_context_create(w->dev, &w->ctx);
	for (u32 i = 0; !ret && i < nr_queues; i++)
		ret = open_queue(w, &w->q[i]);
	if (ret)
		work_close(w);
	return ret;
}

static struct npu_job write_job(struct work *w, struct work_queue *q, u32 slot)
{
	const u64 number = w->next++;

	q->number[slot] = number;
	return w->gen->flat ? write_invocation(w, q, slot, number) : write_list(w, q, slot, number);
}

int work_submit(struct work *w, u32 idx)
{
	struct work_queue *q = &w->q[idx];
	struct npu_job jobs[WORK_SLOTS];
	u32 nr = 0;
	int ret;

	for (u32 slot = 0; slot < WORK_SLOTS; slot++)
		if (!q->number[slot])
			jobs[nr++] = write_job(w, q, slot);
	if (!nr)
		return 0;
	ret = npu_queue_submit(q->queue, jobs, nr);
	for (u32 i = ret < 0 ? 0 : (u32)ret; i < nr; i++)
		q->number[jobs[i].cookie] = 0;
	return ret;
}

static int check(struct work *w, struct work_queue *q, const struct npu_completion *done)
{
	const u64 slot = done->cookie;
	u64 number;

	if (slot >= WORK_SLOTS || !q->number[slot])
		return -EBADMSG; /* it was not submitted, or came twice */
	number = q->number[slot];
	q->number[slot] = 0;
	if (done->status)
		return done->status < 0 ? done->status : -EIO;
	return (w->gen->flat ? is_computed(w, q, (u32)slot, number)
			     : is_list_done(q, (u32)slot, number))
		       ? 0
		       : -EBADMSG;
}

int work_reap(struct work *w, u32 idx, u64 timeout_ns)
{
	struct work_queue *q = &w->q[idx];
	struct npu_completion done[WORK_SLOTS];
	int nr = npu_queue_wait(q->queue, done, WORK_SLOTS, timeout_ns);

	for (int i = 0; i < nr; i++) {
		int ret = check(w, q, &done[i]);

		if (ret)
			return ret;
		q->done++;
	}
	return nr;
}

void work_close(struct work *w)
{
	npu_context_destroy(w->ctx);
	npu_device_close(w->dev);
}
