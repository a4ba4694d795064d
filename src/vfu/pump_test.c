// SPDX-License-Identifier: MIT
/* The device asks the client for memory: right and wrong answers, none, and other things instead. */
#include "vfu/server.h"
#include "vfu/test_peer.h"

static int setup(void **state)
{
	*state = peer_ready();
	return 0;
}

static int teardown(void **state)
{
	peer_close(*state);
	return 0;
}

/* What a device thread does when it needs memory that came without a descriptor. */
struct asking {
	struct peer *p;
	pthread_t thread;
	int ret;
	u8 buf[64];
};

static void *ask_client(void *arg)
{
	struct asking *a = arg;

	a->ret = vfu_pump_dma(&a->p->srv->pump, VFU_DMA_READ, 0x1000, a->buf, sizeof(a->buf));
	return NULL;
}

static void start_asking(struct asking *a, struct peer *p, struct vfu_hdr *hdr)
{
	struct vfu_dma_io io;

	a->p = p;
	assert_int_equal(pthread_create(&a->thread, NULL, ask_client, a), 0);
	assert_true(peer_read(p, hdr, sizeof(*hdr)) && peer_read(p, &io, sizeof(io)));
	assert_int_equal(hdr->cmd, VFU_DMA_READ);
	assert_int_equal(hdr->size, sizeof(*hdr) + sizeof(io));
	assert_int_equal(io.addr, 0x1000);
	assert_int_equal(io.count, sizeof(a->buf));
}

static void answer_asking(struct peer *p, struct vfu_hdr hdr, u32 flags, u64 count, u32 data_len)
{
	struct {
		struct vfu_dma_io io;
		u8 data[64];
	} answer = { { 0x1000, count }, { 1, 2, 3 } };
	u32 len = flags & VFU_F_ERROR ? 0 : (u32)sizeof(answer.io) + data_len;

	hdr.flags = flags;
	hdr.error = flags & VFU_F_ERROR ? EPERM : 0;
	hdr.size = (u32)sizeof(hdr) + len;
	peer_send_raw(p, &hdr, &answer, len, NULL, 0);
}

static void test_answers_to_the_device(void **state)
{
	static const struct {
		u32 flags;
		u64 count;
		u32 data_len;
		int ret;
	} rows[] = {
		{ VFU_F_REPLY, 64, 64, 0 },
		{ VFU_F_REPLY | VFU_F_ERROR, 0, 0, -EIO },
		{ VFU_F_REPLY, 64, 63, -EIO },
		{ VFU_F_REPLY, 63, 64, -EIO },
		{ VFU_F_REPLY, UINT64_MAX, 64, -EIO },
		{ VFU_F_REPLY, 64, 0, -EIO },
	};
	struct peer *p = *state;
	struct asking a = { 0 };
	struct vfu_hdr hdr;
	u64 val;

	for (u32 i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
		start_asking(&a, p, &hdr);
		for (u32 k = 0; k < 10; k++) /* it goes on with its own commands meanwhile */
			assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 0, 4, &val), 0);
		answer_asking(p, hdr, rows[i].flags, rows[i].count, rows[i].data_len);
		pthread_join(a.thread, NULL);
		assert_int_equal(a.ret, rows[i].ret);
	}
	assert_memory_equal(a.buf, "\1\2\3", 3); /* of the first answer */
}

static void test_answer_to_another_question(void **state)
{
	struct peer *p = *state;
	struct asking a = { 0 };
	struct vfu_hdr hdr;

	start_asking(&a, p, &hdr);
	hdr.id++;
	answer_asking(p, hdr, VFU_F_REPLY, 64, 64);
	pthread_join(a.thread, NULL);
	assert_int_equal(a.ret, -EPROTO);
	assert_int_equal(peer_leave(p), -EPROTO);
}

static void test_client_dies_when_asked(void **state)
{
	struct peer *p = *state;
	struct asking a = { 0 };
	struct vfu_hdr hdr;

	start_asking(&a, p, &hdr);
	assert_int_equal(peer_leave(p), 0);
	pthread_join(a.thread, NULL);
	assert_int_equal(a.ret, -ENOTCONN);
	assert_true(peer_logged(p, "gone without an answer"));
	p->log_len = 0;
	peer_connect(p); /* nobody asked this one */
	assert_int_equal(peer_leave(p), 0);
	assert_false(peer_logged(p, "gone without an answer"));
	assert_true(peer_logged(p, "client has gone"));
}

/* As the model does, with a client that dies meanwhile. */
static void *read_memory(void *arg)
{
	struct asking *a = arg;
	const struct vnpu_remote *remote = &a->p->srv->dma.remote;

	a->ret = remote->read(remote->opaque, 0x1000, a->buf, sizeof(a->buf));
	return NULL;
}

/* What the device finds in memory that is no more, is not held against its client. */
static void test_orphaned_device(void **state)
{
	struct peer *p = *state;
	struct asking a = { .p = p };
	struct vfu_hdr hdr;
	u64 val = 0;

	assert_int_equal(pthread_create(&a.thread, NULL, read_memory, &a), 0);
	assert_true(peer_read(p, &hdr, sizeof(hdr)));
	assert_int_equal(peer_leave(p), 0);
	pthread_join(a.thread, NULL);
	assert_int_equal(a.ret, -ENOTCONN);
	assert_int_equal(vnpu_bar_read(vfu_server_vnpu(p->srv), 0, 0, 4, &val), 0);
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), 0);
	peer_connect(p);
	assert_true(peer_version(p, 0, 1, NULL) > 0);
	assert_int_equal(peer_rd(p, 0, 0, 4, &val), 0); /* memory decoding is off */
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), 1);
}

struct flood {
	int socket;
	int fd; /* sent with each; -1: none */
};

static void *write_without_end(void *arg)
{
	const struct flood *f = arg;
	const struct {
		struct vfu_hdr hdr;
		struct vfu_region_io io;
	} msg = { { .cmd = VFU_REGION_WRITE, .size = sizeof(msg), .flags = VFU_F_NO_REPLY },
		  { .region = VFU_REGION_CONFIG } };
	const int fds[] = { f->fd, f->fd };

	while (vfu_wire_send(f->socket, &msg, sizeof(msg), fds, f->fd >= 0 ? 2 : 0) == 0)
		continue;
	return NULL;
}

/* More posted writes than can be kept for it, and never the answer.  Returns how many are kept. */
static u32 flood(int fd)
{
	struct flood f = { .fd = fd };
	struct vfu_pump pump;
	struct vfu_msg msg;
	pthread_t writer;
	u32 val, nr = 0;
	int fds[2];

	memset(&pump, 0, sizeof(pump));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	f.socket = fds[1];
	assert_int_equal(vfu_pump_init(&pump), 0);
	vfu_pump_open(&pump, fds[0]);
	assert_int_equal(pthread_create(&writer, NULL, write_without_end, &f), 0);
	assert_int_equal(vfu_pump_dma(&pump, VFU_DMA_READ, 0x1000, &val, sizeof(val)), -ENOBUFS);
	while (vfu_pump_recv(&pump, &msg) == 0) { /* what came before it is still served */
		assert_int_equal(msg.nr_fds, fd >= 0 ? 2 : 0);
		vfu_msg_close(&msg);
		nr++;
	}
	vfu_pump_close(&pump);
	pthread_join(writer, NULL);
	vfu_pump_fini(&pump);
	close(fds[1]);
	return nr;
}

static void test_commands_instead_of_an_answer(void **state)
{
	int fd = memory(PAGE);

	(void)state;
	assert_in_range(flood(-1), 20000, VFU_MAX_QUEUED / sizeof(struct vfu_region_io));
	assert_int_equal(flood(fd), VFU_MAX_QUEUED_FDS / 2);
	close(fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_answers_to_the_device),
		T(test_answer_to_another_question),
		T(test_client_dies_when_asked),
		T(test_orphaned_device),
		cmocka_unit_test(test_commands_instead_of_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
