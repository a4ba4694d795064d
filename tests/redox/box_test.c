// SPDX-License-Identifier: MIT
/*
 * The box itself: what the reference says of a kernel and of pcid (R 2 to 6), and that each rule
 * which is broken is complained of.  A process that does it is a function; it returns 0 or the line
 * that went wrong.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "box_internal.h"

#define STEP(cond)                       \
	do {                             \
		if (!(cond))             \
			return __LINE__; \
	} while (0)

struct world;

/* What the server of a world does with a request; -1: no more. */
typedef int serve_fn(struct world *w, const struct redox_sqe *sqe);

struct world {
	struct box *box;
	struct box_proc *server;
	serve_fn *serve;
	size_t socket;
	atomic_uint up, nr_seen;
	struct redox_sqe seen[64];
	struct redox_sqe kept[8]; /* not answered yet */
	u32 nr_kept;
	u8 *memory;
};

static void world_open(struct world *w)
{
	const struct box_config cfg = { .gen = "npu37", .patience_ns = BASE_NS_PER_S / 5 };

	*w = (struct world){ .box = NULL };
	assert_int_equal(box_create(&cfg, &w->box), 0);
}

/* @complaint: part of what it says, NULL: it says nothing */
static void world_close(struct world *w, const char *complaint)
{
	char text[300] = "";
	const u64 nr = box_complaints(w->box, text, sizeof(text));
	const struct box_live live = box_live(w->box);

	if (complaint ? !strstr(text, complaint) : nr != 0)
		fail_msg("it says \"%s\", expected \"%s\"", text, complaint ? complaint : "");
	assert_int_equal(live.contiguous_bytes, 0);
	assert_int_equal(live.descriptors, 0);
	assert_int_equal(live.mappings, 0);
	box_destroy(w->box);
}

static struct box_proc *spawn(struct world *w, u32 uid, int (*run)(void *arg))
{
	const struct box_proc_config cfg = { .name = "client", .uid = uid, .run = run, .arg = w };
	struct box_proc *proc;

	assert_int_equal(box_spawn(w->box, &cfg, &proc), 0);
	return proc;
}

static void finish(struct box_proc *proc)
{
	const int ret = box_wait(proc);

	if (ret)
		fail_msg("step %d", ret);
}

static void as_driver(struct world *w, int (*run)(void *arg))
{
	const struct box_proc_config cfg = {
		.name = "driver", .in_init_ns = true, .is_driver = true, .run = run, .arg = w
	};
	struct box_proc *proc;

	assert_int_equal(box_spawn(w->box, &cfg, &proc), 0);
	finish(proc);
}

static s64 rx_path(const char *path, u32 flags)
{
	return redox_result(redox_open_v1((const u8 *)path, strlen(path), flags, 0));
}

static s64 rx_rd(s64 fd, void *buf, size_t len)
{
	return redox_result(redox_read_v1((size_t)fd, buf, len));
}

static s64 rx_wr(s64 fd, const void *buf, size_t len)
{
	return redox_result(redox_write_v1((size_t)fd, buf, len));
}

static s64 rx_mmap(size_t len, u32 flags, s64 fd, u64 off)
{
	return redox_result(redox_mmap_v1(NULL, len, REDOX_PROT_READ | REDOX_PROT_WRITE, flags,
					  (size_t)fd, off));
}

static s64 rx_munmap(s64 at, size_t len)
{
	return redox_result(redox_munmap_v1((void *)(uintptr_t)at, len));
}

/* For as long as it takes, if it comes at all. */
static void await(const atomic_uint *what, unsigned nr)
{
	for (u32 i = 0; atomic_load(what) < nr && i < 10000; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_true(atomic_load(what) >= nr);
}

#define TEST(name, run_as, complaint)         \
	static void test_##name(void **state) \
	{                                     \
		struct world w;               \
                                              \
		(void)state;                  \
		world_open(&w);               \
		run_as(&w, name);             \
		world_close(&w, complaint);   \
	}

static void as_root(struct world *w, int (*run)(void *arg))
{
	finish(spawn(w, 0, run));
}

static void as_user(struct world *w, int (*run)(void *arg))
{
	finish(spawn(w, 1000, run));
}

/*
 * Memory, R 3
 */

static int contiguous(void *arg)
{
	const struct world *w = arg;
	s64 fd = rx_path("/scheme/memory/zeroed@wb?phys_contiguous", REDOX_O_RDWR), at;
	s64 tr = rx_path("/scheme/memory/translation", REDOX_O_RDWR);
	u64 pa;

	STEP(fd >= 0 && tr >= 0);
	STEP(rx_path("/scheme/memory/zeroed?phys_contiguous", REDOX_O_RDWR) == -ENOENT);
	STEP(rx_mmap(4096, REDOX_MAP_SHARED, fd, 0) == -EOPNOTSUPP);
	STEP(rx_mmap(8u << 20, REDOX_MAP_PRIVATE, fd, 0) == -ENOMEM);
	for (u32 size = 4096; size <= 4u << 20; size *= 4) {
		at = rx_mmap(size, REDOX_MAP_PRIVATE, fd, 0);
		STEP(at > 0);
		for (u32 off = 0; off < size; off += 4096)
			STEP(!*(volatile u8 *)(uintptr_t)(at + off));
		pa = (u64)at + 8;
		STEP(!redox_sys_call_v0((size_t)tr, (u8 *)&pa, 8, REDOX_CALL_READ, NULL, 0));
		STEP((pa - 8) % size == 0);
		*(volatile u8 *)(uintptr_t)(at + 8) = 0x77; /* what the device sees there */
		STEP(w->box->ram[pa - w->box->ram_base] == 0x77);
		STEP(!rx_munmap(at, size));
		STEP(w->box->ram[pa - w->box->ram_base] == 0xdb);
	}
	pa = 4096;
	STEP(redox_result(redox_sys_call_v0((size_t)tr, (u8 *)&pa, 8, REDOX_CALL_READ, NULL, 0)) ==
	     -ENOENT);
	STEP(rx_mmap(4096, REDOX_MAP_PRIVATE, fd, 0) > 0); /* it goes with the process */
	return 0;
}

static int memory_of_a_user(void *arg)
{
	(void)arg;
	STEP(rx_path("/scheme/memory/zeroed@wb?phys_contiguous", REDOX_O_RDWR) == -EACCES);
	STEP(rx_path("/scheme/memory/translation", REDOX_O_RDWR) == -EACCES);
	STEP(rx_path("/scheme/irq/bsp", REDOX_O_RDONLY) == -EACCES);
	STEP(rx_path("/scheme/namespace/scheme-creation-cap", 0) == -EACCES);
	STEP(rx_path("/scheme/nobody/x", 0) == -ENODEV);
	return 0;
}

static int three_pages(void *arg)
{
	s64 fd = rx_path("/scheme/memory/zeroed@wb?phys_contiguous", REDOX_O_RDWR);

	(void)arg;
	STEP(rx_mmap(3 * 4096, REDOX_MAP_PRIVATE, fd, 0) > 0);
	return 0;
}

static int unmap_a_part(void *arg)
{
	s64 fd = rx_path("/scheme/memory/zeroed@wb?phys_contiguous", REDOX_O_RDWR);
	s64 at = rx_mmap(8192, REDOX_MAP_PRIVATE, fd, 0);

	(void)arg;
	STEP(at > 0 && rx_munmap(at, 4096) == -EINVAL);
	return 0;
}

static int translate_lazy(void *arg)
{
	s64 tr = rx_path("/scheme/memory/translation", REDOX_O_RDWR);
	s64 at = rx_mmap(4096, REDOX_MAP_PRIVATE, -1, 0);
	u64 pa = (u64)at;

	(void)arg;
	STEP(at > 0);
	STEP(redox_result(redox_sys_call_v0((size_t)tr, (u8 *)&pa, 8, REDOX_CALL_READ, NULL, 0)) ==
	     -ENOENT);
	return 0;
}

static int map_nonsense(void *arg)
{
	(void)arg;
	STEP(rx_mmap(100, REDOX_MAP_PRIVATE, -1, 0) == -EINVAL);
	return 0;
}

static int map_shared_and_private(void *arg)
{
	(void)arg;
	STEP(rx_mmap(4096, REDOX_MAP_PRIVATE | REDOX_MAP_SHARED, -1, 0) == -EINVAL);
	return 0;
}

TEST(contiguous, as_root, NULL)
TEST(memory_of_a_user, as_user, NULL)
TEST(three_pages, as_root, "the rest up to a power of two leaks")
TEST(unmap_a_part, as_root, "unmaps a part of a mapping")
TEST(translate_lazy, as_root, "asks where lazy memory is")
TEST(map_nonsense, as_root, "mmap: length 100")
TEST(map_shared_and_private, as_root, "mmap: length 4096")

/*
 * Vectors and events, R 4
 */

#define VECTOR (REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_NONBLOCK)

static void fire(const struct world *w, u32 irq)
{
	w->box->msi_irq = irq;
	box_msi(w->box, 0);
}

static int vectors(void *arg)
{
	struct world *w = arg;
	u64 count = 99, stale;
	s64 fd = rx_path("/scheme/irq/bsp", REDOX_O_RDONLY);

	STEP(fd >= 0 && rx_rd(fd, &count, 8) == 8 && !count);
	STEP(rx_path("/scheme/irq/cpu-00/16", REDOX_O_RDWR) == -ENOENT);
	STEP(rx_path("/scheme/irq/cpu-00/15", VECTOR) == -ENOENT);
	STEP(rx_path("/scheme/irq/cpu-00/223", VECTOR) == -ENOENT);
	fd = rx_path("/scheme/irq/cpu-00/222", VECTOR);
	STEP(fd >= 0 && rx_rd(fd, &count, 8) == 0); /* it never blocks */
	STEP(rx_path("/scheme/irq/cpu-00/222", VECTOR) == -EEXIST);
	fire(w, 222);
	STEP(rx_rd(fd, &count, 8) == 8 && rx_rd(fd, &stale, 8) == 8 && stale == count);
	fire(w, 222);
	STEP(rx_wr(fd, &stale, 8) == 0); /* it fired again: nothing is acknowledged */
	STEP(rx_rd(fd, &count, 8) == 8 && count == stale + 1);
	STEP(rx_wr(fd, &count, 8) == 8 && rx_rd(fd, &count, 8) == 0);
	STEP(!redox_close_v1((size_t)fd));
	STEP(rx_path("/scheme/irq/cpu-00/222", VECTOR) == -EEXIST); /* for ever */
	return 0;
}

static s64 put_event(s64 queue, size_t id, size_t flags, size_t data)
{
	const struct redox_event event = { .id = id, .flags = flags, .data = data };

	return rx_wr(queue, &event, sizeof(event));
}

static int events(void *arg)
{
	struct world *w = arg;
	struct redox_event ev[4];
	s64 queue = rx_path("/scheme/event", REDOX_O_RDWR);
	s64 fd = rx_path("/scheme/irq/cpu-00/20", VECTOR);

	STEP(queue >= 0 && fd >= 0);
	STEP(put_event(queue, 77, REDOX_EVENT_READ, 0) == -EBADF);
	STEP(put_event(queue, (size_t)fd, REDOX_EVENT_READ, 5) == sizeof(ev[0]));
	fire(w, 20);
	STEP(rx_rd(queue, ev, sizeof(ev)) == sizeof(ev[0]));
	STEP(ev[0].id == (size_t)fd && ev[0].flags == REDOX_EVENT_READ && ev[0].data == 5);
	/* it was not acknowledged, and is not told again */
	STEP(put_event(queue, REDOX_EVENT_TIMEOUT, REDOX_EVENT_READ, 10) == sizeof(ev[0]));
	STEP(rx_rd(queue, ev, sizeof(ev)) == sizeof(ev[0]) && ev[0].id == REDOX_EVENT_TIMEOUT);
	/* a limit is for one read */
	STEP(!redox_fcntl_v0((size_t)queue, REDOX_F_SETFL, REDOX_O_NONBLOCK));
	STEP(rx_rd(queue, ev, sizeof(ev)) == -EAGAIN);
	/* whoever comes when it fired is told at once; whoever went is not */
	STEP(put_event(queue, (size_t)fd, REDOX_EVENT_READ, 6) == sizeof(ev[0]));
	STEP(rx_rd(queue, ev, sizeof(ev)) == sizeof(ev[0]) && ev[0].data == 6);
	STEP(put_event(queue, (size_t)fd, 0, 0) == sizeof(ev[0]));
	fire(w, 20);
	STEP(rx_rd(queue, ev, sizeof(ev)) == -EAGAIN);
	STEP(rx_rd(queue, ev, 8) == -EINVAL);
	return 0;
}

static int wait_for_ever(void *arg)
{
	struct redox_event ev;

	(void)arg;
	STEP(rx_rd(rx_path("/scheme/event", REDOX_O_RDWR), &ev, sizeof(ev)) == -EDEADLK);
	return 0;
}

static int fire_at_nobody(void *arg)
{
	fire(arg, 0);
	return 0;
}

TEST(vectors, as_root, NULL)
TEST(events, as_root, NULL)
TEST(wait_for_ever, as_root, "client is blocked for ever")
TEST(fire_at_nobody, as_root, "a message-signalled interrupt goes nowhere")

/*
 * pcid's channel, R 5
 */

static s64 inherited(const char *name)
{
	return atoll(getenv(name));
}

/* The bytes of the reference; then the answer, whole. */
static s64 ask(const char *hex, u8 answer[256])
{
	s64 fd = inherited("PCID_CLIENT_CHANNEL");
	u8 req[64];
	size_t len = strlen(hex) / 2;
	u64 size, got = 0;
	s64 n;

	for (size_t i = 0; i < len; i++)
		req[i] = (u8)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	n = rx_wr(fd, req, len);
	if (n != (s64)len)
		return n;
	if (rx_rd(fd, &size, sizeof(size)) != sizeof(size) || size > 256)
		return -EPROTO;
	while (got < size) {
		n = rx_rd(fd, answer + got, size - got);
		if (n <= 0)
			return -EPIPE;
		got += (u64)n;
	}
	return (s64)got;
}

static int channel(void *arg)
{
	struct world *w = arg;
	u8 a[256];

	STEP(box_channel_open(box_self) == -ENOLCK);
	STEP(ask("01000000", a) > 60 && a[0] == 1 && a[7] == 11);
	STEP(ask("02000000", a) == 16 && a[0] == 2 && a[4] == 1 && !a[12]);
	STEP(ask("0400000001000000", a) == 12 && a[0] == 6 && !a[4] && a[8] == 1);
	STEP(ask("070000000000", a) == 8 && a[0] == 9 && a[4] == 0x86 && a[5] == 0x80);
	STEP(!box_quiet(w->box)); /* opening it set bus mastering */
	STEP(rx_path("/scheme/irq/cpu-00/50", VECTOR) >= 0);
	STEP(ask("060000000000000001000100"
		 "00e0fe000000005200000000",
		 a) == 8 &&
	     a[0] == 8);
	STEP(ask("0400000000000000", a) == 8 && a[0] == 4);
	STEP(w->box->msi_irq == 50);
	return 0; /* and closing it changes nothing */
}

static int msi_unreserved(void *arg)
{
	u8 a[256];

	(void)arg;
	STEP(ask("06000000000000000100010000e0fe000000005200000000", a) == 8);
	return 0;
}

static int ask_twice(void *arg)
{
	const u32 enable = 0;

	(void)arg;
	STEP(rx_wr(inherited("PCID_CLIENT_CHANNEL"), &enable, 4) == 4);
	STEP(rx_wr(inherited("PCID_CLIENT_CHANNEL"), &enable, 4) == -EINVAL);
	return 0;
}

static int ask_nonsense(void *arg)
{
	u8 a[256];

	(void)arg;
	STEP(ask("63000000", a) == -EINVAL);
	return 0;
}

static int ask_too_much(void *arg)
{
	u8 a[256];

	(void)arg;
	STEP(ask("0000000000", a) == -EINVAL);
	return 0;
}

static int map_registers_cached(void *arg)
{
	const struct world *w = arg;
	const u64 size = vnpu_bar_size(w->box->vnpu, 0);
	s64 at = rx_mmap(size, REDOX_MAP_SHARED, inherited("PCID_CLIENT_CHANNEL"), 0);

	STEP(at > 0 && !rx_munmap(at, size));
	return 0;
}

static int map_registers(void *arg)
{
	const struct world *w = arg;
	const u64 size = vnpu_bar_size(w->box->vnpu, 0);
	s64 fd = inherited("PCID_CLIENT_CHANNEL");
	s64 at = rx_mmap(size, REDOX_MAP_SHARED, fd, UINT64_C(1) << 59);

	STEP(at > 0 && !rx_munmap(at, size));
	STEP(rx_mmap(4096, REDOX_MAP_SHARED, fd, UINT64_C(1) << 59) == -EINVAL);
	return 0;
}

static int ready_with_a_word(void *arg)
{
	(void)arg;
	STEP(rx_wr(inherited("INIT_NOTIFY"), "ok", 2) == 2);
	return 0;
}

TEST(channel, as_driver, NULL)
TEST(msi_unreserved, as_driver, "no vector that was reserved")
TEST(ask_twice, as_driver, "a request before the answer was read")
TEST(ask_nonsense, as_driver, "a request of 4 bytes that is none")
TEST(ask_too_much, as_driver, "a request of 5 bytes that is none")
TEST(map_registers, as_driver, NULL)
TEST(map_registers_cached, as_driver, "pcid: registers mapped with offset 0x0")
TEST(ready_with_a_word, as_driver, "readiness is one byte 0, not 2 bytes")

/*
 * Schemes, R 2
 */

static s64 answer(const struct world *w, u32 tag, s64 result)
{
	const struct redox_cqe cqe = { .tag = tag, .result = (u64)result };

	return rx_wr((s64)w->socket, &cqe, sizeof(cqe));
}

static int make_scheme(struct world *w)
{
	const struct redox_new_fd root = { .number = 1 };
	s64 cap = rx_path("/scheme/namespace/scheme-creation-cap", 0), fd, root_fd;

	STEP(cap >= 0);
	fd = redox_result(redox_dup_v1((size_t)cap, (const u8 *)"create-scheme", 13));
	STEP(fd >= 0);
	root_fd = redox_result(redox_dup_v1((size_t)fd, (const u8 *)&root, sizeof(root)));
	STEP(root_fd >= 0);
	STEP(!redox_register_scheme_to_ns_v0(redox_get_ns_v0(), (const u8 *)"t", 1,
					     (size_t)root_fd));
	STEP(redox_result(redox_register_scheme_to_ns_v0(redox_get_ns_v0(), (const u8 *)"t", 1,
							 (size_t)root_fd)) == -EEXIST);
	w->socket = (size_t)fd;
	return 0;
}

static int serve_all(void *arg)
{
	struct world *w = arg;
	struct redox_sqe sqe[8];
	int ret = make_scheme(w);
	s64 n;

	if (ret)
		return ret;
	atomic_store(&w->up, 1);
	while ((n = rx_rd((s64)w->socket, sqe, sizeof(sqe))) > 0) {
		for (u32 i = 0; i < (u64)n / sizeof(sqe[0]); i++) {
			const u32 at = atomic_load(&w->nr_seen);

			STEP(at < BASE_ARRAY_SIZE(w->seen));
			w->seen[at] = sqe[i];
			atomic_fetch_add(&w->nr_seen, 1);
			if (w->serve(w, &sqe[i]) < 0)
				return 0;
		}
	}
	return n == -EINTR ? 0 : __LINE__;
}

static void server_start(struct world *w, serve_fn *serve)
{
	const struct box_proc_config cfg = {
		.name = "server", .in_init_ns = true, .run = serve_all, .arg = w
	};

	world_open(w);
	w->serve = serve;
	assert_int_equal(box_spawn(w->box, &cfg, &w->server), 0);
	await(&w->up, 1);
}

static void server_stop(struct world *w, const char *complaint)
{
	box_signal(w->server);
	finish(w->server);
	world_close(w, complaint);
}

#define TEST_SCHEME(name, client, serve, complaint) \
	static void test_##name(void **state)       \
	{                                           \
		struct world w;                     \
                                                    \
		(void)state;                        \
		server_start(&w, serve);            \
		as_user(&w, client);                \
		server_stop(&w, complaint);         \
	}

/* Opens anything, answers the length. */
static int polite(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	answer(w, sqe->tag, sqe->opcode == REDOX_OP_OPENAT ? 7 : (s64)sqe->args[2]);
	return 0;
}

static int requests(void *arg)
{
	struct world *w = arg;
	const u64 ids = 1000 | (u64)box_self->cfg.gid << 32;
	s64 fd = rx_path("/scheme/t/some/path", REDOX_O_RDONLY), other;
	u8 buf[10] = { 1 };

	STEP(fd >= 0 && w->seen[0].opcode == REDOX_OP_OPENAT && w->seen[0].tag == 0);
	STEP(w->seen[0].args[0] == 1 && w->seen[0].args[2] == 9);
	STEP(w->seen[0].args[5] == ids && w->seen[0].caller == box_self->pid);
	STEP(rx_wr(fd, buf, sizeof(buf)) == sizeof(buf));
	STEP(w->seen[1].args[0] == 7 && w->seen[1].args[3] == UINT64_MAX);
	STEP(w->seen[1].tag == 0); /* again: it is free */
	STEP(rx_wr(fd, buf, 0) == 0 && w->seen[2].args[1] == REDOX_NO_BUFFER);
	STEP(!redox_fcntl_v0((size_t)fd, REDOX_F_SETFL, REDOX_O_NONBLOCK));
	STEP(rx_rd(fd, buf, sizeof(buf)) == sizeof(buf) && buf[0] == 0xa5);
	STEP(w->seen[3].args[4] == REDOX_O_NONBLOCK);
	STEP(!redox_sys_call_v0((size_t)fd, buf, sizeof(buf), 0, NULL, 0)); /* no payload */
	STEP(w->seen[4].opcode == REDOX_OP_CALL && !w->seen[4].args[2] && !w->seen[4].args[5]);
	/* a plain dup is another name for the same: the handle is closed with the last */
	other = redox_result(redox_dup_v1((size_t)fd, NULL, 0));
	STEP(other >= 0 && !redox_close_v1((size_t)fd));
	STEP(rx_wr(other, buf, 1) == 1 && w->seen[5].opcode == REDOX_OP_WRITE);
	STEP(!redox_close_v1((size_t)other));
	await(&w->nr_seen, 7);
	STEP(w->seen[6].opcode == REDOX_OP_CLOSE && w->seen[6].tag == 0 && w->seen[6].args[0] == 7);
	return 0;
}

/* What the kernel takes for an error, and what it makes of -EINTR that nobody asked for. */
static int odd_answers(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7);
	else
		answer(w, sqe->tag, sqe->args[2] == 1 ? -EINTR : 0x00000005ffffffea);
	return 0;
}

static int errors(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[2];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, 1) == -EIO && rx_rd(fd, buf, 2) == -EINVAL);
	return 0;
}

static int answer_twice(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	answer(w, sqe->tag, 7);
	return answer(w, sqe->tag, 7) == -EINVAL ? 0 : -1;
}

static int answer_a_close(struct world *w, const struct redox_sqe *sqe)
{
	answer(w, sqe->tag, 7);
	return 0;
}

static int answer_oddly(struct world *w, const struct redox_sqe *sqe)
{
	const struct redox_cqe cqe = { .flags = 3, .tag = sqe->tag };

	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	rx_wr((s64)w->socket, &cqe, sizeof(cqe));
	answer(w, sqe->tag, 7);
	return 0;
}

static int open_and_close(void *arg)
{
	struct world *w = arg;
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);

	STEP(fd >= 0 && !redox_close_v1((size_t)fd));
	await(&w->nr_seen, 2);
	return 0;
}

/* Lends w->memory, whatever that is. */
static int lender(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->flags & REDOX_SQE_ONEWAY)
		return 0;
	if (sqe->opcode == REDOX_OP_MMAP_PREP)
		answer(w, sqe->tag, (s64)(uintptr_t)w->memory);
	else
		answer(w, sqe->tag, sqe->opcode == REDOX_OP_OPENAT ? 7 : 0);
	return 0;
}

static int lend_new_page(struct world *w, const struct redox_sqe *sqe)
{
	if (!w->memory)
		w->memory = (u8 *)(uintptr_t)rx_mmap(4096, REDOX_MAP_PRIVATE, -1, 0);
	return lender(w, sqe);
}

static int lend_page(struct world *w, const struct redox_sqe *sqe)
{
	if (!w->memory) {
		w->memory = (u8 *)(uintptr_t)rx_mmap(4096, REDOX_MAP_PRIVATE, -1, 0);
		w->memory[5] = 0x55;
	}
	return lender(w, sqe);
}

static int lend_middle(struct world *w, const struct redox_sqe *sqe)
{
	w->memory = (u8 *)(uintptr_t)0x12345010;
	return lender(w, sqe);
}

static int lend_nothing(struct world *w, const struct redox_sqe *sqe)
{
	w->memory = (u8 *)(uintptr_t)0x12345000;
	return lender(w, sqe);
}

static int map_lent(void *arg)
{
	struct world *w = arg;
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY), at;

	STEP(fd >= 0);
	at = rx_mmap(4096, REDOX_MAP_SHARED, fd, 0);
	STEP(at > 0 && (u8 *)(uintptr_t)at != w->memory);
	STEP(((u8 *)(uintptr_t)at)[5] == w->memory[5]);
	((u8 *)(uintptr_t)at)[6] = 0x66; /* the very same page */
	STEP(w->memory[6] == 0x66);
	/* a mapping keeps it open */
	STEP(!redox_close_v1((size_t)fd));
	STEP(atomic_load(&w->nr_seen) == 2 && !rx_munmap(at, 4096));
	await(&w->nr_seen, 4);
	STEP(w->seen[2].opcode == REDOX_OP_MUNMAP && w->seen[3].opcode == REDOX_OP_CLOSE);
	return 0;
}

static int map_what_is_not_lent(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);

	(void)arg;
	STEP(fd >= 0 && rx_mmap(4096, REDOX_MAP_SHARED, fd, 0) < 0);
	return 0;
}

static int subscribe_to_itself(struct world *w, const struct redox_sqe *sqe)
{
	const struct redox_new_fd mine = { .number = 5 };
	s64 queue = rx_path("/scheme/event", REDOX_O_RDWR);
	s64 fd = redox_result(redox_dup_v1(w->socket, (const u8 *)&mine, sizeof(mine)));

	if (!(sqe->flags & REDOX_SQE_ONEWAY))
		answer(w, sqe->tag,
		       put_event(queue, (size_t)fd, REDOX_EVENT_READ, 0) == -EDEADLK ? 7 : -EIO);
	redox_close_v1((size_t)queue);
	return 0;
}

static int open_only(void *arg)
{
	(void)arg;
	STEP(rx_path("/scheme/t/x", REDOX_O_RDONLY) >= 0);
	return 0;
}

static int map_what_maps(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);

	(void)arg;
	STEP(fd >= 0 && rx_mmap(4096, REDOX_MAP_SHARED, fd, 0) > 0);
	return 0;
}

/* Its descriptor, in a process that did not make the scheme. */
static int read_anothers(void *arg)
{
	struct world *w = arg;
	struct redox_sqe sqe;
	struct box_file *file;
	s64 fd;

	pthread_mutex_lock(&w->box->lock);
	file = box_fd(w->server, w->socket);
	file->refs++;
	fd = box_fd_add(box_self, file);
	pthread_mutex_unlock(&w->box->lock);
	STEP(rx_rd(fd, &sqe, sizeof(sqe)) == -EBADF);
	return 0;
}

TEST_SCHEME(requests, requests, polite, NULL)
TEST_SCHEME(errors, errors, odd_answers, NULL)
TEST_SCHEME(map_lent, map_lent, lend_page, NULL)
TEST_SCHEME(answers_twice, open_only, answer_twice, "an answer to tag 0, which nobody has")
TEST_SCHEME(answers_a_close, open_and_close, answer_a_close, "an answer to tag 0, which nobody has")
TEST_SCHEME(answers_oddly, open_only, answer_oddly, "an answer of kind 3")
TEST_SCHEME(lends_new_page, map_what_maps, lend_new_page, "lends a page that was never written")
TEST_SCHEME(lends_middle, map_what_is_not_lent, lend_middle, "lends from the middle of a page")
TEST_SCHEME(lends_nothing, map_what_is_not_lent, lend_nothing, "lends what it has not mapped")
TEST_SCHEME(waits_for_itself, open_only, subscribe_to_itself, "its server waits for itself")
TEST_SCHEME(read_anothers, read_anothers, polite, "read by another process than made it")

/*
 * Programs that wait, and go
 */

/* What a server does that wrote several answers at once: those behind one that is refused go on. */
static int answer_kept(struct world *w, u32 last)
{
	struct redox_cqe out[BASE_ARRAY_SIZE(w->kept) + 1];
	u32 nr = 0, done = 0, nr_refused = 0;

	for (; nr < w->nr_kept; nr++)
		out[nr] = (struct redox_cqe){ .tag = w->kept[nr].tag, .result = 3 };
	out[nr++] = (struct redox_cqe){ .tag = last, .result = 1 };
	while (done < nr) {
		const s64 n = rx_wr((s64)w->socket, &out[done], (nr - done) * sizeof(out[0]));

		nr_refused += n < 0;
		done += n < 0 ? 1 : (u32)((u64)n / sizeof(out[0]));
	}
	w->nr_kept = 0;
	return (int)nr_refused;
}

/* Reads wait until somebody writes, or they are given up. */
static int keeper(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7 + atomic_load(&w->nr_seen));
	if (sqe->opcode == REDOX_OP_READ)
		w->kept[w->nr_kept++] = *sqe;
	if (sqe->opcode == REDOX_OP_WRITE)
		return answer_kept(w, sqe->tag) == 1 ? 0 : -1; /* of the one that was killed */
	if (sqe->opcode == REDOX_OP_CANCEL)
		answer(w, sqe->tag, -REDOX_ECANCELED);
	return 0;
}

static int read_until_signal(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[4];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, sizeof(buf)) == -EINTR);
	return 0;
}

static void test_cancel(void **state)
{
	struct box_proc *reader;
	struct world w;

	(void)state;
	server_start(&w, keeper);
	reader = spawn(&w, 1000, read_until_signal);
	await(&w.nr_seen, 2);
	box_signal(reader);
	finish(reader);
	assert_int_equal(w.seen[2].opcode, REDOX_OP_CANCEL);
	assert_int_equal(w.seen[2].tag, w.seen[1].tag);
	server_stop(&w, NULL);
}

static int read_three(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[4];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, sizeof(buf)) == 3);
	return 0;
}

static int write_one(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDWR);

	(void)arg;
	STEP(fd >= 0 && rx_wr(fd, "x", 1) == 1);
	return 0;
}

/* One of three is killed: its answer is refused, alone, wherever it is among the others. */
static void test_killed(void **state)
{
	for (u32 victim = 0; victim < 3; victim++) {
		struct box_proc *readers[3];
		struct world w;

		(void)state;
		server_start(&w, keeper);
		for (u32 i = 0; i < 3; i++) {
			readers[i] = spawn(&w, 1000, read_three);
			await(&w.nr_seen, 2 * i + 2);
		}
		box_kill(readers[victim]);
		assert_int_equal(box_wait(readers[victim]), -EINTR);
		as_user(&w, write_one);
		for (u32 i = 0; i < 3; i++)
			if (i != victim)
				finish(readers[i]);
		server_stop(&w, NULL);
	}
}

static int give_up(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7);
	return sqe->opcode == REDOX_OP_READ ? -1 : 0;
}

static int read_for_ever(void *arg)
{
	s64 fd = rx_path("/scheme/t/x", REDOX_O_RDONLY);
	u8 buf[4];

	(void)arg;
	STEP(fd >= 0 && rx_rd(fd, buf, sizeof(buf)) == -EDEADLK);
	STEP(rx_wr(fd, buf, 1) == -ENODEV);
	STEP(rx_path("/scheme/t/x", REDOX_O_RDONLY) == -ENODEV);
	return 0;
}

static int stay(struct world *w, const struct redox_sqe *sqe)
{
	if (sqe->opcode == REDOX_OP_OPENAT)
		answer(w, sqe->tag, 7);
	return 0;
}

/* A server that was killed is no rule broken; but whoever waited, waits. */
static void test_server_killed(void **state)
{
	struct box_proc *reader;
	struct world w;

	(void)state;
	server_start(&w, stay);
	reader = spawn(&w, 1000, read_for_ever);
	await(&w.nr_seen, 2);
	box_kill(w.server);
	assert_int_equal(box_wait(w.server), -EINTR);
	finish(reader);
	world_close(&w, "client is blocked for ever");
}

TEST_SCHEME(server_leaves, read_for_ever, give_up, "closed, and client waits for an answer")

static int only_memory(void *arg)
{
	(void)arg;
	STEP(redox_result(redox_setrens_v1(1, 0)) == -EINVAL && !redox_setrens_v1(0, 0));
	STEP(rx_path("/scheme/event", REDOX_O_RDWR) == -ENODEV);
	STEP(rx_path("/scheme/t/x", REDOX_O_RDWR) == -ENODEV);
	STEP(rx_path("/scheme/memory/translation", REDOX_O_RDWR) >= 0);
	return 0;
}

TEST(only_memory, as_root, NULL)

#define T(name) cmocka_unit_test(test_##name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(contiguous),
		T(memory_of_a_user),
		T(three_pages),
		T(unmap_a_part),
		T(translate_lazy),
		T(map_nonsense),
		T(map_shared_and_private),
		T(vectors),
		T(events),
		T(wait_for_ever),
		T(fire_at_nobody),
		T(channel),
		T(msi_unreserved),
		T(ask_twice),
		T(ask_nonsense),
		T(ask_too_much),
		T(map_registers),
		T(map_registers_cached),
		T(ready_with_a_word),
		T(requests),
		T(errors),
		T(map_lent),
		T(answers_twice),
		T(answers_a_close),
		T(answers_oddly),
		T(lends_new_page),
		T(lends_middle),
		T(lends_nothing),
		T(waits_for_itself),
		T(read_anothers),
		T(cancel),
		T(killed),
		T(server_killed),
		T(server_leaves),
		T(only_memory),
	};

	return cmocka_run_group_tests_name("box", tests, NULL, NULL);
}
