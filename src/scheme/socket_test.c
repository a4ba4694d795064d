// SPDX-License-Identifier: MIT
/* npud's socket, and programs at it that behave or do not; on a driver core that is made up. */
#include "service/fake_drv.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi/npud.h"
#include "scheme/frame.h"
#include "scheme/scheme.h"

#define MAX_CLIENTS 1024u /* as socket.c has it */

struct fixture {
	struct drv_dev drv;
	struct svc *svc;
	struct loop *loop;
	struct scheme *scheme;
	char dir[32], path[64];
	u32 tag;
};

static struct frame_out answer; /* of the last request */
static int answer_fd;

static int setup(void **state)
{
	static const struct svc_limits limits = { .contexts = 4, .memory_bytes = 64 << 10 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct scheme_config cfg = { .group = UINT32_MAX };
	struct base_err err;
	u32 idx;

	assert_non_null(f);
	f->drv.state = DRV_READY;
	strcpy(f->dir, "/tmp/npud-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/npud", f->dir);
	cfg.name = f->path;
	assert_int_equal(svc_create(&limits, &f->svc), 0);
	assert_int_equal(svc_add_device(f->svc, &f->drv, 0, &idx), 0);
	assert_int_equal(loop_create(&f->loop), 0);
	assert_int_equal(scheme_create(f->loop, f->svc, &cfg, &f->scheme, &err), 0);
	*state = f;
	return 0;
}

static void end_jobs(struct fixture *f)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(f->drv.queues); i++)
		if (f->drv.queues[i])
			fake_complete(f->drv.queues[i], UINT32_MAX);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	scheme_destroy(f->scheme);
	end_jobs(f);
	assert_int_equal(svc_remove_device(f->svc, 0, NULL), 0);
	svc_destroy(f->svc);
	loop_destroy(f->loop);
	assert_int_equal(f->drv.nr_ctxs + f->drv.nr_bos + f->drv.nr_queues, 0);
	assert_int_equal(access(f->path, F_OK), -1); /* the socket went with it */
	rmdir(f->dir);
	free(f);
	return 0;
}

static void turns(struct fixture *f, u32 nr)
{
	while (nr--) {
		struct loop_wakeup wakeup;

		(void)svc_process(f->svc, scheme_ready);
		assert_false(scheme_settle(f->scheme));
		assert_int_equal(loop_sleep(f->loop, 0, &wakeup), 0);
		loop_serve(&wakeup);
	}
}

/*
 * A program
 */

static int dial(const struct fixture *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(addr.sun_path, f->path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static u32 post(struct fixture *f, int fd, u16 op, u32 handle, const void *payload, u32 size,
		u64 arg)
{
	static struct frame_in frame;

	frame.head = (struct abi_npud_req){
		.op = op, .tag = ++f->tag, .handle = handle, .size = size, .arg = arg
	};
	memcpy(frame.payload, payload, size);
	assert_int_equal(send(fd, &frame, sizeof(frame.head) + size, 0), sizeof(frame.head) + size);
	return f->tag;
}

/* 0: the connection is closed; else bytes, or a negative errno. */
static ssize_t take(int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = &answer,
			     .iov_len = sizeof(answer.head) + sizeof(answer.payload) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	answer_fd = -1;
	if (n > 0 && msg.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(&answer_fd, CMSG_DATA(&control.head), sizeof(int));
	return n < 0 ? -errno : n;
}

static bool is_cut_off(int fd)
{
	ssize_t n = take(fd);

	return n == 0 || n == -ECONNRESET;
}

static s64 ask(struct fixture *f, int fd, u16 op, u32 handle, const void *payload, u32 size,
	       u64 arg)
{
	u32 tag = post(f, fd, op, handle, payload, size, arg);

	turns(f, 3);
	assert_true(take(fd) >= (ssize_t)sizeof(answer.head));
	assert_int_equal(answer.head.tag, tag);
	return answer.head.result;
}

static s64 ask_path(struct fixture *f, int fd, u16 op, u32 handle, const char *path)
{
	return ask(f, fd, op, handle, path, (u32)strlen(path), 0);
}

static s64 say_hello(struct fixture *f, int fd, u32 magic, u32 version)
{
	const struct abi_npud_hello hello = { .magic = magic, .version = version, .name = "me" };

	return ask(f, fd, ABI_NPUD_HELLO, 0, &hello, sizeof(hello), 0);
}

static int dial_in(struct fixture *f)
{
	int fd = dial(f);

	assert_int_equal(say_hello(f, fd, ABI_NPUD_MAGIC, ABI_NPUD_VERSION), 0);
	return fd;
}

static struct svc_call_status status(struct fixture *f, int fd)
{
	struct svc_call_status call = { .head = { SVC_CALL_STATUS, SVC_CALL_VERSION,
						  sizeof(call) } };
	u32 node = (u32)ask_path(f, fd, ABI_NPUD_OPEN, 0, "0/status");

	assert_int_equal(ask(f, fd, ABI_NPUD_CALL, node, &call, sizeof(call), 0), 0);
	assert_int_equal(answer.head.size, sizeof(call));
	memcpy(&call, answer.payload, sizeof(call));
	assert_int_equal(ask(f, fd, ABI_NPUD_CLOSE, node, "", 0, 0), 0);
	return call;
}

struct queue {
	int fd;
	u32 ctx, bo, queue;
};

static struct queue open_queue(struct fixture *f)
{
	struct queue q = { .fd = dial_in(f) };

	q.ctx = (u32)ask_path(f, q.fd, ABI_NPUD_OPEN, 0, "0/ctx");
	q.bo = (u32)ask_path(f, q.fd, ABI_NPUD_DUP, q.ctx, "bo/4096");
	q.queue = (u32)ask_path(f, q.fd, ABI_NPUD_DUP, q.ctx, "queue");
	assert_true(q.ctx && q.bo && q.queue);
	return q;
}

static const struct abi_job good_job = { .cmd_addr = FAKE_BASE, .cmd_size = 64, .cookie = 8 };

/*
 * Tests
 */

static void hello_comes_first(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	assert_int_equal(ask_path(f, fd, ABI_NPUD_OPEN, 0, "0/info"), -EPROTO);
	assert_int_equal(say_hello(f, fd, 7, ABI_NPUD_VERSION), -EPROTO);
	assert_int_equal(say_hello(f, fd, ABI_NPUD_MAGIC, 2), -EPROTO);
	assert_int_equal(ask(f, fd, ABI_NPUD_HELLO, 0, "x", 1, 0), -EINVAL);
	assert_int_equal(say_hello(f, fd, ABI_NPUD_MAGIC, ABI_NPUD_VERSION), 0);
	assert_int_equal(say_hello(f, fd, ABI_NPUD_MAGIC, ABI_NPUD_VERSION), -EPROTO);
	assert_true(ask_path(f, fd, ABI_NPUD_OPEN, 0, "0/info") > 0);
	close(fd);
}

static void every_request_is_answered(void **state)
{
	struct fixture *f = *state;
	struct queue q = open_queue(f);

	assert_int_equal(ask(f, q.fd, 0, 0, "", 0, 0), -ENOSYS);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_NR_OPS, 0, "", 0, 0), -ENOSYS);
	assert_int_equal(ask(f, q.fd, 0xffff, 0, "", 0, 0), -ENOSYS);
	for (u16 op = ABI_NPUD_DUP; op < ABI_NPUD_NR_OPS; op++) {
		if (op == ABI_NPUD_POST)
			continue;
		assert_int_equal(ask(f, q.fd, op, 99, "12345678", 8, 1), -EBADF);
		assert_true(answer.head.size > 0 && answer_fd < 0);
	}
	assert_int_equal(ask(f, q.fd, ABI_NPUD_OPEN, 0, "0/i\0nfo", 7, 0), -EINVAL);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_DUP, q.ctx, "qu\0eue", 6, 0), -EINVAL);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_STAT, q.bo, "", 0, 0), 4096);
	assert_memory_equal(answer.payload, "buffer", 6);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_READY, q.queue, "", 0, 0), -ENODATA);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_WRITE, q.queue, &good_job, sizeof(good_job), 0),
			 sizeof(good_job));
	assert_int_equal(ask(f, q.fd, ABI_NPUD_READY, q.queue, "", 0, 0), -ETIMEDOUT);
	end_jobs(f);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_READ, q.queue, "", 0, UINT64_MAX),
			 sizeof(struct abi_completion));
	assert_int_equal(answer.head.size, sizeof(struct abi_completion));
	close(q.fd);
}

static void what_is_no_frame_ends_its_connection_only(void **state)
{
	struct fixture *f = *state;
	int good = dial_in(f), bad = dial_in(f);

	assert_int_equal(send(bad, "rubbish", 7, 0), 7);
	turns(f, 3);
	assert_true(is_cut_off(bad));
	assert_true(ask_path(f, good, ABI_NPUD_OPEN, 0, "0/info") > 0);
	close(good);
	close(bad);
}

static void who_goes_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct queue q = open_queue(f);
	int other = dial_in(f);

	assert_int_equal(ask(f, q.fd, ABI_NPUD_WRITE, q.queue, &good_job, sizeof(good_job), 0),
			 sizeof(good_job));
	close(q.fd);
	turns(f, 3);
	assert_int_equal(status(f, other).clients, 1);
	assert_int_equal(f->drv.nr_ctxs, 1); /* its job still runs */
	end_jobs(f);
	turns(f, 1);
	assert_int_equal(f->drv.nr_ctxs, 0);
	close(other);
}

static void jobs_without_answers(void **state)
{
	struct fixture *f = *state;
	struct queue q = open_queue(f);

	assert_int_equal(ask(f, q.fd, ABI_NPUD_MAP, q.queue, "", 0, 0), 4096);
	assert_true(answer_fd >= 0);
	close(answer_fd);
	post(f, q.fd, ABI_NPUD_POST, q.queue, &good_job, sizeof(good_job), 0);
	turns(f, 3);
	assert_int_equal(take(q.fd), -EAGAIN);
	assert_int_equal(status(f, q.fd).jobs_pending, 1);
	/* there is no other way to tell of one that is none */
	post(f, q.fd, ABI_NPUD_POST, q.bo, &good_job, sizeof(good_job), 0);
	turns(f, 3);
	assert_true(is_cut_off(q.fd));
	close(q.fd);
}

static void events(void **state)
{
	struct fixture *f = *state;
	struct queue q = open_queue(f);
	eventfd_t count;
	int event;

	assert_int_equal(ask(f, q.fd, ABI_NPUD_EVENT, q.bo, "", 0, 1), -EOPNOTSUPP);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_WRITE, q.queue, &good_job, sizeof(good_job), 0),
			 sizeof(good_job));
	assert_int_equal(ask(f, q.fd, ABI_NPUD_EVENT, q.queue, "", 0, 1), 0);
	event = answer_fd;
	assert_true(event >= 0);
	turns(f, 2);
	assert_int_equal(eventfd_read(event, &count), -1);
	end_jobs(f);
	turns(f, 3);
	assert_int_equal(eventfd_read(event, &count), 0);
	assert_int_equal(count, 1); /* once, although it still is */
	assert_int_equal(ask(f, q.fd, ABI_NPUD_EVENT, q.queue, "", 0, 0), 0);
	assert_int_equal(answer_fd, -1);
	turns(f, 1);
	assert_int_equal(eventfd_read(event, &count), 0);
	/* of another handle with this number it tells nothing */
	assert_int_equal(ask(f, q.fd, ABI_NPUD_CLOSE, q.queue, "", 0, 0), 0);
	assert_int_equal(ask_path(f, q.fd, ABI_NPUD_DUP, q.ctx, "queue"), q.queue);
	assert_int_equal(ask(f, q.fd, ABI_NPUD_EVENT, q.queue, "", 0, 1), 0);
	turns(f, 1);
	assert_int_equal(eventfd_read(event, &count), -1);
	assert_int_equal(eventfd_read(answer_fd, &count), 0);
	close(answer_fd);
	close(event);
	close(q.fd);
}

static void who_does_not_read_waits_alone(void **state)
{
	struct fixture *f = *state;
	int lazy = dial_in(f), other = dial_in(f);
	const struct abi_npud_req head = { .op = ABI_NPUD_STAT, .handle = 99 };
	const u32 first = f->tag;
	u32 nr = 0, idle = 0;

	/* until neither his answers nor his requests are taken any more */
	while (idle < 20) {
		struct abi_npud_req req = head;

		req.tag = f->tag + 1;
		if (send(lazy, &req, sizeof(req), 0) == sizeof(req)) {
			f->tag++;
			nr++;
			idle = 0;
		} else {
			idle++;
		}
		turns(f, 1);
		assert_true(nr < 20000);
	}
	assert_true(nr > 10);
	assert_true(ask_path(f, other, ABI_NPUD_OPEN, 0, "0/info") > 0);
	/* now he reads: all of it, in order */
	for (u32 i = 1; i <= nr; i++) {
		ssize_t n;

		while ((n = take(lazy)) == -EAGAIN && idle++ < 100)
			turns(f, 1);
		assert_true(n > 0);
		assert_int_equal(answer.head.tag, first + i);
		assert_int_equal(answer.head.result, -EBADF);
		idle = 0;
	}
	close(lazy);
	close(other);
}

/* A descriptor is not kept for one who does not read. */
static void no_descriptor_waits(void **state)
{
	struct fixture *f = *state;
	struct queue q = open_queue(f);
	struct abi_npud_req req = { .op = ABI_NPUD_EVENT, .handle = q.queue, .arg = 1 };
	bool cut = false;

	for (u32 i = 0; i < 20000 && !cut; i++) {
		cut = send(q.fd, &req, sizeof(req), MSG_NOSIGNAL) < 0 && errno != EAGAIN;
		turns(f, 1);
	}
	assert_true(cut);
	close(q.fd);
}

/* One request of each in turn, however many one has sent. */
static void nobody_waits_for_a_neighbours_batch(void **state)
{
	struct fixture *f = *state;
	int many = dial_in(f), one = dial_in(f);

	for (u32 i = 0; i < 5; i++)
		post(f, many, ABI_NPUD_STAT, 9, "", 0, 0);
	post(f, one, ABI_NPUD_STAT, 9, "", 0, 0);
	turns(f, 1);
	assert_true(take(one) > 0);
	assert_true(take(many) > 0);
	assert_int_equal(take(many), -EAGAIN);
	close(many);
	close(one);
}

static void no_more_than_so_many(void **state)
{
	static int fds[MAX_CLIENTS + 1];
	struct fixture *f = *state;

	for (u32 i = 0; i <= MAX_CLIENTS; i++) {
		fds[i] = dial(f);
		turns(f, 1);
	}
	assert_true(is_cut_off(fds[MAX_CLIENTS]));
	assert_int_equal(take(fds[MAX_CLIENTS - 1]), -EAGAIN);
	close(fds[0]);
	turns(f, 2);
	fds[0] = dial_in(f);
	assert_int_equal(status(f, fds[0]).clients, 1); /* the others said nothing yet */
	for (u32 i = 0; i <= MAX_CLIENTS; i++)
		close(fds[i]);
	turns(f, 40);
}

static void the_file(void **state)
{
	struct fixture *f = *state;
	struct scheme_config cfg = { .name = f->path, .group = UINT32_MAX };
	struct scheme *second;
	struct base_err err;
	struct stat st;
	char path[80];
	mode_t mask;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(scheme_create(f->loop, f->svc, &cfg, &second, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, f->path));
	snprintf(path, sizeof(path), "%s/other", f->dir);
	cfg = (struct scheme_config){ .name = path, .mode = 0660, .group = getgid() };
	mask = umask(077); /* what is asked for is what it is */
	assert_int_equal(scheme_create(f->loop, f->svc, &cfg, &second, &err), 0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	scheme_destroy(second);
	scheme_destroy(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(hello_comes_first),
		T(every_request_is_answered),
		T(what_is_no_frame_ends_its_connection_only),
		T(who_goes_leaves_nothing),
		T(jobs_without_answers),
		T(events),
		T(who_does_not_read_waits_alone),
		T(no_descriptor_waits),
		T(nobody_waits_for_a_neighbours_batch),
		T(no_more_than_so_many),
		T(the_file),
	};

	return cmocka_run_group_tests_name("scheme socket", tests, NULL, NULL);
}
