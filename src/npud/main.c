// SPDX-License-Identifier: MIT
/* npud: drives NPUs and shares them among programs, on Linux. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "npud/confine.h"
#include "npud/options.h"
#include "npud/ready.h"

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
	"  --user NAME       become this user once devices and socket are open\n" NPUD_USAGE "\n"
	"exit codes: 0 ended by a signal    1 a device or the socket failed    2 wrong command line\n";

static int set_socket(struct npud_options *opts, const char *val)
{
	opts->cfg.schemes[0].name = val;
	return 0;
}

static int add_device(struct npud_options *opts, const char *val)
{
	if (opts->cfg.nr_devices == NPUD_MAX_DEVICES)
		return -EINVAL;
	opts->devices[opts->cfg.nr_devices++] = val;
	return 0;
}

static int set_group(struct npud_options *opts, const char *val)
{
	const struct group *group = getgrnam(val);

	if (!group)
		return -EINVAL;
	opts->cfg.schemes[0].group = group->gr_gid;
	opts->cfg.schemes[0].mode = 0660;
	return 0;
}

static int set_user(struct npud_options *opts, const char *val)
{
	opts->user = val;
	return 0;
}

static const struct npud_option options[] = {
	{ "socket", set_socket, "a path" },
	{ "device", add_device, "a device, and no more than 8 of them" },
	{ "group", set_group, "the name of a group there is" },
	{ "user", set_user, "the name of a user" },
};

static_assert(NPUD_MAX_DEVICES == 8, "what --device says it wants");

static const struct npud_platform platform = { .usage = usage,
					       .config = "/etc/npud.conf",
					       .options = options,
					       .nr_options = BASE_ARRAY_SIZE(options) };

static int missing(const char *what)
{
	fprintf(stderr, "npud: there is no %s; npud --help lists what there is\n", what);
	return NPUD_EXIT_USAGE;
}

static int parse(int argc, char **argv, struct npud_options *opts)
{
	int ret = npud_options_parse(&platform, argc, argv, opts);

	if (ret >= 0)
		return ret;
	if (!opts->cfg.schemes[0].name)
		return missing("--socket");
	return opts->cfg.nr_devices ? -1 : missing("--device");
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

/* A virtual NPU makes threads and compiles code while it runs: it cannot be locked in with us. */
static bool has_guest(const struct npud_options *opts)
{
	for (u32 i = 0; i < opts->cfg.nr_devices; i++)
		if (!strncmp(opts->devices[i], SIM_PREFIX, strlen(SIM_PREFIX)))
			return true;
	return false;
}

static int serve(const struct npud_options *opts, struct base_err *err)
{
	struct npud *npud;
	int ret = npud_create(&opts->cfg, &npud, err);

	if (ret)
		return ret;
	ret = confine(opts->user, !has_guest(opts), err);
	if (ret)
		goto out;
	printf("npud: serving on %s\n", opts->cfg.schemes[0].name);
	fflush(stdout);
	ready_tell();
	ret = npud_run(npud, err);
out:
	npud_destroy(npud);
	return ret;
}

int main(int argc, char **argv)
{
	struct npud_options opts = { .cfg = { .schemes = { { .group = UINT32_MAX } },
					      .nr_schemes = 1,
					      .ignore_env = getauxval(AT_SECURE) != 0,
					      .log_level = BASE_LOG_WARN } };
	struct base_err err = { 0 };
	int ret = parse(argc, argv, &opts);

	if (ret >= 0) {
		npud_options_free(&opts);
		return ret;
	}
	want_descriptors();
	opts.cfg.stop_fd = signals();
	ret = opts.cfg.stop_fd < 0
		      ? base_err_set(&err, -errno, "no descriptor for signals: %s", strerror(errno))
		      : serve(&opts, &err);
	if (ret)
		fprintf(stderr, "npud: %s\n", err.text);
	if (opts.cfg.stop_fd >= 0)
		close(opts.cfg.stop_fd);
	npud_options_free(&opts);
	return ret ? NPUD_EXIT_FAILED : NPUD_EXIT_OK;
}
