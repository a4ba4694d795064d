// SPDX-License-Identifier: MIT
/*
 * Programs at npud's socket that send anything: through src/scheme/{socket,frame,loop}.c into the
 * service, on a driver that is made up.
 *
 * Operations are a byte (low nibble what, high nibble which connection) and what it takes.
 * Checked: a request that is a frame is answered once and in order, and nothing else is; a
 * connection that did nothing wrong is not closed; nothing, no descriptor either, is left when all
 * are gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi/npud.h"
#include "input.h"
#include "scheme/frame.h"
#include "scheme/scheme.h"
#include "service/fake_drv.h"

#define NR_CONNS 4u
#define MAX_OPS	 300u
#define MAX_TAGS 512u
#define LENT_FD	 1000 /* the first the made-up driver gives away: service/fake_drv.h */
#define MAX_LENT 160u

struct peer {
	int fd;		    /* -1: none */
	u32 tags[MAX_TAGS]; /* of requests without an answer; the oldest first */
	u32 nr_tags;
	u32 nr_sent;
	bool may_close; /* it did something that ends a connection */
	int memory;	/* the last descriptor it got */
};

static struct drv_dev drv;
static struct loop *loop;
static struct svc *svc;
static struct scheme *scheme;
static struct peer peers[NR_CONNS];
static bool starved; /* an allocation failed: anybody may be cut off */
static char dir[] = "/tmp/npud-fuzz.XXXXXX";
static char path[64];

static void clean(void)
{
	unlink(path);
	rmdir(dir);
}

/* What the made-up driver gives away are numbers; here are descriptors for them. */
static void setup(void)
{
	int memory;

	if (path[0])
		return;
	memory = open("/dev/zero", O_RDWR | O_CLOEXEC);
	must(mkdtemp(dir) != NULL && memory >= 0);
	snprintf(path, sizeof(path), "%s/npud", dir);
	(void)!atexit(clean);
	for (int i = 0; i < (int)MAX_LENT; i++)
		must(dup3(memory, LENT_FD + i, O_CLOEXEC) >= 0);
	close(memory);
	for (u32 i = 0; i < NR_CONNS; i++)
		peers[i].fd = peers[i].memory = -1;
}

static void turn(void)
{
	struct loop_wakeup wakeup;

	(void)svc_process(svc, scheme_ready);
	must(!scheme_settle(scheme));
	svc_listen(svc, true);
	must(!loop_sleep(loop, 0, &wakeup));
	svc_listen(svc, false);
	loop_serve(&wakeup);
}

/*
 * A program
 */

static void forget(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	if (peer->memory >= 0)
		close(peer->memory);
	*peer = (struct peer){ .fd = -1, .memory = -1 };
}

static void do_connect(struct peer *peer)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	forget(peer);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	peer->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(peer->fd >= 0);
	if (connect(peer->fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		must(errno == EAGAIN); /* too many at once */
		forget(peer);
	}
	peer->may_close = starved;
}

/* One answer; false: none is there. */
static bool receive(struct peer *peer)
{
	static struct frame_out out;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = &out, .iov_len = sizeof(out.head) + sizeof(out.payload) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	const ssize_t n = recvmsg(peer->fd, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		must(peer->may_close);
		forget(peer);
		return false;
	}
	must(n >= (ssize_t)sizeof(out.head) && out.head.size == (size_t)n - sizeof(out.head));
	must(peer->nr_tags && out.head.tag == peer->tags[0]);
	must(out.head.result >= 0 || (out.head.result > -4096 && out.head.size));
	memmove(peer->tags, peer->tags + 1, --peer->nr_tags * sizeof(peer->tags[0]));
	if (msg.msg_controllen >= CMSG_LEN(sizeof(int))) {
		if (peer->memory >= 0)
			close(peer->memory);
		memcpy(&peer->memory, CMSG_DATA(&control.head), sizeof(int));
	}
	return true;
}

static void receive_all(struct peer *peer, u32 max)
{
	while (max-- && peer->fd >= 0 && receive(peer))
		continue;
}

/* Whole messages; one that is not taken now is not sent.  @frame: it is one that is answered */
static void send_message(struct peer *peer, const void *data, size_t size, u32 nr_fds, bool frame)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	const struct abi_npud_req *req = data;

	if (nr_fds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(nr_fds * sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		for (u32 i = 0; i < nr_fds; i++)
			memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &(int){ LENT_FD },
			       sizeof(int));
	}
	if (peer->nr_tags == MAX_TAGS)
		return;
	if (sendmsg(peer->fd, &msg, MSG_NOSIGNAL) < 0) {
		must(errno == EAGAIN ||
		     ((errno == EPIPE || errno == ECONNRESET) && peer->may_close));
		return;
	}
	if (!frame)
		peer->may_close = true;
	else if (req->op != ABI_NPUD_POST)
		peer->tags[peer->nr_tags++] = req->tag;
}

static u64 addr_of(void *opaque, u8 which)
{
	(void)opaque;
	return FAKE_BASE + (u64)which * 1024;
}

static u32 put_payload(struct input *in, u16 op, u8 *payload)
{
	const u8 how = in_u8(in);
	struct abi_job job;
	char text[IN_PATH_SIZE];
	u32 len;

	switch (how < 0xe0 ? op : ABI_NPUD_NR_OPS) {
	case ABI_NPUD_OPEN:
	case ABI_NPUD_DUP:
		len = (u32)in_path(in, text);
		memcpy(payload, text, len);
		return len;
	case ABI_NPUD_WRITE:
	case ABI_NPUD_POST:
		for (u32 i = 0; i < how % 80u; i++) {
			job = in_job(in, addr_of, NULL);
			memcpy(payload + i * sizeof(job), &job, sizeof(job));
		}
		return how % 80u * (u32)sizeof(job);
	case ABI_NPUD_CALL:
		return (u32)in_call(in, payload, ABI_NPUD_PAYLOAD);
	case ABI_NPUD_NR_OPS:
		len = base_min((u32)in_u16(in), ABI_NPUD_PAYLOAD);
		in_copy(in, payload, len);
		return len;
	default:
		return 0;
	}
}

static void do_request(struct input *in, struct peer *peer)
{
	static struct frame_in frame;
	const u8 op = in_u8(in);
	struct abi_npud_req *head = &frame.head;

	*head = (struct abi_npud_req){ .op = op % (ABI_NPUD_NR_OPS + 1),
				       .tag = ++peer->nr_sent,
				       .handle = in_u8(in) };
	if (op >= 0xf0)
		head->op = in_u16(in);
	head->arg = head->op == ABI_NPUD_READ ? in_u16(in) : op >> 7;
	head->size = put_payload(in, head->op, frame.payload);
	/* a job that is refused when nobody is told, or a descriptor that does not wait */
	if (head->op == ABI_NPUD_POST ||
	    ((head->op == ABI_NPUD_MAP || head->op == ABI_NPUD_EVENT) && peer->nr_tags))
		peer->may_close = true;
	send_message(peer, &frame, sizeof(*head) + head->size, 0, true);
}

static void do_hello(struct input *in, struct peer *peer)
{
	struct {
		struct abi_npud_req head;
		struct abi_npud_hello hello;
	} msg = {
		.head = { .op = ABI_NPUD_HELLO, .tag = ++peer->nr_sent, .size = sizeof(msg.hello) },
		.hello = { .magic = ABI_NPUD_MAGIC, .version = ABI_NPUD_VERSION }
	};
	const u8 how = in_u8(in);

	if (how & 1)
		in_copy(in, msg.hello.name, sizeof(msg.hello.name));
	if (how & 2)
		in_copy(in, &msg.hello, 8);
	if (how & 4)
		msg.head.size = in_u8(in) % sizeof(msg.hello);
	send_message(peer, &msg, sizeof(msg.head) + msg.head.size, how & 8 ? (how >> 4) % 9u : 0,
		     true);
}

/* Not a frame, unless by accident: then it is one that is answered, too. */
static void do_raw(struct input *in, struct peer *peer)
{
	static u8 data[2 * ABI_NPUD_PAYLOAD];
	const u8 how = in_u8(in);
	const size_t size = (how & 1 ? ABI_NPUD_PAYLOAD : 1u) + in_u16(in) % 0x7000u;
	struct abi_npud_req head;

	in_copy(in, data, size);
	memcpy(&head, data, sizeof(head));
	peer->may_close = true;
	send_message(peer, data, size, how >> 1 & 3,
		     size >= sizeof(head) && size <= sizeof(head) + ABI_NPUD_PAYLOAD &&
			     head.size == size - sizeof(head));
}

static void scribble(struct input *in, const struct peer *peer)
{
	u8 data[16];
	const u16 off = in_u16(in);

	in_copy(in, data, sizeof(data));
	if (peer->memory >= 0)
		(void)!pwrite(peer->memory, data, sizeof(data), off % 4096);
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
	struct peer *peer = &peers[what >> 4 & 3];

	if (peer->fd < 0 && (what & 15) < 11) {
		do_connect(peer);
		if (peer->fd >= 0 && what < 0xc0)
			do_hello(&(struct input){ 0 }, peer);
	}
	if (peer->fd < 0 && (what & 15) < 11)
		return;
	switch (what & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		do_request(in, peer);
		break;
	case 5:
		do_hello(in, peer);
		break;
	case 6:
		do_raw(in, peer);
		break;
	case 7:
		receive_all(peer, in_u8(in));
		break;
	case 8:
		forget(peer);
		break;
	case 9:
		shutdown(peer->fd, in_u8(in) % 3);
		peer->may_close = true;
		break;
	case 10:
		scribble(in, peer);
		break;
	case 11:
		complete(in_u8(in) % 8);
		break;
	case 12:
		base_alloc_fail_nth(in_u8(in) & 7);
		starved = true;
		for (u32 i = 0; i < NR_CONNS; i++)
			peers[i].may_close = true;
		break;
	case 13:
		drv.state = in_u8(in) % 16 == 15 ? DRV_FAILED : DRV_READY;
		break;
	default:
		turn();
	}
}

/*
 * All of it
 */

static void start(void)
{
	static const struct svc_limits limits = {
		.contexts = 4, .queues = 4, .handles = 30, .memory_bytes = 128 << 10
	};
	const struct scheme_config cfg = { .name = path, .group = UINT32_MAX };
	struct base_err err;
	u32 idx;

	drv = (struct drv_dev){ .state = DRV_READY, .log = "a line", .max_ctxs = 12 };
	must(!svc_create(&limits, &svc) && !svc_add_device(svc, &drv, 0, &idx));
	must(!loop_create(&loop) && !scheme_create(loop, svc, &cfg, &scheme, &err));
}

/* As the service counts them; this is one. */
static u32 nr_clients(void)
{
	struct svc_call_status call = { .head = { SVC_CALL_STATUS, SVC_CALL_VERSION,
						  sizeof(call) } };
	struct svc_client *me;
	u32 handle;

	must(!svc_client_create(svc, &(struct svc_cred){ .name = "me" }, &me));
	must(!svc_open(me, "0/status", &handle, NULL));
	must(!svc_call(me, handle, &call, sizeof(call), NULL));
	svc_client_close(me);
	return call.clients;
}

/* What was asked is answered, if only it is read. */
static void settle(void)
{
	for (u32 i = 0; i < NR_CONNS; i++) {
		struct peer *peer = &peers[i];

		for (u32 round = 0; peer->fd >= 0 && peer->nr_tags; round++) {
			must(round < 4 * MAX_TAGS);
			turn();
			receive_all(peer, UINT32_MAX);
		}
		forget(peer);
	}
	for (u32 i = 0; i < 4 * NR_CONNS; i++)
		turn();
	must(nr_clients() == 1);
}

static void stop(bool quiet)
{
	if (quiet)
		settle();
	scheme_destroy(scheme);
	for (u32 i = 0; i < NR_CONNS; i++)
		forget(&peers[i]);
	complete(UINT32_MAX);
	must(!svc_remove_device(svc, 0, NULL));
	svc_destroy(svc);
	loop_destroy(loop);
	must(!drv.nr_ctxs && !drv.nr_bos && !drv.nr_queues && !drv.nr_metrics);
}

/* As many as an input could ever have. */
static u32 count_fds(void)
{
	u32 nr = 0;

	for (int fd = 0; fd < 160; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u64 live;
	u32 fds;

	setup();
	starved = false;
	live = base_alloc_live();
	fds = count_fds();
	start();
	for (u32 i = 0; i < MAX_OPS && in.left; i++)
		one_op(&in);
	base_alloc_fail_nth(0);
	stop(size & 1);
	must(base_alloc_live() == live && count_fds() == fds);
	return 0;
}
