// SPDX-License-Identifier: MIT
/* The ways to reach a service.  A transport adds its row here. */
#include <errno.h>
#include <string.h>

#include "client/internal.h"

static const struct backend_ops *const backends[] = { &backend_sim, &backend_vfio_user,
						      &backend_npud };

const struct backend_ops *backend_by_idx(u32 idx)
{
	return idx < BASE_ARRAY_SIZE(backends) ? backends[idx] : NULL;
}

static void list_forms(char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < BASE_ARRAY_SIZE(backends) && used < size; i++) {
		int len = snprintf(buf + used, size - used, "%s%s", i ? " or " : "",
				   backends[i]->form);

		used += len > 0 ? (size_t)len : 0;
	}
}

int backend_find(const char *device, const struct backend_ops **out, struct base_err *err)
{
	char forms[300];

	for (u32 i = 0; i < BASE_ARRAY_SIZE(backends); i++) {
		if (strncmp(device, backends[i]->prefix, strlen(backends[i]->prefix)) == 0) {
			*out = backends[i];
			return 0;
		}
	}
	list_forms(forms, sizeof(forms));
	return base_err_set(err, -EINVAL, "device \"%.60s\": unknown kind of device, expected %s",
			    device, forms);
}
