/* SPDX-License-Identifier: MIT */
/*
 * The seam: everything the driver core asks of the world.  Implemented in src/os (in-process
 * virtual NPU today; vfio-user, VFIO, Redox later).  The driver knows nothing of what is behind it.
 *
 * One device per struct os_device.  All calls come from the thread that runs the driver's event
 * loop, one at a time; only wait() blocks.  Times are nanoseconds of the seam's monotonic clock,
 * which in tests is virtual.
 *
 * SRC: design section 5.
 */
#ifndef DRIVER_OS_H
#define DRIVER_OS_H

#include "base/base.h"

struct os_device;

struct os_bar {
	u64 size; /* bytes; 0 = BAR not present */
	u64 addr; /* on the bus; 0 = this seam does not know */
	bool is_64bit;
	bool prefetchable;
};

enum os_cache {
	OS_CACHE_WB, /* cached by the CPU, snooped by the device */
	OS_CACHE_WC, /* write-combined; wmb() before the device is told */
};

struct os_dma_seg {
	u64 addr; /* device (bus) address, page aligned */
	u64 len;  /* bytes, multiple of the page size */
};

enum os_dma_how {
	OS_DMA_CONTIGUOUS = 1u << 0, /* one piece */
	OS_DMA_SHARED = 1u << 1, /* pages nobody else has part of: another process may get them */
};

/* One allocation: contiguous for the CPU, in pieces for the device. */
struct os_dma {
	void *cpu;
	u64 size;
	const struct os_dma_seg *segs; /* owned by the seam until dma_free() */
	u32 nr_segs;
	/* Of shared memory: what another process maps, from 0, sealed against resizing; the seam's.
	 * -1: there are no such descriptors here, the pages themselves are lent. */
	int fd;
	void *priv; /* the seam's */
};

struct os_ops {
	/* Configuration space; @size 1, 2 or 4; 0 or a negative errno. */
	int (*cfg_rd)(struct os_device *os, u32 off, u32 size, u32 *val);
	int (*cfg_wr)(struct os_device *os, u32 off, u32 size, u32 val);

	int (*bar_info)(struct os_device *os, u32 bar, struct os_bar *out);
	/* Maps the whole BAR, once, before its first register access; unmap undoes it. */
	int (*bar_map)(struct os_device *os, u32 bar);
	void (*bar_unmap)(struct os_device *os, u32 bar);

	/* Registers; naturally aligned offsets inside a mapped BAR; a 64-bit access is one access. */
	u32 (*rd32)(struct os_device *os, u32 bar, u32 off);
	void (*wr32)(struct os_device *os, u32 bar, u32 off, u32 val);
	u64 (*rd64)(struct os_device *os, u32 bar, u32 off);
	void (*wr64)(struct os_device *os, u32 bar, u32 off, u64 val);
	/* The same with @size 1, 2, 4 or 8 bytes, for accesses that are rare. */
	u64 (*bar_rd)(struct os_device *os, u32 bar, u32 off, u32 size);
	void (*bar_wr)(struct os_device *os, u32 bar, u32 off, u32 size, u64 val);

	/*
	 * Zeroed, page-granular memory whose device addresses fit @addr_bits; @align a power of two
	 * for the device address of the first piece; @how: enum os_dma_how.  -ENOMEM.
	 */
	int (*dma_alloc)(struct os_device *os, u64 size, u64 align, enum os_cache cache,
			 u32 addr_bits, u32 how, struct os_dma *out);
	/* The same of memory that @fd holds, from its beginning, @size whole pages: what is in it stays,
	 * @fd stays the caller's, and nobody can make it shorter.  NULL: there is no such thing here. */
	int (*dma_import)(struct os_device *os, int fd, u64 size, u64 align, u32 addr_bits,
			  struct os_dma *out);
	void (*dma_free)(struct os_device *os, struct os_dma *dma);

	/* One message-signalled vector; enables it in configuration space. */
	int (*irq_setup)(struct os_device *os);
	void (*irq_teardown)(struct os_device *os);
	/* Did the interrupt fire since the last call? */
	bool (*irq_ack)(struct os_device *os);

	void (*wmb)(struct os_device *os); /* orders all stores before it before any access after */
	int (*reset)(struct os_device *os); /* function-level reset; -EOPNOTSUPP */

	u64 (*now_ns)(struct os_device *os);
	void (*delay_ns)(struct os_device *os, u64 ns); /* short busy wait, at most 200 us */
	/*
	 * Blocks until the interrupt fires (0), @until_ns passes (-ETIMEDOUT), or wake() (-EINTR).
	 * One thread at a time; other threads may make the other calls meanwhile.  A wake() or
	 * interrupt that came before is not lost: the next wait() returns at once.
	 */
	int (*wait)(struct os_device *os, u64 until_ns);
	void (*wake)(struct os_device *os); /* from any thread */
	/*
	 * A descriptor to poll for reading, in place of wait(); the seam's; -EOPNOTSUPP if none.
	 * listen() turns it on before the poll, and off after: a device need not raise it while its
	 * loop is at work.  NULL: it is always on.
	 */
	int (*event_source)(struct os_device *os);
	void (*listen)(struct os_device *os, bool on);
	/*
	 * The loop was told of an edge of that descriptor: while it is on, irq_ack() need not ask
	 * the system.  NULL: it does.
	 */
	void (*event)(struct os_device *os);
};

/* Embedded as the first member of each implementation's own structure. */
struct os_device {
	const struct os_ops *ops;
	bool is_virtual;   /* allows the built-in firmware image */
	char location[64]; /* for messages: "sim:npu37", "0000:00:0b.0" */
};

#endif
