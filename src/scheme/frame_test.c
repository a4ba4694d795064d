// SPDX-License-Identifier: MIT
#include "frame.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static struct frame_in in;
static struct frame_out out;
static int ends[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

static int teardown(void **state)
{
	(void)state;
	close(ends[0]);
	return close(ends[1]);
}

/* A message of @size bytes whose head says that @said follow it. */
static int receive(size_t size, u32 said)
{
	static u8 data[2 * ABI_NPUD_PAYLOAD];
	const struct abi_npud_req head = { .op = 3, .tag = 9, .handle = 5, .size = said, .arg = 7 };

	memset(data, 0x41, sizeof(data));
	memcpy(data, &head, sizeof(head));
	assert_int_equal(send(ends[1], data, size, 0), size);
	return frame_recv(ends[0], &in);
}

static void whole_frames(void **state)
{
	const size_t head = sizeof(struct abi_npud_req);

	(void)state;
	assert_int_equal(frame_recv(ends[0], &in), -EAGAIN);
	assert_int_equal(receive(head, 0), 0);
	assert_int_equal(in.head.tag, 9);
	assert_string_equal(frame_text(&in), "");
	assert_int_equal(receive(head + 3, 3), 0);
	assert_string_equal(frame_text(&in), "AAA");
	assert_int_equal(receive(head + ABI_NPUD_PAYLOAD, ABI_NPUD_PAYLOAD), 0);
	assert_int_equal(strlen(frame_text(&in)), ABI_NPUD_PAYLOAD);
	in.payload[17] = '\0';
	assert_null(frame_text(&in));
}

static void no_frames(void **state)
{
	const u32 head = sizeof(struct abi_npud_req);

	(void)state;
	assert_int_equal(receive(1, 0), -EPROTO);
	assert_int_equal(receive(head - 1, 0), -EPROTO);
	assert_int_equal(receive(head, 1), -EPROTO);
	assert_int_equal(receive(head + 2, 1), -EPROTO);
	assert_int_equal(receive(head + 2, UINT32_MAX), -EPROTO);
	assert_int_equal(receive(head + ABI_NPUD_PAYLOAD + 1, ABI_NPUD_PAYLOAD + 1), -EPROTO);
	assert_int_equal(receive(head + ABI_NPUD_PAYLOAD + 1, ABI_NPUD_PAYLOAD), -EPROTO);
	assert_int_equal(receive(head, 0), 0); /* each was a message of its own */
	close(ends[1]);
	assert_int_equal(frame_recv(ends[0], &in), -ENOTCONN);
	close(ends[0]);
	assert_int_equal(setup(state), 0);
}

static void send_fds(const void *data, size_t size, const int *fds, u32 nr)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = CMSG_SPACE(nr * sizeof(int)) };

	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(nr * sizeof(int)),
					 .cmsg_level = SOL_SOCKET,
					 .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), fds, nr * sizeof(int));
	assert_int_equal(sendmsg(ends[1], &msg, 0), size);
}

/* One is taken, of however many; nobody else keeps any. */
static void descriptors_that_come_are_closed(void **state)
{
	const struct abi_npud_req head = { .op = 1 };
	int pipe_ends[2], fds[8];
	char byte;

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	for (u32 i = 0; i < 8; i++)
		fds[i] = pipe_ends[1];
	send_fds(&head, sizeof(head), fds, 8);
	send_fds(&head, sizeof(head), fds, 2);
	send_fds(&head, sizeof(head), fds, 1);
	send_fds(&head, sizeof(head) - 1, fds, 2); /* of what is no frame, none */
	close(pipe_ends[1]);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(frame_recv(ends[0], &in), 0);
		assert_true(in.fd >= 0);
		frame_done(&in);
		assert_int_equal(in.fd, -1);
	}
	assert_int_equal(frame_recv(ends[0], &in), -EPROTO);
	assert_int_equal(in.fd, -1);
	assert_int_equal(read(pipe_ends[0], &byte, 1), 0); /* the end: the last writer is gone */
	close(pipe_ends[0]);
}

static void answers(void **state)
{
	static struct frame_out got;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = &got, .iov_len = sizeof(got) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int event = eventfd(3, EFD_CLOEXEC), fd;
	eventfd_t count;

	(void)state;
	frame_init(&out, 12);
	assert_int_equal(out.fd, -1);
	assert_int_equal(frame_put(&out, "words", 5), 0);
	out.fd = event;
	assert_int_equal(frame_send(ends[0], &out), 0);
	close(event);
	assert_int_equal(recvmsg(ends[1], &msg, 0), sizeof(got.head) + 5);
	assert_int_equal(got.head.tag, 12);
	assert_memory_equal(got.payload, "words", 5);
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	assert_int_equal(eventfd_read(fd, &count), 0);
	assert_int_equal(count, 3);
	close(fd);
	/* an error has words, and never a descriptor */
	out.fd = 77;
	frame_fail(&out, -EINVAL, "no");
	assert_int_equal(out.fd, -1);
	assert_int_equal(frame_send(ends[0], &out), 0);
	assert_int_equal(recv(ends[1], &got, sizeof(got), 0), sizeof(got.head) + 2);
	assert_int_equal(got.head.result, -EINVAL);
}

static void answers_nobody_takes(void **state)
{
	int ret, nr = 0;

	(void)state;
	frame_init(&out, 1);
	out.head.size = ABI_NPUD_PAYLOAD;
	while ((ret = frame_send(ends[0], &out)) == 0)
		assert_true(++nr < 1000);
	assert_int_equal(ret, -EAGAIN);
	assert_true(nr > 0);
	close(ends[1]);
	assert_int_equal(frame_send(ends[0], &out), -ECONNRESET); /* it left some unread */
	assert_int_equal(frame_send(ends[0], &out), -EPIPE);	  /* and no signal */
	close(ends[0]);
	assert_int_equal(setup(state), 0);
	out.fd = 9999;
	assert_int_equal(frame_send(ends[0], &out), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(no_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_that_come_are_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(answers, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_nobody_takes, setup, teardown),
	};

	return cmocka_run_group_tests_name("scheme frame", tests, NULL, NULL);
}
