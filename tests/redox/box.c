// SPDX-License-Identifier: MIT
/* The box: processes, descriptors, and the functions that are called. */
#include "box_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__thread struct box_proc *box_self;
static struct box_proc *adopter; /* whose the threads are that no process began with */

void box_complain(struct box *box, const char *fmt, ...)
{
	char text[sizeof(box->complaint)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!box->nr_complaints++)
		memcpy(box->complaint, text, sizeof(text));
}

void box_changed(struct box *box)
{
	pthread_cond_broadcast(&box->changed);
}

/* A process that was killed runs no further: its thread ends here, its things are closed behind. */
static void die_if_killed(struct box_proc *proc)
{
	if (!proc->killed)
		return;
	pthread_mutex_unlock(&proc->box->lock);
	pthread_exit(NULL);
}

int box_block(struct box_proc *proc, u64 since_ns, u64 until_ns)
{
	u64 now = base_clock_ns(), end = base_min(until_ns, now + BASE_NS_PER_S / 10);
	const struct timespec ts = { .tv_sec = (time_t)(end / BASE_NS_PER_S),
				     .tv_nsec = (long)(end % BASE_NS_PER_S) };

	die_if_killed(proc);
	if (proc->signalled)
		return -EINTR;
	if (now - since_ns > proc->box->patience_ns) {
		box_complain(proc->box, "%s is blocked for ever", proc->cfg.name);
		return -EDEADLK;
	}
	pthread_cond_clockwait(&proc->box->changed, &proc->box->lock, CLOCK_MONOTONIC, &ts);
	die_if_killed(proc);
	return 0;
}

/*
 * Descriptors
 */

struct box_file *box_file_new(const struct box_file_ops *ops, void *priv)
{
	struct box_file *file = calloc(1, sizeof(*file));

	if (!file)
		abort();
	*file = (struct box_file){ .ops = ops, .refs = 1, .pos = UINT64_MAX, .priv = priv };
	svc_list_init(&file->watches);
	return file;
}

void box_file_put(struct box *box, struct box_file *file)
{
	if (--file->refs)
		return;
	box_unwatch(file);
	if (file->ops->close)
		file->ops->close(box, file);
	free(file);
}

void box_file_forgo(void *file)
{
	struct box *box = box_self->box;

	pthread_mutex_lock(&box->lock);
	box_file_put(box, file);
	pthread_mutex_unlock(&box->lock);
}

/* Takes over the reference. */
s64 box_fd_add(struct box_proc *proc, struct box_file *file)
{
	for (size_t fd = 3; fd < BOX_MAX_FDS; fd++) {
		if (proc->fds[fd])
			continue;
		proc->fds[fd] = file;
		proc->box->nr_fds++;
		return (s64)fd;
	}
	box_file_put(proc->box, file);
	return -EMFILE;
}

struct box_file *box_fd(struct box_proc *proc, size_t fd)
{
	return fd < BOX_MAX_FDS ? proc->fds[fd] : NULL;
}

bool box_path_is(const u8 *path, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(path, text, len);
}

static bool cut(const u8 **path, size_t *len, const char *prefix)
{
	size_t n = strlen(prefix);

	if (*len < n || memcmp(*path, prefix, n) != 0)
		return false;
	*path += n;
	*len -= n;
	return true;
}

/*
 * Opening
 */

static s64 open_scheme(struct box_proc *proc, const u8 *path, size_t len, u32 flags)
{
	const u8 *slash = memchr(path, '/', len);
	size_t name = slash ? (size_t)(slash - path) : len;
	const u8 *rest = slash ? slash + 1 : path + len;

	return box_scheme_open(proc, path, name, rest, len - (size_t)(rest - path), flags);
}

static s64 open_path(struct box_proc *proc, const u8 *path, size_t len, u32 flags)
{
	if (!cut(&path, &len, "/scheme/"))
		return -ENOENT;
	if (cut(&path, &len, "memory/"))
		return box_mem_open(proc, path, len);
	if (proc->ns == NS_NULL)
		return -ENODEV;
	if (box_path_is(path, len, "event"))
		return box_event_open(proc);
	if (cut(&path, &len, "irq/"))
		return box_irq_open(proc, path, len, flags);
	if (box_path_is(path, len, "namespace/scheme-creation-cap"))
		return box_cap_open(proc);
	return open_scheme(proc, path, len, flags);
}

static struct box_proc *enter(void)
{
	if (!box_self)
		box_self = adopter;
	if (!box_self)
		abort(); /* not a process of the box */
	pthread_mutex_lock(&box_self->box->lock);
	die_if_killed(box_self);
	box_self->heap = base_alloc_live();
	return box_self;
}

static redox_raw leave(struct box_proc *proc, s64 ret)
{
	pthread_mutex_unlock(&proc->box->lock);
	return (redox_raw)ret;
}

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode)
{
	struct box_proc *proc = enter();
	s64 fd = open_path(proc, path, len, flags);
	struct box_file *file = fd >= 0 ? box_fd(proc, (size_t)fd) : NULL;

	(void)mode;
	if (file)
		file->flags = flags & REDOX_O_NONBLOCK;
	return leave(proc, fd);
}

redox_raw redox_openat_v1(size_t fd, const uint8_t *path, size_t len, uint32_t flags,
			  uint32_t fcntl_flags)
{
	struct box_proc *proc = enter();
	struct box_file *file = box_fd(proc, fd);
	s64 ret = !file		       ? -EBADF
		  : !file->ops->openat ? -EOPNOTSUPP
				       : file->ops->openat(proc, file, path, len, flags);

	(void)fcntl_flags;
	return leave(proc, ret);
}

redox_raw redox_dup_v1(size_t fd, const uint8_t *buf, size_t len)
{
	struct box_proc *proc = enter();
	struct box_file *file = box_fd(proc, fd);
	s64 ret;

	if (!file)
		return leave(proc, -EBADF);
	if (!len) { /* the description itself, nobody is asked */
		file->refs++;
		return leave(proc, box_fd_add(proc, file));
	}
	ret = file->ops->dup ? file->ops->dup(proc, file, buf, len) : -EINVAL;
	return leave(proc, ret);
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	struct box_proc *proc = enter();
	struct box_file *file = box_fd(proc, fd);
	s64 ret = !file		     ? -EBADF
		  : !file->ops->read ? -EINVAL
				     : file->ops->read(proc, file, dst, len);

	return leave(proc, ret);
}

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	struct box_proc *proc = enter();
	struct box_file *file = box_fd(proc, fd);
	s64 ret = !file		      ? -EBADF
		  : !file->ops->write ? -EINVAL
				      : file->ops->write(proc, file, src, len);

	return leave(proc, ret);
}

static s64 close_fd(struct box_proc *proc, size_t fd)
{
	struct box_file *file = box_fd(proc, fd);

	if (!file)
		return -EBADF;
	proc->fds[fd] = NULL;
	proc->box->nr_fds--;
	/* who waits on it by this number waits no more */
	box_file_put(proc->box, file);
	return 0;
}

redox_raw redox_close_v1(size_t fd)
{
	struct box_proc *proc = enter();

	return leave(proc, close_fd(proc, fd));
}

redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg)
{
	struct box_proc *proc = enter();
	struct box_file *file = box_fd(proc, fd);

	if (!file)
		return leave(proc, -EBADF);
	switch (cmd) {
	case REDOX_F_GETFL:
		return leave(proc, (s64)file->flags);
	case REDOX_F_SETFL:
		file->flags = arg & REDOX_O_NONBLOCK;
		return leave(proc, 0);
	default:
		return leave(proc, -EINVAL);
	}
}

redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset)
{
	struct box_proc *proc = enter();
	struct box_file *file = fd == REDOX_NO_FD ? NULL : box_fd(proc, fd);
	bool share = flags & REDOX_MAP_SHARED, own = flags & REDOX_MAP_PRIVATE;
	s64 ret;

	if (!len || len % BASE_PAGE_SIZE || offset % BASE_PAGE_SIZE || share == own ||
	    (uintptr_t)addr % BASE_PAGE_SIZE || prot & ~7u) {
		box_complain(proc->box, "mmap: length %zu, offset 0x%llx, flags 0x%x, prot 0x%x",
			     len, (unsigned long long)offset, flags, prot);
		return leave(proc, -EINVAL);
	}
	if (fd == REDOX_NO_FD)
		ret = box_map_anonymous(proc, addr, len, prot, flags);
	else if (!file)
		ret = -EBADF;
	else
		ret = file->ops->mmap ? file->ops->mmap(proc, file, addr, len, prot, flags, offset)
				      : -ENODEV;
	return leave(proc, ret);
}

redox_raw redox_munmap_v1(void *addr, size_t len)
{
	struct box_proc *proc = enter();
	struct box_file *lent = NULL;
	u64 off = 0;
	s64 ret;

	if (!len || len % BASE_PAGE_SIZE || (uintptr_t)addr % BASE_PAGE_SIZE)
		return leave(proc, -EINVAL);
	ret = box_unmap(proc, addr, len, &lent, &off);
	if (lent) {
		pthread_cleanup_push(box_file_forgo, lent);
		(void)box_scheme_munmap(proc, lent, len, off);
		pthread_cleanup_pop(0);
		box_file_put(proc->box, lent);
	}
	return leave(proc, ret);
}

redox_raw redox_sys_call_v0(size_t fd, uint8_t *payload, size_t len, size_t flags,
			    const uint64_t *meta, size_t nmeta)
{
	struct box_proc *proc = enter();
	struct box_file *file = box_fd(proc, fd);
	u64 m[3] = { 0 };

	if (!file)
		return leave(proc, -EBADF);
	if (nmeta > 3 || !file->ops->call)
		return leave(proc, nmeta > 3 ? -EINVAL : -EOPNOTSUPP);
	for (size_t i = 0; i < nmeta; i++)
		m[i] = meta[i];
	if (!(flags & (REDOX_CALL_READ | REDOX_CALL_WRITE))) { /* the C library drops the payload */
		payload = NULL;
		len = 0;
	}
	return leave(proc, file->ops->call(proc, file, payload, len, m));
}

redox_raw redox_get_ns_v0(void)
{
	struct box_proc *proc = enter();

	return leave(proc, (s64)proc->ns_fd);
}

redox_raw redox_setrens_v1(size_t rns, size_t ens)
{
	struct box_proc *proc = enter();

	if (rns || ens)
		return leave(proc, -EINVAL);
	proc->ns = NS_NULL;
	return leave(proc, 0);
}

redox_raw redox_register_scheme_to_ns_v0(size_t ns_fd, const uint8_t *name, size_t len,
					 size_t cap_fd)
{
	struct box_proc *proc = enter();
	struct box_file *root = box_fd(proc, cap_fd);

	if (ns_fd != proc->ns_fd || !root || proc->ns == NS_NULL)
		return leave(proc, -EBADF);
	return leave(proc, box_scheme_register(proc, name, len, root));
}

/*
 * Processes
 */

static s64 ready_write(struct box_proc *proc, struct box_file *file, const u8 *src, size_t len)
{
	(void)file;
	if (len != 1 || *src)
		box_complain(proc->box, "readiness is one byte 0, not %zu bytes", len);
	proc->ready = READY_YES;
	box_changed(proc->box);
	return (s64)len;
}

static void ready_close(struct box *box, struct box_file *file)
{
	struct box_proc *proc = file->priv;

	if (proc->ready == READY_NOT)
		proc->ready = READY_CLOSED;
	box_changed(box);
}

static const struct box_file_ops ready_ops = { .name = "readiness pipe",
					       .write = ready_write,
					       .close = ready_close };

/* What the kernel does when a process is gone. */
static void clean_up(void *arg)
{
	struct box_proc *proc = arg;

	pthread_mutex_lock(&proc->box->lock);
	box_unmap_all(proc);
	for (size_t fd = 0; fd < BOX_MAX_FDS; fd++)
		if (proc->fds[fd])
			(void)close_fd(proc, fd);
	proc->ended = true;
	box_changed(proc->box);
	pthread_mutex_unlock(&proc->box->lock);
}

static void *run(void *arg)
{
	struct box_proc *proc = arg;

	box_self = proc;
	proc->result = -EINTR; /* unless it lives to return something else */
	pthread_cleanup_push(clean_up, proc);
	proc->result = proc->cfg.run(proc->cfg.arg);
	pthread_cleanup_pop(1);
	return NULL;
}

static int give_driver(struct box_proc *proc)
{
	char text[32];
	s64 channel = box_channel_open(proc);
	s64 pipe = channel < 0 ? channel : box_fd_add(proc, box_file_new(&ready_ops, proc));

	if (pipe < 0)
		return (int)pipe;
	snprintf(text, sizeof(text), "%lld", (long long)channel);
	setenv("PCID_CLIENT_CHANNEL", text, 1);
	snprintf(text, sizeof(text), "%lld", (long long)pipe);
	setenv("INIT_NOTIFY", text, 1);
	return 0;
}

int box_spawn(struct box *box, const struct box_proc_config *cfg, struct box_proc **out)
{
	struct box_proc *proc = calloc(1, sizeof(*proc));
	int ret = 0;

	if (!proc)
		return -ENOMEM;
	proc->box = box;
	proc->cfg = *cfg;
	proc->ns = cfg->in_init_ns ? NS_INIT : NS_USER;
	svc_list_init(&proc->maps);
	pthread_mutex_lock(&box->lock);
	proc->pid = ++box->next_pid;
	svc_list_add(&box->procs, &proc->link);
	proc->ns_fd = (size_t)box_ns_open(proc);
	if (cfg->is_driver)
		ret = give_driver(proc);
	pthread_mutex_unlock(&box->lock);
	if (!ret)
		ret = -pthread_create(&proc->thread, NULL, run, proc);
	if (ret) {
		clean_up(proc);
		svc_list_del(&proc->link);
		free(proc);
		return ret;
	}
	*out = proc;
	return 0;
}

void box_adopt(void)
{
	adopter = box_self;
}

int box_ready(struct box_proc *proc, u64 timeout_ns)
{
	u64 until = base_clock_ns() + timeout_ns;
	const struct timespec ts = { .tv_sec = (time_t)(until / BASE_NS_PER_S),
				     .tv_nsec = (long)(until % BASE_NS_PER_S) };
	int ret = 0;

	pthread_mutex_lock(&proc->box->lock);
	while (proc->ready == READY_NOT && !proc->ended && ret != ETIMEDOUT)
		ret = pthread_cond_clockwait(&proc->box->changed, &proc->box->lock, CLOCK_MONOTONIC,
					     &ts);
	ret = proc->ready == READY_YES			   ? 0
	      : proc->ready == READY_CLOSED || proc->ended ? -EPIPE
							   : -ETIMEDOUT;
	pthread_mutex_unlock(&proc->box->lock);
	return ret;
}

void box_signal(struct box_proc *proc)
{
	pthread_mutex_lock(&proc->box->lock);
	proc->signalled = true;
	box_scheme_signal(proc);
	box_changed(proc->box);
	pthread_mutex_unlock(&proc->box->lock);
}

void box_kill(struct box_proc *proc)
{
	pthread_mutex_lock(&proc->box->lock);
	proc->killed = true;
	box_changed(proc->box);
	pthread_mutex_unlock(&proc->box->lock);
}

bool box_ended(struct box_proc *proc)
{
	bool ended;

	pthread_mutex_lock(&proc->box->lock);
	ended = proc->ended;
	pthread_mutex_unlock(&proc->box->lock);
	return ended;
}

bool box_is_stuck(struct box_proc *proc)
{
	bool stuck;

	pthread_mutex_lock(&proc->box->lock);
	stuck = !proc->ended && box_scheme_is_lost(proc);
	pthread_mutex_unlock(&proc->box->lock);
	return stuck;
}

int box_wait(struct box_proc *proc)
{
	int ret;

	pthread_join(proc->thread, NULL);
	pthread_mutex_lock(&proc->box->lock);
	svc_list_del(&proc->link);
	pthread_mutex_unlock(&proc->box->lock);
	ret = proc->result;
	free(proc);
	return ret;
}

/*
 * The box
 */

int box_create(const struct box_config *cfg, struct box **out)
{
	struct box *box = calloc(1, sizeof(*box));
	int ret;

	if (!box)
		return -ENOMEM;
	box->cfg = *cfg;
	box->patience_ns = BOX_PATIENCE_NS;
	svc_list_init(&box->procs);
	svc_list_init(&box->schemes);
	svc_list_init(&box->irq_files);
	pthread_mutex_init(&box->lock, NULL);
	pthread_cond_init(&box->changed, NULL);
	ret = box_mmio_install();
	if (!ret)
		ret = box_ram_create(box);
	if (!ret)
		ret = box_pci_create(box);
	if (ret) {
		box_destroy(box);
		return ret;
	}
	*out = box;
	return 0;
}

void box_destroy(struct box *box)
{
	vnpu_destroy(box->vnpu);
	box_schemes_free(box);
	box_ram_destroy(box);
	pthread_cond_destroy(&box->changed);
	pthread_mutex_destroy(&box->lock);
	free(box);
}

u64 box_complaints(struct box *box, char *text, size_t size)
{
	u64 nr;

	pthread_mutex_lock(&box->lock);
	nr = box->nr_complaints;
	if (text && size)
		snprintf(text, size, "%s", box->complaint);
	pthread_mutex_unlock(&box->lock);
	return nr;
}

struct box_live box_live(struct box *box)
{
	struct box_live live = { 0 };

	pthread_mutex_lock(&box->lock);
	live.contiguous_bytes = box->contiguous;
	live.descriptors = box->nr_fds;
	live.mappings = box->nr_maps;
	for (u32 i = 0; i < BOX_NR_IRQS; i++)
		live.vectors += box->irq_reserved[i];
	pthread_mutex_unlock(&box->lock);
	return live;
}

struct box_live box_proc_live(struct box_proc *proc)
{
	struct box_live live = { 0 };
	struct svc_list *node;

	pthread_mutex_lock(&proc->box->lock);
	live.heap = proc->heap;
	for (size_t fd = 0; fd < BOX_MAX_FDS; fd++)
		live.descriptors += proc->fds[fd] != NULL;
	base_for_each (node, &proc->maps)
		live.mappings++;
	pthread_mutex_unlock(&proc->box->lock);
	return live;
}
