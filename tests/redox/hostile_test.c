// SPDX-License-Identifier: MIT
/*
 * npud on Redox, in the box, among processes that mean harm; what they do is that of
 * ../integration/hostile.h.  Arguments: GENERATION os|hw [COUNT [SEED [TEST]]]
 *
 * A client is a process of the box, which does what it is told by the test's thread.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../integration/hostile.h"
#include "daemon.h"

static const struct reg_gen *gen;
static bool hws;
static u32 count = 8;
static u64 seed = 1;

/* cmocka's, for each test and fixture; but faults are how the box's registers work. */
sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction sa = { .sa_handler = handler }, old;

	if (sig == SIGSEGV)
		return SIG_DFL;
	sigemptyset(&sa.sa_mask);
	return sigaction(sig, &sa, &old) ? SIG_ERR : old.sa_handler;
}

enum order { NONE, OPEN, DUP, READ, WRITE, CALL, MAP, UNMAP, CLOSE, WAIT, WHY, RAW, QUIT };

struct hostile_conn {
	struct box_proc *proc;
	pthread_mutex_t lock; /* protects: all below */
	pthread_cond_t cond;
	enum order order;
	const char *path;
	s64 handle;
	void *buf;
	const void *src;
	u64 size;
	u32 ms;
	u8 opcode;
	const u64 *args;
	s64 result;
};

/*
 * In the process
 */

static s64 do_open(const char *path)
{
	char full[600];

	snprintf(full, sizeof(full), "/scheme/npu/%s", path);
	return redox_result(redox_open_v1((const u8 *)full, strlen(full), REDOX_O_RDWR, 0));
}

static s64 do_wait(const struct hostile_conn *c)
{
	u64 until = base_clock_ns() + c->ms * BASE_NS_PER_MS;
	s64 ret = redox_result(redox_fcntl_v0((size_t)c->handle, REDOX_F_SETFL, REDOX_O_NONBLOCK));

	while (ret >= 0) {
		ret = redox_result(redox_read_v1((size_t)c->handle, c->buf, c->size));
		if (ret >= 0)
			return ret / (s64)sizeof(struct abi_completion);
		if (ret != -EAGAIN)
			return ret;
		if (base_clock_ns() >= until)
			return 0;
		poll(NULL, 0, 1);
		ret = 0;
	}
	return ret;
}

static s64 do_why(const struct hostile_conn *c)
{
	s64 fd = do_open("error"), n = -1;

	if (fd >= 0) {
		n = redox_result(redox_read_v1((size_t)fd, c->buf, c->size - 1));
		redox_close_v1((size_t)fd);
	}
	((char *)c->buf)[n > 0 ? n : 0] = '\0';
	return n;
}

static s64 obey(struct hostile_conn *c)
{
	const size_t fd = (size_t)c->handle;

	switch ((u32)c->order) {
	case OPEN:
		return do_open(c->path);
	case DUP:
		return redox_result(redox_dup_v1(fd, (const u8 *)c->path, strlen(c->path)));
	case READ:
		return redox_result(redox_read_v1(fd, c->buf, c->size));
	case WRITE:
		return redox_result(redox_write_v1(fd, c->src, c->size));
	case CALL:
		return redox_result(redox_sys_call_v0(fd, c->buf, c->size,
						      REDOX_CALL_READ | REDOX_CALL_WRITE, NULL, 0));
	case MAP:
		return redox_result(redox_mmap_v1(NULL, c->size, REDOX_PROT_READ | REDOX_PROT_WRITE,
						  REDOX_MAP_SHARED, fd, 0));
	case UNMAP:
		return redox_result(redox_munmap_v1(c->buf, c->size));
	case CLOSE:
		return redox_result(redox_close_v1(fd));
	case WAIT:
		return do_wait(c);
	case WHY:
		return do_why(c);
	case RAW:
		return box_raw(fd, c->opcode, c->args);
	default:
		return -ENOSYS;
	}
}

static int serve(void *arg)
{
	struct hostile_conn *c = arg;
	bool quit;

	pthread_mutex_lock(&c->lock);
	do {
		while (c->order == NONE)
			pthread_cond_wait(&c->cond, &c->lock);
		quit = c->order == QUIT;
		c->result = quit ? 0 : obey(c);
		c->order = NONE;
		pthread_cond_broadcast(&c->cond);
	} while (!quit);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/*
 * hostile.h, and orders of the same kind
 */

static s64 tell(struct hostile_conn *c, const struct hostile_conn *order)
{
	s64 ret;

	pthread_mutex_lock(&c->lock);
	c->path = order->path;
	c->handle = order->handle;
	c->buf = order->buf;
	c->src = order->src;
	c->size = order->size;
	c->ms = order->ms;
	c->opcode = order->opcode;
	c->args = order->args;
	c->order = order->order;
	pthread_cond_broadcast(&c->cond);
	while (c->order != NONE)
		pthread_cond_wait(&c->cond, &c->lock);
	ret = c->result;
	pthread_mutex_unlock(&c->lock);
	return ret;
}

#define TELL(c, ...) tell(c, &(struct hostile_conn){ __VA_ARGS__ })

s64 hostile_open(struct hostile_conn *c, const char *path)
{
	return TELL(c, .order = OPEN, .path = path);
}

s64 hostile_dup(struct hostile_conn *c, s64 handle, const char *path)
{
	return TELL(c, .order = DUP, .handle = handle, .path = path);
}

s64 hostile_read(struct hostile_conn *c, s64 handle, void *buf, u64 size)
{
	return TELL(c, .order = READ, .handle = handle, .buf = buf, .size = size);
}

s64 hostile_write(struct hostile_conn *c, s64 handle, const void *buf, u64 size)
{
	return TELL(c, .order = WRITE, .handle = handle, .src = buf, .size = size);
}

s64 hostile_call(struct hostile_conn *c, s64 handle, void *arg, u64 size)
{
	return TELL(c, .order = CALL, .handle = handle, .buf = arg, .size = size);
}

/* Who mapped what: a mapping is undone by the process that has it. */
static struct {
	void *cpu;
	struct hostile_conn *c;
} maps[1024];
static pthread_mutex_t maps_lock = PTHREAD_MUTEX_INITIALIZER; /* protects: maps */

static struct hostile_conn *note_map(void *cpu, void *was, struct hostile_conn *c)
{
	struct hostile_conn *found = NULL;

	pthread_mutex_lock(&maps_lock);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(maps); i++)
		if (maps[i].cpu == was) {
			found = maps[i].c;
			maps[i].cpu = cpu;
			maps[i].c = c;
			break;
		}
	pthread_mutex_unlock(&maps_lock);
	return found;
}

s64 hostile_map(struct hostile_conn *c, s64 handle, u64 size, void **cpu)
{
	s64 ret = TELL(c, .order = MAP, .handle = handle, .size = size);

	if (ret < 0)
		return ret;
	*cpu = (void *)(uintptr_t)ret;
	(void)note_map(*cpu, NULL, c);
	return 0;
}

void hostile_unmap(void *cpu, u64 size)
{
	struct hostile_conn *c = note_map(NULL, cpu, NULL);

	if (c)
		(void)TELL(c, .order = UNMAP, .buf = cpu, .size = size);
}

s64 hostile_close(struct hostile_conn *c, s64 handle)
{
	return TELL(c, .order = CLOSE, .handle = handle);
}

s64 hostile_wait(struct hostile_conn *c, s64 queue, u32 timeout_ms, struct abi_completion *out)
{
	return TELL(c, .order = WAIT, .handle = queue, .buf = out, .size = sizeof(*out),
		    .ms = timeout_ms);
}

void hostile_why(struct hostile_conn *c, char *text, size_t size)
{
	(void)TELL(c, .order = WHY, .buf = text, .size = size);
}

/*
 * Worlds
 */

struct world {
	struct box *box;
	struct daemon daemon;
	struct hostile_conn mine, theirs, bystander;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint done;
	int ret;
	struct base_err err;
};

static void start(struct world *w, struct hostile_conn *c, u32 uid)
{
	const struct box_proc_config cfg = {
		.name = "client", .uid = uid, .gid = uid, .run = serve, .arg = c
	};

	*c = (struct hostile_conn){ .order = NONE };
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->cond, NULL);
	assert_int_equal(box_spawn(w->box, &cfg, &c->proc), 0);
}

/* Its descriptors and mappings are the kernel's affair. */
static void end(struct hostile_conn *c)
{
	(void)TELL(c, .order = QUIT);
	assert_int_equal(box_wait(c->proc), 0);
	pthread_mutex_lock(&maps_lock);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(maps); i++)
		if (maps[i].c == c) {
			maps[i].cpu = NULL;
			maps[i].c = NULL;
		}
	pthread_mutex_unlock(&maps_lock);
	pthread_cond_destroy(&c->cond);
	pthread_mutex_destroy(&c->lock);
}

static void must(int ret, const struct base_err *err)
{
	if (ret)
		fail_msg("%d: %s", ret, err->text);
}

static void *be_bystander(void *arg)
{
	struct world *w = arg;

	w->ret = hostile_bystander(&w->bystander, gen, &w->stop, &w->done, &w->err);
	return NULL;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(box_create(&(struct box_config){ .gen = gen->name,
							  .seed = seed,
							  .ram_bytes = 1u << 30 },
				    &w->box),
			 0);
	assert_int_equal(daemon_init(&w->daemon, w->box, gen->name, hws), 0);
	assert_int_equal(daemon_start(&w->daemon), 0);
	start(w, &w->mine, 1000);
	start(w, &w->theirs, 1001);
	start(w, &w->bystander, 1002);
	assert_int_equal(pthread_create(&w->thread, NULL, be_bystander, w), 0);
	for (u32 i = 0; i < 2000 && !atomic_load(&w->done); i++)
		poll(NULL, 0, 10);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	struct hostile_conn last;
	struct base_err err = { 0 };
	struct box_live live;
	char text[300] = "";
	u32 before = atomic_load(&w->done);

	for (u32 i = 0; i < 2000 && atomic_load(&w->done) < before + 3; i++)
		poll(NULL, 0, 10);
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	must(w->ret, &w->err);
	assert_true(atomic_load(&w->done) >= before + 3);
	end(&w->mine);
	end(&w->theirs);
	end(&w->bystander);
	start(w, &last, 1003);
	must(hostile_nothing_left(&last, &err), &err);
	end(&last);
	assert_int_equal(daemon_stop(&w->daemon), 0);
	if (box_complaints(w->box, text, sizeof(text)))
		fail_msg("%s", text);
	live = box_live(w->box);
	assert_int_equal(live.contiguous_bytes | live.descriptors | live.mappings, 0);
	assert_true(box_quiet(w->box));
	daemon_fini(&w->daemon);
	box_destroy(w->box);
	free(w);
	return 0;
}

static struct hostile_plan plan(void)
{
	return (struct hostile_plan){ .gen = gen, .hws = hws, .seed = seed, .count = count };
}

/*
 * What the socket has, too
 */

static void test_control(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };

	must(hostile_self_test(&w->mine, gen, &err), &err);
}

#define SHARED(name, ...)                                          \
	static void test_##name(void **state)                      \
	{                                                          \
		struct world *w = *state;                          \
		const struct hostile_plan p = plan();              \
		struct base_err err = { 0 };                       \
                                                                   \
		must(hostile_##name(&p, __VA_ARGS__, &err), &err); \
	}

SHARED(addresses, &w->mine, &w->theirs)
SHARED(isolation, &w->mine, &w->theirs)
SHARED(keys, &w->mine, &w->theirs)
SHARED(descriptors, &w->mine)
SHARED(random, &w->mine)
SHARED(unfinished, &w->mine)
SHARED(endless, &w->mine)

static void test_reuse(void **state)
{
	struct world *w = *state;
	const struct hostile_plan p = plan();
	struct hostile_victim *v = calloc(1, sizeof(*v));
	struct base_err err = { 0 };

	assert_non_null(v);
	for (u32 i = 0; i < 3; i++) {
		must(hostile_victim_enter(v, &w->theirs, gen, &err), &err);
		if (i) {
			end(&w->theirs);
			start(w, &w->theirs, 1001);
		} else {
			hostile_victim_leave(v);
		}
		must(hostile_reuse(&p, &w->mine, &err), &err);
	}
	free(v);
}

/*
 * What is Redox's own
 */

/* Requests with numbers for lengths, offsets and addresses that no call makes. */
static void test_requests(void **state)
{
	static const u64 odd[] = { 0, 1, 4095, 1u << 31, UINT64_C(1) << 62, UINT64_MAX };
	static const char *const nodes[] = { "", "0", "0/info", "0/ctx", "error" };
	struct world *w = *state;

	for (size_t n = 0; n < BASE_ARRAY_SIZE(nodes); n++) {
		s64 fd = hostile_open(&w->mine, nodes[n]);

		assert_true(fd >= 0);
		/* reads, writes and their like have memory with them, which these have not */
		for (u32 op = 0; op < 64; op++) {
			if (op == REDOX_OP_CLOSE || op == REDOX_OP_CANCEL ||
			    op == REDOX_OP_DETACH || op == REDOX_OP_READ || op == REDOX_OP_WRITE ||
			    op == REDOX_OP_CALL || op == REDOX_OP_DUP || op == REDOX_OP_OPENAT ||
			    op == REDOX_OP_STDFS || op == REDOX_OP_FPATH || op == REDOX_OP_FSTAT ||
			    op == REDOX_OP_MMAP_PREP)
				continue;
			for (size_t i = 0; i < BASE_ARRAY_SIZE(odd); i++) {
				const u64 args[4] = { odd[i], odd[(i + 1) % 6], odd[(i + 2) % 6],
						      odd[(i + 3) % 6] };

				(void)TELL(&w->mine, .order = RAW, .handle = fd, .opcode = (u8)op,
					   .args = args);
			}
		}
		assert_true(hostile_close(&w->mine, fd) >= 0);
	}
}

/* The words of an error are for the process that made it. */
static void test_words(void **state)
{
	struct world *w = *state;
	char text[300];

	assert_true(hostile_open(&w->theirs, "0/secretname") < 0);
	hostile_why(&w->theirs, text, sizeof(text));
	assert_non_null(strstr(text, "secretname"));
	hostile_why(&w->mine, text, sizeof(text));
	assert_string_equal(text, "");
}

static void test_nobody(void **state)
{
	static const char *const closed[] = { "0/control", "0/log",	"0/log?errors",
					      "0/trace",   "0/dump",	"0/counters",
					      "0/stream",  "0/stream?x" };
	struct world *w = *state;
	char text[4000] = "";
	s64 node;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(closed); i++) {
		assert_int_equal(hostile_open(&w->mine, closed[i]), -EACCES);
		hostile_why(&w->mine, text, sizeof(text));
		assert_non_null(strstr(text, "privilege"));
	}
	node = hostile_open(&w->mine, "0/clients");
	assert_true(node >= 0 && hostile_read(&w->mine, node, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "others: clients=1 "));
	assert_null(strstr(text, "uid=1002"));
	(void)hostile_close(&w->mine, node);
	node = hostile_open(&w->mine, "0/ctx");
	assert_true(node >= 0);
	assert_int_equal(hostile_dup(&w->mine, node, "queue?prio=realtime"), -EACCES);
	(void)hostile_close(&w->mine, node);
}

/* More descriptors than anybody needs, of what costs the service nothing: others still get theirs. */
static void test_descriptors_gone(void **state)
{
	static s64 fd[12000];
	struct world *w = *state;
	u32 nr = 0;
	s64 last = 0;

	while (nr < BASE_ARRAY_SIZE(fd) && (last = hostile_open(&w->mine, "error")) >= 0)
		fd[nr++] = last;
	assert_int_equal(last, -EMFILE);
	last = hostile_open(&w->theirs, "error");
	assert_true(last >= 0);
	(void)hostile_close(&w->theirs, last);
	while (nr)
		(void)hostile_close(&w->mine, fd[--nr]);
}

/* A lent piece of memory changes while the daemon copies it. */
struct changer {
	u8 *at;
	u64 size;
	atomic_bool stop;
};

static __attribute__((no_sanitize("thread"))) void *change(void *arg)
{
	struct changer *c = arg;

	for (u64 x = seed; !atomic_load(&c->stop);) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		*(volatile u8 *)(c->at + (x >> 40) % c->size) ^= (u8)(1u << (x >> 33) % 8);
	}
	return NULL;
}

static void test_changing_descriptors(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };

	for (u32 i = 0; i < 8 + count; i++) {
		struct abi_job job;
		struct changer c = { .at = (void *)&job, .size = sizeof(job) };
		struct abi_completion done;
		struct hostile h;
		pthread_t thread;

		must(hostile_enter(&h, &w->mine, gen, &err), &err);
		job = hostile_put(&h, HOSTILE_INPUT, hostile_good(&h, HOSTILE_INPUT));
		assert_int_equal(pthread_create(&thread, NULL, change, &c), 0);
		for (u32 k = 0; k < 50; k++)
			if (hostile_write(&w->mine, h.queue, &job, sizeof(job)) > 0)
				(void)hostile_wait(&w->mine, h.queue, 20, &done);
		atomic_store(&c.stop, true);
		pthread_join(thread, NULL);
		hostile_leave(&h);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(control),
		TEST(addresses),
		TEST(isolation),
		TEST(keys),
		TEST(reuse),
		TEST(descriptors),
		TEST(random),
		TEST(unfinished),
		TEST(endless),
		TEST(requests),
		TEST(words),
		TEST(nobody),
		TEST(descriptors_gone),
		TEST(changing_descriptors),
	};

	if (argc < 3 || !reg_gen_by_name(argv[1]))
		return 2;
	gen = reg_gen_by_name(argv[1]);
	hws = !strcmp(argv[2], "hw");
	if (argc > 3)
		count = (u32)strtoul(argv[3], NULL, 10);
	if (argc > 4)
		seed = strtoull(argv[4], NULL, 10);
	if (argc > 5)
		cmocka_set_test_filter(argv[5]);
	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
