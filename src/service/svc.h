/* SPDX-License-Identifier: MIT */
/*
 * The service: devices shared by clients.  Shaped like the handle tree of design section 4, so that
 * a transport (in process, socket, scheme) only carries open, dup, read, write, call, map, wait and
 * close.  Every number that comes from a client is checked here, once.
 *
 *   ""          read: one line per device
 *   N/info N/status N/metrics N/clients     read: text, a snapshot taken at open; call: structs
 *   N/trace N/dump N/regions                the same, for the privileged
 *   N/log N/log?errors                      likewise; read: what the firmware wrote since; wait
 *   N/counters N/stream[?...]               likewise; what the firmware counts, see stream.c; wait
 *   N/control                               likewise; write: one command, see control.c
 *   N/ctx       a context; call, wait (until no job of it is pending)
 *     dup bo/SIZE[?align=N&flags=F,F]       a buffer; map, call
 *     dup import[?align=N&flags=F,F]        the same of memory the client brings: svc_import()
 *     dup queue[?prio=P]                    a queue; write jobs, read completions, wait, call;
 *                                           map: completions come to the page, abi/job.h
 *
 *   mmio:ADDR/SIZE    a window of registers; read, write, seek, call, wait: mmio.c
 *   dma:SIZE[/ALIGN]  memory for a device; read, call, map: dma.c
 *
 * Threads: any function from any thread, except that a handle must not be closed while another
 * thread uses it (a thread inside svc_wait() is allowed: it is sent home), and that a client must
 * not be used after svc_client_close() began.  Without other threads nothing here makes a system
 * call or allocates on write, read and a wait that finds work done.
 *
 * Errors: 0 or a negative errno; @err (may be NULL) gets the sentence.
 */
#ifndef SERVICE_SVC_H
#define SERVICE_SVC_H

#include "base/base.h"
#include "driver/driver.h"
#include "service/calls.h"

struct svc;
struct svc_client;

/* Raw access to devices, for privileged clients; SVC_MMIO_RO: writes only while no driver runs the
 * device. */
enum svc_mmio { SVC_MMIO_OFF, SVC_MMIO_RO, SVC_MMIO_RW };

enum svc_whence { SVC_SEEK_SET, SVC_SEEK_CUR, SVC_SEEK_END };

#define SVC_FOREVER (~UINT64_C(0)) /* svc_wait(): no time limit */

struct svc_limits {	  /* of one client; 0 = the default */
	u32 contexts;	  /* default 16 */
	u32 queues;	  /* over all contexts; default 64 */
	u32 handles;	  /* default 4096 */
	u32 queue_depth;  /* jobs of a queue not read back; default and at most DRV_QUEUE_DEPTH */
	u32 context_jobs; /* pending jobs of a context; default and at most DRV_CTX_JOBS */
	u64 memory_bytes; /* default 1 GiB */
};

struct svc_cred {
	u32 uid;
	u32 pid;
	bool privileged;  /* may see other clients and ask for realtime queues */
	bool remote;	  /* in another process: what it maps is lent to it */
	void *transport;  /* handed to svc_process()'s callback */
	const char *name; /* from the client; copied, cut, escaped when shown; NULL allowed */
};

struct svc_mapping {
	void *cpu; /* in this process */
	u64 size_bytes;
	int fd; /* of what is lent: to map in another, from 0; the service's; -1 if there is none */
};

struct svc_stat {
	const char *kind; /* "buffer", "queue", ...; static string */
	u64 size_bytes;	  /* of a buffer or of a node's text; else 0 */
};

/** svc_create() - @limits may be NULL.  Return: 0, -ENOMEM. */
int svc_create(const struct svc_limits *limits, struct svc **out) BASE_WARN_UNUSED;
/** svc_offer() - "mmio:" and "dma:", which are off; before the first client. */
void svc_offer(struct svc *svc, enum svc_mmio mmio, bool dma);
/** svc_destroy() - clients must be closed and devices removed.  NULL is allowed. */
void svc_destroy(struct svc *svc);

/**
 * svc_add_device() - serve a booted device; from here to svc_remove_device() it is the service's
 * @poll_ns: time that a read which finds nothing lets pass on the device, for one whose clock is
 *           virtual and moves only while somebody waits; 0 for real time
 * @idx: its number in paths
 *
 * Return: 0, -EBUSY (SVC_MAX_DEVICES).
 */
int svc_add_device(struct svc *svc, struct drv_dev *drv, u64 poll_ns, u32 *idx) BASE_WARN_UNUSED;
/** svc_remove_device() - shuts it down (blocking; pending jobs end with -ECANCELED) and hands it
 * back.  Every handle of it must be closed.  Return: what drv_shutdown() said. */
int svc_remove_device(struct svc *svc, u32 idx, struct base_err *err);

/** svc_client_create() - somebody with credentials.  Return: 0, -ENOMEM. */
int svc_client_create(struct svc *svc, const struct svc_cred *cred,
		      struct svc_client **out) BASE_WARN_UNUSED;
/** svc_client_close() - at any instant; closes all it holds.  Jobs that still run keep their
 * memory until they end, nobody else notices.  NULL is allowed. */
void svc_client_close(struct svc_client *client);

/** svc_open() - a node by its path.  -ENOENT, -EINVAL, -EACCES, -EBUSY, -EMFILE, -ENOMEM. */
int svc_open(struct svc_client *client, const char *path, u32 *handle,
	     struct base_err *err) BASE_WARN_UNUSED;
/** svc_dup() - something below an open context.  As svc_open(), and -ENOSPC, -EBADF. */
int svc_dup(struct svc_client *client, u32 handle, const char *path, u32 *out,
	    struct base_err *err) BASE_WARN_UNUSED;
/** svc_import() - svc_dup() of "import[?...]": a buffer of the memory that @fd holds, a memfd that is
 * sealed against shrinking, whole pages; @fd stays the caller's; -1: as svc_dup().  As svc_dup(), and
 * -EACCES, -EOPNOTSUPP. */
int svc_import(struct svc_client *client, u32 handle, const char *path, int fd, u32 *out,
	       struct base_err *err) BASE_WARN_UNUSED;
/**
 * svc_read() - text: bytes, 0 at the end.  Queue: whole completions, as many as fit and are there;
 * 0 when none is.  Never blocks.
 * Return: bytes, -EBADF, -EINVAL (@size holds no completion), -ENODEV, -EOPNOTSUPP.
 */
s64 svc_read(struct svc_client *client, u32 handle, void *buf, u64 size,
	     struct base_err *err) BASE_WARN_UNUSED;
/**
 * svc_write() - queue: job descriptors, 64 bytes each, taken in order
 * Return: bytes taken: less than @size when the queue fills up or a later descriptor is bad;
 * -EINVAL when the first one is, -EAGAIN when full, -ENODEV, -ECANCELED, -EBADF, -EOPNOTSUPP.
 */
s64 svc_write(struct svc_client *client, u32 handle, const void *buf, u64 size,
	      struct base_err *err) BASE_WARN_UNUSED;
/** svc_call() - fill in a struct of service/calls.h.  -EBADF, -EINVAL, -EOPNOTSUPP. */
int svc_call(struct svc_client *client, u32 handle, void *arg, u64 size,
	     struct base_err *err) BASE_WARN_UNUSED;
/** svc_seek() - set the position that a window is read or written at, relative to its start, the
 * position, its end (@whence: enum svc_whence).  Return: the position, -EINVAL (outside, no such
 * whence), -EBADF, -EOPNOTSUPP. */
s64 svc_seek(struct svc_client *client, u32 handle, s64 off, u32 whence,
	     struct base_err *err) BASE_WARN_UNUSED;
/**
 * svc_post() - svc_write() to a queue for a client that does not wait for the answer: each job that
 * is refused completes, with the error as its status.  What does not even fit its page is lost: he
 * submitted more than a queue holds.
 * Return: 0, -EBADF, -EINVAL (no whole descriptors), -EOPNOTSUPP (not a queue whose page is mapped).
 */
int svc_post(struct svc_client *client, u32 handle, const void *buf, u64 size,
	     struct base_err *err) BASE_WARN_UNUSED;
/** svc_map() - a buffer's memory, or a remote client's queue page (then it is not read()); valid
 * until the handle is closed. */
int svc_map(struct svc_client *client, u32 handle, struct svc_mapping *out,
	    struct base_err *err) BASE_WARN_UNUSED;
/** svc_stat() - what @handle is.  0 or -EBADF. */
int svc_stat(struct svc_client *client, u32 handle, struct svc_stat *out,
	     struct base_err *err) BASE_WARN_UNUSED;
/**
 * svc_wait() - queue: until a completion can be read; context: until no job is pending
 * @timeout_ns: on the device's clock, from now
 * Return: 0, -ETIMEDOUT, -ENODATA (queue: nothing is pending), -ENODEV, -ECANCELED (the handle was
 * closed), -EBADF, -EOPNOTSUPP.
 */
int svc_wait(struct svc_client *client, u32 handle, u64 timeout_ns,
	     struct base_err *err) BASE_WARN_UNUSED;
/*
 * For a transport that runs an event loop and has no thread to spare for svc_wait().
 */

/** svc_event_source() - of device @idx: poll it for reading; -EOPNOTSUPP */
int svc_event_source(struct svc *svc, u32 idx);
/** svc_listen() - before (@on) and after the loop sleeps on those descriptors. */
void svc_listen(struct svc *svc, bool on);
/** svc_arm() - svc_process() is to report @handle, once, as soon as svc_wait() would return.
 * Return: 0, -EBADF, -EOPNOTSUPP, -ENOMEM. */
int svc_arm(struct svc_client *client, u32 handle, struct base_err *err);
/**
 * svc_process() - run every device's loop; @ready for each armed handle that is, and each queue
 * whose client sleeps on its page and has something to read; under the lock: it must not call back
 * Return: nanoseconds until it has to be called again at the latest, ~0 = only when there is an event.
 */
u64 svc_process(struct svc *svc, void (*ready)(void *transport, u32 handle));

/** svc_close() - frees the number at once, memory when no job can use it.  0 or -EBADF. */
int svc_close(struct svc_client *client, u32 handle, struct base_err *err);

#endif
