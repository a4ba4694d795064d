// SPDX-License-Identifier: MIT
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/driver.h"

#define START_NS (30 * BASE_NS_PER_S)
#define END_NS	 (60 * BASE_NS_PER_S)

const char world_heap_unit[] = "bytes";
/* What a sanitizer keeps of freed memory is no measure of ours. */
const u64 world_heap_of_client = BASE_ASAN || BASE_TSAN ? UINT32_MAX : 128u << 10;
const u64 world_heap_kept = BASE_ASAN || BASE_TSAN ? UINT32_MAX : 64u << 10;
const char world_args[] = "NPUD VNPU|- GENERATION os|hw";

struct world {
	const char *npud_path, *vnpu_path; /* @vnpu_path NULL: inside */
	const struct reg_gen *gen;
	bool hws;
	char dir[32];
	char firmware[48], socket[48], npu_socket[48], log[48];
	char device[64], npu[80];
	pid_t npud, vnpu;
};

struct world_proc {
	pid_t pid;
};

static const char *product(const struct reg_gen *gen)
{
	static const char *const names[][2] = {
		{ "npu37", "mtl" }, { "npu40", "lnl" }, { "npu50", "ptl" },
		{ "npu60", "nvl" }, { "ref", "ref" },
	};

	for (size_t i = 0; i < BASE_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i][0], gen->name))
			return names[i][1];
	return "";
}

/* @log: what it says goes there */
static pid_t start(const char *const *args, const char *log)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (log && (!freopen(log, "a", stdout) || dup2(1, 2) < 0))
		_exit(127);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(args[0], (char *const *)(uintptr_t)args);
	fprintf(stderr, "%s: %s\n", args[0], strerror(errno));
	_exit(127);
}

/* Of @pid; -ETIMEDOUT, and it was killed. */
static int end_of(pid_t pid, u64 timeout_ns, int *status)
{
	u64 until = base_clock_ns() + timeout_ns;

	while (waitpid(pid, status, WNOHANG) != pid) {
		if (base_clock_ns() >= until) {
			kill(pid, SIGKILL);
			waitpid(pid, status, 0);
			return -ETIMEDOUT;
		}
		world_nap(BASE_NS_PER_MS / 5);
	}
	return 0;
}

/* As the kernel tells: who only connects to find out is a client already. */
static bool is_listening(const char *path)
{
	char line[400];
	unsigned flags;
	bool found = false;
	FILE *f = fopen("/proc/net/unix", "re");

	if (!f)
		abort();
	while (!found && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, path);

		found = at && at[strlen(path)] == '\n' &&
			sscanf(line, "%*s %*s %*s %x", &flags) == 1 &&
			flags & 0x10000; /* __SO_ACCEPTCON */
	}
	fclose(f);
	return found;
}

/* Until somebody listens there, or @pid ended. */
static int await_socket(const char *path, pid_t pid)
{
	u64 until = base_clock_ns() + START_NS;

	while (!is_listening(path)) {
		if (base_clock_ns() >= until || waitpid(pid, NULL, WNOHANG) == pid)
			return -EPIPE;
		world_nap(BASE_NS_PER_MS);
	}
	return 0;
}

static int start_vnpu(struct world *w)
{
	const char *const args[] = { w->vnpu_path,  "--engine", "plain",	 "--socket",
				     w->npu_socket, "--device", product(w->gen), NULL };

	w->vnpu = start(args, w->log);
	return await_socket(w->npu_socket, w->vnpu);
}

int world_restart(struct world *w)
{
	const char *const args[] = { w->npud_path, "--config",	 "/dev/null", "--socket",
				     w->socket,	   "--device",	 w->npu,      "--firmware",
				     w->firmware,  "--contexts", "200",	      "--queues",
				     "300",	   "--memory",	 "16384",     NULL };

	unlink(w->socket);
	if (BASE_ASAN && w->vnpu_path) /* its leak checker needs calls that the filter forbids */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	w->npud = start(args, NULL);
	return await_socket(w->socket, w->npud);
}

static int write_image(struct world *w)
{
	void *image;
	size_t size;
	int fd, ret = drv_fw_make(w->gen, w->hws, &image, &size);

	if (ret)
		return ret;
	fd = open(w->firmware, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, image, size) != (ssize_t)size)
		ret = -EIO;
	if (fd >= 0)
		close(fd);
	base_free(image);
	return ret;
}

static int name_files(struct world *w)
{
	snprintf(w->dir, sizeof(w->dir), "/tmp/npu-load.XXXXXX");
	if (!mkdtemp(w->dir))
		return -errno;
	snprintf(w->firmware, sizeof(w->firmware), "%s/fw", w->dir);
	snprintf(w->socket, sizeof(w->socket), "%s/npud", w->dir);
	snprintf(w->npu_socket, sizeof(w->npu_socket), "%s/npu", w->dir);
	snprintf(w->log, sizeof(w->log), "%s/log", w->dir);
	snprintf(w->device, sizeof(w->device), "npud:%s", w->socket);
	if (w->vnpu_path)
		snprintf(w->npu, sizeof(w->npu), "vfio-user:%s", w->npu_socket);
	else
		snprintf(w->npu, sizeof(w->npu), "sim:%s,engine=plain", w->gen->name);
	return 0;
}

int world_open(int argc, char **argv, int *nr_used, struct world **out)
{
	struct world *w;
	int ret;

	if (argc < 5 || !reg_gen_by_name(argv[3])) {
		fprintf(stderr, "arguments: %s\n", world_args);
		return -EINVAL;
	}
	w = base_zalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->npud_path = argv[1];
	w->vnpu_path = strcmp(argv[2], "-") ? argv[2] : NULL;
	w->gen = reg_gen_by_name(argv[3]);
	w->hws = !strcmp(argv[4], "hw");
	ret = name_files(w);
	if (!ret)
		ret = write_image(w);
	if (!ret && w->vnpu_path)
		ret = start_vnpu(w);
	if (!ret)
		ret = world_restart(w);
	if (ret) {
		fprintf(stderr, "npud or vnpu does not start: %s\n", base_err_name(ret));
		return ret;
	}
	*nr_used = 4;
	*out = w;
	return 0;
}

static int end_in_order(const char *who, pid_t pid)
{
	int status = 0, ret;

	if (!pid)
		return 0;
	kill(pid, SIGTERM);
	ret = end_of(pid, END_NS, &status);
	if (ret || !WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "%s ends with status 0x%x, expected exit code 0\n", who, status);
		return -EIO;
	}
	return 0;
}

/* A driver that keeps to the protocol leaves no finding: vnpu's last line. */
static int judge_findings(struct world *w)
{
	char line[400] = "";
	FILE *f = w->vnpu ? fopen(w->log, "re") : NULL;
	bool good = !f;

	while (f && fgets(line, sizeof(line), f)) {
		good = strstr(line,
			      " 0 guest errors, 0 unspecified, 0 unimplemented, 0 model bugs");
		if (strstr(line, "finding"))
			fputs(line, stderr);
	}
	if (f)
		fclose(f);
	if (good)
		return 0;
	fprintf(stderr, "FAILED: what the NPU says: %s", line);
	return -EIO;
}

int world_close(struct world *w)
{
	int ret = end_in_order("npud", w->npud), vret = end_in_order("vnpu", w->vnpu);

	vret |= judge_findings(w);
	unlink(w->log);
	unlink(w->firmware);
	unlink(w->socket);
	unlink(w->npu_socket);
	if (rmdir(w->dir) && !ret) {
		fprintf(stderr, "%s: %s\n", w->dir, strerror(errno));
		ret = -EEXIST;
	}
	base_free(w);
	return ret || vret ? -EIO : 0;
}

const char *world_device(const struct world *w)
{
	return w->device;
}

const struct reg_gen *world_gen(const struct world *w)
{
	return w->gen;
}

bool world_hws(const struct world *w)
{
	return w->hws;
}

void *world_shared(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		abort();
	return mem;
}

struct world_proc *world_spawn(struct world *w, int (*run)(void *arg), void *arg)
{
	struct world_proc *proc = base_zalloc(sizeof(*proc));

	(void)w;
	if (!proc)
		abort();
	fflush(NULL);
	proc->pid = fork();
	if (proc->pid < 0)
		abort();
	if (proc->pid)
		return proc;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(run(arg) ? 1 : 0);
}

bool world_has_ended(struct world_proc *proc)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)proc->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

bool world_is_stuck(struct world_proc *proc)
{
	(void)proc;
	return false;
}

void world_kill(struct world_proc *proc)
{
	kill(proc->pid, SIGKILL);
}

int world_wait(struct world_proc *proc, u64 timeout_ns)
{
	int status = 0, ret = end_of(proc->pid, timeout_ns, &status);

	base_free(proc);
	if (ret)
		return ret;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return -EINTR;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static u64 nr_descriptors(pid_t pid)
{
	char path[40];
	u64 nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		abort();
	for (const struct dirent *e; (e = readdir(dir)) != NULL;)
		nr += e->d_name[0] != '.';
	closedir(dir);
	return nr;
}

/* "VmRSS" and such, of what the kernel tells about @pid. */
static u64 kilobytes(pid_t pid, const char *key)
{
	char path[40], line[200];
	u64 val = UINT64_MAX;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		abort();
	while (val == UINT64_MAX && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			val = strtoull(line + strlen(key) + 1, NULL, 10);
	fclose(f);
	return val << 10;
}

struct world_live world_measure(struct world *w)
{
	return (struct world_live){ .memory_bytes = kilobytes(w->npud, "VmRSS"),
				    .heap = kilobytes(w->npud, "RssAnon"),
				    .descriptors = nr_descriptors(w->npud) };
}

void world_crash(struct world *w)
{
	kill(w->npud, SIGKILL);
	waitpid(w->npud, NULL, 0);
}
