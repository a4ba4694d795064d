// SPDX-License-Identifier: MIT
/* The record of a failed run: written by one side of the device, read by the other. */
#include <string.h>

#include "abi/program.h"

static void make_printable(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void abi_run_error_fill(struct abi_run_error *e, int err, u32 op, const char *text)
{
	memset(e, 0, sizeof(*e));
	e->magic = ABI_RUN_ERROR_MAGIC;
	e->op = op;
	e->errno_abs = err < 0 ? 0u - (u32)err : (u32)err;
	memcpy(e->text, text, strnlen(text, sizeof(e->text) - 1));
	make_printable(e->text, sizeof(e->text));
}

bool abi_run_error_take(const void *src, u32 nr_ops, struct abi_run_error *out)
{
	memcpy(out, src, sizeof(*out));
	if (out->magic != ABI_RUN_ERROR_MAGIC || (out->op >= nr_ops && out->op != ABI_TENSOR_NONE))
		return false;
	make_printable(out->text, sizeof(out->text));
	return out->text[0] != '\0';
}
