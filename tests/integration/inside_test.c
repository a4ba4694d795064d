// SPDX-License-Identifier: MIT
/*
 * What the driver shows of itself and of the device: dump, firmware log, frequency.  On the virtual
 * NPU, for each generation.
 */
#include "drv_env.h"

#include "cmdlist.h"
#include "driver/metric.h"
#include "driver/mmio.h"

#define FENCE_OFF 0x3000u
#define UNMAPPED  0x90000000u /* in every context of a user */

static struct env env;

static struct {
	char text[1u << 19];
	size_t len;
	u32 nr_lines;
} seen;

static void keep(void *opaque, const char *text)
{
	size_t left = sizeof(seen.text) - seen.len;
	int n = snprintf(seen.text + seen.len, left, "%s\n", text);

	assert_ptr_equal(opaque, &seen);
	assert_true(n > 0 && (size_t)n < left);
	seen.len += (size_t)n;
	seen.nr_lines++;
}

static void forget(void)
{
	seen.len = 0;
	seen.text[0] = '\0';
	seen.nr_lines = 0;
}

static const char *dump(void)
{
	forget();
	drv_dump(env.dev, keep, &seen);
	return seen.text;
}

static void expect(const char *text)
{
	if (!strstr(seen.text, text))
		fail_msg("no \"%s\" in:\n%.4000s", text, seen.text);
}

static int setup(void **state)
{
	(void)state;
	env_open(&env, 11, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

struct work {
	struct drv_ctx *ctx;
	struct drv_bo *bo;
	struct drv_queue *queue;
};

static void work_open(struct work *w)
{
	assert_int_equal(drv_ctx_create(env.dev, &w->ctx), 0);
	assert_int_equal(drv_bo_create(w->ctx, 0x4000, 0, DRV_BO_WB, &w->bo), 0);
	assert_int_equal(drv_queue_create(w->ctx, 2, &w->queue), 0);
}

static void work_close(struct work *w)
{
	drv_queue_destroy(w->queue);
	drv_bo_destroy(w->bo);
	drv_ctx_destroy(w->ctx);
}

/* A job of one fence command at the buffer's beginning. */
static void submit(struct work *w, u16 type, u64 fence)
{
	struct cmdlist list = { .cpu = drv_bo_cpu(w->bo),
				.addr = drv_bo_addr(w->bo),
				.size = sizeof(struct abi_cmdbuf_header) };
	struct abi_job job = { .cmd_addr = drv_bo_addr(w->bo) + CMDLIST_OFF, .cookie = 3 };

	cmdlist_fence(&list, type, fence, 1);
	assert_int_equal(drv_queue_submit(w->queue, &job, 1), 1);
}

static void wait_for_one(struct work *w, s32 status)
{
	struct abi_completion done;

	assert_int_equal(env_reap(&env, w->queue, &done, 1), 1);
	assert_int_equal(done.status, status);
}

static void test_dump_in_each_state(void **state)
{
	(void)state;
	env_create(&env);
	dump();
	expect("state: created (no power)");
	expect("== firmware log\n(empty)");
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	dump();
	expect("state: ready");
	expect(env_gen);
	expect("firmware: (built in)");
	expect("boots: 1");
	expect("VPU_STATUS");
	expect("\n(none)\n== registers");
	expect("\nNPU: [");
	expect("== end");
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	dump();
	expect("state: stopped (no power)");
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	dump();
	expect("boots: 2");
	env_expect_clean(&env);
}

static void test_dump_names_jobs(void **state)
{
	char want[80];
	struct work w;

	(void)state;
	env_boot(&env);
	work_open(&w);
	submit(&w, ABI_CMD_FENCE_WAIT, drv_bo_addr(w.bo) + FENCE_OFF);
	env_run(&env, BASE_NS_PER_MS);
	dump();
	snprintf(want, sizeof(want), "SSID %u: 1 jobs under way, 1 buffers, 16384 bytes",
		 drv_ctx_ssid(w.ctx));
	if (env_hws())
		want[strlen("SSID 2: 1 jobs under way,")] = '\0'; /* preemption buffers, too */
	expect(want);
	expect("priority 2, live, head 1, tail 1 of 1, 1 jobs under way, 0 completions");
	snprintf(want, sizeof(want), "slot 0, command buffer 0x%llx, for 1.",
		 (unsigned long long)drv_bo_addr(w.bo) + CMDLIST_OFF);
	expect(want);
	expect(env_hws() ? "receive CREATE_CMD_QUEUE_RSP" : "receive REGISTER_DB_DONE");
	((u8 *)drv_bo_cpu(w.bo))[FENCE_OFF] = 2;
	wait_for_one(&w, 0);
	work_close(&w);
	env_run(&env, BASE_NS_PER_MS);
	dump();
	expect("jobs done: 1\n");
	expect("\n(none)\n== registers");
	env_expect_clean(&env);
}

/* Each line once, in order, and what comes later when it comes. */
static void test_log_is_followed(void **state)
{
	struct drv_fw_log_reader reader = { .log = DRV_FW_LOG_VERBOSE };
	struct drv_fw_log_reader errors = { .log = DRV_FW_LOG_CRITICAL };
	struct work w;
	u32 at_boot;

	(void)state;
	env_boot(&env);
	forget();
	at_boot = drv_fw_log_read(env.dev, &reader, keep, &seen);
	assert_true(at_boot > 0);
	assert_int_equal(at_boot, seen.nr_lines);
	assert_int_equal(drv_fw_log_read(env.dev, &reader, keep, &seen), 0);
	work_open(&w);
	submit(&w, ABI_CMD_FENCE_SIGNAL, UNMAPPED);
	wait_for_one(&w, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	work_close(&w);
	env_run(&env, BASE_NS_PER_MS);
	forget();
	assert_true(drv_fw_log_read(env.dev, &reader, keep, &seen) > 0);
	assert_non_null(strstr(seen.text, "] E "));
	assert_true(drv_fw_log_read(env.dev, &errors, keep, &seen) > 0);
	expect("NPU-CRIT: [");
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	forget();
	assert_int_equal(drv_fw_log_read(env.dev, &reader, keep, &seen), at_boot);
}

/* The firmware scribbles over its log: the reader and the dump go on. */
static void test_log_damaged(void **state)
{
	struct drv_fw_log_reader reader = { .log = DRV_FW_LOG_VERBOSE };
	u8 *log;

	(void)state;
	env_boot(&env);
	log = drv_bo_cpu(env.dev->fw.verb_log);
	srand(5);
	for (u32 i = 0; i < 300; i++) {
		log[0x44 + rand() % 0x1c] = (u8)rand();
		forget();
		drv_fw_log_read(env.dev, &reader, keep, &seen);
	}
	dump();
	expect("== trace");
}

/* From the first job's submission to the last one's end, whatever ends it. */
static void test_time_busy(void **state)
{
	struct drv_info before, during, after;
	struct work w, other;

	(void)state;
	env_boot(&env);
	work_open(&w);
	work_open(&other);
	submit(&w, ABI_CMD_FENCE_WAIT, drv_bo_addr(w.bo) + FENCE_OFF);
	drv_get_info(env.dev, &before);
	assert_int_equal(before.busy_ns, 0);
	env_run(&env, 5 * BASE_NS_PER_MS);
	submit(&other, ABI_CMD_FENCE_SIGNAL, drv_bo_addr(other.bo) + FENCE_OFF);
	wait_for_one(&other, 0);
	drv_get_info(env.dev, &during);
	assert_in_range(during.busy_ns, 5 * BASE_NS_PER_MS, 7 * BASE_NS_PER_MS);
	((u8 *)drv_bo_cpu(w.bo))[FENCE_OFF] = 2;
	wait_for_one(&w, 0);
	drv_get_info(env.dev, &before);
	env_run(&env, 50 * BASE_NS_PER_MS);
	drv_get_info(env.dev, &after);
	assert_int_equal(after.busy_ns, before.busy_ns);
	submit(&w, ABI_CMD_FENCE_SIGNAL, UNMAPPED);
	wait_for_one(&w, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	env_run(&env, 50 * BASE_NS_PER_MS);
	drv_get_info(env.dev, &after);
	assert_in_range(after.busy_ns, before.busy_ns + 1, before.busy_ns + BASE_NS_PER_MS);
	work_close(&w);
	submit(&other, ABI_CMD_FENCE_WAIT, drv_bo_addr(other.bo) + 0x3040);
	env_run(&env, BASE_NS_PER_MS);
	if (drv_shutdown(env.dev, &env.err)) /* it was not idle */
		assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
	drv_get_info(env.dev, &before);
	assert_in_range(before.busy_ns, after.busy_ns + BASE_NS_PER_MS,
			after.busy_ns + 2 * BASE_NS_PER_MS);
	work_close(&other);
}

static void test_frequency(void **state)
{
	struct drv_info info;
	u32 mhz;

	(void)state;
	env_create(&env);
	assert_int_equal(drv_freq_mhz(env.dev), 0);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	drv_get_info(env.dev, &info);
	mhz = drv_freq_mhz(env.dev);
	assert_true(mhz > 0 && mhz <= info.freq_max_mhz);
	assert_int_equal(mhz, reg_gen_freq_mhz(env_reg_gen(), env.dev->freq.pn));
	os_faulty_force(env.os, 4, DRV_REG_OFF(env.dev->regs.pll_ratio), UINT32_MAX, UINT32_MAX, 0);
	assert_int_equal(drv_freq_mhz(env.dev), 0);
	os_faulty_force(env.os, 0, 0, 0, 0, 0);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_freq_mhz(env.dev), 0);
	env_expect_clean(&env);
}

/* Now, and after the next boot. */
static void test_firmware_log_level(void **state)
{
	struct drv_fw_log_reader reader = { .log = DRV_FW_LOG_VERBOSE };

	(void)state;
	env_boot(&env);
	assert_int_equal(drv_set_fw_log_level(env.dev, DRV_FW_LEVEL_MAX + 1), -EINVAL);
	assert_int_equal(drv_set_fw_log_level(env.dev, 2), 0);
	env_run(&env, BASE_NS_PER_MS);
	forget();
	drv_fw_log_read(env.dev, &reader, keep, &seen);
	expect("trace level 2");
	assert_int_equal(drv_set_fw_log_level(env.dev, 5), 0);
	env_run(&env, BASE_NS_PER_MS);
	drv_fw_log_read(env.dev, &reader, keep, &seen);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	forget();
	drv_fw_log_read(env.dev, &reader, keep, &seen);
	assert_null(strstr(seen.text, "] I "));
	env_expect_clean(&env);
}

/*
 * Metric streams
 */

#define PERIOD_NS BASE_NS_PER_MS

struct samples {
	u32 nr, nr_calls, dropped, size, nr_ends;
	int end;
	bool has_no_time;
	u64 first, last; /* the first counter of a sample: time */
	u64 jobs;	 /* the second one of the last */
};

static void on_samples(void *opaque, const void *data, u32 sample_size, u32 nr, u32 dropped)
{
	struct samples *s = opaque;

	s->nr_calls++;
	s->dropped += dropped;
	s->size = sample_size;
	for (u32 i = 0; i < nr; i++) {
		u64 vals[2];

		assert_true(sample_size >= sizeof(vals));
		memcpy(vals, (const u8 *)data + i * sample_size, sizeof(vals));
		/* none comes twice; group 1 has no time */
		assert_true(s->has_no_time || vals[0] > s->last);
		if (!s->nr++)
			s->first = vals[0];
		s->last = vals[0];
		s->jobs = vals[1];
	}
}

static void on_end(void *opaque, int ret)
{
	struct samples *s = opaque;

	s->nr_ends++;
	s->end = ret;
}

static struct drv_metric *stream(struct samples *s, u64 groups, u32 samples)
{
	const struct drv_metric_cfg cfg = { .groups = groups,
					    .period_ns = PERIOD_NS,
					    .samples = samples,
					    .on_samples = on_samples,
					    .on_end = on_end,
					    .opaque = s };
	struct drv_metric *m;

	*s = (struct samples){ .has_no_time = !(groups & 1) };
	assert_int_equal(drv_metric_create(env.dev, &cfg, &m), 0);
	return m;
}

static void test_counters_are_known(void **state)
{
	const struct drv_counters *c = NULL;
	u32 size = 0;

	(void)state;
	env_create(&env);
	assert_int_equal(drv_counters(env.dev, &c), -ENODEV);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	assert_int_equal(drv_counters(env.dev, &c), -EAGAIN);
	assert_int_equal(drv_counters(env.dev, &c), -EAGAIN);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_counters(env.dev, &c), 0);
	assert_int_equal(c->nr_groups, 2);
	assert_string_equal(c->groups[0].name, "NPU");
	assert_string_equal(c->counters[1].name, "Jobs");
	for (u32 i = 0; i < c->nr_counters; i++)
		size += c->counters[i].size;
	assert_int_equal(size, c->groups[0].size + c->groups[1].size);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_counters(env.dev, &c), 0);
	env_expect_clean(&env);
}

/* The answers that may come instead: an error once, forgotten when it was only cut off. */
static void test_counters_refused(void **state)
{
	static const struct {
		const char *fault;
		int want;
	} cases[] = { { "error-answer", -EIO }, { "wrong-answer", -EPROTO } };

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		const struct drv_counters *c;

		env_boot(&env);
		assert_int_equal(os_inproc_fault(env.npu, cases[i].fault, 1), 0);
		assert_int_equal(drv_counters(env.dev, &c), -EAGAIN);
		env_run(&env, BASE_NS_PER_MS);
		assert_int_equal(drv_counters(env.dev, &c), cases[i].want);
		drv_destroy(env.dev);
	}
	env_boot(&env);
}

/* All samples, in order, for as long as it lasts; jobs show in them. */
static void test_stream(void **state)
{
	struct samples s, other;
	struct drv_metric *m, *n;
	struct work w;
	u32 nr;

	(void)state;
	env_boot(&env);
	m = stream(&s, 1, 10);
	n = stream(&other, 2, 5);
	env_run(&env, 105 * PERIOD_NS);
	assert_in_range(s.nr, 90, 105);
	assert_in_range(s.nr_calls, 9, 11);
	assert_int_equal(s.size, 32);
	assert_int_equal(s.dropped + other.dropped, 0);
	assert_in_range(other.nr_calls, 18, 21);
	assert_int_equal(s.jobs, 0);
	work_open(&w);
	submit(&w, ABI_CMD_FENCE_SIGNAL, drv_bo_addr(w.bo) + FENCE_OFF);
	wait_for_one(&w, 0);
	work_close(&w);
	env_run(&env, 20 * PERIOD_NS);
	assert_int_equal(s.jobs, 1);
	drv_metric_destroy(m);
	nr = s.nr;
	env_run(&env, 50 * PERIOD_NS);
	assert_int_equal(s.nr, nr);
	assert_true(other.nr > 150);
	assert_int_equal(env.dev->nr_metrics, 1);
	m = stream(&s, 1, 10); /* its groups are free again */
	env_run(&env, 50 * PERIOD_NS);
	assert_true(s.nr >= 30);
	drv_metric_destroy(m);
	drv_metric_destroy(n);
	env_run(&env, PERIOD_NS);
	assert_int_equal(env.dev->nr_metrics, 0);
	assert_int_equal(s.nr_ends + other.nr_ends, 0);
	env_expect_clean(&env);
}

static void test_stream_bad_arguments(void **state)
{
	struct drv_metric_cfg cfg = {
		.groups = 1, .period_ns = PERIOD_NS, .samples = 1, .on_samples = on_samples
	};
	const struct drv_metric_cfg good = cfg;
	struct drv_metric *m[9];

	(void)state;
	env_boot(&env);
	cfg.groups = 0;
	assert_int_equal(drv_metric_create(env.dev, &cfg, m), -EINVAL);
	cfg = good;
	cfg.samples = 0;
	assert_int_equal(drv_metric_create(env.dev, &cfg, m), -EINVAL);
	cfg = good;
	cfg.period_ns--;
	assert_int_equal(drv_metric_create(env.dev, &cfg, m), -EINVAL);
	cfg.period_ns = UINT64_MAX / 2;
	assert_int_equal(drv_metric_create(env.dev, &cfg, m), -EINVAL);
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(drv_metric_create(env.dev, &good, &m[i]), 0);
	assert_int_equal(drv_metric_create(env.dev, &good, &m[8]), -EBUSY);
	for (u32 i = 0; i < 8; i++)
		drv_metric_destroy(m[i]);
	env_run(&env, PERIOD_NS);
	assert_int_equal(env.dev->nr_metrics, 0);
}

/* The firmware has no such group, another stream has it, or the memory would be too much. */
static void test_stream_refused(void **state)
{
	struct samples s, t;
	struct drv_metric *m, *n;

	(void)state;
	env_boot(&env);
	m = stream(&s, 0x10, 10);
	env_run(&env, 20 * PERIOD_NS);
	assert_int_equal(s.nr_ends, 1);
	assert_int_equal(s.end, -EIO);
	drv_metric_destroy(m);
	m = stream(&s, 1, DRV_METRIC_MEMORY_MAX);
	env_run(&env, 20 * PERIOD_NS);
	assert_int_equal(s.end, -ENOMEM);
	drv_metric_destroy(m);
	m = stream(&s, 1, 10);
	env_run(&env, 2 * PERIOD_NS);
	n = stream(&t, 3, 10);
	env_run(&env, 50 * PERIOD_NS);
	assert_int_equal(t.end, -EIO);
	assert_int_equal(s.nr_ends, 0);
	assert_true(s.nr >= 30);
	drv_metric_destroy(m);
	drv_metric_destroy(n);
	env_run(&env, PERIOD_NS);
	assert_int_equal(env.dev->nr_metrics, 0);
}

/* Each answer goes wrong once: the stream ends or goes on, its groups are free afterwards. */
static void test_stream_faults(void **state)
{
	static const char *const faults[] = { "error-answer", "wrong-answer", "lost-answer" };

	(void)state;
	env_boot(&env);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(faults); i++) {
		for (u32 at = 0; at < 5; at++) { /* info, stop, start, update, update */
			struct samples s;
			struct drv_metric *m = stream(&s, 1, 10);

			env_run(&env,
				at < 3 ? at * 10 * BASE_NS_PER_US : (at - 2) * 11 * PERIOD_NS);
			assert_int_equal(os_inproc_fault(env.npu, faults[i], 1), 0);
			env_run(&env, 800 * PERIOD_NS);
			assert_true(s.nr_ends || s.nr > 100);
			assert_int_equal(os_inproc_fault(env.npu, faults[i], 0), 0);
			drv_metric_destroy(m);
			env_run(&env, 5 * PERIOD_NS);
			assert_int_equal(env.dev->nr_metrics, 0);
			m = stream(&s, 1, 10);
			env_run(&env, 50 * PERIOD_NS);
			assert_true(s.nr >= 20 && !s.nr_ends);
			drv_metric_destroy(m);
			env_run(&env, 5 * PERIOD_NS);
		}
	}
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
}

/* What the firmware says it wrote is not believed. */
static void test_stream_lies(void **state)
{
	struct samples s;
	struct drv_metric *m;
	struct abi_jsm_msg msg = { .type = ABI_JSM_METRIC_STREAMER_UPDATE_DONE };

	(void)state;
	env_boot(&env);
	for (u32 i = 0; i < 3; i++) {
		struct abi_jsm_metric_done *d = &msg.payload.metric_done;

		m = stream(&s, 1, 10);
		env_run(&env, 5 * PERIOD_NS);
		env.dev->timers[DRV_TIMER_METRIC] = 0;
		while (env.dev->jsm.reqs[0].type != ABI_JSM_METRIC_STREAMER_UPDATE ||
		       !env.dev->jsm.reqs[0].id)
			assert_true(env_round(&env, drv_now_ns(env.dev) + 100));
		*d = (struct abi_jsm_metric_done){ .buffer_addr = i ? 0x90000000 : 0,
						   .bytes_written = 32 };
		if (i == 2)
			d->bytes_written = UINT64_MAX - 31;
		msg.request_id = env.dev->jsm.reqs[0].id;
		drv_jsm_answer(env.dev, &msg, sizeof(msg));
		assert_int_equal(s.end, -EPROTO);
		assert_int_equal(s.nr_ends, 1);
		drv_metric_destroy(m);
		env_run(&env, 5 * PERIOD_NS);
		assert_int_equal(env.dev->nr_metrics, 0);
	}
}

/* Over a restart it goes on; of a device that stopped it can be destroyed. */
static void test_stream_over_restart(void **state)
{
	struct samples s;
	struct drv_metric *m;
	u32 nr;

	(void)state;
	env_boot(&env);
	m = stream(&s, 1, 10);
	env_run(&env, 25 * PERIOD_NS);
	nr = s.nr;
	assert_true(nr >= 10);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	s.last = 0;
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	env_run(&env, 50 * PERIOD_NS);
	assert_true(s.nr >= nr + 30);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	drv_metric_destroy(m);
	env_run(&env, PERIOD_NS);
	assert_int_equal(env.dev->nr_metrics, 0);
	m = stream(&s, 1, 10); /* left to drv_destroy() */
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	env_run(&env, 25 * PERIOD_NS);
	assert_true(s.nr >= 10);
	env_expect_clean(&env);
}

struct trouble {
	u32 nr;
	char why[128];
};

static void on_trouble(void *opaque, struct drv_dev *dev, const char *why)
{
	struct trouble *t = opaque;

	assert_ptr_equal(dev, env.dev);
	t->nr++;
	snprintf(t->why, sizeof(t->why), "%s", why);
	dump();
}

static void trouble_boot(struct trouble *t)
{
	env.cfg.on_trouble = on_trouble;
	env.cfg.opaque = t;
	env_boot(&env);
	assert_int_equal(t->nr, 0);
}

/* The dump is made while what went wrong can still be seen. */
static void test_trouble_of_a_fault(void **state)
{
	struct trouble t = { 0 };
	struct work w;

	(void)state;
	trouble_boot(&t);
	work_open(&w);
	submit(&w, ABI_CMD_FENCE_SIGNAL, UNMAPPED);
	wait_for_one(&w, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	assert_int_equal(t.nr, 1);
	assert_non_null(strstr(t.why, "faulted"));
	expect(", faulty");
	expect("slot 0, command buffer");
	expect("MMU faults: 1\n");
	work_close(&w);
	env_run(&env, BASE_NS_PER_MS);
}

static void test_trouble_of_a_hang(void **state)
{
	struct trouble t = { 0 };
	struct work w;

	(void)state;
	trouble_boot(&t);
	work_open(&w);
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	submit(&w, ABI_CMD_FENCE_SIGNAL, drv_bo_addr(w.bo) + FENCE_OFF);
	wait_for_one(&w, -ETIMEDOUT);
	assert_int_equal(t.nr, 1);
	assert_non_null(strstr(t.why, "hang"));
	expect("slot 0, command buffer");
	expect("heartbeat: ");
	if (env_hws())
		expect("state dump"); /* the firmware was asked for it first */
	work_close(&w);
	env_run(&env, BASE_NS_PER_MS);
}

static void test_trouble_of_a_boot(void **state)
{
	struct trouble t = { 0 };

	(void)state;
	env.cfg.on_trouble = on_trouble;
	env.cfg.opaque = &t;
	env_create(&env);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	assert_int_not_equal(drv_boot(env.dev, &env.err), 0);
	assert_int_equal(t.nr, 1);
	expect("state: booting");
	expect("sequence boot, step ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_dump_in_each_state),
		T(test_dump_names_jobs),
		T(test_log_is_followed),
		T(test_log_damaged),
		T(test_time_busy),
		T(test_frequency),
		T(test_firmware_log_level),
		T(test_counters_are_known),
		T(test_counters_refused),
		T(test_stream),
		T(test_stream_bad_arguments),
		T(test_stream_refused),
		T(test_stream_faults),
		T(test_stream_lies),
		T(test_stream_over_restart),
		T(test_trouble_of_a_fault),
		T(test_trouble_of_a_hang),
		T(test_trouble_of_a_boot),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("inside", tests, NULL, NULL);
}
