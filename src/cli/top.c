// SPDX-License-Identifier: MIT
/* The view of npu top: what happened between two looks at a device's nodes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/watch.h"

#define BAR_WIDTH 30

/* The value behind "key: " at the start of a line, up to its end; NULL when there is none. */
static const char *value_of(const char *text, const char *key, size_t *len)
{
	size_t key_len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, key_len) && !strncmp(line + key_len, ": ", 2)) {
			line += key_len + 2;
			*len = strcspn(line, "\n");
			return line;
		}
	}
	return NULL;
}

u64 top_number(const char *text, const char *key)
{
	size_t len;
	const char *value = value_of(text, key, &len);

	return value ? strtoull(value, NULL, 0) : 0;
}

static const char *word(const char *text, const char *key, char *buf, size_t size)
{
	size_t len = 0;
	const char *value = value_of(text, key, &len);

	snprintf(buf, size, "%.*s", (int)len, value ? value : "");
	return buf;
}

void top_free(struct top_sample *sample)
{
	base_free(sample->status);
	base_free(sample->metrics);
	base_free(sample->clients);
	base_free(sample->info);
	*sample = (struct top_sample){ 0 };
}

int top_take(struct npu_device *dev, struct top_sample *out)
{
	*out = (struct top_sample){ .status = cli_node_text(dev, "status") };
	if (out->status)
		out->metrics = cli_node_text(dev, "metrics");
	if (out->metrics)
		out->clients = cli_node_text(dev, "clients");
	if (out->clients)
		out->info = cli_node_text(dev, "info");
	return out->info ? 0 : CLI_FAILED;
}

/* What is computed of two samples. */
struct rates {
	double seconds, busy; /* 0..1 */
	double jobs_per_s, failed_per_s, irqs_per_s;
};

static double per_s(const struct top_sample *a, const struct top_sample *b, const char *key,
		    double seconds)
{
	u64 from = top_number(a->metrics, key), to = top_number(b->metrics, key);

	return seconds > 0 && to > from ? (double)(to - from) / seconds : 0;
}

static struct rates rates_of(const struct top_sample *a, const struct top_sample *b)
{
	struct rates r = { .seconds = (double)(top_number(b->metrics, "time_ns") -
					       top_number(a->metrics, "time_ns")) /
				      1e9 };

	r.busy = per_s(a, b, "busy_ns", r.seconds) / 1e9;
	r.busy = r.busy > 1 ? 1 : r.busy;
	r.jobs_per_s = per_s(a, b, "jobs_done", r.seconds);
	r.failed_per_s = per_s(a, b, "jobs_failed", r.seconds);
	r.irqs_per_s = per_s(a, b, "irqs", r.seconds);
	return r;
}

/*
 * JSON: one object a sample, on one line
 */

static void put_string(FILE *out, const char *s, size_t len)
{
	fputc('"', out);
	for (size_t i = 0; i < len; i++) /* nodes are printable ASCII */
		fprintf(out, s[i] == '"' || s[i] == '\\' ? "\\%c" : "%c", s[i]);
	fputc('"', out);
}

static bool is_number(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0 && (len == 1 || s[0] != '0');
}

static void put_value(FILE *out, const char *s, size_t len)
{
	if (is_number(s, len))
		fwrite(s, 1, len, out);
	else
		put_string(out, s, len);
}

/* "key: value" lines as members. */
static void put_members(FILE *out, const char *text, const char *comma)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *colon = strstr(line, ": ");
		size_t len = strcspn(line, "\n");

		if (!colon || colon > line + len)
			continue;
		fputs(comma, out);
		comma = ",";
		put_string(out, line, (size_t)(colon - line));
		fputc(':', out);
		put_value(out, colon + 2, len - (size_t)(colon + 2 - line));
	}
}

/* The next key=value of a line; the value may be quoted.  False at the line's end. */
static bool next_pair(const char **at, const char **key, size_t *key_len, const char **value,
		      size_t *len)
{
	const char *p = *at + strspn(*at, " "), *equals = strchr(p, '=');

	if (!equals || equals > p + strcspn(p, "\n"))
		return false;
	*key = p;
	*key_len = (size_t)(equals - p);
	p = equals + 1;
	if (*p == '"') { /* quotes inside are escaped by the service */
		*value = p + 1;
		*len = strcspn(p + 1, "\"\n");
		p += 2 + *len;
	} else {
		*value = p;
		*len = strcspn(p, " \n");
		p += *len;
	}
	*at = p;
	return true;
}

static void put_client(FILE *out, const char *line)
{
	const char *at = line + strcspn(line, ":") + 1, *key, *value;
	size_t key_len, len;

	fprintf(out, "{\"client\":");
	put_string(out, line, strcspn(line, ":"));
	while (next_pair(&at, &key, &key_len, &value, &len)) {
		fputc(',', out);
		put_string(out, key, key_len);
		fputc(':', out);
		put_value(out, value, len);
	}
	fputc('}', out);
}

static void show_json(FILE *out, const struct top_sample *now, const struct rates *r)
{
	const char *comma = "";

	fprintf(out,
		"{\"seconds\":%.6f,\"busy\":%.4f,\"jobs_per_s\":%.3f,\"failed_per_s\":%.3f,"
		"\"irqs_per_s\":%.3f",
		r->seconds, r->busy, r->jobs_per_s, r->failed_per_s, r->irqs_per_s);
	put_members(out, now->info, ",");
	put_members(out, now->status, ",");
	put_members(out, now->metrics, ",");
	fprintf(out, ",\"client_list\":[");
	for (const char *line = now->clients; *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		fputs(comma, out);
		comma = ",";
		put_client(out, line);
	}
	fprintf(out, "]}\n");
}

/*
 * Text
 */

static void show_line(FILE *out, const struct top_sample *now, const struct rates *r)
{
	char state[32];

	fprintf(out,
		"%s  busy %5.1f %%  %" PRIu64 " MHz  %9.1f jobs/s  %6.1f failed/s  %" PRIu64
		" pending  %.1f MiB  %" PRIu64 " faults\n",
		word(now->status, "state", state, sizeof(state)), 100 * r->busy,
		top_number(now->status, "freq_mhz"), r->jobs_per_s, r->failed_per_s,
		top_number(now->status, "jobs_pending"),
		(double)top_number(now->status, "memory_bytes") / (1 << 20),
		top_number(now->metrics, "mmu_faults"));
}

static void show_bar(FILE *out, double part)
{
	int full = (int)(part * BAR_WIDTH + 0.5);

	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < full ? '#' : '-', out);
}

static const char *pair(const char *line, const char *want, char *buf, size_t size)
{
	const char *at = line + strcspn(line, ":\n"), *key, *value;
	size_t key_len, len;

	at += *at == ':';
	buf[0] = '\0';
	while (next_pair(&at, &key, &key_len, &value, &len))
		if (key_len == strlen(want) && !strncmp(key, want, key_len))
			snprintf(buf, size, "%.*s", (int)len, value);
	return buf;
}

static double pair_number(const char *line, const char *want)
{
	char buf[32];

	return line ? (double)strtoull(pair(line, want, buf, sizeof(buf)), NULL, 10) : 0;
}

/* The line of the same client, or NULL. */
static const char *same_client(const char *text, const char *line)
{
	size_t len = strcspn(line, ":") + 1;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, line, len))
			return p;
	return NULL;
}

static void show_client(FILE *out, const struct top_sample *before, const char *line,
			double seconds)
{
	const char *old = same_client(before->clients, line);
	double jobs = pair_number(line, "jobs_done") - pair_number(old, "jobs_done");
	double busy = pair_number(line, "busy_ns") - pair_number(old, "busy_ns");
	char name[40], pid[16];

	fprintf(out, "%-24.24s %8s %8.0f %6.0f %9.1f %10.1f %7.1f\n",
		pair(line, "name", name, sizeof(name)), pair(line, "pid", pid, sizeof(pid)),
		pair_number(line, "contexts"), pair_number(line, "queues"),
		pair_number(line, "memory_bytes") / (1 << 20), seconds > 0 ? jobs / seconds : 0,
		seconds > 0 ? busy / seconds / 1e7 : 0);
}

static void show_screen(FILE *out, const struct top_sample *before, const struct top_sample *now,
			const struct rates *r)
{
	char a[64], b[64], c[64];

	fprintf(out, "\033[H\033[J%s  %s  %s  %s\n", word(now->info, "location", a, sizeof(a)),
		word(now->info, "gen", b, sizeof(b)), word(now->info, "product", c, sizeof(c)),
		word(now->status, "state", a, sizeof(a)));
	fprintf(out, "busy  [");
	show_bar(out, r->busy);
	fprintf(out, "] %5.1f %%   %" PRIu64 " of %" PRIu64 " MHz\n", 100 * r->busy,
		top_number(now->status, "freq_mhz"), top_number(now->info, "freq_max_mhz"));
	fprintf(out,
		"jobs  %.1f/s, %.1f/s failed, %" PRIu64 " pending, %" PRIu64 " done, %" PRIu64
		" failed\n",
		r->jobs_per_s, r->failed_per_s, top_number(now->status, "jobs_pending"),
		top_number(now->metrics, "jobs_done"), top_number(now->metrics, "jobs_failed"));
	fprintf(out,
		"other %.1f MiB in %" PRIu64 " buffers, %.1f interrupts/s, %" PRIu64
		" MMU faults\n\n",
		(double)top_number(now->status, "memory_bytes") / (1 << 20),
		top_number(now->status, "buffers"), r->irqs_per_s,
		top_number(now->metrics, "mmu_faults"));
	fprintf(out, "%-24s %8s %8s %6s %9s %10s %7s\n", "client", "pid", "contexts", "queues",
		"MiB", "jobs/s", "busy %");
	for (const char *line = now->clients; *line;
	     line += strcspn(line, "\n"), line += *line == '\n')
		show_client(out, before, line, r->seconds);
}

void top_show(const struct cli_watch_args *args, bool live, const struct top_sample *before,
	      const struct top_sample *now)
{
	struct rates r = rates_of(before, now);

	if (args->json)
		show_json(args->out, now, &r);
	else if (live)
		show_screen(args->out, before, now, &r);
	else
		show_line(args->out, now, &r);
	fflush(args->out);
}
