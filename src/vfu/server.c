// SPDX-License-Identifier: MIT
/* A device, its clients, its thread (vfu.h). */
#include "vfu/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "regs/gen.h"
#include "vnpu/vnpu.h"

#define MAX_FINDINGS_LOGGED 200u
#define TELL_AGAIN_NS	    UINT64_C(10000000000)

static_assert(VFU_NR_CLASSES == (int)VNPU_NR_CLASSES, "one list of classes");

/*
 * What the model calls: under its lock, in any thread
 */

void vfu_finding(struct vfu_server *srv, enum vfu_class cls, const char *where, const char *text)
{
	static const char *const names[] = { "guest error", "unspecified", "unimplemented",
					     "model bug" };
	u32 nr = atomic_fetch_add(&srv->told[cls], 1) + 1;

	atomic_fetch_add(&srv->findings[cls], 1);
	if (nr > MAX_FINDINGS_LOGGED) {
		atomic_store(&srv->told[cls], MAX_FINDINGS_LOGGED); /* or it would wrap around */
		return;
	}
	vfu_log(srv, BASE_LOG_WARN, "finding: %s: %s: %s%s", names[cls], where, text,
		nr == MAX_FINDINGS_LOGGED ? " (no more of this class are told)" : "");
}

/* What a device makes of memory that went away with its client is nobody's fault. */
static void on_finding(void *opaque, const struct vnpu_finding *finding)
{
	struct vfu_server *srv = opaque;

	if (!atomic_load(&srv->orphaned) || finding->cls != VNPU_GUEST_ERROR)
		vfu_finding(srv, (enum vfu_class)finding->cls, finding->where, finding->text);
}

static void on_msi(void *opaque, unsigned vector)
{
	struct vfu_server *srv = opaque;

	(void)vector;
	vfu_irq_fire(&srv->irq);
}

static void on_trace(void *opaque, u64 time_ns, const char *line)
{
	struct vfu_server *srv = opaque;

	vnpu_trace_write(srv->cfg.trace, time_ns, line);
}

/* Memory without a descriptor, in pieces the client takes. */
static int remote(struct vfu_server *srv, enum vfu_cmd cmd, u64 addr, u8 *buf, u32 len)
{
	u32 max = (u32)base_min(srv->caps.max_data_xfer_size, (u64)VFU_MAX_XFER);
	int ret = max ? 0 : -EIO;

	for (u32 n; !ret && len; addr += n, buf += n, len -= n) {
		n = base_min(len, max);
		ret = vfu_pump_dma(&srv->pump, cmd, addr, buf, n);
	}
	if (BASE_UNLIKELY(ret == -ENOTCONN))
		atomic_store(&srv->orphaned, true);
	return ret;
}

static int read_remote(void *opaque, u64 addr, void *buf, u32 len)
{
	return remote(opaque, VFU_DMA_READ, addr, buf, len);
}

static int write_remote(void *opaque, u64 addr, const void *buf, u32 len)
{
	u8 copy[VFU_MAX_XFER];
	int ret;

	if (len > sizeof(copy))
		return -EINVAL;
	memcpy(copy, buf, len);
	ret = remote(opaque, VFU_DMA_WRITE, addr, copy, len);
	return ret == -EIO ? ret : 0;
}

/*
 * One client
 */

/* The next client finds the device as after power-on, and nothing of this one. */
static void forget_client(struct vfu_server *srv)
{
	vnpu_reset(srv->vnpu);
	vfu_msix_reset(&srv->msix);
	vfu_irq_clear(&srv->irq);
	vfu_dma_unmap_all(&srv->dma);
	if (atomic_exchange(&srv->dma.lost, false))
		vfu_finding(srv, VFU_GUEST_ERROR, "DMA",
			    "the client took memory away while the device used it");
	if (srv->cfg.trace)
		fflush(srv->cfg.trace);
}

/* What came cannot be a message. */
static void told_off(struct vfu_server *srv)
{
	const struct vfu_hdr *at = &srv->pump.offence;
	char text[200];

	snprintf(text, sizeof(text),
		 "ended at id %u, command %u, %u bytes, flags 0x%x: no message (expected a size of "
		 "%zu to %u bytes, at most %u descriptors, no answer unasked)",
		 at->id, at->cmd, at->size, at->flags, sizeof(struct vfu_hdr), VFU_MAX_MSG,
		 VFU_MAX_FDS);
	vfu_finding(srv, VFU_GUEST_ERROR, "connection", text);
	(void)vfu_pump_refuse(&srv->pump); /* if he still listens */
}

static void log_end(struct vfu_server *srv, int ret)
{
	if (ret == -ENOTCONN && vfu_pump_unanswered(&srv->pump))
		vfu_log(srv, BASE_LOG_WARN,
			"client has gone without an answer to the device, which asked for its "
			"memory; one that cannot answer while it waits itself, as QEMU, must "
			"share memory (memory-backend-memfd,share=on)");
	else if (ret == -ENOTCONN)
		vfu_log(srv, BASE_LOG_INFO, "client has gone");
	else if (ret == -EPROTO)
		told_off(srv);
	else if (ret == -ENOBUFS)
		vfu_finding(srv, VFU_GUEST_ERROR, "connection",
			    "ended: 4 MiB of commands, or 64 descriptors, came before the answer "
			    "the device waits for");
	else
		vfu_log(srv, BASE_LOG_WARN, "connection ended: %s", strerror(-ret));
}

/* Stopping and a new client: either sees the other. */
static bool begin_client(struct vfu_server *srv, int fd)
{
	bool ok;

	pthread_mutex_lock(&srv->lock);
	ok = !srv->stopping;
	if (ok)
		srv->client_fd = fd;
	pthread_mutex_unlock(&srv->lock);
	return ok;
}

static void end_client(struct vfu_server *srv)
{
	pthread_mutex_lock(&srv->lock);
	srv->client_fd = -1;
	pthread_mutex_unlock(&srv->lock);
}

/* The next client's findings are worth telling; not those of one that comes every millisecond. */
static void tell_again(struct vfu_server *srv)
{
	u64 now_ns = base_clock_ns();

	if (srv->told_ns && now_ns - srv->told_ns < TELL_AGAIN_NS)
		return;
	srv->told_ns = now_ns;
	for (u32 i = 0; i < VFU_NR_CLASSES; i++)
		atomic_store(&srv->told[i], 0);
}

static int open_connection(struct vfu_server *srv, int fd)
{
	if (!begin_client(srv, fd)) {
		close(fd);
		return -ECANCELED;
	}
	vfu_log(srv, BASE_LOG_INFO, "client connected");
	vfu_pump_open(&srv->pump, fd);
	vfu_caps_default(&srv->caps);
	srv->negotiated = false;
	srv->failed = false;
	srv->told_slow = false;
	atomic_store(&srv->orphaned, false);
	srv->nr_complaints = 0;
	tell_again(srv);
	return 0;
}

static void close_connection(struct vfu_server *srv, int why)
{
	log_end(srv, why);
	vfu_pump_break(&srv->pump, why);
	forget_client(srv);
	end_client(srv);
	vfu_pump_close(&srv->pump);
}

static int serve_one(struct vfu_server *srv)
{
	struct vfu_msg msg;
	int ret = vfu_pump_recv(&srv->pump, &msg);

	return ret ? ret : vfu_cmd_handle(srv, &msg);
}

int vfu_server_serve(struct vfu_server *srv, int fd)
{
	int ret = open_connection(srv, fd);

	if (ret)
		return ret;
	do
		ret = serve_one(srv);
	while (!ret);
	close_connection(srv, ret);
	return ret == -ENOTCONN ? 0 : ret;
}

/*
 * A client in the caller's own loop, or thread
 */

int vfu_server_attach(struct vfu_server *srv, int fd)
{
	int flags = fcntl(fd, F_GETFL), ret;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret = open_connection(srv, fd);
	srv->attached = !ret;
	return ret;
}

int vfu_server_turn(struct vfu_server *srv)
{
	int ret = srv->attached ? serve_one(srv) : -ENOTCONN;

	if (!ret || ret == -EAGAIN)
		return 0;
	if (srv->attached)
		close_connection(srv, ret);
	srv->attached = false;
	return ret;
}

void vfu_server_detach(struct vfu_server *srv)
{
	if (srv->attached)
		close_connection(srv, -ENOTCONN);
	srv->attached = false;
}

void vfu_server_interrupt(struct vfu_server *srv)
{
	vfu_irq_fire(&srv->irq);
}

/*
 * The thread
 */

/* The next client, or -1: the server is to stop. */
static int next_client(struct vfu_server *srv)
{
	struct pollfd fds[] = { { .fd = srv->socket.fd, .events = POLLIN },
				{ .fd = srv->stop_fd, .events = POLLIN } };

	for (;;) {
		int fd;

		if (poll(fds, BASE_ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -1;
		if (fds[1].revents)
			return -1;
		fd = accept4(srv->socket.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			(void)poll(&fds[1], 1, 100); /* another device's client may leave */
	}
}

static void *thread_main(void *arg)
{
	struct vfu_server *srv = arg;
	int fd;

	while ((fd = next_client(srv)) >= 0)
		(void)vfu_server_serve(srv, fd);
	return NULL;
}

int vfu_server_listen(struct vfu_server *srv, const char *path, struct base_err *err)
{
	int ret = vfu_socket_open(&srv->socket, path, err);

	if (ret)
		return ret;
	ret = -pthread_create(&srv->thread, NULL, thread_main, srv);
	if (ret) {
		vfu_socket_close(&srv->socket);
		return base_err_set(err, ret, "%s: no thread for the device", srv->cfg.name);
	}
	srv->has_thread = true;
	return 0;
}

void vfu_server_stop(struct vfu_server *srv)
{
	const u64 one = 1;

	pthread_mutex_lock(&srv->lock);
	srv->stopping = true;
	if (srv->client_fd >= 0)
		shutdown(srv->client_fd, SHUT_RDWR);
	pthread_mutex_unlock(&srv->lock);
	if (!srv->has_thread)
		return;
	if (write(srv->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(srv->thread, NULL);
	srv->has_thread = false;
}

/*
 * Life
 */

static int create_vnpu(struct vfu_server *srv, struct base_err *err)
{
	const struct reg_gen *gen =
		srv->cfg.gen ? reg_gen_by_name(srv->cfg.gen)
			     : reg_gen_by_pci(REG_PCI_VENDOR_INTEL, srv->cfg.device_id, NULL);
	struct vnpu_config vcfg = { .device_id = srv->cfg.device_id,
				    .mode = srv->cfg.stepped ? VNPU_STEPPED : VNPU_THREADED,
				    .engine = srv->cfg.engine,
				    .opaque = srv,
				    .msi = on_msi,
				    .finding = on_finding,
				    .trace = srv->cfg.trace ? on_trace : NULL };
	char why[300] = "";
	int ret;

	srv->vnpu = srv->cfg.vnpu;
	if (srv->vnpu)
		return 0;
	if (!gen)
		return base_err_set(err, -EINVAL, "%s: 8086:%04x is no NPU", srv->cfg.name,
				    srv->cfg.device_id);
	vcfg.gen = gen->name;
	ret = vnpu_create(&vcfg, &srv->vnpu, why, sizeof(why));
	if (ret)
		return base_err_set(err, ret, "%s: %s", srv->cfg.name,
				    why[0] ? why : base_err_name(ret));
	if (srv->cfg.trace)
		vnpu_trace_head(srv->cfg.trace, srv->vnpu);
	return 0;
}

static void destroy_vnpu(struct vfu_server *srv)
{
	if (!srv->cfg.vnpu)
		vnpu_destroy(srv->vnpu);
}

static int create_parts(struct vfu_server *srv, struct base_err *err)
{
	const struct vnpu_remote remote = { srv, read_remote, write_remote };
	int ret = vfu_irq_init(&srv->irq, true, srv->cfg.msix);

	if (ret)
		goto err_set;
	ret = vfu_pump_init(&srv->pump);
	if (ret)
		goto err_irq;
	ret = create_vnpu(srv, err);
	if (ret)
		goto err_pump;
	if (srv->cfg.msix)
		ret = vfu_msix_init(&srv->msix, srv->vnpu);
	if (ret)
		goto err_vnpu;
	ret = vfu_dma_init(&srv->dma, srv->vnpu, &remote);
	if (ret)
		goto err_vnpu;
	srv->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (srv->stop_fd >= 0)
		return 0;
	ret = -errno;
	vfu_dma_fini(&srv->dma);
err_vnpu:
	destroy_vnpu(srv);
	base_err_set(err, ret, "%s: %s", srv->cfg.name, strerror(-ret));
err_pump:
	vfu_pump_fini(&srv->pump);
err_irq:
	vfu_irq_fini(&srv->irq);
	return ret;
err_set:
	return base_err_set(err, ret, "%s: no mutex", srv->cfg.name);
}

int vfu_server_create(const struct vfu_config *cfg, struct vfu_server **out, struct base_err *err)
{
	struct vfu_server *srv = base_zalloc(sizeof(*srv));
	int ret;

	if (!srv)
		return base_err_set(err, -ENOMEM, "%s: no memory", cfg->name);
	srv->cfg = *cfg;
	srv->socket = (struct vfu_socket){
		.type = SOCK_STREAM, .mode = 0600, .group = (gid_t)-1, .fd = -1
	};
	srv->client_fd = -1;
	ret = -pthread_mutex_init(&srv->lock, NULL);
	if (ret) {
		base_err_set(err, ret, "%s: no mutex", cfg->name);
		goto err_free;
	}
	ret = create_parts(srv, err);
	if (ret)
		goto err_mutex;
	*out = srv;
	return 0;

err_mutex:
	pthread_mutex_destroy(&srv->lock);
err_free:
	base_free(srv);
	return ret;
}

void vfu_server_destroy(struct vfu_server *srv)
{
	if (!srv)
		return;
	vfu_server_stop(srv);
	vfu_server_detach(srv);
	vfu_socket_close(&srv->socket);
	close(srv->stop_fd);
	vfu_dma_fini(&srv->dma);
	destroy_vnpu(srv); /* its threads may interrupt until here */
	vfu_pump_fini(&srv->pump);
	vfu_irq_fini(&srv->irq);
	pthread_mutex_destroy(&srv->lock);
	base_free(srv);
}

int vfu_server_fault(struct vfu_server *srv, const char *name, u32 count)
{
	return vnpu_fault(srv->vnpu, name, count);
}

void vfu_server_mark(struct vfu_server *srv, const char *name)
{
	vnpu_trace_mark(srv->vnpu, name);
}

u64 vfu_server_findings(const struct vfu_server *srv, enum vfu_class cls)
{
	return atomic_load(&srv->findings[cls]);
}

u64 vfu_server_unheard(struct vfu_server *srv)
{
	u64 nr;

	pthread_mutex_lock(&srv->irq.lock);
	nr = srv->irq.dropped;
	pthread_mutex_unlock(&srv->irq.lock);
	return nr;
}

struct vnpu *vfu_server_vnpu(struct vfu_server *srv)
{
	return srv->vnpu;
}
