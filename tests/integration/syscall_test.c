// SPDX-License-Identifier: MIT
/*
 * Jobs through client, service, driver and virtual NPU make no system call when they are stepped or
 * polled.  A child does the jobs under a seccomp filter that stops it at the first one and tells
 * which it was; what comes before and after the jobs is not watched.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmdlist.h"

#define NR_JOBS	    10000u
#define POLLS_MAX   100000000u
#define NO_SYSCALL  (-1)
#define NOT_WATCHED (-2) /* the kernel refused the filter */

struct outcome { /* shared with the child */
	int syscall;
	uint32_t jobs;
};

static struct outcome *outcome;

static void on_syscall(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	outcome->syscall = info->si_syscall;
	_exit(0); /* exit_group: let through */
}

/* From here on nothing is let through but the end, in this thread. */
static int watch(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	const struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };
	const struct sigaction act = { .sa_sigaction = on_syscall, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGSYS, &act, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

static int run_jobs(struct npu_queue *queue, const struct cmdlist *list, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct npu_job job = cmdlist_job(list, i);
		struct npu_completion done;
		int ret = 0;

		if (npu_queue_submit(queue, &job, 1) != 1)
			return 1;
		for (uint32_t k = 0; !ret && k < POLLS_MAX; k++)
			ret = npu_queue_poll(queue, &done, 1);
		if (ret != 1 || done.status || done.cookie != i)
			return 1;
		outcome->jobs++;
	}
	return 0;
}

/* In the child; the exit code says what went wrong. */
static int child(const char *device)
{
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_buffer *buf;
	struct npu_queue *queue;
	struct cmdlist list;

	if (npu_device_open(device, &dev) || npu_context_create(dev, &ctx))
		return 2;
	if (npu_buffer_create(ctx, 4096, 0, 0, &buf) ||
	    npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue))
		return 3;
	cmdlist_init(&list, buf, 0);
	cmdlist_nop(&list);
	if (run_jobs(queue, &list, 100)) /* the doorbell, and the first use of everything */
		return 4;
	outcome->jobs = 0;
	if (watch()) {
		outcome->syscall = NOT_WATCHED;
		return 0;
	}
	return run_jobs(queue, &list, NR_JOBS) ? 5 : 0;
}

static void no_system_call(const char *device)
{
	int status;
	pid_t pid;

	*outcome = (struct outcome){ .syscall = NO_SYSCALL };
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(child(device));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	if (outcome->syscall == NOT_WATCHED)
		skip();
	if (outcome->syscall != NO_SYSCALL)
		fail_msg("%s: system call %d after %u jobs", device, outcome->syscall,
			 outcome->jobs);
	assert_int_equal(outcome->jobs, NR_JOBS);
}

static void test_stepped(void **state)
{
	(void)state;
	no_system_call("sim:npu37,stepped,engine=plain");
	no_system_call("sim:npu40,stepped,engine=plain");
}

static void test_polled(void **state)
{
	(void)state;
	no_system_call("sim:npu37,engine=plain");
	no_system_call("sim:npu40,engine=plain");
}

/* The watch itself: a call is seen. */
static void test_watch(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	*outcome = (struct outcome){ .syscall = NO_SYSCALL };
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (watch())
			_exit(1);
		(void)getppid();
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 1)
		skip();
	assert_int_equal(status, 0);
	assert_int_equal(outcome->syscall, SYS_getppid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_stepped),
		cmocka_unit_test(test_polled),
	};

	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (outcome == MAP_FAILED)
		return 2;
	return cmocka_run_group_tests_name("syscall", tests, NULL, NULL);
}
