/* SPDX-License-Identifier: MIT */
/* Where dumps of a device go that had to recover. */
#ifndef CLIENT_DUMP_FILE_H
#define CLIENT_DUMP_FILE_H

#include "driver/driver.h"
#include "npu/npu.h"

struct dump_files {
	char *dir; /* NULL = nowhere */
	u32 nr;	   /* written so far */
	u32 next;  /* number in the next name */
	void (*on_dump)(void *opaque, const char *why, const char *path);
	void *opaque;
};

/** dump_files_init() - copies what it needs of @options.  0 or -ENOMEM. */
int dump_files_init(struct dump_files *files, const struct npu_open_options *options,
		    struct base_err *err) BASE_WARN_UNUSED;
void dump_files_fini(struct dump_files *files);
/** dump_files_write() - something went wrong with @dev: a file, and the caller's callback */
void dump_files_write(struct dump_files *files, struct drv_dev *dev, const char *why);

#endif
