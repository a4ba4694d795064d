// SPDX-License-Identifier: MIT
/* Reading traces, and what makes two of them comparable (trace.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace.h"

#define MAX_RECS 4000000u
#define NEAR	 UINT64_C(0x100000) /* addresses as close as this belong together */

static const char head[] = "# npu trace 1";

static const struct {
	const char *prefix;
	enum cli_trace_kind kind;
} kinds[] = {
	{ "rd", CLI_TRACE_READ },     { "wr", CLI_TRACE_WRITE },    { "cfg-", CLI_TRACE_CFG },
	{ "msg", CLI_TRACE_MESSAGE }, { "ready", CLI_TRACE_EVENT }, { "msi", CLI_TRACE_EVENT },
	{ "reset", CLI_TRACE_EVENT },
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
			"%s:%u: '%.40s' is no record; expected rd, wr, cfg-, msg, ready, msi "
			"or reset (docs/trace.md)",
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

static bool same_read(const struct cli_trace_rec *a, const struct cli_trace_rec *b)
{
	return a->kind == CLI_TRACE_READ && b->kind == CLI_TRACE_READ && a->where == b->where &&
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

/*
 * Addresses
 */

#define FLAGS	 UINT64_C(0xc000000000000000) /* above any address */
#define LOW_BITS UINT64_C(0x1f)		      /* below any table's or queue's address */

/* Registers that are told where something is: what matters is that they are told. */
static const char *const base_regs[] = { " STRTAB_BASE ", " CMDQ_BASE ", " EVTQ_BASE " };

/* Registers whose values lie around each other. */
static const char *const address_regs[] = {
	"HOST_SS_LOADING_ADDRESS_LO ",
	"_TIM_IPC_FIFO ",
	"_TIM_IPC_FIFO_ATM ",
	"VERIFICATION_ADDRESS",
};

struct label { /* addresses around @addr are called after the register it was first seen in */
	u64 addr;
	const char *reg;
};

struct labels {
	struct label label[64];
	u32 nr;
};

static bool names_any(const struct cli_trace_rec *rec, const char *const *regs, size_t nr)
{
	if (rec->kind != CLI_TRACE_READ && rec->kind != CLI_TRACE_WRITE)
		return false;
	for (size_t i = 0; i < nr; i++)
		if (strstr(rec->text, regs[i]))
			return true;
	return false;
}

/* The label around @addr, made if there is none; NULL: too many. */
static const struct label *find_label(struct labels *labels, u64 addr, const char *reg)
{
	struct label *l = labels->label;

	for (u32 i = 0; i < labels->nr; i++)
		if (addr - l[i].addr < NEAR || l[i].addr - addr < NEAR)
			return &l[i];
	if (labels->nr == BASE_ARRAY_SIZE(labels->label))
		return NULL;
	l[labels->nr] = (struct label){ addr & ~(u64)(BASE_PAGE_SIZE - 1), reg };
	return &l[labels->nr++];
}

static int set_text(struct cli_trace_rec *rec, char *text, int len)
{
	if (len < 0)
		return cli_fail(CLI_FAILED, "no memory");
	free(rec->text);
	rec->text = text;
	return 0;
}

/* "wr64 BAR0+0x200090 CMDQ_BASE <address> 0x4 flagged" */
static int hide_base(struct cli_trace_rec *rec)
{
	u64 val = strtoull(rec->text + rec->where, NULL, 16);
	char *text;
	int len = asprintf(&text, "%.*s %s 0x%x%s", (int)rec->where, rec->text,
			   val & ~(FLAGS | LOW_BITS) ? "<address>" : "0", (u32)(val & LOW_BITS),
			   val & FLAGS ? " flagged" : "");

	return set_text(rec, text, len);
}

/* "rd BAR0+0x200f4 HOST_SS_TIM_IPC_FIFO_ATM <HOST_SS_TIM_IPC_FIFO_ATM +64>" */
static int name_value(struct cli_trace_rec *rec, struct labels *labels)
{
	u64 addr = strtoull(rec->text + rec->where, NULL, 16);
	const char *reg = rec->text + rec->where;
	const struct label *l;
	char *text;
	int len;

	while (reg > rec->text && reg[-1] != ' ')
		reg--;
	l = addr ? find_label(labels, addr, reg) : NULL;
	if (!l)
		return 0;
	len = asprintf(&text, "%.*s <%.*s %+lld>", (int)rec->where, rec->text,
		       (int)strcspn(l->reg, " "), l->reg, (long long)(addr - l->addr));
	if (len >= 0 && l->reg == reg) /* the label's name lives in the text that is kept */
		labels->label[labels->nr - 1].reg = text + (reg - rec->text);
	return set_text(rec, text, len);
}

int cli_trace_addresses(struct cli_trace *trace)
{
	struct labels labels = { .nr = 0 };
	int ret = 0;

	for (u32 i = 0; !ret && i < trace->nr; i++) {
		struct cli_trace_rec *rec = &trace->recs[i];

		if (names_any(rec, base_regs, BASE_ARRAY_SIZE(base_regs)))
			ret = hide_base(rec);
		else if (names_any(rec, address_regs, BASE_ARRAY_SIZE(address_regs)))
			ret = name_value(rec, &labels);
	}
	return ret;
}
