// SPDX-License-Identifier: MIT
/*
 * One session, marked phase by phase in the device's trace, for scenario session and ./record: what
 * a driver does to submit, sleep, wake, survive a hang and an MMU fault, and to let go.
 * tests/traces/session.c does the same with the driver of this project.
 */
#include "guest.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEVICE	 "/sys/class/accel/accel0/device/"
#define UNMAPPED 0x7ffff000u /* added to a context's own address: nobody maps that much */

static void mark(const char *phase)
{
	assert_int_equal(guest_host("mark %s", phase), 0);
}

static void write_power(const char *text)
{
	int fd = open(DEVICE "power/control", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool file_has(const char *path, const char *word)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	assert_true(fd >= 0);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	return len > 0 && strstr(text, word) != NULL;
}

static void wait_suspended(void)
{
	int64_t until = guest_now_ms() + 5000;

	while (!file_has(DEVICE "power/runtime_status", "suspended")) {
		assert_true(guest_now_ms() < until);
		guest_sleep_ms(20);
	}
}

static void wait_count(const char *name, int64_t want)
{
	int64_t until = guest_now_ms() + 15000;

	while (guest_counter(name) < want) {
		assert_true(guest_now_ms() < until);
		guest_sleep_ms(20);
	}
	guest_sleep_ms(300); /* it is counted before it is over */
}

static void one_job(struct guest *g, struct guest_list *list, uint32_t status)
{
	assert_int_equal(guest_submit(g, list, 0, NULL), 0);
	guest_must_finish(g, list, status);
}

static void open_ctx(struct guest *g, struct guest_list *list)
{
	guest_must_open(g);
	guest_list_create(g, list);
	guest_list_nop(list);
}

static void close_ctx(struct guest *g, struct guest_list *list)
{
	guest_list_destroy(g, list);
	guest_close(g);
	guest_sleep_ms(300); /* it ends in a worker */
}

static void session(void **state)
{
	bool hws = file_has(DEVICE "sched_mode", "HW");
	struct guest_list list;
	struct guest g;

	(void)state;
	mark("submit");
	open_ctx(&g, &list);
	one_job(&g, &list, 0);
	one_job(&g, &list, 0);
	mark("suspend");
	write_power("auto");
	wait_suspended();
	mark("resume");
	write_power("on");
	one_job(&g, &list, 0);
	mark("hang");
	assert_int_equal(guest_host("fault stuck-engine 1"), 0);
	one_job(&g, &list, IVPU_JOB_ABORTED);
	wait_count(hws ? "engine_reset_counter" : "reset_counter", 1);
	if (!hws)
		one_job(&g, &list, 0); /* else the context is lost */
	mark("close");
	close_ctx(&g, &list);
	mark("fault");
	open_ctx(&g, &list);
	guest_list_restart(&list);
	guest_list_copy(&g, &list, list.bo.addr + UNMAPPED, list.bo.addr, GUEST_PAGE);
	assert_int_equal(guest_submit(&g, &list, 0, NULL), 0);
	guest_sleep_ms(1000);
	close_ctx(&g, &list);
	mark("stop");
}

int guest_group_session(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(session) };

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
