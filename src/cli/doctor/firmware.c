// SPDX-License-Identifier: MIT
/*
 * The firmware file the kernel will take.  Its search: each name in turn, plain, then .zst, then .xz,
 * each in every directory; the first found decides.
 * SRC: P 4.1; linux drivers/base/firmware_loader/main.c fw_path, _request_firmware
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "abi/fw_image.h"
#include "cli/doctor/doctor.h"
#include "client/firmware.h"

#define NR_DIRS 5u

struct search {
	char dirs[NR_DIRS][DOCTOR_PATH / 2];
	u32 nr_dirs;
	char path[DOCTOR_PATH];
	const char *suffix; /* "", ".zst", ".xz" */
};

static void add_dir(struct search *s, const char *dir, const char *sub)
{
	snprintf(s->dirs[s->nr_dirs++], sizeof(s->dirs[0]), "%s%s%s", dir, sub[0] ? "/" : "", sub);
}

static void list_dirs(const struct doctor *d, struct search *s)
{
	char extra[100];

	doctor_line(d, "/sys/module/firmware_class/parameters/path", extra, sizeof(extra));
	if (extra[0] == '/')
		add_dir(s, extra, "");
	add_dir(s, "/lib/firmware/updates", d->kernel);
	add_dir(s, "/lib/firmware/updates", "");
	add_dir(s, "/lib/firmware", d->kernel);
	add_dir(s, "/lib/firmware", "");
}

static bool find_file(const struct doctor *d, struct search *s)
{
	static const char *const suffixes[] = { "", ".zst", ".xz" };

	for (const char *const *name = d->npu->gen->fw_names; *name; name++) {
		for (size_t i = 0; i < BASE_ARRAY_SIZE(suffixes); i++) {
			s->suffix = suffixes[i];
			for (u32 dir = 0; dir < s->nr_dirs; dir++) {
				snprintf(s->path, sizeof(s->path), "%s/%s%s", s->dirs[dir], *name,
					 s->suffix);
				if (doctor_exists(d, s->path))
					return true;
			}
		}
	}
	return false;
}

static void tell_missing(struct doctor *d, const struct search *s)
{
	char names[160] = "", dirs[400] = "";
	size_t used = 0;

	for (const char *const *name = d->npu->gen->fw_names; *name && used < sizeof(names); name++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", *name);
	used = 0;
	for (u32 i = 0; i < s->nr_dirs && used < sizeof(dirs); i++)
		used += (size_t)snprintf(dirs + used, sizeof(dirs) - used, "%s%s", i ? ", " : "",
					 s->dirs[i]);
	doctor_find(d, DOCTOR_FW_MISSING, dirs, "none of %s, each also with .zst and .xz", names);
}

/* --- compressed ---------------------------------------------------------------------------- */

struct kernel_option {
	const char *name;
	bool seen, on;
};

static bool on_config(void *opaque, const char *line)
{
	struct kernel_option *o = opaque;
	size_t len = strlen(o->name);

	/* a config that tells of the loader tells of this option, too */
	if (!strncmp(line, "CONFIG_FW_LOADER=", 17))
		o->seen = true;
	if (!strncmp(line, o->name, len) && line[len] == '=')
		o->on = line[len + 1] == 'y';
	return !o->on;
}

static void check_compressed(struct doctor *d, const struct search *s)
{
	struct kernel_option option = { .name = !strcmp(s->suffix, ".zst")
							? "CONFIG_FW_LOADER_COMPRESS_ZSTD"
							: "CONFIG_FW_LOADER_COMPRESS_XZ" };
	char path[DOCTOR_PATH];

	snprintf(path, sizeof(path), "/boot/config-%s", d->kernel);
	doctor_each_line(d, path, on_config, &option);
	if (option.seen && !option.on)
		doctor_find(d, DOCTOR_FW_COMPRESSED, s->path, "%s is not set in %s", option.name,
			    path);
	else
		doctor_ok(d, "firmware", s->path,
			  "is there; compressed, so its content was not checked");
}

/* --- content ------------------------------------------------------------------------------- */

/* What this generation's driver says, and whom its maker's text names. */
static const char *judge(const struct doctor *d, const void *file, size_t size,
			 struct client_fw_fit *mine)
{
	const char *named = NULL;
	struct client_fw_fit fit;

	for (u32 i = 0; client_fw_fit(i, file, size, &fit); i++) {
		if (!strcmp(fit.gen, d->npu->gen->name))
			*mine = fit;
		if (fit.named)
			named = fit.gen;
	}
	return named;
}

static void check_age(struct doctor *d, const void *file, const char *path)
{
	char version[ABI_FW_VERSION_TEXT + 1], ours[ABI_FW_VERSION_TEXT + 1];
	struct abi_fw_header h;
	struct abi_fw_spec spec;
	u32 jsm;

	abi_fw_image_header(file, &h);
	abi_fw_image_version(file, version, sizeof(version));
	abi_fw_spec_init(&spec, 0, 0, 0);
	snprintf(ours, sizeof(ours), "%s", spec.version);
	jsm = h.api_version[ABI_FW_API_JSM];
	if (!strcmp(version, ours) && doctor_is_virtual(d->npu))
		doctor_ok(d, "firmware", path, "the project's own, which a virtual NPU boots");
	else if (!strcmp(version, ours))
		doctor_find(d, DOCTOR_FW_OURS, path, "version: %.120s", version);
	else if (jsm < ABI_FW_JSM_HWS)
		doctor_find(d, DOCTOR_FW_OLD, path, "message version %u.%u, expected %u.%u: %.100s",
			    ABI_API_MAJOR(jsm), ABI_API_MINOR(jsm), ABI_API_MAJOR(ABI_FW_JSM_HWS),
			    ABI_API_MINOR(ABI_FW_JSM_HWS), version);
	else
		doctor_ok(d, "firmware", path, "%.200s", version);
}

static void check_content(struct doctor *d, const void *file, size_t size, const char *path)
{
	struct client_fw_fit mine = { 0 };
	const char *named = judge(d, file, size, &mine);

	if (named && strcmp(named, d->npu->gen->name) != 0)
		doctor_find(d, DOCTOR_FW_WRONG, path, "is made for %s, this is %s", named,
			    d->npu->gen->name);
	else if (!mine.fits)
		doctor_find(d, DOCTOR_FW_BAD, path, "%.300s", mine.why);
	else
		check_age(d, file, path);
}

static void check_plain(struct doctor *d, const char *path)
{
	const struct reg_va *va = &d->npu->gen->va;
	u64 max = va->runtime.end - va->runtime.start + ABI_FW_IMAGE_OFF;
	struct stat st;
	int nr = doctor_stat(d, path, &st);
	void *file;

	if (!nr && (!S_ISREG(st.st_mode) || (u64)st.st_size > max)) {
		doctor_find(d, DOCTOR_FW_BAD, path,
			    "%s, expected a file of at most %" PRIu64 " bytes",
			    S_ISREG(st.st_mode) ? "too large" : "not a regular file", max);
		return;
	}
	file = nr ? NULL : base_zalloc((size_t)st.st_size + 1);
	if (file)
		nr = doctor_read(d, path, file, (size_t)st.st_size);
	if (!file || nr < 0)
		doctor_find(d, DOCTOR_FW_UNREADABLE, path, "%s",
			    nr < 0 ? strerror(-nr) : "no memory for it");
	else
		check_content(d, file, (size_t)nr, path);
	base_free(file);
}

void doctor_check_firmware(struct doctor *d)
{
	struct search s = { 0 };

	if (!d->npu->gen)
		return;
	list_dirs(d, &s);
	if (!find_file(d, &s)) {
		tell_missing(d, &s);
		return;
	}
	snprintf(d->firmware, sizeof(d->firmware), "%s", s.path);
	if (s.suffix[0])
		check_compressed(d, &s);
	else
		check_plain(d, s.path);
}
