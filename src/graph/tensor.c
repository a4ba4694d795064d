// SPDX-License-Identifier: MIT
/*
 * TensorProto: shapes and where the bytes are.  SRC: onnx.proto TensorProto; O section 1 (raw data
 * is unaligned, scalars packed or not, external data and its path rules).
 */
#include <errno.h>
#include <string.h>

#include "graph/onnx.h"
#include "graph/wire.h"

enum {
	F_DIMS = 1,
	F_DTYPE = 2,
	F_SEGMENT = 3,
	F_FLOATS = 4,
	F_INT32S = 5,
	F_STRINGS = 6,
	F_INT64S = 7,
	F_NAME = 8,
	F_RAW = 9,
	F_DOUBLES = 10,
	F_UINT64S = 11,
	F_EXTERNAL = 13,
	F_LOCATION = 14,
};

/* Which field holds a type's elements, and how they are written. */
struct storage {
	u32 dtype, field;
	enum graph_wire_type wire;
};

static const struct storage storages[] = {
	{ ABI_F32, F_FLOATS, GRAPH_WIRE_FIXED32 }, { ABI_U8, F_INT32S, GRAPH_WIRE_VARINT },
	{ ABI_S8, F_INT32S, GRAPH_WIRE_VARINT },   { ABI_U16, F_INT32S, GRAPH_WIRE_VARINT },
	{ ABI_S16, F_INT32S, GRAPH_WIRE_VARINT },  { ABI_S32, F_INT32S, GRAPH_WIRE_VARINT },
	{ ABI_S64, F_INT64S, GRAPH_WIRE_VARINT },  { ABI_BOOL, F_INT32S, GRAPH_WIRE_VARINT },
	{ ABI_F16, F_INT32S, GRAPH_WIRE_VARINT },  { ABI_F64, F_DOUBLES, GRAPH_WIRE_FIXED64 },
	{ ABI_U32, F_UINT64S, GRAPH_WIRE_VARINT }, { ABI_U64, F_UINT64S, GRAPH_WIRE_VARINT },
};

static const struct storage *storage_of(u32 dtype)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(storages); i++)
		if (storages[i].dtype == dtype)
			return &storages[i];
	return NULL;
}

static int add_dims(struct onnx_tensor *tensor, const struct graph_wire_field *field,
		    struct base_err *err)
{
	struct graph_wire_scalars it;
	u64 dim;
	int ret;

	ret = graph_wire_scalars_init(&it, field, GRAPH_WIRE_VARINT, err);
	if (ret)
		return ret;
	while ((ret = graph_wire_scalars_next(&it, &dim, err)) > 0) {
		if (tensor->rank == ABI_MAX_RANK)
			return base_err_set(err, -EOPNOTSUPP, "more than %u dimensions",
					    ABI_MAX_RANK);
		tensor->dims[tensor->rank++] = (s64)dim;
	}
	return ret;
}

static int parse_decimal(const char *s, u64 *out, struct base_err *err)
{
	u64 value = 0;

	if (!*s)
		return base_err_set(err, -EINVAL, "external data: empty number");
	for (const char *p = s; *p; p++) {
		if (*p < '0' || *p > '9' || !base_mul_u64(value, 10, &value) ||
		    !base_add_u64(value, (u64)(*p - '0'), &value))
			return base_err_set(err, -EINVAL, "external data: '%s' is not a number", s);
	}
	*out = value;
	return 0;
}

/* StringStringEntryProto: location, offset, length; checksum and others are ignored. */
static int add_external(struct graph_mem *mem, struct onnx_tensor *tensor,
			const struct graph_wire_field *entry, struct base_err *err)
{
	const char *key = "", *value = "";
	struct graph_wire_reader reader;
	struct graph_wire_field field;
	int ret;

	graph_wire_init(&reader, entry->bytes, entry->size);
	while ((ret = graph_wire_next(&reader, &field, err)) > 0) {
		if (field.number == 1)
			ret = graph_onnx_string(mem, &field, &key, err);
		else if (field.number == 2)
			ret = graph_onnx_string(mem, &field, &value, err);
		if (ret < 0)
			return ret;
	}
	if (ret)
		return ret;
	if (!strcmp(key, "location"))
		tensor->location = value;
	else if (!strcmp(key, "offset"))
		return parse_decimal(value, &tensor->offset, err);
	else if (!strcmp(key, "length"))
		return parse_decimal(value, &tensor->length, err);
	return 0;
}

static int tensor_field(struct graph_mem *mem, struct onnx_tensor *tensor,
			const struct graph_wire_field *field, struct base_err *err)
{
	int ret;

	switch (field->number) {
	case F_DIMS:
		return add_dims(tensor, field, err);
	case F_DTYPE:
		tensor->dtype = (u32)field->value;
		return graph_onnx_expect(field, GRAPH_WIRE_VARINT, err);
	case F_SEGMENT:
		return base_err_set(err, -EOPNOTSUPP, "segmented tensors are not supported");
	case F_NAME:
		return graph_onnx_string(mem, field, &tensor->name, err);
	case F_RAW:
		ret = graph_onnx_expect(field, GRAPH_WIRE_BYTES, err);
		tensor->raw = field->bytes;
		tensor->raw_size = field->size;
		return ret;
	case F_EXTERNAL:
		ret = graph_onnx_expect(field, GRAPH_WIRE_BYTES, err);
		return ret ? ret : add_external(mem, tensor, field, err);
	case F_LOCATION:
		tensor->is_external = field->value == 1;
		return graph_onnx_expect(field, GRAPH_WIRE_VARINT, err);
	default:
		return 0;
	}
}

int graph_onnx_parse_tensor(struct graph_mem *mem, const u8 *bytes, u64 size,
			    struct onnx_tensor *tensor, struct base_err *err)
{
	struct onnx_part *part = graph_mem_alloc(mem, 1, sizeof(*part));
	struct onnx_part **tail = &tensor->parts;
	struct graph_wire_reader reader;
	struct graph_wire_field field;
	int ret;

	if (!part)
		return graph_no_memory(err);
	*part = (struct onnx_part){ .bytes = bytes, .size = size };
	while (*tail)
		tail = &(*tail)->next;
	*tail = part;
	if (!tensor->name)
		tensor->name = "";
	graph_wire_init(&reader, bytes, size);
	while ((ret = graph_wire_next(&reader, &field, err)) > 0) {
		ret = tensor_field(mem, tensor, &field, err);
		if (ret < 0)
			break;
	}
	if (ret < 0)
		base_err_prefix(err, "tensor '%.60s'", tensor->name);
	return ret;
}

static void store_element(u8 *dst, u32 dtype, u64 value)
{
	u8 truth = value != 0;

	if (dtype == ABI_BOOL)
		*dst = truth;
	else
		memcpy(dst, &value, abi_dtype_size(dtype)); /* low bytes: little endian */
}

/* Walks the typed field; dst NULL: only counts. */
static int walk_typed(const struct onnx_tensor *tensor, u8 *dst, u64 *nr, struct base_err *err)
{
	const struct storage *st = storage_of(tensor->dtype);
	u32 elem = abi_dtype_size(tensor->dtype);
	struct graph_wire_reader reader;
	struct graph_wire_scalars it;
	struct graph_wire_field field;
	u64 value;
	int ret = 0;

	*nr = 0;
	for (const struct onnx_part *part = tensor->parts; part && st; part = part->next) {
		graph_wire_init(&reader, part->bytes, part->size);
		while ((ret = graph_wire_next(&reader, &field, err)) > 0) {
			if (field.number != st->field)
				continue;
			ret = graph_wire_scalars_init(&it, &field, st->wire, err);
			if (ret)
				return ret;
			while ((ret = graph_wire_scalars_next(&it, &value, err)) > 0) {
				if (dst)
					store_element(dst + *nr * elem, tensor->dtype, value);
				(*nr)++;
			}
			if (ret)
				return ret;
		}
		if (ret)
			return ret;
	}
	return 0;
}

/* Absolute and parent-relative names are refused.  SRC: O section 1 (CVE-2022-25882 and others). */
static int check_location(const char *location, struct base_err *err)
{
	const char *p = location;

	if (!location || !*location)
		return base_err_set(err, -EINVAL, "external data without a location");
	if (*location == '/')
		return base_err_set(err, -EINVAL,
				    "external data '%.100s': absolute names are refused", location);
	while (*p) {
		size_t len = strcspn(p, "/\\");

		if (len == 2 && p[0] == '.' && p[1] == '.')
			return base_err_set(err, -EINVAL,
					    "external data '%.100s': names with '..' are refused",
					    location);
		p += len + (p[len] != 0);
	}
	return 0;
}

static int load_external(struct onnx_tensor *tensor, const struct graph_external *external,
			 struct base_err *err)
{
	const void *data = NULL;
	u64 size = 0, end;
	int ret;

	ret = check_location(tensor->location, err);
	if (ret)
		return ret;
	if (!external || !external->load)
		return base_err_set(
			err, -EOPNOTSUPP,
			"its data is in another file ('%.100s'), and no reader of external data was given",
			tensor->location);
	if (tensor->length && tensor->length != tensor->size)
		return base_err_set(
			err, -EINVAL, "external length is %llu bytes, its shape needs %llu",
			(unsigned long long)tensor->length, (unsigned long long)tensor->size);
	if (!base_add_u64(tensor->offset, tensor->size, &end))
		return base_err_set(err, -EINVAL, "external offset %llu is too large",
				    (unsigned long long)tensor->offset);
	ret = external->load(external->opaque, tensor->location, tensor->offset, tensor->size,
			     &data, &size);
	if (ret)
		return base_err_set(err, ret, "cannot read external data '%.100s' (%s)",
				    tensor->location, base_err_name(ret));
	if (size < tensor->size || (!data && tensor->size))
		return base_err_set(err, -EINVAL,
				    "external data '%.100s' has %llu bytes, expected %llu",
				    tensor->location, (unsigned long long)size,
				    (unsigned long long)tensor->size);
	tensor->raw = data;
	tensor->raw_size = tensor->size;
	return 0;
}

static int check_shape(struct onnx_tensor *tensor, struct base_err *err)
{
	u32 dims[ABI_MAX_RANK];

	for (u32 i = 0; i < tensor->rank; i++) {
		if (tensor->dims[i] < 0 || tensor->dims[i] > UINT32_MAX)
			return base_err_set(err, -EINVAL, "dimension %u is %lld", i,
					    (long long)tensor->dims[i]);
		dims[i] = (u32)tensor->dims[i];
	}
	if (!abi_tensor_size(tensor->dtype, tensor->rank, dims, &tensor->size))
		return base_err_set(err, -EINVAL, "dimensions are too large");
	return 0;
}

static int check_data(struct onnx_tensor *tensor, struct base_err *err)
{
	u64 have = tensor->raw_size;
	int ret;

	if (!tensor->raw) {
		ret = walk_typed(tensor, NULL, &tensor->nr_typed, err);
		if (ret)
			return ret;
		have = tensor->nr_typed * abi_dtype_size(tensor->dtype);
	}
	if (have != tensor->size)
		return base_err_set(err, -EINVAL, "has %llu bytes of data, its shape needs %llu",
				    (unsigned long long)have, (unsigned long long)tensor->size);
	return 0;
}

int graph_onnx_finish_tensor(struct onnx_tensor *tensor, const struct graph_external *external,
			     struct base_err *err)
{
	int ret = 0;

	if (!abi_dtype_size(tensor->dtype))
		return 0;
	ret = check_shape(tensor, err);
	if (!ret && tensor->is_external)
		ret = load_external(tensor, external, err);
	else if (!ret)
		ret = check_data(tensor, err);
	if (ret)
		base_err_prefix(err, "tensor '%.60s'", tensor->name);
	return ret;
}

int graph_onnx_decode_tensor(const struct onnx_tensor *tensor, void *dst, struct base_err *err)
{
	const u8 *raw = tensor->raw;
	u8 *out = dst;
	u64 nr;

	if (!raw)
		return walk_typed(tensor, dst, &nr, err);
	if (tensor->dtype == ABI_BOOL)
		for (u64 i = 0; i < tensor->size; i++)
			out[i] = raw[i] != 0;
	else if (tensor->size)
		memcpy(dst, raw, tensor->size);
	return 0;
}
