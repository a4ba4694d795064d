/* SPDX-License-Identifier: MIT */
/*
 * The service's objects.
 *
 * svc.lock is the device lock: it protects everything reachable from struct svc, the driver's
 * devices included, and is the service's only one.  Order: svc.lock, then whatever the seam locks
 * inside.  It is released in two places, both in pump.c: around drv_wait() and while a thread
 * sleeps until the pumping thread has something for it.
 *
 * Ownership: client -> handles; device -> contexts -> queues, buffers.  A context or queue whose
 * handle was closed lives on until its jobs have ended, then ctx.c frees it; a buffer lives until
 * the jobs submitted before its close have ended.
 */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include <errno.h>
#include <pthread.h>

#include "os/shmem.h"
#include "service/check.h"
#include "service/list.h"
#include "service/path.h"
#include "service/svc.h"

#define SVC_MAX_DEVICES 8u
#define SVC_NAME_SIZE	64u

struct svc_device {
	struct svc *svc;
	struct drv_dev *drv;
	u64 poll_ns;
	u32 nr_handles;
	bool flat;     /* struct drv_info */
	bool deferred; /* some context has something to free later */

	/* pump.c */
	bool pumping;	/* a thread is in drv_wait() */
	u64 pump_until; /* it will look again at this time */
	struct svc_list waiters;

	struct svc_list armed;	/* struct svc_handle.armed */
	struct svc_list active; /* struct svc_queue.active: with a page, and jobs to come to it */

	struct svc_list ctxs; /* struct svc_ctx.link */
	u64 jobs_submitted;
	u64 jobs_refused;
};

struct svc {
	pthread_mutex_t lock; /* see above */
	pthread_cond_t left;  /* a thread left svc_wait() */
	struct svc_limits limits;
	enum svc_mmio mmio;
	bool dma;
	struct svc_device *dev[SVC_MAX_DEVICES];
	struct svc_list clients; /* struct svc_client.link */
	u32 next_client_id;
};

struct svc_client {
	struct svc *svc;
	struct svc_list link;
	struct svc_cred cred; /* name points to the array below */
	char name[SVC_NAME_SIZE];
	u32 id;
	struct svc_handle **handles; /* handle number n is [n - 1] */
	u32 nr_slots;
	u32 nr_handles;
	/* against the quota; what is freed later still counts */
	u32 nr_ctxs;
	u32 nr_queues;
	u64 memory_bytes;
	/* of completions that it read, but for the first */
	u64 jobs_submitted, jobs_done, jobs_failed;
	u64 busy_ns; /* with a job under way */
	u64 seen_ns; /* busy_ns counts up to here */
};

/* Verbs of a kind of handle, under the lock; NULL: -EOPNOTSUPP. */
struct svc_handle_ops {
	const char *name;
	int (*dup)(struct svc_handle *h, const char *path, int fd, u32 *out, struct base_err *err);
	s64 (*read)(struct svc_handle *h, void *buf, u64 size, struct base_err *err);
	s64 (*write)(struct svc_handle *h, const void *buf, u64 size, struct base_err *err);
	/* @arg is a copy of the client's, @size checked to hold the head. */
	int (*call)(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err);
	s64 (*seek)(struct svc_handle *h, s64 off, enum svc_whence whence, struct base_err *err);
	int (*post)(struct svc_handle *h, const void *buf, u64 size, struct base_err *err);
	int (*map)(struct svc_handle *h, struct svc_mapping *out, struct base_err *err);
	u64 (*size)(const struct svc_handle *h); /* for stat; NULL: 0 */
	/* What svc_wait() waits for: 0 reached, -EAGAIN not yet, else why it never will be. */
	int (*ready)(struct svc_handle *h);
	/* The number is gone already; frees the handle, maybe later. */
	void (*close)(struct svc_handle *h);
};

struct svc_handle { /* first member of each kind */
	const struct svc_handle_ops *ops;
	struct svc_client *client; /* NULL once closed */
	struct svc_device *dev;	   /* NULL: of no device */
	u32 number;
	u32 nr_waiting; /* threads in svc_wait() */
	bool closing;
	struct svc_list armed; /* svc_process() looks whether it is ready */
	bool fired;	       /* it is, whatever ready() says */
};

struct svc_ctx {
	struct svc_handle handle;
	struct svc_client *owner; /* whose quota it uses; NULL when the client is gone */
	struct svc_list link;
	struct drv_ctx *drv;
	struct svc_list queues; /* struct svc_queue.link, closed ones too */
	struct svc_list bos;	/* struct svc_bo.link, open ones */
	/* Closed buffers: [0] is freed when each queue's mark is passed, then [1] gets its turn. */
	struct svc_list doomed[2];
	u32 nr_queues;
	u64 memory_bytes;
	bool closed, cancelled;
	u64 cancel_ns; /* of a closed one: when its jobs are no longer waited for */
};

struct svc_bo {
	struct svc_handle handle;
	struct svc_list link;
	struct svc_ctx *ctx;
	struct drv_bo *drv;
	u64 addr;
	u64 size_bytes;
	u32 flags;
};

struct svc_queue {
	struct svc_handle handle;
	struct svc_list link;
	struct svc_ctx *ctx;
	struct drv_queue *drv;
	u32 priority;
	u64 submitted; /* ever */
	u64 reaped;    /* completions taken from the driver, ever */
	u64 mark;      /* of submitted, when doomed[0] was closed */
	bool closed;

	/* page.c: where completions go when the client mapped it */
	struct os_shmem page_mem; /* cpu NULL: it did not */
	struct svc_list active;
	u32 put, taken; /* our own copies of tail and head */
};

/* handle.c */
/** svc_handle_add() - give @h, whose ops and dev are set, a number of @client.  -EMFILE, -ENOMEM. */
int svc_handle_add(struct svc_client *client, struct svc_handle *h, u32 *out,
		   struct base_err *err) BASE_WARN_UNUSED;
/** svc_handle_drop() - take its number away and send its waiters home; may release the lock. */
void svc_handle_drop(struct svc_handle *h);
/** svc_call_check() - @arg's head must be of @kind and its size @want. */
int svc_call_check(const struct svc_call *arg, u64 size, enum svc_call_kind kind, u64 want,
		   struct base_err *err) BASE_WARN_UNUSED;

/** svc_handle_destroy() - drop and close. */
void svc_handle_destroy(struct svc_handle *h);

/* node.c */
/** svc_node_open() - a text node of @dev, or of the service when @dev is NULL. */
int svc_node_open(struct svc_client *client, struct svc_device *dev, const char *name, u32 *out,
		  struct base_err *err) BASE_WARN_UNUSED;

/* control.c */
int svc_log_open(struct svc_client *client, struct svc_device *dev, bool errors, u32 *out,
		 struct base_err *err) BASE_WARN_UNUSED;
int svc_control_open(struct svc_client *client, struct svc_device *dev, u32 *out,
		     struct base_err *err) BASE_WARN_UNUSED;

/* mmio.c, dma.c: behind the colon */
int svc_mmio_open(struct svc_client *client, const char *path, u32 *out,
		  struct base_err *err) BASE_WARN_UNUSED;
int svc_dma_open(struct svc_client *client, const char *path, u32 *out,
		 struct base_err *err) BASE_WARN_UNUSED;
struct svc_text;
/** svc_print_regions() - what mmio: admits of @dev, a line each */
void svc_print_regions(struct svc_client *client, struct svc_device *dev, struct svc_text *text);

/* stream.c */
/** svc_stream_open() - samples, with the text behind '?' (may be empty); @params NULL: the counters */
int svc_stream_open(struct svc_client *client, struct svc_device *dev, const char *params, u32 *out,
		    struct base_err *err) BASE_WARN_UNUSED;

/* ctx.c */
enum svc_share { SVC_SHARE_CONTEXTS, SVC_SHARE_QUEUES };
/** svc_check_share() - may @client have one more?  Of what the device has, an eighth is out of reach for
 * all programs of one user together, so that he cannot keep out the others; the privileged are
 * free.  0, -EBUSY. */
int svc_check_share(const struct svc_client *client, const struct svc_device *dev,
		    enum svc_share what, struct base_err *err) BASE_WARN_UNUSED;
int svc_ctx_open(struct svc_client *client, struct svc_device *dev, u32 *out,
		 struct base_err *err) BASE_WARN_UNUSED;
u32 svc_ctx_pending(const struct svc_ctx *ctx);
/** svc_ctx_ranges() - where a job of @ctx may point. */
struct svc_ranges svc_ctx_ranges(const struct svc_ctx *ctx);
/** svc_ctx_collect() - free what no job can use any more; true when something is left for later.
 * A closed context may be gone afterwards. */
bool svc_ctx_collect(struct svc_ctx *ctx);
/** svc_dev_collect() - the same for each context of @dev.  Return: when to look again at the
 * latest. */
u64 svc_dev_collect(struct svc_device *dev);
/** svc_ctx_force() - free a closed context whose device was shut down, whatever is pending. */
void svc_ctx_force(struct svc_ctx *ctx);

/* queue.c */
int svc_queue_open(struct svc_ctx *ctx, const struct svc_queue_spec *spec, u32 *out,
		   struct base_err *err) BASE_WARN_UNUSED;
/** svc_queue_unread() - jobs submitted whose completions the client did not take. */
u32 svc_queue_unread(struct svc_queue *queue);
/** svc_queue_readable() - completions that wait in the driver. */
u32 svc_queue_readable(const struct svc_queue *queue);
/** svc_queue_reap() - take some of them, and account for them. */
u32 svc_queue_reap(struct svc_queue *queue, struct abi_completion *out, u32 max);
/** svc_queue_free() - no job of it is pending. */
void svc_queue_free(struct svc_queue *queue);

/* page.c */
int svc_page_map(struct svc_queue *queue, struct svc_mapping *out,
		 struct base_err *err) BASE_WARN_UNUSED;
void svc_page_free(struct svc_queue *queue);
/** svc_page_unread() - entries of the page that the client did not take, 0 without a page. */
u32 svc_page_unread(struct svc_queue *queue);
/** svc_page_watch() - jobs were submitted: their completions are to come to the page. */
void svc_page_watch(struct svc_queue *queue);
/** svc_page_refuse() - @job, copied, completes with @error. */
void svc_page_refuse(struct svc_queue *queue, const struct abi_job *job, int error);
/** svc_dev_fill_pages() - what the driver has for queues with a page. */
void svc_dev_fill_pages(struct svc_device *dev);

/* event.c */
void svc_handle_arm(struct svc_handle *h);

/* pump.c */
/** svc_dev_process() - run the driver's loop once and wake whoever waited for what it found.
 * Return: when to look again at the latest. */
u64 svc_dev_process(struct svc_device *dev);
/** svc_dev_pass_time() - let @dev's poll time pass; releases the lock meanwhile. */
void svc_dev_pass_time(struct svc_device *dev);
/** svc_handle_wait() - svc_wait() under the lock, which is released meanwhile. */
int svc_handle_wait(struct svc_handle *h, u64 timeout_ns, struct base_err *err) BASE_WARN_UNUSED;
/** svc_handle_kick() - make threads that wait on @h look again. */
void svc_handle_kick(struct svc_handle *h);
/** svc_why() - words for what the driver answered; @busy for -EBUSY. */
static inline const char *svc_why(int code, const char *busy)
{
	if (code == -EBUSY)
		return busy;
	return code == -ENOMEM ? "no memory left" : base_err_name(code);
}

/** svc_dev_ready() - does the device run, or will it? */
static inline bool svc_dev_ready(const struct svc_device *dev)
{
	return drv_takes_jobs(dev->drv);
}

#endif
