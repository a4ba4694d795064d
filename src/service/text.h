/* SPDX-License-Identifier: MIT */
/* Text that grows, for nodes. */
#ifndef SERVICE_TEXT_H
#define SERVICE_TEXT_H

#include "base/base.h"

/* Zeroed: empty.  A failed allocation sticks; what was added before stays. */
struct svc_text {
	char *buf;
	size_t len;
	size_t cap;
	bool failed;
};

/** svc_text_reserve() - room for @more bytes; false once an allocation failed */
bool svc_text_reserve(struct svc_text *text, size_t more);
/** svc_text_add() - at most 1 KiB at a time, longer is cut */
void svc_text_add(struct svc_text *text, const char *fmt, ...) BASE_PRINTF(2, 3);
/** svc_text_line() - @opaque is a struct svc_text: a line of the driver's */
void svc_text_line(void *opaque, const char *line);
/** svc_text_take() - the next @size bytes of what is behind *@pos, into @buf; how many */
u64 svc_text_take(const struct svc_text *text, u64 *pos, void *buf, u64 size);

#endif
