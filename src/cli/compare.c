// SPDX-License-Identifier: MIT
/* Outputs against a reference, by the rule of ONNX's own runner: |got - want| <= atol + rtol |want|. */
#include "cli/cli.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "abi/program.h"

const char *cli_index_text(u64 i, u32 rank, const u32 *dims, char *buf, size_t size)
{
	u64 idx[ABI_MAX_RANK] = { 0 };
	size_t len;

	for (u32 d = rank; d-- > 0;) {
		idx[d] = dims[d] ? i % dims[d] : 0;
		i = dims[d] ? i / dims[d] : 0;
	}
	len = (size_t)snprintf(buf, size, "[");
	for (u32 d = 0; d < rank && len < size; d++)
		len += (size_t)snprintf(buf + len, size - len, "%s%" PRIu64, d ? "," : "", idx[d]);
	if (len < size)
		snprintf(buf + len, size - len, "]");
	return buf;
}

/* How far beyond the tolerance; <= 0 is agreement.  NaN agrees with NaN, infinities with themselves. */
static double excess(double got, double want)
{
	if (isnan(got) || isnan(want))
		return isnan(got) && isnan(want) ? -1 : INFINITY;
	if (isinf(got) || isinf(want))
		return got == want ? -1 : INFINITY;
	return fabs(got - want) - (CLI_ATOL + CLI_RTOL * fabs(want));
}

static bool same_shape(const struct graph_tensor *expected, u32 dtype, u32 rank, const u32 *dims,
		       struct cli_compare *out)
{
	char have[128], want[128];
	s64 wide[ABI_MAX_RANK] = { 0 };
	bool same = expected->dtype == dtype && expected->rank == rank;

	for (u32 i = 0; i < rank; i++) {
		wide[i] = dims[i];
		same = same && expected->dims[i] == wide[i];
	}
	if (!same)
		snprintf(out->why, sizeof(out->why), "is %.64s, the reference is %.64s",
			 cli_shape_text(dtype, rank, wide, have, sizeof(have)),
			 cli_shape_text(expected->dtype, expected->rank, expected->dims, want,
					sizeof(want)));
	return same;
}

void cli_compare(const struct graph_tensor *expected, u32 dtype, u32 rank, const u32 *dims,
		 const void *data, struct cli_compare *out)
{
	double worst = -INFINITY;

	*out = (struct cli_compare){ 0 };
	if (!same_shape(expected, dtype, rank, dims, out))
		return;
	out->nr = expected->size / abi_dtype_size(dtype);
	for (u64 i = 0; i < out->nr; i++) {
		double got = cli_element(dtype, data, i);
		double want = cli_element(dtype, expected->data, i);
		double over = excess(got, want);

		if (over > 0)
			out->nr_bad++;
		if (fabs(got - want) > out->max_abs)
			out->max_abs = fabs(got - want);
		if (over <= worst)
			continue;
		worst = over;
		out->worst = i;
		out->got = got;
		out->expected = want;
	}
	out->ok = !out->nr_bad;
}
