// SPDX-License-Identifier: MIT
/* The ways to reach a service: the rows of rows.c, or of rows_redox.c. */
#include <errno.h>
#include <string.h>

#include "client/internal.h"

const struct backend_ops *backend_by_idx(u32 idx)
{
	return idx < backend_nr_rows ? backend_rows[idx] : NULL;
}

static void list_forms(char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < backend_nr_rows && used < size; i++) {
		int len = snprintf(buf + used, size - used, "%s%s", i ? " or " : "",
				   backend_rows[i]->form);

		used += len > 0 ? (size_t)len : 0;
	}
}

int backend_find(const char *device, const struct backend_ops **out, struct base_err *err)
{
	char forms[300];

	for (u32 i = 0; i < backend_nr_rows; i++) {
		if (strncmp(device, backend_rows[i]->prefix, strlen(backend_rows[i]->prefix)) ==
		    0) {
			*out = backend_rows[i];
			return 0;
		}
	}
	list_forms(forms, sizeof(forms));
	return base_err_set(err, -EINVAL, "device \"%.60s\": unknown kind of device, expected %s",
			    device, forms);
}
