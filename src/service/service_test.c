// SPDX-License-Identifier: MIT
/* The handle tree, quotas and lifetimes, on a driver core that is made up. */
#include "service/fake_drv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "service/svc.h"

struct fixture {
	struct drv_dev drv;
	struct svc *svc;
	struct svc_client *root, *user;
	struct base_err err;
	u32 idx;
};

static const struct svc_limits limits = { .contexts = 2,
					  .queues = 6,
					  .handles = 12,
					  .queue_depth = 62,
					  .context_jobs = 100,
					  .memory_bytes = 64 << 10 };

static int setup(void **state)
{
	static const struct svc_cred root = { .uid = 0, .pid = 1, .privileged = true, .name = "r" };
	static const struct svc_cred user = { .uid = 7, .pid = 2, .name = "u\n\"x" };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->drv.state = DRV_READY;
	assert_int_equal(svc_create(&limits, &f->svc), 0);
	assert_int_equal(svc_add_device(f->svc, &f->drv, 0, &f->idx), 0);
	assert_int_equal(svc_client_create(f->svc, &root, &f->root), 0);
	assert_int_equal(svc_client_create(f->svc, &user, &f->user), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	svc_client_close(f->root);
	svc_client_close(f->user);
	assert_int_equal(svc_remove_device(f->svc, f->idx, NULL), 0);
	svc_destroy(f->svc);
	assert_int_equal(f->drv.nr_ctxs, 0);
	assert_int_equal(f->drv.nr_bos, 0);
	assert_int_equal(f->drv.nr_queues, 0);
	free(f);
	return 0;
}

static u32 open_ok(struct svc_client *client, const char *path)
{
	struct base_err err = { 0 };
	u32 handle = 0;

	if (svc_open(client, path, &handle, &err))
		fail_msg("open %s: %s", path, err.text);
	assert_int_not_equal(handle, 0);
	return handle;
}

static u32 dup_ok(struct svc_client *client, u32 ctx, const char *path)
{
	struct base_err err = { 0 };
	u32 handle = 0;

	if (svc_dup(client, ctx, path, &handle, &err))
		fail_msg("dup %s: %s", path, err.text);
	return handle;
}

static u64 addr_of(struct svc_client *client, u32 bo)
{
	struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) } };

	assert_int_equal(svc_call(client, bo, &call, sizeof(call), NULL), 0);
	return call.addr;
}

static s64 submit(struct svc_client *client, u32 queue, u64 addr, u32 nr)
{
	struct abi_job jobs[128] = { 0 };

	assert_true(nr <= BASE_ARRAY_SIZE(jobs));
	for (u32 i = 0; i < nr; i++)
		jobs[i] = (struct abi_job){ .cmd_addr = addr, .cmd_size = 64, .cookie = i };
	return svc_write(client, queue, jobs, nr * sizeof(jobs[0]), NULL);
}

static void read_node(struct svc_client *client, const char *path, char *buf, size_t size)
{
	u32 node = open_ok(client, path);
	size_t len = 0;
	s64 ret;

	while ((ret = svc_read(client, node, buf + len, base_min(size - len - 1, (size_t)7),
			       NULL)) > 0)
		len += (size_t)ret;
	buf[len] = '\0';
	assert_int_equal(ret, 0);
	assert_int_equal(svc_close(client, node, NULL), 0);
}

static void text_nodes(void **state)
{
	struct fixture *f = *state;
	char buf[4096];
	u32 ctx = open_ok(f->user, "0/ctx");

	read_node(f->user, "", buf, sizeof(buf));
	assert_string_equal(buf, "0: fake Fake \"1\"\n\n");
	read_node(f->user, "0/info", buf, sizeof(buf));
	assert_non_null(strstr(buf, "gen: fake\n"));
	assert_non_null(strstr(buf, "product: Fake \\x221\\x22\\x0a\n"));
	assert_non_null(strstr(buf, "fw_api: 3.24 0.0 "));
	assert_non_null(strstr(buf, "max_contexts: 2\n"));
	read_node(f->user, "0/status", buf, sizeof(buf));
	assert_non_null(strstr(buf, "state: ready\n"));
	assert_non_null(strstr(buf, "contexts: 1\n"));
	read_node(f->user, "0/metrics", buf, sizeof(buf));
	assert_non_null(strstr(buf, "jobs_done: 7\n"));
	assert_int_equal(svc_close(f->user, ctx, NULL), 0);
}

static void clients_see_what_they_may(void **state)
{
	struct fixture *f = *state;
	char buf[1024];

	read_node(f->user, "0/clients", buf, sizeof(buf));
	assert_non_null(strstr(buf, "name=\"u\\x0a\\x22x\" uid=7 pid=2"));
	assert_null(strstr(buf, "uid=0"));
	assert_non_null(strstr(buf, "others: clients=1"));
	read_node(f->root, "0/clients", buf, sizeof(buf));
	assert_non_null(strstr(buf, "uid=0 pid=1"));
	assert_non_null(strstr(buf, "uid=7 pid=2"));
	assert_null(strstr(buf, "others"));
}

static void write_control(struct svc_client *client, const char *text, int want, const char *says)
{
	u32 node = open_ok(client, "0/control");
	struct base_err err = { 0 };
	s64 ret = svc_write(client, node, text, strlen(text), &err);

	assert_int_equal(ret, want ? want : (s64)strlen(text));
	if (says)
		assert_non_null(strstr(err.text, says));
	assert_int_equal(svc_close(client, node, NULL), 0);
}

static void control(void **state)
{
	struct fixture *f = *state;
	char buf[8];
	u32 node;

	write_control(f->root, "loglevel 3\n", 0, NULL);
	assert_int_equal(f->drv.log_level, 3);
	write_control(f->root, "fwlevel 0x4", 0, NULL);
	write_control(f->root, "suspend", 0, NULL);
	assert_int_equal(f->drv.state, DRV_SUSPENDED);
	write_control(f->root, "suspend\n", -EBUSY, "not possible while the device is suspended");
	write_control(f->root, "resume", 0, NULL);
	assert_int_equal(f->drv.state, DRV_READY);
	write_control(f->root, "reset", 0, NULL);
	write_control(f->root, "reset 1", -EINVAL, "takes nothing");
	assert_int_equal(f->drv.fw_level, 4);
	write_control(f->root, "fwlevel 6", -EINVAL, "1 debug to 5 fatal");
	write_control(f->root, "loglevel 4", -EINVAL, "0 errors to 3 all");
	write_control(f->root, "loglevel", -EINVAL, "takes a number");
	write_control(f->root, "loglevel x", -EINVAL, "takes a number");
	write_control(f->root, "loglevel 1 2", -EINVAL, "takes a number");
	write_control(f->root, "log 1", -EINVAL, "expected one of");
	write_control(f->root, "\n", -EINVAL, "expected one of");
	write_control(f->root, "loglevel 000000000000000000000000000000000000000000000000000000002",
		      -EINVAL, "1 to 64");
	assert_int_equal(f->drv.log_level, 3);
	assert_int_equal(f->drv.fw_level, 4);
	f->drv.fw_level_error = -EBUSY;
	write_control(f->root, "fwlevel 1", -EBUSY, "EBUSY");
	node = open_ok(f->root, "0/control");
	assert_int_equal(svc_read(f->root, node, buf, 8, &f->err), -EOPNOTSUPP);
	assert_int_equal(svc_write(f->root, node, buf, 0, &f->err), -EINVAL);
}

/* What the firmware writes is read once, now or when it comes. */
static void log_is_followed(void **state)
{
	struct fixture *f = *state;
	u32 log = open_ok(f->root, "0/log"), errors = open_ok(f->root, "0/log?errors");
	char buf[64] = { 0 };

	assert_int_equal(svc_read(f->root, log, buf, sizeof(buf), &f->err), 0);
	assert_int_equal(svc_wait(f->root, log, 1000, &f->err), -ETIMEDOUT);
	f->drv.log = "NPU: one";
	assert_int_equal(svc_read(f->root, errors, buf, sizeof(buf), &f->err), 0);
	assert_int_equal(svc_wait(f->root, log, 1000, &f->err), 0);
	assert_int_equal(svc_read(f->root, log, buf, 4, &f->err), 4);
	assert_int_equal(svc_read(f->root, log, buf + 4, sizeof(buf) - 4, &f->err), 5);
	assert_string_equal(buf, "NPU: one\n");
	assert_int_equal(svc_read(f->root, log, buf, sizeof(buf), &f->err), 0);
	f->drv.log = "NPU: two";
	assert_int_equal(svc_read(f->root, log, buf, sizeof(buf), &f->err), 9);
}

static void counters_are_told(void **state)
{
	struct fixture *f = *state;
	char buf[1024] = { 0 };
	u32 node;

	f->drv.counters_error = -EAGAIN;
	node = open_ok(f->root, "0/counters");
	assert_int_equal(svc_read(f->root, node, buf, sizeof(buf), &f->err), 0);
	assert_int_equal(svc_wait(f->root, node, 100, &f->err), -ETIMEDOUT);
	f->drv.counters_error = 0;
	assert_int_equal(svc_wait(f->root, node, 100, &f->err), 0);
	assert_true(svc_read(f->root, node, buf, sizeof(buf) - 1, &f->err) > 0);
	assert_non_null(strstr(buf, "group: id=4 size=16 name=\"B\"\n"));
	assert_non_null(strstr(buf, "counter: group=1 offset=0 size=8 type=0 value_type=1 "
				    "name=\"one\" units=\"u\" description=\"\"\n"));
	assert_int_equal(svc_read(f->root, node, buf, sizeof(buf), &f->err), 0);
	f->drv.counters_error = -EOPNOTSUPP;
	node = open_ok(f->root, "0/counters");
	assert_int_equal(svc_read(f->root, node, buf, sizeof(buf), &f->err), -EOPNOTSUPP);
	assert_non_null(strstr(f->err.text, "counts nothing"));
}

static void samples_are_streamed(void **state)
{
	struct {
		u64 one;
		float two;
		u32 pad;
		u16 three;
		u8 rest[6];
	} sample[2] = { { 7, 1.5f, 0, 300, { 0 } }, { 8, -2, 0, 1, { 0 } } };
	struct fixture *f = *state;
	u32 node = open_ok(f->root, "0/stream?period_us=2000&samples=5");
	char buf[256] = { 0 };

	assert_int_equal(f->drv.nr_metrics, 1);
	assert_int_equal(f->drv.metric.groups, 0x12);
	assert_int_equal(f->drv.metric.period_ns, 2000000);
	assert_int_equal(f->drv.metric.samples, 5);
	assert_int_equal(svc_read(f->root, node, buf, sizeof(buf), &f->err), 0);
	f->drv.metric.on_samples(f->drv.metric.opaque, sample, sizeof(sample[0]), 2, 0);
	assert_int_equal(svc_wait(f->root, node, 100, &f->err), 0);
	assert_true(svc_read(f->root, node, buf, sizeof(buf) - 1, &f->err) > 0);
	assert_string_equal(buf, "sample: A.one=7 B.two=1.5 B.three=300\n"
				 "sample: A.one=8 B.two=-2 B.three=1\n");
	/* shorter than what was promised: what is there */
	f->drv.metric.on_samples(f->drv.metric.opaque, sample, 8, 1, 3);
	memset(buf, 0, sizeof(buf));
	assert_true(svc_read(f->root, node, buf, sizeof(buf) - 1, &f->err) > 0);
	assert_string_equal(buf, "dropped: 3\nsample: A.one=7\n");
	f->drv.metric.on_end(f->drv.metric.opaque, -EIO);
	assert_int_equal(svc_read(f->root, node, buf, sizeof(buf), &f->err), -EIO);
	assert_int_equal(svc_close(f->root, node, NULL), 0);
	assert_int_equal(f->drv.nr_metrics, 0);
}

/* Who does not read loses samples, not the daemon its memory. */
static void slow_readers_lose_samples(void **state)
{
	struct fixture *f = *state;
	u32 node = open_ok(f->root, "0/stream?groups=2");
	static char buf[1 << 21];
	u64 sample = 1;
	s64 len;

	for (u32 i = 0; i < 200000; i++)
		f->drv.metric.on_samples(f->drv.metric.opaque, &sample, sizeof(sample), 1, 0);
	len = svc_read(f->root, node, buf, sizeof(buf), &f->err);
	assert_in_range(len, 1 << 20, (1 << 20) + 64);
	assert_int_equal(svc_read(f->root, node, buf, sizeof(buf), &f->err), 0);
	f->drv.metric.on_samples(f->drv.metric.opaque, &sample, sizeof(sample), 1, 0);
	memset(buf, 0, 64);
	assert_true(svc_read(f->root, node, buf, sizeof(buf), &f->err) > 0);
	assert_int_equal(strncmp(buf, "dropped: ", 9), 0);
	assert_true(strtoul(buf + 9, NULL, 10) > 100000);
}

static void bad_streams(void **state)
{
	static const char *const paths[] = {
		"0/stream?groups",
		"0/stream?groups=",
		"0/stream?groups=0",
		"0/stream?period_us=999",
		"0/stream?samples=0",
		"0/stream?samples=10001",
		"0/stream?x=1",
		"0/stream?=1",
		"0/stream?groups=1&samples=x",
		"0/stream?groups=1&&samples=1",
		"0/stream?period_us=99999999999999999999",
	};
	struct fixture *f = *state;
	char buf[64];
	u32 handle;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(paths); i++) {
		assert_int_equal(svc_open(f->root, paths[i], &handle, &f->err), -EINVAL);
		assert_non_null(strstr(f->err.text, "groups=MASK"));
	}
	assert_int_equal(svc_open(f->root, "0/streams", &handle, &f->err), -ENOENT);
	handle = open_ok(f->root, "0/stream?groups=1"); /* the firmware has no such one */
	assert_int_equal(svc_read(f->root, handle, buf, sizeof(buf), &f->err), -ENOENT);
	assert_int_equal(f->drv.nr_metrics, 0);
}

static void some_nodes_need_privilege(void **state)
{
	static const char *const paths[] = { "0/log",	  "0/log?errors", "0/trace", "0/dump",
					     "0/control", "0/counters",	  "0/stream" };
	struct fixture *f = *state;
	u32 handle;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(paths); i++) {
		assert_int_equal(svc_open(f->user, paths[i], &handle, &f->err), -EACCES);
		assert_non_null(strstr(f->err.text, "needs privilege"));
		assert_int_equal(svc_close(f->root, open_ok(f->root, paths[i]), NULL), 0);
	}
}

/* Per client: overlapping jobs count once, failures apart. */
static void clients_are_accounted(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u64 addr = addr_of(f->user, dup_ok(f->user, ctx, "bo/4096"));
	u32 queue = dup_ok(f->user, ctx, "queue");
	struct abi_completion done[8];
	char buf[1024];

	f->drv.job_ns = 100;
	assert_int_equal(submit(f->user, queue, addr, 3), 3 * 64);
	f->drv.now_ns = 1000;
	fake_complete(f->drv.queues[0], 2); /* both from 900 to 1000 */
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 2 * sizeof(done[0]));
	f->drv.now_ns = 1050;
	f->drv.status = -EIO;
	fake_complete(f->drv.queues[0], 1); /* from 950 */
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), sizeof(done[0]));
	read_node(f->user, "0/clients", buf, sizeof(buf));
	assert_non_null(strstr(buf, " jobs_submitted=3 jobs_done=3 jobs_failed=1 busy_ns=150\n"));
	read_node(f->user, "0/metrics", buf, sizeof(buf));
	assert_non_null(strstr(buf, "time_ns: 1050\nbusy_ns: 77\n"));
	assert_non_null(strstr(buf, "recoveries: 5\n"));
	read_node(f->user, "0/status", buf, sizeof(buf));
	assert_non_null(strstr(buf, "freq_mhz: 1234\n"));
	read_node(f->root, "0/dump", buf, sizeof(buf));
	assert_string_equal(buf, "== device\nfake\n");
	read_node(f->root, "0/trace", buf, sizeof(buf));
	assert_string_equal(buf, "a record\n");
}

static void bad_paths(void **state)
{
	static const char *const paths[] = { "0",      "0/",	 "0/inf",  "0/info/",	 "1/info",
					     "8/info", "x/info", "0/ctx?", "0/control/", "0/log?" };
	struct fixture *f = *state;
	u32 handle = 99;

	for (size_t i = 0; i < BASE_ARRAY_SIZE(paths); i++) {
		assert_int_equal(svc_open(f->root, paths[i], &handle, &f->err), -ENOENT);
		assert_true(f->err.text[0] != '\0');
	}
	assert_int_equal(handle, 99);
}

static void bad_handles(void **state)
{
	struct fixture *f = *state;
	u32 other = open_ok(f->root, "0/info");
	struct svc_mapping map;
	struct svc_stat stat;
	char buf[64];
	u32 h;

	for (u32 i = 0; i < 40; i++) {
		assert_int_equal(svc_read(f->user, i, buf, 64, &f->err), -EBADF);
		assert_int_equal(svc_write(f->user, i, buf, 64, &f->err), -EBADF);
		assert_int_equal(svc_call(f->user, i, buf, 64, &f->err), -EBADF);
		assert_int_equal(svc_map(f->user, i, &map, &f->err), -EBADF);
		assert_int_equal(svc_stat(f->user, i, &stat, &f->err), -EBADF);
		assert_int_equal(svc_wait(f->user, i, 0, &f->err), -EBADF);
		assert_int_equal(svc_dup(f->user, i, "queue", &h, &f->err), -EBADF);
		assert_int_equal(svc_close(f->user, i, &f->err), -EBADF);
	}
	assert_int_equal(svc_read(f->user, UINT32_MAX, buf, 64, &f->err), -EBADF);
	assert_int_equal(svc_close(f->root, other, NULL), 0);
	assert_int_equal(svc_close(f->root, other, NULL), -EBADF);
}

static void wrong_verbs(void **state)
{
	struct fixture *f = *state;
	u32 node = open_ok(f->user, "0/clients");
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 bo = dup_ok(f->user, ctx, "bo/1");
	u32 queue = dup_ok(f->user, ctx, "queue");
	struct svc_call_info call = { .head = { SVC_CALL_INFO, SVC_CALL_VERSION, sizeof(call) } };
	struct svc_mapping map;
	char buf[64] = { 0 };
	u32 h;

	assert_int_equal(svc_write(f->user, node, buf, 64, &f->err), -EOPNOTSUPP);
	assert_int_equal(svc_dup(f->user, node, "queue", &h, &f->err), -EOPNOTSUPP);
	assert_int_equal(svc_call(f->user, node, &call, sizeof(call), &f->err), -EOPNOTSUPP);
	assert_int_equal(svc_read(f->user, ctx, buf, 64, &f->err), -EOPNOTSUPP);
	assert_int_equal(svc_map(f->user, queue, &map, &f->err), -EOPNOTSUPP);
	assert_int_equal(svc_wait(f->user, bo, 0, &f->err), -EOPNOTSUPP);
	assert_string_equal(f->err.text, "a buffer cannot wait");
	assert_int_equal(svc_write(f->user, queue, buf, 63, &f->err), -EINVAL);
	assert_int_equal(svc_write(f->user, queue, buf, 0, &f->err), -EINVAL);
	assert_int_equal(svc_read(f->user, queue, buf, 31, &f->err), -EINVAL);
}

static void calls_are_checked(void **state)
{
	struct fixture *f = *state;
	u32 node = open_ok(f->user, "0/info");
	struct svc_call_info call = { .head = { SVC_CALL_INFO, SVC_CALL_VERSION, sizeof(call) } };

	assert_int_equal(svc_call(f->user, node, &call, sizeof(call), &f->err), 0);
	assert_string_equal(call.gen, "fake");
	assert_int_equal(call.max_queue_depth, 62);
	assert_int_equal(call.max_memory_bytes, 64 << 10);
	assert_int_equal(svc_call(f->user, node, &call, sizeof(call) - 1, &f->err), -EINVAL);
	assert_int_equal(svc_call(f->user, node, &call, 7, &f->err), -EINVAL);
	assert_int_equal(svc_call(f->user, node, &call, 1 << 20, &f->err), -EINVAL);
	call.head.version = 2;
	assert_int_equal(svc_call(f->user, node, &call, sizeof(call), &f->err), -EINVAL);
	call.head.version = SVC_CALL_VERSION;
	call.head.size--;
	assert_int_equal(svc_call(f->user, node, &call, sizeof(call), &f->err), -EINVAL);
	call.head = (struct svc_call){ SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) };
	assert_int_equal(svc_call(f->user, node, &call, sizeof(call), &f->err), -EOPNOTSUPP);
}

static void quota_contexts(void **state)
{
	struct fixture *f = *state;
	u32 a = open_ok(f->user, "0/ctx");
	u32 h;

	open_ok(f->user, "0/ctx");
	assert_int_equal(svc_open(f->user, "0/ctx", &h, &f->err), -EBUSY);
	assert_non_null(strstr(f->err.text, "quota"));
	open_ok(f->root, "0/ctx"); /* others are not disturbed */
	assert_int_equal(svc_close(f->user, a, NULL), 0);
	open_ok(f->user, "0/ctx");
}

static struct svc_client *remote_of(struct fixture *f, u32 uid, bool privileged)
{
	const struct svc_cred cred = { .uid = uid, .privileged = privileged, .remote = true };
	struct svc_client *client;

	assert_int_equal(svc_client_create(f->svc, &cred, &client), 0);
	return client;
}

/* A user has many programs, but not the whole device. */
static void share_of_a_user(void **state)
{
	struct fixture *f = *state;
	struct svc_client *own[8], *other = remote_of(f, 8, false), *root = remote_of(f, 0, true);
	u32 ctx[8], queue, h;

	f->drv.max_ctxs = 10;	/* a share: 9 */
	f->drv.max_queues = 16; /* 14 */
	for (u32 i = 0; i < 8; i++) {
		own[i] = remote_of(f, 7, false);
		ctx[i] = open_ok(own[i], "0/ctx");
	}
	h = open_ok(own[0], "0/ctx");
	assert_int_equal(svc_open(own[1], "0/ctx", &queue, &f->err), -EBUSY);
	assert_non_null(strstr(f->err.text, "user 7 have 9, the share of a user"));
	svc_close(other, open_ok(other, "0/ctx"), NULL);
	svc_close(root, open_ok(root, "0/ctx"), NULL);
	assert_int_equal(svc_close(own[0], h, NULL), 0);
	svc_close(own[1], open_ok(own[1], "0/ctx"), NULL);
	for (u32 i = 0; i < 14; i++)
		queue = dup_ok(own[i % 8], ctx[i % 8], "queue");
	assert_int_equal(svc_dup(own[0], ctx[0], "queue", &h, &f->err), -EBUSY);
	assert_non_null(strstr(f->err.text, "queue: the programs of user 7 have 14"));
	svc_client_close(own[7]); /* with his queue */
	(void)dup_ok(own[0], ctx[0], "queue");
	assert_int_equal(svc_dup(own[0], ctx[0], "queue", &h, NULL), -EBUSY);
	(void)dup_ok(other, open_ok(other, "0/ctx"), "queue");
	for (u32 i = 0; i < 7; i++)
		svc_client_close(own[i]);
	svc_client_close(other);
	svc_client_close(root);
}

static void quota_memory(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 a = dup_ok(f->user, ctx, "bo/0xf001"); /* all 16 pages */
	u32 h;

	assert_int_equal(svc_dup(f->user, ctx, "bo/1", &h, &f->err), -ENOMEM);
	assert_non_null(strstr(f->err.text, "quota: 65536 of 65536 used"));
	dup_ok(f->root, open_ok(f->root, "0/ctx"), "bo/1");
	assert_int_equal(svc_close(f->user, a, NULL), 0);
	dup_ok(f->user, ctx, "bo/61440");
	assert_int_equal(svc_dup(f->user, ctx, "bo/4097", &h, &f->err), -ENOMEM);
	assert_int_equal(svc_dup(f->user, ctx, "bo/18446744073709551615", &h, &f->err), -ENOMEM);
	dup_ok(f->user, ctx, "bo/4096");
}

static void quota_queues_and_handles(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 h;

	for (u32 i = 0; i < 6; i++)
		dup_ok(f->user, ctx, "queue");
	assert_int_equal(svc_dup(f->user, ctx, "queue", &h, &f->err), -EBUSY);
	for (u32 i = 0; i < 5; i++)
		open_ok(f->user, "0/info");
	assert_int_equal(svc_open(f->user, "0/info", &h, &f->err), -EMFILE);
	assert_int_equal(svc_dup(f->user, ctx, "bo/1", &h, &f->err), -EMFILE);
	assert_int_equal(f->drv.nr_bos, 0);
}

static void realtime_needs_privilege(void **state)
{
	struct fixture *f = *state;
	u32 h;

	assert_int_equal(
		svc_dup(f->user, open_ok(f->user, "0/ctx"), "queue?prio=realtime", &h, &f->err),
		-EACCES);
	dup_ok(f->root, open_ok(f->root, "0/ctx"), "queue?prio=realtime");
	assert_int_equal(f->drv.queues[0]->priority, 3);
}

static void submit_and_complete(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u64 addr = addr_of(f->user, dup_ok(f->user, ctx, "bo/4096"));
	u32 queue = dup_ok(f->user, ctx, "queue");
	struct abi_completion done[20];

	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 0);
	assert_int_equal(submit(f->user, queue, addr, 20), 20 * 64);
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 0);
	fake_complete(f->drv.queues[0], 13);
	assert_int_equal(svc_wait(f->user, queue, 0, NULL), 0);
	assert_int_equal(svc_read(f->user, queue, done, 3 * 32 + 31, NULL), 3 * 32);
	assert_int_equal(done[2].cookie, 2);
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 10 * 32);
	assert_int_equal(done[9].cookie, 12);
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 0);
}

static void full_queue_takes_a_part(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u64 addr = addr_of(f->user, dup_ok(f->user, ctx, "bo/4096"));
	u32 queue = dup_ok(f->user, ctx, "queue");
	u32 second = dup_ok(f->user, ctx, "queue");
	struct abi_completion done[62];

	assert_int_equal(submit(f->user, queue, addr, 70), 62 * 64);
	assert_int_equal(submit(f->user, queue, addr, 1), -EAGAIN);
	assert_int_equal(submit(f->user, second, addr, 50), 38 * 64); /* 100 of the context */
	assert_int_equal(submit(f->user, second, addr, 1), -EAGAIN);
	fake_complete(f->drv.queues[0], 62);
	assert_int_equal(submit(f->user, second, addr, 1), 64);
	assert_int_equal(submit(f->user, queue, addr, 1), -EAGAIN); /* not read back */
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), sizeof(done));
	assert_int_equal(submit(f->user, queue, addr, 2), 2 * 64);
}

static void first_bad_job_is_named(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u64 addr = addr_of(f->user, dup_ok(f->user, ctx, "bo/4096"));
	u32 queue = dup_ok(f->user, ctx, "queue");
	struct abi_job jobs[12];

	for (u32 i = 0; i < 12; i++)
		jobs[i] = (struct abi_job){ .cmd_addr = addr, .cmd_size = 64, .cookie = i };
	jobs[10].flags = 4;
	assert_int_equal(svc_write(f->user, queue, jobs, sizeof(jobs), &f->err), 10 * 64);
	assert_int_equal(svc_write(f->user, queue, jobs + 10, 2 * 64, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "job 0: flags 0x4"));
	assert_int_equal(f->drv.queues[0]->pending, 10);
}

static void ranges_belong_to_the_context(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 other = open_ok(f->user, "0/ctx");
	u32 bo = dup_ok(f->user, ctx, "bo/4096");
	u64 addr = addr_of(f->user, bo);
	u32 queue = dup_ok(f->user, ctx, "queue");

	assert_int_equal(submit(f->user, dup_ok(f->user, other, "queue"), addr, 1), -EINVAL);
	assert_int_equal(submit(f->user, queue, addr, 1), 64);
	assert_int_equal(svc_close(f->user, bo, NULL), 0);
	assert_int_equal(f->drv.nr_bos, 1); /* still in use, but closed to new jobs */
	assert_int_equal(submit(f->user, queue, addr, 1), -EINVAL);
}

/* A context that is never idle gets rid of its closed buffers all the same. */
static void buffers_wait_for_earlier_jobs_only(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 keep = dup_ok(f->user, ctx, "bo/4096");
	u32 a = dup_ok(f->user, ctx, "bo/4096");
	u32 b = dup_ok(f->user, ctx, "bo/4096");
	u32 queue = dup_ok(f->user, ctx, "queue");
	u32 second = dup_ok(f->user, ctx, "queue");
	struct abi_completion done[8];

	assert_int_equal(submit(f->user, queue, addr_of(f->user, keep), 2), 128);
	assert_int_equal(submit(f->user, second, addr_of(f->user, keep), 1), 64);
	assert_int_equal(svc_close(f->user, a, NULL), 0);
	assert_int_equal(submit(f->user, queue, addr_of(f->user, keep), 2), 128);
	assert_int_equal(svc_close(f->user, b, NULL), 0);
	assert_int_equal(f->drv.nr_bos, 3);
	fake_complete(f->drv.queues[0], 2);
	assert_int_equal(svc_wait(f->user, ctx, 0, NULL), -ETIMEDOUT);
	assert_int_equal(f->drv.nr_bos, 3); /* the second queue's job was there too */
	fake_complete(f->drv.queues[1], 1);
	assert_int_equal(svc_wait(f->user, ctx, 0, NULL), -ETIMEDOUT);
	assert_int_equal(f->drv.nr_bos, 2); /* a is gone, b waits */
	fake_complete(f->drv.queues[0], 1);
	assert_int_equal(submit(f->user, queue, addr_of(f->user, keep), 1), 64);
	assert_int_equal(svc_wait(f->user, ctx, 0, NULL), -ETIMEDOUT);
	assert_int_equal(f->drv.nr_bos, 2);
	fake_complete(f->drv.queues[0], 1);
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 4 * 32);
	assert_int_equal(svc_wait(f->user, ctx, 0, NULL), -ETIMEDOUT);
	assert_int_equal(f->drv.nr_bos, 1);
}

static void closed_context_waits_for_its_jobs(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 bo = dup_ok(f->user, ctx, "bo/4096");
	u32 queue = dup_ok(f->user, ctx, "queue");
	u32 h;

	assert_int_equal(submit(f->user, queue, addr_of(f->user, bo), 3), 3 * 64);
	assert_int_equal(svc_close(f->user, ctx, NULL), 0);
	assert_int_equal(svc_close(f->user, bo, NULL), -EBADF); /* went with its context */
	assert_int_equal(svc_close(f->user, queue, NULL), -EBADF);
	assert_int_equal(f->drv.nr_ctxs, 1);
	open_ok(f->user, "0/ctx");
	assert_int_equal(svc_open(f->user, "0/ctx", &h, NULL), -EBUSY); /* the quota knows */
	fake_complete(f->drv.queues[0], 3);
	open_ok(f->user, "0/ctx");
	assert_int_equal(f->drv.nr_bos, 0);
	assert_int_equal(f->drv.nr_queues, 0);
}

/* Whoever submits a job without end and goes does not keep the context for ever. */
static void closed_context_does_not_wait_for_ever(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 bo = dup_ok(f->user, ctx, "bo/4096");
	u32 queue = dup_ok(f->user, ctx, "queue");

	f->drv.now_ns = 7 * BASE_NS_PER_S;
	assert_int_equal(submit(f->user, queue, addr_of(f->user, bo), 3), 3 * 64);
	assert_int_equal(svc_close(f->user, ctx, NULL), 0);
	/* it says when it must look again */
	assert_int_equal(svc_process(f->svc, NULL), 500 * BASE_NS_PER_MS);
	f->drv.now_ns += 499 * BASE_NS_PER_MS;
	assert_int_equal(svc_process(f->svc, NULL), BASE_NS_PER_MS);
	assert_int_equal(f->drv.nr_cancelled, 0);
	f->drv.now_ns += BASE_NS_PER_MS;
	assert_int_equal(svc_process(f->svc, NULL), 0);
	assert_int_equal(f->drv.nr_cancelled, 1);
	assert_int_equal(svc_process(f->svc, NULL), SVC_FOREVER);
	assert_int_equal(f->drv.nr_cancelled, 1); /* once */
	assert_int_equal(f->drv.nr_ctxs, 1);
	fake_complete(f->drv.queues[0], 3); /* the driver ends them */
	svc_process(f->svc, NULL);
	assert_int_equal(f->drv.nr_ctxs, 0);
	assert_int_equal(f->drv.nr_bos, 0);
}

static void closed_queue_waits_for_its_jobs(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 bo = dup_ok(f->user, ctx, "bo/4096");
	u32 queue = dup_ok(f->user, ctx, "queue");

	assert_int_equal(submit(f->user, queue, addr_of(f->user, bo), 1), 64);
	assert_int_equal(svc_close(f->user, queue, NULL), 0);
	assert_int_equal(svc_close(f->user, bo, NULL), 0);
	assert_int_equal(f->drv.nr_queues, 1);
	assert_int_equal(f->drv.nr_bos, 1);
	fake_complete(f->drv.queues[0], 1);
	assert_int_equal(svc_wait(f->user, ctx, 0, NULL), 0);
	svc_close(f->user, open_ok(f->user, "0/status"), NULL); /* any use of the device */
	assert_int_equal(f->drv.nr_queues, 0);
	assert_int_equal(f->drv.nr_bos, 0);
}

static void client_dies_with_jobs(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u32 bo = dup_ok(f->user, ctx, "bo/4096");
	u32 queue = dup_ok(f->user, ctx, "queue");
	char buf[1024];

	assert_int_equal(submit(f->user, queue, addr_of(f->user, bo), 1), 64);
	svc_client_close(f->user);
	f->user = NULL;
	assert_int_equal(f->drv.nr_ctxs, 1);
	read_node(f->root, "0/status", buf, sizeof(buf));
	assert_non_null(strstr(buf, "contexts_closing: 1\n"));
	fake_complete(f->drv.queues[0], 1);
	read_node(f->root, "0/status", buf, sizeof(buf));
	assert_non_null(strstr(buf, "contexts_closing: 0\n"));
	assert_int_equal(f->drv.nr_ctxs, 0);
}

static void waiting(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u64 addr = addr_of(f->user, dup_ok(f->user, ctx, "bo/4096"));
	u32 queue = dup_ok(f->user, ctx, "queue");
	struct abi_completion done[4];
	u64 start;

	assert_int_equal(svc_wait(f->user, queue, SVC_FOREVER, &f->err), -ENODATA);
	assert_int_equal(submit(f->user, queue, addr, 2), 128);
	start = f->drv.now_ns;
	assert_int_equal(svc_wait(f->user, queue, 5000, &f->err), -ETIMEDOUT);
	assert_int_equal(f->drv.now_ns, start + 5000);
	f->drv.auto_complete = true;
	assert_int_equal(svc_wait(f->user, queue, SVC_FOREVER, &f->err), 0);
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 32);
	assert_int_equal(svc_wait(f->user, ctx, SVC_FOREVER, &f->err), 0);
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 32);
	assert_int_equal(svc_wait(f->user, queue, SVC_FOREVER, &f->err), -ENODATA);
}

static void lost_device(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u64 addr = addr_of(f->user, dup_ok(f->user, ctx, "bo/4096"));
	u32 queue = dup_ok(f->user, ctx, "queue");
	struct abi_completion done[4];
	char buf[1024];

	assert_int_equal(submit(f->user, queue, addr, 2), 128);
	f->drv.state = DRV_FAILED;
	base_err_set(&f->drv.err, -EIO, "the dog ate it");
	assert_int_equal(submit(f->user, queue, addr, 2), -ENODEV);
	assert_int_equal(svc_wait(f->user, queue, SVC_FOREVER, &f->err), -ENODEV);
	assert_non_null(strstr(f->err.text, "the dog ate it"));
	assert_int_equal(svc_wait(f->user, ctx, SVC_FOREVER, &f->err), -ENODEV);
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), &f->err), -ENODEV);
	fake_complete(f->drv.queues[0], 1); /* what had ended can still be read */
	assert_int_equal(svc_read(f->user, queue, done, sizeof(done), &f->err), 32);
	read_node(f->user, "0/status", buf, sizeof(buf));
	assert_non_null(strstr(buf, "error: the dog ate it\n"));
}

/* Every allocation fails once: right error, nothing left behind. */
static void allocations_fail(void **state)
{
	struct fixture *f = *state;
	u32 failures = 0;

	for (u64 n = 1;; n++) {
		u32 ctx, bo, queue, node;
		int ret;

		base_alloc_fail_nth(n);
		ret = svc_open(f->user, "0/ctx", &ctx, &f->err);
		if (!ret) {
			ret = svc_dup(f->user, ctx, "bo/1", &bo, &f->err);
			ret = ret ? ret : svc_dup(f->user, ctx, "queue", &queue, &f->err);
			ret = ret ? ret : svc_open(f->user, "0/info", &node, &f->err);
			base_alloc_fail_nth(0);
			if (!ret)
				svc_close(f->user, node, NULL);
			svc_close(f->user, ctx, NULL);
		}
		base_alloc_fail_nth(0);
		assert_int_equal(f->drv.nr_ctxs + f->drv.nr_bos + f->drv.nr_queues, 0);
		if (!ret)
			break;
		assert_int_equal(ret, -ENOMEM);
		failures++;
	}
	assert_true(failures >= 8);
}

static void no_allocation_in_flight(void **state)
{
	struct fixture *f = *state;
	u32 ctx = open_ok(f->user, "0/ctx");
	u64 addr = addr_of(f->user, dup_ok(f->user, ctx, "bo/4096"));
	u32 queue = dup_ok(f->user, ctx, "queue");
	struct abi_completion done[1];
	u64 before = base_alloc_count();

	f->drv.auto_complete = true;
	for (u32 i = 0; i < 1000; i++) {
		assert_int_equal(submit(f->user, queue, addr, 1), 64);
		assert_int_equal(svc_wait(f->user, queue, SVC_FOREVER, NULL), 0);
		assert_int_equal(svc_read(f->user, queue, done, sizeof(done), NULL), 32);
	}
	assert_int_equal(base_alloc_count(), before);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(text_nodes),
		T(clients_see_what_they_may),
		T(control),
		T(log_is_followed),
		T(counters_are_told),
		T(samples_are_streamed),
		T(slow_readers_lose_samples),
		T(bad_streams),
		T(some_nodes_need_privilege),
		T(clients_are_accounted),
		T(bad_paths),
		T(bad_handles),
		T(wrong_verbs),
		T(calls_are_checked),
		T(quota_contexts),
		T(share_of_a_user),
		T(quota_memory),
		T(quota_queues_and_handles),
		T(realtime_needs_privilege),
		T(submit_and_complete),
		T(full_queue_takes_a_part),
		T(first_bad_job_is_named),
		T(ranges_belong_to_the_context),
		T(buffers_wait_for_earlier_jobs_only),
		T(closed_context_waits_for_its_jobs),
		T(closed_context_does_not_wait_for_ever),
		T(closed_queue_waits_for_its_jobs),
		T(client_dies_with_jobs),
		T(waiting),
		T(lost_device),
		T(allocations_fail),
		T(no_allocation_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
