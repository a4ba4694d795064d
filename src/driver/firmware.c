// SPDX-License-Identifier: MIT
/*
 * Finding and checking the firmware image.  SRC: design section 8 (search list), P 4.
 *
 * A file that is found decides: when it is bad, that is the error; nothing behind it is tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/ref.h"
#include "driver/dev.h"

#define ENV_FIRMWARE "NPU_FIRMWARE"

/* Only if its header fits: no package installs it, so it may be anything. */
#define LAST_RESORT "/firmware/intel_npu.bin"

static const char *const dirs[] = { "/lib/firmware/updates/", "/lib/firmware/" };
static const char *const compressed[] = { ".xz", ".zst" };

/* What was looked at, for the error that names it all. */
struct tried {
	char paths[420]; /* with the rest of the sentence it fits struct base_err */
	char found[400]; /* what is there, but of no use: the first such thing */
};

static void note(struct tried *t, const char *path)
{
	size_t len = strlen(t->paths);

	snprintf(t->paths + len, sizeof(t->paths) - len, "%s%s", len ? ", " : "", path);
}

static struct abi_fw_limits limits_of(const struct reg_gen *gen)
{
	return (struct abi_fw_limits){
		.runtime_start = gen->va.runtime.start,
		.runtime_end = gen->va.runtime.end,
		.shave_max = ABI_FW_SHAVE_MAX,
		.boot_major = ABI_FW_BOOT_MAJOR,
		.jsm_major = ABI_FW_JSM_MAJOR,
	};
}

/* Largest file that can hold an acceptable image; anything longer is not read. */
static u64 max_size(const struct reg_gen *gen)
{
	return gen->va.runtime.end - gen->va.runtime.start + ABI_FW_IMAGE_OFF;
}

static int read_all(int fd, u8 *buf, size_t size)
{
	while (size) {
		ssize_t n = read(fd, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO; /* shorter than fstat() said: it is being replaced */
		buf += n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_opened(struct drv_dev *dev, int fd, const char *path, struct base_err *err)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return base_err_set(err, -EIO, "firmware %s: fstat failed", path);
	if (!S_ISREG(st.st_mode))
		return base_err_set(err, -EINVAL, "firmware %s: not a regular file", path);
	if ((u64)st.st_size > max_size(dev->gen))
		return base_err_set(err, -EINVAL,
				    "firmware %s: %lld bytes, expected at most %llu for %s", path,
				    (long long)st.st_size, (unsigned long long)max_size(dev->gen),
				    dev->gen->name);
	dev->fw.image = base_zalloc((size_t)st.st_size);
	if (!dev->fw.image)
		return base_err_set(err, -ENOMEM, "firmware %s: no memory for %lld bytes", path,
				    (long long)st.st_size);
	dev->fw.size = (size_t)st.st_size;
	ret = read_all(fd, dev->fw.image, dev->fw.size);
	if (ret)
		return base_err_set(err, ret, "firmware %s: reading failed: %s", path,
				    base_err_name(ret));
	return 0;
}

/* -ENOENT, without a word in @err, when there is no such file. */
static int read_file(struct drv_dev *dev, const char *path, struct base_err *err)
{
	/* O_NONBLOCK: a FIFO in place of the file must not hang the boot */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (fd < 0)
		return base_err_set(err, -errno, "firmware %s: opening failed: %s", path,
				    base_err_name(errno));
	ret = read_opened(dev, fd, path, err);
	close(fd);
	return ret;
}

/* What this driver needs beyond what Linux checks (P 4.4): it maps by pages. */
static int check_alignment(const struct reg_gen *gen, const struct abi_fw_header *h, char *why,
			   size_t why_size)
{
	const struct {
		const char *name;
		u64 val, align;
	} fields[] = {
		{ "boot_params_load_address", h->boot_params_load_address, BASE_PAGE_SIZE },
		{ "firmware_version_load_address", h->firmware_version_load_address,
		  BASE_PAGE_SIZE },
		{ "ro_section_start_address", h->ro_section_start_address, BASE_PAGE_SIZE },
		{ "ro_section_size", h->ro_section_size, BASE_PAGE_SIZE },
		{ "entry_point", h->entry_point, gen->entry_align },
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(fields); i++) {
		if (fields[i].val % fields[i].align) {
			snprintf(why, why_size, "%s 0x%llx: expected a multiple of %llu",
				 fields[i].name, (unsigned long long)fields[i].val,
				 (unsigned long long)fields[i].align);
			return -EINVAL;
		}
	}
	return 0;
}

/* Pages that would be mapped twice. */
static int check_overlap(const struct abi_fw_header *h, char *why, size_t why_size)
{
	const struct reg_range parts[] = {
		{ h->boot_params_load_address, h->boot_params_load_address + BASE_PAGE_SIZE },
		{ h->firmware_version_load_address,
		  h->firmware_version_load_address + BASE_PAGE_SIZE },
		{ h->image_load_address, h->image_load_address + h->runtime_size -
						 ABI_FW_HEADER_PAGE - ABI_FW_VERSION_PAGE },
	};

	for (u32 i = 0; i < 3; i++) {
		const struct reg_range *a = &parts[i], *b = &parts[(i + 1) % 3];

		if (a->start < b->end && b->start < a->end) {
			snprintf(why, why_size,
				 "boot parameters, version page and runtime memory overlap: "
				 "0x%llx..0x%llx and 0x%llx..0x%llx",
				 (unsigned long long)a->start, (unsigned long long)a->end,
				 (unsigned long long)b->start, (unsigned long long)b->end);
			return -EINVAL;
		}
	}
	return 0;
}

bool drv_fw_is_marked(const struct reg_gen *gen, const char *version)
{
	return gen->fw_mark && strstr(version, gen->fw_mark);
}

static int check_vpu(const struct reg_gen *gen, const void *file, size_t size, char *why,
		     size_t why_size)
{
	const struct abi_fw_limits lim = limits_of(gen);
	struct abi_fw_header hdr;
	int ret = abi_fw_image_check(file, size, &lim, why, why_size);

	if (ret)
		return ret;
	abi_fw_image_header(file, &hdr);
	ret = check_alignment(gen, &hdr, why, why_size);
	return ret ? ret : check_overlap(&hdr, why, why_size);
}

static int make_vpu(const struct reg_gen *gen, bool hws, void **out, size_t *size)
{
	struct abi_fw_spec spec;

	abi_fw_spec_init(&spec, gen->va.runtime.start, gen->va.runtime.end, gen->nnrt_api);
	if (hws)
		spec.jsm_api = ABI_FW_JSM_HWS;
	*size = abi_fw_image_size(&spec);
	*out = base_zalloc(*size);
	return *out ? abi_fw_image_write(&spec, *out, *size) : -ENOMEM;
}

static int check_ref(const struct reg_gen *gen, const void *file, size_t size, char *why,
		     size_t why_size)
{
	(void)gen;
	return abi_ref_image_check(file, size, why, why_size);
}

static int make_ref(const struct reg_gen *gen, bool hws, void **out, size_t *size)
{
	(void)gen, (void)hws;
	*size = ABI_REF_BUILT_IN_SIZE;
	*out = base_zalloc(*size);
	if (!*out)
		return -ENOMEM;
	abi_ref_image_write(*out);
	return 0;
}

static void take_vpu_header(struct drv_dev *dev)
{
	abi_fw_image_header(dev->fw.image, &dev->fw.hdr);
}

static void take_nothing(struct drv_dev *dev)
{
	(void)dev;
}

static const struct format {
	int (*check)(const struct reg_gen *gen, const void *file, size_t size, char *why,
		     size_t why_size);
	void (*version)(const void *file, char *buf, size_t size);
	void (*take)(struct drv_dev *dev);
	int (*make)(const struct reg_gen *gen, bool hws, void **out, size_t *size);
} formats[REG_NR_FW_FORMATS] = {
	[REG_FW_VPU] = { check_vpu, abi_fw_image_version, take_vpu_header, make_vpu },
	[REG_FW_REF] = { check_ref, abi_ref_image_version, take_nothing, make_ref },
};

int drv_fw_check(const struct reg_gen *gen, const void *file, size_t size, char *why,
		 size_t why_size)
{
	return formats[gen->fw_format].check(gen, file, size, why, why_size);
}

int drv_fw_make(const struct reg_gen *gen, bool hws, void **out, size_t *size)
{
	int ret;

	*out = NULL;
	ret = formats[gen->fw_format].make(gen, hws, out, size);
	if (!ret)
		return 0;
	base_free(*out);
	*out = NULL;
	return ret;
}

/* The header does not tell later generations apart, the text of its maker may. */
static void check_mark(struct drv_dev *dev)
{
	for (u32 i = 0; reg_gen_by_idx(i); i++) {
		const struct reg_gen *gen = reg_gen_by_idx(i);

		if (gen != dev->gen && drv_fw_is_marked(gen, dev->fw.version))
			drv_warn(dev, FW, "firmware %s is made for %s, this is %s: %s",
				 dev->fw.path, gen->name, dev->gen->name, dev->fw.version);
	}
}

/* The image is in memory: is it one, and one for this device? */
static int accept(struct drv_dev *dev, const char *path, struct base_err *err)
{
	char why[DRV_FW_WHY];
	int ret = drv_fw_check(dev->gen, dev->fw.image, dev->fw.size, why, sizeof(why));

	if (ret)
		return base_err_set(err, ret, "firmware %s is not an image for %s: %s", path,
				    dev->gen->name, why);
	if (why[0])
		drv_warn(dev, FW, "firmware %s: %s", path, why);
	formats[dev->gen->fw_format].take(dev);
	snprintf(dev->fw.path, sizeof(dev->fw.path), "%s", path);
	formats[dev->gen->fw_format].version(dev->fw.image, dev->fw.version,
					     sizeof(dev->fw.version));
	check_mark(dev);
	drv_info(dev, FW, "firmware %s: %s", dev->fw.path, dev->fw.version);
	return 0;
}

static int load(struct drv_dev *dev, const char *path, struct base_err *err)
{
	int ret = read_file(dev, path, err);

	if (!ret)
		ret = accept(dev, path, err);
	if (ret)
		drv_fw_fini(dev);
	return ret;
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

static int try_name(struct drv_dev *dev, const char *path, struct tried *tried,
		    struct base_err *err)
{
	char other[300];
	int ret = load(dev, path, err);

	if (ret != -ENOENT)
		return ret;
	note(tried, path);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(compressed); i++) {
		snprintf(other, sizeof(other), "%s%s", path, compressed[i]);
		if (exists(other) && !tried->found[0])
			snprintf(tried->found, sizeof(tried->found), "%s is compressed; ", other);
	}
	return -ENOENT;
}

static int try_list(struct drv_dev *dev, const char *root, const char *const *names,
		    struct tried *tried, struct base_err *err)
{
	char path[256];

	if (!names)
		return -ENOENT;
	for (size_t d = 0; d < BASE_ARRAY_SIZE(dirs); d++) {
		for (const char *const *name = names; *name; name++) {
			int ret;

			snprintf(path, sizeof(path), "%s%s%s", root, dirs[d], *name);
			ret = try_name(dev, path, tried, err);
			if (ret != -ENOENT)
				return ret;
		}
	}
	return -ENOENT;
}

static int try_last_resort(struct drv_dev *dev, const char *root, struct tried *tried,
			   struct base_err *err)
{
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "%s%s", root, LAST_RESORT);
	ret = load(dev, path, err);
	if (ret == -EINVAL) {
		drv_info(dev, FW, "%s", err ? err->text : path);
		if (!tried->found[0])
			snprintf(tried->found, sizeof(tried->found), "%s is no image for %s; ",
				 path, dev->gen->name);
		ret = -ENOENT;
	}
	if (ret == -ENOENT)
		note(tried, path);
	return ret;
}

/* The project's own small image: nothing need be installed for a virtual NPU. */
static int built_in(struct drv_dev *dev, struct base_err *err)
{
	void *image;
	int ret = drv_fw_make(dev->gen, false, &image, &dev->fw.size);

	if (ret)
		return base_err_set(err, ret, "the built-in firmware image cannot be made: %s",
				    base_err_name(ret));
	dev->fw.image = image;
	ret = accept(dev, "(built in)", err);
	if (ret)
		drv_fw_fini(dev);
	return ret;
}

static int named(struct drv_dev *dev, const char *path, const char *who, struct base_err *err)
{
	int ret = load(dev, path, err);

	if (ret == -ENOENT)
		return base_err_set(err, ret, "firmware %s: no such file (named by %s)", path, who);
	return ret;
}

int drv_fw_find(struct drv_dev *dev, const char *root, struct base_err *err)
{
	const char *env = dev->cfg.ignore_env ? NULL : getenv(ENV_FIRMWARE);
	struct tried tried = { 0 };
	int ret;

	if (dev->cfg.firmware)
		return named(dev, dev->cfg.firmware, "the caller", err);
	if (env && *env)
		return named(dev, env, "$" ENV_FIRMWARE, err);
	ret = try_list(dev, root, dev->gen->fw_names, &tried, err);
	if (ret == -ENOENT)
		ret = try_list(dev, root, dev->info->fw_extra, &tried, err);
	if (ret == -ENOENT)
		ret = try_last_resort(dev, root, &tried, err);
	if (ret != -ENOENT)
		return ret;
	if (dev->os->is_virtual) {
		if (tried.found[0])
			drv_warn(dev, FW, "%sthe built-in firmware image is used", tried.found);
		return built_in(dev, err);
	}
	return base_err_set(err, -ENOENT, "no firmware for %s: %sset $" ENV_FIRMWARE "; tried %s",
			    dev->gen->name, tried.found, tried.paths);
}

void drv_fw_fini(struct drv_dev *dev)
{
	base_free(dev->fw.image);
	dev->fw = (struct drv_fw){ 0 };
}
