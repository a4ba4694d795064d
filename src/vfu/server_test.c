// SPDX-License-Identifier: MIT
/* What a well-behaved client gets from the server. */
#include <fcntl.h>

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

static int teardown(void **state)
{
	peer_close(*state);
	return 0;
}

static void test_version(void **state)
{
	struct peer *p = peer_open(true);
	struct vfu_version ver;
	int ret = peer_version(p, 0, 7, "{\"capabilities\":{\"max_msg_fds\":8,\"x\":[1,{}]}}");

	(void)state;
	assert_true(ret > (int)sizeof(ver));
	memcpy(&ver, p->rx, sizeof(ver));
	assert_int_equal(ver.major, 0);
	assert_int_equal(ver.minor, 1);
	assert_int_equal(p->rx[ret - 1], 0);
	assert_non_null(strstr((char *)p->rx + sizeof(ver), "\"max_data_xfer_size\":4096"));
	assert_null(strstr((char *)p->rx + sizeof(ver), "write_multiple")); /* not proposed */
	assert_int_equal(peer_version(p, 0, 1, NULL), -EINVAL);		    /* once is enough */
	assert_int_equal(peer_leave(p), 0);
	peer_connect(p);
	assert_true(peer_version(p, 0, 0, NULL) > 0); /* the text is optional */
	memcpy(&ver, p->rx, sizeof(ver));
	assert_int_equal(ver.minor, 0);
	peer_close(p);
}

static void test_information(void **state)
{
	struct peer *p = *state;
	struct vfu_device_info dev = { .argsz = sizeof(dev) };
	struct vfu_region_info region = { .argsz = sizeof(region) };
	struct vfu_region_io_fds fds = { .argsz = sizeof(fds) };
	struct vfu_irq_info irq = { .argsz = sizeof(irq) };
	static const u64 sizes[VFU_NR_REGIONS] = { 128 << 20, 0, 0, 0, 4096, 0, 0, 4096, 0 };

	assert_int_equal(peer_ask(p, VFU_DEVICE_GET_INFO, &dev, sizeof(dev)), sizeof(dev));
	memcpy(&dev, p->rx, sizeof(dev));
	assert_int_equal(dev.flags, VFU_DEVICE_F_RESET | VFU_DEVICE_F_PCI);
	assert_int_equal(dev.nr_regions, 9);
	assert_int_equal(dev.nr_irqs, 5);
	for (u32 i = 0; i < VFU_NR_REGIONS; i++) {
		region = (struct vfu_region_info){ .argsz = sizeof(region), .index = i };
		assert_int_equal(peer_ask(p, VFU_GET_REGION_INFO, &region, sizeof(region)),
				 sizeof(region));
		memcpy(&region, p->rx, sizeof(region));
		assert_int_equal(region.size, sizes[i]);
		assert_int_equal(region.flags, sizes[i] ? 3 : 0);
		fds.index = i;
		assert_int_equal(peer_ask(p, VFU_GET_REGION_IO_FDS, &fds, sizeof(fds)),
				 sizeof(fds));
	}
	for (u32 i = 0; i < VFU_NR_IRQS; i++) {
		irq = (struct vfu_irq_info){ .argsz = sizeof(irq), .index = i };
		assert_int_equal(peer_ask(p, VFU_GET_IRQ_INFO, &irq, sizeof(irq)), sizeof(irq));
		memcpy(&irq, p->rx, sizeof(irq));
		assert_int_equal(irq.count, i == VFU_IRQ_MSI || i == VFU_IRQ_ERR);
		assert_int_equal(irq.flags & VFU_IRQ_F_EVENTFD, irq.count);
	}
}

static void test_config_space(void **state)
{
	struct peer *p = *state;
	const struct vfu_region_io all = { 0, VFU_REGION_CONFIG, VFU_CFG_BYTES };
	u8 space[VFU_CFG_BYTES];
	u64 val;

	assert_int_equal(peer_ask(p, VFU_REGION_READ, &all, sizeof(all)),
			 sizeof(all) + sizeof(space));
	memcpy(space, p->rx + sizeof(all), sizeof(space));
	assert_memory_equal(space, "\x86\x80\x1d\x7d", 4);
	/* any cut of it reads the same */
	for (u32 off = 0; off < 16; off++) {
		for (u32 count = 1; count <= 8; count++) {
			assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, off, count, &val), 0);
			assert_memory_equal(&val, space + off, count);
		}
	}
	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, 0), 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 4, 2, &val), 0);
	assert_int_equal(val, 6);
}

static void test_registers(void **state)
{
	struct peer *p = *state;
	u64 val = 0;

	assert_int_equal(peer_rd(p, 4, 0, 4, &val), 0);
	assert_int_equal(val, UINT32_MAX); /* memory decoding is off */
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), 1);
	assert_true(peer_logged(p, "finding: guest error"));
	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, 0), 0);
	assert_int_equal(peer_wr(p, 4, 0x8, 4, 0x12345678, 0), 0); /* WP_REQ_PAYLOAD0 */
	assert_int_equal(peer_rd(p, 4, 0x8, 4, &val), 0);
	assert_int_equal(val, 0x12345678);
	for (u32 size = 1; size <= 8; size *= 2)
		assert_int_equal(peer_rd(p, 0, 0x200000, size, &val), 0);
}

/* A client may ask for any range; what is not one access of a bus is several. */
static void test_register_ranges(void **state)
{
	struct peer *p = *state;
	const struct vfu_region_io many = { 0, 4, 4096 };
	u8 all[4096];
	u64 val = 0;

	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, 0), 0);
	assert_int_equal(peer_wr(p, 4, 0xc, 8, 0x334455667788, 0), 0); /* WP_REQ_PAYLOAD1, 2 */
	assert_int_equal(peer_rd(p, 4, 0xc, 4, &val), 0);
	assert_int_equal(val, 0x55667788);
	assert_int_equal(peer_rd(p, 4, 0x10, 4, &val), 0);
	assert_int_equal(val, 0x3344);
	assert_int_equal(peer_ask(p, VFU_REGION_READ, &many, sizeof(many)), sizeof(many) + 4096);
	memcpy(all, p->rx + sizeof(many), sizeof(all));
	assert_memory_equal(all + 0xc, "\x88\x77\x66\x55\x44\x33\0\0", 8);
	assert_int_equal(peer_rd(p, 4, 0xd, 0, &val), 0); /* nothing is a range, too */
	assert_int_equal(peer_rd(p, 4, 0xd, 3, &val), 0);
	assert_int_equal(peer_rd(p, 4, 0xe, 4, &val), 0);
	assert_int_equal(peer_rd(p, 4, 0xc, 12, &val), 0);
	assert_int_equal(val, 0x334455667788);
}

/* In order, whether answered or not. */
static void test_posted_and_pipelined(void **state)
{
	struct peer *p = *state;
	const struct vfu_region_io io = { 0x8, 4, 4 };
	u64 val;

	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, VFU_F_NO_REPLY), 0);
	for (u32 i = 1; i <= 500; i++)
		assert_int_equal(peer_wr(p, 4, 0x8, 4, i, VFU_F_NO_REPLY), 0);
	/* a posted error is nobody's answer */
	assert_int_equal(peer_wr(p, 4, 0x3, 4, 1, VFU_F_NO_REPLY), 0);
	assert_int_equal(peer_rd(p, 4, 0x8, 4, &val), 0);
	assert_int_equal(val, 500);
	for (u32 i = 0; i < 300; i++)
		peer_send(p, VFU_REGION_READ, 0, &io, sizeof(io), -1);
	p->id = (u16)(p->id - 300);
	for (u32 i = 0; i < 300; i++) {
		p->id++;
		assert_int_equal(peer_answer(p), sizeof(io) + 4);
	}
}

static void test_write_multi(void **state)
{
	struct peer *p = *state;
	struct {
		u64 nr;
		struct vfu_write_one one[3];
	} msg = { 3,
		  { { 4, VFU_REGION_CONFIG, 2, 6 }, { 0x8, 4, 4, 0xaaaa5555 }, { 0xc, 4, 4, 7 } } };
	u64 val;

	assert_int_equal(peer_ask(p, VFU_REGION_WRITE_MULTI, &msg, sizeof(msg)), sizeof(u64));
	assert_int_equal(p->rx[0], 3);
	assert_int_equal(peer_rd(p, 4, 0x8, 4, &val), 0);
	assert_int_equal(val, 0xaaaa5555);
	msg.nr = 4;
	assert_int_equal(peer_ask(p, VFU_REGION_WRITE_MULTI, &msg, sizeof(msg)), -EINVAL);
	msg.nr = UINT64_MAX / 24 + 1;
	assert_int_equal(peer_ask(p, VFU_REGION_WRITE_MULTI, &msg, sizeof(msg)), -EINVAL);
	msg.nr = 1;
	msg.one[0].count = 9;
	assert_int_equal(peer_ask(p, VFU_REGION_WRITE_MULTI, &msg, sizeof(msg)), -EINVAL);
}

static void test_interrupts(void **state)
{
	struct peer *p = *state;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	u64 count = 0;
	u8 flag[21] = { 0 };
	struct vfu_irq_set by_flag = { .argsz = 21,
				       .flags = VFU_SET_DATA_BOOL | VFU_SET_TRIGGER,
				       .index = VFU_IRQ_MSI,
				       .count = 1 };

	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, fd), 0);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1),
			 0);
	assert_int_equal(read(fd, &count, 8), 8);
	assert_int_equal(count, 1);
	memcpy(flag, &by_flag, sizeof(by_flag));
	assert_int_equal(peer_ask(p, VFU_SET_IRQS, flag, sizeof(flag)), 0);
	assert_int_equal(read(fd, &count, 8), -1);
	flag[20] = 1;
	assert_int_equal(peer_ask(p, VFU_SET_IRQS, flag, sizeof(flag)), 0);
	assert_int_equal(read(fd, &count, 8), 8);
	assert_int_equal(vfu_server_unheard(p->srv), 0);
	/* "disable all", and a trigger into the void */
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 0, -1),
			 0);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1),
			 0);
	assert_int_equal(read(fd, &count, 8), -1);
	assert_int_equal(vfu_server_unheard(p->srv), 1);
	/* a full counter does not block the device */
	count = UINT64_MAX - 1;
	assert_int_equal(write(fd, &count, 8), 8);
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, fd), 0);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1),
			 0);
	/* taking it away */
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, -1), 0);
	close(fd);
	/* errors of the bus can be asked for, and are none of the device's interrupts */
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_ERR, 0, 1, fd), 0);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1),
			 0);
	assert_int_equal(read(fd, &count, 8), -1);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_ERR, 0, 0, -1),
			 0);
	close(fd);
	/* a client that waits in read() still does */
	fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, fd), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
}

/* Found by walking the list, enabled, firing; and MSI still works when it is not. */
static void test_msix(void **state)
{
	struct peer *p =
		peer_open_with(&(const struct vfu_config){ .msix = true, .stepped = true });
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	    msi = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	u64 ptr = 0, cap = 0, val = 0, msi_at = 0;

	(void)state;
	assert_true(peer_version(p, 0, 1, NULL) > 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 0x34, 1, &ptr), 0);
	while (ptr) {
		assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, ptr, 2, &cap), 0);
		if ((cap & 0xff) == 5)
			msi_at = ptr;
		if ((cap & 0xff) == 0x11)
			break;
		ptr = cap >> 8;
	}
	assert_true(ptr && msi_at);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, ptr + 4, 8, &val), 0);
	assert_int_equal(val, (u64)0x802 << 32 | 2); /* both in BAR2 */
	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 0x18, 4, UINT32_MAX, 0), 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 0x18, 4, &val), 0);
	assert_int_equal(val, 0xfffff000);
	assert_int_equal(peer_rd(p, 2, 0, 8, &val), 0);
	assert_int_equal(peer_wr(p, 2, 8, 4, 0x55, 0), 0);
	assert_int_equal(peer_rd(p, 2, 8, 4, &val), 0);
	assert_int_equal(val, 0x55);
	assert_int_equal(peer_rd(p, 2, 4096, 4, &val), -EINVAL);
	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, ptr + 2, 2, 0xffff, 0), 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, ptr + 2, 2, &val), 0);
	assert_int_equal(val, 0xc000);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, msi_at + 2, 2, &val), 0);
	assert_int_equal(val & 1, 0); /* nobody enabled that */
	{
		u32 model = 0;

		assert_int_equal(vnpu_cfg_read(vfu_server_vnpu(p->srv), (u32)msi_at + 2, 2, &model),
				 0);
		assert_int_equal(model & 1, 1);
	}
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSIX, 0, 1, fd), 0);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSIX, 0, 1, -1),
			 0);
	assert_int_equal(read(fd, &val, 8), 8);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSIX, 0, 0, -1),
			 0);
	assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, msi), 0);
	assert_int_equal(peer_irqs(p, VFU_SET_DATA_NONE | VFU_SET_TRIGGER, VFU_IRQ_MSI, 0, 1, -1),
			 0);
	assert_int_equal(read(msi, &val, 8), 8);
	assert_int_equal(peer_ask(p, VFU_DEVICE_RESET, NULL, 0), 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, ptr + 2, 2, &val), 0);
	assert_int_equal(val, 0);
	close(fd);
	close(msi);
	peer_close(p);
}

static void test_memory(void **state)
{
	struct peer *p = *state;
	int fd = memory(8 * PAGE);

	assert_int_equal(peer_map(p, 0x100000, 4 * PAGE, 0, RW, fd), 0);
	assert_int_equal(peer_map(p, 0x104000, 4 * PAGE, 4 * PAGE, RW, fd), 0);
	assert_int_equal(peer_map(p, 0x200000, PAGE, 0, VFU_DMA_READABLE, fd), 0);
	assert_int_equal(peer_map(p, 0x300000, PAGE, 0, RW, -1), 0); /* by message only */
	assert_int_equal(peer_map(p, 0x103000, 2 * PAGE, 0, RW, fd), -EEXIST);
	assert_int_equal(peer_map(p, 0x300000, PAGE, 0, RW, fd), -EEXIST);
	assert_int_equal(peer_unmap(p, 0x100000, 8 * PAGE, 0), -ENOENT);
	assert_int_equal(peer_unmap(p, 0x100000, 4 * PAGE, 0), sizeof(struct vfu_dma_unmap));
	assert_int_equal(peer_unmap(p, 0x100000, 4 * PAGE, 0), -ENOENT);
	assert_int_equal(peer_unmap(p, 0, 0, VFU_UNMAP_ALL), sizeof(struct vfu_dma_unmap));
	assert_int_equal(peer_map(p, 0x103000, 2 * PAGE, 0, RW, fd), 0);
	assert_int_equal(peer_map(p, 0x200000, PAGE, 0, VFU_DMA_WRITEABLE, fd), 0);
	/* all of a machine's memory by message works, but somebody should know */
	assert_false(peer_logged(p, "without a descriptor"));
	assert_int_equal(peer_map(p, 1u << 30, 256u << 20, 0, RW, -1), 0);
	assert_true(peer_logged(p, "0x10000000 bytes of memory at 0x40000000 came without"));
	assert_int_equal(peer_map(p, 1u << 31, 512u << 20, 0, RW, -1), 0);
	assert_false(peer_logged(p, "0x20000000 bytes")); /* once is enough */
	close(fd);
}

/* The next client meets a device as after power-on, and none of its predecessor's memory. */
static void test_client_dies_another_comes(void **state)
{
	struct peer *p = *state;
	int fd = memory(PAGE), irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	u64 val;

	for (u32 i = 0; i < 20; i++) {
		if (i) {
			peer_connect(p);
			assert_true(peer_version(p, 0, 1, NULL) > 0);
		}
		assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 4, 2, &val), 0);
		assert_int_equal(val, 0);
		assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, 0), 0);
		assert_int_equal(peer_map(p, 0x100000, PAGE, 0, RW, fd), 0);
		assert_int_equal(peer_irqs(p, FD_TRIGGER, VFU_IRQ_MSI, 0, 1, irq), 0);
		if (i % 2) /* in the middle of a message */
			assert_int_equal(send(p->fd, "\1\0\x9", 3, 0), 3);
		assert_int_equal(peer_leave(p), 0);
	}
	close(fd);
	close(irq);
}

static void test_reset(void **state)
{
	struct peer *p = *state;
	u64 val;

	assert_int_equal(peer_wr(p, VFU_REGION_CONFIG, 4, 2, 6, 0), 0);
	assert_int_equal(peer_ask(p, VFU_DEVICE_RESET, NULL, 0), 0);
	assert_int_equal(peer_rd(p, VFU_REGION_CONFIG, 4, 2, &val), 0);
	assert_int_equal(val, 0);
}

/* A message in pieces, and its descriptor with the first of them. */
static void test_fragments(void **state)
{
	struct peer *p = *state;
	const struct vfu_dma_map req = {
		.argsz = sizeof(req), .flags = RW, .addr = 0x100000, .size = PAGE
	};
	const struct vfu_hdr hdr = { .id = ++p->id,
				     .cmd = VFU_DMA_MAP,
				     .size = sizeof(hdr) + sizeof(req) };
	u8 msg[sizeof(hdr) + sizeof(req)];
	int fd = memory(PAGE);

	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), &req, sizeof(req));
	assert_int_equal(vfu_wire_send(p->fd, msg, 5, &fd, 1), 0);
	for (u32 i = 5; i < sizeof(msg); i++) {
		usleep(200);
		assert_int_equal(send(p->fd, msg + i, 1, 0), 1);
	}
	assert_int_equal(peer_answer(p), 0);
	/* it came with the descriptor: the device can reach it */
	assert_int_equal(vnpu_dma_unmap(vfu_server_vnpu(p->srv), 0x100000, PAGE), 0);
	close(fd);
}

/* MAP with a descriptor and a question behind it, in one call. */
static void test_messages_sent_at_once(void **state)
{
	struct peer *p = *state;
	struct {
		struct vfu_hdr map_hdr;
		struct vfu_dma_map map;
		struct vfu_hdr info_hdr;
		struct vfu_device_info info;
	} msg = { { 1, VFU_DMA_MAP, sizeof(msg.map_hdr) + sizeof(msg.map), 0, 0 },
		  { .argsz = sizeof(msg.map), .flags = RW, .addr = 0x100000, .size = PAGE },
		  { 2, VFU_DEVICE_GET_INFO, sizeof(msg.info_hdr) + sizeof(msg.info), 0, 0 },
		  { .argsz = sizeof(msg.info) } };
	int fd = memory(PAGE);
	u8 seen = 0;

	assert_int_equal(vfu_wire_send(p->fd, &msg, sizeof(msg), &fd, 1), 0);
	p->id = 1;
	assert_int_equal(peer_answer(p), 0);
	p->id = 2;
	assert_int_equal(peer_answer(p), sizeof(msg.info));
	/* what the device writes is in the client's file */
	p->srv->dma.entries[0].host[5] = 77;
	assert_int_equal(pread(fd, &seen, 1, 5), 1);
	assert_int_equal(seen, 77);
	close(fd);
}

/* The end of one message and the next with its descriptor, while the first's still waits. */
static void test_descriptors_close_together(void **state)
{
	struct peer *p = *state;
	struct {
		struct vfu_hdr hdr;
		struct vfu_dma_map map;
	} msg = { { 1, VFU_DMA_MAP, sizeof(msg), 0, 0 },
		  { .argsz = sizeof(msg.map), .flags = RW, .addr = 0x100000, .size = PAGE } };
	int fds[] = { memory(PAGE), memory(PAGE) };
	u8 val = 0;

	assert_int_equal(vfu_wire_send(p->fd, &msg, 20, &fds[0], 1), 0);
	usleep(20000); /* the server has it */
	{
		u8 rest[sizeof(msg) - 20 + sizeof(msg)];

		memcpy(rest, (u8 *)&msg + 20, sizeof(msg) - 20);
		msg.hdr.id = 2;
		msg.map.addr = 0x200000;
		memcpy(rest + sizeof(msg) - 20, &msg, sizeof(msg));
		assert_int_equal(vfu_wire_send(p->fd, rest, sizeof(rest), &fds[1], 1), 0);
	}
	for (p->id = 1; p->id <= 2; p->id++)
		assert_int_equal(peer_answer(p), 0);
	for (u32 i = 0; i < 2; i++) {
		p->srv->dma.entries[i].host[0] = (u8)(i + 1);
		assert_int_equal(pread(fds[i], &val, 1, 0), 1);
		assert_int_equal(val, i + 1);
		close(fds[i]);
	}
}

/* The server in this thread, with a client that has agreed on the version. */
static void attach(struct peer *p)
{
	int fds[2];

	assert_int_equal(peer_leave(p), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(vfu_server_attach(p->srv, fds[0]), 0);
	assert_int_equal(vfu_server_turn(p->srv), 0); /* waits for nothing */
	p->fd = fds[1];
	peer_send(p, VFU_VERSION, 0, &(const struct vfu_version){ 0, 1 },
		  sizeof(struct vfu_version), -1);
	assert_int_equal(recv(p->fd, p->rx, 1, MSG_DONTWAIT), -1);
	assert_int_equal(vfu_server_turn(p->srv), 0);
	assert_true(peer_answer(p) > 0);
}

/* In one thread: nothing is done but in the server's turn, one message each time. */
static void test_turns(void **state)
{
	struct peer *p = *state;
	const struct vfu_region_io io = { 0, VFU_REGION_CONFIG, 4 };

	assert_int_equal(vfu_server_turn(p->srv), -ENOTCONN);
	assert_int_equal(vfu_server_attach(p->srv, -1), -EBADF);
	attach(p);
	for (u32 i = 0; i < 2; i++)
		peer_send(p, VFU_REGION_READ, 0, &io, sizeof(io), -1);
	for (p->id--; p->id <= 3; p->id++) {
		assert_int_equal(vfu_server_turn(p->srv), 0);
		assert_int_equal(peer_answer(p), sizeof(io) + 4);
		assert_memory_equal(p->rx + sizeof(io), "\x86\x80\x1d\x7d", 4);
	}
	close(p->fd);
	assert_int_equal(vfu_server_turn(p->srv), -ENOTCONN);
	assert_int_equal(vfu_server_turn(p->srv), -ENOTCONN);
	attach(p);
	vfu_server_detach(p->srv);
	assert_int_equal(recv(p->fd, p->rx, 1, 0), 0); /* hung up */
	vfu_server_detach(p->srv);
	close(p->fd);
}

/* What the server has no memory for is refused, and nobody's mistake. */
static void test_no_memory(void **state)
{
	struct peer *p = *state;
	const struct vfu_dma_map req = { .argsz = sizeof(req), .flags = 3, .size = PAGE };
	int fd = memory(PAGE);

	attach(p);
	for (u32 nth = 1; nth <= 2; nth++) {
		peer_send(p, VFU_DMA_MAP, 0, &req, sizeof(req), fd);
		base_alloc_fail_nth(nth);
		assert_int_equal(vfu_server_turn(p->srv), 0);
		base_alloc_fail_nth(0);
		assert_int_equal(peer_answer(p), -ENOMEM);
	}
	assert_int_equal(vfu_server_findings(p->srv, VFU_GUEST_ERROR), 0);
	assert_true(peer_logged(p, "DMA_MAP refused with ENOMEM"));
	close(fd);
	close(p->fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		T(test_information),
		T(test_config_space),
		T(test_registers),
		T(test_register_ranges),
		T(test_posted_and_pipelined),
		T(test_write_multi),
		T(test_interrupts),
		cmocka_unit_test(test_msix),
		T(test_memory),
		T(test_client_dies_another_comes),
		T(test_reset),
		T(test_fragments),
		T(test_messages_sent_at_once),
		T(test_descriptors_close_together),
		T(test_turns),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
