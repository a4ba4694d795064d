// SPDX-License-Identifier: MIT
#include "npud/options.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* What parsing it says, on either output. */
static char said[4096];
static char path[] = "/tmp/npud-options.XXXXXX";
static struct npud_options opts;

static int set_group(struct npud_options *o, const char *val)
{
	o->user = val;
	return strcmp(val, "nobody") ? 0 : -EINVAL;
}

static const struct npud_option own[] = { { "group", set_group, "a group" } };
static struct npud_platform platform = {
	.usage = "this is how\n", .config = "/nowhere/npud.conf", .options = own, .nr_options = 1
};

static int parse_words(int argc, char **argv)
{
	FILE *f = tmpfile();
	int out = dup(1), err = dup(2), ret;
	size_t n;

	assert_non_null(f);
	npud_options_free(&opts);
	opts = (struct npud_options){ 0 };
	fflush(stdout);
	dup2(fileno(f), 1);
	dup2(fileno(f), 2);
	ret = npud_options_parse(&platform, argc, argv, &opts);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	fclose(f);
	return ret;
}

#define PARSE(...)                                                                     \
	parse_words((int)BASE_ARRAY_SIZE(((const char *[]){ "npud", ##__VA_ARGS__ })), \
		    (char **)(uintptr_t)(const char *[]){ "npud", ##__VA_ARGS__, NULL })

static void write_file(const void *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static int parse_file(const char *text)
{
	write_file(text, strlen(text));
	return PARSE("--config", path);
}

static void words(void **state)
{
	(void)state;
	assert_int_equal(PARSE(), -1);
	assert_int_equal(opts.cfg.limits.memory_bytes, 0);
	assert_int_equal(PARSE("--memory", "512", "--contexts=3", "--queues", "0x10", "--depth=62",
			       "-vv", "--group", "g", "--firmware=/f"),
			 -1);
	assert_int_equal(opts.cfg.limits.memory_bytes, 512u << 20);
	assert_int_equal(opts.cfg.limits.contexts, 3);
	assert_int_equal(opts.cfg.limits.queues, 16);
	assert_int_equal(opts.cfg.limits.queue_depth, 62);
	assert_int_equal(opts.cfg.log_level, BASE_LOG_DBG);
	assert_string_equal(opts.user, "g");
	assert_string_equal(opts.cfg.firmware, "/f");
	assert_string_equal(said, "");
	assert_int_equal(PARSE("--memory=4294967295"), -1);
	assert_int_equal(opts.cfg.limits.memory_bytes, UINT64_C(4294967295) << 20);
}

static void expect(int ret, int want, const char *text)
{
	assert_int_equal(ret, want);
	if (!strstr(said, text))
		fail_msg("it says \"%s\", expected \"%s\"", said, text);
}

static void wrong_words(void **state)
{
	(void)state;
	expect(PARSE("--help"), NPUD_EXIT_OK, "this is how");
	expect(PARSE("--version"), NPUD_EXIT_OK, "npud ");
	expect(PARSE("socket"), NPUD_EXIT_USAGE, "what is \"socket\"");
	expect(PARSE("--sockett", "x"), NPUD_EXIT_USAGE, "--sockett: no such option");
	expect(PARSE("--mem=5"), NPUD_EXIT_USAGE, "--mem: no such option");
	expect(PARSE("--memory"), NPUD_EXIT_USAGE, "--memory \"\": expected a number of MiB");
	expect(PARSE("--memory="), NPUD_EXIT_USAGE, "--memory \"\"");
	expect(PARSE("--memory", "-1"), NPUD_EXIT_USAGE, "--memory \"-1\"");
	expect(PARSE("--memory", "4294967296"), NPUD_EXIT_USAGE, "expected a number of MiB");
	expect(PARSE("--memory", "99999999999999999999999"), NPUD_EXIT_USAGE, "--memory");
	expect(PARSE("--contexts=0"), NPUD_EXIT_USAGE, "1 to 65536");
	expect(PARSE("--contexts=65537"), NPUD_EXIT_USAGE, "1 to 65536");
	expect(PARSE("--depth=63"), NPUD_EXIT_USAGE, "1 to 62");
	expect(PARSE("--verbose=3"), NPUD_EXIT_USAGE, "1 or 2");
	expect(PARSE("--group", "nobody"), NPUD_EXIT_USAGE, "--group \"nobody\": expected a group");
	expect(PARSE("--"), NPUD_EXIT_USAGE, "no such option");
	expect(PARSE("-x"), NPUD_EXIT_USAGE, "what is \"-x\"");
}

static void file(void **state)
{
	(void)state;
	assert_int_equal(parse_file("# of this machine\n"
				    "\n"
				    "  memory   256 # MiB\r\n"
				    "\tgroup\tstaff\t\n"
				    "contexts 7"),
			 -1);
	assert_int_equal(opts.cfg.limits.memory_bytes, 256u << 20);
	assert_int_equal(opts.cfg.limits.contexts, 7);
	assert_string_equal(opts.user, "staff");
	/* the command line is stronger, wherever it names the file */
	write_file("memory 1\nqueues 9\n", 18);
	assert_int_equal(PARSE("--memory=2", "--config", path), -1);
	assert_int_equal(opts.cfg.limits.memory_bytes, 2u << 20);
	assert_int_equal(opts.cfg.limits.queues, 9);
	assert_int_equal(PARSE("--config", path, "--memory=3"), -1);
	assert_int_equal(opts.cfg.limits.memory_bytes, 3u << 20);
	assert_int_equal(parse_file(""), -1);
}

static void wrong_lines(void **state)
{
	char long_text[70000];

	(void)state;
	expect(parse_file("memory 1\nmemroy 2\n"), NPUD_EXIT_USAGE, ":2: memroy: no such option");
	expect(parse_file("\n\nmemory\n"), NPUD_EXIT_USAGE, ":3: memory \"\": expected a number");
	expect(parse_file("memory 5 6\n"), NPUD_EXIT_USAGE, "memory \"5 6\"");
	expect(parse_file("memory=5\n"), NPUD_EXIT_USAGE, "memory=5: no such option");
	expect(parse_file("--memory 5\n"), NPUD_EXIT_USAGE, "no such option");
	expect(parse_file("memory # 5\n"), NPUD_EXIT_USAGE, "memory \"\"");
	assert_non_null(strstr(said, path));
	write_file("memory 5\0\n", 10);
	expect(PARSE("--config", path), NPUD_EXIT_USAGE, "cannot be read");
	memset(long_text, '#', sizeof(long_text));
	write_file(long_text, sizeof(long_text));
	expect(PARSE("--config", path), NPUD_EXIT_USAGE, "EFBIG");
	write_file(long_text, 65536); /* one line, as long as may be */
	assert_int_equal(PARSE("--config", path), -1);
}

static void no_file(void **state)
{
	const char *before = platform.config;

	(void)state;
	expect(PARSE("--config", "/nowhere/at/all"), NPUD_EXIT_USAGE, "ENOENT");
	expect(PARSE("--config", "/tmp"), NPUD_EXIT_USAGE, "cannot be read");
	assert_int_equal(PARSE(), -1); /* nobody named the one that is missing */
	write_file("memory x\n", 9);
	platform.config = path;
	expect(PARSE(), NPUD_EXIT_USAGE, "memory \"x\"");
	platform.config = before;
}

static int make_file(void **state)
{
	const int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	npud_options_free(&opts);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),   cmocka_unit_test(wrong_words),
		cmocka_unit_test(file),	   cmocka_unit_test(wrong_lines),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests_name("npud options", tests, make_file, remove_file);
}
