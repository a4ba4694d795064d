// SPDX-License-Identifier: MIT
#include "vfu/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void dir_of(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(out, size, ".");
	else if (slash == path)
		snprintf(out, size, "/");
	else
		snprintf(out, size, "%.*s", (int)(slash - path), path);
}

/* Open, checked and locked: two servers that start at once do not unlink each other's socket. */
static int lock_dir(const char *path, int *out, struct base_err *err)
{
	char dir[108];
	struct stat st;
	int fd, ret;

	dir_of(path, dir, sizeof(dir));
	if (mkdir(dir, 0700) && errno != EEXIST)
		return base_err_set(err, -errno, "socket %s: cannot make directory %s: %s", path,
				    dir, strerror(errno));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return base_err_set(err, -errno, "socket %s: directory %s: %s", path, dir,
				    strerror(errno));
	if (fstat(fd, &st) || flock(fd, LOCK_EX)) {
		ret = base_err_set(err, -errno, "socket %s: directory %s: %s", path, dir,
				   strerror(errno));
		goto err_close;
	}
	if ((st.st_uid && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX))) {
		ret = base_err_set(err, -EACCES,
				   "socket %s: others may change directory %s (owner %u, mode %o): "
				   "whoever can replace the socket can be the device; choose a "
				   "directory of your own, mode 0700",
				   path, dir, st.st_uid, st.st_mode & 07777);
		goto err_close;
	}
	*out = fd;
	return 0;

err_close:
	close(fd);
	return ret;
}

static int probe(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? -errno : 0;
	close(fd);
	return ret;
}

/* Whatever is at the path already: only a socket nobody listens to may go. */
static int clear_path(const struct sockaddr_un *addr, struct base_err *err)
{
	const char *path = addr->sun_path;
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT
			       ? 0
			       : base_err_set(err, -errno, "socket %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return base_err_set(err, -EEXIST,
				    "socket %s: exists and is not a socket; choose another path or "
				    "remove it",
				    path);
	if (probe(addr) != -ECONNREFUSED)
		return base_err_set(err, -EADDRINUSE,
				    "socket %s: somebody serves there already; choose another path "
				    "or end him",
				    path);
	return unlink(path) ? base_err_set(err, -errno, "socket %s: cannot remove the dead one: %s",
					   path, strerror(errno))
			    : 0;
}

static int bind_listen(struct vfu_socket *sock, const struct sockaddr_un *addr)
{
	struct stat st;
	int ret;

	/* the mode of the socket is that of the file to be, but for the umask's bits; nobody comes in
	 * before it listens */
	if (fchmod(sock->fd, sock->mode) ||
	    bind(sock->fd, (const struct sockaddr *)addr, sizeof(*addr)))
		return -errno;
	if (lstat(addr->sun_path, &st) || chmod(addr->sun_path, sock->mode) ||
	    (sock->group != (gid_t)-1 && lchown(addr->sun_path, (uid_t)-1, sock->group)) ||
	    listen(sock->fd, 64)) {
		ret = -errno;
		unlink(addr->sun_path);
		return ret;
	}
	sock->dev = st.st_dev;
	sock->ino = st.st_ino;
	return 0;
}

int vfu_socket_open(struct vfu_socket *sock, const char *path, struct base_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int dir = -1, ret;

	if (!path[0] || strlen(path) >= sizeof(addr.sun_path))
		return base_err_set(err, -EINVAL,
				    "socket \"%s\": a path of 1 to %zu bytes is "
				    "what a socket can have",
				    path, sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	strcpy(sock->path, path);
	ret = lock_dir(path, &dir, err);
	if (ret)
		return ret;
	ret = clear_path(&addr, err);
	if (ret)
		goto out;
	sock->fd = socket(AF_UNIX, sock->type | SOCK_CLOEXEC, 0);
	if (sock->fd < 0) {
		ret = base_err_set(err, -errno, "socket %s: %s", path, strerror(errno));
		goto out;
	}
	ret = bind_listen(sock, &addr);
	if (ret) {
		base_err_set(err, ret, "socket %s: cannot listen: %s", path, strerror(-ret));
		close(sock->fd);
		sock->fd = -1;
	}
out:
	close(dir);
	return ret;
}

void vfu_socket_close(struct vfu_socket *sock)
{
	struct stat st;

	if (sock->fd < 0)
		return;
	if (!lstat(sock->path, &st) && st.st_dev == sock->dev && st.st_ino == sock->ino)
		unlink(sock->path);
	close(sock->fd);
	sock->fd = -1;
}
