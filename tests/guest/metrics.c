// SPDX-License-Identifier: MIT
/*
 * The metric streamer.  SRC: P 12.6, 7.5
 */
#include "guest.h"

#include <errno.h>
#include <string.h>

#define MASK 0x1u

static struct guest g;

static int setup(void **state)
{
	(void)state;
	guest_must_open(&g);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_close(&g);
	return 0;
}

static void info(void **state)
{
	static uint8_t text[16384];
	struct ivpu_ms_data ask = { .mask = MASK };
	uint32_t group;

	(void)state;
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_GET_INFO, &ask), 0);
	assert_in_range(ask.data_size, 40, sizeof(text));
	ask.buffer_ptr = (uintptr_t)text;
	ask.buffer_size = 8;
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_GET_INFO, &ask), -ENOSPC);
	ask.buffer_size = sizeof(text);
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_GET_INFO, &ask), 0);
	memcpy(&group, text + 8, sizeof(group));
	assert_int_equal(group, 0); /* bit 0 of the mask */
}

static void stream(void **state)
{
	static uint8_t samples[65536];
	struct ivpu_ms_start start = { .mask = MASK,
				       .sampling_period_ns = 10000000,
				       .read_period_samples = 10 };
	struct ivpu_ms_data data = { .mask = MASK };
	struct ivpu_ms_stop stop = { .mask = MASK };
	uint64_t got = 0;

	(void)state;
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_START, &start), 0);
	assert_in_range(start.sample_size, 8, 4096);
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_START, &start), -EALREADY);
	for (unsigned int i = 0; i < 20 && !got; i++) {
		guest_sleep_ms(20);
		data.buffer_ptr = (uintptr_t)samples;
		data.buffer_size = sizeof(samples);
		assert_int_equal(guest_ioctl(g.fd, IVPU_MS_GET_DATA, &data), 0);
		got += data.data_size;
	}
	assert_true(got >= start.sample_size);
	assert_int_equal(got % start.sample_size, 0);
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_STOP, &stop), 0);
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_STOP, &stop), -EINVAL);
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_GET_DATA, &data), -EINVAL);
}

static void refused(void **state)
{
	const struct ivpu_ms_start good = { .mask = MASK,
					    .sampling_period_ns = 10000000,
					    .read_period_samples = 10 };
	struct ivpu_ms_start start = good;

	(void)state;
	start.mask = 0;
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_START, &start), -EINVAL);
	start = good;
	start.sampling_period_ns = 999999;
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_START, &start), -EINVAL);
	start = good;
	start.read_period_samples = 0;
	assert_int_equal(guest_ioctl(g.fd, IVPU_MS_START, &start), -EINVAL);
}

int guest_group_metrics(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info),
		cmocka_unit_test(stream),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("metrics", tests, setup, teardown);
}
