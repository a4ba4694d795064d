/* SPDX-License-Identifier: MIT */
/*
 * Inside the box.  One lock for all of it; the virtual NPU has its own, and is never called with
 * ours held, because it calls us with its held.
 */
#ifndef TESTS_REDOX_BOX_INTERNAL_H
#define TESTS_REDOX_BOX_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include "box.h"
#include "os/redox/redox.h"
#include "service/list.h"
#include "vnpu/vnpu.h"

#define BOX_MAX_FDS	2048u
#define BOX_MAX_PIECE	(UINT64_C(4) << 20) /* largest contiguous allocation */
#define BOX_NR_IRQS	223u
#define BOX_FIRST_IRQ	16u
#define BOX_VECTOR_BASE 32u
#define BOX_PATIENCE_NS (30 * BASE_NS_PER_S) /* nothing blocks longer: a complaint */

struct box_file;

struct box_file_ops {
	const char *name;
	s64 (*read)(struct box_proc *proc, struct box_file *file, u8 *dst, size_t len);
	s64 (*write)(struct box_proc *proc, struct box_file *file, const u8 *src, size_t len);
	s64 (*dup)(struct box_proc *proc, struct box_file *file, const u8 *buf, size_t len);
	s64 (*openat)(struct box_proc *proc, struct box_file *file, const u8 *path, size_t len,
		      u32 flags);
	s64 (*call)(struct box_proc *proc, struct box_file *file, u8 *payload, size_t len,
		    const u64 meta[3]);
	s64 (*mmap)(struct box_proc *proc, struct box_file *file, void *at, size_t len, u32 prot,
		    u32 flags, u64 off);
	/* Somebody waits: the flags that are ready now. */
	s64 (*fevent)(struct box_proc *proc, struct box_file *file, size_t mask);
	void (*close)(struct box *box, struct box_file *file);
};

/* An open file description. */
struct box_file {
	const struct box_file_ops *ops;
	u32 refs;     /* descriptors and mappings */
	size_t flags; /* REDOX_O_NONBLOCK */
	u64 pos;      /* of one whose server wants it kept; else UINT64_MAX */
	struct svc_list watches;
	void *priv;
	u64 id; /* of a scheme's handle; of a vector; of a kind of memory */
	u64 acked;
};

struct box_watch { /* of a file, by an event queue */
	struct svc_list of_file, of_queue;
	struct box_file *file;
	struct box_queue *queue;
	size_t id, mask, data;
};

/* A block of contiguous memory, or the memory of an anonymous mapping. */
struct box_block {
	int fd;	 /* memfd it is in */
	u64 off; /* there; of contiguous memory also from the RAM's beginning */
	u64 len;
	bool is_ram;
	u32 refs; /* mappings */
};

enum box_map_kind { MAP_RESERVED, MAP_MEMORY, MAP_BAR };

/* Mapped into a process.  A lent range is several of them, one per block. */
struct box_map {
	struct svc_list link;
	enum box_map_kind kind;
	u8 *at;
	u64 len;
	struct box_block *block;
	u64 block_off;
	struct box_file *file; /* lent through it, NULL: not lent */
	u64 lent_off;
	u32 bar;
};

enum box_ns { NS_INIT, NS_USER, NS_NULL };

struct box_proc {
	struct svc_list link;
	struct box *box;
	struct box_proc_config cfg;
	pthread_t thread;
	u64 pid;
	enum box_ns ns;
	bool killed, signalled, ended;
	int result;
	u64 heap; /* base_alloc_live() of its thread */
	struct box_file *fds[BOX_MAX_FDS];
	struct svc_list maps;
	enum { READY_NOT, READY_YES, READY_CLOSED } ready;
	size_t ns_fd;
};

struct box_scheme;

struct box {
	struct box_config cfg;
	u64 patience_ns; /* nothing blocks longer: a complaint */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct vnpu *vnpu;
	int ram_fd;
	u8 *ram; /* all of it, for the device and for zeroing */
	u64 ram_base, ram_len;
	u8 *ram_used; /* by page */
	u64 contiguous, nr_fds, nr_maps;
	bool irq_reserved[BOX_NR_IRQS];
	u64 irq_count[BOX_NR_IRQS];
	struct svc_list irq_files; /* box_irq.c */
	u32 msi_irq;		   /* where the function's messages go; 0: nowhere */
	bool channel_open;
	bool unclaimed; /* opened, and nothing was allocated for the function yet */
	struct svc_list procs, schemes;
	u64 next_pid;
	u64 nr_complaints;
	char complaint[300];
};

/* box.c */
extern __thread struct box_proc *box_self;
/** box_complain() - a rule was broken; with the lock. */
void box_complain(struct box *box, const char *fmt, ...) BASE_PRINTF(2, 3);
/** box_block() - sleep until something changed: 0, -EINTR (signal); ends the thread if it was
 * killed; -EDEADLK after much too long. */
int box_block(struct box_proc *proc, u64 since_ns, u64 until_ns);
void box_changed(struct box *box);
s64 box_fd_add(struct box_proc *proc, struct box_file *file);
struct box_file *box_fd(struct box_proc *proc, size_t fd);
struct box_file *box_file_new(const struct box_file_ops *ops, void *priv);
void box_file_put(struct box *box, struct box_file *file);
/** box_file_forgo() - the same, without the lock: for a thread that is killed in a call */
void box_file_forgo(void *file);
bool box_path_is(const u8 *path, size_t len, const char *text);

/* box_mem.c */
int box_ram_create(struct box *box);
void box_ram_destroy(struct box *box);
s64 box_mem_open(struct box_proc *proc, const u8 *path, size_t len);
s64 box_map_anonymous(struct box_proc *proc, void *at, size_t len, u32 prot, u32 flags);
/** box_map_lent() - what is mapped at @from in @server, also in @proc */
s64 box_map_lent(struct box_proc *proc, struct box_proc *server, u64 from, size_t len, u32 prot,
		 struct box_file *file, u64 off);
s64 box_map_bar(struct box_proc *proc, u32 bar, u64 len);
/** box_unmap() - @lent: the first lent range's file, with a reference, else NULL */
s64 box_unmap(struct box_proc *proc, u8 *at, u64 len, struct box_file **lent, u64 *lent_off);
void box_unmap_all(struct box_proc *proc);

/* box_event.c */
s64 box_event_open(struct box_proc *proc);
void box_trigger(struct box *box, struct box_file *file, size_t bits);
void box_unwatch(struct box_file *file);

/* box_pci.c */
int box_pci_create(struct box *box);
s64 box_channel_open(struct box_proc *proc);
/** box_check_claim() - memory for the device is about to be allocated */
void box_check_claim(struct box *box);
s64 box_irq_open(struct box_proc *proc, const u8 *path, size_t len, u32 flags);
void box_msi(void *opaque, unsigned vector);

/* box_mmio.c */
int box_mmio_install(void);
void box_mmio_add(struct box *box, u32 bar, u8 *at, u64 len);
void box_mmio_del(u8 *at);

/* box_scheme.c */
s64 box_cap_open(struct box_proc *proc);
s64 box_ns_open(struct box_proc *proc);
s64 box_scheme_open(struct box_proc *proc, const u8 *name, size_t name_len, const u8 *path,
		    size_t path_len, u32 flags);
s64 box_scheme_register(struct box_proc *proc, const u8 *name, size_t len, struct box_file *root);
void box_scheme_signal(struct box_proc *proc);
/** box_scheme_is_lost() - does it wait for the answer of one that nobody serves? */
bool box_scheme_is_lost(const struct box_proc *proc);
s64 box_scheme_munmap(struct box_proc *proc, struct box_file *file, u64 len, u64 off);
void box_schemes_free(struct box *box);

#endif
