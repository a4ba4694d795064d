// SPDX-License-Identifier: MIT
/* Raw access: windows of registers, memory with a device address; memory that is brought along. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stack.h"

struct bar {
	uint64_t addr, size;
};

static void read_node(struct npu_device *dev, const char *name, char *buf, size_t size)
{
	struct npu_node *node;
	size_t used = 0;
	int n;

	MUST(npu_node_open(dev, name, &node));
	do {
		n = npu_node_read(node, buf + used, size - 1 - used, 0);
		must(n, name);
		used += (size_t)n;
	} while (n);
	buf[used] = '\0';
	npu_node_close(node);
}

static struct bar bar_of(struct npu_device *dev, unsigned nr)
{
	struct bar bar = { 0, 0 };
	char text[1000], key[16];
	const char *line;

	read_node(dev, "regions", text, sizeof(text));
	snprintf(key, sizeof(key), "bar%u: ", nr);
	line = strstr(text, key);
	if (!line || sscanf(line + strlen(key), "%" SCNx64 "/%" SCNx64, &bar.addr, &bar.size) != 2)
		fail_msg("no %sin \"%s\"", key, text);
	return bar;
}

static struct npu_window *window_of(struct npu_device *dev, unsigned nr)
{
	struct bar bar = bar_of(dev, nr);
	struct npu_window *window;

	MUST(npu_window_open(dev, bar.addr, bar.size, &window));
	return window;
}

/* Keeps a device awake: an idle one may be asleep when the dump is printed, and have no registers. */
static void work(struct stack *s)
{
	struct cmdlist list;

	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	submit_one(s->queue, &list, 1);
	assert_int_equal(wait_one(s->queue).status, 0);
}

/* Each line "... BARn+0xOFF = 0xVAL...": the window says the same, but for what moves meanwhile. */
static void registers_are_those_of_the_dump(void **state)
{
	struct stack *s = *state;
	static char text[1 << 20];
	struct npu_window *bar0;
	unsigned nr = 0, same = 0;

	work(s);
	read_node(s->dev, "dump", text, sizeof(text));
	bar0 = window_of(s->dev, 0);
	for (const char *at = text; (at = strstr(at, " BAR0+0x")) != NULL; at++) {
		unsigned off;
		uint64_t want, got;
		char digits[20];

		if (sscanf(at, " BAR0+0x%x = 0x%19[0-9a-f]", &off, digits) != 2)
			continue;
		want = strtoull(digits, NULL, 16);
		MUST(npu_window_read(bar0, off, strlen(digits) == 16 ? 8 : 4, &got));
		nr++;
		same += got == want;
	}
	assert_true(nr > 20);
	assert_true(same > nr * 3 / 4);
	npu_window_close(bar0);
}

#define STRTAB_BASE_CFG \
	0x200088u /* of the NPU's MMU: 32 bits, read and written; SRC: regs/mmu.def */

/* The driver does not notice: the register is its own, and gets what it had. */
static void a_write_arrives(void **state)
{
	const unsigned off = STRTAB_BASE_CFG;
	struct stack *s = *state;
	struct npu_window *bar0 = window_of(s->dev, 0);
	uint64_t val, now;

	work(s);
	MUST(npu_window_read(bar0, off, 4, &val));
	assert_true(val != 0 && val != UINT32_MAX);
	MUST(npu_window_write(bar0, off, 4, val));
	MUST(npu_window_read(bar0, off, 4, &now));
	assert_int_equal(now, val);
	npu_window_close(bar0);
	work(s);
}

static void a_window_has_limits(void **state)
{
	struct stack *s = *state;
	struct bar bar = bar_of(s->dev, 0);
	struct npu_window *window;
	uint64_t val;

	assert_int_equal(npu_window_open(s->dev, bar.addr, bar.size + 1, &window), -EACCES);
	assert_int_equal(npu_window_open(s->dev, bar.addr - 1, 4, &window), -EACCES);
	assert_int_equal(npu_window_open(s->dev, bar.addr, 0, &window), -EINVAL);
	assert_int_equal(npu_window_open(s->dev, UINT64_MAX, 8, &window), -EINVAL);
	MUST(npu_window_open(s->dev, bar.addr + bar.size - 8, 8, &window));
	assert_int_equal(npu_window_read(window, 8, 4, &val), -EINVAL);
	assert_int_equal(npu_window_read(window, 2, 4, &val), -EINVAL);
	assert_int_equal(npu_window_read(window, UINT64_MAX - 3, 4, &val), -EINVAL);
	assert_int_equal(npu_window_read(window, 0, 16, &val), -EINVAL);
	assert_int_equal(npu_window_read(window, 0, 0, &val), -EINVAL);
	npu_window_close(window);
}

/* Asleep because it is idle: a read wakes it.  Told to sleep: it says so. */
static void a_sleeping_device_wakes(void **state)
{
	struct stack *s = *state;
	struct npu_window *bar0 = window_of(s->dev, 0);
	struct npu_node *control;
	char text[1000];
	uint64_t val;

	work(s);
	for (unsigned i = 0; i < 100; i++) { /* until it sleeps; somebody has to let time pass */
		struct npu_node *log;

		read_node(s->dev, "status", text, sizeof(text));
		if (strstr(text, "state: suspended"))
			break;
		MUST(npu_node_open(s->dev, "log", &log));
		(void)npu_node_read(log, text, sizeof(text), 20 * MS);
		npu_node_close(log);
	}
	MUST(npu_window_read(bar0, STRTAB_BASE_CFG, 4, &val));
	MUST(npu_node_open(s->dev, "control", &control));
	MUST(npu_node_write(control, "suspend"));
	for (unsigned i = 0; i < 100; i++) {
		int ret = npu_window_read(bar0, STRTAB_BASE_CFG, 4, &val);

		if (ret == -EBUSY)
			break;
		must(ret, "read");
	}
	assert_int_equal(npu_window_read(bar0, STRTAB_BASE_CFG, 4, &val), -EBUSY);
	MUST(npu_node_write(control, "resume"));
	MUST(npu_window_read(bar0, STRTAB_BASE_CFG, 4, &val));
	npu_node_close(control);
	npu_window_close(bar0);
	work(s);
}

static bool is_zero(const uint8_t *p, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static void dma_memory(void **state)
{
	static const struct {
		uint64_t size, align, want_size, want_align;
	} rows[] = { { 1, 0, 4096, 4096 },
		     { 4097, 1, 8192, 4096 },
		     { 65536, 131072, 65536, 131072 },
		     { 1 << 20, 1 << 20, 1 << 20, 1 << 20 } };
	struct npu_dma *dma[BASE_ARRAY_SIZE(rows)];
	struct stack *s = *state;

	for (size_t round = 0; round < 3; round++) { /* what was freed comes back as zeros */
		for (size_t i = 0; i < BASE_ARRAY_SIZE(rows); i++) {
			MUST(npu_dma_alloc(s->dev, rows[i].size, rows[i].align, &dma[i]));
			assert_int_equal(npu_dma_size(dma[i]), rows[i].want_size);
			assert_int_equal(npu_dma_address(dma[i]) % rows[i].want_align, 0);
			assert_true(is_zero(npu_dma_map(dma[i]), rows[i].want_size));
			memset(npu_dma_map(dma[i]), 0xa5, rows[i].want_size);
		}
		for (size_t i = 1; i < BASE_ARRAY_SIZE(rows); i++)
			assert_true(npu_dma_address(dma[i]) != npu_dma_address(dma[i - 1]));
		for (size_t i = 0; i < BASE_ARRAY_SIZE(rows); i++)
			npu_dma_free(dma[i]);
	}
	assert_int_equal(npu_dma_alloc(s->dev, 0, 0, &dma[0]), -EINVAL);
	assert_int_equal(npu_dma_alloc(s->dev, (512u << 20) + 1, 0, &dma[0]), -EINVAL);
	assert_int_equal(npu_dma_alloc(s->dev, 4096, 4097, &dma[0]), -EINVAL);
	work(s);
}

static int memory_file(uint64_t size, unsigned seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void import_refuses(struct npu_context *ctx)
{
	struct npu_buffer *buf;
	int fd = memory_file(PAGE, 0);

	assert_int_equal(npu_buffer_import(ctx, fd, 0, 0, &buf), -EACCES); /* not sealed */
	close(fd);
	fd = memory_file(PAGE + 1, F_SEAL_SHRINK);
	assert_int_equal(npu_buffer_import(ctx, fd, 0, 0, &buf), -EINVAL);
	close(fd);
	fd = memory_file(0, F_SEAL_SHRINK);
	assert_int_equal(npu_buffer_import(ctx, fd, 0, 0, &buf), -EINVAL);
	close(fd);
	fd = memory_file(PAGE, F_SEAL_SHRINK | F_SEAL_WRITE);
	assert_int_equal(npu_buffer_import(ctx, fd, 0, 0, &buf), -EACCES);
	assert_int_equal(npu_buffer_import(ctx, fd, 3, 0, &buf), -EINVAL);
	close(fd);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(npu_buffer_import(ctx, fd, 0, 0, &buf), -EACCES);
	close(fd);
	assert_int_equal(npu_buffer_import(ctx, -1, 0, 0, &buf), -EBADF);
}

/* What is in it stays, the device reads it, and what is written is seen everywhere. */
static void imported_memory(void **state)
{
	struct stack *s = *state;
	struct npu_buffer *own = s->cmds, *buf;
	int fd = memory_file(16 * PAGE, F_SEAL_SHRINK);
	uint8_t *mine = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int ret = npu_buffer_import(s->ctx, fd, 0, NPU_BUFFER_WB, &buf);

	assert_ptr_not_equal(mine, MAP_FAILED);
	if (ret == -EOPNOTSUPP) /* by one seam and transport in the world: */
		assert_non_null(strstr(getenv("NPU_TEST_DEVICE"), "/scheme/"));
	if (ret != -EOPNOTSUPP) {
		MUST(ret);
		assert_int_equal(npu_buffer_size(buf), 16 * PAGE);
		mine[15 * PAGE] = 0x5a;
		assert_int_equal(*(uint8_t *)map_at(buf, 15 * PAGE), 0x5a);
		close(fd);
		fd = -1;
		import_refuses(s->ctx);
		s->cmds = buf; /* its commands are read from there */
		work(s);
		assert_true(!is_zero(mine, PAGE));
		s->cmds = own;
		npu_buffer_destroy(buf);
		assert_int_equal(mine[15 * PAGE], 0x5a);
		work(s);
	}
	if (fd >= 0)
		close(fd);
	munmap(mine, 16 * PAGE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(registers_are_those_of_the_dump),
		BOTH(a_write_arrives),
		BOTH(a_window_has_limits),
		BOTH(a_sleeping_device_wakes),
		BOTH(dma_memory),
		BOTH(imported_memory),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
