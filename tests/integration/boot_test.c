// SPDX-License-Identifier: MIT
/*
 * Boot and shutdown of the driver on the virtual NPU: every step of P 3.4, 3.6, 3.9 and 8.3 counts,
 * every check of P 3.10 can fail.
 */
#include "drv_env.h"

#include "by_the_book.h"
#include "driver/mmio.h"

#define MAX_STEPS 128u
#define MAX_ROWS  256u

struct step_log {
	struct env *env;
	u32 nr, nr_failed;
	u32 force_at; /* after this many steps */
	const struct drv_step *force;
	char last[128];
};

static void on_step(void *opaque, const struct drv_step_report *report)
{
	struct step_log *log = opaque;
	const struct drv_step *s = log->force;

	assert_non_null(report->sequence);
	assert_non_null(report->step);
	assert_non_null(report->source);
	log->nr++;
	log->nr_failed += report->result != 0;
	if (report->result)
		snprintf(log->last, sizeof(log->last), "%s", report->step);
	if (s && log->nr == log->force_at)
		os_faulty_force(log->env->os, DRV_REG_BAR(s->reg), DRV_REG_OFF(s->reg), s->mask,
				(s->dyn ? s->dyn(log->env->dev) : s->value) ^ (s->mask & -s->mask),
				0);
}

static bool applies(const struct drv_dev *dev, const struct drv_step *step)
{
	return !step->when || step->when(dev);
}

static u32 nr_steps(const struct drv_dev *dev, u32 id)
{
	const struct drv_seq *seq = dev->seqs[id];
	u32 nr = 0;

	for (u32 i = 0; i < seq->nr; i++)
		nr += applies(dev, &seq->steps[i]);
	return nr;
}

static void test_ready_and_stopped(void **state)
{
	struct step_log log = { 0 };
	struct drv_info info;
	struct env env;

	(void)state;
	env_open(&env, 1, false);
	log.env = &env;
	env.cfg.on_step = on_step;
	env.cfg.opaque = &log;
	env_boot(&env);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	assert_int_equal(log.nr_failed, 0);
	assert_int_equal(log.nr, nr_steps(env.dev, DRV_SEQ_POWER_UP) +
					 nr_steps(env.dev, DRV_SEQ_MMU) +
					 nr_steps(env.dev, DRV_SEQ_BOOT) +
					 nr_steps(env.dev, DRV_SEQ_CONFIGURE));
	drv_get_info(env.dev, &info);
	assert_string_equal(info.gen, env_gen);
	assert_string_equal(info.product, env_reg_gen()->ids[0].product);
	assert_string_equal(info.fw_path, "(built in)");
	assert_int_equal(info.freq_max_mhz, env_reg_gen()->btrs_kind == REG_BTRS_MTL ? 1400 : 1950);
	assert_int_equal(info.hw_sched, env_hws());
	assert_true(info.boot_ns > 0 && info.boot_ns < BASE_NS_PER_S);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
	assert_int_equal(log.nr_failed, 0);
	env_expect_clean(&env);
	env_close(&env);
}

static void test_again_and_again(void **state)
{
	struct env env;

	(void)state;
	env_open(&env, 2, true);
	for (u32 i = 0; i < 3; i++) {
		env_boot(&env);
		if (i == 1) { /* restart without giving the device up */
			assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
			assert_int_equal(drv_boot(env.dev, &env.err), 0);
		}
		drv_destroy(env.dev);
		env.dev = NULL;
		assert_int_equal(env_live_dma(&env), 0);
	}
	env_expect_clean(&env);
	env_close(&env);
}

static bool follows(struct env *env, bool start)
{
	const struct book *book = book_of(env_gen);
	struct book_row rows[MAX_ROWS];
	struct book_place place = { .rows = rows, .nr = start ? book->nr_boot : book->nr_stop };
	int ret;

	memcpy(rows, start ? book->boot : book->stop, place.nr * sizeof(rows[0]));
	if (start && env_hws()) {
		memcpy(rows + place.nr, book->bands, book->nr_bands * sizeof(rows[0]));
		place.nr += book->nr_bands;
	}

	os_faulty_watch(env->os, book_watch, &place);
	ret = start ? drv_boot(env->dev, &env->err) : drv_shutdown(env->dev, &env->err);
	os_faulty_watch(env->os, NULL, NULL);
	if (place.off_book)
		snprintf(env->err.text, sizeof(env->err.text), "row %u: %s%u BAR%u+0x%x 0x%llx",
			 place.at, place.wrong.is_write ? "write" : "read", place.wrong.bytes * 8,
			 place.wrong.bar, place.wrong.off, (unsigned long long)place.wrong.val);
	return !ret && book_followed(&place);
}

static bool is_loaded(const struct env *env)
{
	const struct drv_fw *fw = &env->dev->fw;

	return !memcmp(drv_bo_cpu(fw->runtime), fw->image + ABI_FW_IMAGE_OFF, fw->hdr.image_size);
}

/* Does the driver boot and stop by the book, twice in a row? */
static bool is_by_the_book(struct env *env)
{
	bool good = true;

	for (u32 round = 0; round < 2 && good; round++) {
		good = follows(env, true) && env->dev->mmu.on && is_loaded(env);
		memset(drv_bo_cpu(env->dev->fw.runtime), 0xee, 64);
		good = good && follows(env, false);
	}
	return good && !env_guest_errors(env);
}

static void test_by_the_book(void **state)
{
	struct env env;

	(void)state;
	env_open(&env, 3, false);
	env_create(&env);
	if (!is_by_the_book(&env))
		fail_msg("%s", env.err.text);
	env_close(&env);
}

/* With @seq in place of sequence @id: does anybody notice? */
static bool is_noticed(u32 id, const struct drv_seq *seq)
{
	struct env env;
	bool noticed;

	env_open(&env, 3, false);
	env_create(&env);
	env.dev->seqs[id] = seq;
	noticed = !is_by_the_book(&env);
	env_close(&env);
	return noticed;
}

static const u32 ids[] = { DRV_SEQ_POWER_UP, DRV_SEQ_MMU, DRV_SEQ_BOOT, DRV_SEQ_CONFIGURE,
			   DRV_SEQ_POWER_DOWN };

/* A step that makes no access on a device that was not broken off before. */
static bool is_silent(const struct drv_step *step)
{
	return !strcmp(step->text, "begin with questions");
}

/* Steps of this device: those that depend on a stepping or on the scheduler may be left out. */
static u32 steps_of(u32 id, struct drv_step *out)
{
	const struct drv_seq *seq = env_gen_info()->seqs[id];
	struct env env;
	u32 nr = 0;

	env_open(&env, 3, false);
	env_create(&env);
	for (u32 i = 0; i < seq->nr; i++)
		if (applies(env.dev, &seq->steps[i]) && !is_silent(&seq->steps[i]))
			out[nr++] = seq->steps[i];
	env_close(&env);
	return nr;
}

static void test_each_step_counts(void **state)
{
	u32 missed = 0, nr = 0;

	(void)state;
	for (u32 k = 0; k < BASE_ARRAY_SIZE(ids); k++) {
		struct drv_step all[MAX_STEPS];
		u32 nr_all = steps_of(ids[k], all);

		for (u32 i = 0; i < nr_all; i++) {
			struct drv_step steps[MAX_STEPS];
			struct drv_seq less = { "less", steps, nr_all - 1 };

			memcpy(steps, all, i * sizeof(steps[0]));
			memcpy(steps + i, all + i + 1, (nr_all - i - 1) * sizeof(steps[0]));
			nr++;
			if (is_noticed(ids[k], &less))
				continue;
			print_error("sequence %u without step %u (%s) is not noticed\n", ids[k], i,
				    all[i].text);
			missed++;
		}
	}
	print_message("%u steps left out one at a time\n", nr);
	assert_int_equal(missed, 0);
}

/*
 * Neighbours that may change places: work in memory only, which need not be done before the access
 * next to it but before one further on.
 */
static bool may_swap(const struct drv_step *a, const struct drv_step *b)
{
	static const char *const in_memory[] = { "copy the firmware image", "empty the MMU queues",
						 "queue CFGI_ALL, TLBI_NSNH_ALL, SYNC",
						 "translations are in force" };

	for (size_t i = 0; i < BASE_ARRAY_SIZE(in_memory); i++) {
		const struct drv_step *other = NULL;

		if (!strcmp(a->text, in_memory[i]))
			other = b;
		if (!strcmp(b->text, in_memory[i]))
			other = a;
		/* but the index is written after what it makes valid */
		if (other && strcmp(other->text, "write MMU CMDQ_PROD"))
			return true;
	}
	return false;
}

static void test_order_counts(void **state)
{
	u32 missed = 0, nr = 0;

	(void)state;
	for (u32 k = 0; k < BASE_ARRAY_SIZE(ids); k++) {
		struct drv_step all[MAX_STEPS];
		u32 nr_all = steps_of(ids[k], all);

		for (u32 i = 0; i + 1 < nr_all; i++) {
			struct drv_step steps[MAX_STEPS];
			struct drv_seq swapped = { "swapped", steps, nr_all };

			if (may_swap(&all[i], &all[i + 1]))
				continue;
			memcpy(steps, all, nr_all * sizeof(steps[0]));
			steps[i] = all[i + 1];
			steps[i + 1] = all[i];
			nr++;
			if (is_noticed(ids[k], &swapped))
				continue;
			print_error("sequence %u: %s before %s is not noticed\n", ids[k],
				    steps[i].text, steps[i + 1].text);
			missed++;
		}
	}
	print_message("%u neighbours swapped\n", nr);
	assert_int_equal(missed, 0);
}

/* P 3.10: with the register forced wrong from that step on, that step is the one that fails. */
static void check_can_fail(u32 at, u32 seq_idx, const struct drv_step *step)
{
	struct step_log log = { .force_at = at, .force = step };
	bool stopping = ids[seq_idx] == DRV_SEQ_POWER_DOWN;
	struct env env;
	int ret;

	env_open(&env, 4, false);
	log.env = &env;
	env.cfg.on_step = on_step;
	env.cfg.opaque = &log;
	env_create(&env);
	ret = drv_boot(env.dev, &env.err);
	if (stopping) {
		assert_int_equal(ret, 0);
		ret = drv_shutdown(env.dev, &env.err);
		assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
	}
	if (step->policy == DRV_STEP_WARN && !stopping) {
		/* the wrong value may also hit a later, fatal look at the same register */
		assert_true(env.dev->warn.code != 0);
		assert_non_null(strstr(env.dev->warn.text, step->text));
	} else {
		assert_int_equal(ret, step->op == DRV_STEP_POLL ? -ETIMEDOUT : -EIO);
		assert_non_null(strstr(env.err.text, step->text));
		assert_non_null(strstr(env.err.text, step->source));
	}
	os_faulty_force(env.os, 0, 0, 0, 0, 0);
	drv_destroy(env.dev);
	env.dev = NULL;
	env.cfg.on_step = NULL;
	env_boot(&env); /* and the next boot works */
	env_close(&env);
}

static void test_each_check_can_fail(void **state)
{
	u32 first = 0, nr = 0;

	(void)state;
	for (u32 k = 0; k < BASE_ARRAY_SIZE(ids); k++) {
		struct drv_step all[MAX_STEPS];
		u32 nr_all = steps_of(ids[k], all);

		first += ids[k] == DRV_SEQ_CONFIGURE; /* its silent step */
		for (u32 i = 0; i < nr_all; i++) {
			if (all[i].op != DRV_STEP_POLL && all[i].op != DRV_STEP_CHECK)
				continue;
			if (!first && !i)
				continue; /* no step before it: test_first_check_can_fail() */
			check_can_fail(first + i, k, &all[i]);
			nr++;
		}
		first += nr_all;
	}
	print_message("%u checks forced to fail\n", nr);
}

static void test_first_check_can_fail(void **state)
{
	const struct drv_step *step = &env_gen_info()->seqs[DRV_SEQ_POWER_UP]->steps[0];
	struct env env;
	int ret;

	(void)state;
	env_open(&env, 4, false);
	env_create(&env);
	os_faulty_force(env.os, DRV_REG_BAR(step->reg), DRV_REG_OFF(step->reg), step->mask,
			step->mask, 0);
	/* it only warns, but the register may be one that counts further on */
	ret = drv_boot(env.dev, &env.err);
	assert_true(ret == -ETIMEDOUT || !ret);
	assert_non_null(strstr(env.dev->warn.text, step->text));
	os_faulty_force(env.os, 0, 0, 0, 0, 0);
	env_close(&env);
}

static u32 nr_platform;

static void count_platform(void *opaque, enum base_log_level level, const char *text)
{
	(void)opaque;
	nr_platform += level == BASE_LOG_ERR && strstr(text, "platform 7");
}

/* P 3.10, last row: an error line, and the boot goes on. */
static void test_platform_is_told(void **state)
{
	struct env env;

	(void)state;
	env_open(&env, 4, false);
	env_create(&env);
	env.dev->log = (struct base_log){ .sink = count_platform };
	os_faulty_force(env.os, 4, 0x154, 7u << 29, 7u << 29, 0);
	assert_int_equal(env.dev->info->ops->probe(env.dev), 0);
	assert_int_equal(nr_platform, 1);
	assert_int_equal(drv_boot(env.dev, &env.err), 0);
	env_close(&env);
}

static void test_never_ready(void **state)
{
	struct env env;
	u64 start;

	(void)state;
	env_open(&env, 5, false);
	env_create(&env);
	assert_int_equal(os_inproc_fault(env.npu, "fw-never-ready", 1), 0);
	start = drv_now_ns(env.dev);
	assert_int_equal(drv_boot(env.dev, &env.err), -ETIMEDOUT);
	assert_non_null(strstr(env.err.text, "wait for the ready message"));
	assert_in_range(drv_now_ns(env.dev) - start, BASE_NS_PER_S, BASE_NS_PER_S * 11 / 10);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	drv_destroy(env.dev);
	env_boot(&env);
	env_close(&env);
}

static void count_line(void *opaque, const char *text)
{
	u32 *nr = opaque;

	assert_true(strlen(text) > 10);
	(*nr)++;
	if (strstr(text, " VPU_STATUS BAR4"))
		assert_non_null(strstr(text, "READY=0x1 IDLE=0x1"));
}

static void test_dump(void **state)
{
	u32 nr = 0, nr_trace = 0;
	struct env env;

	(void)state;
	env_open(&env, 6, false);
	env_boot(&env);
	drv_dump_registers(env.dev, count_line, &nr);
	assert_true(nr > 80);
	drv_trace_dump(env.dev, 100, count_line, &nr_trace);
	assert_int_equal(nr_trace, 100);
	env_expect_clean(&env);
	env_close(&env);
}

static void test_intel_image(void **state)
{
	const char *path = getenv("NPU_TEST_FIRMWARE");
	struct drv_info info;
	struct env env;

	(void)state;
	if (!path || !*path)
		env_skip("needs an image of Intel's in NPU_TEST_FIRMWARE; see tests/firmware/run");
	env_open(&env, 7, false);
	env.cfg.firmware = path;
	env_boot(&env);
	drv_get_info(env.dev, &info);
	assert_string_equal(info.fw_path, path);
	assert_int_equal(info.fw_api[ABI_FW_API_BOOT] >> 16, 3);
	assert_true(strlen(info.fw_version) > 8);
	print_message("%s: %s\n", path, info.fw_version);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	env_expect_clean(&env);
	env_close(&env);
}

static u64 boot_hash(u64 seed)
{
	struct env env;
	u64 hash;

	env_open(&env, seed, false);
	env_boot(&env);
	assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
	hash = os_inproc_trace_hash(env.npu);
	env_close(&env);
	return hash;
}

static void test_deterministic(void **state)
{
	(void)state;
	assert_int_equal(boot_hash(42), boot_hash(42));
}

/* Silicon older than what keeps its clock by itself is told to.  P 1.1, P 3.4 step 4 */
static void test_old_stepping_keeps_its_clock(void **state)
{
	u8 below = env_gen_info()->keep_clock_below_rev;
	const struct drv_seq *seq = env_gen_info()->seqs[DRV_SEQ_POWER_UP];
	u32 nr = 0;
	struct env env;

	(void)state;
	env_open(&env, 8, false);
	env_create(&env);
	for (u32 i = 0; i < seq->nr; i++) {
		if (!seq->steps[i].when)
			continue;
		nr++;
		env.dev->revision = below;
		assert_false(seq->steps[i].when(env.dev));
		env.dev->revision = (u8)(below - 1);
		assert_int_equal(seq->steps[i].when(env.dev), below != 0);
		assert_int_equal(seq->steps[i].mask, 1u << 12);
		assert_int_equal(seq->steps[i].value, 1u << 12);
	}
	assert_int_equal(nr, env_reg_gen()->btrs_kind == REG_BTRS_LNL);
	env_close(&env);
	env_open_rev(&env, 8, false, (u8)(below > 1 ? below - 1 : 1));
	env_boot(&env);
	env_expect_clean(&env);
	env_close(&env);
}

/* Who schedules: the image's JSM version, unless the caller says; npu60 has no OS scheduling. */
static void test_scheduler_is_chosen(void **state)
{
	static const struct {
		u32 asked, api;
		bool hws, hws_only; /* on npu60 */
	} cases[] = {
		{ DRV_SCHED_AUTO, ABI_FW_JSM_HWS - 1, false, false },
		{ DRV_SCHED_AUTO, ABI_FW_JSM_HWS, true, true },
		{ DRV_SCHED_OS, ABI_FW_JSM_HWS, false, true },
		{ DRV_SCHED_HW, ABI_FW_JSM_HWS - 1, true, true },
	};
	struct env env;

	(void)state;
	env_open(&env, 8, false);
	env_create(&env);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(cases); i++) {
		env.dev->cfg.sched = cases[i].asked;
		env.dev->fw.hdr.api_version[ABI_FW_API_JSM] = cases[i].api;
		drv_sched_choose(env.dev);
		assert_int_equal(env.dev->hws,
				 env_gen_info()->hw_sched_only ? cases[i].hws_only : cases[i].hws);
	}
	assert_int_equal(env_gen_info()->hw_sched_only, !strcmp(env_gen, "npu60"));
	env_close(&env);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_and_stopped),
		cmocka_unit_test(test_again_and_again),
		cmocka_unit_test(test_by_the_book),
		cmocka_unit_test(test_each_step_counts),
		cmocka_unit_test(test_order_counts),
		cmocka_unit_test(test_first_check_can_fail),
		cmocka_unit_test(test_each_check_can_fail),
		cmocka_unit_test(test_platform_is_told),
		cmocka_unit_test(test_old_stepping_keeps_its_clock),
		cmocka_unit_test(test_scheduler_is_chosen),
		cmocka_unit_test(test_never_ready),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_intel_image),
		cmocka_unit_test(test_deterministic),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
