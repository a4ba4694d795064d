// SPDX-License-Identifier: MIT
/*
 * Who runs the driver's loop, and how threads wait.
 *
 * Every call that looks for results runs the loop once (svc_dev_process).  A thread that must wait
 * becomes the pump when there is none: it releases the lock and blocks in drv_wait(), until the
 * earliest time at which the driver or any waiting thread wants to look again.  Other waiting
 * threads sleep on their own condition variable; whoever ran the loop wakes those whose handle
 * became ready or whose time is over.  A pump that leaves wakes one sleeper to take its place.
 *
 * drv_wake() gets the pump out of drv_wait() when another thread found its result, shortened its
 * time or closed its handle.  A drv_wake() that comes before the wait is not lost (driver/os.h).
 */
#include <errno.h>

#include "service/internal.h"

struct waiter { /* on the stack of a thread in svc_wait() */
	struct svc_list link;
	struct svc_handle *handle;
	u64 deadline;
	bool is_pump;  /* in drv_wait() */
	bool sleeping; /* on cond */
	pthread_cond_t cond;
};

static void wake_waiter(struct svc_device *dev, struct waiter *w)
{
	if (w->is_pump)
		drv_wake(dev->drv);
	else if (w->sleeping)
		pthread_cond_signal(&w->cond);
	w->sleeping = false;
}

static void wake_ready(struct svc_device *dev)
{
	u64 now = drv_now_ns(dev->drv);
	struct svc_list *node;

	base_for_each (node, &dev->waiters) {
		struct waiter *w = svc_list_entry(node, struct waiter, link);

		if (w->handle->ops->ready(w->handle) != -EAGAIN || w->deadline <= now)
			wake_waiter(dev, w);
	}
}

/* The pump must look again at @time at the latest. */
static void pump_not_after(struct svc_device *dev, u64 time)
{
	if (!dev->pumping || dev->pump_until <= time)
		return;
	dev->pump_until = time;
	drv_wake(dev->drv);
}

u64 svc_dev_process(struct svc_device *dev)
{
	u64 next = drv_process(dev->drv);

	if (!svc_list_empty(&dev->active))
		svc_dev_fill_pages(dev);
	if (dev->deferred)
		next = base_min(next, svc_dev_collect(dev));
	if (!svc_list_empty(&dev->waiters))
		wake_ready(dev);
	pump_not_after(dev, next);
	return next;
}

static void pump(struct svc_device *dev, u64 until)
{
	int ret;

	dev->pumping = true;
	dev->pump_until = until;
	pthread_mutex_unlock(&dev->svc->lock);
	ret = drv_wait(dev->drv, until);
	pthread_mutex_lock(&dev->svc->lock);
	dev->pumping = false;
	/* interrupt, time or wake: the caller looks at everything again */
	if (BASE_UNLIKELY(ret && ret != -ETIMEDOUT && ret != -EINTR))
		drv_lost(dev->drv, ret);
}

/* Somebody has to run the loop for those who still sleep. */
static void hand_over(struct svc_device *dev)
{
	struct svc_list *node;

	if (dev->pumping)
		return;
	base_for_each (node, &dev->waiters) {
		struct waiter *w = svc_list_entry(node, struct waiter, link);

		if (w->sleeping) {
			wake_waiter(dev, w);
			return;
		}
	}
}

void svc_dev_pass_time(struct svc_device *dev)
{
	u64 until;

	if (!dev->poll_ns || dev->pumping)
		return; /* time passes by itself, or another thread makes it pass */
	if (!base_add_u64(drv_now_ns(dev->drv), dev->poll_ns, &until))
		return;
	pump(dev, until);
	svc_dev_process(dev);
	hand_over(dev);
}

static u64 earliest_deadline(const struct svc_device *dev, u64 until)
{
	const struct svc_list *node;

	base_for_each (node, &dev->waiters) {
		const struct waiter *w = svc_list_entry(node, struct waiter, link);

		until = base_min(until, w->deadline);
	}
	return until;
}

static void wait_once(struct svc_device *dev, struct waiter *w, u64 next)
{
	if (dev->pumping) {
		pump_not_after(dev, w->deadline);
		w->sleeping = true;
		pthread_cond_wait(&w->cond, &dev->svc->lock);
		w->sleeping = false;
		return;
	}
	w->is_pump = true;
	pump(dev, earliest_deadline(dev, next));
	w->is_pump = false;
}

/* Until ready or late; the waiter is in the device's list. */
static int wait_listed(struct svc_device *dev, struct waiter *w, u64 next)
{
	struct svc_handle *h = w->handle;

	for (;;) {
		int ret;

		wait_once(dev, w, next);
		next = svc_dev_process(dev);
		ret = h->closing ? -ECANCELED : h->ops->ready(h);
		if (ret != -EAGAIN)
			return ret;
		if (drv_now_ns(dev->drv) >= w->deadline)
			return -ETIMEDOUT;
	}
}

static int wait_blocking(struct svc_handle *h, u64 deadline, u64 next)
{
	struct svc_device *dev = h->dev;
	struct waiter w = { .handle = h, .deadline = deadline };
	int ret;

	if (pthread_cond_init(&w.cond, NULL))
		return -ENOMEM;
	h->nr_waiting++;
	svc_list_add(&dev->waiters, &w.link);
	ret = wait_listed(dev, &w, next);
	svc_list_del(&w.link);
	hand_over(dev);
	h->nr_waiting--;
	if (h->closing)
		pthread_cond_broadcast(&dev->svc->left);
	pthread_cond_destroy(&w.cond);
	return ret;
}

static int wait_error(const struct svc_handle *h, int ret, u64 timeout_ns, struct base_err *err)
{
	const struct base_err *why = drv_last_error(h->dev->drv);

	switch (ret) {
	case -ETIMEDOUT:
		return base_err_set(err, ret, "%s: nothing happened within %llu us", h->ops->name,
				    (unsigned long long)(timeout_ns / BASE_NS_PER_US));
	case -ENODATA:
		return base_err_set(err, ret, "%s: nothing is pending, so nothing can complete",
				    h->ops->name);
	case -ENODEV:
		return base_err_set(err, ret, "%s: the device is not running%s%s", h->ops->name,
				    why->code ? ": " : "", why->code ? why->text : "");
	default:
		return base_err_set(err, ret, "%s: wait ended: %s", h->ops->name,
				    base_err_name(ret));
	}
}

int svc_handle_wait(struct svc_handle *h, u64 timeout_ns, struct base_err *err)
{
	u64 deadline;
	u64 next;
	int ret = h->ops->ready(h);

	if (ret == -EAGAIN) {
		next = svc_dev_process(h->dev);
		ret = h->ops->ready(h);
	}
	if (ret == -EAGAIN && timeout_ns) {
		if (!base_add_u64(drv_now_ns(h->dev->drv), timeout_ns, &deadline))
			deadline = SVC_FOREVER;
		ret = wait_blocking(h, deadline, next);
	}
	if (ret == -EAGAIN)
		ret = -ETIMEDOUT;
	return ret ? wait_error(h, ret, timeout_ns, err) : 0;
}

void svc_handle_kick(struct svc_handle *h)
{
	struct svc_list *node;

	base_for_each (node, &h->dev->waiters) {
		struct waiter *w = svc_list_entry(node, struct waiter, link);

		if (w->handle == h)
			wake_waiter(h->dev, w);
	}
}
