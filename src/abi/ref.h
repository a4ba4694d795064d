/* SPDX-License-Identifier: MIT */
/*
 * The reference NPU: what lies in memory, and what FW_STATUS says.  SRC: design section 8.
 *
 *   firmware image, zeroed to the end of its last page | boot parameters, one page
 *   ring 0, ring 1: 64-byte job descriptors (abi/job.h), each ring 4 096-aligned
 */
#ifndef ABI_REF_H
#define ABI_REF_H

#include "abi/job.h"
#include "abi/wire.h"

#define ABI_REF_NR_RINGS     2u
#define ABI_REF_RING_ENTRIES 256u /* one stays empty */
#define ABI_REF_RING_MIN     2u
#define ABI_REF_IMAGE_MAX    (512u << 20) /* with its header */
#define ABI_REF_VERSION_TEXT 32u

/* Upper half of FW_STATUS.  Any other value is unknown. */
enum abi_ref_class {
	ABI_REF_NOT_RESPONDING = 0x0000,
	ABI_REF_BOOT_STEP = 0xb000,
	ABI_REF_BOOTING = 0xcafe,
	ABI_REF_FATAL = 0xdead,
	ABI_REF_BOOT_ERROR = 0xe000,
	ABI_REF_READY = 0xf00d,
};

#define ABI_REF_STATUS(class, code) ((u32)(class) << 16 | ((u32)(code)&0xffff))

/* Codes of boot errors; SRC: ours, the design gives none */
enum abi_ref_boot_error {
	ABI_REF_BAD_MEMORY = 1, /* image, boot parameters or a ring cannot be read */
	ABI_REF_BAD_MAGIC = 2,
	ABI_REF_BAD_SIZE = 3,
	ABI_REF_BAD_RING = 4, /* address or number of entries */
};

/** struct abi_ref_header - of a firmware image */
struct abi_ref_header {
	u8 magic[8];
	u32 image_size; /* bytes, header included */
	u32 entry;	/* offset in the image */
	char version[ABI_REF_VERSION_TEXT];
	u8 zero[16];
};

ABI_SIZE(abi_ref_header, 64);
ABI_OFF(abi_ref_header, image_size, 8);
ABI_OFF(abi_ref_header, entry, 12);
ABI_OFF(abi_ref_header, version, 16);
ABI_OFF(abi_ref_header, zero, 48);

/** struct abi_ref_boot - boot parameters: the page behind the image */
struct abi_ref_boot {
	u64 ring[ABI_REF_NR_RINGS];
	u32 entries; /* of each ring */
	u32 reserved;
};

ABI_SIZE(abi_ref_boot, 24);
ABI_OFF(abi_ref_boot, ring, 0);
ABI_OFF(abi_ref_boot, entries, 16);

/** struct abi_ref_slot - of a ring */
struct abi_ref_slot {
	_Alignas(64) struct abi_job job;
};

ABI_SIZE(abi_ref_slot, 64);
static_assert(_Alignof(struct abi_ref_slot) == 64, "a slot is a cache line");

/** abi_ref_params_off() - where the boot parameters are, from the start of an image of @size bytes */
static inline u64 abi_ref_params_off(u32 size)
{
	return ((u64)size + ABI_PAGE_SIZE - 1) & ~(u64)(ABI_PAGE_SIZE - 1);
}

/** abi_ref_image_is() - does @file begin as such an image does? */
bool abi_ref_image_is(const void *file, size_t size);

/**
 * abi_ref_image_check() - is this a firmware image of the reference NPU?
 *
 * @why gets one line that names the field, its value and what was wanted; NULL with @why_size 0 is
 * allowed.
 *
 * Return: 0, or -EINVAL.
 */
int abi_ref_image_check(const void *file, size_t size, char *why, size_t why_size)
	__attribute__((warn_unused_result));

/** abi_ref_image_version() - printable version text of an image that passed the check. */
void abi_ref_image_version(const void *file, char *buf, size_t size);

/** ABI_REF_BUILT_IN_SIZE - bytes of the project's own image: no code, the model plays the firmware */
#define ABI_REF_BUILT_IN_SIZE 4096u

/** abi_ref_image_write() - the project's own image; @buf has ABI_REF_BUILT_IN_SIZE bytes. */
void abi_ref_image_write(void *buf);

#endif
