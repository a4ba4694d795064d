// SPDX-License-Identifier: MIT
/*
 * Model files and their external data.  Data files lie beside the model: the compiler refuses
 * absolute and parent-relative names, and the open below stays beneath the model's folder and
 * follows no links, so that a model cannot read what its user did not mean to show it.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/program.h"

#define MAX_EXTERNALS 4096u

bool cli_is_program(const struct cli_file *file)
{
	u32 magic;

	if (file->size < sizeof(magic))
		return false;
	memcpy(&magic, file->data, sizeof(magic));
	return magic == ABI_PROG_MAGIC;
}

static int open_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];

	if (!slash)
		return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if ((size_t)(slash - path) + 1 >= sizeof(dir))
		return -1;
	memcpy(dir, path, (size_t)(slash - path) + 1);
	dir[slash - path + 1] = '\0';
	return open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_beneath(const char *model_path, const char *location)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int dir = open_folder_of(model_path);
	int fd, ret;

	if (dir < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, dir, location, &how, sizeof(how));
	ret = fd < 0 ? -errno : fd;
	close(dir);
	return ret;
}

static int map_external(const char *model_path, const char *location, struct cli_file *out)
{
	int fd = open_beneath(model_path, location);
	struct stat st;
	void *data;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(fd);
		return -EINVAL;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return -ENOMEM;
	out->data = data;
	out->size = (size_t)st.st_size;
	out->path = base_strdup(location);
	if (!out->path) {
		munmap(data, out->size);
		return -ENOMEM;
	}
	return 0;
}

static int find_external(struct cli_model *model, const char *location, struct cli_file **out)
{
	struct cli_file *grown;
	int ret;

	for (u32 i = 0; i < model->nr_externals; i++) {
		if (!strcmp(model->externals[i].path, location)) {
			*out = &model->externals[i];
			return 0;
		}
	}
	if (model->nr_externals >= MAX_EXTERNALS)
		return -E2BIG;
	grown = base_realloc_array(model->externals, model->nr_externals + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	model->externals = grown;
	ret = map_external(model->file.path, location, &grown[model->nr_externals]);
	if (ret)
		return ret;
	*out = &grown[model->nr_externals++];
	return 0;
}

static int load_external(void *opaque, const char *location, uint64_t offset, uint64_t length,
			 const void **data, uint64_t *size)
{
	struct cli_file *file;
	int ret;

	ret = find_external(opaque, location, &file);
	if (ret)
		return ret;
	if (!length && offset <= file->size)
		length = file->size - offset;
	if (!base_range_ok(offset, length, file->size))
		return -EINVAL;
	*data = (const u8 *)file->data + offset;
	*size = length;
	return 0;
}

int cli_model_open(const char *path, struct cli_model *out)
{
	struct graph_external external = { .load = load_external, .opaque = out };
	struct graph_error err = { 0 };
	int ret;

	*out = (struct cli_model){ 0 };
	ret = cli_file_open(path, &out->file);
	if (ret)
		return ret;
	if (graph_model_open(out->file.data, out->file.size, &external, &out->graph, &err)) {
		out->graph = NULL;
		cli_model_close(out);
		return cli_fail(cli_graph_exit(&err), "%s: %s", path, err.text);
	}
	return 0;
}

void cli_model_close(struct cli_model *model)
{
	if (model->graph)
		graph_model_close(model->graph);
	for (u32 i = 0; i < model->nr_externals; i++) {
		base_free((void *)(uintptr_t)model->externals[i].path);
		cli_file_close(&model->externals[i]);
	}
	base_free(model->externals);
	cli_file_close(&model->file);
	*model = (struct cli_model){ 0 };
}
