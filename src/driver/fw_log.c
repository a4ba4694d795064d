// SPDX-License-Identifier: MIT
/*
 * Reading the firmware's log: text in rings, in memory that the firmware writes.  SRC: P 5.5.
 *
 * Nothing the firmware wrote is trusted: a header is copied, checked against its area, and only the
 * copy is used; what does not fit is said once and skipped.  A position is an index that never
 * wraps (times round * size + index), so that a reader knows what it missed.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "abi/trace_buf.h"
#include "driver/dev.h"

#define LINE_SIZE 240u /* longer ones are cut in pieces */

struct area {
	const u8 *base;
	u32 size;
};

/* One buffer of an area, its header checked. */
struct buf {
	const u8 *data;
	u32 size;  /* of the data */
	u32 total; /* to the next header */
	u64 end;   /* position behind the last byte written */
	char name[4 * sizeof(((struct abi_trace_header *)0)->name) + 1];
};

struct out {
	void (*line)(void *opaque, const char *text);
	void *opaque;
	const char *name; /* of the buffer */
	bool all;	  /* a last line without an end, too */
	u32 nr;
	char text[LINE_SIZE];
	u32 len;
};

static void BASE_PRINTF(2, 3) say(struct out *out, const char *fmt, ...)
{
	char text[LINE_SIZE + 80];
	int n = snprintf(text, sizeof(text), "%s: ", out->name);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	out->nr++;
	out->line(out->opaque, text);
}

static struct area area_of(const struct drv_dev *dev, enum drv_fw_log log)
{
	const struct drv_bo *bo = log == DRV_FW_LOG_CRITICAL ? dev->fw.crit_log : dev->fw.verb_log;

	if (!bo)
		return (struct area){ 0 };
	return (struct area){ drv_bo_cpu(bo), (u32)drv_bo_size(bo) };
}

static u32 load_u32(const u8 *p)
{
	/* pairs with the firmware's release of the text before it */
	return __atomic_load_n((const u32 *)(const void *)p, __ATOMIC_ACQUIRE);
}

/* Two words the firmware writes one after the other: again until they stand still. */
static void load_indices(const u8 *at, u32 *write, u32 *wraps)
{
	const u8 *w = at + offsetof(struct abi_trace_header, write_index);
	const u8 *n = at + offsetof(struct abi_trace_header, wrap_count);

	for (u32 i = 0; i < 4; i++) {
		*wraps = load_u32(n);
		*write = load_u32(w);
		if (*wraps == load_u32(n) && *write == load_u32(w))
			return;
	}
}

static void copy_name(char *to, const char *from, size_t size)
{
	size_t i = 0;

	for (; i < size && from[i]; i++)
		to[i] = from[i] > ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
	if (!i)
		strcpy(to, "firmware");
}

/*
 * The buffer whose header is at @off.
 * Return: 1, 0 (there is none), or -EPROTO with @why.
 */
static int buf_at(const struct area *area, u32 off, struct buf *buf, char *why, size_t why_size)
{
	struct abi_trace_header h;
	u32 left = area->size - off;

	if (left < sizeof(h) ||
	    load_u32(area->base + off + offsetof(struct abi_trace_header, vpu_canary_start)) !=
		    ABI_TRACE_CANARY)
		return 0;
	load_indices(area->base + off, &h.write_index, &h.wrap_count);
	/* never changed by the firmware once it is there */
	memcpy(&h.size, area->base + off + offsetof(struct abi_trace_header, size),
	       sizeof(h) - offsetof(struct abi_trace_header, size));
	copy_name(buf->name, h.name, sizeof(h.name));
	snprintf(why, why_size,
		 "the header at 0x%x is damaged: size %u of %u, header %u, index %u, format %u",
		 off, h.size, left, h.header_size, h.write_index, h.format);
	if (h.header_size < ABI_TRACE_HEADER_MIN || h.header_size > ABI_TRACE_HEADER_MAX ||
	    h.size <= h.header_size || h.size > left || h.size % sizeof(u32) ||
	    h.write_index > h.size - h.header_size || h.format != ABI_TRACE_FORMAT_STRING)
		return -EPROTO;
	buf->data = area->base + off + h.header_size;
	buf->size = h.size - h.header_size;
	buf->total = h.size;
	buf->end = (u64)h.wrap_count * buf->size + h.write_index;
	return 1;
}

static void put_line(struct out *out)
{
	out->text[out->len] = '\0';
	if (out->len)
		say(out, "%s", out->text);
	out->len = 0;
}

/* True when @c ended a line, or filled it. */
static bool put_char(struct out *out, u8 c)
{
	if (c == '\n' || c == '\0') {
		put_line(out);
		return true;
	}
	if (c != '\r')
		out->text[out->len++] = c >= ' ' && c <= '~' ? (char)c : '?';
	if (out->len < LINE_SIZE - 1)
		return false;
	put_line(out);
	return true;
}

static u8 byte_at(const struct buf *buf, u64 pos)
{
	/* the firmware may be writing over it */
	return __atomic_load_n(&buf->data[pos % buf->size], __ATOMIC_RELAXED);
}

/* Text from *@pos on; *@pos is then behind the last whole line. */
static void read_buf(const struct buf *buf, u64 *pos, struct out *out)
{
	u64 from = *pos, first = buf->end > buf->size ? buf->end - buf->size : 0;

	out->name = buf->name;
	out->len = 0;
	if (from > buf->end)
		from = buf->end; /* it began anew, or its header was overwritten */
	if (from < first) {
		say(out, "(%" PRIu64 " bytes of older text are overwritten)", first - from);
		for (from = first;
		     from < buf->end && byte_at(buf, from) && byte_at(buf, from) != '\n';)
			from++; /* the rest of a line whose beginning is gone */
	}
	*pos = from;
	for (; from < buf->end; from++)
		if (put_char(out, byte_at(buf, from)))
			*pos = from + 1;
	if (out->all) {
		put_line(out);
		*pos = buf->end;
	}
}

static void complain(struct drv_fw_log_reader *r, u32 idx, const char *why, struct out *out)
{
	if (r->damaged & BASE_BIT(idx))
		return;
	r->damaged |= BASE_BIT(idx);
	out->name = r->log == DRV_FW_LOG_CRITICAL ? "critical log" : "log";
	say(out, "%s", why);
}

static u32 read_area(struct drv_dev *dev, struct drv_fw_log_reader *r, struct out *out)
{
	const struct area area = area_of(dev, r->log);
	u32 off = 0;

	if (r->boots != dev->fw.boots) /* the firmware began anew */
		*r = (struct drv_fw_log_reader){ .log = r->log, .boots = dev->fw.boots };
	for (u32 i = 0; i < DRV_FW_LOG_BUFS; i++) {
		struct buf buf;
		char why[200];
		int ret = buf_at(&area, off, &buf, why, sizeof(why));

		if (ret < 0)
			complain(r, i, why, out);
		if (ret <= 0)
			break;
		read_buf(&buf, &r->pos[i], out);
		off += buf.total;
	}
	return out->nr;
}

u32 drv_fw_log_read(struct drv_dev *dev, struct drv_fw_log_reader *reader,
		    void (*line)(void *opaque, const char *text), void *opaque)
{
	struct out out = { .line = line, .opaque = opaque };

	return read_area(dev, reader, &out);
}

void drv_fw_log_dump(struct drv_dev *dev, enum drv_fw_log log,
		     void (*line)(void *opaque, const char *text), void *opaque)
{
	struct drv_fw_log_reader reader = { .log = log };
	struct out out = { .line = line, .opaque = opaque, .all = true };

	if (!read_area(dev, &reader, &out))
		line(opaque, "(empty)");
}

void drv_fw_log_forget(struct drv_dev *dev)
{
	for (u32 log = 0; log <= DRV_FW_LOG_VERBOSE; log++) {
		struct drv_bo *bo = log ? dev->fw.verb_log : dev->fw.crit_log;

		if (bo)
			memset(drv_bo_cpu(bo), 0, sizeof(struct abi_trace_header));
	}
	dev->fw.boots++;
}
