// SPDX-License-Identifier: MIT
/* The metric streamer: descriptors, samples, buffers, errors.  P 7.4, 7.5, 12.6 */
#include "vnpu/test_host.h"

#define BUF_A	   UINT64_C(0x90300000)
#define BUF_B	   (BUF_A + 4096)
#define SAMPLE	   32u /* bytes of group 0 */
#define PERIOD_NS  1000000u
#define NO_SUCH(r) ((r) == ABI_JSM_STATUS_MVNCI_INVALID_HANDLE)

static struct host h;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	host_new(&h, 0, BUF_A, 2);
	host_flush(&h, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	expect_clean(&h); /* whatever a client's mask is: no finding */
	host_close(&h);
	return 0;
}

static u32 start(u64 mask, u64 size, u64 next, u32 notify)
{
	union abi_jsm_payload p = { .metric_start = { .metric_group_mask = mask,
						      .sampling_rate_ns = PERIOD_NS,
						      .notify_sample_count = notify,
						      .buffer_addr = BUF_A,
						      .buffer_size = size,
						      .next_buffer_addr = next,
						      .next_buffer_size = next ? size : 0 } };

	return host_ask(&h, ABI_JSM_METRIC_STREAMER_START, &p);
}

static u32 update(u64 mask, u64 buf, u64 size, struct abi_jsm_metric_done *done)
{
	union abi_jsm_payload p = { .metric_update = { .metric_group_mask = mask,
						       .buffer_addr = buf,
						       .buffer_size = size } };
	u32 result = host_ask(&h, ABI_JSM_METRIC_STREAMER_UPDATE, &p);

	*done = p.metric_done;
	return result;
}

static u32 stop(u64 mask)
{
	union abi_jsm_payload p = { .metric_stop = { mask } };

	return host_ask(&h, ABI_JSM_METRIC_STREAMER_STOP, &p);
}

static u32 check_string(const char *at, u32 size)
{
	assert_int_equal(size % 8, 0);
	assert_non_null(memchr(at, 0, size));
	assert_true(strlen(at) > 0);
	return size;
}

/* One group's descriptor as user space walks it. */
static void check_group(const u8 *at, u32 id)
{
	const struct abi_jsm_metric_group *g = (const void *)at;
	const struct abi_jsm_metric_counter *c = (const void *)(at + g->first_counter_offset);
	u32 nr = 1;

	assert_int_equal(g->group_id, id);
	(void)check_string((const char *)(g + 1), g->name_size);
	for (;; nr++) {
		const char *text = (const char *)(c + 1);

		assert_int_equal(c->data_offset, (nr - 1) * 8);
		assert_int_equal(c->data_size, 8);
		text += check_string(text, c->name_size);
		text += check_string(text, c->description_size);
		text += check_string(text, c->component_size);
		(void)check_string(text, c->units_size);
		if (!c->next_counter_offset)
			break;
		c = (const void *)((const u8 *)c + c->next_counter_offset);
	}
	assert_int_equal(nr, g->num_counters);
	assert_int_equal(g->data_size, 8 * nr);
}

static void test_info(void **state)
{
	union abi_jsm_payload p = { .metric_start = { .metric_group_mask = 3 } };
	const u8 *at = host_at(&h, 0, BUF_A);
	u64 size;

	(void)state;
	assert_int_equal(host_ask(&h, ABI_JSM_METRIC_STREAMER_INFO, &p), 0);
	assert_int_equal(p.metric_done.sample_size, 64);
	size = p.metric_done.bytes_written;
	assert_in_range(size, 100, 4096);
	p = (union abi_jsm_payload){ .metric_start = { .metric_group_mask = 3,
						       .buffer_addr = BUF_A,
						       .buffer_size = 4096 } };
	assert_int_equal(host_ask(&h, ABI_JSM_METRIC_STREAMER_INFO, &p), 0);
	assert_int_equal(p.metric_done.bytes_written, size);
	check_group(at, 0);
	check_group(at + ((const struct abi_jsm_metric_group *)(const void *)at)->next_group_offset,
		    1);
	p = (union abi_jsm_payload){
		.metric_start = { .metric_group_mask = 1, .buffer_addr = BUF_A, .buffer_size = 8 }
	};
	assert_int_equal(host_ask(&h, ABI_JSM_METRIC_STREAMER_INFO, &p),
			 ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES);
}

/* Ten periods, ten samples, times ascending; then the other buffer. */
static void test_samples(void **state)
{
	struct abi_jsm_metric_done done;
	const u64 *a = host_at(&h, 0, BUF_A), *b = host_at(&h, 0, BUF_B);

	(void)state;
	assert_int_equal(start(1, 4096, 0, 0), 0);
	host_sleep(&h, 10 * PERIOD_NS + PERIOD_NS / 2);
	assert_int_equal(update(1, 0, 0, &done), 0); /* a query */
	assert_int_equal(done.bytes_written, 10 * SAMPLE);
	assert_int_equal(done.samples_collected, 10);
	assert_int_equal(done.sample_size, SAMPLE);
	for (u32 i = 1; i < 10; i++)
		assert_in_range(a[i * SAMPLE / 8] - a[(i - 1) * SAMPLE / 8],
				host_info->perf_hz / 1000 - 1, host_info->perf_hz / 1000 + 1);
	assert_int_equal(update(1, BUF_B, 4096, &done), 0);
	assert_int_equal(done.buffer_addr, BUF_A);
	assert_int_equal(done.bytes_written, 10 * SAMPLE);
	assert_int_equal(update(1, 0, 0, &done), 0);
	assert_int_equal(done.bytes_written, 0);
	host_sleep(&h, 2 * PERIOD_NS);
	assert_int_equal(update(1, BUF_A, 4096, &done), 0);
	assert_int_equal(done.bytes_written, 2 * SAMPLE);
	assert_true(b[0] > a[0]);
	assert_int_equal(stop(1), 0);
	host_sleep(&h, 5 * PERIOD_NS);
	assert_true(NO_SUCH(update(1, 0, 0, &done)));
}

/* A full buffer: the next one, then samples are lost and counted. */
static void test_overflow(void **state)
{
	struct abi_jsm_metric_done done;

	(void)state;
	assert_int_equal(start(1, 4 * SAMPLE + 8, BUF_B, 0), 0);
	host_sleep(&h, 6 * PERIOD_NS + PERIOD_NS / 2);
	assert_int_equal(update(1, 0, 0, &done), 0);
	assert_int_equal(done.buffer_addr, BUF_B);
	assert_int_equal(done.bytes_written, 2 * SAMPLE);
	host_sleep(&h, 5 * PERIOD_NS);
	assert_int_equal(update(1, 0, 0, &done), 0);
	assert_int_equal(done.bytes_written, 4 * SAMPLE);
	assert_int_equal(done.samples_dropped, 3);
	assert_int_equal(done.samples_collected, 8);
}

static void test_two_streams(void **state)
{
	struct abi_jsm_metric_done done;

	(void)state;
	assert_int_equal(start(1, 4096, 0, 0), 0);
	assert_int_equal(start(1, 4096, 0, 0), ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES);
	assert_int_equal(start(3, 4096, 0, 0), ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES);
	assert_int_equal(start(2, 4096, 0, 0), 0);
	assert_true(NO_SUCH(update(3, 0, 0, &done)));
	assert_int_equal(stop(1), 0);
	assert_int_equal(update(2, 0, 0, &done), 0);
	assert_int_equal(stop(2), 0);
	assert_int_equal(start(3, 4096, 0, 0), 0);
	assert_int_equal(update(3, 0, 0, &done), 0);
	assert_int_equal(done.sample_size, 64);
}

static void test_wrong_masks(void **state)
{
	union abi_jsm_payload p = { 0 };
	struct abi_jsm_metric_done done;

	(void)state;
	assert_true(NO_SUCH(start(0, 4096, 0, 0)));
	assert_true(NO_SUCH(start(4, 4096, 0, 0)));
	assert_true(NO_SUCH(start(UINT64_MAX, 4096, 0, 0)));
	assert_true(NO_SUCH(stop(1)));
	assert_true(NO_SUCH(update(1, 0, 0, &done)));
	assert_true(done.sample_size != 0); /* P trap 33 */
	p.metric_start.metric_group_mask = 4;
	assert_true(NO_SUCH(host_ask(&h, ABI_JSM_METRIC_STREAMER_INFO, &p)));
}

static void test_notification(void **state)
{
	struct abi_jsm_msg msg = { 0 };
	struct abi_ipc_hdr hdr;

	(void)state;
	assert_int_equal(start(1, 4096, 0, 3), 0);
	assert_false(host_pop_wait(&h, &hdr, &msg, 2500));
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_equal(msg.type, ABI_JSM_METRIC_STREAMER_NOTIFICATION);
	assert_int_equal(msg.payload.metric_done.samples_collected, 3);
	assert_int_equal(stop(1), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_info),	     T(test_samples),	  T(test_overflow),
		T(test_two_streams), T(test_wrong_masks), T(test_notification),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
