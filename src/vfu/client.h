/* SPDX-License-Identifier: MIT */
/*
 * The client's side of vfio-user: a device somebody else has, over its socket.
 *
 * One thread at a time.  Nothing is mapped: each register access is a message.
 */
#ifndef VFU_CLIENT_H
#define VFU_CLIENT_H

#include "vfu/json.h"
#include "vfu/wire.h"

struct vfu_client;

/**
 * vfu_client_open() - connect and agree on a version
 * Return: 0, or what the connection said, -EPROTO (it speaks something else), -ENODEV (no PCI
 * device), -ENOMEM; @err says why.
 */
int vfu_client_open(const char *path, struct vfu_client **out,
		    struct base_err *err) BASE_WARN_UNUSED;
/* A server in this very thread: it must have answered what was sent when turn() returns. */
struct vfu_client_peer {
	void (*turn)(void *opaque);
	void *opaque;
};

/** vfu_client_attach() - the same over the connected @fd, which it takes, even if it fails
 * @peer: the server's turn, NULL: it needs none of us */
int vfu_client_attach(int fd, const struct vfu_client_peer *peer, struct vfu_client **out,
		      struct base_err *err) BASE_WARN_UNUSED;
void vfu_client_close(struct vfu_client *cl);

/* Memory that is mapped without a descriptor: where it is for us, or NULL.  Within one mapping. */
typedef void *vfu_client_memory(void *opaque, u64 addr, u64 len);
/** vfu_client_serve_memory() - answer the server's reads and writes of memory from @memory */
void vfu_client_serve_memory(struct vfu_client *cl, vfu_client_memory *memory, void *opaque);
/** vfu_client_poll() - answer what the server has asked by now; 0 or as the calls below
 * It also answers while it waits in one of them. */
int vfu_client_poll(struct vfu_client *cl) BASE_WARN_UNUSED;

/** vfu_client_fd() - readable when the server asks something, or has gone */
int vfu_client_fd(const struct vfu_client *cl);

/*
 * 0, the error the server answered with, -ENODEV (the connection is lost, now or before) or
 * -EPROTO (an answer that cannot be; the connection is given up).
 */
int vfu_client_region_size(struct vfu_client *cl, u32 region, u64 *size) BASE_WARN_UNUSED;
int vfu_client_irq_count(struct vfu_client *cl, u32 index, u32 *count) BASE_WARN_UNUSED;
/** vfu_client_read() - @count bytes, at most 8 or of the configuration space */
int vfu_client_read(struct vfu_client *cl, u32 region, u64 off, void *data,
		    u32 count) BASE_WARN_UNUSED;
/** vfu_client_write() - at most 8 bytes; @posted: not answered, as writes on a bus are */
int vfu_client_write(struct vfu_client *cl, u32 region, u64 off, const void *data, u32 count,
		     bool posted) BASE_WARN_UNUSED;
/** vfu_client_dma_map() - @fd at @offset becomes device memory at @addr; -1: not shared */
int vfu_client_dma_map(struct vfu_client *cl, u64 addr, u64 len, int fd,
		       u64 offset) BASE_WARN_UNUSED;
int vfu_client_dma_unmap(struct vfu_client *cl, u64 addr, u64 len) BASE_WARN_UNUSED;
/** vfu_client_irq() - interrupts of type @index, vector 0, add to @eventfd; -1: no more */
int vfu_client_irq(struct vfu_client *cl, u32 index, int eventfd) BASE_WARN_UNUSED;
int vfu_client_reset(struct vfu_client *cl) BASE_WARN_UNUSED;

#endif
