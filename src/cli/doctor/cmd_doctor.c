// SPDX-License-Identifier: MIT
/* npu doctor: why an NPU of this machine does not work, and what to do about it. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"

static const char help[] =
	"usage: npu doctor [--vfio] [--user NAME] [--root DIR] [--json]\n"
	"       npu doctor --list [--json]\n"
	"\n"
	"Looks at this machine's NPU and at what Linux needs to use it: PCI function, register\n"
	"windows, power, interrupt, kernel, module, driver, firmware, device node, permissions, the\n"
	"kernel's log, Level Zero libraries.  Each check is one line: ok, info, warn or fail, what was\n"
	"found, the class of the finding and where it was looked for; below it what it means and a\n"
	"command that mends it.  Nothing is changed, and no device is opened.\n"
	"\n"
	"  --vfio       the device is to be given to a virtual machine or a user-space driver: IOMMU\n"
	"               group, vfio-pci and the limit on locked memory are looked at in place of\n"
	"               intel_vpu, its firmware and its node\n"
	"  --user NAME  whose permissions count (default: who called sudo, else you)\n"
	"  --root DIR   look at /sys, /proc, /dev, /lib, /etc below DIR: a mounted system, or files\n"
	"               copied from another machine\n"
	"  --list       every class of finding with its meaning and its remedy\n"
	"  --json       for scripts\n"
	"\n"
	"Without an NPU: npu boot --device sim:npu37 boots a virtual one in this process, and docs/qemu.md\n"
	"shows how a virtual machine gets one.  More: docs/doctor.md, tests/hardware/README.md\n"
	"\n"
	"exit codes: 0 no failure (there may be warnings)   1 failures   2 command line   3 --root\n";

struct args {
	bool vfio, list, json;
	const char *user, *root;
};

enum { OPT_VFIO = 256, OPT_LIST, OPT_JSON, OPT_USER, OPT_ROOT };

static const struct option long_options[] = {
	{ "vfio", no_argument, NULL, OPT_VFIO },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "user", required_argument, NULL, OPT_USER },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ NULL, 0, NULL, 0 },
};

static int parse(int argc, char **argv, struct args *args)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == OPT_VFIO)
			args->vfio = true;
		else if (opt == OPT_LIST)
			args->list = true;
		else if (opt == OPT_JSON)
			args->json = true;
		else if (opt == OPT_USER)
			args->user = optarg;
		else if (opt == OPT_ROOT)
			args->root = optarg;
		else
			return cli_usage(&cli_cmd_doctor,
					 "%s: no such option, or its value is missing",
					 argv[optind - 1]);
	}
	if (optind != argc)
		return cli_usage(&cli_cmd_doctor, "%s: no argument is wanted", argv[optind]);
	return 0;
}

/* The checks, in the order in which one thing needs another. */
static const struct {
	void (*look)(struct doctor *d);
	bool kernel, vfio; /* which of the two ways wants it */
} checks[] = {
	{ doctor_check_identity, true, true },	{ doctor_check_config, true, true },
	{ doctor_check_bars, true, true },	{ doctor_check_power, true, true },
	{ doctor_check_driver, true, false },	{ doctor_check_irq, true, false },
	{ doctor_check_firmware, true, false }, { doctor_check_node, true, false },
	{ doctor_check_iommu, false, true },	{ doctor_check_vfio, false, true },
	{ doctor_check_memlock, false, true },
};

static void find_kernel(struct doctor *d)
{
	struct utsname uts;

	doctor_line(d, "/proc/sys/kernel/osrelease", d->kernel, sizeof(d->kernel));
	if (!d->kernel[0] && d->live && !uname(&uts))
		snprintf(d->kernel, sizeof(d->kernel), "%.90s", uts.release);
	for (char *c = d->kernel; *c; c++)
		if (*c == '/')
			*c = '?';
	if (sscanf(d->kernel, "%u.%u", &d->kernel_major, &d->kernel_minor) != 2)
		d->kernel_major = 0;
}

static void examine(struct doctor *d)
{
	find_kernel(d);
	doctor_scan(d);
	for (u32 i = 0; i < d->nr_npus; i++) {
		d->npu = &d->npus[i];
		d->node[0] = d->firmware[0] = '\0';
		for (size_t c = 0; c < BASE_ARRAY_SIZE(checks); c++)
			if (d->vfio ? checks[c].vfio : checks[c].kernel)
				checks[c].look(d);
	}
	if (d->nr_npus)
		d->npu = &d->npus[0];
	if (!d->nr_npus || d->vfio)
		return;
	doctor_check_log(d);
	doctor_check_libraries(d);
}

static int examine_and_print(struct doctor *d, const struct args *args)
{
	int ret;

	d->vfio = args->vfio;
	d->findings = base_alloc_array(DOCTOR_MAX_FINDINGS, sizeof(*d->findings));
	if (!d->findings)
		return cli_fail(CLI_FAILED, "out of memory");
	ret = doctor_open_root(d, args->root ? args->root : "/");
	if (ret)
		return ret;
	ret = doctor_user_init(d, args->user);
	if (!ret) {
		examine(d);
		if (args->json)
			doctor_print_json(d);
		else
			doctor_print_text(d);
		ret = d->nr_fails ? CLI_FAILED : CLI_OK;
	}
	close(d->root_fd);
	return ret;
}

static int run(int argc, char **argv)
{
	struct args args = { 0 };
	struct doctor *d;
	int ret = parse(argc, argv, &args);

	if (ret)
		return ret;
	if (args.list) {
		doctor_print_classes(args.json);
		return CLI_OK;
	}
	d = base_zalloc(sizeof(*d));
	if (!d)
		return cli_fail(CLI_FAILED, "out of memory");
	ret = examine_and_print(d, &args);
	base_free(d->findings);
	base_free(d);
	return ret;
}

const struct cli_command cli_cmd_doctor = {
	.name = "doctor",
	.summary = "find out why this machine's NPU does not work",
	.help = help,
	.run = run,
};
