// SPDX-License-Identifier: MIT
#include "npud/npud.h"

#include <errno.h>
#include <string.h>

struct device {
	struct svc_host host;
	struct loop_source source;
	u32 idx;
};

struct npud {
	struct loop *loop;
	struct svc *svc;
	struct scheme *schemes[NPUD_MAX_SCHEMES];
	u32 nr_schemes;
	struct loop_source stop;
	const atomic_int *signalled;
	bool stopping;
	struct device dev[NPUD_MAX_DEVICES];
	u32 nr_devices;
};

static void device_ready(struct loop_source *source)
{
	/* npud_run() looks at every device each round */
	drv_event(base_container_of(source, struct device, source)->host.drv);
}

static void stop_ready(struct loop_source *source)
{
	base_container_of(source, struct npud, stop)->stopping = true;
}

/* Booted, in the service, and in the loop. */
static int add_device(struct npud *npud, const struct npud_config *cfg, const char *name,
		      struct base_err *err)
{
	const struct drv_config drv = { .firmware = cfg->firmware,
					.ignore_env = cfg->ignore_env,
					.log_level = cfg->log_level };
	struct device *dev = &npud->dev[npud->nr_devices];
	int ret = svc_host_open(name, &drv, NULL, &dev->host, err);

	if (ret)
		return ret;
	ret = svc_add_device(npud->svc, dev->host.drv, 0, &dev->idx);
	if (ret) {
		base_err_set(err, ret, "device %s: the service has no room for it", name);
		goto err_close;
	}
	dev->source = (struct loop_source){ .fd = svc_event_source(npud->svc, dev->idx),
					    .ready = device_ready };
	if (dev->source.fd < 0) {
		ret = base_err_set(err, dev->source.fd,
				   "device %s: raises no event an event loop could wait for; leave "
				   "out `stepped`",
				   name);
		goto err_remove;
	}
	ret = loop_add(npud->loop, &dev->source, LOOP_READ | LOOP_EDGE);
	if (ret) {
		base_err_set(err, ret, "device %s: %s", name, strerror(-ret));
		goto err_remove;
	}
	npud->nr_devices++;
	return 0;

err_remove:
	(void)!svc_remove_device(npud->svc, dev->idx, NULL);
err_close:
	svc_host_close(&dev->host);
	return ret;
}

static void remove_device(struct npud *npud, struct device *dev)
{
	loop_del(npud->loop, &dev->source);
	(void)!svc_remove_device(npud->svc, dev->idx, NULL);
	svc_host_close(&dev->host);
}

static int start(struct npud *npud, const struct npud_config *cfg, struct base_err *err)
{
	int ret = loop_create(&npud->loop);

	if (!ret)
		ret = svc_create(&cfg->limits, &npud->svc);
	npud->signalled = cfg->stop;
	if (!ret && cfg->stop_fd >= 0) {
		npud->stop = (struct loop_source){ .fd = cfg->stop_fd, .ready = stop_ready };
		ret = loop_add(npud->loop, &npud->stop, LOOP_READ);
	}
	if (ret)
		return base_err_set(err, ret, "no memory or descriptors for the daemon: %s",
				    strerror(-ret));
	for (u32 i = 0; i < cfg->nr_devices; i++) {
		ret = add_device(npud, cfg, cfg->devices[i], err);
		if (ret)
			return ret;
	}
	svc_offer(npud->svc, cfg->mmio, cfg->dma);
	for (u32 i = 0; i < cfg->nr_schemes; i++) {
		ret = scheme_create(npud->loop, npud->svc, &cfg->schemes[i], &npud->schemes[i],
				    err);
		if (ret)
			return ret;
		npud->nr_schemes++;
	}
	return 0;
}

int npud_create(const struct npud_config *cfg, struct npud **out, struct base_err *err)
{
	struct npud *npud = base_zalloc(sizeof(*npud));
	int ret;

	if (!npud)
		return base_err_set(err, -ENOMEM, "no memory for the daemon");
	ret = start(npud, cfg, err);
	if (ret)
		npud_destroy(npud);
	else
		*out = npud;
	return ret;
}

static bool settle(struct npud *npud)
{
	bool more = false;

	for (u32 i = 0; i < npud->nr_schemes; i++)
		more |= scheme_settle(npud->schemes[i]);
	return more;
}

int npud_run(struct npud *npud, struct base_err *err)
{
	while (!npud->stopping && !(npud->signalled && *npud->signalled)) {
		struct loop_wakeup wakeup;
		u64 left = svc_process(npud->svc, scheme_ready);
		int ret;

		if (settle(npud))
			left = 0;
		svc_listen(npud->svc, true);
		ret = loop_sleep(npud->loop, left, &wakeup);
		svc_listen(npud->svc, false);
		if (ret)
			return base_err_set(err, ret, "cannot wait for events: %s", strerror(-ret));
		loop_serve(&wakeup);
	}
	return 0;
}

void npud_destroy(struct npud *npud)
{
	for (u32 i = 0; i < npud->nr_schemes; i++)
		scheme_destroy(npud->schemes[i]);
	for (u32 i = 0; i < npud->nr_devices; i++)
		remove_device(npud, &npud->dev[i]);
	svc_destroy(npud->svc);
	loop_destroy(npud->loop);
	base_free(npud);
}
