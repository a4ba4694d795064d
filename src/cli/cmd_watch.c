// SPDX-License-Identifier: MIT
/* npu status, log, dump, top, counters: looking at a device.  What they share: watch.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/watch.h"

#define LOG_POLL_S 0.1

static int begin_nothing(struct npu_device *dev)
{
	(void)dev;
	return 0;
}

/* --- status ------------------------------------------------------------------------------- */

static int status(struct npu_device *dev)
{
	struct top_sample s;
	int ret = top_take(dev, &s);

	if (!ret && cli_args.json)
		top_show(&cli_args, false, &s, &s);
	else if (!ret)
		fprintf(cli_args.out, "%s%s%s%s", s.info, s.status, s.metrics, s.clients);
	top_free(&s);
	return ret;
}

static void status_end(struct npu_device *dev)
{
	(void)status(dev);
}

static int run_status(int argc, char **argv)
{
	static const struct cli_watch watch = { begin_nothing, status_end };

	return cli_watch_run(&cli_cmd_status, &watch, status, argc, argv);
}

const struct cli_command cli_cmd_status = {
	.name = "status",
	.summary = "show state, counters and clients of a device",
	.help = "usage: npu status [--json] [--device STR] [--firmware FILE]\n"
		"       npu status [--json] run MODEL [OPTIONS OF RUN]\n"
		"\n"
		"Prints the nodes info, status, metrics and clients: one `key: value` a line.  With a\n"
		"command, once that is through and before its device is closed; that writes to standard\n"
		"output then, the status goes to standard error.\n"
		"\n"
		"  --json   one object instead\n"
		"\n"
		"exit codes: those of run; 0 shown   1 the device failed   2 wrong command line\n",
	.run = run_status,
};

/* --- dump --------------------------------------------------------------------------------- */

static int dump(struct npu_device *dev)
{
	return cli_print_node(dev, "dump");
}

static void dump_end(struct npu_device *dev)
{
	(void)dump(dev);
}

static int run_dump(int argc, char **argv)
{
	static const struct cli_watch watch = { begin_nothing, dump_end };

	return cli_watch_run(&cli_cmd_dump, &watch, dump, argc, argv);
}

const struct cli_command cli_cmd_dump = {
	.name = "dump",
	.summary = "print all there is to know about a device",
	.help = "usage: npu dump [--device STR] [--firmware FILE]\n"
		"       npu dump run MODEL [OPTIONS OF RUN]\n"
		"\n"
		"For bug reports: what the device and its firmware are, counters, questions to the\n"
		"firmware, contexts, queues and jobs, each register decoded, the firmware's log and the\n"
		"last steps of the driver.  With a command, once that is through and before its device\n"
		"is closed; the dump goes to standard error then.\n"
		"\n"
		"When the driver has to recover from a failure it writes the same by itself, before it\n"
		"does: a file in the directory $NPU_DUMP_DIR, or --dump-dir of `npu run`.\n"
		"\n"
		"exit codes: those of run; 0 shown   1 the device failed   2 wrong command line\n",
	.run = run_dump,
};

/* --- log ---------------------------------------------------------------------------------- */

static struct npu_node *log_node;

static int set_level(struct npu_device *dev, const char *level)
{
	struct npu_node *control;
	char command[64];
	int ret = npu_node_open(dev, "control", &control);

	if (ret)
		return ret;
	snprintf(command, sizeof(command), "fwlevel %.40s", level);
	ret = npu_node_write(control, command);
	npu_node_close(control);
	return ret;
}

static int log_begin(struct npu_device *dev)
{
	if (npu_node_open(dev, cli_args.errors ? "log?errors" : "log", &log_node))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	if (!cli_args.level || !set_level(dev, cli_args.level))
		return 0;
	npu_node_close(log_node);
	return cli_fail(CLI_FAILED, "--level %s: %s", cli_args.level, npu_last_error());
}

/* All there is now. */
static int log_print(void)
{
	char buf[4096];
	int len;

	while ((len = npu_node_read(log_node, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, (size_t)len, cli_args.out);
	fflush(cli_args.out);
	return len ? cli_fail(CLI_FAILED, "%s", npu_last_error()) : 0;
}

static void log_beside(struct npu_device *dev)
{
	(void)dev;
	while (cli_beside_pause(LOG_POLL_S) && !log_print())
		continue;
}

static int log_watch_begin(struct npu_device *dev)
{
	int ret = log_begin(dev);

	if (!ret && cli_args.follow)
		ret = cli_beside_start(dev, log_beside);
	return ret;
}

static void log_end(struct npu_device *dev)
{
	(void)dev;
	cli_beside_stop();
	(void)log_print();
	npu_node_close(log_node);
}

static int log_alone(struct npu_device *dev)
{
	int ret = log_begin(dev);

	if (ret)
		return ret;
	ret = log_print();
	while (!ret && cli_args.follow && !cli_interrupted()) {
		cli_pause(LOG_POLL_S);
		ret = log_print();
	}
	npu_node_close(log_node);
	return ret;
}

static int run_log(int argc, char **argv)
{
	static const struct cli_watch watch = { log_watch_begin, log_end };

	return cli_watch_run(&cli_cmd_log, &watch, log_alone, argc, argv);
}

const struct cli_command cli_cmd_log = {
	.name = "log",
	.summary = "print the firmware's log, and follow it",
	.help = "usage: npu log [--follow] [--errors] [--level N] [--device STR] [--firmware FILE]\n"
		"       npu log [--follow] [--errors] [--level N] run MODEL [OPTIONS OF RUN]\n"
		"\n"
		"Prints what the firmware wrote to its log, each line with the name of its buffer.  With\n"
		"a command, once that is through and before its device is closed; the log goes to\n"
		"standard error then.\n"
		"\n"
		"  --follow    as it is written; without a command until interrupted\n"
		"  --errors    the log of errors instead of the one of everything\n"
		"  --level N   what is written from now on: 1 debug, 2 info, 3 warning, 4 error, 5 fatal,\n"
		"              0 the firmware's own choice\n"
		"\n"
		"exit codes: those of run; 0 shown   1 the device failed   2 wrong command line\n",
	.run = run_log,
};

/* --- top ---------------------------------------------------------------------------------- */

static bool is_live(void)
{
	return !cli_args.json && isatty(fileno(cli_args.out));
}

/* Samples until @pause says that it is over. */
static int top_loop(struct npu_device *dev, bool (*pause)(double seconds))
{
	struct top_sample before, now;
	int ret = top_take(dev, &before);

	for (u32 i = 0; !ret && (!cli_args.count || i < cli_args.count); i++) {
		bool go_on = pause(cli_args.interval_s);

		ret = top_take(dev, &now);
		if (!ret)
			top_show(&cli_args, is_live(), &before, &now);
		top_free(&before);
		before = now;
		if (!go_on)
			break;
	}
	top_free(&before);
	return ret;
}

static void top_beside(struct npu_device *dev)
{
	(void)top_loop(dev, cli_beside_pause);
}

static int top_begin(struct npu_device *dev)
{
	return cli_beside_start(dev, top_beside);
}

static void top_end(struct npu_device *dev)
{
	(void)dev;
	cli_beside_stop();
}

static bool pause_alone(double seconds)
{
	cli_pause(seconds);
	return !cli_interrupted();
}

static int top_alone(struct npu_device *dev)
{
	return top_loop(dev, pause_alone);
}

static int run_top(int argc, char **argv)
{
	static const struct cli_watch watch = { top_begin, top_end };

	return cli_watch_run(&cli_cmd_top, &watch, top_alone, argc, argv);
}

const struct cli_command cli_cmd_top = {
	.name = "top",
	.summary = "watch how busy a device is, and with whom",
	.help = "usage: npu top [--json] [--interval S] [--count N] run MODEL [OPTIONS OF RUN]\n"
		"       npu top [--json] [--interval S] [--count N] [--device STR] [--firmware FILE]\n"
		"\n"
		"Shows, each interval: the part of the time in which a job was under way, frequency, jobs\n"
		"and failures per second, memory, faults, and the same of each client.  On a terminal the\n"
		"view stays in place; elsewhere it is a line, or with --json an object, each time.\n"
		"\n"
		"A virtual NPU belongs to the process that uses it, so watch a command:\n"
		"  npu top run data/digits.onnx --random --repeat 100000 --quiet\n"
		"What it sees goes to standard error then, and it ends with the command.  Without one it\n"
		"boots a device that nobody else uses: of interest for a daemon's, not a virtual one.\n"
		"Busy is time with jobs under way as the driver sees it, not how full the engine is: the\n"
		"hardware does not tell that.\n"
		"\n"
		"  --interval S   seconds between two looks, default 1\n"
		"  --count N      looks; default until interrupted, or until the command is through\n"
		"\n"
		"exit codes: those of run; 0 shown   1 the device failed   2 wrong command line\n",
	.run = run_top,
};

/* --- counters ----------------------------------------------------------------------------- */

#define NODE_WAIT_NS BASE_NS_PER_S /* for the firmware's answer */

static struct npu_node *stream_node;
static u32 nr_samples;

/* Text that ends in a newline, with what waits for @timeout_ns; returns its bytes. */
static int read_lines(struct npu_node *node, char *buf, size_t size, u64 timeout_ns)
{
	int used = 0;

	for (;;) {
		int len = npu_node_read(node, buf + used, size - 1 - (size_t)used, timeout_ns);

		if (len < 0)
			return cli_fail(CLI_FAILED, "%s", npu_last_error()), -1;
		used += len;
		buf[used] = '\0';
		if (!used || buf[used - 1] == '\n' || !len)
			return used;
	}
}

/* "sample: A.b=1 ..." as an object. */
static void put_sample(const char *line, size_t len)
{
	const char *comma = "";

	if (!cli_args.json || strncmp(line, "sample: ", 8) != 0) {
		fprintf(cli_args.out, "%.*s\n", (int)len, line);
		return;
	}
	fputc('{', cli_args.out);
	for (size_t at = 8; at < len;) {
		size_t key = strcspn(line + at, "=\n"), pair = strcspn(line + at, " \n");

		if (key < pair)
			fprintf(cli_args.out, "%s\"%.*s\":%.*s", comma, (int)key, line + at,
				(int)(pair - key - 1), line + at + key + 1);
		comma = ",";
		at += pair + 1;
	}
	fprintf(cli_args.out, "}\n");
}

/* All there is now, or what comes within @timeout_ns; the beginning of a line waits for its end. */
static int stream_print(u64 timeout_ns)
{
	static char buf[16384];
	static size_t have;
	int len;

	while ((len = npu_node_read(stream_node, buf + have, sizeof(buf) - have, timeout_ns)) > 0) {
		char *line = buf, *end;

		have += (size_t)len;
		for (; (end = memchr(line, '\n', have - (size_t)(line - buf))); line = end + 1) {
			if (cli_args.count && nr_samples >= cli_args.count)
				continue;
			put_sample(line, (size_t)(end - line));
			nr_samples += !strncmp(line, "sample: ", 8);
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		if (have == sizeof(buf))
			have = 0; /* no line is that long */
		timeout_ns = 0;
	}
	fflush(cli_args.out);
	return len < 0 ? cli_fail(CLI_FAILED, "%s", npu_last_error()) : 0;
}

static int stream_begin(struct npu_device *dev)
{
	char path[80];

	snprintf(path, sizeof(path), "stream?period_us=%.0f", cli_args.interval_s * 1e6);
	if (cli_args.interval_s >= 0.1) /* who samples slowly wants to see each */
		strcat(path, "&samples=1");
	nr_samples = 0;
	if (npu_node_open(dev, path, &stream_node))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	return 0;
}

static void stream_beside(struct npu_device *dev)
{
	(void)dev;
	while (cli_beside_pause(0.01) && !stream_print(0))
		continue;
}

static int counters_watch_begin(struct npu_device *dev)
{
	int ret = stream_begin(dev);

	return ret ? ret : cli_beside_start(dev, stream_beside);
}

static void counters_watch_end(struct npu_device *dev)
{
	(void)dev;
	cli_beside_stop();
	(void)stream_print(0);
	npu_node_close(stream_node);
}

static int counters_follow(struct npu_device *dev)
{
	int ret = stream_begin(dev);

	if (ret)
		return ret;
	while (!ret && !cli_interrupted() && (!cli_args.count || nr_samples < cli_args.count))
		ret = stream_print(NODE_WAIT_NS / 10);
	npu_node_close(stream_node);
	return ret;
}

static int counters_list(struct npu_device *dev)
{
	struct npu_node *node;
	char buf[32768];
	int len;

	if (npu_node_open(dev, "counters", &node))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	len = read_lines(node, buf, sizeof(buf), NODE_WAIT_NS);
	if (len > 0)
		fputs(buf, cli_args.out);
	npu_node_close(node);
	if (len)
		return len < 0 ? CLI_FAILED : 0;
	return cli_fail(CLI_FAILED, "the firmware does not say what it counts");
}

static int counters_alone(struct npu_device *dev)
{
	return cli_args.follow || cli_args.count ? counters_follow(dev) : counters_list(dev);
}

static int run_counters(int argc, char **argv)
{
	static const struct cli_watch watch = { counters_watch_begin, counters_watch_end };

	return cli_watch_run(&cli_cmd_counters, &watch, counters_alone, argc, argv);
}

const struct cli_command cli_cmd_counters = {
	.name = "counters",
	.summary = "what the firmware counts, and samples of it",
	.help = "usage: npu counters [--device STR] [--firmware FILE]\n"
		"       npu counters --follow | --count N [--interval S] [--json] [--device STR]\n"
		"       npu counters [--interval S] [--json] run MODEL [OPTIONS OF RUN]\n"
		"\n"
		"Without options lists the groups and counters of the firmware's metric streamer: name,\n"
		"units, where in a sample.  Otherwise samples them all: a line each, GROUP.NAME=VALUE, or\n"
		"with --json an object.  With a command, while that runs, to standard error.\n"
		"\n"
		"  --interval S   seconds between two samples, 0.01 to 1000, default 1\n"
		"  --count N      as many samples, then end\n"
		"  --follow       until interrupted\n"
		"\n"
		"exit codes: those of run; 0 shown   1 the device failed   2 wrong command line\n",
	.run = run_counters,
};
