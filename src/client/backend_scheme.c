// SPDX-License-Identifier: MIT
/*
 * A service in another process, npud, through a scheme of Redox: "/scheme/npu[/N]".
 *
 * No call here waits for a device: requests are answered at once, and what takes time is waited for
 * on an event queue, with a limit.  (A call that is under way when npud is killed stays in the
 * kernel; it has no answer for it.)
 *
 * A queue's counters belong to the threads that submit and that read, one each (npu.h).
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "abi/job.h"
#include "client/internal.h"
#include "os/redox/sys.h"
#include "service/path.h"

#define PREFIX	    "/scheme/"
#define WAIT_MAX_NS BASE_NS_PER_S /* then npud is asked again, or found to be gone */

struct remote { /* a handle: an open descriptor */
	u32 fd;
	bool is_queue, is_dma;
	void *cpu; /* mapping */
	u64 size_bytes;
	size_t events;	       /* of a queue: where its completions are told; SIZE_MAX: not yet */
	_Atomic u32 submitted; /* jobs, ever */
	u32 taken;	       /* of them */
	bool readable;	       /* told, and not read to the end yet */
	struct remote *next;
};

struct tree {
	struct backend base;
	char root[64]; /* "/scheme/npu" */
	char path[64]; /* "/scheme/npu/0" */
	u64 connect_ns;
	pthread_mutex_t lock; /* protects: the list */
	struct remote *remotes;
};

static struct tree *to_tree(struct backend *be)
{
	return base_container_of(be, struct tree, base);
}

/* The kernel brings the number, the node "error" of the scheme the words; "" if there are none. */
static void fetch_words(const char *root, char *text, size_t size)
{
	char path[80];
	s64 fd, n;

	snprintf(path, sizeof(path), "%s/error", root);
	fd = rx_open(path, REDOX_O_RDONLY);
	n = fd < 0 ? fd : redox_result(redox_read_v1((size_t)fd, (u8 *)text, size - 1));
	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		redox_close_v1((size_t)fd);
}

static int failed(const struct tree *tree, struct base_err *err, s64 code, const char *what)
{
	char text[sizeof(err->text)] = "";

	if (code == -ENODEV)
		return base_err_set(err, (int)code, "%s: npud or its device is gone; open anew",
				    what);
	if (err)
		fetch_words(tree->root, text, sizeof(text));
	if (text[0])
		return base_err_set(err, (int)code, "%s", text);
	return base_err_set(err, (int)code, "%s: %s", what, base_err_name((int)code));
}

/*
 * Handles
 */

static struct remote *find(struct tree *tree, u32 fd)
{
	struct remote *r;

	pthread_mutex_lock(&tree->lock);
	for (r = tree->remotes; r && r->fd != fd; r = r->next)
		;
	pthread_mutex_unlock(&tree->lock);
	return r;
}

static void release(struct remote *r)
{
	if (r->cpu)
		redox_munmap_v1(r->cpu, r->size_bytes);
	if (r->events != SIZE_MAX)
		redox_close_v1(r->events);
	redox_close_v1(r->fd);
	base_free(r);
}

static int enter(struct tree *tree, s64 fd, bool is_queue, u32 *out, struct base_err *err)
{
	struct remote *r = base_zalloc(sizeof(*r));

	if (!r || fd > UINT32_MAX) {
		redox_close_v1((size_t)fd);
		base_free(r);
		return base_err_set(err, -ENOMEM, "no memory for a handle");
	}
	*r = (struct remote){ .fd = (u32)fd, .is_queue = is_queue, .events = SIZE_MAX };
	pthread_mutex_lock(&tree->lock);
	r->next = tree->remotes;
	tree->remotes = r;
	pthread_mutex_unlock(&tree->lock);
	*out = r->fd;
	return 0;
}

static struct remote *take_out(struct tree *tree, u32 fd)
{
	struct remote **at = &tree->remotes, *r;

	pthread_mutex_lock(&tree->lock);
	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	r = *at;
	if (r)
		*at = r->next;
	pthread_mutex_unlock(&tree->lock);
	return r;
}

static int tree_close(struct backend *be, u32 handle, struct base_err *err)
{
	struct remote *r = take_out(to_tree(be), handle);

	if (!r)
		return base_err_set(err, -EBADF, "handle %u is not open", handle);
	release(r);
	return 0;
}

/* "mmio:ADDR/SIZE" is /scheme/mmio/ADDR/SIZE beside /scheme/npu, and /scheme/mmio.NAME/... beside
 * another. */
static void raw_path(const struct tree *tree, const char *path, char *out, size_t size)
{
	const char *name = tree->root + strlen(PREFIX), *colon = strchr(path, ':');
	const bool plain = strcmp(name, "npu") == 0;

	snprintf(out, size, PREFIX "%.*s%s%s/%s", (int)(colon - path), path, plain ? "" : ".",
		 plain ? "" : name, colon + 1);
}

static int tree_open(struct backend *be, const char *path, u32 *handle, struct base_err *err)
{
	struct tree *tree = to_tree(be);
	char full[SVC_PATH_MAX + sizeof(tree->path) + 16];
	s64 fd;
	int ret;

	if (svc_path_is_raw(path))
		raw_path(tree, path, full, sizeof(full));
	else if (!path[0])
		snprintf(full, sizeof(full), "%s", tree->root);
	else
		snprintf(full, sizeof(full), "%s/%s", tree->path, path);
	fd = rx_open(full, REDOX_O_RDWR | REDOX_O_NONBLOCK);
	if (fd == -ENOENT || fd == -ENODEV)
		return base_err_set(err, (int)fd, "%s: %s; is npud running?", full,
				    base_err_name((int)fd));
	if (fd < 0)
		return failed(tree, err, fd, full);
	ret = enter(tree, fd, false, handle, err);
	if (!ret)
		find(tree, *handle)->is_dma = strncmp(path, "dma:", 4) == 0;
	return ret;
}

static int set_nonblocking(s64 fd)
{
	s64 ret = redox_result(
		redox_fcntl_v0((size_t)fd, REDOX_F_SETFL, REDOX_O_RDWR | REDOX_O_NONBLOCK));

	return ret < 0 ? (int)ret : 0;
}

static int tree_dup(struct backend *be, u32 handle, const char *path, int along, u32 *out,
		    struct base_err *err)
{
	s64 fd;
	int ret;

	if (along >= 0)
		return base_err_set(err, -EOPNOTSUPP, "%s: npud takes no memory of others here",
				    path);
	fd = redox_result(redox_dup_v1(handle, (const u8 *)path, strlen(path)));

	if (fd < 0)
		return failed(to_tree(be), err, fd, path);
	ret = set_nonblocking(fd);
	if (ret) {
		redox_close_v1((size_t)fd);
		return failed(to_tree(be), err, ret, path);
	}
	return enter(to_tree(be), fd, strncmp(path, "queue", 5) == 0, out, err);
}

static int tree_call(struct backend *be, u32 handle, void *arg, u64 size, struct base_err *err)
{
	s64 ret = redox_result(
		redox_sys_call_v0(handle, arg, size, REDOX_CALL_READ | REDOX_CALL_WRITE, NULL, 0));

	return ret < 0 ? failed(to_tree(be), err, ret, "call") : 0;
}

static int mapping_size(struct backend *be, const struct remote *r, u64 *out, struct base_err *err)
{
	struct svc_call_bo bo = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(bo) } };
	struct svc_call_dma dma = { .head = { SVC_CALL_DMA, SVC_CALL_VERSION, sizeof(dma) } };
	int ret = r->is_dma ? tree_call(be, r->fd, &dma, sizeof(dma), err)
			    : tree_call(be, r->fd, &bo, sizeof(bo), err);

	*out = r->is_dma ? dma.mem.size_bytes : bo.size_bytes;
	return ret;
}

static int tree_map(struct backend *be, u32 handle, void **cpu, struct base_err *err)
{
	struct remote *r = find(to_tree(be), handle);
	u64 size;
	int ret;

	if (!r)
		return base_err_set(err, -EBADF, "handle %u is not open", handle);
	if (!r->cpu) {
		ret = mapping_size(be, r, &size, err);
		if (ret)
			return ret;
		ret = rx_map(NULL, size, REDOX_PROT_READ | REDOX_PROT_WRITE, REDOX_MAP_SHARED,
			     handle, 0, &r->cpu);
		if (ret)
			return failed(to_tree(be), err, ret, "mapping memory");
		r->size_bytes = size;
	}
	*cpu = r->cpu;
	return 0;
}

/*
 * Reading and writing
 */

/* The kernel passes on what the scheme says. */
static int too_many(const char *what, u64 size, s64 result, struct base_err *err)
{
	return base_err_set(err, -EPROTO, "npud: a %s of %llu bytes came back as one of %lld", what,
			    (unsigned long long)size, (long long)result);
}

static s64 tree_write(struct backend *be, u32 handle, const void *buf, u64 size,
		      struct base_err *err)
{
	struct remote *r = find(to_tree(be), handle);
	s64 n = redox_result(redox_write_v1(handle, buf, size));

	if (n == -EAGAIN)
		return base_err_set(err, (int)n, "queue: full; read its completions first");
	if (n < 0)
		return failed(to_tree(be), err, n, "write");
	if ((u64)n > size)
		return too_many("write", size, n, err);
	if (r && r->is_queue)
		atomic_fetch_add(&r->submitted, (u32)((u64)n / sizeof(struct abi_job)));
	return n;
}

static s64 tree_read(struct backend *be, u32 handle, void *buf, u64 size, struct base_err *err)
{
	struct remote *r = find(to_tree(be), handle);
	s64 n = redox_result(redox_read_v1(handle, buf, size));

	if (r && r->is_queue &&
	    n < (s64)(size / sizeof(struct abi_completion) * sizeof(struct abi_completion)))
		r->readable = false;
	if (n == -REDOX_EAGAIN)
		return 0;
	if (n < 0)
		return failed(to_tree(be), err, n, "read");
	if ((u64)n > size)
		return too_many("read", size, n, err);
	if (r && r->is_queue)
		r->taken += (u32)((u64)n / sizeof(struct abi_completion));
	return n;
}

/*
 * Waiting
 */

/* A queue of events that tells when @fd is ready; at once if it is. */
static int open_events(u32 fd, size_t *out)
{
	int ret = rx_events_open(out);

	if (!ret)
		ret = rx_events_set(*out, fd, REDOX_EVENT_READ, 0);
	if (ret && *out != SIZE_MAX)
		redox_close_v1(*out);
	if (ret)
		*out = SIZE_MAX;
	return ret;
}

/* 0: there was one; -ETIMEDOUT.  A daemon that was killed raises none any more, nobody else does for
 * it, and who waits stays asleep; but who subscribes hears that it is gone. */
static int next_event(size_t queue, u32 fd, u64 until_ns)
{
	struct redox_event event;

	for (;;) {
		u64 now = base_clock_ns();
		int nr;

		if (now >= until_ns)
			return -ETIMEDOUT;
		nr = rx_events_wait(queue, base_min(until_ns - now, WAIT_MAX_NS), &event, 1);
		if (nr < 0 && nr != -EINTR)
			return nr;
		if (nr > 0)
			return 0;
		if (!nr)
			nr = rx_events_set(queue, fd, REDOX_EVENT_READ, 0);
		if (nr < 0 && nr != -EINTR)
			return nr;
	}
}

static int wait_queue(struct remote *r, u64 until_ns)
{
	int ret = 0;

	if (r->readable)
		return 0;
	if (atomic_load(&r->submitted) == r->taken)
		return -ENODATA;
	if (r->events == SIZE_MAX)
		ret = open_events(r->fd, &r->events);
	if (!ret)
		ret = next_event(r->events, r->fd, until_ns);
	r->readable = !ret;
	return ret;
}

/* With a queue of events of its own: no old event is taken for a new one. */
static int wait_other(u32 fd, u64 until_ns)
{
	size_t events = SIZE_MAX;
	int ret = open_events(fd, &events);

	if (ret)
		return ret;
	ret = next_event(events, fd, until_ns);
	redox_close_v1(events);
	return ret;
}

static int tree_wait(struct backend *be, u32 handle, u64 timeout_ns, struct base_err *err)
{
	struct remote *r = find(to_tree(be), handle);
	u64 until;
	int ret;

	if (!r)
		return base_err_set(err, -EBADF, "handle %u is not open", handle);
	if (!base_add_u64(base_clock_ns(), timeout_ns, &until))
		until = UINT64_MAX;
	ret = r->is_queue ? wait_queue(r, until) : wait_other(handle, until);
	if (ret == -ENODATA)
		return base_err_set(err, ret, "queue: nothing is pending, so nothing can complete");
	if (ret == -ETIMEDOUT)
		return base_err_set(err, ret, "nothing happened within %llu us",
				    (unsigned long long)(timeout_ns / BASE_NS_PER_US));
	return ret ? failed(to_tree(be), err, ret, "waiting") : 0;
}

/*
 * Connection
 */

static void tree_disconnect(struct backend *be)
{
	struct tree *tree = to_tree(be);

	while (tree->remotes) {
		struct remote *r = tree->remotes;

		tree->remotes = r->next;
		release(r);
	}
	pthread_mutex_destroy(&tree->lock);
	base_free(tree);
}

/* "/scheme/npu" is its first device. */
static int set_path(struct tree *tree, const char *device, struct base_err *err)
{
	const char *name = device + strlen(PREFIX), *slash = strchr(name, '/');
	int n = snprintf(tree->path, sizeof(tree->path), "%s%s", device, slash ? "" : "/0");
	int len = slash ? (int)(slash - device) : (int)strlen(device);

	if (!*name || *name == '/' || n < 0 || (size_t)n >= sizeof(tree->path))
		return base_err_set(err, -EINVAL, "device \"%.60s\": expected " PREFIX "NAME[/N]",
				    device);
	snprintf(tree->root, sizeof(tree->root), "%.*s", len, device);
	return 0;
}

static int learn_device(struct tree *tree, struct base_err *err)
{
	u32 handle;
	int ret = tree_open(&tree->base, "info", &handle, err);

	return ret ? ret : tree_close(&tree->base, handle, err);
}

static int tree_connect(const char *device, const struct npu_open_options *options,
			struct backend **out, struct base_err *err)
{
	const u64 start = base_clock_ns();
	struct tree *tree;
	int ret;

	if (options->firmware || options->dump_dir)
		return base_err_set(err, -EINVAL,
				    "%s: firmware and dumps are npud's, not its clients'", device);
	tree = base_zalloc(sizeof(*tree));
	if (!tree)
		return base_err_set(err, -ENOMEM, "%s: no memory", device);
	tree->base.ops = &backend_scheme;
	ret = set_path(tree, device, err);
	if (!ret)
		ret = -pthread_mutex_init(&tree->lock, NULL);
	if (ret) {
		base_free(tree);
		return ret;
	}
	ret = learn_device(tree, err);
	if (ret) {
		tree_disconnect(&tree->base);
		return ret;
	}
	tree->connect_ns = base_clock_ns() - start;
	*out = &tree->base;
	return 0;
}

static void tree_query(struct backend *be, struct npu_device_info *out)
{
	out->device_create_ns = to_tree(be)->connect_ns;
}

static const char *tree_find(void)
{
	return PREFIX "npu"; /* there is no other way to an NPU here */
}

const struct backend_ops backend_scheme = {
	.prefix = PREFIX,
	.form = PREFIX "NAME[/N]",
	.connect = tree_connect,
	.disconnect = tree_disconnect,
	.open = tree_open,
	.dup = tree_dup,
	.read = tree_read,
	.write = tree_write,
	.call = tree_call,
	.map = tree_map,
	.wait = tree_wait,
	.close = tree_close,
	.query = tree_query,
	.find = tree_find,
};
