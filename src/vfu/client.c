// SPDX-License-Identifier: MIT
/* vfio-user client (client.h). */
#include "vfu/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct vfu_client {
	struct vfu_wire wire;
	struct vfu_caps caps; /* the server's */
	u16 next_id;
	bool lost;
	vfu_client_memory *memory;
	void *opaque;
	struct vfu_client_peer peer;
	u8 tx[sizeof(struct vfu_hdr) + 512] __attribute__((aligned(16)));
};

static int lose(struct vfu_client *cl, int ret)
{
	cl->lost = true;
	return ret == -ENOTCONN || ret == -EPIPE ? -ENODEV : ret;
}

/* The request's payload is in place behind the header. */
static int send_request(struct vfu_client *cl, enum vfu_cmd cmd, u32 len, int fd, u32 flags)
{
	struct vfu_hdr *hdr = (struct vfu_hdr *)(void *)cl->tx;
	int ret;

	if (cl->lost)
		return -ENODEV;
	*hdr = (struct vfu_hdr){ .id = ++cl->next_id,
				 .cmd = (u16)cmd,
				 .size = (u32)sizeof(*hdr) + len,
				 .flags = flags };
	ret = vfu_wire_send(cl->wire.fd, hdr, hdr->size, &fd, fd >= 0);
	if (ret)
		return lose(cl, ret);
	if (cl->peer.turn)
		cl->peer.turn(cl->peer.opaque);
	return 0;
}

static int refuse(struct vfu_client *cl, const struct vfu_msg *msg)
{
	const struct vfu_hdr hdr = { .id = msg->hdr.id,
				     .cmd = msg->hdr.cmd,
				     .size = sizeof(hdr),
				     .flags = VFU_F_REPLY | VFU_F_ERROR,
				     .error = EINVAL };

	if (msg->hdr.flags & VFU_F_NO_REPLY)
		return 0;
	return vfu_wire_send(cl->wire.fd, &hdr, sizeof(hdr), NULL, 0);
}

/* The server reads or writes our memory. */
static int serve(struct vfu_client *cl, const struct vfu_msg *msg)
{
	bool write = msg->hdr.cmd == VFU_DMA_WRITE;
	struct {
		struct vfu_hdr hdr;
		struct vfu_dma_io io;
		u8 data[VFU_MAX_XFER];
	} out;
	void *at;

	if ((!write && msg->hdr.cmd != VFU_DMA_READ) || !cl->memory || msg->len < sizeof(out.io))
		return refuse(cl, msg);
	memcpy(&out.io, msg->data, sizeof(out.io));
	if (out.io.count > VFU_MAX_XFER || (write && out.io.count > msg->len - sizeof(out.io)))
		return refuse(cl, msg);
	at = cl->memory(cl->opaque, out.io.addr, out.io.count);
	if (!at)
		return refuse(cl, msg);
	out.hdr = (struct vfu_hdr){ .id = msg->hdr.id,
				    .cmd = msg->hdr.cmd,
				    .size = sizeof(out.hdr) + sizeof(out.io),
				    .flags = VFU_F_REPLY };
	if (write) {
		memcpy(at, msg->data + sizeof(out.io), out.io.count);
	} else {
		memcpy(out.data, at, out.io.count);
		out.hdr.size += (u32)out.io.count;
	}
	if (msg->hdr.flags & VFU_F_NO_REPLY)
		return 0;
	return vfu_wire_send(cl->wire.fd, &out, out.hdr.size, NULL, 0);
}

void vfu_client_serve_memory(struct vfu_client *cl, vfu_client_memory *memory, void *opaque)
{
	cl->memory = memory;
	cl->opaque = opaque;
}

/* Is there something to read, without waiting?  Also when the server has gone. */
static bool readable(const struct vfu_client *cl)
{
	struct pollfd fds = { .fd = cl->wire.fd, .events = POLLIN };

	return cl->wire.head != cl->wire.tail || poll(&fds, 1, 0) > 0;
}

int vfu_client_poll(struct vfu_client *cl)
{
	struct vfu_msg msg;
	int ret = cl->lost ? -ENODEV : 0;

	while (!ret && readable(cl)) {
		ret = vfu_wire_recv(&cl->wire, &msg);
		if (ret)
			return lose(cl, ret);
		vfu_msg_close(&msg);
		ret = (msg.hdr.flags & VFU_F_TYPE) == VFU_F_COMMAND ? serve(cl, &msg) : -EPROTO;
		if (ret)
			return lose(cl, ret);
	}
	return ret;
}

static int receive(struct vfu_client *cl, enum vfu_cmd cmd, struct vfu_msg *msg)
{
	int ret;

	for (;;) {
		ret = vfu_wire_recv(&cl->wire, msg);
		if (ret)
			return ret;
		vfu_msg_close(msg); /* no answer we ask for has any */
		if ((msg->hdr.flags & VFU_F_TYPE) == VFU_F_REPLY)
			break;
		ret = serve(cl, msg);
		if (ret)
			return ret;
	}
	return msg->hdr.id == cl->next_id && msg->hdr.cmd == (u16)cmd ? 0 : -EPROTO;
}

/* Request and answer of at least @min bytes. */
static int request(struct vfu_client *cl, enum vfu_cmd cmd, u32 len, int fd, struct vfu_msg *msg,
		   u32 min)
{
	int ret = send_request(cl, cmd, len, fd, 0);

	if (ret)
		return ret;
	ret = receive(cl, cmd, msg);
	if (ret)
		return lose(cl, ret);
	if (msg->hdr.flags & VFU_F_ERROR)
		return msg->hdr.error && msg->hdr.error < 4096 ? -(int)msg->hdr.error : -EIO;
	return msg->len < min ? lose(cl, -EPROTO) : 0;
}

static void put(struct vfu_client *cl, const void *payload, size_t len)
{
	memcpy(cl->tx + sizeof(struct vfu_hdr), payload, len);
}

/*
 * Opening
 */

static int agree(struct vfu_client *cl, struct base_err *err)
{
	struct vfu_version ver = { VFU_VERSION_MAJOR, VFU_VERSION_MINOR };
	struct vfu_msg msg;
	int len, ret;

	put(cl, &ver, sizeof(ver));
	len = snprintf((char *)cl->tx + sizeof(struct vfu_hdr) + sizeof(ver), 256,
		       "{\"capabilities\":{\"max_msg_fds\":%u,\"max_data_xfer_size\":%u}}",
		       VFU_MAX_FDS, VFU_MAX_XFER);
	ret = request(cl, VFU_VERSION, (u32)sizeof(ver) + (u32)len + 1, -1, &msg, sizeof(ver));
	if (ret)
		return base_err_set(err, ret, "the server does not agree on vfio-user %u.%u: %s",
				    VFU_VERSION_MAJOR, VFU_VERSION_MINOR, base_err_name(ret));
	memcpy(&ver, msg.data, sizeof(ver));
	if (ver.major != VFU_VERSION_MAJOR ||
	    vfu_caps_parse((const char *)msg.data + sizeof(ver), msg.len - sizeof(ver), &cl->caps))
		return base_err_set(err, -EPROTO,
				    "the server speaks vfio-user %u.%u with capabilities we cannot "
				    "read, expected %u.x",
				    ver.major, ver.minor, VFU_VERSION_MAJOR);
	return 0;
}

static int check_device(struct vfu_client *cl, struct base_err *err)
{
	struct vfu_device_info info = { .argsz = sizeof(info) };
	struct vfu_msg msg;
	int ret;

	put(cl, &info, sizeof(info));
	ret = request(cl, VFU_DEVICE_GET_INFO, sizeof(info), -1, &msg, sizeof(info));
	if (ret)
		return base_err_set(err, ret, "the server does not describe its device: %s",
				    base_err_name(ret));
	memcpy(&info, msg.data, sizeof(info));
	if (!(info.flags & VFU_DEVICE_F_PCI) || info.nr_regions <= VFU_REGION_CONFIG ||
	    info.nr_irqs <= VFU_IRQ_MSI)
		return base_err_set(err, -ENODEV,
				    "the server's device (flags 0x%x, %u regions, %u interrupt "
				    "types) is no PCI function",
				    info.flags, info.nr_regions, info.nr_irqs);
	return 0;
}

int vfu_client_attach(int fd, const struct vfu_client_peer *peer, struct vfu_client **out,
		      struct base_err *err)
{
	struct vfu_client *cl = base_zalloc(sizeof(*cl));
	int ret;

	if (!cl) {
		close(fd);
		return base_err_set(err, -ENOMEM, "no memory for a connection");
	}
	vfu_wire_init(&cl->wire, fd);
	if (peer)
		cl->peer = *peer;
	ret = agree(cl, err);
	if (!ret)
		ret = check_device(cl, err);
	if (ret) {
		vfu_client_close(cl);
		return ret;
	}
	*out = cl;
	return 0;
}

int vfu_client_open(const char *path, struct vfu_client **out, struct base_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (!path[0] || strlen(path) >= sizeof(addr.sun_path))
		return base_err_set(err, -EINVAL,
				    "socket \"%s\": expected a path of 1 to %zu bytes", path,
				    sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return base_err_set(err, -errno, "socket %s: %s", path, strerror(errno));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		int ret = -errno;

		close(fd);
		return base_err_set(err, ret,
				    "socket %s: %s; is `vnpu --socket %s --device ...` running?",
				    path, strerror(-ret), path);
	}
	return vfu_client_attach(fd, NULL, out, err);
}

void vfu_client_close(struct vfu_client *cl)
{
	if (!cl)
		return;
	vfu_wire_fini(&cl->wire);
	base_free(cl);
}

int vfu_client_fd(const struct vfu_client *cl)
{
	return cl->wire.fd;
}

/*
 * Requests
 */

int vfu_client_region_size(struct vfu_client *cl, u32 region, u64 *size)
{
	struct vfu_region_info info = { .argsz = sizeof(info), .index = region };
	struct vfu_msg msg;
	int ret;

	put(cl, &info, sizeof(info));
	ret = request(cl, VFU_GET_REGION_INFO, sizeof(info), -1, &msg, sizeof(info));
	if (ret)
		return ret;
	memcpy(&info, msg.data, sizeof(info));
	*size = info.size;
	return 0;
}

int vfu_client_irq_count(struct vfu_client *cl, u32 index, u32 *count)
{
	struct vfu_irq_info info = { .argsz = sizeof(info), .index = index };
	struct vfu_msg msg;
	int ret;

	put(cl, &info, sizeof(info));
	ret = request(cl, VFU_GET_IRQ_INFO, sizeof(info), -1, &msg, sizeof(info));
	if (ret)
		return ret;
	memcpy(&info, msg.data, sizeof(info));
	*count = info.count;
	return 0;
}

int vfu_client_read(struct vfu_client *cl, u32 region, u64 off, void *data, u32 count)
{
	const struct vfu_region_io io = { .offset = off, .region = region, .count = count };
	struct vfu_msg msg;
	int ret;

	if (count > VFU_MAX_XFER)
		return -EINVAL;
	put(cl, &io, sizeof(io));
	ret = request(cl, VFU_REGION_READ, sizeof(io), -1, &msg, (u32)sizeof(io) + count);
	if (!ret)
		memcpy(data, msg.data + sizeof(io), count);
	return ret;
}

int vfu_client_write(struct vfu_client *cl, u32 region, u64 off, const void *data, u32 count,
		     bool posted)
{
	const struct vfu_region_io io = { .offset = off, .region = region, .count = count };
	struct vfu_msg msg;

	if (count > 8)
		return -EINVAL;
	put(cl, &io, sizeof(io));
	memcpy(cl->tx + sizeof(struct vfu_hdr) + sizeof(io), data, count);
	if (posted)
		return send_request(cl, VFU_REGION_WRITE, (u32)sizeof(io) + count, -1,
				    VFU_F_NO_REPLY);
	return request(cl, VFU_REGION_WRITE, (u32)sizeof(io) + count, -1, &msg, sizeof(io));
}

int vfu_client_dma_map(struct vfu_client *cl, u64 addr, u64 len, int fd, u64 offset)
{
	const struct vfu_dma_map req = { .argsz = sizeof(req),
					 .flags = VFU_DMA_READABLE | VFU_DMA_WRITEABLE,
					 .offset = offset,
					 .addr = addr,
					 .size = len };
	struct vfu_msg msg;

	put(cl, &req, sizeof(req));
	return request(cl, VFU_DMA_MAP, sizeof(req), fd, &msg, 0);
}

int vfu_client_dma_unmap(struct vfu_client *cl, u64 addr, u64 len)
{
	const struct vfu_dma_unmap req = { .argsz = sizeof(req), .addr = addr, .size = len };
	struct vfu_msg msg;

	put(cl, &req, sizeof(req));
	return request(cl, VFU_DMA_UNMAP, sizeof(req), -1, &msg, 0);
}

int vfu_client_irq(struct vfu_client *cl, u32 index, int eventfd)
{
	const struct vfu_irq_set req = { .argsz = sizeof(req),
					 .flags = VFU_SET_DATA_EVENTFD | VFU_SET_TRIGGER,
					 .index = index,
					 .count = 1 };
	struct vfu_msg msg;

	put(cl, &req, sizeof(req));
	return request(cl, VFU_SET_IRQS, sizeof(req), eventfd, &msg, 0);
}

int vfu_client_reset(struct vfu_client *cl)
{
	struct vfu_msg msg;

	return request(cl, VFU_DEVICE_RESET, 0, -1, &msg, 0);
}
