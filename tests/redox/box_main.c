// SPDX-License-Identifier: MIT
/*
 * main() of a program that was written for any device, a test or npu: it runs as a program of the
 * box, on what npud serves there.  Arguments: GENERATION os|hw, then its own; its exit code, unless
 * the box has to complain.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boxed.h"
#include "daemon.h"
#undef main

/* cmocka's, for each test; but faults are how the box's registers work. */
sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction sa = { .sa_handler = handler }, old;

	if (sig == SIGSEGV)
		return SIG_DFL;
	sigemptyset(&sa.sa_mask);
	return sigaction(sig, &sa, &old) ? SIG_ERR : old.sa_handler;
}

struct program {
	int argc;
	char **argv;
};

static int run(void *arg)
{
	const struct program *p = arg;

	box_adopt();
	return boxed_main(p->argc, p->argv);
}

static int run_program(struct box *box, struct program *p)
{
	const struct box_proc_config cfg = { .name = "test", .run = run, .arg = p };
	struct box_proc *proc;
	int ret = box_spawn(box, &cfg, &proc);

	return ret ? ret : box_wait(proc);
}

static int judge(struct box *box, int result)
{
	struct box_live live = box_live(box);
	char text[300];

	if (box_complaints(box, text, sizeof(text))) {
		fprintf(stderr, "the box complains: %s\n", text);
		result = 1;
	}
	if (live.contiguous_bytes || live.descriptors || live.mappings || !box_quiet(box)) {
		fprintf(stderr, "left behind: %llu bytes, %llu descriptors, %llu mappings%s\n",
			(unsigned long long)live.contiguous_bytes,
			(unsigned long long)live.descriptors, (unsigned long long)live.mappings,
			box_quiet(box) ? "" : ", a device that is on");
		result = 1;
	}
	return result;
}

int main(int argc, char **argv)
{
	struct program p = { argc - 2, argv + 2 };
	struct daemon daemon;
	struct box *box;
	int ret;

	if (argc < 3)
		return 2;
	ret = box_create(&(struct box_config){ .gen = argv[1], .seed = 3, .ram_bytes = 1u << 30 },
			 &box);
	if (!ret)
		ret = daemon_init(&daemon, box, argv[1], !strcmp(argv[2], "hw"));
	if (ret) {
		fprintf(stderr, "no box: %d\n", ret);
		return 1;
	}
	daemon_arg(&daemon, "--mmio=rw");
	daemon_arg(&daemon, "--dma=on");
	daemon_arg(&daemon, "--contexts=200");
	daemon_arg(&daemon, "--queues=256");
	daemon_arg(&daemon, "--memory=16384");
	ret = daemon_start(&daemon);
	if (!ret) {
		setenv("NPU_TEST_DEVICE", "/scheme/npu", 1);
		setenv("NPU_TEST_GEN", argv[1], 1);
		ret = run_program(box, &p);
		ret = judge(box, daemon_stop(&daemon) ? 1 : ret);
	} else {
		fprintf(stderr, "npud does not start: %d\n", ret);
	}
	daemon_fini(&daemon);
	box_destroy(box);
	return ret < 0 ? 1 : ret;
}
