// SPDX-License-Identifier: MIT
/* A run in a thread of its own: its result, and how it is left behind. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "vnpu/engine/alone.h"

struct vnpu_net {
	sem_t go_on;
	u32 runs;
	const u32 *stop;
	u32 stop_seen;
};

static int slow_run(struct vnpu_net *net, void *const *bindings, void *arena, u32 *op,
		    struct base_err *err)
{
	while (sem_wait(&net->go_on))
		;
	net->runs++;
	net->stop_seen = __atomic_load_n(net->stop, __ATOMIC_RELAXED);
	*op = *(const u32 *)bindings[0];
	return base_err_set(err, -EOVERFLOW, "%s", (const char *)arena);
}

static const struct vnpu_engine slow = { .run = slow_run };

static void begin(struct vnpu_alone *a, struct vnpu_net *net)
{
	static const u32 seven = 7;
	static void *const bindings[] = { (void *)(uintptr_t)&seven };

	*a = (struct vnpu_alone){ .engine = &slow,
				  .net = net,
				  .bindings = bindings,
				  .arena = (void *)(uintptr_t) "too much" };
	*net = (struct vnpu_net){ .stop = &a->stop };
	assert_int_equal(sem_init(&net->go_on, 0, 0), 0);
}

static void expect_result(const struct vnpu_alone *a, const struct vnpu_net *net)
{
	assert_int_equal(net->runs, 1);
	assert_int_equal(a->ret, -EOVERFLOW);
	assert_int_equal(a->op, 7);
	assert_string_equal(a->err.text, "too much");
}

static void test_to_its_end(void **state)
{
	const u32 stop = 0;
	struct vnpu_alone a;
	struct vnpu_net net;

	(void)state;
	begin(&a, &net);
	sem_post(&net.go_on);
	assert_true(vnpu_alone_run(&a, &stop));
	expect_result(&a, &net);
	assert_int_equal(net.stop_seen, 0);
}

static void test_left_behind(void **state)
{
	const u32 stop = 1;
	struct vnpu_alone a;
	struct vnpu_net net;

	(void)state;
	begin(&a, &net);
	assert_false(vnpu_alone_run(&a, &stop));
	assert_false(vnpu_alone_ended(&a, false));
	assert_int_equal(net.runs, 0);
	sem_post(&net.go_on);
	assert_true(vnpu_alone_ended(&a, true));
	expect_result(&a, &net);
	assert_int_equal(net.stop_seen, 1); /* it was told not to begin another operation */
}

static void test_ends_unwatched(void **state)
{
	const u32 stop = 1;
	struct vnpu_alone a;
	struct vnpu_net net;
	u32 i;

	(void)state;
	begin(&a, &net);
	assert_false(vnpu_alone_run(&a, &stop));
	sem_post(&net.go_on);
	for (i = 0; i < 10000 && !vnpu_alone_ended(&a, false); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_true(i < 10000);
	expect_result(&a, &net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_its_end),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_ends_unwatched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
