// SPDX-License-Identifier: MIT
/*
 * What the kernel does when the device fails, and what its users see.  Faults come from the host
 * side: guest_host("fault NAME COUNT").  SRC: P 10.7, 11.4
 */
#include "guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "abi/cmdbuf.h"

#define NR_ROUNDS  20
#define NR_OTHERS  3
#define UNMAPPED   0x7ffff000u /* added to a context's own address: nobody maps that much */
#define RESETS	   "reset_counter"
#define ENGINE	   "engine_reset_counter"
#define RECOVER_MS 15000

/* A context that fails and one beside it with jobs of its own. */
static struct guest bad, good;
static struct guest_list bad_list, good_lists[NR_OTHERS];

static void open_both(void)
{
	guest_must_open(&bad);
	guest_must_open(&good);
	guest_must_work(&bad);
	guest_must_work(&good);
	guest_list_create(&bad, &bad_list);
	guest_list_nop(&bad_list);
	for (unsigned int i = 0; i < NR_OTHERS; i++) {
		guest_list_create(&good, &good_lists[i]);
		guest_list_nop(&good_lists[i]);
	}
}

static void close_both(void)
{
	guest_close(&bad);
	guest_close(&good);
}

static void submit_both(void)
{
	assert_int_equal(guest_submit(&bad, &bad_list, 0, NULL), 0);
	guest_sleep_ms(20); /* the device took it */
	for (unsigned int i = 0; i < NR_OTHERS; i++)
		assert_int_equal(guest_submit(&good, &good_lists[i], 0, NULL), 0);
}

/* In a full recovery: done before it, or cancelled by it. */
static void finish_others_somehow(void)
{
	uint32_t status = UINT32_MAX;

	for (unsigned int i = 0; i < NR_OTHERS; i++) {
		assert_int_equal(guest_wait(&good, good_lists[i].bo.handle, GUEST_WAIT_MS, &status),
				 0);
		assert_true(status == 0 || status == IVPU_JOB_ABORTED);
	}
}

static void finish_others(void)
{
	for (unsigned int i = 0; i < NR_OTHERS; i++)
		guest_must_finish(&good, &good_lists[i], 0);
}

/* Jobs are cancelled first, the device comes back a little later. */
static void must_work_again(struct guest *g)
{
	int64_t until = guest_now_ms() + RECOVER_MS;
	struct guest_list list;
	int ret;

	guest_list_create(g, &list);
	guest_list_nop(&list);
	while ((ret = guest_submit(g, &list, 0, NULL)) && guest_now_ms() < until)
		guest_sleep_ms(50);
	assert_int_equal(ret, 0);
	guest_must_finish(g, &list, 0);
	guest_list_destroy(g, &list);
	guest_must_work(g);
}

static void must_count(const char *name, int64_t want)
{
	int64_t until = guest_now_ms() + RECOVER_MS;

	while (guest_counter(name) < want && guest_now_ms() < until)
		guest_sleep_ms(50);
	assert_int_equal(guest_counter(name), want);
}

/* The whole device restarts: every job ends as cancelled, every context goes on. */
static void full_recovery(void **state)
{
	int64_t before = guest_counter(RESETS);

	(void)state;
	assert_true(before >= 0);
	for (int round = 1; round <= NR_ROUNDS; round++) {
		open_both();
		assert_int_equal(guest_host("fault stuck-engine 1"), 0);
		submit_both();
		guest_must_finish(&bad, &bad_list, IVPU_JOB_ABORTED);
		finish_others_somehow();
		must_work_again(&bad);
		must_work_again(&good);
		must_count(RESETS, before + round);
		close_both();
		if (round == 2 || round == NR_ROUNDS)
			assert_int_equal(guest_host("rss %d recoveries", round), 0);
	}
}

/* The context that hung is gone for good; the one beside it does not even notice. */
static void must_be_lost(struct guest *g)
{
	struct guest_list list;

	guest_list_create(g, &list);
	guest_list_nop(&list);
	assert_int_equal(guest_submit(g, &list, 0, NULL), -EBADFD);
	guest_list_destroy(g, &list);
}

static void engine_reset(void **state)
{
	int64_t resets = guest_counter(RESETS), engine = guest_counter(ENGINE);

	(void)state;
	assert_true(resets >= 0 && engine >= 0);
	for (int round = 1; round <= NR_ROUNDS; round++) {
		open_both();
		assert_int_equal(guest_host("fault stuck-engine 1"), 0);
		submit_both();
		guest_must_finish(&bad, &bad_list, IVPU_JOB_ABORTED);
		finish_others();
		must_be_lost(&bad);
		guest_must_work(&good);
		must_count(ENGINE, engine + round);
		assert_int_equal(guest_counter(RESETS), resets);
		close_both();
		if (round == 2 || round == NR_ROUNDS)
			assert_int_equal(guest_host("rss %d engine resets", round), 0);
	}
}

#define CONTEXT_VIOLATION 0xeu /* what the device reports; 6.12 hides it behind 256 */

/* The device is told to touch what is not mapped. */
static void mmu_fault(void **state)
{
	int64_t resets = guest_counter(RESETS);
	uint32_t status = 0;

	(void)state;
	for (int round = 0; round < NR_ROUNDS; round++) {
		open_both();
		guest_list_restart(&bad_list);
		guest_list_copy(&bad, &bad_list, bad_list.bo.addr + UNMAPPED, bad_list.bo.addr,
				GUEST_PAGE);
		submit_both();
		assert_int_equal(guest_wait(&bad, bad_list.bo.handle, GUEST_WAIT_MS, &status), 0);
		assert_true(status == CONTEXT_VIOLATION || status == IVPU_JOB_ABORTED);
		finish_others();
		must_be_lost(&bad);
		guest_must_work(&good);
		assert_int_equal(guest_counter(RESETS), resets);
		close_both();
	}
}

/* The same where the page is there, but not for writing. */
static void read_only_fault(void **state)
{
	struct guest_bo ro;
	uint32_t status = 0;

	(void)state;
	open_both();
	if (!guest_is_7x(&bad)) {
		close_both();
		skip();
	}
	guest_must_bo(&bad, GUEST_PAGE, IVPU_BO_MAPPABLE | IVPU_BO_READ_ONLY, &ro);
	guest_list_restart(&bad_list);
	guest_list_copy(&bad, &bad_list, bad_list.bo.addr + GUEST_PAGE, ro.addr, 64);
	assert_int_equal(guest_submit(&bad, &bad_list, 0, &ro, NULL), 0);
	guest_must_finish(&bad, &bad_list, 0); /* reading is allowed */
	guest_list_restart(&bad_list);
	guest_list_copy(&bad, &bad_list, ro.addr, bad_list.bo.addr, 64);
	assert_int_equal(guest_submit(&bad, &bad_list, 0, &ro, NULL), 0);
	assert_int_equal(guest_wait(&bad, bad_list.bo.handle, GUEST_WAIT_MS, &status), 0);
	assert_true(status == CONTEXT_VIOLATION || status == IVPU_JOB_ABORTED);
	must_be_lost(&bad);
	guest_must_work(&good);
	close_both();
}

/* The firmware stops answering: only a cold boot helps. */
static void firmware_dies(void **state)
{
	int64_t before = guest_counter(RESETS);

	(void)state;
	for (int round = 1; round <= 3; round++) {
		open_both();
		assert_int_equal(guest_host("fault fw-dead 1"), 0);
		submit_both();
		guest_must_finish(&bad, &bad_list, IVPU_JOB_ABORTED);
		finish_others_somehow();
		must_work_again(&bad);
		must_work_again(&good);
		must_count(RESETS, before + round);
		close_both();
	}
}

/*
 * The answer is there, but nobody was told, and nobody will be: the cause stays pending, so there is
 * no other edge.  Both kernels start over.
 */
static void lost_interrupt(void **state)
{
	int64_t before = guest_counter(RESETS);

	(void)state;
	for (int round = 1; round <= 5; round++) {
		open_both();
		assert_int_equal(guest_host("fault irq-lost 1"), 0);
		assert_int_equal(guest_submit(&bad, &bad_list, 0, NULL), 0);
		guest_must_finish(&bad, &bad_list, IVPU_JOB_ABORTED);
		must_work_again(&bad);
		must_work_again(&good);
		must_count(RESETS, before + round);
		close_both();
	}
}

#define GROUP(name, ...)                                                      \
	int guest_group_##name(void)                                          \
	{                                                                     \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };            \
                                                                              \
		return cmocka_run_group_tests_name(#name, tests, NULL, NULL); \
	}

GROUP(recovery, cmocka_unit_test(full_recovery))
GROUP(reset, cmocka_unit_test(engine_reset))
GROUP(mmu, cmocka_unit_test(mmu_fault), cmocka_unit_test(read_only_fault))
GROUP(dead, cmocka_unit_test(firmware_dies))
GROUP(irq, cmocka_unit_test(lost_interrupt))
