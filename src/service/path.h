/* SPDX-License-Identifier: MIT */
/*
 * Grammar of the names below an open handle and of the nodes of a device.  Strict: what is not
 * understood is an error that says so.
 */
#ifndef SERVICE_PATH_H
#define SERVICE_PATH_H

#include "base/base.h"

#define SVC_PATH_MAX 256u /* characters */

/** svc_parse_u64() - decimal or 0x hex, nothing else around it; false if @text is not a number
 * that fits 64 bits. */
bool svc_parse_u64(const char *text, size_t len, u64 *out);

struct svc_bo_spec {
	u64 size_bytes;
	u64 align;
	u32 flags;   /* enum drv_bo_flags */
	bool import; /* of a descriptor's memory, which tells the size */
};

struct svc_queue_spec {
	u32 priority; /* 0 idle .. SVC_PRIO_REALTIME */
};

#define SVC_PRIO_NORMAL	  1u
#define SVC_PRIO_REALTIME 3u

enum svc_child { SVC_CHILD_BO, SVC_CHILD_QUEUE };

struct svc_child_spec { /* of a dup on a context */
	enum svc_child kind;
	struct svc_bo_spec bo;
	struct svc_queue_spec queue;
};

/** svc_parse_child() - "bo/SIZE[?...]", "import[?...]" or "queue[?...]".  -EINVAL, -ENOENT (no such child). */
int svc_parse_child(const char *path, struct svc_child_spec *out,
		    struct base_err *err) BASE_WARN_UNUSED;
/** svc_path_is_raw() - "mmio:..." or "dma:...": beside the tree of devices. */
bool svc_path_is_raw(const char *path);
/** svc_parse_node() - "N/name": the number, and *@name behind the slash.  -ENOENT, -EINVAL. */
int svc_parse_node(const char *path, u32 *dev, const char **name,
		   struct base_err *err) BASE_WARN_UNUSED;
/** svc_prio_name() - "idle" .. "realtime". */
const char *svc_prio_name(u32 priority);

/** svc_escape() - @text into @buf as printable ASCII: bytes below ' ' and above '~', '"' and '\\'
 * become \xHH; cut to fit, always terminated. */
void svc_escape(const char *text, char *buf, size_t size);

#endif
