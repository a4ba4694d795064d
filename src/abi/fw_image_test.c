// SPDX-License-Identifier: MIT
/* Corners of the firmware image that the vectors of abi_test.c leave out. */
#include "abi/fw_image.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static u8 file[ABI_FW_IMAGE_OFF + 2 * ABI_PAGE_SIZE];

static void test_version_text(void **state)
{
	char *page = (char *)file + ABI_FW_HEADER_PAGE, buf[300];

	(void)state;
	memset(file, 0, sizeof(file));
	memcpy(page, "a\x01\x7f\xff z", 6);
	abi_fw_image_version(file, buf, sizeof(buf));
	assert_string_equal(buf, "a??? z");
	strcpy(buf, "kept");
	abi_fw_image_version(file, buf, 0);
	assert_string_equal(buf, "kept");
	abi_fw_image_version(file, buf, 3);
	assert_string_equal(buf, "a?");
	memset(page, 'x', ABI_FW_VERSION_PAGE); /* no end */
	abi_fw_image_version(file, buf, sizeof(buf));
	assert_int_equal(strlen(buf), ABI_FW_VERSION_TEXT);
}

static void test_reason_without_room(void **state)
{
	const struct abi_fw_limits lim = { .runtime_end = 1 << 30 };
	char why[8] = "kept";

	(void)state;
	assert_int_equal(abi_fw_image_check(file, 10, &lim, why, 0), -EINVAL);
	assert_string_equal(why, "kept");
	assert_int_equal(abi_fw_image_check(file, 10, &lim, NULL, 0), -EINVAL);
	assert_int_equal(abi_fw_image_check(file, 10, &lim, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "file si");
}

static void test_version_too_long_to_write(void **state)
{
	char text[ABI_FW_VERSION_TEXT + 2];
	struct abi_fw_spec spec;

	(void)state;
	abi_fw_spec_init(&spec, 0x80000000, 0x84000000, 0);
	memset(text, 'v', sizeof(text));
	text[ABI_FW_VERSION_TEXT + 1] = '\0';
	spec.version = text;
	assert_int_equal(abi_fw_image_write(&spec, file, sizeof(file)), -EINVAL);
	text[ABI_FW_VERSION_TEXT] = '\0';
	assert_int_equal(abi_fw_image_write(&spec, file, sizeof(file)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_text),
		cmocka_unit_test(test_reason_without_room),
		cmocka_unit_test(test_version_too_long_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
