// SPDX-License-Identifier: MIT
/* TensorProto files: ONNX's data sets.  SRC: onnx.proto TensorProto. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "graph/model.h"

/* malloc(): the public header says so, and the caller frees. */
static void *alloc_result(size_t size)
{
	return base_zalloc(size ? size : 1);
}

static int read_tensor(struct graph_mem *mem, const void *bytes, size_t size,
		       struct graph_tensor *out, struct base_err *err)
{
	struct onnx_tensor tensor = { 0 };
	struct graph_tensor result = { 0 };
	int ret;

	ret = graph_onnx_parse_tensor(mem, bytes, size, &tensor, err);
	if (ret)
		return ret;
	if (!abi_dtype_size(tensor.dtype))
		return base_err_set(err, -EOPNOTSUPP,
				    "tensor '%.60s': element type %u is not supported", tensor.name,
				    tensor.dtype);
	ret = graph_onnx_finish_tensor(&tensor, NULL, err);
	if (ret)
		return ret;
	result.name = base_strdup(tensor.name);
	result.data = alloc_result(tensor.size);
	result.dtype = tensor.dtype;
	result.rank = tensor.rank;
	result.size = tensor.size;
	memcpy(result.dims, tensor.dims, sizeof(result.dims));
	ret = result.name && result.data ? graph_onnx_decode_tensor(&tensor, result.data, err)
					 : graph_no_memory(err);
	if (ret) {
		graph_tensor_fini(&result);
		return ret;
	}
	*out = result;
	return 0;
}

int graph_tensor_read(const void *bytes, size_t size, struct graph_tensor *out,
		      struct graph_error *err)
{
	struct base_err why = { 0 };
	struct graph_mem mem = { 0 };
	int ret;

	ret = read_tensor(&mem, bytes, size, out, &why);
	graph_mem_fini(&mem);
	return ret ? graph_err_out(&why, err) : 0;
}

static u8 *put_varint(u8 *p, u64 value)
{
	while (value > 0x7F) {
		*p++ = (u8)(value | 0x80);
		value >>= 7;
	}
	*p++ = (u8)value;
	return p;
}

static u8 *put_bytes(u8 *p, u32 field, const void *data, size_t size)
{
	p = put_varint(p, field << 3 | 2);
	p = put_varint(p, size);
	if (size)
		memcpy(p, data, size);
	return p + size;
}

int graph_tensor_write(const struct graph_tensor *tensor, void **bytes, size_t *size)
{
	const char *name = graph_str(tensor->name);
	const size_t overhead = (GRAPH_MAX_RANK + 4) * 12; /* each number at most 10 bytes + key */
	size_t total;
	u8 *image, *p;

	if (tensor->rank > GRAPH_MAX_RANK ||
	    __builtin_add_overflow(tensor->size, overhead + strlen(name), &total))
		return -EINVAL;
	image = p = alloc_result(total);
	if (!image)
		return -ENOMEM;
	for (u32 i = 0; i < tensor->rank; i++) {
		p = put_varint(p, 1 << 3);
		p = put_varint(p, (u64)tensor->dims[i]);
	}
	p = put_varint(p, 2 << 3);
	p = put_varint(p, tensor->dtype);
	p = put_bytes(p, 8, name, strlen(name));
	p = put_bytes(p, 9, tensor->data, tensor->size);
	*bytes = image;
	*size = (size_t)(p - image);
	return 0;
}

void graph_tensor_fini(struct graph_tensor *tensor)
{
	base_free(tensor->name);
	base_free(tensor->data);
	*tensor = (struct graph_tensor){ 0 };
}

void graph_free(void *program)
{
	base_free(program);
}
