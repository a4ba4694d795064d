// SPDX-License-Identifier: MIT
/* One small valid image; each test damages one thing and names the sentence it wants. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/program.h"

enum { T_IN, T_CONST, T_MID, T_VIEW, T_OUT, NR_T };
enum { OP_ADD, OP_RELU, OP_COPY, NR_O };

/*
 * mid = in + const; mid = relu(mid) in place; out = copy(view), view an alias of mid.
 * Every section starts at a multiple of 64; the pad fields make the gaps.
 */
struct image {
	struct abi_prog_header hdr;
	struct abi_prog_tensor tensors[NR_T];
	struct abi_prog_op ops[NR_O];
	u8 gap0[32];
	u32 operands[16];
	struct abi_attr_binary add;
	struct abi_attr_unary relu;
	struct abi_attr_shape copy;
	u8 gap1[48];
	char names[64];
	float weights[16];
};

static_assert(offsetof(struct image, operands) % 64 == 0, "operands");
static_assert(offsetof(struct image, add) % 64 == 0, "attrs");
static_assert(offsetof(struct image, names) % 64 == 0, "names");
static_assert(sizeof(struct image) % 64 == 0, "image");

#define OFF(member) offsetof(struct image, member)

static void seal(struct image *im)
{
	im->hdr.content_hash =
		base_hash64((const u8 *)im + sizeof(im->hdr), sizeof(*im) - sizeof(im->hdr), 0);
}

static struct abi_prog_tensor tensor(u8 kind, u64 off)
{
	return (struct abi_prog_tensor){
		.kind = kind, .dtype = ABI_F32, .rank = 2, .off = off, .size = 24, .dims = { 2, 3 }
	};
}

static void fill_sections(struct image *im)
{
	struct abi_section *sec = im->hdr.sec;

	sec[ABI_SEC_TENSORS] = (struct abi_section){ OFF(tensors), sizeof(im->tensors) };
	sec[ABI_SEC_OPS] = (struct abi_section){ OFF(ops), sizeof(im->ops) };
	sec[ABI_SEC_OPERANDS] = (struct abi_section){ OFF(operands), 7 * sizeof(u32) };
	sec[ABI_SEC_ATTRS] = (struct abi_section){ OFF(add), OFF(gap1) - OFF(add) };
	sec[ABI_SEC_NAMES] = (struct abi_section){ OFF(names), sizeof(im->names) };
	sec[ABI_SEC_WEIGHTS] = (struct abi_section){ OFF(weights), sizeof(im->weights) };
}

static void fill_ops(struct image *im)
{
	static const u32 operands[7] = { T_IN, T_CONST, T_MID, T_MID, T_MID, T_VIEW, T_OUT };

	im->ops[OP_ADD] = (struct abi_prog_op){
		.code = ABI_OP_BINARY, .nr_in = 2, .nr_out = 1, .attr_size = sizeof(im->add)
	};
	im->ops[OP_RELU] = (struct abi_prog_op){ .code = ABI_OP_UNARY,
						 .nr_in = 1,
						 .nr_out = 1,
						 .operand = 3,
						 .attr = (u32)(OFF(relu) - OFF(add)),
						 .attr_size = sizeof(im->relu) };
	im->ops[OP_COPY] = (struct abi_prog_op){ .code = ABI_OP_COPY,
						 .nr_in = 1,
						 .nr_out = 1,
						 .operand = 5,
						 .attr = (u32)(OFF(copy) - OFF(add)),
						 .attr_size = sizeof(im->copy) };
	memcpy(im->operands, operands, sizeof(operands));
}

static void build(struct image *im)
{
	memset(im, 0, sizeof(*im));
	im->hdr = (struct abi_prog_header){ .magic = ABI_PROG_MAGIC,
					    .version_major = ABI_PROG_VERSION_MAJOR,
					    .version_minor = ABI_PROG_VERSION_MINOR,
					    .size = sizeof(*im),
					    .nr_inputs = 1,
					    .nr_outputs = 1,
					    .arena_size = 128 };
	fill_sections(im);
	im->tensors[T_IN] = tensor(ABI_TENSOR_INPUT, 0);
	im->tensors[T_CONST] = tensor(ABI_TENSOR_CONST, 0);
	im->tensors[T_MID] = tensor(ABI_TENSOR_ARENA, 64);
	im->tensors[T_VIEW] = tensor(ABI_TENSOR_ALIAS, T_MID);
	im->tensors[T_OUT] = tensor(ABI_TENSOR_OUTPUT, 0);
	im->tensors[T_IN].name = 1;
	memcpy(im->names, "\0in\0add", 7);
	fill_ops(im);
	im->add.kind = ABI_BINARY_ADD;
	im->relu.f.kind = ABI_UNARY_RELU;
	im->copy = (struct abi_attr_shape){ .rank = 2, .dims = { 2, 3 } };
	seal(im);
}

static void expect_error(const struct image *im, const char *text)
{
	struct base_err err = { 0 };
	struct abi_prog prog;

	assert_int_equal(abi_prog_open(im, sizeof(*im), &prog, &err), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, text);
}

/* Damage one field of a fresh image, seal it again, want this sentence. */
#define EXPECT(field, value, text)          \
	do {                                \
		struct image im_;           \
		build(&im_);                \
		im_.field = (value);        \
		seal(&im_);                 \
		expect_error(&im_, (text)); \
	} while (0)

static void a_valid_program_opens_and_shows_its_parts(void **state)
{
	struct base_err err = { 0 };
	struct abi_prog prog;
	struct image im;

	(void)state;
	build(&im);
	assert_int_equal(abi_prog_open(&im, sizeof(im), &prog, &err), 0);
	assert_int_equal(prog.nr_tensors, NR_T);
	assert_int_equal(prog.nr_ops, NR_O);
	assert_ptr_equal(prog.weights, im.weights);
	assert_int_equal(prog.weights_size, sizeof(im.weights));
	assert_ptr_equal(abi_prog_input(&prog, 0), &im.tensors[T_IN]);
	assert_ptr_equal(abi_prog_output(&prog, 0), &im.tensors[T_OUT]);
	assert_string_equal(abi_prog_name(&prog, prog.tensors[T_IN].name), "in");
}

static void header_damage_is_named(void **state)
{
	(void)state;
	EXPECT(hdr.magic, 0x46554747,
	       "program header: magic 0x46554747, 0x4750504e wanted: not a program");
	EXPECT(hdr.version_major, 2,
	       "program header: version 2.0, 1.0 to 1.0 wanted: compile the model again with this "
	       "release");
	EXPECT(hdr.version_minor, 1,
	       "program header: version 1.1, 1.0 to 1.0 wanted: compile the model again with this "
	       "release");
	EXPECT(hdr.size, 64,
	       "program header: size 64, but 960 bytes are there: truncated or padded file");
	EXPECT(hdr.precision, 1, "program header: precision 1, 0 (f32) wanted");
	EXPECT(hdr.flags, 4, "program header: flags 0x4, 0 wanted");
	EXPECT(hdr.reserved[2], 1, "program header: reserved[2] 0x1, 0 wanted");
	EXPECT(hdr.pad[31], 255, "program header: pad[31] 0xff, 0 wanted");
	EXPECT(hdr.nr_inputs, 4097,
	       "program header: 4097 inputs and 1 outputs, at most 4096 together");
	EXPECT(hdr.nr_outputs, UINT32_MAX,
	       "program header: 1 inputs and 4294967295 outputs, at most 4096 together");
	EXPECT(hdr.arena_size, 100,
	       "program header: arena_size 100, a multiple of 64 up to 68719476736 wanted");
	EXPECT(hdr.arena_size, ABI_MAX_ARENA_SIZE + 64,
	       "program header: arena_size 68719476800, a multiple of 64 up to 68719476736 wanted");
	EXPECT(hdr.producer, 64, "program header: producer 64, below the names' 64 wanted");
}

static void the_content_hash_is_checked(void **state)
{
	struct base_err err;
	struct abi_prog prog;
	struct image im;

	(void)state;
	build(&im);
	im.weights[3] = 1.0f;
	assert_int_equal(abi_prog_open(&im, sizeof(im), &prog, &err), -EINVAL);
	assert_non_null(strstr(err.text, "damaged file, compile the model again"));
}

static void section_damage_is_named(void **state)
{
	(void)state;
	EXPECT(hdr.sec[ABI_SEC_OPS].off, 128,
	       "program section ops: off 128, a multiple of 64 past the header's 192 bytes wanted");
	EXPECT(hdr.sec[ABI_SEC_ATTRS].off, 648,
	       "program section attrs: off 648, a multiple of 64 past the header's 192 bytes "
	       "wanted");
	EXPECT(hdr.sec[ABI_SEC_WEIGHTS].size, 65,
	       "program section weights: off 896 size 65, inside the image's 960 bytes wanted");
	EXPECT(hdr.sec[ABI_SEC_WEIGHTS].off, UINT64_MAX - 63,
	       "program section weights: off 18446744073709551552 size 64, inside the image's 960 "
	       "bytes wanted");
	EXPECT(hdr.sec[ABI_SEC_TENSORS].size, 63,
	       "program section tensors: size 63, a multiple of 64 wanted");
	EXPECT(hdr.sec[ABI_SEC_OPERANDS].size, 30,
	       "program section operands: size 30, a multiple of 4 wanted");
	EXPECT(names[0], 'x', "program section names: 64 bytes, a NUL first and last wanted");
	EXPECT(names[63], 'x', "program section names: 64 bytes, a NUL first and last wanted");
	EXPECT(hdr.sec[ABI_SEC_NAMES].size, 0,
	       "program section names: 0 bytes, a NUL first and last wanted");
}

static void tensor_damage_is_named(void **state)
{
	(void)state;
	EXPECT(tensors[T_MID].kind, 0, "program tensor 2: kind 0, 1 to 5 wanted");
	EXPECT(tensors[T_MID].kind, 6, "program tensor 2: kind 6, 1 to 5 wanted");
	EXPECT(tensors[T_MID].dtype, 8, "program tensor 2: dtype 8, a known element type wanted");
	EXPECT(tensors[T_MID].dtype, 255,
	       "program tensor 2: dtype 255, a known element type wanted");
	EXPECT(tensors[T_MID].rank, 9, "program tensor 2: rank 9, at most 8");
	EXPECT(tensors[T_MID].dims[0], UINT32_MAX,
	       "program tensor 2: size 24, its dims give 51539607540");
	EXPECT(tensors[T_MID].dims[1], 0, "program tensor 2: size 24, its dims give 0");
	EXPECT(tensors[T_MID].dims[2], 1, "program tensor 2: dims[2] 1 past rank 2, 0 wanted");
	EXPECT(tensors[T_MID].size, 20, "program tensor 2: size 20, its dims give 24");
	EXPECT(tensors[T_MID].name, 64, "program tensor 2: name 64, below the names' 64 wanted");
	EXPECT(tensors[T_MID].pad0, 1, "program tensor 2: pad0 0x1, 0 wanted");
	EXPECT(tensors[T_MID].pad1[7], 9, "program tensor 2: pad1[7] 0x9, 0 wanted");
}

static void tensor_places_and_numbers_are_checked(void **state)
{
	(void)state;
	EXPECT(tensors[T_MID].off, 32,
	       "program tensor 2: off 32 in the arena, a multiple of 64 wanted");
	EXPECT(tensors[T_MID].off, 128,
	       "program tensor 2: off 128 size 24, inside the arena of 128 bytes wanted");
	EXPECT(tensors[T_CONST].off, UINT64_MAX - 63,
	       "program tensor 1: off 18446744073709551552 size 24, inside the weights of 64 bytes "
	       "wanted");
	EXPECT(tensors[T_CONST].off, 4,
	       "program tensor 1: off 4 in the weights, a multiple of 64 wanted");
	EXPECT(tensors[T_IN].off, 1, "program tensor 0: input number 1, below 1 wanted");
	EXPECT(tensors[T_OUT].off, UINT64_MAX,
	       "program tensor 4: output number 18446744073709551615, below 1 wanted");
	EXPECT(hdr.nr_inputs, 2, "program: input 1 of 2 has no tensor of that kind");
	EXPECT(hdr.nr_outputs, 3, "program: output 1 of 3 has no tensor of that kind");
	EXPECT(tensors[T_CONST], tensor(ABI_TENSOR_INPUT, 0),
	       "program tensor 1: input number 0 a second time");
	EXPECT(tensors[T_VIEW].off, T_VIEW,
	       "program tensor 3: alias of tensor 3, an earlier one wanted");
	EXPECT(tensors[T_OUT], tensor(ABI_TENSOR_ALIAS, T_VIEW),
	       "program tensor 4: alias of tensor 3, which is an alias itself");
}

static void an_alias_has_its_bases_size(void **state)
{
	struct image im;

	(void)state;
	build(&im);
	im.tensors[T_VIEW].dims[0] = 1;
	im.tensors[T_VIEW].size = 12;
	seal(&im);
	expect_error(&im,
		     "program tensor 3: size 12, but it is an alias of tensor 2 with 24 bytes");
}

static void op_damage_is_named(void **state)
{
	(void)state;
	EXPECT(ops[OP_ADD].code, 0, "program op 0: code 0, 1 to 22 wanted");
	EXPECT(ops[OP_ADD].code, 23, "program op 0: code 23, 1 to 22 wanted");
	EXPECT(ops[OP_ADD].name, 64, "program op 0 (binary): name 64, below the names' 64 wanted");
	EXPECT(ops[OP_ADD].attr_size, 16, "program op 0 (binary): attr_size 16, 24 wanted");
	EXPECT(ops[OP_ADD].attr, 4,
	       "program op 0 (binary): attr 4, a multiple of 8 with 24 bytes inside the attrs' 80 "
	       "wanted");
	EXPECT(ops[OP_ADD].attr, 64,
	       "program op 0 (binary): attr 64, a multiple of 8 with 24 bytes inside the attrs' 80 "
	       "wanted");
	EXPECT(ops[OP_ADD].reserved[0], 1, "program op 0 (binary): reserved[0] 0x1, 0 wanted");
	EXPECT(ops[OP_ADD].nr_out, 0,
	       "program op 0 (binary): nr_in 2 nr_out 0, 1 to 2 outputs and at most 255 operands "
	       "wanted");
	EXPECT(ops[OP_ADD].nr_out, 3,
	       "program op 0 (binary): nr_in 2 nr_out 3, 1 to 2 outputs and at most 255 operands "
	       "wanted");
	EXPECT(ops[OP_ADD].nr_in, 255,
	       "program op 0 (binary): nr_in 255 nr_out 1, 1 to 2 outputs and at most 255 operands "
	       "wanted");
	EXPECT(ops[OP_COPY].operand, 6,
	       "program op 2 (copy): operand 6 and 1 following, inside the 7 operands wanted");
	EXPECT(ops[OP_COPY].operand, UINT32_MAX,
	       "program op 2 (copy): operand 4294967295 and 1 following, inside the 7 operands "
	       "wanted");
}

static void operands_are_checked(void **state)
{
	(void)state;
	EXPECT(operands[1], NR_T, "program op 0 (binary): input 1 is tensor 5, below 5 wanted");
	EXPECT(operands[2], ABI_TENSOR_NONE,
	       "program op 0 (binary): output 0 is tensor 4294967295, below 5 wanted");
	EXPECT(operands[0], T_MID,
	       "program op 0 (binary): input 0 is tensor 2, which nothing has written yet");
	EXPECT(operands[0], T_VIEW,
	       "program op 0 (binary): input 0 is tensor 3, which nothing has written yet");
	EXPECT(operands[2], T_CONST,
	       "program op 0 (binary): output 0 is tensor 1, which is a constant");
	EXPECT(operands[2], T_IN, "program op 0 (binary): output 0 is tensor 0, which is an input");
	EXPECT(operands[6], T_MID, "program tensor 4: output 0, which no op writes");
}

static void aliases_of_constants_and_inputs_are_not_written(void **state)
{
	struct image im;

	(void)state;
	build(&im);
	im.tensors[T_VIEW].off = T_IN;
	im.operands[2] = T_VIEW;
	seal(&im);
	expect_error(&im, "program op 0 (binary): output 0 is tensor 3, which is an input");
	im.tensors[T_VIEW].off = T_CONST;
	seal(&im);
	expect_error(&im, "program op 0 (binary): output 0 is tensor 3, which is a constant");
}

static void writing_an_alias_writes_its_base(void **state)
{
	struct abi_prog prog;
	struct image im;

	(void)state;
	build(&im);
	im.operands[2] = T_VIEW; /* add writes the view, relu reads the base */
	seal(&im);
	assert_int_equal(abi_prog_open(&im, sizeof(im), &prog, NULL), 0);
}

static void only_unary_and_copy_work_in_place(void **state)
{
	struct abi_prog prog;
	struct image im;

	(void)state;
	build(&im);
	im.ops[OP_RELU] = im.ops[OP_ADD]; /* mid = mid + mid */
	im.ops[OP_RELU].operand = 2;
	seal(&im);
	expect_error(&im,
		     "program op 1 (binary): output 0 (tensor 2) overlaps operand 0 (tensor 2)");
	build(&im);
	im.operands[6] = T_MID; /* a copy onto itself through an alias; then the output is unread */
	im.operands[4] = T_OUT;
	seal(&im);
	assert_int_equal(abi_prog_open(&im, sizeof(im), &prog, NULL), 0);
}

static void arena_tensors_overlap_by_bytes(void **state)
{
	struct image im;

	(void)state;
	build(&im);
	im.tensors[T_CONST] = (struct abi_prog_tensor){
		.kind = ABI_TENSOR_ARENA, .dtype = ABI_F32, .rank = 1, .size = 72, .dims = { 18 }
	};
	im.operands[4] = T_CONST; /* relu: 64..88 -> 0..72 */
	seal(&im);
	im.operands[1] = T_IN;
	seal(&im);
	expect_error(&im,
		     "program op 1 (unary): output 0 (tensor 1) overlaps operand 0 (tensor 2)");
}

static void no_memory_is_said(void **state)
{
	struct abi_prog prog;
	struct base_err err;
	struct image im;

	(void)state;
	build(&im);
	base_alloc_fail_nth(1);
	assert_int_equal(abi_prog_open(&im, sizeof(im), &prog, &err), -ENOMEM);
	assert_string_equal(err.text, "program: no memory to check 5 tensors");
}

/* Exactly @size bytes on the heap, so that a sanitizer sees a read past them. */
static int open_copy(const struct image *im, size_t size)
{
	void *copy = malloc(size ? size : 1);
	struct abi_prog prog;
	int ret;

	assert_non_null(copy);
	memcpy(copy, im, size);
	ret = abi_prog_open(copy, size, &prog, NULL);
	free(copy);
	return ret;
}

static void every_truncation_is_refused(void **state)
{
	struct image im;

	(void)state;
	build(&im);
	for (size_t size = 0; size < sizeof(im); size++) {
		struct image cut = im;

		assert_int_equal(open_copy(&im, size), -EINVAL);
		if (size < sizeof(im.hdr))
			continue;
		cut.hdr.size = size; /* and with a header that agrees */
		cut.hdr.content_hash =
			base_hash64((const u8 *)&cut + sizeof(cut.hdr), size - sizeof(cut.hdr), 0);
		assert_int_equal(open_copy(&cut, size), -EINVAL);
	}
	assert_int_equal(open_copy(&im, sizeof(im)), 0);
}

/* Every single bit, then random pairs: never a crash; only bits nobody interprets may pass. */
static void flipped_bits_never_crash(void **state)
{
	const size_t uninterpreted =
		OFF(add); /* attributes, names and weights are not judged here */
	u32 nr_refused = 0;
	u64 seed = 1;
	struct image im;

	(void)state;
	for (size_t bit = 0; bit < sizeof(im) * 8; bit++) {
		build(&im);
		((u8 *)&im)[bit / 8] ^= (u8)(1u << bit % 8);
		seal(&im);
		nr_refused += open_copy(&im, sizeof(im)) != 0;
	}
	assert_in_range(nr_refused, uninterpreted * 8 / 2, sizeof(im) * 8);
	for (u32 i = 0; i < 20000; i++) {
		build(&im);
		for (u32 k = 0; k < 3; k++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			((u8 *)&im)[(seed >> 36) % sizeof(im)] ^= (u8)(1u << (seed >> 33 & 7));
		}
		seal(&im);
		(void)open_copy(&im, sizeof(im));
	}
}

static void a_misaligned_image_is_refused(void **state)
{
	static _Alignas(8) u8 room[sizeof(struct image) + 8];
	struct abi_prog prog;
	struct base_err err;
	struct image im;

	(void)state;
	build(&im);
	memcpy(room + 4, &im, sizeof(im));
	assert_int_equal(abi_prog_open(room + 4, sizeof(im), &prog, &err), -EINVAL);
	assert_string_equal(err.text, "program: image not at a multiple of 8 in memory");
}

static void sizes_are_products_without_overflow(void **state)
{
	const u32 big[4] = { 1u << 31, 1u << 31, 1u << 31, 0 };
	const u32 ok[3] = { 2, 0, 5 };
	u64 size = 7;

	(void)state;
	assert_true(abi_tensor_size(ABI_F64, 0, NULL, &size));
	assert_int_equal(size, 8);
	assert_true(abi_tensor_size(ABI_F32, 3, ok, &size));
	assert_int_equal(size, 0);
	assert_false(abi_tensor_size(ABI_U8, 3, big, &size));
	assert_false(abi_tensor_size(ABI_U8, 4, big, &size)); /* empty, but its strides are not */
	assert_false(abi_tensor_size(8, 1, ok, &size));
	assert_false(abi_tensor_size(ABI_U8, 9, ok, &size));
	assert_int_equal(size, 0);
}

static void names_and_sizes(void **state)
{
	(void)state;
	assert_int_equal(abi_dtype_size(ABI_F16), 2);
	assert_int_equal(abi_dtype_size(0), 0);
	assert_int_equal(abi_dtype_size(14), 0);
	assert_string_equal(abi_dtype_name(ABI_S64), "int64");
	assert_string_equal(abi_dtype_name(8), "?");
	for (u32 i = 1; i < ABI_NR_OPS; i++)
		assert_string_not_equal(abi_op_name(i), "?");
	for (u32 i = 0; i < ABI_NR_UNARY; i++)
		assert_string_not_equal(abi_unary_name(i), "?");
	for (u32 i = 1; i < ABI_NR_BINARY; i++)
		assert_string_not_equal(abi_binary_name(i), "?");
	for (u32 i = 1; i < ABI_NR_REDUCE; i++)
		assert_string_not_equal(abi_reduce_name(i), "?");
	assert_string_equal(abi_op_name(0), "?");
	assert_string_equal(abi_op_name(ABI_NR_OPS), "?");
	assert_string_equal(abi_unary_name(ABI_NR_UNARY), "?");
	assert_string_equal(abi_binary_name(0), "?");
	assert_string_equal(abi_reduce_name(99), "?");
	assert_int_equal(abi_op_attr_size(ABI_OP_SELECT), 0);
	assert_int_equal(abi_op_attr_size(ABI_OP_POOL), sizeof(struct abi_attr_pool));
	assert_int_equal(abi_op_attr_size(99), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_program_opens_and_shows_its_parts),
		cmocka_unit_test(header_damage_is_named),
		cmocka_unit_test(the_content_hash_is_checked),
		cmocka_unit_test(section_damage_is_named),
		cmocka_unit_test(tensor_damage_is_named),
		cmocka_unit_test(tensor_places_and_numbers_are_checked),
		cmocka_unit_test(an_alias_has_its_bases_size),
		cmocka_unit_test(op_damage_is_named),
		cmocka_unit_test(operands_are_checked),
		cmocka_unit_test(aliases_of_constants_and_inputs_are_not_written),
		cmocka_unit_test(writing_an_alias_writes_its_base),
		cmocka_unit_test(only_unary_and_copy_work_in_place),
		cmocka_unit_test(arena_tensors_overlap_by_bytes),
		cmocka_unit_test(no_memory_is_said),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(flipped_bits_never_crash),
		cmocka_unit_test(a_misaligned_image_is_refused),
		cmocka_unit_test(sizes_are_products_without_overflow),
		cmocka_unit_test(names_and_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
