// SPDX-License-Identifier: MIT
/*
 * Clients that mean harm, or are broken: each field of each message, sizes, maps, descriptors,
 * memory that goes away.  The server answers with an error or hangs up, and serves the next one.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "vfu/server.h"
#include "vfu/test_peer.h"

enum {
	RW = VFU_DMA_READABLE | VFU_DMA_WRITEABLE,
	FD_TRIGGER = VFU_SET_DATA_EVENTFD | VFU_SET_TRIGGER
};

static int setup(void **state)
{
	*state = peer_ready();
	return 0;
}

/* Whatever happened: a new client is served, and nothing was leaked of the old one. */
static int teardown(void **state)
{
	struct peer *p = *state;
	u64 val = 0;

	(void)peer_leave(p);
	peer_connect(p);
	assert_true(peer_version(p, 0, 1, NULL) > 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 0, 4, &val), 0);
	assert_int_equal(val, 0x7d1d8086);
	peer_close(p);
	return 0;
}

static u32 open_fds(void)
{
	u32 nr = 0;

	for (int fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/* The stream is lost: no telling where the next message begins.  The client is told so. */
static void test_sizes_that_cannot_be(void **state)
{
	static const u32 sizes[] = { 0, 1, 15, VFU_MAX_MSG + 1, 0x7fffffff, UINT32_MAX };
	struct peer *p = *state;

	for (u32 i = 0; i < BASE_ARRAY_SIZE(sizes); i++) {
		const struct vfu_hdr hdr = { .cmd = VFU_DEVICE_RESET, .size = sizes[i] };

		p->id = hdr.id;
		peer_send_raw(p, &hdr, NULL, 0, NULL, 0);
		assert_int_equal(peer_answer(p), -EINVAL);
		assert_int_equal(peer_answer(p), -ENOTCONN);
		assert_int_equal(peer_leave(p), -EPROTO);
		peer_connect(p);
		assert_true(peer_version(p, 0, 1, NULL) > 0);
	}
	assert_true(peer_logged(p, "command 13, 15 bytes, flags 0x0: no message"));
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), BASE_ARRAY_SIZE(sizes));
}

static void test_header(void **state)
{
	static const u16 unknown[] = { 0, VFU_DMA_READ, VFU_DMA_WRITE, 14, 16, 17, 18, 19, 0xffff };
	struct peer *p = *state;

	for (u32 i = 0; i < BASE_ARRAY_SIZE(unknown); i++)
		assert_int_equal(peer_ask(p, unknown[i], NULL, 0), -EOPNOTSUPP);
	for (u32 bit = 5; bit < 32; bit++) { /* reserved, and "error" in a request */
		peer_send(p, VFU_DEVICE_RESET, BASE_BIT(bit), NULL, 0, -1);
		assert_int_equal(peer_answer(p), -EINVAL);
	}
	peer_send(p, VFU_DEVICE_RESET, VFU_F_REPLY, NULL, 0, -1);
	assert_int_equal(peer_answer(p), -EINVAL);
	assert_int_equal(peer_answer(p), -ENOTCONN);
	assert_int_equal(peer_leave(p), -EPROTO);
}

static void test_payloads_too_short(void **state)
{
	static const u32 least[] = {
		[VFU_VERSION] = 4,
		[VFU_DMA_MAP] = 32,
		[VFU_DMA_UNMAP] = 24,
		[VFU_DEVICE_GET_INFO] = 16,
		[VFU_GET_REGION_INFO] = 32,
		[VFU_GET_REGION_IO_FDS] = 16,
		[VFU_GET_IRQ_INFO] = 16,
		[VFU_SET_IRQS] = 20,
		[VFU_REGION_READ] = 16,
		[VFU_REGION_WRITE] = 16,
		[VFU_REGION_WRITE_MULTI] = 8,
	};
	struct peer *p = *state;
	u8 zeros[32] = { 0 };

	for (u32 cmd = 0; cmd < BASE_ARRAY_SIZE(least); cmd++)
		for (u32 len = 0; len < least[cmd]; len++)
			assert_int_equal(peer_ask(p, cmd, zeros, len), -EINVAL);
}

static void test_before_version(void **state)
{
	struct peer *p = *state;
	const struct vfu_region_io io = { 0, VFU_REGION_CONFIG, 4 };

	(void)peer_leave(p);
	peer_connect(p);
	assert_int_equal(peer_ask(p, VFU_REGION_READ, &io, sizeof(io)), -EINVAL);
	assert_int_equal(peer_ask(p, VFU_DEVICE_RESET, NULL, 0), -EINVAL);
	assert_int_equal(peer_version(p, 1, 0, NULL), -EINVAL);
	assert_int_equal(peer_version(p, 0, 1, "{\"capabilities\":{\"max_msg_fds\":\"x\"}}"),
			 -EINVAL);
	assert_int_equal(peer_version(p, 0, 1, "{"), -EINVAL);
	assert_true(peer_version(p, 0, 1, NULL) > 0);
}

static void test_arguments_too_small(void **state)
{
	struct peer *p = *state;
	struct vfu_device_info dev = { .argsz = 15 };
	struct vfu_region_info region = { .argsz = 31 };
	struct vfu_region_io_fds fds = { .argsz = 15 };
	struct vfu_irq_info irq = { .argsz = 15 };
	struct vfu_dma_map map = { .argsz = 31, .flags = RW, .size = PAGE };

	assert_int_equal(peer_ask(p, VFU_DEVICE_GET_INFO, &dev, sizeof(dev)), -EINVAL);
	assert_int_equal(peer_ask(p, VFU_GET_REGION_INFO, &region, sizeof(region)), -EINVAL);
	region = (struct vfu_region_info){ .argsz = 32, .index = VFU_NR_REGIONS };
	assert_int_equal(peer_ask(p, VFU_GET_REGION_INFO, &region, sizeof(region)), -EINVAL);
	assert_int_equal(peer_ask(p, VFU_GET_REGION_IO_FDS, &fds, sizeof(fds)), -EINVAL);
	fds = (struct vfu_region_io_fds){ .argsz = 16, .index = UINT32_MAX };
	assert_int_equal(peer_ask(p, VFU_GET_REGION_IO_FDS, &fds, sizeof(fds)), -EINVAL);
	assert_int_equal(peer_ask(p, VFU_GET_IRQ_INFO, &irq, sizeof(irq)), -EINVAL);
	irq = (struct vfu_irq_info){ .argsz = 16, .index = VFU_NR_IRQS };
	assert_int_equal(peer_ask(p, VFU_GET_IRQ_INFO, &irq, sizeof(irq)), -EINVAL);
	assert_int_equal(peer_ask(p, VFU_DMA_MAP, &map, sizeof(map)), -EINVAL);
}

static void test_region_accesses(void **state)
{
	static const struct vfu_region_io bad[] = {
		{ 0x3ffffffffff, 0, 4 },
		{ UINT64_MAX, 0, 4 },
		{ 128 << 20, 0, 4 },
		{ (128 << 20) - 4, 0, 16 },
		{ 0, 0, 4097 },
		{ 0, 1, 4 },
		{ 0, 2, 4 },
		{ 0, 6, 4 },
		{ 0, 8, 4 },
		{ 0, 9, 4 },
		{ 0, UINT32_MAX, 4 },
		{ 4095, 7, 2 },
		{ 4096, 7, 1 },
		{ 0, 7, 4097 },
		{ 0, 7, UINT32_MAX },
		{ 4096, 4, 4 },
		{ 4092, 4, 8 },
		{ UINT64_MAX - 3, 7, 8 },
	};
	struct peer *p = *state;
	u64 val;

	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, 0), 0);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(bad); i++) {
		assert_int_equal(peer_ask(p, VFU_REGION_READ, &bad[i], sizeof(bad[i])), -EINVAL);
		if (bad[i].count <= 8)
			assert_int_equal(
				peer_wr(p, bad[i].region, bad[i].offset, bad[i].count, 0, 0),
				-EINVAL);
		else /* it promises more than it brings */
			assert_int_equal(peer_ask(p, VFU_REGION_WRITE, &bad[i], sizeof(bad[i])),
					 -EINVAL);
	}
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 0, 4, &val), 0);
	assert_int_equal(val, 0x7d1d8086);
	/* findings, that say what was asked */
	assert_true(vfu_server_findings(p->srv, VFU_GUEST_ERROR) >= 2 * BASE_ARRAY_SIZE(bad));
	assert_true(peer_logged(p, "REGION_READ: refused with EINVAL: command 9"));
	assert_true(peer_logged(p, "region 0, 4 bytes at 0x8000000"));
}

/* Asking for what there is not is no mistake. */
static void test_unknown_requests_are_no_findings(void **state)
{
	struct peer *p = *state;

	assert_int_equal(peer_ask(p, 16, NULL, 0), -EOPNOTSUPP); /* DEVICE_FEATURE */
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), 0);
	assert_true(peer_logged(p, "refused with EOPNOTSUPP: command 16"));
}

static void test_wild_maps(void **state)
{
	struct peer *p = *state;
	int fd = memory(4 * PAGE), ro;
	char path[64];

	assert_int_equal(peer_map(p, 0, 0, 0, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, 1, PAGE, 0, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, 0, PAGE + 1, 0, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, 0, PAGE, 1, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, 0, PAGE, 0, 0, fd), -EINVAL);
	assert_int_equal(peer_map(p, 0, PAGE, 0, 0xff, fd), -EINVAL);
	assert_int_equal(peer_map(p, 0, 5 * PAGE, 0, RW, fd), -EINVAL); /* past the end */
	assert_int_equal(peer_map(p, 0, PAGE, 4 * PAGE, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, 0, PAGE, UINT64_MAX - PAGE + 1, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, 0, UINT64_MAX - PAGE + 1, 0, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, UINT64_MAX - PAGE + 1, 2 * PAGE, 0, RW, fd), -EINVAL);
	assert_int_equal(peer_map(p, UINT64_MAX - PAGE + 1, PAGE, 0, RW, fd), 0); /* the last */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(ro >= 0);
	assert_int_equal(peer_map(p, 0, PAGE, 0, RW, ro), -EACCES);
	assert_int_equal(peer_map(p, 0, PAGE, 0, VFU_DMA_READABLE, ro), 0);
	assert_int_equal(peer_unmap(p, 0, PAGE, 0xf0), -EINVAL);
	{
		const struct vfu_dma_unmap small = { .argsz = 23, .size = PAGE };

		assert_int_equal(peer_ask(p, VFU_DMA_UNMAP, &small, sizeof(small)), -EINVAL);
	}
	close(ro);
	close(fd);
}

static void test_more_maps_than_allowed(void **state)
{
	struct peer *p = *state;

	for (u64 i = 0; i < VFU_MAX_MAPS; i++)
		assert_int_equal(peer_map(p, i * 2 * PAGE, PAGE, 0, RW, -1), 0);
	assert_int_equal(peer_map(p, UINT64_C(1) << 40, PAGE, 0, RW, -1), -ENOSPC);
	assert_int_equal(peer_unmap(p, 0, 0, VFU_UNMAP_ALL), sizeof(struct vfu_dma_unmap));
	assert_int_equal(peer_map(p, UINT64_C(1) << 40, PAGE, 0, RW, -1), 0);
}

static void test_descriptors_of_the_wrong_kind(void **state)
{
	struct peer *p = *state;
	int pipes[2], sockets[2], event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC), mem = memory(PAGE);
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	{
		const int wrong_memory[] = { pipes[0], sockets[0], event, zero, dir };
		const int wrong_event[] = { pipes[1], sockets[1], mem, zero, dir };

		for (u32 i = 0; i < BASE_ARRAY_SIZE(wrong_memory); i++) {
			assert_int_equal(peer_map(p, 0, PAGE, 0, RW, wrong_memory[i]), -EINVAL);
			assert_int_equal(
				peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, wrong_event[i]),
				-EINVAL);
		}
	}
	close(pipes[0]), close(pipes[1]), close(sockets[0]), close(sockets[1]);
	close(event), close(zero), close(mem), close(dir);
}

static void test_interrupt_requests(void **state)
{
	static const u32 none = VFU_SET_DATA_NONE | VFU_SET_TRIGGER;
	struct peer *p = *state;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_int_equal(peer_irqs(p, 0, VFU_IRQ_MSI, 0, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE, VFU_IRQ_MSI, 0, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none | VFU_SET_DATA_BOOL, VFU_IRQ_MSI, 0, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none | VFU_SET_MASK, VFU_IRQ_MSI, 0, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none | 0x40, VFU_IRQ_MSI, 0, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_MASK, VFU_IRQ_MSI, 0, 1, -1),
			 -EINVAL);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_BOOL | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1),
			 -EINVAL); /* no array */
	assert_int_equal(peer_irqs(p, none, VFU_IRQ_MSI, 0, 2, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none, VFU_IRQ_MSI, 1, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none, VFU_IRQ_MSI, UINT32_MAX, UINT32_MAX, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none, VFU_IRQ_INTX, 0, 1, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none, VFU_NR_IRQS, 0, 0, -1), -EINVAL);
	assert_int_equal(peer_irqs(p, none, VFU_IRQ_MSI, 0, 1, fd), -EINVAL);
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 0, fd), -EINVAL);
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSIX, 0, 1, fd), -EINVAL);
	close(fd);
}

/*
 * A full counter, and a client that wants to have us wait for it: its flags are the client's.  The
 * device goes on, and so does the next client's.
 */
static void test_eventfd_that_would_block(void **state)
{
	const u64 full = UINT64_MAX - 1;
	struct peer *p = *state;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	u64 val = 0;

	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, fd), 0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(
			peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1),
			0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 0, 4, &val), 0);
	assert_int_equal(peer_leave(p), 0);
	close(fd);
}

/* Descriptors nobody asked for are closed: with a command that takes none, and too many. */
static void test_descriptors_do_not_pile_up(void **state)
{
	struct peer *p = *state;
	const struct vfu_region_io io = { 0, VFU_REGION_CONFIG, 4 };
	struct vfu_dma_map map = {
		.argsz = sizeof(map), .flags = RW, .addr = 0x100000, .size = PAGE
	};
	const struct vfu_hdr hdr = { .cmd = VFU_DMA_MAP, .size = sizeof(hdr) + sizeof(map) };
	int fd = memory(PAGE);
	const int many[] = { fd, fd, fd, fd, fd, fd, fd, fd };
	u32 before = open_fds();

	for (u32 i = 0; i < 50; i++) {
		assert_int_equal(peer_ask_fd(p, VFU_REGION_READ, &io, sizeof(io), fd), -EINVAL);
		p->id = hdr.id;
		peer_send_raw(p, &hdr, &map, sizeof(map), many, BASE_ARRAY_SIZE(many));
		assert_int_equal(peer_answer(p), -EINVAL);
	}
	assert_int_equal(open_fds(), before);
	/* two lots for one message: the second can only be an accident or an attack */
	assert_int_equal(vfu_wire_send(p->fd, &hdr, 8, &fd, 1), 0);
	usleep(20000);
	assert_int_equal(vfu_wire_send(p->fd, (const u8 *)&hdr + 8, 8, &fd, 1), 0);
	assert_int_equal(peer_answer(p), -EINVAL);
	assert_int_equal(peer_answer(p), -ENOTCONN);
	assert_int_equal(peer_leave(p), -EPROTO);
	assert_int_equal(open_fds(), before - 2); /* less the socket's two ends */
	close(fd);
}

/* Memory the client takes back while the device uses it: an error for this device, no more. */
static void test_memory_shrinks(void **state)
{
	struct peer *p = *state, *other = peer_ready();
	struct vnpu *vnpu = vfu_server_vnpu(p->srv);
	int fd = memory(16 * PAGE);
	volatile u8 *host;
	u64 val;

	assert_int_equal(peer_map(p, 0x100000, 16 * PAGE, 0, RW, fd), 0);
	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, 0), 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	/* as the device would: through the mapping of the process */
	host = p->srv->dma.entries[0].host;
	assert_int_equal(host[8 * PAGE], 0);
	host[9 * PAGE] = 1;
	assert_int_equal(peer_rd(p, 4, 0, 4, &val), -EIO);
	assert_true(peer_logged(p, "took memory away"));
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), 1);
	assert_int_equal(peer_wr(p, 4, 8, 4, 0, 0), -EIO);
	assert_int_equal(peer_ask(p, VFU_DEVICE_RESET, NULL, 0), 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 4, 2, &val), 0);
	assert_int_equal(val, 0);
	assert_int_equal(peer_unmap(p, 0x100000, 16 * PAGE, 0), sizeof(struct vfu_dma_unmap));
	assert_int_equal(vnpu_dma_unmap(vnpu, 0x100000, 16 * PAGE), -ENOENT);
	/* the other device noticed nothing */
	assert_int_equal(peer_rd(other, VFU_REGION_CONFIG, 0, 4, &val), 0);
	assert_int_equal(val, 0x7d1d8086);
	assert_int_equal(vfu_server_findings(other->srv, VFU_GUEST_ERROR), 0);
	peer_close(other);
	close(fd);
}

/* Accesses without end: each is answered, findings are counted and not all told. */
static void test_storm(void **state)
{
	struct peer *p = *state;
	u64 val = 0;

	for (u32 i = 0; i < 20000; i++)
		assert_int_equal(peer_rd(p, 0, (u64)(i * 4) % (128 << 20), 4, &val), 0);
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), 20000);
	assert_int_equal(peer_leave(p), 0); /* nobody writes to the log any more */
	assert_true(p->log_len < sizeof(p->log));
	/* not of one that comes back at once, but a later one's mistakes are told again */
	for (u32 i = 0; i < 2; i++) {
		p->log_len = 0;
		peer_connect(p);
		assert_true(peer_version(p, 0, 1, NULL) > 0);
		assert_int_equal(peer_rd(p, 0, 0, 4, &val), 0);
		assert_int_equal(peer_logged(p, "finding: guest error"), i);
		assert_int_equal(peer_leave(p), 0);
		p->srv->told_ns -= 10 * UINT64_C(1000000000);
	}
}

/* A client that asks and never reads: the server waits for it, and can still be ended. */
static void test_client_that_does_not_read(void **state)
{
	struct peer *p = *state;
	const struct vfu_region_io io = { 0, VFU_REGION_CONFIG, VFU_CFG_BYTES };
	const struct vfu_hdr hdr = { .cmd = VFU_REGION_READ, .size = sizeof(hdr) + sizeof(io) };
	u8 msg[sizeof(hdr) + sizeof(io)];

	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), &io, sizeof(io));
	while (send(p->fd, msg, sizeof(msg), MSG_DONTWAIT) == (ssize_t)sizeof(msg))
		continue;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(peer_leave(p), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sizes_that_cannot_be),
		T(test_header),
		T(test_payloads_too_short),
		T(test_before_version),
		T(test_arguments_too_small),
		T(test_region_accesses),
		T(test_unknown_requests_are_no_findings),
		T(test_wild_maps),
		T(test_more_maps_than_allowed),
		T(test_descriptors_of_the_wrong_kind),
		T(test_interrupt_requests),
		T(test_eventfd_that_would_block),
		T(test_descriptors_do_not_pile_up),
		T(test_memory_shrinks),
		T(test_storm),
		T(test_client_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
