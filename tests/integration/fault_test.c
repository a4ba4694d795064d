// SPDX-License-Identifier: MIT
/*
 * Fault sweep (style R10): the scenario below runs again and again; in run n the n-th call of the
 * seam, or the n-th allocation, goes wrong.  Each run ends with an error of the list or untouched;
 * afterwards nothing is left behind, and a boot works.  All in virtual time.
 */
#include "drv_env.h"

#include "cmdlist.h"
#include "flat_job.h"

static bool is_allowed(int err)
{
	static const int allowed[] = { 0,	-EIO,	 -ENODEV,    -ENOMEM, -ETIMEDOUT,
				       -EPROTO, -EAGAIN, -ECANCELED, -EINVAL, -EBUSY };

	for (size_t i = 0; i < BASE_ARRAY_SIZE(allowed); i++)
		if (err == allowed[i])
			return true;
	return err == ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW ||
	       err == ABI_JSM_STATUS_PROCESSING_ERR || err == ABI_JSM_STATUS_PARSING_ERR;
}

/* What a job that was taken has come to, at the latest when the device failed. */
static int finish_job(struct env *env, struct drv_queue *queue)
{
	struct abi_completion done = { 0 };

	assert_int_equal(env_reap(env, queue, &done, 1), 1);
	assert_int_equal(done.cookie, 5);
	return done.status;
}

/* A job that signals a fence at @fence. */
static int submit(struct env *env, struct drv_bo *bo, struct drv_queue *queue, u64 fence)
{
	struct cmdlist list = { .cpu = drv_bo_cpu(bo),
				.addr = drv_bo_addr(bo),
				.size = sizeof(struct abi_cmdbuf_header) };
	struct abi_job job = { .cmd_addr = drv_bo_addr(bo) + CMDLIST_OFF, .cookie = 5 };
	int ret;

	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, fence, 1);
	ret = drv_queue_submit(queue, &job, 1);
	return ret == 1 ? finish_job(env, queue) : ret;
}

#define UNMAPPED 0x90000000u /* in every context of a user */

/* The same without an MMU: a job that reaches beyond its ranges ends, and nothing else happens. */
static int use_flat(struct env *env, struct drv_ctx *ctx, bool faults)
{
	struct drv_queue *queue;
	struct flat_job f;
	int ret = flat_job_open(ctx, &f);

	if (ret)
		return ret;
	ret = drv_queue_create(ctx, 1, &queue);
	if (ret)
		goto out_job;
	for (u32 i = 0; i < 2 && !ret; i++) {
		if (faults && i)
			f.inv->program.addr = UNMAPPED;
		ret = drv_queue_submit(queue, &f.job, 1);
		ret = ret == 1 ? finish_job(env, queue) : ret;
	}
	if (faults && ret == ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW)
		ret = 0; /* as it should be */
	drv_queue_destroy(queue);
out_job:
	flat_job_close(&f);
	return ret;
}

/* Jobs that work, or one that faults: the context is aborted, with it the engine reset. */
static int use(struct env *env, bool faults)
{
	struct drv_queue *queue;
	struct drv_ctx *ctx;
	struct drv_bo *bo;
	int ret;

	ret = drv_ctx_create(env->dev, &ctx);
	if (ret)
		return ret;
	if (env_reg_gen()->flat) {
		ret = use_flat(env, ctx, faults);
		goto out_ctx;
	}
	ret = drv_bo_create(ctx, 0x30000, 0, 0, &bo);
	if (ret)
		goto out_ctx;
	ret = drv_queue_create(ctx, 1, &queue);
	if (ret)
		goto out_bo;
	ret = submit(env, bo, queue, drv_bo_addr(bo) + 0x800);
	if (!ret)
		ret = submit(env, bo, queue, faults ? UNMAPPED : drv_bo_addr(bo) + 0x800);
	if (faults && ret == ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW)
		ret = 0; /* as it should be */
	drv_queue_destroy(queue);
out_bo:
	drv_bo_destroy(bo);
out_ctx:
	drv_ctx_destroy(ctx);
	env_run(env, BASE_NS_PER_MS);
	return ret;
}

/* To sleep and awake again. */
static int nap(struct env *env)
{
	int ret = drv_suspend(env->dev);

	if (ret)
		return ret;
	env_run(env, 50 * BASE_NS_PER_MS);
	return drv_resume(env->dev);
}

/* Create, boot, fault and recover, use, sleep, use, reset, use, stop, destroy; the first error. */
static int scenario(struct env *env)
{
	int ret, stop_ret;

	env->err = (struct base_err){ 0 };
	ret = drv_create(env->os, &env->cfg, &env->dev, &env->err);
	if (ret) {
		env->dev = NULL;
		assert_true(env->err.text[0] != '\0');
		return ret;
	}
	env->dev->log.masked = UINT32_MAX;
	ret = drv_boot(env->dev, &env->err);
	if (ret)
		assert_true(env->err.text[0] != '\0');
	else
		ret = use(env, true);
	if (!ret)
		ret = use(env, false);
	if (!ret)
		ret = nap(env);
	if (!ret)
		ret = use(env, false);
	if (!ret)
		ret = drv_reset(env->dev);
	if (!ret)
		ret = use(env, false);
	stop_ret = drv_shutdown(env->dev, NULL);
	assert_int_equal(drv_get_state(env->dev), DRV_STOPPED);
	drv_destroy(env->dev);
	env->dev = NULL;
	return ret ? ret : stop_ret;
}

static void expect_usable(struct env *env, const char *what, u64 n)
{
	int ret;

	if (env_live_dma(env))
		fail_msg("%s #%llu: memory was left behind", what, (unsigned long long)n);
	ret = scenario(env);
	if (ret)
		fail_msg("%s #%llu: the next boot fails: %s %s", what, (unsigned long long)n,
			 base_err_name(ret), env->err.text);
}

/* @recoveries: as in the configuration */
static void sweep(bool sticky, u32 recoveries)
{
	struct env env;
	u64 n, failed = 0;
	int ret;

	env_open(&env, 21, true);
	env.cfg.recoveries = recoveries;
	for (n = 1;; n++) {
		const char *what;

		os_faulty_arm(env.os, n, sticky);
		ret = scenario(&env);
		what = os_faulty_fired(env.os);
		if (!what)
			break;
		if (!is_allowed(ret))
			fail_msg("call #%llu %s: error %d", (unsigned long long)n, what, ret);
		failed += ret != 0;
		os_faulty_arm(env.os, 0, false);
		expect_usable(&env, what, n);
	}
	assert_int_equal(ret, 0);
	print_message("%llu calls failed one at a time%s, %llu runs noticed\n",
		      (unsigned long long)n - 1, sticky ? " and all after it" : "",
		      (unsigned long long)failed);
	assert_true(n > (env_reg_gen()->flat ? 50 : 200));
	assert_true(failed > n / 4);
	os_faulty_arm(env.os, 0, false);
	env_close(&env);
}

static void test_each_call(void **state)
{
	(void)state;
	sweep(false, DRV_NEVER);
}

/* The same with a driver that recovers. */
static void test_each_call_recovering(void **state)
{
	(void)state;
	sweep(false, 0);
}

/* From some call on everything fails: the device was pulled out. */
static void test_pulled_out(void **state)
{
	(void)state;
	sweep(true, DRV_NEVER);
}

static void test_each_allocation(void **state)
{
	struct env env;
	u64 n;

	(void)state;
	env_open(&env, 22, false);
	for (n = 1;; n++) {
		u64 before = base_alloc_count();
		int ret;

		base_alloc_fail_nth(n);
		ret = scenario(&env);
		base_alloc_fail_nth(0);
		if (base_alloc_count() - before < n) {
			assert_int_equal(ret, 0);
			break;
		}
		/* the engine's are the job's affair; some it can do without */
		if (ret != -ENOMEM && !(env_reg_gen()->flat &&
					(!ret || ret == ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES)))
			fail_msg("allocation #%llu: error %d %s", (unsigned long long)n, ret,
				 env.err.text);
		expect_usable(&env, "allocation", n);
	}
	print_message("%llu allocations failed one at a time\n", (unsigned long long)n - 1);
	assert_true(n > (env_reg_gen()->flat ? 15 : 50));
	env_close(&env);
}

/* The model's own faults: an error, never a hang, and the device comes back. */
static void test_each_model_fault(void **state)
{
	u32 nr = 0;

	(void)state;
	for (u32 i = 0;; i++) {
		const char *name = os_inproc_fault_name(i);
		struct env env;
		int ret;

		if (!name)
			break;
		for (u32 count = 1; count <= 3; count++) {
			env_open(&env, 23 + i, false);
			assert_int_equal(os_inproc_fault(env.npu, name, count), 0);
			ret = scenario(&env);
			if (!is_allowed(ret))
				fail_msg("fault %s: error %d", name, ret);
			nr++;
			env_close(&env);
		}
	}
	print_message("%u runs with a fault of the model\n", nr);
	assert_true(nr > 10);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation),	     cmocka_unit_test(test_each_call),
		cmocka_unit_test(test_each_call_recovering), cmocka_unit_test(test_pulled_out),
		cmocka_unit_test(test_each_model_fault),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
