/* SPDX-License-Identifier: MIT */
/*
 * Memory a client lets the device reach: descriptors mapped into this process.
 *
 * A client may shrink a file under us.  The access that hits the hole is caught (SIGBUS): the
 * mapping is replaced by empty memory of our own and marked lost; the process goes on.
 */
#ifndef VFU_DMA_H
#define VFU_DMA_H

#include <stdatomic.h>

#include "vfu/proto.h"
#include "vnpu/vnpu.h"

/*
 * Address space and mappings (65530, SRC: Linux vm.max_map_count) are the process's: what one
 * client takes must leave enough for those of 63 other devices.
 */
#define VFU_FILE_BYTES	 (UINT64_C(1) << 40) /* of files, that one device maps */
#define VFU_FILES_OWN	 256u		     /* files each device can always map, */
#define VFU_FILES_SHARED 32768u		     /* and what all of them may map beyond */

struct vfu_dma_entry {
	u64 addr, len;
	u8 *host; /* NULL: no descriptor came with it, the device asks for it by message */
};

struct vfu_dma {
	struct vnpu *vnpu;
	struct vnpu_remote remote;
	struct vfu_dma_entry *entries; /* ascending by address; changed under the lock of dma.c */
	u32 nr, cap;
	u32 nr_files; /* of the entries, those with a descriptor */
	u64 file_bytes;
	atomic_bool lost;     /* some of it is gone; set by the signal handler */
	struct vfu_dma *next; /* all there are, for the handler */
};

/** vfu_dma_init() - no memory yet; the handler watches over it from now on
 * @remote: how the device reaches memory without a descriptor */
int vfu_dma_init(struct vfu_dma *dma, struct vnpu *vnpu,
		 const struct vnpu_remote *remote) BASE_WARN_UNUSED;
void vfu_dma_fini(struct vfu_dma *dma);

/**
 * vfu_dma_map() - memory at [@req->addr, @req->addr + @req->size)
 * @fd: a regular file, mapped from @req->offset on; stays the caller's; -1: none
 * Return: 0, -EINVAL (alignment, overflow, flags, past the end of the file, not a file), -EEXIST
 * (overlaps), -ENOSPC (too many, too large), -ENOMEM, -EACCES (the file may not be written).
 */
int vfu_dma_map(struct vfu_dma *dma, const struct vfu_dma_map *req, int fd) BASE_WARN_UNUSED;
/** vfu_dma_unmap() - exactly what was mapped; the device no longer touches it; 0 or -ENOENT */
int vfu_dma_unmap(struct vfu_dma *dma, u64 addr, u64 len) BASE_WARN_UNUSED;
void vfu_dma_unmap_all(struct vfu_dma *dma);

#endif
