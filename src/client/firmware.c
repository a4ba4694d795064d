// SPDX-License-Identifier: MIT
#include "client/firmware.h"

#include <errno.h>

#include "abi/fw_image.h"
#include "abi/ref.h"
#include "regs/gen.h"

bool client_fw_fit(u32 idx, const void *file, size_t size, struct client_fw_fit *out)
{
	const struct reg_gen *gen = reg_gen_by_idx(idx);
	char version[ABI_FW_VERSION_TEXT + 1];

	if (!gen)
		return false;
	*out = (struct client_fw_fit){ .gen = gen->name, .product = gen->ids[0].product };
	out->fits = !drv_fw_check(gen, file, size, out->why, sizeof(out->why));
	out->alien = abi_ref_image_is(file, size) != (gen->fw_format == REG_FW_REF);
	if (!out->alien && size > ABI_FW_IMAGE_OFF) {
		abi_fw_image_version(file, version, sizeof(version));
		out->named = drv_fw_is_marked(gen, version);
	}
	return true;
}

static int no_such(const char *name, struct base_err *err)
{
	char known[128] = "";
	size_t used = 0;

	for (u32 i = 0; reg_gen_by_idx(i) && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 reg_gen_by_idx(i)->name);
	return base_err_set(err, -EINVAL, "no generation is called \"%.60s\", expected one of %s",
			    name, known);
}

int client_fw_make(const char *name, bool hws, void **out, size_t *size, struct base_err *err)
{
	const struct reg_gen *gen = reg_gen_by_name(name);
	int ret;

	if (!gen)
		return no_such(name, err);
	ret = drv_fw_make(gen, hws, out, size);
	if (ret)
		return base_err_set(err, ret, "no image can be made for %s: %s", name,
				    base_err_name(ret));
	return 0;
}
