// SPDX-License-Identifier: MIT
/* Findings: collected, then printed for people or for scripts. */
#include <stdarg.h>
#include <string.h>

#include "cli/doctor/doctor.h"

#define CLASS(id_, name_, check_, state_, meaning_, fix_) \
	[DOCTOR_##id_] = { .name = (name_),               \
			   .check = (check_),             \
			   .state = DOCTOR_##state_,      \
			   .meaning = (meaning_),         \
			   .fix = (fix_) },
const struct doctor_class doctor_classes[DOCTOR_NR_CLASSES] = {
#include "cli/doctor/classes.def"
};
#undef CLASS

static const char *const state_names[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_INFO] = "info",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_FAIL] = "fail",
};

/* --- collecting ---------------------------------------------------------------------------- */

static void append(char *buf, size_t size, const char *text, size_t len)
{
	size_t used = strlen(buf);
	size_t n = base_min(len, size - 1 - used);

	memcpy(buf + used, text, n);
	buf[used + n] = '\0';
}

/* What is found may stand in a command that is copied into a shell. */
static bool is_harmless(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_./:+~-")] == '\0';
}

static const char *value_of(const struct doctor *d, const char *token, size_t len)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{ "<bdf>", d->npu ? d->npu->bdf : "" },
		{ "<dir>", d->npu ? d->npu->dir : "" },
		{ "<node>", d->node },
		{ "<user>", d->user },
		{ "<kernel>", d->kernel },
		{ "<firmware>", d->firmware },
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == len && !memcmp(known[i].name, token, len))
			return known[i].value[0] && is_harmless(known[i].value) ? known[i].value
										: NULL;
	return NULL;
}

/* The remedy, with what was found in its places. */
static void fill_in(const struct doctor *d, const char *fix, char *buf, size_t size)
{
	buf[0] = '\0';
	while (*fix) {
		size_t len = strcspn(fix, "<");
		const char *end, *value;

		append(buf, size, fix, len);
		fix += len;
		end = strchr(fix, '>');
		if (!*fix || !end)
			break;
		len = (size_t)(end + 1 - fix);
		value = value_of(d, fix, len);
		append(buf, size, value ? value : fix, value ? strlen(value) : len);
		fix = end + 1;
	}
}

static struct doctor_finding *add(struct doctor *d, const char *check, enum doctor_state state,
				  const char *where)
{
	struct doctor_finding *f;

	d->nr_fails += state == DOCTOR_FAIL;
	d->nr_warns += state == DOCTOR_WARN;
	if (d->nr_findings == DOCTOR_MAX_FINDINGS)
		return NULL;
	f = &d->findings[d->nr_findings++];
	f->check = check;
	f->state = state;
	snprintf(f->where, sizeof(f->where), "%s", where);
	return f;
}

static void BASE_PRINTF(2, 0) say(struct doctor_finding *f, const char *fmt, va_list ap)
{
	if (f)
		vsnprintf(f->found, sizeof(f->found), fmt, ap);
}

void doctor_ok(struct doctor *d, const char *check, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(add(d, check, DOCTOR_OK, where), fmt, ap);
	va_end(ap);
}

void doctor_info(struct doctor *d, const char *check, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(add(d, check, DOCTOR_INFO, where), fmt, ap);
	va_end(ap);
}

void doctor_find(struct doctor *d, enum doctor_id id, const char *where, const char *fmt, ...)
{
	const struct doctor_class *class = &doctor_classes[id];
	struct doctor_finding *f = add(d, class->check, class->state, where);
	va_list ap;

	va_start(ap, fmt);
	say(f, fmt, ap);
	va_end(ap);
	if (!f)
		return;
	f->class = class;
	fill_in(d, class->fix, f->fix, sizeof(f->fix));
}

/* --- printing ------------------------------------------------------------------------------ */

static void print_verdict(const struct doctor *d)
{
	if (d->nr_fails)
		printf("\n%u failure%s, %u warning%s\n", d->nr_fails, d->nr_fails == 1 ? "" : "s",
		       d->nr_warns, d->nr_warns == 1 ? "" : "s");
	else
		printf("\nno failure, %u warning%s\n", d->nr_warns, d->nr_warns == 1 ? "" : "s");
}

void doctor_print_text(const struct doctor *d)
{
	for (u32 i = 0; i < d->nr_findings; i++) {
		const struct doctor_finding *f = &d->findings[i];

		printf("%-4s  %-9s  %s", state_names[f->state], f->check, f->found);
		if (f->class)
			printf("  [%s]", f->class->name);
		if (f->where[0])
			printf("  (%s)", f->where);
		putchar('\n');
		if (f->class)
			printf("      %s\n      fix: %s\n", f->class->meaning, f->fix);
	}
	print_verdict(d);
}

static void put_member(const char *key, const char *text, const char *end)
{
	printf("\"%s\": ", key);
	if (text)
		cli_json_string(text);
	else
		printf("null");
	fputs(end, stdout);
}

static void print_json_finding(const struct doctor_finding *f)
{
	const struct doctor_class *class = f->class;

	printf("    {");
	put_member("check", f->check, ", ");
	put_member("state", state_names[f->state], ", ");
	put_member("class", class ? class->name : NULL, ", ");
	put_member("found", f->found, ", ");
	put_member("where", f->where, ", ");
	put_member("meaning", class ? class->meaning : NULL, ", ");
	put_member("fix", class ? f->fix : NULL, "}");
}

void doctor_print_json(const struct doctor *d)
{
	printf("{\n  ");
	put_member("root", d->root, ",\n  ");
	put_member("kernel", d->kernel, ",\n  ");
	put_member("user", d->user, ",\n");
	printf("  \"failures\": %u,\n  \"warnings\": %u,\n  \"findings\": [\n", d->nr_fails,
	       d->nr_warns);
	for (u32 i = 0; i < d->nr_findings; i++) {
		print_json_finding(&d->findings[i]);
		puts(i + 1 < d->nr_findings ? "," : "");
	}
	puts("  ]\n}");
}

static void print_json_class(const struct doctor_class *class)
{
	printf("  {");
	put_member("class", class->name, ", ");
	put_member("check", class->check, ", ");
	put_member("state", state_names[class->state], ", ");
	put_member("meaning", class->meaning, ", ");
	put_member("fix", class->fix, "}");
}

void doctor_print_classes(bool json)
{
	if (json)
		puts("[");
	for (u32 i = 0; i < DOCTOR_NR_CLASSES; i++) {
		const struct doctor_class *class = &doctor_classes[i];

		if (json) {
			print_json_class(class);
			puts(i + 1 < DOCTOR_NR_CLASSES ? "," : "");
		} else {
			printf("%-20s %-4s  %s\n%26s fix: %s\n", class->name,
			       state_names[class->state], class->meaning, "", class->fix);
		}
	}
	if (json)
		puts("]");
}
