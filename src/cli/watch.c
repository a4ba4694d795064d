// SPDX-License-Identifier: MIT
/*
 * What commands that look at a device share.
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

struct cli_watch_args cli_args;
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

int cli_print_node(struct npu_device *dev, const char *node)
{
	char *text = cli_node_text(dev, node);

	if (!text)
		return CLI_FAILED;
	fputs(text, cli_args.out);
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
bool cli_beside_pause(double seconds)
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

int cli_beside_start(struct npu_device *dev, void (*work)(struct npu_device *dev))
{
	beside.dev = dev;
	beside.work = work;
	beside.is_done = false;
	if (pthread_create(&beside.id, NULL, beside_main, NULL))
		return cli_fail(CLI_FAILED, "no thread to watch the device");
	beside.is_running = true;
	return 0;
}

void cli_beside_stop(void)
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

	if (*end || end == optarg || !(val >= (opt == OPT_COUNT ? 1 : 0.01)) ||
	    val > (opt == OPT_COUNT ? 1e9 : 1000))
		return cli_usage(cmd, "--%s %s: expected %s",
				 opt == OPT_COUNT ? "count" : "interval", optarg,
				 opt == OPT_COUNT ? "1 or more" : "seconds, 0.01 to 1000");
	if (opt == OPT_COUNT)
		cli_args.count = (u32)val;
	else
		cli_args.interval_s = val;
	return 0;
}

static int parse_one(const struct cli_command *cmd, int opt)
{
	switch (opt) {
	case OPT_DEVICE:
		cli_args.device = optarg;
		return 0;
	case OPT_FIRMWARE:
		cli_args.firmware = optarg;
		return 0;
	case OPT_JSON:
		cli_args.json = true;
		return 0;
	case OPT_FOLLOW:
		cli_args.follow = true;
		return 0;
	case OPT_ERRORS:
		cli_args.errors = true;
		return 0;
	case OPT_LEVEL:
		cli_args.level = optarg;
		return 0;
	default:
		return parse_number(cmd, opt);
	}
}

/* Which of the options @cmd has. */
static bool has_option(const struct cli_command *cmd, int opt)
{
	if (opt == OPT_JSON)
		return cmd == &cli_cmd_status || cmd == &cli_cmd_top || cmd == &cli_cmd_counters;
	if (opt == OPT_FOLLOW)
		return cmd == &cli_cmd_log || cmd == &cli_cmd_counters;
	if (opt == OPT_ERRORS || opt == OPT_LEVEL)
		return cmd == &cli_cmd_log;
	if (opt == OPT_INTERVAL || opt == OPT_COUNT)
		return cmd == &cli_cmd_top || cmd == &cli_cmd_counters;
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

	cli_args = (struct cli_watch_args){ .interval_s = 1, .out = stdout };
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
	if (cli_args.device || cli_args.firmware)
		return cli_usage(cmd, "the device is an option of the command: npu %s run --device",
				 cmd->name);
	cli_args.out = stderr;
	return 0;
}

/* A device of our own, until @work returns. */
static int run_alone(int (*work)(struct npu_device *dev))
{
	/* nobody but who looks uses it: asleep there would be nothing to see */
	const struct npu_open_options options = { .firmware = cli_args.firmware,
						  .stay_awake = true };
	struct sigaction action = { .sa_handler = on_signal };
	struct npu_device *dev;
	int ret;

	/* so that the device is shut down whatever the user does */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	cli_progress_start("booting the NPU");
	ret = cli_device_open(cli_args.device, &options, &dev);
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

int cli_watch_run(const struct cli_command *cmd, const struct cli_watch *watch,
		  int (*alone)(struct npu_device *dev), int argc, char **argv)
{
	int ret = parse(cmd, argc, argv);

	if (ret)
		return ret;
	return optind < argc ? run_watched(watch, argc, argv) : run_alone(alone);
}
