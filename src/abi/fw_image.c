// SPDX-License-Identifier: MIT
/*
 * Firmware image: acceptance checks and the writer of the project's own image.  No state.
 *
 * The checks are those of Linux 7.2 (P 4.4), so that a file this code takes is one
 * the stock driver takes, and the reverse.
 */
#include "abi/fw_image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* is [addr, addr + len) inside [start, end)? */
static bool within(u64 addr, u64 len, u64 start, u64 end)
{
	return addr >= start && addr <= end && len <= end - addr;
}

static bool page_aligned(u64 v)
{
	return (v & (ABI_PAGE_SIZE - 1)) == 0;
}

static int check_pages(const struct abi_fw_header *h, const struct abi_fw_limits *lim,
		       const struct why *why)
{
	if (!within(h->boot_params_load_address, ABI_PAGE_SIZE, lim->runtime_start,
		    lim->runtime_end))
		return reject(why,
			      "boot_params_load_address 0x%" PRIx64
			      ": page not inside the runtime range 0x%" PRIx64 "..0x%" PRIx64,
			      h->boot_params_load_address, lim->runtime_start, lim->runtime_end);
	if (h->firmware_version_size == 0 || h->firmware_version_size > ABI_FW_VERSION_PAGE)
		return reject(why, "firmware_version_size %" PRIu32 ": expected 1 to %d bytes",
			      h->firmware_version_size, ABI_FW_VERSION_PAGE);
	if (!within(h->firmware_version_load_address, ABI_PAGE_SIZE, lim->runtime_start,
		    lim->runtime_end))
		return reject(why,
			      "firmware_version_load_address 0x%" PRIx64
			      ": page not inside the runtime range 0x%" PRIx64 "..0x%" PRIx64,
			      h->firmware_version_load_address, lim->runtime_start,
			      lim->runtime_end);
	return 0;
}

static int check_runtime(const struct abi_fw_header *h, const struct abi_fw_limits *lim,
			 const struct why *why)
{
	const u32 pages = ABI_PAGE_SIZE + ABI_FW_VERSION_PAGE;

	if (h->runtime_size < pages)
		return reject(why,
			      "runtime_size %" PRIu32 " bytes: expected at least %" PRIu32
			      " for boot parameters and version page",
			      h->runtime_size, pages);
	if (!page_aligned(h->image_load_address))
		return reject(why, "image_load_address 0x%" PRIx64 ": expected a multiple of %d",
			      h->image_load_address, ABI_PAGE_SIZE);
	if (!page_aligned(h->runtime_size))
		return reject(why, "runtime_size %" PRIu32 " bytes: expected a multiple of %d",
			      h->runtime_size, ABI_PAGE_SIZE);
	if (!within(h->image_load_address, h->runtime_size - pages, lim->runtime_start,
		    lim->runtime_end))
		return reject(why,
			      "runtime region 0x%" PRIx64 " + %" PRIu32
			      " bytes: not inside the runtime range 0x%" PRIx64 "..0x%" PRIx64,
			      h->image_load_address, h->runtime_size - pages, lim->runtime_start,
			      lim->runtime_end);
	if (h->runtime_size - pages < h->image_size)
		return reject(why,
			      "image_size %" PRIu32 " bytes: expected at most %" PRIu32
			      " (runtime_size less two pages)",
			      h->image_size, h->runtime_size - pages);
	return 0;
}

static int check_image(const struct abi_fw_header *h, size_t size, const struct abi_fw_limits *lim,
		       const struct why *why)
{
	const u64 end = h->image_load_address + h->image_size; /* no wrap: check_runtime() */

	if (h->image_size > size - ABI_FW_IMAGE_OFF)
		return reject(why,
			      "image_size %" PRIu32
			      " bytes: the file has only %zu behind its first %d",
			      h->image_size, size - ABI_FW_IMAGE_OFF, ABI_FW_IMAGE_OFF);
	if (!within(h->entry_point, ABI_FW_ENTRY_SPAN, h->image_load_address, end))
		return reject(why,
			      "entry_point 0x%" PRIx64
			      ": expected %d bytes from it inside the image 0x%" PRIx64
			      "..0x%" PRIx64,
			      h->entry_point, ABI_FW_ENTRY_SPAN, h->image_load_address, end);
	if (h->shave_nn_fw_size > lim->shave_max)
		return reject(why, "shave_nn_fw_size %" PRIu32 " bytes: expected at most %" PRIu32,
			      h->shave_nn_fw_size, lim->shave_max);
	if (h->ro_section_start_address &&
	    !within(h->ro_section_start_address, h->ro_section_size, h->image_load_address, end))
		return reject(why,
			      "ro_section_start_address 0x%" PRIx64 " + %" PRIu32
			      " bytes: not inside the image 0x%" PRIx64 "..0x%" PRIx64,
			      h->ro_section_start_address, h->ro_section_size,
			      h->image_load_address, end);
	return 0;
}

static int check_api(const struct abi_fw_header *h, unsigned int idx, const char *name,
		     u16 min_major, const struct why *why)
{
	const u32 ver = h->api_version[idx];

	if (ABI_API_MAJOR(ver) < min_major)
		return reject(
			why, "api_version[%u] (%s) %" PRIu32 ".%" PRIu32 ": expected %u.0 or later",
			idx, name, ABI_API_MAJOR(ver), ABI_API_MINOR(ver), min_major);
	if (ABI_API_MAJOR(ver) > min_major)
		(void)reject(why,
			     "warning: api_version[%u] (%s) %" PRIu32 ".%" PRIu32
			     ": known is major %u",
			     idx, name, ABI_API_MAJOR(ver), ABI_API_MINOR(ver), min_major);
	return 0;
}

void abi_fw_image_header(const void *file, struct abi_fw_header *hdr)
{
	memcpy(hdr, file, sizeof(*hdr));
}

int abi_fw_image_check(const void *file, size_t size, const struct abi_fw_limits *lim, char *why,
		       size_t why_size)
{
	const struct why w = { why, why_size };
	struct abi_fw_header h;
	int ret;

	if (why && why_size)
		why[0] = '\0';
	if (size <= ABI_FW_IMAGE_OFF)
		return reject(
			&w, "file size %zu bytes: expected more than %d (header and version page)",
			size, ABI_FW_IMAGE_OFF);
	abi_fw_image_header(file, &h);
	if (h.header_version != ABI_FW_HEADER_VERSION)
		return reject(&w, "header_version %" PRIu32 ": expected %d", h.header_version,
			      ABI_FW_HEADER_VERSION);
	ret = check_pages(&h, lim, &w);
	if (ret)
		return ret;
	ret = check_runtime(&h, lim, &w);
	if (ret)
		return ret;
	ret = check_image(&h, size, lim, &w);
	if (ret)
		return ret;
	ret = check_api(&h, ABI_FW_API_BOOT, "BOOT", lim->boot_major, &w);
	if (ret)
		return ret;
	return check_api(&h, ABI_FW_API_JSM, "JSM", lim->jsm_major, &w);
}

void abi_fw_image_version(const void *file, char *buf, size_t size)
{
	const char *page = (const char *)file + ABI_FW_HEADER_PAGE;
	size_t i = 0;

	if (!size)
		return;
	for (; i < size - 1 && i < ABI_FW_VERSION_TEXT && page[i]; i++)
		buf[i] = page[i] >= 32 && page[i] < 127 ? page[i] : '?';
	buf[i] = '\0';
}

void abi_fw_spec_init(struct abi_fw_spec *spec, u64 runtime_start, u64 runtime_end, u32 nnrt_api)
{
	*spec = (struct abi_fw_spec){
		.runtime_start = runtime_start,
		.runtime_size = (u32)(runtime_end - runtime_start),
		.image_size = 2 * ABI_PAGE_SIZE,
		.entry_off = ABI_PAGE_SIZE,
		.version = "npu built-in firmware image",
		.boot_api = ABI_API_VER(3, 29),
		.job_cmd_api = ABI_API_VER(4, 15),
		.jsm_api = ABI_API_VER(3, 23),
		.nnrt_api = nnrt_api,
	};
}

size_t abi_fw_image_size(const struct abi_fw_spec *spec)
{
	return (size_t)ABI_FW_IMAGE_OFF + spec->image_size;
}

static void spec_header(const struct abi_fw_spec *spec, struct abi_fw_header *h)
{
	const u64 image = spec->runtime_start + ABI_PAGE_SIZE + ABI_FW_VERSION_PAGE;

	memset(h, 0, sizeof(*h));
	h->header_version = ABI_FW_HEADER_VERSION;
	h->image_format = 1;
	h->image_load_address = image;
	h->image_size = spec->image_size;
	h->entry_point = image + spec->entry_off;
	memcpy(h->vpu_version, "0.0.0", sizeof("0.0.0"));
	h->firmware_version_load_address = spec->runtime_start + ABI_PAGE_SIZE;
	h->firmware_version_size = (u32)strlen(spec->version) + 1;
	h->boot_params_load_address = spec->runtime_start;
	h->api_version[ABI_FW_API_BOOT] = spec->boot_api;
	h->api_version[ABI_FW_API_JOB_CMD] = spec->job_cmd_api;
	h->api_version[ABI_FW_API_JSM] = spec->jsm_api;
	h->api_version[ABI_FW_API_NNRT] = spec->nnrt_api;
	h->runtime_size = spec->runtime_size;
	h->preemption_buffer_1_size = ABI_FW_PREEMPT_SIZE;
	h->preemption_buffer_2_size = ABI_FW_PREEMPT_SIZE;
}

int abi_fw_image_write(const struct abi_fw_spec *spec, void *buf, size_t size)
{
	const struct abi_fw_limits lim = {
		.runtime_start = spec->runtime_start,
		.runtime_end = spec->runtime_start + spec->runtime_size,
		.shave_max = 0,
		.boot_major = ABI_FW_BOOT_MAJOR,
		.jsm_major = ABI_FW_JSM_MAJOR,
	};
	struct abi_fw_header h;

	if (spec->image_size % ABI_PAGE_SIZE || strlen(spec->version) > ABI_FW_VERSION_TEXT)
		return -EINVAL;
	if (size < abi_fw_image_size(spec))
		return -ENOSPC;
	spec_header(spec, &h);
	memset(buf, 0, abi_fw_image_size(spec));
	memcpy(buf, &h, sizeof(h));
	memcpy((u8 *)buf + ABI_FW_HEADER_PAGE, spec->version, strlen(spec->version));
	return abi_fw_image_check(buf, abi_fw_image_size(spec), &lim, NULL, 0);
}
