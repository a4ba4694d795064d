// SPDX-License-Identifier: MIT
#include "control.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char got_name[64];
static u32 got_count;
static struct vfu_server *got_server;

int vfu_server_fault(struct vfu_server *srv, const char *name, u32 count)
{
	if (strcmp(name, "irq-lost") != 0)
		return -EINVAL;
	got_server = srv;
	strcpy(got_name, name);
	got_count = count;
	return 0;
}

static char marked[64];

void vfu_server_mark(struct vfu_server *srv, const char *name)
{
	got_server = srv;
	strcpy(marked, name);
}

static struct vfu_control control;
static int to[2], from[2];
static struct vfu_server *const servers[] = { (void *)0x10, (void *)0x20 };

static int setup(void **state)
{
	(void)state;
	if (pipe(to) || pipe(from))
		return -1;
	return vfu_control_start(&control, to[0], from[1], servers, 2);
}

static int teardown(void **state)
{
	(void)state;
	vfu_control_stop(&control);
	close(to[0]);
	close(to[1]);
	close(from[0]);
	close(from[1]);
	return 0;
}

static void say(const char *text, const char *want)
{
	char back[VFU_CONTROL_LINE] = "";
	size_t len = 0;

	assert_int_equal(write(to[1], text, strlen(text)), strlen(text));
	while (len < strlen(want)) {
		ssize_t n = read(from[0], back + len, sizeof(back) - 1 - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_string_equal(back, want);
}

static void faults(void **state)
{
	(void)state;
	say("fault 1 irq-lost 7\n", "ok\n");
	assert_ptr_equal(got_server, servers[1]);
	assert_int_equal(got_count, 7);
	/* two in one piece, one in two */
	say("fault 0 irq-lost 1\nfault 0 irq-lost 2\n", "ok\nok\n");
	assert_int_equal(got_count, 2);
	assert_int_equal(write(to[1], "fault 0 ir", 10), 10);
	say("q-lost 3\n", "ok\n");
	assert_int_equal(got_count, 3);
}

static void marks(void **state)
{
	(void)state;
	say("mark 0 resume\n", "ok\n");
	assert_ptr_equal(got_server, servers[0]);
	assert_string_equal(marked, "resume");
}

static void refused(void **state)
{
	(void)state;
	say("mark 2 x\n", "error: no such device\n");
	say("mark 0 x y\n", "error: expected `mark DEVICE NAME`\n");
	say("fault 2 irq-lost 1\n", "error: no such device\n");
	say("fault 0 rain 1\n", "error: no such fault\n");
	say("\n", "error: expected `fault DEVICE NAME COUNT` or `mark DEVICE NAME`\n");
	say("fault 0 irq-lost 1 x\n",
	    "error: expected `fault DEVICE NAME COUNT` or `mark DEVICE NAME`\n");
}

/* More than a line can be: no answer, and stopping still works. */
static void endless(void **state)
{
	char junk[2 * VFU_CONTROL_LINE];

	(void)state;
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(write(to[1], junk, sizeof(junk)), sizeof(junk));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(faults, setup, teardown),
		cmocka_unit_test_setup_teardown(marks, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(endless, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
