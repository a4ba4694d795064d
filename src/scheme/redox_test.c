// SPDX-License-Identifier: MIT
/*
 * The scheme as the kernel sees it: requests in, answers out, on a driver core that is made up.  What
 * needs a kernel that minds its rules is in tests/redox.
 */
#include "scheme/redox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "service/fake_drv.h"

#define MAX_MESSAGES 512u
#define MAX_ENTRIES  65536u /* as redox_entry.c has it */

enum { FD_EVENT = 30, FD_CAP, FD_SOCKET, FD_ROOT };

static struct {
	struct redox_sqe sqe[MAX_MESSAGES];
	u32 nr_sqe, nr_read;
	struct redox_cqe cqe[MAX_MESSAGES];
	u32 nr_cqe, nr_writes;
	u32 most;	 /* answers of a write; 0: all */
	s64 refused_tag; /* nobody waits for it any more; -1: none */
	u32 fail_call;	 /* this one from now fails */
	u32 nr_open;
	u32 next_tag;
} kernel;

static struct drv_dev drv;
static struct svc *svc;
static struct loop *loop;
static struct scheme *scheme;
static struct base_err err;

static bool fails(void)
{
	return kernel.fail_call && !--kernel.fail_call;
}

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode)
{
	(void)path, (void)flags, (void)mode;
	if (fails())
		return (redox_raw)(s64)-EACCES;
	kernel.nr_open++;
	return len == strlen("/scheme/event") ? FD_EVENT : FD_CAP;
}

redox_raw redox_dup_v1(size_t fd, const uint8_t *buf, size_t len)
{
	(void)buf;
	if (fails())
		return (redox_raw)(s64)-EMFILE;
	assert_int_equal(len, fd == FD_CAP ? strlen("create-scheme") : sizeof(struct redox_new_fd));
	kernel.nr_open++;
	return fd == FD_CAP ? FD_SOCKET : FD_ROOT;
}

redox_raw redox_close_v1(size_t fd)
{
	assert_in_range(fd, FD_EVENT, FD_ROOT);
	kernel.nr_open--;
	return 0;
}

redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg)
{
	(void)fd, (void)cmd, (void)arg;
	return fails() ? (redox_raw)(s64)-EBADF : 0;
}

redox_raw redox_get_ns_v0(void)
{
	return fails() ? (redox_raw)(s64)-EPERM : 3;
}

redox_raw redox_register_scheme_to_ns_v0(size_t ns_fd, const uint8_t *name, size_t len,
					 size_t cap_fd)
{
	(void)name;
	assert_int_equal(ns_fd, 3);
	assert_int_equal(cap_fd, FD_ROOT);
	assert_int_equal(len, 3);
	return fails() ? (redox_raw)(s64)-EEXIST : 0;
}

redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset)
{
	(void)prot, (void)flags, (void)fd, (void)offset;
	return (redox_raw)(uintptr_t)mmap(addr, len, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

redox_raw redox_munmap_v1(void *addr, size_t len)
{
	return (redox_raw)munmap(addr, len);
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	const u32 nr =
		base_min(kernel.nr_sqe - kernel.nr_read, (u32)(len / sizeof(struct redox_sqe)));

	assert_int_equal(fd, FD_SOCKET);
	if (!nr)
		return (redox_raw)(s64)-REDOX_EAGAIN;
	memcpy(dst, &kernel.sqe[kernel.nr_read], nr * sizeof(struct redox_sqe));
	kernel.nr_read += nr;
	return nr * sizeof(struct redox_sqe);
}

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	u32 nr = (u32)(len / sizeof(struct redox_cqe)), done = 0;

	if (fd == FD_EVENT)
		return fails() ? (redox_raw)(s64)-EPERM : len;
	assert_int_equal(fd, FD_SOCKET);
	kernel.nr_writes++;
	if (kernel.most)
		nr = base_min(nr, kernel.most);
	for (; done < nr; done++) {
		struct redox_cqe *cqe = &kernel.cqe[kernel.nr_cqe % MAX_MESSAGES];

		memcpy(cqe, src + done * sizeof(*cqe), sizeof(*cqe));
		if (cqe->flags == REDOX_CQE_REPLY && cqe->tag == kernel.refused_tag)
			return done ? done * sizeof(*cqe) : (redox_raw)(s64)-EINVAL;
		kernel.nr_cqe++;
	}
	return done * sizeof(struct redox_cqe);
}

static int start(void)
{
	const struct scheme_config cfg = { .name = "npu" };
	int ret = loop_create(&loop);

	if (ret)
		return ret;
	ret = scheme_create(loop, svc, &cfg, &scheme, &err);
	if (ret)
		loop_destroy(loop);
	return ret;
}

static int setup_service(void **state)
{
	u32 idx;

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.refused_tag = -1;
	drv = (struct drv_dev){ .state = DRV_READY };
	err = (struct base_err){ 0 };
	assert_int_equal(svc_create(&(struct svc_limits){ .handles = UINT32_MAX }, &svc), 0);
	return svc_add_device(svc, &drv, 0, &idx);
}

static int setup(void **state)
{
	return setup_service(state) || start();
}

static int teardown_service(void **state)
{
	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(drv.queues); i++)
		if (drv.queues[i])
			fake_complete(drv.queues[i], UINT32_MAX);
	assert_int_equal(svc_remove_device(svc, 0, NULL), 0);
	svc_destroy(svc);
	assert_int_equal(drv.nr_ctxs + drv.nr_bos + drv.nr_queues + kernel.nr_open, 0);
	return 0;
}

static int teardown(void **state)
{
	scheme_destroy(scheme);
	loop_destroy(loop);
	return teardown_service(state);
}

/*
 * Requests
 */

static u32 ask(u32 pid, u8 op, u64 id, const void *buf, u64 len)
{
	struct redox_sqe *sqe = &kernel.sqe[kernel.nr_sqe++];

	assert_true(kernel.nr_sqe <= MAX_MESSAGES);
	*sqe = (struct redox_sqe){
		.opcode = op,
		.tag = kernel.next_tag++,
		.args = { id, len ? (u64)(uintptr_t)buf : REDOX_NO_BUFFER, len },
		.caller = pid,
	};
	if (op == REDOX_OP_OPENAT || op == REDOX_OP_DUP)
		sqe->args[5] = pid == 1 ? 0 : 1000;
	return sqe->tag;
}

static void tell(u8 op, u64 id, u32 tag)
{
	kernel.sqe[kernel.nr_sqe++] =
		(struct redox_sqe){ .opcode = op, .flags = 1, .tag = tag, .args = { id } };
}

static void serve(void)
{
	do {
		scheme->source.ready(&scheme->source);
		(void)svc_process(svc, scheme_ready);
	} while (scheme_settle(scheme));
}

/* The one answer to @tag. */
static s64 answer_to(u32 tag)
{
	const struct redox_cqe *found = NULL;

	for (u32 i = 0; i < kernel.nr_cqe; i++) {
		if (kernel.cqe[i].flags != REDOX_CQE_REPLY || kernel.cqe[i].tag != tag)
			continue;
		assert_null(found);
		found = &kernel.cqe[i];
	}
	assert_non_null(found);
	return (s64)found->result;
}

static bool is_answered(u32 tag)
{
	for (u32 i = 0; i < kernel.nr_cqe; i++)
		if (kernel.cqe[i].flags == REDOX_CQE_REPLY && kernel.cqe[i].tag == tag)
			return true;
	return false;
}

static u32 nr_events(u64 id)
{
	u32 nr = 0;

	for (u32 i = 0; i < kernel.nr_cqe; i++)
		nr += kernel.cqe[i].flags == REDOX_CQE_EVENT && kernel.cqe[i].result == id &&
		      kernel.cqe[i].tag == REDOX_EVENT_READ;
	return nr;
}

static s64 open_path(u32 pid, u64 dir, const char *path)
{
	u32 tag = ask(pid, REDOX_OP_OPENAT, dir, path, strlen(path));

	serve();
	return answer_to(tag);
}

struct queue {
	u64 ctx, bo, queue;
};

static struct queue open_queue(u32 pid)
{
	struct queue q = { .ctx = (u64)open_path(pid, RS_ROOT_ID, "0/ctx") };

	q.bo = (u64)open_path(pid, q.ctx, "bo/4096");
	q.queue = (u64)open_path(pid, q.ctx, "queue");
	assert_true((s64)q.ctx > 1 && (s64)q.bo > 1 && (s64)q.queue > 1);
	return q;
}

static void submit(u32 pid, const struct queue *q, u32 nr)
{
	struct abi_job jobs[62] = { 0 };
	u32 tag;

	for (u32 i = 0; i < nr; i++)
		jobs[i] = (struct abi_job){ .cmd_addr = FAKE_BASE + drv.next_va - 4096,
					    .cmd_size = 64,
					    .cookie = i };
	tag = ask(pid, REDOX_OP_WRITE, q->queue, jobs, nr * sizeof(jobs[0]));
	serve();
	assert_int_equal(answer_to(tag), nr * sizeof(jobs[0]));
}

static void complete(u32 nr)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(drv.queues); i++)
		if (drv.queues[i])
			fake_complete(drv.queues[i], nr);
	serve();
}

/*
 * Tests
 */

/* Nobody will close what was opened for one who is gone. */
static void an_open_whose_caller_was_killed(void **state)
{
	u32 tags[3];

	(void)state;
	for (u32 i = 0; i < 3; i++)
		tags[i] = ask(7, REDOX_OP_OPENAT, RS_ROOT_ID, "0/ctx", 5);
	kernel.refused_tag = tags[1];
	serve();
	assert_false(is_answered(tags[1]));
	assert_true(answer_to(tags[0]) > 1 && answer_to(tags[2]) > 1);
	assert_int_equal(scheme->nr_entries, 2);
	assert_int_equal(drv.nr_ctxs, 2);
	tell(REDOX_OP_CLOSE, (u64)answer_to(tags[0]), 0);
	tell(REDOX_OP_DETACH, (u64)answer_to(tags[2]), 0);
	serve();
	assert_int_equal(scheme->nr_entries, 0);
	assert_int_equal(drv.nr_ctxs, 0);
	assert_true(svc_list_empty(&scheme->clients));
}

static void answers_in_pieces(void **state)
{
	u32 tags[RS_BATCH];

	(void)state;
	for (u32 most = 1; most < 4; most++) {
		const u32 before = kernel.nr_writes;

		kernel.most = most;
		for (u32 i = 0; i < RS_BATCH; i++)
			tags[i] = ask(7, REDOX_OP_FSIZE, 99, NULL, 0);
		serve();
		for (u32 i = 0; i < RS_BATCH; i++)
			assert_int_equal(answer_to(tags[i]), -EBADF);
		assert_int_equal(kernel.nr_writes - before, (RS_BATCH + most - 1) / most);
	}
}

static void reads_that_wait(void **state)
{
	struct queue q = open_queue(7);
	u8 buf[4][64];
	u32 tags[4];

	(void)state;
	tags[0] = ask(7, REDOX_OP_READ, q.queue, buf[0], 64);
	serve();
	assert_int_equal(answer_to(tags[0]), 0); /* nothing is pending: the end */
	submit(7, &q, 3);
	for (u32 i = 0; i < 4; i++)
		tags[i] = ask(7, REDOX_OP_READ, q.queue, buf[i], i == 3 ? 0 : 64);
	serve();
	assert_int_equal(answer_to(tags[3]), 0); /* no room was asked for */
	for (u32 i = 0; i < 3; i++)
		assert_false(is_answered(tags[i]));
	complete(1); /* the oldest has it */
	assert_int_equal(answer_to(tags[0]), sizeof(struct abi_completion));
	assert_false(is_answered(tags[1]));
	tell(REDOX_OP_CANCEL, 0, tags[1]);
	tell(REDOX_OP_CANCEL, 0, tags[1]); /* once answered it is nobody's */
	serve();
	assert_int_equal(answer_to(tags[1]), -REDOX_ECANCELED);
	complete(2);
	assert_int_equal(answer_to(tags[2]), 2 * sizeof(struct abi_completion));
	assert_int_equal(scheme->nr_parked, 0);
}

static void reads_that_do_not_wait(void **state)
{
	struct queue q = open_queue(7);
	u8 buf[64];
	u32 tag;

	(void)state;
	submit(7, &q, 1);
	tag = ask(7, REDOX_OP_READ, q.queue, buf, sizeof(buf));
	kernel.sqe[kernel.nr_sqe - 1].args[4] = REDOX_O_NONBLOCK;
	serve();
	assert_int_equal(answer_to(tag), -REDOX_EAGAIN);
}

/* With the context goes who waits below it, even more of them than fit one batch of answers. */
static void who_waits_when_it_closes(void **state)
{
	struct queue q = open_queue(7);
	u32 tags[80];
	u8 buf[64];

	(void)state;
	submit(7, &q, 1);
	for (u32 i = 0; i < 80; i++)
		tags[i] = ask(7, REDOX_OP_READ, q.queue, buf, sizeof(buf));
	serve();
	tell(REDOX_OP_CLOSE, q.ctx, 0);
	serve();
	for (u32 i = 0; i < 80; i++)
		assert_int_equal(answer_to(tags[i]), -ECANCELED);
	tags[0] = ask(7, REDOX_OP_READ, q.queue, buf, sizeof(buf));
	tags[1] = ask(7, REDOX_OP_CALL, q.bo, buf, sizeof(buf));
	serve();
	assert_int_equal(answer_to(tags[0]), -EBADF);
	assert_int_equal(answer_to(tags[1]), -EBADF);
	/* the service's numbers come again; these descriptors are still of nothing */
	assert_true(open_path(7, RS_ROOT_ID, "0/ctx") > 0);
	tags[0] = ask(7, REDOX_OP_READ, q.queue, buf, sizeof(buf));
	serve();
	assert_int_equal(answer_to(tags[0]), -EBADF);
}

static void whoever_waits_at_the_end_is_answered(void **state)
{
	struct queue q = open_queue(7);
	u32 parked, queued;
	u8 buf[64];

	(void)state;
	submit(7, &q, 1);
	parked = ask(7, REDOX_OP_READ, q.queue, buf, sizeof(buf));
	serve();
	queued = ask(7, REDOX_OP_OPENAT, RS_ROOT_ID, "0/info", 6);
	tell(REDOX_OP_CLOSE, q.bo, 0);
	scheme_destroy(scheme);
	loop_destroy(loop);
	assert_int_equal(answer_to(parked), -ENODEV);
	assert_int_equal(answer_to(queued), -ENODEV);
	assert_int_equal(kernel.nr_open, 0);
	assert_int_equal(start(), 0); /* for the teardown */
}

static void edges(void **state)
{
	struct queue q = open_queue(7);
	u8 buf[64];
	u32 tag;

	(void)state;
	tag = ask(7, REDOX_OP_FEVENT, q.queue, NULL, 0);
	kernel.sqe[kernel.nr_sqe - 1].args[1] = REDOX_EVENT_READ;
	serve();
	assert_int_equal(answer_to(tag), 0);
	submit(7, &q, 2);
	assert_int_equal(nr_events(q.queue), 0);
	complete(1);
	assert_int_equal(nr_events(q.queue), 1);
	complete(0); /* still ready: that is no other edge */
	assert_int_equal(nr_events(q.queue), 1);
	tag = ask(7, REDOX_OP_READ, q.queue, buf, sizeof(buf));
	serve();
	assert_int_equal(answer_to(tag), sizeof(struct abi_completion));
	complete(1);
	assert_int_equal(nr_events(q.queue), 2);
	/* who subscribes when it is ready hears so at once; who leaves hears no more */
	tag = ask(7, REDOX_OP_FEVENT, q.queue, NULL, 0);
	kernel.sqe[kernel.nr_sqe - 1].args[1] = REDOX_EVENT_READ;
	serve();
	assert_int_equal(answer_to(tag), REDOX_EVENT_READ);
	tag = ask(7, REDOX_OP_FEVENT, q.queue, NULL, 0);
	kernel.sqe[kernel.nr_sqe - 1].args[1] = 0;
	submit(7, &q, 1);
	complete(1);
	assert_int_equal(nr_events(q.queue), 2);
}

/* A handle of two descriptors: neither it nor the other is touched. */
static void two_handles_at_once(void **state)
{
	struct queue q = open_queue(7);
	u32 tags[2];

	(void)state;
	tags[0] = ask(7, 14, q.bo, "x", 1); /* Frename */
	kernel.sqe[kernel.nr_sqe - 1].flags = 2;
	kernel.sqe[kernel.nr_sqe - 1].args[5] = q.queue;
	tags[1] = ask(7, 12, q.bo, NULL, 0); /* Sendfd */
	serve();
	assert_int_equal(answer_to(tags[0]), -REDOX_EOPNOTSUPP);
	assert_int_equal(answer_to(tags[1]), -REDOX_EOPNOTSUPP);
}

static void whose_error_it_is(void **state)
{
	char text[200] = "";
	u32 tag;
	s64 fd;

	(void)state;
	assert_int_equal(open_path(7, RS_ROOT_ID, "0/control"), -EACCES);
	assert_true(open_path(1, RS_ROOT_ID, "0/control") > 0); /* root */
	fd = open_path(8, RS_ROOT_ID, "error");			/* not another's */
	tag = ask(8, REDOX_OP_READ, (u64)fd, text, sizeof(text));
	serve();
	assert_int_equal(answer_to(tag), 0);
	fd = open_path(7, RS_ROOT_ID, "error");
	tag = ask(7, REDOX_OP_READ, (u64)fd, text, 5);
	serve();
	assert_int_equal(answer_to(tag), 5);
	assert_memory_equal(text, "path:", 5);
	tag = ask(7, REDOX_OP_READ, (u64)fd, text, sizeof(text));
	serve();
	assert_true(answer_to(tag) > 10);
	tag = ask(7, REDOX_OP_READ, (u64)fd, text, sizeof(text));
	serve();
	assert_int_equal(answer_to(tag), 0);
}

static void texts(void **state)
{
	char path[300];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[299] = '\0';
	assert_int_equal(open_path(7, RS_ROOT_ID, path), -ENAMETOOLONG);
	path[255] = '\0';
	assert_int_equal(open_path(7, RS_ROOT_ID, path), -ENOENT);
	path[255] = 'a';
	path[256] = '\0';
	assert_int_equal(open_path(7, RS_ROOT_ID, path), -ENAMETOOLONG);
	assert_int_equal(open_path(7, 77, "0/info"), -EBADF);
	assert_true(open_path(7, RS_ROOT_ID, "") > 0);
	assert_true(open_path(7, RS_ROOT_ID, "//0//") > 0);
	assert_int_equal(open_path(7, RS_ROOT_ID, "1"), -ENOENT);
	assert_int_equal(open_path(7, RS_ROOT_ID, "4294967296"), -ENOENT);
	assert_int_equal(open_path(7, RS_ROOT_ID, "18446744073709551616"), -ENOENT);
}

/* Numbers are the smallest that are free, and there are no more than so many. */
static void many(void **state)
{
	u64 second = 0;
	s64 ret = 0;

	(void)state;
	for (u32 i = 0; i < MAX_ENTRIES; i++) {
		kernel.nr_sqe = kernel.nr_read = kernel.nr_cqe = 0;
		ret = open_path(7, RS_ROOT_ID, "error");
		assert_int_equal(ret, i + RS_FIRST_ID);
		second = i == 1 ? (u64)ret : second;
	}
	kernel.nr_sqe = kernel.nr_read = kernel.nr_cqe = 0;
	assert_int_equal(open_path(7, RS_ROOT_ID, "error"), -EMFILE);
	assert_int_equal(open_path(9, RS_ROOT_ID, "error"), -EMFILE);
	tell(REDOX_OP_CLOSE, second, 0);
	assert_int_equal(open_path(9, RS_ROOT_ID, "error"), second);
}

/* Whichever call of the kernel fails while it is made: its error, words, and nothing is left. */
static void failures_at_the_start(void **state)
{
	u32 nth = 1;
	int ret;

	(void)state;
	do {
		kernel.fail_call = nth;
		err = (struct base_err){ 0 };
		ret = start();
		if (ret) {
			assert_int_equal(kernel.nr_open, 0);
			assert_true(nth == 1 || (err.code == ret && err.text[0]));
		}
	} while (ret && nth++ < 20);
	assert_int_equal(nth, 9); /* eight calls can */
	kernel.fail_call = 0;
	scheme_destroy(scheme);
	loop_destroy(loop);
	assert_int_equal(
		scheme_create(NULL, svc, &(struct scheme_config){ .name = "a/b" }, &scheme, &err),
		-EINVAL);
	assert_int_equal(
		scheme_create(NULL, svc, &(struct scheme_config){ .name = "" }, &scheme, &err),
		-EINVAL);
}

/* Whichever allocation fails: an answer, and nothing is left. */
static void no_memory(void **state)
{
	(void)state;
	for (u32 nth = 1; nth < 12; nth++) {
		s64 ret;

		base_alloc_fail_nth(nth);
		ret = open_path(7, RS_ROOT_ID, "0/ctx");
		base_alloc_fail_nth(0);
		if (ret > 0) {
			tell(REDOX_OP_CLOSE, (u64)ret, 0);
			serve();
		} else {
			assert_int_equal(ret, -ENOMEM);
		}
		assert_int_equal(scheme->nr_entries, 0);
		assert_true(svc_list_empty(&scheme->clients));
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_open_whose_caller_was_killed),
		T(answers_in_pieces),
		T(reads_that_wait),
		T(reads_that_do_not_wait),
		T(who_waits_when_it_closes),
		T(whoever_waits_at_the_end_is_answered),
		T(edges),
		T(two_handles_at_once),
		T(whose_error_it_is),
		T(texts),
		T(many),
		T(no_memory),
		cmocka_unit_test_setup_teardown(failures_at_the_start, setup_service,
						teardown_service),
	};

	return cmocka_run_group_tests_name("scheme redox", tests, NULL, NULL);
}
