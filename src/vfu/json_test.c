// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "vfu/json.h"

static int parse(const char *text, struct vfu_caps *caps)
{
	return vfu_caps_parse(text, strlen(text), caps);
}

static void test_known(void **state)
{
	struct vfu_caps caps;

	(void)state;
	assert_int_equal(parse("", &caps), 0);
	assert_int_equal(caps.max_msg_fds, 1);
	assert_int_equal(caps.max_data_xfer_size, 1048576);
	assert_int_equal(caps.max_dma_maps, 65535);
	assert_int_equal(caps.pgsizes, 4096);
	assert_false(caps.write_multiple || caps.twin_socket);
	assert_int_equal(
		parse(" { \"capabilities\" : { \"max_msg_fds\" : 8 ,\"max_data_xfer_size\":65536,"
		      "\"max_dma_maps\":3,\"pgsizes\":2101248,\"write_multiple\":true,"
		      "\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}\n",
		      &caps),
		0);
	assert_int_equal(caps.max_msg_fds, 8);
	assert_int_equal(caps.max_data_xfer_size, 65536);
	assert_int_equal(caps.max_dma_maps, 3);
	assert_int_equal(caps.pgsizes, 2101248);
	assert_true(caps.write_multiple && caps.twin_socket);
}

static void test_unknown_is_skipped(void **state)
{
	struct vfu_caps caps;

	(void)state;
	assert_int_equal(
		parse("{\"a\":[1,-2.5e+3,\"]}\\\"\",null,[],{}],\"capabilities\":{\"migration\":"
		      "{\"pgsize\":4096},\"max_msg_fds\":2},\"b\":{\"max_msg_fds\":7}}",
		      &caps),
		0);
	assert_int_equal(caps.max_msg_fds, 2);
}

static void test_null_is_nothing(void **state)
{
	struct vfu_caps caps;

	(void)state;
	assert_int_equal(parse("{\"capabilities\":null}", &caps), 0);
	assert_int_equal(parse("{\"capabilities\":{\"max_msg_fds\":null,\"twin_socket\":null,"
			       "\"write_multiple\": null,\"max_dma_maps\":7}}",
			       &caps),
			 0);
	assert_int_equal(caps.max_msg_fds, 1);
	assert_int_equal(caps.max_dma_maps, 7);
	assert_false(caps.write_multiple || caps.twin_socket);
	assert_int_equal(parse("{\"capabilities\":nil}", &caps), -EINVAL);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"{",
		"}",
		"x",
		"{}x",
		"[]",
		"{\"capabilities\":1}",
		"{\"capabilities\":{\"max_msg_fds\":-1}}",
		"{\"capabilities\":{\"max_msg_fds\":1.5}}",
		"{\"capabilities\":{\"max_msg_fds\":18446744073709551616}}",
		"{\"capabilities\":{\"max_msg_fds\":\"8\"}}",
		"{\"capabilities\":{\"write_multiple\":1}}",
		"{\"capabilities\":{\"twin_socket\":true}}",
		"{\"a\":}",
		"{\"a\":[1,]}",
		"{\"a\":1,}",
		"{\"a\" 1}",
		"{a:1}",
		"{\"a\":\"\\",
		"{\"a\":\"\n\"}",
		"{\"a\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}",
	};
	struct vfu_caps caps;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(bad); i++)
		if (parse(bad[i], &caps) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

/* Every beginning of a text is judged without looking behind it. */
static void test_cut_anywhere(void **state)
{
	static const char text[] = "{\"capabilities\":{\"twin_socket\":{\"supported\":false},"
				   "\"x\":[\"\\u0041\",1e9,null],\"pgsizes\":4096}}";
	struct vfu_caps caps;

	(void)state;
	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		char *copy = base_zalloc(len);

		memcpy(copy, text, len);
		assert_int_equal(vfu_caps_parse(copy, len, &caps), -EINVAL);
		base_free(copy);
	}
	assert_int_equal(vfu_caps_parse(text, sizeof(text), &caps), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),		cmocka_unit_test(test_unknown_is_skipped),
		cmocka_unit_test(test_null_is_nothing), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
