// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/internal.h"

#define DEFAULT_DEVICE "sim:npu37"

/* A daemon that runs, unless who asks wants what only a device of his own can do. */
static const char *default_device(const struct npu_open_options *options)
{
	const char *found = NULL;

	for (u32 i = 0; backend_by_idx(i) && !found; i++)
		if (backend_by_idx(i)->find && !options->firmware && !options->dump_dir)
			found = backend_by_idx(i)->find();
	return found ? found : DEFAULT_DEVICE;
}

static int open_backend(const char *device, const struct npu_open_options *options,
			struct backend **out)
{
	const struct backend_ops *ops;
	int ret = backend_find(device, &ops, client_err());

	return ret ? ret : ops->connect(device, options, out, client_err());
}

int npu_device_open_with(const char *device, const struct npu_open_options *options,
			 struct npu_device **out)
{
	static const struct npu_open_options none;
	struct npu_device *dev;
	int ret;

	if (!options)
		options = &none;
	if (!device)
		device = secure_getenv("NPU_DEVICE");
	if (!device)
		device = default_device(options);
	dev = base_zalloc(sizeof(*dev));
	if (!dev)
		return npu_fail(-ENOMEM, "device: no memory");
	ret = open_backend(device, options, &dev->be);
	if (ret) {
		base_free(dev);
		return ret;
	}
	*out = dev;
	return 0;
}

int npu_device_open(const char *device, struct npu_device **out)
{
	return npu_device_open_with(device, NULL, out);
}

void npu_device_close(struct npu_device *dev)
{
	if (!dev)
		return;
	dev->be->ops->disconnect(dev->be);
	base_free(dev);
}

/* Opens node @path, asks it for the struct @arg, closes it. */
static int ask(struct npu_device *dev, const char *path, enum svc_call_kind kind,
	       struct svc_call *arg, size_t size)
{
	const struct backend_ops *ops = dev->be->ops;
	u32 handle;
	int ret = ops->open(dev->be, path, &handle, client_err());

	if (ret)
		return ret;
	arg->kind = (u16)kind;
	arg->version = SVC_CALL_VERSION;
	arg->size = (u32)size;
	ret = ops->call(dev->be, handle, arg, size, client_err());
	ops->close(dev->be, handle, NULL);
	return ret;
}

/* What the service made fit and terminated. */
#define COPY_TEXT(dst, src) snprintf(dst, sizeof(dst), "%.*s", (int)sizeof(dst) - 1, src)

static void copy_info(struct npu_device_info *out, const struct svc_call_info *info)
{
	COPY_TEXT(out->gen, info->gen);
	COPY_TEXT(out->product, info->product);
	COPY_TEXT(out->location, info->location);
	COPY_TEXT(out->fw_path, info->fw_path);
	COPY_TEXT(out->fw_version, info->fw_version);
	out->vendor_id = (uint16_t)info->vendor_id;
	out->device_id = (uint16_t)info->device_id;
	out->revision = (uint8_t)info->revision;
	out->is_virtual = info->is_virtual != 0;
	memcpy(out->fw_api, info->fw_api, sizeof(out->fw_api));
	out->flat = info->flat != 0;
	out->freq_max_mhz = info->freq_max_mhz;
	out->va_start = info->va_start;
	out->va_end = info->va_end;
	out->boot_ns = info->boot_ns;
	out->max_contexts = info->max_contexts;
	out->max_queue_depth = info->max_queue_depth;
	out->max_context_jobs = info->max_context_jobs;
	out->max_context_memory = info->max_memory_bytes;
}

static void copy_metrics(struct npu_device_info *out, const struct svc_call_metrics *metrics)
{
	out->jobs_done = metrics->jobs_done;
	out->jobs_failed = metrics->jobs_failed;
	out->irqs = metrics->irqs;
	out->mmu_faults = metrics->mmu_faults;
	out->time_ns = metrics->time_ns;
	out->busy_ns = metrics->busy_ns;
}

int npu_device_query(struct npu_device *dev, struct npu_device_info *out)
{
	struct svc_call_info info;
	struct svc_call_metrics metrics;
	struct svc_call_status status;
	int ret = ask(dev, "info", SVC_CALL_INFO, &info.head, sizeof(info));

	if (!ret)
		ret = ask(dev, "metrics", SVC_CALL_METRICS, &metrics.head, sizeof(metrics));
	if (!ret)
		ret = ask(dev, "status", SVC_CALL_STATUS, &status.head, sizeof(status));
	if (ret)
		return ret;
	memset(out, 0, sizeof(*out));
	out->freq_mhz = status.freq_mhz;
	copy_info(out, &info);
	copy_metrics(out, &metrics);
	if (dev->be->ops->query)
		dev->be->ops->query(dev->be, out);
	return 0;
}

static int read_all(struct npu_device *dev, u32 handle, char *buf, size_t size)
{
	size_t used = 0;

	while (used + 1 < size) {
		s64 ret = dev->be->ops->read(dev->be, handle, buf + used, size - 1 - used,
					     client_err());

		if (ret < 0)
			return (int)ret;
		if (!ret)
			break;
		used += (size_t)ret;
	}
	buf[used] = '\0';
	return (int)used;
}

int npu_device_read_text(struct npu_device *dev, const char *node, char *buf, size_t size)
{
	u32 handle;
	int ret;

	if (!size || size > INT32_MAX)
		return npu_fail(-EINVAL,
				"device: %zu bytes for the text of a node, expected 1 to %d", size,
				INT32_MAX);
	if (strcmp(node, "ctx") == 0 || strcmp(node, "control") == 0)
		return npu_fail(-ENOENT, "device: %s is not a text node", node);
	ret = dev->be->ops->open(dev->be, node, &handle, client_err());
	if (ret)
		return ret;
	ret = read_all(dev, handle, buf, size);
	dev->be->ops->close(dev->be, handle, NULL);
	return ret;
}

/* @text has a line for each device of a service: "1: npu40 Lunar Lake". */
static void each_line(const char *device, char *text,
		      void (*item)(void *opaque, const char *device, const char *description),
		      void *opaque)
{
	char name[128], *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *what = strstr(line, ": ");

		if (!what)
			continue;
		*what = '\0';
		if (strcmp(line, "0") == 0)
			snprintf(name, sizeof(name), "%s", device);
		else
			snprintf(name, sizeof(name), "%s/%s", device, line);
		item(opaque, name, what + 2);
	}
}

static void list_served(const char *device,
			void (*item)(void *opaque, const char *device, const char *description),
			void *opaque)
{
	struct npu_device *dev;
	char text[2048];

	if (npu_device_open(device, &dev))
		return;
	if (npu_device_read_text(dev, "", text, sizeof(text)) > 0)
		each_line(device, text, item, opaque);
	npu_device_close(dev);
}

void npu_list(void (*item)(void *opaque, const char *device, const char *description), void *opaque)
{
	const struct backend_ops *ops;

	for (u32 i = 0; (ops = backend_by_idx(i)); i++) {
		const char *found = ops->find ? ops->find() : NULL;

		if (found)
			list_served(found, item, opaque);
		if (ops->list)
			ops->list(item, opaque);
	}
}
