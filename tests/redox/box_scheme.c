// SPDX-License-Identifier: MIT
/*
 * Schemes that processes serve.  R 2, its rules and traps: tags of which 0 is one, messages nobody
 * answers, memory that is lent until the answer, callers that stay blocked when the server is gone.
 */
#include "box_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum req_state { REQ_QUEUED, REQ_TAKEN, REQ_DONE };

enum lend { LEND_NOTHING, LEND_IN, LEND_OUT, LEND_BOTH };

struct req {
	struct svc_list link;
	struct redox_sqe sqe;
	enum req_state state;
	bool oneway;
	bool abandoned; /* its caller is gone: nobody waits for the answer */
	bool cancelled; /* the server was told to give up */
	struct box_proc *caller;
	struct box_scheme *scheme;
	s64 result;
	u8 extra;
	u8 *lent; /* in the server: a guard page, the pages, a guard page */
	u64 lent_len;
	enum lend how;
	u8 *client; /* where it goes back to */
	u64 len;
};

struct box_scheme {
	struct svc_list link;
	struct box *box;
	char name[32];
	struct box_proc *server; /* its thread, too: no other may serve it */
	u64 root_id;
	struct svc_list reqs;
	struct box_file *socket; /* NULL: closed, or its process is gone */
	struct svc_list handles;
	u32 refs; /* handles, and its place in the box's list */
};

struct handle {
	struct svc_list link;
	struct box_scheme *scheme;
	struct box_file *file;
	u64 id;
};

static const struct box_file_ops handle_ops;

/*
 * Lending
 */

/* At the end of its page, so that one byte too far is one page too far. */
static void lend(struct req *req, enum lend how, const void *client, u64 len)
{
	u64 pages = base_align_up(len, BASE_PAGE_SIZE);
	u8 *data;

	req->how = how;
	req->client = (u8 *)(uintptr_t)client;
	req->len = len;
	if (!len || how == LEND_NOTHING)
		return;
	req->lent_len = pages + 2 * BASE_PAGE_SIZE;
	req->lent = mmap(NULL, req->lent_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (req->lent == MAP_FAILED ||
	    mprotect(req->lent + BASE_PAGE_SIZE, pages, PROT_READ | PROT_WRITE))
		abort();
	data = req->lent + BASE_PAGE_SIZE + pages - len;
	if (how == LEND_OUT) /* may not be readable at all; what is read is not what was there */
		memset(data, 0xa5, len);
	else
		memcpy(data, client, len);
	if (how == LEND_IN && mprotect(req->lent + BASE_PAGE_SIZE, pages, PROT_READ))
		abort();
}

static u64 lent_at(const struct req *req)
{
	return req->lent ? (u64)(uintptr_t)(req->lent + req->lent_len - BASE_PAGE_SIZE - req->len)
			 : REDOX_NO_BUFFER;
}

/* From here on the server's pointer is good for nothing. */
static void take_back(struct req *req)
{
	if (!req->lent)
		return;
	if (req->how != LEND_IN && !req->abandoned && req->result >= 0)
		memcpy(req->client, (const void *)(uintptr_t)lent_at(req), req->len);
	munmap(req->lent, req->lent_len);
	req->lent = NULL;
}

/*
 * Requests
 */

static void req_free(struct req *req)
{
	take_back(req);
	svc_list_del(&req->link);
	free(req);
}

/* The smallest that no live request has; 0 is one. */
static u32 free_tag(const struct box_scheme *s)
{
	for (u32 tag = 0;; tag++) {
		struct svc_list *node;
		bool used = false;

		base_for_each (node, &s->reqs) {
			const struct req *r = svc_list_entry(node, struct req, link);

			used |= !r->oneway && r->sqe.tag == tag;
		}
		if (!used)
			return tag;
	}
}

static struct req *req_new(struct box_scheme *s, struct box_proc *caller, enum redox_op op, u64 id)
{
	struct req *req = calloc(1, sizeof(*req));

	if (!req)
		abort();
	req->sqe.opcode = (u8)op;
	req->sqe.args[0] = id;
	req->scheme = s;
	req->caller = caller;
	if (caller) {
		req->sqe.caller = caller->pid;
		req->sqe.tag = free_tag(s);
		if (op != REDOX_OP_CALL && op != REDOX_OP_STDFS)
			req->sqe.args[5] = caller->cfg.uid | (u64)caller->cfg.gid << 32;
	}
	return req;
}

static void enqueue(struct box_scheme *s, struct req *req)
{
	svc_list_add(&s->reqs, &req->link);
	box_trigger(s->box, s->socket, REDOX_EVENT_READ);
}

/* A message without answer: tag 0, whoever else has it. */
static void tell(struct box_scheme *s, enum redox_op op, u64 id, u32 tag)
{
	struct req *req;

	if (!s->socket)
		return;
	req = req_new(s, NULL, op, id);
	req->oneway = true;
	req->sqe.flags = REDOX_SQE_ONEWAY;
	req->sqe.tag = tag;
	enqueue(s, req);
}

/* A caller that is killed leaves its request behind; what it was just given is closed for it. */
static void abandon(void *arg)
{
	struct req *req = arg;
	struct box *box = req->caller->box;
	const u8 op = req->sqe.opcode;

	pthread_mutex_lock(&box->lock);
	if (req->state != REQ_DONE) {
		req->abandoned = true;
	} else {
		if (req->result >= 0 && (op == REDOX_OP_OPENAT || op == REDOX_OP_DUP))
			tell(req->scheme, REDOX_OP_CLOSE, (u64)req->result, 0);
		req_free(req);
	}
	pthread_mutex_unlock(&box->lock);
}

/* Until it is answered.  A signal asks the server to give up; the answer still is the server's. */
static s64 ask_extra(struct box_scheme *s, struct req *req, u8 *extra)
{
	u64 start = base_clock_ns();
	struct box_proc *caller = req->caller;
	s64 result;
	int ret = 0;

	if (!s->socket) {
		svc_list_init(&req->link);
		req_free(req);
		return -ENODEV;
	}
	enqueue(s, req);
	pthread_cleanup_push(abandon, req);
	while (req->state != REQ_DONE && ret != -EDEADLK) {
		bool was = caller->signalled;

		caller->signalled = false; /* it was told to the server */
		ret = box_block(caller, start, UINT64_MAX);
		caller->signalled |= was;
	}
	pthread_cleanup_pop(0);
	if (ret == -EDEADLK) {
		req->abandoned = true;
		return ret;
	}
	result = req->result;
	*extra = req->extra;
	take_back(req);
	if (req->cancelled && result == -REDOX_ECANCELED)
		result = -EINTR;
	else if (result == -EINTR && !req->cancelled)
		result = -EIO;
	req_free(req);
	return result;
}

static s64 ask(struct box_scheme *s, struct req *req)
{
	u8 extra;

	return ask_extra(s, req, &extra);
}

void box_scheme_signal(struct box_proc *proc)
{
	struct svc_list *node, *rnode;

	base_for_each (node, &proc->box->schemes) {
		struct box_scheme *s = svc_list_entry(node, struct box_scheme, link);

		base_for_each (rnode, &s->reqs) {
			struct req *r = svc_list_entry(rnode, struct req, link);

			if (r->caller != proc || r->cancelled || r->state == REQ_DONE)
				continue;
			r->cancelled = true;
			tell(s, REDOX_OP_CANCEL, 0, r->sqe.tag);
			break; /* the list has grown; one call at a time is under way */
		}
	}
}

bool box_scheme_is_lost(const struct box_proc *proc)
{
	struct svc_list *node, *rnode;

	base_for_each (node, &proc->box->schemes) {
		struct box_scheme *s = svc_list_entry(node, struct box_scheme, link);

		base_for_each (rnode, &s->reqs) {
			const struct req *r = svc_list_entry(rnode, struct req, link);

			if (!s->socket && r->caller == proc && r->state != REQ_DONE &&
			    !r->abandoned)
				return true;
		}
	}
	return false;
}

/*
 * The server's side
 */

static s64 socket_read(struct box_proc *proc, struct box_file *file, u8 *dst, size_t len)
{
	struct box_scheme *s = file->priv;
	u64 start = base_clock_ns();
	size_t nr = 0;

	if (proc != s->server) {
		box_complain(s->box, "scheme %s: read by another process than made it", s->name);
		return -EBADF;
	}
	if (!len || len % sizeof(struct redox_sqe))
		return -EINVAL;
	for (;;) {
		struct svc_list *node, *tmp;

		base_for_each_safe (node, tmp, &s->reqs) {
			struct req *r = svc_list_entry(node, struct req, link);

			if (r->state != REQ_QUEUED || (nr + 1) * sizeof(r->sqe) > len)
				continue;
			memcpy(dst + nr++ * sizeof(r->sqe), &r->sqe, sizeof(r->sqe));
			r->state = REQ_TAKEN;
			if (r->oneway)
				req_free(r);
		}
		if (nr)
			return (s64)(nr * sizeof(struct redox_sqe));
		if (file->flags & REDOX_O_NONBLOCK)
			return -EAGAIN;
		if (box_block(proc, start, UINT64_MAX))
			return -EINTR;
	}
}

static struct req *live(struct box_scheme *s, u32 tag)
{
	struct svc_list *node;

	base_for_each (node, &s->reqs) {
		struct req *r = svc_list_entry(node, struct req, link);

		if (!r->oneway && r->sqe.tag == tag && r->state == REQ_TAKEN)
			return r;
	}
	return NULL;
}

/* What the kernel takes for an error: the low word. */
static s64 decode(u64 result)
{
	s32 low = (s32)(u32)result;

	return low < 0 && low >= -132 ? low : (s64)result;
}

/* @first of what is written: else the server is told of those before, and tries it again. */
static int answer(struct box_scheme *s, const struct redox_cqe *cqe, bool first)
{
	struct req *r = live(s, cqe->tag);

	if (!r) {
		box_complain(s->box, "scheme %s: an answer to tag %u, which nobody has", s->name,
			     cqe->tag);
		return -EINVAL;
	}
	if (r->abandoned) {
		if (first)
			req_free(r);
		return -EBADFD;
	}
	r->result = decode(cqe->result);
	r->extra = cqe->extra[0];
	r->state = REQ_DONE;
	take_back(r);
	box_changed(s->box);
	return 0;
}

/* Of a handle that is closed: its server may not have read that yet. */
static void tell_event(struct box_scheme *s, const struct redox_cqe *cqe)
{
	struct svc_list *node;

	base_for_each (node, &s->handles) {
		struct handle *h = svc_list_entry(node, struct handle, link);

		if (h->id == cqe->result)
			box_trigger(s->box, h->file, cqe->tag);
	}
}

static s64 socket_write(struct box_proc *proc, struct box_file *file, const u8 *src, size_t len)
{
	struct box_scheme *s = file->priv;
	size_t done = 0;

	(void)proc;
	if (!len || len % sizeof(struct redox_cqe))
		return -EINVAL;
	for (; done < len; done += sizeof(struct redox_cqe)) {
		struct redox_cqe cqe;
		int ret;

		memcpy(&cqe, src + done, sizeof(cqe));
		switch (cqe.flags & 7) {
		case REDOX_CQE_REPLY:
			ret = answer(s, &cqe, !done);
			break;
		case REDOX_CQE_EVENT:
			tell_event(s, &cqe);
			ret = 0;
			break;
		default:
			box_complain(s->box, "scheme %s: an answer of kind %u", s->name, cqe.flags);
			ret = -EINVAL;
		}
		if (ret)
			return done ? (s64)done : ret;
	}
	return (s64)len;
}

static struct box_file *handle_new(struct box_scheme *s, u64 id)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->scheme = s;
	h->id = id;
	h->file = box_file_new(&handle_ops, h);
	svc_list_add(&s->handles, &h->link);
	s->refs++;
	return h->file;
}

/* A descriptor of a handle of one's own. */
static s64 socket_dup(struct box_proc *proc, struct box_file *file, const u8 *buf, size_t len)
{
	struct redox_new_fd fd;

	if (len != sizeof(fd))
		return -EINVAL;
	memcpy(&fd, buf, sizeof(fd));
	return box_fd_add(proc, handle_new(file->priv, fd.number));
}

static s64 socket_fevent(struct box_proc *proc, struct box_file *file, size_t mask)
{
	const struct box_scheme *s = file->priv;
	struct svc_list *node;

	(void)proc;
	base_for_each (node, &s->reqs)
		if (svc_list_entry(node, struct req, link)->state == REQ_QUEUED)
			return (s64)(mask & REDOX_EVENT_READ);
	return 0;
}

static void scheme_put(struct box_scheme *s)
{
	if (--s->refs)
		return;
	while (!svc_list_empty(&s->reqs))
		req_free(svc_list_entry(s->reqs.next, struct req, link));
	svc_list_del(&s->link);
	free(s);
}

/* Whoever is not answered stays as he is: new calls get an error, old ones nothing. */
static void socket_close(struct box *box, struct box_file *file)
{
	struct box_scheme *s = file->priv;
	struct svc_list *node;

	base_for_each (node, &s->reqs) {
		struct req *r = svc_list_entry(node, struct req, link);

		if (!r->oneway && !r->abandoned && r->state != REQ_DONE && !s->server->killed) {
			box_complain(box, "scheme %s: closed, and %s waits for an answer", s->name,
				     r->caller->cfg.name);
			break;
		}
	}
	s->socket = NULL;
	s->name[0] = '\0'; /* the name is free again */
	scheme_put(s);
}

static const struct box_file_ops socket_ops = { .name = "scheme socket",
						.read = socket_read,
						.write = socket_write,
						.dup = socket_dup,
						.fevent = socket_fevent,
						.close = socket_close };

/*
 * The client's side
 */

/* The descriptor of what @req opens; if its server wants that, it has a position. */
static s64 ask_open(struct box_proc *proc, struct box_scheme *s, struct req *req)
{
	u8 extra = 0;
	s64 id = ask_extra(s, req, &extra);
	struct box_file *file;

	if (id < 0)
		return id;
	file = handle_new(s, (u64)id);
	if (extra & REDOX_CQE_POSITIONED)
		file->pos = 0;
	return box_fd_add(proc, file);
}

static s64 open_at(struct box_proc *proc, struct box_scheme *s, u64 dir, const u8 *path, size_t len,
		   u32 flags)
{
	struct req *req = req_new(s, proc, REDOX_OP_OPENAT, dir);

	lend(req, LEND_IN, path, len);
	req->sqe.args[1] = lent_at(req);
	req->sqe.args[2] = len;
	req->sqe.args[3] = flags;
	return ask_open(proc, s, req);
}

static s64 handle_openat(struct box_proc *proc, struct box_file *file, const u8 *path, size_t len,
			 u32 flags)
{
	const struct handle *h = file->priv;

	return open_at(proc, h->scheme, h->id, path, len, flags);
}

static s64 handle_dup(struct box_proc *proc, struct box_file *file, const u8 *buf, size_t len)
{
	const struct handle *h = file->priv;
	struct req *req = req_new(h->scheme, proc, REDOX_OP_DUP, h->id);

	lend(req, LEND_IN, buf, len);
	req->sqe.args[1] = lent_at(req);
	req->sqe.args[2] = len;
	return ask_open(proc, h->scheme, req);
}

static s64 transfer(struct box_proc *proc, struct box_file *file, enum redox_op op, enum lend how,
		    const void *buf, size_t len)
{
	const struct handle *h = file->priv;
	struct req *req = req_new(h->scheme, proc, op, h->id);
	s64 n;

	lend(req, how, buf, len);
	req->sqe.args[1] = lent_at(req);
	req->sqe.args[2] = len;
	req->sqe.args[3] = file->pos;
	req->sqe.args[4] = file->flags & REDOX_O_NONBLOCK;
	n = ask(h->scheme, req);
	if (n > 0 && file->pos != UINT64_MAX)
		file->pos += (u64)n;
	return n;
}

static s64 handle_read(struct box_proc *proc, struct box_file *file, u8 *dst, size_t len)
{
	return transfer(proc, file, REDOX_OP_READ, LEND_OUT, dst, len);
}

static s64 handle_write(struct box_proc *proc, struct box_file *file, const u8 *src, size_t len)
{
	return transfer(proc, file, REDOX_OP_WRITE, LEND_IN, src, len);
}

static s64 handle_call(struct box_proc *proc, struct box_file *file, u8 *payload, size_t len,
		       const u64 meta[3])
{
	const struct handle *h = file->priv;
	struct req *req = req_new(h->scheme, proc, REDOX_OP_CALL, h->id);

	lend(req, LEND_BOTH, payload, len);
	req->sqe.args[1] = lent_at(req);
	req->sqe.args[2] = len;
	memcpy(&req->sqe.args[3], meta, 3 * sizeof(meta[0]));
	return ask(h->scheme, req);
}

static s64 handle_fevent(struct box_proc *proc, struct box_file *file, size_t mask)
{
	const struct handle *h = file->priv;
	struct req *req;

	if (proc == h->scheme->server) {
		box_complain(proc->box, "scheme %s: its server waits for itself", h->scheme->name);
		return -EDEADLK;
	}
	req = req_new(h->scheme, proc, REDOX_OP_FEVENT, h->id);
	req->sqe.args[1] = mask;
	return ask(h->scheme, req);
}

static s64 handle_mmap(struct box_proc *proc, struct box_file *file, void *at, size_t len, u32 prot,
		       u32 flags, u64 off)
{
	const struct handle *h = file->priv;
	struct req *req = req_new(h->scheme, proc, REDOX_OP_MMAP_PREP, h->id);
	s64 from;

	(void)at;
	req->sqe.args[1] = len;
	req->sqe.args[2] = (u64)prot << 16 | flags;
	req->sqe.args[3] = off;
	from = ask(h->scheme, req);
	if (from < 0 && from >= -132)
		return from;
	if (from % (s64)BASE_PAGE_SIZE) {
		box_complain(proc->box, "scheme %s: lends from the middle of a page",
			     h->scheme->name);
		return -EINVAL;
	}
	return h->scheme->socket
		       ? box_map_lent(proc, h->scheme->server, (u64)from, len, prot, file, off)
		       : -ENODEV;
}

s64 box_scheme_munmap(struct box_proc *proc, struct box_file *file, u64 len, u64 off)
{
	const struct handle *h = file->priv;
	struct req *req;

	if (!h->scheme->socket)
		return 0;
	req = req_new(h->scheme, proc, REDOX_OP_MUNMAP, h->id);
	req->sqe.args[1] = len;
	req->sqe.args[2] = 1;
	req->sqe.args[3] = off;
	return ask(h->scheme, req);
}

/* The last descriptor and the last mapping are gone. */
static void handle_close(struct box *box, struct box_file *file)
{
	struct handle *h = file->priv;

	(void)box;
	svc_list_del(&h->link);
	tell(h->scheme, REDOX_OP_CLOSE, h->id, 0);
	scheme_put(h->scheme);
	free(h);
}

static const struct box_file_ops handle_ops = { .name = "handle of a scheme",
						.read = handle_read,
						.write = handle_write,
						.dup = handle_dup,
						.openat = handle_openat,
						.call = handle_call,
						.mmap = handle_mmap,
						.fevent = handle_fevent,
						.close = handle_close };

static s64 seek_from(const struct box_file *file, int whence)
{
	const struct handle *h = file->priv;

	if (whence == SEEK_SET)
		return 0;
	return whence == SEEK_CUR
		       ? (s64)file->pos
		       : ask(h->scheme, req_new(h->scheme, box_self, REDOX_OP_FSIZE, h->id));
}

s64 box_lseek(size_t fd, s64 off, int whence)
{
	struct box_file *file;
	s64 from = -EBADF;

	pthread_mutex_lock(&box_self->box->lock);
	file = box_fd(box_self, fd);
	if (file)
		from = file->ops == &handle_ops && file->pos != UINT64_MAX ? seek_from(file, whence)
									   : -ESPIPE;
	if (from >= 0 && from + off < 0)
		from = -EINVAL;
	if (from >= 0)
		file->pos = (u64)(from + off);
	pthread_mutex_unlock(&box_self->box->lock);
	return from < 0 ? from : from + off;
}

/* A request of handle @fd; @payload, if there is one, is lent in the place of the first two args. */
static s64 ask_handle(size_t fd, u8 opcode, const u64 args[5], void *payload, size_t len)
{
	struct box_proc *proc = box_self;
	struct box_file *file;
	s64 ret = -EBADF;

	pthread_mutex_lock(&proc->box->lock);
	file = box_fd(proc, fd);
	if (file && file->ops == &handle_ops) {
		const struct handle *h = file->priv;
		struct req *req = req_new(h->scheme, proc, opcode, h->id);

		memcpy(&req->sqe.args[1], args, 5 * sizeof(args[0]));
		if (payload) {
			lend(req, LEND_OUT, payload, len);
			req->sqe.args[1] = lent_at(req);
			req->sqe.args[2] = len;
		}
		ret = ask(h->scheme, req);
	}
	pthread_mutex_unlock(&proc->box->lock);
	return ret;
}

s64 box_stdfs(size_t fd, enum redox_stdfs kind, void *payload, size_t len, u64 arg1, u64 arg2)
{
	const u64 args[5] = { 0, 0, kind, arg1, arg2 };

	return ask_handle(fd, REDOX_OP_STDFS, args, payload, len);
}

/* Anything a client, or a kernel to come, may send. */
s64 box_raw(size_t fd, u8 opcode, const u64 args[4])
{
	const u64 all[5] = { args[0], args[1], args[2], args[3] };

	return ask_handle(fd, opcode, all, NULL, 0);
}

/*
 * Making and finding
 */

static s64 cap_dup(struct box_proc *proc, struct box_file *file, const u8 *buf, size_t len)
{
	struct box_scheme *s;

	(void)file;
	if (!box_path_is(buf, len, "create-scheme"))
		return -EINVAL;
	if (proc->cfg.uid)
		return -EACCES;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->box = proc->box;
	s->server = proc;
	s->refs = 1;
	svc_list_init(&s->reqs);
	svc_list_init(&s->handles);
	svc_list_add(&proc->box->schemes, &s->link);
	s->socket = box_file_new(&socket_ops, s);
	return box_fd_add(proc, s->socket);
}

static const struct box_file_ops cap_ops = { .name = "scheme-creation-cap", .dup = cap_dup };
static const struct box_file_ops ns_ops = { .name = "namespace" };

s64 box_cap_open(struct box_proc *proc)
{
	return proc->ns == NS_INIT ? box_fd_add(proc, box_file_new(&cap_ops, NULL)) : -EACCES;
}

s64 box_ns_open(struct box_proc *proc)
{
	return box_fd_add(proc, box_file_new(&ns_ops, NULL));
}

static struct box_scheme *find(struct box *box, const u8 *name, size_t len)
{
	struct svc_list *node;

	base_for_each (node, &box->schemes) {
		struct box_scheme *s = svc_list_entry(node, struct box_scheme, link);

		if (*s->name && box_path_is(name, len, s->name))
			return s;
	}
	return NULL;
}

s64 box_scheme_register(struct box_proc *proc, const u8 *name, size_t len, struct box_file *root)
{
	struct handle *h = root->priv;

	if (root->ops != &handle_ops || len >= sizeof(h->scheme->name) || !len)
		return -EINVAL;
	if (find(proc->box, name, len))
		return -EEXIST;
	memcpy(h->scheme->name, name, len);
	h->scheme->name[len] = '\0';
	h->scheme->root_id = h->id;
	return 0;
}

s64 box_scheme_open(struct box_proc *proc, const u8 *name, size_t name_len, const u8 *path,
		    size_t path_len, u32 flags)
{
	struct box_scheme *s = find(proc->box, name, name_len);

	return s ? open_at(proc, s, s->root_id, path, path_len, flags) : -ENODEV;
}

void box_schemes_free(struct box *box)
{
	while (!svc_list_empty(&box->schemes)) {
		struct box_scheme *s = svc_list_entry(box->schemes.next, struct box_scheme, link);

		s->refs = 1;
		scheme_put(s);
	}
}
