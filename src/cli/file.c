// SPDX-License-Identifier: MIT
/* Files by mmap, written by rename. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map_fd(int fd, const char *path, struct cli_file *out)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st))
		return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return cli_fail(CLI_BAD_INPUT, "%s: not a regular file", path);
	if (!st.st_size)
		return cli_fail(CLI_BAD_INPUT, "%s: the file is empty", path);
	/* private: a writer elsewhere may still change what we see; the readers check every access */
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return cli_fail(CLI_BAD_INPUT, "%s: cannot map: %s", path, strerror(errno));
	*out = (struct cli_file){ .path = path, .data = data, .size = (size_t)st.st_size };
	return 0;
}

int cli_file_open(const char *path, struct cli_file *out)
{
	/* O_NONBLOCK: opening a FIFO must not hang before it can be refused */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret;

	if (fd < 0)
		return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
	ret = map_fd(fd, path, out);
	close(fd);
	return ret;
}

void cli_file_close(struct cli_file *file)
{
	if (file->data)
		munmap((void *)(uintptr_t)file->data, file->size);
	*file = (struct cli_file){ 0 };
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

int cli_file_write(const char *path, const void *data, size_t size)
{
	char tmp[4096];
	int fd;

	if (snprintf(tmp, sizeof(tmp), "%s.new-%d", path, (int)getpid()) >= (int)sizeof(tmp))
		return cli_fail(CLI_BAD_INPUT, "%s: name too long", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return cli_fail(CLI_BAD_INPUT, "%s: cannot create: %s", tmp, strerror(errno));
	if (!write_all(fd, data, size) || close(fd)) {
		int saved = errno;

		unlink(tmp);
		return cli_fail(CLI_FAILED, "%s: cannot write: %s", tmp, strerror(saved));
	}
	if (rename(tmp, path)) {
		int saved = errno;

		unlink(tmp);
		return cli_fail(CLI_BAD_INPUT, "%s: cannot replace: %s", path, strerror(saved));
	}
	return 0;
}
