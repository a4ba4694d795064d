// SPDX-License-Identifier: MIT
/*
 * What a client may ask, one function per command.
 *
 * A handler gets the payload, at least as long as its row in the table says, writes its answer
 * behind the header of srv->tx and returns the answer's length or a negative errno.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "vfu/server.h"
#include "vnpu/vnpu.h"

#define MAX_COMPLAINTS 20u	   /* logged of one connection */
#define LARGE_MAP      (64u << 20) /* the memory of a machine, not one of its small parts */

static u8 *answer(struct vfu_server *srv)
{
	return srv->tx + sizeof(struct vfu_hdr);
}

static int put(struct vfu_server *srv, const void *payload, u32 len)
{
	memcpy(answer(srv), payload, len);
	return (int)len;
}

/*
 * Negotiation
 */

static int version(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_version ver;
	int len;

	memcpy(&ver, msg->data, sizeof(ver));
	if (srv->negotiated || ver.major != VFU_VERSION_MAJOR)
		return -EINVAL;
	if (vfu_caps_parse((const char *)msg->data + sizeof(ver), msg->len - sizeof(ver),
			   &srv->caps))
		return -EINVAL;
	if (ver.minor > VFU_VERSION_MINOR)
		ver.minor = VFU_VERSION_MINOR;
	memcpy(answer(srv), &ver, sizeof(ver));
	len = snprintf((char *)answer(srv) + sizeof(ver), VFU_MAX_MSG / 2,
		       "{\"capabilities\":{\"max_msg_fds\":%u,\"max_data_xfer_size\":%u,"
		       "\"max_dma_maps\":%u,\"pgsizes\":%u%s}}",
		       VFU_MAX_FDS, VFU_MAX_XFER, VFU_MAX_MAPS, (u32)BASE_PAGE_SIZE,
		       srv->caps.write_multiple ? ",\"write_multiple\":true" : "");
	srv->negotiated = true;
	return (int)sizeof(ver) + len + 1;
}

/*
 * Information
 */

static int device_info(struct vfu_server *srv, struct vfu_msg *msg)
{
	const struct vfu_device_info info = { .argsz = sizeof(info),
					      .flags = VFU_DEVICE_F_RESET | VFU_DEVICE_F_PCI,
					      .nr_regions = VFU_NR_REGIONS,
					      .nr_irqs = VFU_NR_IRQS };
	u32 argsz;

	memcpy(&argsz, msg->data, sizeof(argsz));
	return argsz < sizeof(info) ? -EINVAL : put(srv, &info, sizeof(info));
}

static u64 region_size(const struct vfu_server *srv, u32 index)
{
	if (index == VFU_REGION_CONFIG)
		return VFU_CFG_BYTES;
	if (srv->msix.present && index == VFU_MSIX_BAR)
		return VFU_MSIX_BAR_BYTES;
	return index < VFU_REGION_ROM ? vnpu_bar_size(srv->vnpu, index) : 0;
}

static int region_info(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_region_info info;

	memcpy(&info, msg->data, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFU_NR_REGIONS)
		return -EINVAL;
	info = (struct vfu_region_info){ .argsz = sizeof(info),
					 .index = info.index,
					 .size = region_size(srv, info.index) };
	if (info.size)
		info.flags = VFU_REGION_F_READ | VFU_REGION_F_WRITE;
	return put(srv, &info, sizeof(info));
}

/* There are none: every register has a side effect or a cost the model must see. */
static int region_io_fds(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_region_io_fds info;

	memcpy(&info, msg->data, sizeof(info));
	if (info.argsz < sizeof(info) || info.flags || info.index >= VFU_NR_REGIONS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = 0;
	return put(srv, &info, sizeof(info));
}

static int irq_info(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_irq_info info;

	memcpy(&info, msg->data, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFU_NR_IRQS)
		return -EINVAL;
	info = (struct vfu_irq_info){ .argsz = sizeof(info),
				      .index = info.index,
				      .count = srv->irq.count[info.index] };
	if (info.count)
		info.flags = VFU_IRQ_F_EVENTFD | VFU_IRQ_F_NORESIZE;
	return put(srv, &info, sizeof(info));
}

static int set_irqs(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_irq_set req;

	memcpy(&req, msg->data, sizeof(req));
	return vfu_irq_set(&srv->irq, &req, msg->data + sizeof(req), msg->len - (u32)sizeof(req),
			   msg);
}

/*
 * Memory
 */

static void tell_slow(struct vfu_server *srv, const struct vfu_dma_map *req)
{
	if (srv->told_slow)
		return;
	srv->told_slow = true;
	vfu_log(srv, BASE_LOG_WARN,
		"0x%" PRIx64 " bytes of memory at 0x%" PRIx64 " came without a descriptor: each "
		"access is a message, and slow; with QEMU it fails, unless it shares memory "
		"(memory-backend-memfd,share=on)",
		req->size, req->addr);
}

static int dma_map(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_dma_map req;

	memcpy(&req, msg->data, sizeof(req));
	if (req.argsz < sizeof(req) || msg->nr_fds > 1)
		return -EINVAL;
	if (!msg->nr_fds && req.flags & VFU_DMA_WRITEABLE && req.size >= LARGE_MAP)
		tell_slow(srv, &req);
	return vfu_dma_map(&srv->dma, &req, msg->nr_fds ? msg->fds[0] : -1);
}

static int dma_unmap(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_dma_unmap req;
	int ret = 0;

	memcpy(&req, msg->data, sizeof(req));
	if (req.argsz < sizeof(req) || req.flags & ~(u32)VFU_UNMAP_ALL)
		return -EINVAL;
	if (req.flags & VFU_UNMAP_ALL)
		vfu_dma_unmap_all(&srv->dma);
	else
		ret = vfu_dma_unmap(&srv->dma, req.addr, req.size);
	return ret ? ret : put(srv, &req, sizeof(req));
}

/*
 * Registers
 */

/* Accesses as large as alignment allows: who reads all of the space at once must not see less. */
static int config_rw(struct vfu_server *srv, u32 off, u32 count, u8 *data, bool write)
{
	while (count) {
		u32 size = off & 1 ? 1 : off & 2 || count < 4 ? 2 : 4, val = 0;
		int ret;

		size = base_min(size, count);
		if (write)
			memcpy(&val, data, size);
		ret = write ? vfu_msix_cfg_write(&srv->msix, srv->vnpu, off, size, val)
			    : vfu_msix_cfg_read(&srv->msix, srv->vnpu, off, size, &val);
		if (ret)
			return ret;
		if (!write)
			memcpy(data, &val, size);
		off += size;
		data += size;
		count -= size;
	}
	return 0;
}

/* One access of the device. */
static int register_rw(struct vfu_server *srv, u32 bar, u64 off, u32 size, u8 *data, bool write)
{
	u64 val = 0;
	int ret;

	if (write) {
		memcpy(&val, data, size);
		return vnpu_bar_write(srv->vnpu, bar, off, size, val);
	}
	ret = vnpu_bar_read(srv->vnpu, bar, off, size, &val);
	if (!ret)
		memcpy(data, &val, size);
	return ret;
}

/* What no bus carries at once, it carries in pieces: a register each, or less. */
static __attribute__((noinline)) int registers_rw(struct vfu_server *srv,
						  const struct vfu_region_io *io, u8 *data,
						  bool write)
{
	int ret = 0;

	for (u32 at = 0, size; !ret && at < io->count; at += size) {
		u64 off = io->offset + at;
		u32 left = io->count - at;

		size = off & 1 || left < 2 ? 1 : off & 2 || left < 4 ? 2 : 4;
		ret = register_rw(srv, io->region, off, size, data + at, write);
	}
	return ret;
}

static int region_rw(struct vfu_server *srv, const struct vfu_region_io *io, u8 *data, bool write)
{
	if (BASE_UNLIKELY(srv->failed))
		return -EIO;
	if (!base_range_ok(io->offset, io->count, region_size(srv, io->region)))
		return -EINVAL;
	if (io->region == VFU_REGION_CONFIG)
		return config_rw(srv, (u32)io->offset, io->count, data, write);
	if (srv->msix.present && io->region == VFU_MSIX_BAR) {
		u8 *at = srv->msix.table + io->offset;

		memcpy(write ? at : data, write ? data : at, io->count);
		return 0;
	}
	if (BASE_UNLIKELY(io->count - 1 > 7 || (io->count | io->offset) & (io->count - 1)))
		return registers_rw(srv, io, data, write);
	return register_rw(srv, io->region, io->offset, io->count, data, write);
}

static int region_read(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_region_io io;
	int ret;

	memcpy(&io, msg->data, sizeof(io));
	if (io.count > VFU_MAX_XFER)
		return -EINVAL;
	ret = region_rw(srv, &io, answer(srv) + sizeof(io), false);
	if (ret)
		return ret;
	return put(srv, &io, sizeof(io)) + (int)io.count;
}

static int region_write(struct vfu_server *srv, struct vfu_msg *msg)
{
	struct vfu_region_io io;
	int ret;

	memcpy(&io, msg->data, sizeof(io));
	if (io.count > msg->len - sizeof(io))
		return -EINVAL;
	ret = region_rw(srv, &io, msg->data + sizeof(io), true);
	return ret ? ret : put(srv, &io, sizeof(io));
}

static int region_write_multi(struct vfu_server *srv, struct vfu_msg *msg)
{
	u64 nr;

	memcpy(&nr, msg->data, sizeof(nr));
	if (nr > (msg->len - sizeof(nr)) / sizeof(struct vfu_write_one))
		return -EINVAL;
	for (u64 i = 0; i < nr; i++) {
		struct vfu_write_one one;
		struct vfu_region_io io;
		int ret;

		memcpy(&one, msg->data + sizeof(nr) + i * sizeof(one), sizeof(one));
		io = (struct vfu_region_io){ one.offset, one.region, one.count };
		if (io.count > sizeof(one.data))
			return -EINVAL;
		ret = region_rw(srv, &io, (u8 *)&one.data, true);
		if (ret)
			return ret;
	}
	return put(srv, &nr, sizeof(nr));
}

static int device_reset(struct vfu_server *srv, struct vfu_msg *msg)
{
	(void)msg;
	vnpu_reset(srv->vnpu);
	vfu_msix_reset(&srv->msix);
	srv->failed = false;
	return 0;
}

/*
 * Dispatch
 */

static const struct command {
	const char *name;
	u32 min_len; /* of the payload */
	bool has_fds;
	int (*handle)(struct vfu_server *srv, struct vfu_msg *msg);
} commands[] = {
	[VFU_VERSION] = { "VERSION", sizeof(struct vfu_version), false, version },
	[VFU_DMA_MAP] = { "DMA_MAP", sizeof(struct vfu_dma_map), true, dma_map },
	[VFU_DMA_UNMAP] = { "DMA_UNMAP", sizeof(struct vfu_dma_unmap), false, dma_unmap },
	[VFU_DEVICE_GET_INFO] = { "DEVICE_GET_INFO", sizeof(struct vfu_device_info), false,
				  device_info },
	[VFU_GET_REGION_INFO] = { "DEVICE_GET_REGION_INFO", sizeof(struct vfu_region_info), false,
				  region_info },
	[VFU_GET_REGION_IO_FDS] = { "DEVICE_GET_REGION_IO_FDS", sizeof(struct vfu_region_io_fds),
				    false, region_io_fds },
	[VFU_GET_IRQ_INFO] = { "DEVICE_GET_IRQ_INFO", sizeof(struct vfu_irq_info), false,
			       irq_info },
	[VFU_SET_IRQS] = { "DEVICE_SET_IRQS", sizeof(struct vfu_irq_set), true, set_irqs },
	[VFU_REGION_READ] = { "REGION_READ", sizeof(struct vfu_region_io), false, region_read },
	[VFU_REGION_WRITE] = { "REGION_WRITE", sizeof(struct vfu_region_io), false, region_write },
	[VFU_DEVICE_RESET] = { "DEVICE_RESET", 0, false, device_reset },
	[VFU_REGION_WRITE_MULTI] = { "REGION_WRITE_MULTI", sizeof(u64), false, region_write_multi },
};

static const struct command *find_command(u32 cmd)
{
	return cmd < BASE_ARRAY_SIZE(commands) && commands[cmd].handle ? &commands[cmd] : NULL;
}

/* The device ran into memory that is no more: that client's loss, and nobody else's. */
static __attribute__((cold, noinline)) void memory_lost(struct vfu_server *srv)
{
	vfu_finding(srv, VFU_GUEST_ERROR, "DMA",
		    "the client took memory away while the device used it: the device is reset "
		    "and answers with errors until the client resets it");
	vnpu_reset(srv->vnpu);
	srv->failed = true;
}

static int dispatch(struct vfu_server *srv, const struct command *cmd, struct vfu_msg *msg)
{
	if (BASE_UNLIKELY(atomic_load_explicit(&srv->dma.lost, memory_order_relaxed)) &&
	    atomic_exchange(&srv->dma.lost, false))
		memory_lost(srv);
	if (!cmd)
		return -EOPNOTSUPP;
	if (msg->hdr.flags & ~(u32)VFU_F_NO_REPLY || msg->len < cmd->min_len ||
	    (msg->nr_fds && !cmd->has_fds))
		return -EINVAL;
	if (!srv->negotiated && cmd->handle != version)
		return -EINVAL;
	return cmd->handle(srv, msg);
}

/* What the request was about, for whoever wrote the client. */
static void describe(const struct command *cmd, const struct vfu_msg *msg, char *out, size_t size)
{
	struct vfu_region_io io;
	struct vfu_dma_map map; /* an unmap has no offset */
	struct vfu_irq_set irq;

	out[0] = '\0';
	if (cmd->handle == region_read || cmd->handle == region_write) {
		memcpy(&io, msg->data, sizeof(io));
		snprintf(out, size, ": region %u, %u bytes at 0x%" PRIx64, io.region, io.count,
			 io.offset);
	} else if (cmd->handle == dma_map) {
		memcpy(&map, msg->data, sizeof(map));
		snprintf(out, size,
			 ": argsz %u, flags 0x%x, 0x%" PRIx64 " bytes at 0x%" PRIx64
			 ", file offset 0x%" PRIx64,
			 map.argsz, map.flags, map.size, map.addr, map.offset);
	} else if (cmd->handle == set_irqs) {
		memcpy(&irq, msg->data, sizeof(irq));
		snprintf(out, size, ": flags 0x%x, index %u, start %u, count %u", irq.flags,
			 irq.index, irq.start, irq.count);
	}
}

/* Asking for what this server does not do or has no memory for, and using a device that has failed,
 * is no mistake. */
static __attribute__((cold, noinline)) void complain(struct vfu_server *srv,
						     const struct command *cmd,
						     const struct vfu_msg *msg, int ret)
{
	bool mistake = ret != -EOPNOTSUPP && ret != -EIO && ret != -ENOMEM;
	const char *name = cmd ? cmd->name : "request";
	char what[120] = "", text[240];
	bool last = ++srv->nr_complaints == MAX_COMPLAINTS;

	if (srv->nr_complaints > MAX_COMPLAINTS) {
		srv->nr_complaints = MAX_COMPLAINTS;
		atomic_fetch_add(&srv->findings[VFU_GUEST_ERROR], mistake);
		return;
	}
	if (cmd && msg->len >= cmd->min_len)
		describe(cmd, msg, what, sizeof(what));
	snprintf(text, sizeof(text), "refused with %s: command %u, %u bytes, flags 0x%x, %u %s%s%s",
		 base_err_name(ret), msg->hdr.cmd, msg->hdr.size, msg->hdr.flags, msg->nr_fds,
		 "descriptors", what, last ? "; no more of these are told" : "");
	if (mistake)
		vfu_finding(srv, VFU_GUEST_ERROR, name, text);
	else
		vfu_log(srv, BASE_LOG_INFO, "%s %s", name, text);
}

int vfu_cmd_handle(struct vfu_server *srv, struct vfu_msg *msg)
{
	const struct command *cmd = find_command(msg->hdr.cmd);
	struct vfu_hdr *hdr = (struct vfu_hdr *)(void *)srv->tx;
	int ret;

	ret = dispatch(srv, cmd, msg);
	if (ret < 0)
		complain(srv, cmd, msg, ret);
	vfu_msg_close(msg);
	if (msg->hdr.flags & VFU_F_NO_REPLY)
		return 0;
	*hdr = (struct vfu_hdr){ .id = msg->hdr.id,
				 .cmd = msg->hdr.cmd,
				 .size = (u32)sizeof(*hdr) + (ret < 0 ? 0u : (u32)ret),
				 .flags = ret < 0 ? VFU_F_REPLY | VFU_F_ERROR : VFU_F_REPLY,
				 .error = ret < 0 ? (u32)-ret : 0 };
	return vfu_pump_send(&srv->pump, hdr);
}
