// SPDX-License-Identifier: MIT
/*
 * "dma:SIZE[/ALIGN]": zeroed memory in one piece for the first device, with the address it has there.
 * Read: struct abi_dma, once; call: the same; map: the memory; close frees it.
 */
#include <string.h>

#include "abi/dma.h"
#include "service/internal.h"

#define SIZE_MAX_BYTES (UINT64_C(512) << 20)

struct dma {
	struct svc_handle handle;
	struct svc_client *owner; /* whose quota it uses */
	struct os_dma mem;
	bool was_read;
};

static struct dma *to_dma(struct svc_handle *h)
{
	return base_container_of(h, struct dma, handle);
}

static struct abi_dma describe(const struct dma *dma)
{
	return (struct abi_dma){ .addr = dma->mem.segs[0].addr, .size_bytes = dma->mem.size };
}

static s64 dma_read(struct svc_handle *h, void *buf, u64 size, struct base_err *err)
{
	struct dma *dma = to_dma(h);
	const struct abi_dma desc = describe(dma);

	if (size < sizeof(desc))
		return base_err_set(err, -EINVAL,
				    "dma: %llu bytes do not hold the descriptor's %zu",
				    (unsigned long long)size, sizeof(desc));
	if (dma->was_read)
		return 0;
	dma->was_read = true;
	memcpy(buf, &desc, sizeof(desc));
	return sizeof(desc);
}

static int dma_call(struct svc_handle *h, struct svc_call *arg, u64 size, struct base_err *err)
{
	struct svc_call_dma *call = (struct svc_call_dma *)(void *)arg;
	int ret = svc_call_check(arg, size, SVC_CALL_DMA, sizeof(*call), err);

	if (!ret)
		call->mem = describe(to_dma(h));
	return ret;
}

static int dma_map(struct svc_handle *h, struct svc_mapping *out, struct base_err *err)
{
	const struct os_dma *mem = &to_dma(h)->mem;

	(void)err;
	*out = (struct svc_mapping){ .cpu = mem->cpu, .size_bytes = mem->size, .fd = mem->fd };
	return 0;
}

static u64 dma_size(const struct svc_handle *h)
{
	return base_container_of(h, const struct dma, handle)->mem.size;
}

static void dma_close(struct svc_handle *h)
{
	struct dma *dma = to_dma(h);

	dma->owner->memory_bytes -= dma->mem.size;
	drv_dma_free(h->dev->drv, &dma->mem);
	base_free(dma);
}

static const struct svc_handle_ops dma_ops = {
	.name = "dma memory",
	.read = dma_read,
	.call = dma_call,
	.map = dma_map,
	.size = dma_size,
	.close = dma_close,
};

/* Rounded up to pages, both. */
static int parse(const char *path, u64 *size, u64 *align, struct base_err *err)
{
	const char *slash = strchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : strlen(path);
	char shown[80];

	svc_escape(path, shown, sizeof(shown));
	*align = BASE_PAGE_SIZE;
	if (!svc_parse_u64(path, len, size) || !*size || *size > SIZE_MAX_BYTES)
		return base_err_set(err, -EINVAL,
				    "dma: \"%s\", expected SIZE[/ALIGN], SIZE 1 to %llu bytes",
				    shown, (unsigned long long)SIZE_MAX_BYTES);
	if (slash && (!svc_parse_u64(slash + 1, strlen(slash + 1), align) || !base_is_pow2(*align)))
		return base_err_set(err, -EINVAL, "dma: \"%s\", ALIGN has to be a power of two",
				    shown);
	*size = base_align_up(*size, BASE_PAGE_SIZE);
	*align = base_max(*align, BASE_PAGE_SIZE);
	return 0;
}

static struct svc_device *first_device(const struct svc *svc)
{
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++)
		if (svc->dev[i])
			return svc->dev[i];
	return NULL;
}

static int alloc(struct svc_client *client, struct svc_device *dev, u64 size, u64 align,
		 struct os_dma *out, struct base_err *err)
{
	const u64 limit = client->svc->limits.memory_bytes;
	int ret;

	if (size > limit - base_min(limit, client->memory_bytes))
		return base_err_set(
			err, -ENOMEM,
			"dma: %llu bytes and the client's %llu exceed its quota of %llu",
			(unsigned long long)size, (unsigned long long)client->memory_bytes,
			(unsigned long long)limit);
	ret = drv_dma_alloc(dev->drv, size, align, out);
	if (ret)
		return base_err_set(err, ret,
				    "dma: no %llu bytes in one piece that begin at a multiple of "
				    "0x%llx: %s",
				    (unsigned long long)size, (unsigned long long)align,
				    base_err_name(ret));
	return 0;
}

int svc_dma_open(struct svc_client *client, const char *path, u32 *out, struct base_err *err)
{
	struct svc_device *dev = first_device(client->svc);
	u64 size, align;
	struct dma *dma;
	int ret = parse(path, &size, &align, err);

	if (ret)
		return ret;
	if (!dev)
		return base_err_set(err, -ENODEV, "dma: there is no device to have memory for");
	dma = base_zalloc(sizeof(*dma));
	if (!dma)
		return base_err_set(err, -ENOMEM, "dma: no memory for the handle");
	dma->handle.ops = &dma_ops;
	dma->handle.dev = dev;
	dma->owner = client;
	ret = alloc(client, dev, size, align, &dma->mem, err);
	if (ret)
		goto err_free;
	ret = svc_handle_add(client, &dma->handle, out, err);
	if (ret)
		goto err_free_mem;
	client->memory_bytes += size;
	return 0;

err_free_mem:
	drv_dma_free(dev->drv, &dma->mem);
err_free:
	base_free(dma);
	return ret;
}
