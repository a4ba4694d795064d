/* SPDX-License-Identifier: MIT */
/*
 * Traces of a virtual NPU (docs/trace.md): reading them, and comparing two.
 *
 * A trace is compared by what the driver did, not when: times are dropped, repeats of a poll are
 * one record, and addresses, which each driver chooses for itself, become names that say where the
 * address was first used.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "base/base.h"
#include "cli/cli.h"

enum cli_trace_kind {
	CLI_TRACE_READ,
	CLI_TRACE_WRITE,
	CLI_TRACE_CFG,	   /* configuration space */
	CLI_TRACE_MESSAGE, /* either way */
	CLI_TRACE_EVENT,   /* ready, msi, reset */
	CLI_TRACE_MARK,	   /* of whoever ran the session: a phase begins */
};

struct cli_trace_rec {
	enum cli_trace_kind kind;
	u32 line;     /* in the file, from 1 */
	u32 repeats;  /* polls that gave this value after others, or the same */
	char *text;   /* without the time; owned */
	size_t where; /* length of the part that names the register or message */
};

struct cli_trace {
	const char *path; /* the caller's */
	struct cli_trace_rec *recs;
	u32 nr, cap;
};

/** cli_trace_read() - message and exit code on failure; cli_trace_fini() in every case. */
int cli_trace_read(const char *path, struct cli_trace *out);
void cli_trace_fini(struct cli_trace *trace);

/** cli_trace_polls() - make consecutive reads of a register one, with the last value. */
void cli_trace_polls(struct cli_trace *trace);
/** cli_trace_names() - replace addresses, ids and counts, which differ for no reason, by names. */
int cli_trace_names(struct cli_trace *trace);
/** cli_trace_phase() - drop all that is not between "mark @phase" and the next mark; message and
 * exit code when there is no such mark. */
int cli_trace_phase(struct cli_trace *trace, const char *phase);
/** cli_trace_keep() - drop records whose kind is not in @kinds (bits), and all after the first
 * whose text is @until (NULL: keep). */
void cli_trace_keep(struct cli_trace *trace, u32 kinds, const char *until);

/* Differences that are meant, each with its reason. */
struct cli_trace_rule {
	char side;	     /* '-' only in the first, '+' in the second, '*' either; '~' moved */
	const char *pattern; /* fnmatch() on the record's text */
	const char *reason;
	u32 hits;
};

struct cli_trace_rules {
	char *text; /* the file, cut into strings */
	struct cli_trace_rule *rules;
	u32 nr;
};

/** cli_trace_rules_read() - "SIDE PATTERN # REASON" a line; behind "[PHASE ...]" only of these phases
 * (@phase NULL: all); message and exit code on failure. */
int cli_trace_rules_read(const char *path, const char *phase, struct cli_trace_rules *out);
void cli_trace_rules_fini(struct cli_trace_rules *rules);

/**
 * cli_trace_diff() - print the differences of two traces
 * Return: CLI_OK when no difference is left that no rule allows, CLI_MISMATCH, or CLI_FAILED.
 */
int cli_trace_diff(const struct cli_trace *a, const struct cli_trace *b,
		   struct cli_trace_rules *rules);

#endif
