// SPDX-License-Identifier: MIT
/* Clients in another process: lent memory, queue pages, events.  On a driver core that is made up. */
#include "service/fake_drv.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "service/svc.h"

struct fixture {
	struct drv_dev drv;
	struct svc *svc;
	struct svc_client *client;
	u32 idx, ctx, bo, queue;
	u64 addr;
	struct abi_queue_page *page; /* the client's mapping of it */
	u32 reported[16], nr_reported;
};

static const struct svc_limits limits = { .queue_depth = 62, .context_jobs = 100 };

static u32 dup_ok(struct fixture *f, const char *path)
{
	struct base_err err = { 0 };
	u32 handle = 0;

	if (svc_dup(f->client, f->ctx, path, &handle, &err))
		fail_msg("dup %s: %s", path, err.text);
	return handle;
}

static struct abi_queue_page *map_page(struct fixture *f, u32 queue)
{
	struct svc_mapping m;
	void *page;

	assert_int_equal(svc_map(f->client, queue, &m, NULL), 0);
	assert_int_equal(m.size_bytes, 4096);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	return page;
}

static int setup(void **state)
{
	struct svc_cred cred = { .uid = 7, .pid = 2, .remote = true, .name = "c" };
	struct svc_call_bo call = { .head = { SVC_CALL_BO, SVC_CALL_VERSION, sizeof(call) } };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->drv.state = DRV_READY;
	assert_int_equal(svc_create(&limits, &f->svc), 0);
	assert_int_equal(svc_add_device(f->svc, &f->drv, 0, &f->idx), 0);
	cred.transport = f;
	assert_int_equal(svc_client_create(f->svc, &cred, &f->client), 0);
	assert_int_equal(svc_open(f->client, "0/ctx", &f->ctx, NULL), 0);
	f->bo = dup_ok(f, "bo/4096");
	f->queue = dup_ok(f, "queue");
	assert_int_equal(svc_call(f->client, f->bo, &call, sizeof(call), NULL), 0);
	f->addr = call.addr;
	f->page = map_page(f, f->queue);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	munmap(f->page, 4096);
	svc_client_close(f->client);
	assert_int_equal(svc_remove_device(f->svc, f->idx, NULL), 0);
	svc_destroy(f->svc);
	assert_int_equal(f->drv.nr_ctxs, 0);
	assert_int_equal(f->drv.nr_bos, 0);
	assert_int_equal(f->drv.nr_queues, 0);
	free(f);
	return 0;
}

static int post(struct fixture *f, u32 first, u32 nr)
{
	struct abi_job jobs[128] = { 0 };

	for (u32 i = 0; i < nr; i++)
		jobs[i] = (struct abi_job){ .cmd_addr = f->addr,
					    .cmd_size = 64,
					    .cookie = first + i };
	return svc_post(f->client, f->queue, jobs, nr * sizeof(jobs[0]), NULL);
}

static void ready(void *transport, u32 handle)
{
	struct fixture *f = transport;

	assert_true(f->nr_reported < BASE_ARRAY_SIZE(f->reported));
	f->reported[f->nr_reported++] = handle;
}

/* Runs the loop; how many handles it reports. */
static u32 process(struct fixture *f)
{
	f->nr_reported = 0;
	assert_true(svc_process(f->svc, ready) == SVC_FOREVER);
	return f->nr_reported;
}

static void take(struct fixture *f, u32 nr)
{
	__atomic_store_n(&f->page->head, f->page->head + nr, __ATOMIC_RELEASE);
}

static void completions_come_to_the_page(void **state)
{
	struct fixture *f = *state;
	char buf[64];

	assert_int_equal(post(f, 100, 3), 0);
	process(f);
	assert_int_equal(f->page->tail, 0);
	fake_complete(f->drv.queues[0], 2);
	process(f);
	assert_int_equal(f->page->tail, 2);
	assert_int_equal(f->page->ring[0].cookie, 100);
	assert_int_equal(f->page->ring[1].cookie, 101);
	assert_int_equal(svc_read(f->client, f->queue, buf, sizeof(buf), NULL), -EBUSY);
	fake_complete(f->drv.queues[0], 1);
	process(f);
	assert_int_equal(f->page->tail, 3);
	assert_int_equal(f->page->ring[2].status, 0);
}

/* Round and round: 10000 jobs, none lost, doubled or out of order. */
static void the_ring_goes_round(void **state)
{
	struct fixture *f = *state;
	u32 sent = 0, got = 0;

	while (got < 10000) {
		u32 nr = base_min(1 + got % 31, 10000 - sent);

		if (nr)
			assert_int_equal(post(f, sent, nr), 0);
		sent += nr;
		fake_complete(f->drv.queues[0], nr ? nr : 1);
		process(f);
		while (got != f->page->tail) {
			const struct abi_completion *done =
				&f->page->ring[got % ABI_QUEUE_PAGE_ENTRIES];

			assert_int_equal(done->status, 0);
			assert_int_equal(done->cookie, got++);
		}
		__atomic_store_n(&f->page->head, got, __ATOMIC_RELEASE);
	}
	assert_int_equal(sent, 10000);
}

static void refused_jobs_complete_with_the_reason(void **state)
{
	struct fixture *f = *state;
	struct abi_job jobs[3] = { { .cmd_addr = f->addr, .cmd_size = 64, .cookie = 1 },
				   { .cmd_addr = 0x40, .cmd_size = 64, .cookie = 2 },
				   { .cmd_addr = f->addr, .cmd_size = 64, .cookie = 3 } };

	assert_int_equal(svc_post(f->client, f->queue, jobs, sizeof(jobs), NULL), 0);
	assert_int_equal(f->page->tail, 1);
	assert_int_equal(f->page->ring[0].cookie, 2);
	assert_int_equal(f->page->ring[0].status, -EINVAL);
	fake_complete(f->drv.queues[0], 2);
	process(f);
	assert_int_equal(f->page->tail, 3);
	assert_int_equal(f->page->ring[2].cookie, 3);
	assert_int_equal(svc_post(f->client, f->queue, jobs, 63, NULL), -EINVAL);
	assert_int_equal(svc_post(f->client, f->bo, jobs, 64, NULL), -EOPNOTSUPP);
	assert_int_equal(svc_post(f->client, 99, jobs, 64, NULL), -EBADF);
	f->drv.state = DRV_FAILED;
	assert_int_equal(post(f, 9, 1), 0);
	assert_int_equal(f->page->ring[3].cookie, 9);
	assert_int_equal(f->page->ring[3].status, -ENODEV);
}

/* He who never reads gets EAGAIN for two, then nothing; nothing is overwritten. */
static void who_never_reads_harms_himself(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(post(f, 0, 62), 0);
	fake_complete(f->drv.queues[0], 62);
	process(f);
	assert_int_equal(f->page->tail, 62);
	assert_int_equal(post(f, 62, 40), 0);
	assert_int_equal(f->page->tail, 64);
	assert_int_equal(f->page->ring[63].status, -EAGAIN);
	assert_int_equal(f->page->ring[0].cookie, 0);
	assert_int_equal(f->drv.queues[0]->pending, 0);
	take(f, 64);
	assert_int_equal(post(f, 200, 1), 0);
	assert_int_equal(f->drv.queues[0]->pending, 1);
}

static void nonsense_in_the_page(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(post(f, 0, 62), 0);
	fake_complete(f->drv.queues[0], 62);
	process(f);
	f->page->head = 63; /* more than was put */
	assert_int_equal(post(f, 62, 1), 0);
	assert_int_equal(f->drv.queues[0]->pending, 0);
	f->page->head = UINT32_MAX;
	assert_int_equal(post(f, 63, 1), 0);
	assert_int_equal(f->drv.queues[0]->pending, 0);
	f->page->tail = 7;
	f->page->head = 10;
	assert_int_equal(post(f, 64, 4), 0);
	assert_int_equal(f->drv.queues[0]->pending, 4);
	f->page->head = 9; /* backwards */
	fake_complete(f->drv.queues[0], 4);
	process(f);
	assert_int_equal(f->page->tail, 68);
}

static void sleepers_are_reported_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(post(f, 0, 2), 0);
	f->page->waiting = 1;
	assert_int_equal(process(f), 0);
	fake_complete(f->drv.queues[0], 1);
	assert_int_equal(process(f), 1);
	assert_int_equal(f->reported[0], f->queue);
	assert_int_equal(f->page->waiting, 0);
	fake_complete(f->drv.queues[0], 1);
	assert_int_equal(process(f), 0); /* he is awake */
	assert_int_equal(f->page->tail, 2);
}

static void armed_handles_are_reported_once(void **state)
{
	struct fixture *f = *state;
	u32 info;

	assert_int_equal(post(f, 0, 1), 0);
	assert_int_equal(svc_arm(f->client, f->ctx, NULL), 0);
	assert_int_equal(svc_arm(f->client, f->ctx, NULL), 0);
	assert_int_equal(process(f), 0);
	fake_complete(f->drv.queues[0], 1);
	assert_int_equal(process(f), 1);
	assert_int_equal(f->reported[0], f->ctx);
	assert_int_equal(process(f), 0);
	assert_int_equal(svc_arm(f->client, f->ctx, NULL), 0); /* is so already */
	assert_int_equal(process(f), 1);
	assert_int_equal(svc_arm(f->client, f->ctx, NULL), 0);
	assert_int_equal(svc_close(f->client, f->ctx, NULL), 0);
	assert_int_equal(process(f), 0);
	assert_int_equal(svc_arm(f->client, 99, NULL), -EBADF);
	assert_int_equal(svc_open(f->client, "0/info", &info, NULL), 0);
	assert_int_equal(svc_arm(f->client, info, NULL), -EOPNOTSUPP);
	assert_int_equal(svc_event_source(f->svc, f->idx), 77);
	assert_int_equal(svc_event_source(f->svc, 5), -ENODEV);
	svc_listen(f->svc, true);
	assert_true(f->drv.listening);
	svc_listen(f->svc, false);
	assert_false(f->drv.listening);
}

static void lent_memory(void **state)
{
	static const struct svc_cred cred = { .name = "here" };
	struct fixture *f = *state;
	struct svc_client *here;
	struct svc_mapping m;
	u32 ctx, bo, queue;

	assert_int_equal(svc_map(f->client, f->bo, &m, NULL), 0);
	assert_true(m.fd >= 1000);
	assert_int_equal(svc_client_create(f->svc, &cred, &here), 0);
	assert_int_equal(svc_open(here, "0/ctx", &ctx, NULL), 0);
	assert_int_equal(svc_dup(here, ctx, "bo/4096", &bo, NULL), 0);
	assert_int_equal(svc_dup(here, ctx, "queue", &queue, NULL), 0);
	assert_int_equal(svc_map(here, bo, &m, NULL), 0);
	assert_int_equal(m.fd, -1);
	assert_int_equal(svc_map(here, queue, &m, NULL), -EOPNOTSUPP);
	svc_client_close(here);
}

/* With jobs under way and one asleep; the page is the client's to keep. */
static void client_dies(void **state)
{
	struct fixture *f = *state;
	static const struct svc_cred cred = { .uid = 7, .remote = true, .name = "next" };

	assert_int_equal(post(f, 0, 3), 0);
	f->page->waiting = 1;
	svc_client_close(f->client);
	f->client = NULL;
	/* the time its jobs have to end by themselves */
	assert_int_equal(svc_process(f->svc, ready), 500 * BASE_NS_PER_MS);
	fake_complete(f->drv.queues[0], 3);
	assert_int_equal(process(f), 0);
	assert_int_equal(f->page->tail, 0);
	assert_int_equal(f->drv.nr_ctxs, 0);
	assert_int_equal(svc_client_create(f->svc, &cred, &f->client), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(completions_come_to_the_page),
		T(the_ring_goes_round),
		T(refused_jobs_complete_with_the_reason),
		T(who_never_reads_harms_himself),
		T(nonsense_in_the_page),
		T(sleepers_are_reported_once),
		T(armed_handles_are_reported_once),
		T(lent_memory),
		T(client_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
