// SPDX-License-Identifier: MIT
/*
 * Service and driver core in this process, the device here too (sim:) or behind a vfio-user socket
 * (vfio-user:).  The process owns the device, so its client is privileged and the quotas are the
 * machine's.
 */
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "client/dump_file.h"
#include "client/internal.h"
#include "driver/gen/gen.h"
#include "os/inproc.h"
#include "regs/gen.h"
#include "service/host.h"
#include "service/path.h"
#include "service/svc.h"

/* One process has the device for itself and is about to use it: it does not doze off in between. */
#define IDLE_MS 1000u

#define STEPPED_POLL_NS (10 * BASE_NS_PER_US) /* what a poll costs on the virtual clock */

struct sim {
	struct backend base;
	struct svc_host host;
	struct svc *svc;
	struct svc_client *client;
	u32 idx;
	const struct npu_open_options *options; /* while connecting */
	struct dump_files dumps;
};

static struct sim *to_sim(struct backend *be)
{
	return base_container_of(be, struct sim, base);
}

static void on_step(void *opaque, const struct drv_step_report *report)
{
	const struct sim *sim = opaque;
	struct npu_boot_step step = { .sequence = report->sequence,
				      .step = report->step,
				      .source = report->source,
				      .duration_ns = report->duration_ns,
				      .result = report->result };

	/* The shutdown's steps come when the caller's options are gone. */
	if (sim->options && sim->options->on_boot_step)
		sim->options->on_boot_step(sim->options->opaque, &step);
}

static void on_trouble(void *opaque, struct drv_dev *dev, const char *why)
{
	struct sim *sim = opaque;

	dump_files_write(&sim->dumps, dev, why);
}

static void on_failed(void *opaque, struct drv_dev *drv)
{
	const struct sim *sim = opaque;

	if (sim->options->on_register)
		drv_dump_registers(drv, sim->options->on_register, sim->options->opaque);
}

static struct svc_limits machine_limits(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long page_size = sysconf(_SC_PAGESIZE);
	struct svc_limits limits = { .contexts = UINT32_MAX, .queues = 256, .handles = 1u << 20 };

	if (pages > 0 && page_size > 0)
		limits.memory_bytes = (u64)pages * (u64)page_size;
	return limits;
}

static int serve(struct sim *sim, struct base_err *err)
{
	struct svc_cred cred = { .uid = (u32)geteuid(),
				 .pid = (u32)getpid(),
				 .privileged = true,
				 .name = "in process" };
	struct svc_limits limits = machine_limits();
	int ret = svc_create(&limits, &sim->svc);

	if (ret)
		return base_err_set(err, ret, "device: no memory for the service");
	ret = svc_add_device(sim->svc, sim->host.drv, sim->host.stepped ? STEPPED_POLL_NS : 0,
			     &sim->idx);
	if (ret)
		goto err_destroy;
	svc_offer(sim->svc, SVC_MMIO_RW, true); /* the device is this process's own */
	ret = svc_client_create(sim->svc, &cred, &sim->client);
	if (ret)
		goto err_remove;
	return 0;

err_remove:
	svc_remove_device(sim->svc, sim->idx, NULL);
err_destroy:
	svc_destroy(sim->svc);
	return base_err_set(err, ret, "device: no memory for the service");
}

static int bring_up(struct sim *sim, const char *device, struct base_err *err)
{
	const struct npu_open_options *options = sim->options;
	const struct drv_config cfg = { .firmware = options->firmware,
					.ignore_env = getauxval(AT_SECURE) != 0,
					.idle_ms = options->stay_awake ? DRV_NEVER : IDLE_MS,
					.on_step = on_step,
					.on_trouble = on_trouble,
					.opaque = sim };
	int ret = svc_host_open(device, &cfg, on_failed, &sim->host, err);

	if (ret)
		return ret;
	ret = serve(sim, err);
	if (ret)
		svc_host_close(&sim->host);
	return ret;
}

static int connect_any(const struct backend_ops *ops, const char *device,
		       const struct npu_open_options *options, struct backend **out,
		       struct base_err *err)
{
	struct sim *sim = base_zalloc(sizeof(*sim));
	int ret;

	if (!sim)
		return base_err_set(err, -ENOMEM, "device: no memory");
	sim->base.ops = ops;
	ret = dump_files_init(&sim->dumps, options, err);
	if (ret)
		goto err_free;
	sim->options = options;
	ret = bring_up(sim, device, err);
	sim->options = NULL;
	if (ret)
		goto err_dump_fini;
	*out = &sim->base;
	return 0;

err_dump_fini:
	dump_files_fini(&sim->dumps);
err_free:
	base_free(sim);
	return ret;
}

static int sim_connect(const char *device, const struct npu_open_options *options,
		       struct backend **out, struct base_err *err)
{
	return connect_any(&backend_sim, device, options, out, err);
}

static int vfio_user_connect(const char *device, const struct npu_open_options *options,
			     struct backend **out, struct base_err *err)
{
	return connect_any(&backend_vfio_user, device, options, out, err);
}

static void sim_disconnect(struct backend *be)
{
	struct sim *sim = to_sim(be);

	svc_client_close(sim->client);
	svc_remove_device(sim->svc, sim->idx, NULL); /* if not in order, then by drv_destroy() */
	svc_destroy(sim->svc);
	svc_host_close(&sim->host);
	dump_files_fini(&sim->dumps);
	base_free(sim);
}

static int sim_open(struct backend *be, const char *path, u32 *handle, struct base_err *err)
{
	struct sim *sim = to_sim(be);
	char full[SVC_PATH_MAX + 16];

	if (svc_path_is_raw(path))
		return svc_open(sim->client, path, handle, err);
	snprintf(full, sizeof(full), "%u/%s", sim->idx, path);
	return svc_open(sim->client, full, handle, err);
}

static int sim_dup(struct backend *be, u32 handle, const char *path, int fd, u32 *out,
		   struct base_err *err)
{
	return svc_import(to_sim(be)->client, handle, path, fd, out, err);
}

static s64 sim_read(struct backend *be, u32 handle, void *buf, u64 size, struct base_err *err)
{
	return svc_read(to_sim(be)->client, handle, buf, size, err);
}

static s64 sim_write(struct backend *be, u32 handle, const void *buf, u64 size,
		     struct base_err *err)
{
	return svc_write(to_sim(be)->client, handle, buf, size, err);
}

static int sim_call(struct backend *be, u32 handle, void *arg, u64 size, struct base_err *err)
{
	return svc_call(to_sim(be)->client, handle, arg, size, err);
}

static int sim_map(struct backend *be, u32 handle, void **cpu, struct base_err *err)
{
	struct svc_mapping mapping;
	int ret = svc_map(to_sim(be)->client, handle, &mapping, err);

	if (!ret)
		*cpu = mapping.cpu;
	return ret;
}

static int sim_wait(struct backend *be, u32 handle, u64 timeout_ns, struct base_err *err)
{
	return svc_wait(to_sim(be)->client, handle, timeout_ns, err);
}

static int sim_close(struct backend *be, u32 handle, struct base_err *err)
{
	return svc_close(to_sim(be)->client, handle, err);
}

static void sim_query(struct backend *be, struct npu_device_info *out)
{
	struct sim *sim = to_sim(be);

	out->device_create_ns = sim->host.create_ns;
	for (u32 cls = 0; cls < OS_INPROC_NR_CLASSES; cls++)
		out->findings += os_inproc_nr_findings(sim->host.os, (enum os_inproc_class)cls);
}

/* What the other side found, it tells in its own log. */
static void vfio_user_query(struct backend *be, struct npu_device_info *out)
{
	out->device_create_ns = to_sim(be)->host.create_ns;
}

static void sim_list(void (*item)(void *opaque, const char *device, const char *description),
		     void *opaque)
{
	for (unsigned int i = 0; reg_gen_by_idx(i); i++) {
		const struct reg_gen *gen = reg_gen_by_idx(i);
		char device[64], description[128];

		if (!drv_gen_find(gen))
			continue; /* the model knows more than the driver */
		snprintf(device, sizeof(device), SIM_PREFIX "%s", gen->name);
		snprintf(description, sizeof(description), "virtual NPU in this process (%s, %s)",
			 gen->ids[0].product, gen->ip_name);
		item(opaque, device, description);
	}
}

const struct backend_ops backend_sim = {
	.prefix = SIM_PREFIX,
	.form = SIM_FORM,
	.connect = sim_connect,
	.disconnect = sim_disconnect,
	.open = sim_open,
	.dup = sim_dup,
	.read = sim_read,
	.write = sim_write,
	.call = sim_call,
	.map = sim_map,
	.wait = sim_wait,
	.close = sim_close,
	.query = sim_query,
	.list = sim_list,
};

const struct backend_ops backend_vfio_user = {
	.prefix = SVC_VFIO_USER_PREFIX,
	.form = SVC_VFIO_USER_FORM,
	.connect = vfio_user_connect,
	.disconnect = sim_disconnect,
	.open = sim_open,
	.dup = sim_dup,
	.read = sim_read,
	.write = sim_write,
	.call = sim_call,
	.map = sim_map,
	.wait = sim_wait,
	.close = sim_close,
	.query = vfio_user_query,
};
