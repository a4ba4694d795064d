// SPDX-License-Identifier: MIT
/* Kernel, module, binding: does Linux's intel_vpu have the device, and if not, why? */
#include <errno.h>
#include <string.h>

#include "cli/doctor/doctor.h"

#define MODULE	  "intel_vpu"
#define SYSMODULE "/sys/module/" MODULE

bool doctor_is_bound(const struct doctor *d)
{
	return !strcmp(d->npu->driver, MODULE);
}

/*
 * First kernels.  @without: the newest known not to have the id; @with: one known to have it.  What
 * lies between is asked of the module itself (modules.alias).
 * SRC: P 1.1 (6.12.95, 7.2); the driver came with 6.3; 6.6's ivpu_drv.h; Panther Lake was added in
 * 6.13 and to 6.12 as stable patch of 2025-06-07
 */
static const struct {
	const char *code;
	u32 without_major, without_minor;
	const char *with;
} kernels[] = {
	{ "mtl", 6, 2, "6.3" },	  { "arl", 6, 5, "6.6" },  { "lnl", 6, 5, "6.6" },
	{ "ptl", 6, 11, "6.13" }, { "wcl", 6, 12, "7.2" }, { "nvl", 6, 12, "7.2" },
};

static const char *known_kernel(const struct doctor *d, bool *too_old)
{
	*too_old = false;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(kernels); i++) {
		if (strcmp(kernels[i].code, d->npu->id->code) != 0)
			continue;
		if (d->kernel_major)
			*too_old = d->kernel_major < kernels[i].without_major ||
				   (d->kernel_major == kernels[i].without_major &&
				    d->kernel_minor <= kernels[i].without_minor);
		return kernels[i].with;
	}
	return "a newer one";
}

/* --- the module's files -------------------------------------------------------------------- */

struct module {
	char dir[DOCTOR_PATH]; /* /lib/modules/RELEASE */
	bool have_dir;
	bool built_in, installed, foreign; /* foreign: not of the kernel's own tree */
	bool have_aliases, has_alias;
	char alias[40];
};

static bool names_module(const char *line)
{
	const char *at = strstr(line, "/" MODULE ".ko");

	return at && at < line + strcspn(line, ":");
}

static bool on_dep(void *opaque, const char *line)
{
	struct module *m = opaque;

	if (!names_module(line))
		return true;
	m->installed = true;
	m->foreign = strncmp(line, "kernel/", 7) != 0;
	return false;
}

static bool on_builtin(void *opaque, const char *line)
{
	struct module *m = opaque;

	m->built_in |= names_module(line);
	return !m->built_in;
}

static bool on_alias(void *opaque, const char *line)
{
	struct module *m = opaque;

	if (!strncmp(line, "alias ", 6))
		m->have_aliases = true;
	m->has_alias |= strstr(line, m->alias) && strstr(line, " " MODULE);
	return !m->has_alias;
}

static void look_at_module(const struct doctor *d, struct module *m)
{
	char path[DOCTOR_PATH + 32];

	*m = (struct module){ 0 };
	snprintf(m->dir, sizeof(m->dir), "/lib/modules/%s", d->kernel);
	snprintf(m->alias, sizeof(m->alias), "pci:v%08Xd%08X", d->npu->vendor, d->npu->device);
	snprintf(path, sizeof(path), "%s/modules.dep", m->dir);
	m->have_dir = !doctor_each_line(d, path, on_dep, m);
	snprintf(path, sizeof(path), "%s/modules.builtin", m->dir);
	doctor_each_line(d, path, on_builtin, m);
	snprintf(path, sizeof(path), "%s/modules.alias", m->dir);
	doctor_each_line(d, path, on_alias, m);
}

/* --- what keeps it from loading ------------------------------------------------------------ */

struct block {
	const struct doctor *d;
	const char *dir;
	char where[DOCTOR_PATH], line[128];
};

static bool is_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(line, word, len) && !strchr("_-", line[len] ? line[len] : ' ');
}

/* "blacklist intel_vpu", "install intel_vpu /bin/false" */
static bool on_conf_line(void *opaque, const char *line)
{
	struct block *b = opaque;
	const char *at = line + strspn(line, " ?");
	const char *name;

	if (strncmp(at, "blacklist ", 10) != 0 && strncmp(at, "install ", 8) != 0)
		return true;
	name = strchr(at, ' ');
	name += strspn(name, " ");
	if (!is_word(name, MODULE) && !is_word(name, "intel-vpu"))
		return true;
	snprintf(b->line, sizeof(b->line), "%.120s", at);
	return false;
}

static bool on_conf(void *opaque, const char *name)
{
	struct block *b = opaque;
	size_t len = strlen(name);

	if (len < 5 || strcmp(name + len - 5, ".conf") != 0)
		return true;
	snprintf(b->where, sizeof(b->where), "%s/%.200s", b->dir, name);
	doctor_each_line(b->d, b->where, on_conf_line, b);
	return !b->line[0];
}

static bool on_boot_options(void *opaque, const char *line)
{
	struct block *b = opaque;
	const char *at = strstr(line, "blacklist=");

	for (; at; at = strstr(at + 1, "blacklist=")) {
		size_t len = strcspn(at, " ");
		const char *name = strstr(at, MODULE);

		if (name && name < at + len) {
			snprintf(b->line, sizeof(b->line), "%.*s", (int)base_min(len, (size_t)120),
				 at);
			snprintf(b->where, sizeof(b->where), "/proc/cmdline");
		}
	}
	return false;
}

static bool is_blocked(const struct doctor *d, struct block *b)
{
	static const char *const dirs[] = { "/etc/modprobe.d", "/run/modprobe.d",
					    "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
					    "/lib/modprobe.d" };

	*b = (struct block){ .d = d };
	for (size_t i = 0; i < BASE_ARRAY_SIZE(dirs) && !b->line[0]; i++) {
		b->dir = dirs[i];
		doctor_each_entry(d, dirs[i], on_conf, b);
	}
	if (!b->line[0])
		doctor_each_line(d, "/proc/cmdline", on_boot_options, b);
	return b->line[0];
}

static bool is_locked_down(const struct doctor *d)
{
	char text[64];

	return !doctor_line(d, "/sys/kernel/security/lockdown", text, sizeof(text)) &&
	       strchr(text, '[') && !strstr(text, "[none]");
}

/* --- checks -------------------------------------------------------------------------------- */

static void explain_absence(struct doctor *d, const struct module *m)
{
	struct block block;
	bool too_old;
	const char *with = known_kernel(d, &too_old);

	if (too_old)
		doctor_find(d, DOCTOR_KERNEL_OLD, "/proc/sys/kernel/osrelease",
			    "Linux %s has no driver for %04x:%04x, %s has", d->kernel,
			    d->npu->vendor, d->npu->device, with);
	else if (m->have_dir && !m->installed && !m->built_in)
		doctor_find(d, DOCTOR_MODULE_MISSING, m->dir, "no " MODULE ".ko for Linux %s",
			    d->kernel);
	else if (m->have_aliases && !m->built_in && !m->has_alias)
		doctor_find(d, DOCTOR_KERNEL_OLD, m->dir,
			    MODULE " of Linux %s does not list %04x:%04x, %s has it", d->kernel,
			    d->npu->vendor, d->npu->device, with);
	else if (is_blocked(d, &block))
		doctor_find(d, DOCTOR_MODULE_BLOCKED, block.where, "\"%s\"", block.line);
	else if (m->foreign && is_locked_down(d))
		doctor_find(d, DOCTOR_LOCKDOWN, m->dir, MODULE " is not of the kernel's own tree");
	else
		doctor_find(d, DOCTOR_MODULE_UNLOADED, SYSMODULE, MODULE " is not loaded%s",
			    m->have_dir ? "" : "; this kernel's modules are not here to look at");
}

static void explain_unbound(struct doctor *d)
{
	struct module module;

	look_at_module(d, &module);
	if (!doctor_exists(d, SYSMODULE))
		explain_absence(d, &module);
	else if (module.have_aliases && !module.built_in && !module.has_alias)
		explain_absence(d, &module);
	else
		doctor_find(d, DOCTOR_NO_DRIVER, d->npu->dir, "no driver has it");
}

void doctor_check_driver(struct doctor *d)
{
	const struct doctor_npu *npu = d->npu;
	char path[DOCTOR_PATH];

	snprintf(path, sizeof(path), "%s/driver", npu->dir);
	if (doctor_is_bound(d))
		doctor_ok(d, "driver", path, MODULE " of Linux %s has it", d->kernel);
	else if (!strcmp(npu->driver, "vfio-pci"))
		doctor_find(d, DOCTOR_BOUND_VFIO, path, "vfio-pci has it");
	else if (npu->driver[0])
		doctor_find(d, DOCTOR_BOUND_OTHER, path, "%s has it", npu->driver);
	else if (npu->gen)
		explain_unbound(d);
}
