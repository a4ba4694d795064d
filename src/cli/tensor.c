// SPDX-License-Identifier: MIT
/* Input tensors from files: ONNX TensorProto (.pb), NumPy (.npy), pictures (.png, .pgm). */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "abi/program.h"
#include "kernels/kern.h"

const char *cli_shape_text(u32 dtype, u32 rank, const s64 *dims, char *buf, size_t size)
{
	size_t len = (size_t)snprintf(buf, size, "%s[", abi_dtype_name(dtype));

	for (u32 i = 0; i < rank && len < size; i++)
		len += (size_t)(dims[i] < 0 ? snprintf(buf + len, size - len, "%s?", i ? "," : "")
					    : snprintf(buf + len, size - len, "%s%" PRId64,
						       i ? "," : "", dims[i]));
	if (len < size)
		snprintf(buf + len, size - len, "]");
	return buf;
}

double cli_element(u32 dtype, const void *data, u64 i)
{
	switch ((enum abi_dtype)dtype) {
	case ABI_F32:
		return (double)((const float *)data)[i];
	case ABI_F64:
		return ((const double *)data)[i];
	case ABI_F16:
		return (double)kern_f16_to_f32(((const u16 *)data)[i]);
	case ABI_U8:
	case ABI_BOOL:
		return ((const u8 *)data)[i];
	case ABI_S8:
		return ((const s8 *)data)[i];
	case ABI_U16:
		return ((const u16 *)data)[i];
	case ABI_S16:
		return ((const s16 *)data)[i];
	case ABI_S32:
		return ((const s32 *)data)[i];
	case ABI_U32:
		return ((const u32 *)data)[i];
	case ABI_S64:
		return (double)((const s64 *)data)[i];
	case ABI_U64:
		return (double)((const u64 *)data)[i];
	}
	return NAN;
}

static bool has_suffix(const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	return len >= n && !strcasecmp(path + len - n, suffix);
}

static int load_pb(const struct cli_file *file, struct graph_tensor *out)
{
	struct graph_error err = { 0 };

	if (graph_tensor_read(file->data, file->size, out, &err))
		return cli_fail(CLI_BAD_INPUT, "%s: not a tensor: %s", file->path, err.text);
	return 0;
}

static int load_npy(const struct cli_file *file, struct graph_tensor *out)
{
	struct base_err err = { 0 };

	if (cli_npy_read(file->data, file->size, out, &err))
		return cli_fail(CLI_BAD_INPUT, "%s: %s", file->path, err.text);
	return 0;
}

static int load_image(const struct cli_file *file, const struct graph_value_info *want,
		      const struct cli_image_options *opts, struct graph_tensor *out)
{
	struct cli_image image = { 0 };
	struct base_err err = { 0 };
	u32 channels = want ? cli_image_channels(want) : 0;
	char shape[128];
	int ret;

	if (!channels)
		return cli_fail(CLI_BAD_INPUT,
				"%s is a picture, but input '%s' is %s, not [1, 1 or 3, H, W] of "
				"float32 or uint8; give a .pb or .npy file",
				file->path, want ? want->name : "?",
				want ? cli_shape_text(want->dtype, want->rank, want->dims, shape,
						      sizeof(shape))
				     : "unknown");
	ret = cli_image_decode(file, channels, &image, &err);
	if (!ret)
		ret = cli_image_to_tensor(&image, want, opts, out, &err);
	if (!ret && opts->show)
		cli_image_show(&image);
	base_free(image.pixels);
	return ret ? cli_fail(CLI_BAD_INPUT, "%s: %s", file->path, err.text) : 0;
}

static int load_by_name(const struct cli_file *file, const struct graph_value_info *want,
			const struct cli_image_options *opts, struct graph_tensor *out)
{
	if (has_suffix(file->path, ".pb"))
		return load_pb(file, out);
	if (has_suffix(file->path, ".npy"))
		return load_npy(file, out);
	if (has_suffix(file->path, ".png") || has_suffix(file->path, ".pgm"))
		return load_image(file, want, opts, out);
	return cli_fail(CLI_BAD_INPUT, "%s: unknown kind of file; give .pb, .npy, .png or .pgm",
			file->path);
}

int cli_tensor_load(const char *path, const struct graph_value_info *want,
		    const struct cli_image_options *image, struct graph_tensor *out)
{
	struct cli_file file;
	int ret;

	ret = cli_file_open(path, &file);
	if (ret)
		return ret;
	ret = load_by_name(&file, want, image, out);
	cli_file_close(&file);
	if (ret || !want)
		return ret;
	ret = cli_tensor_check(out, want, path);
	if (ret)
		graph_tensor_fini(out);
	return ret;
}

static bool shapes_agree(const struct graph_tensor *t, const struct graph_value_info *want)
{
	if (!want->is_rank_known)
		return true;
	if (t->rank != want->rank)
		return false;
	for (u32 i = 0; i < t->rank; i++)
		if (want->dims[i] >= 0 && want->dims[i] != t->dims[i])
			return false;
	return true;
}

int cli_tensor_check(const struct graph_tensor *t, const struct graph_value_info *want,
		     const char *from)
{
	char have_text[128], want_text[128];

	cli_shape_text(t->dtype, t->rank, t->dims, have_text, sizeof(have_text));
	cli_shape_text(want->dtype ? want->dtype : t->dtype, want->rank, want->dims, want_text,
		       sizeof(want_text));
	if (want->dtype && t->dtype != want->dtype)
		return cli_fail(
			CLI_BAD_INPUT,
			"%s: wrong type for input '%s': the file has %s, the model wants %s; "
			"convert the file",
			from, want->name, have_text, want_text);
	if (!shapes_agree(t, want))
		return cli_fail(
			CLI_BAD_INPUT,
			"%s: wrong shape for input '%s': the file has %s, the model wants %s", from,
			want->name, have_text, want_text);
	return 0;
}

/* splitmix64; the sum of twelve uniforms is normal enough for test inputs */
static u64 next_random(u64 *state)
{
	u64 z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static float next_normal(u64 *state)
{
	double sum = -6;

	for (u32 i = 0; i < 12; i++)
		sum += (double)(next_random(state) >> 11) * 0x1p-53;
	return (float)sum;
}

static void fill_random(struct graph_tensor *t, u64 nr, u64 seed)
{
	u64 state = seed;

	for (u64 i = 0; i < nr; i++) {
		if (t->dtype == ABI_F32)
			((float *)t->data)[i] = next_normal(&state);
		else if (t->dtype == ABI_F64)
			((double *)t->data)[i] = (double)next_normal(&state);
		else if (t->dtype == ABI_F16)
			((u16 *)t->data)[i] = kern_f32_to_f16(next_normal(&state));
	}
	if (t->dtype == ABI_F32 || t->dtype == ABI_F64 || t->dtype == ABI_F16)
		return;
	for (u64 i = 0; i < nr; i++) /* little endian: a small number in the first byte */
		((u8 *)t->data)[i * abi_dtype_size(t->dtype)] =
			(u8)(next_random(&state) % (t->dtype == ABI_BOOL ? 2 : 10));
}

int cli_tensor_random(const struct graph_value_info *want, u64 seed, struct graph_tensor *out)
{
	u32 dims[ABI_MAX_RANK] = { 0 };
	u64 size;

	*out = (struct graph_tensor){ .dtype = want->dtype, .rank = want->rank };
	for (u32 i = 0; i < want->rank; i++) {
		out->dims[i] = want->dims[i] < 0 ? 1 : want->dims[i];
		dims[i] = (u32)out->dims[i];
	}
	if (!want->is_rank_known || !abi_tensor_size(want->dtype, want->rank, dims, &size))
		return cli_fail(CLI_BAD_INPUT,
				"input '%s' has no known shape; give a file with --input %s=FILE",
				want->name, want->name);
	out->name = calloc(1, 1);
	out->data = malloc(size ? size : 1);
	if (!out->name || !out->data) {
		graph_tensor_fini(out);
		return cli_fail(CLI_FAILED, "out of memory for input '%s' (%" PRIu64 " bytes)",
				want->name, size);
	}
	memset(out->data, 0, size);
	out->size = size;
	fill_random(out, size / abi_dtype_size(want->dtype), seed);
	return 0;
}
