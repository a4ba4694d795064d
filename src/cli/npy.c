// SPDX-License-Identifier: MIT
/*
 * NumPy's .npy, versions 1 to 3.
 * SRC: numpy.lib.format's documentation: magic "\x93NUMPY", u8 major, u8 minor, u16 (1) or u32
 * (2, 3) header length, then a Python dict literal with 'descr', 'fortran_order', 'shape'.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/program.h"
#include "cli/cli.h"

#define MAX_HEADER 65536u

static const struct {
	const char *descr;
	u32 dtype;
} types[] = {
	{ "f4", ABI_F32 }, { "f8", ABI_F64 }, { "f2", ABI_F16 }, { "i1", ABI_S8 },
	{ "u1", ABI_U8 },  { "i2", ABI_S16 }, { "u2", ABI_U16 }, { "i4", ABI_S32 },
	{ "u4", ABI_U32 }, { "i8", ABI_S64 }, { "u8", ABI_U64 }, { "b1", ABI_BOOL },
};

/* Text after "'key':", or NULL. */
static const char *find_value(const char *header, const char *key)
{
	char quoted[32];
	const char *p;

	snprintf(quoted, sizeof(quoted), "'%s'", key);
	p = strstr(header, quoted);
	if (!p)
		return NULL;
	p += strlen(quoted);
	while (isspace((unsigned char)*p) || *p == ':')
		p++;
	return p;
}

static int parse_type(const char *header, u32 *dtype, struct base_err *err)
{
	const char *p = find_value(header, "descr");

	if (!p || (*p != '\'' && *p != '"'))
		return base_err_set(err, -EINVAL, "npy header has no 'descr'");
	p++;
	if (*p == '>')
		return base_err_set(err, -EINVAL, "big-endian npy; save it little-endian");
	if (*p == '<' || *p == '|' || *p == '=')
		p++;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(types); i++) {
		if (!strncmp(p, types[i].descr, 2) && (p[2] == '\'' || p[2] == '"')) {
			*dtype = types[i].dtype;
			return 0;
		}
	}
	return base_err_set(err, -EINVAL, "npy type '%.8s' is not supported", p);
}

static int parse_shape(const char *header, struct graph_tensor *out, struct base_err *err)
{
	const char *p = find_value(header, "shape");

	if (!p || *p != '(')
		return base_err_set(err, -EINVAL, "npy header has no 'shape'");
	for (p++; *p && *p != ')';) {
		char *end;
		long long dim;

		while (isspace((unsigned char)*p) || *p == ',')
			p++;
		if (*p == ')')
			break;
		dim = strtoll(p, &end, 10);
		if (end == p || dim < 0 || dim > UINT32_MAX)
			return base_err_set(err, -EINVAL, "npy shape is malformed at '%.8s'", p);
		if (out->rank >= GRAPH_MAX_RANK)
			return base_err_set(err, -EINVAL, "npy has more than %d dimensions",
					    GRAPH_MAX_RANK);
		out->dims[out->rank++] = dim;
		p = end;
	}
	return *p == ')' ? 0 : base_err_set(err, -EINVAL, "npy shape has no end");
}

static int parse_header(const char *header, struct graph_tensor *out, struct base_err *err)
{
	const char *order = find_value(header, "fortran_order");
	int ret;

	ret = parse_type(header, &out->dtype, err);
	if (ret)
		return ret;
	if (!order || strncmp(order, "False", 5))
		return base_err_set(err, -EINVAL,
				    "npy is in Fortran order; save numpy.ascontiguousarray(x)");
	return parse_shape(header, out, err);
}

static int copy_data(const u8 *data, size_t available, struct graph_tensor *out,
		     struct base_err *err)
{
	u32 dims[GRAPH_MAX_RANK];
	u64 size;

	for (u32 i = 0; i < out->rank; i++)
		dims[i] = (u32)out->dims[i];
	if (!abi_tensor_size(out->dtype, out->rank, dims, &size))
		return base_err_set(err, -EINVAL, "npy shape is too large");
	if (size > available)
		return base_err_set(err, -EINVAL,
				    "npy is cut short: %zu bytes of data, shape says %llu",
				    available, (unsigned long long)size);
	out->name = calloc(1, 1);
	out->data = malloc(size ? size : 1);
	if (!out->name || !out->data) {
		graph_tensor_fini(out);
		return base_err_set(err, -ENOMEM, "out of memory");
	}
	memcpy(out->data, data, size);
	out->size = size;
	return 0;
}

int cli_npy_read(const void *bytes, size_t size, struct graph_tensor *out, struct base_err *err)
{
	const u8 *p = bytes;
	size_t skip, len;
	char *header;
	int ret;

	*out = (struct graph_tensor){ 0 };
	if (size < 12 || memcmp(p, "\x93NUMPY", 6))
		return base_err_set(err, -EINVAL, "not an npy file (wrong magic)");
	if (p[6] < 1 || p[6] > 3)
		return base_err_set(err, -EINVAL, "npy version %u is not known", p[6]);
	skip = p[6] == 1 ? 10 : 12;
	len = (size_t)p[8] | (size_t)p[9] << 8;
	if (p[6] > 1)
		len |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
	if (len > MAX_HEADER || len > size - skip)
		return base_err_set(err, -EINVAL, "npy header length %zu is wrong", len);
	header = base_zalloc(len + 1);
	if (!header)
		return base_err_set(err, -ENOMEM, "out of memory");
	memcpy(header, p + skip, len);
	ret = parse_header(header, out, err);
	base_free(header);
	if (ret)
		return ret;
	return copy_data(p + skip + len, size - skip - len, out, err);
}
