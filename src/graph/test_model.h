/* SPDX-License-Identifier: MIT */
/* For tests: ONNX models written field by field. */
#ifndef GRAPH_TEST_MODEL_H
#define GRAPH_TEST_MODEL_H

#include <stdlib.h>
#include <string.h>

#include <npu/graph.h>

#include "base/base.h"

struct pb {
	u8 *data;
	size_t size, cap;
};

static inline void pb_raw(struct pb *pb, const void *data, size_t size)
{
	if (pb->size + size >= pb->cap) {
		pb->cap = (pb->size + size) * 2 + 16;
		pb->data = realloc(pb->data, pb->cap);
		if (!pb->data)
			abort();
	}
	if (size)
		memcpy(pb->data + pb->size, data, size);
	pb->size += size;
}

static inline void pb_varint(struct pb *pb, u64 v)
{
	do {
		u8 byte = (u8)((v & 0x7F) | (v > 0x7F ? 0x80 : 0));

		pb_raw(pb, &byte, 1);
		v >>= 7;
	} while (v);
}

static inline void pb_int(struct pb *pb, u32 field, s64 v)
{
	pb_varint(pb, field << 3);
	pb_varint(pb, (u64)v);
}

static inline void pb_float(struct pb *pb, u32 field, float f)
{
	pb_varint(pb, field << 3 | 5);
	pb_raw(pb, &f, sizeof(f));
}

static inline void pb_bytes(struct pb *pb, u32 field, const void *data, size_t size)
{
	pb_varint(pb, field << 3 | 2);
	pb_varint(pb, size);
	pb_raw(pb, data, size);
}

static inline void pb_str(struct pb *pb, u32 field, const char *s)
{
	pb_bytes(pb, field, s, strlen(s));
}

static inline void pb_free(struct pb *pb)
{
	free(pb->data);
	*pb = (struct pb){ 0 };
}

/* @sub as a message, and it is gone. */
static inline void pb_msg(struct pb *pb, u32 field, struct pb *sub)
{
	pb_bytes(pb, field, sub->data, sub->size);
	pb_free(sub);
}

/* Attributes of a node: each call adds one to @node, field 5. */
static inline void attr_int(struct pb *node, const char *name, s64 v)
{
	struct pb attr = { 0 };

	pb_str(&attr, 1, name);
	pb_int(&attr, 3, v);
	pb_int(&attr, 20, 2);
	pb_msg(node, 5, &attr);
}

static inline void attr_float(struct pb *node, const char *name, float v)
{
	struct pb attr = { 0 };

	pb_str(&attr, 1, name);
	pb_float(&attr, 2, v);
	pb_int(&attr, 20, 1);
	pb_msg(node, 5, &attr);
}

static inline void attr_str(struct pb *node, const char *name, const char *v)
{
	struct pb attr = { 0 };

	pb_str(&attr, 1, name);
	pb_str(&attr, 4, v);
	pb_int(&attr, 20, 3);
	pb_msg(node, 5, &attr);
}

static inline void attr_ints(struct pb *node, const char *name, u32 nr, const s64 *v)
{
	struct pb attr = { 0 };

	pb_str(&attr, 1, name);
	for (u32 i = 0; i < nr; i++)
		pb_int(&attr, 8, v[i]);
	pb_int(&attr, 20, 7);
	pb_msg(node, 5, &attr);
}

/* TensorProto with raw data. */
static inline struct pb tensor_pb(const char *name, u32 dtype, u32 rank, const s64 *dims,
				  const void *data, size_t size)
{
	struct pb t = { 0 };

	for (u32 i = 0; i < rank; i++)
		pb_int(&t, 1, dims[i]);
	pb_int(&t, 2, dtype);
	pb_str(&t, 8, name);
	pb_bytes(&t, 9, data, size);
	return t;
}

static inline void attr_tensor(struct pb *node, const char *name, struct pb *tensor)
{
	struct pb attr = { 0 };

	pb_str(&attr, 1, name);
	pb_msg(&attr, 5, tensor);
	pb_int(&attr, 20, 4);
	pb_msg(node, 5, &attr);
}

struct tm_model {
	struct pb graph, functions, file;
	s64 ir_version, opset;
};

static inline void tm_init(struct tm_model *tm, s64 opset)
{
	*tm = (struct tm_model){ .ir_version = 8, .opset = opset };
}

static inline struct pb value_pb(const char *name, u32 dtype, u32 rank, const s64 *dims)
{
	struct pb value = { 0 }, type = { 0 }, tensor = { 0 }, shape = { 0 };

	for (u32 i = 0; i < rank; i++) {
		struct pb dim = { 0 };

		if (dims[i] >= 0)
			pb_int(&dim, 1, dims[i]);
		else
			pb_str(&dim, 2, "N");
		pb_msg(&shape, 1, &dim);
	}
	pb_int(&tensor, 1, dtype);
	pb_msg(&tensor, 2, &shape);
	pb_msg(&type, 1, &tensor);
	pb_str(&value, 1, name);
	pb_msg(&value, 2, &type);
	return value;
}

static inline void tm_input(struct tm_model *tm, const char *name, u32 dtype, u32 rank,
			    const s64 *dims)
{
	struct pb value = value_pb(name, dtype, rank, dims);

	pb_msg(&tm->graph, 11, &value);
}

static inline void tm_output(struct tm_model *tm, const char *name)
{
	struct pb value = { 0 };

	pb_str(&value, 1, name);
	pb_msg(&tm->graph, 12, &value);
}

static inline void tm_init_raw(struct tm_model *tm, const char *name, u32 dtype, u32 rank,
			       const s64 *dims, const void *data, size_t size)
{
	struct pb t = tensor_pb(name, dtype, rank, dims, data, size);

	pb_msg(&tm->graph, 5, &t);
}

static inline void tm_init_s64(struct tm_model *tm, const char *name, u32 nr, const s64 *data)
{
	const s64 dim = nr;

	tm_init_raw(tm, name, 7, 1, &dim, data, nr * sizeof(*data));
}

/* Seeded values in -1 .. 1, or in @low .. @high. */
static inline float tm_random(u32 *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (float)(*seed >> 8) / 8388608.0f - 1.0f;
}

static inline void tm_init_f32(struct tm_model *tm, const char *name, u32 rank, const s64 *dims,
			       u32 seed)
{
	size_t nr = 1;
	float *data;

	for (u32 i = 0; i < rank; i++)
		nr *= (size_t)dims[i];
	data = malloc(nr * sizeof(*data) + 1);
	if (!data)
		abort();
	for (size_t i = 0; i < nr; i++)
		data[i] = tm_random(&seed);
	tm_init_raw(tm, name, 1, rank, dims, data, nr * sizeof(*data));
	free(data);
}

/* "a,b,,c": names between commas. */
static inline void pb_names(struct pb *pb, u32 field, const char *names)
{
	while (*names) {
		size_t len = strcspn(names, ",");

		pb_bytes(pb, field, names, len);
		names += len + (names[len] == ',');
	}
}

static inline struct pb node_pb(const char *op, const char *in, const char *out, struct pb *attrs)
{
	struct pb node = { 0 };

	pb_names(&node, 1, in);
	pb_names(&node, 2, out);
	pb_str(&node, 4, op);
	pb_str(&node, 3, out);
	if (attrs) {
		pb_raw(&node, attrs->data, attrs->size);
		pb_free(attrs);
	}
	return node;
}

static inline void tm_node(struct tm_model *tm, const char *op, const char *in, const char *out,
			   struct pb *attrs)
{
	struct pb node = node_pb(op, in, out, attrs);

	pb_msg(&tm->graph, 1, &node);
}

static inline void opset_pb(struct pb *pb, u32 field, const char *domain, s64 version)
{
	struct pb opset = { 0 };

	pb_str(&opset, 1, domain);
	pb_int(&opset, 2, version);
	pb_msg(pb, field, &opset);
}

/* The file; tm->file owns it. */
static inline const struct pb *tm_finish(struct tm_model *tm)
{
	pb_int(&tm->file, 1, tm->ir_version);
	opset_pb(&tm->file, 8, "", tm->opset);
	pb_msg(&tm->file, 7, &tm->graph);
	pb_raw(&tm->file, tm->functions.data, tm->functions.size);
	pb_free(&tm->functions);
	return &tm->file;
}

static inline void tm_fini(struct tm_model *tm)
{
	pb_free(&tm->graph);
	pb_free(&tm->functions);
	pb_free(&tm->file);
}

#endif
