// SPDX-License-Identifier: MIT
/*
 * What other programs need to use an NPU through Linux's driver: Level Zero's loader and Intel's driver
 * library for it.  The project's own libnpu needs neither.
 * SRC: intel/linux-npu-driver docs/overview.md "Troubleshooting" (the library's old name)
 */
#include <string.h>

#include "cli/doctor/doctor.h"

static const char *const dirs[] = {
	"/usr/local/lib/x86_64-linux-gnu",
	"/usr/local/lib64",
	"/usr/local/lib",
	"/usr/lib/x86_64-linux-gnu",
	"/lib/x86_64-linux-gnu",
	"/usr/lib64",
	"/lib64",
	"/run/opengl-driver/lib",
	"/usr/lib",
	"/lib",
};

struct found {
	u32 nr;
	char path[DOCTOR_PATH], second[DOCTOR_PATH];
	struct stat st;
};

/* The same file through two directories (/lib is a link to /usr/lib) is one. */
static void find(const struct doctor *d, const char *name, struct found *f)
{
	*f = (struct found){ 0 };
	for (size_t i = 0; i < BASE_ARRAY_SIZE(dirs); i++) {
		char path[DOCTOR_PATH];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dirs[i], name);
		if (doctor_stat(d, path, &st))
			continue;
		if (!f->nr) {
			f->st = st;
			memcpy(f->path, path, sizeof(path));
		} else if (st.st_ino == f->st.st_ino && st.st_dev == f->st.st_dev) {
			continue;
		} else if (f->nr == 1) {
			memcpy(f->second, path, sizeof(path));
		}
		f->nr++;
	}
}

void doctor_check_libraries(struct doctor *d)
{
	struct found loader, driver, old;

	find(d, "libze_loader.so.1", &loader);
	find(d, "libze_intel_npu.so.1", &driver);
	find(d, "libze_intel_vpu.so.1", &old);
	if (!loader.nr)
		doctor_find(d, DOCTOR_ZE_LOADER, dirs[3], "no libze_loader.so.1");
	if (!driver.nr && !old.nr)
		doctor_find(d, DOCTOR_ZE_DRIVER, dirs[3], "no libze_intel_npu.so.1");
	if (old.nr)
		doctor_find(d, DOCTOR_ZE_OLD, old.path, "is of before v1.16 of linux-npu-driver");
	if (driver.nr > 1)
		doctor_find(d, DOCTOR_ZE_TWICE, driver.path, "and %s", driver.second);
	if (loader.nr && driver.nr == 1 && !old.nr)
		doctor_ok(d, "libraries", driver.path, "Level Zero's loader and the NPU's driver");
}
