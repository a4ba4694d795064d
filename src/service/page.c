// SPDX-License-Identifier: MIT
/*
 * Queue pages (abi/job.h): completions for a client in another process, without a call.
 *
 * The client can write all of the page at any time.  Nothing is believed but head, and of that only
 * what lies between our own copies: entries that were put and not taken.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "service/internal.h"

#define CHUNK 8u /* completions copied at once, on the stack */

static struct abi_queue_page *page_of(const struct svc_queue *queue)
{
	return queue->page_mem.cpu;
}

int svc_page_map(struct svc_queue *queue, struct svc_mapping *out, struct base_err *err)
{
	int ret = 0;

	if (!queue->handle.client->cred.remote)
		return base_err_set(err, -EOPNOTSUPP,
				    "queue: read() it, its page is for clients "
				    "in another process");
	if (!queue->page_mem.cpu)
		ret = os_shmem_create(BASE_PAGE_SIZE, &queue->page_mem);
	if (ret)
		return base_err_set(err, ret, "queue: no memory for its page");
	*out = (struct svc_mapping){ .cpu = queue->page_mem.cpu,
				     .size_bytes = queue->page_mem.size,
				     .fd = queue->page_mem.fd };
	svc_page_watch(queue);
	return 0;
}

void svc_page_free(struct svc_queue *queue)
{
	svc_list_del(&queue->active);
	if (queue->page_mem.cpu)
		os_shmem_destroy(&queue->page_mem);
}

u32 svc_page_unread(struct svc_queue *queue)
{
	u32 head;

	if (!queue->page_mem.cpu)
		return 0;
	head = __atomic_load_n(&page_of(queue)->head, __ATOMIC_ACQUIRE);
	if (head - queue->taken <= queue->put - queue->taken)
		queue->taken = head;
	return queue->put - queue->taken;
}

void svc_page_watch(struct svc_queue *queue)
{
	if (svc_list_empty(&queue->active))
		svc_list_add(&queue->handle.dev->active, &queue->active);
}

static void put(struct svc_queue *queue, const struct abi_completion *done, u32 nr)
{
	struct abi_queue_page *page = page_of(queue);

	for (u32 i = 0; i < nr; i++)
		page->ring[(queue->put + i) % ABI_QUEUE_PAGE_ENTRIES] = done[i];
	queue->put += nr;
	__atomic_store_n(&page->tail, queue->put, __ATOMIC_RELEASE);
}

/* He sets waiting and then looks at tail, we set tail and then look at waiting. */
static void wake_sleeper(struct svc_queue *queue)
{
	struct abi_queue_page *page = page_of(queue);

	atomic_thread_fence(memory_order_seq_cst);
	if (!__atomic_load_n(&page->waiting, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&page->waiting, 0, __ATOMIC_RELAXED);
	queue->handle.fired = true;
	svc_handle_arm(&queue->handle);
}

/* Jobs of a queue never outnumber its depth, so there is room for what the driver has. */
static void fill(struct svc_queue *queue)
{
	struct abi_completion done[CHUNK];
	const u32 before = queue->put;
	u32 nr;

	while (svc_queue_readable(queue) && (nr = svc_queue_reap(queue, done, CHUNK)) != 0)
		put(queue, done, nr);
	if (queue->put != before)
		wake_sleeper(queue);
}

void svc_dev_fill_pages(struct svc_device *dev)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &dev->active) {
		struct svc_queue *queue = svc_list_entry(node, struct svc_queue, active);

		if (!queue->closed)
			fill(queue);
		if (queue->closed || queue->submitted == queue->reaped)
			svc_list_del(&queue->active);
	}
}

void svc_page_refuse(struct svc_queue *queue, const struct abi_job *job, int error)
{
	u64 now = drv_now_ns(queue->handle.dev->drv);
	const struct abi_completion done = {
		.cookie = job->cookie, .status = error, .start_ns = now, .end_ns = now
	};

	if (!queue->page_mem.cpu || svc_queue_unread(queue) >= ABI_QUEUE_PAGE_ENTRIES)
		return;
	put(queue, &done, 1);
	wake_sleeper(queue);
}
