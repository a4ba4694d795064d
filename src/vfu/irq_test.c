// SPDX-License-Identifier: MIT
/* Signals reach the client's eventfd, each of them, with the kernel's help and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "irq.c"

#define NR 1000u /* more than can be on their way at once */

/* vfu_irq_set() takes the descriptor; the client's is a copy, as over a socket. */
static void give(struct vfu_irq *irq, int fd)
{
	const struct vfu_irq_set req = { .argsz = sizeof(req),
					 .flags = VFU_SET_DATA_EVENTFD | VFU_SET_TRIGGER,
					 .index = VFU_IRQ_MSI,
					 .count = 1 };
	struct vfu_msg msg = { .nr_fds = 1, .fds = { dup(fd) } };

	assert_int_equal(vfu_irq_set(irq, &req, NULL, 0, &msg), 0);
	assert_int_equal(msg.fds[0], -1);
}

static void fire_all(int flags)
{
	int fd = eventfd(0, EFD_CLOEXEC | flags);
	struct vfu_irq irq;
	u64 count = 0;

	assert_int_equal(vfu_irq_init(&irq, true, false), 0);
	vfu_irq_fire(&irq);
	assert_int_equal(irq.dropped, 1); /* nobody wants it */
	give(&irq, fd);
	for (u32 i = 0; i < NR; i++)
		vfu_irq_fire(&irq);
	assert_int_equal(irq.sent, NR);
	assert_int_equal(irq.dropped, 1);
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, NR);
	vfu_irq_fini(&irq);
	close(fd);
}

static void test_each_arrives(void **state)
{
	(void)state;
	fire_all(0);
	fire_all(EFD_NONBLOCK);
	if (!aio.context)
		skip(); /* this kernel has no asynchronous operations: the next test is all there is */
}

/* Nobody reads, and a write would wait for whoever does. */
static void test_full_counter(void **state)
{
	const u64 full = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct vfu_irq irq;

	(void)state;
	assert_int_equal(vfu_irq_init(&irq, true, false), 0);
	give(&irq, fd);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	if (aio.context)
		assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	for (u32 i = 0; i < NR; i++)
		vfu_irq_fire(&irq);
	assert_int_equal(irq.sent + irq.dropped, NR);
	vfu_irq_fini(&irq);
	close(fd);
}

static void test_each_arrives_without_aio(void **state)
{
	aio_context_t context = aio.context;

	(void)state;
	aio.context = 0;
	fire_all(EFD_NONBLOCK);
	fire_all(0);
	aio.context = context;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_arrives),
		cmocka_unit_test(test_full_counter),
		cmocka_unit_test(test_each_arrives_without_aio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
