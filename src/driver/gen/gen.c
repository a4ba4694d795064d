// SPDX-License-Identifier: MIT
#include "driver/gen/gen.h"

static const struct drv_gen_info *const infos[] = { &drv_gen_npu37 };

const struct drv_gen_info *drv_gen_find(const struct reg_gen *gen)
{
	for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++)
		if (infos[i]->gen == gen)
			return infos[i];
	return NULL;
}
