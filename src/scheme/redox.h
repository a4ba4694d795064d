/* SPDX-License-Identifier: MIT */
/*
 * Inside scheme.h on Redox.  redox.c talks to the kernel; what programs hold is in redox_entry.c,
 * what they ask in redox_open.c, redox_io.c and redox_stat.c.
 *
 * A program is known by its process and user; it has one client of the service, with its quota, as
 * long as it has a handle.  Requests carry its user only where something is opened, so that is where
 * it is checked, once.
 *
 * What the kernel lends us of a program's memory is good until the answer is written, and the
 * program can change it meanwhile: it is copied before it is looked at.
 *
 * SRC: kernel 663e6641 src/scheme/user.rs; redox_syscall 4cc3baaf src/schemev2.rs.
 */
#ifndef SCHEME_REDOX_H
#define SCHEME_REDOX_H

#include "os/redox/sys.h"
#include "scheme/scheme.h"
#include "service/list.h"

#define RS_ROOT_ID   1u /* never closed while the scheme is registered */
#define RS_FIRST_ID  2u
#define RS_BATCH     16u   /* requests read at once */
#define RS_MAX_WRITE 4096u /* bytes taken of one write: more jobs than a queue holds */
#define RS_MAX_PATH  255u

#define RS_NR_ERRORS 32u

enum kind {
	ENTRY_ROOT,
	ENTRY_DEVICE,
	ENTRY_NODE,
	ENTRY_ERROR, /* the words of a process's last error */
	ENTRY_GONE,  /* with its context */
};

/* The kernel carries a number; who wants the words opens "error". */
struct rs_error {
	u64 pid; /* 0: none */
	char text[sizeof(((struct base_err *)NULL)->text)];
};

struct client {
	struct svc_list link;
	struct scheme *scheme;
	struct svc_list entries;
	struct svc_client *svc;
	u64 pid;
	u32 euid;
	u32 nr_entries;
	u32 nr_parked;
};

/* What a descriptor of a program stands for. */
struct entry {
	struct svc_list link; /* of its client */
	struct client *client;
	enum kind kind;
	u32 handle; /* the service's, of a node */
	u32 device; /* of a directory */
	u32 id;
	u32 parent;	       /* entry it was made below, 0 = none */
	bool subscribed;       /* somebody waits for its events */
	bool positioned;       /* the kernel keeps a position */
	struct svc_list fired; /* in the scheme's, when the service told of it */
	char *text;	       /* of an error; what was not read of it */
	char path[];
};

/* A read that waits for completions, or an access that waits for a device to wake. */
struct parked {
	struct svc_list link;
	struct entry *entry;
	bool is_write;
	u32 tag;
	u64 buf, len, off;
};

struct scheme {
	struct loop *loop;
	struct svc *svc;
	struct loop_source source; /* the scheme's socket */
	size_t root;		   /* descriptor of the root, in the namespace */
	struct svc_list clients;
	struct entry **entries; /* by id - FIRST_ID; NULL: free */
	u32 max_entries, nr_entries;
	struct svc_list fired; /* entries the service told of */
	struct svc_list parked;
	u32 first_free; /* entries before it are taken */
	bool more;	/* requests are left */
	char name[32];
	const char *tree; /* struct scheme_config; "" */
	struct redox_cqe out[RS_BATCH * 2];
	u32 opened[RS_BATCH * 2]; /* entry an answer is the first to tell of, 0 = none */
	u32 nr_out;
	struct base_err err; /* of the request that is served */
	struct rs_error errors[RS_NR_ERRORS];
	u32 next_error;
	u8 bounce[RS_MAX_WRITE + 1];
};

/* redox.c: answers; they go out when the batch is done */
void rs_answer(struct scheme *scheme, u32 tag, s64 result);
/** rs_answer_open() - to one who may have gone meanwhile: then the entry goes, too. */
void rs_answer_open(struct scheme *scheme, u32 tag, u32 id);
void rs_post_event(struct scheme *scheme, const struct entry *entry);

/* redox_entry.c */
/** rs_client_get() - the client of a process, made when it is new; rs_client_put() takes back one
 * without entries.  Return: 0, -ENOMEM. */
int rs_client_get(struct scheme *scheme, u64 pid, u32 euid, struct client **out) BASE_WARN_UNUSED;
void rs_client_put(struct client *client);
struct entry *rs_entry_of(const struct scheme *scheme, u64 id);
/** rs_entry_add() - the caller fills in what it is.  Return: 0, -EMFILE, -ENOMEM. */
int rs_entry_add(struct scheme *scheme, struct client *client, const char *path,
		 struct entry **out) BASE_WARN_UNUSED;
/** rs_entry_del() - with its handle, and its client if it was the last. */
void rs_entry_del(struct scheme *scheme, struct entry *entry);
void rs_unpark(struct parked *p);
/** rs_unpark_all() - of @entry, NULL: of all; answered with @result. */
void rs_unpark_all(struct scheme *scheme, const struct entry *entry, int result);

/*
 * Requests: a value, a negative errno, or -EINPROGRESS: answered later.
 */
typedef s64 rs_op(struct scheme *scheme, struct entry *entry, const struct redox_sqe *sqe);

s64 rs_openat(struct scheme *scheme, const struct redox_sqe *sqe);
/** rs_open_device() - 0 if there is the device of @entry, a directory */
int rs_open_device(struct client *client, struct entry *entry) BASE_WARN_UNUSED;
rs_op rs_dup, rs_read, rs_write, rs_call, rs_fevent, rs_mmap;
rs_op rs_stdfs, rs_fstat, rs_fpath, rs_fsize;
/** rs_fired() - the service told of @entry: events, and reads that waited. */
void rs_fired(struct scheme *scheme, struct entry *entry);

#endif
