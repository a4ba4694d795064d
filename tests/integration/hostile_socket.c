// SPDX-License-Identifier: MIT
#include "hostile_socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver/driver.h"

/*
 * Frames
 */

int hostile_dial(const char *path)
{
	const struct timeval patience = { .tv_sec = HOSTILE_PATIENCE_MS / 1000 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	/* a daemon that hangs is an error, not a test that hangs */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int hostile_send(int fd, const struct abi_npud_req *req, const void *payload)
{
	struct iovec iov[] = { { .iov_base = (void *)(uintptr_t)req, .iov_len = sizeof(*req) },
			       { .iov_base = (void *)(uintptr_t)payload, .iov_len = req->size } };
	const struct msghdr msg = { .msg_iov = iov, .msg_iovlen = BASE_ARRAY_SIZE(iov) };

	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static s64 take_reply(struct hostile_conn *c, void *buf, u64 size, int *fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	static _Thread_local struct {
		struct abi_npud_reply head;
		u8 payload[ABI_NPUD_PAYLOAD];
	} in;
	struct iovec iov = { .iov_base = &in, .iov_len = sizeof(in) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *along = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	int got = -1;

	if (n < (ssize_t)sizeof(in.head) || (u64)n != sizeof(in.head) + in.head.size)
		return n < 0 && errno == EAGAIN ? -ETIME : -ENOTCONN;
	if (along)
		memcpy(&got, CMSG_DATA(along), sizeof(got));
	if (fd)
		*fd = got;
	else if (got >= 0)
		close(got);
	if (in.head.tag != c->tag)
		return -EBADMSG;
	if (in.head.result < 0)
		snprintf(c->why, sizeof(c->why), "%.*s", (int)in.head.size,
			 (const char *)in.payload);
	else if (buf)
		memcpy(buf, in.payload, base_min(size, (u64)in.head.size));
	return in.head.result;
}

s64 hostile_ask(struct hostile_conn *c, struct abi_npud_req req, const void *payload, void *buf,
		u64 size, int *fd)
{
	int ret;

	req.tag = ++c->tag;
	ret = hostile_send(c->fd, &req, payload);
	return ret ? ret : take_reply(c, buf, size, fd);
}

int hostile_connect(const char *path, const char *name, struct hostile_conn *out)
{
	struct abi_npud_hello hello = { .magic = ABI_NPUD_MAGIC, .version = ABI_NPUD_VERSION };
	s64 ret;

	*out = (struct hostile_conn){ .fd = hostile_dial(path) };
	if (out->fd < 0)
		return out->fd;
	snprintf(hello.name, sizeof(hello.name), "%s", name);
	ret = hostile_ask(out, (struct abi_npud_req){ .op = ABI_NPUD_HELLO, .size = sizeof(hello) },
			  &hello, NULL, 0, NULL);
	if (ret < 0)
		hostile_disconnect(out);
	return ret < 0 ? (int)ret : 0;
}

void hostile_disconnect(struct hostile_conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/*
 * hostile.h
 */

static s64 ask_path(struct hostile_conn *c, u16 op, s64 handle, const char *path)
{
	return hostile_ask(
		c,
		(struct abi_npud_req){ .op = op, .handle = (u32)handle, .size = (u32)strlen(path) },
		path, NULL, 0, NULL);
}

s64 hostile_open(struct hostile_conn *c, const char *path)
{
	return ask_path(c, ABI_NPUD_OPEN, 0, path);
}

s64 hostile_dup(struct hostile_conn *c, s64 handle, const char *path)
{
	return ask_path(c, ABI_NPUD_DUP, handle, path);
}

s64 hostile_read(struct hostile_conn *c, s64 handle, void *buf, u64 size)
{
	return hostile_ask(
		c, (struct abi_npud_req){ .op = ABI_NPUD_READ, .handle = (u32)handle, .arg = size },
		NULL, buf, size, NULL);
}

s64 hostile_write(struct hostile_conn *c, s64 handle, const void *buf, u64 size)
{
	return hostile_ask(c,
			   (struct abi_npud_req){
				   .op = ABI_NPUD_WRITE, .handle = (u32)handle, .size = (u32)size },
			   buf, NULL, 0, NULL);
}

s64 hostile_call(struct hostile_conn *c, s64 handle, void *arg, u64 size)
{
	return hostile_ask(c,
			   (struct abi_npud_req){
				   .op = ABI_NPUD_CALL, .handle = (u32)handle, .size = (u32)size },
			   arg, arg, size, NULL);
}

s64 hostile_map(struct hostile_conn *c, s64 handle, u64 size, void **cpu)
{
	int fd = -1;
	s64 ret = hostile_ask(c, (struct abi_npud_req){ .op = ABI_NPUD_MAP, .handle = (u32)handle },
			      NULL, NULL, 0, &fd);

	if (ret >= 0 && (fd < 0 || (u64)ret < size))
		ret = -EPROTO;
	if (ret >= 0) {
		*cpu = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ret = *cpu == MAP_FAILED ? -errno : 0;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

void hostile_unmap(void *cpu, u64 size)
{
	munmap(cpu, size);
}

s64 hostile_close(struct hostile_conn *c, s64 handle)
{
	return hostile_ask(c, (struct abi_npud_req){ .op = ABI_NPUD_CLOSE, .handle = (u32)handle },
			   NULL, NULL, 0, NULL);
}

s64 hostile_wait(struct hostile_conn *c, s64 queue, u32 timeout_ms, struct abi_completion *out)
{
	const struct timespec pause = { .tv_nsec = 50 * (long)BASE_NS_PER_US };
	u64 until = base_clock_ns() + timeout_ms * BASE_NS_PER_MS;
	s64 ret;

	do {
		ret = hostile_read(c, queue, out, sizeof(*out));
		if (ret)
			return ret < 0 ? ret : ret / (s64)sizeof(*out);
		nanosleep(&pause, NULL);
	} while (base_clock_ns() < until);
	return 0;
}

void hostile_why(struct hostile_conn *c, char *text, size_t size)
{
	snprintf(text, size, "%s", c->why);
}

/*
 * The daemon
 */

static int write_image(const char *path, const struct reg_gen *gen, bool hws)
{
	void *image;
	size_t size;
	FILE *f;
	int ret = drv_fw_make(gen, hws, &image, &size);

	if (ret)
		return ret;
	f = fopen(path, "we");
	if (!f || fwrite(image, 1, size, f) != size)
		ret = -EIO;
	if (f)
		fclose(f);
	base_free(image);
	return ret;
}

static void become_daemon(const char *exe, const struct hostile_daemon *d, const char *device,
			  u32 nofile)
{
	const struct rlimit lim = { nofile, nofile };
	int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(99);
	if (nofile && setrlimit(RLIMIT_NOFILE, &lim))
		_exit(98);
	execl(exe, exe, "--config", d->config, "--socket", d->socket, "--firmware", d->firmware,
	      "--device", device, (char *)NULL);
	_exit(97);
}

static int serves(const struct hostile_daemon *d)
{
	for (u32 i = 0; i < 2000; i++) {
		int fd = hostile_dial(d->socket);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		if (waitpid(d->pid, NULL, WNOHANG) > 0)
			return -ECHILD;
		poll(NULL, 0, 10);
	}
	return -ETIMEDOUT;
}

int hostile_daemon_start(const char *exe, const struct reg_gen *gen, bool hws, u32 nofile,
			 struct hostile_daemon *out)
{
	char device[64];
	FILE *f;
	int ret;

	snprintf(out->dir, sizeof(out->dir), "/tmp/npu-hostile.XXXXXX");
	if (!mkdtemp(out->dir))
		return -errno;
	snprintf(out->socket, sizeof(out->socket), "%s/s", out->dir);
	snprintf(out->firmware, sizeof(out->firmware), "%s/fw", out->dir);
	snprintf(out->log, sizeof(out->log), "%s/log", out->dir);
	if (getenv("HOSTILE_DEVICE"))
		snprintf(device, sizeof(device), "%s", getenv("HOSTILE_DEVICE"));
	else
		snprintf(device, sizeof(device), "sim:%s,engine=plain", gen->name);
	snprintf(out->config, sizeof(out->config), "%s/none", out->dir);
	ret = write_image(out->firmware, gen, hws);
	f = ret ? NULL : fopen(out->config, "we");
	if (!f)
		return ret ? ret : -errno;
	fclose(f);
	out->pid = fork();
	if (out->pid < 0)
		return -errno;
	if (!out->pid)
		become_daemon(exe, out, device, nofile);
	return serves(out);
}

/* What it said, when that is to be known. */
static void show_log(const struct hostile_daemon *d)
{
	char line[500];
	FILE *f = fopen(d->log, "re");

	for (u32 i = 0; f && i < 40 && fgets(line, sizeof(line), f); i++)
		fprintf(stderr, "npud: %s", line);
	if (f)
		fclose(f);
}

int hostile_daemon_stop(struct hostile_daemon *d)
{
	int status = 0;

	kill(d->pid, SIGTERM);
	for (u32 i = 0; i < 3000 && !waitpid(d->pid, &status, WNOHANG); i++) {
		poll(NULL, 0, 10);
		if (i == 2999)
			kill(d->pid, SIGABRT);
	}
	if (status)
		show_log(d);
	unlink(d->socket);
	unlink(d->firmware);
	unlink(d->log);
	unlink(d->config);
	rmdir(d->dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

u32 hostile_daemon_fds(const struct hostile_daemon *d)
{
	char path[64];
	DIR *dir;
	u32 nr = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)d->pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr;
}
