/* SPDX-License-Identifier: MIT */
/*
 * npu doctor: what its parts share.
 *
 * Everything is read below one directory, / or --root, through the functions of fs.c; nothing is
 * written and no device is opened.  A check looks, and reports one finding or more; which finding
 * is a failure, and what to do, is said in classes.def alone.
 *
 * pci.c, driver.c, node.c and so on know Linux's places (sysfs, procfs, /lib).  Another system, with
 * /scheme/pci in place of sysfs, is another table of checks in cmd_doctor.c over the same report.
 */
#ifndef CLI_DOCTOR_DOCTOR_H
#define CLI_DOCTOR_DOCTOR_H

#include <sys/stat.h>

#include "cli/cli.h"
#include "client/hw.h"

#define DOCTOR_PATH	    288u
#define DOCTOR_TEXT	    512u
#define DOCTOR_MAX_FINDINGS 160u
#define DOCTOR_MAX_NPUS	    8u
#define DOCTOR_MAX_GROUPS   128u

enum doctor_state { DOCTOR_OK, DOCTOR_INFO, DOCTOR_WARN, DOCTOR_FAIL };

#define CLASS(id, name, check, state, meaning, fix) DOCTOR_##id,
enum doctor_id {
#include "cli/doctor/classes.def"
	DOCTOR_NR_CLASSES
};
#undef CLASS

struct doctor_class {
	const char *name, *check;
	enum doctor_state state;
	const char *meaning, *fix;
};

extern const struct doctor_class doctor_classes[DOCTOR_NR_CLASSES];

struct doctor_finding {
	const char *check;
	enum doctor_state state;
	const struct doctor_class *class; /* NULL unless WARN or FAIL */
	char found[DOCTOR_TEXT];
	char where[DOCTOR_PATH];
	char fix[2 * DOCTOR_TEXT];
};

/* A PCI function that is an NPU, or may be one. */
struct doctor_npu {
	char bdf[16];
	char dir[64]; /* in sysfs */
	u16 vendor, device, sub_vendor, sub_device;
	u32 class_code;
	const struct reg_gen *gen;   /* NULL: unknown id */
	const struct reg_pci_id *id; /* likewise */
	char driver[32];	     /* "" = none */
	bool gone;		     /* reads all-ones */
};

struct doctor {
	const char *root;
	int root_fd;
	bool live; /* root is / */
	bool vfio; /* --vfio */
	char user[64];
	u32 uid, gids[DOCTOR_MAX_GROUPS], nr_gids;
	bool self; /* that user is who runs this */
	char kernel[96];
	u32 kernel_major, kernel_minor;
	struct doctor_npu npus[DOCTOR_MAX_NPUS];
	u32 nr_npus;
	const struct doctor_npu *npu;		       /* the one at hand, NULL between them */
	char node[DOCTOR_PATH], firmware[DOCTOR_PATH]; /* for remedies */
	struct doctor_finding *findings;
	u32 nr_findings, nr_fails, nr_warns;
};

/* --- fs.c: files below the root; every path begins with '/' ---------------------------------- */

int doctor_open_root(struct doctor *d, const char *root);
/** doctor_open() - a descriptor or -errno; never waits (FIFO, terminal), never leaves the root */
int doctor_open(const struct doctor *d, const char *path, int flags);
/** doctor_read() - the first @size bytes of a regular file; how many, or -errno */
int doctor_read(const struct doctor *d, const char *path, void *buf, size_t size);
/** doctor_line() - the first line, printable; 0 or -errno with "" */
int doctor_line(const struct doctor *d, const char *path, char *buf, size_t size);
/** doctor_hex() - the number a file begins with; false: there is none */
bool doctor_hex(const struct doctor *d, const char *path, u32 *out);
/** doctor_link() - last part of what a symbolic link points to, printable; 0 or -errno with "" */
int doctor_link(const struct doctor *d, const char *path, char *buf, size_t size);
int doctor_stat(const struct doctor *d, const char *path, struct stat *st);
bool doctor_exists(const struct doctor *d, const char *path);

typedef bool doctor_fn(void *opaque, const char *text); /* false: enough */

/** doctor_each_entry() - names in a directory, at most a few thousand; how many, or -errno */
int doctor_each_entry(const struct doctor *d, const char *path, doctor_fn *fn, void *opaque);
/** doctor_each_line() - lines of a file or of the kernel's log, cut at 1 KiB, printable; 0, -errno */
int doctor_each_line(const struct doctor *d, const char *path, doctor_fn *fn, void *opaque);
/** doctor_printable() - control characters and what is no ASCII become '?' */
void doctor_printable(char *text);

/* --- report.c ------------------------------------------------------------------------------ */

void doctor_ok(struct doctor *d, const char *check, const char *where, const char *fmt, ...)
	BASE_PRINTF(4, 5);
void doctor_info(struct doctor *d, const char *check, const char *where, const char *fmt, ...)
	BASE_PRINTF(4, 5);
/** doctor_find() - a finding of a class */
void doctor_find(struct doctor *d, enum doctor_id id, const char *where, const char *fmt, ...)
	BASE_PRINTF(4, 5);
void doctor_print_text(const struct doctor *d);
void doctor_print_json(const struct doctor *d);
void doctor_print_classes(bool json);

/* --- user.c -------------------------------------------------------------------------------- */

/** doctor_user_init() - whose permissions count: @name, else who called sudo, else the caller */
int doctor_user_init(struct doctor *d, const char *name);
/** doctor_may_open() - may that user read and write @path, whose stat is @st? */
bool doctor_may_open(const struct doctor *d, const char *path, const struct stat *st);

/* --- checks -------------------------------------------------------------------------------- */

/** doctor_scan() - fill in d->npus; findings when there is none */
void doctor_scan(struct doctor *d);
/* Each is about d->npu. */
void doctor_check_identity(struct doctor *d);
void doctor_check_config(struct doctor *d);
void doctor_check_bars(struct doctor *d);
void doctor_check_power(struct doctor *d);
void doctor_check_irq(struct doctor *d);
void doctor_check_driver(struct doctor *d);
void doctor_check_firmware(struct doctor *d);
void doctor_check_node(struct doctor *d);
void doctor_check_iommu(struct doctor *d);
void doctor_check_vfio(struct doctor *d);
void doctor_check_memlock(struct doctor *d);
/* About the system. */
void doctor_check_log(struct doctor *d);
void doctor_check_libraries(struct doctor *d);

/** doctor_is_bound() - is the device at hand with Linux's own driver? */
bool doctor_is_bound(const struct doctor *d);
/** doctor_is_virtual() - does it look like the project's own, in a virtual machine? */
bool doctor_is_virtual(const struct doctor_npu *npu);

#endif
