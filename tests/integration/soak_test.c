// SPDX-License-Identifier: MIT
/*
 * Soak: clients come and go, work and fail at random, from a seed, in virtual time.
 *
 * Episodes.  In the first part of one nothing is wrong: clients open, submit, wait for fences,
 * close with jobs under way; the device is idle, suspended, resumed; each job must end with 0 and
 * have done what it says.  Then one thing goes wrong, at whatever moment it is, and the same goes
 * on for a while; what the jobs of that part may end with depends on what went wrong and whose
 * they are.  At the episode's end all jobs have ended and the device works again.
 *
 * Every few dozen episodes all clients close, and nothing may be left of them: not a buffer, not an
 * allocation.
 *
 * usage: GENERATION os|hw [JOBS [RESETS [SEED]]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "work.h"

#define NR_CLIENTS   6u
#define NR_QUEUES    3u
#define NR_SLOTS     48u /* jobs of a queue at once */
#define SLOT_SIZE    1024u
#define DATA_SIZE    48u
#define QUEUE_SIZE   (NR_SLOTS * SLOT_SIZE)
#define UNMAPPED     0x90000000u /* in every context of a user */
#define IDLE_MS	     20u
#define DRAIN_NS     (600 * BASE_NS_PER_S)
#define NR_QUIET_OPS 60u
#define CLOSE_EVERY  64u /* episodes */

/* Where in a job's slot what is; the command list is at its start. */
enum { OFF_DESC = 256, OFF_SRC = 384, OFF_DST = 448, OFF_FENCE = 512, OFF_DONE = 576 };

enum kind { NOP, SIGNAL, COPY, WAIT, TRESPASS };

struct slot {
	bool used;
	bool disturbed; /* something went wrong while it was under way */
	enum kind kind;
	u64 cookie;
};

struct client_queue {
	struct drv_queue *queue;
	u32 nr_used;
	struct slot slot[NR_SLOTS];
};

struct client {
	struct drv_ctx *ctx; /* NULL: not there */
	struct drv_bo *bo;
	bool trespassed;
	u32 nr_queues;
	struct client_queue q[NR_QUEUES];
};

/* Which statuses a job may end with, beside 0. */
enum allowed {
	LOSES_NOTHING,
	LOSES_CONTEXT, /* jobs of contexts the driver gave up */
	LOSES_ALL,     /* any job under way, as the firmware is booted anew */
};

struct trouble {
	const char *fault; /* of the model; NULL: done by the test itself */
	void (*make)(void);
	enum allowed os, hw; /* by who schedules */
};

static struct {
	u64 seed, rng, steps;
	u64 jobs, lost, episodes, opened, closed_busy, suspends_asked;
	u64 jobs_wanted, resets_wanted;
	const struct trouble *trouble; /* under way */
	u64 next_cookie;
	struct client client[NR_CLIENTS];
} soak;

static const char *trouble_name(void)
{
	if (!soak.trouble)
		return "none";
	return soak.trouble->fault ? soak.trouble->fault : "the test's own";
}

/* splitmix64 */
static u64 random_u64(void)
{
	u64 z = soak.rng += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static u32 random_below(u32 n)
{
	return (u32)(random_u64() % n);
}

static u64 resets(void)
{
	struct drv_info info;

	drv_get_info(env.dev, &info);
	return info.recoveries + info.engine_resets;
}

/*
 * Jobs
 */

static u8 *slot_cpu(const struct client *c, u32 q, u32 s)
{
	return (u8 *)drv_bo_cpu(c->bo) + q * QUEUE_SIZE + s * SLOT_SIZE;
}

static u64 slot_addr(const struct client *c, u32 q, u32 s)
{
	return drv_bo_addr(c->bo) + q * QUEUE_SIZE + s * SLOT_SIZE;
}

static enum kind random_kind(void)
{
	static const enum kind kinds[] = { NOP, NOP, SIGNAL, SIGNAL, SIGNAL, COPY, COPY, WAIT };

	return kinds[random_below(BASE_ARRAY_SIZE(kinds))];
}

/* Each job but a NOP ends with its cookie in memory. */
static struct abi_job write_job(struct client *c, u32 q, u32 s, enum kind kind, u64 cookie)
{
	struct cmdlist list = { .cpu = slot_cpu(c, q, s),
				.addr = slot_addr(c, q, s),
				.size = sizeof(struct abi_cmdbuf_header) };

	memset(list.cpu, 0, SLOT_SIZE);
	cmdlist_sync(&list);
	if (kind == NOP)
		cmdlist_nop(&list);
	if (kind == TRESPASS)
		cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, UNMAPPED, 1);
	if (kind == WAIT)
		cmdlist_fence(&list, ABI_CMD_FENCE_WAIT, list.addr + OFF_FENCE, 1);
	if (kind == COPY) {
		memset(list.cpu + OFF_SRC, (int)(cookie & 0xff) | 1, DATA_SIZE);
		list_copy(&list, OFF_DESC, list.addr + OFF_DST, list.addr + OFF_SRC, DATA_SIZE);
	}
	if (kind != NOP)
		cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, list.addr + OFF_DONE, cookie);
	return job_of(&list, cookie);
}

/* A job that says that it is done has done it. */
static void check_work(const struct client *c, u32 q, u32 s)
{
	const struct slot *slot = &c->q[q].slot[s];
	const u8 *cpu = slot_cpu(c, q, s);
	u64 done;

	assert_int_not_equal(slot->kind, TRESPASS);
	memcpy(&done, cpu + OFF_DONE, sizeof(done));
	assert_int_equal(done, slot->kind == NOP ? 0 : slot->cookie);
	if (slot->kind == COPY)
		assert_memory_equal(cpu + OFF_DST, cpu + OFF_SRC, DATA_SIZE);
}

static bool is_loss(s32 status)
{
	return status == -ECANCELED || status == -ETIMEDOUT || status == -EIO || status == -EPROTO;
}

static bool is_job_error(s32 status)
{
	return status == ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW ||
	       status == ABI_JSM_STATUS_PROCESSING_ERR;
}

/* May the job end with @status, which is not 0? */
static bool may_fail(const struct client *c, const struct slot *slot, s32 status)
{
	enum allowed allowed;

	if (!slot->disturbed || !soak.trouble)
		return false;
	allowed = env_hws() ? soak.trouble->hw : soak.trouble->os;
	if (allowed == LOSES_NOTHING)
		return false;
	if (allowed == LOSES_CONTEXT && !c->ctx->faulty)
		return false;
	return is_loss(status) || is_job_error(status);
}

static void judge(const struct client *c, u32 q, const struct abi_completion *done)
{
	u32 s = (u32)(done->cookie % NR_SLOTS);
	const struct slot *slot = &c->q[q].slot[s];

	if (!slot->used || slot->cookie != done->cookie)
		fail_msg("a completion of a job that is not under way: cookie %" PRIu64,
			 done->cookie);
	if (!done->status)
		check_work(c, q, s);
	else if (!may_fail(c, slot, done->status))
		fail_msg("a job of SSID %u, kind %u, ended with %d; trouble: %s, its part: %d",
			 drv_ctx_ssid(c->ctx), slot->kind, done->status, trouble_name(),
			 slot->disturbed);
	soak.jobs++;
	soak.lost += done->status != 0;
}

static void reap_queue(struct client *c, u32 q)
{
	struct client_queue *cq = &c->q[q];
	struct abi_completion done[8];
	u32 nr;

	while ((nr = drv_queue_reap(cq->queue, done, BASE_ARRAY_SIZE(done)))) {
		for (u32 i = 0; i < nr; i++) {
			judge(c, q, &done[i]);
			cq->slot[done[i].cookie % NR_SLOTS].used = false;
			cq->nr_used--;
		}
	}
}

/* fn(client, queue) for each there is. */
static void for_each_queue(void (*fn)(struct client *c, u32 q))
{
	for (u32 i = 0; i < NR_CLIENTS; i++)
		for (u32 q = 0; soak.client[i].ctx && q < soak.client[i].nr_queues; q++)
			fn(&soak.client[i], q);
}

static void disturb_queue(struct client *c, u32 q)
{
	for (u32 s = 0; s < NR_SLOTS; s++)
		c->q[q].slot[s].disturbed = c->q[q].slot[s].used;
}

/* Jobs that wait for a fence go on. */
static void signal_queue(struct client *c, u32 q)
{
	for (u32 s = 0; s < NR_SLOTS; s++)
		if (c->q[q].slot[s].used && c->q[q].slot[s].kind == WAIT)
			slot_cpu(c, q, s)[OFF_FENCE] = 2;
}

static void submit(struct client *c, u32 q, enum kind kind)
{
	struct client_queue *cq = &c->q[q];
	u64 cookie = soak.next_cookie;
	struct abi_job job;
	int ret;

	for (u32 i = 0; i < NR_SLOTS && cq->slot[cookie % NR_SLOTS].used; i++)
		cookie++;
	if (cq->slot[cookie % NR_SLOTS].used)
		return;
	soak.next_cookie = cookie + 1;
	job = write_job(c, q, (u32)(cookie % NR_SLOTS), kind, cookie);
	if (!random_below(16))
		job.flags = ABI_JOB_SYNC;
	ret = drv_queue_submit(cq->queue, &job, 1);
	if (ret == 1) {
		cq->slot[cookie % NR_SLOTS] = (struct slot){
			.used = true,
			.disturbed = soak.trouble != NULL,
			.kind = kind,
			.cookie = cookie,
		};
		cq->nr_used++;
	} else if (ret != -EAGAIN && !(soak.trouble && (ret == -ECANCELED || ret == -ENODEV))) {
		fail_msg("a job was refused with %d", ret);
	}
}

/*
 * Clients
 */

static void open_client(struct client *c)
{
	*c = (struct client){ .nr_queues = 1 + random_below(NR_QUEUES) };
	if (drv_ctx_create(env.dev, &c->ctx)) {
		assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
		c->ctx = NULL;
		return;
	}
	assert_int_equal(drv_bo_create(c->ctx, NR_QUEUES * QUEUE_SIZE, 0, DRV_BO_WB, &c->bo), 0);
	for (u32 q = 0; q < c->nr_queues; q++)
		assert_int_equal(drv_queue_create(c->ctx, random_below(3), &c->q[q].queue), 0);
	soak.opened++;
}

static bool is_busy(const struct client *c)
{
	for (u32 q = 0; q < c->nr_queues; q++)
		if (c->q[q].nr_used)
			return true;
	return false;
}

/* With whatever is under way; nobody is left to signal what it waits for. */
static void close_client(struct client *c)
{
	for (u32 q = 0; q < c->nr_queues; q++)
		signal_queue(c, q);
	soak.closed_busy += is_busy(c);
	for (u32 q = 0; q < c->nr_queues; q++)
		drv_queue_destroy(c->q[q].queue);
	drv_ctx_destroy(c->ctx);
	c->ctx = NULL;
}

static struct client *random_client(void)
{
	struct client *c = &soak.client[random_below(NR_CLIENTS)];

	if (!c->ctx)
		open_client(c);
	return c->ctx ? c : NULL;
}

/*
 * What may happen at any time
 */

static void op_submit(void)
{
	struct client *c = random_client();
	u32 nr = 1 + random_below(6);

	for (u32 i = 0; c && i < nr; i++)
		submit(c, random_below(c->nr_queues), random_kind());
}

static void op_time(void)
{
	env_run(&env, 1 + random_u64() % (300 * BASE_NS_PER_US));
}

static void op_reap(void)
{
	for_each_queue(reap_queue);
}

static void op_signal(void)
{
	for_each_queue(signal_queue);
	env_run(&env, random_u64() % (BASE_NS_PER_MS));
}

static void op_close(void)
{
	struct client *c = &soak.client[random_below(NR_CLIENTS)];

	if (c->ctx)
		close_client(c);
}

static void op_idle(void)
{
	for_each_queue(signal_queue);
	env_run(&env, 2 * IDLE_MS * BASE_NS_PER_MS + random_u64() % BASE_NS_PER_MS);
}

static void op_suspend(void)
{
	int ret = drv_suspend(env.dev);

	soak.suspends_asked += !ret;
	assert_true(!ret || ret == -EBUSY || ret == -ENODEV);
	env_run(&env, random_u64() % (5 * BASE_NS_PER_MS));
}

static void op_resume(void)
{
	int ret = drv_resume(env.dev);

	assert_true(!ret || ret == -ENODEV);
}

/* As often as they are named here. */
static void random_op(void)
{
	static void (*const ops[])(void) = {
		op_submit, op_submit, op_submit, op_submit, op_submit, op_submit,  op_submit,
		op_submit, op_time,   op_time,	 op_time,   op_reap,   op_reap,	   op_signal,
		op_signal, op_close,  op_idle,	 op_resume, op_resume, op_suspend,
	};

	soak.steps++;
	ops[random_below(BASE_ARRAY_SIZE(ops))]();
}

/*
 * What goes wrong
 */

static void make_reset(void)
{
	int ret = drv_reset(env.dev);

	assert_true(!ret || ret == -EBUSY);
}

static void make_trespass(void)
{
	struct client *c = random_client();

	if (!c)
		return;
	c->trespassed = true;
	submit(c, random_below(c->nr_queues), TRESPASS);
}

static const struct trouble troubles[] = {
	{ NULL, make_reset, LOSES_ALL, LOSES_ALL },
	{ NULL, make_trespass, LOSES_CONTEXT, LOSES_CONTEXT },
	{ "stuck-engine", NULL, LOSES_ALL, LOSES_CONTEXT },
	{ "mmu-fault", NULL, LOSES_CONTEXT, LOSES_CONTEXT },
	{ "job-error", NULL, LOSES_CONTEXT, LOSES_CONTEXT },
	{ "irq-lost", NULL, LOSES_NOTHING, LOSES_NOTHING },
	{ "irq-storm", NULL, LOSES_NOTHING, LOSES_NOTHING },
	{ "duplicate-answer", NULL, LOSES_NOTHING, LOSES_NOTHING },
	{ "unsolicited-answer", NULL, LOSES_NOTHING, LOSES_NOTHING },
	{ "job-lost", NULL, LOSES_ALL, LOSES_ALL },
	{ "doorbell-lost", NULL, LOSES_ALL, LOSES_ALL },
	{ "fw-dead", NULL, LOSES_ALL, LOSES_ALL },
	{ "watchdog", NULL, LOSES_ALL, LOSES_ALL },
	{ "ats-error", NULL, LOSES_ALL, LOSES_ALL },
	{ "global-fault", NULL, LOSES_ALL, LOSES_ALL },
	{ "corrupt-header", NULL, LOSES_ALL, LOSES_ALL },
	{ "wild-fifo", NULL, LOSES_ALL, LOSES_ALL },
	{ "wrong-job-id", NULL, LOSES_ALL, LOSES_ALL },
	{ "lost-answer", NULL, LOSES_ALL, LOSES_ALL },
	{ "wrong-answer", NULL, LOSES_ALL, LOSES_ALL },
	{ "error-answer", NULL, LOSES_ALL, LOSES_ALL },
	{ "slow-firmware", NULL, LOSES_ALL, LOSES_ALL },
	{ "fw-never-ready", make_reset, LOSES_ALL, LOSES_ALL },
	{ "pll-never-locks", make_reset, LOSES_ALL, LOSES_ALL },
	{ "mmu-cmdq-stuck", NULL, LOSES_ALL, LOSES_ALL },
	{ "all-ones", NULL, LOSES_ALL, LOSES_ALL },
};

static void begin_trouble(void)
{
	soak.trouble = &troubles[random_below(BASE_ARRAY_SIZE(troubles))];
	for_each_queue(disturb_queue);
	if (soak.trouble->fault)
		assert_int_equal(os_inproc_fault(env.npu, soak.trouble->fault, 1), 0);
	if (soak.trouble->make)
		soak.trouble->make();
}

static u32 nr_used;

static void count_used(struct client *c, u32 q)
{
	nr_used += c->q[q].nr_used;
}

/* Until every job has ended, whatever it takes. */
static void drain(void)
{
	u64 until_ns = drv_now_ns(env.dev) + DRAIN_NS;

	for (;;) {
		for_each_queue(signal_queue);
		op_resume();
		for_each_queue(reap_queue);
		nr_used = 0;
		for_each_queue(count_used);
		if (!nr_used)
			return;
		if (drv_now_ns(env.dev) >= until_ns)
			fail_msg("%u jobs do not end, the device is %s", nr_used,
				 drv_state_name(drv_get_state(env.dev)));
		env_run(&env, 5 * BASE_NS_PER_MS);
	}
}

/* Only whose job trespassed is given up. */
static void close_faulty(void)
{
	for (u32 i = 0; i < NR_CLIENTS; i++) {
		struct client *c = &soak.client[i];

		if (!c->ctx || !c->ctx->faulty)
			continue;
		if (soak.trouble->make == make_trespass)
			assert_true(c->trespassed);
		close_client(c);
	}
}

static bool is_any_dying(void)
{
	const struct drv_list *head = &env.dev->ctx_list;

	for (const struct drv_list *c = head->next; c != head; c = c->next)
		if (base_container_of(c, struct drv_ctx, link)->dying)
			return true;
	return false;
}

/* Questions that are not answered, boots that fail; contexts go with their last job, which may have
 * to be noticed missing. */
static void settle(void)
{
	u64 until_ns = drv_now_ns(env.dev) + DRAIN_NS;

	do {
		env_run(&env, 5 * BASE_NS_PER_S);
		drain();
	} while (is_any_dying() && drv_now_ns(env.dev) < until_ns);
	if (is_any_dying())
		fail_msg("a context that was closed does not go");
}

/* Nothing is wrong any more, and what it cost is gone. */
static void end_trouble(void)
{
	if (soak.trouble->fault)
		assert_int_equal(os_inproc_fault(env.npu, soak.trouble->fault, 0), 0);
	settle();
	close_faulty();
	if (drv_get_state(env.dev) == DRV_FAILED)
		assert_int_equal(drv_reset(env.dev), 0);
	settle();
	if (!drv_takes_jobs(env.dev))
		fail_msg("the device is %s after %s: %s", drv_state_name(drv_get_state(env.dev)),
			 trouble_name(), drv_last_error(env.dev)->text);
	soak.trouble = NULL;
}

static void episode(void)
{
	for (u32 i = random_below(NR_QUIET_OPS); i; i--)
		random_op();
	op_reap(); /* without an excuse */
	begin_trouble();
	for (u32 i = random_below(10); i; i--)
		random_op();
	drain();
	end_trouble();
	soak.episodes++;
}

/*
 * Nothing is left
 */

static u64 rss_bytes(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f) {
		if (fscanf(f, "%llu %llu", &size, &resident) != 2)
			resident = 0;
		fclose(f);
	}
	return resident * (u64)sysconf(_SC_PAGESIZE);
}

/* All clients close; what is left is what there was before the first. */
static void check_memory(u64 live_dma, u64 live_heap)
{
	for (u32 i = 0; i < NR_CLIENTS; i++)
		if (soak.client[i].ctx)
			close_client(&soak.client[i]);
	settle();
	assert_true(drv_list_empty(&env.dev->ctx_list));
	assert_int_equal(env.dev->dbs.used, 0);
	assert_int_equal(env.dev->nr_jobs, 0);
	assert_int_equal(os_inproc_live_dma(env.npu), live_dma);
	assert_int_equal(base_alloc_live(), live_heap);
}

static void test_soak(void **state)
{
	u64 live_dma, live_heap, start_ns = base_clock_ns(), rss = 0;
	struct drv_info info;

	(void)state;
	env_open(&env, soak.seed, true);
	env.cfg.idle_ms = IDLE_MS;
	env.cfg.recoveries = DRV_RECOVERIES_MAX;
	env.cfg.recovery_window_s = 1; /* an episode takes longer */
	env_boot(&env);
	live_dma = os_inproc_live_dma(env.npu);
	live_heap = base_alloc_live();
	while (soak.jobs < soak.jobs_wanted || resets() < soak.resets_wanted) {
		episode();
		if (soak.episodes % CLOSE_EVERY)
			continue;
		check_memory(live_dma, live_heap);
		if (!rss)
			rss = rss_bytes();
	}
	check_memory(live_dma, live_heap);
	drv_get_info(env.dev, &info);
	print_message(
		"%s %s, seed %" PRIu64 ": %" PRIu64 " jobs, %" PRIu64 " of them lost, %" PRIu64
		" recoveries, %" PRIu64 " engine resets, %" PRIu64 " episodes\n"
		"%" PRIu64 " contexts, %" PRIu64 " closed with jobs under way, %" PRIu64
		" suspends (%" PRIu64 " asked for), %" PRIu64 " warm and %" PRIu64 " cold boots\n"
		"%.0f s of virtual time in %.1f s; resident %+.1f MiB since the first %u episodes\n",
		env_gen, env_hws() ? "hw" : "os", soak.seed, soak.jobs, soak.lost, info.recoveries,
		info.engine_resets, soak.episodes, soak.opened, soak.closed_busy, info.suspends,
		soak.suspends_asked, info.warm_boots, info.cold_boots,
		(double)drv_now_ns(env.dev) / 1e9, (double)(base_clock_ns() - start_ns) / 1e9,
		rss ? ((double)rss_bytes() - (double)rss) / 1048576 : 0.0, CLOSE_EVERY);
	env_close(&env);
}

static u64 number(int argc, char **argv, int i, u64 otherwise)
{
	return argc > i ? strtoull(argv[i], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_soak) };
	int ret;

	if (argc < 3 || argc > 6 || env_args(3, argv) || env_reg_gen()->flat) {
		fprintf(stderr, "usage: soak GENERATION os|hw [JOBS [RESETS [SEED]]]\n");
		return 2;
	}
	soak.jobs_wanted = number(argc, argv, 3, 20000);
	soak.resets_wanted = number(argc, argv, 4, 200);
	soak.rng = soak.seed = number(argc, argv, 5, 1);
	ret = cmocka_run_group_tests_name("soak", tests, NULL, NULL);
	if (ret)
		fprintf(stderr,
			"to see it again: driver_soak %s %s %" PRIu64 " %" PRIu64 " %" PRIu64
			"   (failed in episode %" PRIu64 ", step %" PRIu64 ")\n",
			argv[1], argv[2], soak.jobs_wanted, soak.resets_wanted, soak.seed,
			soak.episodes, soak.steps);
	return ret;
}
