// SPDX-License-Identifier: MIT
#include "status.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "npu/npu.h"

#define REST_NS	  (60 * BASE_NS_PER_S) /* jobs that are cut off end some day */
#define POOLS	  (1u << 20)	       /* of buffers, which touch more or less of their pages */
#define ASKING_NS (300 * BASE_NS_PER_S)

struct question { /* shared */
	_Atomic bool at_rest, measured;
	char device[64];
	struct status status;
	char text[1000];
	char error[300];
};

static int say(struct question *q, int ret)
{
	snprintf(q->error, sizeof(q->error), "%s: %.250s", base_err_name(ret), npu_last_error());
	return ret;
}

static u64 value(const char *text, const char *key)
{
	char line[40];
	const char *found;

	snprintf(line, sizeof(line), "\n%s: ", key);
	found = strstr(text, line);
	return found ? strtoull(found + strlen(line), NULL, 10) : UINT64_MAX;
}

static int read_status(struct npu_device *dev, struct question *q)
{
	int ret = npu_device_read_text(dev, "status", q->text, sizeof(q->text));

	if (ret < 0)
		return ret;
	q->status.clients = value(q->text, "clients");
	q->status.contexts = value(q->text, "contexts");
	q->status.contexts_closing = value(q->text, "contexts_closing");
	q->status.buffers = value(q->text, "buffers");
	q->status.queues = value(q->text, "queues");
	q->status.jobs_pending = value(q->text, "jobs_pending");
	q->status.memory_bytes = value(q->text, "memory_bytes");
	return 0;
}

static bool is_at_rest(const struct status *s)
{
	return s->clients == 1 && !s->contexts && !s->contexts_closing && !s->buffers &&
	       !s->queues && !s->jobs_pending && !s->memory_bytes;
}

static int await_rest(struct npu_device *dev, struct question *q)
{
	u64 until = base_clock_ns() + REST_NS;

	for (;;) {
		int ret = read_status(dev, q);

		if (ret || is_at_rest(&q->status))
			return ret;
		if (base_clock_ns() >= until) {
			snprintf(q->error, sizeof(q->error), "not at rest:\n%.250s", q->text);
			return -ETIMEDOUT;
		}
		world_nap(5 * BASE_NS_PER_MS);
	}
}

/* All there are, given back. */
static int count_contexts(struct npu_device *dev, struct status *out)
{
	struct npu_context *ctx[STATUS_MAX_CONTEXTS];
	u32 nr = 0;
	int ret = 0;

	while (!ret && nr < BASE_ARRAY_SIZE(ctx)) {
		ret = npu_context_create(dev, &ctx[nr]);
		nr += !ret;
	}
	out->contexts_free = nr;
	while (nr)
		npu_context_destroy(ctx[--nr]);
	return !ret || ret == -EBUSY ? 0 : ret;
}

static int count_queues(struct npu_device *dev, struct status *out)
{
	struct npu_context *ctx;
	struct npu_queue *queue;
	int ret = npu_context_create(dev, &ctx);

	if (ret)
		return ret;
	for (out->queues_free = 0; !ret; out->queues_free += !ret)
		ret = npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue);
	npu_context_destroy(ctx);
	return ret == -EBUSY ? 0 : ret;
}

static int ask(void *arg)
{
	struct question *q = arg;
	struct npu_device *dev;
	int ret = npu_device_open(q->device, &dev);

	if (ret) {
		atomic_store(&q->at_rest, true);
		return say(q, ret);
	}
	ret = await_rest(dev, q);
	if (!ret)
		ret = count_contexts(dev, &q->status);
	if (!ret)
		ret = count_queues(dev, &q->status);
	if (!ret)
		ret = await_rest(dev, q);
	if (ret && !q->error[0])
		say(q, ret);
	atomic_store(&q->at_rest, true);
	while (!ret && !atomic_load(&q->measured))
		world_nap(BASE_NS_PER_MS);
	npu_device_close(dev);
	return ret;
}

int status_at_rest(struct world *w, struct status *out)
{
	struct question *q = world_shared(sizeof(*q));
	u64 until = base_clock_ns() + ASKING_NS;
	struct world_proc *asker;
	int ret;

	snprintf(q->device, sizeof(q->device), "%s", world_device(w));
	asker = world_spawn(w, ask, q);
	while (!atomic_load(&q->at_rest) && base_clock_ns() < until)
		world_nap(BASE_NS_PER_MS);
	*out = q->status;
	out->live = world_measure(w);
	atomic_store(&q->measured, true);
	ret = world_wait(asker, ASKING_NS);
	if (ret)
		fprintf(stderr, "FAILED: what npud has in use: %s; %s\n", base_err_name(ret),
			q->error);
	munmap(q, sizeof(*q));
	return ret;
}

static bool same(const char *what, u64 before, u64 after, u64 more)
{
	if (after <= before + more && before <= after + (more ? UINT32_MAX : 0))
		return true;
	fprintf(stderr, "FAILED: %s: %llu before, %llu after\n", what, (unsigned long long)before,
		(unsigned long long)after);
	return false;
}

bool status_same(const struct status *before, const struct status *after, u32 nr)
{
	const struct world_live *a = &before->live, *b = &after->live;
	bool good = same("address spaces that can be had", before->contexts_free,
			 after->contexts_free, 0);

	good &= same("queues that can be had", before->queues_free, after->queues_free, 0);
	good &= same("npud's descriptors", a->descriptors, b->descriptors, 0);
	good &= same("npud's memory", a->memory_bytes, b->memory_bytes,
		     nr * world_heap_kept + POOLS);
	good &= same("npud's heap", a->heap, b->heap, nr * world_heap_kept);
	good &= same("npud's memory for the device", a->dma_bytes, b->dma_bytes, 0);
	good &= same("npud's mappings", a->mappings, b->mappings, 0);
	return good;
}
