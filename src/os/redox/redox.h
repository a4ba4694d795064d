/* SPDX-License-Identifier: MIT */
/*
 * What Redox offers a daemon, and no header of it declares: the relibc functions this project
 * calls, and the shapes and numbers that go through them.  Nothing else of Redox is used.
 *
 * All functions return a value, or a negative errno as an unsigned number: redox_result().  Threads:
 * the daemon has one.  Ownership: descriptors are the caller's until redox_close_v1().
 *
 * SRC: relibc 63599227 src/platform/redox/libredox.rs; redox_syscall 4cc3baaf; kernel 663e6641
 * src/scheme/{user,memory,irq}.rs.  Also on redox_mmap_v1(): protections are shifted by 16 there.
 */
#ifndef OS_REDOX_REDOX_H
#define OS_REDOX_REDOX_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

typedef size_t redox_raw;

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode);
redox_raw redox_dup_v1(size_t fd, const uint8_t *buf, size_t len);
redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len);
redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len);
redox_raw redox_close_v1(size_t fd);
redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg);
redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset);
redox_raw redox_munmap_v1(void *addr, size_t len);
redox_raw redox_sys_call_v0(size_t fd, uint8_t *payload, size_t len, size_t flags,
			    const uint64_t *meta, size_t nmeta);
redox_raw redox_get_ns_v0(void);
redox_raw redox_setrens_v1(size_t rns, size_t ens);
redox_raw redox_register_scheme_to_ns_v0(size_t ns_fd, const uint8_t *name, size_t len,
					 size_t cap_fd);

/* Its errno numbers are Linux's but for few; where a number goes over the wire, it is one of these. */
enum {
	REDOX_EAGAIN = 11,
	REDOX_EOPNOTSUPP = 95,
	REDOX_ECANCELED = 125,
};

/** redox_result() - the value, or a negative errno. */
static inline s64 redox_result(redox_raw raw)
{
	return (s64)raw;
}

/* Flags of open, fcntl, mmap; the same in C and in the kernel. */
enum redox_open {
	REDOX_O_RDONLY = 0x10000,
	REDOX_O_RDWR = 0x30000,
	REDOX_O_NONBLOCK = 0x40000,
	REDOX_O_CLOEXEC = 0x1000000,
	REDOX_O_CREAT = 0x2000000,
	REDOX_O_DIRECTORY = 0x10000000,
};

enum redox_fcntl { REDOX_F_GETFL = 3, REDOX_F_SETFL = 4 };

enum redox_prot { REDOX_PROT_EXEC = 1, REDOX_PROT_WRITE = 2, REDOX_PROT_READ = 4 };
/* As the kernel gets them, and a scheme in MmapPrep. */
#define REDOX_MAP_PROT_EXEC 0x10000u

enum redox_map {
	REDOX_MAP_SHARED = 1,
	REDOX_MAP_PRIVATE = 2,
	REDOX_MAP_FIXED = 4,
	REDOX_MAP_LAZY = 0x10,
};

enum redox_call {
	REDOX_CALL_WRITE = 1 << 9,
	REDOX_CALL_READ = 1 << 10,
	REDOX_CALL_FD = 1 << 11,
};

#define REDOX_NO_FD SIZE_MAX /* redox_mmap_v1(): anonymous */

/*
 * /scheme/event: written to subscribe, read when something happened.  Edges: after one, the source
 * is read until there is nothing.
 */
struct redox_event {
	size_t id;    /* descriptor */
	size_t flags; /* REDOX_EVENT_*; 0 written: no more */
	size_t data;  /* comes back; for REDOX_EVENT_TIMEOUT: milliseconds */
};

enum redox_event_flags { REDOX_EVENT_READ = 1, REDOX_EVENT_WRITE = 2 };

/* Written: the next blocking read of the queue ends after so many milliseconds, with this id. */
#define REDOX_EVENT_TIMEOUT (SIZE_MAX - 2)

/*
 * A scheme's socket: requests are read, answers written.  SRC: redox_syscall src/schemev2.rs.
 */
struct redox_sqe {
	u8 opcode;
	u8 flags;
	u16 reserved;
	u32 tag;
	u64 args[6];
	u64 caller; /* its process id */
};

static_assert(sizeof(struct redox_sqe) == 64, "request of a scheme");

struct redox_cqe {
	u8 flags;
	u8 extra[3];
	u32 tag;
	u64 result;
};

static_assert(sizeof(struct redox_cqe) == 16, "answer of a scheme");

enum redox_sqe_flags { REDOX_SQE_ONEWAY = 1 };

enum redox_op {
	REDOX_OP_DUP = 4,
	REDOX_OP_READ = 5,
	REDOX_OP_WRITE = 6,
	REDOX_OP_FSIZE = 7,
	REDOX_OP_FCNTL = 10,
	REDOX_OP_FEVENT = 11,
	REDOX_OP_FPATH = 13,
	REDOX_OP_FSTAT = 15,
	REDOX_OP_FSYNC = 17,
	REDOX_OP_MMAP_PREP = 20,
	REDOX_OP_MUNMAP = 23,
	REDOX_OP_CANCEL = 25,
	REDOX_OP_CLOSE = 27,
	REDOX_OP_CALL = 28,
	REDOX_OP_OPENAT = 29,
	REDOX_OP_STDFS = 33,
	REDOX_OP_DETACH = 34,
	REDOX_NR_OPS,
};

enum redox_stdfs { REDOX_STDFS_GETDENTS = 3, REDOX_STDFS_FSTAT = 4, REDOX_STDFS_FSYNC = 6 };

/* In extra[0] of the answer to an open: the kernel keeps a position and sends it along. */
enum { REDOX_CQE_POSITIONED = 1 };

enum redox_cqe_kind { REDOX_CQE_REPLY = 0, REDOX_CQE_EVENT = 2 };

/* Of a buffer of length 0. */
#define REDOX_NO_BUFFER (UINT64_C(1) << 62)

/* What dup() of the scheme's socket takes to make a descriptor of a handle. */
struct redox_new_fd {
	u64 offset;
	size_t number; /* the handle's id */
	size_t flags;
	u8 internal;
	u8 reserved[7];
};

static_assert(sizeof(struct redox_new_fd) == 32, "descriptor of one's own scheme");

struct redox_stat {
	u64 dev;
	u64 ino;
	u16 mode;
	u16 reserved;
	u32 nlink;
	u32 uid;
	u32 gid;
	u64 size;
	u32 blksize;
	u32 reserved2;
	u64 blocks;
	u64 mtime;
	u32 mtime_nsec;
	u32 reserved3;
	u64 atime;
	u32 atime_nsec;
	u32 reserved4;
	u64 ctime;
	u32 ctime_nsec;
	u32 reserved5;
};

static_assert(sizeof(struct redox_stat) == 104 && offsetof(struct redox_stat, size) == 32 &&
		      offsetof(struct redox_stat, mtime) == 56 &&
		      offsetof(struct redox_stat, ctime) == 88,
	      "stat");

enum redox_mode { REDOX_S_IFCHR = 0x2000, REDOX_S_IFDIR = 0x4000 };

/* One name of a directory; the name and a NUL follow at once, and are counted in record_len. */
struct redox_dirent {
	u64 inode;
	u64 next; /* where the next call of getdents begins */
	u16 record_len;
	u8 kind; /* enum redox_dirent_kind */
} __attribute__((packed));

static_assert(sizeof(struct redox_dirent) == 19, "name of a directory");

enum redox_dirent_kind { REDOX_DT_UNKNOWN = 0, REDOX_DT_CHR = 2, REDOX_DT_DIR = 4 };

#endif
