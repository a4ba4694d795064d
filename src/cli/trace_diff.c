// SPDX-License-Identifier: MIT
/*
 * The differences of two traces: longest common subsequence, each difference printed with the rule
 * that allows it.
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

/* "SIDE PATTERN # REASON" */
static int parse_rule(char *line, struct cli_trace_rule *out)
{
	char *hash = strchr(line, '#'), *pattern = line + 1, *end;

	if (!strchr("-+*", line[0]) || !hash)
		return -1;
	pattern += strspn(pattern, " \t");
	for (end = hash; end > pattern && strchr(" \t", end[-1]); end--)
		continue;
	*end = '\0';
	hash += 1 + strspn(hash + 1, " \t");
	*out = (struct cli_trace_rule){ line[0], pattern, hash, 0 };
	return *pattern && *hash ? 0 : -1;
}

static int parse_rules(const char *path, struct cli_trace_rules *out)
{
	u32 line = 0;

	for (char *at = out->text, *next; at; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		line++;
		if (!at[0] || at[0] == '#')
			continue;
		if (parse_rule(at, &out->rules[out->nr]))
			return cli_fail(
				CLI_BAD_INPUT,
				"%s:%u: expected 'SIDE PATTERN # REASON' with a side of -, + "
				"or *",
				path, line);
		out->nr++;
	}
	return 0;
}

int cli_trace_rules_read(const char *path, struct cli_trace_rules *out)
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
	return parse_rules(path, out);
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

		if ((r->side == side || r->side == '*') && !fnmatch(r->pattern, text, 0)) {
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
 * Printing
 */

struct printer {
	struct cli_trace_rules *rules;
	u32 equal; /* since the last difference */
	u32 nr_equal, nr_allowed, nr_bad;
};

static void print_equal(struct printer *p, const struct cli_trace_rec *rec)
{
	p->nr_equal++;
	if (p->equal < CONTEXT && p->nr_allowed + p->nr_bad)
		printf("  %s\n", rec->text);
	else if (p->equal == CONTEXT && p->nr_allowed + p->nr_bad)
		puts("  ...");
	p->equal++;
}

static void print_difference(struct printer *p, char side, const struct cli_trace_rec *rec)
{
	const struct cli_trace_rule *rule = allowed(p->rules, side, rec->text);

	p->equal = 0;
	printf("%c %s (line %u)%s%s\n", side, rec->text, rec->line, rule ? "  allowed: " : "",
	       rule ? rule->reason : "");
	if (rule)
		p->nr_allowed++;
	else
		p->nr_bad++;
}

static void walk(struct printer *p, const struct cli_trace *a, const struct cli_trace *b,
		 const u16 *len)
{
	u32 i = 0, j = 0;

	while (i < a->nr || j < b->nr) {
		const u16 *row = len + (u64)i * (b->nr + 1);

		if (i < a->nr && j < b->nr && same(&a->recs[i], &b->recs[j])) {
			print_equal(p, &a->recs[i]);
			i++, j++;
		} else if (i < a->nr && (j == b->nr || row[b->nr + 1 + j] >= row[j + 1])) {
			print_difference(p, '-', &a->recs[i++]);
		} else {
			print_difference(p, '+', &b->recs[j++]);
		}
	}
}

int cli_trace_diff(const struct cli_trace *a, const struct cli_trace *b,
		   struct cli_trace_rules *rules)
{
	struct printer p = { .rules = rules };
	u16 *len = table(a, b);

	if (!len)
		return cli_fail(
			CLI_FAILED,
			"%u and %u records are too many to compare; --until or --writes makes "
			"them fewer",
			a->nr, b->nr);
	walk(&p, a, b, len);
	free(len);
	for (u32 i = 0; i < rules->nr; i++)
		if (!rules->rules[i].hits)
			printf("note: no difference is allowed by '%c %s' any more\n",
			       rules->rules[i].side, rules->rules[i].pattern);
	printf("%u equal, %u allowed differences, %u others\n", p.nr_equal, p.nr_allowed, p.nr_bad);
	return p.nr_bad ? CLI_MISMATCH : CLI_OK;
}
