// SPDX-License-Identifier: MIT
/* Doorbells, job queues, every command, fences, errors and aborts.  P 10, 13.4, 13.6. */
#include "abi/program.h"
#include "vnpu/test_host.h"

#define PARSING_ERR ABI_JSM_STATUS_PARSING_ERR
#define VIOLATION   ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW
#define DATA	    (HOST_USER + 0x1000)

static struct host h;
static struct cmdbuf c;

static int setup(void **state)
{
	(void)state;
	host_open(&h, 1);
	assert_int_equal(host_boot(&h), 0);
	host_context(&h, 2);
	assert_int_equal(host_register(&h, 1, 2), 0);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

static u64 *word(u64 va)
{
	return host_at(&h, 2, va);
}

static u32 run(void)
{
	return host_run(&h, 1, HOST_USER, 0x100);
}

static void add_raw(u16 type, u16 size)
{
	u8 bytes[64] = { 0 };

	memcpy(bytes, &type, 2);
	memcpy(bytes + 2, &size, 2);
	cmdbuf_add(&c, bytes, size);
}

/* P 13.6, the command buffer at the start of the user range; JOB_DONE bytes. */
static void test_vector(void **state)
{
	static const u8 done[32] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2 };
	const struct abi_cmd_timestamp ts = { { 0x100, 0x10 }, 1, HOST_USER + 0x400 };
	const struct abi_cmd_fence fence = { { 0x102, 0x18 }, 0, HOST_USER + 0x440, 0x1234 };
	const struct abi_cmdbuf_header hdr = { .cmd_buffer_size = 0x58,
					       .cmd_offset = 0x30,
					       .api_version = 0x0004000f,
					       .context_save_area_address = HOST_USER };
	u8 msg[128] = { [0x08] = 0, 0x21, 0, 0, 1 };
	u64 va = HOST_RX_VA + 0x2000 + 2 * 128; /* third message: ready had none, REGISTER_DB one */

	(void)state;
	va -= 128;
	memcpy(host_at(&h, 2, HOST_USER + 0x40), &hdr, sizeof(hdr));
	memcpy(host_at(&h, 2, HOST_USER + 0x70), &ts, sizeof(ts));
	memcpy(host_at(&h, 2, HOST_USER + 0x80), &fence, sizeof(fence));
	host_submit(&h, 1, HOST_USER + 0x40, 0x100);
	host_sleep(&h, 1000000);
	memcpy(msg + 0x20, done, sizeof(done));
	assert_memory_equal(host_at(&h, 0, va), msg, sizeof(msg));
	assert_true(*word(HOST_USER + 0x400) != 0);
	assert_int_equal(*word(HOST_USER + 0x440), 0x1234);
	expect_clean(&h);
}

static void test_nothing_to_do(void **state)
{
	(void)state;
	assert_int_equal(run(), 0);
	add_raw(ABI_CMD_NOP, 4);
	add_raw(ABI_CMD_NOP, 24);
	add_raw(ABI_CMD_BARRIER, 8);
	assert_int_equal(run(), 0);
	expect_clean(&h);
}

static void test_timestamps(void **state)
{
	(void)state;
	for (u32 type = 0; type < 3; type++) {
		const struct abi_cmd_timestamp ts = { { ABI_CMD_TIMESTAMP, 16 },
						      type,
						      DATA + type * 64 };

		cmdbuf_add(&c, &ts, sizeof(ts));
	}
	host_sleep(&h, 1000000);
	assert_int_equal(run(), 0);
	assert_in_range(*word(DATA), host_info->perf_hz / 1000,
			vnpu_now_ns(h.v) / 1000 * host_info->perf_hz / 1000000 + 1000);
	assert_true(*word(DATA + 64) >= *word(DATA));
	assert_true(*word(DATA + 128) < host_info->perf_hz / 1000);
	expect_clean(&h);
	for (u32 bad = 0; bad < 2; bad++) {
		const struct abi_cmd_timestamp ts = { { ABI_CMD_TIMESTAMP, 16 },
						      bad ? 3 : 0,
						      bad ? DATA : DATA + host_info->align_ts / 2 };

		cmdbuf_begin(&c, &h, 2, HOST_USER);
		cmdbuf_add(&c, &ts, sizeof(ts));
		assert_int_equal(run(), PARSING_ERR);
	}
}

static void test_copy(void **state)
{
	const struct abi_cmd_copy copy = { .hdr = { ABI_CMD_COPY, 24 },
					   .desc_start_offset = DATA,
					   .desc_count = 2 };
	u8 *src = host_at(&h, 2, HOST_USER + 0x2000), *dst = host_at(&h, 2, HOST_USER + 0x6000);

	(void)state;
	for (u32 i = 0; i < 0x3000; i++)
		src[i] = (u8)(i * 5 + i / 256);
	host_copy_desc(&h, 2, DATA, 0, HOST_USER + 0x2003, HOST_USER + 0x6005, 0x2345);
	host_copy_desc(&h, 2, DATA, 1, HOST_USER + 0x2000, HOST_USER + 0x9000, 0);
	cmdbuf_add(&c, &copy, sizeof(copy));
	assert_int_equal(run(), 0);
	assert_memory_equal(dst + 5, src + 3, 0x2345);
	assert_int_equal(dst[4], 0);
	assert_int_equal(dst[5 + 0x2345], 0);
	expect_clean(&h);
}

struct transfer {
	u64 src_address, dst_address;
	u32 size;
};

static u32 copy_with(struct transfer d, u64 at, u32 count)
{
	const struct abi_cmd_copy copy = { .hdr = { ABI_CMD_COPY, 24 },
					   .desc_start_offset = at,
					   .desc_count = count };

	host_copy_desc(&h, 2, DATA, 0, d.src_address, d.dst_address, d.size);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &copy, sizeof(copy));
	return run();
}

static void test_copy_rules(void **state)
{
	const struct transfer ok = { .src_address = HOST_USER + 0x2000,
				     .dst_address = HOST_USER + 0x3000,
				     .size = 64 };
	struct transfer d = ok;

	(void)state;
	assert_int_equal(copy_with(ok, DATA, 1), 0);
	assert_int_equal(copy_with(ok, DATA + 32, 1), PARSING_ERR);
	assert_int_equal(copy_with(ok, DATA, 0), PARSING_ERR);
	assert_int_equal(copy_with(ok, DATA, 4097), PARSING_ERR);
	assert_int_equal(copy_with(ok, ~UINT64_C(63), 1), PARSING_ERR);
	d.size = 0x1000001;
	assert_int_equal(copy_with(d, DATA, 1), PARSING_ERR);
	d = ok;
	d.src_address = UINT64_C(1) << host_info->copy.addr_bits;
	assert_int_equal(copy_with(d, DATA, 1), PARSING_ERR);
	d = ok;
	d.dst_address = UINT64_MAX - 10;
	assert_int_equal(copy_with(d, DATA, 1), PARSING_ERR);
	assert_int_equal(guest_errors(&h), 0);
}

/* P trap 29: 16 bytes behind the last descriptor are fetched. */
static void test_copy_tail(void **state)
{
	const u64 last =
		(HOST_USER + HOST_USER_PAGES * 4096 - host_info->copy.size_bytes) / 64 * 64;

	(void)state;
	assert_int_equal(copy_with((struct transfer){ 0 }, last, 1),
			 host_info->copy.tail_bytes ? VIOLATION : 0);
}

static void test_fill(void **state)
{
	struct abi_cmd_memory_fill f = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
					 .start_address = DATA + 0x40,
					 .size = 0x2006,
					 .fill_pattern = 0xa1b2c3d4 };
	u8 *p = host_at(&h, 2, DATA);

	(void)state;
	cmdbuf_add(&c, &f, sizeof(f));
	assert_int_equal(run(), 0);
	assert_int_equal(p[0x3f], 0);
	for (u32 i = 0; i < 0x2006; i++)
		assert_int_equal(p[0x40 + i], (u8)(0xa1b2c3d4 >> 8 * (i % 4)));
	assert_int_equal(p[0x40 + 0x2006], 0);
	expect_clean(&h);
	f.start_address++;
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &f, sizeof(f));
	assert_int_equal(run(), host_info->align_fill > 1 ? PARSING_ERR : 0);
	f.size = host_info->fill_max + 1u;
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &f, sizeof(f));
	assert_int_equal(run(), PARSING_ERR);
	f.size = 0x2006;
	f.start_address = UINT64_MAX - 63;
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &f, sizeof(f));
	assert_int_equal(run(), PARSING_ERR);
}

/* More than the firmware moves by itself: the engine, in slices. */
static void test_large_fill(void **state)
{
	const u64 va = HOST_USER + 0x10000000;
	const struct abi_cmd_memory_fill f = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
					       .start_address = va,
					       .size = 0x200000,
					       .fill_pattern = 0x01010101 };
	const u8 *p;

	(void)state;
	host_new(&h, 2, va, 0x200);
	host_flush(&h, 2);
	cmdbuf_add(&c, &f, sizeof(f));
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA, 9);
	host_submit(&h, 1, HOST_USER, 0x100);
	host_sleep(&h, 4000);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 2, 0); /* not idle */
	assert_int_equal(*word(DATA), 0);
	assert_true(host_done(&h, &(struct abi_jsm_job_done){ 0 }, 10000));
	p = host_at(&h, 2, va);
	assert_int_equal(p[0] + p[0x1fffff] + p[0x100000], 3);
	assert_int_equal(*word(DATA), 9);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 2, 2);
	expect_clean(&h);
}

static void test_metric_query(void **state)
{
	struct abi_cmd_metric_query q = { { ABI_CMD_METRIC_QUERY_BEGIN, 16 }, 1, DATA };

	(void)state;
	cmdbuf_add(&c, &q, sizeof(q));
	q.hdr.type = ABI_CMD_METRIC_QUERY_END;
	q.metric_data_address += 64;
	cmdbuf_add(&c, &q, sizeof(q));
	assert_int_equal(run(), 0);
	assert_true(*word(DATA) != 0);
	assert_true(*word(DATA + 64) >= *word(DATA));
	q.metric_group_mask = 0x80;
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &q, sizeof(q));
	assert_int_equal(run(), PARSING_ERR);
}

static void test_refused_commands(void **state)
{
	static const u16 types[] = { 0x0200, 0x0201, 0x0203, 0x0300, 0x0301, 0x0303,
				     0x0304, 0x0305, 0x0307, 0x0000, 0x0777, 0xffff };

	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(types); i++) {
		cmdbuf_begin(&c, &h, 2, HOST_USER);
		add_raw(types[i], 32);
		assert_int_equal(run(), PARSING_ERR);
	}
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	add_raw(ABI_CMD_BARRIER, 12); /* a wrong size */
	assert_int_equal(run(), PARSING_ERR);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &(u32){ ABI_CMD_NOP }, 4); /* size 0: P trap 30 */
	assert_int_equal(run(), PARSING_ERR);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &(u32){ ABI_CMD_NOP | 64u << 16 }, 4); /* beyond the end */
	assert_int_equal(run(), PARSING_ERR);
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &(u16){ 1 }, 2);
	assert_int_equal(run(), PARSING_ERR);
	assert_int_equal(guest_errors(&h), 0);
}

static void test_headers(void **state)
{
	struct abi_cmdbuf_header *hdr = host_at(&h, 2, HOST_USER);

	(void)state;
	assert_int_equal(host_run(&h, 1, HOST_USER + 32, 1), PARSING_ERR);
	hdr->cmd_offset = 40;
	assert_int_equal(run(), PARSING_ERR);
	hdr->cmd_offset = 64;
	assert_int_equal(run(), PARSING_ERR);
	hdr->cmd_offset = 48;
	hdr->context_save_area_address = 8;
	assert_int_equal(run(), PARSING_ERR);
	assert_int_equal(guest_errors(&h), 0);
}

/* A list that runs over page ends, and off the end of the mapping. */
static void test_long_lists(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2000; i++)
		add_raw(ABI_CMD_NOP, 20);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, HOST_USER + 0xf000, 3);
	assert_int_equal(run(), 0);
	assert_int_equal(*word(HOST_USER + 0xf000), 3);
	((struct abi_cmdbuf_header *)host_at(&h, 2, HOST_USER))->cmd_buffer_size = UINT32_MAX;
	for (u32 at = 48; at + 20 <= HOST_USER_PAGES * 4096; at += 20)
		*(u32 *)host_at(&h, 2, HOST_USER + at) = ABI_CMD_NOP | 20u << 16;
	assert_int_equal(run(), VIOLATION);
	expect_clean(&h);
}

static void test_fence_wait_parks(void **state)
{
	struct abi_jsm_job_done done;

	(void)state;
	assert_int_equal(host_register(&h, 2, 2), 0);
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA + 64, 6);
	host_submit(&h, 1, HOST_USER, 0x100);
	host_sleep(&h, 1000000);
	cmdbuf_begin(&c, &h, 2, HOST_USER + 0x800); /* another queue runs on */
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA + 128, 7);
	assert_int_equal(host_run(&h, 2, HOST_USER + 0x800, 0x101), 0);
	assert_int_equal(*word(DATA + 64), 0);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 2, 0);
	*word(DATA) = host_info->fence_cmp == REG_FENCE_GT ? 5 : 4; /* P trap 28 */
	assert_false(host_done(&h, &done, 5000));
	++*word(DATA); /* a plain store of the host */
	assert_true(host_done(&h, &done, 5000));
	assert_int_equal(done.job_id, 0x100);
	assert_int_equal(done.job_status, 0);
	assert_int_equal(*word(DATA + 64), 6);
	expect_clean(&h);
}

/* One queue waits for what another signals; later jobs of the first go by. */
static void test_fence_between_queues(void **state)
{
	struct abi_jsm_job_done done;
	static const u32 order[] = { 0x101, 0x102, 0x100 };

	(void)state;
	assert_int_equal(host_register(&h, 2, 2), 0);
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	host_submit(&h, 1, HOST_USER, 0x100);
	cmdbuf_begin(&c, &h, 2, HOST_USER + 0x400);
	host_submit(&h, 1, HOST_USER + 0x400, 0x101);
	cmdbuf_begin(&c, &h, 2, HOST_USER + 0x800);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA, 6);
	host_sleep(&h, 100000);
	host_submit(&h, 2, HOST_USER + 0x800, 0x102);
	for (u32 i = 0; i < 3; i++) {
		assert_true(host_done(&h, &done, 1000));
		assert_int_equal(done.job_id, order[i]);
	}
	expect_clean(&h);
}

/* Intel's kmd-test Exec.Job_SubmitWithoutWait: the one that signals is behind the one that waits. */
static void test_fence_in_one_queue(void **state)
{
	struct abi_jsm_job_done done;

	(void)state;
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA + 64, 5); /* and once more */
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA + 128, 9);
	host_submit(&h, 1, HOST_USER, 0x100);
	for (u32 i = 0; i < 2; i++) {
		cmdbuf_begin(&c, &h, 2, HOST_USER + 0x400 * (i + 1));
		cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA + 64 * i, 6);
		host_submit(&h, 1, HOST_USER + 0x400 * (i + 1), 0x101 + i);
	}
	for (u32 i = 0; i < 3; i++) {
		assert_true(host_done(&h, &done, 5000));
		assert_int_equal(done.job_id, i < 2 ? 0x101 + i : 0x100);
		assert_int_equal(done.job_status, 0);
	}
	assert_int_equal(*word(DATA + 128), 9);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 2, 2);
	expect_clean(&h);
}

/* What waits for the same goes on in order, also when the last comes after it was set. */
static void test_one_fence_in_order(void **state)
{
	struct abi_jsm_job_done done;

	(void)state;
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	for (u32 i = 0; i < 8; i++)
		host_submit(&h, 1, HOST_USER, 0x100 + i);
	host_sleep(&h, 1000000);
	*word(DATA) = 6;
	host_submit(&h, 1, HOST_USER, 0x108);
	for (u32 i = 0; i < 9; i++) {
		assert_true(host_done(&h, &done, 5000));
		assert_int_equal(done.job_id, 0x100 + i);
	}
	expect_clean(&h);
}

/* More than can stand aside: the queue waits with its job, and nothing is lost. */
static void test_many_fences(void **state)
{
	struct abi_jsm_job_done done = { 0 };
	u64 seen = 0;

	(void)state;
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	for (u32 db = 2; db < 12; db++)
		assert_int_equal(host_register(&h, db, 2), 0);
	for (u32 i = 0; i < 620; i++)
		host_submit(&h, 2 + i / 62, HOST_USER, i);
	host_sleep(&h, 1000000);
	*word(DATA) = 6;
	for (u32 i = 0; i < 620; i++) {
		assert_true(host_done(&h, &done, 10000));
		seen += done.job_id;
	}
	assert_int_equal(seen, 620 * 619 / 2);
	expect_clean(&h);
}

/* Far more jobs than there is room for their reports, and nobody reads these for a while. */
static void test_no_report_is_lost(void **state)
{
	const u32 nr_queues = 40, nr_each = 62;
	struct abi_jsm_job_done done = { 0 };
	u64 seen = 0;

	(void)state;
	add_raw(ABI_CMD_NOP, ABI_CMD_NOP_SIZE);
	for (u32 db = 2; db < 2 + nr_queues; db++)
		assert_int_equal(host_register(&h, db, 2), 0);
	for (u32 i = 0; i < nr_queues * nr_each; i++)
		host_submit(&h, 2 + i / nr_each, HOST_USER, i);
	host_sleep(&h, 100000000);
	for (u32 i = 0; i < nr_queues * nr_each; i++) {
		assert_true(host_done(&h, &done, 20000));
		assert_int_equal(done.job_status, 0);
		seen += done.job_id;
	}
	assert_int_equal(seen, (u64)nr_queues * nr_each * (nr_queues * nr_each - 1) / 2);
	expect_clean(&h);
}

static void test_doorbell_rules(void **state)
{
	struct abi_jsm_job_done done;

	(void)state;
	wr(&h, V(CPU_SS_DOORBELL) + 9 * 0x1000, 1); /* not registered */
	wr(&h, V(CPU_SS_DOORBELL), 1);
	host_sleep(&h, 1000000);
	assert_int_equal(guest_errors(&h), 2);
	wr(&h, V(CPU_SS_DOORBELL) + 0x1000, 1); /* nothing queued */
	wr(&h, V(CPU_SS_DOORBELL) + 0x1000, 1);
	assert_false(host_done(&h, &done, 1000));
	for (u32 i = 0; i < 62; i++) /* many for one look */
		host_submit(&h, 1, HOST_USER, 0x100 + i);
	for (u32 i = 0; i < 62; i++) {
		assert_true(host_done(&h, &done, 5000));
		assert_int_equal(done.job_id, 0x100 + i);
	}
	assert_int_equal(((struct abi_jobq *)host_at(&h, 0, host_jobq_va(1)))->hdr.head, 62);
	assert_int_equal(run(), 0); /* round the corner */
	assert_int_equal(((struct abi_jobq *)host_at(&h, 0, host_jobq_va(1)))->hdr.head, 0);
	assert_int_equal(guest_errors(&h), 2);
	((struct abi_jobq *)host_at(&h, 0, host_jobq_va(1)))->hdr.tail = 63;
	wr(&h, V(CPU_SS_DOORBELL) + 0x1000, 1);
	host_sleep(&h, 1000000);
	assert_true(has_finding(&h, "tail is 63"));
}

static void test_flags(void **state)
{
	struct abi_jobq *q = host_at(&h, 0, host_jobq_va(1));
	struct abi_jsm_job_done done;
	const struct abi_cmd_memory_fill f = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
					       .start_address = DATA,
					       .size = 64,
					       .fill_pattern = 0xff };

	(void)state;
	cmdbuf_add(&c, &f, sizeof(f));
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, DATA + 64, 1);
	q->slot[0].job = (struct abi_jobq_job){ .batch_buf_addr = HOST_USER,
						.job_id = 1,
						.flags = ABI_JOBQ_JOB_NULL };
	q->slot[1].cmd = (struct abi_jobq_inline){ .flags = ABI_JOBQ_JOB_INLINE };
	q->hdr.tail = 2;
	wr(&h, V(CPU_SS_DOORBELL) + 0x1000, 1);
	assert_true(host_done(&h, &done, 1000));
	assert_int_equal(*word(DATA), 0); /* not filled */
	assert_int_equal(*word(DATA + 64), 1);
	assert_false(host_done(&h, &done, 1000));
	assert_int_equal(q->hdr.head, 2);
	q->hdr.flags = ABI_JOBQ_FLAG_NO_JOB_DONE;
	host_submit(&h, 1, HOST_USER, 2);
	assert_false(host_done(&h, &done, 1000));
	assert_int_equal(*word(DATA), UINT64_C(0x000000ff000000ff));
	expect_clean(&h);
}

/* P 10.7: the faulting job, then nothing; SSID_RELEASE reports each pending job, also again. */
static void test_context_abort(void **state)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_SSID_RELEASE,
				   .request_id = 900,
				   .payload.ssid = { 2, 0 } };
	union abi_jsm_payload p = { .db = { 1, 0 } };
	struct abi_jsm_job_done done;
	struct abi_ipc_hdr hdr;
	u32 seen = 0;

	(void)state;
	host_context(&h, 3);
	assert_int_equal(host_register(&h, 2, 3), 0);
	cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, 0x1000, 1);
	for (u32 i = 0; i < 4; i++)
		host_submit(&h, 1, HOST_USER, 0x100 + i);
	assert_true(host_done(&h, &done, 1000));
	assert_int_equal(done.job_status, VIOLATION);
	assert_false(host_done(&h, &done, 1000));
	cmdbuf_begin(&c, &h, 3, HOST_USER); /* others are not disturbed */
	assert_int_equal(host_run(&h, 2, HOST_USER, 0x200), 0);
	assert_int_equal(host_ask(&h, ABI_JSM_UNREGISTER_DB, &p), 0);
	(void)host_post(&h, 0, &msg);
	while (host_pop_wait(&h, &hdr, &msg, 1000)) {
		if (msg.type != ABI_JSM_JOB_DONE) {
			assert_int_equal(msg.type, ABI_JSM_SSID_RELEASE_DONE);
			continue;
		}
		assert_int_equal(msg.payload.job_done.job_status, ABI_JSM_STATUS_ABORTED);
		seen |= 1u << (msg.payload.job_done.job_id - 0x100);
	}
	assert_int_equal(seen, 0xf);
	assert_int_equal(host_register(&h, 1, 2), 0); /* the context may be used again */
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	assert_int_equal(run(), 0);
	assert_int_equal(guest_errors(&h), 0);
}

static void test_release_parked(void **state)
{
	union abi_jsm_payload p = { .ssid = { 2, 0 } };
	struct abi_jsm_msg msg;
	struct abi_ipc_hdr hdr;

	(void)state;
	cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, DATA, 5);
	host_submit(&h, 1, HOST_USER, 0x100);
	host_sleep(&h, 100000);
	msg = (struct abi_jsm_msg){ .type = ABI_JSM_SSID_RELEASE, .request_id = 1, .payload = p };
	(void)host_post(&h, 0, &msg);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_equal(msg.type, ABI_JSM_JOB_DONE);
	assert_int_equal(msg.payload.job_done.job_status, ABI_JSM_STATUS_ABORTED);
	assert_true(host_pop_wait(&h, &hdr, &msg, 1000));
	assert_int_equal(msg.type, ABI_JSM_SSID_RELEASE_DONE);
	assert_int_equal(rd(&h, B(VPU_STATUS)) & 2, 2);
	wr(&h, V(CPU_SS_DOORBELL) + 0x1000, 1); /* its doorbell is gone */
	host_sleep(&h, 100000);
	assert_true(has_finding(&h, "not registered"));
}

static void test_stuck_engine(void **state)
{
	union abi_jsm_payload p = { 0 };
	struct abi_jsm_job_done done;
	u64 hb;

	(void)state;
	assert_int_equal(vnpu_fault(h.v, "stuck-engine", 1), 0);
	host_submit(&h, 1, HOST_USER, 0x100);
	assert_false(host_done(&h, &done, 100000));
	assert_int_equal(host_ask(&h, ABI_JSM_QUERY_ENGINE_HB, &p), 0);
	hb = p.engine_hb_done.heartbeat;
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_QUERY_ENGINE_HB, &p), 0);
	assert_int_equal(p.engine_hb_done.heartbeat, hb);
	p = (union abi_jsm_payload){ 0 };
	assert_int_equal(host_ask(&h, ABI_JSM_ENGINE_RESET, &p), 0);
	assert_int_equal(p.engine_reset_done.num_impacted_contexts, 1);
	assert_int_equal(p.engine_reset_done.impacted_contexts[0].host_ssid, 2);
}

static void test_job_faults(void **state)
{
	struct abi_jsm_job_done done;

	(void)state;
	assert_int_equal(vnpu_fault(h.v, "job-lost", 1), 0);
	host_submit(&h, 1, HOST_USER, 0x100);
	assert_false(host_done(&h, &done, 100000));
	assert_int_equal(vnpu_fault(h.v, "watchdog", 1), 0);
	assert_int_equal(run(), 0);
	assert_true(rd(&h, V(HOST_SS_ICB_STATUS_0)) & 0x40000000);
	assert_int_equal(vnpu_fault(h.v, "mmu-fault", 1), 0);
	assert_int_equal(run(), VIOLATION);
	assert_int_equal(rd(&h, M(EVTQ_PROD_SEC)), 1);
	expect_clean(&h);
}

static void test_more_job_faults(void **state)
{
	const struct abi_jobq *page = host_at(&h, 0, host_jobq_va(1));
	struct abi_jsm_job_done done;

	(void)state;
	assert_int_equal(vnpu_fault(h.v, "dead-context", 1), 0);
	host_submit(&h, 1, HOST_USER, 0x100);
	assert_true(host_done(&h, &done, 100000));
	assert_int_equal(done.job_id, ABI_JOBQ_JOB_ID(host_info->ssid_last, 0));
	assert_true(host_done(&h, &done, 100000));
	assert_int_equal(done.job_id, 0x100);
	assert_int_equal(vnpu_fault(h.v, "wild-head", 1), 0);
	assert_int_equal(run(), 0);
	assert_int_equal(page->hdr.head, page->hdr.tail + 5);
	assert_int_equal(run(), 0);
	assert_int_equal(page->hdr.head, page->hdr.tail);
	assert_int_equal(vnpu_fault(h.v, "mmu-gerror", 1), 0);
	assert_int_equal(run(), 0);
	assert_int_equal(rd(&h, M(GERROR)), 0x80);
	assert_int_equal(vnpu_fault(h.v, "mmu-kinds", 1), 0);
	assert_int_equal(run(), VIOLATION);
	assert_int_equal(rd(&h, M(EVTQ_PROD_SEC)), 1);
	expect_clean(&h);
}

/* What is no invocation, at each of its fields: one job ends, the context goes on. */
static void test_wrong_invocations(void **state)
{
	struct abi_cmd_inference cmd = { .hdr = { ABI_CMD_INFERENCE_EXECUTE, 32 },
					 .inference_id = 1,
					 .host_mapped_inference_address = DATA,
					 .host_mapped_inference_size = 64 };
	struct abi_invocation *inv = host_at(&h, 2, DATA);

	(void)state;
	cmdbuf_add(&c, &cmd, sizeof(cmd));
	assert_int_equal(run(), ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT);
	*inv = (struct abi_invocation){ .magic = ABI_INVOCATION_MAGIC,
					.version = ABI_INVOCATION_VERSION,
					.nr_bindings = ABI_MAX_BINDINGS + 1 };
	assert_int_equal(run(), ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT);
	inv->nr_bindings = 1; /* more than the command says */
	assert_int_equal(run(), ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT);
	inv->nr_bindings = 0;
	inv->error.size = 1;
	assert_int_equal(run(), ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT);
	inv->error.size = 0;
	inv->program = (struct abi_range){ HOST_USER + 0x4000, 4096 }; /* zeros */
	assert_int_equal(run(), ABI_JSM_STATUS_MVNCI_WRONG_INPUT_FORMAT);
	cmd.host_mapped_inference_size = 63;
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &cmd, sizeof(cmd));
	assert_int_equal(run(), PARSING_ERR);
	assert_int_equal(guest_errors(&h), 0);
	inv->program = (struct abi_range){ 0x4000, 4096 }; /* not mapped */
	cmd.host_mapped_inference_size = 64;
	cmdbuf_begin(&c, &h, 2, HOST_USER);
	cmdbuf_add(&c, &cmd, sizeof(cmd));
	assert_int_equal(run(), VIOLATION);
	assert_int_equal(rd(&h, M(EVTQ_PROD_SEC)), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_vector),
		T(test_nothing_to_do),
		T(test_timestamps),
		T(test_copy),
		T(test_copy_rules),
		T(test_copy_tail),
		T(test_fill),
		T(test_large_fill),
		T(test_metric_query),
		T(test_refused_commands),
		T(test_headers),
		T(test_long_lists),
		T(test_fence_wait_parks),
		T(test_fence_between_queues),
		T(test_fence_in_one_queue),
		T(test_one_fence_in_order),
		T(test_many_fences),
		T(test_no_report_is_lost),
		T(test_doorbell_rules),
		T(test_flags),
		T(test_context_abort),
		T(test_release_parked),
		T(test_stuck_engine),
		T(test_job_faults),
		T(test_more_job_faults),
		T(test_wrong_invocations),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
