// SPDX-License-Identifier: MIT
/* What VFIO wants before a program, or a virtual machine, can have the device for itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"

#define PCI_CLASS_BRIDGE 0x06

static int group_of(const struct doctor *d, char *buf, size_t size)
{
	char path[DOCTOR_PATH];

	snprintf(path, sizeof(path), "%s/iommu_group", d->npu->dir);
	return doctor_link(d, path, buf, size);
}

struct members {
	const struct doctor *d;
	u32 nr;
	char names[160];
};

/* Bridges may share a group: they need not be bound. */
static bool on_member(void *opaque, const char *name)
{
	struct members *m = opaque;
	size_t used = strlen(m->names);
	char path[DOCTOR_PATH];
	u32 class_code = 0;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.40s/class", name);
	doctor_hex(m->d, path, &class_code);
	if (!strcmp(name, m->d->npu->bdf) || class_code >> 16 == PCI_CLASS_BRIDGE)
		return true;
	m->nr++;
	snprintf(m->names + used, sizeof(m->names) - used, " %.40s", name);
	doctor_printable(m->names);
	return true;
}

void doctor_check_iommu(struct doctor *d)
{
	struct members m = { .d = d };
	char group[16], path[DOCTOR_PATH];

	snprintf(path, sizeof(path), "%s/iommu_group", d->npu->dir);
	if (group_of(d, group, sizeof(group))) {
		doctor_find(d, DOCTOR_IOMMU_OFF, path, "no group");
		return;
	}
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/devices", group);
	doctor_each_entry(d, path, on_member, &m);
	if (m.nr)
		doctor_find(d, DOCTOR_IOMMU_SHARED, path, "group %s also has%s", group, m.names);
	else
		doctor_ok(d, "iommu", path, "group %s has nothing else in it", group);
}

static void check_group_node(struct doctor *d, const char *group)
{
	struct stat st;
	int ret;

	snprintf(d->node, sizeof(d->node), "/dev/vfio/%s", group);
	ret = doctor_stat(d, d->node, &st);
	if (ret)
		doctor_find(d, DOCTOR_VFIO_NODE, d->node, "%s", strerror(-ret));
	else if (doctor_may_open(d, d->node, &st))
		doctor_ok(d, "vfio", d->node, "%s may open it", d->user);
	else
		doctor_find(d, DOCTOR_VFIO_DENIED, d->node, "mode %03o, owner %u, group %u",
			    st.st_mode & 0777, st.st_uid, st.st_gid);
}

void doctor_check_vfio(struct doctor *d)
{
	char path[DOCTOR_PATH], group[16];

	snprintf(path, sizeof(path), "%s/driver", d->npu->dir);
	if (!doctor_exists(d, "/sys/bus/pci/drivers/vfio-pci")) {
		doctor_find(d, DOCTOR_VFIO_MODULE, "/sys/bus/pci/drivers/vfio-pci", "not there");
	} else if (strcmp(d->npu->driver, "vfio-pci") != 0) {
		doctor_find(d, DOCTOR_VFIO_UNBOUND, path, "%s has it",
			    d->npu->driver[0] ? d->npu->driver : "no driver");
	} else {
		doctor_ok(d, "vfio", path, "vfio-pci has it");
		if (!group_of(d, group, sizeof(group)))
			check_group_node(d, group);
	}
	doctor_info(
		d, "vfio", "",
		"this version of npu has no VFIO back end; QEMU's vfio-pci takes a device so bound");
}

struct limit {
	bool seen, unlimited;
	u64 bytes;
};

static bool on_limit(void *opaque, const char *line)
{
	static const char key[] = "Max locked memory";
	struct limit *limit = opaque;
	const char *at;

	if (strncmp(line, key, sizeof(key) - 1) != 0)
		return true;
	at = line + sizeof(key) - 1;
	at += strspn(at, " ");
	limit->seen = true;
	limit->unlimited = !strncmp(at, "unlimited", 9);
	limit->bytes = strtoull(at, NULL, 10);
	return false;
}

/* VFIO pins what the device may reach, and counts it against this limit. */
void doctor_check_memlock(struct doctor *d)
{
	const struct reg_gen *gen = d->npu->gen;
	struct limit limit = { 0 };
	u64 need;

	if (!gen)
		return;
	need = gen->va.runtime.end - gen->va.runtime.start;
	doctor_each_line(d, "/proc/self/limits", on_limit, &limit);
	if (!limit.seen)
		doctor_info(d, "memlock", "/proc/self/limits", "cannot be read");
	else if (limit.unlimited)
		doctor_ok(d, "memlock", "/proc/self/limits", "no limit");
	else if (limit.bytes < need)
		doctor_find(d, DOCTOR_MEMLOCK, "/proc/self/limits",
			    "%" PRIu64 " bytes, the firmware takes %" PRIu64, limit.bytes, need);
	else
		doctor_ok(d, "memlock", "/proc/self/limits", "%" PRIu64 " bytes", limit.bytes);
}
