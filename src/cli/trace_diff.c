// SPDX-License-Identifier: MIT
/*
 * The differences of two traces: longest common subsequence, each difference printed with the rule
 * that allows it, and whether the other trace has it elsewhere.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace.h"

#define MAX_CELLS UINT64_C(200000000) /* of the table: 400 MB */
#define CONTEXT	  2u		      /* equal records printed around differences */

/*
 * Rules
 */

/* Does the section "[PHASE ...]" speak of @phase?  Of no phase: every section does. */
static bool section_has(const char *section, const char *phase)
{
	size_t len = phase ? strlen(phase) : 0;

	while (phase && *section != '\0' && *section != ']') {
		size_t width = strcspn(++section, " ]");

		if (width == len && !memcmp(section, phase, len))
			return true;
		section += width;
	}
	return !phase;
}

/* "SIDE PATTERN # REASON" */
static int parse_rule(char *line, struct cli_trace_rule *out)
{
	char *hash = strchr(line, '#'), *pattern = line + 1, *end;

	if (!strchr("-+*~", line[0]) || !hash)
		return -1;
	pattern += strspn(pattern, " \t");
	for (end = hash; end > pattern && strchr(" \t", end[-1]); end--)
		continue;
	*end = '\0';
	hash += 1 + strspn(hash + 1, " \t");
	*out = (struct cli_trace_rule){ line[0], pattern, hash, 0 };
	return *pattern && *hash ? 0 : -1;
}

static int parse_rules(const char *path, const char *phase, struct cli_trace_rules *out)
{
	bool wanted = true;
	u32 line = 0;

	for (char *at = out->text, *next; at; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		line++;
		if (at[0] == '[')
			wanted = section_has(at, phase);
		if (!at[0] || strchr("#[", at[0]))
			continue;
		if (parse_rule(at, &out->rules[out->nr]))
			return cli_fail(
				CLI_BAD_INPUT,
				"%s:%u: expected 'SIDE PATTERN # REASON' with a side of -, +, "
				"* or ~",
				path, line);
		out->nr += wanted;
	}
	return 0;
}

int cli_trace_rules_read(const char *path, const char *phase, struct cli_trace_rules *out)
{
	struct cli_file file;
	size_t lines = 1;
	int ret;

	*out = (struct cli_trace_rules){ 0 };
	ret = cli_file_open(path, &file);
	if (ret)
		return ret;
	for (size_t i = 0; i < file.size; i++)
		lines += ((const char *)file.data)[i] == '\n';
	out->text = file.size ? strndup(file.data, file.size) : strdup("");
	out->rules = calloc(lines, sizeof(*out->rules));
	cli_file_close(&file);
	if (!out->text || !out->rules)
		return cli_fail(CLI_FAILED, "no memory");
	return parse_rules(path, phase, out);
}

void cli_trace_rules_fini(struct cli_trace_rules *rules)
{
	free(rules->text);
	free(rules->rules);
	*rules = (struct cli_trace_rules){ 0 };
}

static const struct cli_trace_rule *allowed(struct cli_trace_rules *rules, char side,
					    const char *text)
{
	for (u32 i = 0; i < rules->nr; i++) {
		struct cli_trace_rule *r = &rules->rules[i];

		if ((r->side == side || (r->side == '*' && side != '~')) &&
		    !fnmatch(r->pattern, text, 0)) {
			r->hits++;
			return r;
		}
	}
	return NULL;
}

/*
 * Longest common subsequence
 */

static bool same(const struct cli_trace_rec *a, const struct cli_trace_rec *b)
{
	return !strcmp(a->text, b->text);
}

/* len[i * (nb + 1) + j]: of the common subsequence of a[i..] and b[j..] */
static u16 *table(const struct cli_trace *a, const struct cli_trace *b)
{
	u64 cells = ((u64)a->nr + 1) * ((u64)b->nr + 1);
	u16 *len;

	if (cells > MAX_CELLS || a->nr > UINT16_MAX || b->nr > UINT16_MAX)
		return NULL;
	len = calloc(cells, sizeof(*len));
	for (u32 i = a->nr; len && i-- > 0;) {
		u16 *row = len + (u64)i * (b->nr + 1), *below = row + b->nr + 1;

		for (u32 j = b->nr; j-- > 0;) {
			if (same(&a->recs[i], &b->recs[j]))
				row[j] = (u16)(below[j + 1] + 1);
			else
				row[j] = below[j] > row[j + 1] ? below[j] : row[j + 1];
		}
	}
	return len;
}

/*
 * Differences.  What one trace lacks here and has too much elsewhere is moved.
 */

struct difference {
	const struct cli_trace_rec *rec;
	char side;
	bool moved;
	u32 after; /* equal records before it */
};

struct differences {
	struct difference *list;
	u32 nr, nr_equal;
};

static void add(struct differences *d, char side, const struct cli_trace_rec *rec)
{
	d->list[d->nr++] = (struct difference){ rec, side, false, d->nr_equal };
}

static void walk(struct differences *d, const struct cli_trace *a, const struct cli_trace *b,
		 const struct cli_trace_rec **equal, const u16 *len)
{
	u32 i = 0, j = 0;

	while (i < a->nr || j < b->nr) {
		const u16 *row = len + (u64)i * (b->nr + 1);

		if (i < a->nr && j < b->nr && same(&a->recs[i], &b->recs[j])) {
			equal[d->nr_equal++] = &a->recs[i];
			i++, j++;
		} else if (i < a->nr && (j == b->nr || row[b->nr + 1 + j] >= row[j + 1])) {
			add(d, '-', &a->recs[i++]);
		} else {
			add(d, '+', &b->recs[j++]);
		}
	}
}

static void find_moved(struct differences *d)
{
	for (u32 i = 0; i < d->nr; i++) {
		struct difference *from = &d->list[i];

		for (u32 j = 0; from->side == '-' && !from->moved && j < d->nr; j++) {
			struct difference *to = &d->list[j];

			if (to->side == '+' && !to->moved && same(from->rec, to->rec))
				from->moved = to->moved = true;
		}
	}
}

/*
 * Printing
 */

static void print_equal(const struct differences *d, const struct cli_trace_rec *const *equal,
			u32 from, u32 to, bool first)
{
	u32 start = !first && to - from > CONTEXT ? from + CONTEXT : to;

	if (first)
		return;
	for (u32 i = from; i < start; i++)
		printf("  %s\n", equal[i]->text);
	if (start < to || (to == d->nr_equal && start - from == CONTEXT))
		puts("  ...");
}

/* Is it allowed? */
static bool print_difference(const struct difference *diff, struct cli_trace_rules *rules)
{
	const struct cli_trace_rule *rule =
		allowed(rules, diff->moved ? '~' : diff->side, diff->rec->text);

	printf("%c %s (line %u%s)%s%s\n", diff->side, diff->rec->text, diff->rec->line,
	       diff->moved ? ", moved" : "", rule ? "  allowed: " : "", rule ? rule->reason : "");
	return rule != NULL;
}

static u32 print_all(const struct differences *d, const struct cli_trace_rec *const *equal,
		     struct cli_trace_rules *rules)
{
	u32 nr_allowed = 0, at = 0;

	for (u32 i = 0; i < d->nr; i++) {
		print_equal(d, equal, at, d->list[i].after, i == 0);
		at = d->list[i].after;
		nr_allowed += print_difference(&d->list[i], rules);
	}
	print_equal(d, equal, at, d->nr_equal, d->nr == 0);
	for (u32 i = 0; i < rules->nr; i++)
		if (!rules->rules[i].hits)
			printf("note: no difference is allowed by '%c %s' any more\n",
			       rules->rules[i].side, rules->rules[i].pattern);
	printf("%u equal, %u allowed differences, %u others\n", d->nr_equal, nr_allowed,
	       d->nr - nr_allowed);
	return d->nr - nr_allowed;
}

int cli_trace_diff(const struct cli_trace *a, const struct cli_trace *b,
		   struct cli_trace_rules *rules)
{
	const struct cli_trace_rec **equal = calloc((size_t)a->nr + 1, sizeof(*equal));
	struct differences d = { .list = calloc((size_t)a->nr + b->nr + 1, sizeof(*d.list)) };
	u16 *len = table(a, b);
	int ret;

	if (equal && d.list && len) {
		walk(&d, a, b, equal, len);
		find_moved(&d);
		ret = print_all(&d, equal, rules) ? CLI_MISMATCH : CLI_OK;
	} else {
		ret = cli_fail(CLI_FAILED,
			       "%u and %u records are too many to compare; --phase, --until or "
			       "--writes makes them fewer",
			       a->nr, b->nr);
	}
	free(len);
	free(d.list);
	free(equal);
	return ret;
}
