// SPDX-License-Identifier: MIT
/* Firmware images of the reference NPU.  SRC: design section 8.  No state. */
#include "abi/ref.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const u8 magic[8] = { 'N', 'P', 'U', 'R', 'E', 'F', 0, 1 };

struct why {
	char *buf;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int reject(const struct why *why, const char *fmt, ...)
{
	va_list ap;

	if (why->buf && why->size) {
		va_start(ap, fmt);
		vsnprintf(why->buf, why->size, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

bool abi_ref_image_is(const void *file, size_t size)
{
	return size >= sizeof(magic) && !memcmp(file, magic, sizeof(magic));
}

static int check_fields(const struct abi_ref_header *h, size_t size, const struct why *why)
{
	if (h->image_size < sizeof(*h) || h->image_size > ABI_REF_IMAGE_MAX)
		return reject(why, "image size %u bytes: expected %zu to %u", h->image_size,
			      sizeof(*h), ABI_REF_IMAGE_MAX);
	if (h->image_size > size)
		return reject(why, "image size %u bytes: the file has only %zu", h->image_size,
			      size);
	if (h->entry < sizeof(*h) || h->entry >= h->image_size)
		return reject(why, "entry 0x%x: expected 0x%zx to below 0x%x", h->entry, sizeof(*h),
			      h->image_size);
	if (!h->version[0])
		return reject(why, "the version text is empty");
	for (size_t i = 0; i < sizeof(h->zero); i++)
		if (h->zero[i])
			return reject(why, "byte %zu of the header is 0x%02x: expected 0",
				      offsetof(struct abi_ref_header, zero) + i, h->zero[i]);
	return 0;
}

int abi_ref_image_check(const void *file, size_t size, char *why, size_t why_size)
{
	const struct why w = { why, why_size };
	struct abi_ref_header h;

	if (why && why_size)
		why[0] = '\0';
	if (size < sizeof(h))
		return reject(&w, "file size %zu bytes: expected at least %zu", size, sizeof(h));
	memcpy(&h, file, sizeof(h));
	if (!abi_ref_image_is(file, size))
		return reject(&w, "it does not begin with NPUREF\\0\\1");
	return check_fields(&h, size, &w);
}

void abi_ref_image_version(const void *file, char *buf, size_t size)
{
	struct abi_ref_header h;
	size_t i = 0;

	if (!size)
		return;
	memcpy(&h, file, sizeof(h));
	for (; i < size - 1 && i < sizeof(h.version) && h.version[i]; i++)
		buf[i] = h.version[i] >= 32 && h.version[i] < 127 ? h.version[i] : '?';
	buf[i] = '\0';
}

void abi_ref_image_write(void *buf)
{
	struct abi_ref_header h = {
		.image_size = ABI_REF_BUILT_IN_SIZE,
		.entry = sizeof(h),
		.version = "npu built-in reference image",
	};

	memcpy(h.magic, magic, sizeof(magic));
	memset(buf, 0, ABI_REF_BUILT_IN_SIZE);
	memcpy(buf, &h, sizeof(h));
}
