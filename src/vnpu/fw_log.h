/* SPDX-License-Identifier: MIT */
/* The firmware's logs in guest memory.  SRC: P 5.5 */
#ifndef VNPU_FW_LOG_H
#define VNPU_FW_LOG_H

#include "base/base.h"
#include "base/types.h"

struct vnpu;

/* SRC: P 11.8 fw_log_level: 0 default, 1 debug to 5 fatal */
enum vnpu_log_level {
	VNPU_LOG_DEFAULT,
	VNPU_LOG_DEBUG,
	VNPU_LOG_INFO,
	VNPU_LOG_WARN,
	VNPU_LOG_ERROR,
	VNPU_LOG_FATAL,
};

struct vnpu_log { /* size 0: there is none */
	u64 addr;
	u32 size; /* of the data behind the header */
	u32 write, wraps;
};

struct vnpu_logs {
	struct vnpu_log critical, verbose;
};

/** vnpu_log_open() - write the header of a log area of the boot parameters; a cold boot */
void vnpu_log_open(struct vnpu *v, struct vnpu_log *log, const char *name, u64 addr, u32 size);

/** vnpu_fw_log() - one line, with time and level: errors to both logs, others to the verbose one */
void vnpu_fw_log(struct vnpu *v, enum vnpu_log_level level, const char *fmt, ...) BASE_PRINTF(3, 4);

#endif
