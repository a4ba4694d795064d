// SPDX-License-Identifier: MIT
/*
 * npud, over its socket, among clients that mean harm: whatever they do ends in an error of theirs,
 * and a bystander's jobs go on, verified.  Arguments: NPUD GENERATION os|hw [COUNT [SEED [TEST]]]
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hostile_socket.h"

static const char *npud;
static const struct reg_gen *gen;
static bool hws;
static u32 count = 8;
static u64 seed = 1;

struct world {
	struct hostile_daemon d;
	struct hostile_conn mine, theirs;
	u32 fds; /* of the daemon, before anybody came */
	pthread_t thread;
	struct hostile_conn bystander;
	atomic_bool stop;
	atomic_uint done;
	int ret;
	struct base_err err;
};

static void must(int ret, const struct base_err *err)
{
	if (ret)
		fail_msg("%d: %s", ret, err->text);
}

static struct hostile_plan plan(void)
{
	return (struct hostile_plan){ .gen = gen, .hws = hws, .seed = seed, .count = count };
}

static void *be_bystander(void *arg)
{
	struct world *w = arg;

	w->ret = hostile_bystander(&w->bystander, gen, &w->stop, &w->done, &w->err);
	return NULL;
}

static int setup_limited(void **state, u32 nofile)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(hostile_daemon_start(npud, gen, hws, nofile, &w->d), 0);
	/* once somebody was answered it has opened all that it keeps */
	assert_int_equal(hostile_connect(w->d.socket, "first", &w->mine), 0);
	hostile_disconnect(&w->mine);
	w->fds = UINT32_MAX;
	for (u32 i = 0; i < 10; i++, poll(NULL, 0, 5)) /* whoever looked whether it serves goes */
		w->fds = base_min(w->fds, hostile_daemon_fds(&w->d));
	assert_int_equal(hostile_connect(w->d.socket, "mine", &w->mine), 0);
	assert_int_equal(hostile_connect(w->d.socket, "theirs", &w->theirs), 0);
	assert_int_equal(hostile_connect(w->d.socket, "bystander", &w->bystander), 0);
	assert_int_equal(pthread_create(&w->thread, NULL, be_bystander, w), 0);
	for (u32 i = 0; i < 2000 && !atomic_load(&w->done); i++)
		poll(NULL, 0, 10);
	*state = w;
	return 0;
}

static int setup(void **state)
{
	return setup_limited(state, 0);
}

/* Everybody is gone; then so is all they had, in the daemon and in the system. */
static int teardown(void **state)
{
	struct world *w = *state;
	struct hostile_conn last;
	struct base_err err = { 0 };
	u32 before = atomic_load(&w->done);
	int ret;

	for (u32 i = 0; i < 2000 && atomic_load(&w->done) < before + 3; i++)
		poll(NULL, 0, 10);
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	hostile_disconnect(&w->mine);
	hostile_disconnect(&w->theirs);
	hostile_disconnect(&w->bystander);
	must(w->ret, &w->err);
	assert_true(atomic_load(&w->done) >= before + 3);
	assert_int_equal(hostile_connect(w->d.socket, "last", &last), 0);
	must(hostile_nothing_left(&last, &err), &err);
	hostile_disconnect(&last);
	for (u32 i = 0; i < 500 && hostile_daemon_fds(&w->d) > w->fds; i++)
		poll(NULL, 0, 10);
	assert_true(hostile_daemon_fds(&w->d) <= w->fds);
	ret = hostile_daemon_stop(&w->d);
	assert_int_equal(ret, 0);
	free(w);
	return 0;
}

/*
 * What Redox has, too
 */

static void test_control(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };

	must(hostile_self_test(&w->mine, gen, &err), &err);
}

#define SHARED_TWO(name)                                                    \
	static void test_##name(void **state)                               \
	{                                                                   \
		struct world *w = *state;                                   \
		const struct hostile_plan p = plan();                       \
		struct base_err err = { 0 };                                \
                                                                            \
		must(hostile_##name(&p, &w->mine, &w->theirs, &err), &err); \
	}
#define SHARED_ONE(name)                                        \
	static void test_##name(void **state)                   \
	{                                                       \
		struct world *w = *state;                       \
		const struct hostile_plan p = plan();           \
		struct base_err err = { 0 };                    \
                                                                \
		must(hostile_##name(&p, &w->mine, &err), &err); \
	}

SHARED_TWO(addresses)
SHARED_TWO(isolation)
SHARED_TWO(keys)
SHARED_ONE(descriptors)
SHARED_ONE(random)

static void test_reuse(void **state)
{
	struct world *w = *state;
	const struct hostile_plan p = plan();
	struct hostile_victim *v = calloc(1, sizeof(*v));
	struct base_err err = { 0 };

	assert_non_null(v);
	for (u32 i = 0; i < 3; i++) {
		must(hostile_victim_enter(v, &w->theirs, gen, &err), &err);
		if (i) { /* killed: nothing is closed in order */
			hostile_disconnect(&w->theirs);
			assert_int_equal(hostile_connect(w->d.socket, "next", &w->theirs), 0);
			munmap(v->h.cmd.cpu, v->h.cmd.size);
			munmap(v->h.io.cpu, v->h.io.size);
			for (u32 k = 0; k < HOSTILE_NR_BOXES; k++)
				munmap(v->box[k].cpu, v->box[k].size);
		} else {
			hostile_victim_leave(v);
		}
		must(hostile_reuse(&p, &w->mine, &err), &err);
	}
	free(v);
}

/* More contexts than there are address spaces, each of a client that is gone at once. */
static void test_unfinished(void **state)
{
	struct world *w = *state;
	const struct hostile_plan p = plan();
	struct base_err err = { 0 };

	for (u32 i = 0; i < 12; i++) {
		struct hostile_conn c;
		int ret = 0;

		/* as many as are left are soon to be had again */
		for (u32 k = 0; k < 2000; k++) {
			assert_int_equal(hostile_connect(w->d.socket, "gone", &c), 0);
			ret = hostile_unfinished(&p, &c, &err);
			hostile_disconnect(&c);
			if (ret != -EBUSY)
				break;
			poll(NULL, 0, 10);
		}
		must(ret, &err);
	}
}

/* One that is gone while an inference of hours runs, in order or not, delays nobody for long. */
static void test_endless(void **state)
{
	struct world *w = *state;
	const struct hostile_plan p = plan();
	struct base_err err = { 0 };
	u32 before = atomic_load(&w->done);

	must(hostile_endless(&p, &w->mine, &err), &err);
	for (u32 i = 0; i < 2000 && atomic_load(&w->done) < before + 10; i++)
		poll(NULL, 0, 10);
	assert_true(atomic_load(&w->done) >= before + 10);
	must(hostile_endless(&p, &w->theirs, &err), &err);
	hostile_disconnect(&w->theirs);
	assert_int_equal(hostile_connect(w->d.socket, "theirs", &w->theirs), 0);
}

/* The same with what the NPU cannot leave half done. */
static void test_giant(void **state)
{
	struct world *w = *state;
	const struct hostile_plan p = plan();
	struct base_err err = { 0 };
	u32 before = atomic_load(&w->done);

	must(hostile_giant(&p, &w->mine, &err), &err);
	for (u32 i = 0; i < 2000 && atomic_load(&w->done) < before + 10; i++)
		poll(NULL, 0, 10);
	assert_true(atomic_load(&w->done) >= before + 10);
	must(hostile_giant(&p, &w->theirs, &err), &err);
	hostile_disconnect(&w->theirs);
	assert_int_equal(hostile_connect(w->d.socket, "theirs", &w->theirs), 0);
}

/*
 * Frames
 */

static void expect_gone(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[600];

	assert_int_equal(poll(&p, 1, (int)HOSTILE_PATIENCE_MS), 1);
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		continue;
	assert_int_equal(poll(&p, 1, (int)HOSTILE_PATIENCE_MS), 1);
	assert_true(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0);
	close(fd);
}

static void raw_frame(const struct world *w, const void *data, size_t size)
{
	int fd = hostile_dial(w->d.socket);

	assert_true(fd >= 0);
	assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
	expect_gone(fd);
}

/* What is no frame ends the connection; what is no request, or none now, is answered with words. */
static void test_frames(void **state)
{
	struct world *w = *state;
	static u8 big[sizeof(struct abi_npud_req) + ABI_NPUD_PAYLOAD + 100];
	struct abi_npud_req req = { .op = ABI_NPUD_HELLO, .size = 4 };
	struct hostile_conn silent = { .fd = hostile_dial(w->d.socket) };
	u8 payload[100] = { 0 };

	raw_frame(w, "x", 1);
	raw_frame(w, &req, sizeof(req) - 1);
	raw_frame(w, &req, sizeof(req)); /* says 4, has 0 */
	req.size = UINT32_MAX;
	raw_frame(w, &req, sizeof(req));
	raw_frame(w, big, sizeof(big));
	for (u32 op = 0; op < 40; op++) {
		s64 ret = hostile_ask(&silent, (struct abi_npud_req){ .op = (u16)op, .size = 3 },
				      "abc", NULL, 0, NULL);

		if (op == ABI_NPUD_POST)
			continue; /* ends it; the next ones are asked of nobody */
		assert_true(ret == -ENOSYS || ret == -EPROTO || ret == -EINVAL ||
			    (op > ABI_NPUD_POST &&
			     (ret == -ENOTCONN || ret == -EPIPE || ret == -ECONNRESET)));
	}
	hostile_disconnect(&silent);
	for (u32 op = 0; op < 40; op++) {
		const struct abi_npud_req odd = {
			.op = (u16)op, .reserved = 7, .handle = 0xffffffff, .size = 64, .arg = ~0ull
		};
		s64 ret;

		if (op == ABI_NPUD_POST)
			continue;
		ret = hostile_ask(&w->mine, odd, payload, NULL, 0, NULL);
		assert_true(ret < 0 && ret != -ENOTCONN && ret != -ETIME);
		assert_true(strlen(w->mine.why) > 8);
	}
}

/* Descriptors that nobody asked for. */
static void test_frames_with_descriptors(void **state)
{
	struct world *w = *state;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(200 * sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(200 * sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct abi_npud_req req = { .op = ABI_NPUD_OPEN, .size = 6 };
	struct iovec iov[] = { { &req, sizeof(req) }, { "0/info", 6 } };
	const struct msghdr msg = { .msg_iov = iov,
				    .msg_iovlen = 2,
				    .msg_control = &control,
				    .msg_controllen = sizeof(control) };
	int fd[200];

	for (u32 i = 0; i < BASE_ARRAY_SIZE(fd); i++)
		fd[i] = w->mine.fd; /* of itself: a ring that only the system can undo */
	memcpy(CMSG_DATA(&control.head), fd, sizeof(fd));
	for (u32 i = 0; i < 50; i++) {
		struct abi_npud_reply reply;

		assert_true(sendmsg(w->mine.fd, &msg, MSG_NOSIGNAL) > 0);
		assert_int_equal(recv(w->mine.fd, &reply, sizeof(reply), 0), sizeof(reply));
		assert_true(reply.result > 0);
	}
	assert_true(hostile_daemon_fds(&w->d) < w->fds + 50);
}

/* Requests without end, and nobody who reads what they are answered with. */
static void test_flood(void **state)
{
	struct world *w = *state;
	struct hostile_conn flood[8];
	s64 node[8];

	for (u32 i = 0; i < BASE_ARRAY_SIZE(flood); i++) {
		assert_int_equal(hostile_connect(w->d.socket, "flood", &flood[i]), 0);
		node[i] = hostile_open(&flood[i], "0/info");
		assert_true(node[i] > 0);
	}
	for (u32 k = 0; k < 1000 + 10 * count; k++)
		for (u32 i = 0; i < BASE_ARRAY_SIZE(flood); i++) {
			const struct abi_npud_req req = { .op = k % 3 ? ABI_NPUD_STAT
								      : ABI_NPUD_READ,
							  .handle = (u32)node[i],
							  .arg = 30000 };

			(void)!send(flood[i].fd, &req, sizeof(req), MSG_DONTWAIT | MSG_NOSIGNAL);
		}
	for (u32 i = 0; i < BASE_ARRAY_SIZE(flood); i++) {
		if (i % 2)
			shutdown(flood[i].fd, SHUT_WR);
		hostile_disconnect(&flood[i]);
	}
}

/* A descriptor that comes along, to one who does not read: his connection's end, not more. */
static void test_flood_of_descriptors(void **state)
{
	struct world *w = *state;
	struct hostile h;
	struct base_err err = { 0 };
	struct abi_npud_req req = { .op = ABI_NPUD_MAP };

	must(hostile_enter(&h, &w->mine, gen, &err), &err);
	req.handle = (u32)h.io.handle;
	for (u32 i = 0; i < 5000; i++)
		if (send(w->mine.fd, &req, sizeof(req), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
	munmap(h.cmd.cpu, h.cmd.size);
	munmap(h.io.cpu, h.io.size);
}

/*
 * Handles of others
 */

static void test_handles_of_others(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };
	struct hostile h;
	u8 buf[64] = { 0 };

	must(hostile_enter(&h, &w->theirs, gen, &err), &err);
	for (u32 handle = 0; handle < 200; handle++)
		for (u16 op = ABI_NPUD_DUP; op < ABI_NPUD_NR_OPS; op++) {
			const struct abi_npud_req req = {
				.op = op, .handle = handle, .size = 64, .arg = 1
			};

			if (op == ABI_NPUD_POST)
				continue;
			assert_int_equal(hostile_ask(&w->mine, req, buf, NULL, 0, NULL),
					 op == ABI_NPUD_DUP ? -EINVAL : -EBADF);
		}
	assert_int_equal(hostile_dup(&w->mine, h.ctx, "bo/4096"), -EBADF);
	assert_int_equal(hostile_dup(&w->mine, h.ctx, "queue"), -EBADF);
	hostile_leave(&h);
}

/*
 * Memory that came by descriptor
 */

static int map_fd(struct hostile_conn *c, s64 handle)
{
	int fd = -1;
	s64 ret = hostile_ask(c, (struct abi_npud_req){ .op = ABI_NPUD_MAP, .handle = (u32)handle },
			      NULL, NULL, 0, &fd);

	assert_true(ret > 0 && fd >= 0);
	return fd;
}

/* Its owner can do what he likes with it: it stays as large as it is. */
static void abuse(int fd, u64 size)
{
	struct stat st;
	void *at;

	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, (off_t)size * 2), -1);
	assert_int_equal(fallocate(fd, 0, 0, (off_t)size * 2), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size),
			 0);
	assert_int_equal(lseek(fd, 12345, SEEK_SET), 12345);
	assert_int_equal(pwrite(fd, "wxyz", 4, (off_t)size), -1);
	at = mmap(NULL, size * 2, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(at != MAP_FAILED);
	assert_int_equal(mprotect(at, size, PROT_NONE), 0);
	assert_int_equal(munmap(at, size * 2), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
}

static void test_sealed(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };
	struct hostile h;
	s32 status = -1;
	int bo, page;

	must(hostile_enter(&h, &w->mine, gen, &err), &err);
	bo = map_fd(&w->mine, h.io.handle);
	abuse(bo, h.io.size);
	must(hostile_try(&h, HOSTILE_INPUT, hostile_good(&h, HOSTILE_INPUT), &status, &err), &err);
	assert_int_equal(status, 0);
	page = map_fd(&w->mine, h.queue);
	abuse(page, 4096);
	/* another's in its place, here: the daemon has its own */
	assert_int_equal(dup2(w->mine.fd, bo), bo);
	close(bo);
	close(page);
	hostile_leave(&h);
}

/* The pages vanish again and again under jobs that use them. */
static void *punch(void *arg)
{
	const int *fd = arg;

	for (u32 i = 0; i < 3000; i++)
		(void)!fallocate(*fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				 HOSTILE_BO_SIZE);
	return NULL;
}

static void test_holes(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };
	pthread_t thread;
	int fd;

	for (u32 i = 0; i < 20; i++) {
		struct hostile h;
		s32 status;

		must(hostile_enter(&h, &w->mine, gen, &err), &err);
		fd = map_fd(&w->mine, h.cmd.handle);
		assert_int_equal(pthread_create(&thread, NULL, punch, &fd), 0);
		for (u32 k = 0; k < 5; k++)
			must(hostile_try(&h, HOSTILE_INPUT, hostile_good(&h, HOSTILE_INPUT),
					 &status, &err),
			     &err);
		pthread_join(thread, NULL);
		close(fd);
		hostile_leave(&h);
	}
}

/*
 * Events
 */

/* Whoever tells him must not wait for him. */
static void test_event_that_blocks(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };
	struct hostile h;
	int event = -1;

	must(hostile_enter(&h, &w->mine, gen, &err), &err);
	assert_int_equal(hostile_ask(&w->mine,
				     (struct abi_npud_req){ .op = ABI_NPUD_EVENT,
							    .handle = (u32)h.queue,
							    .arg = 1 },
				     NULL, NULL, 0, &event),
			 0);
	assert_true(event >= 0);
	/* flags belong to the open file, which may be the daemon's, too */
	assert_int_equal(fcntl(event, F_SETFL, O_RDWR), 0);
	(void)!eventfd_write(event, UINT64_MAX - 1); /* full, if it is a counter */
	for (u32 i = 0; i < 4; i++) {
		const struct abi_job job =
			hostile_put(&h, HOSTILE_INPUT, hostile_good(&h, HOSTILE_INPUT));
		struct abi_completion done;

		assert_int_equal(hostile_write(&w->mine, h.queue, &job, sizeof(job)), sizeof(job));
		assert_int_equal(hostile_wait(&w->mine, h.queue, HOSTILE_PATIENCE_MS, &done), 1);
		assert_int_equal(hostile_ask(&w->mine,
					     (struct abi_npud_req){ .op = ABI_NPUD_EVENT,
								    .handle = (u32)h.queue },
					     NULL, NULL, 0, NULL),
				 0);
	}
	close(event);
	hostile_leave(&h);
}

/* A queue's page belongs to both; the daemon believes nothing in it. */
struct scribbler {
	struct abi_queue_page *page;
	atomic_bool stop;
	u64 seed;
};

static __attribute__((no_sanitize("thread"))) void *scribble(void *arg)
{
	struct scribbler *s = arg;
	volatile u32 *word = (volatile u32 *)(void *)s->page;
	u64 x = s->seed;

	while (!atomic_load(&s->stop)) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		word[x >> 33 & 1 ? 16 : (x >> 40) % (sizeof(*s->page) / 4)] = (u32)(x >> 20);
	}
	return NULL;
}

static void test_page(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };
	struct scribbler s = { .seed = seed };
	struct hostile h;
	pthread_t thread;
	struct abi_job jobs[70];
	void *page = NULL;

	must(hostile_enter(&h, &w->mine, gen, &err), &err);
	assert_int_equal(hostile_map(&w->mine, h.queue, 4096, &page), 0);
	for (u32 i = 0; i < 4096; i++)
		assert_int_equal(((const u8 *)page)[i], 0);
	s.page = page;
	jobs[0] = hostile_put(&h, HOSTILE_INPUT, hostile_good(&h, HOSTILE_INPUT));
	for (u32 i = 1; i < BASE_ARRAY_SIZE(jobs); i++)
		jobs[i] = jobs[0];
	assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
	for (u32 i = 0; i < 50 + count; i++) {
		const struct abi_npud_req post = { .op = ABI_NPUD_POST,
						   .handle = (u32)h.queue,
						   .size = sizeof(jobs) };

		assert_int_equal(hostile_send(w->mine.fd, &post, jobs), 0);
		(void)!hostile_write(&w->mine, h.queue, jobs, sizeof(jobs));
		assert_int_equal(hostile_read(&w->mine, h.queue, jobs, 32), -EBUSY);
		jobs[0] = jobs[1]; /* where an answer might have gone */
	}
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
	munmap(page, 4096);
	hostile_leave(&h);
}

/*
 * Races
 */

/* What a job reads changes while it does. */
struct changer {
	u8 *at;
	u64 size;
	atomic_bool stop;
	u64 seed;
};

static __attribute__((no_sanitize("thread"))) void *change(void *arg)
{
	struct changer *c = arg;
	u64 x = c->seed;

	while (!atomic_load(&c->stop)) {
		u8 *at;
		u8 old;

		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		at = c->at + (x >> 30) % c->size;
		old = *(volatile u8 *)at;
		*(volatile u8 *)at = (u8)(x >> 20);
		*(volatile u8 *)at = old;
	}
	return NULL;
}

static void test_changing_commands(void **state)
{
	struct world *w = *state;
	static const u32 part[] = { 0, 0x1000, 0x2000, 0x3000 };
	struct base_err err = { 0 };

	for (u32 i = 0; i < 16 + count; i++) {
		struct changer c = { .size = 256, .seed = seed + i };
		struct hostile h;
		pthread_t thread;

		must(hostile_enter(&h, &w->mine, gen, &err), &err);
		c.at = h.cmd.cpu + part[i % BASE_ARRAY_SIZE(part)];
		assert_int_equal(pthread_create(&thread, NULL, change, &c), 0);
		for (u32 k = 0; k < 20; k++) {
			u32 kind = (i + k) % hostile_nr_kinds(gen);
			struct abi_job job = hostile_put(&h, (enum hostile_kind)kind,
							 hostile_good(&h, (enum hostile_kind)kind));
			struct abi_completion done;

			if (kind == HOSTILE_FENCE) /* it may wait for ever: test_unfinished */
				continue;
			if (hostile_write(&w->mine, h.queue, &job, sizeof(job)) > 0)
				(void)hostile_wait(&w->mine, h.queue, 50, &done);
		}
		atomic_store(&c.stop, true);
		pthread_join(thread, NULL);
		hostile_leave(&h);
	}
}

/* Any request about any handle, from several at once on one connection; nobody reads. */
struct muddle {
	int fd;
	u64 seed;
	struct abi_job job;
};

static u64 next(u64 *x)
{
	*x = *x * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *x >> 33;
}

static void *muddle(void *arg)
{
	static const char *const paths[] = {
		"0/ctx",    "bo/8192", "queue",	    "0/status",
		"bo/65536", "0/info",  "0/clients", "queue?prio=focus"
	};
	struct muddle *m = arg;

	for (u32 i = 0; i < 300 + 20 * count; i++) {
		const char *path = paths[next(&m->seed) % BASE_ARRAY_SIZE(paths)];
		struct abi_npud_req req = { .op = (u16)(2 + next(&m->seed) % 11),
					    .handle = 1 + (u32)(next(&m->seed) % 12),
					    .arg = next(&m->seed) % 64 };
		const void *payload = NULL;

		if (req.op == ABI_NPUD_POST)
			continue; /* a wrong one ends the connection */
		if (req.op == ABI_NPUD_OPEN || req.op == ABI_NPUD_DUP) {
			payload = path;
			req.size = (u32)strlen(path);
		} else if (req.op == ABI_NPUD_WRITE) {
			payload = &m->job;
			req.size = sizeof(m->job);
		}
		if (hostile_send(m->fd, &req, payload))
			break;
	}
	return NULL;
}

static void *drain(void *arg)
{
	const int *fd = arg;
	static _Thread_local u8 buf[40000];

	while (recv(*fd, buf, sizeof(buf), 0) > 0)
		continue;
	return NULL;
}

static void test_muddle(void **state)
{
	struct world *w = *state;
	struct hostile_conn c;
	struct muddle m[4];
	pthread_t thread[4], reader;
	struct base_err err = { 0 };
	struct hostile h;

	for (u32 round = 0; round < 3; round++) {
		assert_int_equal(hostile_connect(w->d.socket, "muddle", &c), 0);
		must(hostile_enter(&h, &c, gen, &err), &err);
		for (u32 i = 0; i < 4; i++)
			m[i] = (struct muddle){ .fd = c.fd,
						.seed = seed * 4 + i + round * 100,
						.job = hostile_put(
							&h, HOSTILE_INPUT,
							hostile_good(&h, HOSTILE_INPUT)) };
		assert_int_equal(pthread_create(&reader, NULL, drain, &c.fd), 0);
		for (u32 i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&thread[i], NULL, muddle, &m[i]), 0);
		for (u32 i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
		shutdown(c.fd, SHUT_RDWR); /* all that is under way goes with it */
		pthread_join(reader, NULL);
		hostile_disconnect(&c);
		munmap(h.cmd.cpu, h.cmd.size);
		munmap(h.io.cpu, h.io.size);
	}
}

/* Gone with a full queue, the descriptors still on their way. */
static void test_mid_flight(void **state)
{
	struct world *w = *state;
	struct base_err err = { 0 };

	for (u32 i = 0; i < 20 + count; i++) {
		struct abi_job jobs[62];
		struct hostile_conn c;
		struct hostile h;

		assert_int_equal(hostile_connect(w->d.socket, "short", &c), 0);
		/* jobs of a device without address spaces of its own are not cancelled, they end */
		must(hostile_enter_patiently(&h, &c, gen, &err), &err);
		jobs[0] = hostile_put(&h, HOSTILE_INPUT, hostile_good(&h, HOSTILE_INPUT));
		for (u32 k = 1; k < BASE_ARRAY_SIZE(jobs); k++)
			jobs[k] = jobs[0];
		assert_int_equal(hostile_send(c.fd,
					      &(struct abi_npud_req){ .op = ABI_NPUD_WRITE,
								      .handle = (u32)h.queue,
								      .size = sizeof(jobs) },
					      jobs),
				 0);
		for (u32 k = 0; k < i % 3; k++)
			(void)hostile_send(
				c.fd,
				&(struct abi_npud_req){ .op = ABI_NPUD_CLOSE,
							.handle = (u32)(k ? h.ctx : h.queue) },
				NULL);
		hostile_disconnect(&c);
		munmap(h.cmd.cpu, h.cmd.size);
		munmap(h.io.cpu, h.io.size);
	}
}

/*
 * Storms
 */

static void test_connections(void **state)
{
	struct world *w = *state;
	const struct rlimit lim = { 4096, 4096 };
	static int fd[1500];
	struct hostile_conn c;
	u32 nr = 0;

	if (setrlimit(RLIMIT_NOFILE, &lim))
		skip();
	for (u32 i = 0; i < BASE_ARRAY_SIZE(fd); i++) {
		fd[i] = i % 3 ? hostile_dial(w->d.socket) : -1;
		if (i % 3 == 0 && !hostile_connect(w->d.socket, "one of many", &c))
			fd[i] = c.fd;
		nr += fd[i] >= 0;
	}
	assert_true(nr > 1000);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(fd); i++)
		if (fd[i] >= 0)
			close(fd[i]);
	/* an honest one gets in again: teardown connects, and looks that they are gone */
}

static int setup_few(void **state)
{
	return setup_limited(state, 64);
}

static void test_descriptors_gone(void **state)
{
	struct world *w = *state;
	struct hostile_conn late[40];
	struct abi_npud_reply none;
	u32 nr = 0;
	s64 ctx = hostile_open(&w->mine, "0/ctx"), last;

	assert_true(ctx > 0);
	while ((last = hostile_dup(&w->mine, ctx, "bo/4096")) > 0)
		nr++;
	assert_true(nr > 8 && nr < 64);
	assert_true(last == -ENOMEM && strlen(w->mine.why) > 10);
	/* who comes now is sent away; he that is in goes on */
	for (u32 i = 0; i < BASE_ARRAY_SIZE(late); i++)
		late[i].fd = hostile_dial(w->d.socket);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(late); i++) {
		struct pollfd p = { .fd = late[i].fd, .events = POLLIN };

		assert_true(late[i].fd < 0 || poll(&p, 1, 10000) == 1);
		assert_true(late[i].fd < 0 || recv(late[i].fd, &none, sizeof(none), 0) <= 0);
		hostile_disconnect(&late[i]);
	}
	assert_int_equal(hostile_close(&w->mine, ctx), 0);
}

/*
 * Who one is
 */

#define STEP(cond)                       \
	do {                             \
		if (!(cond))             \
			return __LINE__; \
	} while (0)

static int as_nobody(const struct world *w)
{
	static const char *const closed[] = { "0/control", "0/log",	"0/log?errors",
					      "0/trace",   "0/dump",	"0/counters",
					      "0/stream",  "0/stream?x" };
	struct hostile_conn c;
	char text[4000] = "";
	s64 node;

	STEP(!setgid(65534) && !setuid(65534));
	STEP(!hostile_connect(w->d.socket, "nobody", &c));
	for (size_t i = 0; i < BASE_ARRAY_SIZE(closed); i++) {
		STEP(hostile_open(&c, closed[i]) == -EACCES);
		STEP(strstr(c.why, "privilege"));
	}
	node = hostile_open(&c, "0/clients");
	STEP(node > 0 && hostile_read(&c, node, text, sizeof(text) - 1) > 0);
	STEP(strstr(text, "nobody") && strstr(text, "others: clients=3 "));
	STEP(!strstr(text, "bystander") && !strstr(text, "mine"));
	node = hostile_open(&c, "0/ctx");
	STEP(node > 0 && hostile_dup(&c, node, "queue?prio=realtime") == -EACCES);
	STEP(hostile_dup(&c, node, "queue?prio=focus") > 0);
	return 0;
}

static void test_nobody(void **state)
{
	struct world *w = *state;
	int status = -1;
	pid_t pid;

	if (getuid()) {
		print_message("another user's client: not root, no other user to be\n");
		skip();
	}
	assert_int_equal(chmod(w->d.dir, 0711), 0);
	assert_int_equal(chmod(w->d.socket, 0666), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(as_nobody(w) % 251);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("line %d (modulo 251)", WEXITSTATUS(status));
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
		TEST(giant),
		TEST(frames),
		TEST(frames_with_descriptors),
		TEST(flood),
		TEST(flood_of_descriptors),
		TEST(handles_of_others),
		TEST(sealed),
		TEST(holes),
		TEST(event_that_blocks),
		TEST(page),
		TEST(changing_commands),
		TEST(muddle),
		TEST(mid_flight),
		TEST(connections),
		cmocka_unit_test_setup_teardown(test_descriptors_gone, setup_few, teardown),
		TEST(nobody),
	};

	if (argc < 4 || !reg_gen_by_name(argv[2]))
		return 2;
	npud = argv[1];
	gen = reg_gen_by_name(argv[2]);
	hws = !strcmp(argv[3], "hw");
	if (argc > 4)
		count = (u32)strtoul(argv[4], NULL, 10);
	if (argc > 5)
		seed = strtoull(argv[5], NULL, 10);
	if (argc > 6)
		cmocka_set_test_filter(argv[6]);
	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
