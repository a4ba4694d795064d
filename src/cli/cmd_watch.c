// SPDX-License-Identifier: MIT
/*
 * npu status, log, dump, top: looking at a device.
 *
 * A device is used by one process at a time, so each of them can be put in front of the command
 * whose device is to be watched.  What goes on while that runs is the work of one thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/watch.h"

#define LOG_POLL_S 0.1

static struct cli_watch_args args;
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

bool cli_interrupted(void)
{
	return interrupted;
}

void cli_pause(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	if (!interrupted)
		nanosleep(&t, NULL); /* a signal ends it */
}

char *cli_node_text(struct npu_device *dev, const char *node)
{
	size_t size = 1u << 14;
	char *buf = NULL;

	for (;;) {
		char *more = base_realloc_array(buf, size, 1);
		int len;

		if (!more) {
			base_free(buf);
			cli_fail(CLI_FAILED, "out of memory");
			return NULL;
		}
		buf = more;
		len = npu_device_read_text(dev, node, buf, size);
		if (len < 0) {
			base_free(buf);
			cli_fail(CLI_FAILED, "%s", npu_last_error());
			return NULL;
		}
		if ((size_t)len + 1 < size)
			return buf;
		size *= 2; /* it was cut: all of it again */
	}
}

static int print_node(struct npu_device *dev, const char *node)
{
	char *text = cli_node_text(dev, node);

	if (!text)
		return CLI_FAILED;
	fputs(text, args.out);
	base_free(text);
	return 0;
}

/*
 * The thread beside a command
 */

static struct {
	pthread_t id;
	bool is_running;
	pthread_mutex_t lock; /* protects: is_done */
	pthread_cond_t changed;
	bool is_done;
	struct npu_device *dev;
	void (*work)(struct npu_device *dev);
} beside = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void *beside_main(void *opaque)
{
	(void)opaque;
	beside.work(beside.dev);
	return NULL;
}

/* False when the command is through. */
static bool beside_pause(double seconds)
{
	struct timespec until;
	u64 ns;
	bool go_on;

	clock_gettime(CLOCK_REALTIME, &until);
	ns = (u64)until.tv_nsec + (u64)(seconds * 1e9);
	until.tv_sec += (time_t)(ns / BASE_NS_PER_S);
	until.tv_nsec = (long)(ns % BASE_NS_PER_S);
	pthread_mutex_lock(&beside.lock);
	while (!beside.is_done &&
	       pthread_cond_timedwait(&beside.changed, &beside.lock, &until) == 0)
		continue;
	go_on = !beside.is_done;
	pthread_mutex_unlock(&beside.lock);
	return go_on;
}

static int beside_start(struct npu_device *dev, void (*work)(struct npu_device *dev))
{
	beside.dev = dev;
	beside.work = work;
	beside.is_done = false;
	if (pthread_create(&beside.id, NULL, beside_main, NULL))
		return cli_fail(CLI_FAILED, "no thread to watch the device");
	beside.is_running = true;
	return 0;
}

static void beside_stop(void)
{
	if (!beside.is_running)
		return;
	pthread_mutex_lock(&beside.lock);
	beside.is_done = true;
	pthread_cond_signal(&beside.changed);
	pthread_mutex_unlock(&beside.lock);
	pthread_join(beside.id, NULL);
	beside.is_running = false;
}

/*
 * Options, the same for all of them
 */

enum {
	OPT_DEVICE = 256,
	OPT_FIRMWARE,
	OPT_JSON,
	OPT_FOLLOW,
	OPT_ERRORS,
	OPT_LEVEL,
	OPT_INTERVAL,
	OPT_COUNT
};

static const struct option long_options[] = {
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "firmware", required_argument, NULL, OPT_FIRMWARE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "follow", no_argument, NULL, OPT_FOLLOW },
	{ "errors", no_argument, NULL, OPT_ERRORS },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "interval", required_argument, NULL, OPT_INTERVAL },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ NULL, 0, NULL, 0 },
};

static int parse_number(const struct cli_command *cmd, int opt)
{
	char *end;
	double val = strtod(optarg, &end);

	if (*end || end == optarg || !(val >= (opt == OPT_COUNT ? 1 : 0.01)) || val > 1e6)
		return cli_usage(cmd, "--%s %s: expected %s",
				 opt == OPT_COUNT ? "count" : "interval", optarg,
				 opt == OPT_COUNT ? "1 or more" : "seconds, 0.01 or more");
	if (opt == OPT_COUNT)
		args.count = (u32)val;
	else
		args.interval_s = val;
	return 0;
}

static int parse_one(const struct cli_command *cmd, int opt)
{
	switch (opt) {
	case OPT_DEVICE:
		args.device = optarg;
		return 0;
	case OPT_FIRMWARE:
		args.firmware = optarg;
		return 0;
	case OPT_JSON:
		args.json = true;
		return 0;
	case OPT_FOLLOW:
		args.follow = true;
		return 0;
	case OPT_ERRORS:
		args.errors = true;
		return 0;
	case OPT_LEVEL:
		args.level = optarg;
		return 0;
	default:
		return parse_number(cmd, opt);
	}
}

/* Which of the options @cmd has. */
static bool has_option(const struct cli_command *cmd, int opt)
{
	if (opt == OPT_JSON)
		return cmd == &cli_cmd_status || cmd == &cli_cmd_top;
	if (opt == OPT_FOLLOW || opt == OPT_ERRORS || opt == OPT_LEVEL)
		return cmd == &cli_cmd_log;
	if (opt == OPT_INTERVAL || opt == OPT_COUNT)
		return cmd == &cli_cmd_top;
	return opt == OPT_DEVICE || opt == OPT_FIRMWARE;
}

/* For a message: an option by its name, or what getopt() could make nothing of. */
static const char *option_name(int opt, char **argv)
{
	for (size_t i = 0; long_options[i].name; i++)
		if (long_options[i].val == opt)
			return long_options[i].name;
	return argv[optind - 1];
}

static int parse(const struct cli_command *cmd, int argc, char **argv)
{
	int opt;

	args = (struct cli_watch_args){ .interval_s = 1, .out = stdout };
	opterr = 0;
	/* '+': options behind the command are its own */
	while ((opt = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
		int ret = has_option(cmd, opt) ? parse_one(cmd, opt)
					       : cli_usage(cmd,
							   "%s: no such option, or its value is "
							   "missing",
							   option_name(opt, argv));

		if (ret)
			return ret;
	}
	if (optind == argc)
		return 0;
	if (strcmp(argv[optind], cli_cmd_run.name) != 0)
		return cli_usage(cmd, "'%s': only `run` can be watched", argv[optind]);
	if (args.device || args.firmware)
		return cli_usage(cmd, "the device is an option of the command: npu %s run --device",
				 cmd->name);
	args.out = stderr;
	return 0;
}

/* A device of our own, until @work returns. */
static int run_alone(int (*work)(struct npu_device *dev))
{
	const struct npu_open_options options = { .firmware = args.firmware };
	struct sigaction action = { .sa_handler = on_signal };
	struct npu_device *dev;
	int ret;

	/* so that the device is shut down whatever the user does */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	cli_progress_start("booting the NPU");
	ret = cli_device_open(args.device, &options, &dev);
	cli_progress_stop();
	if (ret)
		return ret;
	ret = work(dev);
	npu_device_close(dev);
	return ret;
}

static int run_watched(const struct cli_watch *watch, int argc, char **argv)
{
	char **rest = argv + optind;
	int nr = argc - optind;

	cli_watch = watch;
	optind = 0; /* the command's parser starts anew */
	return cli_cmd_run.run(nr, rest);
}

static int dispatch(const struct cli_command *cmd, const struct cli_watch *watch,
		    int (*alone)(struct npu_device *dev), int argc, char **argv)
{
	int ret = parse(cmd, argc, argv);

	if (ret)
		return ret;
	return optind < argc ? run_watched(watch, argc, argv) : run_alone(alone);
}

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

	if (!ret && args.json)
		top_show(&args, false, &s, &s);
	else if (!ret)
		fprintf(args.out, "%s%s%s%s", s.info, s.status, s.metrics, s.clients);
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

	return dispatch(&cli_cmd_status, &watch, status, argc, argv);
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
	return print_node(dev, "dump");
}

static void dump_end(struct npu_device *dev)
{
	(void)dump(dev);
}

static int run_dump(int argc, char **argv)
{
	static const struct cli_watch watch = { begin_nothing, dump_end };

	return dispatch(&cli_cmd_dump, &watch, dump, argc, argv);
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
	if (npu_node_open(dev, args.errors ? "log?errors" : "log", &log_node))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	if (!args.level || !set_level(dev, args.level))
		return 0;
	npu_node_close(log_node);
	return cli_fail(CLI_FAILED, "--level %s: %s", args.level, npu_last_error());
}

/* All there is now. */
static int log_print(void)
{
	char buf[4096];
	int len;

	while ((len = npu_node_read(log_node, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, (size_t)len, args.out);
	fflush(args.out);
	return len ? cli_fail(CLI_FAILED, "%s", npu_last_error()) : 0;
}

static void log_beside(struct npu_device *dev)
{
	(void)dev;
	while (beside_pause(LOG_POLL_S) && !log_print())
		continue;
}

static int log_watch_begin(struct npu_device *dev)
{
	int ret = log_begin(dev);

	if (!ret && args.follow)
		ret = beside_start(dev, log_beside);
	return ret;
}

static void log_end(struct npu_device *dev)
{
	(void)dev;
	beside_stop();
	(void)log_print();
	npu_node_close(log_node);
}

static int log_alone(struct npu_device *dev)
{
	int ret = log_begin(dev);

	if (ret)
		return ret;
	ret = log_print();
	while (!ret && args.follow && !cli_interrupted()) {
		cli_pause(LOG_POLL_S);
		ret = log_print();
	}
	npu_node_close(log_node);
	return ret;
}

static int run_log(int argc, char **argv)
{
	static const struct cli_watch watch = { log_watch_begin, log_end };

	return dispatch(&cli_cmd_log, &watch, log_alone, argc, argv);
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
	return !args.json && isatty(fileno(args.out));
}

/* Samples until @pause says that it is over. */
static int top_loop(struct npu_device *dev, bool (*pause)(double seconds))
{
	struct top_sample before, now;
	int ret = top_take(dev, &before);

	for (u32 i = 0; !ret && (!args.count || i < args.count); i++) {
		bool go_on = pause(args.interval_s);

		ret = top_take(dev, &now);
		if (!ret)
			top_show(&args, is_live(), &before, &now);
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
	(void)top_loop(dev, beside_pause);
}

static int top_begin(struct npu_device *dev)
{
	return beside_start(dev, top_beside);
}

static void top_end(struct npu_device *dev)
{
	(void)dev;
	beside_stop();
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

	return dispatch(&cli_cmd_top, &watch, top_alone, argc, argv);
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
