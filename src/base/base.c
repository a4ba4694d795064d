// SPDX-License-Identifier: MIT
#include "base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static _Thread_local u64 nr_allocs, nr_live;
static _Thread_local u64 fail_nth;

int base_err_set(struct base_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

void base_err_prefix(struct base_err *err, const char *fmt, ...)
{
	char prefix[sizeof(err->text)];
	va_list ap;
	size_t len;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix) - 2, fmt, ap);
	va_end(ap);
	strcat(prefix, ": ");
	len = strlen(prefix);
	memmove(err->text + len, err->text, sizeof(err->text) - len);
	memcpy(err->text, prefix, len);
	err->text[sizeof(err->text) - 1] = '\0';
}

/* Not strerrorname_np(): relibc has none. */
const char *base_err_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ EPERM, "EPERM" },
		{ ENOENT, "ENOENT" },
		{ EINTR, "EINTR" },
		{ EIO, "EIO" },
		{ ENXIO, "ENXIO" },
		{ E2BIG, "E2BIG" },
		{ EBADF, "EBADF" },
		{ EAGAIN, "EAGAIN" },
		{ ENOMEM, "ENOMEM" },
		{ EACCES, "EACCES" },
		{ EFAULT, "EFAULT" },
		{ EBUSY, "EBUSY" },
		{ EEXIST, "EEXIST" },
		{ ENODEV, "ENODEV" },
		{ ENOTDIR, "ENOTDIR" },
		{ EISDIR, "EISDIR" },
		{ EINVAL, "EINVAL" },
		{ ENFILE, "ENFILE" },
		{ EMFILE, "EMFILE" },
		{ EFBIG, "EFBIG" },
		{ ENOSPC, "ENOSPC" },
		{ EPIPE, "EPIPE" },
		{ ERANGE, "ERANGE" },
		{ ENAMETOOLONG, "ENAMETOOLONG" },
		{ ENOSYS, "ENOSYS" },
		{ EPROTO, "EPROTO" },
		{ EBADMSG, "EBADMSG" },
		{ EOVERFLOW, "EOVERFLOW" },
		{ EOPNOTSUPP, "EOPNOTSUPP" },
		{ ETIMEDOUT, "ETIMEDOUT" },
		{ ECANCELED, "ECANCELED" },
		{ EBADFD, "EBADFD" },
		{ ENODATA, "ENODATA" },
		{ EADDRINUSE, "EADDRINUSE" },
		{ ECONNREFUSED, "ECONNREFUSED" },
		{ ELOOP, "ELOOP" },
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(names); i++)
		if (names[i].code == (code < 0 ? -code : code))
			return names[i].name;
	return code ? "E?" : "ok";
}

/* True when a test asked for this allocation to fail. */
static bool count_and_fail(void)
{
	nr_allocs++;
	return fail_nth && --fail_nth == 0;
}

static void *counted_live(void *ptr)
{
	nr_live += ptr != NULL;
	return ptr;
}

void *base_zalloc(size_t size_bytes)
{
	if (count_and_fail())
		return NULL;
	return counted_live(calloc(1, size_bytes ? size_bytes : 1));
}

void *base_alloc_array(size_t nr, size_t size_bytes)
{
	size_t total;

	if (__builtin_mul_overflow(nr, size_bytes, &total))
		return NULL;
	return base_zalloc(total);
}

void *base_realloc_array(void *ptr, size_t nr, size_t size_bytes)
{
	size_t total;

	if (__builtin_mul_overflow(nr, size_bytes, &total) || count_and_fail())
		return NULL;
	if (!ptr)
		return counted_live(realloc(NULL, total ? total : 1));
	return realloc(ptr, total ? total : 1);
}

char *base_strdup(const char *s)
{
	size_t len = strlen(s) + 1;
	char *copy = base_zalloc(len);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

void base_free(void *ptr)
{
	nr_live -= ptr != NULL;
	free(ptr);
}

u64 base_alloc_count(void)
{
	return nr_allocs;
}

u64 base_alloc_live(void)
{
	return nr_live;
}

void base_alloc_fail_nth(u64 n)
{
	fail_nth = n;
}

u64 base_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * BASE_NS_PER_S + (u64)ts.tv_nsec;
}

static u64 mix(u64 h)
{
	h ^= h >> 32;
	h *= UINT64_C(0x9E3779B97F4A7C15);
	h ^= h >> 29;
	return h;
}

static u64 load_le64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v; /* little endian hosts only: design section 2 */
}

u64 base_hash64(const void *data, size_t len, u64 seed)
{
	const u64 k = UINT64_C(0xC2B2AE3D27D4EB4F);
	u64 lane[4] = { seed + 1, seed + 2, seed + 3, seed + 4 };
	const u8 *p = data;
	u64 h = seed ^ len;
	u8 tail[32] = { 0 };

	for (; len >= 32; len -= 32, p += 32)
		for (u32 i = 0; i < 4; i++)
			lane[i] = (lane[i] ^ load_le64(p + 8 * i)) * k + (lane[i] >> 31);
	if (len)
		memcpy(tail, p, len);
	for (u32 i = 0; i < 4; i++)
		h = mix(h ^ ((lane[i] ^ load_le64(tail + 8 * i)) * k)) + i;
	return mix(h);
}
