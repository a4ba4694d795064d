// SPDX-License-Identifier: MIT
#include "client/firmware.h"

#include <errno.h>

#include "abi/fw_image.h"
#include "regs/gen.h"

bool client_fw_fit(u32 idx, const void *file, size_t size, struct client_fw_fit *out)
{
	const struct reg_gen *gen = reg_gen_by_idx(idx);
	char version[ABI_FW_VERSION_TEXT + 1];

	if (!gen)
		return false;
	*out = (struct client_fw_fit){ .gen = gen->name, .product = gen->ids[0].product };
	out->fits = !drv_fw_check(gen, file, size, out->why, sizeof(out->why));
	if (size > ABI_FW_IMAGE_OFF) {
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
	struct abi_fw_spec spec;
	void *image;
	int ret;

	if (!gen)
		return no_such(name, err);
	abi_fw_spec_init(&spec, gen->va.runtime.start, gen->va.runtime.end, gen->nnrt_api);
	if (hws)
		spec.jsm_api = ABI_FW_JSM_HWS;
	*size = abi_fw_image_size(&spec);
	image = base_zalloc(*size);
	if (!image)
		return base_err_set(err, -ENOMEM, "no memory for an image of %zu bytes", *size);
	ret = abi_fw_image_write(&spec, image, *size);
	if (ret) {
		base_free(image);
		return base_err_set(err, ret, "no image can be made for %s", name);
	}
	*out = image;
	return 0;
}
