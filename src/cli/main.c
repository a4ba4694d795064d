// SPDX-License-Identifier: MIT
/* npu: run ONNX models on an Intel NPU, real or virtual. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static const struct cli_command *const commands[] = {
	&cli_cmd_run,  &cli_cmd_compile, &cli_cmd_model,    &cli_cmd_boot,   &cli_cmd_info,
	&cli_cmd_list, &cli_cmd_trace,	 &cli_cmd_fw,	    &cli_cmd_status, &cli_cmd_log,
	&cli_cmd_dump, &cli_cmd_top,	 &cli_cmd_counters, &cli_cmd_doctor,
};

static const char usage_head[] =
	"npu: run neural networks on an Intel NPU, or on a virtual one\n"
	"\n"
	"usage: npu COMMAND [ARGUMENTS]        npu COMMAND --help teaches each\n"
	"\n";

static const char usage_tail[] =
	"\n"
	"Try it:  npu run data/digits.onnx --input data/digits/7.png\n"
	"\n"
	"A device string names the NPU: sim:npu37 is a virtual Meteor Lake NPU inside this process\n"
	"(the default where no npud runs), sim:npu40, npu50, npu60 later ones, sim:ref the reference NPU; options follow\n"
	"after commas:\n"
	"engine=plain|onednn, threads=N, stepped, seed=N, trace=FILE.  vfio-user:PATH is an NPU behind\n"
	"the socket of a running vnpu, npud:PATH[/N] the first or Nth, from 0, that the daemon npud\n"
	"serves to many programs at once.\n"
	"$NPU_DEVICE changes the default.  $NPU_FIRMWARE names a firmware image.  $NPU_DUMP_DIR is a\n"
	"directory for dumps of a device that had to recover.\n"
	"\n"
	"exit codes: 0 success    1 device or job failed    2 wrong command line\n"
	"            3 bad input file or model    4 unsupported model    5 differs from the reference\n";

static void print_usage(FILE *to)
{
	fputs(usage_head, to);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs(usage_tail, to);
}

static void BASE_PRINTF(1, 0) print_message(const char *fmt, va_list ap)
{
	cli_progress_stop();
	fflush(stdout);
	fputs("npu: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int cli_fail(enum cli_exit code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message(fmt, ap);
	va_end(ap);
	return (int)code;
}

int cli_usage(const struct cli_command *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message(fmt, ap);
	va_end(ap);
	fprintf(stderr, "npu: `npu %s --help` shows how\n", cmd->name);
	return CLI_USAGE;
}

enum cli_exit cli_graph_exit(const struct graph_error *err)
{
	switch (err->code) {
	case -EOPNOTSUPP:
		return CLI_UNSUPPORTED;
	case -ENOMEM:
		return CLI_FAILED;
	default:
		return CLI_BAD_INPUT;
	}
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < BASE_ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct cli_command *cmd;
	int ret;

	if (argc < 2) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return CLI_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("npu " NPU_VERSION);
		return CLI_OK;
	}
	cmd = find_command(argv[1]);
	if (!cmd)
		return cli_fail(CLI_USAGE, "no command '%s'; `npu --help` lists them", argv[1]);
	if (wants_help(argc - 1, argv + 1)) {
		fputs(cmd->help, stdout);
		return CLI_OK;
	}
	ret = cmd->run(argc - 1, argv + 1);
	cli_progress_stop();
	if (fflush(stdout) || ferror(stdout))
		return cli_fail(CLI_FAILED, "cannot write to standard output");
	return ret;
}
