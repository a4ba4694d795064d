// SPDX-License-Identifier: MIT
#include "client/internal.h"

static _Thread_local struct base_err last_error;

struct base_err *client_err(void)
{
	return &last_error;
}

const char *npu_last_error(void)
{
	return last_error.text;
}
