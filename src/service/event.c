// SPDX-License-Identifier: MIT
/* For transports with an event loop: what svc_wait() tells one thread, svc_process() tells all. */
#include <errno.h>

#include "service/internal.h"

int svc_event_source(struct svc *svc, u32 idx)
{
	int ret = -ENODEV;

	pthread_mutex_lock(&svc->lock);
	if (idx < SVC_MAX_DEVICES && svc->dev[idx])
		ret = drv_event_source(svc->dev[idx]->drv);
	pthread_mutex_unlock(&svc->lock);
	return ret;
}

void svc_listen(struct svc *svc, bool on)
{
	pthread_mutex_lock(&svc->lock);
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++)
		if (svc->dev[i])
			drv_listen(svc->dev[i]->drv, on);
	pthread_mutex_unlock(&svc->lock);
}

void svc_handle_arm(struct svc_handle *h)
{
	if (svc_list_empty(&h->armed))
		svc_list_add(&h->dev->armed, &h->armed);
}

static void report(struct svc_device *dev, void (*ready)(void *transport, u32 handle))
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &dev->armed) {
		struct svc_handle *h = svc_list_entry(node, struct svc_handle, armed);

		if (!h->fired && h->ops->ready(h) == -EAGAIN)
			continue;
		svc_list_del(&h->armed);
		h->fired = false;
		ready(h->client->cred.transport, h->number);
	}
}

u64 svc_process(struct svc *svc, void (*ready)(void *transport, u32 handle))
{
	u64 left = SVC_FOREVER;

	pthread_mutex_lock(&svc->lock);
	for (u32 i = 0; i < SVC_MAX_DEVICES; i++) {
		struct svc_device *dev = svc->dev[i];
		u64 next, now;

		if (!dev)
			continue;
		next = svc_dev_process(dev);
		if (!svc_list_empty(&dev->armed))
			report(dev, ready);
		now = next == SVC_FOREVER ? 0 : drv_now_ns(dev->drv);
		left = base_min(left, next == SVC_FOREVER || next > now ? next - now : 0);
	}
	pthread_mutex_unlock(&svc->lock);
	return left;
}
