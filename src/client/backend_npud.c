// SPDX-License-Identifier: MIT
/*
 * A service in another process, npud, over a socket (abi/npud.h): "npud:PATH[/N]".
 *
 * Buffers and queue pages are mapped here: a job costs one message without an answer, and its
 * completion none.  What the service would refuse at once is refused here, by the same rules
 * (service/check.h), so that a bad job is told to who submits it and not to who reads completions.
 *
 * A queue's counters belong to the threads that submit and that read, one each (npu.h).
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi/npud.h"
#include "client/internal.h"
#include "client/remote.h"
#include "service/check.h"
#include "service/path.h"

#define PREFIX	    "npud:"
#define POLLS	    64u			   /* without a completion, until the clock is looked at */
#define LOOK_NS	    (100 * BASE_NS_PER_MS) /* without a completion, until npud is looked after */
#define NPUD_SOCKET "/run/npud/socket"
#define CALL_MAX    1024u /* larger than any struct of service/calls.h */

struct npud {
	struct backend base;
	int fd;
	u32 idx; /* of the device, among the daemon's */
	bool flat;
	u64 connect_ns;
	u32 tag;
	pthread_mutex_t
		lock; /* protects: remotes, tag, and that a request is followed by its reply */
	struct remotes remotes;
};

static struct npud *to_npud(struct backend *be)
{
	return base_container_of(be, struct npud, base);
}

/*
 * Messages
 */

static int gone(struct base_err *err)
{
	return base_err_set(err, -ENODEV, "npud: the daemon is gone; start it and open anew");
}

union control { /* for one descriptor */
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

/* With @fd, unless it is -1. */
static int send_request(const struct npud *npud, const struct abi_npud_req *req,
			const void *payload, int fd)
{
	union control control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
					    .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS } };
	struct iovec iov[] = { { .iov_base = (void *)(uintptr_t)req, .iov_len = sizeof(*req) },
			       { .iov_base = (void *)(uintptr_t)payload, .iov_len = req->size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = BASE_ARRAY_SIZE(iov) };
	ssize_t n;

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	do
		n = sendmsg(npud->fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -ENODEV : 0;
}

struct answer {
	void *buf; /* payload goes here */
	u64 size;  /* room for it, then how much came */
	bool wants_fd;
	int fd; /* goes along with the request, then what came; -1: none */
};

static int take_fd(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static s64 recv_reply(const struct npud *npud, u32 tag, struct answer *answer, struct base_err *err)
{
	union control control;
	char text[sizeof(err->text)];
	struct abi_npud_reply reply;
	/* words of an error go behind the payload's room; an answer is never longer than that */
	struct iovec iov[] = { { .iov_base = &reply, .iov_len = sizeof(reply) },
			       { .iov_base = answer->buf, .iov_len = answer->size },
			       { .iov_base = text, .iov_len = sizeof(text) } };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = BASE_ARRAY_SIZE(iov),
			      .msg_control = &control,
			      .msg_controllen = CMSG_LEN(sizeof(int)) }; /* no second one */
	bool good;
	u64 head;
	ssize_t n;
	int fd;

	do
		n = recvmsg(npud->fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	fd = n > 0 ? take_fd(&msg) : -1;
	good = n >= (ssize_t)sizeof(reply) && reply.tag == tag &&
	       reply.size <= (u64)n - sizeof(reply);
	if (good && reply.result >= 0 && answer->wants_fd)
		answer->fd = fd;
	else if (fd >= 0)
		close(fd);
	if (!good)
		return gone(err);
	if (reply.result >= 0) {
		answer->size = base_min(answer->size, (u64)reply.size);
		return reply.result;
	}
	head = base_min(answer->size, (u64)reply.size);
	return base_err_set(err, (int)reply.result, "%.*s%.*s", (int)head,
			    (const char *)answer->buf,
			    (int)base_min((u64)reply.size - head, sizeof(text) - 1), text);
}

/* One request, one reply. */
static s64 ask(struct npud *npud, struct abi_npud_req req, const void *payload,
	       struct answer *answer, struct base_err *err)
{
	s64 ret;

	pthread_mutex_lock(&npud->lock);
	req.tag = ++npud->tag;
	ret = send_request(npud, &req, payload, answer->fd)
		      ? gone(err)
		      : recv_reply(npud, req.tag, answer, err);
	pthread_mutex_unlock(&npud->lock);
	return ret;
}

/* Of an answer that says nothing else: the error, or 0. */
static int negative(s64 result)
{
	return result < 0 ? (int)result : 0;
}

static s64 ask_simple(struct npud *npud, enum abi_npud_op op, u32 handle, struct base_err *err)
{
	struct answer answer = { .fd = -1 };

	return ask(npud, (struct abi_npud_req){ .op = (u16)op, .handle = handle }, NULL, &answer,
		   err);
}

/*
 * Handles
 */

static struct remote *find(struct npud *npud, u32 handle)
{
	struct remote *r;

	pthread_mutex_lock(&npud->lock);
	r = remotes_find(&npud->remotes, handle);
	pthread_mutex_unlock(&npud->lock);
	return r;
}

static int add(struct npud *npud, struct remote *r, struct base_err *err)
{
	int ret;

	pthread_mutex_lock(&npud->lock);
	ret = remotes_add(&npud->remotes, r);
	pthread_mutex_unlock(&npud->lock);
	return ret ? base_err_set(err, ret, "npud: handle %u: %s", r->handle,
				  ret == -ENOMEM ? "no memory" : "not a number it may have")
		   : 0;
}

static void forget(struct npud *npud, u32 handle)
{
	pthread_mutex_lock(&npud->lock);
	remotes_forget(&npud->remotes, handle);
	pthread_mutex_unlock(&npud->lock);
}

/*
 * Mappings and events
 */

/* What lies behind a page that is not there would kill whoever touches it. */
static int map_fd(int fd, s64 size, struct remote *r, struct base_err *err)
{
	struct stat st;
	void *cpu;

	if (fstat(fd, &st) || st.st_size < size)
		return base_err_set(err, -EPROTO,
				    "npud: a mapping of %lld bytes came with %lld bytes of memory",
				    (long long)size, (long long)st.st_size);
	cpu = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cpu == MAP_FAILED)
		return base_err_set(err, -ENOMEM, "npud: mapping %lld bytes: %s", (long long)size,
				    strerror(errno));
	r->cpu = cpu;
	r->size_bytes = (u64)size;
	return 0;
}

static int map_remote(struct npud *npud, struct remote *r, struct base_err *err)
{
	struct answer answer = { .wants_fd = true, .fd = -1 };
	s64 size = ask(npud, (struct abi_npud_req){ .op = ABI_NPUD_MAP, .handle = r->handle }, NULL,
		       &answer, err);
	int ret;

	if (size < 0)
		return (int)size;
	if (answer.fd < 0)
		return base_err_set(err, -EPROTO, "npud: a mapping came without its descriptor");
	ret = map_fd(answer.fd, size, r, err);
	close(answer.fd);
	return ret;
}

/* Armed from here on; the descriptor comes with the first answer. */
static int arm(struct npud *npud, struct remote *r, struct base_err *err)
{
	struct answer answer = { .wants_fd = r->event_fd < 0, .fd = -1 };
	const struct abi_npud_req req = { .op = ABI_NPUD_EVENT,
					  .handle = r->handle,
					  .arg = r->event_fd < 0 };
	s64 ret = ask(npud, req, NULL, &answer, err);

	if (ret < 0)
		return (int)ret;
	if (answer.fd >= 0)
		r->event_fd = answer.fd;
	return r->event_fd >= 0 ? 0
				: base_err_set(err, -EPROTO, "npud: an event without descriptor");
}

static int open_queue(struct npud *npud, struct remote *r, struct base_err *err)
{
	int ret = map_remote(npud, r, err);

	if (!ret && r->size_bytes < sizeof(*r->page))
		ret = base_err_set(err, -EPROTO, "npud: a queue's page of %llu bytes",
				   (unsigned long long)r->size_bytes);
	if (!ret)
		ret = arm(npud, r, err);
	r->page = r->cpu;
	return ret;
}

static int open_buffer(struct npud *npud, struct remote *r, struct base_err *err)
{
	struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) } };
	struct answer answer = { .buf = &call, .size = sizeof(call), .fd = -1 };
	s64 ret = ask(npud,
		      (struct abi_npud_req){
			      .op = ABI_NPUD_CALL, .handle = r->handle, .size = sizeof(call) },
		      &call, &answer, err);

	if (ret < 0)
		return (int)ret;
	r->addr = call.addr;
	ret = map_remote(npud, r, err);
	if (!ret && r->size_bytes != call.size_bytes)
		ret = base_err_set(err, -EPROTO, "npud: a buffer of %llu bytes, mapped %llu",
				   (unsigned long long)call.size_bytes,
				   (unsigned long long)r->size_bytes);
	return (int)ret;
}

/*
 * The tree
 */

static int ask_path(struct npud *npud, enum abi_npud_op op, u32 handle, const char *path, int fd,
		    u32 *out, struct base_err *err)
{
	struct answer answer = { .fd = fd };
	s64 ret = ask(
		npud,
		(struct abi_npud_req){ .op = (u16)op, .handle = handle, .size = (u32)strlen(path) },
		path, &answer, err);

	if (ret < 0)
		return (int)ret;
	*out = (u32)ret;
	return 0;
}

static enum remote_kind kind_of(const char *path)
{
	if (strncmp(path, "bo/", 3) == 0 || strncmp(path, "import", 6) == 0)
		return REMOTE_BUFFER;
	return strncmp(path, "queue", 5) == 0 ? REMOTE_QUEUE : REMOTE_OTHER;
}

static int enter(struct npud *npud, u32 handle, struct remote *parent, enum remote_kind kind,
		 struct base_err *err)
{
	struct remote *r = remote_create(handle, kind, parent);
	int ret = 0;

	if (!r)
		return base_err_set(err, -ENOMEM, "npud: no memory for a handle");
	if (kind == REMOTE_QUEUE)
		ret = open_queue(npud, r, err);
	else if (kind == REMOTE_BUFFER)
		ret = open_buffer(npud, r, err);
	if (!ret)
		ret = add(npud, r, err);
	if (ret)
		remote_destroy(r);
	return ret;
}

static int npud_close(struct backend *be, u32 handle, struct base_err *err)
{
	struct npud *npud = to_npud(be);

	forget(npud, handle);
	return (int)ask_simple(npud, ABI_NPUD_CLOSE, handle, err);
}

static int npud_open(struct backend *be, const char *path, u32 *handle, struct base_err *err)
{
	struct npud *npud = to_npud(be);
	char full[SVC_PATH_MAX + 16];
	int ret;

	if (!path[0] || svc_path_is_raw(path))
		snprintf(full, sizeof(full), "%s", path);
	else
		snprintf(full, sizeof(full), "%u/%s", npud->idx, path);
	ret = ask_path(npud, ABI_NPUD_OPEN, 0, full, -1, handle, err);
	if (ret)
		return ret;
	ret = enter(npud, *handle, NULL, REMOTE_OTHER, err);
	if (ret)
		(void)npud_close(be, *handle, NULL);
	return ret;
}

static int npud_dup(struct backend *be, u32 handle, const char *path, int fd, u32 *out,
		    struct base_err *err)
{
	struct npud *npud = to_npud(be);
	struct remote *parent = find(npud, handle);
	int ret;

	if (!parent)
		return base_err_set(err, -EBADF, "handle %u is not open", handle);
	ret = ask_path(npud, ABI_NPUD_DUP, handle, path, fd, out, err);
	if (ret)
		return ret;
	ret = enter(npud, *out, parent, kind_of(path), err);
	if (ret)
		(void)npud_close(be, *out, NULL);
	return ret;
}

static int npud_call(struct backend *be, u32 handle, void *arg, u64 size, struct base_err *err)
{
	u8 filled[CALL_MAX]; /* not @arg: what comes may be the words of an error */
	struct answer answer = { .buf = filled, .size = size, .fd = -1 };
	struct abi_npud_req req = { .op = ABI_NPUD_CALL, .handle = handle, .size = (u32)size };
	s64 ret;

	if (size > sizeof(filled))
		return base_err_set(err, -EINVAL, "call: %llu bytes hold no struct of a call",
				    (unsigned long long)size);
	ret = ask(to_npud(be), req, arg, &answer, err);
	if (ret >= 0 && answer.size != size)
		ret = base_err_set(err, -EPROTO, "npud: a call of %llu bytes came with %llu",
				   (unsigned long long)size, (unsigned long long)answer.size);
	if (ret >= 0)
		memcpy(arg, filled, size);
	return negative(ret);
}

static int npud_map(struct backend *be, u32 handle, void **cpu, struct base_err *err)
{
	struct remote *r = find(to_npud(be), handle);
	int ret;

	if (!r)
		return base_err_set(err, -EBADF, "handle %u is not open", handle);
	ret = r->cpu ? 0 : map_remote(to_npud(be), r, err);
	if (!ret)
		*cpu = r->cpu;
	return ret;
}

/*
 * Queues
 */

/* How many of the first jobs it has room for are good, and why the next one is not. */
static s64 good_jobs(struct npud *npud, const struct remote *queue, const struct abi_job *jobs,
		     u64 nr, struct base_err *err)
{
	const struct svc_ranges in = { .cover = remote_covers,
				       .opaque = queue->parent,
				       .flat = npud->flat };
	u32 room, good = 0;

	pthread_mutex_lock(&npud->lock);
	room = remote_room(queue);
	while (good < nr && good < room && !svc_job_check(&in, &jobs[good], good, err))
		good++;
	pthread_mutex_unlock(&npud->lock);
	if (!room)
		return base_err_set(err, -EAGAIN, "queue: full; read its completions first");
	return good ? (s64)good : -EINVAL;
}

static s64 submit(struct npud *npud, struct remote *r, const struct abi_job *jobs, u64 nr,
		  struct base_err *err)
{
	struct abi_npud_req req = { .op = ABI_NPUD_POST, .handle = r->handle };
	s64 take = good_jobs(npud, r, jobs, nr, err);

	if (take < 0)
		return take;
	req.size = (u32)take * (u32)sizeof(*jobs);
	atomic_fetch_add(&r->submitted, (u32)take);
	if (send_request(npud, &req, jobs, -1))
		return gone(err);
	return req.size;
}

static int too_many(const char *what, u64 size, s64 result, struct base_err *err)
{
	return base_err_set(err, -EPROTO, "npud: a %s of %llu bytes came back as one of %lld", what,
			    (unsigned long long)size, (long long)result);
}

static s64 npud_write(struct backend *be, u32 handle, const void *buf, u64 size,
		      struct base_err *err)
{
	struct npud *npud = to_npud(be);
	struct remote *r = find(npud, handle);
	struct answer answer = { .fd = -1 };
	s64 ret;

	if (r && r->kind == REMOTE_QUEUE && size && size % sizeof(struct abi_job) == 0)
		return submit(npud, r, buf, size / sizeof(struct abi_job), err);
	if (size > ABI_NPUD_PAYLOAD)
		size = ABI_NPUD_PAYLOAD;
	ret = ask(
		npud,
		(struct abi_npud_req){ .op = ABI_NPUD_WRITE, .handle = handle, .size = (u32)size },
		buf, &answer, err);
	return ret > (s64)size ? too_many("write", size, ret, err) : ret;
}

static s64 take_completions(struct remote *r, u8 *dst, u64 max)
{
	u32 nr = __atomic_load_n(&r->page->tail, __ATOMIC_ACQUIRE) - r->taken;

	nr = base_min(nr, ABI_QUEUE_PAGE_ENTRIES);
	nr = (u32)base_min((u64)nr, max);
	for (u32 i = 0; i < nr; i++)
		memcpy(dst + i * sizeof(r->page->ring[0]),
		       &r->page->ring[(r->taken + i) % ABI_QUEUE_PAGE_ENTRIES],
		       sizeof(r->page->ring[0]));
	r->taken += nr;
	__atomic_store_n(&r->page->head, r->taken, __ATOMIC_RELEASE);
	return (s64)(nr * sizeof(r->page->ring[0]));
}

/* The page of a daemon that was killed stays as it is: who polls looks at the socket, too, at times. */
static bool is_gone(const struct npud *npud)
{
	struct pollfd pfd = { .fd = npud->fd, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) > 0 && pfd.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

/* After so many looks at the page that found nothing, and as long as nothing came: a job that runs
 * costs no call. */
static bool is_silent(struct remote *r, u64 now_ns)
{
	if (!r->silent_ns || r->silent_ns > now_ns)
		r->silent_ns = now_ns;
	if (now_ns - r->silent_ns < LOOK_NS)
		return false;
	r->silent_ns = now_ns;
	return true;
}

static s64 read_queue(const struct npud *npud, struct remote *r, void *buf, u64 size,
		      struct base_err *err)
{
	s64 ret = take_completions(r, buf, size / sizeof(struct abi_completion));

	if (ret)
		r->silent_ns = 0;
	else if (++r->nr_empty % POLLS == 0 && is_silent(r, base_clock_ns()) && is_gone(npud))
		return gone(err);
	return ret;
}

static s64 npud_read(struct backend *be, u32 handle, void *buf, u64 size, struct base_err *err)
{
	struct npud *npud = to_npud(be);
	struct remote *r = find(npud, handle);
	struct answer answer = { .buf = buf,
				 .size = base_min(size, (u64)ABI_NPUD_PAYLOAD),
				 .fd = -1 };
	s64 ret;

	if (r && r->kind == REMOTE_QUEUE && size >= sizeof(struct abi_completion))
		return read_queue(npud, r, buf, size, err);
	ret = ask(
		npud,
		(struct abi_npud_req){ .op = ABI_NPUD_READ, .handle = handle, .arg = answer.size },
		NULL, &answer, err);
	return ret > (s64)answer.size ? too_many("read", answer.size, ret, err) : ret;
}

/*
 * Waiting: for the handle's event, or the end of the daemon
 */

/* 0: it may be ready now. */
static int sleep_on(const struct npud *npud, const struct remote *r, u64 until_ns,
		    struct base_err *err)
{
	struct pollfd fds[] = { { .fd = r->event_fd, .events = POLLIN },
				{ .fd = npud->fd, .events = POLLRDHUP } };
	u64 now = base_clock_ns(), left = until_ns > now ? until_ns - now : 0;
	const struct timespec ts = { .tv_sec =
					     (time_t)base_min(left / BASE_NS_PER_S, (u64)INT32_MAX),
				     .tv_nsec = (long)(left % BASE_NS_PER_S) };
	u64 count;

	if (ppoll(fds, BASE_ARRAY_SIZE(fds), &ts, NULL) < 0 && errno != EINTR)
		return base_err_set(err, -errno, "npud: waiting: %s", strerror(errno));
	if (!(fds[0].revents | fds[1].revents))
		return 0;
	/* what was told before the daemon went, first; then the other end of this is closed, too */
	if (fds[0].revents & POLLIN && read(r->event_fd, &count, sizeof(count)) != 0)
		return 0;
	return gone(err);
}

static bool has_completions(const struct remote *r)
{
	return __atomic_load_n(&r->page->tail, __ATOMIC_ACQUIRE) != r->taken;
}

/* 0 ready, -EAGAIN not yet; the service is told to raise the event. */
static int look_at_queue(struct remote *r, struct base_err *err)
{
	if (has_completions(r))
		return 0;
	if (atomic_load(&r->submitted) == r->taken)
		return base_err_set(err, -ENODATA,
				    "queue: nothing is pending, so nothing can complete");
	__atomic_store_n(&r->page->waiting, 1, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_seq_cst); /* pairs with the service's, page.c */
	return has_completions(r) ? 0 : -EAGAIN;
}

static int look_at_other(struct npud *npud, struct remote *r, struct base_err *err)
{
	int ret = (int)ask_simple(npud, ABI_NPUD_READY, r->handle, err);

	if (ret != -ETIMEDOUT)
		return ret;
	ret = arm(npud, r, err);
	return ret ? ret : -EAGAIN;
}

static int npud_wait(struct backend *be, u32 handle, u64 timeout_ns, struct base_err *err)
{
	struct npud *npud = to_npud(be);
	struct remote *r = find(npud, handle);
	u64 until;
	int ret;

	if (!r)
		return base_err_set(err, -EBADF, "handle %u is not open", handle);
	if (!base_add_u64(base_clock_ns(), timeout_ns, &until))
		until = UINT64_MAX;
	for (;;) {
		ret = r->kind == REMOTE_QUEUE ? look_at_queue(r, err) : look_at_other(npud, r, err);
		if (ret != -EAGAIN)
			return ret;
		if (base_clock_ns() >= until)
			return base_err_set(err, -ETIMEDOUT, "nothing happened within %llu us",
					    (unsigned long long)(timeout_ns / BASE_NS_PER_US));
		ret = sleep_on(npud, r, until, err);
		if (ret)
			return ret;
	}
}

/*
 * Connection
 */

static int hello(struct npud *npud, struct base_err *err)
{
	struct abi_npud_hello in = { .magic = ABI_NPUD_MAGIC, .version = ABI_NPUD_VERSION };
	struct answer answer = { .buf = &in, .size = sizeof(in), .fd = -1 };
	const struct abi_npud_req req = { .op = ABI_NPUD_HELLO, .size = sizeof(in) };

	snprintf(in.name, sizeof(in.name), "%s", program_invocation_short_name);
	return negative(ask(npud, req, &in, &answer, err));
}

static int learn_device(struct npud *npud, struct base_err *err)
{
	struct svc_call_info info = { .head = { SVC_CALL_INFO, SVC_CALL_VERSION, sizeof(info) } };
	u32 handle;
	int ret = npud_open(&npud->base, "info", &handle, err);

	if (ret)
		return ret;
	ret = npud_call(&npud->base, handle, &info, sizeof(info), err);
	npud->flat = info.flat;
	(void)npud_close(&npud->base, handle, NULL);
	return ret;
}

static int dial(const char *path, int *out, struct base_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	if (!path[0] || strlen(path) >= sizeof(addr.sun_path))
		return base_err_set(err, -EINVAL, "npud: \"%s\" is no path of a socket", path);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return base_err_set(err, -errno, "npud: no socket: %s", strerror(errno));
	if (!connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		*out = fd;
		return 0;
	}
	ret = errno;
	close(fd);
	if (ret == ENOENT || ret == ECONNREFUSED)
		return base_err_set(err, -ENOENT,
				    "npud: nobody serves at %s; start npud --socket %s", path,
				    path);
	return base_err_set(err, -ret, "npud: %s: %s", path, strerror(ret));
}

#define DEVICE_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) + 20)

/* PATH, or PATH/N: below a socket there can be nothing else. */
static void split(const char *name, char path[DEVICE_MAX], u32 *idx)
{
	struct stat st;
	char *slash;
	u64 n;

	*idx = 0;
	snprintf(path, DEVICE_MAX, "%s", name);
	slash = strrchr(path, '/');
	if (!slash || !svc_parse_u64(slash + 1, strlen(slash + 1), &n) || n > UINT32_MAX)
		return;
	*slash = '\0';
	if (!stat(path, &st) && S_ISSOCK(st.st_mode))
		*idx = (u32)n;
	else
		*slash = '/';
}

static void npud_disconnect(struct backend *be)
{
	struct npud *npud = to_npud(be);

	remotes_fini(&npud->remotes);
	close(npud->fd); /* the service frees what we had */
	pthread_mutex_destroy(&npud->lock);
	base_free(npud);
}

static int npud_connect(const char *device, const struct npu_open_options *options,
			struct backend **out, struct base_err *err)
{
	const u64 start = base_clock_ns();
	char path[DEVICE_MAX];
	struct npud *npud;
	int ret;

	if (options->firmware || options->dump_dir)
		return base_err_set(err, -EINVAL,
				    "npud: firmware and dumps are the daemon's, not its clients'");
	npud = base_zalloc(sizeof(*npud));
	if (!npud)
		return base_err_set(err, -ENOMEM, "npud: no memory");
	npud->base.ops = &backend_npud;
	split(device + strlen(PREFIX), path, &npud->idx);
	ret = dial(path, &npud->fd, err);
	if (ret)
		goto err_free;
	ret = -pthread_mutex_init(&npud->lock, NULL);
	if (ret) {
		base_err_set(err, ret, "npud: no lock");
		goto err_close;
	}
	ret = hello(npud, err);
	if (!ret)
		ret = learn_device(npud, err);
	if (ret) {
		npud_disconnect(&npud->base);
		return ret;
	}
	npud->connect_ns = base_clock_ns() - start;
	*out = &npud->base;
	return 0;

err_close:
	close(npud->fd);
err_free:
	base_free(npud);
	return ret;
}

static void npud_query(struct backend *be, struct npu_device_info *out)
{
	out->device_create_ns = to_npud(be)->connect_ns;
}

/* Where a daemon serves that was started as docs/linux.md says. */
static const char *npud_find(void)
{
	static const char device[] = PREFIX NPUD_SOCKET;
	int fd;

	if (dial(NPUD_SOCKET, &fd, NULL))
		return NULL;
	close(fd);
	return device;
}

const struct backend_ops backend_npud = {
	.prefix = PREFIX,
	.form = PREFIX "PATH[/N]",
	.connect = npud_connect,
	.disconnect = npud_disconnect,
	.open = npud_open,
	.dup = npud_dup,
	.read = npud_read,
	.write = npud_write,
	.call = npud_call,
	.map = npud_map,
	.wait = npud_wait,
	.close = npud_close,
	.query = npud_query,
	.find = npud_find,
};
