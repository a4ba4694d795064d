/* SPDX-License-Identifier: MIT */
/*
 * Protocol-buffer wire format: fields out of bytes, in place.  Never copies, never recurses: a
 * nested message is a range of bytes to be read by another reader.
 */
#ifndef GRAPH_WIRE_H
#define GRAPH_WIRE_H

#include "base/base.h"

enum graph_wire_type {
	GRAPH_WIRE_VARINT = 0,
	GRAPH_WIRE_FIXED64 = 1,
	GRAPH_WIRE_BYTES = 2,
	GRAPH_WIRE_FIXED32 = 5, /* 3 and 4, groups, are refused */
};

struct graph_wire_reader {
	const u8 *pos, *end;
	const u8 *start; /* for offsets in error texts */
};

struct graph_wire_field {
	u32 number;
	enum graph_wire_type type;
	u64 value;	 /* varint, or the bits of a fixed field */
	const u8 *bytes; /* GRAPH_WIRE_BYTES */
	u64 size;
};

void graph_wire_init(struct graph_wire_reader *reader, const void *bytes, u64 size);
/** graph_wire_next() - the next field: 1, 0 at the end, or -EINVAL. */
int graph_wire_next(struct graph_wire_reader *reader, struct graph_wire_field *field,
		    struct base_err *err) BASE_WARN_UNUSED;

/*
 * A repeated scalar comes one per field or packed in a byte range; both give the same values.
 */
struct graph_wire_scalars {
	struct graph_wire_reader reader; /* the packed bytes */
	enum graph_wire_type type;
	bool is_single;
	u64 single;
};

/** graph_wire_scalars_init() - values of @field, each of wire type @type; -EINVAL for another type. */
int graph_wire_scalars_init(struct graph_wire_scalars *it, const struct graph_wire_field *field,
			    enum graph_wire_type type, struct base_err *err) BASE_WARN_UNUSED;
/** graph_wire_scalars_next() - 1 with *value, 0 at the end, or -EINVAL. */
int graph_wire_scalars_next(struct graph_wire_scalars *it, u64 *value,
			    struct base_err *err) BASE_WARN_UNUSED;

float graph_wire_float(u64 bits);
double graph_wire_double(u64 bits);

#endif
