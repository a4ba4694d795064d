// SPDX-License-Identifier: MIT
/* Outputs for people and for scripts. */
#include "cli/cli.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "abi/program.h"

#define TOP_K	  5u
#define MAX_SHOWN 8u

bool cli_is_class_vector(const struct npu_tensor_info *info)
{
	if (!info->rank || (info->dtype != ABI_F32 && info->dtype != ABI_F16))
		return false;
	for (u32 i = 0; i + 1 < info->rank; i++)
		if (info->dims[i] != 1)
			return false;
	return info->dims[info->rank - 1] >= 2;
}

u32 cli_top(u32 dtype, const void *data, u64 nr, u32 *idx, u32 k)
{
	u32 have = 0;

	for (u64 i = 0; i < nr; i++) {
		double val = cli_element(dtype, data, i);
		u32 at = have;

		while (at && cli_element(dtype, data, idx[at - 1]) < val)
			at--;
		if (at >= k)
			continue;
		have = have < k ? have + 1 : k;
		memmove(&idx[at + 1], &idx[at], (have - at - 1) * sizeof(*idx));
		idx[at] = (u32)i;
	}
	return have;
}

static void print_top(const struct npu_tensor_info *info, const void *data, char *const *labels,
		      u32 nr_labels)
{
	u32 idx[TOP_K + 1];
	u32 nr = cli_top(info->dtype, data, info->dims[info->rank - 1], idx, TOP_K);

	for (u32 i = 0; i < nr; i++)
		printf("  %8.5f  class %u%s%s\n", cli_element(info->dtype, data, idx[i]), idx[i],
		       idx[i] < nr_labels ? "  " : "", idx[i] < nr_labels ? labels[idx[i]] : "");
}

static void print_values(const struct npu_tensor_info *info, const void *data)
{
	u64 nr = info->size / abi_dtype_size(info->dtype);
	double lo = INFINITY, hi = -INFINITY, sum = 0;

	printf(" ");
	for (u64 i = 0; i < nr && i < MAX_SHOWN; i++)
		printf(" %.6g", cli_element(info->dtype, data, i));
	for (u64 i = 0; i < nr; i++) {
		double v = cli_element(info->dtype, data, i);

		lo = fmin(lo, v);
		hi = fmax(hi, v);
		sum += v;
	}
	if (nr > MAX_SHOWN)
		printf(" ...  (%" PRIu64 " values, min %.6g, mean %.6g, max %.6g)", nr, lo,
		       sum / (double)nr, hi);
	putchar('\n');
}

void cli_print_output(const struct npu_tensor_info *info, const void *data, char *const *labels,
		      u32 nr_labels)
{
	s64 dims[ABI_MAX_RANK] = { 0 };
	char shape[128];

	for (u32 i = 0; i < info->rank; i++)
		dims[i] = info->dims[i];
	printf("output %s  %s\n", info->name,
	       cli_shape_text(info->dtype, info->rank, dims, shape, sizeof(shape)));
	if (cli_is_class_vector(info))
		print_top(info, data, labels, nr_labels);
	else
		print_values(info, data);
}

void cli_json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", (unsigned)(unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('"');
}
