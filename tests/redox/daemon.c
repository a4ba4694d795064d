// SPDX-License-Identifier: MIT
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/driver.h"
#include "npud/redox.h"
#include "regs/gen.h"

static int write_image(struct daemon *d, const void *image, size_t size)
{
	int fd;
	ssize_t n;

	snprintf(d->firmware, sizeof(d->firmware), "/tmp/npu-redox-fw.XXXXXX");
	fd = mkstemp(d->firmware);
	if (fd < 0)
		return -errno;
	n = write(fd, image, size);
	close(fd);
	return n == (ssize_t)size ? 0 : -EIO;
}

int daemon_init(struct daemon *d, struct box *box, const char *gen, bool hws)
{
	void *image;
	size_t size;
	int ret = drv_fw_make(reg_gen_by_name(gen), hws, &image, &size);

	*d = (struct daemon){ .box = box };
	if (ret)
		return ret;
	ret = write_image(d, image, size);
	base_free(image);
	daemon_arg(d, "npud");
	daemon_arg(d, "--firmware");
	daemon_arg(d, d->firmware);
	return ret;
}

void daemon_fini(struct daemon *d)
{
	unlink(d->firmware);
}

void daemon_arg(struct daemon *d, const char *arg)
{
	if (d->nr_args + 1 == (int)BASE_ARRAY_SIZE(d->args))
		abort();
	d->args[d->nr_args++] = arg;
}

static int run(void *arg)
{
	struct daemon *d = arg;

	if (d->begins)
		d->begins();
	return npud_redox_main(d->nr_args, (char **)(uintptr_t)d->args, &d->stop);
}

int daemon_start(struct daemon *d)
{
	const struct box_proc_config cfg = {
		.name = "npud", .in_init_ns = true, .is_driver = true, .run = run, .arg = d
	};
	int ret;

	d->stop = 0;
	ret = box_spawn(d->box, &cfg, &d->proc);
	return ret ? ret : box_ready(d->proc, 20 * BASE_NS_PER_S);
}

int daemon_stop(struct daemon *d)
{
	d->stop = 1;
	box_signal(d->proc);
	return box_wait(d->proc);
}
