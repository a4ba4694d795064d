// SPDX-License-Identifier: MIT
/* A vector and waiting for it, on a kernel that is made up: R section 4. */
#include "irq.c"
#include "sys.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FD_BSP = 20, FD_QUEUE, FD_VECTOR };

static struct {
	u64 bsp;
	s64 bsp_read; /* what reading it gives; 0: 8 bytes */
	u32 taken;    /* vectors up to this one */
	int vector_error, subscribe_error, queue_error;
	u64 count, acked;   /* of the vector */
	u64 fires_at_sleep; /* this sleep sees it fire; 0: none */
	int sleep_error;
	u32 nr_sleeps, nr_open;
	u64 timeout_ms[8]; /* of each sleep */
	bool armed, nonblock;
	struct redox_event subscribed;
	char path[64];
} kernel;

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode)
{
	char text[64] = "";

	(void)mode;
	memcpy(text, path, len);
	assert_true(flags & REDOX_O_CLOEXEC);
	if (!strcmp(text, "/scheme/event")) {
		if (kernel.queue_error)
			return (redox_raw)(s64)kernel.queue_error;
		kernel.nr_open++;
		return FD_QUEUE;
	}
	if (!strcmp(text, "/scheme/irq/bsp")) {
		if (kernel.bsp_read == -EACCES)
			return (redox_raw)(s64)-EACCES;
		kernel.nr_open++;
		return FD_BSP;
	}
	memcpy(kernel.path, text, sizeof(text));
	assert_true(flags & REDOX_O_CREAT);
	if (kernel.vector_error)
		return (redox_raw)(s64)kernel.vector_error;
	if ((u32)atoi(strrchr(text, '/') + 1) <= kernel.taken)
		return (redox_raw)(s64)-EEXIST;
	kernel.nr_open++;
	return FD_VECTOR;
}

redox_raw redox_close_v1(size_t fd)
{
	assert_in_range(fd, FD_BSP, FD_VECTOR);
	kernel.nr_open--;
	return 0;
}

static redox_raw sleep_on_queue(u8 *dst)
{
	struct redox_event event = { .id = FD_VECTOR, .flags = REDOX_EVENT_READ };

	kernel.nr_sleeps++;
	if (!kernel.armed)
		kernel.timeout_ms[(kernel.nr_sleeps - 1) % 8] = UINT64_MAX;
	if (kernel.sleep_error)
		return (redox_raw)(s64)kernel.sleep_error;
	if (kernel.fires_at_sleep == kernel.nr_sleeps)
		kernel.count++;
	else
		event.id = REDOX_EVENT_TIMEOUT;
	kernel.armed = false; /* it is for one read */
	memcpy(dst, &event, sizeof(event));
	return sizeof(event);
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	if (fd == FD_QUEUE) {
		assert_true(len >= sizeof(struct redox_event));
		return sleep_on_queue(dst);
	}
	assert_int_equal(len, 8);
	if (fd == FD_BSP) {
		memcpy(dst, &kernel.bsp, 8);
		return (redox_raw)(kernel.bsp_read ? kernel.bsp_read : 8);
	}
	if (kernel.count == kernel.acked)
		return 0; /* never blocks */
	memcpy(dst, &kernel.count, 8);
	return 8;
}

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	struct redox_event event;
	u64 count;

	if (fd == FD_VECTOR) {
		memcpy(&count, src, 8);
		assert_int_equal(len, 8);
		if (count == kernel.count)
			kernel.acked = count;
		return count == kernel.count ? 8 : 0;
	}
	assert_int_equal(fd, FD_QUEUE);
	assert_int_equal(len, sizeof(event));
	memcpy(&event, src, sizeof(event));
	if (event.id == REDOX_EVENT_TIMEOUT) {
		kernel.armed = true;
		kernel.timeout_ms[kernel.nr_sleeps % 8] = event.data;
		return len;
	}
	if (kernel.subscribe_error)
		return (redox_raw)(s64)kernel.subscribe_error;
	kernel.subscribed = event;
	return len;
}

redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg)
{
	assert_int_equal(fd, FD_QUEUE);
	assert_int_equal(cmd, REDOX_F_SETFL);
	kernel.nonblock = arg & REDOX_O_NONBLOCK;
	return 0;
}

redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset)
{
	(void)addr, (void)len, (void)prot, (void)flags, (void)fd, (void)offset;
	fail();
	return 0;
}

static struct rx_irq irq;
static struct base_err err;

static void fresh(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.taken = 15;
}

static void the_first_that_is_free(void **state)
{
	(void)state;
	fresh();
	kernel.taken = 49;
	assert_int_equal(rx_irq_open(&irq, &err), 0);
	assert_string_equal(kernel.path, "/scheme/irq/cpu-00/50");
	assert_int_equal(irq.msg_addr, 0xfee00000);
	assert_int_equal(irq.msg_data, 82);
	assert_int_equal(kernel.subscribed.id, FD_VECTOR);
	assert_int_equal(kernel.subscribed.flags, REDOX_EVENT_READ);
	assert_int_equal(kernel.nr_open, 2);
	rx_irq_close(&irq);
	assert_int_equal(kernel.nr_open, 0);
	kernel.bsp = 3;
	kernel.taken = 15;
	assert_int_equal(rx_irq_open(&irq, &err), 0);
	assert_string_equal(kernel.path, "/scheme/irq/cpu-03/16");
	assert_int_equal(irq.msg_addr, 0xfee03000);
	assert_int_equal(irq.msg_data, 48);
	rx_irq_close(&irq);
}

static void failures(void **state)
{
	(void)state;
	fresh();
	kernel.bsp_read = -EACCES;
	assert_int_equal(rx_irq_open(&irq, &err), -EACCES);
	kernel.bsp_read = 3;
	assert_int_equal(rx_irq_open(&irq, &err), -EPROTO);
	assert_non_null(strstr(err.text, "3 of 8 bytes"));
	kernel.bsp_read = -EIO;
	assert_int_equal(rx_irq_open(&irq, &err), -EIO);
	kernel.bsp_read = 0;
	kernel.queue_error = -EMFILE;
	assert_int_equal(rx_irq_open(&irq, &err), -EMFILE);
	kernel.queue_error = 0;
	kernel.vector_error = -EACCES;
	assert_int_equal(rx_irq_open(&irq, &err), -EACCES);
	assert_non_null(strstr(err.text, "/scheme/irq/cpu-00/16"));
	kernel.vector_error = 0;
	kernel.taken = 222;
	assert_int_equal(rx_irq_open(&irq, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "restart of the machine"));
	kernel.taken = 0;
	kernel.subscribe_error = -EPERM;
	assert_int_equal(rx_irq_open(&irq, &err), -EPERM);
	assert_int_equal(kernel.nr_open, 0);
}

static void taken_once(void **state)
{
	(void)state;
	fresh();
	assert_int_equal(rx_irq_open(&irq, &err), 0);
	assert_false(rx_irq_take(&irq));
	kernel.count = 5;
	assert_true(rx_irq_take(&irq));
	assert_int_equal(kernel.acked, 5);
	assert_false(rx_irq_take(&irq));
	/* seen by the one who waits, told to the one who takes */
	kernel.count = 6;
	assert_int_equal(rx_irq_wait(&irq, RX_FOREVER), 0);
	assert_int_equal(kernel.nr_sleeps, 0);
	assert_int_equal(rx_irq_wait(&irq, 0), 0);
	assert_true(rx_irq_take(&irq));
	assert_false(rx_irq_take(&irq));
	rx_irq_close(&irq);
}

static void waits(void **state)
{
	u64 now = base_clock_ns();

	(void)state;
	fresh();
	assert_int_equal(rx_irq_open(&irq, &err), 0);
	assert_int_equal(rx_irq_wait(&irq, now), -ETIMEDOUT);
	assert_int_equal(kernel.nr_sleeps, 0);
	kernel.fires_at_sleep = 3; /* twice it was only the time */
	assert_int_equal(rx_irq_wait(&irq, now + 3600 * BASE_NS_PER_S), 0);
	assert_int_equal(kernel.nr_sleeps, 3);
	assert_in_range(kernel.timeout_ms[0], 3500 * 1000, 3600 * 1000);
	assert_true(rx_irq_take(&irq));
	kernel.fires_at_sleep = 4;
	assert_int_equal(rx_irq_wait(&irq, RX_FOREVER), 0);
	assert_int_equal(kernel.timeout_ms[3], UINT64_MAX); /* no limit was set */
	assert_true(rx_irq_take(&irq));
	kernel.sleep_error = -EINTR;
	assert_int_equal(rx_irq_wait(&irq, RX_FOREVER), -EINTR);
	/* what is shorter than the kernel's tick is not slept */
	now = base_clock_ns();
	assert_int_equal(rx_irq_wait(&irq, now + BASE_NS_PER_MS), -ETIMEDOUT);
	assert_int_equal(kernel.nr_sleeps, 5);
	rx_irq_close(&irq);
}

/* sys.c: as the loop of the daemon uses it. */
static void events(void **state)
{
	struct redox_event ev[2];
	size_t queue = 0;

	(void)state;
	fresh();
	assert_int_equal(rx_events_open(&queue), 0);
	assert_int_equal(rx_events_wait(queue, 1, ev, 2), 0);
	assert_int_equal(kernel.timeout_ms[0], 1); /* rounded up: never a busy loop */
	assert_int_equal(rx_events_wait(queue, 2 * BASE_NS_PER_MS, ev, 2), 0);
	assert_int_equal(kernel.timeout_ms[1], 2);
	kernel.fires_at_sleep = 3;
	assert_int_equal(rx_events_wait(queue, RX_FOREVER, ev, 2), 1);
	assert_int_equal(ev[0].id, FD_VECTOR);
	kernel.sleep_error = -REDOX_EAGAIN;
	assert_int_equal(rx_events_wait(queue, 0, ev, 2), 0);
	assert_int_equal(kernel.timeout_ms[3], UINT64_MAX);
	assert_false(kernel.nonblock); /* it blocks again */
	kernel.sleep_error = -EIO;
	assert_int_equal(rx_events_wait(queue, 0, ev, 2), -EIO);
	assert_false(kernel.nonblock);
	redox_close_v1(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_is_free),
		cmocka_unit_test(failures),
		cmocka_unit_test(taken_once),
		cmocka_unit_test(waits),
		cmocka_unit_test(events),
	};

	return cmocka_run_group_tests_name("redox irq", tests, NULL, NULL);
}
