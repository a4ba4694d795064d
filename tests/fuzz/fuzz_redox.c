// SPDX-License-Identifier: MIT
/*
 * Requests of Redox programs, through src/scheme/redox*.c into the service, on a driver that is made
 * up.  The kernel is one of our own, which does what R section 2 says: a program reaches the handles it
 * was given and no others; tags are the smallest that are free; memory is lent until the answer and
 * no longer; messages that have no answer have tag 0; a program that is killed is answered no more
 * and its handles are closed.
 *
 * Operations are a byte and what it takes.  Checked: each request is answered once, and with -EBADF
 * where it names no handle; what is lent is not written if it is lent for reading; nobody without
 * root opens what is root's; nothing is left when all programs are gone.
 */
#include <sys/mman.h>

#include "input.h"
#include "scheme/redox.h"
#include "service/fake_drv.h"

#define MAX_REQS    256u
#define MAX_HANDLES 512u
#define MAX_OPS	    400u
#define NR_PROCS    4u

#define SQE_TWO_IDS 2u /* sqe.flags: another id is in args[5] */

enum { FD_EVENT = 100, FD_CAP, FD_SOCKET, FD_ROOT, FD_NS };

struct req {
	struct redox_sqe sqe;
	bool live, taken, oneway, killed;
	u32 proc;
	bool for_root;	      /* it opens what only root may */
	bool bad_id;	      /* it names nothing */
	u8 *lent, *lent_copy; /* exactly as long as it says; the copy: it is for reading */
	size_t lent_len;
};

static struct req reqs[MAX_REQS]; /* in the order they were made */
static u32 nr_reqs;
static u64 handles[MAX_HANDLES]; /* that programs hold; 0: free */
static u32 owners[MAX_HANDLES];
static u32 next_pid;
static u32 pids[NR_PROCS];

static struct {
	bool nonblock, queue_nonblock;
	u32 fail_nth; /* this call from now fails; 0: none */
	int fail_code;
	u32 partial; /* most answers taken by a write; 0: all */
	size_t socket_data;
	u32 nr_fds;
} kernel;

static struct drv_dev drv;
static struct loop *loop;
static struct svc *svc;
static struct scheme *scheme;

/*
 * The kernel's functions
 */

static bool fails(void)
{
	return kernel.fail_nth && !--kernel.fail_nth;
}

static redox_raw error(int code)
{
	return (redox_raw)(s64)code;
}

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode)
{
	(void)path, (void)flags, (void)mode;
	if (fails())
		return error(kernel.fail_code);
	kernel.nr_fds++;
	return len == strlen("/scheme/event") ? FD_EVENT : FD_CAP;
}

redox_raw redox_dup_v1(size_t fd, const uint8_t *buf, size_t len)
{
	(void)buf, (void)len;
	if (fails())
		return error(kernel.fail_code);
	kernel.nr_fds++;
	return fd == FD_CAP ? FD_SOCKET : FD_ROOT;
}

redox_raw redox_close_v1(size_t fd)
{
	(void)fd;
	must(kernel.nr_fds--);
	return 0;
}

redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg)
{
	must(cmd == REDOX_F_SETFL);
	if (fails())
		return error(kernel.fail_code);
	if (fd == FD_SOCKET)
		kernel.nonblock = arg & REDOX_O_NONBLOCK;
	else
		kernel.queue_nonblock = arg & REDOX_O_NONBLOCK;
	return 0;
}

redox_raw redox_get_ns_v0(void)
{
	return fails() ? error(kernel.fail_code) : FD_NS;
}

redox_raw redox_register_scheme_to_ns_v0(size_t ns_fd, const uint8_t *name, size_t len,
					 size_t cap_fd)
{
	(void)ns_fd, (void)name, (void)len, (void)cap_fd;
	return fails() ? error(kernel.fail_code) : 0;
}

redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset)
{
	void *at = mmap(addr, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)prot, (void)flags, (void)fd, (void)offset;
	must(at != MAP_FAILED);
	return (redox_raw)(uintptr_t)at;
}

redox_raw redox_munmap_v1(void *addr, size_t len)
{
	must(!munmap(addr, len));
	return 0;
}

static bool waiting(void)
{
	for (u32 i = 0; i < nr_reqs; i++)
		if (reqs[i].live && !reqs[i].taken)
			return true;
	return false;
}

static redox_raw read_queue(uint8_t *dst, size_t len)
{
	const struct redox_event event = { .id = FD_SOCKET,
					   .flags = REDOX_EVENT_READ,
					   .data = kernel.socket_data };

	must(len >= sizeof(event));
	if (!waiting() || !kernel.socket_data)
		return error(kernel.queue_nonblock ? -REDOX_EAGAIN : -EINTR);
	memcpy(dst, &event, sizeof(event));
	return sizeof(event);
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	size_t nr = 0;

	if (fails())
		return error(kernel.fail_code);
	if (fd == FD_EVENT)
		return read_queue(dst, len);
	must(fd == FD_SOCKET && kernel.nonblock && len % sizeof(struct redox_sqe) == 0);
	for (u32 i = 0; i < nr_reqs && (nr + 1) * sizeof(struct redox_sqe) <= len; i++) {
		if (!reqs[i].live || reqs[i].taken)
			continue;
		memcpy(dst + nr++ * sizeof(struct redox_sqe), &reqs[i].sqe,
		       sizeof(struct redox_sqe));
		reqs[i].taken = true;
		if (reqs[i].oneway)
			reqs[i].live = false;
	}
	return nr ? nr * sizeof(struct redox_sqe) : error(-REDOX_EAGAIN);
}

/* What was lent is gone from here on: a sanitizer sees who still uses it. */
static void end(struct req *req)
{
	if (req->lent_copy)
		must(!memcmp(req->lent, req->lent_copy, req->lent_len));
	free(req->lent);
	free(req->lent_copy);
	req->lent = req->lent_copy = NULL;
	req->live = false;
}

static void hold(u64 id, u32 proc)
{
	u32 at = 0;

	for (u32 i = 0; i < MAX_HANDLES; i++)
		must(handles[i] != id); /* not one that somebody has */
	while (handles[at])
		must(++at < MAX_HANDLES);
	handles[at] = id;
	owners[at] = proc;
}

static bool opens(const struct redox_sqe *sqe)
{
	return sqe->opcode == REDOX_OP_OPENAT || sqe->opcode == REDOX_OP_DUP;
}

/* @first of what is written: else the server will try it again. */
static int answer(const struct redox_cqe *cqe, bool first)
{
	struct req *req = NULL;
	s64 result = (s64)cqe->result;

	for (u32 i = 0; i < nr_reqs && !req; i++)
		if (reqs[i].live && reqs[i].taken && reqs[i].sqe.tag == cqe->tag)
			req = &reqs[i];
	must(req); /* somebody asked, and was not answered yet */
	if (req->killed) {
		if (first)
			end(req);
		return -EINVAL;
	}
	must(result >= -132 && result != -EINPROGRESS); /* no error the kernel does not know */
	must(!req->bad_id || result < 0);
	must(!req->for_root || result < 0);
	if (opens(&req->sqe) && result >= 0)
		hold(cqe->result, req->proc);
	if (req->sqe.opcode == REDOX_OP_READ)
		must(result < 0 || (u64)result <= req->sqe.args[2]);
	end(req);
	return 0;
}

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	size_t done = 0;

	if (fails() && fd == FD_EVENT)
		return error(kernel.fail_code);
	if (fd == FD_EVENT) {
		struct redox_event event;

		must(len == sizeof(event));
		memcpy(&event, src, sizeof(event));
		if (event.id == FD_SOCKET)
			kernel.socket_data = event.flags ? event.data : 0;
		return len;
	}
	must(fd == FD_SOCKET && len && len % sizeof(struct redox_cqe) == 0);
	while (done < len &&
	       !(kernel.partial && done == kernel.partial * sizeof(struct redox_cqe))) {
		struct redox_cqe cqe;
		int ret;

		memcpy(&cqe, src + done, sizeof(cqe));
		must(cqe.flags == REDOX_CQE_REPLY || cqe.flags == REDOX_CQE_EVENT);
		ret = cqe.flags == REDOX_CQE_REPLY ? answer(&cqe, !done) : 0;
		if (ret)
			return done ? done : error(ret);
		done += sizeof(cqe);
	}
	return done;
}

/*
 * The daemon's loop, once round
 */

static void turn(void)
{
	struct loop_wakeup wakeup;
	const u64 left = scheme_settle(scheme) ? 0 : svc_process(svc, scheme_ready);

	must(!loop_sleep(loop, left, &wakeup));
	loop_serve(&wakeup);
}

/*
 * Programs
 */

static u32 free_tag(void)
{
	for (u32 tag = 0;; tag++) {
		bool used = false;

		for (u32 i = 0; i < nr_reqs; i++)
			used |= reqs[i].live && !reqs[i].oneway && reqs[i].sqe.tag == tag;
		if (!used)
			return tag;
	}
}

static bool is_root(u32 proc)
{
	return !(proc & 1);
}

static void tidy(void)
{
	u32 kept = 0;

	for (u32 i = 0; i < nr_reqs; i++)
		if (reqs[i].live)
			reqs[kept++] = reqs[i];
	nr_reqs = kept;
}

/* NULL: the program has to wait; there is always room to tell something. */
static struct req *ask(u32 proc, u8 op, u64 id)
{
	struct req *req;

	tidy();
	if (nr_reqs >= MAX_REQS / 2)
		return NULL;
	req = &reqs[nr_reqs];
	*req = (struct req){ .live = true,
			     .proc = proc,
			     .sqe = { .opcode = op, .args[0] = id, .caller = pids[proc] } };
	req->sqe.tag = free_tag();
	if (op != REDOX_OP_CALL && op != REDOX_OP_STDFS)
		req->sqe.args[5] = is_root(proc) ? 0 : 1000 | UINT64_C(1000) << 32;
	nr_reqs++;
	return req;
}

static void tell(u8 op, u64 id, u32 tag)
{
	while (nr_reqs > MAX_REQS - 2) {
		turn();
		tidy();
	}
	reqs[nr_reqs++] = (struct req){
		.live = true,
		.oneway = true,
		.sqe = { .opcode = op, .flags = REDOX_SQE_ONEWAY, .tag = tag, .args[0] = id }
	};
}

/* @data NULL: for the answer. */
static void lend(struct req *req, const void *data, size_t len)
{
	req->lent_len = len;
	req->sqe.args[1] = REDOX_NO_BUFFER;
	req->sqe.args[2] = len;
	if (!len)
		return;
	req->lent = malloc(len);
	must(req->lent);
	memset(req->lent, 0xa5, len);
	if (data)
		memcpy(req->lent, data, len);
	req->sqe.args[1] = (u64)(uintptr_t)req->lent;
}

static void keep_copy(struct req *req)
{
	if (!req->lent_len)
		return;
	req->lent_copy = malloc(req->lent_len);
	must(req->lent_copy);
	memcpy(req->lent_copy, req->lent, req->lent_len);
}

/* One of the program's; when it has none, or to try, one that nobody has. */
static u64 pick(struct input *in, u32 proc, bool *bad)
{
	const u8 which = in_u8(in);
	u64 mine[MAX_HANDLES];
	u32 nr = 0;

	for (u32 i = 0; i < MAX_HANDLES; i++)
		if (handles[i] && owners[i] == proc)
			mine[nr++] = handles[i];
	*bad = !nr || which >= 0xf8;
	if (!*bad)
		return mine[which % nr];
	return which & 1 ? 100000 + which : UINT64_MAX - which;
}

static bool only_root_may(const char *path, size_t len)
{
	static const char *const nodes[] = { "0/log",	  "0/trace",	"0/dump",
					     "0/control", "0/counters", "0/stream" };

	for (u32 i = 0; i < BASE_ARRAY_SIZE(nodes); i++)
		if (len == strlen(nodes[i]) && !memcmp(path, nodes[i], len))
			return true;
	return false;
}

static void do_open(struct input *in, u32 proc)
{
	char path[IN_PATH_SIZE];
	const bool below = in_u8(in) & 1;
	bool bad = false;
	const u64 dir = below ? pick(in, proc, &bad) : RS_ROOT_ID;
	const size_t len = in_path(in, path);
	struct req *req = ask(proc, REDOX_OP_OPENAT, dir);

	if (!req)
		return;
	lend(req, path, len);
	keep_copy(req);
	req->bad_id = bad;
	req->for_root = !below && !is_root(proc) && only_root_may(path, len);
}

static u64 addr_of(void *opaque, u8 which)
{
	(void)opaque;
	return FAKE_BASE + (u64)which * 1024;
}

static void do_write(struct input *in, struct req *req)
{
	struct abi_job jobs[80];
	const u8 how = in_u8(in);
	const u32 nr = how % BASE_ARRAY_SIZE(jobs);
	u8 text[64];

	if (how >= 0xe0) {
		in_copy(in, text, how & 31);
		lend(req, text, how & 31);
	} else {
		for (u32 i = 0; i < nr; i++)
			jobs[i] = in_job(in, addr_of, NULL);
		lend(req, jobs, nr * sizeof(jobs[0]));
	}
	keep_copy(req);
}

static void do_call(struct input *in, struct req *req)
{
	u64 call[1024];
	const size_t len = in_call(in, call, sizeof(call));

	lend(req, call, len);
}

static void do_request(struct input *in, u32 proc)
{
	static const u8 ops[] = { REDOX_OP_DUP,	  REDOX_OP_READ,      REDOX_OP_WRITE,
				  REDOX_OP_FSIZE, REDOX_OP_FCNTL,     REDOX_OP_FEVENT,
				  REDOX_OP_FPATH, REDOX_OP_FSTAT,     REDOX_OP_FSYNC,
				  REDOX_OP_CALL,  REDOX_OP_MMAP_PREP, REDOX_OP_MUNMAP,
				  REDOX_OP_STDFS };
	const u8 op = ops[in_u8(in) % BASE_ARRAY_SIZE(ops)];
	bool bad;
	const u64 id = pick(in, proc, &bad);
	struct req *req = ask(proc, op, id);
	char path[IN_PATH_SIZE];
	size_t len;

	if (!req)
		return;
	req->bad_id = bad;
	switch (op) {
	case REDOX_OP_DUP:
		len = in_path(in, path);
		lend(req, path, len);
		keep_copy(req);
		return;
	case REDOX_OP_READ:
		lend(req, NULL, in_u16(in) % 5000);
		req->sqe.args[3] = UINT64_MAX;
		req->sqe.args[4] = in_u8(in) & 1 ? REDOX_O_NONBLOCK : 0;
		return;
	case REDOX_OP_WRITE:
		do_write(in, req);
		return;
	case REDOX_OP_CALL:
		do_call(in, req);
		return;
	case REDOX_OP_FPATH:
	case REDOX_OP_FSTAT:
	case REDOX_OP_STDFS:
		lend(req, NULL, in_u16(in) % 2000);
		req->sqe.args[3] = in_u8(in) % 16;
		req->sqe.args[4] = req->sqe.args[3] & 8 ? in_u64(in) : in_u8(in);
		return;
	case REDOX_OP_MMAP_PREP:
		req->sqe.args[2] = in_u8(in) & 1 ? REDOX_MAP_SHARED : in_u64(in);
		req->sqe.args[1] = in_u16(in) * BASE_PAGE_SIZE;
		req->sqe.args[3] = in_u16(in) * UINT64_C(1024);
		return;
	default:
		req->sqe.args[1] = in_u8(in);
	}
}

/* Anything a kernel to come may ask, of a handle of the program's. */
static void do_unknown(struct input *in, u32 proc)
{
	static const u8 ops[] = { 0,  1,  2,  3,  8,  9,  12, 14, 16, 18, 19,
				  21, 22, 24, 26, 30, 31, 32, 35, 36, 77, 255 };
	bool bad;
	const u64 id = pick(in, proc, &bad);
	struct req *req = ask(proc, ops[in_u8(in) % BASE_ARRAY_SIZE(ops)], id);

	if (!req)
		return;
	for (u32 i = 1; i < 5; i++)
		req->sqe.args[i] = in_u64(in);
	req->bad_id = true; /* it is an error in any case */
	req->sqe.flags = in_u8(in) & SQE_TWO_IDS;
}

static void close_handle(u32 at)
{
	const u64 id = handles[at];

	handles[at] = 0;
	tell(at & 1 ? REDOX_OP_DETACH : REDOX_OP_CLOSE, id, 0);
}

static void do_close(struct input *in, u32 proc)
{
	bool bad;
	const u64 id = pick(in, proc, &bad);

	for (u32 i = 0; !bad && i < MAX_HANDLES; i++)
		if (handles[i] == id)
			close_handle(i);
	if (bad)
		tell(in_u8(in) & 1 ? REDOX_OP_DETACH : REDOX_OP_CLOSE, id, 0);
}

/* A signal: the server is asked to give one of the program's requests up. */
static void do_cancel(struct input *in, u32 proc)
{
	const u8 which = in_u8(in);

	for (u32 i = 0; i < nr_reqs; i++) {
		const struct req *req = &reqs[(i + which) % nr_reqs];

		if (req->live && !req->oneway && req->proc == proc && !req->killed) {
			tell(REDOX_OP_CANCEL, 0, req->sqe.tag);
			return;
		}
	}
}

/* Its requests are answered no more, its handles are closed, another program takes its place. */
static void kill_proc(u32 proc)
{
	for (u32 i = 0; i < nr_reqs; i++)
		if (reqs[i].live && !reqs[i].oneway && reqs[i].proc == proc)
			reqs[i].killed = true;
	for (u32 i = 0; i < MAX_HANDLES; i++)
		if (handles[i] && owners[i] == proc)
			close_handle(i);
	pids[proc] = ++next_pid;
}

/* A descriptor sent to another program: from now on it is that one's. */
static void do_pass(struct input *in, u32 proc)
{
	bool bad;
	const u64 id = pick(in, proc, &bad);

	for (u32 i = 0; i < MAX_HANDLES; i++)
		if (!bad && handles[i] == id)
			owners[i] = in_u8(in) % NR_PROCS;
}

static void complete(u32 nr)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(drv.queues); i++)
		if (drv.queues[i])
			fake_complete(drv.queues[i], nr);
}

static void one_op(struct input *in)
{
	const u8 what = in_u8(in);
	const u32 proc = what >> 6;

	switch (what & 15) {
	case 0:
	case 1:
	case 2:
		do_open(in, proc);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		do_request(in, proc);
		break;
	case 7:
		do_unknown(in, proc);
		break;
	case 8:
		do_close(in, proc);
		break;
	case 9:
		do_cancel(in, proc);
		break;
	case 10:
		kill_proc(proc);
		break;
	case 11:
		complete(in_u8(in) % 8);
		break;
	case 12:
		base_alloc_fail_nth(in_u8(in) & 15);
		break;
	case 13:
		kernel.partial = in_u8(in) & 3;
		kernel.fail_nth = in_u8(in) & 7;
		kernel.fail_code = -EINTR;
		break;
	case 14:
		do_pass(in, proc);
		break;
	default:
		turn();
	}
}

/*
 * All of it
 */

static void be_gone(void)
{
	for (u32 i = 0; i < NR_PROCS; i++)
		kill_proc(i);
	for (u32 i = 0; i < 100 && (waiting() || i < 2); i++)
		turn();
	must(!waiting());
	for (u32 i = 0; i < nr_reqs; i++)
		must(!reqs[i].live);
	must(svc_list_empty(&scheme->clients) && !scheme->nr_entries);
	complete(UINT32_MAX);
	(void)svc_process(svc, scheme_ready);
	must(!drv.nr_ctxs && !drv.nr_bos && !drv.nr_queues && !drv.nr_metrics);
}

/* Requests are under way when the daemon ends: each is answered. */
static void leave_waiting(void)
{
	scheme_destroy(scheme);
	for (u32 i = 0; i < nr_reqs; i++)
		must(!reqs[i].live);
	memset(handles, 0, sizeof(handles));
}

static int start(struct input *in)
{
	static const struct svc_limits limits = {
		.contexts = 4, .queues = 8, .handles = 40, .memory_bytes = 256 << 10
	};
	const struct scheme_config cfg = { .name = "npu" };
	const u8 how = in_u8(in);
	struct base_err err = { 0 };
	u32 idx;
	int ret;

	drv = (struct drv_dev){ .state = DRV_READY, .log = "a line", .max_ctxs = 6 };
	memset(&kernel, 0, sizeof(kernel));
	nr_reqs = next_pid = 0;
	for (u32 i = 0; i < NR_PROCS; i++)
		pids[i] = ++next_pid;
	must(!svc_create(&limits, &svc) && !svc_add_device(svc, &drv, 0, &idx));
	kernel.fail_nth = how >= 0xc0 ? how & 15 : 0;
	kernel.fail_code = how & 16 ? -EEXIST : -ENOMEM;
	ret = loop_create(&loop);
	if (!ret) {
		ret = scheme_create(loop, svc, &cfg, &scheme, &err);
		must(!ret || (ret == err.code && err.text[0]));
		if (ret)
			loop_destroy(loop);
	}
	must(!ret || how >= 0xc0);
	kernel.fail_nth = 0;
	return ret;
}

static void stop(void)
{
	complete(UINT32_MAX);
	must(!svc_remove_device(svc, 0, NULL));
	svc_destroy(svc);
	must(!drv.nr_ctxs && !drv.nr_bos && !drv.nr_queues && !drv.nr_metrics && !kernel.nr_fds);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	const u64 live = base_alloc_live();

	if (!start(&in)) {
		for (u32 i = 0; i < MAX_OPS && in.left; i++)
			one_op(&in);
		base_alloc_fail_nth(0);
		kernel.fail_nth = kernel.partial = 0;
		if (size & 1) {
			be_gone();
			scheme_destroy(scheme);
		} else {
			leave_waiting();
		}
		loop_destroy(loop);
	}
	stop();
	must(base_alloc_live() == live);
	return 0;
}
