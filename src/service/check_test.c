// SPDX-License-Identifier: MIT
/* One test per rule of a job descriptor. */
#include "service/check.c"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LIVE_START 0x10000u
#define LIVE_END   0x20000u

/* The context of these tests has one buffer. */
static bool cover(const void *opaque, u64 addr, u64 size)
{
	(void)opaque;
	return addr >= LIVE_START && base_range_ok(addr - LIVE_START, size, LIVE_END - LIVE_START);
}

static const struct svc_ranges in = { .cover = cover };
static const struct svc_ranges in_flat = { .cover = cover, .flat = true };

static struct abi_job good_job(void)
{
	return (struct abi_job){ .cmd_addr = LIVE_START,
				 .cmd_size = 88,
				 .flags = ABI_JOB_INFERENCE | ABI_JOB_SYNC,
				 .input_addr = LIVE_START + 1,
				 .input_size = 3,
				 .output_addr = LIVE_END - 5,
				 .output_size = 5,
				 .cookie = UINT64_MAX };
}

static void expect_bad(const struct abi_job *job, const char *hint)
{
	struct base_err err = { 0 };

	assert_int_equal(svc_job_check(&in, job, 7, &err), -EINVAL);
	assert_non_null(strstr(err.text, "job 7: "));
	assert_non_null(strstr(err.text, hint));
}

static void accepts(void **state)
{
	struct abi_job job = good_job();

	(void)state;
	assert_int_equal(svc_job_check(&in, &job, 0, NULL), 0);
	job = (struct abi_job){ .cmd_addr = LIVE_END - 64, .cmd_size = 48 };
	assert_int_equal(svc_job_check(&in, &job, 0, NULL), 0);
	job.cmd_size = 64;
	assert_int_equal(svc_job_check(&in, &job, 0, NULL), 0);
}

static void flags(void **state)
{
	(void)state;
	for (u32 bit = 2; bit < 32; bit++) {
		struct abi_job job = good_job();

		job.flags |= BASE_BIT(bit);
		expect_bad(&job, "flags");
	}
}

static void zero_fields(void **state)
{
	struct abi_job job = good_job();

	(void)state;
	job.pad0 = 1;
	expect_bad(&job, "must be 0");
	job = good_job();
	job.pad1 = 1;
	expect_bad(&job, "must be 0");
	job = good_job();
	job.reserved = 0x80000000;
	expect_bad(&job, "must be 0");
	job = good_job();
	job.status = 1;
	expect_bad(&job, "must be 0");
}

static void command_alignment(void **state)
{
	(void)state;
	for (u32 off = 1; off < 64; off <<= 1) {
		struct abi_job job = good_job();

		job.cmd_addr += off;
		expect_bad(&job, "multiple of 64");
	}
}

static void command_size(void **state)
{
	struct abi_job job = good_job();

	(void)state;
	job.cmd_size = 47;
	expect_bad(&job, "at least 48");
	job.cmd_size = 0;
	expect_bad(&job, "at least 48");
}

static void command_range(void **state)
{
	struct abi_job job = good_job();

	(void)state;
	job.cmd_addr = LIVE_START - 64;
	expect_bad(&job, "cmd 0x");
	job.cmd_addr = LIVE_END - 64;
	job.cmd_size = 65;
	expect_bad(&job, "cmd 0x");
	job.cmd_addr = UINT64_MAX - 63;
	job.cmd_size = UINT32_MAX;
	expect_bad(&job, "cmd 0x");
	job.cmd_addr = 0;
	expect_bad(&job, "cmd 0x");
}

static void input_range(void **state)
{
	struct abi_job job = good_job();

	(void)state;
	job.input_size = 0;
	expect_bad(&job, "input has address");
	job.input_size = 1;
	job.input_addr = 0;
	expect_bad(&job, "input has address");
	job.input_addr = LIVE_END;
	expect_bad(&job, "input 0x");
	job.input_addr = UINT64_MAX;
	job.input_size = UINT32_MAX;
	expect_bad(&job, "input 0x");
}

static void output_range(void **state)
{
	struct abi_job job = good_job();

	(void)state;
	job.output_size = 6;
	expect_bad(&job, "output 0x");
	job.output_size = 0;
	expect_bad(&job, "output has address");
	job.output_size = 6;
	job.output_addr = 0;
	expect_bad(&job, "output has address");
}

static void flat_devices_want_more(void **state)
{
	struct base_err err = { 0 };
	struct abi_job job = good_job();

	(void)state;
	assert_int_equal(svc_job_check(&in_flat, &job, 7, &err), 0);
	job.cmd_size = sizeof(struct abi_invocation) - 1;
	assert_int_equal(svc_job_check(&in_flat, &job, 7, &err), -EINVAL);
	assert_non_null(strstr(err.text, "job 7: cmd_size"));
	job = good_job();
	job.flags = ABI_JOB_SYNC;
	assert_int_equal(svc_job_check(&in_flat, &job, 7, &err), -EINVAL);
	assert_non_null(strstr(err.text, "INFERENCE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_devices_want_more),
		cmocka_unit_test(accepts),
		cmocka_unit_test(flags),
		cmocka_unit_test(zero_fields),
		cmocka_unit_test(command_alignment),
		cmocka_unit_test(command_size),
		cmocka_unit_test(command_range),
		cmocka_unit_test(input_range),
		cmocka_unit_test(output_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
