// SPDX-License-Identifier: MIT
#include <errno.h>

#include "client/internal.h"
#include "service/path.h"

#define KNOWN_FLAGS ((uint32_t)(NPU_BUFFER_WC | NPU_BUFFER_RO | NPU_BUFFER_SHAVE | NPU_BUFFER_DMA))

/* "bo/SIZE?align=A&flags=..." */
static void make_path(u64 size, u64 align, u32 flags, char *buf, size_t buf_size)
{
	char align_text[40] = "";

	if (align)
		snprintf(align_text, sizeof(align_text), "align=%llu&", (unsigned long long)align);
	snprintf(buf, buf_size, "bo/%llu?%sflags=%s%s%s%s", (unsigned long long)size, align_text,
		 flags & NPU_BUFFER_WC ? "wc" : "wb", flags & NPU_BUFFER_RO ? ",ro" : "",
		 flags & NPU_BUFFER_SHAVE ? ",shave" : "", flags & NPU_BUFFER_DMA ? ",dma" : "");
}

/* Where it is, for CPU and NPU. */
static int locate(struct npu_buffer *buf)
{
	struct backend *be = buf->ctx->dev->be;
	struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) } };
	int ret = be->ops->call(be, buf->handle, &call, sizeof(call), client_err());

	if (ret)
		return ret;
	buf->addr = call.addr;
	buf->size_bytes = call.size_bytes;
	return be->ops->map(be, buf->handle, &buf->cpu, client_err());
}

int npu_buffer_create(struct npu_context *ctx, uint64_t size, uint64_t align, uint32_t flags,
		      struct npu_buffer **out)
{
	struct backend *be = ctx->dev->be;
	struct npu_buffer *buf;
	char path[SVC_PATH_MAX];
	int ret;

	if (flags & ~KNOWN_FLAGS)
		return npu_fail(-EINVAL, "buffer: flags 0x%x are unknown, known are 0x%x",
				flags & ~KNOWN_FLAGS, KNOWN_FLAGS);
	buf = base_zalloc(sizeof(*buf));
	if (!buf)
		return npu_fail(-ENOMEM, "buffer: no memory");
	buf->ctx = ctx;
	make_path(size, align, flags, path, sizeof(path));
	ret = be->ops->dup(be, ctx->handle, path, &buf->handle, client_err());
	if (ret)
		goto err_free;
	ret = locate(buf);
	if (ret)
		goto err_close;
	context_add(ctx, &ctx->buffers, &buf->link);
	*out = buf;
	return 0;

err_close:
	be->ops->close(be, buf->handle, NULL);
err_free:
	base_free(buf);
	return ret;
}

void buffer_free(struct npu_buffer *buf)
{
	base_free(buf);
}

void npu_buffer_destroy(struct npu_buffer *buf)
{
	struct backend *be;

	if (!buf)
		return;
	be = buf->ctx->dev->be;
	context_del(buf->ctx, &buf->link);
	be->ops->close(be, buf->handle, NULL);
	buffer_free(buf);
}

void *npu_buffer_map(struct npu_buffer *buf)
{
	return buf->cpu;
}

uint64_t npu_buffer_address(const struct npu_buffer *buf)
{
	return buf->addr;
}

uint64_t npu_buffer_size(const struct npu_buffer *buf)
{
	return buf->size_bytes;
}
