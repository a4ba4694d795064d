// SPDX-License-Identifier: MIT
/* The generations the model knows. */
#include <string.h>

#include "vnpu/model.h"

static const struct vnpu_gen *const gens[] = { &vnpu_gen_npu37, &vnpu_gen_npu40, &vnpu_gen_npu50,
					       &vnpu_gen_npu60, &vnpu_gen_ref };

const struct vnpu_gen *vnpu_gen_find(const char *name)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(gens); i++)
		if (!strcmp(gens[i]->info->name, name))
			return gens[i];
	return NULL;
}
