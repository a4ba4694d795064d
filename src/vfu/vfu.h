/* SPDX-License-Identifier: MIT */
/*
 * A virtual NPU behind a vfio-user socket.
 *
 * Each device has one thread that serves one client after the other; the device itself runs on the
 * model's threads.  When a client goes, by whatever way, the device is reset and forgets its memory
 * and interrupts: the next one finds it as after power-on.
 */
#ifndef VFU_VFU_H
#define VFU_VFU_H

#include "base/log.h"

struct vfu_server;
struct vnpu;

enum vfu_class { /* of findings; the same order as enum vnpu_class */
		 VFU_GUEST_ERROR,
		 VFU_UNSPECIFIED,
		 VFU_UNIMPLEMENTED,
		 VFU_MODEL_BUG,
		 VFU_NR_CLASSES,
};

struct vfu_config {
	const char *name;   /* for messages; outlives the server */
	u16 device_id;	    /* of Intel */
	const char *gen;    /* "npu37"; NULL: the first generation that has device_id */
	const char *engine; /* as struct vnpu_config */
	FILE *trace;	    /* every access, message and interrupt as text; the caller's; or NULL */
	bool msix;	    /* a capability silicon may not have: MSI-X beside MSI */
	bool stepped;	    /* tests: the device does nothing by itself */
	struct vnpu *vnpu;  /* tests: this device, the caller's, who tells of its interrupts, in
			     * place of one of its own that the fields above describe */
	struct base_log log;
};

/** vfu_server_create() - a device, nobody listens yet
 * Return: 0, -EINVAL (id, engine), -ENOENT (engine library), -ENOMEM; @err says why. */
int vfu_server_create(const struct vfu_config *cfg, struct vfu_server **out,
		      struct base_err *err) BASE_WARN_UNUSED;
/** vfu_server_destroy() - ends the client's connection, removes the socket; NULL is allowed */
void vfu_server_destroy(struct vfu_server *srv);

/**
 * vfu_server_listen() - serve whoever connects to @path, in a thread
 * The socket is for this user alone.  Return: 0, -EADDRINUSE (somebody serves there), -EEXIST (no
 * socket), -EACCES (others may write to the directory), ...; @err says why.
 */
int vfu_server_listen(struct vfu_server *srv, const char *path,
		      struct base_err *err) BASE_WARN_UNUSED;
/** vfu_server_stop() - ends the client's connection and the thread; the device stays, for questions */
void vfu_server_stop(struct vfu_server *srv);
/** vfu_server_serve() - serve the connected @fd in the caller's thread until it closes; takes @fd
 * Return: 0 when the client has closed, else why the connection ended. */
int vfu_server_serve(struct vfu_server *srv, int fd);

/**
 * vfu_server_attach() - the same without waiting: vfu_server_turn() does what the client asks
 * Takes @fd, even if it fails.  Return: 0, -ECANCELED (stopped) or a negative errno.
 */
int vfu_server_attach(struct vfu_server *srv, int fd) BASE_WARN_UNUSED;
/** vfu_server_turn() - one message, if there is one; 0, or why the connection ended (-ENOTCONN: the
 * client has closed, or nobody is attached).  Memory must come with a descriptor. */
int vfu_server_turn(struct vfu_server *srv) BASE_WARN_UNUSED;
/** vfu_server_detach() - hang up on an attached client, if there is one */
void vfu_server_detach(struct vfu_server *srv);
/** vfu_server_interrupt() - the device of struct vfu_config.vnpu interrupts */
void vfu_server_interrupt(struct vfu_server *srv);

/** vfu_server_fault() - as vnpu_fault() */
int vfu_server_fault(struct vfu_server *srv, const char *name, u32 count) BASE_WARN_UNUSED;
/** vfu_server_mark() - as vnpu_trace_mark() */
void vfu_server_mark(struct vfu_server *srv, const char *name);
/** vfu_server_findings() - made so far, the server's own included */
u64 vfu_server_findings(const struct vfu_server *srv, enum vfu_class cls);
/** vfu_server_unheard() - interrupts so far that the client had given no way to hear of */
u64 vfu_server_unheard(struct vfu_server *srv);
/** vfu_server_vnpu() - the model, for tests */
struct vnpu *vfu_server_vnpu(struct vfu_server *srv);

#endif
