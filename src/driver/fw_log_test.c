// SPDX-License-Identifier: MIT
#include "fw_log.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define AREA 0x4000u

static struct drv_dev dev;
static struct drv_bo verb, crit;
static _Alignas(64) u8 memory[2][AREA];
static struct drv_fw_log_reader reader;
static char got[1u << 17];
static u32 nr_lines;

void *drv_bo_cpu(const struct drv_bo *bo)
{
	return memory[bo == &crit];
}
u64 drv_bo_size(const struct drv_bo *bo)
{
	(void)bo;
	return AREA;
}

static void line(void *opaque, const char *text)
{
	size_t len = strlen(got);

	assert_ptr_equal(opaque, &dev);
	assert_true(strlen(text) < LINE_SIZE + 80);
	for (const char *p = text; *p; p++)
		assert_true(*p >= ' ' && *p <= '~');
	snprintf(got + len, sizeof(got) - len, "%s\n", text);
	nr_lines++;
}

static const char *read_lines(void)
{
	u32 nr;

	got[0] = '\0';
	nr_lines = 0;
	nr = drv_fw_log_read(&dev, &reader, line, &dev);
	assert_int_equal(nr, nr_lines);
	return got;
}

static const char *dump_lines(void)
{
	got[0] = '\0';
	drv_fw_log_dump(&dev, DRV_FW_LOG_VERBOSE, line, &dev);
	return got;
}

static struct abi_trace_header *header(u32 off)
{
	return (struct abi_trace_header *)(void *)(memory[0] + off);
}

static struct abi_trace_header *put_header(u32 off, u32 size, const char *name)
{
	*header(off) = (struct abi_trace_header){
		.vpu_canary_start = ABI_TRACE_CANARY,
		.size = size,
		.header_version = 1,
		.header_size = sizeof(struct abi_trace_header),
	};
	memcpy(header(off)->name, name, strlen(name));
	return header(off);
}

/* As the firmware writes: over the end of the ring and on at its beginning. */
static void put(u32 off, const char *text)
{
	struct abi_trace_header *h = header(off);
	u32 size = h->size - h->header_size;

	for (; *text; text++) {
		memory[0][off + h->header_size + h->write_index++] = (u8)*text;
		if (h->write_index == size) {
			h->write_index = 0;
			h->wrap_count++;
		}
	}
}

static int setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	dev = (struct drv_dev){ .fw = { .verb_log = &verb, .crit_log = &crit } };
	reader = (struct drv_fw_log_reader){ .log = DRV_FW_LOG_VERBOSE };
	return 0;
}

static void test_nothing_there(void **state)
{
	(void)state;
	assert_string_equal(read_lines(), "");
	assert_string_equal(dump_lines(), "(empty)\n");
	dev.fw.verb_log = NULL; /* before there is memory */
	assert_string_equal(dump_lines(), "(empty)\n");
}

/* Only whole lines are followed; a dump has the rest, too. */
static void test_follow(void **state)
{
	(void)state;
	put_header(0, 0x400, "LRT");
	put(0, "one\ntwo\n\nthr");
	assert_string_equal(read_lines(), "LRT: one\nLRT: two\n");
	assert_string_equal(read_lines(), "");
	assert_string_equal(dump_lines(), "LRT: one\nLRT: two\nLRT: thr\n");
	put(0, "ee\r\n");
	assert_string_equal(read_lines(), "LRT: three\n");
}

static void test_padding_and_rubbish(void **state)
{
	struct abi_trace_header *h = put_header(0, 0x400, "LRT");

	(void)state;
	memcpy(memory[0] + 128, "a\0\0\0\0\0\0\0b\033[2J\x80\0\0", 16);
	h->write_index = 16;
	assert_string_equal(read_lines(), "LRT: a\nLRT: b?[2J?\n");
}

/* Across the ring's end nothing is lost, once around it is said how much is. */
static void test_wrap(void **state)
{
	char text[64], want[128];

	(void)state;
	put_header(0, 128 + 100, "LRT");
	for (u32 i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "line %u of many\n", i);
		snprintf(want, sizeof(want), "LRT: %s", text);
		put(0, text);
		assert_string_equal(read_lines(), want);
	}
	for (u32 i = 0; i < 20; i++)
		put(0, "0123456789abcde\n");
	assert_non_null(strstr(read_lines(), "(220 bytes of older text are overwritten)"));
	assert_int_equal(nr_lines, 1 + 6); /* 4 of 100 bytes are the end of a line */
	assert_null(strstr(got, "LRT: cde\n"));
}

static void test_several_buffers(void **state)
{
	(void)state;
	put_header(0, 0x400, "LRT");
	put_header(0x400, 0x800, "0123456789abcdef"); /* not terminated */
	put(0, "first\n");
	put(0x400, "second\n");
	assert_string_equal(read_lines(), "LRT: first\n0123456789abcdef: second\n");
	put(0x400, "more\n");
	assert_string_equal(read_lines(), "0123456789abcdef: more\n");
	put_header(0xc00, 0x400, "");
	put(0xc00, "third\n");
	assert_string_equal(read_lines(), "firmware: third\n");
}

static void test_boots(void **state)
{
	(void)state;
	put_header(0, 0x400, "LRT");
	put(0, "one\n");
	assert_string_equal(read_lines(), "LRT: one\n");
	drv_fw_log_forget(&dev);
	assert_string_equal(read_lines(), "");
	put_header(0, 0x400, "LRT");
	put(0, "one\nand another one\n");
	assert_string_equal(read_lines(), "LRT: one\nLRT: and another one\n");
}

static void test_long_line(void **state)
{
	char text[1001];

	(void)state;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	put_header(0, 0x1000, "LRT");
	put(0, text);
	put(0, "\n");
	read_lines();
	assert_int_equal(nr_lines, 5);
	assert_int_equal(strlen(got), 1000 + 5 * strlen("LRT: \n"));
}

/* Each field out of bounds: said once, nothing read, nothing behind it either. */
static void test_damaged(void **state)
{
	static const struct {
		u32 off, val;
	} bad[] = {
		{ offsetof(struct abi_trace_header, size), 0 },
		{ offsetof(struct abi_trace_header, size), 128 },
		{ offsetof(struct abi_trace_header, size), 0x401 },
		{ offsetof(struct abi_trace_header, size), AREA + 4 },
		{ offsetof(struct abi_trace_header, size), UINT32_MAX },
		{ offsetof(struct abi_trace_header, write_index), 0x400 - 128 + 1 },
		{ offsetof(struct abi_trace_header, write_index), UINT32_MAX },
		{ offsetof(struct abi_trace_header, header_version), 127 << 16 | 1 },
		{ offsetof(struct abi_trace_header, header_version), 1025 << 16 | 1 },
		{ offsetof(struct abi_trace_header, header_version), 0x400u << 16 | 1 },
		{ offsetof(struct abi_trace_header, format), 1 },
	};

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(bad); i++) {
		setup(NULL);
		put_header(0, 0x400, "LRT");
		put(0, "one\n");
		memcpy(memory[0] + bad[i].off, &bad[i].val, sizeof(u32));
		assert_non_null(strstr(read_lines(), "log: the header at 0x0 is damaged"));
		assert_int_equal(nr_lines, 1);
		assert_string_equal(read_lines(), "");
	}
	setup(NULL);
	put_header(0, 0x400, "LRT")->vpu_canary_start = 0;
	assert_string_equal(read_lines(), "");
}

/* Any header, any text: an end, and lines of printable characters (line() looks). */
static void test_hostile(void **state)
{
	(void)state;
	srand(7);
	for (u32 i = 0; i < 4000; i++) {
		struct abi_trace_header *h;

		if (i % 50 == 0)
			setup(NULL);
		for (u32 k = 0; k < 200; k++)
			memory[0][(u32)rand() % AREA] = (u8)rand();
		h = put_header((u32)(rand() % 3) * 0x400, 0x400, "x");
		for (u32 k = 0; k < 2; k++)
			((u8 *)h)[0x40 + rand() % 64] = (u8)rand();
		put_header(0, i % 2 ? 0x400 : 4 + (u32)rand() % AREA, "y")->wrap_count =
			(u32)rand();
		header(0)->write_index = (u32)rand() % 0x380;
		read_lines();
		assert_true(nr_lines <= AREA);
		dump_lines();
	}
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nothing_there), T(test_follow),		T(test_padding_and_rubbish),
		T(test_wrap),	       T(test_several_buffers), T(test_boots),
		T(test_long_line),     T(test_damaged),		T(test_hostile),
	};

	return cmocka_run_group_tests_name("fw_log", tests, NULL, NULL);
}
