// SPDX-License-Identifier: MIT
#include "service/text.h"

#include <stdarg.h>
#include <string.h>

bool svc_text_reserve(struct svc_text *text, size_t more)
{
	size_t cap = base_max(text->cap * 2, text->len + more + 1);
	char *buf;

	if (text->failed || text->len + more < text->cap)
		return !text->failed;
	buf = base_realloc_array(text->buf, cap, 1);
	if (!buf) {
		text->failed = true;
		return false;
	}
	text->buf = buf;
	text->cap = cap;
	return true;
}

void svc_text_add(struct svc_text *text, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len < 0 || !svc_text_reserve(text, (size_t)len))
		return;
	len = base_min(len, (int)sizeof(line) - 1);
	memcpy(text->buf + text->len, line, (size_t)len);
	text->len += (size_t)len;
}

void svc_text_line(void *opaque, const char *line)
{
	svc_text_add(opaque, "%s\n", line);
}

u64 svc_text_take(const struct svc_text *text, u64 *pos, void *buf, u64 size)
{
	u64 nr = base_min(size, text->len - *pos);

	if (nr)
		memcpy(buf, text->buf + *pos, nr);
	*pos += nr;
	return nr;
}
