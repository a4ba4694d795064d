/* SPDX-License-Identifier: MIT */
/*
 * The whole driver on the in-process virtual NPU, stepped: what the driver's integration tests
 * share.  The faulty seam lies between the two, idle unless a test arms it; and a vfio-user socket,
 * if that is asked for.
 */
#ifndef TESTS_DRV_ENV_H
#define TESTS_DRV_ENV_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "driver/dev.h"
#include "os/faulty.h"
#include "os/inproc.h"
#include "os/loopback.h"
#include "os/vfio_user.h"
#include "vnpu/vnpu.h"

/* What this run is about: arguments of the program, GENERATION [os|hw] [direct|socket]. */
static const char *env_gen = "npu37";
static u32 env_sched = DRV_SCHED_AUTO;
static bool env_socket;
static bool env_no_facts; /* this once: the two ways differ */

static inline const struct reg_gen *env_reg_gen(void)
{
	return reg_gen_by_name(env_gen);
}

static inline const struct drv_gen_info *env_gen_info(void)
{
	return drv_gen_find(env_reg_gen());
}

/* Does the firmware schedule?  The built-in image leaves it to the driver. */
static inline bool env_hws(void)
{
	return env_sched == DRV_SCHED_HW;
}

/* Nonzero: bad arguments. */
static inline int env_args(int argc, char **argv)
{
	if (argc > 1)
		env_gen = argv[1];
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "direct") || !strcmp(argv[i], "socket"))
			env_socket = !strcmp(argv[i], "socket");
		else if (!strcmp(argv[i], "os") || !strcmp(argv[i], "hw"))
			env_sched = strcmp(argv[i], "hw") ? DRV_SCHED_OS : DRV_SCHED_HW;
		else
			return -EINVAL;
	}
	return env_reg_gen() ? 0 : -EINVAL;
}

/* What this generation, or this run, cannot do, and why: the suite's table tells it. */
#define env_skip(why)                                 \
	do {                                          \
		print_message("not here: %s\n", why); \
		skip();                               \
	} while (0)

struct env {
	struct os_device *npu, *os;
	struct os_loopback *link; /* between the two; NULL: none */
	struct drv_dev *dev;
	struct drv_config cfg;
	struct base_err err;
};

/* @revision: of the PCI function, 0 = the usual one */
static inline void env_open_rev(struct env *env, u64 seed, bool scatter, u8 revision)
{
	const struct os_inproc_config cfg = { .gen = env_gen,
					      .revision = revision,
					      .stepped = true,
					      .seed = seed,
					      .engine = "plain",
					      .scatter = scatter };

	env_no_facts = false;
	*env = (struct env){ .cfg = { .ignore_env = true,
				      .sched = env_sched,
				      .idle_ms = DRV_NEVER,
				      .recoveries = DRV_NEVER } };
	assert_int_equal(os_inproc_create(&cfg, &env->npu, &env->err), 0);
	if (env_socket && os_loopback_create(env->npu, scatter, &env->link, &env->err))
		fail_msg("%s", env->err.text);
	assert_int_equal(
		os_faulty_create(env->link ? os_loopback_seam(env->link) : env->npu, &env->os), 0);
}

static inline void env_open(struct env *env, u64 seed, bool scatter)
{
	env_open_rev(env, seed, scatter, 0);
}

/* The driver's allocations of memory that the device reaches. */
static inline u64 env_live_dma(struct env *env)
{
	return env->link ? os_vfio_user_live_dma(os_loopback_seam(env->link))
			 : os_inproc_live_dma(env->npu);
}

/* What the device saw in all, for whoever compares two runs (tests/suite). */
static inline void env_tell_facts(struct env *env)
{
	struct vnpu_stats st;

	if (!getenv("DRV_TEST_FACTS") || env_no_facts)
		return;
	vnpu_get_stats(os_inproc_vnpu(env->npu), &st);
	print_message("facts: %" PRIu64 " ns, %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64
		      " interrupts, %" PRIu64 " + %" PRIu64 " messages, %" PRIu64
		      " doorbells, %" PRIu64 " jobs\n",
		      env->npu->ops->now_ns(env->npu), st.reg_reads, st.reg_writes, st.msis,
		      st.ipc_rx, st.ipc_tx, st.doorbells, st.jobs);
}

static inline void env_close(struct env *env)
{
	drv_destroy(env->dev);
	env_tell_facts(env);
	assert_int_equal(env_live_dma(env), 0);
	if (env->link && os_loopback_complaint(env->link))
		fail_msg("%s", os_loopback_complaint(env->link));
	os_faulty_destroy(env->os);
	os_loopback_destroy(env->link);
	os_inproc_destroy(env->npu);
}

static inline void env_create(struct env *env)
{
	assert_int_equal(drv_create(env->os, &env->cfg, &env->dev, &env->err), 0);
	env->dev->log.masked = UINT32_MAX; /* what goes wrong here is meant to */
}

static inline void env_boot(struct env *env)
{
	env_create(env);
	if (drv_boot(env->dev, &env->err))
		fail_msg("%s", env->err.text);
}

static inline u64 env_guest_errors(struct env *env)
{
	return os_inproc_nr_findings(env->npu, OS_INPROC_GUEST_ERROR);
}

/* No finding at all, or the first one is the message. */
static inline void env_expect_clean(struct env *env)
{
	char text[400];

	if (os_inproc_finding(env->npu, 0, text, sizeof(text)))
		fail_msg("%s", text);
}

/* One round of the loop: at most until @until_ns; false when the seam cannot wait any more. */
static inline bool env_round(struct env *env, u64 until_ns)
{
	u64 next_ns = drv_process(env->dev);
	int ret = drv_wait(env->dev, base_min(next_ns, until_ns));

	drv_process(env->dev);
	return !ret || ret == -ETIMEDOUT || ret == -EINTR;
}

/* Let virtual time pass. */
static inline void env_run(struct env *env, u64 ns)
{
	u64 until_ns = drv_now_ns(env->dev) + ns;

	while (drv_now_ns(env->dev) < until_ns && env_round(env, until_ns))
		continue;
}

/* Completions of @queue, waiting for @nr of them at most 100 s of virtual time. */
static inline u32 env_reap(struct env *env, struct drv_queue *queue, struct abi_completion *out,
			   u32 nr)
{
	u64 until_ns = drv_now_ns(env->dev) + 100 * BASE_NS_PER_S;
	u32 got = 0;

	for (;;) {
		got += drv_queue_reap(queue, out + got, nr - got);
		if (got == nr || drv_now_ns(env->dev) >= until_ns || !env_round(env, until_ns))
			return got;
	}
}

#endif
