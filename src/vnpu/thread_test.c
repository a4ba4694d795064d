// SPDX-License-Identifier: MIT
/* Threaded mode: real time, real threads.  Many jobs, messages while the engine works, reset. */
#include <pthread.h>

#include "vnpu/test_host.h"

#include "vnpu/compute.h"
#include "vnpu/engine/prog_builder.h"
#include "vnpu/model.h"

static void open_threaded(struct host *h)
{
	host_open_mode(h, 1, VNPU_THREADED);
	assert_int_equal(host_boot(h), 0);
	host_context(h, 2);
	assert_int_equal(host_register(h, 1, 2), 0);
}

static void test_many_jobs(void **state)
{
	struct host h;
	struct cmdbuf c;

	(void)state;
	open_threaded(&h);
	for (u32 i = 0; i < 2000; i++) {
		cmdbuf_begin(&c, &h, 2, HOST_USER);
		cmdbuf_fence(&c, ABI_CMD_FENCE_SIGNAL, HOST_USER + 0x1000, i);
		assert_int_equal(host_run(&h, 1, HOST_USER, i), 0);
		assert_int_equal(*(u64 *)host_at(&h, 2, HOST_USER + 0x1000), i);
	}
	assert_true(h.msis > 0);
	expect_clean(&h);
	host_shutdown(&h);
	host_close(&h);
}

#define FILL (16u << 20) /* the longest of 40xx: P 10.8 */

static u64 be_busy(struct host *h)
{
	const u64 va = HOST_USER + 0x10000000;
	const struct abi_cmd_memory_fill f = { .hdr = { ABI_CMD_MEMORY_FILL, 32 },
					       .start_address = va,
					       .size = FILL };
	u64 page = host_pages(h, 1);
	struct cmdbuf c;

	/* one page many times: long work in little memory */
	for (u32 i = 0; i < FILL / 4096; i++)
		*host_pte(h, 2, va + i * 4096) = page | ABI_MMU_PTE_CACHED;
	host_flush(h, 2);
	cmdbuf_begin(&c, h, 2, HOST_USER);
	for (u32 i = 0; i < 80; i++)
		cmdbuf_add(&c, &f, sizeof(f));
	host_submit(h, 1, HOST_USER, 0x100);
	return page;
}

/* P 7.3: the firmware answers while the engine works. */
static void test_answers_while_busy(void **state)
{
	struct abi_jsm_job_done done;
	struct abi_ipc_hdr hdr;
	struct abi_jsm_msg msg = { 0 };
	struct host h;
	u32 answers = 0;

	(void)state;
	open_threaded(&h);
	(void)be_busy(&h);
	for (;;) {
		msg = (struct abi_jsm_msg){ .type = ABI_JSM_QUERY_ENGINE_HB,
					    .request_id = ++h.request_id };
		(void)host_post(&h, 0, &msg);
		if (!host_pop_wait(&h, &hdr, &msg, 1000000))
			fail_msg("no answer while busy");
		if (msg.type == ABI_JSM_JOB_DONE)
			break;
		answers++;
	}
	done = msg.payload.job_done;
	assert_int_equal(done.job_status, 0);
	assert_true(answers > 3);
	expect_clean(&h);
	host_close(&h);
}

/* Reset and destruction do not wait for the guest, nor leave anything running. */
static void test_reset_while_busy(void **state)
{
	struct host h;

	(void)state;
	open_threaded(&h);
	(void)be_busy(&h);
	vnpu_reset(h.v);
	memset(host_at(&h, 0, HOST_RX_VA), 0, 0x4000);
	assert_int_equal(host_boot(&h), 0);
	assert_int_equal(host_register(&h, 1, 2), 0);
	(void)be_busy(&h);
	host_close(&h);
}

/* Sides of two pictures, one convolved with the other; longer than LONGER they work on copies. */
#define LONG   211u
#define LONGER 401u
#define IMAGE  (HOST_USER + 0x10000000) /* the program, then what it reads and writes */

static void put_image(struct host *h, u32 side)
{
	const struct abi_attr_conv attr = { .win = pb_window(2, side, 1, 1, side / 2), .group = 1 };
	struct pb *pb = malloc(sizeof(*pb));
	u64 size;
	u32 x, w;
	u8 *image;

	pb_require(pb, "no memory");
	pb_init(pb, 1);
	x = pb_input(pb, ABI_F32, PB_DIMS(1, 1, side, side));
	w = pb_input(pb, ABI_F32, PB_DIMS(1, 1, side, side));
	pb_output(pb, pb_op(pb, ABI_OP_CONV, &attr, sizeof(attr), PB_IN(x, w)));
	image = pb_image(pb, &size);
	assert_in_range(size, 1, 0x8000);
	memcpy(host_ptr(h, host_new(h, 2, IMAGE, 8)), image, size);
	*(struct abi_invocation *)host_at(h, 2, HOST_USER + 0x1000) = (struct abi_invocation){
		.magic = ABI_INVOCATION_MAGIC,
		.version = ABI_INVOCATION_VERSION,
		.nr_bindings = 3,
		.program = { IMAGE, size },
		.arena = { IMAGE + 0x10000000, 64 * side * side },
	};
	free(image);
	pb_fini(pb);
	free(pb);
}

/* An inference that takes long.  Its pictures are one page many times; returned. */
static u64 infer_long(struct host *h, u32 side)
{
	const struct abi_cmd_inference cmd = { .hdr = { ABI_CMD_INFERENCE_EXECUTE, sizeof(cmd) },
					       .inference_id = 1,
					       .host_mapped_inference_address = HOST_USER + 0x1000,
					       .host_mapped_inference_size = 0x1000 };
	struct abi_range *bindings = host_at(h, 2, HOST_USER + 0x1000 + 64);
	u64 page = host_pages(h, 1);
	struct cmdbuf c;

	put_image(h, side);
	for (u32 i = 0; i < 3; i++)
		bindings[i] = (struct abi_range){ IMAGE + 0x1000000 * (i + 1), 4 * side * side };
	for (u32 i = 0; i < 3; i++)
		for (u32 off = 0; off < 4 * side * side; off += 4096)
			*host_pte(h, 2, bindings[i].addr + off) = page | ABI_MMU_PTE_CACHED;
	for (u32 off = 0; off < 64 * side * side; off += 4096)
		*host_pte(h, 2, IMAGE + 0x10000000 + off) = page | ABI_MMU_PTE_CACHED;
	host_flush(h, 2);
	cmdbuf_begin(&c, h, 2, HOST_USER);
	cmdbuf_add(&c, &cmd, sizeof(cmd));
	host_submit(h, 1, HOST_USER, 0x100);
	return page;
}

static bool engine_is(struct host *h, bool away)
{
	bool is;

	vnpu_lock(&h->v->lock);
	is = h->v->compute.unlocked && h->v->compute.away == away;
	vnpu_unlock(&h->v->lock);
	return is;
}

static void await_run(struct host *h, bool away)
{
	if (away) /* to prepare the program, too: that is not meant */
		host_sleep(h, 50 * BASE_NS_PER_MS);
	for (u32 i = 0; !engine_is(h, away); i++) {
		if (i == 10000)
			fail_msg("it does not run");
		host_sleep(h, BASE_NS_PER_MS);
	}
}

static void release(struct host *h)
{
	struct abi_jsm_msg msg = { .type = ABI_JSM_SSID_RELEASE, .payload.ssid = { 2, 0 } };
	struct abi_ipc_hdr hdr;

	msg.request_id = ++h->request_id;
	(void)host_post(h, 0, &msg);
	assert_true(host_pop_wait(h, &hdr, &msg, 1000000));
	assert_false(engine_is(h, false));
	assert_int_equal(msg.type, ABI_JSM_JOB_DONE);
	assert_int_equal(msg.payload.job_done.job_status, ABI_JSM_STATUS_ABORTED);
	assert_true(host_pop_wait(h, &hdr, &msg, 1000000));
	assert_int_equal(msg.type, ABI_JSM_SSID_RELEASE_DONE);
}

/* The context's memory is given to others when it is released: nothing reads or writes it then. */
static void test_release_while_it_runs(void **state)
{
	struct host h;

	(void)state;
	open_threaded(&h);
	(void)infer_long(&h, LONG);
	await_run(&h, false);
	release(&h);
	expect_clean(&h); /* nor is it worth a word that the inference did not end */
	host_close(&h);
}

static void test_release_while_it_is_away(void **state)
{
	struct host h;
	u64 *page;

	(void)state;
	open_threaded(&h);
	page = host_ptr(&h, infer_long(&h, LONGER));
	await_run(&h, true);
	release(&h);
	for (u32 i = 0; i < 512; i++)
		page[i] = i;
	while (engine_is(&h, true))
		host_sleep(&h, BASE_NS_PER_MS);
	for (u32 i = 0; i < 512; i++)
		assert_int_equal(page[i], i);
	expect_clean(&h);
	host_close(&h);
}

static void *reader(void *arg)
{
	struct host *h = arg;
	u64 val;

	for (u32 i = 0; i < 20000; i++) {
		(void)vnpu_bar_read(h->v, B(VPU_STATUS), 4, &val);
		(void)vnpu_now_ns(h->v);
		(void)vnpu_trace_hash(h->v);
	}
	return NULL;
}

static void test_many_callers(void **state)
{
	static u8 page[4096] __attribute__((aligned(4096)));
	pthread_t threads[2];
	struct cmdbuf c;
	struct host h;

	(void)state;
	open_threaded(&h);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &h), 0);
	for (u32 i = 0; i < 300; i++) {
		assert_int_equal(vnpu_dma_map(h.v, 0x100000, 4096, page, true), 0);
		cmdbuf_begin(&c, &h, 2, HOST_USER);
		assert_int_equal(host_run(&h, 1, HOST_USER, i), 0);
		assert_int_equal(vnpu_dma_unmap(h.v, 0x100000, 4096), 0);
	}
	for (u32 i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	expect_clean(&h);
	host_close(&h);
}

static void test_fence_from_host(void **state)
{
	struct abi_jsm_job_done done;
	struct cmdbuf c;
	struct host h;

	(void)state;
	open_threaded(&h);
	for (u32 i = 1; i < 20; i++) {
		cmdbuf_begin(&c, &h, 2, HOST_USER);
		cmdbuf_fence(&c, ABI_CMD_FENCE_WAIT, HOST_USER + 0x1000, 2 * i);
		host_submit(&h, 1, HOST_USER, i);
		host_sleep(&h, 300000);
		__atomic_store_n((u64 *)host_at(&h, 2, HOST_USER + 0x1000), 2 * i + 1,
				 __ATOMIC_RELEASE); /* more: P trap 28 */
		assert_true(host_done(&h, &done, 1000000));
		assert_int_equal(done.job_status, 0);
	}
	expect_clean(&h);
	host_close(&h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_jobs),
		cmocka_unit_test(test_answers_while_busy),
		cmocka_unit_test(test_reset_while_busy),
		cmocka_unit_test(test_many_callers),
		cmocka_unit_test(test_fence_from_host),
		cmocka_unit_test(test_release_while_it_runs),
		cmocka_unit_test(test_release_while_it_is_away),
	};

	host_choose(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
