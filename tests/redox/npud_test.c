// SPDX-License-Identifier: MIT
/* npud on Redox, in the box: as a program sees it that makes system calls. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "daemon.h"
#include "regs/gen.h"

static const char *gen = "npu37";
static bool hws;

struct world {
	struct box *box;
	struct daemon daemon;
};

static void world_make(struct world *w)
{
	assert_int_equal(box_create(&(struct box_config){ .gen = gen, .seed = 7 }, &w->box), 0);
	assert_int_equal(daemon_init(&w->daemon, w->box, gen, hws), 0);
}

static void world_open(struct world *w)
{
	world_make(w);
	assert_int_equal(daemon_start(&w->daemon), 0);
}

static void expect_no_complaint(struct box *box)
{
	char text[300];

	if (box_complaints(box, text, sizeof(text)))
		fail_msg("%s", text);
}

static void world_close(struct world *w)
{
	struct box_live live;

	assert_int_equal(daemon_stop(&w->daemon), 0);
	expect_no_complaint(w->box);
	live = box_live(w->box);
	assert_int_equal(live.contiguous_bytes, 0);
	assert_int_equal(live.descriptors, 0);
	assert_int_equal(live.mappings, 0);
	assert_int_equal(live.vectors, 1);
	assert_true(box_quiet(w->box));
	daemon_fini(&w->daemon);
	box_destroy(w->box);
}

/* @run in a process of an ordinary user; 0 is what it returns. */
static void in_process(struct world *w, u32 uid, int (*run)(void *arg), void *arg)
{
	const struct box_proc_config cfg = {
		.name = "client", .uid = uid, .gid = uid, .run = run, .arg = arg
	};
	struct box_proc *proc;
	int ret;

	assert_int_equal(box_spawn(w->box, &cfg, &proc), 0);
	ret = box_wait(proc);
	if (ret)
		fail_msg("step %d", ret);
}

static s64 rx_open(const char *path, u32 flags)
{
	return redox_result(redox_open_v1((const u8 *)path, strlen(path), flags, 0));
}

static s64 rx_dup(s64 fd, const char *what)
{
	return redox_result(redox_dup_v1((size_t)fd, (const u8 *)what, strlen(what)));
}

static void test_up_and_down(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_close(&w);
}

#define STEP(cond)                       \
	do {                             \
		if (!(cond))             \
			return __LINE__; \
	} while (0)

static int read_info(void *arg)
{
	char text[2000] = "";
	s64 fd = rx_open("/scheme/npu/0/info", REDOX_O_RDONLY), n;

	(void)arg;
	STEP(fd >= 0);
	n = redox_result(redox_read_v1((size_t)fd, (u8 *)text, sizeof(text) - 1));
	STEP(n > 0 && strstr(text, gen));
	n = redox_result(redox_read_v1((size_t)fd, (u8 *)text, sizeof(text)));
	STEP(n == 0);
	STEP(!redox_close_v1((size_t)fd));
	return 0;
}

static void test_info(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	in_process(&w, 1000, read_info, NULL);
	world_close(&w);
}

static int wrong_paths(void *arg)
{
	char text[5000];

	(void)arg;
	memset(text, 'a', sizeof(text));
	STEP(rx_open("/scheme/npu/1/info", 0) == -ENOENT ||
	     rx_open("/scheme/npu/1/info", 0) == -ENODEV);
	STEP(rx_open("/scheme/npu/0/nonsense", 0) < 0);
	STEP(rx_open("/scheme/npu/0/control", REDOX_O_RDWR) == -EACCES);
	STEP(redox_result(redox_open_v1((const u8 *)"/scheme/npu/0/in\0fo", 19, 0, 0)) == -EINVAL);
	memcpy(text, "/scheme/npu/", 12);
	STEP(redox_result(redox_open_v1((const u8 *)text, 4000, 0, 0)) == -ENAMETOOLONG);
	return 0;
}

static int list(void *arg)
{
	struct redox_dirent head;
	struct redox_stat st;
	u8 buf[1000];
	s64 fd = rx_open("/scheme/npu", REDOX_O_DIRECTORY), dev, n;

	(void)arg;
	STEP(fd >= 0);
	n = box_stdfs((size_t)fd, REDOX_STDFS_GETDENTS, buf, sizeof(buf), 0, 19);
	STEP(n == sizeof(head) + 2 && !strcmp((char *)buf + sizeof(head), "0"));
	STEP(!box_stdfs((size_t)fd, REDOX_STDFS_GETDENTS, buf, sizeof(buf), 1, 19));
	STEP(!box_stdfs((size_t)fd, REDOX_STDFS_FSTAT, &st, sizeof(st), 0, 0));
	STEP(st.mode & REDOX_S_IFDIR);
	dev = rx_open("/scheme/npu/0/", REDOX_O_DIRECTORY);
	STEP(dev >= 0);
	n = box_stdfs((size_t)dev, REDOX_STDFS_GETDENTS, buf, sizeof(buf), 0, 19);
	STEP(n > 0 && !strcmp((char *)buf + sizeof(head), "info"));
	memcpy(&head, buf, sizeof(head));
	STEP(head.record_len == sizeof(head) + 5 && head.kind == REDOX_DT_CHR);
	/* too small for the second name: what fits; too small for any: an error */
	STEP(box_stdfs((size_t)dev, REDOX_STDFS_GETDENTS, buf, head.record_len + 3u, 0, 19) ==
	     head.record_len);
	STEP(box_stdfs((size_t)dev, REDOX_STDFS_GETDENTS, buf, 10, 0, 19) == -EINVAL);
	/* relative to a directory of ours */
	n = redox_result(redox_openat_v1((size_t)dev, (const u8 *)"info", 4, 0, 0));
	STEP(n >= 0);
	STEP(box_stdfs((size_t)n, 8, buf, 16, 0, 0) == -EOPNOTSUPP);
	STEP(redox_result(redox_read_v1((size_t)dev, buf, sizeof(buf))) == -EISDIR);
	STEP(rx_dup(dev, "ctx") == -EINVAL);
	return 0;
}

static int unknown_requests(void *arg)
{
	static const u64 args[4];
	s64 fd = rx_open("/scheme/npu/0/info", 0);

	(void)arg;
	STEP(fd >= 0);
	for (u32 op = 35; op < 256; op++)
		STEP(box_raw((size_t)fd, (u8)op, args) == -EOPNOTSUPP);
	STEP(box_raw((size_t)fd, 12, args) == -EOPNOTSUPP); /* Sendfd */
	STEP(box_raw((size_t)fd, 31, args) == -EOPNOTSUPP); /* Recvfd */
	STEP(box_raw((size_t)fd, 9, args) == -EOPNOTSUPP);  /* Fchown */
	return 0;
}

/* More than one piece of memory has, unless the device has no MMU to join pieces. */
static u64 large(void)
{
	return reg_gen_by_name(gen)->flat ? UINT64_C(3) << 20 : UINT64_C(9) << 20;
}

static int memory(void *arg)
{
	const u64 size = large();
	char path[32];
	s64 ctx = rx_open("/scheme/npu/0/ctx", REDOX_O_RDWR), bo, at;
	volatile u8 *cpu;

	(void)arg;
	STEP(ctx >= 0);
	snprintf(path, sizeof(path), "bo/%llu", (unsigned long long)size);
	bo = rx_dup(ctx, path);
	STEP(bo >= 0);
	STEP(redox_result(redox_mmap_v1(NULL, size, REDOX_PROT_READ | REDOX_PROT_WRITE,
					REDOX_MAP_PRIVATE, (size_t)bo, 0)) == -EINVAL);
	STEP(redox_result(redox_mmap_v1(NULL, size, REDOX_PROT_READ | REDOX_PROT_EXEC,
					REDOX_MAP_SHARED, (size_t)bo, 0)) == -EACCES);
	STEP(redox_result(redox_mmap_v1(NULL, size, REDOX_PROT_READ, REDOX_MAP_SHARED, (size_t)bo,
					4096)) == -EINVAL);
	at = redox_result(redox_mmap_v1(NULL, size, REDOX_PROT_READ | REDOX_PROT_WRITE,
					REDOX_MAP_SHARED, (size_t)bo, 0));
	STEP(at > 0);
	cpu = (volatile u8 *)(uintptr_t)at;
	for (u64 off = 0; off < size; off += 4096) {
		STEP(!cpu[off]);
		cpu[off] = 1;
	}
	/* the context goes first, the memory stays where it is mapped */
	STEP(!redox_close_v1((size_t)ctx));
	STEP(redox_result(redox_read_v1((size_t)bo, (u8 *)(uintptr_t)at, 1)) == -EBADF);
	STEP(cpu[4096] == 1);
	STEP(!redox_close_v1((size_t)bo));
	STEP(cpu[8192] == 1);
	STEP(!redox_munmap_v1((void *)(uintptr_t)at, size));
	return 0;
}

static s64 rx_read(s64 fd, void *buf, size_t size)
{
	return redox_result(redox_read_v1((size_t)fd, buf, size));
}

/* The first address of mmio:, which 0/regions tells. */
static int find_bar(char *path, size_t size)
{
	char text[180] = "";
	s64 fd = rx_open("/scheme/npu/0/regions", REDOX_O_RDONLY);

	STEP(fd >= 0);
	STEP(rx_read(fd, text, sizeof(text) - 1) > 6 && !strncmp(text, "bar0: ", 6));
	text[strcspn(text, "\n")] = '\0';
	snprintf(path, size, "/scheme/mmio/%s", text + 6);
	return 0;
}

static int window(void *arg)
{
	char path[200];
	u8 buf[16];
	u64 size;
	s64 fd;

	(void)arg;
	STEP(!find_bar(path, sizeof(path)));
	size = strtoull(strrchr(path, '/') + 1, NULL, 0);
	fd = rx_open(path, REDOX_O_RDWR);
	STEP(fd >= 0);
	/* the device may sleep: a read waits until it is awake */
	STEP(rx_read(fd, buf, 4) == 4);
	STEP(box_lseek((size_t)fd, 0, SEEK_CUR) == 4);
	STEP(rx_read(fd, buf, 4) == 4);
	STEP(box_lseek((size_t)fd, -4, SEEK_END) == (s64)size - 4);
	STEP(rx_read(fd, buf, 1) == 1);
	STEP(rx_read(fd, buf, 1) == 1);
	STEP(rx_read(fd, buf, 2) == 2);
	STEP(rx_read(fd, buf, 1) == -EINVAL);
	STEP(box_lseek((size_t)fd, 2, SEEK_SET) == 2);
	STEP(rx_read(fd, buf, 4) == -EINVAL);
	STEP(rx_read(fd, buf, 16) == -EINVAL);
	STEP(box_lseek((size_t)fd, 0, SEEK_SET) == 0);
	STEP(redox_result(redox_write_v1((size_t)fd, buf, 4)) == -EACCES); /* --mmio ro */
	STEP(rx_open("/scheme/mmio/0x1000/0x1000", REDOX_O_RDWR) == -EACCES);
	STEP(rx_open("/scheme/mmio/zz/4", REDOX_O_RDWR) == -EINVAL);
	STEP(box_stdfs((size_t)rx_open("/scheme/mmio", 0), REDOX_STDFS_GETDENTS, buf, sizeof(buf),
		       0, 19) == 0);
	return 0;
}

#define STRTAB_BASE_CFG \
	0x200088 /* of the NPU's MMU: 32 bits, read and written; SRC: regs/mmu.def */

static bool is_asleep(void)
{
	char text[1000] = "";
	s64 fd = rx_open("/scheme/npu/0/status", REDOX_O_RDONLY);

	return fd >= 0 && rx_read(fd, text, sizeof(text) - 1) > 0 && !redox_close_v1((size_t)fd) &&
	       strstr(text, "state: suspended");
}

static void until_asleep(void)
{
	for (u32 i = 0; i < 1000 && !is_asleep(); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10 * (long)BASE_NS_PER_MS }, NULL);
}

/* A write, too, waits until the device is awake, unless it must not. */
static int write_asleep(void *arg)
{
	char path[200];
	u32 val, now;
	s64 fd, hasty, n;

	(void)arg;
	STEP(!find_bar(path, sizeof(path)));
	fd = rx_open(path, REDOX_O_RDWR);
	hasty = rx_open(path, REDOX_O_RDWR | REDOX_O_NONBLOCK);
	STEP(fd >= 0 && hasty >= 0);
	STEP(box_lseek((size_t)fd, STRTAB_BASE_CFG, SEEK_SET) == STRTAB_BASE_CFG);
	STEP(box_lseek((size_t)hasty, STRTAB_BASE_CFG, SEEK_SET) == STRTAB_BASE_CFG);
	STEP(rx_read(fd, &val, 4) == 4);
	STEP(box_lseek((size_t)fd, STRTAB_BASE_CFG, SEEK_SET) == STRTAB_BASE_CFG);
	until_asleep();
	n = redox_result(redox_write_v1((size_t)hasty, (const u8 *)&val, 4));
	STEP(n == 4 || n == -REDOX_EAGAIN); /* some wake at once */
	until_asleep();
	STEP(redox_result(redox_write_v1((size_t)fd, (const u8 *)&val, 4)) == 4);
	STEP(box_lseek((size_t)fd, 0, SEEK_CUR) == STRTAB_BASE_CFG + 4);
	STEP(box_lseek((size_t)fd, STRTAB_BASE_CFG, SEEK_SET) == STRTAB_BASE_CFG);
	STEP(rx_read(fd, &now, 4) == 4 && now == val);
	return 0;
}

static void test_write_asleep(void **state)
{
	struct world w;

	(void)state;
	if (strcmp(gen, "ref") == 0)
		skip(); /* it has no such register, and does not sleep */
	world_make(&w);
	daemon_arg(&w.daemon, "--mmio=rw");
	assert_int_equal(daemon_start(&w.daemon), 0);
	in_process(&w, 0, write_asleep, NULL);
	world_close(&w);
}

static int dma(void *arg)
{
	u64 desc[2];
	volatile u8 *cpu;
	s64 fd = rx_open("/scheme/dma/65536/131072", REDOX_O_RDWR), at;

	(void)arg;
	STEP(fd >= 0);
	STEP(rx_read(fd, desc, sizeof(desc)) == sizeof(desc));
	STEP(desc[0] && desc[0] % 131072 == 0 && desc[1] == 65536);
	STEP(rx_read(fd, desc, sizeof(desc)) == 0);
	at = redox_result(redox_mmap_v1(NULL, 65536, REDOX_PROT_READ | REDOX_PROT_WRITE,
					REDOX_MAP_SHARED, (size_t)fd, 0));
	STEP(at > 0);
	cpu = (volatile u8 *)(uintptr_t)at;
	STEP(!cpu[0] && !cpu[65535]);
	cpu[65535] = 1;
	STEP(!redox_munmap_v1((void *)(uintptr_t)at, 65536));
	STEP(rx_open("/scheme/dma/4194305", 0) == -ENOMEM); /* no piece is larger than 4 MiB */
	STEP(rx_open("/scheme/dma/536870913", 0) == -EINVAL);
	STEP(rx_open("/scheme/dma/4096/3", 0) == -EINVAL);
	STEP(rx_open("/scheme/dma/0", 0) == -EINVAL);
	fd = rx_open("/scheme/dma/4194304", 0);
	STEP(fd >= 0);
	return 0;
}

static int no_raw(void *arg)
{
	(void)arg;
	STEP(rx_open("/scheme/mmio/0x1000/0x1000", REDOX_O_RDWR) < 0);
	STEP(rx_open("/scheme/dma/4096", REDOX_O_RDWR) < 0);
	return 0;
}

/* Off unless it was asked for; then for root. */
static void test_raw(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	in_process(&w, 0, no_raw, NULL);
	world_close(&w);
	world_make(&w);
	daemon_arg(&w.daemon, "--mmio=ro");
	daemon_arg(&w.daemon, "--dma=on");
	assert_int_equal(daemon_start(&w.daemon), 0);
	in_process(&w, 0, window, NULL);
	in_process(&w, 0, dma, NULL);
	in_process(&w, 1000, no_raw, NULL);
	world_close(&w);
}

#define IN_PROCESS(name)                          \
	static void test_##name(void **state)     \
	{                                         \
		struct world w;                   \
                                                  \
		(void)state;                      \
		world_open(&w);                   \
		in_process(&w, 1000, name, NULL); \
		world_close(&w);                  \
	}

IN_PROCESS(wrong_paths)
IN_PROCESS(list)
IN_PROCESS(unknown_requests)
IN_PROCESS(memory)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_and_down),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_wrong_paths),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_unknown_requests),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_write_asleep),
	};

	if (argc > 1)
		gen = argv[1];
	hws = argc > 2 && !strcmp(argv[2], "hw");
	if (argc > 3)
		cmocka_set_test_filter(argv[3]);
	return cmocka_run_group_tests_name("redox", tests, NULL, NULL);
}
