// SPDX-License-Identifier: MIT
/*
 * What the kernel said of the device.  Only marks that tell something the other checks cannot.
 * SRC: linux ivpu_fw.c ivpu_fw_request, ivpu_drv.c ivpu_boot, ivpu_pm.c, ivpu_gem.c; drivers/pci/pci.c;
 * reports: intel/linux-npu-driver issues 31, 87, 93, 149
 */
#include <errno.h>
#include <string.h>

#include "cli/doctor/doctor.h"

static const struct {
	const char *mark;
	enum doctor_id id;
} marks[] = {
	{ "device inaccessible", DOCTOR_LOG_GONE },
	{ "Failed to request firmware", DOCTOR_LOG_FIRMWARE },
	{ "Failed to boot the firmware", DOCTOR_LOG_BOOT },
	{ "Failed to start the firmware", DOCTOR_LOG_BOOT },
	{ "failed with error", DOCTOR_LOG_PROBE },
	{ "TDR detected", DOCTOR_LOG_RECOVERY },
	{ "Recovery triggered", DOCTOR_LOG_RECOVERY },
	{ "Failed to add BO to context", DOCTOR_LOG_SPACE },
};

struct log {
	const struct doctor *d;
	u32 nr_lines;
	char last[DOCTOR_NR_CLASSES][200];
};

static bool is_about_npu(const struct log *log, const char *line)
{
	if (strstr(line, "intel_vpu"))
		return true;
	for (u32 i = 0; i < log->d->nr_npus; i++)
		if (strstr(line, log->d->npus[i].bdf))
			return true;
	return false;
}

static bool on_line(void *opaque, const char *line)
{
	struct log *log = opaque;
	const char *text;

	if (!is_about_npu(log, line))
		return true;
	log->nr_lines++;
	if (strstr(line, "Initialized intel_vpu")) { /* what was before it is overcome */
		memset(log->last, 0, sizeof(log->last));
		return true;
	}
	for (size_t i = 0; i < BASE_ARRAY_SIZE(marks); i++) {
		if (!strstr(line, marks[i].mark))
			continue;
		text = strchr(line, ';'); /* of a record of /dev/kmsg */
		snprintf(log->last[marks[i].id], sizeof(log->last[0]), "%s",
			 text ? text + 1 : line);
		break;
	}
	return true;
}

/* Probing ends with the general sentence whatever went wrong before. */
static void drop_consequences(struct log *log)
{
	if (log->last[DOCTOR_LOG_GONE][0] || log->last[DOCTOR_LOG_FIRMWARE][0] ||
	    log->last[DOCTOR_LOG_BOOT][0])
		log->last[DOCTOR_LOG_PROBE][0] = '\0';
}

static const char *read_log(const struct doctor *d, struct log *log, int *ret)
{
	static const char *const files[] = { "/dev/kmsg", "/var/log/dmesg", "/var/log/kern.log" };

	for (size_t i = 0; i < BASE_ARRAY_SIZE(files); i++) {
		int one = doctor_each_line(d, files[i], on_line, log);

		if (!one)
			return files[i];
		if (!i)
			*ret = one;
	}
	return NULL;
}

void doctor_check_log(struct doctor *d)
{
	struct log *log = base_zalloc(sizeof(*log));
	const char *where;
	u32 nr = 0;
	int ret = 0;

	if (!log)
		return;
	log->d = d;
	where = read_log(d, log, &ret);
	drop_consequences(log);
	if (!where)
		doctor_info(d, "log", "/dev/kmsg",
			    "the kernel's log cannot be read (%s): sudo dmesg", strerror(-ret));
	for (u32 i = 0; where && i < DOCTOR_NR_CLASSES; i++) {
		if (!log->last[i][0])
			continue;
		nr++;
		doctor_find(d, (enum doctor_id)i, where, "%s", log->last[i]);
	}
	if (where && !nr)
		doctor_ok(d, "log", where, "no mark of trouble in %u lines about it",
			  log->nr_lines);
	base_free(log);
}
