// SPDX-License-Identifier: MIT
/*
 * A blocking register read over vfio-user beside a bare round trip of as many bytes over the same
 * kind of socket, to a thread that does nothing but answer.  Both in turns, once with both sides
 * on one core and once wherever the scheduler puts them; medians, and their ratio.
 *
 * usage: vfu_roundtrip [ROUNDS]       exit 1 when an operation fails
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "regs/gen.h"
#include "vfu/client.h"
#include "vfu/vfu.h"

#define NR_TURNS   20u
#define WARM_UP	   200u
#define GOAL_RATIO 1.5
#define GOAL_NS	   6000u

enum { PCI_COMMAND = 4, COMMAND_MEMORY_MASTER = 6 };
enum { REQUEST = sizeof(struct vfu_hdr) + sizeof(struct vfu_region_io), ANSWER = REQUEST + 4 };

struct side {
	struct vfu_server *srv; /* NULL: the bare one */
	int fd;
	pthread_t thread;
};

static _Noreturn void die(const char *what, int ret)
{
	fprintf(stderr, "vfu_roundtrip: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static void *answer_all(void *arg)
{
	const struct side *side = arg;
	u8 buf[4096];

	while (recv(side->fd, buf, sizeof(buf), 0) > 0)
		if (send(side->fd, buf, ANSWER, MSG_NOSIGNAL) != ANSWER)
			break;
	close(side->fd);
	return NULL;
}

static void *serve(void *arg)
{
	const struct side *side = arg;

	(void)vfu_server_serve(side->srv, side->fd);
	return NULL;
}

/* Return: our end. */
static int start(struct side *side)
{
	int fds[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		die("socketpair", -errno);
	side->fd = fds[1];
	ret = pthread_create(&side->thread, NULL, side->srv ? serve : answer_all, side);
	if (ret)
		die("thread", -ret);
	return fds[0];
}

static u64 bare_round(int fd)
{
	u8 buf[4096] = { 0 };
	u64 t = base_clock_ns();

	if (send(fd, buf, REQUEST, MSG_NOSIGNAL) != REQUEST ||
	    recv(fd, buf, sizeof(buf), 0) != ANSWER)
		die("bare round trip", -EIO);
	return base_clock_ns() - t;
}

static u64 read_round(struct vfu_client *cl)
{
	u32 val;
	u64 t = base_clock_ns();
	int ret = vfu_client_read(cl, REG_BAR_BTRS_MTL, REG_BTRS_MTL_VPU_STATUS, &val, sizeof(val));

	if (ret)
		die("register read", ret);
	return base_clock_ns() - t;
}

/* A posted write costs its sender one system call; the read behind it waits for all of them. */
static double write_ns(struct vfu_client *cl, u32 rounds)
{
	const u32 val = 0;
	u64 t = base_clock_ns();

	for (u32 i = 0; i < rounds; i++) {
		int ret = vfu_client_write(cl, REG_BAR_BTRS_MTL, REG_BTRS_MTL_WP_REQ_PAYLOAD0, &val,
					   sizeof(val), true);

		if (ret)
			die("register write", ret);
	}
	(void)read_round(cl);
	return (double)(base_clock_ns() - t) / rounds;
}

static int by_size(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static u64 median(u64 *ns, u32 nr)
{
	qsort(ns, nr, sizeof(*ns), by_size);
	return ns[nr / 2];
}

static void measure(const char *name, int bare, struct vfu_client *cl, u32 rounds)
{
	u32 per_turn = rounds / NR_TURNS, nr = 0;
	u64 *bare_ns = base_alloc_array(rounds, sizeof(u64));
	u64 *read_ns = base_alloc_array(rounds, sizeof(u64));
	u64 bare_p50, read_p50;

	if (!bare_ns || !read_ns)
		die("memory", -ENOMEM);
	for (u32 i = 0; i < WARM_UP; i++)
		(void)(bare_round(bare) + read_round(cl));
	for (u32 turn = 0; turn < NR_TURNS; turn++, nr += per_turn) {
		for (u32 i = 0; i < per_turn; i++)
			bare_ns[nr + i] = bare_round(bare);
		for (u32 i = 0; i < per_turn; i++)
			read_ns[nr + i] = read_round(cl);
	}
	bare_p50 = median(bare_ns, nr);
	read_p50 = median(read_ns, nr);
	printf("%-12s bare %.2f us, register read %.2f us, p50 of %u: ratio %.2f (goal %.1f); posted "
	       "write %.2f us\n",
	       name, (double)bare_p50 / 1e3, (double)read_p50 / 1e3, nr,
	       (double)read_p50 / (double)bare_p50, GOAL_RATIO, write_ns(cl, rounds / 4) / 1e3);
	base_free(bare_ns);
	base_free(read_ns);
}

/* All threads are here and inherit it, or move with their creator's mask: set for each. */
static void pin(const struct side *a, const struct side *b, const cpu_set_t *set)
{
	int ret = pthread_setaffinity_np(pthread_self(), sizeof(*set), set);

	if (!ret)
		ret = pthread_setaffinity_np(a->thread, sizeof(*set), set);
	if (!ret)
		ret = pthread_setaffinity_np(b->thread, sizeof(*set), set);
	if (ret)
		die("affinity", -ret);
}

int main(int argc, char **argv)
{
	const struct vfu_config cfg = { .name = "bench", .device_id = 0x7d1d, .engine = "plain" };
	u32 rounds = argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 40000;
	u32 command = COMMAND_MEMORY_MASTER;
	struct side bare = { 0 }, dev = { 0 };
	struct vfu_client *cl;
	struct base_err err;
	cpu_set_t all, one;
	int fd, ret;

	if (rounds < 4 * NR_TURNS)
		rounds = 4 * NR_TURNS;
	if (vfu_server_create(&cfg, &dev.srv, &err))
		die(err.text, err.code);
	fd = start(&bare);
	if (vfu_client_attach(start(&dev), NULL, &cl, &err))
		die(err.text, err.code);
	ret = vfu_client_write(cl, VFU_REGION_CONFIG, PCI_COMMAND, &command, 2, false);
	if (ret || sched_getaffinity(0, sizeof(all), &all))
		die("set-up", ret ? ret : -errno);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	pin(&bare, &dev, &one);
	measure("one core", fd, cl, rounds);
	pin(&bare, &dev, &all);
	measure("any core", fd, cl, rounds);
	printf("goal of a register read on one core: %.1f us\n", GOAL_NS / 1e3);
	vfu_client_close(cl);
	close(fd);
	pthread_join(dev.thread, NULL);
	pthread_join(bare.thread, NULL);
	vfu_server_destroy(dev.srv);
	return 0;
}
