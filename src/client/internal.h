/* SPDX-License-Identifier: MIT */
/*
 * libnpu's objects, and the table that every way to reach a service fills in.
 *
 * The table has the shape of the handle tree of design section 4.  A new transport is a new row in
 * rows.c; nothing else in this folder knows which one is used.
 */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include <pthread.h>

#include "base/base.h"
#include "npu/npu.h"
#include "service/calls.h"
#include "service/list.h"

struct backend { /* first member of each backend's own structure */
	const struct backend_ops *ops;
};

struct backend_ops {
	const char *prefix; /* of device strings: "sim:" */
	const char *form;   /* the whole grammar, for messages */

	/* @device begins with the prefix.  Boots what must be booted. */
	int (*connect)(const char *device, const struct npu_open_options *options,
		       struct backend **out, struct base_err *err);
	/* Closes all handles; orderly shutdown. */
	void (*disconnect)(struct backend *be);

	/* The handle tree; paths below the device: "info", "ctx"; or beside it: svc_path_is_raw();
	 * "": the list of devices, where there may be several.
	 * As in service/svc.h. */
	int (*open)(struct backend *be, const char *path, u32 *handle, struct base_err *err);
	/* @fd goes along, stays the caller's; -1: none */
	int (*dup)(struct backend *be, u32 handle, const char *path, int fd, u32 *out,
		   struct base_err *err);
	s64 (*read)(struct backend *be, u32 handle, void *buf, u64 size, struct base_err *err);
	s64 (*write)(struct backend *be, u32 handle, const void *buf, u64 size,
		     struct base_err *err);
	int (*call)(struct backend *be, u32 handle, void *arg, u64 size, struct base_err *err);
	/* The mapping goes with the handle. */
	int (*map)(struct backend *be, u32 handle, void **cpu, struct base_err *err);
	int (*wait)(struct backend *be, u32 handle, u64 timeout_ns, struct base_err *err);
	int (*close)(struct backend *be, u32 handle, struct base_err *err);

	/* What only this backend knows of its device; may be NULL. */
	void (*query)(struct backend *be, struct npu_device_info *out);
	/* One that runs here and may be used, for who names no device; NULL: none.  Beside it are
	 * those of its list, DEVICE/N.  May be NULL. */
	const char *(*find)(void);
	/* What can be opened otherwise.  May be NULL. */
	void (*list)(void (*item)(void *opaque, const char *device, const char *description),
		     void *opaque);
};

extern const struct backend_ops backend_sim;
extern const struct backend_ops backend_vfio_user;
extern const struct backend_ops backend_npud;
extern const struct backend_ops backend_scheme; /* on Redox */

/* A transport adds its row in rows.c; on Redox in rows_redox.c. */
extern const struct backend_ops *const backend_rows[];
extern const u32 backend_nr_rows;

/** backend_find() - the row whose prefix @device has; -EINVAL naming all forms. */
int backend_find(const char *device, const struct backend_ops **out,
		 struct base_err *err) BASE_WARN_UNUSED;
/** backend_by_idx() - the @idx-th row, NULL past the last. */
const struct backend_ops *backend_by_idx(u32 idx);

struct npu_device {
	struct backend *be;
};

struct npu_context {
	struct npu_device *dev;
	u32 handle;
	pthread_mutex_t lock; /* protects: the lists below; innermost */
	struct svc_list buffers, queues, programs;
};

struct npu_buffer {
	struct npu_context *ctx;
	struct svc_list link;
	u32 handle;
	void *cpu;
	u64 addr;
	u64 size_bytes;
};

/* A run may meet a full queue's completions before its own: it starts only with room for those. */
#define QUEUE_STASH	 128u
#define QUEUE_STASH_ROOM 63u

struct npu_queue {
	struct npu_context *ctx;
	struct svc_list link;
	u32 handle;
	/* Completions of other jobs that npu_program_run() met; owned by who takes completions. */
	u32 nr_stash;
	struct npu_completion stash[QUEUE_STASH];
};

/* Cookies of npu_program_run(): the upper half is this, the lower counts. */
#define COOKIE_RUN UINT64_C(0x4E505552)

static inline bool cookie_is_run(u64 cookie)
{
	return cookie >> 32 == COOKIE_RUN;
}

/* error.c */
/** client_err() - this thread's error, to be filled in by whoever finds one. */
struct base_err *client_err(void);
#define npu_fail(code, ...) base_err_set(client_err(), code, __VA_ARGS__)

/* context.c */
void context_add(struct npu_context *ctx, struct svc_list *head, struct svc_list *link);
void context_del(struct npu_context *ctx, struct svc_list *link);

/* queue.c */
/** queue_take() - completions from the service, those of abandoned runs included. */
int queue_take(struct npu_queue *queue, struct npu_completion *out, unsigned max);
int queue_wait_handle(struct npu_queue *queue, u64 timeout_ns);
int queue_submit(struct npu_queue *queue, const struct npu_job *jobs, unsigned nr);

/* The structure is freed without telling the service: its context goes as a whole. */
void buffer_free(struct npu_buffer *buf);
void queue_free(struct npu_queue *queue);
void program_free(struct npu_program *prog);
struct npu_program *program_of(struct svc_list *link);

/** time_left() - of @timeout_ns that began at @start_ns (base_clock_ns()); never ends if ~0. */
static inline u64 time_left(u64 start_ns, u64 timeout_ns)
{
	u64 gone = base_clock_ns() - start_ns;

	if (timeout_ns == UINT64_MAX)
		return timeout_ns;
	return gone < timeout_ns ? timeout_ns - gone : 0;
}

#endif
