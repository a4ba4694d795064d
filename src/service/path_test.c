// SPDX-License-Identifier: MIT
#include "service/path.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool number(const char *text, u64 *out)
{
	return svc_parse_u64(text, strlen(text), out);
}

static void numbers(void **state)
{
	static const char *const bad[] = { "",
					   " 1",
					   "1 ",
					   "+1",
					   "-1",
					   "0x",
					   "0X10",
					   "010",
					   "1k",
					   "0xg",
					   "1.5",
					   "00",
					   "18446744073709551616",
					   "0x10000000000000000" };
	u64 val = 77;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(bad); i++)
		assert_false(number(bad[i], &val));
	assert_int_equal(val, 77);
	assert_true(number("0", &val) && val == 0);
	assert_true(number("4096", &val) && val == 4096);
	assert_true(number("0xfF", &val) && val == 255);
	assert_true(number("18446744073709551615", &val) && val == UINT64_MAX);
	assert_true(number("0xffffffffffffffff", &val) && val == UINT64_MAX);
	assert_true(number("0x0", &val) && val == 0);
}

static void good_children(void **state)
{
	struct svc_child_spec spec;

	(void)state;
	assert_int_equal(svc_parse_child("bo/4096", &spec, NULL), 0);
	assert_int_equal(spec.kind, SVC_CHILD_BO);
	assert_int_equal(spec.bo.size_bytes, 4096);
	assert_int_equal(spec.bo.align, 0);
	assert_int_equal(spec.bo.flags, 0);
	assert_int_equal(svc_parse_child("bo/0x10?align=65536&flags=wc,ro,dma", &spec, NULL), 0);
	assert_int_equal(spec.bo.size_bytes, 16);
	assert_int_equal(spec.bo.align, 65536);
	assert_int_equal(spec.bo.flags, DRV_BO_WC | DRV_BO_RO | DRV_BO_DMA);
	assert_int_equal(svc_parse_child("bo/1?flags=wb,shave", &spec, NULL), 0);
	assert_int_equal(spec.bo.flags, DRV_BO_SHAVE);
	assert_int_equal(svc_parse_child("import", &spec, NULL), 0);
	assert_true(spec.kind == SVC_CHILD_BO && spec.bo.import);
	assert_int_equal(svc_parse_child("import?align=65536&flags=ro", &spec, NULL), 0);
	assert_int_equal(spec.bo.align, 65536);
	assert_int_equal(svc_parse_child("import/4096", &spec, NULL), -ENOENT);
	assert_int_equal(svc_parse_child("import?prio=idle", &spec, NULL), -EINVAL);
	assert_int_equal(svc_parse_child("queue", &spec, NULL), 0);
	assert_int_equal(spec.kind, SVC_CHILD_QUEUE);
	assert_int_equal(spec.queue.priority, 1);
	assert_int_equal(svc_parse_child("queue?prio=realtime", &spec, NULL), 0);
	assert_int_equal(spec.queue.priority, 3);
	assert_int_equal(svc_parse_child("queue?prio=idle", &spec, NULL), 0);
	assert_int_equal(spec.queue.priority, 0);
}

/* What the sentence must contain. */
static void refused(const char *path, int code, const char *hint)
{
	struct svc_child_spec spec = { .bo.size_bytes = 123 };
	struct base_err err = { 0 };

	assert_int_equal(svc_parse_child(path, &spec, &err), code);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, hint));
	assert_int_equal(spec.bo.size_bytes, 123);
}

static void bad_children(void **state)
{
	char big[SVC_PATH_MAX + 2];

	(void)state;
	refused("", -ENOENT, "expected bo/SIZE, import or queue");
	refused("bo", -ENOENT, "no child \"bo\"");
	refused("Queue", -ENOENT, "Queue");
	refused("queue/1", -ENOENT, "queue/1");
	refused("bo/", -EINVAL, "size is \"\"");
	refused("bo/0", -EINVAL, "bytes > 0");
	refused("bo/12x", -EINVAL, "12x");
	refused("bo/4096/", -EINVAL, "4096/");
	refused("bo/99999999999999999999", -EINVAL, "size");
	refused("bo/1?", -EINVAL, "KEY=VALUE");
	refused("bo/1?align", -EINVAL, "has no value");
	refused("bo/1?align=", -EINVAL, "power of two");
	refused("bo/1?align=3", -EINVAL, "power of two");
	refused("bo/1?align=0", -EINVAL, "power of two");
	refused("bo/1?align=4096&align=4096", -EINVAL, "given twice");
	refused("bo/1?size=4096", -EINVAL, "key \"size\" is unknown");
	refused("bo/1?prio=idle", -EINVAL, "expected align or flags");
	refused("bo/1?flags=", -EINVAL, "flag \"\" is unknown");
	refused("bo/1?flags=wb,", -EINVAL, "flag \"\" is unknown");
	refused("bo/1?flags=wb,wc", -EINVAL, "contradicts");
	refused("bo/1?flags=dma,shave", -EINVAL, "contradicts");
	refused("bo/1?flags=ro,ro", -EINVAL, "twice");
	refused("bo/1?flags=rw", -EINVAL, "expected wb, wc, ro, shave, dma");
	refused("bo/1?align=4096&", -EINVAL, "has no value");
	refused("queue?prio=4", -EINVAL, "expected idle, normal, focus or realtime");
	refused("queue?prio", -EINVAL, "has no value");
	refused("queue?align=4096", -EINVAL, "expected prio");
	refused("queue?prio=idle&prio=idle", -EINVAL, "given twice");
	refused("queue?prio=a\n\"b", -EINVAL, "a\\x0a\\x22b");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	refused(big, -EINVAL, "longer than 256");
}

static void node_names(void **state)
{
	struct base_err err;
	const char *name = NULL;
	u32 dev = 9;

	(void)state;
	assert_int_equal(svc_parse_node("0/info", &dev, &name, &err), 0);
	assert_int_equal(dev, 0);
	assert_string_equal(name, "info");
	assert_int_equal(svc_parse_node("3/", &dev, &name, &err), 0);
	assert_int_equal(dev, 3);
	assert_string_equal(name, "");
	assert_int_equal(svc_parse_node("info", &dev, &name, &err), -ENOENT);
	assert_int_equal(svc_parse_node("00/info", &dev, &name, &err), -ENOENT);
	assert_int_equal(svc_parse_node("/info", &dev, &name, &err), -ENOENT);
	assert_int_equal(svc_parse_node("4294967296/info", &dev, &name, &err), -ENOENT);
	assert_int_equal(svc_parse_node("-1/info", &dev, &name, &err), -ENOENT);
}

static void escaping(void **state)
{
	char buf[16];

	(void)state;
	svc_escape("plain text", buf, sizeof(buf));
	assert_string_equal(buf, "plain text");
	svc_escape("a\x01\xff", buf, sizeof(buf));
	assert_string_equal(buf, "a\\x01\\xff");
	svc_escape("\"\\", buf, sizeof(buf));
	assert_string_equal(buf, "\\x22\\x5c");
	svc_escape("0123456789abcdefgh", buf, sizeof(buf));
	assert_string_equal(buf, "0123456789abcde");
	svc_escape("0123456789abc\n", buf, sizeof(buf)); /* never half an escape */
	assert_string_equal(buf, "0123456789abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),	cmocka_unit_test(good_children),
		cmocka_unit_test(bad_children), cmocka_unit_test(node_names),
		cmocka_unit_test(escaping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
