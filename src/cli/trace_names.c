// SPDX-License-Identifier: MIT
/*
 * What two drivers, or two firmwares, are free to choose, replaced by what it stands for: addresses,
 * ids, how far a queue has come.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace.h"

#define NEAR UINT64_C(0x100000) /* addresses as close as this belong together */

static bool is_access(const struct cli_trace_rec *rec)
{
	return rec->kind == CLI_TRACE_READ || rec->kind == CLI_TRACE_WRITE;
}

static int set_text(struct cli_trace_rec *rec, char *text, int len)
{
	if (len < 0)
		return cli_fail(CLI_FAILED, "no memory");
	free(rec->text);
	rec->text = text;
	return 0;
}

static int rewrite(struct cli_trace_rec *rec, const char *fmt, ...) BASE_PRINTF(2, 3);

static int rewrite(struct cli_trace_rec *rec, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	return set_text(rec, text, len);
}

static u64 value_of(const struct cli_trace_rec *rec)
{
	return strtoull(rec->text + rec->where, NULL, 16);
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
	if (!is_access(rec))
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

/* "wr64 BAR0+0x200090 CMDQ_BASE <address> 0x4 flagged" */
static int hide_base(struct cli_trace_rec *rec)
{
	u64 val = value_of(rec);

	return rewrite(rec, "%.*s %s 0x%x%s", (int)rec->where, rec->text,
		       val & ~(FLAGS | LOW_BITS) ? "<address>" : "0", (u32)(val & LOW_BITS),
		       val & FLAGS ? " flagged" : "");
}

/* "rd BAR0+0x200f4 HOST_SS_TIM_IPC_FIFO_ATM <HOST_SS_TIM_IPC_FIFO_ATM +64>" */
static int name_value(struct cli_trace_rec *rec, struct labels *labels)
{
	u64 addr = value_of(rec);
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

/*
 * The command queue's indices, and the FIFO.
 */

#define QUEUE_MASK UINT64_C(0x1f) /* 16 commands and the bit that tells full from empty; P 8.3 */

struct queue { /* where the command queue is */
	u64 prod;
	bool known; /* since the unit was switched off */
};

/* How many commands are new, not which: "wr BAR0+0x200098 CMDQ_PROD +2" */
static int count_commands(struct cli_trace_rec *rec, struct queue *q)
{
	u64 prod = value_of(rec);
	u64 before = q->prod;
	bool known = q->known;

	q->prod = prod;
	q->known = true;
	if (!known)
		return 0;
	return rewrite(rec, "%.*s +%u", (int)rec->where, rec->text,
		       (u32)((prod - before) & QUEUE_MASK));
}

/* "rd BAR0+0x20009c CMDQ_CONS <CMDQ_PROD>" */
static int name_consumed(struct cli_trace_rec *rec, const struct queue *q)
{
	if (rec->kind != CLI_TRACE_READ || !q->known || value_of(rec) != q->prod)
		return 0;
	return rewrite(rec, "%.*s <CMDQ_PROD>", (int)rec->where, rec->text);
}

/* Of the state of the FIFO its fill: the indices beside it are the firmware's. */
static int hide_indices(struct cli_trace_rec *rec)
{
	return rewrite(rec, "%.*s fill %u", (int)rec->where, rec->text,
		       (u32)(value_of(rec) >> 16) & 0xff);
}

static int name_queues(struct cli_trace_rec *rec, struct queue *q)
{
	if (!is_access(rec))
		return 0;
	if (strstr(rec->text, " CR0 0x00000000") || strstr(rec->text, " CMDQ_BASE "))
		q->known = false;
	if (strstr(rec->text, " CMDQ_PROD 0x"))
		return count_commands(rec, q);
	if (strstr(rec->text, " CMDQ_CONS 0x"))
		return name_consumed(rec, q);
	if (strstr(rec->text, "_TIM_IPC_FIFO_STAT 0x"))
		return hide_indices(rec);
	if (strstr(rec->text, "_TIM_IPC_FIFO_ATM 0x"))
		return rewrite(rec, "%.*s <message>", (int)rec->where, rec->text);
	if (strstr(rec->text, "_FREE_CNT 0x"))
		return rewrite(rec, "%.*s <time>", (int)rec->where, rec->text);
	return 0;
}

/*
 * Ids: of doorbells, queues, jobs, address spaces.  Zero stays: it means something.
 */

/* Word by word: - as it is, or d doorbell, s SSID, q queue, j job, p process, a address, n number.
 * SRC: P 7.4 */
static const struct {
	const char *type, *words;
} payloads[] = {
	{ "REGISTER_DB", "d-aa-s" },
	{ "REGISTER_DB_DONE", "d" },
	{ "UNREGISTER_DB", "d" },
	{ "UNREGISTER_DB_DONE", "d" },
	{ "JOB_DONE", "-dj-s-qq" },
	{ "QUERY_ENGINE_HB_DONE", "--nn" },
	{ "SSID_RELEASE", "s" },
	{ "SSID_RELEASE_DONE", "s" },
	{ "ENGINE_RESET_DONE", "--s-qq" },
	{ "CREATE_CMD_QUEUE", "pps-ppqqaa" },
	{ "CREATE_CMD_QUEUE_RSP", "pps-ppqq" },
	{ "DESTROY_CMD_QUEUE", "s-qq" },
	{ "DESTROY_CMD_QUEUE_RSP", "s-qq" },
	{ "SET_CONTEXT_SCHED_PROPERTIES", "s-qq" },
	{ "SET_CONTEXT_SCHED_PROPERTIES_RSP", "s-qq" },
	{ "HWS_REGISTER_DB", "dsqqaa" },
};

static const char *words_of(const char *type, size_t len)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(payloads); i++)
		if (strlen(payloads[i].type) == len && !memcmp(payloads[i].type, type, len))
			return payloads[i].words;
	return "";
}

static const char *id_name(char kind)
{
	static const char kinds[] = "dsqjpan";
	static const char *const names[] = { "<doorbell>", "<ssid>",	"<queue>", "<job>",
					     "<process>",  "<address>", "<number>" };
	const char *at = strchr(kinds, kind);

	return at && *at ? names[at - kinds] : NULL;
}

/* " REGISTER_DB id 7: ..." of "msg> async REGISTER_DB id 7: ...", or NULL */
static const char *type_of(const char *text)
{
	const char *chan = strchr(text, ' ');

	return chan ? strchr(chan + 1, ' ') : NULL;
}

/* The words behind the colon, @words saying what they are. */
static void print_words(FILE *out, const char *at, const char *words)
{
	while (*at == ' ') {
		const char *name = id_name(*words);
		size_t width = strcspn(++at, " ");
		bool zero = strspn(at, "0") >= width;

		fprintf(out, " %.*s", name && !zero ? (int)strlen(name) : (int)width,
			name && !zero ? name : at);
		words += *words != '\0';
		at += width;
	}
}

/* "msg> async REGISTER_DB: <doorbell> 00000000 ...", without the request's id */
static int name_ids(struct cli_trace_rec *rec)
{
	const char *type = type_of(rec->text);
	const char *id = type ? strstr(type, " id ") : NULL;
	const char *colon = id ? strchr(id, ':') : NULL;
	size_t len, id_len = id ? strlen(" id ") + strcspn(id + strlen(" id "), ": ") : 0;
	bool bad;
	char *text;
	FILE *out;

	if (!id)
		return 0;
	out = open_memstream(&text, &len);
	if (!out)
		return cli_fail(CLI_FAILED, "no memory");
	fwrite(rec->text, 1, (size_t)(id - rec->text), out);
	id += id_len; /* a status may follow */
	fwrite(id, 1, colon ? (size_t)(colon - id) + 1 : strlen(id), out);
	if (colon)
		print_words(out, colon + 1, words_of(type + 1, strcspn(type + 1, " ")));
	bad = ferror(out);
	return set_text(rec, text, fclose(out) || bad ? -1 : 0);
}

/* "wr BAR0+0x6301000 CPU_SS_DOORBELL[1] 0x00000001" without which one */
static int name_doorbell(struct cli_trace_rec *rec)
{
	const char *name = strstr(rec->text, " CPU_SS_DOORBELL[");
	const char *end = name ? strchr(name, ']') : NULL;

	if (!is_access(rec) || !end)
		return 0;
	return rewrite(rec, "%.*s CPU_SS_DOORBELL[<doorbell>]%s", (int)strcspn(rec->text, "+"),
		       rec->text, end + 1);
}

int cli_trace_names(struct cli_trace *trace)
{
	struct labels labels = { .nr = 0 };
	struct queue queue = { .known = false };
	int ret = 0;

	for (u32 i = 0; !ret && i < trace->nr; i++) {
		struct cli_trace_rec *rec = &trace->recs[i];

		if (names_any(rec, base_regs, BASE_ARRAY_SIZE(base_regs)))
			ret = hide_base(rec);
		else if (names_any(rec, address_regs, BASE_ARRAY_SIZE(address_regs)))
			ret = name_value(rec, &labels);
		else if (rec->kind == CLI_TRACE_MESSAGE)
			ret = name_ids(rec);
		else
			ret = name_queues(rec, &queue);
		if (!ret)
			ret = name_doorbell(rec);
	}
	return ret;
}
