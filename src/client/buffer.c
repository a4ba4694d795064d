// SPDX-License-Identifier: MIT
#include <errno.h>

#include "client/internal.h"
#include "service/path.h"

#define KNOWN_FLAGS ((uint32_t)(NPU_BUFFER_WC | NPU_BUFFER_RO | NPU_BUFFER_SHAVE | NPU_BUFFER_DMA))

/* "bo/SIZE?align=A&flags=...", or import in the place of bo/SIZE */
static void make_path(const char *what, u64 align, u32 flags, char *buf, size_t buf_size)
{
	char align_text[40] = "";

	if (align)
		snprintf(align_text, sizeof(align_text), "align=%llu&", (unsigned long long)align);
	snprintf(buf, buf_size, "%s?%sflags=%s%s%s%s", what, align_text,
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

/* @fd: of memory there is; -1: new memory */
static int make_buffer(struct npu_context *ctx, const char *what, int fd, uint64_t align,
		       uint32_t flags, struct npu_buffer **out)
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
	make_path(what, align, flags, path, sizeof(path));
	ret = be->ops->dup(be, ctx->handle, path, fd, &buf->handle, client_err());
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

int npu_buffer_create(struct npu_context *ctx, uint64_t size, uint64_t align, uint32_t flags,
		      struct npu_buffer **out)
{
	char what[32];

	snprintf(what, sizeof(what), "bo/%llu", (unsigned long long)size);
	return make_buffer(ctx, what, -1, align, flags, out);
}

int npu_buffer_import(struct npu_context *ctx, int fd, uint64_t align, uint32_t flags,
		      struct npu_buffer **out)
{
	if (fd < 0)
		return npu_fail(-EBADF, "buffer: %d is no descriptor", fd);
	return make_buffer(ctx, "import", fd, align, flags, out);
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
