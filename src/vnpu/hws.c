// SPDX-License-Identifier: MIT
/*
 * Hardware scheduling.  SRC: P 7.4, 10.1, linux vpu_jsm_api.h.
 *
 * There is one engine.  Queues of the realtime band have it before focus, focus before normal,
 * normal before idle; while focus starves normal, normal gets its percentage.  In a band processes
 * take turns of a quantum: who had its turn is the last, who was cut short is not.  In a process the
 * higher in_process_priority runs first, equals in the order they came.  The engine changes hands
 * between two commands or two slices of one; who comes in a higher band waits a grace period.  Light commands run on the firmware's processor,
 * but a job does not start while a queue of the same or a higher band has the engine.
 *
 * What a preempted job needs to go on is in the model: the preemption buffers of its slot are not
 * touched, because stale addresses may be in them (P trap 31).
 */
#include "vnpu/hws.h"

#include "vnpu/model.h"

#define UNIT_NS 100u /* SRC: P 7.4 */

static struct vnpu_cmdq *cmdq_of(struct vnpu *v, u32 db)
{
	u16 idx = v->fw.set.hws.of_db[db];

	return idx ? &v->fw.set.hws.cmdq[idx - 1] : NULL;
}

u32 vnpu_hws_band(const struct vnpu *v, u32 db)
{
	u16 idx = v->fw.set.hws.of_db[db];

	return idx ? v->fw.set.hws.cmdq[idx - 1].band : ABI_PRIO_NORMAL;
}

void vnpu_hws_setup(struct vnpu *v, const struct abi_jsm_band_setup *s)
{
	struct vnpu_hws *hws = &v->fw.set.hws;

	hws->set = true;
	hws->normal_percent = s->normal_band_percentage;
	for (u32 i = 0; i < VNPU_NR_BANDS; i++) {
		hws->band[i].grace_ns = (u64)s->grace_period[i] * UNIT_NS;
		hws->band[i].quantum_ns = (u64)s->process_quantum[i] * UNIT_NS;
		hws->band[i].process_grace_ns = (u64)s->process_grace_period[i] * UNIT_NS;
	}
}

/*
 * Order
 */

static bool may_have_engine(const struct vnpu *v, u32 db)
{
	return v->jobs.queue[db].registered && !v->jobs.queue[db].suspended;
}

/* Has normal had less than its share while focus ran?  */
static bool normal_starves(const struct vnpu_hws *hws)
{
	u64 normal = hws->band[ABI_PRIO_NORMAL].contended_ns;
	u64 focus = hws->band[ABI_PRIO_FOCUS].contended_ns;

	return focus && normal * 100 < (normal + focus) * hws->normal_percent;
}

static u32 bands_of(const struct vnpu *v, const u16 *dbs, u32 nr)
{
	u32 bands = 0;

	for (u32 i = 0; i < nr; i++)
		if (may_have_engine(v, dbs[i]))
			bands |= BASE_BIT(vnpu_hws_band(v, dbs[i]));
	return bands;
}

/* The band that runs next of those in @bands, which is not 0. */
static u32 next_band(const struct vnpu *v, u32 bands)
{
	const u32 both = BASE_BIT(ABI_PRIO_FOCUS) | BASE_BIT(ABI_PRIO_NORMAL);

	if (bands & BASE_BIT(ABI_PRIO_REALTIME))
		return ABI_PRIO_REALTIME;
	if ((bands & both) == both && normal_starves(&v->fw.set.hws))
		return ABI_PRIO_NORMAL;
	return 31 - (u32)__builtin_clz(bands);
}

static int compare_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

/* Who of two queues of one band comes first?  Negative: @a. */
static int compare(const struct vnpu_band *band, const struct vnpu_cmdq *a,
		   const struct vnpu_cmdq *b)
{
	if (a->realtime_level != b->realtime_level)
		return a->realtime_level > b->realtime_level ? -1 : 1;
	if (a->process != b->process) {
		if (band->ran_ns && (a->process == band->process || b->process == band->process))
			return a->process == band->process ? -1 : 1;
		return compare_u64(a->last_turn, b->last_turn);
	}
	if (a->in_process != b->in_process)
		return a->in_process > b->in_process ? -1 : 1;
	if (a->wait_ns != b->wait_ns)
		return compare_u64(a->wait_ns, b->wait_ns);
	return compare_u64(a->last_run, b->last_run);
}

u32 vnpu_hws_pick(struct vnpu *v, const u16 *dbs, u32 nr)
{
	u32 bands = bands_of(v, dbs, nr), band, best = nr;

	if (!bands)
		return nr;
	band = next_band(v, bands);
	for (u32 i = 0; i < nr; i++) {
		const struct vnpu_cmdq *q = cmdq_of(v, dbs[i]);

		if (!may_have_engine(v, dbs[i]) || vnpu_hws_band(v, dbs[i]) != band)
			continue;
		if (best == nr ||
		    (q && cmdq_of(v, dbs[best]) &&
		     compare(&v->fw.set.hws.band[band], q, cmdq_of(v, dbs[best])) < 0))
			best = i;
	}
	return best;
}

/*
 * Time on the engine
 */

void vnpu_hws_submit(struct vnpu *v, const struct vnpu_queue *q)
{
	struct vnpu_cmdq *c = cmdq_of(v, q->db);

	if (c)
		c->wait_ns = vnpu_time_ns(v);
}

static bool is_sibling(const struct vnpu_cmdq *c, u64 process, u32 band)
{
	return c->used && c->process == process && c->band == band;
}

void vnpu_hws_join(struct vnpu *v, struct vnpu_cmdq *new)
{
	struct vnpu_hws *hws = &v->fw.set.hws;

	new->last_turn = ++hws->turn;
	new->turn_ns = 0;
	for (u32 i = 0; i < VNPU_NR_CMDQS; i++) {
		const struct vnpu_cmdq *c = &hws->cmdq[i];

		if (c != new &&is_sibling(c, new->process, new->band)) {
			new->last_turn = c->last_turn;
			new->turn_ns = c->turn_ns;
		}
	}
}

/* The process of @band leaves the engine, its turn over or cut short. */
static void end_turn(struct vnpu_hws *hws, struct vnpu_band *band, bool over)
{
	hws->turn++;
	for (u32 i = 0; i < VNPU_NR_CMDQS; i++) {
		struct vnpu_cmdq *c = &hws->cmdq[i];

		if (!is_sibling(c, band->process, (u32)(band - hws->band)))
			continue;
		c->turn_ns = over ? 0 : band->ran_ns;
		if (over)
			c->last_turn = hws->turn;
	}
	if (over)
		band->ran_ns = 0;
}

static void count_turn(struct vnpu *v, struct vnpu_cmdq *c, u64 ns)
{
	struct vnpu_hws *hws = &v->fw.set.hws;
	struct vnpu_band *band = &hws->band[c->band];

	if (band->process != c->process) {
		end_turn(hws, band, false);
		band->process = c->process;
		band->ran_ns = c->turn_ns;
	}
	band->ran_ns += ns;
	if (band->ran_ns >= band->quantum_ns)
		end_turn(hws, band, true);
	c->ran_ns += ns;
	c->last_run = ++hws->turn;
}

void vnpu_hws_ran(struct vnpu *v, const struct vnpu_queue *q, u64 ns, const u16 *dbs, u32 nr)
{
	struct vnpu_hws *hws = &v->fw.set.hws;
	struct vnpu_cmdq *c = cmdq_of(v, q->db);
	u32 bands = bands_of(v, dbs, nr) | BASE_BIT(vnpu_hws_band(v, q->db));
	const u32 both = BASE_BIT(ABI_PRIO_FOCUS) | BASE_BIT(ABI_PRIO_NORMAL);

	if (!c)
		return;
	count_turn(v, c, ns);
	if ((bands & both) == both) {
		hws->band[c->band].contended_ns += ns;
	} else if (!(bands & BASE_BIT(ABI_PRIO_REALTIME))) {
		hws->band[ABI_PRIO_FOCUS].contended_ns = 0;
		hws->band[ABI_PRIO_NORMAL].contended_ns = 0;
	}
}

static bool preempts_in_band(const struct vnpu_band *band, const struct vnpu_cmdq *running,
			     const struct vnpu_cmdq *next, u64 waited_ns)
{
	if (next->process != running->process)
		return !band->ran_ns && waited_ns >= band->process_grace_ns;
	if (next->in_process != running->in_process)
		return next->in_process > running->in_process &&
		       waited_ns >= running->grace_lower_ns;
	return running->ran_ns >= running->quantum_ns && waited_ns >= running->grace_same_ns;
}

bool vnpu_hws_yields(struct vnpu *v, const struct vnpu_queue *running, const u16 *dbs, u32 nr)
{
	struct vnpu_hws *hws = &v->fw.set.hws;
	u32 best = vnpu_hws_pick(v, dbs, nr), band = vnpu_hws_band(v, running->db), other;
	bool asked = hws->preempt || running->suspended;
	const struct vnpu_cmdq *c = cmdq_of(v, running->db), *next;
	u64 waited_ns;

	hws->preempt = false;
	if (best == nr)
		return running->suspended;
	next = cmdq_of(v, dbs[best]);
	if (asked || !c || !next)
		return asked;
	other = next->band;
	waited_ns = vnpu_time_ns(v) - next->wait_ns;
	if (other == band)
		return preempts_in_band(&hws->band[band], c, next, waited_ns);
	if (other > band)
		return waited_ns >= hws->band[other].grace_ns;
	/* a lower band only in its share */
	return other == ABI_PRIO_NORMAL && band == ABI_PRIO_FOCUS && normal_starves(hws);
}

/*
 * Light work
 */

/* May a job of @q start?  Not before the engine's one of its own or a higher band has ended. */
static bool may_start(const struct vnpu *v, const struct vnpu_queue *q)
{
	const struct vnpu_compute *c = &v->compute;

	if (!c->busy || c->orphan || c->db == q->db || q->state == VNPU_JOB_READY)
		return true;
	return vnpu_hws_band(v, q->db) > vnpu_hws_band(v, c->db);
}

static u32 collect(const u64 *bitmap, u16 *dbs)
{
	u32 nr = 0;

	for (u32 w = 0; w < VNPU_NR_QUEUES / 64; w++)
		for (u64 bits = bitmap[w]; bits; bits &= bits - 1)
			dbs[nr++] = (u16)(w * 64 + (u32)__builtin_ctzll(bits));
	return nr;
}

void vnpu_hws_hold(struct vnpu *v, u32 db)
{
	v->fw.set.hws.held[db / 64] |= BASE_BIT64(db % 64);
}

bool vnpu_hws_unhold(struct vnpu *v, u32 db)
{
	u64 *word = &v->fw.set.hws.held[db / 64];
	bool held = *word >> (db % 64) & 1;

	*word &= ~BASE_BIT64(db % 64);
	return held;
}

u32 vnpu_hws_held(const struct vnpu *v, u16 *dbs)
{
	return collect(v->fw.set.hws.held, dbs);
}

static void run_one(struct vnpu *v, u32 db, void (*run)(struct vnpu *v, struct vnpu_queue *q))
{
	struct vnpu_queue *q = &v->jobs.queue[db];
	struct vnpu_cmdq *c = cmdq_of(v, db);

	if (!may_start(v, q)) {
		if (c)
			c->wait_ns = vnpu_time_ns(v);
		vnpu_hws_hold(v, db);
		return;
	}
	if (c)
		c->last_run = ++v->fw.set.hws.turn;
	run(v, q);
}

void vnpu_hws_run(struct vnpu *v, const u64 *pending,
		  void (*run)(struct vnpu *v, struct vnpu_queue *q))
{
	u16 dbs[VNPU_NR_QUEUES];
	u32 nr = collect(pending, dbs);

	while (nr) {
		u32 best = vnpu_hws_pick(v, dbs, nr);

		if (best == nr) /* suspended ones, and doorbells without a queue: findings */
			best = nr - 1;
		run_one(v, dbs[best], run);
		dbs[best] = dbs[--nr];
	}
}
