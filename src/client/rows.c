// SPDX-License-Identifier: MIT
#include "client/internal.h"

const struct backend_ops *const backend_rows[] = { &backend_sim, &backend_vfio_user,
						   &backend_npud };
const u32 backend_nr_rows = BASE_ARRAY_SIZE(backend_rows);
