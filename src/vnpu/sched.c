// SPDX-License-Identifier: MIT
/*
 * Time: one deadline per source of work.  Stepped mode moves a virtual clock from deadline to
 * deadline; in threaded mode the firmware's thread runs what is due by the real one.
 */
#include "vnpu/compute.h"
#include "vnpu/model.h"

static void (*const handlers[VNPU_NR_TIMERS])(struct vnpu *v) = {
	[VNPU_T_WORKPOINT] = vnpu_workpoint_done,
	[VNPU_T_IP_RESET] = vnpu_ip_reset_done,
	[VNPU_T_ISLAND] = vnpu_island_up,
	[VNPU_T_BOOT] = vnpu_fw_boot,
	[VNPU_T_RX] = vnpu_ipc_flush,
	[VNPU_T_IPC] = vnpu_ipc_receive,
	[VNPU_T_ENGINE] = vnpu_compute_timer,
	[VNPU_T_FENCE] = vnpu_jobs_fences,
	[VNPU_T_JOBS] = vnpu_jobs_run,
	[VNPU_T_METRIC] = vnpu_metric_due,
	[VNPU_T_REF_BOOT] = vnpu_ref_boot,
	[VNPU_T_REF_RINGS] = vnpu_ref_rings,
};

void vnpu_clock_init(struct vnpu *v, u64 seed)
{
	v->clk.next_ns = VNPU_NEVER;
	for (u32 i = 0; i < VNPU_NR_TIMERS; i++)
		v->clk.at[i] = VNPU_NEVER;
	v->clk.rng = seed * 0x9e3779b97f4a7c15ull + 0x632be59bd9b4e019ull;
	v->clk.now_ns = v->stepped ? 0 : base_clock_ns();
}

static u64 random_ns(struct vnpu *v, u64 lo_ns, u64 hi_ns)
{
	/* Knuth's MMIX generator: its upper half is enough for delays */
	v->clk.rng = v->clk.rng * 6364136223846793005ull + 1442695040888963407ull;
	return lo_ns + ((v->clk.rng >> 32) * (hi_ns - lo_ns + 1) >> 32);
}

u64 vnpu_delay(struct vnpu *v, u64 lo_ns, u64 hi_ns)
{
	return v->stepped ? random_ns(v, lo_ns, hi_ns) : 0;
}

/* Others read it without the lock. */
static void set_now(struct vnpu *v, u64 now_ns)
{
	__atomic_store_n(&v->clk.now_ns, now_ns, __ATOMIC_RELAXED);
}

u64 vnpu_time_ns(struct vnpu *v)
{
	if (!v->stepped)
		set_now(v, base_clock_ns());
	return v->clk.now_ns;
}

/* Hardware does not wait for a thread to be scheduled: without a delay it acts at once. */
void vnpu_timer_hw(struct vnpu *v, enum vnpu_timer t, u64 delay_ns)
{
	if (v->stepped)
		vnpu_timer_set(v, t, delay_ns);
	else
		handlers[t](v);
}

static void find_next(struct vnpu *v)
{
	u64 next = VNPU_NEVER;

	for (u32 bits = v->clk.armed; bits; bits &= bits - 1)
		next = base_min(next, v->clk.at[__builtin_ctz(bits)]);
	v->clk.next_ns = next;
}

static void set_at(struct vnpu *v, enum vnpu_timer t, u64 at_ns)
{
	struct vnpu_clock *c = &v->clk;

	if (at_ns >= c->at[t])
		return;
	c->at[t] = at_ns;
	c->armed |= BASE_BIT(t);
	if (at_ns < c->next_ns)
		c->next_ns = at_ns;
}

/* At once: no need to ask the clock what "now" is. */
static void set_threaded(struct vnpu *v, enum vnpu_timer t, u64 delay_ns)
{
	set_at(v, t, delay_ns ? vnpu_time_ns(v) + delay_ns : 0);
	vnpu_note(&v->lock); /* the firmware's thread must hear of it */
}

void vnpu_timer_set(struct vnpu *v, enum vnpu_timer t, u64 delay_ns)
{
	if (v->stepped)
		set_at(v, t, v->clk.now_ns + delay_ns);
	else
		set_threaded(v, t, delay_ns);
}

void vnpu_timer_in(struct vnpu *v, enum vnpu_timer t, u64 lo_ns, u64 hi_ns)
{
	if (v->stepped)
		set_at(v, t, v->clk.now_ns + random_ns(v, lo_ns, hi_ns));
	else
		set_threaded(v, t, 0);
}

void vnpu_timer_clear(struct vnpu *v, enum vnpu_timer t)
{
	v->clk.at[t] = VNPU_NEVER;
	v->clk.armed &= ~BASE_BIT(t);
	find_next(v);
}

bool vnpu_run_one(struct vnpu *v, u64 until_ns)
{
	struct vnpu_clock *c = &v->clk;
	u32 bits = c->armed, t;

	if (c->next_ns > until_ns || !bits)
		return false;
	while (c->at[t = (u32)__builtin_ctz(bits)] != c->next_ns)
		bits &= bits - 1;
	if (c->now_ns < c->next_ns)
		set_now(v, c->next_ns);
	vnpu_timer_clear(v, (enum vnpu_timer)t);
	handlers[t](v);
	return true;
}

uint64_t vnpu_now_ns(struct vnpu *v)
{
	return v->stepped ? __atomic_load_n(&v->clk.now_ns, __ATOMIC_RELAXED) : base_clock_ns();
}

uint64_t vnpu_next_event_ns(struct vnpu *v)
{
	u64 next;

	vnpu_lock(&v->lock);
	next = v->clk.next_ns;
	vnpu_unlock(&v->lock);
	return next;
}

static void advance(struct vnpu *v, u64 time_ns)
{
	if (v->clk.now_ns < time_ns && time_ns != VNPU_NEVER)
		set_now(v, time_ns);
}

void vnpu_run_until(struct vnpu *v, uint64_t time_ns)
{
	if (!v->stepped)
		return;
	vnpu_lock(&v->lock);
	while (vnpu_run_one(v, time_ns))
		vnpu_settle(v);
	advance(v, time_ns);
	vnpu_unlock(&v->lock);
}

bool vnpu_step(struct vnpu *v, uint64_t time_ns)
{
	bool ran;

	if (!v->stepped)
		return false;
	vnpu_lock(&v->lock);
	ran = vnpu_run_one(v, time_ns);
	if (!ran)
		advance(v, time_ns);
	vnpu_settle(v);
	vnpu_unlock(&v->lock);
	return ran;
}
