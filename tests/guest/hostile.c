// SPDX-License-Identifier: MIT
/*
 * Calls no honest program makes: each has its errno, none disturbs the device.  SRC: P 12.5
 */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BAD_PTR	   ((void *)0x10)
#define BAD_HANDLE 0xabcdefu

static struct guest g;
static struct guest_list list;

static int setup(void **state)
{
	(void)state;
	guest_must_open(&g);
	guest_list_create(&g, &list);
	guest_list_nop(&list);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_must_work(&g);
	guest_close(&g);
	return 0;
}

static struct ivpu_submit good_submit(void)
{
	return (struct ivpu_submit){ .buffers_ptr = (uintptr_t)&list.bo.handle,
				     .buffer_count = 1,
				     .commands_offset = GUEST_LIST_OFF };
}

static int submit(struct ivpu_submit s)
{
	return guest_ioctl(g.fd, IVPU_SUBMIT, &s);
}

static void argument_pointers(void **state)
{
	static const unsigned long calls[] = { IVPU_GET_PARAM, IVPU_SET_PARAM, IVPU_BO_CREATE,
					       IVPU_BO_INFO,   IVPU_SUBMIT,    IVPU_BO_WAIT,
					       IVPU_MS_START,  IVPU_MS_STOP,   IVPU_MS_GET_DATA };

	(void)state;
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(guest_ioctl(g.fd, calls[i], BAD_PTR), -EFAULT);
}

static void unknown_calls(void **state)
{
	struct ivpu_bo_info any = { 0 };

	(void)state;
	assert_int_equal(guest_ioctl(g.fd, IVPU_UNUSED_44, &any), -EINVAL);
	assert_int_equal(guest_ioctl(g.fd, _IOWR('d', 0x5f, struct ivpu_bo_info), &any), -EINVAL);
	assert_int_equal(guest_ioctl(g.fd, _IO('x', 1), &any), -ENOTTY);
}

static void submit_fields(void **state)
{
	struct ivpu_submit s;

	(void)state;
	s = good_submit();
	s.engine = 1;
	assert_int_equal(submit(s), -EINVAL);
	s = good_submit();
	s.priority = IVPU_PRIORITY_MAX + 1;
	assert_int_equal(submit(s), -EINVAL);
	s = good_submit();
	s.priority = UINT32_MAX;
	assert_int_equal(submit(s), -EINVAL);
	s = good_submit();
	s.buffer_count = 0;
	assert_int_equal(submit(s), -EINVAL);
	s.buffer_count = IVPU_BO_MAX_HANDLES + 1;
	assert_int_equal(submit(s), -EINVAL);
	s = good_submit();
	s.commands_offset = 4;
	assert_int_equal(submit(s), -EINVAL);
	s.commands_offset = GUEST_LIST_SIZE;
	assert_int_equal(submit(s), -EINVAL);
	s.commands_offset = 0xfffffff8;
	assert_int_equal(submit(s), -EINVAL);
}

static void submit_handles(void **state)
{
	static uint32_t handles[IVPU_BO_MAX_HANDLES];
	struct ivpu_submit s = good_submit();

	(void)state;
	s.buffers_ptr = (uintptr_t)BAD_PTR;
	assert_int_equal(submit(s), -EFAULT);
	s.buffers_ptr = UINT64_MAX - 7;
	assert_int_equal(submit(s), -EFAULT);
	s = good_submit();
	s.buffers_ptr = (uintptr_t)handles;
	for (unsigned int i = 0; i < IVPU_BO_MAX_HANDLES; i++)
		handles[i] = BAD_HANDLE;
	assert_int_equal(submit(s), -ENOENT);
	s.buffer_count = IVPU_BO_MAX_HANDLES;
	assert_int_equal(submit(s), -ENOENT);
	handles[0] = list.bo.handle;
	assert_int_equal(submit(s), -ENOENT);
}

static void waits(void **state)
{
	struct ivpu_bo_wait wait = { .handle = BAD_HANDLE };
	uint32_t status = 77;

	(void)state;
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_WAIT, &wait), -EINVAL);
	wait.handle = list.bo.handle;
	/* nothing submitted: nothing to wait for, whatever the deadline */
	wait.timeout_ns = INT64_MAX;
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_WAIT, &wait), 0);
	assert_int_equal(guest_wait(&g, list.bo.handle, -100000, &status), 0);
	wait.timeout_ns = INT64_MIN;
	assert_int_equal(guest_ioctl(g.fd, IVPU_BO_WAIT, &wait), 0);
}

static void gone_handles(void **state)
{
	struct drm_gem_close gone = { .handle = BAD_HANDLE };
	struct guest_list dead;
	struct ivpu_submit s = good_submit();
	uint32_t handle;

	(void)state;
	assert_int_equal(guest_ioctl(g.fd, DRM_GEM_CLOSE, &gone), -EINVAL);
	guest_list_create(&g, &dead);
	handle = dead.bo.handle;
	guest_list_destroy(&g, &dead);
	s.buffers_ptr = (uintptr_t)&handle;
	assert_int_equal(submit(s), -ENOENT);
}

static void queue_calls(void **state)
{
	struct ivpu_cmdq_create create = { .priority = IVPU_PRIORITY_MAX + 1 };
	struct ivpu_cmdq_destroy destroy = { .cmdq_id = 0 };

	(void)state;
	if (!guest_has_cmdq(&g))
		skip();
	assert_int_equal(guest_ioctl(g.fd, IVPU_CMDQ_CREATE, &create), -EINVAL);
	assert_int_equal(guest_ioctl(g.fd, IVPU_CMDQ_CREATE, BAD_PTR), -EFAULT);
	assert_int_equal(guest_ioctl(g.fd, IVPU_CMDQ_DESTROY, &destroy), -ENOENT);
	destroy.cmdq_id = UINT32_MAX;
	assert_int_equal(guest_ioctl(g.fd, IVPU_CMDQ_DESTROY, &destroy), -ENOENT);
	assert_int_equal(guest_queue_submit(&g, 0, &list, NULL), -EINVAL);
	assert_int_equal(guest_queue_submit(&g, 256, &list, NULL), -EINVAL);
	assert_int_equal(guest_queue_submit(&g, 200, &list, NULL), -EINVAL);
}

/* What would take long, or is the device's to refuse and the kernel's to complain about. */
static void disarm(unsigned long call, uint32_t *words)
{
	if (call == IVPU_BO_WAIT)
		words[2] = words[3] = 0; /* no deadline far away */
	if (call == IVPU_MS_START || call == IVPU_MS_GET_INFO)
		words[0] = words[1] = 0; /* groups: none, a mask the kernel itself refuses */
}

/* Random bytes to every call: any answer will do, but the kernel and the device live on. */
static void noise(void **state)
{
	static const unsigned long calls[] = {
		IVPU_GET_PARAM,	      IVPU_BO_CREATE,	IVPU_BO_INFO,	   IVPU_SUBMIT,
		IVPU_BO_WAIT,	      IVPU_MS_START,	IVPU_MS_STOP,	   IVPU_MS_GET_DATA,
		IVPU_MS_GET_INFO,     IVPU_CMDQ_CREATE, IVPU_CMDQ_DESTROY, IVPU_CMDQ_SUBMIT,
		IVPU_BO_FROM_USERPTR,
	};
	struct guest victim;
	uint32_t words[16];

	(void)state;
	srand(42);
	guest_must_open(&victim);
	for (unsigned int i = 0; i < 2000; i++) {
		for (unsigned int k = 0; k < 16; k++)
			words[k] = (uint32_t)rand() >> (rand() % 31);
		disarm(calls[i % 13], words);
		guest_ioctl(victim.fd, calls[i % 13], words);
	}
	guest_close(&victim);
	guest_must_work(&g);
}

int guest_group_hostile(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(argument_pointers),
		cmocka_unit_test(unknown_calls),
		cmocka_unit_test(submit_fields),
		cmocka_unit_test(submit_handles),
		cmocka_unit_test(waits),
		cmocka_unit_test(gone_handles),
		cmocka_unit_test(queue_calls),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("hostile", tests, setup, teardown);
}
