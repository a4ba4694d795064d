// SPDX-License-Identifier: MIT
/* A daemon that lies: its answers lie in the socket before they are asked for. */
#include "client/backend_npud.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <cmocka.h>

static struct npud *npud;
static int daemon_end, nr_fds;
static struct base_err err;
static u32 tag; /* of the next answer */

static int count_fds(void)
{
	int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static int setup(void **state)
{
	int ends[2];

	(void)state;
	nr_fds = count_fds();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	npud = base_zalloc(sizeof(*npud));
	assert_non_null(npud);
	npud->base.ops = &backend_npud;
	npud->fd = ends[0];
	daemon_end = ends[1];
	tag = 0;
	return pthread_mutex_init(&npud->lock, NULL);
}

static int teardown(void **state)
{
	(void)state;
	npud_disconnect(&npud->base);
	close(daemon_end);
	assert_int_equal(count_fds(), nr_fds); /* no descriptor that was slipped in is kept */
	return 0;
}

static void put(const void *data, size_t size, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(daemon_end, &msg, 0), size);
}

/* The answer to the next request; @fd goes with it. */
static void says_fd(s64 result, const void *payload, u32 size, int fd)
{
	static struct {
		struct abi_npud_reply head;
		u8 payload[ABI_NPUD_PAYLOAD];
	} reply;

	reply.head = (struct abi_npud_reply){ .tag = ++tag, .size = size, .result = result };
	memcpy(reply.payload, payload, size);
	put(&reply, sizeof(reply.head) + size, fd);
	if (fd >= 0)
		close(fd);
}

static void says(s64 result)
{
	says_fd(result, "", 0, -1);
}

static int memory(u64 size)
{
	int fd = memfd_create("lie", MFD_CLOEXEC);

	assert_true(fd >= 0 && !ftruncate(fd, (off_t)size));
	return fd;
}

static void says_bo(u64 addr, u64 size)
{
	const struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) },
					  .addr = addr,
					  .size_bytes = size };

	says_fd(0, &call, sizeof(call), -1);
}

static u32 open_ctx(void)
{
	u32 ctx;

	says(1);
	assert_int_equal(npud_open(&npud->base, "ctx", &ctx, &err), 0);
	return ctx;
}

/* What is below a context fails so, and is closed. */
static void dup_fails(u32 ctx, const char *path, int code, const char *text)
{
	u32 out;

	says(0); /* to the close */
	err = (struct base_err){ 0 };
	assert_int_equal(npud_dup(&npud->base, ctx, path, -1, &out, &err), code);
	if (!strstr(err.text, text))
		fail_msg("it says \"%s\"", err.text);
}

static void no_answers(void **state)
{
	static const u8 bytes[100] = { 1 };
	struct abi_npud_reply reply = { .tag = 77 };
	u32 out;

	(void)state;
	for (u32 size = 1; size < sizeof(reply); size++) {
		put(bytes, size, size == 3 ? STDIN_FILENO : -1);
		assert_int_equal(npud_open(&npud->base, "info", &out, &err), -ENODEV);
	}
	put(&reply, sizeof(reply), -1); /* another request's */
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -ENODEV);
	assert_non_null(strstr(err.text, "start it and open anew"));
	reply = (struct abi_npud_reply){ .tag = npud->tag + 1, .size = 1 }; /* more than there is */
	put(&reply, sizeof(reply), -1);
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -ENODEV);
	reply = (struct abi_npud_reply){ .tag = npud->tag + 1, .size = UINT32_MAX };
	put(&reply, sizeof(reply), -1);
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -ENODEV);
	shutdown(daemon_end, SHUT_RDWR);
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -ENODEV);
}

/* Words as long as a message, without an end. */
static void long_words(void **state)
{
	static u8 words[ABI_NPUD_PAYLOAD];
	u8 buf[64];
	u32 out;

	(void)state;
	memset(words, 'w', sizeof(words));
	says_fd(-EACCES, words, 499, -1);
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -EACCES);
	assert_int_equal(strlen(err.text), 499);
	says_fd(-EACCES, words, 500, -1);
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -EACCES);
	assert_int_equal(strlen(err.text), 499);
	says_fd(-EIO, words, 500, -1); /* first into the room for an answer, then behind it */
	assert_int_equal(npud_read(&npud->base, 1, buf, sizeof(buf), &err), -EIO);
	assert_int_equal(strlen(err.text), 499);
	says_fd(-EACCES, words, sizeof(words), -1); /* more than the two take */
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -ENODEV);
	says_fd(-EACCES, "", 0, memory(1)); /* an error, and a descriptor */
	assert_int_equal(npud_open(&npud->base, "info", &out, &err), -EACCES);
}

static void handles(void **state)
{
	u32 out;

	(void)state;
	open_ctx();
	says(1); /* a number it gave already */
	says(0);
	assert_int_equal(npud_open(&npud->base, "ctx", &out, &err), -EPROTO);
	tag = npud->tag;
	says(INT64_MAX);
	says(0);
	assert_int_equal(npud_open(&npud->base, "ctx", &out, &err), -EPROTO);
	tag = npud->tag;
	assert_int_equal(npud_dup(&npud->base, 55, "queue", -1, &out, &err), -EBADF);
}

static void buffers(void **state)
{
	const u32 ctx = open_ctx();
	void *cpu = NULL;
	u32 bo = 0;

	(void)state;
	says(2);
	says_bo(0x1000, 8192);
	says(8192);
	dup_fails(ctx, "bo/8192", -EPROTO, "without its descriptor");
	says(2);
	says_bo(0x1000, 8192);
	says_fd(8192, "", 0, memory(4096)); /* half of it would be no memory */
	dup_fails(ctx, "bo/8192", -EPROTO, "8192 bytes came with 4096 bytes of memory");
	says(2);
	says_bo(0x1000, 8192);
	says_fd(4096, "", 0, memory(4096));
	dup_fails(ctx, "bo/8192", -EPROTO, "a buffer of 8192 bytes, mapped 4096");
	says(2);
	says_bo(0x1000, 0);
	says_fd(0, "", 0, memory(4096));
	dup_fails(ctx, "bo/8192", -ENOMEM, "mapping 0 bytes");
	says(2);
	says_bo(0x1000, 8192);
	says_fd(INT64_MAX, "", 0, memory(4096));
	dup_fails(ctx, "bo/8192", -EPROTO, "bytes of memory");
	says(2);
	says_fd(0, "x", 1, -1); /* next to nothing where it tells of the buffer */
	says_fd(8192, "", 0, memory(8192));
	dup_fails(ctx, "bo/8192", -EPROTO, "a buffer of 0 bytes, mapped 8192");
	says(2);
	says_fd(-EIO, "broken", 6, -1);
	dup_fails(ctx, "bo/8192", -EIO, "broken");
	says(2);
	says_bo(0x1000, 8192);
	says_fd(8192, "", 0, memory(8192));
	assert_int_equal(npud_dup(&npud->base, ctx, "bo/8192", -1, &bo, &err), 0);
	assert_int_equal(npud_map(&npud->base, bo, &cpu, &err), 0);
	memset(cpu, 1, 8192);
	says_fd(0, "", 0, memory(1)); /* one that nobody asked for */
	assert_int_equal(npud_close(&npud->base, bo, &err), 0);
}

static void queues(void **state)
{
	const u32 ctx = open_ctx();
	struct abi_queue_page page = { 0 };
	struct abi_completion done[100];
	int fd = memory(4096), other;
	u32 queue = 0;

	(void)state;
	says(2);
	says_fd(4096, "", 0, memory(10));
	dup_fails(ctx, "queue", -EPROTO, "10 bytes of memory");
	says(2);
	says_fd(64, "", 0, memory(4096));
	dup_fails(ctx, "queue", -EPROTO, "a queue's page of 64 bytes");
	says(2);
	says_fd(4096, "", 0, memory(4096));
	says(0);
	dup_fails(ctx, "queue", -EPROTO, "an event without descriptor");
	other = dup(fd);
	says(2);
	says_fd(4096, "", 0, fd);
	says_fd(0, "", 0, eventfd(0, EFD_CLOEXEC));
	assert_int_equal(npud_dup(&npud->base, ctx, "queue", -1, &queue, &err), 0);
	/* a tail that counts more than a page holds: that many, and no more */
	page.tail = 0x80000000;
	assert_int_equal(pwrite(other, &page, sizeof(page), 0), sizeof(page));
	assert_int_equal(npud_read(&npud->base, queue, done, sizeof(done), &err),
			 ABI_QUEUE_PAGE_ENTRIES * sizeof(done[0]));
	page.tail = 3; /* and one that goes back */
	assert_int_equal(pwrite(other, &page, 4, 0), 4);
	assert_in_range(npud_read(&npud->base, queue, done, sizeof(done), &err), 0, sizeof(done));
	close(other);
}

/* More than was asked for, or less than it says. */
static void counts(void **state)
{
	u8 buf[64];

	(void)state;
	says_fd(3, "abc", 3, -1);
	assert_int_equal(npud_read(&npud->base, 1, buf, sizeof(buf), &err), 3);
	says(0);
	assert_int_equal(npud_read(&npud->base, 1, buf, sizeof(buf), &err), 0);
	says_fd(4, "abc", 3, -1);
	assert_int_equal(npud_read(&npud->base, 1, buf, sizeof(buf), &err), -EPROTO);
	says_fd(100, buf, 64, -1);
	assert_int_equal(npud_read(&npud->base, 1, buf, sizeof(buf), &err), -EPROTO);
	says(INT64_MAX);
	assert_int_equal(npud_read(&npud->base, 1, buf, sizeof(buf), &err), -EPROTO);
	says(64);
	assert_int_equal(npud_write(&npud->base, 1, buf, 64, &err), 64);
	says(65);
	assert_int_equal(npud_write(&npud->base, 1, buf, 64, &err), -EPROTO);
	says_fd(0, buf, 63, -1);
	assert_int_equal(npud_call(&npud->base, 1, buf, 64, &err), -EPROTO);
	assert_int_equal(npud_call(&npud->base, 1, buf, ABI_NPUD_PAYLOAD + 1, &err), -EINVAL);
}

/* A daemon that is gone while somebody waits. */
static void gone_while_waiting(void **state)
{
	const u32 ctx = open_ctx();
	struct abi_job job = { .cmd_addr = 0x1000, .cmd_size = 64 };
	u32 bo = 0, queue = 0;

	(void)state;
	says(2);
	says_bo(0x1000, 4096);
	says_fd(4096, "", 0, memory(4096));
	assert_int_equal(npud_dup(&npud->base, ctx, "bo/4096", -1, &bo, &err), 0);
	says(3);
	says_fd(4096, "", 0, memory(4096));
	says_fd(0, "", 0, eventfd(0, EFD_CLOEXEC));
	assert_int_equal(npud_dup(&npud->base, ctx, "queue", -1, &queue, &err), 0);
	assert_int_equal(npud_wait(&npud->base, queue, 0, &err), -ENODATA);
	assert_int_equal(npud_write(&npud->base, queue, &job, sizeof(job), &err), sizeof(job));
	assert_int_equal(npud_wait(&npud->base, queue, BASE_NS_PER_MS, &err), -ETIMEDOUT);
	shutdown(daemon_end, SHUT_RDWR);
	assert_int_equal(npud_wait(&npud->base, queue, UINT64_MAX, &err), -ENODEV);
	assert_int_equal(npud_write(&npud->base, queue, &job, sizeof(job), &err), -ENODEV);
	assert_non_null(strstr(err.text, "the daemon is gone"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_answers), T(long_words),	      T(handles), T(buffers), T(queues),
		T(counts),     T(gone_while_waiting),
	};

	return cmocka_run_group_tests_name("npud backend", tests, NULL, NULL);
}
