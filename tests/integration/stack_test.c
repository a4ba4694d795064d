// SPDX-License-Identifier: MIT
/*
 * libnpu, service, driver core and virtual NPU together, in stepped mode (virtual time,
 * deterministic) and in threaded mode (real time).
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "abi/program.h"
#include "base/base.h"
#include "cmdlist.h"

#define PAGE 4096u
#define MS   BASE_NS_PER_MS

#define STEPPED	 "sim:npu37,stepped,engine=plain"
#define THREADED "sim:npu37,engine=plain"

#if defined(__SANITIZE_THREAD__)
#define HAVE_TSAN 1
#elif defined(__has_feature)
#define HAVE_TSAN __has_feature(thread_sanitizer)
#else
#define HAVE_TSAN 0
#endif

struct stack {
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	struct npu_buffer *cmds; /* 16 pages */
	bool stepped;
};

static void must(int ret, const char *what)
{
	if (ret < 0)
		fail_msg("%s: %d: %s", what, ret, npu_last_error());
}

#define MUST(call) must((call), #call)

static void open_stack(struct stack *s, const char *device)
{
	s->stepped = strstr(device, "stepped") != NULL;
	MUST(npu_device_open(device, &s->dev));
	MUST(npu_context_create(s->dev, &s->ctx));
	MUST(npu_queue_create(s->ctx, NPU_PRIO_NORMAL, &s->queue));
	MUST(npu_buffer_create(s->ctx, 16 * PAGE, 0, NPU_BUFFER_WB, &s->cmds));
}

/* A driver that keeps to the protocol leaves no finding. */
static void close_stack(struct stack *s)
{
	struct npu_device_info info;

	npu_context_destroy(s->ctx);
	MUST(npu_device_query(s->dev, &info));
	assert_int_equal(info.findings, 0);
	npu_device_close(s->dev);
}

static int setup_stepped(void **state)
{
	struct stack *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	open_stack(s, STEPPED);
	*state = s;
	return 0;
}

static int setup_threaded(void **state)
{
	struct stack *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	open_stack(s, THREADED);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	close_stack(*state);
	free(*state);
	return 0;
}

static void submit_one(struct npu_queue *queue, const struct cmdlist *list, uint64_t cookie)
{
	struct npu_job job = cmdlist_job(list, cookie);
	int ret = npu_queue_submit(queue, &job, 1);

	must(ret, "submit");
	assert_int_equal(ret, 1);
}

static struct npu_completion wait_one(struct npu_queue *queue)
{
	struct npu_completion done;
	int ret = npu_queue_wait(queue, &done, 1, 20000 * MS);

	must(ret, "wait");
	assert_int_equal(ret, 1);
	return done;
}

static void *map_at(struct npu_buffer *buf, size_t off)
{
	return (uint8_t *)npu_buffer_map(buf) + off;
}

/* A store the device sees: fences are signalled from the host by plain stores (P 10.8). */
static void signal_fence(void *fence, uint64_t value)
{
	atomic_store((_Atomic uint64_t *)fence, value);
}

static void query(void **state)
{
	struct stack *s = *state;
	struct npu_device_info info;
	char text[4096];

	MUST(npu_device_query(s->dev, &info));
	assert_string_equal(info.gen, "npu37");
	assert_int_equal(info.vendor_id, 0x8086);
	assert_int_equal(info.device_id, 0x7d1d);
	assert_true(info.is_virtual);
	assert_true(info.boot_ns > 0 && info.device_create_ns > 0);
	assert_true(info.va_start < info.va_end);
	assert_int_equal(info.max_queue_depth, 62);
	assert_int_equal(info.max_context_jobs, 256);
	assert_true(info.max_contexts > 8);
	assert_true(info.fw_version[0] && info.fw_path[0]);
	MUST(npu_device_read_text(s->dev, "info", text, sizeof(text)));
	assert_non_null(strstr(text, "gen: npu37\n"));
	MUST(npu_device_read_text(s->dev, "status", text, sizeof(text)));
	assert_non_null(strstr(text, "state: ready\n"));
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

	if (HAVE_TSAN)
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
		cmdlist_copy(&list, 256, npu_buffer_address(dst) + i * 0x10000 + i,
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

static void unknown_devices(void **state)
{
	static const char *const names[] = { "", "sim", "vfio:0000:00:0b.0", "sim:npu37,fast",
					     "sim:npu99" };
	struct npu_device *dev = NULL;

	(void)state;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(names); i++) {
		assert_int_equal(npu_device_open(names[i], &dev), -EINVAL);
		assert_non_null(strstr(npu_last_error(), "expected"));
	}
	assert_null(dev);
}

static void no_such_firmware(void **state)
{
	const struct npu_open_options options = { .firmware = "/nonexistent/npu.bin" };
	struct npu_device *dev = NULL;

	(void)state;
	assert_int_equal(npu_device_open_with(STEPPED, &options, &dev), -ENOENT);
	assert_non_null(strstr(npu_last_error(), "/nonexistent/npu.bin"));
	assert_null(dev);
}

/* A job that ends when the host signals. */
static void add_blocked_list(struct stack *s, struct cmdlist *list, uint32_t off, uint64_t *fence)
{
	cmdlist_init(list, s->cmds, off);
	cmdlist_fence(list, ABI_CMD_FENCE_WAIT, npu_buffer_address(s->cmds) + 15 * PAGE, 1);
	*fence = 15 * PAGE;
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
	signal_fence(map_at(s->cmds, fence), 1);
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
	signal_fence(map_at(s->cmds, fence), 1);
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
	cmdlist_copy(&list, 512, npu_buffer_address(buf) + 0x80000,
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
 * A program by hand: y = relu(x + c), two by three floats.
 */
struct image {
	struct abi_prog_header hdr;
	struct abi_prog_tensor tensors[3];
	struct abi_prog_op op;
	uint8_t gap0[32];
	uint32_t operands[16];
	struct abi_attr_binary attr;
	uint8_t gap1[40];
	char names[64];
	float weights[16];
};

static_assert(offsetof(struct image, operands) % 64 == 0, "operands");
static_assert(offsetof(struct image, attr) % 64 == 0, "attributes");
static_assert(offsetof(struct image, names) % 64 == 0, "names");
static_assert(sizeof(struct image) % 64 == 0, "image");

#define SECTION(id, member, len)                         \
	im->hdr.sec[ABI_SEC_##id] = (struct abi_section) \
	{                                                \
		offsetof(struct image, member), len      \
	}

static void build_image(struct image *im)
{
	static const uint8_t kinds[] = { ABI_TENSOR_INPUT, ABI_TENSOR_CONST, ABI_TENSOR_OUTPUT };

	memset(im, 0, sizeof(*im));
	im->hdr = (struct abi_prog_header){ .magic = ABI_PROG_MAGIC,
					    .version_major = ABI_PROG_VERSION_MAJOR,
					    .version_minor = ABI_PROG_VERSION_MINOR,
					    .size = sizeof(*im),
					    .nr_inputs = 1,
					    .nr_outputs = 1 };
	SECTION(TENSORS, tensors, sizeof(im->tensors));
	SECTION(OPS, op, sizeof(im->op));
	SECTION(OPERANDS, operands, 3 * sizeof(uint32_t));
	SECTION(ATTRS, attr, sizeof(im->attr));
	SECTION(NAMES, names, sizeof(im->names));
	SECTION(WEIGHTS, weights, sizeof(im->weights));
	for (uint32_t i = 0; i < 3; i++) {
		im->tensors[i] = (struct abi_prog_tensor){
			.kind = kinds[i], .dtype = ABI_F32, .rank = 2, .size = 24, .dims = { 2, 3 }
		};
		im->operands[i] = i;
	}
	im->tensors[0].name = 1;
	im->tensors[2].name = 3;
	memcpy(im->names, "\0x\0y", 5);
	im->op = (struct abi_prog_op){
		.code = ABI_OP_BINARY, .nr_in = 2, .nr_out = 1, .attr_size = sizeof(im->attr)
	};
	im->attr.kind = ABI_BINARY_ADD;
	im->attr.act.kind = ABI_UNARY_RELU;
	for (uint32_t i = 0; i < 6; i++)
		im->weights[i] = 0.5f;
	im->hdr.content_hash = base_hash64(im->tensors, sizeof(*im) - sizeof(im->hdr), 0);
}

static void check_tensor(const struct npu_tensor_info *info, const char *name)
{
	assert_string_equal(info->name, name);
	assert_int_equal(info->dtype, ABI_F32);
	assert_int_equal(info->rank, 2);
	assert_int_equal(info->dims[0], 2);
	assert_int_equal(info->dims[1], 3);
	assert_int_equal(info->size, 24);
}

static void program(void **state)
{
	struct stack *s = *state;
	struct npu_completion done = { .status = 99 };
	struct npu_tensor_info info;
	struct npu_program *prog, *second;
	struct image im;

	build_image(&im);
	MUST(npu_program_load(s->ctx, &im, sizeof(im), &prog));
	MUST(npu_program_load(s->ctx, &im, sizeof(im), &second));
	assert_int_equal(npu_program_nr_inputs(prog), 1);
	assert_int_equal(npu_program_nr_outputs(prog), 1);
	MUST(npu_program_input(prog, 0, &info));
	check_tensor(&info, "x");
	MUST(npu_program_output(prog, 0, &info));
	check_tensor(&info, "y");
	assert_int_equal(npu_program_input(prog, 1, &info), -EINVAL);
	assert_int_equal(npu_program_output(prog, 1, &info), -EINVAL);
	assert_null(npu_program_input_data(prog, 1));
	assert_null(npu_program_output_data(prog, 1));
	for (uint32_t run = 0; run < 20; run++) {
		struct npu_program *p = run % 3 ? prog : second;
		float *x = npu_program_input_data(p, 0);
		const float *y = npu_program_output_data(p, 0);

		for (uint32_t i = 0; i < 6; i++)
			x[i] = (float)i - (float)run / 4;
		MUST(npu_program_run(p, s->queue, 20000 * MS, &done));
		assert_int_equal(done.status, 0);
		for (uint32_t i = 0; i < 6; i++) {
			float want = (float)i - (float)run / 4 + 0.5f;

			assert_true(y[i] == (want > 0 ? want : 0));
		}
	}
	npu_program_destroy(second);
	MUST(npu_program_run(prog, s->queue, UINT64_MAX, NULL));
	/* prog goes with its context */
}

/* A run among other jobs of the same queue: theirs are kept, its own is not shown. */
static void program_among_jobs(void **state)
{
	struct stack *s = *state;
	struct npu_completion done[62];
	struct npu_program *prog;
	struct cmdlist list;
	struct npu_job jobs[62];
	struct image im;
	uint64_t fence;
	int nr = 0, ret;

	build_image(&im);
	MUST(npu_program_load(s->ctx, &im, sizeof(im), &prog));
	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	for (uint32_t i = 0; i < 62; i++)
		jobs[i] = cmdlist_job(&list, i);
	assert_int_equal(npu_queue_submit(s->queue, jobs, 61), 61);
	MUST(npu_program_run(prog, s->queue, 20000 * MS, NULL));
	while (nr < 61 && (ret = npu_queue_wait(s->queue, done, 7, 20000 * MS)) > 0)
		for (int i = 0; i < ret; i++)
			assert_int_equal(done[i].cookie, nr++);
	assert_int_equal(nr, 61);
	/* a run that times out is not heard of again */
	add_blocked_list(s, &list, 0, &fence);
	submit_one(s->queue, &list, 7);
	assert_int_equal(npu_program_run(prog, s->queue, 2 * MS, NULL), -ETIMEDOUT);
	signal_fence(map_at(s->cmds, fence), 1);
	assert_int_equal(wait_one(s->queue).cookie, 7);
	assert_int_equal(npu_queue_wait(s->queue, done, 1, 20000 * MS), -ENODATA);
	MUST(npu_program_run(prog, s->queue, 20000 * MS, NULL));
}

/* The hash covers all but the header, where some other values are right as well: a larger arena,
 * another name for the producer, a longer section. */
static bool may_change(size_t at)
{
	return at < sizeof(struct abi_prog_header);
}

static void bad_programs(void **state)
{
	struct stack *s = *state;
	struct npu_program *prog = NULL;
	struct image im;
	char text[1024];

	for (size_t size = 0; size < sizeof(im); size += 61) {
		build_image(&im);
		assert_int_equal(npu_program_load(s->ctx, &im, size, &prog), -EINVAL);
	}
	for (size_t at = 0; at < sizeof(im); at++) {
		int ret;

		build_image(&im);
		((uint8_t *)&im)[at] ^= 0x10;
		ret = npu_program_load(s->ctx, &im, sizeof(im), &prog);
		if (!ret && may_change(at)) {
			npu_program_destroy(prog);
			prog = NULL;
		} else if (ret != -EINVAL && !(may_change(at) && ret == -ENOMEM)) {
			fail_msg("byte %zu: %d: %s", at, ret, npu_last_error());
		}
	}
	build_image(&im);
	im.tensors[2].dims[0] = 3; /* its structure is right, its meaning is not */
	im.tensors[2].size = 36;
	im.hdr.content_hash = base_hash64(im.tensors, sizeof(im) - sizeof(im.hdr), 0);
	assert_int_equal(npu_program_load(s->ctx, &im, sizeof(im), &prog), -EINVAL);
	assert_null(prog);
	MUST(npu_device_read_text(s->dev, "status", text, sizeof(text)));
	assert_non_null(strstr(text, "buffers: 1\n"));
}

static void wrong_queue(void **state)
{
	struct stack *s = *state;
	struct npu_context *ctx;
	struct npu_program *prog;
	struct image im;

	build_image(&im);
	MUST(npu_context_create(s->dev, &ctx));
	MUST(npu_program_load(ctx, &im, sizeof(im), &prog));
	assert_int_equal(npu_program_run(prog, s->queue, MS, NULL), -EINVAL);
	npu_context_destroy(ctx);
}

/*
 * Eight threads, a context each.
 */
#define NR_THREADS 8u

struct worker {
	pthread_t thread;
	struct npu_device *dev;
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
		cmdlist_copy(&list, 512, npu_buffer_address(buf) + 0x20000 + i * PAGE,
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

static void reopen(const char *device)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct stack s;
		struct cmdlist list;

		open_stack(&s, device);
		cmdlist_init(&list, s.cmds, 0);
		cmdlist_nop(&list);
		submit_one(s.queue, &list, i);
		assert_int_equal(wait_one(s.queue).cookie, i);
		close_stack(&s);
	}
}

static void reopen_stepped(void **state)
{
	(void)state;
	reopen(STEPPED);
}

static void reopen_threaded(void **state)
{
	(void)state;
	reopen(THREADED);
}

static void two_devices(void **state)
{
	struct stack a, b;
	struct cmdlist list;

	(void)state;
	open_stack(&a, STEPPED ",seed=7");
	open_stack(&b, THREADED ",pci=ad1d");
	cmdlist_init(&list, a.cmds, 0);
	cmdlist_nop(&list);
	submit_one(a.queue, &list, 1);
	cmdlist_init(&list, b.cmds, 0);
	cmdlist_nop(&list);
	submit_one(b.queue, &list, 2);
	assert_int_equal(wait_one(a.queue).cookie, 1);
	assert_int_equal(wait_one(b.queue).cookie, 2);
	close_stack(&a);
	close_stack(&b);
}

struct steps {
	uint32_t nr, failed;
};

static void count_step(void *opaque, const struct npu_boot_step *step)
{
	struct steps *steps = opaque;

	steps->nr++;
	steps->failed += step->result != 0;
	assert_non_null(step->sequence);
	assert_non_null(step->step);
	assert_non_null(step->source);
}

static void boot_steps_are_told(void **state)
{
	struct steps steps = { 0 };
	const struct npu_open_options options = { .on_boot_step = count_step, .opaque = &steps };
	struct npu_device *dev;

	(void)state;
	MUST(npu_device_open_with(STEPPED, &options, &dev));
	assert_true(steps.nr > 20);
	assert_int_equal(steps.failed, 0);
	npu_device_close(dev);
}

static void count_device(void *opaque, const char *device, const char *description)
{
	struct npu_device *dev;

	assert_true(description[0] != '\0');
	MUST(npu_device_open(device, &dev));
	npu_device_close(dev);
	++*(uint32_t *)opaque;
}

static void listed_devices_open(void **state)
{
	uint32_t nr = 0;

	(void)state;
	npu_list(count_device, &nr);
	assert_true(nr >= 1);
}

/* From open to close, one program run among it; 0 or the first error. */
static int whole_life(void)
{
	struct npu_device *dev;
	struct npu_context *ctx;
	struct npu_queue *queue;
	struct npu_program *prog;
	struct image im;
	int ret = npu_device_open(STEPPED, &dev);

	if (ret)
		return ret;
	ret = npu_context_create(dev, &ctx);
	if (ret)
		goto out_close;
	build_image(&im);
	ret = npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue);
	if (!ret)
		ret = npu_program_load(ctx, &im, sizeof(im), &prog);
	if (!ret)
		ret = npu_program_run(prog, queue, UINT64_MAX, NULL);
	npu_context_destroy(ctx);
out_close:
	npu_device_close(dev);
	return ret;
}

/* Each allocation fails once: -ENOMEM (or the job fails), nothing leaks, the next life is fine. */
static void allocations_fail(void **state)
{
	uint32_t failures = 0;
	uint64_t before = base_alloc_count();
	uint64_t nr, step;

	(void)state;
	assert_int_equal(whole_life(), 0);
	nr = base_alloc_count() - before;
	step = 1 + nr / 2000; /* a test must end some day */
	for (uint64_t n = 1; n <= nr; n += step) {
		int ret;

		base_alloc_fail_nth(n);
		ret = whole_life();
		base_alloc_fail_nth(0);
		if (ret && ret != -ENOMEM && ret != -EIO)
			fail_msg("allocation %llu of %llu: %d: %s", (unsigned long long)n,
				 (unsigned long long)nr, ret, npu_last_error());
		failures += ret != 0;
	}
	print_message("%llu allocations, every %llu. failed, %u lives ended early\n",
		      (unsigned long long)nr, (unsigned long long)step, failures);
	assert_true(failures > 20);
	assert_int_equal(whole_life(), 0);
}

#define BOTH(f)                                                     \
	{ #f " (stepped)", f, setup_stepped, teardown, NULL },      \
	{                                                           \
#f " (threaded)", f, setup_threaded, teardown, NULL \
	}
#define STEPPED_ONLY(f)                                           \
	{                                                         \
#f " (stepped)", f, setup_stepped, teardown, NULL \
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
		BOTH(program),
		BOTH(program_among_jobs),
		BOTH(bad_programs),
		BOTH(wrong_queue),
		BOTH(many_threads),
		cmocka_unit_test(unknown_devices),
		cmocka_unit_test(no_such_firmware),
		cmocka_unit_test(reopen_stepped),
		cmocka_unit_test(reopen_threaded),
		cmocka_unit_test(two_devices),
		cmocka_unit_test(boot_steps_are_told),
		cmocka_unit_test(listed_devices_open),
		STEPPED_ONLY(no_system_calls),
		STEPPED_ONLY(stuck_job_ends_some_day),
		cmocka_unit_test(allocations_fail),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
