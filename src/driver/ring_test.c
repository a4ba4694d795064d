// SPDX-License-Identifier: MIT
#include "ring.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A job that holds back those behind it. */
static u32 push_sync(struct drv_ring *ring, u64 cmd_addr, u32 job_id)
{
	u32 slot = drv_ring_push(ring, cmd_addr, job_id);

	drv_ring_set_sync(ring, slot);
	return slot;
}

static struct abi_jobq page;
static struct drv_ring ring;

static int setup(void **state)
{
	(void)state;
	memset(&page, 0xff, sizeof(page));
	drv_ring_init(&ring, &page);
	return 0;
}

/* P 10.2: indices are modulo 63, at most 62 entries, empty when head == tail. */
static void test_depth_and_wrap(void **state)
{
	u32 id = 0;

	(void)state;
	for (u32 round = 0; round < 3; round++) {
		u32 room;

		for (u32 n = 0; n <= ABI_JOBQ_DEPTH; n++) {
			assert_int_equal(drv_ring_room(&ring, &room), 0);
			assert_int_equal(room, ABI_JOBQ_DEPTH - n);
			if (room)
				drv_ring_push(&ring, 0x1000, id++);
		}
		assert_true(drv_ring_publish(&ring));
		drv_ring_commit(&ring);
		assert_int_equal(page.hdr.tail, ring.tail);
		page.hdr.head = page.hdr.tail; /* the firmware took all */
	}
	assert_int_equal(page.hdr.tail, 3 * ABI_JOBQ_DEPTH % ABI_JOBQ_SLOTS);
}

static void test_slot_content(void **state)
{
	u32 slot;

	(void)state;
	page.slot[0].job.flags = 7; /* stale */
	slot = drv_ring_push(&ring, 0xa0000040, 0x123);
	assert_int_equal(slot, 0);
	assert_int_equal(page.slot[0].job.batch_buf_addr, 0xa0000040);
	assert_int_equal(page.slot[0].job.job_id, 0x123);
	assert_int_equal(page.slot[0].job.flags, 0);
	assert_int_equal(page.hdr.tail, 0); /* nothing published yet */
}

static void test_nothing_to_publish(void **state)
{
	(void)state;
	assert_false(drv_ring_publish(&ring));
	drv_ring_push(&ring, 1, 1);
	assert_true(drv_ring_publish(&ring));
	assert_false(drv_ring_publish(&ring));
}

/* The firmware may write any number into head. */
static void test_bad_head(void **state)
{
	u32 room;

	(void)state;
	drv_ring_push(&ring, 1, 1);
	drv_ring_push(&ring, 1, 2);
	drv_ring_publish(&ring);
	for (u32 bad = 3; bad < 200; bad++) {
		page.hdr.head = bad;
		/* behind tail it would mean that slots not written were taken */
		assert_int_equal(drv_ring_room(&ring, &room), bad >= ABI_JOBQ_SLOTS ? -EPROTO : 0);
	}
	page.hdr.head = UINT32_MAX;
	assert_int_equal(drv_ring_room(&ring, &room), -EPROTO);
	page.hdr.head = 2;
	assert_int_equal(drv_ring_room(&ring, &room), 0);
	assert_int_equal(room, ABI_JOBQ_DEPTH);
}

/* Between what was published and what was only put in there is no head. */
static void test_head_past_published(void **state)
{
	u32 room;

	(void)state;
	push_sync(&ring, 1, 1);
	drv_ring_push(&ring, 1, 2);
	drv_ring_push(&ring, 1, 3);
	drv_ring_publish(&ring);
	page.hdr.head = 1;
	assert_int_equal(drv_ring_room(&ring, &room), 0);
	page.hdr.head = 2;
	assert_int_equal(drv_ring_room(&ring, &room), -EPROTO);
}

/* What is behind a SYNC job waits until it is done. */
static void test_sync(void **state)
{
	u32 first, second;

	(void)state;
	first = push_sync(&ring, 1, 1);
	second = push_sync(&ring, 1, 2);
	drv_ring_push(&ring, 1, 3);
	assert_true(drv_ring_publish(&ring));
	assert_int_equal(ring.pub, 1);
	assert_false(drv_ring_publish(&ring));
	assert_true(drv_ring_done(&ring, first));
	assert_false(drv_ring_done(&ring, first));
	assert_true(drv_ring_publish(&ring));
	assert_int_equal(ring.pub, 2);
	assert_true(drv_ring_done(&ring, second));
	assert_true(drv_ring_publish(&ring));
	assert_int_equal(ring.pub, 3);
	assert_int_equal(ring.sync, 0);
}

/* Nothing is behind it: it is published, and that is all. */
static void test_sync_is_last(void **state)
{
	(void)state;
	push_sync(&ring, 1, 1);
	assert_true(drv_ring_publish(&ring));
	assert_int_equal(drv_ring_unpublished(&ring), 0);
	assert_false(drv_ring_publish(&ring));
}

static void test_sync_at_the_wrap(void **state)
{
	(void)state;
	for (u32 i = 0; i < ABI_JOBQ_SLOTS - 1; i++)
		drv_ring_push(&ring, 1, i);
	drv_ring_publish(&ring);
	page.hdr.head = ring.pub;
	assert_int_equal(push_sync(&ring, 1, 62), ABI_JOBQ_SLOTS - 1);
	drv_ring_push(&ring, 1, 63);
	assert_true(drv_ring_publish(&ring));
	assert_int_equal(ring.pub, 0);
	assert_false(drv_ring_publish(&ring));
	assert_true(drv_ring_done(&ring, ABI_JOBQ_SLOTS - 1));
	assert_true(drv_ring_publish(&ring));
	assert_int_equal(ring.pub, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_depth_and_wrap, setup),
		cmocka_unit_test_setup(test_slot_content, setup),
		cmocka_unit_test_setup(test_nothing_to_publish, setup),
		cmocka_unit_test_setup(test_bad_head, setup),
		cmocka_unit_test_setup(test_head_past_published, setup),
		cmocka_unit_test_setup(test_sync, setup),
		cmocka_unit_test_setup(test_sync_is_last, setup),
		cmocka_unit_test_setup(test_sync_at_the_wrap, setup),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
