// SPDX-License-Identifier: MIT
/*
 * Files below a root that may be anybody's: nothing here waits, reads without end or, where the
 * kernel can see to it, follows a link out of the root.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include "cli/doctor/doctor.h"

#define MAX_ENTRIES    4096
#define MAX_TEXT_BYTES (16u << 20)
#define MAX_LINE       1024
#define CHUNK	       16384

int doctor_open_root(struct doctor *d, const char *root)
{
	d->root = root;
	d->live = !strcmp(root, "/");
	d->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root_fd < 0)
		return cli_fail(CLI_BAD_INPUT, "%s: %s", root, strerror(errno));
	return 0;
}

/* Links inside of another system's tree mean that tree's root, not ours. */
static int open_below(const struct doctor *d, const char *path, int flags)
{
#ifdef SYS_openat2
	struct open_how how = { .resolve = RESOLVE_IN_ROOT };

	how.flags = (u32)flags;
	if (!d->live) {
		long fd = syscall(SYS_openat2, d->root_fd, path, &how, sizeof(how));

		if (fd >= 0 || errno != ENOSYS)
			return (int)fd;
	}
#endif
	return openat(d->root_fd, path[1] ? path + 1 : ".", flags);
}

int doctor_open(const struct doctor *d, const char *path, int flags)
{
	int extra = flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open_below(d, path, flags | extra);

	return fd < 0 ? -errno : fd;
}

static int open_regular(const struct doctor *d, const char *path)
{
	struct stat st;
	/* O_PATH first: to open a device or a FIFO can have effects, to look at it has none */
	int ret = doctor_stat(d, path, &st);

	if (ret)
		return ret;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return doctor_open(d, path, O_RDONLY);
}

static int read_fd(int fd, u8 *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, buf + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return have ? (int)have : -errno;
		if (!n)
			break;
		have += (size_t)n;
	}
	return (int)have;
}

int doctor_read(const struct doctor *d, const char *path, void *buf, size_t size)
{
	int fd = open_regular(d, path);
	int ret;

	if (fd < 0)
		return fd;
	ret = read_fd(fd, buf, size);
	close(fd);
	return ret;
}

void doctor_printable(char *text)
{
	for (; *text; text++)
		if (*text < 32 || *text > 126)
			*text = '?';
}

int doctor_line(const struct doctor *d, const char *path, char *buf, size_t size)
{
	int ret = doctor_read(d, path, buf, size - 1);

	buf[ret > 0 ? ret : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	doctor_printable(buf);
	return ret < 0 ? ret : 0;
}

bool doctor_hex(const struct doctor *d, const char *path, u32 *out)
{
	char text[24], *end;
	unsigned long val;

	if (doctor_line(d, path, text, sizeof(text)))
		return false;
	val = strtoul(text, &end, 16);
	if (end == text || val > UINT32_MAX)
		return false;
	*out = (u32)val;
	return true;
}

int doctor_link(const struct doctor *d, const char *path, char *buf, size_t size)
{
	char target[1024];
	const char *last;
	ssize_t n;
	int fd = doctor_open(d, path, O_PATH | O_NOFOLLOW);

	buf[0] = '\0';
	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", target, sizeof(target) - 1);
	close(fd);
	if (n <= 0)
		return -EINVAL;
	target[n] = '\0';
	last = strrchr(target, '/');
	snprintf(buf, size, "%s", last ? last + 1 : target);
	doctor_printable(buf);
	return 0;
}

int doctor_stat(const struct doctor *d, const char *path, struct stat *st)
{
	int fd = doctor_open(d, path, O_PATH);
	int ret;

	if (fd < 0)
		return fd;
	ret = fstat(fd, st) ? -errno : 0;
	close(fd);
	return ret;
}

bool doctor_exists(const struct doctor *d, const char *path)
{
	struct stat st;

	return !doctor_stat(d, path, &st);
}

int doctor_each_entry(const struct doctor *d, const char *path, doctor_fn *fn, void *opaque)
{
	int fd = doctor_open(d, path, O_RDONLY | O_DIRECTORY);
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (nr < MAX_ENTRIES && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		nr++;
		if (!fn(opaque, entry->d_name))
			break;
	}
	closedir(dir);
	return nr;
}

/* Lines out of pieces. */
struct splitter {
	doctor_fn *fn;
	void *opaque;
	char line[MAX_LINE];
	size_t len;
};

static bool end_line(struct splitter *s)
{
	s->line[s->len] = '\0';
	s->len = 0;
	doctor_printable(s->line);
	return s->fn(s->opaque, s->line);
}

static bool feed(struct splitter *s, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n') {
			if (!end_line(s))
				return false;
		} else if (s->len < MAX_LINE - 1) {
			s->line[s->len++] = data[i] ? data[i] : '?';
		}
	}
	return true;
}

static int read_lines(int fd, struct splitter *s)
{
	static char chunk[CHUNK];
	size_t total = 0;

	while (total < MAX_TEXT_BYTES) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		/* EPIPE: the kernel's log wrapped round under us, the next record follows */
		if (n < 0 && (errno == EINTR || errno == EPIPE)) {
			total += CHUNK;
			continue;
		}
		if (n < 0)
			return total || errno == EAGAIN ? 0 : -errno;
		if (!n)
			break;
		total += (size_t)n;
		if (!feed(s, chunk, (size_t)n))
			return 0;
	}
	if (s->len)
		end_line(s);
	return 0;
}

int doctor_each_line(const struct doctor *d, const char *path, doctor_fn *fn, void *opaque)
{
	struct splitter s = { .fn = fn, .opaque = opaque };
	/* Only the running kernel's log may be a device. */
	bool device = d->live && !strcmp(path, "/dev/kmsg");
	int fd = device ? doctor_open(d, path, O_RDONLY) : open_regular(d, path);
	int ret;

	if (fd < 0)
		return fd;
	ret = read_lines(fd, &s);
	close(fd);
	return ret;
}
