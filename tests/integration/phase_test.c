// SPDX-License-Identifier: MIT
/*
 * Fault sweep by phase: in boot, submit, suspend, resume, recovery and engine reset each fault of
 * the model strikes at each of its occasions, each call of the seam and each allocation fails once.
 * Every point has one outcome, told by the tables here: error, rung of the ladder, what the next job
 * finds; and how many occasions there are.  docs/failures.md is the same for people.
 *
 * What happens in a phase is a string of events, one letter each:
 *
 *   w p i n  workpoint, PLL, power island, NoC       g  power acknowledge (ref)
 *   a A c    MMU: CR0 off, CR0 on, command queue     R r  ready message; ready status (ref)
 *   C        question of the boot (priority bands)   U S  STATE_DUMP, PWR_D0I3_ENTER
 *   O        question that opens a queue             x X  the first that closes it, the others
 *   J j      a job, the last job of its queue        D  its JOB_DONE
 *   B b      a job that faults, its JOB_DONE         E F  engine reset, engine resume
 *   m        batch of MMU commands while it runs     z W  IP reset, workpoint off
 */
#include "phase.h"

#include "driver/mmio.h"

static struct env env;

/*
 * The faults of the model
 */

#define START	"wpinAc" /* steps whose failure ends a boot */
#define ASKED	"UCOxXSEF"
#define JOBS	"JjB"
#define REPLIED "CODbxXSEF"

static const struct fault {
	const char *name;
	const char *strikes; /* events */
	int own;	     /* error of a boot or job that it ends */
} faults[] = {
	{ "pll-never-locks", "p", -ETIMEDOUT },
	{ "wp-stuck", "wW", -ETIMEDOUT },
	{ "ip-reset-stuck", "z", 0 },
	{ "island-stuck", "i", -ETIMEDOUT },
	{ "noc-denied", "n", -EIO },
	{ "mmu-cr0-stuck", "aA", -ETIMEDOUT },
	{ "mmu-cmdq-stuck", "cm", -ETIMEDOUT },
	{ "fw-never-ready", "Rr", -ETIMEDOUT },
	{ "dead-after-boot", "Rr", -ETIMEDOUT },
	{ "fw-dead", "UCOJjBxXSEF", -ETIMEDOUT },
	{ "slow-firmware", ASKED "r", -ETIMEDOUT },
	{ "lost-answer", ASKED, -ETIMEDOUT },
	{ "wrong-answer", ASKED, -EPROTO },
	{ "error-answer", ASKED, -EIO },
	{ "duplicate-answer", REPLIED "U", 0 },
	{ "unsolicited-answer", REPLIED "U", 0 },
	{ "corrupt-header", REPLIED "UR", -ETIMEDOUT },
	{ "wild-fifo", REPLIED "UR", -ETIMEDOUT },
	{ "wrong-channel", REPLIED "U", -ETIMEDOUT },
	{ "dead-context", "Db", 0 },
	{ "irq-lost", REPLIED "r", 0 },
	{ "irq-storm", REPLIED "r", 0 },
	{ "mmu-fault", JOBS, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW },
	{ "mmu-kinds", JOBS, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW },
	{ "mmu-gerror", JOBS, 0 },
	{ "global-fault", JOBS, 0 },
	{ "job-error", JOBS, ABI_JSM_STATUS_PROCESSING_ERR },
	{ "job-lost", "Db", -ETIMEDOUT },
	{ "wild-head", JOBS, 0 },
	{ "wrong-job-id", "Db", -ETIMEDOUT },
	{ "doorbell-lost", JOBS, -ETIMEDOUT },
	{ "stuck-engine", JOBS, -ETIMEDOUT },
	{ "watchdog", JOBS, 0 },
	{ "ats-error", JOBS, -EIO },
	{ "dct-on", JOBS, 0 },
	{ "dct-off", JOBS, 0 },
	{ "no-power-ack", "g", -ETIMEDOUT },
	{ "boot-error", "r", 0 },
	{ "boot-fatal", "r", 0 },
	{ "unknown-status", "r", -ETIMEDOUT },
	{ "wrong-tail", JOBS, -EIO },
	{ "all-ones", NULL, -ENODEV }, /* each read: below */
};

/* Faults that cannot occur on this generation. */
static bool fault_exists(const char *name)
{
	static const char *const flat[] = { "fw-never-ready", "dead-after-boot", "fw-dead",
					    "slow-firmware",  "irq-lost",	 "irq-storm",
					    "mmu-fault",      "job-error",	 "job-lost",
					    "doorbell-lost",  "stuck-engine" };
	static const char *const only_flat[] = { "no-power-ack", "boot-error", "boot-fatal",
						 "unknown-status", "wrong-tail" };

	for (size_t i = 0; i < BASE_ARRAY_SIZE(only_flat); i++)
		if (!strcmp(name, only_flat[i]))
			return env_reg_gen()->flat;
	if (!strncmp(name, "dct-", 4))
		return env_reg_gen()->btrs_kind == REG_BTRS_LNL;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(flat); i++)
		if (!strcmp(name, flat[i]))
			return true;
	return !env_reg_gen()->flat;
}

/* What happens in a phase; order counts among the events one fault strikes only. */
static const char *events(enum phase phase)
{
	static const char *const flat[NR_PHASES] = {
		[BOOT] = "gr", [SUBMIT] = "JDjD", [RECOVERY] = "grjD"
	};
	static char text[80];
	const bool hw = env_hws(), mtl = env_reg_gen()->btrs_kind == REG_BTRS_MTL;
	/* the older buttress asks for a workpoint off before it goes on */
	const char *start = mtl ? "wwpinaAAAAccR" : "wpinaAAAAccR";
	const char *boot = hw ? "C" : "", *open = hw ? "OOO" : "O";

	if (env_reg_gen()->flat)
		return flat[phase] ? flat[phase] : "";
	switch (phase) {
	case BOOT:
		snprintf(text, sizeof(text), "%s%s", start, boot);
		break;
	case SUBMIT:
		snprintf(text, sizeof(text), "%sJDjDxX%s", open, hw ? "mmmmmmmmmmm" : "mmmmmmm");
		break;
	case SUSPEND:
		return "SzW";
	case RESUME: /* warm: nothing is asked, nothing is opened */
		snprintf(text, sizeof(text), "%sjD", start);
		break;
	case RECOVERY:
		snprintf(text, sizeof(text), "UzW%s%s%sjD", start, boot, open);
		break;
	case ENGINE:
		snprintf(text, sizeof(text), "%sBbExXFjDmmmmmmmmmmmm", open);
		break;
	case NR_PHASES:
		break;
	}
	return text;
}

/*
 * What comes of it
 */

#define IN(phase) BASE_BIT(phase)
#define ANYWHERE  UINT32_MAX
enum { OS = 1, HW = 2, REF = 4, REAL = OS | HW, ALL = 7 };
#define OWN 1000 /* the fault's own error */

static const struct row {
	const char *fault; /* NULL: each */
	const char *events;
	u32 phases, where;
	struct outcome out;
} rows[] = {
	/* exceptions */
	{ "dead-after-boot", "R", IN(BOOT), OS, { 0, NOTHING, -ETIMEDOUT } }, /* nothing is asked */
	{ "dead-after-boot", "R", IN(RESUME), REAL, { -ETIMEDOUT, RECOVERED, 0 } }, /* likewise */
	{ "dead-after-boot", "R", IN(RECOVERY), OS, { -ETIMEDOUT, RECOVERED, 0 } },
	{ "dead-after-boot", "r", ANYWHERE, REF, { 0, RECOVERED, 0 } }, /* FW_STATUS tells */
	{ "slow-firmware", "r", ANYWHERE, REF, { 0, NOTHING, 0 } }, /* within the 5 s of a boot */
	{ "irq-storm", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ "irq-lost", "S", ANYWHERE, ALL, { 0, COLD, 0 } },	/* 5 ms for the answer, then cold */
	{ "irq-lost", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } }, /* time-outs look themselves */
	{ "duplicate-answer", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ "unsolicited-answer", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ "dead-context", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ "mmu-gerror", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ "dct-on", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ "dct-off", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ "boot-error", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } }, /* boots again */
	{ "boot-fatal", NULL, ANYWHERE, ALL, { 0, NOTHING, 0 } }, /* power cycle */
	/* the late UNREGISTER_DB looks at the queue's page, which is not mapped any more */
	{ "slow-firmware", "x", IN(SUBMIT), OS, { 0, RECOVERED, 0 } },
	{ "fw-dead", "JjB", ANYWHERE, REF, { -EIO, RECOVERED, 0 } }, /* FW_STATUS tells */
	{ "fw-dead", "OJjB", ANYWHERE, REAL, { OWN, RECOVERED, 0 } },
	{ "fw-dead", "xX", ANYWHERE, REAL, { 0, RECOVERED, 0 } },
	{ "mmu-fault", "B", ANYWHERE, HW, { 0, NOTHING, 0 } }, /* it faults anyway */
	{ "mmu-kinds", "B", ANYWHERE, HW, { 0, NOTHING, 0 } },
	{ "global-fault", NULL, ANYWHERE, REAL, { 0, RECOVERED, 0 } }, /* jobs end before it */
	{ "watchdog", NULL, ANYWHERE, REAL, { 0, RECOVERED, 0 } },
	{ "ats-error", NULL, ANYWHERE, REAL, { OWN, RECOVERED, 0 } },
	{ "wild-head", "J", ANYWHERE, REAL, { -ENODEV, RECOVERED, 0 } }, /* seen by the next job */
	{ "wild-head", NULL, ANYWHERE, REAL, { 0, NOTHING, 0 } },	 /* there is none */
	{ "wrong-tail", NULL, ANYWHERE, REF, { OWN, RECOVERED, 0 } },
	{ "doorbell-lost", NULL, ANYWHERE, REF, { 0, NOTHING, 0 } }, /* rings again */
	{ "doorbell-lost", "B", ANYWHERE, HW, { -EIO, RECOVERED, 0 } },
	/* the engine that resumes looks at all queues */
	{ "doorbell-lost", "j", IN(ENGINE), HW, { 0, NOTHING, 0 } },
	{ "doorbell-lost", NULL, ANYWHERE, OS, { OWN, RECOVERED, 0 } },
	/* nobody is to blame, so the engine's reset does not help */
	{ "doorbell-lost", NULL, ANYWHERE, HW, { -EIO, RECOVERED, 0 } },
	{ "stuck-engine", "Jj", ANYWHERE, OS | REF, { OWN, RECOVERED, 0 } },
	/* steps */
	{ NULL, START "RrgC", IN(BOOT), ALL, { OWN, DEAD, 0 } },
	{ NULL, START "R", IN(RESUME), ALL, { 0, COLD, 0 } },
	{ NULL, START "RrgC", IN(RECOVERY), ALL, { -ENODEV, DEAD, 0 } },
	{ NULL, "azWU", ANYWHERE, ALL, { 0, NOTHING, 0 } }, /* steps that only warn */
	{ NULL, "S", ANYWHERE, ALL, { 0, COLD, 0 } },
	{ NULL, "m", ANYWHERE, REAL, { 0, RECOVERED, 0 } },
	/* messages */
	{ NULL, "O", ANYWHERE, ALL, { OWN, JOB, 0 } },
	{ NULL, "xX", ANYWHERE, ALL, { 0, NOTHING, 0 } },
	{ NULL, "EF", ANYWHERE, HW, { 0, RECOVERED, 0 } },
	{ NULL, "b", ANYWHERE, HW, { -ECANCELED, JOB, 0 } }, /* its own report was lost */
	{ NULL, "D", ANYWHERE, OS | REF, { -ETIMEDOUT, RECOVERED, 0 } },
	{ NULL, "D", ANYWHERE, HW, { -EIO, RECOVERED, 0 } }, /* nobody is to blame */
	/* jobs */
	{ NULL, "Jj", ANYWHERE, OS | REF, { OWN, JOB, 0 } },
	{ NULL, "Jj", ANYWHERE, HW, { OWN, ENGINE_UP, 0 } },
	{ NULL, "B", ANYWHERE, HW, { OWN, JOB, 0 } },
};

static struct outcome expected(const struct fault *f, enum phase phase, char event)
{
	u32 where = env_reg_gen()->flat ? REF : env_hws() ? HW : OS;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		struct outcome out = r->out;

		if ((r->fault && strcmp(r->fault, f->name) != 0) || !(r->where & where) ||
		    !(r->phases & IN(phase)) || (r->events && !strchr(r->events, event)))
			continue;
		if (out.err == OWN)
			out.err = f->own;
		return out;
	}
	fail_msg("no row for %s at %c in %s", f->name, event, phase_names[phase]);
	return (struct outcome){ 0 };
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
	return a->err == b->err && a->rung == b->rung && a->next == b->next;
}

static void expect(const struct outcome *got, const struct outcome *want, const char *what)
{
	if (!is_same(got, want))
		fail_msg("%s: error %d, rung %s, next job %d; expected %d, %s, %d (%s)", what,
			 got->err, rung_names[got->rung], got->next, want->err,
			 rung_names[want->rung], want->next, drv_last_error(env.dev)->text);
}

static const struct outcome untouched;

/* The @nth occasion of @f in @phase.  False: there is none, and nothing went wrong. */
static bool strike(const struct fault *f, enum phase phase, u32 nth, char event)
{
	struct load l = { 0 };
	struct outcome got, want = untouched;
	char what[96];
	u32 left;

	phase_prepare(&env, phase, &l);
	assert_int_equal(os_inproc_fault_at(env.npu, f->name, nth), 0);
	got = phase_outcome(&env, phase, &l);
	left = os_inproc_fault_left(env.npu, f->name);
	assert_int_equal(os_inproc_fault(env.npu, f->name, 0), 0);
	got.next = phase_use(&env, f->name);
	snprintf(what, sizeof(what), "%s at occasion %u (%c) of %s", f->name, nth,
		 event ? event : '-', phase_names[phase]);
	if (!left && !event)
		fail_msg("%s: one more than expected", what);
	if (left && event)
		fail_msg("%s: there is none", what);
	if (event)
		want = expected(f, phase, event);
	expect(&got, &want, what);
	phase_finish(&env, phase, &l, what);
	return !left;
}

/* Points covered. */
static u32 strike_all(const struct fault *f, enum phase phase)
{
	const char *e = events(phase);
	u32 nth = 1;

	for (; *e; e++)
		if (fault_exists(f->name) && strchr(f->strikes, *e))
			assert_true(strike(f, phase, nth++, *e));
	assert_false(strike(f, phase, nth, '\0'));
	return nth - 1;
}

static void open_env(u64 seed)
{
	env_open(&env, seed, false);
	env.cfg.recoveries = 0; /* the default */
}

static void test_model_faults(void **state)
{
	u32 nr[NR_PHASES] = { 0 };

	(void)state;
	for (u32 i = 0; os_inproc_fault_name(i); i++) {
		const struct fault *f = faults;

		while (f < faults + BASE_ARRAY_SIZE(faults) &&
		       strcmp(f->name, os_inproc_fault_name(i)) != 0)
			f++;
		if (f == faults + BASE_ARRAY_SIZE(faults))
			fail_msg("fault %s is in no table", os_inproc_fault_name(i));
		open_env(51);
		for (enum phase p = 0; p < NR_PHASES && f->strikes; p++)
			if (phase_exists(p))
				nr[p] += strike_all(f, p);
		env_close(&env);
	}
	phase_print("faults of the model, each at each occasion", nr);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_faults),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("phase", tests, NULL, NULL);
}
