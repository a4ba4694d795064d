/* SPDX-License-Identifier: MIT */
/*
 * vfio-user on the wire.  Numbers are in the byte order of the host; a Unix socket never leaves it.
 *
 * SRC: vfio-user protocol specification 0.9.2 (shipped with QEMU as docs/interop/vfio-user); what
 * it takes over from linux/vfio.h.
 */
#ifndef VFU_PROTO_H
#define VFU_PROTO_H

#include <assert.h>

#include "base/base.h"

#define VFU_VERSION_MAJOR 0
#define VFU_VERSION_MINOR 1

enum vfu_cmd {
	VFU_VERSION = 1,
	VFU_DMA_MAP = 2,
	VFU_DMA_UNMAP = 3,
	VFU_DEVICE_GET_INFO = 4,
	VFU_GET_REGION_INFO = 5,
	VFU_GET_REGION_IO_FDS = 6,
	VFU_GET_IRQ_INFO = 7,
	VFU_SET_IRQS = 8,
	VFU_REGION_READ = 9,
	VFU_REGION_WRITE = 10,
	VFU_DMA_READ = 11,  /* server to client */
	VFU_DMA_WRITE = 12, /* server to client */
	VFU_DEVICE_RESET = 13,
	VFU_REGION_WRITE_MULTI = 15,
};

enum {
	VFU_F_TYPE = 0xf,
	VFU_F_COMMAND = 0,
	VFU_F_REPLY = 1,
	VFU_F_NO_REPLY = 0x10,
	VFU_F_ERROR = 0x20,
};

struct vfu_hdr {
	u16 id, cmd;
	u32 size; /* of the message, this header included */
	u32 flags;
	u32 error; /* errno, of a reply with VFU_F_ERROR */
};
static_assert(sizeof(struct vfu_hdr) == 16, "wire");

struct vfu_version { /* JSON text, NUL terminated, may follow */
	u16 major, minor;
};
static_assert(sizeof(struct vfu_version) == 4, "wire");

enum { VFU_DMA_READABLE = 1u << 0, VFU_DMA_WRITEABLE = 1u << 1 };

struct vfu_dma_map {
	u32 argsz, flags;
	u64 offset; /* in the file that comes with it */
	u64 addr, size;
};
static_assert(sizeof(struct vfu_dma_map) == 32, "wire");

enum { VFU_UNMAP_ALL = 1u << 1 };

struct vfu_dma_unmap {
	u32 argsz, flags;
	u64 addr, size;
};
static_assert(sizeof(struct vfu_dma_unmap) == 24, "wire");

enum { VFU_DEVICE_F_RESET = 1u << 0, VFU_DEVICE_F_PCI = 1u << 1 };

struct vfu_device_info {
	u32 argsz, flags;
	u32 nr_regions, nr_irqs;
};
static_assert(sizeof(struct vfu_device_info) == 16, "wire");

enum { /* regions of a PCI function */
       VFU_REGION_BAR0 = 0,
       VFU_REGION_ROM = 6,
       VFU_REGION_CONFIG = 7,
       VFU_NR_REGIONS = 9, /* VGA is the last */
};

enum { VFU_REGION_F_READ = 1u << 0, VFU_REGION_F_WRITE = 1u << 1 };

struct vfu_region_info {
	u32 argsz, flags;
	u32 index, cap_offset;
	u64 size, offset;
};
static_assert(sizeof(struct vfu_region_info) == 32, "wire");

struct vfu_region_io_fds {
	u32 argsz, flags;
	u32 index, count;
};
static_assert(sizeof(struct vfu_region_io_fds) == 16, "wire");

enum { /* interrupt types of a PCI function */
       VFU_IRQ_INTX = 0,
       VFU_IRQ_MSI = 1,
       VFU_IRQ_MSIX = 2,
       VFU_IRQ_ERR = 3,
       VFU_NR_IRQS = 5, /* a request to give the device back is the last */
};

enum { VFU_IRQ_F_EVENTFD = 1u << 0, VFU_IRQ_F_NORESIZE = 1u << 3 };

struct vfu_irq_info {
	u32 argsz, flags;
	u32 index, count;
};
static_assert(sizeof(struct vfu_irq_info) == 16, "wire");

enum {
	VFU_SET_DATA_NONE = 1u << 0,
	VFU_SET_DATA_BOOL = 1u << 1,
	VFU_SET_DATA_EVENTFD = 1u << 2,
	VFU_SET_DATA_MASK = 7u << 0,
	VFU_SET_MASK = 1u << 3,
	VFU_SET_UNMASK = 1u << 4,
	VFU_SET_TRIGGER = 1u << 5,
	VFU_SET_ACTION_MASK = 7u << 3,
};

struct vfu_irq_set { /* an array of bytes may follow */
	u32 argsz, flags;
	u32 index, start, count;
};
static_assert(sizeof(struct vfu_irq_set) == 20, "wire");

struct vfu_region_io { /* the data follows a write, and the reply to a read */
	u64 offset;
	u32 region, count;
};
static_assert(sizeof(struct vfu_region_io) == 16, "wire");

struct vfu_write_one {
	u64 offset;
	u32 region, count;
	u64 data;
};
static_assert(sizeof(struct vfu_write_one) == 24, "wire");

struct vfu_dma_io { /* the data follows a write, and the reply to a read */
	u64 addr, count;
};
static_assert(sizeof(struct vfu_dma_io) == 16, "wire");

/* What this implementation takes. */
#define VFU_MAX_FDS   8u    /* in one message */
#define VFU_MAX_XFER  4096u /* bytes of data in one message; the configuration space is 4096 */
#define VFU_MAX_MSG   (2 * VFU_MAX_XFER)
#define VFU_MAX_MAPS  32768u
#define VFU_CFG_BYTES 4096u

#endif
