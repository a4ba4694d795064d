// SPDX-License-Identifier: MIT
/*
 * The firmware's logs: text in rings in guest memory, which the host reads when somebody asks.
 * SRC: P 5.5, 5.1 (default_trace_level, trace_destination_mask), 7.4 (TRACE_SET_CONFIG).
 *
 * Lines carry device time, which goes on over D0i3.  Indices are kept here and only written to the header: what the host may write there is not
 * trusted.  A line goes over the ring's end like any text; the host's reader follows.
 */
#include "vnpu/fw_log.h"

#include <stdarg.h>
#include <string.h>

#include "abi/trace_buf.h"
#include "vnpu/model.h"

#define LINE_MAX_SIZE  256u
#define HEADER_VERSION 1u
#define DEFAULT_LEVEL  VNPU_LOG_INFO
#define AREA_MIN       1024u

static void put_u32(struct vnpu *v, u64 va, u32 val)
{
	u8 *p = vnpu_mem_at(v, 0, va, true);

	if (p)
		__atomic_store_n((u32 *)(void *)p, val, __ATOMIC_RELEASE);
}

/* After the text it speaks of. */
static void put_indices(struct vnpu *v, const struct vnpu_log *log)
{
	put_u32(v, log->addr + offsetof(struct abi_trace_header, wrap_count), log->wraps);
	put_u32(v, log->addr + offsetof(struct abi_trace_header, write_index), log->write);
}

void vnpu_log_open(struct vnpu *v, struct vnpu_log *log, const char *name, u64 addr, u32 size)
{
	struct abi_trace_header h = {
		.vpu_canary_start = ABI_TRACE_CANARY,
		.size = size,
		.header_version = HEADER_VERSION,
		.header_size = sizeof(h),
		.format = ABI_TRACE_FORMAT_STRING,
		.alignment = 0,
	};
	const u32 own = offsetof(struct abi_trace_header, vpu_canary_start);

	*log = (struct vnpu_log){ 0 };
	if (size < AREA_MIN || addr % sizeof(u64))
		return;
	snprintf(h.name, sizeof(h.name), "%s", name);
	/* the first half of the header is the host's */
	if (vnpu_mem_write(v, 0, addr + own, (const u8 *)&h + own, sizeof(h) - own))
		return;
	log->addr = addr;
	log->size = size - (u32)sizeof(h);
}

static void append(struct vnpu *v, struct vnpu_log *log, const char *text, u32 len)
{
	const u64 data = log->addr + sizeof(struct abi_trace_header);

	if (!log->size)
		return;
	while (len) {
		u32 n = base_min(len, log->size - log->write);

		if (vnpu_mem_write(v, 0, data + log->write, text, n)) {
			log->size = 0; /* gone: no more */
			return;
		}
		text += n;
		len -= n;
		log->write += n;
		if (log->write == log->size) {
			log->write = 0;
			log->wraps++;
		}
	}
	put_indices(v, log);
}

static bool is_wanted(const struct vnpu *v, enum vnpu_log_level level)
{
	const struct abi_jsm_trace_config *t = &v->fw.set.trace;
	u32 least = t->trace_level ? t->trace_level : (u32)DEFAULT_LEVEL;

	return level >= least && t->trace_destination_mask & ABI_BOOT_TRACE_VERBOSE;
}

void vnpu_fw_log(struct vnpu *v, enum vnpu_log_level level, const char *fmt, ...)
{
	static const char letters[] = "?DIWEF";
	struct vnpu_logs *logs = &v->fw.set.logs;
	const bool critical = level >= VNPU_LOG_ERROR, verbose = is_wanted(v, level);
	char line[LINE_MAX_SIZE];
	u64 us;
	int len, n;
	va_list ap;

	if (!(critical && logs->critical.size) && !(verbose && logs->verbose.size))
		return;
	us = (u64)((unsigned __int128)(vnpu_counter(v) + v->fw.time_delta) * 1000000 /
		   v->info->perf_hz);
	n = snprintf(line, sizeof(line) - 1, "[%5llu.%06llu] %c ", (unsigned long long)us / 1000000,
		     (unsigned long long)us % 1000000, letters[level]);
	va_start(ap, fmt);
	len = vsnprintf(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
	va_end(ap);
	len = base_max(len, 0);
	len = base_min(n + len, (int)sizeof(line) - 2);
	line[len++] = '\n';
	if (critical)
		append(v, &logs->critical, line, (u32)len);
	if (verbose)
		append(v, &logs->verbose, line, (u32)len);
}
