// SPDX-License-Identifier: MIT
/* A scheme that lies or fails, through a kernel that is made up. */
#include "client/backend_scheme.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#define FIRST_FD 40u

static struct {
	char path[512];					      /* the last that was opened */
	const char *words;				      /* what "error" says */
	s64 open, dup, read, write, call, mmap, fcntl, event; /* 0 as it should be, else instead */
	struct svc_call_bo bo;
	u64 ms; /* of the last limit */
	u32 nr_open, next_fd;
	u64 mapped;
	size_t last_len;
} kernel;

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode)
{
	(void)mode;
	assert_true(flags & REDOX_O_CLOEXEC && len < sizeof(kernel.path));
	if (len > 6 && !memcmp(path + len - 6, "/error", 6)) {
		if (!kernel.words)
			return (redox_raw)(s64)-ENOENT;
		kernel.nr_open++;
		return 1;
	}
	memcpy(kernel.path, path, len);
	kernel.path[len] = '\0';
	if (kernel.open)
		return (redox_raw)kernel.open;
	kernel.nr_open++;
	return FIRST_FD + kernel.next_fd++;
}

redox_raw redox_dup_v1(size_t fd, const uint8_t *buf, size_t len)
{
	(void)fd, (void)buf, (void)len;
	if (kernel.dup)
		return (redox_raw)kernel.dup;
	kernel.nr_open++;
	return FIRST_FD + kernel.next_fd++;
}

redox_raw redox_close_v1(size_t fd)
{
	(void)fd;
	kernel.nr_open--;
	return 0;
}

redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg)
{
	(void)fd, (void)cmd, (void)arg;
	return (redox_raw)kernel.fcntl;
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	if (fd == 1) {
		size_t n = base_min(len, strlen(kernel.words));

		memcpy(dst, kernel.words, n);
		return n;
	}
	kernel.last_len = len;
	return (redox_raw)kernel.read;
}

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	struct redox_event event = { 0 };

	(void)fd;
	if (len != sizeof(event))
		return (redox_raw)kernel.write;
	memcpy(&event, src, sizeof(event));
	if (event.id == REDOX_EVENT_TIMEOUT)
		kernel.ms = event.data;
	else if (kernel.event)
		return (redox_raw)kernel.event;
	return len;
}

redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset)
{
	(void)fd, (void)prot, (void)offset;
	assert_int_equal(flags, REDOX_MAP_SHARED);
	if (kernel.mmap)
		return (redox_raw)kernel.mmap;
	kernel.mapped += len;
	return (redox_raw)(uintptr_t)mmap(addr, len, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

redox_raw redox_munmap_v1(void *addr, size_t len)
{
	kernel.mapped -= len;
	return (redox_raw)munmap(addr, len);
}

redox_raw redox_sys_call_v0(size_t fd, uint8_t *payload, size_t len, size_t flags,
			    const uint64_t *meta, size_t nmeta)
{
	(void)fd, (void)meta, (void)nmeta;
	assert_int_equal(flags, REDOX_CALL_READ | REDOX_CALL_WRITE);
	if (!kernel.call)
		memcpy(payload, &kernel.bo, base_min(len, sizeof(kernel.bo)));
	return (redox_raw)kernel.call;
}

static struct backend *be;
static struct base_err err;

static int connect_to(const char *device)
{
	const struct npu_open_options options = { 0 };

	err = (struct base_err){ 0 };
	return tree_connect(device, &options, &be, &err);
}

static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return connect_to("/scheme/npu");
}

static int teardown(void **state)
{
	(void)state;
	tree_disconnect(be);
	assert_int_equal(kernel.nr_open, 0);
	assert_int_equal(kernel.mapped, 0);
	return 0;
}

static void names(void **state)
{
	static const char *const wrong[] = {
		"/scheme/", "/scheme//0",
		"/scheme/a-name-that-is-much-longer-than-any-scheme-has-ever-been-or-will-be"
	};
	const struct npu_open_options options = { .dump_dir = "/tmp" };

	(void)state;
	assert_string_equal(kernel.path, "/scheme/npu/0/info");
	tree_disconnect(be);
	assert_int_equal(connect_to("/scheme/npu1/3"), 0);
	assert_string_equal(kernel.path, "/scheme/npu1/3/info");
	for (size_t i = 0; i < BASE_ARRAY_SIZE(wrong); i++) {
		struct backend *keep = be;

		assert_int_equal(connect_to(wrong[i]), -EINVAL);
		assert_non_null(strstr(err.text, "/scheme/NAME[/N]"));
		be = keep;
	}
	assert_int_equal(tree_connect("/scheme/npu", &options, &be, &err), -EINVAL);
}

/* The kernel brings a number, the scheme the words; without them the number has a name. */
static void words(void **state)
{
	u32 handle = 0;

	(void)state;
	kernel.open = -EACCES;
	kernel.words = "path: that is not for you";
	assert_int_equal(tree_open(be, "control", &handle, &err), -EACCES);
	assert_string_equal(err.text, "path: that is not for you");
	kernel.words = "";
	assert_int_equal(tree_open(be, "control", &handle, &err), -EACCES);
	assert_non_null(strstr(err.text, "/scheme/npu/0/control: EACCES"));
	kernel.words = NULL;
	assert_int_equal(tree_open(be, "control", &handle, &err), -EACCES);
	assert_non_null(strstr(err.text, "EACCES"));
	kernel.open = -ENODEV;
	assert_int_equal(tree_open(be, "info", &handle, &err), -ENODEV);
	assert_non_null(strstr(err.text, "is npud running?"));
	kernel.open = 0;
	kernel.dup = -ENODEV;
	kernel.words = "words of before";
	assert_int_equal(tree_dup(be, 1, "queue", -1, &handle, &err), -ENODEV);
	assert_non_null(strstr(err.text, "gone; open anew"));
	kernel.dup = 0;
	kernel.fcntl = -EIO;
	kernel.words = NULL;
	assert_int_equal(tree_dup(be, 1, "queue", -1, &handle, &err), -EIO);
	kernel.fcntl = 0;
	kernel.open = (s64)UINT32_MAX + 5; /* a descriptor of the other table */
	kernel.nr_open++;
	assert_int_equal(tree_open(be, "info", &handle, &err), -ENOMEM);
	kernel.open = 0;
}

static void counts(void **state)
{
	u8 buf[64];
	u32 queue = 0;

	(void)state;
	assert_int_equal(tree_dup(be, FIRST_FD, "queue", -1, &queue, &err), 0);
	kernel.read = 64;
	assert_int_equal(tree_read(be, queue, buf, sizeof(buf), &err), 64);
	kernel.read = 65;
	assert_int_equal(tree_read(be, queue, buf, sizeof(buf), &err), -EPROTO);
	kernel.read = -REDOX_EAGAIN;
	assert_int_equal(tree_read(be, queue, buf, sizeof(buf), &err), 0);
	kernel.read = -EBADF;
	assert_int_equal(tree_read(be, queue, buf, sizeof(buf), &err), -EBADF);
	kernel.write = 64;
	assert_int_equal(tree_write(be, queue, buf, 64, &err), 64);
	kernel.write = 128;
	assert_int_equal(tree_write(be, queue, buf, 64, &err), -EPROTO);
	kernel.write = -EAGAIN;
	assert_int_equal(tree_write(be, queue, buf, 64, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "queue: full"));
	assert_int_equal(tree_close(be, queue, &err), 0);
	assert_int_equal(tree_close(be, queue, &err), -EBADF);
}

static void mappings(void **state)
{
	void *cpu = NULL, *again = NULL;
	u32 bo = 0;

	(void)state;
	assert_int_equal(tree_map(be, 9999, &cpu, &err), -EBADF);
	assert_non_null(strstr(err.text, "handle 9999"));
	assert_int_equal(tree_dup(be, FIRST_FD, "bo/8192", -1, &bo, &err), 0);
	kernel.call = -EBADF;
	assert_int_equal(tree_map(be, bo, &cpu, &err), -EBADF);
	kernel.call = 0;
	kernel.bo.size_bytes = 8192;
	kernel.mmap = -EINVAL;
	assert_int_equal(tree_map(be, bo, &cpu, &err), -EINVAL);
	kernel.mmap = 0;
	assert_int_equal(tree_map(be, bo, &cpu, &err), 0);
	assert_int_equal(tree_map(be, bo, &again, &err), 0);
	assert_ptr_equal(cpu, again);
	assert_int_equal(kernel.mapped, 8192);
	memset(cpu, 1, 8192);
}

static void waits(void **state)
{
	u8 jobs[128] = { 0 };
	u32 queue = 0, node = 0;

	(void)state;
	assert_int_equal(tree_wait(be, 9999, 0, &err), -EBADF);
	assert_int_equal(tree_dup(be, FIRST_FD, "queue", -1, &queue, &err), 0);
	assert_int_equal(tree_wait(be, queue, 0, &err), -ENODATA);
	kernel.write = sizeof(jobs);
	assert_int_equal(tree_write(be, queue, jobs, sizeof(jobs), &err), sizeof(jobs));
	kernel.event = -EIO; /* it cannot be subscribed to */
	assert_int_equal(tree_wait(be, queue, BASE_NS_PER_MS, &err), -EIO);
	kernel.event = 0;
	kernel.read = 0; /* nothing came: the time passed */
	assert_int_equal(tree_wait(be, queue, BASE_NS_PER_MS, &err), -ETIMEDOUT);
	assert_in_range(kernel.ms, 1, 1);
	kernel.read = -EINTR;
	assert_int_equal(tree_wait(be, queue, BASE_NS_PER_MS, &err), -ETIMEDOUT);
	kernel.read = -EBADF;
	assert_int_equal(tree_wait(be, queue, BASE_NS_PER_S, &err), -EBADF);
	kernel.read = sizeof(struct redox_event);
	assert_int_equal(tree_wait(be, queue, UINT64_MAX, &err), 0);
	assert_int_equal(tree_open(be, "log", &node, &err), 0);
	assert_int_equal(tree_wait(be, node, BASE_NS_PER_S, &err), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(names), T(words), T(counts), T(mappings), T(waits),
	};

	return cmocka_run_group_tests_name("scheme backend", tests, NULL, NULL);
}
