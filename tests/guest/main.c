// SPDX-License-Identifier: MIT
/*
 * guest-test: runs in the guest, on the kernel's own driver.
 *
 *   guest-test GROUP...    groups of tests, TAP on stdout
 *   guest-test job         one checked job, for scripts
 *   guest-test host LINE   a request to the runner on the host
 */
#include <stdio.h>
#include <string.h>

#include "guest.h"

static const struct {
	const char *name;
	int (*run)(void);
} groups[] = {
	{ "params", guest_group_params },     { "buffers", guest_group_buffers },
	{ "jobs", guest_group_jobs },	      { "queues", guest_group_queues },
	{ "metrics", guest_group_metrics },   { "hostile", guest_group_hostile },
	{ "infer", guest_group_infer },	      { "load", guest_group_load },
	{ "recovery", guest_group_recovery }, { "reset", guest_group_reset },
	{ "mmu", guest_group_mmu },	      { "dead", guest_group_dead },
	{ "irq", guest_group_irq },	      { "session", guest_group_session },
};

#define NR_GROUPS (sizeof(groups) / sizeof(groups[0]))

/* A job as scripts want it: silent, and no test framework around it. */
static int one_job(void)
{
	uint32_t status = UINT32_MAX;
	struct guest_list list;
	struct guest g;
	int ret = guest_open(&g);

	if (ret)
		goto out;
	ret = guest_bo_create(&g, GUEST_LIST_SIZE, IVPU_BO_MAPPABLE, &list.bo);
	if (ret)
		goto out_close;
	guest_list_restart(&list);
	guest_list_fill(&list, list.bo.addr + 4096, 64, 0x600df00d);
	ret = guest_submit(&g, &list, 0, NULL);
	if (!ret)
		ret = guest_wait(&g, list.bo.handle, GUEST_WAIT_MS, &status);
	if (!ret && (status || memcmp(list.bo.cpu + 4096 + 60, "\x0d\xf0\x0d\x60", 4) != 0))
		ret = -5;
out_close:
	guest_close(&g);
out:
	if (ret)
		fprintf(stderr, "job: error %d, status %u\n", ret, status);
	return ret ? 1 : 0;
}

static int run_group(const char *name)
{
	for (unsigned int i = 0; i < NR_GROUPS; i++) {
		if (strcmp(name, groups[i].name) != 0)
			continue;
		printf("# group %s\n", name);
		return groups[i].run();
	}
	fprintf(stderr, "guest-test: no group is called %s\n", name);
	return 1;
}

static int to_host(int argc, char **argv)
{
	char line[120] = "";

	for (int i = 2; i < argc; i++) {
		if (i > 2)
			strncat(line, " ", sizeof(line) - strlen(line) - 1);
		strncat(line, argv[i], sizeof(line) - strlen(line) - 1);
	}
	return guest_host("%s", line) ? 1 : 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc > 1 && !strcmp(argv[1], "job"))
		return one_job();
	if (argc > 2 && !strcmp(argv[1], "host"))
		return to_host(argc, argv);
	if (argc < 2) {
		fprintf(stderr, "usage: guest-test GROUP... | job | host LINE\n");
		return 2;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		failed += run_group(argv[i]) != 0;
	return failed ? 1 : 0;
}
