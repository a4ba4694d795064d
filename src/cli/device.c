// SPDX-License-Identifier: MIT
/* How every command opens and closes its device, so that others can watch. */
#include "cli/watch.h"

#include <stdlib.h>

const struct cli_watch *cli_watch;

static void on_dump(void *opaque, const char *why, const char *path)
{
	(void)opaque;
	if (path)
		fprintf(stderr, "npu: %s; dump in %s\n", why, path);
	else
		fprintf(stderr, "npu: %s\n", why);
}

int cli_device_open(const char *device, const struct npu_open_options *given,
		    struct npu_device **out)
{
	struct npu_open_options options = *given;

	if (!options.dump_dir)
		options.dump_dir = secure_getenv("NPU_DUMP_DIR");
	if (options.dump_dir)
		options.on_dump = on_dump;
	if (npu_device_open_with(device, &options, out))
		return cli_fail(CLI_FAILED, "%s", npu_last_error());
	if (!cli_watch || !cli_watch->begin(*out))
		return 0;
	npu_device_close(*out);
	*out = NULL;
	return CLI_FAILED;
}

void cli_device_close(struct npu_device *dev)
{
	if (dev && cli_watch)
		cli_watch->end(dev);
	npu_device_close(dev);
}
