// SPDX-License-Identifier: MIT
#include "loop.c"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>

#include <cmocka.h>

#define NR_MANY 100u /* more than one wake-up holds */

struct source {
	struct loop_source base;
	struct loop *loop;
	u32 nr_ready;
	bool leaves; /* takes itself out when it is served */
};

static void on_ready(struct loop_source *base)
{
	struct source *s = base_container_of(base, struct source, base);

	s->nr_ready++;
	if (s->leaves)
		loop_del(s->loop, base);
}

static struct loop *open_loop(void)
{
	struct loop *loop;

	assert_int_equal(loop_create(&loop), 0);
	return loop;
}

static void add(struct loop *loop, struct source *s, int fd, u32 events)
{
	*s = (struct source){ .base = { .fd = fd, .ready = on_ready }, .loop = loop };
	assert_int_equal(loop_add(loop, &s->base, events), 0);
}

/* Once round; how many were ready. */
static u32 turn(struct loop *loop, u64 timeout_ns)
{
	struct loop_wakeup wakeup;

	assert_int_equal(loop_sleep(loop, timeout_ns, &wakeup), 0);
	loop_serve(&wakeup);
	return wakeup.nr;
}

static void levels(void **state)
{
	struct loop *loop = open_loop();
	struct source s;
	eventfd_t count;
	int fd = eventfd(0, EFD_NONBLOCK);

	(void)state;
	add(loop, &s, fd, LOOP_READ);
	assert_int_equal(turn(loop, 0), 0);
	assert_int_equal(turn(loop, BASE_NS_PER_MS), 0); /* the time passed */
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_int_equal(turn(loop, UINT64_MAX), 1);
	assert_int_equal(turn(loop, UINT64_MAX), 1); /* it still is */
	assert_int_equal(s.nr_ready, 2);
	assert_int_equal(eventfd_read(fd, &count), 0);
	assert_int_equal(turn(loop, 0), 0);
	assert_int_equal(loop_set(loop, &s.base, LOOP_WRITE), 0);
	assert_int_equal(turn(loop, UINT64_MAX), 1);
	assert_int_equal(loop_set(loop, &s.base, 0), 0);
	assert_int_equal(turn(loop, 0), 0);
	loop_del(loop, &s.base);
	assert_int_equal(loop_set(loop, &s.base, LOOP_READ), -ENOENT);
	close(fd);
	loop_destroy(loop);
	loop_destroy(NULL);
}

static void hang_up_is_readable(void **state)
{
	struct loop *loop = open_loop();
	struct source s;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	add(loop, &s, ends[0], LOOP_READ);
	assert_int_equal(turn(loop, 0), 0);
	close(ends[1]);
	assert_int_equal(turn(loop, UINT64_MAX), 1);
	close(ends[0]);
	loop_destroy(loop);
}

static void one_leaves_while_it_is_served(void **state)
{
	struct loop *loop = open_loop();
	struct source a, b;
	int fd = eventfd(1, EFD_NONBLOCK), other = eventfd(1, EFD_NONBLOCK);

	(void)state;
	add(loop, &a, fd, LOOP_READ);
	add(loop, &b, other, LOOP_READ);
	a.leaves = true;
	assert_int_equal(turn(loop, UINT64_MAX), 2);
	assert_int_equal(turn(loop, UINT64_MAX), 1);
	assert_int_equal(a.nr_ready, 1);
	assert_int_equal(b.nr_ready, 2);
	close(fd);
	close(other);
	loop_destroy(loop);
}

/* Nobody is left out when more are ready than are told of at once. */
static void many(void **state)
{
	static struct source s[NR_MANY];
	struct loop *loop = open_loop();

	(void)state;
	for (u32 i = 0; i < NR_MANY; i++)
		add(loop, &s[i], eventfd(1, EFD_NONBLOCK), LOOP_READ);
	for (u32 i = 0; i < 4; i++)
		assert_in_range(turn(loop, UINT64_MAX), 1, 64);
	for (u32 i = 0; i < NR_MANY; i++) {
		assert_in_range(s[i].nr_ready, 2, 3);
		close(s[i].base.fd);
	}
	loop_destroy(loop);
}

static void what_cannot_be_waited_for(void **state)
{
	struct loop *loop = open_loop();
	struct source s = { .base = { .fd = 9999 } };
	FILE *file = tmpfile();

	(void)state;
	assert_int_equal(loop_add(loop, &s.base, LOOP_READ), -EBADF);
	s.base.fd = fileno(file);
	assert_int_equal(loop_add(loop, &s.base, LOOP_READ), -EPERM);
	fclose(file);
	loop_destroy(loop);
}

static void no_op(int sig)
{
	(void)sig;
}

/* A signal is nothing that happened to a descriptor. */
static void signals(void **state)
{
	const struct itimerval timer = { .it_value.tv_usec = 20000 };
	const struct sigaction sa = { .sa_handler = no_op };
	struct loop *loop = open_loop();

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
	assert_int_equal(turn(loop, UINT64_MAX), 0);
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(hang_up_is_readable),
		cmocka_unit_test(one_leaves_while_it_is_served),
		cmocka_unit_test(many),
		cmocka_unit_test(what_cannot_be_waited_for),
		cmocka_unit_test(signals),
	};

	return cmocka_run_group_tests_name("scheme loop", tests, NULL, NULL);
}
