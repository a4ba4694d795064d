// SPDX-License-Identifier: MIT
/* Pictures as inputs.  PNG by libpng; PGM, being four numbers and pixels, here. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/program.h"
#include "cli/cli.h"

#define MAX_SIDE 16384u

static int alloc_pixels(u32 width, u32 height, u32 channels, struct cli_image *out,
			struct base_err *err)
{
	if (!width || !height || width > MAX_SIDE || height > MAX_SIDE)
		return base_err_set(err, -EINVAL, "picture of %u x %u pixels; 1 to %u a side",
				    width, height, MAX_SIDE);
	*out = (struct cli_image){ .width = width, .height = height, .channels = channels };
	out->pixels = base_alloc_array((size_t)width * height, channels);
	return out->pixels ? 0 : base_err_set(err, -ENOMEM, "out of memory");
}

static int decode_png(const struct cli_file *file, u32 channels, struct cli_image *out,
		      struct base_err *err)
{
	png_image png = { .version = PNG_IMAGE_VERSION };
	png_color background = { 0, 0, 0 };
	int ret;

	if (!png_image_begin_read_from_memory(&png, file->data, file->size))
		return base_err_set(err, -EINVAL, "PNG: %s", png.message);
	png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
	ret = alloc_pixels(png.width, png.height, channels, out, err);
	if (ret) {
		png_image_free(&png);
		return ret;
	}
	if (!png_image_finish_read(&png, &background, out->pixels, 0, NULL))
		return base_err_set(err, -EINVAL, "PNG: %s", png.message);
	return 0;
}

struct pgm {
	const u8 *p, *end;
};

/* Next decimal number after white space and # comments; -1 if there is none. */
static long pgm_number(struct pgm *in)
{
	long val = 0;

	while (in->p < in->end && (isspace(*in->p) || *in->p == '#')) {
		if (*in->p++ != '#')
			continue;
		while (in->p < in->end && *in->p != '\n')
			in->p++;
	}
	if (in->p == in->end || !isdigit(*in->p))
		return -1;
	while (in->p < in->end && isdigit(*in->p)) {
		val = val * 10 + (*in->p++ - '0');
		if (val > 65535)
			return -1;
	}
	return val;
}

static int pgm_pixels(struct pgm *in, bool is_text, long max, struct cli_image *out,
		      struct base_err *err)
{
	size_t nr = (size_t)out->width * out->height;
	size_t bytes = max > 255 ? 2 : 1;

	for (size_t i = 0; i < nr; i++) {
		long val = -1;

		if (is_text) {
			val = pgm_number(in);
		} else if ((size_t)(in->end - in->p) >= bytes) {
			val = bytes == 2 ? in->p[0] << 8 | in->p[1] : in->p[0];
			in->p += bytes;
		}
		if (val < 0 || val > max)
			return base_err_set(err, -EINVAL,
					    "PGM: pixel %zu of %zu is missing or wrong", i, nr);
		for (u32 c = 0; c < out->channels; c++)
			out->pixels[i * out->channels + c] = (u8)(val * 255 / max);
	}
	return 0;
}

static int decode_pgm(const struct cli_file *file, u32 channels, struct cli_image *out,
		      struct base_err *err)
{
	struct pgm in = { (const u8 *)file->data + 2, (const u8 *)file->data + file->size };
	bool is_text = ((const char *)file->data)[1] == '2';
	long width = pgm_number(&in);
	long height = pgm_number(&in);
	long max = pgm_number(&in);
	int ret;

	if (width < 1 || height < 1 || max < 1)
		return base_err_set(err, -EINVAL, "PGM: bad width, height or maximum");
	ret = alloc_pixels((u32)width, (u32)height, channels, out, err);
	if (ret)
		return ret;
	if (!is_text && in.p < in.end)
		in.p++; /* exactly one white space before binary pixels */
	return pgm_pixels(&in, is_text, max, out, err);
}

int cli_image_decode(const struct cli_file *file, u32 channels, struct cli_image *out,
		     struct base_err *err)
{
	const char *magic = file->data;

	*out = (struct cli_image){ 0 };
	if (file->size > 8 && !memcmp(magic, "\x89PNG\r\n\x1a\n", 8))
		return decode_png(file, channels, out, err);
	if (file->size > 8 && magic[0] == 'P' && (magic[1] == '5' || magic[1] == '2'))
		return decode_pgm(file, channels, out, err);
	return base_err_set(err, -EINVAL, "neither a PNG nor a PGM picture");
}

u32 cli_image_channels(const struct graph_value_info *want)
{
	if (want->rank != 4 || (want->dtype != ABI_F32 && want->dtype != ABI_U8))
		return 0;
	if (want->dims[0] > 1 || (want->dims[1] != 1 && want->dims[1] != 3))
		return 0;
	return (u32)want->dims[1];
}

/* Mean of the source box that pixel (x, y) of a w x h picture covers. */
static double sample(const struct cli_image *im, u32 c, u32 x, u32 y, u32 w, u32 h)
{
	double sx = (double)im->width / w, sy = (double)im->height / h;
	double x0 = x * sx, x1 = (x + 1) * sx, y0 = y * sy, y1 = (y + 1) * sy;
	double sum = 0, area = 0;

	for (u32 j = (u32)y0; j < im->height && j < y1; j++) {
		double hy = fmin(y1, j + 1.0) - fmax(y0, (double)j);

		for (u32 i = (u32)x0; i < im->width && i < x1; i++) {
			double a = hy * (fmin(x1, i + 1.0) - fmax(x0, (double)i));

			sum += a * im->pixels[((size_t)j * im->width + i) * im->channels + c];
			area += a;
		}
	}
	return area > 0 ? sum / area : 0;
}

static void store(struct graph_tensor *t, size_t i, double grey,
		  const struct cli_image_options *opts, u32 c)
{
	double mean = opts->nr_mean ? (double)opts->mean[base_min(c, opts->nr_mean - 1)] : 0;
	double std = opts->nr_std ? (double)opts->std[base_min(c, opts->nr_std - 1)] : 1;

	if (t->dtype == ABI_U8)
		((u8 *)t->data)[i] = (u8)lrint(grey);
	else
		((float *)t->data)[i] = (float)((grey / 255 - mean) / std);
}

/* One character stands for two rows: upper half in the foreground, lower half in the background. */
static void show_cell(double upper, double lower, bool is_terminal)
{
	static const char ramp[] = " .:-=+*#%@";
	int top = 232 + (int)lrint(upper * 23 / 255), bottom = 232 + (int)lrint(lower * 23 / 255);

	if (is_terminal)
		printf("\033[38;5;%dm\033[48;5;%dm\u2580", top, bottom);
	else
		putchar(ramp[(int)lrint((upper + lower) / 2 * 9 / 255)]);
}

void cli_image_show(const struct cli_image *image)
{
	bool is_terminal = isatty(STDOUT_FILENO);
	u32 w = base_min(image->width, 56u);
	u32 h = (u32)((u64)image->height * w / image->width + 1) & ~1u;

	for (u32 y = 0; y + 1 < h; y += 2) {
		fputs("    ", stdout);
		for (u32 x = 0; x < w; x++)
			show_cell(sample(image, 0, x, y, w, h), sample(image, 0, x, y + 1, w, h),
				  is_terminal);
		fputs(is_terminal ? "\033[0m\n" : "\n", stdout);
	}
}

int cli_image_to_tensor(const struct cli_image *image, const struct graph_value_info *want,
			const struct cli_image_options *opts, struct graph_tensor *out,
			struct base_err *err)
{
	u32 h = want->dims[2] < 0 ? image->height : (u32)want->dims[2];
	u32 w = want->dims[3] < 0 ? image->width : (u32)want->dims[3];
	size_t nr = (size_t)h * w;
	size_t elem = abi_dtype_size(want->dtype);

	if (!h || !w || h > MAX_SIDE || w > MAX_SIDE)
		return base_err_set(err, -EINVAL, "input of %u x %u is no picture", w, h);
	*out = (struct graph_tensor){ .dtype = want->dtype,
				      .rank = 4,
				      .dims = { 1, image->channels, h, w } };
	out->size = nr * image->channels * elem;
	out->name = calloc(1, 1);
	out->data = calloc(nr * image->channels, elem);
	if (!out->name || !out->data) {
		graph_tensor_fini(out);
		return base_err_set(err, -ENOMEM, "out of memory");
	}
	for (u32 c = 0; c < image->channels; c++)
		for (u32 y = 0; y < h; y++)
			for (u32 x = 0; x < w; x++)
				store(out, c * nr + (size_t)y * w + x, sample(image, c, x, y, w, h),
				      opts, c);
	return 0;
}
