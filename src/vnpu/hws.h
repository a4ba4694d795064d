/* SPDX-License-Identifier: MIT */
/*
 * Hardware scheduling: which queue runs when.  SRC: P 7.4, 10.1; linux vpu_jsm_api.h for what the
 * fields of SET_PRIORITY_BAND_SETUP and SET_CONTEXT_SCHED_PROPERTIES are for.
 */
#ifndef VNPU_HWS_H
#define VNPU_HWS_H

#include "abi/jsm.h"
#include "base/types.h"

#define VNPU_NR_CMDQS 256
#define VNPU_NR_BANDS 4 /* enum abi_jobq_priority: idle, normal, focus, realtime */

struct vnpu;
struct vnpu_queue;

struct vnpu_cmdq {
	bool used;
	u8 band;
	u32 ssid, size;
	u64 id, base, process;
	u32 realtime_level;
	s32 in_process;
	u64 quantum_ns, grace_same_ns, grace_lower_ns;
	u64 wait_ns;  /* when it began to wait for the engine */
	u64 ran_ns;   /* on the engine since it got it last */
	u64 last_run; /* for round robin in a process */
	/* of its process, the same in all its queues of the band */
	u64 last_turn; /* for round robin; the one it has does not count until it is over */
	u64 turn_ns;   /* of a turn that was cut short: it goes on there */
};

struct vnpu_band {
	u64 grace_ns;	      /* before it preempts another band */
	u64 quantum_ns;	      /* of a process, before another of the band has its turn */
	u64 process_grace_ns; /* before processes of the band preempt each other */
	u64 process;	      /* that has its turn */
	u64 ran_ns;	      /* of that turn so far */
	u64 share_ns; /* of who had least when it got the engine: who was away has no more due */
	u64 contended_ns; /* run while focus and normal both wanted to */
};

struct vnpu_hws {
	bool set; /* SET_PRIORITY_BAND_SETUP came */
	u32 normal_percent;
	struct vnpu_band band[VNPU_NR_BANDS];
	struct vnpu_cmdq cmdq[VNPU_NR_CMDQS];
	u16 of_db[256]; /* 1 + index in cmdq[], 0 none */
	u64 turn;	/* counts */
	u64 held[4];	/* doorbells that wait until the engine is free */
	bool preempt;	/* ENGINE_PREEMPT: the next slice is another's */
};

/** vnpu_hws_setup() - SET_PRIORITY_BAND_SETUP; times in units of 100 ns */
void vnpu_hws_setup(struct vnpu *v, const struct abi_jsm_band_setup *s);

/** vnpu_hws_join() - @new is new in its band: the last, or where its process is already */
void vnpu_hws_join(struct vnpu *v, struct vnpu_cmdq *new);

/** vnpu_hws_run() - @run for each queue of @pending that may run, best band first */
void vnpu_hws_run(struct vnpu *v, const u64 *pending,
		  void (*run)(struct vnpu *v, struct vnpu_queue *q));

/** vnpu_hws_submit() - @q begins to wait for the engine */
void vnpu_hws_submit(struct vnpu *v, const struct vnpu_queue *q);

/**
 * vnpu_hws_pick() - who of the queues that wait has the engine next
 * @dbs: their doorbells
 * Return: index in @dbs, or @nr when none may.
 */
u32 vnpu_hws_pick(struct vnpu *v, const u16 *dbs, u32 nr);

/** vnpu_hws_yields() - must @running leave the engine to one of @dbs? */
bool vnpu_hws_yields(struct vnpu *v, const struct vnpu_queue *running, const u16 *dbs, u32 nr);

/** vnpu_hws_ran() - @q had the engine for @ns, while those of @dbs waited */
void vnpu_hws_ran(struct vnpu *v, const struct vnpu_queue *q, u64 ns, const u16 *dbs, u32 nr);

/** vnpu_hws_hold() - the queue behind @db waits for its turn on the engine, or before it */
void vnpu_hws_hold(struct vnpu *v, u32 db);
/** vnpu_hws_unhold() - it has its turn; false: it was not held */
bool vnpu_hws_unhold(struct vnpu *v, u32 db);
/** vnpu_hws_held() - the doorbells held; returns their number */
u32 vnpu_hws_held(const struct vnpu *v, u16 *dbs);

/** vnpu_hws_band() - priority band of the queue behind @db */
u32 vnpu_hws_band(const struct vnpu *v, u32 db);

#endif
