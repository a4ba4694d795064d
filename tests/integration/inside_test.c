// SPDX-License-Identifier: MIT
/*
 * What the driver shows of itself and of the device: dump, firmware log, frequency.  On the virtual
 * NPU, for each generation.
 */
#include "drv_env.h"

#include "cmdlist.h"
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
		T(test_dump_in_each_state), T(test_dump_names_jobs),	T(test_log_is_followed),
		T(test_log_damaged),	    T(test_time_busy),		T(test_frequency),
		T(test_firmware_log_level), T(test_trouble_of_a_fault), T(test_trouble_of_a_hang),
		T(test_trouble_of_a_boot),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("inside", tests, NULL, NULL);
}
