// SPDX-License-Identifier: MIT
/* Memory with a device address, and windows of registers. */
#include <errno.h>

#include "client/internal.h"
#include "service/path.h"

#define WAKE_NS (10 * BASE_NS_PER_S) /* far longer than any device takes to wake up */

struct npu_dma {
	struct npu_device *dev;
	u32 handle;
	void *cpu;
	struct abi_dma mem;
};

struct npu_window {
	struct npu_device *dev;
	u32 handle;
};

static int describe(struct npu_dma *dma)
{
	struct svc_call_dma call = { .head = { SVC_CALL_DMA, SVC_CALL_VERSION, sizeof(call) } };
	struct backend *be = dma->dev->be;
	int ret = be->ops->call(be, dma->handle, &call, sizeof(call), client_err());

	if (ret)
		return ret;
	dma->mem = call.mem;
	return be->ops->map(be, dma->handle, &dma->cpu, client_err());
}

int npu_dma_alloc(struct npu_device *dev, uint64_t size, uint64_t align, struct npu_dma **out)
{
	struct npu_dma *dma = base_zalloc(sizeof(*dma));
	char path[SVC_PATH_MAX];
	int ret;

	if (!dma)
		return npu_fail(-ENOMEM, "dma: no memory for the handle");
	dma->dev = dev;
	snprintf(path, sizeof(path), "dma:%llu/%llu", (unsigned long long)size,
		 (unsigned long long)(align ? align : 1));
	ret = dev->be->ops->open(dev->be, path, &dma->handle, client_err());
	if (ret)
		goto err_free;
	ret = describe(dma);
	if (ret)
		goto err_close;
	*out = dma;
	return 0;

err_close:
	dev->be->ops->close(dev->be, dma->handle, NULL);
err_free:
	base_free(dma);
	return ret;
}

void npu_dma_free(struct npu_dma *dma)
{
	if (!dma)
		return;
	dma->dev->be->ops->close(dma->dev->be, dma->handle, NULL);
	base_free(dma);
}

void *npu_dma_map(struct npu_dma *dma)
{
	return dma->cpu;
}

uint64_t npu_dma_address(const struct npu_dma *dma)
{
	return dma->mem.addr;
}

uint64_t npu_dma_size(const struct npu_dma *dma)
{
	return dma->mem.size_bytes;
}

int npu_window_open(struct npu_device *dev, uint64_t addr, uint64_t size, struct npu_window **out)
{
	struct npu_window *window = base_zalloc(sizeof(*window));
	char path[SVC_PATH_MAX];
	int ret;

	if (!window)
		return npu_fail(-ENOMEM, "mmio: no memory for the handle");
	window->dev = dev;
	snprintf(path, sizeof(path), "mmio:0x%llx/0x%llx", (unsigned long long)addr,
		 (unsigned long long)size);
	ret = dev->be->ops->open(dev->be, path, &window->handle, client_err());
	if (ret) {
		base_free(window);
		return ret;
	}
	*out = window;
	return 0;
}

/* A device that sleeps is woken by the attempt. */
static int access_window(struct npu_window *window, struct svc_call_mmio *call)
{
	struct backend *be = window->dev->be;

	call->head = (struct svc_call){ SVC_CALL_MMIO, SVC_CALL_VERSION, sizeof(*call) };
	for (;;) {
		int ret = be->ops->call(be, window->handle, call, sizeof(*call), client_err());

		if (ret == -EAGAIN)
			ret = be->ops->wait(be, window->handle, WAKE_NS, client_err());
		else
			return ret;
		if (ret)
			return ret;
	}
}

int npu_window_read(struct npu_window *window, uint64_t off, uint32_t bytes, uint64_t *val)
{
	struct svc_call_mmio call = { .off = off, .bytes = bytes };
	int ret = access_window(window, &call);

	if (!ret)
		*val = call.val;
	return ret;
}

int npu_window_write(struct npu_window *window, uint64_t off, uint32_t bytes, uint64_t val)
{
	struct svc_call_mmio call = { .off = off, .bytes = bytes, .val = val, .is_write = 1 };

	return access_window(window, &call);
}

void npu_window_close(struct npu_window *window)
{
	if (!window)
		return;
	window->dev->be->ops->close(window->dev->be, window->handle, NULL);
	base_free(window);
}
