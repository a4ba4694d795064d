// SPDX-License-Identifier: MIT
/*
 * Cold boot of the virtual NPU: wall time from drv_create() to ready, threaded and stepped.
 *
 * usage: bench_boot [FIRMWARE]     without one: the built-in image
 */
#include <stdio.h>
#include <stdlib.h>

#include "driver/driver.h"
#include "os/inproc.h"

#define ROUNDS 21

static int boot_once(const char *firmware, bool stepped, double *ms)
{
	const struct os_inproc_config cfg = { .gen = "npu37",
					      .stepped = stepped,
					      .engine = "plain" };
	const struct drv_config dcfg = { .firmware = firmware, .ignore_env = true };
	struct base_err err = { 0 };
	struct os_device *os;
	struct drv_dev *dev;
	u64 start_ns;
	int ret;

	ret = os_inproc_create(&cfg, &os, &err);
	if (ret)
		goto out;
	start_ns = base_clock_ns();
	ret = drv_create(os, &dcfg, &dev, &err);
	if (ret)
		goto out_os;
	ret = drv_boot(dev, &err);
	*ms = (double)(base_clock_ns() - start_ns) / 1e6;
	drv_destroy(dev);
out_os:
	os_inproc_destroy(os);
out:
	if (ret)
		fprintf(stderr, "boot: %s\n", err.text);
	return ret;
}

static int cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int bench(const char *firmware, bool stepped)
{
	double ms[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		if (boot_once(firmware, stepped, &ms[i]))
			return 1;
	qsort(ms, ROUNDS, sizeof(ms[0]), cmp);
	printf("cold boot, %s, %s: median %.2f ms, best %.2f, worst %.2f of %d\n",
	       stepped ? "stepped" : "threaded", firmware ? firmware : "built-in image",
	       ms[ROUNDS / 2], ms[0], ms[ROUNDS - 1], ROUNDS);
	return 0;
}

int main(int argc, char **argv)
{
	const char *firmware = argc > 1 ? argv[1] : NULL;

	return bench(firmware, false) || bench(firmware, true);
}
