/* SPDX-License-Identifier: MIT */
/*
 * For redox_test.c: a kernel of Redox that passes on requests and notes answers, the scheme on it, and
 * programs that ask.
 */
#ifndef SCHEME_TEST_KERNEL_H
#define SCHEME_TEST_KERNEL_H

#include "scheme/redox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "service/fake_drv.h"

#define MAX_MESSAGES 512u
#define MAX_ENTRIES  65536u /* as redox_entry.c has it */
#define MAX_OF_ONE   8192u  /* likewise */

enum { FD_EVENT = 30, FD_CAP, FD_SOCKET, FD_ROOT };

static struct {
	struct redox_sqe sqe[MAX_MESSAGES];
	u32 nr_sqe, nr_read;
	struct redox_cqe cqe[MAX_MESSAGES];
	u32 nr_cqe, nr_writes;
	u32 most;	 /* answers of a write; 0: all */
	s64 refused_tag; /* nobody waits for it any more; -1: none */
	u32 fail_call;	 /* this one from now fails */
	u32 nr_open;
	u32 next_tag;
} kernel;

static struct drv_dev drv;
static struct svc *svc;
static struct loop *loop;
static struct scheme *scheme;
static struct base_err err;

static bool fails(void)
{
	return kernel.fail_call && !--kernel.fail_call;
}

redox_raw redox_open_v1(const uint8_t *path, size_t len, uint32_t flags, uint16_t mode)
{
	(void)path, (void)flags, (void)mode;
	if (fails())
		return (redox_raw)(s64)-EACCES;
	kernel.nr_open++;
	return len == strlen("/scheme/event") ? FD_EVENT : FD_CAP;
}

redox_raw redox_dup_v1(size_t fd, const uint8_t *buf, size_t len)
{
	(void)buf;
	if (fails())
		return (redox_raw)(s64)-EMFILE;
	assert_int_equal(len, fd == FD_CAP ? strlen("create-scheme") : sizeof(struct redox_new_fd));
	kernel.nr_open++;
	return fd == FD_CAP ? FD_SOCKET : FD_ROOT;
}

redox_raw redox_close_v1(size_t fd)
{
	assert_in_range(fd, FD_EVENT, FD_ROOT);
	kernel.nr_open--;
	return 0;
}

redox_raw redox_fcntl_v0(size_t fd, size_t cmd, size_t arg)
{
	(void)fd, (void)cmd, (void)arg;
	return fails() ? (redox_raw)(s64)-EBADF : 0;
}

redox_raw redox_get_ns_v0(void)
{
	return fails() ? (redox_raw)(s64)-EPERM : 3;
}

redox_raw redox_register_scheme_to_ns_v0(size_t ns_fd, const uint8_t *name, size_t len,
					 size_t cap_fd)
{
	(void)name;
	assert_int_equal(ns_fd, 3);
	assert_int_equal(cap_fd, FD_ROOT);
	assert_int_equal(len, 3);
	return fails() ? (redox_raw)(s64)-EEXIST : 0;
}

redox_raw redox_mmap_v1(void *addr, size_t len, uint32_t prot, uint32_t flags, size_t fd,
			uint64_t offset)
{
	(void)prot, (void)flags, (void)fd, (void)offset;
	return (redox_raw)(uintptr_t)mmap(addr, len, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

redox_raw redox_munmap_v1(void *addr, size_t len)
{
	return (redox_raw)munmap(addr, len);
}

redox_raw redox_read_v1(size_t fd, uint8_t *dst, size_t len)
{
	const u32 nr =
		base_min(kernel.nr_sqe - kernel.nr_read, (u32)(len / sizeof(struct redox_sqe)));

	assert_int_equal(fd, FD_SOCKET);
	if (!nr)
		return (redox_raw)(s64)-REDOX_EAGAIN;
	memcpy(dst, &kernel.sqe[kernel.nr_read], nr * sizeof(struct redox_sqe));
	kernel.nr_read += nr;
	return nr * sizeof(struct redox_sqe);
}

redox_raw redox_write_v1(size_t fd, const uint8_t *src, size_t len)
{
	u32 nr = (u32)(len / sizeof(struct redox_cqe)), done = 0;

	if (fd == FD_EVENT)
		return fails() ? (redox_raw)(s64)-EPERM : len;
	assert_int_equal(fd, FD_SOCKET);
	kernel.nr_writes++;
	if (kernel.most)
		nr = base_min(nr, kernel.most);
	for (; done < nr; done++) {
		struct redox_cqe *cqe = &kernel.cqe[kernel.nr_cqe % MAX_MESSAGES];

		memcpy(cqe, src + done * sizeof(*cqe), sizeof(*cqe));
		if (cqe->flags == REDOX_CQE_REPLY && cqe->tag == kernel.refused_tag)
			return done ? done * sizeof(*cqe) : (redox_raw)(s64)-EINVAL;
		kernel.nr_cqe++;
	}
	return done * sizeof(struct redox_cqe);
}

static int start_as(const struct scheme_config *cfg)
{
	int ret = loop_create(&loop);

	if (ret)
		return ret;
	ret = scheme_create(loop, svc, cfg, &scheme, &err);
	if (ret)
		loop_destroy(loop);
	return ret;
}

static int start(void)
{
	return start_as(&(struct scheme_config){ .name = "npu" });
}

static int setup_service(void **state)
{
	u32 idx;

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.refused_tag = -1;
	drv = (struct drv_dev){ .state = DRV_READY };
	err = (struct base_err){ 0 };
	assert_int_equal(svc_create(&(struct svc_limits){ .handles = UINT32_MAX }, &svc), 0);
	return svc_add_device(svc, &drv, 0, &idx);
}

static int setup(void **state)
{
	return setup_service(state) || start();
}

static int teardown_service(void **state)
{
	(void)state;
	for (u32 i = 0; i < BASE_ARRAY_SIZE(drv.queues); i++)
		if (drv.queues[i])
			fake_complete(drv.queues[i], UINT32_MAX);
	assert_int_equal(svc_remove_device(svc, 0, NULL), 0);
	svc_destroy(svc);
	assert_int_equal(drv.nr_ctxs + drv.nr_bos + drv.nr_queues + kernel.nr_open, 0);
	return 0;
}

static int teardown(void **state)
{
	scheme_destroy(scheme);
	loop_destroy(loop);
	return teardown_service(state);
}

/*
 * Requests
 */

static u32 ask(u32 pid, u8 op, u64 id, const void *buf, u64 len)
{
	struct redox_sqe *sqe = &kernel.sqe[kernel.nr_sqe++];

	assert_true(kernel.nr_sqe <= MAX_MESSAGES);
	*sqe = (struct redox_sqe){
		.opcode = op,
		.tag = kernel.next_tag++,
		.args = { id, len ? (u64)(uintptr_t)buf : REDOX_NO_BUFFER, len },
		.caller = pid,
	};
	if (op == REDOX_OP_OPENAT || op == REDOX_OP_DUP)
		sqe->args[5] = pid == 1 ? 0 : 1000;
	return sqe->tag;
}

static void tell(u8 op, u64 id, u32 tag)
{
	kernel.sqe[kernel.nr_sqe++] =
		(struct redox_sqe){ .opcode = op, .flags = 1, .tag = tag, .args = { id } };
}

static void serve(void)
{
	do {
		scheme->source.ready(&scheme->source);
		(void)svc_process(svc, scheme_ready);
	} while (scheme_settle(scheme));
}

/* The one answer to @tag. */
static s64 answer_to(u32 tag)
{
	const struct redox_cqe *found = NULL;

	for (u32 i = 0; i < kernel.nr_cqe; i++) {
		if (kernel.cqe[i].flags != REDOX_CQE_REPLY || kernel.cqe[i].tag != tag)
			continue;
		assert_null(found);
		found = &kernel.cqe[i];
	}
	assert_non_null(found);
	return (s64)found->result;
}

static bool is_answered(u32 tag)
{
	for (u32 i = 0; i < kernel.nr_cqe; i++)
		if (kernel.cqe[i].flags == REDOX_CQE_REPLY && kernel.cqe[i].tag == tag)
			return true;
	return false;
}

static u32 nr_events(u64 id)
{
	u32 nr = 0;

	for (u32 i = 0; i < kernel.nr_cqe; i++)
		nr += kernel.cqe[i].flags == REDOX_CQE_EVENT && kernel.cqe[i].result == id &&
		      kernel.cqe[i].tag == REDOX_EVENT_READ;
	return nr;
}

static s64 open_path(u32 pid, u64 dir, const char *path)
{
	u32 tag = ask(pid, REDOX_OP_OPENAT, dir, path, strlen(path));

	serve();
	return answer_to(tag);
}

struct queue {
	u64 ctx, bo, queue;
};

static struct queue open_queue(u32 pid)
{
	struct queue q = { .ctx = (u64)open_path(pid, RS_ROOT_ID, "0/ctx") };

	q.bo = (u64)open_path(pid, q.ctx, "bo/4096");
	q.queue = (u64)open_path(pid, q.ctx, "queue");
	assert_true((s64)q.ctx > 1 && (s64)q.bo > 1 && (s64)q.queue > 1);
	return q;
}

static void submit(u32 pid, const struct queue *q, u32 nr)
{
	struct abi_job jobs[62] = { 0 };
	u32 tag;

	for (u32 i = 0; i < nr; i++)
		jobs[i] = (struct abi_job){ .cmd_addr = FAKE_BASE + drv.next_va - 4096,
					    .cmd_size = 64,
					    .cookie = i };
	tag = ask(pid, REDOX_OP_WRITE, q->queue, jobs, nr * sizeof(jobs[0]));
	serve();
	assert_int_equal(answer_to(tag), nr * sizeof(jobs[0]));
}

static void complete(u32 nr)
{
	for (u32 i = 0; i < BASE_ARRAY_SIZE(drv.queues); i++)
		if (drv.queues[i])
			fake_complete(drv.queues[i], nr);
	serve();
}

#endif
