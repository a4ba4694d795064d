// SPDX-License-Identifier: MIT
/* Firmware image acceptance: any file, any size.  An accepted image must hold what was promised. */
#include <stdlib.h>
#include <string.h>

#include "abi/fw_image.h"
#include "base/base.h"
#include "regs/gen.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct reg_gen *gen = reg_gen_by_name("npu37");
	struct abi_fw_limits lim = { .runtime_start = gen->va.runtime.start,
				     .runtime_end = gen->va.runtime.end,
				     .shave_max = ABI_FW_SHAVE_MAX,
				     .boot_major = ABI_FW_BOOT_MAJOR,
				     .jsm_major = ABI_FW_JSM_MAJOR };
	struct abi_fw_header hdr;
	char text[256];

	if (abi_fw_image_check(data, size, &lim, text, sizeof(text))) {
		if (!text[0])
			abort(); /* refused without a reason */
		return 0;
	}
	abi_fw_image_header(data, &hdr);
	if (hdr.image_size > size - ABI_FW_IMAGE_OFF ||
	    !reg_range_has(&gen->va.runtime, hdr.image_load_address, hdr.image_size))
		abort();
	abi_fw_image_version(data, text, sizeof(text));
	if (memchr(text, 0, sizeof(text)) == NULL)
		abort();
	return 0;
}
