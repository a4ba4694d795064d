// SPDX-License-Identifier: MIT
#include "client/remote.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_SLOTS  16u
#define HANDLE_MAX   (1u << 20) /* the service reuses numbers: it counts no further than its quota */
#define QUEUE_JOBS   62u	/* what a queue holds */
#define CONTEXT_JOBS 256u

struct remote *remote_create(u32 handle, enum remote_kind kind, struct remote *parent)
{
	struct remote *r = base_zalloc(sizeof(*r));

	if (!r)
		return NULL;
	r->handle = handle;
	r->kind = kind;
	r->parent = parent;
	r->event_fd = -1;
	svc_list_init(&r->link);
	svc_list_init(&r->buffers);
	svc_list_init(&r->queues);
	return r;
}

void remote_destroy(struct remote *r)
{
	if (r->cpu)
		munmap(r->cpu, r->size_bytes);
	if (r->event_fd >= 0)
		close(r->event_fd);
	base_free(r);
}

static int grow(struct remotes *all, u32 handle)
{
	struct remote **slots;
	u32 nr = base_max(all->nr_slots, FIRST_SLOTS);

	while (nr <= handle)
		nr *= 2;
	if (nr == all->nr_slots)
		return 0;
	slots = base_realloc_array(all->slots, nr, sizeof(struct remote *));
	if (!slots)
		return -ENOMEM;
	for (u32 i = all->nr_slots; i < nr; i++)
		slots[i] = NULL;
	all->slots = slots;
	all->nr_slots = nr;
	return 0;
}

int remotes_add(struct remotes *all, struct remote *r)
{
	int ret = r->handle > HANDLE_MAX || remotes_find(all, r->handle) ? -EPROTO
									 : grow(all, r->handle);

	if (ret)
		return ret;
	all->slots[r->handle] = r;
	if (r->kind == REMOTE_BUFFER)
		svc_list_add(&r->parent->buffers, &r->link);
	else if (r->kind == REMOTE_QUEUE)
		svc_list_add(&r->parent->queues, &r->link);
	return 0;
}

struct remote *remotes_find(const struct remotes *all, u32 handle)
{
	return handle < all->nr_slots ? all->slots[handle] : NULL;
}

static void drop(struct remotes *all, struct remote *r)
{
	all->slots[r->handle] = NULL;
	svc_list_del(&r->link);
	remote_destroy(r);
}

static void drop_list(struct remotes *all, struct svc_list *head)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, head)
		drop(all, svc_list_entry(node, struct remote, link));
}

void remotes_forget(struct remotes *all, u32 handle)
{
	struct remote *r = remotes_find(all, handle);

	if (!r)
		return;
	drop_list(all, &r->buffers);
	drop_list(all, &r->queues);
	drop(all, r);
}

void remotes_fini(struct remotes *all)
{
	for (u32 i = 0; i < all->nr_slots; i++)
		remotes_forget(all, i);
	base_free(all->slots);
}

/* It comes to the front: the next job's is likely the same. */
static const struct remote *buffer_at(struct svc_list *buffers, u64 addr)
{
	struct svc_list *node;

	base_for_each (node, buffers) {
		const struct remote *r = svc_list_entry(node, const struct remote, link);

		if (addr < r->addr || addr - r->addr >= r->size_bytes)
			continue;
		svc_list_del(node);
		svc_list_add(buffers->next, node);
		return r;
	}
	return NULL;
}

bool remote_covers(const void *opaque, u64 addr, u64 size)
{
	struct remote *ctx = (struct remote *)(uintptr_t)opaque;
	const struct remote *r;
	u64 end;

	if (!base_add_u64(addr, size, &end))
		return false;
	while (addr < end && (r = buffer_at(&ctx->buffers, addr)) != NULL)
		addr = r->addr + r->size_bytes;
	return addr >= end;
}

static u32 since(const struct remote *r, const u32 *count)
{
	return atomic_load(&r->submitted) - __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

u32 remote_room(const struct remote *queue)
{
	u32 unread = since(queue, &queue->page->head), pending = 0;
	const struct svc_list *node;

	base_for_each (node, &queue->parent->queues) {
		const struct remote *r = svc_list_entry(node, const struct remote, link);

		pending += since(r, &r->page->tail);
	}
	return base_min(unread < QUEUE_JOBS ? QUEUE_JOBS - unread : 0,
			pending < CONTEXT_JOBS ? CONTEXT_JOBS - pending : 0);
}
