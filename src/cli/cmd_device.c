// SPDX-License-Identifier: MIT
/* npu list, npu info, npu boot: devices without a model. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"

struct device_args {
	const char *device, *firmware;
	bool verbose;
};

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "firmware", required_argument, NULL, 'f' },
	{ "verbose", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

static int parse(const struct cli_command *cmd, int argc, char **argv, struct device_args *args)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "v", long_options, NULL)) != -1) {
		if (opt == 'd')
			args->device = optarg;
		else if (opt == 'f')
			args->firmware = optarg;
		else if (opt == 'v')
			args->verbose = true;
		else
			return cli_usage(cmd, "%s: no such option, or its value is missing",
					 argv[optind - 1]);
	}
	if (optind != argc)
		return cli_usage(cmd, "%s: no argument is wanted; a device goes with --device",
				 argv[optind]);
	return 0;
}

/* --- list --------------------------------------------------------------------------------- */

static void print_item(void *opaque, const char *device, const char *description)
{
	(void)opaque;
	printf("%-24s %s\n", device, description);
}

static int run_list(int argc, char **argv)
{
	struct device_args args = { 0 };
	int ret;

	ret = parse(&cli_cmd_list, argc, argv, &args);
	if (ret)
		return ret;
	npu_list(print_item, NULL);
	puts("\nAn NPU behind the socket of a running `vnpu` is vfio-user:PATH.");
	return CLI_OK;
}

const struct cli_command cli_cmd_list = {
	.name = "list",
	.summary = "list the devices that can be opened here",
	.help = "usage: npu list\n"
		"\n"
		"One line per device: the string for --device, and what it is.\n",
	.run = run_list,
};

/* --- info --------------------------------------------------------------------------------- */

static int run_info(int argc, char **argv)
{
	struct device_args args = { 0 };
	struct npu_open_options options = { 0 };
	struct npu_device *dev;
	char text[8192];
	int ret;

	ret = parse(&cli_cmd_info, argc, argv, &args);
	if (ret)
		return ret;
	options.firmware = args.firmware;
	cli_progress_start("booting the NPU");
	ret = cli_device_open(args.device, &options, &dev);
	if (ret)
		return ret;
	if (npu_device_read_text(dev, "info", text, sizeof(text)) < 0)
		ret = cli_fail(CLI_FAILED, "%s", npu_last_error());
	else
		fputs(text, stdout);
	cli_device_close(dev);
	return ret;
}

const struct cli_command cli_cmd_info = {
	.name = "info",
	.summary = "boot a device and show what it is",
	.help = "usage: npu info [--device STR] [--firmware FILE]\n"
		"\n"
		"Boots the device and prints its info node: ids, generation, firmware and its API\n"
		"versions, address ranges, limits; one `key: value` a line.\n",
	.run = run_info,
};

/* --- boot --------------------------------------------------------------------------------- */

static void print_step(void *opaque, const struct npu_boot_step *step)
{
	(void)opaque;
	printf("%10.3f us  %-12s %-52s %s%s%s\n", (double)step->duration_ns / 1e3, step->sequence,
	       step->step, step->source, step->result ? "  FAILED " : "",
	       step->result ? base_err_name(step->result) : "");
}

static void print_register(void *opaque, const char *line)
{
	(void)opaque;
	fprintf(stderr, "  %s\n", line);
}

static int run_boot(int argc, char **argv)
{
	struct device_args args = { 0 };
	struct npu_open_options options = { .on_register = print_register };
	struct npu_device_info info;
	struct npu_device *dev;
	int ret;

	ret = parse(&cli_cmd_boot, argc, argv, &args);
	if (ret)
		return ret;
	options.firmware = args.firmware;
	if (args.verbose)
		options.on_boot_step = print_step;
	ret = cli_device_open(args.device, &options, &dev);
	if (ret)
		return ret;
	ret = npu_device_query(dev, &info);
	if (ret)
		ret = cli_fail(CLI_FAILED, "%s", npu_last_error());
	else
		printf("%s (%04x:%04x, %s) is ready after %.3f ms; firmware %s, %s\n", info.product,
		       info.vendor_id, info.device_id, info.gen, (double)info.boot_ns / 1e6,
		       info.fw_path, info.fw_version);
	cli_device_close(dev);
	return ret;
}

const struct cli_command cli_cmd_boot = {
	.name = "boot",
	.summary = "boot a device; -v shows each step",
	.help = "usage: npu boot [-v] [--device STR] [--firmware FILE]\n"
		"\n"
		"Powers the device up, loads and starts its firmware, waits until it is ready, and\n"
		"shuts it down again.  -v prints each step with its duration and the section of the\n"
		"protocol it follows.  If a step fails, it is named and all registers are printed,\n"
		"decoded, on standard error.\n"
		"\n"
		"  --firmware FILE   instead of the search list ($NPU_FIRMWARE, /lib/firmware/...,\n"
		"                    built in for a virtual NPU)\n"
		"\n"
		"exit codes: 0 ready   1 boot failed   2 wrong command line\n",
	.run = run_boot,
};
