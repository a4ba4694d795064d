// SPDX-License-Identifier: MIT
/*
 * What a daemon between program and driver costs; bench/npud runs this.
 *
 * usage: bench_npud saturate DEVICE poll|wait BATCHES
 *            two queues with a batch of 32 null jobs each: whichever is done is sent again; waiting,
 *            or looking without a system call
 *        bench_npud roundtrip DEVICE ROUNDS
 *            one null job there and back, beside a bare message there and back between two
 *            processes; in turns
 *        bench_npud copy DEVICE MIB
 *            the device copies one buffer into another; both are filled and looked at here
 *
 * Prints "key value" lines.  Exit 1 when an operation fails.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tests/integration/cmdlist.h"
#include "abi/job.h"
#include "abi/npud.h"
#include "base/base.h"

#define BATCH	  32u
#define NR_QUEUES 2u
#define NR_TURNS  20u
#define WARM_UP	  200u
#define COPY_MAX  8u /* MiB of one descriptor */

struct bench {
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queues[NR_QUEUES];
	struct cmdlist list;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_npud: %s: %s\n", what, npu_last_error());
	exit(1);
}

static void bench_open(struct bench *b, const char *device)
{
	struct npu_buffer *buf;

	if (npu_device_open(device, &b->dev))
		die("open");
	if (npu_context_create(b->dev, &b->ctx))
		die("context");
	if (npu_buffer_create(b->ctx, BASE_PAGE_SIZE, 0, 0, &buf))
		die("buffer");
	for (u32 i = 0; i < NR_QUEUES; i++)
		if (npu_queue_create(b->ctx, NPU_PRIO_NORMAL, &b->queues[i]))
			die("queue");
	cmdlist_init(&b->list, buf, 0);
	cmdlist_nop(&b->list);
}

static void bench_close(struct bench *b)
{
	npu_context_destroy(b->ctx);
	npu_device_close(b->dev);
}

/*
 * Saturated
 */

static void send_batch(const struct bench *b, u32 queue)
{
	struct npu_job jobs[BATCH];

	for (u32 i = 0; i < BATCH; i++)
		jobs[i] = cmdlist_job(&b->list, i);
	if (npu_queue_submit(b->queues[queue], jobs, BATCH) != BATCH)
		die("submit");
}

/* Those there are; @wait: at least one. */
static u32 take(const struct bench *b, u32 queue, bool wait)
{
	struct npu_completion done[BATCH];
	int ret = wait ? npu_queue_wait(b->queues[queue], done, BATCH, 60 * BASE_NS_PER_S)
		       : npu_queue_poll(b->queues[queue], done, BATCH);

	if (ret < 0)
		die("completions");
	for (int i = 0; i < ret; i++)
		if (done[i].status)
			die("a job failed");
	return (u32)ret;
}

static void saturate(const struct bench *b, bool wait, u32 batches)
{
	u32 pending[NR_QUEUES] = { 0 }, sent = 0, ended = 0;

	for (; sent < NR_QUEUES; sent++, pending[sent - 1] = BATCH)
		send_batch(b, sent);
	for (u32 q = 0; ended < batches; q = (q + 1) % NR_QUEUES) {
		if (!pending[q])
			continue;
		pending[q] -= take(b, q, wait);
		if (pending[q])
			continue;
		ended++;
		if (sent == batches)
			continue;
		send_batch(b, q);
		pending[q] = BATCH;
		sent++;
	}
}

static u64 cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (u64)ts.tv_sec * BASE_NS_PER_S + (u64)ts.tv_nsec;
}

static void run_saturated(const char *device, bool wait, u32 batches)
{
	struct bench b;
	u64 start, cpu;

	bench_open(&b, device);
	saturate(&b, wait, WARM_UP);
	start = base_clock_ns();
	cpu = cpu_ns();
	saturate(&b, wait, batches);
	printf("jobs %u\ncpu_ns %llu\nwall_ns %llu\n", batches * BATCH,
	       (unsigned long long)(cpu_ns() - cpu), (unsigned long long)(base_clock_ns() - start));
	bench_close(&b);
}

/*
 * Round trips
 */

/* What a submission and an event are as messages. */
enum { PING = sizeof(struct abi_npud_req) + sizeof(struct abi_job), PONG = 8 };

static void answer_all(int fd)
{
	u8 buf[PING];

	while (recv(fd, buf, sizeof(buf), 0) == PING)
		if (send(fd, buf, PONG, MSG_NOSIGNAL) != PONG)
			break;
}

/* Return: our end; the other one is a child's, who ends with it. */
static int start_bare(pid_t *pid)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		die(strerror(errno));
	*pid = fork();
	if (*pid < 0)
		die(strerror(errno));
	if (!*pid) {
		close(fds[0]);
		answer_all(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

static void bare_round(int fd)
{
	u8 buf[PING] = { 0 };

	if (send(fd, buf, PING, MSG_NOSIGNAL) != PING || recv(fd, buf, sizeof(buf), 0) != PONG)
		die("bare round trip");
}

static void job_round(const struct bench *b)
{
	struct npu_job job = cmdlist_job(&b->list, 1);
	struct npu_completion done;

	if (npu_queue_submit(b->queues[0], &job, 1) != 1)
		die("submit");
	if (npu_queue_wait(b->queues[0], &done, 1, 60 * BASE_NS_PER_S) != 1)
		die("wait");
	if (done.status)
		die("the job failed");
}

/* How often somebody else ran where this process did. */
static long switches(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return use.ru_nvcsw + use.ru_nivcsw;
}

struct rounds {
	u64 *ns;
	u32 nr, switched;
};

/* @b NULL: bare ones. */
static void run_rounds(struct rounds *to, const struct bench *b, int fd, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		const long before = switches();
		u64 ns = base_clock_ns();

		if (b)
			job_round(b);
		else
			bare_round(fd);
		ns = base_clock_ns() - ns;
		to->ns[to->nr++] = ns;
		to->switched += switches() != before;
	}
}

static int by_value(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static void print_rounds(const char *name, struct rounds *of)
{
	qsort(of->ns, of->nr, sizeof(*of->ns), by_value);
	printf("%s_rounds %u\n%s_switched %u\n%s_ns %llu\n", name, of->nr, name, of->switched, name,
	       (unsigned long long)of->ns[of->nr / 2]);
}

static void run_roundtrips(const char *device, u32 rounds)
{
	const u32 turn = base_max(rounds / NR_TURNS, 1u), nr = turn * NR_TURNS;
	struct rounds bare = { .ns = base_alloc_array(nr, sizeof(u64)) };
	struct rounds job = { .ns = base_alloc_array(nr, sizeof(u64)) };
	struct bench b;
	pid_t pid;
	int fd = start_bare(&pid);

	if (!bare.ns || !job.ns)
		die("memory");
	bench_open(&b, device);
	for (u32 i = 0; i < NR_TURNS; i++) {
		run_rounds(&bare, NULL, fd, turn);
		run_rounds(&job, &b, fd, turn);
	}
	print_rounds("bare", &bare);
	print_rounds("job", &job);
	bench_close(&b);
	close(fd);
	waitpid(pid, NULL, 0);
	base_free(bare.ns);
	base_free(job.ns);
}

/*
 * Buffers
 */

static void run_copy(const char *device, u32 mib)
{
	const u32 size = mib << 20;
	struct npu_buffer *from, *to;
	struct npu_device_info info;
	struct bench b;
	u64 wrong = 0;
	u32 *src;

	bench_open(&b, device);
	if (npu_device_query(b.dev, &info) ||
	    npu_buffer_create(b.ctx, size, 0, NPU_BUFFER_DMA, &from) ||
	    npu_buffer_create(b.ctx, size, 0, NPU_BUFFER_DMA, &to))
		die("buffers");
	src = npu_buffer_map(from);
	for (u32 i = 0; i < size / 4; i++)
		src[i] = i * 2654435761u;
	cmdlist_copy(&b.list, &reg_gen_by_name(info.gen)->copy, 2048, npu_buffer_address(to),
		     npu_buffer_address(from), size);
	job_round(&b);
	for (u32 i = 0; i < size / 4; i++)
		wrong += ((const u32 *)npu_buffer_map(to))[i] != i * 2654435761u;
	if (wrong) {
		fprintf(stderr, "bench_npud: %llu words were not copied\n",
			(unsigned long long)wrong);
		exit(1);
	}
	printf("copied %u\n", size);
	bench_close(&b);
}

int main(int argc, char **argv)
{
	u32 nr = argc > 3 ? (u32)strtoul(argv[argc - 1], NULL, 10) : 0;

	if (nr && argc == 5 && !strcmp(argv[1], "saturate")) {
		run_saturated(argv[2], !strcmp(argv[3], "wait"), base_max(nr, NR_QUEUES));
	} else if (nr && argc == 4 && !strcmp(argv[1], "roundtrip")) {
		run_roundtrips(argv[2], nr);
	} else if (nr && nr <= COPY_MAX && argc == 4 && !strcmp(argv[1], "copy")) {
		run_copy(argv[2], nr);
	} else {
		fputs("usage: bench_npud saturate DEVICE poll|wait BATCHES\n"
		      "       bench_npud roundtrip DEVICE ROUNDS\n"
		      "       bench_npud copy DEVICE MIB\n",
		      stderr);
		return 2;
	}
	return 0;
}
