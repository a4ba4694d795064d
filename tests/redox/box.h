/* SPDX-License-Identifier: MIT */
/*
 * A Redox in a box: the kernel's and pcid's side of the functions of os/redox/redox.h, in this
 * process, with a virtual NPU on its bus.  What they do is what the reference says the kernel does,
 * traps included; a daemon that breaks a rule is told so (box_complaints()).
 *
 * A process of the box is a thread with a descriptor table, a namespace and credentials of its own.
 */
#ifndef TESTS_REDOX_BOX_H
#define TESTS_REDOX_BOX_H

#include "base/base.h"
#include "os/redox/redox.h"

struct box;
struct box_proc;

struct box_config {
	const char *gen; /* "npu37" ... */
	u16 device_id;	 /* 0: the generation's first */
	u64 seed;
	u64 ram_bytes; /* 0: 256 MiB */
	bool low_ram;  /* memory begins at 1 GiB instead of 5 GiB */
	bool msix;     /* the function offers MSI-X besides MSI (if the model can) */
};

struct box_proc_config {
	const char *name;
	u32 uid, gid;
	bool in_init_ns; /* may create schemes; else a login session: only /scheme/npu & co. */
	bool is_driver;	 /* gets the function's channel and a readiness pipe, as pcid-spawner does:
			     * PCID_CLIENT_CHANNEL and INIT_NOTIFY in the environment of this process */
	int (*run)(void *arg);
	void *arg;
};

int box_create(const struct box_config *cfg, struct box **out) BASE_WARN_UNUSED;
/** box_destroy() - every process has ended. */
void box_destroy(struct box *box);

int box_spawn(struct box *box, const struct box_proc_config *cfg,
	      struct box_proc **out) BASE_WARN_UNUSED;
/** box_adopt() - threads that the calling process makes are threads of it; one process at a time */
void box_adopt(void);
/** box_ready() - wait for the driver's readiness byte: 0, -ETIMEDOUT, -EPIPE (it closed the pipe) */
int box_ready(struct box_proc *proc, u64 timeout_ns) BASE_WARN_UNUSED;
/** box_signal() - SIGTERM: its blocking calls end with -EINTR (a pending request of a scheme is
 * cancelled first); it is up to run() to return. */
void box_signal(struct box_proc *proc);
/** box_kill() - SIGKILL: the thread ends at its next call, or in the one it is blocked in; its
 * descriptors and mappings are closed by the kernel. */
void box_kill(struct box_proc *proc);
/** box_ended() - would box_wait() return at once? */
bool box_ended(struct box_proc *proc);
/** box_is_stuck() - is it in a call of a scheme whose server is gone? */
bool box_is_stuck(struct box_proc *proc);
/** box_wait() - until it ended; what run() returned, -EINTR if it was killed.  Frees @proc. */
int box_wait(struct box_proc *proc);

/** box_complaints() - rules that were broken so far; @text: the first of them. */
u64 box_complaints(struct box *box, char *text, size_t size);
/** box_live() - what processes hold: contiguous memory in bytes, descriptors, mappings. */
struct box_live {
	u64 contiguous_bytes;
	u64 descriptors;
	u64 mappings;
	u64 vectors; /* interrupt vectors reserved; these are never given back */
	u64 heap;    /* of one process: blocks of base_zalloc() & co. at its last call of ours */
};
struct box_live box_live(struct box *box);
/** box_proc_live() - of @proc alone: descriptors, mappings, heap */
struct box_live box_proc_live(struct box_proc *proc);
/** box_quiet() - is the function's bus mastering off and are its messages masked? */
bool box_quiet(struct box *box);

/* What a process of the box may ask of a scheme besides what redox.h declares. */
redox_raw redox_openat_v1(size_t fd, const uint8_t *path, size_t len, uint32_t flags,
			  uint32_t fcntl_flags);
/** box_stdfs() - as the C library's fstat(), getdents() and so on do it */
s64 box_stdfs(size_t fd, enum redox_stdfs kind, void *payload, size_t len, u64 arg1, u64 arg2);
/** box_lseek() - as the C library's lseek(): only a size is asked of the server */
s64 box_lseek(size_t fd, s64 off, int whence);
/** box_raw() - any request: @args are its 1 to 4 */
s64 box_raw(size_t fd, u8 opcode, const u64 args[4]);

#endif
