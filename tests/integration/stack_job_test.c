// SPDX-License-Identifier: MIT
/* Jobs through the whole stack: what goes, what is refused, how many, by how many. */
#include <pthread.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "stack.h"

static void query(void **state)
{
	struct stack *s = *state;
	struct npu_device_info info;
	char text[4096], line[32];

	MUST(npu_device_query(s->dev, &info));
	assert_string_equal(info.gen, stack_gen());
	assert_int_equal(info.vendor_id, 0x8086);
	assert_true(reg_gen_has_id(s->gen, (uint16_t)info.device_id));
	assert_int_equal(info.is_virtual,
			 info.location[0] != '0'); /* behind pcid it is taken for real */
	assert_true(info.boot_ns > 0 && info.device_create_ns > 0);
	assert_true(info.va_start < info.va_end);
	assert_int_equal(info.max_queue_depth, 62);
	assert_int_equal(info.max_context_jobs, 256);
	assert_true(info.max_contexts > 8);
	assert_true(info.fw_version[0] && info.fw_path[0]);
	MUST(npu_device_read_text(s->dev, "info", text, sizeof(text)));
	snprintf(line, sizeof(line), "gen: %s\n", stack_gen());
	assert_non_null(strstr(text, line));
	MUST(npu_device_read_text(s->dev, "status", text, sizeof(text)));
	/* a daemon lets an idle device sleep, in a while */
	assert_true(strstr(text, "state: ready\n") || strstr(text, "state: suspend"));
	assert_non_null(strstr(text, "contexts: 1\n"));
	MUST(npu_device_read_text(s->dev, "clients", text, sizeof(text)));
	assert_non_null(strstr(text, "contexts=1 queues=1"));
	assert_int_equal(npu_device_read_text(s->dev, "metrics", text, 5), 4);
	assert_string_equal(text, "jobs");
	assert_int_equal(npu_device_read_text(s->dev, "nothing", text, sizeof(text)), -ENOENT);
	assert_int_equal(npu_device_read_text(s->dev, "ctx", text, sizeof(text)), -ENOENT);
}

static void null_jobs(void **state)
{
	struct stack *s = *state;
	struct npu_device_info info;
	struct npu_completion done;
	struct cmdlist list;

	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	for (uint64_t i = 0; i < 500; i++) {
		submit_one(s->queue, &list, i);
		done = wait_one(s->queue);
		assert_int_equal(done.cookie, i);
		assert_int_equal(done.status, 0);
		assert_true(done.end_ns >= done.start_ns);
	}
	for (uint64_t i = 0; i < 500; i++) {
		int ret;

		submit_one(s->queue, &list, ~i);
		while ((ret = npu_queue_poll(s->queue, &done, 1)) == 0)
			;
		assert_int_equal(ret, 1);
		assert_int_equal(done.cookie, ~i);
	}
	assert_int_equal(npu_queue_poll(s->queue, &done, 1), 0);
	assert_int_equal(npu_queue_wait(s->queue, &done, 1, UINT64_MAX), -ENODATA);
	MUST(npu_device_query(s->dev, &info));
	assert_int_equal(info.jobs_done, 1000);
	assert_int_equal(info.jobs_failed, 0);
}

/* Jobs submitted and polled where the kernel allows read, write and exit only: any other system
 * call kills the child. */
static void run_without_system_calls(struct stack *s, const struct cmdlist *list)
{
	struct npu_completion done;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		_exit(77); /* not allowed here: nothing is proven */
	for (uint64_t i = 0; i < 1000; i++) {
		struct npu_job job = cmdlist_job(list, i);
		int ret = npu_queue_submit(s->queue, &job, 1);

		while (ret == 1 && (ret = npu_queue_poll(s->queue, &done, 1)) == 0)
			ret = 1;
		if (ret != 1 || done.status)
			syscall(SYS_exit, 1);
	}
	syscall(SYS_exit, 0);
}

static void no_system_calls(void **state)
{
	struct stack *s = *state;
	struct cmdlist list;
	int status;
	pid_t pid;

	if (BASE_TSAN)
		skip(); /* its runtime makes system calls of its own */
	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	submit_one(s->queue, &list, 0);
	wait_one(s->queue);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		run_without_system_calls(s, &list);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	if (WIFSIGNALED(status))
		fail_msg("signal %d: a job made a system call", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void fill(uint8_t *data, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = (uint8_t)(seed >> 24);
	}
}

/* 16 copies of different sizes and alignments in flight, each verified. */
static void copies(void **state)
{
	struct stack *s = *state;
	struct npu_buffer *src, *dst;
	struct npu_job jobs[16];
	uint64_t seen = 0;

	MUST(npu_buffer_create(s->ctx, 1 << 20, 0, NPU_BUFFER_DMA | NPU_BUFFER_RO, &src));
	MUST(npu_buffer_create(s->ctx, 1 << 20, 0, NPU_BUFFER_WC, &dst));
	fill(npu_buffer_map(src), 1 << 20, 5);
	for (uint32_t i = 0; i < 16; i++) {
		struct cmdlist list;

		cmdlist_init(&list, s->cmds, i * 512);
		cmdlist_copy(&list, &s->gen->copy, 256, npu_buffer_address(dst) + i * 0x10000 + i,
			     npu_buffer_address(src) + i * 0x10000, 0xfff0 - 7 * i);
		jobs[i] = cmdlist_job(&list, i);
		jobs[i].input_addr = npu_buffer_address(src);
		jobs[i].input_size = 1 << 20;
		jobs[i].output_addr = npu_buffer_address(dst);
		jobs[i].output_size = 1 << 20;
	}
	assert_int_equal(npu_queue_submit(s->queue, jobs, 16), 16);
	for (uint32_t i = 0; i < 16; i++) {
		struct npu_completion done = wait_one(s->queue);

		assert_int_equal(done.status, 0);
		seen |= 1u << done.cookie;
	}
	assert_int_equal(seen, 0xffff);
	for (uint32_t i = 0; i < 16; i++) {
		const uint8_t *out = map_at(dst, i * 0x10000);

		assert_memory_equal(out + i, map_at(src, i * 0x10000), 0xfff0 - 7 * i);
		for (uint32_t pad = 0; pad < i; pad++)
			assert_int_equal(out[pad], 0);
		assert_int_equal(out[i + 0xfff0 - 7 * i], 0);
	}
	npu_buffer_destroy(src);
	npu_buffer_destroy(dst);
}

static void bad_descriptors(void **state)
{
	struct stack *s = *state;
	struct npu_completion done;
	struct npu_job jobs[3];
	struct cmdlist list;

	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	for (uint32_t i = 0; i < 3; i++)
		jobs[i] = cmdlist_job(&list, i);
	jobs[1].cmd_addr += 8;
	assert_int_equal(npu_queue_submit(s->queue, jobs, 3), 1);
	assert_int_equal(npu_queue_submit(s->queue, jobs + 1, 2), -EINVAL);
	assert_non_null(strstr(npu_last_error(), "multiple of 64"));
	jobs[1] = cmdlist_job(&list, 1);
	jobs[1].cmd_addr = npu_buffer_address(s->cmds) + npu_buffer_size(s->cmds);
	assert_int_equal(npu_queue_submit(s->queue, jobs + 1, 1), -EINVAL);
	assert_non_null(strstr(npu_last_error(), "not inside buffers"));
	jobs[1] = cmdlist_job(&list, UINT64_C(0x4E50555200000001));
	assert_int_equal(npu_queue_submit(s->queue, jobs + 1, 1), -EINVAL);
	assert_int_equal(npu_queue_submit(s->queue, jobs, 0), 0);
	done = wait_one(s->queue);
	assert_int_equal(done.cookie, 0);
	assert_int_equal(npu_queue_wait(s->queue, &done, 0, 0), -EINVAL);
}

static void bad_arguments(void **state)
{
	struct stack *s = *state;
	struct npu_buffer *buf = NULL;
	struct npu_queue *queue = NULL;

	assert_int_equal(npu_buffer_create(s->ctx, 0, 0, 0, &buf), -EINVAL);
	assert_int_equal(npu_buffer_create(s->ctx, 1, 3, 0, &buf), -EINVAL);
	assert_int_equal(npu_buffer_create(s->ctx, 1, 0, 1u << 4, &buf), -EINVAL);
	assert_int_equal(npu_buffer_create(s->ctx, 1, 0, NPU_BUFFER_SHAVE | NPU_BUFFER_DMA, &buf),
			 -EINVAL);
	assert_int_equal(npu_buffer_create(s->ctx, UINT64_MAX, 0, 0, &buf), -ENOMEM);
	assert_int_equal(npu_buffer_create(s->ctx, UINT64_C(1) << 60, 0, 0, &buf), -ENOMEM);
	assert_null(buf);
	assert_int_equal(npu_queue_create(s->ctx, (enum npu_priority)4, &queue), -EINVAL);
	assert_null(queue);
}

static void waiting_has_a_limit(void **state)
{
	struct stack *s = *state;
	struct npu_completion done;
	struct cmdlist list;
	uint64_t fence;

	add_blocked_list(s, &list, 0, &fence);
	submit_one(s->queue, &list, 42);
	assert_int_equal(npu_queue_wait(s->queue, &done, 1, 0), -ETIMEDOUT);
	assert_int_equal(npu_queue_wait(s->queue, &done, 1, 3 * MS), -ETIMEDOUT);
	signal_fence(map_at(s->cmds, fence), 2); /* some go on at the value, some behind it */
	done = wait_one(s->queue);
	assert_int_equal(done.cookie, 42);
	assert_int_equal(done.status, 0);
}

/* 62 of a queue; 256 of a context, which are reached only while jobs stand still. */
static void limits(void **state)
{
	struct stack *s = *state;
	struct npu_queue *queues[5] = { s->queue };
	struct npu_completion done[62];
	struct npu_job jobs[70];
	struct cmdlist list;
	uint64_t fence;
	int total = 0;

	add_blocked_list(s, &list, 0, &fence);
	for (uint32_t i = 0; i < 70; i++)
		jobs[i] = cmdlist_job(&list, i);
	for (uint32_t i = 1; i < 5; i++)
		MUST(npu_queue_create(s->ctx, (enum npu_priority)(i % 4), &queues[i]));
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(npu_queue_submit(queues[i], jobs, 70), 62);
		assert_int_equal(npu_queue_submit(queues[i], jobs, 1), -EAGAIN);
	}
	assert_int_equal(npu_queue_submit(queues[4], jobs, 70), 256 - 4 * 62);
	assert_int_equal(npu_queue_submit(queues[4], jobs, 1), -EAGAIN);
	signal_fence(map_at(s->cmds, fence), 2); /* some go on at the value, some behind it */
	for (uint32_t i = 0; i < 5; i++) {
		uint64_t next = 0;
		int ret;

		while ((ret = npu_queue_wait(queues[i], done, 62, 20000 * MS)) > 0) {
			for (int j = 0; j < ret; j++)
				assert_int_equal(done[j].cookie, next++); /* in order */
			total += ret;
		}
		assert_int_equal(ret, -ENODATA);
	}
	assert_int_equal(total, 256);
}

/* Everything goes while jobs are under way. */
static void destroy_while_busy(void **state)
{
	struct stack *s = *state;
	struct npu_context *ctx;
	struct npu_buffer *buf;
	struct npu_queue *queue;
	struct cmdlist list;

	MUST(npu_context_create(s->dev, &ctx));
	MUST(npu_buffer_create(ctx, 1 << 20, 0, 0, &buf));
	MUST(npu_queue_create(ctx, NPU_PRIO_FOCUS, &queue));
	cmdlist_init(&list, buf, 0);
	cmdlist_copy(&list, &s->gen->copy, 512, npu_buffer_address(buf) + 0x80000,
		     npu_buffer_address(buf) + 0x1000, 0x40000);
	for (uint64_t i = 0; i < 20; i++)
		submit_one(queue, &list, i);
	npu_buffer_destroy(buf); /* stays until the jobs have ended */
	for (uint32_t i = 0; i < 3; i++) {
		MUST(npu_buffer_create(ctx, 1 << 20, 0, 0, &buf));
		memset(npu_buffer_map(buf), 0xee, 1 << 20);
	}
	npu_queue_destroy(queue);
	MUST(npu_queue_create(ctx, NPU_PRIO_IDLE, &queue));
	cmdlist_init(&list, buf, 0);
	cmdlist_nop(&list);
	for (uint64_t i = 0; i < 20; i++)
		submit_one(queue, &list, i);
	npu_context_destroy(ctx);
}

static void many_contexts_in_turn(void **state)
{
	struct stack *s = *state;

	for (uint32_t i = 0; i < 300; i++) {
		struct npu_context *ctx;
		struct npu_buffer *buf;
		struct npu_queue *queue;
		struct cmdlist list;

		MUST(npu_context_create(s->dev, &ctx));
		MUST(npu_buffer_create(ctx, PAGE, 0, 0, &buf));
		MUST(npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue));
		cmdlist_init(&list, buf, 0);
		cmdlist_nop(&list);
		submit_one(queue, &list, i);
		npu_context_destroy(ctx);
	}
}

/* Virtual time only: the driver's watchdog takes a minute to give up on the job. */
static void stuck_job_ends_some_day(void **state)
{
	struct stack *s = *state;
	struct npu_context *ctx;
	struct npu_buffer *buf;
	struct npu_queue *queue;
	struct cmdlist list;

	MUST(npu_context_create(s->dev, &ctx));
	MUST(npu_buffer_create(ctx, PAGE, 0, 0, &buf));
	MUST(npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue));
	cmdlist_init(&list, buf, 0);
	cmdlist_fence(&list, ABI_CMD_FENCE_WAIT, npu_buffer_address(buf) + 0x800, 1);
	submit_one(queue, &list, 1);
	npu_context_destroy(ctx);
}

/*
 * Eight threads, a context each.
 */
#define NR_THREADS 8u

struct worker {
	pthread_t thread;
	struct npu_device *dev;
	const struct reg_gen *gen;
	uint32_t seed;
	unsigned rounds;
	char error[600]; /* cmocka's assertions work in the main thread only */
};

static int work_round(struct worker *w, struct npu_queue *queue, struct npu_buffer *buf,
		      uint32_t round)
{
	uint8_t *cpu = npu_buffer_map(buf);
	struct npu_completion done[8];
	struct npu_job jobs[8];
	int nr = 0;

	fill(cpu + 0x10000, 0x8000, w->seed + round);
	memset(cpu + 0x20000, 0, 0x8000);
	for (uint32_t i = 0; i < 8; i++) {
		struct cmdlist list;

		cmdlist_init(&list, buf, i * PAGE);
		cmdlist_copy(&list, &w->gen->copy, 512,
			     npu_buffer_address(buf) + 0x20000 + i * PAGE,
			     npu_buffer_address(buf) + 0x10000 + i * PAGE, PAGE);
		jobs[i] = cmdlist_job(&list, i);
	}
	if (npu_queue_submit(queue, jobs, 8) != 8)
		return -EIO;
	while (nr < 8) {
		int ret = npu_queue_wait(queue, done, 8, 60000 * MS);

		if (ret < 0)
			return ret;
		for (int i = 0; i < ret; i++)
			if (done[i].status)
				return -EIO;
		nr += ret;
	}
	return memcmp(cpu + 0x10000, cpu + 0x20000, 0x8000) ? -EBADMSG : 0;
}

static int work(struct worker *w)
{
	struct npu_context *ctx;
	struct npu_buffer *buf;
	struct npu_queue *queue;
	int ret = npu_context_create(w->dev, &ctx);

	if (ret)
		return ret;
	ret = npu_buffer_create(ctx, 0x30000, 0, NPU_BUFFER_DMA, &buf);
	if (!ret)
		ret = npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue);
	for (uint32_t i = 0; !ret && i < w->rounds; i++)
		ret = work_round(w, queue, buf, i);
	if (ret)
		snprintf(w->error, sizeof(w->error), "%d: %s", ret, npu_last_error());
	npu_context_destroy(ctx);
	return ret;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	for (uint32_t i = 0; i < 3 && !w->error[0]; i++)
		if (work(w) && !w->error[0])
			snprintf(w->error, sizeof(w->error), "%s", npu_last_error());
	return NULL;
}

static void many_threads(void **state)
{
	struct stack *s = *state;
	struct worker workers[NR_THREADS] = { 0 };
	char text[4096];

	for (uint32_t i = 0; i < NR_THREADS; i++) {
		workers[i].dev = s->dev;
		workers[i].gen = s->gen;
		workers[i].seed = i * 1000;
		workers[i].rounds = 30;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]),
				 0);
	}
	for (uint32_t i = 0; i < 50; i++)
		MUST(npu_device_read_text(s->dev, "status", text, sizeof(text)));
	for (uint32_t i = 0; i < NR_THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (uint32_t i = 0; i < NR_THREADS; i++)
		if (workers[i].error[0])
			fail_msg("thread %u: %s", i, workers[i].error);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(query),
		BOTH(null_jobs),
		BOTH(copies),
		BOTH(bad_descriptors),
		BOTH(bad_arguments),
		BOTH(waiting_has_a_limit),
		BOTH(limits),
		BOTH(destroy_while_busy),
		BOTH(many_contexts_in_turn),
		BOTH(many_threads),
		STEPPED_ONLY(no_system_calls),
		STEPPED_ONLY(stuck_job_ends_some_day),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
