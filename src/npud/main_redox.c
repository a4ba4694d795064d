// SPDX-License-Identifier: MIT
/*
 * npud on Redox, as pcid-spawner starts it: one function, whose channel is in the environment.
 * SRC: base 9e128703 drivers/pcid/src/driver_interface, daemon/src/lib.rs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "npud/options.h"
#include "npud/redox.h"
#include "os/redox/redox.h"

static const char usage[] =
	"npud: drives an NPU and shares it among programs\n"
	"\n"
	"usage: npud [OPTIONS]    (by pcid-spawner: /usr/lib/pcid.d/npud.toml)\n"
	"\n"
	"  --scheme NAME     serve /scheme/NAME instead of /scheme/npu\n" NPUD_USAGE "\n"
	"exit codes: 0 ended by a signal    1 the device or the scheme failed    2 wrong command line\n";

static int set_scheme(struct npud_options *opts, const char *val)
{
	opts->cfg.schemes[0].name = val;
	return 0;
}

static const struct npud_option options[] = {
	{ "scheme", set_scheme, "the name of a scheme" },
};

static const struct npud_platform platform = { .usage = usage,
					       .config = "/etc/npud.conf",
					       .options = options,
					       .nr_options = BASE_ARRAY_SIZE(options) };

/* Beside npu: are mmio: and dma:, beside npu1: mmio.npu1: and dma.npu1:. */
struct names {
	char text[NPUD_MAX_SCHEMES - 1][40];
};

static void add_scheme(struct npud_options *opts, char name[40], const char *tree)
{
	const char *first = opts->cfg.schemes[0].name;
	int len = (int)strlen(tree) - 1; /* without the colon */

	if (strcmp(first, "npu") == 0)
		snprintf(name, 40, "%.*s", len, tree);
	else
		snprintf(name, 40, "%.*s.%s", len, tree, first);
	opts->cfg.schemes[opts->cfg.nr_schemes++] =
		(struct scheme_config){ .name = name, .tree = tree };
}

static void add_schemes(struct npud_options *opts, struct names *names)
{
	if (opts->cfg.mmio != SVC_MMIO_OFF)
		add_scheme(opts, names->text[0], "mmio:");
	if (opts->cfg.dma)
		add_scheme(opts, names->text[1], "dma:");
}

/* A descriptor the parent left for us; SIZE_MAX: none. */
static size_t inherited(const char *name)
{
	const char *text = getenv(name);
	u32 fd = 0;

	return text && npud_number(text, INT32_MAX, &fd) ? fd : SIZE_MAX;
}

/* Before this the boot waits for us; one byte, or the end of the pipe. */
static void tell_ready(size_t pipe)
{
	const u8 byte = 0;

	if (pipe == SIZE_MAX)
		return;
	redox_write_v1(pipe, &byte, 1);
	redox_close_v1(pipe);
}

static int serve(const struct npud_options *opts, size_t pipe, struct base_err *err)
{
	struct npud *npud;
	int ret = npud_create(&opts->cfg, &npud, err);
	s64 left;

	if (ret)
		return ret;
	/* all is open: from here on there is nothing to be had but memory */
	left = redox_result(redox_setrens_v1(0, 0));
	if (left < 0) {
		ret = base_err_set(err, (int)left, "the namespace cannot be left: %s",
				   base_err_name((int)left));
		goto out;
	}
	tell_ready(pipe);
	ret = npud_run(npud, err);
out:
	npud_destroy(npud);
	return ret;
}

int npud_redox_main(int argc, char **argv, const atomic_int *stop)
{
	struct npud_options opts = { .cfg = { .schemes = { { .name = "npu" } },
					      .nr_schemes = 1,
					      .stop_fd = -1,
					      .stop = stop,
					      .log_level = BASE_LOG_WARN } };
	struct base_err err = { 0 };
	size_t channel = inherited("PCID_CLIENT_CHANNEL"), pipe = inherited("INIT_NOTIFY");
	char device[32];
	struct names names;
	int ret = npud_options_parse(&platform, argc, argv, &opts);

	if (ret >= 0)
		goto out;
	if (channel == SIZE_MAX) {
		fputs("npud: PCID_CLIENT_CHANNEL is not set: it is pcid-spawner that starts npud\n",
		      stderr);
		ret = NPUD_EXIT_USAGE;
		goto out;
	}
	snprintf(device, sizeof(device), "pcid:%zu", channel);
	opts.devices[opts.cfg.nr_devices++] = device;
	add_schemes(&opts, &names);
	ret = serve(&opts, pipe, &err);
	if (ret)
		fprintf(stderr, "npud: %s\n", err.text);
	ret = ret ? NPUD_EXIT_FAILED : NPUD_EXIT_OK;
out:
	npud_options_free(&opts);
	return ret;
}
