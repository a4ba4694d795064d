// SPDX-License-Identifier: MIT
/*
 * Firmware image acceptance: any file, any size, each generation.  A refusal has a reason; an accepted
 * image must hold what was promised.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/fw_image.h"
#include "abi/ref.h"
#include "base/base.h"
#include "driver/driver.h"
#include "regs/gen.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void expect(bool good)
{
	if (!good)
		abort();
}

static void expect_vpu(const struct reg_gen *gen, const u8 *data, size_t size)
{
	struct abi_fw_header h;

	abi_fw_image_header(data, &h);
	expect(h.image_size <= size - ABI_FW_IMAGE_OFF);
	expect(reg_range_has(&gen->va.runtime, h.image_load_address, h.image_size));
	expect(reg_range_has(&gen->va.runtime, h.boot_params_load_address, BASE_PAGE_SIZE));
	expect(h.entry_point >= h.image_load_address &&
	       h.entry_point - h.image_load_address < h.image_size);
	expect(!(h.boot_params_load_address % BASE_PAGE_SIZE));
}

static void expect_accepted(const struct reg_gen *gen, const u8 *data, size_t size)
{
	char text[256];

	if (gen->fw_format == REG_FW_REF) {
		expect(abi_ref_image_is(data, size));
		abi_ref_image_version(data, text, sizeof(text));
		expect(text[0] != '\0'); /* the check refuses an image without one */
	} else {
		expect_vpu(gen, data, size);
		abi_fw_image_version(data, text, sizeof(text));
	}
	expect(memchr(text, 0, sizeof(text)) != NULL);
	(void)drv_fw_is_marked(gen, text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char why[DRV_FW_WHY];

	for (u32 i = 0; reg_gen_by_idx(i); i++) {
		const struct reg_gen *gen = reg_gen_by_idx(i);

		if (drv_fw_check(gen, data, size, why, sizeof(why)))
			expect(why[0] != '\0');
		else
			expect_accepted(gen, data, size);
	}
	return 0;
}
