// SPDX-License-Identifier: MIT
/* /dev/accel/accelN: is it there, and may the user open it? */
#include <errno.h>
#include <string.h>

#include "cli/doctor/doctor.h"

static bool on_accel(void *opaque, const char *name)
{
	char *out = opaque;

	if (strncmp(name, "accel", 5) != 0 || strlen(name) > 16)
		return true;
	snprintf(out, 32, "%s", name);
	doctor_printable(out);
	return false;
}

/* What container runtimes leave behind for their guests to see. */
static bool in_container(const struct doctor *d)
{
	return doctor_exists(d, "/.dockerenv") || doctor_exists(d, "/run/.containerenv") ||
	       doctor_exists(d, "/run/systemd/container");
}

static void check_mode(struct doctor *d, const struct stat *st)
{
	u32 mode = st->st_mode & 0777;

	if (doctor_may_open(d, d->node, st))
		doctor_ok(d, "node", d->node, "%s may open it (mode %03o, group %u)", d->user, mode,
			  st->st_gid);
	else if (!(mode & 060) || !st->st_gid)
		doctor_find(d, DOCTOR_NODE_GROUP, d->node, "mode %03o, group %u, owner %u", mode,
			    st->st_gid, st->st_uid);
	else
		doctor_find(d, DOCTOR_NODE_DENIED, d->node,
			    "%s is not in group %u, which may (mode %03o)", d->user, st->st_gid,
			    mode);
}

void doctor_check_node(struct doctor *d)
{
	char dir[DOCTOR_PATH], name[32] = "";
	struct stat st;
	int ret;

	if (!doctor_is_bound(d))
		return;
	snprintf(dir, sizeof(dir), "%s/accel", d->npu->dir);
	doctor_each_entry(d, dir, on_accel, name);
	if (!name[0]) {
		doctor_find(d, DOCTOR_NO_NODE, dir, "the driver has registered none");
		return;
	}
	snprintf(d->node, sizeof(d->node), "/dev/accel/%s", name);
	ret = doctor_stat(d, d->node, &st);
	if (!ret && d->live && !S_ISCHR(st.st_mode))
		ret = -ENODEV; /* what a bind mount of nothing leaves */
	if (!ret)
		check_mode(d, &st);
	else if (in_container(d))
		doctor_find(d, DOCTOR_NODE_CONTAINER, d->node, "%s", strerror(-ret));
	else
		doctor_find(d, DOCTOR_NO_NODE, d->node, "%s", strerror(-ret));
}
