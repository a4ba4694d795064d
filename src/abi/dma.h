/* SPDX-License-Identifier: MIT */
/* What a read of "dma:SIZE[/ALIGN]" gives. */
#ifndef ABI_DMA_H
#define ABI_DMA_H

#include <assert.h>

#include "base/types.h"

struct abi_dma {
	u64 addr;	/* for the device: physical, or on its bus */
	u64 size_bytes; /* asked for, rounded up to pages */
};

static_assert(sizeof(struct abi_dma) == 16, "descriptor of dma memory");

#endif
