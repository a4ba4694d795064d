// SPDX-License-Identifier: MIT
/* What a program sees of the inside: nodes that stay open, control, dumps at recoveries. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stack.h"

#define UNMAPPED 0x90000000u /* in every context of a user */

static void read_text(struct npu_node *node, char *buf, size_t size, uint64_t timeout_ns)
{
	int len = npu_node_read(node, buf, size - 1, timeout_ns);

	must(len, "read");
	buf[len] = '\0';
}

static void command(struct npu_device *dev, const char *text, int want)
{
	struct npu_node *node;

	MUST(npu_node_open(dev, "control", &node));
	assert_int_equal(npu_node_write(node, text), want);
	npu_node_close(node);
}

/* The firmware's log of the boot, then nothing, then what it is made to say. */
static void log_is_followed(void **state)
{
	struct stack *s = *state;
	struct cmdlist list;
	struct npu_node *log;
	char buf[4096];

	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	MUST(npu_node_open(s->dev, "log", &log));
	read_text(log, buf, sizeof(buf), 0);
	assert_non_null(strstr(buf, "NPU: ["));
	for (uint32_t i = 0; i < 8 && buf[0]; i++) /* it may fall asleep meanwhile, and say so */
		read_text(log, buf, sizeof(buf), 0);
	assert_string_equal(buf, "");
	command(s->dev, "fwlevel 1", 0);
	submit_one(s->queue, &list, 1); /* one that sleeps is told when it wakes */
	assert_int_equal(wait_one(s->queue).status, 0);
	for (uint32_t i = 0; i < 100 && !strstr(buf, "trace level 1"); i++)
		read_text(log, buf, sizeof(buf), 20 * MS); /* it comes in pieces */
	assert_non_null(strstr(buf, "trace level 1"));
	npu_node_close(log);
}

/* Let time pass until a line of a node says so. */
static void wait_for(struct npu_device *dev, const char *node, const char *want)
{
	char text[2048], lines[4096];

	for (uint32_t i = 0; i < 400; i++) {
		struct npu_node *log;

		MUST(npu_device_read_text(dev, node, text, sizeof(text)));
		if (strstr(text, want))
			return;
		MUST(npu_node_open(dev, "log", &log));
		do
			read_text(log, lines, sizeof(lines), 5 * MS);
		while (lines[0]);
		npu_node_close(log);
	}
	fail_msg("not %s: %s", want, text);
}

/* A number of a node; it is not the first test of a device that others share. */
static uint32_t number_in(struct npu_device *dev, const char *node, const char *name)
{
	char text[2048];
	const char *at;

	MUST(npu_device_read_text(dev, node, text, sizeof(text)));
	at = strstr(text, name);
	assert_non_null(at);
	return (uint32_t)strtoul(at + strlen(name), NULL, 10);
}

/* To sleep, back, and through a recovery; the device works after each. */
static void control_of_power(void **state)
{
	struct stack *s = *state;
	struct npu_node *control;
	struct cmdlist list;
	uint32_t suspends;
	int ret = -EBUSY;

	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	MUST(npu_node_open(s->dev, "control", &control));
	suspends = number_in(s->dev, "metrics", "suspends: ");
	for (uint32_t i = 0; i < 400 && ret == -EBUSY; i++)
		ret = npu_node_write(control, "suspend");
	assert_int_equal(ret, 0);
	wait_for(s->dev, "status", "state: suspended\n");
	assert_in_range(number_in(s->dev, "metrics", "suspends: "), suspends, suspends + 1);
	assert_true(number_in(s->dev, "metrics", "suspends: ") > 0);
	assert_int_equal(npu_node_write(control, "resume"), 0);
	submit_one(s->queue, &list, 1);
	assert_int_equal(wait_one(s->queue).status, 0);
	for (uint32_t i = 0, ok = 0; i < 400 && !ok; i++) {
		ret = npu_node_write(control, "reset"); /* not while it falls asleep or wakes */
		ok = !ret;
		if (!ok)
			wait_for(s->dev, "status", "clients: 1\n");
	}
	assert_int_equal(ret, 0);
	wait_for(s->dev, "metrics", "recoveries: 1\n");
	submit_one(s->queue, &list, 2);
	assert_int_equal(wait_one(s->queue).status, 0);
	npu_node_close(control);
}

static void control_refuses(void **state)
{
	struct stack *s = *state;
	struct npu_node *node;
	char buf[16];

	command(s->dev, "fwlevel 7", -EINVAL);
	assert_non_null(strstr(npu_last_error(), "1 debug to 5 fatal"));
	command(s->dev, "rm -rf /", -EINVAL);
	assert_int_equal(npu_node_open(s->dev, "ctx", &node), -ENOENT);
	assert_int_equal(npu_node_open(s->dev, "nothing", &node), -ENOENT);
	assert_int_equal(npu_device_read_text(s->dev, "control", buf, sizeof(buf)), -ENOENT);
	npu_node_close(NULL);
	MUST(npu_node_open(s->dev, "status", &node));
	assert_int_equal(npu_node_write(node, "loglevel 1"), -EOPNOTSUPP);
	read_text(node, buf, sizeof(buf), 0);
	assert_int_equal(strncmp(buf, "state: ", 7), 0);
	npu_node_close(node);
}

/* A job of a second context that touches what is not there. */
static void fault_once(struct npu_device *dev)
{
	struct npu_context *ctx;
	struct npu_buffer *buf;
	struct npu_queue *queue;
	struct cmdlist list;

	MUST(npu_context_create(dev, &ctx));
	MUST(npu_buffer_create(ctx, PAGE, 0, 0, &buf));
	MUST(npu_queue_create(ctx, NPU_PRIO_NORMAL, &queue));
	cmdlist_init(&list, buf, 0);
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, UNMAPPED, 1);
	submit_one(queue, &list, 1);
	assert_int_not_equal(wait_one(queue).status, 0);
	npu_context_destroy(ctx);
}

static void text_nodes_tell(void **state)
{
	static char buf[1u << 20];
	struct stack *s = *state;
	struct npu_device_info info;

	fault_once(s->dev);
	MUST(npu_device_query(s->dev, &info));
	assert_true(info.freq_mhz <= info.freq_max_mhz); /* 0 once it sleeps */
	assert_true(info.busy_ns > 0 && info.busy_ns < info.time_ns);
	MUST(npu_device_read_text(s->dev, "dump", buf, sizeof(buf)));
	assert_non_null(strstr(buf, "MMU faults: "));
	assert_non_null(strstr(buf, "== end\n"));
	MUST(npu_device_read_text(s->dev, "trace", buf, sizeof(buf)));
	assert_non_null(strstr(buf, " done 0x"));
	MUST(npu_device_read_text(s->dev, "log?errors", buf, sizeof(buf)));
	assert_non_null(strstr(buf, "NPU-CRIT: ["));
	MUST(npu_device_read_text(s->dev, "clients", buf, sizeof(buf)));
	assert_non_null(strstr(buf, " jobs_done=1 jobs_failed=1 busy_ns="));
}

/* What there is to count, and samples of all of it while a job runs. */
static void counters_are_sampled(void **state)
{
	struct stack *s = *state;
	struct npu_node *node;
	struct cmdlist list;
	char buf[8192];

	MUST(npu_node_open(s->dev, "counters", &node));
	read_text(node, buf, sizeof(buf), 1000 * MS);
	assert_non_null(strstr(buf, "name=\"Jobs\" units=\"jobs\""));
	npu_node_close(node);
	MUST(npu_node_open(s->dev, "stream?period_us=1000&samples=2", &node));
	cmdlist_init(&list, s->cmds, 0);
	cmdlist_nop(&list);
	submit_one(s->queue, &list, 1);
	assert_int_equal(wait_one(s->queue).status, 0);
	buf[0] = '\0';
	/* a device behind a socket may have counted before */
	for (uint32_t i = 0; i < 200 && (!buf[0] || strstr(buf, " NPU.Jobs=0 ")); i++)
		read_text(node, buf, sizeof(buf), 20 * MS);
	assert_non_null(strstr(buf, " NPU.Jobs="));
	assert_null(strstr(buf, " HostInterface.Doorbells=0 "));
	npu_node_close(node);
	MUST(npu_node_open(s->dev, "stream?groups=0x80", &node));
	for (uint32_t i = 0; i < 100; i++) {
		int ret = npu_node_read(node, buf, sizeof(buf), 20 * MS);

		if (ret) {
			assert_int_equal(ret, -ENOENT);
			break;
		}
	}
	assert_non_null(strstr(npu_last_error(), "no such group"));
	npu_node_close(node);
}

struct dumps {
	uint32_t nr;
	char why[256], path[256];
};

static void on_dump(void *opaque, const char *why, const char *path)
{
	struct dumps *d = opaque;

	d->nr++;
	snprintf(d->why, sizeof(d->why), "%s", why);
	snprintf(d->path, sizeof(d->path), "%s", path ? path : "(none)");
}

static void open_dumping(const char *dir, struct dumps *d, struct npu_device **dev)
{
	const struct npu_open_options options = { .dump_dir = dir,
						  .on_dump = on_dump,
						  .opaque = d };

	*d = (struct dumps){ 0 };
	MUST(npu_device_open_with(STEPPED, &options, dev));
	assert_int_equal(d->nr, 0);
}

static void expect_dump(const char *path)
{
	static char buf[1u << 20];
	FILE *f = fopen(path, "r");
	struct stat st;
	size_t len;

	assert_non_null(f);
	len = fread(buf, 1, sizeof(buf) - 1, f);
	buf[len] = '\0';
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fclose(f);
	assert_int_equal(strncmp(buf, "dump: a context faulted", 23), 0);
	assert_non_null(strstr(buf, ", faulty"));
	assert_non_null(strstr(buf, "== end\n"));
	unlink(path);
}

/* A file each; what others put in the way is left alone; the disk is not filled. */
static void dumps_at_recoveries(void **state)
{
	char dir[] = "/tmp/npu-dumps-XXXXXX", other[128];
	struct npu_device *dev;
	struct dumps d;

	(void)state;
	assert_non_null(mkdtemp(dir));
	open_dumping(dir, &d, &dev);
	fault_once(dev);
	assert_int_equal(d.nr, 1);
	expect_dump(d.path);
	snprintf(other, sizeof(other), "%s/npu-%d-1.dump", dir, (int)getpid());
	assert_int_equal(symlink("/tmp/npu-not-to-be-written", other), 0);
	for (uint32_t i = 2; i <= 16; i++) {
		fault_once(dev);
		assert_int_equal(d.nr, i);
		expect_dump(d.path);
	}
	assert_int_equal(access("/tmp/npu-not-to-be-written", F_OK), -1);
	fault_once(dev);
	assert_int_equal(d.nr, 17);
	assert_string_equal(d.path, "(none)");
	npu_device_close(dev);
	unlink(other);
	assert_int_equal(rmdir(dir), 0);
}

static void dumps_that_cannot_be_written(void **state)
{
	const struct npu_open_options silent = { .dump_dir = "/nonexistent" };
	struct npu_device *dev;
	struct dumps d;

	(void)state;
	open_dumping("/nonexistent", &d, &dev);
	fault_once(dev);
	assert_int_equal(d.nr, 1);
	assert_string_equal(d.path, "(none)");
	assert_non_null(strstr(d.why, "no dump could be written to /nonexistent: ENOENT"));
	npu_device_close(dev);
	open_dumping(NULL, &d, &dev);
	fault_once(dev);
	assert_string_equal(d.path, "(none)");
	assert_null(strstr(d.why, "no dump could"));
	npu_device_close(dev);
	MUST(npu_device_open_with(STEPPED, &silent, &dev));
	fault_once(dev);
	npu_device_close(dev);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(log_is_followed),
		BOTH(control_of_power),
		BOTH(control_refuses),
		BOTH(text_nodes_tell),
		BOTH(counters_are_sampled),
		cmocka_unit_test(dumps_at_recoveries),
		cmocka_unit_test(dumps_that_cannot_be_written),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
