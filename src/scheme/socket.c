// SPDX-License-Identifier: MIT
/*
 * Connections: one client each.  A request is served when it is read, one a round, so that nobody
 * waits for a neighbour's batch; the reply to a client that does not read them waits in its
 * connection, and so do its further requests.
 */
#include "scheme/scheme.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/npud.h"
#include "scheme/frame.h"
#include "service/list.h"
#include "vfu/socket.h"

#define MAX_CLIENTS 1024u

struct scheme {
	struct loop *loop;
	struct svc *svc;
	struct loop_source listener;
	struct vfu_socket file;
	int spare; /* for who comes when there are no more descriptors */
	struct svc_list conns;
	u32 nr_conns;
	struct frame_in in;   /* the request that is served */
	struct frame_out out; /* its answer */
};

struct event { /* of a handle */
	u32 handle;
	int fd; /* our end */
};

struct conn {
	struct loop_source source;
	struct svc_list link;
	struct scheme *scheme;
	struct svc_client *client; /* NULL until it said hello */
	struct svc_cred cred;
	struct event *events;
	u32 nr_events, max_events;
	struct frame_out *unsent; /* what it did not take yet */
};

/*
 * Events
 */

static struct event *find_event(const struct conn *conn, u32 handle)
{
	for (u32 i = 0; i < conn->nr_events; i++)
		if (conn->events[i].handle == handle)
			return &conn->events[i];
	return NULL;
}

/*
 * Two ends, each with flags of its own: he can make his block, not ours.  (One open file for both,
 * such as an eventfd, would let him stop the daemon.)
 */
static int add_event(struct conn *conn, u32 handle, int *theirs)
{
	struct event *events;
	u32 max = conn->max_events ? conn->max_events * 2 : 8;
	int ends[2];

	if (conn->nr_events == conn->max_events) {
		events = base_realloc_array(conn->events, max, sizeof(*events));
		if (!events)
			return -ENOMEM;
		conn->events = events;
		conn->max_events = max;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -errno;
	(void)!shutdown(ends[0], SHUT_RD); /* nothing he sends is kept for us */
	conn->events[conn->nr_events++] = (struct event){ .handle = handle, .fd = ends[0] };
	*theirs = ends[1];
	return 0;
}

static void drop_event(struct conn *conn, u32 handle)
{
	struct event *event = find_event(conn, handle);

	if (!event)
		return;
	close(event->fd);
	*event = conn->events[--conn->nr_events];
}

void scheme_ready(void *transport, u32 handle)
{
	const struct event *event = find_event(transport, handle);
	const u64 count = 1;

	if (event) /* else he did not ask for a descriptor to be told by; full: he was told */
		(void)!send(event->fd, &count, sizeof(count), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/*
 * Requests: each puts its answer into the socket's out
 */

static int do_hello(struct conn *conn, struct frame_in *in, struct frame_out *out,
		    struct base_err *err)
{
	struct abi_npud_hello hello;
	char name[sizeof(hello.name) + 1] = "";
	int ret;

	if (in->head.size != sizeof(hello))
		return base_err_set(err, -EINVAL, "hello: %u bytes, expected %zu", in->head.size,
				    sizeof(hello));
	memcpy(&hello, in->payload, sizeof(hello));
	if (hello.magic != ABI_NPUD_MAGIC || hello.version != ABI_NPUD_VERSION)
		return base_err_set(err, -EPROTO,
				    "hello: magic 0x%x, version %u; this npud speaks 0x%x, %u",
				    hello.magic, hello.version, ABI_NPUD_MAGIC, ABI_NPUD_VERSION);
	if (conn->client)
		return base_err_set(err, -EPROTO, "hello: was said already");
	memcpy(name, hello.name, sizeof(hello.name));
	conn->cred.name = name;
	ret = svc_client_create(conn->scheme->svc, &conn->cred, &conn->client);
	conn->cred.name = NULL;
	if (ret)
		return base_err_set(err, ret, "hello: no memory for another client");
	return frame_put(out, &hello, sizeof(hello));
}

static int do_open(struct conn *conn, struct frame_in *in, struct frame_out *out,
		   struct base_err *err)
{
	const char *path = frame_text(in);
	u32 handle = 0;
	int ret = path ? svc_open(conn->client, path, &handle, err)
		       : base_err_set(err, -EINVAL, "open: the path has a NUL in it");

	out->head.result = handle;
	return ret;
}

static int do_dup(struct conn *conn, struct frame_in *in, struct frame_out *out,
		  struct base_err *err)
{
	const char *path = frame_text(in);
	u32 handle = 0;
	int ret = path ? svc_import(conn->client, in->head.handle, path, in->fd, &handle, err)
		       : base_err_set(err, -EINVAL, "dup: the path has a NUL in it");

	out->head.result = handle;
	return ret;
}

static int do_read(struct conn *conn, struct frame_in *in, struct frame_out *out,
		   struct base_err *err)
{
	u64 size = base_min(in->head.arg, (u64)sizeof(out->payload));
	s64 ret = svc_read(conn->client, in->head.handle, out->payload, size, err);

	out->head.result = ret;
	out->head.size = ret > 0 ? (u32)ret : 0;
	return ret < 0 ? (int)ret : 0;
}

static int do_write(struct conn *conn, struct frame_in *in, struct frame_out *out,
		    struct base_err *err)
{
	s64 ret = svc_write(conn->client, in->head.handle, in->payload, in->head.size, err);

	out->head.result = ret;
	return ret < 0 ? (int)ret : 0;
}

static int do_post(struct conn *conn, struct frame_in *in, struct frame_out *out,
		   struct base_err *err)
{
	(void)out;
	return svc_post(conn->client, in->head.handle, in->payload, in->head.size, err);
}

static int do_call(struct conn *conn, struct frame_in *in, struct frame_out *out,
		   struct base_err *err)
{
	memcpy(out->payload, in->payload, in->head.size);
	out->head.size = in->head.size;
	return svc_call(conn->client, in->head.handle, out->payload, in->head.size, err);
}

static int do_map(struct conn *conn, struct frame_in *in, struct frame_out *out,
		  struct base_err *err)
{
	struct svc_mapping mapping;
	int ret = svc_map(conn->client, in->head.handle, &mapping, err);

	if (ret)
		return ret;
	out->head.result = (s64)mapping.size_bytes;
	out->fd = mapping.fd;
	return 0;
}

static int do_stat(struct conn *conn, struct frame_in *in, struct frame_out *out,
		   struct base_err *err)
{
	struct svc_stat stat;
	int ret = svc_stat(conn->client, in->head.handle, &stat, err);

	if (ret)
		return ret;
	out->head.result = (s64)stat.size_bytes;
	return frame_put(out, stat.kind, strlen(stat.kind));
}

static int do_ready(struct conn *conn, struct frame_in *in, struct frame_out *out,
		    struct base_err *err)
{
	(void)out;
	return svc_wait(conn->client, in->head.handle, 0, err);
}

static int do_event(struct conn *conn, struct frame_in *in, struct frame_out *out,
		    struct base_err *err)
{
	int ret = svc_arm(conn->client, in->head.handle, err);

	if (ret || !in->head.arg)
		return ret;
	/* one may be left from a handle of this number that went with its context */
	drop_event(conn, in->head.handle);
	ret = add_event(conn, in->head.handle, &out->fd);
	if (ret)
		return base_err_set(err, ret, "event: no descriptor left: %s", strerror(-ret));
	out->give = true;
	return 0;
}

static int do_seek(struct conn *conn, struct frame_in *in, struct frame_out *out,
		   struct base_err *err)
{
	u32 whence = UINT32_MAX; /* none there is */
	s64 ret;

	if (in->head.size == sizeof(whence))
		memcpy(&whence, in->payload, sizeof(whence));
	ret = svc_seek(conn->client, in->head.handle, (s64)in->head.arg, whence, err);
	out->head.result = ret;
	return ret < 0 ? (int)ret : 0;
}

static int do_close(struct conn *conn, struct frame_in *in, struct frame_out *out,
		    struct base_err *err)
{
	(void)out;
	drop_event(conn, in->head.handle);
	return svc_close(conn->client, in->head.handle, err);
}

static int (*const ops[ABI_NPUD_NR_OPS])(struct conn *conn, struct frame_in *in,
					 struct frame_out *out, struct base_err *err) = {
	[ABI_NPUD_HELLO] = do_hello, [ABI_NPUD_OPEN] = do_open,	  [ABI_NPUD_DUP] = do_dup,
	[ABI_NPUD_READ] = do_read,   [ABI_NPUD_WRITE] = do_write, [ABI_NPUD_POST] = do_post,
	[ABI_NPUD_CALL] = do_call,   [ABI_NPUD_MAP] = do_map,	  [ABI_NPUD_STAT] = do_stat,
	[ABI_NPUD_READY] = do_ready, [ABI_NPUD_EVENT] = do_event, [ABI_NPUD_CLOSE] = do_close,
	[ABI_NPUD_SEEK] = do_seek,
};

/*
 * Connections
 */

static void conn_close(struct conn *conn)
{
	svc_client_close(conn->client);
	for (u32 i = 0; i < conn->nr_events; i++)
		close(conn->events[i].fd);
	base_free(conn->events);
	base_free(conn->unsent);
	loop_del(conn->scheme->loop, &conn->source);
	close(conn->source.fd);
	svc_list_del(&conn->link);
	conn->scheme->nr_conns--;
	base_free(conn);
}

/* Descriptors do not wait: they could be closed meanwhile.  He asks again. */
static int keep_unsent(struct conn *conn, const struct frame_out *out)
{
	if (out->fd >= 0)
		return -EAGAIN;
	conn->unsent = base_zalloc(sizeof(*out));
	if (!conn->unsent)
		return -ENOMEM;
	memcpy(conn->unsent, out, sizeof(*out));
	return loop_set(conn->scheme->loop, &conn->source, LOOP_WRITE);
}

static int send_unsent(struct conn *conn)
{
	int ret = frame_send(conn->source.fd, conn->unsent);

	if (ret)
		return ret == -EAGAIN ? 0 : ret;
	base_free(conn->unsent);
	conn->unsent = NULL;
	return loop_set(conn->scheme->loop, &conn->source, LOOP_READ);
}

static void serve(struct conn *conn, struct frame_in *in, struct frame_out *out)
{
	struct base_err err = { 0 };
	const u16 op = in->head.op;
	int ret;

	frame_init(out, in->head.tag);
	if (op >= ABI_NPUD_NR_OPS || !ops[op])
		ret = base_err_set(&err, -ENOSYS, "request %u is not known", op);
	else if (!conn->client && op != ABI_NPUD_HELLO)
		ret = base_err_set(&err, -EPROTO, "request %u before hello", op);
	else
		ret = ops[op](conn, in, out, &err);
	if (ret)
		frame_fail(out, ret, err.text);
}

/* A negative errno ends the connection. */
static int serve_next(struct conn *conn)
{
	struct scheme *scheme = conn->scheme;
	int ret = frame_recv(conn->source.fd, &scheme->in);

	if (ret)
		return ret == -EAGAIN ? 0 : ret;
	serve(conn, &scheme->in, &scheme->out);
	frame_done(&scheme->in);
	if (scheme->in.head.op == ABI_NPUD_POST)
		return scheme->out.head.result < 0 ? -EPROTO : 0; /* he has no way to hear of it */
	ret = frame_send(conn->source.fd, &scheme->out);
	if (scheme->out.give)
		close(scheme->out.fd);
	return ret == -EAGAIN ? keep_unsent(conn, &scheme->out) : ret;
}

static void conn_ready(struct loop_source *source)
{
	struct conn *conn = base_container_of(source, struct conn, source);

	if (conn->unsent ? send_unsent(conn) : serve_next(conn))
		conn_close(conn);
}

static int peer(int fd, struct svc_cred *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	*out = (struct svc_cred){ .uid = cred.uid,
				  .pid = (u32)cred.pid,
				  .privileged = cred.uid == 0 || cred.uid == geteuid(),
				  .remote = true };
	return 0;
}

static int conn_open(struct scheme *scheme, int fd)
{
	struct conn *conn = base_zalloc(sizeof(*conn));
	int ret;

	if (!conn)
		return -ENOMEM;
	ret = peer(fd, &conn->cred);
	if (ret)
		goto err_free;
	conn->cred.transport = conn;
	conn->scheme = scheme;
	conn->source = (struct loop_source){ .fd = fd, .ready = conn_ready };
	ret = loop_add(scheme->loop, &conn->source, LOOP_READ);
	if (ret)
		goto err_free;
	svc_list_add(&scheme->conns, &conn->link);
	scheme->nr_conns++;
	return 0;

err_free:
	base_free(conn);
	return ret;
}

static void spare_open(struct scheme *scheme)
{
	scheme->spare = fcntl(scheme->file.fd, F_DUPFD_CLOEXEC, 0);
}

static void spare_close(struct scheme *scheme)
{
	if (scheme->spare >= 0)
		close(scheme->spare);
}

static int take(const struct scheme *scheme)
{
	return accept4(scheme->file.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Left where he is he would wake us for ever, and wait as long. */
static void send_away(struct scheme *scheme)
{
	int fd;

	spare_close(scheme);
	fd = take(scheme);
	if (fd >= 0)
		close(fd);
	spare_open(scheme);
}

static void listener_ready(struct loop_source *source)
{
	struct scheme *scheme = base_container_of(source, struct scheme, listener);
	int fd = take(scheme);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		send_away(scheme);
	if (fd < 0)
		return;
	if (scheme->nr_conns >= MAX_CLIENTS || conn_open(scheme, fd))
		close(fd);
}

int scheme_create(struct loop *loop, struct svc *svc, const struct scheme_config *cfg,
		  struct scheme **out, struct base_err *err)
{
	struct scheme *scheme = base_zalloc(sizeof(*scheme));
	int ret;

	if (!scheme)
		return base_err_set(err, -ENOMEM, "socket %s: no memory", cfg->name);
	scheme->loop = loop;
	scheme->svc = svc;
	svc_list_init(&scheme->conns);
	scheme->file = (struct vfu_socket){ .type = SOCK_SEQPACKET | SOCK_NONBLOCK,
					    .mode = cfg->mode ? cfg->mode : 0600,
					    .group = cfg->group };
	ret = vfu_socket_open(&scheme->file, cfg->name, err);
	if (ret)
		goto err_free;
	scheme->listener = (struct loop_source){ .fd = scheme->file.fd, .ready = listener_ready };
	ret = loop_add(loop, &scheme->listener, LOOP_READ);
	if (ret) {
		base_err_set(err, ret, "socket %s: %s", cfg->name, strerror(-ret));
		goto err_close;
	}
	spare_open(scheme);
	*out = scheme;
	return 0;

err_close:
	vfu_socket_close(&scheme->file);
err_free:
	base_free(scheme);
	return ret;
}

void scheme_destroy(struct scheme *scheme)
{
	struct svc_list *node, *tmp;

	if (!scheme)
		return;
	base_for_each_safe (node, tmp, &scheme->conns)
		conn_close(svc_list_entry(node, struct conn, link));
	loop_del(scheme->loop, &scheme->listener);
	spare_close(scheme);
	vfu_socket_close(&scheme->file);
	base_free(scheme);
}

/* Whoever waits, waits on a descriptor of his own. */
bool scheme_settle(struct scheme *scheme)
{
	(void)scheme;
	return false;
}
