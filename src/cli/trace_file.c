// SPDX-License-Identifier: MIT
/* Reading traces, and what makes two of them comparable (trace.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace.h"

#define MAX_RECS 4000000u

static const char head[] = "# npu trace 1";

static const struct {
	const char *prefix;
	enum cli_trace_kind kind;
} kinds[] = {
	{ "rd", CLI_TRACE_READ },     { "wr", CLI_TRACE_WRITE },    { "cfg-", CLI_TRACE_CFG },
	{ "msg", CLI_TRACE_MESSAGE }, { "ready", CLI_TRACE_EVENT }, { "msi", CLI_TRACE_EVENT },
	{ "reset", CLI_TRACE_EVENT }, { "mark ", CLI_TRACE_MARK },
};

static bool kind_of(const char *text, enum cli_trace_kind *out)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(kinds); i++)
		if (!strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix))) {
			*out = kinds[i].kind;
			return true;
		}
	return false;
}

/* Of a register access all but the value, which comes last. */
static size_t where_of(enum cli_trace_kind kind, const char *text)
{
	const char *space = strrchr(text, ' ');

	return kind <= CLI_TRACE_CFG && space ? (size_t)(space - text) : strlen(text);
}

static int add(struct cli_trace *trace, u32 line, const char *text, size_t len)
{
	struct cli_trace_rec *rec;

	if (trace->nr == trace->cap) {
		u32 cap = trace->cap ? 2 * trace->cap : 1024;
		void *recs = cap <= MAX_RECS ? realloc(trace->recs, cap * sizeof(*rec)) : NULL;

		if (!recs)
			return cli_fail(CLI_FAILED, "%s: more than %u records, or no memory",
					trace->path, MAX_RECS);
		trace->recs = recs;
		trace->cap = cap;
	}
	rec = &trace->recs[trace->nr];
	*rec = (struct cli_trace_rec){ .line = line, .text = strndup(text, len) };
	if (!rec->text)
		return cli_fail(CLI_FAILED, "no memory");
	trace->nr++; /* from here on cli_trace_fini() frees the text */
	if (!kind_of(rec->text, &rec->kind))
		return cli_fail(
			CLI_BAD_INPUT,
			"%s:%u: '%.40s' is no record; expected rd, wr, cfg-, msg, ready, msi, "
			"reset or mark (docs/trace.md)",
			trace->path, line, rec->text);
	rec->where = where_of(rec->kind, rec->text);
	return 0;
}

/* The record of a line begins behind its time. */
static const char *skip_time(const char *at, const char *end)
{
	while (at < end && *at == ' ')
		at++;
	while (at < end && *at != ' ')
		at++;
	while (at < end && *at == ' ')
		at++;
	return at;
}

static int read_lines(struct cli_trace *trace, const char *at, const char *end)
{
	u32 line = 0;
	int ret = 0;

	while (!ret && at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		const char *stop = eol ? eol : end;
		const char *text = skip_time(at, stop);

		line++;
		if (*at != '#' && text < stop)
			ret = add(trace, line, text, (size_t)(stop - text));
		at = stop + 1;
	}
	return ret;
}

int cli_trace_read(const char *path, struct cli_trace *out)
{
	struct cli_file file;
	int ret;

	*out = (struct cli_trace){ .path = path };
	ret = cli_file_open(path, &file);
	if (ret)
		return ret;
	if (file.size < sizeof(head) - 1 || memcmp(file.data, head, sizeof(head) - 1) != 0)
		ret = cli_fail(CLI_BAD_INPUT, "%s: not a trace: its first line is not '%s...'",
			       path, head);
	else
		ret = read_lines(out, file.data, (const char *)file.data + file.size);
	cli_file_close(&file);
	return ret;
}

void cli_trace_fini(struct cli_trace *trace)
{
	for (u32 i = 0; i < trace->nr; i++)
		free(trace->recs[i].text);
	free(trace->recs);
	*trace = (struct cli_trace){ 0 };
}

/* Each read of the FIFO takes a message: it is no poll. */
static bool same_read(const struct cli_trace_rec *a, const struct cli_trace_rec *b)
{
	return !strstr(a->text, "_IPC_FIFO_ATM ") && a->kind == CLI_TRACE_READ &&
	       b->kind == CLI_TRACE_READ && a->where == b->where &&
	       !memcmp(a->text, b->text, a->where);
}

void cli_trace_polls(struct cli_trace *trace)
{
	u32 to = 0;

	for (u32 i = 0; i < trace->nr; i++) {
		struct cli_trace_rec *rec = &trace->recs[i];

		if (to && same_read(&trace->recs[to - 1], rec)) {
			rec->repeats = trace->recs[to - 1].repeats + 1;
			free(trace->recs[--to].text);
		}
		trace->recs[to++] = *rec;
	}
	trace->nr = to;
}

void cli_trace_keep(struct cli_trace *trace, u32 wanted, const char *until)
{
	bool over = false;
	u32 to = 0;

	for (u32 i = 0; i < trace->nr; i++) {
		struct cli_trace_rec *rec = &trace->recs[i];
		bool last = until && !strcmp(rec->text, until);

		if (over || !(wanted & BASE_BIT(rec->kind)))
			free(rec->text);
		else
			trace->recs[to++] = *rec;
		over |= last;
	}
	trace->nr = to;
}

int cli_trace_phase(struct cli_trace *trace, const char *phase)
{
	bool in = false, found = false;
	u32 to = 0;

	for (u32 i = 0; i < trace->nr; i++) {
		struct cli_trace_rec *rec = &trace->recs[i];
		bool mark = rec->kind == CLI_TRACE_MARK;

		if (mark)
			in = !strcmp(rec->text + strlen("mark "), phase);
		found |= in;
		if (in && !mark)
			trace->recs[to++] = *rec;
		else
			free(rec->text);
	}
	trace->nr = to;
	if (!found)
		return cli_fail(CLI_BAD_INPUT, "%s: no record 'mark %s'", trace->path, phase);
	return 0;
}
