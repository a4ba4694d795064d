// SPDX-License-Identifier: MIT
/* npu trace: what a driver did to a virtual NPU, and how two drivers differ. */
#include <string.h>

#include "cli/trace.h"

static const char help[] =
	"usage: npu trace show FILE [--raw] [--cfg] [--phase NAME] [--until TEXT]\n"
	"       npu trace diff A B [--writes] [--cfg] [--phase NAME] [--until TEXT] [--allow FILE]\n"
	"\n"
	"A trace is written by `vnpu --trace FILE` or by the device option trace=FILE:\n"
	"  npu boot --device sim:npu37,trace=boot.trace\n"
	"\n"
	"show prints it with repeats of a poll as one line; diff compares two by what the drivers\n"
	"did: times do not count, polls are one record, addresses are called after the register they\n"
	"were first seen in, ids lose their numbers.\n"
	"\n"
	"  --raw         every line as it is\n"
	"  --cfg         with configuration space, which is left out otherwise\n"
	"  --writes      only what changes the device: writes, messages, reset\n"
	"  --phase NAME  only what is between the record 'mark NAME' and the next mark\n"
	"  --until TEXT  nothing after the first record TEXT, for example ready\n"
	"  --allow FILE  differences that are meant: lines 'SIDE PATTERN # REASON', side - (only in A),\n"
	"                + (only in B), * (either) or ~ (in both, but elsewhere), pattern as the\n"
	"                shell's; behind a line '[NAME ...]' of these phases only\n"
	"\n"
	"exit codes: 0 no difference, or each is allowed   2 command line   3 bad file   5 they differ\n";

enum { OPT_RAW = 256, OPT_CFG, OPT_WRITES, OPT_PHASE, OPT_UNTIL, OPT_ALLOW };

static const struct option long_options[] = {
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "cfg", no_argument, NULL, OPT_CFG },
	{ "writes", no_argument, NULL, OPT_WRITES },
	{ "phase", required_argument, NULL, OPT_PHASE },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ NULL, 0, NULL, 0 },
};

struct args {
	bool raw, cfg, writes;
	const char *phase, *until, *allow;
	char **files;
	int nr_files;
};

static int parse(int argc, char **argv, struct args *args)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (opt) {
		case OPT_RAW:
			args->raw = true;
			break;
		case OPT_CFG:
			args->cfg = true;
			break;
		case OPT_WRITES:
			args->writes = true;
			break;
		case OPT_PHASE:
			args->phase = optarg;
			break;
		case OPT_UNTIL:
			args->until = optarg;
			break;
		case OPT_ALLOW:
			args->allow = optarg;
			break;
		default:
			return cli_usage(&cli_cmd_trace,
					 "%s: no such option, or its value is missing",
					 argv[optind - 1]);
		}
	}
	args->files = argv + optind;
	args->nr_files = argc - optind;
	return 0;
}

static u32 kinds_of(const struct args *args)
{
	u32 kinds = BASE_BIT(CLI_TRACE_WRITE) | BASE_BIT(CLI_TRACE_MESSAGE) |
		    BASE_BIT(CLI_TRACE_EVENT) | BASE_BIT(CLI_TRACE_MARK);

	if (!args->writes)
		kinds |= BASE_BIT(CLI_TRACE_READ);
	if (args->cfg)
		kinds |= BASE_BIT(CLI_TRACE_CFG);
	return kinds;
}

static int show(const struct args *args)
{
	struct cli_trace trace;
	int ret;

	if (args->nr_files != 1 || args->writes || args->allow)
		return cli_usage(&cli_cmd_trace,
				 "show takes one file and --raw, --cfg, --phase, --until");
	ret = cli_trace_read(args->files[0], &trace);
	if (!ret && args->phase)
		ret = cli_trace_phase(&trace, args->phase);
	if (!ret && !args->raw) {
		cli_trace_keep(&trace, kinds_of(args), args->until);
		cli_trace_polls(&trace);
	}
	for (u32 i = 0; !ret && i < trace.nr; i++) {
		printf("%s", trace.recs[i].text);
		if (trace.recs[i].repeats)
			printf("  (after %u more)", trace.recs[i].repeats);
		putchar('\n');
	}
	cli_trace_fini(&trace);
	return ret;
}

static int read_comparable(const char *path, const struct args *args, struct cli_trace *out)
{
	int ret = cli_trace_read(path, out);

	if (!ret)
		ret = cli_trace_names(
			out); /* before anything goes: names are counted from the start */
	if (!ret && args->phase)
		ret = cli_trace_phase(out, args->phase);
	if (ret)
		return ret;
	cli_trace_keep(out, kinds_of(args), args->until);
	cli_trace_polls(out);
	return 0;
}

static int diff(const struct args *args)
{
	struct cli_trace_rules rules = { 0 };
	struct cli_trace a = { 0 }, b = { 0 };
	int ret;

	if (args->nr_files != 2 || args->raw)
		return cli_usage(
			&cli_cmd_trace,
			"diff takes two files and --writes, --cfg, --phase, --until, --allow");
	ret = read_comparable(args->files[0], args, &a);
	if (!ret)
		ret = read_comparable(args->files[1], args, &b);
	if (!ret && args->allow)
		ret = cli_trace_rules_read(args->allow, args->phase, &rules);
	if (!ret)
		ret = cli_trace_diff(&a, &b, &rules);
	cli_trace_rules_fini(&rules);
	cli_trace_fini(&b);
	cli_trace_fini(&a);
	return ret;
}

static int run(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct args args = { 0 };
	int ret;

	if (strcmp(what, "show") != 0 && strcmp(what, "diff") != 0)
		return cli_usage(&cli_cmd_trace, "'%s': expected show or diff", what);
	ret = parse(argc - 1, argv + 1, &args);
	if (ret)
		return ret;
	return strcmp(what, "show") ? diff(&args) : show(&args);
}

const struct cli_command cli_cmd_trace = {
	.name = "trace",
	.summary = "show what a driver did to a virtual NPU, compare two",
	.help = help,
	.run = run,
};
