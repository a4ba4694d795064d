// SPDX-License-Identifier: MIT
/* Whose permissions count.  Under sudo that is who called it: root may everything, and learns nothing. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"

static void add_gid(struct doctor *d, u32 gid)
{
	if (d->nr_gids < DOCTOR_MAX_GROUPS)
		d->gids[d->nr_gids++] = gid;
}

/* Cuts @line at its colons; @parts beyond its last are "". */
static void split(char *line, const char **parts, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		size_t len = strcspn(line, ":");
		bool more = line[len];

		parts[i] = line;
		line[len] = '\0';
		line += len + more;
	}
}

static bool parse_id(const char *text, u32 *out)
{
	char *end;
	unsigned long val = strtoul(text, &end, 10);

	*out = (u32)val;
	return end != text && !*end && val < UINT32_MAX;
}

struct search {
	struct doctor *d;
	bool found;
};

static bool on_passwd(void *opaque, const char *line)
{
	struct search *s = opaque;
	const char *f[4];
	char copy[1024];
	u32 uid, gid;

	snprintf(copy, sizeof(copy), "%s", line);
	split(copy, f, 4);
	if (strcmp(f[0], s->d->user) != 0 || !parse_id(f[2], &uid) || !parse_id(f[3], &gid))
		return true;
	s->d->uid = uid;
	add_gid(s->d, gid);
	s->found = true;
	return false;
}

static bool has_member(const char *list, const char *name)
{
	size_t want = strlen(name);

	while (*list) {
		size_t len = strcspn(list, ",");

		if (len == want && !memcmp(list, name, len))
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

static bool on_group(void *opaque, const char *line)
{
	struct search *s = opaque;
	const char *f[4];
	char copy[1024];
	u32 gid;

	snprintf(copy, sizeof(copy), "%s", line);
	split(copy, f, 4);
	if (parse_id(f[2], &gid) && has_member(f[3], s->d->user))
		add_gid(s->d, gid);
	return true;
}

static int look_up(struct doctor *d, const char *name)
{
	struct search s = { .d = d };

	snprintf(d->user, sizeof(d->user), "%s", name);
	doctor_printable(d->user);
	doctor_each_line(d, "/etc/passwd", on_passwd, &s);
	if (!s.found)
		return -ENOENT;
	doctor_each_line(d, "/etc/group", on_group, &s);
	return 0;
}

static void take_caller(struct doctor *d)
{
	gid_t gids[DOCTOR_MAX_GROUPS];
	int nr = getgroups(DOCTOR_MAX_GROUPS, gids);
	const struct passwd *pw = getpwuid(geteuid());

	d->self = true;
	d->uid = geteuid();
	add_gid(d, getegid());
	for (int i = 0; i < nr; i++)
		add_gid(d, gids[i]);
	if (pw)
		snprintf(d->user, sizeof(d->user), "%s", pw->pw_name);
	else
		snprintf(d->user, sizeof(d->user), "%u", d->uid);
	doctor_printable(d->user);
}

int doctor_user_init(struct doctor *d, const char *name)
{
	const char *sudo = d->live && !geteuid() ? getenv("SUDO_USER") : NULL;

	if (name && look_up(d, name))
		return cli_fail(CLI_USAGE, "--user %s: %s%s has no such user", name,
				d->live ? "" : d->root, "/etc/passwd");
	if (name || (sudo && !look_up(d, sudo)))
		return 0;
	take_caller(d);
	return 0;
}

bool doctor_may_open(const struct doctor *d, const char *path, const struct stat *st)
{
	u32 shift = 0;

	if (!d->uid)
		return true;
	/* The kernel knows of access lists, the mode does not. */
	if (d->self && d->live)
		return !faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS);
	for (u32 i = 0; i < d->nr_gids; i++)
		if (d->gids[i] == st->st_gid)
			shift = 3;
	if (st->st_uid == d->uid)
		shift = 6;
	return (st->st_mode >> shift & 6) == 6;
}
