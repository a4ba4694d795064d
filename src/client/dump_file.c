// SPDX-License-Identifier: MIT
#include "client/dump_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILES 16u	/* a device that fails all the time must not fill the disk */
#define MAX_NAMES 1000u /* tried, of which others may exist */

int dump_files_init(struct dump_files *files, const struct npu_open_options *options,
		    struct base_err *err)
{
	*files = (struct dump_files){ .on_dump = options->on_dump, .opaque = options->opaque };
	if (!options->dump_dir)
		return 0;
	files->dir = base_strdup(options->dump_dir);
	return files->dir ? 0 : base_err_set(err, -ENOMEM, "device: no memory");
}

void dump_files_fini(struct dump_files *files)
{
	base_free(files->dir);
	*files = (struct dump_files){ 0 };
}

/* Created anew, never somebody's file or link.  The descriptor, or a negative errno. */
static int create(struct dump_files *files, char *path, size_t size)
{
	while (files->next < MAX_NAMES) {
		int fd;

		if (snprintf(path, size, "%s/npu-%d-%u.dump", files->dir, (int)getpid(),
			     files->next++) >= (int)size)
			return -ENAMETOOLONG;
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

static void put_line(void *opaque, const char *text)
{
	fprintf(opaque, "%s\n", text);
}

/* 0 or a negative errno. */
static int write_file(struct dump_files *files, struct drv_dev *dev, const char *why, char *path,
		      size_t size)
{
	int fd = create(files, path, size);
	bool failed;
	FILE *f;

	if (fd < 0)
		return fd;
	f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	fprintf(f, "dump: %s\n", why);
	drv_dump(dev, put_line, f);
	failed = ferror(f);
	if (fclose(f) || failed)
		return -EIO;
	files->nr++;
	return 0;
}

void dump_files_write(struct dump_files *files, struct drv_dev *dev, const char *why)
{
	char path[4096], text[600];
	int ret;

	if (!files->dir || files->nr == MAX_FILES) {
		if (files->on_dump)
			files->on_dump(files->opaque, why, NULL);
		return;
	}
	ret = write_file(files, dev, why, path, sizeof(path));
	if (!files->on_dump)
		return;
	if (ret)
		snprintf(text, sizeof(text), "%s (no dump could be written to %s: %s)", why,
			 files->dir, base_err_name(ret));
	files->on_dump(files->opaque, ret ? text : why, ret ? NULL : path);
}
