// SPDX-License-Identifier: MIT
#include "abi/ref.c"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static u8 image[ABI_REF_BUILT_IN_SIZE];
static char why[200];

static int setup(void **state)
{
	(void)state;
	abi_ref_image_write(image);
	return 0;
}

static int check(void)
{
	return abi_ref_image_check(image, sizeof(image), why, sizeof(why));
}

/* The bytes of design section 8, typed from there. */
static void header_is_to_the_letter(void **state)
{
	static const u8 head[16] = { 'N', 'P',	'U', 'R', 'E',	'F', 0, 1,
				     0,	  0x10, 0,   0,	  0x40, 0,   0, 0 };

	(void)state;
	assert_memory_equal(image, head, sizeof(head));
	for (u32 i = 48; i < sizeof(image); i++)
		assert_int_equal(image[i], 0);
	assert_int_equal(check(), 0);
	assert_string_equal(why, "");
}

static void version_is_not_empty(void **state)
{
	char text[64];

	(void)state;
	abi_ref_image_version(image, text, sizeof(text));
	assert_string_equal(text, "npu built-in reference image");
	image[16] = 7;
	abi_ref_image_version(image, text, 4);
	assert_string_equal(text, "?pu");
	memset(image + 16, 'v', 32); /* no end but the field's */
	abi_ref_image_version(image, text, sizeof(text));
	assert_int_equal(strlen(text), 32);
	image[16] = 0;
	assert_int_equal(check(), -EINVAL);
	assert_non_null(strstr(why, "version"));
}

static void each_mistake_is_named(void **state)
{
	static const struct {
		u32 at;
		u8 val;
		const char *says;
	} cases[] = {
		{ 0, 'X', "NPUREF" },	    { 6, 1, "NPUREF" },
		{ 7, 2, "NPUREF" },	    { 9, 0x11, "the file has only 4096" },
		{ 11, 0xff, "image size" }, { 12, 0x3f, "entry 0x3f" },
		{ 13, 0x10, "entry" },	    { 63, 1, "byte 63" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		abi_ref_image_write(image);
		image[cases[i].at] = cases[i].val;
		assert_int_equal(check(), -EINVAL);
		if (!strstr(why, cases[i].says))
			fail_msg("case %zu: %s", i, why);
	}
}

static void short_files_are_refused(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(image); size++) {
		u8 *copy = malloc(size + !size); /* so that a sanitizer sees its end */

		assert_non_null(copy);
		memcpy(copy, image, size);
		assert_int_equal(abi_ref_image_check(copy, size, why, sizeof(why)), -EINVAL);
		free(copy);
	}
	assert_int_equal(abi_ref_image_check(image, 63, NULL, 0), -EINVAL);
}

static void boot_parameters_follow_the_image(void **state)
{
	(void)state;
	assert_int_equal(abi_ref_params_off(64), 4096);
	assert_int_equal(abi_ref_params_off(4096), 4096);
	assert_int_equal(abi_ref_params_off(4097), 8192);
	assert_true(abi_ref_params_off(UINT32_MAX) == UINT64_C(0x100000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(header_is_to_the_letter, setup),
		cmocka_unit_test_setup(version_is_not_empty, setup),
		cmocka_unit_test_setup(each_mistake_is_named, setup),
		cmocka_unit_test_setup(short_files_are_refused, setup),
		cmocka_unit_test_setup(boot_parameters_follow_the_image, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
