// SPDX-License-Identifier: MIT
/* npud: drives NPUs and shares them among programs. */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "npud/npud.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

static const char usage[] =
	"npud: drives NPUs and shares them among programs\n"
	"\n"
	"usage: npud --socket PATH --device STR [--device STR ...] [OPTIONS]\n"
	"\n"
	"Serves the devices, numbered from 0 in the order they are given, to whoever may open PATH\n"
	"(`npu --device npud:PATH ...`).  Runs in the foreground; SIGTERM or SIGINT ends it: jobs that\n"
	"run are cancelled, the devices are switched off.\n"
	"\n"
	"  --socket PATH     where to listen; its directory must be one that others cannot change\n"
	"  --device STR      vfio-user:PATH  an NPU behind a socket (see vnpu)\n"
	"                    " SIM_FORM "\n"
	"                                    a virtual NPU in this process\n"
	"  --group NAME      the socket is for this group, too (mode 0660)\n"
	"  --firmware FILE   the image to load; else it is searched\n"
	"  --contexts N, --queues N, --memory MIB\n"
	"                    what a client may have, over all devices: 16, 64, 1024\n"
	"  -v                say more\n"
	"  --version, --help\n"
	"\n"
	"exit codes: 0 ended by a signal    1 a device or the socket failed    2 wrong command line\n";

struct options {
	struct npud_config cfg;
	const char *devices[NPUD_MAX_DEVICES];
};

static int wrong(const char *what, const char *arg)
{
	fprintf(stderr, "npud: %s \"%s\"; npud --help lists what there is\n", what, arg);
	return EXIT_USAGE;
}

static bool number(const char *text, u32 max, u32 *out)
{
	char *end;
	unsigned long val;

	errno = 0;
	val = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || !val || val > max)
		return false;
	*out = (u32)val;
	return true;
}

static bool set_group(struct npud_config *cfg, const char *name)
{
	const struct group *group = getgrnam(name);

	if (!group)
		return false;
	cfg->socket.group = group->gr_gid;
	cfg->socket.mode = 0660;
	return true;
}

static bool set_memory(struct npud_config *cfg, const char *text)
{
	u32 mib;

	if (!number(text, UINT32_MAX, &mib))
		return false;
	cfg->limits.memory_bytes = (u64)mib << 20;
	return true;
}

enum {
	OPT_SOCKET = 256,
	OPT_DEVICE,
	OPT_GROUP,
	OPT_FIRMWARE,
	OPT_CONTEXTS,
	OPT_QUEUES,
	OPT_MEMORY,
	OPT_VERSION,
	OPT_HELP
};

static const struct option longs[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "firmware", required_argument, NULL, OPT_FIRMWARE },
	{ "contexts", required_argument, NULL, OPT_CONTEXTS },
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* -1: taken; else the exit code. */
static int take_option(struct options *opts, int opt, const char *arg)
{
	struct npud_config *cfg = &opts->cfg;

	switch (opt) {
	case OPT_SOCKET:
		cfg->socket.path = arg;
		return -1;
	case OPT_DEVICE:
		if (cfg->nr_devices == NPUD_MAX_DEVICES)
			return wrong("too many devices at", arg);
		opts->devices[cfg->nr_devices++] = arg;
		return -1;
	case OPT_GROUP:
		return set_group(cfg, arg) ? -1 : wrong("there is no group", arg);
	case OPT_FIRMWARE:
		cfg->firmware = arg;
		return -1;
	case OPT_CONTEXTS:
		return number(arg, 1u << 16, &cfg->limits.contexts) ? -1
								    : wrong("--contexts is", arg);
	case OPT_QUEUES:
		return number(arg, 1u << 16, &cfg->limits.queues) ? -1 : wrong("--queues is", arg);
	case OPT_MEMORY:
		return set_memory(cfg, arg) ? -1 : wrong("--memory is", arg);
	case 'v':
		cfg->log_level += cfg->log_level < BASE_LOG_DBG;
		return -1;
	case OPT_VERSION:
		puts("npud " NPU_VERSION);
		return EXIT_OK;
	case OPT_HELP:
		fputs(usage, stdout);
		return EXIT_OK;
	default:
		return wrong("no such option, or no value for it:", arg);
	}
}

static int parse(int argc, char **argv, struct options *opts)
{
	int opt, ret;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":v", longs, NULL)) != -1) {
		ret = take_option(opts, opt, opt == '?' || opt == ':' ? argv[optind - 1] : optarg);
		if (ret >= 0)
			return ret;
	}
	if (optind < argc)
		return wrong("what is", argv[optind]);
	if (!opts->cfg.socket.path)
		return wrong("there is no", "--socket");
	if (!opts->cfg.nr_devices)
		return wrong("there is no", "--device");
	return -1;
}

/* A buffer that is lent is a descriptor: as many as the system lets us have. */
static void want_descriptors(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	struct options opts = { .cfg = { .socket = { .group = UINT32_MAX },
					 .ignore_env = getauxval(AT_SECURE) != 0,
					 .log_level = BASE_LOG_WARN } };
	struct base_err err = { 0 };
	struct npud *npud;
	int ret = parse(argc, argv, &opts);

	if (ret >= 0)
		return ret;
	opts.cfg.devices = opts.devices;
	opts.cfg.stop_fd = signals();
	if (opts.cfg.stop_fd < 0) {
		fprintf(stderr, "npud: no descriptor for signals: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	want_descriptors();
	ret = npud_create(&opts.cfg, &npud, &err);
	if (!ret) {
		printf("npud: serving on %s\n", opts.cfg.socket.path);
		fflush(stdout);
		ret = npud_run(npud, &err);
		npud_destroy(npud);
	}
	if (ret)
		fprintf(stderr, "npud: %s\n", err.text);
	close(opts.cfg.stop_fd);
	return ret ? EXIT_FAILED : EXIT_OK;
}
