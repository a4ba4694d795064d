// SPDX-License-Identifier: MIT
/*
 * Contexts, buffers, queues and jobs of the driver on the virtual NPU.
 */
#include "work.h"

static int setup(void **state)
{
	(void)state;
	env_open(&env, 9, true);
	env_boot(&env);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_close(&env);
	return 0;
}

static void test_commands(void **state)
{
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	for (u32 i = 0; i < 0x1000; i++)
		w.cpu[0x1000 + i] = (u8)(i * 7);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	list_copy(&list, 0x800, w.addr + 0x2000, w.addr + 0x1000, 0x1000);
	cmdlist_add(&list, &(struct abi_cmd_barrier){ .hdr = { ABI_CMD_BARRIER, 8 } }, 8);
	cmdlist_add(&list,
		    &(struct abi_cmd_memory_fill){ .hdr = { ABI_CMD_MEMORY_FILL, 32 },
						   .start_address = w.addr + 0x3000,
						   .size = 0x100,
						   .fill_pattern = 0xdeadbeef },
		    32);
	cmdlist_add(&list,
		    &(struct abi_cmd_timestamp){ .hdr = { ABI_CMD_TIMESTAMP, 16 },
						 .timestamp_type = ABI_TS_RAW,
						 .address = w.addr + 0x400 },
		    16);
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, w.addr + 0x440, 0x1234);
	assert_int_equal(run_one(&w, &list), 0);
	assert_memory_equal(w.cpu + 0x2000, w.cpu + 0x1000, 0x1000);
	for (u32 i = 0; i < 0x100; i += 4)
		assert_int_equal(*(u32 *)(void *)(w.cpu + 0x3000 + i), 0xdeadbeef);
	assert_int_equal(w.cpu[0x3100], 0);
	assert_true(*(u64 *)(void *)(w.cpu + 0x400) != 0);
	assert_int_equal(*(u64 *)(void *)(w.cpu + 0x440), 0x1234);
	work_close(&w);
	env_expect_clean(&env);
}

/* P 13.6, at an address of ours. */
static void test_protocol_vector(void **state)
{
	static const u8 bytes[] = {
		0x58, 0, 0, 0, 0x30, 0, 0, 0, 0x0f, 0, 4, 0, 0, 0, 0, 0,
	};
	struct abi_completion done;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	memcpy(w.cpu + 0x40, bytes, sizeof(bytes));
	memcpy(w.cpu + 0x68, &w.addr, 8); /* save area */
	memcpy(w.cpu + 0x70, (u8[]){ 0, 1, 0x10, 0, 1 }, 5);
	memcpy(w.cpu + 0x78, &(u64){ w.addr + 0x400 }, 8);
	memcpy(w.cpu + 0x80, (u8[]){ 2, 1, 0x18, 0 }, 4);
	memcpy(w.cpu + 0x88, &(u64){ w.addr + 0x440 }, 8);
	memcpy(w.cpu + 0x90, &(u64){ 0x1234 }, 8);
	job = (struct abi_job){ .cmd_addr = w.addr + 0x40, .cmd_size = 0x58, .cookie = 1 };
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, 0);
	assert_int_equal(*(u64 *)(void *)(w.cpu + 0x440), 0x1234);
	work_close(&w);
}

static void test_statuses(void **state)
{
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_add(&list, (const u8[8]){ 0x77, 0x07, 8 }, 8);
	assert_int_equal(run_one(&w, &list), ABI_JSM_STATUS_PARSING_ERR);
	list_at(&list, &w, 0); /* the queue goes on */
	cmdlist_nop(&list);
	assert_int_equal(run_one(&w, &list), 0);
	work_close(&w);
}

static void test_depth_62(void **state)
{
	struct abi_completion done[DRV_QUEUE_DEPTH];
	struct abi_job jobs[100];
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	for (u32 i = 0; i < 100; i++)
		jobs[i] = job_of(&list, i);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 100), DRV_QUEUE_DEPTH);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 1), -EAGAIN);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 1), -EAGAIN);
	w.cpu[0x3000] = 2; /* more than is waited for: P trap 28 */
	assert_int_equal(env_reap(&env, w.queue, done, DRV_QUEUE_DEPTH), DRV_QUEUE_DEPTH);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, done, 1), 1);
	work_close(&w);
	env_expect_clean(&env);
}

static void test_256_per_context(void **state)
{
	struct abi_completion done[DRV_QUEUE_DEPTH];
	struct drv_queue *more[4];
	struct abi_job jobs[DRV_QUEUE_DEPTH];
	struct cmdlist list;
	struct work w, other;
	u32 rest = DRV_CTX_JOBS - 4 * DRV_QUEUE_DEPTH;

	(void)state;
	work_open(&w);
	work_open(&other);
	blocked(&list, &w);
	for (u32 i = 0; i < DRV_QUEUE_DEPTH; i++)
		jobs[i] = job_of(&list, i);
	for (u32 q = 0; q < 4; q++) {
		assert_int_equal(drv_queue_create(w.ctx, q, &more[q]), 0);
		assert_int_equal(drv_queue_submit(more[q], jobs, DRV_QUEUE_DEPTH), DRV_QUEUE_DEPTH);
	}
	assert_int_equal(drv_queue_submit(w.queue, jobs, DRV_QUEUE_DEPTH), rest);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 1), -EAGAIN);
	blocked(&list, &other); /* another context is not concerned */
	jobs[0] = job_of(&list, 7);
	assert_int_equal(drv_queue_submit(other.queue, jobs, 1), 1);
	w.cpu[0x3000] = 2;     /* more than is waited for: P trap 28 */
	other.cpu[0x3000] = 2; /* more than is waited for: P trap 28 */
	for (u32 q = 0; q < 4; q++) {
		assert_int_equal(env_reap(&env, more[q], done, DRV_QUEUE_DEPTH), DRV_QUEUE_DEPTH);
		drv_queue_destroy(more[q]);
	}
	assert_int_equal(env_reap(&env, w.queue, done, rest), rest);
	assert_int_equal(env_reap(&env, other.queue, done, 1), 1);
	work_close(&w);
	work_close(&other);
	env_expect_clean(&env);
}

static void test_sync_holds_back(void **state)
{
	struct abi_completion done[3];
	struct cmdlist wait, nop;
	struct abi_job jobs[3];
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&wait, &w);
	list_at(&nop, &w, 0x1000);
	cmdlist_nop(&nop);
	jobs[0] = job_of(&wait, 1);
	jobs[0].flags = ABI_JOB_SYNC;
	jobs[1] = job_of(&nop, 2);
	jobs[2] = job_of(&nop, 3);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 3), 3);
	env_run(&env, 5 * BASE_NS_PER_MS);
	assert_int_equal(w.queue->ring.page->hdr.tail, 1); /* the firmware knows of one */
	w.cpu[0x3000] = 2;				   /* more than is waited for: P trap 28 */
	assert_int_equal(env_reap(&env, w.queue, done, 3), 3);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(done[i].cookie, i + 1);
	assert_int_equal(w.queue->ring.page->hdr.tail, 3);
	work_close(&w);
	env_expect_clean(&env);
}

/* Every SSID in use at once, each with its own memory at the same address; then none is left. */
static void test_all_contexts(void **state)
{
	static struct work w[129];
	struct drv_ctx *extra;
	struct drv_info info;
	struct cmdlist list;

	(void)state;
	drv_get_info(env.dev, &info);
	assert_int_equal(info.nr_contexts_max, BASE_ARRAY_SIZE(w));
	for (u32 i = 0; i < BASE_ARRAY_SIZE(w); i++) {
		work_open(&w[i]);
		assert_int_equal(w[i].addr, w[0].addr);
	}
	assert_int_equal(drv_ctx_create(env.dev, &extra), -EBUSY);
	for (u32 i = 0; i < BASE_ARRAY_SIZE(w); i++) {
		list_at(&list, &w[i], 0);
		cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, w[i].addr + 0x440, i + 1);
		assert_int_equal(run_one(&w[i], &list), 0);
	}
	for (u32 i = 0; i < BASE_ARRAY_SIZE(w); i++) {
		assert_int_equal(*(u64 *)(void *)(w[i].cpu + 0x440), i + 1);
		work_close(&w[i]);
	}
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(drv_ctx_create(env.dev, &extra), 0);
	drv_ctx_destroy(extra);
	env_expect_clean(&env);
}

static void test_doorbells_run_out(void **state)
{
	static struct drv_queue *queues[256];
	struct drv_queue *extra;
	struct work w;
	u32 nr = 0;
	int ret;

	(void)state;
	work_open(&w);
	while (!(ret = drv_queue_create(w.ctx, 0, &queues[nr])))
		nr++;
	assert_int_equal(ret, -EBUSY);
	assert_int_equal(nr, 254); /* 255 doorbells, one is w.queue's */
	while (nr)
		drv_queue_destroy(queues[--nr]);
	assert_int_equal(drv_queue_create(w.ctx, 4, &extra), -EINVAL);
	assert_int_equal(drv_queue_create(w.ctx, 3, &extra), 0);
	drv_queue_destroy(extra);
	work_close(&w);
}

/* More questions at once than there are slots for (85): the rest waits its turn, none is lost. */
static void test_more_queues_than_slots(void **state)
{
	static struct drv_queue *queues[200];
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	job = job_of(&list, 3);
	for (u32 i = 0; i < 200; i++) {
		assert_int_equal(drv_queue_create(w.ctx, 0, &queues[i]), 0);
		assert_int_equal(drv_queue_submit(queues[i], &job, 1), 1);
	}
	for (u32 i = 0; i < 200; i++) {
		assert_int_equal(env_reap(&env, queues[i], &done, 1), 1);
		assert_int_equal(done.status, 0);
	}
	for (u32 i = 0; i < 200; i++)
		drv_queue_destroy(queues[i]);
	work_close(&w);
	env_run(&env, 50 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
	assert_int_equal(env.dev->ssids.used, 0);
	env_expect_clean(&env);
}

/* The registration's answer is lost: the job ends with that, the queue is usable again. */
static void lost_registration(const char *fault)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	job = job_of(&list, 3);
	assert_int_equal(os_inproc_fault(env.npu, fault, 1), 0);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_true(done.status == -ETIMEDOUT || done.status == -EIO || done.status == -EPROTO);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1); /* while it is being undone */
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, 0);
	work_close(&w);
	env_run(&env, BASE_NS_PER_S);
	assert_int_equal(env.dev->dbs.used, 0);
	assert_int_equal(env.dev->ssids.used, 0);
}

static void test_lost_answer(void **state)
{
	(void)state;
	lost_registration("lost-answer");
}

static void test_late_answer(void **state)
{
	(void)state;
	lost_registration("slow-firmware");
}

static void test_error_answer(void **state)
{
	(void)state;
	lost_registration("error-answer");
}

static void test_wrong_answer(void **state)
{
	(void)state;
	lost_registration("wrong-answer");
}

static void test_ranges(void **state)
{
	const bool is_37xx = !strcmp(env_gen, "npu37");
	const struct {
		u32 flags;
		u64 start, end;
	} places_37xx[] = { { DRV_BO_WB, 0xa0000000, 0xbff00000 },
			    { DRV_BO_WC | DRV_BO_SHAVE, 0x180000000, 0x200000000 },
			    { DRV_BO_DMA, 0x200000000, 0x2200000000 } },
	  places_40xx[] = { { DRV_BO_WB, 0x100000000, 0x4100000000 },
			    { DRV_BO_WC | DRV_BO_SHAVE, 0x80000000, 0x100000000 },
			    { DRV_BO_DMA, 0x100000000, 0x4100000000 } },
	  *places = is_37xx ? places_37xx : places_40xx;
	struct drv_bo *bo, *big;
	struct drv_ctx *ctx;

	(void)state;
	assert_int_equal(drv_ctx_create(env.dev, &ctx), 0);
	for (size_t i = 0; i < BASE_ARRAY_SIZE(places_37xx); i++) {
		assert_int_equal(drv_bo_create(ctx, 5000, 0, places[i].flags, &bo), 0);
		assert_in_range(drv_bo_addr(bo), places[i].start, places[i].end - 1);
		assert_int_equal(drv_bo_size(bo), 8192);
		assert_true(drv_ctx_range_ok(ctx, drv_bo_addr(bo), 8192));
		assert_false(drv_ctx_range_ok(ctx, drv_bo_addr(bo), 8193));
		drv_bo_destroy(bo);
		assert_false(drv_ctx_range_ok(ctx, places[i].start, 1));
	}
	assert_int_equal(drv_bo_create(ctx, 4096, 1 << 21, 0, &bo), 0);
	assert_int_equal(drv_bo_addr(bo) % (1 << 21), 0);
	drv_bo_destroy(bo);
	assert_int_equal(drv_bo_create(ctx, 0x20000, 0, 0, &big), 0);
	assert_int_equal(drv_bo_addr(big) % 0x10000, 0); /* P 9.3 */
	drv_bo_destroy(big);
	assert_int_equal(drv_bo_create(ctx, 0, 0, 0, &bo), -EINVAL);
	assert_int_equal(drv_bo_create(ctx, 4096, 3, 0, &bo), -EINVAL);
	assert_int_equal(drv_bo_create(ctx, 4096, 0, 0x80, &bo), -EINVAL);
	assert_int_equal(drv_bo_create(ctx, UINT64_MAX, 0, 0, &bo), -ENOSPC);
	assert_int_equal(drv_bo_create(ctx, places[0].end - places[0].start + 1, 0, 0, &bo),
			 -ENOSPC);
	drv_ctx_destroy(ctx);
	env_expect_clean(&env);
}

/* A fault ends the faulting context's jobs, and no others. */
static void fault_one(u32 flags, u64 addr)
{
	struct abi_completion done[3];
	struct cmdlist list, nop;
	struct abi_job jobs[3];
	struct work bad, good;
	struct drv_info info;
	struct drv_bo *ro = NULL;

	work_open(&bad);
	work_open(&good);
	if (!addr) {
		assert_int_equal(drv_bo_create(bad.ctx, 4096, 0, flags, &ro), 0);
		addr = drv_bo_addr(ro);
	}
	list_at(&list, &bad, 0);
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, addr, 1);
	list_at(&nop, &bad, 0x1000);
	cmdlist_nop(&nop);
	jobs[0] = job_of(&list, 0);
	jobs[1] = job_of(&nop, 1);
	jobs[2] = job_of(&nop, 2);
	assert_int_equal(drv_queue_submit(bad.queue, jobs, 3), 3);
	assert_int_equal(env_reap(&env, bad.queue, done, 3), 3);
	for (u32 i = 0; i < 3; i++) {
		if (done[i].cookie)
			assert_int_equal(done[i].status, -ECANCELED);
		else
			assert_int_equal(done[i].status, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	}
	assert_int_equal(drv_queue_submit(bad.queue, jobs, 1), -ECANCELED);
	drv_get_info(env.dev, &info);
	assert_true(info.mmu_faults >= 1);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);

	list_at(&nop, &good, 0);
	cmdlist_nop(&nop);
	assert_int_equal(run_one(&good, &nop), 0);
	if (ro)
		drv_bo_destroy(ro);
	work_close(&bad);
	work_close(&good);
	env_run(&env, 5 * BASE_NS_PER_MS);
	work_open(&bad); /* and its SSID is good again */
	list_at(&nop, &bad, 0);
	cmdlist_nop(&nop);
	assert_int_equal(run_one(&bad, &nop), 0);
	work_close(&bad);
	assert_int_equal(env_guest_errors(&env), 0);
}

static void test_unmapped_access(void **state)
{
	(void)state;
	fault_one(0, 0xb0000000);
}

static void test_write_to_read_only(void **state)
{
	(void)state;
	fault_one(DRV_BO_RO, 0);
}

/* Access to the firmware's own addresses from a user context faults like any other. */
static void test_firmware_memory_is_out_of_reach(void **state)
{
	(void)state;
	fault_one(0, env_reg_gen()->va.runtime.start + 0x2000);
}

static void test_use_after_unmap(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct drv_bo *bo;
	struct work w;

	(void)state;
	work_open(&w);
	assert_int_equal(drv_bo_create(w.ctx, 4096, 0, 0, &bo), 0);
	list_at(&list, &w, 0);
	cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, drv_bo_addr(bo), 1);
	assert_int_equal(run_one(&w, &list), 0); /* now it may be in a TLB */
	drv_bo_destroy(bo);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, ABI_JSM_STATUS_MVNCI_CONTEXT_VIOLATION_HW);
	work_close(&w);
}

/* Destroyed with jobs under way: freed when they are done, the doorbell is let go. */
static void test_destroy_with_pending(void **state)
{
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	drv_queue_destroy(w.queue);
	assert_int_equal(env.dev->dbs.used, 1);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 1);
	w.cpu[0x3000] = 2; /* more than is waited for: P trap 28 */
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
	drv_bo_destroy(w.bo);
	drv_ctx_destroy(w.ctx);
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(env.dev->ssids.used, 0);
	env_expect_clean(&env);
}

static void test_stop_with_pending(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	blocked(&list, &w);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	(void)!drv_shutdown(env.dev, &env.err);
	assert_int_equal(drv_get_state(env.dev), DRV_STOPPED);
	assert_int_equal(drv_queue_reap(w.queue, &done, 1), 1);
	assert_int_equal(done.status, -ECANCELED);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), -ECANCELED);
	assert_int_equal(drv_boot(env.dev, &env.err), 0); /* same context, same queue */
	w.cpu[0x3000] = 2;				  /* more than is waited for: P trap 28 */
	assert_int_equal(run_one(&w, &list), 0);
	work_close(&w);
	assert_int_equal(env_guest_errors(&env), 0);
}

/* P 10.7: a heartbeat that stands still is a hang; the device fails, jobs end, a new boot works. */
static void hang_os(void)
{
	struct abi_completion done[2];
	struct cmdlist list;
	struct abi_job jobs[2];
	struct work w;
	u64 start;

	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	jobs[0] = job_of(&list, 1);
	jobs[1] = job_of(&list, 2);
	start = drv_now_ns(env.dev);
	assert_int_equal(drv_queue_submit(w.queue, jobs, 2), 2);
	assert_int_equal(env_reap(&env, w.queue, done, 2), 2);
	assert_int_equal(done[0].status, -ETIMEDOUT);
	assert_int_equal(done[1].status, -ETIMEDOUT);
	assert_in_range(drv_now_ns(env.dev) - start, 2 * BASE_NS_PER_S, 6 * BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "heartbeat"));
	assert_int_equal(drv_queue_submit(w.queue, jobs, 1), -ENODEV);
	work_close(&w);
	drv_destroy(env.dev);
	env_boot(&env);
}

/* The engine is reset: who is to blame loses its jobs, the others lose nothing. */
static void hang_hw(void)
{
	struct abi_completion done[2];
	struct cmdlist list, wait;
	struct work bad, good;
	struct abi_job jobs[2];
	u64 start;

	work_open(&good);
	work_open(&bad);
	blocked(&wait, &good);
	jobs[0] = job_of(&wait, 7);
	assert_int_equal(drv_queue_submit(good.queue, jobs, 1), 1);
	env_run(&env, BASE_NS_PER_MS);
	list_at(&list, &bad, 0);
	cmdlist_nop(&list);
	assert_int_equal(os_inproc_fault(env.npu, "stuck-engine", 1), 0);
	jobs[0] = job_of(&list, 1);
	jobs[1] = job_of(&list, 2);
	start = drv_now_ns(env.dev);
	assert_int_equal(drv_queue_submit(bad.queue, jobs, 2), 2);
	assert_int_equal(env_reap(&env, bad.queue, done, 2), 2);
	assert_int_equal(done[0].cookie, 1);
	assert_int_equal(done[0].status, -ETIMEDOUT);
	assert_int_equal(done[1].status, -ECANCELED);
	assert_in_range(drv_now_ns(env.dev) - start, 2 * BASE_NS_PER_S, 6 * BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_READY);
	assert_int_equal(env.dev->engine.resets, 1);
	assert_int_equal(drv_queue_submit(bad.queue, jobs, 1), -ECANCELED);
	work_close(&bad);

	assert_int_equal(drv_queue_pending(good.queue), 1);
	good.cpu[0x3000] = 2;
	assert_int_equal(env_reap(&env, good.queue, done, 1), 1);
	assert_int_equal(done[0].status, 0);
	work_close(&good);
	env_run(&env, 10 * BASE_NS_PER_MS);
	assert_int_equal(env.dev->dbs.used, 0);
	work_open(&bad); /* and its SSID is good again */
	list_at(&list, &bad, 0);
	cmdlist_nop(&list);
	assert_int_equal(run_one(&bad, &list), 0);
	work_close(&bad);
	assert_int_equal(env_guest_errors(&env), 0);
}

static void test_hang(void **state)
{
	(void)state;
	if (env_hws())
		hang_hw();
	else
		hang_os();
}

/* The reset is not answered, or with an error: then it is the device that fails. */
static void test_reset_that_fails(void **state)
{
	static const char *const faults[] = { "lost-answer", "error-answer", "wrong-answer" };

	(void)state;
	if (!env_hws())
		env_skip("without hardware scheduling nothing resets the engine (P 10.7)");
	for (u32 i = 0; i < BASE_ARRAY_SIZE(faults); i++) {
		struct abi_completion done;
		struct cmdlist list;
		struct abi_job job;
		struct work w;

		work_open(&w);
		list_at(&list, &w, 0);
		cmdlist_nop(&list);
		assert_int_equal(run_one(&w, &list), 0);
		job = job_of(&list, 1);
		drv_ctx_abort(w.ctx);
		assert_int_equal(os_inproc_fault(env.npu, faults[i], 1), 0);
		assert_int_equal(drv_queue_submit(w.queue, &job, 1), -ECANCELED);
		env_run(&env, 3 * BASE_NS_PER_S);
		assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
		assert_non_null(strstr(drv_last_error(env.dev)->text, "engine's reset failed"));
		assert_int_equal(drv_queue_reap(w.queue, &done, 1), 0);
		work_close(&w);
		drv_destroy(env.dev);
		env_boot(&env);
	}
}

/* Types of the messages sent since @mark, and their number. */
static u32 sent_since(u32 mark, u32 *types, u32 max)
{
	const struct drv_trace *t = &env.dev->trace;
	u32 nr = 0;

	for (u32 i = mark; i != t->next; i = (i + 1) % DRV_TRACE_RECS)
		if (t->rec[i].kind == DRV_TRACE_TX && nr < max)
			types[nr++] = t->rec[i].off;
	return nr;
}

/* What the firmware is asked over a queue's life, in order; P 7.3, 10.4. */
static void test_questions_of_a_queue(void **state)
{
	static const u32 os[] = { ABI_JSM_REGISTER_DB, ABI_JSM_UNREGISTER_DB,
				  ABI_JSM_SSID_RELEASE };
	static const u32 hw[] = { ABI_JSM_CREATE_CMD_QUEUE, ABI_JSM_SET_CONTEXT_SCHED_PROPERTIES,
				  ABI_JSM_HWS_REGISTER_DB, ABI_JSM_UNREGISTER_DB,
				  ABI_JSM_DESTROY_CMD_QUEUE };
	const u32 *want = env_hws() ? hw : os;
	u32 types[16], nr = env_hws() ? BASE_ARRAY_SIZE(hw) : BASE_ARRAY_SIZE(os);
	u32 mark = env.dev->trace.next;
	struct cmdlist list;
	struct work w;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	assert_int_equal(run_one(&w, &list), 0);
	work_close(&w);
	env_run(&env, 5 * BASE_NS_PER_MS);
	assert_int_equal(sent_since(mark, types, BASE_ARRAY_SIZE(types)), nr);
	assert_memory_equal(types, want, nr * sizeof(types[0]));
	env_expect_clean(&env);
}

#define NR_CROWD 8u

/* Take what is done; a context that did nothing wrong has nothing but good jobs. */
static void crowd_reap(struct work *w, bool bad)
{
	struct abi_completion done;

	while (drv_queue_reap(w->queue, &done, 1))
		if (!bad)
			assert_int_equal(done.status, 0);
}

/*
 * Contexts that fault, finish and are closed in any order, at any moment, resets of the engine on
 * top of each other: who did nothing wrong loses nothing, and nothing is left.
 */
static void crowd(u32 seed)
{
	static struct work w[NR_CROWD];
	bool open[NR_CROWD] = { false }, bad[NR_CROWD] = { false };
	u32 nr_bad = 0;

	srand(seed);
	for (u32 round = 0; round < 600; round++) {
		u32 i = (u32)rand() % NR_CROWD;
		struct cmdlist list;
		struct abi_job job;

		if (!open[i]) {
			work_open(&w[i]);
			open[i] = true;
			bad[i] = false;
		}
		list_at(&list, &w[i], 0);
		if (rand() % 8 == 0 && !drv_queue_pending(w[i].queue)) {
			cmdlist_fence(&list, ABI_CMD_FENCE_SIGNAL, 0x90000000, 1);
			nr_bad += !bad[i];
			bad[i] = true;
		} else {
			cmdlist_nop(&list);
		}
		job = job_of(&list, round);
		assert_int_equal(drv_queue_submit(w[i].queue, &job, 1) > 0 || bad[i], true);
		if (rand() % 3 == 0)
			env_run(&env, (u64)rand() % (500 * BASE_NS_PER_US));
		crowd_reap(&w[i], bad[i]);
		if (rand() % 6 == 0 && (bad[i] || !drv_queue_pending(w[i].queue))) {
			work_close(&w[i]);
			open[i] = false;
		}
		assert_int_equal(drv_get_state(env.dev), DRV_READY);
	}
	env_run(&env, BASE_NS_PER_S);
	for (u32 i = 0; i < NR_CROWD; i++) {
		if (!open[i])
			continue;
		assert_int_equal(drv_queue_pending(w[i].queue), 0);
		crowd_reap(&w[i], bad[i]);
		work_close(&w[i]);
	}
	env_run(&env, BASE_NS_PER_S);
	assert_true(nr_bad > 30);
	assert_int_equal(env.dev->dbs.used, 0);
	assert_int_equal(env.dev->ssids.used, 0);
	assert_int_equal(env.dev->engine.state, DRV_ENGINE_RUNNING);
	assert_true(!env_hws() || env.dev->engine.resets > 20);
	assert_int_equal(env_guest_errors(&env), 0);
}

static void test_crowd(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 5; seed++)
		crowd(seed);
}

static void expect_preemption_buffers(const struct work *w, u32 size)
{
	for (u32 i = 0; i < ABI_JOBQ_SLOTS; i++) {
		const struct abi_jobq_job *job = &w->queue->ring.page->slot[i].job;

		assert_int_equal(job->primary_preempt_buf_size, size);
		assert_int_equal(job->secondary_preempt_buf_size, size);
		if (!size)
			continue;
		assert_true(drv_va_covered(&w->ctx->va, job->primary_preempt_buf_addr, size));
		assert_true(drv_va_covered(&w->ctx->va, job->secondary_preempt_buf_addr, size));
		/* and no job may name them */
		assert_false(drv_ctx_range_ok(w->ctx, job->primary_preempt_buf_addr, 1));
		assert_false(drv_ctx_range_ok(w->ctx, job->secondary_preempt_buf_addr - 1, 2));
		assert_true(job->primary_preempt_buf_addr != job->secondary_preempt_buf_addr);
	}
}

/* From the first job on as large as the image says, in every slot, mapped in the context; only where
 * it is scheduled. */
static void test_preemption_buffers(void **state)
{
	struct cmdlist list;
	struct work w;
	u64 live;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	live = env_live_dma(&env);
	expect_preemption_buffers(&w, 0);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(run_one(&w, &list), 0);
		expect_preemption_buffers(&w, env_hws() ? ABI_FW_PREEMPT_SIZE : 0);
	}
	/* two buffers, and the tables of the range the second is in */
	assert_true(env_hws() == (env_live_dma(&env) >= live + 2));
	assert_in_range(env_live_dma(&env) - live, 0, 6);
	work_close(&w);
}

/* Each of the allocations fails once: the job ends, the next one works. */
static void test_no_memory_to_open(void **state)
{
	struct abi_completion done = { .status = -ENOMEM };
	struct cmdlist list;
	struct abi_job job;
	struct work w;
	u32 nth;

	(void)state;
	if (!env_hws())
		env_skip("without hardware scheduling a queue has no preemption buffers (P 10.4)");
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	job = job_of(&list, 1);
	for (nth = 0; done.status == -ENOMEM; nth++) {
		expect_preemption_buffers(&w, 0);
		base_alloc_fail_nth(nth + 1);
		assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
		base_alloc_fail_nth(0);
		assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	}
	assert_int_equal(done.status, 0);
	assert_true(nth > 4); /* two buffers, and where they are */
	expect_preemption_buffers(&w, ABI_FW_PREEMPT_SIZE);
	work_close(&w);
}

static struct {
	u32 off, nr; /* of BAR4: how often 1 was written there */
} clears;

static void watch_clear(void *opaque, const struct os_faulty_access *a)
{
	(void)opaque;
	if (a->is_write && a->bar == 4 && a->off == clears.off && a->val == 1)
		clears.nr++;
}

/* P 2.6: each error is cleared at its source, and costs the device.  Offsets: P 2.1, 2.2. */
static void test_buttress_errors(void **state)
{
	static const struct {
		u32 bit, clear;
	} mtl[] = { { 1, 0xa8 }, { 2, 0xb4 } },
	  lnl[] = { { 1, 0x18 }, { 2, 0x20 }, { 3, 0x44 }, { 4, 0x50 }, { 5, 0x60 } }, *errors;
	bool is_lnl = env_reg_gen()->btrs_kind == REG_BTRS_LNL;
	u32 nr = is_lnl ? BASE_ARRAY_SIZE(lnl) : BASE_ARRAY_SIZE(mtl);

	(void)state;
	errors = is_lnl ? lnl : mtl;
	for (u32 i = 0; i < nr; i++) {
		struct abi_completion done;
		struct cmdlist list;
		struct abi_job job;
		struct work w;

		work_open(&w);
		list_at(&list, &w, 0);
		cmdlist_nop(&list);
		assert_int_equal(run_one(&w, &list), 0);
		job = job_of(&list, 1);
		clears.off = errors[i].clear;
		clears.nr = 0;
		os_faulty_watch(env.os, watch_clear, NULL);
		os_faulty_force(env.os, 4, env.dev->regs.int_stat.off, BASE_BIT(errors[i].bit),
				BASE_BIT(errors[i].bit), 0);
		assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
		assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
		os_faulty_force(env.os, 0, 0, 0, 0, 0);
		os_faulty_watch(env.os, NULL, NULL);
		assert_int_equal(done.status, -EIO);
		assert_int_equal(clears.nr, 1);
		assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
		assert_non_null(strstr(drv_last_error(env.dev)->text, "buttress"));
		work_close(&w);
		drv_destroy(env.dev);
		env_boot(&env);
	}
}

/* P 3.8: the watchdog is switched off, then the device is given up. */
static void test_watchdog(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	assert_int_equal(os_inproc_fault(env.npu, "watchdog", 1), 0);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1); /* the job may be faster */
	env_run(&env, BASE_NS_PER_MS);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "MSS watchdog"));
	work_close(&w);
	assert_int_equal(env_guest_errors(&env), 0);
	drv_destroy(env.dev);
	env_boot(&env);
}

/* The power unit wants duty cycling; the model checks the mailbox.  It survives a cold boot.  P 2.6 */
static void test_duty_cycling(void **state)
{
	struct cmdlist list;
	struct work w;

	(void)state;
	if (env_reg_gen()->btrs_kind != REG_BTRS_LNL)
		env_skip("the buttress of Meteor Lake has no duty cycling (P 2.6)");
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	for (u32 on = 1; on < 2; on--) {
		u32 mark;

		assert_int_equal(os_inproc_fault(env.npu, on ? "dct-on" : "dct-off", 1), 0);
		assert_int_equal(run_one(&w, &list), 0);
		env_run(&env, 5 * BASE_NS_PER_MS);
		assert_int_equal(env.dev->dct.percent, on ? 30 : 0);
		assert_int_equal(drv_shutdown(env.dev, &env.err), 0);
		mark = env.dev->trace.next;
		assert_int_equal(drv_boot(env.dev, &env.err), 0);
		assert_int_equal(sent_since(mark, (u32[4]){ 0 }, 4), on + env_hws());
	}
	work_close(&w);
	env_run(&env, 5 * BASE_NS_PER_MS);
	env_expect_clean(&env);
}

/* Not even the doorbell's registration is answered: heartbeat, then the device is given up. */
static void test_dead_firmware(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	drv_destroy(env.dev);
	assert_int_equal(os_inproc_fault(env.npu, "dead-after-boot", 1), 0);
	if (env_hws()) { /* the first question is the boot's */
		env_create(&env);
		assert_int_equal(drv_boot(env.dev, &env.err), -ETIMEDOUT);
		assert_non_null(strstr(env.err.text, "priority bands"));
		return;
	}
	env_boot(&env);
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, -ETIMEDOUT);
	env_run(&env, BASE_NS_PER_S);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_int_equal(drv_last_error(env.dev)->code, -ETIMEDOUT);
	work_close(&w);
	drv_destroy(env.dev);
	env_boot(&env);
}

static void test_all_ones_while_running(void **state)
{
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	assert_int_equal(run_one(&w, &list), 0);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	os_faulty_force(env.os, env.dev->regs.int_stat.bar, env.dev->regs.int_stat.off, UINT32_MAX,
			UINT32_MAX, 0);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	assert_int_equal(done.status, -EIO);
	assert_int_equal(drv_last_error(env.dev)->code, -ENODEV);
	os_faulty_force(env.os, 0, 0, 0, 0, 0);
	work_close(&w);
	drv_destroy(env.dev);
	env_boot(&env);
}

/* Submit and complete allocate nothing and cost these register accesses, no more. */
static void test_cost(void **state)
{
	struct os_faulty_stats before, after;
	struct abi_completion done;
	struct cmdlist list;
	struct abi_job job;
	struct work w;
	u64 allocs;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	job = job_of(&list, 1);
	assert_int_equal(run_one(&w, &list), 0); /* registers the doorbell */
	allocs = base_alloc_count();
	os_faulty_get_stats(env.os, &before);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), 1);
	assert_int_equal(env_reap(&env, w.queue, &done, 1), 1);
	os_faulty_get_stats(env.os, &after);
	assert_int_equal(base_alloc_count(), allocs);
	assert_int_equal(after.wr - before.wr, 4); /* doorbell, mask, clear, unmask */
	assert_int_equal(after.rd - before.rd, 4); /* INTERRUPT_STAT, ICB_STATUS, FIFO: fill, pop */
	work_close(&w);
}

/* The firmware writes what is no head: the next submission finds out, and every job ends. */
static void bad_head(u32 head)
{
	struct abi_completion done[2];
	struct abi_job jobs[2];
	struct cmdlist list;
	struct work w;

	env_boot(&env);
	work_open(&w);
	list_at(&list, &w, 0);
	jobs[0] = job_of(&list, 1);
	jobs[1] = job_of(&list, 2);
	assert_int_equal(run_one(&w, &list), 0);
	jobs[0].flags = ABI_JOB_SYNC; /* what follows is put in, but not published */
	assert_int_equal(drv_queue_submit(w.queue, jobs, 2), 2);
	w.queue->ring.page->hdr.head = head;
	assert_int_equal(drv_queue_submit(w.queue, jobs, 1), -ENODEV);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_int_equal(drv_last_error(env.dev)->code, -EPROTO);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "head that is no slot"));
	assert_int_equal(drv_queue_reap(w.queue, done, 2), 2);
	assert_int_equal(done[0].status, -EIO);
	assert_int_equal(done[1].status, -EIO);
	work_close(&w);
	drv_destroy(env.dev);
	env.dev = NULL;
}

static void test_bad_head(void **state)
{
	(void)state;
	drv_destroy(env.dev);
	bad_head(ABI_JOBQ_SLOTS);
	bad_head(UINT32_MAX);
	bad_head(3);	/* 1 done, 2 published: beyond them */
	env_boot(&env); /* as good as new */
}

/* A head beyond what was published, with every job published and done. */
static void test_head_beyond_tail(void **state)
{
	struct cmdlist list;
	struct abi_job job;
	struct work w;

	(void)state;
	work_open(&w);
	list_at(&list, &w, 0);
	cmdlist_nop(&list);
	assert_int_equal(os_inproc_fault(env.npu, "wild-head", 1), 0);
	assert_int_equal(run_one(&w, &list), 0);
	job = job_of(&list, 1);
	assert_int_equal(drv_queue_submit(w.queue, &job, 1), -ENODEV);
	assert_int_equal(drv_get_state(env.dev), DRV_FAILED);
	assert_int_equal(drv_last_error(env.dev)->code, -EPROTO);
	assert_non_null(strstr(drv_last_error(env.dev)->text, "head that is no slot"));
	work_close(&w);
	drv_destroy(env.dev);
	env_boot(&env);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_commands),
		T(test_protocol_vector),
		T(test_statuses),
		T(test_depth_62),
		T(test_256_per_context),
		T(test_sync_holds_back),
		T(test_all_contexts),
		T(test_doorbells_run_out),
		T(test_more_queues_than_slots),
		T(test_lost_answer),
		T(test_late_answer),
		T(test_error_answer),
		T(test_wrong_answer),
		T(test_ranges),
		T(test_unmapped_access),
		T(test_write_to_read_only),
		T(test_firmware_memory_is_out_of_reach),
		T(test_use_after_unmap),
		T(test_destroy_with_pending),
		T(test_stop_with_pending),
		T(test_hang),
		T(test_reset_that_fails),
		T(test_questions_of_a_queue),
		T(test_preemption_buffers),
		T(test_no_memory_to_open),
		T(test_crowd),
		T(test_duty_cycling),
		T(test_buttress_errors),
		T(test_watchdog),
		T(test_dead_firmware),
		T(test_all_ones_while_running),
		T(test_bad_head),
		T(test_head_beyond_tail),
		T(test_cost),
	};

	if (env_args(argc, argv))
		return 2;
	return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
