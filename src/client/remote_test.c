// SPDX-License-Identifier: MIT
#include "client/remote.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct remotes all;

static struct remote *put(u32 handle, enum remote_kind kind, struct remote *parent)
{
	struct remote *r = remote_create(handle, kind, parent);

	assert_non_null(r);
	assert_int_equal(remotes_add(&all, r), 0);
	return r;
}

static int teardown(void **state)
{
	(void)state;
	remotes_fini(&all);
	all = (struct remotes){ 0 };
	return 0;
}

static void test_find(void **state)
{
	const struct remote *a = put(1, REMOTE_OTHER, NULL), *b = put(1000, REMOTE_OTHER, NULL);

	(void)state;
	assert_ptr_equal(remotes_find(&all, 1), a);
	assert_ptr_equal(remotes_find(&all, 1000), b);
	assert_null(remotes_find(&all, 2));
	assert_null(remotes_find(&all, UINT32_MAX));
	remotes_forget(&all, 1);
	assert_null(remotes_find(&all, 1));
	remotes_forget(&all, 1);
	assert_ptr_equal(remotes_find(&all, 1000), b);
}

/* A service that gives a number twice, or one that no service would. */
static void test_bad_numbers(void **state)
{
	struct remote *twice = remote_create(7, REMOTE_OTHER, NULL);
	struct remote *absurd = remote_create(UINT32_MAX, REMOTE_OTHER, NULL);

	(void)state;
	put(7, REMOTE_OTHER, NULL);
	assert_int_equal(remotes_add(&all, twice), -EPROTO);
	assert_int_equal(remotes_add(&all, absurd), -EPROTO);
	remote_destroy(twice);
	remote_destroy(absurd);
}

static void test_below(void **state)
{
	struct remote *ctx = put(1, REMOTE_OTHER, NULL), *other = put(2, REMOTE_OTHER, NULL);

	(void)state;
	put(3, REMOTE_BUFFER, ctx);
	put(4, REMOTE_QUEUE, ctx);
	put(5, REMOTE_BUFFER, other);
	remotes_forget(&all, 3);
	put(3, REMOTE_BUFFER, ctx);
	remotes_forget(&all, 1);
	assert_null(remotes_find(&all, 3));
	assert_null(remotes_find(&all, 4));
	assert_non_null(remotes_find(&all, 5));
}

static void put_buffer(u32 handle, struct remote *ctx, u64 addr, u64 size)
{
	struct remote *r = put(handle, REMOTE_BUFFER, ctx);

	r->addr = addr;
	r->size_bytes = size; /* without a mapping */
}

static void test_covers(void **state)
{
	struct remote *ctx = put(1, REMOTE_OTHER, NULL), *other = put(2, REMOTE_OTHER, NULL);

	(void)state;
	put_buffer(3, ctx, 0x1000, 0x1000);
	put_buffer(4, ctx, 0x3000, 0x1000);
	put_buffer(5, ctx, 0x2000, 0x1000); /* joins them */
	put_buffer(6, other, 0x4000, 0x1000);
	for (int i = 0; i < 3; i++) { /* in whatever order they were found before */
		assert_true(remote_covers(ctx, 0x1000, 0x3000));
		assert_true(remote_covers(ctx, 0x3fff, 1));
		assert_false(remote_covers(ctx, 0x3fff, 2));
		assert_false(remote_covers(ctx, 0xfff, 2));
		assert_false(remote_covers(ctx, 0x4000, 1));
	}
	assert_false(remote_covers(ctx, UINT64_MAX, 2));
	assert_true(remote_covers(other, 0x4000, 0x1000));
	remotes_forget(&all, 5);
	assert_false(remote_covers(ctx, 0x1000, 0x3000));
}

static void test_room(void **state)
{
	static struct abi_queue_page pages[6];
	struct remote *ctx = put(1, REMOTE_OTHER, NULL), *queues[6];

	(void)state;
	for (u32 i = 0; i < 6; i++) {
		queues[i] = put(2 + i, REMOTE_QUEUE, ctx);
		queues[i]->page = &pages[i];
	}
	assert_int_equal(remote_room(queues[0]), 62);
	queues[0]->submitted = 62;
	assert_int_equal(remote_room(queues[0]), 0);
	pages[0].tail = 62; /* they ended, unread */
	assert_int_equal(remote_room(queues[0]), 0);
	pages[0].head = 60;
	assert_int_equal(remote_room(queues[0]), 60);
	for (u32 i = 1; i < 5; i++)
		queues[i]->submitted = 62;
	assert_int_equal(remote_room(queues[5]), 256 - 4 * 62);
	pages[1].head = 1000; /* nonsense of our own making: no more than a queue holds */
	assert_true(remote_room(queues[1]) <= 62);
	queues[5]->submitted = 8;
	assert_int_equal(remote_room(queues[5]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_find, teardown),
		cmocka_unit_test_teardown(test_bad_numbers, teardown),
		cmocka_unit_test_teardown(test_below, teardown),
		cmocka_unit_test_teardown(test_covers, teardown),
		cmocka_unit_test_teardown(test_room, teardown),
	};

	return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}
