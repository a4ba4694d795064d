// SPDX-License-Identifier: MIT
/*
 * The box itself: what the reference says of memory, vectors, events and pcid (R 3 to 6), and that
 * each rule of theirs which is broken is complained of.
 */
#include "box_world.h"

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

	no_patience(arg);
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
	};

	return cmocka_run_group_tests_name("box", tests, NULL, NULL);
}
