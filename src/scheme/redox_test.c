// SPDX-License-Identifier: MIT
/*
 * The scheme as the kernel sees it: requests in, answers out, on a driver core that is made up.  What
 * needs a kernel that minds its rules is in tests/redox.
 */
#include "scheme/test_kernel.h"

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
	assert_true(svc_list_empty(&scheme->parked));
}

static int setup_mmio(void **state)
{
	int ret = setup_service(state);

	svc_offer(svc, SVC_MMIO_RW, false);
	drv.writable = true;
	return ret || start_as(&(struct scheme_config){ .name = "reg", .tree = "mmio:" });
}

/* Registers of a device that sleeps: it is asked to wake, an access that may wait does. */
static void accesses_that_wait(void **state)
{
	const u32 val = 0x12345678;
	u64 window = (u64)open_path(1, RS_ROOT_ID, "0x10000000000/64");
	u32 tags[3], got = 0;

	(void)state;
	assert_true((s64)window > 1);
	drv.window_state = -EAGAIN;
	tags[0] = ask(1, REDOX_OP_WRITE, window, &val, 4);
	tags[1] = ask(1, REDOX_OP_WRITE, window, &val, 4);
	kernel.sqe[kernel.nr_sqe - 1].args[4] = REDOX_O_NONBLOCK;
	tags[2] = ask(1, REDOX_OP_READ, window, &got, 4);
	kernel.sqe[kernel.nr_sqe - 1].args[3] = 8;
	serve();
	assert_false(is_answered(tags[0]) || is_answered(tags[2]));
	assert_int_equal(answer_to(tags[1]), -REDOX_EAGAIN);
	assert_memory_equal(drv.regs, ((u8[4]){ 0 }), 4);
	memcpy(drv.regs + 8, &val, 4);
	drv.window_state = 0;
	serve();
	assert_int_equal(answer_to(tags[0]), 4);
	assert_int_equal(answer_to(tags[2]), 4);
	assert_memory_equal(drv.regs, &val, 4);
	assert_int_equal(got, val);
	drv.window_state = -EAGAIN;
	tags[0] = ask(1, REDOX_OP_WRITE, window, &val, 4);
	serve();
	tell(REDOX_OP_CANCEL, 0, tags[0]);
	serve();
	assert_int_equal(answer_to(tags[0]), -REDOX_ECANCELED);
	assert_true(svc_list_empty(&scheme->parked));
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

/* One whose threads all wait takes nothing from others. */
static void no_more_wait_than_that(void **state)
{
	struct queue mine, theirs;
	u32 last = 0, tag;
	u8 buf[64];

	(void)state;
	mine = open_queue(7);
	submit(7, &mine, 1);
	theirs = open_queue(8);
	submit(8, &theirs, 1);
	for (u32 i = 0; i < 257; i++) {
		last = ask(7, REDOX_OP_READ, mine.queue, buf, sizeof(buf));
		if (i % 64 == 0)
			serve();
	}
	tag = ask(8, REDOX_OP_READ, theirs.queue, buf, sizeof(buf));
	serve();
	assert_int_equal(answer_to(last), -REDOX_EAGAIN);
	complete(1);
	assert_int_equal(answer_to(tag), sizeof(struct abi_completion));
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

static s64 ask_stdfs(u64 id, enum redox_stdfs kind, void *buf, u64 len, u64 arg)
{
	u32 tag = ask(7, REDOX_OP_STDFS, id, buf, len);

	kernel.sqe[kernel.nr_sqe - 1].args[3] = kind;
	kernel.sqe[kernel.nr_sqe - 1].args[4] = arg;
	serve();
	return answer_to(tag);
}

static s64 ask_buf(u8 op, u64 id, void *buf, u64 len)
{
	u32 tag = ask(7, op, id, buf, len);

	serve();
	return answer_to(tag);
}

/* By the C library's way and by the raw one. */
static void what_a_descriptor_is(void **state)
{
	const u64 info = (u64)open_path(7, RS_ROOT_ID, "0/info");
	const u64 dir = (u64)open_path(7, RS_ROOT_ID, "0");
	struct queue q = open_queue(7);
	struct redox_stat st;
	char path[64] = "";

	(void)state;
	assert_int_equal(ask_stdfs(q.bo, REDOX_STDFS_FSTAT, &st, sizeof(st), 0), 0);
	assert_int_equal(st.size, 4096);
	assert_int_equal(st.mode & 0xf000, REDOX_S_IFCHR);
	assert_int_equal(st.uid, 1000);
	assert_int_equal(ask_buf(REDOX_OP_FSTAT, dir, &st, sizeof(st)), 0);
	assert_int_equal(st.mode & 0xf000, REDOX_S_IFDIR);
	assert_int_equal(ask_buf(REDOX_OP_FSTAT, dir, &st, sizeof(st) - 1), -EINVAL);
	assert_int_equal(ask_stdfs(info, REDOX_STDFS_FSTAT, NULL, 0, 0), -EINVAL);
	assert_int_equal(ask_stdfs(info, REDOX_STDFS_FSYNC, NULL, 0, 0), 0);
	assert_int_equal(ask_stdfs(info, 12, NULL, 0, 0), -REDOX_EOPNOTSUPP);
	assert_int_equal(ask_stdfs(info, REDOX_STDFS_GETDENTS, path, 64, 0), -ENOTDIR);
	assert_int_equal(ask_stdfs(dir, REDOX_STDFS_GETDENTS, path, 64, UINT64_MAX), 0);
	assert_int_equal(ask_stdfs(dir, REDOX_STDFS_GETDENTS, NULL, 0, 0), -EINVAL);
	assert_int_equal(ask_buf(REDOX_OP_FPATH, info, path, sizeof(path)), 18);
	assert_memory_equal(path, "/scheme/npu/0/info", 18);
	assert_int_equal(ask_buf(REDOX_OP_FPATH, info, path, 7), 7);
	assert_int_equal(ask_buf(REDOX_OP_FPATH, q.queue, path, sizeof(path)), 23);
	assert_memory_equal(path, "/scheme/npu/0/ctx/queue", 23);
	assert_int_equal(ask_buf(REDOX_OP_FSIZE, q.bo, NULL, 0), 4096);
	assert_int_equal(ask_buf(REDOX_OP_FSIZE, dir, NULL, 0), -EISDIR);
	assert_int_equal(ask_buf(REDOX_OP_FCNTL, info, NULL, 0), 0);
	assert_int_equal(ask_buf(REDOX_OP_MUNMAP, q.bo, NULL, 0), 0);
	assert_int_equal(ask_buf(REDOX_OP_READ, dir, path, 8), -EISDIR);
	assert_int_equal(ask_buf(REDOX_OP_WRITE, dir, path, 8), -EISDIR);
	assert_int_equal(ask_buf(REDOX_OP_CALL, dir, path, 8), -EBADF);
	assert_int_equal(ask_buf(REDOX_OP_CALL, info, path, UINT32_MAX), -EINVAL);
	assert_int_equal(ask_buf(REDOX_OP_DUP, info, path, 256), -EINVAL);
}

static s64 map(u64 id, u64 size, u64 flags, u64 off)
{
	u32 tag = ask(7, REDOX_OP_MMAP_PREP, id, NULL, 0);

	kernel.sqe[kernel.nr_sqe - 1].args[1] = size;
	kernel.sqe[kernel.nr_sqe - 1].args[2] = flags;
	kernel.sqe[kernel.nr_sqe - 1].args[3] = off;
	serve();
	return answer_to(tag);
}

/* Buffers, and the page of a queue, whose completions come there from then on. */
static void lent(void **state)
{
	struct queue q = open_queue(7);
	struct abi_queue_page *page;
	u8 buf[64];
	s64 at;

	(void)state;
	assert_int_equal(map(q.bo, 4096, REDOX_MAP_PRIVATE, 0), -EINVAL);
	assert_int_equal(map(q.bo, 4096, REDOX_MAP_SHARED, 100), -EINVAL);
	assert_int_equal(map(q.bo, 8192, REDOX_MAP_SHARED, 0), -EINVAL);
	assert_int_equal(map(q.bo, 4096, REDOX_MAP_SHARED, 4096), -EINVAL);
	assert_int_equal(map(q.bo, UINT64_MAX, REDOX_MAP_SHARED, 4096), -EINVAL);
	assert_int_equal(map(q.bo, 4096, REDOX_MAP_SHARED | REDOX_MAP_PROT_EXEC, 0), -EACCES);
	assert_int_equal(map(q.ctx, 4096, REDOX_MAP_SHARED, 0), -EOPNOTSUPP);
	assert_true(map(q.bo, 4096, REDOX_MAP_SHARED, 0) > 0);
	at = map(q.queue, 4096, REDOX_MAP_SHARED, 0);
	assert_true(at > 0);
	assert_int_equal(map(q.queue, 4096, REDOX_MAP_SHARED, 0), at);
	submit(7, &q, 2);
	complete(2);
	page = (struct abi_queue_page *)(uintptr_t)at;
	assert_int_equal(page->tail, 2);
	assert_int_equal(page->ring[1].cookie, 1);
	assert_int_equal(ask_buf(REDOX_OP_READ, q.queue, buf, sizeof(buf)), -EBUSY);
}

/* Numbers are the smallest that are free, and there are no more than so many. */
static void many(void **state)
{
	u64 second = 0;
	s64 ret = 0;

	(void)state;
	for (u32 i = 0; i < MAX_ENTRIES; i++) {
		kernel.nr_sqe = kernel.nr_read = kernel.nr_cqe = 0;
		if (i == MAX_OF_ONE) /* one program has its share, the others theirs */
			assert_int_equal(open_path(7, RS_ROOT_ID, "error"), -EMFILE);
		ret = open_path(7 + i / MAX_OF_ONE, RS_ROOT_ID, "error");
		assert_int_equal(ret, i + RS_FIRST_ID);
		second = i == 1 ? (u64)ret : second;
	}
	kernel.nr_sqe = kernel.nr_read = kernel.nr_cqe = 0;
	assert_int_equal(open_path(7, RS_ROOT_ID, "error"), -EMFILE);
	assert_int_equal(open_path(99, RS_ROOT_ID, "error"), -EMFILE);
	tell(REDOX_OP_CLOSE, second, 0);
	assert_int_equal(open_path(99, RS_ROOT_ID, "error"), second);
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
		cmocka_unit_test_setup_teardown(accesses_that_wait, setup_mmio, teardown),
		T(reads_that_do_not_wait),
		T(who_waits_when_it_closes),
		T(no_more_wait_than_that),
		T(whoever_waits_at_the_end_is_answered),
		T(edges),
		T(two_handles_at_once),
		T(whose_error_it_is),
		T(texts),
		T(what_a_descriptor_is),
		T(lent),
		T(many),
		T(no_memory),
		cmocka_unit_test_setup_teardown(failures_at_the_start, setup_service,
						teardown_service),
	};

	return cmocka_run_group_tests_name("scheme redox", tests, NULL, NULL);
}
