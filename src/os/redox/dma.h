/* SPDX-License-Identifier: MIT */
/*
 * Memory for the device: contiguous pieces of at most 4 MiB, a power of two each, joined for the CPU
 * by mapping them side by side, for the device by its own MMU.  There is no IOMMU: a device address
 * is a physical address.
 *
 * SRC: kernel 663e6641 src/scheme/memory.rs.
 */
#ifndef OS_REDOX_DMA_H
#define OS_REDOX_DMA_H

#include "driver/os.h"

#define RX_DMA_PIECE (UINT64_C(4) << 20) /* largest there is */

struct rx_memory {
	size_t contiguous[2]; /* of each enum os_cache: maps contiguous memory */
	size_t translation;   /* virtual address in, physical out */
};

/** rx_memory_open() - what has to be opened before the namespace is left. */
int rx_memory_open(struct rx_memory *mem, struct base_err *err) BASE_WARN_UNUSED;
/** rx_memory_close() - everything was freed. */
void rx_memory_close(struct rx_memory *mem);

/** rx_dma_alloc(), rx_dma_free() - as os_ops has them.  -ENOMEM also for what cannot be had here: a
 * contiguous piece above 4 MiB, an address the device cannot reach. */
int rx_dma_alloc(struct rx_memory *mem, u64 size, u64 align, enum os_cache cache, u32 addr_bits,
		 u32 how, struct os_dma *out) BASE_WARN_UNUSED;
void rx_dma_free(struct os_dma *dma);

#endif
