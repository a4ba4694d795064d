// SPDX-License-Identifier: MIT
/* Text nodes that stay open. */
#include <errno.h>
#include <string.h>

#include "client/internal.h"

struct npu_node {
	struct npu_device *dev;
	u32 handle;
};

int npu_node_open(struct npu_device *dev, const char *path, struct npu_node **out)
{
	struct npu_node *node;
	int ret;

	if (strcmp(path, "ctx") == 0)
		return npu_fail(-ENOENT, "device: ctx is not a text node");
	node = base_zalloc(sizeof(*node));
	if (!node)
		return npu_fail(-ENOMEM, "device: no memory for a node");
	node->dev = dev;
	ret = dev->be->ops->open(dev->be, path, &node->handle, client_err());
	if (ret) {
		base_free(node);
		return ret;
	}
	*out = node;
	return 0;
}

int npu_node_read(struct npu_node *node, char *buf, size_t size, uint64_t timeout_ns)
{
	const struct backend_ops *ops = node->dev->be->ops;
	struct backend *be = node->dev->be;
	s64 ret;
	int err;

	size = base_min(size, (size_t)INT32_MAX);
	ret = ops->read(be, node->handle, buf, size, client_err());
	if (ret || !timeout_ns)
		return (int)ret;
	err = ops->wait(be, node->handle, timeout_ns, client_err());
	if (err == -ETIMEDOUT || err == -EOPNOTSUPP) /* a snapshot has nothing to wait for */
		return 0;
	return err ? err : (int)ops->read(be, node->handle, buf, size, client_err());
}

int npu_node_write(struct npu_node *node, const char *command)
{
	s64 ret = node->dev->be->ops->write(node->dev->be, node->handle, command, strlen(command),
					    client_err());

	return ret < 0 ? (int)ret : 0;
}

void npu_node_close(struct npu_node *node)
{
	if (!node)
		return;
	node->dev->be->ops->close(node->dev->be, node->handle, NULL);
	base_free(node);
}
