/* SPDX-License-Identifier: MIT */
#ifndef TESTS_IMAGE_H
#define TESTS_IMAGE_H

#include <string.h>

#include "abi/program.h"
#include "base/base.h"

/*
 * A program by hand: y = relu(x + c), two by three floats.
 */
struct image {
	struct abi_prog_header hdr;
	struct abi_prog_tensor tensors[3];
	struct abi_prog_op op;
	uint8_t gap0[32];
	uint32_t operands[16];
	struct abi_attr_binary attr;
	uint8_t gap1[40];
	char names[64];
	float weights[16];
};

static_assert(offsetof(struct image, operands) % 64 == 0, "operands");
static_assert(offsetof(struct image, attr) % 64 == 0, "attributes");
static_assert(offsetof(struct image, names) % 64 == 0, "names");
static_assert(sizeof(struct image) % 64 == 0, "image");

#define SECTION(id, member, len)                         \
	im->hdr.sec[ABI_SEC_##id] = (struct abi_section) \
	{                                                \
		offsetof(struct image, member), len      \
	}

static inline void build_image(struct image *im)
{
	static const uint8_t kinds[] = { ABI_TENSOR_INPUT, ABI_TENSOR_CONST, ABI_TENSOR_OUTPUT };

	memset(im, 0, sizeof(*im));
	im->hdr = (struct abi_prog_header){ .magic = ABI_PROG_MAGIC,
					    .version_major = ABI_PROG_VERSION_MAJOR,
					    .version_minor = ABI_PROG_VERSION_MINOR,
					    .size = sizeof(*im),
					    .nr_inputs = 1,
					    .nr_outputs = 1 };
	SECTION(TENSORS, tensors, sizeof(im->tensors));
	SECTION(OPS, op, sizeof(im->op));
	SECTION(OPERANDS, operands, 3 * sizeof(uint32_t));
	SECTION(ATTRS, attr, sizeof(im->attr));
	SECTION(NAMES, names, sizeof(im->names));
	SECTION(WEIGHTS, weights, sizeof(im->weights));
	for (uint32_t i = 0; i < 3; i++) {
		im->tensors[i] = (struct abi_prog_tensor){
			.kind = kinds[i], .dtype = ABI_F32, .rank = 2, .size = 24, .dims = { 2, 3 }
		};
		im->operands[i] = i;
	}
	im->tensors[0].name = 1;
	im->tensors[2].name = 3;
	memcpy(im->names, "\0x\0y", 5);
	im->op = (struct abi_prog_op){
		.code = ABI_OP_BINARY, .nr_in = 2, .nr_out = 1, .attr_size = sizeof(im->attr)
	};
	im->attr.kind = ABI_BINARY_ADD;
	im->attr.act.kind = ABI_UNARY_RELU;
	for (uint32_t i = 0; i < 6; i++)
		im->weights[i] = 0.5f;
	im->hdr.content_hash = base_hash64(im->tensors, sizeof(*im) - sizeof(im->hdr), 0);
}

#endif
