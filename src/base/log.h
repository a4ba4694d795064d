/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum base_log_level { BASE_LOG_ERR, BASE_LOG_WARN, BASE_LOG_INFO, BASE_LOG_DBG };

enum base_log_cat {
	BASE_LOG_REG,
	BASE_LOG_IRQ,
	BASE_LOG_MMU,
	BASE_LOG_FW,
	BASE_LOG_PM,
	BASE_LOG_IPC,
	BASE_LOG_JSM,
	BASE_LOG_JOB,
	BASE_LOG_BO,
	BASE_LOG_CTX,
	BASE_LOG_DB,
	BASE_LOG_SVC,
	BASE_LOG_RECOVERY,
	BASE_NR_LOG_CATS,
};

/* One per device or service; zero-initialised: errors only, all categories, to stderr. */
struct base_log {
	enum base_log_level level;
	u32 masked; /* bit per category: 1 = silent */
	const char *prefix;
	/* NULL: "prefix: category: text" on stderr */
	void (*sink)(void *opaque, enum base_log_level level, const char *text);
	void *opaque;
};

/** base_log() - one line; lower case, no trailing newline or full stop. */
void base_log(const struct base_log *log, enum base_log_level level, enum base_log_cat cat,
	      const char *fmt, ...) BASE_PRINTF(4, 5);

#endif
