/* SPDX-License-Identifier: MIT */
/*
 * Firmware image: file layout, header, acceptance checks, and a writer for the project's own
 * small image.  SRC: P 4, linux vpu_boot_api.h struct vpu_firmware_header (pack 4).
 */
#ifndef ABI_FW_IMAGE_H
#define ABI_FW_IMAGE_H

#include "abi/wire.h"

#define ABI_FW_HEADER_VERSION 1	   /* SRC: P 4.3 */
#define ABI_FW_HEADER_PAGE    4096 /* SRC: P 4.2 header page, then the version page */
#define ABI_FW_VERSION_PAGE   4096
#define ABI_FW_IMAGE_OFF      (ABI_FW_HEADER_PAGE + ABI_FW_VERSION_PAGE)
#define ABI_FW_VERSION_TEXT   255 /* SRC: P 4.2: characters of the version page that are used */
#define ABI_FW_SHAVE_MAX      0x200000 /* SRC: P 4.4 */
#define ABI_FW_ENTRY_SPAN     4096     /* SRC: P 4.4: [entry, +4 KiB) inside the image */
#define ABI_FW_NR_API	      16
#define ABI_FW_PREEMPT_SIZE   0x10000 /* ours; SRC: P 4.8: below 4 KiB Linux 7.2 warns */

/* indices of api_version[]; SRC: P 4.5 */
enum abi_fw_api {
	ABI_FW_API_BOOT = 0,
	ABI_FW_API_JOB_CMD = 3,
	ABI_FW_API_JSM = 4,
	ABI_FW_API_NNRT = 7,
};

/* versions the checks and decisions name; SRC: P 4.4, 4.5 */
#define ABI_FW_BOOT_MAJOR 3
#define ABI_FW_JSM_MAJOR  3
#define ABI_FW_JSM_HWS	  ABI_API_VER(3, 24) /* from here on Linux 7.2 schedules in hardware */

/**
 * struct abi_fw_header - first 204 bytes of the file; the rest of its page is zero
 *
 * SRC: P 4.3.  Pack 4: 64-bit fields sit on 4-byte boundaries.
 */
struct abi_fw_header {
	u32 header_version;
	u32 image_format;
	u64 image_load_address;
	u32 image_size;
	u64 entry_point;
	u8 vpu_version[32];
	u32 compression_type;
	u64 firmware_version_load_address;
	u32 firmware_version_size;
	u64 boot_params_load_address;
	u32 api_version[ABI_FW_NR_API];
	u32 runtime_size;
	u32 shave_nn_fw_size;
	u32 preemption_buffer_1_size;
	u32 preemption_buffer_2_size;
	u32 preemption_buffer_1_max_size;
	u32 preemption_buffer_2_max_size;
	u32 preemption_reserved[4];
	u64 ro_section_start_address;
	u32 ro_section_size;
	u32 reserved;
} ABI_PACK4;

ABI_SIZE(abi_fw_header, 0xcc); /* SRC: P 4.3, App. C */
ABI_OFF(abi_fw_header, header_version, 0x00);
ABI_OFF(abi_fw_header, image_format, 0x04);
ABI_OFF(abi_fw_header, image_load_address, 0x08);
ABI_OFF(abi_fw_header, image_size, 0x10);
ABI_OFF(abi_fw_header, entry_point, 0x14);
ABI_OFF(abi_fw_header, vpu_version, 0x1c);
ABI_OFF(abi_fw_header, compression_type, 0x3c);
ABI_OFF(abi_fw_header, firmware_version_load_address, 0x40);
ABI_OFF(abi_fw_header, firmware_version_size, 0x48);
ABI_OFF(abi_fw_header, boot_params_load_address, 0x4c);
ABI_OFF(abi_fw_header, api_version, 0x54);
ABI_OFF(abi_fw_header, runtime_size, 0x94);
ABI_OFF(abi_fw_header, shave_nn_fw_size, 0x98);
ABI_OFF(abi_fw_header, preemption_buffer_1_size, 0x9c);
ABI_OFF(abi_fw_header, preemption_buffer_2_size, 0xa0);
ABI_OFF(abi_fw_header, preemption_buffer_1_max_size, 0xa4);
ABI_OFF(abi_fw_header, preemption_buffer_2_max_size, 0xa8);
ABI_OFF(abi_fw_header, preemption_reserved, 0xac);
ABI_OFF(abi_fw_header, ro_section_start_address, 0xbc);
ABI_OFF(abi_fw_header, ro_section_size, 0xc4);
ABI_OFF(abi_fw_header, reserved, 0xc8);

/**
 * struct abi_fw_limits - what the image must fit; the caller fills it from its generation
 * @runtime_start: first address of the runtime range
 * @runtime_end:   first address behind it
 * @shave_max:     largest shave_nn_fw_size, normally ABI_FW_SHAVE_MAX
 * @boot_major:    least BOOT API major, normally ABI_FW_BOOT_MAJOR
 * @jsm_major:     least JSM API major, normally ABI_FW_JSM_MAJOR
 */
struct abi_fw_limits {
	u64 runtime_start;
	u64 runtime_end;
	u32 shave_max;
	u16 boot_major;
	u16 jsm_major;
};

/**
 * abi_fw_image_check() - would Linux 7.2 accept this file?
 *
 * Every check of P 4.4, column 7.2, in a fixed order; the first that fails decides.  Reads nothing
 * beyond @size and does not need @file aligned.
 *
 * @why gets one line without newline: on failure it names the field, its value and what was
 * wanted; on success it is empty, or a warning about an API major newer than known.  NULL with
 * @why_size 0 is allowed.
 *
 * Return: 0, or -EINVAL.
 */
int abi_fw_image_check(const void *file, size_t size, const struct abi_fw_limits *lim, char *why,
		       size_t why_size) __attribute__((warn_unused_result));

/** abi_fw_image_header() - copy of the header of a file of more than ABI_FW_IMAGE_OFF bytes */
void abi_fw_image_header(const void *file, struct abi_fw_header *hdr);

/**
 * abi_fw_image_version() - printable version text of a file that passed the check
 *
 * Control characters and bytes above 126 become '?'.  @buf is always terminated.
 */
void abi_fw_image_version(const void *file, char *buf, size_t size);

/**
 * struct abi_fw_spec - what abi_fw_image_write() needs to know
 * @runtime_start: boot parameter page; version page and image follow it
 * @runtime_size:  bytes of runtime memory from @runtime_start, a multiple of 4 KiB
 * @image_size:    bytes of the image, a multiple of 4 KiB, at least @entry_off + 4096
 * @entry_off:     entry point's offset in the image
 * @version:       text of the version page
 * @boot_api:      API versions, see ABI_API_VER()
 * @job_cmd_api:   as above
 * @jsm_api:       as above; below ABI_FW_JSM_HWS Linux 7.2 stays in OS scheduling mode
 * @nnrt_api:      as above
 */
struct abi_fw_spec {
	u64 runtime_start;
	u32 runtime_size;
	u32 image_size;
	u32 entry_off;
	const char *version;
	u32 boot_api;
	u32 job_cmd_api;
	u32 jsm_api;
	u32 nnrt_api;
};

/**
 * abi_fw_spec_init() - the project's own image: API versions of Linux 7.2 with JSM 3.23, so that
 * OS scheduling is chosen; 8 KiB image, entry at its second page
 *
 * SRC: P 4.4 note, 4.5, 13.2.  @nnrt_api and addresses come from the generation.
 */
void abi_fw_spec_init(struct abi_fw_spec *spec, u64 runtime_start, u64 runtime_end, u32 nnrt_api);

/** abi_fw_image_size() - bytes abi_fw_image_write() will write for @spec */
size_t abi_fw_image_size(const struct abi_fw_spec *spec);

/**
 * abi_fw_image_write() - write the whole image to @buf
 *
 * No read-only section, no shave memory; preemption buffers of ABI_FW_PREEMPT_SIZE.  The same
 * @spec gives the same bytes.
 *
 * Return: 0; -EINVAL when @spec contradicts itself (the result would fail the check); -ENOSPC when
 * @size is less than abi_fw_image_size().
 */
int abi_fw_image_write(const struct abi_fw_spec *spec, void *buf, size_t size)
	__attribute__((warn_unused_result));

#endif
