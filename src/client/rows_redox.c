// SPDX-License-Identifier: MIT
#include "client/internal.h"

const struct backend_ops *const backend_rows[] = { &backend_scheme };
const u32 backend_nr_rows = BASE_ARRAY_SIZE(backend_rows);
