// SPDX-License-Identifier: MIT
/* SRC: protobuf.dev/programming-guides/encoding; O section 1. */
#include "graph/wire.h"

#include <errno.h>
#include <string.h>

#define MAX_VARINT_BYTES 10u

void graph_wire_init(struct graph_wire_reader *reader, const void *bytes, u64 size)
{
	*reader = (struct graph_wire_reader){ .pos = bytes, .start = bytes };
	reader->end = size ? reader->pos + size : reader->pos;
}

static unsigned long long offset_of(const struct graph_wire_reader *reader)
{
	return (unsigned long long)(reader->pos - reader->start);
}

static int read_varint(struct graph_wire_reader *reader, u64 *out, struct base_err *err)
{
	u64 value = 0;

	for (u32 i = 0; i < MAX_VARINT_BYTES; i++) {
		u8 byte;

		if (reader->pos == reader->end)
			return base_err_set(err, -EINVAL, "number cut off at byte %llu",
					    offset_of(reader));
		byte = *reader->pos++;
		value |= (u64)(byte & 0x7F) << (7 * i);
		if (!(byte & 0x80)) {
			*out = value;
			return 0;
		}
	}
	return base_err_set(err, -EINVAL, "number of more than 10 bytes at byte %llu",
			    offset_of(reader));
}

static int read_fixed(struct graph_wire_reader *reader, u32 size, u64 *out, struct base_err *err)
{
	*out = 0;
	if ((u64)(reader->end - reader->pos) < size)
		return base_err_set(err, -EINVAL, "%u-byte number cut off at byte %llu", size,
				    offset_of(reader));
	memcpy(out, reader->pos, size); /* little endian hosts only, as base/ says */
	reader->pos += size;
	return 0;
}

static int read_bytes(struct graph_wire_reader *reader, struct graph_wire_field *field,
		      struct base_err *err)
{
	u64 left;
	int ret;

	ret = read_varint(reader, &field->size, err);
	if (ret)
		return ret;
	left = (u64)(reader->end - reader->pos);
	if (field->size > left)
		return base_err_set(
			err, -EINVAL,
			"field %u at byte %llu says %llu bytes, %llu are left (file cut?)",
			field->number, offset_of(reader), (unsigned long long)field->size,
			(unsigned long long)left);
	field->bytes = reader->pos;
	reader->pos += field->size;
	return 0;
}

int graph_wire_next(struct graph_wire_reader *reader, struct graph_wire_field *field,
		    struct base_err *err)
{
	u64 key;
	int ret;

	if (reader->pos == reader->end)
		return 0;
	*field = (struct graph_wire_field){ 0 };
	ret = read_varint(reader, &key, err);
	if (ret)
		return ret;
	if (key >> 3 == 0 || key >> 3 > 0x1FFFFFFF)
		return base_err_set(err, -EINVAL, "bad field number at byte %llu",
				    offset_of(reader));
	field->number = (u32)(key >> 3);
	switch (key & 7) {
	case GRAPH_WIRE_VARINT:
		field->type = GRAPH_WIRE_VARINT;
		ret = read_varint(reader, &field->value, err);
		break;
	case GRAPH_WIRE_FIXED64:
		field->type = GRAPH_WIRE_FIXED64;
		ret = read_fixed(reader, 8, &field->value, err);
		break;
	case GRAPH_WIRE_BYTES:
		field->type = GRAPH_WIRE_BYTES;
		ret = read_bytes(reader, field, err);
		break;
	case GRAPH_WIRE_FIXED32:
		field->type = GRAPH_WIRE_FIXED32;
		ret = read_fixed(reader, 4, &field->value, err);
		break;
	default:
		ret = base_err_set(err, -EINVAL, "wire type %u (field %u) at byte %llu not allowed",
				   (u32)(key & 7), field->number, offset_of(reader));
		break;
	}
	return ret ? ret : 1;
}

int graph_wire_scalars_init(struct graph_wire_scalars *it, const struct graph_wire_field *field,
			    enum graph_wire_type type, struct base_err *err)
{
	*it = (struct graph_wire_scalars){ .type = type };
	if (field->type == type) {
		it->is_single = true;
		it->single = field->value;
		return 0;
	}
	if (field->type != GRAPH_WIRE_BYTES)
		return base_err_set(err, -EINVAL, "field %u has wire type %u, expected %u or 2",
				    field->number, (u32)field->type, (u32)type);
	graph_wire_init(&it->reader, field->bytes, field->size);
	return 0;
}

int graph_wire_scalars_next(struct graph_wire_scalars *it, u64 *value, struct base_err *err)
{
	int ret;

	if (it->is_single) {
		it->is_single = false;
		*value = it->single;
		return 1;
	}
	if (it->reader.pos == it->reader.end)
		return 0;
	if (it->type == GRAPH_WIRE_VARINT)
		ret = read_varint(&it->reader, value, err);
	else
		ret = read_fixed(&it->reader, it->type == GRAPH_WIRE_FIXED32 ? 4 : 8, value, err);
	return ret ? ret : 1;
}

float graph_wire_float(u64 bits)
{
	u32 low = (u32)bits;
	float f;

	memcpy(&f, &low, sizeof(f));
	return f;
}

double graph_wire_double(u64 bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}
