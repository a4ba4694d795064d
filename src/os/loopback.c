// SPDX-License-Identifier: MIT
/* A device behind a socket in one thread (loopback.h). */
#include "os/loopback.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/inproc.h"
#include "os/vfio_user.h"
#include "vfu/vfu.h"
#include "vnpu/vnpu.h"

#define PATIENCE_S 60 /* of a client whom the server owes an answer: a bug, not a hang */

struct os_loopback {
	struct os_device *client, *npu;
	struct vfu_server *srv;
	char complaint[300]; /* the first */
};

/* The device's interrupts are the server's to send on. */
static void pass_on(struct os_loopback *l)
{
	if (l->npu->ops->irq_ack(l->npu))
		vfu_server_interrupt(l->srv);
}

static void turn(void *opaque)
{
	struct os_loopback *l = opaque;
	int ret = vfu_server_turn(l->srv);

	(void)ret; /* the client sees that the server has gone */
	pass_on(l);
}

static u64 now_ns(void *opaque)
{
	struct os_loopback *l = opaque;

	return l->npu->ops->now_ns(l->npu);
}

static bool step(void *opaque, u64 until_ns)
{
	struct os_loopback *l = opaque;
	bool done = vnpu_step(os_inproc_vnpu(l->npu), until_ns);

	pass_on(l);
	return done;
}

static void collect(void *opaque, enum base_log_level level, const char *text)
{
	struct os_loopback *l = opaque;

	if (level <= BASE_LOG_WARN && !l->complaint[0])
		snprintf(l->complaint, sizeof(l->complaint), "%s", text);
}

static int create_server(struct os_loopback *l, struct base_err *err)
{
	const struct vfu_config cfg = {
		.name = l->npu->location,
		.vnpu = os_inproc_vnpu(l->npu),
		.log = { .level = BASE_LOG_WARN, .sink = collect, .opaque = l }
	};

	return vfu_server_create(&cfg, &l->srv, err);
}

static int connect_both(struct os_loopback *l, bool scatter, struct base_err *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const struct os_vfio_user_peer peer = {
		.opaque = l, .turn = turn, .now_ns = now_ns, .step = step, .scatter = scatter
	};
	int fds[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return base_err_set(err, -errno, "loopback: no sockets: %s", strerror(errno));
	if (setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience))) {
		ret = base_err_set(err, -errno, "loopback: %s", strerror(errno));
		goto err_close;
	}
	ret = vfu_server_attach(l->srv, fds[0]);
	if (ret) {
		close(fds[1]);
		return base_err_set(err, ret, "loopback: no connection: %s", base_err_name(ret));
	}
	return os_vfio_user_attach(fds[1], &peer, &l->client, err);

err_close:
	close(fds[0]);
	close(fds[1]);
	return ret;
}

int os_loopback_create(struct os_device *npu, bool scatter, struct os_loopback **out,
		       struct base_err *err)
{
	struct os_loopback *l;
	int ret;

	if (!os_inproc_is_stepped(npu))
		return base_err_set(err, -EINVAL, "loopback: %s has no virtual clock",
				    npu->location);
	l = base_zalloc(sizeof(*l));
	if (!l)
		return base_err_set(err, -ENOMEM, "loopback: no memory");
	l->npu = npu;
	ret = create_server(l, err);
	if (ret)
		goto err_free;
	ret = connect_both(l, scatter, err);
	if (ret)
		goto err_server;
	*out = l;
	return 0;

err_server:
	vfu_server_destroy(l->srv);
err_free:
	base_free(l);
	return ret;
}

void os_loopback_destroy(struct os_loopback *l)
{
	if (!l)
		return;
	os_vfio_user_destroy(l->client);
	vfu_server_destroy(l->srv);
	base_free(l);
}

struct os_device *os_loopback_seam(struct os_loopback *l)
{
	return l->client;
}

void os_loopback_hang_up(struct os_loopback *l)
{
	vfu_server_detach(l->srv);
}

const char *os_loopback_complaint(const struct os_loopback *l)
{
	return l->complaint[0] ? l->complaint : NULL;
}
