// SPDX-License-Identifier: MIT
/*
 * Fault sweep by phase, from below: every register read comes out as all-ones once, every call of
 * the seam fails once, with or without all that follow it, the function is reset by somebody else
 * after every access, every allocation fails once.  What may come of it is in one table, by what was
 * being done when it happened.
 */
#include "phase.h"

#include "driver/mmio.h"

static struct env env;

/* When the fault struck. */
static struct moment {
	bool hit;
	enum {
		AT_STEP,
		AT_WARN_STEP,
		AT_TOLD,
		AT_WORK,
		AT_BUSY
	} at; /* busy: with jobs under way */
} moment;

/* What is only told, or passed on to the firmware as it is. */
static bool is_told(u32 bar, u32 off)
{
	const struct reg_block *block;
	char name[64];

	if (!reg_gen_find(env_reg_gen(), (u8)bar, off, &block))
		return false;
	reg_name(block, off, name, sizeof(name));
	return !strncmp(name, "IDR", 3) || !strncmp(name, "VPU_TELEMETRY", 13);
}

/* A step that waits for an answer accesses nothing itself. */
static bool in_interrupt(const struct drv_dev *dev)
{
	return drv_listens(dev) && dev->run.seq->steps[dev->run.idx].op == DRV_STEP_CALL;
}

static void watch(void *opaque, const struct os_faulty_access *a)
{
	const struct drv_dev *dev = env.dev;
	u64 ones = a->bytes == 4 ? UINT32_MAX : UINT64_MAX;

	(void)opaque;
	if (moment.hit || !a->bytes || !dev)
		return;
	if (!os_faulty_fired(env.os) && (a->is_write || a->val != ones))
		return;
	moment.hit = true;
	if (is_told(a->bar, a->off))
		moment.at = AT_TOLD;
	else if (dev->phase == DRV_PHASE_NONE || !dev->run.waiting || in_interrupt(dev))
		moment.at = dev->nr_jobs ? AT_BUSY : AT_WORK;
	else if (dev->run.seq->steps[dev->run.idx].policy != DRV_STEP_FATAL)
		moment.at = AT_WARN_STEP;
	else
		moment.at = AT_STEP;
}

static const char *const at_names[] = { "a step", "a step that warns", "a value that is told",
					"work", "work, with jobs" };

/*
 * What goes wrong, one at a time
 */

enum how {
	ALL_ONES,   /* the model: a register reads all-ones */
	CALL,	    /* the seam: a call fails */
	PULLED_OUT, /* the seam: so does every call after it */
	RESET,	    /* somebody else resets the function */
	ALLOCATION,
	NR_HOWS
};

static const char *const how_names[NR_HOWS] = { "registers that read all-ones", "calls of the seam",
						"calls from which on the device is gone",
						"accesses before a reset by somebody else",
						"allocations" };

static struct {
	u32 until; /* accesses before the reset; 0 = none */
	bool done;
} flr;

static void watch_flr(void *opaque, const struct os_faulty_access *a)
{
	watch(opaque, a);
	if (!a->bytes || !flr.until || --flr.until)
		return;
	assert_int_equal(env.npu->ops->reset(env.npu), 0);
	flr.done = true;
}

static u64 allocs_before;

static void arm(enum how how, u32 nth)
{
	moment = (struct moment){ 0 };
	flr.until = how == RESET ? nth : 0;
	flr.done = false;
	allocs_before = base_alloc_count();
	os_faulty_watch(env.os, watch_flr, NULL);
	if (how == ALL_ONES)
		assert_int_equal(os_inproc_fault_at(env.npu, "all-ones", nth), 0);
	if (how == CALL || how == PULLED_OUT)
		os_faulty_arm(env.os, nth, how == PULLED_OUT);
	if (how == ALLOCATION)
		base_alloc_fail_nth(nth);
}

/* Did it happen?  @what: to whom. */
static bool disarm(enum how how, u32 nth, char *what, size_t size)
{
	const char *fired = os_faulty_fired(env.os);
	bool all_ones = !os_inproc_fault_left(env.npu, "all-ones");

	snprintf(what, size, "%s", how == ALL_ONES ? "rd32" : fired ? fired : how_names[how]);
	base_alloc_fail_nth(0);
	os_faulty_watch(env.os, NULL, NULL);
	os_faulty_arm(env.os, 0, false);
	assert_int_equal(os_inproc_fault(env.npu, "all-ones", 0), 0);
	switch (how) {
	case ALL_ONES:
		return all_ones;
	case CALL:
	case PULLED_OUT:
		return fired != NULL;
	case RESET:
		return flr.done;
	case ALLOCATION:
		return base_alloc_count() - allocs_before >= nth;
	case NR_HOWS:
		break;
	}
	return false;
}

/*
 * What may come of it
 */

#define IN(phase) BASE_BIT(phase)
#define ANYWHERE  UINT32_MAX
#define AT(at)	  BASE_BIT(at)
#define ANY	  UINT32_MAX
#define END                    \
	{                      \
		0, NR_RUNGS, 0 \
	}
#define READS  (BASE_BIT(ALL_ONES) | CALLS)
#define CALLS  BASE_BIT(CALL)
#define GONE   BASE_BIT(PULLED_OUT)
#define FLR    BASE_BIT(RESET)
#define MEMORY BASE_BIT(ALLOCATION)

static const struct row {
	u32 hows;
	const char *call; /* begins with; NULL: each */
	u32 at, phases;
	struct outcome may[7];
} rows[] = {
	/* what is read */
	{ READS, "rd", AT(AT_TOLD), ANYWHERE, { { 0, NOTHING, 0 }, END } },
	{ READS, "rd", AT(AT_STEP), IN(BOOT) | IN(RECOVERY), { { -ENODEV, DEAD, 0 }, END } },
	{ READS, "rd", AT(AT_STEP), IN(RESUME), { { 0, COLD, 0 }, END } },
	{ READS, "rd", AT(AT_WARN_STEP), IN(SUSPEND), { { 0, NOTHING, 0 }, { 0, COLD, 0 }, END } },
	{ READS, "rd", AT(AT_WARN_STEP), ANYWHERE, { { 0, NOTHING, 0 }, END } },
	{ READS, "rd", AT(AT_WORK), IN(BOOT) | IN(ENGINE), { { -ENODEV, DEAD, 0 }, END } },
	{ READS, "rd", AT(AT_WORK), ANYWHERE, { { 0, DEAD, 0 }, { -ENODEV, DEAD, 0 }, END } },
	/* the jobs of the context that faulted end as they should, no other is taken */
	{ READS, "rd", AT(AT_BUSY), IN(ENGINE), { { -EIO, DEAD, 0 }, { -ENODEV, DEAD, 0 }, END } },
	{ READS, "rd", AT(AT_BUSY), ANYWHERE, { { -EIO, DEAD, 0 }, END } },
	/* a write that is lost is seen by what it should have brought about, if at all */
	{ CALLS,
	  "wr",
	  AT(AT_STEP),
	  IN(BOOT),
	  { { 0, NOTHING, 0 }, { -ETIMEDOUT, DEAD, 0 }, { -EIO, DEAD, 0 }, END } },
	{ CALLS, "wr", AT(AT_STEP), IN(RESUME), { { 0, NOTHING, 0 }, { 0, COLD, 0 }, END } },
	{ CALLS,
	  "wr",
	  AT(AT_STEP),
	  IN(RECOVERY),
	  { { 0, NOTHING, 0 }, { -ENODEV, DEAD, 0 }, END } },
	{ CALLS, "wr", AT(AT_WARN_STEP), ANYWHERE, { { 0, NOTHING, 0 }, { 0, COLD, 0 }, END } },
	{ CALLS,
	  "wr",
	  AT(AT_WORK),
	  IN(BOOT), /* the question */
	  { { 0, NOTHING, 0 }, { -ETIMEDOUT, DEAD, 0 }, END } },
	{ CALLS,
	  "wr",
	  AT(AT_WORK),
	  IN(RECOVERY),
	  { { 0, NOTHING, 0 }, { -ENODEV, DEAD, 0 }, END } },
	{ CALLS,
	  "wr",
	  AT(AT_WORK),
	  ANYWHERE,
	  { { 0, NOTHING, 0 }, { 0, RECOVERED, 0 }, { 0, COLD, 0 }, END } },
	{ CALLS,
	  "wr",
	  AT(AT_BUSY),
	  ANYWHERE, /* doorbells: as the fault doorbell-lost */
	  { { 0, NOTHING, 0 },
	    { 0, RECOVERED, 0 },
	    { -ETIMEDOUT, JOB, 0 },
	    { -ETIMEDOUT, RECOVERED, 0 },
	    { -EIO, RECOVERED, 0 },
	    END } },
	{ CALLS, "irq_ack", ANY, IN(SUSPEND), { { 0, COLD, 0 }, END } }, /* 5 ms, then cold */
	{ CALLS, "irq_ack", ANY, ANYWHERE, { { 0, NOTHING, 0 }, END } },
	{ CALLS, "wait", ANY, ANYWHERE, { { 0, NOTHING, 0 }, END } },
	{ CALLS | GONE,
	  "dma_alloc",
	  AT(AT_BUSY),
	  ANYWHERE,
	  { { -ENOMEM, JOB, 0 }, { -EIO, DEAD, 0 }, END } },
	{ CALLS, "dma_alloc", ANY, ANYWHERE, { { -ENOMEM, JOB, 0 }, END } },
	/* configuration space, the interrupt's vector: before power-up and after power-down */
	{ CALLS | GONE, "cfg", ANY, IN(BOOT), { { -EIO, DEAD, 0 }, END } },
	{ CALLS | GONE, "irq_setup", ANY, IN(BOOT), { { -EIO, DEAD, 0 }, END } },
	{ CALLS | GONE, "cfg", ANY, IN(RESUME), { { -ENODEV, DEAD, 0 }, END } },
	{ CALLS | GONE,
	  "irq_setup",
	  ANY,
	  IN(RESUME) | IN(RECOVERY),
	  { { -ENODEV, DEAD, 0 }, END } },
	{ CALLS | GONE,
	  "cfg",
	  ANY,
	  IN(RECOVERY),
	  { { -ENODEV, DEAD, 0 }, { 0, NOTHING, 0 }, END } },
	{ CALLS | GONE, "cfg", ANY, IN(SUSPEND), { { 0, NOTHING, 0 }, END } },
	/* gone for good; NOTHING: nobody looked any more */
	{ GONE,
	  NULL,
	  AT(AT_BUSY),
	  IN(SUBMIT) | IN(RESUME) | IN(RECOVERY),
	  { { -EIO, DEAD, 0 }, END } },
	{ GONE, NULL, ANY, IN(BOOT), { { -ENODEV, DEAD, 0 }, { 0, NOTHING, 0 }, END } },
	{ GONE,
	  NULL,
	  ANY,
	  IN(SUBMIT),
	  { { 0, DEAD, 0 },
	    { -EIO, DEAD, 0 },
	    { -ENODEV, DEAD, 0 },
	    { -ENOMEM, DEAD, 0 },
	    { -ENOMEM, JOB, 0 },
	    { 0, NOTHING, 0 },
	    END } },
	{ GONE,
	  NULL,
	  ANY,
	  IN(SUSPEND), /* power is cut all the same; LNL then fails one boot */
	  { { 0, NOTHING, 0 }, { 0, COLD, 0 }, { 0, COLD, -ENODEV }, { 0, DEAD, 0 }, END } },
	{ GONE, NULL, ANY, IN(RESUME), { { -EIO, DEAD, 0 }, { 0, NOTHING, 0 }, END } },
	{ GONE,
	  NULL,
	  ANY,
	  IN(RECOVERY),
	  { { -ENODEV, DEAD, 0 }, { -EIO, DEAD, 0 }, { 0, DEAD, 0 }, { 0, NOTHING, 0 }, END } },
	{ GONE,
	  NULL,
	  ANY,
	  IN(ENGINE),
	  { { -EIO, DEAD, 0 },
	    { -ENODEV, DEAD, 0 },
	    { -ENOMEM, DEAD, 0 },
	    { -ENOMEM, JOB, 0 },
	    { 0, NOTHING, 0 },
	    END } },
	/* without memory decoding every read is all-ones; a rest that reads nothing does not see it */
	{ FLR,
	  NULL,
	  AT(AT_BUSY),
	  IN(SUBMIT) | IN(RESUME) | IN(RECOVERY),
	  { { -EIO, DEAD, 0 }, END } },
	{ FLR,
	  NULL,
	  ANY,
	  IN(BOOT) | IN(ENGINE),
	  { { -ENODEV, DEAD, 0 },
	    { -EIO, DEAD, 0 },
	    { 0, NOTHING, -ENODEV },
	    { 0, NOTHING, -EIO },
	    END } },
	{ FLR,
	  NULL,
	  ANY,
	  IN(SUBMIT),
	  { { 0, DEAD, 0 },
	    { -ENODEV, DEAD, 0 },
	    { 0, NOTHING, -ENODEV },
	    { 0, NOTHING, -EIO },
	    END } },
	{ FLR, NULL, ANY, IN(SUSPEND), { { 0, NOTHING, 0 }, { 0, COLD, 0 }, { 0, DEAD, 0 }, END } },
	{ FLR, NULL, ANY, IN(RESUME), { { 0, COLD, 0 }, { 0, NOTHING, -ENODEV }, END } },
	{ FLR,
	  NULL,
	  ANY,
	  IN(RECOVERY),
	  { { -ENODEV, DEAD, 0 },
	    { 0, DEAD, 0 },
	    { 0, NOTHING, 0 },
	    { 0, NOTHING, -EIO },
	    { 0, NOTHING, -ENODEV },
	    END } },
	/* memory; the reference NPU's engine answers with a status of its own */
	{ MEMORY,
	  NULL,
	  ANY,
	  IN(SUBMIT) | IN(ENGINE) | IN(RECOVERY),
	  { { -ENOMEM, JOB, 0 }, { ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES, JOB, 0 }, END } },
};

static bool may(enum how how, enum phase phase, const char *what, const struct outcome *out)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		if (!(r->hows & BASE_BIT(how)) || !(r->phases & IN(phase)) ||
		    (r->call && strncmp(what, r->call, strlen(r->call)) != 0) ||
		    (r->at != ANY && (!moment.hit || !(r->at & AT(moment.at)))))
			continue;
		for (u32 k = 0; r->may[k].rung != NR_RUNGS; k++)
			if (out->err == r->may[k].err && out->rung == r->may[k].rung &&
			    out->next == r->may[k].next)
				return true;
		return false;
	}
	return false;
}

/* False: there is no @nth, and nothing went wrong. */
static bool strike(enum how how, enum phase phase, u32 nth)
{
	struct load l = { 0 };
	struct outcome out;
	char what[64];
	bool hit;

	phase_prepare(&env, phase, &l);
	arm(how, nth);
	out = phase_outcome(&env, phase, &l);
	hit = disarm(how, nth, what, sizeof(what));
	out.next = phase_use(&env, what);
	if (hit ? !may(how, phase, what, &out) : out.err || out.rung || out.next)
		fail_msg("%s, %u (%s, at %s) in %s: error %d, %s, next job %d (%s)", how_names[how],
			 nth, what, moment.hit ? at_names[moment.at] : "a call", phase_names[phase],
			 out.err, rung_names[out.rung], out.next, drv_last_error(env.dev)->text);
	phase_finish(&env, phase, &l, what);
	return hit;
}

static void sweep(enum how how)
{
	u32 nr[NR_PHASES] = { 0 };

	for (enum phase p = 0; p < NR_PHASES; p++) {
		if (!phase_exists(p))
			continue;
		env_open(&env, 61 + p, false);
		env.cfg.recoveries = 0; /* the default */
		while (strike(how, p, nr[p] + 1))
			nr[p]++;
		env_close(&env);
	}
	/* submit and open are where memory is needed, nothing else is */
	if (how == ALLOCATION && !env_reg_gen()->flat)
		assert_int_equal(nr[BOOT] + nr[SUSPEND] + nr[RESUME] + nr[RECOVERY], 0);
	phase_print(how_names[how], nr);
}

static void test_all_ones(void **state)
{
	(void)state;
	sweep(ALL_ONES);
}

static void test_calls(void **state)
{
	(void)state;
	sweep(CALL);
}

static void test_pulled_out(void **state)
{
	(void)state;
	sweep(PULLED_OUT);
}

static void test_reset_by_somebody_else(void **state)
{
	(void)state;
	sweep(RESET);
}

static void test_allocations(void **state)
{
	(void)state;
	sweep(ALLOCATION);
}

/* Before the first phase: the device's creation. */
static u32 sweep_create(enum how how)
{
	char what[64];
	u32 nth = 0;
	u64 live;
	int ret;

	env_create(&env); /* the seam keeps what it needed once */
	drv_destroy(env.dev);
	live = base_alloc_live();
	do {
		nth++;
		arm(how, nth);
		ret = drv_create(env.os, &env.cfg, &env.dev, &env.err);
		if (ret) {
			env.dev = NULL;
			assert_true(ret == -EIO || ret == -ENOMEM || ret == -ENODEV);
			assert_true(env.err.text[0] != '\0');
		}
		drv_destroy(env.dev);
		env.dev = NULL;
		assert_int_equal(env_live_dma(&env), 0);
		assert_int_equal(base_alloc_live(), live);
	} while (disarm(how, nth, what, sizeof(what)));
	assert_int_equal(ret, 0);
	return nth - 1;
}

static void test_create(void **state)
{
	u32 calls, allocs;

	(void)state;
	env_open(&env, 60, false);
	calls = sweep_create(CALL);
	allocs = sweep_create(ALLOCATION);
	env_close(&env);
	print_message("before boot: %u calls of the seam, %u allocations\n", calls, allocs);
	assert_true(calls > 10 && allocs > 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),	    cmocka_unit_test(test_all_ones),
		cmocka_unit_test(test_calls),	    cmocka_unit_test(test_pulled_out),
		cmocka_unit_test(test_allocations), cmocka_unit_test(test_reset_by_somebody_else),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
