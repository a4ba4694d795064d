/* SPDX-License-Identifier: MIT */
/*
 * Handles of a service in another process, as its client knows them: by number, and what is below a
 * context.  Under the caller's lock.
 */
#ifndef CLIENT_REMOTE_H
#define CLIENT_REMOTE_H

#include "abi/job.h"
#include "base/base.h"
#include "service/list.h"

enum remote_kind { REMOTE_OTHER, REMOTE_BUFFER, REMOTE_QUEUE };

struct remote {
	u32 handle;
	enum remote_kind kind;
	struct remote *parent; /* NULL: a node */
	struct svc_list link;  /* in one of its parent's */
	struct svc_list buffers, queues;
	int event_fd; /* -1: none yet */
	void *cpu;    /* mapping */
	u64 size_bytes;
	u64 addr;		     /* of a buffer */
	struct abi_queue_page *page; /* of a queue: cpu */
	_Atomic u32 submitted;	     /* of a queue, ever */
	u32 taken;		     /* of them; page->head */
	u32 nr_empty;		     /* reads that found nothing */
	u64 silent_ns;		     /* since when, or since the daemon was looked after */
};

struct remotes {
	struct remote **slots; /* a handle's is [handle] */
	u32 nr_slots;
};

/** remote_create() - not in the table yet.  NULL: no memory. */
struct remote *remote_create(u32 handle, enum remote_kind kind, struct remote *parent);
/** remote_destroy() - one that is not in the table (any more). */
void remote_destroy(struct remote *r);

/** remotes_add() - 0, -ENOMEM, -EPROTO (the service gave a number that is taken, or absurd). */
int remotes_add(struct remotes *all, struct remote *r) BASE_WARN_UNUSED;
/** remotes_find() - NULL: there is none of this number. */
struct remote *remotes_find(const struct remotes *all, u32 handle);
/** remotes_forget() - destroys it, if there is one, and what is below it. */
void remotes_forget(struct remotes *all, u32 handle);
/** remotes_fini() - all of them. */
void remotes_fini(struct remotes *all);

/** remote_covers() - do buffers of the context @opaque cover the range?  For struct svc_ranges. */
bool remote_covers(const void *opaque, u64 addr, u64 size);
/** remote_room() - jobs that a queue takes: of itself by what was not read, of its context by what
 * is pending, as the service counts. */
u32 remote_room(const struct remote *queue);

#endif
