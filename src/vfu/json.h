/* SPDX-License-Identifier: MIT */
/* The capabilities in a VERSION message: just as much JSON as they need. */
#ifndef VFU_JSON_H
#define VFU_JSON_H

#include "base/base.h"

struct vfu_caps {
	u64 max_msg_fds;
	u64 max_data_xfer_size;
	u64 max_dma_maps;
	u64 pgsizes;
	bool twin_socket;
	bool write_multiple;
};

/** vfu_caps_default() - what a peer that says nothing can do */
void vfu_caps_default(struct vfu_caps *caps);
/**
 * vfu_caps_parse() - {"capabilities": {...}}; what it does not know is skipped
 * @text: @len bytes, a NUL among them ends it; may be empty
 * Return: 0, or -EINVAL (not JSON, nested too deeply, or a known name with another type).
 */
int vfu_caps_parse(const char *text, size_t len, struct vfu_caps *caps) BASE_WARN_UNUSED;

#endif
