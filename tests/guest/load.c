// SPDX-License-Identifier: MIT
/*
 * 10 000 jobs over 8 contexts, 4 under way in each, every result checked.
 */
#include "guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "abi/cmdbuf.h"

#define NR_CONTEXTS 8u
#define NR_LANES    4u
#define NR_JOBS	    10000u
#define COPY_SIZE   200u

struct lane {
	struct guest_list list;
	struct guest_bo data; /* source at 0, copy at half a page, fence at the last 64 bytes */
	uint32_t job;	      /* number of the job under way */
	bool busy;
};

static struct guest ctx[NR_CONTEXTS];
static struct lane lanes[NR_CONTEXTS][NR_LANES];

static uint8_t byte_of(uint32_t job, uint32_t i)
{
	return (uint8_t)(job * 31 + i * 7 + (job >> 8));
}

static void start(struct guest *g, struct lane *lane, uint32_t job)
{
	int ret;

	for (uint32_t i = 0; i < COPY_SIZE; i++)
		lane->data.cpu[i] = byte_of(job, i);
	guest_list_restart(&lane->list);
	guest_list_copy(g, &lane->list, lane->data.addr + GUEST_PAGE / 2, lane->data.addr,
			COPY_SIZE);
	guest_list_fence(&lane->list, ABI_CMD_FENCE_SIGNAL, lane->data.addr + GUEST_PAGE - 64, job);
	do {
		ret = guest_submit(g, &lane->list, job % 5, &lane->data, NULL);
	} while (ret == -EBUSY);
	assert_int_equal(ret, 0);
	lane->job = job;
	lane->busy = true;
}

static void finish(struct guest *g, struct lane *lane)
{
	uint64_t fence;

	if (!lane->busy)
		return;
	guest_must_finish(g, &lane->list, 0);
	memcpy(&fence, lane->data.cpu + GUEST_PAGE - 64, sizeof(fence));
	assert_int_equal(fence, lane->job);
	for (uint32_t i = 0; i < COPY_SIZE; i++)
		assert_int_equal(lane->data.cpu[GUEST_PAGE / 2 + i], byte_of(lane->job, i));
	lane->busy = false;
}

static void ten_thousand_jobs(void **state)
{
	int64_t started;

	(void)state;
	for (uint32_t c = 0; c < NR_CONTEXTS; c++) {
		guest_must_open(&ctx[c]);
		for (uint32_t l = 0; l < NR_LANES; l++) {
			guest_list_create(&ctx[c], &lanes[c][l].list);
			guest_must_bo(&ctx[c], GUEST_PAGE, IVPU_BO_MAPPABLE, &lanes[c][l].data);
		}
	}
	started = guest_now_ms();
	for (uint32_t job = 1; job <= NR_JOBS; job++) {
		uint32_t c = job % NR_CONTEXTS, l = job / NR_CONTEXTS % NR_LANES;

		finish(&ctx[c], &lanes[c][l]);
		start(&ctx[c], &lanes[c][l], job);
		if (job == NR_JOBS / 10 || job == NR_JOBS)
			assert_int_equal(guest_host("rss %u jobs", job), 0);
	}
	for (uint32_t c = 0; c < NR_CONTEXTS; c++) {
		for (uint32_t l = 0; l < NR_LANES; l++)
			finish(&ctx[c], &lanes[c][l]);
		guest_close(&ctx[c]);
	}
	printf("# %u jobs in %lld ms\n", NR_JOBS, (long long)(guest_now_ms() - started));
}

int guest_group_load(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_jobs),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
