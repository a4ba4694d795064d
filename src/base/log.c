// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <stdarg.h>

static const char *const cat_names[BASE_NR_LOG_CATS] = {
	"reg", "irq", "mmu", "fw", "pm", "ipc", "jsm", "job", "bo", "ctx", "db", "svc", "recovery",
};

void base_log(const struct base_log *log, enum base_log_level level, enum base_log_cat cat,
	      const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (level > log->level || (log->masked & BASE_BIT(cat)))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log->sink)
		log->sink(log->opaque, level, text);
	else
		fprintf(stderr, "%s: %s: %s\n", log->prefix ? log->prefix : "npu", cat_names[cat],
			text);
}
