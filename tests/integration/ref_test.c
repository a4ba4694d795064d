// SPDX-License-Identifier: MIT
/*
 * The reference NPU: boot, jobs, and what its driver does about each failure.  SRC: design section 8.
 */
#include "flat_job.h"

#include "driver/gen/ref.h"

struct work { /* a context with a job and a queue */
	struct drv_ctx *ctx;
	struct flat_job f;
	struct drv_queue *queue;
};

static struct env env;

static void work_open(struct work *w)
{
	assert_int_equal(drv_ctx_create(env.dev, &w->ctx), 0);
	assert_int_equal(flat_job_open(w->ctx, &w->f), 0);
	assert_int_equal(drv_queue_create(w->ctx, 1, &w->queue), 0);
}

static void work_close(struct work *w)
{
	drv_queue_destroy(w->queue);
	flat_job_close(&w->f);
	drv_ctx_destroy(w->ctx);
}

static s32 run_one(struct work *w)
{
	struct abi_completion done = { 0 };

	for (u32 i = 0; i < 6; i++)
		w->f.x[i] = (float)i - 2;
	assert_int_equal(drv_queue_submit(w->queue, &w->f.job, 1), 1);
	assert_int_equal(env_reap(&env, w->queue, &done, 1), 1);
	assert_int_equal(done.cookie, 5);
	return done.status;
}

static void expect_right(const struct work *w)
{
	for (u32 i = 0; i < 6; i++) {
		float want = (float)i - 1.5f;

		assert_true(w->f.y[i] == (want > 0 ? want : 0));
	}
}

static int setup(void **state)
{
	(void)state;
	env_open(&env, 31, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

static void boots_runs_and_stops(void **state)
{
	struct drv_info info;
	struct work w;

	(void)state;
	env_boot(&env);
	drv_get_info(env.dev, &info);
	assert_string_equal(info.gen, "ref");
	assert_string_equal(info.fw_path, "(built in)");
	assert_true(strlen(info.fw_version) > 0);
	assert_true(info.flat);
	for (u32 round = 0; round < 2; round++) {
		work_open(&w);
		assert_int_equal(run_one(&w), 0);
		expect_right(&w);
		work_close(&w);
		assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
		assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
		if (!round)
			assert_int_equal(drv_boot(env.dev, &env.err), 0);
	}
	env_expect_clean(&env);
}

/* Each access of a boot, typed from design section 8: writes in order, and what is polled. */
static u32 nr_writes;
static struct os_faulty_access writes[16];

static void watch(void *opaque, const struct os_faulty_access *access)
{
	(void)opaque;
	if (access->is_write && nr_writes < 16)
		writes[nr_writes++] = *access;
}

static void boots_by_the_book(void **state)
{
	struct ref *ref;
	u64 image;

	(void)state;
	env_create(&env);
	nr_writes = 0;
	os_faulty_watch(env.os, watch, NULL);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	os_faulty_watch(env.os, NULL, NULL);
	ref = env.dev->gen_priv;
	image = ref->dma.segs[0].addr;
	assert_int_equal(image % 4096, 0);
	assert_true(nr_writes >= 5);
	assert_int_equal(writes[0].off, 0x80014);
	assert_int_equal(writes[0].val, 1);
	assert_int_equal(writes[1].off, 0x20);
	assert_int_equal(writes[1].val, 0);
	assert_int_equal(writes[2].off, 0x80040);
	assert_int_equal(writes[2].val, (u32)image);
	assert_int_equal(writes[3].off, 0x80044);
	assert_int_equal(writes[3].val, image >> 32);
	assert_int_equal(writes[4].off, 0x73000);
	assert_int_equal(writes[4].val, 1);
	for (u32 i = 5; i < nr_writes; i++) /* only the interrupts of the changes */
		assert_int_equal(writes[i].off, 0);
	/* the page behind the image: rings of 256, 4096-aligned */
	assert_memory_equal(ref->dma.cpu, "NPUREF\0\1", 8);
	for (u32 n = 0; n < 2; n++) {
		u64 at;

		memcpy(&at, (u8 *)ref->dma.cpu + 4096 + 8 * n, sizeof(at));
		assert_int_equal(at, image + 8192 + n * 256 * 64);
	}
	assert_int_equal(((u32 *)ref->dma.cpu)[(4096 + 16) / 4], 256);
}

static bool meaning_seen;

static void find_meaning(void *opaque, const char *text)
{
	u32 *nr = opaque;

	(*nr)++;
	meaning_seen |= strstr(text, "FW_STATUS BAR0+0x80060 = 0xf00d0000 CODE=0x0 CLASS=0xf00d: "
				     "ready, code 0x0") != NULL;
}

static void dump_tells_meanings(void **state)
{
	u32 nr = 0;

	(void)state;
	env_boot(&env);
	drv_dump_registers(env.dev, find_meaning, &nr);
	assert_int_equal(nr, 13); /* all 15 but those that cannot be read */
	assert_true(meaning_seen);
	env_expect_clean(&env);
}

/* Far more jobs than slots, of queues that share the rings: each queue's in order. */
static void queues_share_rings(void **state)
{
	u64 sent[5] = { 0 }, got[5] = { 0 };
	struct work w[5];
	bool busy = true;

	(void)state;
	env_boot(&env);
	for (u32 q = 0; q < 5; q++)
		work_open(&w[q]);
	assert_int_equal(w[0].queue->ring_idx, 0);
	assert_int_equal(w[1].queue->ring_idx, 1);
	assert_int_equal(w[2].queue->ring_idx, 0);
	while (busy) {
		busy = false;
		for (u32 q = 0; q < 5; q++) {
			struct abi_completion done[62];
			struct abi_job job = w[q].f.job;
			u32 nr;

			job.cookie = sent[q];
			job.flags |= sent[q] % 7 ? 0 : ABI_JOB_SYNC;
			while (sent[q] < 200 && drv_queue_submit(w[q].queue, &job, 1) == 1)
				job.cookie = ++sent[q];
			nr = drv_queue_reap(w[q].queue, done, 62);
			for (u32 i = 0; i < nr; i++) {
				assert_int_equal(done[i].cookie, got[q]++);
				assert_int_equal(done[i].status, 0);
			}
			busy |= got[q] < 200;
		}
		env_run(&env, BASE_NS_PER_MS);
	}
	for (u32 q = 0; q < 5; q++)
		work_close(&w[q]);
	env_expect_clean(&env);
}

/* Two queues with jobs for one ring that was full: they take turns. */
static void queues_take_turns(void **state)
{
	struct abi_completion done[62];
	struct abi_job jobs[62];
	struct work w[3];
	struct ref *ref;

	(void)state;
	env_boot(&env);
	ref = env.dev->gen_priv;
	for (u32 q = 0; q < 3; q++)
		work_open(&w[q]); /* the first and the last share ring 0 */
	ref->ring[0].tail = 1;	  /* full, as far as the driver sees */
	for (u32 q = 0; q < 3; q += 2) {
		for (u32 i = 0; i < 62; i++)
			jobs[i] = w[q].f.job;
		assert_int_equal(drv_queue_submit(w[q].queue, jobs, 10), 10);
	}
	assert_int_equal(ref->ring[0].head, 0);
	ref->ring[0].tail = 0;
	drv_queue_publish(w[0].queue);
	assert_int_equal(ref->ring[0].head, 20);
	for (u32 slot = 0; slot < 20; slot++)
		assert_int_equal(ref->ring[0].slots[slot].job.cmd_addr,
				 w[slot % 2 ? 2 : 0].f.job.cmd_addr);
	for (u32 q = 0; q < 3; q += 2)
		assert_int_equal(env_reap(&env, w[q].queue, done, 10), 10);
	for (u32 q = 0; q < 3; q++)
		work_close(&w[q]);
	env_expect_clean(&env);
}

/* The device reaches nothing beside the three ranges, whatever the invocation says. */
static void stays_in_its_ranges(void **state)
{
	struct abi_range *bind;
	struct work w, other;

	(void)state;
	env_boot(&env);
	work_open(&w);
	work_open(&other);
	bind = (void *)(w.f.inv + 1);
	bind[1].addr = drv_bo_addr(other.f.io);
	assert_int_equal(run_one(&w), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	flat_job_write(&w.f);
	bind[1].addr = drv_bo_addr(w.f.io); /* the input is no place to write to */
	assert_int_equal(run_one(&w), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	flat_job_write(&w.f);
	bind[0].addr = drv_bo_addr(w.f.io) + 4; /* one float too far */
	assert_int_equal(run_one(&w), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	flat_job_write(&w.f);
	w.f.inv->program.addr = drv_bo_addr(other.f.cmd) + FLAT_IMAGE;
	assert_int_equal(run_one(&w), ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	flat_job_write(&w.f);
	w.f.job.flags = 0;
	assert_int_equal(run_one(&w), ABI_JSM_STATUS_PARSING_ERR);
	flat_job_write(&w.f);
	assert_int_equal(run_one(&w), 0); /* the context goes on */
	expect_right(&w);
	assert_int_equal(run_one(&other), 0);
	work_close(&w);
	work_close(&other);
}

static void polls_without_interrupts(void **state)
{
	struct work w;
	u64 irqs;

	(void)state;
	env.cfg.poll = true;
	env_boot(&env);
	work_open(&w);
	irqs = env.dev->irqs;
	for (u32 i = 0; i < 300; i++)
		assert_int_equal(run_one(&w), 0);
	assert_int_equal(env.dev->irqs, irqs);
	expect_right(&w);
	work_close(&w);
	env_expect_clean(&env);
}

/*
 * Failures
 */

static void each_boot_failure_has_its_rung(void **state)
{
	static const struct {
		const char *fault;
		u32 count;
		int ret;
		const char *says;
	} cases[] = {
		{ "boot-error", 1, 0, NULL },
		{ "boot-error", 3, 0, NULL },
		{ "boot-error", 4, -EIO, "wait for FW_STATUS ready" },
		{ "boot-fatal", 1, 0, NULL },
		{ "boot-fatal", 2, -EIO, "wait for FW_STATUS ready" },
		{ "no-power-ack", 1, -ETIMEDOUT, "poll GEN_CTRL.POWER_ACK" },
		{ "fw-never-ready", 1, -ETIMEDOUT, "wait for FW_STATUS ready" },
		{ "unknown-status", 1, -ETIMEDOUT, "wait for FW_STATUS ready" },
		{ "slow-firmware", 1, 0, NULL },
		{ "all-ones", 1, -ENODEV, "all-ones" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		struct work w;
		int ret;

		env_create(&env);
		assert_int_equal(os_inproc_fault(env.npu, cases[i].fault, cases[i].count), 0);
		ret = drv_boot(env.dev, &env.err);
		if (ret != cases[i].ret)
			fail_msg("%s: %d %s", cases[i].fault, ret, env.err.text);
		if (ret) {
			assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
			assert_non_null(strstr(env.err.text, cases[i].says));
		}
		drv_destroy(env.dev);
		env_boot(&env); /* and the next boot works */
		work_open(&w);
		assert_int_equal(run_one(&w), 0);
		work_close(&w);
		drv_destroy(env.dev);
		env.dev = NULL;
	}
}

static void time_limits_are_the_maps(void **state)
{
	u64 start;

	(void)state;
	env_create(&env);
	assert_int_equal(os_inproc_fault(env.npu, "no-power-ack", 1), 0);
	start = drv_now_ns(env.dev);
	assert_int_equal(drv_boot(env.dev, &env.err), -ETIMEDOUT);
	assert_in_range(drv_now_ns(env.dev) - start, BASE_NS_PER_S, BASE_NS_PER_S * 11 / 10);
	drv_destroy(env.dev);
	env_create(&env);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	start = drv_now_ns(env.dev);
	assert_int_equal(drv_boot(env.dev, &env.err), -ETIMEDOUT);
	assert_in_range(drv_now_ns(env.dev) - start, 5 * BASE_NS_PER_S, 51 * BASE_NS_PER_S / 10);
}

/* What jobs come to when something goes wrong under them.  env_reap() waits out its 100 s when a
 * failed device has no more timers. */
static void each_failure_of_a_job_has_its_status(void **state)
{
	static const struct {
		const char *fault;
		s32 status;
		u64 ms_min, ms_max;
		enum drv_state then;
	} cases[] = {
		{ "irq-lost", 0, 0, 1500, DRV_READY },
		{ "irq-storm", 0, 0, 1500, DRV_READY },
		{ "doorbell-lost", 0, 0, 2500, DRV_READY },
		{ "job-error", ABI_JSM_STATUS_PROCESSING_ERR, 0, 1500, DRV_READY },
		{ "stuck-engine", -ETIMEDOUT, 30000, 31500, DRV_FAILED },
		{ "job-lost", -ETIMEDOUT, 30000, 31500, DRV_FAILED },
		{ "wrong-tail", -EIO, 0, 100000, DRV_FAILED },
		{ "fw-dead", -EIO, 0, 100000, DRV_FAILED },
		{ "all-ones", -EIO, 0, 100000, DRV_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		struct work w;
		u64 start, ms;
		s32 status;

		env_boot(&env);
		work_open(&w);
		assert_int_equal(os_inproc_fault(env.npu, cases[i].fault, 1), 0);
		start = drv_now_ns(env.dev);
		status = run_one(&w);
		ms = (drv_now_ns(env.dev) - start) / BASE_NS_PER_MS;
		if (status != cases[i].status || ms < cases[i].ms_min || ms > cases[i].ms_max ||
		    drv_get_state(env.dev) != cases[i].then)
			fail_msg("%s: status %d after %llu ms, device %s: %s", cases[i].fault,
				 status, (unsigned long long)ms,
				 drv_state_name(drv_get_state(env.dev)),
				 drv_last_error(env.dev)->text);
		if (cases[i].then == DRV_READY)
			assert_int_equal(run_one(&w), 0);
		work_close(&w);
		drv_destroy(env.dev);
		env.dev = NULL;
	}
}

static void firmware_dies_after_the_boot(void **state)
{
	(void)state;
	env_create(&env);
	assert_int_equal(os_inproc_fault(env.npu, "dead-after-boot", 1), 0);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	env_run(&env, 100 * BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "0xdead0001 (fatal, code 0x1)"));
}

/* One of the rings goes on: the other's job has its own 30 s. */
static void a_busy_ring_hides_no_hang(void **state)
{
	struct work a, b;
	struct abi_completion done;
	u64 start;

	(void)state;
	env_boot(&env);
	work_open(&a);
	work_open(&b);
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	start = drv_now_ns(env.dev);
	assert_int_equal(drv_queue_submit(a.queue, &a.f.job, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	while (drv_get_state(env.dev) == DRV_READY) {
		if (drv_queue_submit(b.queue, &b.f.job, 1) == 1)
			env_run(&env, BASE_NS_PER_S / 2);
		drv_queue_reap(b.queue, &done, 1);
		assert_true(drv_now_ns(env.dev) - start < 40 * BASE_NS_PER_S);
	}
	assert_in_range(drv_now_ns(env.dev) - start, 30 * BASE_NS_PER_S, 32 * BASE_NS_PER_S);
	work_close(&a);
	work_close(&b);
}

/* Virtual time when it is in @state. */
static u64 when(enum drv_state state)
{
	u64 until_ns = drv_now_ns(env.dev) + 100 * BASE_NS_PER_S;

	for (;;) {
		u64 next_ns = drv_process(env.dev);
		int ret;

		if (drv_get_state(env.dev) == state)
			return drv_now_ns(env.dev);
		assert_true(drv_now_ns(env.dev) < until_ns);
		ret = drv_wait(env.dev, base_min(next_ns, until_ns));
		assert_true(!ret || ret == -ETIMEDOUT);
	}
}

/* Two time-out periods are the most a hang may go unseen, 200 ms the most a recovery may take. */
static void a_hang_is_recovered_in_time(void **state)
{
	u64 limit_ns = env_reg_gen()->timeouts.inference_ms * BASE_NS_PER_MS;
	u64 seen = 0, took = 0;

	(void)state;
	for (u64 seed = 1; seed <= 8; seed++) {
		struct abi_completion done;
		struct work w;
		u64 start_ns, judged_ns;

		env_close(&env);
		env_open(&env, seed, true);
		env.cfg.recoveries = 0; /* the default */
		env_boot(&env);
		work_open(&w);
		assert_int_equal(run_one(&w), 0);
		assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
		start_ns = drv_now_ns(env.dev);
		assert_int_equal(drv_queue_submit(w.queue, &w.f.job, 1), 1);
		judged_ns = when(DRV_RECOVERING);
		seen = base_max(seen, judged_ns - start_ns);
		took = base_max(took, when(DRV_READY) - judged_ns);
		assert_int_equal(drv_queue_reap(w.queue, &done, 1), 1);
		assert_int_equal(done.status, -ETIMEDOUT);
		assert_int_equal(run_one(&w), 0);
		expect_right(&w);
		work_close(&w);
	}
	print_message("ref: a hang is seen after at most %.3f ms, recovered in %.3f ms\n",
		      (double)seen / BASE_NS_PER_MS, (double)took / BASE_NS_PER_MS);
	assert_in_range(seen, limit_ns, 2 * limit_ns);
	assert_in_range(took, 1, 200 * BASE_NS_PER_MS);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(boots_runs_and_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(boots_by_the_book, setup, teardown),
		cmocka_unit_test_setup_teardown(dump_tells_meanings, setup, teardown),
		cmocka_unit_test_setup_teardown(queues_share_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(queues_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(stays_in_its_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(polls_without_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(each_boot_failure_has_its_rung, setup, teardown),
		cmocka_unit_test_setup_teardown(time_limits_are_the_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(each_failure_of_a_job_has_its_status, setup,
						teardown),
		cmocka_unit_test_setup_teardown(firmware_dies_after_the_boot, setup, teardown),
		cmocka_unit_test_setup_teardown(a_busy_ring_hides_no_hang, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hang_is_recovered_in_time, setup, teardown),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("ref", tests, NULL, NULL);
}
