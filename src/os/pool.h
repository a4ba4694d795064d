/* SPDX-License-Identifier: MIT */
/*
 * DMA memory of a device that is no hardware: mappings of this process, given bus addresses in a
 * space of our own.  Small allocations share chunks, so that a page-table page costs neither a
 * mapping nor a system call.
 */
#ifndef OS_POOL_H
#define OS_POOL_H

#include "driver/os.h"
#include "driver/va.h"

struct os_pool_region;

struct os_pool {
	/* The device may reach [@addr, @addr + @len) at @cpu, which is @fd (-1: none) from @off on,
	 * from now on, or no more. */
	int (*map)(void *opaque, u64 addr, u64 len, void *cpu, int fd, u64 off);
	void (*unmap)(void *opaque, u64 addr, u64 len);
	void *opaque;
	bool by_fd;   /* map() wants descriptors */
	bool scatter; /* large allocations in two pieces, as physical memory would be */
	struct drv_va bus;
	struct os_pool_region *chunks;
	u64 live; /* allocations */
};

/** os_pool_alloc() - as os_ops.dma_alloc(). */
int os_pool_alloc(struct os_pool *pool, u64 size, u64 align, u32 addr_bits, u32 how,
		  struct os_dma *out);
/** os_pool_import() - as os_ops.dma_import(). */
int os_pool_import(struct os_pool *pool, int fd, u64 size, u64 align, u32 addr_bits,
		   struct os_dma *out);
void os_pool_free(struct os_pool *pool, struct os_dma *dma);
/** os_pool_fini() - everything was freed. */
void os_pool_fini(struct os_pool *pool);

#endif
