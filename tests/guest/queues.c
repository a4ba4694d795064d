// SPDX-License-Identifier: MIT
/*
 * Queues: as deep as promised, explicit ones of 7.x in hardware scheduling.  SRC: P 10.2, 12.5
 */
#include "guest.h"

#include <errno.h>
#include <string.h>

#include "abi/cmdbuf.h"

#define NR_LISTS 300u /* more than a context may have under way */
#define JOBS_MAX 256u /* that is: SRC P 10.1 */

static struct guest g;
static struct guest_bo data;
static struct guest_list lists[NR_LISTS];

static int setup(void **state)
{
	(void)state;
	guest_must_open(&g);
	guest_must_bo(&g, 64 * (NR_LISTS + 1), IVPU_BO_MAPPABLE, &data);
	for (unsigned int i = 0; i < NR_LISTS; i++)
		guest_list_create(&g, &lists[i]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_close(&g);
	return 0;
}

static uint32_t must_queue(uint32_t priority, uint32_t flags)
{
	struct ivpu_cmdq_create create = { .priority = priority, .flags = flags };

	assert_int_equal(guest_ioctl(g.fd, IVPU_CMDQ_CREATE, &create), 0);
	assert_in_range(create.cmdq_id, 1, 255);
	return create.cmdq_id;
}

static int destroy(uint32_t id)
{
	struct ivpu_cmdq_destroy d = { .cmdq_id = id };

	return guest_ioctl(g.fd, IVPU_CMDQ_DESTROY, &d);
}

/* Each writes its number to a place of its own, the first @waiting ones once data[0] is past 3. */
static void prepare_lists(unsigned int waiting)
{
	memset(data.cpu, 0, data.size);
	for (unsigned int i = 0; i < NR_LISTS; i++) {
		guest_list_restart(&lists[i]);
		if (i < waiting)
			guest_list_fence(&lists[i], ABI_CMD_FENCE_WAIT, data.addr, 3);
		guest_list_fence(&lists[i], ABI_CMD_FENCE_SIGNAL, data.addr + 64 * (i + 1), i + 1);
	}
}

static uint64_t written(unsigned int i)
{
	uint64_t value;

	memcpy(&value, data.cpu + 64 * (i + 1), sizeof(value));
	return value;
}

static void let_go(void)
{
	const uint64_t four = 4;

	memcpy(data.cpu, &four, sizeof(four));
}

/* As many as the queue holds, or the context where waiting jobs leave the queue; none is lost. */
static void full_queue(void **state)
{
	unsigned int nr;
	int ret = 0;

	(void)state;
	prepare_lists(NR_LISTS);
	for (nr = 0; nr < NR_LISTS; nr++) {
		ret = guest_submit(&g, &lists[nr], 2, &data, NULL);
		if (ret)
			break;
		assert_int_equal(written(nr), 0);
	}
	assert_int_equal(ret, -EBUSY);
	assert_in_range(nr, IVPU_QUEUE_DEPTH, JOBS_MAX);
	let_go();
	for (unsigned int i = 0; i < nr; i++) {
		guest_must_finish(&g, &lists[i], 0);
		assert_int_equal(written(i), i + 1);
	}
	assert_int_equal(guest_submit(&g, &lists[nr], 2, &data, NULL), 0);
	guest_must_finish(&g, &lists[nr], 0);
}

static void explicit_refused(void **state)
{
	struct ivpu_cmdq_create create = { .priority = 2 };

	(void)state;
	if (guest_has_cmdq(&g))
		skip();
	/* 6.12 does not know the call; 7.x without hardware scheduling has no such queues */
	assert_int_equal(guest_ioctl(g.fd, IVPU_CMDQ_CREATE, &create),
			 guest_is_7x(&g) ? -ENODEV : -EINVAL);
}

static void explicit_queues(void **state)
{
	(void)state;
	if (!guest_has_cmdq(&g))
		skip();
	for (uint32_t prio = 0; prio <= IVPU_PRIORITY_MAX; prio++) {
		uint32_t id = must_queue(prio, prio == 1 ? IVPU_CMDQ_TURBO : 0);

		prepare_lists(0);
		for (unsigned int i = 1; i < 20; i++)
			assert_int_equal(guest_queue_submit(&g, id, &lists[i], &data), 0);
		for (unsigned int i = 1; i < 20; i++) {
			guest_must_finish(&g, &lists[i], 0);
			assert_int_equal(written(i), i + 1);
		}
		assert_int_equal(destroy(id), 0);
		assert_int_equal(destroy(id), -ENOENT);
		assert_int_equal(guest_queue_submit(&g, id, &lists[1], &data), -EINVAL);
	}
}

/* A blocked queue of any priority holds up none of the others. */
static void blocked_queue(void **state)
{
	uint32_t blocked, free_queue;

	(void)state;
	if (!guest_has_cmdq(&g))
		skip();
	for (uint32_t prio = 1; prio <= IVPU_PRIORITY_MAX; prio++) {
		blocked = must_queue(prio, 0);
		free_queue = must_queue(2, 0);
		prepare_lists(1);
		assert_int_equal(guest_queue_submit(&g, blocked, &lists[0], &data), 0);
		assert_int_equal(guest_queue_submit(&g, free_queue, &lists[7], &data), 0);
		guest_must_finish(&g, &lists[7], 0);
		assert_int_equal(written(7), 8);
		assert_int_equal(written(0), 0);
		let_go();
		guest_must_finish(&g, &lists[0], 0);
		assert_int_equal(destroy(blocked), 0);
		assert_int_equal(destroy(free_queue), 0);
	}
}

static void destroyed_with_jobs(void **state)
{
	uint32_t id;

	(void)state;
	if (!guest_has_cmdq(&g))
		skip();
	id = must_queue(2, 0);
	prepare_lists(5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(guest_queue_submit(&g, id, &lists[i], &data), 0);
	assert_int_equal(destroy(id), 0);
	for (unsigned int i = 0; i < 5; i++)
		guest_must_finish(&g, &lists[i], IVPU_JOB_ABORTED);
	guest_must_work(&g);
}

/* Doorbells are what runs out first; all come back. */
static void many_queues(void **state)
{
	static uint32_t ids[300];
	struct ivpu_cmdq_create create = { .priority = 2 };
	unsigned int nr = 0;
	int ret = 0;

	(void)state;
	if (!guest_has_cmdq(&g))
		skip();
	prepare_lists(0);
	while (nr < 300 && !(ret = guest_ioctl(g.fd, IVPU_CMDQ_CREATE, &create)))
		ids[nr++] = create.cmdq_id;
	assert_true(ret == -ENOMEM || ret == -EBUSY);
	assert_in_range(nr, 100, 255);
	for (unsigned int i = 0; i < nr; i += 10) {
		assert_int_equal(guest_queue_submit(&g, ids[i], &lists[1 + i % 70], &data), 0);
		guest_must_finish(&g, &lists[1 + i % 70], 0);
	}
	while (nr)
		assert_int_equal(destroy(ids[--nr]), 0);
	guest_must_work(&g);
}

static int submit_preempt(uint32_t queue, uint32_t handle, uint32_t index)
{
	uint32_t handles[2] = { lists[1].bo.handle, handle };
	struct ivpu_cmdq_submit s = { .buffers_ptr = (uintptr_t)handles,
				      .buffer_count = 2,
				      .cmdq_id = queue,
				      .commands_offset = GUEST_LIST_OFF,
				      .preempt_buffer_index = index };

	return guest_ioctl(g.fd, IVPU_CMDQ_SUBMIT, &s);
}

static void preemption_buffer(void **state)
{
	struct guest_bo good, mappable, small;
	uint64_t size;
	uint32_t id;

	(void)state;
	if (!guest_has_cmdq(&g))
		skip();
	size = guest_must_param(&g, IVPU_PARAM_PREEMPT_BUFFER_SIZE, 0);
	if (!size)
		skip(); /* the image asks for none */
	id = must_queue(2, 0);
	guest_must_bo(&g, size, IVPU_BO_WC, &good);
	guest_must_bo(&g, size, IVPU_BO_MAPPABLE, &mappable);
	guest_must_bo(&g, GUEST_PAGE, IVPU_BO_WC, &small);
	prepare_lists(0);
	guest_list_restart(&lists[1]);
	guest_list_nop(&lists[1]);
	assert_int_equal(submit_preempt(id, good.handle, 1), 0);
	guest_must_finish(&g, &lists[1], 0);
	assert_int_equal(submit_preempt(id, good.handle, 2), -EINVAL);
	assert_int_equal(submit_preempt(id, mappable.handle, 1), -EINVAL);
	assert_int_equal(submit_preempt(id, small.handle, 1), -EINVAL);
	assert_int_equal(destroy(id), 0);
	guest_bo_destroy(&g, &small);
	guest_bo_destroy(&g, &mappable);
	guest_bo_destroy(&g, &good);
}

int guest_group_queues(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_queue),	       cmocka_unit_test(explicit_refused),
		cmocka_unit_test(explicit_queues),     cmocka_unit_test(blocked_queue),
		cmocka_unit_test(destroyed_with_jobs), cmocka_unit_test(many_queues),
		cmocka_unit_test(preemption_buffer),
	};

	return cmocka_run_group_tests_name("queues", tests, setup, teardown);
}
